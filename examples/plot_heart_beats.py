"""
Abnormal heartbeats
===================

An autoencoder learns from normal heartbeats only. Beats that it reconstructs badly are
abnormal.
"""

# %%
# The beats are those of ECG5000. If it is not installed (see
# :func:`skseq.datasets.get_data_home`), runs of a machine take its place.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from skseq import LSTMAutoencoder
from skseq.datasets import fetch_ecg5000, make_sensor_sequences
from skseq.inspection import AnomalyScoreDisplay, ReconstructionDisplay

try:
    X, y = fetch_ecg5000(return_X_y=True)
    X_new, y_new = fetch_ecg5000(subset="test", return_X_y=True)
    X_new, y_new = X_new[::4], y_new[::4]
except FileNotFoundError as error:
    print(f"Runs of a machine instead: {error}")
    runs, labels = make_sensor_sequences(
        400, n_features=1, contamination=0.2, random_state=0, return_X_y=True
    )
    X, y, X_new, y_new = runs[:200], labels[:200], runs[200:], labels[200:]
normal = [x for x, label in zip(X, y, strict=True) if label == 1]
print(f"{len(normal)} normal sequences to learn from, {len(X_new)} to judge")

# %%
# The threshold comes from the normal beats alone: one in a hundred of them is beyond
# it. `fit_threshold` moves it to where the labelled beats of the training set are told
# apart best.

detector = LSTMAutoencoder(random_state=0).fit(normal)
scores = -detector.score_samples(X_new)
print(f"area under the ROC curve: {roc_auc_score(y_new == -1, scores):.3f}")
for threshold in ("automatic", "by labels"):
    if threshold == "by labels":
        detector.fit_threshold(X, y)
    f1 = f1_score(y_new, detector.predict(X_new), pos_label=-1)
    print(f"F1 of the anomalies, threshold {threshold}: {f1:.3f}")

# %%
# A normal and an abnormal beat, with their reconstructions.

figure, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for axes, label, name in zip(panels, (1, -1), ("normal", "abnormal"), strict=True):
    beat = np.flatnonzero(y_new == label)[0]
    ReconstructionDisplay.from_estimator(detector, X_new, sample=beat, ax=axes)
    axes.set(title=name)

# %%
# The anomaly scores of both kinds of beats, and the threshold.

AnomalyScoreDisplay.from_estimator(detector, X_new, y_new)
plt.show()
