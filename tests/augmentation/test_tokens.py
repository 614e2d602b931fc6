"""Augmenters of tokens drop and swap as often as they say."""

import re

import numpy as np
import pytest

from skseq.augmentation import Swap, TokenDropout
from tests.augmentation.augmenters import rng

FORMS = ["abcdef", list("abcdef"), tuple("abcdef"), np.array(list("abcdef"))]


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(token in rest for token in part)


@pytest.mark.parametrize("sequence", FORMS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("augment", [TokenDropout(0.4), Swap(0.4)])
def test_tokens_come_back_in_the_form_in_which_they_came(augment, sequence):
    before = list(sequence)
    for seed in range(20):
        changed = augment(sequence, rng(seed))
        assert type(changed) is type(sequence)
        assert set(changed) <= set("abcdef")
        assert list(sequence) == before


@pytest.mark.parametrize("dtype", [np.int16, np.float32, object])
def test_arrays_keep_their_type(dtype):
    tokens = np.arange(9).astype(dtype)
    for augment in (TokenDropout(0.5), TokenDropout(0.5, replacement=7), Swap(0.5)):
        changed = augment(tokens, rng())
        assert changed.dtype == dtype
        assert {*changed.tolist()} <= set(range(9))


def test_tokens_are_dropped_with_the_probability_asked_for_in_their_order():
    tokens = list(range(4000))
    kept = TokenDropout(0.2)(tokens, rng())
    assert len(kept) == pytest.approx(3200, abs=110)
    assert is_subsequence(kept, tokens)
    replaced = TokenDropout(0.2, replacement=-1)(tokens, rng())
    assert [token for token in replaced if token != -1] == kept
    assert len(replaced) == 4000


def test_one_token_is_left_and_each_may_be_it():
    left = {TokenDropout(0.999)("abc", rng(seed)) for seed in range(60)}
    assert left == {"a", "b", "c"}
    assert TokenDropout(0.999)(["a"], rng()) == ["a"]


def test_a_longer_replacement_is_not_cut_off():
    tokens = np.array(["a", "b", "c", "d"])
    assert "<unknown>" in TokenDropout(0.7, replacement="<unknown>")(tokens, rng())


@pytest.mark.parametrize(
    ("sequence", "replacement"),
    [("abc", 0), ("abc", "<unk>"), (np.arange(3), "_"), (FORMS[3], 1.5)],
)
def test_a_replacement_that_the_sequence_cannot_hold_is_refused(sequence, replacement):
    with pytest.raises(ValueError, match=re.escape(f"Got {replacement!r} for")):
        TokenDropout(0.5, replacement=replacement)(sequence, rng())


def test_swaps_move_no_token_by_more_than_one_place_and_lose_none():
    places = np.array(Swap(0.3)(list(range(4000)), rng()))
    assert sorted(places) == list(range(4000))
    assert np.abs(places - np.arange(4000)).max() == 1
    # Of n tokens, p n / (1 + p) are swapped with the next.
    n_swaps = np.sum(places > np.arange(4000))
    assert n_swaps == pytest.approx(4000 * 0.3 / 1.3, abs=110)


def test_certain_swaps_exchange_pairs():
    assert Swap(1)("abcde", rng()) == "badce"
    assert Swap(0)("abcde", rng()) == "abcde"


@pytest.mark.parametrize("augment", [TokenDropout(0.5), Swap(0.5)])
def test_an_empty_sequence_stays_and_other_objects_are_refused(augment):
    assert augment("", rng()) == ""
    assert augment([], rng()) == []
    for other, kind in [(3, "int"), (np.zeros((2, 2)), "ndarray"), ({1}, "set")]:
        with pytest.raises(ValueError, match=f"1-D array of tokens. Got {kind} inst"):
            augment(other, rng())
