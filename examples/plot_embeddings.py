"""
A map of ragged sequences
=========================

There is no obvious distance between sequences of different lengths, but there is one
between their codes: the autoencoder turns each sequence into a vector. A principal
component analysis then maps these vectors to a plane.
"""

# %%
# The data: runs of a machine, of 50 to 100 frames and three sensors. Each begins, and
# ends, in another phase of a turn.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import LSTMAutoencoder

rng = np.random.default_rng(0)
runs, phases = [], []
for n_frames in rng.integers(50, 101, size=400):
    turn = rng.uniform(0, 2 * np.pi) + 0.3 * np.arange(n_frames)
    phases.append(np.degrees(turn[-1]) % 360)
    angles = turn[:, np.newaxis] + [0, 1, 2]
    runs.append(np.sin(angles) + rng.normal(scale=0.1, size=angles.shape))
print(f"{len(runs)} runs of {min(map(len, runs))} to {max(map(len, runs))} frames")

# %%
# From sequences to a plane, in one pipeline. The code has as many numbers as the
# network has units, and 32 are enough for three sensors.

mapper = make_pipeline(
    LSTMAutoencoder(units=32, random_state=0),
    StandardScaler(),
    PCA(2),
)
places = mapper.fit_transform(runs)
print(f"variance shown: {mapper[-1].explained_variance_ratio_.sum():.2f}")

# %%
# The runs lie on a circle, in the order of the phases in which they end: that is what
# distinguishes them most, although the network was told neither of phases nor of
# circles.

figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
points = axes.scatter(*places.T, c=phases, cmap="twilight", s=20)
axes.set(xlabel="first component", ylabel="second component", aspect="equal")
figure.colorbar(
    points, label="phase of the last frame (degrees)", ticks=[0, 90, 180, 270, 360]
)
plt.show()
