"""The encoder: from frames, by a front end, convolutions and recurrences, to states.

It takes `frames` (n_samples, n_frames, n_features), right-padded, and `lengths`
(n_samples,). A stream takes it piece by piece.
"""

import keras
import tensorflow as tf

from skseq._nn.front_ends import make_front_end
from skseq._nn.layers import N_STATES, strided_length
from skseq._nn.stacks import (
    apply_dropout,
    convolution_stack,
    recurrent_stack,
    stacked_layers,
)


def encoder(
    *,
    n_features,
    units,
    cell,
    bidirectional,
    dropout,
    conv_filters,
    conv_kernel_size,
    conv_strides,
    front_end,
    front_end_parameters,
):
    """The inputs of a network, the states of each output frame, and their lengths.

    What reads the states stands behind the same dropout as each recurrence.
    """
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
    return [frames, lengths, *more_inputs], states, state_lengths


def run(model, *inputs):
    """What a network gives for a batch, as in prediction."""
    named = zip(inputs, model.inputs, strict=True)
    inputs = [tf.ensure_shape(tensor, like.shape) for tensor, like in named]
    return model(inputs, training=False)


def output_lengths(settings, front_end_lengths):
    """Frames that are left of those that a front end gives."""
    lengths = front_end_lengths
    for strides in settings["conv_strides"]:
        lengths = strided_length(lengths, strides)
    return lengths


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
    """The states of the next frames of one sequence, read piece by piece.

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
    found : tensor of shape (1, n_output_frames, n_units)
        The states of the output frames that are complete.
    last : tensor of shape (1, n_last_output_frames, n_units)
        Those of the output frames that would follow these at the end.
    handed_on : list of tensors
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
    return frames, last_frames, handed_on
