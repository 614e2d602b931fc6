"""The translator's loss of each sequence, computed on real tokens only."""

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from skseq._nn.layers import places_of_frames
from skseq._nn.rows import cross_entropy


@dataclass(frozen=True)
class TokenLosses:
    """Mean negative log-probability of the real tokens of each sequence.

    With smoothing, a share of each token's probability is spread evenly over all ids
    (Szegedy et al. 2016). Two of the same smoothing are equal, so that their networks
    can share compiled programs.
    """

    targets: ClassVar = (
        ("target_labels", (None, None), "int32"),
        ("target_lengths", (None,), "int32"),
    )
    label_smoothing: float = 0.0

    def __call__(self, outputs, targets):
        logits = outputs[0]  # (n_real_tokens, n_ids), sample after sample
        lengths = targets["target_lengths"]
        real = places_of_frames(lengths, tf.shape(targets["target_labels"])[1])
        labels = tf.gather_nd(targets["target_labels"], real)
        losses = cross_entropy(logits, labels, self.label_smoothing)
        totals = tf.math.unsorted_segment_sum(losses, real[:, 0], tf.size(lengths))
        return totals / tf.cast(lengths, losses.dtype)
