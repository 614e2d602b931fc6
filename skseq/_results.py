"""Small frozen records that estimators return."""

from typing import Any, NamedTuple


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


class RankedLabels(NamedTuple):
    """A hypothesis of :meth:`CTCSequenceClassifier.predict_n_best`.

    Attributes
    ----------
    labels : str, list, tuple or ndarray
        The label sequence, in the form of the fitted `y`.
    log_probability : float
        Its exact log p(labels | x), in nats.
    """

    labels: Any
    log_probability: float


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
