"""scikit-learn's tools take estimators, ragged lists and label sequences as usual."""

import pickle
import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    IsolationForest,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import estimator_html_repr, resample

from skseq._data.collections import object_array
from skseq.metrics import (
    label_error_rate,
    label_error_rate_scorer,
    sequence_accuracy_scorer,
)
from skseq.preprocessing import FrameTransformer
from tests.estimators import AUTOENCODER, CTC, CTC_SINGLE, ESTIMATORS, Case

N_SAMPLES = 24
X, Y = CTC.draw(N_SAMPLES)
FIRST = np.array(CTC_SINGLE.draw(N_SAMPLES)[1])
ANOMALY = np.where(np.arange(N_SAMPLES) % 4 == 0, -1, 1)

SMALL = {"bidirectional": False, "epochs": 2, "learning_rate": 0.05, "batch_size": 8}


@dataclass(frozen=True)
class Learner:
    """An estimator and its data, as scikit-learn's tools take them."""

    case: Case

    def __call__(self, **params):
        return self.case.make(**{**SMALL, **params})

    @property
    def data(self):
        """X and y: lists of tokens for texts, which a tool might take for an array."""
        some_X, some_y = self.case.draw(N_SAMPLES)
        if self.case.reads == "texts":
            some_X = [text.split() for text in some_X]
        if self.case.writes == "texts":
            some_y = [text.split() for text in some_y]
        if not self.case.learns_from_y:
            some_y = None
        return some_X, np.array(some_y) if is_classifier(self()) else some_y

    def fit(self, rows, **params):
        """A fit by hand, for tests that only read it."""
        return fitted_by_hand(self, tuple(map(int, rows)), **params)

    def score(self, estimator, rows):
        given = [taken(items, rows) for items in self.data if items is not None]
        return estimator.score(*given)

    def folds(self, n_folds=2):
        some_X, some_y = self.data
        cv = check_cv(n_folds, some_y, classifier=is_classifier(self()))
        return list(cv.split(some_X, some_y))

    def fold_scores(self, **params):
        """What cross-validation should find, by hand."""
        return [
            self.score(self.fit(train, **params), test) for train, test in self.folds()
        ]


def taken(items, rows):
    return None if items is None else [items[i] for i in rows]


@cache
def fitted_by_hand(learner, rows, **params):
    return learner(**params).fit(*(taken(items, rows) for items in learner.data))


make, make_single = Learner(CTC), Learner(CTC_SINGLE)
make_coder = partial(Learner(AUTOENCODER), epochs=1)
LEARNERS = [Learner(case) for case in (*ESTIMATORS, CTC_SINGLE)]


# For tools that do with every estimator what others here do as well.
def mostly_slow(learners):
    def param(learner):
        marks = () if learner.case is CTC else pytest.mark.slow
        return pytest.param(learner, id=learner.case.name, marks=marks)

    return pytest.mark.parametrize("learner", map(param, learners))


@pytest.fixture(params=LEARNERS, ids=lambda learner: learner.case.name)
def learner(request):
    return request.param


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


@pytest.mark.slow
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


# -- every tool for every estimator -----------------------------------------------


RATES = [1e-9, 0.05]
SEARCHES = {
    "grid": lambda estimator: GridSearchCV(
        estimator, {"learning_rate": RATES}, cv=2, error_score="raise"
    ),
    "randomized": lambda estimator: RandomizedSearchCV(
        estimator, {"learning_rate": RATES}, n_iter=2, cv=2, error_score="raise"
    ),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_scores_as_fits_by_hand_do(search, learner):
    X, y = learner.data
    found = SEARCHES[search](learner(epochs=1)).fit(X, y)
    for params, score in zip(
        found.cv_results_["params"], found.cv_results_["mean_test_score"], strict=True
    ):
        assert score == pytest.approx(np.mean(learner.fold_scores(epochs=1, **params)))
    assert found.best_estimator_.n_iter_ == 1


@pytest.mark.slow
@pytest.mark.parametrize("search", [HalvingGridSearchCV, HalvingRandomSearchCV])
def test_halving_searches_spend_epochs_or_sequences(search, learner):
    X, y = learner.data
    options = {"cv": 2, "factor": 2, "random_state": 0, "error_score": "raise"}
    epochs = {"resource": "epochs", "min_resources": 1, "max_resources": 2}
    found = search(learner(), {"learning_rate": RATES}, **epochs, **options).fit(X, y)
    assert found.n_resources_ == [1, 2]
    assert found.best_estimator_.n_iter_ == 2
    found = search(learner(), {"learning_rate": RATES}, min_resources=12, **options)
    assert found.fit(X, y).n_resources_ == [12, 24]


def test_cross_validation_scores_as_fits_by_hand_do(learner):
    X, y = learner.data
    expected = learner.fold_scores(epochs=1)
    options = {"cv": 2, "error_score": "raise"}
    scores = cross_validate(learner(epochs=1), X, y, return_train_score=True, **options)
    assert scores["test_score"].tolist() == expected
    assert len(scores["train_score"]) == 2
    assert cross_val_score(learner(epochs=1), X, y, **options).tolist() == expected


def test_cross_validated_predictions_are_those_of_fits_by_hand(learner):
    X, y = learner.data
    found = cross_val_predict(learner(epochs=1), X, y, cv=2)
    assert found.shape == (24,)
    for train, test in learner.folds():
        expected = learner.fit(train, epochs=1).predict(taken(X, test))
        assert found[test].tolist() == expected.tolist()


@mostly_slow(LEARNERS)
def test_a_learning_curve_scores_as_fits_by_hand_do(learner):
    X, y = learner.data
    _, train_scores, test_scores = learning_curve(
        learner(epochs=1), X, y, train_sizes=[8, 12], cv=2, error_score="raise"
    )
    for k, n in enumerate([8, 12]):
        for fold, (train, test) in enumerate(learner.folds()):
            estimator = learner.fit(train[:n], epochs=1)
            assert train_scores[k, fold] == learner.score(estimator, train[:n])
            assert test_scores[k, fold] == learner.score(estimator, test)


@mostly_slow(LEARNERS)
def test_an_incremental_learning_curve_goes_on_from_part_to_part(learner):
    X, y = learner.data
    _, _, test_scores = learning_curve(
        learner(),
        X,
        y,
        train_sizes=[8, 12],
        cv=2,
        exploit_incremental_learning=True,
        error_score="raise",
    )
    for fold, (train, test) in enumerate(learner.folds()):
        estimator = learner()
        for k, part in enumerate(np.split(train, [8, 12])[:2]):
            estimator.partial_fit(taken(X, part), taken(y, part))
            assert test_scores[k, fold] == learner.score(estimator, test)


@mostly_slow(LEARNERS)
def test_a_validation_curve_scores_as_fits_by_hand_do(learner):
    X, y = learner.data
    _, test_scores = validation_curve(
        learner(),
        X,
        y,
        param_name="epochs",
        param_range=[1, 2],
        cv=2,
        error_score="raise",
    )
    for scores, epochs in zip(test_scores, [1, 2], strict=True):
        assert scores.tolist() == learner.fold_scores(epochs=epochs)


@mostly_slow([learner for learner in LEARNERS if learner.case.learns_from_y])
def test_a_permutation_test_starts_from_the_true_score(learner):
    X, y = learner.data
    score, permuted, p_value = permutation_test_score(
        learner(epochs=1), X, y, cv=2, n_permutations=3, random_state=0
    )
    assert score == pytest.approx(np.mean(learner.fold_scores(epochs=1)))
    assert p_value == (1 + np.sum(permuted >= score)) / 4


def test_a_pickle_and_a_file_of_joblib_predict_the_same(learner, tmp_path):
    X, y = learner.data
    estimator = learner().fit(X, y)
    joblib.dump(estimator, tmp_path / "estimator")
    copies = pickle.loads(pickle.dumps(estimator)), joblib.load(tmp_path / "estimator")
    for copied in copies:
        assert copied.predict(X).tolist() == estimator.predict(X).tolist()


@mostly_slow(LEARNERS)
def test_worker_processes_find_what_one_process_does(learner):
    X, y = learner.data
    scores = cross_val_score(learner(), X, y, cv=2, n_jobs=2, error_score="raise")
    assert scores.tolist() == cross_val_score(learner(), X, y, cv=2).tolist()


def test_groups_stay_together():
    groups = np.arange(24) % 4
    scores = cross_validate(
        make(epochs=1),
        X,
        Y,
        groups=groups,
        cv=GroupKFold(2),
        return_indices=True,
        error_score="raise",
    )
    for train, test in zip(*scores["indices"].values(), strict=True):
        assert not set(groups[train]) & set(groups[test])


def test_sequences_are_split_and_drawn_as_lists():
    X_train, X_test, y_train, y_test = train_test_split(X, Y, random_state=0)
    assert list(map(len, (X_train, X_test, y_train, y_test))) == [18, 6, 18, 6]
    drawn, labels = resample(X, Y, random_state=0)
    assert all(any(x is other for other in X) for x in drawn)
    make(epochs=1).fit(drawn, labels).predict(X_test)


def test_a_diagram_shows_every_estimator(learner):
    pipeline = make_pipeline(FrameTransformer(StandardScaler()), learner())
    html = estimator_html_repr(pipeline)
    assert type(learner()).__name__ in html
    assert "FrameTransformer" in html


def test_a_frozen_estimator_is_not_fitted_again():
    frozen = FrozenEstimator(make_coder().fit(X))
    kept = frozen.estimator._weights
    pipeline = make_pipeline(frozen, KMeans(2, random_state=0)).fit(X)
    assert pipeline[0].estimator._weights is kept


# -- codes in pipelines -----------------------------------------------------------


@pytest.mark.parametrize(
    "last", [KMeans(2), IsolationForest()], ids=["KMeans", "forest"]
)
def test_codes_serve_estimators_of_vectors(last):
    last = clone(last).set_params(random_state=0)
    pipeline = make_pipeline(make_coder(), last)
    found = pipeline.fit_predict(X)
    codes = make_coder().fit(X).transform(X)
    np.testing.assert_array_equal(found, clone(last).fit_predict(codes))
    np.testing.assert_array_equal(pipeline.predict(X), found)


def test_a_union_puts_the_codes_side_by_side():
    coders = [make_coder(), make_coder(latent_dim=2)]
    codes = [clone(coder).fit_transform(X) for coder in coders]
    union = make_union(*coders)
    assert isinstance(union, FeatureUnion)
    np.testing.assert_array_equal(union.fit_transform(X), np.hstack(codes))
    pipeline = make_pipeline(union, LogisticRegression()).fit(X, FIRST)
    expected = LogisticRegression().fit(np.hstack(codes), FIRST).predict_proba
    np.testing.assert_array_equal(pipeline.predict_proba(X), expected(np.hstack(codes)))


def test_a_union_within_frames_widens_them():
    union = make_union(StandardScaler(), PCA(2))
    wide = FrameTransformer(union).fit_transform(X)
    frames = np.concatenate(X)
    expected = np.hstack(
        [StandardScaler().fit_transform(frames), PCA(2).fit_transform(frames)]
    )
    np.testing.assert_allclose(np.concatenate(wide), expected)


def test_a_pipeline_remembers_the_codes(tmp_path):
    steps = [("code", make_coder()), ("cluster", KMeans(2, random_state=0))]
    plain = clone(Pipeline(steps)).fit_predict(X)
    for _ in range(2):
        cached = Pipeline(steps, memory=str(tmp_path))
        np.testing.assert_array_equal(cached.fit_predict(X), plain)
        np.testing.assert_array_equal(cached.predict(X), plain)


def test_anomalies_are_scored_by_labels_that_fit_does_not_see():
    options = {"cv": StratifiedKFold(2), "scoring": "roc_auc"}
    scores = cross_val_score(make_coder(), X, ANOMALY, error_score="raise", **options)
    for score, (train, test) in zip(
        scores, StratifiedKFold(2).split(X, ANOMALY), strict=True
    ):
        decision = make_coder().fit(taken(X, train)).decision_function(taken(X, test))
        assert score == roc_auc_score(ANOMALY[test], decision)
    score, _, _ = permutation_test_score(
        make_coder(), X, ANOMALY, n_permutations=1, **options
    )
    assert score == pytest.approx(scores.mean())


@pytest.mark.parametrize("method", ["decision_function", "predict_proba"])
def test_degrees_of_normality_can_be_cross_validated(method):
    found = cross_val_predict(make_coder(), X, cv=2, method=method)
    for train, test in KFold(2).split(X):
        coder = make_coder().fit(taken(X, train))
        np.testing.assert_array_equal(
            found[test], getattr(coder, method)(taken(X, test))
        )


# -- more meta-estimators of single labels ----------------------------------------

MEMBERS = [("fast", make_single()), ("slow", make_single(learning_rate=0.01))]


def test_single_labels_are_put_to_the_vote():
    words = np.array(["a", "b", "c"])[FIRST]
    proba = np.mean(
        [clone(m).fit(X, words).predict_proba(X) for _, m in MEMBERS], axis=0
    )
    soft = VotingClassifier(MEMBERS, voting="soft").fit(X, words)
    np.testing.assert_allclose(soft.predict_proba(X), proba)
    assert (
        soft.predict(X).tolist() == np.array(["a", "b", "c"])[proba.argmax(1)].tolist()
    )
    weights = {"voting": "hard", "weights": [1, 0]}
    hard = VotingClassifier(MEMBERS, **weights).fit(X, words)
    assert hard.predict(X).tolist() == make_single().fit(X, words).predict(X).tolist()


def test_classifiers_of_single_labels_are_stacked():
    stack = StackingClassifier(MEMBERS, LogisticRegression(), cv=2).fit(X, FIRST)
    alone = [clone(m).fit(X, FIRST).predict_proba(X) for _, m in MEMBERS]
    np.testing.assert_allclose(stack.transform(X), np.hstack(alone))
    out_of_fold = [
        cross_val_predict(m, X, FIRST, cv=2, method="predict_proba") for _, m in MEMBERS
    ]
    final = LogisticRegression().fit(np.hstack(out_of_fold), FIRST)
    np.testing.assert_allclose(stack.final_estimator_.coef_, final.coef_, rtol=1e-6)


def test_one_classifier_a_label_is_possible():
    found = OneVsRestClassifier(make_single(epochs=1)).fit(X, FIRST)
    alone = make_single(epochs=1).fit(X, (FIRST == 1).astype(int)).predict_proba(X)
    np.testing.assert_array_equal(found.estimators_[1].predict_proba(X), alone)


def test_a_threshold_of_single_labels_can_be_fixed():
    fixed = FixedThresholdClassifier(make_single(), threshold=0.3).fit(X, FIRST == 0)
    expected = fixed.estimator_.predict_proba(X)[:, 1] >= 0.3
    np.testing.assert_array_equal(fixed.predict(X), expected)


# -- tools that need one array ----------------------------------------------------

ONE_ARRAY = {
    "BaggingClassifier": lambda clf: BaggingClassifier(clf).fit(X, FIRST),
    "AdaBoostClassifier": lambda clf: AdaBoostClassifier(clf).fit(X, FIRST),
    "OneVsOneClassifier": lambda clf: OneVsOneClassifier(clf).fit(X, FIRST),
    "SelfTrainingClassifier": lambda clf: SelfTrainingClassifier(clf).fit(X, FIRST),
    "permutation_importance": lambda clf: permutation_importance(
        clf.fit(X, FIRST), X, FIRST
    ),
}


@pytest.mark.parametrize("tool", ONE_ARRAY)
def test_tools_that_make_one_array_of_x_say_that_they_cannot(tool):
    with pytest.raises(ValueError, match="inhomogeneous"):
        ONE_ARRAY[tool](make_single(epochs=1))


# -- the page ---------------------------------------------------------------------


def test_every_tool_that_the_page_lists_is_run_here():
    page = Path(__file__).parents[1] / "docs" / "sklearn.md"
    first_cells = re.findall(r"^\| (.*?) \|", page.read_text("utf-8"), re.MULTILINE)
    names = re.findall(r"`([A-Za-z_]\w+)", " ".join(first_cells))
    assert len(names) > 20
    run = Path(__file__).read_text("utf-8")
    assert [name for name in names if not re.search(rf"\b{name}\b", run)] == []


# -- metadata ---------------------------------------------------------------------

WEIGHT = np.linspace(0.1, 2, 24)


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
