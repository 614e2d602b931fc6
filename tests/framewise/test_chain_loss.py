from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from skseq._framewise import chain_loss
from skseq._framewise.chain import ChainWeights, log_likelihood
from skseq._framewise.chain_loss import chain_losses
from skseq._framewise.transitions import compile_transitions
from skseq._nn import compiled
from tests.framewise.chains import batch, chain, partial_labels

LENGTHS = np.array([6, 1, 4, 2, 11])
NAMES = "scores", "pairs", "starts", "ends"
FORBIDDEN = {("a", "b"), ("c", "c"), (None, "b"), ("c", None)}
ALLOWED = compile_transitions(lambda *pair: pair not in FORBIDDEN, ["a", "b", "c"])


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def way(request, monkeypatch):
    """Losses come from the compiled operation, or from TensorFlow's."""
    if request.param == "plain":
        monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    elif not compiled.is_in_use():
        pytest.skip(compiled.status())


@pytest.fixture
def no_logarithms(monkeypatch):
    """Nothing may be computed again in logarithms."""

    def refuse(*inputs):
        raise AssertionError("some sequences were computed again")

    monkeypatch.setattr(chain_loss, "_exact_losses", refuse)


SIGNATURE = [
    tf.TensorSpec((None, None, 3), tf.float32),
    tf.TensorSpec((3, 3), tf.float32),
    tf.TensorSpec((3,), tf.float32),
    tf.TensorSpec((3,), tf.float32),
    tf.TensorSpec((None, None), tf.int32),
    tf.TensorSpec((None,), tf.int32),
]


def problem(n_classes=3, lengths=LENGTHS, scale=1.0, pair_scale=1.0, labels=None):
    """What the loss is computed from, with NaN scores in the padding."""
    n_frames = lengths.max()
    weights = chain(n_classes, scale=pair_scale)
    if labels is None:
        labels = partial_labels(lengths, n_frames, n_classes)
    scores = batch(lengths, n_frames, n_classes, scale=scale)
    values = scores, weights.pairs, weights.starts, weights.ends
    values = dict(zip(NAMES, (v.astype("float32") for v in values), strict=True))
    return SimpleNamespace(**values, labels=labels, lengths=lengths)


def losses_and_gradients(p, upstream=None, losses_of=chain_losses, **options):
    values = [tf.constant(getattr(p, name)) for name in NAMES]
    with tf.GradientTape() as tape:
        tape.watch(values)
        labels = tf.constant(p.labels, tf.int32)
        losses = losses_of(*values, labels, tf.constant(p.lengths, tf.int32), **options)
        upstream = np.ones(len(p.lengths)) if upstream is None else upstream
        total = tf.tensordot(tf.constant(upstream, tf.float32), losses, 1)
    gradients = (g.numpy() for g in tape.gradient(total, values))
    return losses.numpy(), dict(zip(NAMES, gradients, strict=True))


def exact_losses(p, allowed=None):
    scores, *weights = (getattr(p, name).astype("float64") for name in NAMES)
    weights = ChainWeights(*weights)
    if allowed is not None:
        weights = weights.restricted(allowed)
    return -log_likelihood(scores, weights, p.lengths, p.labels)


def exact_gradient(p, name, upstream, allowed=None):
    """Central differences of the exact losses, by one input; zero where it is NaN."""
    value = getattr(p, name).astype("float64")
    slope = np.zeros_like(value)
    for place in zip(*np.nonzero(np.isfinite(value)), strict=True):
        ends = []
        for step in (1e-5, -1e-5):
            moved = value.copy()
            moved[place] += step
            near = SimpleNamespace(**{**vars(p), name: moved})
            ends.append(upstream @ exact_losses(near, allowed))
        slope[place] = (ends[0] - ends[1]) / 2e-5
    return slope


@pytest.mark.parametrize("n_classes", [1, 2, 3, 7])
@pytest.mark.parametrize("is_labelled", [True, False])
def test_losses_are_those_of_the_exact_chain(n_classes, is_labelled, no_logarithms):
    p = problem(n_classes)
    if is_labelled:
        p.labels = np.where(p.labels < 0, 0, p.labels)
    losses, _ = losses_and_gradients(p)
    np.testing.assert_allclose(losses, exact_losses(p), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("allowed", [None, ALLOWED])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_slopes_of_the_exact_losses(name, allowed, no_logarithms):
    p, upstream = problem(), np.array([1.0, -2.0, 0.5, 3.0, 0.1])
    if allowed is not None:
        p.labels[p.labels == 2] = -1  # of which two may not be together
    _, gradients = losses_and_gradients(p, upstream, allowed=allowed)
    expected = exact_gradient(p, name, upstream, allowed)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(gradients[name], expected, atol=2e-6)


def test_what_is_not_allowed_counts_nothing_and_has_no_gradient(no_logarithms):
    p = problem()
    p.labels[p.labels == 2] = -1
    losses, gradients = losses_and_gradients(p, allowed=ALLOWED)
    expected = exact_losses(p, ALLOWED)
    assert (expected < exact_losses(p) - 0.01).any()
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    for name in ("pairs", "starts", "ends"):
        is_allowed = getattr(ALLOWED, name)
        np.testing.assert_array_equal(gradients[name][~is_allowed], 0.0)
        assert np.abs(gradients[name][is_allowed]).min() > 1e-4


def test_labels_that_are_not_allowed_have_an_infinite_loss():
    p = problem(labels=np.full((5, 11), 1))  # it may not be first
    losses, gradients = losses_and_gradients(p, allowed=ALLOWED)
    np.testing.assert_array_equal(losses, np.inf)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())


def test_padding_has_no_loss_and_a_gradient_of_exactly_zero(no_logarithms):
    p = problem()
    losses, gradients = losses_and_gradients(p)
    for i, length in enumerate(p.lengths):
        np.testing.assert_array_equal(gradients["scores"][i, length:], 0.0)
        alone = SimpleNamespace(**{**vars(p), "lengths": p.lengths[i : i + 1]})
        alone.scores = p.scores[i : i + 1, :length]
        alone.labels = p.labels[i : i + 1, :length]
        own, slopes = losses_and_gradients(alone)
        np.testing.assert_allclose(losses[i], own[0], rtol=1e-6, atol=1e-6)
        batched = gradients["scores"][i, :length]
        np.testing.assert_allclose(batched, slopes["scores"][0], atol=1e-6)


def test_any_number_of_frames_runs_in_one_traced_function(no_logarithms):
    traced = tf.function(chain_losses, input_signature=SIGNATURE)
    for n_frames in (1, 7, 8, 9, 16, 40):
        p = problem(lengths=np.array([n_frames, 1]))
        losses, gradients = losses_and_gradients(p, losses_of=traced)
        np.testing.assert_allclose(losses, exact_losses(p), rtol=1e-6, atol=1e-6)
        expected = exact_gradient(p, "pairs", np.ones(2))
        np.testing.assert_allclose(gradients["pairs"], expected, atol=5e-6)
    assert traced.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("n_classes", [1, 3, 5])
def test_large_scores_lose_nothing(n_classes, no_logarithms):
    rng = np.random.default_rng(0)
    p = problem(n_classes, np.array([200, 30]), labels=np.zeros((2, 200), int))
    p.labels = rng.integers(0, n_classes, (2, 200))
    p.labels[rng.random((2, 200)) < 0.3] = -1
    p.scores = np.where(
        np.isnan(p.scores), np.nan, rng.choice([-50, 50], p.scores.shape)
    )
    p.scores = p.scores.astype("float32")
    p.pairs = rng.choice([-20, 20], p.pairs.shape).astype("float32")
    losses, gradients = losses_and_gradients(p)
    np.testing.assert_allclose(losses, exact_losses(p), rtol=1e-6, atol=1e-6)
    slopes = exact_gradient(p, "pairs", np.ones(2))
    np.testing.assert_allclose(gradients["pairs"], slopes, rtol=1e-5, atol=1e-4)


def test_masses_that_underflow_are_added_up_in_logarithms():
    # Only a may come before a, and all frames are much more probably b's.
    allowed = compile_transitions(lambda *pair: pair != ("b", "a"), ["a", "b"])
    p = problem(2, np.array([40, 3]))
    p.scores[0] = [0.0, 50.0]
    p.labels[0] = -1
    p.labels[0, 20] = 0
    losses, gradients = losses_and_gradients(p, allowed=allowed)
    expected = exact_losses(p, allowed)
    np.testing.assert_allclose(losses, expected, rtol=1e-6, atol=1e-6)
    for name in NAMES:
        slopes = exact_gradient(p, name, np.ones(2), allowed)
        np.testing.assert_allclose(gradients[name], slopes, atol=1e-4)


def test_computed_in_logarithms_losses_and_gradients_are_the_same(monkeypatch):
    monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    p, upstream = problem(), np.array([1.0, -2.0, 0.5, 3.0, 0.1])
    losses, gradients = losses_and_gradients(p, upstream)
    monkeypatch.setattr(chain_loss, "_LEAST_TRUSTED", np.inf)
    others, slopes = losses_and_gradients(p, upstream)
    np.testing.assert_allclose(losses, others, rtol=1e-6)
    for name in NAMES:
        np.testing.assert_allclose(gradients[name], slopes[name], atol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite_give_their_sample_a_loss_that_is_not(value):
    p = problem()
    p.scores[2, 1, 0] = value
    losses, _ = losses_and_gradients(p)
    np.testing.assert_array_equal(np.isfinite(losses), [True, True, False, True, True])


def test_a_sample_without_frames_has_no_loss(no_logarithms):
    p = problem()
    p.lengths = np.array([6, 0, 4, 0, 11])
    losses, gradients = losses_and_gradients(p)
    np.testing.assert_array_equal(losses[[1, 3]], 0.0)
    np.testing.assert_array_equal(gradients["scores"][[1, 3]], 0.0)
    np.testing.assert_allclose(losses, exact_losses(p), rtol=1e-6, atol=1e-6)
