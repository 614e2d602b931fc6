"""
Handwritten numbers from PNG files
==================================

A folder of images of different widths, each named by what is written on it. Everything
after ``write_images`` is what you would write for your own images.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.model_selection import train_test_split

from skseq import CTCSequenceClassifier
from skseq.datasets import make_digit_strips
from skseq.metrics import label_error_rate


def write_images(folder, n_images=400):
    """Write 0000-79427.png and so on: dark ink on white paper, 8 pixels high."""
    strips, numbers = make_digit_strips(n_images, random_state=0)
    for i, (strip, number) in enumerate(zip(strips, numbers, strict=True)):
        pixels = 255 - np.round(255 * strip.T / strip.max())  # (height, width)
        path = folder / f"{i:04}-{number}.png"
        Image.fromarray(pixels.astype("uint8")).save(path)


def solve(folder):
    paths = sorted(folder.glob("*.png"))
    images = [np.asarray(Image.open(path).convert("L")) for path in paths]
    X = [1 - image.T / 255 for image in images]  # columns are frames, ink is one
    y = [path.stem.split("-")[1] for path in paths]
    X, X_new, y, y_new = train_test_split(X, y, test_size=0.2, random_state=0)
    reader = CTCSequenceClassifier(random_state=0).fit(X, y)
    predicted = reader.predict(X_new)
    print(f"{predicted[0]} is read where {y_new[0]} is written")
    print(f"digits in error: {label_error_rate(y_new, predicted):.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        write_images(Path(name))
        solve(Path(name))
