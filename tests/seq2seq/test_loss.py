"""What a sequence of tokens loses is the mean cross-entropy of its tokens."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from skseq._seq2seq.loss import TokenLosses

TOKEN_LENGTHS = np.array([4, 1, 3, 2], dtype="int32")


def token_batch(padding=0, n_padded=4, seed=0):
    """Logits of the real tokens, their labels, and the labels padded."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3, size=(TOKEN_LENGTHS.sum(), 5)).astype("float32")
    labels = rng.integers(5, size=TOKEN_LENGTHS.sum())
    padded = np.full((len(TOKEN_LENGTHS), n_padded), padding, dtype="int32")
    padded[np.arange(n_padded) < TOKEN_LENGTHS[:, None]] = labels
    targets = {"target_labels": padded, "target_lengths": TOKEN_LENGTHS}
    return logits, labels, targets


def by_sequence(values):
    return np.split(values, np.cumsum(TOKEN_LENGTHS)[:-1])


def smoothed(labels, smoothing, n_ids=5):
    """What each token's probabilities should be."""
    return (1 - smoothing) * np.eye(n_ids)[labels] + smoothing / n_ids


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6, 1.0])
def test_the_loss_of_a_sequence_is_the_mean_cross_entropy_of_its_tokens(smoothing):
    logits, labels, targets = token_batch()
    log_probs = log_softmax(logits.astype("float64"), axis=1)
    losses = -(smoothed(labels, smoothing) * log_probs).sum(axis=1)
    expected = [own.mean() for own in by_sequence(losses)]
    got = TokenLosses(smoothing)((logits, None), targets)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_gradient_of_a_token_is_what_is_given_less_what_is_wanted(smoothing):
    logits, labels, targets = token_batch()
    variable = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        total = tf.reduce_sum(TokenLosses(smoothing)((variable, None), targets))
    difference = np.exp(log_softmax(logits, axis=1)) - smoothed(labels, smoothing)
    expected = difference / np.repeat(TOKEN_LENGTHS, TOKEN_LENGTHS)[:, None]
    np.testing.assert_allclose(tape.gradient(total, variable), expected, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("batch", [{"padding": 3}, {"padding": -1}, {"n_padded": 9}])
def test_padding_has_no_say_in_the_loss_of_tokens(batch, smoothing):
    losses = TokenLosses(smoothing)
    logits, _, targets = token_batch()
    _, _, others = token_batch(**batch)
    np.testing.assert_array_equal(
        losses((logits, None), others), losses((logits, None), targets)
    )


def test_a_sequences_loss_is_the_same_alone_and_among_others():
    logits, _, targets = token_batch()
    losses = TokenLosses(0.2)((logits, None), targets)
    for i, own in enumerate(by_sequence(logits)):
        n = TOKEN_LENGTHS[i]
        alone = {
            "target_labels": targets["target_labels"][i : i + 1, :n],
            "target_lengths": TOKEN_LENGTHS[i : i + 1],
        }
        got = TokenLosses(0.2)((own, None), alone)
        np.testing.assert_allclose(got, losses[i : i + 1], rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_a_network_sure_of_another_token_has_a_finite_loss(smoothing):
    logits = np.array([[1e4, 0, 0]], dtype="float32")
    targets = {"target_labels": np.array([[1]]), "target_lengths": np.array([1])}
    (loss,) = TokenLosses(smoothing)((logits, None), targets)
    expected = (1 - smoothing) * 1e4 + smoothing * 2e4 / 3
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_losses_of_the_same_smoothing_are_equal():
    assert TokenLosses() == TokenLosses(0.0) != TokenLosses(0.1)
    assert len({TokenLosses(0.1), TokenLosses(0.1), TokenLosses(0.2)}) == 2


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_losses_of_tokens_are_the_same_in_a_compiled_graph(smoothing):
    losses = TokenLosses(smoothing)
    logits, _, targets = token_batch()
    compiled = tf.function(losses, reduce_retracing=True)
    got = compiled((tf.constant(logits), tf.zeros(1)), targets)
    np.testing.assert_allclose(got, losses((logits, None), targets), rtol=1e-6)
