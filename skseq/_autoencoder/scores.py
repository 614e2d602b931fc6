"""From reconstruction errors to anomaly scores, thresholds and probabilities.

Larger scores are more anomalous here. Knows nothing of Keras, nor of estimators.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erf
from sklearn.metrics import precision_recall_curve

# The quantile of normal scores beyond which an anomaly starts.
AUTO_QUANTILE = 0.99

# By how much, at most, a score may change with a sequence's place among others: the
# network rounds to single precision.
ROUNDING = 1e-5


# What the variances of errors grow by, beside themselves, and the deviation that stands
# for none at all: single precision at the scale of the network's own units.
RIDGE = 1e-6
NO_ERROR = 1e-6


def mean_square(errors) -> np.ndarray:
    """Mean squared error of each frame: (n_frames, n_features) to (n_frames,)."""
    return np.mean(np.square(errors), axis=1)


def mean_absolute(errors) -> np.ndarray:
    """Mean absolute error of each frame: (n_frames, n_features) to (n_frames,)."""
    return np.mean(np.abs(errors), axis=1)


@dataclass(frozen=True)
class ErrorDistribution:
    """Mean and covariance of the errors of normal frames (Malhotra et al. 2016)."""

    mean: np.ndarray
    precision: np.ndarray

    @classmethod
    def fit(cls, errors) -> "ErrorDistribution":
        """Estimate from sequences of errors, each (n_frames, n_features).

        The ridge is relative to each feature's own variance, so that distances do not
        depend on the units of the features.
        """
        frames = np.concatenate(errors)
        centred = frames - frames.mean(axis=0)
        scale = _deviations(frames, centred)
        standard = centred / scale
        correlation = standard.T @ standard / len(frames)
        # Features that are reconstructed alike would make it singular.
        ridge = RIDGE * np.eye(len(correlation))
        precision = np.linalg.inv(correlation + ridge) / np.outer(scale, scale)
        return cls(frames.mean(axis=0), precision)

    def __call__(self, errors) -> np.ndarray:
        """Squared Mahalanobis distance of each frame."""
        centred = errors - self.mean
        return np.einsum("ij,jk,ik->i", centred, self.precision, centred)


def _deviations(frames, centred) -> np.ndarray:
    """Standard deviation of each feature's errors, and above zero.

    Errors that vary less than they are rounded vary by that much, and a feature without
    errors gets a deviation that no unit has a say in.
    """
    size = np.sqrt(np.mean(np.square(frames), axis=0))
    deviations = np.sqrt(np.mean(np.square(centred), axis=0))
    deviations = np.maximum(deviations, ROUNDING * size)
    return np.where(deviations > 0, deviations, NO_ERROR)


# What is made of the errors of each frame; a sequence's score is the mean of its
# frames'.
SCORES = {"mse": mean_square, "mae": mean_absolute, "mahalanobis": None}


def threshold_of(scores, contamination) -> float:
    """The score beyond which a sequence is anomalous.

    It is what this share of the scores exceeds, by more than rounding could. "auto"
    takes one in a hundred.
    """
    is_auto = contamination == "auto"
    return threshold_at(scores, AUTO_QUANTILE if is_auto else 1 - float(contamination))


def threshold_at(scores, quantile) -> float:
    """A quantile of the scores, and a little more, beyond which rounding cannot get."""
    return (1 + ROUNDING) * float(np.quantile(scores, quantile))


def outlier_probability(scores, mean, deviation) -> np.ndarray:
    """Gaussian scaling of Kriegel et al. (2011): 0 up to the mean, then rising to 1."""
    # Where all scores were equal, their differences are rounding.
    deviation = max(deviation, ROUNDING * mean, np.finfo(np.float64).tiny)
    with np.errstate(over="ignore"):
        return np.maximum(0.0, erf((scores - mean) / (deviation * np.sqrt(2))))


def best_threshold(scores, is_anomaly, beta=1.0) -> float:
    """The threshold of the highest F-beta measure of the anomalies.

    It lies half-way between the scores that it parts, or below them all.
    """
    precision, recall, thresholds = precision_recall_curve(is_anomaly, scores)
    weight = beta**2
    total = weight * precision + recall
    f_beta = (1 + weight) * precision * recall / np.where(total > 0, total, 1)
    best = int(np.argmax(f_beta[:-1]))  # the last point has no threshold
    above = thresholds[best]
    below = np.max(scores[scores < above], initial=-1 - abs(above))
    return float((above + below) / 2)
