"""Grapheme to phoneme, five languages: word and phone error rates on the dev sets.

    python benchmarks/g2p.py --data-home DIR [--languages NAME ...] [--search]

One configuration serves all languages. With `--search`, a small grid is searched per
language, by the sequence error rate among a fifth of its training words. The published
LSTM encoder-decoder (SIGMORPHON 2020, one grid search per language, beam 5) reaches
these error rates of words and phones, in percent, on the test sets:
ady 28.00 / 6.53, fre 6.22 / 1.32, gre 18.89 / 3.30, hin 6.67 / 1.47, ice 10.00 / 2.36.

A word is wrong if any of its phones is, so that the word error rate of this task is the
sequence error rate of ours.
"""

import argparse
import time

import numpy as np
from sklearn.model_selection import GridSearchCV, ShuffleSplit

from skseq import Seq2SeqTranslator
from skseq.datasets import fetch_g2p
from skseq.metrics import (
    sequence_error_rate,
    sequence_error_rate_scorer,
    token_error_rate,
)

LANGUAGES = ("ady", "fre", "gre", "hin", "ice")
GRID = {"dropout": [0.2, 0.3, 0.5]}


def make_translator(**settings):
    """The same configuration for every language, but for the settings given."""
    settings = {
        "source_tokenizer": "char",
        "units": (128, 128),
        "dropout": 0.3,
        "label_smoothing": 0.1,
        "learning_rate": 2e-3,
        "ema_decay": 0.998,
        "epochs": 40,
        "decoder": "beam",
        **settings,
    }
    return Seq2SeqTranslator(**settings)


def run(language, data_home, seed, search):
    """Train and test on one language; return both error rates."""
    options = {"data_home": data_home, "return_X_y": True}
    X, y = fetch_g2p(language, **options)
    X_dev, y_dev = fetch_g2p(language, subset="dev", **options)
    translator = make_translator(random_state=seed)
    if search:
        translator = GridSearchCV(
            translator,
            GRID,
            scoring=sequence_error_rate_scorer,
            cv=ShuffleSplit(1, test_size=0.2, random_state=0),
        )
    start = time.perf_counter()
    predicted = translator.fit(X, y).predict(X_dev)
    seconds = time.perf_counter() - start
    rates = np.array(
        [
            measure(y_dev, predicted)
            for measure in (sequence_error_rate, token_error_rate)
        ]
    )
    chosen = translator.best_params_ if search else ""
    print(f"{language} {percent(rates)}, {seconds:.0f} s {chosen}", flush=True)
    return rates


def percent(rates):
    return "words {:.2f} %, phones {:.2f} %".format(*(100 * rates))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--search", action="store_true")
    args = parser.parse_args()
    rates = [
        run(name, args.data_home, args.seed, args.search) for name in args.languages
    ]
    print(f"mean of {len(rates)} languages: {percent(np.mean(rates, axis=0))}")


if __name__ == "__main__":
    main()
