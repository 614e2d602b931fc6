"""Attention: how a decoder looks at what the encoder made of the source.

Every kind takes queries (n_samples, n_queries, n_units) and a `Source`, and returns
contexts, a weighted mean of the source's states each, and the weights. Weights of
source positions past a sequence's length are exactly zero.
"""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from skseq._nn import compiled
from skseq._nn.rows import attended, attention, product


class Source(NamedTuple):
    """An encoded batch, prepared for any number of looks at it.

    Attributes
    ----------
    states : tensor of shape (n_samples, n_source, n_state_features)
    keys : tensor of shape (n_samples, n_source, n_units) or None
    lengths : tensor of shape (n_samples,)
    summary : tensor of shape (n_samples, n_state_features)
    """

    states: Any
    keys: Any
    lengths: Any
    summary: Any


class DotAttention(keras.layers.Layer):
    """Scores are products of queries and projected states (Luong et al. 2015).

    They are scaled as Vaswani et al. (2017) do, so that their spread does not grow
    with the number of units.
    """

    def __init__(self, units, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.units = units

    def build(self, states_shape):
        width = states_shape[-1]
        self.key_kernel = self._weight("key_kernel", (width, self.units))

    def _weight(self, name, shape):
        return self.add_weight(shape, "zeros", "float32", name=name)

    def keys(self, states, training=False):
        """What queries are compared with; the same for all queries."""
        return product(states, self.key_kernel.value, training)

    def call(self, queries, source, training=False):
        queries = self._compared(queries, training)
        if not compiled.is_in_use():
            return self._attend(queries, source)
        return attention(
            queries, source.keys, source.states, source.lengths, self._score_kernel()
        )

    def _compared(self, queries, training):
        """What keys are compared with."""
        return queries

    def _score_kernel(self):
        return None

    def _attend(self, queries, source):
        scores = self._scores(queries, source.keys)
        return attended(scores, source.states, source.lengths)

    def _scores(self, queries, keys):
        return tf.matmul(queries, keys, transpose_b=True) * self.units**-0.5


class AdditiveAttention(DotAttention):
    """Scores come from a small network of query and state (Bahdanau et al. 2015)."""

    def build(self, states_shape):
        super().build(states_shape)
        self.query_kernel = self._weight("query_kernel", (self.units, self.units))
        self.score_kernel = self._weight("score_kernel", (self.units, 1))

    def _compared(self, queries, training):
        return product(queries, self.query_kernel.value, training)

    def _score_kernel(self):
        return self.score_kernel.value[:, 0]

    def _scores(self, queries, keys):
        both = tf.tanh(queries[:, :, tf.newaxis] + keys[:, tf.newaxis])
        return product(both, self.score_kernel.value, training=True)[..., 0]


ATTENTIONS = {"additive": AdditiveAttention, "dot": DotAttention, None: None}
