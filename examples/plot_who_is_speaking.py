"""
Who is speaking
===============

An embedder turns recordings into vectors in which those of one voice are near each
other, also of voices that it has never heard. A threshold then tells whether two
recordings are of one voice, and clusters tell how many speak.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# Sixty voices, ten recordings each, as log-mel frames. Each recording says something
# else, at another level and through another microphone. The embedder learns from 44
# voices; 8 others serve to find a threshold, and the last 8 to judge.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline

from skseq import SiameseSequenceEmbedder
from skseq.datasets import make_voices
from skseq.inspection import EmbeddingDisplay, PairScoresDisplay
from skseq.metrics import equal_error_rate

X, voice = make_voices(60, 10, random_state=0)
heard, tuning, unheard = voice < 44, (voice >= 44) & (voice < 52), voice >= 52


def chosen(which):
    """The recordings that are marked."""
    return [x for x, is_in in zip(X, which, strict=True) if is_in]


print(f"{len(X)} recordings of {min(map(len, X))} to {max(map(len, X))} frames")

# %%
# The embedder is told nothing but the voices of recordings, and draws its batches
# itself: several recordings of each of many voices. With ``crop`` it reads parts of
# half a second or more, drawn anew each time, which is faster and teaches it not to
# rely on what is said. Each recording's own mean is removed, since it tells the
# microphone.

embedder = SiameseSequenceEmbedder(crop=(50, 80), epochs=15, random_state=0)
embedder.fit(chosen(heard), voice[heard])
others, labels = chosen(unheard), voice[unheard]
print(f"equal error rate of new voices: {1 - embedder.score(others, labels):.3f}")

# %%
# The cosines of mean frames, which is what one would try first, tell hardly more than
# chance.

means = np.array([x.mean(axis=0) for x in others])
units = means / np.linalg.norm(means, axis=1, keepdims=True)
first, second = np.triu_indices(len(others), k=1)
alike = labels[first] == labels[second]
naive = equal_error_rate(alike, (units @ units.T)[first, second])
print(f"equal error rate of mean frames: {naive:.3f}")

# %%
# Is this one voice or are they two? From which score on, is found on pairs of voices
# that the embedder was not trained on: those that it was trained on look more alike
# than others ever will.


def pairs_of(recordings, labels):
    """Both sides of all pairs that are alike and of as many others, and the kinds."""
    first, second = np.triu_indices(len(labels), k=1)
    alike = labels[first] == labels[second]
    others = np.random.default_rng(0).permutation(np.flatnonzero(~alike))
    rows = np.concatenate([np.flatnonzero(alike), others[: np.count_nonzero(alike)]])
    A, B = ([recordings[i] for i in side[rows]] for side in (first, second))
    return A, B, np.where(alike[rows], 1, -1)


embedder.fit_threshold(*pairs_of(chosen(tuning), voice[tuning]))
A, B, alike = pairs_of(others, labels)
told = embedder.predict_pairs(A, B)
print(
    f"threshold {embedder.threshold_:.2f}, {np.mean(told == alike):.3f} of pairs right"
)

# %%
# The picture shows the scores of both kinds of pairs on the left. On the right are the
# rates of false accepts and false rejects that go together, whatever the threshold: a
# lock would choose a point farther left, a search one farther down.

PairScoresDisplay.from_estimator(embedder, A, B, alike)
plt.show()

# %%
# Who speaks in which recording, if nobody has been named? Behind the embedder any
# clustering of scikit-learn will do. ``FrozenEstimator`` keeps the pipeline from
# fitting it again.

clusters = make_pipeline(
    FrozenEstimator(embedder),
    AgglomerativeClustering(n_clusters=8, linkage="average"),
).fit_predict(others)
print(f"agreement of clusters with voices: {adjusted_rand_score(labels, clusters):.2f}")

# %%
# The embeddings of the eight new voices, in their two principal components.

EmbeddingDisplay.from_estimator(embedder, others, labels)
plt.show()
