"""The CTC lattice against sums and searches over every single alignment."""

import itertools

import numpy as np
import pytest

from skseq._ctc.lattice import (
    forced_alignment,
    label_log_likelihoods,
    log_likelihood,
    minimum_frames,
)

SHAPES = [(1, 1), (1, 3), (2, 1), (3, 2), (4, 3), (5, 2)]  # n_frames, n_classes


def posteriors(n_samples, n_frames, n_classes, seed=0, concentration=1.0):
    """Draw log-posteriors, and lengths of which the first is `n_frames`."""
    rng = np.random.default_rng(seed)
    alpha = np.full(n_classes + 1, concentration)
    lengths = rng.integers(1, n_frames + 1, n_samples)
    lengths[0] = n_frames
    return np.log(rng.dirichlet(alpha, (n_samples, n_frames))), lengths


def collapse(path, blank):
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def alignments(log_probs):
    """List every path of one sample: path, labels, log-probability."""
    n_frames, n_columns = log_probs.shape
    for path in itertools.product(range(n_columns), repeat=n_frames):
        score = log_probs[np.arange(n_frames), path].sum()
        yield path, collapse(path, n_columns - 1), score


def brute_force(log_probs):
    """Add up the paths of each labelling of one sample."""
    totals = {}
    for _, labels, score in alignments(log_probs):
        totals[labels] = totals.get(labels, 0.0) + np.exp(score)
    return {labels: np.log(total) for labels, total in totals.items()}


def spell(path, aligned, blank):
    """Write aligned labels out as a path of the same length."""
    spelt = [blank] * len(path)
    for label, start, end, _ in aligned:
        spelt[start : end + 1] = [label] * (end + 1 - start)
    return tuple(spelt)


@pytest.mark.parametrize(
    ("labels", "n_frames"),
    [([], 0), ([4], 1), ([1, 2, 1], 3), ([3, 3], 3), ([0, 0, 0, 1, 1], 8)],
)
def test_a_repeat_needs_one_frame_more(labels, n_frames):
    assert minimum_frames(np.array(labels, dtype=int)) == n_frames


@pytest.mark.parametrize(("n_frames", "n_classes"), SHAPES)
def test_log_likelihood_is_the_sum_over_all_alignments(n_frames, n_classes):
    log_probs, lengths = posteriors(1, n_frames, n_classes)
    expected = brute_force(log_probs[0])
    labels = [np.array(found, dtype=int) for found in expected]
    samples = np.zeros(len(labels), dtype=int)
    scores = log_likelihood(log_probs, lengths, labels, samples=samples)
    np.testing.assert_allclose(scores, list(expected.values()), atol=1e-12)


@pytest.mark.parametrize("shift", [2.0, -0.3, 0.5, 1000.0, -1000.0])
def test_shifted_posteriors_shift_the_likelihood_frame_by_frame(shift):
    # They add up to more or less than 1, also beyond what a double holds.
    log_probs, lengths = posteriors(3, 3000, 2)
    log_probs[0] = -0.4
    lengths[:] = 3000, 200, 7
    labels = [np.array([0, 1, 1]), np.array([1]), np.array([], dtype=int)]
    expected = log_likelihood(log_probs, lengths, labels) + lengths * shift
    found = log_likelihood(log_probs + shift, lengths, labels)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_all_labellings_together_have_probability_one():
    log_probs, lengths = posteriors(1, 5, 3)
    labels = [
        np.array(found, dtype=int)
        for n_labels in range(6)
        for found in itertools.product(range(3), repeat=n_labels)
    ]
    samples = np.zeros(len(labels), dtype=int)
    scores = log_likelihood(log_probs, lengths, labels, samples=samples)
    assert np.exp(scores).sum() == pytest.approx(1.0, abs=1e-12)


def test_log_likelihood_of_a_ragged_batch_is_that_of_each_sample_alone():
    log_probs, lengths = posteriors(7, 12, 3, seed=1)
    rng = np.random.default_rng(2)
    labels = [rng.integers(0, 3, length // 2) for length in lengths]
    alone = [
        log_likelihood(sample[None, :length], np.array([length]), [row])[0]
        for sample, length, row in zip(log_probs, lengths, labels, strict=True)
    ]
    np.testing.assert_array_equal(log_likelihood(log_probs, lengths, labels), alone)


@pytest.mark.parametrize(
    ("n_frames", "labels"), [(1, [0, 1]), (2, [1, 1]), (3, [0, 0, 1])]
)
def test_labels_that_need_more_frames_have_probability_zero(n_frames, labels):
    log_probs, lengths = posteriors(1, n_frames, 2)
    assert log_likelihood(log_probs, lengths, [np.array(labels)]) == -np.inf


def test_a_label_of_probability_zero_makes_its_labelling_impossible():
    log_probs = np.array([[[-np.inf, 0.0, -np.inf], [-np.inf, 0.0, -np.inf]]])
    labels = [np.array([0]), np.array([1]), np.array([], dtype=int)]
    scores = log_likelihood(
        log_probs, np.array([2]), labels, samples=np.zeros(3, dtype=int)
    )
    np.testing.assert_array_equal(scores, [-np.inf, 0.0, -np.inf])


def test_flat_posteriors_give_the_number_of_alignments_even_of_2000_frames():
    # Alignments of one label to n frames: n (n + 1) / 2 runs of it.
    log_probs = np.full((1, 2000, 4), np.log(0.25))
    expected = np.log(2000 * 2001 / 2) + 2000 * np.log(0.25)
    score = log_likelihood(log_probs, np.array([2000]), [np.array([1])])
    assert score == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("certain", [1e-3, 1e-6])
def test_a_very_improbable_labelling_of_2000_frames_does_not_underflow(certain):
    # Only the frames of the label count: 2000 - k + 1 places for a run of k of them.
    log_probs = np.log(np.tile([certain, 1 - certain], (1, 2000, 1)))
    k = np.arange(1, 2001)
    terms = np.log(2001 - k) + k * np.log(certain) + (2000 - k) * np.log1p(-certain)
    scores = log_likelihood(log_probs[:, :, ::-1], np.array([2000]), [np.array([0])])
    blanks = np.log(2001 - k) + k * np.log1p(-certain) + (2000 - k) * np.log(certain)
    assert scores == pytest.approx(np.logaddexp.reduce(blanks), rel=1e-11)
    scores = log_likelihood(log_probs, np.array([2000]), [np.array([0])])
    assert scores == pytest.approx(np.logaddexp.reduce(terms), rel=1e-11)


def test_the_empty_labelling_is_blank_all_along():
    log_probs, lengths = posteriors(5, 6, 2)
    empty = [np.array([], dtype=int)] * 5
    expected = [
        sample[:length, -1].sum()
        for sample, length in zip(log_probs, lengths, strict=True)
    ]
    scores = log_likelihood(log_probs, lengths, empty)
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@pytest.mark.parametrize(("n_frames", "n_classes"), SHAPES)
def test_label_log_likelihoods_are_the_sums_over_all_alignments(n_frames, n_classes):
    log_probs, lengths = posteriors(3, n_frames, n_classes)
    expected = [
        [brute_force(sample[:length])[label,] for label in range(n_classes)]
        for sample, length in zip(log_probs, lengths, strict=True)
    ]
    scores = label_log_likelihoods(log_probs, lengths)
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@pytest.mark.parametrize(("n_frames", "n_classes"), SHAPES)
def test_forced_alignment_is_the_best_of_all_alignments(n_frames, n_classes):
    log_probs, lengths = posteriors(1, n_frames, n_classes)
    best = {}
    for path, labels, score in alignments(log_probs[0]):
        best[labels] = max(best.get(labels, (-np.inf, ())), (score, path))
    for labels, (_, path) in best.items():
        row = np.array(labels, dtype=int)
        [aligned] = forced_alignment(log_probs, lengths, [row])
        assert spell(path, aligned, n_classes) == path
        assert [record.label for record in aligned] == list(labels)


def test_confidence_is_the_mean_posterior_over_the_frames_of_the_label():
    table = [[0.1, 0.9], [0.6, 0.4], [0.8, 0.2], [0.1, 0.9]]
    log_probs = np.log(table)[None]
    [[aligned]] = forced_alignment(log_probs, np.array([4]), [np.array([0])])
    assert (aligned.label, aligned.start, aligned.end) == (0, 1, 2)
    assert aligned.confidence == pytest.approx(0.7)


def test_neighbours_that_are_equal_are_aligned_with_a_blank_between():
    log_probs = np.log(np.full((1, 3, 2), [0.99, 0.01]))
    [aligned] = forced_alignment(log_probs, np.array([3]), [np.array([0, 0])])
    assert [(record.start, record.end) for record in aligned] == [(0, 0), (2, 2)]


def test_of_equal_alignments_the_one_further_on_is_taken():
    log_probs = np.log(np.full((1, 5, 3), 1 / 3))
    [aligned] = forced_alignment(log_probs, np.array([5]), [np.array([0, 1])])
    assert [(record.start, record.end) for record in aligned] == [(0, 0), (1, 1)]


def test_forced_alignment_of_nothing_is_nothing():
    log_probs, lengths = posteriors(2, 3, 2)
    empty = [np.array([], dtype=int)] * 2
    assert forced_alignment(log_probs, lengths, empty) == [[], []]


def test_forced_alignment_of_2000_frames_stays_on_its_labels():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    log_probs = np.full((1, 2000, 5), np.log(0.01))
    log_probs[0, :, -1] = np.log(0.96)
    log_probs[0, 5::10, -1] = np.log(0.01)
    log_probs[0, np.arange(5, 2000, 10), labels] = np.log(0.96)
    [aligned] = forced_alignment(log_probs, np.array([2000]), [labels])
    assert [record.start for record in aligned] == list(range(5, 2000, 10))
    assert all(record.start == record.end for record in aligned)


@pytest.mark.parametrize(
    ("row", "message"),
    [([0, 0], r"labels\[2\].*must have 3 frames.*has 2"), ([2], "has 2")],
)
def test_what_cannot_be_aligned_is_named(row, message):
    log_probs, _ = posteriors(4, 5, 3)
    log_probs[2, :, 2] = -np.inf
    labels = [np.array([1]), np.array([0]), np.array(row), np.array([1])]
    with pytest.raises(ValueError, match=message):
        forced_alignment(log_probs, np.array([5, 1, 2, 3]), labels)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_frames_past_the_length_never_matter(garbage, dtype):
    log_probs, lengths = posteriors(6, 9, 3, seed=4)
    labels = [np.array([length % 3]) for length in lengths]
    clean = log_probs.astype(dtype)
    padded = np.concatenate([clean, clean[:, :4]], axis=1)
    padded[np.arange(13) >= lengths[:, None]] = garbage
    for compute in (
        lambda batch: log_likelihood(batch, lengths, labels),
        lambda batch: label_log_likelihoods(batch, lengths),
        lambda batch: forced_alignment(batch, lengths, labels),
    ):
        np.testing.assert_array_equal(compute(padded), compute(clean))


def test_the_order_of_the_batch_does_not_matter():
    log_probs, lengths = posteriors(8, 10, 3, seed=5)
    rng = np.random.default_rng(6)
    labels = [np.unique(rng.integers(0, 3, length))[:length] for length in lengths]
    order = rng.permutation(8)
    shuffled = log_probs[order], lengths[order], [labels[place] for place in order]
    np.testing.assert_array_equal(
        log_likelihood(*shuffled), log_likelihood(log_probs, lengths, labels)[order]
    )
    aligned = forced_alignment(log_probs, lengths, labels)
    assert forced_alignment(*shuffled) == [aligned[place] for place in order]
