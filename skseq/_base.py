"""The order of events that all estimators share: check, build, train, adopt.

`SequenceEstimator` owns routing of parameters, transactional fitting, the borrowed
program and persistence. What the sequences mean is each estimator's own.
"""

import copy
import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from types import SimpleNamespace
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skseq._data.batching import full_batches
from skseq._data.fingerprints import describe, fingerprint_arrays
from skseq._engine import saving as _saving
from skseq._engine.callbacks import make_callbacks
from skseq._engine.checkpoint import Checkpoint
from skseq._engine.optimizers import make_optimizer, plain_learning_rate
from skseq._engine.programs import Program, Recipe, borrow
from skseq._engine.state import Part, TrainingPlan, TrainingState
from skseq._engine.training import train
from skseq._nn.layers import CELLS
from skseq._parameters import (
    BOOLEAN,
    FRACTION,
    NON_NEGATIVE_INT,
    NONE,
    POSITIVE_INT,
    POSITIVE_INTS,
    POSITIVE_REAL,
    PROBABILITY,
    RANDOM_STATE,
    VERBOSE,
    Kind,
    OneOf,
    check_parameters,
    did_you_mean,
    instance_of,
)
from skseq._seeding import draw_seed, generator
from skseq._version import __version__

# Measured: with more, what a recurrence writes for them outgrows the cache.
INFERENCE_ROWS = 64

ROUTES = ("optimizer", "callbacks", "encoder")


def _is_path(value) -> bool:
    """Whether the system could have a file of that name."""
    if not isinstance(value, str) and not hasattr(value, "__fspath__"):
        return False
    try:
        encoded = os.fsencode(value)
    except (TypeError, UnicodeEncodeError):
        return False
    return bool(encoded) and b"\0" not in encoded


PATH = Kind(_is_path, "a path")

SHARED_CONSTRAINTS = {
    "units": POSITIVE_INTS,
    "cell": OneOf(CELLS),
    "bidirectional": BOOLEAN,
    "dropout": PROBABILITY,
    "learning_rate": (
        POSITIVE_REAL,
        instance_of(keras.optimizers.schedules.LearningRateSchedule),
    ),
    "global_clipnorm": (NONE, POSITIVE_REAL),
    "epochs": POSITIVE_INT,
    "batch_size": POSITIVE_INT,
    "shuffle": BOOLEAN,
    "early_stopping": BOOLEAN,
    "validation_fraction": FRACTION,
    "n_iter_no_change": POSITIVE_INT,
    "checkpoint": (NONE, PATH),
    "distribute": (NONE, instance_of(tf.distribute.Strategy)),
    "warm_start": BOOLEAN,
    "random_state": RANDOM_STATE,
    "verbose": VERBOSE,
}

RESTORED_CONSTRAINTS = {
    "n_iter_": POSITIVE_INT,
    "history_": instance_of(dict),
    "_seed": NON_NEGATIVE_INT,
    "_settings": instance_of(dict),
    "_exact_lengths": BOOLEAN,
}

# What can change without changing the outcome of a fit that resumes.
NOT_IN_ORIGIN = {"epochs", "verbose", "checkpoint", "distribute"}

# Stands for devices of this process: copies share it, files leave it out.
NOT_PORTABLE = {"distribute"}

# Grows when a pickle of the former state would be misread.
STATE_FORMAT = 1


class SequenceEstimator(BaseEstimator, ABC):
    """Base of all estimators. Its fitted state is parameters and plain arrays.

    An estimator gives: `_constraints`, its own parameters' constraints; `_monitor`,
    what early stopping looks at, and `_validation_score(program, part)` if that is a
    score; `_prediction_parameters`, those that the outcome of a fit does not depend on;
    `_fitted_attributes`, what `save` keeps; and the methods marked abstract.
    """

    _constraints: ClassVar[dict] = {}
    _monitor = "val_loss"
    _validation_score: Callable | None = None
    _prediction_parameters: frozenset = frozenset()
    _fitted_attributes: tuple = tuple(RESTORED_CONSTRAINTS)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # scikit-learn's checks take every name in a signature for a parameter, and
        # `routed` is none.
        _, *parameters = inspect.signature(cls.__init__).parameters.values()
        cls.__signature__ = inspect.Signature(
            [p for p in parameters if p.kind is not p.VAR_KEYWORD]
        )

    @abstractmethod
    def _check_data(self, X, y, sample_weight, *, reset):
        """Check and encode X and y; with reset, learn their form and vocabulary."""

    @abstractmethod
    def _make_settings(self) -> dict:
        """What the network is built from, of plain hashable values."""

    @abstractmethod
    def _make_recipe(self, settings: dict) -> Recipe:
        """The program for these settings."""

    @abstractmethod
    def _prepare(self, program, data) -> None:
        """Finish data by what the network does to it, its output lengths for one."""

    @abstractmethod
    def _trainable_rows(self, data) -> np.ndarray:
        """The rows of prepared data to learn from; raise or warn of others."""

    @abstractmethod
    def _initial_weights(self, program) -> list[np.ndarray]:
        """The weights that training from nothing starts with."""

    @staticmethod
    @abstractmethod
    def _weight_shapes(settings: dict) -> dict[str, tuple]:
        """Path and shape of every weight, in the network's order."""

    def _batches_exact_lengths(self, program) -> bool:
        """Whether this network may only see sequences of one length together."""
        return False

    # -- parameters ---------------------------------------------------------------

    def _set_routed(self, routed: dict) -> None:
        """Keep the constructor's routed parameters; refuse any other name."""
        for name, value in routed.items():
            if not _is_routed(name):
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument "
                    f"{name!r}. Parameters beyond its own start with one of "
                    f"{[f'{route}__' for route in ROUTES]}."
                    f"{did_you_mean(name, self._get_param_names())}"
                )
            setattr(self, name, value)

    def _routed(self, route: str) -> dict:
        """The parameters routed to one object, by their names there."""
        prefix = f"{route}__"
        return {
            name.removeprefix(prefix): value
            for name, value in vars(self).items()
            if name.startswith(prefix)
        }

    def get_params(self, deep=True):
        """Get the parameters, routed ones included.

        Parameters
        ----------
        deep : bool, default=True
            Kept for scikit-learn; no parameter is an estimator.

        Returns
        -------
        params : dict of str to object
            Parameter names and values.
        """
        routed = {n: v for n, v in vars(self).items() if _is_routed(n)}
        return {**super().get_params(deep=False), **routed}

    def set_params(self, **params):
        """Set parameters; a routed one (`optimizer__momentum`) need not exist yet.

        Parameters
        ----------
        **params : dict
            Parameter names and values.

        Returns
        -------
        self : estimator instance
            This estimator.
        """
        own = {name: v for name, v in params.items() if not _is_routed(name)}
        super().set_params(**own)
        for name in params.keys() - own.keys():
            setattr(self, name, params[name])
        return self

    def _portable_params(self) -> dict:
        """The parameters that mean the same in another process."""
        return {**self.get_params(), **dict.fromkeys(NOT_PORTABLE)}

    # -- fitting ------------------------------------------------------------------

    def _fit(self, *data, resume, epochs=None, **data_options):
        """Fit a draft of this estimator, and become it if that succeeds.

        An error leaves the estimator as it was; an interruption leaves it with the
        last full epoch, if there was one.
        """
        draft = copy.copy(self)
        n_adopted = 0
        try:
            for state in draft._learn(*data, resume, epochs, data_options):
                draft._adopt(state)
                n_adopted += 1
        except KeyboardInterrupt:
            if n_adopted:
                self._become(draft)
            raise
        self._become(draft)
        return self

    def _become(self, draft) -> None:
        draft._conclude(*vars(draft).pop("_learnt_from"))
        self.__dict__ = vars(draft)

    def _conclude(self, training: Part, validation: Part | None) -> None:
        """Learn what follows from the trained network, a threshold for one."""

    def _learn(self, X, y, sample_weight, X_val, y_val, resume, epochs, data_options):
        """Check everything, then train; yields the state after each epoch."""
        is_partial = epochs is not None
        self._check_parameters(is_partial)
        continues = resume and self.__sklearn_is_fitted__()
        optimizer = self._make_optimizer()
        callbacks = make_callbacks(self.callbacks, self._routed("callbacks"))
        data = self._check_data(
            X, y, sample_weight, reset=not continues, **data_options
        )
        validation = self._check_validation(X_val, y_val)
        self._take_settings(self._make_settings(), continues)
        checkpoint = None
        if self.checkpoint is not None and not is_partial:
            checkpoint = self._open_checkpoint(data, validation, continues)
        seed = draw_seed(self.random_state)
        self._seed = checkpoint.start(seed) if checkpoint else seed
        recipe = replace(self._make_recipe(self._settings), strategy=self.distribute)
        with _words_for_lack_of_memory(), borrow(recipe) as program:
            self._exact_lengths = self._batches_exact_lengths(program)
            training, validation = self._parts(program, data, validation)
            self._learnt_from = training, validation
            trainer = program.trainer(optimizer)
            first = self._first_state(program, trainer, continues, epochs)
            yield from train(
                program,
                trainer,
                self._plan(first, validation, epochs),
                (checkpoint and checkpoint.state) or first,
                training,
                validation,
                callbacks,
                checkpoint,
                self._validation_score,
            )

    def _check_parameters(self, is_partial: bool) -> None:
        check_parameters(self, {**SHARED_CONSTRAINTS, **self._constraints})
        if is_partial and self.early_stopping:
            raise ValueError(
                "partial_fit trains for one epoch, so it cannot stop early. Set "
                "early_stopping=False, or use fit."
            )

    def _make_optimizer(self) -> keras.optimizers.Optimizer:
        routed = self._optimizer_parameters()
        return make_optimizer(
            self.optimizer, self.learning_rate, routed, self.global_clipnorm
        )

    def _optimizer_parameters(self) -> dict:
        return self._routed("optimizer")

    def _check_validation(self, X_val, y_val):
        if X_val is None and y_val is None:
            return None
        if X_val is None:
            raise ValueError("y_val was given without X_val.")
        try:
            return self._check_data(X_val, y_val, None, reset=False)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"In X_val and y_val: {error}") from error

    def _take_settings(self, settings: dict, continues: bool) -> None:
        """Settle what the network is like; one that is trained already stays."""
        if continues and settings != self._settings:
            changes = "; ".join(
                f"{name} was {self._settings[name]!r} and is {value!r}"
                for name, value in settings.items()
                if value != self._settings[name]
            )
            raise ValueError(
                f"Training cannot go on with another network: {changes}. Set it back, "
                "or train anew by fit with warm_start=False."
            )
        self._settings = settings

    def _parts(self, program, data, validation) -> tuple[Part, Part | None]:
        """What to train on and what to validate with."""
        self._prepare(program, data)
        rows = self._trainable_rows(data)
        if validation is not None:
            self._prepare(program, validation)
            valid_rows = self._trainable_rows(validation)
            return Part(data, rows), Part(validation, valid_rows)
        if not self._holds_out:
            return Part(data, rows), None
        rng = generator(self._seed, "validation")
        rows = rng.permutation(rows)
        n_validation = round(self.validation_fraction * len(rows))
        if not 0 < n_validation < len(rows):
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {len(rows)} "
                f"sequences leaves {len(rows) - n_validation} to train on and "
                f"{n_validation} to validate with; both need at least one. Change "
                "validation_fraction or pass X_val and y_val."
            )
        return Part(data, rows[n_validation:]), Part(data, rows[:n_validation])

    @property
    def _holds_out(self) -> bool:
        """Whether a validation set is needed and, if none is given, set aside."""
        return self.early_stopping

    def _plan(self, first, validation, epochs) -> TrainingPlan:
        stops_early = self.early_stopping and validation is not None
        return TrainingPlan(
            epochs=first.epoch + (epochs or self.epochs),
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            seed=self._seed,
            patience=self.n_iter_no_change if stops_early else None,
            verbose=int(self.verbose),
            exact_lengths=self._exact_lengths,
            monitor=self._monitor,
        )

    def _first_state(self, program, trainer, continues, epochs) -> TrainingState:
        """Fresh weights, the present ones, or all that `partial_fit` left."""
        if not continues:
            return TrainingState(0, self._initial_weights(program), None)
        if epochs is None:  # warm_start: another fit, from these weights
            return TrainingState(0, self._weights, None)
        state = _continued(trainer, self._optimizer_state)
        weights = self._weights_to_go_on
        return TrainingState(self.n_iter_, weights, state, history=dict(self.history_))

    def _adopt(self, state: TrainingState) -> None:
        self._weights = state.result()
        self._weights_to_go_on = state.to_go_on()
        self._optimizer_state = state.optimizer_state
        self.history_ = state.history
        self.n_iter_ = state.epoch

    def _open_checkpoint(self, data, validation, continues) -> Checkpoint:
        params = self.get_params()
        free = NOT_IN_ORIGIN | self._prediction_parameters
        origin = {n: describe(v) for n, v in params.items() if n not in free}
        origin["estimator"] = type(self).__name__
        origin["data"] = data.fingerprint()
        if validation is not None:
            origin["validation data"] = validation.fingerprint()
        if continues:
            origin["first weights"] = fingerprint_arrays(self._weights)
        return Checkpoint(self.checkpoint, origin)

    # -- using --------------------------------------------------------------------

    def _check_restored(self) -> None:
        """Check what was read from a file: all that does not depend on the weights."""
        check_parameters(self, RESTORED_CONSTRAINTS)
        constraints = {**SHARED_CONSTRAINTS, **self._constraints}
        known = {n: c for n, c in constraints.items() if n in self._settings}
        check_parameters(SimpleNamespace(**self._settings), known)
        inspect.signature(self._make_recipe(self._settings).network).bind(
            **self._settings
        )

    def __getstate__(self):
        """What pickles hold; a strategy stands for devices, and does not travel."""
        state = {**super().__getstate__(), "_pickled_by": (STATE_FORMAT, __version__)}
        return state | dict.fromkeys(NOT_PORTABLE & state.keys())

    def __setstate__(self, state):
        state = dict(state)
        state_format, version = state.pop("_pickled_by")
        if state_format > STATE_FORMAT:
            raise ValueError(
                f"This {type(self).__name__} was pickled by skseq {version}, which "
                f"skseq {__version__} cannot read. Upgrade skseq to load it."
            )
        super().__setstate__(state)

    def __copy__(self):
        copied = type(self).__new__(type(self))
        copied.__dict__.update(vars(self))
        return copied

    def __deepcopy__(self, memo):
        copied = memo[id(self)] = copy.copy(self)
        shared = [vars(self)[name] for name in NOT_PORTABLE & vars(self).keys()]
        memo |= {id(value): value for value in shared}
        copied.__dict__ = copy.deepcopy(vars(self), memo)
        return copied

    def __sklearn_clone__(self):
        bare = copy.copy(self)
        for name in NOT_PORTABLE:
            setattr(bare, name, None)
        cloned = BaseEstimator.__sklearn_clone__(bare)
        return cloned.set_params(**{n: getattr(self, n) for n in NOT_PORTABLE})

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_weights")

    def _infer(
        self,
        data,
        compute=Program.infer,
        *,
        is_labelled=False,
        n_rows=INFERENCE_ROWS,
    ) -> Iterator[tuple]:
        """Run the network over checked data; yields rows and what is computed of them.

        `compute(program, batch)` may give more rows than were asked for: a batch that
        is too small is filled up. What the other sequences hold does not change a bit
        of a result; how many they are and where it stands among them may, the last.
        """
        check_parameters(self, {"batch_size": POSITIVE_INT})
        recipe = self._make_recipe(self._settings)
        with _words_for_lack_of_memory(), borrow(recipe, self._weights) as program:
            self._prepare(program, data)
            self._check_usable(data, is_labelled)
            for rows, batch in self._batches(data, n_rows):
                yield rows, compute(program, batch)

    def _batches(
        self, data, n_rows=INFERENCE_ROWS
    ) -> Iterator[tuple[np.ndarray, dict]]:
        """Cut data into batches of at least `batch_size` rows; yields indices too."""
        batches = full_batches(
            data.lengths, int(self.batch_size), n_rows, exact=self._exact_lengths
        )
        for batch, rows in batches:
            yield batch, data.assemble(rows)

    def _check_usable(self, data, is_labelled) -> None:
        """Refuse prepared data that the network gives no answer for."""

    @property
    def model_(self):
        """The inference network as a `keras.Model`, for `summary()` and plots.

        It is built anew from the fitted weights: changing it changes no prediction.
        """
        check_is_fitted(self)
        recipe = self._make_recipe(self._settings)
        model = recipe.network(**dict(recipe.settings))
        model.set_weights(self._weights)
        return model

    def save(self, path):
        """Write the fitted estimator to one file, atomically.

        The file holds plain values and weights, no code: see :func:`skseq.load`. The
        optimizer's state is not kept, so a later `partial_fit` starts it afresh.

        Parameters
        ----------
        path : str or path-like
            Where to write; an existing file is replaced.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If a parameter is no plain value, a callable for instance. Such an estimator
            can be pickled.
        """
        check_is_fitted(self)
        _saving.save(self, path)


@contextmanager
def _words_for_lack_of_memory() -> Iterator[None]:
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(
            "A batch of sequences does not fit in memory. Lower batch_size, or cut the "
            "longest sequences of X into pieces."
        ) from error


def _is_routed(name: str) -> bool:
    return name.partition("__")[0] in ROUTES and "__" in name


def _continued(trainer, state) -> list[np.ndarray] | None:
    """An optimizer's state as it was left, under its present learning rate."""
    if state is None or not trainer.accepts(state):
        return None
    learning_rate = plain_learning_rate(trainer.optimizer)
    trainer.set_state(state)
    if learning_rate is not None:
        trainer.optimizer.learning_rate = learning_rate
    return trainer.state()


def as_tuple(value, length=None) -> tuple[int, ...]:
    """An int as a tuple (repeated to a length), a list or tuple as it is."""
    if isinstance(value, Integral):
        value = (value,) * (1 if length is None else length)
    return tuple(int(item) for item in value)
