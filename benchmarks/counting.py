"""A constant seen through noise: the regressor beside the running mean.

    python benchmarks/counting.py [--n-train 8000] [--seeds 0 1 2]

Each sequence has a constant vector of four numbers; each of up to 100 frames adds noise
of deviation 1. The network is to say, at each frame, what the vector is. The running
mean is the best there is but for what is known beforehand of the constants, which is
little. Errors are squared and weighed by the square root of the frame's place; beside
that stand those at the last frame of sequences of 100 frames. The network reads forward
only, without convolutions, so that it knows no more than the mean does; dropout would
add noise of its own. At half the learning rate training ends too early for the weights:
without them the first frames, which have the largest errors, are learnt sooner, and the
others with them.

The last part trains the loss of three terms of a known question: ten times the squared
error of the unit direction of the first three numbers, that of their length, and three
times that of the fourth; and says what each term was after one epoch and at the end.
"""

import argparse
import time

import numpy as np
from keras import ops

from skseq import SequenceRegressor
from skseq.datasets import make_counting

SETTINGS = {
    "bidirectional": False,
    "conv_filters": (),
    "cell": "gru",
    "units": 64,
    "dropout": 0.0,
    "learning_rate": 1e-2,
}


def weighted_error(predicted, y):
    """Mean squared error, each frame by the square root of its place."""
    weights = [np.sqrt(np.arange(len(own)) + 1) for own in y]
    totals = [
        (w * np.square(p - own).mean(axis=1)).sum()
        for w, p, own in zip(weights, predicted, y, strict=True)
    ]
    return sum(totals) / sum(w.sum() for w in weights)


def last_error(predicted, y):
    """Mean squared error at the last frame."""
    return np.mean(
        [np.square(p[-1] - own[-1]).mean() for p, own in zip(predicted, y, strict=True)]
    )


def running_means(X):
    return [np.cumsum(x, axis=0) / (np.arange(len(x)) + 1)[:, None] for x in X]


def three_terms(y_true, y_pred):
    """The question's loss."""
    direction, length, energy = terms(y_true, y_pred, ops)
    return 10 * direction + length + 3 * energy


def terms(y_true, y_pred, library):
    """Squared errors of the unit direction, of the length and of the energy."""

    def parts(y):
        length = library.sqrt(library.sum(library.square(y[..., :3]), axis=-1) + 1e-6)
        return y[..., :3] / length[..., None], length, y[..., 3]

    (unit, length, energy), (own_unit, own_length, own_energy) = map(
        parts, (y_true, y_pred)
    )
    return (
        library.sum(library.square(unit - own_unit), axis=-1),
        library.square(length - own_length),
        library.square(energy - own_energy),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-train", type=int, default=8000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()
    X_test, y_test = make_counting(1000, random_state=1000)
    X_long, y_long = make_counting(1000, min_frames=100, random_state=2000)
    least = weighted_error(running_means(X_test), y_test)
    least_last = last_error(running_means(X_long), y_long)
    print(f"running mean: {least:.5f}, at frame 100 {least_last:.5f}")
    for seed in args.seeds:
        X, y = make_counting(args.n_train, random_state=seed)
        for step_weight in (None, "sqrt"):
            start = time.process_time()
            reg = SequenceRegressor(
                step_weight=step_weight, random_state=seed, **SETTINGS
            )
            error = weighted_error(reg.fit(X, y).predict(X_test), y_test)
            last = last_error(reg.predict(X_long), y_long)
            seconds = time.process_time() - start
            print(
                f"seed {seed}, step_weight={step_weight}: {error / least:.3f} times "
                f"that, at frame 100 {last / least_last:.3f} times, {seconds:.0f} s",
                flush=True,
            )
    X, y = make_counting(args.n_train, random_state=0)
    for epochs in (1, 50):
        reg = SequenceRegressor(
            loss=three_terms, step_weight="sqrt", random_state=0, **SETTINGS
        )
        found = reg.set_params(epochs=epochs).fit(X, y).predict(X_test)
        own = terms(np.vstack(y_test), np.vstack(list(found)), np)
        shown = ", ".join(f"{term.mean():.5f}" for term in own)
        print(f"loss of three terms, {epochs} epochs: {shown}", flush=True)


if __name__ == "__main__":
    main()
