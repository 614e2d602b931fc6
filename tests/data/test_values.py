"""A y of numbers: what is of sequences, what of frames, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from skseq._data.collections import object_array
from skseq._data.values import check_values

LENGTHS = np.array([3, 2, 4])


def checked(y, target="auto", lengths=LENGTHS):
    return check_values(y, lengths, target=target, estimator_name="Regressor")


BY_FRAME = [np.arange(3.0), np.arange(2.0), np.arange(4.0)]

FORMS = {
    "numbers": ([1, 2.5, 3], (False, True, 1)),
    "array": (np.array([1, 2, 3]), (False, True, 1)),
    "bools": ([True, False, True], (False, True, 1)),
    "Series, shuffled index": (
        pd.Series([1.0, 2, 3], index=[2, 0, 1]),
        (False, True, 1),
    ),
    "column": (np.ones((3, 1)), (False, False, 1)),
    "vectors": ([[1, 2], [3, 4], [5, 6]], (False, False, 2)),
    "matrix": (np.ones((3, 5)), (False, False, 5)),
    "by frame": (BY_FRAME, (True, True, 1)),
    "object array by frame": (object_array(BY_FRAME), (True, True, 1)),
    "lists by frame": ([list(y) for y in BY_FRAME], (True, True, 1)),
    "vectors by frame": ([np.ones((n, 2)) for n in LENGTHS], (True, False, 2)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_y_is_told_from_lengths(form):
    y, (is_per_frame, is_flat, n_outputs) = FORMS[form]
    values = checked(y)
    assert (values.is_per_frame, values.is_flat) == (is_per_frame, is_flat)
    assert values.n_outputs == n_outputs
    for row, wanted in zip(values.values, y, strict=True):
        assert row.dtype == np.float64
        np.testing.assert_array_equal(row.ravel(), np.ravel(wanted))


def test_a_matrix_as_wide_as_all_sequences_are_long_is_of_frames_unless_told():
    y, lengths = np.ones((3, 4)), np.array([4, 4, 4])
    assert checked(y, lengths=lengths).is_per_frame
    assert not checked(y, "sequence", lengths).is_per_frame
    assert not checked(np.ones((3, 2)), lengths=lengths).is_per_frame


REFUSED = {
    "None": (None, "requires y to be passed, but the target y is None"),
    "str": ("abc", "y must be a collection of numbers or arrays, one per sample"),
    "a number": (3.0, "y must be a collection of numbers or arrays"),
    "too few": ([1.0, 2.0], r"inconsistent numbers of samples: \[3, 2\]"),
    "a dict": ({0: 1.0}, "ordered collection of numbers"),
    "texts": (["a", "b", "c"], r"y\[0\] must hold numbers, got <U1. For classes"),
    "None within": ([1.0, None, 2.0], r"y\[1\] is missing \(None\)"),
    "NaN": ([1.0, 2.0, np.nan], r"Input y contains NaN: y\[2\]"),
    "infinity": ([np.ones(2), [1, np.inf], np.ones(2)], r"infinity: y\[1\]\[1\]"),
    "complex": (np.array([1j, 1, 1]), "Complex data not supported: y.0."),
    "objects": ([[object()], [1], [2]], r"y\[0\] is not a number or an array"),
    "cubes": (np.ones((3, 2, 2, 2)), r"Found array with dim 3 \(y\[0\]\)"),
    "empty": ([[1.0], [], [2.0]], r"y\[1\] is empty"),
    "mixed": ([1.0, [2.0], 3.0], r"y\[1\] has shape \(1,\), but y\[0\] has shape \(\)"),
    "widths": ([[1, 2], [3], [5, 6]], r"y\[1\] has 1 output, but y\[0\] has 2"),
    "rows": (
        [np.ones((3, 2)), np.ones((3, 2)), np.ones((4, 2))],
        r"y\[1\] has 3 values for 2 frames",
    ),
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_is_no_y_of_numbers_is_refused_in_words(row):
    y, words = REFUSED[row]
    with pytest.raises((TypeError, ValueError), match=words):
        checked(y)


def test_one_number_a_sample_is_no_value_per_frame():
    with pytest.raises(ValueError, match=r"y\[0\] is one number, but target=.frame."):
        checked([1.0, 2.0, 3.0], "frame")
    with pytest.raises(ValueError, match='Set target="frame"'):
        checked([np.ones((n, 2)) for n in LENGTHS], "sequence")
    with pytest.raises(ValueError, match=r"y\[0\] has 2 values for 3 frames"):
        checked(np.ones((3, 2)), "frame")
