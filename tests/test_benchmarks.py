"""The scripts in `benchmarks` run, and their checks can fail."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.estimators import AUTOENCODER, CTC, TRANSLATOR

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BENCHMARKS.exists(), reason="there are no benchmarks"),
]


@pytest.fixture
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_without_a_gpu_the_benchmark_says_what_is_missing_and_ends_well():
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, BENCHMARKS / "gpu.py"]
    run = subprocess.run(
        command, env=hidden, capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("Nothing was measured. TensorFlow finds no GPU")


@pytest.mark.parametrize("case", [CTC, AUTOENCODER, TRANSLATOR], ids=str)
def test_results_of_two_devices_are_compared_by_a_network_and_its_data(case, on_path):
    import gpu

    estimator = case.fit()
    assert gpu.farthest(estimator, case.X) == 0  # both are the processor
    changed = case.rough(estimator)
    outputs = gpu.outputs_of(changed, case.X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu, "outputs_of", lambda *_: outputs)
        assert gpu.farthest(estimator, case.X) > gpu.TOLERANCE


def test_the_step_whose_parts_are_timed_is_one_of_the_training(on_path):
    import where_time_goes

    X = [np.ones((5 + i % 3, 2), "float32") for i in range(70)]
    y = [[i % 2] for i in range(70)]
    given = where_time_goes.steps_of(X, y, 4)
    assert len(given) == 2
    trainer, batch, weights = given[0]
    assert np.isfinite(trainer.step(batch, weights)).all()


def test_both_ways_to_run_a_decoder_that_reads_its_output_are_one_network(on_path):
    torch = pytest.importorskip("torch")
    from peers.torch_autoencoder import TorchAutoencoder, folded, reading_the_output

    X = [np.random.default_rng(i).normal(size=(5 + i, 3)) for i in range(4)]
    X = [x.astype("float32") for x in X]
    peers = [TorchAutoencoder(X, 6, 2, d, 1) for d in (reading_the_output, folded)]
    peers[1].network.load_state_dict(peers[0].network.state_dict())
    frames, lengths, _ = peers[0].batches[0]
    outputs = [peer.network(frames, lengths) for peer in peers]
    torch.testing.assert_close(outputs[0], outputs[1])
