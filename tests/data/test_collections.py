"""Which collections are taken, and the sentence that refuses the rest."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from scipy import sparse as sp

from skseq._data.collections import object_array
from tests.data.samples import (
    RAGGED,
    Lazy,
    assert_reads,
    fit,
    ragged_tensor,
)

pytestmark = pytest.mark.core


class Group:
    """Arrays by name, as zarr has them: no Mapping, though it has keys."""

    def __len__(self):
        return 1

    def __getitem__(self, name):
        return {"a": RAGGED[0]}[name]

    def keys(self):
        return ["a"]


class Dataset:
    """A table as datasets has it: items are rows, columns have names."""

    def __init__(self):
        self.column_names, self.shape = ["frames", "text"], (3, 2)

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return {"frames": RAGGED[i], "text": "a"}


BAD_COLLECTIONS = {
    "str": (
        "abc",
        TypeError,
        "X must be a collection of sequences, got a single str 'abc'. Did you mean [X]",
    ),
    "bytes": (b"abc", TypeError, "got a single bytes b'abc'. Did you mean [X]?"),
    "int": (3, TypeError, "X must be a collection of sequences, got 3."),
    "dict": (
        {"a": RAGGED[0]},
        TypeError,
        "X must be an ordered collection of sequences, got dict. Pass the items in an "
        "order: [X[key] for key in sorted(X)].",
    ),
    "group of arrays by name": (
        Group(),
        TypeError,
        "X must be an ordered collection of sequences, got Group. Pass the items in an",
    ),
    "table of columns by name": (
        Dataset(),
        TypeError,
        "X is a tests Dataset. Pass X.to_pandas() if its columns are numbers, or else "
        "one column of sequences: X['frames'].",
    ),
    "set": ({1, 2}, TypeError, "an ordered collection of sequences, got set."),
    "generator": (
        (x for x in RAGGED),
        TypeError,
        "X must have a length and be indexable, got generator. Convert it with list(X)",
    ),
    "sparse": (
        sp.csr_matrix(np.eye(3)),
        TypeError,
        "Sparse data was passed for X, but dense data is required. Use '.toarray()' to "
        "convert to a dense numpy array.",
    ),
    "sparse that is a dict": (
        sp.dok_array((3, 3)),
        TypeError,
        "Sparse data was passed for X",
    ),
    "ragged tensor of jagged frames": (
        tf.ragged.constant([[[1.0, 2.0]], [[3.0, 4.0], [5.0]]]),
        ValueError,
        "Frame 1 of X[1] has 1 feature, but frame 0 of X[0] has 2.",
    ),
    "ragged tensor, 4-D": (
        tf.ragged.constant([[[[1.0]]]]),
        ValueError,
        "Found a ragged tensor with dim 4 (X), while dim <= 3 is required.",
    ),
}


@pytest.mark.parametrize(
    ("X", "error", "message"), BAD_COLLECTIONS.values(), ids=BAD_COLLECTIONS
)
def test_a_bad_collection_is_refused_with_a_sentence_that_names_it(X, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fit(X)


GOOD_COLLECTIONS = {
    "ragged tensor": (ragged_tensor(), RAGGED),
    "ragged tensor of lists": (
        tf.ragged.constant([x.tolist() for x in RAGGED]),
        RAGGED,
    ),
    "ragged tensor of series": (
        tf.ragged.constant([[1.0, 2.0], [3.0]]),
        [np.array([[1.0], [2.0]]), np.array([[3.0]])],
    ),
    "tuple": (tuple(RAGGED), RAGGED),
    "object array": (object_array(RAGGED), RAGGED),
    "Series, shuffled index": (pd.Series(RAGGED, index=[2, 0, 1]), RAGGED),
    "polars Series": (
        pl.Series([[1.0, 2.0], [3.0]]),
        [np.array([[1.0], [2.0]]), np.array([[3.0]])],
    ),
    "polars Series of frames": (
        pl.Series([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]]),
        [np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])],
    ),
    "lazy": (Lazy(RAGGED.__getitem__), RAGGED),
    "lazy lists": (Lazy(lambda i: RAGGED[i].tolist()), RAGGED),
    "tensors": ([tf.constant(x) for x in RAGGED], RAGGED),
}


@pytest.mark.parametrize(
    ("X", "expected"), GOOD_COLLECTIONS.values(), ids=GOOD_COLLECTIONS
)
def test_every_collection_reads_the_same(X, expected):
    assert_reads(X, expected)


def test_an_object_array_keeps_items_of_one_shape_apart():
    items = [np.ones((2, 3)), np.zeros((2, 3))]
    array = object_array(iter(items))
    assert array.shape == (2,)
    assert all(kept is item for kept, item in zip(array, items, strict=True))
    assert object_array([]).shape == (0,)
