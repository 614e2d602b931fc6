"""Keras callbacks around the training loop.

Turns whatever a user gave as `callbacks` into fresh Keras callbacks and calls them as
`keras.Model.fit` would, so that schedules, loggers and early stopping work unchanged.
"""

import copy
import inspect

import keras
import numpy as np

from skseq._engine.state import check_weights, weights_of

NUMBERS = (bool, int, float, np.ndarray, np.number, np.bool)


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
    try:
        return copy.deepcopy(callback, {id(callback.model): None})
    except TypeError as error:
        raise TypeError(
            f"The callback {callback!r} cannot be copied: {error}. Give its class, and "
            "its parameters as callbacks__<name>."
        ) from error


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
        are of the kind they were: for all else a fresh one has no room.
        """
        return [
            {n: vars(c)[n] for n in fresh if _fits(vars(c).get(n, ""), fresh[n])}
            for c, fresh in zip(self._callbacks, self._fresh, strict=True)
        ]

    def restore(self, state: list[dict] | None) -> None:
        """Give back what `state` returned, in a run that resumes.

        The state may come from a file that is not to be trusted: only data that a
        fresh callback has room for are taken, never a text, a path or a parameter.
        """
        if state is None:
            return
        if not isinstance(state, list) or len(state) != len(self._callbacks):
            raise ValueError(f"it holds no state for {len(self._callbacks)} callbacks")
        for callback, values in zip(self._callbacks, state, strict=True):
            self._check(callback, values)
        for callback, values in zip(self._callbacks, state, strict=True):
            vars(callback).update(values)

    def _check(self, callback, values) -> None:
        names = _own_names(callback) if isinstance(values, dict) else ()
        for name, value in dict(values).items():
            present = vars(callback).get(name)
            if name not in names or not _fits(value, present):
                kind = type(callback).__name__
                raise ValueError(f"{kind} has no room for its {name!r}")
            if "weights" in name and isinstance(value, list):
                check_weights(value, weights_of(self._model), name)


def _own_names(callback) -> list[str]:
    """Attributes that hold what a callback has gathered: all but its parameters."""
    parameters = inspect.signature(type(callback).__init__).parameters
    others = {"params", "validation_data", *parameters}
    return [name for name in vars(callback) if name.lstrip("_") not in others]


def _is_data(value) -> bool:
    """Whether a value is None, a number or an array, or lists or dicts of these."""
    if isinstance(value, dict):
        has_names = all(isinstance(name, str) for name in value)
        return has_names and all(map(_is_data, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_data, value))
    return value is None or isinstance(value, NUMBERS)


def _fits(value, present) -> bool:
    """Whether data are of the kind that an attribute of a fresh callback holds."""
    if not _is_data(value) or present is None:
        return _is_data(value)
    if isinstance(value, dict) and isinstance(present, dict):
        return all(_fits(value[n], present[n]) for n in value.keys() & present.keys())
    kinds = ((list, tuple), NUMBERS)
    return any(isinstance(value, k) and isinstance(present, k) for k in kinds)
