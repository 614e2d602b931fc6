from itertools import groupby, product

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, logsumexp

from skseq._ctc.lattice import log_likelihood
from skseq._ctc.loss import CTCLosses
from skseq._nn import compiled


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def way(request, monkeypatch):
    """Losses come from the compiled operation, or from TensorFlow's."""
    if request.param == "plain":
        monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    elif not compiled.is_in_use():
        pytest.skip(compiled.status())


def targets_of(labels):
    width = max([1, *map(len, labels)])
    padded = np.zeros((len(labels), width), dtype="int32")
    for row, item in zip(padded, labels, strict=True):
        row[: len(item)] = item
    counts = np.array([len(item) for item in labels], dtype="int32")
    return {"labels": tf.constant(padded), "label_lengths": tf.constant(counts)}


def losses_and_gradient(logits, lengths, labels):
    logits = tf.constant(logits, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = CTCLosses()(
            (logits, tf.constant(lengths, tf.int32)), targets_of(labels)
        )
        total = tf.reduce_sum(losses)
    return losses.numpy(), tape.gradient(total, logits).numpy()


def exact_losses(logits, lengths, labels):
    log_probs = log_softmax(logits.astype("float64"), axis=-1)
    return -log_likelihood(log_probs, lengths, [np.array(i, int) for i in labels])


@pytest.fixture(params=range(3))
def ragged_batch(request):
    """Logits of 3 labels and the blank; labels with repeats, and none at all."""
    rng = np.random.default_rng(request.param)
    labels = [[0, 1], [], [2, 2, 1], [1], [], [0, 0]]
    lengths = np.array([6, 4, 5, 1, 1, 3])
    return rng.normal(scale=3, size=(6, 8, 4)).astype("float32"), lengths, labels


@pytest.mark.parametrize("labels", [[], [0], [1, 1], [0, 1], [1, 0, 1]])
def test_the_loss_sums_over_all_paths_that_spell_the_labels(labels):
    logits = np.random.default_rng(0).normal(size=(1, 4, 3)).astype("float32")
    log_probs = log_softmax(logits[0], axis=-1)
    paths = [
        sum(log_probs[t, k] for t, k in enumerate(path))
        for path in product(range(3), repeat=4)
        if [k for k, _ in groupby(path) if k != 2] == labels
    ]
    losses, _ = losses_and_gradient(logits, [4], [labels])
    np.testing.assert_allclose(losses, [-logsumexp(paths)], rtol=1e-5)


def test_the_losses_of_a_ragged_batch_are_those_of_the_exact_lattice(ragged_batch):
    losses, _ = losses_and_gradient(*ragged_batch)
    np.testing.assert_allclose(losses, exact_losses(*ragged_batch), rtol=1e-5)


def test_the_gradient_is_the_slope_of_the_exact_loss(ragged_batch):
    logits, lengths, labels = ragged_batch
    _, gradient = losses_and_gradient(*ragged_batch)
    slopes = exact_gradient(logits, lengths, labels)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-3, atol=1e-4)


def test_frames_past_the_end_have_no_say_in_the_loss_and_get_no_gradient(ragged_batch):
    logits, lengths, labels = ragged_batch
    losses, gradient = losses_and_gradient(*ragged_batch)
    is_padding = np.arange(8) >= lengths[:, None]
    logits[is_padding] = 50 * logits[is_padding] + 7
    others, _ = losses_and_gradient(logits, lengths, labels)
    np.testing.assert_array_equal(others, losses)
    np.testing.assert_array_equal(gradient[is_padding], 0)


def test_a_batch_of_empty_labellings_only_has_all_blank_paths():
    logits = np.zeros((2, 3, 4), dtype="float32")
    losses, gradient = losses_and_gradient(logits, [3, 2], [[], []])
    np.testing.assert_allclose(losses, [3 * np.log(4), 2 * np.log(4)], rtol=1e-6)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("labels", [[1], []])
@pytest.mark.parametrize("gap", [100.0, 1e4])
def test_a_network_sure_of_something_else_still_learns_the_label(labels, gap):
    logits = np.zeros((1, 3, 3), dtype="float32")
    logits[..., 0] = gap
    losses, gradient = losses_and_gradient(logits, [3], [labels])
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()
    assert (gradient[..., 0] > 0.9).all()
    assert gradient.sum(axis=1)[0, labels[0] if labels else -1] < -0.3


def far_batch(gap, seed=0):
    """Logits of 3 labels and the blank, most of them far from the labels' paths."""
    rng = np.random.default_rng(seed)
    labels = [[0, 1], [], [2, 2, 1], [1], [0, 0], [2, 0, 2]]
    lengths = np.array([6, 4, 5, 1, 3, 8])
    logits = rng.normal(scale=3, size=(6, 8, 4)) + gap * rng.integers(2, size=(6, 8, 4))
    return logits.astype("float32"), lengths, labels


def exact_gradient(logits, lengths, labels):
    """Posteriors less the share of the labels' paths, by slopes in double precision."""
    gradient = np.zeros(logits.shape)
    for t, k in np.ndindex(*logits.shape[1:]):
        step = np.zeros(logits.shape)
        step[:, t, k] = 1e-4
        up, down = (exact_losses(logits + s, lengths, labels) for s in (step, -step))
        gradient[:, t, k] = (up - down) / 2e-4
    return gradient


def test_a_loss_beyond_the_kernels_reach_is_the_one_that_the_definition_gives():
    # Two frames are sure of label 0, and label 1 is wanted.
    logits = np.zeros((1, 2, 3), dtype="float32")
    logits[0, :, 0] = 100
    losses, _ = losses_and_gradient(logits, [2], [[1]])
    paths = [-200, -200, -200]  # 1 1, 1 -, - 1
    np.testing.assert_allclose(losses, [-logsumexp(paths)], rtol=1e-6)


@pytest.mark.parametrize("gap", [20.0, 45.0, 85.0, 100.0, 300.0, 1e4, 1e6])
@pytest.mark.parametrize("seed", range(3))
def test_losses_and_gradients_are_exact_however_improbable_the_labels(gap, seed):
    batch = far_batch(gap, seed)
    losses, gradient = losses_and_gradient(*batch)
    np.testing.assert_allclose(losses, exact_losses(*batch), rtol=2e-5, atol=1e-5)
    if gap < 1e4:  # beyond, slopes of doubles are rounding
        np.testing.assert_allclose(gradient, exact_gradient(*batch), atol=2e-3)
    assert np.isfinite(gradient).all()


def test_what_the_kernel_serves_well_keeps_its_bits_beside_what_it_does_not():
    logits, lengths, labels = far_batch(3.0)
    alone, _ = losses_and_gradient(logits, lengths, labels)
    logits[5] += np.array([0, 200, 0, 0], dtype="float32")
    together, _ = losses_and_gradient(logits, lengths, labels)
    np.testing.assert_array_equal(together[:5], alone[:5])
    expected = exact_losses(logits, lengths, labels)
    np.testing.assert_allclose(together, expected, rtol=1e-5)
    assert expected[5] > 200


def test_a_loss_of_nan_stays_nan():
    logits, lengths, labels = far_batch(300.0)
    logits[0, 0, 0] = np.nan
    losses, _ = losses_and_gradient(logits, lengths, labels)
    assert np.isnan(losses).tolist() == [True] + [False] * 5


@pytest.mark.parametrize("gap", [0.0, 300.0])
def test_far_losses_are_the_same_in_a_compiled_graph(gap):
    logits, lengths, labels = far_batch(gap)
    logits, lengths = tf.constant(logits), tf.constant(lengths, tf.int32)

    @tf.function
    def compiled(logits, targets):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            losses = CTCLosses()((logits, lengths), targets)
        return losses, tape.gradient(losses, logits)

    losses, gradient = compiled(logits, targets_of(labels))
    expected, slopes = losses_and_gradient(logits, lengths, labels)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient, slopes, atol=1e-5)


def test_the_losses_are_the_same_in_a_compiled_graph(ragged_batch):
    logits, lengths, labels = ragged_batch
    compiled = tf.function(CTCLosses().__call__)
    outputs = tf.constant(logits), tf.constant(lengths, tf.int32)
    losses = compiled(outputs, targets_of(labels))
    expected, _ = losses_and_gradient(*ragged_batch)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
