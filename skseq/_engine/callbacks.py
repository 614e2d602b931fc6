"""Keras callbacks around the training loop.

Turns whatever a user gave as `callbacks` into fresh Keras callbacks and calls them as
`keras.Model.fit` would, so that schedules, loggers and early stopping work unchanged.
"""

import copy
import inspect

import keras
import numpy as np

PLAIN = (bool, int, float, str, type(None), np.ndarray, np.generic)


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
                f"callbacks__{name} has no callback to go to: callbacks holds "
                f"{n_callbacks}."
            )


class CallbackRunner:
    """Calls callbacks at the loop's events, with the network and optimizer they expect.

    The network is lent for the time of training only: what it is given for the
    callbacks' sake is taken off at the end.
    """

    def __init__(self, callbacks, model, optimizer, plan):
        self._callbacks = callbacks or []
        self._model, self._optimizer = model, optimizer
        self._epoch_logs = {}
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

    @property
    def wants_to_stop(self) -> bool:
        return bool(self._model.stop_training)

    def tell(self, event: str, *details) -> None:
        """Call a method of all callbacks, for example `tell("on_epoch_begin", 3)`."""
        if self._callbacks:
            getattr(self._list, event)(*details)

    def end_epoch(self, epoch, logs) -> dict:
        """Let callbacks act on the epoch; they may add to its logs."""
        self._epoch_logs = logs
        self.tell("on_epoch_end", epoch, logs)
        return {n: float(v) for n, v in self._epoch_logs.items() if v is not None}

    def _keep_logs(self, epoch, logs):
        self._epoch_logs = logs

    def state(self) -> list[dict]:
        """The callbacks' attributes that are plain values or arrays."""
        return [
            {n: v for n, v in vars(c).items() if n != "params" and _is_plain(v)}
            for c in self._callbacks
        ]

    def restore(self, state: list[dict] | None) -> None:
        """Give back what `state` returned, in a run that resumes."""
        for callback, values in zip(self._callbacks, state or [], strict=False):
            vars(callback).update(values)


def _is_plain(value) -> bool:
    if isinstance(value, dict):
        value = [*value.values(), *(n for n in value if not isinstance(n, str))]
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)
