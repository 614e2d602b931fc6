"""Translation in Keras, written by hand as in its tutorials.

The network of `Seq2SeqTranslator`, over token ids, trained and run as the example [1]_
and its many descendants do. Everything is padded to the longest sequence of the data
set, and targets are one-hot. The trained layers are put together a second time, as an
encoder and a decoder of one token, and `predict` is called per sentence and per token.

References
----------
.. [1] F. Chollet, "Character-level recurrent sequence-to-sequence model", Keras code
       examples. https://keras.io/examples/nlp/lstm_seq2seq/
"""

import keras
import numpy as np
from keras import layers, ops

PADDING = 0


class KerasTranslator:
    """Trains and decodes; `end` is the id before the first token and after the last.

    Parameters
    ----------
    sources, targets : list of list of int
        Ids, without the end.
    n_source_ids, n_target_ids : int
        How many ids there are, including the end. They are stored here plus one, since
        0 stands for padding.
    """

    def __init__(
        self, sources, targets, n_source_ids, n_target_ids, end, units, batch_size
    ):
        self.end, self.batch_size = end + 1, batch_size
        self.n_ids = n_target_ids + 1
        self.n_source = max(map(len, sources))
        n_target = max(map(len, targets)) + 1
        targets = [[i + 1 for i in target] for target in targets]
        self.inputs = [
            self._source_array(sources),
            padded([[self.end, *target] for target in targets], n_target),
        ]
        labels = padded([[*target, self.end] for target in targets], n_target)
        self.one_hot = keras.utils.to_categorical(labels, self.n_ids)
        self.is_token = (labels != PADDING).astype("float32")
        self._build(n_source_ids + 1, units)
        self.model.compile(optimizer="adam", loss="categorical_crossentropy")

    def _source_array(self, sources):
        return padded([[i + 1 for i in source] for source in sources], self.n_source)

    def _build(self, n_source_ids, units):
        """Build the model that is trained, and two that decode with the same layers."""
        source = keras.Input((self.n_source,))
        embedded = layers.Embedding(n_source_ids, units, mask_zero=True)(source)
        lstm = layers.LSTM(units, return_sequences=True, return_state=True)
        states, *ends = layers.Bidirectional(lstm)(embedded)
        summary = layers.Concatenate()([ends[0], ends[2]])
        state = [layers.Dense(units, activation="tanh")(summary) for _ in range(2)]
        keys = layers.Dense(units, use_bias=False)(states)

        embedding = layers.Embedding(self.n_ids, units)
        decoder = layers.LSTM(units, return_sequences=True, return_state=True)
        query = layers.Dense(units, use_bias=False)
        attention = layers.AdditiveAttention()
        readout = layers.Dense(units, activation="tanh")
        probabilities = layers.Dense(self.n_ids, activation="softmax")

        def read(tokens, state, states, keys, is_source):
            outputs, *state = decoder(embedding(tokens), initial_state=state)
            context = attention([query(outputs), states, keys], mask=[None, is_source])
            both = layers.Concatenate()([outputs, context])
            return probabilities(readout(both)), state

        target = keras.Input((None,))
        is_source = ops.not_equal(source, PADDING)
        outputs, _ = read(target, state, states, keys, is_source)
        self.model = keras.Model([source, target], outputs)

        self.encoder_model = keras.Model(source, [*state, states, keys])
        token = keras.Input((1,))
        given = [keras.Input(tensor.shape[1:]) for tensor in (*state, states, keys)]
        mask = keras.Input((self.n_source,), dtype="bool")
        outputs, state = read(token, given[:2], *given[2:], mask)
        self.decoder_model = keras.Model([token, *given, mask], [outputs, *state])

    def train_epoch(self):
        """See every pair once; `loss` is then the mean per token."""
        history = self.model.fit(
            self.inputs,
            self.one_hot,
            sample_weight=self.is_token,
            batch_size=self.batch_size,
            verbose=0,
        )
        self.loss = history.history["loss"][0] / self.is_token.mean()

    def decode(self, sources, n_tokens, beam_width):
        """Greedy outputs of exactly that many tokens, (n_sources, n_tokens)."""
        rows = self._source_array(sources)
        return np.array([self._decode(row[np.newaxis], n_tokens) for row in rows]) - 1

    def _decode(self, source, n_tokens):
        h, c, *encoded = self.encoder_model.predict(source, verbose=0)
        encoded.append(source != PADDING)
        token, written = np.array([[self.end]]), []
        for _ in range(n_tokens + 1):  # the end too is predicted
            outputs, h, c = self.decoder_model.predict(
                [token, h, c, *encoded], verbose=0
            )
            outputs[..., [PADDING, self.end]] = 0.0
            token = outputs.argmax(-1)
            written.append(token[0, 0])
        return written[:-1]


def padded(sequences, length):
    return keras.utils.pad_sequences(sequences, length, padding="post", value=PADDING)
