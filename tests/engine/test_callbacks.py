import keras
import numpy as np
import pytest

from skseq._engine.callbacks import CallbackRunner, make_callbacks
from skseq._engine.lending import borrow
from skseq._engine.optimizers import make_optimizer
from skseq._engine.state import Subset, TrainingPlan, TrainingState
from skseq._engine.training import Run
from skseq._nn.initial_weights import initial_weights
from tests.tiny import RECIPE, frame_data

callbacks = keras.callbacks


def run(*made, epochs=4, optimizer="sgd", rate=0.05, validate=False):
    """Train with these callbacks; return the state after each epoch and at the end."""
    plan = TrainingPlan(epochs, batch_size=3, shuffle=True, seed=0)
    parts = [Subset(frame_data(n, n), np.arange(n)) for n in (6, 4)]
    with borrow(RECIPE) as program:
        optimizer = make_optimizer(optimizer, rate)
        first = initial_weights(program.model, 0)
        state = TrainingState(0, first, None)
        parts = parts if validate else [*parts[:1], None]
        run = Run(program, optimizer, plan, *parts, callbacks=list(made))
        return list(run.states(state))


def equal(weights, others):
    return all(map(np.array_equal, weights, others))


# -- making them -----------------------------------------------------------------------


def test_no_callbacks_make_an_empty_list():
    assert make_callbacks(None) == make_callbacks([]) == []


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: [c], lambda c: (c,)])
@pytest.mark.parametrize(
    "given", [callbacks.EarlyStopping, callbacks.EarlyStopping(patience=0)]
)
def test_classes_are_made_and_instances_copied_one_or_several(given, wrap):
    (made,) = make_callbacks(wrap(given))
    assert type(made) is callbacks.EarlyStopping
    assert made is not given
    assert made.patience == 0


@pytest.mark.parametrize("wrong", ["early", 3, [None], lambda: None, [int], {"a": 1}])
def test_what_is_not_a_callback_is_refused(wrong):
    with pytest.raises(TypeError, match=r"must be keras.callbacks.Callback.*Got"):
        make_callbacks(wrong)


def test_routed_parameters_reach_every_class_or_one_by_its_position():
    given = [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau]
    routed = {"monitor": "loss", "0__patience": 3, "1__patience": 7, "1__factor": 0.5}
    stop, reduce = make_callbacks(given, routed)
    assert (stop.monitor, stop.patience) == ("loss", 3)
    assert (reduce.monitor, reduce.patience, reduce.factor) == ("loss", 7, 0.5)


@pytest.mark.parametrize(
    ("given", "routed"),
    [
        (None, {"patience": 3}),
        ([callbacks.EarlyStopping], {"1__patience": 3}),
        ([callbacks.EarlyStopping], {"stop__patience": 3}),
        ([callbacks.EarlyStopping], {"patienc": 3}),
        ([callbacks.EarlyStopping()], {"patience": 3}),
        ([callbacks.EarlyStopping()], {"0__patience": 3}),
    ],
)
def test_a_routed_parameter_that_nothing_takes_is_refused(given, routed):
    with pytest.raises(ValueError, match="patienc"):
        make_callbacks(given, routed)


def test_a_copy_leaves_behind_the_network_of_an_earlier_fit():
    used = callbacks.EarlyStopping()
    used.set_model(keras.Sequential([keras.Input((2,)), keras.layers.Lambda(abs)]))
    (made,) = make_callbacks(used)
    assert made.model is None
    assert used.model is not None


class Trial:
    """What Optuna's callbacks tell of each epoch."""

    def __init__(self, patience):
        self.patience = patience
        self.reported = []

    def report(self, value, step):
        self.reported.append(value)

    def should_prune(self):
        return len(self.reported) == self.patience


class Prune(callbacks.Callback):
    """Ends training as Optuna's callbacks do."""

    def __init__(self, trial):
        super().__init__()
        self._trial = trial
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(epoch)
        self._trial.report(logs["loss"], step=epoch)
        if self._trial.should_prune():
            raise InterruptedError


def test_the_copy_of_a_callback_reports_to_the_very_trial_that_it_was_given():
    trial = Trial(patience=3)
    given = Prune(trial)
    (made,) = make_callbacks(given)
    with pytest.raises(InterruptedError):
        run(made, epochs=8)
    assert len(trial.reported) == 3
    assert given.seen == []  # all else is the copy's own


def test_an_instance_that_cannot_be_copied_is_refused_with_a_way_out(tmp_path):
    given = callbacks.Callback()
    with open(tmp_path / "log", "w") as file:
        given.file = file
        with pytest.raises(TypeError, match=r"cannot be copied.*Give its class"):
            make_callbacks(given)


# -- calling them ----------------------------------------------------------------------

EVENTS = [
    f"on_{what}_{when}"
    for what in ("train", "epoch", "train_batch", "test", "test_batch")
    for when in ("begin", "end")
]


def recorder(events):
    """A callback that writes down each event, its number and what its logs hold."""

    def hook(name):
        def record(self, *details, logs=None):
            *number, logs = details if "batch" not in name else (*details, logs)
            events.append((name, *number, sorted(logs or {})))

        if name in ("on_train_begin", "on_train_end", "on_test_begin", "on_test_end"):
            return lambda self, logs=None: record(self, logs)
        return record

    return type("Recorder", (callbacks.Callback,), {n: hook(n) for n in EVENTS})()


@pytest.mark.parametrize("validate", [False, True])
def test_events_come_in_the_order_of_keras_with_the_same_logs(validate):
    ours, theirs = [], []
    run(*make_callbacks(recorder(ours)), epochs=2, validate=validate)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(
        np.zeros((6, 1)),
        np.zeros(6),
        batch_size=3,
        epochs=2,
        verbose=0,
        validation_data=(np.zeros((4, 1)), np.zeros(4)) if validate else None,
        validation_batch_size=3,
        callbacks=[recorder(theirs)],
    )
    assert len(theirs) == (26 if validate else 14)
    assert ours == theirs


def test_the_loss_of_the_last_batch_event_is_that_of_the_epoch():
    seen = []
    watch = callbacks.LambdaCallback(
        on_train_batch_end=lambda _, logs: seen.append(logs)
    )
    *_, end = run(watch, epochs=1)
    assert [seen[-1]["loss"]] == end.history["loss"]


def test_callbacks_find_the_optimizer_while_training_and_not_after():
    rates, models = [], []

    def look(epoch, logs):
        rates.append(float(watch.model.optimizer.learning_rate))
        models.append(watch.model)

    watch = callbacks.LambdaCallback(on_epoch_end=look)
    run(watch, epochs=2, rate=0.25)
    assert rates == [0.25, 0.25]
    assert models[0].optimizer is None


def test_early_stopping_of_keras_stops_and_restores_the_best_weights():
    stop = callbacks.EarlyStopping(
        "loss", mode="max", patience=2, restore_best_weights=True
    )
    rising = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: logs.update(loss=-e))
    *epochs, end = run(rising, stop, epochs=9)
    assert [state.is_stopped for state in epochs] == [False, False, True]
    assert equal(end.weights, epochs[0].weights)
    assert not equal(end.weights, epochs[2].weights)


def test_a_learning_rate_schedule_of_keras_sets_the_rate_of_the_compiled_step():
    schedule = callbacks.LearningRateScheduler(lambda epoch: 0.1 * (epoch < 2))
    first, second, third, fourth, end = run(schedule)
    assert not equal(first.weights, second.weights)
    assert equal(second.weights, third.weights)
    assert equal(third.weights, fourth.weights)
    np.testing.assert_allclose(end.history["learning_rate"], [0.1, 0.1, 0, 0])


def test_a_plateau_reduces_the_rate_of_the_compiled_step():
    flat = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: logs.update(val=1.0))
    reduce = callbacks.ReduceLROnPlateau("val", mode="min", factor=0.0, patience=1)
    first, second, third, _, end = run(flat, reduce, rate=0.1)
    assert not equal(first.weights, second.weights)
    assert equal(second.weights, third.weights)
    np.testing.assert_allclose(end.history["learning_rate"], [0.1, 0.1, 0, 0])


def test_a_callback_can_stop_training_in_the_middle_of_an_epoch():
    steps = []

    def stop(step, logs):
        steps.append(step)
        watch.model.stop_training = True

    watch = callbacks.LambdaCallback(on_train_batch_end=stop)
    states = run(watch, epochs=3)
    assert steps == [0]
    assert states[-1].epoch == 1


def test_a_run_that_was_stopped_does_not_stop_the_next():
    stop = callbacks.LambdaCallback(
        on_epoch_end=lambda e, logs: setattr(stop.model, "stop_training", True)
    )
    assert run(stop)[-1].epoch == 1
    assert run()[-1].epoch == 4


def test_the_users_instances_are_never_touched():
    given = [
        callbacks.EarlyStopping("loss", restore_best_weights=True),
        callbacks.ReduceLROnPlateau("loss"),
        callbacks.History(),
    ]
    before = [dict(vars(callback)) for callback in given]
    run(*make_callbacks(given), epochs=2)
    assert [dict(vars(callback)) for callback in given] == before


def test_callbacks_that_only_watch_change_nothing():
    *_, watched = run(callbacks.History(), callbacks.TerminateOnNaN())
    *_, alone = run()
    assert equal(watched.weights, alone.weights)
    assert watched.history == alone.history


# -- what a file may give back ---------------------------------------------------------


class Gathering(callbacks.Callback):
    """Holds one of each kind of attribute."""

    def __init__(self, patience=3, path="kept"):
        super().__init__()
        self.patience, self.path = patience, path
        self.best, self.best_weights, self.seen = None, None, []
        self.sums, self.count = {"loss": 0.0}, 0
        self.action = print


class Handing(callbacks.EarlyStopping):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Losing(callbacks.Callback):
    """Changes one thing at the end of training's first epoch."""

    def __init__(self, change, factor=1.0):
        super().__init__()
        self.change, self.factor, self.seen, self.word = change, factor, {}, "a"
        self.values = []

    def on_epoch_end(self, epoch, logs=None):
        self.change(self)


LOST = {
    "factor": lambda c: setattr(c, "factor", 0.5),
    "late": lambda c: setattr(c, "late", 1),
    "word": lambda c: setattr(c, "word", "b"),
    "seen": lambda c: c.seen.update(a="b"),
    "values": lambda c: c.values.append("b"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_a_checkpoint_cannot_keep_of_a_callback_is_named(name):
    losing = Losing(LOST[name])
    runner, _ = runner_of(losing)
    runner.tell("on_epoch_end", 0, {})
    with pytest.warns(UserWarning, match=f"Losing has changed its '{name}', which"):
        runner.state()


KEPT = {
    "an array of a list": lambda c: setattr(c, "values", np.append(c.values, 1.0)),
    "numbers by epoch": lambda c: c.seen.update({0: 1.0, 1: 2.0}),
}


@pytest.mark.parametrize("name", KEPT)
def test_lists_that_become_arrays_and_dicts_by_epoch_are_kept(name):
    losing, fresh = Losing(KEPT[name]), Losing(None)
    runner, _ = runner_of(losing)
    runner.tell("on_epoch_end", 0, {})
    state = runner.state()
    runner_of(fresh)[0].restore(state)
    np.testing.assert_equal((fresh.values, fresh.seen), (losing.values, losing.seen))


@pytest.mark.parametrize(
    "change", [{"patience": 99}, {"restore_best_weights": 0}, {"monitor": 1.0}]
)
def test_parameters_that_a_subclass_hands_on_are_never_taken(change):
    runner, _ = runner_of(Handing(patience=2))
    with pytest.raises(ValueError, match="has no room for its"):
        runner.restore([change])


def runner_of(*made):
    with borrow(RECIPE) as program:
        plan = TrainingPlan(1, 1, True, 0)
        runner = CallbackRunner(list(made), program.model, None, plan)
        runner.tell("on_train_begin")
        return runner, program.model


def test_gathered_numbers_and_arrays_come_back_and_nothing_else():
    gathered = Gathering()
    runner, model = runner_of(gathered)
    gathered.best, gathered.seen = np.float32(0.5), [1, 2.0, None]
    gathered.best_weights, gathered.sums = model.get_weights(), {"loss": np.ones(2)}
    gathered.added_later, gathered.count = 3, None
    with pytest.warns(UserWarning, match="Gathering has changed its 'count', which a"):
        (state,) = runner.state()
    assert runner.state() == [state]  # and says so once
    assert state.keys() == {"best", "best_weights", "seen", "sums"}
    fresh = Gathering()
    runner_of(fresh)[0].restore([state])
    for name, value in state.items():
        assert getattr(fresh, name) is value


HOSTILE = {
    "another text": {"path": "/etc/passwd"},
    "a number for a text": {"path": 3},
    "a parameter": {"patience": 10**9},
    "what does not exist": {"filepath": 1.0},
    "a text for a number": {"best": "os.system"},
    "texts in a list": {"seen": ["a"]},
    "texts in a dict": {"sums": {"loss": "a"}},
    "a list for a dict": {"sums": [1.0]},
    "nothing for a number": {"count": None},
    "nothing for a list": {"seen": None},
    "nothing for a number in a dict": {"sums": {"loss": None}},
    "a number for a callable": {"action": 1.0},
    "the network": {"_model": 1.0},
    "weights of another shape": {"best_weights": [np.zeros(3)]},
    "no weights": {"best_weights": [1.0]},
    "a tuple of weights": {"best_weights": (np.zeros(3),)},
    "an array of weights": {"best_weights": np.zeros(3)},
    "a number for a list": {"seen": 1.0},
    "a list for a number": {"count": [1.0]},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_state_changes_nothing(change):
    gathered = Gathering()
    runner, _ = runner_of(gathered)
    before = dict(vars(gathered))
    with pytest.raises(
        ValueError, match=r"no room for its|do not fit the n|not a list"
    ):
        runner.restore([change])
    assert vars(gathered) == before


@pytest.mark.parametrize(
    "change",
    [
        *({"wait": np.zeros(3)}, {"wait": [1.0]}, {"wait": None}),
        *({"best": {"format": None}}, {"best": [1.0]}, {"best_weights": 1.0}),
    ],
)
def test_numbers_of_keras_stay_numbers(change):
    runner, _ = runner_of(callbacks.EarlyStopping(monitor="loss", mode="min"))
    with pytest.raises(ValueError, match="EarlyStopping has no room for its"):
        runner.restore([change])


@pytest.mark.parametrize("number", [1e39, -1e300, 2**63, -(10**40)])
def test_numbers_that_no_loss_can_be_compared_with_are_not_restored(number):
    runner, _ = runner_of(callbacks.ReduceLROnPlateau(monitor="loss", mode="min"))
    with pytest.raises(ValueError, match="ReduceLROnPlateau has no room for its 'bes"):
        runner.restore([{"best": number}])


@pytest.mark.parametrize("number", [3.4e38, np.inf, -np.inf, 2**62, np.float32(0.5)])
def test_numbers_that_a_loss_can_be_compared_with_are_restored(number):
    callback = callbacks.EarlyStopping(monitor="loss", mode="min")
    runner, _ = runner_of(callback)
    runner.restore([{"best": number}])
    runner.end_epoch(0, {"loss": 0.25})
    assert callback.best in (0.25, number)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_not_restored(value):
    runner, model = runner_of(Gathering())
    weights = model.get_weights()
    weights[0][:] = value
    with pytest.raises(ValueError, match="best_weights must be finite"):
        runner.restore([{"best_weights": weights}])


@pytest.mark.parametrize("state", [[], [{}, {}], {}, 3, [3]])
def test_a_state_of_other_callbacks_is_refused(state):
    runner, _ = runner_of(Gathering())
    with pytest.raises((ValueError, TypeError)):
        runner.restore(state)
