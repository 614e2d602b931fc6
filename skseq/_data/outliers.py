"""Reads the labels of outliers: 1 and -1 as scikit-learn has them, or booleans.

Knows nothing of detectors, scores or thresholds.
"""

from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from skseq._data.collections import array_of, check_n_samples


def anomaly_flags(labels: Any, name: str) -> np.ndarray:
    """Turn labels, 1 and -1 or booleans, into booleans that are True for anomalies."""
    labels = array_of(labels)
    if labels.ndim != 1:
        raise ValueError(
            f"{name} must be one-dimensional, with one label per point. Got shape "
            f"{labels.shape} instead."
        )
    if labels.dtype.kind == "b":
        return labels
    wrong = np.flatnonzero(_are_wrong(labels))
    if wrong.size:
        i = wrong[0]
        raise ValueError(
            f"{name} must hold 1 for normal and -1 for an anomaly, or booleans that "
            f"are True for an anomaly. Got {name}[{i}] = {labels.tolist()[i]!r} "
            "instead. Turn flags of 0 and 1 into booleans with .astype(bool)."
        )
    return labels == -1


def _are_wrong(labels: np.ndarray):
    """Which labels are neither 1 nor -1; some refuse to be compared."""
    if labels.dtype.kind == "V":  # records
        return np.ones(len(labels), dtype=bool)
    if labels.dtype.kind != "O":
        return (labels != -1) & (labels != 1)
    return [not isinstance(v, Number) or v not in (1, -1) for v in labels]


def sample_anomaly_flags(y: Any, n_samples: int) -> np.ndarray:
    """Turn labels, one per sample, into booleans that are True for anomalies."""
    is_anomaly = anomaly_flags(column_or_1d(array_of(y)), "y")
    check_n_samples("y", len(is_anomaly), n_samples)
    return is_anomaly
