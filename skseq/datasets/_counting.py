"""Generates noisy readings of a constant, which is to be estimated frame by frame.

Knows nothing of files.
"""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from skseq._parameters import OneOf, check_value

_TARGETS = ("frame", "sequence")


def make_counting(
    n_samples=300,
    *,
    min_frames=1,
    max_frames=100,
    target="frame",
    random_state=None,
):
    """Generate sequences whose frames are one constant vector and noise.

    Evidence is seen frame by frame: each frame is a noisy reading of a position and an
    energy that stay the same in a sequence. The more frames a model has read, the
    better it can tell them, if it counts the frames and averages.

    Parameters
    ----------
    n_samples : int, default=300
        Number of sequences.
    min_frames : int, default=1
        Fewest frames in a sequence.
    max_frames : int, default=100
        Most frames in a sequence; every number between is equally likely. More frames
        are harder to count.
    target : {"frame", "sequence"}, default="frame"
        What `y` holds: the constants once per frame, for an estimate at each frame, or
        once per sequence.
    random_state : int, RandomState instance or None, default=None
        Draws constants, lengths and noise, the same ones for both values of `target`.
        Pass an int for the same sequences in each call.

    Returns
    -------
    X : list of n_samples ndarrays of shape (n_frames, 4), dtype=float32
        The readings of x, y, z and the energy.
    y : list of n_samples ndarrays of shape (n_frames, 4), or ndarray of shape \
(n_samples, 4), dtype=float32
        The constants themselves, repeated for each frame with ``target="frame"``.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of range or `target` is unknown.

    Notes
    -----
    Each constant is drawn from N(0, 10 ** 2), and each reading adds N(0, 1). After t
    frames the best estimate is therefore the mean of these frames times
    ``t / (t + 0.01)``. Its mean squared error is ``1 / (t + 0.01)`` per output, and
    that of the mean alone ``1 / t``: a model that sees the past only can do no better.

    Examples
    --------
    >>> from skseq.datasets import make_counting
    >>> X, y = make_counting(2, random_state=0)
    >>> X[0].shape, y[0].shape
    ((45, 4), (45, 4))
    >>> X, y = make_counting(2, target="sequence", random_state=0)
    >>> y.shape
    (2, 4)
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(min_frames, "min_frames", Integral, min_val=1)
    check_scalar(max_frames, "max_frames", Integral, min_val=min_frames)
    check_value("make_counting", "target", target, OneOf(_TARGETS))
    rng = check_random_state(random_state)
    lengths = rng.randint(min_frames, max_frames + 1, size=n_samples)
    constants = rng.normal(scale=10.0, size=(n_samples, 4)).astype(np.float32)
    X = [
        (vector + rng.standard_normal((n_frames, 4))).astype(np.float32)
        for vector, n_frames in zip(constants, lengths, strict=True)
    ]
    if target == "sequence":
        return X, constants
    pairs = zip(constants, lengths, strict=True)
    return X, [np.tile(vector, (n_frames, 1)) for vector, n_frames in pairs]
