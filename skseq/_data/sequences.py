"""Turns whatever a user holds as X into one canonical collection of frame sequences.

`check_sequences` checks all of it; `Sequences` then reads it, one sequence at a time.
Knows nothing of Keras.
"""

import copy
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from skseq._data.collections import as_collection
from skseq._data.frames import (
    as_array,
    as_frames,
    check_unmasked,
    column_names,
    fits_float32,
    n_real_frames,
    refuse_value,
)
from skseq._data.matrix import check_matrix, is_matrix
from skseq._data.terms import FRAMES, Terms
from skseq._parameters import ABSENT, POSITIVE_INT, Kind, OneOf
from skseq._wording import counted


def _are_names(value) -> bool:
    """Whether a value is what scikit-learn keeps of column names."""
    is_array = isinstance(value, np.ndarray) and value.dtype == object
    return is_array and all(isinstance(name, str) for name in value)


# What `check_sequences` learns on an estimator.
FITTED_X = {
    "n_features_in_": POSITIVE_INT,
    "feature_names_in_": (Kind(_are_names, "an array of str"), ABSENT),
    "_X_layout": OneOf(["matrix", "sequences"]),
}


@dataclass(frozen=True, eq=False)
class Sequences:
    """A checked, read-only collection of frame sequences.

    Nothing is copied: a sequence that is an ndarray already is handed out as a
    read-only view of it, and a lazy source is asked again at every access.

    Parameters
    ----------
    source : list of ndarray, ndarray or object with ``__len__`` and ``__getitem__``
        Where the sequences are read from. Trailing frames of a three-dimensional
        source, past the length of their sequence, are padding.
    lengths : ndarray of shape (n_samples,), dtype int64
        Frames of each sequence.
    n_features : int
        Features of a frame.
    layout : {"matrix", "sequences"}
        "matrix" if X was a two-dimensional array, each of whose rows is a univariate
        sequence.
    positions : ndarray of shape (n_samples,) or None, default=None
        Where each sequence stands in `source`; None stands for all, in order.
    is_live : bool, default=False
        Whether the values may have changed since they were checked, so that each
        sequence is checked again whenever it is read.
    terms : Terms, default=FRAMES
        What messages call the sequences.
    """

    source: Any = field(repr=False)
    lengths: np.ndarray = field(repr=False)
    n_features: int
    layout: str
    positions: np.ndarray | None = field(default=None, repr=False)
    is_live: bool = False
    terms: Terms = FRAMES

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, i):
        """Return sequence `i`, an array of shape (n_frames, n_features)."""
        i = range(len(self))[i]
        position = i if self.positions is None else int(self.positions[i])
        item = item_of(self.source, position)
        frames = as_frames(as_array(item, f"X[{position}]", self.terms))
        if is_padded(self.source):
            frames = frames[: self.lengths[i]]
        if frames.shape != (self.lengths[i], self.n_features):
            raise ValueError(
                f"X[{position}] changed after it was checked: it had "
                f"{counted(self.lengths[i], 'frame')} of "
                f"{counted(self.n_features, 'feature')} and now "
                f"has {frames.shape[0]} of {frames.shape[1]}. X[i] must give the same "
                "sequence at every access."
            )
        if self.is_live and not fits_float32(frames):
            refuse_value(frames, f"X[{position}]", self.terms, column_names(item))
        frames = frames.view()
        frames.flags.writeable = False
        return frames

    def read(self, i):
        """Return what `made` needs of sequence `i`; this may use the user's objects."""
        return self[i]

    def made(self, i, read):
        """Return sequence `i`, of what `read` gave."""
        return read

    def in_epoch(self, seed, epoch, **conditions):
        """Return the sequences as they are to be trained on in one epoch."""
        return self

    def take(self, indices):
        """Return a subset that shares the source.

        Parameters
        ----------
        indices : array-like of int, array-like of bool or slice
            The sequences to keep, in the order wanted.

        Returns
        -------
        subset : Sequences
        """
        chosen = np.arange(len(self))[indices]
        positions = chosen if self.positions is None else self.positions[chosen]
        return replace(self, lengths=self.lengths[chosen], positions=positions)

    def fingerprint(self):
        """Return the CRC-32 of the lengths and of all values in single precision.

        Two collections with the same contents have the same fingerprint, whatever
        containers they came in.

        Returns
        -------
        fingerprint : int
        """
        crc = zlib.crc32(np.ascontiguousarray(self.lengths, dtype="<i8"))
        with np.errstate(over="ignore", under="ignore"):
            for i in range(len(self)):
                crc = zlib.crc32(np.ascontiguousarray(self[i], dtype="<f4"), crc)
        return crc


def item_of(source: Any, i: int) -> Any:
    """Read one item, without an exception that would silently end a loop."""
    try:
        return source[i]
    except StopIteration as stop:
        raise RuntimeError(f"X[{i}] raised StopIteration. Raise IndexError.") from stop


def is_padded(source: Any) -> bool:
    """Tell whether sequences of unequal length share one three-dimensional array."""
    return getattr(source, "ndim", None) == 3


@dataclass(frozen=True)
class _Frame:
    """What the frames of all sequences must have in common."""

    n_dims: int
    n_features: int
    columns: list | None


def _header(item: Any, frame: _Frame) -> Any:
    """Return no frames of this width, under the column names of a data frame."""
    if frame.columns is None:
        return np.empty((0, frame.n_features))
    return copy.deepcopy(item[:0])  # a view would keep the item of a lazy X alive


class Inspector:
    """Checks sequences one after another, and keeps nothing of them but their sizes."""

    def __init__(
        self, estimator_name: str, padded: bool, check_finite: bool, terms: Terms
    ):
        self.estimator_name = estimator_name
        self.padded = padded
        self.check_finite = check_finite
        self.terms = terms
        self.lengths = []
        self.first = None
        self.header = None

    def read(self, X: Any) -> Any:
        """Inspect all of X; return it, converted if it is in memory item by item."""
        if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1):
            return [self._inspect(item) for item in X]
        for i in range(len(X)):
            self._inspect(item_of(X, i))
        return X

    def _inspect(self, item: Any) -> np.ndarray:
        name = f"X[{len(self.lengths)}]"
        array = as_array(item, name, self.terms)
        frames = as_frames(array)
        if self.padded:
            frames = frames[: n_real_frames(frames)]
        self._check_size(frames, array.shape, name)
        frame = _Frame(array.ndim, frames.shape[1], column_names(item))
        if self.first is None:
            self.first, self.header = frame, _header(item, frame)
        elif frame != self.first:
            self._refuse(frame, len(frames), name)
        if self.check_finite and not fits_float32(frames):
            refuse_value(frames, name, self.terms, frame.columns)
        self.lengths.append(len(frames))
        return frames

    def _check_size(self, frames: np.ndarray, shape: tuple, name: str) -> None:
        for size, unit in zip(frames.shape, self.terms.units, strict=True):
            if size == 0:
                padding = ", all of it NaN padding" if 0 not in shape else ""
                raise ValueError(
                    f"{name} has 0 {unit}(s) (shape={shape}{padding}) while a minimum "
                    f"of 1 is required by {self.estimator_name}."
                )

    def _refuse(self, frame: _Frame, n_frames: int, name: str) -> None:
        first = self.first
        if frame.n_dims != first.n_dims:
            flat, deep = (name, "X[0]") if frame.n_dims == 1 else ("X[0]", name)
            raise ValueError(
                f"X mixes 1-D ({flat}) and 2-D ({deep}) {self.terms.item}s. "
                f"{self.terms.flat}"
            )
        if frame.n_features != first.n_features:
            raise ValueError(
                f"{name} has {self.terms.width(frame.n_features)}, but X[0] has "
                f"{first.n_features}.{self._transposing(frame, n_frames)}"
            )
        raise ValueError(
            f"{name} has columns {frame.columns or 'without names'}, but X[0] has "
            f"columns {first.columns or 'without names'}. All sequences must have the "
            "same columns in the same order."
        )

    def _transposing(self, frame: _Frame, n_frames: int) -> str:
        """Say which axis is which, where the shapes suggest that it is mistaken."""
        if n_frames == self.first.n_features:
            kind = self.terms.item.capitalize()
            return f" Is it transposed? {kind}s are {self.terms.shape}."
        if frame.n_dims == 1:
            return ""
        return self.terms.unlike(n_frames, set(self.lengths) == {n_frames})


def check_sequences(estimator, X, *, reset, check_finite=True, terms=FRAMES):
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
    terms : Terms, default=FRAMES
        What the errors call sequences and their axes.

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
            f"X is None; expected a list of {terms.shape} arrays, a 3-D array or a 2-D "
            "array."
        )
    X = as_collection(X, "X", f"{terms.item}s")
    check_unmasked(X, "X")
    _check_unpacked(X)
    if is_matrix(X):
        return _matrix_sequences(estimator, X, reset, check_finite, terms)
    return _check_collection(estimator, X, reset, check_finite, terms)


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


def _check_unpacked(X: Any) -> None:
    """Refuse what functions return that give more than sequences."""
    if not isinstance(X, tuple) or len(X) != 2:
        return
    holds_objects = isinstance(X[0], np.ndarray) and X[0].dtype.kind == "O"
    if not (isinstance(X[0], list) or holds_objects) or len(X[0]) == 0:
        return
    if getattr(X[0][0], "ndim", 0) > 1:
        raise ValueError(
            "X is a pair whose first item is a collection of sequences. Unpack it: "
            "X, ids = X."
        )


def _matrix_sequences(
    estimator: Any, X: Any, reset: bool, check_finite: bool, terms: Terms
) -> Sequences:
    matrix = check_matrix(estimator, X, reset, check_finite, terms)
    if reset:
        estimator._X_layout = "matrix"
    n_samples, n_frames = matrix.shape
    return Sequences(matrix, np.full(n_samples, n_frames, dtype=np.int64), 1, "matrix")


def _check_collection(
    estimator: Any, X: Any, reset: bool, check_finite: bool, terms: Terms
) -> Sequences:
    estimator_name = type(estimator).__name__
    n_dims = len(getattr(X, "shape", ()))
    if n_dims > 3:
        cure = f" X[0] has {n_dims - 1} dimensions; {terms.deep(np.shape(X)[1:])}"
        raise ValueError(
            f"Found array with dim {n_dims}, while dim <= 3 is required by "
            f"{estimator_name}.{cure}"
        )
    if len(X) == 0:
        raise ValueError(
            "Found array with 0 sample(s) (X is empty) while a minimum of 1 is "
            f"required by {estimator_name}."
        )
    fitted = not reset and hasattr(estimator, "n_features_in_")
    if fitted and getattr(estimator, "_X_layout", None) == "matrix":
        raise ValueError(
            f"{estimator_name} was fitted on a 2-D array but got {terms.item}s of "
            f"shape {terms.shape}. Pass a 2-D array of shape "
            f"(n_samples, {estimator.n_features_in_})."
        )
    inspector = Inspector(estimator_name, is_padded(X), check_finite, terms)
    source = inspector.read(X)
    if fitted:
        _check_width(estimator, inspector)
    if reset or fitted:
        validate_data(estimator, inspector.header, reset=reset, skip_check_array=True)
    if reset:
        estimator._X_layout = "sequences"
    return Sequences(
        source,
        np.array(inspector.lengths, dtype=np.int64),
        inspector.first.n_features,
        "sequences",
        is_live=check_finite and not isinstance(source, list | np.ndarray),
        terms=terms,
    )


def _check_width(estimator: Any, inspector: Inspector) -> None:
    """Compare the width of the frames with that in `fit`, where they have no names."""
    found, needed = inspector.first.n_features, estimator.n_features_in_
    if found == needed or hasattr(estimator, "feature_names_in_"):
        return
    terms, name = inspector.terms, type(estimator).__name__
    are_turned = set(inspector.lengths) == {needed}
    cure = terms.unlike(needed, True) if are_turned else terms.other_width
    raise ValueError(
        f"X has {terms.width(found)}, but {name} is expecting {terms.width(needed)} as "
        f"input.{cure}"
    )
