"""Generates strings of letters that are spoken by voices of three formants.

Knows nothing of files.
"""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d
from sklearn.utils import Bunch, check_random_state, check_scalar

from skseq._parameters import NON_NEGATIVE_INT, Kind, TupleOf, check_value
from skseq.datasets._ranges import check_noise, check_range, draw_int

# Formants of the vowels of men, in hertz: Peterson and Barney 1952, table II.
FORMANTS = {
    "a": (730, 1090, 2440),  # hod
    "b": (660, 1720, 2410),  # had
    "c": (530, 1840, 2480),  # head
    "d": (490, 1350, 1690),  # heard
    "e": (390, 1990, 2550),  # hid
    "f": (270, 2290, 3010),  # heed
    "g": (640, 1190, 2390),  # hud
    "h": (440, 1020, 2240),  # hood
    "i": (300, 870, 2240),  # who'd
    "j": (570, 840, 2410),  # hawed
}
BANDWIDTHS = (60.0, 90.0, 150.0)  # of the formants, in hertz: Klatt 1980
_STRENGTHS = (1.0, 0.5, 0.25)
_HIGHEST = 3760.0  # hertz, which both sample rates hold
_RATES = (8000, 16000)

_RATE = Kind(lambda value: value in _RATES, "8000 or 16000")


def make_letters(
    n_samples=100,
    *,
    n_letters=(1, 15),
    voices=(0, 1, 2, 3),
    duration=(0.08, 0.25),
    pause=(0.02, 0.1),
    silence=(0.05, 0.4),
    noise=0.01,
    sample_rate=16000,
    random_state=None,
    return_X_y=False,
) -> Any:
    """Generate spoken strings of the letters "a" to "j".

    Each letter is one of ten vowels, with the three formants that [1]_ measured. A
    string is spoken by one voice, which has a pitch, a length of the vocal tract and
    some breath of its own. Formants glide from letter to letter, pitch and loudness
    vary, the pace differs from string to string, and there is silence around.

    Parameters
    ----------
    n_samples : int, default=100
        Number of strings.
    n_letters : (int, int), default=(1, 15)
        Fewest and most letters of a string; every number between is equally likely, and
        so is every letter.
    voices : tuple of int, default=(0, 1, 2, 3)
        The voices that speak, each equally likely. Every int is a voice, the same in
        each call; pass others for voices that were not heard before.
    duration : (float, float), default=(0.08, 0.25)
        Shortest and longest letter, in seconds, at least 0.06: a glide takes 0.06.
    pause : (float, float), default=(0.02, 0.1)
        Shortest and longest pause between two letters, in seconds.
    silence : (float, float), default=(0.05, 0.4)
        Shortest and longest silence before and after a string, in seconds.
    noise : float, default=0.01
        Standard deviation of the white Gaussian noise added to every audio sample.
        Strings have peaks of 0.2 to 0.9, all logarithms between being equally likely.
    sample_rate : {8000, 16000}, default=16000
        Audio samples per second.
    random_state : int, RandomState instance or None, default=None
        Draws everything but the voices. Pass an int for the same strings in each call.
    return_X_y : bool, default=False
        Whether to return `(audio, strings)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        audio : list of n_samples ndarrays of shape (n_audio_samples,), dtype=float32
            The spoken strings.
        strings : list of n_samples str
            The letters that are spoken.
        voice : ndarray of shape (n_samples,), dtype=int
            Who speaks them: the `groups` of a cross-validation over voices.
        bounds : list of n_samples ndarrays of shape (n_letters, 2), dtype=int
            First audio sample of each letter, and the first one after it.
        formants : list of n_samples ndarrays of shape (n_letters, 3)
            The frequencies in hertz that each letter reaches in its middle.
        rate : int
            Audio samples per second, `sample_rate`.

    (audio, strings) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range.

    Notes
    -----
    At each pulse of the voice, every formant starts to ring, and decays with the
    bandwidth that [2]_ gives it [3]_. The formants of a voice are those of [1]_, times
    (pitch / 132 Hz) ** 0.3, which is 1.17 for the mean pitch of women there, times a
    factor of its own with a deviation of 4 %. Each letter differs by 3 % again.

    References
    ----------
    .. [1] G. E. Peterson and H. L. Barney, "Control methods used in a study of the
           vowels", JASA, 24(2), pp. 175-184, 1952.
    .. [2] D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA,
           67(3), pp. 971-995, 1980.
    .. [3] X. Rodet, "Time-domain formant-wave-function synthesis", Computer Music
           Journal, 8(3), pp. 9-14, 1984.

    Examples
    --------
    >>> from skseq.datasets import make_letters
    >>> data = make_letters(2, n_letters=(3, 5), random_state=0)
    >>> data.strings
    ['addh', 'ffba']
    >>> data.audio[0].shape, data.voice
    ((23907,), array([0, 3]))
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_range("n_letters", n_letters, Integral, minimum=1)
    check_value("make_letters", "voices", voices, TupleOf(NON_NEGATIVE_INT))
    _check_sound(duration, pause, silence, noise, sample_rate)
    rng = check_random_state(random_state)
    numbers = rng.choice(np.asarray(voices, dtype=int), size=n_samples)
    known = {number: _Voice.numbered(number) for number in {*numbers.tolist()}}
    data = Bunch(
        audio=[], strings=[], voice=numbers, bounds=[], formants=[], rate=sample_rate
    )
    for number in numbers.tolist():
        voice, size = known[number], draw_int(rng, n_letters)
        string = "".join(rng.choice(list(FORMANTS), size=size))
        formants = voice.formants(rng, string)
        gaps = [silence, *[pause] * (size - 1), silence]
        bounds, length = _lay_out(rng, duration, gaps, sample_rate)
        audio = voice.speak(rng, formants, bounds, length, sample_rate)
        audio = audio + noise * rng.standard_normal(length)
        data.audio.append(audio.astype(np.float32))
        data.strings.append(string)
        data.bounds.append(bounds)
        data.formants.append(formants)
    return (data.audio, data.strings) if return_X_y else data


def _check_sound(duration, pause, silence, noise, sample_rate) -> None:
    check_range("duration", duration, Real, minimum=0.06)
    check_range("pause", pause, Real, minimum=0.0)
    check_range("silence", silence, Real, minimum=0.0)
    check_noise(noise)
    check_value("make_letters", "sample_rate", sample_rate, _RATE)


def _lay_out(
    rng: np.random.RandomState, duration: tuple, gaps: list, rate: int
) -> tuple[np.ndarray, int]:
    """Draw where letters start and stop, and how long the whole is, in audio samples.

    Half of where a duration lies in its range is the pace of the string.
    """
    shortest, longest = duration
    places = (rng.uniform() + rng.uniform(size=len(gaps) - 1)) / 2
    lengths = rate * (shortest + (longest - shortest) * places)
    pauses = rate * np.array([rng.uniform(*gap) for gap in gaps])
    stops = np.cumsum(lengths + pauses[:-1])
    bounds = np.round(np.column_stack([stops - lengths, stops])).astype(int)
    return bounds, int(bounds[-1, 1] + round(pauses[-1]))


@dataclass(frozen=True)
class _Voice:
    """Somebody who speaks."""

    pitch: float  # hertz
    tract: float  # factor of all formants
    breath: float  # noise, beside a voice of one

    @classmethod
    def numbered(cls, number: int) -> "_Voice":
        rng = np.random.RandomState(number)
        pitch = float(np.exp(rng.uniform(np.log(90), np.log(240))))
        tract = (pitch / 132) ** 0.3 * float(np.exp(0.04 * rng.standard_normal()))
        return cls(pitch, tract, float(rng.uniform(0.0, 0.03)))

    def formants(self, rng: np.random.RandomState, string: str) -> np.ndarray:
        """Draw what the letters of a string aim at, (n_letters, 3)."""
        targets = self.tract * np.array([FORMANTS[letter] for letter in string])
        deviations = np.exp(0.03 * rng.standard_normal(targets.shape))
        return np.minimum(targets * deviations, _HIGHEST)

    def speak(
        self,
        rng: np.random.RandomState,
        formants: np.ndarray,
        bounds: np.ndarray,
        n_samples: int,
        rate: int,
    ) -> np.ndarray:
        """Return a waveform of `n_samples` audio samples without noise around it."""
        middles = np.round((bounds[1:, 0] + bounds[:-1, 1]) / 2).astype(int)
        stays = np.diff(np.concatenate([[0], middles, [n_samples]]))
        tracks = [_smooth(np.repeat(f, stays), 0.06 * rate) for f in formants.T]
        voiced = np.zeros(n_samples)
        for start, stop in bounds:
            voiced[start:stop] = np.exp(0.2 * rng.standard_normal())
        loudness = _smooth(voiced, 0.02 * rate).round(9)  # zero where it should be
        sound = self._ring(rng, tracks, rate)
        sound /= np.abs(sound).max()
        sound += self.breath * rng.standard_normal(n_samples)
        sound *= loudness
        peak = np.exp(rng.uniform(np.log(0.2), np.log(0.9)))
        return peak * sound / np.abs(sound).max()

    def _ring(self, rng, tracks: list[np.ndarray], rate: int) -> np.ndarray:
        """Add up the formants, each struck by each pulse."""
        pitch = self._draw_pitch(rng, len(tracks[0]), rate)
        phase = np.cumsum(pitch) / rate
        since_pulse = (phase % 1) / pitch  # seconds
        return sum(
            strength
            * np.exp(-np.pi * bandwidth * since_pulse)
            * np.sin(2 * np.pi * track * since_pulse)
            for strength, bandwidth, track in zip(
                _STRENGTHS, BANDWIDTHS, tracks, strict=True
            )
        )

    def _draw_pitch(self, rng, n_samples: int, rate: int) -> np.ndarray:
        """Draw a pitch that falls by three semitones, and sways by half a one."""
        seconds = np.arange(n_samples) / rate
        sway = 0.5 * np.sin(2 * np.pi * (rng.uniform(1, 3) * seconds + rng.uniform()))
        fall = np.linspace(1.5, -1.5, n_samples)
        return self.pitch * 2 ** ((rng.standard_normal() + fall + sway) / 12)


def _smooth(values: np.ndarray, width: float) -> np.ndarray:
    """Average over a triangle of a number of audio samples; the ends are repeated."""
    half = 2 * round(width / 4) + 1  # odd, so that the middle stays where it is
    once = uniform_filter1d(values, half, mode="nearest")
    return uniform_filter1d(once, half, mode="nearest")
