"""Compiled functions of rows against double precision, and rows against themselves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq._nn import compiled, rows
from skseq._nn.layers import FrameConvolution, Recurrent, dense

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(not compiled.is_available(), reason=compiled.status()),
]

# Rows, inputs and units: one, odd ones, whole vectors, more than are packed at once.
SIZES = [
    *((1, 1, 1), (1, 7, 5), (3, 16, 32), (5, 3, 33), (7, 20, 64), (13, 2, 70)),
    *((40, 9, 21), (97, 5, 129), (230, 6, 300), (0, 4, 3), (4, 0, 3), (4, 3, 0)),
]


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def layer_of(n_inputs, n_units):
    return drawn(n_inputs, n_units, seed=1), drawn(n_units, seed=2)


def assert_near(found, expected, tolerance=1e-6):
    """Equal relative to the largest number."""
    assert found.shape == expected.shape
    scale = np.abs(expected).max(initial=1e-30)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


def normal(frames, gamma, beta):
    frames = frames.astype("float64")
    centred = frames - frames.mean(-1, keepdims=True)
    return gamma * centred / np.sqrt(frames.var(-1, keepdims=True) + 1e-3) + beta


def log_softmax(logits):
    logits = logits.astype("float64")
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def cross_entropy(logits):
    """The losses of the first of each row's logits."""
    flat = tf.reshape(logits, (-1, logits.shape[-1]))
    losses = rows.cross_entropy(flat, tf.zeros(len(flat), tf.int32), 0.1)
    return tf.reshape(losses, logits.shape[:-1])


def applied(n_inputs, n_units):
    """Every function of rows by name, for rows of so many inputs."""
    kernel, bias = layer_of(n_inputs, n_units)
    gamma, beta = drawn(n_inputs, seed=3), drawn(n_inputs, seed=4)
    wide = drawn(3, n_inputs, n_units, seed=5)
    return {
        "dense": lambda x: rows.dense(x, kernel, bias),
        "tanh": lambda x: rows.dense(x, kernel, bias, is_tanh=True),
        "convolution": lambda x: rows.convolution(x, wide, bias, 2),
        "normalize": lambda x: rows.normalize(x, gamma, beta),
        "log_softmax": rows.log_softmax,
        "cross_entropy": cross_entropy,
    }


FUNCTIONS = list(applied(1, 1))


@pytest.mark.parametrize("sizes", SIZES)
def test_a_dense_layer_is_a_product_and_a_bias(sizes):
    n_rows, n_inputs, n_units = sizes
    inputs, (kernel, bias) = drawn(n_rows, n_inputs), layer_of(n_inputs, n_units)
    expected = inputs.astype("float64") @ kernel + bias
    assert_near(rows.dense(inputs, kernel, bias), expected)
    found = rows.dense(inputs, kernel, bias, is_tanh=True)
    np.testing.assert_allclose(found, np.tanh(expected), rtol=0, atol=2e-6)


@pytest.mark.parametrize("leading", [(), (6,), (2, 3), (2, 0, 4), (2, 3, 1, 4)])
def test_any_number_of_axes_stands_before_the_last(leading):
    inputs, (kernel, bias) = drawn(*leading, 5), layer_of(5, 3)
    expected = inputs.astype("float64") @ kernel + bias
    assert_near(rows.dense(inputs, kernel, bias), expected)


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 5, 3), (4, 9, 2), (3, 6, 1), (2, 3, 4)])
def test_a_convolution_is_the_sum_over_its_places(shape, strides):
    frames, kernel, bias = drawn(*shape), drawn(4, shape[2], 7, seed=1), drawn(7)
    starts = range(0, shape[1] - 3, strides)
    expected = np.zeros((shape[0], len(starts), 7)) + bias
    for t, start in enumerate(starts):
        for k in range(4):
            expected[:, t] += frames[:, start + k].astype("float64") @ kernel[k]
    assert_near(rows.convolution(frames, kernel, bias, strides), expected)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 21, 64, 500])
def test_normalization_and_softmax_are_the_formulas(n):
    inputs, gamma, beta = drawn(3, 5, n), drawn(n, seed=1), drawn(n, seed=2)
    expected = normal(inputs, gamma, beta)
    np.testing.assert_allclose(
        rows.normalize(inputs, gamma, beta), expected, rtol=1e-5, atol=3e-6
    )
    for scale in (1, 30):
        expected = log_softmax(inputs * np.float32(scale))
        found = rows.log_softmax(inputs * np.float32(scale))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 9, 64])
def test_normalization_in_training_is_the_formula_with_its_gradients(n):
    given = [drawn(3, 5, n), drawn(n, seed=1), drawn(n, seed=2)]
    upstream = drawn(3, 5, n, seed=3)
    tensors = list(map(tf.constant, given))
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        found = rows.normalized(*tensors)
    np.testing.assert_allclose(found, normal(*given), rtol=1e-5, atol=3e-6)
    gradients = tape.gradient(found, tensors, upstream)
    for i, gradient in enumerate(map(np.array, gradients)):
        for place in np.ndindex(gradient.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [array.astype("float64") for array in given]
                moved[i][place] += step
                ends.append(float((normal(*moved) * upstream).sum()))
            expected = (ends[0] - ends[1]) / 2e-5
            assert gradient[place] == pytest.approx(expected, 1e-4, 1e-4)


def test_normalization_takes_the_epsilon_of_the_layer_that_is_trained():
    layer = FrameConvolution(3, 2)
    layer.build((None, None, 4))
    assert layer.normalization.epsilon == pytest.approx(1e-3)


@pytest.mark.parametrize("n_inputs", [1, 6, 16, 37])
@pytest.mark.parametrize("n_units", [1, 21, 64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_row_is_the_same_to_the_bit_in_any_batch_under_any_padding(
    name, n_inputs, n_units
):
    function = applied(n_inputs, n_units)[name]
    inputs = drawn(130, 3, n_inputs)
    together = function(inputs).numpy()
    for n in range(1, 41):
        found = function(inputs[n : 2 * n])
        np.testing.assert_array_equal(found, together[n : 2 * n])
    for n_more in (1, 6):
        padded = np.pad(inputs[:5], ((0, 0), (0, n_more), (0, 0)))
        found = function(padded)[:, : together.shape[1]]
        np.testing.assert_array_equal(found, together[:5])


@pytest.mark.parametrize("n_threads", [1, 2, 3, 50])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_bit_depends_on_the_number_of_threads(name, n_threads, monkeypatch):
    function = applied(128, 100)[name]
    inputs = drawn(40, 80, 128)  # enough to be shared out
    expected = function(inputs[:7])
    monkeypatch.setattr(rows, "n_intra_op_threads", lambda: n_threads)
    found = function(inputs)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[:7], expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_number_in_one_row_reaches_no_other(name, value):
    function = applied(9, 5)[name]
    inputs = drawn(11, 3, 9)
    expected = np.delete(function(inputs), 4, axis=0)
    inputs[4, 0, 2] = value
    found = function(inputs).numpy()
    np.testing.assert_array_equal(np.delete(found, 4, axis=0), expected)
    if np.isnan(value):
        assert np.isnan(found[4, 0]).all()


def test_what_is_impossible_has_no_probability():
    logits = np.array([[0.0, -np.inf, 0.0], [-np.inf] * 3], "float32")
    found = rows.log_softmax(logits).numpy()
    np.testing.assert_allclose(found[0], [-np.log(2), -np.inf, -np.log(2)], rtol=1e-6)
    assert np.isnan(found[1]).all()


def attended(seed=0):
    """Queries, keys, states and lengths from 1 up of a batch."""
    queries, keys = drawn(30, 3, 21, seed=seed), drawn(30, 9, 21, seed=seed + 1)
    lengths = np.random.default_rng(seed).integers(1, 10, 30).astype("int32")
    states = drawn(30, 9, 13, seed=seed + 2)
    states[~np.asarray(tf.sequence_mask(lengths, 9))] = 0
    return queries, keys, states, lengths


@pytest.mark.parametrize("kernel", [None, drawn(21, seed=9)])
def test_attention_is_the_formula(kernel):
    queries, keys, states, lengths = attended()
    contexts, weights = rows.attention(queries, keys, states, lengths, kernel)
    for i, n in enumerate(lengths):
        own, own_keys = queries[i].astype("float64"), keys[i, :n].astype("float64")
        scores = own @ own_keys.T / np.sqrt(21)
        if kernel is not None:
            scores = np.tanh(own[:, None] + own_keys) @ kernel.astype("float64")
        expected = np.exp(log_softmax(scores))
        np.testing.assert_allclose(weights[i, :, :n], expected, rtol=1e-5, atol=1e-6)
        assert not weights[i, :, n:].numpy().any()
        np.testing.assert_allclose(
            contexts[i], expected @ states[i, :n], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("kernel", [None, drawn(21, seed=9)])
def test_attention_is_the_same_to_the_bit_in_any_batch_under_any_padding(kernel):
    *given, lengths = attended()
    together = rows.attention(*given, lengths, kernel)
    for n in (1, 2, 7):
        longest = max(lengths[:n])
        queries, *source = (array[:n] for array in given)
        for source_length in (longest, 9):
            cut = [array[:, :source_length] for array in source]
            found = rows.attention(queries, *cut, lengths[:n], kernel)
            np.testing.assert_array_equal(found[0], together[0][:n])
            np.testing.assert_array_equal(found[1], together[1][:n, :, :source_length])


# Samples, queries, source positions, units and features: one, odd ones, whole vectors,
# more than one block of them.
ATTENDED_SIZES = [
    *((1, 1, 1, 1, 1), (3, 4, 5, 7, 9), (4, 7, 3, 16, 32), (2, 13, 17, 33, 70)),
    *((5, 2, 9, 64, 130), (0, 2, 3, 4, 5), (2, 0, 3, 4, 5)),
]


def attended_by(sizes, is_additive):
    """Queries, keys, states and kernel, lengths from 0 up, and gradients of both."""
    n, n_queries, n_source, n_units, n_features = sizes
    given = [drawn(n, n_queries, n_units), drawn(n, n_source, n_units, seed=1)]
    given += [drawn(n, n_source, n_features, seed=2)]
    given += [drawn(n_units if is_additive else 0, seed=3)]
    lengths = np.random.default_rng(4).integers(0, n_source + 1, n).astype("int32")
    lengths[:2] = np.arange(1, -1, -1)[:n]
    upstream = [drawn(n, n_queries, n_features, seed=5)]
    upstream += [drawn(n, n_queries, n_source, seed=6)]
    for i, own in enumerate(lengths):  # to be neither read nor added up
        for array in given[1:3]:
            array[i, own:] = np.nan
    return given, lengths, upstream


def attention_gradients(given, lengths, upstream):
    """Those of the operation."""
    tensors = list(map(tf.constant, given))
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        queries, keys, states, kernel = tensors
        found = rows.attention(queries, keys, states, lengths, kernel)
    return [g.numpy() for g in tape.gradient(found, tensors, upstream)]


def formula_gradients(given, n, upstream):
    """Those of one sample, of the plain formula in double precision."""
    queries, keys, states, kernel = (tf.constant(a, tf.float64) for a in given)
    with tf.GradientTape() as tape:
        tape.watch(sources := [queries, keys, states, kernel])
        scores = tf.matmul(queries, keys[:n], transpose_b=True)
        scores /= np.sqrt(queries.shape[-1])
        if kernel.shape[0]:
            both = tf.tanh(queries[:, tf.newaxis] + keys[tf.newaxis, :n])
            scores = tf.einsum("qsu,u->qs", both, kernel)
        weights = tf.nn.softmax(scores)
        contexts = weights @ states[:n]
        total = tf.reduce_sum(contexts * upstream[0])
        total += tf.reduce_sum(weights * upstream[1][:, :n])
    zero = tf.UnconnectedGradients.ZERO
    return tape.gradient(total, sources, unconnected_gradients=zero)


@pytest.mark.parametrize("is_additive", [False, True])
@pytest.mark.parametrize("sizes", ATTENDED_SIZES)
def test_attention_has_the_gradients_of_the_formula(sizes, is_additive):
    given, lengths, upstream = attended_by(sizes, is_additive)
    found = attention_gradients(given, lengths, upstream)
    expected = [np.zeros(array.shape) for array in given]
    for i, n in enumerate(lengths):
        own = [*(array[i] for array in given[:3]), given[3]]
        gradients = formula_gradients(own, n, [array[i] for array in upstream])
        if n == 0:  # there is nothing to see
            gradients = [np.zeros(g.shape) for g in gradients]
        for sums, gradient in zip(expected[:3], gradients[:3], strict=True):
            sums[i] = gradient
        expected[3] += gradients[3]
    for array, gradient in zip(found, expected, strict=True):
        assert_near(array, gradient, 5e-6)


@pytest.mark.parametrize("is_additive", [False, True])
def test_gradients_of_attention_are_the_same_to_the_bit_in_any_batch(is_additive):
    given, lengths, upstream = attended_by((9, 5, 11, 21, 37), is_additive)
    *together, of_kernel = attention_gradients(given, lengths, upstream)
    sums = np.zeros_like(of_kernel)
    for i, n in enumerate(lengths):
        for n_source in (n, 11):
            own = [given[0][i : i + 1]]
            own += [array[i : i + 1, :n_source] for array in given[1:3]]
            cut = [upstream[0][i : i + 1], upstream[1][i : i + 1, :, :n_source]]
            *alone, own_kernel = attention_gradients(
                [*own, given[3]], lengths[i : i + 1], cut
            )
            np.testing.assert_array_equal(alone[0][0], together[0][i])
            for array, whole in zip(alone[1:], together[1:], strict=True):
                np.testing.assert_array_equal(array[0], whole[i, :n_source])
                assert not whole[i, n:].any()
        sums += own_kernel
    np.testing.assert_array_equal(of_kernel, sums)


@pytest.mark.parametrize("is_additive", [False, True])
@pytest.mark.parametrize("n_threads", [2, 3, 50])
def test_no_bit_of_attention_depends_on_the_number_of_threads(
    n_threads, is_additive, monkeypatch
):
    given, lengths, upstream = attended_by((23, 20, 60, 96, 100), is_additive)
    found = []
    for n in (1, n_threads):
        monkeypatch.setattr(rows, "n_intra_op_threads", lambda n=n: n)
        outputs = rows.attention(*given[:3], lengths, given[3])
        found.append([*outputs, *attention_gradients(given, lengths, upstream)])
    for one, more in zip(*found, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, more)


@pytest.mark.parametrize("n_ids", [1, 2, 7, 16, 47, 300])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("scale", [1, 30])
def test_the_cross_entropy_is_the_formula_with_its_gradient(n_ids, smoothing, scale):
    logits, upstream = drawn(11, n_ids) * np.float32(scale), drawn(11, seed=1)
    labels = np.random.default_rng(2).integers(0, n_ids, 11).astype("int32")
    wanted = (1 - smoothing) * np.eye(n_ids)[labels] + smoothing / n_ids
    expected = -(wanted * log_softmax(logits)).sum(-1)
    tensor = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        found = rows.cross_entropy(tensor, labels, smoothing)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * scale)
    found = tape.gradient(found, tensor, upstream)
    expected = upstream[:, np.newaxis] * (np.exp(log_softmax(logits)) - wanted)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_the_cross_entropy_is_that_of_tensorflow_where_nothing_is_compiled(monkeypatch):
    logits, labels = drawn(9, 13), np.arange(9, dtype="int32")
    expected = rows.cross_entropy(logits, labels, 0.1)
    monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    found = rows.cross_entropy(logits, labels, 0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("n_threads", [2, 50])
def test_no_bit_of_the_gradient_of_a_loss_depends_on_what_is_beside_it(
    n_threads, monkeypatch
):
    logits, upstream = drawn(900, 500), drawn(900, seed=1)
    labels = np.random.default_rng(2).integers(0, 500, 900).astype("int32")

    def gradient(rows_of):
        tensor = tf.constant(logits[rows_of])
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            losses = rows.cross_entropy(tensor, labels[rows_of], 0.1)
        return tape.gradient(losses, tensor, upstream[rows_of]).numpy()

    alone = np.concatenate([gradient(slice(i, i + 7)) for i in range(0, 900, 7)])
    monkeypatch.setattr(rows, "n_intra_op_threads", lambda: n_threads)
    np.testing.assert_array_equal(gradient(slice(None)), alone)


@pytest.mark.parametrize("label", [-1, 5])
def test_labels_that_no_logit_stands_for_are_refused_in_words(label):
    with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 4"):
        rows.cross_entropy(drawn(3, 5), np.array([0, label, 4], "int32"))


@pytest.mark.parametrize("units", [1, 5, 8, 19, 32])
@pytest.mark.parametrize("n_rows", [0, 1, 3, 14])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_step_is_that_of_the_cell_and_of_a_whole_sequence(cell, n_rows, units):
    layer = Recurrent(units, cell)
    layer.build((None, None, 6))
    layer.set_weights([drawn(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    n_states = len(layer.first_state())
    state = [drawn(n_rows, units, seed=i) for i in range(n_states)]
    frame = tf.constant(drawn(n_rows, 6, seed=4))
    found = layer.step(frame, state)
    trained = layer.step(frame, state, training=True) if n_rows else found
    for ours, theirs in zip(found, trained, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-6)
    whole = layer(frame[:, tf.newaxis], tf.ones(n_rows, tf.int32), state)
    np.testing.assert_array_equal(found[0], whole[:, 0])
    if n_rows:
        alone = layer.step(frame[-1:], [part[-1:] for part in state])
        np.testing.assert_array_equal(alone[-1], found[-1][-1:])


@pytest.mark.parametrize("n_threads", [1, 2, 3, 50])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_no_bit_of_a_step_depends_on_the_number_of_threads(
    cell, n_threads, monkeypatch
):
    n_gates, n_states = {"lstm": (4, 2), "gru": (3, 1)}[cell]
    width = 70 * n_gates
    bias = drawn(width) if cell == "lstm" else drawn(2, width)
    weights = drawn(60, width, seed=1), drawn(70, width, seed=2), bias
    frame = drawn(600, 60, seed=3)  # enough to be shared out
    state = [drawn(600, 70, seed=4 + i) for i in range(n_states)]
    monkeypatch.setattr(rows, "n_intra_op_threads", lambda: n_threads)
    found = rows.step(cell, frame, weights, state)
    expected = rows.step(cell, frame[-7:], weights, [part[-7:] for part in state])
    for together, alone in zip(found, expected, strict=True):
        assert np.isfinite(together).all()
        np.testing.assert_array_equal(together[-7:], alone)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_step_has_the_gradients_of_the_cell_in_inference_too(cell):
    layer = Recurrent(5, cell)
    layer.build((None, None, 6))
    layer.set_weights([drawn(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    n_states = len(layer.first_state())
    sources = [tf.constant(drawn(3, n)) for n in (6, *[5] * n_states)]
    found = []
    for training in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            after = layer.step(sources[0], sources[1:], training)
            total = tf.add_n([tf.reduce_sum(part**2) for part in after])
        weights = [w.value for w in layer.weights]
        found.append(tape.gradient(total, [*sources, *weights]))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", [None, "tanh", "relu"])
def test_layers_give_the_same_in_training_but_for_rounding(activation):
    layer = dense(11, "layer", activation)
    layer.build((None, 7))
    layer.set_weights(layer_of(7, 11))
    frames = drawn(5, 3, 7)
    found = [layer(frames, training=training) for training in (True, False)]
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_those_of_differences(name):
    function = applied(6, 4)[name]
    inputs = tf.constant(drawn(2, 3, 6))
    upstream = drawn(*function(inputs).shape, seed=7)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(function(inputs) * upstream)
    found = tape.gradient(total, inputs).numpy()
    step, expected = 1e-2, np.zeros(found.shape)
    for place in np.ndindex(found.shape):
        more, less = inputs.numpy(), inputs.numpy()
        more[place] += step
        less[place] -= step
        both = [np.float64(function(x) * upstream).sum() for x in (more, less)]
        expected[place] = (both[0] - both[1]) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-2)


def test_weights_have_gradients_in_inference_too():
    layer = FrameConvolution(5, 3, strides=2)
    layer.build((None, None, 4))
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    frames, found = drawn(2, 7, 4), []
    for training in (True, False):
        with tf.GradientTape() as tape:
            outputs = layer(frames, tf.constant([7, 4]), training=training)
            total = tf.reduce_sum(outputs * drawn(*outputs.shape, seed=1))
        found.append(tape.gradient(total, [w.value for w in layer.weights]))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("kernel", "bias", "message"),
    [
        ((4, 2), (2,), r"kernel must have shape \(3, 2, \)"),
        ((3, 2), (1,), r"bias must have shape \(2, \)"),
        ((3,), (2,), "kernel must have 2 axes"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_words(kernel, bias, message):
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
        rows.dense(drawn(5, 3), drawn(*kernel), drawn(*bias))


def network(*layers):
    frames = keras.Input((None, 4))
    lengths = keras.Input((), dtype="int32")
    outputs = frames
    for layer in layers:
        takes_lengths = isinstance(layer, Recurrent)
        outputs = layer(outputs, lengths) if takes_lengths else layer(outputs)
    return keras.Model([frames, lengths], outputs)


def test_a_network_tells_whether_its_rows_are_independent(monkeypatch):
    ours = network(Recurrent(3), dense(2, "outputs", "tanh"))
    assert rows.are_independent(ours)
    assert not rows.are_independent(network(keras.layers.Dense(2)))
    assert not rows.are_independent(network(dense(2, "outputs", "sigmoid")))
    inner = keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(3)])
    assert not rows.are_independent(network(inner, dense(2, "outputs")))
    monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    assert not rows.are_independent(ours)
