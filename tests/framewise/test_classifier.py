"""The classifier: what its own mathematics and methods promise.

What it shares with all estimators is asked in `tests/contract`.
"""

import keras
import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    check_cv,
    cross_val_predict,
)

from skseq import SequenceClassifier
from skseq._engine.state import hold_out
from skseq.datasets import make_gestures
from tests.estimators import CLASSIFIER, CLASSIFIER_ATTENTION
from tests.exported import (
    padded,
    run_elsewhere,
    run_onnx,
    run_saved_model,
    texts,
    unanswerable,
    with_nan_padding,
)

X, Y = CLASSIFIER.X, CLASSIFIER.y


@pytest.fixture(scope="module")
def fitted():
    return CLASSIFIER.rough(CLASSIFIER.fit())


@pytest.fixture(scope="module")
def attending():
    return CLASSIFIER_ATTENTION.rough(CLASSIFIER_ATTENTION.fit())


# -- probabilities ---------------------------------------------------------------------


def test_probabilities_are_the_softmax_of_the_networks_logits(fitted):
    model = fitted.model_
    for x, proba in zip(X, fitted.predict_proba(X), strict=True):
        frames = (x - fitted.mean_) / fitted.scale_
        given = [frames[np.newaxis].astype("float32"), np.array([len(x)], "int32")]
        logits = np.array(model(given)[0][0], dtype=np.float64)
        expected = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(proba, expected, rtol=1e-5)


def test_the_forms_of_a_prediction_agree(fitted):
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(proba), fitted.predict_log_proba(X), atol=1e-12)
    best = fitted.classes_[proba.argmax(axis=1)]
    assert fitted.predict(X).tolist() == best.tolist()
    assert fitted.decision_function(X).argmax(axis=1).tolist() == (
        proba.argmax(axis=1).tolist()
    )
    assert fitted.score(X, best) == 1.0


def test_of_two_classes_the_decision_is_the_log_odds_of_the_second():
    y = ["no" if label == "nod" else "yes" for label in Y]
    clf = CLASSIFIER.rough(CLASSIFIER.make().fit(X, y))
    proba, scores = clf.predict_proba(X), clf.decision_function(X)
    assert scores.shape == (len(X),)
    np.testing.assert_allclose(scores, np.log(proba[:, 1] / proba[:, 0]), atol=1e-9)
    assert (clf.predict(X) == "yes").tolist() == (scores > 0).tolist()


def test_one_class_alone_is_certain():
    clf = CLASSIFIER.tiny().fit(X, ["a"] * len(X))
    assert clf.predict(X).tolist() == ["a"] * len(X)
    assert clf.predict_proba(X).tolist() == [[1.0]] * len(X)


@pytest.mark.parametrize(
    "classes", [[3, 1, 2], [True, False], ["b", "é"], [2.0, -1.0]], ids=str
)
def test_classes_come_back_in_the_type_they_were_given(classes):
    y = np.resize(np.array(classes), len(X))
    clf = CLASSIFIER.tiny().fit(X, y)
    assert clf.classes_.tolist() == sorted(classes)
    assert clf.predict(X).dtype == y.dtype


# -- attention ---------------------------------------------------------------------


def test_attention_weighs_the_frames_of_each_sequence(attending):
    weights = attending.predict_attention(X)
    assert [len(item) for item in weights] == [-(-len(x) // 2) for x in X]
    for item in weights:
        assert item.min() > 0
        np.testing.assert_allclose(item.sum(), 1, rtol=1e-6)


def test_only_attention_has_weights(fitted):
    assert not hasattr(fitted, "predict_attention")
    with pytest.raises(AttributeError) as caught:
        fitted.predict_attention(X)
    assert 'needs pooling="attention", but' in str(caught.value.__cause__)


# -- learning ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "pooling",
    [
        "last",
        *(
            pytest.param(p, marks=pytest.mark.slow)
            for p in ("mean", "max", "attention")
        ),
    ],
)
def test_gestures_are_told_apart_by_every_pooling(pooling):
    data = make_gestures(200, random_state=0)
    X_test, y_test = make_gestures(200, random_state=1)
    clf = SequenceClassifier(units=16, pooling=pooling, epochs=30, random_state=0)
    found = clf.fit(*data).predict(X_test)
    assert balanced_accuracy_score(y_test, found) > 0.6  # by chance 0.2


def loss_by_hand(clf, weights):
    proba = clf.predict_log_proba(X)
    ids = np.searchsorted(clf.classes_, Y)
    losses = -proba[np.arange(len(X)), ids]
    return np.average(losses, weights=weights)


@pytest.mark.parametrize(
    ("class_weight", "of_class"),
    [
        ({"nod": 5.0, "wave": 0.5}, {"nod": 5.0, "shake": 1.0, "wave": 0.5}),
        ("balanced", {c: len(Y) / (3 * Y.count(c)) for c in set(Y)}),
    ],
)
def test_class_weights_multiply_those_of_samples(class_weight, of_class):
    own = np.linspace(0.5, 2, len(X))
    clf = CLASSIFIER.make(class_weight=class_weight, epochs=1, learning_rate=1e-12)
    clf.fit(X, Y, sample_weight=own)
    weights = own * [of_class[label] for label in Y]
    expected = loss_by_hand(clf, weights)
    assert clf.history_["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_a_fit_that_tells_nothing_apart_says_so():
    with pytest.warns(ConvergenceWarning, match='class_weight="balanced"'):
        CLASSIFIER.make(learning_rate=1e-9).fit(X, Y)


def test_a_later_part_may_lack_classes_but_has_no_new_ones():
    clf = CLASSIFIER.tiny()
    clf.partial_fit(X[:4], Y[:4], classes=["nod", "other", "shake", "wave"])
    clf.partial_fit(X, ["nod"] * len(X))
    assert clf.predict_proba(X).shape == (len(X), 4)
    with pytest.raises(ValueError, match="'new', which was not seen in fit"):
        clf.partial_fit(X, ["new"] * len(X))
    with pytest.raises(ValueError, match="must be those of the first call"):
        clf.partial_fit(X, Y, classes=["nod", "shake", "wave"])


def test_strides_shorten_time_where_frames_are_enough():
    clf = CLASSIFIER.tiny(conv_filters="auto")
    assert clf.fit(X, Y).conv_strides_ == (2,)
    short = [x[:3] for x in X]
    assert clf.fit(short, Y).conv_strides_ == (2,)
    shortest = [x[:2] for x in X]
    assert clf.fit(shortest, Y).conv_strides_ == (1,)


# -- scikit-learn ------------------------------------------------------------------


def test_it_is_a_classifier_to_every_tool():
    clf = CLASSIFIER.tiny()
    assert is_classifier(clf)
    assert type(check_cv(3, Y, classifier=is_classifier(clf))).__name__ == (
        "StratifiedKFold"
    )
    proba = cross_val_predict(clf, X, Y, cv=2, method="predict_proba")
    assert proba.shape == (len(X), 3)
    X_more, y_more = CLASSIFIER.draw(24)
    found = GridSearchCV(clf, {"pooling": ["max", "mean"]}, cv=2).fit(X_more, y_more)
    assert found.best_params_["pooling"] in ("max", "mean")
    calibrated = CalibratedClassifierCV(clf, cv=2, ensemble=False).fit(X, Y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)


def test_its_threshold_can_be_tuned():
    y = np.array(Y) == "nod"
    tuned = TunedThresholdClassifierCV(CLASSIFIER.tiny(), cv=2).fit(X, y)
    assert set(tuned.predict(X).tolist()) <= {False, True}


# -- graphs ------------------------------------------------------------------------

NEAR = {"rtol": 1e-5, "atol": 1e-6}


@pytest.mark.slow
@pytest.mark.parametrize("case", [CLASSIFIER, CLASSIFIER_ATTENTION], ids=str)
def test_in_a_process_without_skseq_both_formats_give_the_same(case, tmp_path):
    clf = case.make(units=8, epochs=30, learning_rate=3e-2).fit(X, case.y)
    frames, lengths = padded(X)
    given = {"frames": with_nan_padding(frames, lengths), "lengths": lengths}
    jobs = []
    for format, names in {
        "saved_model": ["predict", "proba"],
        "onnx": ["model"],
    }.items():
        clf.export(tmp_path / format, format=format)
        jobs += [(tmp_path / format, format, name, given) for name in names]
    predicted, proba, onnx = run_elsewhere(jobs, tmp_path)
    expected = clf.predict(X).tolist()
    assert len(set(expected)) > 1  # or nothing is compared
    for found in (predicted, onnx):
        assert clf.classes_[found["label_id"]].tolist() == expected
    for found in (proba, onnx):
        np.testing.assert_allclose(found["proba"], clf.predict_proba(X), **NEAR)


def test_a_graph_names_the_classes(fitted, tmp_path):
    fitted.export(tmp_path / "model")
    frames, lengths = padded(X)
    found = run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)
    assert texts(found["label"]) == fitted.predict(X).tolist()


def test_in_onnx_a_sequence_that_cannot_be_read_gets_no_class(fitted, tmp_path):
    fitted.export(tmp_path / "model", format="onnx")
    frames, lengths = padded(X)
    expected = run_onnx(tmp_path / "model", frames=frames, lengths=lengths)
    for given in unanswerable(frames, lengths).values():
        found = run_onnx(tmp_path / "model", **given)
        assert found["label_id"][1] == len(fitted.classes_)  # there is none
        assert np.isnan(found["proba"][1]).all()
        others = np.arange(len(X)) != 1
        np.testing.assert_allclose(
            found["proba"][others], expected["proba"][others], **NEAR
        )


# -- what is refused, and what is divided ----------------------------------------------


def test_a_validation_set_that_is_set_aside_has_the_classes_in_their_shares():
    y = np.array(["x"] * 57 + ["rare"] * 3)
    for seed in range(5):
        kept, held_out = hold_out(
            np.arange(60), 0.4, seed, "E", False, np.unique(y, return_inverse=True)[1]
        )
        assert len(held_out) == 24
        assert (y[kept] == "rare").sum() == 2
        assert (y[held_out] == "rare").sum() == 1
        assert sorted([*kept, *held_out]) == list(range(60))


@pytest.mark.parametrize(
    "y",
    [np.zeros((12, 5), int), [["a", "b"]] * 12, [np.arange(3)] * 12],
    ids=["matrix", "lists", "arrays"],
)
def test_several_labels_per_sequence_are_told_where_to_go(y):
    with pytest.raises(ValueError, match=r"one class per sequence.*SequenceTagger"):
        CLASSIFIER.tiny().fit(X, y)


@pytest.mark.parametrize("learn", ["fit", "partial_fit"])
def test_class_weights_that_leave_nothing_are_refused(learn):
    clf = CLASSIFIER.tiny(class_weight={"nod": 0, "shake": 0, "wave": 0})
    with pytest.raises(ValueError, match="gives all samples the weight 0"):
        getattr(clf, learn)(X, Y)


def narrowing(frames):
    return keras.layers.Conv1D(4, 9, padding="valid")(frames)


def test_a_sequence_that_the_front_end_uses_up_is_named():
    clf = CLASSIFIER.tiny(front_end=narrowing).fit([np.ones((20, 3))] * 12, Y)
    with pytest.raises(ValueError, match=r"X\[0\] has 3 .* front end leaves none"):
        clf.predict([np.ones((3, 3))])
