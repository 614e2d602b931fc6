"""The network of `CTCSequenceClassifier`, and what becomes of lengths in it.

It takes `frames` (n_samples, n_frames, n_features), right-padded, and `lengths`
(n_samples,), and returns a logit for each label and the blank (last), with the lengths.
"""

import keras
import numpy as np
import tensorflow as tf

from skseq._nn.front_ends import (
    FRONT_ENDS,
    IMAGE_FILTERS,
    _add_image_shapes,
    _custom_initial_weights,
    _encoder_output_lengths,
    custom_encoder,
)
from skseq._nn.initial_weights import initial_weights
from skseq._nn.layers import FrameConvolution, shortened
from skseq._nn.stacks import dropped, recurrent_stack, stack_weight_shapes


def ctc_network(
    *,
    n_features,
    n_labels,
    units,
    cell,
    bidirectional,
    dropout,
    conv_filters,
    conv_kernel_size,
    conv_strides,
    encoder,
    encoder_parameters,
    skip_frames,
):
    """Front end, stacked recurrences, a logit for each label and the blank (last)."""
    frames = keras.Input((None, n_features), dtype="float32", name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    inputs = [frames, lengths]
    if callable(encoder):
        states = custom_encoder(n_features, encoder, encoder_parameters)(frames)
        lengths = keras.Input((), dtype="int32", name="output_lengths")
        inputs.append(lengths)
    else:
        front_end = FRONT_ENDS[encoder]
        states, lengths = front_end(frames, lengths, **dict(encoder_parameters))
    for i, (filters, strides) in enumerate(
        zip(conv_filters, conv_strides, strict=True)
    ):
        layer = FrameConvolution(filters, conv_kernel_size, strides, name=f"conv_{i}")
        states, lengths = layer(states, lengths), shortened(lengths, strides)
    states = recurrent_stack(states, lengths, units, cell, bidirectional, dropout)
    states = dropped(states, dropout, len(units))
    if skip_frames:
        states, lengths = states[:, skip_frames:], lengths - skip_frames
    logits = keras.layers.Dense(
        n_labels + 1, kernel_initializer="zeros", dtype="float32", name="logits"
    )(states)
    return keras.Model(inputs, [logits, lengths], name="ctc")


def log_posteriors(model, *inputs):
    """Log-probabilities of each label and the blank in a batch, with the lengths."""
    named = zip(inputs, model.inputs, strict=True)
    inputs = [tf.ensure_shape(tensor, like.shape) for tensor, like in named]
    logits, lengths = model(inputs, training=False)
    return tf.nn.log_softmax(logits), lengths


def ctc_output_lengths(model, settings, lengths):
    """Work out how many output frames the network gives for each number of frames."""
    encoder = settings["encoder"]
    if callable(encoder):
        lengths = _encoder_output_lengths(model.get_layer("encoder"), lengths)
    elif encoder == "image":
        filters = dict(settings["encoder_parameters"]).get("filters", IMAGE_FILTERS)
        for _ in filters:
            lengths = shortened(lengths, 2)
    for strides in settings["conv_strides"]:
        lengths = shortened(lengths, strides)
    return np.maximum(lengths - settings["skip_frames"], 0)


def ctc_initial_weights(model, settings, seed: int) -> list[np.ndarray]:
    """First values of every weight; a custom encoder's come from its initializers."""
    return initial_weights(model, seed, _custom_initial_weights(model, settings, seed))


def ctc_weight_shapes(settings) -> dict[str, tuple[int, ...]]:
    """Path and shape of every weight of `ctc_network`, without building it.

    Loading a file compares these first, so that it never allocates more than it read.
    """
    shapes = {}
    width = settings["n_features"]
    if settings["encoder"] == "image":
        width = _add_image_shapes(shapes, width, **dict(settings["encoder_parameters"]))
    kernel_size = settings["conv_kernel_size"]
    for i, filters in enumerate(settings["conv_filters"]):
        shapes[f"conv_{i}/convolution/kernel"] = (kernel_size, width, filters)
        shapes[f"conv_{i}/convolution/bias"] = (filters,)
        shapes[f"conv_{i}/normalization/gamma"] = (filters,)
        shapes[f"conv_{i}/normalization/beta"] = (filters,)
        width = filters
    stack = (settings[name] for name in ("units", "cell", "bidirectional"))
    shapes |= stack_weight_shapes(width, *stack)
    width = settings["units"][-1] * (1 + settings["bidirectional"])
    n_outputs = settings["n_labels"] + 1
    shapes["logits/kernel"] = (width, n_outputs)
    shapes["logits/bias"] = (n_outputs,)
    return shapes
