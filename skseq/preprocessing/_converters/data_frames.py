"""A table per sequence. Leaves columns and their values to `tables`."""

from typing import Any

from skseq._data.collections import object_array
from skseq.preprocessing._converters.libraries import table_library
from skseq.preprocessing._converters.sequences import read_sequences, rows_of
from skseq.preprocessing._converters.tables import (
    check_columns,
    check_distinct,
    check_names,
    check_table,
    feature_matrix,
    named_columns,
)


def from_data_frames(frames, features=None):
    """Turn tables, one per sequence, into arrays of the same columns.

    A list of numeric tables with equal columns needs no conversion: estimators take it
    as it is. This function chooses columns by name, in whatever order they stand.

    Parameters
    ----------
    frames : collection of DataFrame
        Tables of pandas or polars, one row per frame.
    features : list of str, default=None
        The columns of the features. None stands for all columns of the first table,
        which the others must have too.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features), in the order of
        `frames`.

    Raises
    ------
    TypeError
        If one of `frames` is not a table.
    ValueError
        If a column is unknown, not numeric or has missing values, or if a table has no
        rows.

    See Also
    --------
    to_data_frames : The inverse.

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
    named = {f"frames[{i}]": frame for i, frame in enumerate(frames)}
    for where, frame in named.items():
        check_table(frame, where)
    if features is None and named:
        features = list(named["frames[0]"].columns)
        for where, frame in named.items():
            _refuse_other_columns(frame, where, features)
    for where, frame in named.items():
        check_columns(frame, where, features)
    return object_array(
        feature_matrix(frame, where, features, keys=[])
        for where, frame in named.items()
    )


def to_data_frames(X, *, features=None, library="pandas"):
    """Write each sequence into a table of its own, one row per frame.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.
    features : list of str of length n_features, default=None
        Names of the columns. None takes those of a list of DataFrames, otherwise "x0",
        "x1" and so on.
    library : {"pandas", "polars"}, default="pandas"
        The library of the tables.

    Returns
    -------
    frames : list of DataFrame
        The tables. All estimators take such a list as `X`.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        If two names are equal, or their number is wrong.

    See Also
    --------
    from_data_frames : The inverse.

    Examples
    --------
    >>> from skseq.preprocessing import to_data_frames
    >>> to_data_frames([[[60, 36.5]]], features=["pulse", "temperature"])[0]
       pulse  temperature
    0   60.0         36.5
    """
    tables = table_library(library, "to_data_frames")
    sequences, names = read_sequences(X, "to_data_frames")
    features = check_names(features, names)
    check_distinct(features)
    return [
        tables.DataFrame(named_columns(frames, features))
        for frames in rows_of(sequences)
    ]


def _refuse_other_columns(frame: Any, where: str, features: list) -> None:
    more = [name for name in frame.columns if name not in features]
    if more:
        raise ValueError(
            f"{where} has columns {more} that frames[0] lacks. Choose the columns "
            "with features=[...]."
        )
