"""`RiskCoverageDisplay`: the errors among the most confident predictions."""

from __future__ import annotations

from reprlib import repr as short_repr

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import column_or_1d

from skseq._data.collections import check_n_samples
from skseq.inspection._axes import (
    add_legend,
    import_pyplot,
    open_axes,
    without_formulas,
    write_title,
)
from skseq.inspection._colors import BLUE, ink
from skseq.inspection._confusion import tokens_of
from skseq.inspection._fitted import as_seen, last_step
from skseq.metrics import align_sequences


class RiskCoverageDisplay:
    """The sequence error rate among the most confident share of the predictions.

    Read it to decide which predictions to trust, and which to give to somebody [1]_: at
    a coverage of 0.8, the risk is the share of wrong sequences among the four fifths
    that the estimator is surest of. The dashed line is the optimum for as many errors:
    each of them less confident than all that is right. The area under a line is the
    mean risk over all numbers of predictions kept; smaller is better.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions`. All
    parameters are stored as attributes.

    Parameters
    ----------
    coverage : array-like of shape (n_points,)
        Shares of the predictions that are kept, rising, in (0, 1].
    risk : array-like of shape (n_points,)
        The sequence error rate among those.
    optimal_risk : array-like of shape (n_points,), default=None
        The least that it could be. None draws no dashed line.
    name : str, default=None
        What the legend calls the line. None leaves its area alone.

    Attributes
    ----------
    area_ : float
        The mean of `risk`: the area under the line.
    optimal_area_ : float or None
        The mean of `optimal_risk`.
    line_ : matplotlib Line2D
        The risk.
    optimal_line_ : matplotlib Line2D or None
        The optimum.
    ax_ : matplotlib Axes
        The axes with the plot.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    skseq.CTCSequenceClassifier.predict_confidence : The confidence of a prediction.

    References
    ----------
    .. [1] Y. Geifman and R. El-Yaniv, "Selective Classification for Deep Neural
       Networks", NeurIPS 2017.

    Examples
    --------
    >>> from skseq.inspection import RiskCoverageDisplay
    >>> display = RiskCoverageDisplay.from_predictions(
    ...     ["ab", "b", "a", "ba"], ["ab", "b", "b", "ba"], [0.9, 0.8, 0.7, 0.3]
    ... )
    >>> display.risk.round(2).tolist()
    [0.0, 0.0, 0.33, 0.25]
    """

    def __init__(
        self,
        coverage: ArrayLike,
        risk: ArrayLike,
        *,
        optimal_risk: ArrayLike | None = None,
        name: str | None = None,
    ):
        self.coverage = coverage
        self.risk = risk
        self.optimal_risk = optimal_risk
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, name=None, ax=None, line_kw=None):
        """Plot the risk of a fitted estimator by its own confidence.

        Parameters
        ----------
        estimator : CTCSequenceClassifier, Seq2SeqTranslator, Pipeline or search
            Fitted. Of a pipeline the last step is used, of a search the best estimator.
            The labels of a translator are its target tokens.
        X : collection of sequences
            As in the estimator's `predict`.
        y : collection of label sequences
            The true labels.
        name : str, default=None
            What the legend calls the line. None takes the estimator's class.
        ax, line_kw
            As in :meth:`plot`.

        Returns
        -------
        display : RiskCoverageDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `predict_confidence`.
        ValueError
            If `y` does not have one entry per sample.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        reader = last_step(
            estimator,
            attribute="predict_confidence",
            example="CTCSequenceClassifier",
            owner=owner,
        )
        X = as_seen(estimator, X)
        return cls.from_predictions(
            tokens_of(reader, y),
            tokens_of(reader, reader.predict(X)),
            reader.predict_confidence(X),
            name=type(reader).__name__ if name is None else name,
            ax=ax,
            line_kw=line_kw,
        )

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, confidence, *, name=None, ax=None, line_kw=None
    ):
        """Plot the risk of predictions by a confidence in each.

        Parameters
        ----------
        y_true, y_pred : collection of label sequences
            True and predicted labels: strings, lists, tuples or arrays of labels, or
            single labels. A prediction with any error is wrong.
        confidence : array-like of shape (n_samples,)
            How sure each prediction is: the higher, the surer. Predictions that are
            equally sure are kept in no order: the risk is the mean over all orders.
        name : str, default=None
            What the legend calls the line. None leaves its area alone.
        ax, line_kw
            As in :meth:`plot`.

        Returns
        -------
        display : RiskCoverageDisplay
            The display, drawn.

        Raises
        ------
        TypeError, ValueError, ImportError
            As :meth:`plot`, or if the sequences cannot be compared, or `confidence`
            does not hold one number for each of them.
        """
        import_pyplot(f"{cls.__name__}.from_predictions")
        is_wrong = align_sequences(y_true, y_pred).sample_errors > 0
        confidence = _checked_confidence(confidence, len(is_wrong))
        n_kept = np.arange(1, len(is_wrong) + 1)
        n_right = len(is_wrong) - np.count_nonzero(is_wrong)
        display = cls(
            n_kept / len(is_wrong),
            _errors_kept(is_wrong, confidence) / n_kept,
            optimal_risk=np.maximum(n_kept - n_right, 0) / n_kept,
            name=name,
        )
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the risk, and the optimum below it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kw : dict, default=None
            Further arguments for `matplotlib.axes.Axes.plot` of the risk.

        Returns
        -------
        display : RiskCoverageDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If coverage and risk are not numbers in [0, 1], one per point, or `ax` is
            not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        coverage = _checked_shares("coverage", self.coverage)
        risk = _checked_shares("risk", self.risk, len(coverage))
        optimum = self.optimal_risk
        if optimum is not None:
            optimum = _checked_shares("optimal_risk", optimum, len(coverage))
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot", (5.2, 3.9))
        self.figure_ = self.ax_.figure
        self.area_ = float(risk.mean())
        label = _with_area(self.name, self.area_)
        style = {"color": BLUE, "label": label, **(line_kw or {})}
        (self.line_,) = self.ax_.plot(coverage, risk, **style)
        self.optimal_area_ = self.optimal_line_ = None
        if optimum is not None:
            self.optimal_area_ = float(optimum.mean())
            label = _with_area("optimum", self.optimal_area_)
            style = {"color": ink(self.ax_), "linestyle": "--", "linewidth": 1}
            (self.optimal_line_,) = self.ax_.plot(
                coverage, optimum, label=label, **style
            )
        self.ax_.set(
            xlabel="coverage (share of the most confident)",
            ylabel="risk (sequence error rate)",
            xlim=(0, 1),
        )
        self.ax_.set_ylim(bottom=0)
        self._add_legend()
        write_title(self.ax_, f"{100 * risk[-1]:.3g} % of all sequences are wrong")
        return self

    def _add_legend(self) -> None:
        lines = [self.line_, self.optimal_line_]
        handles = [line for line in lines if line is not None]
        names = [str(line.get_label()) for line in handles]
        add_legend(self.ax_, handles, names)


def _with_area(name, area) -> str:
    text = f"area = {area:.3g}"
    return text if name is None else f"{without_formulas(str(name))} ({text})"


def _errors_kept(is_wrong, confidence) -> np.ndarray:
    """Errors among the k most confident, for each k; of equals, as many as expected."""
    levels, groups = np.unique(-confidence, return_inverse=True)
    sizes = np.bincount(groups, minlength=len(levels))
    errors = np.bincount(groups, weights=is_wrong, minlength=len(levels))
    per_sample = np.repeat(errors / sizes, sizes)
    return np.cumsum(per_sample)


def _checked_confidence(confidence, n_samples) -> np.ndarray:
    try:
        given = np.asarray(confidence)
        is_wrong = given.ndim != 1 or given.dtype.kind not in "biufO"
        given = given if is_wrong else given.astype(np.float64)
    except (TypeError, ValueError):  # rows of several lengths, or other objects
        is_wrong = True
    if is_wrong:
        raise ValueError(
            "confidence must hold one number per sample, as predict_confidence gives "
            f"it. Got {short_repr(confidence)}."
        )
    confidence = given
    check_n_samples("confidence", len(confidence), n_samples)
    if np.isnan(confidence).any():
        i = int(np.argmax(np.isnan(confidence)))
        raise ValueError(f"confidence must hold numbers. confidence[{i}] is NaN.")
    return confidence


def _checked_shares(name, values, n_points=None) -> np.ndarray:
    values = column_or_1d(values).astype(np.float64)
    if n_points is not None and len(values) != n_points:
        raise ValueError(
            f"{name} must have one entry per entry of coverage, {n_points}. Got "
            f"{len(values)}."
        )
    bad = np.flatnonzero(~((values >= 0) & (values <= 1 + 1e-9)))
    if not len(values) or len(bad):
        found = f"{name}[{bad[0]}] is {values[bad[0]]}" if len(bad) else "Got none"
        raise ValueError(f"{name} must be numbers in [0, 1], at least one. {found}.")
    return values
