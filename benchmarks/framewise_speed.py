"""One class per sequence: speed of training beside Keras and PyTorch.

    python benchmarks/framewise_speed.py

Noise of 26 to 530 frames with 13 features, and ten classes. All libraries train the
same network, a bidirectional LSTM whose final states are classified, without dropout,
by Adam in batches of 32. Times are of a whole epoch; ours are of `partial_fit` with all
its checks. PyTorch runs with one thread and with one per core. Only the benchmarks need
it.
"""

from functools import partial

import numpy as np
from peers.keras_classifier import KerasClassifier
from side_by_side import measure, rows_of, run, sequences_of, torch_ways

from skseq import SequenceClassifier

BATCH_SIZE, N_CLASSES = 32, 10

# Of training: the units, and the aim beside each library.
TRAINING = ((64, {"Keras": 3, "PyTorch": 1.2}), (128, {"Keras": 3, "PyTorch": 1.2}))


def training(X, y, units, aims, n_rounds):
    """Sequences per second over whole epochs."""
    given = X, y, N_CLASSES, units, BATCH_SIZE
    ours = SequenceClassifier(
        units=units,
        conv_filters=(),
        dropout=0.0,
        pooling="last",
        global_clipnorm=None,
        batch_size=BATCH_SIZE,
        random_state=0,
    )
    tasks = {
        "skseq": partial(ours.partial_fit, X, y),
        "Keras, padded": KerasClassifier(*given).train_epoch,
        **torch_ways(partial(torch_epoch, given)),
    }
    rates = measure({n: (task, len(X)) for n, task in tasks.items()}, n_rounds)
    work = f"classifier training, {units} units"
    yield from rows_of(work, rates, aims, "sequences per second")


def torch_epoch(given, n_threads):
    from peers.torch_classifier import TorchClassifier

    return TorchClassifier(*given, n_threads).train_epoch


def rows(n_samples, n_rounds):
    X = sequences_of(n_samples, 26, 530, 13)
    y = np.random.default_rng(0).integers(N_CLASSES, size=n_samples)
    for units, aims in TRAINING:
        yield from training(X, y, units, aims, n_rounds)


if __name__ == "__main__":
    run(__doc__, rows, n_samples=1000, n_rounds=5)
