"""The exponential function, the same to the last bit on every machine.

NumPy's own depends on the processor. The compiled search and lattice repeat this one
operation by operation (`_native/ctc.cpp`), and so find the same masses.
"""

from math import factorial

import numpy as np

_LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # few digits: its multiples are exact
LN2_LOW = 1.90821492927058770002e-10

# The least exponent whose power is not subnormal, and a large one.
_LEAST, _LARGEST = -708.0, 700.0

_TAYLOR = [1.0 / factorial(degree) for degree in range(13, -1, -1)]


def exponentials(values: np.ndarray) -> np.ndarray:
    """Compute exp(values) in float64; below exp(-708) it is zero.

    Examples
    --------
    >>> exponentials(np.array([-np.inf, 0.0, 1.0])).round(6)
    array([0.      , 1.      , 2.718282])
    """
    bounded = np.clip(values, _LEAST, _LARGEST)
    result, power = divided_exponentials(bounded)
    result.view(np.int64)[...] += power.astype(np.int64) << 52  # times 2**power
    result[values < _LEAST] = 0.0
    return result


def divided_exponentials(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute exp(values) as numbers near 1 and whole powers of 2 to multiply with."""
    power = np.rint(values * _LOG2_E)
    rest = (values - power * LN2_HIGH) - power * LN2_LOW
    result = np.full(rest.shape, _TAYLOR[0])
    for coefficient in _TAYLOR[1:]:
        result *= rest
        result += coefficient
    return result, power
