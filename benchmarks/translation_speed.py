"""Translation: speed beside Keras and PyTorch written by hand.

    python benchmarks/translation_speed.py [--data-home DIR]

All libraries train the same network by Adam in batches of 32: a bidirectional LSTM of
128 units, an LSTM and additive attention. They take turns, so that other load on the
machine affects all alike, and medians over the turns are compared.

PyTorch runs with one thread and with one per core, and the faster way counts. Its
threads wait for each other actively and so need cores of their own; on a machine that
does other work, set OMP_WAIT_POLICY=PASSIVE in the environment. Only the benchmarks
need PyTorch; where it is missing, its rows are left out.

Training is measured in target tokens per second over whole epochs, end tokens included
and padding excluded. Ours is `partial_fit`, including its checks and the numbering of
tokens.

Decoding is measured in sentences per second, greedy and with a beam of 5, in batches of
32. So that no time depends on what a network has learned, every output is as long as
the mean target: the end is impossible before that length and forced at it. Ours is
`predict`, from tokens to tokens; the others take and return ids.
"""

from functools import partial

import numpy as np
from peers.keras_seq2seq import KerasTranslator
from side_by_side import Row, measure, rows_of, run, torch_ways

from skseq import Seq2SeqTranslator
from skseq.datasets import (
    fetch_g2p,
    fetch_small_parallel_enja,
    make_number_words,
    make_symbol_sequences,
)

UNITS, BATCH_SIZE, BEAM_WIDTH = 128, 32, 5
AIMS = {
    "training": {"Keras": 3, "PyTorch": 1.1},
    "greedy": {"Keras": 500, "PyTorch": 1.5},
    "beam": {"PyTorch": 1.5},
}


def numbers(n_samples, data_home):
    """Digits to words; lengths differ little."""
    X, y = make_number_words(n_samples, random_state=0)
    return map(list, X), map(str.split, y)


def symbols(n_samples, data_home):
    """Symbols to reverse; lengths are 1 to 30."""
    return make_symbol_sequences(
        n_samples, task="reverse", n_symbols=20, max_length=30, random_state=0
    )


def sentences(n_samples, data_home):
    """English to Japanese, with thousands of words on either side."""
    sides = fetch_small_parallel_enja(data_home=data_home, return_X_y=True)
    return (map(str.split, side[:n_samples]) for side in sides)


def words(n_samples, data_home):
    """French words to sounds; most are half as long as the longest."""
    X, y = fetch_g2p("fre", data_home=data_home, return_X_y=True)
    return map(list, X[:n_samples]), map(str.split, y[:n_samples])


DATA = {f.__name__: f for f in (numbers, symbols, sentences, words)}
GENERATED, REAL = ("numbers", "symbols"), ("sentences", "words")


def translator(units=UNITS, batch_size=BATCH_SIZE):
    """Ours as the peers are: of tokens, and gradients are not clipped."""
    return Seq2SeqTranslator(
        units=units,
        embedding_dim=units,
        batch_size=batch_size,
        global_clipnorm=None,
        source_tokenizer=None,
        target_tokenizer=None,
        random_state=0,
    )


class Ours:
    """`Seq2SeqTranslator` with the methods of the peers."""

    def __init__(self, sources, targets):
        self.pairs = sources, targets
        self.translator = translator()

    def train_epoch(self):
        self.loss = self.translator.partial_fit(*self.pairs).history_["loss"][-1]

    def decode(self, sources, n_tokens, beam_width):
        self.translator.set_params(
            decoder="greedy" if beam_width == 1 else "beam",
            beam_width=beam_width,
            min_output_length=n_tokens,
            max_output_length=n_tokens,
        )
        return self.translator.predict(sources)


def numbered(sequences):
    """The sequences as ids, and the number of distinct tokens."""
    ids = {token: i for i, token in enumerate(sorted(set().union(*sequences)))}
    return [[ids[token] for token in sequence] for sequence in sequences], len(ids)


def make_models(sources, targets):
    """Ours, Keras, and PyTorch with one thread and with one per core, by name."""
    from peers.torch_seq2seq import TorchTranslator

    ours = Ours(sources, targets)
    (sources, n_source_ids), (targets, end) = numbered(sources), numbered(targets)
    given = sources, targets, n_source_ids, end + 1, end, UNITS, BATCH_SIZE
    return {
        "skseq": ours,
        "Keras": KerasTranslator(*given),
        **torch_ways(lambda n: TorchTranslator(*given, n)),
    }


def compare(name, n_samples, n_decoded, n_looped, n_rounds, data_home):
    """Measure every task on one data set."""
    sources, targets = (list(side) for side in DATA[name](n_samples, data_home))
    models = make_models(sources, targets)
    n_target = sum(len(target) + 1 for target in targets)
    training = {n: (model.train_epoch, n_target) for n, model in models.items()}
    rates = measure(training, n_rounds)
    work = f"translator training, {name}"
    yield from rows_of(work, rates, AIMS["training"], "tokens per second")
    losses = {n: f"{model.loss:.2f}" for n, model in models.items()}
    print(f"{name}: loss per token after {1 + n_rounds} epochs: {losses}", flush=True)

    n_tokens = round(n_target / len(targets)) - 1
    inputs = dict.fromkeys(models, numbered(sources)[0][:n_decoded])
    inputs["skseq"] = sources[:n_decoded]
    inputs["Keras"] = inputs["Keras"][:n_looped]
    for task, width in (("greedy", 1), ("beam", BEAM_WIDTH)):
        decoding = {
            n: (partial(model.decode, inputs[n], n_tokens, width), len(inputs[n]))
            for n, model in models.items()
            if width == 1 or n != "Keras"
        }
        rates = measure(decoding, n_rounds)
        work = f"translator decoding, {task}, {name}"
        yield from rows_of(work, rates, AIMS[task], "sentences per second")


def rows(data_home, **sizes):
    found = []
    for name in (*GENERATED, *(() if data_home is None else REAL)):
        for row in compare(name, data_home=data_home, **sizes):
            found.append(row)
            yield row
    for library, aim in AIMS["training"].items():
        yield from mean_of(
            [
                r
                for r in found
                if "training" in r.work and r.against.startswith(library)
            ],
            library,
            aim,
        )


def mean_of(rows, library, aim):
    """The geometric mean over the data sets, if there are any."""
    if not rows:
        return
    table = [(row.ours, row.theirs, row.ratio, row.processor) for row in rows]
    ours, theirs, ratio, processor = np.exp(np.log(table).mean(axis=0)).tolist()
    work = f"translator training, geometric mean of {len(rows)}"
    figures = ours, theirs, "tokens per second", ratio, aim
    yield Row(work, library, *figures, processor=processor)


if __name__ == "__main__":
    sizes = {"n_samples": 1280, "n_decoded": 640, "n_looped": 3, "n_rounds": 5}
    run(__doc__, rows, data_home=None, **sizes)
