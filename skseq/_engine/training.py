"""The training loop: epochs over batches, validation, early stopping, checkpoints.

Knows nothing of any task: it is given a program and data that can assemble batches,
and yields a `TrainingState` after every epoch, so that whoever runs it always holds the
last full epoch when it is interrupted.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np

from skseq._data.batching import (
    full_rows,
    inference_batches,
    prefetch,
    training_batches,
)
from skseq._engine.callbacks import CallbackRunner
from skseq._engine.checkpoint import Checkpoint
from skseq._engine.programs import Program, Trainer
from skseq._engine.state import Part, TrainingPlan, TrainingState
from skseq._seeding import derive, generator
from skseq.exceptions import TrainingDivergedError


def train(
    program: Program,
    trainer: Trainer,
    plan: TrainingPlan,
    state: TrainingState,
    training: Part,
    validation: Part | None = None,
    callbacks: list | None = None,
    checkpoint: Checkpoint | None = None,
    score: Callable[[Program, Part], float] | None = None,
) -> Iterator[TrainingState]:
    """Train to the plan's last epoch, yielding the state after each and at the end.

    Where the optimizer keeps averaged weights, they are what is validated and kept;
    training goes on from its own.
    """
    with (
        CallbackRunner(callbacks, program.model, trainer.optimizer, plan) as runner,
        _ProgressBar(plan, state) as progress,
    ):
        _resume(state, program, trainer, runner, checkpoint)
        logs = {}
        while state.epoch < plan.epochs and not state.is_stopped:
            logs = {
                "loss": _train_epoch(program, trainer, plan, state, training, runner)
            }
            own_weights = program.weights() if trainer.keeps_averages else None
            if trainer.keeps_averages:
                trainer.finish()
            if validation is not None:
                logs["val_loss"] = mean_loss(program, plan, validation, runner)
                if score is not None:
                    logs["val_score"] = score(program, validation)
            logs = runner.end_epoch(state.epoch, logs)
            state = _next_state(state, program, trainer, plan, logs, own_weights)
            program.load(state.weights)
            state = replace(state, is_stopped=state.is_stopped or runner.wants_to_stop)
            progress.show(state, logs)
            if checkpoint:
                checkpoint.save(state, runner.state())
            yield state
        trainer.finish()
        runner.tell("on_train_end", logs)
    # The optimizer or a callback may have put other weights in place.
    kept = "averaged_weights" if trainer.keeps_averages else "weights"
    yield replace(state, **{kept: program.weights()})


def _resume(state, program, trainer, runner, checkpoint):
    """Bring network, optimizer and callbacks to where the state is."""
    program.load(state.weights)
    if state.epoch and state.optimizer_state is not None:
        trainer.set_state(state.optimizer_state)
    else:
        trainer.start_from_weights()
    runner.tell("on_train_begin")
    if checkpoint:
        runner.restore(checkpoint.callback_state)


def _train_epoch(program, trainer, plan, state, part, runner) -> float:
    """One pass over the data in bucketed batches; returns the weighted mean loss."""
    epoch = state.epoch
    program.seed(derive(plan.seed, "dropout", epoch))
    runner.tell("on_epoch_begin", epoch)
    order = generator(plan.seed, "order", epoch) if plan.shuffle else None
    batches = training_batches(
        part.lengths, plan.batch_size, order, exact=plan.exact_lengths
    )
    assembled = ((b, part.data.assemble(part.rows[b])) for b in batches)
    mean = _Mean()
    with closing(prefetch(assembled)) as ready:
        for step, (indices, arrays) in enumerate(ready):
            runner.tell("on_train_batch_begin", step)
            losses = trainer.step(arrays, part.weights[indices])
            _check_losses(losses, part.rows[indices], epoch, step)
            mean.add(losses, part.weights[indices])
            runner.tell("on_train_batch_end", step, {"loss": mean.value})
            if runner.wants_to_stop:
                break
    return mean.value


def _check_losses(losses, rows, epoch, step):
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        # When all are lost the weights are, and no one sequence is to blame.
        sample = None if bad.size == len(losses) > 1 else int(rows[bad[0]])
        raise TrainingDivergedError(epoch + 1, step + 1, sample)


def mean_loss(program, plan, part, runner) -> float:
    """Weighted mean loss over a part, as at prediction time."""
    mean = _Mean()
    batches = inference_batches(part.lengths, plan.batch_size, exact=plan.exact_lengths)
    n_rows = min(plan.batch_size, len(part.rows))
    runner.tell("on_test_begin")
    for step, batch in enumerate(batches):
        runner.tell("on_test_batch_begin", step)
        rows = full_rows(part.rows[batch], n_rows)
        losses = program.losses(part.data.assemble(rows))[: len(batch)]
        mean.add(losses, part.weights[batch])
        runner.tell("on_test_batch_end", step, {"loss": mean.value})
    runner.tell("on_test_end", {"loss": mean.value})
    return mean.value


class _Mean:
    """Running mean of losses, by the weights of their sequences."""

    def __init__(self):
        self._total = self._weight = 0.0

    def add(self, losses, weights):
        self._total += float(losses @ weights)
        self._weight += float(weights.sum())

    @property
    def value(self) -> float:
        return self._total / self._weight


def _next_state(state, program, trainer, plan, logs, own_weights) -> TrainingState:
    """The state after an epoch; own weights are given if averages are in place."""
    present = program.weights()
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
        optimizer_state=trainer.state(),
        history=history,
    )
    if plan.patience is None:
        return state
    best_loss = np.inf if state.best_loss is None else state.best_loss
    if plan.loss(logs) < best_loss:
        return replace(
            state,
            best_loss=plan.loss(logs),
            best_weights=present,
            epochs_without_improvement=0,
        )
    waited = state.epochs_without_improvement + 1
    return replace(
        state, epochs_without_improvement=waited, is_stopped=waited >= plan.patience
    )


def _check_weights(weights, epoch):
    """A finite loss can still have a gradient that is not."""
    if not all(np.isfinite(w).all() for w in weights):
        raise TrainingDivergedError(epoch + 1)


class _ProgressBar:
    """One bar over the epochs, if asked for."""

    def __init__(self, plan, state):
        self._bar = None
        if plan.verbose:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=plan.epochs, initial=state.epoch, unit="epoch")

    def __enter__(self):
        return self

    def show(self, state, logs):
        if self._bar is not None:
            self._bar.set_postfix({name: f"{v:.4g}" for name, v in logs.items()})
            self._bar.update(1)

    def __exit__(self, *exception):
        if self._bar is not None:
            self._bar.close()
