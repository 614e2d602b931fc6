"""What is exported of an autoencoder gives what the estimator gives."""

import json

import numpy as np
import pytest
import tensorflow as tf

from skseq.preprocessing import FrameDifference, LogMel
from tests.estimators import AUTOENCODER
from tests.exported import (
    padded,
    run_elsewhere,
    run_onnx,
    run_saved_model,
    unanswerable,
    with_nan_padding,
)

# What all estimators share is tested in engine/test_export.py, in every run.
pytestmark = pytest.mark.slow

NEAR = {"rtol": 1e-5, "atol": 1e-5}
SIGNATURES = "predict", "score_samples", "transform", "reconstruct"


def run(folder, format, **given):
    if format == "onnx":
        return run_onnx(folder, **given)
    found = {}
    for name in SIGNATURES:
        found |= run_saved_model(folder, name, **given)
    return found


def run_both_elsewhere(coder, folder):
    """What both formats give in a process without skseq."""
    frames, lengths = padded(AUTOENCODER.X)
    given = {"frames": frames, "lengths": lengths}
    jobs = []
    for format, names in {"saved_model": SIGNATURES, "onnx": ["model"]}.items():
        coder.export(folder / format, format=format)
        jobs += [(folder / format, format, name, given) for name in names]
    *parts, onnx = run_elsewhere(jobs, folder)
    return {n: value for part in parts for n, value in part.items()}, onnx


def check(found, coder, X):
    np.testing.assert_allclose(found["score"], coder.score_samples(X), **NEAR)
    np.testing.assert_allclose(found["code"], coder.transform(X), **NEAR)
    assert found["label"].tolist() == coder.predict(X).tolist()
    pairs = zip(found["reconstruction"], coder.reconstruct(X), strict=True)
    for own, wanted in pairs:
        np.testing.assert_allclose(own[: len(wanted)], wanted, **NEAR)
        assert not own[len(wanted) :].any()


def fitted(**params):
    """Perturbed, and with a threshold that parts its sequences."""
    coder = AUTOENCODER.make(**params).fit(AUTOENCODER.X)
    if coder.anomaly_score != "mahalanobis":  # which would not know the new weights
        coder = AUTOENCODER.rough(coder)
    coder.offset_ = float(np.median(coder.score_samples(AUTOENCODER.X)))
    return coder


def test_in_a_process_without_skseq_both_formats_give_the_same(tmp_path):
    coder = fitted(units=(4, 3))
    joined, onnx = run_both_elsewhere(coder, tmp_path)
    single = [x.astype("float32") for x in AUTOENCODER.X]
    assert set(joined["label"]) == {-1, 1}
    for found in (joined, onnx):
        check(found, coder, single)


@pytest.mark.parametrize("format", ["saved_model", "onnx"])
@pytest.mark.parametrize(
    "params",
    [
        pytest.param(
            {"difference": True, "cell": "gru"},
            id="differences",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"decoder_input": "output", "reverse": False},
            id="output",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"decoder_input": "output", "cell": "gru", "anomaly_score": "mae"},
            id="output of a GRU",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"anomaly_score": "mahalanobis"}, id="Mahalanobis", marks=pytest.mark.slow
        ),
        pytest.param(
            {"preprocess": [FrameDifference(order=2, keep_first=False)]},
            id="preprocess",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_whatever_is_set_graphs_give_the_same(format, params, tmp_path):
    coder = fitted(**params)
    coder.export(tmp_path / "model", format=format)
    frames, lengths = padded(AUTOENCODER.X)
    found = run(tmp_path / "model", format, frames=frames, lengths=lengths)
    check(found, coder, [x.astype("float32") for x in AUTOENCODER.X])


@pytest.fixture(scope="module")
def parted():
    return fitted()


def test_what_cannot_be_read_is_refused(parted, tmp_path):
    parted.export(tmp_path / "model")
    signatures = tf.saved_model.load(tmp_path / "model").signatures
    for given in unanswerable(*padded(AUTOENCODER.X)).values():
        tensors = {name: tf.constant(value) for name, value in given.items()}
        for name in SIGNATURES:
            words = r"(must be|may exceed|not finite).* Wrong sequences:\] \[1\]"
            with pytest.raises(tf.errors.InvalidArgumentError, match=words):
                signatures[name](**tensors)


def test_in_onnx_what_cannot_be_read_is_never_normal(parted, tmp_path):
    parted.export(tmp_path / "model", format="onnx")
    frames, lengths = padded(AUTOENCODER.X)
    expected = run_onnx(tmp_path / "model", frames=frames, lengths=lengths)
    others = np.arange(len(lengths)) != 1
    for given in unanswerable(frames, lengths).values():
        found = run_onnx(tmp_path / "model", **given)
        assert (found["label"][1], found["n_frames"][1]) == (-1, 0)
        assert np.isnan(found["score"][1])
        assert np.isnan(found["code"][1]).all()
        assert np.isnan(found["reconstruction"][1, 0]).all()
        for name, values in expected.items():
            np.testing.assert_allclose(found[name][others], values[others], **NEAR)


@pytest.mark.parametrize("format", ["saved_model", "onnx"])
def test_what_is_past_a_length_may_be_nan(parted, format, tmp_path):
    parted.export(tmp_path / "model", format=format)
    frames, lengths = padded(AUTOENCODER.X)
    frames = with_nan_padding(frames, lengths)
    found = run(tmp_path / "model", format, frames=frames, lengths=lengths)
    check(found, parted, [x.astype("float32") for x in AUTOENCODER.X])


def test_scores_of_a_kind_that_has_no_threshold_are_refused(tmp_path):
    coder = AUTOENCODER.tiny().fit(AUTOENCODER.X).set_params(anomaly_score="mae")
    with pytest.raises(ValueError, match="anomaly_score='mae' was set after fit"):
        coder.export(tmp_path / "model")


def test_the_description_has_the_threshold(tmp_path):
    X = [np.random.default_rng(0).normal(size=1500) for _ in range(4)]
    coder = AUTOENCODER.tiny(preprocess=[LogMel(2000, n_mels=8)]).fit(X)
    coder.export(tmp_path / "model")
    description = json.loads((tmp_path / "model" / "skseq.json").read_text("utf-8"))
    assert description["offset"] == coder.offset_
    assert list(description["inputs"]) == list(SIGNATURES)
    assert description["inputs"]["predict"]["waveforms"]["shape"] == [None, None]


@pytest.mark.slow
@pytest.mark.parametrize("units", [16, 128, 256])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_whatever_the_network_graphs_give_the_same(units, cell, tmp_path):
    coder = AUTOENCODER.make(units=units, cell=cell, epochs=1).fit(AUTOENCODER.X)
    joined, onnx = run_both_elsewhere(coder, tmp_path)
    for found in (joined, onnx):
        check(found, coder, [x.astype("float32") for x in AUTOENCODER.X])
