"""A newcomer's tasks take few lines, and no parameter that tunes training."""

import ast
from pathlib import Path

import pytest

from skseq import _names

ROOT = Path(__file__).parents[1]
TASKS = sorted((ROOT / "examples").glob("task_*.py"))

# What says which data there are, not how to train on them.
OF_THE_DATA = {"class_weight", "contamination", "front_end", "preprocess"}


def solution(path):
    """The function of a task that a newcomer would write."""
    functions = {
        node.name: node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    return functions["solve"]


def test_there_are_five_tasks():
    assert len(TASKS) == 5


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_a_task_is_solved_in_fifteen_lines(path):
    body = solution(path).body
    assert body[-1].end_lineno - body[0].lineno < 15


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_a_task_is_solved_with_default_parameters(path):
    calls = [
        node
        for node in ast.walk(solution(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _names.ESTIMATORS
    ]
    assert len(calls) == 1
    given = {keyword.arg for keyword in calls[0].keywords}
    assert given - OF_THE_DATA == {"random_state"}
    assert not calls[0].args


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_a_task_ends_with_its_score(path):
    last = ast.unparse(solution(path).body[-1])
    assert last.startswith("print(")
    assert any(word in last for word in ("score", "error_rate", "accuracy"))
