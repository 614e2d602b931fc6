"""Graphs embed as `transform` does, where skseq is not installed."""

import json

import numpy as np
import pytest

from tests.estimators import EMBEDDER, EMBEDDER_KL
from tests.exported import padded, run_elsewhere, run_saved_model, with_nan_padding

# What all estimators share is tested in engine/test_export.py, in every run.
pytestmark = pytest.mark.slow

NEAR = {"rtol": 1e-4, "atol": 1e-5}
X = [x.astype("float32") for x in EMBEDDER.X]


@pytest.mark.slow
@pytest.mark.parametrize("case", [EMBEDDER, EMBEDDER_KL], ids=str)
def test_in_a_process_without_skseq_both_formats_give_the_same(case, tmp_path):
    embedder = case.rough(case.fit())
    frames, lengths = padded(X)
    given = {"frames": with_nan_padding(frames, lengths), "lengths": lengths}
    jobs = []
    for format, name in {"saved_model": "transform", "onnx": "model"}.items():
        embedder.export(tmp_path / format, format=format)
        jobs.append((tmp_path / format, format, name, given))
    for found in run_elsewhere(jobs, tmp_path):
        np.testing.assert_allclose(found["embedding"], embedder.transform(X), **NEAR)


@pytest.mark.parametrize(
    "params", [{}, {"loss": "triplet", "distance": "euclidean", "center": False}]
)
def test_a_graph_embeds_as_transform_does(params, tmp_path):
    embedder = EMBEDDER.rough(EMBEDDER.fit(**params))
    embedder.export(tmp_path / "model")
    frames, lengths = padded(X)
    found = run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)
    np.testing.assert_allclose(found["embedding"], embedder.transform(X), **NEAR)
    description = json.loads((tmp_path / "model" / "skseq.json").read_text())
    assert description["distance"] == params.get("distance", "cosine")
    assert description["threshold"] == embedder.threshold_
