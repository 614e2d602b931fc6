"""Tasks with one right answer: exact match on inputs not seen in training.

    python benchmarks/generated_pairs.py [--tasks NAME ...] [--seed 0]

The tasks are to copy, reverse and sort sequences of 1 to 20 symbols out of ten, to
write numbers in words, and to write dates in one format. The learning rate falls to a
tenth for the last third of the steps.
"""

import argparse
import time

import keras

from skseq import Seq2SeqTranslator
from skseq.datasets import make_dates, make_number_words, make_symbol_sequences
from skseq.metrics import sequence_accuracy

BATCH_SIZE = 64
CHARACTERS = {"source_tokenizer": "char", "target_tokenizer": "char"}

# The function that makes pairs, how many to train on, its options, and the settings of
# the translator.
TASKS = {
    "copy": (make_symbol_sequences, 20000, {"task": "copy"}, {}),
    "reverse": (make_symbol_sequences, 60000, {"task": "reverse"}, {}),
    "sort": (make_symbol_sequences, 60000, {"task": "sort"}, {}),
    "numbers": (make_number_words, 10000, {}, {"source_tokenizer": "char"}),
    "dates": (make_dates, 10000, {}, CHARACTERS),
}


def run(name, seed, epochs):
    """Train on pairs of one task; print the share of exact outputs on unseen ones."""
    make, n_train, options, settings = TASKS[name]
    X, y = make(n_train, random_state=seed, **options)
    known = set(map(str, X))
    pairs = zip(*make(2000, random_state=seed + 1, **options), strict=True)
    unseen = [(source, target) for source, target in pairs if str(source) not in known]
    X_test, y_test = zip(*unseen, strict=True)
    n_steps = -(-n_train // BATCH_SIZE) * epochs
    rate = keras.optimizers.schedules.PiecewiseConstantDecay(
        [2 * n_steps // 3], [2e-3, 2e-4]
    )
    start = time.perf_counter()
    translator = Seq2SeqTranslator(
        learning_rate=rate,
        ema_decay=0.99,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        random_state=seed,
        **settings,
    ).fit(X, y)
    seconds = time.perf_counter() - start
    accuracy = sequence_accuracy(y_test, translator.predict(list(X_test)))
    print(
        f"{name:<8} exact on {len(X_test)} unseen: {accuracy:.4f}, {seconds:.0f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for name in args.tasks:
        run(name, args.seed, args.epochs)


if __name__ == "__main__":
    main()
