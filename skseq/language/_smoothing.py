"""Makes probabilities of counts: interpolated modified Kneser-Ney, and Witten-Bell.

What is taken from the n-grams that came goes to the distribution of the order below,
and at the lowest order to all units alike, the unknown one among them. Knows nothing of
what units are.

References: S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for
language modeling", Computer Speech and Language 13(4), 1999; K. Heafield et al.,
"Scalable modified Kneser-Ney language model estimation", ACL 2013.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skseq.language._counts import Counts, Groups
from skseq.language._trie import NEVER, START, UNKNOWN, Level, Trie


class Table(NamedTuple):
    """The n-grams of one order that came, in sorted rows, and how often."""

    rows: np.ndarray  # (n_ngrams, order)
    raw: np.ndarray  # (n_ngrams,), times that each came
    adjusted: np.ndarray  # (n_ngrams,), or the units before it that differ


class Taken(NamedTuple):
    """What is taken from the count of each n-gram, and what each adds to their sum."""

    off: np.ndarray | float  # (n_ngrams,)
    more: float


def estimate(
    counts: Counts, n_units: int, smoothing: str, min_count: int
) -> tuple[Trie, list[int]]:
    """Return the model, and the orders that Kneser-Ney's discounts do not exist for."""
    trie, undiscounted, tables = Trie(n_units, ()), [], _tables(counts)
    for order in range(1, counts.order + 1):
        table = tables.pop()
        found = table.adjusted if smoothing == "kneser_ney" else table.raw
        taken = SMOOTHINGS[smoothing](found)
        if taken is None:
            undiscounted.append(order)
            taken = _witten_bell(found)
        if order == 1:
            level, probs = _unigrams(table, found, taken)
        else:
            places = _parents(trie, table.rows)
            is_kept = table.raw >= min_count
            shares = _shares(places, found, taken, is_kept, len(probs))
            trie, level, probs = _higher(
                trie, table.rows, places, is_kept, shares, probs
            )
        trie = Trie(n_units, (*trie.levels, level))
    return trie, undiscounted


def _tables(counts: Counts) -> list[Table]:
    """What came of each order, down to 1."""
    rows, raw, adjusted = counts.rows, counts.counts, counts.counts
    tables = []
    for order in range(counts.order, 0, -1):
        # Of the starts before a sequence, an n-gram has one at most.
        is_one = rows[:, 1] != START if order > 1 else slice(None)
        own = raw[is_one]
        of_own = own if adjusted is raw else adjusted[is_one]
        tables.append(Table(rows[is_one], own, of_own))
        if order > 1:
            groups = Groups(rows[:, 1:])
            rows, raw = rows[groups.firsts, 1:], groups.sums(raw)
            # Nothing comes before a start, so its own count stays.
            adjusted = np.where(rows[:, 0] == START, raw, groups.sizes())
    return tables


def _kneser_ney(found: np.ndarray) -> Taken | None:
    """Three discounts, for counts of 1, 2 and more; None where they do not exist."""
    n_1, n_2, n_3, n_4 = np.bincount(np.minimum(found, 5), minlength=6)[1:5].tolist()
    if not (n_1 and n_2 and n_3):
        return None
    share = n_1 / (n_1 + 2 * n_2)
    discounts = np.array(
        [0.0, share, 2 - 3 * share * n_3 / n_2, 3 - 4 * share * n_4 / n_3]
    )
    if (discounts < 0).any():
        return None
    return Taken(discounts[np.minimum(found, 3)], 0.0)


def _witten_bell(found: np.ndarray) -> Taken:
    """As if each n-gram that came had come once more, as something new."""
    return Taken(0.0, 1.0)


SMOOTHINGS: dict[str, Callable[[np.ndarray], Taken | None]] = {
    "kneser_ney": _kneser_ney,
    "witten_bell": _witten_bell,
}


class Shares(NamedTuple):
    """The share of each n-gram after its prefix, and what each prefix has left."""

    of_ngram: np.ndarray  # (n_ngrams,)
    left: np.ndarray  # (n_prefixes,); 1 where nothing came after a prefix


def _shares(places, found, taken: Taken, is_kept, n_prefixes: int) -> Shares:
    """Divide the probability after each prefix; n-grams that are not kept leave theirs.

    `places` are those of the prefixes, or -1 where one is not kept itself.
    """
    # Prefix -1 is counted first, and left out: nothing that it begins is kept.
    slots = places + 1
    shares = found - taken.off
    shares[~is_kept] = 0.0
    more = taken.more * np.bincount(slots, minlength=n_prefixes + 1)
    total = np.bincount(slots, found, n_prefixes + 1) + more
    left = np.bincount(slots, found - shares, n_prefixes + 1) + more
    shares /= total[slots]
    came = total > 0
    left[came] /= total[came]
    left[~came] = 1.0
    return Shares(shares, left[1:])


def _unigrams(table: Table, found, taken: Taken) -> tuple[Level, np.ndarray]:
    """The level of units that came, of the start and of what is unknown."""
    shares = _shares(
        np.zeros(len(found), np.int64), found, taken, np.ones(len(found), bool), 1
    )
    units = np.concatenate([[UNKNOWN, START], table.rows[:, 0]]).astype(np.int32)
    probs = np.concatenate([np.zeros(2), shares.of_ngram])
    probs += shares.left[0] / (len(units) - 1)
    probs[1] = 10.0**NEVER
    level = Level(
        np.zeros(len(units), np.int32), units, _log(probs), np.zeros(len(units))
    )
    level.log_probs[1] = NEVER
    return level, probs


def _parents(trie: Trie, rows: np.ndarray) -> np.ndarray:
    """The places of the prefixes of sorted rows; -1 for those that are not kept."""
    prefixes = rows[:, :-1]
    is_new = np.ones(len(rows), bool)
    is_new[1:] = (prefixes[1:] != prefixes[:-1]).any(axis=1)
    places = np.zeros(int(is_new.sum()), np.int64)
    for order, column in enumerate(prefixes[is_new].T, 1):
        places = trie.find(order, places, column)
    return places[np.cumsum(is_new) - 1]


def _higher(trie: Trie, rows, places, is_kept, shares: Shares, probs):
    """The level of n-grams that are kept, above one that learns its back-off weights.

    `probs` are the probabilities of that one.
    """
    below = trie.levels[-1]
    below = Level(below.parents, below.units, below.log_probs, _log(shares.left))
    trie = Trie(trie.n_units, (*trie.levels[:-1], below))
    parents = places[is_kept]
    units = np.ascontiguousarray(rows[is_kept, -1])
    level = Level(
        parents.astype(np.int32), units, np.zeros(len(units)), np.zeros(len(units))
    )
    suffixes = Trie(trie.n_units, (*trie.levels, level)).suffixes[-1]
    probs = shares.of_ngram[is_kept] + shares.left[parents] * probs[suffixes]
    level.log_probs[:] = _log(probs)
    return trie, level, probs


def _log(probs: np.ndarray) -> np.ndarray:
    """The logarithm to the base 10, at most 0 however sums were rounded."""
    return np.minimum(np.log10(probs), 0.0)
