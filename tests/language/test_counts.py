"""Counts of n-grams beside Counter, also where numbers do not fit one integer."""

from collections import Counter

import numpy as np
import pytest

from skseq.language import _counts
from skseq.language._counts import Counts, Groups, Numbers, Stream, row_keys
from skseq.language._trie import END, START


def counted(sequences, order):
    """N-grams that end in each unit and each end, after as many starts as needed."""
    found = Counter()
    for sequence in sequences:
        units = [START] * (order - 1) + list(sequence) + [END]
        for end in range(order, len(units) + 1):
            found[tuple(units[end - order : end])] += 1
    return sorted(found.items())


@pytest.mark.parametrize("order", [1, 2, 4, 9])
def test_ngrams_are_those_of_plain_windows_however_the_text_is_cut(order):
    rng = np.random.default_rng(0)
    sequences = [rng.integers(5, size=n).tolist() for n in (3, 0, 7, 1, 0, 12, 5)]
    numbers, counts = Numbers(), Counts.nothing(order)
    for part in (sequences[:1], sequences[1:3], [], sequences[3:]):
        counts = counts.add(Stream.of(part, numbers))
    numbered = [[numbers[unit] for unit in sequence] for sequence in sequences]
    rows = list(map(tuple, counts.rows.tolist()))
    found = list(zip(rows, counts.counts.tolist(), strict=True))
    assert found == counted(numbered, order)


def test_units_are_numbered_as_they_come_and_unknown_ones_are_zero():
    numbers = Numbers()
    assert Stream.of(["ba", "", "ab"], numbers).numbers.tolist() == [
        *(1, 3, 4, 2),
        *(1, 2),
        *(1, 4, 3, 2),
    ]
    assert Stream.of(["ca"], dict(numbers)).numbers.tolist() == [1, 0, 4, 2]


def test_sums_over_sequences_leave_the_starts_out():
    stream = Stream.of(["ab", ""], Numbers())
    assert stream.sums(np.arange(6.0)).tolist() == [1 + 2 + 3, 5]
    assert Stream.of([], Numbers()).sums(np.zeros(0)).tolist() == []


def test_rows_of_large_numbers_are_grouped_as_small_ones_are():
    rng = np.random.default_rng(0)
    small = rng.integers(3, size=(500, 6))
    large = (small * (2**30 - 1)).astype(np.int32)
    assert int(large.max()) ** 3 > 2**63  # three of them do not fit one integer
    for rows in (small, large):
        groups = Groups(rows)
        distinct, counts = np.unique(rows, axis=0, return_counts=True)
        assert (rows[groups.firsts] == distinct).all()
        assert (groups.sizes() == counts).all()
        assert (groups.sums(np.ones(500, int)) == counts).all()
    assert (np.argsort(row_keys(large)) == np.argsort(row_keys(small))).all()


def test_blocks_hold_all_sequences_in_their_order():
    sequences = ["abc", "", "de", "f"] * 5
    found = list(_counts.blocks(sequences, most=6))
    assert len(found) > 3
    assert [item for block in found for item in block] == sequences
