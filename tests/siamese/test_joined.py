"""Parts of one sequence come from frames of their own, whatever augmenters do."""

from itertools import pairwise

import numpy as np
import pytest

from skseq import SiameseSequenceEmbedder
from skseq._siamese.draws import Drawing
from skseq._siamese.joined import Joined, part_of
from skseq.augmentation import (
    Compose,
    Crop,
    Shift,
    Sometimes,
    TimeMask,
    TimeStretch,
)
from skseq.preprocessing import SequenceNormalizer
from tests.siamese.test_estimator import MORE

# The value of a frame tells where it was.
RAMPS = [np.arange(60.0)[:, np.newaxis], np.arange(83.0)[:, np.newaxis]]

STEPS = {
    "stretch": [TimeStretch(0.5, 2)],
    "shorter": [TimeStretch(0.3, 0.4)],
    "longer": [TimeStretch(3, 4)],
    "crop": [Crop(0.5)],
    "shift": [Shift(0.5)],
    "several": [Compose([Crop(0.7), TimeStretch(0.5, 2)])],
    "sometimes": [Sometimes(TimeStretch(0.5, 2), 0.5)],
    "before a transformer": [TimeStretch(0.5, 2), SequenceNormalizer()],
}


def sequences_of(steps):
    """Ramps under some steps, as fit draws them."""
    embedder = SiameseSequenceEmbedder(**MORE, preprocess=steps)
    return embedder._checked_frames(RAMPS, None, reset=True)


def parts_of(sequences, batch, seed):
    """The frames of each part of a batch, augmented on its own."""
    for k, row in enumerate(batch.rows):
        drawn = sequences.in_epoch(seed + k, 0, fits=lambda i, n: n > 0)
        read = drawn.read(row)
        yield row, part_of(drawn, row, read, lambda n, k=k: batch.bounds(k, n))


@pytest.mark.parametrize("name", STEPS)
def test_parts_of_a_ramp_never_overlap(name):
    sequences = sequences_of(STEPS[name])
    rng = np.random.default_rng(0)
    drawing = Drawing(2, 3, 30, (4, 9))
    lengths = np.array([60, 83])
    batches = drawing.of_classes(np.arange(2), lengths, 2, rng)
    n_changed = 0
    for seed, batch in enumerate(batches):
        found = {0: [], 1: []}
        for row, part in parts_of(sequences, batch, 10 * seed):
            assert 1 <= len(part) <= 9
            found[row].append((part.min(), part.max()))
            n_changed += not (np.diff(part[:, 0]) == 1).all()
        for spans in found.values():
            spans.sort()
            for (_, before), (after, _) in pairwise(spans):
                assert before < after
    assert n_changed or name == "crop"


def test_an_augmenter_that_keeps_frames_sees_whole_sequences():
    sequences = sequences_of([TimeMask(60)]).in_epoch(0, 0)
    whole = sequences.made(0, sequences.read(0))
    part = part_of(sequences, 0, sequences.read(0), lambda n: (10, 20))
    np.testing.assert_array_equal(part, whole[10:20])


def test_parts_of_joined_sequences_are_those_of_their_sides():
    first, second = sequences_of([TimeStretch(0.5, 2)]), sequences_of(None)
    drawn = Joined((first, second)).in_epoch(3, 0, fits=lambda i, n: True)
    bounds = lambda n: (n // 2, n)  # noqa: E731
    plain = part_of(drawn, 3, drawn.read(3), bounds)
    np.testing.assert_array_equal(plain, RAMPS[1][41:])
    moved = part_of(drawn, 1, drawn.read(1), bounds)
    assert moved.min() == 41
    assert moved.max() <= 82


def test_whole_sequences_keep_all_that_a_stretch_makes():
    sequences = sequences_of([TimeStretch(2, 2)]).in_epoch(0, 0)
    part = part_of(sequences, 0, sequences.read(0), lambda n: (0, n))
    assert len(part) == 120


def test_single_recordings_are_learnt_from_under_a_stretch():
    X = [np.random.default_rng(i).normal(size=(60, 3)) for i in range(6)]
    steps = [TimeStretch(0.5, 2)]
    embedder = SiameseSequenceEmbedder(**{**MORE, "epochs": 2}, preprocess=steps)
    embedder.fit(X, np.arange(6))
    assert np.isfinite(embedder.history_["loss"]).all()
