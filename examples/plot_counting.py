"""
An estimate that gets better with each frame
============================================

Each sequence shows a constant vector through noise. The regressor says, at each frame,
what the vector is; the best that can be done is nearly the mean of all frames so far.
"""

# %%
# There are four numbers per frame, and the same four, without noise, to be predicted at
# each of them. The network reads forward only, without convolutions: it knows no more
# than has come. Dropout would add noise of its own to numbers, so it is left out; a GRU
# with a higher rate learns to average sooner than the default. `step_weight="sqrt"`
# lets later estimates count more, by the square root of the frame's place.

import matplotlib.pyplot as plt
import numpy as np

from skseq import SequenceRegressor
from skseq.datasets import make_counting

X, y = make_counting(8000, random_state=0)
X_new, y_new = make_counting(500, min_frames=100, random_state=1)
reg = SequenceRegressor(
    bidirectional=False,
    conv_filters=(),
    cell="gru",
    units=64,
    dropout=0.0,
    learning_rate=1e-2,
    step_weight="sqrt",
    random_state=0,
)
reg.fit(X, y)

# %%
# The mean of all frames so far stands beside it.

places = np.arange(100) + 1
found = np.stack(list(reg.predict(X_new)))
means = np.cumsum(X_new, axis=1) / places[:, np.newaxis]
errors = {
    name: np.square(part - np.stack(y_new)).mean(axis=(0, 2))
    for name, part in (("network", found), ("running mean", means))
}
for name, error in errors.items():
    print(f"{name}: squared error {error[0]:.3f} at first, {error[-1]:.4f} at last")

# %%
# One sequence, and the error at each frame over all of them.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
left.plot(X_new[0][:, 0], ".", color="0.7", label="seen")
left.plot(found[0, :, 0], color="C0", label="network")
left.plot(means[0, :, 0], "--", color="C1", label="running mean")
left.axhline(y_new[0][0, 0], color="black", lw=1, label="truth")
left.set(xlabel="frame", ylabel="first number", title="One sequence")
left.legend()
for (name, error), style in zip(errors.items(), ("-", "--"), strict=True):
    right.loglog(places, error, style, label=name)
right.set(xlabel="frame", ylabel="squared error", title="All of them")
right.legend()
plt.show()
