"""What vectors are compared by: how they become rows, and how far rows are apart.

Works in float64, row by row. Knows nothing of networks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax


@dataclass(frozen=True)
class Distance:
    """One way to compare vectors.

    Attributes
    ----------
    rows : callable
        From vectors (n_samples, n_features) to the rows that `transform` gives.
    between : callable
        The distance of each row of one array from that of another; both may have any
        leading axes that go together.
    similarity_at_zero : float
        The score of equals: a score is this minus the distance.
    """

    rows: Callable[[np.ndarray], np.ndarray]
    between: Callable[[np.ndarray, np.ndarray], np.ndarray]
    similarity_at_zero: float


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; a row of zeros becomes one of equal values."""
    vectors = np.asarray(vectors, dtype=np.float64)
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    vectors = np.where(largest > 0, vectors / np.where(largest > 0, largest, 1), 1.0)
    return vectors / np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))


def cosine_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One minus the cosine of unit rows: half of their squared difference."""
    return np.square(a - b).sum(axis=-1) / 2


def euclidean_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The length of the difference."""
    return np.sqrt(np.square(a - b).sum(axis=-1))


def probability_rows(vectors: np.ndarray) -> np.ndarray:
    """The softmax of each row."""
    return softmax(np.asarray(vectors, dtype=np.float64), axis=1)


def symmetric_kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The Kullback-Leibler divergences of two distributions, both ways, added up."""
    least = np.finfo(np.float64).tiny
    logs = (np.log(np.maximum(part, least)) for part in (p, q))
    log_p, log_q = logs
    return ((p - q) * (log_p - log_q)).sum(axis=-1)


DISTANCES = {
    "cosine": Distance(unit_rows, cosine_distance, 1.0),
    "euclidean": Distance(
        lambda vectors: np.asarray(vectors, dtype=np.float64), euclidean_distance, 0.0
    ),
    "symmetric_kl": Distance(probability_rows, symmetric_kl, 0.0),
}
