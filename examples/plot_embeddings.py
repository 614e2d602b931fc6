"""
A map of ragged sequences
=========================

There is no obvious distance between sequences of different lengths, but there is one
between their codes: the autoencoder turns each sequence into a vector. A principal
component analysis then maps these vectors to a plane.
"""

# %%
# The data: runs of a machine, of 50 to 100 frames. One run in three is anomalous, in
# one of four ways.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import LSTMAutoencoder
from skseq.datasets import make_sensor_sequences

data = make_sensor_sequences(400, contamination=0.33, noise=0.05, random_state=0)
print(f"{len(data.sequences)} runs of {data.sequences[0].shape[1]} sensors,", end=" ")
print(f"{min(map(len, data.sequences))} to {max(map(len, data.sequences))} frames")

# %%
# From sequences to a plane, in one pipeline. The code has as many numbers as the
# network has units, and 32 are enough for three sensors.

mapper = make_pipeline(
    LSTMAutoencoder(units=32, random_state=0),
    StandardScaler(),
    PCA(2),
)
places = mapper.fit_transform(data.sequences)
print(f"variance shown: {mapper[-1].explained_variance_ratio_.sum():.2f}")

# %%
# Runs that begin in different phases of a turn lie on a circle: the phase is what
# distinguishes them most, although the network was never told about it. Nor was it told
# about the kinds of anomaly.

figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
for kind, marker in zip(np.unique(data.kind), "osv^D", strict=False):
    x, y = places[data.kind == kind].T
    axes.scatter(x, y, marker=marker, s=20, alpha=0.7, label=kind)
axes.set(xlabel="first component", ylabel="second component")
axes.legend(title="what is wrong")
plt.show()
