"""Captchas: exact-match accuracy and CTC loss on a held-out tenth, over seeds.

    python benchmarks/captcha.py --data-home DIR [--seeds 0 1 2] [--defaults]

With `--defaults`, no parameter is set but `front_end="image"`, and the images are not
changed. The network of the Keras example reaches a validation CTC loss of 4.36 at best.
That is the mean of -log p(text | image) over the validation images, as printed here.

Without `--defaults`, the network also trains on squeezed images: the more frames there
are per label, the longer training stays on CTC's plateau. The squeezed ones it learns
to read within a few epochs, and the others soon after. Stretched images add variety.
"""

import argparse
import time

import keras
import numpy as np
from scipy.interpolate import make_interp_spline
from sklearn.model_selection import train_test_split

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_captchas
from skseq.metrics import label_error_rate, sequence_accuracy

EPOCHS = 12
SLOW_EPOCHS = 3
WIDTHS = ((90, 110), (180, 220))


def make_classifier(n_samples, epochs, **settings):
    """Three poolings leave 25 of 200 frames; small steps settle it at the end."""
    batch_size = 8
    steps = -(-n_samples // batch_size) * max(1, epochs - SLOW_EPOCHS)
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([steps], [2e-3, 4e-4])
    return CTCSequenceClassifier(
        front_end="image",
        front_end__filters=(32, 64, 64),
        units=(64, 64),
        dropout=0.25,
        learning_rate=schedule,
        batch_size=batch_size,
        epochs=epochs,
        **settings,
    )


def with_other_widths(images, labels, seed):
    """Add a squeezed and a stretched copy of each image, of random widths."""
    rng = np.random.default_rng(seed)
    copies = [
        change_width(image, rng.integers(*widths, endpoint=True))
        for widths in WIDTHS
        for image in images
    ]
    return [*images, *copies], labels * (1 + len(WIDTHS))


def change_width(image, width):
    """Resample an image's columns: each new one is the mean of those it covers."""
    total = np.cumsum(np.pad(image, ((1, 0), (0, 0))), axis=0, dtype="float64")
    edges = np.linspace(0, len(image), width + 1)
    covered = make_interp_spline(np.arange(len(total)), total, k=1)(edges)
    return (np.diff(covered, axis=0) * width / len(image)).astype("float32")


def run(data_home, seed, epochs, defaults=False):
    """Train on nine tenths and test on the rest; return accuracy, loss and seconds.

    Ink is one and paper zero, as is the padding after an image.
    """
    images, labels = fetch_captchas(data_home=data_home, return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        1 - images, labels, test_size=0.1, random_state=seed
    )
    if defaults:
        clf = CTCSequenceClassifier(front_end="image", random_state=seed)
    else:
        X, y = with_other_widths(X, y, seed)
        clf = make_classifier(len(X), epochs, random_state=seed)
    start = time.perf_counter()
    clf.fit(X, y)
    seconds = time.perf_counter() - start
    predicted = clf.predict(X_test)
    accuracy = sequence_accuracy(y_test, predicted)
    loss = -clf.score_samples(X_test, y_test).mean()
    print(
        f"seed {seed}: exact match {accuracy:.4f} of {len(y_test)}, label error rate "
        f"{label_error_rate(y_test, predicted):.4f}, CTC loss {loss:.4f}, "
        f"{clf.n_iter_} epochs in {seconds:.0f} s",
        flush=True,
    )
    return accuracy, loss, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--defaults", action="store_true")
    args = parser.parse_args()
    results = np.array(
        [run(args.data_home, s, args.epochs, args.defaults) for s in args.seeds]
    )
    accuracy, loss, seconds = results.mean(axis=0)
    print(
        f"mean of {len(results)}: exact match {accuracy:.4f}, CTC loss {loss:.4f}, "
        f"{seconds:.0f} s per fit"
    )


if __name__ == "__main__":
    main()
