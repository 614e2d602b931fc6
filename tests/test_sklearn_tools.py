"""scikit-learn's tools take estimators, ragged lists and label sequences as usual."""

import pickle
import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
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
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import estimator_html_repr, resample

from skseq import metrics
from skseq._data.collections import object_array
from skseq.preprocessing import FrameTransformer
from tests.estimators import (
    AUTOENCODER,
    CTC,
    CTC_SINGLE,
    ESTIMATORS,
    TRANSLATOR,
    Case,
)

N_SAMPLES = 24
X, Y = CTC.draw(N_SAMPLES)
FIRST = np.array(CTC_SINGLE.draw(N_SAMPLES)[1])
ANOMALY = np.where(np.arange(N_SAMPLES) % 4 == 0, -1, 1)

SMALL = {"bidirectional": False, "epochs": 2, "learning_rate": 0.05, "batch_size": 8}


@dataclass(frozen=True)
class Learner:
    """An estimator and its data, as scikit-learn's tools take them.

    Texts are lists of tokens, which a tool might take for an array, or else strings.
    """

    case: Case
    splits: bool = True

    def __call__(self, **params):
        return self.case.make(**{**SMALL, **params})

    def __str__(self):
        return self.case.name

    @property
    def data(self):
        some_X, some_y = self.case.draw(N_SAMPLES)
        if self.splits and self.case.reads == "texts":
            some_X = [text.split() for text in some_X]
        if self.splits and self.case.writes == "texts":
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
STRINGS = TRANSLATOR.variant(
    "translator-strings", source_tokenizer="auto", target_tokenizer="auto"
)
translate = Learner(STRINGS, splits=False)
LEARNERS = [Learner(case) for case in (*ESTIMATORS, CTC_SINGLE)]
SEQUENCES = [make, translate]  # those that write label sequences or texts


# For tools that do with every estimator what others here do as well.
def mostly_slow(learners):
    def param(learner):
        marks = () if learner.case is CTC else pytest.mark.slow
        return pytest.param(learner, id=str(learner), marks=marks)

    return pytest.mark.parametrize("learner", map(param, learners))


@pytest.fixture(params=LEARNERS, ids=str)
def learner(request):
    return request.param


def assert_same_weights(estimator, other):
    for a, b in zip(estimator._weights, other._weights, strict=True):
        np.testing.assert_array_equal(a, b)


# -- containers -------------------------------------------------------------------


def shuffled_series(items):
    index = np.random.default_rng(0).permutation(len(items))
    return pd.Series(list(items), index=index)


def split(texts):
    return [text.split() for text in texts]


ANY = {"tuple": tuple, "object array": object_array, "Series": shuffled_series}
CONTAINERS = {
    make: {
        **{name: (contain, contain) for name, contain in ANY.items()},
        "DataFrames": (lambda X: [pd.DataFrame(x) for x in X], list),
        "nested lists": (lambda X: [x.tolist() for x in X], list),
        "NaN-padded array": (lambda X: padded(X), np.array),
    },
    translate: {
        **{name: (contain, contain) for name, contain in ANY.items()},
        "string array": (np.array, np.array),
        "polars Series": (pl.Series, pl.Series),
        "Index": (pd.Index, pd.Index),
        "Series of lists": (
            lambda X: shuffled_series(split(X)),
            lambda y: shuffled_series(split(y)),
        ),
    },
}


def padded(X):
    array = np.full((len(X), max(map(len, X)) + 2, X[0].shape[1]), np.nan)
    for row, x in zip(array, X, strict=True):
        row[: len(x)] = x
    return array


@pytest.mark.parametrize(
    ("learner", "container"),
    [(learner, name) for learner in SEQUENCES for name in CONTAINERS[learner]],
    ids=str,
)
def test_any_container_is_as_good_as_a_list(learner, container):
    X, y = learner.data
    contain_X, contain_y = CONTAINERS[learner][container]
    fitted = learner.fit(range(len(X)))
    other = learner().fit(contain_X(X), contain_y(y))
    assert_same_weights(other, fitted)
    found = other.predict(contain_X(X)).tolist()
    if container == "Series of lists":
        found = [" ".join(tokens) for tokens in found]
    assert found == fitted.predict(X).tolist()
    assert other.score(contain_X(X), contain_y(y)) == fitted.score(X, y)


def test_one_feature_may_go_without_its_axis():
    flat = [x[:, 0] for x in X]
    with_axis = make().fit([x[:, :1] for x in X], Y)
    without = make().fit(flat, Y)
    assert_same_weights(with_axis, without)
    assert without.n_features_in_ == 1


# -- pipelines --------------------------------------------------------------------


def scaled(clf):
    return make_pipeline(FrameTransformer(StandardScaler()), clf)


def lowered(texts):
    return [text.lower() for text in texts]


# What a pipeline does first, and X for which that is necessary.
FIRST_STEPS = {
    make: (FrameTransformer(StandardScaler()), [1000 * x + 5 for x in make.data[0]]),
    translate: (FunctionTransformer(lowered), [x.upper() for x in translate.data[0]]),
}


@pytest.mark.parametrize("learner", SEQUENCES, ids=str)
def test_a_pipeline_prepares_x_first(learner):
    step, raw = FIRST_STEPS[learner]
    _, y = learner.data
    pipeline = make_pipeline(step, learner()).fit(raw, y)
    by_hand = clone(step).fit_transform(raw)
    direct = learner().fit(by_hand, y)
    assert_same_weights(pipeline[-1], direct)
    assert pipeline.predict(raw).tolist() == direct.predict(by_hand).tolist()
    assert pipeline.score(raw, y) == direct.score(by_hand, y)


@pytest.mark.parametrize("learner", SEQUENCES, ids=str)
def test_a_pipeline_remembers_its_first_step(learner, tmp_path):
    step, raw = FIRST_STEPS[learner]
    _, y = learner.data
    steps = [("first", step), ("last", learner())]
    plain = clone(Pipeline(steps)).fit(raw, y)
    cached = Pipeline(steps, memory=str(tmp_path))
    for _ in range(2):
        assert_same_weights(cached.fit(raw, y)[-1], plain[-1])
        assert cached.predict(raw).tolist() == plain.predict(raw).tolist()


def test_the_diagram_shows_routed_parameters():
    html = scaled(make(optimizer__beta_1=0.8))._repr_html_()
    assert "CTCSequenceClassifier" in html
    assert "optimizer__beta_1" in html


# -- searches ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("learner", "units", "n_jobs"),
    [
        pytest.param(make, [2, 4], 2, marks=pytest.mark.slow),  # in two processes
        (translate, [3], None),
    ],
    ids=str,
)
def test_a_grid_search_sets_parameters_of_every_kind(learner, units, n_jobs):
    step, raw = FIRST_STEPS[learner]
    _, y = learner.data
    pipeline = make_pipeline(step, learner())
    grid = {"units": units, "optimizer__beta_1": [0.5, 0.9], "decoder": ["beam"]}
    grid = {f"{pipeline.steps[-1][0]}__{n}": values for n, values in grid.items()}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs, error_score="raise")
    search.fit(raw, y)
    best = clone(pipeline).set_params(**search.best_params_)
    alone = cross_val_score(best, raw, y, cv=2)
    assert search.best_score_ == pytest.approx(alone.mean())
    assert search.predict(raw).shape == (24,)
    found = search.best_estimator_[-1].get_params()
    assert found["optimizer__beta_1"] in (0.5, 0.9)
    assert found["units"] in units
    assert found["decoder"] == "beam"


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


PAIRS = [["a", "b"], ["b", "c"], ["c", "a"]] * 8


@pytest.mark.parametrize(
    ("learner", "items"), [(make, X), (translate, PAIRS)], ids=["ctc", "translator"]
)
def test_cross_val_predict_takes_lists_of_one_length(learner, items):
    assert cross_val_predict(learner(epochs=1), items, PAIRS, cv=2).shape == (24,)


@pytest.mark.parametrize("learner", SEQUENCES, ids=str)
def test_probabilities_of_label_sequences_take_three_lines(learner):
    X, y = learner.data
    proba = np.empty(len(X), dtype=object)
    for train, test in KFold(3).split(X):
        fitted = learner().fit(taken(X, train), taken(y, train))
        along = () if learner is make else (taken(y, test),)
        proba[test] = fitted.predict_proba(taken(X, test), *along)
    expected = X if learner is make else split(y)
    assert [len(sample) for sample in proba] == [len(item) for item in expected]


SCORERS = {
    make: ["label_error_rate", "sequence_accuracy"],
    translate: [
        "token_error_rate",
        "word_error_rate",
        "label_error_rate",
        "sequence_accuracy",
        "sequence_error_rate",
        "bleu",
        "chrf",
    ],
}


@pytest.mark.parametrize("learner", SEQUENCES, ids=str)
def test_cross_validate_takes_several_scorers(learner):
    if "bleu" in SCORERS[learner]:
        pytest.importorskip("sacrebleu")
    X, y = learner.data
    scoring = {name: getattr(metrics, f"{name}_scorer") for name in SCORERS[learner]}
    options = {"error_score": "raise", "return_estimator": True}
    scores = cross_validate(learner(), X, y, cv=2, scoring=scoring, **options)
    for fold, (_, test) in enumerate(KFold(2).split(X)):
        predicted = scores["estimator"][fold].predict(taken(X, test))
        for name in scoring:
            sign = -1 if name.endswith("error_rate") else 1
            expected = sign * getattr(metrics, name)(taken(y, test), predicted)
            assert scores[f"test_{name}"][fold] == pytest.approx(expected)


@pytest.mark.parametrize("learner", SEQUENCES, ids=str)
def test_a_scorer_of_the_users_own_gets_outputs_as_the_user_has_them(learner):
    X, y = learner.data

    def longest(y_true, y_pred):
        assert all(isinstance(item, str) for item in (*y_true, *y_pred))
        return max(map(len, y_pred))

    options = {"scoring": make_scorer(longest), "error_score": "raise"}
    assert np.isfinite(cross_val_score(learner(), X, y, cv=2, **options)).all()


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
HALVING_SCORERS = {
    CTC: metrics.label_error_rate_scorer,
    TRANSLATOR: metrics.token_error_rate_scorer,
}
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


@pytest.mark.parametrize("search", [HalvingGridSearchCV, HalvingRandomSearchCV])
@mostly_slow(LEARNERS)
def test_halving_searches_spend_epochs_or_sequences(search, learner):
    X, y = learner.data
    options = {"cv": 2, "factor": 2, "random_state": 0, "error_score": "raise"}
    options["scoring"] = HALVING_SCORERS.get(learner.case)
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


PREDICTING = [x for x in (*LEARNERS, translate) if x.case.answers == "predict"]


@pytest.mark.parametrize("learner", PREDICTING, ids=str)
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
    sizes, train_scores, test_scores = learning_curve(
        learner(epochs=1), X, y, train_sizes=[8, 12], cv=2, error_score="raise"
    )
    assert sizes.tolist() == [8, 12]
    assert train_scores.shape == test_scores.shape == (2, 2)
    for k, n in enumerate([8, 12]):
        for fold, (train, test) in enumerate(learner.folds()):
            estimator = learner.fit(train[:n], epochs=1)
            assert train_scores[k, fold] == learner.score(estimator, train[:n])
            assert test_scores[k, fold] == learner.score(estimator, test)


@mostly_slow(LEARNERS)
def test_an_incremental_learning_curve_learns_part_after_part(learner):
    X, y = learner.data
    sizes, _, test_scores = learning_curve(
        learner(),
        X,
        y,
        train_sizes=[8, 12],
        cv=2,
        exploit_incremental_learning=True,
        error_score="raise",
    )
    assert sizes.tolist() == [8, 12]
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


# Labels of frames do not fit the frames of another sequence.
PERMUTED = [
    learner
    for learner in LEARNERS
    if learner.case.writes not in ("nothing", "labels of frames")
]


@mostly_slow(PERMUTED)
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
        found, expected = (
            learner.case.answers_of(each, X).tolist() for each in (copied, estimator)
        )
        assert found == expected


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
    assert_same_weights(requested[-1], direct)
