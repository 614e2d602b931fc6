"""`ReconstructionDisplay`: a sequence beside its reconstruction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from skseq._data.sequences import check_sequences
from skseq._wording import counted
from skseq.inspection._axes import (
    import_pyplot,
    open_axes,
    size_in_points,
    stack_panels,
    tick_integers,
    write_title,
)
from skseq.inspection._colors import BLUE, GREEN, ORANGE, SKY, ink
from skseq.inspection._features import (
    chosen_features,
    feature_names,
    label_panels,
    left_out,
)
from skseq.inspection._fitted import as_seen, asked_about, last_step, take_sample
from skseq.inspection._origins import names_before, origin_of

# Width of an entry of the legend, and height of a line, in points.
LEGEND_ENTRY = 88.0
LEGEND_LINE = 13.0
N_ENTRIES = 5


class ReconstructionDisplay:
    """A sequence, its reconstruction, and how far apart they are in each frame.

    It is recommended to use :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    sequence, reconstruction : array-like of shape (n_frames, n_features)
        The sequence and its reconstruction, in the same units.
    frame_scores : array-like of shape (n_frames,), default=None
        Anomaly score of each frame; their mean is the score of the sequence. None
        draws no panel for them.
    threshold : float, default=None
        The highest anomaly score that is still normal, to compare the mean with. None
        draws no line.
    feature_names : list of str of length n_features, default=None
        Names of the features. None stands for "x0", "x1" and so on, or "value" for a
        single feature.
    name : str, default=None
        What is shown, such as which window of a series; the title says so, and what the
        scores are worth.

    Attributes
    ----------
    features_ : list of int
        The features that are shown.
    lines_ : ndarray of shape (n_shown, 2), dtype=matplotlib Line2D
        Sequence and reconstruction of each of them.
    axes_ : ndarray of matplotlib Axes
        The panels: one per feature and, last, that of the frame scores.
    ax_ : matplotlib Axes
        The axes that hold the panels.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.LSTMAutoencoder.reconstruct : The reconstruction.
    skseq.LSTMAutoencoder.step_errors : The differences.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.inspection import ReconstructionDisplay
    >>> sequence = np.sin(np.arange(20.0))[:, np.newaxis]
    >>> scores = (0.1 * sequence[:, 0]) ** 2
    >>> display = ReconstructionDisplay(sequence, 0.9 * sequence, frame_scores=scores)
    >>> len(display.plot().axes_)
    2
    """

    def __init__(
        self,
        sequence: ArrayLike,
        reconstruction: ArrayLike,
        *,
        frame_scores: ArrayLike | None = None,
        threshold: float | None = None,
        feature_names: Sequence[str] | None = None,
        name: str | None = None,
    ):
        self.sequence = sequence
        self.reconstruction = reconstruction
        self.frame_scores = frame_scores
        self.threshold = threshold
        self.feature_names = feature_names
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, *, sample=0, features=None, ax=None):
        """Plot one sample, its reconstruction and the anomaly score of each frame.

        Names of sensors are those of the table that was passed, also where the steps of
        a pipeline turn it into arrays. Of windows that a pipeline cuts, the title says
        which frames, or which dates of a table, they hold.

        Parameters
        ----------
        estimator : LSTMAutoencoder, Pipeline or search
            Fitted. Of a pipeline the last step is used, of a search the best estimator.
        X : collection of array-like of shape (n_frames, n_features)
            Sequences.
        sample : int, default=0
            Which sample to show: the index into `X`, as the last step sees it.
        features : list of int or str, default=None
            Features to show. None shows all, or the eight with the worst
            reconstruction.
        ax : matplotlib Axes, default=None
            Where to draw. It is divided into panels. None makes a new figure.

        Returns
        -------
        display : ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator does not reconstruct.
        ValueError
            If there is no such feature.
        IndexError
            If there is no such sample.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        coder = last_step(
            estimator, attribute="reconstruct", example="LSTMAutoencoder", owner=owner
        )
        given, seen = X, as_seen(estimator, X)
        X, _ = take_sample(seen, None, sample)
        with asked_about(sample):
            sequence = np.array(check_sequences(coder, X, reset=False)[0])
            reconstruction = np.reshape(coder.reconstruct(X)[0], sequence.shape)
            frame_scores = -coder.score_frames(X)[0]
            threshold = _threshold(coder, X)
        display = cls(
            sequence,
            reconstruction,
            frame_scores=frame_scores,
            threshold=threshold,
            feature_names=names_before(estimator, coder, given, sequence.shape[1]),
            name=origin_of(estimator, given, len(seen), int(sample) % len(seen)),
        )
        return display.plot(ax, features=features)

    def plot(self, ax=None, *, features=None):
        """Draw one panel per feature, and one for the scores of the frames.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. It is divided into panels. None makes a new figure.
        features : list of int or str, default=None
            Features to show. None shows all, or the eight with the worst
            reconstruction.

        Returns
        -------
        display : ReconstructionDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If sequence, reconstruction, scores and features do not fit together, or
            `ax` is not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        sequence, reconstruction = self._checked()
        names = feature_names(self.feature_names, sequence.shape[1])
        worst = _worst_features(sequence, reconstruction)
        self.features_ = chosen_features(features, names, worst)
        n_shown = len(self.features_)
        heights = [1.0 if n_shown > 1 else 1.6] * n_shown
        heights += [1.0] if self.frame_scores is not None else []
        owner = f"{type(self).__name__}.plot"
        self.ax_ = open_axes(ax, owner, (8, 1.2 + 1.2 * sum(heights)))
        self.figure_ = self.ax_.figure
        header = LEGEND_LINE * (0.5 + np.ceil(N_ENTRIES / self._legend_columns()))
        self.axes_ = np.array(stack_panels(self.ax_, heights, header))
        pairs = zip(self.axes_[:n_shown], self.features_, strict=True)
        self.lines_ = np.array(
            [
                _draw_feature(panel, sequence[:, i], reconstruction[:, i])
                for panel, i in pairs
            ]
        )
        if self.frame_scores is not None:
            self._draw_scores(self.axes_[-1])
        self._label_panels(names)
        write_title(self.ax_, self._title())
        return self

    def _title(self) -> str:
        parts = [] if self.name is None else [self.name]
        if self.frame_scores is not None and self.threshold is not None:
            is_anomaly = np.mean(self.frame_scores) > self.threshold
            parts.append("anomalous" if is_anomaly else "normal")
        return ": ".join(parts)

    def _checked(self) -> tuple[np.ndarray, np.ndarray]:
        sequence, reconstruction = map(np.asarray, (self.sequence, self.reconstruction))
        if sequence.ndim != 2 or sequence.shape != reconstruction.shape:
            raise ValueError(
                "sequence and reconstruction must both have the shape (n_frames, "
                f"n_features). Got {sequence.shape} and {reconstruction.shape}."
            )
        scores = self.frame_scores
        if scores is not None and np.shape(scores) != (len(sequence),):
            raise ValueError(
                "frame_scores must hold one score per frame, "
                f"{counted(len(sequence), 'score')} in all. Got the shape "
                f"{np.shape(scores)}."
            )
        return sequence, reconstruction

    def _draw_scores(self, panel) -> None:
        scores = np.asarray(self.frame_scores)
        steps = np.arange(len(scores))
        marker = "." if len(scores) == 1 else None
        panel.fill_between(steps, scores, color=GREEN, alpha=0.3, linewidth=0)
        panel.plot(
            steps, scores, color=GREEN, linewidth=1, marker=marker, label="frame score"
        )
        mean, line = scores.mean(), {"color": GREEN, "linestyle": "--", "linewidth": 1}
        panel.axhline(mean, label=f"mean: {mean:.2g}", **line)
        if self.threshold is not None:
            label = f"threshold: {self.threshold:.2g}"
            style = {"color": ink(panel), "linestyle": ":"}
            panel.axhline(self.threshold, label=label, **style)
        panel.set_ylim(bottom=min(0.0, scores.min()))

    def _label_panels(self, names) -> None:
        labels = [names[i] for i in self.features_]
        labels += ["score"] if self.frame_scores is not None else []
        label_panels(self.axes_, labels)
        tick_integers(self.axes_[-1].xaxis)
        some = left_out(len(self.features_), len(names))
        self.axes_[-1].set_xlabel(f"frame{some}")
        self._add_legend()

    def _legend_columns(self) -> int:
        width, _ = size_in_points(self.ax_)
        return int(np.clip(width // LEGEND_ENTRY, 1, N_ENTRIES))

    def _add_legend(self) -> None:
        panels = [self.axes_[0], *self.axes_[len(self.features_) :]]
        pairs = [panel.get_legend_handles_labels() for panel in panels]
        handles = [handle for found, _ in pairs for handle in found]
        labels = [label for _, found in pairs for label in found]
        self.ax_.legend(
            handles,
            labels,
            loc="upper right",
            ncols=self._legend_columns(),
            frameon=False,
            borderaxespad=0,
            columnspacing=1.2,
            fontsize="small",
        )


def _draw_feature(panel, values, reconstructed) -> list:
    steps = np.arange(len(values))
    marker = "." if len(values) == 1 else None  # a single point draws no line
    panel.fill_between(steps, values, reconstructed, color=SKY, alpha=0.35, linewidth=0)
    return [
        *panel.plot(steps, values, color=BLUE, marker=marker, label="sequence"),
        *panel.plot(
            steps,
            reconstructed,
            color=ORANGE,
            linestyle="--",
            marker=marker,
            label="reconstruction",
        ),
    ]


def _worst_features(sequence, reconstruction) -> np.ndarray:
    """Features by their mean error, relative to their range; the worst first."""
    span = np.ptp(np.concatenate([sequence, reconstruction]), axis=0)
    errors = np.abs(sequence - reconstruction).mean(axis=0)
    return np.argsort(-errors / np.where(span > 0, span, 1), kind="stable")


def _threshold(coder, X) -> float | None:
    """The threshold, unless the scores are of another measure than in fit."""
    try:
        coder.decision_function(X)
    except ValueError:
        return None
    return -coder.offset_
