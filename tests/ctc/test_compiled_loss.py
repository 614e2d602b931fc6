"""What the compiled loss of CTC promises beyond the definition of the loss."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from skseq._ctc.lattice import log_likelihood
from skseq._ctc.loss import CTCLosses
from skseq._nn import compiled
from tests.ctc.test_loss import targets_of

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(not compiled.is_in_use(), reason=compiled.status()),
]


def batch(n_samples, n_frames, n_classes, most_labels, scale=2.0, seed=0):
    """Logits, lengths and labels that have enough frames."""
    rng = np.random.default_rng(seed)
    logits = scale * rng.normal(size=(n_samples, n_frames, n_classes))
    lengths = rng.integers(min(n_frames, 2 * most_labels), n_frames + 1, n_samples)
    counts = rng.integers(0, most_labels + 1, n_samples)
    labels = [rng.integers(n_classes - 1, size=n).tolist() for n in counts]
    return logits.astype("float32"), lengths.astype("int32"), labels


def run(logits, lengths, labels, n_threads=2):
    """The operation's losses and slopes."""
    targets = targets_of(labels)
    found = compiled.operations().skseq_ctc_loss(
        logits, lengths, **targets, n_threads=n_threads
    )
    return [part.numpy() for part in found]


def exact_losses(logits, lengths, labels):
    log_probs = log_softmax(logits.astype("float64"), axis=-1)
    return -log_likelihood(log_probs, lengths, [np.array(i, int) for i in labels])


# Samples, frames, classes and the most labels: one of each, many labels, two classes,
# more classes than a vector holds, and frames for which masses must be scaled.
SIZES = [
    *((1, 1, 2, 1), (5, 9, 2, 4), (7, 40, 5, 20), (3, 30, 700, 9)),
    *((4, 3000, 12, 400), (2, 12_000, 4, 30)),
]


@pytest.mark.parametrize("scale", [0.0, 2.0, 15.0])
@pytest.mark.parametrize("sizes", SIZES)
def test_losses_are_those_of_the_exact_lattice(sizes, scale):
    given = batch(*sizes, scale=scale)
    found, slopes = run(*given)
    np.testing.assert_allclose(found, exact_losses(*given), rtol=2e-6, atol=2e-5)
    # Probabilities less shares, both of which add up to one.
    np.testing.assert_allclose(slopes.sum(axis=2), 0, atol=1e-5)


@pytest.mark.parametrize("scale", [2.0, 200.0])
def test_slopes_are_the_differences_of_the_exact_loss(scale):
    logits, lengths, labels = batch(6, 8, 4, 3, scale)
    _, slopes = run(logits, lengths, labels)
    for place in np.ndindex(*logits.shape[1:]):
        step = np.zeros(logits.shape)
        step[:, *place] = 1e-3
        up, down = (exact_losses(logits + s, lengths, labels) for s in (step, -step))
        expected = (up - down) / 2e-3
        np.testing.assert_allclose(slopes[:, *place], expected, rtol=1e-4, atol=1e-4)


def test_paths_that_all_but_die_out_before_the_end_are_summed_in_logarithms():
    # All is sure of one label up to the last frame, by when another must have come.
    logits = np.zeros((1, 40, 4), dtype="float32")
    logits[0, :, 0] = 400.0
    given = logits, np.array([40], dtype="int32"), [[1, 2, 1]]
    losses, slopes = run(*given)
    np.testing.assert_allclose(losses, exact_losses(*given), rtol=1e-6)
    assert losses[0] > 1e4
    np.testing.assert_allclose(slopes[0, :, 0], 1, atol=1e-6)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 50])
def test_no_bit_depends_on_the_batch_on_padding_or_on_the_number_of_threads(n_threads):
    logits, lengths, labels = batch(40, 120, 30, 12)
    together = run(logits, lengths, labels, n_threads)
    for i in range(0, 40, 7):
        n = lengths[i]
        alone = run(logits[i : i + 1, :n], lengths[i : i + 1], labels[i : i + 1])
        np.testing.assert_array_equal(alone[0][0], together[0][i])
        np.testing.assert_array_equal(alone[1][0], together[1][i, :n])
        assert not together[1][i, n:].any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [(0, 0), (3, 2), (5, 4)])
def test_what_is_no_number_spoils_its_own_sequence_only(place, value):
    logits, lengths, labels = batch(5, 12, 5, 3)
    expected = run(logits, lengths, labels)
    logits[2, *place] = value
    found = run(logits, lengths, labels)
    others = np.arange(5) != 2
    assert np.isnan(found[0][2])
    np.testing.assert_array_equal(found[0][others], expected[0][others])
    np.testing.assert_array_equal(found[1][others], expected[1][others])


def test_a_label_that_is_impossible_has_an_infinite_loss():
    logits = np.zeros((2, 3, 3), dtype="float32")
    logits[0, :, 1] = -np.inf
    losses, _ = run(logits, np.array([3, 3], "int32"), [[1], [1]])
    assert not np.isfinite(losses[0])
    assert losses[1] == pytest.approx(-np.log(6 / 27))


@pytest.mark.parametrize("n_samples", [0, 2])
def test_nothing_to_read_costs_nothing(n_samples):
    logits = np.zeros((n_samples, 0, 3), dtype="float32")
    losses, slopes = run(logits, np.zeros(n_samples, "int32"), [[]] * n_samples)
    np.testing.assert_array_equal(losses, np.zeros(n_samples))
    assert slopes.shape == logits.shape


REFUSED = {
    "a label of no class": ([3, 3], [[0], [2]], "labels must be numbers of"),
    "a label below zero": ([3, 3], [[0], [-1]], "labels must be numbers of"),
    "too few frames": ([3, 1], [[0], [0, 1]], "its labels need more frames"),
    "no frame between": ([3, 2], [[0], [1, 1]], "its labels need more frames"),
    "more frames than there are": ([3, 4], [[0], [1]], "lengths must be from 0"),
    "fewer than none": ([3, -1], [[0], []], "lengths must be from 0"),
}


@pytest.mark.parametrize(
    ("lengths", "labels", "message"), REFUSED.values(), ids=REFUSED
)
def test_labels_that_no_path_can_spell_are_refused_in_words(lengths, labels, message):
    logits = np.zeros((2, 3, 3), dtype="float32")
    message = f"Sequence 1: {message}"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(logits, np.array(lengths, dtype="int32"), labels)


def test_a_second_derivative_is_refused_instead_of_zero():
    logits, lengths, labels = batch(3, 9, 4, 3)
    variable = tf.Variable(logits)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            losses = CTCLosses()((variable, tf.constant(lengths)), targets_of(labels))
        first = inner.gradient(losses, variable)
    with pytest.raises(LookupError, match="no second derivative"):
        outer.gradient(first, variable)


def test_no_samples_take_no_memory_however_long_they_are():
    nothing = tf.zeros(0, tf.int32)
    found = compiled.operations().skseq_ctc_loss(
        tf.zeros((0, 2**60, 1)), nothing, tf.zeros((0, 0), tf.int32), nothing, 2
    )
    assert found[0].shape == (0,)


def test_sample_weights_reach_the_gradient():
    logits, lengths, labels = batch(3, 9, 4, 3)
    weights = np.array([1.0, 0.0, -2.5], dtype="float32")
    variable = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        losses = CTCLosses()((variable, tf.constant(lengths)), targets_of(labels))
        total = tf.reduce_sum(losses * weights)
    _, slopes = run(logits, lengths, labels)
    expected = slopes * weights[:, np.newaxis, np.newaxis]
    np.testing.assert_array_equal(tape.gradient(total, variable), expected)
