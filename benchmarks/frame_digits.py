"""One label per frame: which digit is spoken, or the pause, by unseen speakers.

    python benchmarks/frame_digits.py --data-home DIR [--speakers NAME ...]
                                      [--n-train N] [--epochs N] [--seed N]
                                      [--crfsuite]

Strings of spoken digits, put together from single recordings with pauses, are labelled
frame by frame; the tagger learns from all speakers but one and is judged on that one.
Log-mel energies are normalized for each string. `--crfsuite` adds a linear-chain model
on the same frames with five on each side (``pip install sklearn-crfsuite``), which
learns from every fourth string and every other feature, as it takes hours otherwise.
"""

import argparse
import time

import numpy as np

from skseq import SequenceTagger
from skseq.datasets import fetch_spoken_digits, make_spoken_digit_strings
from skseq.metrics import balanced_frame_accuracy, frame_accuracy
from skseq.preprocessing import LogMel, SequenceNormalizer

CONTEXT = 5


def tagger(seed, epochs):
    return SequenceTagger(
        conv_filters=(64, 64),
        units=64,
        cell="gru",
        dropout=0.4,
        learning_rate=5e-3,
        batch_size=16,
        epochs=epochs,
        random_state=seed,
    )


def strings(n_samples, speakers, seed, data_home):
    """Normalized frames, and the label of each."""
    X, y = make_spoken_digit_strings(
        n_samples,
        speakers=speakers,
        frames=LogMel(sample_rate=8000, n_mels=32),
        random_state=seed,
        data_home=data_home,
        return_X_y=True,
    )
    return SequenceNormalizer().fit_transform(X), y


def features(x):
    """The frame and its neighbours, as sklearn-crfsuite takes them."""
    padded = np.pad(x[:, ::2], ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    places = range(2 * CONTEXT + 1)
    return [
        {f"{p},{k}": float(v) for p in places for k, v in enumerate(padded[t + p])}
        for t in range(len(x))
    ]


def chain_alone(X, y, X_test):
    from sklearn_crfsuite import CRF

    model = CRF(max_iterations=50, c2=1.0)
    model.fit([features(x) for x in X[::4]], [list(own) for own in y[::4]])
    return model.predict([features(x) for x in X_test])


def tell(name, start, y_test, found):
    seconds = time.process_time() - start
    print(
        f"{name}: right frames {frame_accuracy(y_test, found):.4f}, balanced "
        f"{balanced_frame_accuracy(y_test, found):.4f}, {seconds:.0f} s of processor "
        "time",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--speakers", nargs="+")
    parser.add_argument("--n-train", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crfsuite", action="store_true")
    args = parser.parse_args()
    everyone = np.unique(fetch_spoken_digits(data_home=args.data_home).speaker)
    for speaker in args.speakers or everyone.tolist():
        others = [name for name in everyone.tolist() if name != speaker]
        X, y = strings(args.n_train, others, args.seed, args.data_home)
        X_test, y_test = strings(300, [speaker], args.seed + 1, args.data_home)
        start = time.process_time()
        found = tagger(args.seed, args.epochs).fit(X, y).predict(X_test)
        tell(f"{speaker}, SequenceTagger", start, y_test, found)
        if args.crfsuite:
            start = time.process_time()
            found = [np.array(own) for own in chain_alone(X, y, X_test)]
            tell(f"{speaker}, sklearn-crfsuite", start, y_test, found)


if __name__ == "__main__":
    main()
