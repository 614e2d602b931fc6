"""What is written comes back; what is damaged, hostile or foreign is refused."""

import hashlib
import io
import itertools
import json
import os
import pickle
import re
import stat
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save as save_tensors

from skseq._files import archive as _archive
from skseq._files.archive import (
    FORMAT_VERSION,
    read_archive,
    read_header,
    write_archive,
)
from tests.processes import run_python

pytestmark = pytest.mark.core

HEADER = {
    "class": "Model",
    "parameters": {"units": [64, 32], "tol": 1e-300, "none": None, "empty": []},
    "classes": ["é", "\n", "\ud800", ["nested", [{}, [1]]], True, -0.0, 2**70],
}
ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(2.5)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skseq"


@pytest.fixture
def written(path):
    write_archive(path, HEADER, ARRAYS)
    return path


def assert_same_arrays(actual, expected):
    assert sorted(actual) == sorted(expected)
    for name, array in expected.items():
        assert actual[name].shape == array.shape
        assert actual[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(actual[name], array)


def members(header, arrays=ARRAYS):
    """Return the two members of a valid file, the first as a dict to tamper with."""
    buffer = save_tensors(arrays)
    digest = hashlib.sha256(buffer).hexdigest()
    name = "weights.safetensors"
    document = {"format": 1, "sha256": {name: digest}, "header": header}
    return document, buffer


def write_zip(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries:
            data = json.dumps(data) if isinstance(data, dict) else data
            archive.writestr(name, data)


def refuses(path, reason):
    return pytest.raises(ValueError, match=f"model.skseq is not a skseq file: {reason}")


# Round trips


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_arrays_of_every_dtype_and_shape_come_back(path, byte_order):
    rng = np.random.default_rng(0)
    arrays = {
        f"{dtype}{shape}": rng.integers(0, 2, shape).astype(byte_order + dtype)
        for dtype in "?bBhHiIlLqQefd"
        for shape in [(0,), (3, 0, 2), (1,), (4, 3), (2, 3, 4)]
    }
    arrays["0-d"] = np.array(2.5, dtype=byte_order + "f4")
    write_archive(path, {}, arrays)
    assert_same_arrays(read_archive(path).arrays, arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(12.0)[::-2],
        np.arange(24.0).reshape(2, 3, 4)[:, ::-1, 1::2],
        np.broadcast_to(np.float32(3), (2, 2)),
        np.array([np.nan, np.inf, -0.0, 5e-324]),
        np.arange(4, dtype=">f8")[::2],
    ],
)
def test_the_memory_layout_does_not_matter(path, array):
    before = array.copy()
    write_archive(path, {}, {"x": array})
    assert_same_arrays(read_archive(path).arrays, {"x": array})
    np.testing.assert_array_equal(array, before)


def test_a_header_comes_back_with_its_types(written):
    header = read_archive(written).header
    assert header == HEADER
    assert type(header["parameters"]["units"]) is list
    assert header["classes"][4] is True
    assert str(header["classes"][5]) == "-0.0"


def test_the_header_alone_is_read_without_the_arrays(path):
    arrays = {"a": np.zeros(2**20)}
    write_archive(path, HEADER, arrays)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1  # among the arrays
    path.write_bytes(damaged)
    tracemalloc.start()
    assert read_header(path) == HEADER
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**19
    with pytest.raises(ValueError, match="Bad CRC-32"):
        read_archive(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x05", b"PK\x03\x04 torn"])
def test_where_there_is_no_header_none_is_read(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path} is not a skseq file"):
        read_header(path)


def test_a_file_without_arrays_comes_back(path):
    write_archive(str(path), {}, {})
    archive = read_archive(str(path))
    assert archive.header == {}
    assert archive.arrays == {}


def test_equal_content_gives_equal_bytes(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    write_archive(first, HEADER, ARRAYS)
    monkeypatch.setattr("time.time", lambda: 2e9)
    backwards = dict(reversed(HEADER.items())), dict(reversed(ARRAYS.items()))
    write_archive(second, *backwards)
    assert first.read_bytes() == second.read_bytes()


# What cannot be written


@pytest.mark.parametrize(
    ("value", "error", "where"),
    [
        (object(), TypeError, r"header\['a'\]\[1\]\['b'\] is of the type object"),
        (np.float32(1), TypeError, r"\['a'\]\[1\]\['b'\] is of the type float32"),
        (np.arange(2), TypeError, r"\['a'\]\[1\]\['b'\] is of the type ndarray"),
        ({1, 2}, TypeError, r"header\['a'\]\[1\]\['b'\] is of the type set"),
        ((1, 2), TypeError, r"header\['a'\]\[1\]\['b'\] is of the type tuple"),
        (b"x", TypeError, r"header\['a'\]\[1\]\['b'\] is of the type bytes"),
        (len, TypeError, r"header\['a'\]\[1\]\['b'\] is of the type builtin"),
        ({1: 2}, TypeError, r"header\['a'\]\[1\]\['b'\] has the key 1"),
        (float("nan"), ValueError, r"header\['a'\]\[1\]\['b'\] is nan"),
        ([0, -np.inf], ValueError, r"header\['a'\]\[1\]\['b'\]\[1\] is -inf"),
    ],
)
def test_what_json_cannot_hold_is_named_by_its_place(path, value, error, where):
    with pytest.raises(error, match=where):
        write_archive(path, {"a": [0, {"b": value}]}, {})
    assert not path.exists()


@pytest.mark.parametrize("header", [None, [], "x", ()])
def test_a_header_is_a_dict(path, header):
    with pytest.raises(TypeError, match="header must be a dict"):
        write_archive(path, header, {})


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([None]), np.array(1j), np.longdouble(1)]
)
def test_an_array_of_another_dtype_is_named(path, array):
    with pytest.raises(TypeError, match="The array 'x' has the dtype"):
        write_archive(path, {}, {"x": array})


def test_the_reserved_name_of_an_array_is_refused(path):
    with pytest.raises(ValueError, match="'__metadata__' is reserved"):
        write_archive(path, {}, {"__metadata__": np.ones(2)})


def test_a_header_that_could_not_be_read_back_is_not_written(path, monkeypatch):
    monkeypatch.setattr(_archive, "_MAX_HEADER_BYTES", 300)
    with pytest.raises(ValueError, match="bytes of JSON, and a file can hold 300"):
        write_archive(path, {"a": "x" * 300}, {})


# Writing is all or nothing


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("target", ["os.fsync", "os.replace", "zipfile.ZipFile.open"])
def test_a_write_that_fails_leaves_the_folder_as_it_was(
    path, monkeypatch, target, error, exists
):
    if exists:
        path.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise error("no space left on device")

    monkeypatch.setattr(target, fail)
    with pytest.raises(error, match="no space left"):
        write_archive(path, HEADER, ARRAYS)
    assert [p.read_bytes() for p in path.parent.iterdir()] == [b"old"] * exists


def test_a_write_replaces_the_old_file_and_leaves_nothing_else(written):
    write_archive(written, {"new": 1}, {})
    assert read_archive(written).header == {"new": 1}
    assert list(written.parent.iterdir()) == [written]


def test_a_folder_that_cannot_be_synced_does_not_matter(path, monkeypatch):
    def fail(*args):
        raise PermissionError

    monkeypatch.setattr(os, "open", fail)
    write_archive(path, HEADER, ARRAYS)
    monkeypatch.undo()
    assert read_archive(path).header == HEADER


def test_a_missing_folder_is_named(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError) as caught:
        write_archive(missing / "model.skseq", {}, {})
    assert caught.value.filename == str(missing)
    assert not missing.exists()


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"is a folder\. Name a file in it"):
        write_archive(tmp_path, {}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [b"PK", io.BytesIO(), None, 3, "a\0b", ""],
    ids=lambda path: type(path).__name__,
)
def test_what_names_no_file_is_neither_read_nor_written(path):
    message = r"^path must be a str or path-like\. Got .* use pickle"
    with pytest.raises(TypeError, match=message):
        write_archive(path, {}, {})
    with pytest.raises(TypeError, match=message):
        read_archive(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="it is a pipe, a socket or a device"):
        read_archive(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX pipes")
def test_a_pipe_or_a_device_is_not_replaced(path):
    os.mkfifo(path)
    for special in (path, "/dev/null"):
        with pytest.raises(ValueError, match=r"is a pipe, a socket or a device\. Name"):
            write_archive(special, HEADER, ARRAYS)
    assert path.is_fifo()


def test_a_name_that_is_too_long_is_named_and_no_temporary_file(tmp_path):
    with pytest.raises(OSError, match=re.escape(repr(str(tmp_path / ("x" * 300))))):
        write_archive(tmp_path / ("x" * 300), HEADER, ARRAYS)
    assert not list(tmp_path.iterdir())


def test_the_home_folder_may_be_written_as_a_tilde(written, monkeypatch):
    monkeypatch.setenv("HOME", str(written.parent))
    monkeypatch.setenv("USERPROFILE", str(written.parent))
    write_archive("~/other.skseq", {"new": 1}, {})
    assert read_archive("~/other.skseq").header == {"new": 1}


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_a_link_is_written_through_and_the_mode_is_that_of_any_new_file(tmp_path):
    plain, link, target = tmp_path / "plain", tmp_path / "link", tmp_path / "target"
    plain.touch()
    link.symlink_to(target)
    write_archive(link, HEADER, ARRAYS)
    assert link.is_symlink()
    assert read_archive(target).header == HEADER
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_file_that_is_replaced_hands_on_its_mode(written, mode):
    written.chmod(mode)
    write_archive(written, {"new": True}, ARRAYS)
    assert read_archive(written).header == {"new": True}
    assert stat.S_IMODE(written.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_a_private_file_is_private_while_it_is_written(written, monkeypatch):
    def modes_then_fail(file, members):
        modes.update(p.stat().st_mode & 0o777 for p in written.parent.iterdir())
        raise OSError("no")

    modes = set()
    written.chmod(0o600)
    monkeypatch.setattr(_archive, "_write_zip", modes_then_fail)
    with pytest.raises(OSError, match="no"):
        write_archive(written, HEADER, ARRAYS)
    assert modes == {0o600}


def test_a_write_sweeps_what_was_killed_long_ago_and_nothing_else(path):
    folder, now = path.parent, time.time()
    left = {
        ".skseq-0123456789abcdef.tmp": 3700,
        ".skseq-fedcba9876543210.tmp": 3500,  # somebody may be writing it
        ".skseq-mine.tmp": 99999,
        "x.skseq-0123456789abcdef.tmp": 99999,
        "thesis.txt": 99999,
    }
    for name, age in left.items():
        (folder / name).write_text("torn")
        os.utime(folder / name, (now - age, now - age))
    (folder / ".skseq-00000000000000aa.tmp").mkdir()
    os.utime(folder / ".skseq-00000000000000aa.tmp", (0, 0))
    write_archive(path, HEADER, ARRAYS)
    expected = {path.name, *list(left)[1:], ".skseq-00000000000000aa.tmp"}
    assert {p.name for p in folder.iterdir()} == expected


def test_a_link_among_what_is_swept_is_not_followed(path, tmp_path):
    precious = tmp_path / "thesis.txt"
    precious.write_text("precious")
    os.utime(precious, (0, 0))
    (tmp_path / ".skseq-0123456789abcdef.tmp").symlink_to(precious)
    write_archive(path, HEADER, ARRAYS)
    assert precious.read_text() == "precious"


# Memory


MEASURE = """if True:
    import os, resource, sys
    from skseq._files.archive import read_archive
    from skseq._files.plain import unpack

    def peak():
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = peak()
    for path in sys.argv[1:]:
        try:
            archive = read_archive(path)
            n_bytes = sum(array.nbytes for array in archive.arrays.values())
            unpack(archive.header, archive.arrays, 2**25 + 2 * n_bytes)
            refusal = "read"
        except ValueError as error:
            refusal = str(error)
        print(peak() - before, refusal)
"""


def packed(text, weights):
    """A file with this text in its header, and these bytes as its weights."""
    document, _ = members({})
    digest = hashlib.sha256(weights).hexdigest()
    document["sha256"]["weights.safetensors"] = digest
    text = json.dumps(document).replace('"header": {}', f'"header": {{"a": {text}}}')
    buffer = io.BytesIO()
    write_zip(buffer, [("skseq.json", text), ("weights.safetensors", weights)])
    return buffer.getvalue()


def many(item, n, n_bytes=2**20 - 500):
    """A list of n items, or of as many as there is room for."""
    return "[" + ",".join([item] * min(n, n_bytes // (len(item) + 1))) + "]"


def names(text):
    return struct.pack("<Q", len(text)) + text.encode()


def short_texts(n):
    lengths = np.full(n, 2)
    letters = np.random.default_rng(0).integers(97, 123, 2 * n).astype(np.uint8)
    return save_tensors({"a:lengths": lengths, "a:utf8": letters})


EMPTY_ARRAY = '"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
NO_ARRAYS = save_tensors({})
GREEDY = {
    "many lists": (many("[]", 10**6), NO_ARRAYS, "more than 131072 lists"),
    "many nested lists": (many("[[[[[]]]]]", 26_000), NO_ARRAYS, "read"),
    "many dicts": (many('{"a":1}', 130_000), NO_ARRAYS, "read"),
    "many texts": (many('"ab"', 10**6), NO_ARRAYS, "read"),
    "many names of lists": ("1", names(many("[]", 10**7, 2**22)), "names of"),
    "many arrays": (
        "1",
        names("{" + ",".join(EMPTY_ARRAY % i for i in range(18_000)) + "}"),
        "nothing refers to",
    ),
    "short texts": ('{"$texts":"a"}', short_texts(500_000), "take more memory"),
    "fewer short texts": ('{"$texts":"a"}', short_texts(250_000), "read"),
    "long lists": (
        '{"$list":{"$array":"a"}}',
        save_tensors({"a": np.arange(10**6, 3 * 10**6)}),
        "take more memory",
    ),
    "weights": ('{"$array":"a"}', save_tensors({"a": np.zeros(10**6)}), "read"),
}


@pytest.mark.skipif(os.name == "nt", reason="POSIX measures")
def test_reading_takes_no_more_than_64_mb_and_four_times_the_file(tmp_path):
    for name, (text, weights, _) in GREEDY.items():
        (tmp_path / name).write_bytes(packed(text, weights))
    paths = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
    lines = run_python(MEASURE, *paths).splitlines()
    for path, line in zip(paths, lines, strict=True):
        most, _, refusal = line.partition(" ")
        assert int(most) <= 2**26 + 4 * path.stat().st_size, path.name
        assert GREEDY[path.name][2] in refusal


def sparse(path, *pieces):
    """A file of 20 GB with these pieces (place, bytes), which takes no room."""
    with open(path, "wb") as file:
        file.truncate(20 * 10**9)
        for place, content in pieces:
            file.seek(place, os.SEEK_END if place < 0 else os.SEEK_SET)
            file.write(content)


def test_a_file_of_20_gb_of_nothing_is_refused_before_it_is_read(written, monkeypatch):
    data = written.read_bytes()
    end = data[-22:]
    n_bytes = 20 * 10**9 - 26
    vast = end[:12] + struct.pack("<II", min(n_bytes, 2**32 - 2), 4) + end[20:]
    pieces = {
        "nothing follows": [(0, data)],
        "a vast directory": [(0, data[:4]), (-22, vast)],
        "the start alone": [(0, data[:4])],
    }
    monkeypatch.setattr(_archive, "load_tensors", None)
    for name, content in pieces.items():
        sparse(written, *content)
        tracemalloc.start()
        with refuses(written, ""):
            read_archive(written)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 2**21, name


def test_weights_that_are_longer_than_their_names_say_are_refused_unread(path):
    path.write_bytes(packed("1", NO_ARRAYS + bytes(5 * 10**6)))
    tracemalloc.start()
    with refuses(path, "its weights cannot be read .they do not fill"):
        read_archive(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


# Damage


def test_a_truncated_file_is_refused_wherever_it_ends(written):
    data = written.read_bytes()
    for n_bytes in (*range(0, len(data), 7), len(data) - 1):
        written.write_bytes(data[:n_bytes])
        with refuses(written, ""):
            read_archive(written)


def test_a_flipped_byte_is_refused_or_does_not_matter(written):
    data = written.read_bytes()
    refusals = []
    for i, mask in zip(range(len(data)), itertools.cycle([0x01, 0x80, 0xFF])):
        damaged = bytearray(data)
        damaged[i] ^= mask
        written.write_bytes(damaged)
        try:
            archive = read_archive(written)
        except ValueError as error:
            refusals.append(str(error))
        else:
            assert archive.header == HEADER
            assert_same_arrays(archive.arrays, ARRAYS)
    assert all("model.skseq is not a skseq file: " in text for text in refusals)
    assert len(refusals) > 0.8 * len(data)


def test_random_bytes_after_the_signature_are_refused(path):
    rng = np.random.default_rng(0)
    for n_bytes in (0, 1, 18, 22, 100, 1000) * 10:
        path.write_bytes(b"PK\x03\x04" + rng.bytes(n_bytes))
        with refuses(path, ""):
            read_archive(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"P", "it is not a zip file"),
        (b"hello, world\n", "it is not a zip file"),
        (pickle.dumps({"a": 1}), "it looks like a pickle"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "it looks like an HDF5 file"),
        (b"PK\x05\x06" + bytes(18), "it is not a zip file"),
        (b"\x93NUMPY\x01\x00", "it looks like a .npy file"),
    ],
)
def test_other_files_are_called_what_they_are(path, data, reason):
    path.write_bytes(data)
    with refuses(path, reason):
        read_archive(path)


def test_an_npz_file_is_refused_by_its_members(path):
    with open(path, "wb") as file:
        np.savez(file, x=np.ones(3))
    with refuses(path, "it should hold skseq.json once, but it holds 'x.npy'"):
        read_archive(path)


def test_errors_of_the_system_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "missing")
    with pytest.raises(OSError, match="directory"):
        read_archive(tmp_path)


# Hostile files


def test_the_helper_for_the_tests_below_writes_valid_files(path):
    document, weights = members({"a": 1})
    write_zip(path, [("skseq.json", document), ("weights.safetensors", weights)])
    archive = read_archive(path)
    assert archive.header == {"a": 1}
    assert_same_arrays(archive.arrays, ARRAYS)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "x", "C:\\x", "skseq.json/"])
def test_a_further_member_is_refused_and_nothing_extracted(path, name):
    document, weights = members({})
    entries = [("skseq.json", document), ("weights.safetensors", weights), (name, b"")]
    write_zip(path, entries)
    with refuses(path, "it should hold skseq.json and weights.safetensors, but"):
        read_archive(path)
    assert list(path.parent.iterdir()) == [path]


def test_a_traversing_name_in_place_of_a_member_is_refused(path):
    document, weights = members({})
    write_zip(path, [("skseq.json", document), ("../weights.safetensors", weights)])
    with refuses(path, "it should hold"):
        read_archive(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twice", ["skseq.json", "weights.safetensors"])
def test_a_member_that_is_there_twice_is_refused(path, twice):
    document, weights = members({})
    entries = [("skseq.json", document), ("weights.safetensors", weights)]
    write_zip(path, [*entries, (twice, dict(entries)[twice])])
    with refuses(path, "it should hold"):
        read_archive(path)


@pytest.mark.parametrize("missing", ["skseq.json", "weights.safetensors"])
def test_a_member_that_is_missing_is_refused(path, missing):
    document, weights = members({})
    entries = {"skseq.json": document, "weights.safetensors": weights}
    del entries[missing]
    write_zip(path, entries.items())
    with refuses(path, "it should hold"):
        read_archive(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_compressed_bomb_is_refused_unread(path, compression, monkeypatch):
    bomb = bytes(2**20)
    write_zip(path, [("skseq.json", bomb), ("weights.safetensors", b"")], compression)
    assert path.stat().st_size < 5000
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    with refuses(path, "skseq.json is compressed"):
        read_archive(path)


def test_a_size_beyond_the_file_is_refused_unread(written):
    data = bytearray(written.read_bytes())
    entry = data.rindex(b"PK\x01\x02")  # of the weights, in the central directory
    struct.pack_into("<II", data, entry + 20, 2**31, 2**31)
    written.write_bytes(data)
    with refuses(written, "weights.safetensors cannot have 2147483648 bytes"):
        read_archive(written)


def test_a_header_beyond_the_cap_is_refused(path):
    def fill(n_bytes):
        document, weights = members({})
        text = json.dumps(document).ljust(n_bytes)
        write_zip(path, [("skseq.json", text), ("weights.safetensors", weights)])

    fill(2**20)
    assert read_archive(path).header == {}
    fill(2**20 + 1)
    with refuses(path, "skseq.json cannot have 1048577 bytes"):
        read_archive(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "skseq.json is not valid JSON"),
        ("{", "skseq.json is not valid JSON"),
        ("[" * 100_000, "skseq.json is not valid JSON"),
        ('{"a": "é"}', "skseq.json is not valid JSON"),
        ('{"a": ' + "9" * 10_000 + "}", "skseq.json is not valid JSON"),
        ('{"a": 1, "a": 1}', "skseq.json has the same key twice"),
        ('{"a": NaN}', "skseq.json holds NaN"),
        ('{"a": -Infinity}', "skseq.json holds -Infinity"),
        ('{"a": 1e999}', "skseq.json holds 1e999"),
        ("[]", "skseq.json names no format version"),
        ("{}", "skseq.json names no format version"),
        ('{"format": "1"}', "skseq.json names no format version"),
        ('{"format": true}', "skseq.json names no format version"),
        ('{"format": 1}', "skseq.json has no header or no checksum"),
        ('{"format": 1, "header": {}, "sha256": []}', "skseq.json has no header or no"),
        (
            '{"format": 1, "header": [], "sha256": {"weights.safetensors": ""}}',
            "skseq.json has no usable",
        ),
        (
            '{"format": 0, "header": {}, "sha256": {"weights.safetensors": ""}}',
            "skseq.json has no usable",
        ),
    ],
)
def test_a_malformed_header_is_refused(path, text, reason):
    write_zip(path, [("skseq.json", text), ("weights.safetensors", members({})[1])])
    with refuses(path, reason):
        read_archive(path)


@pytest.mark.parametrize("checksum", ["", "0" * 64, None, 5, ["a"]])
def test_a_wrong_checksum_is_refused(path, checksum):
    document, weights = members({})
    document["sha256"]["weights.safetensors"] = checksum
    write_zip(path, [("skseq.json", document), ("weights.safetensors", weights)])
    with refuses(path, "its weights do not match their checksum"):
        read_archive(path)


def tensors(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 10) + b"{}",
        tensors({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"1234"),
        tensors({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        tensors({"x": {"dtype": "F32", "shape": [2**62, 8], "data_offsets": [0, 0]}}),
        tensors(
            {"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"1234"
        ),
        tensors({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"12"),
        tensors({"x": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
    ],
)
def test_malformed_weights_are_refused_even_with_their_checksum(path, weights):
    document, _ = members({})
    digest = hashlib.sha256(weights).hexdigest()
    document["sha256"]["weights.safetensors"] = digest
    write_zip(path, [("skseq.json", document), ("weights.safetensors", weights)])
    with refuses(path, "its weights cannot be read"):
        read_archive(path)


def test_complex_weights_are_refused(path):
    document, weights = members({}, {"x": np.ones(2, np.complex64)})
    write_zip(path, [("skseq.json", document), ("weights.safetensors", weights)])
    with refuses(path, "its array 'x' has the dtype complex64"):
        read_archive(path)


def test_a_newer_format_says_so_whatever_else_it_holds(path):
    document = {"format": FORMAT_VERSION + 1}
    write_zip(path, [("skseq.json", document), ("x", b""), ("y", b"")])
    message = rf"format {FORMAT_VERSION + 1}, but skseq .* up to {FORMAT_VERSION}\. Upg"
    with pytest.raises(ValueError, match=message):
        read_archive(path)


def test_a_pickle_in_a_member_is_not_run(path, tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    write_zip(
        path, [("skseq.json", pickle.dumps(Bomb())), ("weights.safetensors", b"")]
    )
    with refuses(path, "skseq.json is not valid JSON"):
        read_archive(path)
    assert list(tmp_path.iterdir()) == [path]


def test_an_encrypted_member_is_refused(written):
    data = bytearray(written.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    written.write_bytes(data)
    with refuses(written, "its zip structure is damaged .*encrypted"):
        read_archive(written)


def test_the_file_is_an_ordinary_zip_of_json_and_safetensors(written):
    with zipfile.ZipFile(io.BytesIO(written.read_bytes())) as archive:
        assert archive.namelist() == ["skseq.json", "weights.safetensors"]
        assert archive.testzip() is None
        assert json.loads(archive.read("skseq.json"))["format"] == FORMAT_VERSION


def test_a_number_is_not_a_path_and_no_file_is_closed(tmp_path):
    with open(tmp_path / "open", "wb") as file:
        with pytest.raises(TypeError, match=r"must be a str or path-like\. Got"):
            read_archive(file.fileno())
        file.write(b"still open")
