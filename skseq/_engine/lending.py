"""Lends compiled networks, and keeps idle ones within a bound of memory.

The next borrower of an equal recipe, for example a clone in a search, finds a program
ready. A program serves one borrower at a time, so two estimators never share weights,
not even in threads. Of the idle ones, those unused for longest are dropped first.
"""

import skseq._nn.backend  # noqa: F401 - starts TensorFlow

# isort: split
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context as eager_context

from skseq._engine.programs import Program, Recipe
from skseq._parameters import NON_NEGATIVE_INT, check_value
from skseq._warnings import warn

DEFAULT_BYTES = 2**29

# Recipes whose programs were dropped are remembered up to so many.
_N_REMEMBERED = 4096


class _Shelf:
    """The idle programs, those used last at the end."""

    def __init__(self):
        self.lock = threading.Lock()
        self.programs: list[Program] = []
        self.max_bytes = DEFAULT_BYTES
        self.dropped: dict[int, None] = {}
        self.has_warned = False

    def take(self, recipe, weights) -> Program | None:
        """An idle program of this recipe, by preference with these weights loaded."""
        with self.lock:
            fits = [p for p in self.programs if _equal(p.recipe, recipe)]
            if not fits:
                return None
            fits.sort(key=lambda program: program.holds(weights))
            self.programs.remove(fits[-1])
            return fits[-1]

    def put(self, program) -> None:
        with self.lock:
            program.was_trained = False
            self.programs.append(program)
            self._trim()

    def resize(self, max_bytes) -> None:
        with self.lock:
            self.max_bytes = max_bytes
            self._trim()

    def clear(self) -> None:
        """Forget everything but the bound."""
        with self.lock:
            self.programs.clear()
            self.dropped.clear()
            self.has_warned = False

    def _trim(self) -> None:
        """Keep the programs used last that fit, and in any case the very last."""
        sizes = [program.n_bytes for program in reversed(self.programs)]
        n_kept = int(np.searchsorted(np.cumsum(sizes), self.max_bytes, side="right"))
        least = 1 if self.max_bytes else 0
        n_dropped = len(self.programs) - max(n_kept, least)
        for program in self.programs[: max(0, n_dropped)]:
            self.dropped[_key(program.recipe)] = None
        del self.programs[: max(0, n_dropped)]
        while len(self.dropped) > _N_REMEMBERED:
            del self.dropped[next(iter(self.dropped))]

    def warn_if_dropped(self, recipe) -> None:
        """Warn, once, when a program is made that was dropped before."""
        if self.has_warned or _key(recipe) not in self.dropped:
            return
        self.has_warned = True
        warn(
            "More compiled networks are in use than fit in the memory kept for "
            f"them ({self.max_bytes} bytes), so they are traced again at each use, "
            "which is slow. Raise the bound by skseq.set_program_memory(n_bytes)."
        )


_shelf = _Shelf()

# Processes in which TensorFlow ran: this one, or one that this one was forked from.
_ran_in: set[int] = set()


@contextmanager
def borrow(recipe: Recipe, weights: list[np.ndarray] | None = None):
    """Lend a program of this recipe, with these weights loaded.

    A program whose borrower failed in training is not lent again: its state cannot be
    known.

    Raises
    ------
    RuntimeError
        In a process that was forked after a network had run.
    MemoryError
        If a batch does not fit in memory; the message says what to lower.
    """
    refuse_forked_process()
    with _explain_out_of_memory():
        program = _shelf.take(recipe, weights)
        if program is None:
            _shelf.warn_if_dropped(recipe)
            program = Program(recipe)
        try:
            if weights is not None:
                program.load(weights)
            yield program
        except BaseException:
            if not program.was_trained:
                _shelf.put(program)
            raise
        _shelf.put(program)


def refuse_forked_process() -> None:
    """Raise RuntimeError where TensorFlow would hang for ever."""
    _ran_in.add(os.getpid())
    if len(_ran_in) > 1:
        raise RuntimeError(
            "This process was forked after TensorFlow had started, and TensorFlow "
            "hangs in such a process. skseq starts it when something is fitted, used "
            "or loaded. Start workers by the 'spawn' or 'forkserver' method of "
            "multiprocessing or by joblib's loky, or let each worker call skseq.load "
            "itself, the parent nothing."
        )


def _has_started() -> bool:
    """Whether TensorFlow has started its threads, in whatever way."""
    try:
        return bool(eager_context.context()._initialized)
    except AttributeError:  # of another version: what ran here is known at least
        return False


def _note_fork() -> None:
    """Remember, in a process just forked, that TensorFlow was started before."""
    if _has_started():
        _ran_in.add(os.getppid())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def clear_programs():
    """Drop all compiled networks that wait for their next use, and free their memory.

    Networks are kept, so that the next estimator of the same architecture need not
    trace them again. Estimators lose nothing by this: the next call compiles again.
    The warning that more networks are in use than are kept may then come once more.

    See Also
    --------
    set_program_memory : Bounds the memory of the networks that are kept.

    Examples
    --------
    >>> import skseq
    >>> skseq.clear_programs()
    """
    _shelf.clear()


def set_program_memory(n_bytes):
    """Bound the memory of the compiled networks that are kept for their next use.

    Where more networks are in use than fit, those unused for longest are dropped, and
    traced again when they are needed. The bound is 512 MiB at first, which holds more
    than 50 small networks.

    Parameters
    ----------
    n_bytes : int
        The bound. The network used last is kept in any case, unless the bound is 0.

    Raises
    ------
    ValueError
        If `n_bytes` is not an int of at least 0.

    See Also
    --------
    clear_programs : Drops all networks that are kept.

    Examples
    --------
    >>> import skseq
    >>> skseq.set_program_memory(2**30)
    """
    check_value("set_program_memory", "n_bytes", n_bytes, NON_NEGATIVE_INT)
    _shelf.resize(int(n_bytes))


@contextmanager
def _explain_out_of_memory() -> Iterator[None]:
    """Turn TensorFlow's error into words that name what to lower."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(
            "A batch of sequences does not fit in memory. Lower batch_size, or "
            "beam_width where it is large, or cut the longest sequences of X into "
            "pieces."
        ) from error


def _equal(recipe, other) -> bool:
    try:
        return recipe == other
    except ValueError:  # arrays among a front end's parameters
        return False


def _key(recipe) -> int:
    """A hash that equal recipes share; recipes of unhashable settings share one too."""
    try:
        return hash(recipe)
    except TypeError:
        return hash(recipe.network)
