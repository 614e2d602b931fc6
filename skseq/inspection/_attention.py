"""`AttentionDisplay`: where a translator looks while it writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skseq._data.tokenizers import tokenizer_in_use
from skseq._data.tokens import check_tokens
from skseq._wording import counted
from skseq.inspection._axes import import_pyplot, open_axes, write_title
from skseq.inspection._fitted import as_seen, asked_about, last_step, take_sample

INCHES_PER_TOKEN = 0.28


class AttentionDisplay:
    """Attention of a translator: source tokens by output tokens.

    It is recommended to use :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    attention : array-like of shape (n_output_tokens, n_source_tokens)
        How much each output token attends to each source token; rows sum to 1.
    source_tokens : list of length n_source_tokens
        The tokens that were read.
    output_tokens : list of length n_output_tokens
        The tokens that were written.
    title : str, default=None
        What stands above. None leaves it empty.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The attention.
    colorbar_ : matplotlib Colorbar or None
        The colour bar.
    ax_ : matplotlib Axes
        The axes with the plot.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.Seq2SeqTranslator.predict_attention : The attention as arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.inspection import AttentionDisplay
    >>> attention = np.array([[0.1, 0.9], [0.8, 0.2]])
    >>> display = AttentionDisplay(attention, ["le", "chat"], ["cat", "the"])
    >>> display.plot().im_.get_array().shape
    (2, 2)
    """

    def __init__(
        self,
        attention: ArrayLike,
        source_tokens: Sequence[Any],
        output_tokens: Sequence[Any],
        *,
        title: str | None = None,
    ):
        self.attention = attention
        self.source_tokens = source_tokens
        self.output_tokens = output_tokens
        self.title = title

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
        """Plot the attention of a fitted translator over one sample.

        Parameters
        ----------
        estimator : Seq2SeqTranslator, Pipeline or search
            Fitted. Of a pipeline the last step is used, of a search the best estimator.
        X : collection of str, or of lists, tuples or 1-D arrays of tokens
            Sources.
        y : as `X`, default=None
            The outputs whose attention to show (teacher forcing). None takes those that
            `predict` returns.
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
        display : AttentionDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `predict_attention`.
        ValueError
            If the estimator was fitted without attention, or the output is empty.
        IndexError
            If there is no such sample.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        translator = last_step(
            estimator,
            attribute="predict_attention",
            example="Seq2SeqTranslator",
            owner=owner,
        )
        sources, targets = take_sample(as_seen(estimator, X), y, sample)
        with asked_about(sample):
            targets = translator.predict(sources) if targets is None else targets
            _check_not_empty(targets)
            (attention,) = translator.predict_attention(sources, targets)
        display = cls(
            attention,
            _cut(translator, sources, "X", "source"),
            _cut(translator, targets, "y", "target"),
            title=f"sample {sample}",
        )
        return display.plot(ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, cmap="viridis", colorbar=True, im_kw=None):
        """Draw the attention, one row per output token and one column per source token.

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
        display : AttentionDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If attention and tokens do not fit together, or `ax` is not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        attention = np.asarray(self.attention)
        self._check(attention)
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot", _figure_size(attention))
        self.figure_ = self.ax_.figure

        from skseq.inspection._ticks import TokenAxis, label_axes

        style = {"cmap": cmap, "vmin": 0, "vmax": 1, "aspect": "auto"}
        self.im_ = self.ax_.imshow(attention, **{**style, **(im_kw or {})})
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(
                self.im_, ax=self.ax_, label="attention"
            )
        label_axes(
            TokenAxis(self.ax_.xaxis, self.source_tokens),
            TokenAxis(self.ax_.yaxis, self.output_tokens),
        )
        self.ax_.set(xlabel="source", ylabel="output")
        write_title(self.ax_, self.title)
        return self

    def _check(self, attention) -> None:
        shape = len(self.output_tokens), len(self.source_tokens)
        if attention.shape != shape or 0 in shape:
            raise ValueError(
                "attention must have one row per output token and one column per "
                "source token, at least one of each. Got the shape "
                f"{attention.shape} for {counted(shape[0], 'output token')} and "
                f"{counted(shape[1], 'source token')}."
            )


def _figure_size(attention) -> tuple[float, float]:
    n_rows, n_columns = attention.shape
    width = np.clip(2.0 + INCHES_PER_TOKEN * n_columns, 4.5, 14)
    return float(width), float(np.clip(1.2 + INCHES_PER_TOKEN * n_rows, 3, 10))


def _check_not_empty(targets) -> None:
    if len(targets[0]) == 0:
        raise ValueError(
            "The output of X[0] is empty, so there is no attention to show. "
            "Pass another sample, or pass the output as y."
        )


def _cut(translator, texts, name, side) -> list:
    """The tokens of a collection of one text."""
    return check_tokens(
        texts,
        name,
        tokenizer=tokenizer_in_use(translator, side),
        parameter=f"{side}_tokenizer",
        estimator_name=type(translator).__name__,
    ).sequences[0]
