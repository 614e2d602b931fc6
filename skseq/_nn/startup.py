"""Keeps down what TensorFlow writes to stderr as it starts.

Whoever has imported TensorFlow before, or set one of its variables for logs, keeps what
they chose. Knows nothing of Keras.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
PREFIX = "TF_CPP_"  # of all variables about what TensorFlow logs

# Without a GPU TensorFlow reports an error, at level 2, with its first operation.
QUIET = "3"

# What TensorFlow writes before it has read the level: notes and warnings.
_LINES = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IW]\d{4} \d\d:\d\d:[\d.]+ +\d+ [\w./]+:\d+\] "
)


@contextmanager
def quiet_start() -> Iterator[None]:
    """Import TensorFlow within this, and what it writes as it starts is left out.

    Everything else that is written to stderr meanwhile appears at the end. The
    environment is as it was afterwards, so that other processes choose for themselves.
    """
    has_chosen = any(name.startswith(PREFIX) for name in os.environ)
    if has_chosen or "tensorflow" in sys.modules:
        yield
        return
    os.environ[LEVEL] = QUIET
    try:
        with _without_start_lines():
            yield
    finally:
        os.environ.pop(LEVEL, None)


@contextmanager
def log_level_kept() -> Iterator[None]:
    """Undo what a library that is imported within this sets of TensorFlow's level.

    Processes that start later would take it for what their user has chosen.
    """
    before = os.environ.get(LEVEL)
    try:
        yield
    finally:
        if before is not None:
            os.environ[LEVEL] = before
        else:
            os.environ.pop(LEVEL, None)


@contextmanager
def _without_start_lines() -> Iterator[None]:
    """Hold back what is written to stderr, by C++ too, and hand on what is not known.

    A file holds it, as a pipe that nobody reads would block.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    with tempfile.TemporaryFile() as held:
        _flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            _write_all(b"".join(line for line in held if not _LINES.match(line)))


def _flush() -> None:
    """Let what Python has kept back go where stderr leads now."""
    if sys.stderr is not None:  # as in a program without a console
        sys.stderr.flush()


def _write_all(text: bytes) -> None:
    while text:
        text = text[os.write(2, text) :]
