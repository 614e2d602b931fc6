"""Counts the house: how large each room of skseq is, and what in it is long.

    python .ci/house.py [--base REV] [--longest N]

A room is a folder. Lines of code are those without docstrings, comments and blank
lines. A function's lines are all those from its `def` to its end, but its docstring.
With `--base`, the same counts of another revision stand beside them.
"""

import argparse
import ast
import io
import signal
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, ALL = "skseq", "all"
DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
LAYOUT = tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT
LAYOUT += tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER


@dataclass(frozen=True)
class Module:
    """One file: all its lines, those of code, and the length of each function."""

    path: str
    n_lines: int
    n_code: int
    functions: dict[str, int]

    @property
    def room(self) -> str:
        return str(PurePosixPath(self.path).parent)


def present_sources() -> dict[str, str]:
    """The text of each module as it is in the working tree, by path."""
    paths = sorted((ROOT / PACKAGE).rglob("*.py"))
    return {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for p in paths}


def sources_of(revision: str) -> dict[str, str]:
    """The text of each module in a revision, by path."""
    listed = git("ls-tree", "-r", "--name-only", revision, "--", PACKAGE).split("\n")
    paths = [path for path in listed if path.endswith(".py")]
    return {path: git("show", f"{revision}:{path}") for path in paths}


def git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def count(path: str, text: str) -> Module:
    tree = ast.parse(text)
    n_code = len(code_lines(text) - docstring_lines(tree))
    return Module(path, len(text.splitlines()), n_code, dict(functions_of(tree)))


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold more than comments and white space."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        line
        for token in tokens
        if token.type not in LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }


def docstring_lines(tree: ast.AST) -> set[int]:
    """The numbers of the lines of all docstrings in a tree."""
    return {line for node in ast.walk(tree) for line in own_docstring_lines(node)}


def own_docstring_lines(node: ast.AST) -> range:
    """The numbers of the lines of one node's docstring."""
    if not isinstance(node, DOCUMENTED) or ast.get_docstring(node) is None:
        return range(0)
    return range(node.body[0].lineno, node.body[0].end_lineno + 1)


def functions_of(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Name and length of each function and method, those inside others included."""
    for child in ast.iter_child_nodes(node):
        name = f"{prefix}{child.name}" if isinstance(child, DOCUMENTED) else ""
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            n_lines = child.end_lineno - child.lineno + 1
            yield name, n_lines - len(own_docstring_lines(child))
        yield from functions_of(child, f"{name}." if name else prefix)


def report_rooms(now: list[Module], base: list[Module] | None) -> None:
    """Print the files and the lines of code of each room, and of all."""
    columns = [totals(modules) for modules in (now, base) if modules is not None]
    heads = ["now", "base"][: len(columns)]
    print(
        f"{'room':<24}" + "".join(f"{f'files {h}':>12}{f'code {h}':>12}" for h in heads)
    )
    rooms = sorted({room for column in columns for room in column} - {ALL})
    for room in (*rooms, ALL):
        counts = [column.get(room, (0, 0)) for column in columns]
        print(f"{room:<24}" + "".join(f"{f:>12,}{c:>12,}" for f, c in counts))


def totals(modules: list[Module]) -> dict[str, tuple[int, int]]:
    """Files and lines of code by room."""
    found = defaultdict(lambda: (0, 0))
    for module in modules:
        for room in (module.room, ALL):
            n_files, n_code = found[room]
            found[room] = n_files + 1, n_code + module.n_code
    return found


def report_longest(modules: list[Module], n_longest: int, title: str) -> None:
    """Print the longest modules and the longest functions."""
    print(f"\nlongest modules{title}: lines, of code")
    for module in sorted(modules, key=lambda m: -m.n_lines)[:n_longest]:
        print(f"{module.n_lines:>6}{module.n_code:>6}  {module.path}")
    functions = [
        (n_lines, f"{module.path}: {name}")
        for module in modules
        for name, n_lines in module.functions.items()
    ]
    print(f"\nlongest functions{title}: lines without docstring")
    for n_lines, name in sorted(functions, key=lambda f: -f[0])[:n_longest]:
        print(f"{n_lines:>6}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", help="a revision to compare with")
    parser.add_argument("--longest", type=int, default=10, help="how many to list")
    args = parser.parse_args()
    now = [count(*item) for item in present_sources().items()]
    base = args.base and [count(*item) for item in sources_of(args.base).items()]
    report_rooms(now, base)
    report_longest(now, args.longest, "")
    if base:
        report_longest(base, args.longest, f" in {args.base}")


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # `| head` ends it, without a traceback
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
