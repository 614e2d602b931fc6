"""What is exported of a CTC network: posteriors, and greedy decoding, as graphs.

Everything is built of plain operations on padded batches, so that other runtimes can
run it, and gives what the methods of the estimator give.
"""

from dataclasses import dataclass

import tensorflow as tf

from skseq._ctc.network import log_posteriors
from skseq._data.label_vocabulary import LabelVocabulary
from skseq._encoder.export import EncodedGraph, label_strings
from skseq._engine.export import Graph
from skseq._nn.answerable import Batch
from skseq._nn.steps import NOT_GIVEN

# A log-probability of nothing: finite, so that no difference of two is NaN.
_NEVER = -1e30

_NO_FRAMES = (
    "The network's front end and skip_frames leave no frame of a sequence: lengthen it "
    "or leave it out."
)


def greedy(log_probs, lengths) -> tuple:
    """Collapse the most probable paths of a batch.

    Parameters
    ----------
    log_probs : tensor of shape (n_samples, n_frames, n_classes + 1)
        Blank last.
    lengths : tensor of shape (n_samples,), int32

    Returns
    -------
    ids : tensor of shape (n_samples, n_labels), int32
        Padded with -1.
    counts : tensor of shape (n_samples,), int32
    """
    n_samples, n_frames = tf.shape(log_probs)[0], tf.shape(log_probs)[1]
    path = tf.argmax(log_probs, axis=2, output_type=tf.int32)
    before = tf.concat([tf.fill((n_samples, 1), -1), path[:, :-1]], axis=1)
    is_label = (path != before) & (path != log_probs.shape[2] - 1)
    is_label &= tf.sequence_mask(lengths, n_frames)
    counts = tf.reduce_sum(tf.cast(is_label, tf.int32), axis=1)
    # Labels go to their places from the left, all else to one more that is cut off.
    places = tf.cumsum(tf.cast(is_label, tf.int32), axis=1) - 1
    places = tf.where(is_label, places, n_frames)
    rows = tf.range(n_samples)[:, tf.newaxis] + tf.zeros_like(places)
    ids = tf.tensor_scatter_nd_update(
        tf.fill((n_samples, n_frames + 1), -1),
        tf.stack([rows, places], axis=2),
        tf.where(is_label, path, -1),
    )
    return ids[:, : tf.reduce_max(counts)], counts


def single_log_proba(log_probs, lengths):
    """Log-probability of each one-label sequence, if it must be one of them."""
    table = tf.cast(log_probs, tf.float64)
    labels, blank = table[..., :-1], table[..., -1:]
    never = tf.fill(tf.shape(labels[:, 0]), tf.constant(_NEVER, tf.float64))
    first = tf.zeros_like(never), never, never  # before the label, in it, after it

    def advance(t, before, within, after):
        next_ones = (
            before + blank[:, t],
            _log_of_sum(within, before) + labels[:, t],
            _log_of_sum(after, within) + blank[:, t],
        )
        goes_on = (t < lengths)[:, tf.newaxis]
        present = before, within, after
        kept = zip(next_ones, present, strict=True)
        return t + 1, *(tf.where(goes_on, new, old) for new, old in kept)

    _, _, within, after = tf.while_loop(
        lambda t, *_: t < tf.shape(table)[1], advance, (0, *first)
    )
    return tf.nn.log_softmax(_log_of_sum(within, after))


def _log_of_sum(a, b):
    """The logarithm of the sum of two exponentials, by what every runtime has."""
    return tf.maximum(a, b) + tf.math.log(1 + tf.exp(-tf.abs(a - b)))


@dataclass(frozen=True)
class Reader(EncodedGraph):
    """A fitted network in graphs.

    Attributes
    ----------
    vocabulary : LabelVocabulary
    has_text : bool
        Whether there are strings, as in a SavedModel.
    """

    vocabulary: LabelVocabulary
    has_text: bool

    def graphs(self) -> list[Graph]:
        """The functions, as a SavedModel or ONNX has them."""
        functions = {"predict": [self._predicted], "log_proba": [self._log_proba]}
        if not self.has_text:
            functions = {"model": [self._log_proba, self._predicted]}
        return self._graphs(self._run, functions)

    def _run(self, **given) -> tuple:
        """Log-posteriors or, of one label, log-probabilities, and their batch."""
        inputs, batch = self._encoded(_NO_FRAMES, **given)
        batch = Batch(*log_posteriors(self.model, *inputs), batch.is_sound)
        batch = batch.demand_frames(_NO_FRAMES).demand_finite(NOT_GIVEN)
        values = batch.frames
        if self.vocabulary.form == "single":
            values = single_log_proba(values, batch.lengths)
        return values, batch

    def _predicted(self, values, batch) -> dict:
        """What `predict` gives, as ids and, where labels are strings, as text."""
        if self.vocabulary.form == "single":
            return self._one_label(values, batch)
        return self._labels(*greedy(values, batch.answered_lengths))

    def _log_proba(self, values, batch) -> dict:
        """What `predict_log_proba` gives."""
        log_proba = tf.cast(batch.answered(values), tf.float32)
        if self.vocabulary.form == "single":
            return {"log_proba": log_proba}
        return {"log_proba": log_proba, "n_frames": batch.answered_lengths}

    def _one_label(self, values, batch) -> dict:
        """An id that no label has where there is none: to look it up must fail."""
        ids = tf.argmax(values, axis=1, output_type=tf.int32)
        found = {"label_id": tf.where(batch.is_sound, ids, values.shape[1])}
        if self._are_strings:
            found["label"] = tf.gather(self._strings, ids)
        return found

    def _labels(self, ids, counts) -> dict:
        found = {"label_ids": ids, "n_labels": counts}
        if self._are_strings:
            table = tf.concat([self._strings, [""]], axis=0)
            blank = len(self.vocabulary.classes)
            labels = tf.gather(table, tf.where(ids < 0, blank, ids))
            is_text = self.vocabulary.form == "str"
            found["text" if is_text else "labels"] = (
                tf.strings.reduce_join(labels, axis=1) if is_text else labels
            )
        return found

    @property
    def _are_strings(self) -> bool:
        return self.has_text and self.vocabulary.classes.dtype.kind == "U"

    @property
    def _strings(self):
        return label_strings(self.vocabulary.classes)
