"""Spoken digit strings: label error rate on each speaker, trained on the others.

    python benchmarks/spoken_digits.py --data-home DIR [--speakers NAME ...]

Strings of one to seven digits by one speaker, with pauses of 20 to 150 ms. Training
strings are also played faster and slower (Ko et al. 2015), which stands in for the
speakers that the data does not have.
"""

import argparse
import time

import numpy as np
from scipy.signal import resample_poly
from sklearn.pipeline import make_pipeline

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_spoken_digits, make_spoken_digit_strings
from skseq.metrics import label_error_rate
from skseq.preprocessing import LogMel, SequenceNormalizer

SPEEDS = ((5, 4), (9, 8), (1, 1), (8, 9), (4, 5))


def make_reader(rate, **settings):
    """From waveforms of peak 1 to digits; the floor, 40 dB below, hides their noise."""
    settings = {
        "conv_filters": (64, 64),
        "conv_strides": 2,
        "units": 64,
        "cell": "gru",
        "dropout": 0.4,
        "learning_rate": 5e-3,
        "batch_size": 16,
        **settings,
    }
    return make_pipeline(
        LogMel(sample_rate=rate, n_mels=32, floor=1e-2, deltas=1),
        SequenceNormalizer(),
        CTCSequenceClassifier(**settings),
    )


def change_speed(audio, up, down):
    """Resample, so that pitch and formants move with the tempo, to a peak of 1."""
    audio = resample_poly(audio.astype("float32"), up, down)
    return audio / np.abs(audio).max()


def run(speaker, data_home, n_train, seed, **settings):
    """Train on all speakers but one; returns the label error rate on that one."""
    names = np.unique(fetch_spoken_digits(data_home=data_home).speaker)
    options = {"data_home": data_home, "return_X_y": True}
    train, y = make_spoken_digit_strings(
        n_train,
        speakers=[n for n in names if n != speaker],
        random_state=seed,
        **options,
    )
    test, y_test = make_spoken_digit_strings(
        500, speakers=[speaker], random_state=seed + 1, **options
    )
    rng = np.random.default_rng(seed)
    X = [change_speed(a, *SPEEDS[rng.integers(len(SPEEDS))]) for a in train]
    X_test = [change_speed(a, 1, 1) for a in test]
    start = time.perf_counter()
    reader = make_reader(8000, random_state=seed, **settings).fit(X, y)
    seconds = time.perf_counter() - start
    errors = label_error_rate(y_test, reader.predict(X_test))
    print(f"{speaker:<10} label error rate {errors:.4f}, {seconds:.0f} s", flush=True)
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--speakers", nargs="+")
    parser.add_argument("--n-train", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    speakers = args.speakers or np.unique(
        fetch_spoken_digits(data_home=args.data_home).speaker
    )
    errors = [
        run(s, args.data_home, args.n_train, args.seed, epochs=args.epochs)
        for s in speakers
    ]
    print(f"mean over {len(errors)} speakers: {np.mean(errors):.4f}")


if __name__ == "__main__":
    main()
