"""From the scores of pairs to a threshold, and to a probability of being alike.

Higher scores are more alike. Knows nothing of networks, nor of sequences.
"""

import numpy as np
from scipy.special import expit

from skseq._confidence import fit_line
from skseq.metrics._pairs import error_curve, threshold_between

CRITERIA = ("eer", "accuracy", "f_beta", "max_fpr")


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
    n_pairs, n_alike = len(scores), np.count_nonzero(is_alike)
    levels, *errors = error_curve(is_alike, scores, np.ones(n_pairs))
    accepts, rejects = (error[::-1] for error in errors)  # the highest cut first
    n_accepted = np.rint(accepts * (n_pairs - n_alike))
    n_right = np.rint((1 - rejects) * n_alike)
    if criterion == "max_fpr":
        best = np.argmax(np.where(accepts <= value, n_right, -1))
    elif criterion == "eer":
        best = np.argmin(np.abs(accepts - rejects))
    elif criterion == "accuracy":
        best = np.argmax(n_right - n_accepted)
    else:
        weight = np.square(1.0 if value is None else float(value))
        hits = (1 + weight) * n_right
        best = np.argmax(hits / (hits + weight * (n_alike - n_right) + n_accepted))
    return _between(levels[::-1], int(best))


def _between(levels, cut) -> float:
    """Half-way between falling levels that a cut parts, or beyond them all."""
    above = levels[cut - 1] if cut else levels[0] + 1 + abs(levels[0])
    below = levels[cut] if cut < len(levels) else levels[-1] - 1 - abs(levels[-1])
    return threshold_between(below, above)


def calibrated(scores, is_alike) -> tuple[float, float]:
    """Slope and offset of the log-odds of being alike, both kinds counting the same."""
    center, spread = scores.mean(), scores.std()
    if not spread > 0:
        return 0.0, 0.0
    weights = np.where(is_alike, 1 / is_alike.sum(), 1 / (~is_alike).sum())
    slope, offset = fit_line((scores - center) / spread, is_alike, weights)
    slope /= spread
    return slope, offset - slope * float(center)


def probability(scores, calibration) -> np.ndarray:
    """The probability of being alike."""
    slope, offset = calibration
    return expit(slope * scores + offset)
