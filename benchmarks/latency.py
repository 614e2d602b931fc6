"""One sequence alone: how long an answer takes, beside PyTorch.

    python benchmarks/latency.py

A sequence of 100 frames for CTC (13 features, 128 units in two directions) and for the
autoencoder's scores (8 features, 64 units), a number of four digits for the translator
(128 units), which writes it in words. Ours are the public methods with all their
checks. PyTorch runs the same network without gradients, in one thread, and is given
tensors, or ids. Times are medians of many calls, made in turns.
"""

import time
import warnings
from functools import partial

import numpy as np
from autoencoder_speed import coder
from ctc_speed import classifier
from side_by_side import Row, run, sequences_of, torch_ways
from sklearn.exceptions import ConvergenceWarning
from translation_speed import BATCH_SIZE, UNITS, Ours, numbered, numbers


def ctc():
    """From frames to labels."""
    X = sequences_of(20, 100, 100, 13)
    y = [[i % 10] for i in range(len(X))]
    ours = classifier(128, epochs=1).fit(X, y)
    return partial(ours.predict, X[:1]), partial(torch_ctc, X, y)


def torch_ctc(X, y):
    import torch
    from peers.torch_ctc import TorchCTC

    peer = TorchCTC(X[:1], [np.array(y[0])], 10, 128, 1, 1)
    frames, reversing, *_ = peer.batches[0]

    @torch.inference_mode()
    def predict():
        torch.set_num_threads(1)
        return peer.network(frames, reversing).argmax(-1).numpy()

    return predict


def autoencoder():
    """From frames to a score."""
    X = sequences_of(20, 100, 100, 8)
    ours = coder(standardize=False, epochs=1).fit(X)
    return partial(ours.score_samples, X[:1]), partial(torch_autoencoder, X)


def torch_autoencoder(X):
    import torch
    from peers.torch_autoencoder import TorchAutoencoder, reading_the_code

    peer = TorchAutoencoder(X[:1], 64, 1, reading_the_code, 1)
    frames, lengths, _ = peer.batches[0]

    @torch.inference_mode()
    def score():
        torch.set_num_threads(1)
        return (peer.network(frames, lengths) - frames).square().mean().item()

    return score


def translator():
    """From digits to words."""
    sources, targets = map(list, numbers(200, None))
    ours = Ours(sources, targets)
    ours.train_epoch()
    source = next(s for s in sources if len(s) == 4)
    n_tokens = len(targets[sources.index(source)])
    given = sources, targets, source, n_tokens
    return (
        partial(ours.decode, [source], n_tokens, 1),
        partial(torch_translator, *given),
    )


def torch_translator(sources, targets, source, n_tokens):
    from peers.torch_seq2seq import TorchTranslator

    place = sources.index(source)
    (sources, n_source_ids), (targets, end) = numbered(sources), numbered(targets)
    ids = sources, targets, n_source_ids, end + 1, end
    peer = TorchTranslator(*ids, UNITS, BATCH_SIZE, 1)
    return partial(peer.decode, [sources[place]], n_tokens, 1)


# By what is asked: how to make both ways, and the aim in milliseconds.
TASKS = {
    "CTC, one sequence of 100 frames": (ctc, 1.5),
    "autoencoder, score of one sequence of 100 frames": (autoencoder, 1.5),
    "translator, one number in words": (translator, 4),
}


def milliseconds(functions, n_calls):
    """The median time of each function, called in turns."""
    times = np.empty((n_calls, len(functions)))
    for row in times:
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            row[i] = time.perf_counter() - start
    return 1e3 * np.median(times, axis=0)


def rows(n_calls):
    warnings.simplefilter("ignore", ConvergenceWarning)  # noise cannot be learned
    for work, (make, aim) in TASKS.items():
        ours, make_peer = make()
        peers = torch_ways(lambda n_threads, make=make_peer: make())
        functions = [ours, *list(peers.values())[:1]]
        for function in functions:  # traces what is not traced yet
            function()
        own, *others = milliseconds(functions, n_calls)
        theirs = others[0] if others else np.nan
        figures = own, theirs, "milliseconds", own
        yield Row(work, "PyTorch, 1 thread", *figures, aim, "latency")


if __name__ == "__main__":
    run(__doc__, rows, n_calls=200)
