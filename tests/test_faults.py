"""What a kill, a full disk or an interruption at any moment leaves behind."""

import errno
import os
import resource
import signal
import threading
import time
import zipfile
from contextlib import contextmanager
from copy import copy
from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq import TrainingDivergedError
from skseq._engine.programs import Trainer
from skseq._files.archive import read_archive
from tests.estimators import ESTIMATORS
from tests.processes import run_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="POSIX signals and limits"),
]

# Two batches an epoch, dropout's random numbers among what they depend on.
LITTLE = {"units": 3, "epochs": 6, "dropout": 0.2}
BY_NAME = {case.name: case for case in ESTIMATORS}


def made(name="ctc", **params):
    """An estimator, and the data that it is to be fitted on."""
    case = BY_NAME[name]
    return case.make(**{**LITTLE, **params}), case.draw(8)


def fit(name="ctc", **params):
    estimator, data = made(name, **params)
    return estimator.fit(*data)


@cache
def fitted(name="ctc"):
    """The fit that nothing disturbs; whoever changes it takes a copy."""
    return fit(name)


def assert_same_fit(a, b):
    for name in ("_weights", "_optimizer_state"):
        for found, expected in zip(vars(a)[name], vars(b)[name], strict=True):
            np.testing.assert_array_equal(found, expected, strict=True)
    assert (a.n_iter_, a.history_) == (b.n_iter_, b.history_)


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# -- killed while a checkpoint is written ----------------------------------------------


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner, name, n_calls, do):
    """Have something done before the n-th call of a function, and any after it."""
    genuine, calls = getattr(owner, name), iter(range(1, n_calls))

    def counted(*args, **kwargs):
        if next(calls, None) is None:
            do(*args, **kwargs)
        return genuine(*args, **kwargs)

    setattr(owner, name, counted)


def die_half_way(archive, info, data):
    """Write half of a member, and have the system write it too."""
    with archive.open(info, "w") as member:
        member.write(data[: len(data) // 2])
        archive.fp.flush()
        die()


def die_renamed(source, target):
    os.rename(source, target)
    die()


def die_soon(delay, source, target):
    threading.Timer(delay, die).start()


# Each continues from what the last has left; a checkpoint is two members, and is
# written once per epoch.
DEATHS = {
    "first header": lambda: before(zipfile.ZipFile, "writestr", 1, die_half_way),
    "weights": lambda: before(zipfile.ZipFile, "writestr", 4, die_half_way),
    "not in place": lambda: before(os, "replace", 2, lambda *paths: die()),
    "in place": lambda: before(os, "replace", 1, die_renamed),
    **{
        f"after {delay} s": partial(before, os, "replace", 1, partial(die_soon, delay))
        for delay in np.random.default_rng(0).uniform(0, 0.1, 1).round(3)
    },
}
LONG = {"epochs": 40, "learning_rate": 0.01}


def checkpoints(folder):
    """What the checkpoint files in a folder hold."""
    return [read_archive(path) for path in Path(folder).glob("*.skseq")]


def die_often(folder):
    """Run in another process: begin a fit, or continue it, and die every time."""
    n_epochs = []
    for plan_death in DEATHS.values():
        if not os.fork():
            plan_death()
            fit(checkpoint=folder, **LONG)
            os._exit(0)
        _, status = os.wait()
        assert os.WTERMSIG(status) == signal.SIGKILL
        n_epochs += [kept.header["state"]["epoch"] for kept in checkpoints(folder)]
    assert n_epochs == sorted(n_epochs)
    assert 0 < n_epochs[-1] < LONG["epochs"]


def test_a_fit_that_was_killed_at_every_bad_moment_ends_to_the_bit(tmp_path):
    run_python("import sys, tests.test_faults as t; t.die_often(sys.argv[1])", tmp_path)
    torn = [p.name for p in tmp_path.iterdir() if p.suffix != ".skseq"]
    assert all(name.startswith(".skseq-") for name in torn)
    assert_same_fit(fit(checkpoint=tmp_path, **LONG), fit(**LONG))


# -- disks that are full or may not be written -----------------------------------------


@contextmanager
def room_for(n_bytes):
    """Let no file grow beyond this size: the system refuses to write more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def disk_full(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("n_bytes", [0, 100, 3000])
@pytest.mark.parametrize("name", BY_NAME)
def test_saving_to_a_full_disk_keeps_the_old_file_and_the_fit(name, n_bytes, tmp_path):
    estimator = fitted(name)
    estimator.save(tmp_path / "model")
    state, files = dict(vars(estimator)), contents(tmp_path)
    with room_for(n_bytes), pytest.raises(OSError, match="File too large"):
        estimator.save(tmp_path / "model")
    with room_for(n_bytes), pytest.raises(OSError, match="File too large"):
        estimator.save(tmp_path / "other")
    assert contents(tmp_path) == files
    assert vars(estimator) == state
    estimator.save(tmp_path / "model")
    assert contents(tmp_path) == files


@pytest.mark.parametrize("n_bytes", [0, 2000])
@pytest.mark.parametrize("name", BY_NAME)
def test_a_fit_without_room_for_its_checkpoint_changes_nothing(name, n_bytes, tmp_path):
    fresh, data = made(name, checkpoint=tmp_path)
    used = copy(fitted(name)).set_params(checkpoint=tmp_path)
    for estimator in (fresh, used):
        state = dict(vars(estimator))
        with room_for(n_bytes), pytest.raises(OSError, match="File too large"):
            estimator.fit(*data)
        assert vars(estimator) == state
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_fit_continues_once_there_is_room_again(name, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fsync)  # to be put back
    before(os, "fsync", 7, disk_full)  # two an epoch: its file's, and the folder's
    with pytest.raises(OSError, match="No space left"):
        fit(name, checkpoint=tmp_path)
    monkeypatch.undo()
    (kept,) = checkpoints(tmp_path)
    assert kept.header["state"]["epoch"] == 3
    assert len(contents(tmp_path)) == 1
    assert_same_fit(fit(name, checkpoint=tmp_path), fitted(name))


def unwritable(tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    return folder


PLACES = {
    "a folder that may only be read": unwritable,
    "a file system that holds no files": lambda tmp_path: Path("/proc"),
    "a file": lambda tmp_path: Path(__file__),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_cannot_be_written_is_an_os_error(place, tmp_path):
    folder = PLACES[place](tmp_path)
    if place == "a folder that may only be read" and os.geteuid() == 0:
        pytest.skip("the root user may write there")
    if not folder.parent.is_dir() or (place.endswith("files") and not folder.is_dir()):
        pytest.skip(f"there is no {folder}")
    estimator, data = made("ctc", checkpoint=folder / "runs")
    state = dict(vars(estimator))
    with pytest.raises(OSError, match=str(folder)):
        estimator.fit(*data)
    assert vars(estimator) == state
    with pytest.raises(OSError, match=str(folder)):
        fitted().save(folder / "model")


def test_a_folder_for_checkpoints_that_cannot_be_written_is_told_before_training(
    tmp_path, monkeypatch
):
    tmp_path.chmod(0o555)
    if os.geteuid() == 0:  # who may write everywhere
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    monkeypatch.setattr(Trainer, "step", None)
    estimator, data = made("ctc", checkpoint=tmp_path)
    with pytest.raises(PermissionError, match=f"checkpoint='{tmp_path}'"):
        estimator.fit(*data)


def test_a_missing_folder_is_made_for_checkpoints_but_not_by_save(tmp_path):
    folder = tmp_path / "missing"
    with pytest.raises(OSError, match=str(folder)):
        fitted().save(folder / "model")
    fit(checkpoint=folder / "runs", epochs=1)
    assert len(contents(folder / "runs")) == 1


# -- interruptions -------------------------------------------------------------------


class InterruptIn(keras.callbacks.Callback):
    """Sends Control-C some seconds after the first epoch, wherever training is then."""

    def __init__(self, delay):
        super().__init__()
        self.delay = delay

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            interrupt = partial(os.kill, os.getpid(), signal.SIGINT)
            threading.Timer(self.delay, interrupt).start()


@pytest.fixture
def interruptible():
    """Let Control-C interrupt; a process started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# An interruption between opening a file and `with` leaves it to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("delay", np.random.default_rng(1).uniform(0, 0.2, 2).round(3))
@pytest.mark.parametrize("name", BY_NAME)
def test_control_c_at_any_moment_leaves_whole_epochs(name, delay, tmp_path):
    n_threads = threading.active_count()
    params = {
        "epochs": 10**4,
        "checkpoint": tmp_path,
    }  # far more than there is time for
    interrupted, data = made(name, callbacks=[InterruptIn(delay)], **params)
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(*data)
    if interrupted.__sklearn_is_fitted__():
        whole = fit(name, epochs=interrupted.n_iter_)
        assert_same_fit(interrupted, whole)
    assert all(name.endswith(".skseq") for name in contents(tmp_path))
    time.sleep(0.05)
    assert threading.active_count() <= n_threads


class Raise(keras.callbacks.Callback):
    """Raises an error where it is told to."""

    def __init__(self, hook, error):
        super().__init__()
        setattr(self, hook, self._raise)
        self.error = error

    def _raise(self, *args, **logs):
        raise self.error("on purpose")


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        ("on_train_begin", SystemExit),
        ("on_epoch_begin", KeyboardInterrupt),
        ("on_train_batch_begin", MemoryError),
        ("on_train_batch_end", SystemExit),
        ("on_epoch_end", KeyboardInterrupt),
        ("on_train_end", ZeroDivisionError),
    ],
)
def test_a_callback_that_raises_leaves_no_trace_in_the_next_fit(hook, error, tmp_path):
    estimator, data = made("ctc", callbacks=[Raise(hook, error)], checkpoint=tmp_path)
    state = dict(vars(estimator))
    with pytest.raises(error, match="on purpose"):
        estimator.fit(*data)
    assert vars(estimator) == state
    assert_same_fit(fit(), fitted())


@pytest.mark.parametrize("name", BY_NAME)
def test_a_lack_of_memory_is_a_memory_error_that_says_what_to_do(name, monkeypatch):
    def exhausted(*args, **kwargs):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    used, data = copy(fitted(name)), made(name)[1]
    state = dict(vars(used))
    monkeypatch.setattr(Trainer, "step", exhausted)
    monkeypatch.setattr("skseq._base.prediction_batches", exhausted)
    answer = getattr(used, BY_NAME[name].answers)
    for use in (lambda: used.fit(*data), lambda: answer(data[0])):
        with pytest.raises(
            MemoryError, match=r"Lower batch_size, or beam_w.* cut the longest"
        ):
            use()
    assert vars(used) == state
    monkeypatch.undo()
    assert_same_fit(fit(name), fitted(name))


# -- losses that are lost --------------------------------------------------------------


@pytest.mark.parametrize("name", BY_NAME)
def test_divergence_leaves_the_last_finite_epoch_on_the_disk(name, tmp_path):
    steep = {"learning_rate": 3e37, "optimizer": "sgd", "epochs": 50}
    steep["optimizer__momentum"] = 0.99  # goes on where gradients have vanished
    for _ in range(2):  # going on from the checkpoint ends there again
        with pytest.raises(TrainingDivergedError) as caught:
            fit(name, checkpoint=tmp_path, **steep)
    assert caught.value.epoch <= 50
    kept = 0
    for archive in checkpoints(tmp_path):
        kept = archive.header["state"]["epoch"]
        assert all(np.isfinite(array).all() for array in archive.arrays.values())
    assert kept == caught.value.epoch - 1
    assert_same_fit(fit(name), fitted(name))
