"""Whatever form data come in, what is learnt and answered is the same."""

import tempfile
from collections import deque
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from hypothesis import assume
from hypothesis import strategies as st

from skseq._data.collections import object_array
from tests.estimators import AUTOENCODER, CTC, ESTIMATORS, TRANSLATOR
from tests.exploring import DTYPES, EFFORTS, FLOATS, NATIVE, explore


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


def labels_for(frames, case):
    """Two labels or values, both of which occur."""
    n_samples = len(frames.lengths)
    if case.writes == "labels of frames":
        return [("ab" * n)[:n] for n in frames.lengths]
    if case.writes == "numbers":
        return [1.0, *(0.5, 2.0) * 5][:n_samples]
    if case.counts_pairs:
        return [*"abbaabbab"][:n_samples]
    return ["ab", *"abbaabba"][:n_samples]


READERS = [case for case in ESTIMATORS if case.reads_frames]
READERS += [AUTOENCODER.variant("autoencoder of changes", difference=True)]


def fit_and_answer(case, X, frames):
    # A class of one sequence of two frames has two parts, without a mean of their own.
    settings = {"center": False} if case.counts_pairs else {}
    fitted = case.tiny(**settings).fit(
        X, labels_for(frames, case) if case.learns_from_y else None
    )
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
        assume(len(frames.lengths) > 1 or not case.counts_pairs)
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
    plain = CTC.tiny().fit(X, LABEL_IDS)
    expected, scores = plain.predict(X), plain.score_samples(X, LABEL_IDS)

    def check(data):
        symbols, form = LABELS[data.draw(st.sampled_from(list(LABELS)))]
        alphabet = data.draw(in_order(symbols, 2))
        collect = COLLECTIONS[data.draw(st.sampled_from(list(COLLECTIONS)))]
        y = collect([form([alphabet[i] for i in ids]) for ids in LABEL_IDS])
        fitted = CTC.tiny().fit(X, y)
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
    plain = TRANSLATOR.tiny(**bare).fit(TOKEN_IDS, TOKEN_IDS[::-1])
    expected = plain.predict(TOKEN_IDS)
    scores = plain.score_samples(TOKEN_IDS, TOKEN_IDS[::-1])

    def check(data):
        X, source_tokenizer, _ = data.draw(texts_of_ids(TOKEN_IDS))
        y, target_tokenizer, say = data.draw(texts_of_ids(TOKEN_IDS[::-1]))
        fitted = TRANSLATOR.tiny(
            source_tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
        ).fit(X, y)
        assert_same_arrays(fitted._weights, plain._weights)
        assert_same_items(fitted.predict(X), list(say(expected)))
        assert_same_arrays([fitted.score_samples(X, y)], [scores])

    explore(check, 60, effort)
