"""Which sequences of a batch a graph can answer for, in graphs that leave skseq.

A graph of TensorFlow refuses a batch that holds another one, by an assertion that says
what must hold. Other runtimes have no assertions: there each such sequence is marked,
and what is given for it is NaN. Knows nothing of any task.
"""

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from skseq._nn import portable
from skseq._nn.layers import zero_padding


@dataclass(frozen=True)
class Batch:
    """Padded sequences, and whether each of them can be answered for.

    Attributes
    ----------
    frames : tensor of shape (n_samples, n_frames, n_features)
        What is past a length is anything.
    lengths : tensor of shape (n_samples,), int32
    is_sound : tensor of shape (n_samples,), bool
    """

    frames: Any
    lengths: Any
    is_sound: Any

    @classmethod
    def of(cls, frames, lengths, name: str) -> "Batch":
        """What a user passes; lengths become such that any can be computed with."""
        n_frames = tf.shape(frames)[1]
        is_within = lengths <= n_frames
        batch = cls(frames, tf.minimum(lengths, n_frames), tf.ones_like(is_within))
        batch = batch.demand(is_within, f"No length may exceed the axis of {name}.")
        batch = batch.demand_frames("Each length must be at least 1.")
        if portable.have_assertions():
            return batch
        # This fails for no sequences, of which onnxruntime's recurrences would crash.
        one = tf.minimum(tf.gather(batch.lengths, 0), 1)
        return replace(batch, lengths=tf.maximum(batch.lengths, one))

    def demand(self, holds, sentence: str) -> "Batch":
        """Go on if something holds for each sequence, or mark those it fails for."""
        frames = self.frames
        if portable.have_assertions():
            wrong = tf.cast(tf.where(~holds)[:, 0], tf.int32)
            data = [f"{sentence} Wrong sequences:", wrong]
            check = tf.debugging.Assert(tf.equal(tf.size(wrong), 0), data)
            with tf.control_dependencies([] if check is None else [check]):
                frames = tf.identity(frames)
        return replace(self, frames=frames, is_sound=self.is_sound & holds)

    def demand_frames(self, sentence: str) -> "Batch":
        """Demand that each sequence has a frame; the others are given one."""
        batch = self.demand(self.lengths > 0, sentence)
        return replace(batch, lengths=tf.maximum(self.lengths, 1))

    def demand_finite(self, sentence: str) -> "Batch":
        """Demand finite frames up to each length."""
        real = zero_padding(self.frames, self.lengths)
        return self.demand(are_finite(real), sentence)

    def answered(self, values):
        """What is given for each sequence: NaN where there is no answer."""
        is_sound = self.is_sound
        for _ in range(values.shape.rank - 1):
            is_sound = tf.expand_dims(is_sound, -1)
        return tf.where(is_sound, values, tf.constant(float("nan"), values.dtype))

    @property
    def answered_lengths(self):
        """The lengths, zero where there is no answer."""
        return tf.where(self.is_sound, self.lengths, 0)


def are_finite(values):
    """Whether all values are finite, for each sequence of a batch."""
    return tf.reduce_all(tf.math.is_finite(values), range(1, values.shape.rank))
