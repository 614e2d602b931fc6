"""Builds skseq's networks as the models of SciKeras's wrappers.

A wrapper passes `meta`, what it knows of the data, and how to compile the model.
"""

from numbers import Integral

import keras
import tensorflow as tf

from skseq._autoencoder.network import autoencoder_network
from skseq._nn.initial_weights import initial_weights
from skseq._nn.stacks import recurrent_network
from skseq._parameters import OneOf
from skseq._seeding import draw_seed


def recurrent_model(
    meta, compile_kwargs, units=128, cell="lstm", bidirectional=True, dropout=0.0
):
    """Build a recurrent classifier or regressor of whole sequences, for SciKeras.

    Parameters
    ----------
    meta : dict
        From SciKeras, for `X` of shape (n_samples, n_frames, n_features), and `y` of
        classes, of several labels per sample, or of numbers.
    compile_kwargs : dict
        From SciKeras. Without a loss, the one that suits `y` is used.
    units : int or tuple of int, default=128
        Width of the recurrent layers, one entry per stacked layer. Larger values learn
        finer distinctions, need more data and take longer.
    cell : {"lstm", "gru"}, default="lstm"
        Recurrent cell. A GRU has a quarter fewer weights.
    bidirectional : bool, default=True
        Whether every layer also reads the sequence backwards.
    dropout : float, default=0.0
        Share of each layer's inputs, frames included, that is set to zero in training.
        Raise it when the validation loss grows while the training loss falls.

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
    decoder_input="code",
    reverse=True,
):
    """Build the network of :class:`skseq.LSTMAutoencoder`, for SciKeras.

    SciKeras takes no three-dimensional `y`: fit it on
    ``(X, X.reshape(len(X), -1))``.

    Parameters
    ----------
    meta : dict
        From SciKeras, for `X` of shape (n_samples, n_frames, n_features).
    compile_kwargs : dict
        From SciKeras. Without a loss, the mean squared error is used.
    units, cell, bidirectional, dropout
        As in :func:`recurrent_model`.
    latent_dim : int, default=None
        Length of a code. Smaller values keep less, so that the unusual is lost first.
        None takes the last entry of `units`.
    decoder_input : {"output", "code"}, default="code"
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
        "decoder_input": decoder_input,
        "reverse": reverse,
        "difference": False,
    }
    return _compiled("autoencoder", settings, meta, compile_kwargs, "mse")


def _flat_frames(outputs):
    """The reconstruction as one row per sequence, without the codes."""
    frames, _ = outputs
    return tf.reshape(frames, (tf.shape(frames)[0], -1))


# Each network, and the function from its outputs to those that SciKeras gets.
NETWORKS = {
    "recurrent": (recurrent_network, lambda outputs: outputs),
    "autoencoder": (autoencoder_network, _flat_frames),
}

# Number of outputs, their activation and their loss, by the kind of `y`.
HEADS = {
    "binary": ("n_classes_", "softmax", "sparse_categorical_crossentropy"),
    "multiclass": ("n_classes_", "softmax", "sparse_categorical_crossentropy"),
    "multilabel-indicator": ("n_classes_", "sigmoid", "binary_crossentropy"),
    "continuous": ("n_outputs_expected_", None, "mse"),
    "continuous-multioutput": ("n_outputs_expected_", None, "mse"),
}


@keras.saving.register_keras_serializable("skseq")
class FixedLength(keras.layers.Layer):
    """A network of skseq for sequences of one length, as a layer that Keras saves."""

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
            f"The kind of y must be {OneOf(HEADS)}. Got {target_type!r} instead."
        )
    size, activation, loss = HEADS[target_type]
    return int(meta[size]), activation, loss


def _stack_settings(meta, units, cell, bidirectional, dropout) -> dict:
    shape = meta["X_shape_"]
    if len(shape) != 3:
        raise ValueError(
            "X must hold sequences of one length, in an array of shape (n_samples, "
            f"n_frames, n_features). Got shape {tuple(shape)} instead. For sequences "
            "of different lengths, use an estimator of skseq."
        )
    return {
        "n_features": int(shape[-1]),
        "units": [int(n) for n in ([units] if isinstance(units, Integral) else units)],
        "cell": cell,
        "bidirectional": bidirectional,
        "dropout": dropout,
    }


def _compiled(kind, settings, meta, compile_kwargs, loss) -> keras.Model:
    """Build a model with a seed from NumPy, whose own SciKeras sets, and compile it."""
    frames = keras.Input(meta["X_shape_"][1:], dtype="float32", name="frames")
    layer = FixedLength(kind, settings, draw_seed(), dtype="float32", name=kind)
    model = keras.Model(frames, layer(frames))
    model.compile(**{**compile_kwargs, "loss": compile_kwargs.get("loss") or loss})
    return model
