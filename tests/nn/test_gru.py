import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from skseq._nn.gru import run_gru

pytestmark = pytest.mark.core


def drawn(n_samples, n_frames, width, units, seed=0):
    """Frames, weights and a first output."""
    rng = np.random.default_rng(seed)
    frames = rng.normal(size=(n_samples, n_frames, width))
    shapes = (width, 3 * units), (units, 3 * units), (2, 3 * units)
    weights = [rng.normal(scale=units**-0.5, size=shape) for shape in shapes]
    output = rng.normal(size=(n_samples, units))
    return [tf.constant(a, tf.float32) for a in (frames, *weights, output)]


def formula(frames, kernel, recurrent_kernel, bias, output):
    """Outputs of one sequence (Cho et al. 2014, the reset gate after the product)."""
    outputs = []
    for frame in frames:
        update, reset, new = np.split(frame @ kernel + bias[0], 3)
        products = np.split(output @ recurrent_kernel + bias[1], 3)
        update, reset = expit(update + products[0]), expit(reset + products[1])
        new = np.tanh(new + reset * products[2])
        output = update * output + (1 - update) * new
        outputs.append(output)
    return np.array(outputs)


@pytest.mark.parametrize("n_frames", [1, 2, 9])
def test_it_is_the_formula(n_frames):
    frames, *weights, output = drawn(5, n_frames, 3, 4)
    found = run_gru(frames, *weights, [output])
    numbers = [w.numpy().astype("float64") for w in weights]
    for i, outputs in enumerate(found):
        expected = formula(frames[i].numpy(), *numbers, output[i].numpy())
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("units", "width"), [(1, 3), (5, 2), (40, 1)])
@pytest.mark.parametrize("n_frames", [1, 12])
def test_it_has_all_gradients_of_the_keras_layer(units, width, n_frames):
    frames, *weights, output = drawn(3, n_frames, width, units, seed=1)
    layer = keras.layers.GRU(units, return_sequences=True)
    layer.build((None, None, width))
    layer.set_weights(weights)
    upstream = np.random.default_rng(2).normal(size=(3, n_frames, units))
    upstream = upstream.astype("float32")
    with tf.GradientTape() as tape:
        tape.watch([frames, output])
        total = tf.reduce_sum(layer(frames, initial_state=output) * upstream)
    variables = [w.value for w in layer.weights]
    expected = tape.gradient(total, [frames, *variables, output])
    sources = [frames, *weights, output]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        total = tf.reduce_sum(run_gru(frames, *weights, [output]) * upstream)
    for gradient, other in zip(tape.gradient(total, sources), expected, strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-5)


def test_it_can_be_traced_without_knowing_any_length():
    _, *weights, _ = drawn(1, 1, 2, 4)

    @tf.function(input_signature=[tf.TensorSpec((None, None, 2))])
    def total(frames):
        outputs = run_gru(frames, *weights, [tf.zeros((tf.shape(frames)[0], 4))])
        assert outputs.shape[2] == 4
        return tf.reduce_sum(outputs)

    for n_samples, n_frames in [(1, 1), (3, 5)]:
        frames = drawn(n_samples, n_frames, 2, 4)[0]
        alone = run_gru(frames, *weights, [tf.zeros((n_samples, 4))])
        np.testing.assert_allclose(total(frames), tf.reduce_sum(alone), rtol=1e-5)
