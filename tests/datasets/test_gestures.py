"""Gestures are what their description says: in shares, times, strength and shape."""

import numpy as np
import pytest

from skseq.datasets import make_gestures

STILL = {"n_classes": 10, "weights": None, "noise": 0.0}


@pytest.fixture(scope="module")
def still():
    """400 recordings of all gestures without noise, and their classes."""
    return make_gestures(400, **STILL, random_state=0)


def moving(frames):
    """The frames in which the hand moves, and what it reads at rest."""
    readings = frames.astype(float)
    rests = [readings[0], readings[-1]]
    # One end may be in motion, and then is not of the length of gravity.
    rest = min(rests, key=lambda r: abs(np.linalg.norm(r) - 1))
    return np.flatnonzero(np.abs(readings - rest).max(axis=1) > 1e-5), rest


@pytest.mark.parametrize(
    ("n_samples", "options", "counts"),
    [
        (300, {}, [180, 60, 30, 18, 12]),
        (10, {}, [6, 2, 1, 1, 0]),
        (3, {}, [2, 1, 0, 0, 0]),
        (24, {}, [14, 5, 2, 2, 1]),
        (5, {"weights": np.ones(5)}, [1, 1, 1, 1, 1]),
        (9, {"n_classes": 3, "weights": None}, [3, 3, 3]),
        (70, {"n_classes": 2, "weights": (5, 2)}, [50, 20]),
        (7, {"n_classes": 1, "weights": [0.1]}, [7]),
    ],
)
def test_classes_have_the_shares_asked_for(n_samples, options, counts):
    X, y = make_gestures(n_samples, **options, random_state=0)
    assert np.bincount(y, minlength=len(counts)).tolist() == counts
    assert len(X) == n_samples
    assert y.dtype == int


def test_classes_are_in_random_order():
    _, y = make_gestures(300, random_state=0)
    halves = [np.mean(half == 0) for half in np.split(y, 2)]
    np.testing.assert_allclose(halves, 0.6, atol=0.12)


def test_lengths_are_all_that_are_allowed():
    X, _ = make_gestures(200, length=(10, 13), random_state=0)
    assert {x.shape for x in X} == {(n, 3) for n in (10, 11, 12, 13)}
    assert {x.dtype for x in X} == {np.dtype(np.float32)}


def test_a_hand_moves_once_for_half_of_the_frames_or_more_from_any_frame_on(still):
    starts, shares = [], []
    for frames in still[0]:
        places, _ = moving(frames)
        shares.append((places[-1] - places[0] + 1) / len(frames))
        starts.append(places[0] / len(frames))
    # The first and the last movements of a gesture are too small to be seen.
    assert min(shares) > 0.4
    assert 0.8 < max(shares) <= 0.92
    assert min(starts) < 0.05
    assert max(starts) > 0.4


def test_at_rest_a_sensor_reads_gravity_turned_by_some_degrees(still):
    rests = np.array([moving(frames)[1] for frames in still[0]])
    np.testing.assert_allclose(np.linalg.norm(rests, axis=1), 1, atol=1e-5)
    degrees = np.degrees(np.arctan2(rests[:, [0, 2]], rests[:, [1]]))
    np.testing.assert_allclose(degrees.std(axis=0), 15, rtol=0.2)
    np.testing.assert_allclose(degrees.mean(axis=0), 0, atol=3)


def test_faster_gestures_are_stronger_in_proportion(still):
    strengths, lengths = [], []
    for frames, label in zip(*still, strict=True):
        if label in (1, 2):  # circles, whose start and end can be seen
            places, rest = moving(frames)
            motion = frames[places] - rest
            strengths.append(np.sqrt((motion**2).sum(axis=1).mean()))
            lengths.append(len(places))
    usual = np.log(strengths) - np.log(0.5 * 60 / np.array(lengths))
    assert usual.mean() == pytest.approx(0, abs=0.12)
    assert usual.std() == pytest.approx(0.25, rel=0.3)


@pytest.mark.parametrize("label", range(10))
def test_a_hand_ends_at_rest_and_figures_have_the_dimensions_they_should(still, label):
    for frames in (x for x, y in zip(*still, strict=True) if y == label):
        motion = frames.astype(float) - moving(frames)[1]
        speed = np.cumsum(motion, axis=0)
        assert np.abs(speed[-1]).max() < 0.03 * np.abs(speed).max() + 1e-3
        n_dimensions = np.linalg.matrix_rank(motion, tol=1e-3)
        assert n_dimensions == (1 if label in (0, 6, 9) else 2)


def turning(frames):
    """The area that the path encloses, counterclockwise being positive."""
    motion = frames.astype(float) - moving(frames)[1]
    path = np.cumsum(np.cumsum(motion, axis=0), axis=0)[:, :2]
    return np.sum(path[:-1, 0] * path[1:, 1] - path[:-1, 1] * path[1:, 0])


def test_circles_turn_as_their_names_say(still):
    for frames, label in zip(*still, strict=True):
        if label in (1, 2):
            assert np.sign(turning(frames)) == (-1 if label == 1 else 1)


def test_circles_have_the_same_means_and_deviations():
    X, y = make_gestures(600, n_classes=3, weights=(1, 9, 9), random_state=0)
    summaries = np.array([[*x.mean(axis=0), *x.std(axis=0)] for x in X])
    one, other = (summaries[y == label] for label in (1, 2))
    spread = summaries[y > 0].std(axis=0)
    assert np.abs((one.mean(axis=0) - other.mean(axis=0)) / spread).max() < 0.3


def test_noise_has_the_deviation_asked_for():
    options = {"length": (60, 60), "random_state": 0}
    (clean, _), (noisy, _) = (
        make_gestures(1, noise=noise, **options) for noise in (0, 2.0)
    )
    assert (noisy[0] - clean[0]).std() == pytest.approx(2.0, rel=0.15)


def test_the_same_random_state_gives_the_same_bits():
    first, again, other = (make_gestures(20, random_state=s) for s in (3, 3, 4))
    np.testing.assert_equal(first, again)
    assert not np.array_equal(
        np.concatenate(first[0])[:20], np.concatenate(other[0])[:20]
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        ({"n_classes": 11}, ValueError, "n_classes == 11, must be <= 10"),
        ({"n_classes": 3}, ValueError, r"one entry per class, 3\. Got 5 .* None to"),
        ({"weights": (1, 0, 1, 1, 1)}, ValueError, r"weights\[1\] is 0"),
        ({"weights": "equal"}, ValueError, "'weights' parameter of make_gestures"),
        ({"length": (9, 20)}, ValueError, r"length\[0\] == 9, must be >= 10"),
        ({"length": 50}, TypeError, "length must be a pair"),
        ({"noise": -1}, ValueError, "noise == -1, must be >= 0"),
        ({"noise": float("nan")}, ValueError, "noise == nan, must be a number"),
        ({"noise": 1e308}, ValueError, "must be <= 1000000.0"),
    ],
)
def test_gestures_refuse_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_gestures(**options)
