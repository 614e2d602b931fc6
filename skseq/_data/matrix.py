"""Recognises an X of two dimensions, and has scikit-learn check it.

Each of its rows is a sequence of one feature. Knows nothing of Keras.
"""

import numbers
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, validate_data

from skseq._data.collections import is_sized
from skseq._data.frames import (
    LARGEST,
    check_columns,
    check_dtype,
    column_names,
    fits_float32,
    to_floats,
)
from skseq._data.terms import FRAMES, Terms
from skseq._wording import counted

# Integers stay as they are: their range says how loud audio is.
_MATRIX_DTYPES = [np.float64, np.float32, *map(np.dtype, np.typecodes["AllInteger"])]

# In what a table of frames is told, which has columns of other things than numbers.
_NO_NUMBERS = ("holds times", "cannot be converted")


def is_matrix(X: Any) -> bool:
    """Tell whether X is for scikit-learn to check: two-dimensional, or mere numbers."""
    if hasattr(X, "shape"):
        n_dims = len(X.shape)
        return n_dims in (0, 2) or (n_dims == 1 and not _may_hold_sequences(X))
    if not isinstance(X, list | tuple) or len(X) == 0:
        return False
    return _are_numbers(X) or _is_rectangular(X)


def _is_rectangular(rows: list | tuple) -> bool:
    """Tell a nested list that is a matrix from one of ragged univariate sequences."""
    return (
        all(isinstance(row, list | tuple) for row in rows)
        and len({len(row) for row in rows}) == 1
        and all(_are_numbers(row) for row in rows)
    )


def _may_hold_sequences(X: Any) -> bool:
    """Tell whether the cells of a one-dimensional array can be sequences, or text."""
    kind = getattr(getattr(X, "dtype", None), "kind", None)  # no dtype: a memoryview
    return kind in ("O", "U", "S", "T") and not _are_numbers(X)


def _are_numbers(values: Any) -> bool:
    return len(values) > 0 and all(isinstance(v, numbers.Number) for v in values)


def check_matrix(
    estimator: Any, X: Any, reset: bool, check_finite: bool, terms: Terms = FRAMES
) -> np.ndarray:
    """Return X as an array of floats, or say why it cannot be one."""
    if isinstance(X, np.ndarray):
        _check_matrix_dtype(X.dtype)
    elif isinstance(X, list | tuple) and np.asarray(X).dtype.kind in "iu":
        X = np.asarray(X)
    _refuse_cells(X)
    _check_cells(X)
    if np.ndim(X) == 1:
        raise ValueError(
            "Expected 2D array, got 1D array instead: X is "
            f"{counted(len(X), 'number')}. Reshape your data: [X] is one sequence of "
            "one feature."
        )
    fitted_layout = None if reset else getattr(estimator, "_X_layout", None)
    if fitted_layout == "sequences" and np.ndim(X) == 2:
        _check_univariate(estimator, np.shape(X), terms)
    params = {"dtype": _MATRIX_DTYPES, "ensure_all_finite": False}
    if reset or fitted_layout == "matrix":
        matrix = validate_data(estimator, X, reset=reset, **params)
    else:
        matrix = check_array(X, estimator=estimator, input_name="X", **params)
    if check_finite and not fits_float32(matrix):
        _refuse_value(matrix, column_names(X))
    return matrix


def _refuse_value(matrix: np.ndarray, columns: list | None) -> None:
    """Say which value of a matrix does not fit single precision."""
    finite = np.isfinite(matrix)
    i, j = np.argwhere(~(np.abs(matrix) <= LARGEST) if finite.all() else ~finite)[0]
    place = f"X[{i}, {j}]" + ("" if columns is None else f", column {columns[j]!r}")
    if finite.all():
        raise ValueError(
            f"Input X contains a value too large for dtype('float32') ({place}). "
            "Rescale X."
        )
    kind = "NaN" if np.isnan(matrix[i, j]) else "infinity"
    raise ValueError(
        f"Input X contains {kind}. The first of "
        f"{counted(np.sum(~finite), 'non-finite value')} is {place}. Fill them, or "
        f"drop these rows."
    )


def _refuse_cells(X: Any) -> None:
    """Refuse a table whose cells hold sequences, and name the column to pass."""
    columns = column_names(X)
    if columns is None and not (isinstance(X, np.ndarray) and X.dtype.kind == "O"):
        return
    if 0 in X.shape or len(X.shape) != 2:
        return
    cell = np.asarray(X[:1], dtype=object)[0, 0]
    is_other = isinstance(cell, str | bytes | Mapping | Set)
    if is_other or not is_sized(cell):
        return
    if X.shape[1] > 1:
        raise ValueError(
            f"The cells of X hold sequences, in {X.shape[1]} columns. Pass one array "
            "per sample, whose columns are the features: "
            "X = [np.column_stack(list(row)) for row in np.asarray(X)]."
        )
    cure = "X.ravel()" if columns is None else f"the column, X[{columns[0]!r}]"
    raise ValueError(f"The cells of X hold sequences, in one column. Pass {cure}.")


def _check_cells(X: Any) -> None:
    """Refuse what is not a number; say what to do with a table of frames."""
    is_table = column_names(X) is not None
    if not is_table and not isinstance(X, np.ndarray):
        return
    try:
        check_columns(X, "X")
        array = np.asarray(X)
        if array.dtype.kind == "O" and array.ndim == 2:
            to_floats(array, "X", column_names(X))
    except (TypeError, ValueError) as error:
        if not is_table or not any(words in str(error) for words in _NO_NUMBERS):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{error} A row of a table is a sequence of numbers here. If it is a "
            "frame, cut the table into sequences: "
            "skseq.preprocessing.from_long_frame(X, id=..., time=...)."
        ) from error


def _check_matrix_dtype(dtype: np.dtype) -> None:
    """Refuse what scikit-learn would cast, or fail to cast without a word of help."""
    if dtype.names is not None:
        raise ValueError(
            "Expected 2D array, got 1D array instead: X is a structured array. Convert "
            "it with numpy.lib.recfunctions.structured_to_unstructured(X)."
        )
    if dtype.kind in "mMV" or dtype.type.__module__ != "numpy":
        check_dtype(dtype, "X")


def _check_univariate(estimator: Any, shape: tuple, terms: Terms) -> None:
    """Refuse rows, univariate sequences, where frames had several features."""
    needed = estimator.n_features_in_
    if needed == 1:
        return
    is_turned = shape[0] == needed != shape[1]
    cure = f" Its first axis has {needed}: transpose it, [X.T]." if is_turned else ""
    raise ValueError(
        f"{type(estimator).__name__} was fitted on {terms.item}s of "
        f"{terms.width(needed)} but got a 2-D X. Wrap a single {terms.item} in a list: "
        f"[X].{cure}"
    )
