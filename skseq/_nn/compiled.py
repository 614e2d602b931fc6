"""Calls of the compiled recurrences, which are operations of TensorFlow.

The same library holds functions of rows, which `rows` calls.

An operation runs whole right-padded sequences: the product with the inputs, the steps,
each row read within its own length, and zeros past it. In inference a row is the same
to the bit alone and in any batch. An operation shares its rows out among threads.
Gradients are operations too.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType

import tensorflow as tf

from skseq import _native
from skseq._nn.threads import n_inter_op_threads, n_intra_op_threads

# With more of them, each has too few rows to read the weights for.
MOST_THREADS = 8

_IS_OFF = ContextVar("_IS_OFF", default=False)

# Among an operation's inputs.
_FRAMES, _LENGTHS = 0, 2


def is_available() -> bool:
    """Are there operations to call?"""
    return operations() is not None


def is_in_use() -> bool:
    """Whether the operations are there, the fastest, and not switched off."""
    return is_available() and not on_gpu() and not _IS_OFF.get()


@contextmanager
def switched_off() -> Iterator[None]:
    """What is traced meanwhile has operations of TensorFlow's only."""
    token = _IS_OFF.set(True)
    try:
        yield
    finally:
        _IS_OFF.reset(token)


def on_gpu() -> bool:
    """Whether the stock layers, which are eligible for cuDNN, are the fastest."""
    return bool(tf.config.list_physical_devices("GPU"))


@cache
def instructions() -> str:
    """The instruction set of the compiled recurrences, or that they are not used."""
    if not is_available():
        return "not compiled"
    library = ctypes.CDLL(str(_native.recurrences()))
    library.skseq_instructions.restype = ctypes.c_char_p
    return library.skseq_instructions().decode()


def status() -> str:
    """Say in words whether the operations are used."""
    try:
        operations = _load()[0]
    except ImportError as error:
        return str(error)
    return _load()[1] if operations is None else f"in use ({instructions()})"


def operations() -> ModuleType | None:
    """Load the operations, once; None where plain code is to run instead."""
    return _load()[0]


@cache
def _load() -> tuple[ModuleType | None, str]:
    path = _native.recurrences()
    if path is None:
        return None, _native.recurrences_status()
    try:
        return tf.load_op_library(str(path)), "in use"
    except (tf.errors.OpError, AttributeError) as error:  # of another TensorFlow
        wanted = os.environ.get("SKSEQ_NATIVE", "")
        if wanted:
            raise ImportError(_native.demand(wanted, error)) from error
        return None, f"not usable: {error}"


def run_cell(
    cell, inputs, lengths, weights, state, *, backward=False, training=False, n_beside=1
):
    """The outputs, (n_samples, n_frames, n_units), zero past each length.

    Parameters
    ----------
    cell : {"lstm", "gru"}
        The kind of recurrence. The reset gate of a GRU comes after the product.
    inputs : pair of tensors
        Frames, (n_samples, n_frames, n_features), and what is seen at every step,
        (n_samples, n_constants). Either may have no features.
    lengths : tensor of shape (n_samples,)
        How many frames each sequence has.
    weights : sequence of tensors
        The kernels of frames and of constants, the recurrent kernel and the bias, with
        the gates in the order of Keras.
    state : sequence of tensors
        What the cell hands on, before the first step: the output and, of an LSTM, the
        memory, each (n_samples, n_units).
    backward : bool
        Whether each sequence is read from its last frame to its first.
    training : bool
        Whether to keep what the gradient needs, which is computed again otherwise.
    n_beside : int
        How many recurrences can run at the same time.
    """
    frames, constants = inputs
    return getattr(operations(), f"skseq_{cell}")(
        frames,
        constants,
        tf.cast(lengths, tf.int32),
        *weights,
        *state,
        backward=backward,
        kept=bool(training),
        n_threads=_n_threads(n_beside),
    )[0]


def _n_threads(n_beside) -> int:
    """The threads of one of some recurrences that run at the same time."""
    n_at_once = min(n_beside, n_inter_op_threads())
    return min(MOST_THREADS, max(1, n_intra_op_threads() // n_at_once))


def _gradient(cell, operation, upstream):
    """The gradients of an operation's inputs, by another operation."""
    run, differentiate = (
        getattr(operations(), f"skseq_{cell}{ending}") for ending in ("", "_grad")
    )
    inputs, (outputs, trace) = list(operation.inputs), operation.outputs
    same = {name: operation.get_attr(name) for name in ("backward", "n_threads")}
    if not operation.get_attr("kept"):
        outputs, trace = run(*inputs, kept=True, **same)
    unneeded = getattr(operation, "skip_input_indices", None) or ()
    needs_frames = _FRAMES not in unneeded
    gradients = list(
        differentiate(*inputs, outputs, trace, upstream, kept=needs_frames, **same)
    )
    d_frames = gradients[_FRAMES]
    gradients[_FRAMES] = (
        tf.ensure_shape(d_frames, inputs[_FRAMES].shape) if needs_frames else None
    )
    gradients.insert(_LENGTHS, None)
    return gradients


@tf.RegisterGradient("SkseqLstm")
def _lstm_gradient(operation, upstream, _):
    return _gradient("lstm", operation, upstream)


@tf.RegisterGradient("SkseqGru")
def _gru_gradient(operation, upstream, _):
    return _gradient("gru", operation, upstream)
