"""`AlignmentDisplay`: what a CTC reader sees in each frame, and where labels lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from skseq._results import LabelSpan
from skseq._wording import counted
from skseq.inspection._axes import (
    ORANGE,
    import_pyplot,
    open_axes,
    size_in_points,
    tick_integers,
)
from skseq.inspection._fitted import as_seen, asked_about, last_step, take_sample

# A label is shown if it is aligned, or if it is this probable in some frame.
VISIBLE = 0.1
MAX_ROWS = 40


class AlignmentDisplay:
    """Posteriors of a CTC reader over frames, with labels aligned to them.

    It is recommended to use :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    posteriors : array-like of shape (n_output_frames, n_classes + 1)
        Probability of each label, and of the blank last, in each output frame.
    spans : list of LabelSpan
        The aligned labels, in order, with the output frames they lie on.
    classes : array-like of shape (n_classes,)
        The labels.
    spans_name : str, default="labels"
        The name of the aligned labels on their axis.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The posteriors of the labels that are shown, one per row, and of the blank.
    rows_ : list
        These labels, from top to bottom, without the blank, which is the last row.
    boxes_ : list of matplotlib Rectangle
        The spans.
    spans_ax_ : matplotlib Axes
        The axis with the aligned labels, above the plot.
    colorbar_ : matplotlib Colorbar or None
        The colour bar.
    ax_ : matplotlib Axes
        The axes with the plot.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.CTCSequenceClassifier.align : The spans.
    skseq.CTCSequenceClassifier.predict_proba : The posteriors.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq import LabelSpan
    >>> from skseq.inspection import AlignmentDisplay
    >>> posteriors = np.array([[0.9, 0.0, 0.1], [0.1, 0.0, 0.9], [0.0, 0.8, 0.2]])
    >>> spans = [LabelSpan("a", 0, 0, 0.9), LabelSpan("b", 2, 2, 0.8)]
    >>> AlignmentDisplay(posteriors, spans, classes=["a", "b"]).plot().rows_
    ['a', 'b']
    """

    def __init__(
        self,
        posteriors: ArrayLike,
        spans: Sequence[LabelSpan],
        *,
        classes: ArrayLike,
        spans_name: str = "labels",
    ):
        self.posteriors = posteriors
        self.spans = spans
        self.classes = classes
        self.spans_name = spans_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        sample=0,
        ax=None,
        cmap="viridis",
        colorbar=True,
        im_kw=None,
    ):
        """Plot the posteriors of one sample, and the alignment of its labels.

        Parameters
        ----------
        estimator : CTCSequenceClassifier, Pipeline or search
            Fitted on label sequences. Of a pipeline the last step is used, of a search
            the best estimator.
        X : collection of array-like of shape (n_frames, n_features)
            Sequences.
        y : collection of label sequences, default=None
            The labels to align. None aligns those that `predict` returns.
        sample : int, default=0
            Which sample to show: the index into `X`, as the last step sees it.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours from 0 to 1.
        colorbar : bool, default=True
            Whether to add a colour bar.
        im_kw : dict, default=None
            Further arguments for `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : AlignmentDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator cannot align.
        ValueError
            If the estimator was fitted on single labels, or the sequence has too few
            output frames for its labels.
        IndexError
            If there is no such sample.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        reader = last_step(
            estimator, attribute="align", example="CTCSequenceClassifier", owner=owner
        )
        frames, labels = take_sample(as_seen(estimator, X), y, sample)
        with asked_about(sample):
            posteriors = reader.predict_proba(frames)
            _check_by_frame(posteriors, owner)
            labels = reader.predict(frames) if y is None else labels
            (spans,) = reader.align(frames, labels)
        display = cls(
            posteriors[0],
            spans,
            classes=reader.classes_.tolist(),
            spans_name="prediction" if y is None else "target",
        )
        return display.plot(ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, cmap="viridis", colorbar=True, im_kw=None):
        """Draw posteriors, one row per label, and boxes where the aligned labels lie.

        The rows are the aligned labels, the blank, and other labels that are likely in
        some frame, up to 40 labels in all. The aligned labels stand above the plot;
        those that do not fit are left out. If there is no room for all frames, a column
        shows the highest posterior of several.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours from 0 to 1.
        colorbar : bool, default=True
            Whether to add a colour bar.
        im_kw : dict, default=None
            Further arguments for `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : AlignmentDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If posteriors, spans and classes do not fit together, or `ax` is not an
            Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        posteriors, classes = np.asarray(self.posteriors), list(self.classes)
        self._check(posteriors, classes)
        rows = self._visible(posteriors, classes)
        self.rows_ = [classes[i] for i in rows]
        shown = posteriors[:, [*rows, len(classes)]].T
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot", _figure_size(shown))
        self.figure_ = self.ax_.figure
        self._draw_posteriors(shown, cmap, im_kw or {})
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(
                self.im_, ax=self.ax_, label="probability"
            )
        self._draw_spans()
        self._label_axes()
        return self

    def _check(self, posteriors, classes) -> None:
        if posteriors.ndim != 2 or posteriors.shape[1] != len(classes) + 1:
            raise ValueError(
                "posteriors must have one row per frame and one column per label, the "
                f"blank last. Got the shape {posteriors.shape} for "
                f"{counted(len(classes), 'class', 'classes')}."
            )
        unknown = [span.label for span in self.spans if span.label not in classes]
        if unknown:
            raise ValueError(
                f"The labels of spans must be among the classes. Got {unknown[0]!r}."
            )

    def _visible(self, posteriors, classes) -> list[int]:
        """The classes to show: the aligned ones and the likeliest of the others."""
        aligned = {classes.index(label) for label in {s.label for s in self.spans}}
        peaks = posteriors[:, :-1].max(axis=0, initial=0)
        likely = [i for i in np.argsort(-peaks, kind="stable") if peaks[i] >= VISIBLE]
        others = [i for i in likely if i not in aligned]
        return sorted([*aligned, *others[: max(0, MAX_ROWS - len(aligned))]])

    def _draw_posteriors(self, shown, cmap, im_kw) -> None:
        """Draw one column per frame, or per several frames if there is no room."""
        n_rows, n_frames = shown.shape
        n_together = int(np.ceil(n_frames / size_in_points(self.ax_)[0]))
        starts = np.arange(0, n_frames, n_together)
        columns = np.maximum.reduceat(shown, starts, axis=1)
        style = {
            "cmap": cmap,
            "vmin": 0,
            "vmax": 1,
            "aspect": "auto",
            "interpolation": "nearest",
            "extent": (-0.5, n_together * len(starts) - 0.5, n_rows - 0.5, -0.5),
        }
        self.im_ = self.ax_.imshow(columns, **{**style, **im_kw})
        self.ax_.set_xlim(-0.5, n_frames - 0.5)

    def _draw_spans(self) -> None:
        from matplotlib.patches import Rectangle

        self.boxes_ = []
        frame = size_in_points(self.ax_)[0] / len(self.posteriors)
        edge = {"edgecolor": ORANGE, "linewidth": np.clip(0.3 * frame, 0.5, 1.5)}
        for span in self.spans:
            corner = span.start - 0.5, self.rows_.index(span.label) - 0.5
            width = span.end - span.start + 1
            box = Rectangle(corner, width, 1, fill=False, **edge)
            self.boxes_.append(self.ax_.add_patch(box))

    def _label_axes(self) -> None:
        from skseq.inspection._ticks import TokenAxis, label_axes

        tick_integers(self.ax_.xaxis)
        self.ax_.set(xlabel="output frame", ylabel="label")
        self.spans_ax_ = self.ax_.secondary_xaxis("top", functions=(_same, _same))
        self.spans_ax_.set_xlim(self.ax_.get_xlim())
        self.spans_ax_.set_xlabel(self.spans_name)
        labels = [span.label for span in self.spans]
        middles = [(span.start + span.end) / 2 for span in self.spans]
        label_axes(
            TokenAxis(self.ax_.yaxis, [*self.rows_, "blank"]),
            TokenAxis(self.spans_ax_.xaxis, labels, middles),
        )


def _same(frames):
    """The scale of the axis above: that of the axis below, in a form that pickles."""
    return frames


def _figure_size(shown) -> tuple[float, float]:
    n_rows, n_frames = shown.shape
    width, height = 3.0 + 0.05 * n_frames, 1.6 + 0.2 * n_rows
    return float(np.clip(width, 5, 14)), float(np.clip(height, 3, 9))


def _check_by_frame(posteriors, owner) -> None:
    if posteriors.dtype != object:
        raise ValueError(
            f"{owner} needs probabilities per frame, but the estimator was fitted on "
            "single labels. Fit it on label sequences, e.g. [[label] for label in y] "
            'with target="sequence".'
        )
