"""Decoding is searched without training again, and says how sure it is."""

import copy
import pickle
import warnings
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from skseq import CTCSequenceClassifier, Seq2SeqTranslator, _decoding
from skseq._engine.programs import Program
from skseq.metrics import (
    bleu_scorer,
    label_error_rate,
    label_error_rate_scorer,
    sequence_accuracy,
)
from skseq.preprocessing import FrameTransformer
from tests.estimators import CTC, CTC_SINGLE
from tests.toy import as_text, reversals, roughened, symbol_runs

SMALL = {"units": 6, "epochs": 12, "batch_size": 8, "random_state": 0}


class Learner:
    """An estimator that has learnt a little, and data that it has not seen."""

    def __init__(self, estimator, X, y, n_train, grid):
        self.estimator, self.grid = estimator, grid
        self.X, self.y, self.n_train = X, y, n_train
        self.X_val, self.y_val = X[n_train:], y[n_train:]

    @cache  # noqa: B019 - there are two, for as long as the tests run
    def _fitted(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return self.estimator.fit(self.X[: self.n_train], self.y[: self.n_train])

    def fitted(self, **params):
        return copy.copy(self._fitted()).set_params(**params)

    def search(self, grid=None, **options):
        grid = self.grid if grid is None else grid
        return self.fitted().fit_decoding(self.X_val, self.y_val, grid, **options)


def readers():
    X, symbols, _ = symbol_runs(60, noise=0.7)
    estimator = CTCSequenceClassifier(**SMALL, conv_filters=(), learning_rate=2e-2)
    grid = [
        {"decoder": ["greedy"]},
        {
            "decoder": ["beam"],
            "beam_width": [1, 2, 8],
            "min_label_log_prob": [-0.7, None],
        },
    ]
    return Learner(estimator, X, as_text(symbols), 40, grid)


def translators():
    X, y = (list(map(" ".join, side)) for side in reversals(60))
    estimator = Seq2SeqTranslator(
        **SMALL,
        embedding_dim=4,
        learning_rate=2e-2,
        source_tokenizer="word",
        target_tokenizer="word",
    )
    grid = {
        "decoder": ["beam"],
        "beam_width": [1, 3],
        "length_penalty": [0.0, 2.0],
        "max_output_length": [2, None],
    }
    return Learner(estimator, X, y, 40, grid)


READER, TRANSLATING = readers(), translators()
both = pytest.mark.parametrize("learner", [READER, TRANSLATING], ids=["ctc", "s2s"])


def state_of(estimator):
    return pickle.dumps(estimator)


# -- what it finds ---------------------------------------------------------------------


@both
def test_it_finds_what_a_grid_search_finds_that_trains_each_candidate(learner):
    n = learner.n_train
    split = [(np.arange(n), np.arange(n, len(learner.X)))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = GridSearchCV(learner.estimator, learner.grid, cv=split, refit=False)
        expected.fit(learner.X, learner.y)
    found = learner.search()
    results = found.decoding_results_
    assert len(set(results["mean_test_score"])) > 2
    assert results["params"] == expected.cv_results_["params"]
    for name in ("mean_test_score", "rank_test_score"):
        assert results[name].tolist() == expected.cv_results_[name].tolist()
    columns = {n for n in expected.cv_results_ if n.startswith("param_")}
    assert columns == {n for n in results if n.startswith("param_")}
    for name in columns:
        assert results[name].tolist() == expected.cv_results_[name].tolist()
    best = results["params"][int(np.argmin(results["rank_test_score"]))]
    assert found.get_params().items() >= best.items()


@both
def test_a_candidate_predicts_what_it_predicts_when_it_is_set(learner):
    seen = []

    def scorer(estimator, X, y):
        seen.append((estimator.get_params(), estimator.predict(X), len(X)))
        return 0.0

    learner.search(scoring=scorer)
    candidates = list(ParameterGrid(learner.grid))
    assert len(seen) == len(candidates)
    for params, (found, predicted, n) in zip(candidates, seen, strict=True):
        assert found.items() >= params.items()
        assert n == len(learner.X_val)
        expected = learner.fitted(**params).predict(learner.X_val)
        assert predicted.tolist() == expected.tolist()


@both
def test_other_methods_of_a_candidate_answer_as_ever(learner):
    found = {}

    def scorer(estimator, X, y):
        found["n best"] = estimator.predict_n_best(X, 3)
        found["some"] = estimator.predict(X[:3])
        found["scores"] = estimator.score_samples(X, y)
        found["proba"] = estimator.predict_proba(X)
        return 0.0

    learner.search({}, scoring=scorer)
    estimator, X = learner.fitted(), learner.X_val
    for one, other in zip(found["n best"], estimator.predict_n_best(X, 3), strict=True):
        assert [h[0] for h in one] == [h[0] for h in other]
        np.testing.assert_allclose([h[1] for h in one], [h[1] for h in other])
    assert found["some"].tolist() == estimator.predict(X[:3]).tolist()
    expected = estimator.score_samples(X, learner.y_val)
    np.testing.assert_array_equal(found["scores"], expected)
    for one, other in zip(found["proba"], estimator.predict_proba(X), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_network_runs_once_however_many_candidates_there_are(monkeypatch):
    runs, run = [], Program.run

    def counted(program, function, *tensors, **options):
        runs.append(function.__name__)
        return run(program, function, *tensors, **options)

    monkeypatch.setattr(Program, "run", counted)
    READER.fitted().predict(READER.X_val)
    once = runs.copy()
    runs.clear()
    READER.search()
    assert runs == once
    runs.clear()
    TRANSLATING.search()
    assert runs.count("encode") == 1
    assert "translate" not in runs
    assert runs.count("decode") == len(ParameterGrid(TRANSLATING.grid))


def test_the_decoder_is_traced_only_for_other_widths_and_runs(monkeypatch, no_programs):
    traced, compiled = [], Program._compiled

    def counted(program, function, *rest):
        traced.append(function.__name__)
        return compiled(program, function, *rest)

    monkeypatch.setattr(Program, "_compiled", counted)
    TRANSLATING.search()  # two widths, four pairs of penalties and limits
    assert sorted(traced) == ["decode", "decode", "encode"]


SCORINGS = {
    "the name of a scorer": "accuracy",
    "a scorer of ours": label_error_rate_scorer,
    "a scorer of scikit-learn": make_scorer(accuracy_score),
    "a function": lambda e, X, y: -label_error_rate(y, e.predict(X)),
}


@both
@pytest.mark.parametrize("scoring", SCORINGS.values(), ids=SCORINGS)
def test_any_scorer_decides(learner, scoring):
    X, y = learner.X_val, learner.y_val
    measure = {
        "accuracy": lambda e: np.mean([a == b for a, b in zip(e.predict(X), y)]),  # noqa: B905
        label_error_rate_scorer: lambda e: -label_error_rate(y, e.predict(X)),
        SCORINGS["a scorer of scikit-learn"]: lambda e: np.mean(e.predict(X) == y),
    }.get(scoring, lambda e: scoring(e, X, y))
    expected = [measure(learner.fitted(**p)) for p in ParameterGrid(learner.grid)]
    found = learner.search(scoring=scoring)
    np.testing.assert_allclose(found.decoding_results_["mean_test_score"], expected)
    best = list(ParameterGrid(learner.grid))[int(np.argmax(expected))]
    assert found.get_params().items() >= best.items()


@both
def test_weights_reach_the_score(learner):
    weights = np.linspace(0, 3, len(learner.X_val))
    found = learner.search(sample_weight=weights).decoding_results_
    expected = [
        learner.fitted(**params).score(learner.X_val, learner.y_val, weights)
        for params in ParameterGrid(learner.grid)
    ]
    assert found["mean_test_score"].tolist() == expected


def test_of_equals_the_first_is_set():
    widths = [4, 2, 3]
    found = READER.search({"beam_width": widths}, scoring=lambda *_: 0.5)
    assert found.beam_width == 4
    assert found.decoding_results_["rank_test_score"].tolist() == [1, 1, 1]


@both
def test_the_best_is_set_as_a_user_sets_it(learner):
    estimator = learner.fitted()
    before = estimator.get_params()
    assert (
        estimator.fit_decoding(learner.X_val, learner.y_val, learner.grid) is estimator
    )
    changed = {n: v for n, v in estimator.get_params().items() if v != before[n]}
    assert changed
    assert changed.keys() <= {name for p in ParameterGrid(learner.grid) for name in p}
    assert clone(estimator).get_params() == estimator.get_params()
    expected = learner.fitted(**changed).predict(learner.X_val)
    assert estimator.predict(learner.X_val).tolist() == expected.tolist()
    assert not hasattr(estimator, "_held")


def test_a_parameter_that_a_candidate_lacks_is_masked_and_keeps_its_value():
    grid = [{"decoder": ["greedy"]}, {"min_label_log_prob": [-1.0, None]}]
    results = READER.search(grid).decoding_results_
    assert results["param_decoder"].mask.tolist() == [False, True, True]
    assert results["param_min_label_log_prob"].mask.tolist() == [True, False, False]
    assert results["param_min_label_log_prob"].tolist()[1:] == [-1.0, None]
    assert (results["mean_score_time"] > 0).all()


def test_the_last_step_of_a_pipeline_is_searched():
    pipeline = make_pipeline(
        FrameTransformer(StandardScaler()), clone(READER.estimator)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(READER.X[:40], READER.y[:40])
    seen = pipeline[:-1].transform(READER.X_val)
    pipeline[-1].fit_decoding(
        seen, READER.y_val, {"beam_width": [3], "decoder": ["beam"]}
    )
    assert pipeline.get_params()["ctcsequenceclassifier__beam_width"] == 3
    score = pipeline[-1].decoding_results_["mean_test_score"][0]
    assert pipeline.score(READER.X_val, READER.y_val) == score


# -- what is kept ----------------------------------------------------------------------


@both
@pytest.mark.parametrize("way", ["file", "pickle", "copy"])
def test_what_was_found_is_kept(learner, way, tmp_path):
    found = learner.search(calibrate=True)
    if way == "file":
        found.save(tmp_path / "found.skseq")
        kept = skseq.load(tmp_path / "found.skseq")
    else:
        kept = {
            "pickle": lambda e: pickle.loads(pickle.dumps(e)),
            "copy": copy.deepcopy,
        }[way](found)
    np.testing.assert_equal(kept.decoding_results_, found.decoding_results_)
    confidence = found.predict_confidence(learner.X_val)
    assert kept.predict_confidence(learner.X_val).tolist() == confidence.tolist()


def test_a_value_that_no_file_can_hold_is_named_in_it(monkeypatch, tmp_path):
    width = type("Width", (int,), {"__repr__": lambda self: "Width(3)"})
    monkeypatch.setattr(_decoding, "pack", refusing(width))
    found = READER.search({"beam_width": [width(3), 4]})
    assert type(found.decoding_results_["params"][0]["beam_width"]) is width
    found.set_params(beam_width=4).save(tmp_path / "found.skseq")
    kept = skseq.load(tmp_path / "found.skseq").decoding_results_
    assert kept["params"] == [{"beam_width": "Width(3)"}, {"beam_width": 4}]


def refusing(kind):
    pack = _decoding.pack

    def packed(value, where):
        if isinstance(value, kind):
            raise TypeError("not plain")
        return pack(value, where)

    return packed


@pytest.mark.parametrize("again", ["fit", "partial_fit"])
def test_training_drops_what_was_found(again):
    found = CTC.tiny().fit(CTC.X, CTC.y)
    found.fit_decoding(CTC.X, CTC.y, {"decoder": ["beam"]}, calibrate=True)
    line = vars(found)["_calibration"]["line"]
    getattr(found, again)(CTC.X, CTC.y)
    assert not hasattr(found, "decoding_results_")
    assert found.decoder == "beam"
    odds = found._log_odds(CTC.X)
    confidence = found.predict_confidence(CTC.X)
    assert not np.allclose(confidence, _calibrated(odds, line))
    np.testing.assert_allclose(confidence, _calibrated(odds, (1, 0)))


def _calibrated(odds, line):
    return 1 / (1 + np.exp(-(line[0] * odds + line[1])))


def test_before_a_search_there_are_no_results_and_the_error_says_so():
    with pytest.raises(
        AttributeError, match=r"not searched .* Call fit_decoding first"
    ):
        _ = READER.fitted().decoding_results_


SEARCH = {"params": [{"a": 1}], "scores": np.ones(1), "seconds": np.ones(1)}
BAD_SEARCHES = [
    None,
    {**SEARCH, "more": 1},
    {**SEARCH, "params": []},
    {**SEARCH, "params": [3]},
    {**SEARCH, "params": [{1: 2}]},
    {**SEARCH, "scores": np.ones(2)},
    {**SEARCH, "scores": np.array([np.nan])},
    {**SEARCH, "seconds": [1.0]},
    {**SEARCH, "seconds": np.ones(1, np.float32)},
]
CALIBRATION = {"line": (1.0, 0.0), "decoding": {}}
BAD_CALIBRATIONS = [
    None,
    {"line": (1.0, 0.0)},
    {**CALIBRATION, "line": (1.0,)},
    {**CALIBRATION, "line": (1.0, np.inf)},
    {**CALIBRATION, "line": (1, "0")},
    {**CALIBRATION, "decoding": []},
    {**CALIBRATION, "decoding": {1: 2}},
]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("_decoding_search", value) for value in BAD_SEARCHES),
        *(("_calibration", value) for value in BAD_CALIBRATIONS),
    ],
)
def test_a_file_that_holds_something_else_in_their_place_is_refused(name, value):
    good = {"_decoding_search": SEARCH, "_calibration": CALIBRATION}
    found = READER.fitted()
    setattr(found, name, good[name])
    found._check_restored()
    setattr(found, name, value)
    with pytest.raises(ValueError, match=f"its {name} must be"):
        found._check_restored()


# -- what is refused -------------------------------------------------------------------

UNUSABLE = {
    "a parameter of training": (
        {"units": [3]},
        r"names 'units', but .*CTC.* searches 'decoder', 'beam_width'.*GridSearchCV",
    ),
    "no parameter": ({"beamwidth": [3]}, r"Did you mean 'beam_width'"),
    "another library's": ({"alpha": [3]}, r"names 'alpha'.*'min_label_log_prob'"),
    "a name in a pipeline": (
        {"ctcsequenceclassifier__beam_width": [3]},
        "Name it 'beam_width' alone.*last step",
    ),
    "a value": ({"beam_width": [2, 0]}, r"'beam_width' parameter .* Got 0"),
    "a name's value": ({"decoder": ["beem"]}, r"'decoder' .* Did you mean 'beam'"),
    "no list": ({"decoder": "beam"}, r"decoder.*list"),
    "an empty list": ({"decoder": []}, "decoder"),
    "no combination": ([], "at least one combination"),
}


@pytest.mark.parametrize(("grid", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_grid_that_cannot_be_searched_is_refused(grid, message, monkeypatch):
    monkeypatch.setattr(Program, "run", None)  # before the network runs
    found = READER.fitted()
    before = state_of(found)
    with pytest.raises((ValueError, TypeError), match=message):
        found.fit_decoding(READER.X_val, READER.y_val, grid)
    assert state_of(found) == before


def test_what_does_not_go_together_is_refused_with_the_combination():
    with pytest.raises(ValueError, match="exceeds max_output_length=2") as caught:
        TRANSLATING.search({"min_output_length": [1, 3], "max_output_length": [2]})
    assert (
        "{'max_output_length': 2, 'min_output_length': 3}" in caught.value.__notes__[0]
    )


SCORED = {
    "several": (["accuracy"], "must be None, a callable or the name of a scorer"),
    "no scorer": (3, "must be None, a callable or the name of a scorer"),
    "an unknown name": ("accuracyy", "accuracyy"),
    "a measure": (label_error_rate, "Pass skseq.metrics.label_error_rate_scorer"),
    "no number": (lambda *_: "good", "one number per combination. Got 'good'"),
    "NaN": (lambda *_: np.nan, "one number per combination. Got nan"),
}


@pytest.mark.parametrize(("scoring", "message"), SCORED.values(), ids=SCORED)
def test_what_does_not_score_is_refused(scoring, message):
    found = READER.fitted()
    before = state_of(found)
    with pytest.raises((ValueError, TypeError), match=message):
        found.fit_decoding(READER.X_val, READER.y_val, {}, scoring=scoring)
    assert state_of(found) == before


@both
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_search_that_breaks_off_leaves_the_estimator_as_it_was(learner, error):
    estimator = learner.fitted()
    before, n_calls = state_of(estimator), []

    def scorer(estimator, X, y):
        n_calls.append(1)
        if len(n_calls) == 3:
            raise error("no more")
        return len(n_calls)

    with pytest.raises(error, match="no more"):
        estimator.fit_decoding(learner.X_val, learner.y_val, learner.grid, scorer)
    assert state_of(estimator) == before


@both
def test_data_that_cannot_be_used_are_refused(learner):
    X, y = learner.X_val, learner.y_val
    with pytest.raises(ValueError, match=r"\b3\b"):
        learner.fitted().fit_decoding(X, y[:3], learner.grid)
    with pytest.raises((ValueError, TypeError), match="X"):
        learner.fitted().fit_decoding(3, y, learner.grid)
    with pytest.raises(ValueError, match="calibrate"):
        learner.fitted().fit_decoding(X, y, {}, calibrate="yes")
    with pytest.raises(ValueError, match="sample_weight"):
        learner.fitted().fit_decoding(X, y, {}, sample_weight=[1.0])


def test_weights_that_a_score_does_not_take_are_refused_in_words():
    weights = np.ones(len(READER.X_val))
    with pytest.raises(TypeError, match=r"does not take it\. Leave sample_weight out"):
        READER.search(scoring=lambda e, X, y: 0.0, sample_weight=weights)
    with pytest.raises(TypeError, match=r"does not take it\. Leave sample_weight out"):
        TRANSLATING.search({}, scoring=bleu_scorer, sample_weight=weights)


@both
def test_an_estimator_that_is_not_fitted_says_so(learner):
    estimator = clone(learner.estimator)
    with pytest.raises(NotFittedError):
        estimator.fit_decoding(learner.X_val, learner.y_val, {"no": ["grid"]})
    with pytest.raises(NotFittedError):
        estimator.predict_confidence(learner.X_val)


@pytest.mark.parametrize("learner", [READER, TRANSLATING], ids=["ctc", "s2s"])
def test_more_than_memory_holds_is_refused_before_the_network_runs(
    learner, monkeypatch
):
    monkeypatch.setattr("skseq._data.memory.memory_bytes", lambda: 100)
    monkeypatch.setattr(Program, "run", None)
    with pytest.raises(ValueError, match=r"Pass fewer (sequences|sources)"):
        learner.search()


# -- one label per sample --------------------------------------------------------------


def test_single_labels_have_nothing_to_search_but_can_be_calibrated():
    case = CTC_SINGLE
    found = case.tiny().fit(case.X, case.y)
    with pytest.raises(ValueError, match=r"nothing to search .* param_grid=\{\}"):
        found.fit_decoding(case.X, case.y, {"decoder": ["greedy", "beam"]})
    plain = found.predict_confidence(case.X)
    np.testing.assert_allclose(plain, found.predict_proba(case.X).max(axis=1))
    found.fit_decoding(case.X, case.y, {}, calibrate=True)
    accuracy = found.score(case.X, case.y)
    assert found.decoding_results_["mean_test_score"].tolist() == [accuracy]
    assert not np.allclose(found.predict_confidence(case.X), plain)


def test_the_only_label_is_certain():
    found = CTC_SINGLE.tiny().fit(CTC_SINGLE.X, ["a"] * len(CTC_SINGLE.X))
    assert found.predict_confidence(CTC_SINGLE.X).tolist() == [1.0] * len(CTC_SINGLE.X)


# -- confidence ------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", ["greedy", "beam"])
def test_confidence_is_the_posterior_where_the_search_finds_all_outputs(decoder):
    X = [x[:4] for x in CTC.X]  # 3 labels in 4 frames: fewer than 100 sequences
    found = roughened(CTC.tiny(decoder=decoder, beam_width=200).fit(CTC.X, CTC.y))
    expected = np.exp(found.score_samples(X, found.predict(X)))
    np.testing.assert_allclose(found.predict_confidence(X), expected, rtol=1e-5)
    assert np.ptp(expected) > 0.01


def test_confidence_of_a_translator_is_the_share_of_its_score():
    params = {"decoder": "beam", "beam_width": 6, "length_penalty": 1.0}
    found = TRANSLATING.fitted(**params)
    confidence = found.predict_confidence(TRANSLATING.X_val)
    for sure, best in zip(
        confidence, found.predict_n_best(TRANSLATING.X_val, 6), strict=True
    ):
        masses = np.exp([hypothesis.score for hypothesis in best])
        assert sure == pytest.approx(masses[0] / masses.sum())


@both
@pytest.mark.parametrize("decoder", ["greedy", "beam"])
@pytest.mark.parametrize("beam_width", [1, 8])
def test_confidence_is_a_share_and_the_same_alone(learner, decoder, beam_width):
    found = learner.fitted(decoder=decoder, beam_width=beam_width)
    confidence = found.predict_confidence(learner.X_val)
    assert confidence.shape == (len(learner.X_val),)
    assert confidence.min() > 0
    assert confidence.max() < 1
    alone = [found.predict_confidence([x])[0] for x in learner.X_val[:4]]
    np.testing.assert_allclose(alone, confidence[:4], rtol=1e-5)


@both
def test_calibrated_confidence_counts_right_predictions(learner):
    found = learner.search(calibrate=True)
    X, y = learner.X_val, learner.y_val
    confidence = found.predict_confidence(X)
    plain = learner.fitted(**found.get_params()).predict_confidence(X)
    right = sequence_accuracy(y, found.predict(X))
    n_right = right * len(X)
    aims = n_right * (n_right + 1) / (n_right + 2)  # what Platt's method aims at
    aims += (len(X) - n_right) / (len(X) - n_right + 2)
    assert confidence.mean() == pytest.approx(aims / len(X), abs=1e-4)
    assert abs(confidence.mean() - right) < abs(plain.mean() - right)
    order = np.argsort(plain)
    assert (np.diff(confidence[order]) >= 0).all()


def test_a_sample_without_weight_has_no_say_in_a_calibration():
    X, y = READER.X_val, READER.y_val
    wrong = ["a" * 9] * 5
    weights = np.repeat([1.0, 0.0], [len(X), 5])
    plain = READER.fitted().fit_decoding(X, y, {}, calibrate=True)
    more = READER.fitted().fit_decoding(
        [*X, *X[:5]], [*y, *wrong], {}, calibrate=True, sample_weight=weights
    )
    np.testing.assert_allclose(
        plain.predict_confidence(X), more.predict_confidence(X), atol=1e-6
    )


def test_a_calibration_holds_for_the_decoding_that_it_was_made_under():
    found = READER.search({"beam_width": [4]}, calibrate=True)
    before = found.predict_confidence(READER.X_val)
    message = r"beam_width was 4 and is 5\. Set them back.*calibrate=True"
    with pytest.raises(ValueError, match=message):
        found.set_params(beam_width=5).predict_confidence(READER.X_val)
    found.set_params(beam_width=4)
    assert found.predict_confidence(READER.X_val).tolist() == before.tolist()
    found.set_params(beam_width=5).fit_decoding(READER.X_val, READER.y_val, {})
    assert found.predict_confidence(READER.X_val).tolist() != before.tolist()


def test_a_bad_parameter_of_decoding_is_named_by_confidence():
    with pytest.raises(ValueError, match="'beam_width' parameter"):
        READER.fitted(beam_width=0).predict_confidence(READER.X_val)
    with pytest.raises(ValueError, match="'length_penalty' parameter"):
        TRANSLATING.fitted(length_penalty=-1).predict_confidence(TRANSLATING.X_val)
