"""A grid search beside the same one through SciKeras.

    python benchmarks/search_speed.py

Twelve candidates in three folds, and the refit: an LSTM of 16 units that classifies 200
sequences of 20 frames and 8 features, trained for 2 epochs each time.
"""

import warnings
from time import perf_counter

import keras
import numpy as np
from side_by_side import Row, run
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skseq import CTCSequenceClassifier

GRID = {
    "optimizer__learning_rate": [1e-4, 1e-3, 3e-3, 1e-2],
    "batch_size": [16, 32, 50],
}


def build(meta, units=16):
    """The network as a SciKeras user builds it."""
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            keras.layers.LSTM(units),
            keras.layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def seconds(estimator, X, y):
    """Seconds of a whole search, the first use of this estimator in the process."""
    start = perf_counter()
    search = GridSearchCV(estimator, GRID, cv=3, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 12
    return perf_counter() - start


def rows(n_samples):
    warnings.simplefilter("ignore", ConvergenceWarning)  # two epochs are few
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 20, 8)).astype("float32")
    y = rng.integers(0, 3, size=n_samples)
    X += y[:, None, None] * 0.3
    ours = CTCSequenceClassifier(
        target="single",
        units=16,
        bidirectional=False,
        conv_filters=(),
        dropout=0.0,
        global_clipnorm=None,
        epochs=2,
        random_state=0,
    )
    own = seconds(ours, X, y)
    from scikeras.wrappers import KerasClassifier  # changes how Keras pickles

    theirs = KerasClassifier(
        build,
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        epochs=2,
        verbose=0,
        random_state=0,
    )
    other = seconds(theirs, X, y)
    work = "grid search, 12 candidates, 3 folds and refit"
    yield Row(work, "SciKeras", own, other, "seconds", other / own, 10)


if __name__ == "__main__":
    run(__doc__, rows, n_samples=200)
