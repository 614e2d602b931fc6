import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq._engine import programs
from skseq._engine.lending import borrow
from skseq._engine.optimizers import make_optimizer
from skseq._engine.programs import MAX_FUNCTIONS, Program
from skseq._nn.initial_weights import initial_weights
from tests.tiny import RECIPE, recipe_with

pytestmark = pytest.mark.core


def frame_batch(n_samples=3, n_frames=6, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "frames": rng.normal(size=(n_samples, n_frames, 2)).astype("float32"),
        "lengths": np.full(n_samples, n_frames, dtype="int32"),
        "labels": rng.integers(2, size=(n_samples, 2)).astype("int32"),
        "label_lengths": np.full(n_samples, 2, dtype="int32"),
    }


def first_weights(program, seed=0):
    return initial_weights(program.model, seed)


def learn(program, optimizer="adam", rate=0.1, seed=0):
    """Three steps from the seed's first weights; all that can tell two runs apart."""
    trainer = program.trainer(make_optimizer(optimizer, rate))
    program.load(first_weights(program, seed))
    trainer.start_from_weights()
    program.seed(seed)
    losses = [trainer.step(frame_batch(seed=i), np.ones(3)) for i in range(3)]
    trainer.finish()
    return [*losses, *program.weights(), *trainer.state()]


def assert_equal(run, other):
    assert len(run) == len(other)
    for value, expected in zip(run, other, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_a_dropped_program_is_released_with_its_network():
    program = Program(RECIPE)
    learn(program)
    program.infer(frame_batch())
    remains = [weakref.ref(o) for o in (program, program.model)]
    del program
    gc.collect()
    assert [remain() for remain in remains] == [None, None]


# -- one program after another's use ---------------------------------------------------


@pytest.fixture(scope="module")
def fresh_run():
    """What a program that nobody used before learns, by optimizer."""
    runs = {}

    def run(optimizer):
        if optimizer not in runs:
            runs[optimizer] = learn(Program(RECIPE), optimizer)
        return runs[optimizer]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "schedulefreeadamw"])
def test_training_is_the_same_bit_for_bit_in_a_used_program(fresh_run, optimizer):
    with borrow(RECIPE) as program:
        learn(program, optimizer, rate=0.5, seed=7)
        learn(program, "sgd", seed=8)
        used = learn(program, optimizer)
    assert_equal(used, fresh_run(optimizer))


def test_an_optimizer_that_starts_from_the_weights_starts_from_the_present_ones():
    with borrow(RECIPE) as program:
        trainer = program.trainer(make_optimizer("schedulefreeadamw"))
        program.load(first_weights(program))
        trainer.start_from_weights()
        built_now = make_optimizer("schedulefreeadamw")
        built_now.build(program.model.trainable_variables)
        assert_equal(trainer.state(), [v.numpy() for v in built_now.variables])


def test_making_a_training_step_leaves_the_weights_as_they_were():
    program = Program(recipe_with(units=()))
    weights = first_weights(program)
    program.load(weights)
    program.trainer(make_optimizer("schedulefreeadamw"))
    assert_equal(program.weights(), weights)


def test_the_seed_decides_the_dropout():
    losses = []
    with borrow(RECIPE) as program:
        trainer = program.trainer(make_optimizer("sgd", 0.0))
        program.load(first_weights(program))
        for seed in (1, 2, 1):
            program.seed(seed)
            losses.append(trainer.step(frame_batch(), np.ones(3)))
    np.testing.assert_array_equal(losses[0], losses[2])
    assert (losses[0] != losses[1]).all()


def test_the_two_dropout_layers_of_a_network_draw_different_numbers():
    with borrow(RECIPE) as program:
        program.seed(3)
        states = {tuple(state.numpy()) for state in program._random_states}
        assert len(states) == len(program._random_states) > 1


def test_the_learning_rate_is_that_of_the_optimizer_asked_for():
    with borrow(RECIPE) as program:
        for rate in (0.5, 0.25, 0.5):
            trainer = program.trainer(make_optimizer("sgd", rate))
            assert float(trainer.optimizer.learning_rate) == rate


def test_optimizers_that_differ_by_learning_rate_share_a_compiled_step():
    with borrow(RECIPE) as program:
        first = program.trainer(make_optimizer("sgd", 0.5))
        assert program.trainer(make_optimizer("sgd", 0.25)) is first
        assert program.trainer(make_optimizer("adam")) is not first


def test_only_the_last_used_training_steps_are_kept(monkeypatch):
    monkeypatch.setattr(programs, "MAX_TRAINERS", 2)
    program = Program(recipe_with(units=()))
    momenta = [0.0, 0.1, 0.2]
    for momentum in momenta:
        optimizer = make_optimizer("sgd", routed={"momentum": momentum})
        program.trainer(optimizer)
    kept = [t.optimizer.momentum for t in program._trainers.values()]
    assert kept == momenta[1:]


def test_averaged_weights_take_the_place_of_the_last_ones():
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
    with borrow(recipe_with(dropout=0.0)) as program:
        trainer = program.trainer(make_optimizer(optimizer))
        program.load(first_weights(program))
        average = None
        for _ in range(3):
            trainer.step(frame_batch(), np.ones(3))
            now = program.weights()
            pairs = zip(average or now, now, strict=True)
            average = [(a + b) / 2 for a, b in pairs]
        trainer.finish()
        for got, expected in zip(program.weights(), average, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_an_optimizers_state_is_accepted_by_its_own_kind_only():
    with borrow(RECIPE) as program:
        state = program.trainer(make_optimizer("adam")).state()
        assert program.trainer(make_optimizer("adam", 0.5)).accepts(state)
        assert not program.trainer(make_optimizer("sgd")).accepts(state)


# -- the compiled functions ------------------------------------------------------------


def test_new_lengths_and_batch_sizes_are_not_traced_anew():
    with borrow(RECIPE) as program:
        program.load(first_weights(program))
        trainer = program.trainer(make_optimizer("adam"))
        for shape in ((1, 4), (3, 6), (2, 9), (4, 5)):
            batch = frame_batch(*shape)
            program.infer(batch)
            program.losses(batch)
            trainer.step(batch, np.ones(shape[0]))
        for compiled in (program._infer, program._losses, trainer._step):  # one trace
            assert isinstance(compiled, tf.types.experimental.ConcreteFunction)


def test_a_step_descends_the_weighted_mean_of_the_losses():
    batch, weights = frame_batch(), np.array([0.0, 2.0, 1.0])
    with borrow(recipe_with(dropout=0.0)) as program:
        first = first_weights(program)
        program.load(first)
        program.trainer(make_optimizer("sgd", 1.0)).step(batch, weights)
        gradient = [a - b for a, b in zip(first, program.weights(), strict=True)]
        epsilon = 1e-2
        means = []
        for sign in (1, -1):
            moved = zip(first, gradient, strict=True)
            program.load([w + sign * epsilon * g for w, g in moved])
            means.append(float(program.losses(batch) @ weights) / 3)
    squared_norm = sum(float((g**2).sum()) for g in gradient)
    slope = (means[0] - means[1]) / (2 * epsilon)
    np.testing.assert_allclose(slope, squared_norm, rtol=1e-2)


def test_penalties_of_a_front_end_are_descended_too():
    def front_end(frames):
        penalty = keras.regularizers.L2(0.5)
        return keras.layers.Dense(2, kernel_regularizer=penalty)(frames)

    program = Program(recipe_with(front_end=front_end, units=(), dropout=0.0))
    rng = np.random.default_rng(0)
    weights = [
        rng.normal(size=w.shape).astype("float32") for w in program.model.weights
    ]
    program.load(weights)
    batch = {**frame_batch(), "front_end_lengths": np.full(3, 6, dtype="int32")}
    program.trainer(make_optimizer("sgd", 1.0)).step(batch, np.zeros(3))
    np.testing.assert_allclose(program.weights()[0], 0 * weights[0], atol=1e-6)


def test_weights_that_were_trained_are_loaded_again():
    with borrow(RECIPE) as program:
        weights = first_weights(program)
        program.load(weights)
        expected = program.infer(frame_batch())[0]
        program.trainer(make_optimizer("sgd", 1.0)).step(frame_batch(), np.ones(3))
        program.load(weights)
        np.testing.assert_array_equal(program.infer(frame_batch())[0], expected)


class Scaled:
    """Logits times a number, and how many frames there are; counts its tracings."""

    def __init__(self):
        self.options_traced = []

    def __call__(self, model, frames, lengths, plus, *, factor=1.0, names=()):
        self.options_traced.append((factor, names))
        logits, _ = model([frames, lengths], training=False)
        return factor * logits + plus, tf.reduce_sum(lengths)


def run_scaled(program, function, shape=(3, 6), plus=0.5, **options):
    batch = frame_batch(*shape)
    inputs = batch["frames"], batch["lengths"], np.float32(plus)
    return program.run(function, *inputs, **options)


def test_a_function_of_the_network_gives_compiled_what_it_gives_step_by_step():
    with borrow(RECIPE) as program:
        program.load(first_weights(program))
        for shape, factor in [((3, 6), 2.0), ((1, 9), 2.0), ((4, 5), -1.0)]:
            got = run_scaled(program, Scaled(), shape, factor=factor)
            batch = frame_batch(*shape)
            expected = Scaled()(
                program.model, batch["frames"], batch["lengths"], 0.5, factor=factor
            )
            assert [type(value) for value in got] == [np.ndarray, np.int32]
            np.testing.assert_allclose(got[0], expected[0], rtol=1e-5, atol=1e-6)
            assert got[1] == expected[1]


def test_a_function_of_the_network_is_traced_once_for_each_set_of_options():
    function, options = Scaled(), [{"factor": 2.0}, {}, {"names": (1, 2)}]
    with borrow(RECIPE) as program:
        for shape in ((3, 6), (1, 4), (5, 9)):
            for given in options:
                run_scaled(program, function, shape, plus=shape[0], **given)
        run_scaled(program, function, names=(1, 2), factor=1.0)
        run_scaled(program, function, factor=1.0, names=(1, 2))
    expected = [(2.0, ()), (1.0, ()), (1.0, (1, 2)), (1.0, (1, 2))]
    assert function.options_traced == expected


def test_two_functions_of_the_same_options_are_not_mistaken_for_each_other():
    with borrow(RECIPE) as program:
        program.load(first_weights(program))
        one = run_scaled(program, Scaled())
        other = run_scaled(program, lambda model, *inputs: (-inputs[0], inputs[2]))
    assert one[0].shape != other[0].shape
    np.testing.assert_array_equal(other[0], -frame_batch()["frames"])


def test_a_function_of_the_network_sees_the_weights_loaded_last():
    with borrow(RECIPE) as program:
        function, results = Scaled(), []
        for seed in (1, 2, 1):
            program.load(first_weights(program, seed))
            results.append(run_scaled(program, function)[0])
    np.testing.assert_array_equal(results[0], results[2])
    assert not np.isclose(results[0], results[1]).any()
    assert len(function.options_traced) == 1


def test_only_the_functions_used_last_are_kept():
    program, function = Program(recipe_with(units=())), Scaled()
    factors = [float(i) for i in range(MAX_FUNCTIONS)]
    for factor in [*factors, 0.0, 99.0]:
        run_scaled(program, function, factor=factor)
    assert len(program._functions) == MAX_FUNCTIONS
    for factor in [*factors[2:], 0.0, 99.0]:
        run_scaled(program, function, factor=factor)
    traced = [factor for factor, _ in function.options_traced]
    assert traced == [*factors, 99.0]
    run_scaled(program, function, factor=1.0)
    assert function.options_traced[-1] == (1.0, ())


# -- threads ---------------------------------------------------------------------------


def test_threads_get_a_program_each_and_learn_as_if_alone(fresh_run):
    together = Barrier(2, timeout=60)

    def job(_):
        with borrow(RECIPE) as program:
            together.wait()
            return id(program), learn(program)

    with ThreadPoolExecutor(2) as pool:
        lent, runs = zip(*pool.map(job, range(2)), strict=True)
    assert len(set(lent)) == 2
    for run in runs:
        assert_equal(run, fresh_run("adam"))


def test_networks_built_in_many_threads_at_once_are_all_alike():
    def paths(_):
        model = Program(recipe_with(front_end="image", units=(2, 2))).model
        return [w.path for w in model.weights]

    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(paths, range(16)))
    assert built == [paths(None)] * 16
