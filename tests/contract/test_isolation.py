"""What every estimator leaves alone: the process, the user's objects, itself."""
# ruff: noqa: NPY002 (the global generator of NumPy is what is tested here)

import copy
import os
import pickle
import random
import threading
import warnings
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone

from skseq import TrainingDivergedError
from tests.contract.comparing import (
    assert_same_arrays,
    assert_same_results,
    assert_same_weights,
    identities,
)
from tests.estimators import named
from tests.processes import run_python

pytestmark = pytest.mark.slow


class InterruptAt(keras.callbacks.Callback):
    """Raises an error on the last batch of an epoch, counted from 1."""

    def __init__(self, epoch=1, error=KeyboardInterrupt):
        super().__init__()
        self.epoch, self.error, self.seen = epoch, error, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.seen = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if self.seen == self.epoch:
            raise self.error("on purpose")


def global_state():
    name, keys, *rest = np.random.get_state()
    return {
        "random": random.getstate(),
        "numpy": (name, keys.tolist(), *rest),
        "policy": keras.config.dtype_policy().name,
        "floatx": keras.config.floatx(),
        "tensorflow": tf.random.get_global_generator().state.numpy().tolist(),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "folder": os.getcwd(),
        "files": sorted(os.listdir()),
        "threads": {t.name for t in threading.enumerate() if "skseq" in t.name},
    }


@pytest.fixture
def a_policy_of_the_user():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("no_programs", "a_policy_of_the_user")
def test_under_any_policy_results_are_the_same_and_no_trace_is_left(
    case, fitted, expected, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    tf.random.set_seed(3)
    drawn = tf.random.uniform(()).numpy()
    tf.random.set_seed(3)
    before = global_state()
    estimator = case.fit()
    results = case.results(case.rough(estimator))
    assert global_state() == before
    assert tf.random.uniform(()).numpy() == drawn
    assert capfd.readouterr() == ("", "")
    assert_same_weights(estimator, fitted)
    assert_same_results(results, expected)


def test_a_default_float_of_the_user_changes_nothing(
    case, fitted, expected, no_programs
):
    keras.config.set_floatx("float64")
    try:
        estimator = case.fit()
        results = case.results(case.rough(estimator))
    finally:
        keras.config.set_floatx("float32")
    assert_same_weights(estimator, fitted)
    assert_same_results(results, expected)


# The programs that the threads leave behind serve the fits below, each of which uses
# one up by its error.


def test_nothing_raises_where_numpy_is_set_to_raise(case, fitted, rough, expected):
    with np.errstate(all="raise"):
        assert_same_weights(case.fit(), fitted)
        assert_same_results(case.results(rough), expected)


def test_a_weight_too_small_to_count_ends_no_fit_where_numpy_is_set_to_raise(case):
    weights = np.where(np.arange(len(case.X)) == 0, 1e-300, 1.0)
    expected = case.make().fit(case.X, case.y, sample_weight=weights)
    with np.errstate(all="raise"):
        found = case.make().fit(case.X, case.y, sample_weight=weights)
    assert_same_weights(found, expected)


def test_threads_do_not_disturb_each_other(case, fitted):
    other = case.fit(random_state=1)
    estimators = [case.make(random_state=i % 2) for i in range(4)]
    threads = [
        threading.Thread(target=estimator.fit, args=(case.X, case.y))
        for estimator in estimators
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, estimator in enumerate(estimators):
        assert_same_weights(estimator, other if i % 2 else fitted)


FAILURES = {
    "parameter": ({"epochs": 0}, ValueError),
    "data": ({}, ValueError),
    "divergence": ({"learning_rate": 3e38, "epochs": 20}, TrainingDivergedError),
    "callback": ({"callbacks": [InterruptAt(2, ZeroDivisionError)]}, ZeroDivisionError),
}


def assert_failing_changes_nothing(case, estimator, failure):
    params, error = FAILURES[failure]
    estimator.set_params(**params)
    data = case.bad_data if failure == "data" else (case.X, case.y)
    before = identities(estimator), joblib.hash(vars(estimator))
    with pytest.raises(error):
        estimator.fit(*data)
    assert (identities(estimator), joblib.hash(vars(estimator))) == before, failure


def test_a_fit_that_fails_changes_nothing(case, fitted):
    for failure in FAILURES:
        fresh, used = case.make(), copy.deepcopy(fitted)
        for estimator in (fresh, used):
            assert_failing_changes_nothing(case, estimator, failure)
        assert not fresh.__sklearn_is_fitted__()
    assert_same_results(case.results(used), case.results(fitted))


def test_an_interruption_keeps_the_last_full_epoch(case):
    estimator = case.make(epochs=5, callbacks=[InterruptAt(3)])
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(case.X, case.y)
    assert estimator.n_iter_ == len(estimator.history_["loss"]) == 2
    assert_same_weights(estimator, case.fit(epochs=2))


def test_an_interruption_before_that_changes_nothing(case):
    estimator = case.make(callbacks=[InterruptAt(1)])
    before = identities(estimator)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(case.X, case.y)
    assert identities(estimator) == before


def test_callbacks_and_optimizers_of_the_user_are_never_used_themselves(case):
    stopper = keras.callbacks.EarlyStopping(monitor="loss", min_delta=1e9)
    optimizer = keras.optimizers.Adam(clipnorm=1.0)
    before = joblib.hash(optimizer.get_config())
    estimator = case.make(callbacks=[stopper], optimizer=optimizer, epochs=5)
    estimator.fit(case.X, case.y).fit(case.X, case.y)
    assert estimator.n_iter_ == 2
    assert (stopper.model, stopper.stopped_epoch) == (None, 0)
    assert joblib.hash(optimizer.get_config()) == before
    assert not optimizer.built


@pytest.fixture(scope="module")
def elsewhere(chosen, tmp_path_factory):
    """What another process makes of all estimators: fits, pickles, results."""
    folder = tmp_path_factory.mktemp("elsewhere")
    code = "import sys, tests.contract.test_isolation as t; t.work(*sys.argv[1:])"
    run_python(code, folder, *chosen, PYTHONHASHSEED="5")
    return pickle.loads((folder / "found.pickle").read_bytes())


def work(folder, *names):
    """Run in the other process."""
    found = {}
    for case in named(names):
        fitted = case.fit()
        rough = case.rough(fitted)
        found[case.name] = fitted._weights, pickle.dumps(rough), case.results(rough)
    Path(folder, "found.pickle").write_bytes(pickle.dumps(found))


def test_another_process_fits_the_same_weights(case, fitted, elsewhere):
    weights, _, _ = elsewhere[case.name]
    assert_same_arrays(weights, fitted._weights)


def test_a_pickle_of_another_process_is_the_same_estimator(case, expected, elsewhere):
    _, pickled, results = elsewhere[case.name]
    assert_same_results(case.results(pickle.loads(pickled)), results)
    assert_same_results(results, expected)


# -- subclasses ------------------------------------------------------------------------


def fixed(case):
    """A subclass that fixes most parameters, as a user writes one."""
    settings = case.make().get_params()

    class Small(case.Estimator):
        def __init__(self, *, units=3):
            super().__init__(**{**settings, "units": units})

    return Small


def test_a_subclass_that_fixes_parameters_is_cloned_and_fitted(case):
    small = clone(fixed(case)(units=2))
    assert small.get_params() == {"units": 2}
    assert small.set_params(units=3).fit(case.X, case.y).n_iter_ == 3


def test_a_subclass_is_not_saved_and_its_user_is_told_what_to_do(case, tmp_path):
    small = fixed(case)().fit(case.X, case.y)
    with pytest.raises(TypeError, match=r"Small cannot be saved: .*Pickle it"):
        small.save(tmp_path / "small")
    assert not list(tmp_path.iterdir())
