"""Words are what stands between separators, and lie where their labels do."""

import doctest

import numpy as np
import pytest

from skseq import LabelSpan
from skseq._ctc import words
from skseq._ctc.words import word_spans
from tests.estimators import CTC, CTC_GRU_CONV, CTC_SINGLE
from tests.toy import as_text, symbol_runs


def some_spans(rng, alphabet):
    """Spans of random lengths, with gaps between some of them."""
    spans, start = [], 0
    for label in rng.choice(list(alphabet), rng.integers(0, 12)):
        start += rng.integers(0, 3)
        end = start + rng.integers(0, 3)
        spans.append(LabelSpan(str(label), start, end, float(rng.random())))
        start = end + 1
    return spans


@pytest.mark.parametrize("seed", range(30))
def test_words_are_those_of_the_text_from_first_to_last_frame(seed):
    spans = some_spans(np.random.default_rng(seed), "ab  ")
    found = word_spans(spans, "str")
    text = "".join(span.label for span in spans)
    assert [word.label for word in found] == text.split()
    covered = [
        [span for span in spans if word.start <= span.start <= span.end <= word.end]
        for word in found
    ]
    for word, own in zip(found, covered, strict=True):
        assert "".join(span.label for span in own) == word.label
        frames = [
            span.confidence for span in own for _ in range(span.start, span.end + 1)
        ]
        assert word.confidence == pytest.approx(np.mean(frames))
        assert (word.start, word.end) == (own[0].start, own[-1].end)


@pytest.mark.parametrize(
    ("form", "expected"),
    [("str", "ab"), ("list", ["a", "b"]), ("tuple", ("a", "b")), ("array", ["a", "b"])],
)
def test_a_word_has_the_form_of_y(form, expected):
    spans = [LabelSpan(label, i, i, 0.5) for i, label in enumerate(" ab ")]
    (word,) = word_spans(spans, form)
    assert word.label == expected
    assert (word.start, word.end) == (1, 2)


def test_numbers_are_one_word():
    spans = [LabelSpan(label, i, i, 0.5) for i, label in enumerate([32, 0, 1])]
    assert [word.label for word in word_spans(spans, "list")] == [[32, 0, 1]]


@pytest.mark.parametrize("labels", ["", " ", "   "])
def test_separators_alone_are_no_words(labels):
    spans = [LabelSpan(label, i, i, 0.5) for i, label in enumerate(labels)]
    assert word_spans(spans, "str") == []


def test_a_reader_says_when_words_were_said():
    X, symbols, _ = symbol_runs(12)
    texts = [text.replace("c", " ") for text in as_text(symbols)]
    reader = CTC.make(units=8, epochs=30, learning_rate=3e-2).fit(X, texts)
    for labels, found, text in zip(
        reader.align(X, texts), reader.align(X, texts, unit="word"), texts, strict=True
    ):
        assert [word.label for word in found] == text.split()
        assert found == word_spans(labels, "str")
        places = [i for i, letter in enumerate(text) if letter != " "]
        if places:
            assert found[0].start == labels[places[0]].start
            assert found[-1].end == labels[places[-1]].end


def test_lists_of_labels_without_separators_are_one_word():
    reader = CTC_GRU_CONV.fit()
    found = reader.align(CTC_GRU_CONV.X, CTC_GRU_CONV.y, unit="word")
    assert [[word.label for word in words] for words in found] == [
        [y] for y in CTC_GRU_CONV.y
    ]


def test_a_single_label_is_its_own_word():
    case = CTC_SINGLE
    reader = case.tiny().fit(case.X, case.y)
    words = reader.align(case.X, case.y, unit="word").tolist()
    assert words == reader.align(case.X, case.y).tolist()


@pytest.mark.parametrize("unit", ["sentence", None, 1, "Word"])
def test_another_unit_is_refused(unit):
    reader = CTC.tiny().fit(CTC.X, CTC.y)
    with pytest.raises(
        ValueError, match="'unit' parameter of align must be a str among"
    ):
        reader.align(CTC.X, CTC.y, unit=unit)


def test_the_example_runs():
    assert doctest.testmod(words).failed == 0
