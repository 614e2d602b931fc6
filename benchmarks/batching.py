"""Batches of similar lengths: what they save, and that learning does not suffer.

    python benchmarks/batching.py [--data-home DIR] [--save FILE.svg]

Trains the same classifier on spoken digit strings (strips of written digits without
`--data-home`) with the batches of skseq and with plain shuffled ones, from the same
first weights, and prints the validation loss of every epoch, the mean of some seeds,
with the seconds that it took.
"""

import argparse
import time
from unittest import mock

import numpy as np
from ctc_speed import digit_strings

from skseq import CTCSequenceClassifier, _training
from skseq._batching import training_batches
from skseq.datasets import make_digit_strips
from skseq.preprocessing import SequenceNormalizer


def plain_batches(lengths, batch_size, rng, *, exact=False):
    """Shuffled and cut."""
    order = rng.permutation(len(lengths))
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


WAYS = {"similar lengths": training_batches, "plain shuffling": plain_batches}


def data(n_samples, data_home):
    if data_home is None:
        return make_digit_strips(n_samples, random_state=0)
    X, y = digit_strings(n_samples, data_home)
    return SequenceNormalizer().fit_transform(X), [row.tolist() for row in y]


def curve(way, X, y, n_train, epochs, seed):
    """Validation loss of each epoch, and the seconds of the fit."""
    classifier = CTCSequenceClassifier(
        units=64, conv_filters=64, epochs=epochs, learning_rate=3e-3, random_state=seed
    )
    start = time.perf_counter()
    with mock.patch.object(_training, "training_batches", WAYS[way]):
        classifier.fit(X[:n_train], y[:n_train], X_val=X[n_train:], y_val=y[n_train:])
    return classifier.history_["val_loss"], time.perf_counter() - start


def padding_share(way, lengths, batch_size=32):
    """Share of all frames of an epoch's batches that are padding."""
    batches = list(WAYS[way](lengths, batch_size, np.random.default_rng(0)))
    n_padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    return 1 - lengths.sum() / n_padded


def draw(curves, seconds, path):
    """The same curves by epochs and by seconds."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(
        1, 2, figsize=(9, 3.5), sharey=True, layout="constrained"
    )
    for way, color in zip(WAYS, ("#0072b2", "#e69f00"), strict=True):
        losses = curves[way]
        epochs = np.arange(1, losses.shape[1] + 1)
        for ax, step in zip(panels, (1, seconds[way] / len(epochs)), strict=True):
            ax.plot(epochs * step, losses.mean(axis=0), color=color, label=way)
            low, high = losses.min(axis=0), losses.max(axis=0)
            ax.fill_between(epochs * step, low, high, color=color, alpha=0.2)
    panels[0].set(xlabel="epoch", ylabel="validation loss", yscale="log")
    panels[1].set(xlabel="seconds", xlim=(0, min(seconds.values())))
    panels[0].legend()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--save")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    X, y = data(1200, args.data_home)
    lengths = np.array([len(x) for x in X[:1000]])
    curves, seconds = {}, {}
    for way in WAYS:
        found = [curve(way, X, y, 1000, args.epochs, s) for s in range(args.seeds)]
        curves[way] = np.array([losses for losses, _ in found])
        seconds[way] = np.median([taken for _, taken in found])
        print(
            f"{way}: {padding_share(way, lengths):.0%} padding, "
            f"{seconds[way]:.1f} s a fit, "
            f"validation loss {curves[way].mean(axis=0).round(3).tolist()}",
            flush=True,
        )
    if args.save:
        draw(curves, seconds, args.save)


if __name__ == "__main__":
    main()
