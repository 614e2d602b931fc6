"""What a notebook shows of an estimator: whether it is fitted, on what, and how well.

A piece of HTML above the parameters in scikit-learn's picture of an estimator, so that
it stands in the pictures of pipelines and searches too. Knows nothing of any task.
"""

import html
import math
from collections.abc import Mapping
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

from sklearn.base import OutlierMixin

from skseq._wording import counted

# Of a sparkline: size in pixels, margin around lines, and the most points of a line.
WIDTH, HEIGHT, MARGIN = 120, 28, 3
MOST_POINTS = 120

# What a network has of parameters that other parameters or the data change.
PICKED = ("bidirectional", "conv_filters", "conv_strides")

MOST_CLASSES = 8
WIDEST = 24  # characters of a class

# The dashes and words of the two losses.
LOSSES = {"loss": ("", "loss"), "val_loss": ("3 2", "validation loss")}


class Summarized:
    """An estimator with a summary in its HTML."""

    def _get_params_html(self, *arguments, **options):
        """Parameters as scikit-learn shows them, below a summary."""
        found = super()._get_params_html(*arguments, **options)
        draw = getattr(found, "_html_repr", None)  # scikit-learn may call it otherwise
        if draw is not None:
            found._html_repr = lambda: summary_of(self) + draw()
        return found


def summary_of(estimator: Any) -> str:
    """A line on what was learnt, and a picture of the losses, as HTML.

    Parameters
    ----------
    estimator : estimator of skseq
        Fitted or not.

    Returns
    -------
    summary : str
        One element without scripts. All text in it is escaped.
    """
    if not estimator.__sklearn_is_fitted__():
        return _element("Not fitted", "")
    history = estimator.history_
    parts = [f"Fitted: {counted(estimator.n_iter_, 'epoch')}"]
    parts += [
        f"{words} {values[-1]:.4g}"
        for name, (_, words) in LOSSES.items()
        if (values := _finite(history, name))
    ]
    classes = getattr(estimator, "classes_", None)
    if classes is not None and not isinstance(estimator, OutlierMixin):
        parts.append(_classes(list(classes)))
    text = "; ".join([", ".join(parts), *_changes(estimator)])
    return _element(text, _sparkline(history))


def _element(text: str, picture: str) -> str:
    style = "padding: 0.25em 0.5em; white-space: normal; max-width: 40em"
    start = f'<div class="skseq-summary" style="{style}">'
    return f"{start}{html.escape(text)}{picture}</div>"


def _classes(classes: list) -> str:
    """The number of classes, and their names if they are few."""
    number = counted(len(classes), "class", "classes")
    names = [_shortened(repr(_plain(label))) for label in classes[:MOST_CLASSES]]
    more = ", …" if len(classes) > MOST_CLASSES else ""
    return f"{number} ({', '.join(names)}{more})"


def _changes(estimator: Any) -> list[str]:
    """What was set after the fit, so that the network does not have it."""
    had = getattr(estimator, "_settings", {})
    present = estimator.get_params(deep=False) if had else {}
    changes = []
    for name in [name for name in had if name in present and name not in PICKED]:
        was, now = had[name], present[name]
        if now is None or now == "auto" or callable(now) or callable(was):
            continue
        if not _are_equal(was, now):
            was = was[0] if isinstance(was, tuple) and len(was) == 1 else was
            changes.append(f"{name}={now!r} was set after the fit, which had {was!r}")
    return changes


def _are_equal(was: Any, now: Any) -> bool:
    """Whether a network has what a parameter says, one number or one per layer."""
    if isinstance(was, tuple) and isinstance(now, Integral | list | tuple):
        return was == ((now,) if isinstance(now, Integral) else tuple(now))
    return bool(was == now)


def _plain(label: Any) -> Any:
    """A label without NumPy's name for its type."""
    return label.item() if hasattr(label, "item") else label


def _shortened(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _sparkline(history: Mapping[str, Any]) -> str:
    """The losses by epoch as a small picture, in the color of the text around it."""
    lines = {name: _thinned(_finite(history, name)) for name in LOSSES}
    lines = {name: values for name, values in lines.items() if values}
    if not lines:
        return ""
    low = min(map(min, lines.values()))
    span = max(map(max, lines.values())) - low or 1.0
    drawn = [
        _line([(value - low) / span for value in values], LOSSES[name][0])
        for name, values in lines.items()
    ]
    words = " and ".join(LOSSES[name][1] for name in lines)
    title = f"{words[0].upper()}{words[1:]} by epoch"
    if len(lines) > 1:
        title += ", the latter dashed"
    return (
        f'<svg role="img" aria-label="{title}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" fill="none" stroke="currentColor" '
        'stroke-width="1.5" style="display: block; margin-top: 0.4em">'
        f"<title>{title}</title>{''.join(drawn)}</svg>"
    )


def _line(heights: list[float], dashes: str) -> str:
    """A line through heights between 0 and 1; a dot where there is only one."""
    step = (WIDTH - 2 * MARGIN) / max(1, len(heights) - 1)
    points = [
        (MARGIN + i * step, MARGIN + (1 - height) * (HEIGHT - 2 * MARGIN))
        for i, height in enumerate(heights)
    ]
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="1.5"/>'
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}"{style}/>'


def _finite(history: Mapping[str, Any], name: str) -> list[float]:
    values = history.get(name, ())
    return [float(v) for v in values if isinstance(v, Real) and math.isfinite(v)]


def _thinned(values: list[float]) -> list[float]:
    """Means of neighbors, where there are more values than points."""
    n_points = min(len(values), MOST_POINTS)
    edges = [len(values) * i // n_points for i in range(n_points + 1)] if values else []
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
