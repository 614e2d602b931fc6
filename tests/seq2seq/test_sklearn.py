"""scikit-learn's checks and tools take the translator, texts and token lists."""

import inspect

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import check_is_fitted

from skseq import Seq2SeqTranslator, metrics
from skseq._data.collections import object_array
from tests.toy import reversals

LETTERS, REVERSED = reversals(24)
X, Y = [" ".join(x) for x in LETTERS], [" ".join(y) for y in REVERSED]


def make(**params):
    defaults = {
        "units": 4,
        "embedding_dim": 3,
        "epochs": 2,
        "learning_rate": 0.05,
        "batch_size": 8,
        "random_state": 0,
    }
    return Seq2SeqTranslator(**{**defaults, **params})


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X, Y)


def assert_same_weights(a, b):
    for weights, others in zip(a._weights, b._weights, strict=True):
        np.testing.assert_array_equal(weights, others)


# -- checks ------------------------------------------------------------------------
# scikit-learn runs none but the first of them on estimators of texts, since it has no
# texts to give them; those that need none are called here, and others follow.

CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimators_unfitted",
]


@pytest.mark.parametrize("name", CHECKS)
def test_scikit_learn_check(name):
    getattr(estimator_checks, name)("Seq2SeqTranslator", make())


def test_its_tags_say_texts_and_a_target_that_is_no_class():
    tags = get_tags(make())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.target_tags.required
    assert not is_classifier(make())
    assert not is_regressor(make())


@pytest.mark.parametrize("method", ["fit", "partial_fit", "score", "score_samples"])
def test_the_second_argument_is_y(method):
    names = list(inspect.signature(getattr(make(), method)).parameters)
    assert names[:2] == ["X", "y"]


def test_fitting_changes_no_parameter_and_adds_only_what_is_learnt():
    translator = make(epochs=1, callbacks=[], units=[4])
    before = {n: joblib.hash(value) for n, value in translator.get_params().items()}
    translator.fit(X, Y)
    after = {n: joblib.hash(value) for n, value in translator.get_params().items()}
    assert after == before
    public = {n for n in vars(translator) if not n.startswith("_")} - before.keys()
    assert all(name.endswith("_") for name in public)
    assert not hasattr(translator, "n_features_in_")


def test_check_is_fitted_tells_the_two_states_apart(fitted):
    with pytest.raises(NotFittedError):
        check_is_fitted(make())
    check_is_fitted(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(fitted))


def test_a_failed_fit_does_not_count_as_one():
    translator = make()
    with pytest.raises(ValueError, match="requires y"):
        translator.fit(X, None)
    with pytest.raises(NotFittedError):
        translator.predict(X)


def test_one_pair_is_enough():
    assert make(epochs=1).fit(X[:1], Y[:1]).predict(X[:1]).shape == (1,)


# -- containers -------------------------------------------------------------------


def shuffled_series(items):
    index = np.random.default_rng(0).permutation(len(items))
    return pd.Series(list(items), index=index)


CONTAINERS = {
    "tuple": tuple,
    "string array": np.array,
    "object array": object_array,
    "Series": shuffled_series,
    "polars Series": pl.Series,
    "Index": pd.Index,
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_any_container_is_as_good_as_a_list(fitted, container):
    contain = CONTAINERS[container]
    other = make().fit(contain(X), contain(Y))
    assert_same_weights(other, fitted)
    assert other.predict(contain(X)).tolist() == fitted.predict(X).tolist()
    assert other.score(contain(X), contain(Y)) == fitted.score(X, Y)


def test_a_series_of_token_lists_is_as_good_as_a_list(fitted):
    other = make().fit(shuffled_series(LETTERS), shuffled_series(REVERSED))
    assert_same_weights(other, fitted)
    found = other.predict(shuffled_series(LETTERS))
    assert [" ".join(tokens) for tokens in found] == fitted.predict(X).tolist()


# -- pipelines --------------------------------------------------------------------


def lowered(texts):
    return [text.lower() for text in texts]


LOWER = FunctionTransformer(lowered)
SHOUTED = [text.upper() for text in X]


def test_a_pipeline_prepares_the_texts_first(fitted):
    pipeline = make_pipeline(LOWER, make()).fit(SHOUTED, Y)
    assert_same_weights(pipeline[-1], fitted)
    assert pipeline.predict(SHOUTED).tolist() == fitted.predict(X).tolist()
    assert pipeline.score(SHOUTED, Y) == fitted.score(X, Y)


def test_a_pipeline_remembers_its_first_step(fitted, tmp_path):
    steps = [("lower", LOWER), ("translate", make())]
    cached = Pipeline(steps, memory=str(tmp_path))
    for _ in range(2):
        assert_same_weights(cached.fit(SHOUTED, Y)[-1], fitted)
    assert_same_weights(clone(Pipeline(steps)).fit(SHOUTED, Y)[-1], fitted)


# -- searches ---------------------------------------------------------------------


def test_a_grid_search_sets_parameters_of_every_kind():
    grid = {
        "seq2seqtranslator__optimizer__beta_1": [0.5, 0.9],
        "seq2seqtranslator__learning_rate": [0.01],
        "seq2seqtranslator__decoder": ["beam"],
    }
    pipeline = make_pipeline(LOWER, make())
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise")
    search.fit(SHOUTED, Y)
    best = clone(pipeline).set_params(**search.best_params_)
    alone = cross_val_score(best, SHOUTED, Y, cv=2)
    assert search.best_score_ == pytest.approx(alone.mean())
    assert search.predict(SHOUTED).shape == (24,)
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
        scoring=metrics.token_error_rate_scorer,
        random_state=0,
        error_score="raise",
    )
    search.fit(X, Y)
    assert search.n_resources_ == [2, 4]
    assert search.best_estimator_.n_iter_ == 4


# -- cross-validation -------------------------------------------------------------


@pytest.mark.parametrize(("sources", "targets"), [(X, Y), (LETTERS, REVERSED)])
def test_cross_val_predict_puts_each_answer_in_its_place(sources, targets):
    found = cross_val_predict(make(), sources, targets, cv=2)
    for train, test in KFold(2).split(X):
        translator = make().fit(
            [sources[i] for i in train], [targets[i] for i in train]
        )
        expected = translator.predict([sources[i] for i in test])
        assert found[test].tolist() == expected.tolist()


def test_cross_val_predict_takes_lists_of_one_length():
    pairs = [["a", "b"], ["b", "c"], ["c", "a"]] * 8
    assert cross_val_predict(make(epochs=1), pairs, pairs, cv=2).shape == (24,)


def test_probabilities_of_tokens_take_three_lines():
    proba = np.empty(len(X), dtype=object)
    for train, test in KFold(2).split(X):
        translator = make().fit([X[i] for i in train], [Y[i] for i in train])
        proba[test] = translator.predict_proba(
            [X[i] for i in test], [Y[i] for i in test]
        )
    assert [len(sample) for sample in proba] == list(map(len, REVERSED))


SCORERS = {
    "token_error_rate": -1,
    "word_error_rate": -1,
    "label_error_rate": -1,
    "sequence_accuracy": 1,
    "sequence_error_rate": -1,
    "bleu": 1,
    "chrf": 1,
}


def test_cross_validate_takes_all_scorers_of_texts():
    pytest.importorskip("sacrebleu")
    scoring = {name: getattr(metrics, f"{name}_scorer") for name in SCORERS}
    scores = cross_validate(
        make(), X, Y, cv=2, scoring=scoring, error_score="raise", return_estimator=True
    )
    for fold, (_, test) in enumerate(KFold(2).split(X)):
        predicted = scores["estimator"][fold].predict([X[i] for i in test])
        for name, sign in SCORERS.items():
            measure = getattr(metrics, name)
            expected = sign * measure([Y[i] for i in test], predicted)
            assert scores[f"test_{name}"][fold] == pytest.approx(expected)


def test_the_score_is_that_of_the_scorer_of_tokens(fitted):
    assert fitted.score(X, Y) == 1 + metrics.token_error_rate_scorer(fitted, X, Y)
    tokens = make(target_tokenizer=None).fit(X, REVERSED)
    assert tokens.score(X, REVERSED) == 1 + metrics.token_error_rate_scorer(
        tokens, X, REVERSED
    )


def test_a_scorer_of_the_users_own_gets_texts():
    def longest(y_true, y_pred):
        assert all(isinstance(item, str) for item in (*y_true, *y_pred))
        return max(map(len, y_pred))

    scores = cross_val_score(
        make(), X, Y, cv=2, scoring=make_scorer(longest), error_score="raise"
    )
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("incremental", [False, True])
def test_a_learning_curve_grows(incremental):
    sizes, train_scores, test_scores = learning_curve(
        make(epochs=1),
        X,
        Y,
        train_sizes=[8, 12],
        cv=2,
        exploit_incremental_learning=incremental,
        error_score="raise",
    )
    assert sizes.tolist() == [8, 12]
    assert train_scores.shape == test_scores.shape == (2, 2)
