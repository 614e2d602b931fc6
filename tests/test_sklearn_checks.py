"""scikit-learn's own checks, all of them, and those that it has no texts for."""

import inspect

import joblib
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from tests.estimators import CASES, CTC_SINGLE
from tests.estimators import ESTIMATORS as FIRST_CASES

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


# -- estimators of texts ---------------------------------------------------------------
# scikit-learn runs none but the first of its checks on them, since it has no texts to
# give them. Those that need none are called here, and others follow.

OF_TEXTS = [case for case in FIRST_CASES if not case.reads_frames]
WITHOUT_DATA = [
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimators_unfitted",
]


@pytest.fixture(params=OF_TEXTS, ids=str)
def case(request):
    return request.param


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_scikit_learn_check_without_data(case, name):
    getattr(estimator_checks, name)(case.Estimator.__name__, case.tiny())


@pytest.mark.parametrize("method", ["fit", "partial_fit", "score", "score_samples"])
def test_the_second_argument_is_y(case, method):
    names = list(inspect.signature(getattr(case.tiny(), method)).parameters)
    assert names[:2] == ["X", "y"]


def test_fitting_changes_no_parameter_and_adds_only_what_is_learnt(case):
    estimator = case.tiny(callbacks=[], units=[2])
    before = {n: joblib.hash(value) for n, value in estimator.get_params().items()}
    estimator.fit(case.X, case.y)
    after = {n: joblib.hash(value) for n, value in estimator.get_params().items()}
    assert after == before
    public = {n for n in vars(estimator) if not n.startswith("_")} - before.keys()
    assert all(name.endswith("_") for name in public)
    assert not hasattr(estimator, "n_features_in_")


def test_check_is_fitted_tells_the_two_states_apart(case):
    with pytest.raises(NotFittedError):
        check_is_fitted(case.tiny())
    fitted = case.tiny().fit(case.X, case.y)
    check_is_fitted(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(fitted))


def test_a_failed_fit_does_not_count_as_one(case):
    estimator = case.tiny()
    with pytest.raises(ValueError, match="requires y"):
        estimator.fit(case.X, None)
    with pytest.raises(NotFittedError):
        estimator.predict(case.X)


def test_one_sample_is_enough(case):
    X, y = case.X[:1], case.y[:1]
    assert case.tiny().fit(X, y).predict(X).shape == (1,)
