"""Labels of frames: what is refused, and what becomes of marks and of weights."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy import sparse as sp

from skseq._data.frame_labels import (
    UNLABELLED,
    check_frame_labels,
    check_frame_weights,
    encode_labels,
    is_per_frame,
    learn_labels,
    marks_of,
    shared,
    without_mark,
)


def check(y, lengths=(3, 1)):
    given = {"unit": "frame", "estimator_name": "E"}
    return check_frame_labels(y, np.array(lengths), **given)


FORMS = {
    "texts": (["aab", "b"], ["a", "b"]),
    "lists": ([["a", "a", "b"], ["b"]], ["a", "b"]),
    "tuples": ([(1, 1, 2), (2,)], [1, 2]),
    "arrays": ([np.array([1, 1, 2]), np.array([2])], [1, 2]),
    "bools": ([[True, True, False], [False]], [False, True]),
    "Series": (pd.Series(["aab", "b"]), ["a", "b"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_labels_of_any_form_become_ids_and_come_back(form):
    y, classes = FORMS[form]
    labels = check(y)
    vocabulary = learn_labels(labels, None)
    assert vocabulary.classes.tolist() == classes
    ids = encode_labels(vocabulary, labels, None)
    for own, back in zip(y, vocabulary.decode(ids), strict=True):
        assert type(own) is type(back)
        assert list(own) == list(back)


@pytest.mark.parametrize(
    ("y", "mark"),
    [
        (["a?b", "?"], "?"),
        ([["a", "-", "b"], ["-"]], "-"),
        ([np.array([4, -1, 7]), np.array([-1])], -1),
        ([np.array([4, 255, 7], np.uint8), np.array([255], np.uint8)], 255),
    ],
)
def test_marks_are_no_labels(y, mark):
    labels = check(y)
    vocabulary = learn_labels(labels, mark)
    assert mark not in vocabulary.classes.tolist()
    first, second = encode_labels(vocabulary, labels, mark)
    assert first.tolist() == [0, UNLABELLED, 1]
    assert second.tolist() == [UNLABELLED]
    assert [own.tolist() for own in marks_of(labels, mark)] == [
        [False, True, False],
        [True],
    ]
    if isinstance(y[0], np.ndarray):
        assert vocabulary.classes.dtype == y[0].dtype


def test_an_unseen_label_is_named_at_its_place_beside_marks():
    vocabulary = learn_labels(check(["a?b", "b"]), "?")
    with pytest.raises(ValueError, match=r"y\[0\] has the label 'c' at position 2"):
        encode_labels(vocabulary, check(["??c", "b"]), "?")


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (["ab", "b"], ValueError, r"y\[0\] has 2 labels for 3 frames"),
        (["aab", "ba"], ValueError, r"y\[1\] has 2 labels for 1 frame\b"),
        ([1, 0], ValueError, r"y\[0\] is the single label 1, but E learns one label"),
        (np.array([1, 0]), ValueError, "For one label per sample use SequenceClassif"),
        ([0.5, np.nan], ValueError, r"Input y contains NaN \(y\[1\]\)"),
        (None, ValueError, "requires y to be passed"),
        (["aab"], ValueError, "inconsistent numbers of samples"),
        ([["a", 1, "b"], ["b"]], ValueError, "y mixes label types"),
        ("aab", TypeError, "a single str"),
    ],
)
def test_what_is_no_label_per_frame_is_refused(y, error, message):
    with pytest.raises(error, match=message):
        check(y)


def test_nothing_but_marks_teaches_nothing():
    with pytest.raises(ValueError, match=r"nothing but unlabelled='\?'"):
        learn_labels(check(["???", "?"]), "?")


# -- weights ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([np.ones(3), np.ones(1)], True),
        ([[1, 2, 3], [1]], True),
        (np.ones((2, 3)), True),
        (np.ones((2, 1)), False),
        ([1, 2], False),
        (np.ones(2), False),
        (None, False),
        (2.0, False),
        ("balanced", False),
        (["heavy", "light"], False),
        ([], False),
        ({"a": 1}, False),
    ],
    ids=str,
)
def test_weights_of_frames_are_told_from_those_of_samples(weights, expected):
    assert is_per_frame(weights) is expected


def test_weights_of_frames_are_checked_one_by_one():
    found = check_frame_weights([[1, 0, 2], (3,)], [3, 1], "frame")
    assert [own.tolist() for own in found] == [[1, 0, 2], [3]]
    with pytest.raises(ValueError, match=r"sample_weight\[0\]\[1\] is nan"):
        check_frame_weights([[1, np.nan, 2], [1]], [3, 1], "frame")
    with pytest.raises(ValueError, match=r"sample_weight\[1\] has several axes for 1"):
        check_frame_weights([[1, 1, 1], [[1]]], [3, 1], "frame")


@pytest.mark.parametrize("make", [sp.csr_array, sp.coo_array, tf.sparse.from_dense])
def test_sparse_weights_of_frames_are_refused_by_name(make):
    with pytest.raises(TypeError, match="sample_weight"):
        check_frame_weights(make(np.eye(2)), [2, 2], "frame")


def test_shares_add_up_to_one_or_to_nothing():
    totals, shares = shared([np.array([1.0, 3.0]), np.zeros(2)])
    assert totals.tolist() == [4.0, 0.0]
    assert [own.tolist() for own in shares] == [[0.25, 0.75], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("y", "mark", "message"),
    [
        ([[0, 1, 1], [0]], "-1", "'-1' is of type str, .* of type int.*unlabelled=-1"),
        ([np.array([0, 1, 1]), np.array([0])], "?", "type str, but the labels.* int"),
        (
            [[1.0, 2.0, 1.0], [2.0]],
            "?",
            "type str, but the labels of y are of type float",
        ),
        ([["a", "b", "b"], ["a"]], -1, "-1 is of type int, .* str.*unlabelled='\\?'"),
        (["abb", "a"], 0, "type int, but the labels of y are of type str"),
        ([[0, 1, 1], [0]], True, "True is of type bool, .* of type int"),
        ([[0, 1, 1], [0]], np.True_, "of type int"),
        ([[True, False, True], [True]], 1, "1 is of type int, .* of type bool"),
        ([[True, False, True], [True]], -1, "True and False are written as 1 and 0"),
        (["abb", "a"], "??", "has 2 characters, but y holds texts"),
        (["abb", "a"], "", "has 0 characters, but y holds texts"),
    ],
)
def test_a_mark_that_can_stand_nowhere_in_y_is_refused(y, mark, message):
    labels = check(y)
    vocabulary = learn_labels(labels, None)
    for use in (
        lambda: learn_labels(labels, mark),
        lambda: encode_labels(vocabulary, labels, mark),
        lambda: marks_of(labels, mark),
    ):
        with pytest.raises(ValueError, match=message):
            use()


@pytest.mark.parametrize(
    ("y", "mark"),
    [
        ([[0, 1, 1], [0]], np.int8(-1)),
        ([[1.0, -1.0, 1.0], [-1.0]], -1),
        ([["ab", "b", "ab"], ["b"]], "??"),
        ([[True, False, True], [True]], False),
        ([[], [0]], -1),
    ],
)
def test_a_mark_of_the_type_of_the_labels_is_taken(y, mark):
    marks = marks_of(check(y, (len(y[0]), 1)), mark)
    for own, labels in zip(marks, y, strict=True):
        assert own.tolist() == [label == mark for label in labels]


def test_a_mark_is_left_out_of_classes():
    assert without_mark([-1, 0, 1], -1) == [0, 1]
    assert without_mark(np.array(["a", "?"]), "?") == ["a"]
    assert without_mark([0, 1], True) == [0, 1]
    assert without_mark("ab", None) == "ab"
    assert without_mark(None, "?") is None


WEIGHTS = [[1.0, 2.0, 0.5], [1.0, 3.0]]
COLUMNS = {
    "lists in a Series": lambda: pd.Series(WEIGHTS, index=[7, 9]),
    "arrays in a Series": lambda: pd.Series(list(map(np.array, WEIGHTS))),
    "an object array": lambda: pd.Series(WEIGHTS).to_numpy(),
    "tuples": lambda: tuple(map(tuple, WEIGHTS)),
}


@pytest.mark.parametrize("make", COLUMNS.values(), ids=COLUMNS)
def test_columns_hold_weights_of_frames(make):
    given = make()
    assert is_per_frame(given)
    for own, expected in zip(
        check_frame_weights(given, (3, 2), "frame"), WEIGHTS, strict=True
    ):
        assert own.tolist() == expected


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
@pytest.mark.parametrize("weights", [WEIGHTS, [[1.0, 2.0], [3.0, 4.0]]])
def test_columns_of_other_libraries_hold_weights_of_frames(library, weights):
    reason = f'needs {library}: pip install "skseq[citizens]"'
    module = pytest.importorskip(library, reason=reason)
    given = module.Series(weights) if library == "polars" else module.array(weights)
    lengths = list(map(len, weights))
    assert is_per_frame(given)
    found = check_frame_weights(given, lengths, "frame")
    assert [own.tolist() for own in found] == weights


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, np.ones(1)], r"sample_weight\[0\] is 1.0, but other entries hold one"),
        ([np.ones(3), 1], r"sample_weight\[1\] is 1, but other .* weight per frame"),
        ([None, np.ones(1)], r"sample_weight\[0\] is None, but"),
        (pd.Series([np.ones(3), 2.0]), r"sample_weight\[1\] is 2.0, but"),
        ([np.ones(3), "b"], r"sample_weight\[1\] must hold one number per frame"),
    ],
)
def test_weights_of_samples_beside_those_of_frames_are_refused(weights, message):
    assert is_per_frame(weights)
    with pytest.raises(ValueError, match=message):
        check_frame_weights(weights, (3, 1), "frame")
