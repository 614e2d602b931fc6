"""Tells the lengths of sequences from the y of a fit.

Other libraries take concatenated frames and lengths where `fit` takes X and y. Knows
nothing of Keras.
"""

from typing import Any

import numpy as np

from skseq._data.collections import is_sized

# Below, labels can be the lengths of their sequences by chance.
_FEWEST = 3


def refuse_lengths(X, y):
    """Refuse frames of several sequences one below another, and their lengths as y.

    Parameters
    ----------
    X : object
        What the user passed as X, unchecked.
    y : object
        What the user passed as y, unchecked.

    Raises
    ------
    ValueError
        If `y` holds fewer positive integers than `X` has rows, and they add up to the
        number of its rows.
    """
    lengths = _as_lengths(y)
    if lengths is None or not is_sized(X):
        return
    n_rows = len(X)
    if len(lengths) < n_rows and sum(lengths) == n_rows:
        raise ValueError(
            f"y holds {len(lengths)} integer(s) that add up to the {n_rows} rows of X, "
            "as the lengths of concatenated sequences do. Cut X into sequences first, "
            "and pass labels, if any, as y: "
            "X = skseq.preprocessing.from_concatenated(X, lengths)."
        )


def refuse_own_lengths(frame_counts, y):
    """Refuse a y that holds nothing but the number of frames of each sequence.

    Parameters
    ----------
    frame_counts : ndarray of int of shape (n_samples,)
        Frames of each sequence of X.
    y : object
        What the user passed as labels, unchecked.

    Raises
    ------
    ValueError
        If there are at least three sequences, not all of one length, and each integer
        in `y` is the length of its sequence.
    """
    if len(frame_counts) < _FEWEST or np.ptp(frame_counts) == 0:
        return
    if _as_lengths(y) == frame_counts.tolist():
        raise ValueError(
            "y holds the lengths of the sequences: each y[i] is len(X[i]). A list of "
            "sequences needs no lengths (skseq.preprocessing.from_concatenated(X, "
            "lengths) makes one of concatenated frames); pass labels as y. If the "
            "lengths are the labels, pass them as strings, with target='single'."
        )


def _as_lengths(y: Any) -> list[int] | None:
    """Return y as positive integers, None if it holds anything else."""
    if not is_sized(y) or isinstance(y, str | bytes | dict | set):
        return None
    if hasattr(y, "shape"):
        return _of_array(y)
    if not all(isinstance(v, int | np.integer) and v is not True for v in y):
        return None
    return _positive([int(v) for v in y])


def _of_array(y: Any) -> list[int] | None:
    if len(y.shape) != 1 or not hasattr(y, "__array__"):
        return None
    array = np.asarray(y)
    return _positive(array.tolist()) if array.dtype.kind in "iu" else None


def _positive(integers: list[int]) -> list[int] | None:
    return integers if integers and min(integers) > 0 else None
