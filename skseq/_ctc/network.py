"""The network of `CTCSequenceClassifier`, and what becomes of lengths in it.

It takes `frames` (n_samples, n_frames, n_features), right-padded, and `lengths`
(n_samples,), and returns a logit for each label and the blank (last), with the lengths.
"""

import keras
import numpy as np
import tensorflow as tf

from skseq._nn.front_ends import make_front_end
from skseq._nn.layers import N_STATES, dense, strided_length
from skseq._nn.rows import log_softmax
from skseq._nn.stacks import (
    apply_dropout,
    convolution_stack,
    recurrent_stack,
    stacked_layers,
)


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


def first_states(model):
    """What `advance` hands on, before the first frame of a sequence."""
    width, states = model.inputs[0].shape[-1], []
    for layer in stacked_layers(model, "conv"):
        states.append(layer.first_context(width))
        width = layer.filters
    for layer in stacked_layers(model, "forward"):
        states += layer.first_state()
    return states


def advance(model, frames, last_frames, *states):
    """Log-posteriors of the next frames of one sequence, read piece by piece.

    Parameters
    ----------
    model : keras.Model
        A network without a front end that reads forward only.
    frames : tensor of shape (1, n_frames, n_features)
        The frames that follow what was read, maybe none.
    last_frames : tensor of shape (1, n_last_frames, n_features)
        Those that would follow these, were the sequence to end with them.
    *states : tensors
        What the last call handed on, or `first_states`.

    Returns
    -------
    log_posteriors : tensor of shape (1, n_output_frames, n_labels + 1)
        Of the output frames that are complete, those to skip among them.
    last_log_posteriors : tensor
        Of the output frames that would follow these at the end.
    *states : tensors
        What to hand on, as if there were no last frames.
    """
    like = model.inputs[0]
    frames = tf.ensure_shape(frames, (1, *like.shape[1:]))
    last_frames = tf.ensure_shape(last_frames, (1, *like.shape[1:]))
    states, handed_on = iter(states), []
    for layer in stacked_layers(model, "conv"):
        context = tf.ensure_shape(next(states), frames.shape)
        frames, context = layer.advance(frames, context)
        last_frames = layer.conclude(last_frames, context)
        handed_on.append(context)
    for layer in stacked_layers(model, "forward"):
        state = [next(states) for _ in range(N_STATES[layer.cell])]
        state = [tf.ensure_shape(part, (1, layer.units)) for part in state]
        frames, state = layer.advance(frames, state)
        last_frames, _ = layer.advance(last_frames, state)
        handed_on += state
    logits = model.get_layer("logits")
    found = [log_softmax(logits(part)) for part in (frames, last_frames)]
    return *found, *handed_on
