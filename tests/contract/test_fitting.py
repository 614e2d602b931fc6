"""What every estimator promises of its parameters, and of fitting."""
# ruff: noqa: NPY002 (the global generator of NumPy is what is tested here)

import copy
import gc
import weakref

import keras
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import OutlierMixin, clone
from sklearn.model_selection import KFold, cross_validate

import skseq
from tests.contract.comparing import (
    assert_same_arrays,
    assert_same_parameters,
    assert_same_weights,
)

# -- construction -----------------------------------------------------------------


def test_it_is_found_by_its_name(case):
    name = type(case.make()).__name__
    assert getattr(skseq, name) is type(case.make())
    assert name in dir(skseq)
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        _ = skseq.Classifier


def test_parameters_are_passed_by_name_only(case):
    with pytest.raises(TypeError, match="positional"):
        type(case.make())(4)


def test_the_constructor_stores_what_it_is_given(case):
    Estimator = type(case.make())
    given = {name: object() for name in Estimator().get_params()}
    given["optimizer__clipnorm"] = object()
    estimator = Estimator(**given)
    assert vars(estimator) == given
    assert estimator.get_params() == given


@pytest.mark.parametrize("name", ["unit", "optimizerclipnorm", "model__units"])
def test_an_unknown_parameter_is_refused(case, name):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        case.make(**{name: 1})
    with pytest.raises(ValueError, match="Invalid parameter"):
        case.make().set_params(**{name: 1})


def test_a_misspelt_parameter_is_told_which_is_near(case):
    with pytest.raises(TypeError, match="Did you mean 'units'"):
        case.make(unit=1)


ROUTED = {
    "optimizer": "optimizer__clipnorm",
    "callbacks": "callbacks__patience",
    "front_end": "front_end__width",
}


@pytest.mark.parametrize("owner", ROUTED)
def test_a_routed_parameter_is_one_like_any_other(case, owner):
    name = ROUTED[owner]
    if owner not in case.make().get_params():
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            case.make(**{name: 1})
        return
    constructed = case.make(**{name: 1})
    assert constructed.get_params()[name] == 1
    assert f"{name}=1" in repr(constructed)
    assert clone(constructed).get_params()[name] == 1
    assert name not in case.make().get_params()
    assert case.make().set_params(**{name: 2}).get_params()[name] == 2
    assert name in constructed._repr_html_()


def test_requested_weights_reach_fit_and_score(case):
    weight = np.linspace(0.1, 2, len(case.X))
    with config_context(enable_metadata_routing=True):
        requesting = case.make(epochs=1).set_fit_request(sample_weight=True)
        scores = cross_validate(
            requesting.set_score_request(sample_weight=True),
            case.X,
            case.y,
            cv=KFold(2),
            params={"sample_weight": weight},
            return_estimator=True,
            error_score="raise",
        )
    for found, score, (train, test) in zip(
        scores["estimator"], scores["test_score"], KFold(2).split(case.X), strict=True
    ):
        own, rest = (
            {"X": [case.X[i] for i in rows], "y": [case.y[i] for i in rows]}
            for rows in (train, test)
        )
        direct = case.make(epochs=1).fit(**own, sample_weight=weight[train])
        assert_same_weights(found, direct)
        assert score == direct.score(**rest, sample_weight=weight[test])


def test_a_clone_has_the_parameters_and_nothing_else(fitted):
    cloned = clone(fitted)
    assert vars(cloned) == cloned.get_params()
    assert_same_parameters(cloned, fitted)


def test_set_params_counts_even_after_construction(case):
    estimator = case.make(epochs=1)
    assert estimator.set_params(epochs=2) is estimator
    assert estimator.fit(case.X, case.y).n_iter_ == 2


# -- fitting ----------------------------------------------------------------------


def test_fit_returns_the_estimator(case):
    estimator = case.make(epochs=1)
    assert estimator.fit(case.X, case.y) is estimator


def test_a_refit_is_a_fresh_fit(case, fitted):
    estimator = case.tiny(batch_size=5).fit(case.X[:7], case.y[:7])
    estimator.set_params(**fitted.get_params()).fit(case.X, case.y)
    assert_same_weights(estimator, fitted)
    assert vars(estimator).keys() == vars(fitted).keys()
    assert estimator.history_ == fitted.history_


def test_the_weights_of_a_discarded_estimator_are_released(case):
    estimator = case.tiny().fit(case.X, case.y)
    weight = weakref.ref(estimator._weights[0])
    del estimator
    case.tiny().fit(case.X, case.y)
    gc.collect()
    assert weight() is None


def test_the_seed_settles_the_weights(case, fitted):
    assert_same_weights(case.fit(), fitted)
    other = case.fit(random_state=1)
    assert not np.array_equal(other._weights[0], fitted._weights[0])


def test_without_a_seed_numpy_decides(case):
    np.random.seed(3)
    first = case.fit(random_state=None, epochs=1)
    second = case.fit(random_state=None, epochs=1)
    np.random.seed(3)
    assert_same_weights(case.fit(random_state=None, epochs=1), first)
    assert not np.array_equal(first._weights[0], second._weights[0])


def test_the_loss_falls_and_is_recorded_for_each_epoch(case):
    history = case.fit(epochs=6, learning_rate=0.01).history_
    assert len(history["loss"]) == 6
    assert history["loss"][-1] < history["loss"][0]


def test_routed_parameters_reach_their_object(case):
    stopper = {"callbacks": keras.callbacks.EarlyStopping}
    routed = {"callbacks__monitor": "loss", "callbacks__min_delta": 1e9}
    assert case.fit(epochs=5, **stopper, **routed).n_iter_ == 2
    still = case.tiny(optimizer__learning_rate=1e-30).fit(case.X, case.y)
    also_still = case.tiny(learning_rate=1e-30).fit(case.X, case.y)
    assert_same_weights(still, also_still)


def test_a_large_gradient_is_scaled_down_to_the_norm(case):
    def step(**params):
        """What one step of plain gradient descent, of rate 1, does to the weights."""
        before, after = (
            case.tiny(batch_size=len(case.X), learning_rate=rate, **params)
            .fit(case.X, case.y)
            ._weights
            for rate in (1e-30, 1.0)
        )
        changes = [(b - a).ravel() for a, b in zip(after, before, strict=True)]
        return np.concatenate(changes).astype("float64")

    free, clipped = step(global_clipnorm=None), step(global_clipnorm=0.01)
    assert np.linalg.norm(free) > 0.02
    assert np.linalg.norm(clipped) == pytest.approx(0.01, rel=1e-3)
    cosine = clipped @ free / np.linalg.norm(clipped) / np.linalg.norm(free)
    assert cosine == pytest.approx(1, abs=1e-4)


def test_early_stopping_returns_to_the_best_epoch(case):
    estimator = case.make(
        epochs=30, early_stopping=True, n_iter_no_change=2, learning_rate=0.05
    )
    estimator.fit(case.X, case.y, **case.misleading)
    losses = estimator.history_["val_loss"]
    best = int(np.argmin(losses)) + 1
    assert estimator.n_iter_ == len(losses) == best + 2 < 30
    assert_same_weights(estimator, case.fit(epochs=best, learning_rate=0.05))


def test_a_validation_fraction_is_held_out(case):
    estimator = case.fit(early_stopping=True, validation_fraction=0.25)
    assert len(estimator.history_["val_loss"]) == estimator.n_iter_
    assert not np.array_equal(estimator._weights[0], case.fit()._weights[0])


def test_a_validation_set_alone_only_watches(case, fitted):
    some = case.validation(case.X[:3], case.y[:3])
    watched = case.make().fit(case.X, case.y, **some)
    assert_same_weights(watched, fitted)
    assert len(watched.history_["val_loss"]) == watched.n_iter_


def test_a_batch_may_be_larger_than_all_the_data(case):
    vast, whole = (
        case.make(batch_size=size, epochs=1, shuffle=False).fit(
            case.X, case.y, **case.validation(case.X, case.y)
        )
        for size in (10**12, len(case.X))
    )
    for name, losses in whole.history_.items():
        assert vast.history_[name] == pytest.approx(losses, rel=1e-5)


def test_partial_fits_add_up_to_a_fit(case):
    parts = case.make()
    for n_epochs in (1, 2):
        assert parts.partial_fit(case.X, case.y) is parts
        assert parts.n_iter_ == len(parts.history_["loss"]) == n_epochs
    whole = case.fit(epochs=2)
    assert_same_weights(parts, whole)
    assert parts.history_ == whole.history_


def test_a_partial_fit_continues_a_fit(case, fitted):
    estimator = copy.deepcopy(fitted).partial_fit(case.X, case.y)
    assert_same_weights(estimator, case.fit(epochs=4))


def test_a_partial_fit_takes_the_present_learning_rate(case, fitted):
    still = copy.deepcopy(fitted).set_params(learning_rate=1e-30)
    still.partial_fit(case.X, case.y)
    assert_same_arrays(still._resume_weights, fitted._resume_weights)


def test_a_warm_start_continues_and_a_cold_one_does_not(case, fitted):
    warm = copy.deepcopy(fitted).set_params(warm_start=True, learning_rate=1e-30)
    assert_same_weights(warm.fit(case.X, case.y), fitted)
    assert warm.n_iter_ == 3
    cold = case.fit(learning_rate=1e-30)
    assert not np.array_equal(cold._weights[-2], fitted._weights[-2])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_never_continues_with_another_network(case, fitted, method):
    estimator = copy.deepcopy(fitted).set_params(units=5, warm_start=True)
    with pytest.raises(ValueError, match=r"units was \(4,.*\) and is \(5,\)"):
        getattr(estimator, method)(case.X, case.y)


def test_a_sequence_of_no_weight_might_as_well_be_missing(case):
    weight = np.ones(12)
    weight[[2, 5]] = 0
    kept = np.flatnonzero(weight)
    some = case.make().fit([case.X[i] for i in kept], [case.y[i] for i in kept])
    weighted = case.make().fit(case.X, case.y, sample_weight=weight)
    assert_same_weights(weighted, some)


def test_only_the_ratio_of_weights_counts(case, fitted):
    weight = np.linspace(1, 2, 12)
    once = case.make().fit(case.X, case.y, sample_weight=weight)
    twice = case.make().fit(case.X, case.y, sample_weight=2 * weight)
    assert_same_weights(once, twice)
    assert not np.array_equal(once._weights[0], fitted._weights[0])


def test_a_weight_of_the_score_counts_a_sequence_often(case, rough):
    if case.counts_pairs:
        pytest.skip("a sequence and its copies would be pairs")
    rows = [0, 0, 0, 1, 2, 2]
    repeated = rough.score([case.X[i] for i in rows], [case.y[i] for i in rows])
    weighted = rough.score(case.X[:3], case.y[:3], sample_weight=[3, 1, 2])
    assert weighted == pytest.approx(repeated)


def test_verbose_shows_one_bar_on_stderr(case, capfd):
    case.fit(verbose=1)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "3/3" in shown.err
    assert "loss=" in shown.err


def test_the_html_says_whether_an_estimator_is_fitted_and_how_well(case, fitted):
    assert "Not fitted</div>" in case.make()._repr_html_()
    shown = fitted._repr_html_()
    assert f"Fitted: {fitted.n_iter_} epochs" in shown
    assert f"loss {fitted.history_['loss'][-1]:.4g}" in shown
    assert "by epoch</title>" in shown
    classes = getattr(fitted, "classes_", ())
    is_told = len(classes) > 0 and not isinstance(fitted, OutlierMixin)
    assert (f"{len(classes)} class" in shown) == is_told
