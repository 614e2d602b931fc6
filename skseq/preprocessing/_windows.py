"""Cuts long series into windows, and combines values of windows into values of points.

Knows nothing of what a frame means, nor of what scores a window. Leaves times to
`_gaps`.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from numbers import Integral, Number
from typing import Any, Literal

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array

from skseq._data.collections import array_of, object_array
from skseq._data.lengths import refuse_lengths
from skseq._data.outliers import anomaly_flags
from skseq._data.sequences import Sequences, check_sequences, item_of
from skseq._parameters import POSITIVE_INT, OneOf, check_parameters, check_value
from skseq._wording import counted
from skseq.preprocessing._gaps import (
    MAX_GAP,
    is_table,
    stretches,
    warn_of_leaps,
    with_index,
)
from skseq.preprocessing._transformer import SequenceTransformer

_CONSTRAINTS = {
    "window_length": POSITIVE_INT,
    "stride": POSITIVE_INT,
    "remainder": OneOf(("cover", "drop")),
    "max_gap": MAX_GAP,
}


class SlidingWindows(SequenceTransformer):
    """Cut long series into windows of one length, each a sequence of its own.

    For models that compare sequences, such as an autoencoder that has to find where in
    hours of measurements something is wrong. :meth:`to_points` combines what the model
    predicts for the windows into one value per point of the series.

    Parameters
    ----------
    window_length : int, default=10
        Frames in a window. Larger values show slower changes, and locate them less
        exactly.
    stride : int, default=1
        Frames from the start of a window to that of the next. Larger values give fewer
        windows. Above `window_length`, the frames between windows are left out.
    remainder : {"cover", "drop"}, default="cover"
        How to treat the frames after the last full stride: "cover" adds a window that
        ends at the last frame, closer to the one before it than `stride`; "drop" leaves
        them out. With a stride of 1 there are none.
    max_gap : str, timedelta or float, default=None
        The longest time from one frame to the next within a window, such as "5min" or
        90.0, by the index of the DataFrames of pandas that `X` then has to be. Where
        more time passes, the series is parted. A number is in the unit of an index of
        numbers; an index of times needs a duration. None parts nothing. Larger values
        part the series less often.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a frame.
    feature_names_in_ : ndarray of shape (`n_features_in_`,), dtype=object
        Names of the features; exists only if `X` has column names that are all str.

    See Also
    --------
    FrameTransformer : Scales several series frame by frame before they are cut.

    Notes
    -----
    `X` is one series, an array or DataFrame of shape ``(n_frames, n_features)``, or a
    collection of series, in any of the forms that hold sequences of several features
    or 1-D arrays. Unlike elsewhere, the rows of a 2-D `X` are the frames of one series
    and not univariate sequences, so that this transformer can follow a
    ``StandardScaler``. No `fit` is needed.

    Rows with missing values are refused. Fill short holes and drop what is left of
    them, ``X.interpolate(limit=3).dropna()``: with `max_gap`, no window spans the rows
    that are gone. A stretch between two gaps that is shorter than a window has none.

    The windows of one series are a read-only view of it, which takes no memory, unless
    a gap or the window that `remainder` adds breaks the regular stride. The windows of
    several series are copied into one array.

    The number of windows differs from the number of samples in `X`. Therefore no step
    of a pipeline after this one can use `y`, and a pipeline predicts once per window.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.preprocessing import SlidingWindows
    >>> X = np.array([[1.0], [2.0], [9.0], [2.0], [1.0]])
    >>> windows = SlidingWindows(window_length=2)
    >>> X_out = windows.transform(X)
    >>> X_out.shape
    (4, 2, 1)
    >>> scores = X_out.max(axis=(1, 2))
    >>> scores
    array([2., 9., 9., 2.])
    >>> windows.to_points(scores, X)
    array([2. , 5.5, 9. , 5.5, 2. ])
    >>> windows.to_points(scores > 5, X, combine="all")
    array([False, False,  True, False, False])

    With an index of times, windows do not span gaps, and points keep their times:

    >>> import pandas as pd
    >>> times = pd.to_timedelta([0, 1, 2, 90, 91], unit="min")
    >>> frame = pd.DataFrame({"load": [1.0, 2.0, 9.0, 2.0, 1.0]}, index=times)
    >>> windows = SlidingWindows(window_length=2, max_gap="5min")
    >>> scores = windows.transform(frame).max(axis=(1, 2))
    >>> scores
    array([2., 9., 2.])
    >>> windows.to_points(scores, frame)
    0 days 00:00:00    2.0
    0 days 00:01:00    5.5
    0 days 00:02:00    9.0
    0 days 01:30:00    2.0
    0 days 01:31:00    2.0
    dtype: float64
    """

    def __init__(
        self,
        window_length: int = 10,
        *,
        stride: int = 1,
        remainder: Literal["cover", "drop"] = "cover",
        max_gap: str | timedelta | float | None = None,
    ):
        self.window_length = window_length
        self.stride = stride
        self.remainder = remainder
        self.max_gap = max_gap

    def transform(self, X):
        """Cut the series into windows.

        Parameters
        ----------
        X : array-like of shape (n_frames, n_features) or collection of them
            One series or several, each at least `window_length` frames long, DataFrames
            with an index if `max_gap` is set. They are not written to.

        Returns
        -------
        X_out : ndarray of shape (n_windows, window_length, n_features)
            The windows of each series from first to last, one series after another.

        Raises
        ------
        ValueError
            If a series is shorter than a window, or each stretch of it between gaps.
        TypeError
            If `max_gap` is set and a series has no index of times or numbers.
        """
        cut = self._mapping()
        sequences = self._check_X(X, reset=False)
        series = _series(X, len(sequences))
        if self.max_gap is None:
            for i, item in series.items():
                warn_of_leaps(item, _name(X, i))
        runs = self._runs(X, series, sequences.lengths)
        windows = [cut(i, sequences[i], of_series) for i, of_series in enumerate(runs)]
        # A single array stays a view; concatenate would copy it.
        return windows[0] if len(windows) == 1 else np.concatenate(windows)

    @np.errstate(under="ignore")
    def to_points(self, window_scores, X, *, combine="mean"):
        """Combine the values of windows into one value per point.

        Parameters
        ----------
        window_scores : array-like of shape (n_windows,)
            One number, label or boolean per window, in the order of `transform`.
        X : array-like of shape (n_frames, n_features), collection of them, int or \
array-like of int
            The series that were cut, or only their lengths: an int for one series, one
            int per series for a collection. With `max_gap`, the series themselves.
        combine : {"mean", "min", "max", "all", "any"}, default="mean"
            How to combine the values of the windows that hold a point. "mean", "min"
            and "max" are for numbers. "all" and "any" are for booleans, True for an
            anomaly, and for the labels 1 and -1 that outlier detectors predict: a
            point is anomalous if all, or any, of the windows that hold it are. "all"
            locates anomalies more exactly, "any" misses fewer.

        Returns
        -------
        point_scores : ndarray or Series of shape (n_frames,), or ndarray of shape \
(n_series,) of them
            One for one series, an object array of them for a collection: a Series with
            the index of the series where that is a DataFrame of pandas, an array
            elsewhere. A point that no window holds has the value of the last window
            before it. A point of a stretch between gaps that is shorter than a window
            has none: it is NaN, or ``pandas.NA`` beside labels and booleans.

        Raises
        ------
        ValueError
            If the numbers of values and windows differ, or the values for "all" or
            "any" are neither labels nor booleans.
        TypeError
            If `max_gap` is set and `X` is lengths, or has no index.
        """
        self._mapping()
        check_value("to_points", "combine", combine, OneOf(_COMBINE))
        is_single, lengths = _lengths(self, X)
        series = _series(X, len(lengths))
        runs = self._runs(X, series, lengths)
        starts = [self._starts(i, of_series) for i, of_series in enumerate(runs)]
        n_windows = [len(of_series) for of_series in starts]
        values = _check_values(window_scores, sum(n_windows))
        points = []
        for i, part in enumerate(np.split(values, np.cumsum(n_windows)[:-1])):
            is_held = np.repeat(runs[i] >= self.window_length, runs[i])
            bounds = _holders(starts[i], self.window_length, np.flatnonzero(is_held))
            combined = _COMBINE[combine](part, *bounds)
            is_indexed = i in series and is_table(series[i])
            points.append(
                with_index(combined, is_held, series[i]) if is_indexed else combined
            )
        return points[0] if is_single else object_array(points)

    def _mapping(self) -> Callable[..., np.ndarray]:
        check_parameters(self, _CONSTRAINTS)
        return self._cut

    def _check_X(self, X: object, y: object = None, *, reset: bool) -> Sequences:
        refuse_lengths(X, y)
        return check_sequences(self, [X] if _is_one_series(X) else X, reset=reset)

    def _runs(
        self, X: object, series: dict[int, Any], lengths: Iterable[int]
    ) -> list[np.ndarray]:
        """Return the frames of each stretch without a gap, for each series."""
        if self.max_gap is None:
            return [np.array([length]) for length in lengths]
        items = series or {0: X if isinstance(X, Integral) else X[0]}
        return [stretches(it, self.max_gap, _name(X, i)) for i, it in items.items()]

    def _cut(self, index: int, frames: np.ndarray, runs: np.ndarray) -> np.ndarray:
        starts = self._starts(index, runs)
        windows = np.lib.stride_tricks.sliding_window_view(
            frames, self.window_length, axis=0
        ).swapaxes(1, 2)  # (n_starts, window_length, n_features), a view
        is_regular = len(runs) == 1 and starts[-1] % self.stride == 0
        return windows[:: self.stride] if is_regular else windows[starts]

    def _starts(self, index: int, runs: np.ndarray) -> np.ndarray:
        """Return the first frame of each window of one series."""
        if runs.max() < self.window_length:
            self._refuse_short(index, runs)
        first_frames = np.cumsum(runs) - runs
        return np.concatenate(
            [
                first + self._starts_within(length)
                for first, length in zip(first_frames, runs, strict=True)
                if length >= self.window_length
            ]
        )

    def _starts_within(self, n_frames: int) -> np.ndarray:
        """Return the first frame of each window of one stretch."""
        last = n_frames - self.window_length
        starts = np.arange(0, last + 1, self.stride)
        if self.remainder == "cover" and starts[-1] < last:
            starts = np.append(starts, last)
        return starts

    def _refuse_short(self, index: int, runs: np.ndarray) -> None:
        length = f"window_length={self.window_length}"
        if len(runs) == 1:
            raise ValueError(
                f"Series {index} has {counted(runs[0], 'frame')}, fewer than a window "
                f"of {length}. Lower window_length, or leave that series out."
            )
        raise ValueError(
            f"Series {index} is parted by gaps of more than max_gap={self.max_gap!r} "
            f"into {len(runs)} stretches, the longest of "
            f"{counted(runs.max(), 'frame')}, fewer than a window of {length}. Lower "
            "window_length, raise max_gap, or leave that series out."
        )


def _is_one_series(X: object) -> bool:
    """Tell one series from a collection: a 2-D array, or a list of rows of numbers."""
    if hasattr(X, "shape"):
        return len(X.shape) == 2 and not hasattr(X, "row_splits")
    if hasattr(X, "__array__"):
        return np.asarray(X).ndim == 2
    if not isinstance(X, list | tuple) or not X:
        return False
    return all(_is_row(row) and len(row) == len(X[0]) for row in X)


def _is_row(row: object) -> bool:
    return isinstance(row, list | tuple) and all(isinstance(v, Number) for v in row)


def _lengths(windows: SlidingWindows, X: object) -> tuple[bool, list[int]]:
    """Return whether X is one series, and the frames of each."""
    if isinstance(X, Integral):
        return True, [int(X)]
    is_flat = isinstance(X, list | tuple | np.ndarray) and len(X) > 0
    if is_flat and all(isinstance(length, Integral) for length in X):
        return False, [int(length) for length in X]
    # On a clone: `to_points` learns nothing and needs no fit.
    lengths = clone(windows)._check_X(X, reset=True).lengths
    return _is_one_series(X), lengths.tolist()


def _series(X: Any, n_series: int) -> dict[int, Any]:
    """Return the series by their places, as the user holds them.

    Only the first where that has no index, and none where `X` is numbers.
    """
    if _is_one_series(X):
        return {0: X}
    is_numbers = isinstance(X, Integral) or getattr(X, "ndim", 1) != 1
    if is_numbers or hasattr(X, "row_splits"):
        return {}
    items = X.tolist() if hasattr(X, "tolist") else X
    if isinstance(items[0], Integral):
        return {}
    n_read = n_series if is_table(item_of(items, 0)) else 1
    return {i: item_of(items, i) for i in range(n_read)}


def _name(X: Any, i: int) -> str:
    """Return what messages call a series."""
    return "X" if _is_one_series(X) or isinstance(X, Integral) else f"X[{i}]"


def _check_values(values: object, n_windows: int) -> np.ndarray:
    values = check_array(
        array_of(values),
        ensure_2d=False,
        allow_nd=True,
        ensure_min_samples=0,
        input_name="window_scores",
    )
    if values.shape != (n_windows,):
        raise ValueError(
            "window_scores must have one entry per window that these series are cut "
            f"into, {counted(n_windows, 'entry', 'entries')} in all. Got shape "
            f"{values.shape} instead."
        )
    return values


def _holders(
    starts: np.ndarray, window_length: int, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each point the first window that holds it, and the one after the last.

    A point that no window holds is given to the last window before it.
    """
    stop = np.searchsorted(starts, points, side="right")
    first = np.searchsorted(starts, points - window_length, side="right")
    return np.minimum(first, stop - 1), stop


def _reduce(
    ufunc: np.ufunc, values: np.ndarray, first: np.ndarray, stop: np.ndarray
) -> np.ndarray:
    """Reduce the values from `first` to before `stop`, for each point."""
    # One more entry, since `stop` must be an index too; what starts there is not used.
    padded = np.append(values, values[-1:])
    bounds = np.column_stack([first, stop]).ravel()
    return ufunc.reduceat(padded, bounds)[::2]


def _mean(values: np.ndarray, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
    return _reduce(np.add, values.astype(np.float64), first, stop) / (stop - first)


def _combine_labels(
    ufunc: np.ufunc, values: np.ndarray, first: np.ndarray, stop: np.ndarray
) -> np.ndarray:
    flags = _reduce(ufunc, anomaly_flags(values, "window_scores"), first, stop)
    is_boolean = values.dtype.kind == "b"
    return flags if is_boolean else np.where(flags, -1, 1).astype(values.dtype)


_COMBINE = {
    "mean": _mean,
    "min": partial(_reduce, np.minimum),
    "max": partial(_reduce, np.maximum),
    "all": partial(_combine_labels, np.logical_and),
    "any": partial(_combine_labels, np.logical_or),
}
