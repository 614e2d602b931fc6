"""Matrices with the way in which they lie in memory, as plain values.

A product of matrices may differ in its last bit by how these lie: row by row or column
by column, with gaps where they are a part of a larger one, or backwards.
"""

from typing import Any

import numpy as np

MAX_GAPS = 2**26  # bytes that a matrix may take with its gaps


def describe_matrix(matrix: np.ndarray) -> Any:
    """Turn a matrix into plain values, from which `build_matrix` makes an equal.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    described : ndarray or dict
        The matrix itself if it lies row by row, or in no way that is kept.

    Examples
    --------
    >>> import numpy as np
    >>> described = describe_matrix(np.array([[1.0, 2.0], [3.0, 4.0]])[:, :1])
    >>> described["matrix"]
    array([[1., 0.],
           [3., 0.]])
    >>> build_matrix(**described).strides
    (16, 8)
    """
    usual = matrix.shape[1] * matrix.itemsize, matrix.itemsize
    if matrix.strides == usual or 0 in matrix.shape:
        return matrix
    is_reversed = [stride < 0 for stride in matrix.strides]
    forward = _reversed(matrix, is_reversed)
    is_turned = forward.strides[0] <= forward.strides[1]
    lines = forward.T if is_turned else forward
    (n_lines, length), item = lines.shape, lines.itemsize
    width, rest = divmod(lines.strides[0], item)
    is_kept = lines.strides[1] == item and not rest and width >= length
    if not is_kept or n_lines * width * item > MAX_GAPS:
        return np.ascontiguousarray(matrix)
    whole = np.zeros((n_lines, width), lines.dtype)
    whole[:, :length] = lines
    return {
        "matrix": whole,
        "length": length,
        "is_turned": bool(is_turned),
        "is_reversed": is_reversed,
    }


def build_matrix(
    matrix: np.ndarray, length: int, is_turned: bool, is_reversed: list[bool]
) -> np.ndarray:
    """Build a matrix of plain values, from any source, in memory of its own."""
    is_matrix = isinstance(matrix, np.ndarray) and matrix.ndim == 2
    if not is_matrix or type(length) is not int or not 0 < length <= matrix.shape[1]:
        raise ValueError("it holds a matrix that is not one")
    flags = is_reversed if isinstance(is_reversed, list) else [None]
    if len(flags) != 2 or not all(type(flag) is bool for flag in (is_turned, *flags)):
        raise ValueError("it holds a matrix that lies in no known way")
    lines = matrix.copy()[:, :length]
    return _reversed(lines.T if is_turned else lines, is_reversed)


def _reversed(matrix: np.ndarray, is_reversed: list[bool]) -> np.ndarray:
    rows, columns = (slice(None, None, -1 if flag else 1) for flag in is_reversed)
    return matrix[rows, columns]
