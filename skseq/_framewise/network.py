"""The network of a classifier, a regressor and a tagger: the encoder, and one head.

It takes what the encoder takes. With a pooling it returns one row of outputs per
sequence and, if that weighs frames, the weights; without, one row per frame; and last
the number of frames of each sequence.
"""

import keras

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
