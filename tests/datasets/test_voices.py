"""Generated voices differ as their description says, and their mean frames do not."""

import itertools

import numpy as np
import pytest
from scipy.fft import dct
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from skseq.datasets import make_voices
from skseq.datasets._voices import _VOWELS, _Voice
from skseq.metrics import equal_error_rate

MEL = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 4000 / 700), 26)
CENTERS = 700 * (10 ** (MEL[1:-1] / 2595) - 1)  # of 24 bands, in hertz


@pytest.fixture(scope="module")
def voices():
    """Forty voices, eight sequences each."""
    return make_voices(40, 8, random_state=0)


def error_of(vectors, y):
    """The equal error rate of cosines over all pairs."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second = np.triu_indices(len(y), k=1)
    return equal_error_rate(y[first] == y[second], (units @ units.T)[first, second])


def spread_of(x):
    """How a sequence varies about its mean: the covariance of its cepstra."""
    return np.cov(dct(x, norm="ortho")[:, :16].T)[np.triu_indices(16)]


def test_every_voice_speaks_as_often_and_in_random_order(voices):
    X, y = voices
    assert np.bincount(y).tolist() == [8] * 40
    assert len(X) == 320
    assert y.dtype == int
    assert (np.diff(y) < 0).mean() == pytest.approx(0.5, abs=0.1)


def test_lengths_are_all_that_are_allowed():
    X, _ = make_voices(10, 10, length=(10, 13), random_state=0)
    assert {x.shape for x in X} == {(n, 24) for n in (10, 11, 12, 13)}
    assert {x.dtype for x in X} == {np.dtype(np.float32)}
    assert np.isfinite(np.concatenate(X)).all()


def test_the_mean_frame_is_a_weak_cue_and_how_frames_vary_a_better_one(voices):
    X, y = voices
    means = np.array([x.mean(axis=0) for x in X])
    spreads = np.array([spread_of(x) for x in X])
    heard = y < 20
    spreads = StandardScaler().fit(spreads[heard]).transform(spreads)
    learned = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    learned.fit(spreads[heard], y[heard])
    others = y[~heard]
    by_mean, by_spread, by_learning = (
        error_of(vectors[~heard], others)
        for vectors in (means, spreads, learned.transform(spreads))
    )
    assert 0.35 < by_mean < 0.55
    assert by_spread < 0.3
    assert by_learning < 0.2


def test_sequences_of_one_voice_say_different_things(voices):
    X, y = voices
    first, second = (X[i] for i in np.flatnonzero(y == 3)[:2])
    n_frames = min(len(first), len(second))
    centered = [x[:n_frames] - x[:n_frames].mean(axis=0) for x in (first, second)]
    energies = [x.mean(axis=1) for x in centered]
    assert abs(np.corrcoef(*energies)[0, 1]) < 0.5


@pytest.mark.parametrize("channel", [0.0, 6.0, 12.0])
def test_channels_are_smooth_gains_of_the_deviation_asked_for(channel):
    options = {"length": (60, 60), "noise": 0.0, "random_state": 0}
    X, _ = make_voices(20, 20, channel=channel, **options)
    without, _ = make_voices(20, 20, channel=0.0, **options)
    gains = np.array(X) - np.array(without)
    decibels = 10 / np.log(10) * gains
    assert np.ptp(decibels, axis=1).max() < 1e-3  # the same in every frame
    assert decibels[:, 0].std() == pytest.approx(channel, rel=0.1)
    steps = np.diff(decibels[:, 0], axis=1).std()
    assert steps == pytest.approx(channel * np.sqrt(2 - 2 * np.exp(-1 / 36)), rel=0.1)


def test_levels_differ_by_six_decibels():
    X, _ = make_voices(
        1, 400, channel=0.0, noise=0.0, length=(150, 150), random_state=0
    )
    # The loudest band of a sequence hardly depends on what is said.
    levels = 10 / np.log(10) * np.array([np.quantile(x[:, 1], 0.8) for x in X])
    assert levels.std() == pytest.approx(6.0, rel=0.25)


def test_noise_has_the_deviation_asked_for():
    options = {"length": (50, 50), "random_state": 0}
    one, _ = make_voices(1, 1, noise=0.5, **options)
    without, _ = make_voices(1, 1, noise=0.0, **options)
    assert (one[0] - without[0]).std() == pytest.approx(0.5, rel=0.05)


def test_the_spectrum_of_a_vowel_peaks_at_the_formants_of_its_voice():
    rng = np.random.RandomState(0)
    near = []
    for _ in range(30):
        voice = _Voice.drawn(rng)
        formants = np.column_stack([voice.vowels, np.full(10, voice.fourth)])
        gain = np.log(voice._resonances(formants))
        peaks = (gain[:, 1:-1] > gain[:, :-2]) & (gain[:, 1:-1] > gain[:, 2:])
        for row, vowel in zip(peaks, voice.vowels, strict=True):
            found = 31.25 * (1 + np.flatnonzero(row))
            near.extend(np.abs(found[:, None] - vowel).min(axis=0))
    assert np.mean(np.array(near) < 60) > 0.9


def test_formants_of_a_voice_are_the_published_ones_times_factors_of_its_own():
    rng = np.random.RandomState(0)
    ratios = np.log([_Voice.drawn(rng).vowels / _VOWELS for _ in range(300)])
    own = ratios.mean(axis=1)  # (n_voices, 3)
    accents = ratios - own[:, None]
    assert accents.std() == pytest.approx(0.03, rel=0.1)
    beside_tract = own - own.mean(axis=1, keepdims=True)
    assert beside_tract.std() == pytest.approx(0.1 * np.sqrt(2 / 3), rel=0.1)


def test_a_higher_pitch_sets_harmonics_wider_apart():
    rng = np.random.RandomState(0)
    voices = sorted((_Voice.drawn(rng) for _ in range(60)), key=lambda v: v.pitch)
    ripple = []
    for voice in (*voices[:10], *voices[-10:]):
        low = voice.speak(rng, 150)[:, CENTERS < 600]
        ripple.append(np.abs(np.diff(low, n=2, axis=1)).mean())
    assert np.mean(ripple[10:]) > 1.5 * np.mean(ripple[:10])


def test_the_same_random_state_gives_the_same_bits():
    first, again, other = (make_voices(3, 2, random_state=s) for s in (3, 3, 4))
    np.testing.assert_equal(first, again)
    assert any(len(a) != len(b) for a, b in zip(first[0], other[0], strict=True))


def test_a_generator_that_is_passed_continues():
    rng = np.random.RandomState(0)
    first, second = (make_voices(2, 1, random_state=rng)[0] for _ in range(2))
    assert not any(np.array_equal(a, b) for a, b in itertools.product(first, second))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_classes": 0}, ValueError, "n_classes == 0, must be >= 1"),
        ({"n_classes": 2.0}, TypeError, "n_classes must be an instance of"),
        ({"n_samples_per_class": 0}, ValueError, "n_samples_per_class == 0, must be"),
        ({"length": (9, 20)}, ValueError, r"length\[0\] == 9, must be >= 10"),
        ({"length": (30, 20)}, ValueError, r"length\[1\] == 20, must be >= 30"),
        ({"length": 30}, TypeError, "length must be a pair"),
        ({"channel": -1.0}, ValueError, r"channel == -1.0, must be >= 0"),
        ({"channel": float("nan")}, ValueError, "channel == nan, must be a number"),
        ({"channel": "wide"}, TypeError, "channel must be an instance of"),
        ({"noise": -1}, ValueError, "noise == -1, must be >= 0"),
        ({"noise": float("nan")}, ValueError, "noise == nan, must be a number"),
        ({"random_state": "a"}, ValueError, "cannot be used to seed"),
    ],
)
def test_voices_refuse_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_voices(**options)
