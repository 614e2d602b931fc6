"""What augmentation costs, and what it gains.

    python benchmarks/augmentation.py --data-home DIR [--only cost captchas]
        [--seeds 0 1 2]

The cost is the time of an epoch beside one without augmenters, by turns: SpecAugment of
features that are computed once; another speed of each waveform, after which its
features are computed in each epoch. The gain is that of an estimator as it comes but
for `preprocess` and `front_end`: the exact matches of captchas, learnt from 200 of
them. What spoken digits gain `spoken_digits.py` tells.
"""

import argparse
import os
import time
import warnings
from functools import partial

import numpy as np
from defaults import small_captchas
from side_by_side import measure
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skseq import CTCSequenceClassifier
from skseq.augmentation import (
    Elastic,
    Shear,
    SpecAugment,
    SpeedPerturb,
    TimeStretch,
)
from skseq.datasets import make_spoken_digit_strings
from skseq.metrics import sequence_accuracy
from skseq.preprocessing import LogMel

RATE = 8000
SPEED = SpeedPerturb(0.85, 1.2)

# Epochs of two fits; what one takes longer is the time of its further epochs.
N_EPOCHS = 2, 8

# An epoch with each chain, the same without augmenters, and the aim.
COSTS = {
    "SpecAugment": ([LogMel(RATE), SpecAugment()], [LogMel(RATE)], 1.1),
    "speed and LogMel": ([SPEED, LogMel(RATE)], [LogMel(RATE)], 1.6),
}


def cost(data_home, seeds, n_samples=300, n_rounds=5):
    """Epochs beside those without augmenters."""
    X, y = make_spoken_digit_strings(
        n_samples, data_home=data_home, random_state=0, return_X_y=True
    )
    for name, (augmented, plain, aim) in COSTS.items():
        ways = {"with": augmented, "without": plain}
        tasks = {
            (way, n): (partial(fit, steps, X, y, n), 1)
            for way, steps in ways.items()
            for n in N_EPOCHS
        }
        rates = measure(tasks, n_rounds)
        wall, processor = (
            np.divide(*(of_an_epoch(rates, way, kind) for way in ways))
            for kind in ("wall", "processor")
        )
        print(
            f"{name}: an epoch takes {wall:.2f} times as long, {processor:.2f} times "
            f"the processor time (aim: at most {aim})",
            flush=True,
        )


def of_an_epoch(rates, way, kind) -> float:
    """Seconds by which a fit of more epochs takes longer, of each of them."""
    few, many = (1 / getattr(rates[way, n], kind) for n in N_EPOCHS)
    return (many - few) / (N_EPOCHS[1] - N_EPOCHS[0])


def fit(steps, X, y, n_epochs):
    reader = CTCSequenceClassifier(preprocess=steps, epochs=n_epochs, random_state=0)
    reader.fit(X, y)


def captchas(data_home, seeds):
    """Exact matches on all images but the 200 that are learnt from."""
    X, texts = small_captchas(data_home)
    augmenters = [TimeStretch(0.5, 1.1), Shear(10, fill=0.0), Elastic(1.0)]
    for seed in seeds:
        X_train, X_test, y_train, y_test = train_test_split(
            X, texts, train_size=200, random_state=seed
        )
        for name, steps in (("with", augmenters), ("without", None)):
            reader = CTCSequenceClassifier(
                front_end="image", preprocess=steps, random_state=seed
            )
            start = time.perf_counter()
            reader.fit(X_train, y_train)
            seconds = time.perf_counter() - start
            exact = sequence_accuracy(y_test, reader.predict(X_test))
            print(
                f"captchas, seed {seed}, {name} augmentation: exact match {exact:.4f}, "
                f"{seconds:.0f} s",
                flush=True,
            )


PARTS = {"cost": cost, "captchas": captchas}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{os.cpu_count()} cores; load at the start {os.getloadavg()}", flush=True)
    for name in args.only:
        PARTS[name](args.data_home, args.seeds)


if __name__ == "__main__":
    main()
