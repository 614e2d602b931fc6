"""LSTM autoencoder: training speed beside Keras and PyTorch.

    python benchmarks/autoencoder_speed.py

Random sequences of 40 to 200 frames of 8 features. One LSTM of 64 units encodes each
sequence to a code; a second one decodes it, and reads the code or its own last output
at each step. Adam trains them in batches of 32. PyTorch trains the same networks. The
one in Keras is that of its tutorials, whose decoder reads the code in both rows. Times
are of five epochs; ours include all checks of `fit` and the scoring of the training
data at its end, which the others do without.
"""

import warnings
from functools import partial

from peers.keras_autoencoder import KerasAutoencoder
from side_by_side import measure, rows_of, run, sequences_of, torch_ways
from sklearn.exceptions import ConvergenceWarning

from skseq import LSTMAutoencoder

BATCH_SIZE, UNITS, N_EPOCHS = 32, 64, 5


def coder(**settings):
    """Ours as the peers are: one direction, whose gradients are not clipped."""
    plain = {
        "units": UNITS,
        "bidirectional": False,
        "batch_size": BATCH_SIZE,
        "global_clipnorm": None,
        "random_state": 0,
    }
    return LSTMAutoencoder(**plain | settings)


def epochs_of(peer):
    for _ in range(N_EPOCHS):
        peer.train_epoch()


def torch_tasks(given, decoder_input):
    """All ways in which PyTorch can run the decoder, with one thread and with more."""
    tasks = {}
    for name, epochs in torch_ways(partial(torch_epochs, given, decoder_input)).items():
        tasks |= {f"{name}{way}": task for way, task in epochs.items()}
    return tasks


def torch_epochs(given, decoder_input, n_threads):
    from peers.torch_autoencoder import DECODERS, TorchAutoencoder

    return {
        way: partial(epochs_of, TorchAutoencoder(*given, decode, n_threads))
        for way, decode in DECODERS[decoder_input].items()
    }


def rows(n_samples, n_rounds):
    warnings.simplefilter("ignore", ConvergenceWarning)  # noise cannot be learned
    X = sequences_of(n_samples, 40, 200, 8)
    for decoder_input in ("code", "output"):
        ours = coder(decoder_input=decoder_input, epochs=N_EPOCHS)
        tasks = {"skseq": partial(ours.fit, X)}
        keras = KerasAutoencoder(X, UNITS, BATCH_SIZE)
        tasks["Keras, padded"] = partial(epochs_of, keras)
        tasks |= torch_tasks((X, UNITS, BATCH_SIZE), decoder_input)
        rates = measure(
            {n: (task, N_EPOCHS * len(X)) for n, task in tasks.items()}, n_rounds
        )
        work = f'autoencoder training, decoder_input="{decoder_input}"'
        aims = {"Keras": 4, "PyTorch": 2}
        yield from rows_of(work, rates, aims, "sequences per second")


if __name__ == "__main__":
    run(__doc__, rows, n_samples=600, n_rounds=5)
