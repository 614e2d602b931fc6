"""Meets SciKeras at the edge: its model-building functions here, our networks there.

A model-building function takes `meta`, what SciKeras knows of the data, and routed
parameters, and returns a Keras model. Nothing here imports SciKeras, which comes with
``pip install "skseq[scikeras]"``.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

import keras
import numpy as np
import tensorflow as tf

from skseq._autoencoder.network import autoencoder_network
from skseq._nn.initial_weights import initial_weights
from skseq._nn.layers import FinalStates
from skseq._nn.stacks import apply_dropout, recurrent_stack
from skseq._seeding import draw_seed

__all__ = ["as_encoder", "autoencoder_model", "recurrent_model"]

# -- their functions as our front ends --------------------------------------------


def as_encoder(build):
    """Make a front end of a model-building function of SciKeras.

    Parameters
    ----------
    build : callable
        Takes `meta`, `compile_kwargs` and `params`, as far as its signature has them,
        and parameters of its own; returns a Keras model from frames to frames. Of
        `meta` it can use ``"X_shape_"``, which is ``(None, None, n_features)`` since
        sequences differ in length, ``"X_dtype_"`` and ``"n_features_in_"``, the
        features of a frame. How the model is compiled does not matter.

    Returns
    -------
    encoder : callable
        For ``CTCSequenceClassifier(encoder=...)``. What were routed parameters
        ``model__width`` are ``encoder__width``. Two of the same function are equal.

    Raises
    ------
    TypeError
        If `build` is not callable.

    See Also
    --------
    recurrent_model : The other way, a network of skseq in a wrapper of SciKeras.

    Examples
    --------
    >>> import keras
    >>> from skseq import CTCSequenceClassifier
    >>> from skseq.datasets import make_digit_strips
    >>> from skseq.scikeras import as_encoder
    >>> def build(meta, width=8):
    ...     frames = keras.Input(meta["X_shape_"][1:])
    ...     return keras.Model(frames, keras.layers.Dense(width)(frames))
    >>> clf = CTCSequenceClassifier(
    ...     encoder=as_encoder(build), encoder__width=4, units=8, epochs=1
    ... )
    >>> X, y = make_digit_strips(8, random_state=0)
    >>> clf.fit(X, y).model_.get_layer("encoder").output_shape
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
    """What is known of the data before a front end; more is refused with a reason."""

    def __missing__(self, name):
        raise ValueError(
            f"A front end knows only {list(self)} of meta, not {name!r}: it returns a "
            "model from frames to frames, and the classifier adds the layer of labels."
        )


def _meta(frames, parameters) -> dict:
    n_features = frames.shape[-1]
    return _FrontEndMeta(
        X_shape_=(None, None, n_features),
        X_dtype_=np.dtype("float32"),
        n_features_in_=n_features,
    )


# What SciKeras offers a function beside its own parameters, if its signature asks.
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
            f"{_name(build)} built a model for sequences of {shape[1]} frames; "
            'sequences differ in length. Take its input\'s shape from meta["X_shape_"]'
            "[1:], which leaves the number of frames open."
        )


def _name(build) -> str:
    return getattr(build, "__name__", repr(build))


# -- our networks as their models -------------------------------------------------


def recurrent_model(
    meta, compile_kwargs, units=128, cell="lstm", bidirectional=True, dropout=0.0
):
    """Build a recurrent classifier or regressor of whole sequences, for SciKeras.

    Parameters
    ----------
    meta : dict
        From SciKeras: `X` of shape (n_samples, n_frames, n_features), and `y` of
        classes, of several labels a sample, or of numbers.
    compile_kwargs : dict
        From SciKeras. Without a loss, that which fits `y` is used.
    units : int or tuple of int, default=128
        Width of the recurrent layers, one entry a stacked layer. More learn finer
        distinctions, need more data and take longer.
    cell : {"lstm", "gru"}, default="lstm"
        Recurrent cell. A GRU has a quarter fewer weights.
    bidirectional : bool, default=True
        Whether every layer also reads the sequence backwards.
    dropout : float, default=0.0
        Share of each layer's inputs, the frames among them, that is set to zero in
        training. Raise it when the validation loss grows while the training loss falls.

    Returns
    -------
    model : keras.Model
        Compiled; from sequences to probabilities of classes, or to numbers.

    Raises
    ------
    ValueError
        If `X` does not hold sequences, or `y` is of another kind.

    See Also
    --------
    autoencoder_model : A network from sequences to themselves.

    Examples
    --------
    >>> from scikeras.wrappers import KerasClassifier
    >>> from skseq.scikeras import recurrent_model
    >>> clf = KerasClassifier(recurrent_model, model__units=8)
    """
    n_outputs, activation, loss = _head(meta)
    settings = {
        **_stack_settings(meta, units, cell, bidirectional, dropout),
        "n_outputs": n_outputs,
        "activation": activation,
    }
    return _compiled("recurrent", settings, meta, compile_kwargs, loss)


def autoencoder_model(
    meta,
    compile_kwargs,
    units=128,
    cell="lstm",
    bidirectional=True,
    dropout=0.0,
    latent_dim=None,
    decoder="conditional",
    reverse=True,
):
    """Build the network of :class:`skseq.LSTMAutoencoder`, for SciKeras.

    SciKeras takes no three-dimensional `y`: fit it on
    ``(X, X.reshape(len(X), -1))``.

    Parameters
    ----------
    meta : dict
        From SciKeras: `X` of shape (n_samples, n_frames, n_features).
    compile_kwargs : dict
        From SciKeras. Without a loss, the mean squared error is used.
    units, cell, bidirectional, dropout
        As in :func:`recurrent_model`.
    latent_dim : int, default=None
        Length of a code. Smaller ones keep less, so that the unusual is lost first.
        None takes the last entry of `units`.
    decoder : {"conditional", "repeat"}, default="conditional"
        What the decoder sees at each step: its own last output, or the code.
    reverse : bool, default=True
        Whether the decoder begins with the last frame.

    Returns
    -------
    model : keras.Model
        Compiled; from sequences to themselves, flat.

    Raises
    ------
    ValueError
        If `X` does not hold sequences.

    See Also
    --------
    recurrent_model : A network from sequences to classes or numbers.

    Examples
    --------
    >>> from scikeras.wrappers import KerasRegressor
    >>> from skseq.scikeras import autoencoder_model
    >>> reg = KerasRegressor(autoencoder_model, model__units=8)
    """
    settings = _stack_settings(meta, units, cell, bidirectional, dropout)
    settings |= {
        "latent_dim": settings["units"][-1] if latent_dim is None else latent_dim,
        "decoder": decoder,
        "reverse": reverse,
        "difference": False,
    }
    return _compiled("autoencoder", settings, meta, compile_kwargs, "mse")


def recurrent_network(
    *, n_features, units, cell, bidirectional, dropout, n_outputs, activation
):
    """Stacked recurrences, then what they end with to the outputs."""
    frames = keras.Input((None, n_features), dtype="float32", name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    states = recurrent_stack(frames, lengths, units, cell, bidirectional, dropout)
    summary = FinalStates(bidirectional, name="summary")(states, lengths)
    outputs = keras.layers.Dense(
        n_outputs,
        activation,
        kernel_initializer="zeros",
        dtype="float32",
        name="outputs",
    )(apply_dropout(summary, dropout, len(units)))
    return keras.Model([frames, lengths], outputs, name="recurrent")


def _flat_frames(outputs):
    """The reconstruction, without the codes."""
    frames, _ = outputs
    return tf.reshape(frames, (tf.shape(frames)[0], -1))


# Each network, and what SciKeras sees of its outputs.
NETWORKS = {
    "recurrent": (recurrent_network, lambda outputs: outputs),
    "autoencoder": (autoencoder_network, _flat_frames),
}

# Outputs, their activation and their loss, by the kind of `y`.
HEADS = {
    "binary": ("n_classes_", "softmax", "sparse_categorical_crossentropy"),
    "multiclass": ("n_classes_", "softmax", "sparse_categorical_crossentropy"),
    "multilabel-indicator": ("n_classes_", "sigmoid", "binary_crossentropy"),
    "continuous": ("n_outputs_expected_", None, "mse"),
    "continuous-multioutput": ("n_outputs_expected_", None, "mse"),
}


@keras.saving.register_keras_serializable("skseq")
class FixedLength(keras.layers.Layer):
    """A network of ours over sequences of one length, as one layer that Keras saves."""

    def __init__(self, kind, settings, seed, **kwargs):
        super().__init__(**kwargs)
        self.kind, self.settings, self.seed = kind, dict(settings), seed
        build, self.view = NETWORKS[kind]
        self.network = build(**settings)
        self.network.set_weights(initial_weights(self.network, seed))

    def call(self, frames, training=None):
        shape = tf.shape(frames)
        lengths = tf.fill([shape[0]], shape[1])
        return self.view(self.network([frames, lengths], training=training))

    def compute_output_shape(self, frames_shape):
        n_samples, n_frames, n_features = frames_shape
        n_outputs = self.settings.get("n_outputs", n_frames * n_features)
        return n_samples, n_outputs

    def get_config(self):
        own = {"kind": self.kind, "settings": dict(self.settings), "seed": self.seed}
        return {**super().get_config(), **own}


def _head(meta) -> tuple:
    target_type = meta["target_type_"]
    if target_type not in HEADS:
        raise ValueError(
            f"y must be of one of the kinds {list(HEADS)}. Got {target_type!r} instead."
        )
    size, activation, loss = HEADS[target_type]
    return int(meta[size]), activation, loss


def _stack_settings(meta, units, cell, bidirectional, dropout) -> dict:
    shape = meta["X_shape_"]
    if len(shape) != 3:
        raise ValueError(
            "X must hold sequences of one length, an array of shape (n_samples, "
            f"n_frames, n_features). Got shape {tuple(shape)} instead. For sequences "
            "of different length use an estimator of skseq."
        )
    return {
        "n_features": int(shape[-1]),
        "units": [int(n) for n in ([units] if isinstance(units, Integral) else units)],
        "cell": cell,
        "bidirectional": bidirectional,
        "dropout": dropout,
    }


def _compiled(kind, settings, meta, compile_kwargs, loss) -> keras.Model:
    """Build a model from a seed of NumPy's, which SciKeras sets, and compile it."""
    frames = keras.Input(meta["X_shape_"][1:], dtype="float32", name="frames")
    layer = FixedLength(kind, settings, draw_seed(), dtype="float32", name=kind)
    model = keras.Model(frames, layer(frames))
    model.compile(**{**compile_kwargs, "loss": compile_kwargs.get("loss") or loss})
    return model
