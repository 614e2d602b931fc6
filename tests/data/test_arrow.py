"""Columns of Arrow read as the sequences that they hold, without a copy."""

import re

import numpy as np
import pytest

from skseq._data.arrow import arrow_items
from tests.data.samples import RAGGED, assert_reads, fit

NEEDS_PYARROW = 'needs pyarrow: pip install "skseq[citizens]"'
pa = pytest.importorskip("pyarrow", reason=NEEDS_PYARROW)

LISTS = [x.tolist() for x in RAGGED]
HALVES = [list(map(list, x.astype(np.float16))) for x in RAGGED]
EQUAL = [x[:2] for x in RAGGED]
SERIES = [x[:, :1] for x in RAGGED]
FRAME = pa.list_(pa.float32(), 3)


def tensors():
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.stack(EQUAL))


FRAMES = {
    "list": (pa.array(LISTS), RAGGED),
    "large_list": (pa.array(LISTS, pa.large_list(pa.large_list(pa.float64()))), RAGGED),
    "list_view": (pa.array(LISTS, pa.list_view(pa.list_view(pa.float64()))), RAGGED),
    "frames of a fixed size": (pa.array(LISTS, pa.list_(FRAME)), RAGGED),
    "all of a fixed size": (
        pa.array([x.tolist() for x in EQUAL], pa.list_(FRAME, 2)),
        EQUAL,
    ),
    "half precision": (pa.array(HALVES, pa.list_(pa.list_(pa.float16()))), RAGGED),
    "integers": (
        pa.array([[[1, 2], [3, 4]], [[5, 6]]]),
        [np.array([[1, 2], [3, 4]]), np.array([[5, 6]])],
    ),
    "chunks": (pa.chunked_array([LISTS[:1], LISTS[1:]]), RAGGED),
    "a slice": (pa.array([[[9.0] * 3], *LISTS])[1:], RAGGED),
    "a column of a table": (pa.table({"frames": LISTS})["frames"], RAGGED),
    "series": (pa.array([x.ravel().tolist() for x in SERIES]), SERIES),
    "series of integers": (
        pa.array([[1, 2], [3]]),
        [np.array([[1], [2]]), np.array([[3]])],
    ),
    "tensors": (tensors(), EQUAL),
    "tensors in chunks": (pa.chunked_array([tensors()[:1], tensors()[1:]]), EQUAL),
}


@pytest.mark.parametrize(("column", "expected"), FRAMES.values(), ids=FRAMES)
def test_every_type_of_column_reads_as_its_sequences(column, expected):
    assert_reads(column, expected)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(LISTS),
        pa.array([x.ravel().tolist() for x in SERIES]),
        pa.array(LISTS, pa.list_(FRAME)),
    ],
    ids=["frames", "series", "fixed size"],
)
def test_sequences_are_views_of_the_columns_memory(column):
    flat = column
    while hasattr(flat, "flatten") and hasattr(flat.type, "value_type"):
        flat = flat.flatten()
    buffer = flat.to_numpy()
    items = arrow_items(column, "X")
    assert all(np.shares_memory(item, buffer) for item in items)
    assert not any(item.flags.writeable for item in items)


def test_labels_stay_lists():
    assert arrow_items(pa.array([[1, 2], [3]]), "y") == [[1, 2], [3]]
    assert arrow_items(pa.array([["a", "b"], []]), "y") == [["a", "b"], []]
    names = pa.array(["a", "b", "a"])
    assert arrow_items(names.dictionary_encode(), "y") == ["a", "b", "a"]


def with_null(*place):
    """The lists with None for one sequence, frame or value."""
    lists = [[list(frame) for frame in x] for x in LISTS]
    inner = lists
    for i in place[:-1]:
        inner = inner[i]
    inner[place[-1]] = None
    return lists


def with_null_tensor():
    array = tensors()
    storage = pa.array([None, *array.storage.to_pylist()[1:]], array.storage.type)
    return pa.ExtensionArray.from_storage(array.type, storage)


REFUSED = {
    "a null sequence": (pa.array(with_null(1)), "X[1] is None. Drop it"),
    "a null frame": (pa.array(with_null(1, 2)), "X[1][2] is missing (None)."),
    "a null value": (pa.array(with_null(1, 2, 0)), "Input X contains NaN (X[1][2, 0]"),
    "a null in a series": (
        pa.array([[1.0, 2.0], [3.0, None]]),
        "Input X contains NaN (X[1][1, 0]",
    ),
    "a null tensor": (with_null_tensor(), "X[0] is None. Drop it"),
    "an empty sequence": (pa.array([LISTS[0], []]), "X[1] has 0 frame(s)"),
    "frames of two widths": (
        pa.array([LISTS[0], [[1.0, 2.0, 3.0], [4.0]]]),
        "X[1] is not rectangular",
    ),
    "another width": (pa.array([LISTS[0], [[1.0]]]), "X[1] has 1 feature"),
    "deeper lists": (pa.array([[[[1.0]]]]), "X[0] has 3 dimensions"),
}


@pytest.mark.parametrize(("column", "message"), REFUSED.values(), ids=REFUSED)
def test_what_holds_no_sequences_is_refused_by_its_place(column, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        fit(column)


@pytest.mark.parametrize("make", [pa.table, pa.record_batch])
def test_a_table_is_told_to_pass_a_column(make):
    with pytest.raises(TypeError, match=r"X is a pyarrow .+ X\['frames'\]\.$"):
        fit(make({"frames": LISTS}))
