"""Every row of the tables of bad input, put to the estimators themselves.

The tables stand beside the tests of the modules that read X and y. Here all rows of a
table go the way of a user: into every method of a fitted estimator, and into `fit`. A
test lists the rows that are not refused as the table says.
"""

import inspect
import math
import re
import warnings
from fractions import Fraction

import numpy as np
import pytest

from skseq.metrics import anomaly_f1
from skseq.preprocessing import SlidingWindows, from_concatenated, from_nan_padded
from tests.contract.comparing import assert_same_results
from tests.data.samples import RAGGED
from tests.data.test_collections import BAD_COLLECTIONS, GOOD_COLLECTIONS
from tests.data.test_frames import BAD_FRAMES, GOOD_FRAMES
from tests.data.test_labels import BAD_Y, GOOD_Y
from tests.data.test_matrix import BAD_MATRICES
from tests.data.test_sequences import BAD_SEQUENCES, GOOD_SEQUENCES
from tests.data.test_tokens import BAD_SEQUENCES as BAD_TOKENS
from tests.data.test_tokens import BAD_X as BAD_TEXTS
from tests.data.test_tokens import BAD_Y as BAD_TARGETS
from tests.data.test_tokens import INTEGERS, SEQUENCES, STRANGE, TEXTS
from tests.estimators import (
    AUTOENCODER,
    CTC,
    ESTIMATORS,
    TAGGER_TOKENS,
    THREE_TARGETS,
    TRANSLATOR,
    labels_of_frames,
    written,
)
from tests.refusals import complaints

NAN = math.nan

BAD_X = {**BAD_COLLECTIONS, **BAD_MATRICES, **BAD_FRAMES, **BAD_SEQUENCES}
GOOD_X = {**GOOD_COLLECTIONS, **GOOD_FRAMES, **GOOD_SEQUENCES}

# By what an estimator reads: a collection that is good, the bad ones, more good ones.
GOOD = {
    "frames": RAGGED,
    "texts": ["a b", "b", "a"],
    "tokens": [["a", "b"], ["b"], ["a"]],
}
BAD = {"frames": BAD_X, "texts": BAD_TEXTS, "tokens": BAD_TOKENS}
MORE = {
    "frames": {row: (X, len(frames)) for row, (X, frames) in GOOD_X.items()},
    "texts": {
        **{row: (texts, 2) for row, texts in TEXTS.items()},
        **{row: ([text[:2000], "b"], 2) for row, text in STRANGE.items()},
    },
    "tokens": {
        **{row: (tokens, 2) for row, (tokens, *_) in SEQUENCES.items()},
        **{f"integers, {row}": (ids, 2) for row, (ids, *_) in INTEGERS.items()},
    },
}

# By what an estimator writes: bad y, more good ones.
BAD_TARGET = {"labels": BAD_Y, "texts": BAD_TARGETS}
MORE_TARGETS = {"labels": {name: row[0] for name, row in GOOD_Y.items()}}

# One case of each class and each form of X; what reads X knows nothing of the network.
READERS = [
    *ESTIMATORS,
    TRANSLATOR.variant(
        "translator-tokens",
        changes={**written(list), "reads": "tokens", "writes": "tokens"},
        source_tokenizer=None,
        target_tokenizer=None,
    ),
    TAGGER_TOKENS.variant(
        "tagger-of-any-tokens", input="tokens", allowed_transitions=None
    ),
]


def data_of(case):
    X = GOOD[case.reads]
    return X, case.three_targets(X)


@pytest.fixture(scope="module")
def fitted():
    return {case.name: case.tiny().fit(*data_of(case)) for case in READERS}


def asked(estimator, *arguments):
    """The public methods, `fit` and its like excepted, that these arguments suffice."""
    for name, method in inspect.getmembers(type(estimator), inspect.isfunction):
        _, *parameters = inspect.signature(method).parameters.values()
        named = [p.name for p in parameters]
        required = {p.name for p in parameters if p.default is p.empty}
        if (
            not name.startswith(("_", "fit", "partial_fit"))
            and named[: len(arguments)] == list(arguments)
            and required <= {*arguments, "params"}
            and hasattr(estimator, name)
        ):
            yield name


def parameters_of(estimator, name):
    """The parameters of a method, none where there is no such method."""
    method = getattr(estimator, name, None)
    return inspect.signature(method).parameters if method else {}


def bounded(case):
    """What keeps a translator that has learnt nothing from going on and on.

    And what lets an embedder learn from classes of one short sequence.
    """
    if case.counts_pairs:
        return {"center": False, "loss": "classification"}
    is_bounded = "max_output_length" in case.make().get_params()
    return {"max_output_length": 3} if is_bounded else {}


def named(message, estimator):
    """A message of a table, in which the estimator is called E, for this estimator."""
    owner = type(estimator).__name__
    if "source_tokenizer" not in estimator.get_params():
        message = re.sub(r" Set source_tokenizer=.*", "", message)
    return re.escape(re.sub(r"\bE\b(?= estimator|\.| was| is)", owner, message))


def test_a_refusal_is_told_from_everything_else():
    estimator = CTC.tiny()

    def fail(error):
        raise error

    def change():
        estimator.new = 1
        raise ValueError("X is bad")

    calls = {
        "right": lambda: fail(ValueError("X is bad")),
        "other words": lambda: fail(ValueError("it failed")),
        "other error": lambda: fail(KeyError("X is bad")),
        "no error": lambda: None,
        "a change": change,
    }
    rows = [(what, use, ValueError, "X is bad") for what, use in calls.items()]
    assert list(complaints(estimator, rows)) == list(calls)[1:]


# -- X -----------------------------------------------------------------------------

# What a matrix is told whose frames were of several features, whatever else ails it.
NO_MATRIX = re.escape("Wrap a single sequence in a list: [X].")


@pytest.mark.parametrize("case", READERS, ids=str)
def test_a_bad_x_is_refused_by_fit(case):
    fresh, (_, y) = case.tiny(), data_of(case)
    y = None if y is None else [y[-1]] * 9
    calls = [
        (row, lambda X=X: fresh.fit(X, y), error, named(message, fresh))
        for row, (X, error, message) in BAD[case.reads].items()
    ]
    assert not complaints(fresh, calls)


@pytest.mark.parametrize("case", READERS, ids=str)
def test_a_bad_x_is_refused_by_every_use(case, fitted):
    used = fitted[case.name]
    methods = list(asked(used, "X"))
    assert {case.answers, case.degrees} <= {*methods}
    other = f"|{NO_MATRIX}" if case.reads_frames else ""
    calls = [
        (
            (method, row),
            lambda method=method, X=X: getattr(used, method)(X),
            (error, ValueError) if case.reads_frames else error,
            named(message, used) + other,
        )
        for row, (X, error, message) in BAD[case.reads].items()
        for method in methods
    ]
    assert not complaints(used, calls)


@pytest.mark.slow
@pytest.mark.parametrize("case", READERS, ids=str)
def test_a_good_x_is_learnt_from_and_answered(case):
    offenders = {}
    for row, (X, n_samples) in MORE[case.reads].items():
        if case.counts_pairs and n_samples < 2:
            continue  # there is no pair
        kind = "numbers" if case.writes == "numbers" else "one label"
        y = X if case.writes == case.reads else THREE_TARGETS[kind][:n_samples]
        if case.writes == "labels of frames":
            y = labels_of_frames(X if case.reads == "tokens" else GOOD_X[row][1])
        learnt = case.tiny(**bounded(case)).fit(X, y)
        outputs, scores = case.answers_of(learnt, X), case.degrees_of(learnt, X)
        is_well = (
            len(outputs) == n_samples
            and np.isfinite(scores).all()
            and (case.writes != "texts" or all(isinstance(o, str) for o in outputs))
        )
        if "y" in parameters_of(learnt, "score_samples"):
            is_well &= bool(np.isfinite(learnt.score_samples(X, y)).all())
        if not is_well:
            offenders[row] = outputs, scores
    assert not offenders


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


@pytest.mark.parametrize("case", [c for c in ESTIMATORS if c.reads_frames], ids=str)
def test_what_only_looks_like_frames_is_refused(case):
    estimator, y = case.tiny(), case.three_targets(RAGGED)
    calls = [
        (row, lambda X=X: estimator.fit(X, y), error, re.escape(message))
        for row, (X, error, message) in FURTHER_X.items()
    ]
    assert not complaints(estimator, calls)


# -- y -----------------------------------------------------------------------------

# What numbers are told where label sequences were learnt, whatever else ails them.
SCALAR = "is the scalar label .* Pass a sequence"


@pytest.mark.parametrize(
    "case", [c for c in READERS if c.writes in BAD_TARGET], ids=str
)
def test_a_bad_y_is_refused_by_fit_and_every_use(case, fitted):
    fresh, used, n_samples = case.tiny(), fitted[case.name], rows_of_bad_y(case)
    X = GOOD[case.reads][:n_samples]
    methods = {"partial_fit", *asked(used, "X", "y")}
    if case.writes == "labels":
        methods.remove("score")  # the metric checks its y_true
    assert {"partial_fit", "score_samples"} <= methods
    rows = BAD_TARGET[case.writes].items()
    calls = [
        (row, lambda y=y: fresh.fit(X, y), error, named(message, fresh))
        for row, (y, error, message) in rows
    ]
    assert not complaints(fresh, calls)
    other = f"|{SCALAR}" if case.writes == "labels" else ""
    calls = [
        (
            (method, row),
            lambda method=method, y=y: getattr(used, method)(X, y),
            (error, ValueError) if case.writes == "labels" else error,
            named(message, used) + other,
        )
        for row, (y, error, message) in rows
        for method in methods
        if y is not None
    ]
    assert not complaints(used, calls)


def rows_of_bad_y(case):
    """How many samples the bad y are meant for."""
    return {"labels": 3, "texts": 2}[case.writes]


@pytest.mark.parametrize(
    "case", [c for c in READERS if c.writes in MORE_TARGETS], ids=str
)
def test_a_good_y_is_learnt_from_and_scored(case):
    X, offenders = GOOD[case.reads], {}
    for row, y in MORE_TARGETS[case.writes].items():
        learnt = case.tiny().fit(X, y)
        scores = learnt.score_samples(X, y)
        if not (np.isfinite(scores).all() and learnt.score(X, y) <= 1):
            offenders[row] = scores
    assert not offenders


# -- weights -----------------------------------------------------------------------

BAD_WEIGHTS = {
    "too few": ([1, 2], r"inconsistent numbers of samples: \[3, 2\]"),
    "a column": (np.ones((3, 1)), "Sample weights must be 1D array"),
    "NaN": ([1, NAN, 1], "sample_weight contains NaN"),
    "infinite": ([1, math.inf, 1], "sample_weight contains infinity"),
    "negative": ([1, 1, -1], r"Negative values.*sample_weight\[2\] is -1"),
    "texts": (["heavy"] * 3, "could not convert string to float"),
    "a name": ("balanced", "could not convert string to float"),
    "nothing": (np.zeros(3), "must contain at least one non-zero"),
    "vast": ([1e308] * 3, "sum of sample_weight is too large"),
    "zero": (0, "must contain at least one non-zero"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_bad_weights_are_refused_by_every_estimator(case, method):
    estimator, data = case.tiny(), data_of(case)
    learn = getattr(estimator, method)
    calls = [
        (row, lambda w=w: learn(*data, sample_weight=w), ValueError, message)
        for row, (w, message) in BAD_WEIGHTS.items()
    ]
    assert not complaints(estimator, calls)


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


@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_what_would_fail_in_the_first_step_is_refused_before(case):
    offenders = {}
    for row, (params, message) in BAD_PARAMETERS.items():
        estimator, data = case.tiny(**params), data_of(case)
        call = row, lambda e=estimator, d=data: e.fit(*d), ValueError, message
        offenders |= complaints(estimator, [call])
    assert not offenders


def test_a_class_without_a_signature_cannot_be_a_front_end():
    with pytest.raises(ValueError, match="front_end=<class 'str'> cannot be called"):
        CTC.tiny(front_end=str).fit(RAGGED, ["a", "b", "c"])


def test_the_error_of_a_step_weight_names_it():
    with pytest.raises(ValueError, match=r"step_weight failed on .* 2 frame.*\.$"):
        AUTOENCODER.tiny(step_weight=lambda t: t[5]).fit(RAGGED)


@pytest.mark.parametrize(
    ("case", "name"), [(AUTOENCODER, "contamination"), (TRANSLATOR, "ema_decay")]
)
def test_a_share_may_be_any_real_number(case, name):
    found, expected = (
        case.results(case.tiny(**{name: share}).fit(*case.draw(5)))
        for share in (Fraction(1, 4), 0.25)
    )
    assert_same_results(found, expected)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda mixed: from_nan_padded(mixed), "X must have shape"),
        (lambda mixed: from_concatenated(RAGGED[0], mixed), "lengths must be integers"),
        (
            lambda mixed: SlidingWindows(2).to_points(mixed, [2, 2]),
            "could not convert string to float",
        ),
        (lambda mixed: anomaly_f1([1, -1], mixed), "y_pred must hold 1 for normal"),
        (
            lambda mixed: CTC.tiny().partial_fit(*CTC.draw(3), classes=mixed),
            "classes must be a collection of labels",
        ),
    ],
    ids=["padded", "lengths", "scores", "flags", "classes"],
)
def test_text_beside_bytes_which_numpy_cannot_decode_is_refused(use, message):
    with pytest.raises(ValueError, match=message):
        use(["a", b"\x80"])


@pytest.mark.parametrize("score", ["mse", "mae"])
def test_equal_sequences_are_learnt_without_many_words(score):
    X = [np.tile([[1.0, -1.0]], (4, 1))] * 6
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        learnt = AUTOENCODER.tiny(anomaly_score=score, epochs=3).fit(X)
    assert len(caught) <= 1
    assert np.isfinite(learnt.offset_)
    assert learnt.predict(X).tolist() == [1] * 6


def test_a_message_shows_the_beginning_of_a_long_text():
    with pytest.raises(ValueError, match=r"is text .* numeric sequences") as refused:
        CTC.tiny().fit(["x" * 10**5], ["a"])
    assert len(str(refused.value)) < 300
