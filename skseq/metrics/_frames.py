"""Compares labels of frames: frame by frame, class by class, and run by run.

Runs are aligned as label sequences are. Knows nothing of tagging schemes or estimators.
"""

from collections import defaultdict
from itertools import groupby
from operator import eq
from typing import Any

import numpy as np
from sklearn.metrics import make_scorer

from skseq._data.collections import as_collection, check_n_samples
from skseq._data.frame_labels import check_mark, is_mark
from skseq._data.labels import LabelSequences
from skseq._data.weights import check_sample_weight
from skseq._wording import counted
from skseq.metrics._alignment import check_pairs, label_error_rate


def frame_accuracy(y_true, y_pred, *, sample_weight=None, unlabelled=None):
    """Frame accuracy: the share of frames with the right label.

    The frames of all sequences are pooled, so that a long sequence counts more than a
    short one.

    Parameters
    ----------
    y_true : collection of length n_samples
        The true labels, one per frame: each entry is a str (one character per frame),
        a list, tuple or 1-D array of labels.
    y_pred : collection of length n_samples
        The predicted labels, in the same form, as many per sequence.
    sample_weight : array-like of shape (n_samples,) or collection of array-like of \
shape (n_frames,), default=None
        Weight of each sequence, which is that of each of its frames, or weights of
        frames. Frames with weight 0 do not count, for example those without a label.
        None counts each frame once.
    unlabelled : str, int or bool, default=None
        What stands in `y_true` for frames without a label, which do not count; it is of
        the type of the labels. None means that all frames have labels.

    Returns
    -------
    accuracy : float
        Between 0 and 1; 1 is best.

    Raises
    ------
    TypeError
        If `y_true` or `y_pred` is not a collection, or an item is not a label sequence.
    ValueError
        If a sequence has another number of predicted labels than of true ones, there
        are no frames, labels are text on one side alone, or `sample_weight` has another
        length, a negative entry or no positive one, or the mark is of another type
        than the labels.

    See Also
    --------
    balanced_frame_accuracy : The same with equal weight for each class.
    segment_error_rate : Counts runs, however long they are.

    Examples
    --------
    >>> from skseq.metrics import frame_accuracy
    >>> frame_accuracy(["aabb", "b"], ["aaab", "b"])
    0.8
    """
    true, pred, weights = _pool_frames(y_true, y_pred, sample_weight, unlabelled)
    return float(np.average(list(map(eq, true, pred)), weights=weights))


def balanced_frame_accuracy(y_true, y_pred, *, sample_weight=None, unlabelled=None):
    """Balanced frame accuracy: the mean share of right frames over the true classes.

    The recall of each class that is in `y_true`, averaged with equal weight. A class of
    few frames counts as much as a common one, so that a prediction of the commonest
    class alone scores only one over the number of classes.

    Parameters
    ----------
    y_true : collection of length n_samples
        The true labels, one per frame: each entry is a str (one character per frame),
        a list, tuple or 1-D array of labels.
    y_pred : collection of length n_samples
        The predicted labels, in the same form, as many per sequence.
    sample_weight : array-like of shape (n_samples,) or collection of array-like of \
shape (n_frames,), default=None
        Weight of each sequence, which is that of each of its frames, or weights of
        frames. A class with no weight does not count. None counts each frame once.
    unlabelled : str, int or bool, default=None
        What stands in `y_true` for frames without a label, which do not count; it is of
        the type of the labels. None means that all frames have labels.

    Returns
    -------
    accuracy : float
        Between 0 and 1; 1 is best.

    Raises
    ------
    TypeError, ValueError
        As :func:`frame_accuracy`.

    See Also
    --------
    frame_accuracy : The same with equal weight for each frame.
    sklearn.metrics.balanced_accuracy_score : The same for one label per sample.

    Examples
    --------
    >>> from skseq.metrics import balanced_frame_accuracy
    >>> balanced_frame_accuracy(["aaaaaab", "b"], ["aaaaaaa", "b"])
    0.75
    """
    true, pred, weights = _pool_frames(y_true, y_pred, sample_weight, unlabelled)
    total: defaultdict[Any, float] = defaultdict(float)
    right: defaultdict[Any, float] = defaultdict(float)
    for label, predicted, weight in zip(true, pred, weights.tolist(), strict=True):
        total[label] += weight
        right[label] += weight * (label == predicted)
    recalls = [right[label] / total[label] for label in total if total[label]]
    return float(np.mean(recalls))


def segment_error_rate(y_true, y_pred, *, sample_weight=None):
    """Segment error rate: edits between sequences of runs, per true run.

    A run is a stretch of neighboring frames with one label. Each sequence is collapsed
    to the labels of its runs; the runs substituted, deleted and inserted are counted,
    and divided by the number of runs in `y_true`. Where a run begins and ends does not
    matter, but a prediction that flickers is charged for each run too many. 0 is best;
    the rate exceeds 1 where there are many such runs.

    Parameters
    ----------
    y_true : collection of length n_samples
        The true labels, one per frame: each entry is a str (one character per frame),
        a list, tuple or 1-D array of labels.
    y_pred : collection of length n_samples
        The predicted labels, in the same form. A sequence may have another number of
        frames than in `y_true`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sequence, in numerator and denominator. None counts each once.

    Returns
    -------
    error_rate : float
        The segment error rate. If no true sequence has a frame, the number of predicted
        runs: 0.0 if there are none either.

    Raises
    ------
    TypeError
        If `y_true` or `y_pred` is not a collection, or an item is not a label sequence.
    ValueError
        If there are no sequences, the numbers of true and predicted ones differ, labels
        are text on one side alone, or `sample_weight` has another length, a negative
        entry or no positive one.

    See Also
    --------
    label_error_rate : The same without collapsing.
    frame_accuracy : Compares frames, not runs.

    Notes
    -----
    Videos of actions are scored by the same edits [1]_, there as one minus the edits
    over the longer of the two sequences of runs.

    References
    ----------
    .. [1] C. Lea, M. D. Flynn, R. Vidal, A. Reiter and G. D. Hager, "Temporal
       Convolutional Networks for Action Segmentation and Detection", CVPR 2017.

    Examples
    --------
    >>> from skseq.metrics import segment_error_rate
    >>> segment_error_rate(["aaabbbcccaaa"], ["aabbbbbccaaa"])
    0.0
    >>> segment_error_rate(["aaabbbcccaaa"], ["aabaabbbccca"])
    0.5
    """
    true, pred = check_pairs(y_true, y_pred)
    _check_one_kind(true, pred)
    runs = [list(map(_collapse, side)) for side in (true, pred)]
    return label_error_rate(*runs, sample_weight=sample_weight)


# For `scoring=`. As with every scorer object, `set_score_request` changes it in place:
# request weights on a copy.deepcopy, or on a make_scorer of your own. Scorers know no
# marks: where labels are unknown, make_scorer(frame_accuracy, unlabelled=-1).
frame_accuracy_scorer = make_scorer(frame_accuracy)
balanced_frame_accuracy_scorer = make_scorer(balanced_frame_accuracy)
segment_error_rate_scorer = make_scorer(segment_error_rate, greater_is_better=False)


def check_frames(y_true: Any, y_pred: Any) -> tuple[list[Any], list[Any]]:
    """Turn both collections into lists of str, list or tuple, of equal lengths each."""
    references, predictions = check_pairs(y_true, y_pred)
    for i, (true, pred) in enumerate(zip(references, predictions, strict=True)):
        if len(true) != len(pred):
            raise ValueError(
                f"y_pred[{i}] has {counted(len(pred), 'label')} for "
                f"{counted(len(true), 'frame')}. Each sequence must have one predicted "
                "label per true label."
            )
    return references, predictions


def _check_one_kind(references: list[Any], predictions: list[Any]) -> None:
    """Refuse text on one side and none on the other, of which nothing can be equal."""
    true, pred = map(_examples, (references, predictions))
    if len(true) == len(pred) == 1 and true.keys() != pred.keys():
        (first,), (second,) = true.values(), pred.values()
        raise ValueError(
            "y_true and y_pred must hold labels of one type, or none can be equal. "
            f"y_true has {first!r} of type {type(first).__name__}, y_pred {second!r} "
            f"of type {type(second).__name__}. Convert one of them, for example with "
            "[[str(label) for label in labels] for labels in y]."
        )


def _examples(sequences: list[Any]) -> dict[bool, Any]:
    """A label that is a str, by True, and one that is not, by False."""
    kinds = {type(label): label for own in sequences for label in own}
    return {issubclass(kind, str): label for kind, label in kinds.items()}


def _pool_frames(
    y_true: Any, y_pred: Any, sample_weight: Any, unlabelled: Any
) -> tuple[list[Any], list[Any], np.ndarray]:
    """True labels, predicted labels and weights of the frames of all sequences."""
    references, predictions = check_frames(y_true, y_pred)
    _check_one_kind(references, predictions)
    lengths = list(map(len, references))
    if not any(lengths):
        raise ValueError("y_true and y_pred must hold at least one frame. Got 0.")
    weights = _frame_weights(sample_weight, lengths)
    true = [label for sequence in references for label in sequence]
    if unlabelled is not None:
        check_mark(LabelSequences(references, _form_of(references)), unlabelled)
        weights = np.where([is_mark(v, unlabelled) for v in true], 0.0, weights)
        if not weights.any():
            raise ValueError(
                f"No frame with a weight above 0 has another label than "
                f"unlabelled={unlabelled!r}, so that none can be right."
            )
    return true, [label for sequence in predictions for label in sequence], weights


def _form_of(sequences: list[Any]) -> str:
    """What `check_mark` asks: are there texts of labels of one character?"""
    return "str" if all(isinstance(own, str) for own in sequences) else "list"


def _frame_weights(sample_weight: Any, lengths: list[int]) -> np.ndarray:
    """One weight per frame of all sequences."""
    if not _is_by_frame(sample_weight):
        weights = np.repeat(check_sample_weight(sample_weight, len(lengths)), lengths)
    else:
        sample_weight = as_collection(sample_weight, "sample_weight", "weights")
        check_n_samples("sample_weight", len(sample_weight), len(lengths))
        parts = map(_weights_of_one, range(len(lengths)), sample_weight, lengths)
        weights = np.concatenate(list(parts))
    if not weights.any():
        raise ValueError(
            "sample_weight must give at least one frame a weight above 0. Got 0 for "
            "all frames."
        )
    return weights


def _is_by_frame(sample_weight: Any) -> bool:
    """Whether there is a collection of weights for each sequence."""
    if hasattr(sample_weight, "keys") or not hasattr(sample_weight, "__len__"):
        return False  # None, a number, or what is refused by name
    if getattr(sample_weight, "dtype", None) in (None, np.dtype(object)):
        return any(np.ndim(weights) for weights in sample_weight)
    return np.ndim(sample_weight) > 1


def _weights_of_one(i: int, weights: Any, n_frames: int) -> np.ndarray:
    """Check the weights of the frames of one sequence, which may all be zero."""
    name = f"sample_weight[{i}]"
    if np.shape(weights) != (n_frames,):
        found = f"the shape {np.shape(weights)}"
        if np.ndim(weights) == 1:
            found = counted(len(weights), "weight")
        raise ValueError(
            f"{name} has {found} for {counted(n_frames, 'frame')}. Each sequence must "
            "have one weight per frame, or each one weight."
        )
    try:
        weights = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold numbers. Got {weights!r}.") from error
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise ValueError(
            "Weights of frames must be finite and not negative. "
            f"{name}[{bad[0]}] is {weights[bad[0]]}."
        )
    return weights


def _collapse(sequence: Any) -> list[Any]:
    """The label of each run of equal neighbors."""
    return [label for label, _ in groupby(sequence)]
