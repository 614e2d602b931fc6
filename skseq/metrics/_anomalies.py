"""Counts right and false alarms, point by point and event by event.

One count is the core; every measure reads its fields. Knows nothing of estimators, of
scores or of where to put a threshold.
"""

from dataclasses import astuple, dataclass
from itertools import starmap
from typing import Any

import numpy as np
from sklearn.metrics import make_scorer
from sklearn.utils import check_consistent_length

from skseq._data.collections import as_collection
from skseq._data.outliers import anomaly_flags
from skseq._wording import counted


@dataclass(frozen=True)
class AlarmCounts:
    """How the points and events of a detector agree with the true ones.

    Returned by :func:`count_alarms`. An event is a run of neighbouring points that are
    all anomalous; an alarm is a run of neighbouring points that are all flagged.

    Attributes
    ----------
    hits, misses : int
        Number of anomalous points that are flagged, and that are not.
    false_alarms, correct_rejections : int
        Number of normal points that are flagged, and that are not.
    detected_events, missed_events : int
        Number of events with a flagged point, and without one.
    false_events : int
        Number of alarms that touch no event.
    """

    hits: int
    misses: int
    false_alarms: int
    correct_rejections: int
    detected_events: int
    missed_events: int
    false_events: int


def count_alarms(y_true, y_pred):
    """Count right and false alarms, by points and by events.

    Parameters
    ----------
    y_true : array-like of shape (n_points,) or collection of them
        The truth, for one series or for several: 1 for a normal point, -1 for an
        anomaly, as in scikit-learn's outlier detectors; or booleans, True for an
        anomaly. Integers 0 and 1 are refused, since 1 could mean either.
    y_pred : array-like of shape (n_points,) or collection of them
        The predictions, in either form.

    Returns
    -------
    counts : AlarmCounts
        Totals over all series. No event runs from one series into the next.

    Raises
    ------
    TypeError
        If `y_true` or `y_pred` is not a collection.
    ValueError
        If there is another label, there are no points, or the numbers of true labels
        and predictions of a series differ.

    Notes
    -----
    Events are counted as in [1]_: one flagged point detects the whole event, several
    alarms within one event detect it once, and each alarm outside all events is false.

    References
    ----------
    .. [1] K. Hundman, V. Constantinou, C. Laporte, I. Colwell and T. Soderstrom,
       "Detecting spacecraft anomalies using LSTMs and nonparametric dynamic
       thresholding", KDD 2018.

    Examples
    --------
    >>> from skseq.metrics import count_alarms
    >>> count_alarms([1, 1, -1, -1, -1, 1, 1], [1, 1, 1, -1, -1, 1, -1])
    AlarmCounts(hits=2, misses=1, false_alarms=1, correct_rejections=3, \
detected_events=1, missed_events=0, false_events=1)
    """
    pairs = _check_pairs(y_true, y_pred)
    totals = np.sum([astuple(counts) for counts in starmap(_count, pairs)], axis=0)
    return AlarmCounts(*totals.tolist())


def false_alarm_rate(y_true, y_pred):
    """False alarm rate: the share of normal points that are flagged.

    Parameters
    ----------
    y_true : array-like of shape (n_points,) or collection of them
        The truth, for one series or for several: 1 for a normal point, -1 for an
        anomaly; or booleans, True for an anomaly.
    y_pred : array-like of shape (n_points,) or collection of them
        The predictions, in either form.

    Returns
    -------
    rate : float
        Between 0 and 1; 0 is best. Over all points of all series together; 0.0 if none
        of them is normal.

    Raises
    ------
    TypeError, ValueError
        If the labels cannot be compared; see :func:`count_alarms`.

    See Also
    --------
    missed_alarm_rate : The share of anomalous points that are not flagged.

    Examples
    --------
    >>> from skseq.metrics import false_alarm_rate
    >>> false_alarm_rate([1, 1, 1, 1, -1], [1, -1, 1, 1, -1])
    0.25
    """
    counts = count_alarms(y_true, y_pred)
    return counts.false_alarms / (counts.false_alarms + counts.correct_rejections or 1)


def missed_alarm_rate(y_true, y_pred):
    """Missed alarm rate: the share of anomalous points that are not flagged.

    One minus the recall of anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_points,) or collection of them
        The truth, for one series or for several: 1 for a normal point, -1 for an
        anomaly; or booleans, True for an anomaly.
    y_pred : array-like of shape (n_points,) or collection of them
        The predictions, in either form.

    Returns
    -------
    rate : float
        Between 0 and 1; 0 is best. Over all points of all series together; 0.0 if none
        of them is anomalous.

    Raises
    ------
    TypeError, ValueError
        If the labels cannot be compared; see :func:`count_alarms`.

    See Also
    --------
    false_alarm_rate : The share of normal points that are flagged.

    Examples
    --------
    >>> from skseq.metrics import missed_alarm_rate
    >>> missed_alarm_rate([1, -1, -1, -1, -1], [1, -1, -1, -1, 1])
    0.25
    """
    counts = count_alarms(y_true, y_pred)
    return counts.misses / (counts.misses + counts.hits or 1)


def anomaly_f1(y_true, y_pred):
    """F1 score of the anomalous points.

    The harmonic mean of the share of flagged points that are anomalous, and the share
    of anomalous points that are flagged.

    Parameters
    ----------
    y_true : array-like of shape (n_points,) or collection of them
        The truth, for one series or for several: 1 for a normal point, -1 for an
        anomaly; or booleans, True for an anomaly. A point may also be a whole sequence,
        since outlier detectors predict one label per sequence.
    y_pred : array-like of shape (n_points,) or collection of them
        The predictions, in either form.

    Returns
    -------
    f1 : float
        Between 0 and 1; 1 is best. Over all points of all series together; 1.0 if there
        is no anomaly and none is flagged.

    Raises
    ------
    TypeError, ValueError
        If the labels cannot be compared; see :func:`count_alarms`.

    See Also
    --------
    event_f1 : The same for events, each of which counts once.

    Notes
    -----
    The score depends on how common anomalies are: flagging every point already gives
    0.67 where half of the points are anomalous.

    Examples
    --------
    >>> from skseq.metrics import anomaly_f1
    >>> anomaly_f1([1, 1, -1, -1, -1], [1, -1, 1, -1, -1]) == 2 / 3
    True
    """
    counts = count_alarms(y_true, y_pred)
    return _f1(counts.hits, counts.misses, counts.false_alarms)


def event_f1(y_true, y_pred):
    """F1 score of the events, runs of neighbouring anomalous points.

    An event is detected if any of its points is flagged, and a run of flagged points is
    a false alarm if it touches no event.

    Parameters
    ----------
    y_true : array-like of shape (n_points,) or collection of them
        The truth, for one series or for several: 1 for a normal point, -1 for an
        anomaly; or booleans, True for an anomaly.
    y_pred : array-like of shape (n_points,) or collection of them
        The predictions, in either form.

    Returns
    -------
    f1 : float
        Between 0 and 1; 1 is best. Over the events of all series together; 1.0 if there
        is no event and no point is flagged.

    Raises
    ------
    TypeError, ValueError
        If the labels cannot be compared; see :func:`count_alarms`.

    See Also
    --------
    anomaly_f1 : The same for points.

    Notes
    -----
    The score ignores how long an alarm lasts: flagging every point gives 1.0 wherever
    there is an event. Report :func:`false_alarm_rate` as well.

    Examples
    --------
    >>> from skseq.metrics import event_f1
    >>> event_f1([1, -1, -1, -1, 1, 1, 1], [1, 1, -1, 1, 1, 1, -1]) == 2 / 3
    True
    """
    counts = count_alarms(y_true, y_pred)
    return _f1(counts.detected_events, counts.missed_events, counts.false_events)


# For `scoring=` of a search over outlier detectors, with one label per sample.
anomaly_f1_scorer = make_scorer(anomaly_f1)


def _count(y_true: np.ndarray, y_pred: np.ndarray) -> AlarmCounts:
    """Count within one series of booleans."""
    is_detected = _touched(y_true, y_pred)
    return AlarmCounts(
        hits=np.count_nonzero(y_true & y_pred),
        misses=np.count_nonzero(y_true & ~y_pred),
        false_alarms=np.count_nonzero(~y_true & y_pred),
        correct_rejections=np.count_nonzero(~y_true & ~y_pred),
        detected_events=np.count_nonzero(is_detected),
        missed_events=np.count_nonzero(~is_detected),
        false_events=np.count_nonzero(~_touched(y_pred, y_true)),
    )


def _touched(flags: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Say for each run of True in `flags` whether any of `others` is True in it."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    n_before = np.append(0, np.cumsum(others))  # (n_points + 1,)
    return n_before[edges[1::2]] > n_before[edges[::2]]


def _f1(hits: int, misses: int, false_alarms: int) -> float:
    n_wrong = misses + false_alarms
    return 2 * hits / (2 * hits + n_wrong) if hits or n_wrong else 1.0


def _check_pairs(y_true: Any, y_pred: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Turn both sides into booleans, and put each series beside its predictions."""
    true, pred = _check_series(y_true, "y_true"), _check_series(y_pred, "y_pred")
    check_consistent_length([*true.values()], [*pred.values()])
    pairs = list(zip(true.items(), pred.items(), strict=True))
    for (true_name, truth), (pred_name, prediction) in pairs:
        if len(truth) != len(prediction):
            raise ValueError(
                f"{pred_name} must have one label per point of {true_name}, "
                f"{counted(len(truth), 'label')} in all. Got {len(prediction)} instead."
            )
    if not any(map(len, true.values())):
        raise ValueError("y_true and y_pred must hold at least one point. Got 0.")
    return [(truth, prediction) for (_, truth), (_, prediction) in pairs]


def _check_series(y: Any, name: str) -> dict[str, np.ndarray]:
    """Return the booleans of each series by the name of the series."""
    y = as_collection(y, name, "labels")
    y = np.atleast_1d(y) if hasattr(y, "shape") else y
    if len(y) == 0 or np.ndim(y[0]) == 0:
        return {name: anomaly_flags(y, name)}
    named = {f"{name}[{i}]": labels for i, labels in enumerate(y)}
    return {name: anomaly_flags(labels, name) for name, labels in named.items()}
