import importlib.metadata
import sys
import tomllib

import numpy as np
import pytest
import sklearn

import skseq
from skseq import _show_versions, show_versions
from tests.processes import ROOT, run_python


def facts(text):
    """The printed lines, by what stands before their colon."""
    lines = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip(): fact.strip() for name, fact in lines}


def test_versions_are_those_that_the_modules_give(capsys):
    show_versions()
    shown = facts(capsys.readouterr().out)
    assert shown["skseq"] == skseq.__version__
    assert shown["numpy"] == np.__version__
    assert shown["scikit-learn"] == sklearn.__version__
    assert shown["python"].startswith("{}.{}.{}".format(*sys.version_info))
    assert shown["executable"] == sys.executable


def test_what_the_package_needs_is_what_is_shown():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(
            item
            for name in extras.keys() - {"all", "docs", "test"}
            for item in extras[name]
        ),
    ]
    assert {item.split(">=")[0] for item in wanted} <= {*_show_versions.DEPENDENCIES}


def test_a_dependency_that_is_missing_is_shown_as_none(capsys, monkeypatch):
    monkeypatch.setattr(_show_versions, "DEPENDENCIES", ("no-such-distribution",))
    show_versions()
    assert facts(capsys.readouterr().out)["no-such-distribution"] == "None"


def test_tensorflow_is_found_by_its_other_name(capsys, monkeypatch):
    def version(name):
        if name == "tensorflow-cpu":
            return "2.99"
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(_show_versions, "version", version)
    show_versions()
    assert facts(capsys.readouterr().out)["tensorflow"] == "2.99"


def test_nothing_of_what_is_reported_gets_imported():
    text = run_python(
        "import sys, skseq\n"
        "skseq.show_versions()\n"
        "names = {'tensorflow', 'keras', 'numpy', 'sklearn'}\n"
        "print('imported:', names & {*sys.modules})"
    )
    assert facts(text)["imported"] == "set()"
    assert facts(text)["devices"] == "not imported yet"


@pytest.mark.slow
def test_tensorflow_once_imported_tells_its_devices_and_threads():
    text = run_python(
        "import tensorflow, skseq\n"
        "tensorflow.config.threading.set_intra_op_parallelism_threads(3)\n"
        "skseq.show_versions()"
    )
    shown = facts(text)
    assert "/physical_device:CPU:0" in shown["devices"]
    assert shown["intra-op threads"] == "3"
    assert shown["inter-op threads"] == "0"


@pytest.mark.parametrize("names", [skseq.__all__, dir(skseq)])
def test_the_function_is_public(names):
    assert "show_versions" in names
