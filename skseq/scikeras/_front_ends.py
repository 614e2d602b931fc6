"""Makes front ends of SciKeras's model-building functions.

Such a function takes `meta`, what SciKeras knows of the data, and routed parameters,
and returns a Keras model. Knows nothing of the network that a front end is part of.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from skseq._wording import counted


def as_front_end(build):
    """Make a front end of a model-building function of SciKeras.

    Parameters
    ----------
    build : callable
        Takes those of `meta`, `compile_kwargs` and `params` that its signature has, and
        parameters of its own; returns a Keras model from frames to frames. `meta` has
        only ``"X_shape_"``, which is ``(None, None, n_features)`` since sequences
        differ in length, ``"X_dtype_"`` and ``"n_features_in_"``, the number of
        features of a frame. How the model is compiled does not matter.

    Returns
    -------
    front_end : callable
        For ``CTCSequenceClassifier(front_end=...)``. Routed parameters such as
        ``model__width`` become ``front_end__width``. Two front ends of the same
        function are equal.

    Raises
    ------
    TypeError
        If `build` is not callable.

    See Also
    --------
    recurrent_model : The other direction, a network of skseq in a wrapper of SciKeras.

    Examples
    --------
    >>> import keras
    >>> from skseq import CTCSequenceClassifier
    >>> from skseq.datasets import make_digit_strips
    >>> from skseq.scikeras import as_front_end
    >>> def build(meta, width=8):
    ...     frames = keras.Input(meta["X_shape_"][1:])
    ...     return keras.Model(frames, keras.layers.Dense(width)(frames))
    >>> clf = CTCSequenceClassifier(
    ...     front_end=as_front_end(build), front_end__width=4, units=8, epochs=1
    ... )
    >>> X, y = make_digit_strips(8, random_state=0)
    >>> clf.fit(X, y).model_.get_layer("front_end").output_shape
    (None, None, 4)
    """
    if not callable(build):
        raise TypeError(
            "build must be a function that builds a Keras model. Got "
            f"{type(build).__name__} instead."
        )
    return _FrontEnd(build)


@dataclass(frozen=True)
class _FrontEnd:
    """A model-building function that is called with frames."""

    build: Callable

    def __call__(self, frames, **parameters):
        model = self.build(**_offered(self.build, frames, parameters), **parameters)
        if not isinstance(model, keras.Model):
            raise ValueError(
                f"{_name(self.build)} must return a keras.Model. Got "
                f"{type(model).__name__} instead."
            )
        _refuse_fixed_length(self.build, model)
        return model(frames)

    @property
    def __signature__(self):
        """Frames and the function's own parameters, so that others are refused."""
        frames = inspect.Parameter("frames", inspect.Parameter.POSITIONAL_ONLY)
        own = inspect.signature(self.build).parameters.values()
        return inspect.Signature([frames, *(p for p in own if p.name not in OFFERED)])


class _FrontEndMeta(dict):
    """What a front end can know of the data; other keys are refused with a reason."""

    def __missing__(self, name):
        raise ValueError(
            f"A front end gets only {list(self)} of meta, not {name!r}: it returns a "
            "model from frames to frames, and the classifier adds the layer of labels."
        )


def _meta(frames, parameters) -> dict:
    n_features = frames.shape[-1]
    return _FrontEndMeta(
        X_shape_=(None, None, n_features),
        X_dtype_=np.dtype("float32"),
        n_features_in_=n_features,
    )


# The arguments that SciKeras passes beside a function's own, if its signature asks.
OFFERED = {
    "meta": _meta,
    "compile_kwargs": lambda frames, parameters: {
        "optimizer": "adam",
        "loss": None,
        "metrics": None,
    },
    "params": lambda frames, parameters: dict(parameters),
}


def _offered(build, frames, parameters) -> dict:
    asked = inspect.signature(build).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in asked.values())
    return {
        name: offer(frames, parameters)
        for name, offer in OFFERED.items()
        if takes_all or name in asked
    }


def _refuse_fixed_length(build, model) -> None:
    shape = getattr(model, "input_shape", None)
    if isinstance(shape, tuple) and len(shape) == 3 and shape[1] is not None:
        raise ValueError(
            f"{_name(build)} must build a model for sequences of any length. Got one "
            f"for sequences of {counted(shape[1], 'frame')}. Take the shape of its "
            'input from meta["X_shape_"][1:], which leaves the number of frames open.'
        )


def _name(build) -> str:
    return getattr(build, "__name__", repr(build))
