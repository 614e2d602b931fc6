"""What exported graphs do before and around a network whose frames pass the encoder."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from skseq._data.scaling import Scaling
from skseq._engine.export import Graph
from skseq._nn.answerable import Batch
from skseq._nn.steps import NOT_READABLE, GraphInputs, standardized


@dataclass(frozen=True)
class EncodedGraph:
    """A fitted network in graphs.

    Attributes
    ----------
    model : keras.Model
    inputs : GraphInputs
    scaling : Scaling
    front_end : FrontEnd
    """

    model: Any
    inputs: GraphInputs
    scaling: Scaling
    front_end: Any

    def _graphs(self, run, functions: dict[str, list]) -> list[Graph]:
        """A graph of each function, which is made of parts of what `run` gives."""
        given = self.inputs.specs, self.inputs.example
        return [Graph.of(n, run, parts, *given) for n, parts in functions.items()]

    def _levels(self, batch):
        """Frames as the network reads them, in double precision, zero in padding."""
        return standardized(batch, self.scaling)

    def _encoded(self, no_frames: str, **given) -> tuple[list, Batch]:
        """The inputs of the network, and which sequences can be answered for.

        `no_frames` says what must hold where the front end leaves no frame.
        """
        batch = self.inputs.read(**given)
        frames = tf.cast(self._levels(batch), tf.float32)
        batch = replace(batch, frames=frames).demand_finite(NOT_READABLE)
        further = self.front_end.further_inputs(self.model, batch.lengths)
        for lengths in further:
            batch = batch.demand(lengths > 0, no_frames)
        return [batch.frames, batch.lengths, *further], batch


def label_strings(classes: np.ndarray):
    """Labels that are strings, as a constant of a graph."""
    return tf.constant([_encoded(label) for label in classes.tolist()])


def _encoded(label: str) -> bytes:
    try:
        return label.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The label {label!r} cannot be exported: it is a lone surrogate, which "
            "UTF-8 does not hold. Rename it, and fit again."
        ) from error
