"""Windows span no gap in the times of a table, and points keep these times."""

import warnings
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skseq
from skseq import LSTMAutoencoder
from skseq.preprocessing import SlidingWindows

START = pd.Timestamp("2026-03-01 08:00")


def frame_at(minutes, start=START):
    """A table that counts its rows, with one row for each of some minutes."""
    index = start + pd.to_timedelta(np.asarray(minutes, dtype=float), unit="min")
    return pd.DataFrame({"n": np.arange(len(index), dtype=float)}, index=index)


def stretches_by_definition(minutes, longest):
    """The rows between gaps, from the steps between neighbors."""
    stretches = [[0]]
    for row in range(1, len(minutes)):
        if minutes[row] - minutes[row - 1] > longest:
            stretches.append([])
        stretches[-1].append(row)
    return stretches


def windows_by_definition(minutes, length, stride, remainder, longest):
    """The rows of each window, one after another."""
    found = []
    for rows in stretches_by_definition(minutes, longest):
        start = 0
        while start + length <= len(rows):
            found.append(rows[start : start + length])
            start += stride
        held = {row for window in found for row in window}
        if remainder == "cover" and len(rows) >= length and rows[-1] not in held:
            found.append(rows[-length:])
    return found


MINUTES = {
    "no gap": [0, 1, 2, 3, 4, 5, 6],
    "a gap": [0, 1, 2, 3, 60, 61, 62, 63, 64],
    "short stretch first": [0, 1, 60, 61, 62, 63, 64],
    "short stretch between": [0, 1, 2, 3, 60, 120, 121, 122, 123],
    "short stretches last": [0, 1, 2, 3, 60, 120],
    "steps as long as allowed": [0, 2, 4, 6, 8.5, 10.5, 12.5, 14.5],
    "times twice": [0, 0, 1, 1, 2, 60, 60, 60, 61],
}
GRID = [
    (name, length, stride)
    for name in MINUTES
    for length in (1, 2, 3)
    for stride in (1, 2, 3)
]


@pytest.mark.parametrize("remainder", ["cover", "drop"])
@pytest.mark.parametrize(("name", "length", "stride"), GRID)
def test_windows_are_those_whose_rows_have_no_gap_between_them(
    name, length, stride, remainder
):
    minutes = MINUTES[name]
    windows = SlidingWindows(
        length, stride=stride, remainder=remainder, max_gap="2min"
    ).transform(frame_at(minutes))
    expected = windows_by_definition(minutes, length, stride, remainder, 2)
    assert windows[..., 0].astype(int).tolist() == expected


@pytest.mark.parametrize("combine", ["mean", "min", "max"])
@pytest.mark.parametrize(("name", "length", "stride"), GRID)
def test_a_point_has_the_score_of_the_windows_that_hold_it_or_none(
    name, length, stride, combine
):
    minutes, frame = MINUTES[name], frame_at(MINUTES[name])
    slider = SlidingWindows(length, stride=stride, max_gap="2min")
    found = windows_by_definition(minutes, length, stride, "cover", 2)
    scores = np.random.default_rng(0).normal(size=len(found))
    points = slider.to_points(scores, frame, combine=combine)
    assert points.index.equals(frame.index)
    for rows in stretches_by_definition(minutes, 2):
        for row in rows:
            holders = [i for i, window in enumerate(found) if row in window]
            if len(rows) < length:
                expected = np.nan
            elif holders:
                expected = getattr(np, combine)(scores[holders])
            else:  # a stride that is longer than a window leaves frames out
                expected = scores[max(i for i, w in enumerate(found) if w[0] <= row)]
            np.testing.assert_allclose(points.iloc[row], expected)


@pytest.mark.parametrize(("combine", "expected"), [("all", False), ("any", True)])
def test_labels_of_rows_that_no_window_holds_are_missing(combine, expected):
    frame = frame_at([0, 60, 61, 62, 120])
    slider = SlidingWindows(2, max_gap="2min")
    flags = slider.to_points([True, False], frame, combine=combine)
    assert flags.isna().tolist() == [True, False, False, False, True]
    assert flags.iloc[1:4].tolist() == [True, expected, False]
    labels = slider.to_points(np.array([-1, 1]), frame, combine=combine)
    assert labels.isna().tolist() == flags.isna().tolist()
    assert labels.iloc[1:4].tolist() == [-1, -1 if expected else 1, 1]
    assert frame[flags.fillna(False)].n.tolist() == ([1, 2] if expected else [1])


def test_labels_keep_their_plain_type_where_every_row_has_one():
    frame = frame_at([0, 1, 60, 61])
    slider = SlidingWindows(2, max_gap="2min")
    for values, dtype in (([True, False], bool), (np.array([1, -1]), int)):
        assert slider.to_points(values, frame, combine="any").dtype == dtype


INDICES = {
    "dates": (lambda minutes: START + minutes, "2min"),
    "dates of a zone": (lambda minutes: START.tz_localize("Asia/Tokyo") + minutes, 120),
    "periods": (lambda minutes: (START + minutes).to_period("min"), "2min"),
    "durations": (lambda minutes: minutes, "2min"),
    "numbers": (lambda minutes: minutes.total_seconds(), 120.0),
    "integers": (lambda minutes: minutes.total_seconds().astype(int), 120),
}


@pytest.mark.parametrize("kind", INDICES)
def test_an_index_of_any_times_or_numbers_tells_the_gaps(kind):
    frame = frame_at(MINUTES["a gap"])
    index, max_gap = INDICES[kind]
    expected = SlidingWindows(3, max_gap="2min").transform(frame)
    frame.index = index(frame.index - START)
    if kind == "dates of a zone":
        max_gap = pd.Timedelta(seconds=max_gap)
    found = SlidingWindows(3, max_gap=max_gap).transform(frame)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "max_gap",
    ["2min", "120s", "0 days 00:02:00", timedelta(minutes=2), np.timedelta64(2, "m")],
)
def test_a_duration_may_be_written_in_any_way(max_gap):
    frame = frame_at(MINUTES["a gap"])
    expected = SlidingWindows(3, max_gap=pd.Timedelta("2min")).transform(frame)
    found = SlidingWindows(3, max_gap=max_gap).transform(frame)
    np.testing.assert_array_equal(found, expected)


def test_rows_that_were_dropped_part_a_series_whose_index_counts_them():
    frame = pd.DataFrame({"n": [0.0, 1, np.nan, 3, 4, 5]})
    slider = SlidingWindows(2, max_gap=1)
    windows = slider.transform(frame.dropna())
    assert windows[..., 0].tolist() == [[0, 1], [3, 4], [4, 5]]
    points = slider.to_points([7.0, 1.0, 3.0], frame.dropna()).reindex(frame.index)
    np.testing.assert_array_equal(points, [7, 7, np.nan, 1, 2, 3])


def test_a_clock_that_is_put_forward_is_not_a_gap_where_times_have_a_zone():
    index = pd.date_range("2026-03-29", periods=6, freq="30min", tz="Europe/Berlin")
    frame = pd.DataFrame({"n": range(6)}, index=index)
    assert {stamp.hour for stamp in index} == {0, 1, 3}
    assert len(SlidingWindows(6, max_gap="30min").transform(frame)) == 1


def test_several_tables_keep_their_gaps_and_their_indices():
    frames = [frame_at(MINUTES["a gap"]), frame_at([5, 6, 7, 90])]
    slider = SlidingWindows(3, max_gap="2min")
    expected = np.concatenate([slider.transform(frame) for frame in frames])
    for X in (frames, pd.Series(frames, index=["b", "a"])):
        np.testing.assert_array_equal(slider.transform(X), expected)
        points = slider.to_points(np.arange(6.0), X)
        assert points.shape == (2,)
        for series, frame in zip(points, frames, strict=True):
            assert series.index.equals(frame.index)
    assert np.isnan(points[1].iloc[-1])


def test_a_table_without_max_gap_gives_points_of_its_index_too():
    frame = frame_at(range(5))
    points = SlidingWindows(2).to_points([1.0, 2, 3, 4], frame)
    pd.testing.assert_series_equal(
        points, pd.Series([1, 1.5, 2.5, 3.5, 4], index=frame.index)
    )
    [several] = SlidingWindows(2).to_points([1.0, 2, 3, 4], [frame])
    pd.testing.assert_series_equal(several, points)


def test_a_pipeline_that_keeps_tables_keeps_their_gaps():
    frame = frame_at([*range(30), *range(500, 530), 900])
    pipeline = make_pipeline(
        StandardScaler(),
        SlidingWindows(5, max_gap="2min"),
        LSTMAutoencoder(units=4, epochs=1, random_state=0),
    ).set_output(transform="pandas")
    scores = pipeline.fit(frame).score_samples(frame)
    assert scores.shape == (52,)
    points = pipeline[1].to_points(scores, frame)
    assert points.index.equals(frame.index)
    assert points.isna().to_numpy().nonzero()[0].tolist() == [60]


@pytest.mark.parametrize("max_gap", ["2min", 1.5, float("inf")])
def test_a_gap_is_kept_by_clones_and_files(tmp_path, max_gap):
    slider = SlidingWindows(2, max_gap=max_gap)
    assert clone(slider).max_gap == max_gap
    coder = LSTMAutoencoder(units=4, epochs=1, random_state=0)
    pipeline = make_pipeline(clone(slider), coder)
    frame = frame_at(range(9))
    if not isinstance(max_gap, str):
        frame = frame.reset_index(drop=True)
    skseq.save(pipeline.fit(frame), tmp_path / "p.skseq")
    assert skseq.load(tmp_path / "p.skseq")[0].max_gap == max_gap


# Warnings and bad input


def test_a_leap_of_times_is_warned_of_where_no_gap_is_set():
    frame = frame_at(MINUTES["a gap"])
    message = r"leap once, by up to 57min where 1min is usual.* max_gap='2min', or"
    with pytest.warns(UserWarning, match=message):
        SlidingWindows(3).transform(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SlidingWindows(3, max_gap=float("inf")).transform(frame)
        SlidingWindows(3, max_gap="2min").transform(frame)
        SlidingWindows(3).transform(frame.reset_index(drop=True))
        SlidingWindows(3).transform(frame_at([0, 1, 3, 4, 9, 10, 11]))
        SlidingWindows(3).transform(frame_at([0, 0, 0, 60]))


@pytest.mark.parametrize(
    ("usual", "longest", "message"),
    [
        (1, 41, r"leap once, by up to 41s where 1s .* max_gap='2s'"),
        (90, 5400, r"by up to 90min where 90s is .* max_gap='3min'"),
        (0.1, 86400 * 30, r"by up to 30D where 100ms is .* max_gap='200ms'"),
        (10 / 3, 12317.5, r"by up to 3\.42h where 3\.33s is .* max_gap='6\.67s'"),
    ],
)
def test_durations_are_written_as_one_would(usual, longest, message):
    seconds = np.cumsum([0, usual, usual, usual, longest, usual])
    with pytest.warns(UserWarning, match=message):
        SlidingWindows(3).transform(frame_at(seconds / 60))


def test_several_leaps_are_counted():
    with pytest.warns(UserWarning, match="leap 2 times, by up to 1h where"):
        SlidingWindows(3).transform(frame_at([0, 1, 2, 30, 31, 32, 92, 93]))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((9, 1)), TypeError, r"X to be a DataFrame .* Got ndarray .*set_out"),
        ([np.zeros((9, 1))] * 2, TypeError, r"X\[0\] to be a DataFrame .* Got ndarray"),
        (frame_at(range(9)).set_axis(list("abcdefghi")), TypeError, "to_datetime if"),
        (frame_at(range(9))[::-1], ValueError, r"row 1 \(.*08:07.*\) is before row 0"),
        (frame_at([0, 1, np.nan]), ValueError, "has no time in row 2"),
        (frame_at([0, 9, 18, 27]), ValueError, "4 stretches, the longest of 1 frame,"),
        (frame_at([0, 1]), ValueError, "Series 0 has 2 frames, fewer than a window"),
    ],
)
def test_tables_that_do_not_tell_their_gaps_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        SlidingWindows(3, max_gap="2min").transform(X)


@pytest.mark.parametrize("X", [9, [9, 9]])
def test_lengths_do_not_tell_gaps(X):
    with pytest.raises(TypeError, match="does not tell where the gaps are"):
        SlidingWindows(3, max_gap="2min").to_points(np.zeros(7), X)


@pytest.mark.parametrize(
    ("max_gap", "error", "message"),
    [
        (60, TypeError, "max_gap=60 has no unit, .* max_gap='60s' for seconds"),
        ("60", TypeError, "max_gap='60' has no unit"),
        ("five minutes", ValueError, "max_gap='five minutes' is not a duration"),
        ("NaT", ValueError, "max_gap='NaT' must be longer than zero"),
        ("-5min", ValueError, "max_gap='-5min' must be longer than zero"),
        (0, ValueError, r"'max_gap' parameter of SlidingWindows must be None, a dur"),
        (np.nan, ValueError, r"must be None, a duration, .*float in the range \(0"),
        (True, ValueError, "Got True instead"),
        ([5], ValueError, r"Got \[5\] instead"),
    ],
)
def test_a_gap_that_is_not_a_duration_is_refused(max_gap, error, message):
    with pytest.raises(error, match=message):
        SlidingWindows(3, max_gap=max_gap).transform(frame_at(range(9)))


def test_a_duration_does_not_part_numbers():
    frame = frame_at(range(9)).set_axis(range(0, 90, 10))
    with pytest.raises(TypeError, match=r"is a duration, but .* numbers \(int64\)"):
        SlidingWindows(3, max_gap="2min").transform(frame)
    counted = frame.reset_index(drop=True)
    with pytest.raises(TypeError, match=r"X has no times: its rows .*set_index"):
        SlidingWindows(3, max_gap="2min").transform(counted)
