"""What `model_.export` writes runs where skseq is not, and gives the same."""

import numpy as np
import pytest

from skseq._nn import compiled
from tests.estimators import AUTOENCODER, CTC, TRANSLATOR
from tests.processes import run_python

# Runs the endpoint of a SavedModel on what lies in a file, by names of TensorFlow's.
LOAD = """
import sys
import numpy as np
import tensorflow as tf

model, batch, results = sys.argv[1:]
given = {name: tf.constant(value) for name, value in np.load(batch).items()}
outputs = tf.saved_model.load(model).signatures["serving_default"](**given)
np.savez(results, **{name: value.numpy() for name, value in outputs.items()})
assert "skseq" not in sys.modules
"""

SETTINGS = {
    "ctc": (CTC, {}),
    "ctc, convolution": (CTC, {"conv_filters": (8,), "conv_strides": (2,)}),
    "ctc, gru": (CTC, {"cell": "gru", "units": (5, 4)}),
    "ctc, wide": (CTC, {"units": 130}),
    "translator": (TRANSLATOR, {}),
    "translator, gru": (TRANSLATOR, {"cell": "gru", "attention": "dot"}),
    "autoencoder": (AUTOENCODER, {}),
    "autoencoder, output": (AUTOENCODER, {"decoder_input": "output", "cell": "gru"}),
}


def batch_of(model, n_samples=3, longest=12, seed=0):
    """Padded frames or ids, and lengths, by the names of a network's inputs."""
    rng = np.random.default_rng(seed)
    lengths = np.array([longest, 5, 8], dtype="int32")
    given = {}
    for source in model.inputs:
        shape = [n_samples, longest, *source.shape[2:]][: len(source.shape)]
        if source.dtype == "float32":
            given[source.name] = rng.normal(size=shape).astype("float32")
        else:
            is_lengths = len(source.shape) == 1
            given[source.name] = lengths if is_lengths else np.ones(shape, "int32")
    return given


@pytest.mark.parametrize(
    "name",
    [
        "ctc",
        *(pytest.param(n, marks=pytest.mark.slow) for n in SETTINGS if n != "ctc"),
    ],
)
def test_an_exported_network_gives_the_same_in_a_process_without_skseq(name, tmp_path):
    case, settings = SETTINGS[name]
    model = case.tiny(**settings).fit(*case.draw(6)).model_
    given = batch_of(model)
    model.export(tmp_path / "model")
    np.savez(tmp_path / "batch.npz", **given)
    run_python(LOAD, *(tmp_path / n for n in ("model", "batch.npz", "results.npz")))
    found = np.load(tmp_path / "results.npz")
    expected = model(list(given.values()))
    if not isinstance(expected, dict):
        expected = {f"output_{i}": value for i, value in enumerate(expected)}
    assert set(found) == set(expected)
    for output, value in expected.items():
        np.testing.assert_allclose(found[output], value, rtol=1e-5, atol=1e-5)


def test_an_export_leaves_compiled_code_in_use(tmp_path):
    before = compiled.is_in_use()
    case = AUTOENCODER
    model = case.tiny().fit(*case.draw(4)).model_
    model.export(str(tmp_path / "model"))
    assert compiled.is_in_use() == before
    assert (tmp_path / "model" / "saved_model.pb").exists()
    with pytest.raises(ValueError, match="format"):
        model.export(tmp_path / "other", format="no such format")
    assert compiled.is_in_use() == before
