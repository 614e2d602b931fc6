"""What is published holds what users need, installs, and shows a page on an index."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import skseq
from tests.processes import ROOT, run_python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def test_the_extra_all_holds_every_extra_that_skseq_uses():
    [all_of] = EXTRAS["all"]
    named = all_of.removeprefix("skseq[").removesuffix("]").split(",")
    assert {*named} == EXTRAS.keys() - {"all", "citizens", "docs", "test"}


def run(*arguments, **environment):
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the source distribution, and with the wheel that it gives."""
    for name in ("build", "hatchling", "twine"):
        pytest.importorskip(name, reason='pip install -e ".[test]"')
    folder = tmp_path_factory.mktemp("dist")
    run("build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    [path] = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def in_source(built):
    """The names of the files in the source distribution, without its own folder."""
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def sources(folder, *patterns):
    """The files of the checkout, where Python and editors have left others too."""
    found = {path for pattern in patterns for path in (ROOT / folder).rglob(pattern)}
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if not {"__pycache__", "_build", "generated", "gallery"} & {*path.parts}
    }


@pytest.mark.slow
def test_a_wheel_holds_the_package_and_nothing_else(wheel):
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    compiled = {name for name in found if name.startswith("skseq/_native/lib")}
    assert found - compiled == sources("skseq", "*.py", "*.pyi", "py.typed")
    assert len(compiled) == (2 if shutil.which("c++") else 0)


@pytest.mark.slow
def test_a_wheel_tells_its_version_its_license_and_its_extras(wheel):
    [name] = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata["Version"] == skseq.__version__
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert {*metadata.get_all("Provides-Extra")} == EXTRAS.keys()
    assert metadata.get_payload().startswith("# skseq")
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


@pytest.mark.slow
def test_a_source_distribution_holds_what_building_and_testing_need(in_source):
    needed = {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE"}
    needed |= {"CHANGELOG.md", "CONTRIBUTING.md", ".ci/run"}
    needed |= sources("skseq", "*.py", "*.cpp", "*.h")
    needed |= sources("tests", "*.py", "*.txt") | sources("examples", "*.py")
    needed |= sources("docs", "*.md", "*.png", "*.py")
    assert not needed - in_source
    left = [n for n in in_source if Path(n).suffix in {".so", ".dll", ".dylib", ".pyc"}]
    assert not left


@pytest.mark.slow
def test_an_index_can_show_the_page_of_what_is_published(built):
    checked = run("twine", "check", "--strict", *built.iterdir(), NO_COLOR="1")
    assert checked.count("PASSED") == 2


@pytest.mark.slow
def test_a_source_distribution_installs_without_a_compiler(built, tmp_path):
    [path] = built.glob("*.tar.gz")
    options = ["--no-deps", "--no-build-isolation", "--target", tmp_path]
    run("pip", "install", *options, path, CXX="no-such-compiler")
    code = "import skseq; print(skseq.__version__, skseq.__file__)"
    told = run_python(code, PYTHONPATH=str(tmp_path), cwd=tmp_path)
    assert told.split() == [skseq.__version__, str(tmp_path / "skseq" / "__init__.py")]
