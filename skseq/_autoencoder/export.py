"""What is exported of an autoencoder: codes, reconstructions, scores and labels.

In plain operations on padded batches, which give what the estimator's methods give.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from skseq._autoencoder.data import ChangeScaling
from skseq._autoencoder.scores import mean_absolute, mean_square
from skseq._engine.export import Graph
from skseq._nn.answerable import are_finite
from skseq._nn.layers import zero_padding
from skseq._nn.steps import NOT_GIVEN, NOT_READABLE, GraphInputs, standardized


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
        """Standardized frames, the batch of what is made of them, and the codes."""
        batch = self.inputs.read(**given)
        levels = standardized(batch, self.scaling)
        inputs, further = levels, []
        if self.scaling.change_scale is not None:
            before = tf.pad(levels, ((0, 0), (1, 0), (0, 0)))[:, :-1]
            inputs = (levels - before) / self.scaling.change_scale
            scale = tf.constant(self.scaling.change_scale, tf.float32)
            further = [tf.zeros((tf.shape(levels)[0], 1)) + scale]
        inputs = tf.cast(zero_padding(inputs, batch.lengths), tf.float32)
        batch = replace(batch, frames=inputs).demand_finite(NOT_READABLE)
        inputs = tf.ensure_shape(batch.frames, self.model.inputs[0].shape)
        given = [inputs, batch.lengths, *further]
        made, codes = self.model(given, training=False)
        batch = replace(batch, frames=tf.cast(made, tf.float64))
        batch = batch.demand_finite(NOT_GIVEN).demand(are_finite(codes), NOT_GIVEN)
        return levels, batch, codes

    def _label(self, *run) -> dict:
        """1 for a normal sequence, -1 for an anomaly and for a score that is NaN."""
        return {"label": tf.where(self._scores(*run) >= self.offset, 1, -1)}

    def _score(self, *run) -> dict:
        """The higher, the more normal."""
        return {"score": tf.cast(self._scores(*run), tf.float32)}

    def _code(self, levels, batch, codes) -> dict:
        return {"code": batch.answered(codes)}

    def _frames(self, levels, batch, codes) -> dict:
        """Frames in the units of those that the network was fitted on."""
        made = batch.answered(batch.frames) * self.scaling.scale + self.scaling.mean
        frames = tf.cast(zero_padding(made, batch.lengths), tf.float32)
        return {"reconstruction": frames, "n_frames": batch.answered_lengths}

    def _scores(self, levels, batch, codes):
        errors = _frame_scores(self.measure, levels - batch.frames)
        errors = zero_padding(errors, batch.lengths)
        lengths = tf.cast(batch.lengths, tf.float64)
        return batch.answered(-tf.reduce_sum(errors, axis=1) / lengths)


def _frame_scores(measure, errors):
    """What a measure makes of the errors of each frame."""
    for mean, change in ((mean_square, tf.square), (mean_absolute, tf.abs)):
        if measure is mean:  # by a sum: runtimes have no mean in double precision
            return tf.reduce_sum(change(errors), axis=2) / errors.shape[2]
    centred = errors - measure.mean
    weighed = tf.matmul(centred, tf.constant(measure.precision))
    return tf.reduce_sum(weighed * centred, axis=2)
