"""
Gestures compared in pairs
==========================

Often nobody can say which class a recording has, but whether two of them are alike. An
embedder learns from such pairs, and then compares gestures that it has never seen with
one recording of each.
"""

# %%
# An accelerometer in the hand records ten figures. Seven are known in pairs; the
# other three are made up later by users, who draw each once to show it.

import matplotlib.pyplot as plt
import numpy as np

from skseq import SiameseSequenceEmbedder
from skseq.datasets import make_gestures
from skseq.inspection import EmbeddingDisplay, PairScoresDisplay

X, figure = make_gestures(1000, n_classes=10, weights=None, random_state=0)
is_new = figure >= 7
known, later = np.array_split(np.flatnonzero(~is_new), 2)
new = np.flatnonzero(is_new)
names = {7: "eight", 8: "square", 9: "lift"}


def pairs_of(rows, n_pairs, seed):
    """Recordings in pairs, of which half are alike, and whether they are."""
    rng = np.random.default_rng(seed)
    first = rng.choice(rows, n_pairs)
    second = [
        rng.choice(others[(figure[others] == figure[i]) == (k % 2)])
        for k, i in enumerate(first)
        for others in [rows[rows != i]]
    ]
    alike = np.where(figure[first] == figure[second], 1, -1)
    return [X[i] for i in first], [X[i] for i in second], alike


A, B, alike = pairs_of(known, 1500, seed=0)
print(f"{len(alike)} pairs, {np.mean(alike == 1):.2f} of them alike")

# %%
# ``fit_pairs`` takes both sides of the pairs and whether they are alike. Each
# recording's mean is removed, and gravity with it, which only tells how the hand holds
# the sensor.

embedder = SiameseSequenceEmbedder(epochs=15, random_state=0)
embedder.fit_pairs(A, B, alike)

# %%
# Other recordings of the seven figures, and recordings of the new ones: are they alike?

for what, rows in {"known": later, "new": new}.items():
    A, B, alike = pairs_of(rows, 600, seed=1)
    right = np.mean(embedder.predict_pairs(A, B) == alike)
    print(f"{right:.3f} of the pairs of {what} figures are told right")

PairScoresDisplay.from_estimator(embedder, A, B, alike)
plt.show()

# %%
# On the right the threshold lies far from the diagonal: it was found on pairs of known
# figures, and rejects too many of the new ones. A few pairs of these set it anew, and
# with it the probability of being alike.

embedder.fit_threshold(*pairs_of(new, 300, seed=2))
right = np.mean(embedder.predict_pairs(A, B) == alike)
print(f"{right:.3f} of the pairs of new figures are told right now")
chances = embedder.predict_proba_pairs(A[:4], B[:4])[:, 1]
for chance, truth in zip(chances, alike[:4], strict=True):
    print(f"alike with probability {chance:.2f}: {'yes' if truth == 1 else 'no'}")

# %%
# To be told apart, a figure needs a single recording: another belongs to that which it
# is most alike.

shown = [new[figure[new] == label][0] for label in names]
asked = np.setdiff1d(new, shown)
scores = [
    embedder.pair_score([X[i]] * len(asked), [X[k] for k in asked]) for i in shown
]
found = np.array(list(names))[np.argmax(scores, axis=0)]
right = np.mean(found == figure[asked])
print(f"{right:.3f} of {len(asked)} recordings are recognized by one example of each")

# %%
# The three new figures, in a plane.

EmbeddingDisplay.from_estimator(
    embedder, [X[i] for i in new], [names[label] for label in figure[new]]
)
plt.show()
