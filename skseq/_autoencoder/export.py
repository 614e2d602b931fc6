"""What is exported of an autoencoder: codes, reconstructions, scores and labels.

In plain operations on padded batches, which give what the estimator's methods give.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from skseq._autoencoder.data import ChangeScaling
from skseq._autoencoder.scores import mean_absolute, mean_square
from skseq._engine.export import Graph
from skseq._nn.layers import zero_padding
from skseq._nn.steps import GraphInputs, standardized


@dataclass(frozen=True)
class Detector:
    """A fitted network in graphs.

    Attributes
    ----------
    model : keras.Model
    inputs : GraphInputs
    scaling : ChangeScaling
    measure : callable
        What makes scores of errors: one of `SCORES`, or an `ErrorDistribution`.
    offset : float
        The score below which a sequence is anomalous.
    """

    model: Any
    inputs: GraphInputs
    scaling: ChangeScaling
    measure: Callable
    offset: float

    def graphs(self, joined: bool) -> list[Graph]:
        """The functions one by one or, `joined`, as one of all outputs."""
        functions = {
            "predict": self.predict,
            "score_samples": self.score_samples,
            "transform": self.transform,
            "reconstruct": self.reconstruct,
        }
        if joined:
            functions = {"model": self.all}
        given = self.inputs.specs, self.inputs.example
        return [Graph(name, function, *given) for name, function in functions.items()]

    def predict(self, **given) -> dict:
        """1 for a normal sequence, -1 for an anomaly."""
        scores = self._scores(given)
        label = tf.where(scores < self.offset, -1, 1)
        return {"label": label}

    def score_samples(self, **given) -> dict:
        """The higher, the more normal."""
        return {"score": tf.cast(self._scores(given), tf.float32)}

    def transform(self, **given) -> dict:
        """Codes."""
        return {"code": self._run(given)[2]}

    def reconstruct(self, **given) -> dict:
        """Frames in the units of those that the network was fitted on."""
        _, levels, _, lengths = self._run(given)
        frames = levels * self.scaling.scale + self.scaling.mean
        frames = tf.cast(zero_padding(frames, lengths), tf.float32)
        return {"reconstruction": frames, "n_frames": tf.identity(lengths)}

    def all(self, **given) -> dict:
        """The outputs of all functions."""
        parts = self.predict, self.score_samples, self.transform, self.reconstruct
        found = {}
        for part in parts:
            found |= part(**given)
        return found

    def _run(self, given) -> tuple:
        """Standardized frames, what is made of them, the codes and the lengths."""
        frames, lengths = self.inputs.read(**given)
        levels = standardized(frames, self.scaling, lengths)
        inputs, further = levels, []
        if self.scaling.change_scale is not None:
            before = tf.pad(levels, ((0, 0), (1, 0), (0, 0)))[:, :-1]
            changes = (levels - before) / self.scaling.change_scale
            inputs = zero_padding(changes, lengths)
            scale = tf.constant(self.scaling.change_scale, tf.float32)
            further = [tf.zeros((tf.shape(levels)[0], 1)) + scale]
        inputs = tf.ensure_shape(
            tf.cast(inputs, tf.float32), self.model.inputs[0].shape
        )
        made, codes = self.model([inputs, lengths, *further], training=False)
        return levels, tf.cast(made, tf.float64), codes, lengths

    def _scores(self, given):
        levels, made, _, lengths = self._run(given)
        errors = zero_padding(_frame_scores(self.measure, levels - made), lengths)
        return -tf.reduce_sum(errors, axis=1) / tf.cast(lengths, tf.float64)


def _frame_scores(measure, errors):
    """What a measure makes of the errors of each frame."""
    for mean, change in ((mean_square, tf.square), (mean_absolute, tf.abs)):
        if measure is mean:  # by a sum: runtimes have no mean in double precision
            return tf.reduce_sum(change(errors), axis=2) / errors.shape[2]
    centred = errors - measure.mean
    weighed = tf.matmul(centred, tf.constant(measure.precision))
    return tf.reduce_sum(weighed * centred, axis=2)
