"""Who speaks: equal error rates of pairs, as the embedder comes, beside plain vectors.

    python benchmarks/speakers.py --data-home DIR [--splits 0 1 2] [--cuts 4]
                                  [--means cut utterance kept]
                                  [--only librispeech digits voices threshold question]

Librispeech: 200 of the 251 speakers to learn from, one utterance each, and 51 to judge,
by disjoint cuts of 2 s, of 3.5 s and halves. The mean is removed of each cut, as the
embedder does, or of each utterance before it is cut. Beside it, cosines of the
covariance of cepstra and the deviation of their slopes, as they are and with linear
discriminants of the 200. With means kept, the recording is recognized and not the
voice: so those rows have a random smooth gain of each cut beside them. Digits: two of
the four speakers to learn from, two to judge, by all six splits. Voices: half of the
generated classes to judge, beside cosines of mean frames. Threshold: fitted on half of
8,000 pairs of held-out voices, judged on the other half. Question: new pairs of ten
generated voices by the clipped, one-sided divergence of two outputs without a softmax,
with a hinge, as a known question has it, beside `loss="kl_hinge"`. Labels are compared
with distances there, so its accuracy is given as it counts, and at the best threshold
of the judged pairs themselves. Nothing is set but `random_state`, and the loss in the
last part.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.fft import dct
from scipy.ndimage import gaussian_filter1d
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import SiameseSequenceEmbedder
from skseq.datasets import fetch_librispeech_speakers, fetch_spoken_digits, make_voices
from skseq.metrics import equal_error_rate
from skseq.preprocessing import LogMel

N_HEARD = 200
N_CEPSTRA = 24


# -- vectors to compare with -----------------------------------------------------------


def cepstra(x):
    return dct(x.astype(np.float64), norm="ortho")[:, :N_CEPSTRA]


def spread(x):
    """How cepstra vary: their covariance, and the deviation of their slopes."""
    c = cepstra(x)
    covariance = np.cov(c.T)[np.triu_indices(c.shape[1])]
    slopes = (2 * c[4:] + c[3:-1] - c[1:-3] - 2 * c[:-4]) / 10
    return np.concatenate([covariance, slopes.std(axis=0)])


def with_mean(x):
    """The same, beside the mean and the deviation of cepstra."""
    c = cepstra(x)
    return np.concatenate([c.mean(axis=0), c.std(axis=0), spread(x)])


def discriminants():
    shrunk = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.2)
    return make_pipeline(StandardScaler(), shrunk)


# -- what is measured ------------------------------------------------------------------


def pairs_of(y):
    """First and second of all pairs, and whether they are alike."""
    first, second = np.triu_indices(len(y), k=1)
    return first, second, y[first] == y[second]


def error_of(vectors, y):
    """The equal error rate of cosines over all pairs."""
    vectors = np.asarray(vectors)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second, is_alike = pairs_of(y)
    return equal_error_rate(is_alike, (units @ units.T)[first, second])


def fitted(X, y, **settings):
    """An embedder, and the seconds of wall and processor time that its fit took."""
    start = np.array([time.perf_counter(), time.process_time()])
    embedder = SiameseSequenceEmbedder(**settings).fit(X, y)
    seconds = np.array([time.perf_counter(), time.process_time()]) - start
    return embedder, "{:.0f} s, {:.0f} s of processor time".format(*seconds)


def show(what, rates, note=""):
    """Print the rates of several splits, and their mean."""
    each = ", ".join(f"{100 * rate:.1f}" for rate in rates)
    mean = 100 * np.mean(rates)
    print(f"{what}: mean {mean:.1f} % of {each}{note and f'; {note}'}", flush=True)


# -- Librispeech -----------------------------------------------------------------------

LENGTHS = {"2 s": 200, "3.5 s": 350, "halves": None}


def cut(x, n_frames, most):
    """Disjoint parts of an utterance, one after the other."""
    n_frames = len(x) // 2 if n_frames is None else n_frames
    n_cuts = min(len(x) // n_frames, most)
    return [x[i * n_frames : (i + 1) * n_frames] for i in range(n_cuts)]


def cut_all(X, y, n_frames, most):
    """The cuts of all utterances that have two or more, and who speaks each."""
    parts = [(part, cut(part, n_frames, most)) for part in X]
    kept = [(cuts, who) for (_, cuts), who in zip(parts, y, strict=True) if cuts[1:]]
    return (
        [part for cuts, _ in kept for part in cuts],
        np.concatenate([np.full(len(cuts), who) for cuts, who in kept]),
    )


def through_channels(X, rng):
    """Give each sequence a smooth gain of its own, with a deviation of 6 dB."""
    n_bands = X[0].shape[1]
    gains = gaussian_filter1d(rng.normal(size=(len(X), n_bands)), 4, axis=1)
    gains *= 6 * np.log(10) / 10 / gains.std()
    return [x + gain.astype(x.dtype) for x, gain in zip(X, gains, strict=True)]


def librispeech(args):
    data = fetch_librispeech_speakers(data_home=args.data_home)
    rates, notes = {}, []
    for split in args.splits:
        order = np.random.default_rng(split).permutation(len(data.frames))
        heard, others = (
            ([data.frames[i] for i in part], data.speaker[part])
            for part in (order[:N_HEARD], order[N_HEARD:])
        )
        for means in args.means:
            way = WAYS[means]
            known, judged = (
                (list(map(way.prepared, X)), y) for X, y in (heard, others)
            )
            embedder, note = fitted(*known, center=way.center, random_state=split)
            notes.append(f"means: {means}, split {split}: {note}")
            for name, n_frames in LENGTHS.items():
                X, y = cut_all(*judged, n_frames, args.cuts)
                moved = None
                if means != "utterance":  # whose own gain goes with its mean
                    moved = through_channels(X, np.random.default_rng(split))
                for method, embed in plain_methods(
                    way.describe, known, n_frames
                ).items():
                    told = f"{name}, means: {means}, {method}"
                    add_rates(rates, told, embed, X, moved, y)
                told = f"{name}, means: {means}, embedder"
                add_rates(rates, told, embedder.transform, X, moved, y)
    for told, found in rates.items():
        show(f"librispeech, {told}", found)
    for note in notes:
        print(f"librispeech, {note}", flush=True)


@dataclass(frozen=True)
class Way:
    """What becomes of the means."""

    describe: Callable = spread
    center: bool = False
    prepared: Callable = np.asarray


WAYS = {
    "cut": Way(center=True),
    "utterance": Way(prepared=lambda x: x - x.mean(axis=0)),
    "kept": Way(with_mean),
}


def plain_methods(describe, heard, n_frames):
    """What embeds without a network, by name; discriminants are those of heard cuts."""
    parts, who = cut_all(*heard, n_frames or LENGTHS["3.5 s"], most=9)
    model = discriminants().fit([*map(describe, parts)], who)
    return {
        "covariance": lambda X: model[:1].transform([*map(describe, X)]),
        "covariance with LDA": lambda X: model.transform([*map(describe, X)]),
    }


def add_rates(rates, told, embed, X, moved, y):
    """Add the rate on cuts, and on the same cuts through channels of their own."""
    rates.setdefault(told, []).append(error_of(embed(X), y))
    if moved is not None:
        told = f"{told}, other channels"
        rates.setdefault(told, []).append(error_of(embed(moved), y))


# -- spoken digits ---------------------------------------------------------------------


def digits(args):
    data = fetch_spoken_digits(data_home=args.data_home)
    frames = LogMel(data.rate).fit_transform(data.audio)
    is_some = data.index < args.recordings
    rates = {"covariance": [], "embedder": []}
    for seed, pair in enumerate(combinations(np.unique(data.speaker), 2)):
        held_out = np.isin(data.speaker, pair)
        heard, judged = np.flatnonzero(~held_out), np.flatnonzero(held_out & is_some)
        X, y = [frames[i] for i in judged], data.speaker[judged]
        known = [frames[i] for i in heard]
        embedder, _ = fitted(known, data.speaker[heard], random_state=seed)
        scaler = StandardScaler().fit([*map(spread, known)])
        rates["embedder"].append(error_of(embedder.transform(X), y))
        rates["covariance"].append(error_of(scaler.transform([*map(spread, X)]), y))
    for method, found in rates.items():
        note = f"deviation {100 * np.std(found, ddof=1):.1f}"
        show(f"digits, two of four speakers held out, {method}", found, note)


# -- generated voices ------------------------------------------------------------------


def halves_of_voices(seed, n_samples_per_class=10):
    """Sequences and voices: of the first half of the classes, and of the others."""
    X, y = make_voices(50, n_samples_per_class, random_state=seed)
    is_heard = y <= y.max() // 2
    rows = np.flatnonzero(is_heard), np.flatnonzero(~is_heard)
    return [([X[i] for i in part], y[part]) for part in rows]


def voices(args):
    rates, notes = {}, []
    for seed in args.splits:
        (X, y), (others, labels) = halves_of_voices(seed)
        embedder, note = fitted(X, y, random_state=seed)
        notes.append(note)
        lda = discriminants().fit([*map(spread, X)], y)
        found = {
            "mean frames": [x.mean(axis=0) for x in others],
            "covariance": lda[:1].transform([*map(spread, others)]),
            "covariance with LDA": lda.transform([*map(spread, others)]),
            "embedder": embedder.transform(others),
        }
        for method, vectors in found.items():
            rates.setdefault(method, []).append(error_of(vectors, labels))
    for method, found in rates.items():
        show(f"voices, {method}", found, str(notes) if method == "embedder" else "")


def threshold(args):
    for seed in args.splits:
        (X, y), (others, labels) = halves_of_voices(seed, 20)
        embedder, _ = fitted(X, y, random_state=seed)
        first, second, is_alike = pairs_of(labels)
        rng = np.random.default_rng(seed)
        chosen = [
            rng.choice(np.flatnonzero(is_alike == kind), 4000, replace=False)
            for kind in (True, False)
        ]
        parts = np.array_split(rng.permutation(np.concatenate(chosen)), 2)
        sides = [
            (
                [others[i] for i in first[part]],
                [others[i] for i in second[part]],
                is_alike[part],
            )
            for part in parts
        ]
        embedder.fit_threshold(*sides[0])
        A, B, truth = sides[1]
        accepted = embedder.predict_pairs(A, B) == 1
        accepts, rejects = accepted[~truth].mean(), 1 - accepted[truth].mean()
        print(
            f"threshold, seed {seed}: fitted on {len(parts[0])} pairs, of "
            f"{len(truth)} others {100 * accepts:.1f} % accepted and "
            f"{100 * rejects:.1f} % rejected falsely",
            flush=True,
        )


# -- the question ----------------------------------------------------------------------

EPSILON, MARGIN = 1e-7, 1.0


def clipped_divergence(n_frames, n_features, seed):
    """Two branches of one LSTM, clipped outputs, and their divergence, one way."""
    import keras
    from keras import ops

    keras.utils.set_random_seed(seed)
    reader = keras.Sequential(
        [
            keras.Input((n_frames, n_features)),
            keras.layers.LSTM(64),
            keras.layers.Dense(64),
        ]
    )

    class Divergence(keras.layers.Layer):
        def call(self, p, q):
            p, q = (ops.clip(part, EPSILON, 1.0) for part in (p, q))
            return ops.sum(p * ops.log(p / q), axis=-1, keepdims=True)

    def hinge(y_true, distance):
        y_true = ops.cast(y_true, distance.dtype)
        apart = ops.maximum(MARGIN - distance, 0.0)
        return ops.mean(y_true * distance + (1.0 - y_true) * apart)

    sides = [keras.Input((n_frames, n_features)) for _ in range(2)]
    model = keras.Model(sides, Divergence()(*map(reader, sides)))
    model.compile("adam", hinge)
    return model


def balanced_pairs(y, n_pairs, rng):
    """As many pairs that are alike as others."""
    first, second, is_alike = pairs_of(y)
    rows = [
        rng.choice(np.flatnonzero(is_alike == kind), n_pairs // 2)
        for kind in (True, False)
    ]
    rows = rng.permutation(np.concatenate(rows))
    return first[rows], second[rows], is_alike[rows].astype(int)


def question(args):
    for seed in args.splits:
        X, y = make_voices(10, 60, length=(150, 150), random_state=seed)
        X, rng = np.array(X), np.random.default_rng(seed)
        heard, others = np.split(rng.permutation(len(X)), 2)
        a, b, alike = balanced_pairs(y[heard], 4000, rng)
        c, d, truth = balanced_pairs(y[others], 2000, rng)
        A, B, C, D = X[heard][a], X[heard][b], X[others][c], X[others][d]
        model = clipped_divergence(*X.shape[1:], seed)
        model.fit([A, B], alike, epochs=10, batch_size=64, verbose=0)
        distance = model.predict([C, D], verbose=0)[:, 0]
        theirs = np.mean(np.round(distance) == truth)
        best = 1 - equal_error_rate(truth, -distance)
        options = {"loss": "kl_hinge", "distance": "symmetric_kl", "random_state": seed}
        embedder, note = fitted(X[heard], y[heard], **options)
        ours = np.mean((embedder.predict_pairs(C, D) == 1) == truth)
        print(
            f"question, seed {seed}: pair accuracy {theirs:.3f} (at the best "
            f"threshold {best:.3f}); kl_hinge {ours:.3f}, {note}",
            flush=True,
        )


PARTS = {
    "librispeech": librispeech,
    "digits": digits,
    "voices": voices,
    "threshold": threshold,
    "question": question,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cuts", type=int, default=4, help="most of an utterance")
    parser.add_argument("--means", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument(
        "--recordings", type=int, default=10, help="of each digit and speaker, judged"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    args = parser.parse_args()
    for name in args.only:
        PARTS[name](args)


if __name__ == "__main__":
    main()
