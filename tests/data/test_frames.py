"""What one sequence may be, and the sentence that refuses the rest."""

import re
from datetime import datetime
from pathlib import Path

import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from scipy import sparse as sp

from tests.data.samples import (
    LONG,
    RAGGED,
    assert_reads,
    fit,
    frame,
    leading_nan,
    padded,
    ragged,
    with_value,
)

pytestmark = pytest.mark.core


BAD_FRAMES = {
    "scalar": (
        ragged(x1=np.array(3.0)),
        ValueError,
        "X[1] is a scalar (array(3.)); every sample must be an array of shape "
        "(n_frames, n_features).",
    ),
    "item None": (ragged(x1=None), ValueError, "X[1] is None."),
    "item class": (
        ragged(x1=pd.DataFrame),
        TypeError,
        "X[1] has dtype object and cannot be converted to float",
    ),
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
        "Input X contains NaN (X[1][2, 0]; 1 non-finite value in that sequence).",
    ),
    "inf": (
        with_value(np.inf),
        ValueError,
        "Input X contains infinity (X[1][2, 0]; 1 non-finite value in that",
    ),
    "-inf": (
        with_value(-np.inf),
        ValueError,
        "Input X contains infinity (X[1][2, 0]; 1 non-finite value in that",
    ),
    "overflow": (
        with_value(1e300),
        ValueError,
        "Input X[1] contains a value too large for dtype('float32').",
    ),
    "3-D NaN": (
        leading_nan(),
        ValueError,
        "Input X contains NaN (X[0][0, 0]; 3 non-finite values in that sequence).",
    ),
    "complex": (
        ragged(x0=np.ones((2, 3)) * 1j),
        ValueError,
        "Complex data not supported (X[0] has dtype complex128).",
    ),
    "dates": (
        [np.array(["2020-01-01"], dtype="M8[D]")],
        TypeError,
        "X[0] has dtype datetime64[D]; convert dates to numbers first.",
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
        "Input X contains NaN (X[0][0, 0]; 1 non-finite value in that sequence).",
    ),
    "jagged": (
        [[[1, 2], [3]]],
        ValueError,
        "X[0] is not rectangular: its frames have different numbers of features.",
    ),
    "a frame is missing": (
        [[[1, 2]], [[1, 2], None]],
        ValueError,
        "X[1][1] is missing (None). Drop that frame, or fill it.",
    ),
    "list of sparse": (
        [sp.csr_array(np.eye(3))],
        TypeError,
        "X[0] is sparse; dense data is required. Use '.toarray()'.",
    ),
    "LazyFrame": (
        [pl.DataFrame({"a": [1.0]}).lazy()],
        TypeError,
        "X[0] is a LazyFrame, which holds no data yet. Pass X[0].collect().",
    ),
    "column of times": (
        [pd.DataFrame({"a": [1.0], "when": pd.date_range("2020", periods=1)})],
        TypeError,
        "(X[0][0, 1], column 'when'). Drop that column, or turn it into numbers.",
    ),
    "column of categories": (
        [pd.DataFrame({"a": [1.0], "state": pd.Categorical(["on"])})],
        ValueError,
        "(X[0][0, 1], column 'state'). Drop that column",
    ),
    "polars column of times": (
        [pl.DataFrame({"a": [1.0], "when": [datetime(2020, 1, 1)]})],
        TypeError,
        "X[0] holds times, not numbers (X[0][0, 1], column 'when'). Drop that column",
    ),
    "columns of one name": (
        [frame("aba")],
        ValueError,
        "X[0] has 2 columns named 'a'. Give each column a name of its own.",
    ),
    "keys and groups": (
        list(LONG.groupby("id")),
        ValueError,
        "Is it a (key, group) pair of a grouped table? Pass the groups alone: "
        "[group for _, group in X].",
    ),
    "pd.NA in a table": (
        [pd.DataFrame({"a": [1.0, 2.0], "b": pd.array([1, None], dtype="Int64")})],
        ValueError,
        "Input X contains missing values (X[0][1, 1], column 'b', is <NA>). Fill or "
        "drop these frames.",
    ),
    "pd.NA in an array": (
        [np.array([[1.0], [pd.NA]], dtype=object)],
        ValueError,
        "Input X contains missing values (X[0][1, 0] is <NA>).",
    ),
    "float8": (
        [np.ones((2, 1), dtype=ml_dtypes.float8_e5m2)],
        ValueError,
        "X[0] has dtype float8_e5m2; numeric sequences are required. Convert it with "
        ".astype('float32').",
    ),
    "masked": (
        [np.ma.masked_equal([[1.0, 2.0]], 2)],
        ValueError,
        "X[0] is a masked array with 1 masked value; masks are not supported",
    ),
}


@pytest.mark.parametrize(("X", "error", "message"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_bad_sequence_is_refused_with_a_sentence_that_names_it(X, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fit(X)


GOOD_FRAMES = {
    "tensor": (tf.ones((2, 3, 2)), [np.ones((3, 2))] * 2),
    "nested lists": ([x.tolist() for x in RAGGED], RAGGED),
    "ragged lists of numbers": ([[1, 2], [3]], [np.array([[1], [2]]), np.array([[3]])]),
    "objects": ([x.astype(object) for x in RAGGED], RAGGED),
    "Fortran order": ([np.asfortranarray(x) for x in RAGGED], RAGGED),
    "negative strides": ([x[::-1, ::-1][::-1, ::-1] for x in RAGGED], RAGGED),
    "masked, none": ([np.ma.masked_array(x) for x in RAGGED], RAGGED),
    "1-D, equal lengths": ([np.ones(2), np.zeros(2)], [np.ones((2, 1)), [[0], [0]]]),
    "1-D, ragged": ([np.ones(2), np.ones(3)], [np.ones((2, 1)), np.ones((3, 1))]),
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
    GOOD_FRAMES[name] = (
        [x.astype(name) for x in RAGGED],
        [x.astype(name) for x in RAGGED],
    )


@pytest.mark.parametrize(("X", "expected"), GOOD_FRAMES.values(), ids=GOOD_FRAMES)
def test_every_sequence_of_frames_reads_the_same(X, expected):
    assert_reads(X, expected)


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
