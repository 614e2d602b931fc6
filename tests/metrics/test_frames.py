"""Frames are compared as scikit-learn compares samples, and runs as they are edited."""

import copy
import pickle
from itertools import groupby

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, cross_validate

from skseq.metrics import (
    balanced_frame_accuracy,
    balanced_frame_accuracy_scorer,
    frame_accuracy,
    frame_accuracy_scorer,
    segment_error_rate,
    segment_error_rate_scorer,
)

ACCURACIES = [frame_accuracy, balanced_frame_accuracy]
MEASURES = [*ACCURACIES, segment_error_rate]
LABELS = np.array(["rest", "walk", "run", "jump"])


@pytest.fixture
def frames():
    """True and predicted labels of 20 sequences of 0 to 29 frames, and weights."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 30, size=20)
    y_true = [LABELS[rng.choice(4, size=n, p=[0.6, 0.2, 0.15, 0.05])] for n in lengths]
    y_pred = [np.where(rng.random(len(y)) < 0.7, y, rng.choice(LABELS)) for y in y_true]
    return y_true, y_pred, rng.integers(0, 4, size=20)


def pooled(frames):
    y_true, y_pred, weights = frames
    by_frame = np.repeat(weights, list(map(len, y_true)))
    return np.concatenate(y_true), np.concatenate(y_pred), by_frame


PEERS = pytest.mark.parametrize(
    ("measure", "peer"),
    [
        (frame_accuracy, accuracy_score),
        (balanced_frame_accuracy, balanced_accuracy_score),
    ],
)


@PEERS
def test_pooled_frames_are_scored_as_scikit_learn_scores_samples(measure, peer, frames):
    y_true, y_pred, weights = frames
    true, pred, by_frame = pooled(frames)
    assert measure(y_true, y_pred) == pytest.approx(peer(true, pred))
    expected = peer(true, pred, sample_weight=by_frame)
    assert measure(y_true, y_pred, sample_weight=weights) == pytest.approx(expected)
    assert expected != pytest.approx(peer(true, pred))


@PEERS
def test_weights_may_be_given_by_frame(measure, peer, frames):
    y_true, y_pred, _ = frames
    rng = np.random.default_rng(1)
    weights = [rng.integers(0, 3, size=len(y)) for y in y_true]
    true, pred, _ = pooled(frames)
    expected = peer(true, pred, sample_weight=np.concatenate(weights))
    assert measure(y_true, y_pred, sample_weight=weights) == pytest.approx(expected)
    weights = [own.tolist() for own in weights]
    assert measure(y_true, y_pred, sample_weight=weights) == pytest.approx(expected)


def test_frames_of_weight_zero_do_not_count():
    weights = [[1, 1, 0, 0], [1, 0]]
    assert frame_accuracy(["aabb", "ba"], ["aaaa", "bb"], sample_weight=weights) == 1.0
    weights = np.array([[1, 1, 0], [1, 0, 0]])
    assert (
        frame_accuracy(["aab", "baa"], ["aba", "bbb"], sample_weight=weights) == 2 / 3
    )


def test_a_class_that_is_only_predicted_does_not_count():
    assert balanced_frame_accuracy(["aab"], ["acb"]) == 3 / 4


FORMS = {
    "strings": "".join,
    "lists": list,
    "tuples": tuple,
    "arrays": np.array,
    "arrays of objects": lambda labels: np.array(labels, dtype=object),
    "series": lambda labels: pd.Series(labels, index=range(7, 7 + len(labels))),
}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_only_labels_are_compared_not_their_containers(measure, form):
    y_true, y_pred = ["aabbc", "ab"], ["abbbc", "bb"]
    formed = [form(list(sequence)) for sequence in y_pred]
    assert measure(y_true, formed) == measure(y_true, y_pred)
    ragged = np.empty(2, dtype=object)
    ragged[:] = formed
    assert measure(y_true, ragged) == measure(y_true, y_pred)


def test_rows_of_an_array_are_sequences():
    y_true = np.array([[0, 0, 1], [2, 1, 1]])
    y_pred = np.array([[0, 1, 1], [2, 1, 0]])
    assert frame_accuracy(y_true, y_pred) == 4 / 6
    assert balanced_frame_accuracy(y_true, y_pred) == (1 / 2 + 2 / 3 + 1) / 3
    assert segment_error_rate(y_true, y_pred) == 1 / 4


def edits(one, other):
    """The edit distance by its recurrence."""
    if not one or not other:
        return len(one) + len(other)
    if one[-1] == other[-1]:
        return edits(one[:-1], other[:-1])
    shorter = (one[:-1], other), (one, other[:-1]), (one[:-1], other[:-1])
    return 1 + min(edits(*pair) for pair in shorter)


def test_segment_errors_are_the_edits_of_runs_over_the_true_runs():
    rng = np.random.default_rng(0)
    sides = [
        ["".join(rng.choice(list("abc"), size=n)) for n in rng.integers(0, 9, size=40)]
        for _ in range(2)
    ]
    runs = [[[label for label, _ in groupby(y)] for y in side] for side in sides]
    errors = np.array([edits(*pair) for pair in zip(*runs, strict=True)])
    n_runs = np.array([len(own) for own in runs[0]])
    assert segment_error_rate(*sides) == errors.sum() / n_runs.sum()
    weights = rng.integers(0, 3, size=40)
    found = segment_error_rate(*sides, sample_weight=weights)
    assert found == pytest.approx(weights @ errors / (weights @ n_runs))


def test_where_runs_begin_and_end_makes_no_segment_error():
    assert segment_error_rate(["aaabbbccc"], ["abbbbbbbc"]) == 0.0
    assert segment_error_rate(["aaaaaa"], ["aabaca"]) == 4.0


def test_of_sequences_without_frames_all_predicted_runs_are_errors():
    assert segment_error_rate([""], ["aab"]) == 2.0
    assert segment_error_rate([[]], [[]]) == 0.0


@pytest.mark.parametrize("measure", ACCURACIES)
def test_another_number_of_labels_is_refused_by_the_sample(measure):
    y_true = ["ab", "a", "b", "abcabcabcabc"]
    y_pred = ["ab", "a", "b", "abcabcabc"]
    with pytest.raises(ValueError, match=r"^y_pred\[3\] has 9 labels for 12 frames\."):
        measure(y_true, y_pred)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ("ab", "ab", TypeError, r"Did you mean \[y_true\]\?"),
        (["ab"], 3, TypeError, "y_pred must be a collection"),
        ([["a", None]], [["a", "b"]], TypeError, r"y_true\[0\] must be"),
        ([[["a"], ["b"]]], ["ab"], TypeError, r"y_true\[0\] must be"),
        (["a", "b"], ["a"], ValueError, "inconsistent numbers of samples"),
        ([], [], ValueError, "at least one"),
    ],
)
def test_what_cannot_be_compared_is_refused(measure, y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        measure(y_true, y_pred)


@pytest.mark.parametrize("measure", ACCURACIES)
def test_without_a_frame_there_is_no_accuracy(measure):
    with pytest.raises(ValueError, match=r"at least one frame\. Got 0"):
        measure([[], []], [[], []])


@pytest.mark.parametrize("measure", ACCURACIES)
@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0], ValueError, "sample_weight must have one entry per sample"),
        ([[1, 1]], ValueError, "sample_weight must have one entry per sample"),
        ([1.0, -1.0], ValueError, r"sample_weight\[1\] is -1"),
        ([[1, 1], [1]], ValueError, r"^sample_weight\[1\] has 1 weight for 3 frames\."),
        ([[1, 1], 1.0], ValueError, r"^sample_weight\[1\] has the shape \(\) for 3"),
        ([[1, 1], [1, np.nan, 1]], ValueError, r"sample_weight\[1\]\[1\] is nan"),
        ([[1, -2], [1, 1, 1]], ValueError, r"sample_weight\[0\]\[1\] is -2"),
        ([[1, 1], ["a", "b", "c"]], TypeError, r"sample_weight\[1\] must hold numbers"),
        ([[0, 0], [0, 0, 0]], ValueError, "at least one frame a weight above 0"),
        ({0: 1.0, 1: 2.0}, (TypeError, ValueError), "sample_weight|weight"),
    ],
)
def test_weights_that_do_not_fit_are_refused(measure, weights, error, message):
    with pytest.raises(error, match=message):
        measure(["ab", "abc"], ["ab", "abc"], sample_weight=weights)


def test_a_weight_on_empty_sequences_alone_is_refused():
    with pytest.raises(ValueError, match="at least one frame a weight above 0"):
        frame_accuracy(["", "ab"], ["", "ab"], sample_weight=[1, 0])


class Tagger(BaseEstimator):
    """Predicts the labels in X, the first `n_wrong` frames of each replaced."""

    def __init__(self, n_wrong=1):
        self.n_wrong = n_wrong

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return ["-" * self.n_wrong + x[self.n_wrong :] for x in X]


X = ["aabb", "abbb", "bbaa", "abab"]
SCORERS = {
    frame_accuracy_scorer: 3 / 4,
    balanced_frame_accuracy_scorer: (4 / 7 + 8 / 9) / 2,
    segment_error_rate_scorer: -4 / 10,
}


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_higher_score_is_better(scorer):
    assert scorer(Tagger().fit(X, X), X, X) == pytest.approx(SCORERS[scorer])
    assert scorer(Tagger(0).fit(X, X), X, X) == pytest.approx(
        float(scorer is not segment_error_rate_scorer)
    )
    search = GridSearchCV(
        Tagger(), {"n_wrong": [2, 0, 1]}, scoring=scorer, cv=2, error_score="raise"
    )
    assert search.fit(X, X).best_params_ == {"n_wrong": 0}


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_survive_pickling(scorer):
    restored = pickle.loads(pickle.dumps(scorer))
    assert restored(Tagger(), X, X) == scorer(Tagger(), X, X)


def test_scorers_take_weights_through_metadata_routing():
    scorer = copy.deepcopy(frame_accuracy_scorer)
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            Tagger(),
            ["aa", "aaaa", "aa", "aaaa"],
            ["aa", "aaaa", "aa", "aaaa"],
            scoring=scorer.set_score_request(sample_weight=True),
            cv=2,
            params={"sample_weight": [1, 0, 1, 1]},
        )
    np.testing.assert_allclose(result["test_score"], [1 / 2, 4 / 6])


@pytest.mark.parametrize(
    "measure", [frame_accuracy, balanced_frame_accuracy, segment_error_rate]
)
@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ([[0, 1]], [["0", "1"]]),
        ([["0", "1"]], [np.array([0, 1])]),
        (["01"], [[0, 1]]),
        ([(True, False)], ["10"]),
        ([[], [0.0]], [[], ["0"]]),
    ],
)
def test_labels_of_which_none_can_be_equal_are_refused(measure, y_true, y_pred):
    with pytest.raises(ValueError, match=r"of one type.*y_true has .* Convert one"):
        measure(y_true, y_pred)


def test_labels_of_several_types_are_compared_where_some_can_be_equal():
    assert frame_accuracy([[0, "a"]], [["0", "a"]]) == 0.5
    assert frame_accuracy([[0, 1]], [[0.0, True]]) == 1.0


@pytest.mark.parametrize(
    ("measure", "peer"),
    [
        (frame_accuracy, accuracy_score),
        (balanced_frame_accuracy, balanced_accuracy_score),
    ],
)
@pytest.mark.parametrize("weights", [None, [1.0, 3.0], [np.arange(40), np.ones(40)]])
def test_frames_with_a_mark_do_not_count(measure, peer, weights):
    rng = np.random.default_rng(0)
    true, pred = rng.integers(-1, 3, (2, 40)), rng.integers(0, 3, (2, 40))
    kept = true != -1
    flat = np.ones(true.shape)
    if weights is not None:
        flat *= [np.broadcast_to(own, 40) for own in weights]
    expected = peer(true[kept], pred[kept], sample_weight=flat[kept])
    found = measure(
        list(true), list(pred), sample_weight=weights, unlabelled=np.int64(-1)
    )
    np.testing.assert_allclose(found, expected)
    assert measure(list(true), list(pred), sample_weight=weights) < found


def test_a_scorer_leaves_out_what_it_is_told_marks_frames():
    scorer = sklearn.metrics.make_scorer(frame_accuracy, unlabelled="?")

    class Always(BaseEstimator):
        def fit(self, X, y):
            return self

        def predict(self, X):
            return ["a" * len(x) for x in X]

    X, y = [np.zeros((4, 1))] * 3, ["aa?b"] * 3
    found = cross_validate(Always(), X, y, cv=3, scoring=scorer, error_score="raise")
    np.testing.assert_allclose(found["test_score"], 2 / 3)


@pytest.mark.parametrize("measure", [frame_accuracy, balanced_frame_accuracy])
@pytest.mark.parametrize(
    ("y_true", "mark", "message"),
    [
        ([[0, 1]], "?", "type str, but the labels of y are of type int"),
        ([[0, 1]], True, "type bool, but the labels of y are of type int"),
        (["ab"], "??", "has 2 characters"),
        ([[-1, -1]], -1, "No frame with a weight above 0 has another label than"),
    ],
)
def test_marks_that_cannot_be_meant_are_refused(measure, y_true, mark, message):
    with pytest.raises(ValueError, match=message):
        measure(y_true, y_true, unlabelled=mark)
