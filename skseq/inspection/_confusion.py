"""`LabelConfusionDisplay`: which labels are mistaken for which others."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import is_outlier_detector

from skseq._data.collections import as_collection
from skseq._data.tokenizers import as_tokenizer, tokenizer_in_use
from skseq._parameters import NONE, OneOf, check_value
from skseq._wording import counted
from skseq.inspection._axes import (
    import_pyplot,
    open_axes,
    size_in_points,
    write_title,
)
from skseq.inspection._fitted import as_seen, last_step
from skseq.inspection._frame_labels import sorted_labels
from skseq.metrics import align_sequences

# Stands for no label at all.
NOTHING = "∅"

NOT_COUNTED = "0.85"  # the grey of hits
# What shares are of, as an axis says it.
MEANINGS = {
    "true": "shares of a true label",
    "pred": "shares of a predicted label",
    "all": "shares of all labels",
}
NORMALIZE = (OneOf(MEANINGS), NONE)

SMALLEST_TEXT = 5.0  # points
WIDTH_OF_DIGIT = 0.68  # as a share of the text's height


class LabelConfusionDisplay:
    """The labels with most errors: substitutions, deletions and insertions.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`. All
    parameters are stored as attributes.

    Parameters
    ----------
    confusions : dict of (true label, predicted label) to int
        How often each pair of labels was aligned, hits included; None stands for the
        missing partner of a deleted or an inserted label. See
        :meth:`skseq.metrics.Alignment.confusions`.

    Attributes
    ----------
    labels_ : list
        The labels that are shown, sorted.
    matrix_ : ndarray of shape (n_labels + 1, n_labels + 1), dtype=int
        How often a true label (row) was predicted as another (column). The last row
        counts insertions, the last column deletions.
    shares_ : ndarray of the shape of `matrix_`, dtype=float, or None
        What is drawn instead if `normalize` was set: shares in [0, 1].
    im_ : matplotlib AxesImage
        The errors; hits are grey.
    text_ : ndarray of the shape of `matrix_`, dtype=matplotlib Text, or None
        The counts or shares that are not 0. None if there is no room for them, or
        `include_values` is False.
    colorbar_ : matplotlib Colorbar or None
        The colour bar.
    ax_ : matplotlib Axes
        The axes with the plot.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.metrics.align_sequences : The alignment that is counted.

    Examples
    --------
    >>> from skseq.inspection import LabelConfusionDisplay
    >>> display = LabelConfusionDisplay.from_predictions(["kitten"], ["sittin"])
    >>> display.labels_
    ['e', 'i', 'k', 'n', 's', 't']
    """

    def __init__(self, confusions: Mapping[tuple[Any, Any], int]):
        self.confusions = confusions

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        n_labels=20,
        normalize=None,
        include_values=True,
        cmap="viridis",
        ax=None,
        colorbar=True,
        im_kw=None,
    ):
        """Plot the labels that a fitted estimator confuses.

        Parameters
        ----------
        estimator : CTCSequenceClassifier, Seq2SeqTranslator, Pipeline or search
            Fitted. Of a pipeline the last step is used, of a search the best estimator.
            The labels of a translator are its target tokens.
        X : collection of sequences
            As in the estimator's `predict`.
        y : collection of label sequences
            The true labels.
        n_labels, normalize, include_values, cmap, ax, colorbar, im_kw
            As in :meth:`plot`.

        Returns
        -------
        display : LabelConfusionDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator does not predict labels.
        ValueError
            If `y` does not have one entry per sample.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        reader = last_step(
            estimator, attribute="predict", example="CTCSequenceClassifier", owner=owner
        )
        _check_reader(reader, owner)
        y_pred = reader.predict(as_seen(estimator, X))
        return cls.from_predictions(
            tokens_of(reader, y),
            tokens_of(reader, y_pred),
            n_labels=n_labels,
            normalize=normalize,
            include_values=include_values,
            cmap=cmap,
            ax=ax,
            colorbar=colorbar,
            im_kw=im_kw,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        n_labels=20,
        normalize=None,
        include_values=True,
        cmap="viridis",
        ax=None,
        colorbar=True,
        im_kw=None,
    ):
        """Plot the labels that predictions confuse.

        Parameters
        ----------
        y_true, y_pred : collection of label sequences
            True and predicted labels: strings, whose labels are their characters,
            lists, tuples or arrays of labels, or single labels.
        n_labels, normalize, include_values, cmap, ax, colorbar, im_kw
            As in :meth:`plot`.

        Returns
        -------
        display : LabelConfusionDisplay
            The display, drawn.

        Raises
        ------
        TypeError, ValueError, ImportError
            As :meth:`plot`, or if the sequences cannot be aligned.
        """
        import_pyplot(f"{cls.__name__}.from_predictions")
        return cls(align_sequences(y_true, y_pred).confusions()).plot(
            ax,
            n_labels=n_labels,
            normalize=normalize,
            include_values=include_values,
            cmap=cmap,
            colorbar=colorbar,
            im_kw=im_kw,
        )

    def plot(
        self,
        ax=None,
        *,
        n_labels=20,
        normalize=None,
        include_values=True,
        cmap="viridis",
        colorbar=True,
        im_kw=None,
    ):
        """Draw the matrix of the labels with most errors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        n_labels : int, default=20
            How many labels to show at most, those with most errors first. Larger values
            show rarer errors, in smaller cells.
        normalize : {"true", "pred", "all"}, default=None
            What counts are divided by: all occurrences of the true label (rows), of the
            predicted one (columns), or all pairs, hits included, also of labels that
            are not shown. What has no label to be a share of, insertions by row and
            deletions by column, is divided by the number of all true or predicted ones.
            None draws counts.
        include_values : bool, default=True
            Whether to write the counts or shares, if there is room. A share of less
            than half a percent is written as 0.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours for the number or the share of errors.
        colorbar : bool, default=True
            Whether to add a colour bar.
        im_kw : dict, default=None
            Further arguments for `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : LabelConfusionDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If there are no confusions, `n_labels` is less than 1, `normalize` is
            another value, or `ax` is not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        check_value(type(self).__name__, "normalize", normalize, NORMALIZE)
        self.labels_ = _most_confused(self.confusions, n_labels)
        self.matrix_ = _matrix(self.confusions, self.labels_)
        self.shares_ = None
        if normalize is not None:
            totals = _totals(self.confusions, self.labels_, normalize)
            self.shares_ = self.matrix_ / np.maximum(totals, 1)
        side = float(np.clip(1.5 + 0.35 * len(self.matrix_), 4, 10))
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot", (side + 1, side))
        self.figure_ = self.ax_.figure
        self._draw_errors(cmap, im_kw or {})
        self.colorbar_ = self._add_colorbar() if colorbar else None
        self._label_axes(normalize)
        self.text_ = self._write_counts() if include_values else None
        write_title(self.ax_, self._verdict())
        return self

    def _draw_errors(self, cmap, im_kw) -> None:
        shown = self.matrix_ if self.shares_ is None else self.shares_
        is_hit = np.eye(len(shown), dtype=bool)
        errors = np.ma.masked_array(shown, is_hit)
        most = errors.filled(0).max()
        most = max(1, int(most)) if self.shares_ is None else float(most) or 1.0
        style = {"cmap": cmap, "vmin": 0, "vmax": most, "aspect": "auto"}
        self.im_ = self.ax_.imshow(errors, **{**style, **im_kw})
        self.im_.set_cmap(self.im_.get_cmap().with_extremes(bad=NOT_COUNTED))

    def _verdict(self) -> str:
        """Errors among all true labels, in a line."""
        errors = sum(n for (true, found), n in self.confusions.items() if true != found)
        total = sum(n for (true, _), n in self.confusions.items() if true is not None)
        return f"{counted(errors, 'error')} in {counted(total, 'label')}"

    def _add_colorbar(self):
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        style = {"label": "errors", "ticks": MaxNLocator(integer=True)}
        if self.shares_ is not None:
            style = {"label": "share of errors", "format": PercentFormatter(1.0)}
        return self.figure_.colorbar(self.im_, ax=self.ax_, **style)

    def _label_axes(self, normalize) -> None:
        from skseq.inspection._ticks import TokenAxis, label_axes

        shown = int(self.matrix_.sum() - np.trace(self.matrix_))
        total = sum(n for (true, found), n in self.confusions.items() if true != found)
        some = f"\n{shown} of {counted(total, 'error')} shown" if shown < total else ""
        names = [*self.labels_, NOTHING]
        label_axes(TokenAxis(self.ax_.xaxis, names), TokenAxis(self.ax_.yaxis, names))
        self.ax_.set(
            xlabel=f"predicted label ({NOTHING}: deleted){some}",
            ylabel=f"true label ({NOTHING}: inserted)",
        )
        if normalize is not None:
            axis = self.ax_.xaxis if normalize == "pred" else self.ax_.yaxis
            axis.set_label_text(f"{axis.get_label_text()}\n{MEANINGS[normalize]}")

    def _write_counts(self):
        counts = [[_short(n) for n in row] for row in self.matrix_]
        if self.shares_ is not None:
            counts = [[_percent(share) for share in row] for row in self.shares_]
        size = self._text_size(max(len(text) for row in counts for text in row))
        if size < SMALLEST_TEXT:
            return None
        texts = np.full(self.matrix_.shape, None, dtype=object)
        for i, j in zip(*np.nonzero(self.matrix_), strict=True):
            texts[i, j] = self.ax_.text(
                j,
                i,
                counts[i][j],
                ha="center",
                va="center",
                fontsize=size,
                color=self._text_color(i, j),
            )
        return texts

    def _text_size(self, n_characters) -> float:
        """Points of the largest text that fits into a cell."""
        import matplotlib

        whole = self.figure_.canvas.figure  # figure_ may be a subfigure
        whole.draw_without_rendering()  # lays out the axes
        width, height = size_in_points(self.ax_)
        n_cells = len(self.matrix_)
        fitting = width / n_cells / (n_characters + 0.5) / WIDTH_OF_DIGIT
        return min(matplotlib.rcParams["font.size"], 0.8 * height / n_cells, fitting)

    def _text_color(self, i, j) -> str:
        """Black on light colours, white on dark ones."""
        if i == j:
            return "black"
        shown = self.matrix_ if self.shares_ is None else self.shares_
        red, green, blue, _ = self.im_.cmap(self.im_.norm(shown[i, j]))
        return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"


def _short(count) -> str:
    return f"{count}" if count < 10000 else f"{count / 1000:.0f}k"


def _percent(share) -> str:
    return f"{100 * share:.0f}%"


def _check_reader(reader, owner) -> None:
    if is_outlier_detector(reader):
        raise TypeError(
            f"{owner} needs an estimator that predicts labels, such as "
            "CTCSequenceClassifier or Seq2SeqTranslator. Got the outlier detector "
            f"{type(reader).__name__} instead."
        )


def tokens_of(reader, y):
    """Label sequences; the texts of a translator are cut into its tokens."""
    if not hasattr(reader, "target_tokenizer"):
        return y
    parameter = "target_tokenizer"
    tokenizer = as_tokenizer(
        tokenizer_in_use(reader, "target"), parameter, type(reader).__name__
    )
    texts = as_collection(y, "y", "texts or token lists")
    return [tokenizer.split(t) if isinstance(t, str) else t for t in texts]


def _most_confused(confusions, n_labels) -> list:
    """The labels with most errors, then with most hits; sorted."""
    errors, hits = Counter(), Counter()
    for (true, found), n in confusions.items():
        if true == found:
            hits[true] += n
        else:
            errors.update({label: n for label in (true, found) if label is not None})
    if not errors and not hits:
        raise ValueError("confusions must hold at least one pair of labels. Got none.")
    if n_labels < 1:
        raise ValueError(f"n_labels must be at least 1. Got {n_labels!r} instead.")
    known = errors.keys() | hits.keys()
    ranked = sorted(known, key=lambda label: (-errors[label], -hits[label], str(label)))
    return sorted_labels(ranked[:n_labels])


def _matrix(confusions, labels) -> np.ndarray:
    places = {label: i for i, label in enumerate([*labels, None])}
    matrix = np.zeros((len(places), len(places)), dtype=np.int64)
    for (true, found), n in confusions.items():
        if true in places and found in places:
            matrix[places[true], places[found]] += n
    return matrix


def _totals(confusions, labels, normalize) -> np.ndarray:
    """What each cell is a share of: sums over all pairs, also of labels left out."""
    if normalize == "true":
        return _sums(confusions, labels, of=0)[:, np.newaxis]
    if normalize == "pred":
        return _sums(confusions, labels, of=1)
    return np.array(sum(confusions.values()))


def _sums(confusions, labels, *, of) -> np.ndarray:
    """How often each label is true (of=0) or predicted (of=1); last, any label is."""
    sums = Counter()
    for pair, n in confusions.items():
        sums[pair[of]] += n
    n_labels = sums.total() - sums[None]
    return np.array([*(sums[label] for label in labels), n_labels])
