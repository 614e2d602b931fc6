"""One of each augmenter, with settings that change nearly every sequence."""

from functools import cache

import numpy as np

from skseq import augmentation as a

FRAMES = [
    a.FrequencyMask(0.5),
    a.TimeMask(0.5),
    a.SpecAugment(0.5, 0.5, time_warp=0.2),
    a.TimeStretch(0.5, 0.9),
    a.FeatureWarp(0.3),
    a.GaussianNoise(0.5),
    a.FrameGain(2, 3),
    a.Shift(0.5),
    a.Crop(0.5),
    a.Compose([a.FrameGain(2, 2), a.GaussianNoise()]),
    a.OneOf([a.FrameGain(2, 2), a.FrameGain(3, 3)]),
    a.Sometimes(a.FrameGain(2, 2), 0.9),
]
WAVEFORMS = [
    a.SpeedPerturb(0.5, 0.8),
    a.AddNoise(0, 5),
    a.AddNoise(0, 5, noises=[np.ones(3), np.arange(7)]),
    a.Gain(3, 6),
    a.Reverberate(100),
]
IMAGES = [a.Shear(40), a.Elastic(2, 3), a.Blur(2)]
TOKENS = [a.TokenDropout(0.5), a.TokenDropout(0.5, replacement="_"), a.Swap(0.5)]

# Settings at the ends of their ranges, and lengths that leave little room.
EDGES = [
    a.FrequencyMask(0),
    a.FrequencyMask(1.0, n_masks=3),
    a.TimeMask(1000, n_masks=2),
    a.SpecAugment(1.0, 1.0, time_warp=1.0),
    a.SpecAugment(1000, 1000, time_warp=1000),
    a.TimeStretch(0.01, 20),
    a.FeatureWarp(0.99, cutoff=0.01),
    a.FeatureWarp(0.99, cutoff=0.99),
    a.GaussianNoise(0),
    a.FrameGain(1e-6, 1e-6),
    a.Shift(1.0),
    a.Shift(1000, fill="wrap"),
    a.Crop(1e-9),
    a.Crop(1.0),
    a.SpeedPerturb(0.1, 10),
    a.AddNoise(-60, 200),
    a.Reverberate(1, direct=-200),
    a.Shear(89.9, fill=0.0),
    a.Elastic(20, 0.1),
    a.Elastic(1, 50),
    a.Blur(0),
    a.Blur(20),
]

OF_ARRAYS = [*FRAMES, *WAVEFORMS, *IMAGES]
ALL = [*OF_ARRAYS, *TOKENS]


@cache
def arrays():
    """Sequences of several types, shapes and lengths, which cannot be written to."""
    rng = np.random.default_rng(0)
    found = []
    for dtype in (np.float16, np.float32, np.float64, np.int16, np.uint8, ">f4"):
        for shape in ((1, 1), (1, 6), (2, 6), (30, 1), (30, 6), (1,), (30,)):
            array = rng.uniform(0, 100, shape).astype(dtype)
            array.flags.writeable = False
            found.append(array)
    return found


def rng(seed=0):
    return np.random.default_rng(seed)
