"""Finds the step of a fitted estimator that answers, and X as that step sees it.

Looks into pipelines and searches. Knows nothing of plots, nor of any estimator.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skseq._data.collections import as_collection, check_n_samples
from skseq._wording import counted


def last_step(estimator: Any, *, attribute: str, example: str, owner: str) -> Any:
    """Return the last step of a pipeline, or the best estimator of a search.

    Parameters
    ----------
    estimator : estimator, Pipeline or fitted search
        What the user passed.
    attribute : str
        What the step must have, once fitted.
    example : str
        An estimator that has it.
    owner : str
        The function that errors name.
    """
    found = estimator
    while True:
        check_is_fitted(found)
        if isinstance(found, Pipeline):
            found = found[-1]
        elif hasattr(found, "best_estimator_"):
            found = found.best_estimator_
        else:
            break
    if not hasattr(found, attribute):
        raise TypeError(
            f"{owner} needs a fitted estimator with {attribute!r}, such as {example}, "
            "or a pipeline or search that ends in one. Got "
            f"{type(found).__name__} instead."
        )
    return found


def as_seen(estimator: Any, X: Any) -> Any:
    """X as the last step sees it: transformed by all steps before it."""
    if isinstance(estimator, Pipeline):
        before = estimator[:-1] if len(estimator) > 1 else None
        return as_seen(estimator[-1], X if before is None else before.transform(X))
    if hasattr(estimator, "best_estimator_"):
        return as_seen(estimator.best_estimator_, X)
    return as_collection(X, "X", "sequences")


def steps_of(estimator: Any) -> list[Any]:
    """The steps of a pipeline or search, and those of `preprocess` in the last one."""
    if isinstance(estimator, Pipeline):
        *before, last = (step for _, step in estimator.steps)
        return [*before, *steps_of(last)]
    if hasattr(estimator, "best_estimator_"):
        return steps_of(estimator.best_estimator_)
    return [*(getattr(estimator, "preprocess", None) or []), estimator]


def take_sample(X: Any, y: Any, sample: int) -> tuple[Any, Any]:
    """X and y of one sample, as collections of one; a y of None stays None."""
    n_samples = len(X)
    if not isinstance(sample, Integral) or isinstance(sample, bool | np.bool_):
        raise TypeError(
            f"sample must be an int, the index of a sequence in X. Got {sample!r} "
            "instead."
        )
    if not -n_samples <= sample < n_samples:
        raise IndexError(
            f"sample must lie between 0 and {n_samples - 1}, as X has "
            f"{counted(n_samples, 'sequence')}, or between -{n_samples} and -1 from "
            f"the end. Got {sample} "
            "instead."
        )
    place = int(sample) % n_samples
    if y is not None:
        y = as_collection(y, "y", "sequences")
        check_n_samples("y", len(y), n_samples)
        y = _only(y, place)
    return _only(X, place), y


@contextmanager
def asked_about(sample: int) -> Iterator[None]:
    """Let errors say which sample X[0] stands for."""
    try:
        yield
    except Exception as error:
        error.add_note(f"X[0] and y[0] are those of the sample to show, {sample}.")
        raise


def take_rows(collection: Any, rows: np.ndarray) -> Any:
    """Some entries of a collection, as a collection of the same kind."""
    if hasattr(collection, "iloc"):
        return collection.iloc[rows]
    if hasattr(collection, "shape"):
        return collection[rows]
    return [collection[row] for row in rows.tolist()]


def _only(collection: Any, place: int) -> Any:
    """One entry of a collection, as a collection of the same kind."""
    if hasattr(collection, "iloc"):
        return collection.iloc[[place]]
    if hasattr(collection, "shape"):
        return collection[place : place + 1]
    return [collection[place]]
