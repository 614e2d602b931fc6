"""Transforms sequences one by one, and gives the results in the form of X.

Knows nothing of what is done to a sequence.
"""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from skseq._data.collections import object_array
from skseq._data.sequences import Sequences
from skseq._data.suspicions import check_learnt
from skseq.preprocessing._output import SequenceOutput


def like_input(results: list[np.ndarray], X: object, sequences: Sequences):
    """Return results, one per sequence, in the form of `X` where they fit it."""
    shapes = {result.shape for result in results}
    if sequences.layout == "matrix" and shapes == {(sequences.lengths[0], 1)}:
        return np.stack([result[:, 0] for result in results])
    if getattr(X, "ndim", None) == 3 and len(shapes) == 1:
        return np.stack(results)
    return object_array(results)


def float_type(frames: np.ndarray) -> type:
    """Return the type of floats as it is, float64 for integers."""
    return frames.dtype.type if frames.dtype.kind == "f" else np.float64


class SequenceTransformer(SequenceOutput, TransformerMixin, BaseEstimator):
    """Transforms each sequence on its own; learns nothing.

    A subclass checks its parameters in `_mapping`, which returns the function from
    the index and the frames of one sequence to its result.
    """

    def fit(self, X, y=None):
        """Check the parameters and the data; nothing is learnt.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences, in any of the accepted forms.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer itself.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a sequence cannot be used; the message names it.
        """
        self._mapping()
        self._check_X(X, y, reset=True)
        return self

    @np.errstate(under="ignore")
    def transform(self, X):
        """Transform each sequence.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences, in any of the accepted forms. They are not written to.

        Returns
        -------
        X_out : ndarray of shape (n_samples,)
            An object array of arrays of shape (n_frames, n_features_out); a 3-D or 2-D
            array instead where `X` is one and the results still fit it.
        """
        mapping = self._mapping()
        sequences = self._check_X(X, reset=False)
        results = [mapping(i, sequences[i]) for i in range(len(sequences))]
        return like_input(results, X, sequences)

    def _piecewise(self):
        """What transforms a sequence piece by piece, a stage; None if nothing does."""

    def _check_parameters(self) -> None:
        """Refuse parameters that cannot be used, without making anything of them."""
        self._mapping()

    def _check_X(self, X: object, y: object = None, *, reset: bool) -> Sequences:
        return check_learnt(self, X, y, reset=reset)

    def _check_lengths(self, lengths: np.ndarray, *, is_fit: bool) -> None:
        """Refuse parameters that do not go with the lengths of all sequences."""

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
