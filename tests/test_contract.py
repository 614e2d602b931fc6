"""What every estimator promises, once for each of them."""
# ruff: noqa: NPY002 (the global generator of NumPy is what is tested here)

import copy
import gc
import os
import pickle
import pickletools
import random
import signal
import threading
import warnings
import weakref
from pathlib import Path

import cloudpickle
import joblib
import keras
import numpy as np
import pytest
import skops.io
import tensorflow as tf
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, cross_validate

import skseq
from skseq import TrainingDivergedError
from skseq._data.collections import object_array
from tests.estimators import CASES
from tests.processes import run_python


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(case):
    return case.fit()


@pytest.fixture(scope="module")
def rough(case, fitted):
    return case.rough(fitted)


@pytest.fixture(scope="module")
def expected(case, rough):
    return case.results(rough)


def assert_same_arrays(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def assert_same_weights(a, b):
    assert_same_arrays(a._weights, b._weights)


def assert_same_results(found, expected, tolerance=0.0):
    """Compare results, down to the numbers in their arrays, lists and records."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same_results(a, b, tolerance)
    elif isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def pick(results, rows):
    return {name: [result[i] for i in rows] for name, result in results.items()}


def identities(estimator):
    return {name: id(value) for name, value in vars(estimator).items()}


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


class KillMe(keras.callbacks.Callback):
    """Kills its process where the environment says, as a power cut would."""

    def _kill_at(self, *place):
        if os.environ.get("KILL_AT") == repr(place):
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        self._kill_at(epoch)

    def on_train_batch_end(self, batch, logs=None):
        self._kill_at(self.now, batch)


# -- construction -----------------------------------------------------------------


def test_it_is_found_by_its_name(case):
    name = type(case.make()).__name__
    assert getattr(skseq, name) is type(case.make())
    assert name in dir(skseq)
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        _ = skseq.Classifier


def test_parameters_are_passed_by_name_only(case):
    with pytest.raises(TypeError, match="positional"):
        type(case.make())(4)


def test_the_constructor_stores_what_it_is_given(case):
    Estimator = type(case.make())
    given = {name: object() for name in Estimator().get_params()}
    given["optimizer__clipnorm"] = object()
    estimator = Estimator(**given)
    assert vars(estimator) == given
    assert estimator.get_params() == given


@pytest.mark.parametrize("name", ["unit", "optimizerclipnorm", "model__units"])
def test_an_unknown_parameter_is_refused(case, name):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        case.make(**{name: 1})
    with pytest.raises(ValueError, match="Invalid parameter"):
        case.make().set_params(**{name: 1})


def test_a_misspelt_parameter_is_told_which_is_near(case):
    with pytest.raises(TypeError, match="Did you mean 'units'"):
        case.make(unit=1)


@pytest.mark.parametrize(
    "name", ["optimizer__clipnorm", "callbacks__patience", "encoder__width"]
)
def test_a_routed_parameter_is_one_like_any_other(case, name):
    constructed = case.make(**{name: 1})
    assert constructed.get_params()[name] == 1
    assert f"{name}=1" in repr(constructed)
    assert clone(constructed).get_params()[name] == 1
    assert name not in case.make().get_params()
    assert case.make().set_params(**{name: 2}).get_params()[name] == 2
    assert name in constructed._repr_html_()


def test_requested_weights_reach_fit_and_score(case):
    weight = np.linspace(0.1, 2, len(case.X))
    with config_context(enable_metadata_routing=True):
        requesting = case.make(epochs=1).set_fit_request(sample_weight=True)
        scores = cross_validate(
            requesting.set_score_request(sample_weight=True),
            case.X,
            case.y,
            cv=KFold(2),
            params={"sample_weight": weight},
            return_estimator=True,
            error_score="raise",
        )
    for found, score, (train, test) in zip(
        scores["estimator"], scores["test_score"], KFold(2).split(case.X), strict=True
    ):
        own, rest = (
            {"X": [case.X[i] for i in rows], "y": [case.y[i] for i in rows]}
            for rows in (train, test)
        )
        direct = case.make(epochs=1).fit(**own, sample_weight=weight[train])
        assert_same_weights(found, direct)
        assert score == direct.score(**rest, sample_weight=weight[test])


def test_a_clone_has_the_parameters_and_nothing_else(fitted):
    cloned = clone(fitted)
    assert cloned.get_params() == fitted.get_params() == vars(cloned)


def test_set_params_counts_even_after_construction(case):
    estimator = case.make(epochs=1)
    assert estimator.set_params(epochs=2) is estimator
    assert estimator.fit(case.X, case.y).n_iter_ == 2


# -- fitting ----------------------------------------------------------------------


def test_fit_returns_the_estimator(case):
    estimator = case.make(epochs=1)
    assert estimator.fit(case.X, case.y) is estimator


def test_a_refit_is_a_fresh_fit(case, fitted):
    estimator = case.make(units=3, epochs=1, batch_size=5).fit(case.X[:7], case.y[:7])
    estimator.set_params(**fitted.get_params()).fit(case.X, case.y)
    assert_same_weights(estimator, fitted)
    assert vars(estimator).keys() == vars(fitted).keys()
    assert estimator.history_ == fitted.history_


def test_the_seed_settles_the_weights(case, fitted):
    assert_same_weights(case.fit(), fitted)
    other = case.fit(random_state=1)
    assert not np.array_equal(other._weights[0], fitted._weights[0])


def test_without_a_seed_numpy_decides(case):
    np.random.seed(3)
    first = case.fit(random_state=None, epochs=1)
    second = case.fit(random_state=None, epochs=1)
    np.random.seed(3)
    assert_same_weights(case.fit(random_state=None, epochs=1), first)
    assert not np.array_equal(first._weights[0], second._weights[0])


def test_the_loss_falls_and_is_recorded_for_each_epoch(case):
    history = case.fit(epochs=6, learning_rate=0.01).history_
    assert len(history["loss"]) == 6
    assert history["loss"][-1] < history["loss"][0]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """What another process makes of all estimators: refits, unpickles, asks."""
    folder = tmp_path_factory.mktemp("elsewhere")
    fitted = {case.name: case.fit() for case in CASES}
    asked = {case.name: case.rough(fitted[case.name]) for case in CASES}
    (folder / "asked.pickle").write_bytes(pickle.dumps(asked))
    code = "import sys, tests.test_contract as t; t.work(sys.argv[1])"
    run_python(code, folder, PYTHONHASHSEED="5")
    found = pickle.loads((folder / "found.pickle").read_bytes())
    return fitted, asked, found


def work(folder):
    """Run in the other process."""
    asked = pickle.loads(Path(folder, "asked.pickle").read_bytes())
    found = {
        case.name: (case.results(asked[case.name]), case.fit()._weights)
        for case in CASES
    }
    Path(folder, "found.pickle").write_bytes(pickle.dumps(found))


def test_another_process_fits_the_same_weights(case, elsewhere):
    fitted, _, found = elsewhere
    assert_same_arrays(found[case.name][1], fitted[case.name]._weights)


def test_another_process_unpickles_the_same_estimator(case, elsewhere):
    _, asked, found = elsewhere
    assert_same_results(found[case.name][0], case.results(asked[case.name]))


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


def test_fitting_and_predicting_leave_no_trace(
    case, fitted, no_programs, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    tf.random.set_seed(3)
    drawn = tf.random.uniform(()).numpy()
    tf.random.set_seed(3)
    before = global_state()
    case.results(case.fit())
    assert global_state() == before
    assert tf.random.uniform(()).numpy() == drawn
    assert capfd.readouterr() == ("", "")


def test_a_policy_of_the_user_changes_nothing(case, fitted, expected, no_programs):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        estimator = case.fit()
        results = case.results(case.rough(estimator))
    finally:
        keras.config.set_dtype_policy("float32")
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


FAILURES = {
    "parameter": ({"epochs": 0}, ValueError),
    "data": ({}, ValueError),
    "divergence": ({"learning_rate": 3e38, "epochs": 20}, TrainingDivergedError),
    "callback": ({"callbacks": [InterruptAt(2, ZeroDivisionError)]}, ZeroDivisionError),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_fit_that_fails_changes_nothing(case, fitted, failure):
    params, error = FAILURES[failure]
    data = case.bad_data if failure == "data" else (case.X, case.y)
    fresh, used = case.make(**params), copy.deepcopy(fitted).set_params(**params)
    for estimator in (fresh, used):
        before = identities(estimator)
        with pytest.raises(error):
            estimator.fit(*data)
        assert identities(estimator) == before
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


def test_routed_parameters_reach_their_object(case):
    stopper = {"callbacks": keras.callbacks.EarlyStopping}
    routed = {"callbacks__monitor": "loss", "callbacks__min_delta": 1e9}
    assert case.fit(epochs=5, **stopper, **routed).n_iter_ == 2
    still = case.fit(epochs=1, optimizer="sgd", optimizer__learning_rate=1e-30)
    also_still = case.fit(epochs=1, optimizer="sgd", learning_rate=1e-30)
    assert_same_weights(still, also_still)


def test_a_large_gradient_is_scaled_down_to_the_norm(case):
    def step(**params):
        """What one step of plain gradient descent, of rate 1, does to the weights."""
        one = {"epochs": 1, "batch_size": len(case.X), "optimizer": "sgd"}
        before = case.fit(**one, learning_rate=1e-30)._weights
        after = case.fit(**one, learning_rate=1.0, **params)._weights
        changes = [(b - a).ravel() for a, b in zip(after, before, strict=True)]
        return np.concatenate(changes).astype("float64")

    free, clipped = step(global_clipnorm=None), step(global_clipnorm=0.01)
    assert np.linalg.norm(free) > 0.02
    assert np.linalg.norm(clipped) == pytest.approx(0.01, rel=1e-3)
    cosine = clipped @ free / np.linalg.norm(clipped) / np.linalg.norm(free)
    assert cosine == pytest.approx(1, abs=1e-4)


def test_early_stopping_returns_to_the_best_epoch(case):
    estimator = case.make(
        epochs=30, early_stopping=True, n_iter_no_change=2, learning_rate=0.05
    )
    estimator.fit(case.X, case.y, **case.misleading)
    losses = estimator.history_["val_loss"]
    best = int(np.argmin(losses)) + 1
    assert estimator.n_iter_ == len(losses) == best + 2 < 30
    assert_same_weights(estimator, case.fit(epochs=best, learning_rate=0.05))


def test_a_validation_fraction_is_held_out(case):
    estimator = case.fit(early_stopping=True, validation_fraction=0.25)
    assert len(estimator.history_["val_loss"]) == estimator.n_iter_
    assert not np.array_equal(estimator._weights[0], case.fit()._weights[0])


def test_a_validation_set_alone_only_watches(case, fitted):
    some = case.validation(case.X[:3], case.y[:3])
    watched = case.make().fit(case.X, case.y, **some)
    assert_same_weights(watched, fitted)
    assert len(watched.history_["val_loss"]) == watched.n_iter_


def test_a_batch_may_be_larger_than_all_the_data(case):
    vast, whole = (
        case.make(batch_size=size, epochs=1, shuffle=False).fit(
            case.X, case.y, **case.validation(case.X, case.y)
        )
        for size in (10**12, len(case.X))
    )
    for name, losses in whole.history_.items():
        assert vast.history_[name] == pytest.approx(losses, rel=1e-5)


def test_partial_fits_add_up_to_a_fit(case):
    parts = case.make()
    for n_epochs in (1, 2):
        assert parts.partial_fit(case.X, case.y) is parts
        assert parts.n_iter_ == len(parts.history_["loss"]) == n_epochs
    whole = case.fit(epochs=2)
    assert_same_weights(parts, whole)
    assert parts.history_ == whole.history_


def test_a_partial_fit_goes_on_from_a_fit(case, fitted):
    estimator = copy.deepcopy(fitted).partial_fit(case.X, case.y)
    assert_same_weights(estimator, case.fit(epochs=4))


def test_a_partial_fit_takes_the_present_learning_rate(case, fitted):
    still = copy.deepcopy(fitted).set_params(learning_rate=1e-30)
    still.partial_fit(case.X, case.y)
    assert_same_arrays(still._weights_to_go_on, fitted._weights_to_go_on)


def test_a_warm_start_goes_on_and_a_cold_one_does_not(case, fitted):
    warm = copy.deepcopy(fitted).set_params(warm_start=True, learning_rate=1e-30)
    assert_same_weights(warm.fit(case.X, case.y), fitted)
    assert warm.n_iter_ == 3
    cold = case.fit(learning_rate=1e-30)
    assert not np.array_equal(cold._weights[-2], fitted._weights[-2])


@pytest.mark.parametrize("go_on", ["fit", "partial_fit"])
def test_training_never_goes_on_with_another_network(case, fitted, go_on):
    estimator = copy.deepcopy(fitted).set_params(units=5, warm_start=True)
    with pytest.raises(ValueError, match=r"units was \(4,.*\) and is \(5,\)"):
        getattr(estimator, go_on)(case.X, case.y)


def test_a_sequence_of_no_weight_might_as_well_be_missing(case):
    weight = np.ones(12)
    weight[[2, 5]] = 0
    kept = np.flatnonzero(weight)
    some = case.make().fit([case.X[i] for i in kept], [case.y[i] for i in kept])
    weighted = case.make().fit(case.X, case.y, sample_weight=weight)
    assert_same_weights(weighted, some)


def test_only_the_ratio_of_weights_counts(case, fitted):
    weight = np.linspace(1, 2, 12)
    once = case.make().fit(case.X, case.y, sample_weight=weight)
    twice = case.make().fit(case.X, case.y, sample_weight=2 * weight)
    assert_same_weights(once, twice)
    assert not np.array_equal(once._weights[0], fitted._weights[0])


def test_a_weight_of_the_score_counts_a_sequence_often(case, rough):
    rows = [0, 0, 0, 1, 2, 2]
    repeated = rough.score([case.X[i] for i in rows], [case.y[i] for i in rows])
    weighted = rough.score(case.X[:3], case.y[:3], sample_weight=[3, 1, 2])
    assert weighted == pytest.approx(repeated)


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


def test_verbose_shows_one_bar_on_stderr(case, capfd):
    case.fit(verbose=1)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "3/3" in shown.err
    assert "loss=" in shown.err


# -- checkpoints ------------------------------------------------------------------

LONG = {"epochs": 4, "early_stopping": True, "validation_fraction": 0.25}
PLACES = [(2,), (2, 0)]  # at the start of the third epoch, and in the middle of it


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Where the checkpoints are of fits that were killed."""
    folder = tmp_path_factory.mktemp("killed")
    code = "import sys, tests.test_contract as t; t.be_killed(sys.argv[1])"
    run_python(code, folder)
    return folder


def be_killed(folder):
    """Run in another process: fit in children, two at a time, that are killed."""
    for case in CASES:
        for place in PLACES:
            if not os.fork():
                os.environ["KILL_AT"] = repr(place)
                path = Path(folder, f"{case.name}-{len(place)}")
                case.fit(checkpoint=path, callbacks=[KillMe], **LONG)
                os._exit(0)
        for _ in PLACES:
            _, status = os.wait()
            assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_fit_resumes_to_the_bit(case, killed, place):
    path = killed / f"{case.name}-{len(place)}"
    resumed = case.fit(checkpoint=path, callbacks=[KillMe], **LONG)
    unbroken = case.fit(callbacks=[KillMe], **LONG)
    assert_same_weights(resumed, unbroken)
    assert_same_arrays(resumed._optimizer_state, unbroken._optimizer_state)
    assert resumed.history_ == unbroken.history_
    assert resumed.n_iter_ == unbroken.n_iter_


@pytest.fixture(scope="module")
def finished(case, tmp_path_factory):
    path = tmp_path_factory.mktemp("finished") / "checkpoint"
    return path, case.fit(checkpoint=path)


def test_a_checkpoint_changes_nothing(fitted, finished):
    assert_same_weights(finished[1], fitted)


def test_a_finished_checkpoint_is_not_trained_again(case, finished):
    path, estimator = finished
    written = path.read_bytes()
    again = case.fit(checkpoint=path, callbacks=None)
    assert_same_weights(again, estimator)
    assert path.read_bytes() == written


def test_a_checkpoint_serves_more_epochs(case, finished, tmp_path):
    path = tmp_path / "checkpoint"
    path.write_bytes(finished[0].read_bytes())
    assert_same_weights(case.fit(checkpoint=path, epochs=4), case.fit(epochs=4))


def test_a_checkpoint_without_a_seed_keeps_its_own(case, tmp_path):
    path = tmp_path / "checkpoint"
    first = case.fit(checkpoint=path, random_state=None, epochs=1)
    assert_same_weights(case.fit(checkpoint=path, random_state=None, epochs=1), first)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"learning_rate": 0.5}, "learning_rate was '0.001' and is '0.5'"),
        ({"optimizer__clipnorm": 1.0}, "optimizer__clipnorm was .* and is '1.0'"),
        ({"random_state": 1}, "random_state was '0' and is '1'"),
    ],
)
def test_a_checkpoint_of_other_parameters_is_refused(case, finished, params, named):
    with pytest.raises(ValueError, match=named):
        case.fit(checkpoint=finished[0], **params)


def test_a_checkpoint_of_other_data_is_refused(case, finished):
    path, _ = finished
    estimator = case.make(checkpoint=path)
    with pytest.raises(
        ValueError, match=r"of another fit: data was .* delete the file"
    ):
        estimator.fit(case.X[1:], case.y[1:])
    with pytest.raises(ValueError, match="of another fit: data was"):
        estimator.fit(list(map(case.altered, case.X)), case.y)
    with pytest.raises(ValueError, match="of another fit: data was"):
        estimator.fit(case.X, case.y, sample_weight=np.arange(12))
    with pytest.raises(ValueError, match="of another fit: validation data was"):
        estimator.fit(case.X, case.y, **case.validation(case.X[:2], case.y[:2]))


def test_a_file_that_is_no_checkpoint_is_refused_and_kept(case, fitted, tmp_path):
    path = tmp_path / "estimator"
    fitted.save(path)
    with pytest.raises(ValueError, match="not a checkpoint"):
        case.fit(checkpoint=path)
    path.write_text("my thesis")
    with pytest.raises(ValueError, match="not a skseq file"):
        case.fit(checkpoint=path)
    assert path.read_text() == "my thesis"


def test_a_partial_fit_leaves_the_checkpoint_alone(case, tmp_path):
    path = tmp_path / "checkpoint"
    estimator = case.make(checkpoint=path).partial_fit(case.X, case.y)
    estimator.partial_fit(case.X, case.y)
    assert not path.exists()


# -- using ------------------------------------------------------------------------


def test_an_unfitted_estimator_says_so_before_anything_else(case):
    uses = [
        lambda estimator: estimator.model_,
        lambda estimator: estimator.save("/no/such/folder/file"),
        lambda estimator: estimator.score(None, None),
        *(lambda e, use=use: use(e, None, None) for use in case.methods.values()),
    ]
    for use in uses:
        with pytest.raises(NotFittedError, match="not fitted yet"):
            use(case.make(batch_size=-1))


def test_use_leaves_the_estimator_alone(case, fitted):
    before, content = identities(fitted), joblib.hash(vars(fitted))
    case.results(fitted)
    fitted.score(case.X, case.y)
    fitted.model_.set_weights([w + 1 for w in fitted._weights])
    assert identities(fitted) == before
    assert joblib.hash(vars(fitted)) == content


def test_the_model_is_the_network(fitted):
    assert isinstance(fitted.model_, keras.Model)
    assert_same_arrays(fitted.model_.get_weights(), fitted._weights)


def sealed(sequences):
    """A copy that cannot be written to."""
    copied = object_array(map(copy.copy, sequences))
    for array in (copied, *copied):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return copied


def test_data_are_only_read(case, expected, rough, tmp_path):
    joblib.dump(case.X, tmp_path / "X")
    mapped = joblib.load(tmp_path / "X", mmap_mode="r")
    before = joblib.hash((case.X, case.y))
    for some_X in (sealed(case.X), mapped):
        assert_same_results(
            {n: list(m(rough, some_X, case.y)) for n, m in case.methods.items()},
            expected,
        )
    reference = case.fit(epochs=1)
    for some_X in (sealed(case.X), mapped):
        some = case.make(epochs=1).fit(some_X, case.y)
        assert_same_weights(some, reference)
    assert joblib.hash((case.X, case.y)) == before


def test_a_sequence_means_the_same_alone(case, rough, expected):
    for row in range(len(case.X)):
        alone = case.results(rough, [row])
        assert_same_results(alone, pick(expected, [row]), tolerance=1e-5)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_a_sequence_means_the_same_in_every_batch(case, rough, expected, batch_size):
    other = copy.deepcopy(rough).set_params(batch_size=batch_size)
    assert_same_results(case.results(other), expected, tolerance=1e-5)


@pytest.mark.parametrize(
    "rows", [[11, 0, 5, 3, 8], [4], list(range(11, -1, -1)), [7, 7, 7, 1, 7]]
)
def test_a_sequence_means_the_same_in_any_company(case, rough, expected, rows):
    found = case.results(rough, rows)
    assert_same_results(found, pick(expected, rows), tolerance=1e-6)


def test_the_same_question_has_the_same_answer_to_the_bit(case, rough, expected):
    assert_same_results(case.results(rough), expected)


def test_no_bit_depends_on_what_the_other_sequences_hold(case, rough, expected):
    others = [case.X[0], *map(case.altered, case.X[1:])]
    for name, method in case.methods.items():
        assert_same_results(method(rough, others, case.y)[0], expected[name][0])


def test_a_batch_that_memory_cuts_changes_nothing(case, rough, expected, monkeypatch):
    monkeypatch.setattr("skseq._data.batching._MAX_BATCH_FRAMES", 40)
    assert_same_results(case.results(rough), expected, tolerance=1e-5)


def test_padding_beside_a_long_sequence_changes_nothing(case, rough, expected):
    long_X = [*case.X[:3], case.lengthened(case.X[3])]
    found = {
        name: list(method(rough, long_X, case.y[:4]))[:3]
        for name, method in case.methods.items()
    }
    assert_same_results(found, pick(expected, range(3)), tolerance=1e-5)


# -- keeping ----------------------------------------------------------------------


def through_joblib(estimator, folder):
    joblib.dump(estimator, folder / "estimator")
    return joblib.load(folder / "estimator", mmap_mode="r")


def through_skops(estimator, folder):
    kept = skops.io.dumps(estimator)
    name = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    assert skops.io.get_untrusted_types(data=kept) == [name]
    return skops.io.loads(kept, trusted=[name])


COPIES = {
    "pickle": lambda estimator, _: pickle.loads(pickle.dumps(estimator)),
    "cloudpickle": lambda estimator, _: pickle.loads(cloudpickle.dumps(estimator)),
    "joblib": through_joblib,
    "deepcopy": lambda estimator, _: copy.deepcopy(estimator),
    "skops": through_skops,
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_is_as_good_as_the_estimator(case, rough, expected, way, tmp_path):
    copied = COPIES[way](rough, tmp_path)
    assert vars(copied).keys() == vars(rough).keys()
    assert copied.get_params() == rough.get_params()
    assert_same_results(case.results(copied), expected)


def test_a_copy_trains_on(case, fitted):
    copied = pickle.loads(pickle.dumps(fitted)).partial_fit(case.X, case.y)
    assert_same_weights(copied, copy.deepcopy(fitted).partial_fit(case.X, case.y))


def test_a_pickle_needs_no_keras(fitted):
    words = {
        argument
        for _, argument, _ in pickletools.genops(pickle.dumps(fitted))
        if isinstance(argument, str)
    }
    assert type(fitted).__name__ in words
    assert not [w for w in words if "keras" in w or "tensorflow" in w]


def test_a_pickle_of_a_newer_skseq_is_refused_by_name(fitted, monkeypatch):
    state = {**fitted.__getstate__(), "_pickled_by": (1000, "99.0")}
    monkeypatch.setattr(type(fitted), "__getstate__", lambda self: state)
    kept = pickle.dumps(fitted)
    with pytest.raises(ValueError, match=r"skseq 99\.0.*Upgrade"):
        pickle.loads(kept)


def test_a_fitted_estimator_holds_no_keras_object(fitted):
    seen, waiting = set(), [vars(fitted)]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type):
            continue
        seen.add(id(thing))
        assert not type(thing).__module__.startswith(("keras", "tensorflow"))
        if isinstance(thing, (dict, list, tuple, set)):
            waiting += gc.get_referents(thing)


def test_the_weights_of_a_discarded_estimator_are_released(case):
    estimator = case.fit(epochs=1, units=7)
    weight = weakref.ref(estimator._weights[0])
    del estimator
    case.fit(epochs=1, units=7)
    gc.collect()
    assert weight() is None


# -- data that does not fit into memory -------------------------------------------


class Shelf:
    """Knows only how many sequences there are and how to fetch one."""

    def __init__(self, X):
        self.X, self.n_held, self.most_held = X, 0, 0

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        sequence = copy.copy(self.X[i])
        if isinstance(sequence, np.ndarray):
            weakref.finalize(sequence, self._let_go)
            self.n_held += 1
            self.most_held = max(self.most_held, self.n_held)
        return sequence

    def _let_go(self):
        self.n_held -= 1


def test_a_lazy_collection_is_as_good_as_a_list_and_its_frames_are_never_held(
    case, fitted, rough, expected
):
    shelf = Shelf(case.X)
    assert_same_weights(case.make().fit(shelf, case.y), fitted)
    found = {n: list(m(rough, shelf, case.y)) for n, m in case.methods.items()}
    assert_same_results(found, expected)
    assert shelf.n_held == 0
    assert (shelf.most_held > 0) == isinstance(case.X[0], np.ndarray)


def test_no_more_frames_are_held_than_the_largest_batch_has(case, rough):
    shelf, y = Shelf([*case.X] * 4), [*case.y] * 4
    case.make(epochs=1).fit(shelf, y)
    for method in case.methods.values():
        method(rough, shelf, y)
    # Batches for prediction are up to eight times as large; one is read next.
    assert shelf.most_held <= 8 * 4 + 1 < len(shelf)
    assert shelf.n_held == 0
