"""CTC's loss of each sequence, computed on real frames only.

A loss gives one number per sequence, `(n_samples,)`, so that sample weights, means and
the search for the sequence that diverged are left to the training loop.
"""

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

# The kernel takes probabilities out of logarithms; below exp(-87) they are zero to it.
MIN_LOG_PROBABILITY = -80.0


@dataclass(frozen=True)
class CTCLosses:
    """Negative log-probability of each label sequence (Graves et al. 2006).

    The blank is the last class. Runs TensorFlow's sparse kernel, which is about ten
    times faster on a CPU than the dense one; that kernel refuses an empty labelling,
    whose only path is all blanks and which is therefore computed directly.
    """

    targets: ClassVar = (
        ("labels", (None, None), "int32"),
        ("label_lengths", (None,), "int32"),
    )

    def __call__(self, outputs, targets):
        logits, lengths = outputs
        log_probs = _kept_from_underflow(tf.nn.log_softmax(logits))
        is_empty = tf.equal(targets["label_lengths"], 0)
        losses = _sparse_losses(log_probs, lengths, **targets)
        return tf.cond(
            tf.reduce_any(is_empty),
            lambda: tf.where(is_empty, _all_blank_losses(log_probs, lengths), losses),
            lambda: losses,
        )


def _sparse_losses(log_probs, lengths, labels, label_lengths):
    is_label = tf.sequence_mask(tf.maximum(label_lengths, 1), tf.shape(labels)[1])
    sparse_labels = tf.SparseTensor(
        tf.where(is_label),
        tf.boolean_mask(labels, is_label),
        tf.shape(labels, out_type=tf.int64),
    )
    return tf.nn.ctc_loss(
        sparse_labels,
        log_probs,
        label_length=None,
        logit_length=lengths,
        logits_time_major=False,
        blank_index=-1,
    )


def _kept_from_underflow(log_probs):
    """Keep the loss of a hopeless frame finite, and its gradient as it would be.

    A network that is sure of something else could otherwise never learn a label again:
    the kernel calls it impossible, with an infinite loss.
    """
    raised = tf.maximum(log_probs, MIN_LOG_PROBABILITY)
    return log_probs + tf.stop_gradient(raised - log_probs)


def _all_blank_losses(log_probs, lengths):
    blank = log_probs[..., -1]  # (n_samples, n_frames)
    is_frame = tf.sequence_mask(lengths, tf.shape(blank)[1])
    return -tf.reduce_sum(tf.where(is_frame, blank, 0.0), axis=1)
