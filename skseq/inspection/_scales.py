"""Chooses between a linear and a logarithmic axis for anomaly scores.

Knows nothing of plots, nor of any estimator.
"""

from typing import Any

import numpy as np

from skseq._parameters import OneOf, check_value

SCALES = ("auto", "linear", "log")

# Where the highest score is this many times the middle one, the lower half of all would
# lie in a line's width on a linear axis, and nothing could be told about it.
WIDE = 20.0


def chosen_scale(
    scale: Any, scores: np.ndarray, threshold: float | None, *, owner: str, name: str
) -> str:
    """The scale of an axis of scores and their threshold: "linear" or "log".

    Parameters
    ----------
    scale : {"auto", "linear", "log"}
        What the user asks for.
    scores : ndarray of shape (n_scores,)
        NaN where there is none.
    threshold : float or None
        What is drawn among them.
    owner, name : str
        The display and the parameter that errors name.
    """
    check_value(owner, name, scale, OneOf(SCALES))
    known = scores[~np.isnan(scores)]
    if not len(known):
        return "linear"
    drawn = known if threshold is None else np.append(known, threshold)
    lowest, highest = drawn.min(), drawn.max()
    if scale == "log" and lowest <= 0:
        raise ValueError(
            f'{name}="log" needs scores and a threshold above 0. The lowest is '
            f'{lowest:g}. Set {name}="linear".'
        )
    if scale != "auto":
        return scale
    return "log" if lowest > 0 and highest > WIDE * np.median(known) else "linear"
