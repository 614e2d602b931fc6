"""What a user meets first: the names that `skseq` offers, and how it answers a call."""

import inspect
import symtable
from pathlib import Path

import pytest

import skseq
from skseq import _names
from skseq._engine import saving
from tests.stub import STUB, stub

OFFERED = {*_names.ESTIMATORS, *_names.FUNCTIONS, *_names.ROOMS}

# Completers list the private modules of the folder too, after all others.
COMPLETIONS = ("from skseq import ", "import skseq\nskseq.", "import skseq as s\ns.")


def test_every_public_name_is_loaded_from_its_module():
    for name, module in _names.MODULES.items():
        assert getattr(skseq, name).__module__.startswith(module)
    for room in _names.ROOMS:
        assert inspect.ismodule(getattr(skseq, room))


def test_completion_offers_what_is_public_and_nothing_else():
    assert {name for name in dir(skseq) if not name.startswith("_")} == OFFERED
    assert {*skseq.__all__, *_names.ROOMS} == OFFERED


def test_the_package_itself_defines_private_names_only():
    source = Path(skseq.__file__).read_text(encoding="utf-8")
    symbols = symtable.symtable(source, skseq.__file__, "exec").get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    assert bound
    assert not {name for name in bound if not name.startswith("_")}


@pytest.mark.parametrize("code", COMPLETIONS)
def test_a_completer_that_runs_nothing_offers_the_same(code):
    jedi = pytest.importorskip("jedi")
    completions = jedi.Script(code, path=STUB.parents[1] / "notebook.py").complete()
    names = [completion.name for completion in completions]
    assert {name for name in names if not name.startswith("_")} == OFFERED


def test_the_stub_is_written_from_the_table():
    written = STUB.read_text(encoding="utf-8")
    assert written == stub(), "run python -m tests.stub"


def test_what_load_may_build_is_the_table_of_estimators():
    assert saving.ESTIMATORS is _names.ESTIMATORS
