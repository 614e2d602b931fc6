"""The autoencoder's loss of each sequence, computed on real frames only."""

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

ERRORS = {"mse": tf.square, "mae": tf.abs}


@dataclass(frozen=True)
class ReconstructionLosses:
    """Mean error of the real frames of each sequence, weighted by step."""

    targets: ClassVar = (
        ("levels", (None, None, None), "float32"),
        ("step_weight", (None, None), "float32"),
    )
    kind: str = "mse"

    def __call__(self, outputs, targets):
        errors = ERRORS[self.kind](outputs[0] - targets["levels"])
        errors = tf.reduce_mean(errors, axis=-1)  # (n_samples, n_frames)
        return tf.reduce_sum(errors * targets["step_weight"], axis=1)
