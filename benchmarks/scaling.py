"""How time and memory grow with the data, and how close a step is to the hardware.

    python benchmarks/scaling.py

Times are of `partial_fit` on an estimator whose network has been traced. The
floating-point rate of a training step is compared with that of the same matrix products
alone, done one after the other.
"""

import gc
import os
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from side_by_side import Row, measure, run, sequences_of
from sklearn.exceptions import ConvergenceWarning

from skseq import CTCSequenceClassifier, LSTMAutoencoder, Seq2SeqTranslator
from skseq.datasets import make_symbol_sequences

N_FRAMES, N_FEATURES, BATCH_SIZE = 200, 256, 32
LARGER = {
    "on 10 times the sequences": "a tenth of the sequences",
    "on sequences 10 times as long": "sequences a tenth as long",
}


def learners():
    """Each estimator, with a function that makes data of some number and length."""
    shared = {"units": 32, "batch_size": BATCH_SIZE, "random_state": 0}

    def frames(n, factor=1):
        return sequences_of(n, 10 * factor, 60 * factor, 8)

    def labels(X):
        return [[0, 1]] * len(X)

    def tokens(n, factor=1):
        return make_symbol_sequences(n, max_length=20 * factor, random_state=0)

    yield (
        "CTCSequenceClassifier",
        CTCSequenceClassifier(**shared),
        lambda *size: ((X := frames(*size)), labels(X)),
    )
    yield (
        "Seq2SeqTranslator",
        Seq2SeqTranslator(embedding_dim=32, attention=None, **shared),
        tokens,
    )
    yield "LSTMAutoencoder", LSTMAutoencoder(**shared), lambda *size: (frames(*size),)


def growth(n_samples, n_rounds):
    """Ten times as many sequences; then as many as at first, but ten times as long."""
    for name, estimator, data in learners():
        larger = dict(zip(LARGER, [(10 * n_samples,), (n_samples, 10)], strict=True))
        sizes = {"one": (n_samples,), **larger}
        tasks = {n: partial(estimator.partial_fit, *data(*s)) for n, s in sizes.items()}
        rates = measure({n: (task, 1) for n, task in tasks.items()}, n_rounds)
        for size, against in LARGER.items():
            own, first = 1 / rates[size].wall, 1 / rates["one"].wall
            times = own, first, "seconds", own / first
            yield Row(f"training {name} {size}", against, *times, 10.5, "time")


def resident() -> float:
    """The memory that this process holds, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory(n_fits):
    """After many fits of three architectures, compared with after the first ten."""
    X, y = sequences_of(20, 5, 20, 3), [[0, 1]] * 20
    seen = {}
    for i in range(n_fits):
        CTCSequenceClassifier(units=8 + 2 * (i % 3), epochs=1, random_state=i).fit(X, y)
        gc.collect()
        seen[i + 1] = resident()
    growth = seen[n_fits] / seen[10] - 1
    sizes = seen[n_fits], seen[10], "MiB"
    work = f"memory after {n_fits} fits"
    yield Row(work, "after 10 fits", *sizes, growth, 0.05, "growth")


class Streamed:
    """Sequences that are made when they are read, and not kept."""

    def __init__(self, n_samples):
        self.n_samples = n_samples

    def __len__(self):
        return self.n_samples

    def __getitem__(self, i):
        rng = np.random.default_rng(i)
        return rng.normal(size=(200 + i % 100, 64)).astype("float32")


def streaming(n_samples):
    """Score a stream, and one ten times as long."""
    coder = LSTMAutoencoder(units=8, epochs=1, batch_size=BATCH_SIZE, random_state=0)
    coder.fit([Streamed(64)[i] for i in range(64)])
    coder.score_samples(Streamed(n_samples))
    before = resident()
    coder.score_samples(Streamed(10 * n_samples))
    after = resident()
    size = 10 * n_samples * 250 * 64 * 4 / 2**20
    work = f"memory while scoring a stream of {size:.0f} MiB"
    sizes = after, before, "MiB"
    growth = after / before - 1
    yield Row(work, "a stream a tenth as long", *sizes, growth, 0.05, "growth")


def floating_point(n_rounds, units=256, n_batches=4):
    """A bidirectional LSTM under CTC; all other matrix products are small."""
    X = list(np.zeros((n_batches * BATCH_SIZE, N_FRAMES, N_FEATURES), "float32"))
    ours = CTCSequenceClassifier(
        units=units, conv_filters=(), batch_size=BATCH_SIZE, random_state=0
    )
    n_products = 2 * BATCH_SIZE * N_FRAMES * (N_FEATURES + units) * 4 * units
    # Two directions; a gradient costs two products for each one forward.
    n_operations = 2 * 3 * n_products * n_batches / 1e9
    tasks = {
        "skseq": (partial(ours.partial_fit, X, [[0, 1]] * len(X)), n_operations),
        "products": (partial(products, units, 2 * n_batches), n_operations),
    }
    rates = measure(tasks, n_rounds)
    own, products_alone = rates["skseq"].wall, rates["products"].wall
    work = f"training step, {units} units, floating-point rate"
    figures = own, products_alone, "GFLOP/s", own / products_alone, 0.7
    yield Row(work, "its matrix products alone", *figures)


def products(units, n_times):
    """All matrix products that one direction needs for a batch, `n_times` over."""
    shapes = _factors(units)
    for _ in range(n_times):
        _once(*shapes, tf.constant(N_FRAMES)).numpy()


def _factors(units):
    def ones(*shape):
        return tf.ones(shape)

    n_rows = BATCH_SIZE * N_FRAMES
    return (
        ones(n_rows, N_FEATURES),
        ones(N_FEATURES, 4 * units),
        ones(BATCH_SIZE, units),
        ones(units, 4 * units),
        ones(n_rows, units),
        ones(n_rows, 4 * units),
    )


@tf.function
def _once(frames, kernel, output, recurrent_kernel, outputs, d_gates, n_frames):
    total = tf.reduce_sum((frames @ kernel)[0])
    for _ in tf.range(n_frames):  # forward, frame by frame, then backward
        output = (output @ recurrent_kernel)[:, : output.shape[1]] * 1e-3
    for _ in tf.range(n_frames):
        gates = tf.matmul(d_gates[:BATCH_SIZE], recurrent_kernel, transpose_b=True)
        total += gates[0, 0]
    for left, right in ((frames, d_gates), (outputs, d_gates)):
        total += tf.matmul(left, right, transpose_a=True)[0, 0]
    total += tf.matmul(d_gates, kernel, transpose_b=True)[0, 0]
    return total + output[0, 0]


def rows(n_samples, n_fits, n_rounds):
    warnings.simplefilter("ignore", ConvergenceWarning)
    yield from floating_point(n_rounds)
    yield from growth(n_samples, n_rounds)
    yield from streaming(300)
    yield from memory(n_fits)


if __name__ == "__main__":
    run(__doc__, rows, n_samples=320, n_fits=200, n_rounds=5)
