"""Augmenters of waveforms change pitch, noise, loudness and echo by what they say."""

import numpy as np
import pytest
from scipy.stats import linregress

from skseq.augmentation import AddNoise, Gain, Reverberate, SpeedPerturb
from tests.augmentation.augmenters import rng

RATE = 8000
SECOND = np.arange(RATE) / RATE


def tone(frequency):
    return np.sin(2 * np.pi * frequency * SECOND)


def peak_frequency(waveform):
    """In hertz, from a spectrum padded to a tenth of a hertz."""
    windowed = waveform * np.hanning(len(waveform))
    return np.abs(np.fft.rfft(windowed, 10 * RATE)).argmax() / 10


@pytest.mark.parametrize("speed", [0.5, 0.85, 0.97, 1.0, 1.13, 2.0])
def test_speed_moves_the_pitch_of_a_tone_by_its_factor(speed):
    changed = SpeedPerturb(speed, speed)(tone(440), rng())
    assert len(changed) == -(-RATE // speed)
    assert peak_frequency(changed) == pytest.approx(440 * speed, abs=0.5)
    inner = changed[200:-200]
    assert np.sqrt(2 * np.mean(inner**2)) == pytest.approx(1, abs=0.01)


def test_speed_folds_nothing_back_from_above_half_the_sample_rate():
    changed = SpeedPerturb(1.6, 1.6)(tone(3500), rng())  # would be 5600 Hz, or 2400
    assert np.std(changed[200:-200]) < 0.01


def test_a_speed_of_one_is_the_waveform():
    np.testing.assert_array_equal(SpeedPerturb(1, 1)(tone(300), rng()), tone(300))


def test_speeds_are_between_the_bounds_and_as_often_above_one_as_below():
    generator, augment = rng(), SpeedPerturb(0.8, 1.25)
    lengths = np.array([len(augment(tone(9)[:1000], generator)) for _ in range(600)])
    assert lengths.min() >= 800
    assert lengths.max() <= 1250
    above, below = np.sum(lengths < 1000), np.sum(lengths > 1000)
    assert abs(above - below) < 110  # 4.5 deviations


def decibels(ratio):
    return 10 * np.log10(ratio)


@pytest.mark.parametrize("noises", [None, [np.arange(50) % 7, tone(50)]])
def test_noise_has_the_ratio_asked_for(noises):
    for ratio in (-3, 0, 17.5):
        noisy = AddNoise(ratio, ratio, noises=noises)(tone(100), rng())
        noise = noisy - tone(100)
        found = decibels(np.mean(tone(100) ** 2) / np.mean(noise**2))
        assert found == pytest.approx(ratio, abs=1e-6)


def test_ratios_are_uniform_in_decibels():
    generator, augment, wave = rng(), AddNoise(0, 40), tone(100)[:200]
    noise = [augment(wave, generator) - wave for _ in range(800)]
    found = decibels(np.mean(wave**2) / np.mean(np.square(noise), axis=1))
    counts = np.histogram(found, [0, 10, 20, 30, 40])[0]
    assert counts.sum() == 800
    assert (abs(counts - 200) < 60).all()


def test_white_noise_has_a_flat_spectrum():
    noise = AddNoise(0, 0)(tone(100), rng()) - tone(100)
    power = np.abs(np.fft.rfft(noise)) ** 2
    quarters = [part.mean() for part in np.array_split(power, 4)]
    assert max(quarters) / min(quarters) < 1.3


def test_noise_is_a_stretch_of_a_recording_which_is_repeated_if_it_is_short():
    long, short = np.arange(1.0, 41.0), np.array([1.0, 3.0])
    silence_broken = np.zeros(10)
    silence_broken[4] = 1.0
    starts = set()
    generator = rng()
    for _ in range(300):
        noise = AddNoise(0, 0, noises=[long])(silence_broken, generator)
        noise = noise - silence_broken
        step = np.diff(noise)[0]
        np.testing.assert_allclose(np.diff(noise), step)
        starts.add(round(noise[0] / step))
    assert starts == set(range(1, 32))
    noise = AddNoise(0, 0, noises=[short])(silence_broken, rng()) - silence_broken
    np.testing.assert_allclose(noise / noise[0], [1, 3] * 5)


def test_silence_stays_and_so_does_a_waveform_with_silent_noise():
    silence = np.zeros(20, dtype=np.float32)
    np.testing.assert_array_equal(AddNoise()(silence, rng()), silence)
    waves = tone(100)
    same = AddNoise(noises=[np.zeros(3)])(waves, rng())
    np.testing.assert_array_equal(same, waves)


@pytest.mark.parametrize("noises", [[], [[]], "abc", [np.ones((2, 2))], [["a"]], 3])
def test_what_holds_no_recordings_is_refused(noises):
    with pytest.raises(
        ValueError, match=r"'noises' parameter .* list of non-empty 1-D"
    ):
        AddNoise(noises=noises)(tone(9), rng())


def test_gains_are_uniform_in_decibels():
    generator, augment = rng(), Gain(-20, 20)
    factors = [augment(np.ones(1), generator)[0] for _ in range(800)]
    counts = np.histogram(2 * decibels(factors), [-20, -10, 0, 10, 20])[0]
    assert counts.sum() == 800
    assert (abs(counts - 200) < 60).all()


def responses(augment, n=1):
    click = np.zeros(RATE)
    click[0] = 1
    generator = rng()
    return np.stack([augment(click, generator) for _ in range(n)])


@pytest.mark.parametrize("seconds", [0.2, 0.6])
def test_echoes_decay_by_60_decibels_in_the_reverberation_time(seconds):
    augment = Reverberate(RATE, low=seconds, high=seconds)
    power = np.mean(responses(augment, 60)[:, 1:] ** 2, axis=0)
    times = SECOND[1:]
    heard = times < 0.9 * seconds
    slope = linregress(times[heard], decibels(power[heard])).slope
    assert slope == pytest.approx(-60 / seconds, rel=0.03)
    assert (power[times > seconds + 0.001] < 1e-20).all()


def test_the_direct_sound_has_the_ratio_asked_for_and_all_has_an_energy_of_one():
    for direct in (-5, 6):
        (response,) = responses(Reverberate(RATE, direct=direct, high=0.3))
        energy = response**2
        found = decibels(energy[0] / energy[1:].sum())
        assert found == pytest.approx(direct, abs=1e-6)
        assert energy.sum() == pytest.approx(1)


def test_reverberation_times_lie_between_the_bounds():
    found = responses(Reverberate(RATE, low=0.1, high=0.4), 60)
    ends = [np.flatnonzero(np.abs(r) > 1e-9)[-1] / RATE for r in found]
    assert 0.1 <= min(ends) < 0.12
    assert 0.35 < max(ends) <= 0.4
    assert np.mean(np.array(ends) < 0.2) == pytest.approx(0.5, abs=0.2)


def test_echoes_come_after_their_sound_and_add_up():
    one, other = np.zeros((2, 500))
    one[100] = 1
    other[300] = -2
    augment = Reverberate(RATE)
    after_one, after_other, after_both = (
        augment(wave, rng(4)) for wave in (one, other, one + other)
    )
    assert np.abs(after_one[:100]).max() < 1e-12
    assert abs(after_one[100]) > 0.5
    np.testing.assert_allclose(after_both, after_one + after_other, atol=1e-12)
    np.testing.assert_allclose(after_other[300:], -2 * after_one[100:300], atol=1e-12)
