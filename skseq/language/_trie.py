"""The n-grams of a model as a trie, one level per order, in arrays.

Units are numbers: the first three stand for what no user has, an unknown unit, the
start and the end of a sequence. Knows nothing of counts, files and labels.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

UNKNOWN, START, END = 0, 1, 2
N_SPECIAL = 3  # the units of a user have the numbers from here on
MOST_ORDER = 20
NEVER = -99.0  # what files say of the log10-probability of the start
MOST = 1000  # of a logarithm of a probability or weight, without its sign
LN_10 = np.log(10.0)


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one order, sorted by the place of their prefix, then by unit."""

    parents: np.ndarray  # (n_ngrams,) int32, places of the prefixes one level below
    units: np.ndarray  # (n_ngrams,) int32, the last unit of each
    log_probs: np.ndarray  # (n_ngrams,) float64, to the base 10
    backoffs: np.ndarray  # (n_ngrams,) float64, to the base 10

    def __len__(self):
        return len(self.units)


@dataclass(frozen=True, eq=False)
class Trie:
    """What is known of all n-grams: of each order, from 1 on, a level.

    The suffix of each n-gram, without its first unit, is among those of the order
    below, as its prefix is.
    """

    n_units: int  # the special ones, too
    levels: tuple[Level, ...]

    def __getstate__(self) -> dict:
        """All but what is made anew when it is asked for."""
        return {"n_units": self.n_units, "levels": self.levels}

    @property
    def order(self) -> int:
        return len(self.levels)

    @cached_property
    def _keys(self) -> list[np.ndarray]:
        """Prefix and unit of each n-gram as one number, ascending, level by level."""
        return [
            level.parents.astype(np.int64) * self.n_units + level.units
            for level in self.levels
        ]

    def find(self, order: int, prefixes, units) -> np.ndarray:
        """The places of n-grams in their level; -1 for those that it lacks.

        A prefix of -1 is one that the level below lacks. That of a unigram is 0.
        """
        prefixes = np.asarray(prefixes, np.int64)
        wanted, keys = prefixes * self.n_units + units, self._keys[order - 1]
        if not len(keys):
            return np.full(wanted.shape, -1)
        places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((keys[places] == wanted) & (prefixes >= 0), places, -1)

    @cached_property
    def suffixes(self) -> list[np.ndarray]:
        """The place of the suffix of each n-gram, level by level."""
        found = [np.zeros(len(self.levels[0]), np.int64)]
        for order in range(2, self.order + 1):
            level = self.levels[order - 1]
            below = found[-1][level.parents]
            found.append(self.find(order - 1, below, level.units))
        return found

    @cached_property
    def start(self) -> int:
        """The place of the start among the unigrams."""
        return int(self.find(1, 0, START))

    def log_probs(self, units: np.ndarray) -> np.ndarray:
        """The log10-probability of each unit after those before it, for one stream.

        Each sequence of the stream begins with a START, whose probability is not one.
        """
        total = np.full(len(units), -np.inf)
        places = self.find(1, 0, units)
        known = places >= 0
        total[known] = self.levels[0].log_probs[places[known]]
        for order in range(2, self.order + 1):
            histories = np.concatenate([[-1], places[:-1]])
            places = self.find(order, histories, units)
            places[units == START] = -1
            level, below = self.levels[order - 1], self.levels[order - 2]
            backs = (places < 0) & (histories >= 0)
            total[backs] += below.backoffs[histories[backs]]
            known = places >= 0
            total[known] = level.log_probs[places[known]]
        return total

    def histories(self, units) -> list[int]:
        """The places of the longest history of some units, and of its suffixes.

        From the longest to the empty one, of which there is one, 0.
        """
        for length in range(min(len(units), self.order - 1), 0, -1):
            place = 0
            for order, unit in enumerate(units[-length:], 1):
                place = int(self.find(order, place, unit))
            if place >= 0:
                places = [place]
                for level in range(length - 1, 0, -1):
                    places.append(int(self.suffixes[level][places[-1]]))
                return [*places, 0]
        return [0]

    def distribution(self, units) -> np.ndarray:
        """The log10-probabilities of all units, (n_units,), after some.

        That of the start, which follows nothing, is minus infinity.
        """
        found = np.full(self.n_units, -np.inf)
        histories = self.histories(units)
        for order, history in enumerate(reversed(histories), 1):
            if order > 1:
                found += self.levels[order - 2].backoffs[history]
            keys = self._keys[order - 1]
            bounds = np.array([history, history + 1]) * self.n_units
            first, last = np.searchsorted(keys, bounds)
            level = self.levels[order - 1]
            found[level.units[first:last]] = level.log_probs[first:last]
        found[START] = -np.inf
        return found

    def ends(self) -> list[np.ndarray]:
        """The log10-probability of the end after each history, by its length."""
        (end,) = self.find(1, 0, [END])
        found = [np.full(1, self.levels[0].log_probs[end] if end >= 0 else -np.inf)]
        for order in range(2, self.order + 1):
            below = self.levels[order - 2]
            own = self.find(order, np.arange(len(below)), END)
            backed = below.backoffs + found[-1][self.suffixes[order - 2]]
            explicit = self.levels[order - 1].log_probs
            found.append(_where_found(own, explicit, backed))
        return found


def _where_found(places, values, otherwise) -> np.ndarray:
    """The values at some places, and something else for places of -1."""
    result = otherwise.copy()
    result[places >= 0] = values[places[places >= 0]]
    return result


def checked_trie(trie: Trie) -> Trie:
    """Refuse arrays of which a trie cannot consist, from whatever source.

    Raises
    ------
    ValueError
        If they are of other types, out of range, not sorted or not complete.
    """
    n_parents = 1
    for order, level in enumerate(trie.levels, 1):
        what = f"Its {order}-grams"
        _check_types(level, what)
        _check_range(level.parents, n_parents, f"{what} have prefixes that")
        _check_range(level.units, trie.n_units, f"{what} have units that")
        _check_numbers(level, what)
        n_parents = len(level)
    keys = trie._keys
    if not all((np.diff(found) > 0).all() for found in keys):
        raise ValueError("Its n-grams must be sorted and distinct.")
    if (trie.find(1, 0, [START, END]) < 0).any():
        raise ValueError("Its 1-grams must hold the start and the end of a sequence.")
    for order in range(2, trie.order + 1):
        if (trie.suffixes[order - 1] < 0).any():
            raise ValueError(f"Its {order}-grams must have their suffixes below.")
    return trie


def _check_types(level: Level, what: str) -> None:
    arrays = (level.parents, level.units, level.log_probs, level.backoffs)
    dtypes = (np.int32, np.int32, np.float64, np.float64)
    if not all(isinstance(array, np.ndarray) for array in arrays) or not all(
        array.dtype == dtype and array.shape == (len(level),) and array.ndim == 1
        for array, dtype in zip(arrays, dtypes, strict=True)
    ):
        raise ValueError(f"{what} must be four arrays of one length and their types.")


def _check_range(numbers: np.ndarray, most: int, what: str) -> None:
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < most:
        raise ValueError(f"{what} must lie in the range [0, {most}).")


def _check_numbers(level: Level, what: str) -> None:
    """Probabilities are at most 1; weights may be more."""
    in_range = (level.log_probs >= -MOST) & (level.log_probs <= 0)
    if not (in_range & (np.abs(level.backoffs) <= MOST)).all():
        raise ValueError(
            f"{what} must have logarithms of probabilities in the range [-{MOST}, 0] "
            f"and of back-off weights in the range [-{MOST}, {MOST}]."
        )
