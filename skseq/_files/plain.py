"""Plain values as strict JSON and named arrays, and back without trusting them.

The one codec of everything that skseq writes. Knows nothing of archives, nor what a
value means.

JSON keeps None, booleans, integers, finite floats, texts, lists and dicts as they are.
What JSON cannot keep is an object whose one key, a tag, begins with "$": `_UNPACKERS`
lists these. Arrays and long lists stand beside the JSON, named by where they were
found.
"""

import math
import os
import reprlib
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

MAX_LEVELS = 64  # of lists, tuples and dicts inside one another
MAX_INT_BITS = 2000  # Python reads no longer integers, in some settings
NUMBER_BYTES = 40  # of a number in a list of Python's
TEXT_BYTES = 128  # of a short text, and of what is needed to read it
FREE_BYTES = 2**25  # that texts and lists may take in any file
LONG = 100  # entries: longer lists of one type are kept as arrays

# What using an unpacked value raises where it is not what it should be.
MALFORMED = (LookupError, TypeError, AttributeError, ArithmeticError, ValueError)

_TAG = "$"
_FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
_WIDTHS = range(1, 2**28)  # of texts in an array of NumPy's
_KEYS = {bool, int, float, str}  # of dicts
_LONG_LISTS = {float: np.dtype("f8"), int: np.dtype("i8"), str: np.dtype("O")}


def pack(value, where=""):
    """Turn a plain value into JSON and arrays.

    Parameters
    ----------
    value : object
        None, booleans, integers, floats, texts, paths, NumPy's numbers, arrays of
        numbers or texts, and lists, tuples and dicts of those, with keys that are
        texts, numbers or booleans.
    where : str, default=""
        What the value is called, in errors and in the names of its arrays. The items
        of a dict that is called nothing are called by their keys.

    Returns
    -------
    packed : None, bool, int, float, str, list or dict
        Strict JSON; `unpack` turns it back. Dicts may come back in another order,
        paths and NumPy's texts as str.
    arrays : dict of str to ndarray
        What does not fit JSON: arrays of booleans, integers and floats.

    Raises
    ------
    TypeError
        If a value is of another kind.
    ValueError
        If values are nested too deeply, or an integer is too long.

    Examples
    --------
    >>> from skseq._files.plain import pack, unpack
    >>> pack({"units": (3, 2), "loss": float("inf")})
    ({'units': {'$tuple': [3, 2]}, 'loss': {'$float': 'inf'}}, {})
    >>> pack([0.5], "scale")
    ([0.5], {})
    >>> unpack(*pack((1, [2.5, None])))
    (1, [2.5, None])
    """
    arrays = {}
    return _pack(value, where, arrays, 0), arrays


def unpack(packed, arrays, most=math.inf):
    """Turn JSON and arrays back into a value: the inverse of `pack`.

    Parameters
    ----------
    packed : None, bool, int, float, str, list or dict
        JSON, from any source.
    arrays : dict of str to ndarray
        The arrays that belong to it; each must be used exactly once.
    most : int, default=inf
        About how many bytes the texts and the numbers of lists may take that are kept
        as arrays. Short ones take many times what they take in the arrays.

    Returns
    -------
    value : object

    Raises
    ------
    ValueError
        If `pack` cannot have returned these.
    """
    unused = _Unused(arrays)
    unused.most = unused.left = most
    value = _unpack(packed, unused, 0)
    if unused:
        raise ValueError(f"nothing refers to its arrays {reprlib.repr(sorted(unused))}")
    return value


# -- packing ---------------------------------------------------------------------------


def _pack(value, where, arrays, level):
    if level > MAX_LEVELS:
        raise ValueError(
            f"{where} lies inside more than {MAX_LEVELS} lists, tuples and dicts, "
            "which is more than a skseq file can hold."
        )
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return _pack_text(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return _pack_array(value, where, arrays)
    if isinstance(value, tuple):
        return {"$tuple": _pack_items(value, where, arrays, level)}
    if isinstance(value, list):
        items = _pack_items(value, where, arrays, level)
        return items if isinstance(items, list) else {"$list": items}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return _pack_dict(value, where, arrays, level)
    if isinstance(value, Mapping):
        plain = {_plain_key(key): item for key, item in value.items()}
        if set(map(type, plain)) <= _KEYS:
            pairs = [list(pair) for pair in plain.items()]
            return {"$pairs": _pack_items(pairs, where, arrays, level)}
    return _pack_scalar(value, where)


def _plain_key(key):
    return key.item() if isinstance(key, np.generic) else key


def _pack_scalar(value, where):
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
        raise ValueError(
            f"{where} is an integer of {value.bit_length()} bits; a skseq file holds "
            f"up to {MAX_INT_BITS}."
        )
    if value is None or isinstance(value, (bool, int)):
        return value
    raise _refusal(value, where)


def _pack_text(text):
    """Most texts are JSON; in JSON, two surrogates in a row would become one letter."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return {"$str": text.encode("utf-8", "surrogatepass").hex()}
    return str.__str__(text)


def _pack_items(items, where, arrays, level):
    """Pack the items of a list or tuple: a JSON list, or an array if they are many."""
    kinds = set(map(type, items)) if len(items) > LONG else ()
    if len(kinds) == 1 and (dtype := _LONG_LISTS.get(*kinds)):
        with suppress(OverflowError):  # integers of more than 64 bits
            return _pack_array(np.array(items, dtype), where, arrays)
    return [
        _pack(item, f"{where}[{i}]", arrays, level + 1) for i, item in enumerate(items)
    ]


def _pack_dict(value, where, arrays, level):
    """Pack a dict: a JSON object, unless a key looks like a tag or is not JSON."""
    items = {
        key: _pack(item, _place(where, key), arrays, level + 1)
        for key, item in value.items()
    }
    if all(_pack_text(key) == key and not key.startswith(_TAG) for key in items):
        return items
    return {"$dict": [[_pack_text(key), items[key]] for key in sorted(items)]}


def _place(where, key):
    return key if not where and key.isidentifier() else f"{where}[{key!r}]"


def _pack_array(value, where, arrays):
    """Put an array or a NumPy scalar beside the JSON, and name it there."""
    dtype = value.dtype
    if dtype.kind in "biuf" and dtype.itemsize <= 8:
        arrays[where] = np.asarray(value, dtype.newbyteorder("="))
        return {"$array" if isinstance(value, np.ndarray) else "$scalar": where}
    if dtype.kind == "U":
        arrays[where] = _code_points(value)
        return {"$characters": where}
    if dtype.kind == "O" and all(isinstance(item, str) for item in value.flat):
        encoded = [item.encode("utf-8", "surrogatepass") for item in value.flat]
        lengths = np.array([len(item) for item in encoded], np.int64)
        arrays[f"{where}:utf8"] = np.frombuffer(b"".join(encoded), np.uint8)
        arrays[f"{where}:lengths"] = lengths.reshape(value.shape)
        return {"$texts": where}
    raise _refusal(value, where)


def _code_points(texts):
    """Add an axis with the characters of each text, filled up by zeros."""
    width = max(1, texts.dtype.itemsize // 4)
    texts = np.ascontiguousarray(texts, f"=U{width}").reshape(*texts.shape, 1)
    return texts.view(np.uint32)


def _refusal(value, where) -> TypeError:
    return TypeError(
        f"{where}={value!r} cannot be saved: a skseq file holds plain values only, so "
        "that loading it can run no code."
    )


# -- unpacking -------------------------------------------------------------------------


class _Unused(dict):
    """The arrays that nothing has taken yet, and what may be made of them."""

    def spend(self, n_bytes):
        self.left -= n_bytes
        if self.left < 0:
            raise ValueError(
                "its texts and lists would take more memory than the "
                f"{self.most} bytes that fit its size"
            )


def _unpack(packed, unused, level):
    if level > MAX_LEVELS:
        raise ValueError(f"its values are nested more than {MAX_LEVELS} levels deep")
    if isinstance(packed, list):
        return _unpack_list(packed, unused, level)
    if packed is None or isinstance(packed, (bool, int, float, str)):
        return packed
    if not isinstance(packed, dict) or not all(isinstance(k, str) for k in packed):
        raise ValueError(f"it holds {reprlib.repr(packed)}, which is not JSON")
    if not any(key.startswith(_TAG) for key in packed):
        return {key: _unpack(item, unused, level + 1) for key, item in packed.items()}
    tag, *others = packed
    if others or tag not in _UNPACKERS:
        raise ValueError(f"it holds an unknown kind of value {reprlib.repr(packed)}")
    return _UNPACKERS[tag](packed[tag], unused, level)


def _unpack_float(content, unused, level):
    if not isinstance(content, str) or content not in _FLOATS:
        raise ValueError(f"it holds {reprlib.repr(content)} where a float belongs")
    return _FLOATS[content]


def _unpack_text(content, unused=None, level=0):
    if not isinstance(content, str):
        raise ValueError(f"it holds {reprlib.repr(content)} where a text belongs")
    return _decoded(bytes.fromhex(content))


def _unpack_dict(content, unused, level):
    if not isinstance(content, list) or not all(
        isinstance(pair, list) and len(pair) == 2 for pair in content
    ):
        raise ValueError(f"it holds {reprlib.repr(content)} where pairs belong")
    items = {_unpack_key(k): _unpack(item, unused, level + 1) for k, item in content}
    if len(items) < len(content):
        raise ValueError("it holds a dict with the same key twice")
    return items


def _unpack_pairs(content, unused, level):
    """A dict whose keys are numbers, or numbers and texts."""
    pairs = _unpack_list(content, unused, level)
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError(f"it holds {reprlib.repr(content)} where pairs belong")
    if not {type(key) for key, _ in pairs} <= _KEYS:
        raise ValueError(f"it holds {reprlib.repr(content)} where keys belong")
    if len(dict(pairs)) < len(pairs):
        raise ValueError("it holds a dict with the same key twice")
    return dict(pairs)


def _unpack_key(packed):
    if isinstance(packed, dict) and list(packed) == ["$str"]:
        return _unpack_text(packed["$str"])
    if not isinstance(packed, str):
        raise ValueError(f"it holds {reprlib.repr(packed)} where a key belongs")
    return packed


def _unpack_list(content, unused, level):
    """Read the items of a list or tuple, which may be an array of numbers or texts."""
    if isinstance(content, list):
        return [_unpack(item, unused, level + 1) for item in content]
    if isinstance(content, dict) and list(content) in (["$array"], ["$texts"]):
        array = _unpack(content, unused, level)
        if array.ndim == 1 and array.dtype in _LONG_LISTS.values():
            unused.spend(NUMBER_BYTES * array.size)
            return array.tolist()
    raise ValueError(f"it holds {reprlib.repr(content)} where a list belongs")


def _unpack_tuple(content, unused, level):
    return tuple(_unpack_list(content, unused, level))


def _unpack_array(content, unused, level):
    return _take(content, unused)


def _unpack_scalar(content, unused, level):
    array = _take(content, unused)
    if array.shape != ():
        raise ValueError(f"its array {content!r} should be one number")
    return array[()]


def _unpack_characters(content, unused, level):
    points = _take(content, unused)
    if points.dtype != np.uint32 or not points.ndim or points.shape[-1] not in _WIDTHS:
        raise ValueError(f"its array {content!r} should hold characters")
    if points.max(initial=0) > 0x10FFFF:
        raise ValueError(f"its array {content!r} holds what is not a character")
    width = points.shape[-1]
    return np.ascontiguousarray(points).view(f"U{width}")[..., 0]


def _unpack_texts(content, unused, level):
    lengths = _take(f"{content}:lengths", unused)
    encoded = _take(f"{content}:utf8", unused)
    if encoded.dtype != np.uint8 or encoded.ndim != 1 or lengths.dtype != np.int64:
        raise ValueError(f"its array {content!r} should hold texts")
    outside = (lengths < 0) | (lengths > encoded.size)
    if outside.any() or lengths.sum() != encoded.size:
        raise ValueError(f"the lengths of the texts {content!r} do not fit them")
    unused.spend(TEXT_BYTES * lengths.size)
    ends, encoded = np.cumsum(lengths).tolist(), encoded.tobytes()
    texts = np.empty(len(ends), dtype=object)
    for i, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        texts[i] = _decoded(encoded[start:end])
    return texts.reshape(lengths.shape)


def _take(name, unused) -> np.ndarray:
    """Take an array that no other value has taken."""
    if not isinstance(name, str) or name not in unused:
        raise ValueError(
            f"it refers to an array {reprlib.repr(name)} that it lacks, or twice"
        )
    array = unused.pop(name)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"its array {name!r} has the dtype {array.dtype}")
    return array


def _decoded(encoded: bytes) -> str:
    try:
        return encoded.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise ValueError(f"it holds a text that is not UTF-8 ({error})") from None


_UNPACKERS = {
    "$float": _unpack_float,  # one that is not finite: its name
    "$str": _unpack_text,  # one with surrogates: its UTF-8, in hexadecimal digits
    "$tuple": _unpack_tuple,  # its items
    "$list": _unpack_list,  # a long one: an array of its items
    "$dict": _unpack_dict,  # one whose texts as keys JSON cannot have: pairs
    "$pairs": _unpack_pairs,  # one whose keys are numbers: pairs
    "$array": _unpack_array,  # of numbers: its name
    "$scalar": _unpack_scalar,  # of NumPy: the name of an array without axes
    "$characters": _unpack_characters,  # an array of dtype U: of its code points
    "$texts": _unpack_texts,  # an object array of str: of their UTF-8, and lengths
}
