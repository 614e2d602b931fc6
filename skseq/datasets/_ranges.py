"""Ranges that users pass as (lowest, highest): checked, and drawn from.

Knows nothing of what they are ranges of.
"""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar


def draw_int(rng: np.random.RandomState, bounds: tuple[int, int]) -> int:
    low, high = bounds
    return rng.randint(low, high + 1)


def check_range(name: str, bounds: tuple, kind: type, *, minimum: float) -> None:
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) != 2:
        raise TypeError(
            f"{name} must be a pair (lowest, highest). Got {bounds!r} instead."
        )
    low, high = bounds
    check_scalar(low, f"{name}[0]", kind, min_val=minimum)
    check_scalar(high, f"{name}[1]", kind, min_val=low)


def check_noise(noise):
    """Check a standard deviation of noise.

    Parameters
    ----------
    noise : float
        From 0 to 1e6, beyond which a reading would be nothing else.
    """
    check_scalar(noise, "noise", Real, min_val=0.0, max_val=1e6)
    if noise != noise:
        raise ValueError(f"noise == {noise}, must be a number from 0 to 1e6.")
