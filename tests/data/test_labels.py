"""What is accepted as y, the sentence that refuses the rest, and the way back."""

import re
import warnings
from enum import Enum

import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from scipy import sparse as sp
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.estimator_checks import _NotAnArray

from skseq._data.collections import object_array
from skseq._data.label_vocabulary import LabelVocabulary
from skseq._data.labels import LabelSequences, check_labels
from skseq._files.plain import pack, unpack


class Letter(str, Enum):  # noqa: UP042 (StrEnum would print its value)
    A = "a"
    B = "b"


def check(y, n_samples=3, target="auto"):
    return check_labels(y, n_samples, target=target, estimator_name="E")


def fit(y, target="auto"):
    return LabelVocabulary.fit(check(y, len(y), target))


def as_lists(labels):
    return [list(sequence) for sequence in labels.sequences]


class Lazy:
    """A collection that can only count and fetch, and remembers what was fetched."""

    def __init__(self, items):
        self.items = items
        self.asked = []

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        self.asked.append(i)
        return self.items[i]


def y_with(item, i=0):
    """Return three label sequences, one of them exchanged for `item`."""
    y = [["a"], ["b", "c"], ["a"]]
    y[i] = item
    return y


BAD_Y = {
    "None": (
        None,
        ValueError,
        "This E estimator requires y to be passed, but the target y is None.",
    ),
    "str": (
        "abc",
        TypeError,
        "y must be a collection of label sequences, one per sample, got a single str "
        "'abc'. Did you mean [y]?",
    ),
    "class": (
        list,
        TypeError,
        "y must be a collection of label sequences, one per sample, got <class 'list'>",
    ),
    "class of arrays": (np.ndarray, TypeError, "got <class 'numpy.ndarray'>."),
    "too few": (
        ["a", "b"],
        ValueError,
        "Found input variables with inconsistent numbers of samples: [3, 2]",
    ),
    "empty": (
        [],
        ValueError,
        "Found input variables with inconsistent numbers of samples: [3, 0]",
    ),
    "dict": (
        {0: "a"},
        TypeError,
        "y must be an ordered collection of label sequences, one per sample, got dict.",
    ),
    "generator": (
        (s for s in "abc"),
        TypeError,
        "y must have a length and be indexable, got generator. Convert it with list(y)",
    ),
    "int": (3, TypeError, "y must be a collection of label sequences, one per sample,"),
    "0-d array": (np.array(3), TypeError, "y must be a collection of label sequences"),
    "continuous": (
        [0.5, 1.2, 2.0],
        ValueError,
        "Unknown label type: continuous (y[0]=0.5)",
    ),
    "NaN": ([0.0, np.nan, 1.0], ValueError, "Input y contains NaN (y[1])."),
    "inf": ([0.0, np.inf, 1.0], ValueError, "Input y contains infinity (y[1])."),
    "item None": (y_with(None, 1), ValueError, "y[1] is missing (None)."),
    "item NA": (y_with(pd.NA, 1), ValueError, "y[1] is missing (<NA>)."),
    "item NaN": (y_with(np.nan, 1), ValueError, "Input y contains NaN (y[1])."),
    "missing text": (
        pd.Series(["ab", None, "c"]),
        ValueError,
        "Input y contains NaN (y[1]).",
    ),
    "label NaN": (
        [[1], [np.nan], [2]],
        ValueError,
        "Input y contains NaN (y[1][0]).",
    ),
    "label NaN in an array": (
        [[1.0], np.array([0.0, np.nan]), [2.0]],
        ValueError,
        "Input y contains NaN (y[1][1]).",
    ),
    "label float": (
        [[1.5], [1], [2]],
        ValueError,
        "Unknown label type: continuous (y[0][0]=1.5); labels must be integers or "
        "strings.",
    ),
    "label None": (y_with([None]), ValueError, "y[0][0] is missing (None)."),
    "label NA": (y_with(["a", pd.NA]), ValueError, "y[0][1] is missing (<NA>)."),
    "bytes": (y_with(b"ab"), TypeError, "y[0] is bytes; decode it to str first."),
    "bytes array": (
        np.array([b"ab", b"c", b"d"]),
        TypeError,
        "y[0] is bytes; decode it to str first.",
    ),
    "label bytes": (y_with([b"a"]), TypeError, "y[0][0] is bytes; decode it to str"),
    "set": (
        y_with({"a", "b"}),
        TypeError,
        "y[0] is a set, which has no order; pass a list of labels.",
    ),
    "item dict": (y_with({"a": 1}), TypeError, "y[0] is a dict, not a label sequence"),
    "item object": (y_with(object()), TypeError, "y[0] is a object, not a label seq"),
    "item 2-D": (
        y_with(np.array([["a", "b"]])),
        ValueError,
        "y[0] has 2 dimensions; a label sequence is 1-D. Pass y[0].ravel()",
    ),
    "item one-hot": (
        y_with(np.eye(3)),
        ValueError,
        "y[0] has 2 dimensions; a label sequence is 1-D. It looks one-hot: pass "
        "np.argmax(y[0], axis=1).",
    ),
    "nested": (
        [[[1, 2], [3, 4]], [[1, 2]], [[1, 2]]],
        ValueError,
        "y[0][0] is itself a sequence; label sequences must be flat",
    ),
    "ragged nested": (
        y_with([["a"], ["b", "c"]]),
        ValueError,
        "y[0][0] is itself a sequence; label sequences must be flat",
    ),
    "int and str": (
        [[1], ["a"], [2]],
        ValueError,
        "y mixes label types: int (y[0][0]), str (y[1][0]).",
    ),
    "int and str in one": (
        [[1, "a"], [2], [3]],
        ValueError,
        "y mixes label types: int (y[0][0]), str (y[0][1]).",
    ),
    "int and bool": (
        [[1], [2, True], [2]],
        ValueError,
        "y mixes label types: int (y[0][0]), bool (y[1][1]).",
    ),
    "number and sequence": (
        [1, [2], [3]],
        ValueError,
        "y[0] is the scalar label 1. Pass a sequence, e.g. [1], or set target='single'",
    ),
    "padded": (
        np.array([[1, 2, 0], [3, 0, 0], [1, 1, 2]]),
        ValueError,
        "y is a 2-D array of shape (3, 3). Padding cannot be told from labels: pass a "
        "list of unpadded label sequences",
    ),
    "padded strings": (
        np.array([["a", ""], ["a", "b"], ["", ""]]),
        ValueError,
        "y is a 2-D array of shape (3, 2). Padding cannot be told from labels",
    ),
    "one-hot": (
        np.eye(3)[[0, 2, 2]],
        ValueError,
        "y of shape (3, 3) looks one-hot; labels are required. Pass np.argmax(y, "
        "axis=1).",
    ),
    "one-hot sequences": (
        np.eye(4, dtype=int)[[[0, 2], [1, 1], [3, 0]]],
        ValueError,
        "y of shape (3, 2, 4) looks one-hot; labels are required. Pass np.argmax(y, "
        "axis=2).",
    ),
    "DataFrame": (
        pd.DataFrame({"a": [1, 2, 3]}),
        ValueError,
        "y is a DataFrame of shape (3, 1). Pass one label sequence per sample: y['a'].",
    ),
    "sparse": (sp.csr_array(np.eye(3)), TypeError, "Sparse data was passed for y"),
    "label object": (
        y_with([object()]),
        TypeError,
        "y[0][0] has unsupported label type object.",
    ),
    "label date": (
        y_with([np.datetime64("2020-01-01")]),
        TypeError,
        "y[0][0] has unsupported label type numpy.datetime64.",
    ),
    "array of dates": (
        y_with(np.array(["2020-01-01"], dtype="M8[D]")),
        TypeError,
        "y[0][0] has unsupported label type numpy.datetime64.",
    ),
}


@pytest.mark.parametrize("y", [[[], [], []], ["", "", ""]])
def test_a_y_without_any_label_gives_no_vocabulary(y):
    message = "y holds no labels: every label sequence is empty."
    with pytest.raises(ValueError, match=message):
        LabelVocabulary.fit(check(y))


@pytest.mark.parametrize(("y", "error", "message"), BAD_Y.values(), ids=BAD_Y)
def test_bad_y_is_refused_with_a_sentence_that_names_it(y, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check(y)


@pytest.mark.parametrize(
    ("y", "target", "error", "message"),
    [
        (
            np.array([1, 2, 1]),
            "sequence",
            ValueError,
            "y[0] is the scalar label 1. Pass a sequence, e.g. [1], or set "
            "target='single'.",
        ),
        ([0.5, 1.2, 3.0], "single", ValueError, "Unknown label type: continuous"),
        (np.full(3, np.nan), "single", ValueError, "Input y contains NaN"),
        (np.full(3, np.inf), "single", ValueError, "Input y contains infinity"),
        (["a", None, "b"], "single", ValueError, "y[1] is missing (None)."),
        ([1, "a", 2], "single", ValueError, "int (y[0]), str (y[1])."),
        ([1, 2, True], "single", ValueError, "int (y[0]), bool (y[2])."),
        ([b"a", b"b", b"c"], "single", TypeError, "y[0] is bytes"),
        ([[1, 2], [2], [3]], "single", ValueError, "y[0] is itself a sequence"),
        (np.eye(3), "single", ValueError, "looks one-hot"),
        (np.full((3, 2), 5), "single", ValueError, "takes one label per sample, an a"),
        (["a", "b", "c"], "label", ValueError, "The 'target' parameter of E must be"),
    ],
)
def test_bad_y_is_refused_for_the_target_asked_for(y, target, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check(y, target=target)


GOOD_Y = {
    "strings": (["ba", "a", "c"], "str", [["b", "a"], ["a"], ["c"]]),
    "str array": (np.array(["ba", "a", "c"]), "str", [["b", "a"], ["a"], ["c"]]),
    "object array": (
        np.array(["ba", "a", "c"], dtype=object),
        "str",
        [["b", "a"], ["a"], ["c"]],
    ),
    "Series, shuffled index": (
        pd.Series(["ba", "a", "c"], index=[2, 0, 1]),
        "str",
        [["b", "a"], ["a"], ["c"]],
    ),
    "token lists": (
        [["dog", "cat"], ["dog"], []],
        "list",
        [["dog", "cat"], ["dog"], []],
    ),
    "tuples": ([(1, 2), (3,), ()], "tuple", [[1, 2], [3], []]),
    "equal lengths": ([[0, 1], [1, 2], [2, 0]], "list", [[0, 1], [1, 2], [2, 0]]),
    "object array of lists": (
        object_array([[0, 1], [1, 2], [2, 0]]),
        "list",
        [[0, 1], [1, 2], [2, 0]],
    ),
    "arrays": (
        [np.array([1, 2], "i4"), np.array([3]), np.array([1])],
        "array",
        [[1, 2], [3], [1]],
    ),
    "polars lists": (pl.Series([[1, 2], [3], [1]]), "array", [[1, 2], [3], [1]]),
    "Series of lists": (
        pd.Series([[1, 2], [3], [1]], index=[5, 5, 7]),
        "list",
        [[1, 2], [3], [1]],
    ),
    "one empty": (["ab", "", "b"], "str", [["a", "b"], [], ["b"]]),
    "str and tokens": (
        ["ab", ["a", "b"], "c"],
        "list",
        [["a", "b"], ["a", "b"], ["c"]],
    ),
    "bools": ([[True], [False, True], []], "list", [[True], [False, True], []]),
    "whole floats": ([np.array([1.0, 2.0])] * 3, "array", [[1.0, 2.0]] * 3),
    "lazy": (Lazy(["ba", "a", "c"]), "str", [["b", "a"], ["a"], ["c"]]),
    "ints": ([4, 2, 4], "single", [[4], [2], [4]]),
    "int array": (np.array([4, 2, 4]), "single", [[4], [2], [4]]),
    "whole floats, single": (np.ones(3), "single", [[1.0]] * 3),
    "members of an Enum": (
        [[Letter.A, "b"], [Letter.B], []],
        "list",
        [["a", "b"], ["b"], []],
    ),
    "tuples of members": ([(Letter.A,)] * 3, "tuple", [["a"]] * 3),
    "arrays of members": (
        [np.array([Letter.A, Letter.B], dtype=object)] * 3,
        "array",
        [["a", "b"]] * 3,
    ),
    "tensors of text": ([tf.constant(["a", "b"])] * 3, "array", [["a", "b"]] * 3),
    "scalar tensors": ([tf.constant(v) for v in (4, 2, 4)], "single", [[4], [2], [4]]),
    "ragged tensor of text": (
        tf.ragged.constant([["a", "b"], ["a"], ["b"]]),
        "array",
        [["a", "b"], ["a"], ["b"]],
    ),
    "bools, single": ([True, False, True], "single", [[True], [False], [True]]),
    "__array__": (_NotAnArray(np.array([4, 2, 4])), "single", [[4], [2], [4]]),
    "Series of ints": (
        pd.Series([4, 2, 4], index=[2, 1, 0]),
        "single",
        [[4], [2], [4]],
    ),
}


@pytest.mark.parametrize(("y", "form", "expected"), GOOD_Y.values(), ids=GOOD_Y)
def test_every_container_of_labels_reads_the_same(y, form, expected):
    labels = check(y)
    assert labels.form == form
    assert len(labels) == 3
    assert as_lists(labels) == expected


@pytest.mark.parametrize(
    "y",
    [
        np.array(["two", "one", "two"]),
        np.array(["two", "one", "two"], dtype=object),
        ["two", "one", "two"],
        pd.Series(["two", "one", "two"]),
        np.array([1.0, 1.0, 1.0], dtype=np.float32),
        np.array([3, -1, 3], dtype=np.int8),
        np.array([3, -1, 3], dtype=">i4"),
        [True, False, True],
    ],
)
def test_single_labels_are_whole_and_their_classes_are_those_of_unique(y):
    labels = check(y, target="single")
    vocabulary = LabelVocabulary.fit(labels)
    given = list(y)
    np.testing.assert_array_equal(vocabulary.classes, np.unique(given))
    assert vocabulary.classes.dtype.kind == np.asarray(given).dtype.kind
    decoded = vocabulary.decode(vocabulary.encode(labels))
    assert decoded.shape == (3,)
    assert decoded.tolist() == given


def test_single_labels_keep_the_dtype_of_their_array():
    assert fit(np.array([3, 1], dtype=np.int8)).classes.dtype == np.int8
    assert fit(np.array([3, 1], dtype=np.float32)).classes.dtype == np.float32


@pytest.mark.parametrize(
    "column", [np.array([[1], [2], [1]]), pd.DataFrame({"y": [1, 2, 1]})]
)
def test_a_column_of_single_labels_is_accepted_with_the_warning_of_scikit_learn(column):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        labels = check(column, target="single")
    assert as_lists(labels) == [[1], [2], [1]]


@pytest.mark.parametrize(
    ("tensor", "form", "expected"),
    [
        (tf.constant([3, 1]), "single", [[3], [1]]),
        (tf.constant(["ab", "ü"]), "str", [["a", "b"], ["ü"]]),
    ],
)
def test_a_tensor_reads_as_the_array_or_the_texts_that_it_holds(tensor, form, expected):
    labels = check(tensor, 2)
    assert labels.form == form
    assert [list(labels) for labels in labels.sequences] == expected


def test_an_enum_of_str_is_the_text_that_it_stands_for():
    assert check([Letter.A, Letter.B], 2).sequences == ["a", "b"]
    labels = check([Letter.A, Letter.B], 2, target="single")
    assert LabelVocabulary.fit(labels).classes.tolist() == ["a", "b"]


ARROW = [
    (lambda pa, y: pa.array(y), "str"),
    (lambda pa, y: pa.chunked_array([y[:1], y[1:]]), "str"),
    (lambda pa, y: pa.array([list(text) for text in y]), "list"),
    (lambda pa, y: pd.Series(y, dtype="string[pyarrow]", index=[2, 0, 1]), "str"),
    (lambda pa, y: pd.Series(y, dtype="string[pyarrow]").array, "str"),
]


@pytest.mark.parametrize(("make", "form"), ARROW)
def test_strings_of_pyarrow_are_texts(make, form):
    labels = check(make(pytest.importorskip("pyarrow"), ["ab", "b", "a"]))
    assert labels.form == form
    assert as_lists(labels) == [["a", "b"], ["b"], ["a"]]


def test_a_table_of_pyarrow_is_told_what_to_pass():
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(TypeError, match=r"y is a pyarrow Table\. Pass y\.to_pandas"):
        check(pa.table({"y": [1, 2, 3]}))


@pytest.mark.parametrize(
    ("seen", "y", "message"),
    [
        (["ab", "a"], [[], [1, 2]], r"y\[1\] has the label 1, which was not seen"),
        ([[1], [2]], ["", "ab"], r"y\[1\] has the label 'a', .* labels: 1, 2\."),
        ([1, 2], ["a", "b"], r"y\[0\] has the label 'a', which was not seen in fit"),
        (["ab", "a"], [np.array(3.0)], r"y\[0\] has the label array\(3\.0?\)"),
        (["ab", "a"], [list, "a"], r"y\[0\] has the label <class 'list'>"),
    ],
)
def test_text_for_numbers_and_numbers_for_text_are_refused(seen, y, message):
    with pytest.raises(ValueError, match=message):
        fit(seen).check_kind(y)


@pytest.mark.parametrize(
    ("seen", "y"),
    [
        (["ab", "a"], ["", "xy"]),
        (["ab", "a"], pd.Series([["a", "x"], []], index=[3, 1])),
        ([[1], [2]], [[], np.array([9.0])]),
        ([1, 2], np.array([7, 1])),
        ([[1], [2]], [[], []]),
    ],
)
def test_labels_of_the_same_kind_may_be_new(seen, y):
    fit(seen).check_kind(y)


def test_names_of_classes_that_are_read_letter_by_letter_are_warned_of():
    y = ["wave", "circle"] * 10
    with pytest.warns(UserWarning, match=r"2 different words .*target='single'"):
        labels = check(y, 20)
    assert labels.form == "str"


@pytest.mark.parametrize(
    ("y", "target"),
    [
        (["wave", "circle"] * 10, "single"),
        (["wave", "circle"] * 10, "sequence"),
        (["wave", "circle"] * 9, "auto"),
        (["wave", "circle", "rest"] * 9, "auto"),
        (["wave", "o"] * 10, "auto"),
        (["wave", ""] * 10, "auto"),
        ([["wave", "circle"]] * 20, "auto"),
        ([4, 5] * 10, "auto"),
    ],
)
def test_sequences_of_letters_and_settled_targets_are_not_warned_of(y, target):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(y, len(y), target=target)


def test_integers_that_could_be_lengths_are_labels():
    assert check(np.array([4, 5, 2])).form == "single"


def test_a_lazy_y_is_read_once():
    y = Lazy(["a", "b", "c"])
    check(y)
    assert y.asked == [0, 1, 2]


def test_a_subset_of_labels_keeps_the_form():
    labels = check([(1,), (2, 3), (4,)])
    for subset in (labels.take([2, 0]), labels.take(np.array([True, False, True]))):
        assert isinstance(subset, LabelSequences)
        assert subset.form == "tuple"
    assert labels.take([2, 0]).sequences == [(4,), (1,)]


ROUND_TRIPS = {
    "str": ["ba", "", "cab"],
    "accents": ["é☃", "\U0001f600e\u0301", " \n"],
    "list": [["dog", "cat"], [], ["dog"]],
    "list of ints": [[0, -1, 7], [7], []],
    "list of bools": [[True], [False, True], []],
    "tuple": [(2**62, -5), (1,), ()],
}


@pytest.mark.parametrize("y", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_what_goes_in_comes_out(y):
    labels = check(y)
    vocabulary = LabelVocabulary.fit(labels)
    decoded = vocabulary.decode(vocabulary.encode(labels))
    assert decoded.shape == (3,)
    assert decoded.dtype == object
    assert decoded.tolist() == y
    for out, given in zip(decoded, y, strict=True):
        assert type(out) is type(given)
        assert list(map(type, out)) == list(map(type, given))


@pytest.mark.parametrize("dtype", ["i1", "u2", "i8", "u8", "?", "f2", "f4", "U3"])
def test_arrays_come_out_as_arrays_of_their_dtype(dtype):
    y = [np.array([1, 0], dtype), np.array([], dtype), np.array([1, 1], dtype)]
    vocabulary = fit(y)
    decoded = vocabulary.decode(vocabulary.encode(check(y)))
    for out, given in zip(decoded, y, strict=True):
        np.testing.assert_array_equal(out, given)
        assert out.dtype.kind == given.dtype.kind
        assert dtype == "U3" or out.dtype == given.dtype


def test_an_empty_array_of_floats_does_not_make_the_labels_floats():
    assert fit([np.array([2, 1]), np.array([])]).classes.dtype == np.int64


def test_arrays_of_several_integer_dtypes_share_one():
    y = [np.array([1], "u8"), np.array([-1], "i8")]
    assert fit(y).classes.dtype == np.int64


@pytest.mark.parametrize(
    "y", [["ba", "c"], [["x", "ab"], ["b"]], [[3, 1], [2]], [4, 2], [[True], [False]]]
)
def test_the_id_of_a_label_is_its_place_among_the_sorted_labels(y):
    labels = check(y, 2)
    vocabulary = LabelVocabulary.fit(labels)
    flat = [label for sequence in labels.sequences for label in sequence]
    distinct, ids = np.unique(flat, return_inverse=True)
    np.testing.assert_array_equal(vocabulary.classes, distinct)
    encoded = vocabulary.encode(labels)
    assert all(sample.dtype == np.int32 for sample in encoded)
    np.testing.assert_array_equal(np.concatenate(encoded), ids)


def test_labels_of_another_form_encode_the_same():
    vocabulary = fit(["abc", "a"])
    for y in (["cab"], [["c", "a", "b"]], [np.array(["c", "a", "b"])]):
        assert vocabulary.encode(check(y, 1))[0].tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("fitted", "y", "message"),
    [
        (
            ["ab", "c"],
            ["a", "abz"],
            "y[1] has the label 'z' at position 2, which was not seen in fit. "
            "Known labels: 'a', 'b', 'c'.",
        ),
        (
            range(20),
            [3, 30],
            "y[1] has the label 30, which was not seen in fit. Known labels: 0, 1, 2, "
            "3, 4, 5, 6, 7, 8, 9 and 10 others.",
        ),
    ],
)
def test_an_unseen_label_is_named_with_its_place_and_known_ones(fitted, y, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        fit(fitted).encode(check(y, 2))


@pytest.mark.parametrize(
    ("y", "target", "message"),
    [
        ([[2**63, -1]], "sequence", "between -1 and 9223372036854775808, for which"),
        ([[2**70]], "sequence", "and 1180591620717411303424, for which NumPy has no"),
        ([2**63, -1], "single", "Renumber them, or pass them as strings"),
        (["ba\0"], "sequence", r"label '\\x00' of y ends in a NUL"),
        ([["b", "a\0"]], "sequence", r"label 'a\\x00' of y ends in a NUL"),
        (["a\0", "b"], "single", "which NumPy drops from strings. Rename it"),
    ],
)
def test_labels_that_numpy_would_change_are_refused_by_name(y, target, message):
    with pytest.raises(ValueError, match=message):
        fit(y, target)


@pytest.mark.parametrize("target", ["auto", "single"])
def test_durations_are_not_labels(target):
    with pytest.raises(TypeError, match=r"label type numpy\.timedelta64"):
        check(np.array([1, 2, 1], "m8[s]"), target=target)


@pytest.mark.parametrize(
    "y",
    [
        *ROUND_TRIPS.values(),
        [np.array([1, 2], "u1")],
        [1.0, 3.0],
        np.array([1, 2], "f4"),
    ],
)
def test_a_vocabulary_survives_a_file(y):
    vocabulary = fit(y)
    classes = unpack(*pack(vocabulary.classes))
    restored = LabelVocabulary.from_array(classes, vocabulary.form)
    np.testing.assert_array_equal(restored.classes, vocabulary.classes, strict=True)
    assert restored.form == vocabulary.form


LABELS = np.array([1, 2], "int8")


@pytest.mark.parametrize(
    ("classes", "form"),
    [
        (LABELS, "eval"),
        (LABELS, ["list"]),
        (LABELS, None),
        (LABELS, {}),
        (LABELS, "str"),
        (None, "list"),
        ({}, "list"),
        ([1, 2], "list"),
        ("ab", "str"),
        (np.array(1), "list"),
        (np.array([], "int8"), "list"),
        (np.array([[1], [2]]), "list"),
        (np.zeros((2, 0)), "list"),
        (np.array([2, 1]), "list"),
        (np.array([1, 1]), "list"),
        (np.array(["b", "a"]), "list"),
        (np.array([True, False]), "list"),
        (np.array([np.nan]), "list"),
        (np.array([1, np.nan]), "list"),
        (np.array(["a", "b"], object), "list"),
        (np.array([1, None], object), "list"),
        (np.array([b"a"]), "list"),
        (np.array([1j]), "list"),
        (np.array([1], np.longdouble), "list"),
        (np.array([1, 2], "M8[s]"), "list"),
        (np.zeros(1, [("a", "i4")]), "list"),
        (np.array(["a", "bc"]), "str"),
        (np.array(["", "a"]), "str"),
    ],
    ids=repr,
)
def test_a_foreign_array_is_not_a_vocabulary(classes, form):
    with pytest.raises(ValueError, match="vocabulary"):
        LabelVocabulary.from_array(classes, form)
