"""How long modules and functions may grow, as `.ci/house.py` counts them."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

from skseq import _names

MODULE_LINES = 500
FUNCTION_LINES = 40

# An estimator's module may be longer by its docstrings, not by its code. A constructor
# that only assigns may be longer, with two lines for each parameter.
TASKS = {f"{module.replace('.', '/')}.py" for module in _names.ESTIMATORS.values()}


@pytest.fixture(scope="module")
def house():
    path = Path(__file__).parents[1] / ".ci" / "house.py"
    if not path.exists():
        pytest.skip("the counts are in the repository only")
    spec = importlib.util.spec_from_file_location("house", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["house"] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def modules(house):
    return [house.count(*item) for item in house.present_sources().items()]


def only_assigns(function):
    """Whether a constructor does nothing but keep its parameters."""
    return function.name == "__init__" and all(
        ast.unparse(statement) == "self._set_routed(routed)"
        or (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Name)
            and ast.unparse(statement.targets) == f"self.{statement.value.id}"
        )
        for statement in function.body
    )


def assigning_constructors(text):
    """The constructors in a module that only assign, as `Class.__init__`."""
    return {
        f"{node.name}.__init__"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
        for child in node.body
        if isinstance(child, ast.FunctionDef) and only_assigns(child)
    }


def test_only_an_estimators_docstrings_make_a_module_longer_than_a_reader_holds(
    modules,
):
    longer = {m.path for m in modules if m.n_lines > MODULE_LINES}
    assert not longer - TASKS
    assert not [m.path for m in modules if m.n_code > MODULE_LINES]


def test_only_a_constructor_that_assigns_is_longer_than_a_screen(house, modules):
    texts = house.present_sources()
    assert not [
        (module.path, name)
        for module in modules
        for name, size in module.functions.items()
        if size > FUNCTION_LINES
        and name not in assigning_constructors(texts[module.path])
    ]


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        ("self.a = a", True),
        ("self.a = a; self._set_routed(routed)", True),
        ("self.b = a", False),
        ("self.a = tuple(a)", False),
        ("self.a = a; check(a)", False),
    ],
)
def test_a_constructor_that_does_more_than_assign_is_told(body, is_one):
    text = f"class E:\n    def __init__(self, a, **routed): {body}"
    assert assigning_constructors(text) == ({"E.__init__"} if is_one else set())


def test_docstrings_comments_and_blank_lines_are_not_code(house):
    lines = (
        '"""Of',
        'it."""',
        "",
        "# why",
        "def f():",
        '    """x"""',
        "    return (",
        " 1)",
    )
    counted = house.count("skseq/m.py", "\n".join(lines))
    assert (counted.n_lines, counted.n_code, counted.functions) == (8, 3, {"f": 3})
