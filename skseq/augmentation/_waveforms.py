"""Changes waveforms: their speed, loudness, noise and room.

A frame is one audio sample here. Knows nothing of files or features.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import numpy as np
from scipy.signal import firwin, oaconvolve, resample_poly

from skseq._parameters import NONE, POSITIVE_REAL, Interval, Kind
from skseq.augmentation._base import DECIBELS, ArrayAugmenter, RangeAugmenter

# Speeds are whole hundredths, which makes the filters few and short.
_STEPS = 100


def _is_noise(value) -> bool:
    """Whether a value is a collection of one or more recordings that hold numbers."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__getitem__"):
        return False
    arrays = [np.asarray(noise) for noise in value]
    return bool(arrays) and all(
        noise.ndim == 1 and noise.size and noise.dtype.kind in "fiu" for noise in arrays
    )


_NOISES = (
    Kind(_is_noise, "a non-empty list of non-empty 1-D arrays of numbers"),
    NONE,
)


class SpeedPerturb(RangeAugmenter, ArrayAugmenter):
    """Play a waveform faster or slower, which changes its length and its pitch.

    The waveform is resampled by a polyphase filter, so that nothing above half the
    sample rate is folded back. The logarithm of the speed is drawn uniformly, and the
    speed is rounded to hundredths [1]_.

    Parameters
    ----------
    low : float, default=0.9
        Lowest speed. Values below 1 make waveforms longer and lower.
    high : float, default=1.1
        Highest speed. Values above 1 make waveforms shorter and higher.

    Attributes
    ----------
    changes_frames : bool
        True.

    See Also
    --------
    TimeStretch : Changes the length of frames of features, and no pitch.
    FeatureWarp : Warps the frequencies of mel bands.

    References
    ----------
    .. [1] T. Ko, V. Peddinti, D. Povey and S. Khudanpur, "Audio augmentation for speech
           recognition", Interspeech, pp. 3586-3589, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import SpeedPerturb
    >>> waveform = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> faster = SpeedPerturb(1.1, 1.1)(waveform, np.random.default_rng(0))
    >>> faster.shape
    (14546,)
    """

    changes_frames = True
    _constraints: ClassVar = {
        "low": Interval(float, 0.1, 10, closed="both"),
        "high": Interval(float, 0.1, 10, closed="both"),
    }

    def __init__(self, low: float = 0.9, high: float = 1.1):
        self.low = low
        self.high = high

    def _change(self, frames, rng):
        speed = Fraction(round(_STEPS * self._draw_factor(rng)), _STEPS)
        if speed == 1:
            return frames.copy()
        down, up = speed.as_integer_ratio()
        lowpass = _lowpass(max(down, up)).astype(frames.dtype)
        return resample_poly(frames, up, down, window=lowpass)


@lru_cache(maxsize=64)
def _lowpass(rate: int) -> np.ndarray:
    """A filter that passes what lies below half the lower of two sample rates."""
    return firwin(20 * rate + 1, 1 / rate, window=("kaiser", 5.0))


class AddNoise(RangeAugmenter, ArrayAugmenter):
    """Add noise to a waveform, at a drawn signal-to-noise ratio.

    Corpora of recorded noise, such as [1]_, can be drawn from.

    Parameters
    ----------
    low : float, default=10.0
        Lowest ratio of the power of the waveform to that of the noise, in decibels.
        Lower values make louder noise.
    high : float, default=40.0
        Highest ratio, in decibels. Ratios between are equally likely.
    noises : list of array-like of shape (n_audio_samples,), default=None
        Recordings of noise, at the sample rate of the waveforms. One of them is drawn,
        then a place in it; one that is too short is repeated. None adds white Gaussian
        noise.

    Attributes
    ----------
    changes_frames : bool
        False: audio samples keep their number and times.

    See Also
    --------
    GaussianNoise : Adds noise to frames of features.

    Notes
    -----
    The ratio is that of the powers over the whole waveform, silence included, and is
    exact for each waveform. A waveform of zeros stays as it is.

    References
    ----------
    .. [1] D. Snyder, G. Chen and D. Povey, "MUSAN: A music, speech, and noise corpus",
           arXiv:1510.08484, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import AddNoise
    >>> waveform = np.sin(np.arange(1000.0))
    >>> noise = AddNoise(20, 20)(waveform, np.random.default_rng(0)) - waveform
    >>> ratio = np.mean(waveform**2) / np.mean(noise**2)
    >>> round(float(10 * np.log10(ratio)), 6)
    20.0
    """

    _constraints: ClassVar = {"low": DECIBELS, "high": DECIBELS, "noises": _NOISES}

    def __init__(
        self,
        low: float = 10.0,
        high: float = 40.0,
        *,
        noises: Sequence[np.ndarray] | None = None,
    ):
        self.low = low
        self.high = high
        self.noises = noises

    def _change(self, frames, rng):
        ratio = 10 ** (self._draw_decibels(rng) / 10)
        noise = self._draw_noise(frames, rng)
        noise_power = np.mean(np.square(noise), dtype=float)
        power = np.mean(np.square(frames), dtype=float)
        if not noise_power:
            return frames.copy()
        return frames + noise * frames.dtype.type(np.sqrt(power / ratio / noise_power))

    def _draw_noise(self, frames: np.ndarray, rng) -> np.ndarray:
        if self.noises is None:
            return rng.standard_normal(frames.shape, dtype=frames.dtype)
        place = rng.integers(len(self.noises))
        noise = np.asarray(self.noises[place])
        start = rng.integers(max(1, len(noise) - len(frames) + 1))
        repeats = -(-len(frames) // len(noise))
        if repeats > 1:
            noise = np.tile(noise, repeats)
        noise = noise[start : start + len(frames)]
        if not np.isfinite(noise).all():  # of what is used: a corpus is long
            raise ValueError(
                f"The 'noises' parameter of AddNoise must hold finite numbers. "
                f"noises[{place}] has NaN or infinity among them."
            )
        return noise.astype(frames.dtype)[:, None]


class Gain(RangeAugmenter, ArrayAugmenter):
    """Make a waveform louder or softer.

    Parameters
    ----------
    low : float, default=-6.0
        Lowest gain in decibels. -6 about halves the amplitude.
    high : float, default=6.0
        Highest gain in decibels. Gains between are equally likely. Waveforms of
        integers are clipped to the range of their type, and others are not.

    Attributes
    ----------
    changes_frames : bool
        False: audio samples keep their number and times.

    See Also
    --------
    FrameGain : Multiplies frames of features.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Gain
    >>> Gain(20, 20)(np.array([1, -2], dtype=np.int16), np.random.default_rng(0))
    array([ 10, -20], dtype=int16)
    """

    _constraints: ClassVar = {"low": DECIBELS, "high": DECIBELS}

    def __init__(self, low: float = -6.0, high: float = 6.0):
        self.low = low
        self.high = high

    def _change(self, frames, rng):
        return frames * frames.dtype.type(10 ** (self._draw_decibels(rng) / 20))


class Reverberate(RangeAugmenter, ArrayAugmenter):
    """Put a waveform into a room: add the echoes of a synthetic, decaying impulse.

    The response of the room is one impulse for the direct sound, followed by white
    Gaussian noise that decays exponentially [1]_, [2]_, both scaled to an energy of 1
    together. The time in which the noise decays by 60 dB is drawn from `low` to `high`,
    its logarithm uniformly. Echoes after the end of the waveform are cut off.

    Parameters
    ----------
    sample_rate : float, default=16000
        Audio samples per second of all waveforms.
    low : float, default=0.1
        Shortest reverberation time, in seconds: that of a small furnished room is 0.3.
    high : float, default=0.5
        Longest reverberation time, in seconds. Larger values blur more.
    direct : float, default=6.0
        Energy of the direct sound over that of the echoes, in decibels. Lower values
        are heard further away from the source.

    Attributes
    ----------
    changes_frames : bool
        False: audio samples keep their number, and the direct sound its times.

    See Also
    --------
    AddNoise : Adds what else is heard in a room.

    References
    ----------
    .. [1] J. A. Moorer, "About this reverberation business", Computer Music Journal,
           3(2), pp. 13-28, 1979.
    .. [2] T. Ko et al., "A study on data augmentation of reverberant speech for robust
           speech recognition", ICASSP, pp. 5220-5224, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Reverberate
    >>> click = np.zeros(8000)
    >>> click[0] = 1.0
    >>> response = Reverberate(8000)(click, np.random.default_rng(0))
    >>> round(float(response[0] ** 2 / np.sum(response[1:] ** 2)), 2)
    3.98
    """

    _constraints: ClassVar = {
        "sample_rate": POSITIVE_REAL,
        "low": POSITIVE_REAL,
        "high": POSITIVE_REAL,
        "direct": DECIBELS,
    }

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        low: float = 0.1,
        high: float = 0.5,
        direct: float = 6.0,
    ):
        self.sample_rate = sample_rate
        self.low = low
        self.high = high
        self.direct = direct

    def _change(self, frames, rng):
        response = self._draw_response(rng)[: len(frames)].astype(frames.dtype)
        return oaconvolve(frames, response[:, None], axes=0)[: len(frames)]

    def _draw_response(self, rng) -> np.ndarray:
        n_samples = max(1, round(self._draw_factor(rng) * self.sample_rate))
        amplitude = 10 ** (-3 * np.arange(1, n_samples + 1) / n_samples)  # 60 dB
        echoes = amplitude * rng.standard_normal(n_samples)
        ratio = 10 ** (self.direct / 10)
        echoes /= np.sqrt(np.sum(echoes**2) * ratio)
        return np.concatenate([[1], echoes]) / np.sqrt(1 + 1 / ratio)
