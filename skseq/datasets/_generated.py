"""Joins single digits into sequences of digits, at random.

Knows nothing of files, and of features only which audio samples a frame covers.
"""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils import Bunch, check_random_state, check_scalar

from skseq._parameters import NONE, OneOf, check_value, instance_of
from skseq.datasets._ranges import check_noise, check_range, draw_int
from skseq.datasets._real import fetch_spoken_digits
from skseq.preprocessing import LogMel

# Which of scikit-learn's 1797 digit images a subset draws from, by their index.
_SUBSETS = {
    "train": lambda index: index % 5 != 4,
    "test": lambda index: index % 5 == 4,
    "all": lambda index: index >= 0,
}

_PAUSE = "pause"
_FRAMES = (instance_of(LogMel), NONE)


def make_digit_strips(
    n_samples=100,
    *,
    n_digits=(1, 8),
    gap=(0, 3),
    noise=0.0,
    strings=None,
    subset="train",
    random_state=None,
):
    """Generate strips of handwritten digits side by side.

    A strip is a row of 8x8 images from :func:`sklearn.datasets.load_digits`, with blank
    columns before, between and after them. Read from left to right, column by column,
    it is a sequence to transcribe; where each digit starts and ends is not given.

    Parameters
    ----------
    n_samples : int, default=100
        Number of strips.
    n_digits : (int, int), default=(1, 8)
        Fewest and most digits on a strip; every number between is equally likely.
    gap : (int, int), default=(0, 3)
        Fewest and most blank columns before, between and after the digits. Wider gaps
        make the digits easier to tell apart.
    noise : float, default=0.0
        Standard deviation of the Gaussian noise added to every pixel. Larger values
        make the digits harder to tell apart. With noise, pixels may lie outside [0, 1].
    strings : list of str, default=None
        What is written, such as dates or telephone numbers, one string of digits per
        sample; `n_samples` and `n_digits` are then not used. None draws digits.
    subset : {"train", "test", "all"}, default="train"
        Which images to draw from, with replacement: four of every five images ("train",
        1438 images), every fifth one ("test", 359), or all 1797. No image of a test
        strip is ever on a training strip; a writer may be on both.
    random_state : int, RandomState instance or None, default=None
        Draws the digits, gaps and noise. Pass an int for the same strips in each call.

    Returns
    -------
    X : list of n_samples ndarrays of shape (n_columns, 8), dtype=float32
        The strips. A frame is a column of 8 pixels, top first, from 0 (paper) to 1
        (ink).
    y : list of n_samples str
        The digits on each strip, from left to right.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range, `subset` is unknown or one of `strings` is not
        made of digits.

    Examples
    --------
    >>> from skseq.datasets import make_digit_strips
    >>> X, y = make_digit_strips(2, n_digits=(3, 3), gap=(1, 1), random_state=0)
    >>> [len(label) for label in y], X[0].shape
    ([3, 3], (28, 8))
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_range("n_digits", n_digits, Integral, minimum=1)
    check_range("gap", gap, Integral, minimum=0)
    check_noise(noise)
    check_value("make_digit_strips", "subset", subset, OneOf(_SUBSETS))
    strings = [n_digits] * n_samples if strings is None else _digit_strings(strings)
    rng = check_random_state(random_state)
    digits = load_digits()
    chosen = _SUBSETS[subset](np.arange(len(digits.images)))
    columns = digits.images[chosen].transpose(0, 2, 1) / 16.0
    names = digits.target[chosen]
    X, y = [], []
    for string in strings:
        chosen = _draw_images(string, names, rng)
        gaps = rng.randint(gap[0], gap[1] + 1, size=len(chosen) + 1)
        strip, _ = _join(columns[chosen], gaps)
        strip = strip + noise * rng.standard_normal(strip.shape)
        X.append(strip.astype(np.float32))
        y.append("".join(map(str, names[chosen])))
    return X, y


def make_spoken_digit_strings(
    n_samples=100,
    *,
    n_digits=(1, 7),
    pause=(0.02, 0.15),
    strings=None,
    speakers=None,
    data_home=None,
    random_state=None,
    return_X_y=False,
    frames=None,
) -> Any:
    """Generate spoken digit strings from recordings of single digits.

    Each string is spoken by one speaker, drawn from `speakers`: recordings from
    :func:`fetch_spoken_digits`, drawn with replacement, with silence between them.

    Parameters
    ----------
    n_samples : int, default=100
        Number of strings.
    n_digits : (int, int), default=(1, 7)
        Fewest and most digits in a string; every number between is equally likely.
    pause : (float, float), default=(0.02, 0.15)
        Shortest and longest silence between two digits, in seconds. Longer pauses make
        the digits easier to tell apart.
    strings : list of str, default=None
        What is spoken, such as dates or telephone numbers, one string of digits per
        sample; `n_samples` and `n_digits` are then not used. None draws digits.
    speakers : list of str, default=None
        The names of the speakers to draw from. None draws from all.
    data_home : str or path-like, default=None
        The folder that holds `spoken_digits/spoken_digits.npz`; see
        :func:`get_data_home`.
    random_state : int, RandomState instance or None, default=None
        Draws speakers, recordings and pauses. Pass an int for the same strings in each
        call.
    return_X_y : bool, default=False
        Whether to return `(audio, strings)` instead of a Bunch, or `(frames, labels)`
        where `frames` is given.
    frames : :class:`~skseq.preprocessing.LogMel` or MFCC, default=None
        What cuts the audio into frames, for example ``LogMel(8000)``, to have the label
        of each frame too: the digit that is spoken, or a pause. None cuts nothing.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        audio : list of n_samples ndarrays of shape (n_audio_samples,), dtype=int16
            The spoken strings.
        strings : list of n_samples str
            The digits that are spoken.
        speaker : ndarray of shape (n_samples,), dtype=str
            Who speaks them: the `groups` of a cross-validation over speakers.
        recordings : list of n_samples ndarrays of shape (n_digits,), dtype=int
            The recordings used, as indices into what :func:`fetch_spoken_digits`
            returns for the same `speakers`.
        bounds : list of n_samples ndarrays of shape (n_digits, 2), dtype=int
            First audio sample of each digit, and the first one after it.
        rate : int
            Audio samples per second, 8000.
        frames : list of n_samples ndarrays of shape (n_frames, n_features)
            What `frames` makes of the audio, float32. Only if it is given.
        labels : list of n_samples ndarrays of shape (n_frames,), dtype=str
            "0" to "9" or "pause" for each frame. Only if `frames` is given.

    (audio, strings) or (frames, labels) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If the recordings are missing.
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range, one of `speakers` has no recordings, one of
        `strings` is not made of digits, or `frames` is made for another sample rate.

    Notes
    -----
    The label of a frame is what is spoken at the audio sample in its middle, sample
    ``i * hop + window // 2`` for frame i, or at the last one where a string is shorter.
    Pauses are digital silence, and what a recording holds before and after its digit
    counts as the digit.

    The recordings are those of the Free Spoken Digit Dataset, under the licence
    CC BY-SA 4.0: https://github.com/Jakobovski/free-spoken-digit-dataset
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_range("n_digits", n_digits, Integral, minimum=1)
    check_range("pause", pause, Real, minimum=0.0)
    strings = [n_digits] * n_samples if strings is None else _digit_strings(strings)
    rng = check_random_state(random_state)
    digits = fetch_spoken_digits(speakers=speakers, data_home=data_home)
    _check_frames(frames, digits.rate)
    names = rng.choice(np.unique(digits.speaker), size=len(strings))
    data = Bunch(
        audio=[], strings=[], speaker=names, recordings=[], bounds=[], rate=digits.rate
    )
    for string, name in zip(strings, names, strict=True):
        recordings = np.flatnonzero(digits.speaker == name)
        chosen = _draw_recordings(string, recordings, digits, rng)
        pauses = digits.rate * rng.uniform(*pause, size=len(chosen) + 1)
        pauses[[0, -1]] = 0  # a string starts and ends with a digit
        audio, bounds = _join([digits.audio[r] for r in chosen], pauses.round())
        data.audio.append(audio)
        data.strings.append("".join(map(str, digits.digit[chosen])))
        data.recordings.append(chosen)
        data.bounds.append(bounds)
    X_y = "audio", "strings"
    if frames is not None:
        data.update(_label_frames(data, frames))
        X_y = "frames", "labels"
    return tuple(data[name] for name in X_y) if return_X_y else data


def _label_frames(data: Bunch, log_mel: LogMel) -> dict[str, list]:
    """Cut audio into frames, and tell what is spoken in the middle of each."""
    frames = list(clone(log_mel).fit_transform(data.audio))
    hop, window = (
        round(seconds * log_mel.sample_rate)
        for seconds in (log_mel.hop_seconds, log_mel.window_seconds)
    )
    labels = []
    for audio, string, bounds, rows in zip(
        data.audio, data.strings, data.bounds, frames, strict=True
    ):
        spoken = np.full(len(audio), _PAUSE)
        for digit, (start, stop) in zip(string, bounds, strict=True):
            spoken[start:stop] = digit
        middles = np.arange(len(rows)) * hop + window // 2
        labels.append(spoken[np.minimum(middles, len(audio) - 1)])
    return {"frames": frames, "labels": labels}


def _check_frames(log_mel: LogMel | None, rate: int) -> None:
    check_value("make_spoken_digit_strings", "frames", log_mel, _FRAMES)
    if log_mel is not None and log_mel.sample_rate != rate:
        raise ValueError(
            f"frames must have the sample rate of the recordings, {rate}. Got "
            f"{type(log_mel).__name__} with sample_rate={log_mel.sample_rate!r}; pass "
            f"{type(log_mel).__name__}({rate})."
        )


def _digit_strings(strings) -> list[str]:
    if isinstance(strings, str):
        raise TypeError(f"strings must be a list of str. Pass [{strings!r}].")
    strings = list(strings)
    for i, string in enumerate(strings):
        if not (
            isinstance(string, str) and string and set(string) <= set("0123456789")
        ):
            raise ValueError(
                "strings must be made of the digits 0 to 9, at least one each. "
                f"strings[{i}] is {string!r}."
            )
    return strings


def _draw_images(string, names, rng) -> np.ndarray:
    """One of a subset's images per digit, or of any in a range of numbers."""
    if not isinstance(string, str):
        return rng.randint(len(names), size=draw_int(rng, string))
    return np.array([rng.choice(np.flatnonzero(names == int(d))) for d in string])


def _draw_recordings(string, recordings, digits, rng) -> np.ndarray:
    """One of a speaker's recordings per digit, or of any in a range of numbers."""
    if not isinstance(string, str):
        return rng.choice(recordings, size=draw_int(rng, string))
    chosen = []
    for digit in string:
        fitting = recordings[digits.digit[recordings] == int(digit)]
        if not len(fitting):
            name = str(digits.speaker[recordings[0]])
            raise ValueError(
                f"strings holds the digit {digit}, of which {name!r} has no recording. "
                "Leave this speaker out of speakers."
            )
        chosen.append(rng.choice(fitting))
    return np.array(chosen)


def _join(parts, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay the parts on zeros, each after its gap and the last before the last gap."""
    lengths = np.array([len(part) for part in parts])
    stops = np.cumsum(lengths + gaps[:-1]).astype(int)
    starts = stops - lengths
    joined = np.zeros((stops[-1] + int(gaps[-1]), *parts[0].shape[1:]), parts[0].dtype)
    for part, start, stop in zip(parts, starts, stops, strict=True):
        joined[start:stop] = part
    return joined, np.column_stack([starts, stops])
