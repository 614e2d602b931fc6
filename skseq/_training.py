"""The training loop: epochs over batches, validation, early stopping, checkpoints.

Knows nothing of any task: it is given a program and data that can assemble batches, and
yields a `TrainingState` after every epoch, so that whoever runs it always holds the last
full epoch when it is interrupted.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from skseq._batching import full_rows, inference_batches, prefetch, training_batches
from skseq._callbacks import CallbackRunner
from skseq._checkpoint import Checkpoint
from skseq._programs import Program, Trainer
from skseq._seeding import derive, generator
from skseq._training_state import Part, TrainingPlan, TrainingState
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
) -> Iterator[TrainingState]:
    """Train to the plan's last epoch, yielding the state after each one and at the end."""
    program.load(state.weights)
    trainer.set_state(state.optimizer_state)
    with (
        CallbackRunner(callbacks, program.model, trainer.optimizer, plan) as runner,
        _ProgressBar(plan, state) as progress,
    ):
        if checkpoint:
            runner.restore(checkpoint.callback_state)
        while state.epoch < plan.epochs and not state.is_stopped:
            loss = _train_epoch(program, trainer, plan, state.epoch, training, runner)
            logs = {"loss": loss}
            if validation is not None:
                logs["val_loss"] = mean_loss(program, plan, validation)
            logs = runner.end_epoch(state.epoch, logs)
            state = _next_state(state, program, trainer, plan, logs)
            state = replace(state, is_stopped=state.is_stopped or runner.wants_to_stop)
            progress.show(state, logs)
            if checkpoint:
                checkpoint.save(state, runner.state())
            yield state
    if callbacks:  # one may have restored other weights at the end
        state = replace(state, weights=program.weights())
    yield state


def _train_epoch(program, trainer, plan, epoch, part, runner) -> float:
    """One pass over the data in bucketed batches; returns the weighted mean loss."""
    program.seed(derive(plan.seed, "dropout", epoch))
    runner.begin_epoch(epoch)
    order = generator(plan.seed, "order", epoch) if plan.shuffle else None
    batches = training_batches(
        part.lengths, plan.batch_size, order, exact=plan.exact_lengths
    )
    assembled = ((b, part.data.assemble(part.rows[b])) for b in batches)
    total = 0.0
    for step, (indices, arrays) in enumerate(prefetch(assembled)):
        runner.begin_batch(step)
        losses = trainer.step(arrays, part.weights[indices])
        _check_losses(losses, part.rows[indices], epoch, step)
        total += float(losses @ part.weights[indices])
        runner.end_batch(step, {"loss": float(losses.mean())})
    return total / len(part.rows)


def _check_losses(losses, rows, epoch, step):
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        # When all are lost the weights are, and no one sequence is to blame.
        sample = None if bad.size == len(losses) > 1 else int(rows[bad[0]])
        raise TrainingDivergedError(epoch + 1, step + 1, sample)


def mean_loss(program, plan, part) -> float:
    """Weighted mean loss over a part, as at prediction time."""
    total = 0.0
    for batch in inference_batches(
        part.lengths, plan.batch_size, exact=plan.exact_lengths
    ):
        rows = full_rows(part.rows[batch], plan.batch_size)
        losses = program.losses(part.data.assemble(rows))[: len(batch)]
        total += float(losses @ part.weights[batch])
    return total / len(part.rows)


def _next_state(state, program, trainer, plan, logs) -> TrainingState:
    weights = program.weights()
    _check_weights(weights, state.epoch)
    history = {name: list(values) for name, values in state.history.items()}
    for name, value in logs.items():
        history.setdefault(name, []).append(float(value))
    state = replace(
        state,
        epoch=state.epoch + 1,
        weights=weights,
        optimizer_state=trainer.state(),
        history=history,
    )
    if plan.patience is None:
        return state
    if state.best_loss is None or logs["val_loss"] < state.best_loss:
        return replace(
            state,
            best_loss=logs["val_loss"],
            best_weights=weights,
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
