"""
Reading captchas
================

A captcha shows five distorted characters, crossed by a line. Convolutions turn the
columns of an image into frames, and the classifier learns from whole words which
characters they show.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# The images are those of a Keras example. If they are not installed (see
# :func:`skseq.datasets.get_data_home`), strips of five handwritten digits take their
# place. To stay under two minutes, this example reads the images at half their size;
# ink is one and paper is zero. ``benchmarks/captcha.py`` reads them at full size, which
# takes several minutes.

import matplotlib.pyplot as plt
from sklearn.model_selection import train_test_split

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_captchas, make_digit_strips
from skseq.inspection import AlignmentDisplay, TrainingHistoryDisplay
from skseq.metrics import label_error_rate, sequence_accuracy

try:
    images, words = fetch_captchas(return_X_y=True)
    n_images, n_columns, height = images.shape
    halves = images.reshape(n_images, n_columns // 2, 2, height // 2, 2)
    X = list(1 - halves.mean(axis=(2, 4)))
except FileNotFoundError as error:
    print(f"Strips of digits instead: {error}")
    X, words = make_digit_strips(840, n_digits=(5, 5), noise=0.05, random_state=0)
X, X_new, y, y_new = train_test_split(X, words, test_size=0.1, random_state=0)
print(f"{len(X)} images to learn from, {len(X_new)} to read")

# %%
# The image front end pools twice, which leaves one frame for every four columns.

reader = CTCSequenceClassifier(front_end="image", epochs=40, random_state=0)
reader.fit(X, y, X_val=X_new, y_val=y_new)
predicted = reader.predict(X_new)
print(f"images exact:        {sequence_accuracy(y_new, predicted):.3f}")
print(f"characters in error: {label_error_rate(y_new, predicted):.3f}")

# %%
# At first the loss hardly falls: the network answers with blanks alone. Once it has
# found the characters, it learns quickly.

TrainingHistoryDisplay.from_estimator(reader, yscale="log")

# %%
# Some images, with the predicted text as titles.

figure, panels = plt.subplots(2, 3, figsize=(9, 3), layout="constrained")
for axes, image, word in zip(panels.flat, X_new, predicted, strict=False):
    axes.imshow(image.T, cmap="gray_r")
    axes.set(title=word, xticks=[], yticks=[])

# %%
# One image, and which frame gave which character.

figure, (above, below) = plt.subplots(
    2, 1, figsize=(8, 5), height_ratios=(1, 2), layout="constrained"
)
above.imshow(X_new[0].T, cmap="gray_r", aspect="auto")
above.set(xticks=[], yticks=[])
AlignmentDisplay.from_estimator(reader, X_new, ax=below, colorbar=False)
plt.show()
