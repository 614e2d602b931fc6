"""Exported taggers give what their methods give, where skseq is not installed."""

import json

import numpy as np
import pytest
import tensorflow as tf

from skseq._framewise.chain import best_paths
from skseq._framewise.tagger_export import best_path
from skseq.preprocessing import SequenceNormalizer
from tests.estimators import TAGGER, TAGGER_TOKENS
from tests.exported import (
    padded,
    run_elsewhere,
    run_onnx,
    run_saved_model,
    unanswerable,
    with_nan_padding,
)
from tests.framewise.chains import chain, forbidding

# What all estimators share is tested in engine/test_export.py, in every run.
pytestmark = pytest.mark.slow

X, Y = TAGGER.X, TAGGER.y
TOKENS = [*TAGGER_TOKENS.X, ["unknown", "Böb", "Bob"]]


def rough(**params):
    return TAGGER.rough(TAGGER.make(conv_filters=3, **params).fit(X, Y))


@pytest.fixture(scope="module")
def free():
    return rough(preprocess=[SequenceNormalizer()])


@pytest.fixture(scope="module")
def plain():
    return rough()


@pytest.fixture(scope="module")
def linked():
    return rough(crf=True)


@pytest.fixture(scope="module")
def reader():
    return TAGGER_TOKENS.rough(TAGGER_TOKENS.fit())


def padded_tokens(samples):
    lengths = np.array([len(own) for own in samples], dtype="int32")
    tokens = np.full((len(samples), lengths.max()), "past the end", dtype=object)
    for row, own in zip(tokens, samples, strict=True):
        row[: len(own)] = own
    return tokens, lengths


def assert_labels_are(found, expected):
    """Ids and texts are those of label sequences, and marked past their ends."""
    n_frames = found["label_ids"].shape[1]
    assert found["n_labels"].tolist() == [len(labels) for labels in expected]
    for row, labels in zip(found["label_ids"], expected, strict=True):
        ids = ["abc".index(label) for label in labels]
        assert row.tolist() == ids + [-1] * (n_frames - len(ids))
    if "labels" in found:
        for row, labels in zip(found["labels"], expected, strict=True):
            assert [str(t) for t in row[: len(labels)]] == list(labels)
            assert set(map(str, row[len(labels) :])) <= {""}


# -- the search ------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [chain(1), chain(4), forbidding()])
def test_the_best_path_of_a_graph_is_that_of_the_chain(weights):
    lengths = np.array([1, 2, 9, 5])
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4, 9, len(weights.starts)))
    expected = best_paths(scores, weights, lengths)
    found = np.array(best_path(tf.constant(scores), tf.constant(lengths), weights))
    is_frame = np.arange(9) < lengths[:, np.newaxis]
    np.testing.assert_array_equal(found[is_frame], expected[is_frame])


def test_of_equally_good_paths_a_graph_takes_the_one_of_the_chain():
    lengths, weights = np.array([6, 4]), chain(3, scale=0.0)
    scores = np.random.default_rng(0).integers(0, 2, size=(2, 6, 3)).astype(float)
    expected = best_paths(scores, weights, lengths)
    found = np.array(best_path(tf.constant(scores), tf.constant(lengths), weights))
    assert found[0].tolist() == expected[0].tolist()
    assert found[1, :4].tolist() == expected[1, :4].tolist()


# -- frames ----------------------------------------------------------------------------


@pytest.mark.slow
def test_graphs_give_what_the_methods_give_where_skseq_is_not(free, linked, tmp_path):
    pytest.importorskip("onnxruntime")
    frames, lengths = padded(X)
    given = {"frames": with_nan_padding(frames, lengths), "lengths": lengths}
    jobs = []
    for name, tagger in (("free", free), ("linked", linked)):
        for format, graph in (("saved_model", "predict"), ("onnx", "model")):
            folder = tmp_path / f"{name}-{format}"
            tagger.export(folder, format=format)
            jobs.append((folder, format, graph, given))
    jobs.append((tmp_path / "free-saved_model", "saved_model", "proba", given))
    found = run_elsewhere(jobs, tmp_path)
    expected = [own.predict(X) for own in (free, free, linked, linked)]
    for own, labels in zip(found[:4], expected, strict=True):
        assert_labels_are(own, labels)
    for own in (found[1], found[4]):
        for row, proba in zip(own["proba"], free.predict_proba(X), strict=True):
            np.testing.assert_allclose(row[: len(proba)], proba, atol=1e-5)
            assert not row[len(proba) :].any()
    assert "proba" not in found[3]


def test_with_a_scheme_the_best_allowed_sequence_is_exported(free, tmp_path):
    tagger = TAGGER.rough(free).set_params(
        allowed_transitions=lambda *pair: pair != ("c", "c")
    )
    tagger.export(tmp_path / "model")
    frames, lengths = padded(X)
    found = run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)
    ids = found["label_ids"].tolist()
    expected = [["abc".index(k) for k in own] for own in tagger.predict(X)]
    assert [row[:n] for row, n in zip(ids, lengths, strict=True)] == expected
    assert expected != [["abc".index(k) for k in own] for own in free.predict(X)]


def test_the_description_says_what_ids_stand_for(free, tmp_path):
    free.export(tmp_path / "model")
    described = json.loads((tmp_path / "model" / "skseq.json").read_text())
    assert described["estimator"] == "SequenceTagger"
    assert described["classes"] == ["a", "b", "c"]
    assert described["form"] == "str"


@pytest.mark.parametrize("name", ["plain", "linked"])
def test_in_onnx_a_sequence_that_cannot_be_read_gets_no_labels(name, request, tmp_path):
    tagger = request.getfixturevalue(name)
    tagger.export(tmp_path / "model", format="onnx")
    frames, lengths = padded(X[:3])
    expected = run_onnx(tmp_path / "model", frames=frames, lengths=lengths)
    for what, given in unanswerable(frames, lengths).items():
        found = run_onnx(tmp_path / "model", **given)
        assert found["n_labels"][1] == 0, what
        assert set(found["label_ids"][1].tolist()) == {-1}, what
        for i in (0, 2):
            assert found["label_ids"][i].tolist() == expected["label_ids"][i].tolist()


def test_a_saved_model_refuses_what_it_cannot_answer(plain, tmp_path):
    plain.export(tmp_path / "model")
    frames, lengths = padded(X[:3])
    for given in unanswerable(frames, lengths).values():
        with pytest.raises(tf.errors.InvalidArgumentError, match="Wrong sequences"):
            run_saved_model(tmp_path / "model", **given)


# -- tokens ----------------------------------------------------------------------------


def test_a_saved_model_reads_tokens(reader, tmp_path):
    reader.export(tmp_path / "model")
    tokens, lengths = padded_tokens(TOKENS)
    given = {"tokens": tokens.astype(str), "lengths": lengths}
    (found,) = run_elsewhere(
        [(tmp_path / "model", "saved_model", "predict", given)], tmp_path
    )
    for row, labels in zip(found["labels"], reader.predict(TOKENS), strict=True):
        assert row[: len(labels)].tolist() == labels
    described = json.loads((tmp_path / "model" / "skseq.json").read_text())
    assert described["token_vocabulary"] == ["Bob", "an", "c"]


@pytest.mark.parametrize("as_integers", [False, True])
def test_probabilities_of_tokens_are_those_of_the_method(as_integers, tmp_path):
    params = {"crf": False, "allowed_transitions": None, "input": "tokens"}
    samples, kind = TOKENS[:-1], str
    if as_integers:
        samples = [[len(token) for token in own] for own in samples]
        kind = np.int64
    tagger = TAGGER_TOKENS.make(**params, char_embedding_dim=4)
    tagger = TAGGER_TOKENS.rough(tagger.fit(samples, TAGGER_TOKENS.y))
    tagger.export(tmp_path / "model")
    lengths = np.array([len(own) for own in samples], dtype="int32")
    tokens = np.zeros((len(samples), lengths.max()), dtype=object)
    tokens[:] = kind()
    for row, own in zip(tokens, samples, strict=True):
        row[: len(own)] = own
    found = run_saved_model(
        tmp_path / "model", "proba", tokens=tokens.astype(kind), lengths=lengths
    )
    for row, proba in zip(found["proba"], tagger.predict_proba(samples), strict=True):
        np.testing.assert_allclose(row[: len(proba)], proba, atol=1e-5)


def test_a_saved_model_of_tokens_refuses_lengths_that_are_none(reader, tmp_path):
    reader.export(tmp_path / "model")
    tokens, lengths = padded_tokens(TOKENS)
    for bad, message in (
        (lengths * 0, "at least 1"),
        (lengths + 99, "may exceed"),
        (lengths[:-1], "one length per sequence"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            run_saved_model(tmp_path / "model", tokens=tokens.astype(str), lengths=bad)


def test_onnx_has_no_tokens(reader, tmp_path):
    with pytest.raises(ValueError, match="ONNX, for which the table"):
        reader.export(tmp_path / "model", format="onnx")
