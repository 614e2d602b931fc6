from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq._engine import adam
from skseq._engine.adam import Adam
from skseq._engine.optimizers import make_optimizer
from skseq._nn import compiled

pytestmark = pytest.mark.core

SHAPES = (50, 3), (3, 4), (4,)


@pytest.fixture(params=["compiled", "plain"])
def way(request, monkeypatch):
    """All weights are updated by the compiled operation, or each by a kernel."""
    if request.param == "plain":
        monkeypatch.setattr(compiled, "is_in_use", lambda: False)
    elif not compiled.is_in_use():
        pytest.skip(compiled.status())
    return request.param


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
        {"use_ema": True, "ema_overwrite_frequency": 2},
        {"loss_scale_factor": 4.0},
        {"global_clipnorm": 0.1},
        {"clipvalue": 0.1},
        {"weight_decay": 0.1},
        {"amsgrad": True},
        {"gradient_accumulation_steps": 2},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)
def test_it_does_what_adam_of_keras_does(settings, way):
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
def test_weights_are_those_of_the_published_algorithm(most, way):
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
def test_a_norm_that_is_not_finite_leaves_no_weight_that_is(bad, way):
    weights = [keras.Variable(np.ones(s, "float32")) for s in SHAPES]
    optimizer = Adam(global_clipnorm=1.0)
    optimizer.build(weights)
    gradients = [np.ones(s, "float32") for s in SHAPES]
    gradients[0][0] = bad
    optimizer.apply(list(map(tf.constant, gradients)), weights)
    assert not any(np.isfinite(weight.numpy()).any() for weight in weights)


def test_what_the_weights_have_in_common_is_computed_once_for_all_of_them(way):
    weights = [keras.Variable(np.ones((2, 2), "float32")) for _ in range(10)]
    optimizer = Adam(global_clipnorm=1.0)
    optimizer.build(weights)

    @tf.function
    def step():
        optimizer.apply([weight + 1.0 for weight in weights], weights)

    graph = step.get_concrete_function().graph
    kinds = Counter(operation.type for operation in graph.get_operations())
    if way == "compiled":
        assert kinds["SkseqAdam"] == 1
        assert kinds["Mul"] == 0
    else:
        assert kinds["ResourceApplyAdam"] == 10
        assert kinds["Pow"] == 2


@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (17,), (90_000,), (3, 5, 7)])
def test_weights_of_any_shape_are_updated_alike_with_any_number_of_threads(
    shape, monkeypatch
):
    if not compiled.is_in_use():
        pytest.skip(compiled.status())
    rng = np.random.default_rng(2)
    firsts = [rng.normal(size=s).astype("float32") for s in (shape, (90_000,), shape)]
    gradients = [rng.normal(size=first.shape).astype("float32") for first in firsts]
    found = []
    for n_threads in (1, 2, 50):
        monkeypatch.setattr(adam, "n_intra_op_threads", lambda n=n_threads: n)
        weights = [keras.Variable(first) for first in firsts]
        optimizer = Adam(0.1, global_clipnorm=1.0)
        optimizer.build(weights)
        for _ in range(3):
            optimizer.apply(list(map(tf.constant, gradients)), weights)
        found.append([v.numpy() for v in [*weights, *optimizer.variables]])
    for others in found[1:]:
        for ours, same in zip(others, found[0], strict=True):
            np.testing.assert_array_equal(ours, same)
    expected = adam_by_the_book(firsts, [gradients] * 3, 0.1, 1.0, 0.9, 0.999, 1e-7)
    for ours, wanted in zip(found[0], expected, strict=False):
        np.testing.assert_allclose(ours, wanted, rtol=2e-4, atol=2e-4)


def test_what_keras_does_without_weights_or_with_unknown_ones_is_done_here_too():
    weights = [keras.Variable(np.ones(3, "float32")) for _ in range(2)]
    optimizer = Adam()
    optimizer.build(weights[:1])
    optimizer.apply([], [])
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply([tf.ones(3)], weights[1:])


def test_gradients_that_do_not_fit_are_refused_in_words():
    if not compiled.is_in_use():
        pytest.skip(compiled.status())
    weights = [keras.Variable(np.ones(3, "float32")) for _ in range(2)]
    optimizer = Adam()
    optimizer.build(weights)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Weight 1 and its grad"):
        optimizer.apply([tf.ones(3), tf.ones(4)], weights)


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
