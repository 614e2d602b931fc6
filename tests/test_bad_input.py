"""Every row of the tables of bad input, put to the estimators themselves.

The tables stand beside the tests of the modules that read X and y. Here each row goes
the way of a user: into every method of a fitted estimator, and into `fit`.
"""

import math
import re
import warnings
from fractions import Fraction

import numpy as np
import pytest

from skseq import CTCSequenceClassifier, LSTMAutoencoder, Seq2SeqTranslator
from tests.data.test_labels import BAD_Y, GOOD_Y
from tests.data.test_sequences import BAD_X, GOOD_X, RAGGED
from tests.data.test_tokens import BAD_SEQUENCES as BAD_TOKENS
from tests.data.test_tokens import BAD_X as BAD_TEXTS
from tests.data.test_tokens import BAD_Y as BAD_TARGETS
from tests.data.test_tokens import INTEGERS, SEQUENCES, STRANGE, TEXTS

pytestmark = pytest.mark.filterwarnings("ignore")

TINY = {"units": 2, "epochs": 1, "optimizer": "sgd", "random_state": 0}
BARE = {"source_tokenizer": None, "target_tokenizer": None}
NAN = math.nan


def ctc(**params):
    return CTCSequenceClassifier(**{**TINY, **params})


def translator(**params):
    return Seq2SeqTranslator(**{**TINY, "embedding_dim": 2, **params})


def coder(**params):
    return LSTMAutoencoder(**{**TINY, **params})


@pytest.fixture(scope="module")
def fitted():
    return {
        "ctc": ctc().fit(RAGGED, ["ab", "b", "a"]),
        "single": ctc(target="single").fit(RAGGED, ["a", "b", "a"]),
        "translator": translator().fit(["a b", "b"], ["b a", "b"]),
        "bare": translator(**BARE).fit([["a", "b"], ["b"]], [["a"], ["b", "a"]]),
        "coder": coder().fit(RAGGED),
    }


def answers(estimator, *names):
    """What is asked of a fitted estimator, as functions of X and perhaps more."""
    return [getattr(estimator, name) for name in names]


def named(message, estimator):
    """A message of a table, in which the estimator is called E, for this estimator."""
    owner = type(estimator).__name__
    return re.escape(re.sub(r"\bE\b(?= estimator|\.| was| is)", owner, message))


def assert_refused(estimator, use, error, message):
    before = {name: id(value) for name, value in vars(estimator).items()}
    with pytest.raises(error, match=message):
        use()
    assert {name: id(value) for name, value in vars(estimator).items()} == before


# -- frames ------------------------------------------------------------------------

# What a matrix is told whose frames were of several features, whatever else ails it.
NO_MATRIX = re.escape("Wrap a single sequence in a list: [X].")


@pytest.mark.parametrize(("X", "error", "message"), BAD_X.values(), ids=BAD_X)
@pytest.mark.parametrize("name", ["ctc", "coder"])
def test_bad_frames_are_refused_by_fit_and_every_use(name, fitted, X, error, message):
    used = fitted[name]
    fresh, y = {"ctc": (ctc(), ["a"] * 9), "coder": (coder(), None)}[name]
    text = named(message, fresh)
    assert_refused(fresh, lambda: fresh.fit(X, y), error, text)
    methods = {
        "ctc": ["predict", "predict_proba", "predict_n_best", "score_samples"],
        "coder": ["predict", "transform", "reconstruct", "step_errors", "score"],
    }
    for use in answers(used, *methods[name]):
        assert_refused(
            used, lambda use=use: use(X), (error, ValueError), f"{text}|{NO_MATRIX}"
        )


@pytest.mark.parametrize(("X", "expected"), GOOD_X.values(), ids=GOOD_X)
def test_good_frames_are_learnt_from_and_answered(X, expected):
    n_samples = len(expected)
    clf = ctc().fit(X, ["a", "b", "a"][:n_samples])
    assert len(clf.predict(X)) == n_samples
    assert np.isfinite(clf.score_samples(X)).all()
    assert np.isfinite(coder().fit(X).score_samples(X)).all()


FURTHER_X = {
    "a class": (str, TypeError, "X must be a collection of sequences, got <class"),
    "a matrix of bytes": (np.zeros((3, 2), "V4"), ValueError, "X has dtype |V4"),
    "memory": (memoryview(b"abc"), ValueError, "Expected 2D array, got 1D array"),
    "a vast number": (
        [np.array([[10**400]], dtype=object)],
        ValueError,
        "X[0] has dtype object and cannot be converted to float",
    ),
    "predictions": (np.array(["ab", "b"], dtype=object), ValueError, "X[0] is text"),
}


@pytest.mark.parametrize(("X", "error", "message"), FURTHER_X.values(), ids=FURTHER_X)
@pytest.mark.parametrize("make", [ctc, coder])
def test_what_only_looks_like_frames_is_refused(make, X, error, message):
    estimator = make()
    use = lambda: estimator.fit(X, ["a"] * 3)  # noqa: E731
    assert_refused(estimator, use, error, re.escape(message))


# -- labels ------------------------------------------------------------------------


# What numbers are told where label sequences were learnt, whatever else ails them.
SCALAR = "is the scalar label .* Pass a sequence"


@pytest.mark.parametrize(("y", "error", "message"), BAD_Y.values(), ids=BAD_Y)
def test_bad_labels_are_refused_by_fit_and_every_use(fitted, y, error, message):
    fresh, used = ctc(), fitted["ctc"]
    text = named(message, fresh)
    assert_refused(fresh, lambda: fresh.fit(RAGGED, y), error, text)
    if y is not None:
        for use in answers(used, "score_samples", "align", "partial_fit"):
            refused = lambda use=use: use(RAGGED, y)  # noqa: E731
            assert_refused(used, refused, (error, ValueError), f"{text}|{SCALAR}")


@pytest.mark.parametrize("y", [y for y, *_ in GOOD_Y.values()], ids=GOOD_Y)
def test_good_labels_are_learnt_from_and_scored(y):
    clf = ctc().fit(RAGGED, y)
    assert np.isfinite(clf.score_samples(RAGGED, y)).all()
    assert clf.score(RAGGED, y) <= 1


# -- texts -------------------------------------------------------------------------

USES_OF_TEXTS = ["predict", "predict_proba", "predict_n_best", "score_samples"]


@pytest.mark.parametrize(("X", "error", "message"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_bad_sources_are_refused_by_fit_and_every_use(fitted, X, error, message):
    fresh, used = translator(), fitted["translator"]
    text = named(message, fresh)
    assert_refused(fresh, lambda: fresh.fit(X, ["a"]), error, text)
    for use in answers(used, *USES_OF_TEXTS):
        assert_refused(used, lambda use=use: use(X), error, text)


@pytest.mark.parametrize(("X", "error", "message"), BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_bad_tokens_are_refused_by_fit_and_every_use(fitted, X, error, message):
    fresh, used = translator(**BARE), fitted["bare"]
    text = named(message, fresh)
    assert_refused(fresh, lambda: fresh.fit(X, [["a"]]), error, text)
    for use in answers(used, *USES_OF_TEXTS):
        assert_refused(used, lambda use=use: use(X), error, text)


@pytest.mark.parametrize(
    ("y", "error", "message"), BAD_TARGETS.values(), ids=BAD_TARGETS
)
def test_bad_targets_are_refused_by_fit_and_every_use(fitted, y, error, message):
    fresh, used = translator(), fitted["translator"]
    text = named(message, fresh)
    assert_refused(fresh, lambda: fresh.fit(["a b", "b"], y), error, text)
    if y is not None:
        for use in answers(used, "score_samples", "predict_proba", "score"):
            refused = lambda use=use: use(["a b", "b"], y)  # noqa: E731
            assert_refused(used, refused, error, text)


@pytest.mark.parametrize(
    "texts",
    [*TEXTS.values(), *([text[:2000], "b"] for text in STRANGE.values())],
    ids=[*TEXTS, *STRANGE],
)
def test_good_texts_are_learnt_from_and_answered(texts):
    learnt = translator(max_output_length=3).fit(texts, texts)
    assert all(isinstance(text, str) for text in learnt.predict(texts))
    assert np.isfinite(learnt.score_samples(texts, texts)).all()


GOOD_TOKENS = {**SEQUENCES, **{f"integers, {n}": row for n, row in INTEGERS.items()}}


@pytest.mark.parametrize(
    "tokens", [row[0] for row in GOOD_TOKENS.values()], ids=GOOD_TOKENS
)
def test_good_tokens_are_learnt_from_and_answered(tokens):
    learnt = translator(**BARE, max_output_length=3).fit(tokens, tokens)
    assert len(learnt.predict(tokens)) == len(tokens)
    assert np.isfinite(learnt.score_samples(tokens, tokens)).all()


# -- weights -----------------------------------------------------------------------

BAD_WEIGHTS = {
    "too few": ([1, 2], r"inconsistent numbers of samples: \[3, 2\]"),
    "a column": (np.ones((3, 1)), "Sample weights must be 1D array"),
    "NaN": ([1, NAN, 1], "sample_weight contains NaN"),
    "infinite": ([1, math.inf, 1], "sample_weight contains infinity"),
    "negative": ([1, 1, -1], r"sample_weight\[2\] is -1"),
    "texts": (["heavy"] * 3, "could not convert string to float"),
    "a name": ("balanced", "could not convert string to float"),
    "nothing": (np.zeros(3), "must contain at least one non-zero"),
    "zero": (0, "must contain at least one non-zero"),
}
LEARNERS = {
    "ctc": (ctc, (RAGGED, ["ab", "b", "a"])),
    "translator": (translator, (["a b", "b", "a"], ["b a", "b", "a"])),
    "coder": (coder, (RAGGED, None)),
}


@pytest.mark.parametrize(("weights", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
@pytest.mark.parametrize("name", LEARNERS)
def test_bad_weights_are_refused_by_every_estimator(name, weights, message):
    make, data = LEARNERS[name]
    estimator = make()
    for use in answers(estimator, "fit", "partial_fit"):
        refused = lambda use=use: use(*data, sample_weight=weights)  # noqa: E731
        assert_refused(estimator, refused, ValueError, message)


# -- parameters --------------------------------------------------------------------

BAD_PARAMETERS = {
    "no path": ({"checkpoint": ""}, "'checkpoint' parameter .* must be None or a path"),
    "an array": ({"warm_start": np.ones(2)}, "'warm_start' parameter .* must be a boo"),
    "a momentum": (
        {"optimizer": "sgd", "optimizer__momentum": 2},
        "No optimizer can be made with .*optimizer__momentum=2",
    ),
    "a momentum of text": (
        {"optimizer": "sgd", "optimizer__momentum": "x"},
        "No optimizer can be made with .*optimizer__momentum='x'",
    ),
    "a rate": ({"optimizer__learning_rate": -1}, "'optimizer__learning_rate' param"),
    "a norm": ({"optimizer__clipnorm": NAN}, "'optimizer__clipnorm' parameter"),
    "a value": ({"optimizer__clipvalue": "x"}, "'optimizer__clipvalue' parameter"),
    "a decay": ({"optimizer__weight_decay": b"x"}, "'optimizer__weight_decay' param"),
}


@pytest.mark.parametrize(
    ("params", "message"), BAD_PARAMETERS.values(), ids=BAD_PARAMETERS
)
@pytest.mark.parametrize("name", LEARNERS)
def test_what_would_fail_in_the_first_step_is_refused_before(name, params, message):
    make, data = LEARNERS[name]
    estimator = make(**params)
    assert_refused(estimator, lambda: estimator.fit(*data), ValueError, message)


def test_a_class_without_a_signature_is_no_encoder():
    with pytest.raises(ValueError, match="encoder=<class 'str'> cannot be called"):
        ctc(encoder=str).fit(RAGGED, ["a", "b", "c"])


def test_the_error_of_a_step_weight_names_it():
    with pytest.raises(ValueError, match=r"step_weight failed on .* 2 frame\(s\)"):
        coder(step_weight=lambda t: t[5]).fit(RAGGED)


def test_a_share_may_be_any_real_number():
    learnt = [coder(contamination=c).fit(RAGGED) for c in (Fraction(1, 4), 0.25)]
    assert learnt[0].offset_ == learnt[1].offset_


@pytest.mark.parametrize("score", ["mse", "mae"])
def test_equal_sequences_are_learnt_without_many_words(score):
    X = [np.tile([[1.0, -1.0]], (4, 1))] * 6
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        learnt = coder(anomaly_score=score, epochs=3).fit(X)
    assert len(caught) <= 1
    assert np.isfinite(learnt.offset_)
    assert learnt.predict(X).tolist() == [1] * 6
