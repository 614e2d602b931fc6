"""Writes the stub of the package from the table of public names.

Run `python -m tests.stub` after a change of `skseq/_names.py`. Type checkers and
completion read the stub, since they do not run `__getattr__`.
"""

from pathlib import Path

from skseq import _names

STUB = Path(_names.__file__).with_name("__init__.pyi")

HEAD = '''\
"""The names that `__init__.py` loads when first used, for type checkers and completion.

Written by ``python -m tests.stub`` from the table in `_names.py`.
"""

from os import PathLike
from typing import Union

from sklearn.pipeline import Pipeline

'''

# An import that renames to the same name exports it.
TAIL = '''
_Estimator = Union[  # noqa: UP007 - one to a line, however many there are
{estimators}
    Pipeline,
]

def load(path: str | PathLike[str], *, warm: bool = False) -> _Estimator:
    """Read what `save` wrote: an estimator, a transformer or a pipeline."""

# Completion by jedi leaves out what a constant excludes; type checkers do not.
_offered = False
if _offered:
{not_offered}

__all__ = [
{offered}
]
'''


def _exports(modules: dict[str, str]) -> list[str]:
    return [f"from {modules[name]} import {name} as {name}" for name in modules]


def stub() -> str:
    """Return the text of `__init__.pyi`."""
    functions = {n: m for n, m in _names.FUNCTIONS.items() if n != "load"}
    imports = [
        *_exports(dict.fromkeys(_names.ROOMS, "skseq")),
        *_exports({**_names.ESTIMATORS, **functions}),
        *_exports({"__version__": "skseq._version"}),
    ]
    offered = sorted([*_names.ESTIMATORS, *_names.FUNCTIONS])
    tail = TAIL.format(
        estimators="\n".join(f"    {name}," for name in _names.ESTIMATORS),
        not_offered="\n".join(f"    {line}" for line in _exports(_names.NOT_OFFERED)),
        offered="\n".join(f'    "{name}",' for name in offered),
    )
    return HEAD + "\n".join(sorted(imports)) + "\n" + tail


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
