"""Turns whatever a user holds as X into one canonical collection of frame sequences.

Knows nothing of Keras.
"""

import numbers
import reprlib
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy import sparse as sp
from sklearn.utils.validation import check_array, validate_data

from skseq._frames import (
    LARGEST,
    check_dtype,
    check_unmasked,
    column_names,
    fits_float32,
)
from skseq._sequences import Inspector, Sequences, is_padded

__all__ = [
    "Sequences",
    "as_collection",
    "check_n_samples",
    "check_sample_weight",
    "check_sequences",
    "n_frame_features",
    "object_array",
    "ragged_rows",
]

# What `check_sequences` learns on an estimator.
FRAME_ATTRIBUTES = ("n_features_in_", "feature_names_in_", "_X_layout")
LAYOUTS = ("matrix", "sequences")

_MATRIX_DTYPES = [np.float64, np.float32]


def check_sequences(estimator, X, *, reset, check_finite=True):
    """Check X and view it as a collection of frame sequences.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator that X is for. Its name appears in the errors.
    X : array-like or object with ``__len__`` and ``__getitem__``
        A collection of (n_frames, n_features) or (n_frames,) sequences, a
        three-dimensional array whose trailing all-NaN frames are padding, or a
        two-dimensional array whose rows are univariate sequences. A list is converted
        once; any other collection is read one sequence at a time, here and again at
        every access.
    reset : bool
        True sets `n_features_in_`, `feature_names_in_` and the layout of X on the
        estimator, as `fit` does; False compares X with them, where they exist.
    check_finite : bool, default=True
        Whether to refuse NaN, infinity and what overflows in single precision.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If X, or one of its sequences, is of a kind that holds no sequence.
    ValueError
        If a sequence is empty, not numeric, not finite or unlike the others, or if X
        is unlike the X of `fit`. The message names the sequence.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> estimator = BaseEstimator()
    >>> X = check_sequences(estimator, [[[1, 2], [3, 4]], [[5, 6]]], reset=True)
    >>> X.lengths
    array([2, 1])
    >>> X[1]
    array([[5, 6]])
    >>> estimator.n_features_in_
    2
    """
    if X is None:
        raise ValueError(
            "X is None; expected a list of (n_frames, n_features) arrays, a 3-D array "
            "or a 2-D array."
        )
    X = as_collection(X, "X", "sequences")
    check_unmasked(X, "X")
    _check_unpacked(X)
    if _is_matrix(X):
        return _check_matrix(estimator, X, reset, check_finite)
    return _check_collection(estimator, X, reset, check_finite)


def n_frame_features(estimator):
    """Features of a frame: a 2-D X holds one in each column, a frame of its own.

    Parameters
    ----------
    estimator : BaseEstimator
        One that `check_sequences` has learnt on.

    Returns
    -------
    n_features : int
    """
    return 1 if estimator._X_layout == "matrix" else estimator.n_features_in_


def check_sample_weight(sample_weight, n_samples):
    """Check the weights of the samples.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        One finite, non-negative weight a sample, not all of them zero. A number stands
        for that weight on every sample, None for 1.
    n_samples : int
        Samples to be weighted.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,), dtype float64
        A new array.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, all are zero, or their number is wrong.

    Examples
    --------
    >>> check_sample_weight([1, 2], 2)
    array([1., 2.])
    """
    if sample_weight is None or isinstance(sample_weight, numbers.Number):
        weight = 1.0 if sample_weight is None else sample_weight
        sample_weight = np.full(n_samples, weight)
    weights = check_array(
        sample_weight,
        dtype=np.float64,
        ensure_2d=False,
        allow_nd=True,
        ensure_min_samples=0,
        copy=True,
        input_name="sample_weight",
    )
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array. "
            f"Expected either a scalar value or a 1D array of length {n_samples}."
        )
    check_n_samples("sample_weight", len(weights), n_samples)
    if np.any(weights < 0):
        i = int(np.argmax(weights < 0))
        raise ValueError(
            "Negative values in data passed to `sample_weight`: "
            f"sample_weight[{i}] is {weights[i]}."
        )
    if not np.any(weights):
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def check_n_samples(name: str, found: int, n_samples: int) -> None:
    """Refuse what does not have one entry a sample."""
    if found != n_samples:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"[{n_samples}, {found}]. {name} must have one entry for each sample of X."
        )


def object_array(items):
    """Put each item, whatever its shape, in one cell of an array.

    Parameters
    ----------
    items : iterable
        Items of equal shape stay separate too, as they do not in
        ``np.array(items, dtype=object)``.

    Returns
    -------
    array : ndarray of shape (n_items,), dtype object

    Examples
    --------
    >>> object_array([[1, 2], [3, 4]])
    array([list([1, 2]), list([3, 4])], dtype=object)
    """
    items = list(items)
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def as_collection(value: Any, name: str, content: str) -> Any:
    """Refuse what is no ordered collection; columns become lists, the rest stays."""
    if sp.issparse(value):  # asked first, as SciPy's DOK arrays are dicts
        raise TypeError(
            f"Sparse data was passed for {name}, but dense data is required. Use "
            "'.toarray()' to convert to a dense numpy array."
        )
    kind = type(value).__name__
    if isinstance(value, str | bytes):
        raise TypeError(
            f"{name} must be a collection of {content}, got a single {kind} "
            f"{reprlib.repr(value)}. Did you mean [{name}]?"
        )
    if isinstance(value, numbers.Number | type):
        raise TypeError(f"{name} must be a collection of {content}, got {value!r}.")
    if isinstance(value, Mapping | Set):
        raise TypeError(
            f"{name} must be an ordered collection of {content}, got {kind}."
        )
    if hasattr(value, "to_numpy") and len(getattr(value, "shape", ())) == 1:
        return list(value)  # a pandas Series, indexed, would look labels up
    if hasattr(value, "row_splits"):
        return ragged_rows(value, name)
    if hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return value
    if hasattr(value, "__array__"):
        return np.asarray(value)
    raise TypeError(
        f"{name} must have a length and be indexable, got {kind}. Convert it with "
        f"list({name})."
    )


def ragged_rows(tensor: Any, name: str) -> list[np.ndarray]:
    """Take a tf.RaggedTensor apart; TensorFlow need not be imported for that."""
    values = np.asarray(tensor.flat_values)
    splits, *inner = map(np.asarray, tensor.nested_row_splits)
    if len(inner) + values.ndim > 2:
        raise ValueError(
            f"Found a ragged tensor with dim {1 + len(inner) + values.ndim} ({name}), "
            "while dim <= 3 is required."
        )
    if inner:
        widths = np.diff(inner[0])
        width = _common_width(widths, splits, name)
        values = values.reshape(len(widths), width)
    return np.split(values, splits[1:-1]) if len(splits) > 1 else []


def _common_width(widths: np.ndarray, splits: np.ndarray, name: str) -> int:
    """Refuse frames of different numbers of features; return the number they share."""
    differs = widths != widths[:1]
    if differs.any():
        frame = int(np.argmax(differs))
        i = int(np.searchsorted(splits, frame, side="right")) - 1
        raise ValueError(
            f"Frame {frame - splits[i]} of {name}[{i}] has {widths[frame]} features, "
            f"but frame 0 of {name}[0] has {widths[0]}. All frames must have as many."
        )
    return int(widths[0]) if len(widths) else 1


def _is_matrix(X: Any) -> bool:
    """Tell whether X is for scikit-learn to check: two-dimensional, or mere numbers."""
    if hasattr(X, "shape"):
        n_dims = len(X.shape)
        return n_dims in (0, 2) or (n_dims == 1 and not _may_hold_sequences(X))
    if not isinstance(X, list | tuple) or len(X) == 0:
        return False
    return _are_numbers(X) or _is_rectangular(X)


def _is_rectangular(rows: list | tuple) -> bool:
    """Tell a nested list that is a matrix from one of ragged univariate sequences."""
    return (
        all(isinstance(row, list | tuple) for row in rows)
        and len({len(row) for row in rows}) == 1
        and all(_are_numbers(row) for row in rows)
    )


def _may_hold_sequences(X: Any) -> bool:
    """Tell whether the cells of a one-dimensional array can be sequences, or text."""
    kind = getattr(getattr(X, "dtype", None), "kind", None)  # no dtype: a memoryview
    return kind in ("O", "U", "S", "T") and not _are_numbers(X)


def _check_unpacked(X: Any) -> None:
    """Refuse what functions return that give more than sequences."""
    if not isinstance(X, tuple) or len(X) != 2:
        return
    holds_objects = isinstance(X[0], np.ndarray) and X[0].dtype.kind == "O"
    if not (isinstance(X[0], list) or holds_objects) or len(X[0]) == 0:
        return
    if getattr(X[0][0], "ndim", 0) > 1:
        raise ValueError(
            "X is a pair, the first of which is a collection of sequences. Unpack it: "
            "X, ids = X."
        )


def _are_numbers(values: Any) -> bool:
    return len(values) > 0 and all(isinstance(v, numbers.Number) for v in values)


def _check_matrix(estimator: Any, X: Any, reset: bool, check_finite: bool) -> Sequences:
    if isinstance(X, np.ndarray):
        _check_matrix_dtype(X.dtype)
    if np.ndim(X) == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead: X is {len(X)} numbers. Reshape "
            "your data: [X] is one sequence of one feature."
        )
    fitted_layout = None if reset else getattr(estimator, "_X_layout", None)
    if fitted_layout == "sequences" and np.ndim(X) == 2:
        _check_univariate(estimator)
    params = {"dtype": _MATRIX_DTYPES, "ensure_all_finite": check_finite}
    with _long_tables_explained(X):
        if reset or fitted_layout == "matrix":
            matrix = validate_data(estimator, X, reset=reset, **params)
        else:
            matrix = check_array(X, estimator=estimator, input_name="X", **params)
    if check_finite and not fits_float32(matrix):
        i, j = np.argwhere(np.abs(matrix) > LARGEST)[0]
        raise ValueError(
            f"Input X contains a value too large for dtype('float32') (X[{i}, {j}]). "
            "Rescale X."
        )
    if reset:
        estimator._X_layout = "matrix"
    n_samples, n_frames = matrix.shape
    return Sequences(matrix, np.full(n_samples, n_frames, dtype=np.int64), 1, "matrix")


@contextmanager
def _long_tables_explained(X: Any) -> Iterator[None]:
    """Say what to do with a table whose columns are more than numbers."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if column_names(X) is None or _is_numeric(X):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{error}. A row of a table is a sequence of numbers here. If it is a "
            "frame, cut the table into sequences: "
            "skseq.preprocessing.from_long_frame(X, id=..., time=...)."
        ) from error


def _is_numeric(table: Any) -> bool:
    try:
        np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _check_matrix_dtype(dtype: np.dtype) -> None:
    """Refuse what scikit-learn would cast, or fail to cast without a word of help."""
    if dtype.names is not None:
        raise ValueError(
            "Expected 2D array, got 1D array instead: X is a structured array. Convert "
            "it with numpy.lib.recfunctions.structured_to_unstructured(X)."
        )
    if dtype.kind in "mMV":
        check_dtype(dtype, "X")


def _check_univariate(estimator: Any) -> None:
    """Refuse rows, univariate sequences, where frames had several features."""
    if estimator.n_features_in_ != 1:
        raise ValueError(
            f"{type(estimator).__name__} was fitted on sequences of "
            f"{estimator.n_features_in_} features but got a 2-D X. Wrap a single "
            "sequence in a list: [X]."
        )


def _check_collection(
    estimator: Any, X: Any, reset: bool, check_finite: bool
) -> Sequences:
    estimator_name = type(estimator).__name__
    if len(getattr(X, "shape", ())) > 3:
        raise ValueError(
            f"Found array with dim {len(X.shape)}, while dim <= 3 is required by "
            f"{estimator_name}."
        )
    if len(X) == 0:
        raise ValueError(
            "Found array with 0 sample(s) (X is empty) while a minimum of 1 is "
            f"required by {estimator_name}."
        )
    fitted = not reset and hasattr(estimator, "n_features_in_")
    if fitted and getattr(estimator, "_X_layout", None) == "matrix":
        raise ValueError(
            f"{estimator_name} was fitted on a 2-D array but got sequences of shape "
            "(n_frames, n_features). Pass a 2-D array of shape "
            f"(n_samples, {estimator.n_features_in_})."
        )
    inspector = Inspector(estimator_name, is_padded(X), check_finite)
    source = inspector.read(X)
    if reset or fitted:
        validate_data(estimator, inspector.header, reset=reset, skip_check_array=True)
    if reset:
        estimator._X_layout = "sequences"
    lengths = np.array(inspector.lengths, dtype=np.int64)
    return Sequences(source, lengths, inspector.first.n_features, "sequences")
