"""Transformers of scikit-learn as plain values, and built again from any such values.

What a file gives is checked against the table: it can bring numbers, but neither a
class nor a shape that scikit-learn would stumble over. Knows no files.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skseq._engine.known_transformers import COMMON, TRANSFORMERS, Array, Line
from skseq._engine.matrices import build_matrix, describe_matrix
from skseq._parameters import MISSING, accepts, listed, options_of

MAX_MADE = 2**20  # features that may be made of those of a frame


def is_listed(transformer: Any) -> bool:
    """Whether a transformer is of one of the classes, and not of a subclass."""
    line = TRANSFORMERS.get(type(transformer).__name__)
    return line is not None and line.class_of(type(transformer).__name__) is type(
        transformer
    )


def describe_transformer(transformer: BaseEstimator, is_fitted: bool) -> dict:
    """Turn a listed transformer into plain values.

    Parameters
    ----------
    transformer : transformer of scikit-learn
    is_fitted : bool
        Whether to keep what it has learnt.

    Returns
    -------
    described : dict

    Raises
    ------
    TypeError
        If it holds something that the table does not know.
    """
    name = type(transformer).__name__
    line, given = TRANSFORMERS[name], transformer.get_params(deep=False)
    parameters = _known_parameters(name, line, given)
    fitted = {n: v for n, v in vars(transformer).items() if n not in given}
    fitted.pop("_metadata_request", None)  # which no file keeps
    known = {**COMMON, **line.fitted}
    unknown = [] if line.follows else sorted(fitted.keys() - known.keys())
    fitted = {n: _plain(v) for n, v in fitted.items() if is_fitted and n in known}
    if unknown:
        raise TypeError(
            f"{name} has the attributes {unknown}, which a skseq file does not keep."
        )
    return {"transformer": name, "parameters": parameters, "fitted": fitted}


def _known_parameters(name: str, line: Line, given: dict) -> dict:
    """The parameters; those of a later scikit-learn only if they are not in use."""
    defaults = line.class_of(name)().get_params(deep=False)
    for parameter, value in given.items():
        allowed = line.parameters.get(parameter)
        is_default = (
            type(value) is type(defaults[parameter]) and value == (defaults[parameter])
        )
        if allowed is None and not is_default:
            raise TypeError(
                f"{name}({parameter}={value!r}) cannot be kept: skseq does not know "
                "this parameter."
            )
        if allowed is not None and not accepts(value, allowed):
            raise TypeError(
                f"{name}({parameter}={value!r}) cannot be kept: a skseq file can hold "
                f"{listed(allowed)} there."
            )
    return {n: given[n] for n in line.parameters if n in given}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseEstimator):
        return describe_transformer(value, is_fitted=True)
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return describe_matrix(value)
    return value


def build_transformer(described: dict, is_fitted: bool) -> BaseEstimator:
    """Build a transformer of plain values, from any source.

    Raises
    ------
    ValueError, or another of `MALFORMED`
        If `describe_transformer` cannot have returned them.
    """
    name, parameters, fitted = _parts(described)
    line = TRANSFORMERS[name]
    for parameter, value in parameters.items():
        allowed = line.parameters.get(parameter)
        if allowed is None or not accepts(value, allowed):
            what = "is unknown" if allowed is None else f"must be {listed(allowed)}"
            raise ValueError(f"its {name}({parameter}=...) {what}")
    transformer = line.class_of(name)(**parameters)
    if not is_fitted:
        if fitted:
            raise ValueError(f"its {name} should not be fitted")
        return transformer
    known = {**COMMON, **line.fitted}
    if unknown := sorted(fitted.keys() - known.keys()):
        raise ValueError(f"its {name} has unknown attributes {unknown}")
    vars(transformer).update({n: _restored(v) for n, v in fitted.items()})
    _check_fitted(transformer, line, known)
    return _refitted(transformer) if line.follows else transformer


def _parts(described: dict) -> tuple[str, dict, dict]:
    """The name, the parameters and what is fitted, if they are such."""
    if not isinstance(described, dict) or described.keys() != {
        "transformer",
        "parameters",
        "fitted",
    }:
        raise ValueError("it holds a transformer that is not described as one")
    name, *tables = (described[n] for n in ("transformer", "parameters", "fitted"))
    if not isinstance(name, str) or name not in TRANSFORMERS:
        raise ValueError("it holds an unknown transformer")
    for table in tables:
        if not isinstance(table, dict) or not all(isinstance(n, str) for n in table):
            raise ValueError(f"its {name} must hold tables of names and values")
    return name, *tables


def _restored(value: Any) -> Any:
    """A fitted value as it was, its arrays in memory of their own."""
    if isinstance(value, dict) and "matrix" in value:
        return build_matrix(**value)
    if isinstance(value, dict) and "transformer" in value:
        return build_transformer(value, is_fitted=True)
    return value.copy() if isinstance(value, np.ndarray) else value


def _check_fitted(transformer: BaseEstimator, line: Line, known: dict) -> None:
    """Check what a transformer has learnt, and that all of it fits together."""
    name = type(transformer).__name__
    sizes = {"f": getattr(transformer, "n_features_in_", None)}
    for attribute, allowed in known.items():
        value = getattr(transformer, attribute, MISSING)
        if not accepts(value, allowed):
            raise ValueError(f"its {name}.{attribute} must be {listed(allowed)}")
        for option in _arrays(allowed) if isinstance(value, np.ndarray) else ():
            if not option.fits(value.shape, sizes):
                raise ValueError(f"the lengths of arrays in its {name} do not agree")
    for parameter, attribute in line.needs.items():
        if getattr(transformer, parameter) and (
            getattr(transformer, attribute, None) is None
        ):
            raise ValueError(f"its {name}({parameter}=True) lacks {attribute}")
    names = getattr(transformer, "feature_names_in_", None)
    if names is not None and names.shape != (sizes["f"],):
        raise ValueError(f"its {name} names another number of features")
    for number, axis in (("n_components_", "k"), ("n_quantiles_", "q")):
        if getattr(transformer, number, sizes.get(axis)) != sizes.get(axis):
            raise ValueError(f"its {name}.{number} does not fit its arrays")
    inner = getattr(transformer, "_scaler", None)
    if inner is not None and inner.n_features_in_ != sizes["f"]:
        raise ValueError(f"its {name} holds a scaler of another width")


def _arrays(allowed: Any) -> Iterable[Array]:
    return (option for option in options_of(allowed) if isinstance(option, Array))


def _refitted(transformer: BaseEstimator) -> BaseEstimator:
    """Learn what follows from the width, without making what it would make of it."""
    width = transformer.n_features_in_
    if width > MAX_MADE:
        raise ValueError(f"its transformer of {width} features is too wide")
    kept = {n: vars(transformer)[n] for n in COMMON if n in vars(transformer)}
    try:
        transformer.fit(np.zeros((1, width)))
        n_made = transformer.n_output_features_
    except ValueError:  # more than scikit-learn counts to
        n_made = math.inf
    if n_made > MAX_MADE:
        raise ValueError(
            f"its {type(transformer).__name__} makes more than {MAX_MADE} features"
        )
    vars(transformer).update(kept)
    return transformer
