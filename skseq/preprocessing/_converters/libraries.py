"""Imports the library that one form needs, when it is needed."""

from importlib import import_module
from typing import Any

from skseq._parameters import OneOf, check_value

TABLE_LIBRARIES = ("pandas", "polars")
EXTRAS = {"pandas": '"skseq[pandas]"', "soundfile": '"skseq[audio]"'}


def table_library(library: Any, owner: str) -> Any:
    """Import the library of tables that was passed to the function `owner`."""
    check_value(owner, "library", library, OneOf(TABLE_LIBRARIES))
    return import_library(library)


def import_library(library: str) -> Any:
    """Import a library, or say how to install it."""
    try:
        return import_module(library)
    except ImportError as error:
        wanted = EXTRAS.get(library, library)
        raise ImportError(
            f"This needs {library}, which cannot be imported. Install it with: "
            f"pip install {wanted}"
        ) from error
