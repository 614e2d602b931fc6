"""A matrix comes back with its numbers, and with the way in which they lie."""

import numpy as np
import pytest

from skseq._engine import matrices
from skseq._engine.matrices import build_matrix, describe_matrix
from skseq._files.plain import pack, unpack

WHOLE = np.random.default_rng(0).normal(size=(6, 8))

LYING = {
    "rows": WHOLE,
    "columns": WHOLE.T,
    "a part": WHOLE[1:4, 2:5],
    "a part of columns": WHOLE.T[:2],
    "one row": WHOLE[:1],
    "one row of columns": WHOLE.T[:1],
    "one column": WHOLE[:, :1],
    "one column of columns": WHOLE.T[:, 2:3],
    "one number": WHOLE[2:3, 4:5],
    "backwards": WHOLE[::-1],
    "columns backwards": WHOLE.T[::-1],
    "both backwards": WHOLE[::-1, ::-1],
    "single precision": np.asfortranarray(WHOLE, "float32")[:3],
    "ties": np.lib.stride_tricks.as_strided(WHOLE, (1, 4), (8, 8)),
}


def copied(matrix):
    described = describe_matrix(matrix)
    packed, arrays = pack(described)
    found = unpack(packed, arrays)
    return build_matrix(**found) if isinstance(found, dict) else found


@pytest.mark.parametrize("name", LYING)
def test_a_matrix_comes_back_as_it_lies(name):
    found = copied(LYING[name])
    np.testing.assert_array_equal(found, LYING[name], strict=True)
    assert found.strides == LYING[name].strides


@pytest.mark.parametrize("matrix", [WHOLE[:, ::2], np.broadcast_to(WHOLE[0], (3, 8))])
def test_what_lies_in_no_way_that_is_kept_comes_back_by_its_numbers(matrix):
    np.testing.assert_array_equal(copied(matrix), matrix, strict=True)


def test_gaps_do_not_make_a_file_larger_than_a_bound(monkeypatch):
    monkeypatch.setattr(matrices, "MAX_GAPS", 6 * 8 * 8 - 1)
    assert describe_matrix(WHOLE[:, :2]).shape == (6, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"matrix": None},
        {"matrix": np.ones(3)},
        {"length": 0},
        {"length": 9},
        {"length": 2.0},
        {"length": True},
        {"is_turned": 1},
        {"is_reversed": None},
        {"is_reversed": [True]},
        {"is_reversed": [1, 0]},
    ],
)
def test_what_was_not_described_is_refused(changes):
    described = describe_matrix(WHOLE.T[:2])
    with pytest.raises(ValueError, match="a matrix that"):
        build_matrix(**{**described, **changes})
