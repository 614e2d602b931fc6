"""Sequences come back from every form as they went in; what cannot is named."""

import sys
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from sklearn.base import BaseEstimator

from skseq._data.sequences import check_sequences
from skseq.preprocessing import (
    from_concatenated,
    from_data_frames,
    from_long_frame,
    from_nan_padded,
    from_ragged_tensor,
    to_concatenated,
    to_data_frames,
    to_long_frame,
    to_nan_padded,
    to_ragged_tensor,
)
from tests.processes import run_python

TABLES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


def ragged(dtype="float64", lengths=(3, 1, 5), n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(1, 100, (n, n_features)).astype(dtype) for n in lengths]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, y)
        assert x.dtype == y.dtype


def long_table(library="pandas", **changes):
    """Two sequences, "b" and "a", whose rows are mixed and not in the order of time."""
    columns = {
        "who": ["b", "a", "b", "b", "a"],
        "day": [3, 1, 1, 2, 0],
        "pulse": [93, 61, 91, 92, 60],
        "heat": [36.3, 37.1, 36.1, 36.2, 37.0],
    }
    return TABLES[library]({**columns, **changes})


B, A = [[91, 36.1], [92, 36.2], [93, 36.3]], [[60, 37.0], [61, 37.1]]


# -- round trips ------------------------------------------------------------------

ROUND_TRIPS = {
    "concatenated": lambda X: from_concatenated(*to_concatenated(X)),
    "long, pandas": lambda X: from_long_frame(to_long_frame(X), "id", "time")[0],
    "long, polars": lambda X: from_long_frame(
        to_long_frame(X, library="polars"), "id", "time"
    )[0],
    "data frames, pandas": lambda X: from_data_frames(to_data_frames(X)),
    "data frames, polars": lambda X: from_data_frames(
        to_data_frames(X, library="polars")
    ),
    "ragged tensor": lambda X: from_ragged_tensor(to_ragged_tensor(X)),
    "NaN-padded": lambda X: from_nan_padded(to_nan_padded(X)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
@pytest.mark.parametrize("form", [name for name in ROUND_TRIPS if name != "NaN-padded"])
def test_sequences_come_back_bit_for_bit(form, dtype):
    X = ragged(dtype)
    found = ROUND_TRIPS[form](X)
    assert found.shape == (3,)
    assert found.dtype == object
    assert_same(found, X)


@pytest.mark.parametrize(
    ("dtype", "padded"),
    [("float32", "float32"), ("int64", "float64"), ("uint8", "float16")],
)
def test_padded_sequences_come_back_as_floats_that_hold_them(dtype, padded):
    X = ragged(dtype)
    assert_same(from_nan_padded(to_nan_padded(X)), [x.astype(padded) for x in X])


@pytest.mark.parametrize("form", ROUND_TRIPS)
def test_sequences_of_one_length_stay_apart(form):
    X = ragged(lengths=(4, 4))
    assert_same(ROUND_TRIPS[form](X), X)


@pytest.mark.parametrize("form", ROUND_TRIPS)
def test_univariate_series_come_back_with_an_axis_of_features(form):
    X = [x[:, 0] for x in ragged()]
    assert_same(ROUND_TRIPS[form](X), [x[:, np.newaxis] for x in X])


@pytest.mark.parametrize("form", ["concatenated", "ragged tensor", "NaN-padded"])
def test_single_missing_values_are_kept(form):
    X = ragged()
    X[2][1, 0] = np.nan
    assert_same(ROUND_TRIPS[form](X), X)


def test_every_form_takes_every_other():
    X = ragged()
    forms = [
        to_nan_padded(X),
        to_data_frames(X),
        to_data_frames(X, library="polars"),
        to_ragged_tensor(X),
    ]
    for form in forms:
        for round_trip in ROUND_TRIPS.values():
            assert_same(round_trip(form), X)


# -- frames one after another -----------------------------------------------------


def test_concatenated_frames_are_cut_at_the_sums_of_the_lengths():
    X = np.arange(12).reshape(6, 2)
    assert_same(from_concatenated(X, [1, 3, 2]), [X[:1], X[1:4], X[4:]])
    assert_same(from_concatenated(X), [X])
    assert_same(from_concatenated(X[:, 0], np.array([2, 4])), [X[:2, 0], X[2:, 0]])


def test_concatenated_frames_are_not_copied():
    X = np.arange(12.0).reshape(6, 2)
    assert all(np.shares_memory(x, X) for x in from_concatenated(X, [4, 2]))


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([2, 3], r"add up to the 6 frames of X, but they add up to 5"),
        ([], r"add up to the 6 frames of X, but they add up to 0"),
        ([7, -1], r"lengths\[1\] is -1. Leave that sequence out"),
        ([6, 0], r"lengths\[1\] is 0"),
        ([2.5, 3.5], r"lengths\[0\] is .*2.5.*\.astype\(int\)"),
        (["", b"\x80"], r"lengths\[0\] is '' of dtype object"),
        (["6"], "must be integers"),
        ([True], "must be integers"),
        ([[2, 4]], r"must be one-dimensional.*\(1, 2\)"),
        (6, "must be one-dimensional"),
    ],
)
def test_lengths_that_cannot_be_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        from_concatenated(np.ones((6, 2)), lengths)


@pytest.mark.parametrize(
    ("X", "message"),
    [(3.0, "X is a scalar"), (np.ones((2, 3, 4)), "3 dim"), (["a", "b"], "numeric")],
)
def test_what_is_not_a_run_of_frames_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        from_concatenated(X, [1, 1])


# -- a long table -----------------------------------------------------------------


@pytest.mark.parametrize("library", TABLES)
def test_rows_are_gathered_by_id_and_sorted_by_time(library):
    X, ids = from_long_frame(long_table(library), id="who", time="day")
    assert ids.tolist() == ["b", "a"]
    assert_same(X, [np.array(B), np.array(A)])


@pytest.mark.parametrize("library", TABLES)
def test_features_are_chosen_by_name_and_keep_their_order(library):
    X, _ = from_long_frame(long_table(library), "who", "day", ["heat", "pulse"])
    assert_same(X, [np.array(B)[:, ::-1], np.array(A)[:, ::-1]])
    X, _ = from_long_frame(long_table(library), "who", "day", ["pulse"])
    assert_same(X, [np.array(rows)[:, :1].astype(int) for rows in (B, A)])


def test_without_a_time_rows_stay_in_the_order_of_the_table():
    X, _ = from_long_frame(long_table(), "who", None, ["day"])
    assert_same(X, [np.array([[3], [1], [2]]), np.array([[1], [0]])])


@pytest.mark.parametrize("library", TABLES)
def test_the_order_of_the_rows_does_not_matter_but_for_that_of_the_ids(library):
    frame = long_table(library)
    expected, ids = from_long_frame(frame, "who", "day")
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(5).tolist()
        shuffled = frame.iloc[order] if library == "pandas" else frame[order]
        found, found_ids = from_long_frame(shuffled, "who", "day")
        turn = slice(None, None, 1 if found_ids.tolist() == ids.tolist() else -1)
        assert_same(found[turn], expected)


@pytest.mark.parametrize(
    "days",
    [
        pd.to_datetime([f"2024-01-0{i + 1}" for i in (3, 1, 1, 2, 0)]),
        pd.to_datetime([f"2024-01-0{i + 1}" for i in (3, 1, 1, 2, 0)], utc=True),
        pd.to_timedelta([3, 1, 1, 2, 0], unit="D"),
        [date(2024, 1, i + 1) for i in (3, 1, 1, 2, 0)],
        np.array([3, 1, 1, 2, 0]) / 10,
    ],
    ids=["dates", "dates of a zone", "spans", "dates of Python", "fractions"],
)
def test_time_may_be_dates(days):
    X, _ = from_long_frame(long_table(day=days), "who", "day")
    assert_same(X, [np.array(B), np.array(A)])


def test_time_may_be_dates_of_polars():
    days = [date(2024, 1, i + 1) for i in (3, 1, 1, 2, 0)]
    X, _ = from_long_frame(long_table("polars", day=days), "who", "day")
    assert_same(X, [np.array(B), np.array(A)])


@pytest.mark.parametrize(
    "ids", [[7, -2, 7, 7, -2], [0.5, 0.1, 0.5, 0.5, 0.1], [True, False, True, True, 0]]
)
def test_ids_may_be_of_any_kind(ids):
    X, found = from_long_frame(long_table(who=ids), "who", "day")
    assert found.tolist() == ids[:2]
    assert_same(X, [np.array(B), np.array(A)])


def test_ids_may_be_categories():
    who = pd.Categorical(["b", "a", "b", "b", "a"], categories=["a", "b", "c"])
    X, ids = from_long_frame(long_table(who=who), "who", "day")
    assert ids.tolist() == ["b", "a"]
    assert_same(X, [np.array(B), np.array(A)])


@pytest.mark.parametrize("library", TABLES)
def test_nullable_and_boolean_columns_are_numbers(library):
    pulse = [93, 61, 91, 92, 60]
    if library == "pandas":
        pulse = pd.array(pulse, dtype="Int64")
    heat = [True, False, True, False, True]
    frame = long_table(library, pulse=pulse, heat=heat)
    X, _ = from_long_frame(frame, "who", "day")
    assert_same(X[1:], [np.array([[60, 1], [61, 0]])])


@pytest.mark.parametrize("library", TABLES)
def test_a_long_table_has_a_row_for_each_frame(library):
    X = [np.array([[1.5], [2.5]]), np.array([[3.5]])]
    names = {"id": "who", "time": "day", "features": ["pulse"]}
    frame = to_long_frame(X, ["b", "a"], library=library, **names)
    assert isinstance(frame, TABLES[library])
    columns = {name: frame[name].to_list() for name in frame.columns}
    assert columns == {
        "who": ["b", "b", "a"],
        "day": [0, 1, 0],
        "pulse": [1.5, 2.5, 3.5],
    }


def test_ids_come_back_from_a_long_table():
    for ids in (["b", "a", "c"], [5, 3, 4], np.array([0.5, 0.1, 0.2])):
        for library in TABLES:
            frame = to_long_frame(ragged(), ids, library=library)
            assert from_long_frame(frame, "id", "time")[1].tolist() == list(ids)


def test_the_columns_of_data_frames_keep_their_names_in_a_long_table():
    frames = [pd.DataFrame(x, columns=["pulse", "heat"]) for x in ragged()]
    assert list(to_long_frame(frames).columns) == ["id", "time", "pulse", "heat"]
    assert list(to_long_frame(ragged()).columns) == ["id", "time", "x0", "x1"]


WITHOUT_ORDER = [{"a": 1}, {"b": 2}, {"a": 3}, {"a": 4}, {"a": 5}]
BAD_LONG_TABLES = {
    "unknown id": ({}, {"id": "hwo"}, r"no column 'hwo', only \[.*Did you mean 'who'"),
    "unknown time": ({}, {"time": "hour"}, "no column 'hour'"),
    "unknown feature": (
        {},
        {"features": ["pulse", "puls"]},
        "no column 'puls'.*'pulse'",
    ),
    "id twice": ({}, {"features": ["heat", "heat"]}, "two columns 'heat'"),
    "no features": ({}, {"features": []}, "no columns left"),
    "text": (
        {"heat": list("vwxyz")},
        {},
        "'heat' of frame must be numeric.*leave it out",
    ),
    "digits": ({"heat": list("12345")}, {}, "'heat' of frame must be numeric"),
    "dates": (
        {"heat": [date(2024, 1, 1)] * 5},
        {},
        "'heat' of frame must be numeric",
    ),
    "missing": (
        {"heat": [1.0, 2.0, None, None, 5.0]},
        {},
        "'heat' of frame has 2 missing value.*where who is 'b' and day is 1. Fill",
    ),
    "NaN": (
        {"heat": [1.0, 2.0, np.nan, 4.0, 5.0]},
        {},
        "'heat' of frame has 1 missing value",
    ),
    "missing id": (
        {"who": ["b", None, "b", "b", "a"]},
        {},
        "'who' of frame has 1 missing.*row 1",
    ),
    "missing time": (
        {"day": [1.0, 2.0, 3.0, None, 5.0]},
        {},
        "'day' of frame has 1 missing.*row 3",
    ),
    "text for time": (
        {"day": ["10", "9", "8", "7", "6"]},
        {},
        "'day' is text, whose order",
    ),
    "duplicate": (
        {"day": [3, 1, 2, 3, 0]},
        {},
        r"one row per time, but where who is 'b' and day is 3 .* several \(1 row",
    ),
}


@pytest.mark.parametrize("library", TABLES)
@pytest.mark.parametrize("case", BAD_LONG_TABLES)
def test_a_long_table_that_is_none_is_refused_by_name(case, library):
    changes, options, message = BAD_LONG_TABLES[case]
    with pytest.raises(ValueError, match=message):
        from_long_frame(
            long_table(library, **changes), **{"id": "who", "time": "day", **options}
        )


def test_more_tables_that_are_none_are_refused():
    def refuse(error, message, frame, **options):
        with pytest.raises(error, match=message):
            from_long_frame(frame, **{"id": "who", "time": "day", **options})

    refuse(TypeError, "must be a DataFrame.*Got ndarray", np.ones((3, 3)))
    refuse(
        TypeError, r"lazy table. Pass frame.collect\(\)", long_table("polars").lazy()
    )
    refuse(TypeError, r"Did you mean \['heat'\]", long_table(), features="heat")
    refuse(ValueError, r"reset_index\(\)", long_table().set_index("who"))
    refuse(ValueError, "no rows", long_table()[:0])
    refuse(ValueError, "have an order", long_table(day=WITHOUT_ORDER))
    twice = pd.concat([long_table(), long_table()[["heat"]]], axis=1)
    refuse(ValueError, "2 columns 'heat'", twice)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": [1, 1, 2]}, "3 sequences have only 2 different ids"),
        ({"ids": [1, 2]}, r"\[3, 2\]. ids must have one entry"),
        ({"id": "time"}, "two columns 'time'"),
        ({"features": ["a", "time"]}, "two columns 'time'"),
        ({"features": ["a"]}, "each feature of X, 2 names in all. Got 1 name instead"),
        ({"library": "excel"}, r"'library' .* \{'pandas', 'polars'\}. Got 'excel'"),
    ],
)
def test_names_that_clash_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        to_long_frame(ragged(), **options)


# -- a table for each sequence ----------------------------------------------------


@pytest.mark.parametrize("library", TABLES)
def test_columns_of_tables_are_found_by_name_wherever_they_stand(library):
    frames = [
        TABLES[library]({"who": ["x"], "pulse": [60], "heat": [37.0]}),
        TABLES[library]({"heat": [36.1, 36.2], "pulse": [91, 92]}),
    ]
    X = from_data_frames(frames, features=["heat", "pulse"])
    assert_same(X, [np.array([[37.0, 60]]), np.array([[36.1, 91], [36.2, 92]])])


@pytest.mark.parametrize("library", TABLES)
def test_tables_serve_as_x_under_their_names(library):
    frames = to_data_frames(ragged(), features=["a", "b"], library=library)
    assert all(isinstance(frame, TABLES[library]) for frame in frames)
    estimator = BaseEstimator()
    assert_same(list(check_sequences(estimator, frames, reset=True)), ragged())
    assert estimator.feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("second", "error", "message"),
    [
        ({"a": [1]}, ValueError, r"frames\[1\] has no column 'b'"),
        (
            {"a": [1], "b": [2], "c": [3]},
            ValueError,
            r"frames\[1\] has columns \['c'\]",
        ),
        ({"a": [1], "b": ["x"]}, ValueError, r"'b' of frames\[1\] must be numeric"),
        (
            {"a": [1], "b": [np.nan]},
            ValueError,
            r"'b' of frames\[1\] has 1 missing.*in row 0",
        ),
        ({"a": [], "b": []}, ValueError, r"frames\[1\] has no rows"),
        (np.ones((1, 2)), TypeError, r"frames\[1\] must be a DataFrame.*Got ndarray"),
    ],
)
def test_a_table_unlike_the_first_is_refused_by_number(second, error, message):
    first = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    if isinstance(second, dict):
        second = pd.DataFrame(second)
    with pytest.raises(error, match=message):
        from_data_frames([first, second])


def test_one_table_is_not_a_collection_of_tables():
    with pytest.raises(TypeError, match=r"Did you mean \[frames\]"):
        from_data_frames(long_table())


# -- an array padded with NaN -----------------------------------------------------


def test_the_padding_of_univariate_rows_is_taken_off():
    X = np.array([[1, 2, 3], [4, np.nan, np.nan], [np.nan, 5, np.nan]])
    expected = [np.array([1.0, 2, 3]), np.array([4.0]), np.array([np.nan, 5])]
    assert_same(from_nan_padded(X), expected)


def test_padding_is_as_long_as_the_longest_sequence_needs():
    padded = to_nan_padded(ragged())
    assert padded.shape == (3, 5, 2)
    assert np.isnan(padded).sum(axis=(1, 2)).tolist() == [4, 8, 0]


def test_what_padding_would_hide_is_refused():
    X = ragged()
    X[1][-1] = np.nan
    with pytest.raises(ValueError, match=r"last frame of X\[1\] is all NaN"):
        to_nan_padded(X)
    with pytest.raises(ValueError, match=r"X\[1\] is all padding"):
        from_nan_padded([[1.0, 2.0], [np.nan, np.nan]])
    with pytest.raises(ValueError, match=r"Got shape \(2,\)"):
        from_nan_padded([1.0, 2.0])


# -- a ragged tensor --------------------------------------------------------------


def test_a_ragged_tensor_has_the_sequences_as_rows():
    X = ragged("float32")
    tensor = to_ragged_tensor(X)
    assert isinstance(tensor, tf.RaggedTensor)
    assert tensor.shape.as_list() == [3, None, 2]
    assert tensor.dtype == tf.float32
    assert tensor.to_list() == [x.tolist() for x in X]


def test_features_may_be_a_ragged_dimension_of_one_width():
    X = ragged("float32")
    tensor = tf.ragged.constant([x.tolist() for x in X])
    assert tensor.ragged_rank == 2
    assert_same(from_ragged_tensor(tensor), X)


def test_what_is_not_a_ragged_tensor_of_frames_is_refused():
    with pytest.raises(TypeError, match=r"must be a tf.RaggedTensor. Got list"):
        from_ragged_tensor([[1.0]])
    jagged = tf.ragged.constant([[[1.0, 2.0]], [[3.0, 4.0], [5.0]]])
    with pytest.raises(ValueError, match=r"Frame 1 of tensor\[1\] has 1 feature"):
        from_ragged_tensor(jagged)
    with pytest.raises(ValueError, match="dim 4"):
        from_ragged_tensor(tf.ragged.constant([[[[1.0]]]]))


# -- libraries --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("convert", "library"),
    [
        (to_long_frame, "pandas"),
        (lambda X: to_data_frames(X, library="polars"), "polars"),
        (to_ragged_tensor, "tensorflow"),
    ],
)
def test_a_library_that_is_missing_is_named_with_its_installation(
    convert, library, monkeypatch
):
    monkeypatch.setitem(sys.modules, library, None)
    message = rf"needs {library}.*pip install \S*{library}"
    with pytest.raises(ImportError, match=message):
        convert(ragged())


def test_reading_tables_and_arrays_imports_no_library():
    code = (
        "import sys, numpy as np\n"
        "from skseq.preprocessing import from_concatenated, to_nan_padded\n"
        "to_nan_padded(from_concatenated(np.ones((3, 2)), [1, 2]))\n"
        "print(*{'tensorflow', 'polars'} & sys.modules.keys())"
    )
    assert run_python(code).strip() == ""
