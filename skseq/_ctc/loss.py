"""CTC's loss of each sequence, computed on real frames only.

A loss gives one number per sequence, `(n_samples,)`, so that sample weights, means and
the search for the sequence that diverged are left to the training loop.
"""

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

# The kernel takes probabilities out of logarithms; below exp(-87) they are zero to it,
# and so it is given none below this bound.
MIN_LOG_PROBABILITY = -80.0

# Raised to the bound, improbable paths add about exp(-80) per frame to a probability:
# nothing, in single precision, to one whose loss is at most this.
MAX_SAFE_LOSS = 50.0

# Stands for the logarithm of zero; finite, so that no gradient is NaN.
IMPOSSIBLE = -1e300


@dataclass(frozen=True)
class CTCLosses:
    """Negative log-probability of each label sequence (Graves et al. 2006).

    The blank is the last class. Runs TensorFlow's sparse kernel, which is about ten
    times faster on a CPU than the dense one; that kernel refuses an empty labelling,
    whose only path is all blanks and which is therefore computed directly. It also
    takes very improbable labels for impossible; the few losses that this concerns are
    summed in logarithms and double precision instead, at any distance exactly.
    """

    targets: ClassVar = (
        ("labels", (None, None), "int32"),
        ("label_lengths", (None,), "int32"),
    )

    def __call__(self, outputs, targets):
        logits, lengths = outputs
        log_probs = tf.nn.log_softmax(logits)
        is_empty = tf.equal(targets["label_lengths"], 0)
        losses = _sparse_losses(_kept_from_underflow(log_probs), lengths, **targets)
        losses = _made_exact(losses, log_probs, lengths, **targets)
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
    """Keep the kernel's loss finite, and large where it is not exact.

    The gradient is as if nothing had been raised, and NaN stays NaN.
    """
    raised = tf.maximum(log_probs, MIN_LOG_PROBABILITY)
    return log_probs + tf.stop_gradient(raised - log_probs)


def _made_exact(losses, log_probs, lengths, labels, label_lengths):
    """Compute those losses again that the kernel cannot know."""
    is_off = (losses > MAX_SAFE_LOSS) & (label_lengths > 0)
    constant = tf.stop_gradient(log_probs)
    is_off = tf.cond(
        tf.reduce_any(is_off),
        lambda: is_off & _goes_below(constant, lengths),
        lambda: is_off,
    )
    batch = log_probs, lengths, labels, label_lengths
    return tf.cond(
        tf.reduce_any(is_off),
        lambda: _corrected(losses, is_off, *batch),
        lambda: losses,
    )


def _goes_below(log_probs, lengths):
    """Whether a sample's frames have log-probabilities out of the kernel's bounds."""
    is_frame = tf.sequence_mask(lengths, tf.shape(log_probs)[1])
    is_low = tf.reduce_min(log_probs, axis=2) < MIN_LOG_PROBABILITY
    return tf.reduce_any(is_low & is_frame, axis=1)


def _corrected(losses, is_off, *batch):
    exact = _exact_losses(*(tf.boolean_mask(part, is_off) for part in batch))
    exact = tf.cast(exact, losses.dtype)
    return tf.tensor_scatter_nd_update(losses, tf.where(is_off), exact)


def _exact_losses(log_probs, lengths, labels, label_lengths):
    """Sum over all paths, frame by frame (the forward algorithm).

    State 2 u is a blank after u labels, state 2 u - 1 the label number u.
    """
    states, may_skip = _lattice(labels, blank=tf.shape(log_probs)[2] - 1)
    emissions = tf.gather(tf.cast(log_probs, tf.float64), states, axis=2, batch_dims=1)
    n_frames = tf.shape(log_probs)[1]
    no_mass = tf.fill(tf.shape(states), tf.constant(IMPOSSIBLE, tf.float64))
    start = tf.concat([tf.zeros_like(no_mass[:, :1]), no_mass[:, 1:]], axis=1)

    def advance(mass, frame):
        emission, index = frame
        entering = tf.concat([no_mass[:, :1], mass[:, :-1]], axis=1)
        skipping = tf.concat([no_mass[:, :2], mass[:, :-2]], axis=1)
        skipping = tf.where(may_skip, skipping, no_mass)
        paths = tf.stack([mass, entering, skipping])
        is_frame = tf.expand_dims(index < lengths, 1)
        return tf.where(is_frame, tf.reduce_logsumexp(paths, axis=0) + emission, mass)

    frames = tf.transpose(emissions, [1, 0, 2]), tf.range(n_frames)
    mass = tf.foldl(advance, frames, start)
    ends = tf.stack([2 * label_lengths - 1, 2 * label_lengths], axis=1)
    return -tf.reduce_logsumexp(tf.gather(mass, ends, batch_dims=1), axis=1)


def _lattice(labels, blank):
    """The column of each state, and whether a path may skip the blank before it."""
    shape = tf.shape(labels)
    blanks = tf.fill([shape[0], shape[1] + 1], blank)
    pairs = tf.stack([blanks[:, 1:], labels], axis=2)
    states = tf.concat([tf.reshape(pairs, [shape[0], -1]), blanks[:, :1]], axis=1)
    differs = tf.not_equal(states[:, 2:], states[:, :-2])  # no blank from another
    return states, tf.pad(differs, [[0, 0], [2, 0]])


def _all_blank_losses(log_probs, lengths):
    blank = log_probs[..., -1]  # (n_samples, n_frames)
    is_frame = tf.sequence_mask(lengths, tf.shape(blank)[1])
    return -tf.reduce_sum(tf.where(is_frame, blank, 0.0), axis=1)
