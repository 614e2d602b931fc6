import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from skseq import _names
from tests.processes import run_python

pytestmark = pytest.mark.core

PACKAGE = Path(__file__).resolve().parents[1] / "skseq"

# The rooms of the public estimators. None of them knows of another.
TASKS = {module.split(".")[1] for module in _names.ESTIMATORS.values()}

# The ladder, from the ground up: a module imports from its own rung and those below it.
# A rung is one or more names of folders, or of modules, directly in the package.
LADDER = [
    {"_version", "_show_versions", "_names", "_native"},
    {
        "_parameters",
        "_routing",
        "_seeding",
        "_results",
        "_warnings",
        "_wording",
        "exceptions",
    },
    {"_data", "_files"},
    {"metrics", "preprocessing", "augmentation", "language"},
    {"_preprocess"},
    {"_nn"},
    {"_engine"},
    {
        "_base",
        "_confidence",
        "_decoding",
        "_frames",
        "_shared_parameters",
        "_streams",
        "_typing",
    },
    {"_encoder"},
    TASKS,
    {"datasets", "inspection", "scikeras"},
    {"__init__"},
]
FIRST_WITH_KERAS = LADDER.index({"_nn"})
WITHOUT_KERAS = {"datasets", "inspection"}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
}


def room(module):
    return module.split(".")[0]


def rung(module):
    return next(i for i, names in enumerate(LADDER) if room(module) in names)


@cache
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


@cache
def own_imports(module):
    """The modules of skseq that a module imports, without the package's name."""
    names = {name.removeprefix("skseq.") for name in imports_of(module)}
    rooms = {name for name in names if f"{name}.__init__" in MODULES}
    return (names & MODULES.keys()) | {f"{name}.__init__" for name in rooms}


def third_party(module):
    return {name.split(".")[0] for name in imports_of(module)}


def test_the_ladder_is_the_package():
    on_the_ladder = set().union(*LADDER)
    assert on_the_ladder == {room(module) for module in MODULES}


def test_imports_run_down_the_ladder():
    upward = [
        (module, name)
        for module in MODULES
        for name in own_imports(module)
        if rung(name) > rung(module)
    ]
    assert not upward


def test_keras_is_known_from_the_layers_upward():
    keras = {"keras", "tensorflow", "tensorboard", "scikeras"}
    below = [
        module
        for module in MODULES
        if rung(module) < FIRST_WITH_KERAS or room(module) in WITHOUT_KERAS
    ]
    assert not [module for module in below if third_party(module) & keras]


def test_tasks_never_import_each_other():
    across = [
        (module, name)
        for module in MODULES
        if room(module) in TASKS
        for name in own_imports(module)
        if room(name) in TASKS - {room(module)}
    ]
    assert not across


def test_no_module_imports_what_is_private_to_another_library():
    libraries = ("keras", "tensorflow", "sklearn", "scipy", "numpy")
    private = [
        (module, name)
        for module in MODULES
        for name in imports_of(module)
        if name.split(".")[0] in libraries
        and any(part.startswith("_") or part == "src" for part in name.split("."))
    ]
    assert not private


def in_a_circle(module):
    seen, waiting = set(), own_imports(module)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= own_imports(name) - seen
    return module in seen


def test_no_import_goes_in_a_circle():
    modules = MODULES.keys() - {"__init__"}
    assert not [module for module in modules if in_a_circle(module)]


def modules_after(statement):
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    return set(run_python(code).split())


def test_importing_skseq_imports_next_to_nothing():
    added = modules_after("import skseq") - modules_after("import importlib.metadata")
    roots = {name.split(".")[0] for name in added}
    assert roots - set(sys.stdlib_module_names) == {"skseq"}
    assert len(added) < 20


def test_the_modules_beside_the_estimators_do_not_import_tensorflow():
    beside = sorted({*_names.ROOMS} - {"scikeras"})
    modules = modules_after(f"from skseq import {', '.join(beside)}")
    assert modules >= {f"skseq.{name}" for name in beside}
    assert not modules & {"tensorflow", "keras", "sacrebleu", "matplotlib"}


ON_TORCH = """
import keras
keras.config.backend = lambda: "torch"
from skseq import CTCSequenceClassifier
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "backend"),
    [
        (ON_TORCH, "tensorflow"),
        ("import skseq; skseq.LSTMAutoencoder", "torch"),
        ("import skseq; skseq.load", "torch"),
        ("import skseq.scikeras", "torch"),
    ],
    ids=["installed", "absent", "absent for load", "absent for SciKeras"],
)
def test_another_backend_of_keras_is_refused_with_the_cure(program, backend):
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    last = found.stderr.splitlines()[-1]
    assert re.match(r"ImportError: .*TensorFlow.*'torch'.*KERAS_BACKEND=tens", last)
