"""The features of a sequence: their names, which are shown, and labels of their panels.

Knows nothing of estimators.
"""

from collections.abc import Hashable, Iterable, Sequence
from numbers import Integral
from textwrap import wrap
from typing import Any

import numpy as np

from skseq.inspection._axes import size_in_points

MAX_FEATURES = 8
POINTS_PER_TICK = 17.0  # height of a number beside a panel
LINE_HEIGHT = 1.2  # of a name in several lines, in font sizes


def feature_names(names: Sequence[Any] | None, n_features: int) -> list[str]:
    """The names that were given, or "x0", "x1" and so on; "value" for a single one."""
    if names is None:
        return [f"x{i}" for i in range(n_features)] if n_features > 1 else ["value"]
    names = [str(name) for name in names]
    if len(names) != n_features:
        raise ValueError(
            f"feature_names must hold one name per feature, {n_features} in all. Got "
            f"{len(names)}."
        )
    return names


def chosen_features(
    features: Sequence[Any] | None, names: list[str], ranked: np.ndarray
) -> list[int]:
    """The indices of features to show, given by index or name.

    None chooses the first of those that are ranked, in the order of the sequence.
    """
    if features is None:
        return sorted(ranked[:MAX_FEATURES].tolist())
    places = range(len(names))
    known = dict(zip([*names, *places], [*places, *places], strict=True))
    if isinstance(features, str | Integral):
        features = [features]
    given = features if isinstance(features, Iterable) else []
    wanted = [known.get(f) if isinstance(f, Hashable) else None for f in given]
    if None in wanted or not wanted:
        raise ValueError(
            f"features must be a list of some of {names}, or of their indices from "
            f"0 to {len(names) - 1}. Got {features!r} instead."
        )
    return wanted


def label_panels(panels: Sequence[Any], labels: Sequence[str]) -> None:
    """Write the names of panels on their left, in fonts that have their letters."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    from skseq.inspection._lettering import lettering
    from skseq.inspection._ticks import InnerLocator

    letters = lettering(labels)
    style = {"rotation": 0, "ha": "right", "va": "center", "family": letters.families}
    for panel, label in zip(panels, letters.texts, strict=True):
        panel.set_ylabel(label, **style)
        panel.yaxis.label.set_text(_fitting(panel))
        n_fitting = min(5, int(size_in_points(panel)[1] // POINTS_PER_TICK))
        if n_fitting < 2:
            panel.yaxis.set_major_locator(NullLocator())
            panel.yaxis.set_minor_locator(NullLocator())
            continue
        is_log = panel.get_yscale() == "log"
        base = LogLocator(numticks=n_fitting + 1) if is_log else MaxNLocator(n_fitting)
        panel.yaxis.set_major_locator(InnerLocator(base))


def _fitting(panel: Any) -> str:
    """The name of a panel: in several lines, or shortened, where it is too wide."""
    from skseq.inspection._lettering import narrowed
    from skseq.inspection._ticks import REACH, widths_of

    text, font = panel.get_ylabel(), panel.yaxis.label.get_fontproperties()
    own, (width, height) = widths_of([text], font)[0], size_in_points(panel)
    if own <= REACH * width:
        return text
    share = REACH * width / own
    lines = wrap(text, max(1, int(share * len(text))), break_long_words=False)
    n_fitting = height // (LINE_HEIGHT * font.get_size_in_points())
    is_fitting = max(widths_of(lines, font)) <= REACH * width
    if len(lines) <= n_fitting and is_fitting:
        return "\n".join(lines)
    return narrowed(text, share)


def left_out(n_shown: int, n_features: int) -> str:
    """What the x axis says if not all features are shown."""
    return f" ({n_shown} of {n_features} features)" if n_shown < n_features else ""
