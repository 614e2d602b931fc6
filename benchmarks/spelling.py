"""Spelling correction: exact match on the misspellings of 1,000 held-out words.

    python benchmarks/spelling.py --data-home DIR [--epochs N]

Training sees neither a test word nor any of its misspellings.
"""

import argparse
import time

import numpy as np

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_spelling
from skseq.metrics import sequence_accuracy


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    data = fetch_spelling(data_home=args.data_home)
    X, y = np.array(data.misspellings), np.array(data.words)
    words = np.random.default_rng(args.seed).permutation(np.unique(data.groups))
    is_test = np.isin(data.groups, words[:1000])
    X_test, y_test = X[is_test], y[is_test]
    start = time.perf_counter()
    translator = Seq2SeqTranslator(
        source_tokenizer="char",
        target_tokenizer="char",
        dropout=0.2,
        ema_decay=0.999,
        learning_rate=2e-3,
        batch_size=64,
        epochs=args.epochs,
        random_state=args.seed,
    ).fit(X[~is_test], y[~is_test])
    seconds = time.perf_counter() - start
    print(f"{(~is_test).sum()} pairs, {args.epochs} epochs in {seconds:.0f} s")
    for decoder in ("greedy", "beam"):
        predicted = translator.set_params(decoder=decoder).predict(X_test)
        accuracy = sequence_accuracy(y_test, predicted)
        print(f"{decoder}: exact on {len(X_test)} misspellings {accuracy:.4f}")


if __name__ == "__main__":
    main()
