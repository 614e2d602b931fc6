"""What is exported of a network with one output per sequence or frame, as graphs.

In plain operations on padded batches, which give what the estimators' methods give.
"""

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from skseq._encoder.export import EncodedGraph, label_strings
from skseq._encoder.network import run
from skseq._engine.export import Graph
from skseq._nn.answerable import are_finite
from skseq._nn.layers import zero_padding
from skseq._nn.steps import NOT_GIVEN

_NO_FRAMES = (
    "The network's front end leaves no frame of a sequence: lengthen it or leave it "
    "out."
)


@dataclass(frozen=True)
class FramewiseGraph(EncodedGraph):
    """A fitted network in graphs."""

    def _outputs(self, **given) -> tuple:
        """What the network gives, and the batch of its first output."""
        inputs, batch = self._encoded(_NO_FRAMES, **given)
        found = run(self.model, *inputs)
        batch = replace(batch, frames=found[0], lengths=found[-1])
        return found, batch.demand_frames(_NO_FRAMES)

    def _vectors(self, **given) -> tuple:
        """The outputs of sequences, (n_samples, n_outputs), and their batch."""
        found, batch = self._outputs(**given)
        return found[0], batch.demand(are_finite(found[0]), NOT_GIVEN)


@dataclass(frozen=True)
class FrameGraph(FramewiseGraph):
    """A fitted network with one row of outputs per frame, in graphs.

    A task makes its functions of what `_rows` gives.
    """

    def _rows(self, **given) -> tuple:
        """The outputs of real frames, (n_samples, n_frames, n_outputs), their batch."""
        _, batch = self._outputs(**given)
        batch = batch.demand_finite(NOT_GIVEN)
        return zero_padding(batch.frames, batch.lengths), batch


@dataclass(frozen=True)
class ClassifierGraph(FramewiseGraph):
    """A fitted classifier in graphs.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    has_text : bool
        Whether there are strings, as in a SavedModel.
    """

    classes: Any
    has_text: bool

    def graphs(self) -> list[Graph]:
        """The functions, as a SavedModel or ONNX has them."""
        functions = {"predict": [self._predicted], "proba": [self._proba]}
        if not self.has_text:
            functions = {"model": [self._proba, self._predicted]}
        return self._graphs(self._vectors, functions)

    def _predicted(self, logits, batch) -> dict:
        """An id that no label has where there is none: to look it up must fail."""
        ids = tf.argmax(logits, axis=1, output_type=tf.int32)
        found = {"label_id": tf.where(batch.is_sound, ids, logits.shape[1])}
        if self.has_text and self.classes.dtype.kind == "U":
            found["label"] = tf.gather(label_strings(self.classes), ids)
        return found

    def _proba(self, logits, batch) -> dict:
        return {"proba": batch.answered(tf.nn.softmax(logits))}


@dataclass(frozen=True)
class RegressorGraph(FrameGraph):
    """A fitted regressor in graphs.

    Attributes
    ----------
    units : tuple of ndarray of shape (n_outputs,)
        The mean and the scale of values.
    is_rate : bool
        Whether the network gives the logarithm of a rate.
    is_per_frame, is_flat : bool
        Whether values are those of frames, and plain numbers.
    """

    units: Any
    is_rate: bool
    is_per_frame: bool
    is_flat: bool

    def graphs(self, name) -> list[Graph]:
        """The function, under a name."""
        return self._graphs(self._run, {name: [self._prediction]})

    def _run(self, **given) -> tuple:
        return self._rows(**given) if self.is_per_frame else self._vectors(**given)

    def _prediction(self, values, batch) -> dict:
        """Values in the units of those that the network was fitted on."""
        values = tf.cast(values, tf.float64)
        mean, scale = self.units
        values = (tf.exp(values) if self.is_rate else values) * scale + mean
        if self.is_per_frame:
            values = zero_padding(values, batch.lengths)
        values = tf.cast(batch.answered(values), tf.float32)
        found = {"prediction": values[..., 0] if self.is_flat else values}
        if self.is_per_frame:
            found["n_frames"] = batch.answered_lengths
        return found
