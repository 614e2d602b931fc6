from itertools import product

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from skseq._nn.layers import CELLS, N_STATES
from skseq._nn.lstm import BLOCK_KERNEL_MAX_WIDTH
from skseq._seq2seq.attention import ATTENTIONS
from skseq._seq2seq.decoder import Decoder

N_IDS, DIM, WIDTH, N_SOURCE = 7, 3, 4, 6
LENGTHS = np.array([6, 3, 1], dtype="int32")
TOKEN_LENGTHS = np.array([5, 2, 4], dtype="int32")

# On both sides of the block kernel's limit, and the odd numbers that it is not for.
WIDE = BLOCK_KERNEL_MAX_WIDTH + 2
UNITS = [(4,), (5,), (WIDE, 4), (2, 3, 4)]
# How decoders look at the source: "fed" ones see what they attended to before.
FED = " fed"
LOOKS = [*ATTENTIONS, *(f"{name}{FED}" for name in ATTENTIONS if name)]

# Each cell and each attention is in one that every run tries.
QUICK = {("lstm", "additive"), ("gru", "dot"), ("gru", None), ("lstm", "additive fed")}
KINDS = [
    pytest.param(*kind, marks=() if kind in QUICK else pytest.mark.slow)
    for kind in product(CELLS, LOOKS)
]


def decoder_with(cell="lstm", attention="additive", units=(4,), dropout=0.0, seed=0):
    """With weights none of which is zero, biases least of all."""
    is_fed = attention is not None and attention.endswith(FED)
    attention = attention.removesuffix(FED) if is_fed else attention
    settings = units, cell, attention, dropout, is_fed
    decoder = Decoder(N_IDS, DIM, *settings, name="decoder")
    decoder.build((None, None), (None,), (None, None, WIDTH), (None,), (None, WIDTH))
    rng = np.random.default_rng(seed)
    decoder.set_weights(
        [rng.normal(scale=w.shape[0] ** -0.5, size=w.shape) for w in decoder.weights]
    )
    return decoder


def batch(seed=1):
    """Tokens and an encoded source, with lengths; zeros past the end."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(N_IDS, size=(3, TOKEN_LENGTHS.max())).astype("int32")
    states = rng.normal(size=(3, N_SOURCE, WIDTH)).astype("float32")
    for row, n in zip(states, LENGTHS, strict=True):
        row[n:] = 0
    summary = rng.normal(size=(3, WIDTH)).astype("float32")
    return tokens, TOKEN_LENGTHS, states, LENGTHS, summary


def one_of(inputs, i):
    """One sample of a batch, without its padding."""
    tokens, token_lengths, states, lengths, summary = (x[i : i + 1] for x in inputs)
    n, m = token_lengths[0], lengths[0]
    return tokens[:, :n], token_lengths, states[:, :m], lengths, summary


def by_sample(logits):
    return np.split(np.asarray(logits), np.cumsum(TOKEN_LENGTHS)[:-1])


# -- the formulas ----------------------------------------------------------------------


def expected_weights(attention, weights, queries, states):
    keys = states @ weights["attention/key_kernel"]
    if attention == "dot":
        return softmax(queries @ keys.T / np.sqrt(keys.shape[1]), axis=1)
    queries = queries @ weights["attention/query_kernel"]
    both = np.tanh(queries[:, None] + keys)
    return softmax((both @ weights["attention/score_kernel"])[..., 0], axis=1)


def expected_outputs(decoder, attention, tokens, states, summary):
    """Logits and weights of attention of one sample; the recurrences are Keras's."""
    if decoder.input_feeding:
        kind = attention.removesuffix(FED)
        return expected_fed_outputs(decoder, kind, tokens, states, summary)
    weights = {w.path.removeprefix("decoder/"): w.numpy() for w in decoder.weights}

    def dense(name, inputs):
        return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    inputs, cell = weights["embeddings"][tokens], decoder.cell
    for i, n_units in enumerate(decoder.units):
        stock = CELLS[cell](n_units, return_sequences=True)
        stock.build((None, None, inputs.shape[1]))
        stock.set_weights(decoder.recurrences[i].get_weights())
        first = np.split(np.tanh(dense(f"bridge_{i}", summary)), N_STATES[cell])
        first = [tf.constant(state[None]) for state in first]
        outputs = stock(inputs[None], initial_state=first).numpy()[0]
        if i == 0 and attention is not None:
            looks = expected_weights(attention, weights, outputs, states)
            contexts = looks @ states
        elif i == 0:
            looks = np.zeros((len(tokens), len(states)))
            contexts = np.repeat(summary[None], len(tokens), axis=0)
        inputs = np.concatenate([outputs, contexts], axis=1)
    return dense("logits", np.tanh(dense("readout", inputs))), looks


def expected_fed_outputs(decoder, attention, tokens, states, summary):
    """The same, step by step: the first cell reads what was attended to before."""
    weights = {w.path.removeprefix("decoder/"): w.numpy() for w in decoder.weights}

    def dense(name, inputs):
        return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    parts = N_STATES[decoder.cell]
    bridges = [f"bridge_{i}" for i in range(len(decoder.units))]
    now = [np.split(np.tanh(dense(name, summary)), parts) for name in bridges]
    context, logits, looks = np.zeros(states.shape[1]), [], []
    for token in tokens:
        inputs = np.concatenate([weights["embeddings"][token], context])
        for i, recurrence in enumerate(decoder.recurrences):
            given = [tf.constant(part[None], tf.float32) for part in now[i]]
            cell = recurrence.recurrence.cell
            _, after = cell(tf.constant(inputs[None], tf.float32), given)
            now[i] = [part.numpy()[0] for part in after]
            if i == 0:
                own = expected_weights(attention, weights, now[0][0][None], states)
                context = own[0] @ states
                looks.append(own[0])
            inputs = np.concatenate([now[i][0], context])
        logits.append(dense("logits", np.tanh(dense("readout", inputs))))
    return np.array(logits), np.array(looks)


@pytest.mark.parametrize(("cell", "attention"), KINDS)
@pytest.mark.parametrize("units", [(5,), (2, 4, 3)])
def test_logits_and_weights_are_those_of_the_formulas(cell, attention, units):
    decoder, inputs = decoder_with(cell, attention, units), batch()
    logits, looks = decoder(*inputs)
    for i, own in enumerate(by_sample(logits)):
        tokens, _, states, _, summary = one_of(inputs, i)
        expected, expected_looks = expected_outputs(
            decoder, attention, tokens[0], states[0], summary[0]
        )
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)
        got = looks[i, : TOKEN_LENGTHS[i], : LENGTHS[i]]
        np.testing.assert_allclose(got, expected_looks, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_attention_is_on_real_places_only_and_sums_to_one_if_there_is_any(attention):
    _, looks = decoder_with(attention=attention)(*batch())
    assert looks.shape == (3, TOKEN_LENGTHS.max(), N_SOURCE)
    np.testing.assert_allclose(
        np.sum(looks, axis=2), float(attention is not None), rtol=1e-6
    )
    for row, n in zip(looks.numpy(), LENGTHS, strict=True):
        np.testing.assert_array_equal(row[:, n:], 0)


# -- step by step ----------------------------------------------------------------------


def step_by_step(decoder, beams, states, lengths, summary):
    """Logits and weights over beams of tokens, (n_samples, width, n_tokens)."""
    source = decoder.source(tf.constant(states), lengths, tf.constant(summary))
    now = tf.nest.map_structure(
        lambda state: tf.repeat(state[:, None], beams.shape[1], axis=1),
        decoder.first_states(source),
    )
    steps = []
    for t in range(beams.shape[2]):
        logits, now, looks = decoder.step(tf.constant(beams[:, :, t]), now, source)
        steps.append((logits.numpy(), looks.numpy()))
    return [np.stack(each, axis=2) for each in zip(*steps, strict=True)]


@pytest.mark.parametrize(("cell", "attention"), KINDS)
@pytest.mark.parametrize("units", UNITS)
def test_a_target_step_by_step_is_the_target_at_once(cell, attention, units):
    decoder, inputs = decoder_with(cell, attention, units), batch()
    logits, looks = decoder(*inputs)
    steps, step_looks = step_by_step(decoder, inputs[0][:, None], *inputs[2:])
    for i, (own, n) in enumerate(zip(by_sample(logits), TOKEN_LENGTHS, strict=True)):
        np.testing.assert_allclose(steps[i, 0, :n], own, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(step_looks[i, 0, :n], looks[i, :n], atol=1e-5)


@pytest.mark.parametrize(("cell", "attention"), KINDS)
def test_every_place_of_a_beam_goes_its_own_way(cell, attention):
    decoder = decoder_with(cell, attention, units=(4, 3))
    _, _, *source = batch()
    beams = np.random.default_rng(5).integers(N_IDS, size=(3, 2, 5)).astype("int32")
    together = step_by_step(decoder, beams, *source)
    for place in range(2):
        alone = step_by_step(decoder, beams[:, place : place + 1], *source)
        for value, expected in zip(together, alone, strict=True):
            np.testing.assert_allclose(
                value[:, place], expected[:, 0], rtol=1e-5, atol=1e-5
            )


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_leaves_the_states_that_it_was_given(cell):
    decoder = decoder_with(cell, units=(4, 3))
    tokens, _, *source = batch()
    prepared = decoder.source(*source)
    first = [[s[:, None] for s in states] for states in decoder.first_states(prepared)]
    before = [list(states) for states in first]
    decoder.step(tokens[:, :1], first, prepared)
    for states, expected in zip(first, before, strict=True):
        assert all(s is e for s, e in zip(states, expected, strict=True))


# -- padding ---------------------------------------------------------------------------


def filled_with_others(inputs):
    """The same batch, its padding full of other ids and of large states."""
    tokens, token_lengths, states, lengths, summary = (x.copy() for x in inputs)
    for i in range(len(tokens)):
        tokens[i, token_lengths[i] :] = (tokens[i, token_lengths[i] :] + 3) % N_IDS
        states[i, lengths[i] :] = 20.0 + i
    return tokens, token_lengths, states, lengths, summary


@pytest.mark.parametrize(("cell", "attention"), KINDS)
def test_what_the_padding_holds_is_not_seen(cell, attention):
    decoder, inputs = decoder_with(cell, attention, units=(4, 3)), batch()
    logits, looks = decoder(*inputs)
    others, other_looks = decoder(*filled_with_others(inputs))
    np.testing.assert_array_equal(others, logits)
    for i, n in enumerate(TOKEN_LENGTHS):
        np.testing.assert_array_equal(other_looks[i, :n], looks[i, :n])


def values_and_gradients(decoder, inputs, upstream):
    """Logits; gradients of their product with `upstream`: the source's, the weights'"""
    tokens, token_lengths, states, lengths, summary = inputs
    states, summary = tf.constant(states), tf.constant(summary)
    with tf.GradientTape() as tape:
        tape.watch([states, summary])
        logits, _ = decoder(tokens, token_lengths, states, lengths, summary)
        total = tf.reduce_sum(logits * upstream)
    weights = [w.value for w in decoder.trainable_weights]
    gradients = tape.gradient(
        total, [states, summary, *weights], unconnected_gradients="zero"
    )
    return logits.numpy(), [tf.convert_to_tensor(g).numpy() for g in gradients]


@pytest.mark.parametrize(("cell", "attention"), KINDS)
@pytest.mark.parametrize("units", [(4, 2), (WIDE,)])
def test_values_and_gradients_are_the_same_alone_and_beside_longer_ones(
    cell, attention, units
):
    decoder, inputs = decoder_with(cell, attention, units), batch()
    rng = np.random.default_rng(4)
    upstream = rng.normal(size=(TOKEN_LENGTHS.sum(), N_IDS)).astype("float32")
    logits, (of_states, of_summary, *of_weights) = values_and_gradients(
        decoder, filled_with_others(inputs), upstream
    )
    sums = [np.zeros_like(g) for g in of_weights]
    for i, own in enumerate(by_sample(logits)):
        alone, (states, summary, *weights) = values_and_gradients(
            decoder, one_of(inputs, i), by_sample(upstream)[i]
        )
        np.testing.assert_allclose(own, alone, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(of_states[i, : LENGTHS[i]], states[0], atol=1e-5)
        np.testing.assert_array_equal(of_states[i, LENGTHS[i] :], 0)
        np.testing.assert_allclose(of_summary[i], summary[0], atol=1e-5)
        sums = [total + g for total, g in zip(sums, weights, strict=True)]
    for gradient, total in zip(of_weights, sums, strict=True):
        assert np.isfinite(gradient).all()
        np.testing.assert_allclose(gradient, total, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("cell", "attention"), KINDS)
def test_every_weight_is_learnt(cell, attention):
    decoder, inputs = decoder_with(cell, attention, units=(4, 2)), batch()
    upstream = np.random.default_rng(4).normal(size=(TOKEN_LENGTHS.sum(), N_IDS))
    _, gradients = values_and_gradients(decoder, inputs, upstream.astype("float32"))
    for weight, gradient in zip(decoder.weights, gradients[2:], strict=True):
        assert np.abs(gradient).max() > 1e-6, weight.path


# -- dropout ---------------------------------------------------------------------------


def test_dropout_is_for_training_only():
    plain, dropping = (
        decoder_with(units=(4, 2)),
        decoder_with(units=(4, 2), dropout=0.5),
    )
    inputs = batch()
    expected, _ = plain(*inputs)
    np.testing.assert_array_equal(dropping(*inputs)[0], expected)
    assert np.abs(dropping(*inputs, training=True)[0] - expected).max() > 0.1


def test_dropout_comes_before_each_recurrence_and_the_logits():
    decoder, seen = decoder_with(units=(4, 2), dropout=0.5), []
    for dropout in decoder.dropouts:
        dropout.call = lambda inputs, training: seen.append(inputs.shape[-1]) or inputs
    decoder(*batch(), training=True)
    assert seen == [DIM, 4, 2]


def test_each_dropout_draws_from_a_stream_of_its_own():
    decoder = decoder_with(units=(4, 2), dropout=0.5)
    inputs = np.ones((1, 1000), dtype="float32")
    drops = [dropout(inputs, training=True).numpy() for dropout in decoder.dropouts]
    assert len(drops) == 3
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        assert 0.3 < np.mean(drops[i] == drops[j]) < 0.7


def test_building_takes_no_number_from_the_global_generator_of_keras():
    keras.utils.set_random_seed(3)
    expected = keras.random.normal((2,)).numpy()
    keras.utils.set_random_seed(3)
    decoder_with(dropout=0.5)
    np.testing.assert_array_equal(keras.random.normal((2,)), expected)
