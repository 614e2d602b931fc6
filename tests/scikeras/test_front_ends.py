"""Front ends come from the model-building functions of SciKeras."""

import pickle
from functools import partial

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skseq.scikeras import as_front_end
from tests.estimators import CTC, TINY
from tests.toy import as_text, symbol_runs

X, SYMBOLS, _ = symbol_runs(12)
Y = as_text(SYMBOLS)


def build(meta, width=4, *, activation=None):
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:], dtype=meta["X_dtype_"].name),
            keras.layers.Dense(width, activation, name="own"),
            keras.layers.AveragePooling1D(2, padding="same"),
        ]
    )


def same_layers(frames, width=4, activation=None):
    """What `build` does, written as a front end of skseq."""
    frames = keras.layers.Dense(width, activation)(frames)
    return keras.layers.AveragePooling1D(2, padding="same")(frames)


make = partial(CTC.make, **TINY, infeasible="drop")


@pytest.mark.filterwarnings("ignore:.*too few output frames")
def test_a_model_building_function_is_the_front_end_that_its_layers_are():
    routed = {"front_end__width": 6, "front_end__activation": "relu"}
    found = make(front_end=as_front_end(build), **routed).fit(X, Y)
    direct = make(front_end=same_layers, **routed).fit(X, Y)
    for a, b in zip(found._weights, direct._weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert found.predict_proba(X)[0].shape == (-(-len(X[0]) // 2), 4)


def test_what_scikeras_offers_is_passed_as_far_as_it_is_asked_for():
    seen = {}

    def asks_for_all(meta, compile_kwargs, params, width=4):
        seen.update(meta=dict(meta), params=params)
        model = build(meta, width)
        model.compile(**compile_kwargs)
        return model

    def takes_all(**kwargs):
        seen.update(names=sorted(kwargs))
        return build(kwargs["meta"], kwargs["width"])

    def asks_for_nothing(width=4):
        return keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(width)])

    for function in (asks_for_all, takes_all, asks_for_nothing):
        made = as_front_end(function)(keras.Input((None, 3)), width=5)
        assert made.shape == (None, None, 5)
    assert seen["meta"] == {
        "X_shape_": (None, None, 3),
        "X_dtype_": np.dtype("float32"),
        "n_features_in_": 3,
    }
    assert seen["params"] == {"width": 5}
    assert seen["names"] == ["compile_kwargs", "meta", "params", "width"]


def test_a_front_end_is_cloned_searched_and_pickled_like_any_parameter():
    front_end = as_front_end(build)
    search = GridSearchCV(
        make(front_end=front_end, front_end__activation="relu"),
        {"front_end__width": [2, 6]},
        cv=2,
        error_score="raise",
    ).fit(X, Y)
    best = pickle.loads(pickle.dumps(search.best_estimator_))
    assert clone(best).front_end == front_end
    assert hash(best.front_end) == hash(front_end)
    width = search.best_params_["front_end__width"]
    assert best.model_.get_layer("front_end").output_shape == (None, None, width)
    assert best.predict(X).tolist() == search.predict(X).tolist()


@pytest.mark.parametrize(
    ("function", "params", "message"),
    [
        (
            build,
            {"front_end__wdith": 3},
            "cannot be called with frames and front_end__wdith",
        ),
        (lambda meta: "model", {}, r"must return a keras.Model. Got str"),
        (
            lambda meta: build({**meta, "X_shape_": (None, 20, 3)}),
            {},
            r"for sequences of 20 frames.*meta\[\"X_shape_\"\]\[1:\]",
        ),
        (
            lambda meta: keras.layers.Dense(meta["n_classes_"]),
            {},
            r"gets only \['X_shape_', .*not 'n_classes_'",
        ),
        (
            lambda meta: keras.Sequential(
                [
                    keras.Input(meta["X_shape_"][1:]),
                    keras.layers.GlobalAveragePooling1D(),
                ]
            ),
            {},
            "front_end must turn its input tensor",
        ),
    ],
    ids=["unknown parameter", "no model", "fixed length", "labels", "no frames"],
)
def test_a_function_that_builds_no_front_end_is_refused(function, params, message):
    with pytest.raises(ValueError, match=message):
        make(front_end=as_front_end(function), **params).fit(X, Y)


def test_a_front_end_is_made_of_a_function():
    with pytest.raises(TypeError, match=r"function that builds.*Got str"):
        as_front_end("build")
