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
        parts = {
            "predict": self._label,
            "score_samples": self._score,
            "transform": self._code,
            "reconstruct": self._frames,
        }
        functions = {name: [part] for name, part in parts.items()}
        if joined:
            functions = {"model": list(parts.values())}
        given = self.inputs.specs, self.inputs.example
        return [Graph.of(n, self._run, own, *given) for n, own in functions.items()]

    def _run(self, **given) -> tuple:
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

    def _label(self, *run) -> dict:
        """1 for a normal sequence, -1 for an anomaly."""
        return {"label": tf.where(self._scores(*run) < self.offset, -1, 1)}

    def _score(self, *run) -> dict:
        """The higher, the more normal."""
        return {"score": tf.cast(self._scores(*run), tf.float32)}

    def _code(self, levels, made, codes, lengths) -> dict:
        return {"code": codes}

    def _frames(self, levels, made, codes, lengths) -> dict:
        """Frames in the units of those that the network was fitted on."""
        frames = zero_padding(made * self.scaling.scale + self.scaling.mean, lengths)
        frames = tf.cast(frames, tf.float32)
        return {"reconstruction": frames, "n_frames": tf.identity(lengths)}

    def _scores(self, levels, made, codes, lengths):
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
