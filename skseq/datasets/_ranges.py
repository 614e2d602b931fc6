"""Ranges that users pass as (lowest, highest): checked, and drawn from.

Knows nothing of what they are ranges of.
"""

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
