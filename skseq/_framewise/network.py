"""The network of a classifier, a regressor and a tagger: the encoder, and one head.

It takes what the encoder takes. With a pooling it returns one row of outputs per
sequence and, if that weighs frames, the weights; without, one row per frame; and last
the number of frames of each sequence. That of a tagger with a chain of labels returns
the weights of the chain between the two.
"""

import keras
import tensorflow as tf

from skseq._encoder.network import encoder
from skseq._nn.layers import dense
from skseq._nn.pooling import pool

POOLINGS = ("attention", "mean", "max", "last")


def framewise_network(*, n_outputs, pooled, **encoder_settings):
    """The encoder and a head of so many outputs; `pooled` says by which pooling."""
    inputs, states, lengths = encoder(**encoder_settings)
    head, weights = dense(n_outputs, "outputs"), None
    if pooled is not None:
        bidirectional = encoder_settings["bidirectional"]
        states, weights = pool(pooled, states, lengths, bidirectional)
    outputs = [head(states), *([] if weights is None else [weights]), lengths]
    return keras.Model(inputs, outputs, name="framewise")


class Chain(keras.layers.Layer):
    """What a chain gives to labels: after each other, at the start and at the end.

    It is told the scores of frames, of which it takes the number of labels only.
    """

    rows_are_independent = True

    def build(self, scores_shape):
        n_classes = scores_shape[-1]
        self.pairs = self._weight("pairs", (n_classes, n_classes))
        self.starts = self._weight("starts", (n_classes,))
        self.ends = self._weight("ends", (n_classes,))

    def _weight(self, name, shape):
        return self.add_weight(shape, "zeros", "float32", name=name)

    def call(self, scores):
        weights = self.pairs, self.starts, self.ends
        return [tf.identity(weight.value) for weight in weights]

    def compute_output_shape(self, scores_shape):
        n_classes = scores_shape[-1]
        return [(n_classes, n_classes), (n_classes,), (n_classes,)]


def tagged(states, lengths, n_outputs, crf):
    """The outputs of a tagger, of the states of frames or tokens."""
    scores = dense(n_outputs, "outputs")(states)
    weights = Chain(dtype="float32", name="chain")(scores) if crf else []
    return [scores, *weights, lengths]


def frame_tagger_network(*, n_outputs, crf, **encoder_settings):
    """The encoder and the head of a tagger, without a pooling."""
    inputs, states, lengths = encoder(**encoder_settings)
    return keras.Model(inputs, tagged(states, lengths, n_outputs, crf), name="tagger")
