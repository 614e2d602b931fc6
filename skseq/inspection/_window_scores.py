"""Scores of the points of one series, from a fitted detector of windows.

Knows nothing of plots.
"""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skseq._wording import counted
from skseq.preprocessing import SlidingWindows

# How values of windows make one of a point, such that a point is an alarm where its
# score is above the threshold: if all of its windows are anomalous, their least score.
COMBINED = {"all": "min", "any": "max", "mean": "mean"}


def point_scores(
    estimator: Any, X: Any, windows: Any, *, combine: str, owner: str
) -> np.ndarray:
    """How far each point of a series is beyond the threshold; anomalies above zero.

    Parameters
    ----------
    estimator : fitted detector, or pipeline or search of one
        Has `decision_function`.
    X : array-like of shape (n_frames, n_features)
        One series.
    windows : SlidingWindows or None
        How to cut it, unless a pipeline does.
    combine : str
        A key of `COMBINED`.
    owner : str
        The function that errors name.
    """
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    before, own = _own_windows(estimator)
    if (own is None) == (windows is None):
        raise ValueError(_on_windows(own, owner))
    if own is None:
        check_is_windows(windows, owner)
        own = clone(windows)  # one that was fitted might ask for other names than of X
        scores = -estimator.decision_function(own.fit_transform(X))
        points = own.to_points(scores, X, combine=COMBINED[combine])
    else:
        seen = X if before is None else before.transform(X)
        scores = -estimator.decision_function(X)
        points = own.to_points(scores, seen, combine=COMBINED[combine])
    points = np.asarray(points, dtype=np.float64)
    if len(points) != len(X):
        raise ValueError(
            f"{owner} needs steps before SlidingWindows that keep the frames of a "
            f"series. Of {counted(len(X), 'frame')} they leave {len(points)}: pass "
            "what they return to SeriesDisplay.from_predictions, with its scores."
        )
    return points


def check_is_windows(windows: Any, owner: str) -> None:
    if not isinstance(windows, SlidingWindows):
        raise TypeError(
            f"windows of {owner} must be a SlidingWindows of skseq.preprocessing. Got "
            f"{windows!r} instead."
        )


def _own_windows(estimator: Any) -> tuple[Any, Any]:
    """The steps of a pipeline before its windows, if there are any, and the windows."""
    if not isinstance(estimator, Pipeline):
        return None, None
    for i, (_, step) in enumerate(estimator.steps):
        if isinstance(step, SlidingWindows):
            return (estimator[:i] if i else None), step
    return None, None


def _on_windows(own: Any, owner: str) -> str:
    if own is None:
        return (
            f"{owner} must know how to cut the series into windows. Pass "
            "windows=SlidingWindows(window_length), as they were cut for fit, or a "
            "pipeline that cuts them."
        )
    return (
        f"{owner} takes windows from the pipeline, which cuts them by {own!r}. "
        "Leave windows=None."
    )
