"""What a reconstruction loses is the weighted mean of the errors of its frames."""

import numpy as np
import pytest
import tensorflow as tf

from skseq._autoencoder.loss import ReconstructionLosses

FRAME_LENGTHS = (3, 1, 6)
KINDS = {"mse": np.square, "mae": np.abs}
STEP_WEIGHTS = {
    "alike": np.ones,
    "by place": lambda n: np.sqrt(np.arange(n) + 1),
    "the last": lambda n: np.eye(n)[-1],
}


def reconstructions(step_weight, n_padded=6, seed=0):
    """Errors of each sequence, weights of its frames; what a loss is given of them."""
    rng = np.random.default_rng(seed)
    errors = [rng.normal(size=(n, 2)) for n in FRAME_LENGTHS]
    weights = [step_weight(n) / step_weight(n).sum() for n in FRAME_LENGTHS]
    shape = (len(FRAME_LENGTHS), n_padded)
    levels, targets = np.zeros((2, *shape, 2), dtype="float32")
    padded_weights = np.zeros(shape, dtype="float32")
    for i, (n, error, weight) in enumerate(
        zip(FRAME_LENGTHS, errors, weights, strict=True)
    ):
        targets[i, :n] = rng.normal(size=(n, 2))
        levels[i, :n] = targets[i, :n] + error
        padded_weights[i, :n] = weight
    targets = {"levels": targets, "step_weight": padded_weights}
    return errors, weights, (levels, None), targets


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step_weight", STEP_WEIGHTS)
def test_the_loss_of_a_reconstruction_is_the_weighted_mean_of_its_frames(
    kind, step_weight
):
    errors, weights, outputs, targets = reconstructions(STEP_WEIGHTS[step_weight])
    expected = [
        np.average(KINDS[kind](error).mean(axis=1), weights=weight)
        for error, weight in zip(errors, weights, strict=True)
    ]
    losses = ReconstructionLosses(kind)(outputs, targets)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step_weight", STEP_WEIGHTS)
@pytest.mark.parametrize("sample_weight", [(1, 1, 1), (3, 0.5, 2)])
def test_padding_has_no_say_in_the_loss_of_reconstructions(
    kind, step_weight, sample_weight
):
    _, _, (levels, _), targets = reconstructions(STEP_WEIGHTS[step_weight])
    losses = ReconstructionLosses(kind)
    alone = [
        losses(
            (levels[i : i + 1, :n], None),
            {name: target[i : i + 1, :n] for name, target in targets.items()},
        ).numpy()
        for i, n in enumerate(FRAME_LENGTHS)
    ]
    expected = np.dot(np.concatenate(alone), sample_weight)
    for n_padded in (6, 20):
        _, _, outputs, padded = reconstructions(STEP_WEIGHTS[step_weight], n_padded)
        total = np.dot(losses(outputs, padded), sample_weight)
        np.testing.assert_allclose(total, expected, rtol=1e-6)


def test_the_gradient_of_a_reconstruction_is_zero_on_padding():
    errors, weights, (levels, _), targets = reconstructions(np.ones)
    levels = tf.constant(levels)
    with tf.GradientTape() as tape:
        tape.watch(levels)
        total = tf.reduce_sum(ReconstructionLosses()((levels, None), targets))
    gradient = tape.gradient(total, levels)
    for row, error, weight in zip(gradient, errors, weights, strict=True):
        expected = error * weight[:, np.newaxis]  # a mean of two squares
        np.testing.assert_allclose(row[: len(error)], expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(row[len(error) :], 0)


def test_losses_of_the_same_kind_are_equal():
    assert ReconstructionLosses() == ReconstructionLosses("mse")
    assert ReconstructionLosses("mse") != ReconstructionLosses("mae")
    assert hash(ReconstructionLosses("mae")) == hash(ReconstructionLosses("mae"))
