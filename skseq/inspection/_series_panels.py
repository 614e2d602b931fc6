"""What `SeriesDisplay` draws into its panels: lines, blocks, ticks, and a verdict.

Knows nothing of estimators.
"""

from typing import Any

import numpy as np

from skseq._wording import counted
from skseq.inspection._axes import ORANGE, size_in_points, tick_integers
from skseq.inspection._points import Times, line_of

POINTS_PER_DATE = 45.0
SHADE = 0.2  # of events, behind lines


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
        alpha=SHADE,
        linewidth=0.5,
        zorder=0,
    )


def tick(axis, times: Times) -> None:
    """Tick frames at whole numbers, and dates as many as fit."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if times.name == "frame":
        tick_integers(axis)
    elif times.values.dtype.kind == "M":
        n_fitting = int(size_in_points(axis.axes)[0] // POINTS_PER_DATE)
        locator = AutoDateLocator(minticks=2, maxticks=max(3, n_fitting))
        axis.set_major_locator(locator)
        axis.set_major_formatter(ConciseDateFormatter(locator))


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
