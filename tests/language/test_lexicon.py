"""Lexicons beside outputs that are cut into words and looked up."""

import doctest
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skseq._files.plain import pack, unpack
from skseq.language import Lexicon, _lexicon
from tests.language.sequences import weights_by_text

LETTERS = " abcdefghijklmnopqrstuvwxyzä"
PENALTY = -2.5


def n_unknown(text, words, separator):
    """The words of an output that no lexicon has."""
    if text == "":
        return 0 if "" in words else 1
    found = [text] if separator is None else text.split(separator)
    return sum(word not in words or word == "" for word in found)


def some_words(rng, letters="ab", most=5):
    shortest = rng.integers(2)
    sizes = rng.integers(shortest, 4, size=rng.integers(1, most))
    words = ["".join(rng.choice(list(letters), size)) for size in sizes]
    return words if any(words) else [*words, "ab"]


@pytest.mark.parametrize("classes", [" ab", "ab ", "ab"])
@pytest.mark.parametrize("seed", range(25))
def test_an_output_is_made_of_words_or_pays_once_for_each_other_word(seed, classes):
    words = some_words(np.random.default_rng(seed))
    separator = " " if " " in classes else None
    strict = Lexicon(words)._automaton(list(classes))
    lenient = Lexicon(words, unknown="penalize", penalty=PENALTY)._automaton(classes)
    paid = weights_by_text(lenient, classes, 6)
    for text, weight in weights_by_text(strict, classes, 6).items():
        n = n_unknown(text, words, separator)
        assert weight == (-np.inf if n else 0), (words, text)
        assert paid[text] == pytest.approx(PENALTY * n), (words, text)
    assert strict.is_hard
    assert not lenient.is_hard


def test_each_entry_is_a_whole_output_without_a_separator():
    words = ["ab a", "b", "b  b"]
    found = Lexicon(words, separator=None)._automaton(" ab")
    weights = weights_by_text(found, " ab", 5)
    assert {text for text, weight in weights.items() if weight == 0} == {*words}


def test_a_price_of_nothing_allows_everything_for_nothing():
    found = Lexicon(["ab"], unknown="penalize", penalty=0)._automaton(" ab")
    assert not any(weights_by_text(found, " ab", 5).values())


def test_the_penalty_is_charged_as_soon_as_no_word_is_left():
    found = Lexicon(["abab"], unknown="penalize", penalty=PENALTY)._automaton("ab")
    totals, state = [], 0
    for label in [0, 1, 1, 0]:
        state, weight = found.step(state, label)
        totals.append(float(weight))
    assert totals == [0, 0, PENALTY, 0]
    assert found.final[state] == 0


def test_words_share_their_beginnings_in_a_tree():
    words = ["ab", "abc", "abd", "b", "abc"]
    beginnings = {word[:n] for word in words for n in range(len(word) + 1)}
    found = Lexicon(words)._automaton("abcd")
    assert found.n_states == len(beginnings)
    assert len(found.labels) == len(beginnings) - 1


def test_a_large_lexicon_allows_each_of_its_words_and_no_other():
    rng = np.random.default_rng(0)
    words = {"".join(rng.choice(list("abcd"), 8)) for _ in range(3000)}
    found = Lexicon(words)._automaton("abcd")
    ids = {"abcd"[i]: i for i in range(4)}
    for word in words:
        state = 0
        for letter in word:
            state = found.step(state, ids[letter])[0]
        assert found.final[state] == 0
    assert (found.final == 0).sum() == len(words)


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (["12", "2"], range(3)),
        ([[1, 2], [2]], np.arange(3)),
        (np.array([[1, 2], [2, 2]]), np.arange(3)),
        ((np.array([1, 2]), (2,)), [0, 1, 2]),
        ({"12", "2"}, np.array(["0", "1", "2"])),
    ],
)
def test_labels_that_are_numbers_are_written_as_text_or_in_lists(words, classes):
    found = Lexicon(words)._automaton(classes)
    assert found.log_weight([1, 2]) == 0
    assert found.log_weight([1]) == -np.inf
    assert found.log_weight([2, 1]) == -np.inf


def test_words_of_long_labels_are_lists_with_any_label_between_them():
    classes = ["AY", "B", "HH", "SIL"]
    lexicon = Lexicon([["HH", "AY"], ["B", "AY"], "B"], separator="SIL")
    found = lexicon._automaton(classes)
    assert found.log_weight([2, 0, 3, 1, 0, 3, 1]) == 0
    assert found.log_weight([2, 0, 1, 0]) == -np.inf
    assert found.log_weight([2, 0, 3]) == -np.inf


def test_a_label_between_words_may_be_a_number():
    found = Lexicon([[1, 2]], separator=0)._automaton(range(3))
    assert found.log_weight([1, 2, 0, 1, 2]) == 0
    assert found.log_weight([1, 2, 1, 2]) == -np.inf


def test_a_lenient_lexicon_leaves_out_what_cannot_be_written():
    lexicon = Lexicon(["né", "ne", ["x", 3]], unknown="penalize", penalty=PENALTY)
    found = weights_by_text(lexicon._automaton("en"), "en", 3)
    assert {text for text, weight in found.items() if weight == 0} == {"ne"}


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({"words": []}, "non-empty list of words"),
        ({"words": "cat"}, "non-empty list of words.* Got 'cat' instead"),
        ({"words": (word for word in ["cat"])}, "non-empty list of words.*generator"),
        ({"words": {"cat": 3}}, "non-empty list of words"),
        ({"words": [""]}, "must have a word that is not empty"),
        ({"words": ["é"], "unknown": "penalize"}, "labels of the reader can write"),
        ({"words": ["cat", 5]}, "a str or a list of labels. Got 5 as entry 1"),
        ({"words": ["cat", float("nan")]}, "Got nan as entry 1"),
        ({"words": [["c", ["a"]]]}, "a list of labels. Got"),
        ({"words": ["cat", "naïve"]}, "^1 word of .* 'naïve' with 'ï'"),
        (
            {"words": ["é1", "é2", "cat", "é3", "é4", "é5"]},
            "^5 words .* 'é1' with 'é', 'é2' with 'é', 'é3' with 'é' and 2 others.*"
            "unknown='penalize'",
        ),
        ({"words": ["Cat"]}, "'Cat' with 'C'. It could read 'cat'"),
        ({"words": ["ka\u0308se"]}, r"with '\\u0308'. It could read 'käse'"),
        ({"words": ["cat\n"]}, "It could read 'cat'"),
        ({"words": [" cat"]}, "word ' cat' of Lexicon has the separator ' '. Strip"),
        ({"words": ["new york"]}, "separator=None if each entry is a whole output"),
        ({"words": [["a", "sh"]]}, r"\['a', 'sh'\] with 'sh'"),
        ({"words": ["cat"], "unknown": "ignore"}, "'unknown' parameter of Lexicon"),
        ({"words": ["cat"], "penalty": 1.0}, r"'penalty' .* \[-1000000.0, 0.0\]"),
        ({"words": ["cat"], "penalty": float("nan")}, "'penalty' .* Got nan"),
        ({"words": ["cat"], "penalty": -float("inf")}, "'penalty' .* Got -inf"),
        ({"words": ["cat"], "separator": ""}, "'separator' parameter of Lexicon"),
    ],
)
def test_bad_words_are_refused_in_a_sentence(params, answer):
    with pytest.raises(ValueError, match=answer):
        Lexicon(**params)._automaton(LETTERS)


def test_a_str_of_long_labels_is_told_to_be_a_list():
    with pytest.raises(ValueError, match="Write labels of several characters as a"):
        Lexicon(["ash"])._automaton(["a", "sh"])


@pytest.mark.parametrize("words", [["ab", "a"], [["a", "b"]], {"ab"}, np.array(["b"])])
def test_a_lexicon_is_kept_as_passed_and_copied_by_every_usual_way(words):
    lexicon = Lexicon(words, unknown="penalize", penalty=-1.0)
    assert lexicon.words is words
    plain = lexicon._plain()
    copies = [clone(lexicon), pickle.loads(pickle.dumps(lexicon))]
    copies.append(Lexicon(**unpack(*pack(plain, "lexicon"))))
    expected = weights_by_text(lexicon._automaton("ab"), "ab", 3)
    for copy in copies:
        assert weights_by_text(copy._automaton("ab"), "ab", 3) == expected


def test_the_examples_of_the_docstring_give_what_they_show():
    found = doctest.testmod(_lexicon)
    assert found.attempted
    assert not found.failed
