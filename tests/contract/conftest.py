"""What the promises are asked of: each case, and fits of it that tests only read."""

import pytest

from tests.estimators import CASES


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(case):
    return case.fit()


@pytest.fixture(scope="module")
def rough(case, fitted):
    return case.rough(fitted)


@pytest.fixture(scope="module")
def expected(case, rough):
    return case.results(rough)
