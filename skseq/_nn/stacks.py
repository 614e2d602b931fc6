"""Stacks of layers that the networks share: convolutions over time, recurrences.

Each takes padded frames with their lengths. A network is a function from plain settings
to a `keras.Model`: it is described by its settings alone, so that equal settings can
share one compiled program.
"""

from itertools import count, takewhile

import keras

from skseq._nn.layers import (
    FinalStates,
    FrameConvolution,
    Recurrent,
    dense,
    strided_length,
)


def convolution_stack(frames, lengths, filters, kernel_size, strides):
    """Stacked convolutions over time; returns the frames and their lengths."""
    for i, (n_filters, stride) in enumerate(zip(filters, strides, strict=True)):
        layer = FrameConvolution(n_filters, kernel_size, stride, name=f"conv_{i}")
        frames, lengths = layer(frames, lengths), strided_length(lengths, stride)
    return frames, lengths


def recurrent_stack(states, lengths, units, cell, bidirectional, rate):
    """Stacked recurrences, with dropout before each."""
    for i, n_units in enumerate(units):
        states = apply_dropout(states, rate, i)
        states = recurrent_layer(states, lengths, n_units, cell, bidirectional, i)
    return states


def apply_dropout(states, rate, i):
    """Dropout number `i` of a network; none where the rate is 0."""
    if not rate:
        return states
    layer = keras.layers.Dropout(rate, seed=i, dtype="float32", name=f"dropout_{i}")
    return layer(states)


def recurrent_layer(states, lengths, units, cell, bidirectional, i):
    """One stacked layer; bidirectional concatenates the two directions' states."""
    n_beside = 2 if bidirectional else 1
    forward = Recurrent(units, cell, n_beside=n_beside, name=f"forward_{i}")
    if not bidirectional:
        return forward(states, lengths)
    backward = Recurrent(units, cell, True, n_beside, name=f"backward_{i}")
    both = keras.layers.Concatenate(dtype="float32", name=f"both_{i}")
    return both([forward(states, lengths), backward(states, lengths)])


def recurrent_network(
    *, n_features, units, cell, bidirectional, dropout, n_outputs, activation
):
    """Stacked recurrences, and a dense layer from their final states to the outputs."""
    frames = keras.Input((None, n_features), dtype="float32", name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    states = recurrent_stack(frames, lengths, units, cell, bidirectional, dropout)
    summary = FinalStates(bidirectional, name="summary")(states, lengths)
    summary = apply_dropout(summary, dropout, len(units))
    outputs = dense(n_outputs, "outputs", activation)(summary)
    return keras.Model([frames, lengths], outputs, name="recurrent")


def stacked_layers(model, name):
    """The layers of a network that are named so and numbered, in order."""
    names = {layer.name for layer in model.layers}
    found = takewhile(names.__contains__, (f"{name}_{i}" for i in count()))
    return [model.get_layer(layer) for layer in found]
