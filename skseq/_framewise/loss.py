"""The losses of each sequence, computed on real frames only."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from skseq._framewise.chain_loss import chain_losses
from skseq._framewise.transitions import Transitions
from skseq._nn.rows import cross_entropy


@dataclass(frozen=True)
class ClassLosses:
    """Negative log-probability of the class of each sequence."""

    targets: ClassVar = (("targets", (None,), "int32"),)

    def __call__(self, outputs, targets):
        return cross_entropy(outputs[0], targets["targets"])


_LABELLED_FRAMES = (
    ("targets", (None, None), "int32"),
    ("frame_weights", (None, None), "float32"),
)


@dataclass(frozen=True)
class LabelLosses:
    """Negative log-probability of the labels of frames, under the weights of frames.

    The weights of a sequence add up to 1. A frame without a label has none, and so has
    padding.
    """

    targets: ClassVar = _LABELLED_FRAMES

    def __call__(self, outputs, targets):
        scores, labels = outputs[0], targets["targets"]
        flat = tf.reshape(scores, (-1, scores.shape[-1]))
        losses = cross_entropy(flat, tf.reshape(tf.maximum(labels, 0), (-1,)))
        losses = tf.reshape(losses, tf.shape(labels))
        return tf.reduce_sum(losses * targets["frame_weights"], axis=1)


@dataclass(frozen=True)
class ChainLosses:
    """Negative log-probability of all labels of a sequence, per labelled frame.

    Attributes
    ----------
    starts, ends : tuple of bool
        May a sequence begin, or end, with a label?
    pairs : tuple of tuple of bool
        May a label be followed by another?
    """

    starts: tuple
    pairs: tuple
    ends: tuple
    targets: ClassVar = _LABELLED_FRAMES

    @classmethod
    def of(cls, allowed: Transitions) -> "ChainLosses":
        """The losses where these transitions are allowed; equal ones are equal."""
        pairs = tuple(map(tuple, allowed.pairs.tolist()))
        return cls(tuple(allowed.starts.tolist()), pairs, tuple(allowed.ends.tolist()))

    def __call__(self, outputs, targets):
        scores, *weights, lengths = outputs
        tables = (np.array(table) for table in (self.starts, self.pairs, self.ends))
        allowed = Transitions(np.arange(len(self.starts)), *tables)
        losses = chain_losses(
            scores, *weights, targets["targets"], lengths, allowed=allowed
        )
        return losses * tf.reduce_max(targets["frame_weights"], axis=1)
