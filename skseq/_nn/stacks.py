"""What the networks share: stacked recurrences, first weights, shapes of weights.

A network is a function from plain settings to a `keras.Model`. It is described by its
settings alone, so that equal settings can share one compiled program.
"""

import keras

from skseq._nn.layers import Recurrent


def recurrent_stack(states, lengths, units, cell, bidirectional, dropout):
    """Stacked recurrences, with dropout before each."""
    for i, n_units in enumerate(units):
        states = dropped(states, dropout, i)
        states = recurrent_layer(states, lengths, n_units, cell, bidirectional, i)
    return states


def dropped(states, rate, i):
    """Dropout number `i` of a network; none where the rate is 0."""
    if not rate:
        return states
    return keras.layers.Dropout(rate, seed=i, dtype="float32", name=f"dropout_{i}")(
        states
    )


def recurrent_layer(states, lengths, units, cell, bidirectional, i):
    """One stacked layer; bidirectional concatenates the two directions' states."""
    forward = Recurrent(units, cell, name=f"forward_{i}")(states, lengths)
    if not bidirectional:
        return forward
    backward = Recurrent(units, cell, backward=True, name=f"backward_{i}")
    both = keras.layers.Concatenate(dtype="float32", name=f"both_{i}")
    return both([forward, backward(states, lengths)])


def stack_weight_shapes(width, units, cell, bidirectional) -> dict[str, tuple]:
    """Path and shape of every weight of `recurrent_stack`, without building it."""
    shapes = {}
    directions = ("forward", "backward")[: 1 + bidirectional]
    for i, n_units in enumerate(units):
        for direction in directions:
            shapes |= cell_weight_shapes(f"{direction}_{i}", cell, width, n_units)
        width = n_units * len(directions)
    return shapes


def cell_weight_shapes(layer, cell, width, units) -> dict[str, tuple]:
    """Path and shape of the weights of one `Recurrent` layer."""
    n_gates, bias_shape = {"lstm": (4, ()), "gru": (3, (2,))}[cell]
    path = f"{layer}/{cell}/{cell}_cell"
    return {
        f"{path}/kernel": (width, n_gates * units),
        f"{path}/recurrent_kernel": (units, n_gates * units),
        f"{path}/bias": (*bias_shape, n_gates * units),
    }


def dense_weight_shapes(layer, width, units) -> dict[str, tuple]:
    """Path and shape of the weights of one dense layer."""
    return {f"{layer}/kernel": (width, units), f"{layer}/bias": (units,)}
