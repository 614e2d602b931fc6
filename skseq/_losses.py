"""Losses per sequence, computed on real frames only.

Each returns one number a sequence, `(n_samples,)`, so that sample weights, means and the
search for the sequence that diverged are the training loop's business.
"""

import tensorflow as tf


def ctc_losses(outputs, targets):
    """Negative log-probability of each label sequence (Graves et al. 2006).

    The blank is the last class. Runs TensorFlow's sparse kernel, which is about ten
    times faster on a CPU than the dense one; that kernel refuses an empty labelling,
    whose only path is all blanks and which is therefore computed directly.
    """
    logits, lengths = outputs
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
        logits,
        label_length=None,
        logit_length=lengths,
        logits_time_major=False,
        blank_index=-1,
    )
    return tf.cond(
        tf.reduce_any(is_empty),
        lambda: tf.where(is_empty, _all_blank_losses(logits, lengths), losses),
        lambda: losses,
    )


def _all_blank_losses(logits, lengths):
    blank = tf.nn.log_softmax(logits)[..., -1]  # (n_samples, n_frames)
    is_frame = tf.sequence_mask(lengths, tf.shape(blank)[1])
    return -tf.reduce_sum(tf.where(is_frame, blank, 0.0), axis=1)
