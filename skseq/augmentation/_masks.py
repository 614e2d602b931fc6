"""Hides bands of features and stretches of frames, and warps time: SpecAugment.

Knows nothing of what a feature means.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from skseq._parameters import NON_NEGATIVE_INT, UNIT_INTERVAL, OneOf
from skseq.augmentation._base import (
    REAL,
    WIDTH,
    ArrayAugmenter,
    whole_width,
)
from skseq.augmentation._time import at_positions

_FILL = (OneOf(["mean"]), REAL)


class FrequencyMask(ArrayAugmenter):
    """Hide bands of neighbouring features in all frames of a sequence.

    The width of each band is drawn from 0 to `max_width`, then its place, all equally
    likely [1]_. The model then cannot rely on a few features alone.

    Parameters
    ----------
    max_width : int or float, default=0.25
        Most features that a band hides; a float is a share of all features. Larger
        values hide more. At least one feature is always left by a band.
    n_masks : int, default=1
        Number of bands, which may overlap.
    fill : "mean" or float, default="mean"
        What hidden features become: each its own mean over the sequence, or this value.

    Attributes
    ----------
    changes_frames : bool
        False: frames keep their number and times.

    See Also
    --------
    TimeMask : Hides frames instead.
    SpecAugment : Does both.

    References
    ----------
    .. [1] D. S. Park et al., "SpecAugment: A simple data augmentation method for
           automatic speech recognition", Interspeech, pp. 2613-2617, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import FrequencyMask
    >>> mask = FrequencyMask(3, fill=0)
    >>> mask(np.ones((2, 8), dtype=int), np.random.default_rng(0))
    array([[1, 0, 0, 1, 1, 1, 1, 1],
           [1, 0, 0, 1, 1, 1, 1, 1]])
    """

    _constraints: ClassVar = {
        "max_width": WIDTH,
        "n_masks": NON_NEGATIVE_INT,
        "fill": _FILL,
    }

    def __init__(
        self,
        max_width: int | float = 0.25,
        *,
        n_masks: int = 1,
        fill: Literal["mean"] | float = "mean",
    ):
        self.max_width = max_width
        self.n_masks = n_masks
        self.fill = fill

    def _change(self, frames, rng):
        changed = frames.copy()
        filling = _filling(frames, self.fill)
        for hidden in _stretches(len(filling), self.max_width, self.n_masks, rng):
            changed[:, hidden] = filling[hidden]
        return changed


class TimeMask(ArrayAugmenter):
    """Hide stretches of neighbouring frames of a sequence.

    The length of each stretch is drawn from 0 to the most that `max_width` and
    `max_share` allow, then its place, all equally likely [1]_.

    Parameters
    ----------
    max_width : int or float, default=0.1
        Most frames that a stretch hides; a float is a share of the frames of the
        sequence. Larger values hide more; a stretch should not hide a whole label. At
        least one frame is always left by a stretch.
    n_masks : int, default=1
        Number of stretches, which may overlap.
    max_share : float, default=1.0
        Largest share of a sequence that a stretch hides, for a `max_width` in frames
        that would be too long for short sequences.
    fill : "mean" or float, default="mean"
        What hidden frames become: the mean frame of the sequence, or this value.

    Attributes
    ----------
    changes_frames : bool
        False: frames keep their number and times.

    See Also
    --------
    FrequencyMask : Hides features instead.
    SpecAugment : Does both.

    References
    ----------
    .. [1] D. S. Park et al., "SpecAugment: A simple data augmentation method for
           automatic speech recognition", Interspeech, pp. 2613-2617, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import TimeMask
    >>> TimeMask(3, fill=0)(np.ones(8, dtype=int), np.random.default_rng(0))
    array([1, 0, 0, 1, 1, 1, 1, 1])
    """

    _constraints: ClassVar = {
        "max_width": WIDTH,
        "n_masks": NON_NEGATIVE_INT,
        "max_share": UNIT_INTERVAL,
        "fill": _FILL,
    }

    def __init__(
        self,
        max_width: int | float = 0.1,
        *,
        n_masks: int = 1,
        max_share: float = 1.0,
        fill: Literal["mean"] | float = "mean",
    ):
        self.max_width = max_width
        self.n_masks = n_masks
        self.max_share = max_share
        self.fill = fill

    def _change(self, frames, rng):
        changed = frames.copy()
        filling = _filling(frames, self.fill)
        width = _bounded(self.max_width, self.max_share, len(frames))
        for hidden in _stretches(len(frames), width, self.n_masks, rng):
            changed[hidden] = filling
        return changed


class SpecAugment(ArrayAugmenter):
    """Warp time, then hide bands of features and stretches of frames.

    The policy of [1]_, in this order. Each part is left out if its width or its number
    of masks is 0. The time warp moves one frame, drawn from those that are far enough
    from both ends, by up to `time_warp` frames to either side, and stretches or
    squeezes what lies before and after it. It costs most and helps least, according to
    [1]_; therefore it is off by default.

    Parameters
    ----------
    frequency_width : int or float, default=0.25
        Most features that a band hides; a float is a share of all features. F in [1]_.
    time_width : int or float, default=0.1
        Most frames that a stretch hides; a float is a share of the frames of the
        sequence. T in [1]_.
    n_frequency_masks : int, default=2
        Number of bands, which may overlap. m_F in [1]_.
    n_time_masks : int, default=2
        Number of stretches, which may overlap. m_T in [1]_.
    max_time_share : float, default=1.0
        Largest share of a sequence that a stretch hides. p in [1]_.
    time_warp : int or float, default=0
        Most frames by which the warp moves a frame; a float is a share of the frames of
        the sequence. W in [1]_.
    fill : "mean" or float, default="mean"
        What is hidden becomes each feature's mean over the sequence, or this value.

    Attributes
    ----------
    changes_frames : bool
        Whether `time_warp` is more than 0.

    See Also
    --------
    FrequencyMask : Hides features only.
    TimeMask : Hides frames only.

    References
    ----------
    .. [1] D. S. Park et al., "SpecAugment: A simple data augmentation method for
           automatic speech recognition", Interspeech, pp. 2613-2617, 2019.

    Examples
    --------
    The policy "LibriSpeech double" of [1]_, for 80 features every 10 ms:

    >>> import numpy as np
    >>> from skseq.augmentation import SpecAugment
    >>> augment = SpecAugment(27, 100, time_warp=80)
    >>> frames = np.random.default_rng(0).normal(size=(1200, 80))
    >>> augment(frames, np.random.default_rng(1)).shape
    (1200, 80)
    """

    _constraints: ClassVar = {
        "frequency_width": WIDTH,
        "time_width": WIDTH,
        "n_frequency_masks": NON_NEGATIVE_INT,
        "n_time_masks": NON_NEGATIVE_INT,
        "max_time_share": UNIT_INTERVAL,
        "time_warp": WIDTH,
        "fill": _FILL,
    }

    def __init__(
        self,
        frequency_width: int | float = 0.25,
        time_width: int | float = 0.1,
        *,
        n_frequency_masks: int = 2,
        n_time_masks: int = 2,
        max_time_share: float = 1.0,
        time_warp: int | float = 0,
        fill: Literal["mean"] | float = "mean",
    ):
        self.frequency_width = frequency_width
        self.time_width = time_width
        self.n_frequency_masks = n_frequency_masks
        self.n_time_masks = n_time_masks
        self.max_time_share = max_time_share
        self.time_warp = time_warp
        self.fill = fill

    @property
    def changes_frames(self) -> bool:
        return bool(self.time_warp)

    def _change(self, frames, rng):
        filling = _filling(frames, self.fill)
        changed = _warp_time(frames, self.time_warp, rng)
        bands = len(filling), self.frequency_width, self.n_frequency_masks
        for hidden in _stretches(*bands, rng):
            changed[:, hidden] = filling[hidden]
        width = _bounded(self.time_width, self.max_time_share, len(frames))
        for hidden in _stretches(len(frames), width, self.n_time_masks, rng):
            changed[hidden] = filling
        return changed


def _filling(frames: np.ndarray, fill: str | float) -> np.ndarray:
    """What each feature becomes where it is hidden, (n_features,)."""
    if isinstance(fill, str):
        return frames.mean(axis=0)
    return np.full(frames.shape[1], fill, frames.dtype)


def _bounded(max_width: float, max_share: float, n_frames: int) -> int:
    shared = whole_width(float(max_share), n_frames)
    return min(whole_width(max_width, n_frames), shared)


def _stretches(size: int, max_width, n_masks: int, rng) -> Iterator[slice]:
    """Drawn stretches of so many frames or features, never of all of them."""
    widest = min(whole_width(max_width, size), size - 1)
    # All in one draw: a call of the generator takes longer than to hide a stretch.
    for of_width, of_start in rng.random((n_masks, 2)).tolist():
        width = int(of_width * (widest + 1))
        start = int(of_start * (size - width + 1))
        yield slice(start, start + width)


def _warp_time(frames: np.ndarray, time_warp: float, rng) -> np.ndarray:
    """Move one drawn frame, the first and the last staying where they are."""
    last = len(frames) - 1
    most = min(whole_width(time_warp, len(frames)), last // 2 - 1)
    if most < 1:
        return frames.copy()
    source = rng.integers(most + 1, last - most)
    target = source + rng.integers(-most, most, endpoint=True)
    positions = np.interp(np.arange(last + 1), [0, target, last], [0, source, last])
    return at_positions(frames, positions)
