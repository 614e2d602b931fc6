"""Losses per sequence, computed on real frames only.

Each returns one number a sequence, `(n_samples,)`, so that sample weights, means and
the search for the sequence that diverged are the training loop's business.
"""

import tensorflow as tf

# The kernel takes probabilities out of logarithms; below exp(-87) they are zero to it.
MIN_LOG_PROBABILITY = -80.0


def ctc_losses(outputs, targets):
    """Negative log-probability of each label sequence (Graves et al. 2006).

    The blank is the last class. Runs TensorFlow's sparse kernel, which is about ten
    times faster on a CPU than the dense one; that kernel refuses an empty labelling,
    whose only path is all blanks and which is therefore computed directly.
    """
    logits, lengths = outputs
    log_probs = _kept_from_underflow(tf.nn.log_softmax(logits))
    labels, label_lengths = targets["labels"], targets["label_lengths"]
    is_empty = tf.equal(label_lengths, 0)
    is_label = tf.sequence_mask(tf.maximum(label_lengths, 1), tf.shape(labels)[1])
    sparse_labels = tf.SparseTensor(
        tf.where(is_label),
        tf.boolean_mask(labels, is_label),
        tf.shape(labels, out_type=tf.int64),
    )
    losses = tf.nn.ctc_loss(
        sparse_labels,
        log_probs,
        label_length=None,
        logit_length=lengths,
        logits_time_major=False,
        blank_index=-1,
    )
    return tf.cond(
        tf.reduce_any(is_empty),
        lambda: tf.where(is_empty, _all_blank_losses(log_probs, lengths), losses),
        lambda: losses,
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
