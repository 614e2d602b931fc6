"""How far rows are apart, pair by pair, and what shows that they tell nothing.

Knows nothing of networks.
"""

import numpy as np

from skseq._seeding import generator
from skseq._siamese.distances import DISTANCES
from skseq.metrics import equal_error_rate

# Sequences, or pairs, that a threshold is settled by: all pairs of a thousand sequences
# are half a million.
MOST_JUDGED = 1000

# Pairs that are compared at a time.
_AT_ONCE = 2**13

# Rows whose distances are a smaller share of their size are all alike.
COLLAPSED = 1e-3

# Half of all pairs are told wrong by chance.
LITTLE_BETTER = 0.4

# A loss that never falls below this share of what chance reaches tells no learning.
AT_CHANCE = 0.995

# With fewer pairs of a kind an error rate says little.
_FEWEST = 10


def some_rows(rows: np.ndarray, ids: np.ndarray, most: int = MOST_JUDGED) -> np.ndarray:
    """So many of many rows, drawn in the same way each time.

    Of large classes only a part is taken, as many rows of each; where two of each are
    too many, some classes are taken. So there are pairs of both kinds if all rows have
    them.
    """
    if len(rows) <= most:
        return rows
    rng = generator(0, "judged")
    _, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    order = rng.permutation(len(rows))
    if np.minimum(counts, 2).sum() > most:
        order = order[_some_classes(counts, most, rng)[places[order]]]
    by_class = order[np.argsort(places[order], kind="stable")]
    starts = np.searchsorted(places[by_class], places[by_class])
    numbers = np.arange(len(by_class)) - starts  # of each row within its class
    chosen = by_class[np.lexsort((rng.random(len(numbers)), numbers))]
    return rows[np.sort(chosen[:most])]


def _some_classes(counts: np.ndarray, most: int, rng) -> np.ndarray:
    """Which classes are taken, up to two rows of each; half the rows for large ones."""
    order = rng.permutation(len(counts))
    is_first = np.zeros(len(counts), dtype=bool)
    is_first[order[counts[order] > 1][: max(1, most // 4)]] = True
    order = np.concatenate([order[is_first[order]], order[~is_first[order]]])
    is_taken = np.zeros(len(counts), dtype=bool)
    is_taken[order[np.cumsum(np.minimum(counts[order], 2)) <= most]] = True
    return is_taken


def distances_of(rows: np.ndarray, first, second, distance: str) -> np.ndarray:
    """The distances of pairs, by the rows of both sides."""
    between = DISTANCES[distance].between
    starts = range(0, len(first), _AT_ONCE)
    parts = [slice(start, start + _AT_ONCE) for start in starts]
    found = [between(rows[first[part]], rows[second[part]]) for part in parts]
    return np.concatenate([np.empty(0), *found])


def of_all_pairs(values: np.ndarray, operation, dtype) -> np.ndarray:
    """What an operation makes of each entry and each later one, pair by pair."""
    n_rows = len(values)
    found = np.empty(n_rows * (n_rows - 1) // 2, dtype)
    end = 0
    for i in range(n_rows - 1):
        start, end = end, end + n_rows - 1 - i
        found[start:end] = operation(values[i], values[i + 1 :])
    return found


def all_scores(rows: np.ndarray, distance: str) -> np.ndarray:
    """The score of each row with each later one, in the order of `of_all_pairs`."""
    found = of_all_pairs(rows, DISTANCES[distance].between, np.float64)
    np.subtract(DISTANCES[distance].similarity_at_zero, found, out=found)
    return found


def scores_of(distances: np.ndarray, distance: str) -> np.ndarray:
    """Scores, higher for what is more alike."""
    return DISTANCES[distance].similarity_at_zero - distances


def lack_of_distance(rows, distances, is_alike) -> str | None:
    """Say how embeddings show that nothing was learnt; None where they do not."""
    size = np.sqrt(np.square(rows).sum(axis=1).mean())
    mean = distances.mean()
    if mean <= COLLAPSED * size:
        return f"all embeddings are alike: their mean distance is {mean:.1g}"
    n_alike = np.count_nonzero(is_alike)
    if min(n_alike, len(is_alike) - n_alike) < _FEWEST:
        return None
    rate = equal_error_rate(is_alike.astype(int), -distances)
    if rate > LITTLE_BETTER:
        return f"the equal error rate is {rate:.2f}; chance would reach 0.50"
    return None


def lack_of_fall(losses: list[float], chance: float | None) -> str | None:
    """Say that a loss has stayed where it is without learning; None if it has not.

    Of two epochs or fewer nothing is said.
    """
    if chance is None or len(losses) < 3 or min(losses) < AT_CHANCE * chance:
        return None
    return f"the loss is {losses[-1]:.3g}; chance would reach {chance:.3g}"
