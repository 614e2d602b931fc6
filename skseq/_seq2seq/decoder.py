"""The recurrent decoder: the next token's logits, from the tokens so far and a source.

The same few lines run over whole known targets at once (training, teacher forcing) and
one token at a time over a beam (search); what differs is how a recurrence is advanced,
which is passed in.
"""

import keras
import tensorflow as tf

from skseq._nn.frame_arrays import frame_array
from skseq._nn.layers import N_STATES, Recurrent, dense, places_of_frames
from skseq._seq2seq.attention import ATTENTIONS, Source


class Decoder(keras.layers.Layer):
    """Stacked recurrences over the target; attention follows the first of them.

    The upper ones and the readout see what was attended to (as in Wu et al. 2016).
    Without attention the context is the encoder's summary of the source, at every step
    (Cho et al. 2014).

    With `input_feeding` the first sees what was attended to at the step before (Luong
    et al. 2015), and a known target is computed step by step; without, all at once.
    """

    rows_are_independent = True

    def __init__(
        self,
        n_ids,
        embedding_dim,
        units,
        cell,
        attention,
        dropout,
        input_feeding=False,
        **kwargs,
    ):
        super().__init__(dtype="float32", **kwargs)
        self.n_ids, self.embedding_dim = n_ids, embedding_dim
        self.units, self.cell = units, cell
        self.input_feeding = input_feeding
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
        inputs_width = self.embedding_dim + self.input_feeding * width
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
        inputs = tf.gather(self.embeddings.value, tokens)
        inputs = self._dropped(0, inputs, training)
        if self.input_feeding:
            states, contexts, weights = self._fed(inputs, first, source, training)
        else:
            states, contexts, weights = self._stacked(
                inputs,
                source,
                lambda i, inputs: self.recurrences[i](inputs, token_lengths, first[i]),
                lambda i, states: self._dropped(i, states, training),
            )
        readouts = self._read(states, contexts, training)
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
        """The state in which each recurrence starts, from the source's summary.

        With input feeding, the last is what was attended to: nothing.
        """
        states = [
            tf.split(bridge(source.summary), N_STATES[self.cell], axis=-1)
            for bridge in self.bridges
        ]
        if self.input_feeding:
            states.append([tf.zeros_like(source.states[:, 0])])
        return states

    def step(self, tokens, states, source):
        """Advance by one token in every place of a beam.

        `tokens` are (n_samples, beam_width), and so begin the states' shapes. Returns
        logits, (n_samples, beam_width, n_ids), the next states and the weights of
        attention.
        """
        inputs = tf.gather(self.embeddings.value, tokens)
        states, top, contexts, weights = self._advance(inputs, states, source)
        return self.logits(self._read(top, contexts)), states, weights

    def _advance(self, inputs, states, source, training=False, drop=None):
        """One step in every place: the next states, the last of them, what it sees."""
        n_samples, width = tf.shape(inputs)[0], tf.shape(inputs)[1]
        states = list(states)
        if self.input_feeding:
            inputs = tf.concat([inputs, states[-1][0]], axis=-1)

        def advance(i, inputs):
            flat = [tf.reshape(s, (-1, self.units[i])) for s in states[i]]
            inputs = tf.reshape(inputs, (-1, inputs.shape[-1]))
            flat = self.recurrences[i].step(inputs, flat, training)
            shape = (n_samples, width, self.units[i])
            states[i] = [tf.reshape(s, shape) for s in flat]
            return states[i][0]

        top, contexts, weights = self._stacked(inputs, source, advance, drop)
        if self.input_feeding:
            states[-1] = [contexts]
        return states, top, contexts, weights

    def _fed(self, inputs, first, source, training):
        """All steps of known targets, one after another: states, contexts, weights.

        What drops out between layers is the same at each step (Gal & Ghahramani 2016).
        """
        n_tokens = tf.shape(inputs)[1]
        frames = frame_array(n_tokens, inputs.shape[-1])
        frames = frames.unstack(tf.transpose(inputs, (1, 0, 2)))
        masks = {
            i: self._dropped(i, tf.ones_like(first[i - 1][0]), training)[:, tf.newaxis]
            for i in range(1, len(self.units))
        }

        def advance(t, states, *arrays):
            inputs = tf.expand_dims(frames.read(t), 1)
            states, *found = self._advance(
                inputs, states, source, training, lambda i, below: below * masks[i]
            )
            written = zip(arrays, found, strict=True)
            return t + 1, states, *(a.write(t, value[:, 0]) for a, value in written)

        widths = self.units[-1], source.states.shape[-1], None
        states = tf.nest.map_structure(lambda part: part[:, tf.newaxis], first)
        _, _, *arrays = tf.while_loop(
            lambda t, *_: t < n_tokens,
            advance,
            (0, states, *(frame_array(n_tokens, width) for width in widths)),
            maximum_iterations=n_tokens,
        )
        return [tf.transpose(array.stack(), (1, 0, 2)) for array in arrays]

    def _stacked(self, inputs, source, advance, drop=None):
        """Recurrences, and attention after the first; `advance(i, inputs)` recurs."""
        states = advance(0, inputs)
        contexts, weights = self._attend(states, source)
        for i in range(1, len(self.units)):
            below = states if drop is None else drop(i, states)
            states = advance(i, tf.concat([below, contexts], axis=-1))
        return states, contexts, weights

    def _read(self, states, contexts, training=False):
        """What the logits are made of."""
        both = tf.concat([states, contexts], axis=-1)
        return self._dropped(-1, self.readout(both), training)

    def _attend(self, queries, source):
        if self.attention is not None:
            return self.attention(queries, source)
        n_queries, n_source = tf.shape(queries)[1], tf.shape(source.states)[1]
        contexts = tf.repeat(source.summary[:, tf.newaxis], n_queries, axis=1)
        return contexts, tf.zeros((tf.shape(queries)[0], n_queries, n_source))

    def _dropped(self, i, inputs, training):
        return self.dropouts[i](inputs, training=training) if self.dropouts else inputs
