"""Builds a fresh Keras optimizer from whatever a user gave as one.

An instance is rebuilt from its config and never used itself, so fitting leaves the
parameter as it was and two fits never share an optimizer's state.
"""

import copy
import inspect
from numbers import Real

import keras
import numpy as np

from skseq._engine.adam import Adam
from skseq._parameters import (
    NON_NEGATIVE_REAL,
    NONE,
    POSITIVE_REAL,
    Interval,
    OneOf,
    check_value,
    instance_of,
)
from skseq._routing import suggestion

# These are given other optimizers, so a name is not enough to make one.
WRAPPERS = (keras.optimizers.LossScaleOptimizer, keras.optimizers.MultiOptimizer)

OPTIMIZERS = {
    name.lower(): value
    for name, value in vars(keras.optimizers).items()
    if inspect.isclass(value)
    and issubclass(value, keras.optimizers.Optimizer)
    and value not in (keras.optimizers.Optimizer, *WRAPPERS)
}
DEFAULT_LEARNING_RATE = 2e-3
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")

# What single precision holds.
POSITIVE_SINGLE = Interval(float, 0, float(np.finfo(np.float32).max), closed="right")

# What Keras takes unseen and stumbles over in the first step.
ROUTED_CONSTRAINTS = {
    "learning_rate": (
        POSITIVE_REAL,
        instance_of(keras.optimizers.schedules.LearningRateSchedule),
    ),
    "weight_decay": (NON_NEGATIVE_REAL, NONE),
    "clipnorm": (POSITIVE_SINGLE, NONE),
    "clipvalue": (POSITIVE_SINGLE, NONE),
    "global_clipnorm": (POSITIVE_SINGLE, NONE),
    "loss_scale_factor": (POSITIVE_SINGLE, NONE),
}


def make_optimizer(
    optimizer,
    learning_rate=DEFAULT_LEARNING_RATE,
    routed=None,
    global_clipnorm=None,
    *,
    default_rate=DEFAULT_LEARNING_RATE,
):
    """Return a new optimizer with routed parameters over its own.

    `learning_rate` and `global_clipnorm` serve an optimizer given by name or class; an
    instance or a config brings its own, which routed parameters can replace. Beside it
    a `learning_rate` other than `default_rate`, which nobody has set, is refused.
    """
    routed = {name: _plain(name, value) for name, value in (routed or {}).items()}
    learning_rate = _plain("learning_rate", learning_rate)
    if isinstance(optimizer, str):
        optimizer = _by_name(optimizer)
    if isinstance(optimizer, dict):
        optimizer = _from_config(optimizer)
    if isinstance(optimizer, keras.optimizers.Optimizer):
        _refuse_second_learning_rate(optimizer, learning_rate, default_rate)
        _check_names(type(optimizer), routed)
        config = {**optimizer.get_config(), **routed}
        return _made(_fastest(type(optimizer)).from_config, routed, config)
    if not _is_optimizer_class(optimizer):
        error = TypeError if callable(optimizer) else ValueError
        raise error(
            "The 'optimizer' parameter must be a Keras optimizer's name, class, config "
            f"or instance. Got {optimizer!r} instead."
        )
    _check_names(optimizer, routed)
    made = _made(_fastest(optimizer), routed, learning_rate=learning_rate)
    if not any(name in routed or getattr(made, name) for name in CLIPPING):
        # Not as an argument, which a user's class may not take.
        made.global_clipnorm = _plain("global_clipnorm", global_clipnorm)
    return made


def check_plain_optimizer(optimizer, routed: dict) -> None:
    """Check the optimizer that a file gives, by a name or a config, and make none.

    Making one runs TensorFlow, after which a process cannot fork.
    """
    if isinstance(optimizer, str):
        _check_names(_by_name(optimizer), routed)
    elif not isinstance(optimizer, dict):
        raise ValueError(f"its optimizer is {optimizer!r}, not a name or a config")


def _plain(name, value):
    """The same as a plain float, where Keras takes no other kind of number."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return float(value) if is_number and name in ROUTED_CONSTRAINTS else value


def _made(make, routed, *config, **own):
    """Call what makes an optimizer, with routed parameters over its own."""
    try:
        return make(*config) if config else make(**{**own, **routed})
    except (TypeError, ValueError) as error:
        given = [f"optimizer__{name}={value!r}" for name, value in routed.items()]
        raise ValueError(
            f"No optimizer can be made with {', '.join(given) or 'its config'}: {error}"
        ) from error


def _fastest(factory):
    """The class that does the same and takes least time."""
    return Adam if factory is keras.optimizers.Adam else factory


def optimizer_key(optimizer) -> tuple:
    """Identify all that is traced into a step: all but a plain learning rate.

    Nor the name, which Keras makes up for every optimizer.
    """
    clipping = {name: getattr(optimizer, name) for name in CLIPPING}
    config = {**optimizer.get_config(), **clipping}  # a user's config may leave it out
    config.pop("name", None)
    if isinstance(config.get("learning_rate"), float):
        del config["learning_rate"]
    return type(optimizer), repr(sorted(config.items()))


def only_averages(optimizer) -> bool:
    """Whether all it does once training ends is to put averaged weights in place."""
    ends = keras.optimizers.Optimizer.finalize_variable_values
    return type(optimizer).finalize_variable_values is ends


def plain_learning_rate(optimizer) -> float | None:
    """The optimizer's learning rate, or None where it follows a schedule."""
    rate = optimizer.get_config().get("learning_rate")
    return rate if isinstance(rate, float) else None


def _is_optimizer_class(value) -> bool:
    return inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer)


def _by_name(name):
    if name.lower() not in OPTIMIZERS:
        known = OneOf(sorted(OPTIMIZERS))
        raise ValueError(
            f"The 'optimizer' parameter must be {known}. Got {name!r} instead. "
            f"{known.hint('optimizer', name)}".rstrip()
        )
    return OPTIMIZERS[name.lower()]


def _from_config(config):
    """Deserialize a copy: Keras writes into the config that it is given."""
    try:
        return keras.optimizers.deserialize(copy.deepcopy(config))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            "The 'optimizer' parameter must, as a dict, be what "
            f"keras.optimizers.serialize gives. Got {config!r} instead: {error}"
        ) from error


def _refuse_second_learning_rate(optimizer, learning_rate, default_rate):
    if learning_rate != default_rate:
        raise ValueError(
            f"learning_rate={learning_rate!r} has no effect: optimizer={optimizer!r} "
            "brings its own. Set optimizer__learning_rate, or give the optimizer by "
            "name."
        )


def _check_names(factory, routed):
    names = _parameter_names(factory)
    for name in sorted(set(routed) - names):
        raise ValueError(
            f"Invalid parameter {name!r} for optimizer {factory.__name__}. "
            f"Valid parameters are {sorted(names)}.{suggestion(name, names)}"
        )
    for name in ROUTED_CONSTRAINTS.keys() & routed.keys():
        given = f"optimizer__{name}", routed[name]
        check_value(factory.__name__, *given, ROUTED_CONSTRAINTS[name])


def _parameter_names(factory) -> set[str]:
    """What a class takes, and the Keras optimizers that it is based on."""
    bases = [c for c in factory.__mro__ if issubclass(c, keras.optimizers.Optimizer)]
    parameters = [p for c in bases for p in inspect.signature(c).parameters.values()]
    kinds = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    return {p.name for p in parameters if p.kind not in kinds}
