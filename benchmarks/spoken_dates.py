"""Dates by speakers who were never heard: what a language model and a lexicon bring.

    python benchmarks/spoken_dates.py --data-home DIR [--seeds 0 1 2] [--defaults]

A reader learns digit strings from three speakers, and reads dates of eight digits (day,
month, year) by the fourth. An n-gram model learns from other dates than those that are
spoken; the lexicon holds all dates from 1950 to 2023. The weights of the search are
chosen on training speakers only: with a second reader, which learns from two of them
and reads dates by the third. With `--defaults`, no parameter of the reader is set.
"""

import argparse
from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_spoken_digits, make_spoken_digit_strings
from skseq.language import NgramModel
from skseq.metrics import label_error_rate, sequence_accuracy
from skseq.preprocessing import LogMel, SequenceNormalizer

DAYS = np.arange(np.datetime64("1950-01-01"), np.datetime64("2024-01-01"))
DATES = [day[8:10] + day[5:7] + day[:4] for day in DAYS.astype(str)]

GRID = {
    "lm_weight": [0.5, 1.0, 1.5, 2.0, 3.0],
    "insertion_bonus": [0.0, 2.0, 3.0, 4.0, 5.0, 6.0],
}
SEARCH = {"decoder": "beam", "beam_width": 64}


def make_reader(seed, defaults):
    """The same features for both; without `defaults`, the settings of this script."""
    steps = [LogMel(8000, n_mels=32, floor=0.1), SequenceNormalizer()]
    if defaults:
        return CTCSequenceClassifier(preprocess=steps, random_state=seed)
    return CTCSequenceClassifier(
        preprocess=steps,
        units=64,
        cell="gru",
        conv_filters=(64, 64),
        conv_strides=2,
        dropout=0.4,
        learning_rate=5e-3,
        epochs=8,
        batch_size=16,
        random_state=seed,
    )


def speak(strings, speakers, seed, data_home):
    """Waveforms with a peak of 1, and what they say."""
    audio, said = make_spoken_digit_strings(
        2000,
        strings=strings,
        speakers=speakers,
        data_home=data_home,
        random_state=seed,
        return_X_y=True,
    )
    return [a.astype("float32") / np.abs(a).max() for a in audio], said


def share_out(seed, n_spoken=300, n_written=2000):
    """Dates to be spoken by the unseen speaker, by another, and to learn from."""
    drawn = np.random.default_rng(seed).permutation(DATES).tolist()
    written = drawn[2 * n_spoken : 2 * n_spoken + n_written]
    return drawn[:n_spoken], drawn[n_spoken : 2 * n_spoken], written


def run(speaker, others, seed, speak, defaults):
    """Error rates and exact matches of one unseen speaker, by way of searching."""
    spoken, chosen_on, written = share_out(seed)
    reader = make_reader(seed, defaults).fit(*speak(None, others, seed))
    inner = clone(reader).fit(*speak(None, others[1:], seed))
    model = NgramModel(order=5, smoothing="witten_bell").fit(written)
    inner.set_params(**SEARCH, language_model=FrozenEstimator(model))
    inner.fit_decoding(*speak(chosen_on, others[:1], seed + 100), GRID)
    weights = {name: getattr(inner, name) for name in GRID}
    ways = {
        "beam": {},
        "5-gram": {"language_model": FrozenEstimator(model), **weights},
        "lexicon": {"lexicon": DATES},
    }
    X, y = speak(spoken, [speaker], seed + 200)
    found = {}
    for name, settings in ways.items():
        nothing = {"language_model": None, "lexicon": None, "insertion_bonus": 0.0}
        predicted = reader.set_params(**SEARCH, **nothing | settings).predict(X)
        found[name] = label_error_rate(y, predicted), sequence_accuracy(y, predicted)
    is_valid = np.isin(predicted.astype(str), DATES).mean()
    line = ", ".join(
        f"{name} {ler:.3f} {exact:.3f}" for name, (ler, exact) in found.items()
    )
    print(
        f"{speaker}, seed {seed}: {line}; {weights}, valid {is_valid:.3f}", flush=True
    )
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--defaults", action="store_true")
    args = parser.parse_args()
    speakers = np.unique(fetch_spoken_digits(data_home=args.data_home).speaker).tolist()
    say = partial(speak, data_home=args.data_home)
    print("label error rate and share of dates that are exact")
    results = [
        run(name, [s for s in speakers if s != name], seed, say, args.defaults)
        for seed in args.seeds
        for name in speakers
    ]
    for way in results[0]:
        ler, exact = np.mean([found[way] for found in results], axis=0)
        print(f"mean, {way}: label error rate {ler:.3f}, exact {exact:.3f}")


if __name__ == "__main__":
    main()
