"""Hotwords beside phrases that are looked for at every place of an output."""

import doctest
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skseq._files.plain import pack, unpack
from skseq.language import Hotwords, _hotwords
from tests.language.sequences import weights_by_text


def n_occurrences(text, phrase, has_words, whole_words):
    """How often a phrase stands in a text, by looking at every place."""
    n = 0
    for start in range(len(text)):
        end = start + len(phrase)
        starts = not has_words or start == 0 or text[start - 1] == " "
        ends = not has_words or not whole_words or text[end : end + 1] in ("", " ")
        n += text[start:end] == phrase and starts and ends
    return n


def some_phrases(rng, letters):
    phrases = {}
    for _ in range(rng.integers(6)):
        phrase = "".join(rng.choice(list(letters), rng.integers(1, 6))).strip()
        if phrase:
            phrases[phrase] = float(rng.choice([1.0, 4.0, -2.0, 2.5]))
    return phrases


@pytest.mark.parametrize("whole_words", [True, False])
@pytest.mark.parametrize("classes", [" ab", "b a", "ab"])
@pytest.mark.parametrize("seed", range(40))
def test_an_output_gets_the_weight_of_each_occurrence_and_nothing_else(
    seed, classes, whole_words
):
    has_words = " " in classes
    phrases = some_phrases(np.random.default_rng(seed), classes)
    found = Hotwords(phrases, whole_words=whole_words)._automaton(list(classes))
    assert not found.is_hard
    for text, weight in weights_by_text(found, classes, 6).items():
        expected = sum(
            weight * n_occurrences(text, phrase, has_words, whole_words)
            for phrase, weight in phrases.items()
        )
        assert weight == pytest.approx(expected, abs=1e-9), (phrases, text)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("whole_words", [True, False])
def test_states_back_off_to_higher_numbers(seed, whole_words):
    phrases = some_phrases(np.random.default_rng(seed), "ab ")
    found = Hotwords(phrases, whole_words=whole_words)._automaton(" ab")
    backs = np.flatnonzero(found.backoff_states >= 0)
    assert (found.backoff_states[backs] > backs).all()


def on_the_way(hotwords, classes, text):
    """What each label of a text adds, and then its end."""
    found, state, added = hotwords._automaton(classes), 0, []
    for label in text:
        state, weight = found.step(state, classes.index(label))
        added.append(float(weight))
    return [*added, float(found.final[state])]


@pytest.mark.parametrize("separator", [" ", None])
def test_a_boost_is_spread_evenly_and_taken_back_where_the_phrase_fails(separator):
    hotwords = Hotwords({"abcd": 4.0}, separator=separator)
    assert on_the_way(hotwords, "abcd ", "abcd") == [1, 1, 1, 1, 0]
    assert on_the_way(hotwords, "abcd ", "abcc") == [1, 1, 1, -3, 0]
    assert on_the_way(hotwords, "abcd ", "abc") == [1, 1, 1, -3]


def test_a_whole_word_that_continues_loses_its_boost():
    assert on_the_way(Hotwords({"ab": 2.0}), "ab ", "aba") == [1, 1, -2, 0]
    inflected = Hotwords({"ab": 2.0}, whole_words=False)
    assert on_the_way(inflected, "ab ", "aba") == [1, 1, 0, 0]


def test_what_is_discouraged_pays_where_it_is_complete():
    assert on_the_way(Hotwords({"ab": -2.0}), "ab ", "ab ") == [0, 0, -2, 0]
    assert on_the_way(Hotwords({"ab": -2.0}), "ab ", "aba") == [0, 0, 0, 0]


def test_a_list_gives_each_phrase_the_same_weight_once():
    listed = Hotwords(["ab", "b", "ab"], weight=1.5)._automaton(" ab")
    mapped = Hotwords({"ab": 1.5, "b": 1.5})._automaton(" ab")
    assert weights_by_text(listed, " ab", 5) == weights_by_text(mapped, " ab", 5)


def test_no_phrases_change_nothing():
    for phrases in ([], {}):
        found = Hotwords(phrases)._automaton(" ab")
        assert not any(weights_by_text(found, " ab", 4).values())


def test_phrases_of_long_labels_are_lists_or_the_tuples_of_a_dict():
    classes = ["AY", "B", "HH", "SIL"]
    for phrases in ([["HH", "AY"]], {("HH", "AY"): 4.0}):
        found = Hotwords(phrases, separator="SIL")._automaton(classes)
        assert found.log_weight([1, 3, 2, 0]) == pytest.approx(4)
        assert found.log_weight([1, 2, 0]) == pytest.approx(0)


@pytest.mark.parametrize("whole_words", [True, False])
def test_many_phrases_are_found_in_a_long_text(whole_words):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abc"), rng.integers(1, 6))) for _ in range(4000)]
    phrases = {word: float(rng.normal()) for word in words[:300]}
    phrases |= {" ".join(words[i : i + 2]): float(rng.normal()) for i in range(300)}
    text = " ".join(words)
    found = Hotwords(phrases, whole_words=whole_words)._automaton("abc ")
    state, total = 0, 0.0
    for label in text:
        state, weight = found.step(state, "abc ".index(label))
        total += float(weight)
    starts = [0, *(i + 1 for i, label in enumerate(text) if label == " ")]
    expected = sum(
        phrases.get(text[start:end], 0)
        for start in starts
        for end in range(start + 1, min(start + 12, len(text) + 1))
        if not whole_words or text[end : end + 1] in ("", " ")
    )
    assert total + found.final[state] == pytest.approx(expected)


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({"phrases": "cat"}, "a list of phrases, or a dict"),
        ({"phrases": None}, "a list of phrases, or a dict"),
        ({"phrases": ["cat", ""]}, "A phrase of Hotwords is empty"),
        ({"phrases": [3]}, "a str or a list of labels. Got 3 as entry 0"),
        ({"phrases": {3: 1.0}}, "a str or a list of labels. Got 3 as entry 0"),
        ({"phrases": {"cat": NAN}}, "phrase 'cat' .* finite number. Got nan"),
        ({"phrases": {"cat": INFINITY}}, "phrase 'cat' .* finite number. Got inf"),
        ({"phrases": {"cat": "4"}}, "phrase 'cat' .* finite number. Got '4'"),
        ({"phrases": {"cat": True}}, "phrase 'cat' .* finite number. Got True"),
        ({"phrases": ["cat"], "weight": NAN}, "'weight' parameter .* Got nan"),
        ({"phrases": ["cat"], "weight": None}, "'weight' parameter .* Got None"),
        ({"phrases": [" cat"]}, "' cat' of Hotwords starts or ends with the separ"),
        ({"phrases": ["cat "]}, "'cat ' of Hotwords starts or ends with the separ"),
        ({"phrases": ["Cat"]}, "^1 phrase .* 'Cat' with 'C'. It could read 'cat'"),
        ({"phrases": ["cat"], "whole_words": 1}, "'whole_words' parameter"),
        ({"phrases": ["cat"], "separator": True}, "'separator' parameter"),
    ],
)
def test_bad_phrases_are_refused_in_a_sentence(params, answer):
    with pytest.raises(ValueError, match=answer):
        Hotwords(**params)._automaton(" act")


@pytest.mark.parametrize(
    "phrases",
    [["ab", "b"], [["a", "b"]], {"ab": 1, "b": -2.0}, {("a", "b"): 1.0, "b": 2.0}],
)
def test_hotwords_are_kept_as_passed_and_copied_by_every_usual_way(phrases):
    hotwords = Hotwords(phrases, weight=1.0, whole_words=False)
    assert hotwords.phrases is phrases
    copies = [clone(hotwords), pickle.loads(pickle.dumps(hotwords))]
    copies.append(Hotwords._of_plain(unpack(*pack(hotwords._plain(), "hotwords"))))
    expected = weights_by_text(hotwords._automaton("ab"), "ab", 3)
    for copy in copies:
        assert weights_by_text(copy._automaton("ab"), "ab", 3) == expected


def test_the_examples_of_the_docstring_give_what_they_show():
    found = doctest.testmod(_hotwords)
    assert found.attempted
    assert not found.failed
