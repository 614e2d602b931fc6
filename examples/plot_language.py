"""
What a reader knows of the language
===================================

Dates of eight digits are read from noisy strips by a network that has only seen random
digits. It knows nothing of days and months. The search can be told, without training
again: by a pattern, by a list of all dates, or by an n-gram model that learns from
other dates which digits follow which.
"""

# %%
# The data: strips of random digits to learn from, and strips with dates to read. The
# dates of one part are for choosing, those of the other for testing.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator

from skseq import CTCSequenceClassifier
from skseq.datasets import make_digit_strips
from skseq.language import NgramModel
from skseq.metrics import label_error_rate, sequence_accuracy

days = np.arange("1950-01-01", "2024-01-01", dtype="datetime64[D]").astype(str)
days = [day[8:] + day[5:7] + day[:4] for day in days]
dates = np.random.default_rng(0).permutation(days).tolist()

X, y = make_digit_strips(600, noise=0.4, random_state=0)
X_val, y_val = make_digit_strips(strings=dates[:100], noise=0.4, random_state=1)
X_new, y_new = make_digit_strips(
    strings=dates[100:300], noise=0.4, subset="test", random_state=2
)
print(f"learnt from: {y[:3]}; read: {y_new[:3]}")

# %%
# The reader, and a function that measures how it reads the dates.

reader = CTCSequenceClassifier(decoder="beam", epochs=25, random_state=0).fit(X, y)
exact = {}


def measure(name):
    found = reader.predict(X_new)
    exact[name] = sequence_accuracy(y_new, found)
    errors = label_error_rate(y_new, found)
    print(f"{name:<12} label error rate {errors:.3f}, exact {exact[name]:.3f}")
    return found


nothing = measure("nothing")

# %%
# The form of a date as a regular expression. It also allows the 31st of February.

reader.set_params(pattern=r"[0-3]\d[01]\d(19|20)\d\d")
measure("a pattern")

# %%
# All dates there are, 27,028 of them.

reader.set_params(pattern=None, lexicon=days)
in_lexicon = measure("all dates")

# %%
# A model of other dates, 5,000 of them. What its log-probabilities are multiplied by,
# and what each label is worth, is chosen on dates that are not tested on;
# `fit_decoding` runs the network once for all combinations.

model = NgramModel(order=5, smoothing="witten_bell").fit(dates[300:5300])
reader.set_params(lexicon=None, language_model=FrozenEstimator(model))
grid = {"lm_weight": [0.5, 1.0, 2.0], "insertion_bonus": [0.0, 1.0, 2.0, 3.0]}
reader.fit_decoding(X_val, y_val, grid)
print(f"lm_weight={reader.lm_weight}, insertion_bonus={reader.insertion_bonus}")
measure("a 5-gram")

# %%
# Each hypothesis has the log-probability that the network gives it, and what it has in
# the language; the search ranks them by the sum.

for found in reader.predict_n_best(X_new[:1], n=3)[0]:
    print(
        f"{found.labels}: {found.log_probability:6.2f} by the network, "
        f"{found.language_log_weight:6.2f} by the language"
    )
print(f"written: {y_new[0]}")

# %%
# The more the search knows, the more dates are right.

figure, ax = plt.subplots(figsize=(7, 2.4), layout="constrained")
bars = ax.barh(list(exact), list(exact.values()))
ax.bar_label(bars, fmt="%.2f", padding=3)
ax.invert_yaxis()
ax.set(xlabel="share of dates that are exact", xlim=(0, 1))

# %%
# One strip that only the list of dates makes right.

right = np.flatnonzero((in_lexicon == y_new) & (nothing != y_new))
sample = int(right[0])
figure, ax = plt.subplots(figsize=(8, 1.4), layout="constrained")
ax.imshow(X_new[sample].T, cmap="gray_r", aspect="auto")
ax.set(xticks=[], yticks=[])
ax.set_title(f"read alone: {nothing[sample]}, among all dates: {in_lexicon[sample]}")
plt.show()
