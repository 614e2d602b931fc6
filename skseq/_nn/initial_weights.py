"""The first values of a network's weights, by a seed and by each weight's path."""

import math

import numpy as np
import tensorflow as tf

from skseq._seeding import generator


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


def glorot_uniform(shape, rng):
    """Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    receptive_field = math.prod(shape[:-2])
    limit = math.sqrt(6 / (receptive_field * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, size=shape)


def orthogonal(shape, rng):
    """Orthonormal rows (Saxe et al. 2014), for a matrix with no fewer columns.

    NumPy would ask a library whose threads wait for each other actively, and which
    rounds differently with another number of them.
    """
    n_rows, n_columns = shape
    with tf.device("CPU"):
        q, r = map(np.array, tf.linalg.qr(rng.normal(size=(n_columns, n_rows))))
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
    "log_scale": lambda shape, rng: np.full(shape, math.log(10.0)),
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
    "chain/pairs": lambda shape, rng: np.zeros(shape),
    "chain/starts": lambda shape, rng: np.zeros(shape),
    "chain/ends": lambda shape, rng: np.zeros(shape),
}
