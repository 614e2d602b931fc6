"""What makes one vector of the states of a sequence, whatever its length.

Each is a layer of states (n_samples, n_frames, n_features), zero past each length, and
of the lengths. It returns (n_samples, n_features) and, if `has_weights`, how much each
frame counts, (n_samples, n_frames).
"""

import keras
import tensorflow as tf

from skseq._nn import compiled
from skseq._nn.layers import FinalStates, zero_padding
from skseq._nn.rows import attended, attention, product

# What is added to a variance: the root of zero has no slope.
LEAST_VARIANCE = 1e-6


class AttentionPooling(keras.layers.Layer):
    """A weighted mean, whose weights are learnt (Yang et al. 2016).

    The score of a frame is a product with the hyperbolic tangent of its projection;
    weights are the softmax of the scores.
    """

    rows_are_independent = True
    has_weights = True

    def __init__(self, units, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.units = units

    def build(self, states_shape, lengths_shape):
        kernel = states_shape[-1], self.units
        self.key_kernel = self._weight("key_kernel", kernel)
        self.bias = self._weight("bias", (self.units,))
        self.score_kernel = self._weight("score_kernel", (self.units, 1))

    def _weight(self, name, shape):
        return self.add_weight(shape, "zeros", "float32", name=name)

    def call(self, states, lengths, training=False):
        keys = product(states, self.key_kernel.value, training)
        bias, kernel = self.bias.value, self.score_kernel.value
        if compiled.is_in_use():
            query = tf.tile(bias[tf.newaxis, tf.newaxis], (tf.shape(states)[0], 1, 1))
            found = attention(query, keys, states, lengths, kernel[:, 0])
        else:
            scores = product(tf.tanh(keys + bias), kernel, training=True)[..., 0]
            found = attended(scores[:, tf.newaxis], states, lengths)
        return [part[:, 0] for part in found]

    def compute_output_shape(self, states_shape, lengths_shape):
        return [(states_shape[0], states_shape[2]), states_shape[:2]]


class MeanPooling(keras.layers.Layer):
    """The mean of all frames."""

    rows_are_independent = True
    has_weights = False

    def call(self, states, lengths):
        if compiled.is_in_use():  # by attention to all frames alike
            keys = tf.zeros_like(states[:, :, :1])
            return attention(keys[:, :1], keys, states, lengths)[0][:, 0]
        counts = tf.cast(lengths, states.dtype)[:, tf.newaxis]
        return tf.reduce_sum(zero_padding(states, lengths), axis=1) / counts

    def compute_output_shape(self, states_shape, lengths_shape):
        return states_shape[0], states_shape[2]


class MaxPooling(MeanPooling):
    """The largest value of each feature in any frame."""

    def call(self, states, lengths):
        is_frame = tf.sequence_mask(lengths, tf.shape(states)[1])[..., tf.newaxis]
        return tf.reduce_max(tf.where(is_frame, states, states.dtype.min), axis=1)


class StatisticsPooling(keras.layers.Layer):
    """The mean of all frames, and the standard deviation of each feature over them.

    Its slope is finite where nothing varies, as in a sequence of one frame.
    """

    rows_are_independent = True
    has_weights = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._mean = MeanPooling(dtype="float32", name="mean")

    def build(self, states_shape, lengths_shape):
        self.built = True

    def call(self, states, lengths):
        mean = self._mean(states, lengths)
        squares = tf.square(states - mean[:, tf.newaxis])
        variance = self._mean(zero_padding(squares, lengths), lengths)
        return tf.concat([mean, tf.sqrt(variance + LEAST_VARIANCE)], axis=1)

    def compute_output_shape(self, states_shape, lengths_shape):
        return states_shape[0], 2 * states_shape[2]


def pool(pooling, states, lengths, bidirectional):
    """One vector per sequence, and the weights of frames, None where there are none."""
    if pooling == "last":
        return FinalStates(bidirectional, name="summary")(states, lengths), None
    if pooling == "attention":
        return AttentionPooling(states.shape[-1], name="summary")(states, lengths)
    layer = POOLINGS[pooling]
    return layer(dtype="float32", name="summary")(states, lengths), None


POOLINGS = {
    "mean": MeanPooling,
    "max": MaxPooling,
    "statistics": StatisticsPooling,
}
