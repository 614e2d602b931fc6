"""What is exported of a tagger: the labels of frames or tokens, as graphs.

In plain operations on padded batches, which give what the estimator's methods give.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from skseq._encoder.export import label_strings
from skseq._encoder.network import run
from skseq._engine.export import Export, Graph
from skseq._framewise.chain import ChainWeights
from skseq._framewise.export import FrameGraph
from skseq._framewise.tokens import MAX_CHARACTERS, TokenReader
from skseq._nn.answerable import Batch
from skseq._nn.frame_arrays import frame_array
from skseq._preprocess.steps import name_of

# The score of what is not allowed: finite, so that no difference of two is NaN.
_NEVER = -1e30


def exported_tagger(fitted: Any, model: Any, format: str) -> Export:
    """The functions of a fitted tagger and their description.

    Raises
    ------
    ValueError
        If no graph can hold what is done to sequences.
    """
    has_text = format == "saved_model"
    weights = fitted._chain_weights() if fitted._is_chain else None
    answers = Answers(fitted.classes_, weights, has_text)
    description = {"estimator": type(fitted).__name__}
    description |= {"classes": fitted.classes_.tolist(), "form": fitted._label_form}
    if fitted._reads == "tokens":
        _refuse_tokens(fitted._steps, has_text)
        reader = fitted._token_reader
        graph = TokenGraph(model, reader, answers)
        description["token_vocabulary"] = reader.tokens.tokens.tolist()
        return Export(graph.graphs(), description, tuple(graph.tables))
    graph = TaggerGraph(*fitted._graph_parts(model), answers)
    return Export(graph.graphs(), {**description, **graph.inputs.described()})


def _refuse_tokens(steps: list | None, has_text: bool) -> None:
    if not has_text:
        raise ValueError(
            "Tokens cannot be exported to ONNX, for which the table that numbers them "
            'is not written. Export with format="saved_model".'
        )
    if steps:
        raise ValueError(
            f"preprocess[0], {name_of(steps[0])}, cannot be exported: no graph can "
            "hold a transformer of tokens. Apply it outside, and fit without it."
        )


@dataclass(frozen=True, eq=False)
class Answers:
    """What is made of the scores of labels.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    weights : ChainWeights or None
        What a chain gives; None where frames do not depend on each other.
    has_text : bool
        Whether there are strings, as in a SavedModel.
    """

    classes: np.ndarray
    weights: ChainWeights | None
    has_text: bool

    def functions(self) -> dict[str, list]:
        """The functions of a file, each of parts of what is given."""
        proba = [] if self.weights is not None else [self.proba]
        if not self.has_text:
            return {"model": [*proba, self.predicted]}
        named = {"predict": [self.predicted], "proba": proba}
        return {name: parts for name, parts in named.items() if parts}

    def predicted(self, scores, batch) -> dict:
        """What `predict` gives, as ids and, where labels are strings, as text."""
        lengths = batch.answered_lengths
        if self.weights is None:
            ids = tf.argmax(scores, axis=2, output_type=tf.int32)
        else:
            ids = best_path(scores, batch.lengths, self.weights)
        is_frame = tf.sequence_mask(lengths, tf.shape(ids)[1])
        ids = tf.where(is_frame, ids, -1)
        found = {"label_ids": ids, "n_labels": lengths}
        if self.has_text and self.classes.dtype.kind == "U":
            texts = tf.gather(label_strings(self.classes), tf.maximum(ids, 0))
            found["labels"] = tf.where(is_frame, texts, "")
        return found

    def proba(self, scores, batch) -> dict:
        """What `predict_proba` gives, zero past the end of a sequence."""
        values = tf.nn.softmax(scores)
        is_frame = tf.sequence_mask(batch.lengths, tf.shape(values)[1])
        values = tf.where(is_frame[..., tf.newaxis], values, 0.0)
        return {"proba": batch.answered(values)}


def best_path(scores, lengths, weights: ChainWeights):
    """The most probable labels, (n_samples, n_frames); past a length they are any.

    Of equally probable paths it is that of `chain.best_paths`.
    """
    scores = tf.cast(scores, tf.float64)
    n_frames, n_classes = tf.shape(scores)[1], len(weights.starts)
    to_each = tf.constant(np.maximum(weights.pairs.T, _NEVER))  # (to, from)
    starts = tf.constant(np.maximum(weights.starts, _NEVER))[tf.newaxis]
    stays = tf.range(n_classes, dtype=tf.int32)[tf.newaxis]

    def forward(t, best, came_from):
        arrivals = best[:, tf.newaxis] + to_each  # (n_samples, to, from)
        before = tf.argmax(arrivals, axis=2, output_type=tf.int32)
        reached = tf.gather(arrivals, before[..., tf.newaxis], batch_dims=2)[..., 0]
        reached = tf.where(t == 0, tf.zeros_like(reached) + starts, reached)
        goes_on = (t < lengths)[:, tf.newaxis]
        before = tf.where(goes_on, before, stays)
        written = came_from.write(t, tf.cast(before, tf.float32))
        return t + 1, tf.where(goes_on, reached + scores[:, t], best), written

    nothing = tf.zeros_like(scores[:, 0])
    _, best, came_from = tf.while_loop(
        lambda t, *_: t < n_frames,
        forward,
        (0, nothing, frame_array(n_frames, n_classes)),
    )
    came_from = tf.cast(came_from.stack(), tf.int32)  # (n_frames, n_samples, to)
    best += tf.constant(np.maximum(weights.ends, _NEVER))
    last = tf.argmax(best, axis=1, output_type=tf.int32)
    return _traced(came_from, last, n_frames)


def _traced(came_from, last, n_frames):
    def backward(i, label, path):
        t = n_frames - 1 - i
        written = path.write(i, tf.cast(label, tf.float32)[:, tf.newaxis])
        before = tf.gather(came_from[t], label[:, tf.newaxis], batch_dims=1)[:, 0]
        return i + 1, before, written

    _, _, path = tf.while_loop(
        lambda i, *_: i < n_frames, backward, (0, last, frame_array(n_frames, 1))
    )
    path = tf.cast(path.stack()[..., 0], tf.int32)  # (n_frames, n_samples), reversed
    return tf.transpose(tf.reverse(path, [0]))


@dataclass(frozen=True)
class TaggerGraph(FrameGraph):
    """A fitted tagger of frames in graphs."""

    answers: Answers

    def graphs(self) -> list[Graph]:
        """The functions, as a SavedModel or ONNX has them."""
        return self._graphs(self._rows, self.answers.functions())


@dataclass(frozen=True, eq=False)
class TokenGraph:
    """A fitted tagger of tokens in graphs, its vocabularies included.

    Attributes
    ----------
    model : keras.Model
    reader : TokenReader
    answers : Answers
    """

    model: Any
    reader: TokenReader
    answers: Answers

    def graphs(self) -> list[Graph]:
        """The functions, as a SavedModel has them."""
        kind = tf.string if self._are_texts else tf.int64
        specs = (
            tf.TensorSpec((None, None), kind, "tokens"),
            tf.TensorSpec((None,), tf.int32, "lengths"),
        )
        functions = self.answers.functions().items()
        return [Graph.of(n, self._rows, parts, specs, {}) for n, parts in functions]

    @property
    def tables(self) -> list:
        """What the functions look tokens up in, and characters."""
        return [self._tokens, *([self._letters] if self.reader.characters else [])]

    def _rows(self, tokens, lengths) -> tuple:
        """The scores of labels, and the batch that they are of."""
        n_samples = tf.shape(tokens)[0]
        checks = [
            tf.debugging.assert_equal(
                tf.size(lengths), n_samples, "There must be one length per sequence."
            ),
            tf.debugging.assert_positive(
                n_samples, "There must be at least one sequence."
            ),
        ]
        with tf.control_dependencies(checks):
            tokens, lengths = tf.identity(tokens), tf.identity(lengths)
        ids = self._tokens.lookup(tokens)
        batch = Batch.of(ids, lengths, "tokens")
        inputs = [batch.frames, batch.lengths]
        if self.reader.characters is not None:
            inputs += self._spelled(tokens)
        scores = run(self.model, *inputs)[0]
        return scores, replace(batch, frames=scores)

    def _spelled(self, tokens) -> list:
        """The numbers of distinct tokens, and the characters of each token."""
        distinct, places = tf.unique(tf.reshape(tokens, (-1,)))
        places = tf.reshape(places, tf.shape(tokens))
        letters = tf.strings.unicode_split(distinct, "UTF-8")[:, :MAX_CHARACTERS]
        ids = tf.ragged.map_flat_values(self._letters.lookup, letters)
        return [places, tf.gather(ids.to_tensor(-1), places)]

    @property
    def _are_texts(self) -> bool:
        return self.reader.tokens.tokens.dtype == object

    @cached_property
    def _tokens(self):
        return _table(self.reader.tokens)

    @cached_property
    def _letters(self):
        return _table(self.reader.characters)


def _table(vocabulary):
    """What gives the id of a token, or that of the unknown one."""
    tokens = vocabulary.tokens
    if tokens.dtype == object:
        tokens = [token.encode() for token in tokens]
    ids = tf.range(len(tokens))
    known = tf.lookup.KeyValueTensorInitializer(tf.constant(tokens), ids)
    return tf.lookup.StaticHashTable(known, vocabulary.unknown)
