"""What `SeriesDisplay` draws into its panels: lines, blocks, ticks, and a verdict.

Knows nothing of estimators.
"""

from typing import Any

import numpy as np

from skseq._wording import counted
from skseq.inspection._axes import size_in_points, tick_integers
from skseq.inspection._colors import ORANGE, is_dark
from skseq.inspection._points import Times, line_of

POINTS_PER_DATE = 45.0
LONGEST_DATE = (
    " 2025-Dec-30 23:59"  # that stands at the end of an axis, with some space
)
LAID_OUT = 0.75  # the least share of their width that axes have once they are laid out
SHADE, SHADE_ON_DARK = 0.2, 0.4  # opacity of events, behind lines


def as_table(X) -> Any:
    """A series of one feature as one of columns, as estimators take it."""
    if hasattr(X, "to_frame") and not hasattr(X, "columns"):
        return X.to_frame()
    return np.asarray(X)[:, np.newaxis] if np.ndim(X) == 1 else X


def ranked(values, flags) -> np.ndarray:
    """Features by how far they are from normal where anything is flagged."""
    is_flagged = np.logical_or.reduce(list(flags.values()) or [np.zeros(len(values))])
    features = np.arange(values.shape[1])
    if not is_flagged.any() or is_flagged.all():
        return features
    known = np.nan_to_num(values)
    spread = known.std(axis=0)
    moved = known[is_flagged].mean(axis=0) - known[~is_flagged].mean(axis=0)
    return np.argsort(-np.abs(moved) / np.where(spread > 0, spread, 1), kind="stable")


def places_of(times: Times) -> np.ndarray:
    """Times as numbers of the x axis."""
    if times.values.dtype.kind != "M":
        return times.values
    from matplotlib.dates import date2num

    return date2num(times.values)


def draw_line(panel, places, values, breaks, *, color) -> Any:
    """The line of a series, which is drawn over no break."""
    points, drawn = line_of(values, breaks)
    marker = "." if len(values) == 1 else None  # a single point draws no line
    style = {"color": color, "linewidth": 1, "marker": marker}
    (line,) = panel.plot(places[points], drawn, **style)
    return line


def shade(panel, bars) -> None:
    """Shade events behind the lines of a panel."""
    panel.broken_barh(
        bars,
        (0, 1),
        transform=panel.get_xaxis_transform(),
        color=ORANGE,
        alpha=SHADE_ON_DARK if is_dark(panel) else SHADE,
        linewidth=0.5,
        zorder=0,
    )


def tick(axis, times: Times) -> None:
    """Tick frames at whole numbers, and dates as many as fit, in their zone."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if times.name == "frame":
        tick_integers(axis)
    elif times.values.dtype.kind == "M":
        n_fitting = int(size_in_points(axis.axes)[0] // POINTS_PER_DATE)
        style = {"minticks": 2, "maxticks": max(3, n_fitting)}
        locator = AutoDateLocator(tz=times.zone, **style)
        axis.set_major_locator(locator)
        axis.set_major_formatter(ConciseDateFormatter(locator, tz=times.zone))
        _make_way(axis)


def _make_way(axis) -> None:
    """Move the name of an axis below the date on its right, unless it ends before it.

    How wide the axis will be is not known before the figure is laid out.
    """
    from matplotlib.font_manager import FontProperties

    from skseq.inspection._ticks import widths_of

    date = axis.get_offset_text().get_fontproperties()
    (name,) = widths_of([axis.get_label_text()], axis.label.get_fontproperties())
    (longest,) = widths_of([LONGEST_DATE], FontProperties(size=date.get_size()))
    if name / 2 + longest > LAID_OUT * size_in_points(axis.axes)[0] / 2:
        axis.labelpad += date.get_size_in_points()


def verdict(events, alarms) -> str:
    """What alarms are worth, in a line."""
    if events is None or alarms is None:
        known = events if alarms is None else alarms
        noun = "event" if alarms is None else "alarm"
        return "" if known is None else counted(len(known), noun)
    found = sum(any(_overlap(event, alarm) for alarm in alarms) for event in events)
    false = sum(not any(_overlap(alarm, event) for event in events) for alarm in alarms)
    return (
        f"{found} of {counted(len(events), 'event')} found, "
        f"{counted(false, 'false alarm')}"
    )


def _overlap(run: tuple[int, int], other: tuple[int, int]) -> bool:
    return run[0] < other[1] and other[0] < run[1]
