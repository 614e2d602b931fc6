"""The order of events that all estimators share: check, build, train, take over.

`SequenceEstimator` owns transactional fitting, the borrowed program and persistence.
What the sequences mean is known to each task alone.
"""

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import ClassVar

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skseq._data.batching import lengths_of, prediction_batches, whole_tiles
from skseq._data.fingerprints import describe, fingerprint_arrays
from skseq._engine import saving
from skseq._engine.callbacks import make_callbacks
from skseq._engine.checkpoint import Checkpoint
from skseq._engine.conditions import conditions
from skseq._engine.convergence import judged_rows, trouble_of
from skseq._engine.copies import Copyable
from skseq._engine.export import Exportable
from skseq._engine.lending import borrow
from skseq._engine.optimizers import make_optimizer
from skseq._engine.programs import Program, Recipe, check_sizes
from skseq._engine.state import (
    FitRequest,
    Subset,
    TrainingPlan,
    TrainingState,
    check_history,
    hold_out,
    pick_batch_size,
)
from skseq._engine.summary import Summarized
from skseq._engine.training import Run
from skseq._nn.front_ends import as_written, front_end_of
from skseq._nn.initial_weights import initial_weights
from skseq._parameters import (
    MISSING,
    accepts,
    check_parameters,
    check_value,
    listed,
)
from skseq._preprocess.steps import check_steps
from skseq._routing import RoutedParameters, default_of
from skseq._seeding import draw_seed
from skseq._shared_parameters import BATCH_SIZE, CONSTRAINTS, FITTED, NOT_IN_ORIGIN
from skseq._warnings import warn

# Measured: with more, what a recurrence writes for them outgrows the cache.
INFERENCE_ROWS = 64

# What batch_size="auto" stands for in prediction, where it decides on time alone.
BATCH_ROWS = 32


class SequenceEstimator(
    RoutedParameters, Copyable, Exportable, Summarized, BaseEstimator, ABC
):
    """Base of all estimators. Its fitted state is parameters and plain arrays.

    A task gives what has no default: `_check_data`, `_make_settings`, `_network`,
    `_make_losses` and `_exported`; and, where fitting means more than training,
    `_conclude`. Its tables name what is its own: `_constraints` of its parameters,
    `_fitted` values that `save` keeps, and `_prediction_parameters`, which the outcome
    of a fit does not depend on.
    """

    _constraints: ClassVar[dict] = {}
    _fitted: ClassVar[dict] = FITTED
    _prediction_parameters: frozenset = frozenset()
    _routes: ClassVar[tuple] = ("optimizer", "callbacks")
    _monitor = "val_loss"  # what early stopping looks at
    _epochs_are_drawn = False  # whether the samples of each epoch differ
    _validation_score: Callable[[Program, Subset], float] | None = None
    _validation_loss: Callable[[Program, Subset], float] | None = None

    # -- what a task gives --------------------------------------------------------

    @abstractmethod
    def _check_data(self, X, y, sample_weight, *, reset):
        """Check and encode X and y; with reset, learn their form and vocabulary.

        Returns an object with `lengths`, `sample_weight`, `in_epoch(seed, epoch,
        exact)`, which gives the data as they are to be trained on in one epoch,
        `read(rows)`, which gives the sequences of a batch, `assemble(rows, read)`,
        which gives its padded arrays, and `fingerprint()`.
        """

    @abstractmethod
    def _make_settings(self, data, validation, present) -> dict:
        """What the network is built from, of plain hashable values.

        What is left to be chosen is chosen by the data, or stays as it is `present` in
        the settings that training continues with, which are empty at first.
        """

    @staticmethod
    @abstractmethod
    def _network(**settings) -> keras.Model:
        """Build the network."""

    @abstractmethod
    def _make_losses(self) -> Callable:
        """The loss of each sequence; see `Recipe.losses`."""

    def _conclude(self, training: Subset, validation: Subset | None) -> None:
        """Learn what follows from the trained network, for example a threshold."""

    def _try_example(self) -> None:
        """Predict for a made-up sequence, which means nothing, as `predict` would."""

    def _failure(self, data) -> str | None:
        """How some of the training data show that nothing was learnt, with advice."""

    # -- what a task may change ---------------------------------------------------

    def _judged_rows(self, training: Subset) -> np.ndarray:
        """The rows by which `_failure` judges."""
        return judged_rows(training)

    def _prepare(self, program, data) -> None:
        """Complete data by what the network does to it, for example output lengths."""

    def _weigh(self, data, is_partial: bool):
        """Checked training data, under the weights that the parameters ask for."""
        return data

    def _classes_of(self, data) -> np.ndarray | None:
        """The class of each row, where rows have one, by which they are divided."""
        return None

    def _trainable_rows(self, data) -> np.ndarray:
        """The rows of prepared data to learn from."""
        return np.flatnonzero(data.sample_weight > 0)

    def _initial_weights(self, program) -> list[np.ndarray]:
        """The weights that a fresh training starts with."""
        model, front_end = program.model, front_end_of(self._settings)
        given = front_end.initial_weights(model, self._seed)
        return initial_weights(model, self._seed, given)

    def _optimizer_parameters(self) -> dict:
        """Parameters of the optimizer beside learning rate and clipping."""
        return self._routed("optimizer")

    def _check_parameters(self) -> None:
        """Check all parameters, at the start of a fit."""
        check_parameters(self, {**CONSTRAINTS, **self._constraints})

    @property
    def _holds_out(self) -> bool:
        """Whether a validation set is needed and, if none is given, set aside."""
        return self.early_stopping

    # -- fitting ------------------------------------------------------------------

    def _fit(self, request: FitRequest):
        """Fit a draft of this estimator, and take over what it learnt if that succeeds.

        An error leaves the estimator as it was; an interruption leaves it with the
        last full epoch, if there was one.
        """
        draft, adopted = copy.copy(self), None
        try:
            for run, state in draft._train(request):
                draft._adopt(state)
                adopted = run
        except KeyboardInterrupt as interrupt:
            if adopted is not None:
                self._take_over(draft, adopted)
                interrupt.add_note(self._note_on_interruption())
            raise
        self._take_over(draft, adopted)
        if not request.is_partial:
            try:
                self._warn_of_failure(adopted.training)
            except KeyboardInterrupt as interrupt:
                interrupt.add_note(self._note_on_interruption())
                raise
        return self

    def _warn_of_failure(self, training: Subset) -> None:
        """Warn where training has come to nothing, or ended too soon."""
        try:
            failure = self._failure(training.data.take(self._judged_rows(training)))
        except ValueError:  # what cannot be predicted, predict explains
            return
        if failure is not None:
            warn(failure, ConvergenceWarning)
        elif not self.early_stopping:
            rate, drawn = self._rate_name, self._epochs_are_drawn
            if trouble := trouble_of(self, len(training.rows), rate, drawn):
                warn(trouble, ConvergenceWarning)

    @property
    def _rate_name(self) -> str:
        """What a user changes the learning rate by, for advice."""
        is_own = not isinstance(self.optimizer, (str, type))
        is_own |= not isinstance(self.learning_rate, (int, float))
        return "learning rate of the optimizer" if is_own else "learning_rate"

    def _train(self, request: FitRequest) -> Iterator[tuple[Run, TrainingState]]:
        """Check everything, then train; yields the run and its state per epoch."""
        self._check_request(request)
        continues = request.resumes and self.__sklearn_is_fitted__()
        optimizer = self._make_optimizer()
        callbacks = make_callbacks(self.callbacks, self._routed("callbacks"))
        data, validation = self._check_request_data(request, reset=not continues)
        present = self._settings if continues else {}
        settings = self._make_settings(data, validation, present)
        self._take_settings(settings, continues)
        checkpoint = None
        if self.checkpoint is not None and not request.is_partial:
            checkpoint = self._open_checkpoint(data, validation, continues)
        seed = draw_seed(self.random_state)
        self._seed = checkpoint.start(seed) if checkpoint else seed
        with borrow(self._recipe(self.distribute)) as program:
            training, validation = self._subsets(program, data, validation)
            first = self._first_state(program, request, continues)
            program.load(first.weights)
            self._exact_lengths = program.padding.in_training(training, validation)
            self.batch_size_ = self._pick_batch_size(training)
            plan = self._plan(request, first, validation)
            run = Run(
                program,
                optimizer,
                plan,
                training,
                validation,
                callbacks=callbacks,
                checkpoint=checkpoint,
                score=self._validation_score,
                judge=self._validation_loss,
            )
            for state in run.states(first):
                yield run, state

    def _adopt(self, state: TrainingState) -> None:
        """Hold what training has come to."""
        self._weights = state.result()
        self._resume_weights = state.resume_weights()
        self._optimizer_state = state.optimizer_state
        self.history_ = state.history
        self.n_iter_ = state.epoch

    def _take_over(self, draft, run: Run) -> None:
        """Become a draft, once it has concluded; if interrupted, from few sequences."""
        draft.callbacks_ = run.callbacks
        try:
            draft._conclude(run.training, run.validation)
        except KeyboardInterrupt as interrupt:
            few = (s and s.first(BATCH_ROWS) for s in (run.training, run.validation))
            draft._conclude(*few)
            self.__dict__ = vars(draft)
            interrupt.add_note(self._note_on_interruption())
            raise
        self.__dict__ = vars(draft)

    def _note_on_interruption(self) -> str:
        return (
            f"This {type(self).__name__} can be used: it is fitted with the last full "
            f"epoch, {self.n_iter_}."
        )

    def _check_request(self, request: FitRequest) -> None:
        self._check_parameters()
        check_steps(self.preprocess)
        if request.is_partial and self.early_stopping:
            raise ValueError(
                f"{type(self).__name__}.partial_fit trains for one epoch, so it cannot "
                "stop early. Set early_stopping=False, or use fit."
            )

    def _make_optimizer(self) -> keras.optimizers.Optimizer:
        return make_optimizer(
            self.optimizer,
            self.learning_rate,
            self._optimizer_parameters(),
            self.global_clipnorm,
            default_rate=default_of(type(self), "learning_rate"),
        )

    def _check_request_data(self, request: FitRequest, *, reset) -> tuple:
        """Check what to train on, and what to validate with, if that is given."""
        X, y, weights = request.X, request.y, request.sample_weight
        data = self._check_data(X, y, weights, reset=reset, **request.options)
        data = self._weigh(data, request.is_partial)
        if request.X_val is None and request.y_val is None:
            return data, None
        if request.X_val is None:
            raise ValueError("y_val was given without X_val.")
        try:
            held = self._check_data(request.X_val, request.y_val, None, reset=False)
            return data, self._weigh(held, False)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            where = "X_val" if request.y_val is None else "X_val and y_val"
            raise kind(f"In {where}: {error}") from error

    def _take_settings(self, settings: dict, continues: bool) -> None:
        """Settle what the network is like; one that is trained already stays."""
        if continues and settings != self._settings:
            before, now = as_written(self._settings), as_written(settings)
            changes = "; ".join(
                f"{name} was {before.get(name, 'unset')} and is "
                f"{now.get(name, 'unset')}"
                for name in {**before, **now}
                if before.get(name) != now.get(name)
            )
            raise ValueError(
                f"Training cannot continue with another network: {changes}. Set it "
                "back, or train again by fit with warm_start=False."
            )
        self._settings = settings

    def _recipe(self, strategy=None) -> Recipe:
        """The program for the present settings."""
        settings = tuple(self._settings.items())
        return Recipe(self._network, settings, self._make_losses(), strategy)

    def _subsets(self, program, data, validation) -> tuple[Subset, Subset | None]:
        """What to train on and what to validate with."""
        self._prepare(program, data)
        rows = self._trainable_rows(data)
        if validation is not None:
            self._prepare(program, validation)
            valid_rows = self._trainable_rows(validation)
            return Subset(data, rows), Subset(validation, valid_rows)
        if not self._holds_out:
            return Subset(data, rows), None
        is_few = len(rows) < len(data.lengths)
        kept, held_out = hold_out(
            rows,
            self.validation_fraction,
            self._seed,
            type(self).__name__,
            is_few,
            self._classes_of(data),
        )
        return Subset(data, kept), Subset(data, held_out)

    def _first_state(self, program, request, continues) -> TrainingState:
        """Fresh weights, the present ones, or all that `partial_fit` left."""
        if not continues:
            return TrainingState(0, self._initial_weights(program), None)
        if not request.is_partial:  # warm_start: another fit, from these weights
            return TrainingState(0, self._weights, None)
        weights, history = self._resume_weights, dict(self.history_)
        state = self._optimizer_state
        return TrainingState(self.n_iter_, weights, state, history=history)

    def _plan(self, request, first, validation) -> TrainingPlan:
        stops_early = self.early_stopping and validation is not None
        return TrainingPlan(
            epochs=first.epoch + (1 if request.is_partial else self.epochs),
            batch_size=self.batch_size_,
            shuffle=self.shuffle,
            seed=self._seed,
            schedule=self._schedule(request),
            patience=self.n_iter_no_change if stops_early else None,
            verbose=int(self.verbose),
            exact_lengths=self._exact_lengths,
            monitor=self._monitor,
        )

    def _pick_batch_size(self, training) -> int:
        auto = self.batch_size == "auto"
        return pick_batch_size(len(training.rows)) if auto else int(self.batch_size)

    def _schedule(self, request) -> str:
        """How the learning rate changes; that of a user's own optimizer does not."""
        is_own = not isinstance(self.optimizer, (str, type))
        is_constant = request.is_partial or is_own
        return "constant" if is_constant else self.learning_rate_schedule

    def _open_checkpoint(self, data, validation, continues) -> Checkpoint:
        params = self.get_params()
        free = NOT_IN_ORIGIN | self._prediction_parameters
        origin = {n: describe(v) for n, v in params.items() if n not in free}
        loose = {"callbacks": origin.pop("callbacks", "None"), **conditions()}
        origin["estimator"] = type(self).__name__
        origin["data"] = data.fingerprint()
        if validation is not None:
            origin["validation data"] = validation.fingerprint()
        if self.learning_rate_schedule != "constant":
            origin["epochs"] = self.epochs  # what the rate of each step depends on
        if continues:
            origin["first weights"] = fingerprint_arrays(self._weights)
        return Checkpoint(self.checkpoint, origin, loose, self.epochs)

    # -- using --------------------------------------------------------------------

    def _map(
        self, data, read, run=Program.infer, *, check=None, n_rows=INFERENCE_ROWS
    ) -> list:
        """Run the network over checked data; one result per sequence, in its order.

        `run(program, batch)` gives arrays of one row per sequence, and
        `read(rows, *arrays)` makes one result of each row. `check(data)` may refuse
        the data once it is prepared. Where the network keeps rows independent, other
        sequences change no bit of a result; elsewhere their number may, the last bit.
        """
        check_parameters(self, {"batch_size": BATCH_SIZE})
        with borrow(self._recipe(), self._weights) as program:
            self._prepare(program, data)
            if check is not None:
                check(data)
            return self._map_batches(program, data, read, run, n_rows)

    def _map_batches(self, program, data, read, run, n_rows) -> list:
        """What `_map` does once it has a program and prepared data."""
        results = [None] * len(data.lengths)
        size = BATCH_ROWS if self.batch_size == "auto" else int(self.batch_size)
        lengths = lengths_of(data)
        exact = self._exact_lengths or program.padding.in_prediction(lengths)
        for batch in prediction_batches(lengths, size, n_rows, exact=exact):
            arrays = data.assemble(batch)
            if not program.rows_are_independent:
                arrays = whole_tiles(arrays, lengths[batch])
            outputs = run(program, arrays)
            found = read(batch, *(output[: len(batch)] for output in outputs))
            for row, result in zip(batch, found, strict=True):
                results[row] = result
        return results

    # -- keeping ------------------------------------------------------------------

    def save(self, path):
        """Write the fitted estimator to one file, atomically.

        The file holds plain values and weights, no code: see :func:`skseq.load`. The
        optimizer's state and `callbacks_` are not kept, so a later `partial_fit` starts
        the optimizer afresh; neither is `checkpoint`, so that a file never says where
        to write.

        Parameters
        ----------
        path : str or path-like
            Where to write; an existing file is replaced.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If a parameter is not a plain value, for example a callable, or if the
            estimator is of a subclass. Such an estimator can be pickled.
        """
        check_is_fitted(self)
        saving.save(self, path)

    def _warm(self) -> None:
        """Compile what the first prediction would; what fails, that one explains."""
        with suppress(ValueError):
            self._try_example()

    def _complete(self) -> None:
        """Get ready to be kept: learn what a file must not leave to be looked up."""

    def _check_restored(self) -> None:
        """Check what was read from a file: all that does not depend on the weights."""
        for name, allowed in self._fitted.items():
            if not accepts(getattr(self, name, MISSING), allowed):
                raise ValueError(f"its {name} must be {listed(allowed)}")
        self._check_parameters()
        check_steps(self.preprocess, is_read=True)
        if self.callbacks:
            raise ValueError("its callbacks must be None or empty")
        check_history(self.history_, self.n_iter_)
        constraints = {**CONSTRAINTS, **self._constraints}
        for name, value in self._settings.items():
            if name in constraints:
                check_value("its network", name, value, constraints[name])
        check_sizes(self._settings)
        inspect.signature(self._network).bind(**self._settings)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_weights")
