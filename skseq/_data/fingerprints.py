"""Texts and checksums that identify values, the same in any process.

Knows nothing of Keras.
"""

import dis
import functools
import hashlib
import inspect
import re
import sys
import types
import zlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

MAX_LENGTH = 200  # of a description; the rest of a longer one is hashed
MAX_LEVELS = 20  # of what holds what; beyond, a type has to do


def describe(value) -> str:
    """A parameter's value as a short text that is the same in every process.

    Functions are told apart by their code, their defaults and what they enclose.
    """
    text = _describe(value, {}, 0)
    if len(text) <= MAX_LENGTH:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{text[:MAX_LENGTH]}... ({digest[:16]})"


def _describe(value, seen: dict[int, tuple], level: int) -> str:
    if level > MAX_LEVELS:
        return type(value).__qualname__
    part = functools.partial(_describe, seen=seen, level=level + 1)
    if isinstance(value, Mapping):
        items = [f"{k!r}: {part(v)}" for k, v in value.items()]
        return f"{{{', '.join(items)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(part, value))}]"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(part, value)))}}}"
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return f"array({value.shape}, {part(value.tolist())})"
    if isinstance(value, np.ndarray):
        checksum = fingerprint_arrays([value])
        return f"array({value.shape}, {value.dtype}, {checksum})"
    kind, parts = _name_and_parts(value)
    if parts is None:
        return kind
    if id(value) in seen:  # it may hold itself
        return f"{kind}(#{seen[id(value)][0]})"
    seen[id(value)] = len(seen), value
    return f"{kind}({part(parts)})"


def _name_and_parts(value) -> tuple[str, object]:
    """What a value is called, and what it holds where the name does not tell."""
    kind = type(value).__qualname__
    if isinstance(value, types.CodeType):
        return kind, [zlib.crc32(value.co_code), value.co_names, value.co_consts]
    if isinstance(value, types.ModuleType):
        return value.__name__, None
    if inspect.isclass(value):
        return f"{value.__module__}.{value.__qualname__}", _parts_of_class(value)
    if inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}", _parts_of_function(value)
    if isinstance(value, property):
        return kind, [value.fget, value.fset, value.fdel]
    if isinstance(value, functools.cached_property):
        return kind, [value.func]
    if isinstance(value, functools.partial):
        return kind, [value.func, value.args, value.keywords]
    if isinstance(value, np.random.RandomState):
        return kind, value.get_state()
    methods = _parts_of_class(type(value))
    if hasattr(value, "get_params"):
        return kind, _with(methods, value.get_params(deep=False))
    if hasattr(value, "get_config"):
        config = value.get_config().items()
        return kind, _with(methods, {n: v for n, v in config if n != "name"})
    if type(value).__repr__ is object.__repr__:
        return kind, _with(methods, getattr(value, "__dict__", {}))
    return re.sub(" at 0x[0-9A-Fa-f]+", "", repr(value)), None


def _with(methods, state):
    """What an object holds, beside what the methods of a user's class do."""
    return state if methods is None else [state, methods]


def _parts_of_class(kind: type) -> dict | None:
    """The methods and constants of a class of the user's; None for those installed."""
    own = [base for base in kind.__mro__ if not _is_installed(base.__module__)]
    if not own:
        return None
    parts = {
        f"{base.__qualname__}.{name}": getattr(value, "__func__", value)
        for base in own
        for name, value in sorted(vars(base).items())
        if not name.startswith("__") or inspect.isfunction(value)
    }
    written = _written(p.__code__ for p in parts.values() if inspect.isfunction(p))
    return {
        name: part
        for name, part in parts.items()
        if _stays(part) and name.rpartition(".")[2] not in written
    }


def _parts_of_function(function) -> list | None:
    """What a function of Python does, holds and refers to; None for others."""
    if inspect.ismethod(function):
        return [function.__self__, function.__func__]
    if not inspect.isfunction(function):
        return None
    cells = [cell for cell in function.__closure__ or () if cell != types.CellType()]
    enclosed = [cell.cell_contents for cell in cells]
    parts = [
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        enclosed,
    ]
    if _is_installed(function.__module__ or ""):
        return parts
    names, known = _names_in(function.__code__), function.__globals__
    names -= _written([function.__code__])
    used = {n: known[n] for n in sorted(names & known.keys()) if _stays(known[n])}
    return [*parts, used]


def _names_in(code: types.CodeType) -> set[str]:
    """The names that code refers to, that of functions inside it included."""
    return set().union(*(part.co_names for part in _with_inner(code)))


def _written(codes: Iterable[types.CodeType]) -> set[str]:
    """The names of globals and attributes that code assigns, as counters are."""
    stores = {"STORE_GLOBAL", "STORE_ATTR"}
    return {
        step.argval
        for code in codes
        for part in _with_inner(code)
        for step in dis.get_instructions(part)
        if step.opname in stores
    }


def _with_inner(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _with_inner(inner)


def _stays(value) -> bool:
    """Whether a global or a constant of a class is not what a fit is logged in.

    None is a place for something else.
    """
    plain = (bool, int, float, complex, str, bytes, tuple, np.ndarray)
    held = (types.ModuleType, type, functools.partial, property)
    is_code = inspect.isroutine(value) or isinstance(value, functools.cached_property)
    return is_code or isinstance(value, (*plain, np.generic, *held))


def _is_installed(module: str) -> bool:
    """Whether a module is of the standard library or of a package, not a user's own.

    What runs is the user's, even if a package's module started it (`python -m`).
    """
    room = module.partition(".")[0]
    if room == "__main__":
        return False
    if room in sys.stdlib_module_names or room == "skseq":
        return True
    path = getattr(sys.modules.get(room), "__file__", None) or ""
    return "site-packages" in path or "dist-packages" in path


def fingerprint_arrays(arrays) -> int:
    """A checksum of some arrays' contents."""
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(np.ascontiguousarray(array).tobytes(), checksum)
    return checksum
