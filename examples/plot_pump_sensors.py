"""
When did the valve close?
=========================

Eight sensors watch a pump. The first 400 seconds are known to be normal; from windows
of them an autoencoder learns how the sensors behave together. A point counts as
anomalous if all windows that contain it are anomalous.
"""

# %%
# The series is one of the Skoltech Anomaly Benchmark. If it is not installed (see
# :func:`skseq.datasets.get_data_home`), the data is that of a simulated machine which
# turns faster for a while.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import LSTMAutoencoder
from skseq.datasets import fetch_skab_valve1
from skseq.metrics import anomaly_f1, false_alarm_rate, missed_alarm_rate
from skseq.preprocessing import SlidingWindows


def make_machine(n_frames=1000, start=600, stop=800, seed=0):
    rng = np.random.default_rng(seed)
    is_anomaly = np.zeros(n_frames, dtype=bool)
    is_anomaly[start:stop] = True
    phase = np.cumsum(np.where(is_anomaly, 0.5, 0.3))[:, np.newaxis]
    sensors = np.sin(phase + np.arange(3)) + rng.normal(scale=0.1, size=(n_frames, 3))
    return sensors, is_anomaly


try:
    data = fetch_skab_valve1()
    series, is_anomaly = data.series[0], data.anomaly[0]
except FileNotFoundError as error:
    print(f"A simulated machine instead: {error}")
    series, is_anomaly = make_machine()
print(f"{series.shape[0]} frames of {series.shape[1]} sensors")

# %%
# A scaler, windows and an autoencoder make up an ordinary pipeline, which predicts one
# label per window. A code of eight numbers keeps what the sensors do together, not what
# one of them does. The threshold is the benchmark's: 1.5 times the 99 % quantile of the
# scores of the training windows.

windows = SlidingWindows(10)
pipeline = make_pipeline(
    StandardScaler(),
    windows,
    LSTMAutoencoder(latent_dim=8, random_state=0),
)
pipeline.fit(series[:400])
training_windows = pipeline[:-1].transform(series[:400])
pipeline[-1].fit_threshold(training_windows, quantile=0.99, factor=1.5)
labels = windows.to_points(pipeline.predict(series), series, combine="all")
scores = windows.to_points(-pipeline.score_samples(series), series, combine="mean")
truth, found = np.where(is_anomaly, -1, 1)[400:], labels[400:]
print(f"F1 {anomaly_f1(truth, found):.3f},", end=" ")
print(f"false alarms {false_alarm_rate(truth, found):.3f},", end=" ")
print(f"missed {missed_alarm_rate(truth, found):.3f}")

# %%
# The anomaly score of each point, the threshold, and when the valve really was closed.

figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
axes.plot(scores, linewidth=1, label="anomaly score")
axes.axhline(-pipeline[-1].offset_, color="black", linestyle=":", label="threshold")
axes.fill_between(
    range(len(series)),
    0,
    1,
    where=is_anomaly,
    transform=axes.get_xaxis_transform(),
    alpha=0.2,
    color="tab:orange",
    label="valve closed",
)
axes.axvline(400, color="grey", linewidth=1)
axes.set(yscale="log", xlabel="second", ylabel="mean squared error")
axes.legend(loc="upper left")
plt.show()
