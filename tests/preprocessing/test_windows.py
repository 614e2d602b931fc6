"""Windows hold the frames that they should, and points get what windows say of them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skseq.preprocessing import FrameTransformer, SlidingWindows

OTHER_NUMBER = "A series of n samples gives another number of windows than n."
EXPECTED_FAILURES = {
    "check_methods_sample_order_invariance": "A window depends on the order of frames.",
    "check_methods_subset_invariance": "A window is longer than a batch of one frame.",
    "check_transformer_data_not_an_array": OTHER_NUMBER,
    "check_transformer_general": OTHER_NUMBER,
    "check_transformers_unfitted_stateless": OTHER_NUMBER,
}
GRID = [
    (n_frames, length, stride)
    for n_frames in (1, 5, 9)
    for length in (1, 2, 5)
    for stride in (1, 2, 7)
    if length <= n_frames
]


def ragged(lengths=(12, 5, 9), n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, n_features)) for n in lengths]


def starts_of(n_frames, length, stride, remainder):
    """The first frames of all windows, one after another."""
    starts, start = [], 0
    while start + length <= n_frames:
        starts.append(start)
        start += stride
    if remainder == "cover" and starts[-1] + length < n_frames:
        starts.append(n_frames - length)
    return starts


def holders_of(point, starts, length):
    """The numbers of the windows that hold a point, else of the last before it."""
    held = [i for i, s in enumerate(starts) if s <= point < s + length]
    return held or [max(i for i, start in enumerate(starts) if start <= point)]


@parametrize_with_checks([SlidingWindows(window_length=1)])
def test_windows_of_one_frame_pass_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [SlidingWindows()], expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_longer_windows_pass_the_checks_that_do_not_count_them(estimator, check):
    check(estimator)


@pytest.mark.parametrize("remainder", ["cover", "drop"])
@pytest.mark.parametrize(("n_frames", "length", "stride"), GRID)
def test_windows_are_the_slices_from_their_starts(n_frames, length, stride, remainder):
    [X] = ragged([n_frames])
    windows = SlidingWindows(length, stride=stride, remainder=remainder).transform(X)
    starts = starts_of(n_frames, length, stride, remainder)
    np.testing.assert_array_equal(windows, [X[s : s + length] for s in starts])


@pytest.mark.parametrize("remainder", ["cover", "drop"])
def test_windows_of_several_series_follow_one_another(remainder):
    X = ragged()
    windows = SlidingWindows(4, stride=3, remainder=remainder)
    expected = np.concatenate([windows.transform(x) for x in X])
    np.testing.assert_array_equal(windows.transform(X), expected)


def test_regular_windows_of_one_series_share_its_memory():
    [X] = ragged([20])
    for stride in (1, 3):
        windows = SlidingWindows(5, stride=stride).transform(X)
        assert np.shares_memory(windows, X)
        assert not windows.flags.writeable


def test_padding_of_a_3d_array_is_in_no_window():
    X = ragged((6, 4))
    padded = np.full((2, 6, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    windows = SlidingWindows(3)
    np.testing.assert_array_equal(windows.transform(padded), windows.transform(X))
    points = windows.to_points(np.arange(6), padded)
    assert [len(p) for p in points] == [6, 4]


ONE_SERIES = {
    "list": lambda X: X.tolist(),
    "tuple of tuples": lambda X: tuple(map(tuple, X.tolist())),
    "DataFrame": lambda X: pd.DataFrame(X, columns=["a", "b"]),
    "collection of one": lambda X: [X],
    "3-D array": lambda X: X[np.newaxis],
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
}


@pytest.mark.parametrize("form", ONE_SERIES)
def test_one_series_may_come_in_any_form(form):
    [X] = ragged([8])
    windows = SlidingWindows(3)
    converted = ONE_SERIES[form](X)
    np.testing.assert_array_equal(windows.transform(converted), windows.transform(X))
    points = windows.to_points(np.arange(6), converted)
    points = points[0] if points.dtype == object else points
    np.testing.assert_array_equal(points, windows.to_points(np.arange(6), X))


def test_univariate_series_may_be_1d_arrays_in_a_list():
    X = [np.arange(4.0), np.arange(5.0)]
    assert SlidingWindows(4).transform(X)[..., 0].tolist() == [
        [0, 1, 2, 3],
        [0, 1, 2, 3],
        [1, 2, 3, 4],
    ]


def test_a_ragged_tensor_is_several_series():
    tf = pytest.importorskip("tensorflow")
    series = [np.arange(5.0), np.arange(3.0)]
    tensor = tf.RaggedTensor.from_row_lengths(np.concatenate(series), [5, 3])
    windows = SlidingWindows(2)
    np.testing.assert_array_equal(
        windows.fit_transform(tensor), windows.fit_transform(series)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_type_of_the_numbers_is_kept(dtype):
    X = [x.astype(dtype) for x in ragged()]
    assert SlidingWindows(3).transform(X).dtype == dtype
    assert SlidingWindows(3).transform(X[0]).dtype == dtype


def test_columns_of_a_data_frame_are_remembered():
    X = pd.DataFrame(ragged([8])[0], columns=["speed", "load"])
    windows = SlidingWindows(3).fit(X)
    assert windows.feature_names_in_.tolist() == ["speed", "load"]
    with pytest.raises(ValueError, match="feature names should match"):
        windows.transform(X[["load", "speed"]])


# To points and back


@pytest.mark.parametrize("remainder", ["cover", "drop"])
@pytest.mark.parametrize("combine", ["mean", "min", "max"])
@pytest.mark.parametrize(("n_frames", "length", "stride"), GRID)
def test_score_of_a_point_is_that_of_the_windows_that_hold_it(
    n_frames, length, stride, combine, remainder
):
    windows = SlidingWindows(length, stride=stride, remainder=remainder)
    starts = starts_of(n_frames, length, stride, remainder)
    scores = np.random.default_rng(0).normal(size=len(starts))
    expected = [
        getattr(np, combine)(scores[holders_of(point, starts, length)])
        for point in range(n_frames)
    ]
    found = windows.to_points(scores, n_frames, combine=combine)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("remainder", ["cover", "drop"])
@pytest.mark.parametrize("combine", ["all", "any"])
@pytest.mark.parametrize(("n_frames", "length", "stride"), GRID)
def test_label_of_a_point_is_that_of_the_windows_that_hold_it(
    n_frames, length, stride, combine, remainder
):
    windows = SlidingWindows(length, stride=stride, remainder=remainder)
    starts = starts_of(n_frames, length, stride, remainder)
    flags = np.random.default_rng(1).random(len(starts)) < 0.6
    together = {"all": all, "any": any}[combine]
    expected = [
        together(flags[i] for i in holders_of(point, starts, length))
        for point in range(n_frames)
    ]
    found = windows.to_points(flags, n_frames, combine=combine)
    assert (found.dtype, found.tolist()) == (bool, expected)
    labels = windows.to_points(np.where(flags, -1, 1), n_frames, combine=combine)
    assert labels.dtype == int
    assert labels.tolist() == [-1 if flag else 1 for flag in expected]


def test_score_that_dwarfs_the_others_leaves_no_trace_beside_its_window():
    scores = np.array([1e-3, 1e20, 1e-3, 1e-3, 1e-3])
    points = SlidingWindows(2).to_points(scores, 6)
    np.testing.assert_allclose(points[3:], 1e-3, rtol=1e-12)


def test_scores_of_windows_of_one_frame_are_those_of_the_points():
    [X] = ragged([9])
    np.testing.assert_array_equal(SlidingWindows(1).to_points(X[:, 0], X), X[:, 0])


SEVERAL_SERIES = {
    "series": lambda X: X,
    "lengths": lambda X: [len(x) for x in X],
    "array of lengths": lambda X: np.array([len(x) for x in X]),
}


@pytest.mark.parametrize("form", SEVERAL_SERIES)
def test_points_of_several_series_are_those_of_each(form):
    X = ragged()
    windows = SlidingWindows(4, stride=3)
    scores = [np.arange(len(windows.transform(x))) * 7.0 for x in X]
    found = windows.to_points(np.concatenate(scores), SEVERAL_SERIES[form](X))
    assert (found.shape, found.dtype) == ((3,), object)
    for points, part, x in zip(found, scores, X, strict=True):
        np.testing.assert_array_equal(points, windows.to_points(part, len(x)))


def test_last_frames_are_seen_unless_they_are_dropped():
    [X] = ragged([11])
    X[-1] += 100
    covering = SlidingWindows(4, stride=3)
    dropping = SlidingWindows(4, stride=3, remainder="drop")
    largest = [w.transform(X).max(axis=(1, 2)) for w in (covering, dropping)]
    assert [scores.max() > 90 for scores in largest] == [True, False]
    assert covering.to_points(largest[0], X).argmax() == 10
    assert dropping.to_points(largest[1], X)[-1] == largest[1][-1]


# With scikit-learn


def spiked_series():
    rng = np.random.default_rng(0)
    X = np.sin(np.arange(400) / 5)[:, np.newaxis] * [1.0, 20.0]
    X = X + rng.normal(scale=0.05, size=X.shape)
    X[300:310] += [1.5, 30.0]
    return X


def test_detector_of_windows_finds_the_points_of_an_anomaly():
    X = spiked_series()
    flatten = FunctionTransformer(lambda windows: windows.reshape(len(windows), -1))
    pipeline = make_pipeline(
        StandardScaler(),
        SlidingWindows(10),
        flatten,
        PCA(4),
        IsolationForest(n_estimators=20, random_state=0),
    )
    pipeline.fit(X[:250])
    scores = pipeline.score_samples(X)
    assert scores.shape == (391,)
    points = pipeline[1].to_points(scores, X)
    assert points.shape == (400,)
    assert 300 <= points.argmin() < 310
    labels = pipeline[1].to_points(pipeline.predict(X), X, combine="all")
    assert set(labels) <= {-1, 1}


def test_several_series_go_through_a_pipeline_after_a_frame_transformer():
    X = ragged((12, 30))
    pipeline = make_pipeline(FrameTransformer(StandardScaler()), SlidingWindows(5))
    assert pipeline.fit_transform(X).shape == (8 + 26, 5, 2)
    assert pipeline.transform(X[:1]).shape == (8, 5, 2)


def test_pandas_output_configuration_leaves_windows():
    [X] = ragged([8])
    with config_context(transform_output="pandas"):
        windows = SlidingWindows(3).fit_transform(pd.DataFrame(X))
    assert isinstance(windows, np.ndarray)


def test_clone_and_pickle_cut_alike():
    [X] = ragged([11])
    windows = SlidingWindows(4, stride=2, remainder="drop").fit(X)
    for copy in clone(windows), pickle.loads(pickle.dumps(windows)):
        np.testing.assert_array_equal(copy.transform(X), windows.transform(X))


# Bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window_length": 0}, r"'window_length' .* must be an int .* Got 0"),
        ({"window_length": 2.0}, r"'window_length' .* must be an int .* Got 2\.0"),
        ({"window_length": None}, r"'window_length' .* Got None"),
        ({"stride": 0}, r"'stride' .* must be an int in the range \[1, inf\). Got 0"),
        ({"stride": True}, r"'stride' .* Got True"),
        ({"remainder": "dropp"}, r"'remainder' .* Got 'dropp'.* mean 'drop'"),
        ({"remainder": None}, r"'remainder' .* Got None"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    windows = SlidingWindows(**parameters)
    for call in windows.fit, windows.transform, lambda X: windows.to_points([1], X):
        with pytest.raises(ValueError, match=message):
            call(np.zeros((20, 2)))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((3, 2)), ValueError, r"Series 0 has 3 frames, .*window_length=4"),
        ([np.zeros((4, 2)), np.zeros((2, 2))], ValueError, "Series 1 has 2 frame"),
        (np.zeros(8), ValueError, "Expected 2D array, got 1D array"),
        (np.array([[0.0]] * 7 + [[np.nan]]), ValueError, r"X contains NaN .*\[7, 0\]"),
        (np.zeros((0, 2)), ValueError, r"0 frame\(s\) \(shape=\(0, 2\)\)"),
        ([], ValueError, "X is empty"),
        (None, ValueError, "X is None"),
        ("abcdef", TypeError, "X must be a collection of sequences"),
        (np.zeros((2, 2, 2, 2)), ValueError, "Found array with dim 4"),
    ],
)
def test_what_cannot_be_cut_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        SlidingWindows(4).transform(X)


@pytest.mark.parametrize(
    ("scores", "X", "combine", "message"),
    [
        ([1, 2], 6, "mean", r"4 entries in all. Got shape \(2,\) instead"),
        ([1] * 4, [6, 5], "mean", "7 entries in all"),
        ([[1, 2]] * 4, 6, "mean", r"Got shape \(4, 2\) instead"),
        ([1, np.nan, 1, 1], 6, "max", "window_scores contains NaN"),
        (["a"] * 4, 6, "mean", "arrays of bytes/strings"),
        ([1] * 4, 6, "median", r"among \{'mean', .*'any'\}\. Got 'median'"),
        ([1] * 4, 6, None, "'combine' parameter of to_points must .* Got None"),
        ([1] * 4, 6, ["mean"], r"Got \['mean'\] instead"),
        ([1, 0, 1, 1], 6, "all", r"1 for normal .* Got window_scores\[1\] = 0"),
        ([1.0, 0.5, 1, 1], 6, "any", r"window_scores\[1\] = 0\.5 .*astype\(bool\)"),
        ([], 2, "mean", r"Series 0 has 2 frames, fewer than a window"),
        ([1], [3, 0], "mean", r"Series 1 has 0 frames"),
    ],
)
def test_scores_that_do_not_fit_the_windows_are_refused(scores, X, combine, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindows(3).to_points(scores, X, combine=combine)
