"""What a reader is told of the language reaches its search, whichever way it is told.

Outputs are compared with the decoder, given automata that are compiled by hand.
"""

import copy
import itertools
import pickle
import re
import warnings
from functools import cache, partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from skseq._ctc.decoders import beam_search
from skseq._decoding import Held
from skseq._engine.programs import Program, Trainer
from skseq._files.archive import read_archive, write_archive
from skseq.language import Hotwords, LabelPattern, Lexicon, NgramModel
from skseq.language._guide import Guide
from skseq.preprocessing import FrameTransformer
from tests.contract.comparing import assert_same_weights
from tests.estimators import CTC, CTC_GRU_CONV, CTC_SINGLE
from tests.exported import padded, run_saved_model
from tests.toy import roughened

X, Y = CTC.X, CTC.y
LISTS = CTC_GRU_CONV.y  # the same labels as numbers
LETTERS = ["a", "b", "c"]
WIDTH = 8

make = partial(CTC.tiny, decoder="beam", beam_width=WIDTH)
ngrams = partial(NgramModel, order=2, smoothing="witten_bell")
MODEL = ngrams().fit(["ab", "abab", "cab", "ba", "abc"])
FROZEN = FrozenEstimator(MODEL)


@cache
def fitted(form="text"):
    """A reader that writes much, whose search is told nothing."""
    return roughened(make().fit(X, Y if form == "text" else LISTS), scale=0.8)


def reader(form="text", **params):
    return copy.copy(fitted(form)).set_params(**params)


def by_hand(parts=(), bonus=0.0, penalty=0.0):
    """What the decoder finds for each sample alone."""
    guide = Guide.of(3, list(parts), bonus) if parts or bonus else None
    found = []
    for log_proba in fitted().predict_log_proba(X):
        heard = log_proba[np.newaxis].copy()
        heard[..., -1] -= penalty
        lengths = np.array([len(log_proba)])
        (best,) = beam_search(heard, lengths, beam_width=WIDTH, guide=guide)
        found.append("".join(LETTERS[i] for i in best[0].labels) if best else "")
    return found


def automaton(told):
    return told._automaton(LETTERS)


WORDS = ["ab", "cab", "bca", "abcabc", "acbac", "b"]
LENIENT = Lexicon(WORDS, unknown="penalize", penalty=-3.0)
# Parameters, and the automata with their scales, the bonus and the penalty of each.
TOLD = {
    "a model": (
        {"language_model": FROZEN},
        {"parts": [(automaton(MODEL), 0.5)]},
    ),
    "a model and its weight": (
        {"language_model": FROZEN, "lm_weight": 2.0},
        {"parts": [(automaton(MODEL), 2.0)]},
    ),
    "a bonus": ({"insertion_bonus": 1.5}, {"bonus": 1.5}),
    "a malus": ({"insertion_bonus": -1.5}, {"bonus": -1.5}),
    "words": ({"lexicon": WORDS}, {"parts": [(automaton(Lexicon(WORDS)), 1.0)]}),
    "a set of words": (
        {"lexicon": set(WORDS)},
        {"parts": [(automaton(Lexicon(WORDS)), 1.0)]},
    ),
    "a lexicon": ({"lexicon": LENIENT}, {"parts": [(automaton(LENIENT), 1.0)]}),
    "phrases": (
        {"hotwords": ["cc", "ab"], "hotword_weight": 3.0},
        {"parts": [(automaton(Hotwords(["cc", "ab"], weight=3.0)), 1.0)]},
    ),
    "phrases and their weights": (
        {"hotwords": {"cc": 3.0, "a": -2.0}},
        {"parts": [(automaton(Hotwords({"cc": 3.0, "a": -2.0})), 1.0)]},
    ),
    "hotwords": (
        {"hotwords": Hotwords(["bb"], weight=5.0), "hotword_weight": 1.0},
        {"parts": [(automaton(Hotwords(["bb"], weight=5.0)), 1.0)]},
    ),
    "a pattern": (
        {"pattern": "[ab]{2}c*"},
        {"parts": [(automaton(LabelPattern("[ab]{2}c*")), 1.0)]},
    ),
    "a pattern as an object": (
        {"pattern": LabelPattern("(ab|c)+")},
        {"parts": [(automaton(LabelPattern("(ab|c)+")), 1.0)]},
    ),
    "a penalty of blanks": ({"blank_penalty": 1.5}, {"penalty": 1.5}),
    "all of it": (
        {
            "language_model": FROZEN,
            "lm_weight": 0.7,
            "insertion_bonus": 1.0,
            "lexicon": LENIENT,
            "hotwords": ["ca"],
            "hotword_weight": 2.5,
            "pattern": "[abc]{1,4}",
            "blank_penalty": 0.5,
        },
        {
            "parts": [
                (automaton(MODEL), 0.7),
                (automaton(LENIENT), 1.0),
                (automaton(LabelPattern("[abc]{1,4}")), 1.0),
                (automaton(Hotwords(["ca"], weight=2.5)), 1.0),
            ],
            "bonus": 1.0,
            "penalty": 0.5,
        },
    ),
}
told = pytest.mark.parametrize("name", TOLD)


# -- searching -------------------------------------------------------------------------


@told
def test_what_is_set_after_fit_is_what_the_search_follows(name):
    params, expected = TOLD[name]
    found = reader(**params).predict(X).tolist()
    assert found == by_hand(**expected)
    assert found != by_hand()  # or it could be without effect


@pytest.mark.parametrize("name", ["words", "phrases", "a model", "a pattern"])
def test_what_is_passed_to_fit_is_what_the_search_follows(name):
    params, _ = TOLD[name]
    at_fit = roughened(make(**params).fit(X, Y), scale=0.8)
    assert at_fit.predict(X).tolist() == reader(**params).predict(X).tolist()


@told
def test_the_scores_of_hypotheses_add_up(name):
    params, expected = TOLD[name]
    hand = Guide.of(3, expected.get("parts", []), expected.get("bonus", 0.0))
    estimator = reader(**{**params, "blank_penalty": 0.0})
    for x, hypotheses in zip(X, estimator.predict_n_best(X, 4), strict=True):
        labels = [h.labels for h in hypotheses]
        scores = [h.score for h in hypotheses]
        assert 0 < len(set(labels)) == len(labels) <= 4
        assert scores == sorted(scores, reverse=True)
        exact = estimator.score_samples([x] * len(labels), labels)
        np.testing.assert_allclose([h.log_probability for h in hypotheses], exact)
        for h in hypotheses:
            ids = [LETTERS.index(letter) for letter in h.labels]
            assert h.language_log_weight == pytest.approx(hand.log_weight(ids))
            assert h.score == h.log_probability + h.language_log_weight


def test_language_log_weights_are_those_of_the_model():
    params = {"language_model": FROZEN, "lm_weight": 0.7, "insertion_bonus": 0.4}
    for hypotheses in reader(**params).predict_n_best(X, 3):
        for labels, _, weight in hypotheses:
            (log_prob,) = MODEL.score_samples([labels])
            expected = 0.7 * log_prob + 0.4 * len(labels)
            assert weight == pytest.approx(expected, abs=1e-5)


@told
def test_confidence_is_the_share_in_what_the_search_finds(name):
    estimator = reader(**TOLD[name][0])
    n_best = estimator.predict_n_best(X, WIDTH)
    masses = [np.exp([h.score - found[0].score for h in found]) for found in n_best]
    expected = [mass[0] / mass.sum() for mass in masses]
    np.testing.assert_allclose(estimator.predict_confidence(X), expected, rtol=1e-6)


@pytest.mark.parametrize("penalty", [1.0, 3.0, -2.0])
def test_greedy_decoding_takes_the_penalty_of_blanks_off(penalty):
    plain = roughened(fitted(), scale=0.8, seed=4).set_params(decoder="greedy")
    estimator = copy.copy(plain).set_params(blank_penalty=penalty)
    expected = []
    for log_proba in estimator.predict_log_proba(X):
        path = (log_proba - np.array([0, 0, 0, penalty])).argmax(axis=1)
        runs = [label for label, _ in itertools.groupby(path)]
        expected.append("".join(LETTERS[i] for i in runs if i < 3))
    assert estimator.predict(X).tolist() == expected
    assert expected != plain.predict(X).tolist()


def test_probabilities_stay_those_of_the_network():
    params, _ = TOLD["all of it"]
    for method in ("predict_proba", "predict_log_proba"):
        pairs = zip(
            *(getattr(e, method)(X) for e in (reader(**params), reader())), strict=True
        )
        for found, expected in pairs:
            np.testing.assert_array_equal(found, expected)
    scores = reader(**params).score_samples(X, Y)
    np.testing.assert_array_equal(scores, reader().score_samples(X, Y))


def test_labels_that_are_numbers_can_be_told_of():
    names = {0: "a", 1: "b", 2: "c"}
    lists = {
        "lexicon": [[LETTERS.index(c) for c in word] for word in WORDS],
        "hotwords": {(2, 0): 2.5, "1": -1.0},
        "pattern": "[012]{1,4}",
    }
    text = {
        "lexicon": WORDS,
        "hotwords": {"ca": 2.5, "b": -1.0},
        "pattern": "[abc]{1,4}",
    }
    numbered = copy.copy(reader("lists", **lists))
    numbered._weights = fitted()._weights
    found = ["".join(names[i] for i in labels) for labels in numbered.predict(X)]
    assert found == reader(**text).predict(X).tolist()
    assert type(numbered.predict(X)[0]) is list


# -- nothing that is allowed fits ------------------------------------------------------


def test_where_nothing_valid_fits_outputs_are_empty_and_a_warning_names_samples():
    n_frames = [len(p) for p in reader().predict_proba(X)]
    length = sorted(n_frames)[6]
    estimator = reader(pattern=f"(ab|cb){{{length // 2 + 1}}}")
    gaps = [i for i, n in enumerate(n_frames) if n < 2 * (length // 2 + 1)]
    assert 5 < len(gaps) < len(X)
    shown = re.escape(", ".join(map(str, gaps[:5])) + ", ...")
    message = f"Nothing that pattern allows fits the frames of {len(gaps)} samples, "
    with pytest.warns(UserWarning, match=message + shown):
        found = estimator.predict(X)
    assert [i for i, text in enumerate(found) if text == ""] == gaps
    n_best = estimator.predict_n_best(X, 2)
    assert [i for i, hypotheses in enumerate(n_best) if hypotheses == []] == gaps
    with pytest.warns(UserWarning, match="1 sample, 0, so the output there is empty"):
        assert estimator.predict([X[gaps[0]]]).tolist() == [""]
    assert estimator.predict_confidence([X[gaps[0]]]).tolist() == [0.0]


def test_words_that_contradict_a_pattern_leave_nothing():
    message = "Nothing that lexicon and pattern allow fits the frames of 2 samples"
    with pytest.warns(UserWarning, match=message):
        found = reader("lists", lexicon=["01"], pattern="2+").predict(X[:2])
    assert found.tolist() == [[], []]


@pytest.mark.parametrize("pattern", ["[ab]{3}", "(ab|ba)c?", "a*"])
def test_every_output_matches_the_pattern(pattern):
    estimator = reader(pattern=pattern)
    rows = [estimator.predict(X), *zip(*estimator.predict_n_best(X, 3), strict=False)]
    for row in rows:
        for found in row:
            assert re.fullmatch(pattern, getattr(found, "labels", found))


# -- learning --------------------------------------------------------------------------

PROBES = ["", "a", "ab", "cba", "aabbcc"]


def assert_learnt_from(model, texts, **params):
    expected = ngrams(**params).fit(texts)
    assert model.get_params() == expected.get_params()
    np.testing.assert_array_equal(
        model.score_samples(PROBES), expected.score_samples(PROBES)
    )


def test_an_unfitted_model_learns_from_y():
    own = ngrams(order=3)
    estimator = make(language_model=own).fit(X, Y)
    assert_learnt_from(estimator.language_model_, Y, order=3)
    assert estimator.language_model is own
    assert not own.__sklearn_is_fitted__()


def test_fit_stands_for_the_defaults():
    model = make(language_model="fit").fit(X, Y).language_model_
    assert model.get_params() == NgramModel().get_params()
    expected = NgramModel().fit(Y).score_samples(PROBES)
    np.testing.assert_array_equal(model.score_samples(PROBES), expected)


def test_it_also_learns_from_extra_texts():
    extra = ["abcabc", "cc"]
    estimator = make(language_model=ngrams()).fit(X, Y, extra_texts=extra)
    assert_learnt_from(estimator.language_model_, [*Y, *extra])
    extra = pd.Series(extra, index=[7, 7])
    estimator = make(language_model=ngrams()).fit(X, Y, extra_texts=extra)
    assert_learnt_from(estimator.language_model_, [*Y, *extra])


def test_it_does_not_learn_from_samples_without_weight():
    weights = np.ones(len(X))
    weights[[0, 5]] = 0
    estimator = make(language_model=ngrams()).fit(X, pd.Series(Y), weights)
    kept = [y for y, weight in zip(Y, weights, strict=True) if weight]
    assert_learnt_from(estimator.language_model_, kept)


def test_partial_fit_adds_what_comes():
    estimator = make(language_model=ngrams())
    estimator.partial_fit(X[:6], Y[:6], classes=LETTERS)
    before = estimator.language_model_
    assert_learnt_from(before, Y[:6])
    estimator.partial_fit(X[6:], Y[6:])
    assert_learnt_from(estimator.language_model_, Y)
    assert_learnt_from(before, Y[:6])  # others may have it
    estimator.set_params(language_model=ngrams(order=3)).partial_fit(X[:6], Y[:6])
    assert_learnt_from(estimator.language_model_, Y[:6], order=3)


def test_fit_learns_anew():
    estimator = make(language_model=ngrams(), hotwords=["x"])
    texts = [text.translate(str.maketrans("abc", "xyz")) for text in Y]
    estimator.fit(X, texts)
    assert set("".join(estimator.language_model_.units_)) == set("xyz")
    assert set("".join(estimator.predict(X))) <= set("xyz")
    with pytest.raises(ValueError, match="'x' with 'x'"):
        estimator.fit(X, Y)
    assert set("".join(estimator.predict(X))) <= set("xyz")
    estimator.set_params(hotwords=["c"]).fit(X, Y)
    assert_learnt_from(estimator.language_model_, Y)
    assert set("".join(estimator.predict(X))) <= set("abc")


def test_a_fit_that_fails_changes_nothing():
    estimator = make(language_model=ngrams()).fit(X, Y)
    found = estimator.predict(X).tolist()
    with pytest.raises(ValueError, match="labels that no y had in fit: 'z'"):
        estimator.fit(X, Y, extra_texts=["az"])
    assert estimator.predict(X).tolist() == found
    assert_learnt_from(estimator.language_model_, Y)


def test_a_frozen_model_is_used_as_it_is():
    estimator = make(language_model=FROZEN).fit(X, Y)
    assert estimator.language_model_ is MODEL
    assert clone(estimator).language_model.estimator is MODEL


def test_the_model_follows_its_parameter():
    estimator = make(language_model=ngrams()).fit(X, Y)
    learnt = estimator.language_model_
    estimator.set_params(language_model=None)
    with pytest.raises(AttributeError, match="as its language_model is None"):
        _ = estimator.language_model_
    assert estimator.set_params(language_model=FROZEN).language_model_ is MODEL
    assert estimator.set_params(language_model=ngrams()).language_model_ is learnt
    with pytest.raises(NotFittedError):
        _ = make(language_model=ngrams()).language_model_


# -- ARPA files ------------------------------------------------------------------------


@pytest.fixture
def arpa(tmp_path):
    path = tmp_path / "letters.arpa.gz"
    MODEL.write_arpa(path)
    return path


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_file_is_read_at_fit_or_later(arpa, as_path):
    path = as_path(arpa)
    params = {"lm_weight": 2.0}
    expected = reader(language_model=FROZEN, **params).predict(X).tolist()
    assert reader(language_model=path, **params).predict(X).tolist() == expected
    at_fit = roughened(make(language_model=path, **params).fit(X, Y), scale=0.8)
    arpa.unlink()
    assert at_fit.predict(X).tolist() == expected


def test_a_file_leaves_what_was_learnt_alone(arpa):
    estimator = make(language_model=ngrams()).fit(X, Y)
    learnt = estimator.language_model_
    estimator.set_params(language_model=arpa).predict(X)
    assert estimator.language_model_.n_ngrams_ == MODEL.n_ngrams_
    assert estimator.set_params(language_model=ngrams()).language_model_ is learnt


def test_labels_that_are_numbers_are_looked_up_by_their_text(tmp_path):
    ngrams().fit(LISTS).write_arpa(tmp_path / "numbers.arpa")
    found = reader("lists", language_model=tmp_path / "numbers.arpa", lm_weight=2.0)
    expected = reader(
        "lists", language_model=FrozenEstimator(ngrams().fit(LISTS)), lm_weight=2.0
    )
    assert found.predict(X).tolist() == expected.predict(X).tolist()


# -- keeping ---------------------------------------------------------------------------

KEEPERS = {
    "pickle": lambda e, folder: pickle.loads(pickle.dumps(e)),
    "copy": lambda e, folder: copy.copy(e),
    "deep copy": lambda e, folder: copy.deepcopy(e),
    "joblib": lambda e, folder: joblib.load(joblib.dump(e, folder / "e.joblib")[0]),
    "file": lambda e, folder: [e.save(folder / "e"), skseq.load(folder / "e")][1],
}


@pytest.mark.parametrize("way", KEEPERS)
@told
def test_what_is_kept_predicts_the_same(name, way, tmp_path):
    estimator = reader(**TOLD[name][0])
    expected = estimator.predict_n_best(X, 2).tolist()
    kept = KEEPERS[way](estimator, tmp_path)
    assert kept.predict_n_best(X, 2).tolist() == expected
    assert kept.get_params().keys() == estimator.get_params().keys()


@pytest.mark.parametrize("way", KEEPERS)
def test_a_learnt_model_is_kept_with_its_counts(way, tmp_path):
    estimator = make(language_model=ngrams()).fit(X[:6], Y[:6], extra_texts=["cba"])
    kept = KEEPERS[way](estimator, tmp_path)
    assert_learnt_from(kept.language_model_, [*Y[:6], "cba"])
    kept.partial_fit(X[6:], Y[6:])
    assert_learnt_from(kept.language_model_, [*Y[:6], "cba", *Y[6:]])
    bare = clone(kept)
    assert repr(bare.language_model) == repr(ngrams())
    with pytest.raises(NotFittedError):
        bare.predict(X)


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_saved_reader_needs_no_other_file(arpa, tmp_path, is_settled):
    estimator = reader(language_model=arpa, lm_weight=2.0)
    if is_settled:
        estimator.predict(X)
    estimator.save(tmp_path / "reader.skseq")
    arpa.unlink()
    loaded = skseq.load(tmp_path / "reader.skseq")
    expected = reader(language_model=FROZEN, lm_weight=2.0).predict(X)
    assert loaded.predict(X).tolist() == expected.tolist()
    assert loaded.language_model == str(arpa)


def test_a_file_that_names_another_and_holds_no_model_is_refused(tmp_path):
    path = tmp_path / "reader.skseq"
    reader().save(path)
    archive = read_archive(path)
    for value in ("/etc/passwd", str(path), "letters.arpa"):
        described = {"language": "plain", "value": value}
        archive.header["parameters"]["language_model"] = described
        write_archive(path, archive.header, archive.arrays)
        with pytest.raises(ValueError, match="a path of which it has no model"):
            skseq.load(path)


def test_what_cannot_be_used_is_not_saved(tmp_path):
    for params in ({"hotwords": {"a": "x"}}, {"lexicon": [3]}, {"pattern": "("}):
        with pytest.raises(ValueError, match=r"weight of the phrase|entry 0|unclosed"):
            reader(**params).save(tmp_path / "reader.skseq")
    assert not list(tmp_path.iterdir())


# -- changes ---------------------------------------------------------------------------


def test_words_that_are_changed_in_place_are_noticed():
    words, phrases = ["ab"], {"cc": 0.0}
    estimator = reader(lexicon=words)
    assert set(estimator.predict(X)) == {"ab"}
    words[0] = "cab"
    assert set(estimator.predict(X)) == {"cab"}
    lists = [["a", "b"]]
    estimator = reader(lexicon=lists)
    assert set(estimator.predict(X)) == {"ab"}
    lists[0].append("c")
    assert set(estimator.predict(X)) == {"abc"}
    estimator = reader(hotwords=phrases)
    assert estimator.predict(X).tolist() == by_hand()
    phrases["cc"] = 9.0
    expected = reader(hotwords={"cc": 9.0}).predict(X).tolist()
    assert estimator.predict(X).tolist() == expected != by_hand()


def test_objects_that_are_changed_in_place_are_noticed():
    own = Lexicon(["ab"])
    estimator = reader(lexicon=own)
    assert set(estimator.predict(X)) == {"ab"}
    own.set_params(words=["ca"])
    assert set(estimator.predict(X)) == {"ca"}
    estimator.set_params(lexicon__words=["b"])
    assert set(estimator.predict(X)) == {"b"}
    model = ngrams().fit(["ab"])
    estimator = reader(language_model=FrozenEstimator(model), lm_weight=5.0)
    estimator.predict(X)
    model.partial_fit(["cc"] * 50)
    expected = reader(language_model=FrozenEstimator(model), lm_weight=5.0)
    assert estimator.predict(X).tolist() == expected.predict(X).tolist()


@pytest.fixture
def compiled(monkeypatch):
    """The names of the classes whose objects were compiled, as they are."""
    made = []
    for kind in (Hotwords, LabelPattern, Lexicon, NgramModel):

        def counted(self, classes, compile=kind._automaton):
            made.append(type(self).__name__)
            return compile(self, classes)

        monkeypatch.setattr(kind, "_automaton", counted)
    return made


def test_each_thing_is_compiled_once_while_it_stays(compiled):
    params, _ = TOLD["all of it"]
    estimator = pickle.loads(pickle.dumps(reader(**params)))  # nothing is compiled
    for _ in range(3):
        estimator.predict(X)
        estimator.predict_n_best(X[:2])
        estimator.set_params(lm_weight=1.0, beam_width=4)
    names = ["Hotwords", "LabelPattern", "Lexicon", "NgramModel"]
    assert sorted(compiled) == names


# -- searches --------------------------------------------------------------------------

GRID = {
    "lm_weight": [0.0, 1.0],
    "pattern": [None, "[ab]+"],
    "language_model": [None, ngrams()],
}


def test_a_grid_search_learns_a_model_in_each_fit():
    search = GridSearchCV(make(), GRID, cv=2, refit=False).fit(X, Y)
    for params, *scores in zip(
        search.cv_results_["params"],
        *(search.cv_results_[f"split{i}_test_score"] for i in range(2)),
        strict=True,
    ):
        expected = cross_val_score(make(**params), X, Y, cv=2)
        assert scores == expected.tolist()
    nested = {"language_model__order": [1, 3]}
    search = GridSearchCV(make(language_model=ngrams()), nested, cv=2).fit(X, Y)
    best = search.best_params_["language_model__order"]
    assert search.best_estimator_.language_model_.order == best


def test_decoding_is_searched_with_one_pass_and_each_thing_compiled_once(
    monkeypatch, compiled, arpa
):
    runs, run, reads, read = [], Program.run, [], NgramModel.read_arpa

    def counted(program, function, *tensors, **options):
        runs.append(function.__name__)
        return run(program, function, *tensors, **options)

    monkeypatch.setattr(Program, "run", counted)
    monkeypatch.setattr(
        NgramModel, "read_arpa", lambda path: reads.append(path) or read(path)
    )
    estimator = pickle.loads(pickle.dumps(reader(lexicon=WORDS)))
    estimator.predict(X)
    once, estimator.classes_ = runs.copy(), estimator.classes_.copy()
    runs.clear(), compiled.clear()
    grid = {
        "lm_weight": [0.0, 0.5, 2.0],
        "language_model": [FROZEN, str(arpa)],
        "insertion_bonus": [0.0, 1.0],
    }
    estimator.fit_decoding(X, Y, grid)
    assert runs == once
    assert compiled.count("Lexicon") == 1
    results = estimator.decoding_results_
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        assert score == reader(lexicon=WORDS, **params).score(X, Y)
    assert estimator.score(X, Y) == results["mean_test_score"].max()


def test_a_file_is_read_and_compiled_once_in_a_search_of_weights(
    monkeypatch, compiled, arpa, tmp_path
):
    reads, read = [], NgramModel.read_arpa
    monkeypatch.setattr(
        NgramModel, "read_arpa", lambda path: reads.append(path) or read(path)
    )
    reader().save(tmp_path / "reader.skseq")
    estimator = skseq.load(tmp_path / "reader.skseq")
    grid = {"language_model": [str(arpa)], "lm_weight": [0.0, 0.5, 2.0]}
    estimator.fit_decoding(X, Y, grid)
    assert len(reads) == 1
    assert compiled == ["NgramModel"]


def test_a_model_that_has_to_learn_cannot_be_searched_after_fit():
    with pytest.raises(ValueError, match=r"has to learn from y.*FrozenEstimator") as e:
        reader().fit_decoding(X, Y, {"language_model": [None, ngrams()]})
    assert "This combination of param_grid is" in e.value.__notes__[0]


def test_candidates_that_differ_in_language_alone_are_trained_once(
    monkeypatch, tmp_path
):
    steps, step = [], Trainer.step
    monkeypatch.setattr(Trainer, "step", lambda *a: steps.append(1) or step(*a))
    params = {"checkpoint": tmp_path, "epochs": 2}
    first = make(**params).fit(X, Y)
    n_steps = len(steps)
    assert n_steps > 0
    for own in ({"language_model": ngrams()}, {"lexicon": WORDS}, {"hotwords": ["c"]}):
        again = make(**params, **own).fit(X, Y)
        assert_same_weights(again, first)
    again = make(**params, language_model=ngrams()).fit(X, Y, extra_texts=["cba"])
    assert_learnt_from(again.language_model_, [*Y, "cba"])
    assert len(steps) == n_steps
    assert len(list(tmp_path.iterdir())) == 1


def test_extra_texts_are_routed_through_a_pipeline():
    scaler = FrameTransformer(StandardScaler())
    last = make(language_model=ngrams())
    plain = make_pipeline(clone(scaler), clone(last))
    plain.fit(X, Y, ctcsequenceclassifier__extra_texts=["cba"])
    assert_learnt_from(plain[-1].language_model_, [*Y, "cba"])
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(last).set_fit_request(extra_texts=True)
        routed = make_pipeline(clone(scaler), asking)
        routed.fit(X, Y, extra_texts=["cba"])
    assert_learnt_from(routed[-1].language_model_, [*Y, "cba"])


# -- exporting -------------------------------------------------------------------------

IN_GRAPHS = {
    "language_model": {"language_model": FROZEN},
    "lexicon and hotwords": {"lexicon": WORDS, "hotwords": ["c"]},
    "blank_penalty": {"blank_penalty": 1.0, "decoder": "greedy"},
}


@pytest.mark.parametrize("names", IN_GRAPHS)
def test_a_graph_is_not_told_of_a_language(names, tmp_path):
    message = rf'^{names} cannot be exported: .*Pass decoder="greedy" to export'
    with pytest.raises(ValueError, match=message):
        reader(**IN_GRAPHS[names]).export(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_an_export_that_is_asked_for_decodes_greedily(tmp_path):
    params, _ = TOLD["all of it"]
    reader(**params).export(tmp_path / "model", decoder="greedy")
    frames, lengths = padded(X)
    found = run_saved_model(
        tmp_path / "model", "serving_default", frames=frames, lengths=lengths
    )
    texts = [text.decode() for text in found["text"]]
    assert texts == reader(decoder="greedy").predict(X).tolist()


# -- what is refused -------------------------------------------------------------------

FOLLOWED = {
    "language_model": FROZEN,
    "lexicon": ["ab"],
    "hotwords": ["ab"],
    "pattern": "[ab]+",
    "insertion_bonus": 1.0,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_a_greedy_decoder_does_not_follow_is_refused(name):
    params = {name: FOLLOWED[name], "decoder": "greedy"}
    message = f"^Only a beam search follows {name}, .*Set decoder='beam'"
    with pytest.raises(ValueError, match=message):
        make(**params).fit(X, Y)
    estimator = reader(**params)
    for use in (
        estimator.predict,
        estimator.predict_n_best,
        estimator.predict_confidence,
    ):
        with pytest.raises(ValueError, match=message):
            use(X)


@pytest.mark.parametrize("name", [*FOLLOWED, "blank_penalty"])
def test_what_single_labels_make_no_use_of_is_refused(name):
    default = make().get_params()[name]
    own = CTC_SINGLE.tiny(decoder="beam", **{name: FOLLOWED.get(name, 1.0)})
    message = f"{name} has no effect where y holds one label per sample. Set {name}="
    with pytest.raises(ValueError, match="^" + re.escape(message + str(default))):
        own.fit(CTC_SINGLE.X, CTC_SINGLE.y)


def test_several_that_are_refused_are_named_together():
    with pytest.raises(
        ValueError, match=r"^Only a beam search follows lexicon, hotwords and pattern"
    ):
        reader(decoder="greedy", lexicon=["a"], hotwords=["a"], pattern="a").predict(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"language_model": MODEL}, r"fitted already.*FrozenEstimator\(model\).*clone"),
        ({"language_model": FrozenEstimator(ngrams())}, "frozen before it was fitted"),
        ({"language_model": FrozenEstimator(ngrams().fit(["xy"]))}, "'x', 'y'. Take"),
        ({"lexicon": []}, "must be a non-empty list of words"),
        ({"lexicon": ["az"]}, "'az' with 'z'"),
        ({"lexicon": [3]}, "a str or a list of labels. Got 3 as entry 0"),
        ({"lexicon": Lexicon(["a"], unknown="ignore")}, "'unknown' parameter"),
        ({"hotwords": ["az"]}, "'az' with 'z'"),
        ({"hotwords": {"a": np.nan}}, "phrase 'a' of Hotwords must be a finite number"),
        ({"pattern": "(a"}, "unclosed group"),
        ({"pattern": "(?=a)b"}, "look-ahead"),
        ({"pattern": "x"}, "the reader has no label for 'x'"),
        ({"pattern": ""}, "must be a non-empty str"),
    ],
)
def test_what_cannot_be_followed_is_refused_at_fit_and_later(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(X, Y)
    for use in ("predict", "predict_n_best", "predict_confidence"):
        with pytest.raises(ValueError, match=message):
            getattr(reader(**params), use)(X)


def test_a_model_that_cannot_learn_is_refused_at_fit():
    for own in (NgramModel(order=0), NgramModel(unit="sentence")):
        with pytest.raises(ValueError, match="parameter of NgramModel must be"):
            make(language_model=own).fit(X, Y)


def test_a_model_that_has_to_learn_is_refused_after_fit():
    for own in ("fit", ngrams(order=4)):
        with pytest.raises(ValueError, match=r"has to learn from y.*Fit again"):
            reader(language_model=own).predict(X)


@pytest.mark.parametrize(
    ("extra", "error", "message"),
    [
        ("abc", TypeError, r"single str 'abc'. Did you mean \[extra_texts\]"),
        (3, TypeError, "extra_texts must be a collection of label sequences, got 3"),
        ({"ab"}, TypeError, "extra_texts must be an ordered collection"),
        (iter(["ab"]), TypeError, r"Convert it with list\(extra_texts\)"),
        (["ab", None], ValueError, r"^extra_texts\[1\] is missing"),
        ([3], ValueError, r"^extra_texts\[0\] is 3, a single label"),
        ([[0, 1]], ValueError, "the type int, but those of y are str"),
        (["abz"], ValueError, "labels that no y had in fit: 'z'"),
    ],
)
def test_extra_texts_that_cannot_be_used_are_refused(extra, error, message):
    with pytest.raises(error, match=message):
        make(language_model=ngrams()).fit(X, Y, extra_texts=extra)


@pytest.mark.parametrize("own", [None, FROZEN])
def test_extra_texts_that_nothing_learns_from_are_refused(own):
    with pytest.raises(ValueError, match="language_model names none to learn"):
        make(language_model=own).fit(X, Y, extra_texts=["ab"])


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("fitt", FileNotFoundError, "language_model='fitt' cannot be read: No such"),
        (".", IsADirectoryError, "Pass the path of an ARPA file, or 'fit'"),
        ("torn.arpa", ValueError, "torn.arpa"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    name, error, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    MODEL.write_arpa("whole.arpa")
    Path("torn.arpa").write_text(Path("whole.arpa").read_text()[:150])
    for use in (
        lambda: make(language_model=name).fit(X, Y),
        lambda: reader(language_model=name).predict(X),
    ):
        with pytest.raises(error, match=message):
            use()


# -- what is compared, and what is left out --------------------------------------------

TOLD_ALIKE = {
    "lexicon": [
        (("a", "b", "c"), ["c", "b", "a"]),
        ({"a", "b", "c"}, frozenset("abc")),
        (Lexicon([("a", "b"), "c"]), Lexicon([["a", "b"], "c"])),
    ],
    "hotwords": [(("ab", "c"), {"c", "ab"}), ({"ab": 2.0}, {("a", "b"): 2.0})],
}


@pytest.fixture(scope="module")
def calibrated():
    fitted = CTC.fit().set_params(decoder="beam")
    return fitted.fit_decoding(CTC.X, CTC.y, {}, calibrate=True)


def recalibrated(calibrated, **params):
    reader = copy.deepcopy(calibrated).set_params(**params)
    return reader.fit_decoding(CTC.X, CTC.y, {}, calibrate=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, pair[0], id=f"{name} {i}")
        for name, pairs in TOLD_ALIKE.items()
        for i, pair in enumerate(pairs)
    ],
)
def test_a_calibration_outlives_a_file(name, value, calibrated, tmp_path):
    reader = recalibrated(calibrated, **{name: value})
    expected = reader.predict_confidence(CTC.X)
    reader.save(tmp_path / "reader")
    again = skseq.load(tmp_path / "reader").predict_confidence(CTC.X)
    assert again.tolist() == expected.tolist()


def test_a_calibration_knows_what_was_told_whatever_holds_it(calibrated):
    words = [f"{a}{b}{c}" for a in "abc" for b in "abc" for c in "abc"] * 8
    words = [w * (1 + i // 27) for i, w in enumerate(words)] + ["a", "b", "c"]
    reader = recalibrated(calibrated, lexicon=Lexicon(words))
    reader.set_params(lexicon=Lexicon(words[::-1])).predict_confidence(CTC.X)
    reader.set_params(lexicon=Lexicon([*words[:-1], "cc"]))
    with pytest.raises(ValueError, match="other parameters: lexicon was another"):
        reader.predict_confidence(CTC.X)
    own = ["a", "b", "c"]
    reader = recalibrated(calibrated, lexicon=own)
    own.append("abc")
    with pytest.raises(ValueError, match="lexicon was another"):
        reader.predict_confidence(CTC.X)


def test_a_calibration_knows_the_model_it_was_made_with(calibrated):
    first, other = (
        FrozenEstimator(NgramModel(order=2, smoothing="witten_bell").fit(y))
        for y in (CTC.y, ["abc", "cc"])
    )
    reader = recalibrated(calibrated, language_model=first)
    reader.set_params(language_model=copy.deepcopy(first)).predict_confidence(CTC.X)
    reader.set_params(language_model=other)
    with pytest.raises(ValueError, match="language_model was another"):
        reader.predict_confidence(CTC.X)


WITHOUT_UNKNOWN = (
    "\\data\\\nngram 1=4\n\n\\1-grams:\n-99 <s>\n-1 </s>\n-0.5 a\n-0.6 b\n\n\\end\\\n"
)


def test_labels_that_a_model_lacks_are_named_and_a_weight_of_0_is_no_model(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_text(WITHOUT_UNKNOWN)
    reader = CTC.rough(CTC.fit()).set_params(decoder="beam", beam_width=50)
    free = list(reader.predict(CTC.X))
    assert "c" in "".join(free)
    reader.set_params(language_model=str(path))
    with pytest.warns(UserWarning, match="gives 1 label no probability.* holds 'c'"):
        assert "c" not in "".join(reader.predict(CTC.X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader.predict(CTC.X)  # once is enough
        assert list(reader.set_params(lm_weight=0.0).predict(CTC.X)) == free


def test_a_path_may_name_a_model_of_words(tmp_path):
    spaced = [" ".join(text) for text in CTC.y]
    model = NgramModel(order=2, unit="word", smoothing="witten_bell").fit(
        ["ab c", "ba cab", "c ab", "ab ab"]
    )
    model.write_arpa(tmp_path / "words.arpa")
    frozen = FrozenEstimator(NgramModel.read_arpa(tmp_path / "words.arpa", unit="word"))
    reader = CTC.make(decoder="beam").fit(CTC.X, spaced)
    expected = reader.set_params(language_model=frozen).predict(CTC.X).tolist()
    reader.set_params(language_model=str(tmp_path / "words.arpa"))
    assert reader.predict(CTC.X).tolist() == expected
    assert reader.language_model_.unit == "word"


@pytest.mark.parametrize(
    "params",
    [
        {"insertion_bonus": 3.0},
        {"insertion_bonus": 6.0},
        {"blank_penalty": 6.0},
        {"blank_penalty": 3.0, "insertion_bonus": 3.0},
        {"hotwords": {"abc": 10.0}},
        {"hotwords": {"abc": 20.0}},
        {"lexicon": Lexicon(["a", "abc", "cb"], unknown="penalize", penalty=-20.0)},
        {
            "language_model": FrozenEstimator(
                NgramModel(order=2, smoothing="witten_bell").fit(CTC.y)
            ),
            "lm_weight": 16.0,
            "insertion_bonus": 8.0,
        },
    ],
    ids=str,
)
def test_weak_labels_are_found_that_something_speaks_for(params):
    reader = copy.copy(CTC.fit()).set_params(decoder="beam", **params)
    X = list(range(60))  # of which this is what a network gave
    reader._held = Held(X, [(np.arange(60), peaked_posteriors(60, 24))])
    best = [ranked[0].labels for ranked in reader.predict_n_best(X, 1)]
    many = [ranked[0].labels for ranked in reader.predict_n_best(X, 5)]
    assert list(reader.predict(X)) == best == many


def peaked_posteriors(n_samples, n_frames):
    """Log-posteriors of "a", "b", "c" and the blank, most of them far below -6."""
    logits = np.random.default_rng(0).normal(0, 3, size=(n_samples, n_frames, 4))
    logits[..., -1] += 9
    logits[:, 3::6, :-1] += 8
    lengths = np.full(n_samples, n_frames)
    return log_softmax(logits, axis=2).astype(np.float32), lengths


def test_log_probabilities_are_the_networks_own_under_a_blank_penalty():
    reader = CTC.rough(CTC.fit()).set_params(decoder="beam", beam_width=30)
    for penalty in (-2.0, 2.0):
        ranked = reader.set_params(blank_penalty=penalty).predict_n_best(CTC.X, 3)
        for x, own in zip(CTC.X, ranked, strict=True):
            labels = [hypothesis.labels for hypothesis in own]
            expected = reader.score_samples([x] * len(own), labels)
            found = [hypothesis.log_probability for hypothesis in own]
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
            scores = [hypothesis.score for hypothesis in own]
            assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("name", ["lexicon", "hotwords"])
def test_what_is_no_label_in_a_word_is_named(name):
    reader = CTC.fit().set_params(decoder="beam", **{name: [["a", None]]})
    with pytest.raises(ValueError, match=r"\['a', None\], has None"):
        reader.predict(CTC.X)


def test_a_beam_reader_is_judged_by_its_beam():
    reader = CTC.make(decoder="beam", epochs=1, learning_rate=1e-9)
    reader.set_params(insertion_bonus=30.0)  # so that it writes something
    with pytest.warns(ConvergenceWarning) as caught:
        reader.fit(CTC.X, CTC.y)
    assert not any("writes nothing at all" in str(w.message) for w in caught)


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("unknown", ["forbid", "penalize"])
def test_what_is_missing_in_a_word_is_named(gap, unknown):
    message = r"Entry 1 of the 'words' parameter of Lexicon.* in the place of a label"
    with pytest.raises(ValueError, match=message):
        reader(lexicon=Lexicon(["a", ["b", gap]], unknown=unknown)).predict(X)


@pytest.mark.parametrize("penalty", [-1e308, -(10**400)], ids=["float", "int"])
def test_a_penalty_beyond_its_range_is_refused(penalty):
    told = Lexicon(["a"], unknown="penalize", penalty=penalty)
    with pytest.raises(ValueError, match=r"'penalty' .* range \[-1000000.0, 0.0\]"):
        reader(lexicon=told).predict(X)


def test_a_whole_number_that_no_float_holds_is_refused():
    with pytest.raises(ValueError, match="'min_label_log_prob' parameter"):
        reader(min_label_log_prob=-(10**400)).predict(X)


WORDS_ALONE = r"""\data\
ngram 1={n}

\1-grams:
-0.5\t</s>
-99\t<s>
{words}

\end\
"""


def word_file(path, words):
    rows = "\n".join(f"-0.5\t{word}" for word in words)
    text = WORDS_ALONE.format(n=len(words) + 2, words=rows)
    path.write_text(text.replace("\\t", "\t"))
    return path


def test_letters_inside_words_are_not_said_to_be_missing(tmp_path):
    word_file(tmp_path / "words.arpa", ["ab", "abc"])
    model = NgramModel.read_arpa(tmp_path / "words.arpa", unit="word")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = reader(language_model=FrozenEstimator(model)).predict(X)
    assert set(found) <= {"ab", "abc", ""}
    assert "abc" in found


def test_a_file_of_words_is_known_though_some_cannot_be_spelled(tmp_path):
    y = [f"{text} {text[::-1]}" for text in Y]
    fit = CTC.tiny(decoder="beam", epochs=1, conv_strides=1, infeasible="drop")
    spaced = fit.fit([np.repeat(x, 6, axis=0) for x in X], y)
    path = word_file(tmp_path / "words.arpa", ["ab", "abc", "cab", "a", "b\u00e9c"])
    spaced.set_params(language_model=str(path)).predict(X)
    assert spaced.language_model_.unit == "word"
    path = word_file(tmp_path / "letters.arpa", ["a", "b", "c", "<space>", "ab"])
    with pytest.raises(ValueError, match=r"'ab'\. .*unit='word'"):
        spaced.set_params(language_model=str(path)).predict(X)


@pytest.mark.parametrize("kind", [list, set, tuple])
def test_hotwords_in_another_order_are_the_same_to_a_calibration(calibrated, kind):
    own = recalibrated(calibrated, hotwords=Hotwords({"a": 1.0, "b": 2.0}))
    own.set_params(hotwords=Hotwords({"b": 2.0, "a": 1.0})).predict_confidence(CTC.X)
    own.set_params(hotwords=Hotwords({"a": 2.0, "b": 1.0}))
    with pytest.raises(ValueError, match="hotwords was another"):
        own.predict_confidence(CTC.X)
    own = recalibrated(calibrated, hotwords=Hotwords(["ab", "b", "ca"]))
    own.set_params(hotwords=Hotwords(kind(["ca", "ab", "b"])))
    own.predict_confidence(CTC.X)


def test_no_hotwords_are_no_beam_search():
    for nothing in ([], {}):
        CTC.tiny(hotwords=nothing).fit(CTC.X, CTC.y).predict(CTC.X)


def test_what_belongs_to_a_reader_is_not_saved_alone(tmp_path):
    model = NgramModel(smoothing="witten_bell").fit(CTC.y)
    with pytest.raises(TypeError, match=r"inside the reader.* write_arpa\(path\)"):
        skseq.save(model, tmp_path / "model")
    with pytest.raises(TypeError, match=r"inside the reader.* pickle it"):
        skseq.save(Lexicon(["a"]), tmp_path / "words")
