"""A ragged tensor of TensorFlow, which is imported only to make one."""

import numpy as np

from skseq._data.collections import object_array, ragged_rows
from skseq.preprocessing._converters.libraries import import_library
from skseq.preprocessing._converters.sequences import read_sequences, rows_of


def from_ragged_tensor(tensor):
    """Split a ragged tensor of TensorFlow into arrays.

    Estimators take a ragged tensor as it is. scikit-learn's tools, which select
    samples, do not.

    Parameters
    ----------
    tensor : tf.RaggedTensor of shape (n_samples, None, n_features) or (n_samples, None)
        Sequences. The features may be a ragged dimension too, if all frames have
        equally many.

    Returns
    -------
    sequences : ndarray of shape (n_samples,)
        An object array of arrays of shape (n_frames, n_features) or (n_frames,), in the
        order of `tensor`.

    Raises
    ------
    TypeError
        If `tensor` is not a ragged tensor.
    ValueError
        If its frames have different numbers of features.

    See Also
    --------
    to_ragged_tensor : The inverse.

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
        The sequences, in their own dtype.

    Raises
    ------
    ValueError, TypeError
        If a sequence cannot be used; the message names it.

    See Also
    --------
    from_ragged_tensor : The inverse.

    Examples
    --------
    >>> from skseq.preprocessing import to_ragged_tensor
    >>> to_ragged_tensor([[[1], [2]], [[3]]]).shape
    TensorShape([2, None, 1])
    """
    sequences, _ = read_sequences(X, "to_ragged_tensor")
    frames = np.concatenate(rows_of(sequences))
    tensors = import_library("tensorflow").RaggedTensor
    return tensors.from_row_lengths(frames, sequences.lengths)
