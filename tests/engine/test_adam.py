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
