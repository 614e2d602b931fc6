"""Augmenters: random changes of one sequence that leave its label as it is.

An augmenter is called with a sequence and a :class:`numpy.random.Generator`, and
returns a changed sequence. The same state of the generator gives the same result, bit
for bit. The sequence passed in is never written to; if a draw leaves it alone, it may
itself be the result. Type and number of features stay, and at least one frame is left.
The result of integers is rounded, and clipped to the range of their type.

Each augmenter has the attribute `changes_frames`: whether the number, the order or the
times of the frames may change, so that targets per frame would no longer fit. Functions
of your own become augmenters through :func:`augmenter`.
"""

from skseq.augmentation._base import augmenter, is_augmenter
from skseq.augmentation._combined import Compose, OneOf, Sometimes
from skseq.augmentation._features import FeatureWarp, FrameGain, GaussianNoise
from skseq.augmentation._images import Blur, Elastic, Shear
from skseq.augmentation._masks import FrequencyMask, SpecAugment, TimeMask
from skseq.augmentation._time import Crop, Shift, TimeStretch
from skseq.augmentation._tokens import Swap, TokenDropout
from skseq.augmentation._waveforms import AddNoise, Gain, Reverberate, SpeedPerturb

__all__ = [
    "AddNoise",
    "Blur",
    "Compose",
    "Crop",
    "Elastic",
    "FeatureWarp",
    "FrameGain",
    "FrequencyMask",
    "Gain",
    "GaussianNoise",
    "OneOf",
    "Reverberate",
    "Shear",
    "Shift",
    "Sometimes",
    "SpecAugment",
    "SpeedPerturb",
    "Swap",
    "TimeMask",
    "TimeStretch",
    "TokenDropout",
    "augmenter",
    "is_augmenter",
]
