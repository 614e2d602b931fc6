"""Front ends come from SciKeras's functions, and SciKeras runs our networks.

Importing SciKeras replaces how Keras pickles, for the whole process: it is imported in
processes of their own only.
"""

import importlib.util
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skseq import CTCSequenceClassifier
from skseq.scikeras import as_encoder, autoencoder_model, recurrent_model
from tests.toy import as_text, symbol_runs

ROOT = Path(__file__).parents[2]
X, SYMBOLS, _ = symbol_runs(12)
Y = as_text(SYMBOLS)

needs_scikeras = pytest.mark.skipif(
    importlib.util.find_spec("scikeras") is None,
    reason='needs SciKeras: pip install "skseq[scikeras]"',
)


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


def make(**params):
    defaults = {"units": 4, "epochs": 1, "random_state": 0, "infeasible": "drop"}
    return CTCSequenceClassifier(**{**defaults, **params})


# -- a model-building function as a front end -------------------------------------


@pytest.mark.filterwarnings("ignore:.*too few output frames")
def test_a_model_building_function_is_the_front_end_that_its_layers_are():
    routed = {"encoder__width": 6, "encoder__activation": "relu"}
    found = make(encoder=as_encoder(build), **routed).fit(X, Y)
    direct = make(encoder=same_layers, **routed).fit(X, Y)
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
        make(encoder=as_encoder(function), encoder__width=5).fit(X, Y)
    assert seen["meta"] == {
        "X_shape_": (None, None, 3),
        "X_dtype_": np.dtype("float32"),
        "n_features_in_": 3,
    }
    assert seen["params"] == {"width": 5}
    assert seen["names"] == ["compile_kwargs", "meta", "params", "width"]


def test_a_front_end_is_cloned_searched_and_pickled_like_any_parameter():
    encoder = as_encoder(build)
    search = GridSearchCV(
        make(encoder=encoder), {"encoder__width": [2, 3]}, cv=2, error_score="raise"
    ).fit(X, Y)
    best = pickle.loads(pickle.dumps(search.best_estimator_))
    assert clone(best).encoder == encoder
    assert hash(best.encoder) == hash(encoder)
    width = search.best_params_["encoder__width"]
    assert best.model_.get_layer("encoder").output_shape == (None, None, width)
    assert best.predict(X).tolist() == search.predict(X).tolist()


@pytest.mark.parametrize(
    ("function", "params", "message"),
    [
        (
            build,
            {"encoder__wdith": 3},
            "cannot be called with frames and encoder__wdith",
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
            r"knows only \['X_shape_', .*not 'n_classes_'",
        ),
        (
            lambda meta: keras.Sequential(
                [
                    keras.Input(meta["X_shape_"][1:]),
                    keras.layers.GlobalAveragePooling1D(),
                ]
            ),
            {},
            "encoder must turn its input tensor",
        ),
    ],
    ids=["unknown parameter", "no model", "fixed length", "labels", "no frames"],
)
def test_a_function_that_builds_no_front_end_is_refused(function, params, message):
    with pytest.raises(ValueError, match=message):
        make(encoder=as_encoder(function), **params).fit(X, Y)


def test_a_front_end_is_made_of_a_function():
    with pytest.raises(TypeError, match=r"function that builds.*Got str"):
        as_encoder("build")


# -- our networks in wrappers of SciKeras -----------------------------------------

SESSION = """
import json, pickle, sys
import numpy as np
import keras
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skseq import CTCSequenceClassifier
from skseq._autoencoder.network import autoencoder_network
from skseq._nn.stacks import initial_weights
from skseq.scikeras import autoencoder_model, recurrent_model
from toy import as_text, symbol_runs

rng = np.random.default_rng(0)
y = np.arange(24) % 3
X = rng.normal(size=(24, 6, 2)).astype("float32")
X += np.stack([y == 1, y == 2], axis=1)[:, np.newaxis] * 2
words = np.array(["a", "b", "c"])[y]
fast = {"optimizer__learning_rate": 0.1, "verbose": 0, "random_state": 0}
found = {}

clf = KerasClassifier(recurrent_model, model__units=4, epochs=10, **fast)
clf.fit(X, words)
found["score"] = clf.score(X, words)
found["classes"] = sorted(set(clf.predict(X)))
proba = clf.predict_proba(X)
found["rows sum to"] = proba.sum(axis=1).tolist()
found["again"] = bool((clone(clf).fit(X, words).predict_proba(X) == proba).all())
copied = pickle.loads(pickle.dumps(clf))
found["pickled"] = bool((copied.predict_proba(X) == proba).all())
found["compiled for"] = str(clf.model_.loss)

grid = {"model__units": [2, (2, 4)], "model__cell": ["gru"], "model__dropout": [0.1]}
clf.set_params(epochs=1)
halves = [(np.arange(12), np.arange(12, 24))]
search = GridSearchCV(clf, grid, cv=halves, error_score="raise", refit=False)
search.fit(X, words)
found["searched"] = [str(p["model__units"]) for p in search.cv_results_["params"]]

reg = KerasRegressor(autoencoder_model, model__units=4, epochs=2, **fast)
flat = X.reshape(len(X), -1)
reg.fit(X, flat)
found["loss falls"] = reg.history_["loss"][-1] < reg.history_["loss"][0]
network = autoencoder_network(
    n_features=2, units=(4,), cell="lstm", bidirectional=True, dropout=0.0,
    latent_dim=4, decoder="conditional", reverse=True, difference=False,
)
network.set_weights(reg.model_.get_weights())
frames, _ = network([X, np.full(24, 6)])
difference = np.abs(frames.numpy().reshape(24, -1) - reg.predict(X)).max()
found["difference from the network"] = float(difference)
copied = pickle.loads(pickle.dumps(reg))
found["autoencoder pickled"] = bool((copied.predict(X) == reg.predict(X)).all())

runs, symbols, _ = symbol_runs(12)
own = CTCSequenceClassifier(
    units=4, epochs=1, random_state=0, optimizer=keras.optimizers.SGD(0.1)
)
own.fit(runs, as_text(symbols))
copied = pickle.loads(pickle.dumps(own))
found["weights"] = [float(np.abs(w).sum()) for w in copied._weights]
print("FOUND", json.dumps(found))
"""


def run(code, **options):
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    env = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    finished = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, **options
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    return finished.stdout


@pytest.fixture(scope="module")
def found():
    if importlib.util.find_spec("scikeras") is None:
        pytest.skip('needs SciKeras: pip install "skseq[scikeras]"')
    return json.loads(run(SESSION).partition("FOUND")[2])


def test_a_wrapper_learns_by_our_network(found):
    assert found["score"] == 1
    assert found["classes"] == ["a", "b", "c"]
    np.testing.assert_allclose(found["rows sum to"], 1, rtol=1e-5)
    assert found["compiled for"] == "sparse_categorical_crossentropy"


def test_a_wrappers_seed_makes_our_network_the_same_again(found):
    assert found["again"]


def test_a_fitted_wrapper_of_our_network_is_pickled(found):
    assert found["pickled"]
    assert found["autoencoder pickled"]


def test_a_wrapper_searches_over_our_parameters(found):
    assert found["searched"] == ["2", "(2, 4)"]


KINDS = {
    "binary": ({"n_classes_": 2}, 2, "sparse_categorical_crossentropy"),
    "multiclass": ({"n_classes_": 3}, 3, "sparse_categorical_crossentropy"),
    "multilabel-indicator": ({"n_classes_": 2}, 2, "binary_crossentropy"),
    "continuous": ({"n_outputs_expected_": 1}, 1, "mse"),
    "continuous-multioutput": ({"n_outputs_expected_": 3}, 3, "mse"),
}
COMPILE = {"optimizer": "adam", "loss": None}


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_loss_fit_the_kind_of_y(kind):
    of_y, n_outputs, loss = KINDS[kind]
    meta = {"X_shape_": (24, 6, 2), "target_type_": kind, **of_y}
    model = recurrent_model(meta, COMPILE, units=(2, 4), dropout=0.1)
    assert model.output_shape == (None, n_outputs)
    assert model.loss == loss
    ours = recurrent_model(meta, {**COMPILE, "loss": "mae"}, units=2, cell="gru")
    assert ours.loss == "mae"


def test_a_wrapper_runs_the_autoencoders_own_network(found):
    assert found["loss falls"]
    assert found["difference from the network"] < 1e-6


def test_data_for_which_there_is_no_network_is_refused():
    meta = {"X_shape_": (24, 6), "target_type_": "binary", "n_classes_": 2}
    for model in (recurrent_model, autoencoder_model):
        with pytest.raises(ValueError, match=r"Got shape \(24, 6\).*use an estimator"):
            model(meta, COMPILE)
    with pytest.raises(ValueError, match=r"of the kinds .*Got 'unknown'"):
        recurrent_model({"X_shape_": (24, 6, 2), "target_type_": "unknown"}, COMPILE)


def test_our_estimators_do_not_mind_that_scikeras_was_imported(found):
    direct = CTCSequenceClassifier(
        units=4, epochs=1, random_state=0, optimizer=keras.optimizers.SGD(0.1)
    ).fit(X, Y)
    sums = [float(np.abs(w).sum()) for w in direct._weights]
    assert found["weights"] == sums


# -- the page ---------------------------------------------------------------------


@needs_scikeras
def test_the_blocks_of_the_page_that_need_scikeras_run_in_order(tmp_path):
    page = (ROOT / "docs" / "scikeras.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert blocks
    run("\n".join(blocks), cwd=tmp_path)
