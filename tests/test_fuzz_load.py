"""No file that is loaded does more than fail, in bounded memory."""

import hashlib
import io
import json
import os
import pickle
import struct
import sys
import tracemalloc
import zipfile
from contextlib import suppress

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from safetensors.numpy import save as save_tensors
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import VarianceThreshold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

import skseq
from skseq import TrainingDivergedError
from skseq._files.archive import read_archive, write_archive
from skseq.preprocessing import FrameDifference, FrameTransformer, SequenceNormalizer
from tests.estimators import CTC, ESTIMATORS
from tests.exploring import EFFORTS, explore

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    # A damaged file may hold numbers that are used before they are refused.
    pytest.mark.filterwarnings("ignore:invalid value encountered in cast"),
]

JSON, WEIGHTS = "skseq.json", "weights.safetensors"
HEADER = {"kind": "estimator", "classes": ["a", "b"], "units": [3, 2], "loss": 0.5}
ARRAYS = {"kernel": np.arange(12.0).reshape(4, 3), "bias": np.zeros(3, "float32")}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("archives") / "model.skseq"


@pytest.fixture(scope="module")
def valid(path):
    write_archive(path, HEADER, ARRAYS)
    return path.read_bytes()


def read_or_refuse(path, content):
    """Read a file of this content, in fitting memory; None if it is refused."""
    path.write_bytes(content)
    archive, most = watched(path, read_archive)
    assert most < 20 * len(content) + 2**20
    assert os.listdir(path.parent) == [path.name]
    return archive


def watched(path, read):
    """What is read, None if it is refused by name, and the most memory in between."""
    refusal = str(path)
    tracemalloc.start()
    try:
        found = read(path)
    except ValueError as error:
        found, refusal = None, str(error)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(path) in refusal
    return found, most


def assert_unchanged(archive):
    """What was read in spite of the damage is what was written."""
    assert archive.header == HEADER
    assert archive.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(archive.arrays[name], array, strict=True)


# -- damage ------------------------------------------------------------------------


def cut(draw, data):
    start, stop = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    return data[:start] + data[stop:]


def flip(draw, data):
    changed = bytearray(data)
    for place in draw(st.lists(st.integers(0, len(data) - 1), max_size=4)):
        changed[place] ^= 1 << draw(st.integers(0, 7))
    return bytes(changed)


def overwrite(draw, data):
    place, new = draw(st.integers(0, len(data))), draw(st.binary(max_size=40))
    return data[:place] + new + data[place + len(new) :]


def insert(draw, data):
    place, new = draw(st.integers(0, len(data))), draw(st.binary(max_size=40))
    return data[:place] + new + data[place:]


def repeat(draw, data):
    start, stop = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    return data[:stop] + data[start:]


DAMAGE = [cut, flip, overwrite, insert, repeat]


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_or_read_as_it_was(damage, effort, path, valid):
    def check(data):
        archive = read_or_refuse(path, damage(data.draw, valid))
        if archive is not None:
            assert_unchanged(archive)

    explore(check, 100, effort)


@pytest.mark.parametrize("effort", EFFORTS)
def test_other_bytes_are_refused(effort, path):
    starts = [b"", b"PK\x03\x04", b"PK\x05\x06", b"\x80\x05", b"\x89HDF\r\n", b"{"]

    def check(data):
        content = data.draw(st.sampled_from(starts)) + data.draw(st.binary())
        assert read_or_refuse(path, content) is None

    explore(check, 100, effort)


# -- well formed, but hostile --------------------------------------------------------


def zipped(entries, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def packed(document, weights):
    """A file with the right checksum of these weights, whatever they are."""
    if isinstance(document, dict):
        digest = hashlib.sha256(weights).hexdigest()
        document = json.dumps({"sha256": {WEIGHTS: digest}, "format": 1, **document})
    return zipped([(JSON, document), (WEIGHTS, weights)])


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(
    ["format", "header", "sha256", WEIGHTS, "a", "", "$tuple", "$list", "$dict"]
)
ANY_JSON = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("effort", EFFORTS)
def test_any_json_is_a_header_or_refused(effort, path):
    weights = save_tensors(ARRAYS)

    def check(data):
        header = data.draw(ANY_JSON)
        whole = header if data.draw(st.booleans()) else {"header": header}
        text = whole if isinstance(whole, dict) else json.dumps(whole)
        archive = read_or_refuse(path, packed(text, weights))
        assert archive is None or isinstance(archive.header, dict)

    explore(check, 150, effort)


TYPES = ["F64", "F32", "F16", "BF16", "I64", "U8", "BOOL", "O", "F8_E4M3", "", "C64"]
SIZES = st.integers(-1, 3) | st.sampled_from([2**31, 2**62, 2**64])
TENSORS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(TYPES),
        "shape": st.lists(SIZES, max_size=3),
        "data_offsets": st.lists(SIZES | st.just(24), max_size=3),
    }
)
NAMES = st.sampled_from(["a", "b", "", "../a", "__metadata__", "\0"])


@pytest.mark.parametrize("effort", EFFORTS)
def test_any_tensors_are_arrays_or_refused(effort, path):
    def check(data):
        described = data.draw(st.dictionaries(NAMES, TENSORS | ANY_JSON, max_size=3))
        text = json.dumps(described).encode()
        size = data.draw(st.just(len(text)) | SIZES.filter(lambda n: 0 <= n < 2**64))
        weights = struct.pack("<Q", size) + text + data.draw(st.binary(max_size=48))
        archive = read_or_refuse(path, packed({"header": {}}, weights))
        if archive is not None:
            assert sum(a.nbytes for a in archive.arrays.values()) <= 48

    explore(check, 150, effort)


@pytest.mark.parametrize("effort", EFFORTS)
def test_members_of_any_name_are_refused_and_never_written(effort, path):
    names = st.sampled_from(
        [JSON, WEIGHTS, f"../{JSON}", f"/tmp/{WEIGHTS}", f"{JSON}/", "..", "C:\\x", ""]
    )
    weights = save_tensors(ARRAYS)
    content = {JSON: packed({"header": {}}, weights), WEIGHTS: weights}

    def check(data):
        members = data.draw(st.lists(names | st.text(max_size=4), max_size=4))
        if members != [JSON, WEIGHTS]:
            entries = [(name, content.get(name, b"")) for name in members]
            assert read_or_refuse(path, zipped(entries)) is None

    explore(check, 60, effort)


# -- foreign files and bombs -----------------------------------------------------------


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def npz():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3), b=np.array([Bomb()], dtype=object))
    return buffer.getvalue()


def hdf5():
    h5py = pytest.importorskip("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["a"] = np.ones(3)
    return buffer.getvalue()


VAST = b"\0" * 2**24
FOREIGN = {
    "nothing": lambda: b"",
    "text": lambda: b"weights\n" * 100,
    "json": lambda: json.dumps({"format": 1}).encode(),
    "pickle": lambda: pickle.dumps(Bomb()),
    "pickle of protocol 0": lambda: pickle.dumps(Bomb(), protocol=0),
    "safetensors": lambda: save_tensors(ARRAYS),
    "npy": lambda: npz()[30:],
    "npz": npz,
    "hdf5": hdf5,
    "zip": lambda: zipped([("a.txt", b"a")]),
    "keras": lambda: zipped([("config.json", b"{}"), ("model.weights.h5", hdf5())]),
    "pickles": lambda: zipped([(JSON, pickle.dumps(Bomb())), (WEIGHTS, b"")]),
    "bomb": lambda: zipped([(JSON, VAST), (WEIGHTS, VAST)], zipfile.ZIP_DEFLATED),
    "bomb of weights": lambda: zipped(
        [(JSON, b'{"format": 1}'), (WEIGHTS, VAST)], zipfile.ZIP_LZMA
    ),
    "zip in a zip": lambda: zipped([(JSON, zipped([(JSON, b"")])), (WEIGHTS, b"")]),
    "many members": lambda: zipped([(f"{i}", b"") for i in range(5000)]),
    "deep json": lambda: packed('{"a":' * 50_000, save_tensors(ARRAYS)),
    "long number": lambda: packed("9" * 100_000, save_tensors(ARRAYS)),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused_in_little_memory(name, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_or_refuse(path, FOREIGN[name]()) is None
    assert os.listdir(tmp_path) == []


# -- whole estimators ------------------------------------------------------------------

FORBIDDEN = (
    *("compile", "exec", "import", "marshal.loads", "pickle.find_class"),
    *("os.system", "os.exec", "os.fork", "os.mkdir", "os.remove", "os.rename"),
    *("subprocess.Popen", "socket.connect", "ctypes.dlopen", "shutil.rmtree"),
)


def may_write(path, mode, flags):
    """Whether a file is opened to be written; os.open tells flags and no mode."""
    if mode is None:
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
    return "r" not in mode


class Watch:
    """Notes what Python is told to do while the watch is on."""

    def __init__(self):
        self.is_on, self.seen = False, []
        sys.addaudithook(self._hear)

    def _hear(self, event, args):
        writes = event == "open" and may_write(*args)
        if self.is_on and (event in FORBIDDEN or writes):
            self.seen.append((event, args))

    def __enter__(self):
        self.seen.clear()
        self.is_on = True

    def __exit__(self, *exception):
        self.is_on = False


@pytest.fixture(scope="module")
def watch():
    return Watch()  # one for the module, as an audit hook cannot be removed


def test_the_watch_notices_a_pickle(watch):
    with watch:
        pickle.loads(pickle.dumps(np.dtype))
    assert "pickle.find_class" in dict(watch.seen)


@pytest.fixture(scope="module", params=ESTIMATORS, ids=str)
def saved(request, tmp_path_factory):
    case, path = request.param, tmp_path_factory.mktemp("saved") / "model.skseq"
    case.tiny().fit(*case.draw(3)).save(path)
    skseq.load(path)  # imports what loading needs
    return case, path, read_archive(path)


def replaced(draw, value, depth=0):
    """The value with something else in one place, or in place of all."""
    if depth and (not isinstance(value, dict | list) or draw(st.integers(0, 3)) == 0):
        return draw(PLAIN | HOSTILE | ANY_JSON)
    if isinstance(value, dict):
        name = draw(st.sampled_from([*value, "os.system"]))
        if draw(st.integers(0, 9)) == 0:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: replaced(draw, value.get(name), depth + 1)}
    place = draw(st.integers(0, len(value)))
    item = value[place] if place < len(value) else None
    return [*value[:place], replaced(draw, item, depth + 1), *value[place + 1 :]]


HOSTILE = st.sampled_from(
    [
        *(2**31, 2**62, -1, 0, 1e308, "os.system", "__import__", "../x", "\ud800"),
        {"$tuple": [2**40]},
        {"$tuple": [2] * 500},
        {"cell": "exec"},
        {"$dict": [["cell", "exec"], ["cell", {"$str": "ff"}]]},
        {"$float": "nan"},
        {"$pickle": "os.system"},
        {"$tuple": {"$array": "vast"}},
        *(
            {tag: name}
            for tag in ("$array", "$scalar", "$characters", "$texts", "$list")
            for name in ("vast", "small", "none", "words", "classes_", "mean_")
        ),
    ]
)


# What the hostile values above refer to.
FURTHER_ARRAYS = {
    "vast": np.full(2000, 2, "int64"),
    "small": np.array([[3, 2**31]], "uint32"),
    "none": np.zeros((0, 2**40), "float64"),
    "words:utf8": np.frombuffer(b"abc", "uint8"),
    "words:lengths": np.array([1, 1, 1]),
}


def damaged_arrays(draw, arrays):
    """The arrays, one of them of another shape or dtype, or more or fewer of them."""
    name = draw(st.sampled_from(list(arrays)))
    change = draw(
        st.sampled_from(
            [
                lambda a: a.T,
                lambda a: np.atleast_1d(a)[:0],
                lambda a: a.astype("f8"),
                lambda a: a.astype("i1"),
                lambda a: a[..., np.newaxis],
                lambda a: np.full_like(a, np.nan),
                lambda a: np.concatenate([np.atleast_1d(a)] * 2),
            ]
        )
    )
    other = draw(st.sampled_from([name, "more", "", "../x"]))
    return {**arrays, other: change(arrays[name])}


def damaged(draw, archive):
    """The header and the arrays of a file, one of them changed somewhere."""
    header, arrays = archive.header, dict(archive.arrays)
    if not draw(st.integers(0, 4)):
        return header, damaged_arrays(draw, arrays)
    header = replaced(draw, header)
    wanted = json.dumps(header)
    further = {
        n: a for n, a in FURTHER_ARRAYS.items() if f'"{n.partition(":")[0]}"' in wanted
    }
    return header, arrays | further


def assert_usable(case, loaded):
    """What was loaded answers, or says why it does not."""
    X, _ = case.draw(3)
    with suppress(TypeError, ValueError):
        assert len(case.answers_of(loaded, X)) == len(X)


def harmlessly_loaded(path, header, arrays, watch):
    """What such a file holds, None if it is refused; it must run and take nothing."""
    path.write_bytes(packed({"header": header}, save_tensors(arrays)))
    with watch:
        loaded, most = watched(path, skseq.load)
    assert most < 2**24
    assert watch.seen == []
    return loaded


@pytest.mark.parametrize("effort", EFFORTS)
def test_any_damage_of_an_estimator_is_refused_or_loaded_and_runs_nothing(
    effort, saved, watch
):
    case, path, archive = saved

    def check(data):
        header, arrays = damaged(data.draw, archive)
        loaded = harmlessly_loaded(path, header, arrays, watch)
        if loaded is not None and header["parameters"] == archive.header["parameters"]:
            assert_usable(case, loaded)

    explore(check, 150, effort)


# -- pipelines -------------------------------------------------------------------------


def scalers():
    """Pipelines of transformers alone, in which each kind of step is."""
    first = RobustScaler(), MinMaxScaler((1, 2)), PowerTransformer("box-cox")
    parts = StandardScaler(), PCA(2, whiten=True), QuantileTransformer(n_quantiles=4)
    made = VarianceThreshold(), PolynomialFeatures(2), FunctionTransformer()
    return Pipeline(
        [
            ("scaled", FrameTransformer(make_pipeline(*first))),
            ("changes", FrameDifference()),
            ("parts", Pipeline([("in", FrameTransformer(make_pipeline(*parts)))])),
            ("nothing", None),
            ("made", FrameTransformer(make_pipeline(*made))),
        ]
    )


def with_an_estimator():
    scaled = FrameTransformer(make_pipeline(MaxAbsScaler(), TruncatedSVD(2)))
    return make_pipeline(scaled, SequenceNormalizer(), CTC.tiny())


@pytest.fixture(scope="module", params=[scalers, with_an_estimator])
def pipeline(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "pipeline.skseq"
    skseq.save(request.param().fit(*CTC.draw(5)), path)
    skseq.load(path)  # imports what loading needs
    return path, read_archive(path)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers that overflow
@pytest.mark.parametrize("effort", EFFORTS)
def test_any_damage_of_a_pipeline_is_refused_or_loaded_and_runs_nothing(
    effort, pipeline, watch
):
    path, archive = pipeline

    def check(data):
        header, arrays = damaged(data.draw, archive)
        loaded = harmlessly_loaded(path, header, arrays, watch)
        if loaded is None or hasattr(loaded, "predict"):
            return
        with suppress(ValueError), watch:
            loaded.transform(CTC.draw(3)[0])
        assert watch.seen == []

    explore(check, 300, effort)


# -- checkpoints -----------------------------------------------------------------------


def resumed(case, folder, epochs=2):
    callbacks = [
        keras.callbacks.EarlyStopping(monitor="loss", restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(monitor="loss"),
    ]
    estimator = case.tiny(checkpoint=folder, epochs=epochs, callbacks=callbacks)
    return estimator.fit(*case.draw(3))


@pytest.fixture(scope="module", params=ESTIMATORS, ids=str)
def checkpoint(request, tmp_path_factory):
    case, folder = request.param, tmp_path_factory.mktemp("fits")
    resumed(case, folder, epochs=1)
    (path,) = folder.iterdir()
    archive = read_archive(path)
    resumed(case, folder)  # traces what resuming needs
    return case, path, archive


@pytest.mark.parametrize("effort", EFFORTS)
def test_any_damage_of_a_checkpoint_is_refused_or_resumed_and_runs_nothing(
    effort, checkpoint, watch
):
    case, path, archive = checkpoint

    def check(data):
        header, arrays = damaged(data.draw, archive)
        for left in path.parent.iterdir():
            left.unlink()
        path.write_bytes(packed({"header": header}, save_tensors(arrays)))

        def resume(path):
            with suppress(TrainingDivergedError):
                return resumed(case, path.parent)

        with watch:
            fitted, _ = watched(path, resume)
        own = str(path.parent)
        assert not [event for event in watch.seen if own not in str(event)]
        if fitted is not None:
            assert np.isfinite(case.degrees_of(fitted, case.draw(3)[0])).all()

    explore(check, 60, effort)
