"""Generates what voices say, as mel spectra: who speaks shows in how, not in what.

Knows nothing of files, nor of waveforms.
"""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from scipy.ndimage import gaussian_filter1d
from sklearn.utils import check_random_state, check_scalar

from skseq.datasets._letters import BANDWIDTHS, FORMANTS
from skseq.datasets._ranges import check_noise, check_range, draw_int
from skseq.preprocessing._mel import mel_filters

_N_BANDS = 24
_HIGHEST = 4000.0  # hertz
_BINS = np.linspace(0.0, _HIGHEST, 129)
_FILTERS = mel_filters(2 * _HIGHEST, 256, _N_BANDS, 60.0, _HIGHEST)

_VOWELS = np.array([*FORMANTS.values()], dtype=float)  # (n_vowels, 3) in hertz
_FOURTH = 3400.0  # hertz, the formant that all vowels of a voice share
_FLOOR = 1e-4  # of the power, 40 dB below a voice

_GLIDE = 2.0  # frames, the deviation of the kernel that smooths what is spoken
_SILENT = 0.15  # the share of sounds that are pauses


def make_voices(
    n_classes=50,
    n_samples_per_class=10,
    *,
    length=(100, 200),
    channel=6.0,
    noise=0.3,
    random_state=None,
):
    """Generate sequences that are spoken by many voices, each of which is a class.

    A voice has a pitch, formants, a tilt and a breath of its own. Every sequence says
    something else, some of ten vowels more than others, with pauses between; and
    sequences differ in length, level and channel, as if each were recorded with another
    microphone. So the mean frame of a sequence tells little of who speaks; how frames
    vary tells more, once the mean has been removed.

    Parameters
    ----------
    n_classes : int, default=50
        Number of voices.
    n_samples_per_class : int, default=10
        Number of sequences that each voice speaks.
    length : (int, int), default=(100, 200)
        Fewest and most frames of a sequence, at least 10; every number between is
        equally likely. A frame is 10 ms.
    channel : float, default=6.0
        Standard deviation, in decibels, of the gain that a sequence's channel gives to
        a frequency; neighboring frequencies have similar gains. With 0 the mean frame
        tells more of the voice.
    noise : float, default=0.3
        Standard deviation of the Gaussian noise added to every value. Larger values
        hide weak sounds.
    random_state : int, RandomState instance or None, default=None
        Draws voices, what they say, and the order of the sequences. Pass an int for
        the same sequences in each call.

    Returns
    -------
    X : list of n_samples ndarrays of shape (n_frames, 24), dtype=float32
        The natural logarithm of the power in 24 mel bands up to 4 kHz, as
        :class:`~skseq.preprocessing.LogMel` has it.
    y : ndarray of shape (n_samples,), dtype=int
        Which voice speaks each sequence, from 0. The number of samples is `n_classes`
        times `n_samples_per_class`.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range.

    See Also
    --------
    make_letters : Waveforms, by voices whose letters are to be read.
    fetch_librispeech_speakers : Real voices.

    Notes
    -----
    The spectrum of a frame is that of a pulse train through four resonances in a row
    [1]_, of which three are the formants of vowels that [2]_ measured. Those of a voice
    are longer or shorter as its vocal tract is, each of them by 10 % of its own, and
    each of each vowel by 3 % again: an accent. A sequence draws the shares of its
    vowels from a Dirichlet distribution whose parameters are 2, its pitch with a
    deviation of two semitones about that of the voice, and its level with one of 6 dB.

    References
    ----------
    .. [1] D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA,
           67(3), pp. 971-995, 1980.
    .. [2] G. E. Peterson and H. L. Barney, "Control methods used in a study of the
           vowels", JASA, 24(2), pp. 175-184, 1952.

    Examples
    --------
    >>> from skseq.datasets import make_voices
    >>> X, y = make_voices(3, 2, random_state=0)
    >>> y
    array([2, 0, 1, 1, 2, 0])
    >>> X[0].shape, X[1].shape
    ((137, 24), (104, 24))
    """
    check_scalar(n_classes, "n_classes", Integral, min_val=1)
    check_scalar(n_samples_per_class, "n_samples_per_class", Integral, min_val=1)
    check_range("length", length, Integral, minimum=10)
    check_scalar(channel, "channel", Real, min_val=0.0, max_val=100.0)
    if channel != channel:
        raise ValueError(f"channel == {channel}, must be a number from 0 to 100.")
    check_noise(noise)
    rng = check_random_state(random_state)
    voices = [_Voice.drawn(rng) for _ in range(n_classes)]
    y = rng.permutation(np.repeat(np.arange(n_classes), n_samples_per_class))
    X = []
    for label in y.tolist():
        frames = voices[label].speak(rng, draw_int(rng, length))
        frames += _draw_gains(rng, channel)
        frames += noise * rng.standard_normal(frames.shape)
        X.append(frames.astype(np.float32))
    return X, y


@dataclass(frozen=True)
class _Voice:
    """Somebody who speaks."""

    pitch: float  # hertz
    vowels: np.ndarray  # (n_vowels, 3), formants in hertz
    fourth: float  # formant, in hertz
    bandwidths: np.ndarray  # (4,) in hertz
    tilt: float  # decibels by which an octave is lower than the one below
    breath: float  # power of noise, beside a voice of one

    @classmethod
    def drawn(cls, rng: np.random.RandomState) -> "_Voice":
        pitch = float(np.exp(rng.uniform(np.log(80), np.log(300))))
        tract = (pitch / 132) ** 0.3 * np.exp(0.04 * rng.standard_normal())
        own = tract * np.exp(0.1 * rng.standard_normal(4))
        accent = np.exp(0.03 * rng.standard_normal(_VOWELS.shape))
        widths = np.array([*BANDWIDTHS, 200.0]) * np.exp(0.25 * rng.standard_normal(4))
        return cls(
            pitch=pitch,
            vowels=_VOWELS * own[:3] * accent,
            fourth=float(_FOURTH * own[3]),
            bandwidths=widths,
            tilt=float(rng.uniform(3, 12)),
            breath=float(np.exp(rng.uniform(np.log(1e-3), np.log(1e-1)))),
        )

    def speak(self, rng: np.random.RandomState, n_frames: int) -> np.ndarray:
        """Return log-mel frames, (n_frames, n_bands), of whatever is drawn."""
        formants, loudness = self._draw_sounds(rng, n_frames)
        pitch = self._draw_pitch(rng, n_frames)
        source = _pulses(pitch) * _slope(self.tilt) + self.breath
        power = loudness[:, None] * source * self._resonances(formants)
        return np.log((power + _FLOOR * power.mean()) @ _FILTERS)

    def _draw_sounds(
        self, rng: np.random.RandomState, n_frames: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw formants, (n_frames, 4), and power, (n_frames,), of what is said."""
        durations = rng.randint(5, 20, size=n_frames // 5 + 1)
        n_sounds = int(np.searchsorted(np.cumsum(durations), n_frames)) + 1
        shares = rng.dirichlet(np.full(len(_VOWELS), 2.0))
        vowels = rng.choice(len(_VOWELS), size=n_sounds, p=shares)
        loudness = np.exp(0.7 * rng.standard_normal(n_sounds))
        loudness[1:][rng.uniform(size=n_sounds - 1) < _SILENT] = 1e-3
        sound_of = np.repeat(np.arange(n_sounds), durations[:n_sounds])[:n_frames]
        formants = np.column_stack(
            [self.vowels[vowels], np.full(n_sounds, self.fourth)]
        )
        tracks = gaussian_filter1d(formants[sound_of], _GLIDE, axis=0, mode="nearest")
        return tracks, gaussian_filter1d(loudness[sound_of], _GLIDE, mode="nearest")

    def _draw_pitch(self, rng: np.random.RandomState, n_frames: int) -> np.ndarray:
        """Draw a pitch that falls by three semitones, and sways, (n_frames,)."""
        sway = gaussian_filter1d(rng.standard_normal(n_frames), 10, mode="nearest")
        melody = np.linspace(1.5, -1.5, n_frames) + 4 * sway
        return self.pitch * 2 ** ((2 * rng.standard_normal() + melody) / 12)

    def _resonances(self, formants: np.ndarray) -> np.ndarray:
        """The gain of power by resonances in a row, (n_frames, n_bins)."""
        gain = np.ones((len(formants), len(_BINS)))
        for formant, width in zip(formants.T, self.bandwidths, strict=True):
            center = formant[:, None] ** 2
            gain *= center**2 / ((_BINS**2 - center) ** 2 + (width * _BINS) ** 2)
        return gain


def _pulses(pitch: np.ndarray) -> np.ndarray:
    """The power of a pulse train, harmonic by harmonic, (n_frames, n_bins)."""
    harmonic = _BINS / pitch[:, None]
    away = (harmonic - np.maximum(np.round(harmonic), 1)) * pitch[:, None]
    return pitch[:, None] / 100 * np.exp(-((away / 30) ** 2) / 2) + 1e-4


def _slope(tilt: float) -> np.ndarray:
    """The power by frequency that falls by `tilt` decibels per octave, (n_bins,)."""
    octaves = np.log2(np.maximum(_BINS, 100.0) / 100.0)
    return 10 ** (-tilt * octaves / 10)


def _draw_gains(rng: np.random.RandomState, channel: float) -> np.ndarray:
    """Draw what a level and a smooth channel add to each band, (n_bands,)."""
    level = 6.0 * rng.standard_normal()
    curve = gaussian_filter1d(rng.standard_normal(_N_BANDS + 24), 3.0)[12:-12]
    curve *= np.sqrt(2 * np.sqrt(np.pi) * 3.0)  # a deviation of one, as before
    return (level + channel * curve) * np.log(10) / 10
