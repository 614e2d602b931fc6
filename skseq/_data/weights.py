"""Checks the weights that a user gives samples. Knows nothing of Keras."""

import numbers

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_array

from skseq._data.collections import check_n_samples
from skseq._warnings import warn

# Weighted sums of losses beyond it would overflow.
LARGEST_SUM = 1e300


def check_sample_weight(sample_weight, n_samples):
    """Check the weights of the samples.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        One finite, non-negative weight per sample, not all of them zero. A number
        stands for that weight on every sample, None for 1.
    n_samples : int
        Number of samples to be weighted.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,), dtype float64
        A new array.

    Raises
    ------
    ValueError, TypeError
        If a weight is not a number, negative or not finite, all are zero, their sum is
        beyond 1e300 or their number is wrong.

    Examples
    --------
    >>> check_sample_weight([1, 2], 2)
    array([1., 2.])
    """
    if sample_weight is None or isinstance(sample_weight, numbers.Number):
        weight = 1.0 if sample_weight is None else sample_weight
        sample_weight = np.full(n_samples, weight)
    weights = _as_floats(sample_weight)
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array. "
            f"Expected either a scalar value or a 1D array of length {n_samples}."
        )
    check_n_samples("sample_weight", len(weights), n_samples)
    if not np.all(np.isfinite(weights)):
        i = int(np.argmax(~np.isfinite(weights)))
        kind = "NaN" if np.isnan(weights[i]) else "infinity"
        raise ValueError(f"Input sample_weight contains {kind}: sample_weight[{i}].")
    if np.any(weights < 0):
        i = int(np.argmax(weights < 0))
        raise ValueError(
            "Negative values in data passed to `sample_weight`: "
            f"sample_weight[{i}] is {weights[i]}."
        )
    if not np.any(weights):
        raise ValueError("Sample weights must contain at least one non-zero number.")
    with np.errstate(over="ignore"):
        total = weights.sum()
    if total > LARGEST_SUM:
        i = int(np.argmax(weights))
        raise ValueError(
            f"The sum of sample_weight is too large: sample_weight[{i}] is {weights[i]}"
            ". Only ratios count, so divide all weights by the largest."
        )
    return weights


def _as_floats(sample_weight) -> np.ndarray:
    try:
        return check_array(
            sample_weight,
            dtype=np.float64,
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite=False,
            ensure_min_samples=0,
            copy=True,
            input_name="sample_weight",
        )
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        advice = ""
        if isinstance(sample_weight, (str, dict)):
            advice = (
                " For weights by class, pass sklearn.utils.class_weight."
                f"compute_sample_weight({sample_weight!r}, y)."
            )
        raise kind(
            "sample_weight must hold one number per sample, in an array of shape "
            f"(n_samples,): {error}{'' if str(error).endswith('.') else '.'}{advice}"
        ) from error


def weigh_classes(sample_weight, class_weight, ids, classes, is_partial=False):
    """Multiply the weights of samples by those of their classes.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,)
        Checked.
    class_weight, ids, classes : object
        As of `class_weights`.
    is_partial : bool, default=False
        Whether these are only some of the samples, as `partial_fit` sees them.

    Returns
    -------
    weights : ndarray of shape (n_samples,), dtype float64

    Raises
    ------
    ValueError
        If the classes are to be balanced and only some samples are there, or the
        weights are too large to be added up.
    """
    if is_partial and class_weight == "balanced":
        raise ValueError(
            "class_weight='balanced' needs all samples, but partial_fit sees only "
            "some of them. "
            "Pass sklearn.utils.class_weight.compute_class_weight('balanced', "
            "classes=classes, y=y) as a dict of label to weight."
        )
    with np.errstate(over="ignore"):
        weights = sample_weight * class_weights(class_weight, ids, classes)[ids]
        total = weights.sum()
    if not np.isfinite(total):
        raise ValueError(
            "class_weight is too large: the sum over all samples is not finite. "
            "Only ratios count, so divide all weights by the largest."
        )
    if not total:
        raise ValueError(
            "class_weight gives all samples the weight 0. Give some a sample_weight or "
            "class_weight above 0."
        )
    return weights


def class_weights(class_weight, ids, classes) -> np.ndarray:
    """Work out what each class counts.

    Parameters
    ----------
    class_weight : {"balanced"} or dict
        "balanced" makes the samples of all classes that there are count the same in
        sum, as scikit-learn's does; a dict gives weights by label.
    ids : ndarray of int of shape (n_samples,)
        The class of each sample, as a place among `classes`.
    classes : ndarray of shape (n_classes,)
        The labels.

    Returns
    -------
    weights : ndarray of shape (n_classes,), dtype float64
        1 for a class that a dict lacks.

    Warns
    -----
    UserWarning
        If a dict has a key that is not a label. In other folds of a search it may
        be one.

    Examples
    --------
    >>> class_weights({"b": 3}, np.array([0, 1, 0]), np.array(["a", "b"]))
    array([1., 3.])
    >>> class_weights("balanced", np.array([0, 1, 0]), np.array(["a", "b"]))
    array([0.75, 1.5 ])
    """
    if class_weight == "balanced":
        weights, present = np.ones(len(classes)), np.unique(ids)
        weights[present] = compute_class_weight("balanced", classes=present, y=ids)
        return weights
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        shown = ", ".join(map(repr, labels[:10])) + ", ..." * (len(labels) > 10)
        warn(
            f"class_weight has the key {unknown[0]!r}, which is not a label of y: "
            f"{shown}. It has no effect."
        )
    return np.array([class_weight.get(label, 1.0) for label in labels], dtype=float)
