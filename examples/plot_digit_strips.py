"""
Reading strips of handwritten digits
====================================

A strip holds one to eight handwritten digits side by side, with random gaps. The
classifier is told which digits a strip holds, but never where one starts or ends. It
works that out, and you can ask it.
"""

# %%
# The data: a list of arrays of different lengths, whose rows are the columns of a
# strip, and a list of strings. No image on the test strips was seen in training. To
# stay under a minute there are only 1,000 strips; ``examples/quickstart.py`` searches
# on 2,000.

import matplotlib.pyplot as plt

from skseq import CTCSequenceClassifier
from skseq.datasets import make_digit_strips
from skseq.inspection import (
    AlignmentDisplay,
    LabelConfusionDisplay,
    TrainingHistoryDisplay,
)
from skseq.metrics import label_error_rate, sequence_accuracy

X, y = make_digit_strips(1000, noise=0.05, random_state=0)
X_new, y_new = make_digit_strips(300, subset="test", random_state=1)

figure, panels = plt.subplots(3, 1, figsize=(8, 3), layout="constrained")
for axes, strip, digits in zip(panels, X, y, strict=False):
    axes.imshow(strip.T, cmap="gray_r")
    axes.set(title=digits, xticks=[], yticks=[])

# %%
# The classifier takes a strip as an image, whose columns are the frames. The front end
# pools them, which leaves a quarter of them. A few epochs are enough for an example.

reader = CTCSequenceClassifier(front_end="image", epochs=12, random_state=0)
reader.fit(X, y, X_val=X_new[:100], y_val=y_new[:100])
predicted = reader.predict(X_new[100:])
print(f"digits in error: {label_error_rate(y_new[100:], predicted):.3f}")
print(f"strips exact:    {sequence_accuracy(y_new[100:], predicted):.3f}")

# %%
# How training went. The validation loss is that of images never seen in training.

TrainingHistoryDisplay.from_estimator(reader, yscale="log")

# %%
# Where the digits lie. Between them the network is sure of the blank.

AlignmentDisplay.from_estimator(reader, X_new, y_new, sample=100)

# %%
# Which digits are confused, left out or inserted.

LabelConfusionDisplay.from_estimator(reader, X_new[100:], y_new[100:])
plt.show()
