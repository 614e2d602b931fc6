"""Frames one after another with the lengths of the sequences, as hmmlearn keeps them.

Knows nothing of tables.
"""

from typing import Any

import numpy as np

from skseq._data.collections import array_of, object_array
from skseq._data.frames import as_array
from skseq._wording import counted
from skseq.preprocessing._converters.sequences import read_sequences, rows_of


def from_concatenated(X, lengths=None):
    """Cut concatenated frames, the form of hmmlearn, into sequences.

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
    to_concatenated : The inverse.

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
    """Concatenate the frames of all sequences, the form of hmmlearn.

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
    from_concatenated : The inverse.

    Examples
    --------
    >>> from skseq.preprocessing import to_concatenated
    >>> frames, lengths = to_concatenated([[[1]], [[2], [3]]])
    >>> frames.ravel(), lengths
    (array([1, 2, 3]), array([1, 2]))
    """
    sequences, _ = read_sequences(X, "to_concatenated")
    return np.concatenate(rows_of(sequences)), sequences.lengths.copy()


def _check_lengths(lengths: Any, n_frames: int) -> np.ndarray:
    if lengths is None:
        lengths = [n_frames]
    lengths = array_of(lengths)
    if lengths.ndim != 1:
        raise ValueError(
            "lengths must be one-dimensional, one number of frames per sequence. Got "
            f"shape {lengths.shape} instead."
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
            f"Every sequence must have at least one frame, but lengths[{i}] is "
            f"{lengths[i]}. Leave that sequence out."
        )
    if lengths.sum() != n_frames:
        raise ValueError(
            f"lengths must add up to the {counted(n_frames, 'frame')} of X, but they "
            f"add up to {lengths.sum()}. Pass the lengths of exactly these sequences."
        )
    return lengths
