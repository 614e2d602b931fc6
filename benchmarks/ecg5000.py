"""Heartbeats: the autoencoder and PCA, trained on normal beats only.

    python benchmarks/ecg5000.py --data-home DIR [--seed 0]

Both learn from the normal beats among the 500 training beats, and score the 4,500 test
beats. For both, the threshold that F1 depends on is 1.5 times the 99 % quantile of the
training scores.
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
    limit = 1.5 * np.quantile(train_scores, 0.99)
    f1 = anomaly_f1(y_true, np.where(scores > limit, -1, 1))
    print(f"{name:<12} AUC {auc:.4f}, F1 {f1:.3f}, {seconds:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=200)
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

    start = time.perf_counter()
    detector = LSTMAutoencoder(
        units=64,
        latent_dim=8,
        learning_rate=5e-3,
        batch_size=16,
        epochs=args.epochs,
        random_state=args.seed,
    )
    detector.fit(normal)
    seconds = time.perf_counter() - start
    scores = [-detector.score_samples(A) for A in (normal, X_test)]
    show("autoencoder", y_test, *scores, seconds)


if __name__ == "__main__":
    main()
