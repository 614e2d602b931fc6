"""Holds a collection of frame sequences and reads it one sequence at a time.

Knows what the sequences of one collection must have in common, not what an estimator
was fitted on. Knows nothing of Keras.
"""

import copy
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skseq._frames import (
    as_array,
    as_frames,
    column_names,
    fits_float32,
    n_real_frames,
    refuse_value,
)


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
    """

    source: Any = field(repr=False)
    lengths: np.ndarray = field(repr=False)
    n_features: int
    layout: str
    positions: np.ndarray | None = field(default=None, repr=False)

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, i):
        """Return sequence `i`, an array of shape (n_frames, n_features)."""
        i = range(len(self))[i]
        position = i if self.positions is None else int(self.positions[i])
        frames = as_frames(as_array(self.source[position], f"X[{position}]"))
        if is_padded(self.source):
            frames = frames[: self.lengths[i]]
        if frames.shape != (self.lengths[i], self.n_features):
            raise ValueError(
                f"X[{position}] changed after it was checked: it had "
                f"{self.lengths[i]} frame(s) of {self.n_features} feature(s) and now "
                f"has {frames.shape[0]} of {frames.shape[1]}. X[i] must give the same "
                "sequence at every access."
            )
        frames = frames.view()
        frames.flags.writeable = False
        return frames

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
        return Sequences(
            self.source,
            self.lengths[chosen],
            self.n_features,
            self.layout,
            chosen if self.positions is None else self.positions[chosen],
        )

    def fingerprint(self):
        """Return the CRC-32 of the lengths and of all values in single precision.

        Two collections with the same contents have the same fingerprint, whatever
        containers they came in.

        Returns
        -------
        fingerprint : int
        """
        crc = zlib.crc32(np.ascontiguousarray(self.lengths, dtype="<i8"))
        with np.errstate(over="ignore"):
            for i in range(len(self)):
                crc = zlib.crc32(np.ascontiguousarray(self[i], dtype="<f4"), crc)
        return crc


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

    def __init__(self, estimator_name: str, padded: bool, check_finite: bool):
        self.estimator_name = estimator_name
        self.padded = padded
        self.check_finite = check_finite
        self.lengths = []
        self.first = None
        self.header = None

    def read(self, X: Any) -> Any:
        """Inspect all of X; return it, converted if it is in memory item by item."""
        if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1):
            return [self._inspect(item) for item in X]
        for i in range(len(X)):
            self._inspect(X[i])
        return X

    def _inspect(self, item: Any) -> np.ndarray:
        name = f"X[{len(self.lengths)}]"
        array = as_array(item, name)
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
            refuse_value(frames, name)
        self.lengths.append(len(frames))
        return frames

    def _check_size(self, frames: np.ndarray, shape: tuple, name: str) -> None:
        for size, unit in zip(frames.shape, ("frame", "feature"), strict=True):
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
                f"X mixes 1-D ({flat}) and 2-D ({deep}) sequences. Give a 1-D sequence "
                "its feature axis: x[:, np.newaxis]."
            )
        if frame.n_features != first.n_features:
            transposed = n_frames == first.n_features
            raise ValueError(
                f"{name} has {frame.n_features} features, but X[0] has "
                f"{first.n_features}."
                + " Is it transposed? Sequences are (n_frames, n_features)."
                * transposed
            )
        raise ValueError(
            f"{name} has columns {frame.columns or 'without names'}, but X[0] has "
            f"columns {first.columns or 'without names'}. All sequences must have the "
            "same columns in the same order."
        )
