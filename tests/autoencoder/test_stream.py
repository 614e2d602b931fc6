"""A stream gives what windows of the whole series give, however it is cut."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skseq import LSTMAutoencoder
from skseq._nn import compiled
from skseq.preprocessing import FrameDifference, SequenceNormalizer, SlidingWindows

KINDS = {
    "both directions": {},
    "gru, mean absolute": {
        "cell": "gru",
        "bidirectional": False,
        "difference": True,
        "anomaly_score": "mae",
    },
    "mahalanobis": {"anomaly_score": "mahalanobis", "decoder_input": "output"},
    "normalized windows": {"preprocess": [SequenceNormalizer(), FrameDifference()]},
}


@cache
def detector(kind="both directions"):
    """A detector for which half of the windows are anomalies."""
    X = np.random.default_rng(0).normal(size=(12, 8, 2))
    fitted = LSTMAutoencoder(units=6, epochs=1, random_state=0, **KINDS[kind]).fit(X)
    fitted.offset_ = float(np.median(fitted.score_samples(X)))
    return fitted


def close(found, expected):
    """Equal: to the bit where rows do not depend on their batch."""
    tolerance = 0 if compiled.is_in_use() else 1e-5
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def read(estimator, pieces, window_length, stride=1):
    """All windows of a series that comes in pieces."""
    with estimator.stream(window_length, stride) as stream:
        windows = [window for piece in pieces for window in stream.push(piece)]
        return windows + stream.finish()


def check(estimator, series, pieces, window_length, stride):
    """Compare with the windows of the whole series."""
    slider = SlidingWindows(window_length, stride=stride)
    windows = slider.transform(series)
    found = read(estimator, pieces, window_length, stride)
    assert len(found) == len(windows)
    for record, window in zip(found, windows, strict=True):
        np.testing.assert_array_equal(series[record.start : record.end], window)
    close([record.score for record in found], estimator.score_samples(windows))
    errors = estimator.step_errors(windows)
    for record, expected in zip(found, errors, strict=True):
        close(record.step_errors, expected)
    assert [r.label for r in found] == estimator.predict(windows).tolist()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_any_cutting_gives_the_windows_of_the_whole_series(kind):
    rng, labels = np.random.default_rng(1), set()
    for _ in range(50):
        window_length, stride = rng.integers(1, 10), rng.integers(1, 13)
        series = rng.normal(size=(rng.integers(window_length, 60), 2))
        places = rng.integers(0, len(series) + 1, size=rng.integers(0, 12))
        pieces = np.split(series, np.sort(places))
        found = check(detector(kind), series, pieces, window_length, stride)
        labels |= {record.label for record in found}
    assert labels == {-1, 1}


def test_windows_come_with_the_frame_that_fills_them():
    series = np.random.default_rng(2).normal(size=(30, 2))
    with detector().stream(window_length=8, stride=5) as stream:
        filled = [t for t in range(30) if stream.push(series[t : t + 1])]
        assert filled == [7, 12, 17, 22, 27]
        [last] = stream.finish()
    assert (last.start, last.end) == (22, 30)


def test_pushed_frames_may_be_overwritten():
    series, buffer = np.random.default_rng(3).normal(size=(12, 2)), np.empty((1, 2))
    with detector().stream(8) as stream:
        scores = []
        for frame in series:
            buffer[0] = frame
            scores += [window.score for window in stream.push(buffer)]
            buffer[:] = np.nan
    windows = SlidingWindows(8).transform(series)
    close(scores, detector().score_samples(windows))


def test_memory_does_not_grow_with_the_frames():
    rng, sizes = np.random.default_rng(4), []
    with detector().stream(8, stride=1000) as stream:
        for _ in range(30):
            stream.push(rng.normal(size=(700, 2)))
            sizes.append(len(pickle.dumps(stream._windows)))
    assert max(sizes) < 2 * min(sizes)


def test_streams_in_threads_do_not_know_of_each_other():
    rng = np.random.default_rng(5)
    series = [rng.normal(size=(20, 2)) for _ in range(6)]

    def scores(frames):
        return [window.score for window in read(detector(), frames[:, None], 8)]

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(scores, series))
    for own, frames in zip(found, series, strict=True):
        close(own, detector().score_samples(SlidingWindows(8).transform(frames)))


def test_what_becomes_of_the_estimator_does_not_change_an_open_stream():
    estimator = copy.copy(detector())
    series = np.random.default_rng(6).normal(size=(8, 2))
    before = read(estimator, [series], 8)[0]
    with estimator.stream(8) as stream:
        estimator.set_params(anomaly_score="mae", units=4)
        estimator.fit(np.ones((4, 8, 2)) * np.arange(8)[:, None])
        [after] = stream.push(series)
    assert (after.score, after.label) == (before.score, before.label)
    np.testing.assert_array_equal(after.step_errors, before.step_errors)


def test_tables_and_series_of_one_feature_can_be_pushed():
    rng = np.random.default_rng(7)
    tables = [pd.DataFrame(rng.normal(size=(8, 2)), columns=["a", "b"])] * 4
    estimator = LSTMAutoencoder(units=6, epochs=1).fit(tables)
    found = read(estimator, [tables[0][:3], tables[0][3:]], 8)
    close([window.score for window in found], estimator.score_samples(tables[:1]))

    rows = rng.normal(size=(6, 8))
    estimator = LSTMAutoencoder(units=6, epochs=1).fit(rows)
    found = read(estimator, [rows[0, :5], rows[0, 5:, None]], 8)
    close([window.score for window in found], estimator.score_samples(rows[:1]))
    with pytest.raises(ValueError, match=r"window_length=5.*Set window_length=8"):
        estimator.stream(5)


# -- what is refused -------------------------------------------------------------------


def test_a_refused_push_leaves_the_stream_as_it_was():
    series = np.random.default_rng(8).normal(size=(20, 2))
    refused = {
        "NaN": ([[0.0, np.nan]], r"NaN \(frames\[0, 1\]"),
        "three features": (np.zeros((4, 3)), "3 features"),
        "no frames of three features": (np.zeros((0, 3)), "3 features"),
        "text": ("a", "frames is text"),
    }
    with detector().stream(8) as stream:
        scores = [window.score for window in stream.push(series[:10])]
        for frames, words in refused.values():
            with pytest.raises(ValueError, match=words):
                stream.push(frames)
        assert stream.push([]) == []
        scores += [window.score for window in stream.push(series[10:])]
        assert stream.finish() == []
    windows = SlidingWindows(8).transform(series)
    close(scores, detector().score_samples(windows))


def test_a_series_shorter_than_a_window_stays_open():
    series = np.random.default_rng(9).normal(size=(8, 2))
    with detector().stream(8) as stream:
        stream.push(series[:7])
        with pytest.raises(ValueError, match="The stream has 7 frames, fewer than"):
            stream.finish()
        assert len(stream.push(series[7:])) == 1


def test_a_stream_that_has_ended_says_so():
    with detector().stream(8) as stream:
        stream.push(np.zeros((8, 2)))
    for use in (stream.finish, lambda: stream.push(np.zeros((8, 2)))):
        with pytest.raises(ValueError, match="has ended"):
            use()


@pytest.mark.parametrize("sizes", [(0,), (8, 0), (8.0,), (8, "2"), (None,)])
def test_sizes_must_be_positive_integers(sizes):
    name = "stride" if len(sizes) == 2 else "window_length"
    with pytest.raises(ValueError, match=f"{name}.*int"):
        detector().stream(*sizes)


def test_only_what_can_predict_can_be_streamed_to():
    with pytest.raises(NotFittedError):
        LSTMAutoencoder().stream(8)
    changed = copy.copy(detector()).set_params(anomaly_score="mae")
    with pytest.raises(ValueError, match="was set after fit"):
        changed.stream(8)
