"""What is judged by is a fair part of what there is, whatever the sizes of classes."""

import numpy as np
import pytest

from skseq._siamese.distances import DISTANCES
from skseq._siamese.judging import (
    MOST_JUDGED,
    all_scores,
    lack_of_fall,
    of_all_pairs,
    some_rows,
)


def kept_of(sizes):
    """The number of rows that are kept of each class."""
    ids = np.repeat(np.arange(len(sizes)), sizes)
    ids = np.random.default_rng(0).permutation(ids)
    kept = some_rows(np.arange(len(ids)), ids)
    assert (np.diff(kept) > 0).all()
    return np.bincount(ids[kept], minlength=len(sizes))


def test_one_large_class_gives_a_part_and_small_ones_all():
    assert kept_of((2, 1200, 2)).tolist() == [2, 996, 2]


@pytest.mark.parametrize(
    "sizes",
    [
        (600, 600),
        (5000, 1),
        (1, 5000),
        (300,) * 10,
        (7,) * 400,
        (1,) * 5000 + (2,),
        (2,) * 3000,
        (900, 90, 9, 1) * 2,
    ],
)
def test_about_a_thousand_rows_make_pairs_of_both_kinds(sizes):
    counts = kept_of(sizes)
    assert counts.sum() == MOST_JUDGED
    assert counts.max() >= 2
    assert np.count_nonzero(counts) >= 2
    assert kept_of(sizes).tolist() == counts.tolist()


def test_few_rows_are_all_kept():
    rows = np.arange(5, 1005)
    assert some_rows(rows, rows % 7).tolist() == rows.tolist()


def test_rare_pairs_alike_are_all_kept_among_many():
    assert kept_of((100_000, 3)).tolist() == [997, 3]


@pytest.mark.parametrize("distance", DISTANCES)
def test_scores_of_all_pairs_are_those_of_two_loops(distance):
    rows = DISTANCES[distance].rows(np.random.default_rng(0).normal(size=(7, 3)))
    known = DISTANCES[distance]
    pairs = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    wanted = [
        known.similarity_at_zero - known.between(rows[i], rows[j]) for i, j in pairs
    ]
    np.testing.assert_allclose(all_scores(rows, distance), wanted)
    ids = np.array([0, 1, 0, 2, 1, 1, 0])
    found = of_all_pairs(ids, np.equal, bool)
    assert found.tolist() == [bool(ids[i] == ids[j]) for i, j in pairs]


def test_a_loss_that_stays_at_chance_is_told_and_one_that_falls_is_not():
    assert "chance would reach 1.61" in lack_of_fall([1.7, 1.609, 1.61], np.log(5))
    assert lack_of_fall([1.7, 1.6, 1.4], np.log(5)) is None
    assert lack_of_fall([1.7, 1.7, 1.7], None) is None
