import re
import warnings
from datetime import UTC, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skseq import LSTMAutoencoder
from skseq.inspection import ReconstructionDisplay, SeriesDisplay
from skseq.inspection._points import MOST_POINTS, line_of, runs_of_flags
from skseq.preprocessing import SlidingWindows
from tests.inspection.test_displays import drawn_labels, touch

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")

N = 60
RNG = np.random.default_rng(0)
SERIES = np.sin(0.5 * np.arange(N)[:, np.newaxis] + [0.0, 1.0])
SERIES += 0.01 * RNG.normal(size=SERIES.shape)
SERIES[40:46] = 3.0
EVENTS = np.where((np.arange(N) >= 40) & (np.arange(N) < 46), -1, 1)
DATES = pd.date_range("2026-03-01 08:00", periods=N, freq="min")


@pytest.fixture(scope="module")
def pipeline():
    coder = LSTMAutoencoder(units=4, epochs=3, random_state=0)
    pipeline = make_pipeline(StandardScaler(), SlidingWindows(6), coder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.fit(SERIES[:36])


def shown(line):
    """Where a line runs, without its breaks."""
    x, y = line.get_data()
    return x[~np.isnan(y)], y[~np.isnan(y)]


def blocks(display):
    """Where blocks begin and end, by row."""
    found = {}
    for collection in display.axes_[-1].collections:
        for path in collection.get_paths():
            (left, bottom), (right, _) = path.vertices.min(0), path.vertices.max(0)
            found.setdefault(int(bottom), []).append((left, right))
    return found


# -- what is asked of a detector -------------------------------------------------------


@pytest.mark.parametrize("combine", ["all", "any"])
def test_alarms_are_those_of_the_windows_that_hold_a_point(pipeline, combine):
    display = SeriesDisplay.from_estimator(pipeline, SERIES, EVENTS, combine=combine)
    labels = pipeline.predict(SERIES)
    holders = [range(max(0, i - 5), min(i, N - 6) + 1) for i in range(N)]
    choose = all if combine == "all" else any
    expected = [choose(labels[w] == -1 for w in own) for own in holders]
    assert display.alarms.tolist() == expected
    assert any(expected)


def test_a_point_is_an_alarm_where_its_score_is_above_the_threshold(pipeline):
    for combine in "all", "any", "mean":
        display = SeriesDisplay.from_estimator(pipeline, SERIES, combine=combine)
        above = display.scores > display.threshold
        np.testing.assert_array_equal(display.alarms, above)
        assert display.threshold == -pipeline[-1].offset_


def test_the_mean_of_the_windows_scores_is_shown_if_it_is_asked_for(pipeline):
    display = SeriesDisplay.from_estimator(pipeline, SERIES, combine="mean")
    scores = -pipeline.score_samples(SERIES)
    expected = [scores[max(0, i - 5) : i + 1].mean() for i in range(N)]
    np.testing.assert_allclose(display.scores, expected, rtol=1e-5)


def test_windows_may_be_given_beside_a_detector_that_has_none(pipeline):
    scaled = pipeline[0].transform(SERIES)
    inside = SeriesDisplay.from_estimator(pipeline, SERIES)
    beside = SeriesDisplay.from_estimator(
        pipeline[-1], scaled, windows=SlidingWindows(6)
    )
    np.testing.assert_allclose(beside.scores, inside.scores, rtol=1e-6)


def test_a_search_is_asked_through_its_best_pipeline(pipeline):
    search = GridSearchCV(pipeline, {"lstmautoencoder__units": [4]})
    search.best_estimator_ = pipeline
    search.best_params_ = {}
    display = SeriesDisplay.from_estimator(search, SERIES)
    expected = SeriesDisplay.from_estimator(pipeline, SERIES)
    np.testing.assert_array_equal(display.scores, expected.scores)


def test_any_outlier_detector_of_windows_is_shown():
    flatten = FunctionTransformer(lambda windows: windows.reshape(len(windows), -1))
    forest = IsolationForest(n_estimators=5, random_state=0)
    detector = make_pipeline(SlidingWindows(4), flatten, forest).fit(SERIES)
    assert len(SeriesDisplay.from_estimator(detector, SERIES).scores) == N


def test_one_sensor_may_be_a_flat_array():
    coder = LSTMAutoencoder(units=2, epochs=1, random_state=0)
    windows = SlidingWindows(5)
    coder.fit(windows.transform(SERIES[:, :1]))
    flat, column = (
        SeriesDisplay.from_estimator(coder, X, windows=windows)
        for X in (SERIES[:, 0], SERIES[:, :1])
    )
    np.testing.assert_array_equal(flat.scores, column.scores)


def test_a_detector_without_windows_is_told_to_pass_them(pipeline):
    with pytest.raises(ValueError, match=r"Pass windows=SlidingWindows\(window_len"):
        SeriesDisplay.from_estimator(pipeline[-1], SERIES)
    with pytest.raises(ValueError, match="Leave windows=None"):
        SeriesDisplay.from_estimator(pipeline, SERIES, windows=SlidingWindows(6))
    with pytest.raises(TypeError, match="must be a SlidingWindows"):
        SeriesDisplay.from_estimator(pipeline[-1], SERIES, windows=6)


def test_steps_that_drop_frames_before_the_windows_are_refused():
    coder = LSTMAutoencoder(units=2, epochs=1, random_state=0)
    drop = FunctionTransformer(lambda series: series[1:])
    detector = make_pipeline(drop, SlidingWindows(5), coder).fit(SERIES)
    with pytest.raises(ValueError, match=r"Of 60 frames they leave 59"):
        SeriesDisplay.from_estimator(detector, SERIES)


# -- what is drawn ---------------------------------------------------------------------


def test_events_and_alarms_are_blocks_around_their_points():
    flags = np.zeros(10, dtype=bool)
    flags[[2, 3, 9]] = True
    display = SeriesDisplay.from_predictions(
        np.arange(10.0), alarms=~flags, events=flags, times=100 + 2 * np.arange(10)
    )
    found = blocks(display)
    assert found[0] == [(103, 107), (117, 119)]
    assert found[1] == [(99, 103), (107, 117)]
    assert display.events_ == [(2, 4), (9, 10)]


def test_alarms_are_what_is_above_the_threshold_unless_they_are_given():
    scores = np.array([0.0, 2.0, np.nan, 1.0, 3.0])
    display = SeriesDisplay(np.ones(5), scores, threshold=1.0).plot()
    assert display.alarms_ == [(1, 2), (4, 5)]
    given = SeriesDisplay(np.ones(5), scores, threshold=1.0, alarms=[-1, 1, 1, 1, 1])
    assert given.plot().alarms_ == [(0, 1)]
    assert SeriesDisplay(np.ones(5), scores).plot().alarms_ is None


@pytest.mark.parametrize(
    ("events", "alarms", "verdict"),
    [
        ("0110011000", "0010000000", "1 of 2 events found, 0 false alarms"),
        ("0110000000", "1001000100", "0 of 1 event found, 3 false alarms"),
        ("0111110000", "0101010010", "1 of 1 event found, 1 false alarm"),
        ("0000000000", "0100000000", "0 of 0 events found, 1 false alarm"),
        ("0110000000", None, "1 event"),
        (None, "0101000000", "2 alarms"),
        (None, None, ""),
    ],
)
def test_the_title_counts_events_found_and_false_alarms(events, alarms, verdict):
    events, alarms = (
        None if text is None else np.array(list(text)) == "1"
        for text in (events, alarms)
    )
    display = SeriesDisplay(np.ones(10), events=events, alarms=alarms).plot()
    assert display.ax_.get_title() == verdict


def test_a_table_brings_its_names_and_dates():
    table = pd.DataFrame(SERIES, columns=["pressure", "flow"], index=DATES)
    display = SeriesDisplay(table, events=EVENTS).plot()
    assert [panel.get_ylabel() for panel in display.axes_[:2]] == ["pressure", "flow"]
    assert display.axes_[-1].get_xlabel() == "time"
    texts, boxes = drawn(display.axes_[-1].xaxis)
    assert "08:30" in texts
    assert not touch(boxes)


def drawn(axis):
    axis.get_figure().canvas.draw()
    return drawn_labels(axis)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_dates_are_shown_in_their_own_time_zone(zone):
    table = pd.DataFrame(SERIES, index=DATES.tz_localize(zone))
    display = SeriesDisplay(table).plot()
    assert display.axes_[-1].get_xlabel() == f"time ({zone})"
    axis = display.axes_[-1].xaxis
    assert "08:30" in drawn(axis)[0]
    assert axis.get_offset_text().get_text() == "2026-Mar-01"


def test_days_that_are_longer_or_shorter_are_ticked_where_clocks_say():
    # Clocks in Berlin are set from 2:00 to 3:00 on March 29.
    dates = pd.date_range("2026-03-29", periods=N, freq="10min", tz="Europe/Berlin")
    axis = SeriesDisplay(SERIES, times=dates).plot().axes_[-1].xaxis
    texts, _ = drawn(axis)
    places = axis.get_ticklocs()
    shown = plt.matplotlib.dates.num2date(places, tz=dates.tz)
    assert "04:00" in texts
    for text, place in zip(texts, shown, strict=True):
        assert text in (f"{place:%H:%M}", f"{place:%b-%d}")


def test_zones_without_a_name_are_called_by_what_clocks_show():
    def name_of(times):
        return SeriesDisplay(SERIES, times=times).plot().axes_[-1].get_xlabel()

    two_hours = timezone(timedelta(hours=2))
    assert name_of(DATES.tz_localize(two_hours)) == "time (UTC+02:00)"
    aware = [date.to_pydatetime().replace(tzinfo=two_hours) for date in DATES]
    assert name_of(aware) == "time (UTC+02:00)"
    several = [aware[0].astimezone(UTC), *aware[1:]]
    assert name_of(several) == "time (UTC)"


def test_messages_speak_of_times_in_their_zone():
    dates = DATES.tz_localize("Asia/Tokyo")
    with pytest.raises(ValueError, match=r"is 2026-03-01 08:57:00\+09:00, after"):
        SeriesDisplay(SERIES, times=dates[[0, -1, *range(1, N - 1)]][::-1]).plot()
    mixed = [*DATES[:-1], DATES[-1].tz_localize("UTC")]
    with pytest.raises(ValueError, match="all have a time zone, or none of them"):
        SeriesDisplay(SERIES, times=mixed).plot()


@pytest.mark.parametrize("shape", [(1, 3), (2, 2)])
def test_the_name_of_the_times_stays_off_the_date_beside_it(shape):
    _, grid = plt.subplots(*shape, figsize=(8, 6), layout="constrained")
    dates = pd.date_range("2025-12-31 22:50", periods=N, freq="17s", tz="UTC")
    display = SeriesDisplay(SERIES, times=dates).plot(np.ravel(grid)[1])
    axis = display.axes_[-1].xaxis
    _, boxes = drawn(axis)
    boxes += [
        axis.label.get_window_extent(),
        axis.get_offset_text().get_window_extent(),
    ]
    assert "2025-Dec-31" in axis.get_offset_text().get_text()
    assert not touch(boxes)


@pytest.mark.parametrize(
    ("times", "name"),
    [
        (0.1 * np.arange(N), "time"),
        (DATES.to_numpy(), "time"),
        (DATES - DATES[0], "time (s)"),
        (pd.period_range("2026-01", periods=N, freq="M"), "time"),
        ((DATES - DATES[0]).to_numpy(), "time (s)"),
        (list(DATES), "time"),
        (DATES.to_series(), "time"),
        (DATES.tz_localize("UTC").to_series(), "time (UTC)"),
        ([date.to_pydatetime() for date in DATES], "time"),
        (list(DATES.tz_localize("Asia/Tokyo")), "time (Asia/Tokyo)"),
        (None, "frame"),
    ],
)
def test_times_of_every_kind_name_the_axis(times, name):
    display = SeriesDisplay(SERIES, times=times).plot()
    assert display.axes_[-1].get_xlabel() == name
    display.figure_.canvas.draw()


def test_durations_are_seconds():
    display = SeriesDisplay(SERIES, times=DATES - DATES[0]).plot()
    assert shown(display.lines_[0])[0].tolist() == [60 * i for i in range(N)]


def test_no_line_runs_over_a_gap_or_what_is_missing():
    times = np.arange(8.0)
    times[5:] += 20
    values = np.arange(8.0)
    values[1] = np.nan
    line = SeriesDisplay(values, times=times).plot().lines_[0]
    pieces = np.split(line.get_ydata(), np.flatnonzero(np.isnan(line.get_ydata())))
    drawn = [piece[~np.isnan(piece)].tolist() for piece in pieces]
    assert [piece for piece in drawn if piece] == [[0], [2, 3, 4], [5, 6, 7]]


def test_of_a_very_long_series_no_peak_is_lost():
    values = RNG.normal(size=20 * MOST_POINTS)
    values[123_456] = 50.0
    values[7] = -50.0
    points, drawn = line_of(values, np.array([1000]))
    assert len(points) <= MOST_POINTS + 1
    assert {50.0, -50.0} <= set(drawn)
    is_known = ~np.isnan(drawn)
    np.testing.assert_array_equal(drawn[is_known], values[points[is_known]])
    assert np.isnan(drawn).sum() == 1
    assert (np.diff(points) >= 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_runs_are_those_that_counting_finds(seed):
    flags = np.random.default_rng(seed).random(30) > 0.5
    rebuilt = np.zeros(30, dtype=bool)
    runs = runs_of_flags(flags)
    for start, stop in runs:
        rebuilt[start:stop] = True
    np.testing.assert_array_equal(rebuilt, flags)
    ones = "".join("01"[flag] for flag in flags.tolist())
    assert len(runs) == len(re.findall("1+", ones))


def test_of_many_sensors_those_that_move_with_the_alarms_are_shown():
    values = RNG.normal(size=(N, 12))
    values[EVENTS == -1, 4:11] += 5.0
    display = SeriesDisplay(values, events=EVENTS).plot()
    assert set(range(4, 11)) < set(display.features_)
    assert "8 of 12 features" in display.axes_[-1].get_xlabel()
    assert SeriesDisplay(values).plot().features_ == list(range(8))
    assert SeriesDisplay(values).plot(features=["x11", 0]).features_ == [11, 0]


@pytest.mark.parametrize("size", [None, (5, 6)])
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))]
)
def test_panels_and_their_texts_do_not_overlap(size, seed):
    rng = np.random.default_rng(seed)
    names = [f"a rather long name of sensor {i}" for i in range(4)]
    display = SeriesDisplay(
        1000 * rng.normal(size=(N, 4)),
        np.exp(rng.normal(size=N)),
        threshold=2.0,
        events=EVENTS,
        times=DATES,
        feature_names=names,
    )
    ax = None
    if size:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    display.plot(ax).figure_.canvas.draw()
    assert not touch([panel.get_window_extent() for panel in display.axes_])
    assert not touch([p.yaxis.label.get_window_extent() for p in display.axes_[:-1]])
    for panel in display.axes_:
        assert not touch(drawn_labels(panel.yaxis)[1])
    assert not touch([b for p in display.axes_ for b in drawn_labels(p.yaxis)[1]])
    assert not touch(drawn_labels(display.axes_[-1].xaxis)[1])
    title = display.ax_.title.get_window_extent()
    assert title.x0 >= 0
    assert title.x1 <= display.figure_.bbox.x1
    legend = display.ax_.get_legend().get_window_extent()
    above = [*display.axes_, display.ax_.title]
    assert not any(legend.overlaps(other.get_window_extent()) for other in above)


@pytest.mark.parametrize(
    ("scores", "threshold", "scale"),
    [
        ([0.1, 50.0, 1.0], 0.5, "log"),
        ([0.1, 2.0, 1.0], 0.5, "linear"),
        ([-0.1, 200.0, 1.0], 0.5, "linear"),
        ([0.1, 50.0, 1.0], -1.0, "linear"),
        ([np.nan, np.nan, np.nan], 0.5, "linear"),
        (np.linspace(0.001, 1.0, 99), 0.9, "linear"),
        (np.geomspace(1e-9, 1.0, 99) ** 0.1, 0.9, "linear"),
        ([*np.linspace(0.01, 0.1, 96), 3.0, 9.0, 50.0], 0.2, "log"),
        ([*np.linspace(0.01, 0.1, 96), np.nan, np.nan, 50.0], None, "log"),
        (np.linspace(0.01, 0.1, 99), 50.0, "log"),
    ],
)
def test_scores_over_a_wide_range_are_shown_on_a_logarithmic_scale(
    scores, threshold, scale
):
    display = SeriesDisplay(np.ones(len(scores)), scores, threshold=threshold).plot()
    assert display.axes_[1].get_yscale() == scale


def test_uniform_scores_leave_the_threshold_below_the_upper_edge():
    scores = np.random.default_rng(0).uniform(size=200)
    display = SeriesDisplay(np.ones(200), scores, threshold=0.8).plot()
    panel = display.axes_[1]
    place = panel.transAxes.inverted().transform(panel.transData.transform([0, 0.8]))
    assert 0.6 < place[1] < 0.85


# -- what has an index -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["scores", "alarms", "events"])
def test_what_has_another_index_than_the_series_is_refused(name):
    table = pd.DataFrame(SERIES, index=DATES)
    values = pd.Series(np.ones(N), index=DATES)
    SeriesDisplay.from_predictions(table, **{name: values})
    same = values.set_axis(DATES.tz_localize("UTC").tz_convert("Asia/Tokyo"))
    utc = table.set_axis(DATES.tz_localize("UTC"))
    SeriesDisplay.from_predictions(utc, **{name: same})
    SeriesDisplay.from_predictions(table, **{name: values.to_numpy()})
    SeriesDisplay.from_predictions(SERIES, **{name: values[::-1]})
    message = (
        rf"{name} must have the index of the series.* row 0 it has 2026-03-01 08:59.*"
        rf"has 2026-03-01 08:00.*{name}\.reindex\(series\.index\).*to_numpy\(\)"
    )
    with pytest.raises(ValueError, match=message):
        SeriesDisplay.from_predictions(table, **{name: values[::-1]})
    with pytest.raises(ValueError, match="row 0 it has 0, and the series has 2026"):
        SeriesDisplay.from_predictions(table, **{name: values.reset_index(drop=True)})


def test_events_of_an_estimator_have_the_index_of_its_series(pipeline):
    table = pd.DataFrame(SERIES, index=DATES)
    events = pd.Series(EVENTS, index=DATES)
    display = SeriesDisplay.from_estimator(pipeline, table, events)
    assert display.events_ == [(40, 46)]
    with pytest.raises(ValueError, match=r"^y must have the index .*y\.reindex"):
        SeriesDisplay.from_estimator(pipeline, table, events[::-1])


# -- tables with gaps ------------------------------------------------------------------


@pytest.fixture(scope="module")
def parted():
    """A pipeline that parts windows at gaps, and a table with one."""
    dates = pd.date_range("2026-03-01", periods=N, freq="s")
    table = pd.DataFrame(SERIES, columns=["pressure", "flow"], index=dates)
    table = table.drop(dates[20:25])
    coder = LSTMAutoencoder(units=4, epochs=2, random_state=0)
    steps = make_pipeline(StandardScaler(), SlidingWindows(6, max_gap="2s"), coder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return steps.set_output(transform="pandas").fit(table), table


def test_tables_pass_a_pipeline_without_a_warning(parted):
    detector, table = parted
    fitted = SlidingWindows(6, max_gap="2s").fit(table.to_numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = SeriesDisplay.from_estimator(detector, table)
        scaled = detector[0].transform(table)
        beside = SeriesDisplay.from_estimator(detector[-1], scaled, windows=fitted)
    np.testing.assert_allclose(beside.scores, display.scores, rtol=1e-6)


def test_a_window_of_a_parted_series_is_shown_with_its_dates(parted):
    detector, table = parted
    display = ReconstructionDisplay.from_estimator(detector, table, sample=15)
    start, end = table.index[20], table.index[25]  # the first one after the gap
    assert display.name == f"window 15, {start} to {end}"


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_an_array_is_told_that_it_has_no_times(parted):
    detector, table = parted
    with pytest.raises(TypeError, match=r"X has no times.* pass the DataFrame") as info:
        SeriesDisplay.from_estimator(detector, table.to_numpy())
    assert "index of X" not in str(info.value)


# -- bad input -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scores": np.ones(5)}, "one score per frame of the series, 60 scores"),
        ({"scores": [np.inf] * N}, r"scores\[0\] is inf"),
        ({"scores": ["a"] * N}, "scores must hold numbers"),
        ({"events": np.ones(5)}, "events must hold one label per frame.*60 labels"),
        ({"events": [0] * N}, r"events\[0\] = 0 instead.* \.astype\(bool\)"),
        ({"alarms": [2] * N}, r"alarms\[0\] = 2"),
        ({"times": np.arange(5)}, "one time per frame of the series, 60 times"),
        ({"times": np.zeros(N)}, r"times must ascend.* times\[1\] is 0.*Sort"),
        ({"times": [np.nan] * N}, r"times\[0\] is nan"),
        ({"times": DATES.to_series().shift(1)}, r"times\[0\] is NaT"),
        ({"feature_names": ["a"]}, "one name per feature, 2 in all. Got 1"),
        ({"threshold": "high"}, "threshold"),
    ],
)
def test_what_does_not_fit_a_series_is_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        SeriesDisplay.from_predictions(SERIES, **options)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (np.ones((2, 3, 4)), r"Got the shape \(2, 3, 4\)"),
        (np.ones((0, 2)), r"Got the shape \(0, 2\)"),
        ([["a", "b"]], "series must hold numbers"),
        ([[np.inf]], r"series\[0, 0\] is inf"),
        ([[1.0], [1.0, 2.0]], "series must"),
        (3.0, r"Got the shape \(\)"),
    ],
)
def test_what_is_not_one_series_is_refused(series, message):
    with pytest.raises(ValueError, match=message):
        SeriesDisplay(series).plot()


def test_times_as_text_are_told_to_be_turned_into_dates():
    with pytest.raises(TypeError, match=r"pandas\.to_datetime"):
        SeriesDisplay(SERIES, times=[str(date) for date in DATES]).plot()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"yscale": "log"}, r'The lowest is -1\. Set yscale="linear"'),
        ({"yscale": "sqrt"}, "yscale"),
        ({"features": ["z"]}, r"some of \['x0', 'x1'\]"),
        ({"features": 3}, r"some of .* Got \[3\]"),
        ({"features": [[0]]}, r"some of .* Got \[\[0\]\]"),
        ({"features": 0.5}, r"some of .* Got 0\.5"),
    ],
)
def test_options_that_cannot_be_drawn_are_refused(options, message):
    display = SeriesDisplay(SERIES, -np.ones(N))
    with pytest.raises(ValueError, match=message):
        display.plot(**options)


def test_combine_is_one_of_three(pipeline):
    with pytest.raises(ValueError, match="combine"):
        SeriesDisplay.from_estimator(pipeline, SERIES, combine="median")
