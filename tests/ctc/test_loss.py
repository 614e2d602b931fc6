from itertools import groupby, product

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, logsumexp

from skseq._autoencoder.loss import ReconstructionLosses
from skseq._ctc.lattice import log_likelihood
from skseq._ctc.loss import CTCLosses
from skseq._nn import compiled
from skseq._seq2seq.loss import TokenLosses


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def way(request, monkeypatch):
    """Losses come from the compiled operation, or from TensorFlow's."""
    if request.param == "plain":
        monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    elif not compiled.is_in_use():
        pytest.skip(compiled.status())


def targets_of(labels):
    width = max([1, *map(len, labels)])
    padded = np.zeros((len(labels), width), dtype="int32")
    for row, item in zip(padded, labels, strict=True):
        row[: len(item)] = item
    counts = np.array([len(item) for item in labels], dtype="int32")
    return {"labels": tf.constant(padded), "label_lengths": tf.constant(counts)}


def losses_and_gradient(logits, lengths, labels):
    logits = tf.constant(logits, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = CTCLosses()(
            (logits, tf.constant(lengths, tf.int32)), targets_of(labels)
        )
        total = tf.reduce_sum(losses)
    return losses.numpy(), tape.gradient(total, logits).numpy()


def exact_losses(logits, lengths, labels):
    log_probs = log_softmax(logits.astype("float64"), axis=-1)
    return -log_likelihood(log_probs, lengths, [np.array(i, int) for i in labels])


@pytest.fixture(params=range(3))
def ragged_batch(request):
    """Logits of 3 labels and the blank; labels with repeats, and none at all."""
    rng = np.random.default_rng(request.param)
    labels = [[0, 1], [], [2, 2, 1], [1], [], [0, 0]]
    lengths = np.array([6, 4, 5, 1, 1, 3])
    return rng.normal(scale=3, size=(6, 8, 4)).astype("float32"), lengths, labels


@pytest.mark.parametrize("labels", [[], [0], [1, 1], [0, 1], [1, 0, 1]])
def test_the_loss_sums_over_all_paths_that_spell_the_labels(labels):
    logits = np.random.default_rng(0).normal(size=(1, 4, 3)).astype("float32")
    log_probs = log_softmax(logits[0], axis=-1)
    paths = [
        sum(log_probs[t, k] for t, k in enumerate(path))
        for path in product(range(3), repeat=4)
        if [k for k, _ in groupby(path) if k != 2] == labels
    ]
    losses, _ = losses_and_gradient(logits, [4], [labels])
    np.testing.assert_allclose(losses, [-logsumexp(paths)], rtol=1e-5)


def test_the_losses_of_a_ragged_batch_are_those_of_the_exact_lattice(ragged_batch):
    losses, _ = losses_and_gradient(*ragged_batch)
    np.testing.assert_allclose(losses, exact_losses(*ragged_batch), rtol=1e-5)


def test_the_gradient_is_the_slope_of_the_exact_loss(ragged_batch):
    logits, lengths, labels = ragged_batch
    _, gradient = losses_and_gradient(*ragged_batch)
    slopes = exact_gradient(logits, lengths, labels)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-3, atol=1e-4)


def test_frames_past_the_end_have_no_say_in_the_loss_and_get_no_gradient(ragged_batch):
    logits, lengths, labels = ragged_batch
    losses, gradient = losses_and_gradient(*ragged_batch)
    is_padding = np.arange(8) >= lengths[:, None]
    logits[is_padding] = 50 * logits[is_padding] + 7
    others, _ = losses_and_gradient(logits, lengths, labels)
    np.testing.assert_array_equal(others, losses)
    np.testing.assert_array_equal(gradient[is_padding], 0)


def test_a_batch_of_empty_labellings_only_has_all_blank_paths():
    logits = np.zeros((2, 3, 4), dtype="float32")
    losses, gradient = losses_and_gradient(logits, [3, 2], [[], []])
    np.testing.assert_allclose(losses, [3 * np.log(4), 2 * np.log(4)], rtol=1e-6)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("labels", [[1], []])
@pytest.mark.parametrize("gap", [100.0, 1e4])
def test_a_network_sure_of_something_else_still_learns_the_label(labels, gap):
    logits = np.zeros((1, 3, 3), dtype="float32")
    logits[..., 0] = gap
    losses, gradient = losses_and_gradient(logits, [3], [labels])
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()
    assert (gradient[..., 0] > 0.9).all()
    assert gradient.sum(axis=1)[0, labels[0] if labels else -1] < -0.3


def far_batch(gap, seed=0):
    """Logits of 3 labels and the blank, most of them far from the labels' paths."""
    rng = np.random.default_rng(seed)
    labels = [[0, 1], [], [2, 2, 1], [1], [0, 0], [2, 0, 2]]
    lengths = np.array([6, 4, 5, 1, 3, 8])
    logits = rng.normal(scale=3, size=(6, 8, 4)) + gap * rng.integers(2, size=(6, 8, 4))
    return logits.astype("float32"), lengths, labels


def exact_gradient(logits, lengths, labels):
    """Posteriors less the share of the labels' paths, by slopes in double precision."""
    gradient = np.zeros(logits.shape)
    for t, k in np.ndindex(*logits.shape[1:]):
        step = np.zeros(logits.shape)
        step[:, t, k] = 1e-4
        up, down = (exact_losses(logits + s, lengths, labels) for s in (step, -step))
        gradient[:, t, k] = (up - down) / 2e-4
    return gradient


def test_a_loss_beyond_the_kernels_reach_is_the_one_that_the_definition_gives():
    # Two frames are sure of label 0, and label 1 is wanted.
    logits = np.zeros((1, 2, 3), dtype="float32")
    logits[0, :, 0] = 100
    losses, _ = losses_and_gradient(logits, [2], [[1]])
    paths = [-200, -200, -200]  # 1 1, 1 -, - 1
    np.testing.assert_allclose(losses, [-logsumexp(paths)], rtol=1e-6)


@pytest.mark.parametrize("gap", [20.0, 45.0, 85.0, 100.0, 300.0, 1e4, 1e6])
@pytest.mark.parametrize("seed", range(3))
def test_losses_and_gradients_are_exact_however_improbable_the_labels(gap, seed):
    batch = far_batch(gap, seed)
    losses, gradient = losses_and_gradient(*batch)
    np.testing.assert_allclose(losses, exact_losses(*batch), rtol=2e-5, atol=1e-5)
    if gap < 1e4:  # beyond, slopes of doubles are rounding
        np.testing.assert_allclose(gradient, exact_gradient(*batch), atol=2e-3)
    assert np.isfinite(gradient).all()


def test_what_the_kernel_serves_well_keeps_its_bits_beside_what_it_does_not():
    logits, lengths, labels = far_batch(3.0)
    alone, _ = losses_and_gradient(logits, lengths, labels)
    logits[5] += np.array([0, 200, 0, 0], dtype="float32")
    together, _ = losses_and_gradient(logits, lengths, labels)
    np.testing.assert_array_equal(together[:5], alone[:5])
    expected = exact_losses(logits, lengths, labels)
    np.testing.assert_allclose(together, expected, rtol=1e-5)
    assert expected[5] > 200


def test_a_loss_of_nan_stays_nan():
    logits, lengths, labels = far_batch(300.0)
    logits[0, 0, 0] = np.nan
    losses, _ = losses_and_gradient(logits, lengths, labels)
    assert np.isnan(losses).tolist() == [True] + [False] * 5


@pytest.mark.parametrize("gap", [0.0, 300.0])
def test_far_losses_are_the_same_in_a_compiled_graph(gap):
    logits, lengths, labels = far_batch(gap)
    logits, lengths = tf.constant(logits), tf.constant(lengths, tf.int32)

    @tf.function
    def compiled(logits, targets):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            losses = CTCLosses()((logits, lengths), targets)
        return losses, tape.gradient(losses, logits)

    losses, gradient = compiled(logits, targets_of(labels))
    expected, slopes = losses_and_gradient(logits, lengths, labels)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient, slopes, atol=1e-5)


def test_the_losses_are_the_same_in_a_compiled_graph(ragged_batch):
    logits, lengths, labels = ragged_batch
    compiled = tf.function(CTCLosses().__call__)
    outputs = tf.constant(logits), tf.constant(lengths, tf.int32)
    losses = compiled(outputs, targets_of(labels))
    expected, _ = losses_and_gradient(*ragged_batch)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


# -- of tokens -------------------------------------------------------------------------

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


# -- of reconstructions ----------------------------------------------------------------

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
