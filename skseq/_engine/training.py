"""The training loop: epochs over batches, validation, early stopping, checkpoints.

Knows nothing of any task: a `Run` is given a program and data that can assemble
batches, and yields a `TrainingState` after every epoch, so that whoever runs it always
holds the last full epoch when it is interrupted.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from skseq._data.batching import (
    apply_ahead,
    lengths_of,
    prediction_batches,
    training_batches,
)
from skseq._engine.callbacks import CallbackRunner
from skseq._engine.checkpoint import Checkpoint
from skseq._engine.optimizers import only_averages
from skseq._engine.programs import Program, Trainer
from skseq._engine.progress import ProgressBar
from skseq._engine.schedules import ScheduledRate
from skseq._engine.state import (
    Subset,
    TrainingPlan,
    TrainingState,
    check_weights,
    weights_of,
)
from skseq._seeding import derive, generator
from skseq.exceptions import TrainingDivergedError


@dataclass
class Run:
    """One training of a network.

    Attributes
    ----------
    program : Program
        The network.
    optimizer : keras.optimizers.Optimizer
        What its training step is made of.
    plan : TrainingPlan
        How to train.
    training, validation : Subset
        What to train on, and what to validate with after each epoch, if anything.
    callbacks : list of keras.callbacks.Callback
        Called as Keras would.
    checkpoint : Checkpoint or None
        Where to write each epoch's state, and to resume from.
    score : callable or None
        `score(program, validation)`, recorded as "val_score" after each epoch.
    judge : callable or None
        `judge(program, validation)` in the place of the mean loss, where sequences of
        other batches count too; recorded as "val_loss".
    """

    program: Program
    optimizer: Any
    plan: TrainingPlan
    training: Subset
    validation: Subset | None = None
    callbacks: list = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    score: Callable[[Program, Subset], float] | None = None
    judge: Callable[[Program, Subset], float] | None = None
    _rate: ScheduledRate = field(init=False, repr=False)
    _progress: ProgressBar = field(
        default_factory=lambda: ProgressBar(0, 0, False), init=False, repr=False
    )

    def states(self, first: TrainingState) -> Iterator[TrainingState]:
        """Train to the plan's last epoch, yielding the state after each and at the end.

        Training starts from the checkpoint's state if there is one, else from `first`.
        A finished fit's state is yielded as it is, and no training step is made.
        Where the optimizer keeps averaged weights, they are what is validated and kept;
        training continues from its own.
        """
        state = self._kept() or self._accepted(first)
        if self._is_over(state):
            yield state
            return
        model, optimizer = self.program.model, self.trainer.optimizer
        with (
            CallbackRunner(self.callbacks, model, optimizer, self.plan) as runner,
            ProgressBar(self.plan.epochs, state.epoch, self.plan.verbose) as progress,
        ):
            self._progress = progress
            self._resume(state, runner)
            logs = {}
            while state.epoch < self.plan.epochs and not state.is_stopped:
                state, logs = self._next_epoch(state, runner)
                progress.end_epoch(state.epoch, logs)
                if self.checkpoint:
                    self.checkpoint.save(state, runner.state())
                yield state
            self.trainer.finish()
            runner.tell("on_train_end", logs)
        # The optimizer or a callback may have put other weights in place.
        averages = self.trainer.keeps_averages
        kept = "averaged_weights" if averages else "weights"
        weights = self.program.weights()
        _check_weights(weights, state.epoch - 1)
        yield replace(state, **{kept: weights})

    @cached_property
    def trainer(self) -> Trainer:
        return self.program.trainer(self.optimizer)

    def _kept(self) -> TrainingState | None:
        """The state in the checkpoint, if there is one, checked."""
        if not self.checkpoint or self.checkpoint.state is None:
            return None
        with self.checkpoint.blamed():
            self._check_state(self.checkpoint.state)
        return self.checkpoint.state

    def _accepted(self, first: TrainingState) -> TrainingState:
        """A state to start from, without the optimizer's part if that is of another."""
        if first.optimizer_state is None:
            return first
        kept = None
        if self.trainer.accepts(first.optimizer_state):
            kept = self.trainer.under_given_rate(first.optimizer_state)
        return replace(first, optimizer_state=kept)

    def _is_over(self, state) -> bool:
        """Whether neither epochs are left, nor anything that comes after the last."""
        is_over = state.epoch >= self.plan.epochs or state.is_stopped
        return is_over and not self.callbacks and only_averages(self.optimizer)

    def _resume(self, state, runner) -> None:
        """Bring network, optimizer and callbacks to where the state is."""
        self.program.load(state.weights)
        if state.epoch and state.optimizer_state is not None:
            self.trainer.set_state(state.optimizer_state)
        else:
            self.trainer.start_from_weights()
        plan, is_watched = self.plan, bool(self.callbacks)
        self._rate = ScheduledRate(
            self.trainer, plan.schedule, plan.epochs, is_watched=is_watched
        )
        self._rate.start(state.epoch)
        runner.tell("on_train_begin")
        if self.checkpoint:
            with self.checkpoint.blamed():
                runner.restore(self.checkpoint.callback_state)

    def _check_state(self, state) -> None:
        """Refuse a state from a file that no training of this network can have left."""
        state.check()
        expected = weights_of(self.program.model)
        for name in ("weights", "averaged_weights", "best_weights"):
            weights = getattr(state, name)
            if weights is not None:
                check_weights(weights, expected, name)
        optimizer_state = state.optimizer_state
        if optimizer_state is None:
            return
        if not self._is_over(state) and not self.trainer.accepts(optimizer_state):
            raise ValueError("its optimizer state is of another optimizer")
        if not all(np.isfinite(value).all() for value in optimizer_state):
            raise ValueError("its optimizer state holds NaN or infinity")

    def _next_epoch(self, state, runner) -> tuple[TrainingState, dict]:
        """Train and validate for one epoch; returns the state after it and its logs."""
        logs = {"loss": self._train_epoch(state.epoch, runner)}
        own_weights = None
        if self.trainer.keeps_averages:
            own_weights = self.program.weights()
            self.trainer.finish()
        if self.validation is not None:
            logs["val_loss"] = self.mean_loss(self.validation, runner)
            if not np.isfinite(logs["val_loss"]):
                raise TrainingDivergedError(state.epoch + 1, measure="validation loss")
            if self.score is not None:
                logs["val_score"] = self.score(self.program, self.validation)
        self._rate.end_epoch(state.epoch)
        logs = runner.end_epoch(state.epoch, logs)
        state = self._state_after(state, logs, own_weights)
        self.program.load(state.weights)
        is_stopped = state.is_stopped or runner.wants_to_stop
        return replace(state, is_stopped=is_stopped), logs

    def _train_epoch(self, epoch, runner) -> float:
        """Train on all batches once; returns the weighted mean loss."""
        self.program.seed(derive(self.plan.seed, "dropout", epoch))
        runner.tell("on_epoch_begin", epoch)
        mean = _Mean()
        subset, batches = self._drawn(epoch)
        data, rows = subset.data, subset.rows
        # A user's collection may belong to this thread; padding may not wait for it.
        read = ((b, data.read(rows[b])) for b in batches)
        assembled = apply_ahead(lambda r: (r[0], data.assemble(rows[r[0]], r[1])), read)
        with closing(assembled) as ready:
            for step, (batch, arrays) in enumerate(ready):
                runner.tell("on_train_batch_begin", step)
                rate = self._rate.step(epoch, step, len(batches))
                losses = self.trainer.step(arrays, subset.weights[batch], rate)
                _check_losses(losses, subset.origins[batch], epoch, step)
                mean.add(losses, subset.weights[batch])
                runner.tell("on_train_batch_end", step, {"loss": mean.value})
                self._progress.train(step + 1, len(batches), mean.value)
                if runner.wants_to_stop:
                    break
        return mean.value

    def _drawn(self, epoch) -> tuple[Subset, list[np.ndarray]]:
        """What is trained on in an epoch, and its batches; some data draw their own."""
        plan, subset = self.plan, self.training
        data = subset.data.in_epoch(plan.seed, epoch, plan.exact_lengths)
        if hasattr(data, "drawn"):
            return data.drawn(subset, plan, epoch)
        order = generator(plan.seed, "order", epoch) if plan.shuffle else None
        batches = training_batches(
            lengths_of(data)[subset.rows],
            plan.batch_size,
            order,
            exact=plan.exact_lengths,
        )
        return replace(subset, data=data), batches

    def mean_loss(self, subset, runner) -> float:
        """Weighted mean loss over a subset, as at prediction time."""
        if self.judge is not None:
            runner.tell("on_test_begin")
            loss = self.judge(self.program, subset)
            runner.tell("on_test_end", {"loss": loss})
            return loss
        plan, mean = self.plan, _Mean()
        size = plan.batch_size
        exact = plan.exact_lengths
        batches = [*prediction_batches(subset.lengths, size, size, exact=exact)]
        runner.tell("on_test_begin")
        for step, batch in enumerate(batches):
            runner.tell("on_test_batch_begin", step)
            arrays = subset.data.assemble(subset.rows[batch])
            losses = self.program.losses(arrays)
            mean.add(losses, subset.weights[batch])
            runner.tell("on_test_batch_end", step, {"loss": mean.value})
            self._progress.validate(step + 1, len(batches))
        runner.tell("on_test_end", {"loss": mean.value})
        return mean.value

    def _state_after(self, state, logs, own_weights) -> TrainingState:
        """The state after an epoch; own weights are given if averages are in place."""
        present = self.program.weights()
        weights = present if own_weights is None else own_weights
        _check_weights(weights, state.epoch)
        history = {name: list(values) for name, values in state.history.items()}
        for name, value in logs.items():
            history.setdefault(name, []).append(float(value))
        state = replace(
            state,
            epoch=state.epoch + 1,
            weights=weights,
            averaged_weights=None if own_weights is None else present,
            optimizer_state=self.trainer.state(),
            history=history,
        )
        if self.plan.patience is None:
            return state
        return _judged(state, self.plan, self.plan.loss(logs), present)


def _judged(state, plan, loss, weights) -> TrainingState:
    """Note whether an epoch was the best so far, and whether to stop early."""
    best_loss = np.inf if state.best_loss is None else state.best_loss
    if loss < best_loss:
        return replace(
            state, best_loss=loss, best_weights=weights, epochs_without_improvement=0
        )
    waited = state.epochs_without_improvement + 1
    is_stopped = waited >= plan.patience
    return replace(state, epochs_without_improvement=waited, is_stopped=is_stopped)


def _check_losses(losses, rows, epoch, step) -> None:
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        # When all are lost the weights are, and no one sequence is to blame.
        sample = None if bad.size == len(losses) > 1 else int(rows[bad[0]])
        raise TrainingDivergedError(epoch + 1, step + 1, sample)


def _check_weights(weights, epoch) -> None:
    """A finite loss can still have a gradient that is not."""
    if not all(np.isfinite(w).all() for w in weights):
        raise TrainingDivergedError(epoch + 1)


class _Mean:
    """Running mean of losses, weighted by the weights of their sequences."""

    def __init__(self):
        self._total = self._weight = 0.0

    def add(self, losses, weights):
        self._total += float(losses @ weights)
        self._weight += float(weights.sum())

    @property
    def value(self) -> float:
        return self._total / self._weight
