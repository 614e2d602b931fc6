"""Recurrences as other runtimes know them: one node for a whole padded batch.

What is traced while they are in use has, for each recurrence, one operation of
TensorFlow's that stands for it and is never run: `CudnnRNNV3`, which is known to every
build and takes the lengths. A converter puts its own recurrence in its place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import tensorflow as tf

from skseq._nn import compiled

OPERATION = "CudnnRNNV3"

_IS_IN_USE = ContextVar("_IS_IN_USE", default=False)
_HAVE_ASSERTIONS = ContextVar("_HAVE_ASSERTIONS", default=True)


def are_in_use() -> bool:
    """Whether what is being traced is for another runtime."""
    return _IS_IN_USE.get()


@contextmanager
def in_use() -> Iterator[None]:
    """What is traced meanwhile is for another runtime."""
    token = _IS_IN_USE.set(True)
    try:
        with compiled.switched_off(), without_assertions():
            yield
    finally:
        _IS_IN_USE.reset(token)


def have_assertions() -> bool:
    """Whether what is being traced can refuse what it is given."""
    return _HAVE_ASSERTIONS.get()


@contextmanager
def without_assertions() -> Iterator[None]:
    """What is traced meanwhile refuses nothing, as in another runtime."""
    token = _HAVE_ASSERTIONS.set(False)
    try:
        yield
    finally:
        _HAVE_ASSERTIONS.reset(token)


def run_cell(cell, frames, lengths, weights, state):
    """Stand for the outputs, (n_samples, n_frames, n_units), zero past each length.

    Parameters
    ----------
    cell : {"lstm", "gru"}
        The kind of recurrence. The reset gate of a GRU comes after the product.
    frames : tensor of shape (n_samples, n_frames, n_features)
    lengths : tensor of shape (n_samples,)
    weights : sequence of tensors
        Kernel, recurrent kernel and bias, as Keras has them.
    state : sequence of tensors
        The output before the first step and, of an LSTM, the memory.
    """
    first = [tf.expand_dims(part, 0) for part in state]
    outputs = tf.raw_ops.CudnnRNNV3(
        input=tf.transpose(frames, (1, 0, 2)),
        input_h=first[0],
        input_c=first[-1],
        params=tf.concat([tf.reshape(weight, (-1,)) for weight in weights], axis=0),
        sequence_lengths=tf.cast(lengths, tf.int32),
        rnn_mode=cell,
        time_major=True,
    )[0]
    outputs = tf.ensure_shape(outputs, (None, None, weights[1].shape[0]))
    return tf.transpose(outputs, (1, 0, 2))
