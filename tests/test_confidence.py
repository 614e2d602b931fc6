"""Log-odds of shares, and the line from them to the odds of being right."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from skseq._confidence import calibrated, fit_line, log_odds, shares

pytestmark = pytest.mark.core


def test_shares_are_those_of_the_masses():
    masses = {"a": 0.5, "b": 0.3, "": 0.05}
    found = [(text, np.log(mass)) for text, mass in masses.items()]
    odds = [log_odds(text, score, found) for text, score in found]
    expected = np.array(list(masses.values())) / 0.85
    np.testing.assert_allclose(shares(np.array(odds)), expected)


def test_what_the_search_missed_is_counted_with_what_it_found():
    odds = log_odds("c", np.log(0.2), [("a", np.log(0.5)), ("b", np.log(0.3))])
    assert shares(odds) == pytest.approx(0.2)


@pytest.mark.parametrize("found", [[], [("a", -3.0)]])
def test_what_has_no_rival_is_certain(found):
    assert log_odds("a", -3.0, found) == np.inf
    assert shares(np.array([np.inf])).tolist() == [1.0]


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose decision is its only feature."""

    def fit(self, X, y):
        self.classes_ = np.array([False, True])
        return self

    def decision_function(self, X):
        return X[:, 0]

    def predict(self, X):
        return X[:, 0] > 0


def samples(n_samples, seed=0):
    rng = np.random.default_rng(seed)
    odds = rng.normal(2, 3, size=n_samples)
    return odds, rng.random(n_samples) < shares(0.4 * odds - 1)


@pytest.mark.parametrize("n_samples", [12, 400])
def test_the_line_is_that_of_scikit_learns_sigmoid(n_samples):
    odds, is_right = samples(n_samples)
    given = Given().fit(None, None)
    theirs = CalibratedClassifierCV(FrozenEstimator(given), method="sigmoid")
    theirs.fit(odds[:, np.newaxis], is_right)
    found = calibrated(odds, *fit_line(odds, is_right, np.ones(n_samples)))
    expected = theirs.predict_proba(odds[:, np.newaxis])[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_weight_of_two_is_about_a_sample_twice():
    odds, is_right = samples(400)
    weights = np.ones(400)
    weights[:200] = 2
    once = fit_line(odds, is_right, weights)
    twice = np.r_[0:200, 0:400]
    both = fit_line(odds[twice], is_right[twice], np.ones(600))
    np.testing.assert_allclose(once, both, rtol=0.05)


@pytest.mark.parametrize("is_right", [True, False])
def test_samples_that_are_all_alike_give_no_certainty(is_right):
    odds = np.linspace(-1, 5, 8)
    found = calibrated(odds, *fit_line(odds, np.full(8, is_right), np.ones(8)))
    assert np.ptp(found) < 1e-3
    assert found[0] == pytest.approx(0.9 if is_right else 0.1, abs=1e-3)


def test_a_confidence_that_misleads_is_levelled_and_never_turned_round():
    odds = np.linspace(-3, 3, 30)
    slope, intercept = fit_line(odds, odds < 0, np.ones(30))
    assert slope == pytest.approx(0, abs=1e-6)
    assert shares(intercept) == pytest.approx(0.5, abs=0.01)


def test_certainty_is_calibrated_too():
    odds = np.array([np.inf, np.inf, 1.0, -1.0, 0.5, np.inf])
    is_right = np.array([True, True, True, False, False, False])
    line = fit_line(odds, is_right, np.ones(6))
    found = calibrated(odds, *line)
    assert np.isfinite(line).all()
    assert ((found > 0) & (found < 1)).all()
