"""Spoken letters sound as their description says: formants, pitch, times and noise."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from skseq.datasets import make_letters

# Peterson and Barney 1952, table II, men.
FORMANTS = {
    "hod": (730, 1090, 2440),
    "had": (660, 1720, 2410),
    "head": (530, 1840, 2480),
    "heard": (490, 1350, 1690),
    "hid": (390, 1990, 2550),
    "heed": (270, 2290, 3010),
    "hud": (640, 1190, 2390),
    "hood": (440, 1020, 2240),
    "who'd": (300, 870, 2240),
    "hawed": (570, 840, 2410),
}
PUBLISHED = dict(zip("abcdefghij", FORMANTS.values(), strict=True))


@pytest.fixture(scope="module")
def clean():
    """40 strings without noise around them."""
    return make_letters(40, noise=0.0, sample_rate=8000, random_state=0)


def letters_of(data):
    for i, string in enumerate(data.strings):
        for letter, (start, stop), formants in zip(
            string, data.bounds[i], data.formants[i], strict=True
        ):
            yield i, letter, data.audio[i][start:stop].astype(float), formants


def spectral_peaks(waveform, rate, pitch):
    """The frequencies of the peaks of the envelope of a spectrum, in hertz."""
    windowed = (waveform - waveform.mean()) * np.hanning(len(waveform))
    power = np.abs(np.fft.rfft(windowed, rate)) ** 2  # at whole hertz
    envelope = gaussian_filter1d(power, 0.45 * pitch)
    peaks, _ = find_peaks(np.log(envelope), prominence=0.1)
    return peaks


def test_the_spectrum_of_each_letter_has_its_peaks_at_the_formants_that_are_stated():
    pitch = 97.0  # of the voice 7, the lowest of the first ones
    data = make_letters(
        5, n_letters=(15, 15), voices=(7,), noise=0, sample_rate=8000, random_state=0
    )
    errors = {letter: [] for letter in PUBLISHED}
    for _, letter, waveform, formants in letters_of(data):
        quarter = len(waveform) // 4
        peaks = spectral_peaks(waveform[quarter:-quarter], data.rate, pitch)
        assert len(peaks) < 12  # whose nearest is 90 Hz away, by chance
        errors[letter].append(np.abs(peaks[:, None] - formants).min(axis=0))
    for letter, found in errors.items():
        assert (np.median(found, axis=0) < pitch / 2).all(), letter


def test_formants_are_the_published_ones_times_a_factor_of_the_voice(clean):
    factors = {}
    for i, letter, _, formants in letters_of(clean):
        ratio = formants / PUBLISHED[letter]
        factors.setdefault(clean.voice[i], []).append(ratio)
    assert factors.keys() == {0, 1, 2, 3}
    for found in factors.values():
        logs = np.log(found)
        assert logs.std() == pytest.approx(0.03, rel=0.25)
        assert 0.8 < np.exp(logs.mean()) < 1.3
    means = [np.mean(found) for found in factors.values()]
    assert np.ptp(means) > 0.05


def pitch_of(waveform, rate):
    """In hertz: the lag of the highest peak of the autocorrelation from 60 to 300."""
    centred = waveform - waveform.mean()
    spectrum = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    correlation = np.fft.irfft(spectrum)[: len(centred)]
    lags = np.arange(rate // 300, rate // 60)
    return rate / lags[correlation[lags].argmax()]


def test_voices_differ_in_pitch_and_keep_theirs_in_every_call():
    pitches = []
    for seed in (0, 1):
        data = make_letters(
            24,
            n_letters=(2, 2),
            voices=(4, 7),
            noise=0,
            sample_rate=8000,
            random_state=seed,
        )
        found = {4: [], 7: []}
        for i, _, waveform, _ in letters_of(data):
            found[data.voice[i]].append(pitch_of(waveform, data.rate))
        pitches.append([np.median(found[voice]) for voice in (4, 7)])
    np.testing.assert_allclose(*pitches, rtol=0.06)
    np.testing.assert_allclose(np.mean(pitches, axis=0), [232, 97], rtol=0.06)


def test_pitch_falls_in_a_string():
    data = make_letters(
        30, n_letters=(6, 6), voices=(5,), noise=0, sample_rate=8000, random_state=0
    )
    found = [pitch_of(waveform, data.rate) for _, _, waveform, _ in letters_of(data)]
    first, *_, last = np.median(np.reshape(found, (30, 6)), axis=0)
    semitones = 12 * np.log2(first / last)
    assert semitones == pytest.approx(2.0, abs=1.0)


def test_strings_have_every_number_of_letters_and_every_letter_alike(clean):
    assert {*map(len, clean.strings)} <= set(range(1, 16))
    data = make_letters(
        200, n_letters=(1, 3), duration=(0.06, 0.06), sample_rate=8000, random_state=1
    )
    assert {*map(len, data.strings)} == {1, 2, 3}
    letters, counts = np.unique(list("".join(data.strings)), return_counts=True)
    assert "".join(letters) == "abcdefghij"
    assert counts.min() > 0.6 * counts.mean()
    assert np.unique(data.voice).tolist() == [0, 1, 2, 3]


def test_times_are_those_asked_for():
    options = {"duration": (0.1, 0.2), "pause": (0.03, 0.06), "silence": (0.2, 0.3)}
    data = make_letters(20, **options, sample_rate=8000, random_state=0)
    for audio, string, bounds in zip(
        data.audio, data.strings, data.bounds, strict=True
    ):
        assert bounds.shape == (len(string), 2)
        seconds = bounds / data.rate
        lengths = seconds[:, 1] - seconds[:, 0]
        pauses = seconds[1:, 0] - seconds[:-1, 1]
        ends = np.array([seconds[0, 0], len(audio) / data.rate - seconds[-1, 1]])
        for found, (low, high) in zip(
            (lengths, pauses, ends), options.values(), strict=True
        ):
            assert (found > low - 1e-3).all()
            assert (found < high + 1e-3).all()


def test_the_pace_of_a_string_is_shared_by_its_letters():
    data = make_letters(60, n_letters=(4, 4), sample_rate=8000, random_state=0)
    lengths = np.array([np.diff(bounds)[:, 0] for bounds in data.bounds])
    assert np.corrcoef(lengths[:, 0], lengths[:, 3])[0, 1] == pytest.approx(
        0.5, abs=0.3
    )


def test_there_is_silence_around_letters_and_sound_in_them(clean):
    for audio, bounds in zip(clean.audio, clean.bounds, strict=True):
        assert 0.19 < np.abs(audio).max() < 0.91
        before, after = audio[: bounds[0, 0] - 100], audio[bounds[-1, 1] + 100 :]
        assert np.abs(before).max(initial=0) == 0
        assert np.abs(after).max(initial=0) == 0
        loudness = [np.std(audio[start:stop]) for start, stop in bounds]
        assert min(loudness) > 0.02
        for stop, start in zip(bounds[:-1, 1], bounds[1:, 0], strict=True):
            middle = (stop + start) // 2
            assert np.std(audio[middle - 20 : middle + 20]) < 0.6 * max(loudness)


def test_noise_has_the_deviation_asked_for():
    data = make_letters(20, silence=(0.3, 0.3), noise=0.05, random_state=0)
    silences = np.concatenate([audio[:4000] for audio in data.audio])
    assert silences.std() == pytest.approx(0.05, rel=0.02)
    assert {audio.dtype for audio in data.audio} == {np.dtype(np.float32)}


@pytest.mark.parametrize("rate", [8000, 16000])
def test_both_sample_rates_have_the_same_strings_and_formants(rate):
    data = make_letters(5, sample_rate=rate, random_state=0)
    other = make_letters(5, sample_rate=24000 - rate, random_state=0)
    assert data.rate == rate
    assert data.strings[0] == other.strings[0]
    np.testing.assert_array_equal(data.formants[0], other.formants[0])
    assert len(data.audio[0]) * (24000 - rate) / rate == pytest.approx(
        len(other.audio[0]), abs=3
    )


def test_the_same_random_state_gives_the_same_bits():
    options = {"n_letters": (1, 2), "sample_rate": 8000, "return_X_y": True}
    first, again, other = (
        make_letters(4, **options, random_state=s) for s in (3, 3, 4)
    )
    np.testing.assert_equal(first, again)
    assert len(first[0][0]) != len(other[0][0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        ({"n_letters": (0, 3)}, ValueError, r"n_letters\[0\] == 0, must be >= 1"),
        ({"voices": ()}, ValueError, r"'voices' .* voices has 0 entries"),
        ({"voices": 4}, ValueError, "'voices' parameter .* tuple or list of ints"),
        ({"voices": (1, -1)}, ValueError, r"voices\[1\] is -1"),
        ({"duration": (0.01, 0.2)}, ValueError, r"duration\[0\] == 0\.01, must be >= "),
        ({"pause": (0.1, 0.0)}, ValueError, r"pause\[1\] == 0\.0, must be >= 0\.1"),
        ({"silence": 1}, TypeError, "silence must be a pair"),
        ({"noise": -1}, ValueError, "noise == -1, must be >= 0"),
        ({"noise": float("nan")}, ValueError, "noise == nan, must be a number"),
        ({"noise": 1e308}, ValueError, "must be <= 1000000.0"),
        ({"sample_rate": 44100}, ValueError, "'sample_rate' .* 8000 or 16000. Got 44"),
    ],
)
def test_letters_refuse_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_letters(**options)
