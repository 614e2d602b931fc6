"""Tells ordered collections from other objects, and makes arrays of any items.

Knows nothing of what a collection holds, nor of Keras.
"""

import numbers
import reprlib
from collections.abc import Mapping, Set, Sized
from typing import Any

import numpy as np
from scipy import sparse as sp

from skseq._data.arrow import arrow_items, is_table, refuse_table
from skseq._wording import counted


def check_n_samples(name: str, found: int, n_samples: int) -> None:
    """Refuse what does not have one entry per sample."""
    if found != n_samples:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"[{n_samples}, {found}]. {name} must have one entry per sample."
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


def array_of(values):
    """Return values as NumPy does, but as objects where it finds no type or shape.

    Parameters
    ----------
    values : array-like

    Returns
    -------
    array : ndarray
    """
    try:
        return np.asarray(values)
    except ValueError:  # text beside bytes, or items of several shapes
        return object_array(values)


def as_collection(value: Any, name: str, content: str) -> Any:
    """Refuse what is not an ordered collection; columns become lists."""
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
    if kind == "LazyFrame":
        raise TypeError(f"{name} is a LazyFrame. Pass {name}.collect().")
    if kind in ("DataFrameGroupBy", "SeriesGroupBy", "GroupBy"):
        raise TypeError(
            f"{name} is a {kind}, whose items are pairs. Pass the groups alone: "
            f"[group for _, group in {name}]."
        )
    _check_ordered(value, name, content)
    if hasattr(value, "to_numpy") and len(getattr(value, "shape", ())) == 1:
        return list(value)  # a pandas Series, indexed, would look labels up
    if hasattr(value, "row_splits"):
        return ragged_rows(value, name)
    if hasattr(value, "to_pylist"):
        return arrow_items(value, name)
    if hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return value
    if hasattr(value, "__array__"):
        return np.asarray(value)
    raise TypeError(
        f"{name} must have a length and be indexable, got {kind}. Convert it with "
        f"list({name})."
    )


def _check_ordered(value: Any, name: str, content: str) -> None:
    """Refuse a set, and what keeps its items by name: a dict, a group, a table."""
    is_set = isinstance(value, Set)
    is_group = hasattr(value, "keys") and not hasattr(value, "shape")  # of zarr
    if is_set or is_group or isinstance(value, Mapping):
        cure = f" Pass the items in an order: [{name}[key] for key in sorted({name})]."
        raise TypeError(
            f"{name} must be an ordered collection of {content}, got "
            f"{type(value).__name__}.{'' if is_set else cure}"
        )
    if is_table(value):
        refuse_table(value, name)


def is_sized(value: Any) -> bool:
    """Tell whether a value has a length, which neither a class nor a 0-D array has."""
    return isinstance(value, Sized) and getattr(value, "shape", None) != ()


def tensor_values(tensor: Any) -> Any:
    """Turn a tensor into an array or a scalar, and the bytes that it keeps into text.

    Anything else stays as it is.
    """
    if not callable(getattr(tensor, "numpy", None)) or not hasattr(tensor, "__array__"):
        return tensor
    array = np.asarray(tensor)
    if array.dtype.kind == "O":
        texts = [v.decode() if isinstance(v, bytes) else v for v in array.ravel()]
        array = np.array(texts).reshape(array.shape)
    return array[()]


def unwrapped(value: Any, name: str) -> Any:
    """Take columns, tensors and arrays of other libraries out of their wrapping.

    Anything else stays as it is.
    """
    if hasattr(value, "row_splits"):
        return ragged_rows(value, name)
    if hasattr(value, "to_pylist"):
        return arrow_items(value, name)
    value = tensor_values(value.to_numpy() if hasattr(value, "to_numpy") else value)
    is_wrapping = hasattr(value, "__array__") and not isinstance(value, Sized)
    return np.asarray(value) if is_wrapping else value


def ragged_rows(tensor: Any, name: str) -> list[np.ndarray]:
    """Take a tf.RaggedTensor apart; TensorFlow need not be imported for that."""
    values = tensor_values(tensor.flat_values)
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
            f"Frame {frame - splits[i]} of {name}[{i}] has "
            f"{counted(widths[frame], 'feature')}, but frame 0 of {name}[0] has "
            f"{widths[0]}. All frames must have the same number."
        )
    return int(widths[0]) if len(widths) else 1
