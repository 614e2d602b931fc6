"""What every estimator promises of checkpoints, results and copies."""

import copy
import gc
import os
import pickle
import pickletools
import shutil
import signal
import threading
import weakref
from pathlib import Path

import cloudpickle
import joblib
import keras
import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skseq
from skseq._data.collections import object_array
from tests.contract.comparing import (
    assert_same_arrays,
    assert_same_parameters,
    assert_same_results,
    assert_same_weights,
    identities,
    pick,
)
from tests.estimators import named
from tests.processes import run_python


class KillMe(keras.callbacks.Callback):
    """Kills its process in the third epoch, as a power cut would, if told a checkpoint.

    A kill at the start of that epoch would leave its folder as it is then: a copy of
    that is kept beside it.
    """

    folder = None

    def __init__(self):
        super().__init__()
        self.now = None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == 2 and self.folder:
            shutil.copytree(self.folder, f"{self.folder}-start")

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (2, 0) and self.folder:
            os.kill(os.getpid(), signal.SIGKILL)


# -- checkpoints ------------------------------------------------------------------

LONG = {"epochs": 4, "early_stopping": True, "validation_fraction": 0.25}


@pytest.fixture(scope="module")
def killed(chosen, tmp_path_factory):
    """Where the checkpoints are of fits that were killed."""
    folder = tmp_path_factory.mktemp("killed")
    code = "import sys, tests.contract.test_using as t; t.be_killed(*sys.argv[1:])"
    run_python(code, folder, *chosen)
    return folder


def be_killed(folder, *names):
    """Run in another process: fit in children, two at a time, that are killed."""
    cases = named(names)
    for first in range(0, len(cases), 2):
        pair = cases[first : first + 2]
        for case in pair:
            if not os.fork():
                KillMe.folder = Path(folder, case.name)
                case.fit(checkpoint=KillMe.folder, callbacks=[KillMe], **LONG)
                os._exit(0)
        for _ in pair:
            _, status = os.wait()
            assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("place", ["-start", ""])
def test_a_killed_fit_resumes_to_the_bit(case, killed, place):
    folder = killed / f"{case.name}{place}"
    resumed = case.fit(checkpoint=folder, callbacks=[KillMe], **LONG)
    unbroken = case.fit(callbacks=[KillMe], **LONG)
    assert_same_weights(resumed, unbroken)
    assert_same_arrays(resumed._optimizer_state, unbroken._optimizer_state)
    assert resumed.history_ == unbroken.history_
    assert resumed.n_iter_ == unbroken.n_iter_


@pytest.fixture(scope="module")
def finished(case, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "runs"
    return folder, case.fit(checkpoint=folder)


def test_a_checkpoint_changes_nothing(fitted, finished):
    assert_same_weights(finished[1], fitted)


def test_a_finished_checkpoint_is_not_trained_again(case, finished):
    folder, estimator = finished
    (path,) = folder.iterdir()
    written = path.stat().st_ino, path.stat().st_mtime_ns
    again = case.fit(checkpoint=folder, callbacks=None)
    assert_same_weights(again, estimator)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == written


def test_a_checkpoint_serves_more_epochs(case, finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "runs")
    assert_same_weights(case.fit(checkpoint=folder, epochs=4), case.fit(epochs=4))
    assert len(list(folder.iterdir())) == 1


def test_a_checkpoint_of_more_epochs_is_not_taken_for_fewer(case, finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "runs")
    assert_same_weights(case.fit(checkpoint=folder, epochs=1), case.fit(epochs=1))


def test_a_checkpoint_without_a_seed_keeps_its_own(case, tmp_path):
    params = {"checkpoint": tmp_path / "runs", "random_state": None, "epochs": 1}
    assert_same_weights(case.fit(**params), case.fit(**params))


def test_fits_of_other_parameters_or_data_keep_their_own_files(case, tmp_path):
    def new_file_of(params, X=case.X, y=case.y, **options):
        before = set(tmp_path.iterdir())
        tiny = case.tiny(checkpoint=tmp_path, **params)
        tiny.fit(X, y, **options)
        return set(tmp_path.iterdir()) - before

    assert len(new_file_of({})) == 1
    for params in ({"learning_rate": 0.5}, {"random_state": 1}):
        assert len(new_file_of(params)) == 1, params
    other_data = (
        {"X": case.X[1:], "y": case.y[1:]},
        {"X": list(map(case.altered, case.X))},
        {"sample_weight": np.arange(12)},
        case.validation(case.X[:2], case.y[:2]),
    )
    for data in other_data:
        assert len(new_file_of({}, **data)) == 1, data.keys()
    assert not new_file_of({"epochs": 2})


def test_a_file_in_the_place_of_the_folder_is_refused_and_kept(case, fitted, tmp_path):
    path = tmp_path / "estimator"
    fitted.save(path)
    written = path.read_bytes()
    with pytest.raises(ValueError, match="is a file, and must be a folder"):
        case.fit(checkpoint=path)
    assert path.read_bytes() == written


def test_a_partial_fit_leaves_the_checkpoint_alone(case, tmp_path):
    folder = tmp_path / "runs"
    estimator = case.make(checkpoint=folder).partial_fit(case.X, case.y)
    estimator.partial_fit(case.X, case.y)
    assert not folder.exists()


# -- callbacks --------------------------------------------------------------------


class Recorder(keras.callbacks.Callback):
    """Gathers losses, and holds what no pickle can."""

    def __init__(self):
        super().__init__()
        self.seen, self.lock = [], threading.Lock()

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(logs["loss"])
        self.network = self.model


@pytest.fixture(scope="module")
def recorded(case):
    return case.tiny(callbacks=Recorder, epochs=2).fit(case.X, case.y)


def test_what_callbacks_gathered_is_kept(case, fitted, recorded):
    assert fitted.callbacks_ == []
    (recorder,) = recorded.callbacks_
    assert recorder.seen == recorded.history_["loss"]
    assert recorder.model is recorder.network is None


def test_only_copies_gather(case):
    mine = keras.callbacks.EarlyStopping("loss", patience=9)
    estimator = case.tiny(callbacks=[mine], epochs=2).fit(case.X, case.y)
    (used,) = estimator.callbacks_
    assert used is not mine
    assert (mine.best, used.best) == (None, min(estimator.history_["loss"]))
    estimator.partial_fit(case.X, case.y)
    assert estimator.callbacks_[0] is not used


def test_what_callbacks_gathered_travels_but_for_what_cannot(recorded, tmp_path):
    seen = recorded.history_["loss"]
    for name in ("pickle", "cloudpickle", "joblib"):
        (recorder,) = COPIES[name](recorded, tmp_path).callbacks_
        assert (recorder.seen, recorder.lock) == (seen, None)
    assert copy.deepcopy(recorded).callbacks_[0].seen == seen
    assert recorded.callbacks_[0].lock is not None
    assert not hasattr(clone(recorded), "callbacks_")
    copy.copy(recorded).set_params(callbacks=None).save(tmp_path / "model")
    assert not hasattr(skseq.load(tmp_path / "model"), "callbacks_")


def test_a_resumed_fit_gathers_on(case, tmp_path):
    class Keeper(Recorder):
        def __init__(self):
            keras.callbacks.Callback.__init__(self)
            self.seen = []

    for epochs in (1, 3):
        estimator = case.tiny(callbacks=Keeper, epochs=epochs, checkpoint=tmp_path)
        estimator.fit(case.X, case.y)
        assert estimator.callbacks_[0].seen == estimator.history_["loss"]
        assert len(estimator.callbacks_[0].seen) == epochs


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
    y = [*case.y[:3], case.lengthened_target(case.y[3])]
    found = {
        name: list(method(rough, long_X, y))[:3]
        for name, method in case.methods.items()
    }
    assert_same_results(found, pick(expected, range(3)), tolerance=1e-5)


# -- keeping ----------------------------------------------------------------------


def through_joblib(estimator, folder):
    joblib.dump(estimator, folder / "estimator")
    return joblib.load(folder / "estimator", mmap_mode="r")


def through_skops(estimator, folder):
    kept = skops.io.dumps(estimator)
    kinds = {type(estimator), *map(type, estimator.preprocess or ())}
    names = sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    untrusted = skops.io.get_untrusted_types(data=kept)
    if getattr(estimator, "language_model", None) is None:
        assert untrusted == names
    assert set(names) <= set(untrusted)
    assert all(name.startswith("skseq.") for name in untrusted)
    return skops.io.loads(kept, trusted=untrusted)


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
    assert_same_parameters(copied, rough)
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


# -- weights that were spoilt -----------------------------------------------------
# The last test, since a network that diverged is built anew for whoever is next.


def test_weights_that_make_results_infinite_are_an_error_at_every_use(
    case, fitted, tmp_path
):
    broken = copy.copy(fitted)
    broken._weights = [np.full_like(weight, 3e38) for weight in fitted._weights]
    broken.save(tmp_path / "broken")
    broken = skseq.load(tmp_path / "broken")
    for use in (*case.methods.values(), type(broken).score):
        with pytest.raises(ValueError, match="not finite"):
            use(broken, case.X, case.y)
    with pytest.raises(skseq.TrainingDivergedError):
        broken.partial_fit(case.X, case.y)
