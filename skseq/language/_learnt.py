"""What an n-gram model has learnt: units, counts and the probabilities made of them.

Knows nothing of parameters' checks, nor of the form of y.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skseq._parameters import OneOf, check_value
from skseq.language._counts import Counts, Numbers, Stream, blocks, checked_counts
from skseq.language._trie import (
    MOST_ORDER,
    N_SPECIAL,
    UNKNOWN,
    Level,
    Trie,
    checked_trie,
)
from skseq.language._units import FORMS, KINDS, UnitSequences, kind_of

# Streams that wait to be counted together, at most.
_MOST_WAITING, _FEWEST_UNITS = 1000, 2**22


@dataclass(frozen=True, eq=False)
class Learnt:
    """Units, in the order of their numbers, and the n-grams of a model.

    Without counts it was read from a file, whose units are text whatever they stand
    for.
    """

    unit: str
    separator: str
    form: str
    kind: str
    units: list
    counts: Counts | None
    waiting: tuple[Stream, ...] = ()
    trie: Trie | None = None

    @cached_property
    def numbers(self) -> dict:
        """The number of each unit."""
        return {unit: i for i, unit in enumerate(self.units, N_SPECIAL)}

    @property
    def n_units(self) -> int:
        return len(self.units) + N_SPECIAL

    @property
    def is_text(self) -> bool:
        return self.counts is None

    def __getstate__(self) -> dict:
        """All but what is made anew when it is asked for."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def start(cls, order: int, unit: str, separator: str, y: UnitSequences) -> "Learnt":
        """Nothing yet, but what y is."""
        kind = "str" if unit == "word" else y.kind
        return cls(unit, separator, y.form, kind, [], Counts.nothing(order))

    def and_also(self, y: UnitSequences) -> "Learnt":
        """This, and what comes in y."""
        numbers = Numbers(self.numbers)
        learnt = self
        for block in blocks(y.sequences):
            waiting = (*learnt.waiting, Stream.of(block, numbers))
            learnt = replace(learnt, waiting=waiting, trie=None)
            n_waiting = sum(len(stream.numbers) for stream in waiting)
            fewest = max(_FEWEST_UNITS, len(learnt.counts.rows))
            if n_waiting > fewest or len(waiting) > _MOST_WAITING:
                learnt = learnt.settled()
        units = [u.item() if isinstance(u, np.generic) else u for u in numbers]
        form = self.form if y.form == self.form else "list"
        return replace(learnt, units=units, form=form)

    def settled(self) -> "Learnt":
        """The same, with everything counted."""
        if not self.waiting:
            return self
        numbers = np.concatenate([stream.numbers for stream in self.waiting])
        lengths = np.concatenate([stream.lengths for stream in self.waiting])
        counts = self.counts.add(Stream(numbers, lengths))
        return replace(self, counts=counts, waiting=())

    def check_kind(self, y: UnitSequences) -> bool:
        """Say whether the labels of y are looked up as text.

        Raises
        ------
        ValueError
            If they are of another kind than those learnt, so that all were unknown.
        """
        if self.unit == "word" or y.kind in (None, self.kind):
            return False
        if not self.is_text:
            raise ValueError(
                f"y holds labels of the type {y.kind}, but those in fit were "
                f"{self.kind}. Pass labels of that type."
            )
        return True

    def log_probs(self, y: UnitSequences) -> tuple[np.ndarray, np.ndarray]:
        """The log10-probability of each sequence of y, and its units with the end."""
        sequences, parts = y.sequences, []
        if self.check_kind(y):
            sequences = [list(map(str, sequence)) for sequence in sequences]
        for block in blocks(sequences):
            stream = Stream.of(block, self.numbers)
            sums = stream.sums(self.trie.log_probs(stream.numbers))
            parts.append((sums, stream.lengths + 1))
        if not parts:
            return np.zeros(0), np.zeros(0, np.int64)
        sums, lengths = map(np.concatenate, zip(*parts, strict=True))
        return sums, lengths

    def numbers_of(self, classes: list) -> np.ndarray:
        """The number of each class; of one that the model has not seen, UNKNOWN."""
        if self.is_text:
            classes = list(map(str, classes))
        numbers = [self.numbers.get(label, UNKNOWN) for label in classes]
        return np.array(numbers, np.int64)

    def state(self) -> dict[str, Any]:
        """All of it as plain values and arrays."""
        names = ("parents", "units", "log_probs", "backoffs")
        counts = self.counts
        return {
            "unit": self.unit,
            "separator": self.separator,
            "form": self.form,
            "kind": self.kind,
            "units": list(self.units),
            "counts": None if counts is None else [counts.rows, counts.counts],
            "levels": [
                [getattr(level, n) for n in names] for level in self.trie.levels
            ],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Learnt":
        """Make it from plain values and arrays, trusting nothing.

        Raises
        ------
        ValueError
            If `state` cannot have returned these.
        """
        names = ("unit", "separator", "form", "kind", "units", "counts", "levels")
        if not isinstance(state, dict) or sorted(state) != sorted(names):
            raise ValueError(f"A language model must have {', '.join(names)}.")
        unit, separator, form, kind, units, counts, levels = map(state.get, names)
        for name, allowed in (("unit", ("label", "word")), ("form", FORMS)):
            check_value("a language model", name, state[name], OneOf(allowed))
        check_value("a language model", "kind", kind, OneOf(KINDS))
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError("The separator of a language model must be one character.")
        _check_units(units, unit, kind, form)
        n_units = len(units) + N_SPECIAL
        trie = checked_trie(Trie(n_units, _levels(levels)))
        if counts is not None:
            if not isinstance(counts, list | tuple) or len(counts) != 2:
                raise ValueError("The counts of a language model must be two arrays.")
            counts = checked_counts(Counts(*counts), n_units)
            if counts.order != trie.order:
                raise ValueError("Its counts must have the order of its n-grams.")
        return cls(unit, separator, form, kind, list(units), counts, (), trie)


def _levels(levels) -> tuple[Level, ...]:
    is_list = isinstance(levels, list | tuple) and 0 < len(levels) <= MOST_ORDER
    if not is_list or not all(
        isinstance(level, list | tuple)
        and len(level) == 4
        and all(isinstance(a, np.ndarray) and a.ndim == 1 for a in level)
        for level in levels
    ):
        raise ValueError(
            "The n-grams of a language model must be four arrays an order."
        )
    return tuple(Level(*level) for level in levels)


def _check_units(units, unit: str, kind: str, form: str) -> None:
    """Refuse what is not a list of distinct labels of one kind, or of words."""
    kinds = (str, bool, float, int)
    if not isinstance(units, list) or not units:
        raise ValueError("The units of a language model must be a list with entries.")
    if len(set(map(type, units))) != 1 or type(units[0]) not in kinds:
        raise ValueError("The units of a language model must be of one plain type.")
    is_whole = kind != "float" or all(map(float.is_integer, units))
    if kind_of(units[0]) != kind or len(set(units)) < len(units) or not is_whole:
        raise ValueError("The units of a language model must be distinct, of its kind.")
    if (unit == "word" or form == "str") and kind != "str":
        raise ValueError("Words, and the labels of text, must be of the kind str.")
