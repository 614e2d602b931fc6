"""Compiled code: whether there is any, and the calls into it.

Two libraries are compiled while skseq is installed, where there is a compiler
(`hatch_build.py`), and lie in this folder. Without them, plain code runs instead.

- CTC search and lattice: needs nothing but the C++ runtime. The plain code gives the
  same results to the last bit. `library` finds and loads it, `status` says so in words,
  and `ctc` calls it.
- Recurrences: TensorFlow's operations, which `skseq._nn.compiled` loads and calls. The
  plain code agrees to rounding. `recurrences` finds the file, and `recurrences_status`
  says so in words.

The environment variable `SKSEQ_NATIVE` says what may be used: 0, nothing; 1, the
libraries, which must be there; a path, the CTC library that lies there, and the
recurrences beside it, if there are any. Knows no estimator and imports no other room.
"""

import ctypes
import os
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

SUFFIXES = {"win32": ".dll", "darwin": ".dylib"}
FOLDER = Path(__file__).parent
SUFFIX = SUFFIXES.get(sys.platform, ".so")
LIBRARY = FOLDER / f"libctc{SUFFIX}"
RECURRENCES = f"librecurrences{SUFFIX}"


def library() -> ctypes.CDLL | None:
    """Load the library, once; None where plain code is to run instead."""
    return _load()[0]


def status() -> str:
    """Say in words whether the library is used."""
    return _said(_load)


def recurrences() -> Path | None:
    """The library of recurrences; None where plain code is to run instead."""
    return _find()[0]


def recurrences_status() -> str:
    """Say in words whether there is a library of recurrences to use."""
    return _said(_find)


def _said(look: Callable[[], tuple]) -> str:
    """What a search for a library says of it, also where it raises."""
    try:
        return look()[1]
    except ImportError as error:
        return str(error)


@cache
def _find() -> tuple[Path | None, str]:
    wanted = os.environ.get("SKSEQ_NATIVE", "")
    if wanted == "0":
        return None, "switched off by SKSEQ_NATIVE=0"
    if sys.platform == "win32":
        return None, "not written for Windows"
    if wanted not in ("", "1") and not Path(wanted).exists():
        raise ImportError(demand(wanted, f"there is no file {wanted!r}"))
    path = FOLDER if wanted in ("", "1") else Path(wanted).parent
    path, source = path / RECURRENCES, checksum()
    if not path.exists():
        fault = "not compiled"
    elif source and _mark(source) not in path.read_bytes():
        fault = f"{RECURRENCES} is older than its source: compile it again"
    else:
        return path, "compiled"
    if wanted == "1":
        raise ImportError(demand(wanted, fault))
    return None, fault


def _mark(number: int) -> bytes:
    """What the file holds, which cannot be loaded without TensorFlow, to be read."""
    return f"skseq-source={number}u;".encode()


def demand(wanted: str, fault: object) -> str:
    """The message about compiled code that is asked for and cannot be used."""
    cure = "Install skseq where there is a C++ compiler, or unset it."
    if wanted != "1":
        cure = "Set it to 0, 1 or the path of a compiled library, or unset it."
    return (
        f"SKSEQ_NATIVE={wanted} asks for compiled code, but there is none: {fault}. "
        f"{cure}"
    )


@cache
def _load() -> tuple[ctypes.CDLL | None, str]:
    wanted = os.environ.get("SKSEQ_NATIVE", "")
    if wanted == "0":
        return None, "switched off by SKSEQ_NATIVE=0"
    path = LIBRARY if wanted in ("", "1") else Path(wanted)
    try:
        return _open(path), "in use"
    except OSError as error:
        if wanted:
            raise ImportError(demand(wanted, error)) from error
        return None, "not compiled" if not path.exists() else f"not usable: {error}"


def _open(path: Path) -> ctypes.CDLL:
    """Load a library, unless the source beside this file has changed since."""
    found = ctypes.CDLL(str(path))
    found.skseq_source.restype = ctypes.c_uint32
    if checksum() not in (0, found.skseq_source()):
        raise OSError(f"{path.name} is older than its source: compile it again")
    return found


def checksum() -> int:
    """A checksum of the source; 0 where there is none, as in what pip installs."""
    source = sorted(path for path in FOLDER.iterdir() if path.suffix in (".cpp", ".h"))
    return zlib.crc32(b"".join(path.read_bytes() for path in source))
