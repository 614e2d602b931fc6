"""What is exported of a translator: greedy translation, or its parts, as graphs.

A SavedModel translates texts or tokens, tokenizers and vocabularies included. ONNX has
neither strings nor the loop of the search: it gets the encoder and one step of the
decoder, between which a reader loops.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from skseq._data.token_vocabulary import TokenVocabulary
from skseq._engine.export import Export, Graph
from skseq._nn.rows import log_softmax
from skseq._preprocess.steps import name_of
from skseq._seq2seq.attention import Source
from skseq._seq2seq.network import translate

# White space to Python's `str.split`; TensorFlow's own knows that of ASCII only.
_WHITE_SPACE = (
    "[\\x{09}-\\x{0D}\\x{1C}-\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}"
    "\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}]+"
)

_SPLITS = {
    "word": lambda texts: tf.strings.split(
        tf.strings.regex_replace(texts, _WHITE_SPACE, " ")
    ),
    "char": lambda texts: tf.strings.unicode_split(texts, "UTF-8"),
}
_GLUES = {"word": " ", "char": ""}

_NO_SOURCE = "There must be at least one source."

# A tokenizer of a user's own cannot be part of a graph.
_NAMED = tuple(_SPLITS)


def refuse_steps(steps: list | None) -> None:
    """Refuse transformers of tokens, which no graph can hold."""
    if steps:
        raise ValueError(
            f"preprocess[0], {name_of(steps[0])}, cannot be exported: no graph can "
            "hold a transformer of tokens. Apply it outside, and fit without it."
        )


def _described(source: TokenVocabulary, target: TokenVocabulary) -> dict[str, Any]:
    return {
        "estimator": "Seq2SeqTranslator",
        "source_vocabulary": source.tokens.tolist(),
        "target_vocabulary": target.tokens.tolist(),
        "unknown_source_id": source.unknown,
        "unknown_target_id": target.unknown,
        "end_id": target.end,
    }


@dataclass(frozen=True)
class Rules:
    """What the search is told beside the network.

    Attributes
    ----------
    min_length : int
    max_length : int or None
        None takes the longest target of the training data, and proportionally more for
        a source that is longer than any there.
    longest_source, longest_target : int
    no_repeat_ngram : int
    """

    min_length: int
    max_length: int | None
    longest_source: int
    longest_target: int
    no_repeat_ngram: int

    def described(self) -> dict[str, Any]:
        """The rules, by the parameters that set them, in plain values."""
        return {
            "min_output_length": int(self.min_length),
            "max_output_length": self.max_length and int(self.max_length),
            "longest_source": self.longest_source,
            "longest_target": self.longest_target,
        }

    def limits(self, lengths):
        """The most tokens of an output, for sources of these lengths."""
        if self.max_length is not None:
            return tf.fill(tf.shape(lengths), self.max_length)
        share = tf.cast(lengths, tf.float64) / self.longest_source
        most = tf.math.ceil(self.longest_target * tf.maximum(share, 1.0))
        return tf.cast(most, tf.int32)


@dataclass(frozen=True)
class Translation:
    """A fitted network and its vocabularies, as a SavedModel has them.

    Attributes
    ----------
    model : keras.Model
    source, target : TokenVocabulary
    cut, join : {"word", "char"}, callable or None
        How texts are cut into tokens and put together, if they are.
    rules : Rules
    """

    model: Any
    source: TokenVocabulary
    target: TokenVocabulary
    cut: Any
    join: Any
    rules: Rules

    def export(self) -> Export:
        """The functions, their table and their description."""
        described = _described(self.source, self.target)
        return Export(self.graphs(), described, (self._table,))

    def graphs(self) -> list[Graph]:
        """The function of texts, if there is one, and that of tokens."""
        lengths = tf.TensorSpec((None,), tf.int32, "lengths")
        tokens = tf.TensorSpec((None, None), self._kind, "tokens")
        found = [Graph("predict_tokens", self.predict_tokens, (tokens, lengths), {})]
        if self.cut in _NAMED:
            texts = (tf.TensorSpec((None,), tf.string, "text"),)
            found.insert(0, Graph("predict", self.predict, texts, {}))
        return found

    def predict(self, text) -> dict:
        """Translate texts."""
        checks = [tf.debugging.assert_positive(tf.size(text), _NO_SOURCE)]
        with tf.control_dependencies(checks):
            tokens = _SPLITS[self.cut](tf.identity(text))
        lengths = tf.cast(tokens.row_lengths(), tf.int32)
        return self.predict_tokens(tokens.to_tensor("", shape=(None, None)), lengths)

    def predict_tokens(self, tokens, lengths) -> dict:
        """Translate padded tokens."""
        n_sources, n_tokens = tf.shape(tokens)[0], tf.shape(tokens)[1]
        checks = [
            tf.debugging.assert_equal(
                tf.size(lengths), n_sources, "There must be one length per source."
            ),
            tf.debugging.assert_positive(n_sources, _NO_SOURCE),
            tf.debugging.assert_positive(lengths, "A source holds no tokens."),
            tf.debugging.assert_less_equal(
                lengths, n_tokens, "No length may exceed the axis of tokens."
            ),
        ]
        with tf.control_dependencies(checks):
            tokens, lengths = tf.identity(tokens), tf.identity(lengths)
        rules, vocabulary = self.rules, self.target
        outputs, counts, *_ = translate(
            self.model,
            self._table.lookup(tokens),
            lengths,
            rules.limits(lengths),
            tf.constant(rules.min_length),
            tf.constant(0.0),
            tf.constant(0.0),
            end=vocabulary.end,
            unknown=vocabulary.unknown,
            no_repeat_ngram=rules.no_repeat_ngram,
        )
        counts = counts[:, 0]
        ids = outputs[:, 0, : tf.reduce_max(counts)]
        return self._written(tf.where(tf.sequence_mask(counts), ids, -1), counts)

    def _written(self, ids, counts) -> dict:
        found = {"token_ids": ids, "n_tokens": counts}
        if self.target.tokens.dtype != object:
            known = tf.constant(self.target.tokens)
            return found | {"tokens": tf.gather(known, tf.maximum(ids, 0))}
        tokens = tf.constant([token.encode() for token in self.target.tokens])
        tokens = tf.where(ids < 0, "", tf.gather(tokens, tf.maximum(ids, 0)))
        if self.join not in _NAMED:
            return found | {"tokens": tokens}
        ragged = tf.RaggedTensor.from_tensor(tokens, lengths=counts)
        texts = tf.strings.reduce_join(ragged, axis=1, separator=_GLUES[self.join])
        return found | {"text": texts}

    @property
    def _kind(self):
        return tf.string if self.source.tokens.dtype == object else tf.int64

    @cached_property
    def _table(self):
        tokens = self.source.tokens
        if tokens.dtype == object:
            tokens = [token.encode() for token in tokens]
        ids = tf.range(len(tokens))
        known = tf.lookup.KeyValueTensorInitializer(tf.constant(tokens), ids)
        return tf.lookup.StaticHashTable(known, self.source.unknown)


@dataclass(frozen=True)
class Parts:
    """The encoder and one step of the decoder, as ONNX has them.

    Attributes
    ----------
    model : keras.Model
    source, target : TokenVocabulary
    rules : Rules
        What the reader's loop has to keep.
    """

    model: Any
    source: TokenVocabulary
    target: TokenVocabulary
    rules: Rules

    def export(self) -> Export:
        """The functions and their description."""
        if self.rules.no_repeat_ngram:
            raise ValueError(
                f"no_repeat_ngram={self.rules.no_repeat_ngram} cannot be exported to "
                "ONNX, where a reader loops over tokens by itself. Set "
                'no_repeat_ngram=0, or export with format="saved_model".'
            )
        described = _described(self.source, self.target) | self.rules.described()
        return Export(self.graphs(), described)

    def graphs(self) -> list[Graph]:
        """The encoder, then the step."""
        ids = tf.TensorSpec((None, None), tf.int32, "source_ids")
        lengths = tf.TensorSpec((None,), tf.int32, "lengths")
        example = {
            "source_ids": np.arange(14, dtype="int32").reshape(2, 7)
            % self.source.n_ids,
            "lengths": np.array([7, 4], dtype="int32"),
        }
        encoder = Graph("encoder", self.encode, (ids, lengths), example)
        return [encoder, self._step_graph(lengths, encoder)]

    def _step_graph(self, lengths, encoder) -> Graph:
        given = {"token_ids": np.zeros(2, dtype="int32")}
        encoded = encoder.results()
        given |= {"lengths": encoder.example["lengths"], **encoded}
        specs = [tf.TensorSpec((None,), tf.int32, "token_ids"), lengths]
        for name, value in encoded.items():
            open_axes = (None,) * (len(value.shape) - 1)
            specs.append(tf.TensorSpec((*open_axes, value.shape[-1]), tf.float32, name))
        return Graph("decoder_step", self.step, tuple(specs), given)

    def encode(self, source_ids, lengths) -> dict:
        """What the decoder reads of sources, and the states that it starts in."""
        encoder = self.model.get_layer("encoder")
        # A source without tokens has no translation: it asks for what is not there.
        lengths *= tf.gather([1], tf.cast(lengths < 1, tf.int32))
        states, summary = encoder([source_ids, lengths], training=False)
        source = self._decoder.source(states, lengths, summary)
        found = {"encoded": states, "summary": summary}
        if source.keys is not None:
            found["keys"] = source.keys
        return found | self._named(self._decoder.first_states(source))

    def step(self, token_ids, lengths, encoded, summary, keys=None, **states) -> dict:
        """Log-probabilities of the next token, the weights of attention, the states."""
        source = Source(encoded, keys, lengths, summary)
        nested = tf.nest.map_structure(
            lambda part: tf.expand_dims(part, 1), self._nested(states)
        )
        logits, nested, attention = self._decoder.step(
            token_ids[:, tf.newaxis], nested, source
        )
        found = {"log_proba": log_softmax(logits)[:, 0], "attention": attention[:, 0]}
        nested = tf.nest.map_structure(lambda part: part[:, 0], nested)
        following = self._named(nested)
        return found | {f"next_{name}": value for name, value in following.items()}

    @property
    def _decoder(self):
        return self.model.get_layer("decoder")

    def _named(self, nested) -> dict:
        return {
            f"state_{i}_{j}": part
            for i, layer in enumerate(nested)
            for j, part in enumerate(layer)
        }

    def _nested(self, states) -> list[list]:
        nested = {}
        for name, part in states.items():  # in their order
            nested.setdefault(name.split("_")[1], []).append(part)
        return list(nested.values())
