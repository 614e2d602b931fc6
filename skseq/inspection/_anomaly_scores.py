"""`AnomalyScoreDisplay`: how anomaly scores are spread around their threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_outlier_detector
from sklearn.utils.validation import column_or_1d

from skseq._data.outliers import sample_anomaly_flags
from skseq._parameters import OneOf, check_value
from skseq.inspection._axes import import_pyplot, open_axes, write_title
from skseq.inspection._colors import BLUE, ORANGE, ink
from skseq.inspection._fitted import as_seen, last_step
from skseq.inspection._scales import SCALES, chosen_scale

# Of so many times as many samples, few would not be seen beside the others.
RARE = 10.0

# Where bars begin on a logarithmic scale, so that a count of 1 is seen.
LEAST = 0.5

# Whether a sample is anomalous, what it is called and its colour.
KINDS = ((False, "normal", BLUE), (True, "anomaly", ORANGE))

# How a title calls samples of each kind.
WORDS = {"normal": "normal", "anomaly": "anomalous", "all": "samples"}


class AnomalyScoreDisplay:
    """Histogram of anomaly scores, with the threshold above which they are anomalous.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`. All
    parameters are stored as attributes.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Anomaly scores; higher is more anomalous.
    threshold : float, default=None
        The highest anomaly score that is still normal. None draws no line.
    y : array-like of shape (n_samples,), default=None
        1 for a normal sequence, -1 for an anomaly; or booleans, True for an anomaly.
        None draws one histogram of all.
    score_name : str, default="anomaly score"
        The name of the scores on their axis.

    Attributes
    ----------
    bars_ : dict of str to matplotlib BarContainer
        The histograms: "normal" and "anomaly", or "all".
    threshold_line_ : matplotlib Line2D or None
        The threshold.
    ax_ : matplotlib Axes
        The axes with the plot.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.LSTMAutoencoder.fit_threshold : Sets the threshold from labels.

    Examples
    --------
    >>> from skseq.inspection import AnomalyScoreDisplay
    >>> display = AnomalyScoreDisplay.from_predictions(
    ...     [0.1, 0.2, 0.2, 0.9], [1, 1, 1, -1], threshold=0.5
    ... )
    >>> sorted(display.bars_)
    ['anomaly', 'normal']
    """

    def __init__(
        self,
        scores: ArrayLike,
        *,
        threshold: float | None = None,
        y: ArrayLike | None = None,
        score_name: str = "anomaly score",
    ):
        self.scores = scores
        self.threshold = threshold
        self.y = y
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        ax=None,
        bins=40,
        scale="auto",
        density=False,
        yscale="auto",
    ):
        """Plot the scores that a fitted outlier detector gives.

        The anomaly score is minus `score_samples`, and its threshold minus `offset_`.

        Parameters
        ----------
        estimator : LSTMAutoencoder or other outlier detector, Pipeline or search
            Fitted. Of a pipeline the last step is used, of a search the best estimator.
        X : collection of array-like of shape (n_frames, n_features)
            Sequences, or whatever the estimator scores.
        y : array-like of shape (n_samples,), default=None
            1 for a normal sequence, -1 for an anomaly; or booleans, True for an
            anomaly. None draws one histogram of all.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        bins : int or sequence of float, default=40
            Number of bins, or their edges. More bins show finer detail, in lower bars.
        scale : {"auto", "linear", "log"}, default="auto"
            Scale of the scores. "auto" is logarithmic if all are above 0 and the
            highest is more than twenty times the median.
        density : bool, default=False
            Whether each histogram has area 1. False draws counts.
        yscale : {"auto", "linear", "log"}, default="auto"
            Scale of the counts. "auto" is logarithmic if there are labels and one kind
            is more than ten times as frequent as the other, so that a few anomalies
            are seen beside many normal sequences. Densities are linear.

        Returns
        -------
        display : AnomalyScoreDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not an outlier detector with a threshold.
        ValueError
            If `y` has other labels, or does not have one label per sample.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        detector = last_step(
            estimator, attribute="offset_", example="LSTMAutoencoder", owner=owner
        )
        _check_detector(detector, owner)
        threshold = -float(detector.offset_)
        return cls.from_predictions(
            threshold - detector.decision_function(as_seen(estimator, X)),
            y,
            threshold=threshold,
            ax=ax,
            bins=bins,
            scale=scale,
            density=density,
            yscale=yscale,
        )

    @classmethod
    def from_predictions(
        cls,
        scores,
        y=None,
        *,
        threshold=None,
        score_name="anomaly score",
        ax=None,
        bins=40,
        scale="auto",
        density=False,
        yscale="auto",
    ):
        """Plot given scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Anomaly scores; higher is more anomalous.
        y : array-like of shape (n_samples,), default=None
            1 for a normal sequence, -1 for an anomaly; or booleans, True for an
            anomaly. None draws one histogram of all.
        threshold : float, default=None
            The highest anomaly score that is still normal. None draws no line.
        score_name : str, default="anomaly score"
            The name of the scores on their axis.
        ax, bins, scale, density, yscale
            As in :meth:`from_estimator`.

        Returns
        -------
        display : AnomalyScoreDisplay
            The display, drawn.

        Raises
        ------
        TypeError, ValueError, ImportError
            As :meth:`plot`.
        """
        display = cls(scores, threshold=threshold, y=y, score_name=score_name)
        return display.plot(ax, bins=bins, scale=scale, density=density, yscale=yscale)

    def plot(self, ax=None, *, bins=40, scale="auto", density=False, yscale="auto"):
        """Draw the histograms and the threshold.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        bins : int or sequence of float, default=40
            Number of bins, or their edges. More bins show finer detail, in lower bars.
        scale : {"auto", "linear", "log"}, default="auto"
            Scale of the scores. "auto" is logarithmic if all are above 0 and the
            highest is more than twenty times the median.
        density : bool, default=False
            Whether each histogram has area 1. False draws counts.
        yscale : {"auto", "linear", "log"}, default="auto"
            Scale of the counts. "auto" is logarithmic if there are labels and one kind
            is more than ten times as frequent as the other, so that a few anomalies
            are seen beside many normal sequences. Densities are linear.

        Returns
        -------
        display : AnomalyScoreDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If the scores, their labels or `scale` cannot be used, or `ax` is not an
            Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        scores = _checked_scores(self.scores)
        groups = self._groups(scores)
        owner = type(self).__name__
        scale = chosen_scale(scale, scores, self.threshold, owner=owner, name="scale")
        yscale = self._chosen_yscale(yscale, groups, density)
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot", (6.4, 3.6))
        self.figure_ = self.ax_.figure
        self.ax_.set_xscale(scale)
        edges = _bin_edges(bins, scores, scale)
        self.bars_ = {}
        for name, (own, color) in groups.items():
            label = f"{name} ({len(own)})"
            style = {"color": color, "alpha": 0.6, "label": label}
            *_, self.bars_[name] = self.ax_.hist(own, edges, density=density, **style)
        self._draw_threshold()
        self.ax_.set(xlabel=self.score_name, ylabel="density" if density else "count")
        self.ax_.set_yscale(yscale)
        if yscale == "log" and not density:
            self.ax_.set_ylim(bottom=LEAST)
        self.ax_.legend()
        write_title(self.ax_, self._verdict(groups))
        return self

    def _verdict(self, groups) -> str:
        """What the threshold is worth, in a line."""
        if self.threshold is None:
            return ""
        parts = [
            f"{np.count_nonzero(own > self.threshold)} of {len(own)} {WORDS[name]}"
            for name, (own, _) in groups.items()
        ]
        return f"above the threshold: {', '.join(parts)}"

    def _chosen_yscale(self, yscale, groups, density) -> str:
        check_value(type(self).__name__, "yscale", yscale, OneOf(SCALES))
        if yscale != "auto":
            return yscale
        sizes = [len(own) for own, _ in groups.values()]
        return "log" if not density and max(sizes) > RARE * min(sizes) else "linear"

    def _groups(self, scores) -> dict[str, tuple]:
        """The scores of each kind, and their colour."""
        if self.y is None:
            return {"all": (scores, BLUE)}
        is_anomaly = sample_anomaly_flags(self.y, len(scores))
        return {
            name: (scores[is_anomaly == kind], color)
            for kind, name, color in KINDS
            if (is_anomaly == kind).any()
        }

    def _draw_threshold(self) -> None:
        self.threshold_line_ = None
        if self.threshold is not None:
            self.threshold_line_ = self.ax_.axvline(
                self.threshold, color=ink(self.ax_), linestyle=":", label="threshold"
            )


def _check_detector(detector, owner) -> None:
    if not is_outlier_detector(detector) or not hasattr(detector, "decision_function"):
        raise TypeError(
            f"{owner} needs an outlier detector with 'decision_function', such as "
            f"LSTMAutoencoder. Got {type(detector).__name__} instead."
        )


def _checked_scores(scores) -> np.ndarray:
    scores = column_or_1d(scores).astype(np.float64)
    if not len(scores) or not np.isfinite(scores).all():
        bad = np.flatnonzero(~np.isfinite(scores))
        found = f"scores[{bad[0]}] is {scores[bad[0]]}" if len(bad) else "Got none"
        raise ValueError(f"scores must be finite, and at least one. {found}.")
    return scores


def _bin_edges(bins, scores, scale) -> np.ndarray:
    """Edges of bins that look equally wide, shared by all histograms."""
    if scale == "linear" or np.ndim(bins):
        return np.histogram_bin_edges(scores, bins)
    low, high = scores.min(), scores.max()
    return np.geomspace(low, high if high > low else 2 * low, bins + 1)
