"""What the promises are asked of: each case, and fits of it that tests only read.

Variants of an estimator are slow tests: what a promise rests on is nearly always
shared by all of a class.
"""

import pytest

from tests.estimators import CASES, ESTIMATORS


def _param(case):
    marks = () if case in ESTIMATORS else pytest.mark.slow
    return pytest.param(case, id=case.name, marks=marks)


@pytest.fixture(scope="module", params=map(_param, CASES))
def case(request):
    return request.param


@pytest.fixture(scope="session")
def chosen(request):
    """The names of the cases that this run asks anything of."""
    params = [vars(item).get("callspec") for item in request.session.items]
    cases = {spec.params.get("case") for spec in params if spec}
    return [case.name for case in CASES if case in cases]


@pytest.fixture(scope="module")
def fitted(case):
    return case.fit()


@pytest.fixture(scope="module")
def rough(case, fitted):
    return case.rough(fitted)


@pytest.fixture(scope="module")
def expected(case, rough):
    return case.results(rough)
