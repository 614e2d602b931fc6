"""Generates the measurements of a machine, some of them anomalous.

Knows nothing of files.
"""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state, check_scalar

from skseq.datasets._ranges import check_noise


def make_sensor_sequences(
    n_samples=200,
    *,
    n_features=3,
    min_length=50,
    max_length=100,
    contamination=0.1,
    noise=0.1,
    random_state=None,
    return_X_y=False,
) -> Any:
    """Generate what the sensors of a machine measure, with some anomalous runs.

    Each sequence is a run of the same rotating machine, so all sensors are periodic
    with one period of 18 to 22 frames, which differs from run to run. Phase and length
    of a run are random. In an anomalous run, something is wrong in a quarter to a half
    of the frames:

    - "shift": one sensor reads too high or too low;
    - "frequency": the machine turns at half or at twice its speed;
    - "flat": one sensor is stuck at a value;
    - "spikes": one sensor jumps in some frames.

    Parameters
    ----------
    n_samples : int, default=200
        Number of sequences.
    n_features : int, default=3
        Number of sensors. Each reads a sine of amplitude 1 and its first overtone, in
        phases of its own.
    min_length : int, default=50
        Fewest frames in a sequence.
    max_length : int, default=100
        Most frames in a sequence; every number between is equally likely.
    contamination : float, default=0.1
        Share of anomalies among the sequences, rounded to whole sequences. All four
        kinds are equally likely.
    noise : float, default=0.1
        Standard deviation of the Gaussian noise added to every reading. Larger values
        hide anomalies.
    random_state : int, RandomState instance or None, default=None
        Draws everything but the machine: another int gives other runs of the same
        machine. Pass an int for the same sequences in each call.
    return_X_y : bool, default=False
        Whether to return `(sequences, labels)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        sequences : list of n_samples ndarrays of shape (n_frames, n_features)
            The readings, float32.
        labels : ndarray of shape (n_samples,), dtype=int
            1 for a normal sequence, -1 for an anomaly.
        kind : ndarray of shape (n_samples,), dtype=str
            What is wrong, or "normal".
        bounds : ndarray of shape (n_samples, 2), dtype=int
            First anomalous frame, and the first one after them; both 0 in a normal
            sequence.

    (sequences, labels) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> from skseq.datasets import make_sensor_sequences
    >>> X, y = make_sensor_sequences(10, random_state=0, return_X_y=True)
    >>> y
    array([ 1,  1,  1,  1,  1,  1,  1,  1, -1,  1])
    >>> X[0].shape, X[1].shape
    ((86, 3), (55, 3))
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_features, "n_features", Integral, min_val=1)
    check_scalar(min_length, "min_length", Integral, min_val=8)
    check_scalar(max_length, "max_length", Integral, min_val=min_length)
    check_scalar(contamination, "contamination", Real, min_val=0.0, max_val=1.0)
    check_noise(noise)
    rng = check_random_state(random_state)
    kind = _draw_kinds(rng, n_samples, round(contamination * n_samples))
    data = Bunch(
        sequences=[],
        labels=np.where(kind == "normal", 1, -1),
        kind=kind,
        bounds=np.zeros((n_samples, 2), dtype=np.int64),
    )
    for i, name in enumerate(kind):
        n_frames = rng.randint(min_length, max_length + 1)
        if name != "normal":
            data.bounds[i] = _draw_bounds(rng, n_frames)
        wrong = slice(*data.bounds[i])
        frames = _read_sensors(rng, _draw_speed(rng, name, n_frames, wrong), n_features)
        frames += noise * rng.standard_normal(frames.shape)
        if name in _CHANGES:
            _CHANGES[name](rng, frames[wrong, rng.randint(n_features)])
        data.sequences.append(frames.astype(np.float32))
    if return_X_y:
        return data.sequences, data.labels
    return data


def _draw_kinds(
    rng: np.random.RandomState, n_samples: int, n_anomalous: int
) -> np.ndarray:
    anomalous = rng.choice(["frequency", *_CHANGES], size=n_anomalous)
    normal = np.full(n_samples - n_anomalous, "normal")
    return rng.permutation(np.concatenate([anomalous, normal]))


def _draw_bounds(rng: np.random.RandomState, n_frames: int) -> tuple[int, int]:
    """Draw a stretch of a quarter to a half of the frames."""
    length = rng.randint(n_frames // 4, n_frames // 2 + 1)
    start = rng.randint(n_frames - length + 1)
    return start, start + length


def _draw_speed(
    rng: np.random.RandomState, kind: str, n_frames: int, wrong: slice
) -> np.ndarray:
    """Draw how far the machine turns in each frame, in radians."""
    speed = np.full(n_frames, 2 * np.pi / rng.uniform(18.0, 22.0))
    if kind == "frequency":
        speed[wrong] *= rng.choice([0.5, 2.0])
    return speed


def _read_sensors(
    rng: np.random.RandomState, speed: np.ndarray, n_features: int
) -> np.ndarray:
    """Return readings without noise, an array of shape (n_frames, n_features)."""
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(speed)[:, np.newaxis]
    sensor = np.arange(n_features)
    return np.sin(angle + sensor) + 0.5 * np.sin(2 * angle - sensor)


def _shift(rng: np.random.RandomState, readings: np.ndarray) -> None:
    readings += rng.choice([-1, 1]) * rng.uniform(1.0, 2.0)


def _stick(rng: np.random.RandomState, readings: np.ndarray) -> None:
    readings[:] = readings[0]


def _spike(rng: np.random.RandomState, readings: np.ndarray) -> None:
    jumps = rng.choice(len(readings), size=-(-len(readings) // 4), replace=False)
    readings[jumps] += rng.choice([-3.0, 3.0], size=len(jumps))


# What goes wrong in the readings of one sensor; they are changed in place.
_CHANGES = {"shift": _shift, "flat": _stick, "spikes": _spike}
