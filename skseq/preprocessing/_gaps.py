"""Finds where the times of a table leap, and gives results the index of the table.

Knows the index of a pandas table, and nothing of windows.
"""

import sys
from datetime import timedelta
from numbers import Integral, Real
from typing import Any

import numpy as np

from skseq._parameters import NONE, Interval, Kind
from skseq._warnings import warn

# How many usual steps make a leap that cannot be meant as one.
_LEAP = 10

# The units of durations, from the largest, and the numbers of them that are too long.
_UNITS = ("D", "h", "min", "s", "ms", "us", "ns")
_LONG = 1000

MAX_GAP = (
    NONE,
    Kind(
        lambda value: isinstance(value, str | timedelta | np.timedelta64),
        "a duration, such as '5min'",
    ),
    Interval(float, 0, None, closed="right"),
)

_INDEX = (
    "Set its times as index, X = X.set_index('time'), after pandas.to_datetime if they "
    "are text."
)


def is_table(X: object) -> bool:
    """Tell a DataFrame of pandas, which has an index, from anything else."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


def stretches(table: Any, max_gap: Any, name: str) -> np.ndarray:
    """Return how many rows each stretch without a gap has, from first to last."""
    if not is_table(table):
        cure = (
            "In a pipeline, .set_output(transform='pandas') makes the steps of "
            "scikit-learn keep the index."
        )
        if isinstance(table, Integral):
            cure = "A length does not tell where the gaps are: pass the series."
        raise TypeError(
            f"max_gap={max_gap!r} needs {name} to be a DataFrame of pandas with its "
            f"times as index. Got {type(table).__name__} instead. {cure}"
        )
    steps = _steps(table.index, name)
    ends = np.flatnonzero(steps > _limit(max_gap, table.index, name)) + 1
    return np.diff([0, *ends, len(table)])


def warn_of_leaps(table: Any, name: str) -> None:
    """Warn where times leap, and no gap was asked to part windows."""
    if not is_table(table) or not _has_times(table.index) or len(table) < 3:
        return
    pandas = sys.modules["pandas"]
    steps = _steps(table.index, name)
    usual = steps.to_series().median()
    n_leaps = int((steps > _LEAP * usual).sum())
    if n_leaps and usual > pandas.Timedelta(0):
        often = "once" if n_leaps == 1 else f"{n_leaps} times"
        most, few = _duration(steps.max()), _duration(2 * usual)
        warn(
            f"The times of {name} leap {often}, by up to {most} where "
            f"{_duration(usual)} is usual, and windows span the gaps. Set max_gap, for "
            f"example max_gap={few!r}, or max_gap=float('inf') to leave it so."
        )


def _duration(time: Any) -> str:
    """A duration as one writes it, such as "90s", rounded where that is long."""
    pandas = sys.modules["pandas"]
    sizes = {unit: time / pandas.Timedelta(1, unit) for unit in _UNITS}
    for unit, size in sizes.items():
        if size < _LONG and size >= 1 and size == int(size):
            return f"{int(size)}{unit}"
    unit, size = next((pair for pair in sizes.items() if pair[1] >= 1), ("ns", 1))
    return f"{size:.0f}{unit}" if size >= 100 else f"{size:.3g}{unit}"


def with_index(values: np.ndarray, is_known: np.ndarray, table: Any) -> Any:
    """Return values, one per row that is known, as a Series with the table's index.

    The others are NaN, or pandas.NA beside labels and booleans.
    """
    pandas = sys.modules["pandas"]
    if is_known.all():
        return pandas.Series(values, index=table.index)
    if values.dtype.kind == "f":
        spread = np.full(len(is_known), np.nan, dtype=values.dtype)
        spread[is_known] = values
        return pandas.Series(spread, index=table.index)
    spread = np.zeros(len(is_known), dtype=values.dtype)
    spread[is_known] = values
    kind = {"b": "boolean", "i": "Int64", "u": "UInt64"}[values.dtype.kind]
    nullable = pandas.Series(spread, index=table.index).astype(kind)
    return nullable.where(is_known, pandas.NA)


def _has_times(index: Any) -> bool:
    """Whether an index holds dates and times, all of them and in order."""
    pandas = sys.modules["pandas"]
    is_time = isinstance(index, pandas.DatetimeIndex)
    return is_time and not index.hasnans and index.is_monotonic_increasing


def _steps(index: Any, name: str) -> Any:
    """Return the times from row to row, which must not be negative."""
    pandas = sys.modules["pandas"]
    if isinstance(index, pandas.PeriodIndex):
        index = index.to_timestamp()
    is_time = isinstance(index, pandas.DatetimeIndex | pandas.TimedeltaIndex)
    is_number = index.dtype.kind in "iuf" if hasattr(index.dtype, "kind") else False
    if not is_time and not is_number:
        found = f"{type(index).__name__} of {index.dtype}"
        raise TypeError(
            f"The index of {name} must hold times or numbers. Got {found} instead. "
            f"{_INDEX}"
        )
    if index.hasnans:
        row = int(np.argmax(index.isna()))
        raise ValueError(
            f"The index of {name} has no time in row {row}. Drop that row."
        )
    values = index if is_time else np.asarray(index, dtype=np.float64)
    steps = values[1:] - values[:-1]
    zero = pandas.Timedelta(0) if is_time else 0
    if (steps < zero).any():
        row = int(np.argmax(steps < zero)) + 1
        raise ValueError(
            f"The times in the index of {name} must not decrease, but row {row} "
            f"({index[row]}) is before row {row - 1} ({index[row - 1]}). Sort the "
            "table: X = X.sort_index()."
        )
    return steps


def _only_counts(index: Any) -> bool:
    """Whether an index is what pandas gives rows that were given none."""
    pandas = sys.modules["pandas"]
    return index.equals(pandas.RangeIndex(len(index)))


def _limit(max_gap: Any, index: Any, name: str) -> Any:
    """Return the longest step that is not a gap, in the terms of the index."""
    is_number = isinstance(max_gap, Real) and not isinstance(max_gap, np.timedelta64)
    if index.dtype.kind in "iuf":
        if is_number:
            return float(max_gap)
        if _only_counts(index):
            raise TypeError(
                f"max_gap={max_gap!r} is a duration, but {name} has no times: its rows "
                f"are only counted. {_INDEX} An array has none: pass the DataFrame."
            )
        raise TypeError(
            f"max_gap={max_gap!r} is a duration, but the index of {name} holds "
            f"numbers ({index.dtype}). Pass a number. Or: {_INDEX}"
        )
    pandas = sys.modules["pandas"]
    if is_number and np.isinf(max_gap):
        return pandas.Timedelta.max
    if is_number or (isinstance(max_gap, str) and _is_number(max_gap)):
        raise TypeError(
            f"max_gap={max_gap!r} has no unit, but the index of {name} holds times. "
            f"Write the unit: max_gap='{max_gap}s' for seconds, or 'min', 'h' or 'D'."
        )
    try:
        limit = pandas.Timedelta(max_gap)
    except ValueError as error:
        raise ValueError(
            f"max_gap={max_gap!r} is not a duration: {error}. Write it as '90s', "
            "'5min', '2h' or '1D'."
        ) from error
    if not limit > pandas.Timedelta(0):
        raise ValueError(f"max_gap={max_gap!r} must be longer than zero.")
    return limit


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
