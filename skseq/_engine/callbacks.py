"""Keras callbacks around the training loop.

Turns whatever a user gave as `callbacks` into fresh Keras callbacks and calls them as
`keras.Model.fit` would, so that schedules, loggers and early stopping work unchanged.
"""

import copy
import inspect

import keras
import numpy as np

from skseq._engine.state import check_weights, weights_of
from skseq._warnings import warn
from skseq._wording import counted

NUMBERS = (bool, int, float, np.number, np.bool)


def make_callbacks(callbacks, routed=None) -> list[keras.callbacks.Callback]:
    """Return fresh callbacks: classes are made, instances copied and never used.

    `routed` parameters go to every class, or to the one at a position ("0__patience").
    """
    if callbacks is None:
        callbacks = []
    elif not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    routed = dict(routed or {})
    made = [_make_callback(c, _own(routed, i)) for i, c in enumerate(callbacks)]
    _check_all_used(routed, len(made))
    return made


def _make_callback(callback, parameters):
    if inspect.isclass(callback) and issubclass(callback, keras.callbacks.Callback):
        try:
            return callback(**parameters)
        except TypeError as error:
            raise ValueError(f"callbacks__*: {callback.__name__}: {error}") from error
    if not isinstance(callback, keras.callbacks.Callback):
        raise TypeError(
            "callbacks must be keras.callbacks.Callback instances or classes. "
            f"Got {callback!r} instead."
        )
    if parameters:
        raise ValueError(
            f"callbacks__{next(iter(parameters))} needs a callback given as a class. "
            f"Got the instance {callback!r} instead."
        )
    return _copied(callback)


def _copied(callback):
    """A copy without the network that an earlier `fit` of Keras left in it."""
    shared = {id(value): value for value in vars(callback).values() if _is_trial(value)}
    try:
        return copy.deepcopy(callback, {id(callback.model): None, **shared})
    except TypeError as error:
        raise TypeError(
            f"The callback {callback!r} cannot be copied: {error}. Give its class, and "
            "its parameters as callbacks__<name>."
        ) from error


def _is_trial(value) -> bool:
    """Whether a value stands for a trial of Optuna's: no study listens to a copy."""
    return hasattr(value, "should_prune") and hasattr(value, "report")


def _own(routed, position) -> dict:
    """The parameters meant for one position: its own, and those without a position."""
    own = {name: value for name, value in routed.items() if "__" not in name}
    prefix = f"{position}__"
    mine = {
        n.removeprefix(prefix): v for n, v in routed.items() if n.startswith(prefix)
    }
    return {**own, **mine}


def _check_all_used(routed, n_callbacks):
    positions = {str(i) for i in range(n_callbacks)}
    for name in routed:
        if n_callbacks == 0 or ("__" in name and name.split("__")[0] not in positions):
            raise ValueError(
                f"callbacks__{name} matches no callback: callbacks holds "
                f"{n_callbacks}. Add one, or remove the parameter."
            )


class CallbackRunner:
    """Calls callbacks at the loop's events, with the network and optimizer they expect.

    The network is lent for the time of training only: at the end, what it is given for
    the callbacks' sake is taken off, and callbacks let go of it.
    """

    def __init__(self, callbacks, model, optimizer, plan):
        self._callbacks = callbacks or []
        self._model, self._optimizer = model, optimizer
        self._epoch_logs = {}
        self._fresh = [{} for _ in self._callbacks]  # what each starts to gather from
        self._at_start = [{} for _ in self._callbacks]  # all plain values, as text
        self._has_warned = False
        # Callbacks share a copy of the logs, which the last of them sees complete.
        last = keras.callbacks.LambdaCallback(on_epoch_end=self._keep_logs)
        self._list = keras.callbacks.CallbackList(
            [*self._callbacks, last], add_history=False, add_progbar=False, model=model
        )
        self._list.set_params({"epochs": plan.epochs, "verbose": 0, "steps": None})

    def __enter__(self):
        self._model.stop_training = False
        if self._callbacks:
            self._model.optimizer = self._optimizer
        return self

    def __exit__(self, *exception):
        self._model.optimizer = None
        for callback in self._callbacks:
            for name, value in vars(callback).items():
                if value is self._model or value is self._optimizer:
                    vars(callback)[name] = None

    @property
    def wants_to_stop(self) -> bool:
        return bool(self._model.stop_training)

    def tell(self, event: str, *details) -> None:
        """Call a method of all callbacks, for example `tell("on_epoch_begin", 3)`."""
        if self._callbacks:
            getattr(self._list, event)(*details)
        if event == "on_train_begin":
            self._fresh = [
                {name: vars(callback)[name] for name in _own_names(callback)}
                for callback in self._callbacks
            ]
            self._at_start = list(map(_simple_values, self._callbacks))

    def end_epoch(self, epoch, logs) -> dict:
        """Let callbacks act on the epoch; they may add to its logs."""
        self._epoch_logs = logs
        self.tell("on_epoch_end", epoch, logs)
        return {n: float(v) for n, v in self._epoch_logs.items() if v is not None}

    def _keep_logs(self, epoch, logs):
        self._epoch_logs = logs

    def state(self) -> list[dict]:
        """The numbers and arrays that each callback has gathered.

        Only attributes that a callback has from the start of training count, while they
        are of the kind they were: for all else a fresh one has no room. Where that
        loses something, a warning says so once.
        """
        state = [
            {n: vars(c)[n] for n in fresh if _fits(vars(c).get(n, ""), fresh[n])}
            for c, fresh in zip(self._callbacks, self._fresh, strict=True)
        ]
        if not self._has_warned:
            self._warn_of_lost(state)
        return state

    def _warn_of_lost(self, state) -> None:
        """Warn where a callback of the user's has changed what cannot be resumed."""
        for callback, kept, before in zip(
            self._callbacks, state, self._at_start, strict=True
        ):
            name = _changed(callback, kept, before)
            if name is not None:
                self._has_warned = True
                warn(
                    f"{type(callback).__name__} has changed its {name!r}, which a "
                    "checkpoint does not keep, so that a fit that resumes may differ "
                    "from an unbroken one. Kept are numbers, arrays, and lists and "
                    "dicts of these, in attributes that __init__ or on_train_begin "
                    "sets and that are not parameters of the constructor."
                )

    def restore(self, state: list[dict] | None) -> None:
        """Give back what `state` returned, in a run that resumes.

        The state may come from a file that is not to be trusted: only data that a
        fresh callback has room for are taken, never a text, a path or a parameter.
        """
        if state is None:
            return
        if not isinstance(state, list) or len(state) != len(self._callbacks):
            expected = counted(len(self._callbacks), "callback")
            raise ValueError(f"it holds no state for {expected}")
        for callback, values in zip(self._callbacks, state, strict=True):
            self._check(callback, values)
        for callback, values in zip(self._callbacks, state, strict=True):
            vars(callback).update(values)

    def _check(self, callback, values) -> None:
        names = _own_names(callback) if isinstance(values, dict) else ()
        for name, value in dict(values).items():
            present = vars(callback).get(name)
            has_room = name in names and _fits(value, present)
            if _is_of_keras(callback):
                has_room &= _is_for_keras(name, value, present)
            if not has_room:
                kind = type(callback).__name__
                raise ValueError(f"{kind} has no room for its {name!r}")
            if "weights" in name and value is not None:
                if not isinstance(value, list):
                    raise ValueError(f"its {name} are not a list of arrays")
                check_weights(value, weights_of(self._model), name)


def _own_names(callback) -> list[str]:
    """Attributes that hold what a callback has gathered: all but its parameters."""
    others = {"params", "validation_data", *_parameters(callback)}
    return [name for name in vars(callback) if name.lstrip("_") not in others]


def _parameters(callback) -> set[str]:
    """The parameters of all its constructors: one may hand on what it does not name."""
    constructors = [c.__init__ for c in type(callback).__mro__ if "__init__" in vars(c)]
    return {name for c in constructors[:-1] for name in inspect.signature(c).parameters}


def _is_of_keras(callback) -> bool:
    return type(callback).__module__.split(".")[0] == "keras"


def _is_for_keras(name, value, present) -> bool:
    """Whether a callback of Keras's can count on from a value.

    Its numbers stay numbers, and None becomes a number or the best weights.
    """
    if present is not None:
        return _kind(value) == _kind(present) and _is_in_range(value)
    kind = "list" if "weights" in name else "number"
    return value is None or (_kind(value) == kind and _is_in_range(value))


def _is_in_range(value) -> bool:
    """Whether a number can be compared with a loss, as a tensor beside it."""
    if isinstance(value, int):
        return abs(value) < 2**63
    most = float(np.finfo("float32").max)
    return not isinstance(value, float) or not np.isfinite(value) or abs(value) <= most


def _simple_values(callback, without=()) -> dict[str, str]:
    """What a callback of the user's own holds that could be told to have changed."""
    if _is_of_keras(callback):  # whose files are not data
        return {}
    simple = (str, set, frozenset, *NUMBERS, np.ndarray, list, tuple, dict, type(None))
    return {
        name: repr(value)
        for name, value in vars(callback).items()
        if isinstance(value, simple) and name not in {"params", "_model", *without}
    }


def _changed(callback, kept: dict, before: dict[str, str]) -> str | None:
    """The first plain attribute that has changed and is not among those kept."""
    now = _simple_values(callback, kept)
    return next((name for name in now if before.get(name) != now[name]), None)


def _kind(value) -> str | None:
    """What data a value is: a number, a list or a dict, or None for all else."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return "list" if value.ndim else "number"
    if isinstance(value, NUMBERS):
        return "number"
    if isinstance(value, (list, tuple)):
        return "list" if all(map(_is_data, value)) else None
    if isinstance(value, dict):
        has_names = all(isinstance(name, (str, int, float)) for name in value)
        return "dict" if has_names and all(map(_is_data, value.values())) else None
    return None


def _is_data(value) -> bool:
    """Whether a value is None, a number or an array, or lists or dicts of these."""
    return value is None or _kind(value) is not None


def _fits(value, present) -> bool:
    """Whether data are of the kind that an attribute of a fresh callback holds.

    A sum that starts as a number may have become one of arrays.
    """
    if not _is_data(value) or present is None:
        return _is_data(value)
    if isinstance(value, dict) and isinstance(present, dict):
        return all(_fits(value[n], present[n]) for n in value.keys() & present.keys())
    sums = isinstance(value, np.ndarray) and _kind(present) == "number"
    return sums or _kind(value) == _kind(present)
