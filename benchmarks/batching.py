"""Batches of similar lengths: what they save, and that learning does not suffer.

    python benchmarks/batching.py [--data-home DIR] [--save]

Trains the same classifier on spoken digit strings (strips of handwritten digits without
`--data-home`) with the batches of skseq and with plain shuffled ones, from the same
initial weights. Prints the mean validation loss of each epoch over several seeds, and
the seconds per fit. With `--save`, keeps the results and draws the documentation's
figure from them.
"""

import argparse
import json
import time
from unittest import mock

import numpy as np
from ctc_speed import digit_strings
from draw import draw_all
from side_by_side import RESULTS

from skseq import CTCSequenceClassifier
from skseq._data.batching import training_batches
from skseq._engine import training
from skseq.datasets import make_digit_strips
from skseq.preprocessing import SequenceNormalizer


def plain_batches(lengths, batch_size, rng, *, exact=False):
    """Shuffle the samples and cut them into batches."""
    order = rng.permutation(len(lengths))
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


WAYS = {"similar lengths": training_batches, "plain shuffling": plain_batches}


def data(n_samples, data_home):
    if data_home is None:
        return make_digit_strips(n_samples, random_state=0)
    X, y = digit_strings(n_samples, data_home)
    return SequenceNormalizer().fit_transform(X), [row.tolist() for row in y]


def curve(way, X, y, n_train, epochs, seed):
    """Validation loss of each epoch, and the seconds that the fit took."""
    classifier = CTCSequenceClassifier(
        units=64, conv_filters=64, epochs=epochs, learning_rate=3e-3, random_state=seed
    )
    start = time.perf_counter()
    with mock.patch.object(training, "training_batches", WAYS[way]):
        classifier.fit(X[:n_train], y[:n_train], X_val=X[n_train:], y_val=y[n_train:])
    return classifier.history_["val_loss"], time.perf_counter() - start


def padding_share(way, lengths, batch_size=32):
    """Share of the frames in an epoch's batches that are padding."""
    batches = list(WAYS[way](lengths, batch_size, np.random.default_rng(0)))
    n_padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    return 1 - lengths.sum() / n_padded


def summary(way, found, lengths) -> dict:
    """The padding, the seconds per fit, and the range of losses per epoch."""
    losses = np.array([losses for losses, _ in found])
    return {
        "way": way,
        "padding": padding_share(way, lengths),
        "seconds": float(np.median([seconds for _, seconds in found])),
        "mean": losses.mean(axis=0).tolist(),
        "lowest": losses.min(axis=0).tolist(),
        "highest": losses.max(axis=0).tolist(),
    }


def save(ways) -> None:
    """Keep the results, with four digits each and one line per way."""
    rounded = json.loads(json.dumps(ways), parse_float=four_digits)
    lines = ",\n".join(f" {json.dumps(way)}" for way in rounded)
    (RESULTS / "batching.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    draw_all()


def four_digits(text) -> float:
    return float(f"{float(text):.4g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    X, y = data(1200, args.data_home)
    lengths = np.array([len(x) for x in X[:1000]])
    ways = []
    for way in WAYS:
        found = [curve(way, X, y, 1000, args.epochs, s) for s in range(args.seeds)]
        ways.append(summary(way, found, lengths))
        print(
            f"{way}: {ways[-1]['padding']:.0%} padding, "
            f"{ways[-1]['seconds']:.1f} s per fit, "
            f"validation loss {np.round(ways[-1]['mean'], 3).tolist()}",
            flush=True,
        )
    if args.save:
        save(ways)


if __name__ == "__main__":
    main()
