"""LSTM autoencoder: training speed beside Keras and PyTorch.

    python benchmarks/autoencoder_speed.py

Random sequences of 40 to 200 frames of 8 features. The network is an LSTM of 64 units
to a code, and one that sees the code at every step; trained by Adam in batches of 32. A
time is that of a whole epoch, ours of `partial_fit` with all its checks.
"""

import warnings
from functools import partial

from peers.keras_autoencoder import KerasAutoencoder
from side_by_side import measure, rows_of, run, sequences_of, torch_ways
from sklearn.exceptions import ConvergenceWarning

from skseq import LSTMAutoencoder

BATCH_SIZE, UNITS = 32, 64


def rows(n_samples, n_rounds):
    from peers.torch_autoencoder import TorchAutoencoder

    warnings.simplefilter("ignore", ConvergenceWarning)  # noise cannot be learnt
    X = sequences_of(n_samples, 40, 200, 8)
    for decoder in ("repeat", "conditional"):
        ours = LSTMAutoencoder(
            units=UNITS,
            bidirectional=False,
            decoder=decoder,
            batch_size=BATCH_SIZE,
            random_state=0,
        )
        tasks = {"skseq": partial(ours.partial_fit, X)}
        tasks["Keras, padded"] = KerasAutoencoder(X, UNITS, BATCH_SIZE).train_epoch
        given = X, UNITS, BATCH_SIZE
        tasks |= torch_ways(lambda n: TorchAutoencoder(*given, n).train_epoch)  # noqa: B023
        rates = measure({n: (task, len(X)) for n, task in tasks.items()}, n_rounds)
        work = f'autoencoder training, decoder="{decoder}"'
        aims = {"Keras": 4, "PyTorch": 1.3}
        yield from rows_of(work, rates, aims, "sequences a second")


if __name__ == "__main__":
    run(__doc__, rows, n_samples=600, n_rounds=5)
