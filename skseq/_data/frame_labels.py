"""Labels of frames: one for each, of which some may be unknown, and what each counts.

Knows nothing of Keras.
"""

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np

from skseq._data.collections import as_collection, is_sized, tensor_values, unwrapped
from skseq._data.label_vocabulary import LabelVocabulary
from skseq._data.labels import LabelSequences, check_labels, kind_of
from skseq._data.lengths import has_entries
from skseq._data.weights import LARGEST_SUM
from skseq._wording import counted

# In the place of an id where there is no label.
UNLABELLED = -1


def check_frame_labels(y, lengths, *, unit, estimator_name):
    """Check that y holds one label per frame.

    Parameters
    ----------
    y : collection of str, or of lists, tuples or 1-D arrays of labels
        The labels of each sample.
    lengths : ndarray of int of shape (n_samples,)
        The number of frames of each sample.
    unit : {"frame", "token"}
        What messages call a frame.
    estimator_name : str
        Who asks.

    Returns
    -------
    labels : LabelSequences

    Raises
    ------
    TypeError, ValueError
        If y is no collection of label sequences, or one has another number of labels
        than its sample has frames.
    """
    _refuse_one_per_sample(y, unit, estimator_name)
    given = {"target": "sequence", "estimator_name": estimator_name}
    try:
        labels = check_labels(y, len(lengths), **given)
    except ValueError:
        _refuse_missing_labels(y)
        raise
    for i, (sequence, n) in enumerate(zip(labels.sequences, lengths, strict=True)):
        if len(sequence) != n:
            raise ValueError(
                f"y[{i}] has {counted(len(sequence), 'label')} for "
                f"{counted(int(n), unit)}. There must be one label per {unit}, as the "
                "steps of preprocess, if there are any, leave them."
            )
    return labels


def _refuse_one_per_sample(y: Any, unit: str, estimator_name: str) -> None:
    """Refuse numbers, each of which would be the label of a whole sequence."""
    if not has_entries(y):
        return
    y = tensor_values(as_collection(y, "y", "label sequences, one per sample"))
    if len(getattr(y, "shape", (0,))) != 1:
        return
    for i in range(len(y)):
        item = tensor_values(y[i])
        if not isinstance(item, Number | np.bool_) or not np.isfinite(item):
            return
    if len(y):
        raise ValueError(
            f"y[0] is the single label {tensor_values(y[0])!r}, but {estimator_name} "
            f"learns one label per {unit}: pass a sequence of labels for each sample. "
            "For one label per sample use SequenceClassifier."
        )


def _refuse_missing_labels(y: Any) -> None:
    """Name the first label that is missing, and how to say that it is."""
    y = unwrapped(y, "y")
    if not has_entries(y) or getattr(y, "ndim", 1) != 1:
        return
    for i in range(len(y)):
        own = unwrapped(y[i], f"y[{i}]")
        labels = own if is_sized(own) and not isinstance(own, str) else ()
        for j, label in enumerate(labels):
            if _is_missing(label):
                raise ValueError(
                    f"y[{i}][{j}] is missing ({label}). Write a mark of the type of "
                    "the labels where a label is not known, and name it: for example "
                    "unlabelled=-1, or unlabelled='?' among strings."
                ) from None


def _is_missing(label: Any) -> bool:
    is_nan = isinstance(label, float | np.floating) and np.isnan(label)
    return label is None or is_nan or type(label).__name__ in ("NAType", "NaTType")


def learn_labels(labels, unlabelled):
    """Collect the labels that there are.

    Parameters
    ----------
    labels : LabelSequences
    unlabelled : object
        What stands where there is no label; None if nothing does.

    Returns
    -------
    vocabulary : LabelVocabulary

    Raises
    ------
    ValueError
        If no frame has a label, or the mark is of another type than labels.
    """
    if unlabelled is not None:
        check_mark(labels, unlabelled)
        kept = [_labelled(part, unlabelled) for part in labels.sequences]
        if not any(map(len, kept)):
            raise ValueError(
                f"y holds nothing but unlabelled={unlabelled!r}. Label some frames."
            )
        labels = LabelSequences(kept, labels.form)
    return LabelVocabulary.fit(labels)


def encode_labels(vocabulary, labels, unlabelled):
    """Replace each label by its id, and each mark by `UNLABELLED`.

    Parameters
    ----------
    vocabulary : LabelVocabulary
    labels : LabelSequences
    unlabelled : object
        As of `learn_labels`.

    Returns
    -------
    ids : list of ndarray of shape (n_frames,), dtype int32

    Raises
    ------
    ValueError
        If a label is not in the vocabulary, or the mark is of another type than labels.
    """
    if unlabelled is None:
        return vocabulary.encode(labels)
    known = vocabulary.classes.tolist()[0]
    marks = marks_of(labels, unlabelled)
    filled = [
        [known if is_mark else label for label, is_mark in zip(part, own, strict=True)]
        for part, own in zip(map(_plain, labels.sequences), marks, strict=True)
    ]
    ids = vocabulary.encode(LabelSequences(filled, labels.form))
    return [
        np.where(own, np.int32(UNLABELLED), part)
        for part, own in zip(ids, marks, strict=True)
    ]


def marks_of(labels, unlabelled) -> list[np.ndarray]:
    """Which frames have no label, in an array of bool per sequence.

    Parameters
    ----------
    labels : LabelSequences
    unlabelled : object
        As of `learn_labels`.

    Raises
    ------
    ValueError
        If the mark is of another type than labels.
    """
    if unlabelled is None:
        return [np.zeros(len(part), dtype=bool) for part in labels.sequences]
    check_mark(labels, unlabelled)
    return [
        np.array([label == unlabelled for label in _plain(part)], dtype=bool)
        for part in labels.sequences
    ]


def check_mark(labels, unlabelled) -> None:
    """Refuse a mark that can stand nowhere in y, so that none would be found.

    Parameters
    ----------
    labels : LabelSequences
    unlabelled : object
        As of `learn_labels`.

    Raises
    ------
    ValueError
        If labels are of another type than the mark, or of one character each and the
        mark is not.
    """
    first = next((part[0] for part in labels.sequences if len(part)), None)
    if first is None or unlabelled is None:
        return
    if kind_of(first) != kind_of(unlabelled):
        raise ValueError(
            f"unlabelled={unlabelled!r} is of type {type(unlabelled).__name__}, but "
            f"the labels of y are of type {_type_name(first)}. The mark must be of the "
            f"type of the labels, as {_example_mark(first)}; unlabelled=None stands "
            "for no mark."
        )
    if labels.form == "str" and len(unlabelled) != 1:
        raise ValueError(
            f"unlabelled={unlabelled!r} has {counted(len(unlabelled), 'character')}, "
            "but y holds texts, each of whose characters is a label. Take a mark of "
            "one character, as '?', or pass lists of labels."
        )


def is_mark(label, unlabelled) -> bool:
    """Whether a label is the mark; True and 1 are different ones."""
    return kind_of(label) == kind_of(unlabelled) and bool(label == unlabelled)


def without_mark(classes, unlabelled):
    """The labels that a user lists, unless one is what stands for none.

    Parameters
    ----------
    classes : collection of labels
        Unchecked.
    unlabelled : object
        As of `learn_labels`.
    """
    if unlabelled is None or classes is None:
        return classes
    return [label for label in classes if not is_mark(label, unlabelled)]


def _type_name(label: Any) -> str:
    return type(label.item() if isinstance(label, np.generic) else label).__name__


def _example_mark(label: Any) -> str:
    """A mark that goes with a label."""
    examples = {"str": "unlabelled='?'", "number": "unlabelled=-1"}
    if kind_of(label) in examples:
        return examples[kind_of(label)]
    return "unlabelled=-1 where True and False are written as 1 and 0"


def _plain(labels: Any) -> list:
    return labels.tolist() if isinstance(labels, np.ndarray) else list(labels)


def _labelled(labels: Any, unlabelled: Any) -> Any:
    if isinstance(labels, np.ndarray):
        return labels[np.array([v != unlabelled for v in labels.tolist()], dtype=bool)]
    return [label for label in labels if label != unlabelled]


def is_per_frame(sample_weight) -> bool:
    """Whether weights, unchecked, are those of frames, not of samples.

    They are if a single entry is a collection; entries of several kinds are refused by
    `check_frame_weights`.
    """
    if hasattr(sample_weight, "row_splits"):
        return True
    if len(getattr(sample_weight, "shape", (0,))) == 2:
        return sample_weight.shape[1] > 1
    if isinstance(sample_weight, str | bytes) or not has_entries(sample_weight):
        return False
    if hasattr(sample_weight, "to_numpy") or hasattr(sample_weight, "to_pylist"):
        sample_weight = as_collection(sample_weight, "sample_weight", "weights")
    if not isinstance(sample_weight, Sequence | np.ndarray):
        return False
    entries = [sample_weight[i] for i in range(len(sample_weight))]
    return any(is_sized(entry) and not isinstance(entry, str) for entry in entries)


def check_frame_weights(sample_weight, lengths, unit):
    """Check the weights of frames.

    Parameters
    ----------
    sample_weight : collection of array-like of shape (n_frames,)
        One finite, non-negative weight per frame, not all of them zero.
    lengths : ndarray of int of shape (n_samples,)
        The number of frames of each sample.
    unit : {"frame", "token"}
        What messages call a frame.

    Returns
    -------
    weights : list of ndarray of shape (n_frames,), dtype float64

    Raises
    ------
    TypeError, ValueError
        If there is no ordered collection, there are too few or too many, or a weight is
        none.
    """
    sample_weight = unwrapped(sample_weight, "sample_weight")
    sample_weight = as_collection(sample_weight, "sample_weight", "weights")
    if len(sample_weight) != len(lengths):
        raise ValueError(
            f"sample_weight has {counted(len(sample_weight), 'entry', 'entries')} for "
            f"{counted(len(lengths), 'sample')}."
        )
    _refuse_weights_of_samples(sample_weight, unit)
    weights = [_weights_of(sample_weight[i], i) for i in range(len(lengths))]
    for i, (own, n) in enumerate(zip(weights, lengths, strict=True)):
        if own.shape != (n,):
            found = counted(len(own), "weight") if own.ndim == 1 else "several axes"
            raise ValueError(
                f"sample_weight[{i}] has {found} for {counted(int(n), unit)}."
            )
        bad = np.flatnonzero(~np.isfinite(own) | (own < 0))
        if bad.size:
            raise ValueError(
                f"sample_weight[{i}][{bad[0]}] is {own[bad[0]]}; weights must be "
                "finite and not negative."
            )
    with np.errstate(over="ignore"):
        total = sum(own.sum() for own in weights)
    if not total:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    if total > LARGEST_SUM:
        raise ValueError(
            "The sum of sample_weight is too large. Only ratios count, so divide all "
            "weights by the largest."
        )
    return weights


def _refuse_weights_of_samples(sample_weight: Any, unit: str) -> None:
    """Refuse a mere number beside arrays."""
    for i in range(len(sample_weight)):
        own = tensor_values(sample_weight[i])
        if isinstance(own, Number | np.bool_) or own is None:
            raise ValueError(
                f"sample_weight[{i}] is {own}, but other entries hold one weight per "
                f"{unit}. Pass one number for each sample, or an array for each."
            )


def _weights_of(own: Any, i: int) -> np.ndarray:
    try:
        return np.array(own, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"sample_weight[{i}] must hold one number per frame. Got {own!r:.80}."
        ) from error


def shared(weights):
    """What a sequence counts in all, and the shares of it that its frames have.

    Parameters
    ----------
    weights : list of ndarray of shape (n_frames,)
        What each frame counts.

    Returns
    -------
    totals : ndarray of shape (n_samples,)
        The sum over the frames.
    shares : list of ndarray of shape (n_frames,), dtype float32
        They add up to 1 in each sequence, or to 0 if none of its frames counts.
    """
    totals = np.array([own.sum() for own in weights])
    shares = [
        (own / (total or 1.0)).astype(np.float32)
        for own, total in zip(weights, totals, strict=True)
    ]
    return totals, shares
