"""How words are written in the labels of a reader.

A word is a str, each character of which is a label, or a list of labels. It becomes a
text, each character of which has the id of a label as its code point. Knows no
automaton.
"""

import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from skseq._parameters import Kind
from skseq._wording import counted


def _is_label(value: Any) -> bool:
    if isinstance(value, str):
        return value != ""
    return isinstance(value, Integral) and not isinstance(value, bool)


SEPARATOR = Kind(
    lambda value: value is None or _is_label(value), "a non-empty str, an int or None"
)

_MOST_NAMED = 3  # words in an error

# What a word may become so that the reader can write it, the least change first.
_VARIANTS = (
    str.strip,
    lambda word: unicodedata.normalize("NFC", word),
    lambda word: unicodedata.normalize("NFD", word),
    lambda word: unicodedata.normalize("NFC", word.strip().lower()),
    lambda word: unicodedata.normalize("NFC", word.strip().upper()),
)


def is_collection(value: Any) -> bool:
    """Whether it is a list, set or array, say, which can be read more than once."""
    if isinstance(value, (str, bytes, Mapping)) or hasattr(value, "columns"):
        return False
    is_sized = hasattr(value, "__len__") and hasattr(value, "__iter__")
    return is_sized and getattr(value, "ndim", 1) > 0


def as_plain(word: Any) -> str | list:
    """A word as a str or a list of Python's own values."""
    if isinstance(word, str):
        return str(word)
    return [x.item() if isinstance(x, np.generic) else x for x in word]


def _shown(label: Any) -> str:
    """A label as it is written in an error; marks need a letter to stand on."""
    is_mark = isinstance(label, str) and unicodedata.combining(label[:1] or " ")
    return ascii(label) if is_mark else repr(label)


def _is_missing(value: Any) -> bool:
    is_nan = isinstance(value, (float, np.floating)) and np.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def refuse_items(owner: str, parameter: str, words: list) -> None:
    """Refuse what is neither a str nor a sequence of labels."""
    for i, word in enumerate(words):
        if isinstance(word, str):
            continue
        is_sequence = isinstance(word, (list, tuple, np.ndarray)) and is_collection(
            word
        )
        if not is_sequence or not all(isinstance(label, Hashable) for label in word):
            raise ValueError(
                f"Each entry of the {parameter!r} parameter of {owner} must be a str "
                f"or a list of labels. Got {word!r:.60} as entry {i}."
            )
        for label in word:
            if _is_missing(label):
                raise ValueError(
                    f"Entry {i} of the {parameter!r} parameter of {owner}, "
                    f"{as_plain(word)!r:.60}, has {label!r} in the place of a label. "
                    "Leave it out."
                )


class Alphabet:
    """The labels of a reader, and how each is written.

    Parameters
    ----------
    classes : iterable of str or int
        The labels, in the order of their ids.
    """

    def __init__(self, classes: Iterable):
        is_array = isinstance(classes, np.ndarray)
        self.classes = classes.tolist() if is_array else list(classes)
        self.ids = {label: i for i, label in enumerate(self.classes)}
        written = {str(label): i for i, label in enumerate(self.classes)}
        self.characters = {text: i for text, i in written.items() if len(text) == 1}
        self._written = written
        self._table = {ord(text): i for text, i in self.characters.items()}

    @property
    def n_labels(self) -> int:
        return len(self.classes)

    def id_of(self, label: Any) -> int:
        """The id of a label, also of a number that is passed as text; -1 if unknown."""
        return self.ids.get(label, self._written.get(label, -1))

    def texts(self, words: list) -> list[str]:
        """Each word as a text of ids."""
        return [
            word.translate(self._table)
            if isinstance(word, str)
            else "".join(chr(self.ids[label]) for label in word)
            for word in words
        ]

    def word(self, text: str) -> str | list:
        """The word of a text: a str where each label is written as one character."""
        labels = [self.classes[ord(character)] for character in text]
        if all(len(str(label)) == 1 for label in labels):
            return "".join(map(str, labels))
        return labels

    def unwritten(self, words: list) -> list[tuple[int, Any, Any]]:
        """The place of each word that has an unknown label, the word and that label."""
        if all(isinstance(word, str) for word in words):
            unknown = set("".join(words)) - self.characters.keys()
            if not unknown:
                return []
        found = []
        for place, word in enumerate(words):
            known = self.characters if isinstance(word, str) else self.ids
            labels = [label for label in word if label not in known]
            if labels:
                found.append((place, word, labels[0]))
        return found

    def complaint(self, noun: str, owner: str, unwritten: list) -> str:
        """A sentence on words that have unknown labels, and what could be meant."""
        named = [
            f"{as_plain(word)!r:.60} with {_shown(label)}"
            for _, word, label in unwritten[:_MOST_NAMED]
        ]
        n_more = len(unwritten) - len(named)
        more = f" and {counted(n_more, 'other')}" if n_more else ""
        n = counted(len(unwritten), noun)
        has = "has a label" if len(unwritten) == 1 else "have labels"
        return (
            f"{n} of {owner} {has} that the reader does not know: "
            f"{', '.join(named)}{more}.{self._hint(unwritten[0][1])}"
        )

    def _hint(self, word: Any) -> str:
        if not isinstance(word, str):
            return ""
        variants = dict.fromkeys(variant(word) for variant in _VARIANTS)
        for variant in variants:
            if variant and not set(variant) - self.characters.keys():
                return f" It could read {variant!r}."
        if len(self.characters) < self.n_labels:
            return " Write labels of several characters as a list: ['sh', 'i']."
        return ""
