"""Where a sequence that a last step sees comes from: its window, its dates, its names.

Knows nothing of plots.
"""

from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skseq.preprocessing import SlidingWindows


def names_before(
    estimator: Any, last: Any, X: Any, n_features: int
) -> list[str] | None:
    """The names of the features that a last step sees, as far back as they are known.

    Those that the step was fitted with; else those that the steps before it give; else
    those of the table that was passed.
    """
    found = [getattr(last, "feature_names_in_", None)]
    if isinstance(estimator, Pipeline) and len(estimator) > 1:
        with suppress(AttributeError, ValueError, TypeError):  # of steps without names
            found.append(estimator[:-1].get_feature_names_out())
    found.append(_columns(X))
    for names in found:
        if names is not None and len(names) == n_features and not _are_generic(names):
            return [str(name) for name in names]
    return None


def origin_of(estimator: Any, X: Any, n_samples: int, place: int) -> str:
    """What a sample is called: a sequence of `X`, or a window of a series."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    steps = estimator.steps if isinstance(estimator, Pipeline) else []
    for i, (_, step) in enumerate(steps):
        if isinstance(step, SlidingWindows):
            seen = estimator[:i].transform(X) if i else X
            return _window(step, X, seen, n_samples, place)
    return f"sequence {place}"


def _window(windows: SlidingWindows, X: Any, seen: Any, n_windows: int, place: int):
    """A window, and where in its series it lies, if that can be told."""
    name = f"window {place}"
    is_single = not isinstance(seen, list | tuple) and np.ndim(seen) == 2
    series = [seen] if is_single else list(seen)
    first = 0
    for number, own in enumerate(series):
        frames = np.arange(len(own))[:, np.newaxis]
        if windows.max_gap is not None:  # which needs a table with times
            frames = type(own)(frames, index=own.index)
        cut = clone(windows).fit_transform(frames)
        if place < first + len(cut):
            held = np.asarray(cut[place - first]).ravel().astype(int)
            where = _places(X if is_single and len(X) == len(own) else own, held)
            series_name = "" if is_single else f" of series {number}"
            return f"{name}, {where}{series_name}"
        first += len(cut)
    return name


def _places(series: Any, held: np.ndarray) -> str:
    """The frames of a window, or their dates."""
    index = getattr(series, "index", None)
    if getattr(getattr(index, "dtype", None), "kind", None) == "M":
        return f"{index[held[0]]} to {index[held[-1]]}"
    return f"frames {held[0]} to {held[-1]}"


def _columns(X: Any) -> Any:
    """The columns of a table, or of the first one of several."""
    if hasattr(X, "columns"):
        return list(X.columns)
    if isinstance(X, list | tuple) and len(X) and hasattr(X[0], "columns"):
        return list(X[0].columns)
    return None


def _are_generic(names: Any) -> bool:
    """Whether names only count: those that steps give which know of none."""
    return [str(name) for name in names] == [f"x{i}" for i in range(len(names))]
