"""Fits that have learnt too little say so, and those that have learnt do not."""

import re
import warnings

import numpy as np
import pytest
from keras.optimizers import SGD
from sklearn.exceptions import ConvergenceWarning

from skseq import (
    CTCSequenceClassifier,
    LSTMAutoencoder,
    Seq2SeqTranslator,
    SequenceClassifier,
)
from skseq._engine.convergence import (
    fall_of,
    lack_of_learning,
    standstill_of,
    trouble_of,
)
from skseq._engine.state import BATCH_SIZES, pick_batch_size
from tests.toy import as_text, reversals, symbol_runs

X, SYMBOLS, _ = symbol_runs(40)
TEXTS = as_text(SYMBOLS)
CLASSES = np.array([int(sequence[0]) for sequence in SYMBOLS])
SOURCES, TARGETS = (list(map(" ".join, side)) for side in reversals(40))


def reader(**params):
    defaults = {"units": 16, "epochs": 40, "learning_rate": 2e-2, "random_state": 0}
    return CTCSequenceClassifier(**{**defaults, **params})


def translator(**params):
    defaults = {"units": 16, "epochs": 60, "learning_rate": 2e-2, "random_state": 0}
    return Seq2SeqTranslator(**{**defaults, **params})


def shuffled(y, seed=0):
    order = np.random.default_rng(seed).permutation(len(y))
    return [y[i] for i in order]


def autoencoder(**params):
    defaults = {"units": 16, "epochs": 200, "learning_rate": 1e-2, "random_state": 0}
    return LSTMAutoencoder(**{**defaults, **params})


STOPPING = {"early_stopping": True, "n_iter_no_change": 3}
CONSTANT = [np.ones_like(x) for x in X]
NOISE = [np.random.default_rng(1).normal(size=x.shape) for x in X]
WAVES = [np.sin(np.arange(n) * 0.7) for n in range(8, 16)]
RANDOM = [" ".join(w) for w in np.random.default_rng(1).choice(list("abcd"), (40, 4))]

NOT_LEARNT = {
    "rate too low, labels": lambda: reader(learning_rate=1e-7, epochs=5).fit(X, TEXTS),
    "rate too low, classes": lambda: reader(learning_rate=1e-7, epochs=5).fit(
        X, CLASSES
    ),
    "rate too low, tokens": lambda: translator(learning_rate=1e-7, epochs=10).fit(
        SOURCES, TARGETS
    ),
    "one epoch, labels": lambda: reader(epochs=1).fit(X, TEXTS),
    "one epoch, classes": lambda: reader(epochs=1, learning_rate=1e-4).fit(X, CLASSES),
    "one epoch, tokens": lambda: translator(epochs=1).fit(SOURCES, TARGETS),
    "constant features, labels": lambda: reader(epochs=10).fit(CONSTANT, TEXTS),
    "constant features, classes": lambda: reader(epochs=10).fit(CONSTANT, CLASSES),
    "shuffled labels": lambda: reader(**STOPPING).fit(X, shuffled(TEXTS)),
    "unknown targets": lambda: translator(epochs=5, min_frequency=30).fit(
        SOURCES, [f"{i} {i + 100}" for i in range(40)]
    ),
}

MORE_NOT_LEARNT = {
    "shuffled targets": lambda: translator(**STOPPING, units=4).fit(
        SOURCES, shuffled(TARGETS)
    ),
    "targets of one token each": lambda: translator(target_tokenizer="word").fit(
        SOURCES[:20], [f"{i}-{2 * i}" for i in range(20)]
    ),
    "one epoch at the default rate": lambda: reader(epochs=1, learning_rate=2e-3).fit(
        X, TEXTS
    ),
    "labels of the next": lambda: reader(**STOPPING).fit(X, TEXTS[1:] + TEXTS[:1]),
    "noise": lambda: reader(**STOPPING).fit(NOISE, TEXTS),
    "shuffled classes": lambda: reader(**STOPPING).fit(X, np.array(shuffled(CLASSES))),
    "nearly all dropped": lambda: reader(dropout=0.95, epochs=10).fit(X, TEXTS),
    "steps too small": lambda: reader(optimizer="sgd", learning_rate=1e-5).fit(
        X, TEXTS
    ),
    "constant sources": lambda: translator(**STOPPING).fit(["a b"] * 40, TARGETS),
    "random targets": lambda: translator(**STOPPING).fit(SOURCES, RANDOM),
    "two epochs": lambda: translator(epochs=2, learning_rate=1e-3).fit(
        SOURCES, TARGETS
    ),
    "rate too low, frames": lambda: autoencoder(learning_rate=1e-7, epochs=5).fit(
        WAVES
    ),
    "one epoch, frames": lambda: autoencoder(epochs=1).fit(WAVES),
    "frames of noise": lambda: autoencoder(epochs=5, units=2).fit(NOISE),
}

LEARNT = {
    "labels": lambda: reader().fit(X, TEXTS),
    "classes": lambda: reader().fit(X, CLASSES),
    "tokens": lambda: translator().fit(SOURCES, TARGETS),
    "frames": lambda: autoencoder(epochs=100, learning_rate=2e-2).fit(WAVES),
}

MORE_LEARNT = {
    "one sequence": lambda: reader(epochs=150).fit(X[:1], TEXTS[:1]),
    "gated units": lambda: reader(cell="gru").fit(X, TEXTS),
    "one direction": lambda: reader(bidirectional=False, epochs=60).fit(X, TEXTS),
    "no convolutions": lambda: reader(conv_filters=()).fit(X, TEXTS),
    "two layers": lambda: reader(units=(16, 16)).fit(X, TEXTS),
    "another seed": lambda: reader(random_state=1).fit(X, TEXTS),
    "classes of gated units": lambda: reader(cell="gru").fit(X, CLASSES),
    "classes under weights": lambda: reader(class_weight="balanced").fit(X, CLASSES),
    "lists of labels": lambda: reader().fit(X, list(map(list, TEXTS))),
    "stopped early": lambda: reader(
        epochs=200, early_stopping=True, n_iter_no_change=30, validation_fraction=0.2
    ).fit(X, TEXTS),
    "dot attention": lambda: translator(attention="dot").fit(SOURCES, TARGETS),
    "no attention": lambda: translator(attention=None, epochs=150).fit(
        SOURCES, TARGETS
    ),
    "characters": lambda: translator().fit(
        *([text.replace(" ", "") for text in side] for side in (SOURCES, TARGETS))
    ),
    "tokens of gated units": lambda: translator(cell="gru").fit(SOURCES, TARGETS),
    "greedy decoding": lambda: translator(decoder="greedy").fit(SOURCES, TARGETS),
    "frames from the code": lambda: autoencoder(decoder_input="code", epochs=400).fit(
        WAVES
    ),
}


def with_slow(fits, more):
    """Cases of a parametrized test, by their names; those of `more` are slow."""
    slow = [pytest.param(fit, id=n, marks=pytest.mark.slow) for n, fit in more.items()]
    return [pytest.param(fit, id=name) for name, fit in fits.items()] + slow


@pytest.mark.parametrize("fit", with_slow(NOT_LEARNT, MORE_NOT_LEARNT))
def test_a_fit_that_has_not_learnt_says_so_and_what_to_try(fit):
    told = "learnt next to nothing.*[Tt]ry|Lower min_frequency|Set target_tokenizer"
    with pytest.warns(ConvergenceWarning, match=told) as caught:
        fit()
    assert all(warning.filename == __file__ for warning in caught)


@pytest.mark.parametrize(
    ("params", "rate"),
    [
        ({"learning_rate": 1e-7}, "learning_rate"),
        ({"optimizer": SGD(1e-7)}, "learning rate of the optimizer"),
    ],
)
def test_a_mean_that_was_reconstructed_is_told_as_other_failures_are(params, rate):
    coder = LSTMAutoencoder(units=2, epochs=1, random_state=0, **params)
    message = (
        r"^LSTMAutoencoder has learnt next to nothing: on 8 training sequences its "
        r"reconstruction leaves \d+% of the variance about each sequence's mean, which "
        r"is what changes from frame to frame\. Try more epochs, more units, "
        rf"difference=True, or a higher {rate}\.$"
    )
    with pytest.warns(ConvergenceWarning, match=message):
        coder.fit(WAVES)


@pytest.mark.parametrize("fit", with_slow(LEARNT, MORE_LEARNT))
def test_a_fit_that_has_learnt_says_nothing(fit):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        fit()


@pytest.mark.parametrize("params", [STOPPING, {}], ids=["early stopping", "none"])
def test_a_loss_that_still_falls_asks_for_more_epochs_unless_it_stops_early(params):
    fit = reader(
        epochs=6, learning_rate=3e-3, learning_rate_schedule="constant", **params
    ).fit
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fit(X, CLASSES)
    fell = [w for w in caught if "was still learning when fit ended" in str(w.message)]
    assert bool(fell) == (not params)


def test_a_fit_succeeds_where_nothing_can_be_predicted_yet():
    impossible = translator(epochs=1, min_output_length=9, no_repeat_ngram=1)
    impossible.fit(SOURCES, TARGETS)
    with pytest.raises(ValueError, match="Lower min_output_length"):
        impossible.predict(SOURCES)
    impossible.set_params(no_repeat_ngram=0).predict(SOURCES)


def test_a_part_of_a_fit_is_not_judged():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        reader().partial_fit(X, TEXTS)
        translator().partial_fit(SOURCES, TARGETS)


IDS = [np.array(ids) for ids in ([0, 1, 2], [2, 1, 0], [1, 1], [0])]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (IDS, None),
        ([[]] * 4, "it writes nothing at all"),
        ([[0]] * 4, "it gives the same output for every sequence"),
        ([[0, 1, 2], [2, 1, 0], [1], []], None),
        (
            [[5, 5, 5], [5, 5, 6], [], [7]],
            "its error rate is 1.00; .* reach 0.67",
        ),
    ],
)
def test_outputs_are_compared_with_one_output_for_all(found, told):
    failure = lack_of_learning(IDS, found)
    if told is None:
        assert failure is None
    else:
        assert re.fullmatch(told, failure)


def test_targets_that_are_all_the_same_need_no_learning():
    assert lack_of_learning([[1, 2]] * 5, [[1, 2]] * 5) is None


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        ([1.0], None),
        ([2.0, 1.0], "over the last epoch of 2 the loss fell by another 50%"),
        ([9.0, *np.linspace(5, 4, 19)], None),
        ([9.0, *np.linspace(8, 2, 19)], "over the last 2 epochs of 20 .* another 25%"),
        ([9.0, 0.8, 0.4], None),  # small enough
        ([1.0, 2.0], None),
        ([0.0, 0.0], None),
    ],
)
def test_a_fall_counts_in_the_last_tenth_where_the_loss_is_not_small(losses, told):
    fall = fall_of(losses)
    assert fall is None if told is None else re.fullmatch(told, fall)


@pytest.mark.parametrize(
    ("losses", "stands"),
    [
        ([3.583, 3.584, 3.586, 3.587, 3.588], True),
        ([2.0, 1.999, 1.998, 1.997, 1.996], True),
        ([2.0, 1.999, 1.998, 1.997], False),  # few epochs
        ([2.0, 1.98, 1.97, 1.96, 1.95], False),
        ([0.66, 0.65, 0.66, 0.64, 0.66, 0.65, 0.67], True),  # as dropout has it
        ([0.9, 0.65, 0.66, 0.64, 0.66, 0.65, 0.67], False),  # learnt in one epoch
        ([0.0] * 6, False),
    ],
)
def test_a_loss_stands_still_if_it_falls_by_no_more_than_chance(losses, stands):
    assert (standstill_of(losses) is not None) is stands


@pytest.mark.parametrize("make", [CTCSequenceClassifier, SequenceClassifier])
def test_a_rate_that_is_too_low_is_told_though_chance_made_a_good_start(make):
    y = np.repeat([0, 1], 60)
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(12, 2)) + 2 * label for label in y]
    told = []
    for seed in range(4):
        model = make(units=8, epochs=8, learning_rate=1e-7, random_state=seed)
        with pytest.warns(
            ConvergenceWarning, match="has not learnt any|next to no"
        ) as w:
            model.fit(X, y)
        told += [str(warning.message) for warning in w]
    assert any("has not learnt anything: the loss was" in text for text in told)


def test_a_long_first_epoch_may_have_learnt_all_there_is():
    reader = CTCSequenceClassifier()
    reader.history_, reader.batch_size_ = {"loss": [0.5] * 9}, 4
    assert trouble_of(reader, 800, "learning_rate", False)
    assert trouble_of(reader, 801, "learning_rate", False) is None
    reader.warm_start = True
    assert trouble_of(reader, 800, "learning_rate", False) is None


def test_a_fall_among_epochs_that_are_drawn_stands_out_from_their_differences():
    rng = np.random.default_rng(0)
    steady, noise = np.full(100, 1.0), rng.normal(scale=0.1, size=100)
    drawn = [steady + noise[rng.permutation(100)] for _ in range(200)]
    told = [fall_of([9.0, *losses], are_drawn=True) is not None for losses in drawn]
    assert (
        np.mean(told) < 0.05 < np.mean([fall_of([9.0, *x]) is not None for x in drawn])
    )
    falling = [
        fall_of([9.0, *np.linspace(8, 1, 100) + x], are_drawn=True) for x in drawn
    ]
    assert np.mean([fall is not None for fall in falling]) > 0.95


@pytest.mark.parametrize("n_samples", [1, 7, 159, 160, 320, 639, 640, 1280, 10**6])
def test_a_batch_is_the_largest_that_leaves_twenty_per_epoch(n_samples):
    leaving = [n for n in BATCH_SIZES if n_samples // n >= 20]
    assert pick_batch_size(n_samples) == (leaving[-1] if leaving else 8)
