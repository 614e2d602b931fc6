"""The colors of displays: a palette, and those that the style of a figure asks for.

Imports matplotlib only when a style is asked. Knows nothing of estimators.
"""

from typing import Any

import numpy as np

# Okabe and Ito's colors, which color-blind people can tell apart.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, YELLOW = "#56B4E9", "#E69F00", "#F0E442"

READABLE = 0.18  # luminance from which on black is easier to read than white
LEAST_CONTRAST = (
    3.0  # that graphics need, after the Web Content Accessibility Guidelines
)


def luminance(color: Any) -> float:
    """How light a color is, from 0 for black to 1 for white."""
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def readable_on(color: Any) -> str:
    """Black or white, whichever is easier to read on a color."""
    return "black" if luminance(color) > READABLE else "white"


def paper(ax: Any) -> tuple[float, float, float]:
    """The color that axes are drawn on: theirs, over that of their figure."""
    from matplotlib.colors import to_rgb, to_rgba

    whole = ax.figure.canvas.figure  # ax.figure may be a subfigure, which has no color
    below = np.array(to_rgb(whole.get_facecolor()))
    *own, alpha = to_rgba(ax.get_facecolor())
    red, green, blue = alpha * np.array(own) + (1 - alpha) * below
    return float(red), float(green), float(blue)


def ink(ax: Any) -> Any:
    """The color of what stands out on axes, which is black in the default style.

    It is that of the labels of the axes, unless it cannot be seen on them: a style may
    put dark labels beside dark axes.
    """
    ground, color = paper(ax), ax.xaxis.label.get_color()
    lights = luminance(ground), luminance(color)
    contrast = (max(lights) + 0.05) / (min(lights) + 0.05)
    return color if contrast >= LEAST_CONTRAST else readable_on(ground)


def is_dark(ax: Any) -> bool:
    """Whether axes are dark, so that what is drawn on them must be light."""
    return readable_on(paper(ax)) == "white"
