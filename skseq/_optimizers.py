"""Builds a fresh Keras optimizer from whatever a user gave as one.

An instance is rebuilt from its config and never used itself, so fitting leaves the
parameter as it was and two fits never share an optimizer's state.
"""

import difflib
import inspect

import keras

OPTIMIZERS = {
    name.lower(): value
    for name, value in vars(keras.optimizers).items()
    if inspect.isclass(value)
    and issubclass(value, keras.optimizers.Optimizer)
    and value not in (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer)
}
DEFAULT_LEARNING_RATE = 1e-3


def make_optimizer(optimizer, learning_rate=DEFAULT_LEARNING_RATE, routed=None):
    """Return a new optimizer with routed parameters over its own.

    `learning_rate` serves an optimizer given by name, class or factory; an instance or
    a config brings its own, which `optimizer__learning_rate` can replace.
    """
    routed = dict(routed or {})
    if isinstance(optimizer, str):
        optimizer = _by_name(optimizer)
    if isinstance(optimizer, dict):
        optimizer = keras.optimizers.deserialize(optimizer)
    if isinstance(optimizer, keras.optimizers.Optimizer):
        _refuse_second_learning_rate(optimizer, learning_rate)
        _check_names(type(optimizer), routed)
        return type(optimizer).from_config({**optimizer.get_config(), **routed})
    if not callable(optimizer):
        raise ValueError(
            "The 'optimizer' parameter must be a Keras optimizer's name, class, config "
            f"or instance. Got {optimizer!r} instead."
        )
    _check_names(optimizer, routed)
    made = optimizer(**{"learning_rate": learning_rate, **routed})
    if not isinstance(made, keras.optimizers.Optimizer):
        raise TypeError(
            "optimizer must make a keras.optimizers.Optimizer. "
            f"{optimizer!r} made {made!r} instead."
        )
    return made


def optimizer_key(optimizer) -> tuple:
    """Identify all that is traced into a step: all but a plain learning rate."""
    config = optimizer.get_config()
    if plain_learning_rate(optimizer) is not None:
        del config["learning_rate"]
    return type(optimizer), repr(sorted(config.items()))


def plain_learning_rate(optimizer) -> float | None:
    """The optimizer's learning rate, or None where it follows a schedule."""
    rate = optimizer.get_config()["learning_rate"]
    return rate if isinstance(rate, float) else None


def _by_name(name):
    if name.lower() not in OPTIMIZERS:
        near = difflib.get_close_matches(name.lower(), OPTIMIZERS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            "The 'optimizer' parameter must be a str among "
            f"{sorted(OPTIMIZERS)}. Got {name!r} instead.{hint}"
        )
    return OPTIMIZERS[name.lower()]


def _refuse_second_learning_rate(optimizer, learning_rate):
    if learning_rate != DEFAULT_LEARNING_RATE:
        raise ValueError(
            f"learning_rate={learning_rate!r} has no effect: optimizer={optimizer!r} "
            "brings its own. Set optimizer__learning_rate, or give the optimizer by "
            "name."
        )


def _check_names(factory, routed):
    parameters = inspect.signature(factory).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if takes_any and not inspect.isclass(factory):
        return
    names = {n for n, p in parameters.items() if p.kind is not p.VAR_KEYWORD}
    for name in sorted(set(routed) - names):
        raise ValueError(
            f"Invalid parameter {name!r} for optimizer {factory.__name__}. "
            f"Valid parameters are {sorted(names)}."
        )
