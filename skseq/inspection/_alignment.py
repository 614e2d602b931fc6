"""`AlignmentDisplay`: what a CTC reader sees in each frame, and where labels lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skseq._parameters import (
    BOOLEAN,
    NON_NEGATIVE_INT,
    NONE,
    POSITIVE_REAL,
    OneOf,
    check_value,
)
from skseq._results import LabelSpan
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
from skseq.inspection._colors import ORANGE
from skseq.inspection._fitted import (
    as_seen,
    asked_about,
    last_step,
    steps_of,
    take_sample,
)
from skseq.inspection._input_panel import (
    draw_input,
    frames_of,
    height_of,
    stride_of,
    time_axis,
)

# A label is shown if it is aligned, or if it is this probable in some frame.
VISIBLE = 0.1
MAX_ROWS = 40

AUTO = OneOf(("auto",))

CONSTRAINTS = {
    "is_image": BOOLEAN,
    "stride": (POSITIVE_REAL, NONE),
    "skip_frames": NON_NEGATIVE_INT,
    "hop_seconds": (POSITIVE_REAL, NONE),
}

HEADER = 22.0  # points above the aligned labels, for their name
MOST_ABOVE = 0.4  # the largest share of the height for both


class AlignmentDisplay:
    """Posteriors of a CTC reader over frames, with labels aligned to them.

    Above them is the input, if it is given: features as a spectrogram, an image, or
    lines if there are up to four.

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
    frames : array-like of shape (n_frames, n_features), default=None
        What was read, to be shown above. None shows the posteriors alone.
    is_image : bool, default=False
        Whether `frames` are the columns of an image, whose first feature is its upper
        row. False draws the first feature at the bottom.
    stride : float, default=None
        How many frames one output frame stands for. None takes what explains the number
        of both, or 1 without `frames`.
    skip_frames : int, default=0
        How many output frames were left out at the start.
    hop_seconds : float, default=None
        Seconds from one frame to the next, to show seconds. None counts frames, or
        columns of an image, or output frames where `frames` is None.
    title : str, default=None
        What stands above. None leaves it empty.

    Attributes
    ----------
    input_im_ : matplotlib AxesImage or None
        The input, unless it is drawn as lines.
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
    axes_ : ndarray of matplotlib Axes
        The panels: the input, if it is shown, and the posteriors, which are `ax_`
        itself if they are alone.
    ax_ : matplotlib Axes
        The axes with the plot, or those that hold the panels.
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
        frames: ArrayLike | None = None,
        is_image: bool = False,
        stride: float | None = None,
        skip_frames: int = 0,
        hop_seconds: float | None = None,
        title: str | None = None,
    ):
        self.posteriors = posteriors
        self.spans = spans
        self.classes = classes
        self.spans_name = spans_name
        self.frames = frames
        self.is_image = is_image
        self.stride = stride
        self.skip_frames = skip_frames
        self.hop_seconds = hop_seconds
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        sample=0,
        show_input=True,
        is_image="auto",
        hop_seconds="auto",
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
        show_input : bool, default=True
            Whether to show the frames above, as the network reads them.
        is_image : bool or "auto", default="auto"
            Whether frames are the columns of an image. "auto" looks whether the front
            end is "image".
        hop_seconds : float, None or "auto", default="auto"
            Seconds from one frame to the next, to show seconds. "auto" takes those of
            the :class:`~skseq.preprocessing.LogMel` or other step that has them. None
            counts frames.
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
            read = np.asarray(reader._frames_of(frames)[0])
        given = {"is_image": is_image, "hop_seconds": hop_seconds}
        display = cls(
            posteriors[0],
            spans,
            classes=reader.classes_.tolist(),
            spans_name="prediction" if y is None else "target",
            frames=read if show_input else None,
            title=f"sample {sample}",
            **_time_of(estimator, reader, len(read), len(posteriors[0]), given),
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
        frames = frames_of(self.frames)
        self._axis = time_axis(
            len(posteriors),
            frames,
            stride=self.stride,
            skip_frames=self.skip_frames,
            hop_seconds=self.hop_seconds,
            is_image=self.is_image,
        )
        rows = self._visible(posteriors, classes)
        self.rows_ = [classes[i] for i in rows]
        shown = posteriors[:, [*rows, len(classes)]].T
        self._open(ax, shown, frames)
        self._draw_posteriors(shown, cmap, im_kw or {})
        self.input_im_ = self.colorbar_ = None
        if frames is not None:
            self.input_im_ = draw_input(
                self.axes_[0], frames, self._axis, self.is_image
            )
        if colorbar:
            self.colorbar_ = self._add_colorbar()
        self._draw_spans()
        self._label_axes()
        write_title(self.ax_, self.title)
        return self

    def _open(self, ax, shown, frames) -> None:
        owner = f"{type(self).__name__}.plot"
        width, height = _figure_size(shown)
        if frames is None:
            self.ax_ = open_axes(ax, owner, (width, height))
            panels = [self.ax_]
        else:
            heights = [height_of(frames, 0.8 * width, self.is_image), height]
            header = self._header(0.7 * width * POINTS_PER_INCH)
            size = width, sum(heights) + header / POINTS_PER_INCH
            self.ax_ = open_axes(ax, owner, size)
            if ax is not None:
                header = self._header(size_in_points(ax)[0])
            panels = stack_panels(self.ax_, heights, header, MOST_ABOVE)
        self.figure_ = self.ax_.figure
        self.axes_ = np.array(panels)

    def _header(self, width) -> float:
        """Points above the input, for the aligned labels in an axis of some width."""
        from skseq.inspection._ticks import height_above

        labels = [span.label for span in self.spans]
        middles = [(s.start + s.end + 1) / 2 for s in self.spans]
        shares = np.array(middles) / len(np.asarray(self.posteriors))
        return HEADER + height_above(labels, shares.tolist(), width)

    def _reach(self) -> float:
        """Points that the aligned labels may reach above the input or the plot."""
        return max(HEADER, MOST_ABOVE * size_in_points(self.ax_)[1] - HEADER)

    def _add_colorbar(self):
        """Put a colour bar beside the posteriors."""
        panel = self.axes_[-1]
        if panel is self.ax_:
            return self.figure_.colorbar(self.im_, ax=self.ax_, label="probability")
        return colorbar_beside(panel, self.im_, self.ax_)

    def _check(self, posteriors, classes) -> None:
        for name, allowed in CONSTRAINTS.items():
            check_value(type(self).__name__, name, getattr(self, name), allowed)
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
        panel = self.axes_[-1]
        n_rows, n_frames = shown.shape
        n_together = int(np.ceil(n_frames / size_in_points(panel)[0]))
        starts = np.arange(0, n_frames, n_together)
        columns = np.maximum.reduceat(shown, starts, axis=1)
        style = {
            "cmap": cmap,
            "vmin": 0,
            "vmax": 1,
            "aspect": "auto",
            "interpolation": "nearest",
            "extent": (
                *self._axis.edges(0, n_together * len(starts) - 1),
                *(n_rows - 0.5, -0.5),
            ),
        }
        self.im_ = panel.imshow(columns, **{**style, **im_kw})
        panel.set_xlim(*self._axis.edges(0, n_frames - 1))

    def _draw_spans(self) -> None:
        from matplotlib.patches import Rectangle

        self.boxes_ = []
        panel = self.axes_[-1]
        frame = size_in_points(panel)[0] / len(self.posteriors)
        edge = {"edgecolor": ORANGE, "linewidth": np.clip(0.3 * frame, 0.5, 1.5)}
        for span in self.spans:
            left, right = self._axis.edges(span.start, span.end)
            corner = left, self.rows_.index(span.label) - 0.5
            box = Rectangle(corner, right - left, 1, fill=False, **edge)
            self.boxes_.append(panel.add_patch(box))
            for above in self.axes_[:-1]:
                above.axvspan(left, right, fill=False, **edge)

    def _label_axes(self) -> None:
        from skseq.inspection._ticks import TokenAxis, label_axes

        top, panel = self.axes_[0], self.axes_[-1]
        if self.hop_seconds is None:
            tick_integers(panel.xaxis)
        if top is not panel:
            tick_integers(top.yaxis)
        panel.set(xlabel=self._axis.name, ylabel="label")
        self.spans_ax_ = top.secondary_xaxis("top", functions=(_same, _same))
        self.spans_ax_.set_xlim(panel.get_xlim())
        _put_in_place(self.spans_ax_)
        self.spans_ax_.set_xlabel(self.spans_name)
        labels = [span.label for span in self.spans]
        middles = [sum(self._axis.edges(s.start, s.end)) / 2 for s in self.spans]
        label_axes(
            TokenAxis(panel.yaxis, [*self.rows_, "blank"]),
            TokenAxis(self.spans_ax_.xaxis, labels, middles, self._reach()),
        )


def _same(frames):
    """The scale of the axis above: that of the axis below, in a form that pickles."""
    return frames


def _put_in_place(ax) -> None:
    """Give an axis above a plot its size, which it would have once it is drawn only."""
    ax.apply_aspect(ax.get_axes_locator()(ax, None))


def _figure_size(shown) -> tuple[float, float]:
    n_rows, n_frames = shown.shape
    width, height = 3.0 + 0.05 * n_frames, 1.6 + 0.2 * n_rows
    return float(np.clip(width, 5, 14)), float(np.clip(height, 3, 9))


def _time_of(estimator, reader, n_frames, n_outputs, given) -> dict[str, Any]:
    """What the x axis needs to know of a reader."""
    owner = "AlignmentDisplay.from_estimator"
    check_value(owner, "is_image", given["is_image"], (BOOLEAN, AUTO))
    check_value(owner, "hop_seconds", given["hop_seconds"], (POSITIVE_REAL, NONE, AUTO))
    if given["is_image"] == "auto":
        given["is_image"] = reader.front_end == "image"
    if given["hop_seconds"] == "auto":
        hops = [getattr(step, "hop_seconds", None) for step in steps_of(estimator)]
        given["hop_seconds"] = next(filter(None, hops), None)
    skip_frames = reader._settings["skip_frames"]
    stride = stride_of(n_frames, n_outputs + skip_frames)
    return {**given, "stride": stride, "skip_frames": skip_frames}


def _check_by_frame(posteriors, owner) -> None:
    if posteriors.dtype != object:
        raise ValueError(
            f"{owner} needs probabilities per frame, but the estimator was fitted on "
            "single labels. Fit it on label sequences, e.g. [[label] for label in y] "
            'with target="sequence".'
        )
