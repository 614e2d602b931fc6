"""Automata over letters and labels beside the probabilities of whole sequences."""

from itertools import product

import numpy as np
import pytest

from skseq.language import NgramModel
from tests.language.test_arpa import SEQUENCES, SRILM

pytestmark = [
    pytest.mark.core,
    pytest.mark.filterwarnings("ignore:Kneser-Ney's discounts"),
]


def texts(seed, n, letters, most):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), rng.integers(most))) for _ in range(n)]


def weights(automaton, classes, sequences):
    ids = {label: i for i, label in enumerate(classes)}
    return [automaton.log_weight([ids[c] for c in text]) for text in sequences]


def all_texts(letters, most):
    return ["".join(t) for n in range(most + 1) for t in product(letters, repeat=n)]


@pytest.mark.parametrize("smoothing", ["kneser_ney", "witten_bell"])
@pytest.mark.parametrize(("order", "min_count"), [(1, 1), (2, 1), (3, 2), (4, 1)])
def test_weights_over_labels_are_the_probabilities(order, min_count, smoothing):
    model = NgramModel(order, smoothing=smoothing, min_count=min_count)
    model.fit(texts(0, 60, "aab", 7))
    sequences = [*all_texts("abcd", 4), *texts(1, 200, "aabc", 20)]
    automaton = model._automaton(list("dbca"))
    expected = model.score_samples(sequences)
    assert weights(automaton, "dbca", sequences) == pytest.approx(expected, abs=1e-9)
    assert not automaton.is_hard


@pytest.mark.parametrize("smoothing", ["kneser_ney", "witten_bell"])
@pytest.mark.parametrize(("order", "min_count"), [(1, 1), (2, 1), (3, 2), (4, 1)])
def test_weights_over_letters_are_the_probabilities(order, min_count, smoothing):
    model = NgramModel(order, "word", smoothing=smoothing, min_count=min_count)
    model.fit(texts(0, 80, "aab  ", 12))
    sequences = [*all_texts("ab c", 5), *texts(1, 200, "aab  ", 30)]
    automaton = model._automaton(list("c ba"))
    expected = model.score_samples(sequences)
    assert weights(automaton, "c ba", sequences) == pytest.approx(expected, abs=1e-9)
    assert not automaton.is_hard


@pytest.mark.parametrize(("unit", "classes"), [("label", "abc"), ("word", "abc ")])
def test_states_back_off_to_higher_numbers(unit, classes):
    model = NgramModel(3, unit).fit(texts(0, 80, classes, 12))
    automaton = model._automaton(list(classes))
    states = automaton.backoff_states
    assert ((states > np.arange(len(states))) | (states == -1)).all()
    assert (states >= 0).any()


def test_letters_that_end_a_sequence_end_its_last_word():
    model = NgramModel(2, "word", smoothing="witten_bell").fit(["ab a", "b ab"])
    automaton = model._automaton(list("ab"))  # without a separator: single words
    found = weights(automaton, "ab", ["ab", "a", "ba", ""])
    assert found == pytest.approx(model.score_samples(["ab", "a", "ba", ""]))


def test_separators_that_end_no_word_weigh_nothing():
    model = NgramModel(3, "word", smoothing="witten_bell").fit(["ab a", "b ab"])
    automaton = model._automaton(list("ab "))
    odd = ["  ab a", "ab  a", "ab a ", " ab   a  "]
    expected = [model.score_samples(["ab a"])[0]] * 4
    assert weights(automaton, "ab ", odd) == pytest.approx(expected)


def test_a_file_of_letters_with_odd_weights_is_compiled_as_it_is_scored(tmp_path):
    (tmp_path / "a.arpa").write_text(SRILM)
    model = NgramModel.read_arpa(tmp_path / "a.arpa")
    automaton = model._automaton(list("abcz"))
    expected = model.score_samples(SEQUENCES)
    assert weights(automaton, "abcz", SEQUENCES) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_unknown", [0, 1])
def test_a_file_of_words_is_hard_only_where_nothing_is_known_of_others(
    tmp_path, n_unknown
):
    text = SRILM
    if not n_unknown:
        text = text.replace("-0.9	<unk>\n", "").replace("ngram 1=6", "ngram 1=5")
    (tmp_path / "a.arpa").write_text(text)
    model = NgramModel.read_arpa(tmp_path / "a.arpa", unit="word")
    automaton = model._automaton(list("abcz "))
    sequences = [*all_texts("abc ", 5), "a z b", "a bb", "ac a", "z"]
    expected = model.score_samples(sequences)
    assert weights(automaton, "abcz ", sequences) == pytest.approx(expected, abs=1e-12)
    assert np.isneginf(expected).any() == (not n_unknown)
    assert automaton.is_hard == (not n_unknown)


def test_unseen_labels_share_what_the_file_says_of_unknown_ones(tmp_path):
    text = SRILM.replace("a b\t", "a <unk>\t").replace("-0.05	a b b\n", "")
    text = text.replace("ngram 3=2", "ngram 3=1")
    (tmp_path / "a.arpa").write_text(text)
    model = NgramModel.read_arpa(tmp_path / "a.arpa")
    sequences = ["ax", "ay", "axb", "xay", "aab"]
    found = weights(model._automaton(list("abcxy")), "abcxy", sequences)
    assert found == pytest.approx(model.score_samples(sequences), abs=1e-12)
    assert found[0] == found[1]


def test_labels_that_are_numbers_find_their_text_in_a_file(tmp_path):
    y = [[3, 1, 2], [1, 2]]
    model = NgramModel(2, smoothing="witten_bell").fit(y)
    model.write_arpa(tmp_path / "a.arpa")
    again = NgramModel.read_arpa(tmp_path / "a.arpa")
    for classes in ([1, 2, 3], list(np.array([1, 2, 3]))):
        one, two = model._automaton(classes), again._automaton(classes)
        assert one.log_weight([2, 0, 1]) == pytest.approx(two.log_weight([2, 0, 1]))
        assert one.log_weight([2, 0, 1]) == pytest.approx(model.score_samples(y)[0])


def test_labels_that_a_reader_does_not_know_are_named():
    model = NgramModel(2, smoothing="witten_bell").fit(["abcdefghijklmnop"])
    with pytest.raises(ValueError, match=r"no y had in fit: 'b', 'c'.* 'k' and 5 more"):
        model._automaton(["a"])


def test_words_that_cannot_be_spelled_are_left_out_but_not_all_of_them():
    model = NgramModel(2, "word", smoothing="witten_bell").fit(["ab a", "cab ab"])
    automaton = model._automaton(list("ab "))
    expected = model.score_samples(["ab a", "ab ab"])
    assert weights(automaton, "ab ", ["ab a", "ab ab"]) == pytest.approx(expected)
    with pytest.raises(ValueError, match="not a single word that the labels can spell"):
        model._automaton(list("AB "))


def test_words_need_labels_that_are_characters():
    model = NgramModel(2, "word", smoothing="witten_bell").fit(["ab a"])
    for classes in (["ab", " "], [1, 2]):
        with pytest.raises(ValueError, match="needs labels that are single characters"):
            model._automaton(classes)
