"""
Heartbeats classified
=====================

A classifier tells normal heartbeats from others, and shows which part of a beat it
decides by.
"""

# %%
# The beats are those of ECG5000: 500 to learn from, 4,500 to judge. If it is not
# installed (see :func:`skseq.datasets.get_data_home`), gestures take its place.

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from skseq import SequenceClassifier
from skseq.datasets import fetch_ecg5000, make_gestures

try:
    X, y = fetch_ecg5000(return_X_y=True)
    X_new, y_new = fetch_ecg5000(subset="test", return_X_y=True)
    y, y_new = (np.where(part == 1, "normal", "abnormal") for part in (y, y_new))
    same_length = True
except FileNotFoundError as error:
    print(f"Gestures instead: {error}")
    X, y = make_gestures(300, random_state=0)
    X_new, y_new = make_gestures(300, random_state=1)
    same_length = False
print(Counter(y.tolist()))

# %%
# Nothing is set but the seed. The nearest neighbour, which needs beats of one length,
# stands beside it.

clf = SequenceClassifier(random_state=0).fit(X, y)
found = clf.predict(X_new)
print(f"balanced accuracy: {balanced_accuracy_score(y_new, found):.3f}")
if same_length:
    nearest = KNeighborsClassifier(1).fit(X, y).predict(X_new)
    print(f"nearest neighbour: {balanced_accuracy_score(y_new, nearest):.3f}")

# %%
# The columns of `predict_proba` are those of `classes_`. These are the three that it is
# least sure of.

proba = clf.predict_proba(X_new)
print(clf.classes_)
print(proba[np.argsort(proba.max(axis=1))[:3]].round(3))

# %%
# The weights of attention say how much each frame counts. The darker the ground of a
# beat, the more it was decided by; each weight stands for as many frames as the
# convolutions make one of.

figure, panels = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
stride = int(np.prod(clf.conv_strides_))
for axes, kind in zip(panels, clf.classes_[:2], strict=True):
    i = np.flatnonzero((y_new == kind) & (found == kind))[0]
    weights = clf.predict_attention(X_new[i : i + 1])[0]
    edges = np.arange(len(weights) + 1) * stride - stride / 2
    low, high = np.min(X_new[i]), np.max(X_new[i])
    shade = axes.pcolormesh(
        edges, [low - 0.2, high + 0.2], weights[np.newaxis], cmap="Blues"
    )
    axes.plot(X_new[i], color="C1")
    axes.set(title=f"{kind}", xlabel="frame")
    figure.colorbar(shade, ax=axes, label="weight")

# %%
# What is mistaken for what.

figure, axes = plt.subplots(figsize=(5.5, 4), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y_new,
    found,
    normalize="true",
    values_format=".1%",
    cmap="Blues",
    colorbar=False,
    ax=axes,
)
plt.show()
