"""The network of `CTCSequenceClassifier`, and what becomes of lengths in it.

It takes `frames` (n_samples, n_frames, n_features), right-padded, and `lengths`
(n_samples,), and returns a logit for each label and the blank (last), with the lengths.
"""

import keras
import numpy as np
import tensorflow as tf

from skseq._nn.front_ends import make_front_end
from skseq._nn.layers import dense, strided_length
from skseq._nn.rows import log_softmax
from skseq._nn.stacks import apply_dropout, convolution_stack, recurrent_stack


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
    front_end,
    front_end_parameters,
    skip_frames,
):
    """Front end, convolutions, recurrences, a logit for each label and the blank."""
    frames = keras.Input((None, n_features), dtype="float32", name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    front_end = make_front_end(front_end, front_end_parameters)
    states, state_lengths, more_inputs = front_end.build(frames, lengths)
    states, state_lengths = convolution_stack(
        states, state_lengths, conv_filters, conv_kernel_size, conv_strides
    )
    recurrences = units, cell, bidirectional, dropout
    states = recurrent_stack(states, state_lengths, *recurrences)
    states = apply_dropout(states, dropout, len(units))
    if skip_frames:
        states, state_lengths = states[:, skip_frames:], state_lengths - skip_frames
    logits = dense(n_labels + 1, "logits")(states)
    inputs = [frames, lengths, *more_inputs]
    return keras.Model(inputs, [logits, state_lengths], name="ctc")


def log_posteriors(model, *inputs):
    """Log-probabilities of each label and the blank in a batch, with the lengths."""
    named = zip(inputs, model.inputs, strict=True)
    inputs = [tf.ensure_shape(tensor, like.shape) for tensor, like in named]
    logits, lengths = model(inputs, training=False)
    return log_softmax(logits), lengths


def output_lengths(settings, front_end_lengths):
    """Frames that are left of those that a front end gives."""
    lengths = front_end_lengths
    for strides in settings["conv_strides"]:
        lengths = strided_length(lengths, strides)
    return np.maximum(lengths - settings["skip_frames"], 0)
