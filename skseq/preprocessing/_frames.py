"""Transforms the frames of feature sequences: scales, differences, any transformer.

Knows nothing of audio, nor of what a frame means.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from types import MethodType
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
)

from skseq._data.collections import object_array
from skseq._data.lengths import refuse_lengths
from skseq._data.sequences import Sequences, check_sequences
from skseq._data.weights import check_sample_weight
from skseq._parameters import BOOLEAN, POSITIVE_INT, Kind, check_parameters
from skseq.preprocessing._output import SequenceOutput

# How many numbers of a collection are concatenated at once: 64 MiB of float64.
_CHUNK = 2**23

_TRANSFORMER = Kind(
    lambda value: hasattr(value, "transform") and not isinstance(value, type),
    "an object with fit and transform",
)


def like_input(results: list[np.ndarray], X: object, sequences: Sequences):
    """Return results, one per sequence, in the form of `X` where they fit it."""
    shapes = {result.shape for result in results}
    if sequences.layout == "matrix" and shapes == {(sequences.lengths[0], 1)}:
        return np.stack([result[:, 0] for result in results])
    if getattr(X, "ndim", None) == 3 and len(shapes) == 1:
        return np.stack(results)
    return object_array(results)


def _float_type(frames: np.ndarray) -> type:
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
        refuse_lengths(X, y)
        self._check_X(X, reset=True)
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

    def _check_X(self, X: object, *, reset: bool) -> Sequences:
        return check_sequences(self, X, reset=reset)

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class SequenceNormalizer(SequenceTransformer):
    """Standardize each feature over the frames of each sequence on its own.

    Known in speech as cepstral mean and variance normalization [1]_: it removes what is
    constant throughout a recording, such as its loudness and its microphone. Nothing is
    learnt from other sequences. To scale all sequences alike, use
    ``FrameTransformer(StandardScaler())``.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean over the frames. A sequence of one frame then
        becomes zero.
    with_std : bool, default=True
        Whether to divide by the standard deviation over the frames. A feature that is
        constant within a sequence is not divided there.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a frame; for a 2-D `X`, its number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,), dtype=object
        Names of the features; exists only if `X` has column names that are all str.

    See Also
    --------
    FrameTransformer : Applies a transformer that is fitted on all sequences.

    References
    ----------
    .. [1] O. Viikki and K. Laurila, "Cepstral domain segmental feature vector
           normalization for noise robust speech recognition", Speech Communication,
           25(1-3), pp. 133-147, 1998.

    Examples
    --------
    >>> from skseq.preprocessing import SequenceNormalizer
    >>> X = [[[1.0], [3.0]], [[10.0], [20.0], [30.0]]]
    >>> X_out = SequenceNormalizer().fit_transform(X)
    >>> X_out[0].ravel()
    array([-1.,  1.])
    """

    def __init__(self, *, with_mean: bool = True, with_std: bool = True):
        self.with_mean = with_mean
        self.with_std = with_std

    def _mapping(self) -> Callable[[int, np.ndarray], np.ndarray]:
        check_parameters(self, {"with_mean": BOOLEAN, "with_std": BOOLEAN})
        return self._normalize

    def _normalize(self, _: int, frames: np.ndarray) -> np.ndarray:
        wide = frames.astype(np.float64)  # (n_frames, n_features), a copy
        mean = wide.mean(axis=0)
        deviation = wide.std(axis=0)
        # The rounding error of a constant does not count as a deviation.
        noise = len(wide) * np.finfo(wide.dtype).eps * np.abs(mean)
        deviation[deviation <= noise] = 1.0
        if self.with_mean:
            wide -= mean
        if self.with_std:
            wide /= deviation
        return wide.astype(_float_type(frames))


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

    def _difference(self, index: int, frames: np.ndarray) -> np.ndarray:
        if not self.keep_first and len(frames) <= self.order:
            raise ValueError(
                f"X[{index}] has {len(frames)} frame(s), too few for a difference of "
                f"order={self.order}, which needs at least {self.order + 1}. Drop "
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
    frames = frames.astype(_float_type(frames))  # unsigned integers would wrap around
    zero = np.zeros_like(frames[:1])
    for _ in range(order):
        frames = np.diff(frames, axis=0, prepend=zero)
    return frames


def _accumulate(changes: np.ndarray, order: int) -> np.ndarray:
    """Undo `_difference`, in float64 so that the sums drift little."""
    frames = changes
    for _ in range(order):
        frames = np.cumsum(frames, axis=0, dtype=np.float64)
    return frames.astype(_float_type(changes))


def _inner_has(method: str) -> Callable[[BaseEstimator], bool]:
    return lambda self: hasattr(self.transformer, method)


class _SignatureOfInner:
    """A `fit` that has `sample_weight` in its signature if the inner one takes it.

    Where it does not, scikit-learn's tools pass no weights, and those of a user still
    get an error in words.
    """

    def __init__(self, fit: Callable):
        self.fit = fit
        self.unweighted = wraps(fit)(lambda *args, **kwargs: fit(*args, **kwargs))
        signature = inspect.signature(fit)
        kept = [p for p in signature.parameters.values() if p.name != "sample_weight"]
        self.unweighted.__signature__ = signature.replace(parameters=kept)

    def __get__(self, instance: Any, owner: type | None = None) -> Callable:
        if instance is None:
            return self.fit
        inner = instance.transformer
        takes = hasattr(inner, "fit") and has_fit_parameter(inner, "sample_weight")
        return MethodType(self.fit if takes else self.unweighted, instance)


class FrameTransformer(SequenceOutput, TransformerMixin, BaseEstimator):
    """Apply a scikit-learn transformer to the frames of all sequences.

    Every frame is one sample to the transformer, which is fitted on the frames of all
    sequences together. For example, ``FrameTransformer(StandardScaler())`` gives each
    feature mean 0 and variance 1 over the whole collection, and
    ``FrameTransformer(PCA(8))`` gives each frame eight features.

    Parameters
    ----------
    transformer : transformer object
        Any transformer of 2-D data, or a pipeline of transformers. It is cloned before
        it is fitted. Its parameters are set as ``transformer__<parameter>``.

    Attributes
    ----------
    transformer_ : transformer object
        The fitted transformer.
    n_features_in_ : int
        Number of features of a frame; for a 2-D `X`, its number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,), dtype=object
        Names of the features; exists only if `X` has column names that are all str.

    See Also
    --------
    SequenceNormalizer : Standardizes each sequence on its own.

    Notes
    -----
    If the transformer has a `partial_fit`, the frames of a large collection are not
    concatenated in memory: the transformer sees chunks of neighbouring sequences, one
    after another. A transformer without `partial_fit` gets all frames at once.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skseq.preprocessing import FrameTransformer
    >>> X = [[[1.0], [2.0]], [[3.0], [4.0], [5.0]]]
    >>> scaler = FrameTransformer(StandardScaler()).fit(X)
    >>> scaler.transformer_.mean_
    array([3.])
    >>> scaler.transform(X)[1].round(2).ravel()
    array([0.  , 0.71, 1.41])
    """

    def __init__(self, transformer: Any):
        self.transformer = transformer

    @_SignatureOfInner
    @np.errstate(under="ignore")
    def fit(self, X, y=None, sample_weight=None):
        """Fit the transformer on the frames of all sequences.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            Sequences, in any of the accepted forms.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, and so of each of its frames. Only for a transformer
            that takes weights.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError, TypeError
            If a sequence cannot be used, or `sample_weight` is given and the
            transformer does not take it.
        """
        self._check_transformer(sample_weight)
        refuse_lengths(X, y)
        sequences = check_sequences(self, X, reset=True)
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(sample_weight, len(sequences))
            # Otherwise the weights of a whole chunk could be 0, which no scaler takes.
            sequences, weight = sequences.take(weight > 0), weight[weight > 0]
        self.transformer_ = _fit_frames(clone(self.transformer), sequences, weight)
        return self

    @np.errstate(under="ignore")
    def transform(self, X):
        """Transform every frame.

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
        check_is_fitted(self, "transformer_")
        sequences = check_sequences(self, X, reset=False)
        results = _map_frames(self.transformer_.transform, sequences)
        return like_input(results, X, sequences)

    @available_if(_inner_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Name the features of the frames that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the features of `X`. None takes `feature_names_in_`, or else
            "x0", "x1" and so on.

        Returns
        -------
        feature_names_out : ndarray of str, dtype=object
            As the transformer names them.

        Raises
        ------
        ValueError
            If the names are not as many as the features, or not those of `fit`.
        sklearn.exceptions.NotFittedError
            If `fit` has not been called.
        """
        return super().get_feature_names_out(input_features)

    def _names_out(self, names_in: np.ndarray) -> np.ndarray:
        if self._X_layout == "sequences":
            return self.transformer_.get_feature_names_out(names_in)
        # Each column of a 2-D X is a frame of one feature, which has no name.
        names = self.transformer_.get_feature_names_out()
        return names_in if len(names) == 1 else names

    @available_if(_inner_has("inverse_transform"))
    @np.errstate(under="ignore")
    def inverse_transform(self, X):
        """Restore the frames from transformed ones.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features_out)
            Sequences, as `transform` returns them.

        Returns
        -------
        X_original : ndarray of shape (n_samples,)
            An object array of arrays of shape (n_frames, n_features); a 3-D or 2-D
            array instead where `X` is one and the results still fit it.
        """
        check_is_fitted(self, "transformer_")
        # A clone, since these features are the outputs of `transform`, not its inputs.
        sequences = check_sequences(clone(self), X, reset=True)
        results = _map_frames(self.transformer_.inverse_transform, sequences)
        return like_input(results, X, sequences)

    def _check_transformer(self, sample_weight: object) -> None:
        inner = self.transformer
        check_parameters(self, {"transformer": _TRANSFORMER})
        if sample_weight is not None and not has_fit_parameter(inner, "sample_weight"):
            raise ValueError(
                f"{type(inner).__name__} does not take sample weights. Fit "
                "FrameTransformer without them, or with a transformer that does."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _fit_frames(
    transformer: BaseEstimator, sequences: Sequences, weight: np.ndarray | None
) -> BaseEstimator:
    """Fit on all frames, chunk by chunk if there are many and the transformer can."""
    chunks = list(_chunks(sequences))
    fit = transformer.fit
    if len(chunks) > 1 and hasattr(transformer, "partial_fit"):
        fit = transformer.partial_fit
    else:
        chunks = [np.arange(len(sequences))]
    for chunk in chunks:
        frames = np.concatenate([sequences[i] for i in chunk])
        if weight is None:
            fit(frames)
        else:
            lengths = sequences.lengths[chunk]
            fit(frames, sample_weight=np.repeat(weight[chunk], lengths))
    return transformer


def _map_frames(
    function: Callable[[np.ndarray], np.ndarray], sequences: Sequences
) -> list[np.ndarray]:
    """Apply a function of many frames to those of each sequence, in few calls."""
    results = []
    for chunk in _chunks(sequences):
        frames = np.concatenate([sequences[i] for i in chunk])
        changed = function(frames)
        changed = changed.toarray() if issparse(changed) else np.asarray(changed)
        if changed.ndim != 2 or len(changed) != len(frames):
            raise ValueError(
                "The transformer must return one row of features per frame, but "
                f"turned frames of shape {frames.shape} into {changed.shape}."
            )
        ends = np.cumsum(sequences.lengths[chunk])
        results += np.split(changed, ends[:-1])
    return results


def _chunks(sequences: Sequences) -> Iterator[np.ndarray]:
    """Yield the indices of neighbouring sequences, about `_CHUNK` numbers at a time.

    The chunks have similar sizes, since the `partial_fit` of an IncrementalPCA would
    fail on a small last one.
    """
    ends = np.cumsum(sequences.lengths)
    n_chunks = -(-ends[-1] * sequences.n_features // _CHUNK)
    chunk = (ends - 1) * n_chunks // ends[-1]
    yield from np.split(np.arange(len(ends)), np.flatnonzero(np.diff(chunk)) + 1)
