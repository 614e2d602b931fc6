"""Folders of `export` are whole or not there, and `model_.export` writes networks."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skseq._nn import compiled
from tests.estimators import AUTOENCODER, CTC, TRANSLATOR
from tests.exported import padded, run_onnx, run_saved_model
from tests.processes import run_python

# Runs the endpoint of a SavedModel on what lies in a file, by names of TensorFlow's.
LOAD = """
import sys
import numpy as np
import tensorflow as tf

model, batch, results = sys.argv[1:]
given = {name: tf.constant(value) for name, value in np.load(batch).items()}
outputs = tf.saved_model.load(model).signatures["serving_default"](**given)
np.savez(results, **{name: value.numpy() for name, value in outputs.items()})
assert "skseq" not in sys.modules
"""

SETTINGS = {
    "ctc": (CTC, {}),
    "ctc, convolution": (CTC, {"conv_filters": (8,), "conv_strides": (2,)}),
    "ctc, gru": (CTC, {"cell": "gru", "units": (5, 4)}),
    "ctc, wide": (CTC, {"units": 130}),
    "translator": (TRANSLATOR, {}),
    "translator, gru": (TRANSLATOR, {"cell": "gru", "attention": "dot"}),
    "autoencoder": (AUTOENCODER, {}),
    "autoencoder, output": (AUTOENCODER, {"decoder_input": "output", "cell": "gru"}),
}


def batch_of(model, n_samples=3, longest=12, seed=0):
    """Padded frames or ids, and lengths, by the names of a network's inputs."""
    rng = np.random.default_rng(seed)
    lengths = np.array([longest, 5, 8], dtype="int32")
    given = {}
    for source in model.inputs:
        shape = [n_samples, longest, *source.shape[2:]][: len(source.shape)]
        if source.dtype == "float32":
            given[source.name] = rng.normal(size=shape).astype("float32")
        else:
            is_lengths = len(source.shape) == 1
            given[source.name] = lengths if is_lengths else np.ones(shape, "int32")
    return given


@pytest.mark.parametrize(
    "name",
    [
        "ctc",
        *(pytest.param(n, marks=pytest.mark.slow) for n in SETTINGS if n != "ctc"),
    ],
)
def test_an_exported_network_gives_the_same_in_a_process_without_skseq(name, tmp_path):
    case, settings = SETTINGS[name]
    model = case.tiny(**settings).fit(*case.draw(6)).model_
    given = batch_of(model)
    model.export(tmp_path / "model")
    np.savez(tmp_path / "batch.npz", **given)
    run_python(LOAD, *(tmp_path / n for n in ("model", "batch.npz", "results.npz")))
    found = np.load(tmp_path / "results.npz")
    expected = model(list(given.values()))
    if not isinstance(expected, dict):
        expected = {f"output_{i}": value for i, value in enumerate(expected)}
    assert set(found) == set(expected)
    for output, value in expected.items():
        np.testing.assert_allclose(found[output], value, rtol=1e-5, atol=1e-5)


def test_an_export_leaves_compiled_code_in_use(tmp_path):
    before = compiled.is_in_use()
    case = AUTOENCODER
    model = case.tiny().fit(*case.draw(4)).model_
    model.export(str(tmp_path / "model"))
    assert compiled.is_in_use() == before
    assert (tmp_path / "model" / "saved_model.pb").exists()
    with pytest.raises(ValueError, match="format"):
        model.export(tmp_path / "other", format="no such format")
    assert compiled.is_in_use() == before


def test_onnx_is_written_by_the_estimator_alone(tmp_path):
    model = AUTOENCODER.tiny().fit(AUTOENCODER.X).model_
    with pytest.raises(ValueError, match=r'Call export\(path, format="onnx"\) of the'):
        model.export(tmp_path / "model.onnx", format="onnx")


@pytest.fixture(scope="module")
def coder():
    return AUTOENCODER.tiny().fit(AUTOENCODER.X)


@pytest.mark.parametrize(
    ("format", "run", "name"),
    [("saved_model", run_saved_model, "score_samples"), ("onnx", run_onnx, "model")],
)
def test_a_graph_scores_as_the_estimator_does(coder, format, run, name, tmp_path):
    if format == "onnx":
        pytest.importorskip("tf2onnx", reason="needs tf2onnx: skseq[onnx]")
    coder.export(tmp_path / "model", format=format)
    frames, lengths = padded(AUTOENCODER.X)
    found = run(tmp_path / "model", name, frames=frames, lengths=lengths)["score"]
    expected = coder.score_samples([x.astype("float32") for x in AUTOENCODER.X])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_nothing_is_written_over(coder, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is a folder that is not empty"):
        coder.export(tmp_path / "folder")
    with pytest.raises(FileExistsError, match=r"notes.txt is a file\. Export to a new"):
        coder.export(tmp_path / "folder" / "notes.txt")
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_filled_and_missing_ones_are_made(coder, tmp_path):
    (tmp_path / "empty").mkdir()
    coder.export(tmp_path / "empty")
    coder.export(str(tmp_path / "some" / "where" / "else"))
    for folder in (tmp_path / "empty", tmp_path / "some" / "where" / "else"):
        names = {path.name for path in folder.iterdir()}
        assert {"saved_model.pb", "skseq.json"} <= names
        assert folder.stat().st_mode == (tmp_path / "some").stat().st_mode


def test_a_path_is_read_as_everywhere_else(coder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    coder.export("~/model")
    assert (tmp_path / "model" / "skseq.json").exists()
    with pytest.raises(ValueError, match="path is empty"):
        coder.export("")


def test_an_export_that_comes_second_is_refused(coder, tmp_path, monkeypatch):
    def meanwhile(*arguments, **options):
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "skseq.json").touch()
        return "{}"

    monkeypatch.setattr("json.dumps", meanwhile)
    with pytest.raises(FileExistsError, match="is a folder that is not empty"):
        coder.export(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_export_that_fails_leaves_nothing_behind(coder, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("no space left")

    monkeypatch.setattr("json.dumps", fail)
    with pytest.raises(OSError, match="no space left"):
        coder.export(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_without_what_writes_onnx_the_line_to_install_it_is_told(
    coder, tmp_path, monkeypatch
):
    loaded = [name for name in sys.modules if name.partition(".")[0] == "tf2onnx"]
    for name in {"tf2onnx", *loaded}:  # another test may have written ONNX before
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "skseq\[onnx\]"'):
        coder.export(tmp_path / "model", format="onnx")
    assert not list(tmp_path.iterdir())


EXPORT = """
import os, sys
from tests.estimators import AUTOENCODER
coder = AUTOENCODER.tiny().fit(AUTOENCODER.X)
before = dict(os.environ)
coder.export(sys.argv[1], format="onnx")
changed = dict(os.environ).items() ^ before.items()
print(*sorted({name for name, _ in changed}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("level", ["1", None])
def test_an_export_leaves_the_environment_as_it_was(level, tmp_path):
    pytest.importorskip("tf2onnx")
    code = EXPORT
    if level is None:
        code = f"import os; os.environ.pop('TF_CPP_MIN_LOG_LEVEL'){EXPORT}"
    chosen = {"TF_CPP_MIN_LOG_LEVEL": level or "0"}
    assert run_python(code, tmp_path / "model", **chosen).split() == []


def test_a_file_that_a_runtime_reads_otherwise_is_not_written(
    coder, tmp_path, monkeypatch
):
    pytest.importorskip("tf2onnx")
    order = {"lstm": (0, 1, 2, 3)}  # not that of ONNX
    monkeypatch.setattr("skseq._engine.onnx_files._GATES", order)
    rough = AUTOENCODER.rough(coder)
    with pytest.raises(ValueError, match=r"onnxruntime gives another .* than TensorFl"):
        rough.export(tmp_path / "model", format="onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", [CTC, TRANSLATOR, AUTOENCODER], ids=str)
def test_what_is_not_fitted_cannot_be_exported(case, tmp_path):
    with pytest.raises(NotFittedError, match="not fitted"):
        case.make().export(tmp_path / "model")


@pytest.mark.parametrize("format", ["litert", None])
def test_other_formats_are_refused(coder, format, tmp_path):
    with pytest.raises(ValueError, match=r"'format' parameter of export must be a str"):
        coder.export(tmp_path / "model", format=format)
