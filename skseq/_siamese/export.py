"""What is exported of an embedder: the embedding of each sequence, as a graph."""

from dataclasses import dataclass, replace

import tensorflow as tf

from skseq._encoder.export import EncodedGraph
from skseq._engine.export import Graph
from skseq._nn.answerable import are_finite
from skseq._nn.layers import zero_padding
from skseq._nn.steps import NOT_GIVEN
from skseq._siamese.network import embed

_NO_FRAMES = (
    "The network's front end leaves no frame of a sequence: lengthen it or leave it "
    "out."
)


def _unit_rows(vectors):
    vectors = tf.cast(vectors, tf.float64)
    largest = tf.reduce_max(tf.abs(vectors), axis=1, keepdims=True)
    is_zero = largest <= 0
    scale = tf.where(is_zero, tf.ones_like(largest), largest)
    vectors = tf.where(is_zero, tf.ones_like(vectors), vectors / scale)
    squares = tf.reduce_sum(tf.square(vectors), axis=1, keepdims=True)
    return tf.cast(vectors / tf.sqrt(squares), tf.float32)


ROWS = {
    "cosine": _unit_rows,
    "euclidean": tf.identity,
    "symmetric_kl": tf.nn.softmax,
}


@dataclass(frozen=True)
class EmbedderGraph(EncodedGraph):
    """A fitted embedder as a graph.

    Attributes
    ----------
    center : bool
        Whether each sequence's mean is removed.
    distance : str
        What rows are compared by.
    """

    center: bool
    distance: str

    def graphs(self, name) -> list[Graph]:
        """The function, under a name."""
        return self._graphs(self._run, {name: [self._embedding]})

    def _levels(self, batch):
        levels = super()._levels(batch)
        if not self.center:
            return levels
        n_frames = tf.cast(batch.lengths, tf.float64)[:, tf.newaxis, tf.newaxis]
        about = zero_padding(levels - levels[:, :1], batch.lengths)
        mean = tf.reduce_sum(about, axis=1, keepdims=True) / n_frames
        return zero_padding(about - mean, batch.lengths)

    def _run(self, **given) -> tuple:
        inputs, batch = self._encoded(_NO_FRAMES, **given)
        (vectors,) = embed(self.model, *inputs)
        batch = replace(batch, frames=vectors)
        return vectors, batch.demand(are_finite(vectors), NOT_GIVEN)

    def _embedding(self, vectors, batch) -> dict:
        return {"embedding": batch.answered(ROWS[self.distance](vectors))}
