"""A sequence's results are the same to the bit, whatever is computed beside them."""

import hashlib

import numpy as np
import pytest

from skseq._engine.lending import borrow
from skseq._nn import compiled
from tests.contract.comparing import assert_same_results, pick
from tests.estimators import N_SAMPLES
from tests.processes import output_of, start_python


@pytest.fixture(autouse=True)
def _only_independent_rows(rough):
    if not compiled.is_in_use():
        pytest.skip("needs compiled code, and no GPU")
    with borrow(rough._recipe(), rough._weights) as program:
        assert program.rows_are_independent


@pytest.fixture(scope="module")
def expected(case, rough):
    return case.results(rough)


def test_a_sequence_is_the_same_to_the_bit_alone(case, rough, expected):
    for row in range(N_SAMPLES):
        assert_same_results(case.results(rough, [row]), pick(expected, [row]))


@pytest.mark.parametrize("n", [2, 3, 6, 7, 9, 17, 33, 40])
def test_a_sequence_is_the_same_to_the_bit_among_any_others(case, rough, expected, n):
    rows = np.random.default_rng(n).integers(0, N_SAMPLES, n)
    assert_same_results(case.results(rough, rows), pick(expected, rows))


def test_a_sequence_is_the_same_to_the_bit_under_any_padding(case, rough):
    for i, x in enumerate(case.X):
        alone = case.degrees_of(rough, [x])
        beside = case.degrees_of(rough, [x, case.lengthened(case.X[i - 1])])
        np.testing.assert_array_equal(beside[: len(alone)], alone)


def digest(case, estimator):
    """A checksum of all bits of the results."""
    X, _ = case.draw(40)
    return hashlib.sha256(case.degrees_of(estimator, X).tobytes()).hexdigest()


ANSWER = """
import sys
import skseq
from tests.contract.test_rows import digest
from tests.estimators import CASES
case = next(case for case in CASES if case.name == sys.argv[1])
print(digest(case, skseq.load(sys.argv[2])))
"""


@pytest.mark.slow
def test_no_bit_depends_on_the_number_of_threads(case, rough, tmp_path):
    rough.save(tmp_path / "estimator")
    threads = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
    started = [
        start_python(
            ANSWER,
            case.name,
            tmp_path / "estimator",
            **dict(zip(threads, n, strict=True)),
        )
        for n in ("11", "13", "31")
    ]
    found = {output_of(process).split()[-1] for process in started}
    assert found == {digest(case, rough)}
