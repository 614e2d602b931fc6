"""CTC: speed of training, prediction and beam search beside Keras and PyTorch.

    python benchmarks/ctc_speed.py [--data-home DIR]

Spoken digit strings of 26 to 530 frames, with 13 cepstral coefficients per frame;
without `--data-home`, random frames and digits of such lengths. All libraries train the
same network, a bidirectional LSTM or GRU without convolutions or dropout, by Adam in
batches of 32. Training times are of a whole epoch; ours are of `partial_fit` with all
its checks. In one row lengths are log-normal: most sequences are short, a few are long.
PyTorch runs with one thread and with one per core. Only the benchmarks need it.

The beam searches read the same posteriors and run no network. The posteriors are those
of a network trained on other such strings (on strips of handwritten digits without
`--data-home`), and generated ones over larger alphabets. Ours runs on one thread if
`OMP_NUM_THREADS=1` says so.
"""

from functools import partial

import numpy as np
from keras import ops
from keras.utils import pad_sequences
from peers.keras_ctc import KerasCTC
from scipy.special import log_softmax
from side_by_side import Row, measure, rows_of, run, sequences_of, torch_ways

from skseq import CTCSequenceClassifier
from skseq._ctc.decoders import DECODERS
from skseq.datasets import make_digit_strips, make_spoken_digit_strings
from skseq.metrics import label_error_rate
from skseq.preprocessing import MFCC, SequenceNormalizer

BATCH_SIZE = 32

# Of training: the cell, its units, and the aim beside each library.
TRAINING = (
    ("lstm", 64, {"Keras": 15, "PyTorch": 2.2}),
    ("lstm", 256, {"Keras": 0, "PyTorch": 2}),
    ("gru", 64, {"PyTorch": 1.2}),
)
WIDTHS = 16, 100

# Of generated posteriors, by the number of labels: how many samples share one of the
# trained ones', and the widths. Keras takes minutes for wide beams over many labels.
GENERATED = {29: (8, WIDTHS), 60: (8, WIDTHS), 5000: (64, (16,))}


def digit_strings(n_samples, data_home):
    """Cepstra of spoken digit strings, or noise of such lengths, and the digits."""
    if data_home is None:
        X = sequences_of(n_samples, 26, 530, 13)
        return X, digits_of(X, np.random.default_rng(0))
    audio, y = make_spoken_digit_strings(
        n_samples, data_home=data_home, random_state=0, return_X_y=True
    )
    X = MFCC(sample_rate=8000, n_mfcc=13).fit_transform(audio)
    return list(X), [np.array([int(digit) for digit in text]) for text in y]


def digits_of(X, rng):
    """Random digits, of which there are some for each sequence."""
    return [rng.integers(0, 10, size=1 + len(x) // 90) for x in X]


def log_normal(n_samples, sigma=0.6, median=80):
    """Noise, most of it short, and digits."""
    rng = np.random.default_rng(0)
    lengths = rng.lognormal(np.log(median), sigma, n_samples).round().clip(10)
    X = [rng.normal(size=(int(n), 13)).astype("float32") for n in lengths]
    return X, digits_of(X, rng)


def classifier(units, **settings):
    """Ours as the peers are: recurrences alone, whose gradients are not clipped."""
    plain = {
        "conv_filters": (),
        "dropout": 0.0,
        "standardize": False,
        "global_clipnorm": None,
    }
    return CTCSequenceClassifier(
        units=units, batch_size=BATCH_SIZE, random_state=0, **plain | settings
    )


def training(X, y, cell, units, aims, n_rounds, note=""):
    """Sequences per second over whole epochs."""
    given = X, y, 10, units, BATCH_SIZE
    ours = classifier(units, cell=cell)
    tasks = {"skseq": partial(ours.partial_fit, X, y)}
    if "Keras" in aims:
        tasks["Keras, padded"] = KerasCTC(*given).train_epoch
    tasks |= torch_ways(partial(torch_epoch, given, cell))
    rates = measure({n: (task, len(X)) for n, task in tasks.items()}, n_rounds)
    kind = "" if cell == "lstm" else f" of a {cell.upper()}"
    work = f"CTC training, {units} units{kind}{note}"
    yield from rows_of(work, rates, aims, "sequences per second")


def torch_epoch(given, cell, n_threads):
    from peers.torch_ctc import TorchCTC

    return TorchCTC(*given, n_threads, cell).train_epoch


def prediction(X, y, n_rounds, units=64):
    """Greedy decoding, from frames to labels."""
    ours = classifier(units, epochs=1).fit(X, y)
    theirs = KerasCTC(X, y, 10, units, BATCH_SIZE)
    n_copies = -(-1000 // len(X))
    many = (list(X) * n_copies)[:1000]
    tasks = {"skseq": ours.predict, "Keras, predict and ctc_decode": theirs.predict}
    tasks = {n: (partial(task, many), len(many)) for n, task in tasks.items()}
    rates = measure(tasks, n_rounds)
    work = "CTC prediction, 1,000 ragged sequences"
    yield from rows_of(work, rates, {"Keras": 5}, "sequences per second")


def trained(n_samples, data_home):
    """A trained reader, with data that it has not seen."""
    if data_home is None:
        X, y = make_digit_strips(1000 + n_samples, random_state=0)
    else:
        X, digits = digit_strings(1000 + n_samples, data_home)
        X = SequenceNormalizer().fit_transform(X)
        y = ["".join(map(str, row)) for row in digits]
    settings = {
        "conv_filters": 64,
        "conv_strides": 1,
        "epochs": 15,
        "learning_rate": 3e-3,
    }
    reader = classifier(64, global_clipnorm=5.0, **settings)
    return reader.fit(X[:1000], y[:1000]), X[1000:], y[1000:]


def beam_search(n_samples, n_rounds, data_home):
    """Search the same padded posteriors with both libraries, without a network."""
    reader, X, y = trained(n_samples, data_home)
    posteriors = pad_sequences(
        list(reader.predict_log_proba(X)), dtype="float32", padding="post"
    )
    lengths = np.array([len(x) for x in X], dtype="int32")
    for width in WIDTHS:
        found = yield from searches("", posteriors, lengths, width, n_rounds)
        errors = [label_error_rate(list(y), texts(ids, reader)) for ids in found]
        work = f"label error rate of the beam search, width {width}"
        difference = errors[0] - errors[1]
        unit, kind = "errors per label", "difference"
        yield Row(work, "Keras", *errors, unit, difference, 0, kind)
    for n_labels, (share, widths) in GENERATED.items():
        posteriors = generated_posteriors(max(1, n_samples // share), n_labels)
        lengths = np.full(len(posteriors), posteriors.shape[1], dtype="int32")
        for width in widths:
            kind = f" of {n_labels:,} labels"
            yield from searches(kind, posteriors, lengths, width, 1)


def searches(kind, posteriors, lengths, width, n_rounds):
    """Yield the row of a table; return what both have found, as ids."""
    found = {}
    logits = np.roll(posteriors, 1, axis=2)  # Keras has the blank first here

    def ours():
        found["skseq"] = DECODERS["beam"](posteriors, lengths, width)

    def theirs():
        (labels, *_), _ = ops.ctc_decode(
            logits, lengths, "beam_search", width, 1, mask_index=0
        )
        labels = np.asarray(labels).reshape(len(logits), -1)
        found["Keras"] = [row[row > 0] - 1 for row in labels]  # it pads with -1

    tasks = {"skseq": ours, "Keras, ctc_decode": theirs}
    rates = measure({n: (t, len(lengths)) for n, t in tasks.items()}, n_rounds)
    work = f"CTC beam search{kind}, width {width}"
    yield from rows_of(work, rates, {"Keras": 20}, "sequences per second")
    return found["skseq"], found["Keras"]


def generated_posteriors(n_samples, n_labels, n_frames=200):
    """Of a network that is mostly sure: 0.9 of the frames a blank or a clear label."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n_samples, n_frames, n_labels + 1))
    is_blank = rng.random((n_samples, n_frames)) < 0.7
    leading = np.where(is_blank, n_labels, rng.integers(n_labels, size=is_blank.shape))
    is_sure = rng.random(is_blank.shape) < 0.9
    lead = 4 + 6 * is_sure + max(0.0, np.log(n_labels / 60))
    np.put_along_axis(logits, leading[..., None], lead[..., None], axis=2)
    return log_softmax(logits, axis=2).astype("float32")


def texts(found, reader):
    return ["".join(str(reader.classes_[i]) for i in ids) for ids in found]


def rows(n_samples, n_searched, n_rounds, data_home):
    X, y = digit_strings(n_samples, data_home)
    for cell, units, aims in TRAINING:
        yield from training(X, y, cell, units, aims, n_rounds)
    yield from training(
        *log_normal(n_samples),
        "lstm",
        64,
        {"Keras": 0, "PyTorch": 0},
        n_rounds,
        ", log-normal lengths",
    )
    yield from prediction(X, y, n_rounds)
    yield from beam_search(n_searched, max(1, n_rounds // 2), data_home)


if __name__ == "__main__":
    run(__doc__, rows, n_samples=300, n_searched=256, n_rounds=5, data_home=None)
