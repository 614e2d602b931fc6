"""Masses of any size: each a double and a power of two, and their logarithms.

Where a language forbids what the frames say, the masses of a search's prefixes differ
by more than a double holds. Everything here is the same to the last bit on every
machine, and in the compiled search (`_native/ctc_masses.h`), which repeats it.
"""

from typing import NamedTuple

import numpy as np

from skseq._ctc.exponential import LN2_HIGH, LN2_LOW, divided_exponentials

# The exponent of what is zero, and the most that two may differ by to add up.
_OF_ZERO, _FARTHEST = -(2**61), 60

# Of atanh(s) / s in powers of s**2; |s| is at most 0.172.
_SERIES = [1.0 / degree for degree in range(25, 0, -2)]


class Masses(NamedTuple):
    """Values times powers of two: arrays of one shape."""

    values: np.ndarray  # from 0.5 to below 1, or zero
    exponents: np.ndarray  # int64

    @classmethod
    def of(cls, values, exponents=0) -> "Masses":
        """Any values, times powers of two."""
        values, more = np.frexp(values)
        exponents = np.where(values > 0, np.add(exponents, more, dtype=np.int64), 0)
        return cls(values, np.where(values > 0, exponents, _OF_ZERO))

    @classmethod
    def exponentials(cls, values: np.ndarray) -> "Masses":
        """exp of numbers that are not positive; below -1e8 but finite it is as there.

        Examples
        --------
        >>> Masses.exponentials(np.array([-np.inf, -5000.0])).logs()
        array([  -inf, -5000.])
        """
        near_one, powers = divided_exponentials(np.maximum(values, -1e8))
        found = cls.of(near_one, powers.astype(np.int64))
        return found.where(values > -np.inf)

    def take(self, index) -> "Masses":
        return Masses(self.values[index], self.exponents[index])

    def times(self, others: "Masses") -> "Masses":
        exponents = self.exponents + others.exponents
        return Masses.of(self.values * others.values, exponents)

    def plus(self, others: "Masses") -> "Masses":
        top = np.maximum(self.exponents, others.exponents)
        return Masses.of(self._beside(top) + others._beside(top), top)

    def where(self, kept) -> "Masses":
        """Zero but where they are kept."""
        return Masses(
            np.where(kept, self.values, 0.0), np.where(kept, self.exponents, _OF_ZERO)
        )

    def _beside(self, top) -> np.ndarray:
        """The values beside a power of two; zero where they would be lost in a sum."""
        shift = (self.exponents - top).clip(-_FARTHEST - 1, 0)
        scaled = np.ldexp(self.values, shift.astype(np.intc))
        return np.where(shift < -_FARTHEST, 0.0, scaled)

    def logs(self) -> np.ndarray:
        """The natural logarithms.

        Examples
        --------
        >>> Masses.of(np.array([0.0, 1.0, 10.0])).logs().round(6)
        array([    -inf, 0.      , 2.302585])
        """
        is_small = self.values < 0.7071067811865476
        values = np.where(is_small, 2.0 * self.values, self.values)
        power = (self.exponents - is_small).astype(np.float64)
        s = (values - 1.0) / (values + 1.0)
        square = s * s
        series = np.full(s.shape, _SERIES[0])
        for coefficient in _SERIES[1:]:
            series *= square
            series += coefficient
        found = power * LN2_HIGH + (2.0 * s * series + power * LN2_LOW)
        return np.where(self.values > 0, found, -np.inf)


def join(first: Masses, second: Masses) -> Masses:
    """One after the other."""
    return Masses(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
