"""What readers meet keeps to one word, one spelling and plain sentences.

Read are the docstrings of public names, the messages and the pages.
"""

import ast
import inspect
import re
from pathlib import Path

from tests.test_docstrings import PUBLIC

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "skseq").rglob("*.md")),
]
MODULES = sorted((ROOT / "skseq").rglob("*.py"))

# Patterns of what is not written, and what is written instead.
NOT_IN_USE = {
    r"time[ -]?steps?\b": "frame",
    r"whitespace": "white space",
    r"heart beat": "heartbeat",
    r"(?<!_)fraction of": "share of",
    r"\b(optim|maxim|minim|general|initial|memor|normal|penal|recogn|standard|summar|"
    r"token|vector)is(e|ation|ing)": "-iz-, as in the names of the API",
    r"(?<!there )\b(is|are|was|were) no (?!better|larger|less|longer|more)\b": "not a",
    r"\b(goes?|going|went) on\b": "continue",
}
# Patterns of types in docstrings.
TYPES = {
    r"RandomState or None": "RandomState instance or None",
    r"\+1\b": "1",
    r": path-like": "str or path-like",
}


def offences(texts, patterns):
    """Where a text has what is not written: the place, what, and what to write."""
    return [
        (name, re.search(pattern, text, re.IGNORECASE)[0], term)
        for name, text in texts.items()
        for pattern, term in patterns.items()
        if re.search(pattern, text, re.IGNORECASE)
    ]


def on_one_line(text):
    return re.sub(r"\s+", " ", text)


def strings_of(module):
    """The strings of a module that are more than a word, its messages among them."""
    tree = ast.parse(module.read_text("utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node)
    }
    return {
        f"{module.relative_to(ROOT)}:{node.lineno}": on_one_line(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and " " in node.value
        and id(node) not in docstrings
    }


def test_what_is_not_written_is_found_wherever_a_line_ends():
    text = on_one_line("It goes\n    on: there is no\n    other. It is\nno number.")
    found = offences({"here": text}, NOT_IN_USE)
    assert [what for _, what, _ in found] == ["is no ", "goes on"]


def test_docstrings_keep_to_one_word_for_one_thing():
    texts = {n: on_one_line(inspect.getdoc(value)) for n, (value, _) in PUBLIC.items()}
    assert offences(texts, {**NOT_IN_USE, **TYPES}) == []


def test_messages_keep_to_one_word_for_one_thing():
    texts = {n: text for module in MODULES for n, text in strings_of(module).items()}
    assert len(texts) > 500
    assert offences(texts, NOT_IN_USE) == []


def test_pages_keep_to_one_word_for_one_thing():
    texts = {page.name: on_one_line(page.read_text("utf-8")) for page in PAGES}
    assert len(texts) > 20
    assert offences(texts, NOT_IN_USE) == []
