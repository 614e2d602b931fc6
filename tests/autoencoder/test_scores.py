import math
import warnings

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.metrics import fbeta_score

from skseq._autoencoder.scores import (
    SCORES,
    ErrorDistribution,
    best_threshold,
    mean_absolute,
    mean_square,
    outlier_probability,
    threshold_of,
)


def error_sequences(n_samples=8, n_features=3, seed=0):
    """Correlated errors with a mean of their own, one array a sequence."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n_features, n_features))
    lengths = rng.integers(1, 9, size=n_samples)
    return [rng.normal(size=(n, n_features)) @ mixing + 0.4 for n in lengths]


def skewed_scores(n_samples=200, seed=0):
    return np.random.default_rng(seed).gamma(2, size=n_samples)


# -- scores ---------------------------------------------------------------------------


def test_mean_errors_count_every_feature_of_a_frame_alike():
    errors = np.array([[1.0, -2.0], [0.0, 4.0], [-1.0, 0.0]])
    assert mean_square(errors).tolist() == [2.5, 8.0, 0.5]
    assert mean_absolute(errors).tolist() == [1.5, 2.0, 0.5]
    assert (SCORES["mse"], SCORES["mae"]) == (mean_square, mean_absolute)


@pytest.mark.parametrize("n_features", [1, 3])
def test_a_distance_is_the_squared_mahalanobis_distance_of_each_frame(n_features):
    errors = error_sequences(n_features=n_features)
    frames = np.concatenate(errors)
    inverse = np.linalg.inv(np.cov(frames.T, bias=True).reshape(n_features, -1))
    distance = ErrorDistribution.fit(errors)
    for sequence in error_sequences(n_features=n_features, seed=1):
        expected = [mahalanobis(e, frames.mean(axis=0), inverse) ** 2 for e in sequence]
        assert distance(sequence) == pytest.approx(expected, rel=1e-4)


def test_the_errors_that_were_learnt_from_are_one_apart_in_each_direction():
    errors = error_sequences(30)
    distance = ErrorDistribution.fit(errors)
    assert distance(np.concatenate(errors)).mean() == pytest.approx(3, rel=1e-4)


def test_the_order_and_the_bounds_of_sequences_do_not_matter_to_their_distribution():
    errors = error_sequences()
    together = ErrorDistribution.fit([np.concatenate(errors[::-1])])
    apart = ErrorDistribution.fit(errors)
    np.testing.assert_allclose(together.mean, apart.mean)
    np.testing.assert_allclose(together.precision, apart.precision)


@pytest.mark.parametrize(
    "errors",
    [
        [np.ones((1, 2))],
        [np.zeros((3, 2)), np.zeros((1, 2))],
        [np.repeat(np.arange(6.0)[:, None], 2, axis=1)],
    ],
    ids=["one frame", "no error", "equal features"],
)
def test_a_distribution_without_extent_has_finite_distances(errors):
    distance = ErrorDistribution.fit(errors)
    assert np.isfinite(distance.precision).all()
    usual = distance(np.concatenate(errors)).mean()
    assert 0 <= usual < distance(errors[0] + [1.0, -1.0]).mean() < math.inf


@pytest.mark.parametrize("exponent", [-8, -4, -1, 3, 8])
def test_a_distance_does_not_depend_on_the_units_of_a_feature(exponent):
    units = np.array([1.0, 10.0**exponent, 1.0])
    usual = ErrorDistribution.fit(error_sequences())
    rescaled = ErrorDistribution.fit([e * units for e in error_sequences()])
    for sequence in error_sequences(seed=1):
        expected = usual(sequence)
        assert rescaled(sequence * units) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1.0])
def test_an_error_of_ten_deviations_weighs_the_same_in_a_small_feature(size):
    errors = np.random.default_rng(0).normal(size=(2000, 3)) * [1.0, 1.0, size]
    distance = ErrorDistribution.fit([errors])
    outlier = np.add(distance.mean, [0.0, 0.0, 10 * errors[:, 2].std()])
    assert distance(outlier[np.newaxis]) == pytest.approx(100, rel=0.01)


def test_a_feature_without_errors_takes_nothing_from_the_others():
    errors = np.random.default_rng(0).normal(size=(2000, 2)) * [1.0, 0.0]
    distance = ErrorDistribution.fit([errors])
    assert distance(np.array([[10.0, 0.0]])) == pytest.approx(100, rel=0.1)
    assert distance(np.array([[0.0, 1e-3]])) > 100


# -- thresholds -----------------------------------------------------------------------


@pytest.mark.parametrize("n_samples", [1, 2, 99, 1000])
def test_auto_is_the_99th_percentile(n_samples):
    scores = skewed_scores(n_samples)
    threshold = threshold_of(scores, "auto")
    assert threshold == pytest.approx(np.percentile(scores, 99), rel=1e-4)
    assert threshold_of(7 * scores, "auto") == pytest.approx(7 * threshold)


@pytest.mark.parametrize("n_samples", [10, 11, 101, 300])
@pytest.mark.parametrize("contamination", [0.001, 0.1, 0.25, 1 / 3, 0.5])
def test_as_many_scores_are_beyond_the_threshold_as_are_to_be(n_samples, contamination):
    scores = skewed_scores(n_samples)
    n_beyond = np.sum(scores > threshold_of(scores, contamination))
    assert abs(n_beyond - contamination * (n_samples - 1)) < 1


@pytest.mark.parametrize("contamination", ["auto", 0.1, 0.5])
@pytest.mark.parametrize("value", [0.0, 1e-9, 0.7, 1e9])
def test_of_scores_that_differ_by_rounding_none_is_beyond(value, contamination):
    rounding = 1 + 1e-6 * np.random.default_rng(0).uniform(-1, 1, size=50)
    scores = np.full(50, value) * rounding
    assert not (scores > threshold_of(scores, contamination)).any()


# -- probabilities --------------------------------------------------------------------


def test_probabilities_are_the_gaussian_scaling_of_kriegel_et_al():
    scores = np.linspace(-1, 8, 40)
    expected = [max(0, math.erf((s - 2) / (math.sqrt(2) * 1.5))) for s in scores]
    np.testing.assert_allclose(outlier_probability(scores, 2.0, 1.5), expected)


def test_probabilities_rise_with_the_score_from_none_to_certainty():
    scores = np.sort(skewed_scores())
    probability = outlier_probability(scores, scores.mean(), scores.std())
    assert (np.diff(probability) >= 0).all()
    assert (np.diff(probability[scores > scores.mean()]) > 0).all()
    assert not probability[scores <= scores.mean()].any()
    assert outlier_probability(1e9, scores.mean(), scores.std()) == 1


@pytest.mark.parametrize("mean", [0.0, 1e-6, 3.0])
def test_where_all_scores_are_equal_only_a_larger_one_is_suspect(mean):
    scores = mean * np.array([1 - 1e-9, 1, 1 + 1e-9]) + [0, 0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        usual = outlier_probability(scores, mean, 0.0)
        strange = outlier_probability(np.array([mean + 0.1, 1e8]), mean, 0.0)
    np.testing.assert_allclose(usual, 0, atol=1e-3)
    np.testing.assert_allclose(strange, 1)


# -- the best threshold ---------------------------------------------------------------


def f_beta_of(threshold, scores, is_anomaly, beta):
    return fbeta_score(is_anomaly, scores > threshold, beta=beta, zero_division=0)


@pytest.mark.parametrize("beta", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(8))
def test_no_threshold_is_better_than_the_best(seed, beta):
    rng = np.random.default_rng(seed)
    is_anomaly = rng.permutation([True, False, *(rng.random(18) < 0.4)])
    scores = rng.normal(size=20) + is_anomaly * rng.choice([-2, 0, 1, 3])
    scores = np.abs(scores.round(1))  # with ties
    every = np.concatenate([[-1], np.unique(scores)])
    found = best_threshold(scores, is_anomaly, beta)
    best = max(f_beta_of(t, scores, is_anomaly, beta) for t in every)
    assert f_beta_of(found, scores, is_anomaly, beta) == pytest.approx(best)


def test_the_best_threshold_is_half_way_between_what_it_parts():
    scores = np.array([0.5, 9.0, 1.0, 4.0])
    assert best_threshold(scores, np.array([False, True, False, True])) == 2.5


@pytest.mark.parametrize("lowest", [0.0, 0.2, 1e18])
def test_where_all_are_best_called_anomalies_the_threshold_is_below_them_all(lowest):
    scores = np.array([lowest, 2e18, 3e18])
    threshold = best_threshold(scores, np.array([True, False, False]))
    assert (scores > threshold).all()
    assert math.isfinite(threshold)
