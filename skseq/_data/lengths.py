"""Tells the lengths of sequences from the y of a fit.

Other libraries take concatenated frames and lengths where `fit` takes X and y. Knows
nothing of Keras.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from scipy import sparse as sp

from skseq._data.collections import is_sized
from skseq._warnings import warn
from skseq._wording import counted

# Below, labels can be the lengths of their sequences by chance.
_FEWEST = 3

# What gives the lengths of runs of ids, of numbers in order and of texts.
_COUNTS = "np.unique(y, return_counts=True)[1]"
_RUNS = "[len(list(run)) for _, run in itertools.groupby(y)]"

# A row of more numbers is not a frame of sensors, whatever y looks like.
_MOST_SENSORS = 8


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
        If `y` holds fewer integers than `X` has rows, and they are positive and add up
        to the number of its rows, or ascend to it, or from 0 to less.
    """
    lengths = _as_lengths(y, texts=True)
    if not lengths or sp.issparse(X) or not is_sized(X) or len(lengths) >= len(X):
        return
    n_rows = len(X)
    ascend = all(a < b for a, b in pairwise(lengths))
    if min(lengths) > 0 and sum(lengths) == n_rows:
        found, argument = "add up to", "lengths"
    elif lengths[-1] == n_rows and ascend:
        start = "" if lengths[0] == 0 else ", prepend=0"
        found, argument = "ascend to", f"np.diff(ends{start})"
    elif lengths[0] == 0 and ascend and len(lengths) >= _FEWEST:
        found, argument = "ascend from 0 within", "np.diff(starts, append=len(X))"
    else:
        return
    raise ValueError(
        f"y holds {counted(len(lengths), 'integer')} that {found} the "
        f"{counted(n_rows, 'row')} of X, as the lengths, starts or ends of "
        "concatenated sequences do. Cut X into sequences first, and pass labels, if "
        "any, as y: "
        f"X = skseq.preprocessing.from_concatenated(X, {argument})."
    )


def refuse_own_lengths(frame_counts, y):
    """Refuse a y that holds nothing but the number of frames of each sequence.

    Or that holds where each sequence starts or ends, one after another.

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
        in `y` is the length of its sequence, its start or its end.
    """
    if len(frame_counts) < _FEWEST or np.ptp(frame_counts) == 0:
        return
    ends = np.cumsum(frame_counts)
    found = _as_lengths(y, texts=False)
    for name, numbers, each in (
        ("lengths", frame_counts, "len(X[i])"),
        ("ends", ends, "the number of frames up to the end of X[i]"),
        ("starts", ends - frame_counts, "the number of frames before X[i]"),
    ):
        if found != numbers.tolist():
            continue
        raise ValueError(
            f"y holds the {name} of the sequences: each y[i] is {each}. A list of "
            "sequences needs no lengths (skseq.preprocessing.from_concatenated(X, "
            "lengths) makes one of concatenated frames); pass labels as y. If these "
            "numbers are the labels, pass them as strings, with target='single'."
        )


def warn_of_ids(n_columns, y):
    """Warn of a y that says of each row of X to which sequence it belongs.

    Parameters
    ----------
    n_columns : int
        Columns of a two-dimensional X, whose rows are to be sequences.
    y : object
        What the user passed as y, unchecked.

    Warns
    -----
    UserWarning
        If X has no more columns than sensors have readings, and `y` holds integers in
        ascending order, or texts one after another, three at least, each more than
        once, not all of them as often. Classes in order mostly come equally often, or
        are two.
    """
    if not 1 < n_columns <= _MOST_SENSORS:
        return
    ids = []
    for item in _items(y):
        ids.append(item if isinstance(item, str) else _as_length(item, False))
        if type(ids[-1]) is not type(ids[0]) or ids[-1] is None:
            return
    runs = [len(list(run)) for _, run in groupby(ids)]
    if len(runs) < 3 or min(runs) < 2 or len(set(runs)) == 1:
        return
    are_texts = isinstance(ids[0], str)  # "run 10" stands before "run 2"
    if len(set(ids)) != len(runs) or not (are_texts or ids == sorted(ids)):
        return
    warn(
        f"y holds {counted(len(runs), 'value')}, one after another, for the {len(ids)} "
        "rows of X, like ids that say which sequence each row belongs to. If they are, "
        "cut X into sequences, and pass labels, if any, one per sequence: "
        "X = skseq.preprocessing.from_concatenated("
        f"X, {_RUNS if are_texts else _COUNTS})."
    )


def has_entries(y: Any) -> bool:
    """Whether y, unchecked, is a collection of which len tells the entries."""
    is_other = isinstance(y, str | bytes | dict) or sp.issparse(y)
    return is_sized(y) and not is_other


def _items(y: Any) -> Iterator:
    """The entries of y, columns of one taken apart; none if it is not a collection."""
    if not has_entries(y) or not hasattr(y, "__getitem__"):
        return
    if hasattr(y, "shape"):
        is_array = hasattr(y, "__array__") and len(y.shape) in (1, 2)
        y = np.asarray(y).tolist() if is_array else [None]
    for i in range(len(y)):
        item = y[i]
        yield item[0] if isinstance(item, list | tuple) and len(item) == 1 else item


def _as_lengths(y: Any, *, texts: bool) -> list[int] | None:
    """Return y as integers from 0, whatever writes them; None if it is another."""
    lengths = []
    for item in _items(y):
        lengths.append(_as_length(item, texts))
        if lengths[-1] is None:
            return None
    return lengths


def _as_length(item: Any, texts: bool) -> int | None:
    if isinstance(item, str):
        return int(item) if texts and item.isdecimal() and len(item) < 10 else None
    if isinstance(item, np.integer | np.floating):
        item = item.item()  # half precision knows no bound
    if isinstance(item, bool) or not isinstance(item, int | float | np.floating):
        return None
    is_whole = 0 <= item < 2**63 and item == int(item)
    return int(item) if is_whole else None
