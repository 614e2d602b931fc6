"""Reads sequences for the functions that convert them to another form."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skseq._data.sequences import Sequences, check_sequences


def read_sequences(X: Any, reader: str) -> tuple[Sequences, list]:
    """Read X in any accepted form; return the sequences and the names of features.

    `reader` is the name of the function that errors name.
    """
    estimator = type(reader, (BaseEstimator,), {})()
    sequences = check_sequences(estimator, X, reset=True, check_finite=False)
    names = [f"x{i}" for i in range(sequences.n_features)]
    if sequences.layout == "sequences":
        names = list(getattr(estimator, "feature_names_in_", names))
    return sequences, names


def rows_of(sequences: Sequences) -> list[np.ndarray]:
    """Return the frames of each sequence."""
    return [sequences[i] for i in range(len(sequences))]
