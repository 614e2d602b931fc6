"""The network of an embedder: the encoder, a pooling, and a dense layer to a vector.

It takes what the encoder takes, and returns the vector of each sequence, before a
distance makes anything of it; what its loss learns beside it; and the number of frames.
"""

import keras
import tensorflow as tf

from skseq._encoder.network import encoder, run
from skseq._nn.layers import dense
from skseq._nn.pooling import pool

POOLINGS = ("statistics", "mean", "attention", "last")


def embedding_network(*, embedding_dim, pooled, head, n_classes, **encoder_settings):
    """The encoder and its vector; `head` says what its loss learns, as in `HEADS`."""
    inputs, states, lengths = encoder(**encoder_settings)
    pooled, _ = pool(pooled, states, lengths, encoder_settings["bidirectional"])
    vectors = dense(embedding_dim, "embedding")(pooled)
    learnt = HEADS[head](n_classes)
    outputs = [vectors, *([] if learnt is None else learnt(vectors)), lengths]
    return keras.Model(inputs, outputs, name="embedder")


def embed(model, *inputs):
    """The vectors of a batch, as in prediction, and nothing else."""
    return run(model, *inputs)[:1]


class Similarity(keras.layers.Layer):
    """What similarities are multiplied by, as a logarithm, and what is added to them.

    It is told the vectors, of which it takes nothing.
    """

    rows_are_independent = True

    def __init__(self, with_bias, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.with_bias = with_bias

    def build(self, vectors_shape):
        names = ["log_scale", "bias"] if self.with_bias else ["log_scale"]
        for name in names:
            setattr(self, name, self.add_weight((), "zeros", "float32", name=name))

    def call(self, vectors):
        return [tf.identity(weight.value) for weight in self.weights]

    def compute_output_shape(self, vectors_shape):
        return [()] * (1 + self.with_bias)


class ClassVectors(Similarity):
    """The same scale, and one vector per class."""

    def __init__(self, n_classes, **kwargs):
        super().__init__(with_bias=False, **kwargs)
        self.n_classes = n_classes

    def build(self, vectors_shape):
        super().build(vectors_shape)
        shape = vectors_shape[-1], self.n_classes
        self.kernel = self.add_weight(shape, "zeros", "float32", name="kernel")

    def compute_output_shape(self, vectors_shape):
        return [(), (vectors_shape[-1], self.n_classes)]


# What a loss learns beside the network, by the head's name.
HEADS = {
    "none": lambda n_classes: None,
    "scale": lambda n_classes: Similarity(False, name="similarity"),
    "scale and bias": lambda n_classes: Similarity(True, name="similarity"),
    "classes": lambda n_classes: ClassVectors(n_classes, name="similarity"),
}
