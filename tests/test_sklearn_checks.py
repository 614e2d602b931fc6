"""scikit-learn's own checks, all of them."""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.estimators import CASES, CTC_SINGLE

pytestmark = pytest.mark.core

SMALL = {
    "units": 8,
    "learning_rate": 0.05,
    "bidirectional": False,
    "random_state": 0,
}


def small(case, **params):
    """An estimator whose batches and all that is not named here are its own."""
    return case.Estimator(**{**SMALL, **case.params, **case.check_params, **params})


ESTIMATORS = [small(case) for case in CASES if case.check_params is not None]
TRANSFORMERS = [e for e in ESTIMATORS if hasattr(e, "transform")]
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "The network computes in single precision and learns from minibatches, where a "
        "repeated sequence and one of twice the weight add up differently."
    )
}


# Checks that scikit-learn has for transformers of its own and asks of nobody else.
STRICTER_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


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


@pytest.mark.slow
@parametrize_with_checks(
    [small(CTC_SINGLE, conv_filters="auto")],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
    xfail_strict=True,
)
def test_scikit_learn_check_with_convolutions(estimator, check):
    check(estimator)


# Some of them fit on a table and ask for the codes of an array, or the other way.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.filterwarnings("ignore:X has feature names, but")
@pytest.mark.parametrize("estimator", TRANSFORMERS)
@pytest.mark.parametrize("check", STRICTER_CHECKS)
def test_stricter_check(estimator, check):
    if not hasattr(estimator_checks, check):
        pytest.skip("this scikit-learn has no such check")
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)
