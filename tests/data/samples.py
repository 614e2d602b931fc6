"""Sequences as users hold them, good and bad, for the tests of this room."""

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.base import BaseEstimator

from skseq._data.sequences import check_sequences

RAGGED = [
    np.arange(12.0).reshape(4, 3),
    np.arange(15.0).reshape(5, 3) + 0.5,
    np.arange(6.0).reshape(2, 3) - 7,
]


LONG = pd.DataFrame({"id": list("aaabbb"), "t": [0, 1, 2] * 2, "value": np.ones(6)})


class E(BaseEstimator):
    pass


class Lazy:
    """A collection that can only count and fetch."""

    def __init__(self, fetch, n_samples=3):
        self.fetch = fetch
        self.n_samples = n_samples

    def __len__(self):
        return self.n_samples

    def __getitem__(self, i):
        if not isinstance(i, int) or not 0 <= i < self.n_samples:
            raise TypeError(f"a lazy collection was asked for {i!r}")
        return self.fetch(i)


def fit(X, **options):
    return check_sequences(E(), X, reset=True, **options)


def fitted_on(X):
    estimator = E()
    check_sequences(estimator, X, reset=True)
    return estimator


def ragged(**replacements):
    """Return RAGGED with items exchanged: ragged(x1=...) exchanges X[1]."""
    return [replacements.get(f"x{i}", x) for i, x in enumerate(RAGGED)]


def with_value(value):
    x = RAGGED[1].copy()
    x[2, 0] = value
    return ragged(x1=x)


def padded(values=np.nan):
    X = np.full((3, 5, 3), values)
    for i, x in enumerate(RAGGED):
        X[i, : len(x)] = x
    return X


def memmap(tmp_path, x):
    path = tmp_path / "x.npy"
    np.save(path, x)
    return np.load(path, mmap_mode="r")


def leading_nan():
    X = np.ones((2, 4, 3))
    X[0, 0] = np.nan
    return X


def frame(columns, n_frames=2):
    return pd.DataFrame(np.ones((n_frames, len(columns))), columns=list(columns))


def ragged_tensor():
    return tf.RaggedTensor.from_row_lengths(np.concatenate(RAGGED), [4, 5, 2])


def assert_reads(X, expected):
    """X is read as these sequences, whatever holds them."""
    estimator = E()
    sequences = check_sequences(estimator, X, reset=True)
    assert len(sequences) == len(expected)
    assert sequences.layout == "sequences"
    assert sequences.n_features == estimator.n_features_in_ == np.shape(expected[0])[1]
    assert sequences.lengths.dtype == np.int64
    assert sequences.lengths.tolist() == [len(x) for x in expected]
    for frames, x in zip(sequences, expected, strict=True):
        assert frames.dtype.kind in "biuf"
        np.testing.assert_array_equal(frames, x)
