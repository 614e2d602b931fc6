"""Reads typed spans from tags (BIO, IOBES), and measures how well spans agree.

Tags that do not follow their scheme make no span. Knows nothing of estimators.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer

from skseq._data.weights import check_sample_weight
from skseq._parameters import NONE, UNIT_INTERVAL, OneOf, check_value
from skseq._warnings import warn
from skseq.metrics._alignment import check_sequence
from skseq.metrics._frames import check_frames

OUTSIDE = "O"

# The prefixes of each scheme beside "O".
SCHEMES = {"BIO": ("B", "I"), "IOBES": ("B", "I", "E", "S")}

# What the parameters may be.
ALLOWED = {
    "scheme": OneOf(SCHEMES),
    "average": (OneOf(("micro", "macro", "weighted")), NONE),
    "zero_division": (OneOf(("warn",)), UNIT_INTERVAL),
}


class TagSpan(NamedTuple):
    """A span of tagged tokens or frames, as :func:`spans` returns it.

    Attributes
    ----------
    type : str
        What the tags name behind their prefix: "PER" in "B-PER". Empty if the tags are
        mere prefixes.
    start, end : int
        Its first and last token, inclusive, as in :class:`skseq.LabelSpan`: the tokens
        are `tokens[start : end + 1]`.
    """

    type: str
    start: int
    end: int


def spans(tags, scheme="BIO"):
    """Read the spans that one sequence of tags describes.

    A tag is "O" for a token outside all spans, or a prefix and the type of a span. In
    BIO, "B-PER" begins a span, and "I-PER" continues one of the same type. In IOBES, a
    span of several tokens also has a last tag, "E-PER", and a span of one token is
    "S-PER".

    Parameters
    ----------
    tags : sequence of str of length n_tokens
        The tags. Where all spans are of one type, prefixes alone will do: "B", or
        "BIIOB" for a whole sequence.
    scheme : {"BIO", "IOBES"}, default="BIO"
        How tags describe spans. BIO is also called IOB2, and IOBES is also called
        BIOES.

    Returns
    -------
    spans : list of TagSpan
        From left to right; they never overlap. Tags that do not follow the scheme make
        no span, as in the strict mode of seqeval [1]_: an "I-PER" that continues
        nothing, or a "B-PER" of IOBES that nothing ends.

    Raises
    ------
    TypeError
        If `tags` is not a sequence of str.
    ValueError
        If a tag is not one of the scheme, or the scheme is unknown.

    See Also
    --------
    span_f1_score : Compares the spans of true and of predicted tags.

    References
    ----------
    .. [1] H. Nakayama, "seqeval: A Python framework for sequence labeling evaluation",
       2018, https://github.com/chakki-works/seqeval.

    Examples
    --------
    >>> from skseq.metrics import spans
    >>> spans(["B-PER", "I-PER", "O", "B-LOC"])
    [TagSpan(type='PER', start=0, end=1), TagSpan(type='LOC', start=3, end=3)]
    >>> spans(["B-PER", "E-PER", "O", "S-LOC", "I-LOC"], scheme="IOBES")
    [TagSpan(type='PER', start=0, end=1), TagSpan(type='LOC', start=3, end=3)]
    """
    check_value("spans", "scheme", scheme, ALLOWED["scheme"])
    return _spans_of(check_sequence("tags", tags), scheme, "tags")


def span_f1_score(
    y_true,
    y_pred,
    *,
    scheme="BIO",
    average="micro",
    sample_weight=None,
    zero_division="warn",
):
    """F1 score of spans: what named entity recognition is measured by.

    A predicted span is right if a true one has the same type, first and last token. The
    score is the harmonic mean of the share of predicted spans that are right
    (precision) and the share of true spans that are found (recall). Tags that do not
    follow the scheme make no span, so that the score equals that of seqeval's strict
    mode [1]_; the older conlleval [2]_ mends such tags and finds more.

    Parameters
    ----------
    y_true : collection of length n_samples
        The true tags: a sequence of str per sample, as in :func:`spans`.
    y_pred : collection of length n_samples
        The predicted tags, in the same form, as many per sequence.
    scheme : {"BIO", "IOBES"}, default="BIO"
        How tags describe spans; see :func:`spans`.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        "micro" counts the spans of all types together, "macro" is the mean of the
        scores of the types, and "weighted" their mean weighted by the number of true
        spans. None returns the score of each type.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sequence, which is that of each of its spans. None counts each
        once.
    zero_division : {"warn"} or float, default="warn"
        The score, from 0 to 1, where neither true nor predicted tags have a span.
        "warn" stands for 0, with a warning.

    Returns
    -------
    f1 : float or dict of str to float
        Between 0 and 1; 1 is best. With ``average=None``, the score of each type that
        has a true or a predicted span, sorted by type.

    Raises
    ------
    TypeError
        If `y_true` or `y_pred` is not a collection of sequences of str.
    ValueError
        If a sequence has another number of predicted tags than of true ones, a tag is
        not one of the scheme, or another argument is not one of those above.

    Warns
    -----
    UndefinedMetricWarning
        If there are no spans, and `zero_division` is "warn".

    See Also
    --------
    frame_accuracy : The share of right tags, "O" included.

    References
    ----------
    .. [1] H. Nakayama, "seqeval: A Python framework for sequence labeling evaluation",
       2018, https://github.com/chakki-works/seqeval.
    .. [2] E. F. Tjong Kim Sang and S. Buchholz, "Introduction to the CoNLL-2000 Shared
       Task: Chunking", CoNLL 2000.

    Examples
    --------
    >>> from skseq.metrics import span_f1_score
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    >>> y_pred = [["B-PER", "O", "O", "B-LOC"], ["B-LOC", "O"]]
    >>> round(span_f1_score(y_true, y_pred), 3)
    0.667
    >>> span_f1_score(y_true, y_pred, average=None)
    {'LOC': 1.0, 'PER': 0.0}
    """
    given = {"scheme": scheme, "average": average, "zero_division": zero_division}
    for name, value in given.items():
        check_value("span_f1_score", name, value, ALLOWED[name])
    pairs = _tagged_pairs(y_true, y_pred, scheme)
    weights = check_sample_weight(sample_weight, len(pairs)).tolist()
    right = _weigh([true & pred for true, pred in pairs], weights)
    true = _weigh([true for true, _ in pairs], weights)
    pred = _weigh([pred for _, pred in pairs], weights)
    if not true and not pred and average is not None:
        return _undefined(zero_division)
    return _averaged(right, true, pred, average)


# For `scoring=` with BIO tags; of IOBES, make_scorer(span_f1_score, scheme="IOBES").
span_f1_score_scorer = make_scorer(span_f1_score)


def _tagged_pairs(y_true: Any, y_pred: Any, scheme: str) -> list[tuple[set, set]]:
    """The true and the predicted spans of each sequence."""
    references, predictions = check_frames(y_true, y_pred)
    return [
        (
            set(_spans_of(true, scheme, f"y_true[{i}]")),
            set(_spans_of(pred, scheme, f"y_pred[{i}]")),
        )
        for i, (true, pred) in enumerate(zip(references, predictions, strict=True))
    ]


def _weigh(found: list[set], weights: list[float]) -> Counter:
    """The weight of the spans of each type."""
    total: Counter = Counter()
    for spans_of_one, weight in zip(found, weights, strict=True):
        for span in spans_of_one:
            total[span.type] += weight
    return +total  # without those of weight zero


def _averaged(right: Counter, true: Counter, pred: Counter, average: str | None) -> Any:
    """F1 from the weights of right, of true and of predicted spans by type."""
    if average == "micro":
        return 2 * right.total() / (true.total() + pred.total())
    by_type = {
        name: 2 * right[name] / (true[name] + pred[name])
        for name in sorted(true.keys() | pred.keys())
    }
    if average is None:
        return by_type
    if average == "macro":
        return float(np.mean(list(by_type.values())))
    return sum(true[name] * f1 for name, f1 in by_type.items()) / (true.total() or 1)


def _undefined(zero_division: Any) -> float:
    """The score where there are no spans."""
    if zero_division != "warn":
        return float(zero_division)
    warn(
        "The F1 score is undefined and set to 0.0, as neither y_true nor y_pred has a "
        "span. Set zero_division to choose the score of such tags.",
        UndefinedMetricWarning,
    )
    return 0.0


def _spans_of(tags: Any, scheme: str, name: str) -> list[TagSpan]:
    """Read spans off checked tags."""
    parts = list(_split_tags(tags, scheme, name))
    read = _read_bio if scheme == "BIO" else _read_iobes
    return list(read(parts))


def _split_tags(tags: Any, scheme: str, name: str) -> Iterator[tuple[str, str]]:
    """The prefix and the type of each tag."""
    prefixes = SCHEMES[scheme]
    for i, tag in enumerate(tags):
        if not isinstance(tag, str):
            raise TypeError(
                f"{name} must hold tags of type str. {name}[{i}] is {tag!r}. Spans "
                "cannot be counted where tags are unknown: leave such sequences out."
            )
        prefix, dash, kind = tag.partition("-")
        is_known = prefix in prefixes and bool(kind) == bool(dash)
        if tag != OUTSIDE and not is_known:
            _refuse_tag(tags, i, scheme, name)
        yield prefix, kind


def _refuse_tag(tags: Any, i: int, scheme: str, name: str) -> None:
    """Say which tags there are, and what is likely meant by another."""
    known = ", ".join(f'"{prefix}-…"' for prefix in SCHEMES[scheme])
    what = f"{name}[{i}] is {tags[i]!r}"
    cure = ""
    if isinstance(tags, str):
        what = f"{name} is the str {tags!r}, each of whose characters is a tag"
        cure = " Pass a list of tags."
    elif scheme == "BIO" and tags[i][:2] in ("E-", "S-", "E", "S"):
        cure = ' Did you mean scheme="IOBES"?'
    elif tags[i][:2] in ("L-", "U-", "L", "U"):
        cure = ' BILOU writes "L-…" for "E-…" and "U-…" for "S-…".'
    elif not tags[i][:1].isalpha():
        cure = (
            " Spans cannot be counted where tags are unknown: leave such sequences out."
        )
    raise ValueError(
        f'With scheme="{scheme}", a tag must be "{OUTSIDE}" or one of {known}. '
        f"{what}.{cure}"
    )


def _read_bio(parts: list[tuple[str, str]]) -> Iterator[TagSpan]:
    start = kind = None
    for i, (prefix, own) in enumerate([*parts, (OUTSIDE, "")]):
        if start is not None and (prefix != "I" or own != kind):
            yield TagSpan(kind, start, i - 1)
            start = None
        if prefix == "B":
            start, kind = i, own


def _read_iobes(parts: list[tuple[str, str]]) -> Iterator[TagSpan]:
    start = kind = None  # of a span that is still to be ended
    for i, (prefix, own) in enumerate(parts):
        if prefix == "S":
            yield TagSpan(own, i, i)
        if prefix == "E" and start is not None and own == kind:
            yield TagSpan(own, start, i)
        if prefix == "B":
            start, kind = i, own
        elif prefix != "I" or own != kind:
            start = None
