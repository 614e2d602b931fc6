"""SciKeras runs our networks.

Importing SciKeras replaces how Keras pickles, for the whole process: it is imported in
processes of their own only.
"""

import json
import re

import keras
import numpy as np
import pytest

from skseq import CTCSequenceClassifier
from skseq.scikeras import autoencoder_model, recurrent_model
from tests.processes import ROOT, run_python
from tests.toy import as_text, symbol_runs

X, SYMBOLS, _ = symbol_runs(12)
Y = as_text(SYMBOLS)

SESSION = """
import json, pickle, sys
import numpy as np
import keras
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skseq import CTCSequenceClassifier
from skseq._autoencoder.network import autoencoder_network
from skseq.scikeras import autoencoder_model, recurrent_model
from tests.toy import as_text, symbol_runs

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

reg = KerasRegressor(autoencoder_model, model__units=4, epochs=10, **fast)
flat = X.reshape(len(X), -1)
reg.fit(X, flat)
found["loss falls"] = reg.history_["loss"][-1] < reg.history_["loss"][0]
network = autoencoder_network(
    n_features=2, units=(4,), cell="lstm", bidirectional=True, dropout=0.0,
    latent_dim=4, decoder_input="code", reverse=True, difference=False,
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


@pytest.fixture(scope="module")
def found():
    return json.loads(run_python(SESSION).partition("FOUND")[2])


@pytest.mark.slow
def test_a_wrapper_learns_by_our_network(found):
    assert found["score"] == 1
    assert found["classes"] == ["a", "b", "c"]
    np.testing.assert_allclose(found["rows sum to"], 1, rtol=1e-5)
    assert found["compiled for"] == "sparse_categorical_crossentropy"


@pytest.mark.slow
def test_a_wrappers_seed_makes_our_network_the_same_again(found):
    assert found["again"]


@pytest.mark.slow
def test_a_fitted_wrapper_of_our_network_is_pickled(found):
    assert found["pickled"]
    assert found["autoencoder pickled"]


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_wrapper_runs_the_autoencoders_own_network(found):
    assert found["loss falls"]
    assert found["difference from the network"] < 1e-6


def test_data_for_which_there_is_no_network_is_refused():
    meta = {"X_shape_": (24, 6), "target_type_": "binary", "n_classes_": 2}
    for model in (recurrent_model, autoencoder_model):
        with pytest.raises(ValueError, match=r"Got shape \(24, 6\).*use an estimator"):
            model(meta, COMPILE)
    with pytest.raises(ValueError, match=r"kind of y must be .*Got 'unknown'"):
        recurrent_model({"X_shape_": (24, 6, 2), "target_type_": "unknown"}, COMPILE)


@pytest.mark.slow
def test_our_estimators_do_not_mind_that_scikeras_was_imported(found):
    direct = CTCSequenceClassifier(
        units=4, epochs=1, random_state=0, optimizer=keras.optimizers.SGD(0.1)
    ).fit(X, Y)
    sums = [float(np.abs(w).sum()) for w in direct._weights]
    assert found["weights"] == sums


# -- the page ---------------------------------------------------------------------


@pytest.mark.slow
def test_the_blocks_of_the_page_that_need_scikeras_run_in_order(tmp_path):
    page = (ROOT / "docs" / "scikeras.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert blocks
    run_python("\n".join(blocks), cwd=tmp_path)
