"""Heartbeats: the autoencoder and PCA, trained on normal beats only.

    python benchmarks/ecg5000.py --data-home DIR [--seeds 0 1 2]

Both learn from the normal beats among the 500 training beats, and score the 4,500 test
beats. For both, F1 is at the 99 % quantile of the training scores, which is the
automatic threshold, and at 1.5 times as much. The autoencoder is as it comes.
"""

import argparse
import time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from skseq import LSTMAutoencoder
from skseq.datasets import fetch_ecg5000
from skseq.metrics import anomaly_f1


def show(name, y_true, train_scores, scores, seconds):
    """Print the area under the ROC curve and F1; scores are high for anomalies."""
    auc = roc_auc_score(y_true == -1, scores)
    limits = np.array([1, 1.5]) * np.quantile(train_scores, 0.99)
    f1 = [anomaly_f1(y_true, np.where(scores > limit, -1, 1)) for limit in limits]
    print(
        f"{name:<16} AUC {auc:.4f}, F1 {f1[0]:.3f}, at 1.5 times the threshold "
        f"{f1[1]:.3f}, {seconds:.0f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()
    options = {"data_home": args.data_home, "return_X_y": True}
    X, y = fetch_ecg5000(**options)
    X_test, y_test = fetch_ecg5000(subset="test", **options)
    normal = X[y == 1]

    pca = PCA(8).fit(normal)
    left = [
        np.square(A - pca.inverse_transform(pca.transform(A))) for A in (normal, X_test)
    ]
    show("PCA, 8", y_test, *(squares.mean(axis=1) for squares in left), 0)

    for seed in args.seeds:
        start = time.perf_counter()
        detector = LSTMAutoencoder(random_state=seed).fit(normal)
        seconds = time.perf_counter() - start
        scores = [-detector.score_samples(A) for A in (normal, X_test)]
        show(f"autoencoder, {seed}", y_test, *scores, seconds)


if __name__ == "__main__":
    main()
