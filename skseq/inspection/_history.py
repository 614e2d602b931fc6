"""`TrainingHistoryDisplay`: losses and scores, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skseq._engine.state import MONITORS
from skseq._wording import counted
from skseq.inspection._axes import (
    add_legend,
    import_pyplot,
    legend_place,
    open_axes,
    stack_panels,
    tick_integers,
    write_title,
)
from skseq.inspection._colors import BLUE, GREEN, ORANGE, PURPLE, SKY, ink
from skseq.inspection._fitted import last_step

VALIDATION = "val_"

# Of several fits, colors and, where these come again, markers tell one from another.
COLORS = (BLUE, ORANGE, GREEN, PURPLE, SKY, None)  # None is that of text
MARKERS = ("", "o", "^", "s", "D", "v")
MOST_FITS = len(COLORS) * len(MARKERS)

# Of a legend: fits in a column, and entries that stand inside a panel.
COLUMN = 12
MOST_INSIDE = 6
PALE = 0.7  # opacity of the line that stands for validation


class TrainingHistoryDisplay:
    """Losses and scores over the epochs of one fit or several, best epochs marked.

    Of several fits, each has a color; the dashed lines are those of validation. It is
    recommended to use :meth:`from_estimator` or :meth:`from_estimators`. All parameters
    are stored as attributes.

    Parameters
    ----------
    history : dict of str to list of float, or dict of str to such dicts
        One value per epoch. Names that differ by ``"val_"`` share a panel, for example
        "loss" and "val_loss". Of several fits, the histories by their names.
    best_epoch : int or dict of str to int, default=None
        The epoch to mark, counted from 1; of several fits, by their names. None marks
        no epoch.
    title : str, default=None
        What stands above. None leaves it empty.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D, or dict of str to such dicts
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
        history: Mapping[str, Sequence[float]] | Mapping[str, Mapping[str, Any]],
        *,
        best_epoch: int | Mapping[str, int | None] | None = None,
        title: str | None = None,
    ):
        self.history = history
        self.best_epoch = best_epoch
        self.title = title

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
        trained = _trained(estimator, owner)
        history = trained.history_
        title = f"{type(trained).__name__}: {counted(trained.n_iter_, 'epoch')}"
        display = cls(history, best_epoch=_best_epoch(history), title=title)
        return display.plot(ax, yscale=yscale)

    @classmethod
    def from_estimators(cls, estimators, *, ax=None, yscale="linear"):
        """Plot the histories of several fitted estimators in the same panels.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimators
            Fitted estimators of skseq, pipelines or searches, by the names that the
            legend has for them. Those of a list are called by class and place.
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
            If an estimator is not fitted.
        TypeError
            If an estimator has no history.
        ValueError
            If there are no estimators, or more than can be told apart.
        ImportError
            If matplotlib is not installed: ``pip install "skseq[plot]"``.
        """
        owner = f"{cls.__name__}.from_estimators"
        import_pyplot(owner)
        named = _named(estimators, owner)
        histories = {n: _trained(e, owner).history_ for n, e in named.items()}
        best = {name: _best_epoch(own) for name, own in histories.items()}
        return cls(histories, best_epoch=best).plot(ax, yscale=yscale)

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
        fits = self._fits()
        groups = _groups(fits)
        owner = f"{type(self).__name__}.plot"
        self.ax_ = open_axes(ax, owner, (6.4, 1.4 + 2.0 * len(groups)))
        self.figure_ = self.ax_.figure
        panels = [self.ax_]
        if len(groups) > 1:
            panels = stack_panels(self.ax_, [1.0] * len(groups))
        self.axes_ = np.array(panels)
        lines = {name: {} for name in fits}
        for panel, (group, names) in zip(panels, groups.items(), strict=True):
            for fit, look in zip(fits, _looks(len(fits), panel), strict=True):
                for name in filter(fits[fit].__contains__, names):
                    own = {**look, "color": ORANGE} if _is_other(fit, name) else look
                    lines[fit][name] = _draw(panel, name, fits[fit][name], own)
                self._mark_best(panel, fits[fit], names, fit)
            panel.set(ylabel=group, yscale=yscale if group == "loss" else "linear")
        self.lines_ = lines if self._are_several() else lines[None]
        self._add_legends(lines, groups)
        tick_integers(panels[-1].xaxis)
        panels[-1].set_xlabel("epoch")
        write_title(self.ax_, self.title)
        return self

    def _are_several(self) -> bool:
        return any(isinstance(own, Mapping) for own in self.history.values())

    def _fits(self) -> dict[Any, Mapping]:
        """Histories by the names of their fits; None is the name of a single one."""
        if not isinstance(self.history, Mapping):
            raise TypeError(
                "history must be a dict of lists, one value per epoch, or a dict of "
                f"such dicts. Got {type(self.history).__name__} instead."
            )
        if not self._are_several():
            return {None: self.history}
        odd = [n for n, own in self.history.items() if not isinstance(own, Mapping)]
        if odd:
            raise TypeError(
                "history must hold lists or dicts of lists, not both. "
                f"history[{odd[0]!r}] is not a dict."
            )
        if len(self.history) > MOST_FITS:
            raise ValueError(
                f"history must hold at most {MOST_FITS} fits, as more cannot be told "
                f"apart. Got {len(self.history)}."
            )
        return dict(self.history)

    def _best(self, fit) -> int | None:
        return self.best_epoch if fit is None else (self.best_epoch or {}).get(fit)

    def _mark_best(self, panel, history, names, fit) -> None:
        """A dot on the validation of the best epoch; of a single fit, a line too."""
        best = self._best(fit)
        if best is None:
            return
        if fit is None:
            panel.axvline(best, color=ink(panel), linestyle=":", linewidth=1)
        for name in names:
            values = history.get(name, ())
            if name.startswith(VALIDATION) and best <= len(values):
                panel.plot(best, values[best - 1], "o", color=ink(panel), zorder=3)

    def _add_legends(self, lines, groups) -> None:
        """Of one fit, a legend in each panel; of several, one that names them."""
        from matplotlib.lines import Line2D

        if not self._are_several():
            for panel, names in zip(self.axes_, groups.values(), strict=True):
                handles = [lines[None][name] for name in names]
                if panel is self.axes_[0] and self.best_epoch is not None:
                    style = {"color": ink(panel), "linestyle": ":", "linewidth": 1}
                    handles.append(Line2D([], [], **style))
                    names = [*names, f"best epoch: {self.best_epoch}"]
                add_legend(panel, handles, _written(names))
            return
        top = self.axes_[0]
        names = _written(list(lines))
        handles = [Line2D([], [], **look) for look in _looks(len(lines), top)]
        if any(name.startswith(VALIDATION) for own in lines.values() for name in own):
            handles.append(Line2D([], [], color=ink(top), alpha=PALE, ls="--"))
            names.append("validation")
        is_long = len(handles) > MOST_INSIDE
        place = {**legend_place(top), "fontsize": "small"} if is_long else {}
        n_columns = -(-len(handles) // COLUMN)
        add_legend(top, handles, names, ncols=n_columns, **place)


def _trained(estimator, owner) -> Any:
    return last_step(
        estimator, attribute="history_", example="CTCSequenceClassifier", owner=owner
    )


def _named(estimators, owner) -> dict[str, Any]:
    """Estimators by their names."""
    if isinstance(estimators, Mapping):
        named = {str(name): own for name, own in estimators.items()}
    elif isinstance(estimators, list | tuple):
        named = {f"{type(e).__name__} {i}": e for i, e in enumerate(estimators)}
    else:
        raise TypeError(
            f"{owner} needs a dict or a list of fitted estimators. Got "
            f"{type(estimators).__name__} instead; of one estimator, use "
            "from_estimator."
        )
    if not named:
        raise ValueError(f"{owner} needs at least one fitted estimator. Got none.")
    return named


def _looks(n_fits, panel) -> list[dict[str, Any]]:
    """The color and the marker of each fit."""
    colors = [color or ink(panel) for color in COLORS]
    return [
        {"color": colors[i % len(COLORS)], "marker": MARKERS[i // len(COLORS)]}
        for i in range(n_fits)
    ]


def _written(names) -> list[str]:
    """Names as a legend can show them."""
    from skseq.inspection._lettering import lettering

    return lettering(names).texts


def _is_other(fit, name) -> bool:
    """Whether a line has a color of its own: the validation of a single fit."""
    return fit is None and name.startswith(VALIDATION)


def _draw(panel, name, values, look) -> Any:
    is_validation = name.startswith(VALIDATION)
    style = {**look, "linestyle": "--" if is_validation else "-", "markersize": 4}
    if not look["marker"] and len(values) <= 50:
        style["marker"] = "."
        style.pop("markersize")
    (line,) = panel.plot(range(1, len(values) + 1), values, label=name, **style)
    return line


def _groups(fits) -> dict[str, list[str]]:
    """The names in histories by what they measure, the losses first."""
    if not any(len(values) for own in fits.values() for values in own.values()):
        raise ValueError(
            "history must hold at least one measure with one value per epoch. Got "
            f"{next(iter(fits.values()), {})!r} instead."
        )
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for own in fits.values() for name in own):
        groups.setdefault(name.removeprefix(VALIDATION), []).append(name)
    return dict(sorted(groups.items(), key=lambda item: item[0] != "loss"))


def _best_epoch(history) -> int | None:
    """The epoch that early stopping would keep, counted from 1."""
    for name in reversed(MONITORS):
        values = np.asarray(history.get(name, []), dtype=np.float64)
        if np.isfinite(values).any():
            return int(np.nanargmin(MONITORS[name] * values)) + 1
    return None
