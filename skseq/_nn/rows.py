"""Functions of rows whose result for a row depends on no other row.

TensorFlow's own are rounded differently for the rows that are left of a whole tile or
vector, and with other numbers of threads. The compiled ones are not: a row is the same
to the bit alone and in any batch. They serve inference and, with compiled gradients,
attention and the cross-entropy in training too; the rest of training keeps
TensorFlow's, and so does all where there is no compiled code.
"""

import keras
import tensorflow as tf

from skseq._nn import compiled
from skseq._nn.threads import n_intra_op_threads

# What Keras adds to the variance in a layer's normalization.
EPSILON = 1e-3

# A score smaller than any, and finite, so that no gradient is NaN.
NEVER = -1e9

# Among the inputs of attention.
_SOURCE_LENGTHS = 3

# Layers of Keras that treat each row by itself, to the bit.
_KEPT = (
    *(keras.layers.InputLayer, keras.layers.Concatenate, keras.layers.Dropout),
    *(keras.layers.Embedding, keras.layers.Reshape),
)


def are_independent(model) -> bool:
    """Whether each row of a network's outputs is the same to the bit in any batch.

    A layer of ours says so by an attribute, `rows_are_independent`.
    """
    return compiled.is_in_use() and all(map(_keeps_rows_apart, model.layers))


def are_compiled(training=False) -> bool:
    """Whether the compiled functions take the place of TensorFlow's."""
    return not training and compiled.is_in_use()


def _keeps_rows_apart(layer) -> bool:
    if isinstance(layer, keras.Model):
        return all(map(_keeps_rows_apart, layer.layers))
    return type(layer) in _KEPT or getattr(layer, "rows_are_independent", False)


class Dense(keras.layers.Dense):
    """A dense layer over the last axis."""

    # What the operation computes itself; others are TensorFlow's, number by number.
    _FUSED = (None, "linear", "tanh")
    _EXACT = (*_FUSED, "relu")

    def __init__(self, units, activation=None, **kwargs):
        super().__init__(units, activation, **kwargs)
        self._function = activation
        self.rows_are_independent = activation in self._EXACT

    def call(self, inputs, training=None):
        if not are_compiled(training):
            outputs = _multiplied(inputs, self.kernel.value)
            outputs = tf.nn.bias_add(outputs, self.bias.value)
            return self.activation(outputs)
        is_tanh = self._function == "tanh"
        outputs = dense(inputs, self.kernel.value, self.bias.value, is_tanh)
        is_done = self._function in self._FUSED
        return outputs if is_done else self.activation(outputs)


def dense(inputs, kernel, bias, is_tanh=False):
    """The last axis times a matrix, (n_inputs, n_units), and a bias."""
    run = compiled.operations().skseq_dense
    return run(inputs, kernel, bias, tanh=is_tanh, n_threads=n_intra_op_threads())


def product(inputs, kernel, training=False):
    """The last axis times a matrix, as one product of two matrices.

    `tf.matmul` of more axes crashed the process where oneDNN fused it in a loop.
    """
    if not are_compiled(training):
        return _multiplied(inputs, kernel)
    return dense(inputs, kernel, tf.zeros(kernel.shape[-1]))


def _multiplied(inputs, kernel):
    """What `tf.tensordot(inputs, kernel, 1)` gives, by half as many operations."""
    inputs = tf.convert_to_tensor(inputs)
    if inputs.shape.rank == 2:
        return tf.matmul(inputs, kernel)
    n_inputs, n_units = kernel.shape
    outputs = tf.matmul(tf.reshape(inputs, (-1, n_inputs)), kernel)
    leading = tf.shape(inputs)[:-1]
    outputs = tf.reshape(outputs, tf.concat([leading, [n_units]], axis=0))
    return tf.ensure_shape(outputs, (*inputs.shape[:-1], n_units))


def convolution(frames, kernel, bias, strides):
    """A convolution over time, without padding."""
    run = compiled.operations().skseq_convolution
    outputs = run(frames, kernel, bias, strides=strides, n_threads=n_intra_op_threads())
    return tf.ensure_shape(outputs, (None, None, kernel.shape[-1]))


def normalize(frames, gamma, beta):
    """A layer's normalization (Ba et al. 2016), with the epsilon of Keras."""
    run = compiled.operations().skseq_normalize
    return run(frames, gamma, beta, n_threads=n_intra_op_threads())


@tf.custom_gradient
def normalized(frames, gamma, beta):
    """What `normalize` gives, by TensorFlow's operations, and few of them."""

    def mean(tensor):
        return tf.reduce_mean(tensor, axis=-1, keepdims=True)

    centred = frames - mean(frames)
    scale = tf.math.rsqrt(mean(tf.square(centred)) + EPSILON)
    unit = centred * scale

    def gradient(upstream):
        leading = list(range(frames.shape.rank - 1))
        weighed = upstream * gamma
        d_frames = scale * (weighed - mean(weighed) - unit * mean(weighed * unit))
        d_gamma = tf.reduce_sum(upstream * unit, axis=leading)
        return d_frames, d_gamma, tf.reduce_sum(upstream, axis=leading)

    return unit * gamma + beta, gradient


def log_softmax(logits):
    """The logarithm of the softmax over the last axis, as in prediction."""
    if not are_compiled():
        return tf.nn.log_softmax(logits)
    run = compiled.operations().skseq_log_softmax
    return run(logits, n_threads=n_intra_op_threads())


def cross_entropy(logits, labels, smoothing=0.0):
    """Negative log-probabilities of the labels (n_rows,) by logits (n_rows, n_ids).

    Smoothing spreads a share of each label's probability evenly over all ids.
    """
    if compiled.is_in_use():
        run = compiled.operations().skseq_cross_entropy
        labels = tf.cast(labels, tf.int32)
        return run(logits, labels, smoothing, n_threads=n_intra_op_threads())[0]
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if smoothing:
        own = tf.gather(logits, labels, batch_dims=1)
        losses += smoothing * (own - tf.reduce_mean(logits, axis=-1))
    return losses


def attention(queries, keys, states, lengths, score_kernel=None):
    """Contexts and weights of queries, (n_samples, n_queries, n_units).

    Keys and states are those of a source, zero past each length. Scores are products,
    divided by the root of the number of units, or, with a kernel (n_units,), products
    of it and the hyperbolic tangents of sums.
    """
    kernel = tf.zeros(0) if score_kernel is None else score_kernel
    run = compiled.operations().skseq_attention
    lengths = tf.cast(lengths, tf.int32)
    return run(queries, keys, states, lengths, kernel, n_threads=n_intra_op_threads())


def attended(scores, states, lengths):
    """What `attention` gives for scores (n_samples, n_queries, n_states), plainly."""
    is_state = tf.sequence_mask(lengths, tf.shape(states)[1])
    scores = tf.where(is_state[:, tf.newaxis], scores, NEVER)
    weights = tf.nn.softmax(scores)  # (n_samples, n_queries, n_states)
    return tf.matmul(weights, states), weights


def step(cell, frame, weights, state):
    """The state of a cell, "lstm" or "gru", after a frame, (n_samples, n_features)."""
    run = getattr(compiled.operations(), f"skseq_{cell}_step")
    after = run(frame, *weights, *state, n_threads=n_intra_op_threads())
    return list(after) if cell == "lstm" else [after]


# -- gradients, where they are asked for all the same ----------------------------------


def _gradient(operation, upstream, function):
    """Gradients of an operation's inputs, by those of a function that is the same."""
    inputs = [tf.identity(tensor) for tensor in operation.inputs]
    sources = [tensor for tensor in inputs if tensor.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = function(*inputs)
    found = iter(tape.gradient(outputs, sources, upstream))
    return [next(found) if tensor.dtype.is_floating else None for tensor in inputs]


@tf.RegisterGradient("SkseqDense")
def _dense_gradient(operation, upstream):
    def plain(inputs, kernel, bias):
        outputs = tf.tensordot(inputs, kernel, 1) + bias
        return tf.tanh(outputs) if operation.get_attr("tanh") else outputs

    return _gradient(operation, upstream, plain)


@tf.RegisterGradient("SkseqConvolution")
def _convolution_gradient(operation, upstream):
    def plain(frames, kernel, bias):
        strides = operation.get_attr("strides")
        return tf.nn.conv1d(frames, kernel, strides, "VALID") + bias

    return _gradient(operation, upstream, plain)


@tf.RegisterGradient("SkseqNormalize")
def _normalize_gradient(operation, upstream):
    def plain(frames, gamma, beta):
        mean, variance = tf.nn.moments(frames, [-1], keepdims=True)
        return tf.nn.batch_normalization(frames, mean, variance, beta, gamma, EPSILON)

    return _gradient(operation, upstream, plain)


@tf.RegisterGradient("SkseqLogSoftmax")
def _log_softmax_gradient(operation, upstream):
    return _gradient(operation, upstream, tf.nn.log_softmax)


@tf.RegisterGradient("SkseqCrossEntropy")
def _cross_entropy_gradient(operation, upstream, _):
    run = compiled.operations().skseq_cross_entropy_grad
    inputs, sums = operation.inputs, operation.outputs[1]
    d_logits = run(*inputs, sums, upstream, n_threads=n_intra_op_threads())
    return d_logits, None, None


@tf.RegisterGradient("SkseqAttention")
def _attention_gradient(operation, *upstream):
    inputs, weights = operation.inputs, operation.outputs[1]
    run = compiled.operations().skseq_attention_grad
    gradients = list(run(*inputs, weights, *upstream, n_threads=n_intra_op_threads()))
    gradients.insert(_SOURCE_LENGTHS, None)
    return gradients


@tf.RegisterGradient("SkseqLstmStep")
def _lstm_step_gradient(operation, *upstream):
    def plain(frame, kernel, recurrent_kernel, bias, output, memory):
        gates = frame @ kernel + output @ recurrent_kernel + bias
        i, f, c, o = tf.split(gates, 4, axis=-1)
        memory = tf.sigmoid(f) * memory + tf.sigmoid(i) * tf.tanh(c)
        return [tf.sigmoid(o) * tf.tanh(memory), memory]

    return _gradient(operation, list(upstream), plain)


@tf.RegisterGradient("SkseqGruStep")
def _gru_step_gradient(operation, upstream):
    def plain(frame, kernel, recurrent_kernel, bias, output):
        z, r, c = tf.split(frame @ kernel + bias[0], 3, axis=-1)
        inner = tf.split(output @ recurrent_kernel + bias[1], 3, axis=-1)
        update = tf.sigmoid(z + inner[0])
        candidate = tf.tanh(c + tf.sigmoid(r + inner[1]) * inner[2])
        return update * output + (1 - update) * candidate

    return _gradient(operation, upstream, plain)
