"""Alarms are counted as scikit-learn counts points, and as one counts runs by hand."""

import dataclasses
import pickle
from itertools import groupby

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor

from skseq.metrics import (
    anomaly_f1,
    anomaly_f1_scorer,
    count_alarms,
    event_f1,
    false_alarm_rate,
    missed_alarm_rate,
)

MEASURES = [anomaly_f1, event_f1, false_alarm_rate, missed_alarm_rate]


def labels_of(text):
    """Turn "..##." into labels: # is an anomaly."""
    return np.array([-1 if sign == "#" else 1 for sign in text])


def runs_of(labels):
    """The sets of points of all runs of -1."""
    runs = groupby(range(len(labels)), key=lambda point: labels[point])
    return [set(points) for label, points in runs if label == -1]


@pytest.fixture
def series():
    """True and predicted labels of 30 series of 0 to 39 points, in blocks."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 40, size=30)
    return [
        [np.where(np.repeat(rng.random(n), 3)[:n] < 0.3, -1, 1) for n in lengths]
        for _ in range(2)
    ]


def test_points_of_all_series_are_counted_as_scikit_learn_counts_them(series):
    y_true, y_pred = map(np.concatenate, series)
    hits, misses, false_alarms, rejections = confusion_matrix(
        y_true, y_pred, labels=[-1, 1]
    ).ravel()
    counts = count_alarms(*series)
    assert (counts.hits, counts.misses) == (hits, misses)
    assert (counts.false_alarms, counts.correct_rejections) == (
        false_alarms,
        rejections,
    )
    assert anomaly_f1(*series) == pytest.approx(f1_score(y_true, y_pred, pos_label=-1))
    recall = recall_score(y_true, y_pred, pos_label=-1)
    assert missed_alarm_rate(*series) == pytest.approx(1 - recall)
    specificity = recall_score(y_true, y_pred, pos_label=1)
    assert false_alarm_rate(*series) == pytest.approx(1 - specificity)


def test_events_of_all_series_are_counted_as_overlapping_sets(series):
    detected = missed = false = 0
    for y_true, y_pred in zip(*series, strict=True):
        events, alarms = runs_of(y_true), runs_of(y_pred)
        touched = [any(event & alarm for alarm in alarms) for event in events]
        detected += sum(touched)
        missed += len(touched) - sum(touched)
        false += sum(not any(alarm & event for event in events) for alarm in alarms)
    counts = count_alarms(*series)
    found = (counts.detected_events, counts.missed_events, counts.false_events)
    assert found == (detected, missed, false)
    assert min(found) > 5
    recall, precision = detected / (detected + missed), detected / (detected + false)
    expected = 2 * recall * precision / (recall + precision)
    assert event_f1(*series) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("truth", "prediction", "by_points", "by_events"),
    [
        ("..####..", "..####..", 1.0, 1.0),
        ("..####..", ".....#..", 2 / 5, 1.0),
        ("..####..", "..#.#.#.", 4 / 7, 2 / 3),
        ("..####..", "########", 2 / 3, 1.0),
        ("..##.##.", "...###..", 4 / 7, 1.0),
        ("#......#", "#.......", 2 / 3, 2 / 3),
        ("..####..", "##......", 0.0, 0.0),
        ("..####..", "........", 0.0, 0.0),
        ("........", "..#.....", 0.0, 0.0),
        ("........", "........", 1.0, 1.0),
        ("########", "########", 1.0, 1.0),
    ],
)
def test_f1_by_hand(truth, prediction, by_points, by_events):
    y_true, y_pred = labels_of(truth), labels_of(prediction)
    assert anomaly_f1(y_true, y_pred) == pytest.approx(by_points)
    assert event_f1(y_true, y_pred) == pytest.approx(by_events)


@pytest.mark.parametrize(
    ("truth", "prediction", "false_alarms", "missed_alarms"),
    [
        ("####", "##..", 0.0, 1 / 2),
        ("....", "##..", 1 / 2, 0.0),
        ("..##", "####", 1.0, 0.0),
        ("..##", "....", 0.0, 1.0),
        ("..##", "##..", 1.0, 1.0),
    ],
)
def test_rates_by_hand(truth, prediction, false_alarms, missed_alarms):
    y_true, y_pred = labels_of(truth), labels_of(prediction)
    assert false_alarm_rate(y_true, y_pred) == false_alarms
    assert missed_alarm_rate(y_true, y_pred) == missed_alarms


def test_no_event_runs_from_one_series_into_the_next():
    apart = [labels_of("..##"), labels_of("##..")]
    flagged = [labels_of("..##"), labels_of("....")]
    assert count_alarms(apart, flagged).missed_events == 1
    joined = count_alarms(np.concatenate(apart), np.concatenate(flagged))
    assert (joined.detected_events, joined.missed_events) == (1, 0)


@pytest.mark.parametrize("measure", MEASURES)
def test_measure_is_a_float(measure, series):
    assert type(measure(*series)) is float


def test_points_weigh_alike_whatever_the_length_of_their_series():
    y_true = [labels_of("#"), labels_of("#########")]
    y_pred = [labels_of("."), labels_of("#########")]
    assert missed_alarm_rate(y_true, y_pred) == 1 / 10


FORMS = {
    "labels": lambda y: y,
    "list": lambda y: y.tolist(),
    "tuple": lambda y: tuple(y.tolist()),
    "booleans": lambda y: y == -1,
    "list of booleans": lambda y: (y == -1).tolist(),
    "int8": lambda y: y.astype(np.int8),
    "floats": lambda y: y.astype(float),
    "objects": lambda y: y.astype(object),
    "Series": lambda y: pd.Series(y, index=range(5, 5 + len(y))),
    "Series of booleans": lambda y: pd.Series(y == -1),
    "list of one": lambda y: [y],
    "2-D array": lambda y: y[np.newaxis],
    "DataFrame of one row": lambda y: pd.DataFrame([y]),
    "two series": lambda y: [y[:6], y[6:].tolist()],
}


@pytest.mark.parametrize("form", FORMS)
def test_labels_may_come_in_any_form(form):
    y_true, y_pred = labels_of("...##..#"), labels_of("..##...#")
    expected = count_alarms(y_true, y_pred)
    assert count_alarms(*map(FORMS[form], (y_true, y_pred))) == expected


def test_booleans_are_compared_with_labels():
    y_true, y_pred = labels_of("...##..#"), labels_of("..##...#")
    assert count_alarms(y_true == -1, y_pred) == count_alarms(y_true, y_pred)
    assert count_alarms(y_true, y_pred == -1) == count_alarms(y_true, y_pred)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ([1, 0], [1, 1], ValueError, r"y_true must hold 1 .* Got y_true\[1\] = 0 "),
        ([1, 1], [0, 0], ValueError, r"Got y_pred\[0\] = 0 instead.* \.astype\(bool\)"),
        ([1, np.nan], [1, 1], ValueError, r"Got y_true\[1\] = nan"),
        ([1, None], [1, 1], ValueError, r"Got y_true\[1\] = None"),
        (["1", "-1"], [1, -1], ValueError, r"Got y_true\[0\] = '1'"),
        ([[1], [1, 2]], [[1], [1, 1]], ValueError, r"Got y_true\[1\]\[1\] = 2"),
        ([[[1]], [[1]]], [[1], [1]], ValueError, r"y_true\[0\] must be one-dim"),
        (
            [1, 1],
            [1],
            ValueError,
            r"y_pred must have one .* of y_true, 2 labels in all. Got 1",
        ),
        (
            [[1], [1]],
            [[1], [1, 1]],
            ValueError,
            r"y_pred\[1\] .* of y_true\[1\], 1 label in all",
        ),
        ([[1], [1]], [[1]], ValueError, r"inconsistent numbers of samples: \[2, 1\]"),
        ([1, 1], [[1, 1], [1]], ValueError, r"inconsistent numbers of samples"),
        ([], [], ValueError, "at least one point. Got 0"),
        ([[], []], [[], []], ValueError, "at least one point. Got 0"),
        ("##", [1, 1], TypeError, "y_true must be a collection of labels"),
        ([1, 1], None, TypeError, "y_pred must have a length"),
        ([1], 1, TypeError, "y_pred must be a collection of labels, got 1"),
        ([1], {1: 1}, TypeError, "y_pred must be an ordered collection"),
    ],
)
@pytest.mark.parametrize("measure", MEASURES)
def test_labels_that_cannot_be_compared_are_refused(
    measure, y_true, y_pred, error, message
):
    with pytest.raises(error, match=message):
        measure(y_true, y_pred)


def test_scorer_finds_the_detector_that_finds_the_outliers():
    rng = np.random.default_rng(0)
    y = np.where(np.arange(100) % 10 == 0, -1, 1)
    X = rng.normal(size=(100, 2)) + 20 * (y == -1)[:, np.newaxis] * rng.normal(
        size=(100, 2)
    )
    search = GridSearchCV(
        LocalOutlierFactor(novelty=True),
        {"contamination": [0.5, 0.1, 0.01]},
        scoring=anomaly_f1_scorer,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"contamination": 0.1}
    y_pred = search.predict(X)
    precision, recall = (
        score(y, y_pred, pos_label=-1) for score in (precision_score, recall_score)
    )
    expected = 2 * precision * recall / (precision + recall)
    assert pickle.loads(pickle.dumps(anomaly_f1_scorer))(search, X, y) == pytest.approx(
        expected
    )


def test_counts_are_frozen_whole_numbers(series):
    counts = count_alarms(*series)
    assert all(type(count) is int for count in dataclasses.astuple(counts))
    with pytest.raises(dataclasses.FrozenInstanceError):
        counts.hits = 0
