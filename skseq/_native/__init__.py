"""Compiled code: whether there is any, and the calls into it.

A library that needs nothing but the C++ runtime is compiled while skseq is installed,
where there is a compiler (`hatch_build.py`), and lies in this folder. Without it, the
plain code that it repeats runs instead, and results are the same. The environment
variable `SKSEQ_NATIVE` says what may be used: 0, nothing; 1, the library, which must be
there; a path, the library that lies there.

`library` finds and loads it, `status` says so in words, and `ctc` calls it. Knows no
estimator and imports no other room.
"""

import ctypes
import os
import sys
import zlib
from functools import cache
from pathlib import Path

SUFFIXES = {"win32": ".dll", "darwin": ".dylib"}
FOLDER = Path(__file__).parent
LIBRARY = FOLDER / ("libctc" + SUFFIXES.get(sys.platform, ".so"))


def library() -> ctypes.CDLL | None:
    """Load the library, once; None where plain code is to run instead."""
    return _load()[0]


def status() -> str:
    """Say in words whether the library is used."""
    try:
        return _load()[1]
    except ImportError as error:
        return str(error)


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
            raise ImportError(
                f"SKSEQ_NATIVE={wanted} asks for compiled code, but there is none: "
                f"{error}. Install skseq where there is a C++ compiler, or unset it."
            ) from error
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
