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

# With fewer pairs of a kind an error rate says little.
_FEWEST = 10


def some_rows(rows: np.ndarray, ids: np.ndarray | None = None) -> np.ndarray:
    """Some of many rows, whole classes where each row has an id."""
    if len(rows) <= MOST_JUDGED:
        return rows
    rng = generator(0, "judged")
    if ids is None:
        return np.sort(rng.choice(rows, MOST_JUDGED, replace=False))
    classes, counts = np.unique(ids, return_counts=True)
    order = rng.permutation(len(classes))
    fits = np.cumsum(counts[order]) <= MOST_JUDGED
    fits[:2] = True
    kept = np.flatnonzero(np.isin(ids, classes[order[fits]]))
    if len(kept) > MOST_JUDGED:
        kept = np.sort(rng.choice(kept, MOST_JUDGED, replace=False))
    return rows[kept]


def distances_of(rows: np.ndarray, first, second, distance: str) -> np.ndarray:
    """The distances of pairs, by the rows of both sides."""
    between = DISTANCES[distance].between
    starts = range(0, len(first), _AT_ONCE)
    parts = [slice(start, start + _AT_ONCE) for start in starts]
    found = [between(rows[first[part]], rows[second[part]]) for part in parts]
    return np.concatenate([np.empty(0), *found])


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
