"""How the compiled code comes to be, is found, and is switched off."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

from skseq import _native, show_versions
from skseq._native import LIBRARY, RECURRENCES, library, status
from tests.processes import ROOT, run_python

REPORT = "from skseq import _native; print(_native.library() and 1, _native.status())"
CHECKOUT = pytest.mark.skipif(
    not (ROOT / "hatch_build.py").exists(), reason="needs the source"
)
COMPILER = pytest.mark.skipif(not shutil.which("c++"), reason="needs a C++ compiler")


@pytest.fixture
def build():
    """The module that compiles."""
    spec = importlib.util.spec_from_file_location(
        "hatch_build", ROOT / "hatch_build.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_versions_say_whether_there_is_compiled_code(capsys):
    show_versions()
    assert f"CTC search and lattice: {status()}\n" in capsys.readouterr().out
    assert (status() == "in use") == (library() is not None)


def test_compiled_code_can_be_switched_off():
    said = run_python(REPORT, SKSEQ_NATIVE="0")
    assert said == "None switched off by SKSEQ_NATIVE=0\n"


ASKED_FOR = """
from skseq._native import library, status
print(status())
try:
    library()
except ImportError as error:
    print(error)
"""


def test_compiled_code_that_is_asked_for_must_be_there(tmp_path):
    missing = (tmp_path / LIBRARY.name).as_posix()
    said, raised = run_python(ASKED_FOR, SKSEQ_NATIVE=missing).splitlines()
    assert said == raised
    assert said.startswith(f"SKSEQ_NATIVE={missing} asks for compiled code")


@pytest.mark.parametrize("word", ["off", "2", "false"])
def test_words_that_say_nothing_are_refused_for_both_libraries(word, monkeypatch):
    monkeypatch.setenv("SKSEQ_NATIVE", word)
    for look in (_native._find.__wrapped__, _native._load.__wrapped__):
        with pytest.raises(ImportError, match=r"Set it to 0, 1 or the path of a comp"):
            look()


@pytest.mark.skipif(library() is None, reason=f"compiled code is {status()}")
def test_compiled_code_that_is_older_than_its_source_is_not_used(monkeypatch):
    path = library()._name
    _native._open(Path(path))
    monkeypatch.setattr(_native, "checksum", lambda: 1)
    with pytest.raises(OSError, match="older than its source: compile it again"):
        _native._open(Path(path))


@pytest.fixture
def compiled_recurrences(monkeypatch, tmp_path):
    """A file in place of the library, which tells of which source it was made."""
    monkeypatch.setenv("SKSEQ_NATIVE", "")
    monkeypatch.setattr(_native, "FOLDER", tmp_path)
    monkeypatch.setattr(_native, "checksum", lambda: 12)
    path = tmp_path / RECURRENCES
    path.write_bytes(b"... skseq-source=12u; ...")
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="not written for Windows")
def test_recurrences_are_used_if_they_are_of_this_source(
    compiled_recurrences, monkeypatch
):
    find = _native._find.__wrapped__
    assert find() == (compiled_recurrences, "compiled")
    monkeypatch.setattr(_native, "checksum", lambda: 2)
    path, status = find()
    assert path is None
    assert status.endswith("older than its source: compile it again")
    monkeypatch.setattr(_native, "checksum", lambda: 0)  # installed without source
    assert find() == (compiled_recurrences, "compiled")
    compiled_recurrences.unlink()
    assert find() == (None, "not compiled")


@pytest.mark.skipif(sys.platform == "win32", reason="not written for Windows")
def test_recurrences_are_asked_for_with_the_library_of_ctc(
    compiled_recurrences, monkeypatch
):
    find = _native._find.__wrapped__
    other = compiled_recurrences.with_name("other.so")
    monkeypatch.setenv("SKSEQ_NATIVE", str(other))
    with pytest.raises(ImportError, match="there is no file"):
        find()
    other.touch()
    assert find() == (compiled_recurrences, "compiled")
    monkeypatch.setenv("SKSEQ_NATIVE", "1")
    assert find() == (compiled_recurrences, "compiled")
    compiled_recurrences.unlink()
    with pytest.raises(ImportError, match="SKSEQ_NATIVE=1 asks for compiled code"):
        find()
    monkeypatch.setenv("SKSEQ_NATIVE", "0")
    assert find() == (None, "switched off by SKSEQ_NATIVE=0")


@CHECKOUT
@COMPILER
@pytest.mark.slow
def test_what_is_compiled_is_used(build, tmp_path):
    package = tmp_path / "skseq"
    shutil.copytree(ROOT / "skseq", package)
    build.NATIVE = package / "_native"
    (build.NATIVE / LIBRARY.name).unlink(missing_ok=True)
    run = {"PYTHONPATH": str(tmp_path), "cwd": tmp_path, "SKSEQ_NATIVE": ""}
    assert run_python(REPORT, **run) == "None not compiled\n"
    built = build.build_libraries(build.NATIVE)
    assert [library.name for library in built] == [LIBRARY.name, RECURRENCES]
    assert run_python(REPORT, **run) == "1 in use\n"


@CHECKOUT
@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"PATH": "", "CXX": ""}, "there is no C++ compiler"),
        ({"CXX": "no-such-compiler"}, "no-such-compiler failed: "),
        ({"CXX": f'"{sys.executable}" --no-such-option'}, "failed: "),
    ],
)
def test_without_a_compiler_that_works_a_line_says_so(
    environment, reason, build, monkeypatch, capsys, tmp_path
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert build.build_libraries(tmp_path) == []
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("skseq goes without compiled code: ")
        assert reason in line
    assert not os.listdir(tmp_path)


@CHECKOUT
def test_a_wheel_is_tied_to_a_platform_only(build):
    python, abi, platform = build.wheel_tag().split("-")
    assert (python, abi) == ("py3", "none")
    assert platform.isidentifier()
