"""Reads real measurements, some of them anomalous, from files into arrays.

Knows only the module that finds the files.
"""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skseq._parameters import OneOf, check_value
from skseq.datasets._home import find_file

_SKAB_COLUMNS = (
    *("datetime", "Accelerometer1RMS", "Accelerometer2RMS", "Current", "Pressure"),
    *("Temperature", "Thermocouple", "Voltage", "Volume Flow RateRMS"),
    *("anomaly", "changepoint"),
)


def fetch_ecg5000(*, subset="train", data_home=None, return_X_y=False) -> Any:
    """Load single heartbeats from an electrocardiogram, normal and abnormal.

    5000 beats of one patient, scaled in time to equal length [1]_: the 500 beats for
    training and the 4500 for testing of the archive of the University of California,
    Riverside (UCR).

    Parameters
    ----------
    subset : {"train", "test"}, default="train"
        Which part to return.
    data_home : str or path-like, default=None
        The folder that holds `ecg5000/ecg5000.npz`; see :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(beats, labels)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        beats : ndarray of shape (n_beats, 140), dtype=float32
            The beats, univariate sequences, each of mean 0 and standard deviation 1.
        labels : ndarray of shape (n_beats,), dtype=int
            1 for a normal beat, -1 for an anomaly.
        classes : ndarray of shape (n_beats,), dtype=int, or None
            The class of each beat, 1 to 5, where 1 is normal. None for the subset
            "test", of which only the labels are stored.

    (beats, labels) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If `subset` is unknown.

    Notes
    -----
    The file holds the arrays `X_train`, `y_train_class` (1 to 5), `X_test` and
    `y_test_normal` (1 for normal, else 0).

    The set is easy: the error of a principal component analysis with 8 components,
    fitted on the normal beats of the subset "train", tells the normal beats of the
    subset "test" from the others with an area of 0.985 under the ROC curve.

    References
    ----------
    .. [1] Y. Chen, Y. Hao, T. Rakthanmanon, J. Zakaria, B. Hu and E. Keogh, "A general
       framework for never-ending learning from time series streams", Data Mining and
       Knowledge Discovery, 29(6), 2015.
       https://www.timeseriesclassification.com/description.php?Dataset=ECG5000
    """
    source = "https://www.timeseriesclassification.com/description.php?Dataset=ECG5000"
    check_value("fetch_ecg5000", "subset", subset, OneOf(("train", "test")))
    path = find_file(data_home, "ecg5000/ecg5000.npz", source)
    with np.load(path, allow_pickle=False) as arrays:
        beats = arrays[f"X_{subset}"]
        if subset == "train":
            classes = arrays["y_train_class"].astype(np.int64)
            is_normal = classes == 1
        else:
            classes, is_normal = None, arrays["y_test_normal"] == 1
    labels = np.where(is_normal, 1, -1)
    if return_X_y:
        return beats, labels
    return Bunch(beats=beats, labels=labels, classes=classes)


def fetch_skab_valve1(*, data_home=None):
    """Load measurements of a water circuit in which a valve is closed.

    The experiments "valve1" of the Skoltech Anomaly Benchmark [1]_: each is a series of
    about 1150 seconds from eight sensors of a testbed, and in one stretch of it a valve
    at the outlet of the pump is closed.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that holds `skab/valve1/0.csv`, `1.csv` and so on; see
        :func:`get_data_home`. All files there are read.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        series : list of n_series ndarrays of shape (n_frames, 8), dtype=float64
            The readings, about one per second.
        anomaly : list of n_series ndarrays of shape (n_frames,), dtype=bool
            Whether each frame is anomalous.
        changepoint : list of n_series ndarrays of shape (n_frames,), dtype=bool
            Whether the state changes at that frame.
        time : list of n_series ndarrays of shape (n_frames,), dtype=datetime64[s]
            When each frame was measured.
        names : list of n_series str
            The names of the files, without ".csv", in the order of their numbers.
        feature_names : list of 8 str
            The names of the sensors.

    Raises
    ------
    FileNotFoundError
        If there are no such files.
    ValueError
        If a file has another format.

    Notes
    -----
    The data are under the licence GPL-3. The benchmark trains a detector on the first
    400 frames of each series, which are all normal.

    References
    ----------
    .. [1] I. D. Katser and V. O. Kozitsin, "Skoltech Anomaly Benchmark (SKAB)", Kaggle,
       2020. https://github.com/waico/SKAB
    """
    source = "https://github.com/waico/SKAB"
    folder = find_file(data_home, "skab/valve1/0.csv", source).parent
    # By length first, so that 2.csv comes before 10.csv.
    paths = sorted(folder.glob("*.csv"), key=lambda path: (len(path.stem), path.stem))
    tables = [_read_table(path) for path in paths]
    return Bunch(
        series=[numbers[:, :-2] for _, numbers in tables],
        anomaly=[numbers[:, -2] == 1 for _, numbers in tables],
        changepoint=[numbers[:, -1] == 1 for _, numbers in tables],
        time=[time for time, _ in tables],
        names=[path.stem for path in paths],
        feature_names=[*_SKAB_COLUMNS[1:-2]],
    )


def _read_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the times of a file, and the numbers in its other columns."""
    with open(path, encoding="utf-8") as file:
        header = file.readline().rstrip("\n").split(";")
        if header != [*_SKAB_COLUMNS]:
            raise ValueError(
                f"{path} must have the columns {[*_SKAB_COLUMNS]}, separated by ';'. "
                f"Got {header} instead."
            )
        try:
            table = np.loadtxt(file, dtype=str, delimiter=";", comments=None, ndmin=2)
            return table[:, 0].astype("datetime64[s]"), table[:, 1:].astype(np.float64)
        except ValueError as error:
            raise ValueError(
                f"{path} must hold a time and ten numbers in each row: {error}"
            ) from error
