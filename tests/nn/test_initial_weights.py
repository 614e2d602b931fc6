"""The first values of weights."""

import numpy as np
import pytest

from skseq._nn.initial_weights import orthogonal


@pytest.mark.parametrize("shape", [(1, 4), (3, 9), (16, 64), (64, 64)])
def test_recurrent_kernels_have_orthonormal_rows(shape):
    kernel = orthogonal(shape, np.random.default_rng(0))
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(shape[0]), atol=1e-12)


def test_they_are_the_factor_whose_triangle_has_a_positive_diagonal():
    # There is one only, so that whoever factorises finds the same.
    kernel = orthogonal((5, 12), np.random.default_rng(3))
    drawn = np.random.default_rng(3).normal(size=(12, 5))
    triangle = kernel @ drawn
    assert (np.diag(triangle) > 0).all()
    np.testing.assert_allclose(np.tril(triangle, -1), 0, atol=1e-12)
