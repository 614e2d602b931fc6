"""Scales are those of all frames at once, though each sequence is read alone."""

import numpy as np
import pytest

from skseq._data.scaling import SCALE, VECTOR, Scaling, moments
from tests.data.samples import RAGGED, Lazy, fit

FRAMES = np.concatenate(RAGGED)
ALL = np.arange(len(RAGGED))


@pytest.mark.parametrize("rows", [[0, 1, 2], [2, 0], [1]])
def test_each_feature_has_the_mean_and_deviation_of_the_rows_frames(rows):
    scaling = Scaling.fit(fit(RAGGED), rows)
    frames = np.concatenate([RAGGED[i] for i in rows])
    np.testing.assert_allclose(scaling.mean, frames.mean(axis=0))
    np.testing.assert_allclose(scaling.scale, frames.std(axis=0))


def test_pooled_features_share_one_mean_and_one_scale():
    scaling = Scaling.fit(fit(RAGGED), ALL, pooled=True)
    np.testing.assert_allclose(scaling.mean, [FRAMES.mean()] * 3)
    np.testing.assert_allclose(scaling.scale, [FRAMES.std()] * 3)


def test_frames_that_are_not_standardized_stay_as_they_are():
    scaling = Scaling.fit(fit(RAGGED), ALL, standardize=False)
    np.testing.assert_array_equal(scaling.levels(RAGGED[0]), RAGGED[0])


def test_restored_levels_are_the_frames():
    scaling = Scaling.fit(fit(RAGGED), ALL)
    levels = np.concatenate([scaling.levels(x.astype("float32")) for x in RAGGED])
    assert levels.dtype == np.float64
    np.testing.assert_allclose(levels.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(levels.std(axis=0), 1)
    np.testing.assert_allclose(scaling.restored(levels), FRAMES)


def test_each_sequence_is_read_once():
    read = []
    sequences = fit(Lazy(lambda i: read.append(i) or RAGGED[i]))
    read.clear()
    Scaling.fit(sequences, [2, 0])
    assert read == [2, 0]


# -- moments -------------------------------------------------------------------------


def test_a_large_mean_takes_no_digits_from_a_small_deviation():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(1000, 2))
    mean, scale = moments(np.split(1e9 + noise, [1, 10, 700]))
    np.testing.assert_allclose(scale, noise.std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(mean - 1e9, noise.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e150, 1e-300])
def test_what_is_constant_has_its_own_value_and_a_scale_of_one(value):
    sequences = [np.full((n, 1), value) for n in (7, 1, 11)]
    mean, scale = moments(sequences)
    assert (mean.item(), scale.item()) == (pytest.approx(value, rel=1e-15), 1)


def test_what_varies_by_the_rounding_of_a_magnitude_is_constant():
    sequences = [np.array([[0.0], [1e-13]])]
    assert moments(sequences)[1] < 1e-12
    assert moments(sequences, magnitude=1e3)[1] == 1


def test_a_table_by_columns_gives_the_same_bits_as_one_by_rows():
    frames = np.random.default_rng(0).normal(size=(501, 7))
    by_rows, by_columns = moments([frames]), moments([np.asfortranarray(frames)])
    np.testing.assert_array_equal(by_rows, by_columns)


# -- what a file may hold ------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "is_vector", "is_scale"),
    [
        (np.ones(3), True, True),
        (np.ones(3, "float32"), True, True),
        (np.array([1.0, 0.0]), True, False),
        (np.array([1.0, -1.0]), True, False),
        (np.array([1.0, np.nan]), False, False),
        (np.array([1.0, np.inf]), False, False),
        (np.ones(3, int), False, False),
        (np.ones((3, 1)), False, False),
        ([1.0, 1.0], False, False),
        (None, False, False),
    ],
)
def test_a_mean_is_finite_and_a_scale_is_positive(value, is_vector, is_scale):
    assert VECTOR.accepts(value) == is_vector
    assert SCALE.accepts(value) == is_scale
