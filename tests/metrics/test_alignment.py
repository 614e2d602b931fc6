import copy
import pickle
from enum import Enum

import numpy as np
import pandas as pd
import pytest
import sklearn
import tensorflow as tf
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, cross_validate

from skseq.metrics import (
    align_sequences,
    label_error_rate,
    label_error_rate_scorer,
    sequence_accuracy,
    sequence_accuracy_scorer,
    sequence_error_rate,
    sequence_error_rate_scorer,
)


def edit_distance(source, target):
    """Wagner and Fischer's table, row by row."""
    row = list(range(len(target) + 1))
    for i, label in enumerate(source, start=1):
        left_above, row[0] = row[0], i
        for j, other in enumerate(target, start=1):
            substituted = left_above + (label != other)
            left_above, row[j] = row[j], min(substituted, row[j] + 1, row[j - 1] + 1)
    return row[-1]


@pytest.fixture
def corpora():
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 12, size=(2, 60))
    return [[rng.integers(-2, 3, n).tolist() for n in corpus] for corpus in lengths]


def test_errors_of_each_sequence_are_its_edit_distance(corpora):
    expected = [edit_distance(*pair) for pair in zip(*corpora, strict=True)]
    np.testing.assert_array_equal(align_sequences(*corpora).sample_errors, expected)


def test_rate_is_all_edits_over_all_reference_labels(corpora):
    errors = sum(edit_distance(*pair) for pair in zip(*corpora, strict=True))
    expected = errors / sum(map(len, corpora[0]))
    assert label_error_rate(*corpora) == pytest.approx(expected)


def test_operations_turn_every_reference_into_its_prediction(corpora):
    alignment = align_sequences(*corpora)
    for reference, prediction, blocks in zip(
        *corpora, alignment.operations, strict=True
    ):
        rebuilt = []
        for tag, start, stop, other_start, other_stop in blocks:
            kept = tag == "equal"
            source = (
                reference[start:stop] if kept else prediction[other_start:other_stop]
            )
            rebuilt += source
        assert rebuilt == prediction


def test_every_label_is_counted_once(corpora):
    alignment = align_sequences(*corpora)
    n_matched = alignment.hits + alignment.substitutions
    assert n_matched + alignment.deletions == alignment.n_reference
    assert alignment.n_reference == sum(map(len, corpora[0]))
    assert n_matched + alignment.insertions == sum(map(len, corpora[1]))
    assert alignment.n_exact == sum(a == b for a, b in zip(*corpora, strict=True))


def test_swapping_references_and_predictions_swaps_deletions_and_insertions():
    forth = align_sequences(["abcd", "x"], ["ad", "xy"])
    back = align_sequences(["ad", "xy"], ["abcd", "x"])
    assert (forth.deletions, forth.insertions) == (2, 1)
    assert (back.deletions, back.insertions) == (1, 2)
    swapped = back.sample_counts[:, [0, 1, 3, 2]]
    np.testing.assert_array_equal(forth.sample_counts, swapped)


@pytest.mark.parametrize(
    ("reference", "prediction", "counts"),
    [
        ("this is a test", "this is a test", (4, 0, 0, 0)),
        ("this is a test", "this is test", (3, 0, 1, 0)),
        ("this is a test", "this is not a test", (4, 0, 0, 1)),
        ("this is a test", "this was a test", (3, 1, 0, 0)),
        ("this is a test", "", (0, 0, 4, 0)),
        ("hello world", "hello duck", (1, 1, 0, 0)),
    ],
)
def test_counts_of_known_sentences(reference, prediction, counts):
    alignment = align_sequences([reference.split()], [prediction.split()])
    assert counts == (
        alignment.hits,
        alignment.substitutions,
        alignment.deletions,
        alignment.insertions,
    )


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        (["kitten"], ["sitting"], 3 / 6),
        (["a"], ["abc"], 2.0),
        (["abcd", "e"], ["abcd", "f"], 1 / 5),  # not the mean 1/2 of both rates
        ([""], [""], 0.0),
        ([""], ["abc"], 3.0),
        (["", "ab"], ["c", "ab"], 1 / 2),
    ],
)
def test_rates_by_hand(y_true, y_pred, expected):
    assert label_error_rate(y_true, y_pred) == pytest.approx(expected)


def test_rate_of_joined_corpora_is_their_mean_weighted_by_length():
    first, second = (["abc", "de"], ["abx", "d"]), (["fghijklm"], ["fgijklm"])
    joined = label_error_rate(first[0] + second[0], first[1] + second[1])
    rates = [label_error_rate(*first), label_error_rate(*second)]
    assert joined == pytest.approx(np.average(rates, weights=[5, 8]))


def test_sequence_error_rate_counts_wrong_sequences():
    y_true = ["k a t", "d o g", "a", ""]
    y_pred = ["k a t", "d o k", "a a a a", ""]
    assert sequence_error_rate(y_true, y_pred) == 0.5
    assert sequence_error_rate([[1, 2], [3]], [[1, 2], [4]]) == 0.5


def test_sequence_error_rate_is_what_accuracy_leaves(corpora):
    rate = sequence_error_rate(*corpora)
    assert 0 < rate < 1
    assert rate == pytest.approx(1 - sequence_accuracy(*corpora))


def test_confusions_pair_each_label_with_its_partner():
    confusions = align_sequences(["kitten", "ab"], ["sitting", "b"]).confusions()
    wrong = {pair: n for pair, n in confusions.items() if pair[0] != pair[1]}
    assert wrong == {("k", "s"): 1, ("e", "i"): 1, (None, "g"): 1, ("a", None): 1}
    assert confusions["t", "t"] == 2


CONTAINERS = {
    "list": lambda sequences: [list(s) for s in sequences],
    "tuple": lambda sequences: tuple(tuple(s) for s in sequences),
    "array": lambda sequences: [np.array(s) for s in sequences],
    "2-D array": np.array,
    "object array": lambda sequences: pd.Series(
        [list(s) for s in sequences]
    ).to_numpy(),
    "Series of lists": lambda sequences: pd.Series(
        [list(s) for s in sequences], [7, 3]
    ),
    "list of Series": lambda sequences: [pd.Series(s, [3, 1, 2]) for s in sequences],
    "int8": lambda sequences: np.array(sequences, dtype=np.int8),
    "float": lambda sequences: np.array(sequences, dtype=float),
}


@pytest.mark.parametrize("pred_kind", CONTAINERS)
@pytest.mark.parametrize("true_kind", CONTAINERS)
def test_only_labels_are_compared_and_not_their_containers(true_kind, pred_kind):
    y_true = CONTAINERS[true_kind]([[1, 0, 2], [3, 3, 4]])
    y_pred = CONTAINERS[pred_kind]([[1, 0, 2], [3, 5, 4]])
    assert label_error_rate(y_true, y_pred) == pytest.approx(1 / 6)
    assert sequence_accuracy(y_true, y_pred) == 0.5


def test_a_string_equals_the_list_of_its_characters():
    y_true = pd.Series(["abc", "d"])
    assert sequence_accuracy(y_true, [["a", "b", "c"], np.array(["d"])]) == 1.0


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_a_scalar_is_a_sequence_of_one_label(kind):
    y_true, y_pred = kind([1, 2, 3, 4]), kind([1, 2, 0, 4])
    assert label_error_rate(y_true, y_pred) == 0.25
    assert label_error_rate(y_true, [[1], [2], [3, 3], [4]]) == 0.25


@pytest.mark.parametrize(
    ("label", "other"), [("a", 97), (0, 2**61 - 1), (-1, -2), ("1", 1)]
)
def test_labels_of_equal_hash_are_told_apart(label, other):
    assert label_error_rate([[label]], [[other]]) == 1.0


def test_members_of_an_enum_equal_the_text_that_they_stand_for():
    letter = Enum("Letter", {"A": "a", "B": "b"}, type=str)
    assert label_error_rate([[letter.A, letter.B], [letter.B]], ["ab", "a"]) == 1 / 3


def test_ragged_tensors_and_columns_of_pyarrow_are_collections():
    y_true = tf.ragged.constant([["a", "b"], ["b"]])
    assert label_error_rate(y_true, ["ab", "a"]) == 1 / 3
    pa = pytest.importorskip("pyarrow")
    assert label_error_rate(pa.array(["ab", "b"]), ["ab", "a"]) == 1 / 3


def test_a_weight_counts_a_sequence_that_often():
    y_true, y_pred = ["abc", "de", "f"], ["abd", "dex", "f"]
    repeated = [0, 0, 1, 1, 1]
    for measure in label_error_rate, sequence_accuracy, sequence_error_rate:
        expected = measure([y_true[i] for i in repeated], [y_pred[i] for i in repeated])
        weighted = measure(y_true, y_pred, sample_weight=[2, 3, 0])
        assert weighted == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ("abc", ["abc"], TypeError, r"Got 'abc' instead\. Did you mean \[y_true\]\?"),
        (["abc"], "abc", TypeError, r"Did you mean \[y_pred\]\?"),
        (["abc"], b"abc", TypeError, r"Did you mean \[y_pred\]\?"),
        (None, ["a"], TypeError, "y_true must be a collection .* Got None"),
        (["a"], {"a": 1}, TypeError, "y_pred must be a collection"),
        (["a"], np.array(3), TypeError, "y_pred must be a collection"),
        (["a"], (s for s in "a"), TypeError, "y_pred must be a collection"),
        (["a", None], ["a", "b"], TypeError, r"y_true\[1\] must be .* Got \[None\]"),
        (["a", "b"], ["a", np.nan], TypeError, r"y_pred\[1\] must be .* Got \[nan\]"),
        (["a"], pd.Series([pd.NA]), TypeError, r"y_pred\[0\] must be .* Got \[<NA>\]"),
        (["a"], [b"a"], TypeError, r"y_pred\[0\] must be .* Got b'a'"),
        (["a"], [{"a"}], TypeError, r"y_pred\[0\] must be .* Got \{'a'\}"),
        (["a"], [[["a"]]], TypeError, r"y_pred\[0\] must be .* hashable"),
        (["a"], [["a", None]], TypeError, r"y_pred\[0\] .* None nor NaN"),
        ([[1.0]], np.array([[1, np.nan]]), TypeError, r"y_pred\[0\] .* None nor NaN"),
        (["a", "b"], ["a"], ValueError, r"inconsistent numbers of samples: \[2, 1\]"),
        ([], [], ValueError, "at least one sequence"),
    ],
)
def test_bad_sequences_are_refused(y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        label_error_rate(y_true, y_pred)


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([1.0], r"inconsistent numbers of samples: \[2, 1\]\. sample_weight must"),
        ([0, 0], "must contain at least one non-zero number"),
        ([1, -1], r"Negative values in data .* sample_weight\[1\] is -1"),
        ([1, np.nan], "sample_weight contains NaN"),
        ([[1, 2], [3, 4]], "1D array"),
    ],
)
@pytest.mark.parametrize(
    "measure", [label_error_rate, sequence_accuracy, sequence_error_rate]
)
def test_bad_weights_are_refused(measure, sample_weight, message):
    with pytest.raises(ValueError, match=message):
        measure(["a", "b"], ["a", "c"], sample_weight=sample_weight)


class Truncator(BaseEstimator):
    """Predicts each sequence of X, cut to its first `n_labels` labels."""

    def __init__(self, n_labels=1):
        self.n_labels = n_labels

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return [sequence[: self.n_labels] for sequence in X]


STRINGS = ["abc", "de", "fgh", "i"]
LISTS = [[1, 2, 3], [4, 5], [6, 7, 8], [9]]
SCORERS = [
    label_error_rate_scorer,
    sequence_accuracy_scorer,
    sequence_error_rate_scorer,
]


@pytest.mark.parametrize("sequences", [STRINGS, LISTS])
def test_scorers_score_an_estimator_that_predicts_a_list(sequences):
    estimator = Truncator(n_labels=2).fit(sequences, sequences)
    assert label_error_rate_scorer(estimator, sequences, sequences) == -2 / 9
    assert sequence_accuracy_scorer(estimator, sequences, sequences) == 2 / 4
    assert sequence_error_rate_scorer(estimator, sequences, sequences) == -2 / 4


@pytest.mark.parametrize("sequences", [STRINGS, LISTS])
@pytest.mark.parametrize("scorer", SCORERS)
def test_grid_search_by_a_scorer_finds_the_estimator_without_error(scorer, sequences):
    search = GridSearchCV(
        Truncator(), {"n_labels": [1, 3, 2]}, scoring=scorer, cv=2, error_score="raise"
    )
    search.fit(sequences, sequences)
    assert search.best_params_ == {"n_labels": 3}


def test_scorers_take_weights_through_metadata_routing():
    scorer = copy.deepcopy(sequence_accuracy_scorer)
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            Truncator(n_labels=2),
            STRINGS,
            STRINGS,
            scoring=scorer.set_score_request(sample_weight=True),
            cv=2,
            params={"sample_weight": [1, 3, 0, 1]},
        )
    np.testing.assert_allclose(result["test_score"], [3 / 4, 1.0])


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_survive_pickling(scorer):
    estimator = Truncator().fit(STRINGS, STRINGS)
    restored = pickle.loads(pickle.dumps(scorer))
    expected = scorer(estimator, STRINGS, STRINGS)
    assert restored(estimator, STRINGS, STRINGS) == expected


def test_alignments_survive_pickling(corpora):
    alignment = align_sequences(*corpora)
    restored = pickle.loads(pickle.dumps(alignment))
    assert restored.operations == alignment.operations
    assert restored.confusions() == alignment.confusions()


FORMS = [list, tuple, "".join, lambda labels: np.array(labels, dtype=object)]


@pytest.mark.parametrize("form", FORMS, ids=["list", "tuple", "str", "array"])
def test_rates_are_those_of_the_alignment(form):
    rng = np.random.default_rng(0)
    truth, found = (
        [list(rng.choice(list("abc"), size=rng.integers(0, 6))) for _ in range(50)]
        for _ in range(2)
    )
    found[:5] = truth[:5]
    found = [form([str(label) for label in labels]) for labels in found]
    truth = [[str(label) for label in labels] for labels in truth]
    aligned = align_sequences(truth, found)
    weights = rng.random(50)
    rate = weights @ aligned.sample_errors / (weights @ aligned.sample_lengths)
    assert label_error_rate(truth, found, sample_weight=weights) == rate
    share = np.average(aligned.sample_errors > 0, weights=weights)
    assert sequence_error_rate(truth, found, sample_weight=weights) == share
    assert sequence_accuracy(truth, found) == aligned.n_exact / 50
