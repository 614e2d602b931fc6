"""Axes whose ticks are tokens, as many as there is room for. Needs matplotlib.

Which labels fit is decided whenever the figure is drawn, so that it can be resized.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator, Formatter, Locator

from skseq.inspection._axes import size_in_points, without_formulas
from skseq.inspection._lettering import lettering, narrowed, written

# Between labels, in points.
SPACING = 2.0

# Between the middle of a number and the edge of its panel, in points.
EDGE = 6.0

# How far labels reach at most, as a share of their axes.
REACH = 0.5

# Labels below one another may be as close as lines of text.
LINE_HEIGHT = 1.2

# Text shrinks until this share of the labels fits beside their neighbours, but not
# below this size in points; then labels are left out.
MOST = 0.9
SMALLEST = 6.0

# Minor ticks show where labels are left out; matplotlib draws no more than this.
MAX_MINOR_TICKS = 1000


class RoomLocator(Locator):
    """Places of labels, without those that would touch the label before.

    If the places are evenly spaced, so are those that are kept.

    Parameters
    ----------
    places : list of float
        Where the labels are, in ascending order.
    extents : list of float
        Space that each label takes along the axis, in points.
    """

    def __init__(self, places: list[float], extents: list[float]):
        self.places, self.extents = places, extents

    def __call__(self) -> np.ndarray:
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        places = np.array(self.places, dtype=float)
        middles = places * _points_per_unit(self.axis, vmin, vmax)
        choose = _every_nth if _is_even(places) else _one_after_another
        return places[choose(middles, np.array(self.extents))]


def _is_even(places: np.ndarray) -> bool:
    return len(places) < 2 or bool(np.ptp(np.diff(places)) < 1e-9)


def _every_nth(middles: np.ndarray, extents: np.ndarray) -> slice:
    for step in range(1, len(middles) + 1):
        kept = slice(None, None, step)
        if (_gaps(middles[kept], extents[kept]) >= 0).all():
            return kept
    return slice(None)


def _one_after_another(middles: np.ndarray, extents: np.ndarray) -> list[int]:
    end, kept = -np.inf, []
    for i, (middle, extent) in enumerate(zip(middles, extents, strict=True)):
        if middle - extent / 2 >= end:
            kept.append(i)
            end = middle + extent / 2
    return kept


def _gaps(middles: np.ndarray, extents: np.ndarray) -> np.ndarray:
    """Points between neighbouring labels; negative where they overlap."""
    return np.diff(middles) - (extents[1:] + extents[:-1]) / 2


class InnerLocator(Locator):
    """Ticks of another locator, without those that would touch a panel above or below.

    Parameters
    ----------
    base : matplotlib Locator
        What places ticks.
    """

    def __init__(self, base: Locator):
        self.base = base

    def set_axis(self, axis):
        """Take the axis, for both."""
        super().set_axis(axis)
        self.base.set_axis(axis)

    def __call__(self) -> np.ndarray:
        places, transform = np.array(self.base()), self.axis.get_transform().transform
        low, high = transform(np.array(sorted(self.axis.get_view_interval())))
        shares = (transform(places) - low) / (high - low)
        width, height = size_in_points(self.axis.axes)
        edge = EDGE / (width if self.axis.axis_name == "x" else height)
        return places[(shares >= edge) & (shares <= 1 - edge)]


class TokenFormatter(Formatter):
    """The text of the label at a place."""

    def __init__(self, places: Sequence[float], texts: Sequence[str]):
        self.texts = dict(zip(map(float, places), texts, strict=True))

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.texts.get(float(x), "")


class TokenAxis(NamedTuple):
    """An axis, its tokens, their places, and how far from the axis labels may reach.

    The places are 0, 1, 2, ... by default, and the reach, in points, is a share of the
    size of the axes.
    """

    axis: Any
    tokens: Sequence[Any]
    places: Sequence[float] | None = None
    reach: float | None = None


def label_axes(*axes: TokenAxis) -> None:
    """Label the axes of one plot by tokens, in fonts that have their glyphs."""
    letters = lettering([token for axis in axes for token in axis.tokens])
    texts = iter(letters.texts)
    for axis, tokens, places, reach in axes:
        places = range(len(tokens)) if places is None else places
        own = list(islice(texts, len(tokens)))
        if reach is None:
            width, height = size_in_points(axis.axes)
            reach = REACH * (height if axis.axis_name == "x" else width)
        _label_axis(axis, own, list(places), letters.families, reach)


def _label_axis(axis, texts, places, families, reach) -> None:
    size = matplotlib.rcParams[f"{axis.axis_name}tick.labelsize"]
    font = FontProperties(family=families, size=size)
    middles = np.array(places) * _points_per_unit(axis, *axis.get_view_interval())
    widths, heights = _measure(texts, font)
    is_turned = axis.axis_name == "x" and _must_turn(middles, widths, heights)
    if axis.axis_name == "y" or is_turned:
        shares = np.minimum(1.0, reach / widths)
        texts = [
            text if share == 1.0 else narrowed(text, share)
            for text, share in zip(texts, shares.tolist(), strict=True)
        ]
        widths = np.minimum(widths, reach)
    extents = widths if axis.axis_name == "x" and not is_turned else heights
    shrinkage = _shrinkage(middles, extents, font.get_size_in_points())
    axis.set_tick_params(
        labelfontfamily=families,
        labelrotation=90 if is_turned else 0,
        labelsize=shrinkage * font.get_size_in_points(),
    )
    axis.set_major_locator(RoomLocator(places, (shrinkage * extents).tolist()))
    axis.set_major_formatter(TokenFormatter(places, texts))
    axis.set_minor_locator(FixedLocator(places[:MAX_MINOR_TICKS]))


def height_above(labels: Sequence[Any], shares: Sequence[float], width: float) -> float:
    """Points that labels take above an axis of some width, in a row or turned.

    Parameters
    ----------
    labels : sequence
        The tokens.
    shares : sequence of float
        Where they stand, from 0 on the left to 1 on the right.
    width : float
        Length of the axis in points.
    """
    font = FontProperties(size=matplotlib.rcParams["xtick.labelsize"])
    texts = [without_formulas(text) for text in written(labels)]
    widths, heights = _measure(texts, font)
    is_turned = _must_turn(width * np.array(shares), widths, heights)
    return float(max(widths if is_turned else heights, default=0.0))


def tick_texts(axis: Any, texts: Sequence[str], places: Sequence[float]) -> None:
    """Tick an axis with texts, those for which there is room."""
    size = matplotlib.rcParams[f"{axis.axis_name}tick.labelsize"]
    widths, heights = _measure(list(texts), FontProperties(size=size))
    extents = widths if axis.axis_name == "x" else heights
    axis.set_major_locator(RoomLocator(list(places), extents.tolist()))
    axis.set_major_formatter(TokenFormatter(places, texts))


def widths_of(texts: Iterable[str], font: FontProperties) -> list[float]:
    """Width of each text in points."""
    measure = text_to_path.get_text_width_height_descent
    return [measure(text, font, False)[0] for text in texts]


def _measure(texts: list[str], font: FontProperties) -> tuple[np.ndarray, np.ndarray]:
    """Width and height of each text in points, with some space."""
    widths = SPACING + np.array(widths_of(texts, font))
    return widths, np.full(len(texts), LINE_HEIGHT * font.get_size_in_points())


def _must_turn(middles: np.ndarray, widths: np.ndarray, heights: np.ndarray) -> bool:
    """Whether there are labels longer than a letter or two that do not fit in a row."""
    is_long = (widths > 2 * heights).any()
    return bool(is_long and (_gaps(middles, widths) < 0).any())


def _shrinkage(middles: np.ndarray, extents: np.ndarray, size: float) -> float:
    """The factor by which text shrinks so that most labels fit and stay legible."""
    if len(middles) < 2:
        return 1.0
    needed = (extents[1:] + extents[:-1]) / 2
    share = np.quantile(np.diff(middles) / needed, 1 - MOST)
    return float(np.clip(share, min(1.0, SMALLEST / size), 1.0))


def _points_per_unit(axis: Any, low: float, high: float) -> float:
    width, height = size_in_points(axis.axes)
    length = width if axis.axis_name == "x" else height
    return length / (abs(high - low) or 1.0)
