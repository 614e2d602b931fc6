"""Batches have the classes that were asked for, and parts that share no frame."""

import numpy as np
import pytest

from skseq._siamese.draws import Drawing, Rows

IDS = np.array([4, 0, 0, 2, 2, 2, 1, 3, 3, 0])
LENGTHS = np.array([40, 30, 31, 32, 33, 34, 41, 35, 36, 37])


def drawn(n_classes=3, n_samples=2, n_steps=20, crop="auto", seed=0, least=1):
    drawing = Drawing(n_classes, n_samples, n_steps, crop)
    return drawing.of_classes(IDS, LENGTHS, least, np.random.default_rng(seed))


def frames_of(batch):
    """The frames of each row: the sequence, and its places."""
    bounds = [batch.bounds(i, LENGTHS[row]) for i, row in enumerate(batch.rows)]
    return [
        {(int(row), frame) for frame in range(*ends)}
        for row, ends in zip(batch.rows, bounds, strict=True)
    ]


@pytest.mark.parametrize("n_samples", [2, 3])
@pytest.mark.parametrize("crop", ["auto", (5, 9)])
def test_a_batch_has_so_many_classes_and_so_many_rows_of_each(n_samples, crop):
    for batch in drawn(n_samples=n_samples, crop=crop):
        _, counts = np.unique(IDS[batch.rows], return_counts=True)
        assert counts.tolist() == [n_samples] * 3


def test_without_parts_a_class_gives_the_sequences_that_it_has():
    for batch in drawn(n_classes=5, n_samples=3, crop=None):
        assert len(set(batch.rows.tolist())) == len(batch.rows)
        assert np.bincount(IDS[batch.rows]).tolist() == [3, 1, 3, 2, 1]
        assert batch.sizes(LENGTHS[batch.rows]).tolist() == (
            LENGTHS[batch.rows].tolist()
        )


@pytest.mark.parametrize("crop", ["auto", (5, 9), (1, 1000)])
@pytest.mark.parametrize("n_samples", [2, 4])
def test_parts_of_one_sequence_share_no_frame(crop, n_samples):
    n_shared = 0
    for batch in drawn(n_samples=n_samples, crop=crop, n_steps=50):
        found = frames_of(batch)
        assert all(found)
        sizes = batch.sizes(LENGTHS[batch.rows]).tolist()
        assert list(map(len, found)) == sizes
        n_shared += sum(map(len, found)) - len(set().union(*found))
        rows, frames = zip(*set().union(*found), strict=True)
        assert all(0 <= f < LENGTHS[r] for r, f in zip(rows, frames, strict=True))
    assert n_shared == 0


def test_a_class_of_one_sequence_gives_parts_and_others_stay_whole():
    whole = LENGTHS.copy()
    for batch in drawn(n_classes=5):
        sizes = batch.sizes(LENGTHS[batch.rows])
        alone = np.isin(batch.rows, [0, 6])
        assert alone.sum() == 4
        assert (sizes[~alone] == whole[batch.rows][~alone]).all()
        assert (sizes[alone] <= whole[batch.rows][alone] // 2).all()


def test_all_places_of_a_sequence_are_drawn():
    seen = set()
    for seed in range(60):
        for batch in drawn(n_classes=5, crop=(5, 9), n_steps=2, seed=seed):
            seen |= {
                frame for own in frames_of(batch) for row, frame in own if row == 0
            }
    assert seen == set(range(40))


def test_bounds_of_parts_are_those_asked_for():
    sizes = {int(b.sizes(LENGTHS[b.rows]).max()) for b in drawn(crop=(5, 9))}
    assert sizes == set(range(5, 10))


@pytest.mark.parametrize(
    ("length", "bounds"), [(3000, (100, 200)), (600, (50, 100)), (60, (15, 30))]
)
def test_parts_are_a_fifteenth_at_most_if_that_is_long_and_half_of_what_is_short(
    length, bounds
):
    drawing, rng = Drawing(2, 2, 2000, "auto"), np.random.default_rng(0)
    batches = drawing.of_classes(np.arange(2), np.full(2, length), 1, rng)
    sizes = {int(b.sizes(np.full(len(b.rows), length)).max()) for b in batches}
    assert (min(sizes), max(sizes)) == bounds


def test_classes_come_equally_often():
    batches = drawn(n_steps=50)
    counts = sum(np.bincount(IDS[b.rows], minlength=5) for b in batches)
    assert counts.tolist() == [60] * 5


def test_a_part_leaves_as_many_frames_as_the_network_needs():
    for batch in drawn(n_classes=5, n_samples=4, crop=(1, 2), least=9):
        assert batch.sizes(LENGTHS[batch.rows]).min() >= 9


def test_the_generator_settles_everything():
    first, again, other = (Rows.joined(drawn(seed=seed)) for seed in (3, 3, 4))
    assert first.rows.tolist() == again.rows.tolist()
    assert first.shifts.tolist() == again.shifts.tolist()
    assert first.rows.tolist() != other.rows.tolist()


def test_a_batch_too_large_for_memory_is_several_of_fewer_classes(monkeypatch):
    monkeypatch.setattr("skseq._data.batching._MAX_TRAINING_FRAMES", 200)
    batches = drawn(n_classes=5, n_steps=3)
    assert len(batches) > 3
    for batch in batches:
        assert len(set(IDS[batch.rows])) >= 2


def test_an_epoch_draws_as_many_sequences_as_there_are_in_steps_of_its_own():
    drawing = Drawing("auto", 2, "auto", "auto")
    assert drawing.classes_per_batch(500) == 64
    assert drawing.classes_per_batch(5) == 5
    assert drawing.steps(10_000, 128) == 79
    assert drawing.steps(100, 128) == 24


@pytest.mark.parametrize("n_pairs", [3, 20])
def test_pairs_stay_together_and_come_in_turn(n_pairs):
    lengths = np.full(n_pairs, 9)
    drawing = Drawing(5, 2, 8, None)
    batches = drawing.of_pairs(lengths, 1, np.random.default_rng(0))
    for batch in batches:
        assert len(batch.rows) == 2 * min(5, n_pairs)
        assert (batch.rows[::2] == batch.rows[1::2]).all()
        assert (batch.n_parts == 1).all()
    counts = np.bincount(Rows.joined(batches).rows, minlength=n_pairs)
    assert np.ptp(counts) <= 2
