"""One class per sequence: heartbeats and gestures, as the classifier comes.

    python benchmarks/classification.py --data-home DIR [--seeds 0 1 2]
                                        [--only heartbeats kinds gestures]

Heartbeats: normal or not, learnt from the 500 training beats of ECG5000, judged on the
4,500 test beats, beside the nearest neighbour and ridge regression of the classes.
Kinds: the five classes of the training beats, of which one has two beats, by two
stratified folds. Gestures: five classes of 60 to 4 %, 400 to learn from and 1,000
to judge, beside a random forest on the mean, deviation and extremes of each feature.
Balanced accuracies; nothing is set but `random_state`.
"""

import argparse
import time

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from skseq import SequenceClassifier
from skseq.datasets import fetch_ecg5000, make_gestures


def summaries(X):
    """The mean, deviation and extremes of each feature of each sequence."""
    return [np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0)]) for x in X]


def tell(what, model, X, y, X_test, y_test):
    """Fit, and print what is reached on other data."""
    start = time.process_time()
    model.fit(X, y)
    seconds = time.process_time() - start
    found = balanced_accuracy_score(y_test, model.predict(X_test))
    print(
        f"{what}: balanced accuracy {found:.4f}, {seconds:.0f} s of processor time",
        flush=True,
    )
    return found


def heartbeats(data_home, seeds):
    options = {"data_home": data_home, "return_X_y": True}
    data = *fetch_ecg5000(**options), *fetch_ecg5000(subset="test", **options)
    data = [part if part.ndim > 1 else np.where(part == 1, 1, -1) for part in data]
    tell("heartbeats, nearest neighbour", KNeighborsClassifier(1), *data)
    tell("heartbeats, ridge", RidgeClassifierCV(np.logspace(-3, 3, 13)), *data)
    for seed in seeds:
        clf = SequenceClassifier(random_state=seed)
        tell(f"heartbeats, SequenceClassifier, seed {seed}", clf, *data)


def kinds(data_home, seeds):
    bunch = fetch_ecg5000(data_home=data_home)
    X, y = bunch.beats, bunch.classes
    for name, make in {
        "nearest neighbour": lambda seed: KNeighborsClassifier(1),
        "SequenceClassifier": lambda seed: SequenceClassifier(random_state=seed),
    }.items():
        for seed in seeds:
            folds = StratifiedKFold(2, shuffle=True, random_state=seed)
            for i, (train, test) in enumerate(folds.split(X, y)):
                data = X[train], y[train], X[test], y[test]
                tell(f"kinds, {name}, seed {seed}, fold {i}", make(seed), *data)


def gestures(data_home, seeds):
    for seed in seeds:
        X, y = make_gestures(400, random_state=seed)
        X_test, y_test = make_gestures(1000, random_state=1000 + seed)
        forest = RandomForestClassifier(300, random_state=seed)
        data = summaries(X), y, summaries(X_test), y_test
        tell(f"gestures, random forest, seed {seed}", forest, *data)
        clf = SequenceClassifier(random_state=seed)
        data = X, y, X_test, y_test
        tell(f"gestures, SequenceClassifier, seed {seed}", clf, *data)


PARTS = {"heartbeats": heartbeats, "kinds": kinds, "gestures": gestures}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    args = parser.parse_args()
    for name in args.only:
        PARTS[name](args.data_home, args.seeds)


if __name__ == "__main__":
    main()
