"""Augmenters of frames do what their formulas say, as often as they say."""

import numpy as np
import pytest

from skseq.augmentation import (
    Crop,
    FeatureWarp,
    FrameGain,
    FrequencyMask,
    GaussianNoise,
    Shift,
    SpecAugment,
    TimeMask,
    TimeStretch,
)
from skseq.augmentation._time import at_positions
from tests.augmentation.augmenters import rng

FRAMES = rng(9).normal(5, 2, size=(60, 12))


def hidden(before, after):
    """The frames in which all features changed, and the features in all frames."""
    changed = before != after
    return np.flatnonzero(changed.all(axis=1)), np.flatnonzero(changed.all(axis=0))


def assert_one_run(places):
    assert np.array_equal(places, np.arange(len(places)) + places[:1].sum())


def draws(augment, n_draws=600, frames=FRAMES):
    generator = rng(1)
    return [augment(frames, generator) for _ in range(n_draws)]


# -- masks ----------------------------------------------------------------------------


def test_a_band_is_one_run_of_features_of_at_most_the_width_and_all_are_drawn():
    widths, starts = set(), set()
    for masked in draws(FrequencyMask(3, fill=-1.0)):
        frames, features = hidden(FRAMES, masked)
        assert_one_run(features)
        assert (masked[:, features] == -1).all()
        assert len(frames) == 0
        assert (masked != FRAMES).sum() == len(features) * 60
        widths.add(len(features))
        starts |= {(len(features), f) for f in features[:1]}
    assert widths == {0, 1, 2, 3}
    assert {start for width, start in starts if width == 3} == set(range(10))


def test_widths_of_masks_are_equally_likely():
    found = [len(hidden(FRAMES, m)[0]) for m in draws(TimeMask(4), 2000)]
    counts = np.bincount(found, minlength=5)
    assert (abs(counts - 400) < 80).all()  # 4.5 deviations


def test_a_stretch_is_one_run_of_frames_that_are_the_mean_frame():
    for masked in draws(TimeMask(5), 50):
        frames, _ = hidden(FRAMES, masked)
        assert_one_run(frames)
        assert (masked != FRAMES).sum() == 12 * len(frames)
        mean = np.broadcast_to(FRAMES.mean(axis=0), (len(frames), 12))
        np.testing.assert_allclose(masked[frames], mean)


def test_a_masked_feature_is_its_own_mean():
    for masked in draws(FrequencyMask(5), 50):
        _, features = hidden(FRAMES, masked)
        expected = np.broadcast_to(FRAMES.mean(axis=0)[features], (60, len(features)))
        np.testing.assert_allclose(masked[:, features], expected)


@pytest.mark.parametrize(
    ("augment", "longest"),
    [
        (TimeMask(0.1), 6),
        (TimeMask(20, max_share=0.15), 9),
        (TimeMask(4, max_share=0.5), 4),
        (TimeMask(1.0), 59),
        (TimeMask(1), 1),
        (TimeMask(0), 0),
        (TimeMask(9, n_masks=0), 0),
    ],
)
def test_the_longest_stretch_is_what_the_width_and_the_share_allow(augment, longest):
    assert max(len(hidden(FRAMES, m)[0]) for m in draws(augment)) == longest


def test_a_share_of_features_is_a_share_and_one_is_left():
    assert max(len(hidden(FRAMES, m)[1]) for m in draws(FrequencyMask(0.5))) == 6
    assert max(len(hidden(FRAMES, m)[1]) for m in draws(FrequencyMask(99))) == 11


def test_several_masks_hide_more():
    once, often = (
        np.mean([m == -1 for m in draws(TimeMask(10, n_masks=n, fill=-1.0), 300)])
        for n in (1, 3)
    )
    assert once == pytest.approx(5 / 60, rel=0.15)
    assert 2 * once < often < 3 * once


def test_spec_augment_hides_bands_and_stretches():
    augment = SpecAugment(2, 3, n_frequency_masks=1, n_time_masks=1, fill=-1.0)
    frames, features = zip(*(hidden(FRAMES, m) for m in draws(augment)), strict=True)
    assert {len(f) for f in frames} == {0, 1, 2, 3}
    assert {len(f) for f in features} == {0, 1, 2}


def test_a_time_warp_moves_frames_by_at_most_its_width_and_keeps_their_order():
    times = np.arange(60.0)[:, None]
    augment = SpecAugment(0, 0, time_warp=7)
    moves = [(warped - times)[:, 0] for warped in draws(augment, frames=times)]
    assert all(move[0] == move[-1] == 0 for move in moves)
    assert max(abs(move).max() for move in moves) == pytest.approx(7)
    assert all((np.diff(move) > -1).all() for move in moves)
    # Two straight lines meet where the drawn frame went.
    bends = [np.abs(np.diff(move, 2)) > 1e-9 for move in moves]
    assert max(bend.sum() for bend in bends) <= 1
    middles = [np.argmax(bend) + 1 for bend in bends if bend.any()]
    assert min(middles) >= 1
    assert max(middles) <= 58


@pytest.mark.parametrize("n_frames", range(5, 12))
def test_a_time_warp_without_a_bound_keeps_the_ends_and_the_order(n_frames):
    times = np.arange(float(n_frames))
    for warped in draws(SpecAugment(0, 0, time_warp=1.0), 50, times):
        assert (warped[0], warped[-1]) == (times[0], times[-1])
        assert (np.diff(warped) > 0).all()


def test_a_time_warp_that_finds_no_room_leaves_the_sequence_alone():
    for n_frames in (1, 2, 3, 4):
        frames = FRAMES[:n_frames]
        np.testing.assert_array_equal(
            SpecAugment(0, 0, time_warp=9)(frames, rng()), frames
        )


# -- time -----------------------------------------------------------------------------


def test_interpolation_is_that_of_numpy():
    positions = rng().uniform(0, 59, 200)
    expected = [np.interp(positions, np.arange(60), column) for column in FRAMES.T]
    np.testing.assert_allclose(at_positions(FRAMES, positions), np.transpose(expected))
    across = at_positions(FRAMES.T, positions, axis=1)
    np.testing.assert_allclose(across, expected)


@pytest.mark.parametrize(("factor", "n_frames"), [(2, 120), (0.5, 30), (0.001, 1)])
def test_a_stretch_multiplies_the_number_of_frames_and_keeps_both_ends(
    factor, n_frames
):
    stretched = TimeStretch(factor, factor)(FRAMES, rng())
    assert len(stretched) == n_frames
    np.testing.assert_array_equal(stretched[0], FRAMES[0])
    if n_frames > 1:
        np.testing.assert_allclose(stretched[-1], FRAMES[-1])


def test_a_stretched_ramp_is_a_ramp():
    stretched = TimeStretch(1.7, 1.7)(np.arange(30.0), rng())
    np.testing.assert_allclose(stretched, np.linspace(0, 29, 51))


def test_halving_and_doubling_are_equally_likely():
    lengths = np.array([len(x) for x in draws(TimeStretch(0.5, 2), 1000)])
    assert np.mean(lengths < 60) == pytest.approx(0.5, abs=0.06)
    assert np.mean(lengths < 60 / np.sqrt(2)) == pytest.approx(0.25, abs=0.06)
    assert lengths.min() >= 30
    assert lengths.max() <= 120


def shift_of(moved, times):
    """By how many frames a sequence of consecutive numbers was moved."""
    inner = moved[len(moved) // 2] - times[len(times) // 2]
    return -int(inner)


@pytest.mark.parametrize(("max_shift", "most"), [(5, 5), (0.1, 3), (0, 0)])
def test_shifts_are_equally_likely_and_bounded(max_shift, most):
    times = np.arange(30)
    found = [shift_of(m, times) for m in draws(Shift(max_shift), 2200, times)]
    assert {*found} == set(range(-most, most + 1))
    counts = np.unique(found, return_counts=True)[1]
    expected = 2200 / (2 * most + 1)
    assert (abs(counts - expected) < 4.5 * np.sqrt(expected)).all()


@pytest.mark.parametrize(
    ("fill", "expected"),
    [("edge", np.pad), ("wrap", np.roll), (7.0, None)],
)
def test_frames_that_were_moved_away_from_are_filled(fill, expected):
    times = np.arange(10)
    for moved in draws(Shift(4, fill=fill), 60, times):
        shift = shift_of(moved, times)
        if fill == "wrap":
            np.testing.assert_array_equal(moved, np.roll(times, shift))
            continue
        before, after = max(shift, 0), max(-shift, 0)
        kept = times[after : 10 - before]
        filling = {"mode": "edge"} if fill == "edge" else {"constant_values": 7}
        np.testing.assert_array_equal(moved, np.pad(kept, (before, after), **filling))


def test_a_crop_is_a_run_of_frames_of_any_length_that_is_allowed():
    times = np.arange(20)
    cropped = draws(Crop(0.55), 1000, times)
    assert {len(x) for x in cropped} == set(range(11, 21))
    for x in cropped:
        np.testing.assert_array_equal(np.diff(x), 1)
    assert {x[0] for x in cropped if len(x) == 11} == set(range(10))
    assert len(Crop(1e-12)(times[:1], rng())) == 1


# -- features -------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.0, 1.1, 1.25])
def test_a_peak_moves_as_the_formula_says(factor, monkeypatch):
    width, cutoff = 400, 0.8
    warp = FeatureWarp(0.3, cutoff=cutoff)

    class Fixed(np.random.Generator):
        def uniform(self, low, high):
            assert (low, high) == (0.7, 1.3)
            return factor

    axis = np.linspace(0, 1, width)
    bend = cutoff * min(factor, 1) / factor  # as in Jaitly and Hinton, S / 2 being 1
    for place in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0):
        peak = np.exp(-0.5 * ((axis - place) / 0.02) ** 2)[None]
        end = cutoff * min(factor, 1)
        slope = (1 - end) / (1 - bend)
        expected = factor * place if place <= bend else 1 - slope * (1 - place)
        warped = warp(peak, Fixed(np.random.PCG64(0)))
        assert abs(axis[warped.argmax()] - expected) < 2 / width, place


def test_factors_of_warps_are_uniform_and_both_ends_stay():
    ramp = np.linspace(0, 1, 101)[None]
    warped = np.stack(draws(FeatureWarp(0.2), 1000, ramp))[:, 0]
    assert (warped[:, 0] == 0).all()
    np.testing.assert_allclose(warped[:, -1], 1)
    factors = 0.3 / warped[:, 30]  # what stands at 0.3 was at 0.3 / factor
    counts = np.histogram(factors, np.linspace(0.8, 1.2, 5))[0]
    assert counts.sum() == 1000
    assert (abs(counts - 250) < 65).all()


def test_blocks_are_warped_alike():
    blocks = np.hstack([FRAMES, FRAMES, FRAMES])
    warped = FeatureWarp(0.3, n_blocks=3)(blocks, rng())
    first, second, third = np.hsplit(warped, 3)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    np.testing.assert_array_equal(first, FeatureWarp(0.3)(FRAMES, rng()))
    with pytest.raises(ValueError, match=r"n_blocks=5\) needs .* multiple .* Got 12 "):
        FeatureWarp(n_blocks=5)(FRAMES, rng())


def test_noise_has_the_deviation_asked_for():
    frames = rng().normal(0, [1.0, 10.0], size=(4000, 2))
    relative = GaussianNoise(0.5)(frames, rng(1)) - frames
    np.testing.assert_allclose(relative.std(axis=0), [0.5, 5.0], rtol=0.06)
    absolute = GaussianNoise(0.5, relative=False)(frames, rng(1)) - frames
    np.testing.assert_allclose(absolute.std(axis=0), [0.5, 0.5], rtol=0.06)
    assert abs(np.corrcoef(absolute.T)[0, 1]) < 0.06
    constant = np.ones((5, 1))
    np.testing.assert_array_equal(GaussianNoise(0.5)(constant, rng()), constant)


def test_a_gain_is_one_factor_whose_logarithm_is_uniform():
    ratios = np.stack([x / FRAMES for x in draws(FrameGain(0.25, 4), 800)])
    factors = ratios[:, 0, 0]
    np.testing.assert_allclose(
        ratios, np.broadcast_to(factors[:, None, None], (800, 60, 12))
    )
    counts = np.histogram(np.log2(factors), [-2, -1, 0, 1, 2])[0]
    assert counts.sum() == 800
    assert (abs(counts - 200) < 60).all()


def test_a_gain_per_feature_draws_a_factor_for_each():
    ratios = FrameGain(0.5, 2, per_feature=True)(FRAMES, rng()) / FRAMES
    np.testing.assert_allclose(ratios, np.broadcast_to(ratios[0], ratios.shape))
    assert len(np.unique(ratios[0].round(6))) == 12


def test_a_gain_of_logarithms_is_that_of_the_features():
    energies = np.abs(FRAMES) + 1
    plain = FrameGain(0.5, 2)(energies, rng(2))
    logs = FrameGain(0.5, 2, log=True)(np.log(energies), rng(2))
    np.testing.assert_allclose(np.exp(logs), plain)
