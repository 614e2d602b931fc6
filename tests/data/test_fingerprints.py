"""Descriptions and checksums tell values apart, and are the same in any process."""

import zlib
from functools import partial

import keras
import numpy as np
import pytest

from skseq._data.fingerprints import MAX_LENGTH, describe, fingerprint_arrays
from tests.processes import run_python

# -- values as text --------------------------------------------------------------------


def double(x):
    return 2 * x


class Plain:
    def __init__(self, factor):
        self.factor = factor


def scaling(factor, times=1):
    def scale(x, times=times):
        return factor * x * times

    return scale


class Scaler:
    def __init__(self, factor, inner=None):
        self.factor, self.inner, self.itself = [factor], inner, self

    def scale(self, x):
        return self.factor * x


def parameters():
    return [
        128,
        0.5,
        "adam",
        None,
        (1, 2),
        {"a": 1},
        {"a": double},
        double,
        partial(double, 3),
        scaling(2),
        scaling(3),
        scaling(3, times=2),
        scaling(scaling(2)),
        partial(scaling(2), 3),
        lambda x: x + 1,
        lambda x: x + 2,
        Scaler(1),
        Scaler(2),
        Scaler(2, inner=Scaler(1)),
        Scaler(1).scale,
        Scaler(2).scale,
        {"a", "b", "c"},
        {"a", "b", "d"},
        keras.callbacks.LearningRateScheduler(scaling(2)),
        keras.callbacks.LearningRateScheduler(scaling(3)),
        Plain,
        Plain(1),
        Plain(2),
        [Plain(1)],
        keras.callbacks.EarlyStopping(patience=3),
        keras.callbacks.EarlyStopping(patience=5),
        keras.optimizers.SGD(momentum=0.5),
        np.arange(3),
        np.arange(3.0),
        np.zeros(5000),
        np.concatenate([np.zeros(2500), [1], np.zeros(2499)]),
        np.random.RandomState(0),
        np.random.RandomState(1),
        [0] * 1000,
        [0] * 999 + [1],
        "\ud800" * 1000,
    ]


FACTOR = 1


def by_global(x):
    return x * FACTOR


def by_helper(x):
    return by_global(x)


def by_nested(x):
    return [FACTOR * value for value in x] + [lambda: FACTOR]


class ByGlobal(keras.callbacks.Callback):
    rate = 0.5

    def on_epoch_begin(self, epoch, logs=None):
        self.rate = FACTOR

    @property
    def doubled(self):
        return by_global(2)


OF_GLOBALS = {
    "a function": by_global,
    "its caller": by_helper,
    "what it encloses": by_nested,
    "a class": ByGlobal,
    "an instance": ByGlobal(),
    "a schedule": keras.callbacks.LearningRateScheduler(by_helper),
}


@pytest.mark.parametrize("value", OF_GLOBALS.values(), ids=OF_GLOBALS)
def test_what_code_refers_to_is_part_of_its_description(value, monkeypatch):
    before = describe(value)
    monkeypatch.setattr(f"{__name__}.FACTOR", 2)
    assert describe(value) != before
    monkeypatch.setattr(f"{__name__}.FACTOR", 1)
    assert describe(value) == before


SEEN, COUNT = [], 0


def logging(x):
    global COUNT
    COUNT += 1
    SEEN.append(x)
    return x


class Logging(keras.callbacks.Callback):
    count = 0

    def on_epoch_end(self, epoch, logs=None):
        Logging.count += 1
        SEEN.append(epoch)


@pytest.mark.parametrize(
    "value", [logging, Logging, Logging()], ids=["function", "class", "instance"]
)
def test_what_code_writes_to_does_not_belong_to_its_description(value, monkeypatch):
    before = describe(value)
    monkeypatch.setattr(f"{__name__}.SEEN", [1])
    monkeypatch.setattr(f"{__name__}.COUNT", 1)
    monkeypatch.setattr(Logging, "count", 1)
    assert describe(value) == before


@pytest.mark.parametrize("value", [ByGlobal, ByGlobal()], ids=["a class", "instance"])
def test_the_methods_and_constants_of_a_users_class_are_described(value, monkeypatch):
    before = describe(value)
    with monkeypatch.context() as patch:
        patch.setattr(ByGlobal, "on_epoch_end", lambda self, epoch, logs=None: None)
        assert describe(value) != before
    with monkeypatch.context() as patch:
        patch.setattr(ByGlobal, "doubled", property(lambda self: 3))
        assert describe(value) != before
    assert describe(value) == before


def test_arrays_of_objects_are_described_by_what_they_hold():
    def ragged(last):
        array = np.empty(2, object)
        array[:] = [np.arange(5.0), np.array([1, last])]
        return array

    assert describe(ragged(2)) == describe(ragged(2))
    assert describe(ragged(2)) != describe(ragged(3))


def test_different_parameters_have_different_descriptions():
    texts = [describe(value) for value in parameters()]
    assert len(set(texts)) == len(texts)


def test_equal_parameters_have_equal_descriptions_wherever_they_lie_in_memory():
    first, second = parameters(), parameters()
    assert [describe(value) for value in first] == [describe(v) for v in second]
    assert " 0x" not in "".join(map(describe, first))


SCRIPT = """
from skseq._data.fingerprints import describe

def scaling(factor):
    return lambda x, units={"a", "b", "c", "d", "e"}: factor * x

print(describe([scaling(2), scaling, {"f", "g", "h"}, describe]))
"""


def test_a_description_is_the_same_in_every_process(capsys):
    # Sets come in another order under another seed of hashes.
    first, second = (run_python(SCRIPT, PYTHONHASHSEED=seed) for seed in "12")
    exec(SCRIPT, {"__name__": "__main__"})
    assert first == second == capsys.readouterr().out


def test_what_holds_itself_is_described_in_short():
    endless = []
    endless.append(endless)
    assert len(describe([endless, Scaler(1)])) < 300


def test_a_long_description_is_cut_and_its_rest_is_hashed():
    first, second = describe([0] * 1000), describe([0] * 999 + [1])
    assert first[:MAX_LENGTH] == second[:MAX_LENGTH]
    assert max(map(len, (first, second))) < MAX_LENGTH + 30
    assert describe([0] * 3) == "[0, 0, 0]"


def test_sets_and_dicts_are_described_by_what_they_hold():
    assert describe({"b", "c", "a"}) == "{'a', 'b', 'c'}"
    assert describe({"a": 1}) != describe({"a": 2}) != describe({"b": 2})


# -- arrays as checksums ---------------------------------------------------------------

ARRAYS = [np.arange(6.0).reshape(2, 3), np.arange(4, dtype="int32")]


def test_a_checksum_is_that_of_all_bytes_in_turn():
    joined = b"".join(array.tobytes() for array in ARRAYS)
    assert fingerprint_arrays(ARRAYS) == zlib.crc32(joined)
    assert fingerprint_arrays(iter(ARRAYS)) == fingerprint_arrays(ARRAYS)
    assert fingerprint_arrays([]) == 0


def test_a_checksum_does_not_depend_on_how_an_array_lies_in_memory():
    frames, _ = ARRAYS
    strided = np.repeat(frames, 2, axis=1)[:, ::2]
    for array in (np.asfortranarray(frames), strided, frames.tolist()):
        assert fingerprint_arrays([array]) == fingerprint_arrays([frames])


@pytest.mark.parametrize(
    "others",
    [
        [ARRAYS[0] + 1e-15, ARRAYS[1]],
        [ARRAYS[0].astype("float32"), ARRAYS[1]],
        [ARRAYS[0], ARRAYS[1][::-1]],
        ARRAYS[::-1],
        ARRAYS[:1],
    ],
    ids=["a bit", "a type", "an order", "the order of arrays", "one fewer"],
)
def test_other_arrays_have_another_checksum(others):
    assert fingerprint_arrays(others) != fingerprint_arrays(ARRAYS)
