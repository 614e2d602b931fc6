"""
Captchas of a known form
========================

Every captcha here shows five characters. A reader that was trained for a short time
finds four or six of them at times; told of the form by a pattern, it finds the best
five.
"""

# %%
# The images are those of a Keras example, at half their size; ink is one and paper is
# zero. If they are not installed (see :func:`skseq.datasets.get_data_home`), strips of
# five handwritten digits take their place.

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_captchas, make_digit_strips
from skseq.metrics import label_error_rate, sequence_accuracy

try:
    images, words = fetch_captchas(return_X_y=True)
    n_images, n_columns, height = images.shape
    halves = images.reshape(n_images, n_columns // 2, 2, height // 2, 2)
    X = list(1 - halves.mean(axis=(2, 4)))
except FileNotFoundError as error:
    print(f"Strips of digits instead: {error}")
    X, words = make_digit_strips(840, n_digits=(5, 5), noise=0.1, random_state=0)
X, X_new, y, y_new = train_test_split(X, words, test_size=0.4, random_state=0)
print(f"{len(X)} images to learn from, {len(X_new)} to read")

# %%
# Few images and few epochs leave some characters in doubt.

reader = CTCSequenceClassifier(
    front_end="image", decoder="beam", epochs=24, random_state=0
)
reader.fit(X, y)
found = {}


def read(name):
    found[name] = np.array(reader.predict(X_new))
    lengths = Counter(map(len, found[name]))
    print(
        f"{name:<8} exact {sequence_accuracy(y_new, found[name]):.3f}, characters in "
        f"error {label_error_rate(y_new, found[name]):.3f}, lengths {dict(lengths)}"
    )


read("alone")

# %%
# The pattern is a regular expression that the whole output matches. It can be set after
# ``fit``: the network stays as it is, and only the search is told.

reader.set_params(pattern=".{5}")
read("pattern")

# %%
# Images that the pattern reads otherwise.

changed = np.flatnonzero(found["alone"] != found["pattern"])[:6]
figure, panels = plt.subplots(2, 3, figsize=(9, 3.6), layout="constrained")
for axes, i in zip(panels.flat, changed, strict=False):
    axes.imshow(X_new[i].T, cmap="gray_r", aspect="auto")
    alone, told = found["alone"][i], found["pattern"][i]
    axes.set_title(f"alone: {alone}\npattern: {told}")
for axes in panels.flat:
    axes.set(xticks=[], yticks=[])
plt.show()
