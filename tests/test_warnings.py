"""Warnings point at the line of the user's that led to them."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skseq._warnings import warn

X = np.zeros((6, 2))


class Noisy(TransformerMixin, OutlierMixin, BaseEstimator):
    """Stands in for an estimator: its methods belong to skseq."""

    def fit(self, X, y=None):
        warn("too few", RuntimeWarning)
        return self

    def transform(self, X):
        return X

    def predict(self, X):
        return np.ones(len(X))

    def score(self, X, y=None):
        return 0.0


@pytest.fixture(autouse=True)
def inside_skseq(monkeypatch):
    fit = Noisy.fit
    own = {**fit.__globals__, "__name__": "skseq.noisy"}
    copied = type(fit)(fit.__code__, own, "fit", fit.__defaults__)
    monkeypatch.setattr(Noisy, "fit", copied)


USES = {
    "fit": lambda: Noisy().fit(X),
    "fit_transform": lambda: Noisy().fit_transform(X),
    "fit_predict": lambda: Noisy().fit_predict(X),
    "a pipeline": lambda: make_pipeline("passthrough", Noisy()).fit(X),
    "a pipeline's fit_transform": lambda: make_pipeline(Noisy()).fit_transform(X),
    "cross-validation": lambda: cross_val_score(Noisy(), X, cv=2),
}


@pytest.mark.parametrize("use", USES)
def test_a_warning_points_at_the_users_line(use):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        USES[use]()
    assert caught
    line = USES[use].__code__.co_firstlineno
    for warning in caught:
        assert (warning.filename, warning.lineno) == (__file__, line)
        assert warning.category is RuntimeWarning
        assert str(warning.message) == "too few"
