import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from skseq._data.outliers import anomaly_flags, sample_anomaly_flags

FORMS = [
    [1, -1, -1],
    np.array([1.0, -1.0, -1.0]),
    np.array([1, -1, -1], dtype=object),
    [False, True, True],
    pd.Series([1, -1, -1], index=[5, 3, 4]),
    pd.Series([False, True, True]),
]


@pytest.mark.parametrize("labels", FORMS)
@pytest.mark.parametrize(
    "read", [lambda y: anomaly_flags(y, "y"), lambda y: sample_anomaly_flags(y, 3)]
)
def test_labels_and_booleans_become_the_same_flags(read, labels):
    flags = read(labels)
    assert flags.dtype == bool
    assert flags.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 0, 1], r"Got y\[1\] = 0 instead.* \.astype\(bool\)"),
        ([1, -1, 2.5], r"Got y\[2\] = 2\.5 instead"),
        (["normal", "odd", "odd"], r"Got y\[0\] = 'normal' instead"),
        ([1, tf.ragged.constant([[1], [1, 2]]), 1], r"Got y\[1\] = <tf.RaggedTensor"),
        ([1, range(3), -1], r"Got y\[1\] = range\(0, 3\) instead"),
        (["", b"\x80", 1], r"Got y\[0\] = '' instead"),
        ([1, -1], r"inconsistent numbers of samples: \[3, 2\]\. y must have one entry"),
        (np.ones((3, 2)), "1d array"),
        (np.rec.array([(1, 2.0)] * 3), r"Got y\[0\] = \(1, 2\.0\) instead"),
        (np.array([b"ab"] * 3, dtype="V2"), r"Got y\[0\] = b'ab' instead"),
    ],
)
def test_labels_of_samples_that_cannot_be_read_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        sample_anomaly_flags(labels, 3)


def test_one_column_is_a_label_per_sample_but_not_a_series():
    column = np.array([[1], [-1]])
    assert sample_anomaly_flags(column, 2).tolist() == [False, True]
    with pytest.raises(ValueError, match=r"one-dimensional.* Got shape \(2, 1\)"):
        anomaly_flags(column, "y")
