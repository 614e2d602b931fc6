"""Captchas: exact-match accuracy and CTC loss on a held-out tenth, over seeds.

    python benchmarks/captcha.py --data-home DIR [--seeds 0 1 2]

The Keras example's network reports a validation CTC loss of 4.36 at best: the mean of
-log p(text | image) over the validation images, which is what is printed here.
"""

import argparse
import time

import keras
import numpy as np
from sklearn.model_selection import train_test_split

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_captchas
from skseq.metrics import label_error_rate, sequence_accuracy

EPOCHS = 60
STEPS_AN_EPOCH = 95


def make_classifier(**settings):
    """Small batches leave CTC's plateau sooner; small steps at the end settle it."""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
        [50 * STEPS_AN_EPOCH], [2e-3, 4e-4]
    )
    settings = {
        "encoder": "image",
        "units": (64, 64),
        "dropout": 0.1,
        "learning_rate": schedule,
        "batch_size": 8,
        "epochs": EPOCHS,
        **settings,
    }
    return CTCSequenceClassifier(**settings)


def run(data_home, seed, **settings):
    """Train on nine tenths, test on the rest; returns accuracy, loss and seconds.

    Ink is one and paper zero, as past the end of an image.
    """
    images, labels = fetch_captchas(data_home=data_home, return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        1 - images, labels, test_size=0.1, random_state=seed
    )
    start = time.perf_counter()
    clf = make_classifier(random_state=seed, **settings).fit(X, y)
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
    arguments = parser.parse_args()
    results = np.array(
        [run(arguments.data_home, s, epochs=arguments.epochs) for s in arguments.seeds]
    )
    accuracy, loss, seconds = results.mean(axis=0)
    print(
        f"mean of {len(results)}: exact match {accuracy:.4f}, CTC loss {loss:.4f}, "
        f"{seconds:.0f} s a fit"
    )


if __name__ == "__main__":
    main()
