"""Plain values come back as they were; what is not packed so is refused in words."""

import json
import tracemalloc
from enum import Enum
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp

from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import LONG, MAX_INT_BITS, MAX_LEVELS, pack, unpack

# -- round trips -----------------------------------------------------------------------

# Surrogates too, of which two in a row are another text than the letter they stand for.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=5)
TEXTS |= st.sampled_from(["\ud83d\ude00", "a\0", "$tuple", "$", ""])
NUMBERS = (
    stnp.boolean_dtypes()
    | stnp.integer_dtypes()
    | stnp.unsigned_integer_dtypes()
    | stnp.floating_dtypes(sizes=(16, 32, 64))
)
SHAPES = stnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | NUMBERS.flatmap(lambda dtype: stnp.from_dtype(dtype.newbyteorder("=")))
)
ARRAYS = (
    stnp.arrays(NUMBERS, SHAPES)
    | stnp.arrays(st.sampled_from(["U1", "U3", ">U2"]), SHAPES)
    | stnp.arrays(object, SHAPES, elements=TEXTS)
)
LONG_LISTS = st.sampled_from([0, 2**63, 0.5, float("nan"), "\ud800", True, None])
LONG_LISTS = st.lists(LONG_LISTS, min_size=1, max_size=2).map(lambda x: x * (LONG + 1))
VALUES = st.recursive(
    SCALARS | ARRAYS | LONG_LISTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=10,
)


def same(value, other):
    """Whether two values are one, to the type and to the bit."""
    if type(value) is not type(other):
        return False
    if isinstance(value, (list, tuple)):
        return len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(
            same(value[key], other[key]) for key in value
        )
    if isinstance(value, (np.ndarray, np.generic)):
        native = np.asarray(value, value.dtype.newbyteorder("="))
        if native.dtype != other.dtype:
            return False
        bits = native.tolist() if native.dtype == object else native.tobytes()
        others = other.tolist() if native.dtype == object else other.tobytes()
        return value.shape == other.shape and bits == others
    return repr(value) == repr(other)


def through_json(packed):
    return json.loads(json.dumps(packed, sort_keys=True, allow_nan=False))


def round_trip(value):
    packed, arrays = pack(value, "x")
    return unpack(through_json(packed), arrays)


@given(VALUES)
def test_plain_values_come_back_to_the_bit(value):
    packed, arrays = pack(value, "x")
    assert all(array.dtype.kind in "biuf" for array in arrays.values())
    assert same(value, unpack(through_json(packed), arrays))


@settings(deadline=None)
@given(VALUES)
def test_plain_values_come_back_from_a_file(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "plain.skseq"
    packed, arrays = pack({"value": value})
    write_archive(path, packed, arrays)
    archive = read_archive(path)
    assert same(value, unpack(archive.header, archive.arrays)["value"])


PLAIN = [
    None,
    True,
    -3,
    2.5,
    "text",
    [1, [2]],
    (1, (2, "x"), []),
    {"a": (1,), "tuple": [2], "dict": {}, "array": {"dtype": 1}},
    {"$tuple": [1], "$": {"$float": "nan"}},
    {0: 2.0, "1": (1,), True: None, 2.5: [3]},
    np.array([1, 2], dtype="int16"),
    np.array(["a", "bcd"]),
    np.array([0.1, 1e300]),
    np.array(["a", "b"], dtype=object),
    np.float32(0.1),
    np.uint64(2**64 - 1),
    np.False_,
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_survive_json(value):
    assert joblib.hash(round_trip(value)) == joblib.hash(value)


def test_the_numbers_of_numpy_keep_their_precision():
    best = round_trip({"best": np.float32(0.1)})["best"]
    assert best + 1e-9 == best  # a float would differ


class Colour(str, Enum):  # noqa: UP042, as many still write it
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Path("a") / "b", str(Path("a") / "b")),
        (np.str_("a"), "a"),
        (Colour.RED, "red"),
        (np.array([1.5], ">f4"), np.array([1.5], "f4")),
        (np.array([["a", "b"]]).T[::-1], np.array([["b"], ["a"]])),
    ],
    ids=repr,
)
def test_what_has_an_equal_plain_value_comes_back_as_that(value, expected):
    assert same(round_trip(value), expected)


def test_arrays_are_named_by_where_they_stood():
    _, arrays = pack({"a": np.ones(2), "b c": [{"/": np.array(["x"], object)}]})
    assert sorted(arrays) == ["['b c'][0]['/']:lengths", "['b c'][0]['/']:utf8", "a"]
    _, arrays = pack((1, np.ones(2)), "units")
    assert sorted(arrays) == ["units[1]"]


@pytest.mark.parametrize(
    "value",
    [
        [1] * 100_000,
        [0.5] * 100_000,
        ["a token"] * 100_000,
        ("a token",) * 100_000,
        np.array(["a token"] * 100_000),
        np.array(["a token"] * 100_000, object),
    ],
    ids=["integers", "floats", "texts", "tuple", "vocabulary", "object vocabulary"],
)
def test_long_lists_and_vocabularies_take_no_room_in_the_json(value):
    packed, _ = pack(value, "x")
    assert len(json.dumps(packed)) < 40


def test_packing_changes_nothing_and_shares_no_array_with_what_it_gives_back():
    value = {"a": [np.arange(3)], "b": {"$": (1,)}}
    packed, arrays = pack(value)
    unpack(packed, arrays)["a"].append(1)
    assert same(value, {"a": [np.arange(3)], "b": {"$": (1,)}})
    assert list(arrays) == ["a[0]"]


# -- what is not plain -----------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        object(),
        len,
        Colour,
        {1, 2},
        b"x",
        1j,
        {(1,): 2},
        np.complex64(1),
        np.datetime64("2000-01-01"),
        np.longdouble(1),
        np.array([1j]),
        np.array([None]),
        np.array(["a", 1], object),
        np.array([b"a"]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, [("a", "i4")]),
        np.random.RandomState(0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_are_refused_with_their_place(value):
    match = (
        r"^x\[0\]\['a'\]=.* cannot be saved: a skseq file holds plain values only, so "
        r"that loading it can run no code\.$"
    )
    with pytest.raises(TypeError, match=f"(?s){match}"):
        pack([{"a": value}], "x")


def nested(n_levels, kind):
    value = 1
    for _ in range(n_levels):
        value = {"a": value} if kind is dict else kind([value])
    return value


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_values_are_nested_so_deep_and_no_deeper(kind):
    deepest = nested(MAX_LEVELS, kind)
    assert same(round_trip(deepest), deepest)
    with pytest.raises(ValueError, match=f"lies inside more than {MAX_LEVELS} lists"):
        pack(nested(MAX_LEVELS + 1, kind), "x")


def test_a_list_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match=r"^x\[0\]\[0\].* lies inside more than"):
        pack(endless, "x")


@pytest.mark.parametrize("sign", [1, -1])
def test_an_endless_integer_is_refused(sign):
    longest = sign * (2**MAX_INT_BITS - 1)
    assert round_trip(longest) == longest
    with pytest.raises(ValueError, match=r"^x is an integer of 40001 bits"):
        pack(sign * 2**40_000, "x")


# -- what was not packed ---------------------------------------------------------------

A = {"a": np.arange(3)}
POINTS = {"a": np.array([[97]], np.uint32)}


def texts(encoded, lengths, dtype=np.int64):
    encoded = np.frombuffer(encoded, np.uint8)
    return {"a:utf8": encoded, "a:lengths": np.array(lengths, dtype)}


HOSTILE = {
    "unknown tag": ({"$set": []}, {}, "unknown kind of value"),
    "two tags": ({"$array": "a", "$tuple": []}, A, "unknown kind of value"),
    "a tag among keys": ({"$array": "a", "b": 1}, A, "unknown kind of value"),
    "not JSON": ((1, 2), {}, "is not JSON"),
    "keys of numbers": ({1: 2}, {}, "is not JSON"),
    "another float": ({"$float": "1e999"}, {}, "where a float belongs"),
    "float of a list": ({"$float": ["nan"]}, {}, "where a float belongs"),
    "text of a number": ({"$str": 3}, {}, "where a text belongs"),
    "text of letters": ({"$str": "xy"}, {}, "hex"),
    "text of broken UTF-8": ({"$str": "ff"}, {}, "a text that is not UTF-8"),
    "tuple of a text": ({"$tuple": "abc"}, {}, "where a list belongs"),
    "tuple of a number": ({"$tuple": 2**62}, {}, "where a list belongs"),
    "tuple of a dict": ({"$tuple": {"a": 1}}, {}, "where a list belongs"),
    "list of a tuple": ({"$list": {"$tuple": []}}, {}, "where a list belongs"),
    "list of a matrix": (
        {"$list": {"$array": "a"}},
        {"a": np.ones((2, 2))},
        "where a list belongs",
    ),
    "list of bytes": (
        {"$list": {"$array": "a"}},
        {"a": np.ones(2, np.uint8)},
        "where a list belongs",
    ),
    "pairs of one": ({"$dict": [["a"]]}, {}, "where pairs belong"),
    "pairs of a dict": ({"$dict": {"a": 1}}, {}, "where pairs belong"),
    "key of a list": ({"$dict": [[[], 1]]}, {}, "where a key belongs"),
    "key of a float": ({"$dict": [[{"$float": "nan"}, 1]]}, {}, "where a key belongs"),
    "key of a number": ({"$dict": [[{"$str": 1}, 1]]}, {}, "where a text belongs"),
    "a key twice": ({"$dict": [["a", 1], [{"$str": "61"}, 2]]}, {}, "same key twice"),
    "missing array": ({"$array": "b"}, {}, "'b' that it lacks"),
    "array of no name": ({"$array": None}, A, "None that it lacks"),
    "array of a list": ({"$array": ["a"]}, A, "that it lacks"),
    "an array twice": ([{"$array": "a"}] * 2, A, "'a' that it lacks, or twice"),
    "an array too many": ({"$array": "a"}, {**A, "b": np.ones(2)}, r"refers to .*'b'"),
    "nothing but arrays": (None, A, r"nothing refers to its arrays \['a'\]"),
    "objects": ({"$array": "a"}, {"a": np.array([{}])}, "has the dtype object"),
    "scalar of three": ({"$scalar": "a"}, A, "should be one number"),
    "characters of floats": ({"$characters": "a"}, {"a": np.ones(3)}, "characters"),
    "a single character": (
        {"$characters": "a"},
        {"a": np.array(97, np.uint32)},
        "characters",
    ),
    "texts of no width": (
        {"$characters": "a"},
        {"a": np.zeros((2, 0), np.uint32)},
        "characters",
    ),
    "texts of all widths": (
        {"$characters": "a"},
        {"a": np.zeros((0, 2**40), np.uint32)},
        "characters",
    ),
    "no character": (
        {"$characters": "a"},
        {"a": np.array([[0x110000]], np.uint32)},
        "not a character",
    ),
    "missing lengths": ({"$texts": "a"}, {"a:utf8": np.zeros(3, "u1")}, "it lacks"),
    "missing texts": ({"$texts": "a"}, {"a:lengths": np.arange(3)}, "it lacks"),
    "texts of a list": ({"$texts": []}, texts(b"ab", [1, 1]), "it lacks"),
    "lengths of floats": ({"$texts": "a"}, texts(b"ab", [1, 1], "f8"), "hold texts"),
    "short lengths": ({"$texts": "a"}, texts(b"ab", [1, 1], "u1"), "hold texts"),
    "texts of numbers": (
        {"$texts": "a"},
        {"a:utf8": np.arange(2), "a:lengths": np.array([1, 1])},
        "hold texts",
    ),
    "too little text": ({"$texts": "a"}, texts(b"ab", [1, 2]), "do not fit"),
    "too much text": ({"$texts": "a"}, texts(b"abc", [1, 1]), "do not fit"),
    "negative lengths": ({"$texts": "a"}, texts(b"ab", [3, -1]), "do not fit"),
    "endless lengths": ({"$texts": "a"}, texts(b"ab", [2**62] * 4 + [2]), "not fit"),
    "pairs of no keys": ({"$pairs": [[[1], 2]]}, {}, "where keys belong"),
    "pairs of three": ({"$pairs": [[1, 2, 3]]}, {}, "where pairs belong"),
    "pairs of numbers": ({"$pairs": [1, 2]}, {}, "where pairs belong"),
    "a number twice": ({"$pairs": [[1, 2], [1, 3]]}, {}, "same key twice"),
    "half a letter": ({"$texts": "a"}, texts("é".encode(), [1, 1]), "not UTF-8"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_was_not_packed_is_refused_in_words(name):
    packed, arrays, message = HOSTILE[name]
    for value in (packed, [packed], {"x": packed}):
        with pytest.raises(ValueError, match=message):
            unpack(value, arrays)


JSONS = [
    '{"$tuple":[%s]}',
    '{"$tuple":%s}',
    '{"$list":%s}',
    '{"$dict":[["a",%s]]}',
    '{"$dict":[[%s,1]]}',
    '{"a":%s}',
    "[%s]",
]


@pytest.mark.parametrize("container", JSONS)
def test_deeply_nested_json_is_refused_in_words(container):
    start, end = container.split("%s")
    n_levels = 900 // (start.count("[") + start.count("{"))
    packed = json.loads(start * n_levels + "1" + end * n_levels)
    with pytest.raises(ValueError, match=r"nested more than 64 levels|belongs?$"):
        unpack(packed, {})


KEYS = st.sampled_from(
    ["$tuple", "$list", "$dict", "$array", "$scalar", "$texts", "$float", "a", "$str"]
)
ANY_JSON = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.sampled_from("abc"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2)
    ),
)


@given(ANY_JSON, st.dictionaries(st.sampled_from("ab"), stnp.arrays(NUMBERS, SHAPES)))
def test_any_json_is_a_value_that_packs_again_or_refused(packed, arrays):
    try:
        value = unpack(packed, arrays)
    except ValueError:
        return
    assert same(round_trip(value), value)


def test_texts_cannot_claim_more_memory_than_they_have():
    tracemalloc.start()
    for lengths in ([2**40], [2**40] * 3, [-(2**40), 2**40]):
        with pytest.raises(ValueError, match="do not fit"):
            unpack({"$texts": "a"}, texts(b"ab", lengths))
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
