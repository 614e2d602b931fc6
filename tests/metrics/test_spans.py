"""Spans are read as patterns match them, and scored as seqeval scores them.

The expected numbers are those of seqeval 1.2.2, mode="strict" with its schemes IOB2 and
IOBES, for the tags that `drawn` makes.
"""

import itertools
import pickle
import re
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV

from skseq.metrics import TagSpan, span_f1_score, span_f1_score_scorer, spans

TYPES = ("PER", "LOC", "ORG")
PREFIXES = {"BIO": "BI", "IOBES": "BIES"}


def tags_of_a_span(rng, prefixes):
    kind, n = TYPES[rng.integers(3)], int(rng.integers(1, 5))
    if prefixes == "BI":
        return [f"B-{kind}", *[f"I-{kind}"] * (n - 1)]
    inner = [f"B-{kind}", *[f"I-{kind}"] * (n - 2), f"E-{kind}"]
    return inner if n > 1 else [f"S-{kind}"]


def drawn(seed, prefixes):
    """True tags of one to three sequences, and predictions with mistakes."""
    rng = np.random.default_rng(seed)
    tags = ["O", *(f"{p}-{kind}" for p in prefixes for kind in TYPES)]
    y_true, y_pred = [], []
    for n_parts in rng.integers(1, 9, size=rng.integers(1, 4)):
        true = []
        for _ in range(n_parts):
            true += tags_of_a_span(rng, prefixes) if rng.random() < 0.5 else ["O"]
        is_wrong = rng.random(len(true)) < 0.2
        others = rng.integers(len(tags), size=len(true))
        pred = [
            tags[i] if w else t for t, w, i in zip(true, is_wrong, others, strict=True)
        ]
        flipped = rng.random() < 0.1  # a truth that does not follow the scheme
        y_true.append(pred if flipped else true)
        y_pred.append(true if flipped else pred)
    return y_true, y_pred


# Weighted sums of the scores of ten times 100 pairs of collections.
EXPECTED = {
    ("BIO", "micro"): [
        29.585165834,
        28.876073245,
        28.059625154,
        26.989681654,
        30.162108501,
        26.718542827,
        26.895723827,
        28.551877072,
        30.38064761,
        29.102122026,
    ],
    ("BIO", "macro"): [
        27.399369042,
        26.658621488,
        26.448059156,
        25.398984533,
        28.152039228,
        25.177117609,
        26.104722796,
        26.312252037,
        29.367310285,
        26.782610821,
    ],
    ("BIO", "weighted"): [
        30.415861029,
        29.340912653,
        28.333900857,
        27.084265608,
        31.05195756,
        27.319038941,
        27.660133584,
        29.25513167,
        30.753124243,
        29.036747754,
    ],
    ("IOBES", "micro"): [
        34.304039785,
        31.810411427,
        32.679927896,
        30.804647925,
        31.301978102,
        28.719204812,
        29.828603906,
        31.993637095,
        33.997052183,
        30.632651143,
    ],
    ("IOBES", "macro"): [
        32.095505267,
        28.814835654,
        30.038645939,
        28.982587383,
        29.084832719,
        25.604896131,
        27.863875967,
        29.351936927,
        31.616917659,
        27.85352777,
    ],
    ("IOBES", "weighted"): [
        34.025967613,
        31.17235183,
        31.926430864,
        30.043479854,
        30.815385019,
        28.49873801,
        29.093719734,
        31.696096702,
        32.216624345,
        30.110630255,
    ],
}


@pytest.mark.parametrize(("scheme", "average"), EXPECTED)
def test_scores_of_a_thousand_pairs_are_those_of_seqeval(scheme, average):
    prefixes = PREFIXES[scheme]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        scores = [
            span_f1_score(*drawn(seed, prefixes), scheme=scheme, average=average)
            for seed in range(1000)
        ]
    weights = np.random.default_rng(0).random((10, 100))
    sums = (np.reshape(scores, (10, 100)) * weights).sum(axis=1)
    np.testing.assert_allclose(sums, EXPECTED[scheme, average], atol=1e-8)


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (
            "BIO",
            [
                {"LOC": 0.8, "ORG": 0.0, "PER": 1.0},
                {"LOC": 0.6666666666666666, "ORG": 0.4, "PER": 0.0},
                {"LOC": 0.6666666666666666, "PER": 0.5},
            ],
        ),
        (
            "IOBES",
            [
                {"LOC": 1.0, "ORG": 0.0, "PER": 1.0},
                {"LOC": 0.6666666666666666, "ORG": 0.6666666666666666, "PER": 0.0},
                {"LOC": 0.6666666666666666, "PER": 1.0},
            ],
        ),
    ],
)
def test_scores_of_each_type_are_those_of_seqeval(scheme, expected):
    for seed, by_type in enumerate(expected):
        pair = drawn(seed, PREFIXES[scheme])
        found = span_f1_score(*pair, scheme=scheme, average=None)
        assert found == pytest.approx(by_type)
        assert list(found) == sorted(found)


PATTERNS = {
    "BIO": r"B-(\w)( I-\1)*(?= )",
    "IOBES": r"S-(\w) |B-(\w)( I-\2)* E-\2(?= )",
}


@pytest.mark.parametrize("scheme", PATTERNS)
def test_spans_are_what_a_pattern_finds_in_every_short_sequence(scheme):
    tags = ["O", *(f"{prefix}-{kind}" for prefix in PREFIXES[scheme] for kind in "xy")]
    sequences = itertools.product(tags, repeat=4)
    for sequence in sequences:
        text = " ".join([*sequence, ""])
        expected = [
            TagSpan(
                (match[1] or match[2]),
                text[: match.start()].count(" "),
                text[: match.start()].count(" ") + match[0].strip().count(" "),
            )
            for match in re.finditer(PATTERNS[scheme], text)
        ]
        assert spans(sequence, scheme) == expected


def test_spans_of_tokens_are_cut_out_by_their_ends():
    tokens = ["Ada", "Lovelace", "saw", "London"]
    found = spans(["B-PER", "I-PER", "O", "B-LOC"])
    cut = {span.type: tokens[span.start : span.end + 1] for span in found}
    assert cut == {"PER": ["Ada", "Lovelace"], "LOC": ["London"]}
    assert all(type(place) is int for _, *places in found for place in places)


@pytest.mark.parametrize("form", [list, tuple, np.array])
def test_tags_may_be_any_sequence_of_strings(form):
    assert spans(form(["O", "B-a", "I-a"])) == [TagSpan("a", 1, 2)]


def test_mere_prefixes_make_spans_of_one_type():
    expected = [TagSpan("", 0, 2), TagSpan("", 4, 4)]
    assert spans("BIIOB") == spans(list("BIIOB")) == expected
    assert spans("BIEOS", "IOBES") == expected
    assert span_f1_score(["BIIOB"], ["BIIBI"]) == 0.5


def test_a_type_may_hold_a_dash():
    assert spans(["B-I-B", "I-I-B"]) == [TagSpan("I-B", 0, 1)]


def test_without_tags_there_are_no_spans():
    assert spans([]) == []
    assert spans(np.array([], dtype=str)) == []


def test_weights_are_repetitions():
    y_true, y_pred = drawn(5, "BI")
    assert len(y_true) > 1
    weights = [3, *[1] * (len(y_true) - 2), 0]
    repeated = [[y[0]] * 2 + y[:-1] for y in (y_true, y_pred)]
    for average in ("micro", "macro", "weighted", None):
        found = span_f1_score(y_true, y_pred, average=average, sample_weight=weights)
        assert found == pytest.approx(span_f1_score(*repeated, average=average))


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_the_score_without_spans_is_chosen(average):
    y = [["O", "O"], ["O", "I-a"]]
    with pytest.warns(UndefinedMetricWarning, match="zero_division") as record:
        assert span_f1_score(y, y, average=average) == 0.0
    assert record[0].filename == __file__
    for score in 0, 1, 0.5:
        assert span_f1_score(y, y, average=average, zero_division=score) == score


def test_without_spans_no_type_has_a_score():
    assert span_f1_score([["O"]], [["O"]], average=None) == {}


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_spans_on_one_side_alone_score_zero(average):
    one, other = [["B-a", "O"]], [["O", "O"]]
    for pair in (one, other), (other, one):
        assert span_f1_score(*pair, average=average, zero_division=1) == 0.0


@pytest.mark.parametrize(
    ("tags", "scheme", "message"),
    [
        (["O", "S-a"], "BIO", r"tags\[1\] is 'S-a'\. Did you mean scheme=\"IOBES\"\?"),
        (["U-a"], "IOBES", r'tags\[0\] is \'U-a\'\. BILOU writes .* "U-…" for "S-…"'),
        (["PER"], "BIO", r'a tag must be "O" or one of "B-…", "I-…"\. tags\[0\] is'),
        (["O-a"], "BIO", r"tags\[0\] is 'O-a'"),
        (["B-"], "BIO", r"tags\[0\] is 'B-'"),
        (["b-a"], "BIO", r"tags\[0\] is 'b-a'"),
        ([""], "BIO", r"tags\[0\] is ''"),
        ("B-PER", "BIO", "tags is the str 'B-PER', each of .* Pass a list of tags"),
        (["O"], "IOB2", r"'scheme' parameter of spans.*'IOB2'.*Did you mean 'BIO'\?"),
        (["O"], "BIOES", "Did you mean 'IOBES'"),
        (["O"], None, "'scheme' parameter of spans must be a str among"),
    ],
)
def test_tags_that_are_not_of_the_scheme_are_refused(tags, scheme, message):
    with pytest.raises(ValueError, match=message):
        spans(tags, scheme)


@pytest.mark.parametrize("tags", [None, 3, [1, 2], [b"O"], [["O"], ["O"]], {"O"}])
def test_what_is_not_a_sequence_of_strings_is_refused(tags):
    with pytest.raises(TypeError, match=r"^tags must "):
        spans(tags)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "options", "error", "message"),
    [
        (
            [["O"]],
            [["O", "O"]],
            {},
            ValueError,
            r"y_pred\[0\] has 2 labels for 1 frame",
        ),
        ([["O"], ["O"]], [["O"], ["X"]], {}, ValueError, r"y_pred\[1\]\[0\] is 'X'"),
        ([["O"], ["X"]], [["O"], ["O"]], {}, ValueError, r"y_true\[1\]\[0\] is 'X'"),
        ([[0, 1]], [[0, 1]], {}, TypeError, r"y_true\[0\]\[0\] is 0"),
        (
            ["B-a", "I-a"],
            ["B-a", "I-a"],
            {},
            ValueError,
            r"y_true\[0\] is the str 'B-a'",
        ),
        ("BI", "BI", {}, TypeError, r"Did you mean \[y_true\]"),
        ([["O"]], [["O"]], {"average": "binary"}, ValueError, "'average' parameter"),
        ([["O"]], [["O"]], {"average": "samples"}, ValueError, "'average' parameter"),
        ([["O"]], [["O"]], {"scheme": "BILOU"}, ValueError, "'scheme' parameter"),
        ([["O"]], [["O"]], {"zero_division": 2}, ValueError, "'zero_division' param"),
        (
            [["O"]],
            [["O"]],
            {"sample_weight": [1, 2]},
            ValueError,
            "one entry per sample",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(y_true, y_pred, options, error, message):
    with pytest.raises(error, match=message):
        span_f1_score(y_true, y_pred, **options)


class Forgetful(BaseEstimator):
    """Predicts the tags in X, the first `n_wrong` of each sequence as "O"."""

    def __init__(self, n_wrong=1):
        self.n_wrong = n_wrong

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return ["O" * self.n_wrong + tags[self.n_wrong :] for tags in X]


@pytest.mark.parametrize(
    ("X", "scorer", "expected"),
    [
        (["BIB", "OBI", "OBO", "BIB"], span_f1_score_scorer, 2 * 4 / 10),
        (
            ["BES", "OBE", "OSO", "BES"],
            make_scorer(span_f1_score, scheme="IOBES"),
            2 * 4 / 10,
        ),
    ],
    ids=["BIO", "IOBES"],
)
def test_scorers_find_the_estimator_without_error(X, scorer, expected):
    scorer = pickle.loads(pickle.dumps(scorer))
    assert scorer(Forgetful().fit(X, X), X, X) == pytest.approx(expected)
    search = GridSearchCV(
        Forgetful(), {"n_wrong": [2, 0, 1]}, scoring=scorer, cv=2, error_score="raise"
    )
    assert search.fit(X, X).best_params_ == {"n_wrong": 0}


@pytest.mark.parametrize("mark", ["?", "-", "", -1])
def test_marks_of_unknown_tags_are_refused_with_a_way_out(mark):
    with pytest.raises((TypeError, ValueError), match="leave such sequences out"):
        span_f1_score([["B-x", mark]], [["B-x", "O"]])
