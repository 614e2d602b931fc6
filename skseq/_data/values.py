"""Turns whatever a user holds as a y of numbers into one canonical form.

Values are those of sequences or those of frames. Knows nothing of Keras.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skseq._data.collections import as_collection, check_n_samples, tensor_values
from skseq._parameters import OneOf, check_value
from skseq._wording import counted

TARGETS = ("auto", "frame", "sequence")


@dataclass(frozen=True, eq=False)
class Values:
    """A checked y of numbers.

    Attributes
    ----------
    values : list of ndarray, dtype float64
        For each sample an array (n_outputs,), or (n_frames, n_outputs).
    is_per_frame : bool
        Whether there is one row of values per frame.
    is_flat : bool
        Whether the user gave plain numbers, not vectors of one.
    """

    values: list[np.ndarray]
    is_per_frame: bool
    is_flat: bool

    @property
    def n_outputs(self) -> int:
        return self.values[0].shape[-1]


def check_values(y, lengths, *, target, estimator_name) -> Values:
    """Check y and view it as the values of sequences, or of frames.

    Parameters
    ----------
    y : array-like or object with ``__len__`` and ``__getitem__``
        One number or vector per sample, or one number or vector per frame: an array of
        shape (n_samples,), (n_samples, n_outputs) or (n_samples, n_frames, n_outputs),
        or a collection of arrays of shape (n_frames,) or (n_frames, n_outputs).
    lengths : ndarray of int of shape (n_samples,)
        Frames of each sequence.
    target : {"auto", "frame", "sequence"}
        Which of both; "auto" takes what has as many entries as the sequence has frames,
        for every sample, for values of frames, if it is more than one number a sample.
    estimator_name : str
        Who asks for y if it is None.

    Returns
    -------
    values : Values

    Raises
    ------
    TypeError, ValueError
        If y is missing, is not made of finite real numbers, or does not match X.
    """
    check_value(estimator_name, "target", target, OneOf(TARGETS))
    if y is None:
        raise ValueError(
            f"This {estimator_name} estimator requires y to be passed, but the target "
            "y is None."
        )
    y = tensor_values(as_collection(y, "y", "numbers or arrays, one per sample"))
    if getattr(y, "shape", None) == ():
        raise TypeError(f"y must be a collection of numbers or arrays, got {y!r}.")
    check_n_samples("y", len(y), len(lengths))
    items = [_as_numbers(y[i], f"y[{i}]") for i in range(len(lengths))]
    _check_alike(items)
    n_axes = items[0].ndim
    if target == "auto":
        fits = n_axes and all(map(_are_equal, map(len, items), lengths.tolist()))
        target = "frame" if fits or n_axes == 2 else "sequence"
    if target == "frame":
        return _of_frames(items, lengths)
    return _of_sequences(items)


def _are_equal(a, b) -> bool:
    return a == b


def _as_numbers(item: Any, place: str) -> np.ndarray:
    """One entry of y, float64."""
    item = tensor_values(item)
    if hasattr(item, "to_numpy"):
        item = item.to_numpy()
    if item is None:
        raise ValueError(f"{place} is missing (None). Drop it, in X too.")
    try:
        array = np.asarray(item)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{place} is not a number or an array of numbers: {error}."
        ) from error
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {place}. Pass its real part.")
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{place} must hold numbers, got {array.dtype}. For classes, use "
            "SequenceClassifier, or SequenceTagger for one per frame."
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float64)
    if array.ndim > 2:
        raise ValueError(f"Found array with dim {array.ndim} ({place}), <= 2 expected.")
    if array.ndim and not array.size:
        raise ValueError(f"{place} is empty. Drop it, in X too.")
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = "".join(f"[{i}]" for i in wrong[0])
        kind = "NaN" if np.isnan(array[tuple(wrong[0])]) else "infinity"
        raise ValueError(f"Input y contains {kind}: {place}{where}. Fill or drop it.")
    return array


def _check_alike(items: list[np.ndarray]) -> None:
    for i, item in enumerate(items):
        if item.ndim != items[0].ndim:
            raise ValueError(
                f"y[{i}] has shape {item.shape}, but y[0] has shape {items[0].shape}. "
                "All samples must have the same number of axes."
            )


def _of_frames(items, lengths) -> Values:
    for i, (item, n_frames) in enumerate(zip(items, lengths.tolist(), strict=True)):
        if not item.ndim:
            raise ValueError(
                f'y[{i}] is one number, but target="frame" needs one per frame. Set '
                'target="sequence", or "auto".'
            )
        if len(item) != n_frames:
            raise ValueError(
                f"y[{i}] has {counted(len(item), 'value')} for "
                f"{counted(n_frames, 'frame')}. Pass one value or row of values per "
                'frame, or set target="sequence" for one vector per sequence.'
            )
    is_flat = items[0].ndim == 1
    values = [item[:, np.newaxis] if is_flat else item for item in items]
    _check_widths(values)
    return Values(values, True, is_flat)


def _of_sequences(items) -> Values:
    if items[0].ndim == 2:
        raise ValueError(
            f'y[0] has shape {items[0].shape}, but target="sequence" needs a number or '
            'a vector per sample. Set target="frame" for one row per frame.'
        )
    is_flat = items[0].ndim == 0
    values = [np.atleast_1d(item) for item in items]
    _check_widths(values)
    return Values(values, False, is_flat)


def _check_widths(values) -> None:
    width = values[0].shape[-1]
    for i, item in enumerate(values):
        if item.shape[-1] != width:
            raise ValueError(
                f"y[{i}] has {counted(item.shape[-1], 'output')}, but y[0] has "
                f"{width}. All samples must have the same number; for values of "
                "frames, there must be one for each frame of X."
            )
