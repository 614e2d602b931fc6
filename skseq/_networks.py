"""What the networks share: stacked recurrences, first weights, shapes of weights.

A network is a function from plain settings to a `keras.Model`. It is described by its
settings alone, so that equal settings can share one compiled program.
"""

import math

import keras
import numpy as np

from skseq._layers import Recurrent
from skseq._seeding import generator


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


def initial_weights(model, seed: int, given=None) -> list[np.ndarray]:
    """First values of every weight, in the model's order, as a function of the seed.

    `given` holds those that come from elsewhere, by the weight's `id`.
    """
    given = given or {}
    return [
        given[id(weight)]
        if id(weight) in given
        else _initial_value(weight, generator(seed, "weights", weight.path))
        for weight in model.weights
    ]


def _initial_value(weight, rng) -> np.ndarray:
    ending = next(e for e in INITIAL_VALUES if f"/{weight.path}".endswith(f"/{e}"))
    return INITIAL_VALUES[ending](weight.shape, rng).astype("float32")


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


def glorot_uniform(shape, rng):
    """Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    receptive_field = math.prod(shape[:-2])
    limit = math.sqrt(6 / (receptive_field * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, size=shape)


def orthogonal(shape, rng):
    """Orthonormal rows (Saxe et al. 2014), for a matrix with no fewer columns."""
    n_rows, n_columns = shape
    q, r = np.linalg.qr(rng.normal(size=(n_columns, n_rows)))
    return (q * np.sign(np.diag(r))).T


def lecun_uniform(shape, rng):
    """Uniform of variance 1 / fan_in (LeCun et al. 1998), however many outputs."""
    limit = math.sqrt(3 / shape[-2])
    return rng.uniform(-limit, limit, size=shape)


def standard_normal(shape, rng):
    """Normal of mean 0 and variance 1."""
    return rng.normal(size=shape)


def unit_forget_bias(shape, rng):
    """Zeros, and ones for the forget gate (Jozefowicz et al. 2015)."""
    bias = np.zeros(shape)
    n_units = shape[0] // 4
    bias[n_units : 2 * n_units] = 1.0
    return bias


# By how a weight's path ends; the first that fits. Large vocabularies learn nothing for
# long where embeddings and the kernel that chooses among tokens start small.
INITIAL_VALUES = {
    "lstm_cell/bias": unit_forget_bias,
    "decoder/logits/kernel": lecun_uniform,
    "embeddings": standard_normal,
    "kernel": glorot_uniform,
    "query_kernel": glorot_uniform,
    "key_kernel": glorot_uniform,
    "score_kernel": glorot_uniform,
    "recurrent_kernel": orthogonal,
    "bias": lambda shape, rng: np.zeros(shape),
    "gamma": lambda shape, rng: np.ones(shape),
    "beta": lambda shape, rng: np.zeros(shape),
}
