"""Augmenters of images move and blur pixels by what they say."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from skseq.augmentation import Blur, Elastic, Shear
from tests.augmentation.augmenters import rng


def places(image):
    """The centre of each row of pixels, in columns."""
    columns = np.arange(len(image))[:, None]
    return (columns * image).sum(axis=0) / image.sum(axis=0)


def stroke(n_columns=41, n_rows=11):
    image = np.zeros((n_columns, n_rows))
    image[n_columns // 2] = 1
    return image


def test_an_upright_stroke_becomes_a_slanted_line_through_its_middle():
    slopes, generator = [], rng()
    for _ in range(400):
        found = places(Shear(45)(stroke(), generator))
        slopes.append(np.diff(found)[0])
        np.testing.assert_allclose(found, 20 + slopes[-1] * (np.arange(11) - 5))
    degrees = np.degrees(np.arctan(slopes))
    counts = np.histogram(degrees, [-45, -22.5, 0, 22.5, 45])[0]
    assert counts.sum() == 400
    assert (abs(counts - 100) < 40).all()


def test_a_shear_fills_with_the_edge_or_a_value():
    image = np.full((9, 5), 3.0)
    np.testing.assert_allclose(Shear(60)(image, rng()), image)
    filled = Shear(60, fill=-1.0)(image, rng())
    assert {*np.unique(filled)} == {-1.0, 3.0}
    np.testing.assert_allclose(filled[:, 2], 3)  # the middle row stays


def displacements(augment, shape, n_draws=1):
    """How far each pixel of a ramp along either axis was taken from."""
    ramps = np.indices(shape, dtype=float)
    for seed in range(n_draws):
        yield np.stack([augment(ramp, rng(seed)) - ramp for ramp in ramps])


def test_displacements_have_the_deviation_asked_for_at_every_pixel():
    drawn = np.stack([*displacements(Elastic(0.7, 5), (60, 50), 200)])
    inner = drawn[:, :, 3:-3, 3:-3]  # what comes from beyond an edge is cut off
    assert abs(inner.mean()) < 0.05
    deviations = inner.std(axis=0)
    assert deviations.mean() == pytest.approx(0.7, rel=0.03)
    assert deviations.min() > 0.5
    assert deviations.max() < 0.9


def test_displacements_of_near_pixels_are_alike_as_a_gaussian_makes_them():
    drawn = np.stack([*displacements(Elastic(0.5, 6), (70, 60), 100)])
    for lag in (3, 6, 12):
        here, there = drawn[:, 0, 5 : 60 - lag, 30], drawn[:, 0, 5 + lag : 60, 30]
        found = np.corrcoef(here.ravel(), there.ravel())[0, 1]
        # White noise smoothed by a Gaussian is correlated like one twice as broad.
        assert found == pytest.approx(np.exp(-(lag**2) / (4 * 6**2)), abs=0.12)


def test_the_two_axes_move_apart_from_each_other():
    drawn = np.stack([*displacements(Elastic(0.5, 4), (40, 40), 60)])
    assert abs(np.corrcoef(drawn[:, 0].ravel(), drawn[:, 1].ravel())[0, 1]) < 0.1


def test_an_image_is_read_where_its_ramps_are_read():
    image = gaussian_filter(rng(5).random((40, 30)), 1)
    augment = Elastic(0.8, 5)
    (moves,) = displacements(augment, image.shape)
    sources = np.indices(image.shape) + moves
    expected = map_coordinates(image, sources, order=1, mode="nearest")
    inner = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(augment(image, rng(0))[inner], expected[inner])


def test_no_displacement_is_the_image():
    image = rng().random((20, 10))
    np.testing.assert_array_equal(Elastic(0)(image, rng()), image)
    np.testing.assert_array_equal(Blur(0)(image, rng()), image)


def test_a_blurred_dot_is_a_gaussian_of_a_uniform_width():
    dot = np.zeros((31, 31))
    dot[15, 15] = 1
    sigmas, generator = [], rng()
    for _ in range(200):
        blurred = Blur(3)(dot, generator)
        assert blurred.sum() == pytest.approx(1)
        squares = (np.arange(31) - 15) ** 2
        along = [blurred.sum(axis=axis) @ squares for axis in (0, 1)]
        assert along[0] == pytest.approx(along[1])
        sigmas.append(np.sqrt(along[0]))
    assert max(sigmas) <= 3
    counts = np.histogram(sigmas, [0, 1, 2, 3])[0]
    assert (abs(counts - 200 / 3) < 32).all()
