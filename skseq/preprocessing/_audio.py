"""Turns raw waveforms into frames of log mel or cepstral features.

Knows one waveform at a time and nothing of files, codecs or resampling.
"""

from collections.abc import Callable

import numpy as np
from scipy.fft import dct
from scipy.signal import get_window
from sklearn.base import clone

from skseq._data.lengths import refuse_lengths
from skseq._data.sequences import Sequences, check_sequences
from skseq._parameters import (
    NON_NEGATIVE_REAL,
    NONE,
    POSITIVE_INT,
    POSITIVE_REAL,
    UNIT_INTERVAL,
    Interval,
    check_parameters,
)
from skseq.preprocessing._mel import (
    MelAnalysis,
    full_scale,
    in_tiles,
    mel_filters,
    with_deltas,
)
from skseq.preprocessing._pieces import Stages
from skseq.preprocessing._transformer import SequenceTransformer
from skseq.preprocessing._waveform_pieces import SinglePrecision, Slopes, Waveform
from skseq.preprocessing._waveforms import (
    Loudness,
    check_channels,
    check_duration,
    refuse_channels,
)

# From this sample rate on a signal is a sound, whose frames are fractions of a second.
# What is slower, as a seismogram, may be cut into frames of minutes.
_AUDIBLE = 1000

# A window is hardly longer in milliseconds.
_MILLISECONDS = 200

# Values of a filter bank, 1 GiB of them: it takes n_mels for each second point.
_MOST_VALUES = 2**27

_CONSTRAINTS = {
    "sample_rate": POSITIVE_REAL,
    "window_seconds": POSITIVE_REAL,
    "hop_seconds": POSITIVE_REAL,
    "n_mels": POSITIVE_INT,
    "f_min": NON_NEGATIVE_REAL,
    "pre_emphasis": UNIT_INTERVAL,
    "floor": POSITIVE_REAL,
    "deltas": Interval(int, 0, 2, closed="both"),
}


class LogMel(SequenceTransformer):
    """Turn raw waveforms into frames of log mel filter bank energies.

    Each frame is weighted by a periodic Hann window, its power spectrum is summed under
    triangles of height one that are evenly spaced and linear in mel, and the natural
    logarithm is taken. The mel scale is that of HTK and Kaldi, 2595 log10(1 + f / 700)
    [1]_ [2]_. The features are not standardized: a recording that is louder by a factor
    g differs by 2 log(g) in every feature.

    Parameters
    ----------
    sample_rate : float, default=16000
        Audio samples per second of all waveforms. Nothing is resampled here, but by
        :func:`read_audio`.
    window_seconds : float, default=0.025
        Length of the window of a frame, in seconds. Larger values resolve frequencies
        better and moments worse.
    hop_seconds : float, default=0.01
        Time from the start of a frame to that of the next, in seconds. Larger values
        give fewer frames. Like `window_seconds`, it is rounded to whole audio samples.
    n_fft : int, default=None
        Number of points of the Fourier transform, to which a frame is padded with
        zeros. Larger values give narrow bands more points. None takes the smallest
        power of two that holds a frame.
    n_mels : int, default=40
        Number of mel bands. Larger values resolve frequencies better.
    f_min : float, default=0.0
        Lower end of the lowest band in hertz. Raise it above rumble and hum.
    f_max : float, default=None
        Upper end of the highest band in hertz. Lower it where recordings hold nothing
        above it. None takes ``sample_rate / 2``.
    pre_emphasis : float, default=0.97
        Share of each audio sample that is subtracted from the next before framing,
        which makes up for the weak high frequencies of speech. 0 leaves it out.
    floor : float, default=1e-10
        The least energy, so that digital silence has a logarithm. Larger values hide
        faint noise.
    deltas : {0, 1, 2}, default=0
        1 adds the slope of each feature over five frames, 2 also the slope of the
        slope [3]_; the first and the last frame are repeated beyond the edges.

    Attributes
    ----------
    n_features_in_ : int
        1, since a frame of a waveform is one number.

    See Also
    --------
    read_audio : Reads audio files of any rates and channels.
    MFCC : The cepstrum of these features.
    SequenceNormalizer : Removes loudness and microphone, recording by recording.

    Notes
    -----
    `X` is a collection of waveforms, 1-D arrays of at least one audio sample; the rows
    of a 2-D `X` are waveforms too. Each becomes an array of shape
    ``(n_frames, n_mels * (1 + deltas))`` and type float32. No `fit` is needed.

    With ``window`` and ``hop`` the two durations in audio samples, frame i covers the
    samples ``i * hop`` to ``i * hop + window - 1``, so a waveform of n samples gives
    ``1 + (n - window) // hop`` frames. Samples at the end that do not fill a frame are
    left out, and a waveform shorter than a frame is padded with zeros to one frame.
    `fit` refuses a window or a hop that is longer than every waveform.

    Floating point waveforms are taken as they are. Those of int16 or int32 are divided
    by the full range of their type, 2**15 or 2**31, so that they lie in [-1, 1). A
    warning says so where both scales seem to be mixed.

    References
    ----------
    .. [1] S. S. Stevens, J. Volkmann and E. B. Newman, "A scale for the measurement of
           the psychological magnitude pitch", JASA, 8(3), pp. 185-190, 1937.
    .. [2] D. O'Shaughnessy, "Speech Communication: Human and Machine", Addison-Wesley,
           p. 150, 1987.
    .. [3] S. Furui, "Speaker-independent isolated word recognition using dynamic
           features of speech spectrum", IEEE TASSP, 34(1), pp. 52-59, 1986.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.preprocessing import LogMel
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> LogMel(sample_rate=16000).transform([tone, tone[:4000]])[1].shape
    (23, 40)
    """

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        window_seconds: float = 0.025,
        hop_seconds: float = 0.01,
        n_fft: int | None = None,
        n_mels: int = 40,
        f_min: float = 0.0,
        f_max: float | None = None,
        pre_emphasis: float = 0.97,
        floor: float = 1e-10,
        deltas: int = 0,
    ):
        self.sample_rate = sample_rate
        self.window_seconds = window_seconds
        self.hop_seconds = hop_seconds
        self.n_fft = n_fft
        self.n_mels = n_mels
        self.f_min = f_min
        self.f_max = f_max
        self.pre_emphasis = pre_emphasis
        self.floor = floor
        self.deltas = deltas

    def _check_X(self, X: object, y: object = None, *, reset: bool) -> Sequences:
        refuse_lengths(X, y)
        owner = type(self).__name__
        check_channels(X, owner)
        # On a clone: the columns of a 2-D X are audio samples, not features.
        sequences = check_sequences(clone(self), X, reset=True)
        if sequences.n_features != 1:
            refuse_channels(owner, 0, sequences[0].shape, str(sequences[0].dtype))
        self._check_lengths(sequences.lengths, is_fit=reset)
        if reset:
            self.n_features_in_ = 1
        return sequences

    def _check_lengths(self, lengths, *, is_fit):
        longest = int(lengths.max())
        for name in ("window_seconds", "hop_seconds"):
            seconds = getattr(self, name)
            check_duration(name, seconds, self.sample_rate, longest, is_fit=is_fit)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _mapping(self) -> Callable[[int, np.ndarray], np.ndarray]:
        self._check_parameters()
        analysis, loudness = self._analysis(), Loudness()

        def features(index: int, samples: np.ndarray) -> np.ndarray:
            if samples.shape[1] != 1:
                owner, dtype = type(self).__name__, str(samples.dtype)
                refuse_channels(owner, index, samples.shape, dtype)
            loudness.note(index, samples)
            waveform = full_scale(samples[:, 0], index)
            static = in_tiles(self._static, analysis.log_mel(waveform), 0)
            return with_deltas(static, self.deltas).astype(np.float32)

        return features

    def _piecewise(self) -> Stages:
        self._check_parameters()
        waveform = Waveform(self._analysis(), self._static, self._n_static)
        slopes = [Slopes(self._n_static)] * self.deltas
        return Stages((waveform, *slopes, SinglePrecision()))

    def _names_out(self, names_in: np.ndarray) -> np.ndarray:
        prefix = type(self).__name__.lower()
        names = [f"{prefix}{i}" for i in range(self._n_static * (1 + self.deltas))]
        return np.array(names, dtype=object)

    @property
    def _n_static(self) -> int:
        return self.n_mels

    def _static(self, log_mel: np.ndarray) -> np.ndarray:
        """Turn log mel energies into features, frame by frame."""
        return log_mel

    def _check_parameters(self) -> None:
        check_parameters(self, _CONSTRAINTS)
        nyquist = self.sample_rate / 2
        window = self._samples("window_seconds")
        dependent = {
            "f_min": Interval(float, 0, nyquist),
            "f_max": (Interval(float, self.f_min, nyquist, closed="right"), NONE),
            "n_fft": (Interval(int, window, None), NONE),
        }
        check_parameters(self, dependent)

    def _samples(self, name: str) -> int:
        """Convert a parameter in seconds to samples."""
        seconds = getattr(self, name)
        if seconds > 1 and self.sample_rate >= _AUDIBLE:
            text = (
                f"{name}={seconds} is longer than a second. If it counts audio "
                f"samples, divide it by sample_rate: {name}={seconds} / "
                f"{self.sample_rate}, which is {seconds / self.sample_rate:.4g}."
            )
            if seconds <= _MILLISECONDS:
                text += f" If it is in milliseconds, divide by 1000: {seconds / 1000}."
            raise ValueError(text)
        samples = round(min(seconds * self.sample_rate, 2**40))  # refused later on
        if samples < 1:
            raise ValueError(
                f"{name}={seconds} is less than one audio sample at "
                f"sample_rate={self.sample_rate}. Pass it in seconds."
            )
        return samples

    def _analysis(self) -> MelAnalysis:
        window = self._samples("window_seconds")
        n_fft = self.n_fft or 1 << (window - 1).bit_length()
        f_max = self.f_max or self.sample_rate / 2
        if n_fft // 2 * self.n_mels > _MOST_VALUES:
            raise ValueError(
                f"n_mels={self.n_mels} bands of a Fourier transform of n_fft={n_fft} "
                f"points would take gigabytes. Correct sample_rate={self.sample_rate}, "
                "or lower window_seconds, n_fft or n_mels."
            )
        filters = mel_filters(self.sample_rate, n_fft, self.n_mels, self.f_min, f_max)
        empty = np.flatnonzero(~filters.any(axis=0))
        if empty.size:
            raise ValueError(
                f"n_mels={self.n_mels} makes band {empty[0]} so narrow that no "
                f"frequency of a Fourier transform of n_fft={n_fft} points falls in "
                "it. Lower n_mels or raise n_fft."
            )
        return MelAnalysis(
            hop=self._samples("hop_seconds"),
            n_fft=n_fft,
            window=get_window("hann", window),
            filters=filters,
            pre_emphasis=self.pre_emphasis,
            floor=self.floor,
        )


# The error of a sum, relative to the sum of the magnitudes.
ROUNDING_OF_SUMS = float(np.finfo(np.float64).eps)


class MFCC(LogMel):
    """Turn raw waveforms into frames of mel-frequency cepstral coefficients.

    They are the first coefficients of the orthonormal discrete cosine transform (type
    2) of the log mel energies of :class:`LogMel` [1]_: few and weakly correlated
    numbers that hold the smooth shape of the spectrum. Coefficient 0, the loudness, is
    kept.

    Parameters
    ----------
    sample_rate : float, default=16000
        Samples per second.
    n_mfcc : int, default=13
        Number of coefficients, at most `n_mels`. Larger values keep finer detail of the
        spectrum.
    lifter : float, default=22
        Coefficient k is multiplied by ``1 + lifter / 2 * sin(pi * k / lifter)``, which
        brings the higher coefficients up to the size of the lower [2]_. Larger values
        raise them more. 0 leaves it out.
    window_seconds, hop_seconds, n_fft, n_mels, f_min, f_max, pre_emphasis, floor, \
deltas
        As in :class:`LogMel`, with the same defaults. `deltas` is the number of orders
        of slopes of the coefficients.

    Attributes
    ----------
    n_features_in_ : int
        1, since a frame of a waveform is one number.

    See Also
    --------
    LogMel : The energies before the cosine transform, and how frames are laid.

    Notes
    -----
    Each waveform becomes an array of shape ``(n_frames, n_mfcc * (1 + deltas))``.

    References
    ----------
    .. [1] S. Davis and P. Mermelstein, "Comparison of parametric representations for
           monosyllabic word recognition in continuously spoken sentences", IEEE TASSP,
           28(4), pp. 357-366, 1980.
    .. [2] B.-H. Juang, L. Rabiner and J. Wilpon, "On the use of bandpass liftering in
           speech recognition", IEEE TASSP, 35(7), pp. 947-954, 1987.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.preprocessing import MFCC
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> MFCC(sample_rate=16000, deltas=2).transform([tone])[0].shape
    (98, 39)
    """

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        n_mfcc: int = 13,
        lifter: float = 22,
        window_seconds: float = 0.025,
        hop_seconds: float = 0.01,
        n_fft: int | None = None,
        n_mels: int = 40,
        f_min: float = 0.0,
        f_max: float | None = None,
        pre_emphasis: float = 0.97,
        floor: float = 1e-10,
        deltas: int = 0,
    ):
        super().__init__(
            sample_rate=sample_rate,
            window_seconds=window_seconds,
            hop_seconds=hop_seconds,
            n_fft=n_fft,
            n_mels=n_mels,
            f_min=f_min,
            f_max=f_max,
            pre_emphasis=pre_emphasis,
            floor=floor,
            deltas=deltas,
        )
        self.n_mfcc = n_mfcc
        self.lifter = lifter

    def _check_parameters(self) -> None:
        super()._check_parameters()
        n_mfcc = Interval(int, 1, self.n_mels, closed="both")
        check_parameters(self, {"n_mfcc": n_mfcc, "lifter": NON_NEGATIVE_REAL})

    @property
    def _n_static(self) -> int:
        return self.n_mfcc

    def _static(self, log_mel: np.ndarray) -> np.ndarray:
        cepstrum = dct(log_mel, type=2, norm="ortho", axis=1)[:, : self.n_mfcc]
        # What is left of a flat spectrum is rounding, which no scaling may blow up.
        rounding = ROUNDING_OF_SUMS * np.abs(log_mel).sum(axis=1, keepdims=True)
        cepstrum[np.abs(cepstrum) <= rounding] = 0.0
        return cepstrum * self._lifting

    @property
    def _lifting(self) -> np.ndarray:
        """What each coefficient is multiplied by, (n_mfcc,)."""
        if not self.lifter:
            return np.ones(self.n_mfcc)
        ripple = np.sin(np.pi * np.arange(self.n_mfcc) / self.lifter)
        return 1 + self.lifter / 2 * ripple
