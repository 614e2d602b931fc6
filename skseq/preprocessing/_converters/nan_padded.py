"""One array, in which short sequences are padded with NaN, as tslearn keeps them."""

import numpy as np

from skseq._data.collections import array_of, object_array
from skseq._data.frames import as_frames, check_dtype, n_real_frames
from skseq.preprocessing._converters.sequences import read_sequences, rows_of


def from_nan_padded(X):
    """Remove the NaN padding from an array of sequences, the form of tslearn.

    A three-dimensional array needs no conversion: estimators take it as it is. A
    two-dimensional one, of univariate series of different lengths, does.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_frames, n_features) or (n_samples, n_frames)
        Sequences. The frames at the end of a sequence that are all NaN are padding.

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
    to_nan_padded : The inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.preprocessing import from_nan_padded
    >>> X = from_nan_padded([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]])
    >>> X[0], X[1]
    (array([1., 2., 3.]), array([4.]))
    """
    array = array_of(X)
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
            f"Every sequence must have at least one frame, but X[{i}] is all padding. "
            "Leave it out."
        )
    return object_array(x[:n] for x, n in zip(array, lengths, strict=True))


def to_nan_padded(X):
    """Put all sequences into one array, and pad the shorter ones with NaN at the end.

    Parameters
    ----------
    X : collection of array-like of shape (n_frames, n_features)
        Sequences, in any of the accepted forms.

    Returns
    -------
    padded : ndarray of shape (n_samples, n_most_frames, n_features)
        The sequences, in a float type that holds the numbers of `X`.

    Raises
    ------
    ValueError
        If the last frame of a sequence is all NaN, as padding is.

    See Also
    --------
    from_nan_padded : The inverse.

    Examples
    --------
    >>> from skseq.preprocessing import to_nan_padded
    >>> to_nan_padded([[[1], [2]], [[3]]])[..., 0]
    array([[ 1.,  2.],
           [ 3., nan]])
    """
    sequences, _ = read_sequences(X, "to_nan_padded")
    rows = rows_of(sequences)
    shape = len(rows), int(sequences.lengths.max()), sequences.n_features
    dtype = np.result_type(np.float16, *{frames.dtype for frames in rows})
    padded = np.full(shape, np.nan, dtype=dtype)
    for i, frames in enumerate(rows):
        if n_real_frames(frames) < len(frames):
            raise ValueError(
                f"The last frame of X[{i}] is all NaN and could not be told from "
                "padding. Fill or drop it."
            )
        padded[i, : len(frames)] = frames
    return padded
