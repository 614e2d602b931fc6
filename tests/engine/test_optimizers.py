import copy
from fractions import Fraction

import keras
import numpy as np
import pytest

from skseq._engine.optimizers import (
    OPTIMIZERS,
    make_optimizer,
    optimizer_key,
    plain_learning_rate,
)
from tests.estimators import CTC

optimizers = keras.optimizers


def rate(optimizer):
    return float(optimizer.learning_rate.numpy())


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_named_optimizer_can_be_made_and_identified(name):
    optimizer = make_optimizer(name, 0.25)
    assert type(optimizer).__name__.lower() == name
    assert plain_learning_rate(optimizer) == 0.25
    hash(optimizer_key(optimizer))


def test_the_named_optimizers_are_those_of_keras():
    assert {"adam", "sgd", "rmsprop", "adamw", "nadam"} <= OPTIMIZERS.keys()
    for name in ("adam", "sgd", "rmsprop", "adamw", "nadam"):
        assert type(optimizers.get(name)) is OPTIMIZERS[name]


@pytest.mark.parametrize("name", ["adam", "Adam", "ADAM"])
def test_names_are_taken_in_any_case(name):
    assert isinstance(make_optimizer(name), optimizers.Adam)


@pytest.mark.parametrize(
    "optimizer",
    [
        "sgd",
        optimizers.SGD,
        optimizers.SGD(0.25),
        optimizers.serialize(optimizers.SGD(0.25)),
        {"class_name": "SGD", "config": {"learning_rate": 0.25}},
    ],
)
def test_routed_parameters_come_over_those_of_every_kind_of_optimizer(optimizer):
    given = copy.deepcopy(optimizer) if isinstance(optimizer, dict) else None
    routed = {"momentum": 0.5, "learning_rate": 0.125}
    made = make_optimizer(optimizer, routed=routed)
    assert type(made) is optimizers.SGD
    assert (made.momentum, rate(made)) == (0.5, 0.125)
    assert routed == {"momentum": 0.5, "learning_rate": 0.125}
    if given:
        assert optimizer == given


@pytest.mark.parametrize("optimizer", ["sgd", optimizers.SGD])
def test_a_learning_rate_serves_an_optimizer_that_brings_none(optimizer):
    assert rate(make_optimizer(optimizer, 0.5)) == 0.5


class RateOnly(optimizers.SGD):
    """Takes nothing but a learning rate, and says no more of itself."""

    def __init__(self, learning_rate=0.01):
        super().__init__(learning_rate)

    def get_config(self):
        return {"learning_rate": 0.01}


class Clipping(optimizers.SGD):
    def __init__(self, learning_rate=0.01):
        super().__init__(learning_rate, clipvalue=0.5)


CLIPPED = {
    "a name": ("adam", {}, (None, None, 5.0)),
    "a class": (optimizers.SGD, {}, (None, None, 5.0)),
    "a class of few parameters": (RateOnly, {}, (None, None, 5.0)),
    "a class that clips": (Clipping, {}, (None, 0.5, None)),
    "routed": ("adam", {"clipnorm": 2.0}, (2.0, None, None)),
    "routed the same": ("adam", {"global_clipnorm": 2.0}, (None, None, 2.0)),
    "routed off": ("adam", {"global_clipnorm": None}, (None, None, None)),
    "an instance": (optimizers.SGD(clipnorm=3.0), {}, (3.0, None, None)),
    "an instance without": (optimizers.SGD(), {}, (None, None, None)),
    "a config": (optimizers.serialize(optimizers.SGD()), {}, (None, None, None)),
}


@pytest.mark.parametrize("given", CLIPPED)
def test_a_norm_serves_an_optimizer_that_does_not_clip_in_its_own_way(given):
    optimizer, routed, expected = CLIPPED[given]
    made = make_optimizer(optimizer, routed=routed, global_clipnorm=5.0)
    assert (made.clipnorm, made.clipvalue, made.global_clipnorm) == expected


@pytest.mark.parametrize("optimizer", ["adam", RateOnly])
def test_optimizers_that_clip_otherwise_are_not_the_same(optimizer):
    norms = (None, 1.0, 5.0)
    made = [make_optimizer(optimizer, global_clipnorm=norm) for norm in norms]
    assert len({optimizer_key(each) for each in made}) == 3


def test_a_used_instance_is_rebuilt_and_left_as_it_was():
    used = optimizers.Adam(0.25, beta_1=0.5)
    weight = keras.Variable(np.ones(3))
    used.build([weight])
    used.apply([np.ones(3, dtype="float32")])
    before = [v.numpy() for v in used.variables]
    made = make_optimizer(used)
    made.build([weight])
    made.apply([np.ones(3, dtype="float32")])
    assert (made.beta_1, rate(made), int(made.iterations)) == (0.5, 0.25, 1)
    for variable, value in zip(used.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


@pytest.mark.parametrize("by_name", [True, False])
def test_a_schedule_stays_a_schedule(by_name):
    schedule = optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    if by_name:
        made = make_optimizer("sgd", schedule)
    else:
        made = make_optimizer(optimizers.SGD(schedule))
    made.build([keras.Variable(np.ones(3))])
    made.iterations.assign(20)
    assert rate(made) == 0.125
    assert plain_learning_rate(made) is None


@pytest.mark.parametrize(
    ("optimizer", "hint"), [("adm", "'adam'"), ("sgdd", "'sgd'"), ("Nadm", "'nadam'")]
)
def test_an_unknown_name_is_refused_with_the_nearest_one(optimizer, hint):
    with pytest.raises(ValueError, match=rf"Got '{optimizer}'.* Did you mean {hint}\?"):
        make_optimizer(optimizer)


@pytest.mark.parametrize(
    "optimizer", [None, 3, True, {"name": "adam"}, {"class_name": "Dense", "config": 1}]
)
def test_what_is_not_an_optimizer_is_refused(optimizer):
    with pytest.raises(ValueError, match="The 'optimizer' parameter must"):
        make_optimizer(optimizer)


@pytest.mark.parametrize("optimizer", [dict, keras.layers.Dense, lambda: None])
def test_a_class_that_makes_no_optimizer_is_refused(optimizer):
    with pytest.raises(TypeError, match="The 'optimizer' parameter must be a Keras"):
        make_optimizer(optimizer)


@pytest.mark.parametrize("optimizer", ["sgd", optimizers.SGD, optimizers.SGD()])
def test_an_unknown_routed_name_is_refused_with_the_nearest_one(optimizer):
    with pytest.raises(ValueError, match=r"'momentm' for .* SGD.* mean 'momentum'\?"):
        make_optimizer(optimizer, routed={"momentm": 0.5})


class Named(optimizers.SGD):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor


def test_an_optimizers_bases_parameters_can_be_routed_to_it():
    made = make_optimizer(Named, routed={"factor": 2.0, "momentum": 0.5, "clipnorm": 1})
    assert (made.factor, made.momentum, made.clipnorm) == (2.0, 0.5, 1)


@pytest.mark.parametrize(
    "optimizer", [optimizers.SGD(0.5), optimizers.serialize(optimizers.SGD(0.5))]
)
def test_a_learning_rate_beside_an_optimizer_that_brings_one_is_refused(optimizer):
    with pytest.raises(
        ValueError, match=r"learning_rate=0.1 has no effect.*__learning"
    ):
        make_optimizer(optimizer, 0.1)


def test_optimizers_that_differ_by_learning_rate_share_a_key():
    key = optimizer_key(make_optimizer("sgd", 0.1))
    assert key == optimizer_key(make_optimizer("sgd", 0.2))
    assert key == optimizer_key(make_optimizer(optimizers.SGD(0.3)))


@pytest.mark.parametrize(
    "other",
    [
        optimizers.SGD(momentum=0.5),
        optimizers.SGD(nesterov=True),
        optimizers.SGD(clipnorm=1.0),
        optimizers.SGD(optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)),
        optimizers.SGD(optimizers.schedules.ExponentialDecay(0.5, 10, 0.25)),
        optimizers.RMSprop(),
    ],
)
def test_optimizers_that_differ_otherwise_have_different_keys(other):
    keys = [optimizer_key(make_optimizer(o)) for o in ("sgd", "adam", other)]
    assert len(set(keys)) == 3


def test_a_wrapped_optimizer_keeps_the_wrapped_ones_settings():
    wrapped = optimizers.LossScaleOptimizer(optimizers.SGD(0.25, momentum=0.5))
    made = make_optimizer(wrapped)
    assert made is not wrapped
    assert made.inner_optimizer.momentum == 0.5
    assert optimizer_key(made) == optimizer_key(wrapped)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_scale_of_the_loss_changes_nothing_that_is_learnt(optimizer):
    X, y = CTC.draw(6)
    histories = [
        CTC.tiny(epochs=4, optimizer=optimizer, optimizer__loss_scale_factor=factor)
        .fit(X, y)
        .history_["loss"]
        for factor in (None, 1024.0)
    ]
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)


@pytest.mark.parametrize("number", [Fraction(1, 4), np.int8(2), 2**63, np.float16(2)])
@pytest.mark.parametrize("name", ["weight_decay", "global_clipnorm"])
def test_a_number_of_any_kind_is_a_float_to_keras(name, number):
    value = getattr(make_optimizer("adam", routed={name: number}), name)
    assert type(value) is float
    assert value == number


@pytest.mark.parametrize("name", ["clipnorm", "clipvalue", "loss_scale_factor"])
def test_numbers_beyond_single_precision_are_refused(name):
    with pytest.raises(ValueError, match=rf"optimizer__{name}' parameter of Adam must"):
        make_optimizer("adam", routed={name: 1e300})
