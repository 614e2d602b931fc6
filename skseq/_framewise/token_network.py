"""The network of a tagger that reads tokens.

A token is a vector of its own and, if it is spelled with characters, what a convolution
finds in them; recurrences and a head follow. It takes `tokens` (n_samples, n_tokens),
`lengths`, and where characters are read `spellings`, which numbers distinct tokens, and
`characters` (n_samples, n_tokens, n_characters), -1 past the end of each token.
"""

import keras
import tensorflow as tf

from skseq._framewise.network import tagged
from skseq._nn.layers import Embedding, FrameConvolution
from skseq._nn.pooling import MaxPooling
from skseq._nn.stacks import apply_dropout, recurrent_stack

# Characters that a filter sees at once (Ma and Hovy 2016).
_WIDTH = 3


class DistinctTokens(keras.layers.Layer):
    """The characters of each distinct token once, their number, and which is whose.

    Each has at least one character, so that there is something to take the largest of.
    """

    rows_are_independent = True

    def call(self, spellings, characters):
        n_characters = tf.shape(characters)[2]
        flat = tf.reshape(spellings, (-1,))
        distinct, places = tf.unique(flat)
        first = tf.math.unsorted_segment_min(
            tf.range(tf.size(flat)), places, tf.size(distinct)
        )
        ids = tf.gather(tf.reshape(characters, (-1, n_characters)), first)
        lengths = tf.reduce_sum(tf.cast(ids >= 0, tf.int32), axis=1)
        places = tf.reshape(places, tf.shape(spellings))
        return tf.maximum(ids, 0), tf.maximum(lengths, 1), places

    def compute_output_spec(self, spellings, characters):
        return (
            keras.KerasTensor((None, None), "int32"),
            keras.KerasTensor((None,), "int32"),
            keras.KerasTensor(spellings.shape, "int32"),
        )


class AtPlaces(keras.layers.Layer):
    """The vectors of distinct tokens, wherever the tokens stand."""

    rows_are_independent = True

    def call(self, vectors, places):
        return tf.gather(vectors, places)

    def compute_output_spec(self, vectors, places):
        shape = (*places.shape, vectors.shape[-1])
        return keras.KerasTensor(shape, "float32")


def token_network(
    *,
    n_token_ids,
    n_character_ids,
    embedding_dim,
    char_embedding_dim,
    units,
    cell,
    bidirectional,
    dropout,
    n_outputs,
    crf,
):
    """Embeddings, recurrences and the head of a tagger."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    lengths = keras.Input((), dtype="int32", name="lengths")
    inputs, states = (
        [tokens, lengths],
        Embedding(n_token_ids, embedding_dim, name="token_embedding")(tokens),
    )
    if n_character_ids:
        spellings = keras.Input((None,), dtype="int32", name="spellings")
        characters = keras.Input((None, None), dtype="int32", name="characters")
        inputs += [spellings, characters]
        found = _spelled(spellings, characters, n_character_ids, char_embedding_dim)
        both = keras.layers.Concatenate(dtype="float32", name="token_features")
        states = both([states, found])
    states = recurrent_stack(states, lengths, units, cell, bidirectional, dropout)
    states = apply_dropout(states, dropout, len(units))
    return keras.Model(inputs, tagged(states, lengths, n_outputs, crf), name="tagger")


def _spelled(spellings, characters, n_character_ids, width):
    """What is found in the characters of each token."""
    distinct = DistinctTokens(dtype="float32", name="distinct_tokens")
    ids, lengths, places = distinct(spellings, characters)
    found = Embedding(n_character_ids, width, name="character_embedding")(ids)
    found = FrameConvolution(width, _WIDTH, name="characters_conv")(found, lengths)
    found = MaxPooling(dtype="float32", name="spelled")(found, lengths)
    return AtPlaces(dtype="float32", name="spelled_at_places")(found, places)
