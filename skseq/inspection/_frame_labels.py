"""The labels of the frames of one sequence: checked, and divided into runs.

Knows nothing of plots, nor of any estimator.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from reprlib import repr as short_repr
from typing import Any, NamedTuple

import numpy as np

from skseq._data.collections import array_of, unwrapped
from skseq._data.frame_labels import is_mark

# Probabilities are shown of classes that are labels, or this probable in some frame.
VISIBLE = 0.1
MAX_ROWS = 40


class Run(NamedTuple):
    """A run of frames with one label: `labels[start:stop]`."""

    label: Any
    start: int
    stop: int


def runs_of(labels: Sequence[Any]) -> Iterator[Run]:
    """The runs of equal neighbors, from left to right."""
    start = 0
    for label, frames in groupby(labels):
        stop = start + len(list(frames))
        yield Run(label, start, stop)
        start = stop


def labeled_runs(labels: Sequence[Any]) -> list[Run]:
    """The runs of frames that have a label; None stands for none."""
    return [run for run in runs_of(labels) if run.label is not None]


def without_marks(labels: list, unlabelled: Any) -> list:
    """The labels, and None for each mark that stands for none."""
    if unlabelled is None:
        return labels
    return [None if is_mark(label, unlabelled) else label for label in labels]


def labels_of(labels: Any, name: str) -> list:
    """A list of hashable labels, from whatever holds one per frame."""
    labels = unwrapped(labels, name)
    labels = labels.tolist() if hasattr(labels, "tolist") else labels
    if not isinstance(labels, str | list | tuple):
        raise TypeError(
            f"{name} must be a str, list, tuple or 1-D array of labels. Got "
            f"{short_repr(labels)} instead."
        )
    odd = [label for label in labels if not is_label(label)]
    if odd:
        raise TypeError(
            f"{name} must hold the labels of one sequence, hashable and neither None "
            f"nor NaN. Got {short_repr(odd[0])} among them."
        )
    return list(labels)


def is_label(value: Any) -> bool:
    """Whether a value can be a label: neither None nor NaN, and hashable."""
    try:
        hash(value)
        return value is not None and bool(value == value)
    except TypeError:  # not hashable, or pandas.NA, which refuses to say
        return False


def check_distinct(classes: list) -> None:
    """Refuse a class that is there more than once."""
    if len(set(classes)) < len(classes):
        label, n = Counter(classes).most_common(1)[0]
        raise ValueError(f"classes must differ. {label!r} is there {n} times.")


def probabilities_of(values: Any, shape: tuple[int, int]) -> np.ndarray:
    """An array of probabilities, by frame and class."""
    probabilities = array_of(values)
    if probabilities.shape != shape:
        raise ValueError(
            "probabilities must have one row per frame and one column per class, so "
            f"the shape {shape} for these labels and classes. Got the shape "
            f"{probabilities.shape}."
        )
    is_number = probabilities.dtype.kind in "buif"
    if not is_number or not ((probabilities >= 0) & (probabilities < 1.001)).all():
        raise ValueError(
            "probabilities must be numbers in [0, 1], and neither NaN nor logarithms. "
            f"Got {short_repr(probabilities.tolist())}."
        )
    return probabilities


def sorted_labels(labels: Iterable[Any]) -> list:
    """Labels in their own order, or in that of their text if they have none."""
    try:
        return sorted(labels)
    except TypeError:  # labels of several kinds
        return sorted(labels, key=str)


def are_wrong(y_true: list, y_pred: list) -> np.ndarray:
    """Whether the label of each frame is wrong; where there is none, nothing is."""
    pairs = zip(y_true, y_pred, strict=True)
    return np.array([true not in (None, predicted) for true, predicted in pairs])


def right_in_words(y_true: list, y_pred: list) -> str:
    """How many of the frames with a label have the right one."""
    n_labeled = len(y_true) - y_true.count(None)
    n_right = n_labeled - np.count_nonzero(are_wrong(y_true, y_pred))
    return f"{n_right} of {n_labeled} right"


def only_sample(labels: Any) -> Any:
    """What there is of the only sample; places do not index a Series."""
    return next(iter(labels))


def is_by_frame(predicted: Any) -> bool:
    """Whether predictions are sequences, not one label per sample."""
    is_array = hasattr(predicted, "dtype") and predicted.dtype.kind != "O"
    return np.ndim(predicted) > 1 if is_array else True


def check_by_frame(predicted: Any, tagger: Any, owner: str) -> None:
    """Refuse predictions of one label per sample."""
    if not is_by_frame(predicted):
        raise TypeError(
            f"{owner} needs an estimator that predicts one label per frame, such as "
            f"SequenceTagger. {type(tagger).__name__} predicts one label per sequence."
        )


def tokens_of(sequence: Any) -> list[str] | None:
    """The tokens of a sequence, unless it is one of numbers."""
    items = sequence.tolist() if hasattr(sequence, "tolist") else sequence
    if not isinstance(items, str | list | tuple):
        return None
    return list(items) if all(isinstance(item, str) for item in items) else None


def visible_classes(
    labels: dict[str, list], classes: list, probabilities: np.ndarray | None
) -> list[int]:
    """Columns of probabilities to show: those of labels, and the likeliest others."""
    if probabilities is None:
        return []
    labeled = set().union(*labels.values())  # None among them is no class
    peaks = probabilities.max(axis=0)
    ranked = sorted(
        range(len(classes)), key=lambda i: (classes[i] not in labeled, -peaks[i])
    )
    likely = [i for i in ranked if classes[i] in labeled or peaks[i] >= VISIBLE]
    return sorted((likely or ranked)[:MAX_ROWS])
