"""Reads a small language of regular expressions over labels.

What it accepts means the same as in Python's `re`; anything else is an error that names
it. Knows no automaton.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ALLOWED = (
    r"A pattern may have labels, ., sets such as [a-f] and [^01], \d, \w, \s, groups "
    r"( ) and (?: ), alternatives |, and the counts ?, *, +, {2} and {2,5}; a \ makes "
    "a label of any other character."
)

MOST_GROUPS = 50  # inside one another

_COUNT = re.compile(r"\{(?=[0-9,]*[0-9])([0-9]*)(?:(,)([0-9]*))?\}")
_MOST_DIGITS = 6  # of a count
_ESCAPED = dict(zip("ntrfva", "\n\t\r\f\v\a", strict=True))
_CODES = {"x": 2, "u": 4, "U": 8}  # digits of escapes by code point
_OTHER_GROUPS = {
    "(?=": "a look-ahead",
    "(?!": "a look-ahead",
    "(?<=": "a look-behind",
    "(?<!": "a look-behind",
    "(?P<": "a named group",
    "(?P=": "a backreference",
    "(?#": "a comment",
    "(?>": "an atomic group",
    "(?(": "a conditional group",
    "(?": "flags",
}
_ANCHORS = {"b": "a word boundary", "B": "a word boundary"}
_ANCHORS.update(dict.fromkeys("AZz", "an anchor"))


@dataclass(frozen=True)
class Labels:
    """One label among some, by their ids."""

    ids: frozenset


@dataclass(frozen=True)
class Sequence:
    """Parts one after another."""

    parts: tuple


@dataclass(frozen=True)
class Choice:
    """One of some alternatives."""

    options: tuple


@dataclass(frozen=True)
class Repeat:
    """A part several times over, from `low` to `high`; None means without end."""

    part: object
    low: int
    high: int | None


@dataclass
class Reader:
    """Reads one pattern from left to right.

    Parameters
    ----------
    pattern : str
        The pattern.
    characters : dict of str to int
        The id of each label, by the character that stands for it.
    """

    pattern: str
    characters: Mapping[str, int]
    place: int = 0
    level: int = 0
    missing: list = field(default_factory=list)  # what no label matches, as written

    def read(self) -> Labels | Sequence | Choice | Repeat:
        """The whole pattern."""
        found = self._choice()
        if self.place < len(self.pattern):  # what a choice ends at
            raise self._refusal("an unopened group", ")", self.place)
        return found

    def _next(self, n: int = 1) -> str:
        return self.pattern[self.place : self.place + n]

    def _take(self, n: int = 1) -> str:
        taken = self._next(n)
        self.place += n
        return taken

    def _refusal(self, what: str, text: str, place: int) -> ValueError:
        return ValueError(
            f"The pattern {self.pattern!r} has {what}, {text}, at position {place}. "
            f"{ALLOWED}"
        )

    def _choice(self):
        options = [self._sequence()]
        while self._next() == "|":
            self._take()
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self):
        parts = []
        while self._next() not in ("", "|", ")"):
            if not self._skips_anchor():
                parts.append(self._counted(self._single()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _skips_anchor(self) -> bool:
        """Skip ^ at the very start and $ at the very end, which change nothing."""
        at_start = self.place == 0 and self._next() == "^"
        at_end = self.place == len(self.pattern) - 1 and self._next() == "$"
        if at_start or at_end:
            self._take()
        return at_start or at_end

    def _single(self):
        """What a count may follow."""
        start, character = self.place, self._take()
        if character == "(":
            return self._group(start)
        if character == "[":
            return self._set(start)
        if character == ".":
            found = {i for c, i in self.characters.items() if c != "\n"}
            return Labels(frozenset(found))
        if character == "\\":
            return self._of(self._escape(start), self.pattern[start : self.place])
        if character in "^$":
            raise self._refusal("an anchor inside", character, start)
        if character in "?*+":
            raise self._refusal("a count of nothing", character, start)
        if character == "{":
            raise self._refusal("a brace that counts nothing", character, start)
        return self._of({character}, character)

    def _of(self, characters: set[str], written: str) -> Labels:
        """The labels among some characters; those of none are noted."""
        known = self.characters
        ids = frozenset(known[c] for c in characters if c in known)
        if not ids:
            self.missing.append(written)
        return Labels(ids)

    def _group(self, start: int):
        if self._next() == "?":
            if self._next(2) != "?:":
                opened = self.pattern[start:]
                text = next(text for text in _OTHER_GROUPS if opened.startswith(text))
                raise self._refusal(_OTHER_GROUPS[text], text, start)
            self._take(2)
        self.level += 1
        if self.level > MOST_GROUPS:
            raise self._refusal(f"more than {MOST_GROUPS} nested groups", "(", start)
        found = self._choice()
        self.level -= 1
        if self._take() != ")":
            raise self._refusal("an unclosed group", "(", start)
        return found

    def _counted(self, part):
        start = self.place
        bounds = self._count()
        if bounds is None:
            return part
        after = self.place
        if self._next() in ("?", "+"):
            kind = "a lazy count" if self._next() == "?" else "a possessive count"
            raise self._refusal(kind, self.pattern[start : after + 1], start)
        if self._count():
            raise self._refusal(
                "a count of a count", self.pattern[start : self.place], start
            )
        return Repeat(part, *bounds)

    def _count(self) -> tuple[int, int | None] | None:
        """Read how often something may occur, if that comes next."""
        simple = {"?": (0, 1), "*": (0, None), "+": (1, None)}
        if self._next() in simple:
            return simple[self._take()]
        found = _COUNT.match(self.pattern, self.place)
        if not found:
            return None
        start, self.place = self.place, found.end()
        low, comma, high = found.groups()
        if max(len(low), len(high or "")) > _MOST_DIGITS:
            raise self._refusal("a count that is too large", found[0], start)
        least = int(low or 0)
        most = int(high) if high else None if comma else least
        if most is not None and most < least:
            raise self._refusal("a count that ends before it starts", found[0], start)
        return least, most

    def _escape(self, start: int) -> set[str]:
        """The characters that an escape stands for, its backslash being read."""
        character = self._take()
        if character and character in "dDwWsS":
            kind = re.compile(f"\\{character}")
            return {label for label in self.characters if kind.match(label)}
        if character in _ESCAPED:
            return {_ESCAPED[character]}
        if character in _CODES:
            return {self._of_code(start, _CODES[character])}
        if character and not (character.isascii() and character.isalnum()):
            return {character}
        what = _ANCHORS.get(character, "an unknown escape")
        if character.isdigit():
            what = "a backreference"
        raise self._refusal(what, f"\\{character}", start)

    def _of_code(self, start: int, n_digits: int) -> str:
        digits = self._take(n_digits)
        is_code = re.fullmatch(f"[0-9a-fA-F]{{{n_digits}}}", digits)
        if not is_code or int(digits, 16) > 0x10FFFF:
            text = self.pattern[start : self.place]
            raise self._refusal("an incomplete escape", text, start)
        return chr(int(digits, 16))

    def _set(self, start: int) -> Labels:
        excludes = self._next() == "^"
        self._take(int(excludes))
        found, first = set(), self.place
        while self._next() != "]" or self.place == first:
            if not self._next():
                raise self._refusal("an unclosed set", "[", start)
            if self._next(2) == "[:":
                raise self._refusal("a class of POSIX", "[:", self.place)
            found |= self._range()
        self._take()
        if excludes:
            found = self.characters.keys() - found
        return self._of(found, self.pattern[start : self.place])

    def _range(self) -> set[str]:
        """One entry of a set: a character, several by an escape, or a range."""
        start = self.place
        low = self._entry()
        if self._next() != "-" or self._next(2) in ("-", "-]"):
            return low
        self._take()
        high = self._entry()
        text = self.pattern[start : self.place]
        if len(low) != 1 or len(high) != 1 or self._stands_for_several(text):
            raise self._refusal("a range between no two labels", text, start)
        if min(high) < min(low):
            raise self._refusal("a range that ends before it starts", text, start)
        return {c for c in self.characters if min(low) <= c <= min(high)}

    def _entry(self) -> set[str]:
        start, character = self.place, self._take()
        return self._escape(start) if character == "\\" else {character}

    @staticmethod
    def _stands_for_several(text: str) -> bool:
        """Whether one end of a range is a class, which may have but one label."""
        return bool(re.match(r"\\[dDwWsS]|.*-\\[dDwWsS]$", text, re.DOTALL))
