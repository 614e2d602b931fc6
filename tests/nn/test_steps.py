"""Steps of `preprocess` in a graph give what the steps themselves give."""

import numpy as np
import pytest

from skseq._nn.steps import GraphInputs
from skseq.preprocessing import MFCC, FrameDifference, LogMel, SequenceNormalizer
from tests.exported import padded

RNG = np.random.default_rng(0)
WAVEFORMS = [RNG.normal(size=(n, 1)) * 0.1 for n in (2000, 1033, 80, 3)]
FRAMES = [RNG.normal(size=(n, 3)) + 100 for n in (9, 4, 5)]
CONSTANT = [np.full((6, 2), 0.1), RNG.normal(size=(4, 2))]

CASES = {
    "LogMel": (LogMel(8000), WAVEFORMS),
    "slopes": (LogMel(8000, deltas=2, n_mels=8, pre_emphasis=0, n_fft=300), WAVEFORMS),
    "MFCC": (MFCC(8000, deltas=1), WAVEFORMS),
    "MFCC without lifter": (MFCC(8000, lifter=0, hop_seconds=0.004), WAVEFORMS),
    "normalized": (SequenceNormalizer(), FRAMES),
    "centred": (SequenceNormalizer(with_std=False), FRAMES),
    "scaled": (SequenceNormalizer(with_mean=False), FRAMES),
    "constant": (SequenceNormalizer(), CONSTANT),
    "differences": (FrameDifference(), FRAMES),
    "without the first": (FrameDifference(order=2, keep_first=False), FRAMES),
}


@pytest.mark.parametrize("name", CASES)
def test_a_step_gives_the_same_in_a_padded_batch(name):
    step, X = CASES[name]
    X = [x.astype("float32") for x in X]
    given = X if X[0].shape[1] > 1 else [x[:, 0] for x in X]
    expected = step.transform(given)
    inputs = GraphInputs.of(X[0].shape[1], [step])
    batch, lengths = padded(given)
    made, n_frames = inputs.read(lengths=lengths, **{inputs.name: batch})
    assert np.asarray(n_frames).tolist() == [len(x) for x in expected]
    for own, wanted in zip(np.asarray(made), expected, strict=True):
        near = own[: len(wanted)]
        np.testing.assert_allclose(near, wanted, rtol=1e-5, atol=1e-5)


SILENCE = np.zeros(900, "float32")
TONE = np.sin(2 * np.pi * 1000 * np.arange(900) / 8000).astype("float32")


@pytest.mark.parametrize("samples", [SILENCE, TONE], ids=["silence", "tone"])
@pytest.mark.parametrize("step", [MFCC(8000, deltas=1), LogMel(8000)], ids=str)
@pytest.mark.parametrize("n_padding", [0, 100, 5000])
def test_rounding_is_not_blown_up_by_normalization(samples, step, n_padding):
    steps = [step, SequenceNormalizer()]
    (expected,) = steps[1].transform(steps[0].transform([samples]))
    batch = np.pad(samples, (0, n_padding))[np.newaxis]
    lengths = np.array([len(samples)], "int32")
    made, _ = GraphInputs.of(1, steps).read(lengths=lengths, waveforms=batch)
    near = np.asarray(made)[0, : len(expected)]
    np.testing.assert_allclose(near, expected, rtol=1e-4, atol=1e-4)
    if samples is SILENCE:
        assert not expected.any()


def test_steps_follow_one_another():
    steps = [LogMel(8000), SequenceNormalizer()]
    X = [x[:, 0].astype("float32") for x in WAVEFORMS[:2]]
    expected = steps[1].transform(steps[0].transform(X))
    batch, lengths = padded(X)
    made, n_frames = GraphInputs.of(1, steps).read(lengths=lengths, waveforms=batch)
    assert n_frames.numpy().tolist() == [len(x) for x in expected]
    for own, wanted in zip(made.numpy(), expected, strict=True):
        near = own[: len(wanted)]
        np.testing.assert_allclose(near, wanted, rtol=1e-5, atol=1e-5)
