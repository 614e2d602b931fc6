"""Errors of pairs are equal where brute force and known distributions have them."""

import pickle
import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import det_curve
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from skseq.metrics import equal_error_rate, equal_error_rate_scorer
from skseq.metrics._pairs import check_scores, equal_error


def errors_at(y_true, y_score, threshold, weight=None):
    """The rates of false accepts and false rejects at a threshold, by counting."""
    weight = np.ones(len(y_true)) if weight is None else weight
    accepted = y_score >= threshold
    alike = y_true == 1
    return (
        weight[accepted & ~alike].sum() / weight[~alike].sum(),
        weight[~accepted & alike].sum() / weight[alike].sum(),
    )


def brute_force(y_true, y_score, weight=None):
    """Where lines between the points of all thresholds meet the line of equal errors.

    Each line is followed in a million steps, without solving for where it meets.
    """
    thresholds = [-np.inf, *np.unique(y_score), np.inf]
    points = [errors_at(y_true, y_score, t, weight) for t in thresholds]
    nearest = None
    for (a1, r1), (a2, r2) in pairwise(points):
        if a1 >= r1 and a2 <= r2:
            steps = np.linspace(0, 1, 1_000_001)
            accepts, rejects = a1 + steps * (a2 - a1), r1 + steps * (r2 - r1)
            best = np.argmin(abs(accepts - rejects))
            nearest = (accepts[best] + rejects[best]) / 2
    return nearest


def drawn_pairs(seed, *, decimals):
    """Marks and scores of 60 pairs; few decimals make many ties."""
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 2, size=60)
    return y_true, (y_true + rng.normal(size=60)).round(decimals)


@pytest.mark.parametrize("decimals", [8, 0])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_rate_is_what_following_all_thresholds_finds(decimals, is_weighted):
    for seed in range(4):
        y_true, y_score = drawn_pairs(seed, decimals=decimals)
        weight = np.random.default_rng(seed).random(60) if is_weighted else None
        rate = equal_error_rate(y_true, y_score, sample_weight=weight)
        expected = brute_force(y_true, y_score, weight)
        assert rate == pytest.approx(expected, abs=2e-6)
        assert 0.05 < rate < 0.5


def test_two_normal_distributions_have_the_rate_of_half_their_distance():
    n = 200_001
    quantiles = norm.ppf((np.arange(n) + 0.5) / n)
    for distance in (0, 1, 3):
        y_score = np.concatenate([quantiles + distance, quantiles])
        rate = equal_error_rate(np.repeat([1, 0], n), y_score)
        assert rate == pytest.approx(norm.cdf(-distance / 2), abs=1e-5)


def test_the_rate_lies_between_the_points_of_scikit_learns_curve():
    y_true, y_score = drawn_pairs(0, decimals=8)
    accepts, rejects, _ = det_curve(y_true, y_score)
    rate = equal_error_rate(y_true, y_score)
    assert (
        accepts[accepts >= rejects].min() >= rate >= rejects[accepts >= rejects].max()
    )
    assert (
        accepts[accepts <= rejects].max() <= rate <= rejects[accepts <= rejects].min()
    )


@pytest.mark.parametrize(
    ("y_true", "y_score", "rate"),
    [
        ([1, 0], [2, 1], 0.0),
        ([1, 0], [1, 2], 1.0),
        ([1, 0], [1, 1], 0.5),
        ([1, 1, 0, 0], [3, 1, 2, 0], 0.5),
        ([1, 1, 1, 0], [3, 2, 0, 1], 1 / 3),
        ([1, 1, 1, 1, 0, 0], [3, 3, 3, 1, 1, 0], 1 / 6),
        ([1, 0, 0], [np.inf, -np.inf, 0.0], 0.0),
    ],
)
def test_rates_by_hand(y_true, y_score, rate):
    found = equal_error_rate(y_true, y_score)
    assert type(found) is float
    assert found == pytest.approx(rate, abs=1e-12)


def test_only_the_order_of_scores_matters():
    y_true, y_score = drawn_pairs(1, decimals=1)
    rate = equal_error_rate(y_true, y_score)
    assert equal_error_rate(y_true, np.exp(y_score)) == rate
    assert equal_error_rate(y_true, 1e300 * y_score) == rate
    shuffled = np.random.default_rng(0).permutation(60)
    assert equal_error_rate(y_true[shuffled], y_score[shuffled]) == rate


def test_scores_turned_around_have_the_other_part_of_the_rate():
    y_true, y_score = drawn_pairs(2, decimals=1)
    rate = equal_error_rate(y_true, y_score)
    assert equal_error_rate(y_true, -y_score) == pytest.approx(1 - rate)
    assert equal_error_rate(1 - y_true, -y_score) == pytest.approx(rate)


def test_a_weight_counts_a_pair_as_often():
    y_true, y_score = drawn_pairs(3, decimals=1)
    times = np.random.default_rng(0).integers(0, 4, size=60)
    repeated = equal_error_rate(np.repeat(y_true, times), np.repeat(y_score, times))
    weighted = equal_error_rate(y_true, y_score, sample_weight=times)
    assert weighted == pytest.approx(repeated)
    assert weighted != pytest.approx(equal_error_rate(y_true, y_score))


@pytest.mark.parametrize("decimals", [8, 0])
def test_no_threshold_has_errors_nearer_to_equal_than_the_one_found(decimals):
    for seed in range(10):
        y_true, y_score = drawn_pairs(seed, decimals=decimals)
        found = equal_error(*check_scores(y_true, y_score))
        thresholds = [found.threshold, *np.unique(y_score), np.inf]
        gaps = [abs(np.subtract(*errors_at(y_true, y_score, t))) for t in thresholds]
        assert gaps[0] == pytest.approx(min(gaps))


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (1.0, np.nextafter(1, 2)), (0, np.inf), (-np.inf, np.inf)]
)
def test_a_threshold_parts_scores_however_near_or_far(low, high):
    threshold = equal_error(*check_scores([0, 1], [low, high])).threshold
    assert low < threshold <= high


FORMS = {
    "0 and 1": lambda y: y,
    "-1 and 1": lambda y: 2 * y - 1,
    "booleans": lambda y: y == 1,
    "list": lambda y: y.tolist(),
    "floats": lambda y: y.astype(float),
    "objects": lambda y: y.astype(object),
    "Series": lambda y: pd.Series(y, index=range(5, 5 + len(y))),
}


@pytest.mark.parametrize("form", FORMS)
def test_marks_and_scores_may_come_in_any_form(form):
    y_true, y_score = drawn_pairs(0, decimals=2)
    expected = equal_error_rate(y_true, y_score)
    assert equal_error_rate(FORMS[form](y_true), y_score) == expected
    for scores in (y_score.tolist(), y_score.astype(object), pd.Series(y_score)):
        assert equal_error_rate(y_true, scores) == expected


@pytest.mark.parametrize(
    ("y_true", "y_score", "error", "message"),
    [
        ([1, 1], [0, 1], ValueError, "both kinds.* Got 2 pairs, all alike"),
        ([-1], [0], ValueError, "Got 1 pair, none of them alike"),
        ([False, False], [0, 1], ValueError, "Got 2 pairs, none of them alike"),
        ([], [], ValueError, "Got 0 pairs, none of either kind"),
        ([1, 2], [0, 1], ValueError, r"Got y_true\[1\] = 2 .*labels_a == labels_b"),
        ([1, np.nan], [0, 1], ValueError, r"Got y_true\[1\] = nan"),
        ([1, None], [0, 1], ValueError, r"Got y_true\[1\] = None"),
        (["1", "0"], [0, 1], ValueError, r"Got y_true\[0\] = '1'"),
        ([1, 0, -1], [0, 1, 2], ValueError, r"either by 0 or by -1.* y_true\[1\] = 0"),
        ([[1, 0]], [0, 1], ValueError, r"y_true must be one-dim.* shape \(1, 2\)"),
        ("10", [0, 1], TypeError, "y_true must be a collection of marks of pairs"),
        (None, [0, 1], TypeError, "y_true must have a length"),
        (1, [0, 1], TypeError, "y_true must be a collection of marks of pairs, got 1"),
        ({1, 0}, [0, 1], TypeError, "y_true must be an ordered collection"),
        ([1, 0], [0, np.nan], ValueError, r"y_score\[1\] is NaN: leave"),
        ([1, 0], [0, None], ValueError, r"y_score\[1\] is NaN: leave"),
        ([1, 0], [0], ValueError, "one score per pair of y_true, 2 in all. Got 1 "),
        ([1, 0], ["0", "1"], ValueError, "y_score must hold one number per pair. Got"),
        ([1, 0], [0, "1"], ValueError, "y_score must hold one number per pair. Got"),
        ([1, 0], [0, 1j], ValueError, "y_score must hold one number per pair. Got"),
        ([1, 0], [[0], [1, 2]], ValueError, "y_score must hold one number per pair"),
        ([1, 0], [[0, 1], [1, 0]], ValueError, r"shape \(2, 2\) .*y_score\[:, 1\]"),
        ([1, 0], 0.5, TypeError, "y_score must be a collection of numbers, got 0.5"),
        ([1, 0], "ab", TypeError, "y_score must be a collection of numbers"),
    ],
)
def test_pairs_that_cannot_be_measured_are_refused(y_true, y_score, error, message):
    with pytest.raises(error, match=message):
        equal_error_rate(y_true, y_score)


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([1, 0], "0 for all pairs that are not alike"),
        ([0, 1], "0 for all pairs that are alike"),
        ([1, -1], r"sample_weight\[1\] is -1"),
        ([1, np.nan], "sample_weight contains NaN"),
        ([1, 1, 1], "sample_weight must have one entry per sample"),
    ],
)
def test_weights_that_measure_nothing_are_refused(sample_weight, message):
    with pytest.raises(ValueError, match=message):
        equal_error_rate([1, 0], [1, 0], sample_weight=sample_weight)


def test_scorer_finds_the_classifier_that_tells_pairs_apart():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = np.where(abs(X[:, 0] - X[:, 1]) < 1, 1, -1)  # alike where both are near
    search = GridSearchCV(
        make_pipeline(PolynomialFeatures(), LogisticRegression()),
        {"polynomialfeatures__degree": [1, 2]},
        scoring=equal_error_rate_scorer,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"polynomialfeatures__degree": 2}
    expected = -equal_error_rate(y, search.decision_function(X))
    scorer = pickle.loads(pickle.dumps(equal_error_rate_scorer))
    assert scorer(search, X, y) == expected


@pytest.mark.parametrize(
    "marks",
    [
        pd.Series([True, None, False], dtype="boolean"),
        pd.array([True, None, False], dtype="boolean"),
        [np.True_, None, np.False_],
    ],
)
def test_of_marks_with_a_missing_one_that_one_is_named(marks):
    with pytest.raises(ValueError, match=r"y_true\[1\] = (<NA>|None)"):
        equal_error_rate(marks, [0.1, 0.2, 0.3])


def test_booleans_of_pandas_are_marks():
    marks = pd.Series([True, False, False], dtype="boolean")
    assert equal_error_rate(marks, [0.9, 0.2, 0.3]) == 0


def test_a_rate_keeps_little_beside_the_scores():
    y_true, y_score = drawn_pairs(0, decimals=8)
    is_alike, scores = np.tile(y_true == 1, 2000), np.tile(y_score, 2000)
    tracemalloc.start()
    try:
        found = equal_error(is_alike, scores, None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.rate == pytest.approx(equal_error_rate(y_true, y_score))
    assert peak < 12 * len(scores)
