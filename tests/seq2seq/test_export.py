"""What is exported of a translator gives what the estimator gives."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.estimators import TRANSLATOR, TRANSLATOR_CHAR, TRANSLATOR_GRU_DOT
from tests.exported import run_elsewhere, run_onnx, run_saved_model, texts

# What all estimators share is tested in engine/test_export.py, in every run.
pytestmark = pytest.mark.slow

LEARNT = {"units": 16, "embedding_dim": 8, "epochs": 30, "learning_rate": 2e-2}


def tokens_of(X, dtype=str):
    """Token lists as one padded array, and their lengths."""
    lengths = np.array([len(x) for x in X], dtype="int32")
    padding = "" if dtype is str else 0
    rows = [[*x, *[padding] * (lengths.max() - len(x))] for x in X]
    return {"tokens": np.array(rows), "lengths": lengths}


def translated(folder, given):
    """Greedy translations of token ids, by what ONNX has: encoder and step."""
    description = json.loads((folder / "skseq.json").read_text("utf-8"))
    end, shortest = description["end_id"], description["min_output_length"]
    share = np.maximum(1, given["lengths"] / description["longest_source"])
    limits = np.ceil(description["longest_target"] * share)
    if description["max_output_length"] is not None:
        limits[:] = description["max_output_length"]
    limits = np.maximum(limits, shortest)
    known = run_onnx(folder, "encoder", **given)
    states = {name: known.pop(name) for name in list(known) if name.startswith("state")}
    last = np.full(len(given["lengths"]), end, dtype="int32")
    outputs = [[] for _ in last]
    step_inputs = set(description["inputs"]["decoder_step"])
    known = {name: value for name, value in known.items() if name in step_inputs}
    for t in range(int(limits.max()) + 1):
        found = run_onnx(
            folder,
            "decoder_step",
            token_ids=last,
            lengths=given["lengths"],
            **known,
            **states,
        )
        best = found["log_proba"]
        best[:, description["unknown_target_id"]] = -np.inf
        best[:, end] = np.where(t < shortest, -np.inf, best[:, end])
        best = np.where(t < limits, best.argmax(axis=1), end)
        last = np.where(last == end, end, best) if any(outputs) else best
        last = last.astype("int32")
        for output, token in zip(outputs, last.tolist(), strict=True):
            output.append(token)
        states = {name: found[f"next_{name}"] for name in states}
    return [output[: output.index(end)] for output in outputs]


def ids_of(X, description):
    ids = {t: i for i, t in enumerate(description["source_vocabulary"])}
    lengths = np.array([len(x) for x in X], dtype="int32")
    rows = [[ids[t] for t in x] + [0] * (lengths.max() - len(x)) for x in X]
    return {"source_ids": np.array(rows, dtype="int32"), "lengths": lengths}


@pytest.fixture(scope="module")
def translator():
    return TRANSLATOR.make(**LEARNT).fit(TRANSLATOR.X, TRANSLATOR.y)


def test_in_a_process_without_skseq_texts_are_translated_alike(translator, tmp_path):
    translator.export(tmp_path / "model")
    X = [*TRANSLATOR.X, "b z a"]  # one token is unknown
    given = {"text": np.array(X)}
    tokens = tokens_of([x.split() for x in X])
    jobs = [
        (tmp_path / "model", "saved_model", "predict", given),
        (tmp_path / "model", "saved_model", "predict_tokens", tokens),
    ]
    for found in run_elsewhere(jobs, tmp_path):
        assert found["text"].tolist() == list(translator.predict(X))
    assert len(set(found["text"].tolist())) > 3  # or nothing is compared


def test_text_is_cut_where_python_cuts_it(translator, tmp_path):
    X = ["\u3000a\u00a0 b\tc ", "b\u2003a", "c\x1ca\u2028b"]
    translator.export(tmp_path / "model")
    found = run_saved_model(tmp_path / "model", text=X)
    assert texts(found["text"]) == list(translator.predict(X))
    assert list(translator.predict(X)) == list(
        translator.predict([" ".join(x.split()) for x in X])
    )


@pytest.mark.slow
def test_characters_are_translated_alike(tmp_path):
    X = [x.replace("a", "ß") for x in TRANSLATOR_CHAR.X]
    y = [x.replace("b", "日") for x in TRANSLATOR_CHAR.y]
    translator = TRANSLATOR_CHAR.make(**LEARNT).fit(X, y)
    translator.export(tmp_path / "model")
    found = run_saved_model(tmp_path / "model", text=X)
    assert texts(found["text"]) == list(translator.predict(X))


@pytest.mark.parametrize("as_token", [str, int])
def test_lists_of_tokens_are_translated_alike(as_token, tmp_path):
    def tokens(lists):
        return [[as_token("abc".index(t) * 7) for t in item] for item in lists]

    case = TRANSLATOR_GRU_DOT
    X, y = tokens(case.X), tokens(case.y)
    settings = LEARNT | {"decoder": "greedy", "ema_decay": None}
    translator = case.make(**settings).fit(X, y)
    translator.export(tmp_path / "model")
    found = run_saved_model(tmp_path / "model", **tokens_of(X, as_token))
    pairs = zip(found["tokens"].tolist(), found["n_tokens"], strict=True)
    plain = [[as_token(t) for t in row[:n]] for row, n in pairs]
    if as_token is str:
        pairs = zip(found["tokens"].tolist(), found["n_tokens"], strict=True)
        plain = [[t.decode() for t in row[:n]] for row, n in pairs]
    assert plain == list(translator.predict(X))


def test_limits_of_outputs_are_part_of_the_graph(translator, tmp_path):
    limited = TRANSLATOR.rough(translator)
    limited.set_params(max_output_length=3, min_output_length=2, no_repeat_ngram=1)
    limited.export(tmp_path / "model")
    found = run_saved_model(tmp_path / "model", text=list(TRANSLATOR.X))
    assert texts(found["text"]) == list(limited.predict(TRANSLATOR.X))
    assert set(found["n_tokens"]) <= {2, 3}


def test_a_beam_search_is_not_left_out_in_silence(translator, tmp_path):
    searching = TRANSLATOR.rough(translator).set_params(decoder="beam")
    with pytest.raises(ValueError, match='Pass decoder="greedy" to export'):
        searching.export(tmp_path / "model")


def test_a_transformer_of_tokens_is_named(tmp_path):
    class Lower:
        def transform(self, X):
            return [[t.lower() for t in tokens] for tokens in X]

    translator = TRANSLATOR.tiny(preprocess=[Lower()])
    translator.fit(TRANSLATOR.X, TRANSLATOR.y)
    with pytest.raises(ValueError, match=r"preprocess\[0\], Lower, cannot be exported"):
        translator.export(tmp_path / "model")


@pytest.mark.parametrize(
    "params",
    [
        {},
        pytest.param({"cell": "gru", "attention": "dot"}, marks=pytest.mark.slow),
        pytest.param({"units": (8, 6), "bidirectional": False}, marks=pytest.mark.slow),
        pytest.param({"attention": None}, marks=pytest.mark.slow),
        pytest.param({"input_feeding": True}, marks=pytest.mark.slow),
    ],
)
def test_a_loop_over_parts_in_onnx_translates_alike(params, tmp_path):
    translator = TRANSLATOR.make(**LEARNT | params).fit(TRANSLATOR.X, TRANSLATOR.y)
    translator.export(tmp_path / "model", format="onnx")
    text = (tmp_path / "model" / "skseq.json").read_text("utf-8")
    description = json.loads(text)
    found = translated(
        tmp_path / "model", ids_of([x.split() for x in TRANSLATOR.X], description)
    )
    words = description["target_vocabulary"]
    written = [" ".join(words[i] for i in output) for output in found]
    assert written == list(translator.predict(TRANSLATOR.X))


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"max_output_length": 2},
        pytest.param({"min_output_length": 6}, marks=pytest.mark.slow),
    ],
)
def test_a_loop_in_onnx_keeps_the_limits_of_outputs(limits, translator, tmp_path):
    rough = TRANSLATOR.rough(translator).set_params(**limits)
    rough.export(tmp_path / "model", format="onnx")
    text = (tmp_path / "model" / "skseq.json").read_text("utf-8")
    description, X = json.loads(text), [*TRANSLATOR.X, "a b c a b c a b c"]
    found = translated(tmp_path / "model", ids_of([x.split() for x in X], description))
    words = description["target_vocabulary"]
    assert [" ".join(words[i] for i in row) for row in found] == list(rough.predict(X))


def test_repetitions_that_no_graph_forbids_are_refused(translator, tmp_path):
    limited = TRANSLATOR.rough(translator).set_params(no_repeat_ngram=2)
    with pytest.raises(ValueError, match="no_repeat_ngram=2 cannot be exported to ONN"):
        limited.export(tmp_path / "model", format="onnx")


def test_a_graph_refuses_sources_that_predict_refuses(translator, tmp_path):
    translator.export(tmp_path / "model")
    function = tf.saved_model.load(tmp_path / "model").signatures
    for text in (["a", "  "], [""]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="holds no tokens"):
            function["predict"](text=tf.constant(text))
    with pytest.raises(tf.errors.InvalidArgumentError, match="No length may exceed"):
        function["predict_tokens"](
            tokens=tf.constant([["a"]]), lengths=tf.constant([2])
        )
    for lengths in ([1], [1, 1, 1]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="one length per sour"):
            function["predict_tokens"](
                tokens=tf.constant([["a"], ["b"]]), lengths=tf.constant(lengths)
            )


def test_in_onnx_a_source_without_tokens_is_an_error(translator, tmp_path):
    translator.export(tmp_path / "model", format="onnx")
    text = (tmp_path / "model" / "skseq.json").read_text("utf-8")
    given = ids_of([["a", "b"], ["b"]], json.loads(text))
    run_onnx(tmp_path / "model", "encoder", **given)
    for length in (0, -1):
        given["lengths"][1] = length
        with pytest.raises(Exception, match=r"out of data bounds|sequence_lens"):
            run_onnx(tmp_path / "model", "encoder", **given)


@pytest.mark.slow
@pytest.mark.parametrize("units", [16, 128, 256])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_whatever_the_network_graphs_give_the_same(units, cell, tmp_path):
    settings = {"units": units, "cell": cell, "epochs": 20, "learning_rate": 5e-3}
    translator = TRANSLATOR.make(**settings).fit(TRANSLATOR.X, TRANSLATOR.y)
    translator.export(tmp_path / "model")
    given = {"text": np.array(TRANSLATOR.X)}
    jobs = [(tmp_path / "model", "saved_model", "predict", given)]
    (found,) = run_elsewhere(jobs, tmp_path)
    assert found["text"].tolist() == list(translator.predict(TRANSLATOR.X))
    translator.export(tmp_path / "onnx", format="onnx")
    description = json.loads((tmp_path / "onnx" / "skseq.json").read_text("utf-8"))
    ids = translated(
        tmp_path / "onnx", ids_of([x.split() for x in TRANSLATOR.X], description)
    )
    words = description["target_vocabulary"]
    assert [" ".join(words[i] for i in row) for row in ids] == found["text"].tolist()
