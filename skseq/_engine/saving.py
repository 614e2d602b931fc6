"""Saves a fitted estimator as plain values and weights, and builds it again from them.

A file names its class, which must be in the table of public estimators, and gives its
parameters, fitted values and weights. Loading builds the network with our own code and
checks every shape against the file first: a hostile file can fail to load, but it
cannot run code or make us allocate more than it holds itself.
"""

import os
import platform
from importlib import import_module

import numpy as np
import tensorflow as tf

from skseq._files.archive import read_archive, write_archive
from skseq._names import ESTIMATORS
from skseq._parameters import MISSING

KIND = "estimator"
LIBRARIES = ("skseq", "sklearn", "tensorflow", "keras", "numpy")
SCALARS = (bool, int, float, str, type(None))
ARRAY_KINDS = "biufU"
MALFORMED = (LookupError, TypeError, AttributeError, ArithmeticError, ValueError)


def save(estimator, path) -> None:
    """Write a fitted estimator's state to one archive."""
    fitted = {
        name: to_plain(value, name)
        for name in estimator._fitted
        if (value := getattr(estimator, name, MISSING)) is not MISSING
    }
    params = {n: to_plain(v, n) for n, v in estimator._portable_params().items()}
    header = {
        "kind": KIND,
        "estimator": type(estimator).__name__,
        "parameters": params,
        "fitted": fitted,
        "versions": {
            **{name: import_module(name).__version__ for name in LIBRARIES},
            "python": platform.python_version(),
        },
    }
    paths = [weight.path for weight in estimator.model_.weights]
    weights = dict(zip(paths, estimator._weights, strict=True))
    write_archive(path, header, weights)


def load(path):
    """Read an estimator that was written by its `save` method.

    Nothing in the file is run, so a file from a source that you do not trust can only
    fail to load.

    Parameters
    ----------
    path : str or path-like
        The file that `save` wrote.

    Returns
    -------
    estimator : CTCSequenceClassifier, Seq2SeqTranslator or LSTMAutoencoder
        The fitted estimator; its predictions equal those of the saved one.

    Raises
    ------
    ValueError
        If the file is not a skseq estimator, is damaged, or was written by a newer
        version of skseq.
    OSError
        If the file cannot be read.
    """
    archive = read_archive(path, require_finite=True)
    try:
        return _rebuild(archive.header, archive.arrays)
    except MALFORMED as error:
        raise ValueError(
            f"{os.fspath(path)} is not a skseq file that can be loaded: {error}"
        ) from error


def _rebuild(header: dict, arrays: dict[str, np.ndarray]):
    if header.get("kind") != KIND:
        raise ValueError(f"it holds {header.get('kind')!r}, not an estimator")
    name = header["estimator"]
    if name not in ESTIMATORS:
        raise ValueError(f"it holds an unknown estimator {name!r}")
    estimator_class = getattr(import_module(ESTIMATORS[name]), name)
    estimator = estimator_class(
        **{n: from_plain(v) for n, v in header["parameters"].items()}
    )
    unknown = set(header["fitted"]) - set(estimator._fitted)
    if unknown:
        raise ValueError(f"it has unknown attributes {sorted(unknown)}")
    for attribute, value in header["fitted"].items():
        setattr(estimator, attribute, from_plain(value))
    estimator._check_restored()
    estimator._weights = _checked_weights(estimator, arrays)
    estimator._resume_weights = estimator._weights
    estimator._optimizer_state = None
    return estimator


def weight_shapes(recipe) -> dict[str, tuple[int, ...]]:
    """Path and shape of every weight, in the network's order, allocating none."""
    with tf.Graph().as_default():
        return {w.path: tuple(w.shape) for w in recipe.build().weights}


def _checked_weights(estimator, arrays) -> list[np.ndarray]:
    """The weights in the network's order, if they are exactly those it has."""
    expected = weight_shapes(estimator._recipe())
    if set(expected) != set(arrays):
        wrong = sorted(set(expected) ^ set(arrays))
        raise ValueError(f"its weights do not fit its settings: {wrong[:5]}")
    for path, shape in expected.items():
        if arrays[path].shape != tuple(shape) or arrays[path].dtype != np.float32:
            raise ValueError(
                f"the weight {path!r} must be float32 of shape {tuple(shape)}, and is "
                f"{arrays[path].dtype} of shape {arrays[path].shape}"
            )
    return [arrays[path] for path in expected]


def to_plain(value, where: str):
    """Turn a value into what JSON can hold, so that `from_plain` gives it back."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, SCALARS):
        return value
    if isinstance(value, list):
        return [to_plain(item, where) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [to_plain(item, where) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {k: to_plain(v, f"{where}[{k!r}]") for k, v in value.items()}}
    if isinstance(value, np.ndarray) and value.ndim == 1:
        if value.dtype.kind in ARRAY_KINDS:
            return {"array": value.tolist(), "dtype": value.dtype.str}
        if value.dtype == object and all(isinstance(item, str) for item in value):
            return {"array": value.tolist(), "dtype": "object"}
    raise TypeError(
        f"{where}={value!r} cannot be saved: a skseq file holds plain values only, so "
        f"that loading it can run no code. Set {where} to a plain value first, with "
        "set_params, or pickle the estimator."
    )


def from_plain(value):
    """The inverse of `to_plain`."""
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"tuple"}:
        return tuple(from_plain(item) for item in value["tuple"])
    if set(value) == {"dict"}:
        return {key: from_plain(item) for key, item in value["dict"].items()}
    if set(value) == {"array", "dtype"}:
        return _array_from_plain(value["array"], value["dtype"])
    raise ValueError(f"it holds an unknown kind of value {sorted(value)}")


def _array_from_plain(items, dtype) -> np.ndarray:
    if not isinstance(items, list) or not all(isinstance(i, SCALARS) for i in items):
        raise ValueError("it holds an array that is not flat")
    dtype = np.dtype(dtype)
    if dtype.kind not in f"{ARRAY_KINDS}O":
        raise ValueError(f"it holds an array of dtype {dtype}")
    # The width of strings follows from them: a file could name any.
    array = np.array(items, dtype=str if dtype.kind == "U" else dtype)
    if array.tolist() != items:
        raise ValueError(f"it holds an array that does not fit its dtype {dtype}")
    return array
