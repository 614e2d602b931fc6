"""`TrainingHistoryDisplay`: losses and scores, epoch by epoch."""

from collections.abc import Mapping, Sequence

import numpy as np

from skseq._engine.state import MONITORS
from skseq.inspection._axes import (
    BLACK,
    BLUE,
    ORANGE,
    import_pyplot,
    open_axes,
    stack_panels,
    tick_integers,
)
from skseq.inspection._fitted import last_step

VALIDATION = "val_"


class TrainingHistoryDisplay:
    """Losses and scores over the epochs of a fit, with the best epoch marked.

    It is recommended to use :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    history : dict of str to list of float
        One value per epoch. Names that differ by ``"val_"`` share a panel, for example
        "loss" and "val_loss".
    best_epoch : int, default=None
        The epoch to mark, counted from 1. None marks no epoch.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D
        The line of each entry of `history`.
    axes_ : ndarray of matplotlib Axes
        The panels; a single panel is `ax_` itself.
    ax_ : matplotlib Axes
        The axes with the plot, or those that hold the panels.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from skseq.inspection import TrainingHistoryDisplay
    >>> history = {"loss": [3.0, 1.0, 0.5], "val_loss": [3.0, 1.5, 1.6]}
    >>> display = TrainingHistoryDisplay(history, best_epoch=2).plot()
    >>> sorted(display.lines_)
    ['loss', 'val_loss']
    """

    def __init__(
        self,
        history: Mapping[str, Sequence[float]],
        *,
        best_epoch: int | None = None,
    ):
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, yscale="linear"):
        """Plot the history of a fitted estimator.

        The best epoch is the one that early stopping keeps: that of the highest
        "val_score", or else of the lowest "val_loss". Without a validation set no epoch
        is marked.

        Parameters
        ----------
        estimator : estimator of skseq, Pipeline or search
            Fitted. Of a pipeline the last step is used, of a search the best estimator.
        ax : matplotlib Axes, default=None
            Where to draw. It is divided if there are several panels. None makes a new
            figure.
        yscale : {"linear", "log"}, default="linear"
            Scale of the losses.

        Returns
        -------
        display : TrainingHistoryDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no history.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimator"
        import_pyplot(owner)
        trained = last_step(
            estimator,
            attribute="history_",
            example="CTCSequenceClassifier",
            owner=owner,
        )
        history = trained.history_
        display = cls(history, best_epoch=_best_epoch(history))
        return display.plot(ax, yscale=yscale)

    def plot(self, ax=None, *, yscale="linear"):
        """Draw one panel for the losses, and one for each other measure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. It is divided if there are several panels. None makes a new
            figure.
        yscale : {"linear", "log"}, default="linear"
            Scale of the losses.

        Returns
        -------
        display : TrainingHistoryDisplay
            This display.

        Raises
        ------
        TypeError, ValueError
            If the history is empty, or `ax` is not an Axes.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        groups = _groups(self.history)
        owner = f"{type(self).__name__}.plot"
        self.ax_ = open_axes(ax, owner, (6.4, 1.4 + 2.0 * len(groups)))
        self.figure_ = self.ax_.figure
        panels = [self.ax_]
        if len(groups) > 1:
            panels = stack_panels(self.ax_, [1.0] * len(groups))
        self.axes_ = np.array(panels)
        self.lines_ = {}
        for panel, (group, names) in zip(panels, groups.items(), strict=True):
            for name in names:
                self._draw(panel, name)
            self._mark_best(panel, names, is_named=panel is panels[0])
            panel.set(ylabel=group, yscale=yscale if group == "loss" else "linear")
            panel.legend()
        self._label_epochs(panels[-1])
        return self

    def _draw(self, panel, name) -> None:
        values = self.history[name]
        is_validation = name.startswith(VALIDATION)
        (self.lines_[name],) = panel.plot(
            range(1, len(values) + 1),
            values,
            color=ORANGE if is_validation else BLUE,
            linestyle="--" if is_validation else "-",
            marker="." if len(values) <= 50 else None,
            label=name,
        )

    def _mark_best(self, panel, names, *, is_named) -> None:
        if self.best_epoch is None:
            return
        label = f"best epoch: {self.best_epoch}" if is_named else None
        panel.axvline(
            self.best_epoch, color=BLACK, linestyle=":", linewidth=1, label=label
        )
        for name in names:
            values = self.history[name]
            if name.startswith(VALIDATION) and self.best_epoch <= len(values):
                panel.plot(
                    self.best_epoch, values[self.best_epoch - 1], "o", color=BLACK
                )

    def _label_epochs(self, panel) -> None:
        tick_integers(panel.xaxis)
        panel.set_xlabel("epoch")


def _groups(history) -> dict[str, list[str]]:
    """The names in a history by what they measure, the losses first."""
    if not history or not any(len(values) for values in history.values()):
        raise ValueError(
            "history must hold at least one measure with one value per epoch. Got "
            f"{history!r} instead."
        )
    groups: dict[str, list[str]] = {}
    for name in history:
        groups.setdefault(name.removeprefix(VALIDATION), []).append(name)
    return dict(sorted(groups.items(), key=lambda item: item[0] != "loss"))


def _best_epoch(history) -> int | None:
    """The epoch that early stopping would keep, counted from 1."""
    for name in reversed(MONITORS):
        values = np.asarray(history.get(name, []), dtype=np.float64)
        if np.isfinite(values).any():
            return int(np.nanargmin(MONITORS[name] * values)) + 1
    return None
