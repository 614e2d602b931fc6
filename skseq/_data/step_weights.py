"""How much the frames of a sequence count, by their place. Knows nothing of Keras."""

import reprlib

import numpy as np

from skseq._parameters import CALLABLE, NONE, OneOf
from skseq._wording import counted

STEP_WEIGHTS = {
    None: np.ones_like,
    "sqrt": lambda steps: np.sqrt(steps + 1.0),
}

# What the parameter may be.
STEP_WEIGHT = OneOf([name for name in STEP_WEIGHTS if name]), CALLABLE, NONE


def step_weight_function(step_weight, lengths):
    """What gives the weights of an array of frame indices, for a parameter.

    Parameters
    ----------
    step_weight : {None, "sqrt"} or callable
        Equal weights, the square root of the place (the first is 1), or one's own.
    lengths : sequence of int
        Numbers of frames that a callable is tried on.

    Returns
    -------
    weigh : callable

    Raises
    ------
    ValueError
        If a callable does not weigh all frames of sequences this long.
    """
    if not callable(step_weight):
        return STEP_WEIGHTS[step_weight]
    check_step_weight(step_weight, lengths)
    return lambda steps: np.asarray(step_weight(steps), dtype=np.float64)


def check_step_weight(step_weight, lengths) -> None:
    """Refuse a callable that does not weigh all frames of sequences this long."""
    for n_frames in np.unique(lengths):
        try:
            weights = np.asarray(step_weight(np.arange(float(n_frames))))
        except Exception as error:
            raise ValueError(
                f"step_weight failed on the indices of {counted(n_frames, 'frame')}: "
                f"{error!r}."
            ) from error
        fits = weights.shape == (n_frames,) and weights.dtype.kind in "biuf"
        if not fits or (weights < 0).any() or not 0 < weights.sum() < np.inf:
            raise ValueError(
                "step_weight must return a finite, non-negative weight for each frame "
                "index of an array, not all of them zero. For "
                f"{counted(n_frames, 'frame')} it returned {reprlib.repr(weights)}."
            )
