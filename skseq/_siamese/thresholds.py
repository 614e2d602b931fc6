"""From the scores of pairs to a threshold, and to a probability of being alike.

Higher scores are more alike. Knows nothing of networks, nor of sequences.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

CRITERIA = ("eer", "accuracy", "f_beta", "max_fpr")


@dataclass(frozen=True)
class Errors:
    """What each threshold lets pass, from above all scores to below them all.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Each half-way between two neighbouring scores, or beyond them all.
    n_accepted, n_right : ndarray of shape (n_thresholds,)
        How many pairs that are not alike have a higher score, and that are.
    """

    thresholds: np.ndarray
    n_accepted: np.ndarray
    n_right: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, is_alike: np.ndarray) -> "Errors":
        """Those of some pairs; equal scores are never parted."""
        order = np.argsort(-scores, kind="stable")
        scores, is_alike = scores[order], is_alike[order]
        ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
        levels = scores[ends]
        above = np.append(levels[0] + 1 + abs(levels[0]), levels)
        below = np.append(levels, levels[-1] - 1 - abs(levels[-1]))
        n_right = np.append(0, np.cumsum(is_alike)[ends])
        n_accepted = np.append(0, np.cumsum(~is_alike)[ends])
        return cls((above + below) / 2, n_accepted, n_right)

    @property
    def false_accepts(self) -> np.ndarray:
        """The share of pairs that are not alike and pass."""
        return self.n_accepted / self.n_accepted[-1]

    @property
    def false_rejects(self) -> np.ndarray:
        """The share of pairs that are alike and do not."""
        return 1 - self.n_right / self.n_right[-1]


def best_threshold(scores, is_alike, criterion="eer", value=None) -> float:
    """The threshold of a criterion; of equally good ones the highest.

    Parameters
    ----------
    scores : ndarray of shape (n_pairs,)
    is_alike : ndarray of bool of shape (n_pairs,)
        Both kinds must be there.
    criterion : {"eer", "accuracy", "f_beta", "max_fpr"}
    value : float or None
        The beta, or the largest false-accept rate.
    """
    errors = Errors.of(scores, is_alike)
    accepts, rejects = errors.false_accepts, errors.false_rejects
    if criterion == "max_fpr":
        best = int(np.argmax(np.where(accepts <= value, errors.n_right, -1)))
    elif criterion == "eer":
        best = int(np.argmin(np.abs(accepts - rejects)))
    elif criterion == "accuracy":
        best = int(np.argmax(errors.n_right - errors.n_accepted))
    else:
        weight = np.square(1.0 if value is None else float(value))
        n_missed = errors.n_right[-1] - errors.n_right
        hits = (1 + weight) * errors.n_right
        best = int(np.argmax(hits / (hits + weight * n_missed + errors.n_accepted)))
    return float(errors.thresholds[best])


def calibrated(scores, is_alike) -> tuple[float, float]:
    """Slope and offset of the log-odds of being alike, both kinds counting the same.

    The slope is not below zero: a higher score never makes it less probable.
    """
    center, spread = scores.mean(), scores.std()
    spread = spread if spread > 0 else 1.0
    levels = ((scores - center) / spread)[:, np.newaxis]
    model = LogisticRegression(class_weight="balanced").fit(levels, is_alike)
    slope = max(0.0, float(model.coef_[0, 0]) / spread)
    offset = float(model.intercept_[0]) if slope else 0.0
    return slope, offset - slope * float(center)


def probability(scores, calibration) -> np.ndarray:
    """The probability of being alike."""
    slope, offset = calibration
    return expit(slope * scores + offset)
