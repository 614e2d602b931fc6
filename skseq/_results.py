"""Small frozen records that estimators return."""

from typing import Any, NamedTuple

import numpy as np


class LabelSpan(NamedTuple):
    """Where a label lies, as :meth:`CTCSequenceClassifier.align` returns it.

    Attributes
    ----------
    label : object
        The label, as in `classes_`.
    start, end : int
        Its first and last output frame, inclusive: rows of `predict_proba`.
    confidence : float
        Mean posterior probability of the label over these frames, in [0, 1].
    """

    label: Any
    start: int
    end: int
    confidence: float


class Partial(NamedTuple):
    """What a stream has read so far, as its method `push` returns it.

    Attributes
    ----------
    stable : str, list, tuple, ndarray or None
        The labels that are settled since the start, in the form of the fitted `y`: what
        comes later only adds to them. None with one label per sample.
    unstable : str, list, tuple, ndarray, scalar or None
        The labels that would follow them if the sequence ended here. With one label per
        sample, the label that it would have; None while there is none.
    span : tuple of two int
        Where the sequence is still open, in frames as they were pushed (audio samples
        of waveforms): the number of frames that `stable` was read from, and the number
        of frames pushed.
    """

    stable: Any
    unstable: Any
    span: tuple[int, int]


class FramePartial(NamedTuple):
    """What a push adds to a stream that gives one output per frame.

    Attributes
    ----------
    stable : str, list, tuple or ndarray
        The outputs that are settled by this push, in the form of the fitted `y`. Those
        of all pushes and of `finish`, one after another, are what `predict` gives.
    unstable : str, list, tuple or ndarray
        The outputs that would follow them if the sequence ended here.
    span : tuple of two int
        The first frame of `stable` and the first of `unstable`, counted from the start,
        after the steps of `preprocess`.
    """

    stable: Any
    unstable: Any
    span: tuple[int, int]


class RankedLabels(NamedTuple):
    """A hypothesis of `predict_n_best` of a CTC classifier or a tagger.

    Attributes
    ----------
    labels : str, list, tuple or ndarray
        The label sequence, in the form of the fitted `y`.
    log_probability : float
        Its exact log p(labels | x), in nats.
    language_log_weight : float
        What it has in the language that the search was told of: log-probabilities of
        models and boosts, each with its weight, and the bonus for each label; and what
        a `blank_penalty` changes. Zero where the search was told of none.
    """

    labels: Any
    log_probability: float
    language_log_weight: float = 0.0

    @property
    def score(self) -> float:
        """What hypotheses are ranked by: the sum of both."""
        return self.log_probability + self.language_log_weight


class RankedOutput(NamedTuple):
    """A hypothesis of :meth:`Seq2SeqTranslator.predict_n_best`.

    Attributes
    ----------
    output : str, list, tuple or ndarray
        The output, in the form of the fitted `y`.
    log_probability : float
        log p(output | x), in nats, including the end of the output.
    score : float
        What hypotheses are ranked by: the log-probability after the length and coverage
        penalties.
    """

    output: Any
    log_probability: float
    score: float


class ScoredWindow(NamedTuple):
    """A window of a series, as a stream of :class:`LSTMAutoencoder` returns it.

    Attributes
    ----------
    start, end : int
        Its first frame and the one after its last, counted from the first that was
        pushed.
    score : float
        Its entry in :meth:`LSTMAutoencoder.score_samples`: higher is more normal.
    label : int
        Its entry in :meth:`LSTMAutoencoder.predict`: 1, or -1 for an anomaly.
    step_errors : ndarray of shape (n_frames, n_features)
        Its entry in :meth:`LSTMAutoencoder.step_errors`.
    """

    start: int
    end: int
    score: float
    label: int
    step_errors: np.ndarray
