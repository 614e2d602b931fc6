"""Converts collections of sequences between the forms in which they are kept.

For each form there is a function from it and one to it: concatenated frames, long
tables, a table for each sequence, arrays padded with NaN, ragged tensors. Knows how
tables name their columns, nothing of what the columns mean.
"""

import difflib
from collections.abc import Sequence
from importlib import import_module
from numbers import Number
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skseq._data.collections import check_n_samples, object_array, ragged_rows
from skseq._data.frames import as_array, as_frames, check_dtype, n_real_frames
from skseq._data.sequences import Sequences, check_sequences

TABLE_LIBRARIES = ("pandas", "polars")
EXTRAS = {"pandas": '"skseq[pandas]"'}  # what to install for them, if not themselves

# -- frames one after another -----------------------------------------------------


def from_concatenated(X, lengths=None):
    """Cut frames that stand one after another into sequences, as hmmlearn keeps them.

    Parameters
    ----------
    X : array-like of shape (n_all_frames, n_features) or (n_all_frames,)
        The frames of all sequences.
    lengths : array-like of shape (n_samples,), default=None
        Number of frames of each sequence. None stands for a single sequence.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features): views of `X`.

    Raises
    ------
    ValueError
        If the lengths are not positive integers that add up to the frames of `X`.

    See Also
    --------
    to_concatenated : The way back.

    Examples
    --------
    >>> from skseq.preprocessing import from_concatenated
    >>> from_concatenated([[1], [2], [3]], lengths=[1, 2])[1]
    array([[2],
           [3]])
    """
    frames = as_array(X, "X")
    lengths = _check_lengths(lengths, len(frames))
    return object_array(np.split(frames, np.cumsum(lengths)[:-1]))


def to_concatenated(X):
    """Put the frames of all sequences one after another, as hmmlearn takes them.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.

    Returns
    -------
    frames : ndarray of shape (n_all_frames, n_features)
        The frames of the first sequence, of the second, and so on.
    lengths : ndarray of shape (n_samples,), dtype=int64
        Number of frames of each sequence.

    Raises
    ------
    ValueError, TypeError
        If a sequence cannot be used; the message names it.

    See Also
    --------
    from_concatenated : The way back.

    Examples
    --------
    >>> from skseq.preprocessing import to_concatenated
    >>> frames, lengths = to_concatenated([[[1]], [[2], [3]]])
    >>> frames.ravel(), lengths
    (array([1, 2, 3]), array([1, 2]))
    """
    sequences, _ = _read(X, "to_concatenated")
    return np.concatenate(_rows(sequences)), sequences.lengths.copy()


def _check_lengths(lengths: Any, n_frames: int) -> np.ndarray:
    if lengths is None:
        lengths = [n_frames]
    lengths = np.asarray(lengths)
    if lengths.ndim != 1:
        raise ValueError(
            "lengths must be one-dimensional, a number of frames for each sequence. "
            f"Got shape {lengths.shape} instead."
        )
    if len(lengths) == 0:
        lengths = lengths.astype(int)
    if lengths.dtype.kind not in "iu":
        raise ValueError(
            f"lengths must be integers, but lengths[0] is {lengths[0]!r} of dtype "
            f"{lengths.dtype}. Convert them with .astype(int)."
        )
    if np.any(lengths < 1):
        i = int(np.argmax(lengths < 1))
        raise ValueError(
            f"Every sequence must have a frame, but lengths[{i}] is {lengths[i]}. "
            "Leave that sequence out."
        )
    if lengths.sum() != n_frames:
        raise ValueError(
            f"lengths must add up to the {n_frames} frames of X, but they add up to "
            f"{lengths.sum()}. Pass the lengths of exactly these sequences."
        )
    return lengths


# -- a long table -----------------------------------------------------------------


def from_long_frame(frame, id, time, features=None):
    """Gather the rows of a long table, one row a frame, into sequences.

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
        The columns that the frames are made of. None stands for all but `id` and
        `time`.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features), in the order in which
        their ids first appear.
    ids : ndarray of shape (n_samples,)
        The id of each sequence, to look up its label for one.

    Raises
    ------
    TypeError
        If `frame` is no table.
    ValueError
        If a column is unknown, not numeric or lacks a value, or if a sequence has two
        rows of the same time. The message names the column and the row.

    See Also
    --------
    to_long_frame : The way back.

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
    _check_table(frame, "frame")
    keys = [id] if time is None else [id, time]
    if features is None:
        features = [name for name in frame.columns if name not in keys]
    _check_columns(frame, "frame", keys)
    _check_columns(frame, "frame", features)
    for name in keys:
        _refuse_missing(frame, "frame", name, keys=[])
    matrix = _feature_matrix(frame, "frame", features, keys)
    codes, ids = _codes(frame[id].to_numpy())
    order = np.argsort(codes, kind="stable")
    if time is not None:
        order = _by_time(frame, keys, codes)
    counts = np.bincount(codes)
    return object_array(np.split(matrix[order], np.cumsum(counts)[:-1])), ids


def to_long_frame(
    X, ids=None, *, id="id", time="time", features=None, library="pandas"
):
    """Write all sequences into one long table, one row a frame.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.
    ids : array-like of shape (n_samples,), default=None
        What to call each sequence; no two alike. None numbers them from 0.
    id : str, default="id"
        Name of the column of ids.
    time : str, default="time"
        Name of the column that numbers the frames of a sequence from 0.
    features : list of str of length n_features, default=None
        Names of the columns of features. None takes those of a list of DataFrames,
        otherwise "x0", "x1" and so on.
    library : {"pandas", "polars"}, default="pandas"
        Whose table to make.

    Returns
    -------
    frame : DataFrame
        The rows of the first sequence, of the second, and so on.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        If two ids are alike, or two columns, or their numbers are wrong.

    See Also
    --------
    from_long_frame : The way back.

    Examples
    --------
    >>> from skseq.preprocessing import to_long_frame
    >>> to_long_frame([[[70], [90]], [[60]]], ids=["b", "a"], features=["pulse"])
      id  time  pulse
    0  b     0     70
    1  b     1     90
    2  a     0     60
    """
    tables = _table_library(library)
    sequences, names = _read(X, "to_long_frame")
    ids = _check_ids(ids, len(sequences))
    features = _check_names(features, names)
    _check_distinct([id, time, *features])
    frames = np.concatenate(_rows(sequences))
    times = np.concatenate([np.arange(n) for n in sequences.lengths])
    columns = {id: np.repeat(ids, sequences.lengths), time: times}
    return tables.DataFrame({**columns, **_named(frames, features)})


def _codes(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the ids as they first appear; return each row's number, and the ids."""
    numbers = {}
    codes = np.array([numbers.setdefault(i, len(numbers)) for i in ids.tolist()])
    return codes, ids[np.unique(codes, return_index=True)[1]]


def _by_time(frame: Any, keys: list, codes: np.ndarray) -> np.ndarray:
    """Order the rows by id and, within it, by time; refuse a time that comes twice."""
    times = frame[keys[1]].to_numpy()
    order = _sorted(times, keys[1])
    order = order[np.argsort(codes[order], kind="stable")]
    same_id = np.diff(codes[order]) == 0
    is_twice = same_id & (times[order][1:] == times[order][:-1])
    if is_twice.any():
        row = order[int(np.argmax(is_twice))]
        raise ValueError(
            f"A sequence must have one row a time, but {_place(frame, keys, row)} "
            f"there are several ({is_twice.sum()} row(s) too many in all). Drop them, "
            "or take their mean by grouping."
        )
    return order


def _sorted(times: np.ndarray, name: Any) -> np.ndarray:
    is_object = times.dtype.kind == "O"
    if is_object and any(isinstance(time, str) for time in times):
        raise ValueError(
            f"Column {name!r} is text, whose order need not be that of time. Convert "
            f"it to numbers or dates: pandas.to_datetime(frame[{name!r}]), or pass "
            "time=None where the rows are in order already."
        )
    try:
        return np.argsort(times, kind="stable")
    except TypeError as error:
        raise ValueError(
            f"Column {name!r} must hold values that have an order: {error}. Convert "
            "them, or pass time=None where the rows are in order already."
        ) from error


def _check_ids(ids: Any, n_samples: int) -> np.ndarray:
    if ids is None:
        return np.arange(n_samples)
    ids = np.asarray(ids) if np.ndim(ids) == 1 else object_array(ids)
    check_n_samples("ids", len(ids), n_samples)
    _, distinct = _codes(ids)
    if len(distinct) < len(ids):
        raise ValueError(
            f"ids must tell the sequences apart, but {len(ids)} sequences have only "
            f"{len(distinct)} different ids."
        )
    return ids


# -- a table for each sequence ----------------------------------------------------


def from_data_frames(frames, features=None):
    """Turn tables, one for each sequence, into arrays of the same columns.

    A list of numeric tables with equal columns needs no conversion: it serves as `X` as
    it is. This chooses columns, by their names wherever they stand.

    Parameters
    ----------
    frames : collection of DataFrame
        Tables of pandas or polars, one row a frame.
    features : list of str, default=None
        The columns that the frames are made of. None stands for all those of the first
        table, which the others must have too.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features), in the order of
        `frames`.

    Raises
    ------
    TypeError
        If one of `frames` is no table.
    ValueError
        If a column is unknown, not numeric or lacks a value, or if a table has no rows.

    See Also
    --------
    to_data_frames : The way back.

    Examples
    --------
    >>> import pandas as pd
    >>> from skseq.preprocessing import from_data_frames
    >>> frames = [pd.DataFrame({"who": ["Ada"], "pulse": [60]})]
    >>> from_data_frames(frames, features=["pulse"])[0]
    array([[60]])
    """
    if hasattr(frames, "columns"):
        raise TypeError("frames must be a collection of tables. Did you mean [frames]?")
    frames = list(frames)
    for i, frame in enumerate(frames):
        _check_table(frame, f"frames[{i}]")
    if features is None and frames:
        features = list(frames[0].columns)
        for i, frame in enumerate(frames):
            _refuse_other_columns(frame, f"frames[{i}]", features)
    for i, frame in enumerate(frames):
        _check_columns(frame, f"frames[{i}]", features)
    return object_array(
        _feature_matrix(frame, f"frames[{i}]", features, keys=[])
        for i, frame in enumerate(frames)
    )


def to_data_frames(X, *, features=None, library="pandas"):
    """Write each sequence into a table of its own, one row a frame.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.
    features : list of str of length n_features, default=None
        Names of the columns. None takes those of a list of DataFrames, otherwise "x0",
        "x1" and so on.
    library : {"pandas", "polars"}, default="pandas"
        Whose tables to make.

    Returns
    -------
    frames : list of DataFrame
        Such a list serves as `X` everywhere.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        If the number of names is wrong or two are alike.

    See Also
    --------
    from_data_frames : The way back.

    Examples
    --------
    >>> from skseq.preprocessing import to_data_frames
    >>> to_data_frames([[[60, 36.5]]], features=["pulse", "temperature"])[0]
       pulse  temperature
    0   60.0         36.5
    """
    tables = _table_library(library)
    sequences, names = _read(X, "to_data_frames")
    features = _check_names(features, names)
    _check_distinct(features)
    return [tables.DataFrame(_named(frames, features)) for frames in _rows(sequences)]


def _refuse_other_columns(frame: Any, where: str, features: list) -> None:
    more = [name for name in frame.columns if name not in features]
    if more:
        raise ValueError(
            f"{where} has columns {more} that frames[0] has not. Choose the columns "
            "with features=[...]."
        )


# -- an array padded with NaN -----------------------------------------------------


def from_nan_padded(X):
    """Take the NaN padding off an array of sequences, as tslearn keeps them.

    A three-dimensional array needs no conversion: it serves as `X` as it is. A
    two-dimensional one, of univariate series of different length, does.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_frames, n_features) or (n_samples, n_frames)
        Sequences. The last frames of a sequence, as far as they are NaN throughout, are
        padding.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features) or (n_frames,): views
        of `X`.

    Raises
    ------
    ValueError
        If the array has another number of dimensions, or a sequence is all padding.

    See Also
    --------
    to_nan_padded : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.preprocessing import from_nan_padded
    >>> X = from_nan_padded([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]])
    >>> X[0], X[1]
    (array([1., 2., 3.]), array([4.]))
    """
    array = np.asarray(X)
    if array.ndim not in (2, 3):
        raise ValueError(
            "X must have shape (n_samples, n_frames, n_features) or (n_samples, "
            f"n_frames). Got shape {array.shape} instead."
        )
    check_dtype(array.dtype, "X")
    lengths = [n_real_frames(as_frames(frames)) for frames in array]
    if 0 in lengths:
        i = lengths.index(0)
        raise ValueError(
            f"Every sequence must have a frame, but X[{i}] is padding throughout. "
            "Leave it out."
        )
    return object_array(x[:n] for x, n in zip(array, lengths, strict=True))


def to_nan_padded(X):
    """Put all sequences into one array, the shorter ones padded with NaN at their end.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.

    Returns
    -------
    padded : ndarray of shape (n_samples, n_most_frames, n_features)
        Of floats that hold the numbers of `X`.

    Raises
    ------
    ValueError
        If the last frame of a sequence is NaN throughout, as padding is.

    See Also
    --------
    from_nan_padded : The way back.

    Examples
    --------
    >>> from skseq.preprocessing import to_nan_padded
    >>> to_nan_padded([[[1], [2]], [[3]]])[..., 0]
    array([[ 1.,  2.],
           [ 3., nan]])
    """
    sequences, _ = _read(X, "to_nan_padded")
    rows = _rows(sequences)
    shape = len(rows), int(sequences.lengths.max()), sequences.n_features
    dtype = np.result_type(np.float16, *{frames.dtype for frames in rows})
    padded = np.full(shape, np.nan, dtype=dtype)
    for i, frames in enumerate(rows):
        if n_real_frames(frames) < len(frames):
            raise ValueError(
                f"The last frame of X[{i}] is NaN throughout and could not be told "
                "from padding. Fill or drop it."
            )
        padded[i, : len(frames)] = frames
    return padded


# -- a ragged tensor --------------------------------------------------------------


def from_ragged_tensor(tensor):
    """Take a ragged tensor of TensorFlow apart into arrays.

    Estimators take a ragged tensor as it is. scikit-learn's tools, which choose among
    the samples, do not.

    Parameters
    ----------
    tensor : tf.RaggedTensor of shape (n_samples, None, n_features) or (n_samples, None)
        Sequences. The features may be a ragged dimension too, if every frame has as
        many.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features) or (n_frames,), in the
        order of `tensor`.

    Raises
    ------
    TypeError
        If `tensor` is no ragged tensor.
    ValueError
        If its frames have different numbers of features.

    See Also
    --------
    to_ragged_tensor : The way back.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from skseq.preprocessing import from_ragged_tensor
    >>> from_ragged_tensor(tf.ragged.constant([[1, 2], [3]])).tolist()
    [array([1, 2], dtype=int32), array([3], dtype=int32)]
    """
    if not hasattr(tensor, "row_splits"):
        raise TypeError(
            f"tensor must be a tf.RaggedTensor. Got {type(tensor).__name__} instead."
        )
    return object_array(ragged_rows(tensor, "tensor"))


def to_ragged_tensor(X):
    """Put all sequences into one ragged tensor of TensorFlow.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.

    Returns
    -------
    tensor : tf.RaggedTensor of shape (n_samples, None, n_features)
        Of the dtype of the sequences.

    Raises
    ------
    ValueError, TypeError
        If a sequence cannot be used; the message names it.

    See Also
    --------
    from_ragged_tensor : The way back.

    Examples
    --------
    >>> from skseq.preprocessing import to_ragged_tensor
    >>> to_ragged_tensor([[[1], [2]], [[3]]]).shape
    TensorShape([2, None, 1])
    """
    sequences, _ = _read(X, "to_ragged_tensor")
    frames = np.concatenate(_rows(sequences))
    tensors = _import("tensorflow").RaggedTensor
    return tensors.from_row_lengths(frames, sequences.lengths)


# -- what they share --------------------------------------------------------------


def _read(X: Any, reader: str) -> tuple[Sequences, list]:
    """Read X, whatever its form, for a function; return the names of features too."""
    estimator = type(reader, (BaseEstimator,), {})()
    sequences = check_sequences(estimator, X, reset=True, check_finite=False)
    names = [f"x{i}" for i in range(sequences.n_features)]
    if sequences.layout == "sequences":
        names = list(getattr(estimator, "feature_names_in_", names))
    return sequences, names


def _rows(sequences: Sequences) -> list[np.ndarray]:
    return [sequences[i] for i in range(len(sequences))]


def _import(library: str) -> Any:
    try:
        return import_module(library)
    except ImportError as error:
        wanted = EXTRAS.get(library, library)
        raise ImportError(
            f"This needs {library}, which cannot be imported. Install it with: "
            f"pip install {wanted}"
        ) from error


def _table_library(library: Any) -> Any:
    if library not in TABLE_LIBRARIES:
        raise ValueError(
            f"library must be one of {list(TABLE_LIBRARIES)}. Got {library!r} instead."
        )
    return _import(library)


def _named(frames: np.ndarray, features: Sequence) -> dict:
    return {name: frames[:, j] for j, name in enumerate(features)}


def _check_names(features: Any, default: list) -> list:
    if features is None:
        return default
    features = [features] if isinstance(features, str) else list(features)
    if len(features) != len(default):
        raise ValueError(
            f"features must name each of the {len(default)} features of X. Got "
            f"{len(features)} names instead: {features}."
        )
    return features


def _check_distinct(names: Sequence, where: str = "The table") -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{where} would have two columns {name!r}. Rename one.")
        seen.add(name)


def _check_table(frame: Any, where: str) -> None:
    if hasattr(frame, "collect_schema") and not hasattr(frame, "to_numpy"):
        raise TypeError(f"{where} is a lazy table. Pass {where}.collect().")
    if not hasattr(frame, "columns") or not hasattr(frame, "to_numpy"):
        raise TypeError(
            f"{where} must be a DataFrame of pandas or polars. Got "
            f"{type(frame).__name__} instead."
        )
    if len(frame) == 0:
        raise ValueError(f"{where} has no rows; a sequence must have a frame.")


def _check_columns(frame: Any, where: str, names: Sequence) -> None:
    """Refuse columns that are not there, or that a name does not tell apart."""
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
    _check_distinct(names, "A sequence")


def _column_hint(frame: Any, where: str, name: Any, columns: list) -> str:
    if name in getattr(getattr(frame, "index", None), "names", ()):
        return f" It is in the index: pass {where}.reset_index()."
    close = difflib.get_close_matches(str(name), map(str, columns), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _feature_matrix(
    frame: Any, where: str, features: Sequence, keys: list
) -> np.ndarray:
    """Put columns of numbers side by side, (n_rows, n_features)."""
    if not len(features):
        raise ValueError(f"{where} has no columns left for the features of a frame.")
    for name in features:
        _refuse_other_than_numbers(frame, where, name)
        _refuse_missing(frame, where, name, keys)
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
            f"{column.dtype}. Encode it as numbers, or leave it out: "
            "features=[...]."
        )


def _refuse_missing(frame: Any, where: str, name: Any, keys: list) -> None:
    missing = _is_missing(frame[name])
    if missing.any():
        row = int(np.argmax(missing))
        raise ValueError(
            f"Column {name!r} of {where} lacks {missing.sum()} value(s), the first "
            f"{_place(frame, keys, row)}. Fill them or drop these rows."
        )


def _place(frame: Any, keys: list, row: int) -> str:
    """Say which row is meant, by its id and time if it has them."""
    if not keys:
        return f"in row {row}"
    values = [frame[key].to_numpy()[row] for key in keys]
    shown = [repr(v) if isinstance(v, str) else str(v) for v in values]
    pairs = zip(keys, shown, strict=True)
    return "where " + " and ".join(f"{key} is {value}" for key, value in pairs)


def _is_missing(column: Any) -> np.ndarray:
    """Tell the missing values of a column, of pandas or polars, NaN among them."""
    if hasattr(column, "isna"):
        return column.isna().to_numpy()
    missing = column.is_null()
    if column.dtype.is_float():
        missing = missing | column.is_nan().fill_null(True)
    return missing.to_numpy()


def _numbers(column: Any) -> np.ndarray:
    values = column.to_numpy()
    return values.astype(np.float64) if values.dtype.kind == "O" else values
