"""The words of aligned labels: what stands between separators."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from skseq._results import LabelSpan

SEPARATOR = " "

# What the labels of a word become, by the form of y.
_JOINED: dict[str, Callable] = {"str": "".join, "tuple": tuple}


def word_spans(spans: Sequence[LabelSpan], form: str) -> list[LabelSpan]:
    """Join the labels between separators.

    Parameters
    ----------
    spans : sequence of LabelSpan
        The labels of one sequence, in order.
    form : str
        The form of y: words of "str" are str, of "tuple" tuples, of others lists.

    Returns
    -------
    words : list of LabelSpan
        From the first frame of the first label to the last of the last. The confidence
        is that of the labels, each as often as it has frames.

    Examples
    --------
    >>> spans = [LabelSpan("a", 0, 1, 0.9), LabelSpan(" ", 2, 2, 1.0)]
    >>> spans += [LabelSpan("b", 3, 3, 0.5), LabelSpan("c", 5, 5, 0.7)]
    >>> [(word.label, word.start, word.end) for word in word_spans(spans, "str")]
    [('a', 0, 1), ('bc', 3, 5)]
    """
    groups = groupby(spans, key=lambda span: _is_separator(span.label))
    return [_joined(list(word), form) for is_gap, word in groups if not is_gap]


def _is_separator(label: Any) -> bool:
    return isinstance(label, str) and label == SEPARATOR


def _joined(spans: list[LabelSpan], form: str) -> LabelSpan:
    sizes = [span.end - span.start + 1 for span in spans]
    sure = sum(n * span.confidence for n, span in zip(sizes, spans, strict=True))
    word = _JOINED.get(form, list)(span.label for span in spans)
    return LabelSpan(word, spans[0].start, spans[-1].end, sure / sum(sizes))
