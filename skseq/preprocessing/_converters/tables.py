"""Reads and names the columns of tables of pandas and polars.

Knows that a column holds numbers, ids or times, and nothing of sequences.
"""

import difflib
from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np

from skseq._wording import counted


def named_columns(frames: np.ndarray, features: Sequence) -> dict:
    """Return each column of frames by its name."""
    return {name: frames[:, j] for j, name in enumerate(features)}


def check_names(features: Any, default: list) -> list:
    """Return the names of all features, those of `default` if none are given."""
    if features is None:
        return default
    features = [features] if isinstance(features, str) else list(features)
    if len(features) != len(default):
        raise ValueError(
            f"features must name each feature of X, {counted(len(default), 'name')} in "
            f"all. Got {counted(len(features), 'name')} instead: {features}."
        )
    return features


def check_distinct(names: Sequence, where: str = "The table") -> None:
    """Refuse names that do not tell columns apart."""
    seen = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{where} would have two columns {name!r}. Rename one.")
        seen.add(name)


def check_table(frame: Any, where: str) -> None:
    """Refuse what is not a table with rows."""
    if hasattr(frame, "collect_schema") and not hasattr(frame, "to_numpy"):
        raise TypeError(f"{where} is a lazy table. Pass {where}.collect().")
    if not hasattr(frame, "columns") or not hasattr(frame, "to_numpy"):
        raise TypeError(
            f"{where} must be a DataFrame of pandas or polars. Got "
            f"{type(frame).__name__} instead."
        )
    if len(frame) == 0:
        raise ValueError(
            f"{where} has no rows; a sequence must have at least one frame."
        )


def check_columns(frame: Any, where: str, names: Sequence) -> None:
    """Refuse names that no column has, or several."""
    if isinstance(names, str):
        raise TypeError(
            f"features must be a list of columns. Did you mean [{names!r}]?"
        )
    columns = list(frame.columns)
    for name in names:
        if name not in columns:
            raise ValueError(
                f"{where} has no column {name!r}, only {columns}."
                + _column_hint(frame, where, name, columns)
            )
        if columns.count(name) > 1:
            raise ValueError(
                f"{where} has {columns.count(name)} columns {name!r}. Rename them."
            )
    check_distinct(names, "A sequence")


def _column_hint(frame: Any, where: str, name: Any, columns: list) -> str:
    if name in getattr(getattr(frame, "index", None), "names", ()):
        return f" It is in the index: pass {where}.reset_index()."
    close = difflib.get_close_matches(str(name), map(str, columns), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def feature_matrix(
    frame: Any, where: str, features: Sequence, keys: list
) -> np.ndarray:
    """Put columns of numbers side by side; return (n_rows, n_features)."""
    if not len(features):
        raise ValueError(f"{where} has no columns left for the features of a frame.")
    for name in features:
        _refuse_other_than_numbers(frame, where, name)
        refuse_missing(frame, where, name, keys)
    return np.column_stack([_numbers(frame[name]) for name in features])


def _refuse_other_than_numbers(frame: Any, where: str, name: Any) -> None:
    column = frame[name]
    values = column.to_numpy()
    known = ~_is_missing(column)
    if values.dtype.kind == "O":
        is_numeric = all(isinstance(value, Number) for value in values[known])
    else:
        is_numeric = values.dtype.kind in "biuf"
    if not is_numeric:
        raise ValueError(
            f"Column {name!r} of {where} must be numeric, but has dtype "
            f"{column.dtype}. Encode it as numbers, or leave it out with "
            "features=[...]."
        )


def refuse_missing(frame: Any, where: str, name: Any, keys: list) -> None:
    """Refuse a column without a value in some row."""
    missing = _is_missing(frame[name])
    if missing.any():
        row = int(np.argmax(missing))
        raise ValueError(
            f"Column {name!r} of {where} has "
            f"{counted(missing.sum(), 'missing value')}, the "
            f"first {place_of(frame, keys, row)}. Fill them or drop these rows."
        )


def place_of(frame: Any, keys: list, row: int) -> str:
    """Say which row is meant, by its id and time if it has them."""
    if not keys:
        return f"in row {row}"
    values = [frame[key].to_numpy()[row] for key in keys]
    shown = [repr(v) if isinstance(v, str) else str(v) for v in values]
    pairs = zip(keys, shown, strict=True)
    return "where " + " and ".join(f"{key} is {value}" for key, value in pairs)


def _is_missing(column: Any) -> np.ndarray:
    """Mark the missing values of a column of pandas or polars, NaN included."""
    if hasattr(column, "isna"):
        return column.isna().to_numpy()
    missing = column.is_null()
    if column.dtype.is_float():
        missing = missing | column.is_nan().fill_null(True)
    return missing.to_numpy()


def _numbers(column: Any) -> np.ndarray:
    values = column.to_numpy()
    return values.astype(np.float64) if values.dtype.kind == "O" else values
