"""Steps that a sequence passes piece by piece give what they make of all of it."""

import numpy as np
import pytest

from skseq._preprocess.chain import Chain, checked_frames
from skseq._preprocess.pieces import Pieces
from skseq.augmentation import GaussianNoise
from skseq.preprocessing import MFCC, FrameDifference, LogMel, SequenceNormalizer

RATE = 1000
AUDIO = {"sample_rate": RATE, "n_mels": 6, "n_fft": 64}
WAVEFORMS = {
    "log mel": [LogMel(**AUDIO)],
    "log mel, two slopes": [LogMel(**AUDIO, deltas=2, pre_emphasis=0)],
    "cepstrum": [MFCC(**AUDIO, n_mfcc=5, deltas=1)],
    "40 bands": [MFCC(8000, deltas=2)],
    "hop beyond the window": [LogMel(**AUDIO, hop_seconds=0.04)],
    "differences of log mel": [LogMel(**AUDIO), FrameDifference(order=2)],
}
FRAMES = {
    "nothing": [],
    "differences": [FrameDifference()],
    "changes of changes": [FrameDifference(order=2, keep_first=False)],
    "both": [FrameDifference(), FrameDifference(order=3)],
}


def cut(frames, rng):
    places = rng.integers(0, len(frames) + 1, size=rng.integers(0, 30))
    return np.split(frames, np.sort(places))


def in_pieces(steps, pieces):
    """What the steps give for pieces, put together again."""
    passing, given = Pieces.of(steps), []
    for piece in pieces:
        passing, made = passing.push(piece)
        passing.end()  # leaves no trace
        given.append(made)
    passing.check_end()
    given.append(passing.end())
    given = [made for made in given if len(made)]
    return np.concatenate(given)


def check_cuttings(steps, draw, n_cuttings=34):
    rng = np.random.default_rng(0)
    for _ in range(n_cuttings):
        frames = draw(rng)
        expected = Chain.of(steps, checked_frames).apply(0, frames)
        found = in_pieces(steps, cut(frames, rng))
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("steps", WAVEFORMS.values(), ids=WAVEFORMS)
def test_waveforms_in_pieces_become_the_same_features_to_the_bit(steps):
    check_cuttings(steps, lambda rng: rng.normal(size=(rng.integers(1, 3000), 1)))


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32"])
def test_the_dtype_of_a_waveform_counts(dtype):
    loud = 2e8 if dtype == "int32" else 1000

    def draw(rng):
        return (loud * rng.normal(size=(200, 1))).astype(dtype)

    check_cuttings(WAVEFORMS["log mel"], draw, 5)


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("steps", FRAMES.values(), ids=FRAMES)
def test_frames_in_pieces_become_the_same_frames_to_the_bit(steps, dtype):
    def draw(rng):
        return rng.integers(0, 200, size=(rng.integers(3, 50), 2)).astype(dtype)

    check_cuttings(steps, draw, 17)


def test_the_end_of_a_waveform_warns_of_what_is_nearly_silent():
    passing = Pieces.of([LogMel(**AUDIO)])
    for samples in np.split(np.array([[5], [-1000], [20], [0]], "int32"), 2):
        passing, _ = passing.push(samples)
    with pytest.warns(UserWarning, match=r"its values lie within 1000, as those of 16"):
        passing.check_end()


def test_the_hop_is_that_of_all_steps():
    assert Pieces.of(None).hop == 1
    assert Pieces.of([FrameDifference(), LogMel(**AUDIO, deltas=1)]).hop == 10


def test_what_fails_on_a_piece_names_the_step():
    passing = Pieces.of([FrameDifference()])
    with pytest.raises(ValueError, match=r"preprocess\[0\], FrameDifference, turned"):
        passing.push(np.array([[3e38], [-3e38]]))


def test_an_end_that_comes_too_soon_is_refused():
    passing, _ = Pieces.of(FRAMES["changes of changes"]).push(np.ones((2, 1)))
    assert len(passing.end()) == 0
    with pytest.raises(ValueError, match="2 frames are too few"):
        passing.check_end()
    long_window = LogMel(sample_rate=10, window_seconds=2, hop_seconds=1, n_mels=2)
    passing, _ = Pieces.of([long_window]).push(np.ones((5, 1)))
    with pytest.raises(ValueError, match="longest waveform has 5"):
        passing.check_end()


@pytest.mark.parametrize("step", [SequenceNormalizer(), GaussianNoise(1.0)])
def test_steps_that_cannot_be_applied_to_pieces_are_refused(step):
    with pytest.raises(
        ValueError, match=f"{type(step).__name__} (may )?needs? the whole"
    ):
        Pieces.of([LogMel(), step])
