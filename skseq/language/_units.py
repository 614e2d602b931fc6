"""Takes y apart into the units of a language model, and puts units together again.

Units are the labels themselves, or words between separators. Knows nothing of counts.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skseq._data.collections import as_collection, is_sized, object_array
from skseq._data.labels import check_labels

FORMS = {
    "str": lambda labels: "".join(labels),
    "list": list,
    "tuple": tuple,
    "array": np.array,
}
_KINDS = (("str", str), ("bool", bool | np.bool_), ("float", float | np.floating))
KINDS = ("str", "bool", "float", "int")


class UnitSequences(NamedTuple):
    """A checked y, in units."""

    sequences: Iterable  # of str, lists or tuples: one unit per item
    form: str  # of what the user has: a key of FORMS
    kind: str | None  # of the labels: one of KINDS, None where there are none


def check_units(y, unit: str, separator: str, owner: str) -> UnitSequences:
    """Check y and take it apart.

    Raises
    ------
    TypeError, ValueError
        If y is not a collection of label sequences, or has labels that words cannot
        consist of.
    """
    if y is None:
        raise ValueError(f"{owner} reads y, but the y that was passed is None.")
    y = as_collection(y, "y", "label sequences")
    n_samples = len(y) if is_sized(y) else 0
    if n_samples:
        _refuse_number(y[0])
    labels = check_labels(y, n_samples, target="sequence", estimator_name=owner)
    sequences = [
        labels.tolist() if isinstance(labels, np.ndarray) else labels
        for labels in labels.sequences
    ]
    first = next((sequence[0] for sequence in sequences if len(sequence)), None)
    kind = None if first is None else kind_of(first)
    if unit == "word":
        sequences = Words(_texts(sequences), separator)
    return UnitSequences(sequences, labels.form, kind)


def _refuse_number(first) -> None:
    """Say what to pass instead of one label per sample."""
    if isinstance(first, int | float | np.number | np.bool_) and np.isfinite(first):
        raise ValueError(
            f"y[0] is {first!r}, a single label. Pass sequences of labels, for example "
            "[y] if y is one sequence."
        )


def kind_of(label: Hashable) -> str:
    """What a label is: one of KINDS."""
    return next((name for name, types in _KINDS if isinstance(label, types)), "int")


@dataclass(frozen=True)
class Words:
    """The words of each text, as they are asked for: all at once would fill memory.

    Separators beside one another hold none.
    """

    texts: list[str]
    separator: str

    def __iter__(self) -> Iterator[list[str]]:
        for text in self.texts:
            yield [word for word in text.split(self.separator) if word]


def _texts(sequences: list) -> list[str]:
    """Sequences of characters as text."""
    for i, sequence in enumerate(sequences):
        if not isinstance(sequence, str):
            _check_characters(i, sequence)
    return ["".join(sequence) for sequence in sequences]


def _check_characters(i: int, sequence: Sequence) -> None:
    for j, label in enumerate(sequence):
        if not isinstance(label, str) or len(label) != 1:
            raise ValueError(
                f"y[{i}][{j}] is {label!r}. With unit='word', y must be text or "
                "sequences of single characters: join words by the separator, or set "
                "unit='label' to take tokens as they are."
            )


def assembled(sequences: list, unit: str, separator: str, form: str) -> np.ndarray:
    """Units as a user has them: the inverse of `check_units`."""
    if unit == "word":
        sequences = [list(separator.join(words)) for words in sequences]
    return object_array(FORMS[form](labels) for labels in sequences)
