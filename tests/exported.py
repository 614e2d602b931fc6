"""Runs exported graphs as others would: by TensorFlow or onnxruntime, without skseq."""

import json

import numpy as np
import pytest

from tests.processes import run_python

# Runs graphs on what lies in files; skseq cannot be imported.
ELSEWHERE = """
import json, sys
sys.modules["skseq"] = None
import numpy as np

for job in json.loads(sys.argv[1]):
    given = dict(np.load(job["given"]))
    if job["format"] == "onnx":
        import onnxruntime
        session = onnxruntime.InferenceSession(f"{job['folder']}/{job['name']}.onnx")
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(None, given)))
    else:
        import tensorflow as tf
        function = tf.saved_model.load(job["folder"]).signatures[job["name"]]
        given = {name: tf.constant(value) for name, value in given.items()}
        found = {name: value.numpy() for name, value in function(**given).items()}
    np.savez(job["results"], **{name: as_plain(v) for name, v in found.items()})
"""
AS_PLAIN = """
def as_plain(array):
    if array.dtype == object:
        return np.char.decode(array.astype(bytes), "utf-8")
    return array
"""


def padded(X):
    """Sequences as one array, and their lengths; what is past a length is no zero."""
    lengths = np.array([len(x) for x in X], dtype="int32")
    shape = (len(X), lengths.max(), *np.shape(X[0])[1:])
    frames = np.full(shape, 7.0, dtype="float32")
    for row, x in zip(frames, X, strict=True):
        row[: len(x)] = x
    return frames, lengths


def with_nan_padding(frames, lengths):
    """A copy in which all that is past a length is NaN."""
    changed = frames.copy()
    for row, length in zip(changed, lengths, strict=True):
        row[length:] = np.nan
    return changed


def unanswerable(frames, lengths):
    """Batches whose second sequence cannot be answered for, by what is wrong with it.

    The others are as they were.
    """
    batches = {}
    for value in (np.nan, np.inf, 3e38):
        changed = frames.copy()
        changed[1, 1] = value
        batches[str(value)] = {"frames": changed, "lengths": lengths}
    for length in (0, -1, frames.shape[1] + 1):
        changed = lengths.copy()
        changed[1] = length
        batches[f"length {length}"] = {"frames": frames, "lengths": changed}
    return batches


def texts(array):
    """Strings of TensorFlow's as Python's."""
    return [item.decode() for item in array.tolist()]


def run_saved_model(folder, name="serving_default", **given):
    """What a signature gives, in this process."""
    import tensorflow as tf

    function = tf.saved_model.load(folder).signatures[name]
    found = function(**{n: tf.constant(value) for n, value in given.items()})
    return {n: value.numpy() for n, value in found.items()}


def run_onnx(folder, name="model", **given):
    """What a file of ONNX gives, in this process."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(folder / f"{name}.onnx")
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, given), strict=True))


def run_elsewhere(jobs, folder):
    """What graphs give in one fresh process that cannot import skseq.

    Jobs are (folder, format, name, given); strings come back as strings.
    """
    written = []
    for i, (model, format, name, given) in enumerate(jobs):
        paths = {n: str(folder / f"{n}-{i}.npz") for n in ("given", "results")}
        np.savez(paths["given"], **given)
        job = {"folder": str(model), "format": format, "name": name}
        written.append(job | paths)
    code = ELSEWHERE.replace("\nfor job", f"{AS_PLAIN}\nfor job", 1)
    run_python(code, json.dumps(written))
    return [dict(np.load(job["results"])) for job in written]
