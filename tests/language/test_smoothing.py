"""Smoothed probabilities beside the formulas over dicts, and beside KenLM's."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from skseq.language import NgramModel
from skseq.language._trie import END, N_SPECIAL, START, UNKNOWN
from tests.language import oracle
from tests.language.texts import zipf_sentences

SENTENCES = [s.split() for s in zipf_sentences(3, 300, n_words=60)]
OTHERS = [s.split() for s in zipf_sentences(4, 100, n_words=60, share_unseen=0.1)]

ignores_lacking = pytest.mark.filterwarnings("ignore:Kneser-Ney's discounts")


@pytest.mark.core
@ignores_lacking
@pytest.mark.parametrize("smoothing", ["kneser_ney", "witten_bell"])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_are_those_of_the_formulas(order, smoothing):
    brute = oracle.Brute(SENTENCES, order, smoothing)
    model = NgramModel(order, smoothing=smoothing).fit(SENTENCES)
    found = model.score_samples(OTHERS)
    assert found == pytest.approx([brute.log_prob(s) for s in OTHERS], abs=1e-9)


@pytest.mark.core
@pytest.mark.parametrize(
    ("column", "order", "min_count"), [(0, 3, 1), (1, 5, 2)], ids=["whole", "pruned"]
)
def test_probabilities_are_those_of_kenlm(column, order, min_count):
    expected = np.loadtxt(Path(__file__).with_name("kenlm.txt"))[:, column]
    model = NgramModel(order, unit="word", min_count=min_count)
    model.fit(zipf_sentences(0, 6000))
    found = model.score_samples(zipf_sentences(1, 1000, share_unseen=0.02))
    assert np.abs(found / np.log(10) - expected).max() < 1e-4


@ignores_lacking
@pytest.mark.parametrize("smoothing", ["kneser_ney", "witten_bell"])
@pytest.mark.parametrize("min_count", [1, 2, 3])
@pytest.mark.parametrize("order", [1, 3])
def test_probabilities_add_up_to_one_after_every_history(order, min_count, smoothing):
    y = [s.split() for s in zipf_sentences(5, 60, n_words=8)]
    model = NgramModel(order, smoothing=smoothing, min_count=min_count).fit(y)
    trie = model._learnt.trie
    units = [UNKNOWN, *range(N_SPECIAL, trie.n_units)]
    histories = [[START], *([START, u] for u in units), *product(units, repeat=2)]
    for history in histories:
        probs = 10.0 ** trie.distribution(history)
        assert probs.sum() == pytest.approx(1, abs=1e-12)
        assert probs[START] == 0
        assert np.delete(probs, START).min() > 0


def test_a_distribution_is_what_sequences_are_scored_by():
    model = NgramModel(3, smoothing="witten_bell").fit(SENTENCES)
    trie, total, units = model._learnt.trie, 0.0, [START]
    for label in OTHERS[0]:
        unit = model._learnt.numbers.get(label, UNKNOWN)
        total += trie.distribution(units)[unit]
        units.append(unit)
    total += trie.distribution(units)[END]
    assert model.score_samples(OTHERS[:1])[0] == pytest.approx(total * np.log(10))


def test_orders_without_discounts_are_named_and_smoothed_by_witten_bell():
    y = ["0123456789" * 4] * 3
    with pytest.warns(UserWarning, match=r"for 2-grams, which .*Witten-Bell") as all_:
        one = NgramModel(2).fit(y)
    assert all_[0].filename == __file__
    brute = oracle.Brute(y, 2, "kneser_ney")
    assert one.score_samples(["0123", ""]) == pytest.approx(
        [brute.log_prob("0123"), brute.log_prob("")]
    )


def test_rare_ngrams_are_left_out_but_not_single_units():
    y = ["ab", "ab", "ac"]
    model = NgramModel(2, smoothing="witten_bell", min_count=2).fit(y)
    # <unk> <s> a b </s> c; then "<s> a", "a b" and "b </s>", each twice or more.
    assert model.n_ngrams_ == (6, 3)
