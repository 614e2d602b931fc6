"""The axes that displays draw on, and what is drawn on any of them.

Imports matplotlib only when axes are opened. Knows nothing of estimators.
"""

import warnings
from collections.abc import Sequence
from typing import Any

GAP = 0.12  # between panels, as a share of the mean height of one
POINTS_PER_INCH = 72
SMALLEST_TITLE = 7.0  # points
NARROW = 200.0  # points
WIDTH_OF_COLORBAR = 10.0  # points
SHORT = 0.5  # share of axes that a title takes which fits however they are laid out


def import_pyplot(owner: str) -> Any:
    """Import matplotlib.pyplot, or say what to install."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"{owner} needs matplotlib, which cannot be imported. Install it with: "
            'pip install "skseq[plot]"'
        ) from error
    return pyplot


def open_axes(ax: Any, owner: str, figsize: tuple[float, float]) -> Any:
    """The axes that were passed, or those of a new figure of this size in inches."""
    pyplot = import_pyplot(owner)
    if ax is None:
        return pyplot.subplots(figsize=figsize, layout="constrained")[1]
    if not isinstance(ax, pyplot.Axes):
        raise TypeError(
            f"ax must be one matplotlib Axes. Got {type(ax).__name__} instead. Pass "
            "one of the axes that matplotlib.pyplot.subplots returns, or None."
        )
    return ax


def font_size(name: str) -> float:
    """Points of a size that has a name, such as "small"."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=name).get_size_in_points()


def size_in_points(ax: Any) -> tuple[float, float]:
    """Width and height of axes, as they are laid out now."""
    extent, points = ax.get_window_extent(), POINTS_PER_INCH / ax.figure.dpi
    return extent.width * points, extent.height * points


def colorbar_beside(panel: Any, image: Any, ax: Any, **options: Any) -> Any:
    """Put a color bar of probabilities beside axes, as high as one of their panels."""
    width, height = size_in_points(panel)
    return ax.figure.colorbar(
        image,
        ax=ax,
        label="probability",
        fraction=0.05,
        pad=0.02,
        shrink=height / size_in_points(ax)[1],
        anchor=(0, 0),
        aspect=height / min(WIDTH_OF_COLORBAR, 0.03 * width),
        **options,
    )


def tick_integers(axis: Any) -> None:
    """Tick an axis at whole numbers only, as many as there is room for."""
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    axis.set_major_locator(locator)


def add_legend(ax: Any, handles: Sequence[Any], names: Sequence[str], **style) -> Any:
    """Give axes a legend of these names.

    matplotlib leaves out names that start with an underscore. Therefore it is told
    others, which are then replaced.
    """
    legend = ax.legend(handles, [str(i) for i in range(len(names))], **style)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)
    return legend


def without_formulas(text: str) -> str:
    """A text in which matplotlib reads no formula between two dollar signs."""
    return text.replace("$", r"\$")


def legend_place(ax: Any) -> dict[str, Any]:
    """Where a long legend stands: beside axes, if a layout makes room for it there."""
    if ax.figure.canvas.figure.get_layout_engine() is None:
        return {"loc": "best"}
    return {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}


def write_title(ax: Any, title: str | None) -> None:
    """Give axes a title, in letters that are small enough for it to fit above them.

    Where there is hardly room for a plot, there is none for a title.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    if not title or size_in_points(ax)[0] < NARROW:
        return
    text = ax.set_title(without_formulas(title))
    size = text.get_fontsize()
    font = FontProperties(family=text.get_fontfamily(), size=size)
    width = text_to_path.get_text_width_height_descent(title, font, False)[0]
    if width > SHORT * size_in_points(ax)[0]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that of too little room comes by itself
            ax.figure.canvas.figure.draw_without_rendering()  # lays out the axes
        share = size_in_points(ax)[0] / width
        text.set_fontsize(max(SMALLEST_TITLE, size * min(1.0, 0.98 * share)))


def stack_panels(
    ax: Any, heights: list[float], header: float = 0.0, most: float = 0.4
) -> list:
    """Divide axes into panels, one below the other, that share their x axis.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes to divide. They keep their title and may hold a legend.
    heights : list of float
        Relative heights of the panels.
    header : float, default=0.0
        Points to leave free above the first panel.
    most : float, default=0.4
        The largest share of the height to leave free.

    Returns
    -------
    panels : list of matplotlib Axes
        From top to bottom; only the last has labels on its x axis.
    """
    ax.set_axis_off()
    top = 1 - min(most, header / size_in_points(ax)[1])
    gap = GAP * top / len(heights)
    unit = (top - gap * (len(heights) - 1)) / sum(heights)
    panels = []
    for height in heights:
        place = [0, top - unit * height, 1, unit * height]
        panels.append(ax.inset_axes(place, sharex=panels[0] if panels else None))
        top -= unit * height + gap
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    return panels
