"""What is accepted as X and as weights, and the sentence that refuses the rest."""

import gc
import re
import weakref
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from scipy import sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import _NotAnArray

from skseq._data.collections import object_array
from skseq._data.sequences import check_sequences
from skseq._data.weights import check_sample_weight
from skseq.preprocessing import from_long_frame

RAGGED = [
    np.arange(12.0).reshape(4, 3),
    np.arange(15.0).reshape(5, 3) + 0.5,
    np.arange(6.0).reshape(2, 3) - 7,
]


LONG = pd.DataFrame({"id": list("aaabbb"), "t": [0, 1, 2] * 2, "value": np.ones(6)})


class E(BaseEstimator):
    pass


class Lazy:
    """A collection that can only count and fetch."""

    def __init__(self, fetch, n_samples=3):
        self.fetch = fetch
        self.n_samples = n_samples

    def __len__(self):
        return self.n_samples

    def __getitem__(self, i):
        if not isinstance(i, int) or not 0 <= i < self.n_samples:
            raise TypeError(f"a lazy collection was asked for {i!r}")
        return self.fetch(i)


def fit(X, **options):
    return check_sequences(E(), X, reset=True, **options)


def fitted_on(X):
    estimator = E()
    check_sequences(estimator, X, reset=True)
    return estimator


def ragged(**replacements):
    """Return RAGGED with items exchanged: ragged(x1=...) exchanges X[1]."""
    return [replacements.get(f"x{i}", x) for i, x in enumerate(RAGGED)]


def with_value(value):
    x = RAGGED[1].copy()
    x[2, 0] = value
    return ragged(x1=x)


def padded(values=np.nan):
    X = np.full((3, 5, 3), values)
    for i, x in enumerate(RAGGED):
        X[i, : len(x)] = x
    return X


def memmap(tmp_path, x):
    path = tmp_path / "x.npy"
    np.save(path, x)
    return np.load(path, mmap_mode="r")


def leading_nan():
    X = np.ones((2, 4, 3))
    X[0, 0] = np.nan
    return X


def frame(columns, n_frames=2):
    return pd.DataFrame(np.ones((n_frames, len(columns))), columns=list(columns))


def ragged_tensor():
    return tf.RaggedTensor.from_row_lengths(np.concatenate(RAGGED), [4, 5, 2])


BAD_X = {
    "None": (None, ValueError, "X is None; expected a list of (n_frames, n_features)"),
    "str": (
        "abc",
        TypeError,
        "X must be a collection of sequences, got a single str 'abc'. Did you mean [X]",
    ),
    "bytes": (b"abc", TypeError, "got a single bytes b'abc'. Did you mean [X]?"),
    "int": (3, TypeError, "X must be a collection of sequences, got 3."),
    "0-d array": (
        np.array(3.0),
        ValueError,
        "Expected 2D array, got scalar array instead:",
    ),
    "dict": (
        {"a": RAGGED[0]},
        TypeError,
        "X must be an ordered collection of sequences, got dict.",
    ),
    "set": ({1, 2}, TypeError, "an ordered collection of sequences, got set."),
    "generator": (
        (x for x in RAGGED),
        TypeError,
        "X must have a length and be indexable, got generator. Convert it with list(X)",
    ),
    "empty list": (
        [],
        ValueError,
        "Found array with 0 sample(s) (X is empty) while a minimum of 1 is required by "
        "E.",
    ),
    "empty 3-D": (np.empty((0, 5, 3)), ValueError, "Found array with 0 sample(s)"),
    "empty 2-D": (
        np.empty((0, 3)),
        ValueError,
        "Found array with 0 sample(s) (shape=(0, 3)) while a minimum of 1 is required "
        "by E.",
    ),
    "no columns": (
        np.empty((12, 0)),
        ValueError,
        "Found array with 0 feature(s) (shape=(12, 0)) while a minimum of 1 is "
        "required by E.",
    ),
    "1-D array": (np.ones(3), ValueError, "Expected 2D array, got 1D array instead:"),
    "flat list": ([1.0, 2], ValueError, "Expected 2D array, got 1D array instead:"),
    "flat object array": (
        np.array([1, 2.5], dtype=object),
        ValueError,
        "Expected 2D array, got 1D array instead:",
    ),
    "flat Series": (
        pd.Series([1.0, 2.0]),
        ValueError,
        "Expected 2D array, got 1D array instead:",
    ),
    "1-D array and the way out": (
        np.ones(3),
        ValueError,
        "X is 3 numbers. Reshape your data: [X] is one sequence of one feature.",
    ),
    "4-D array": (
        np.ones((2, 2, 2, 2)),
        ValueError,
        "Found array with dim 4, while dim <= 3 is required by E.",
    ),
    "no frames": (
        ragged(x1=np.empty((0, 3))),
        ValueError,
        "X[1] has 0 frame(s) (shape=(0, 3)) while a minimum of 1 is required by E.",
    ),
    "no frames but padding": (
        np.where(np.arange(3)[:, None, None] == 1, np.nan, np.ones((3, 2, 2))),
        ValueError,
        "X[1] has 0 frame(s) (shape=(2, 2), all of it NaN padding)",
    ),
    "nested empty lists": (
        [[], []],
        ValueError,
        "X[0] has 0 frame(s) (shape=(0,)) while a minimum of 1 is required by E.",
    ),
    "no features": (
        ragged(x0=np.empty((5, 0))),
        ValueError,
        "X[0] has 0 feature(s) (shape=(5, 0)) while a minimum of 1 is required by E.",
    ),
    "widths differ": (
        ragged(x2=np.ones((4, 2))),
        ValueError,
        "X[2] has 2 features, but X[0] has 3.",
    ),
    "transposed": (
        ragged(x1=np.ones((3, 7))),
        ValueError,
        "X[1] has 7 features, but X[0] has 3. Is it transposed? Sequences are "
        "(n_frames, n_features).",
    ),
    "1-D among 2-D": (
        [np.ones((2, 1)), np.ones(3)],
        ValueError,
        "X mixes 1-D (X[1]) and 2-D (X[0]) sequences.",
    ),
    "2-D among 1-D": (
        [np.ones(3), np.ones((2, 1))],
        ValueError,
        "X mixes 1-D (X[0]) and 2-D (X[1]) sequences.",
    ),
    "scalar": (
        ragged(x1=np.array(3.0)),
        ValueError,
        "X[1] is a scalar (array(3.)); every sample must be a (n_frames, n_features) "
        "array.",
    ),
    "item None": (ragged(x1=None), ValueError, "X[1] is None."),
    "item str": (
        ragged(x1="hello"),
        ValueError,
        "X[1] is text ('hello'); numeric sequences are required.",
    ),
    "paths": (["a.wav", "b.wav"], ValueError, "If it names a file, read it first."),
    "Paths": (
        [Path("a.wav")],
        ValueError,
        f"X[0] is text ({Path('a.wav')!r}); numeric sequences are required.",
    ),
    "what reads audio": (
        (8000, np.ones(9)),
        ValueError,
        "of a (sample_rate, waveform) pair the waveform alone.",
    ),
    "what reads audio, several": (
        [(8000, np.ones(9))] * 2,
        ValueError,
        "X[0] is not rectangular: its frames have different numbers of features. Is it "
        "a (sample_rate, waveform) pair",
    ),
    "what a converter returns": (
        from_long_frame(LONG, id="id", time="t"),
        ValueError,
        "X is a pair, the first of which is a collection of sequences. Unpack it: "
        "X, ids = X.",
    ),
    "a pair of lists, one of them jagged inside": (
        ([[[1], [1, 2]]], [[1.0]]),
        ValueError,
        "X[0] is not rectangular: its frames have different numbers of features.",
    ),
    "a long table": (
        LONG,
        ValueError,
        "skseq.preprocessing.from_long_frame(X, id=..., time=...)",
    ),
    "a table of dates": (
        LONG.assign(id=pd.date_range("2020-01-01", periods=6)),
        TypeError,
        "skseq.preprocessing.from_long_frame(X, id=..., time=...)",
    ),
    "item 3-D": (
        ragged(x1=np.ones((2, 2, 3))),
        ValueError,
        "X[1] has 3 dimensions; every sample must be (n_frames, n_features) or "
        "(n_frames,).",
    ),
    "item dict": (ragged(x0={}), TypeError, "X[0] is a dict, not a sequence"),
    "item set": (ragged(x0={1.0}), TypeError, "X[0] is a set, not a sequence"),
    "NaN": (
        with_value(np.nan),
        ValueError,
        "Input X contains NaN (X[1][2, 0]; 1 non-finite value(s) in that sequence).",
    ),
    "inf": (
        with_value(np.inf),
        ValueError,
        "Input X contains infinity (X[1][2, 0]; 1 non-finite value(s) in that",
    ),
    "-inf": (
        with_value(-np.inf),
        ValueError,
        "Input X contains infinity (X[1][2, 0]; 1 non-finite value(s) in that",
    ),
    "overflow": (
        with_value(1e300),
        ValueError,
        "Input X[1] contains a value too large for dtype('float32').",
    ),
    "matrix overflow": (
        np.array([[1, 2], [3, -1e39]]),
        ValueError,
        "Input X contains a value too large for dtype('float32') (X[1, 1]).",
    ),
    "matrix NaN": (np.array([[1, np.nan]]), ValueError, "Input X contains NaN."),
    "3-D NaN": (
        leading_nan(),
        ValueError,
        "Input X contains NaN (X[0][0, 0]; 3 non-finite value(s) in that sequence).",
    ),
    "complex": (
        ragged(x0=np.ones((2, 3)) * 1j),
        ValueError,
        "Complex data not supported (X[0] has dtype complex128).",
    ),
    "complex matrix": (
        np.ones((2, 3)) * 1j,
        ValueError,
        "Complex data not supported",
    ),
    "dates": (
        [np.array(["2020-01-01"], dtype="M8[D]")],
        TypeError,
        "X[0] has dtype datetime64[D]; convert dates to numbers first.",
    ),
    "matrix of dates": (
        np.array([["2020-01-01"]], dtype="M8[D]"),
        TypeError,
        "X has dtype datetime64[D]; convert dates to numbers first.",
    ),
    "digits as text": (
        [np.array(["1", "2"])],
        ValueError,
        "X[0] has dtype <U1; numeric sequences are required.",
    ),
    "texts": (["abc", "de"], ValueError, "X[0] is text ('abc')"),
    "array of texts": (np.array(["abc", "de"]), ValueError, "X[0] is text"),
    "object dict": (
        [np.array([[{}, 1.0]], dtype=object)],
        TypeError,
        "X[0] has dtype object and cannot be converted to float: float() argument must "
        "be a string or a real number, not 'dict'",
    ),
    "object None": (
        [np.array([[None, 1.0]], dtype=object)],
        ValueError,
        "Input X contains NaN (X[0][0, 0]; 1 non-finite value(s) in that sequence).",
    ),
    "jagged": (
        [[[1, 2], [3]]],
        ValueError,
        "X[0] is not rectangular: its frames have different numbers of features.",
    ),
    "sparse": (
        sp.csr_matrix(np.eye(3)),
        TypeError,
        "Sparse data was passed for X, but dense data is required. Use '.toarray()' to "
        "convert to a dense numpy array.",
    ),
    "sparse that is a dict": (
        sp.dok_array((3, 3)),
        TypeError,
        "Sparse data was passed for X",
    ),
    "list of sparse": (
        [sp.csr_array(np.eye(3))],
        TypeError,
        "X[0] is sparse; dense data is required. Use '.toarray()'.",
    ),
    "masked": (
        [np.ma.masked_equal([[1.0, 2.0]], 2)],
        ValueError,
        "X[0] is a masked array with 1 masked values; masks are not supported",
    ),
    "masked 3-D": (
        np.ma.masked_equal(np.arange(8.0).reshape(2, 2, 2), 2),
        ValueError,
        "X is a masked array with 1 masked values; masks are not supported",
    ),
    "masked matrix": (
        np.ma.masked_equal([[1.0, 2.0]], 2),
        ValueError,
        "X is a masked array with 1 masked values; masks are not supported",
    ),
    "columns reordered": (
        [frame(["a", "b", "c"]), frame(["a", "c", "b"])],
        ValueError,
        "X[1] has columns ['a', 'c', 'b'], but X[0] has columns ['a', 'b', 'c'].",
    ),
    "columns lost": (
        [frame(["a", "b"]), np.ones((2, 2))],
        ValueError,
        "X[1] has columns without names, but X[0] has columns ['a', 'b'].",
    ),
    "column of text": (
        pd.DataFrame({"a": [1.0], "b": ["x"]}),
        ValueError,
        "could not convert string to float: 'x'",
    ),
    "np.matrix": (np.matrix([[1.0]]), TypeError, "np.matrix is not supported."),
    "recarray": (
        np.rec.array([(1, 2.0), (3, 4.0)]),
        ValueError,
        "Expected 2D array, got 1D array instead:",
    ),
    "ragged tensor of jagged frames": (
        tf.ragged.constant([[[1.0, 2.0]], [[3.0, 4.0], [5.0]]]),
        ValueError,
        "Frame 1 of X[1] has 1 features, but frame 0 of X[0] has 2.",
    ),
    "ragged tensor, 4-D": (
        tf.ragged.constant([[[[1.0]]]]),
        ValueError,
        "Found a ragged tensor with dim 4 (X), while dim <= 3 is required.",
    ),
    "ragged tensor with an empty row": (
        tf.ragged.constant([[1.0], []]),
        ValueError,
        "X[1] has 0 frame(s) (shape=(0,)) while a minimum of 1 is required by E.",
    ),
    "ragged tensor without rows": (
        ragged_tensor()[:0],
        ValueError,
        "Found array with 0 sample(s) (X is empty) while a minimum of 1 is required by "
        "E.",
    ),
}


@pytest.mark.parametrize(("X", "error", "message"), BAD_X.values(), ids=BAD_X)
def test_bad_x_is_refused_with_a_sentence_that_names_it(X, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fit(X)


GOOD_X = {
    "ragged tensor": (ragged_tensor(), RAGGED),
    "ragged tensor of lists": (
        tf.ragged.constant([x.tolist() for x in RAGGED]),
        RAGGED,
    ),
    "ragged tensor of series": (
        tf.ragged.constant([[1.0, 2.0], [3.0]]),
        [np.array([[1.0], [2.0]]), np.array([[3.0]])],
    ),
    "tensor": (tf.ones((2, 3, 2)), [np.ones((3, 2))] * 2),
    "tensors": ([tf.constant(x) for x in RAGGED], RAGGED),
    "tuple": (tuple(RAGGED), RAGGED),
    "object array": (object_array(RAGGED), RAGGED),
    "Series, shuffled index": (pd.Series(RAGGED, index=[2, 0, 1]), RAGGED),
    "polars Series": (
        pl.Series([[1.0, 2.0], [3.0]]),
        [np.array([[1.0], [2.0]]), np.array([[3.0]])],
    ),
    "polars Series of frames": (
        pl.Series([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]]),
        [np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])],
    ),
    "nested lists": ([x.tolist() for x in RAGGED], RAGGED),
    "ragged lists of numbers": ([[1, 2], [3]], [np.array([[1], [2]]), np.array([[3]])]),
    "lazy": (Lazy(RAGGED.__getitem__), RAGGED),
    "lazy lists": (Lazy(lambda i: RAGGED[i].tolist()), RAGGED),
    "padded 3-D": (padded(), RAGGED),
    "3-D": (np.arange(12).reshape(2, 3, 2), list(np.arange(12).reshape(2, 3, 2))),
    "__array__, 3-D": (_NotAnArray(np.ones((2, 3, 2))), [np.ones((3, 2))] * 2),
    "objects": ([x.astype(object) for x in RAGGED], RAGGED),
    "Fortran order": ([np.asfortranarray(x) for x in RAGGED], RAGGED),
    "negative strides": ([x[::-1, ::-1][::-1, ::-1] for x in RAGGED], RAGGED),
    "masked, none": ([np.ma.masked_array(x) for x in RAGGED], RAGGED),
    "equal lengths": ([np.ones((2, 3))] * 3, [np.ones((2, 3))] * 3),
    "1-D, equal lengths": ([np.ones(2), np.zeros(2)], [np.ones((2, 1)), [[0], [0]]]),
    "1-D, ragged": ([np.ones(2), np.ones(3)], [np.ones((2, 1)), np.ones((3, 1))]),
    "one frame": ([np.ones((1, 3))], [np.ones((1, 3))]),
    "one sample": (RAGGED[:1], RAGGED[:1]),
    "constant feature": ([np.zeros((4, 3))] * 2, [np.zeros((4, 3))] * 2),
    "data frames": ([frame("ab"), frame("ab", 3)], [np.ones((2, 2)), np.ones((3, 2))]),
    "polars data frames, ragged": (
        [pl.DataFrame(x, schema=["a", "b", "c"]) for x in RAGGED],
        RAGGED,
    ),
    "polars data frames": ([pl.DataFrame({"a": [1.0, 2.0]})], [[[1.0], [2.0]]]),
    "large single precision": ([np.full((2, 1), 3e38)], [np.full((2, 1), 3e38)]),
    "large half precision": (
        [np.full((9, 1), 6e4, dtype=np.float16)],
        [np.full((9, 1), 6e4, dtype=np.float16)],
    ),
}
for name in ("i4", "u1", "?", "f2", ">f8", ">i2", "f4", "longdouble"):
    GOOD_X[name] = ([x.astype(name) for x in RAGGED], [x.astype(name) for x in RAGGED])


@pytest.mark.parametrize(("X", "expected"), GOOD_X.values(), ids=GOOD_X)
def test_every_container_of_sequences_reads_the_same(X, expected):
    estimator = E()
    sequences = check_sequences(estimator, X, reset=True)
    assert len(sequences) == len(expected)
    assert sequences.layout == "sequences"
    assert sequences.n_features == estimator.n_features_in_ == np.shape(expected[0])[1]
    assert sequences.lengths.dtype == np.int64
    assert sequences.lengths.tolist() == [len(x) for x in expected]
    for frames, x in zip(sequences, expected, strict=True):
        assert frames.dtype.kind in "biuf"
        np.testing.assert_array_equal(frames, x)


@pytest.mark.parametrize(
    "wrap",
    [np.asarray, _NotAnArray, np.ndarray.tolist, pd.DataFrame, pl.DataFrame],
    ids=["array", "__array__", "nested list", "pandas", "polars"],
)
def test_rows_of_a_matrix_are_univariate_sequences(wrap):
    matrix = np.arange(6.0).reshape(2, 3)
    estimator = E()
    sequences = check_sequences(estimator, wrap(matrix), reset=True)
    assert estimator.n_features_in_ == 3
    assert (sequences.n_features, sequences.layout) == (1, "matrix")
    assert sequences.lengths.tolist() == [3, 3]
    np.testing.assert_array_equal(sequences[1], [[3.0], [4.0], [5.0]])


@pytest.mark.parametrize(
    ("fitted", "X", "message"),
    [
        (RAGGED, [np.ones((4, 2))], "X has 2 features, but E is expecting 3 features"),
        (
            RAGGED,
            np.ones((4, 3)),
            "E was fitted on sequences of 3 features but got a 2-D X. Wrap a single "
            "sequence in a list: [X].",
        ),
        (RAGGED, RAGGED[0].tolist(), "Wrap a single sequence in a list: [X]."),
        (RAGGED, np.ones(4), "Expected 2D array, got 1D array instead:"),
        (
            np.ones((4, 3)),
            RAGGED,
            "E was fitted on a 2-D array but got sequences of shape (n_frames, "
            "n_features).",
        ),
        (
            np.ones((4, 3)),
            np.ones((4, 2)),
            "X has 2 features, but E is expecting 3 features as input.",
        ),
        (RAGGED, [], "Found array with 0 sample(s)"),
        (
            [frame("ab")],
            [frame("ba")],
            "Feature names must be in the same order as they were in fit.",
        ),
        ([frame("ab")], [frame("ac")], "Feature names seen at fit time, yet now"),
        (RAGGED, with_value(np.nan), "Input X contains NaN (X[1][2, 0]"),
    ],
)
def test_x_unlike_the_x_of_fit_is_refused(fitted, X, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_sequences(fitted_on(fitted), X, reset=False)


def test_a_matrix_serves_an_estimator_fitted_on_sequences_of_one_feature():
    estimator = fitted_on([np.ones(3), np.ones(5)])
    sequences = check_sequences(estimator, [[1.0, 2.0], [3.0, 4.0]], reset=False)
    assert estimator.n_features_in_ == 1
    np.testing.assert_array_equal(sequences[1], [[3.0], [4.0]])


@pytest.mark.parametrize("X", [RAGGED, np.ones((2, 3)), [frame("ab")], frame("ab")])
@pytest.mark.filterwarnings("error")
def test_an_estimator_without_state_has_nothing_to_compare(X):
    estimator = E()
    check_sequences(estimator, X, reset=False)
    assert vars(estimator) == {}


def test_fit_on_data_frames_records_their_columns_and_another_fit_forgets_them():
    estimator = fitted_on([frame("ab"), frame("ab", 4)])
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    check_sequences(estimator, [frame([0, 1])], reset=True)
    assert not hasattr(estimator, "feature_names_in_")


def test_arrays_after_data_frames_warn_as_in_scikit_learn():
    estimator = fitted_on([frame("ab")])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        check_sequences(estimator, [np.ones((2, 2))], reset=False)


def test_a_refused_x_leaves_the_estimator_as_it_was():
    estimator = fitted_on(RAGGED)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match="NaN"):
        check_sequences(estimator, [np.full((2, 5), np.nan)], reset=True)
    assert vars(estimator) == before


def test_only_trailing_frames_that_are_nan_throughout_are_padding():
    X = padded()
    X[2, 1, 0] = np.nan  # a real frame, as its other features are numbers
    with pytest.raises(ValueError, match=r"NaN \(X\[2\]\[1, 0\]; 1 non-finite"):
        fit(X)
    assert fit(X, check_finite=False).lengths.tolist() == [4, 5, 2]


def test_values_are_let_pass_when_finiteness_is_not_asked_for():
    frames = fit(with_value(np.inf), check_finite=False)[1]
    assert np.isinf(frames[2, 0])
    assert np.isnan(fit([[1.0, np.nan]], check_finite=False)[0][1, 0])


@pytest.mark.parametrize(
    "X",
    [RAGGED, object_array(RAGGED), padded(), np.ones((2, 3)), Lazy(RAGGED.__getitem__)],
    ids=["list", "object array", "3-D", "matrix", "lazy"],
)
def test_arrays_are_never_copied(X):
    sequences = fit(X)
    subset = sequences.take([1, 0])
    for i in (0, 1):
        assert np.shares_memory(sequences[i], X[i])
        assert np.shares_memory(subset[i], X[1 - i])


@pytest.mark.parametrize("X", [RAGGED, padded(), np.ones((2, 3))])
def test_what_is_handed_out_cannot_be_written_to(X):
    frames = fit(X)[0]
    with pytest.raises(ValueError, match="read-only"):
        frames[0, 0] = 1
    assert X[0].flags.writeable


def test_a_read_only_memmap_is_neither_copied_nor_loaded(tmp_path):
    x = memmap(tmp_path, RAGGED[0])
    assert np.shares_memory(fit([x])[0], x)
    X = memmap(tmp_path, padded())
    assert np.shares_memory(fit(X)[2], X)


def test_a_subset_shares_the_source_and_names_samples_as_the_user_does():
    X = Lazy(RAGGED.__getitem__)
    subset = fit(X).take([2, 0, 1]).take(np.array([False, True, True]))
    assert subset.source is X
    assert subset.lengths.tolist() == [4, 5]
    np.testing.assert_array_equal(subset[-1], RAGGED[1])
    X.fetch = lambda i: RAGGED[i][:1]
    with pytest.raises(ValueError, match=r"X\[1\] changed after it was checked"):
        subset[1]


@pytest.mark.parametrize("changed", [np.ones((9, 3)), np.ones((4, 2)), np.ones(4)])
def test_a_lazy_item_that_changes_between_passes_is_named(changed):
    X = Lazy(RAGGED.__getitem__)
    sequences = fit(X)
    X.fetch = lambda i: changed
    with pytest.raises(
        ValueError, match=r"X\[0\] changed .* it had 4 frame\(s\) of 3 feature\(s\)"
    ):
        sequences[0]


@pytest.mark.parametrize("as_frame", [False, True])
def test_a_lazy_source_is_read_one_sequence_at_a_time_and_nothing_of_it_is_held(
    as_frame,
):
    fetched, alive = [], []

    def fetch(i):
        alive.append(sum(x() is not None for x in fetched))
        x = np.ones((i + 2, 3))
        fetched.append(weakref.ref(x))
        return pd.DataFrame(x, columns=list("abc"), copy=False) if as_frame else x

    X = Lazy(fetch, n_samples=5)
    sequences = fit(X)
    assert sequences.lengths.tolist() == [2, 3, 4, 5, 6]
    assert alive == [0] * 5
    assert all(x() is None for x in fetched)
    source = weakref.ref(X)
    del X, sequences
    gc.collect()
    assert source() is None


def test_a_lazy_source_is_asked_for_each_sequence_once_a_pass():
    asked = []
    sequences = fit(Lazy(lambda i: asked.append(i) or RAGGED[i]))
    assert asked == [0, 1, 2]
    sequences[1]
    assert asked == [0, 1, 2, 1]


def test_an_index_out_of_range_is_an_index_error():
    with pytest.raises(IndexError):
        fit(RAGGED)[3]


@pytest.mark.parametrize(
    "X",
    [
        RAGGED,
        tuple(x.astype(np.float32) for x in RAGGED),
        [x.astype(">f8") for x in RAGGED],
        [np.asfortranarray(x) for x in RAGGED],
        padded(),
        Lazy(RAGGED.__getitem__),
    ],
)
def test_the_fingerprint_is_of_the_contents_and_not_of_the_container(X):
    contents = b"".join(
        [np.array([4, 5, 2], "<i8").tobytes()]
        + [x.astype("<f4").tobytes() for x in RAGGED]
    )
    assert fit(X).fingerprint() == zlib.crc32(contents)


@pytest.mark.parametrize(
    "other",
    [
        RAGGED[::-1],
        ragged(x2=RAGGED[2] + 1e-3),
        [np.vstack(RAGGED)],
        ragged(x1=RAGGED[1][:-1]),
    ],
    ids=["order", "value", "boundaries", "length"],
)
def test_the_fingerprint_tells_other_data(other):
    assert fit(other).fingerprint() != fit(RAGGED).fingerprint()


@pytest.mark.parametrize(
    ("sample_weight", "expected"),
    [
        (None, [1, 1, 1]),
        (2, [2, 2, 2]),
        (0.5, [0.5, 0.5, 0.5]),
        ([1, 0, 2], [1, 0, 2]),
        (np.array([1, 0, 2], dtype=">i4"), [1, 0, 2]),
        (pd.Series([1.0, 0.0, 2.0], index=[7, 1, 0]), [1, 0, 2]),
        (_NotAnArray(np.array([1.0, 0.0, 2.0])), [1, 0, 2]),
    ],
)
def test_weights_become_a_new_float64_array(sample_weight, expected):
    weights = check_sample_weight(sample_weight, 3)
    assert weights.dtype == np.float64
    assert weights.tolist() == expected


def test_weights_are_a_copy():
    given = np.ones(3)
    assert not np.shares_memory(check_sample_weight(given, 3), given)


@pytest.mark.parametrize(
    ("sample_weight", "error", "message"),
    [
        ([1, 1], ValueError, "with inconsistent numbers of samples: [3, 2]"),
        ([], ValueError, "with inconsistent numbers of samples: [3, 0]"),
        (np.ones((3, 1)), ValueError, "Sample weights must be 1D array or scalar"),
        (np.ones((3, 1, 1)), ValueError, "Sample weights must be 1D array or scalar"),
        (np.array(1.0), ValueError, "Sample weights must be 1D array or scalar"),
        ([1, np.nan, 1], ValueError, "Input sample_weight contains NaN."),
        ([1, np.inf, 1], ValueError, "Input sample_weight contains infinity"),
        (np.nan, ValueError, "Input sample_weight contains NaN."),
        ([1, 1, -2.5], ValueError, "sample_weight[2] is -2.5."),
        (-1, ValueError, "Negative values in data passed to `sample_weight`"),
        (["a", "b", "c"], ValueError, "could not convert string to float"),
        ("balanced", ValueError, "could not convert string to float"),
        ([0, 0, 0], ValueError, "Sample weights must contain at least one non-zero"),
        (0, ValueError, "Sample weights must contain at least one non-zero number."),
        (sp.csr_array(np.eye(3)), TypeError, "Sparse data was passed"),
    ],
)
def test_bad_weights_are_refused(sample_weight, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check_sample_weight(sample_weight, 3)


def test_an_object_array_keeps_items_of_one_shape_apart():
    items = [np.ones((2, 3)), np.zeros((2, 3))]
    array = object_array(iter(items))
    assert array.shape == (2,)
    assert all(kept is item for kept, item in zip(array, items, strict=True))
    assert object_array([]).shape == (0,)
