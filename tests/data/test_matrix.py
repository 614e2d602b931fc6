"""Which arrays of two dimensions are taken, and what the rest is told."""

import re

import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.utils.estimator_checks import _NotAnArray

from skseq._data.collections import object_array
from skseq._data.sequences import check_sequences
from tests.data.samples import (
    LONG,
    E,
    fit,
    fitted_on,
    frame,
)

pytestmark = pytest.mark.core


BAD_MATRICES = {
    "0-d array": (
        np.array(3.0),
        ValueError,
        "Expected 2D array, got scalar array instead:",
    ),
    "empty 2-D": (
        np.empty((0, 3)),
        ValueError,
        "Found array with 0 sample(s) (shape=(0, 3)) while a minimum of 1 is required "
        "by E.",
    ),
    "no columns": (
        np.empty((12, 0)),
        ValueError,
        "Found array with 0 feature(s) (shape=(12, 0)) while a minimum of 1 is "
        "required by E.",
    ),
    "1-D array": (np.ones(3), ValueError, "Expected 2D array, got 1D array instead:"),
    "flat list": ([1.0, 2], ValueError, "Expected 2D array, got 1D array instead:"),
    "flat object array": (
        np.array([1, 2.5], dtype=object),
        ValueError,
        "Expected 2D array, got 1D array instead:",
    ),
    "flat Series": (
        pd.Series([1.0, 2.0]),
        ValueError,
        "Expected 2D array, got 1D array instead:",
    ),
    "1-D array and the way out": (
        np.ones(3),
        ValueError,
        "X is 3 numbers. Reshape your data: [X] is one sequence of one feature.",
    ),
    "a table with one column of sequences": (
        pd.DataFrame({"seq": pd.Series([np.ones((2, 1)), np.ones((3, 1))])}),
        ValueError,
        "The cells of X hold sequences, in one column. Pass the column, X['seq'].",
    ),
    "a nested table": (
        pd.DataFrame({"a": [np.ones(2)], "b": [np.ones(2)]}),
        ValueError,
        "The cells of X hold sequences, in 2 columns. Pass one array per sample",
    ),
    "a column of cells": (
        object_array([np.ones((2, 1)), np.ones((3, 1))])[:, None],
        ValueError,
        "The cells of X hold sequences, in one column. Pass X.ravel().",
    ),
    "a grouped table": (
        LONG.groupby("id"),
        TypeError,
        "X is a DataFrameGroupBy, whose items are pairs. Pass the groups alone: "
        "[group for _, group in X].",
    ),
    "a lazy table": (
        pl.DataFrame({"a": [1.0]}).lazy(),
        TypeError,
        "X is a LazyFrame. Pass X.collect().",
    ),
    "a long table": (
        LONG,
        ValueError,
        "skseq.preprocessing.from_long_frame(X, id=..., time=...)",
    ),
    "a table of dates": (
        LONG.assign(id=pd.date_range("2020-01-01", periods=6)),
        TypeError,
        "skseq.preprocessing.from_long_frame(X, id=..., time=...)",
    ),
    "matrix overflow": (
        np.array([[1, 2], [3, -1e39]]),
        ValueError,
        "Input X contains a value too large for dtype('float32') (X[1, 1]).",
    ),
    "matrix NaN": (
        np.array([[1, 2], [np.nan, np.inf]]),
        ValueError,
        "Input X contains NaN. The first of 2 non-finite values is X[1, 0]. Fill "
        "them, or drop these rows.",
    ),
    "matrix infinity": (
        np.array([[1, -np.inf]]),
        ValueError,
        "Input X contains infinity. The first of 1 non-finite value is X[0, 1].",
    ),
    "table NaN": (
        pd.DataFrame({"a": [1.0], "b": [np.nan]}),
        ValueError,
        "is X[0, 1], column 'b'. Fill them, or drop these rows.",
    ),
    "table pd.NA": (
        pd.DataFrame({"a": [1.0, 2.0], "b": pd.array([1, None], dtype="Int64")}),
        ValueError,
        "Input X contains missing values (X[1, 1], column 'b', is <NA>).",
    ),
    "table NaT": (
        pd.DataFrame({"a": [1.0], "b": pd.Series([pd.NaT], dtype=object)}),
        ValueError,
        "Input X contains missing values (X[0, 1], column 'b', is NaT).",
    ),
    "table of times alone": (
        pd.DataFrame({"when": pd.date_range("2020", periods=2)}),
        TypeError,
        "X holds times, not numbers (X[0, 0], column 'when'). Drop that column",
    ),
    "table with columns of one name": (
        frame("aba"),
        ValueError,
        "X has 2 columns named 'a'. Give each column a name of its own.",
    ),
    "float8 matrix": (
        np.ones((2, 3), dtype=ml_dtypes.float8_e5m2),
        ValueError,
        "X has dtype float8_e5m2; numeric sequences are required.",
    ),
    "complex matrix": (
        np.ones((2, 3)) * 1j,
        ValueError,
        "Complex data not supported",
    ),
    "matrix of dates": (
        np.array([["2020-01-01"]], dtype="M8[D]"),
        TypeError,
        "X has dtype datetime64[D]; convert dates to numbers first.",
    ),
    "masked matrix": (
        np.ma.masked_equal([[1.0, 2.0]], 2),
        ValueError,
        "X is a masked array with 1 masked value; masks are not supported",
    ),
    "column of text": (
        pd.DataFrame({"a": [1.0], "b": ["x"]}),
        ValueError,
        "could not convert string to float: 'x'",
    ),
    "np.matrix": (np.matrix([[1.0]]), TypeError, "np.matrix is not supported."),
    "recarray": (
        np.rec.array([(1, 2.0), (3, 4.0)]),
        ValueError,
        "Expected 2D array, got 1D array instead:",
    ),
}


@pytest.mark.parametrize(
    ("X", "error", "message"), BAD_MATRICES.values(), ids=BAD_MATRICES
)
def test_a_bad_matrix_is_refused_with_a_sentence_that_names_it(X, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fit(X)


@pytest.mark.parametrize(
    "wrap",
    [np.asarray, _NotAnArray, np.ndarray.tolist, pd.DataFrame, pl.DataFrame],
    ids=["array", "__array__", "nested list", "pandas", "polars"],
)
def test_rows_of_a_matrix_are_univariate_sequences(wrap):
    matrix = np.arange(6.0).reshape(2, 3)
    estimator = E()
    sequences = check_sequences(estimator, wrap(matrix), reset=True)
    assert estimator.n_features_in_ == 3
    assert (sequences.n_features, sequences.layout) == (1, "matrix")
    assert sequences.lengths.tolist() == [3, 3]
    np.testing.assert_array_equal(sequences[1], [[3.0], [4.0], [5.0]])


def test_a_matrix_serves_an_estimator_fitted_on_sequences_of_one_feature():
    estimator = fitted_on([np.ones(3), np.ones(5)])
    sequences = check_sequences(estimator, [[1.0, 2.0], [3.0, 4.0]], reset=False)
    assert estimator.n_features_in_ == 1
    np.testing.assert_array_equal(sequences[1], [[3.0], [4.0]])


def test_advice_on_missing_values_is_for_sequences():
    with pytest.raises(ValueError, match="NaN") as refusal:
        fit(np.array([[1, np.nan]]))
    assert "sklearn" not in str(refusal.value)
