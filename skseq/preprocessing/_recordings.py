"""Reads audio files as waveforms of one channel and one sample rate.

Knows files and resampling, and nothing of what is computed from a waveform.
"""

import os
from collections.abc import Iterable
from math import gcd
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from skseq._data.collections import object_array
from skseq._parameters import Interval, check_value
from skseq._warnings import warn
from skseq._wording import counted
from skseq.preprocessing._converters.libraries import import_library

# Hertz, so that 16 is not taken for 16,000.
_SAMPLE_RATES = Interval(int, 1000, 1_000_000, closed="both")


def read_audio(paths, sample_rate=16000):
    """Read audio files of any rate and number of channels as waveforms.

    Channels are averaged, and what was recorded at another rate is resampled. The
    files are read by soundfile, which knows WAV, FLAC, OGG, MP3 and more: ``pip install
    "skseq[audio]"``.

    Parameters
    ----------
    paths : collection of str or path-like
        The files. A leading `~` stands for the home folder.
    sample_rate : int, default=16000
        Audio samples per second of the waveforms that are returned, from 1000 to
        1000000. Pass it to :class:`LogMel` and :class:`MFCC` too. Nothing that is
        higher than half of it is kept. Take the lowest rate among the files if they
        differ.

    Returns
    -------
    waveforms : ndarray of shape (n_files,)
        An object array of waveforms, float32 arrays of shape (n_audio_samples,), in the
        order of `paths`. Integers become numbers from -1 to 1, whatever their width;
        floating point numbers are taken as they are.

    Raises
    ------
    ImportError
        If soundfile is not installed.
    TypeError
        If `paths` is a single path or not a collection.
    FileNotFoundError
        If there is no such file.
    ValueError
        If `paths` is empty or `sample_rate` is not a rate in hertz, or if a file cannot
        be read, is a folder, holds no sound or has a value that is not finite. The
        message names the file.

    See Also
    --------
    LogMel : Turns waveforms into frames.

    Notes
    -----
    A file of `n` samples at the rate `r` gives ``ceil(n * sample_rate / r)`` of them.
    Resampling is that of :func:`scipy.signal.resample_poly`: a filter of linear phase
    removes what the new rate cannot hold, so that nothing is delayed and nothing high
    comes back as something low. At steep edges, values may exceed 1 by a little.

    A warning says so where some files are recorded at a lower rate than `sample_rate`
    and others are not, since a model could learn to tell files by their rates.

    Examples
    --------
    >>> import numpy as np
    >>> import soundfile
    >>> from skseq.preprocessing import read_audio
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    >>> soundfile.write("tone.wav", np.column_stack([tone, tone]), 44100)
    >>> read_audio(["tone.wav"], sample_rate=8000)[0].shape
    (8000,)
    """
    check_value("read_audio", "sample_rate", sample_rate, _SAMPLE_RATES)
    soundfile = import_library("soundfile")
    waveforms, rates = [], []
    for i, path in enumerate(_check_paths(paths)):
        samples, rate = _read(soundfile, path, f"paths[{i}] ({os.fspath(path)!r})")
        waveforms.append(_resampled(samples.mean(axis=1), rate, int(sample_rate)))
        rates.append(rate)
    _warn_of_lower(rates, sample_rate)
    return object_array(waveforms)


def _check_paths(paths: Any) -> list:
    if isinstance(paths, str | bytes | os.PathLike):
        cure = "Pass [path]."
        if os.path.isdir(paths):
            cure = 'For a folder, pass sorted(Path(folder).glob("*.wav")).'
        raise TypeError(
            f"paths must be a collection of paths, but is one path, {paths!r}. {cure}"
        )
    if not isinstance(paths, Iterable):
        raise TypeError(
            f"paths must be a collection of paths. Got {type(paths).__name__}: "
            f"{paths!r}."
        )
    paths = list(paths)
    if not paths:
        raise ValueError(
            "paths is empty. Check the folder and the pattern that its files were "
            "looked for with."
        )
    for i, path in enumerate(paths):
        if not isinstance(path, str | bytes | os.PathLike):
            raise TypeError(
                f"paths[{i}] must be a str or a path. Got {type(path).__name__} "
                "instead. What is in memory already needs no reading: pass waveforms "
                "to LogMel, and resample them by scipy.signal.resample_poly."
            )
    return [os.path.expanduser(path) for path in paths]


def _read(soundfile: Any, path: str | bytes, name: str) -> tuple[np.ndarray, int]:
    """Return the samples of a file, (n_audio_samples, n_channels), and their rate."""
    if os.path.isdir(path):
        raise ValueError(
            f"{name} is a folder. Pass the files in it: "
            'sorted(Path(folder).glob("*.wav")).'
        )
    if not os.path.exists(path):
        cure = "Correct the path, or leave it out."
        if not os.path.isabs(path):
            cure = f"It was looked for from the current folder, {os.getcwd()}."
        raise FileNotFoundError(f"{name} does not exist. {cure}")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise ValueError(
            f"{name} cannot be read as audio: {error} If it plays elsewhere, convert "
            "it: ffmpeg -i file converted.wav."
        ) from error
    if not len(samples):
        raise ValueError(f"{name} holds no audio samples. Leave it out.")
    if not np.isfinite(samples).all():
        raise ValueError(
            f"{name} holds NaN or infinity, first at audio sample "
            f"{int(np.argmin(np.isfinite(samples).all(axis=1)))}. Leave it out, or "
            "write it anew."
        )
    return samples, rate


def _resampled(waveform: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    if rate == sample_rate:
        return waveform
    common = gcd(rate, sample_rate)
    return resample_poly(waveform, sample_rate // common, rate // common)


def _warn_of_lower(rates: list[int], sample_rate: int) -> None:
    """Warn where a lack of high sounds tells some files from others."""
    n_lower = sum(rate < sample_rate for rate in rates)
    if 0 < n_lower < len(rates):
        lowest = min(rates)
        warn(
            f"sample_rate={sample_rate} is above the rate of "
            f"{counted(n_lower, 'file')} of {len(rates)}, in which high sounds are "
            f"missing. To make all alike, pass the lowest: sample_rate={lowest}."
        )
