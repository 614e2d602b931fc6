from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq._engine.adam import Adam
from skseq._engine.optimizers import make_optimizer

pytestmark = pytest.mark.core

SHAPES = (50, 3), (3, 4), (4,)


def trained(optimizer, n_steps=4):
    """Weights and the optimizer's variables after some steps of random gradients."""
    rng = np.random.default_rng(0)
    weights = [keras.Variable(rng.normal(size=s).astype("float32")) for s in SHAPES]
    optimizer.build(weights)

    @tf.function
    def step(*gradients):
        optimizer.apply(gradients, weights)

    for _ in range(n_steps):
        step(*(rng.normal(size=s).astype("float32") for s in SHAPES))
    optimizer.finalize_variable_values(weights)
    return [v.numpy() for v in [*weights, *optimizer.variables]]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.1},
        {"use_ema": True, "ema_momentum": 0.5},
        {"global_clipnorm": 0.1},
        {"clipvalue": 0.1},
        {"weight_decay": 0.1},
        {"amsgrad": True},
        {"gradient_accumulation_steps": 2},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)
def test_it_does_what_adam_of_keras_does(settings):
    settings = {"learning_rate": 0.1, **settings}
    found = trained(Adam(**settings))
    expected = trained(keras.optimizers.Adam(**settings))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def adam_by_the_book(weights, gradients, rate, most, beta_1, beta_2, epsilon):
    """Algorithm 1 of Kingma & Ba (2015) in double precision, on clipped gradients."""
    means = [np.zeros(w.shape) for w in weights]
    squares = [np.zeros(w.shape) for w in weights]
    for t, step in enumerate(gradients, start=1):
        norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in step))
        for i, gradient in enumerate(step):
            gradient = gradient * min(1.0, most / norm)
            means[i] = beta_1 * means[i] + (1 - beta_1) * gradient
            squares[i] = beta_2 * squares[i] + (1 - beta_2) * gradient**2
            correction = np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            change = rate * correction * means[i] / (np.sqrt(squares[i]) + epsilon)
            weights[i] = weights[i] - change
    return weights


@pytest.mark.parametrize("most", [1e-3, 1e9], ids=["clipped", "not clipped"])
def test_weights_are_those_of_the_published_algorithm(most):
    rng = np.random.default_rng(1)
    firsts, *gradients = [
        [rng.normal(size=s).astype("float32") for s in SHAPES] for _ in range(6)
    ]
    weights = [keras.Variable(first) for first in firsts]
    # Betas that single precision holds: else it is their rounding that is compared.
    optimizer = Adam(0.01, 0.875, 0.9375, 1e-4, global_clipnorm=most)
    optimizer.build(weights)
    for step in gradients:
        optimizer.apply(list(map(tf.constant, step)), weights)
    expected = adam_by_the_book(firsts, gradients, 0.01, most, 0.875, 0.9375, 1e-4)
    for found, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_a_norm_that_is_not_finite_leaves_no_weight_that_is(bad):
    weights = [keras.Variable(np.ones(s, "float32")) for s in SHAPES]
    optimizer = Adam(global_clipnorm=1.0)
    optimizer.build(weights)
    gradients = [np.ones(s, "float32") for s in SHAPES]
    gradients[0][0] = bad
    optimizer.apply(list(map(tf.constant, gradients)), weights)
    assert not any(np.isfinite(weight.numpy()).any() for weight in weights)


def test_what_the_weights_have_in_common_is_computed_once_for_all_of_them():
    weights = [keras.Variable(np.ones((2, 2), "float32")) for _ in range(10)]
    optimizer = Adam(global_clipnorm=1.0)
    optimizer.build(weights)

    @tf.function
    def step():
        optimizer.apply([weight + 1.0 for weight in weights], weights)

    graph = step.get_concrete_function().graph
    kinds = Counter(operation.type for operation in graph.get_operations())
    assert kinds["ResourceApplyAdam"] == 10
    assert kinds["Pow"] == 2


@pytest.mark.parametrize("given", ["adam", keras.optimizers.Adam, "an instance"])
def test_it_stands_in_for_adam_however_that_is_given(given):
    if given == "an instance":
        given = keras.optimizers.Adam(beta_1=0.5)
    assert type(make_optimizer(given)) is Adam
    if isinstance(given, keras.optimizers.Adam):
        assert make_optimizer(given).get_config() == given.get_config()


def test_it_stands_in_for_no_class_that_is_based_on_adam():
    class Own(keras.optimizers.Adam):
        pass

    assert type(make_optimizer(Own)) is Own
    assert type(make_optimizer("adamw")) is keras.optimizers.AdamW
