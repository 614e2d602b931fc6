"""The losses of a regressor are those of real frames, whatever stands beside them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq._framewise.regression_loss import (
    LOSSES,
    RegressionLosses,
    check_own_loss,
    share_of_constant,
)

LENGTHS = np.array([4, 1, 6])
RNG = np.random.default_rng(0)
TRUE = [np.abs(RNG.normal(size=(n, 2))) for n in LENGTHS]
PREDICTED = [RNG.normal(size=(n, 2)) * 2 for n in LENGTHS]
WEIGHTS = [RNG.uniform(0.5, 2, size=n) for n in LENGTHS]


def padded(items, value):
    out = np.full((len(items), max(LENGTHS), *items[0].shape[1:]), value, "float32")
    for row, item in zip(out, items, strict=True):
        row[: len(item)] = item
    return tf.constant(out)


def by_hand(kind, y, p, quantile):
    """Of each value, in NumPy."""
    error = y - p
    small = np.abs(error) < 1
    return {
        "squared_error": error**2,
        "absolute_error": np.abs(error),
        "huber": np.where(small, error**2 / 2, np.abs(error) - 0.5),
        "poisson": np.exp(p) - y * p,
        "quantile": np.where(error > 0, quantile * error, (quantile - 1) * error),
    }[kind]


def own(y_true, y_pred):
    return keras.ops.mean(keras.ops.sqrt(y_true) * keras.ops.square(y_pred), axis=-1)


def losses_and_slopes(losses, past_true, past_predicted):
    predicted = padded(PREDICTED, past_predicted)
    given = {
        "targets": padded(TRUE, past_true),
        "frame_weights": padded(WEIGHTS, 0.0),
        "y_mean": tf.constant([[1.0, 2.0]] * 3),
        "y_scale": tf.constant([[3.0, 0.5]] * 3),
    }
    with tf.GradientTape() as tape:
        tape.watch(predicted)
        found = losses([predicted, tf.constant(LENGTHS, tf.int32)], given)
    return found.numpy(), tape.gradient(found, predicted).numpy()


@pytest.mark.parametrize("kind", LOSSES)
def test_a_padded_batch_has_the_losses_of_its_real_frames(kind):
    losses = RegressionLosses(kind, True, 0.8, (0.75, 0.25))
    found, slopes = losses_and_slopes(losses, 50.0, 3.0)
    expected = [
        np.average(by_hand(kind, y, p, 0.8) @ [0.75, 0.25], weights=w)
        for y, p, w in zip(TRUE, PREDICTED, WEIGHTS, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    _, others = losses_and_slopes(losses, 0.0, 0.0)
    np.testing.assert_allclose(slopes, others, atol=1e-7)
    assert not slopes[1, 1:].any()
    assert np.abs(slopes[0, :4]).min() > 0


def test_the_slopes_are_those_of_finite_differences():
    losses = RegressionLosses("huber", True, 0.5, (0.75, 0.25))
    _, slopes = losses_and_slopes(losses, 50.0, 3.0)
    step = 1e-5
    for j in range(2):
        moved = PREDICTED[0].copy()
        moved[2, j] += step
        (after, before) = (
            np.average(
                by_hand("huber", TRUE[0], p, 0.5) @ [0.75, 0.25], weights=WEIGHTS[0]
            )
            for p in (moved, PREDICTED[0])
        )
        assert slopes[0, 2, j] == pytest.approx((after - before) / step, abs=1e-4)


@pytest.mark.parametrize("past", [-50.0, np.nan, np.inf])
def test_a_loss_of_ones_own_sees_values_in_units_and_no_padding(past):
    losses = RegressionLosses(own, True)
    found, slopes = losses_and_slopes(losses, past, past)
    mean, scale = np.array([1.0, 2.0]), np.array([3.0, 0.5])
    expected = [
        np.average(
            (np.sqrt(y * scale + mean) * (p * scale + mean) ** 2).mean(axis=1),
            weights=w,
        )
        for y, p, w in zip(TRUE, PREDICTED, WEIGHTS, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.isfinite(slopes).all()
    assert not slopes[1, 1:].any()


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda y, p: keras.ops.mean(y - p), r"not a mean over them.*shape \(\)"),
        (lambda y, p: y - p, r"returned float32 of shape \(2, 3, 2\)"),
        (lambda y, p: y[..., 5], "loss failed on two samples"),
        (lambda y: y, "loss failed on two samples"),
        (lambda y, p: y[..., 0] > p[..., 0], "returned bool"),
        (lambda y, p: "low", "loss failed|returned string"),
    ],
)
def test_a_loss_that_cannot_be_used_is_refused_before_training(loss, words):
    with pytest.raises(ValueError, match=words):
        check_own_loss(loss, np.ones((3, 2)), True)


def test_the_best_constant_has_an_error_of_one():
    y = np.random.default_rng(0).exponential(size=(4000, 2)) * [1, 100]
    for loss, level in [("squared_error", None), ("absolute_error", 0.5)]:
        best = y.mean(0) if level is None else np.quantile(y, level, axis=0)
        share = share_of_constant(loss, 0.5, y, np.broadcast_to(best, y.shape))
        assert share == pytest.approx(1, rel=1e-5)
    best = np.quantile(y, 0.9, axis=0)
    share = share_of_constant("quantile", 0.9, y, np.broadcast_to(best, y.shape))
    assert share == pytest.approx(1, rel=1e-5)
    assert share_of_constant("squared_error", 0.5, y, y) == 0
    constant = np.ones((5, 1))
    assert share_of_constant("squared_error", 0.5, constant, constant + 1) == 0
