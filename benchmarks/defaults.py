"""Whether defaults learn: each estimator as it comes, on many tasks.

    python benchmarks/defaults.py --data-home DIR [--seeds 3 4 5] [--tasks NAME ...]
    python benchmarks/defaults.py --data-home DIR --search [--results FILE]

Every task is fitted with no parameter set beside `random_state` (and `front_end` for
images). Beside it stands a plain baseline of the field. `--search` adds the best of
twelve configurations at the same number of epochs: learning rate, strides, batch size
and dropout, drawn at random and chosen on a fifth of the training data; there is none
where training data are normal sequences only, which nothing can be chosen on. Two
processes of one thread each run side by side. What results/defaults.json holds is not
measured again: delete it, or give another file by `--results`, to start anew.

Errors: 1 - balanced accuracy for gestures, heartbeats and single digits, label or token
error rate for sequences, 1 - R2 for numbers, the share of wrong frames for tags, 1 - F1
of spans for named entities, 1 - F1 at the automatic threshold for anomalies.
"""

import argparse
import json
import multiprocessing
import os
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import RESULTS
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

N_CONFIGURATIONS = 12
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
BATCH_SIZES = (8, 16, 32)
DROPOUTS = (0.0, 0.2, 0.4)
STRIDES = (1, 2, 4)


# -- data -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Data:
    """What is learnt from, and what is tested on."""

    X: Any
    y: Any
    X_test: Any
    y_test: Any

    def split(self, seed) -> "Data":
        """A fifth of the training data in the place of the test data."""
        X, X_test, y, y_test = train_test_split(
            list(self.X), list(self.y), test_size=0.2, random_state=seed
        )
        if isinstance(self.y, np.ndarray):
            y = np.asarray(y)
        return Data(X, y, X_test, y_test)


def gestures(home, seed):
    from skseq.datasets import make_gestures

    return Data(
        *make_gestures(320, random_state=seed),
        *make_gestures(600, random_state=1000 + seed),
    )


def letters(home, seed, n_samples=260, sample_rate=16000, n_letters=(1, 15)):
    from skseq.datasets import make_letters

    make = partial(
        make_letters, sample_rate=sample_rate, n_letters=n_letters, return_X_y=True
    )
    return Data(
        *make(n_samples, random_state=seed), *make(150, random_state=1000 + seed)
    )


def short_letters(home, seed):
    return letters(home, seed, sample_rate=8000, n_letters=(1, 4))


def strips(home, seed):
    from skseq.datasets import make_digit_strips

    return Data(
        *make_digit_strips(400, noise=0.1, random_state=seed),
        *make_digit_strips(300, noise=0.1, subset="test", random_state=1000 + seed),
    )


def small_captchas(home):
    """Images of half the size, whose ink is one, and their texts."""
    from skseq.datasets import fetch_captchas

    images, texts = fetch_captchas(data_home=home, return_X_y=True)
    images = [
        1 - image.reshape(len(image) // 2, 2, -1, 2).mean(axis=(1, 3))
        for image in images
    ]
    return images, texts


def captchas(home, seed):
    images, texts = small_captchas(home)
    X, X_test, y, y_test = train_test_split(
        images, texts, train_size=400, test_size=200, random_state=seed
    )
    return Data(X, y, X_test, y_test)


def spoken_digits(home, seed):
    from skseq.datasets import fetch_spoken_digits

    audio, digits = fetch_spoken_digits(data_home=home, return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        audio, digits, train_size=500, test_size=400, random_state=seed
    )
    return Data(X, np.asarray(y), X_test, np.asarray(y_test))


def pairs(home, seed, make, n_samples):
    return Data(
        *make(n_samples, random_state=seed), *make(300, random_state=1000 + seed)
    )


def dates(home, seed):
    from skseq.datasets import make_dates

    return pairs(home, seed, make_dates, 700)


def number_words(home, seed):
    from skseq.datasets import make_number_words

    return pairs(home, seed, partial(make_number_words, max_value=9999), 900)


def symbols(home, seed, task):
    from skseq.datasets import make_symbol_sequences

    make = partial(make_symbol_sequences, task=task, max_length=12)
    return pairs(home, seed, make, 900)


def sounds(home, seed):
    from skseq.datasets import fetch_g2p

    fetch = partial(fetch_g2p, "hin", data_home=home, return_X_y=True)
    words, phones = fetch()
    rows = np.random.default_rng(seed).permutation(len(words))[:1000]
    return Data(
        [words[i] for i in rows], [phones[i] for i in rows], *fetch(subset="dev")
    )


def sensors(home, seed):
    from skseq.datasets import make_sensor_sequences

    make = partial(make_sensor_sequences, n_features=4, return_X_y=True)
    X, _ = make(260, contamination=0, random_state=seed)
    return Data(X, None, *make(400, contamination=0.2, random_state=1000 + seed))


def heartbeats(home, seed):
    from skseq.datasets import fetch_ecg5000

    X, y = fetch_ecg5000(data_home=home, return_X_y=True)
    X_test, y_test = fetch_ecg5000(subset="test", data_home=home, return_X_y=True)
    return Data(X[y == 1], None, X_test, y_test)


def valve(home, seed, n_train=400):
    """Windows of one series; a window is normal if fewer than half its rows are not."""
    from skseq.datasets import fetch_skab_valve1
    from skseq.preprocessing import SlidingWindows

    data = fetch_skab_valve1(data_home=home)
    series, anomaly = (
        part[seed % len(data.series)] for part in (data.series, data.anomaly)
    )
    windows = SlidingWindows(10)
    scaled = StandardScaler().fit(series[:n_train]).transform(series)
    labels = np.lib.stride_tricks.sliding_window_view(anomaly[n_train:], 10).mean(
        axis=1
    )
    return Data(
        windows.transform(scaled[:n_train]),
        None,
        windows.transform(scaled[n_train:]),
        np.where(labels >= 0.5, -1, 1),
    )


def kinds_of_heartbeats(home, seed):
    """Five kinds, 250 heartbeats to learn from and as many others."""
    from skseq.datasets import fetch_ecg5000

    data = fetch_ecg5000(data_home=home)
    X, X_test, y, y_test = train_test_split(
        data.beats,
        data.classes,
        test_size=0.5,
        stratify=data.classes,
        random_state=seed,
    )
    return Data(X, y, X_test, y_test)


def constants(home, seed, target):
    from skseq.datasets import make_counting

    make = partial(make_counting, target=target)
    return Data(*make(500, random_state=seed), *make(300, random_state=1000 + seed))


def states(home, seed):
    from skseq.datasets import make_hidden_markov

    return Data(
        *make_hidden_markov(400, random_state=seed),
        *make_hidden_markov(300, random_state=1000 + seed),
    )


def entities(home, seed):
    from skseq.datasets import make_named_entities

    return Data(
        *make_named_entities(600, random_state=seed),
        *make_named_entities(400, random_state=1000 + seed),
    )


# -- baselines ------------------------------------------------------------------------


def summary(sequence):
    """Mean, deviation and extremes of each feature."""
    x = np.asarray(sequence, dtype=float)
    return np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0)])


def forest(data, prepare=list):
    model = RandomForestClassifier(500, random_state=0)
    model.fit([summary(x) for x in prepare(data.X)], data.y)
    return model.predict([summary(x) for x in prepare(data.X_test)])


def forest_of_sounds(data):
    from skseq.preprocessing import LogMel

    return forest(data, LogMel(8000).transform)


def most_frequent(data):
    """The one output that comes most often, for all."""
    keys = [y if isinstance(y, str) else tuple(y) for y in data.y]
    (best, _), *_ = Counter(keys).most_common(1)
    return [best] * len(data.X_test)


def nearest(data):
    """The output of the source that is nearest in edits."""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    distances = process.cdist(data.X_test, data.X, scorer=Levenshtein.distance)
    return [data.y[i] for i in distances.argmin(axis=1)]


def residuals(data):
    """PCA of sequences, or of their statistics where lengths differ."""
    X, X_test = data.X, data.X_test
    if len({len(x) for x in X}) > 1:
        X, X_test = ([summary(x) for x in part] for part in (X, X_test))
    X, X_test = (np.asarray(part).reshape(len(part), -1) for part in (X, X_test))
    scaler = StandardScaler().fit(X)
    X, X_test = scaler.transform(X), scaler.transform(X_test)
    pca = PCA(8).fit(X)

    def score(A):
        return np.square(A - pca.inverse_transform(pca.transform(A))).mean(axis=1)

    limit = np.quantile(score(X), 0.99)
    return np.where(score(X_test) > limit, -1, 1)


def nearest_sequence(data):
    X, X_test = (
        np.asarray(part).reshape(len(part), -1) for part in (data.X, data.X_test)
    )
    return KNeighborsClassifier(1).fit(X, data.y).predict(X_test)


def mean_of_frames(data):
    return np.array([x.mean(axis=0) for x in data.X_test])


def mean_so_far(data):
    return [
        np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None] for x in data.X_test
    ]


def frame_alone(data):
    """Each frame for itself, as normally distributed features of a state."""
    model = GaussianNB().fit(np.vstack(list(data.X)), np.concatenate(list(data.y)))
    return [model.predict(x) for x in data.X_test]


def tag_of_word(data):
    """The tag that a word has most often, and no entity for a new one."""
    seen = defaultdict(Counter)
    for words, tags in zip(data.X, data.y, strict=True):
        for word, tag in zip(words, tags, strict=True):
            seen[word][tag] += 1
    return [
        [seen[w].most_common(1)[0][0] if w in seen else "O" for w in words]
        for words in data.X_test
    ]


# -- estimators -----------------------------------------------------------------------


def reader(seed, **settings):
    from skseq import CTCSequenceClassifier

    return CTCSequenceClassifier(random_state=seed, **settings)


def image_reader(seed, **settings):
    return reader(seed, front_end="image", **settings)


def listener(seed, rate, **settings):
    from skseq.preprocessing import LogMel

    return make_pipeline(LogMel(rate), reader(seed, **settings))


def translator(seed, **settings):
    from skseq import Seq2SeqTranslator

    return Seq2SeqTranslator(random_state=seed, **settings)


def detector(seed, **settings):
    from skseq import LSTMAutoencoder

    return LSTMAutoencoder(random_state=seed, **settings)


def classifier(seed, **settings):
    from skseq import SequenceClassifier

    return SequenceClassifier(random_state=seed, **settings)


def regressor(seed, **settings):
    from skseq import SequenceRegressor

    return SequenceRegressor(random_state=seed, **settings)


def tagger(seed, **settings):
    from skseq import SequenceTagger

    return SequenceTagger(random_state=seed, **settings)


# -- errors ---------------------------------------------------------------------------


def class_error(y_true, y_pred):
    return 1 - balanced_accuracy_score(y_true, y_pred)


def sequence_error(y_true, y_pred):
    from skseq.metrics import label_error_rate

    def as_tokens(y):
        return [t.split() if isinstance(t, str) and " " in t else t for t in y]

    return label_error_rate(as_tokens(y_true), as_tokens(y_pred))


def number_error(y_true, y_pred):
    """Of all frames, where there are numbers for each."""
    y_true, y_pred = (np.vstack(list(y)) for y in (y_true, y_pred))
    return 1 - r2_score(y_true, y_pred)


def frame_error(y_true, y_pred):
    from skseq.metrics import frame_accuracy

    return 1 - frame_accuracy(y_true, y_pred)


def span_error(y_true, y_pred):
    from skseq.metrics import span_f1_score

    return 1 - span_f1_score(y_true, y_pred)


def anomaly_error(y_true, y_pred):
    from skseq.metrics import anomaly_f1

    return 1 - anomaly_f1(y_true, y_pred)


# -- tasks ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One task: its data, the estimator as it comes, a baseline, and the error."""

    load: Callable[[str, int], Data]
    make: Callable
    baseline: Callable[[Data], Any]
    error: Callable[[Any, Any], float]
    should_win: bool = True  # written down before anything was fitted
    strides: tuple = (None,)

    def configurations(self) -> list[dict]:
        """Drawn at random, the same in every run."""
        rng = np.random.default_rng(0)
        grid = [
            {"learning_rate": rate, "batch_size": size, "dropout": dropout}
            | ({} if stride is None else strided(stride))
            for rate in RATES
            for size in BATCH_SIZES
            for dropout in DROPOUTS
            for stride in self.strides
        ]
        return [grid[i] for i in rng.permutation(len(grid))[:N_CONFIGURATIONS]]


def strided(stride):
    """Convolutions that shorten time by a stride."""
    strides = {1: (1,), 2: (2,), 4: (2, 2)}[stride]
    return {"conv_filters": (64,) * len(strides), "conv_strides": strides}


TASKS = {
    "gestures": Task(gestures, reader, forest, class_error, strides=STRIDES),
    "letters, 16 kHz": Task(
        letters,
        partial(listener, rate=16000),
        most_frequent,
        sequence_error,
        strides=STRIDES,
    ),
    "short letters, 8 kHz": Task(
        short_letters,
        partial(listener, rate=8000),
        most_frequent,
        sequence_error,
        strides=STRIDES,
    ),
    "strips": Task(strips, reader, most_frequent, sequence_error, strides=(1, 2)),
    "captchas": Task(captchas, image_reader, most_frequent, sequence_error),
    "spoken digits": Task(
        spoken_digits,
        partial(listener, rate=8000),
        forest_of_sounds,
        class_error,
        strides=STRIDES,
    ),
    "dates": Task(dates, translator, nearest, sequence_error),
    "number words": Task(number_words, translator, nearest, sequence_error),
    "copy": Task(
        partial(symbols, task="copy"), translator, most_frequent, sequence_error
    ),
    "reverse": Task(
        partial(symbols, task="reverse"), translator, most_frequent, sequence_error
    ),
    "sounds of words": Task(sounds, translator, nearest, sequence_error),
    "sensors": Task(sensors, detector, residuals, anomaly_error),
    # One shape of equal length is what PCA is made for.
    "heartbeats": Task(heartbeats, detector, residuals, anomaly_error, False),
    "valve": Task(valve, detector, residuals, anomaly_error, False),
    "gestures, one class each": Task(
        gestures, classifier, forest, class_error, strides=STRIDES
    ),
    # Shapes of equal length, in place: what the nearest neighbor is made for.
    "kinds of heartbeats": Task(
        kinds_of_heartbeats,
        classifier,
        nearest_sequence,
        class_error,
        False,
        strides=STRIDES,
    ),
    # The mean is the best there is but for little.
    "a constant": Task(
        partial(constants, target="sequence"),
        regressor,
        mean_of_frames,
        number_error,
        False,
        strides=STRIDES,
    ),
    "a constant, by frame": Task(
        partial(constants, target="frame"), regressor, mean_so_far, number_error, False
    ),
    "hidden states": Task(states, tagger, frame_alone, frame_error),
    "named entities": Task(entities, tagger, tag_of_word, span_error),
}


# What the documentation calls errors and baselines.
WORDS = {
    class_error: "1 - balanced accuracy",
    sequence_error: "label or token error rate",
    anomaly_error: "1 - F1",
    number_error: "1 - R²",
    frame_error: "wrong frames",
    span_error: "1 - F1 of spans",
    forest: "random forest on mean, deviation and extremes",
    forest_of_sounds: "random forest on summaries of log-mel energies",
    most_frequent: "the most frequent output",
    nearest: "output of the nearest source",
    residuals: "PCA with 8 components",
    nearest_sequence: "nearest neighbor",
    mean_of_frames: "mean of the frames",
    mean_so_far: "mean of the frames so far",
    frame_alone: "naive Bayes of single frames",
    tag_of_word: "most frequent tag of each word",
}


# -- measuring ------------------------------------------------------------------------


def fit_and_test(task, data, seed, **settings):
    """The error, the seconds of the fit, and whether it gave a ConvergenceWarning."""
    from sklearn.exceptions import ConvergenceWarning

    estimator = task.make(seed, **settings)
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(data.X) if data.y is None else estimator.fit(data.X, data.y)
    seconds = time.perf_counter() - start
    warned = any(issubclass(w.category, ConvergenceWarning) for w in caught)
    return task.error(data.y_test, estimator.predict(data.X_test)), seconds, warned


def measure(name, seed, home):
    """Errors of the defaults and of the baseline on one task."""
    task = TASKS[name]
    data = task.load(home, seed)
    error, seconds, warned = fit_and_test(task, data, seed)
    return {
        "defaults": error,
        "baseline": task.error(data.y_test, task.baseline(data)),
        "seconds": seconds,
        "warned": warned,
    }


def try_out(name, i, home):
    """The error of one configuration on a fifth of the training data of seed 0."""
    task = TASKS[name]
    data = task.load(home, 0).split(0)
    return {"error": fit_and_test(task, data, 0, **task.configurations()[i])[0]}


def measure_best(name, seed, home, i):
    """The error of the configuration that was chosen."""
    task = TASKS[name]
    data, settings = task.load(home, seed), task.configurations()[i]
    return {"configuration": i, "best": fit_and_test(task, data, seed, **settings)[0]}


def single_threaded():
    """In a process of the pool, before TensorFlow is imported."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


class Results:
    """What was found so far, kept in a file after each fit: a run may be broken off."""

    def __init__(self, path):
        self.path = path
        self.found = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def of(self, kind, name):
        """The results of one kind for a task, by seed or number of configuration."""
        return self.found.setdefault(kind, {}).setdefault(name, {})

    def add(self, pool, kind, function, jobs, home):
        """Run those jobs, pairs of a task and a number, that have no result yet."""
        missing = [(name, i) for name, i in jobs if str(i) not in self.of(kind, name)]
        waiting = {pool.submit(function, *job, home): job for job in missing}
        for future in as_completed(waiting):
            name, i = waiting[future]
            self.of(kind, name)[str(i)] = future.result()
            print(kind, name, i, json.dumps(future.result()), flush=True)
            text = json.dumps(self.found, indent=1)
            self.path.write_text(f"{text}\n", "utf-8")


def search(results, names, seeds, home, pool):
    """Find the best of the configurations of each task, and measure it by seed."""
    numbers = range(N_CONFIGURATIONS)
    tries = [(name, i) for name in names for i in numbers]
    results.add(pool, "tried", try_out, tries, home)
    for name in names:
        errors = results.of("tried", name)
        best = min(numbers, key=lambda i, errors=errors: errors[str(i)]["error"])
        measured = results.of("best", name)
        for seed, entry in list(measured.items()):
            if entry["configuration"] != best:  # of tries that were made again
                del measured[seed]
        run = partial(measure_best, i=best)
        results.add(pool, "best", run, [(name, seed) for seed in seeds], home)


def show(results, names, seeds):
    """One line per task: means over the seeds."""
    print(f"{'task':<22}{'defaults':>10}{'baseline':>10}{'best of 12':>12}  won")
    for name in names:
        own = [results.of("defaults", name)[str(seed)] for seed in seeds]
        best = [entry["best"] for entry in results.of("best", name).values()]
        error, baseline = (
            float(np.mean([entry[kind] for entry in own]))
            for kind in ("defaults", "baseline")
        )
        compared = f"{np.mean(best):.3f}" if best else "-"
        should = "yes" if TASKS[name].should_win else "no"
        n_warned = sum(entry["warned"] for entry in own)
        print(
            f"{name:<22}{error:>10.3f}{baseline:>10.3f}{compared:>12}"
            f"  {'yes' if error < baseline else 'no'} (expected: {should})"
            + f", warned of {n_warned}"
            * bool(n_warned)
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 4, 5])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS / "defaults.json")
    args = parser.parse_args()
    names, seeds, home = args.tasks, args.seeds, args.data_home
    results = Results(args.results)
    jobs = [(name, seed) for name in names for seed in seeds]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context, single_threaded) as pool:
        results.add(pool, "defaults", measure, jobs, home)
        if args.search:
            labelled = [n for n in names if TASKS[n].error is not anomaly_error]
            search(results, labelled, seeds, home, pool)
    show(results, names, seeds)


if __name__ == "__main__":
    main()
