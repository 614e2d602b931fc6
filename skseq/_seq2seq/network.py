"""The network of `Seq2SeqTranslator`: an encoder of sources, a decoder of targets.

It takes token ids of both, right-padded, with their lengths, and returns the logits of
each next target token, real ones only, and the weights of attention. The search runs
the same encoder and decoder, found by name, so there is one set of weights.
"""

import keras
import tensorflow as tf

from skseq._nn.layers import N_STATES, FinalStates
from skseq._nn.stacks import (
    cell_weight_shapes,
    dense_weight_shapes,
    dropped,
    recurrent_stack,
    stack_weight_shapes,
)
from skseq._seq2seq.attention import attention_weight_shapes
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
):
    """Embedding and stacked recurrences, then as many in a decoder that attends."""
    source = keras.Input((None,), dtype="int32", name="source")
    source_lengths = keras.Input((), dtype="int32", name="source_lengths")
    target = keras.Input((None,), dtype="int32", name="target")
    target_lengths = keras.Input((), dtype="int32", name="target_lengths")
    states = keras.layers.Embedding(
        n_source_ids,
        embedding_dim,
        embeddings_initializer="zeros",
        dtype="float32",
        name="source_embedding",
    )(source)
    states = recurrent_stack(
        states, source_lengths, units, cell, bidirectional, dropout
    )
    summary = FinalStates(bidirectional, name="summary")(states, source_lengths)
    states = dropped(states, dropout, len(units))
    encoder = keras.Model([source, source_lengths], [states, summary], name="encoder")
    decoder = Decoder(
        n_target_ids, embedding_dim, units, cell, attention, dropout, name="decoder"
    )
    states, summary = encoder([source, source_lengths])
    outputs = decoder(target, target_lengths, states, source_lengths, summary)
    inputs = [source, source_lengths, target, target_lengths]
    return keras.Model(inputs, list(outputs), name="seq2seq")


def translate(
    model,
    source,
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
    """Search the best outputs of a batch of sources; see `beam_search`."""
    states, summary = model.get_layer("encoder")([source, lengths], training=False)
    decoder = model.get_layer("decoder")
    prepared = decoder.source(states, lengths, summary)
    return beam_search(
        lambda tokens, states: decoder.step(tokens, states, prepared),
        decoder.first_states(prepared),
        tf.sequence_mask(lengths, tf.shape(source)[1]),
        limits,
        Penalties(length_penalty, coverage_penalty),
        min_length=min_length,
        start=end,
        end=end,
        banned=(unknown,),
        **options,
    )


def seq2seq_weight_shapes(settings) -> dict[str, tuple[int, ...]]:
    """Path and shape of every weight of `seq2seq_network`, without building it."""
    units, cell, dim = (settings[n] for n in ("units", "cell", "embedding_dim"))
    bidirectional, attention = settings["bidirectional"], settings["attention"]
    width = units[-1] * (1 + bidirectional)
    n_ids = settings["n_target_ids"]
    shapes = {"source_embedding/embeddings": (settings["n_source_ids"], dim)}
    shapes |= stack_weight_shapes(dim, units, cell, bidirectional)
    shapes["decoder/embeddings"] = (n_ids, dim)
    shapes |= attention_weight_shapes(attention, "decoder/attention", width, units[0])
    for i, n_units in enumerate(units):
        n_outputs = n_units * N_STATES[cell]
        shapes |= dense_weight_shapes(f"decoder/bridge_{i}", width, n_outputs)
    inputs_width = dim
    for i, n_units in enumerate(units):
        layer = f"decoder/recurrence_{i}"
        shapes |= cell_weight_shapes(layer, cell, inputs_width, n_units)
        inputs_width = n_units + width
    shapes |= dense_weight_shapes("decoder/readout", inputs_width, units[-1])
    return shapes | dense_weight_shapes("decoder/logits", units[-1], n_ids)
