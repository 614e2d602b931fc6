import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from skseq._nn import compiled
from skseq._seq2seq.attention import (
    ATTENTIONS,
    Source,
)

KINDS = [kind for kind in ATTENTIONS if kind]
LENGTHS = np.array([6, 1, 4], dtype="int32")
N_SOURCE, WIDTH, UNITS = 6, 3, 4


def attention_of(kind, seed=0):
    layer = ATTENTIONS[kind](UNITS, name="attention")
    layer.build((None, None, WIDTH))
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    return layer


def queries_and_states(n_queries=5, scale=1.0, seed=1):
    rng = np.random.default_rng(seed)
    queries = rng.normal(scale=scale, size=(3, n_queries, UNITS)).astype("float32")
    return queries, rng.normal(size=(3, N_SOURCE, WIDTH)).astype("float32")


def attended(layer, queries, states, lengths=LENGTHS):
    states = tf.convert_to_tensor(states)
    source = Source(states, layer.keys(states), lengths, states[:, 0])
    return layer(queries, source)


def expected_scores(kind, weights, queries, states):
    """Of one sequence, one query and one state after the other."""
    key_kernel, *others = weights
    scores = np.zeros((len(queries), len(states)))
    for (q, s), _ in np.ndenumerate(scores):
        key = states[s] @ key_kernel
        if kind == "dot":
            scores[q, s] = queries[q] @ key / np.sqrt(UNITS)
        else:
            query_kernel, score_kernel = others
            both = np.tanh(queries[q] @ query_kernel + key)
            scores[q, s] = both @ score_kernel[:, 0]
    return scores


def garbage_past_end(states, lengths):
    states = states.copy()
    for row, n in zip(states, lengths, strict=True):
        row[n:] = 50 * (1 + np.abs(row[n:]))
    return states


def test_no_attention_is_a_choice_as_well():
    assert list(ATTENTIONS) == ["additive", "dot", None]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_contexts_are_those_of_the_papers(kind):
    layer = attention_of(kind)
    queries, states = queries_and_states()
    contexts, weights = attended(layer, queries, states)
    for i, n in enumerate(LENGTHS):
        own = states[i, :n]
        scores = expected_scores(kind, layer.get_weights(), queries[i], own)
        expected = softmax(scores, axis=1)
        np.testing.assert_allclose(weights[i, :, :n], expected, rtol=1e-4)
        np.testing.assert_allclose(contexts[i], expected @ own, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_weights_sum_to_one_and_are_zero_past_the_end_of_the_source(kind, scale):
    queries, states = queries_and_states(scale=scale)
    states = garbage_past_end(states, LENGTHS)
    _, weights = attended(attention_of(kind), queries, states)
    np.testing.assert_allclose(np.sum(weights, axis=2), 1, rtol=1e-6)
    for row, n in zip(weights.numpy(), LENGTHS, strict=True):
        np.testing.assert_array_equal(row[:, n:], 0)
    np.testing.assert_allclose(weights[1, :, 0], 1, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_past_the_end_of_the_source_is_not_seen(kind):
    layer = attention_of(kind)
    queries, states = queries_and_states()
    expected = attended(layer, queries, states)
    got = attended(layer, queries, garbage_past_end(states, LENGTHS))
    for value, wanted in zip(got, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_each_query_looks_for_itself(kind):
    layer = attention_of(kind)
    queries, states = queries_and_states()
    together = attended(layer, queries, states)
    for q in range(queries.shape[1]):
        alone = attended(layer, queries[:, q : q + 1], states)
        for value, expected in zip(alone, together, strict=True):
            np.testing.assert_allclose(
                value[:, 0], expected[:, q], rtol=1e-5, atol=1e-6
            )


def gradients(layer, queries, states, lengths, upstream):
    queries, states = tf.constant(queries), tf.constant(states)
    with tf.GradientTape() as tape:
        tape.watch([queries, states])
        contexts, weights = attended(layer, queries, states, lengths)
        total = tf.reduce_sum(contexts * upstream) + tf.reduce_sum(weights[..., 0])
    kernels = [w.value for w in layer.trainable_weights]
    return [g.numpy() for g in tape.gradient(total, [queries, states, *kernels])]


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_same_alone_and_beside_a_longer_source(kind):
    layer = attention_of(kind)
    queries, states = queries_and_states()
    upstream = np.random.default_rng(3).normal(size=(3, 5, WIDTH)).astype("float32")
    of_queries, of_states, *of_kernels = gradients(
        layer, queries, garbage_past_end(states, LENGTHS), LENGTHS, upstream
    )
    sums = [np.zeros_like(g) for g in of_kernels]
    for i, n in enumerate(LENGTHS):
        own = slice(i, i + 1)
        alone = gradients(
            layer, queries[own], states[own, :n], LENGTHS[own], upstream[own]
        )
        np.testing.assert_allclose(of_queries[own], alone[0], atol=1e-5)
        np.testing.assert_allclose(of_states[own, :n], alone[1], atol=1e-5)
        np.testing.assert_array_equal(of_states[i, n:], 0)
        sums = [total + g for total, g in zip(sums, alone[2:], strict=True)]
    for gradient, total in zip(of_kernels, sums, strict=True):
        np.testing.assert_allclose(gradient, total, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_same_where_nothing_is_compiled(kind, monkeypatch):
    layer, (queries, states) = attention_of(kind), queries_and_states()
    upstream = np.random.default_rng(3).normal(size=(3, 5, WIDTH)).astype("float32")
    given = queries, garbage_past_end(states, LENGTHS), LENGTHS, upstream
    found = gradients(layer, *given)
    monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    for gradient, expected in zip(found, gradients(layer, *given), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_however_large_the_scores(kind):
    queries, states = queries_and_states(scale=1e4)
    upstream = np.ones((3, 5, WIDTH), "float32")
    for gradient in gradients(attention_of(kind), queries, states, LENGTHS, upstream):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 3), (2, 1, 4, 3)])
def test_a_projection_multiplies_the_last_axis(shape, training):
    layer = attention_of("dot")
    inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = inputs @ layer.get_weights()[0]
    got = layer.keys(tf.constant(inputs), training)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
