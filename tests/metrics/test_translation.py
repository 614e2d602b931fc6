import copy
import math
import pickle
import sys
from collections import Counter

import jiwer
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, cross_validate

from skseq.metrics import (
    bleu,
    bleu_scorer,
    chrf,
    chrf_scorer,
    label_error_rate,
    token_error_rate,
    token_error_rate_scorer,
    word_error_rate,
    word_error_rate_scorer,
)


@pytest.fixture
def sacrebleu():
    return pytest.importorskip("sacrebleu", reason="needs sacrebleu: skseq[text]")


@pytest.fixture
def corpora():
    """References and predictions that share many n-grams, of 0 to 14 words."""
    rng = np.random.default_rng(0)
    words = np.array(["the", "cat", "sat", "on", "a", "mat", "?"])
    references = [rng.choice(words, n).tolist() for n in rng.integers(0, 15, 40)]
    predictions = [
        [str(rng.choice(words)) if rng.random() < 0.15 else word for word in reference]
        for reference in references
    ]
    shortened = [tokens[: rng.integers(6, 16)] for tokens in predictions]
    return [
        [" ".join(tokens) for tokens in corpus] for corpus in (references, shortened)
    ]


def ngrams(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def bleu_by_definition(references, predictions):
    """Papineni's formula, for corpora where each order has a match."""
    matched, made = Counter(), Counter()
    for reference, prediction in zip(references, predictions, strict=True):
        for n in range(1, 5):
            found = ngrams(prediction.split(), n)
            matched[n] += (found & ngrams(reference.split(), n)).total()
            made[n] += found.total()
    mean = sum(math.log(matched[n] / made[n]) for n in range(1, 5)) / 4
    n_words = sum(len(reference.split()) for reference in references)
    return 100 * math.exp(mean + min(0, 1 - n_words / made[1]))


def chrf_by_definition(references, predictions):
    """Popović's formula over the characters that are not white space."""
    precisions, recalls = [], []
    for n in range(1, 7):
        matched = made = wanted = 0
        for pair in zip(references, predictions, strict=True):
            true, found = (ngrams("".join(text.split()), n) for text in pair)
            matched += (true & found).total()
            # sacrebleu counts no n-gram of a prediction whose reference is too short
            made += found.total() if true else 0
            wanted += true.total()
        precisions.append(matched / made)
        recalls.append(matched / wanted)
    precision, recall = sum(precisions) / 6, sum(recalls) / 6
    return 100 * 5 * precision * recall / (4 * precision + recall)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "tokenizer", "expected"),
    [
        (["the cat sat", "so it is"], ["the cat sat", "so is it"], "word", 2 / 6),
        (["the cat"], ["the  cat\n"], "word", 0.0),
        (["the cat"], ["thecat"], "word", 1.0),
        (["the cat"], ["thecat"], "char", 1 / 7),
        (["the cat"], ["the cat cat cat cat"], "word", 1.5),
        (["", "a"], ["b c", "a"], "word", 2.0),
        (["a-b-c"], ["a-c"], lambda text: text.split("-"), 1 / 3),
    ],
)
def test_token_error_rates_by_hand(y_true, y_pred, tokenizer, expected):
    rate = token_error_rate(y_true, y_pred, tokenizer=tokenizer)
    assert rate == pytest.approx(expected)


@pytest.mark.parametrize("tokenizer", ["word", "char"])
def test_sequences_of_tokens_are_not_cut_again(tokenizer):
    y_true = [["New York", "is"], ["big"]]
    y_pred = [("New York", "was"), np.array(["big"])]
    assert token_error_rate(y_true, y_pred, tokenizer=tokenizer) == pytest.approx(1 / 3)
    assert token_error_rate([[1, 2]], [[1, 3]], tokenizer=tokenizer) == 0.5


def test_a_text_equals_the_list_of_its_tokens():
    y_true = pd.Series(["the cat sat", "down"], index=[4, 2])
    assert token_error_rate(y_true, [["the", "cat", "sat"], ["down"]]) == 0.0


def test_the_token_error_rate_of_characters_is_the_label_error_rate(corpora):
    rate = token_error_rate(*corpora, tokenizer="char")
    assert rate == label_error_rate(*corpora)
    assert 0 < rate < token_error_rate(*corpora)


def random_texts(n_texts, n_most):
    """Texts of 0 to `n_most` of few words, with spaces between and around them."""
    rng = np.random.default_rng(0)
    words = [["a", "b", "the", "The", "cat.", "é", "x-y"][i] for i in range(7)]

    def text():
        chosen = rng.choice(words, rng.integers(n_most + 1))
        parts = [word + " " * rng.integers(1, 4) for word in chosen]
        return " " * rng.integers(3) + "".join(parts)

    return [text() for _ in range(n_texts)]


def test_word_error_rate_is_that_of_jiwer_on_each_of_a_thousand_pairs():
    texts = random_texts(2000, 6)
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    n_empty = Counter((not true.strip(), not pred.strip()) for true, pred in pairs)
    assert min(n_empty[kind] for kind in [(1, 0), (0, 1), (1, 1)]) > 5
    for y_true, y_pred in pairs:
        expected = pytest.approx(jiwer.wer(y_true, y_pred))
        assert word_error_rate([y_true], [y_pred]) == expected
        assert word_error_rate([y_true.split()], [y_pred.split()]) == expected


def test_word_error_rate_of_a_corpus_is_that_of_jiwer():
    texts = random_texts(2000, 6)
    y_true, y_pred = texts[::2], texts[1::2]
    expected = jiwer.wer(y_true, y_pred)
    assert 0.5 < expected < 1.5
    assert word_error_rate(y_true, y_pred) == pytest.approx(expected)
    assert word_error_rate(["", " "], ["a b", "c"]) == jiwer.wer(
        ["", " "], ["a b", "c"]
    )


def test_any_white_space_parts_words():
    y_true, y_pred = "a\tb\nc\u00a0d", "a b c x"
    any_space = jiwer.Compose(
        [
            jiwer.SubstituteRegexes({r"\s+": " "}),
            jiwer.ReduceToListOfListOfWords(),
        ]
    )
    expected = jiwer.wer(y_true, y_pred, any_space, any_space)
    assert word_error_rate([y_true], [y_pred]) == expected == 1 / 4


@pytest.mark.parametrize("measure", [token_error_rate, word_error_rate])
def test_a_weight_counts_a_text_that_often(measure):
    y_true, y_pred = ["a b c", "d e", "f"], ["a b d", "d e x y", "f"]
    repeated = [0, 0, 1, 1, 1, 2]
    expected = measure([y_true[i] for i in repeated], [y_pred[i] for i in repeated])
    weighted = measure(y_true, y_pred, sample_weight=[2, 3, 1])
    assert weighted == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        # The precisions 5/6, 4/5, 3/4 and 2/3 multiply to 1/3.
        ("the cat sat on the mat", "the cat sat on the rug", 100 * (1 / 3) ** (1 / 4)),
        # All n-grams are right, but 4 words stand for 6.
        ("the cat sat on the mat", "the cat sat on", 100 * math.exp(1 - 6 / 4)),
        # "the" counts only twice: 2/7, and the other precisions are smoothed.
        (
            "the cat is on the mat",
            "the the the the the the the",
            100 * (2 / 7 / (2 * 6) / (4 * 5) / (8 * 4)) ** (1 / 4),
        ),
        ("the cat sat", "the cat sat", 0.0),
        ("the cat sat on the mat", "", 0.0),
        ("", "", 0.0),
    ],
)
def test_bleu_by_hand(sacrebleu, y_true, y_pred, expected):
    assert bleu([y_true], [y_pred]) == pytest.approx(expected)


def test_bleu_follows_its_definition(sacrebleu, corpora):
    expected = bleu_by_definition(*corpora)
    assert 20 < expected < 90
    assert bleu(*corpora) == pytest.approx(expected)
    assert bleu(*corpora) != pytest.approx(bleu(*corpora[::-1]))


def test_bleu_cuts_texts_as_the_tokenizer_named_does(sacrebleu):
    y_true, y_pred = ["It sat on the mat."], ["It sat on the mat ."]
    assert bleu(y_true, y_pred) < 99
    assert bleu(y_true, y_pred, tokenize="13a") == pytest.approx(100)
    assert bleu(["abcd"], ["abcd"]) == 0.0
    assert bleu(["abcd"], ["abcd"], tokenize="char") == pytest.approx(100)


def test_bleu_of_tokenized_text_gives_no_warning(sacrebleu, caplog):
    texts = ["so it is ."] * 100
    assert bleu(texts, texts) == pytest.approx(100)
    assert not caplog.records


@pytest.mark.parametrize(
    ("y_true", "y_pred", "word_order", "expected"),
    [
        ("ab", "ac", 0, 100 * (1 / 2 + 0) / 2),
        ("ab", "ac", 1, 100 * (1 / 2 + 0 + 0) / 3),
        # Precision 1; recall is the mean of 2/3 and 1/2, 7/12, and counts twice.
        ("abc", "ab", 0, 100 * 5 * (7 / 12) / (4 + 7 / 12)),
        ("abc", "a bc", 0, 100.0),
        ("abc", "xyz", 0, 0.0),
        ("abc", "", 0, 0.0),
    ],
)
def test_chrf_by_hand(sacrebleu, y_true, y_pred, word_order, expected):
    score = chrf([y_true], [y_pred], word_order=word_order)
    assert score == pytest.approx(expected)


def test_chrf_follows_its_definition(sacrebleu, corpora):
    expected = chrf_by_definition(*corpora)
    assert 20 < expected < 95
    assert chrf(*corpora) == pytest.approx(expected)


CONTAINERS = {
    "texts": list,
    "array of texts": np.array,
    "object array": lambda texts: np.array(texts, dtype=object),
    "Series": lambda texts: pd.Series(texts, index=[7, 3]),
    "lists of tokens": lambda texts: [text.split() for text in texts],
    "arrays of tokens": lambda texts: [np.array(text.split()) for text in texts],
}


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("measure", [bleu, chrf])
def test_scores_are_the_same_for_texts_and_for_tokens(sacrebleu, measure, kind):
    y_true = ["the cat sat on the mat", "so it is then"]
    y_pred = ["the cat sat on a mat", "so it was then"]
    score = measure(y_true, CONTAINERS[kind](y_pred))
    assert type(score) is float
    assert score == measure(CONTAINERS[kind](y_true), y_pred) == measure(y_true, y_pred)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tokenizer": "bpe"}, ValueError, r"\{'word', 'char'\} or a cal.* Got 'bpe'"),
        ({"tokenizer": None}, ValueError, "'tokenizer' parameter of .* Got None"),
        ({"tokenizer": ["word"]}, ValueError, r"Got \['word'\] instead"),
        ({"tokenizer": str.upper}, TypeError, r"y_true\[0\] into 'A B' instead"),
        ({"tokenizer": lambda text: [1]}, TypeError, r"list of str.* into \[1\]"),
        ({"tokenizer": lambda text: None}, TypeError, "into None instead"),
        ({"sample_weight": [1, 2]}, ValueError, r"inconsistent .* \[1, 2\]"),
    ],
)
def test_token_error_rate_refuses_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        token_error_rate(["a b"], ["a c"], **options)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ("a b", ["a b"], TypeError, r"Got 'a b' instead\. Did you mean \[y_true\]\?"),
        (["a b"], None, TypeError, "y_pred must be a collection"),
        (["a", None], ["a", "b"], TypeError, r"y_true\[1\] must be"),
        (["a", "b"], ["a"], ValueError, r"inconsistent numbers of samples: \[2, 1\]"),
        ([], [], ValueError, "at least one sequence"),
    ],
)
@pytest.mark.parametrize("measure", [token_error_rate, word_error_rate, bleu, chrf])
def test_bad_texts_are_refused(measure, y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        measure(y_true, y_pred)


@pytest.mark.parametrize("measure", [bleu, chrf])
@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["the cat", "a cat"], r"y_true\[1\] .* Got the token 'the cat'.* one refer"),
        (["a", ""], r"y_true\[1\] must be a text, .* Got the token ''"),
        (["a", " "], "Got the token ' ' instead"),
    ],
)
def test_tokens_that_spaces_cannot_join_are_refused(measure, tokens, message):
    with pytest.raises(ValueError, match=message):
        measure(["a", tokens], ["a", "the cat"])


@pytest.mark.parametrize("tokenize", ["word", None, ["13a"]])
def test_bleu_refuses_an_unknown_tokenizer_with_the_known_ones(sacrebleu, tokenize):
    with pytest.raises(
        ValueError, match=r"'tokenize' parameter of bleu must .*'13a'.* Got "
    ):
        bleu(["a"], ["a"], tokenize=tokenize)


@pytest.mark.parametrize(
    ("word_order", "error"), [(-1, ValueError), (1.5, TypeError), ("2", TypeError)]
)
def test_chrf_refuses_a_bad_word_order(word_order, error):
    with pytest.raises(error, match="word_order"):
        chrf(["a"], ["a"], word_order=word_order)


@pytest.mark.parametrize("measure", [bleu, chrf])
def test_without_sacrebleu_the_error_says_what_to_install(measure, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ImportError, match=r'sacrebleu.*pip install "skseq\[text\]"'):
        measure(["a"], ["a"])


class Stutterer(BaseEstimator):
    """Predicts each text of X, with its last word `n_times` at the end."""

    def __init__(self, n_times=1):
        self.n_times = n_times

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return [" ".join([text] + text.split()[-1:] * (self.n_times - 1)) for text in X]


TEXTS = ["the cat sat down", "so it is then", "once more we go", "all is well now"]
SCORERS = {
    "token_error_rate": (token_error_rate_scorer, -4 / 16),
    "word_error_rate": (word_error_rate_scorer, -4 / 16),
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples and 1 of 2 quadruples are right.
    "bleu": (bleu_scorer, 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)),
}


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_score_an_estimator_that_predicts_texts(sacrebleu, name):
    scorer, expected = SCORERS[name]
    stutterer = Stutterer(n_times=2).fit(TEXTS, TEXTS)
    assert scorer(stutterer, TEXTS, TEXTS) == pytest.approx(expected)


@pytest.mark.parametrize(
    "scorer",
    [token_error_rate_scorer, word_error_rate_scorer, bleu_scorer, chrf_scorer],
)
def test_grid_search_by_a_scorer_finds_the_estimator_without_error(sacrebleu, scorer):
    grid = {"n_times": [3, 1, 2]}
    search = GridSearchCV(Stutterer(), grid, scoring=scorer, cv=2, error_score="raise")
    search.fit(TEXTS, TEXTS)
    assert search.best_params_ == {"n_times": 1}
    restored = pickle.loads(pickle.dumps(scorer))
    assert restored(search, TEXTS, TEXTS) == scorer(search, TEXTS, TEXTS)


def test_scorers_take_weights_through_metadata_routing():
    texts = ["a b", "c d", "e", "f"]
    scorer = copy.deepcopy(token_error_rate_scorer)
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            Stutterer(n_times=2),
            texts,
            texts,
            scoring=scorer.set_score_request(sample_weight=True),
            cv=2,
            params={"sample_weight": [1, 3, 0, 1]},
        )
    np.testing.assert_allclose(result["test_score"], [-4 / 8, -1.0])
