"""Small frozen records that estimators return, and lists of them that print well."""

import html
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Of a table that is printed: rows in all, and characters of a cell.
MOST_ROWS = 20
WIDEST = 40


class Records(list):
    """A list of records of one kind that prints as a table.

    It is a list in all else: it equals one, and its repr is that of one.

    Examples
    --------
    >>> spans = Records([LabelSpan("a", 0, 11, 0.91), LabelSpan("b", 15, 15, 0.5)])
    >>> print(spans)
       label  start  end  confidence
    0  'a'        0   11        0.91
    1  'b'       15   15         0.5
    >>> spans[:1]
    [LabelSpan(label='a', start=0, end=11, confidence=0.91)]
    """

    def __str__(self):
        return _as_text(_table(self)) if self else "[]"

    def __format__(self, specification):
        return format(str(self), specification)

    def __getitem__(self, place):
        found = super().__getitem__(place)
        return Records(found) if isinstance(place, slice) else found

    def copy(self):
        """A shallow copy, which prints as this."""
        return Records(self)

    def _repr_html_(self):
        """The table, for notebooks."""
        return _as_html(_table(self)) if self else None

    def _repr_pretty_(self, printer, cycle):
        """The table as text, for IPython."""
        printer.text(str(self))


def _table(records: Sequence[Any]) -> list[list[str]]:
    """A header and rows of text, the place of each record first."""
    names = _columns(records)
    rows = [["", *names]]
    for place, record in enumerate(records[:MOST_ROWS]):
        cells = (_cell(getattr(record, name)) for name in names)
        rows.append([str(place), *cells])
    if len(records) > MOST_ROWS:
        rows.append([f"and {len(records) - MOST_ROWS} more"])
    return rows


def _columns(records: Sequence[Any]) -> list[str]:
    """The fields, but for a part of the score that is zero in all records."""
    names = list(records[0]._fields)
    part = "language_log_weight"
    if part in names and not any(getattr(record, part) for record in records):
        names.remove(part)
    elif part in names:
        names.append("score")
    return names


def _cell(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    text = f"{value:.4g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _as_text(rows: list[list[str]]) -> str:
    """Rows below one another: labels on the left, numbers on the right."""
    header = rows[0]
    full = [row for row in rows if len(row) == len(header)]
    widths = [max(map(_width, column)) for column in zip(*full, strict=True)]
    lines = []
    for row in rows:
        cells = [
            _padded(cell, width, is_left=i < 2)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _as_html(rows: list[list[str]]) -> str:
    header, *body = [[html.escape(cell) for cell in row] for row in rows]
    lines = ["".join(f"<th>{cell}</th>" for cell in header)]
    for place, *cells in body:
        span = "" if cells else f' colspan="{len(header)}"'
        rest = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f"<th{span}>{place}</th>{rest}")
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _padded(text: str, width: int, *, is_left: bool) -> str:
    fill = " " * (width - _width(text))
    return text + fill if is_left else fill + text


def _width(text: str) -> int:
    """Columns of a terminal that a text takes; letters of East Asia take two."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    joined = sum(bool(unicodedata.combining(c)) for c in text)
    return len(text) + wide - joined


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
