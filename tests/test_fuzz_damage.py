"""Whatever comes in: a right result, or an error in our own words, and nothing else."""

import ast
import datetime
import re
import traceback
import warnings
from collections import deque
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse as sp

from skseq._data.collections import object_array
from tests.estimators import CTC, ESTIMATORS
from tests.exploring import DTYPES, EFFORTS, explore


class Odd(str):
    """A text that is not quite a str."""


NUMBERS = [-1, 0, 1, 2, 0.5, -0.5, 1.0, np.nan, np.inf, -np.inf, True, False]
HUGE = [2**63, -(2**70), 1e300]
SINGLE = [
    np.int8(1),
    np.float16(0.5),
    np.bool(True),
    np.str_("a"),
    np.datetime64("NaT"),
]
STRANGE = [
    *(None, ..., NotImplemented, pd.NA, pd.NaT, 1j, Decimal(1), Fraction(1, 2)),
    *(object(), object, len, str, dict, np.random.RandomState(0), keras.Sequential()),
    *(datetime.date(2020, 1, 1), re.compile("a"), memoryview(b"ab"), bytearray(b"a")),
]
TEXTS = ["", " ", "a", "ab", "a b", "\0", "\ud800", "\U0001f600", "<eos>", Odd("a")]
MAKERS = [
    lambda: iter("ab"),
    lambda: (x for x in [[1.0]]),
    lambda: {"a": 1},
    lambda: {1, 2},
    lambda: frozenset("ab"),
    lambda: range(3),
    lambda: deque([1, 2]),
    lambda: sp.csr_array(np.eye(3)),
    lambda: np.ma.masked_equal([[1.0, 2.0]], 2),
    lambda: np.matrix([[1.0, 2.0]]),
    lambda: np.rec.array([(1, 2.0), (3, 4.0)]),
    lambda: np.array([[1.0], [2.0]], dtype="O"),
    lambda: np.array([[1.0], None], dtype="O"),
    lambda: np.array(["2020", "2021"], dtype="M8[D]"),
    lambda: np.array([b"a", b"b"]),
    lambda: np.array(3.0),
    lambda: np.array([[1.0, np.nan]]),
    lambda: np.array([[[np.nan], [1.0]]]),
    lambda: np.empty((0, 2)),
    lambda: np.empty((2, 0)),
    lambda: np.ones((2, 2, 2, 2)),
    lambda: pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
    lambda: pd.DataFrame({"a": [1.0], "b": [2.0]}),
    lambda: pd.Series(["a", None]),
    lambda: pd.Series(["a", "b"], dtype="category"),
    lambda: pd.Series([1, None], dtype="Int64"),
    lambda: pd.array([1.0, None], dtype="Float64"),
    lambda: pl.Series(["a", None]),
    lambda: pl.DataFrame({"a": [1.0, None]}),
    lambda: tf.constant([["a"]]),
    lambda: tf.ragged.constant([[1.0], [1.0, 2.0]]),
    lambda: tf.sparse.eye(2),
]


def junk():
    """What no estimator expects, and some of what it does."""
    single = st.sampled_from([*NUMBERS, *HUGE, *SINGLE, *STRANGE, *TEXTS])
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    dtypes = st.sampled_from([*DTYPES, "U2", "S1", "c8", "m8[s]", "V4"])
    filled = st.builds(np.zeros, shapes, dtypes)
    made = st.sampled_from(MAKERS).map(lambda make: make())
    leaves = single | made | filled | st.text(max_size=3) | st.binary(max_size=2)
    nested = st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.lists(inner, max_size=3).map(object_array)
        ),
        max_leaves=5,
    )
    return leaves | nested


# A network of another size is compiled anew, and a vast one, or beam, does not fit.
SIZES = {"units", "embedding_dim", "latent_dim", "conv_filters", "conv_kernel_size"}
OF_SOME_COST = SIZES | {"conv_strides", "skip_frames", "epochs", "beam_width"}


def values(name):
    """What a parameter could be set to."""
    affordable = [2, *(v for v in NUMBERS if v not in (0, 1)), *STRANGE, *TEXTS]
    return st.sampled_from(affordable) if name in OF_SOME_COST else junk()


def spoilt(draw, items):
    """The items with something else in one place, at some depth, or in place of all."""
    depth = draw(st.integers(0, 3))
    if depth == 0 or not isinstance(items, list | str):
        return draw(junk())
    place = draw(st.integers(0, len(items)))  # the last is one more
    inner = items[place] if place < len(items) else None
    inner = inner.tolist() if isinstance(inner, np.ndarray) else inner
    changed = draw(junk()) if depth == 1 else spoilt(draw, inner)
    return [*items[:place], changed, *items[place + 1 :]]


@cache
def raising_lines(path):
    """The lines of a file that make an error and raise it."""
    return {
        line
        for node in ast.walk(ast.parse(Path(path).read_text("utf-8")))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        for line in range(node.lineno, node.end_lineno + 1)
    }


def origin(error):
    """Which library's Python code an error came from, and whether it was raised there.

    NumPy and TensorFlow raise theirs in compiled code, without a line of Python: those
    come from a line of ours that raises nothing. A table of pandas or polars is not
    looked into: it is asked for numbers by whoever is named.
    """
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        library = frame.f_globals["__name__"].split(".")[0]
        if library not in ("pandas", "polars"):
            return library, line in raising_lines(frame.f_code.co_filename)


# What scikit-learn's checks, which are called on purpose, say without naming an
# argument; the last four are NumPy's, that they let through.
FAMILIAR = re.compile(
    "Expected 2D array|Found array with|Complex data not supported|"
    "np.matrix is not supported|Found input variables with inconsistent numbers of|"
    "should be a 1d array|Expected a 2-dimensional container"
)
LET_THROUGH = re.compile(
    "could not convert string to float|setting an array element with a sequence|"
    "float.. argument must be a|Cannot cast array data"
)


def has_own_words(error, *names):
    """Whether we raised an error that names an argument, or scikit-learn for us."""
    library, is_raised = origin(error)
    words = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names)
    if library == "sklearn":
        known = rf"{words}|{FAMILIAR.pattern}" if is_raised else LET_THROUGH
        return re.search(known, str(error)) is not None
    quoted = str(error.__cause__ or ".")  # ours may end with another's words
    return (
        (library, is_raised) == ("skseq", True)
        and re.search(rf"{words}|{FAMILIAR.pattern}", str(error)) is not None
        and str(error).endswith((".", "?", quoted))
    )


def test_our_words_are_told_from_those_of_others():
    def error_of(call):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        return caught.value

    ours = error_of(lambda: CTC.tiny().fit(["a"], ["b"]))
    assert has_own_words(ours, "X")
    assert not has_own_words(ours, "y_true")
    theirs = error_of(lambda: CTC.tiny().fit(np.ones(3), ["b"]))
    assert has_own_words(theirs, "X")
    for others in (
        lambda: np.asarray("X", dtype=float),
        lambda: object_array(None),
        lambda: tf.constant([["X"], ["X", "X"]]),
        lambda: keras.layers.Dense("X"),
        lambda: len(np.float64),
    ):
        assert not has_own_words(error_of(others), "X", "units")


def state(estimator):
    weights = getattr(estimator, "_weights", [])
    return {n: id(v) for n, v in vars(estimator).items()}, [
        w.tobytes() for w in weights
    ]


def survives(estimator, use, *names):
    """Call `use`; tell whether it succeeded. If it did not, nothing has changed."""
    before, refusal = state(estimator), None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            use()
    except (TypeError, ValueError) as error:
        refusal = error
    if refusal is not None:
        assert has_own_words(refusal, *names), (origin(refusal), refusal)
        assert state(estimator) == before
        return False
    # Ours and scikit-learn's; those of NumPy and TensorFlow are of other kinds.
    raw = [str(w) for w in caught if not issubclass(w.category, UserWarning)]
    assert not raw
    return True


def assert_fitted(case, estimator, X):
    n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
    assert len(case.answers_of(estimator, X)) == n_samples
    assert np.isfinite(case.degrees_of(estimator, X)).all()


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_spoilt_data_are_learnt_from_or_refused_in_our_own_words(case, effort):

    good_X, good_y = case.draw(5)

    def check(data):
        spoil_y = case.learns_from_y and data.draw(st.booleans())
        X = good_X if spoil_y else spoilt(data.draw, good_X)
        y = spoilt(data.draw, good_y) if spoil_y else good_y
        estimator = case.tiny()
        if survives(estimator, lambda: estimator.fit(X, y), "X", "y"):
            assert_fitted(case, estimator, X)

    explore(check, 150, effort)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_spoilt_data_are_answered_or_refused_in_our_own_words(case, effort):
    good_X, good_y = case.draw(5)
    fitted = case.tiny().fit(good_X, good_y)

    def check(data):
        X = spoilt(data.draw, good_X)
        y = spoilt(data.draw, good_y if case.learns_from_y else [0, 1, 0])
        if survives(fitted, lambda: case.answers_of(fitted, X), "X"):
            assert_fitted(case, fitted, X)
        survives(fitted, lambda: fitted.score(good_X, y), "X", "y", "y_true")
        if case.learns_from_y and hasattr(fitted, "score_samples"):
            survives(fitted, lambda: fitted.score_samples(good_X, y), "X", "y")
        for name, use in case.misused.items():
            value = data.draw(values("beam_width")) if name == "n" else y
            survives(fitted, lambda use=use, v=value: use(fitted, good_X, v), name)

    explore(check, 60, effort)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_spoilt_weights_are_used_or_refused_in_our_own_words(case, effort):

    def check(data):
        weights = spoilt(data.draw, [1, 0, 2.5, 1, 1])
        estimator, (X, y) = case.tiny(), case.draw(5)
        names = "sample_weight", "Sample weights"
        fit = {"X": X, "y": y, "sample_weight": weights}
        if survives(estimator, lambda: estimator.fit(**fit), *names):
            assert_fitted(case, estimator, X)
            survives(estimator, lambda: estimator.score(**fit), *names)

    explore(check, 40, effort)


ROUTED = [
    "callbacks__patience",
    "front_end__width",
    *(f"optimizer__{name}" for name in ("momentum", "clipnorm", "weight_decay")),
    *(f"optimizer__{name}" for name in ("learning_rate", "loss_scale_factor")),
]


# What may be named in place of a parameter.
PARTNERS = {"early_stopping": "validation_fraction"}


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_any_parameter_is_used_or_refused_in_our_own_words(
    case, effort, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # a text is a path too, of a checkpoint
    own = case.make().get_params()
    names = sorted({*own, *(n for n in ROUTED if n.split("__")[0] in own)})
    X, y = case.draw(5)

    def check(data):
        param = data.draw(st.sampled_from(names))
        value = data.draw(values(param))
        # A front end of the user's own speaks for itself.
        assume(param != "front_end" or not callable(value))
        estimator = case.tiny(**{param: value})
        fit = lambda: estimator.fit(X, y)  # noqa: E731
        named = param, PARTNERS.get(param, param)
        if survives(estimator, fit, *named, "is not finite in epoch"):
            assert_fitted(case, estimator, X)

    explore(check, 150, effort)
