"""Whatever comes in: a right result, or an error in our own words, and nothing else."""

import ast
import datetime
import re
import tempfile
import traceback
import warnings
from collections import deque
from dataclasses import dataclass
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
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse as sp

from skseq._data.collections import object_array
from tests.estimators import AUTOENCODER, CTC, ESTIMATORS, TINY, TRANSLATOR

# The same examples in every run; many others, at random, where slow tests are wanted.
EFFORTS = [
    pytest.param(1, id="some"),
    pytest.param(40, id="many", marks=pytest.mark.slow),
]


def explore(check, n_examples, effort):
    """Call a check, which draws what it needs from its argument, again and again."""
    within = settings(
        max_examples=n_examples * effort,
        derandomize=effort == 1,
        database=None,
        deadline=datetime.timedelta(minutes=2),
        suppress_health_check=list(HealthCheck),
    )
    within(given(st.data())(check))()


def assert_same_arrays(found, expected, tolerance=0.0):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# -- frames: neither container nor dtype changes a result --------------------------


class Lazy:
    """Can only count and fetch."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class ArrayLike:
    """Can only become an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype)


def padded(frames):
    X = np.full((len(frames), max(map(len, frames)) + 1, *frames[0].shape[1:]), np.nan)
    X = X.astype(frames[0].dtype)
    for i, x in enumerate(frames):
        X[i, : len(x)] = x
    return X


def ragged_tensor(frames):
    lengths = [len(x) for x in frames]
    return tf.RaggedTensor.from_row_lengths(np.concatenate(frames), lengths)


def read_only(frames):
    copies = [x.copy() for x in frames]
    for x in copies:
        x.flags.writeable = False
    return copies


def memmap(x):
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=x.dtype, shape=x.shape)
    mapped[:] = x
    return mapped


def backwards(x):
    """The same numbers with negative strides, every second one in memory."""
    return np.repeat(x[::-1, ::-1], 2, axis=0)[::2][::-1, ::-1]


def in_frames(frames):
    return [pd.DataFrame(x, columns=list("abcd")[: x.shape[1]]) for x in frames]


# How to build X, and what the sequences must be for it: of one length ("equal"), of one
# feature ("single"), floats, or of a dtype that other libraries have ("native").
CONTAINERS = {
    "list": (list, ""),
    "tuple": (tuple, ""),
    "deque": (deque, ""),
    "object array": (object_array, ""),
    "lazy": (Lazy, ""),
    "nested lists": (lambda frames: [x.tolist() for x in frames], ""),
    "nested tuples": (lambda frames: [tuple(map(tuple, x)) for x in frames], ""),
    "array-likes": (lambda frames: list(map(ArrayLike, frames)), ""),
    "read-only": (read_only, ""),
    "Fortran order": (lambda frames: list(map(np.asfortranarray, frames)), ""),
    "strides": (lambda frames: list(map(backwards, frames)), ""),
    "Series": (lambda frames: pd.Series(frames, index=range(len(frames), 0, -1)), ""),
    "memmaps": (lambda frames: list(map(memmap, frames)), "native"),
    "data frames": (in_frames, "native"),
    "tensors": (lambda frames: list(map(tf.constant, frames)), "native"),
    "ragged tensor": (ragged_tensor, "native"),
    "padded": (padded, "float"),
    "3-D": (np.stack, "equal"),
    "3-D, Fortran order": (lambda frames: np.asfortranarray(np.stack(frames)), "equal"),
    "3-D array-like": (lambda frames: ArrayLike(np.stack(frames)), "equal"),
    "tensor": (lambda frames: tf.constant(np.stack(frames)), "equal native"),
    "1-D arrays": (lambda frames: [x[:, 0] for x in frames], "single"),
    "flat lists": (lambda frames: [x[:, 0].tolist() for x in frames], "single"),
    "1-D tensor": (
        lambda frames: ragged_tensor([x[:, 0] for x in frames]),
        "single native",
    ),
    "matrix": (lambda frames: np.stack(frames)[..., 0], "equal single"),
    "matrix of lists": (lambda f: np.stack(f)[..., 0].tolist(), "equal single"),
    "data frame": (lambda f: pd.DataFrame(np.stack(f)[..., 0]), "equal single native"),
    "polars": (lambda f: pl.DataFrame(np.stack(f)[..., 0]), "equal single native"),
}

FLOATS = ["f2", "f4", "f8"]
NATIVE = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", *FLOATS]
DTYPES = [*NATIVE, ">f4", ">f8", ">i2", "g", "O"]


@dataclass(frozen=True)
class Frames:
    """Sequences of small whole numbers, which every dtype holds exactly."""

    lengths: tuple
    n_features: int
    seed: int
    high: int  # above all values: 2 suits booleans

    def build(self, dtype="f8"):
        rng = np.random.default_rng(self.seed)
        shapes = [(n, self.n_features) for n in self.lengths]
        return [rng.integers(self.high, size=shape).astype(dtype) for shape in shapes]


@st.composite
def frames_in_containers(draw):
    name = draw(st.sampled_from(list(CONTAINERS)))
    _, needs = CONTAINERS[name]
    dtypes = FLOATS if "float" in needs else NATIVE if "native" in needs else DTYPES
    dtype = draw(st.sampled_from(dtypes))
    lengths = draw(st.lists(st.sampled_from([2, 3, 4, 9, 40]), min_size=1, max_size=9))
    if "equal" in needs:
        lengths = lengths[:1] * len(lengths)
    n_features = 1 if "single" in needs else draw(st.sampled_from([1, 2]))
    high = 2 if dtype == "?" else 101
    frames = Frames(tuple(lengths), n_features, draw(st.integers(0, 3)), high)
    return name, dtype, frames


def labels_for(frames):
    """Two labels, both of which occur."""
    return ["ab", *"abbaabba"][: len(frames.lengths)]


def tiny(case, **params):
    """One size of network, so that its compiled programs serve all examples."""
    return case.make(**{**TINY, **params})


READERS = [case for case in ESTIMATORS if case.reads_frames]
READERS += [AUTOENCODER.variant("autoencoder of changes", difference=True)]


def fit_and_answer(case, X, frames):
    fitted = tiny(case).fit(X, labels_for(frames) if case.learns_from_y else None)
    return fitted, list(getattr(fitted, case.degrees)(X))


@cache
def plainly_fitted(name, frames):
    case = next(case for case in READERS if case.name == name)
    return fit_and_answer(case, frames.build(), frames)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("case", READERS, ids=str)
def test_neither_the_container_nor_the_dtype_of_frames_counts(case, effort):
    def check(data):
        container, dtype, frames = data.draw(frames_in_containers())
        X = CONTAINERS[container][0](frames.build(dtype))
        fitted, answers = fit_and_answer(case, X, frames)
        plain, expected = plainly_fitted(case.name, frames)
        assert_same_arrays(fitted._weights, plain._weights, case.rounding)
        assert_same_arrays(answers, expected, case.rounding)

    explore(check, 60, effort)


# -- labels and tokens: only their order counts ------------------------------------


def in_order(symbols, n):
    """Some `n` different symbols, sorted."""
    return st.lists(symbols, min_size=n, max_size=n, unique=True).map(sorted)


def whole(dtype):
    return st.integers(
        *(int(getattr(np.iinfo(dtype), name)) for name in ("min", "max"))
    )


def arrays_of(dtype):
    return lambda labels: np.array(labels, dtype=dtype)


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
WORDS = st.text(CHARACTERS, min_size=1, max_size=9).filter(lambda x: x.split() == [x])
INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]

# What labels can be, and how a user may hold a sequence of them.
LABELS = {
    "str": (CHARACTERS, "".join),
    "list of words": (st.text(CHARACTERS, max_size=9), list),
    "tuple of words": (st.text(CHARACTERS, max_size=9), tuple),
    "array of words": (WORDS, lambda labels: np.array(labels, dtype="U9")),
    "list of ints": (whole("i8"), list),
    "tuple of bools": (st.booleans(), tuple),
    "array of bools": (st.booleans(), arrays_of(bool)),
    "array of floats": (whole("i2").map(float), arrays_of("f4")),
    **{f"array of {d}": (whole(d), arrays_of(d)) for d in [*INTEGERS, ">i4", ">u2"]},
}
TOKENS = {
    "text": (WORDS, " ".join, "word"),
    "characters": (CHARACTERS, "".join, "char"),
    "list of words": (WORDS, list, "word"),
    "tuple of any text": (st.text(CHARACTERS, min_size=1, max_size=9), tuple, None),
    "array of words": (WORDS, lambda tokens: np.array(tokens, dtype="U9"), "word"),
    "object array": (WORDS, lambda tokens: np.array(tokens, dtype=object), None),
    "list of ints": (whole("i8"), list, None),
    **{f"array of {d}": (whole(d), arrays_of(d), None) for d in [*INTEGERS[:7], ">i4"]},
}
COLLECTIONS = {
    "list": list,
    "tuple": tuple,
    "object array": object_array,
    "Series": lambda items: pd.Series(items, index=range(len(items), 0, -1)),
    "lazy": Lazy,
}


def assert_same_items(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)


FRAMES = Frames((3, 9, 4, 5, 2), 2, 0, 101)
LABEL_IDS = [[0, 1], [1, 0, 0], [], [0], [1]]


@pytest.mark.parametrize("effort", EFFORTS)
def test_labels_of_any_kind_are_learnt_and_predicted_alike(effort):
    X = FRAMES.build()
    plain = tiny(CTC).fit(X, LABEL_IDS)
    expected, scores = plain.predict(X), plain.score_samples(X, LABEL_IDS)

    def check(data):
        symbols, form = LABELS[data.draw(st.sampled_from(list(LABELS)))]
        alphabet = data.draw(in_order(symbols, 2))
        collect = COLLECTIONS[data.draw(st.sampled_from(list(COLLECTIONS)))]
        y = collect([form([alphabet[i] for i in ids]) for ids in LABEL_IDS])
        fitted = tiny(CTC).fit(X, y)
        assert_same_arrays(fitted._weights, plain._weights)
        wanted = [form([alphabet[i] for i in ids]) for ids in expected]
        assert_same_items(fitted.predict(X), wanted)
        assert_same_arrays([fitted.score_samples(X, y)], [scores])

    explore(check, 60, effort)


TOKEN_IDS = [[0, 1, 2], [2], [1, 1, 0], [0, 2], [2, 1]]


@st.composite
def texts_of_ids(draw, ids):
    """The ids as texts, what tells texts apart again, and how ids become texts."""
    symbols, form, tokenizer = TOKENS[draw(st.sampled_from(list(TOKENS)))]
    alphabet = draw(in_order(symbols, 3))
    collect = COLLECTIONS[draw(st.sampled_from(list(COLLECTIONS)))]

    def say(samples):
        return collect([form([alphabet[i] for i in ids]) for ids in samples])

    return say(ids), tokenizer, say


@pytest.mark.parametrize("effort", EFFORTS)
def test_tokens_of_any_kind_are_learnt_and_predicted_alike(effort):
    bare = {"source_tokenizer": None, "target_tokenizer": None}
    plain = tiny(TRANSLATOR, **bare).fit(TOKEN_IDS, TOKEN_IDS[::-1])
    expected = plain.predict(TOKEN_IDS)
    scores = plain.score_samples(TOKEN_IDS, TOKEN_IDS[::-1])

    def check(data):
        X, source_tokenizer, _ = data.draw(texts_of_ids(TOKEN_IDS))
        y, target_tokenizer, say = data.draw(texts_of_ids(TOKEN_IDS[::-1]))
        fitted = tiny(
            TRANSLATOR,
            source_tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
        ).fit(X, y)
        assert_same_arrays(fitted._weights, plain._weights)
        assert_same_items(fitted.predict(X), list(say(expected)))
        assert_same_arrays([fitted.score_samples(X, y)], [scores])

    explore(check, 60, effort)


# -- damage: a right result, or an error in our own words ---------------------------


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

    ours = error_of(lambda: tiny(CTC).fit(["a"], ["b"]))
    assert has_own_words(ours, "X")
    assert not has_own_words(ours, "y_true")
    theirs = error_of(lambda: tiny(CTC).fit(np.ones(3), ["b"]))
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
    assert all(issubclass(w.category, UserWarning) for w in caught), caught
    return True


def assert_fitted(case, estimator, X):
    n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
    assert len(estimator.predict(X)) == n_samples
    assert np.isfinite(case.degrees_of(estimator, X)).all()


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_spoilt_data_are_learnt_from_or_refused_in_our_own_words(case, effort):

    good_X, good_y = case.draw(5)

    def check(data):
        spoil_y = case.learns_from_y and data.draw(st.booleans())
        X = good_X if spoil_y else spoilt(data.draw, good_X)
        y = spoilt(data.draw, good_y) if spoil_y else good_y
        estimator = tiny(case)
        if survives(estimator, lambda: estimator.fit(X, y), "X", "y"):
            assert_fitted(case, estimator, X)

    explore(check, 150, effort)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("case", ESTIMATORS, ids=str)
def test_spoilt_data_are_answered_or_refused_in_our_own_words(case, effort):
    good_X, good_y = case.draw(5)
    fitted = tiny(case).fit(good_X, good_y)

    def check(data):
        X = spoilt(data.draw, good_X)
        y = spoilt(data.draw, good_y if case.learns_from_y else [0, 1, 0])
        if survives(fitted, lambda: fitted.predict(X), "X"):
            assert_fitted(case, fitted, X)
        survives(fitted, lambda: fitted.score(good_X, y), "X", "y", "y_true")
        if case.learns_from_y:
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
        estimator, (X, y) = tiny(case), case.draw(5)
        names = "sample_weight", "Sample weights"
        fit = {"X": X, "y": y, "sample_weight": weights}
        if survives(estimator, lambda: estimator.fit(**fit), *names):
            assert_fitted(case, estimator, X)
            survives(estimator, lambda: estimator.score(**fit), *names)

    explore(check, 40, effort)


ROUTED = [
    "callbacks__patience",
    "encoder__width",
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
    names = sorted({*case.make().get_params(), *ROUTED})
    X, y = case.draw(5)

    def check(data):
        param = data.draw(st.sampled_from(names))
        value = data.draw(values(param))
        # A front end of the user's own speaks for itself.
        assume(param != "encoder" or not callable(value))
        estimator = tiny(case, **{param: value})
        fit = lambda: estimator.fit(X, y)  # noqa: E731
        named = param, PARTNERS.get(param, param)
        if survives(estimator, fit, *named, "loss is not finite"):
            assert_fitted(case, estimator, X)

    explore(check, 150, effort)
