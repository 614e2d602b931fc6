"""Sensor data are what their description says, generated or read from a folder."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from skseq.datasets import fetch_ecg5000, fetch_skab_valve1, make_sensor_sequences

KINDS = ["flat", "frequency", "shift", "spikes"]
HEADER = (
    "datetime;Accelerometer1RMS;Accelerometer2RMS;Current;Pressure;Temperature;"
    "Thermocouple;Voltage;Volume Flow RateRMS;anomaly;changepoint"
)
ROW = "2020-03-09 10:34:{:02};0.02;0.04;1.3;-0.05;79.3;26.0;2e2;32.0;{:.1f};{:.1f}"


@pytest.fixture(scope="module")
def clean():
    """300 sequences without noise, half of them anomalous."""
    return make_sensor_sequences(300, contamination=0.5, noise=0.0, random_state=0)


def surprise_of(frames, bounds):
    """How far each frame from the fifth on is from a recurrence of order four.

    The recurrence, which every sum of two sines obeys, is fitted outside the bounds.
    """
    lagged = np.stack([frames[4 - k : len(frames) - k] for k in range(1, 5)], axis=-1)
    is_outside = ~np.any(
        [
            (bounds[0] <= np.arange(4, len(frames)) - k)
            & (np.arange(4, len(frames)) - k < bounds[1])
            for k in range(5)
        ],
        axis=0,
    )
    weights, *_ = np.linalg.lstsq(
        lagged[is_outside].reshape(-1, 4), frames[4:][is_outside].ravel()
    )
    return np.abs(frames[4:] - lagged @ weights).max(axis=1), is_outside


def test_a_sequence_is_periodic_but_for_its_anomaly(clean):
    for frames, bounds in zip(clean.sequences, clean.bounds, strict=True):
        surprise, is_outside = surprise_of(frames.astype(float), bounds)
        assert surprise[is_outside].max() < 1e-4
        if bounds.any():
            assert surprise[~is_outside].max() > 0.01


def test_labels_kinds_and_bounds_agree(clean):
    np.testing.assert_array_equal(clean.labels == 1, clean.kind == "normal")
    np.testing.assert_array_equal(clean.labels == 1, clean.bounds[:, 1] == 0)
    assert np.unique(clean.kind).tolist() == sorted([*KINDS, "normal"])
    for frames, (start, stop) in zip(clean.sequences, clean.bounds, strict=True):
        assert 0 <= start <= stop <= len(frames)
        if stop:
            assert len(frames) // 4 <= stop - start <= len(frames) // 2


@pytest.mark.parametrize("kind", ["flat", "shift", "spikes"])
def test_wrong_readings_are_those_of_one_sensor(clean, kind):
    for i in np.flatnonzero(clean.kind == kind):
        frames, (start, stop) = clean.sequences[i], clean.bounds[i]
        alone = [
            surprise_of(frames[:, [sensor]].astype(float), (start, stop))[0].max()
            for sensor in range(3)
        ]
        assert sum(value > 1e-3 for value in alone) == 1
        part = frames[start:stop, np.argmax(alone)]
        assert (np.ptp(part) == 0) == (kind == "flat")


def test_a_flat_sensor_has_no_noise_either():
    data = make_sensor_sequences(contamination=1.0, noise=1.0, random_state=0)
    for i in np.flatnonzero(data.kind == "flat"):
        part = data.sequences[i][slice(*data.bounds[i])]
        assert np.sum(np.ptp(part, axis=0) == 0) == 1


@pytest.mark.parametrize(
    ("contamination", "n_anomalous"), [(0, 0), (0.1, 4), (0.5, 20), (1.0, 40)]
)
def test_contamination_is_the_fraction_of_anomalous_sequences(
    contamination, n_anomalous
):
    _, y = make_sensor_sequences(
        40, contamination=contamination, random_state=0, return_X_y=True
    )
    assert np.sum(y == -1) == n_anomalous
    assert np.sum(y == 1) == 40 - n_anomalous


def test_sequences_have_every_allowed_length_and_the_features_asked_for():
    X, _ = make_sensor_sequences(
        200, n_features=5, min_length=8, max_length=10, random_state=0, return_X_y=True
    )
    assert {frames.shape for frames in X} == {(8, 5), (9, 5), (10, 5)}
    assert {frames.dtype for frames in X} == {np.dtype(np.float32)}


def test_noise_of_the_sensors_has_the_deviation_asked_for():
    X, _ = make_sensor_sequences(
        300, contamination=0, noise=50.0, random_state=0, return_X_y=True
    )
    assert np.concatenate(X).std() == pytest.approx(50, rel=0.02)


def test_another_random_state_gives_other_runs_of_the_same_machine():
    options = {"contamination": 0, "noise": 0, "min_length": 80, "max_length": 80}
    first, again, other = (
        np.stack(make_sensor_sequences(**options, random_state=seed).sequences)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    frames = first.reshape(-1, 3)
    covariances = np.cov(frames.T), np.cov(other.reshape(-1, 3).T)
    np.testing.assert_allclose(*covariances, atol=0.02)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        ({"n_features": 1.5}, TypeError, "n_features must be an instance of int"),
        ({"min_length": 7}, ValueError, "min_length == 7, must be >= 8"),
        ({"max_length": 49}, ValueError, "max_length == 49, must be >= 50"),
        ({"contamination": 1.1}, ValueError, r"contamination == 1\.1, must be <= 1"),
        ({"contamination": "auto"}, TypeError, "contamination must be an instance"),
        ({"noise": -1}, ValueError, "noise == -1, must be >= 0"),
        ({"noise": float("nan")}, ValueError, "noise == nan, must be a number"),
        ({"noise": 1e308}, ValueError, "must be <= 1000000.0"),
    ],
)
def test_sensor_sequences_refuse_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_sensor_sequences(**options)


# Real data


@pytest.mark.parametrize(
    ("fetch", "name"),
    [
        (fetch_ecg5000, "ecg5000/ecg5000.npz"),
        (fetch_skab_valve1, "skab/valve1/0.csv"),
    ],
)
def test_a_missing_set_of_measurements_says_what_to_put_where(fetch, name, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        fetch(data_home=tmp_path)
    message = str(caught.value)
    for part in (name, str(tmp_path / name), "https://", "SKSEQ_DATA_HOME"):
        assert part in message


@pytest.fixture
def ecg_home(tmp_path):
    (tmp_path / "ecg5000").mkdir()
    np.savez(
        tmp_path / "ecg5000" / "ecg5000.npz",
        X_train=np.zeros((4, 3), dtype=np.float32),
        y_train_class=np.array([1, 3, 1, 5], dtype=np.int8),
        X_test=np.ones((3, 3), dtype=np.float32),
        y_test_normal=np.array([0, 1, 1], dtype=np.int8),
    )
    return tmp_path


def test_class_1_is_the_normal_beat(ecg_home):
    data = fetch_ecg5000(data_home=ecg_home)
    assert data.labels.tolist() == [1, -1, 1, -1]
    assert data.classes.tolist() == [1, 3, 1, 5]
    X, y = fetch_ecg5000(subset="test", data_home=ecg_home, return_X_y=True)
    assert (X.shape, X.dtype) == ((3, 3), np.float32)
    assert y.tolist() == [-1, 1, 1]
    assert fetch_ecg5000(subset="test", data_home=ecg_home).classes is None


@pytest.mark.parametrize("subset", ["dev", None, ["train"]])
def test_ecg5000_refuses_other_subsets(ecg_home, subset):
    with pytest.raises(ValueError, match=r"among \{'train', 'test'\}\. Got"):
        fetch_ecg5000(subset=subset, data_home=ecg_home)


@pytest.fixture
def skab_home(tmp_path):
    """Three files with as many rows as the number in their name and one more."""
    folder = tmp_path / "skab" / "valve1"
    folder.mkdir(parents=True)
    for number in (0, 2, 10):
        rows = [ROW.format(i, i % 2, i == 1) for i in range(number + 1)]
        text = "\r\n".join([HEADER, *rows, ""])
        (folder / f"{number}.csv").write_text(text, newline="")
    return tmp_path


def test_skab_files_are_read_in_the_order_of_their_numbers(skab_home):
    data = fetch_skab_valve1(data_home=skab_home)
    assert data.names == ["0", "2", "10"]
    assert [x.shape for x in data.series] == [(1, 8), (3, 8), (11, 8)]
    assert data.series[1][2].tolist() == [0.02, 0.04, 1.3, -0.05, 79.3, 26.0, 200, 32]
    assert data.anomaly[1].tolist() == [False, True, False]
    assert data.changepoint[2].tolist() == [False, True, *[False] * 9]
    assert data.time[2][10] == np.datetime64("2020-03-09T10:34:10")
    assert data.feature_names == HEADER.split(";")[1:9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datetime,anomaly\n", r"2\.csv must have the columns .* by ';'\. Got \['date"),
        ("", r"2\.csv must have the columns .* Got \[''\]"),
        (f"{HEADER}\n{ROW.format(0, 0, 0)}\n1;2\n", r"2\.csv must hold .* columns"),
        (f"{HEADER}\n{ROW.format(0, 0, 0)}\n".replace("1.3", "x"), r"2\.csv .*'x'"),
        (f"{HEADER}\n{ROW.format(0, 0, 0)}\n".replace("-09", "-99"), r"2\.csv .*-99"),
    ],
)
def test_a_broken_skab_file_is_named(skab_home, text, message):
    (skab_home / "skab" / "valve1" / "2.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        fetch_skab_valve1(data_home=skab_home)


def test_ecg5000_is_as_easy_as_it_is_said_to_be(data_home):
    train, test = (
        fetch_ecg5000(subset=s, data_home=data_home) for s in ("train", "test")
    )
    assert (train.beats.shape, test.beats.shape) == ((500, 140), (4500, 140))
    assert np.bincount(train.classes).tolist() == [0, 292, 177, 10, 19, 2]
    pca = PCA(8).fit(train.beats[train.labels == 1])
    restored = pca.inverse_transform(pca.transform(test.beats))
    error = ((test.beats - restored) ** 2).mean(axis=1)
    assert roc_auc_score(test.labels == -1, error) == pytest.approx(0.985, abs=0.001)


def test_each_skab_series_has_one_stretch_of_anomaly_after_the_first_400(data_home):
    data = fetch_skab_valve1(data_home=data_home)
    assert data.names == [str(i) for i in range(len(data.names))]
    for series, anomaly, changepoint, time in zip(
        data.series, data.anomaly, data.changepoint, data.time, strict=True
    ):
        assert series.shape == (*anomaly.shape, 8)
        assert np.isfinite(series).all()
        assert not anomaly[:400].any()
        assert np.count_nonzero(np.diff(anomaly)) == 2
        assert changepoint.any()
        assert (np.diff(time) > np.timedelta64(0)).all()
