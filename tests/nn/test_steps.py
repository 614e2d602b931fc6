"""Steps of `preprocess` in a graph give what the steps themselves give."""

import numpy as np
import pytest
import tensorflow as tf

from skseq._nn import portable
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
    for value in (7, np.nan):  # what is past a length is anything
        batch[~(np.arange(batch.shape[1]) < lengths[:, np.newaxis])] = value
        made = inputs.read(lengths=lengths, **{inputs.name: batch})
        check(made, expected)


def check(made, expected):
    assert np.asarray(made.lengths).tolist() == [len(x) for x in expected]
    for own, wanted in zip(np.asarray(made.frames), expected, strict=True):
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
    made = GraphInputs.of(1, steps).read(lengths=lengths, waveforms=batch)
    near = np.asarray(made.frames)[0, : len(expected)]
    np.testing.assert_allclose(near, expected, rtol=1e-4, atol=1e-4)
    if samples is SILENCE:
        assert not expected.any()


def test_steps_follow_one_another():
    steps = [LogMel(8000), SequenceNormalizer()]
    X = [x[:, 0].astype("float32") for x in WAVEFORMS[:2]]
    expected = steps[1].transform(steps[0].transform(X))
    batch, lengths = padded(X)
    check(GraphInputs.of(1, steps).read(lengths=lengths, waveforms=batch), expected)


def test_a_step_that_leaves_no_frame_is_named():
    steps = [SequenceNormalizer(), FrameDifference(order=3, keep_first=False)]
    batch, lengths = padded([FRAMES[0], FRAMES[1][:3], FRAMES[2][:1]])
    inputs = GraphInputs.of(3, [*steps, SequenceNormalizer()])
    words = r"preprocess\[1\], FrameDifference, leaves no frame (?s:.*)\n1, 2$"
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        inputs.read(lengths=lengths, frames=batch)
    with portable.without_assertions():
        made = inputs.read(lengths=lengths, frames=tf.constant(batch))
    assert np.asarray(made.is_sound).tolist() == [True, False, False]


@pytest.mark.parametrize("step", [LogMel(8000), MFCC(8000, deltas=1)], ids=str)
def test_waveforms_with_nan_are_refused_before_a_logarithm_hides_it(step):
    batch, lengths = padded([x[:, 0] for x in WAVEFORMS])
    batch[1, 1000] = np.nan
    inputs = GraphInputs.of(1, [step])
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"must be finite(?s:.*)\n1$"
    ):
        inputs.read(lengths=lengths, waveforms=batch)
    with portable.without_assertions():
        made = inputs.read(lengths=lengths, waveforms=tf.constant(batch))
    assert np.asarray(made.is_sound).tolist() == [True, False, True, True]
