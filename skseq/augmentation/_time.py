"""Moves frames in time: stretches, shifts and cuts a sequence.

Knows nothing of features.
"""

from typing import ClassVar, Literal

import numpy as np

from skseq._parameters import Interval, OneOf
from skseq.augmentation._base import (
    REAL,
    WIDTH,
    ArrayAugmenter,
    RangeAugmenter,
    whole_width,
)

_STRETCH = Interval(float, 0.001, 1000, closed="both")


class TimeStretch(RangeAugmenter, ArrayAugmenter):
    """Make a sequence of frames longer or shorter, as if it went slower or faster.

    The number of frames is multiplied by a factor from `low` to `high`, the logarithm
    of which is drawn uniformly. New frames are interpolated linearly between old ones;
    the first and the last frame stay.

    Parameters
    ----------
    low : float, default=0.8
        Smallest factor, at least 0.001. Values below 1 make sequences shorter.
    high : float, default=1.25
        Largest factor, at most 1000. Values above 1 make sequences longer.

    Attributes
    ----------
    changes_frames : bool
        True.

    See Also
    --------
    SpeedPerturb : Does this to waveforms, which changes the pitch too.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import TimeStretch
    >>> TimeStretch(2, 2)(np.array([0.0, 3.0, 6.0]), np.random.default_rng(0))
    array([0. , 1.2, 2.4, 3.6, 4.8, 6. ])
    """

    changes_frames = True
    _constraints: ClassVar = {"low": _STRETCH, "high": _STRETCH}

    def __init__(self, low: float = 0.8, high: float = 1.25):
        self.low = low
        self.high = high

    def _change(self, frames, rng):
        n_frames = max(1, round(len(frames) * self._draw_factor(rng)))
        return at_positions(frames, np.linspace(0, len(frames) - 1, n_frames))


class Shift(ArrayAugmenter):
    """Move a sequence to earlier or later frames, its number of frames kept.

    The shift is drawn from ``-max_shift`` to ``max_shift`` frames, all equally likely.
    Frames that are moved beyond an end are lost, unless they are wrapped; keep
    `max_shift` below the length of what may be lost.

    Parameters
    ----------
    max_shift : int or float, default=0.1
        Most frames of a shift; a float is a share of the frames of the sequence.
    fill : {"edge", "wrap"} or float, default="edge"
        Value of the frames that the shift leaves empty: its first or last
        frame, the frames that were moved out, or this value.

    Attributes
    ----------
    changes_frames : bool
        True.

    See Also
    --------
    Crop : Cuts frames off instead.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Shift
    >>> shift, rng = Shift(3), np.random.default_rng(0)
    >>> [shift(np.arange(6), rng).tolist() for _ in range(2)]
    [[0, 0, 0, 1, 2, 3], [0, 0, 1, 2, 3, 4]]
    """

    changes_frames = True
    _constraints: ClassVar = {
        "max_shift": WIDTH,
        "fill": (OneOf(["edge", "wrap"]), REAL),
    }

    def __init__(
        self,
        max_shift: int | float = 0.1,
        *,
        fill: Literal["edge", "wrap"] | float = "edge",
    ):
        self.max_shift = max_shift
        self.fill = fill

    def _change(self, frames, rng):
        n_frames = len(frames)
        most = min(whole_width(self.max_shift, n_frames), n_frames)
        sources = np.arange(n_frames) - rng.integers(-most, most, endpoint=True)
        if self.fill == "wrap":
            return frames[sources % n_frames]
        changed = frames[np.clip(sources, 0, n_frames - 1)]
        if self.fill != "edge":
            changed[(sources < 0) | (sources >= n_frames)] = self.fill
        return changed


class Crop(ArrayAugmenter):
    """Cut a stretch of neighbouring frames out of a sequence, and return it.

    The length of the stretch is drawn first, then its place, all equally likely. For
    targets that hold for every part of a sequence, such as the class of a texture;
    label sequences may lose labels.

    Parameters
    ----------
    min_share : float, default=0.8
        Smallest share of the frames that is kept. Smaller values cut more.

    Attributes
    ----------
    changes_frames : bool
        True.

    See Also
    --------
    Shift : Moves frames, and keeps their number.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Crop
    >>> Crop(0.5)(np.arange(10), np.random.default_rng(1))
    array([2, 3, 4, 5, 6, 7, 8])
    """

    changes_frames = True
    _constraints: ClassVar = {"min_share": Interval(float, 0, 1, closed="right")}

    def __init__(self, min_share: float = 0.8):
        self.min_share = min_share

    def _change(self, frames, rng):
        most_cut = whole_width(1.0 - self.min_share, len(frames))
        fewest = max(1, len(frames) - most_cut)
        n_frames = rng.integers(fewest, len(frames), endpoint=True)
        start = rng.integers(len(frames) - n_frames, endpoint=True)
        return frames[start : start + n_frames].copy()


def at_positions(
    frames: np.ndarray, positions: np.ndarray, axis: int = 0
) -> np.ndarray:
    """Interpolate linearly at positions from 0 to the last index of an axis."""
    last = frames.shape[axis] - 1
    before = np.clip(positions.astype(np.intp), 0, max(last - 1, 0))
    after = np.minimum(before + 1, last)
    weight = np.expand_dims(positions - before, 1 - axis).astype(frames.dtype)
    first, second = (np.take(frames, i, axis=axis) for i in (before, after))
    return first + weight * (second - first)
