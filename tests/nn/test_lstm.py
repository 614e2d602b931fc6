import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from skseq._nn import lstm as _lstm
from skseq._nn.lstm import BLOCK_KERNEL_MAX_WIDTH, block_lstm, looped_lstm, run_lstm

pytestmark = pytest.mark.core

WAYS = [block_lstm, looped_lstm]


def weights_of(width, units, rng):
    shapes = (width, 4 * units), (units, 4 * units), (4 * units,)
    return [tf.constant(rng.normal(scale=0.7, size=s), tf.float32) for s in shapes]


def frames_and_state(n_samples, n_frames, width, units, rng):
    frames = tf.constant(rng.normal(size=(n_samples, n_frames, width)), tf.float32)
    state = rng.normal(size=(2, n_samples, units))
    return frames, [tf.constant(part, tf.float32) for part in state]


def formula(frames, kernel, recurrent_kernel, bias, state):
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


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_frames", [1, 2, 9])
def test_each_way_is_the_formula(way, n_frames):
    rng = np.random.default_rng(0)
    weights = weights_of(3, 4, rng)
    frames, state = frames_and_state(5, n_frames, 3, 4, rng)
    found = way(frames, *weights, state)
    numbers = [w.numpy().astype("float64") for w in weights]
    for i, outputs in enumerate(found):
        own = [part.numpy()[i] for part in state]
        expected = formula(frames[i].numpy(), *numbers, own)
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("units", "width"), [(1, 3), (2, 2), (40, 1)])
@pytest.mark.parametrize("n_frames", [1, 12])
def test_each_way_has_all_gradients_of_the_keras_layer(way, units, width, n_frames):
    rng = np.random.default_rng(1)
    layer = keras.layers.LSTM(units, return_sequences=True)
    layer.build((None, None, width))
    weights = weights_of(width, units, rng)
    layer.set_weights(weights)
    frames, state = frames_and_state(3, n_frames, width, units, rng)
    upstream = tf.constant(rng.normal(size=(3, n_frames, units)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([frames, *state])
        total = tf.reduce_sum(layer(frames, initial_state=state) * upstream)
    variables = [w.value for w in layer.weights]
    expected = tape.gradient(total, [frames, *variables, *state])
    sources = [frames, *weights, *state]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        total = tf.reduce_sum(way(frames, *weights, state) * upstream)
    for gradient, other in zip(tape.gradient(total, sources), expected, strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_can_be_traced_without_knowing_any_length(way):
    rng = np.random.default_rng(2)
    weights = weights_of(2, 4, rng)

    @tf.function(input_signature=[tf.TensorSpec((None, None, 2))])
    def total(frames):
        state = [tf.zeros((tf.shape(frames)[0], 4))] * 2
        outputs = way(frames, *weights, state)
        assert outputs.shape[2] == 4
        return tf.reduce_sum(outputs)

    for n_samples, n_frames in [(1, 1), (3, 5)]:
        frames, _ = frames_and_state(n_samples, n_frames, 2, 4, rng)
        state = [tf.zeros((n_samples, 4))] * 2
        expected = tf.reduce_sum(way(frames, *weights, state))
        np.testing.assert_allclose(total(frames), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("n_features", "units", "way"),
    [
        (28, BLOCK_KERNEL_MAX_WIDTH - 28, "block_lstm"),
        (30, BLOCK_KERNEL_MAX_WIDTH - 28, "looped_lstm"),
        (1, 5, "looped_lstm"),
    ],
)
def test_the_kernel_serves_few_features_and_few_and_even_units(
    n_features, units, way, monkeypatch
):
    chosen = []
    for name in ("block_lstm", "looped_lstm"):
        monkeypatch.setattr(_lstm, name, lambda *_, name=name: chosen.append(name))
    kernels = [tf.zeros((n, 4 * units)) for n in (n_features, units)]
    run_lstm(None, *kernels, None, None)
    assert chosen == [way]
