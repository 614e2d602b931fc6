"""CTC: speed of training, prediction and beam search beside Keras and PyTorch.

    python benchmarks/ctc_speed.py [--data-home DIR]

Spoken digit strings of 13 cepstral coefficients a frame, 26 to 530 frames; without
`--data-home`, random frames and digits of such lengths. All have the same network, a
bidirectional LSTM, trained by Adam in batches of 32; a training time is that of a whole
epoch, ours of `partial_fit` with all its checks. PyTorch, with one thread and with one
a core, is an extra of this benchmark alone.

The beam searches are given the same posteriors, those of a network trained on other
such strings (on strips of written digits without `--data-home`).
"""

from functools import partial

import numpy as np
from keras import ops
from peers.keras_ctc import KerasCTC
from side_by_side import Row, measure, rows_of, run, sequences_of, torch_ways

from skseq import CTCSequenceClassifier
from skseq.datasets import make_digit_strips, make_spoken_digit_strings
from skseq.metrics import label_error_rate
from skseq.preprocessing import MFCC, SequenceNormalizer

BATCH_SIZE = 32
AIMS = {64: {"Keras": 15, "PyTorch": 1.5}, 256: {"PyTorch": 2}}
WIDTHS = 16, 100


def digit_strings(n_samples, data_home):
    """Cepstra of spoken digit strings, or noise of their lengths; and the digits."""
    rng = np.random.default_rng(0)
    if data_home is None:
        X = sequences_of(n_samples, 26, 530, 13)
        return X, [rng.integers(0, 10, size=1 + len(x) // 90) for x in X]
    audio, y = make_spoken_digit_strings(
        n_samples, data_home=data_home, random_state=0, return_X_y=True
    )
    X = MFCC(sample_rate=8000, n_mfcc=13).fit_transform(audio)
    return list(X), [np.array([int(digit) for digit in text]) for text in y]


def classifier(units, **settings):
    """Learning rate 0 would do: no time depends on what is learnt."""
    return CTCSequenceClassifier(
        units=units, batch_size=BATCH_SIZE, random_state=0, **settings
    )


def training(X, y, units, n_rounds):
    """Sequences a second over whole epochs."""
    from peers.torch_ctc import TorchCTC

    given = X, y, 10, units, BATCH_SIZE
    ours = classifier(units)
    tasks = {"skseq": partial(ours.partial_fit, X, y)}
    if "Keras" in AIMS[units]:
        tasks["Keras, padded"] = KerasCTC(*given).train_epoch
    tasks |= torch_ways(lambda n: TorchCTC(*given, n).train_epoch)
    rates = measure({n: (task, len(X)) for n, task in tasks.items()}, n_rounds)
    work = f"CTC training, {units} units"
    yield from rows_of(work, rates, AIMS[units], "sequences a second")


def prediction(X, y, n_rounds, units=64):
    """Greedy labels, from frames to labels."""
    ours = classifier(units, epochs=1).fit(X, y)
    theirs = KerasCTC(X, y, 10, units, BATCH_SIZE)
    n_copies = -(-1000 // len(X))
    many = (list(X) * n_copies)[:1000]
    tasks = {"skseq": ours.predict, "Keras, predict and ctc_decode": theirs.predict}
    tasks = {n: (partial(task, many), len(many)) for n, task in tasks.items()}
    rates = measure(tasks, n_rounds)
    work = "CTC prediction, 1,000 ragged sequences"
    yield from rows_of(work, rates, {"Keras": 5}, "sequences a second")


def trained(n_samples, data_home):
    """A reader that has learnt something, and what it has not seen."""
    if data_home is None:
        X, y = make_digit_strips(1000 + n_samples, random_state=0)
    else:
        X, digits = digit_strings(1000 + n_samples, data_home)
        X = SequenceNormalizer().fit_transform(X)
        y = ["".join(map(str, row)) for row in digits]
    reader = classifier(64, conv_filters=64, epochs=15, learning_rate=3e-3)
    return reader.fit(X[:1000], y[:1000]), X[1000:], y[1000:]


def beam_search(n_samples, n_rounds, data_home):
    """The same posteriors for both; Keras's search is given padded logits."""
    reader, X, y = trained(n_samples, data_home)
    posteriors = reader.predict_log_proba(X)
    lengths = np.array([len(p) for p in posteriors], dtype="int32")
    logits = np.zeros((len(X), lengths.max(), posteriors[0].shape[1]), "float32")
    for row, p in zip(logits, posteriors, strict=True):
        row[: len(p)] = np.roll(p, 1, axis=1)  # Keras has the blank first here
    reader.set_params(decoder="beam")
    for width in WIDTHS:
        reader.set_params(beam_width=width)
        found = {}

        def ours(reader=reader, found=found):
            found["skseq"] = list(reader.predict(X))

        def theirs(width=width, found=found):
            (labels, *_), _ = ops.ctc_decode(
                logits, lengths, "beam_search", width, 1, mask_index=0
            )
            found["Keras"] = texts(np.asarray(labels).reshape(len(X), -1), reader)

        tasks = {"skseq": (ours, len(X)), "Keras, ctc_decode": (theirs, len(X))}
        rates = measure(tasks, n_rounds)
        work = f"CTC beam search, width {width}, network included"
        yield from rows_of(work, rates, {"Keras": 20}, "sequences a second")
        errors = [label_error_rate(list(y), found[n]) for n in ("skseq", "Keras")]
        work = f"label error rate of the beam search, width {width}"
        difference = errors[0] - errors[1]
        yield Row(work, "Keras", *errors, "(difference)", difference, 0, at_most=True)


def texts(labels, reader):
    """Keras's rows of ids as strings; it pads with -1."""
    return [
        "".join(str(reader.classes_[i - 1]) for i in row if i > 0) for row in labels
    ]


def rows(n_samples, n_searched, n_rounds, data_home):
    X, y = digit_strings(n_samples, data_home)
    for units in AIMS:
        yield from training(X, y, units, n_rounds)
    yield from prediction(X, y, n_rounds)
    yield from beam_search(n_searched, max(1, n_rounds // 2), data_home)


if __name__ == "__main__":
    run(__doc__, rows, n_samples=300, n_searched=64, n_rounds=5, data_home=None)
