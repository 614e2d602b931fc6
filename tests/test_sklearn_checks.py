"""scikit-learn's own checks, all of them."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skseq import CTCSequenceClassifier

SMALL = {
    "units": 8,
    "epochs": 12,
    "learning_rate": 0.05,
    "bidirectional": False,
    "random_state": 0,
}
ESTIMATORS = [
    CTCSequenceClassifier(**SMALL),
    CTCSequenceClassifier(target="single", **SMALL),
]
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "The network computes in single precision and learns from minibatches, where a "
        "repeated sequence and one of twice the weight add up differently."
    )
}


@pytest.fixture(autouse=True)
def array_api(monkeypatch):
    """Let the check of array API inputs run: SciPy asks the environment for leave."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@parametrize_with_checks(
    ESTIMATORS,
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
    xfail_strict=True,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
