"""Spoken digit strings: label error rate on each speaker, trained on the others.

    python benchmarks/spoken_digits.py --data-home DIR [--speakers NAME ...]
        [--seeds 0 1 2] [--chain NAME]

Each string has one to seven digits by one speaker, with pauses of 20 to 150 ms. What is
done to the waveforms is chosen without the speaker who is judged: among the three
others, readers learn from two and read the third. `--chain` takes one without choosing.
"""

import argparse
import time
import warnings
from functools import cache
from itertools import combinations

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skseq import CTCSequenceClassifier
from skseq.augmentation import AddNoise, FeatureWarp, Reverberate
from skseq.datasets import fetch_spoken_digits, make_spoken_digit_strings
from skseq.metrics import label_error_rate
from skseq.preprocessing import LogMel, SequenceNormalizer

RATE = 8000
N_TRAIN = 2000


def features(floor):
    """Energies of mel bands and their slopes, of waveforms with a peak of 1.

    A higher floor hides more of the noise, which tells recordings apart and not digits.
    """
    return LogMel(sample_rate=RATE, n_mels=32, floor=floor, deltas=1)


# The mel axis is that of the energies, and again that of their slopes.
VOICES = FeatureWarp(0.12, n_blocks=2)
NOISE = AddNoise(5, 30)
LEVEL = SequenceNormalizer(with_std=False)

CHAINS = {
    "plain": [features(0.1), LEVEL],
    "noise": [NOISE, features(0.1), VOICES, LEVEL],
    "noise and echo": [Reverberate(RATE), NOISE, features(0.1), VOICES, LEVEL],
    "noise, echo, low floor": [
        Reverberate(RATE),
        NOISE,
        features(0.01),
        VOICES,
        LEVEL,
    ],
}


def make_reader(chain, seed):
    return CTCSequenceClassifier(
        preprocess=CHAINS[chain],
        conv_filters=(64, 64),
        conv_strides=2,
        units=64,
        cell="gru",
        dropout=0.5,
        learning_rate=3e-3,
        batch_size=16,
        epochs=14,
        random_state=seed,
    )


def strings(n_samples, speakers, data_home, seed):
    """Waveforms scaled to a peak of 1, and their digits."""
    X, y = make_spoken_digit_strings(
        n_samples,
        speakers=list(speakers),
        data_home=data_home,
        random_state=seed,
        return_X_y=True,
    )
    return [(audio / np.abs(audio.astype("float32")).max()) for audio in X], y


def error_on(speaker, reader, data_home, seed, n_samples=500):
    X, y = strings(n_samples, [speaker], data_home, seed + 1)
    return label_error_rate(y, reader.predict(X))


@cache
def learnt(chain, speakers, data_home, seed):
    """A reader of the strings of some speakers, and the processor time of its fit."""
    X, y = strings(N_TRAIN, speakers, data_home, seed)
    start = time.process_time()
    return make_reader(chain, seed).fit(X, y), time.process_time() - start


@cache
def errors_of_pairs(chain, speakers, data_home):
    """The error on each speaker of readers that learnt from each two others."""
    errors = {
        (pair, speaker): error_on(
            speaker, learnt(chain, pair, data_home, 0)[0], data_home, 0
        )
        for pair in combinations(speakers, 2)
        for speaker in speakers
        if speaker not in pair
    }
    print(f"two learnt from, {chain}: {np.mean(list(errors.values())):.3f}", flush=True)
    return errors


def choose(speaker, speakers, data_home):
    """The chain of the lowest error among the speakers who are not judged."""
    means = {
        chain: np.mean(
            [
                error
                for (pair, judged), error in errors_of_pairs(
                    chain, speakers, data_home
                ).items()
                if speaker not in (*pair, judged)
            ]
        )
        for chain in CHAINS
    }
    told = ", ".join(f"{chain} {error:.3f}" for chain, error in means.items())
    print(f"without {speaker}: {told}", flush=True)
    return min(means, key=means.get)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--speakers", nargs="+", help="those who are judged")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--chain", choices=CHAINS)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    home = args.data_home
    speakers = tuple(map(str, np.unique(fetch_spoken_digits(data_home=home).speaker)))
    means = []
    for speaker in args.speakers or speakers:
        chain = args.chain or choose(speaker, speakers, home)
        others = tuple(other for other in speakers if other != speaker)
        errors = []
        for seed in args.seeds:
            reader, seconds = learnt(chain, others, home, seed)
            errors.append(error_on(speaker, reader, home, seed))
            print(
                f"{speaker}, {chain}, seed {seed}: label error rate {errors[-1]:.3f}, "
                f"processor time {seconds:.0f} s",
                flush=True,
            )
        means.append(np.mean(errors))
        print(f"{speaker}: {means[-1]:.3f}", flush=True)
    print(f"mean over {len(means)} speakers: {np.mean(means):.3f}")


if __name__ == "__main__":
    main()
