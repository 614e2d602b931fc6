"""
One machine's CSV, with gaps
============================

A file of one reading a second, in which times and values are missing. An autoencoder
learns from the first, normal part how the sensors move together, and tells for every
later row how unusual it is. Everything after ``write_readings`` is what you would write
for your own file.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from skseq import LSTMAutoencoder
from skseq.preprocessing import SlidingWindows


def write_readings(path, n_rows=3000):
    """Write three sensors, whose machine turns faster for a while, and its log."""
    rng = np.random.default_rng(0)
    is_fault = np.zeros(n_rows, dtype=bool)
    is_fault[2400:2500] = True
    angle = np.cumsum(np.where(is_fault, 0.5, 0.3))[:, np.newaxis]
    readings = np.sin(angle + np.arange(3)) + rng.normal(scale=0.1, size=(n_rows, 3))
    readings[rng.integers(n_rows, size=30), rng.integers(3, size=30)] = np.nan
    table = pd.DataFrame(readings.round(3), columns=["pressure", "flow", "current"])
    table.insert(0, "time", pd.date_range("2026-03-01", periods=n_rows, freq="s"))
    table["is_fault"] = is_fault
    kept = np.ones(n_rows, dtype=bool)
    for start in (400, 1300, 2100):  # the line was down for some minutes
        kept[start : start + 120] = False
    table[kept].to_csv(path, index=False)


def solve(path):
    table = pd.read_csv(path, parse_dates=["time"], index_col="time")
    is_fault = table.pop("is_fault")
    series = table.interpolate(limit=3).dropna()  # fills short holes alone
    windows = SlidingWindows(20, max_gap="2s")
    X = windows.transform(series[:"2026-03-01 00:30"])
    detector = LSTMAutoencoder(contamination=0.01, random_state=0).fit(X)
    labels = detector.predict(windows.transform(series))
    points = windows.to_points(labels, series, combine="all")  # has series.index
    found = points.reindex(table.index) == -1
    print(f"alarm from {found[found].index[0]} to {found[found].index[-1]}")
    later = table.index > "2026-03-01 00:30"
    print(f"F1 of rows: {f1_score(is_fault[later], found[later].fillna(False)):.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        write_readings(Path(name) / "readings.csv")
        solve(Path(name) / "readings.csv")
