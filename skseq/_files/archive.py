"""One zip file of a JSON header and named arrays, read without trusting it.

The file is written whole or not at all. Reading it parses JSON and numbers and runs
nothing, so a hostile file can fail to load but do no more. Knows nothing of estimators
or checkpoints, nor what a header means.
"""

import hashlib
import io
import json
import math
import os
import re
import reprlib
import secrets
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from skseq._parameters import PATH
from skseq._version import __version__

FORMAT_VERSION = 1

_HEADER = "skseq.json"
_WEIGHTS = "weights.safetensors"
_MAX_HEADER_BYTES = 2**20
_MAX_CONTAINERS = 2**17  # lists and dicts in the header
_MAX_DEPTH = 200  # levels of lists and dicts in the header; a tuple has two
_MAX_NAMES_BYTES = 2**20  # of the arrays' names, shapes and places
_MAX_DIRECTORY_BYTES = 2**17  # of what a zip of two members says of them
_ENDS = re.compile(rb'"data_offsets":\[\d+,(\d+)\]')
_EPOCH = (1980, 1, 1, 0, 0, 0)  # every member's time, so equal content, equal bytes

_TEMPORARY = re.compile(r"\.skseq-[0-9a-f]{16}\.tmp")
_LONG = 3600  # seconds: whoever writes a file writes something to it in an hour

_ZIP = b"PK\x03\x04"
_OTHER_FILES = {  # by their first bytes
    b"\x80": "it looks like a pickle; read it with pickle or joblib if you trust it",
    b"\x89HDF": "it looks like an HDF5 file",
    b"\x93NUM": "it looks like a .npy file",
    b"": "it is not a zip file",
}


@dataclass(frozen=True, eq=False)
class Archive:
    """What a skseq file holds: a header and arrays by name."""

    header: dict
    arrays: dict[str, np.ndarray]


class _Refusal(Exception):
    """Why a file is not a skseq file, in plain words."""


class _NewerFormat(Exception):
    """The format version of a file from a later skseq."""


def write_archive(path, header, arrays):
    """Write a header and arrays to one file, atomically.

    The file appears under its name only once it is complete and on the disk; until
    then, and if anything fails, a file that was there before stays as it was. Equal
    content gives equal bytes. A file that is replaced hands on its mode. Only a process
    that is killed outright while it writes leaves something behind, a file named
    ``.skseq-*.tmp`` in the same folder, which the next write an hour later removes.

    Parameters
    ----------
    path : str or path-like
        The file to write or to replace. Its folder must exist; "~" is the home folder.
    header : dict
        Strict JSON of at most 1 MB: None, booleans, integers, finite floats, strings,
        and lists and dicts with string keys of those. Keys are stored in sorted order.
    arrays : dict of str to ndarray
        Arrays of any shape and memory layout, of booleans, integers or floats of at
        most 64 bits.

    Raises
    ------
    TypeError
        If the header holds something JSON cannot, or an array has another dtype.
    ValueError
        If a number in the header is not finite, the name of an array is reserved, or
        the header is too large.
    OSError
        If the file cannot be written.
    """
    path = _checked_path(path)
    if not isinstance(header, dict):
        raise TypeError(f"The header must be a dict. Got {header!r} instead.")
    _check_json(header, "header")
    weights = save_tensors({name: _plain_array(name, a) for name, a in arrays.items()})
    document = {
        "format": FORMAT_VERSION,
        "sha256": {_WEIGHTS: hashlib.sha256(weights).hexdigest()},
        "header": header,
    }
    text = json.dumps(document, sort_keys=True, allow_nan=False).encode("ascii")
    if len(text) > _MAX_HEADER_BYTES:
        raise ValueError(
            f"Everything but the arrays takes {len(text)} bytes of JSON, and a file "
            f"can hold {_MAX_HEADER_BYTES}. Shorten long texts, tuples and dicts."
        )
    if _n_containers(text) > _MAX_CONTAINERS:
        raise ValueError(
            f"Everything but the arrays holds {_n_containers(text)} lists and dicts, "
            f"and a file can hold {_MAX_CONTAINERS}. Put them into arrays."
        )
    n_names = int.from_bytes(weights[:8], "little")
    if n_names > _MAX_NAMES_BYTES:
        raise ValueError(
            f"The names of {len(arrays)} arrays take {n_names} bytes, and a file can "
            f"hold {_MAX_NAMES_BYTES}. Put many small arrays into one."
        )
    _write_atomically(path, {_HEADER: text, _WEIGHTS: weights})


def read_archive(path):
    """Read what `write_archive` wrote, or say why that is not possible.

    Parameters
    ----------
    path : str or path-like
        The file to read. It need not be trusted: nothing in it is executed, and what
        it can make this function allocate is in proportion to its size. The holes of a
        sparse file count as well: where a file system compresses, sound files look the
        same.

    Returns
    -------
    archive : Archive
        With the attributes `header` (dict) and `arrays` (dict of str to ndarray).

    Raises
    ------
    ValueError
        If the file is not one of skseq's, is damaged, or comes from a newer skseq.
    OSError
        If the file cannot be read, for example because there is none.
    """
    return _read(path, _parse)


def read_header(path):
    """Read no more of a file than its header, without the arrays and their checksum.

    Parameters
    ----------
    path : str or path-like
        The file to read; it need not be trusted.

    Returns
    -------
    header : dict

    Raises
    ------
    ValueError, OSError
        As of `read_archive`, as far as the header goes.
    """
    return _read(path, _parse_header_alone)


def _read(path, parse: Callable) -> Any:
    path = _checked_path(path)
    try:
        with _open(path) as file:
            return parse(file)
    except _NewerFormat as newer:
        raise ValueError(
            f"{path} has the skseq file format {newer}, but skseq {__version__} reads "
            f"formats up to {FORMAT_VERSION}. Upgrade skseq to load it."
        ) from None
    except _Refusal as reason:
        raise ValueError(f"{path} is not a skseq file: {reason}.") from reason


def _write_atomically(path, members: dict[str, bytes]) -> None:
    target = os.path.realpath(path)  # replace the file a link points to, not the link
    folder = os.path.dirname(target)
    os.stat(folder)  # if it is missing, the error is to name it, not a temporary file
    if os.path.isdir(target):
        raise IsADirectoryError(f"{path} is a folder. Name a file in it.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{path} cannot be written: {folder} is read-only.")
    if os.path.exists(target) and not os.path.isfile(target):
        raise ValueError(f"{path} is a pipe, a socket or a device. Name a file.")
    temporary = os.path.join(folder, f".skseq-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            with suppress(OSError):  # there is no file yet
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
            _write_zip(file, members)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if error.filename == temporary:
            error.filename, error.filename2 = path, None
        raise
    finally:
        with suppress(OSError):  # after a success there is nothing left to remove
            os.unlink(temporary)
    _sync_folder(folder)
    _sweep(folder)


def _sweep(folder: str) -> None:
    """Remove what killed processes have left: what nobody has written to for long."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not _TEMPORARY.fullmatch(entry.name):
                continue
            with suppress(OSError):  # another process may have been faster
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(info.st_mode) and info.st_mtime < time.time() - _LONG:
                    os.unlink(entry.path)


def _write_zip(file, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.create_system = 3  # Unix, whatever wrote it
            archive.writestr(info, data)


def _sync_folder(folder: str) -> None:
    """Make the new name survive a power cut, where the system has a way to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Reader(io.FileIO):
    """A file that refuses reads larger than the largest that is expected."""

    largest = _MAX_DIRECTORY_BYTES

    @property
    def n_bytes(self) -> int:
        return os.fstat(self.fileno()).st_size

    def read(self, size=-1):
        if size is None or size < 0:
            size = max(0, self.n_bytes - self.tell())
        if size > self.largest:
            raise _Refusal(f"it cannot hold {size} bytes in one piece")
        return super().read(size)


def _checked_path(path) -> str:
    """A path as text, with the home folder for "~"; an int would be a descriptor."""
    if PATH.accepts(path):
        return os.path.expanduser(os.fsdecode(path))
    raise TypeError(
        f"path must be a str or path-like. Got {reprlib.repr(path)} instead. For "
        "bytes in memory, use pickle."
    )


def _without_waiting(path, flags) -> int:
    """Open a file; a pipe that nobody writes to does not block."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _open(path) -> _Reader:
    file = _Reader(path, opener=_without_waiting)
    try:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _Refusal("it is a pipe, a socket or a device")
        start = file.read(4)
        if not start:
            raise _Refusal("it is empty")
        if not start.startswith(_ZIP):
            known = _OTHER_FILES.items()
            raise _Refusal(
                next(text for magic, text in known if start.startswith(magic))
            )
    except BaseException:
        file.close()
        raise
    return file


def _parse(file: _Reader) -> Archive:
    with (
        _refusing("its zip structure is damaged"),
        zipfile.ZipFile(file) as archive,
    ):
        file.largest = file.n_bytes  # members are no larger than they may be
        header, checksum = _parse_header(_read_header(archive))
        weights = _read_weights(archive)
    if hashlib.sha256(weights).hexdigest() != checksum:
        raise _Refusal("its weights do not match their checksum")
    with _refusing("its weights cannot be read"):
        arrays = load_tensors(weights)
    _check_arrays(arrays)
    return Archive(header, arrays)


def _parse_header_alone(file: _Reader) -> dict:
    with (
        _refusing("its zip structure is damaged"),
        zipfile.ZipFile(file) as archive,
    ):
        file.largest = file.n_bytes
        return _parse_header(_read_header(archive))[0]


def _read_header(archive: zipfile.ZipFile) -> bytes:
    names = archive.namelist()
    if names.count(_HEADER) != 1:
        raise _Refusal(f"it should hold {_HEADER} once, but it holds {_listed(names)}")
    info = _checked(archive, _HEADER)
    if info.file_size > _MAX_HEADER_BYTES:
        raise _Refusal(f"{_HEADER} cannot have {info.file_size} bytes")
    return archive.read(info)


def _read_weights(archive: zipfile.ZipFile) -> bytes:
    """Read the weights, once what they begin with says that they are so long."""
    names = archive.namelist()
    if sorted(names) != [_HEADER, _WEIGHTS]:
        raise _Refusal(
            f"it should hold {_HEADER} and {_WEIGHTS}, but it holds {_listed(names)}"
        )
    info = _checked(archive, _WEIGHTS)
    with archive.open(info) as member:
        n_names = int.from_bytes(member.read(8), "little")
        if n_names > _MAX_NAMES_BYTES:
            raise _Refusal(f"its weights cannot be read (names of {n_names} bytes)")
        ends = [int(match[1]) for match in _ENDS.finditer(member.read(n_names))]
    if 8 + n_names + max(ends, default=0) != info.file_size:
        raise _Refusal("its weights cannot be read (they do not fill their place)")
    return archive.read(info)


def _checked(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Find a member that is stored as it is, so that its size is what it says."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise _Refusal(f"{name} is compressed")
    if not info.file_size == info.compress_size <= archive.fp.n_bytes:
        raise _Refusal(f"{name} cannot have {info.file_size} bytes")
    return info


def _parse_header(text: bytes) -> tuple[dict, str]:
    """Return the writer's header and the checksum that the arrays should have."""
    if _n_containers(text) > _MAX_CONTAINERS:
        raise _Refusal(f"{_HEADER} holds more than {_MAX_CONTAINERS} lists and dicts")
    with _refusing(f"{_HEADER} is not valid JSON"):
        document = json.loads(
            text.decode("ascii"),
            object_pairs_hook=_distinct,
            parse_float=_finite_float,
            parse_constant=_finite_float,
        )
    if _depth(document) > _MAX_DEPTH:
        raise _Refusal(f"{_HEADER} is nested more than {_MAX_DEPTH} levels deep")
    if not isinstance(document, dict) or type(document.get("format")) is not int:
        raise _Refusal(f"{_HEADER} names no format version")
    if document["format"] > FORMAT_VERSION:
        raise _NewerFormat(document["format"])
    with _refusing(f"{_HEADER} has no header or no checksum"):
        header, checksum = document["header"], document["sha256"][_WEIGHTS]
    if document["format"] < 1 or not isinstance(header, dict):
        raise _Refusal(f"{_HEADER} has no usable format version or header")
    return header, checksum


def _n_containers(text: bytes) -> int:
    """How many lists and dicts a JSON text has, or more, at many times its size."""
    return text.count(b"[") + text.count(b"{")


def _depth(document: Any) -> int:
    """How many lists and dicts of a document lie within one another."""
    depth, layer = 0, [document]
    while layer := [part for part in layer if isinstance(part, list | dict)]:
        depth += 1
        layer = [
            item
            for part in layer
            for item in (part.values() if isinstance(part, dict) else part)
        ]
    return depth


def _check_arrays(arrays: dict[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise _Refusal(f"its array {name!r} has the dtype {array.dtype}")


def _plain_array(name: str, array) -> np.ndarray:
    """Return `array` in the layout that safetensors writes correctly.

    It copies memory as it lies and drops strides. `np.ascontiguousarray` would not do,
    as it gives a 0-d array a dimension.
    """
    if name == "__metadata__":
        raise ValueError(f"{name!r} is reserved and cannot name an array.")
    array = np.asarray(array)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(
            f"The array {name!r} has the dtype {array.dtype}; a file can hold "
            "booleans, integers and floats of at most 64 bits."
        )
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _check_json(value, where: str) -> None:
    """Refuse what JSON would not give back, and say where it stands."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is {value}, which JSON cannot hold.")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{where} has the key {key!r}, which is not a string.")
            _check_json(item, f"{where}[{key!r}]")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _check_json(item, f"{where}[{i}]")
    elif value is not None and not isinstance(value, (bool, int, float, str)):
        raise TypeError(
            f"{where} is of the type {type(value).__name__}, which JSON cannot hold."
        )


def _distinct(pairs: list[tuple[str, object]]) -> dict:
    """Make a JSON object a dict, unless it has a key twice."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refusal(f"{_HEADER} has the same key twice")
    return value


def _finite_float(text: str) -> float:
    value = float(text)  # "1e999" is valid JSON, and infinite
    if not math.isfinite(value):
        raise _Refusal(f"{_HEADER} holds {text}, which is not a finite number")
    return value


def _listed(names: list[str], n_shown: int = 5) -> str:
    shown = ", ".join(map(repr, names[:n_shown])) or "nothing"
    return shown if len(names) <= n_shown else f"{shown} and others"


@contextmanager
def _refusing(reason: str) -> Iterator[None]:
    """Turn whatever a parser raises on damaged input into one plain refusal."""
    try:
        yield
    except (_Refusal, _NewerFormat, MemoryError):
        raise
    except Exception as error:  # zipfile, json and safetensors raise some ten kinds
        raise _Refusal(f"{reason} ({error})") from error
