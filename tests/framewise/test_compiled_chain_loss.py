"""What the compiled loss of a chain promises beyond the definition of the loss."""

import numpy as np
import pytest
import tensorflow as tf

from skseq._framewise.chain_loss import chain_losses
from skseq._nn import compiled

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(not compiled.is_in_use(), reason=compiled.status()),
]


def batch(n_samples=40, n_frames=70, n_classes=9, seed=0):
    """Scores, weights, partial labels and lengths."""
    rng = np.random.default_rng(seed)
    shapes = (n_samples, n_frames, n_classes), (n_classes, n_classes), n_classes
    numbers = [
        rng.normal(size=shape).astype("float32") for shape in (*shapes, n_classes)
    ]
    labels = rng.integers(-1, n_classes, (n_samples, n_frames)).astype("int32")
    lengths = rng.integers(0, n_frames + 1, n_samples).astype("int32")
    return [*numbers, labels, lengths]


def run(inputs, n_threads=2):
    """The operation's losses, slopes and slopes of pairs."""
    found = compiled.operations().skseq_chain_loss(*inputs, n_threads=n_threads)
    return [part.numpy() for part in found]


def test_threads_do_not_change_a_bit():
    inputs = batch()
    for n_threads in (1, 3, 8):
        for own, other in zip(run(inputs), run(inputs, n_threads), strict=True):
            np.testing.assert_array_equal(own, other)


def test_what_is_beside_a_sequence_does_not_change_a_bit():
    inputs = batch()
    together = run(inputs)
    scores, *weights, labels, lengths = inputs
    for i in (0, 7, 39):
        own = scores[i : i + 1], *weights, labels[i : i + 1], lengths[i : i + 1]
        for all_found, found in zip(together, run(own), strict=True):
            np.testing.assert_array_equal(all_found[i], found[0])


def test_an_empty_batch_has_no_losses():
    shapes = [part.shape for part in run(batch(n_samples=0))]
    assert shapes == [(0,), (0, 70, 9), (0, 9, 9)]
    losses, slopes, _ = run(batch(n_samples=2, n_frames=0))
    assert losses.tolist() == [0.0, 0.0]
    assert slopes.shape == (2, 0, 9)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (4, np.full((3, 5), 4), "Sequence 0: labels must be numbers of classes, or -1"),
        (4, np.full((3, 5), -2), "Sequence 0: labels must be numbers of classes, or"),
        (5, [1, 6, 5], "Sequence 1: lengths must be from 0 to the number of frames"),
        (5, [1, 1, -1], "Sequence 2: lengths must be from 0 to the number of frames"),
        (4, np.zeros((3, 4)), r"labels must have shape \(3, 5, \)"),
        (1, np.zeros((4, 3)), r"pairs must have shape \(4, 4, \)"),
        (0, np.zeros((3, 5)), "scores must have 3 axes"),
        (0, np.zeros((3, 5, 0)), "must have shape|There must be a class"),
    ],
)
def test_an_operation_refuses_what_would_leave_its_arrays(place, value, message):
    inputs = batch(3, 5, 4)
    inputs[5] = np.array([5, 5, 5], "int32")
    inputs[place] = np.asarray(value, dtype=inputs[place].dtype)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(inputs)


def test_there_is_no_second_derivative_in_silence():
    inputs = [tf.constant(value) for value in batch(2, 5, 3)]
    with tf.GradientTape() as outer:
        outer.watch(inputs[0])
        with tf.GradientTape() as tape:
            tape.watch(inputs[0])
            loss = tf.reduce_sum(chain_losses(*inputs))
        slope = tf.reduce_sum(tape.gradient(loss, inputs[0]) ** 2)
    with pytest.raises(LookupError, match="loss of a chain has no second derivative"):
        outer.gradient(slope, inputs[0])
