"""The two utterances of the CTC tutorials: epochs and seconds until both are exact.

    python benchmarks/ldc93s1.py --data-home DIR [--every 20] [--defaults]

Trained as in the tutorials: one layer of 50 LSTM units, batches of 2, and stochastic
gradient descent with a learning rate of 0.005 and a momentum of 0.9, for at most 400
epochs. With `--defaults`, no parameter is set but `epochs=400`.
"""

import argparse
import time

from skseq import CTCSequenceClassifier
from skseq.datasets import fetch_ldc93s1
from skseq.metrics import label_error_rate
from skseq.preprocessing import MFCC, SequenceNormalizer


def load_frames(data_home):
    """Normalized cepstra, and transcripts."""
    audio, transcripts = fetch_ldc93s1(data_home=data_home, return_X_y=True)
    frames = SequenceNormalizer().fit_transform(MFCC().fit_transform(audio))
    return frames, transcripts


def make_classifier(**settings):
    return CTCSequenceClassifier(
        units=50,
        bidirectional=False,
        batch_size=2,
        optimizer="sgd",
        optimizer__momentum=0.9,
        learning_rate=0.005,
        random_state=0,
        **settings,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument(
        "--every", type=int, default=20, help="epochs between two tests"
    )
    parser.add_argument("--defaults", action="store_true")
    arguments = parser.parse_args()
    X, y = load_frames(arguments.data_home)
    start = time.perf_counter()
    if arguments.defaults:
        clf = CTCSequenceClassifier(epochs=400, random_state=0).fit(X, y)
        errors = label_error_rate(y, clf.predict(X))
        print(f"label error rate {errors:.4f}, {time.perf_counter() - start:.1f} s")
    else:
        clf = train_until_exact(X, y, arguments.every)
    for transcript in clf.predict(X):
        print(repr(transcript))


def train_until_exact(X, y, every):
    clf = make_classifier()
    start = time.perf_counter()
    for epoch in range(1, 401):
        clf.partial_fit(X, y)
        if epoch % every == 0:
            errors = label_error_rate(y, clf.predict(X))
            seconds = time.perf_counter() - start
            print(f"epoch {epoch:3}: label error rate {errors:.4f}, {seconds:.1f} s")
            if not errors:
                break
    return clf


if __name__ == "__main__":
    main()
