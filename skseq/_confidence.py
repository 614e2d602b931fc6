"""How sure a prediction is: its share among the hypotheses of a search, and calibrated.

Works on scores of hypotheses, in nats. Knows nothing of Keras, nor of estimators.
"""

from collections.abc import Hashable, Iterable

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

# A share nearer to 0 or 1 than this makes it, in nats, says no more to a calibration.
MOST_ODDS = 30.0


def log_odds(
    best: Hashable, score: float, found: Iterable[tuple[Hashable, float]]
) -> float:
    """The log-odds of the share of one hypothesis among those that a search found.

    Parameters
    ----------
    best : hashable
        The hypothesis that is predicted.
    score : float
        Its score, in nats.
    found : iterable of (hypothesis, score)
        What the search found, maybe `best` too, which is counted once.

    Returns
    -------
    odds : float
        Infinity where there is no other hypothesis.

    Examples
    --------
    >>> import numpy as np
    >>> found = [("a", np.log(0.3)), ("b", np.log(0.1))]
    >>> round(float(np.exp(log_odds("a", np.log(0.3), found))), 6)
    3.0
    """
    rivals = [other for hypothesis, other in found if hypothesis != best]
    return float(score - logsumexp(rivals)) if rivals else np.inf


def shares(odds: np.ndarray) -> np.ndarray:
    """The shares of these log-odds, in [0, 1]."""
    return expit(odds)


def calibrated(odds: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Probabilities of being right, by the line of `fit_line`."""
    return expit(slope * _bounded(odds) + intercept)


def fit_line(
    odds: np.ndarray, is_right: np.ndarray, weights: np.ndarray
) -> tuple[float, float]:
    """Fit the line from log-odds of shares to those of being right (Platt 1999).

    Its slope is never negative, so that what is surer stays so. As Platt has it, those
    that are right aim at a little less than 1 and the others at a little more than 0,
    so that few samples, or samples that are all right, give no certainty.

    Parameters
    ----------
    odds : ndarray of shape (n_samples,)
        Log-odds of the shares.
    is_right : ndarray of shape (n_samples,), dtype=bool
        Whether each prediction was right.
    weights : ndarray of shape (n_samples,)
        Weight of each sample; not all 0.

    Returns
    -------
    slope, intercept : float
    """
    odds = _bounded(odds)
    weights = weights / weights.sum()
    n_samples = np.count_nonzero(weights)
    n_right = n_samples * float(weights @ is_right)
    right, wrong = (n_right + 1) / (n_right + 2), 1 / (n_samples - n_right + 2)
    aims = np.where(is_right, right, wrong)

    def loss(line):
        logits = line[0] * odds + line[1]
        slack = weights * (expit(logits) - aims)
        value = weights @ (np.logaddexp(0, logits) - aims * logits)
        return value, np.array([slack @ odds, slack.sum()])

    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000}
    bounds = [(0, None), (None, None)]
    found = minimize(loss, [1.0, 0.0], jac=True, bounds=bounds, options=options)
    slope, intercept = map(float, found.x)
    return slope, intercept


def _bounded(odds: np.ndarray) -> np.ndarray:
    return np.clip(odds, -MOST_ODDS, MOST_ODDS)
