import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "skseq"

# The ladder: a module imports only from its own rung and those below it; all that is
# not named here stands on the lowest, which knows nothing of Keras.
KERAS = {
    "_adam",
    "_attention",
    "_autoencoder_network",
    "_backend",
    "_callbacks",
    "_ctc_network",
    "_decoder",
    "_gru",
    "_layers",
    "_losses",
    "_lstm",
    "_networks",
    "_optimizers",
    "_programs",
    "_replicas",
    "_search",
    "_seq2seq_network",
    "_training",
    "scikeras",
}
BASE = {"_base"}
ESTIMATORS = {"_autoencoder", "_ctc", "_seq2seq"}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
}


def rung(module):
    top = module.split(".")[0]
    levels = (KERAS, BASE, ESTIMATORS)
    return next((i for i, names in enumerate(levels, 1) if top in names), 0)


def imports_of(module):
    """Every module that is imported anywhere in a file, by its full name."""
    names = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = ["skseq", *module.split(".")][: -node.level] if node.level else []
            start = ".".join([*parents, *filter(None, [node.module])])
            names |= {start, *(f"{start}.{alias.name}" for alias in node.names)}
    return names


def own_imports(module):
    """The modules of skseq that a module imports, without the package's name."""
    names = {name.removeprefix("skseq.") for name in imports_of(module)}
    return names & MODULES.keys()


def third_party(module):
    return {name.split(".")[0] for name in imports_of(module)}


def test_the_ladder_names_modules_that_exist():
    assert MODULES.keys() >= KERAS | BASE
    assert "_ctc" in MODULES


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_down_the_ladder(module):
    above = {name for name in own_imports(module) if rung(name) > rung(module)}
    assert not above


@pytest.mark.parametrize("module", sorted(m for m in MODULES if rung(m) == 0))
def test_the_lowest_rung_knows_nothing_of_keras(module):
    assert not third_party(module) & {"keras", "tensorflow", "tensorboard", "scikeras"}


@pytest.mark.parametrize("module", sorted(ESTIMATORS & MODULES.keys()))
def test_estimators_never_import_each_other(module):
    assert not own_imports(module) & (ESTIMATORS - {module})


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_imports_what_is_private_to_another_library(module):
    private = {
        name
        for name in imports_of(module)
        if name.split(".")[0] in ("keras", "tensorflow", "sklearn", "scipy", "numpy")
        and any(part.startswith("_") or part == "src" for part in name.split("."))
    }
    assert not private


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_import_goes_in_a_circle(module):
    seen, waiting = set(), own_imports(module) - {"__init__"}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= own_imports(name) - seen - {"__init__"}
    assert module not in seen


def modules_after(statement):
    found = subprocess.run(
        [sys.executable, "-c", f"import sys\n{statement}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        check=True,
    )
    return set(found.stdout.split())


def test_importing_skseq_imports_next_to_nothing():
    added = modules_after("import skseq") - modules_after("import importlib.metadata")
    roots = {name.split(".")[0] for name in added}
    assert roots - set(sys.stdlib_module_names) == {"skseq"}
    assert len(added) < 20


def test_the_modules_beside_the_estimators_do_not_import_tensorflow():
    beside = ["datasets", "exceptions", "inspection", "metrics", "preprocessing"]
    modules = modules_after(f"from skseq import {', '.join(beside)}")
    assert modules >= {f"skseq.{name}" for name in beside}
    assert not modules & {"tensorflow", "keras", "sacrebleu", "matplotlib"}


@pytest.mark.filterwarnings("ignore:'skseq._layers' found in sys.modules")
def test_another_backend_of_keras_is_refused_with_the_cure(monkeypatch):
    monkeypatch.setattr("keras.config.backend", lambda: "torch")
    with pytest.raises(ImportError, match=r"TensorFlow.*'torch'.*KERAS_BACKEND=tens"):
        runpy.run_module("skseq._layers")
