"""`PairScoresDisplay`: scores of pairs around a threshold, and what errors it costs."""

from __future__ import annotations

import numbers
from reprlib import repr as short_repr
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from skseq._parameters import NONE, POSITIVE_INT, Interval, check_value
from skseq.inspection._axes import (
    add_legend,
    import_pyplot,
    open_axes,
    size_in_points,
    write_title,
)
from skseq.inspection._colors import BLUE, ORANGE, ink
from skseq.inspection._fitted import as_seen, last_step
from skseq.metrics._pairs import check_scores, equal_error, error_curve

# Whether a pair is alike, what it is called and its color.
KINDS = ((False, "not alike", ORANGE), (True, "alike", BLUE))

THRESHOLD = Interval(float, None, None, closed="neither")

# Rates that are ticked on axes of normal deviates, and the widest range of these axes.
TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
LOWEST, HIGHEST = 5e-4, 0.7

# Scores beyond are too far apart for the arithmetic of axes.
LARGEST = 1e100

# How the two panels share what is beside or above the gap between them, and that gap in
# points: for the labels of an axis, and some space.
LEFT, RIGHT = 0.56, 0.44
BESIDE, BELOW = 58.0, 42.0

# Of the legend: width of an entry beside its text, and height of a line, in points; and
# the largest share of the height that it takes.
ENTRY, LINE, MOST = 34.0, 13.0, 0.4


class PairScoresDisplay:
    """Scores of pairs that are alike and of others, and the errors at any threshold.

    On the left, or above in narrow axes, are histograms of the scores, with the
    threshold from which on a pair counts as alike. On the right, or below, is the
    detection error tradeoff: which rates of false
    accepts and false rejects go together, as the threshold varies. Its axes are normal
    deviates of the rates, on which scores of two normal distributions give a straight
    line [1]_. Where that line meets the dashed diagonal is the equal error rate.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`. All
    parameters are stored as attributes.

    Parameters
    ----------
    y_true : array-like of shape (n_pairs,)
        1 for a pair that is alike, and 0 or -1 for one that is not; or booleans, True
        for a pair that is alike.
    y_score : array-like of shape (n_pairs,)
        The score of each pair: the higher, the more alike. Pass distances with a minus
        sign.
    threshold : float, default=None
        The lowest score with which a pair counts as alike. None takes the score at
        which both errors are nearest to equal on these pairs.
    score_name : str, default="score"
        The name of the scores on their axis.

    Attributes
    ----------
    equal_error_rate_ : float
        The rate at which both errors are equal.
    threshold_ : float
        The threshold that is drawn.
    false_accept_rate_, false_reject_rate_ : float
        The errors at that threshold.
    bars_ : dict of str to matplotlib BarContainer
        The histograms: "alike" and "not alike".
    threshold_line_ : matplotlib Line2D
        The threshold, among the scores.
    line_ : matplotlib Line2D
        The tradeoff of errors, in normal deviates.
    threshold_point_ : matplotlib Line2D
        The threshold, on that line.
    axes_ : list of 2 matplotlib Axes
        The panels, of scores and of errors.
    ax_ : matplotlib Axes
        The axes that hold the panels.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.metrics.equal_error_rate : The rate alone.
    sklearn.metrics.DetCurveDisplay : The same tradeoff of a classifier.

    References
    ----------
    .. [1] A. Martin, G. Doddington, T. Kamm, M. Ordowski and M. Przybocki, "The DET
       Curve in Assessment of Detection Task Performance", Eurospeech 1997.

    Examples
    --------
    >>> from skseq.inspection import PairScoresDisplay
    >>> display = PairScoresDisplay.from_predictions(
    ...     [1, 1, 1, 1, 0, 0, 0, 0], [0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.2, 0.1]
    ... )
    >>> display.equal_error_rate_
    0.25
    """

    def __init__(
        self,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        threshold: float | None = None,
        score_name: str = "score",
    ):
        self.y_true = y_true
        self.y_score = y_score
        self.threshold = threshold
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, A, B, y, *, ax=None, bins=40, density=True):
        """Plot the scores that a fitted estimator gives to pairs, and its threshold.

        Parameters
        ----------
        estimator : SiameseSequenceEmbedder, Pipeline or search
            Fitted. Of a pipeline the last step is used, of a search the best estimator.
            Where it has no `threshold_`, or None, errors are equal at the threshold
            that is drawn.
        A, B : collection of array-like of shape (n_frames, n_features)
            The first and the second sequence of each pair.
        y : array-like of shape (n_pairs,)
            1 for a pair that is alike, and 0 or -1 for one that is not; or booleans.
        ax, bins, density
            As in :meth:`plot`.

        Returns
        -------
        display : PairScoresDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `pair_score`.
        ValueError
            If `y` has another value, or pairs of one kind only, or does not have one
            entry per pair.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        comparer = last_step(
            estimator,
            attribute="pair_score",
            example="SiameseSequenceEmbedder",
            owner=owner,
        )
        scores = comparer.pair_score(as_seen(estimator, A), as_seen(estimator, B))
        return cls.from_predictions(
            y,
            scores,
            threshold=getattr(comparer, "threshold_", None),
            ax=ax,
            bins=bins,
            density=density,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_score,
        *,
        threshold=None,
        score_name="score",
        ax=None,
        bins=40,
        density=True,
    ):
        """Plot given scores of pairs.

        Parameters
        ----------
        y_true : array-like of shape (n_pairs,)
            1 for a pair that is alike, and 0 or -1 for one that is not; or booleans,
            True for a pair that is alike.
        y_score : array-like of shape (n_pairs,)
            The score of each pair: the higher, the more alike. Pass distances with a
            minus sign.
        threshold : float, default=None
            The lowest score with which a pair counts as alike. None takes the score at
            which both errors are nearest to equal on these pairs.
        score_name : str, default="score"
            The name of the scores on their axis.
        ax, bins, density
            As in :meth:`plot`.

        Returns
        -------
        display : PairScoresDisplay
            The display, drawn.

        Raises
        ------
        TypeError, ValueError, ImportError
            As :meth:`plot`.
        """
        display = cls(y_true, y_score, threshold=threshold, score_name=score_name)
        return display.plot(ax, bins=bins, density=density)

    def plot(self, ax=None, *, bins=40, density=True):
        """Draw the histograms, and the tradeoff of errors beside or below them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        bins : int or sequence of float, default=40
            Number of bins, or their edges. More bins show finer detail, in lower bars.
        density : bool, default=True
            Whether each histogram has area 1, since pairs that are alike are few among
            all. False draws counts.

        Returns
        -------
        display : PairScoresDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If the scores or their marks cannot be used, as in
            :func:`skseq.metrics.equal_error_rate`; if a score is infinite or beyond
            1e100 in size; if `bins` makes no bins, or none that holds a score; or `ax`
            is not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = type(self).__name__
        import_pyplot(f"{owner}.plot")
        is_alike, scores, weights = check_scores(self.y_true, self.y_score)
        _check_finite(scores)
        edges = _checked_edges(scores, bins)
        check_value(owner, "threshold", self.threshold, (THRESHOLD, NONE))
        equal = equal_error(is_alike, scores, weights)
        is_given = self.threshold is not None
        self.equal_error_rate_ = equal.rate
        self.threshold_ = float(self.threshold) if is_given else equal.threshold
        self.false_accept_rate_ = float(np.mean(scores[~is_alike] >= self.threshold_))
        self.false_reject_rate_ = float(np.mean(scores[is_alike] < self.threshold_))
        self.ax_ = open_axes(ax, f"{owner}.plot", (9.6, 3.9))
        self.figure_ = self.ax_.figure
        self.ax_.set_axis_off()
        names = self._names(is_alike)
        n_columns, header = _room_of_legend(self.ax_, names)
        self.axes_ = [self.ax_.inset_axes(p) for p in _places(self.ax_, header)]
        self._draw_scores(is_alike, scores, edges, density)
        self._draw_errors(is_alike, error_curve(is_alike, scores, weights))
        self._add_legend(names, n_columns)
        write_title(self.ax_, self._verdict())
        return self

    def _names(self, is_alike) -> list[str]:
        """What the legend calls the histograms, the threshold and the errors."""
        kinds = [
            f"{name} ({np.count_nonzero(is_alike == kind)})" for kind, name, _ in KINDS
        ]
        return [*kinds, "threshold", f"equal error rate {self.equal_error_rate_:.1%}"]

    def _verdict(self) -> str:
        """What the threshold is worth, in a line."""
        return (
            f"threshold: {self.false_accept_rate_:.1%} accepted falsely, "
            f"{self.false_reject_rate_:.1%} rejected falsely"
        )

    def _add_legend(self, names, n_columns) -> None:
        """Say above the panels what is what: of the threshold, line and point."""
        from matplotlib.lines import Line2D

        style = {"color": ink(self.ax_), "linestyle": ":", "marker": "o"}
        kinds = [self.bars_[name] for _, name, _ in KINDS]
        add_legend(
            self.ax_,
            [*kinds, Line2D([], [], **style), self.line_],
            names,
            loc="upper left",
            ncols=n_columns,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
            columnspacing=1.2,
            fontsize="small",
        )

    def _draw_scores(self, is_alike, scores, edges, density) -> None:
        panel = self.axes_[0]
        self.bars_ = {}
        for kind, name, color in KINDS:
            own = scores[is_alike == kind]
            style = {"color": color, "alpha": 0.6, "label": name}
            *_, self.bars_[name] = panel.hist(own, edges, density=density, **style)
        self.threshold_line_ = panel.axvline(
            self.threshold_, color=ink(panel), linestyle=":", label="threshold"
        )
        panel.set(xlabel=self.score_name, ylabel="density" if density else "count")

    def _draw_errors(self, is_alike, curve) -> None:
        panel = self.axes_[1]
        n_least = min(np.count_nonzero(is_alike), np.count_nonzero(~is_alike))
        low = max(min(0.5 / n_least, 0.05), LOWEST)
        high = HIGHEST if self.equal_error_rate_ < 0.5 else 1 - low
        rates = curve.false_accepts, curve.false_rejects
        (self.line_,) = panel.plot(*_deviates(*rates), color=BLUE)
        shown = np.clip([self.false_accept_rate_, self.false_reject_rate_], low, high)
        style = {"color": ink(panel), "marker": "o", "linestyle": "", "clip_on": False}
        places = [[place] for place in _deviates(*shown)]
        (self.threshold_point_,) = panel.plot(*places, **style)
        style = {"color": ink(panel), "linestyle": "--", "linewidth": 0.8}
        panel.axline((0, 0), slope=1, **style)
        for axis in (panel.xaxis, panel.yaxis):
            _tick_rates(axis, low, high)
        panel.set(xlabel="false accept rate", ylabel="false reject rate")
        panel.set_aspect("equal", anchor="SW")


def _deviates(*rates) -> list[np.ndarray]:
    """Normal deviates of rates, those of 0 and 1 far outside of what is shown."""
    return [norm.ppf(np.clip(rate, 1e-9, 1 - 1e-9)) for rate in rates]


def _room_of_legend(ax: Any, names: list[str]) -> tuple[int, float]:
    """The columns of a legend above the panels, and points that it takes there."""
    from matplotlib.font_manager import FontProperties

    from skseq.inspection._ticks import widths_of

    width, height = size_in_points(ax)
    entry = ENTRY + max(widths_of(names, FontProperties(size="small")))
    n_columns = int(np.clip(width // entry, 1, len(names)))
    n_lines = -(-len(names) // n_columns)
    return n_columns, min(MOST * height, LINE * (n_lines + 0.5))


def _places(ax: Any, header: float) -> list[list[float]]:
    """Where the panels lie: side by side, or below one another if they are larger so.

    Each is left, bottom, width and height, as shares of the axes.
    """
    width, height = size_in_points(ax)
    beside = max(0.0, 1 - BESIDE / width)
    top = 1 - header / height
    below = max(0.0, top - BELOW / height)
    if min(RIGHT * beside * width, top * height) >= min(width, RIGHT * below * height):
        right = 1 - RIGHT * beside
        return [[0.0, 0.0, LEFT * beside, top], [right, 0.0, RIGHT * beside, top]]
    upper = top - LEFT * below
    return [[0.0, upper, 1.0, LEFT * below], [0.0, 0.0, 1.0, RIGHT * below]]


def _tick_rates(axis: Any, low: float, high: float) -> None:
    """Tick an axis of normal deviates with the rates that these stand for."""
    from skseq.inspection._ticks import tick_texts

    shown = [rate for rate in TICKS if low <= rate <= high]
    texts = [f"{rate:.1%}".replace(".0%", "%") for rate in shown]
    tick_texts(axis, texts, norm.ppf(shown).tolist())
    limits = {f"{axis.axis_name}lim": norm.ppf([low, high])}
    axis.axes.set(**limits)


def _checked_edges(scores: np.ndarray, bins: Any) -> np.ndarray:
    """The edges of histograms; refuse what makes no bins."""
    is_number = isinstance(bins, numbers.Number | str | bytes) or bins is None
    if is_number and not POSITIVE_INT.accepts(bins):
        edges = None
    elif is_number:
        edges = np.histogram_bin_edges(scores, int(bins))
    else:
        edges = _as_edges(bins)
    if edges is None:
        raise ValueError(
            "bins must be an int of at least 1, or two edges or more, finite and "
            f"rising. Got {short_repr(bins)} instead."
        )
    if not ((edges[0] <= scores) & (scores <= edges[-1])).any():
        raise ValueError(
            f"bins must hold a score at least: they end at {edges[0]:.4g} and "
            f"{edges[-1]:.4g}, and scores are from {scores.min():.4g} to "
            f"{scores.max():.4g}. Leave bins out, or move its edges."
        )
    return edges


def _as_edges(bins: Any) -> np.ndarray | None:
    """Given edges as floats; None if they are none."""
    try:
        edges = np.asarray(bins, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    is_line = edges.ndim == 1 and len(edges) > 1 and np.isfinite(edges).all()
    return edges if is_line and (np.diff(edges) > 0).all() else None


def _check_finite(scores: np.ndarray) -> None:
    if not np.isfinite(scores).all():
        i = int(np.argmax(~np.isfinite(scores)))
        raise ValueError(
            f"y_score must be finite to be drawn. y_score[{i}] is {scores[i]}."
        )
    i = int(np.argmax(np.abs(scores)))
    if abs(scores[i]) > LARGEST:
        raise ValueError(
            f"y_score must be at most {LARGEST:.0e} in size to be drawn. y_score[{i}] "
            f"is {scores[i]}: divide all scores by one number, or take logarithms."
        )
