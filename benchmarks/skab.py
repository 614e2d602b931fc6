"""Anomalies in a water circuit (SKAB, valve1): F1, false alarms and missed alarms.

    python benchmarks/skab.py --data-home DIR [--seeds 0 1 2] [--series N] [--defaults]

The protocol of the SKAB benchmark: a detector learns from the first 400 rows of each
series, scaled by them, and is tested on the rest. Windows have 10 rows. The threshold
is 1.5 times the 99 % quantile of the training scores. A point is anomalous if all
windows that hold it are. Counts are pooled over the series. One configuration serves
all series. PCA with the statistics T² and Q is computed on the same rows, with the same
rule for the threshold of each statistic. With `--defaults`, no parameter of the
detector is set, and the thresholds are those quantiles themselves.
"""

import argparse
import time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skseq import LSTMAutoencoder
from skseq.datasets import fetch_skab_valve1
from skseq.metrics import anomaly_f1, false_alarm_rate, missed_alarm_rate
from skseq.preprocessing import SlidingWindows

N_TRAIN = 400
WINDOWS = SlidingWindows(10)


def make_detector(**settings):
    """The code is narrow: it keeps what the sensors do together, not what one does."""
    settings = {
        "units": 32,
        "latent_dim": 8,
        "learning_rate": 5e-3,
        "epochs": 40,
        **settings,
    }
    return LSTMAutoencoder(**settings)


def by_autoencoder(series, detector, factor):
    """Predict 1 or -1 (anomalous) for each point after the training rows."""
    scaled = StandardScaler().fit(series[:N_TRAIN]).transform(series)
    windows = WINDOWS.transform(scaled[:N_TRAIN])
    detector.fit(windows).fit_threshold(windows, quantile=0.99, factor=factor)
    labels = detector.predict(WINDOWS.transform(scaled[N_TRAIN:]))
    return WINDOWS.to_points(labels, len(series) - N_TRAIN, combine="all")


def by_pca(series, factor, explained=0.9):
    """Predict by Hotelling's T² and the residual Q, each with its own threshold."""
    scaler = StandardScaler().fit(series[:N_TRAIN])
    train, test = scaler.transform(series[:N_TRAIN]), scaler.transform(series[N_TRAIN:])
    pca = PCA(explained).fit(train)

    def statistics(X):
        Z = pca.transform(X)
        residual = X - pca.inverse_transform(Z)
        return (Z**2 / pca.explained_variance_).sum(axis=1), (residual**2).sum(axis=1)

    is_anomaly = np.zeros(len(test), dtype=bool)
    for normal, new in zip(statistics(train), statistics(test), strict=True):
        is_anomaly |= new > factor * np.quantile(normal, 0.99)
    return np.where(is_anomaly, -1, 1)


def show(name, y_true, y_pred, seconds):
    f1 = anomaly_f1(y_true, y_pred)
    print(
        f"{name:<18} F1 {f1:.3f}, false alarms {false_alarm_rate(y_true, y_pred):.4f}, "
        f"missed {missed_alarm_rate(y_true, y_pred):.4f}, {seconds:.0f} s",
        flush=True,
    )
    return f1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--series", type=int)
    parser.add_argument("--defaults", action="store_true")
    args = parser.parse_args()
    make, factor = (LSTMAutoencoder, 1.0) if args.defaults else (make_detector, 1.5)
    data = fetch_skab_valve1(data_home=args.data_home)
    series = data.series[: args.series]
    y_true = [np.where(a[N_TRAIN:], -1, 1) for a in data.anomaly[: args.series]]
    show("PCA, T² + Q", y_true, [by_pca(s, factor) for s in series], 0)
    f1 = []
    for seed in args.seeds:
        start = time.perf_counter()
        found = [by_autoencoder(s, make(random_state=seed), factor) for s in series]
        seconds = time.perf_counter() - start
        f1.append(show(f"autoencoder, {seed}", y_true, found, seconds))
    print(f"mean F1 of {len(f1)} seeds: {np.mean(f1):.3f}")


if __name__ == "__main__":
    main()
