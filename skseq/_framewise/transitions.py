"""Which label may follow which, as tables over the classes.

Reads the schemes of spans and a user's own function. Knows nothing of networks or of
the weights that a chain learns.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skseq._data.frame_labels import UNLABELLED
from skseq._parameters import CALLABLE, NONE, OneOf, check_value
from skseq._wording import counted

# Sequences of any length are shown to exist up to this one, unless the labels that can
# stand last repeat earlier, as they do where the table has no long cycles.
_LONGEST_SHOWN = 10_000

_INSIDE = ("B", "I")  # a span that may have more labels


class _Tag(NamedTuple):
    """A label of a scheme: its letter, and the type of the span that it is part of."""

    letter: str
    type: str


def _bio(before: _Tag | None, after: _Tag | None) -> bool:
    """I continues a span of its type; all else may stand anywhere."""
    if after is None or after.letter != "I":
        return True
    return before is not None and before.letter in _INSIDE and before.type == after.type


def _iobes(before: _Tag | None, after: _Tag | None) -> bool:
    """I and E continue an open span of their type, which nothing else may follow."""
    open_type = before.type if before and before.letter in _INSIDE else None
    continued = after.type if after and after.letter in ("I", "E") else None
    return open_type == continued


class _Scheme(NamedTuple):
    """What labels begin with, whether one may follow another, and what is meant."""

    letters: str
    allows: Callable
    meaning: str


SCHEMES = {
    "BIO": _Scheme("BI", _bio, "'O', 'B-...' or 'I-...'"),
    "IOBES": _Scheme("IBES", _iobes, "'O', 'B-...', 'I-...', 'E-...' or 'S-...'"),
}

ALLOWED_TRANSITIONS = (OneOf(SCHEMES), CALLABLE, NONE)


# What callables answered within one use of an estimator: by their ids and the labels,
# with the callables themselves, so that no other one can get the same id.
_ANSWERS: ContextVar[dict | None] = ContextVar("answers", default=None)


@contextmanager
def asked_once() -> Iterator[None]:
    """Within it, each callable is asked once, however often tables are compiled."""
    if _ANSWERS.get() is not None:
        yield
        return
    token = _ANSWERS.set({})
    try:
        yield
    finally:
        _ANSWERS.reset(token)


@dataclass(frozen=True, eq=False)
class Transitions:
    """Which labels may begin a sequence, follow each other and end it.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels. Their places are the places in the tables.
    starts : ndarray of bool of shape (n_classes,)
        May a sequence begin with the label?
    pairs : ndarray of bool of shape (n_classes, n_classes)
        May the label of a row be followed by that of a column?
    ends : ndarray of bool of shape (n_classes,)
        May a sequence end with the label?
    scheme : str or None
        The name of the scheme, if the tables are those of one.
    """

    classes: np.ndarray
    starts: np.ndarray
    pairs: np.ndarray
    ends: np.ndarray
    scheme: str | None = None

    @property
    def forbid_nothing(self) -> bool:
        """Whether any label may stand anywhere."""
        return bool(self.starts.all() and self.pairs.all() and self.ends.all())


def compile_transitions(
    allowed_transitions: str | Callable | None, classes: Sequence
) -> Transitions:
    """Turn the parameter `allowed_transitions` into tables.

    Parameters
    ----------
    allowed_transitions : {"BIO", "IOBES"}, callable or None
        A scheme; or ``allowed(before, after) -> bool`` of two labels, where None stands
        for what is before a sequence and after it; None allows everything.
    classes : sequence of shape (n_classes,)
        The distinct labels.

    Returns
    -------
    transitions : Transitions

    Raises
    ------
    ValueError
        If a label is not one of the scheme; if the callable fails or returns something
        else than a bool; or if, by the tables, a label can stand in no sequence, or
        there are no sequences of some length.

    Examples
    --------
    >>> compile_transitions("BIO", ["B-x", "I-x", "O"]).pairs
    array([[ True,  True,  True],
           [ True,  True,  True],
           [ True, False,  True]])
    """
    check_value(
        "SequenceTagger",
        "allowed_transitions",
        allowed_transitions,
        ALLOWED_TRANSITIONS,
    )
    answers = _ANSWERS.get()
    if answers is None or not callable(allowed_transitions):
        return _compiled(allowed_transitions, classes)
    labels = np.asarray(classes)
    key = id(allowed_transitions), labels.dtype, tuple(labels.tolist())
    if key not in answers:
        compiled = _compiled(allowed_transitions, classes)
        answers[key] = allowed_transitions, compiled
    return answers[key][1]


def _compiled(
    allowed_transitions: str | Callable | None, classes: Sequence
) -> Transitions:
    labels = np.asarray(classes).tolist()
    scheme = None
    if allowed_transitions is None:
        allows = _anything
    elif callable(allowed_transitions):
        allows = _Asked(allowed_transitions)
    else:
        scheme = str.__str__(allowed_transitions)
        allows = SCHEMES[scheme].allows
        labels = [_tag(label, scheme) for label in labels]
    tables = _tables(allows, labels)
    transitions = Transitions(np.asarray(classes), *tables, scheme=scheme)
    _check_every_class_is_used(transitions)
    _check_every_length_exists(transitions)
    return transitions


def _anything(before: Any, after: Any) -> bool:
    return True


@dataclass(frozen=True)
class _Asked:
    """A user's function, whose answers are checked."""

    allowed: Callable

    def __call__(self, before, after) -> bool:
        call = f"allowed_transitions({before!r}, {after!r})"
        try:
            answer = self.allowed(before, after)
        except Exception as error:
            raise ValueError(
                f"{call} failed with {type(error).__name__}: {error}. It is called "
                "with two labels, or with None for what is before the first label or "
                "after the last, and must return a bool."
            ) from error
        if not isinstance(answer, bool | np.bool_):
            raise ValueError(
                f"{call} must return True or False. Got {answer!r:.200} instead."
            )
        return bool(answer)


def _tag(label: Any, scheme: str) -> _Tag:
    """Take a label of a scheme apart."""
    letter, hyphen, span_type = str(label).partition("-")
    is_tag = letter == "O" and not hyphen
    is_tag |= len(letter) == 1 and letter in SCHEMES[scheme].letters
    if isinstance(label, str) and is_tag and bool(hyphen) == bool(span_type):
        return _Tag(letter, span_type)
    is_other = scheme == "BIO" and letter in ("E", "S") and bool(hyphen and span_type)
    meant = "Did you mean allowed_transitions='IOBES'? " if is_other else ""
    raise ValueError(
        f"With allowed_transitions={scheme!r}, labels must be "
        f"{SCHEMES[scheme].meaning}, where ... is the type of a span. y has the label "
        f"{label!r}. {meant}Rename it, or pass a callable allowed_transitions(before, "
        "after)."
    )


def _tables(allows: Callable, labels: list) -> tuple[np.ndarray, ...]:
    starts = [allows(None, label) for label in labels]
    pairs = [[allows(before, after) for after in labels] for before in labels]
    ends = [allows(label, None) for label in labels]
    return tuple(np.array(table, dtype=bool) for table in (starts, pairs, ends))


def _check_every_class_is_used(transitions: Transitions) -> None:
    """Refuse tables by which a label can be in no sequence at all."""
    starts, pairs, ends = transitions.starts, transitions.pairs, transitions.ends
    for seeds, table, fault in (
        (starts, pairs, "no sequence that may begin leads to it"),
        (ends, pairs.T, "no sequence with it may end"),
    ):
        found = _closure(seeds, table)
        if not found.all():
            label = transitions.classes[~found].tolist()[0]
            raise ValueError(
                f"{_owner(transitions)} lets the label {label!r} stand nowhere: "
                f"{fault}. {_cure(transitions)}"
            )


def _owner(transitions: Transitions) -> str:
    """What forbids."""
    scheme = transitions.scheme
    return f"The scheme {scheme}" if scheme else "allowed_transitions"


def _cure(transitions: Transitions) -> str:
    if transitions.scheme is None:
        return (
            "Let it return True for more pairs of labels, of None and the label that "
            "begins, or of the label that ends and None."
        )
    labels = ", ".join(map(repr, transitions.classes.tolist()[:20]))
    return (
        f"y has only the labels {labels}. {_meant(transitions)}Write each of its spans "
        "as the scheme does, or pass a callable allowed_transitions(before, after)."
    )


def _meant(transitions: Transitions) -> str:
    """Ask whether BIO is meant, where labels have no letters of IOBES alone."""
    letters = {str(label)[:1] for label in transitions.classes.tolist()}
    if transitions.scheme != "IOBES" or not letters <= set("BIO"):
        return ""
    return "Did you mean allowed_transitions='BIO'? "


def _closure(seeds: np.ndarray, table: np.ndarray) -> np.ndarray:
    """All labels that any number of steps lead to."""
    found = np.asarray(seeds)
    for _ in range(len(seeds)):
        found = found | _after(found, table)
    return found


def _after(labels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The labels that may follow any of some labels."""
    return np.any(table[labels], axis=0)


def _check_every_length_exists(transitions: Transitions) -> None:
    last, seen = transitions.starts, set()
    for length in range(1, _LONGEST_SHOWN + 1):
        if not (last & transitions.ends).any():
            raise ValueError(
                f"{_owner(transitions)} allows no sequence of "
                f"{counted(length, 'frame')}, but for any number of frames there must "
                f"be one to predict. {_cure(transitions)}"
            )
        if last.tobytes() in seen:
            return
        seen.add(last.tobytes())
        last = _after(last, transitions.pairs)


def check_sequences(transitions: Transitions, sequences: Sequence[np.ndarray]) -> None:
    """Check that label sequences are allowed.

    Parameters
    ----------
    transitions : Transitions
        What is allowed.
    sequences : sequence of int arrays
        The places of the labels among the classes, or -1 for a frame without a label,
        which may have any.

    Raises
    ------
    ValueError
        At the first label, in the order of y, that may not stand after what is before
        it.
    """
    n_classes = len(transitions.classes)
    start, end = n_classes, n_classes + 1  # as if they were labels
    parts = [part for labels in sequences for part in ([start], labels, [end])]
    labels = np.concatenate([np.empty(0), *parts]).astype(np.intp)
    places = np.flatnonzero(labels != UNLABELLED)
    before, after = labels[places[:-1]], labels[places[1:]]
    is_bad = before != end  # the next sequence begins
    is_bad &= ~_lead_to(transitions, before, after, np.diff(places))
    if not is_bad.any():
        return
    first = places[:-1][np.argmax(is_bad)]
    sizes = np.array([len(labels) + 2 for labels in sequences])
    sample = int(np.searchsorted(np.cumsum(sizes), first, side="right"))
    frame = int(first - sizes[:sample].sum()) - 1  # of the label before; -1: the start
    raise _violation(transitions, sample, frame, np.asarray(sequences[sample]))


def _lead_to(
    transitions: Transitions,
    before: np.ndarray,
    after: np.ndarray,
    distances: np.ndarray,
) -> np.ndarray:
    """Whether a label leads to another in so many steps, with any labels between."""
    step = _with_start_and_end(transitions)
    found = step[before, after]
    is_far = distances > 1
    reached, n_steps = step, 1
    for distance in np.unique(distances[is_far]):
        while n_steps < distance:
            further = (reached.astype(np.float32) @ step) > 0
            n_steps = distance if (further == reached).all() else n_steps + 1
            reached = further
        chosen = distances == distance
        found[chosen] = reached[before[chosen], after[chosen]]
    return found


def _with_start_and_end(transitions: Transitions) -> np.ndarray:
    """The tables as one, of the labels, the start and the end."""
    n_classes = len(transitions.classes)
    step = np.zeros((n_classes + 2, n_classes + 2), dtype=bool)
    step[:n_classes, :n_classes] = transitions.pairs
    step[n_classes, :n_classes] = transitions.starts
    step[:n_classes, n_classes + 1] = transitions.ends
    step[n_classes, n_classes + 1] = True  # a sequence may have no frames
    return step


def _violation(
    transitions: Transitions, sample: int, frame: int, labels: np.ndarray
) -> ValueError:
    """The error at a frame, whose label is the last good one; -1 is the start."""
    names = transitions.classes.tolist()
    later = frame + 1 + np.flatnonzero(labels[frame + 1 :] != UNLABELLED)
    if len(later):
        relation = f" after {names[labels[frame]]!r}" if frame >= 0 else " first,"
        fault = f"{names[labels[later[0]]]!r}{relation} at frame {later[0]}"
    else:
        fault = f"{names[labels[frame]]!r} last"
    n_between = (later[0] if len(later) else len(labels)) - frame - 1
    if n_between:
        fault += f" ({counted(n_between, 'frame')} beside it without a label)"
    scheme = transitions.scheme
    owner = f"the scheme {scheme}" if scheme else "allowed_transitions"
    cure = "pass allowed_transitions=None" if scheme else "let it return True there"
    return ValueError(
        f"y[{sample}] has {fault}, which {owner} does not allow. {_meant(transitions)}"
        f"Correct the labels, or {cure}."
    )
