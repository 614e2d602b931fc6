"""Applies a transformer of tables to the frames of all sequences.

Knows nothing of audio, nor of what a frame means.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import MethodType
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skseq._data.sequences import Sequences, check_sequences
from skseq._data.suspicions import check_learnt
from skseq._data.weights import check_sample_weight
from skseq._parameters import Kind, check_parameters
from skseq.preprocessing._output import SequenceOutput
from skseq.preprocessing._transformer import like_input

# How many numbers of a collection are concatenated at once: 64 MiB of float64.
_CHUNK = 2**23

_TRANSFORMER = Kind(
    lambda value: hasattr(value, "transform") and not isinstance(value, type),
    "an object with fit and transform",
)


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
        Any transformer of 2-D data that needs no targets, or a pipeline of such. It is
        cloned before it is fitted. Its parameters are set as
        ``transformer__<parameter>``.

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
    Where the sequences are data frames, the transformer sees their frames as one data
    frame, so that a ``ColumnTransformer`` can choose columns by name.

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
            If a sequence cannot be used, the transformer needs targets, or
            `sample_weight` is given and the transformer does not take it.
        """
        self._check_transformer(sample_weight)
        sequences = check_learnt(self, X, y)
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(sample_weight, len(sequences))
            # Otherwise the weights of a whole chunk could be 0, which no scaler takes.
            sequences, weight = sequences.take(weight > 0), weight[weight > 0]
        inner = clone(self.transformer)
        try:
            self.transformer_ = _fit_frames(inner, sequences, weight, self._as_table)
        except ValueError as error:
            if "requires y to be passed" not in str(error):  # not in all tags
                raise
            raise _supervised(type(inner).__name__) from error
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
        transform = self.transformer_.transform
        results = _map_frames(transform, sequences, self._as_table)
        return like_input(results, X, sequences)

    def _as_table(self, frames: np.ndarray) -> Any:
        """Frames as the transformer sees them: under their names, if they have some."""
        names = getattr(self, "feature_names_in_", None)
        if names is None or self._X_layout == "matrix":
            return frames
        return _table(frames, names.tolist())

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
        supervised = next(filter(_needs_targets, _steps(inner)), None)
        if supervised is not None:
            raise _supervised(type(supervised).__name__)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _steps(transformer: BaseEstimator) -> list[BaseEstimator]:
    """The transformers of a pipeline, or the transformer alone."""
    if not isinstance(transformer, Pipeline):
        return [transformer]
    inner = (step for _, step in transformer.steps)
    return [step for step in inner if hasattr(step, "fit")]


def _needs_targets(transformer: BaseEstimator) -> bool:
    is_fitted = isinstance(transformer, FrozenEstimator)
    if is_fitted or not hasattr(transformer, "__sklearn_tags__"):
        return False
    return get_tags(transformer).target_tags.required


def _supervised(name: str) -> ValueError:
    return ValueError(
        f"{name} learns from one target per frame, and y has one per sequence. Fit it "
        "beforehand, on frames that have targets, and pass "
        "FrameTransformer(FrozenEstimator(fitted)); or take a transformer without y."
    )


def _table(frames: np.ndarray, names: list[str]) -> Any:
    """A data frame of the library that the caller uses, by preference pandas."""
    if "polars" in sys.modules and "pandas" not in sys.modules:
        import polars as pl

        return pl.DataFrame(frames, schema=names)
    import pandas as pd

    return pd.DataFrame(frames, columns=names)


def _fit_frames(
    transformer: BaseEstimator,
    sequences: Sequences,
    weight: np.ndarray | None,
    as_table: Callable[[np.ndarray], Any],
) -> BaseEstimator:
    """Fit on all frames, chunk by chunk if there are many and the transformer can."""
    if isinstance(transformer, FrozenEstimator):
        return transformer
    chunks = list(_chunks(sequences))
    fit = transformer.fit
    if len(chunks) > 1 and hasattr(transformer, "partial_fit"):
        fit = transformer.partial_fit
    else:
        chunks = [np.arange(len(sequences))]
    for chunk in chunks:
        frames = as_table(np.concatenate([sequences[i] for i in chunk]))
        if weight is None:
            fit(frames)
        else:
            lengths = sequences.lengths[chunk]
            fit(frames, sample_weight=np.repeat(weight[chunk], lengths))
    return transformer


def _map_frames(
    function: Callable[[Any], Any],
    sequences: Sequences,
    as_table: Callable[[np.ndarray], Any] = np.asarray,
) -> list[np.ndarray]:
    """Apply a function of many frames to those of each sequence, in few calls."""
    results = []
    for chunk in _chunks(sequences):
        frames = np.concatenate([sequences[i] for i in chunk])
        changed = function(as_table(frames))
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
