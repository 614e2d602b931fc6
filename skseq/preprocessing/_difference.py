"""Takes frames to their changes and back. Knows nothing of what a frame means."""

from collections.abc import Callable

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_consistent_length

from skseq._data.sequences import Sequences, check_sequences
from skseq._parameters import BOOLEAN, POSITIVE_INT, check_parameters
from skseq._wording import counted
from skseq.preprocessing._pieces import Changes
from skseq.preprocessing._transformer import (
    SequenceTransformer,
    float_type,
    like_input,
)


class FrameDifference(SequenceTransformer):
    """Replace the frames by the changes from frame to frame.

    With `keep_first`, frame 0 is its change from zero, so that the lengths stay as they
    are and a cumulative sum restores the frames.

    Parameters
    ----------
    order : int, default=1
        How many times the difference is taken. 2 gives the changes of the changes,
        which removes a steady slope.
    keep_first : bool, default=True
        Whether the result has one row per frame. Otherwise the first `order` rows,
        which are not changes between frames, are dropped, and `inverse_transform` needs
        the frames they came from.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a frame; for a 2-D `X`, its number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,), dtype=object
        Names of the features; exists only if `X` has column names that are all str.

    Examples
    --------
    >>> from skseq.preprocessing import FrameDifference
    >>> difference = FrameDifference()
    >>> changes = difference.fit_transform([[[5.0], [7.0], [4.0]]])
    >>> changes[0].ravel()
    array([ 5.,  2., -3.])
    >>> difference.inverse_transform(changes)[0].ravel()
    array([5., 7., 4.])
    """

    def __init__(self, *, order: int = 1, keep_first: bool = True):
        self.order = order
        self.keep_first = keep_first

    @np.errstate(under="ignore")
    def inverse_transform(self, X, first=None):
        """Restore the frames by adding up their changes.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Changes, as `transform` returns them.
        first : collection of array-like of shape (order, n_features), default=None
            The first `order` frames of each original sequence. Required when
            `keep_first` is False, and only then.

        Returns
        -------
        X_original : ndarray of shape (n_samples,)
            An object array of arrays of shape (n_frames, n_features), or a 3-D or 2-D
            array as from `transform`: the frames, exact for integers that their floats
            can hold, otherwise up to rounding.

        Raises
        ------
        ValueError
            If `first` is missing, superfluous or of another shape.
        """
        self._mapping()
        if (first is None) != self.keep_first:
            need = "not be given" if self.keep_first else "hold the first frames"
            raise ValueError(f"first must {need} when keep_first={self.keep_first}.")
        changes = check_sequences(clone(self), X, reset=True)
        rows = [changes[i] for i in range(len(changes))]
        if first is not None:
            kept = self._check_first(first, changes)
            rows = [
                np.concatenate([_difference(kept[i], self.order), x])
                for i, x in enumerate(rows)
            ]
        return like_input([_accumulate(x, self.order) for x in rows], X, changes)

    def _mapping(self) -> Callable[[int, np.ndarray], np.ndarray]:
        check_parameters(self, {"order": POSITIVE_INT, "keep_first": BOOLEAN})
        return self._difference

    def _piecewise(self) -> Changes:
        self._mapping()
        return Changes(self.order, self.keep_first)

    def _difference(self, index: int, frames: np.ndarray) -> np.ndarray:
        if not self.keep_first and len(frames) <= self.order:
            raise ValueError(
                f"X[{index}] has {counted(len(frames), 'frame')}, too few for a "
                f"difference of order={self.order}, which needs at least "
                f"{self.order + 1}. Drop "
                f"X[{index}] or set keep_first=True."
            )
        changes = _difference(frames, self.order)
        return changes if self.keep_first else changes[self.order :]

    def _check_first(self, first: object, changes: Sequences) -> Sequences:
        first = check_sequences(clone(self), first, reset=True)
        check_consistent_length(first, changes)
        need = (self.order, changes.n_features)
        for i, n_frames in enumerate(first.lengths):
            if (n_frames, first.n_features) != need:
                raise ValueError(
                    f"first[{i}] must have shape {need}, as the first frames of its "
                    f"sequence. Got {(int(n_frames), first.n_features)} instead."
                )
        return first


def _difference(frames: np.ndarray, order: int) -> np.ndarray:
    """Take differences down the rows; the row before the first is zero."""
    frames = frames.astype(float_type(frames))  # unsigned integers would wrap around
    zero = np.zeros_like(frames[:1])
    for _ in range(order):
        frames = np.diff(frames, axis=0, prepend=zero)
    return frames


def _accumulate(changes: np.ndarray, order: int) -> np.ndarray:
    """Undo `_difference`, in float64 so that the sums drift little."""
    frames = changes
    for _ in range(order):
        frames = np.cumsum(frames, axis=0, dtype=np.float64)
    return frames.astype(float_type(changes))
