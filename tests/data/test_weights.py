"""Which weights are taken, and the sentence that refuses the rest."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse as sp
from sklearn.utils.estimator_checks import _NotAnArray

from skseq._data.weights import check_sample_weight

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("sample_weight", "expected"),
    [
        (None, [1, 1, 1]),
        (2, [2, 2, 2]),
        (0.5, [0.5, 0.5, 0.5]),
        ([1, 0, 2], [1, 0, 2]),
        (np.array([1, 0, 2], dtype=">i4"), [1, 0, 2]),
        (pd.Series([1.0, 0.0, 2.0], index=[7, 1, 0]), [1, 0, 2]),
        (_NotAnArray(np.array([1.0, 0.0, 2.0])), [1, 0, 2]),
    ],
)
def test_weights_become_a_new_float64_array(sample_weight, expected):
    weights = check_sample_weight(sample_weight, 3)
    assert weights.dtype == np.float64
    assert weights.tolist() == expected


def test_weights_are_a_copy():
    given = np.ones(3)
    assert not np.shares_memory(check_sample_weight(given, 3), given)


@pytest.mark.parametrize(
    ("sample_weight", "error", "message"),
    [
        ([1, 1], ValueError, "with inconsistent numbers of samples: [3, 2]"),
        ([], ValueError, "with inconsistent numbers of samples: [3, 0]"),
        (np.ones((3, 1)), ValueError, "Sample weights must be 1D array or scalar"),
        (np.ones((3, 1, 1)), ValueError, "Sample weights must be 1D array or scalar"),
        (np.array(1.0), ValueError, "Sample weights must be 1D array or scalar"),
        ([1, np.nan, 1], ValueError, "sample_weight contains NaN: sample_weight[1]."),
        ([1, 1, np.inf], ValueError, "contains infinity: sample_weight[2]."),
        (np.nan, ValueError, "Input sample_weight contains NaN: sample_weight[0]."),
        ([None] * 3, ValueError, "sample_weight contains NaN: sample_weight[0]."),
        ([10**400, 1, 1], ValueError, "sample_weight must hold one number per sample"),
        ([[1, 1], [1], [1]], ValueError, "sample_weight must hold one number per"),
        ([1j, 1, 1], TypeError, "sample_weight must hold one number per sample"),
        (np.ones(3) * 1j, ValueError, "sample_weight must hold one number per sample"),
        (len, TypeError, "sample_weight must hold one number per sample"),
        ({"a": 2}, TypeError, "class_weight.compute_sample_weight({'a': 2}, y)."),
        ([1, 1, -2.5], ValueError, "sample_weight[2] is -2.5."),
        (-1, ValueError, "Negative values in data passed to `sample_weight`"),
        (["a", "b", "c"], ValueError, "sample_weight must hold one number per sample"),
        ("balanced", ValueError, "class_weight.compute_sample_weight('balanced', y)."),
        ([0, 0, 0], ValueError, "Sample weights must contain at least one non-zero"),
        (
            [1, 1e308, 1e308],
            ValueError,
            "The sum of sample_weight is too large: sample_weight[1] is 1e+308. Only "
            "ratios count, so divide all weights by the largest.",
        ),
        (0, ValueError, "Sample weights must contain at least one non-zero number."),
        (sp.csr_array(np.eye(3)), TypeError, "Sparse data was passed"),
    ],
)
def test_bad_weights_are_refused(sample_weight, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check_sample_weight(sample_weight, 3)
