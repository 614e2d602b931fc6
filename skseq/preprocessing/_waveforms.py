"""Says what is wrong with waveforms: their channels, loudness and lengths.

Knows nothing of what is computed from them.
"""

from collections.abc import Iterable

import numpy as np

from skseq._warnings import warn
from skseq._wording import counted

# Floats of full scale lie within 1; beyond this they are integers that became floats.
_FULL_SCALE = 2.0

# By what factor float waveforms of one collection may differ, quiet ones among them.
_QUIETER = 100

# Seconds that the window of a sound may take without a question.
_USUAL = 0.1

# What brings integers to -1 to 1, by what is in the names of their types.
_SCALES = {"int16": " / 32768", "int32": " / 2**31"}

# A matrix of no more columns and at least so many rows is one recording.
_MOST_CHANNELS = 8
_RECORDING = 1000


def check_channels(X: object, owner: str) -> None:
    """Refuse waveforms of several channels, and channels that stand before time."""
    if isinstance(X, np.ndarray) and X.ndim == 2:
        _check_recording(X, owner)
    is_array = isinstance(X, np.ndarray) and X.ndim == 3
    found = []
    for i, item in enumerate(X[:1] if is_array else _items(X)):
        shape = tuple(getattr(item, "shape", ()))
        if len(shape) == 2 and shape[1] != 1 and 0 not in shape:
            found.append((i, shape, str(getattr(item, "dtype", ""))))
    if found:
        kinds = {(shape[0] < shape[1], dtype) for _, shape, dtype in found}
        refuse_channels(owner, *found[0], is_array=is_array, is_mixed=len(kinds) > 1)


def _items(X: object) -> Iterable:
    """The items of a collection in memory."""
    is_objects = isinstance(X, np.ndarray) and X.dtype.kind == "O" and X.ndim == 1
    return X if isinstance(X, list | tuple) or is_objects else ()


def _check_recording(X: np.ndarray, owner: str) -> None:
    """Refuse one recording of several channels, whose rows would be waveforms."""
    n_samples, n_channels = X.shape
    if n_channels <= _MOST_CHANNELS and n_samples >= _RECORDING:
        raise ValueError(
            f"{owner} takes the rows of a 2-D X for waveforms, and these have "
            f"{counted(n_channels, 'audio sample')}. If X is one recording of "
            f"{counted(n_channels, 'channel')}, mix them down and put it into a list: "
            "X = [X.mean(axis=1)]."
        )


def refuse_channels(
    owner: str,
    i: int,
    shape: tuple,
    dtype: str,
    *,
    is_array: bool = False,
    is_mixed: bool = False,
) -> None:
    """Say how many channels a waveform has, and how to make one of them."""
    is_first = shape[0] < shape[1]
    axis, n_channels = (0, shape[0]) if is_first else (1, shape[1])
    layout = "(channels, n_samples)" if is_first else "(n_samples, channels)"
    scale = next((s for name, s in _SCALES.items() if name in dtype), "")
    mixed = f"(x{scale}).mean(axis={axis})" if scale else f"x.mean(axis={axis})"
    cure = f"X = [{mixed} if x.ndim == 2 else x for x in X]"
    if is_array:
        whole = f"(X{scale})" if scale else "X"
        cure = f"X = {whole}.mean(axis={axis + 1})"
    if is_mixed:  # of layouts or types, so that each item tells its own
        cure = (
            "X = [x.mean(axis=int(np.argmin(x.shape))) if x.ndim == 2 else x for x in "
            "X], after dividing integers by their range, int16 by 32768"
        )
    raise ValueError(
        f"{owner} needs waveforms of one channel, 1-D or (n_samples, 1) arrays, but "
        f"X[{i}] has {counted(n_channels, 'channel')}: its shape {shape} is {layout}. "
        f"Pass one channel, {'x[0]' if is_first else 'x[:, 0]'}, or mix them down: "
        f"{cure}."
    )


def check_duration(
    name: str, seconds: float, sample_rate: float, longest: int, *, is_fit: bool
) -> None:
    """Refuse frames that are longer than every waveform, or warn of them.

    Once the transformer is in use a short waveform may come alone. Then only what can
    be a number of audio samples is refused, and usual windows are not warned of.
    """
    n_samples = round(seconds * sample_rate)
    if n_samples <= longest:
        return
    found = (
        f"{name}={seconds} is {counted(n_samples, 'audio sample')} at "
        f"sample_rate={sample_rate}, but the longest waveform has {longest}"
    )
    if is_fit or seconds >= 1:
        cure = "Lower it, or check sample_rate."
        if seconds >= 1:  # what lasts so long is a number of audio samples
            divided = f"divide it: {name}={seconds} / {sample_rate}"
            cure = f"If it counts audio samples, {divided}."
        raise ValueError(f"{found}, so that each would be a single frame. {cure}")
    if seconds > _USUAL:
        warn(f"{found}: each becomes a single frame.")


class Loudness:
    """Warns once of waveforms whose scales differ, as they are read."""

    def __init__(self):
        self._integers = None  # the first waveform that is divided by its range
        self._softest = self._loudest = None  # the peak and index of float ones
        self._has_warned = False

    def note(self, index: int, waveform: np.ndarray) -> None:
        """Compare a waveform, as the user holds it, with those before it."""
        if waveform.dtype.kind != "f":
            self._integers = self._integers or (index, waveform.dtype)
            self._warn_of_wide(index, waveform)
        else:
            peak = float(np.abs(waveform).max())
            if peak > 0:
                here = peak, index
                self._softest = min(here, self._softest or here)
                self._loudest = max(here, self._loudest or here)
        self._warn()

    def _warn_of_wide(self, index: int, waveform: np.ndarray) -> None:
        """Warn of 16 or 24 bits in a wider type, by whose range they are divided."""
        is_wide = waveform.dtype.itemsize == 4 and not self._has_warned
        peak = int(np.abs(waveform.astype(float)).max()) if is_wide else 0
        if 0 < peak <= 2**23:
            self._has_warned = True
            is_short = peak <= 2**15
            bits, cure = (16, "x.astype(np.int16)") if is_short else (24, "x / 2**23")
            warn(
                f"X[{index}] is {waveform.dtype}, but its values lie within {peak}, as "
                f"those of {bits} bits do; it is divided by its full range, and nearly "
                f"silent. Convert it: {cure}."
            )

    def _warn(self) -> None:
        if self._has_warned or not self._loudest or self._loudest[0] <= _FULL_SCALE:
            return
        peak, index = self._loudest
        other = None
        if self._integers:
            other = "X[{}] is {}, which is divided by its full range".format(
                *self._integers
            )
        elif self._softest[0] * _QUIETER < peak:
            other = "X[{1}] stays below {0:.3g}".format(*self._softest)
        if other is None:
            return
        self._has_warned = True
        warn(
            f"X mixes scales: X[{index}] holds floats up to {peak:.6g}, but {other}. "
            "Bring all to -1 to 1: X = [x / 32768 if abs(x).max() > 2 else x for x in "
            "X]."
        )
