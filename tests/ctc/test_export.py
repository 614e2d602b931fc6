"""What is exported of a CTC network gives what the estimator gives."""

import copy
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from skseq import CTCSequenceClassifier
from skseq.augmentation import SpecAugment
from skseq.preprocessing import MFCC, LogMel, SequenceNormalizer
from tests.estimators import CTC, CTC_GRU_CONV, CTC_SINGLE
from tests.exported import (
    padded,
    run_elsewhere,
    run_onnx,
    run_saved_model,
    texts,
    unanswerable,
    with_nan_padding,
)
from tests.processes import run_python

# What all estimators share is tested in engine/test_export.py, in every run.
pytestmark = pytest.mark.slow

NEAR = {"rtol": 1e-5, "atol": 1e-5}

onnx_too = pytest.mark.parametrize("format", ["saved_model", "onnx"])


def run(folder, format, name="serving_default", **given):
    if format == "onnx":
        return run_onnx(folder, **given)
    return run_saved_model(folder, name, **given)


def check_posteriors(found, expected):
    for own, wanted, n_frames in zip(
        found["log_proba"], expected, found["n_frames"], strict=True
    ):
        np.testing.assert_allclose(own[:n_frames], wanted, **NEAR)


def label_ids(clf, predictions):
    ids = {label: i for i, label in enumerate(clf.classes_.tolist())}
    return [[ids[label] for label in labels] for labels in predictions]


def unpadded(found):
    pairs = zip(found["label_ids"], found["n_labels"], strict=True)
    return [row[:n].tolist() for row, n in pairs]


@pytest.fixture(scope="module")
def reader():
    return CTC.make(units=8, epochs=30, learning_rate=3e-2).fit(CTC.X, CTC.y)


def test_in_a_process_without_skseq_both_formats_give_the_same(reader, tmp_path):
    frames, lengths = padded(CTC.X)
    given = {"frames": frames, "lengths": lengths}
    jobs = []
    for format, names in {
        "saved_model": ["predict", "log_proba"],
        "onnx": ["model"],
    }.items():
        reader.export(tmp_path / format, format=format)
        jobs += [(tmp_path / format, format, name, given) for name in names]
    predicted, posteriors, onnx = run_elsewhere(jobs, tmp_path)
    expected = reader.predict(CTC.X)
    assert predicted["text"].tolist() == list(expected)
    assert len(set(expected)) > 3  # or nothing is compared
    check_posteriors(posteriors, reader.predict_log_proba(CTC.X))
    check_posteriors(onnx, reader.predict_log_proba(CTC.X))
    assert unpadded(onnx) == unpadded(predicted) == label_ids(reader, expected)


@onnx_too
def test_lists_of_labels_come_as_ids(format, tmp_path):
    clf = CTC_GRU_CONV.rough(CTC_GRU_CONV.fit())
    clf.export(tmp_path / "model", format=format)
    frames, lengths = padded(CTC_GRU_CONV.X)
    found = run(tmp_path / "model", format, frames=frames, lengths=lengths)
    assert unpadded(found) == label_ids(clf, clf.predict(CTC_GRU_CONV.X))
    assert "text" not in found


@pytest.mark.slow
def test_lists_of_words_come_as_words(tmp_path):
    y = [[f"ł{label}" for label in labels] for labels in CTC_GRU_CONV.y]
    clf = CTC_GRU_CONV.rough(CTC_GRU_CONV.make().fit(CTC_GRU_CONV.X, y))
    clf.export(tmp_path / "model")
    frames, lengths = padded(CTC_GRU_CONV.X)
    found = run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)
    words = [[w.decode() for w in row if w] for row in found["labels"].tolist()]
    assert words == list(clf.predict(CTC_GRU_CONV.X))


@onnx_too
def test_one_label_per_sample_comes_with_its_exact_probabilities(format, tmp_path):
    y = [f"é{label}" for label in CTC_SINGLE.y]
    clf = CTC_SINGLE.rough(CTC_SINGLE.make().fit(CTC_SINGLE.X, y))
    clf.export(tmp_path / "model", format=format)
    frames, lengths = padded(CTC_SINGLE.X)
    given = {"frames": frames, "lengths": lengths}
    found = run(tmp_path / "model", format, "predict", **given)
    posteriors = run(tmp_path / "model", format, "log_proba", **given)["log_proba"]
    expected = clf.predict(CTC_SINGLE.X)
    assert clf.classes_[found["label_id"]].tolist() == expected.tolist()
    np.testing.assert_allclose(posteriors, clf.predict_log_proba(CTC_SINGLE.X), **NEAR)
    if format == "saved_model":
        assert texts(found["label"]) == expected.tolist()


@onnx_too
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            [LogMel(2000, n_mels=8), SequenceNormalizer(), SpecAugment()], id="LogMel"
        ),
        pytest.param(
            [MFCC(2000, n_mels=8, n_mfcc=6, deltas=2)],
            id="MFCC",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_waveforms_go_in_where_preprocess_starts_from_them(format, steps, tmp_path):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=n) for n in (1500, 700, 900, 30)]
    y = ["ab", "b", "a", "b"]
    clf = CTC.rough(CTC.make(preprocess=steps).fit(X, y))
    clf.export(tmp_path / "model", format=format)
    waveforms, lengths = padded(X)
    given = {"waveforms": waveforms, "lengths": lengths}
    found = run(tmp_path / "model", format, "log_proba", **given)
    single = [x.astype("float32") for x in X]
    check_posteriors(found, clf.predict_log_proba(single))


def pooled(frames):
    frames = keras.layers.Conv1D(4, 3, padding="same")(frames)
    return keras.layers.AveragePooling1D(2)(keras.layers.LayerNormalization()(frames))


def recurrent(frames):
    both = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True))
    return both(frames)


def shifting(frames):
    return keras.layers.Conv1D(4, 3, strides=2, padding="same")(frames)


@onnx_too
@pytest.mark.parametrize(
    ("front_end", "settings"),
    [
        pytest.param(pooled, {}, id="of one's own", marks=pytest.mark.slow),
        pytest.param("image", {"skip_frames": 1}, id="image", marks=pytest.mark.slow),
    ],
)
def test_a_front_end_is_part_of_the_graph(format, front_end, settings, tmp_path):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 8)) for n in (31, 40, 26)]
    clf = CTC.make(front_end=front_end, **settings).fit(X, ["ab", "b", "a"])
    clf.export(tmp_path / "model", format=format)
    frames, lengths = padded(X)
    found = run(tmp_path / "model", format, "log_proba", frames=frames, lengths=lengths)
    check_posteriors(found, clf.predict_log_proba(X))


@pytest.mark.parametrize("front_end", [recurrent, shifting])
def test_a_front_end_that_padding_reaches_is_refused(front_end, tmp_path):
    X = [np.random.default_rng(0).normal(size=(n, 3)) for n in (9, 12, 7)]
    clf = CTC.make(front_end=front_end).fit(X, ["ab", "b", "a"])
    with pytest.raises(ValueError, match="front_end lets padding reach"):
        clf.export(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_beam_search_is_not_left_out_in_silence(reader, tmp_path):
    reader = copy.copy(reader).set_params(decoder="beam")
    with pytest.raises(ValueError, match='Pass decoder="greedy" to export'):
        reader.export(tmp_path / "model")
    with pytest.raises(ValueError, match='must be "greedy" or None'):
        reader.export(tmp_path / "model", decoder="beam")
    reader.export(tmp_path / "model", decoder="greedy")
    frames, lengths = padded(CTC.X)
    found = run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)
    greedy = reader.set_params(decoder="greedy").predict(CTC.X)
    assert texts(found["text"]) == list(greedy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frames": np.full((2, 9, 3), np.nan, "float32")}, "finite up to each length"),
        ({"frames": np.full((2, 9, 3), np.inf, "float32")}, "finite up to each length"),
        ({"frames": np.full((2, 9, 3), 3e38, "float32")}, "finite in single precision"),
        ({"frames": np.zeros((2, 9, 1), "float32")}, "frames must have 3 features"),
        ({"lengths": np.array([9, 0], "int32")}, "Each length must be at least 1"),
        ({"lengths": np.array([9, 10], "int32")}, "No length may exceed the axis"),
        ({"lengths": np.array([9], "int32")}, "one length per sequence"),
        (
            {"frames": np.zeros((0, 9, 3), "float32"), "lengths": np.zeros(0, "int32")},
            "at least one sequence",
        ),
    ],
)
def test_a_graph_refuses_what_it_would_misread(change, words, reader, tmp_path):
    reader.export(tmp_path / "model")
    given = {"frames": np.zeros((2, 9, 3), "float32"), "lengths": np.array([9, 4])}
    given["lengths"] = given["lengths"].astype("int32")
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        run_saved_model(tmp_path / "model", **given | change)


@onnx_too
def test_what_is_past_a_length_may_be_nan(format, reader, tmp_path):
    reader.export(tmp_path / "model", format=format)
    frames, lengths = padded(CTC.X)
    frames = with_nan_padding(frames, lengths)
    found = run(tmp_path / "model", format, frames=frames, lengths=lengths)
    assert unpadded(found) == label_ids(reader, reader.predict(CTC.X))


def check_others(found, expected, bad=1):
    """All but one sequence of a batch have the same results as without it."""
    others = np.arange(len(found)) != bad
    np.testing.assert_allclose(found[others], expected[others], **NEAR)


def test_in_onnx_a_sequence_that_cannot_be_read_gets_no_text(reader, tmp_path):
    reader.export(tmp_path / "model", format="onnx")
    frames, lengths = padded(CTC.X)
    expected = run_onnx(tmp_path / "model", frames=frames, lengths=lengths)
    assert expected["n_labels"].all()
    for given in unanswerable(frames, lengths).values():
        found = run_onnx(tmp_path / "model", **given)
        assert found["n_labels"][1] == found["n_frames"][1] == 0
        assert (found["label_ids"][1] == -1).all()
        assert np.isnan(found["log_proba"][1]).all()
        for name in ("n_labels", "n_frames", "log_proba"):
            check_others(found[name], expected[name])


def test_in_onnx_a_sequence_that_cannot_be_read_gets_no_class(tmp_path):
    clf = CTC_SINGLE.rough(CTC_SINGLE.make().fit(CTC_SINGLE.X, CTC_SINGLE.y))
    clf.export(tmp_path / "model", format="onnx")
    frames, lengths = padded(CTC_SINGLE.X)
    expected = run_onnx(tmp_path / "model", frames=frames, lengths=lengths)
    for given in unanswerable(frames, lengths).values():
        found = run_onnx(tmp_path / "model", **given)
        assert found["label_id"][1] == len(clf.classes_)  # there is no such class
        assert np.isnan(found["log_proba"][1]).all()
        for name in ("label_id", "log_proba"):
            check_others(found[name], expected[name])


NO_SEQUENCE = """
import sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
given = {"frames": np.zeros((0, 9, 3), "float32"), "lengths": np.zeros(0, "int32")}
try:
    session.run(None, given)
except Exception:
    print("refused")
"""


def test_in_onnx_no_sequence_at_all_is_an_error_and_no_crash(reader, tmp_path):
    pytest.importorskip("onnxruntime")
    reader.export(tmp_path / "model", format="onnx")
    printed = run_python(NO_SEQUENCE, tmp_path / "model" / "model.onnx")
    assert printed.strip() == "refused"


def narrowing(frames):
    return keras.layers.Conv1D(4, 4, padding="valid")(frames)


@pytest.mark.parametrize("settings", [{"skip_frames": 3}, {"front_end": narrowing}])
def test_a_sequence_of_which_no_frame_is_left_gets_no_text(settings, tmp_path):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 3)).astype("float32") for n in (9, 12, 7)]
    clf = CTC.rough(CTC.make(conv_filters=(), **settings).fit(X, ["ab", "b", "a"]))
    frames, lengths = padded([X[0], X[1][:3], X[2][:2], X[2][:4]])
    with pytest.raises(ValueError, match="front end and skip_frames leave none"):
        clf.predict([X[1][:3]])
    clf.export(tmp_path / "model")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"leave no .*\[1 2\]"):
        run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)
    clf.export(tmp_path / "onnx", format="onnx")
    found = run_onnx(tmp_path / "onnx", frames=frames, lengths=lengths)
    assert found["n_frames"].tolist() == [6, 0, 0, 1]
    assert found["n_labels"][1:3].tolist() == [0, 0]
    assert np.isnan(found["log_proba"][1:3]).all()
    assert [unpadded(found)[i] for i in (0, 3)] == label_ids(
        clf, clf.predict([X[0], X[2][:4]])
    )


def rooted(frames):
    return keras.ops.sqrt(frames)


def test_a_front_end_that_cannot_handle_values_gives_no_text(tmp_path):
    rng = np.random.default_rng(0)
    X = [rng.uniform(1, 2, (n, 3)).astype("float32") for n in (9, 12, 7)]
    settings = {"front_end": rooted, "standardize": False, "conv_filters": ()}
    clf = CTC.rough(CTC.make(**settings).fit(X, ["ab", "b", "a"]))
    clf.export(tmp_path / "model")
    frames, lengths = padded(X)
    frames[1, 1] = -1
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"gives values that are"):
        run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)


def test_half_of_a_character_cannot_be_written(tmp_path):
    clf = CTC.tiny().fit(CTC.X, [f"{y}\ud800" for y in CTC.y])
    with pytest.raises(ValueError, match=r"The label '\\ud800' cannot be exported"):
        clf.export(tmp_path / "model")


def test_features_far_from_zero_are_warned_of(tmp_path):
    X = [x + 1e7 for x in CTC.X]
    clf = CTC.tiny().fit(X, CTC.y)
    with pytest.warns(UserWarning, match="take frames in single precision, and some"):
        clf.export(tmp_path / "model")


def test_a_step_that_no_graph_can_hold_is_named(tmp_path):
    class Doubled(SequenceNormalizer):
        pass

    clf = CTC.make(preprocess=[SequenceNormalizer(), Doubled()]).fit(CTC.X, CTC.y)
    with pytest.raises(ValueError, match=r"preprocess\[1\], Doubled, cannot be"):
        clf.export(tmp_path / "model")


def test_a_description_lies_beside_the_graphs(reader, tmp_path):
    reader.export(tmp_path / "model")
    description = json.loads((tmp_path / "model" / "skseq.json").read_text("utf-8"))
    assert description["classes"] == reader.classes_.tolist()
    assert description["estimator"] == CTCSequenceClassifier.__name__
    frames = description["inputs"]["predict"]["frames"]
    assert frames == {"dtype": "float32", "shape": [None, None, 3]}


@pytest.mark.slow
@pytest.mark.parametrize("units", [16, 128, 256])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("filters", [(8,), ()])
def test_whatever_the_network_graphs_give_the_same(units, cell, filters, tmp_path):
    settings = {"units": units, "cell": cell, "conv_filters": filters, "epochs": 1}
    clf = CTC.make(**settings).fit(CTC.X, CTC.y)
    frames, lengths = padded(CTC.X)
    given = {"frames": frames, "lengths": lengths}
    jobs = []
    for format, name in {"saved_model": "log_proba", "onnx": "model"}.items():
        clf.export(tmp_path / format, format=format)
        jobs.append((tmp_path / format, format, name, given))
    jobs.append((tmp_path / "saved_model", "saved_model", "predict", given))
    *posteriors, predicted = run_elsewhere(jobs, tmp_path)
    for found in posteriors:
        check_posteriors(found, clf.predict_log_proba(CTC.X))
    assert predicted["text"].tolist() == list(clf.predict(CTC.X))
    assert unpadded(posteriors[1]) == unpadded(predicted)
