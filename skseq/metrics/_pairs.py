"""Measures how well scores tell pairs that are alike from those that are not.

Knows nothing of estimators, of embeddings or of how pairs are scored.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Number
from reprlib import repr as short_repr
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import make_scorer

from skseq._data.collections import array_of, as_collection
from skseq._data.weights import check_sample_weight
from skseq._wording import counted


class EqualError(NamedTuple):
    """The equal error rate, and a score at which both errors are nearest to equal."""

    rate: float
    threshold: float


class ErrorCurve(NamedTuple):
    """Both errors where the levels from the k-th up are accepted; one cut more."""

    levels: np.ndarray  # (n_levels,), the distinct scores
    false_accepts: np.ndarray  # (n_levels + 1,)
    false_rejects: np.ndarray  # (n_levels + 1,)


def equal_error_rate(y_true, y_score, *, sample_weight=None):
    """Equal error rate: the errors where as many are accepted as rejected falsely.

    A pair is accepted as alike if its score reaches a threshold. A higher threshold
    accepts fewer pairs that are not alike (false accepts), and rejects more that are
    (false rejects). Both rates are equal at one point of that trade, whatever the
    threshold there. 0 is best, and random scores give about 0.5.

    Parameters
    ----------
    y_true : array-like of shape (n_pairs,)
        The truth: 1 for a pair that is alike, and 0 or -1 for one that is not; or
        booleans, True for a pair that is alike.
    y_score : array-like of shape (n_pairs,)
        The score of each pair: the higher, the more alike. Only the order of the scores
        matters. Pass distances with a minus sign.
    sample_weight : array-like of shape (n_pairs,), default=None
        Weight of each pair. None counts each pair once.

    Returns
    -------
    error_rate : float
        Between 0 and 1. It exceeds 0.5 where scores are lower for pairs that are alike.

    Raises
    ------
    TypeError
        If `y_true`, `y_score` or `sample_weight` is not a collection.
    ValueError
        If `y_true` has another value, or pairs of one kind only; a score is NaN or not
        a number; the numbers of entries differ; or `sample_weight` has a negative
        entry, or none above 0 for one kind of pair.

    See Also
    --------
    sklearn.metrics.det_curve : Both error rates at each threshold.

    Notes
    -----
    The rate is read where the detection error tradeoff of [1]_ meets the line of equal
    errors. Neighboring points of that curve, one per distinct score, are joined by
    straight lines, so that pairs of equal scores count as if ties were broken by
    chance. The convex hull of the curve is not taken; on it the rate would be as low
    or lower [2]_.

    References
    ----------
    .. [1] A. Martin, G. Doddington, T. Kamm, M. Ordowski and M. Przybocki, "The DET
       Curve in Assessment of Detection Task Performance", Eurospeech 1997.
    .. [2] N. Brummer and E. de Villiers, "The BOSARIS Toolkit: Theory, Algorithms and
       Code for Surviving the New DCF", arXiv:1304.2865, 2013.

    Examples
    --------
    >>> from skseq.metrics import equal_error_rate
    >>> equal_error_rate([1, 1, 1, 0, 0, 0], [0.9, 0.8, 0.3, 0.6, 0.2, 0.1]) == 1 / 3
    True
    """
    return equal_error(*check_scores(y_true, y_score, sample_weight)).rate


# For `scoring=` of a search over classifiers of pairs.
equal_error_rate_scorer = make_scorer(
    equal_error_rate,
    greater_is_better=False,
    response_method=("decision_function", "predict_proba"),
)


def check_scores(
    y_true: Any, y_score: Any, sample_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether each pair is alike, its score and its weight, all checked."""
    is_alike = _check_kinds(y_true)
    score = _check_numbers(y_score, len(is_alike))
    weight = check_sample_weight(sample_weight, len(is_alike))
    if not (weight[is_alike].any() and weight[~is_alike].any()):
        kind = "not alike" if weight[is_alike].any() else "alike"
        raise ValueError(
            f"sample_weight must be above 0 for some pairs of each kind. Got 0 for all "
            f"pairs that are {kind}."
        )
    return is_alike, score, weight


def error_curve(
    is_alike: np.ndarray, score: np.ndarray, weight: np.ndarray
) -> ErrorCurve:
    """Both errors at every cut between distinct scores, and at both ends."""
    counts = weight > 0
    levels, level_of = np.unique(score[counts], return_inverse=True)
    return ErrorCurve(
        levels=levels,
        false_accepts=1 - _share_below(level_of, (weight * ~is_alike)[counts]),
        false_rejects=_share_below(level_of, (weight * is_alike)[counts]),
    )


@dataclass(frozen=True)
class _Kind:
    """The scores of pairs of one kind, sorted, and the sums of weights before each.

    `sums` has one entry more than there are scores; None if all weights are equal.
    """

    scores: np.ndarray
    sums: np.ndarray | None

    @classmethod
    def of(cls, scores: np.ndarray, weight: np.ndarray | None) -> "_Kind":
        """Those of some pairs; the scores are sorted in place."""
        if weight is None or weight.min() == weight.max():
            scores.sort()
            return cls(scores, None)
        order = np.argsort(scores, kind="stable")
        return cls(scores[order], np.append(0.0, np.cumsum(weight[order])))

    def below(self, level: float) -> float:
        """The share of the weight below a level."""
        n_below = np.searchsorted(self.scores, level)
        if self.sums is None:
            return n_below / len(self.scores)
        return self.sums[n_below] / self.sums[-1]

    def first(self, is_reached: Callable[[float], bool]) -> float:
        """The lowest score that reaches something, as all higher ones do."""
        i = bisect_left(self.scores, True, key=is_reached)
        return float(self.scores[i]) if i < len(self.scores) else np.nan

    def last_below(self, level: float) -> float:
        """The highest score below a level; NaN if there is none."""
        n_below = np.searchsorted(self.scores, level)
        return float(self.scores[n_below - 1]) if n_below else np.nan


def equal_error(
    is_alike: np.ndarray, score: np.ndarray, weight: np.ndarray | None
) -> EqualError:
    """Find where both errors are equal, on straight lines between distinct scores.

    Beside sorted scores it keeps nothing: scores of all pairs may be many millions.
    """
    kinds = []
    for is_own in (is_alike, ~is_alike):
        if weight is not None:
            is_own = is_own & (weight > 0)
        kinds.append(
            _Kind.of(score[is_own], None if weight is None else weight[is_own])
        )
    alike, unlike = kinds

    def excess(level):  # rises from -1 to 1; NaN is beyond all levels
        return alike.below(level) - (1 - unlike.below(level))

    after = np.fmin(*(kind.first(lambda level: excess(level) >= 0) for kind in kinds))
    before = np.fmax(*(kind.last_below(after) for kind in kinds))
    share = -excess(before) / (excess(after) - excess(before))
    rejects = alike.below(before), alike.below(after)
    rate = rejects[0] + share * (rejects[1] - rejects[0])
    if excess(after) > -excess(before):
        before, after = np.fmax(*(kind.last_below(before) for kind in kinds)), before
    return EqualError(float(rate), threshold_between(before, after))


def _share_below(level_of: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The share of the weight below each level, and below none and all of them."""
    sums = np.cumsum(np.append(0.0, np.bincount(level_of, weights=weight)))
    return sums / sums[-1]


def threshold_between(low: float, high: float) -> float:
    """Half-way between two levels, above which it is; NaN is beyond all of them."""
    if np.isnan(low):
        return float(high)
    if np.isnan(high):
        return float(np.nextafter(low, np.inf))
    middle = low / 2 + high / 2 if np.isfinite(low) else high
    return float(middle if low < middle < high else high)


def _check_kinds(y_true: Any) -> np.ndarray:
    """Turn marks of pairs into booleans that are True for pairs that are alike."""
    marks = _check_column(y_true, "y_true", "marks of pairs")
    if marks.dtype.kind == "b":
        is_alike = marks
    else:
        values = marks.tolist()
        wrong = [
            i
            for i, value in enumerate(values)
            if not isinstance(value, Number | np.bool_) or value not in (1, 0, -1)
        ]
        if wrong:
            raise ValueError(
                "y_true must hold 1 for pairs that are alike, and 0 or -1 for others. "
                f"Got y_true[{wrong[0]}] = {values[wrong[0]]!r} instead. Pass whether "
                "the two labels of each pair are equal: labels_a == labels_b."
            )
        if 0 in values and -1 in values:
            raise ValueError(
                "y_true must mark pairs that are not alike either by 0 or by -1. Got "
                f"both: y_true[{values.index(0)}] = 0 and y_true[{values.index(-1)}] = "
                "-1."
            )
        is_alike = np.array([value == 1 for value in values], dtype=bool)
    if is_alike.all() or not is_alike.any():
        found = f"{counted(len(is_alike), 'pair')}, {_kind_of_all(is_alike)}"
        raise ValueError(
            "y_true must hold pairs of both kinds, alike and not, since both error "
            f"rates are shares of one kind. Got {found}."
        )
    return is_alike


def _kind_of_all(is_alike: np.ndarray) -> str:
    """What is said of pairs of one kind."""
    if not len(is_alike):
        return "none of either kind"
    return "all alike" if is_alike[0] else "none of them alike"


def _check_numbers(y_score: Any, n_pairs: int) -> np.ndarray:
    """Turn the scores of pairs into floats, one per pair and none of them NaN."""
    given = _check_column(y_score, "y_score", "numbers")
    try:
        score = None if given.dtype.kind not in "biufO" else given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        score = None
    if score is None or any(isinstance(value, str | bytes) for value in given.flat):
        raise ValueError(
            f"y_score must hold one number per pair. Got {short_repr(y_score)} instead."
        )
    if len(score) != n_pairs:
        raise ValueError(
            f"y_score must have one score per pair of y_true, {n_pairs} in all. Got "
            f"{len(score)} instead."
        )
    if np.isnan(score).any():
        i = int(np.argmax(np.isnan(score)))
        raise ValueError(
            f"y_score must not contain NaN. y_score[{i}] is NaN: leave that pair out, "
            "or find out why it has no score."
        )
    return score


def _check_column(values: Any, name: str, content: str) -> np.ndarray:
    """Turn what holds one value per pair into a 1-D array."""
    array = array_of(as_collection(values, name, content))
    if array.ndim != 1:
        cure = ""
        if name == "y_score" and array.shape[1:] == (2,):
            cure = f" Of probabilities, pass the column of pairs alike: {name}[:, 1]."
        raise ValueError(
            f"{name} must be one-dimensional, with one value per pair. Got shape "
            f"{array.shape} instead.{cure}"
        )
    return array
