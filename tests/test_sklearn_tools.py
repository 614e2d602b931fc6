"""scikit-learn's tools take estimators, ragged lists and label sequences as usual."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from toy import as_text, symbol_runs

from skseq import CTCSequenceClassifier
from skseq._validation import object_array
from skseq.metrics import (
    label_error_rate,
    label_error_rate_scorer,
    sequence_accuracy_scorer,
)
from skseq.preprocessing import FrameTransformer

X, SYMBOLS, _ = symbol_runs(24)
Y = as_text(SYMBOLS)
FIRST = np.array([symbols[0] for symbols in SYMBOLS])


def make(**params):
    defaults = {
        "units": 4,
        "bidirectional": False,
        "epochs": 2,
        "learning_rate": 0.05,
        "batch_size": 8,
        "random_state": 0,
    }
    return CTCSequenceClassifier(**{**defaults, **params})


def make_single(**params):
    return make(target="single", **params)


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X, Y)


# -- containers -------------------------------------------------------------------


def shuffled_series(items):
    index = np.random.default_rng(0).permutation(len(items))
    return pd.Series(list(items), index=index)


CONTAINERS = {
    "tuple": (tuple, tuple),
    "object array": (object_array, object_array),
    "Series": (shuffled_series, shuffled_series),
    "DataFrames": (lambda X: [pd.DataFrame(x) for x in X], list),
    "nested lists": (lambda X: [x.tolist() for x in X], list),
    "NaN-padded array": (lambda X: padded(X), np.array),
}


def padded(X):
    array = np.full((len(X), max(map(len, X)) + 2, X[0].shape[1]), np.nan)
    for row, x in zip(array, X, strict=True):
        row[: len(x)] = x
    return array


@pytest.mark.parametrize("container", CONTAINERS)
def test_any_container_is_as_good_as_a_list(fitted, container):
    contain_X, contain_y = CONTAINERS[container]
    other = make().fit(contain_X(X), contain_y(Y))
    for a, b in zip(other._weights, fitted._weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert other.predict(contain_X(X)).tolist() == fitted.predict(X).tolist()
    assert other.score(contain_X(X), contain_y(Y)) == fitted.score(X, Y)


def test_one_feature_may_go_without_its_axis():
    flat = [x[:, 0] for x in X]
    with_axis = make().fit([x[:, :1] for x in X], Y)
    without = make().fit(flat, Y)
    for a, b in zip(with_axis._weights, without._weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert without.n_features_in_ == 1


# -- pipelines --------------------------------------------------------------------


def scaled(clf):
    return make_pipeline(FrameTransformer(StandardScaler()), clf)


def test_a_pipeline_scales_frames_first(fitted):
    large = [1000 * x + 5 for x in X]
    pipeline = scaled(make()).fit(large, Y)
    by_hand = FrameTransformer(StandardScaler()).fit(large)
    direct = make().fit(by_hand.transform(large), Y)
    assert (
        pipeline.predict(large).tolist()
        == direct.predict(by_hand.transform(large)).tolist()
    )
    assert pipeline.score(large, Y) == direct.score(by_hand.transform(large), Y)


def test_a_pipeline_remembers_its_first_step(tmp_path):
    steps = [("scale", FrameTransformer(StandardScaler())), ("ctc", make())]
    cached = Pipeline(steps, memory=str(tmp_path))
    first = cached.fit(X, Y).predict(X).tolist()
    assert cached.fit(X, Y).predict(X).tolist() == first
    assert clone(Pipeline(steps)).fit(X, Y).predict(X).tolist() == first


def test_the_diagram_shows_routed_parameters():
    html = scaled(make(optimizer__beta_1=0.8))._repr_html_()
    assert "CTCSequenceClassifier" in html
    assert "optimizer__beta_1" in html


# -- searches ---------------------------------------------------------------------


def test_a_grid_search_sets_parameters_of_every_kind_in_two_processes():
    grid = {
        "ctcsequenceclassifier__units": [2, 4],
        "ctcsequenceclassifier__optimizer__beta_1": [0.5, 0.9],
        "ctcsequenceclassifier__decoder": ["beam"],
    }
    search = GridSearchCV(scaled(make()), grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(X, Y)
    alone = cross_val_score(
        scaled(make()).set_params(**search.best_params_), X, Y, cv=2
    )
    assert search.best_score_ == pytest.approx(alone.mean())
    assert search.predict(X).shape == (24,)
    assert search.best_estimator_[-1].get_params()["optimizer__beta_1"] in (0.5, 0.9)


def test_a_halving_search_spends_epochs():
    search = HalvingGridSearchCV(
        make(),
        {"learning_rate": [1e-9, 0.05]},
        resource="epochs",
        max_resources=4,
        min_resources=2,
        factor=2,
        cv=2,
        scoring=label_error_rate_scorer,
        random_state=0,
        error_score="raise",
    )
    search.fit(X, Y)
    assert search.n_resources_ == [2, 4]
    assert search.best_estimator_.n_iter_ == 4


def test_a_randomized_search_over_single_labels_stratifies():
    search = RandomizedSearchCV(
        make_single(),
        {"learning_rate": [0.01, 0.05], "shuffle": [True, False]},
        n_iter=2,
        cv=2,
        random_state=0,
        scoring="neg_log_loss",
        error_score="raise",
    )
    assert search.fit(X, FIRST).best_score_ < 0


# -- cross-validation -------------------------------------------------------------


def test_cross_val_predict_puts_each_answer_in_its_place():
    found = cross_val_predict(make(), X, Y, cv=3)
    for train, test in KFold(3).split(X):
        clf = make().fit([X[i] for i in train], [Y[i] for i in train])
        expected = clf.predict([X[i] for i in test])
        assert found[test].tolist() == expected.tolist()


def test_cross_val_predict_takes_lists_of_one_length():
    pairs = [["a", "b"], ["b", "a"]] * 12
    assert cross_val_predict(make(), X, pairs, cv=2).shape == (24,)


def test_posteriors_of_label_sequences_take_three_lines():
    proba = np.empty(len(X), dtype=object)
    for train, test in KFold(3).split(X):
        clf = make().fit([X[i] for i in train], [Y[i] for i in train])
        proba[test] = clf.predict_proba([X[i] for i in test])
    assert [len(sample) for sample in proba] == [len(x) for x in X]


def test_cross_validate_takes_several_scorers():
    scoring = {"ler": label_error_rate_scorer, "exact": sequence_accuracy_scorer}
    scores = cross_validate(
        make(), X, Y, cv=2, scoring=scoring, error_score="raise", return_estimator=True
    )
    for clf, score, (_, test) in zip(
        scores["estimator"], scores["test_ler"], KFold(2).split(X), strict=True
    ):
        predicted = clf.predict([X[i] for i in test])
        assert score == -label_error_rate([Y[i] for i in test], predicted)
    assert (scores["test_exact"] <= 1).all()


def test_single_labels_are_folded_by_class():
    y = np.array(["rare"] * 4 + ["common"] * 20)
    scores = cross_validate(
        make_single(epochs=1), X, y, cv=4, return_indices=True, error_score="raise"
    )
    expected = [test.tolist() for _, test in StratifiedKFold(4).split(X, y)]
    assert [test.tolist() for test in scores["indices"]["test"]] == expected
    assert all((y[test] == "rare").sum() == 1 for test in scores["indices"]["test"])


def test_posteriors_of_single_labels_can_be_cross_validated():
    proba = cross_val_predict(make_single(), X, FIRST, cv=2, method="predict_proba")
    assert proba.shape == (24, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("incremental", [False, True])
def test_a_learning_curve_grows(incremental):
    sizes, train_scores, test_scores = learning_curve(
        make_single(),
        X,
        FIRST,
        train_sizes=[8, 12],
        cv=2,
        exploit_incremental_learning=incremental,
        error_score="raise",
    )
    assert sizes.tolist() == [8, 12]
    assert train_scores.shape == test_scores.shape == (2, 2)


# -- meta-estimators of single labels ---------------------------------------------


def test_single_labels_can_be_calibrated():
    calibrated = CalibratedClassifierCV(make_single(), cv=2).fit(X, FIRST)
    proba = calibrated.predict_proba(X)
    assert proba.shape == (24, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_a_threshold_of_single_labels_can_be_tuned():
    tuned = TunedThresholdClassifierCV(make_single(), cv=2).fit(X, FIRST == 0)
    proba = tuned.estimator_.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(tuned.predict(X), proba >= tuned.best_threshold_)


# -- metadata ---------------------------------------------------------------------

WEIGHT = np.linspace(0.1, 2, 24)


def test_requested_weights_reach_fit_and_score():
    with config_context(enable_metadata_routing=True):
        clf = make().set_fit_request(sample_weight=True)
        clf.set_score_request(sample_weight=True)
        scores = cross_validate(
            clf,
            X,
            Y,
            cv=2,
            params={"sample_weight": WEIGHT},
            return_estimator=True,
            error_score="raise",
        )
    folds = list(KFold(2).split(X))
    for found, score, (train, test) in zip(
        scores["estimator"], scores["test_score"], folds, strict=True
    ):
        fold = [X[i] for i in train], [Y[i] for i in train]
        direct = make().fit(*fold, sample_weight=WEIGHT[train])
        for a, b in zip(found._weights, direct._weights, strict=True):
            np.testing.assert_array_equal(a, b)
        rest = [X[i] for i in test], [Y[i] for i in test]
        assert score == direct.score(*rest, sample_weight=WEIGHT[test])


def test_weights_that_are_not_requested_are_refused_through_a_pipeline():
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(make())
        with pytest.raises(ValueError, match="sample_weight"):
            pipeline.fit(X, Y, sample_weight=WEIGHT)
        requested = make_pipeline(make().set_fit_request(sample_weight=True))
        requested.fit(X, Y, sample_weight=WEIGHT)
    direct = make().fit(X, Y, sample_weight=WEIGHT)
    for a, b in zip(requested[-1]._weights, direct._weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_scorer_of_the_users_own_gets_label_sequences():
    def longest(y_true, y_pred):
        assert all(isinstance(item, str) for item in (*y_true, *y_pred))
        return max(map(len, y_pred))

    scores = cross_val_score(
        make(), X, Y, cv=2, scoring=make_scorer(longest), error_score="raise"
    )
    assert np.isfinite(scores).all()
