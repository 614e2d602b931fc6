"""Numbers units as they come, and counts the n-grams of a stream of sequences.

Counted are n-grams of the highest order alone: each unit and each end of a sequence
closes one of them, so that all shorter ones follow. Knows nothing of probabilities.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from skseq.language._trie import END, N_SPECIAL, START, UNKNOWN

# Units that are numbered at once.
BLOCK = 2**20


class Numbers(dict):
    """The numbers of units, new ones by the order in which they come."""

    def __missing__(self, unit):
        number = self[unit] = len(self) + N_SPECIAL
        return number


@dataclass(frozen=True, eq=False)
class Stream:
    """Sequences of numbers one after another, each with its START and its END."""

    numbers: np.ndarray  # (n_numbers,) int32
    lengths: np.ndarray  # (n_sequences,) int64, without START and END

    @classmethod
    def of(cls, sequences: Iterable, numbers: dict) -> "Stream":
        """Number the units of sequences; those without a number are unknown."""
        sequences = list(sequences)
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        units = chain.from_iterable(sequences)
        if isinstance(numbers, Numbers):
            found = map(numbers.__getitem__, units)
        else:
            found = (numbers.get(unit, UNKNOWN) for unit in units)
        flat = np.fromiter(found, np.int32, int(lengths.sum()))
        stream = np.full(len(flat) + 2 * len(lengths), START, np.int32)
        ends = np.cumsum(lengths + 2) - 1
        stream[ends] = END
        is_unit = np.ones(len(stream), bool)
        is_unit[ends] = is_unit[ends - lengths - 1] = False
        stream[is_unit] = flat
        return cls(stream, lengths)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sum over each sequence, its START left out."""
        values = np.where(self.numbers == START, 0.0, values)
        starts = np.cumsum(self.lengths + 2) - self.lengths - 2
        return np.add.reduceat(values, starts) if len(starts) else np.zeros(0)


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each n-gram of one order came: sorted, distinct rows of numbers.

    Before its first unit a sequence has as many STARTs as the order asks for.
    """

    rows: np.ndarray  # (n_ngrams, order) int32
    counts: np.ndarray  # (n_ngrams,) int64

    @classmethod
    def nothing(cls, order: int) -> "Counts":
        return cls(np.empty((0, order), np.int32), np.empty(0, np.int64))

    @property
    def order(self) -> int:
        return self.rows.shape[1]

    def add(self, stream: Stream) -> "Counts":
        """These, and what comes in a stream."""
        found = _windows(stream, self.order)
        rows = np.concatenate([self.rows, found])
        counts = np.ones(len(rows), np.int64)
        counts[: len(self.rows)] = self.counts
        groups = Groups(rows)
        return Counts(rows[groups.firsts], groups.sums(counts))


def _windows(stream: Stream, order: int) -> np.ndarray:
    """The n-gram that each unit and each END closes, (n_ngrams, order)."""
    closing = np.flatnonzero(stream.numbers != START)
    lengths = stream.lengths + 1
    firsts = np.cumsum(lengths) - lengths
    steps = np.arange(len(closing)) - np.repeat(firsts, lengths) + 1
    rows = np.full((len(closing), order), START, np.int32)
    for back in range(order):
        is_inside = steps > back
        rows[is_inside, order - 1 - back] = stream.numbers[closing[is_inside] - back]
    return rows


class Groups:
    """Rows of numbers in their order, the equal ones together.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Numbers of 0 or more.
    """

    def __init__(self, rows: np.ndarray):
        keys = row_keys(rows)
        self.order = np.argsort(keys, kind="stable")
        keys = keys[self.order]
        is_first = np.ones(len(keys), bool)
        is_first[1:] = keys[1:] != keys[:-1]
        self.starts = np.flatnonzero(is_first)
        self.firsts = self.order[self.starts]  # a row of each group

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sum over each group."""
        if not len(self.starts):
            return values[:0]
        return np.add.reduceat(values[self.order], self.starts)

    def sizes(self) -> np.ndarray:
        """How many rows each group has."""
        return np.diff(np.append(self.starts, len(self.order)))


def row_keys(rows: np.ndarray) -> np.ndarray:
    """One number per row, which rows are ordered by, and equal rows share."""
    sizes = rows.max(axis=0, initial=0).astype(np.int64) + 1
    keys, size = np.zeros(len(rows), np.int64), 1
    for column, more in zip(rows.T, sizes.tolist(), strict=True):
        if size * more >= 2**63:
            distinct, keys = np.unique(keys, return_inverse=True)
            size = len(distinct)
        keys = keys * more + column
        size *= more
    return keys


def blocks(sequences: Iterable, most: int = BLOCK) -> Iterator[list]:
    """Sequences in lists of about so many units each."""
    block, n_units = [], 0
    for sequence in sequences:
        block.append(sequence)
        n_units += len(sequence) + 1
        if n_units >= most:
            yield block
            block, n_units = [], 0
    if block:
        yield block


def checked_counts(counts: Counts, n_units: int) -> Counts:
    """Refuse arrays that are not counts of n-grams, from whatever source.

    Raises
    ------
    ValueError
        If they are of other types, out of range or not sorted.
    """
    rows, found = counts.rows, counts.counts
    is_array = isinstance(rows, np.ndarray) and isinstance(found, np.ndarray)
    if not is_array or (rows.dtype, found.dtype) != (np.int32, np.int64):
        raise ValueError("Its counts must be arrays of int32 and int64.")
    if rows.ndim != 2 or found.shape != (len(rows),) or not rows.size:
        raise ValueError("Its counts must be one per n-gram.")
    if rows.min() < START or rows.max() >= n_units or (rows[:, -1] == START).any():
        raise ValueError(
            f"The units of its counts must lie in the range [1, {n_units})"
        )
    if not 0 < found.min() <= found.max() < 2**53:
        raise ValueError("Its counts must be positive, and less than 2**53.")
    _check_order(rows)
    return counts


def _check_order(rows: np.ndarray) -> None:
    """STARTs stand before all else, END after it, and rows are sorted."""
    late = (rows[:, 1:] == START) & (rows[:, :-1] != START)
    if late.any() or (rows[:, :-1] == END).any():
        raise ValueError("The n-grams of its counts must begin and end in order.")
    if not (np.diff(row_keys(rows)) > 0).all():
        raise ValueError("The n-grams of its counts must be sorted and distinct.")
