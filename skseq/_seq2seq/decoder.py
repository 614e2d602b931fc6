"""The recurrent decoder: the next token's logits, from the tokens so far and a source.

The same few lines run over whole known targets at once (training, teacher forcing) and
one token at a time over a beam (search); what differs is how a recurrence is advanced,
which is passed in.
"""

import keras
import tensorflow as tf

from skseq._nn.layers import N_STATES, Recurrent, dense, places_of_frames
from skseq._seq2seq.attention import ATTENTIONS, Source


class Decoder(keras.layers.Layer):
    """Stacked recurrences over the target; attention follows the first of them.

    The upper ones and the readout see what was attended to (as in Wu et al. 2016), but
    no context is fed back to the first: so all of a known target is computed at once.
    Without attention the context is the encoder's summary of the source, at every step
    (Cho et al. 2014).
    """

    rows_are_independent = True

    def __init__(self, n_ids, embedding_dim, units, cell, attention, dropout, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.n_ids, self.embedding_dim = n_ids, embedding_dim
        self.units, self.cell = units, cell
        self.attention = None
        if attention is not None:
            self.attention = ATTENTIONS[attention](units[0], name="attention")
        self.bridges = [
            dense(n_units * N_STATES[cell], f"bridge_{i}", "tanh")
            for i, n_units in enumerate(units)
        ]
        self.recurrences = [
            Recurrent(n_units, cell, name=f"recurrence_{i}")
            for i, n_units in enumerate(units)
        ]
        self.dropouts = [
            keras.layers.Dropout(dropout, seed=i, dtype="float32", name=f"dropout_{i}")
            for i in range(len(units) + 1)
            if dropout
        ]
        self.readout = dense(units[-1], "readout", "tanh")
        self.logits = dense(n_ids, "logits")

    def build(
        self,
        tokens_shape,
        token_lengths_shape,
        states_shape,
        lengths_shape,
        summary_shape,
    ):
        width = states_shape[-1]
        self.embeddings = self.add_weight(
            (self.n_ids, self.embedding_dim), "zeros", "float32", name="embeddings"
        )
        if self.attention is not None:
            self.attention.build(states_shape)
        inputs_width = self.embedding_dim
        for bridge, recurrence in zip(self.bridges, self.recurrences, strict=True):
            bridge.build((None, width))
            recurrence.build((None, None, inputs_width))
            inputs_width = recurrence.units + width
        self.readout.build((None, None, inputs_width))
        self.logits.build((None, self.units[-1]))

    def call(self, tokens, token_lengths, states, lengths, summary, training=False):
        """Logits of the tokens after each of the given ones, real ones only.

        They come as (n_real_tokens, n_ids), sample after sample, and with the weights
        of attention, (n_samples, n_tokens, n_source).
        """
        source = self.source(states, lengths, summary, training)
        first = self.first_states(source)
        readouts, weights = self._read(
            tokens,
            source,
            lambda i, inputs: self.recurrences[i](inputs, token_lengths, first[i]),
            training,
        )
        real = places_of_frames(token_lengths, tf.shape(tokens)[1])
        return self.logits(tf.gather_nd(readouts, real)), weights

    def compute_output_shape(
        self,
        tokens_shape,
        token_lengths_shape,
        states_shape,
        lengths_shape,
        summary_shape,
    ):
        return (None, self.n_ids), (*tokens_shape, states_shape[1])

    def source(self, states, lengths, summary, training=False) -> Source:
        """Prepare an encoded batch."""
        keys = None
        if self.attention is not None:
            keys = self.attention.keys(states, training)
        return Source(states, keys, lengths, summary)

    def first_states(self, source) -> list[list]:
        """The state in which each recurrence starts, from the source's summary."""
        return [
            tf.split(bridge(source.summary), N_STATES[self.cell], axis=-1)
            for bridge in self.bridges
        ]

    def step(self, tokens, states, source):
        """Advance by one token in every place of a beam.

        `tokens` are (n_samples, beam_width), and so begin the states' shapes. Returns
        logits, (n_samples, beam_width, n_ids), the next states and the weights of
        attention.
        """
        n_samples, width = tf.shape(tokens)[0], tf.shape(tokens)[1]
        states = list(states)

        def advance(i, inputs):
            flat = [tf.reshape(s, (-1, self.units[i])) for s in states[i]]
            inputs = tf.reshape(inputs, (-1, inputs.shape[-1]))
            flat = self.recurrences[i].step(inputs, flat)
            shape = (n_samples, width, self.units[i])
            states[i] = [tf.reshape(s, shape) for s in flat]
            return states[i][0]

        readouts, weights = self._read(tokens, source, advance)
        return self.logits(readouts), states, weights

    def _read(self, tokens, source, advance, training=False):
        """All that lies between tokens and logits; `advance(i, inputs)` recurs."""
        inputs = tf.gather(self.embeddings.value, tokens)
        states = advance(0, self._dropped(0, inputs, training))
        contexts, weights = self._attend(states, source)
        for i in range(1, len(self.units)):
            inputs = tf.concat([self._dropped(i, states, training), contexts], axis=-1)
            states = advance(i, inputs)
        both = tf.concat([states, contexts], axis=-1)
        return self._dropped(-1, self.readout(both), training), weights

    def _attend(self, queries, source):
        if self.attention is not None:
            return self.attention(queries, source)
        n_queries, n_source = tf.shape(queries)[1], tf.shape(source.states)[1]
        contexts = tf.repeat(source.summary[:, tf.newaxis], n_queries, axis=1)
        return contexts, tf.zeros((tf.shape(queries)[0], n_queries, n_source))

    def _dropped(self, i, inputs, training):
        return self.dropouts[i](inputs, training=training) if self.dropouts else inputs
