"""Comparisons of weights and of results, to the bit or nearly."""

import numpy as np


def assert_same_arrays(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def assert_same_weights(a, b):
    assert_same_arrays(a._weights, b._weights)


def assert_same_results(found, expected, tolerance=0.0):
    """Compare results, down to the numbers in their arrays, lists and records."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same_results(a, b, tolerance)
    elif isinstance(expected, str):
        assert found == expected
    elif tolerance == 0:
        np.testing.assert_array_equal(found, expected, strict=True)
    else:
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def pick(results, rows):
    return {name: [result[i] for i in rows] for name, result in results.items()}


def identities(estimator):
    return {name: id(value) for name, value in vars(estimator).items()}


def assert_same_parameters(first, second):
    """Steps of `preprocess` are copied too, and a transformer equals itself alone."""
    shown, expected = (
        {name: repr(value) for name, value in estimator.get_params().items()}
        for estimator in (first, second)
    )
    assert shown == expected
