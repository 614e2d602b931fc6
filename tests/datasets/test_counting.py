"""Counting has the estimates that Bayes gives, and no better ones."""

import numpy as np
import pytest

from skseq.datasets import make_counting


def posterior_means(frames):
    """The best estimate after each frame, from the joint Gaussian of all readings."""
    means = []
    for t in range(1, len(frames) + 1):
        covariance = np.full((t, t), 100.0) + np.eye(t)
        weights = np.linalg.solve(covariance, np.full(t, 100.0))
        means.append(weights @ frames[:t])
    return np.array(means)


def running_means(frames):
    return np.cumsum(frames, axis=0) / np.arange(1, len(frames) + 1)[:, None]


def test_the_running_mean_is_the_posterior_mean_up_to_the_prior():
    X, _ = make_counting(3, min_frames=30, random_state=0)
    for frames in X:
        counts = np.arange(1, len(frames) + 1)[:, None]
        shrunk = running_means(frames) * counts / (counts + 0.01)
        np.testing.assert_allclose(posterior_means(frames), shrunk, atol=1e-4)


def test_both_estimates_have_the_errors_that_are_stated():
    X, y = make_counting(2000, min_frames=20, max_frames=20, random_state=0)
    counts = np.arange(1, 21)
    running = np.array([running_means(x) - v for x, v in zip(X, y, strict=True)])
    best = np.array([posterior_means(x) - v for x, v in zip(X, y, strict=True)])
    errors, least = ((e**2).mean(axis=(0, 2)) for e in (running, best))
    np.testing.assert_allclose(errors * counts, 1, rtol=0.06)
    np.testing.assert_allclose(least * (counts + 0.01), 1, rtol=0.06)
    assert least[0] < errors[0]


def test_constants_and_noise_have_the_deviations_that_are_stated():
    X, y = make_counting(4000, max_frames=3, target="sequence", random_state=0)
    noise = np.concatenate([x - vector for x, vector in zip(X, y, strict=True)])
    np.testing.assert_allclose(y.std(axis=0), 10, rtol=0.05)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=0.6)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(4), atol=0.06)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.06)


def test_the_constants_of_a_sequence_are_those_of_each_of_its_frames():
    X, per_frame = make_counting(20, random_state=0)
    same, per_sequence = make_counting(20, target="sequence", random_state=0)
    np.testing.assert_equal(X, same)
    assert per_sequence.shape == (20, 4)
    for frames, values, vector in zip(X, per_frame, per_sequence, strict=True):
        assert values.shape == frames.shape
        np.testing.assert_array_equal(values, vector[None].repeat(len(frames), axis=0))
        assert values.dtype == frames.dtype == vector.dtype == np.float32
        assert values.flags.writeable


def test_lengths_are_all_that_are_allowed():
    X, _ = make_counting(300, min_frames=2, max_frames=5, random_state=0)
    assert {x.shape for x in X} == {(n, 4) for n in (2, 3, 4, 5)}
    X, _ = make_counting(300, random_state=0)
    lengths = [len(x) for x in X]
    assert min(lengths) < 5
    assert 95 < max(lengths) <= 100


def test_the_same_random_state_gives_the_same_bits():
    first, again, other = (make_counting(5, random_state=s) for s in (3, 3, 4))
    np.testing.assert_equal(first, again)
    assert not np.array_equal(first[1][0][0], other[1][0][0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        ({"n_samples": 2.5}, TypeError, "n_samples must be an instance of int"),
        ({"min_frames": 0}, ValueError, "min_frames == 0, must be >= 1"),
        ({"min_frames": 9, "max_frames": 8}, ValueError, "max_frames == 8, .* >= 9"),
        ({"target": "frames"}, ValueError, "'target' .* Did you mean 'frame'"),
        ({"target": None}, ValueError, "'target' .* among {'frame', 'sequence'}"),
    ],
)
def test_counting_refuses_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_counting(**options)
