"""`suspicious_labels`: transcripts that may be wrong, as a reader finds them.

Knows nothing of plots.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline

from skseq._data.collections import as_collection, check_n_samples
from skseq._wording import counted
from skseq.inspection._fitted import as_seen, last_step, take_rows
from skseq.metrics._alignment import check_pairs

OWNER = "suspicious_labels"


class SuspiciousLabel(NamedTuple):
    """A transcript, and how far it is from what was heard.

    Attributes
    ----------
    index : int
        Its place in `y`.
    label : object
        The transcript, as in `y`.
    heard : object
        What a reader that was trained without this sample predicts.
    score : float
        By how many nats the transcript is more probable than what was heard, to that
        reader. Negative where another is more probable; minus infinity where it has a
        label that the reader never saw, or more labels than fit the frames.
    """

    index: int
    label: Any
    heard: Any
    score: float


def suspicious_labels(reader, X, y, cv=5):
    """List transcripts from the most suspicious on, to be checked by somebody.

    Each sample is read by a copy of the reader that was trained without it, which makes
    something of its own of what it hears. The score is
    log p(transcript | x) - log p(heard | x), the margin by which confident learning
    ranks labels [1]_, for sequences: a single wrong label counts alike in short and in
    long ones, and a sequence that is hard to read is not suspicious if nothing else was
    heard in it. Nothing is decided for you: a low score may also be a mistake of the
    reader.

    Parameters
    ----------
    reader : CTCSequenceClassifier, Seq2SeqTranslator, Pipeline or search
        What reads; copies of it are fitted, once per fold.
    X : collection of sequences
        As in the reader's `fit`.
    y : collection of label sequences
        The transcripts, or one label per sample.
    cv : int, splitter or iterable of (train, test) indices, default=5
        How samples are set aside, as in scikit-learn; each must be in one test set.
        More folds leave more to train on and take longer. An int cuts the samples in
        their order, so shuffle sorted ones, for example by
        ``KFold(5, shuffle=True, random_state=0)``.

    Returns
    -------
    suspicions : list of SuspiciousLabel
        One per sample, those with the lowest scores first, equals by their place.

    Raises
    ------
    TypeError
        If the reader does not read sequences.
    ValueError
        If the samples cannot be divided so, or as the reader's `fit`.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident Learning: Estimating
       Uncertainty in Dataset Labels", Journal of Artificial Intelligence Research 70,
       2021.

    Examples
    --------
    >>> from skseq import Seq2SeqTranslator
    >>> from skseq.inspection import suspicious_labels
    >>> X = [10 * letter for letter in "ab" * 20]
    >>> y = [text[:2] for text in X]
    >>> y[6] = "bb"  # of "aaaaaaaaaa"
    >>> translator = Seq2SeqTranslator(
    ...     units=8, embedding_dim=4, epochs=30, learning_rate=1e-2, random_state=0
    ... )
    >>> suspicious_labels(translator, X, y, cv=2)[0][:3]
    (6, 'bb', 'aa')
    """
    _check_reader(reader)
    X = as_collection(X, "X", "sequences")
    y = as_collection(y, "y", "label sequences")
    check_n_samples("y", len(y), len(X))
    found = [
        suspicion
        for train, test in _folds(reader, X, y, cv)
        for suspicion in _heard(
            clone(reader).fit(take_rows(X, train), take_rows(y, train)), X, y, test
        )
    ]
    return sorted(found, key=lambda suspicion: (suspicion.score, suspicion.index))


def _check_reader(reader) -> None:
    """Refuse what does not read, before anything is fitted."""
    last = reader
    while True:
        if isinstance(last, Pipeline):
            last = last[-1]
        elif hasattr(last, "param_grid") or hasattr(last, "param_distributions"):
            last = last.estimator
        else:
            break
    if not hasattr(last, "predict_n_best"):
        raise TypeError(
            f"{OWNER} needs an estimator that reads sequences, such as "
            "CTCSequenceClassifier or Seq2SeqTranslator, or a pipeline or search of "
            f"one. Got {type(last).__name__} instead."
        )


def _folds(reader, X, y, cv) -> list[tuple]:
    """Indices to train on and to read, of each fold."""
    splitter = check_cv(cv, y, classifier=is_classifier(reader))
    places = np.arange(len(X))
    folds = [(places[train], places[test]) for train, test in splitter.split(X, y)]
    tests = np.concatenate([test for _, test in folds])
    counts = np.bincount(tests, minlength=len(X))
    if (counts != 1).any():
        i = int(np.argmax(counts != 1))
        raise ValueError(
            f"{OWNER} needs each sample in one test set of cv. Sample {i} is in "
            f"{counted(int(counts[i]), 'test set')}; pass an int, or a splitter that "
            "divides the samples, such as KFold or GroupKFold."
        )
    return folds


def _heard(reader, X, y, rows) -> list[SuspiciousLabel]:
    """What a fitted reader makes of samples that it was trained without."""
    last = last_step(
        reader, attribute="predict_n_best", example="CTCSequenceClassifier", owner=OWNER
    )
    X, y = as_seen(reader, take_rows(X, rows)), take_rows(y, rows)
    heard = last.predict(X)
    scores = _log_likelihoods(last, X, y) - last.score_samples(X)
    return [
        SuspiciousLabel(int(row), label, other, float(score))
        for row, label, other, score in zip(rows, y, heard, scores, strict=True)
    ]


def _log_likelihoods(reader, X, y) -> np.ndarray:
    """Log-probability of each transcript; minus infinity where a label is new."""
    scores = np.full(len(y), -np.inf)
    known = np.flatnonzero(
        [_is_known(reader, labels) for labels in _sequences(reader, y)]
    )
    if known.size:
        scores[known] = reader.score_samples(take_rows(X, known), take_rows(y, known))
    return scores


def _sequences(reader, y) -> list:
    return [[label] for label in y] if is_classifier(reader) else check_pairs(y, y)[0]


def _is_known(reader, labels) -> bool:
    """Whether the reader has learnt of these labels; a translator takes all tokens."""
    classes = getattr(reader, "classes_", None)
    return classes is None or bool(np.isin(list(labels), classes).all())
