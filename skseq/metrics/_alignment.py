"""Counts the edits between true and predicted label sequences.

One alignment is the core; every measure reads its fields, and every scorer wraps a
measure. Knows nothing of estimators, networks, decoding or how a text is cut.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set, Sized
from dataclasses import dataclass, field
from itertools import count, zip_longest
from reprlib import repr as short_repr
from typing import Any, NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein
from sklearn.metrics import make_scorer
from sklearn.utils import check_consistent_length

from skseq._data.collections import tensor_values, unwrapped
from skseq._data.labels import plain_labels
from skseq._data.weights import check_sample_weight


class EditOperation(NamedTuple):
    """One block of an alignment: `reference[start:stop]` against the prediction.

    Attributes
    ----------
    tag : {"equal", "replace", "delete", "insert"}
        The edit that turns the block of the reference into that of the prediction.
    reference_start, reference_stop : int
        The block of the reference; empty for an insertion.
    prediction_start, prediction_stop : int
        The block of the prediction; empty for a deletion.
    """

    tag: str
    reference_start: int
    reference_stop: int
    prediction_start: int
    prediction_stop: int

    @property
    def n_labels(self) -> int:
        """Number of labels in the block, counted on its longer side."""
        return max(
            self.reference_stop - self.reference_start,
            self.prediction_stop - self.prediction_start,
        )


@dataclass(frozen=True, eq=False)
class Alignment:
    """The fewest edits that turn each reference into its prediction.

    Returned by :func:`align_sequences`.

    Attributes
    ----------
    n_sequences, n_exact : int
        Number of aligned pairs, and how many of the predictions have no error.
    n_reference : int
        Number of labels in all references.
    hits, substitutions, deletions, insertions : int
        Number of labels that are correct, replaced by another, missing from the
        predictions, and only in the predictions.
    sample_counts : ndarray of shape (n_sequences, 4), dtype=int
        Hits, substitutions, deletions and insertions of each sequence.
    sample_errors : ndarray of shape (n_sequences,), dtype=int
        Edit distance of each sequence.
    sample_lengths : ndarray of shape (n_sequences,), dtype=int
        Number of labels in each reference.
    references, predictions : list of str, list or tuple, length n_sequences
        The label sequences that were aligned, as built-in sequences.
    operations : list of list of EditOperation, length n_sequences
        The blocks of each alignment, from left to right, without gaps.
    """

    n_sequences: int
    n_exact: int
    n_reference: int
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    sample_counts: np.ndarray = field(repr=False)
    sample_errors: np.ndarray = field(repr=False)
    sample_lengths: np.ndarray = field(repr=False)
    references: list[Any] = field(repr=False)
    predictions: list[Any] = field(repr=False)
    operations: list[list[EditOperation]] = field(repr=False)

    def confusions(self) -> Counter:
        """Count the pairs of labels that the alignment puts opposite each other.

        Returns
        -------
        confusions : collections.Counter
            Keys are `(reference label, predicted label)`, hits included; `None` stands
            for the missing partner of an inserted or a deleted label.

        Examples
        --------
        >>> from skseq.metrics import align_sequences
        >>> confusions = align_sequences(["kitten"], ["sittin"]).confusions()
        >>> confusions["k", "s"], confusions["e", "i"], confusions["t", "t"]
        (1, 1, 2)
        """
        pairs: Counter = Counter()
        for reference, prediction, blocks in zip(
            self.references, self.predictions, self.operations, strict=True
        ):
            for _, i, i_stop, j, j_stop in blocks:
                pairs.update(zip_longest(reference[i:i_stop], prediction[j:j_stop]))
        return pairs


def align_sequences(y_true, y_pred):
    """Align each predicted label sequence with its reference.

    The number of errors is the Levenshtein distance and is unique. Where several
    alignments have that many, one is chosen; how its errors divide into
    substitutions, deletions and insertions then depends on the choice.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references. Each is a str (a sequence of characters), a list, tuple,
        1-D array or Series of hashable labels, or a single label. The collection may be
        a list, a tuple, an array (two-dimensional: one sequence per row) or a Series.
    y_pred : collection of length n_samples
        The predictions, in the same form. Only the labels are compared, not the
        containers: `"ab"`, `["a", "b"]` and `np.array(["a", "b"])` are equal.

    Returns
    -------
    alignment : Alignment
        Totals, counts for each sequence, and the edits themselves.

    Raises
    ------
    TypeError
        If `y_true` or `y_pred` is not a collection, or an item is not a label sequence.
    ValueError
        If there are no sequences, or the numbers of references and predictions differ.

    Examples
    --------
    >>> from skseq.metrics import align_sequences
    >>> align_sequences(["kitten", "cat"], ["sittin", "cats"])
    Alignment(n_sequences=2, n_exact=0, n_reference=9, hits=7, substitutions=2, \
deletions=0, insertions=1)
    """
    references, predictions = check_pairs(y_true, y_pred)
    operations = list(_edit_operations(references, predictions))
    sample_counts = np.array([_count_labels(blocks) for blocks in operations])
    hits, substitutions, deletions, insertions = sample_counts.sum(axis=0).tolist()
    sample_errors = sample_counts[:, 1:].sum(axis=1)
    return Alignment(
        n_sequences=len(references),
        n_exact=int(np.count_nonzero(sample_errors == 0)),
        n_reference=hits + substitutions + deletions,
        hits=hits,
        substitutions=substitutions,
        deletions=deletions,
        insertions=insertions,
        sample_counts=sample_counts,
        sample_errors=sample_errors,
        sample_lengths=np.array([len(reference) for reference in references]),
        references=references,
        predictions=predictions,
        operations=operations,
    )


def label_error_rate(y_true, y_pred, *, sample_weight=None):
    """Label error rate: edits per label of the references.

    The number of labels substituted, deleted and inserted in all sequences, divided by
    the number of labels in all references [1]_. It is the character error rate on
    strings, and the word error rate on lists of words. 0 is best; the rate exceeds 1
    where predictions are too long.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references: strings, lists, tuples or arrays of labels, or single labels.
    y_pred : collection of length n_samples
        The predictions, in the same form.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample, in numerator and denominator. None counts each once.

    Returns
    -------
    error_rate : float
        The label error rate. If no reference holds a label, the number of inserted
        labels: 0.0 if the predictions are empty too.

    Raises
    ------
    TypeError, ValueError
        If the sequences cannot be aligned; see :func:`align_sequences`.
    ValueError
        If `sample_weight` has another length, a negative entry or no positive one.

    References
    ----------
    .. [1] A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, "Connectionist
       temporal classification: labelling unsegmented sequence data with recurrent
       neural networks", ICML 2006.

    Examples
    --------
    >>> from skseq.metrics import label_error_rate
    >>> label_error_rate(["0123456", "789"], ["0123456", "7"])
    0.2
    """
    errors, lengths = _count_errors(y_true, y_pred)
    weights = check_sample_weight(sample_weight, len(errors))
    return float(weights @ errors / (weights @ lengths or 1.0))


def sequence_accuracy(y_true, y_pred, *, sample_weight=None):
    """Sequence accuracy: the share of sequences predicted without any error.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references: strings, lists, tuples or arrays of labels, or single labels.
    y_pred : collection of length n_samples
        The predictions, in the same form.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample. None counts each once.

    Returns
    -------
    accuracy : float
        Between 0 and 1; 1 is best.

    Raises
    ------
    TypeError, ValueError
        If the sequences cannot be aligned; see :func:`align_sequences`.
    ValueError
        If `sample_weight` has another length, a negative entry or no positive one.

    Examples
    --------
    >>> from skseq.metrics import sequence_accuracy
    >>> sequence_accuracy(["0123456", "789"], [[*"0123456"], [*"7"]])
    0.5
    """
    errors, _ = _count_errors(y_true, y_pred)
    weights = check_sample_weight(sample_weight, len(errors))
    return float(np.average(errors == 0, weights=weights))


def sequence_error_rate(y_true, y_pred, *, sample_weight=None):
    """Sequence error rate: the share of sequences predicted with any error.

    Grapheme-to-phoneme conversion and spelling correction call it the word error rate
    [1]_, since each of their sequences is a word. The edits over the words of sentences
    are counted by :func:`word_error_rate`.

    Parameters
    ----------
    y_true : collection of length n_samples
        The references: strings, lists, tuples or arrays of labels, or single labels.
    y_pred : collection of length n_samples
        The predictions, in the same form. A string equals only the same string, white
        space included.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample. None counts each once.

    Returns
    -------
    error_rate : float
        Between 0 and 1; 0 is best. It is 1 minus :func:`sequence_accuracy`.

    Raises
    ------
    TypeError, ValueError
        If the sequences cannot be aligned; see :func:`align_sequences`.
    ValueError
        If `sample_weight` has another length, a negative entry or no positive one.

    References
    ----------
    .. [1] K. Gorman et al., "The SIGMORPHON 2020 Shared Task on Multilingual
       Grapheme-to-Phoneme Conversion", SIGMORPHON 2020.

    Examples
    --------
    >>> from skseq.metrics import sequence_error_rate
    >>> sequence_error_rate(["k a t", "d o g", "a"], ["k a t", "d o k", "a a"])
    0.6666666666666666
    """
    errors, _ = _count_errors(y_true, y_pred)
    weights = check_sample_weight(sample_weight, len(errors))
    return float(np.average(errors > 0, weights=weights))


# For `scoring=`. As with every scorer object, `set_score_request` changes it in place:
# request weights on a copy.deepcopy, or on a make_scorer of your own.
label_error_rate_scorer = make_scorer(label_error_rate, greater_is_better=False)
sequence_accuracy_scorer = make_scorer(sequence_accuracy)
sequence_error_rate_scorer = make_scorer(sequence_error_rate, greater_is_better=False)


def _count_errors(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """The edit distance of each sequence, and the number of labels of its reference.

    What :func:`align_sequences` finds, without the blocks, which take most of its time.
    """
    references, predictions = check_pairs(y_true, y_pred)
    pairs = zip(references, predictions, strict=True)
    codes: defaultdict[Any, int] = defaultdict(count().__next__)
    errors = [
        0 if one == other else _distance(one, other, codes) for one, other in pairs
    ]
    return np.array(errors), np.array(list(map(len, references)))


def _distance(reference: Any, prediction: Any, codes: defaultdict) -> int:
    if not isinstance(reference, str) or not isinstance(prediction, str):
        reference = [codes[label] for label in reference]
        prediction = [codes[label] for label in prediction]
    return Levenshtein.distance(reference, prediction)


def _edit_operations(
    references: list[Any], predictions: list[Any]
) -> Iterator[list[EditOperation]]:
    # Labels become dense codes, since rapidfuzz compares hashes, and takes 97 for "a".
    codes: defaultdict[Any, int] = defaultdict(count().__next__)
    for pair in zip(references, predictions, strict=True):
        encoded = ([codes[label] for label in sequence] for sequence in pair)
        blocks = Levenshtein.opcodes(*encoded).as_list()
        yield [EditOperation(*block) for block in blocks]


def _count_labels(blocks: list[EditOperation]) -> list[int]:
    """Count hits, substitutions, deletions and insertions."""
    counts: Counter = Counter()
    for block in blocks:
        counts[block.tag] += block.n_labels
    return [counts[tag] for tag in ("equal", "replace", "delete", "insert")]


def check_pairs(y_true: Any, y_pred: Any) -> tuple[list[Any], list[Any]]:
    """Turn both collections into lists of str, list or tuple, of one length."""
    references = _check_sequences("y_true", y_true)
    predictions = _check_sequences("y_pred", y_pred)
    check_consistent_length(references, predictions)
    if not references:
        raise ValueError("y_true and y_pred must hold at least one sequence. Got 0.")
    return references, predictions


def _check_sequences(name: str, y: Any) -> list[Any]:
    """Turn a collection of anything sequence-like into a list of str, list or tuple."""
    y = unwrapped(y, name)
    unusable = isinstance(y, (str, bytes, Mapping, Set)) or not isinstance(y, Sized)
    if unusable or getattr(y, "ndim", 1) == 0:
        cure = f" Did you mean [{name}]?" if isinstance(y, (str, bytes)) else ""
        raise TypeError(
            f"{name} must be a collection with one label sequence per sample. "
            f"Got {short_repr(y)} instead.{cure}"
        )
    return [
        item if _is_plain(item) else check_sequence(f"{name}[{i}]", item)
        for i, item in enumerate(y)
    ]


def _is_plain(sequence: Any) -> bool:
    """Whether nothing need be checked or changed, which is told soon of most."""
    kind = type(sequence)
    is_list = kind is list or kind is tuple
    return kind is str or (is_list and set(map(type, sequence)) <= {str, int})


def check_sequence(name: str, sequence: Any) -> str | list | tuple:
    """Turn anything sequence-like, or one label, into a str, list or tuple."""
    sequence = tensor_values(sequence)
    if isinstance(sequence, str):
        return sequence
    # Arrays, NumPy scalars and Series all become built-in lists and scalars.
    sequence = sequence.tolist() if hasattr(sequence, "tolist") else sequence
    unordered = isinstance(sequence, (bytes, Mapping, Set))
    if not isinstance(sequence, (list, tuple)) and not unordered:
        sequence = list(sequence) if isinstance(sequence, Iterable) else [sequence]
    if unordered or not _are_labels(sequence):
        raise TypeError(
            f"{name} must be a label or a sequence of labels, hashable and neither "
            f"None nor NaN. Got {short_repr(sequence)} instead."
        )
    return plain_labels(sequence)


def _are_labels(sequence: list | tuple) -> bool:
    try:
        # NaN differs from itself; pandas.NA refuses to say, with a TypeError.
        return not any(label is None or label != label for label in set(sequence))
    except TypeError:
        return False
