"""Spoken digit strings: label error rate on each speaker, trained on the others.

    python benchmarks/spoken_digits.py --data-home DIR [--speakers NAME ...]

Each string has one to seven digits by one speaker, with pauses of 20 to 150 ms. There
is no augmentation: in short single trials with two training speakers, neither other
speeds nor warped frequencies lowered the error on unseen speakers.
"""

import argparse
import time

import keras
import numpy as np
from sklearn.pipeline import make_pipeline

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_spoken_digits, make_spoken_digit_strings
from skseq.metrics import label_error_rate
from skseq.preprocessing import LogMel, SequenceNormalizer

BATCH_SIZE = 16


def make_reader(rate, n_samples, epochs, seed):
    """From waveforms with a peak of 1 to digits.

    The high floor hides differences between recordings.
    """
    n_steps = epochs * -(-n_samples // BATCH_SIZE)
    return make_pipeline(
        LogMel(sample_rate=rate, n_mels=32, floor=0.1),
        SequenceNormalizer(),
        CTCSequenceClassifier(
            conv_filters=(64, 64),
            conv_strides=2,
            units=64,
            cell="gru",
            dropout=0.4,
            learning_rate=keras.optimizers.schedules.CosineDecay(5e-3, n_steps, 0.02),
            batch_size=BATCH_SIZE,
            epochs=epochs,
            random_state=seed,
        ),
    )


def scaled(audio):
    """Scale a waveform to a peak of 1."""
    audio = audio.astype("float32")
    return audio / np.abs(audio).max()


def run(speaker, data_home, n_train, epochs, seed):
    """Train on all speakers but one; return the label error rate on that one."""
    names = np.unique(fetch_spoken_digits(data_home=data_home).speaker)
    options = {"data_home": data_home, "return_X_y": True}
    X, y = make_spoken_digit_strings(
        n_train,
        speakers=[n for n in names if n != speaker],
        random_state=seed,
        **options,
    )
    X_test, y_test = make_spoken_digit_strings(
        500, speakers=[speaker], random_state=seed + 1, **options
    )
    start = time.perf_counter()
    reader = make_reader(8000, len(X), epochs, seed).fit([scaled(a) for a in X], y)
    seconds = time.perf_counter() - start
    errors = label_error_rate(y_test, reader.predict([scaled(a) for a in X_test]))
    print(f"{speaker:<10} label error rate {errors:.4f}, {seconds:.0f} s", flush=True)
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--speakers", nargs="+")
    parser.add_argument("--n-train", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    speakers = args.speakers or np.unique(
        fetch_spoken_digits(data_home=args.data_home).speaker
    )
    errors = [
        run(s, args.data_home, args.n_train, args.epochs, args.seed) for s in speakers
    ]
    print(f"mean over {len(errors)} speakers: {np.mean(errors):.4f}")


if __name__ == "__main__":
    main()
