"""Thresholds are those that trying all of them finds; probabilities follow scores."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, fbeta_score

from skseq._siamese.thresholds import best_threshold, calibrated, probability

RNG = np.random.default_rng(0)
IS_ALIKE = RNG.random(200) < 0.3
SCORES = np.round(RNG.normal(size=200) + 1.5 * IS_ALIKE, 1)  # many are equal


def all_thresholds():
    levels = np.unique(SCORES)
    return [levels[0] - 1, *((levels[1:] + levels[:-1]) / 2), levels[-1] + 1]


def rates(threshold):
    found = threshold <= SCORES
    return found[~IS_ALIKE].mean(), (~found)[IS_ALIKE].mean()


MEASURES = {
    ("accuracy", None): lambda found: accuracy_score(IS_ALIKE, found),
    ("f_beta", None): lambda found: fbeta_score(IS_ALIKE, found, beta=1),
    ("f_beta", 3.0): lambda found: fbeta_score(IS_ALIKE, found, beta=3),
}


@pytest.mark.parametrize(("criterion", "value"), MEASURES)
def test_no_threshold_has_a_higher_measure(criterion, value):
    measure = MEASURES[criterion, value]
    best = max(measure(threshold <= SCORES) for threshold in all_thresholds())
    found = best_threshold(SCORES, IS_ALIKE, criterion, value)
    assert measure(found <= SCORES) == pytest.approx(best)


def test_at_equal_error_rates_no_threshold_has_nearer_ones():
    nearest = min(abs(np.subtract(*rates(t))) for t in all_thresholds())
    found = rates(best_threshold(SCORES, IS_ALIKE))
    assert abs(np.subtract(*found)) == pytest.approx(nearest)


@pytest.mark.parametrize("most", [0, 0.01, 0.1, 0.5])
def test_of_false_accepts_there_are_as_many_as_allowed_and_no_more(most):
    found = best_threshold(SCORES, IS_ALIKE, "max_fpr", most)
    accepts, rejects = rates(found)
    assert accepts <= most
    allowed = [t for t in all_thresholds() if rates(t)[0] <= most]
    assert rejects == pytest.approx(min(rates(t)[1] for t in allowed))


def test_a_threshold_parts_scores_at_the_middle():
    assert best_threshold(np.array([0.0, 1.0]), np.array([False, True])) == 0.5


def test_probabilities_rise_with_scores_and_are_even_where_odds_are():
    calibration = calibrated(SCORES, IS_ALIKE)
    found = probability(np.sort(SCORES), calibration)
    assert (np.diff(found) >= 0).all()
    assert 0 < found[0] < 0.5 < found[-1] < 1
    scores = np.concatenate([RNG.normal(0, 1, 20_000), RNG.normal(2, 1, 500)])
    is_alike = np.arange(len(scores)) >= 20_000
    # Of two normal distributions of one width, the log-odds are a line of the score.
    slope, offset = calibrated(scores, is_alike)
    assert slope == pytest.approx(2, abs=0.2)
    assert -offset / slope == pytest.approx(1, abs=0.1)


def test_a_probability_never_falls_with_the_score():
    assert calibrated(-SCORES, IS_ALIKE) == (0.0, pytest.approx(0, abs=1e-9))
    assert calibrated(np.ones(4), np.array([True, False] * 2))[0] == 0.0


def test_extreme_scores_give_finite_probabilities():
    found = probability(np.array([-1e300, 0, 1e300]), calibrated(SCORES, IS_ALIKE))
    assert np.isfinite(found).all()


def test_no_higher_threshold_finds_as_many_pairs_under_the_same_limit():
    found = best_threshold(
        np.array([0.9, 0.5, 0.1]), np.array([True, False, False]), "max_fpr", 0.5
    )
    assert found == pytest.approx(0.7)
    rng = np.random.default_rng(1)
    for n_pairs in [*range(2, 12)] * 5:
        scores = rng.integers(0, 6, n_pairs).astype(float)
        is_alike = np.arange(n_pairs) < rng.integers(1, n_pairs)
        levels = np.unique(scores)
        cuts = [levels[0] - 1, *((levels[1:] + levels[:-1]) / 2), levels[-1] + 1]
        most = rng.choice([0, 0.2, 0.5, 0.9])
        allowed = [t for t in cuts if (scores[~is_alike] >= t).mean() <= most]
        hits = [(scores[is_alike] >= t).mean() for t in allowed]
        best = max(t for t, hit in zip(allowed, hits, strict=True) if hit == max(hits))
        found = best_threshold(scores, is_alike, "max_fpr", most)
        assert ((scores >= found) == (scores >= best)).all()
