"""CTC's loss of each sequence, computed on real frames only.

A loss gives one number per sequence, `(n_samples,)`, so that sample weights, means and
the search for the sequence that diverged are left to the training loop.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from skseq._nn import compiled
from skseq._nn.layers import places_of_frames
from skseq._nn.threads import n_intra_op_threads

# The kernel takes probabilities out of logarithms; below exp(-87) they are zero to it,
# and so it is given none below this bound.
MIN_LOG_PROBABILITY = -80.0

# Raised to the bound, improbable paths add about exp(-80) per frame to a probability:
# nothing, in single precision, to one whose loss is at most this.
MAX_SAFE_LOSS = 50.0


@dataclass(frozen=True)
class CTCLosses:
    """Negative log-probability of each label sequence (Graves et al. 2006).

    The blank is the last class. On a CPU this is one compiled operation, in double
    precision, where there is compiled code. Elsewhere it is TensorFlow's sparse kernel,
    which is about ten times faster on a CPU than the dense one; that kernel refuses an
    empty labelling, whose only path is all blanks and which is therefore computed
    directly. It also takes very improbable labels for impossible; the few losses that
    this concerns are summed in logarithms and double precision instead, at any distance
    exactly.
    """

    targets: ClassVar = (
        ("labels", (None, None), "int32"),
        ("label_lengths", (None,), "int32"),
    )

    def __call__(self, outputs, targets):
        logits, lengths = outputs
        if compiled.is_in_use():
            return _compiled_losses(logits, lengths, **targets)
        log_probs = tf.nn.log_softmax(logits)
        losses = _sparse_losses(_kept_from_underflow(log_probs), lengths, **targets)
        labels, label_lengths = targets["labels"], targets["label_lengths"]
        losses = _made_exact(losses, log_probs, lengths, labels, label_lengths)
        is_empty = tf.equal(label_lengths, 0)
        return tf.where(is_empty, _all_blank_losses(log_probs, lengths), losses)


def _compiled_losses(logits, lengths, labels, label_lengths):
    return compiled.operations().skseq_ctc_loss(
        logits,
        tf.cast(lengths, tf.int32),
        labels,
        label_lengths,
        n_threads=n_intra_op_threads(),
    )[0]


@tf.RegisterGradient("SkseqCtcLoss")
def _compiled_gradient(operation, upstream, _):
    slopes = tf.raw_ops.PreventGradient(
        input=operation.outputs[1],
        message="The loss of CTC has no second derivative.",
    )
    return upstream[:, tf.newaxis, tf.newaxis] * slopes, None, None, None


def _sparse_losses(log_probs, lengths, labels, label_lengths):
    places = places_of_frames(tf.maximum(label_lengths, 1), tf.shape(labels)[1])
    values = tf.gather_nd(labels, places)
    if not compiled.on_gpu():  # `tf.nn.ctc_loss` traces the functions of both devices
        return tf.raw_ops.CTCLoss(
            inputs=tf.transpose(log_probs, (1, 0, 2)),
            labels_indices=places,
            labels_values=values,
            sequence_length=lengths,
        ).loss
    sparse_labels = tf.SparseTensor(places, values, tf.shape(labels, out_type=tf.int64))
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


@tf.custom_gradient
def _made_exact(losses, log_probs, lengths, labels, label_lengths):
    """Compute those losses again that the kernel cannot know, and their gradients."""
    is_suspect = (losses > MAX_SAFE_LOSS) & (label_lengths > 0)
    batch = losses, is_suspect, log_probs, lengths, labels, label_lengths
    types = [losses.dtype, tf.bool, log_probs.dtype]
    exact, is_off, slopes = tf.cond(
        tf.reduce_any(is_suspect),
        lambda: tf.numpy_function(_corrected, batch, types),
        lambda: [losses, tf.zeros_like(is_suspect), tf.zeros_like(log_probs)],
    )

    def gradient(upstream):
        kept = tf.where(is_off, tf.zeros_like(upstream), upstream)
        return kept, upstream[:, tf.newaxis, tf.newaxis] * slopes, None, None, None

    exact.set_shape(losses.shape)
    slopes.set_shape(log_probs.shape)
    return exact, gradient


def _corrected(losses, is_suspect, log_probs, lengths, labels, label_lengths):
    """The losses, those of them that were off, and the slopes of these."""
    losses, slopes = losses.copy(), np.zeros_like(log_probs)
    is_off = np.zeros_like(is_suspect)
    for i in np.flatnonzero(is_suspect):
        frames = log_probs[i, : lengths[i]]
        if frames.min() < MIN_LOG_PROBABILITY:
            found = _exact_loss(
                frames.astype(np.float64), labels[i, : label_lengths[i]]
            )
            losses[i], slopes[i, : lengths[i]] = found
            is_off[i] = True
    return losses, is_off, slopes


@np.errstate(under="ignore")
def _exact_loss(log_probs, labels):
    """One sequence's loss, and its slope by each log-probability.

    The slope is the probability, given the labels, that a frame shows the label.
    """
    states = np.full(2 * len(labels) + 1, log_probs.shape[1] - 1)
    states[1::2] = labels
    forward = _path_masses(log_probs, states)
    backward = _path_masses(log_probs[::-1], states[::-1])[::-1, ::-1]
    total = np.logaddexp(*forward[-1, -2:])
    shown = np.exp(forward + backward - log_probs[:, states] - total)
    slope = np.zeros_like(log_probs)
    np.subtract.at(slope, (slice(None), states), shown)
    return -total, slope


def _path_masses(log_probs, states):
    """Log-probability of all paths up to each frame and state (Graves et al. 2006).

    State 2 u is a blank after u labels, state 2 u - 1 the label number u.
    """
    emissions = log_probs[:, states]
    masses = np.full((len(emissions), len(states)), -np.inf)
    masses[0, :2] = emissions[0, :2]
    may_skip = states[2:] != states[:-2]  # no blank from another
    for before, mass, emission in zip(masses, masses[1:], emissions[1:], strict=False):
        mass[:] = before
        mass[1:] = np.logaddexp(mass[1:], before[:-1])
        mass[2:] = np.logaddexp(
            mass[2:], before[:-2], where=may_skip, out=mass[2:].copy()
        )
        mass += emission
    return masses


def _all_blank_losses(log_probs, lengths):
    blank = log_probs[..., -1]  # (n_samples, n_frames)
    is_frame = tf.sequence_mask(lengths, tf.shape(blank)[1])
    return -tf.reduce_sum(tf.where(is_frame, blank, 0.0), axis=1)
