"""`EmbeddingDisplay`: embeddings of sequences in a plane, colored by class."""

from __future__ import annotations

import copy
from reprlib import repr as short_repr
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.utils import get_tags
from sklearn.utils.validation import check_array

from skseq._data.collections import array_of, as_collection, check_n_samples
from skseq._wording import counted
from skseq.inspection._axes import (
    add_legend,
    font_size,
    import_pyplot,
    legend_place,
    open_axes,
    size_in_points,
)
from skseq.inspection._colors import paper
from skseq.inspection._fitted import as_seen, last_step
from skseq.inspection._frame_labels import is_label

MARKERS = "osv^DPX*"  # where there are more classes than colors

# Of a legend: height of a line in font sizes; the shares of the height of axes that it
# takes at most, beside them, since they shrink when they are laid out, and in them.
LINE, LAID_OUT, INSIDE = 1.5, 0.85, 0.5


class EmbeddingDisplay:
    """Embeddings in two dimensions, a point per sequence and a color per class.

    Embedders put sequences of one class near each other, also of classes that they were
    not trained on: this shows how far that is so. Colors are those of Okabe and Ito,
    which color-blind people can tell apart; from the eighth class on, markers change.
    The legend lists the classes with most points where it cannot list all.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`. All
    parameters are stored as attributes.

    Parameters
    ----------
    points : array-like of shape (n_samples, 2)
        Where each sequence lies.
    y : array-like of shape (n_samples,), default=None
        The class of each sequence. None draws all in one color.
    axis_names : tuple of 2 str, default=("component 1", "component 2")
        The names of both axes.

    Attributes
    ----------
    scatters_ : dict of object to matplotlib PathCollection
        The points of each class; "all" without `y`.
    ax_ : matplotlib Axes
        The axes with the plot.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    PairScoresDisplay : How well distances tell pairs apart.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.inspection import EmbeddingDisplay
    >>> embeddings = np.eye(4)
    >>> display = EmbeddingDisplay.from_predictions(embeddings, ["a", "a", "b", "b"])
    >>> display.points.shape, list(display.scatters_)
    ((4, 2), ['a', 'b'])
    """

    def __init__(
        self,
        points: ArrayLike,
        *,
        y: ArrayLike | None = None,
        axis_names: tuple[str, str] = ("component 1", "component 2"),
    ):
        self.points = points
        self.y = y
        self.axis_names = axis_names

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, transformer=None, ax=None):
        """Embed sequences with a fitted estimator and plot them.

        Parameters
        ----------
        estimator : SiameseSequenceEmbedder, LSTMAutoencoder, Pipeline or search
            Fitted, with `transform`. Of a pipeline the last step is used, of a search
            the best estimator.
        X : collection of array-like of shape (n_frames, n_features)
            Sequences.
        y : array-like of shape (n_samples,), default=None
            The class of each sequence. None draws all in one color.
        transformer : transformer, default=None
            As in :meth:`from_predictions`.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `transform`.
        ValueError
            As :meth:`from_predictions`.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        embedder = last_step(
            estimator,
            attribute="transform",
            example="SiameseSequenceEmbedder",
            owner=owner,
        )
        embeddings = embedder.transform(as_seen(estimator, X))
        return cls.from_predictions(embeddings, y, transformer=transformer, ax=ax)

    @classmethod
    def from_predictions(cls, embeddings, y=None, *, transformer=None, ax=None):
        """Plot given embeddings.

        Parameters
        ----------
        embeddings : array-like of shape (n_samples, n_features)
            A vector per sequence.
        y : array-like of shape (n_samples,), default=None
            The class of each sequence. None draws all in one color.
        transformer : transformer, default=None
            What brings vectors to two dimensions by its `fit_transform`, for example
            :class:`sklearn.manifold.TSNE`; a copy of it is fitted, with `y` if it
            learns from classes as
            :class:`sklearn.discriminant_analysis.LinearDiscriminantAnalysis` does. None
            takes the first two principal components, or the embeddings themselves if
            they have two dimensions.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `transformer` has no `fit_transform`.
        ValueError
            If the embeddings are not finite vectors of two features or more, of two
            sequences or more; if `transformer` gives another number of dimensions than
            two; or as :meth:`plot`.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        import_pyplot(f"{cls.__name__}.from_predictions")
        embeddings = _checked_vectors(embeddings, "embeddings")
        points, axis_names = _in_plane(embeddings, transformer, y)
        return cls(points, y=y, axis_names=axis_names).plot(ax)

    def plot(self, ax=None):
        """Draw the points of each class.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : EmbeddingDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If the points are not finite pairs of numbers, `y` does not have one class
            per point, `axis_names` is not a pair of str, or `ax` is not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{type(self).__name__}.plot"
        import_pyplot(owner)
        points = _checked_vectors(self.points, "points")
        if points.shape[1] != 2:
            raise ValueError(
                f"points must have two columns. Got shape {points.shape}. Pass vectors "
                f"to {type(self).__name__}.from_predictions, which brings them to two "
                "dimensions."
            )
        classes, class_of = _classes_of(self.y, len(points))
        axis_names = _checked_names(self.axis_names)
        self.ax_ = open_axes(ax, owner, (6.2, 4.6))
        self.figure_ = self.ax_.figure
        self._draw_points(points, classes, class_of)
        if self.y is not None:
            are_many = ax is None and len(classes) > _n_lines(self.ax_, LAID_OUT)
            self._add_legend(class_of, n_columns=2 if are_many else 1)
        self.ax_.set(xlabel=axis_names[0], ylabel=axis_names[1])
        self.ax_.set_aspect("equal", adjustable="datalim")
        return self

    def _draw_points(self, points, classes, class_of) -> None:
        """Draw the points of each class."""
        from skseq.inspection._blocks import FILLS

        self.scatters_ = {}
        for i, label in enumerate(classes):
            self.scatters_[label] = self.ax_.scatter(
                *points[class_of == i].T,
                s=22,
                color=FILLS[i % len(FILLS)],
                marker=MARKERS[i // len(FILLS) % len(MARKERS)],
                edgecolor=paper(self.ax_),
                linewidth=0.4,
            )

    def _add_legend(self, class_of, n_columns) -> None:
        """Say which class is which, of those with most points where not all fit."""
        from skseq.inspection._lettering import lettering

        classes = list(self.scatters_)
        names = lettering(classes)
        n_listed = len(classes)
        place = legend_place(self.ax_)
        share = LAID_OUT if place["loc"] != "best" else INSIDE
        n_places = n_columns * _n_lines(self.ax_, share)
        if n_listed > n_places:
            n_listed = n_places - 1  # the last place says how many more there are
        counts = np.bincount(class_of)
        most = sorted(np.argsort(-counts, kind="stable")[:n_listed].tolist())
        handles = [self.scatters_[classes[i]] for i in most]
        texts = [names.texts[i] for i in most]
        if n_listed < len(classes):
            handles.append(self.ax_.scatter([], [], s=0))
            texts.append(f"... and {len(classes) - n_listed} more")
        add_legend(
            self.ax_,
            handles,
            texts,
            ncols=n_columns,
            prop={"family": names.families, "size": "small"},
            **place,
        )


def _n_lines(ax: Any, share: float) -> int:
    """How many lines a legend may have that takes a share of the height of axes."""
    height = share * size_in_points(ax)[1]
    return max(2, int(height / (LINE * font_size("small"))))


def _checked_vectors(vectors: Any, name: str) -> np.ndarray:
    """Turn vectors into an array of two rows or more, and of two columns or more."""
    vectors = check_array(vectors, dtype=np.float64, input_name=name)
    if vectors.shape[1] < 2:
        raise ValueError(
            f"{name} must have at least two features per sequence, to be drawn in two "
            "dimensions. Got 1."
        )
    return vectors


def _checked_names(names: Any) -> tuple[str, str]:
    is_pair = isinstance(names, tuple | list) and len(names) == 2
    if not is_pair or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "axis_names must be two str, one per axis. Got "
            f"{short_repr(names)} instead."
        )
    return names[0], names[1]


def _in_plane(
    vectors: np.ndarray, transformer: Any, y: Any
) -> tuple[np.ndarray, tuple]:
    """Bring vectors to two dimensions, by their classes if those are known."""
    if transformer is None and vectors.shape[1] == 2:
        return vectors, ("dimension 1", "dimension 2")
    if not hasattr(transformer or PCA, "fit_transform") or isinstance(
        transformer, type
    ):
        raise TypeError(
            "transformer must be an object with fit_transform, such as "
            f"sklearn.manifold.TSNE(), or None. Got {short_repr(transformer)} instead."
        )
    if transformer is None:
        if len(vectors) < 2:
            raise ValueError(
                "Principal components need at least two sequences. Got "
                f"{counted(len(vectors), 'sequence')}."
            )
        transformer = PCA(2, random_state=0)
    copied = (
        clone(transformer)
        if hasattr(transformer, "get_params")
        else copy.deepcopy(transformer)
    )
    with np.errstate(invalid="ignore", divide="ignore"):  # of shares of no variance
        points = np.asarray(_transformed(copied, vectors, y))
    kind = type(transformer).__name__
    if points.shape != (len(vectors), 2):
        raise ValueError(
            f"transformer must bring {len(vectors)} vectors to two dimensions. "
            f"{kind} gives shape {points.shape}. Set its n_components to 2."
        )
    return points, _axis_names(copied)


def _axis_names(fitted: Any) -> tuple[str, str]:
    """What a fitted transformer's dimensions are called; with their shares, if any."""
    shares = getattr(fitted, "explained_variance_ratio_", None)
    if shares is None:
        kind = type(fitted).__name__
        return f"{kind} 1", f"{kind} 2"
    if not np.isfinite(shares[:2]).all():  # where all vectors are equal
        return "component 1", "component 2"
    first, second = (
        f"component {i} ({share:.0%} of the variance)"
        for i, share in enumerate(shares[:2], start=1)
    )
    return first, second


def _transformed(transformer: Any, vectors: np.ndarray, y: Any) -> Any:
    """What a transformer makes of vectors, told of their classes where it needs them.

    Others might take them for something else.
    """
    is_told = isinstance(transformer, BaseEstimator) and (
        is_classifier(transformer) or get_tags(transformer).target_tags.required
    )
    if not is_told:
        return transformer.fit_transform(vectors)
    if y is None:
        raise ValueError(
            f"{type(transformer).__name__} learns from classes, but y is None. Pass "
            "the class of each sequence, or another transformer."
        )
    return transformer.fit_transform(vectors, _classes_of(y, len(vectors))[1])


def _classes_of(y: Any, n_points: int) -> tuple[list, np.ndarray]:
    """The classes in order, and the place of each point's class among them."""
    if y is None:
        return ["all"], np.zeros(n_points, dtype=int)
    labels = array_of(as_collection(y, "y", "classes"))
    if labels.ndim != 1:
        raise ValueError(
            "y must be one-dimensional, with the class of each sequence. Got shape "
            f"{labels.shape} instead."
        )
    check_n_samples("y", len(labels), n_points)
    lacking = [i for i, label in enumerate(labels.tolist()) if not is_label(label)]
    if lacking:
        raise ValueError(
            f"y must hold the class of each sequence. y[{lacking[0]}] is "
            f"{labels.tolist()[lacking[0]]!r}. Leave that sequence out, or give a name "
            "to what has no class, such as 'unknown'."
        )
    try:
        classes, class_of = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ValueError(
            "y must hold classes of one type, which can be sorted. Got "
            f"{short_repr(labels.tolist())}. Turn them into text: [str(label) for "
            "label in y]."
        ) from error
    return classes.tolist(), class_of
