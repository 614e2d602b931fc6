from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from skseq._nn import compiled
from skseq._nn import lstm as _lstm
from skseq._nn.layers import (
    CELLS,
    FinalStates,
    FrameConvolution,
    ImageConvolution,
    Recurrent,
    autonomous_lstm,
    reversed_sequences,
    strided_length,
    zero_padding,
)

pytestmark = pytest.mark.core

LENGTHS = (7, 4, 1, 6)

FRAME_LAYERS = {
    f"{cell} {direction}": partial(Recurrent, 4, cell, backward=direction == "backward")
    for cell in CELLS
    for direction in ("forward", "backward")
} | {
    f"convolution {kernel_size} stride {strides}": partial(
        FrameConvolution, 3, kernel_size, strides
    )
    for kernel_size, strides in [(1, 1), (2, 2), (3, 1), (4, 3), (5, 1), (5, 2)]
}


@pytest.fixture(params=[0, 96], ids=["loop", "block kernel"])
def max_width(request, monkeypatch):
    """Up to what width an LSTM runs in the block kernel (on a CPU)."""
    monkeypatch.setattr(_lstm, "BLOCK_KERNEL_MAX_WIDTH", request.param)


def randomized(layer, *shape, seed=0):
    """Build a layer and give it weights none of which is zero, biases least of all."""
    layer.build(shape)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(scale=0.7, size=w.shape) for w in layer.weights])
    return layer


def values_and_gradients(layer, *inputs, upstream):
    """Outputs; gradients of their product with `upstream`: inputs', then weights'."""
    frames = tf.constant(inputs[0])
    with tf.GradientTape() as tape:
        tape.watch(frames)
        outputs = layer(frames, *inputs[1:])
        total = tf.reduce_sum(outputs * upstream[:, : outputs.shape[1]])
    weights = [w.value for w in layer.trainable_weights]
    gradients = tape.gradient(total, [frames, *weights])
    return outputs.numpy(), [g.numpy() for g in gradients]


def garbage_past_end(frames, lengths):
    frames = frames.copy()
    for row, n in zip(frames, lengths, strict=True):
        row[n:] = 30 * (1 + np.abs(row[n:]))
    return frames


def assert_same_alone_and_in_a_batch(layer, frames, strides):
    """Values, and gradients of inputs and weights; zeros past the end."""
    lengths = np.array(LENGTHS, dtype="int32")
    out_lengths = [-(-n // strides) for n in LENGTHS]
    out_shape = layer.compute_output_shape(frames.shape)
    upstream = np.random.default_rng(3).normal(size=out_shape).astype("float32")
    outputs, (input_gradient, *weight_gradients) = values_and_gradients(
        layer, garbage_past_end(frames, LENGTHS), lengths, upstream=upstream
    )
    assert outputs.shape == tuple(out_shape)
    sums = [np.zeros_like(g) for g in weight_gradients]
    for i, (n, n_out) in enumerate(zip(LENGTHS, out_lengths, strict=True)):
        alone, (gradient, *gradients) = values_and_gradients(
            layer,
            frames[i : i + 1, :n],
            lengths[i : i + 1],
            upstream=upstream[i : i + 1],
        )
        np.testing.assert_allclose(outputs[i, :n_out], alone[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(outputs[i, n_out:], 0)
        np.testing.assert_allclose(input_gradient[i, :n], gradient[0], atol=1e-5)
        np.testing.assert_array_equal(input_gradient[i, n:], 0)
        sums = [total + g for total, g in zip(sums, gradients, strict=True)]
    for gradient, total in zip(weight_gradients, sums, strict=True):
        np.testing.assert_allclose(gradient, total, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FRAME_LAYERS)
def test_a_frame_layer_cannot_see_past_the_end_of_a_sequence(name):
    layer = randomized(FRAME_LAYERS[name](), None, None, 2)
    frames = np.random.default_rng(1).normal(size=(4, 10, 2)).astype("float32")
    strides = getattr(layer, "strides", 1)
    assert_same_alone_and_in_a_batch(layer, frames, strides)


@pytest.mark.parametrize(("height", "channels"), [(1, 1), (5, 2), (6, 1)])
def test_an_image_layer_cannot_see_past_the_last_column(height, channels):
    layer = randomized(ImageConvolution(3), None, None, height, channels)
    images = np.random.default_rng(1).normal(size=(4, 9, height, channels))
    assert_same_alone_and_in_a_batch(layer, images.astype("float32"), 2)


@pytest.mark.parametrize(("n_samples", "n_features"), [(3, 5), (4, 5), (3, 6)])
def test_a_recurrence_prints_nothing_whatever_its_sizes(n_samples, n_features, capfd):
    layer = randomized(Recurrent(4), None, None, n_features)
    frames = np.zeros((n_samples, 7, n_features), dtype="float32")
    capfd.readouterr()
    layer(frames, np.full(n_samples, 7))
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.usefixtures("max_width")
def test_a_backward_recurrence_is_the_stock_layer_on_each_reversed_sequence(cell):
    layer = randomized(Recurrent(2, cell, backward=True), None, None, 2)
    stock = randomized(CELLS[cell](2, return_sequences=True), None, None, 2)
    stock.set_weights(layer.get_weights())
    frames = np.random.default_rng(4).normal(size=(4, 7, 2)).astype("float32")
    states = layer(frames, np.array(LENGTHS)).numpy()
    for row, sequence, n in zip(states, frames, LENGTHS, strict=True):
        expected = stock(sequence[None, :n][:, ::-1]).numpy()[0, ::-1]
        np.testing.assert_allclose(row[:n], expected, atol=1e-6)


# -- recurrences that start from a state -----------------------------------------------


def lstm_states(frames, state, kernel, recurrent_kernel, bias):
    """Outputs of one sequence (Hochreiter & Schmidhuber 1997, with a forget gate)."""
    output, memory = state
    outputs = []
    for frame in frames:
        gates = frame @ kernel + output @ recurrent_kernel + bias
        i, f, c, o = np.split(gates, 4)
        memory = expit(f) * memory + expit(i) * np.tanh(c)
        output = expit(o) * np.tanh(memory)
        outputs.append(output)
    return np.array(outputs)


def gru_states(frames, state, kernel, recurrent_kernel, bias):
    """Outputs of one sequence (Cho et al. 2014, the reset gate after the product)."""
    (output,) = state
    outputs = []
    for frame in frames:
        update, reset, new = np.split(frame @ kernel + bias[0], 3)
        products = np.split(output @ recurrent_kernel + bias[1], 3)
        update, reset = expit(update + products[0]), expit(reset + products[1])
        new = np.tanh(new + reset * products[2])
        output = update * output + (1 - update) * new
        outputs.append(output)
    return np.array(outputs)


FORMULAS = {"lstm": (lstm_states, 2), "gru": (gru_states, 1)}
N_FRAMES, UNITS = max(LENGTHS), 4


def started(cell, seed=6):
    """Frames, and a state for each sequence to start from."""
    rng = np.random.default_rng(seed)
    frames = rng.normal(size=(len(LENGTHS), N_FRAMES, 2)).astype("float32")
    shape = (FORMULAS[cell][1], len(LENGTHS), UNITS)
    return frames, list(rng.normal(size=shape).astype("float32"))


@pytest.mark.usefixtures("max_width")
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("backward", [False, True])
def test_a_recurrence_goes_on_from_the_state_that_it_is_given(cell, backward):
    layer = randomized(Recurrent(UNITS, cell, backward=backward), None, None, 2)
    frames, state = started(cell)
    outputs = layer(garbage_past_end(frames, LENGTHS), np.array(LENGTHS), state)
    formula, _ = FORMULAS[cell]
    order = slice(None, None, -1 if backward else 1)
    for i, n in enumerate(LENGTHS):
        own = [part[i] for part in state]
        expected = formula(frames[i, :n][order], own, *layer.get_weights())[order]
        np.testing.assert_allclose(outputs[i, :n], expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(outputs[i, n:], 0)


@pytest.mark.usefixtures("max_width")
@pytest.mark.parametrize("cell", CELLS)
def test_no_state_is_a_state_of_zeros(cell):
    layer = randomized(Recurrent(UNITS, cell), None, None, 2)
    frames, state = started(cell)
    zeros = [np.zeros_like(part) for part in state]
    np.testing.assert_array_equal(
        layer(frames, np.array(LENGTHS), zeros), layer(frames, np.array(LENGTHS))
    )


@pytest.mark.usefixtures("max_width")
@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_a_recurrence_is_what_it_is_at_once(cell):
    layer = randomized(Recurrent(UNITS, cell), None, None, 2)
    frames, state = started(cell)
    at_once = layer(frames, np.full(len(frames), N_FRAMES), state)
    for t in range(N_FRAMES):
        state = layer.step(tf.constant(frames[:, t]), state)
        assert len(state) == FORMULAS[cell][1]
        np.testing.assert_allclose(state[0], at_once[:, t], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("max_width")
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_the_first_state_is_that_of_the_stock_layer(cell):
    layer = randomized(Recurrent(UNITS, cell), None, None, 2)
    stock = randomized(CELLS[cell](UNITS, return_sequences=True), None, None, 2)
    stock.set_weights(layer.get_weights())
    frames, state = started(cell)
    state = [tf.constant(part) for part in state]
    upstream = np.random.default_rng(7).normal(size=(4, N_FRAMES, UNITS))
    is_frame = np.arange(N_FRAMES) < np.array(LENGTHS)[:, None]
    upstream = (upstream * is_frame[..., None]).astype("float32")
    gradients = []
    for run in (
        lambda: layer(frames, np.array(LENGTHS), state),
        lambda: stock(frames, initial_state=state),
    ):
        with tf.GradientTape() as tape:
            tape.watch(state)
            total = tf.reduce_sum(run() * upstream)
        gradients.append(tape.gradient(total, state))
    for gradient, expected in zip(*gradients, strict=True):
        assert np.abs(expected).min() > 0
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def test_an_autonomous_lstm_is_one_whose_frames_say_nothing():
    layer = randomized(Recurrent(UNITS), None, None, 2)
    kernel, *weights = layer.get_weights()
    _, state = started("lstm")
    states = autonomous_lstm(*weights, state, np.array(LENGTHS), N_FRAMES)
    assert states.shape == (len(LENGTHS), N_FRAMES, UNITS)
    for i, n_frames in enumerate(LENGTHS):
        own = [part[i] for part in state]
        expected = lstm_states(np.zeros((n_frames, 2)), own, kernel, *weights)
        np.testing.assert_allclose(states[i, :n_frames], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_an_autonomous_lstm_prints_nothing_whatever_its_sizes(n_samples, capfd):
    weights = np.zeros((UNITS, 4 * UNITS), "float32"), np.zeros(4 * UNITS, "float32")
    state = list(np.zeros((2, n_samples, UNITS), dtype="float32"))
    capfd.readouterr()
    autonomous_lstm(*weights, state, np.full(n_samples, N_FRAMES), N_FRAMES)
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_final_states_are_what_each_direction_hands_on_at_its_end(cell, bidirectional):
    frames, _ = started(cell)
    lengths, parts, expected = np.array(LENGTHS), [], []
    for backward in (False, True)[: 1 + bidirectional]:
        layer = randomized(Recurrent(3, cell, backward=backward), None, None, 2)
        stock = randomized(CELLS[cell](3), None, None, 2)
        stock.set_weights(layer.get_weights())
        parts.append(layer(frames, lengths))
        order = slice(None, None, -1 if backward else 1)
        own = [row[:n][order] for row, n in zip(frames, LENGTHS, strict=True)]
        expected.append([stock(sequence[None]).numpy()[0] for sequence in own])
    final = FinalStates(bidirectional)
    states = tf.concat(parts, axis=-1)
    np.testing.assert_allclose(
        final(states, lengths), np.concatenate(expected, axis=-1), atol=1e-6
    )
    assert final.compute_output_shape(states.shape, (4,)) == (4, states.shape[-1])


@pytest.mark.parametrize("kernel_size", [1, 2, 5])
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_a_frame_convolution_is_a_plain_loop_over_centred_windows(kernel_size, strides):
    layer = randomized(FrameConvolution(3, kernel_size, strides), None, None, 2)
    kernel, bias, gamma, beta = layer.get_weights()
    frames = np.random.default_rng(5).normal(size=(7, 2)).astype("float32")
    before = (kernel_size - 1) // 2
    expected = []
    for t in range(0, 7, strides):
        value = bias.astype("float64")
        for k in range(kernel_size):
            if 0 <= t - before + k < 7:
                value = value + frames[t - before + k] @ kernel[k]
        normal = (value - value.mean()) / np.sqrt(value.var() + 1e-3)
        expected.append(np.maximum(gamma * normal + beta, 0))
    got = layer(frames[None], np.array([7]))[0]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def same(found, expected):
    """Equal: to the bit where rows do not depend on what is beside them."""
    tolerance = 0 if compiled.is_in_use() else 1e-5
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kernel_size", [1, 2, 5, 6])
@pytest.mark.parametrize("strides", [1, 2, 3, 7])
def test_a_convolution_of_pieces_is_that_of_the_whole(kernel_size, strides):
    layer = randomized(FrameConvolution(3, kernel_size, strides), None, None, 2)
    rng = np.random.default_rng(6)
    for n_frames in range(1, 25):
        frames = rng.normal(size=(1, n_frames, 2)).astype("float32")
        ends = np.sort(rng.integers(0, n_frames + 1, size=4))
        *pieces, last = np.split(frames, ends, axis=1)
        context, found = layer.first_context(2), []
        for piece in pieces:
            outputs, context = layer.advance(piece, context)
            assert context.shape[1] < kernel_size + strides
            found.append(outputs)
        begun, rest = layer.advance(last, context)
        ended = tf.concat([begun, layer.conclude(frames[:, :0], rest)], axis=1)
        same(layer.conclude(last, context), ended)
        whole = layer(frames, np.array([n_frames]))
        same(tf.concat([*found, ended], axis=1), whole)


@pytest.mark.parametrize("cell", CELLS)
def test_a_recurrence_goes_on_from_the_state_that_it_left(cell):
    layer = randomized(Recurrent(5, cell), None, None, 2)
    frames = np.random.default_rng(7).normal(size=(1, 11, 2)).astype("float32")
    advance = tf.function(layer.advance)
    state, found = layer.first_state(), []
    for piece in np.split(frames, [0, 1, 4, 4, 10], axis=1):
        outputs, state = advance(piece, state)
        found.append(outputs)
    same(tf.concat(found, axis=1), layer(frames, np.array([11])))


@pytest.mark.parametrize("cell", CELLS)
def test_on_a_gpu_the_stock_layer_does_the_same(cell, monkeypatch):
    layer = randomized(Recurrent(UNITS, cell), None, None, 2)
    frames, state = started(cell)
    found = []
    for is_gpu in (False, True):
        monkeypatch.setattr(compiled, "on_gpu", lambda is_gpu=is_gpu: is_gpu)
        found.append(layer(frames, np.array(LENGTHS), state))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_zero_padding_removes_even_what_is_not_a_number(shape):
    frames = np.full(shape, np.nan, dtype="float32")
    frames[0, :2] = 1.0
    zeroed = zero_padding(tf.constant(frames), [2, 0]).numpy()
    np.testing.assert_array_equal(zeroed[0, :2], 1)
    assert zeroed.sum() == zeroed[0, :2].size


def test_each_sequence_is_reversed_within_its_own_length():
    frames = np.arange(24.0).reshape(4, 3, 2)
    lengths = np.array([3, 2, 1, 0])
    expected = frames.copy()
    expected[0], expected[1, :2] = frames[0, ::-1], frames[1, 1::-1]
    found = reversed_sequences(tf.constant(frames), tf.constant(lengths))
    np.testing.assert_array_equal(found, expected)


def test_the_gradient_of_a_turned_sequence_is_turned_back():
    frames = tf.random.stateless_normal((3, 5, 2), (0, 0))
    weights = tf.random.stateless_normal((3, 5, 2), (1, 1))
    lengths = tf.constant([5, 3, 1])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(frames)
        ours = tf.reduce_sum(weights * reversed_sequences(frames, lengths) ** 2)
        stock = tf.reverse_sequence(frames, lengths, seq_axis=1)
        theirs = tf.reduce_sum(weights * stock**2)
    np.testing.assert_array_equal(
        tape.gradient(ours, frames), tape.gradient(theirs, frames)
    )


@pytest.mark.parametrize("strides", [1, 2, 3, 5])
def test_shortened_counts_the_frames_that_a_step_visits(strides):
    lengths = np.arange(1, 12)
    visited = [len(range(0, n, strides)) for n in lengths]
    np.testing.assert_array_equal(strided_length(lengths, strides), visited)
