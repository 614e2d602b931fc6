"""One vector per sequence, whatever stands beside it."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq._nn import compiled
from skseq._nn.pooling import pool

LENGTHS = np.array([4, 1, 7], dtype="int32")


def states_of(lengths=LENGTHS, width=6, seed=0):
    rng = np.random.default_rng(seed)
    states = np.zeros((len(lengths), max(lengths), width), dtype="float32")
    for row, n in zip(states, lengths, strict=True):
        row[:n] = rng.normal(size=(n, width))
    return states


def network(pooling, bidirectional=True, width=6):
    states = keras.Input((None, width))
    lengths = keras.Input((), dtype="int32")
    vector, weights = pool(pooling, states, lengths, bidirectional)
    outputs = [vector] if weights is None else [vector, weights]
    model = keras.Model([states, lengths], outputs)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.weights])
    return model


def pooled(model, states, lengths=LENGTHS):
    outputs = model([tf.constant(states), tf.constant(lengths)])
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return [np.array(part) for part in outputs]


EXPECTED = {
    "mean": lambda rows: rows.mean(axis=0),
    "max": lambda rows: rows.max(axis=0),
    "statistics": lambda rows: np.concatenate(
        [rows.mean(axis=0), np.sqrt(rows.var(axis=0) + 1e-6)]
    ),
    "last": lambda rows: np.concatenate([rows[-1, :3], rows[0, 3:]]),
}


@pytest.fixture(params=[False, True], ids=["compiled", "plain"])
def way(request):
    with compiled.switched_off() if request.param else nullcontext():
        yield


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("pooling", EXPECTED)
def test_frames_are_pooled_up_to_each_length(pooling):
    states = states_of() - 2  # padding is not zero, and larger than any maximum
    states = np.where(np.arange(7)[:, None] < LENGTHS[:, None, None], states, 0)
    (found,) = pooled(network(pooling), states.astype("float32"))
    for row, rows, n in zip(found, states, LENGTHS, strict=True):
        np.testing.assert_allclose(row, EXPECTED[pooling](rows[:n]), rtol=1e-5)


@pytest.mark.usefixtures("way")
def test_attention_is_the_softmax_of_scores_of_frames():
    model, states = network("attention"), states_of()
    found, weights = pooled(model, states)
    kernel, bias, score = model.get_layer("summary").get_weights()
    for i, n in enumerate(LENGTHS):
        scores = np.tanh(states[i, :n] @ kernel + bias) @ score
        expected = np.exp(scores - scores.max())[:, 0]
        expected /= expected.sum()
        np.testing.assert_allclose(weights[i, :n], expected, rtol=1e-4)
        assert not weights[i, n:].any()
        np.testing.assert_allclose(
            found[i], expected @ states[i, :n], rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("pooling", [*EXPECTED, "attention"])
def test_gradients_are_those_of_plain_operations(pooling):
    model, states = network(pooling), tf.constant(states_of())
    width = model.output_shape[0][-1] if pooling == "attention" else None
    width = width or model.output_shape[-1]
    upstream = np.random.default_rng(2).normal(size=(3, width))
    upstream = tf.constant(upstream, tf.float32)

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(states)
            outputs = model([states, tf.constant(LENGTHS)], training=True)
            vector = outputs[0] if isinstance(outputs, list) else outputs
            total = tf.reduce_sum(vector * upstream)
        weights = [w.value for w in model.weights]
        return [np.array(g) for g in tape.gradient(total, [states, *weights])]

    own = gradients()
    with compiled.switched_off():
        plain = gradients()
    for left, right in zip(own, plain, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)
    assert not own[0][1, 1:].any()  # nothing reaches padding
