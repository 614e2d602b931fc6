"""Runs of labels as colored blocks, their names and their legend. Needs matplotlib.

A name is drawn or left out whenever the figure is drawn, so that it can be resized.
Knows nothing of estimators.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.font_manager import FontProperties, font_scalings
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from skseq.inspection._axes import POINTS_PER_INCH, add_legend, size_in_points
from skseq.inspection._colors import (
    AMBER,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    YELLOW,
    ink,
    paper,
    readable_on,
)
from skseq.inspection._frame_labels import Run
from skseq.inspection._lettering import lettering

# Okabe and Ito's colors, without black.
FILLS = (SKY, AMBER, GREEN, PURPLE, BLUE, ORANGE, YELLOW)

# Where there are more labels than colors, hatches tell labels of one color apart.
HATCHES = ("", "////", "....", "xxx", "----", "\\\\\\\\")

PLATE = "white"  # the ground of a name on hatches
TRACK = 0.07  # opacity of the track on which errors are marked
MOST_NAMES = 300  # of a row, more than fit into any picture
PADDING = 2.0  # points between a name and the edge of its block
SPACIOUS = 4.0  # points that each block is wide, at least, where edges part them

# Of a legend, in font sizes: width of an entry beside its text, and height of a line.
ENTRY = 3.4
LINE = 1.55


class Look(NamedTuple):
    """How the blocks of a label are filled."""

    color: str
    hatch: str

    @property
    def ink(self) -> str:
        """The color in which text can be read on the fill."""
        return readable_on(self.color)


class Key(NamedTuple):
    """How labels are shown: their fills, their names, and fonts for these."""

    looks: dict[Any, Look]
    names: dict[Any, str]
    families: list[str]

    @property
    def font(self) -> FontProperties:
        """The font of names."""
        size = font_scalings["small"] * matplotlib.rcParams["font.size"]
        return FontProperties(family=self.families, size=size)

    def width(self, label: Any) -> float:
        """Width of a name, in points."""
        measure = text_to_path.get_text_width_height_descent
        return measure(self.names[label], self.font, False)[0]


def key_of(labels: Sequence[Any], classes: Sequence[Any]) -> Key:
    """The key of some labels, each filled by its place among the classes.

    Fills repeat where there are more than 42 classes; then places among the labels
    count.
    """
    n_fills, n_hatches = len(FILLS), len(HATCHES)
    order = classes if len(classes) <= n_fills * n_hatches else labels
    fills = [
        Look(FILLS[i % n_fills], HATCHES[i // n_fills % n_hatches])
        for i in range(len(order))
    ]
    looks = dict(zip(order, fills, strict=True))
    letters = lettering(labels)
    names = dict(zip(labels, letters.texts, strict=True))
    return Key(looks, names, letters.families)


class FittingText(Text):
    """A name in the middle of a block, drawn only where it fits.

    Parameters
    ----------
    corners : list of tuple of two float
        Two opposite corners of the block, in the units of its axes.
    text : str
        The name.
    **style
        Further arguments for `matplotlib.text.Text`.
    """

    def __init__(self, corners, text, **style):
        self.corners = corners
        middle = np.mean(corners, axis=0)
        super().__init__(*middle, text, ha="center", va="center", **style)
        self.set_in_layout(False)

    def fits(self, renderer=None) -> bool:
        """Whether the block is larger than the name."""
        corners = self.axes.transData.transform(self.corners)
        width, height = np.abs(corners[1] - corners[0])
        own = self.get_window_extent(renderer)
        margin = 2 * PADDING * self.figure.dpi / POINTS_PER_INCH
        return bool(own.width + margin <= width and own.height <= height)

    def draw(self, renderer):
        """Draw the name, unless it is larger than its block."""
        if self.fits(renderer):
            super().draw(renderer)


class Row(NamedTuple):
    """A row of blocks: runs, where frames begin and end, and two heights."""

    runs: list[Run]
    edges: np.ndarray  # (n_frames + 1,)
    band: tuple[float, float]

    def corners(self, run: Run) -> list[tuple[float, float]]:
        """Two opposite corners of a run's block."""
        bottom, top = self.band
        return [(self.edges[run.start], bottom), (self.edges[run.stop], top)]


def draw_blocks(panel: Any, row: Row, key: Key) -> dict[Any, Any]:
    """Draw a row, and return its blocks: one collection of them per label."""
    (_, edges, (bottom, top)) = row
    places: dict[Any, list] = {}
    for label, start, stop in row.runs:
        place = edges[start], edges[stop] - edges[start]
        places.setdefault(label, []).append(place)
    blocks = {
        label: panel.broken_barh(own, (bottom, top - bottom), **_fill(key.looks[label]))
        for label, own in places.items()
    }
    shortest = min((run.stop - run.start for run in row.runs), default=0)
    if size_in_points(panel)[0] * shortest >= SPACIOUS * (len(edges) - 1):
        inner = [edges[run.start] for run in row.runs[1:]]
        panel.vlines(inner, bottom, top, color=paper(panel), linewidth=1)
    return blocks


def mark_errors(panel: Any, row: Row) -> Any:
    """Mark the runs of True on a track; an edge makes the shortest visible."""
    edges, (bottom, top) = row.edges, row.band
    track = edges[0], edges[-1] - edges[0]
    color, height = ink(panel), (bottom, top - bottom)
    panel.broken_barh([track], height, facecolor=color, alpha=TRACK, linewidth=0)
    places = [
        (edges[i], edges[stop] - edges[i]) for wrong, i, stop in row.runs if wrong
    ]
    style = {"facecolor": color, "edgecolor": color, "linewidth": 0.5}
    return panel.broken_barh(places, height, **style)


def write_names(panel: Any, row: Row, key: Key) -> list[FittingText]:
    """Write the names of a row into its longest blocks, and return them."""
    longest = sorted(row.runs, key=lambda run: run.start - run.stop)[:MOST_NAMES]
    texts = []
    for run in sorted(longest, key=lambda run: run.start):
        look = key.looks[run.label]
        plate = {"facecolor": PLATE, "linewidth": 0, "pad": PADDING}
        text = FittingText(
            row.corners(run),
            key.names[run.label],
            color="black" if look.hatch else look.ink,
            bbox=plate if look.hatch else None,
            fontproperties=key.font,
            clip_on=True,
        )
        texts.append(panel.add_artist(text))
    return texts


def _names_fit(runs: Iterable[Run], key: Key, points_per_frame: float) -> bool:
    """Whether each label has a run that is as long as its name."""
    longest: dict[Any, int] = {}
    for label, start, stop in runs:
        longest[label] = max(stop - start, longest.get(label, 0))
    return all(
        key.width(label) + 2 * PADDING <= points_per_frame * n_frames
        for label, n_frames in longest.items()
    )


class LegendPlan(NamedTuple):
    """The labels that a legend lists, and the room that it takes in points."""

    labels: list[Any]
    n_left_out: int
    n_columns: int
    height: float


def plan_legend(
    rows: list[list[Run]],
    counts: Mapping[Any, int],
    key: Key,
    width: float,
    height: float,
) -> LegendPlan | None:
    """Choose what a legend in some room lists; none is needed if all names fit.

    Parameters
    ----------
    rows : list of list of Run
        The rows of blocks, which will be as wide as the legend.
    counts : dict of label to int
        The labels in their order, and how many frames each has: where there is no room
        for all, those with most are listed.
    key : Key
        How they are shown.
    width, height : float
        The room, in points.
    """
    n_frames = max(row[-1].stop for row in rows if row)
    if _names_fit(chain(*rows), key, width / n_frames):
        return None
    size = key.font.get_size_in_points()
    entry = max(map(key.width, counts)) + ENTRY * size
    n_columns = int(np.clip(width // entry, 1, len(counts)))
    n_places = n_columns * max(1, int(height // (LINE * size)))
    n_listed = len(counts)
    if n_listed > n_places:
        n_listed = max(1, n_places - 1)  # the last place says how many more there are
    most = set(sorted(counts, key=counts.__getitem__, reverse=True)[:n_listed])
    n_entries = min(len(counts), n_listed + 1)
    return LegendPlan(
        labels=[label for label in counts if label in most],
        n_left_out=len(counts) - n_listed,
        n_columns=n_columns,
        height=LINE * size * math.ceil(n_entries / n_columns),
    )


def draw_legend(ax: Any, plan: LegendPlan, key: Key, panel: Any) -> Any:
    """Give axes a legend, just above one of their panels."""
    handles = [Patch(**_fill(key.looks[label])) for label in plan.labels]
    names = [key.names[label] for label in plan.labels]
    if plan.n_left_out:
        handles.append(Patch(alpha=0))
        names.append(f"and {plan.n_left_out} more")
    return add_legend(
        ax,
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=panel.transAxes,
        ncols=plan.n_columns,
        prop=key.font,
        frameon=False,
        borderpad=0,
        borderaxespad=0.5,
        handlelength=1.6,
        handletextpad=0.5,
        columnspacing=1.2,
        labelspacing=0.4,
    )


def _fill(look: Look) -> dict[str, Any]:
    """Arguments of a patch; hatches have the color of edges."""
    edge = look.ink if look.hatch else "none"
    style = {"facecolor": look.color, "edgecolor": edge, "linewidth": 0}
    return {**style, "hatch": look.hatch} if look.hatch else style
