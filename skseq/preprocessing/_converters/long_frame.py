"""One long table, whose rows are the frames of all sequences.

Orders rows by id and time; leaves columns and their values to `tables`.
"""

from typing import Any

import numpy as np

from skseq._data.collections import array_of, check_n_samples, object_array
from skseq._wording import counted
from skseq.preprocessing._converters.libraries import table_library
from skseq.preprocessing._converters.sequences import read_sequences, rows_of
from skseq.preprocessing._converters.tables import (
    check_columns,
    check_distinct,
    check_names,
    check_table,
    feature_matrix,
    named_columns,
    place_of,
    refuse_missing,
)


def from_long_frame(frame, id, time, features=None):
    """Gather the rows of a long table, one row per frame, into sequences.

    Parameters
    ----------
    frame : DataFrame
        A table of pandas or polars.
    id : str
        The column that says which sequence a row belongs to.
    time : str or None
        The column that orders the rows of a sequence, of numbers or dates. None keeps
        them in the order of the table.
    features : list of str, default=None
        The columns of the features. None stands for all columns but `id` and `time`.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features), in the order in which
        their ids first appear.
    ids : ndarray of shape (n_samples,)
        The id of each sequence, for example to look up its label.

    Raises
    ------
    TypeError
        If `frame` is not a table.
    ValueError
        If a column is unknown, not numeric or has missing values, or if a sequence has
        two rows with the same time. The message names the column and the row.

    See Also
    --------
    to_long_frame : The inverse.

    Examples
    --------
    >>> import pandas as pd
    >>> from skseq.preprocessing import from_long_frame
    >>> frame = pd.DataFrame(
    ...     {"patient": ["b", "a", "b"], "day": [2, 1, 1], "pulse": [90, 60, 70]}
    ... )
    >>> X, ids = from_long_frame(frame, id="patient", time="day")
    >>> ids.tolist(), X[0].ravel()
    (['b', 'a'], array([70, 90]))
    """
    check_table(frame, "frame")
    keys = [id] if time is None else [id, time]
    if features is None:
        features = [name for name in frame.columns if name not in keys]
    check_columns(frame, "frame", keys)
    check_columns(frame, "frame", features)
    for name in keys:
        refuse_missing(frame, "frame", name, keys=[])
    matrix = feature_matrix(frame, "frame", features, keys)
    codes, ids = _codes(frame[id].to_numpy())
    order = np.argsort(codes, kind="stable")
    if time is not None:
        order = _by_time(frame, keys, codes)
    counts = np.bincount(codes)
    return object_array(np.split(matrix[order], np.cumsum(counts)[:-1])), ids


def to_long_frame(
    X, ids=None, *, id="id", time="time", features=None, library="pandas"
):
    """Write all sequences into one long table, one row per frame.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.
    ids : array-like of shape (n_samples,), default=None
        The id of each sequence, all different. None numbers them from 0.
    id : str, default="id"
        Name of the column of ids.
    time : str, default="time"
        Name of the column that numbers the frames of a sequence from 0.
    features : list of str of length n_features, default=None
        Names of the columns of features. None takes those of a list of DataFrames,
        otherwise "x0", "x1" and so on.
    library : {"pandas", "polars"}, default="pandas"
        The library of the table.

    Returns
    -------
    frame : DataFrame
        The rows of the first sequence, of the second, and so on.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        If two ids or two columns are equal, or their number is wrong.

    See Also
    --------
    from_long_frame : The inverse.

    Examples
    --------
    >>> from skseq.preprocessing import to_long_frame
    >>> to_long_frame([[[70], [90]], [[60]]], ids=["b", "a"], features=["pulse"])
      id  time  pulse
    0  b     0     70
    1  b     1     90
    2  a     0     60
    """
    tables = table_library(library, "to_long_frame")
    sequences, names = read_sequences(X, "to_long_frame")
    ids = _check_ids(ids, len(sequences))
    features = check_names(features, names)
    check_distinct([id, time, *features])
    frames = np.concatenate(rows_of(sequences))
    times = np.concatenate([np.arange(n) for n in sequences.lengths])
    columns = {id: np.repeat(ids, sequences.lengths), time: times}
    return tables.DataFrame({**columns, **named_columns(frames, features)})


def _codes(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the ids as they first appear; return each row's number, and the ids."""
    numbers = {}
    codes = np.array([numbers.setdefault(i, len(numbers)) for i in ids.tolist()])
    return codes, ids[np.unique(codes, return_index=True)[1]]


def _by_time(frame: Any, keys: list, codes: np.ndarray) -> np.ndarray:
    """Order the rows by id, then by time; refuse two rows of one id and time."""
    times = frame[keys[1]].to_numpy()
    order = _sorted(times, keys[1])
    order = order[np.argsort(codes[order], kind="stable")]
    same_id = np.diff(codes[order]) == 0
    is_twice = same_id & (times[order][1:] == times[order][:-1])
    if is_twice.any():
        row = order[int(np.argmax(is_twice))]
        raise ValueError(
            f"A sequence must have one row per time, but {place_of(frame, keys, row)} "
            f"there are several ({counted(is_twice.sum(), 'row')} too many in all). "
            "Drop them, or take their mean by grouping."
        )
    return order


def _sorted(times: np.ndarray, name: Any) -> np.ndarray:
    """Return the order of times; refuse those without one."""
    is_object = times.dtype.kind == "O"
    if is_object and any(isinstance(time, str) for time in times):
        raise ValueError(
            f"Column {name!r} is text, whose order may not be that of time. Convert "
            f"it to numbers or dates by pandas.to_datetime(frame[{name!r}]), or pass "
            "time=None if the rows are in order already."
        )
    try:
        return np.argsort(times, kind="stable")
    except TypeError as error:
        raise ValueError(
            f"Column {name!r} must hold values that have an order: {error}. Convert "
            "them, or pass time=None if the rows are in order already."
        ) from error


def _check_ids(ids: Any, n_samples: int) -> np.ndarray:
    if ids is None:
        return np.arange(n_samples)
    array = array_of(ids)
    ids = array if array.ndim == 1 else object_array(ids)
    check_n_samples("ids", len(ids), n_samples)
    _, distinct = _codes(ids)
    if len(distinct) < len(ids):
        raise ValueError(
            f"ids must tell the sequences apart, but {len(ids)} sequences have only "
            f"{counted(len(distinct), 'different id')}."
        )
    return ids
