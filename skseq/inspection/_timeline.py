"""`TimelineDisplay`: true labels of frames above the predicted ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skseq._parameters import NONE, POSITIVE_REAL, check_value
from skseq._wording import counted
from skseq.inspection._axes import (
    POINTS_PER_INCH,
    colorbar_beside,
    import_pyplot,
    open_axes,
    size_in_points,
    stack_panels,
    tick_integers,
    write_title,
)
from skseq.inspection._fitted import as_seen, asked_about, last_step, take_sample
from skseq.inspection._frame_labels import (
    are_wrong,
    check_by_frame,
    check_distinct,
    labeled_runs,
    labels_of,
    only_sample,
    probabilities_of,
    right_in_words,
    runs_of,
    sorted_labels,
    tokens_of,
    visible_classes,
    without_marks,
)

# Rows of blocks, from top to bottom: where they lie on the y axis.
BANDS = {"true": (0.0, 1.0), "errors": (1.1, 1.4), "predicted": (1.5, 2.5)}
ALONE = {"predicted": (0.0, 1.0)}

# Heights in inches: of a row of blocks, of a row of probabilities, of all of these, of
# what is around the panels, and of a legend.
BAND, ROW, TALLEST, AROUND, LEGEND = 0.36, 0.2, 6.0, 0.8, 2.0

# A legend may take this share of the height of axes that are given. Labels on axes
# leave this share of a width.
LEGEND_SHARE, SHARE = 0.35, 0.8
HEADER_GAP = 4.0  # points below the legend

# Points that a letter takes beside the rows of probabilities, and the most letters.
LETTER, LONGEST = 6.0, 24


class TimelineDisplay:
    """The true label of each frame above the predicted one.

    Runs of frames with one label are blocks, with their names where these fit, and a
    legend where they do not. Between the two rows, frames with a wrong label are marked
    in black. Below are the probabilities of the classes, the darker the higher. Colors
    are those of Okabe and Ito, which color-blind people can tell apart; from the eighth
    class on they come again, hatched.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`. All
    parameters are stored as attributes.

    Parameters
    ----------
    y_true : str, list, tuple or array-like of shape (n_frames,) or None
        The true labels of one sequence. None shows the predicted ones alone.
    y_pred : str, list, tuple or array-like of shape (n_frames,)
        The predicted labels.
    probabilities : array-like of shape (n_frames, n_classes), default=None
        Probability of each class in each frame. None draws no panel for them.
    classes : array-like of shape (n_classes,), default=None
        The classes, in the order of the columns of `probabilities`, from which colors
        are given: with the same classes, several displays have the same colors. None
        takes the labels that there are, sorted.
    hop_seconds : float, default=None
        Seconds from one frame to the next, to show seconds. None counts frames.
    tokens : sequence of str of length n_frames, default=None
        What the frames are, if they are tokens, to show these on the x axis.
    unlabelled : label, default=None
        What marks frames without a label in `y_true`; they are left blank.

    Attributes
    ----------
    blocks_ : dict of str to dict of label to matplotlib PolyCollection
        The blocks of the rows "true" and "predicted", by label.
    errors_ : matplotlib PolyCollection or None
        The marks of frames with a wrong label. None without `y_true`.
    texts_ : list of matplotlib Text
        The names of the 300 longest blocks of each row, also those that do not fit and
        are not drawn.
    rows_ : list
        The classes whose probabilities are shown, from top to bottom.
    im_ : matplotlib AxesImage or None
        Their probabilities.
    colorbar_ : matplotlib Colorbar or None
        The color bar.
    legend_ : matplotlib Legend or None
        The legend, if there is a label whose name fits into none of its blocks.
    axes_ : ndarray of matplotlib Axes
        The panels: the blocks and, if there are probabilities, those.
    ax_ : matplotlib Axes
        The axes that hold the panels.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.metrics.frame_accuracy : The share of frames with the right label.
    skseq.metrics.segment_error_rate : Counts runs, however long they are.

    Examples
    --------
    >>> from skseq.inspection import TimelineDisplay
    >>> display = TimelineDisplay.from_predictions("aaabbb", "aabbbb", hop_seconds=0.01)
    >>> sorted(display.blocks_["true"])
    ['a', 'b']
    """

    def __init__(
        self,
        y_true: Sequence[Any] | ArrayLike | None,
        y_pred: Sequence[Any] | ArrayLike,
        *,
        probabilities: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        hop_seconds: float | None = None,
        tokens: Sequence[str] | None = None,
        unlabelled: str | int | bool | None = None,
    ):
        self.y_true = y_true
        self.y_pred = y_pred
        self.probabilities = probabilities
        self.classes = classes
        self.hop_seconds = hop_seconds
        self.tokens = tokens
        self.unlabelled = unlabelled

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        sample=0,
        show_probabilities=True,
        hop_seconds=None,
        ax=None,
        cmap="Greys",
        colorbar=True,
    ):
        """Plot what a fitted estimator predicts for the frames of one sample.

        Parameters
        ----------
        estimator : SequenceTagger or other estimator, Pipeline or search
            Fitted; predicts one label per frame and has `classes_`. Of a pipeline the
            last step is used, of a search the best estimator.
        X : collection of sequences
            As in the estimator's `predict`.
        y : collection of label sequences, default=None
            The true labels, one per frame; None shows the prediction alone. Marks of
            `unlabelled` are left blank.
        sample : int, default=0
            Which sample to show: the index into `X`, as the last step sees it.
        show_probabilities : bool, default=True
            Whether to show what `predict_proba` returns, if the estimator has it.
        hop_seconds : float, default=None
            Seconds from one frame to the next, to show seconds. None counts frames, or
            shows the tokens of a sequence of str.
        ax : matplotlib Axes, default=None
            Where to draw. It is divided into panels. None makes a new figure.
        cmap : str or matplotlib Colormap, default="Greys"
            Colors of probabilities from 0 to 1.
        colorbar : bool, default=True
            Whether to add a color bar for the probabilities.

        Returns
        -------
        display : TimelineDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator does not predict one label per frame.
        ValueError
            If the labels, the prediction and the probabilities of the sample do not
            have one entry per frame each.
        IndexError
            If there is no such sample.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        needed = {"example": "SequenceTagger", "owner": owner}
        last_step(estimator, attribute="predict", **needed)
        tagger = last_step(estimator, attribute="classes_", **needed)
        sequences, labels = take_sample(as_seen(estimator, X), y, sample)
        with asked_about(sample):
            predicted = tagger.predict(sequences)
            probabilities = None
            if show_probabilities and hasattr(tagger, "predict_proba"):
                probabilities = only_sample(tagger.predict_proba(sequences))
            check_by_frame(predicted, tagger, owner)
            tokens = tokens_of(only_sample(sequences)) if hop_seconds is None else None
            display = cls(
                None if labels is None else only_sample(labels),
                only_sample(predicted),
                probabilities=probabilities,
                classes=np.asarray(tagger.classes_).tolist(),
                hop_seconds=hop_seconds,
                tokens=tokens,
                unlabelled=getattr(tagger, "unlabelled", None),
            )
            return display.plot(ax, cmap=cmap, colorbar=colorbar)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        probabilities=None,
        classes=None,
        hop_seconds=None,
        tokens=None,
        unlabelled=None,
        ax=None,
        cmap="Greys",
        colorbar=True,
    ):
        """Plot given labels of the frames of one sequence.

        Parameters
        ----------
        y_true : str, list, tuple or array-like of shape (n_frames,) or None
            The true labels of one sequence. None shows the predicted ones alone.
        y_pred : str, list, tuple or array-like of shape (n_frames,)
            The predicted labels.
        probabilities : array-like of shape (n_frames, n_classes), default=None
            Probability of each class in each frame. None draws no panel for them.
        classes : array-like of shape (n_classes,), default=None
            The classes, in the order of the columns of `probabilities`, from which
            colors are given. None takes the labels that there are, sorted.
        hop_seconds : float, default=None
            Seconds from one frame to the next, to show seconds. None counts frames.
        tokens : sequence of str of length n_frames, default=None
            What the frames are, if they are tokens, to show these on the x axis.
        unlabelled : label, default=None
            What marks frames without a label in `y_true`; they are left blank.
        ax, cmap, colorbar
            As in :meth:`plot`.

        Returns
        -------
        display : TimelineDisplay
            The display, drawn.

        Raises
        ------
        TypeError, ValueError, ImportError
            As :meth:`plot`.
        """
        display = cls(
            y_true,
            y_pred,
            probabilities=probabilities,
            classes=classes,
            hop_seconds=hop_seconds,
            tokens=tokens,
            unlabelled=unlabelled,
        )
        return display.plot(ax, cmap=cmap, colorbar=colorbar)

    def plot(self, ax=None, *, cmap="Greys", colorbar=True):
        """Draw the rows of blocks, and the probabilities below.

        The first frame is 0 and lies around its number; over seconds, it reaches from 0
        to `hop_seconds`. Of many classes, the probabilities of at most 40 are shown:
        those that are labels and others that are likely in some frame. If there is no
        room for all frames, a column shows the highest probability of several.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. It is divided into panels. None makes a new figure.
        cmap : str or matplotlib Colormap, default="Greys"
            Colors of probabilities from 0 to 1.
        colorbar : bool, default=True
            Whether to add a color bar for the probabilities.

        Returns
        -------
        display : TimelineDisplay
            This display.

        Raises
        ------
        TypeError
            If labels are not sequences of hashable labels, or `ax` is not an Axes.
        ValueError
            If labels, probabilities, classes and tokens do not fit together, or
            `hop_seconds` is not a positive number.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{type(self).__name__}.plot"
        import_pyplot(owner)
        labels = self._checked_labels()
        edges = self._checked_edges(len(labels["predicted"]))
        classes = self._checked_classes()
        probabilities = self.probabilities
        if probabilities is not None:
            shape = len(edges) - 1, len(classes)
            probabilities = probabilities_of(probabilities, shape)
        columns = visible_classes(labels, classes, probabilities)
        self.rows_ = [classes[i] for i in columns]
        key = self._open(ax, owner, labels, classes)
        names = self._draw_blocks(labels, edges, key)
        self.im_ = self.colorbar_ = None
        if probabilities is not None:
            self._draw_probabilities(probabilities[:, columns].T, edges, cmap)
            self.colorbar_ = self._add_colorbar() if colorbar else None
        self._label_axes(names)
        if self.errors_ is not None:
            write_title(self.ax_, right_in_words(*labels.values()))
        return self

    def _checked_labels(self) -> dict[str, list]:
        """The labels of each row of blocks, None where there is none."""
        y_pred = labels_of(self.y_pred, "y_pred")
        if not y_pred:
            raise ValueError("y_pred must hold at least one label. Got 0.")
        if self.y_true is None:
            return {"predicted": y_pred}
        y_true = labels_of(self.y_true, "y_true")
        if len(y_true) != len(y_pred):
            raise ValueError(
                "y_true and y_pred must both have one label per frame of one sequence. "
                f"y_true has {counted(len(y_true), 'label')}, and y_pred has "
                f"{len(y_pred)}."
            )
        return {"true": without_marks(y_true, self.unlabelled), "predicted": y_pred}

    def _checked_classes(self) -> list:
        classes = [] if self.classes is None else labels_of(self.classes, "classes")
        if self.probabilities is not None and not classes:
            raise ValueError(
                "probabilities need classes, in the order of their columns. Got none: "
                "pass classes=estimator.classes_."
            )
        check_distinct(classes)
        return classes

    def _checked_edges(self, n_frames) -> np.ndarray:
        """Where frames begin and end on the x axis."""
        owner = type(self).__name__
        check_value(owner, "hop_seconds", self.hop_seconds, (POSITIVE_REAL, NONE))
        tokens = None if self.tokens is None else labels_of(self.tokens, "tokens")
        if tokens is not None and len(tokens) != n_frames:
            raise ValueError(
                f"tokens must have one entry per label, {n_frames}. Got {len(tokens)}."
            )
        if self.hop_seconds is None:
            return np.arange(n_frames + 1) - 0.5
        if tokens is not None:
            raise ValueError(
                "Set hop_seconds or tokens, not both. Tokens have no time."
            )
        return np.arange(n_frames + 1) * float(self.hop_seconds)

    def _open(self, ax, owner, labels, classes):
        """Make the panels, and a legend if one is needed; return the key of labels."""
        from skseq.inspection._blocks import draw_legend, key_of, plan_legend

        counts = Counter(label for row in labels.values() for label in row)
        del counts[None]
        known = [*classes, *sorted_labels(counts.keys() - set(classes))]
        counts = {label: counts[label] for label in known if label in counts}
        key = key_of(list(counts), known)
        width = float(np.clip(3.5 + 0.05 * len(labels["predicted"]), 6.5, 14.0))
        room = SHARE * width * POINTS_PER_INCH, LEGEND * POINTS_PER_INCH
        longest = max((min(LONGEST, len(str(row))) for row in self.rows_), default=0)
        margin = LETTER * longest
        if ax is not None:
            size = size_in_points(open_axes(ax, owner, (0, 0)))
            room = SHARE * max(size[0] - margin, 0), LEGEND_SHARE * size[1]
        rows = list(map(labeled_runs, labels.values()))
        plan = plan_legend(rows, counts, key, *room)
        header = plan.height + HEADER_GAP if plan else 0.0
        heights = self._heights(labels)
        height = AROUND + 1.1 * sum(heights) + header / POINTS_PER_INCH
        width += margin / POINTS_PER_INCH
        self.ax_ = open_axes(ax, owner, (width, height))
        self.figure_ = self.ax_.figure
        most = 0.8 if ax is None else 0.4
        self.axes_ = np.array(stack_panels(self.ax_, heights, header, most))
        self.legend_ = None
        if plan:
            self.legend_ = draw_legend(self.ax_, plan, key, self.axes_[0])
        return key

    def _heights(self, labels) -> list[float]:
        """Heights of the panels in inches."""
        heights = [BAND * _bands(labels)["predicted"][1]]
        if self.probabilities is not None:
            height = ROW * len(self.rows_)
            heights.append(float(np.clip(height, 2 * ROW, TALLEST)))
        return heights

    def _draw_blocks(self, labels, edges, key) -> dict[str, float]:
        """Draw a row of blocks for each kind of labels, and errors between two rows.

        Returns the names of the rows, and where they lie.
        """
        from skseq.inspection._blocks import Row, draw_blocks, mark_errors, write_names

        panel, bands = self.axes_[0], _bands(labels)
        panel.set_xlim(edges[0], edges[-1])
        panel.set_ylim(bands["predicted"][1], 0)  # from top to bottom
        self.blocks_, self.texts_, self.errors_ = {}, [], None
        for name, own in labels.items():
            row = Row(labeled_runs(own), edges, bands[name])
            self.blocks_[name] = draw_blocks(panel, row, key)
            self.texts_ += write_names(panel, row, key)
        names = list(bands)
        if len(labels) > 1:
            wrong = are_wrong(*labels.values())
            row = Row(list(runs_of(wrong.tolist())), edges, bands["errors"])
            self.errors_ = mark_errors(panel, row)
            names[1] = counted(np.count_nonzero(wrong), "error")
        panel.tick_params(axis="y", which="both", length=0)
        for side in panel.spines.values():
            side.set_visible(False)
        return dict(zip(names, map(np.mean, bands.values()), strict=True))

    def _draw_probabilities(self, shown, edges, cmap) -> None:
        """Draw one column per frame, or per several frames if there is no room."""
        panel = self.axes_[1]
        n_rows, n_frames = shown.shape
        n_together = math.ceil(n_frames / size_in_points(panel)[0])
        starts = np.arange(0, n_frames, n_together)
        right = edges[0] + n_together * len(starts) * (edges[1] - edges[0])
        self.im_ = panel.imshow(
            np.maximum.reduceat(shown, starts, axis=1),
            cmap=cmap,
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="nearest",
            extent=(edges[0], right, n_rows - 0.5, -0.5),
        )
        panel.set_xlim(edges[0], edges[-1])

    def _add_colorbar(self):
        """Put a color bar beside the probabilities."""
        given = self.axes_[1], self.im_, self.ax_
        return colorbar_beside(*given, ticks=[0, 0.5, 1])

    def _label_axes(self, names) -> None:
        from skseq.inspection._ticks import TokenAxis, label_axes

        panel = self.axes_[-1]
        tokens = [TokenAxis(self.axes_[0].yaxis, list(names), list(names.values()))]
        if self.im_ is not None:
            tokens.append(TokenAxis(panel.yaxis, self.rows_))
        panel.set_xlabel("time (s)")
        if self.tokens is not None:
            panel.set_xlabel("token")
            tokens.append(TokenAxis(panel.xaxis, list(self.tokens)))
        elif self.hop_seconds is None:
            panel.set_xlabel("frame")
            tick_integers(panel.xaxis)
        label_axes(*tokens)


def _bands(labels) -> dict[str, tuple[float, float]]:
    return BANDS if len(labels) > 1 else ALONE
