"""TensorFlow starts without a line, unless the user has asked for lines."""

import os
import re
import subprocess
import sys

import pytest

from skseq._nn.startup import LEVEL, PREFIX, quiet_start
from tests.processes import ROOT

NOTE = re.compile(r"^[IWE]\d{4} ", re.MULTILINE)
LINES = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to "
    "STDERR\n"
    "I0000 00:00:1795824640.673156   11241 port.cc:153] oneDNN operations are on.\n"
    "W0000 00:00:1795824640.673577       7 xla/cuda_stub.cc:31] Could not find cuda.\n"
)
FATAL = "F0000 00:00:1795824640.67 11241 port.cc:9] It ends here.\n"

FIT = """
import os
from tests.estimators import CTC
CTC.tiny().fit(*CTC.draw(3))
print(os.environ.get("TF_CPP_MIN_LOG_LEVEL"))
"""
FIT_IN_WORKERS = """
import os, sys
from joblib import Parallel, delayed

def fit(i):
    from tests.estimators import CTC
    CTC.tiny().fit(*CTC.draw(3))
    return os.getpid()

found = Parallel(n_jobs=2)(delayed(fit)(i) for i in range(2))
assert "tensorflow" not in sys.modules and os.getpid() not in found
print("done")
"""


def run(code, **environment):
    """What a fresh process writes to stdout and stderr, without our own level."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(PREFIX)}
    kept |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_the_first_fit_writes_nothing_and_leaves_the_environment_alone():
    assert run(FIT) == ("None", "")


@pytest.mark.slow
def test_a_users_own_level_is_honoured():
    level, written = run(FIT, TF_CPP_MIN_LOG_LEVEL="0")
    assert level == "0"
    assert NOTE.search(written)


@pytest.mark.slow
def test_whoever_imports_tensorflow_first_sees_its_lines():
    _, written = run(f"import tensorflow\n{FIT}")
    assert NOTE.search(written)


@pytest.mark.slow
def test_workers_of_joblib_write_nothing():
    assert run(FIT_IN_WORKERS) == ("done", "")


@pytest.mark.slow
def test_a_closed_stderr_is_no_hindrance():
    assert run(f"import os; os.close(2)\n{FIT}") == ("None", "")


@pytest.fixture
def at_the_start(monkeypatch):
    """As where TensorFlow has not been imported, and nothing is set."""
    monkeypatch.delitem(sys.modules, "tensorflow")
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("at_the_start")
def test_only_the_lines_of_the_start_are_left_out(capfd):
    with quiet_start():
        assert os.environ[LEVEL] == "3"
        os.write(2, f"before\n{LINES}{FATAL}after".encode())
    assert capfd.readouterr().err == f"before\n{FATAL}after"
    assert LEVEL not in os.environ
    os.write(2, LINES.encode())
    assert capfd.readouterr().err == LINES


@pytest.mark.usefixtures("at_the_start")
def test_what_a_failing_import_writes_is_not_lost(capfd):
    def fail():
        with quiet_start():
            os.write(2, b"why")
            raise ImportError("no TensorFlow")

    with pytest.raises(ImportError, match="no TensorFlow"):
        fail()
    assert capfd.readouterr().err == "why"
    assert LEVEL not in os.environ


@pytest.mark.usefixtures("at_the_start")
@pytest.mark.parametrize("name", ["TF_CPP_MIN_LOG_LEVEL", "TF_CPP_VMODULE"])
def test_nothing_is_held_back_where_a_variable_is_set(name, capfd, monkeypatch):
    monkeypatch.setenv(name, "1")
    with quiet_start():
        os.write(2, LINES.encode())
        assert capfd.readouterr().err == LINES
    assert os.environ[name] == "1"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["LSTMAutoencoder", "load", "clear_programs", "scikeras"]
)
def test_whatever_is_used_first_writes_nothing(name):
    assert run(f"import skseq; skseq.{name}") == ("", "")
