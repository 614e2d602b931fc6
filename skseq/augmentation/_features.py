"""Changes the values of frames: their features' places, noise and strength.

Knows nothing of time: each frame stays where it is.
"""

from typing import ClassVar

import numpy as np

from skseq._parameters import (
    BOOLEAN,
    FRACTION,
    NON_NEGATIVE_REAL,
    POSITIVE_INT,
    POSITIVE_REAL,
    PROBABILITY,
)
from skseq.augmentation._base import ArrayAugmenter, RangeAugmenter
from skseq.augmentation._time import at_positions


class FeatureWarp(ArrayAugmenter):
    """Stretch or squeeze the axis of the features, as vocal tracts of other lengths do.

    For features that are neighbours along an axis, such as mel bands. With places from
    0 (the first feature) to 1 (the last), what stands at place u moves to a * u, up to
    a bend near the end of the axis, from where another line leads to 1, so that both
    ends stay [1]_. The factor a is drawn uniformly from ``1 - max_warp`` to
    ``1 + max_warp``, once per sequence. New values are interpolated linearly.

    Parameters
    ----------
    max_warp : float, default=0.1
        Most that the factor differs from 1. Larger values imitate voices that differ
        more.
    cutoff : float, default=0.8
        Place of the bend: before the warp if a is below 1, or else after it. 0.8 of a
        mel axis that ends at 8 kHz is the 4800 Hz of [1]_.
    n_blocks : int, default=1
        Number of equal parts of the features that are each warped alike, for example 3
        for mel bands with two orders of slopes beside them.

    Attributes
    ----------
    changes_frames : bool
        False: frames keep their number and times.

    See Also
    --------
    SpeedPerturb : Changes the pitch and the length of waveforms.

    Notes
    -----
    In [1]_ the axis is linear in hertz, and the filters are warped; here the axis is
    that of the features as they are.

    References
    ----------
    .. [1] N. Jaitly and G. E. Hinton, "Vocal tract length perturbation (VTLP) improves
           speech recognition", ICML Workshop on Deep Learning for Audio, Speech and
           Language, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import FeatureWarp
    >>> bands = np.array([[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]])
    >>> FeatureWarp(0.2)(bands, np.random.default_rng(0)).round(2)
    array([[0.  , 0.  , 0.  , 0.84, 0.21, 0.  , 0.  ]])
    """

    _constraints: ClassVar = {
        "max_warp": PROBABILITY,
        "cutoff": FRACTION,
        "n_blocks": POSITIVE_INT,
    }

    def __init__(
        self, max_warp: float = 0.1, *, cutoff: float = 0.8, n_blocks: int = 1
    ):
        self.max_warp = max_warp
        self.cutoff = cutoff
        self.n_blocks = n_blocks

    def _change(self, frames, rng):
        n_features = frames.shape[1]
        if n_features % self.n_blocks:
            raise ValueError(
                f"FeatureWarp(n_blocks={self.n_blocks}) needs a number of features "
                f"that is a multiple of it. Got {n_features} instead."
            )
        factor = rng.uniform(1 - self.max_warp, 1 + self.max_warp)
        width = n_features // self.n_blocks
        sources = (width - 1) * self._sources(np.linspace(0, 1, width), factor)
        blocks = frames.reshape(-1, width)  # those of a frame one after another
        return at_positions(blocks, sources, axis=1).reshape(frames.shape)

    def _sources(self, places: np.ndarray, factor: float) -> np.ndarray:
        """Where on the axis what comes to these places was."""
        bend = self.cutoff * min(factor, 1)
        return np.interp(places, [0, bend, 1], [0, bend / factor, 1])


class GaussianNoise(ArrayAugmenter):
    """Add Gaussian noise to every value of a sequence.

    What is learnt then changes little where inputs change little [1]_.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation of the noise. Larger values hide more.
    relative : bool, default=True
        Whether `scale` counts in standard deviations of each feature over the sequence,
        or else in the unit of the features. If True, a feature that does not change
        gets no noise.

    Attributes
    ----------
    changes_frames : bool
        False: frames keep their number and times.

    See Also
    --------
    AddNoise : Adds noise to waveforms, at a ratio in decibels.

    References
    ----------
    .. [1] C. M. Bishop, "Training with noise is equivalent to Tikhonov regularization",
           Neural Computation, 7(1), pp. 108-116, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import GaussianNoise
    >>> noise = GaussianNoise(0.5, relative=False)
    >>> noise(np.zeros(3), np.random.default_rng(0)).round(3)
    array([ 0.063, -0.066,  0.32 ])
    """

    _constraints: ClassVar = {"scale": NON_NEGATIVE_REAL, "relative": BOOLEAN}

    def __init__(self, scale: float = 0.1, *, relative: bool = True):
        self.scale = scale
        self.relative = relative

    def _change(self, frames, rng):
        scale = self.scale
        if self.relative:
            scale = frames.std(axis=0) * frames.dtype.type(scale)
        noise = rng.standard_normal(frames.shape, dtype=frames.dtype)
        noise *= scale
        noise += frames
        return noise


class FrameGain(RangeAugmenter, ArrayAugmenter):
    """Multiply a sequence by a factor, as if its sensors were more or less sensitive.

    The logarithm of the factor is drawn uniformly from that of `low` to that of `high`,
    once per sequence.

    Parameters
    ----------
    low : float, default=0.8
        Smallest factor.
    high : float, default=1.25
        Largest factor.
    per_feature : bool, default=False
        Whether each feature has a factor of its own.
    log : bool, default=False
        Whether the features are natural logarithms, as those of
        :class:`~skseq.preprocessing.LogMel`. The logarithm of the factor is then added
        to them.

    Attributes
    ----------
    changes_frames : bool
        False: frames keep their number and times.

    See Also
    --------
    Gain : Does this to waveforms, in decibels.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import FrameGain
    >>> gain = FrameGain(0.5, 2, per_feature=True)
    >>> gain(np.ones((2, 3)), np.random.default_rng(0)).round(2)
    array([[1.21, 0.73, 0.53],
           [1.21, 0.73, 0.53]])
    """

    _constraints: ClassVar = {
        "low": POSITIVE_REAL,
        "high": POSITIVE_REAL,
        "per_feature": BOOLEAN,
        "log": BOOLEAN,
    }

    def __init__(
        self,
        low: float = 0.8,
        high: float = 1.25,
        *,
        per_feature: bool = False,
        log: bool = False,
    ):
        self.low = low
        self.high = high
        self.per_feature = per_feature
        self.log = log

    def _change(self, frames, rng):
        size = frames.shape[1] if self.per_feature else 1
        exponents = rng.uniform(np.log(self.low), np.log(self.high), size)
        exponents = exponents.astype(frames.dtype)
        return frames + exponents if self.log else frames * np.exp(exponents)
