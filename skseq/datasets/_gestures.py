"""Generates what an accelerometer in a hand measures while the hand draws a figure.

Knows nothing of files.
"""

from collections.abc import Callable
from numbers import Integral

import numpy as np
from scipy.spatial.transform import Rotation
from sklearn.utils import check_random_state, check_scalar

from skseq._parameters import NONE, POSITIVE_REAL, TupleOf, check_value
from skseq.datasets._ranges import check_noise, check_range, draw_int

# Frames of a gesture that is drawn at the usual speed and strength.
_USUAL = 60
_GRAVITY = np.array([0.0, 1.0, 0.0])


def _ease(time: np.ndarray) -> np.ndarray:
    """The way covered at a time from 0 to 1, with the least jerk, from rest to rest."""
    return time**3 * (10 - 15 * time + 6 * time**2)


def _strokes(*points: tuple) -> Callable[[np.ndarray], np.ndarray]:
    """A path of straight strokes, with a rest at each point."""
    corners = np.array(points, dtype=float)
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    times = np.concatenate([[0], np.cumsum(lengths)]) / lengths.sum()

    def path(time: np.ndarray) -> np.ndarray:
        stroke = np.clip(np.searchsorted(times, time, "right") - 1, 0, len(lengths) - 1)
        within = (time - times[stroke]) / np.diff(times)[stroke]
        start, end = corners[stroke], corners[stroke + 1]
        return start + _ease(np.clip(within, 0, 1))[:, None] * (end - start)

    return path


def _curve(right: Callable, up: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """A path of a full turn, from two functions of the angle."""

    def path(time: np.ndarray) -> np.ndarray:
        angle = 2 * np.pi * _ease(np.clip(time, 0, 1))
        return np.column_stack([right(angle), up(angle), np.zeros_like(angle)])

    return path


# What is drawn, in the order of the classes; the axes are right, up and forward.
_GESTURES = {
    "swipe to the right": _strokes((0, 0, 0), (1, 0, 0)),
    "circle, clockwise": _curve(np.sin, np.cos),
    "circle, counterclockwise": _curve(lambda angle: -np.sin(angle), np.cos),
    "check mark": _strokes((0, 0, 0), (0.4, -0.5, 0), (1.2, 0.8, 0)),
    "Z": _strokes((0, 1, 0), (1, 1, 0), (0, 0, 0), (1, 0, 0)),
    "S of straight strokes": _strokes((1, 1, 0), (0, 1, 0), (1, 0, 0), (0, 0, 0)),
    "push and pull": _strokes((0, 0, 0), (0, 0, 1), (0, 0, 0)),
    "eight": _curve(lambda angle: np.sin(2 * angle), np.sin),
    "square": _strokes((0, 0, 0), (1, 0, 0), (1, -1, 0), (0, -1, 0), (0, 0, 0)),
    "lift": _strokes((0, 0, 0), (0, 1, 0)),
}


def make_gestures(
    n_samples=300,
    *,
    n_classes=5,
    weights=(0.6, 0.2, 0.1, 0.06, 0.04),
    length=(40, 120),
    noise=0.1,
    random_state=None,
):
    """Generate gestures as an accelerometer in the hand measures them.

    In each recording a hand at rest draws one figure, and rests again. Recordings
    differ in length, in when the figure starts, how long it takes (50 to 90 % of the
    frames), how evenly and how strongly it is drawn, and how the hand holds the sensor.
    Classes differ in the order of movements; some, such as the two circles, have the
    same means and deviations.

    Parameters
    ----------
    n_samples : int, default=300
        Number of recordings.
    n_classes : int, default=5
        Number of figures, at most 10, in this order: swipe to the right, circle
        clockwise, circle counterclockwise, check mark, Z, S of straight strokes, push
        and pull, eight, square, lift.
    weights : sequence of float, default=(0.6, 0.2, 0.1, 0.06, 0.04)
        Share of each class among the recordings, in proportion to the others, rounded
        to whole recordings. None makes all equally frequent.
    length : (int, int), default=(40, 120)
        Fewest and most frames of a recording, at least 10; every number between is
        equally likely.
    noise : float, default=0.1
        Standard deviation of the Gaussian noise added to every reading, in units of
        the gravity of the earth. Larger values hide small movements.
    random_state : int, RandomState instance or None, default=None
        Draws all that differs between recordings, and their order. Pass an int for the
        same recordings in each call.

    Returns
    -------
    X : list of n_samples ndarrays of shape (n_frames, 3), dtype=float32
        The acceleration to the right, up and forward, in units of the gravity of the
        earth. At rest, a sensor that is held level reads (0, 1, 0).
    y : ndarray of shape (n_samples,), dtype=int
        The class of each recording, from 0.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range, or `weights` are not as many as the classes.

    Notes
    -----
    Strokes and turns start and end at rest and have the least jerk [1]_. A figure that
    takes 60 frames has an acceleration of 0.5 (root mean square), times a strength
    whose logarithm has a standard deviation of 0.25; one that is drawn twice as slowly
    has half of that. The sensor is turned about each axis by an angle with a standard
    deviation of 15 degrees, gravity included.

    References
    ----------
    .. [1] T. Flash and N. Hogan, "The coordination of arm movements: an experimentally
           confirmed mathematical model", Journal of Neuroscience, 5(7),
           pp. 1688-1703, 1985.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.datasets import make_gestures
    >>> X, y = make_gestures(50, random_state=0)
    >>> np.bincount(y)
    array([30, 10,  5,  3,  2])
    >>> X[0].shape, X[1].shape
    ((40, 3), (70, 3))
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_classes, "n_classes", Integral, min_val=1, max_val=len(_GESTURES))
    check_range("length", length, Integral, minimum=10)
    check_noise(noise)
    counts = _count_classes(n_samples, n_classes, weights)
    rng = check_random_state(random_state)
    y = rng.permutation(np.repeat(np.arange(n_classes), counts))
    paths = list(_GESTURES.values())
    X = [_record(rng, paths[label], draw_int(rng, length), noise) for label in y]
    return X, y


def _count_classes(n_samples: int, n_classes: int, weights) -> np.ndarray:
    """Round the shares of the classes to recordings that add up, (n_classes,)."""
    weights = weights.tolist() if isinstance(weights, np.ndarray) else weights
    check_value("make_gestures", "weights", weights, (TupleOf(POSITIVE_REAL), NONE))
    shares = np.ones(n_classes) if weights is None else np.asarray(weights, float)
    if len(shares) != n_classes:
        raise ValueError(
            f"weights must have one entry per class, {n_classes}. Got {len(shares)} "
            "instead; pass None to make all classes equally frequent."
        )
    exact = n_samples * shares / shares.sum()
    counts = np.floor(exact + 1e-9).astype(int)
    # What is left goes to the largest remainders, of equal ones to the first.
    order = np.argsort(np.round(counts - exact, 9), kind="stable")
    counts[order[: n_samples - counts.sum()]] += 1
    return counts


def _record(
    rng: np.random.RandomState, path: Callable, n_frames: int, noise: float
) -> np.ndarray:
    """Draw one recording of a path, (n_frames, 3)."""
    n_drawn = round(n_frames * rng.uniform(0.5, 0.9))
    start = rng.randint(n_frames - n_drawn + 1)
    readings = np.tile(_GRAVITY, (n_frames, 1))
    strength = 0.5 * np.exp(0.25 * rng.standard_normal()) * _USUAL / n_drawn
    readings[start : start + n_drawn] += strength * _accelerate(rng, path, n_drawn)
    tilt = Rotation.from_rotvec(np.radians(15) * rng.standard_normal(3))
    readings = tilt.apply(readings) + noise * rng.standard_normal(readings.shape)
    return readings.astype(np.float32)


def _accelerate(
    rng: np.random.RandomState, path: Callable, n_frames: int
) -> np.ndarray:
    """The acceleration along a path, with a root mean square of one."""
    time = np.linspace(0, 1, n_frames)
    time = np.pad(time, 1, mode="edge")  # the hand rests before and after
    uneven = rng.uniform(-0.5, 0.5)  # above 0, the start of the figure is faster
    time = time + uneven * np.sin(2 * np.pi * time) / (2 * np.pi)
    acceleration = np.diff(path(time), n=2, axis=0)
    return acceleration / np.sqrt(np.mean(np.sum(acceleration**2, axis=1)))
