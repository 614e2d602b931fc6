"""The network of `Seq2SeqTranslator`: an encoder of sources, a decoder of targets.

It takes token ids of both, right-padded, with their lengths, and returns the logits of
each next target token, real ones only, and the weights of attention. The search runs
the same encoder and decoder, found by name, so there is one set of weights.
"""

import keras
import tensorflow as tf

from skseq._nn.layers import Embedding, FinalStates
from skseq._nn.stacks import apply_dropout, recurrent_stack
from skseq._seq2seq.decoder import Decoder
from skseq._seq2seq.search import Penalties, beam_search


def seq2seq_network(
    *,
    n_source_ids,
    n_target_ids,
    embedding_dim,
    units,
    cell,
    bidirectional,
    attention,
    dropout,
    input_feeding,
):
    """Embedding and stacked recurrences, then as many in a decoder that attends."""
    source = keras.Input((None,), dtype="int32", name="source")
    source_lengths = keras.Input((), dtype="int32", name="source_lengths")
    target = keras.Input((None,), dtype="int32", name="target")
    target_lengths = keras.Input((), dtype="int32", name="target_lengths")
    embedding = Embedding(n_source_ids, embedding_dim, name="source_embedding")
    states = recurrent_stack(
        embedding(source), source_lengths, units, cell, bidirectional, dropout
    )
    summary = FinalStates(bidirectional, name="summary")(states, source_lengths)
    states = apply_dropout(states, dropout, len(units))
    encoder = keras.Model([source, source_lengths], [states, summary], name="encoder")
    recurrences = units, cell, attention, dropout, input_feeding
    decoder = Decoder(n_target_ids, embedding_dim, *recurrences, name="decoder")
    states, summary = encoder([source, source_lengths])
    outputs = decoder(target, target_lengths, states, source_lengths, summary)
    inputs = [source, source_lengths, target, target_lengths]
    return keras.Model(inputs, list(outputs), name="seq2seq")


def encode(model, source, lengths):
    """The encoder's states of each token of a batch of sources, and its summaries."""
    return model.get_layer("encoder")([source, lengths], training=False)


def translate(model, source, lengths, *numbers, **options):
    """Search the best outputs of a batch of sources; see `decode`."""
    return decode(model, *encode(model, source, lengths), lengths, *numbers, **options)


def decode(
    model,
    states,
    summary,
    lengths,
    limits,
    min_length,
    length_penalty,
    coverage_penalty,
    *,
    end,
    unknown,
    **options,
):
    """Search the best outputs of what `encode` gave; see `beam_search`."""
    like = model.get_layer("encoder").outputs
    states = tf.ensure_shape(states, like[0].shape)
    summary = tf.ensure_shape(summary, like[1].shape)
    decoder = model.get_layer("decoder")
    prepared = decoder.source(states, lengths, summary)
    return beam_search(
        lambda tokens, states: decoder.step(tokens, states, prepared),
        decoder.first_states(prepared),
        tf.sequence_mask(lengths, tf.shape(states)[1]),
        limits,
        Penalties(length_penalty, coverage_penalty),
        min_length=min_length,
        start=end,
        end=end,
        banned=(unknown,),
        **options,
    )
