"""What shows that nothing was learnt, on data in any order and under any weights."""

import warnings

import keras
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skseq import LSTMAutoencoder, Seq2SeqTranslator
from skseq._engine.convergence import (
    N_JUDGED,
    fall_of,
    judged_rows,
    lack_of_learning,
    rise_of,
)
from skseq._engine.state import Subset
from skseq.augmentation import augmenter
from skseq.preprocessing import LogMel
from tests.estimators import CLASSIFIER, CTC_SINGLE


@pytest.mark.parametrize("n", [126, 127, 128, 190, 253, 254, 1000])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_rows_that_are_judged_are_of_all_classes_in_any_order(n, n_classes):
    rows = judged_rows(Subset(None, np.arange(n)))
    assert len(rows) == len(set(rows.tolist())) == N_JUDGED
    counts = np.bincount(rows % n_classes, minlength=n_classes)
    assert counts.min() > N_JUDGED / n_classes / 2


def test_few_rows_are_judged_all():
    assert judged_rows(Subset(None, np.arange(20, 50))).tolist() == list(range(20, 50))


def test_errors_count_by_the_weights_that_were_learnt_with():
    wanted = [[0]] * 90 + [[1]] * 10
    found = [[0]] * 75 + [[1]] * 15 + [[1]] * 10  # all rare ones are found
    assert "giving the same output" in lack_of_learning(wanted, found)
    balanced = np.array([100 / 180] * 90 + [5.0] * 10)
    assert lack_of_learning(wanted, found, balanced) is None
    assert (
        lack_of_learning(
            wanted, [[1]] * 45 + [[0]] * 45 + [[1]] * 5 + [[0]] * 5, balanced
        )
        is not None
    )


@pytest.mark.parametrize("case", [CLASSIFIER, CTC_SINGLE], ids=str)
def test_balanced_classes_that_are_learnt_are_not_called_unlearnt(case):
    rng = np.random.default_rng(0)
    y = (rng.random(300) < 0.1).astype(int)
    X = [rng.normal(size=(15, 2)) + np.array([0.5 * label, 0]) for label in y]
    clf = case.Estimator(
        units=4,
        epochs=15,
        class_weight="balanced",
        random_state=0,
        **({"target": "single"} if case is CTC_SINGLE else {}),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.fit(X, y)
    assert not any("next to nothing" in str(w.message) for w in caught)


def test_sequences_that_hardly_change_are_judged_by_what_tells_them_apart():
    X = [a.repeat(10, 0) for a in np.random.default_rng(1).normal(size=(60, 1, 4))]
    X = [x + np.random.default_rng(2).normal(size=x.shape) * 1e-3 for x in X]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        LSTMAutoencoder(units=16, epochs=80, random_state=0).fit(X)
    with pytest.warns(ConvergenceWarning, match="of the variance of all frames"):
        LSTMAutoencoder(units=4, epochs=3, learning_rate=1e-9, random_state=0).fit(X)
    with pytest.warns(ConvergenceWarning, match="of the variance of all frames"):
        LSTMAutoencoder(units=4, epochs=3, learning_rate=1e-9, random_state=0).fit(
            [x[:1] for x in X]
        )


class Seen(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def test_a_callback_that_sets_the_rate_that_was_given_is_obeyed_at_once():
    seen = Seen()
    constant = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)
    clf = CLASSIFIER.make(learning_rate=0.01, callbacks=[constant, seen])
    clf.set_params(learning_rate_schedule="warmup_cosine")
    rates = clf.fit(CLASSIFIER.X, CLASSIFIER.y).callbacks_[1].rates
    np.testing.assert_allclose(rates, 0.01, rtol=1e-6)


def test_a_function_that_writes_to_its_tokens_changes_no_later_draw():
    S, T = ["a b c", "b c", "c a"] * 4, ["x y", "y", "y x"] * 4
    losses = []
    for function in (lambda s, rng: s.reverse() or s, lambda s, rng: s[::-1]):
        translator = Seq2SeqTranslator(
            units=4,
            embedding_dim=4,
            epochs=3,
            random_state=0,
            preprocess=[augmenter(function)],
        )
        losses.append(translator.fit(S, T).history_["loss"])
    assert losses[0] == losses[1]


def test_class_weights_weigh_a_validation_set_that_is_given():
    X, y = CLASSIFIER.X, CLASSIFIER.y
    losses = [
        CLASSIFIER.make(class_weight=weight, epochs=1, learning_rate=1e-12)
        .fit(X, y, X_val=X, y_val=y)
        .history_
        for weight in (None, {"nod": 10.0})
    ]
    assert losses[0]["val_loss"] != losses[1]["val_loss"]
    assert losses[1]["val_loss"][0] == pytest.approx(losses[1]["loss"][0], rel=1e-5)


def test_a_reader_that_writes_nothing_says_so_though_all_targets_are_the_same():
    assert lack_of_learning([[1, 2]] * 9, [[]] * 9) == "it writes nothing at all"
    assert lack_of_learning([[1, 2]] * 9, [[1]] * 9) is None
    assert lack_of_learning([[]] * 9, [[]] * 9) is None


def test_a_loss_that_has_risen_is_told_from_one_that_falls():
    assert rise_of([1.0, 1.2])
    assert not rise_of([1.0, 1.05])
    assert not rise_of([1.0])
    assert fall_of([1.0, 3.0, 2.0]) is None
    X = [np.random.default_rng(i).normal(size=(12, 3)) for i in range(30)]
    clf = CLASSIFIER.make(optimizer="sgd", learning_rate=30.0, global_clipnorm=None)
    with pytest.warns(ConvergenceWarning, match="next to nothing|Lower the lea"):
        clf.fit(X, np.arange(30) % 3)


def single_infinity(sequence, rng):
    changed = sequence.copy()
    changed[0] = np.inf
    return changed


def all_infinite(sequence, rng):
    return np.full_like(sequence, np.inf)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_infinity_is_named_whatever_holds_it(dtype):
    X = [x.astype(dtype) for x in CLASSIFIER.X]
    clf = CLASSIFIER.tiny().fit(X, CLASSIFIER.y)
    bad = [x.copy() for x in X]
    bad[2][1, 1] = np.inf
    with pytest.raises(ValueError, match=r"contains infinity \(X\[2\]\[1, 1\]"):
        clf.predict(bad)
    for function in (single_infinity, all_infinite):
        steps = [augmenter(function, changes_frames=False)]
        with pytest.raises(ValueError, match=r"preprocess\[0\], .* X\[\d+\]"):
            CLASSIFIER.tiny(preprocess=steps).fit(X, CLASSIFIER.y)


@pytest.mark.parametrize("function", [len, [].count], ids=["built in", "method"])
def test_what_cannot_be_marked_is_told_to_be_wrapped(function):
    with pytest.raises(ValueError, match=r"cannot be marked. Wrap it in a function"):
        augmenter(function)


def test_steps_for_frames_are_refused_for_tokens():
    translator = Seq2SeqTranslator(units=4, epochs=1, preprocess=[LogMel(8000)])
    with pytest.raises(ValueError, match=r"preprocess\[0\], LogMel.*, but X holds tok"):
        translator.fit(["ab", "bc"] * 6, ["x", "y"] * 6)
