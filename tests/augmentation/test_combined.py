"""Augmenters made of others apply them in a row, one of them, or sometimes."""

import numpy as np
import pytest

from skseq.augmentation import (
    Compose,
    Crop,
    FrameGain,
    GaussianNoise,
    OneOf,
    Shift,
    Sometimes,
    augmenter,
    is_augmenter,
)
from tests.augmentation.augmenters import rng


def times(factor):
    return augmenter(lambda sequence, rng: factor * sequence, changes_frames=False)


@augmenter(changes_frames=False)
def add_one(sequence, rng):
    return sequence + 1


def test_steps_run_in_their_order_on_one_generator():
    assert Compose([times(3), add_one])(np.ones(1), rng()).tolist() == [4]
    noise, shift = GaussianNoise(), Shift(0.5)
    generator = rng()
    expected = shift(noise(np.arange(9.0), generator), generator)
    found = Compose([noise, shift])(np.arange(9.0), rng())
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [(None, [1 / 3, 1 / 3, 1 / 3]), ([1, 2, 5], [1 / 8, 2 / 8, 5 / 8])],
)
def test_one_step_is_drawn_in_proportion_to_its_weight(weights, expected):
    augment, generator = OneOf([times(k) for k in range(3)], weights=weights), rng()
    found = [augment(np.ones(1), generator)[0] for _ in range(2000)]
    shares = np.bincount(np.array(found, dtype=int), minlength=3) / 2000
    np.testing.assert_allclose(shares, expected, atol=0.05)


def test_weights_count_by_their_ratios_however_large():
    step = OneOf([Shift(0), Crop(0.5)], weights=[1e308, 1e308])
    lengths = {len(step(np.arange(20.0), np.random.default_rng(i))) for i in range(9)}
    assert 20 in lengths
    assert len(lengths) > 1


@pytest.mark.parametrize(
    "whole",
    [
        Compose([GaussianNoise(-1)]),
        OneOf([GaussianNoise(-1)]),
        Sometimes(GaussianNoise(-1)),
    ],
    ids=["composed", "one of", "sometimes"],
)
def test_parts_are_checked_before_they_are_drawn(whole):
    with pytest.raises(ValueError, match="'scale' parameter of GaussianNoise"):
        whole._check_parameters()


def test_a_step_is_applied_with_the_probability_asked_for():
    generator, one = rng(), np.ones(1)
    found = [Sometimes(times(0), 0.3)(one, generator)[0] for _ in range(2000)]
    assert np.mean(np.array(found) == 0) == pytest.approx(0.3, abs=0.05)
    assert Sometimes(times(0), 0)(one, generator)[0] == 1
    assert Sometimes(times(0), 1)(one, generator)[0] == 0


def test_parts_that_keep_frames_make_wholes_that_do():
    for whole in (Compose, OneOf):
        assert not whole([FrameGain(), GaussianNoise()]).changes_frames
        assert whole([FrameGain(), Crop()]).changes_frames
    assert not Sometimes(FrameGain()).changes_frames
    assert Sometimes(OneOf([FrameGain(), Sometimes(Crop())])).changes_frames


def test_the_parameters_of_the_step_that_is_sometimes_applied_can_be_set():
    augment = Sometimes(FrameGain()).set_params(step__low=0.1)
    assert augment.step.low == 0.1


@pytest.mark.parametrize("Whole", [Compose, OneOf])
@pytest.mark.parametrize(
    ("steps", "hint"),
    [
        ([], "steps is empty"),
        ([Crop(), Crop], r"steps\[1\] is not an augmenter"),
        ([len], r"steps\[0\] is not an augmenter"),
        (Crop(), r"Got Crop\(\) instead"),
        (None, "Got None instead"),
    ],
)
def test_what_is_not_a_list_of_augmenters_is_refused(Whole, steps, hint):
    with pytest.raises(
        ValueError, match=f"'steps' parameter of {Whole.__name__}.*{hint}"
    ):
        Whole(steps)(np.ones(3), rng())
    assert is_augmenter(Whole(steps))  # it is one, which is not set right


def test_a_step_that_is_not_an_augmenter_is_refused():
    with pytest.raises(
        ValueError, match=r"'step' parameter .* has marked\. Got <built"
    ):
        Sometimes(len)(np.ones(3), rng())


def test_weights_are_as_many_as_the_steps():
    with pytest.raises(ValueError, match=r"one entry per step, 1\. Got 2 instead"):
        OneOf([Crop()], weights=[1, 2])(np.ones(3), rng())
