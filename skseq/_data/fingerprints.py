"""Texts and checksums that identify values, the same in any process.

Knows nothing of Keras.
"""

import inspect
import re
import zlib
from collections.abc import Mapping

import numpy as np

SCALARS = (bool, int, float, str, type(None))


def describe(value) -> str:
    """A parameter's value as text that is the same in every process."""
    if inspect.isroutine(value) or inspect.isclass(value):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, Mapping):
        items = [f"{k!r}: {describe(v)}" for k, v in value.items()]
        return f"{{{', '.join(items)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(describe, value))}]"
    if isinstance(value, np.ndarray):
        checksum = fingerprint_arrays([value])
        return f"array({value.shape}, {value.dtype}, {checksum})"
    if hasattr(value, "get_config"):
        config = {n: v for n, v in value.get_config().items() if n != "name"}
        return f"{type(value).__name__}({describe(config)})"
    if type(value).__repr__ is object.__repr__:
        plain = {n: v for n, v in vars(value).items() if isinstance(v, SCALARS)}
        return f"{type(value).__qualname__}({describe(plain)})"
    return re.sub(" at 0x[0-9A-Fa-f]+", "", repr(value))


def fingerprint_arrays(arrays) -> int:
    """A checksum of some arrays' contents."""
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(np.ascontiguousarray(array).tobytes(), checksum)
    return checksum
