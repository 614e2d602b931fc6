import json
import os
import re
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import keras
import numpy as np
import pytest

from skseq._engine.callbacks import make_callbacks
from skseq._engine.checkpoint import KIND, Checkpoint, clear_checkpoints
from skseq._engine.optimizers import make_optimizer
from skseq._engine.programs import Program
from skseq._engine.state import Subset, TrainingPlan, TrainingState
from skseq._engine.training import Run
from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import pack, unpack
from skseq._nn.initial_weights import initial_weights
from tests.tiny import RECIPE, frame_data

ORIGIN = {"units": "128", "data": "f00-1"}


@pytest.fixture(scope="module")
def programs():
    """Two, so that a run never resumes in the program that it was interrupted in."""
    return [Program(RECIPE) for _ in range(2)]


def states(
    program,
    folder=None,
    *,
    epochs,
    patience=None,
    callbacks=None,
    factory="adam",
    **routed,
):
    """Train, from the checkpoint where there is one; yields the states."""
    plan = TrainingPlan(epochs, batch_size=3, shuffle=True, seed=5, patience=patience)
    checkpoint = folder and Checkpoint(folder, ORIGIN)
    if checkpoint:
        checkpoint.start(5)
    optimizer = make_optimizer(factory, routed={"learning_rate": 0.2, **routed})
    first = TrainingState(0, initial_weights(program.model, 0), None)
    parts = [Subset(frame_data(n, n), np.arange(n)) for n in (6, 4)]
    made = make_callbacks(callbacks)
    run = Run(program, optimizer, plan, *parts, callbacks=made, checkpoint=checkpoint)
    return run.states(first)


def interrupted(program, folder, after, **options):
    running = states(program, folder, **options)
    for _ in range(after):
        next(running)
    running.close()


def assert_same_state(state, expected):
    for name in ("weights", "optimizer_state", "best_weights"):
        values, wanted = getattr(state, name), getattr(expected, name)
        assert (values is None) == (wanted is None)
        for value, item in zip(values or [], wanted or [], strict=True):
            np.testing.assert_array_equal(value, item)
    for name in ("epoch", "history", "best_loss", "is_stopped"):
        assert getattr(state, name) == getattr(expected, name)
    assert state.epochs_without_improvement == expected.epochs_without_improvement


RUNS = {
    "plain": {"epochs": 5},
    "early stopping": {"epochs": 30, "patience": 3},
    "plateau": {
        "epochs": 6,
        "callbacks": [keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.5)],
    },
    "early stopping of keras": {
        "epochs": 30,
        "callbacks": [
            keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
        ],
    },
    "averaged weights": {"epochs": 5, "use_ema": True, "ema_momentum": 0.5},
}


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 4])
@pytest.mark.parametrize("name", RUNS)
def test_an_interrupted_fit_ends_as_an_uninterrupted_one(
    name, after, programs, tmp_path
):
    folder = tmp_path / "runs"
    *_, expected = states(programs[0], **RUNS[name])
    interrupted(programs[0], folder, after, **RUNS[name])
    resumed = list(states(programs[1], folder, **RUNS[name]))
    assert resumed[0].epoch == after + 1
    assert_same_state(resumed[-1], expected)


def test_a_fit_can_be_interrupted_after_every_epoch(programs, tmp_path):
    folder = tmp_path / "runs"
    *_, expected = states(programs[0], epochs=4)
    for i in range(3):
        interrupted(programs[i % 2], folder, 1, epochs=4)
    *_, end = states(programs[1], folder, epochs=4)
    assert_same_state(end, expected)


@pytest.mark.parametrize("name", RUNS)
def test_a_finished_fit_resumes_at_its_end(name, programs, tmp_path):
    folder = tmp_path / "runs"
    *_, expected = states(programs[0], folder, **RUNS[name])
    (end,) = states(programs[1], folder, **RUNS[name])
    assert_same_state(end, expected)


def test_a_finished_fit_makes_no_training_step(programs, tmp_path, monkeypatch):
    *_, expected = states(programs[0], tmp_path, epochs=2)
    monkeypatch.setattr(Program, "trainer", None)
    (end,) = states(programs[1], tmp_path, epochs=2)
    assert_same_state(end, expected)


class TwoMore(keras.optimizers.SGD):
    """Leaves each weight larger by two at the end of training."""

    def finalize_variable_values(self, var_list):
        for weight in var_list:
            weight.assign(weight + 2)


def test_what_an_optimizer_does_at_the_end_is_done_to_a_finished_fit_too(
    programs, tmp_path
):
    *_, last, expected = states(programs[0], tmp_path, factory=TwoMore, epochs=2)
    (end,) = states(programs[1], tmp_path, factory=TwoMore, epochs=2)
    assert_same_state(end, expected)
    assert np.mean(end.weights[0] - last.weights[0]) == pytest.approx(2, abs=1e-5)


def test_more_epochs_may_be_asked_of_a_finished_fit(programs, tmp_path):
    folder = tmp_path / "runs"
    list(states(programs[0], folder, epochs=2))
    *_, end = states(programs[1], folder, epochs=5)
    *_, expected = states(programs[0], epochs=5)
    assert_same_state(end, expected)


# -- the file --------------------------------------------------------------------------


def some_state(**changes):
    return TrainingState(
        **{
            "epoch": 3,
            "weights": [np.ones((2, 3), "float32"), np.zeros(3, "float32")],
            "optimizer_state": [np.array(7), np.ones(2)],
            "history": {"loss": [2.0, float("inf"), float("nan")]},
            "best_loss": 0.5,
            **changes,
        }
    )


def saved(folder, state=None, callback_state=(), origin=ORIGIN, conditions=None):
    """The checkpoint file that a fit has left in a folder."""
    checkpoint = Checkpoint(folder, origin, conditions)
    checkpoint.start(11)
    checkpoint.save(state or some_state(), list(callback_state))
    return Path(checkpoint.path)


def again(path):
    """The checkpoint of the fit that has left this file."""
    return Checkpoint(path.parent, ORIGIN)


@pytest.mark.parametrize("best_weights", [None, [np.ones(2)]])
def test_a_state_comes_back_as_it_was_saved(tmp_path, best_weights):
    state = some_state(best_weights=best_weights, is_stopped=True)
    back = again(saved(tmp_path, state)).state
    np.testing.assert_array_equal(back.history["loss"], state.history["loss"])
    back.history["loss"][:] = state.history["loss"][:] = []
    assert_same_state(back, state)


def test_what_callbacks_remember_comes_back(tmp_path):
    remembered = [
        {"wait": 2, "best": float("inf"), "name": "a", "flag": True, "none": None},
        {"best_weights": [np.ones(3), np.array(2)], "seen": {"a": (1, [2.5])}},
    ]
    path = saved(tmp_path, callback_state=remembered)
    first, second = again(path).callback_state
    assert first == remembered[0]
    np.testing.assert_array_equal(second["best_weights"][0], np.ones(3))
    assert second["seen"] == {"a": (1, [2.5])}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "bool"])
def test_the_numbers_of_numpy_that_callbacks_remember_keep_their_type(tmp_path, dtype):
    best = np.array(1 / 3).astype(dtype)[()]
    path = saved(tmp_path, callback_state=[{"best": best}])
    (remembered,) = again(path).callback_state
    assert type(remembered["best"]) is type(best)
    assert remembered["best"].tobytes() == best.tobytes()


class RunningLoss(keras.callbacks.Callback):
    """Remembers numbers of several types, of which the next ones are computed."""

    def on_train_begin(self, logs=None):
        self.mean, self.means, self.n_epochs = np.float32(0), [], np.int8(0)

    def on_epoch_end(self, epoch, logs=None):
        self.mean = self.mean * np.float32(0.9) + np.float32(logs["loss"] / 3)
        self.n_epochs = self.n_epochs + np.int8(1)
        self.means.append(self.mean)
        logs["mean"] = self.mean


def test_a_callback_that_counts_in_single_precision_resumes_to_the_bit(
    programs, tmp_path
):
    folder, options = tmp_path / "runs", {"epochs": 5, "callbacks": [RunningLoss]}
    *_, expected = states(programs[0], **options)
    interrupted(programs[0], folder, 2, **options)
    *_, end = states(programs[1], folder, **options)
    assert_same_state(end, expected)
    (remembered,) = Checkpoint(folder, ORIGIN).callback_state
    assert {type(mean) for mean in remembered["means"]} == {np.float32}
    assert (type(remembered["n_epochs"]), remembered["n_epochs"]) == (np.int8, 5)


def test_long_histories_take_no_room_in_the_header(tmp_path):
    history = {"loss": np.random.default_rng(0).random(100_000).tolist()}
    path = saved(tmp_path, some_state(history=history))
    assert again(path).state.history == history
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("skseq.json").file_size < 5000


def test_what_a_callback_remembers_and_no_file_can_hold_is_named(tmp_path):
    remembered = [{}, {"seen": {(1,): 2}}]
    with pytest.raises(
        TypeError, match=r"callbacks\[1\]\['seen'\]=\{\(1,\): 2\} cannot"
    ):
        saved(tmp_path, callback_state=remembered)
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_fit_uses_the_seed_of_the_interrupted_one(tmp_path):
    path = saved(tmp_path)
    assert again(path).start(99) == 11


def test_a_new_checkpoint_starts_with_its_own_seed(tmp_path):
    checkpoint = Checkpoint(tmp_path, ORIGIN)
    assert checkpoint.start(99) == 99
    assert checkpoint.state is None
    assert list(tmp_path.iterdir()) == []


OTHER_FITS = {
    "units was '128' and is '64'": {**ORIGIN, "units": "64"},
    "data was 'f00-1' and is 'bad-1'": {**ORIGIN, "data": "bad-1"},
    "units was '128' and is 'not given'": {"data": "f00-1"},
    "momentum was 'not given' and is '0.9'": {**ORIGIN, "momentum": "0.9"},
}


@pytest.mark.parametrize("origin", OTHER_FITS.values(), ids=OTHER_FITS)
def test_fits_of_other_data_or_parameters_never_meet_in_a_folder(tmp_path, origin):
    path = saved(tmp_path)
    other = Checkpoint(tmp_path, origin)
    assert (other.state, other.start(99)) == (None, 99)
    other.save(some_state(epoch=1), [])
    assert other.path != str(path)
    assert (again(path).state.epoch, Checkpoint(tmp_path, origin).state.epoch) == (3, 1)


@pytest.mark.parametrize(("difference", "origin"), OTHER_FITS.items(), ids=OTHER_FITS)
def test_a_file_under_another_fits_name_is_refused(tmp_path, difference, origin):
    path = saved(tmp_path)
    path.rename(Checkpoint(tmp_path, origin).path)
    with pytest.raises(ValueError, match=f"of another fit: {difference}. Delete the"):
        Checkpoint(tmp_path, origin)


def test_a_fit_under_other_conditions_starts_anew_and_warns_of_the_old_file(tmp_path):
    path = saved(tmp_path, conditions={"threads": 2})
    with pytest.warns(UserWarning, match="threads was 2 and is 1") as caught:
        fresh = Checkpoint(tmp_path, ORIGIN, {"threads": 1})
    assert str(path) in str(caught[0].message)
    assert fresh.state is None
    fresh.start(1)
    fresh.save(some_state(epoch=1), [])
    for threads, epoch in ((1, 1), (2, 3)):  # and each finds its own, without a word
        found = Checkpoint(tmp_path, ORIGIN, {"threads": threads})
        assert found.state.epoch == epoch


def test_a_fit_of_fewer_epochs_leaves_a_longer_ones_file_alone(tmp_path):
    path = saved(tmp_path, some_state(epoch=3))
    written = path.read_bytes()
    for epochs, epoch in ((5, 3), (3, 3), (2, None)):
        state = Checkpoint(tmp_path, ORIGIN, epochs=epochs).state
        assert (state and state.epoch) == epoch
    shorter = Checkpoint(tmp_path, ORIGIN, epochs=2)
    assert shorter.start(99) == 99
    shorter.save(some_state(epoch=2), [])
    assert Checkpoint(tmp_path, ORIGIN, epochs=2).state.epoch == 2
    assert path.read_bytes() == written


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"my thesis"])
def test_a_damaged_file_of_other_conditions_is_passed_over(tmp_path, content):
    path = saved(tmp_path, conditions={"threads": 2})
    path.write_bytes(content)
    assert Checkpoint(tmp_path, ORIGIN, {"threads": 1}).state is None
    assert path.read_bytes() == content


def test_the_file_is_named_the_same_in_any_process_and_any_order(tmp_path):
    conditions = {"threads": 2}
    names = [
        Path(Checkpoint(tmp_path, dict(items), conditions).path).name
        for items in (ORIGIN.items(), reversed(ORIGIN.items()))
    ]
    assert names == ["52f0a8341ca94c8c-1ae960a403da30fb.skseq"] * 2


@pytest.mark.parametrize(
    "name", ["runs/of/today", "run[1]*?", "C:\\runs", "CON", "a b."]
)
def test_a_missing_folder_is_made_whatever_its_name(tmp_path, name):
    path = saved(tmp_path / name, conditions={"threads": 1})
    assert path.parent == tmp_path / name
    assert Checkpoint(tmp_path / name, ORIGIN, {"threads": 1}).state.epoch == 3
    with pytest.warns(UserWarning, match="under other conditions"):
        Checkpoint(tmp_path / name, ORIGIN, {"threads": 2})


def test_a_file_in_the_folders_place_is_refused_and_kept(tmp_path):
    (tmp_path / "fit.skseq").write_text("my thesis")
    with pytest.raises(ValueError, match=r"fit.skseq' is a file, and must be a folder"):
        Checkpoint(tmp_path / "fit.skseq", ORIGIN)
    assert (tmp_path / "fit.skseq").read_text() == "my thesis"


def test_fits_of_one_origin_at_once_leave_a_whole_file(tmp_path):
    def save(epoch):
        for _ in range(20):
            saved(tmp_path, some_state(epoch=epoch))
            assert again(tmp_path / "any").state.epoch < 4

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save, range(4)))
    (path,) = tmp_path.iterdir()
    assert again(path).state.epoch < 4


def test_a_fit_that_another_has_overtaken_does_not_take_it_back(tmp_path):
    slow, fast = Checkpoint(tmp_path, ORIGIN), Checkpoint(tmp_path, ORIGIN)
    for checkpoint in (slow, fast):
        checkpoint.start(11)
    slow.save(some_state(epoch=1), [])
    for epoch in (1, 2):
        fast.save(some_state(epoch=epoch), [])
    written = Path(fast.path).read_bytes()
    slow.save(some_state(epoch=1), [])
    slow.save(some_state(epoch=2), [])
    assert Path(fast.path).read_bytes() == written
    slow.save(some_state(epoch=3), [])
    assert again(tmp_path / "any").state.epoch == 3


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"PK")])
def test_what_others_leave_broken_is_written_again(tmp_path, spoil):
    checkpoint = Checkpoint(tmp_path, ORIGIN)
    checkpoint.start(11)
    checkpoint.save(some_state(epoch=2), [])
    spoil(Path(checkpoint.path))
    checkpoint.save(some_state(epoch=3), [])
    assert again(tmp_path / "any").state.epoch == 3


def test_a_fit_of_another_seed_is_written_over(tmp_path):
    ours, others = Checkpoint(tmp_path, ORIGIN), Checkpoint(tmp_path, ORIGIN)
    others.start(12)
    others.save(some_state(epoch=3), [])
    ours.start(11)
    ours.save(some_state(epoch=1), [])
    assert (again(tmp_path / "any").seed, again(tmp_path / "any").state.epoch) == (
        11,
        1,
    )


@pytest.mark.parametrize("position", [0.0, 0.3, 0.6, 0.99])
def test_a_damaged_file_is_refused(tmp_path, position):
    path = saved(tmp_path)
    content = bytearray(path.read_bytes())
    place = int(position * len(content))
    content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        again(path)


@pytest.mark.parametrize("n_bytes", [0, 10, 300])
def test_a_truncated_file_is_refused(tmp_path, n_bytes):
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match="is not a skseq file"):
        again(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": {}},
        {"state": {"epoch": 1, "unknown": 2}},
        {"state": 3},
        {"seed": None},
        {"seed": -1},
        {"seed": 2**200},
        {"seed": "7"},
        {"origin": 3},
        {"state": []},
        {"origin": [1]},
        {"callbacks": [{"best": {"$array": "no such array"}}]},
        {"callbacks": [{"best": {"$array": "state['weights'][0]"}}]},
        {"callbacks": [{"best": {"$float": "many"}}]},
        {"callbacks": [{"best": {"$pickle": "os.system"}}]},
    ],
)
def test_a_header_that_holds_no_state_is_refused(tmp_path, changes):
    path = saved(tmp_path)
    archive = read_archive(path)
    write_archive(path, {**archive.header, **changes}, archive.arrays)
    with pytest.raises(
        ValueError, match=r"checkpoint .* is damaged: .*Delete the file"
    ):
        again(path)


def changed(path, change):
    """Change a file's state as somebody might who cannot be trusted."""
    archive = read_archive(path)
    header = dict(archive.header)
    kind = header.pop("kind")
    content = unpack(header, archive.arrays)
    change(content["state"])
    values, arrays = pack(content)
    write_archive(path, {"kind": kind, **values}, arrays)


UNUSABLE = {
    "NaN weights": lambda state: state["weights"][0].fill(np.nan),
    "infinite best weights": lambda state: state.update(
        best_weights=[np.full_like(w, np.inf) for w in state["weights"]]
    ),
    "weights of other shapes": lambda state: state["weights"].pop(),
    "weights that are not arrays": lambda state: state.update(
        weights=[1.0] * len(state["weights"])
    ),
    "an optimizer's state of lists": lambda state: state.update(
        optimizer_state=[[1.0]] * len(state["optimizer_state"])
    ),
    "weights that are not a list": lambda state: state.update(weights=3),
    "epochs that are not a number": lambda state: state.update(epoch="9"),
    "a negative epoch": lambda state: state.update(epoch=-1),
    "a longer history": lambda state: state["history"]["loss"].append(1.0),
    "a history of texts": lambda state: state.update(history={"loss": ["a"]}),
    "a history that is not a dict": lambda state: state.update(history=[1.0]),
    "another optimizer's state": lambda state: state["optimizer_state"].pop(),
    "an optimizer's state of other numbers": lambda state: state.update(
        optimizer_state=[v.astype("float64") for v in state["optimizer_state"]]
    ),
    "NaN in the optimizer's state": lambda state: state["optimizer_state"][-1].fill(
        np.nan
    ),
    "infinity in the optimizer's state": lambda state: state["optimizer_state"][
        -1
    ].fill(np.inf),
    "no weights": lambda state: state.update(weights=None),
    "no history": lambda state: state.update(history={}),
    "a loss of NaN": lambda state: state.update(history={"loss": [1.0, np.nan]}),
    "a second history that is short": lambda state: state["history"].update(a=[]),
    "a best loss of NaN": lambda state: state.update(best_loss=np.nan),
    "a best loss of minus infinity": lambda state: state.update(best_loss=-np.inf),
    "a best loss of text": lambda state: state.update(best_loss="a"),
    "a stop that is not a flag": lambda state: state.update(is_stopped=1),
}


# What only an optimizer can tell, which a finished fit makes none of.
OF_THE_OPTIMIZER = {
    "another optimizer's state",
    "an optimizer's state of other numbers",
}


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE)
def test_a_state_that_no_training_can_have_left_is_refused(programs, tmp_path, change):
    interrupted(programs[0], tmp_path, 2, epochs=4)
    (path,) = tmp_path.iterdir()
    changed(path, change)
    with pytest.raises(ValueError, match=r"is damaged: .*Delete the file to start"):
        list(states(programs[1], tmp_path, epochs=4))


@pytest.mark.parametrize(
    "name",
    sorted(n for n in UNUSABLE if "another opt" not in n and "other num" not in n),
)
def test_nor_is_it_taken_for_a_finished_fit(programs, tmp_path, name):
    list(states(programs[0], tmp_path, epochs=2))
    (path,) = tmp_path.iterdir()
    changed(path, UNUSABLE[name])
    with pytest.raises(ValueError, match=r"is damaged: .*Delete the file to start"):
        list(states(programs[1], tmp_path, epochs=2))


def test_an_array_that_belongs_to_nothing_is_refused(tmp_path):
    path = saved(tmp_path)
    archive = read_archive(path)
    write_archive(path, archive.header, {**archive.arrays, "more": np.ones(2)})
    with pytest.raises(ValueError, match=r"is damaged: .*arrays \['more'\]"):
        again(path)


def test_an_origin_that_is_not_text_is_another_fits(tmp_path):
    path = saved(tmp_path)
    archive = read_archive(path)
    header = {**archive.header, "origin": {**ORIGIN, "units": {"$array": "more"}}}
    write_archive(path, header, {**archive.arrays, "more": np.ones(2)})
    with pytest.raises(ValueError, match=r"of another fit: units was array.* is '128'"):
        again(path)


def test_another_kind_of_skseq_file_is_refused(tmp_path):
    path = Checkpoint(tmp_path, ORIGIN).path
    write_archive(path, {"kind": "estimator"}, {})
    with pytest.raises(ValueError, match="a skseq file, but not a checkpoint"):
        Checkpoint(tmp_path, ORIGIN)


def test_the_header_is_plain_json(tmp_path):
    path = saved(tmp_path)
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("skseq.json"))["header"]
    assert header["kind"] == KIND
    assert header["origin"] == ORIGIN


# -- clearing a folder -----------------------------------------------------------------


def a_folder_of_all_kinds(folder):
    """A folder of two checkpoints among other things, which are returned."""
    made = saved(folder), saved(folder, origin={"units": "3"})
    write_archive(folder / "model.skseq", {"kind": "estimator"}, {})
    (folder / "damaged.skseq").write_bytes(made[0].read_bytes()[:300])
    (folder / "pickle.skseq").write_bytes(b"\x80\x05 of something")
    (folder / "copy.bak").write_bytes(made[0].read_bytes())
    (folder / "link.skseq").symlink_to(made[0])
    (folder / "inside.skseq").mkdir()
    saved(folder / "inside.skseq")
    return {path.name for path in folder.iterdir()} - {path.name for path in made}


def test_clearing_a_folder_deletes_checkpoints_and_nothing_else(tmp_path):
    others = a_folder_of_all_kinds(tmp_path)
    assert clear_checkpoints(tmp_path) == 2
    assert {path.name for path in tmp_path.iterdir()} == others
    assert len(list((tmp_path / "inside.skseq").iterdir())) == 1
    assert clear_checkpoints(str(tmp_path)) == 0


@pytest.mark.parametrize("age", [3600, 3600.0, timedelta(hours=1)])
def test_only_checkpoints_that_are_old_enough_are_deleted(tmp_path, age):
    old, new = saved(tmp_path), saved(tmp_path, origin={"units": "3"})
    for path, hours in ((old, 1.1), (new, 0.9)):
        os.utime(path, times=(time.time() - hours * 3600,) * 2)
    assert clear_checkpoints(tmp_path, older_than=age) == 1
    assert list(tmp_path.iterdir()) == [new]
    assert clear_checkpoints(tmp_path, older_than=0) == 1


@pytest.mark.parametrize("age", [-1, float("nan"), "a day", True, timedelta(-1)])
def test_an_age_that_is_none_is_refused(tmp_path, age):
    path = saved(tmp_path)
    with pytest.raises(ValueError, match="'older_than' parameter of clear_checkpoints"):
        clear_checkpoints(tmp_path, older_than=age)
    assert path.exists()


@pytest.mark.parametrize("folder", ["missing", "file", None, 3])
def test_what_is_not_a_folder_cannot_be_cleared(tmp_path, folder):
    (tmp_path / "file").touch()
    place = tmp_path / folder if isinstance(folder, str) else folder
    with pytest.raises(ValueError, match=r"(?i)folder.* (is not a folder|must be)"):
        clear_checkpoints(place)


def test_a_fit_goes_on_where_its_folder_was_cleared(programs, tmp_path):
    *_, expected = states(programs[0], epochs=4)
    running = states(programs[1], tmp_path, epochs=4)
    next(running)
    assert clear_checkpoints(tmp_path) == 1
    *_, end = running
    assert_same_state(end, expected)
    assert again(tmp_path / "any").state.epoch == 4


# -- folders and files that cannot be used ---------------------------------------------


def in_a_file(folder):
    (folder / "file").write_text("")
    return folder / "file" / "checkpoints"


def dangling(folder):
    (folder / "link").symlink_to(folder / "missing" / "folder")
    return folder / "link"


@pytest.mark.parametrize(
    "place", [in_a_file, dangling, lambda folder: folder / ("x" * 300)]
)
def test_a_folder_that_cannot_be_made_is_named(tmp_path, place):
    with pytest.raises(OSError, match=r"^checkpoint='.*' cannot be made a folder: "):
        Checkpoint(place(tmp_path), ORIGIN)


def test_a_tilde_is_the_home_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Checkpoint("~/fits", ORIGIN).folder == str(tmp_path / "fits")


def a_torn_file(path):
    path.write_bytes(b"PK\x03\x04 torn")


def a_link_to_nothing(path):
    path.symlink_to(f"{path} is gone")


@pytest.mark.parametrize(
    "spoil", [a_torn_file, Path.touch, Path.mkdir, os.mkfifo, a_link_to_nothing]
)
def test_what_is_not_a_checkpoint_in_its_place_is_to_be_deleted(tmp_path, spoil):
    path = Path(Checkpoint(tmp_path, ORIGIN).path)
    spoil(path)
    with pytest.raises(
        (OSError, ValueError), match=rf"{path.name}('| is .*)\. Delete the file to st"
    ):
        Checkpoint(tmp_path, ORIGIN)
