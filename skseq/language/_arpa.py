"""Reads and writes n-grams as ARPA files, as KenLM, SRILM and others have them.

A file is data: what is wrong in it is said in one sentence with its line. Takes and
gives tokens, which are text without white space, and a trie.
"""

import gzip
import os
import re
import zlib
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from skseq._wording import counted
from skseq.language._counts import Groups
from skseq.language._trie import (
    END,
    MOST,
    MOST_ORDER,
    N_SPECIAL,
    START,
    UNKNOWN,
    Level,
    Trie,
    checked_trie,
)

LONGEST_LINE = 2**16  # bytes
LONGEST_TOKEN = 2**10  # bytes of one that is written; a line holds the longest n-gram
# Text in a file that is packed takes at most so many times its bytes.
MOST_PACKED, FREE_BYTES = 100, 2**26

_SPECIAL = {b"<unk>": UNKNOWN, b"<UNK>": UNKNOWN, b"<s>": START, b"</s>": END}
_WRITTEN = ("<unk>", "<s>", "</s>")

_PROMISE = re.compile(rb"ngram\s+(\d{1,9})\s*=\s*(\d{1,12})")
_SECTION = re.compile(rb"\\(\d{1,9})-grams:")

# -- labels as tokens ------------------------------------------------------------------

_SPACE, _EMPTY = "<space>", "<empty>"
_RESERVED = re.compile(r"<(?:s|/s|unk|space|empty)>|<U\+", re.IGNORECASE)
_UNWRITABLE = re.compile(r"[\s\x00\x1c-\x1f\x85\ud800-\udfff]")
_CODE = re.compile(r"<U\+([0-9A-F]{4,6})>")


def token_of(label: object) -> str:
    """Write a label as a token, which `label_of` reads again where it is a text.

    Examples
    --------
    >>> [token_of(label) for label in ("a", " ", "\\t", "<s>", 7)]
    ['a', '<space>', '<U+0009>', '<U+003C>s>', '7']
    """
    text = str.__str__(label) if isinstance(label, str) else str(label)
    if text in (" ", ""):
        return _SPACE if text else _EMPTY
    text = _RESERVED.sub(lambda found: f"<U+003C>{found[0][1:]}", text)
    return _UNWRITABLE.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def label_of(token: str) -> str:
    """Read a label from its token: the inverse of `token_of`."""
    if token in (_SPACE, _EMPTY):
        return " " if token == _SPACE else ""
    return _CODE.sub(_character, token)


def _character(found: re.Match) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF else found[0]


# -- writing ---------------------------------------------------------------------------


def write_arpa(path, tokens: list[str], trie: Trie) -> None:
    """Write a file, packed if its name ends in ".gz"; it replaces one at once.

    `tokens` are those of the units of a user, in the order of their numbers.
    """
    for token in tokens:
        if len(token.encode()) > LONGEST_TOKEN:
            raise ValueError(
                f"A unit of {len(token.encode()):,} bytes cannot be written, "
                f"{token[:20]!r}...: ARPA files hold up to {LONGEST_TOKEN:,} here. "
                "Shorten it, and fit again."
            )
    path = os.fspath(path)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as raw:
            if path.endswith(".gz"):
                with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                    packed.writelines(_text(tokens, trie))
            else:
                raw.writelines(_text(tokens, trie))
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def _text(tokens: list[str], trie: Trie) -> Iterator[bytes]:
    yield b"\\data\\\n"
    for order, level in enumerate(trie.levels, 1):
        yield f"ngram {order}={len(level)}\n".encode()
    names = [*_WRITTEN, *tokens]
    prefixes = [""]
    for order, level in enumerate(trie.levels, 1):
        yield f"\n\\{order}-grams:\n".encode()
        parents, units = level.parents.tolist(), level.units.tolist()
        ngrams = [
            f"{prefixes[p]} {names[u]}" for p, u in zip(parents, units, strict=True)
        ]
        probs = map(repr, level.log_probs.tolist())
        backoffs = map(repr, level.backoffs.tolist())
        is_last = order == trie.order
        for prob, ngram, backoff in zip(probs, ngrams, backoffs, strict=True):
            more = "" if is_last else f"\t{backoff}"
            yield f"{prob}\t{ngram[1:]}{more}\n".encode()
        prefixes = ngrams
    yield b"\n\\end\\\n"


# -- reading ---------------------------------------------------------------------------


class Torn(ValueError):
    """What is wrong with a file, and in which line."""


class Section(NamedTuple):
    """The n-grams of one order as they stand in a file."""

    rows: np.ndarray  # (n_ngrams, order) int32
    log_probs: np.ndarray  # (n_ngrams,)
    backoffs: np.ndarray  # (n_ngrams,)
    lines: np.ndarray  # (n_ngrams,), 0 for those that the file lacks


def read_arpa(path) -> tuple[list[str], Trie]:
    """Read a file, packed or not: the tokens of its units, and its n-grams.

    Raises
    ------
    ValueError
        If it is not a whole ARPA file; the message names the line.
    """
    try:
        with open(path, "rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            most = FREE_BYTES + MOST_PACKED * os.fstat(raw.fileno()).st_size
            file = gzip.GzipFile(fileobj=raw) if is_packed else raw
            lines = _Lines(file, most)
            tokens, sections = _sections(lines)
        return tokens, _trie(sections, len(tokens) + N_SPECIAL)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{os.fspath(path)} is torn: its gzip data end early or are damaged "
            f"({error}). Get the file again."
        ) from None
    except Torn as error:
        raise ValueError(
            f"{os.fspath(path)} is not a whole ARPA file: {error}."
        ) from None


class _Lines:
    """The lines of a file that are not blank, stripped, and the number of the last."""

    def __init__(self, file, most: int):
        self.file, self.most, self.number = file, most, 0

    def __iter__(self) -> Iterator[bytes]:
        read, n_bytes = self.file.readline, 0
        while line := read(LONGEST_LINE):
            self.number += 1
            n_bytes += len(line)
            if len(line) == LONGEST_LINE:
                raise self.torn(f"it is longer than {LONGEST_LINE} bytes")
            if n_bytes > self.most:
                raise self.torn(
                    f"the text until there is more than {MOST_PACKED} times as long as "
                    "the file"
                )
            line = line.strip()
            if line:
                yield line

    def torn(self, what: str, number: int | None = None) -> Torn:
        return Torn(f"in line {self.number if number is None else number}, {what}")


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "replace"))


def _sections(lines: _Lines) -> tuple[list[str], list[Section]]:
    """Read the whole file."""
    stream = iter(lines)
    if not any(line.removeprefix(BOM_UTF8) == b"\\data\\" for line in stream):
        raise Torn("no line says \\data\\")
    promised, line = _promises(stream, lines)
    numbers = dict(_SPECIAL)
    tokens: list[str] = []
    sections = []
    for order, n_ngrams in enumerate(promised, 1):
        found = _SECTION.fullmatch(line)
        if not found or int(found[1]) != order:
            raise lines.torn(f"\\{order}-grams: should stand, not {_shown(line)}")
        is_first = order == 1
        section, line = _section(
            stream, lines, order, numbers, tokens if is_first else None
        )
        if len(section.rows) != n_ngrams:
            raise lines.torn(
                f"the {order}-grams end after {len(section.rows)}, but \\data\\ "
                f"promises {n_ngrams}"
            )
        sections.append(section)
    if line != b"\\end\\":
        raise lines.torn(f"\\end\\ should stand, not {_shown(line)}")
    return tokens, sections


def _promises(stream: Iterator[bytes], lines: _Lines) -> tuple[list[int], bytes]:
    """How many n-grams of each order there are to be, and the line after that."""
    promised = []
    for line in stream:
        found = _PROMISE.fullmatch(line)
        if not found:
            break
        if int(found[1]) != len(promised) + 1:
            raise lines.torn(f"'ngram {len(promised) + 1}=' should stand")
        promised.append(int(found[2]))
    else:
        raise lines.torn("it ends before its n-grams")
    if not 0 < len(promised) <= MOST_ORDER:
        raise lines.torn(f"an order from 1 to {MOST_ORDER} must be promised above")
    return promised, line


def _section(stream, lines: _Lines, order, numbers, tokens) -> tuple[Section, bytes]:
    """The n-grams of one order, and the line after them; `tokens` gathers unigrams."""
    units, probs, backoffs, places = array("i"), array("d"), array("d"), array("q")
    for line in stream:
        fields = line.split()
        if line[0] == 92 and (line == b"\\end\\" or _SECTION.fullmatch(line)):  # "\"
            break
        if not order + 1 <= len(fields) <= order + 2:
            raise lines.torn(
                f"{_shown(line)} has {counted(len(fields), 'field')}, not a "
                f"logarithm, {counted(order, 'token')} and perhaps a back-off weight"
            )
        ngram = fields[1 : order + 1]
        if tokens is not None and ngram[0] not in numbers:
            numbers[ngram[0]] = len(tokens) + N_SPECIAL
            tokens.append(_decoded(ngram[0], lines))
        try:
            units.extend([numbers[token] for token in ngram])
        except KeyError as error:
            raise lines.torn(
                f"{_shown(error.args[0])} stands in a {order}-gram but is not "
                "among the 1-grams"
            ) from None
        probs.append(_number(fields[0], -MOST, 0, lines))
        has_weight = len(fields) == order + 2
        backoffs.append(_number(fields[-1], -MOST, MOST, lines) if has_weight else 0.0)
        places.append(lines.number)
    else:
        raise lines.torn("it ends before \\end\\")
    rows = np.array(units, np.int32).reshape(-1, order)
    return Section(rows, *map(np.array, (probs, backoffs, places))), line


def _decoded(token: bytes, lines: _Lines) -> str:
    try:
        return token.decode()
    except UnicodeDecodeError:
        raise lines.torn(f"{_shown(token)} is not UTF-8") from None


def _number(field: bytes, low: float, high: float, lines: _Lines) -> float:
    try:
        value = float(field)
    except ValueError:
        value = np.nan
    if not low <= value <= high or b"_" in field:
        raise lines.torn(f"{_shown(field)} is not a number in [{low}, {high}]")
    return value


# -- from rows to a trie ---------------------------------------------------------------


def _trie(sections: list[Section], n_units: int) -> Trie:
    """Sort the n-grams, and add suffixes that tools leave out where nothing is lost."""
    sections = list(sections)
    for order in range(len(sections), 2, -1):
        sections[order - 2] = _with_suffixes(sections[order - 2], sections[order - 1])
    trie = Trie(n_units, ())
    for order, section in enumerate(sections, 1):
        trie = Trie(n_units, (*trie.levels, _level(trie, order, section)))
    for unit in (START, END):
        if trie.find(1, 0, [unit])[0] < 0:
            raise Torn(f"{_WRITTEN[unit]} is not among its 1-grams")
    return checked_trie(trie)


def _with_suffixes(below: Section, above: Section) -> Section:
    """Add the suffixes of longer n-grams, without a probability of their own yet."""
    n_own = len(below.rows)
    rows = np.concatenate([below.rows, above.rows[:, 1:]])
    firsts = Groups(rows).firsts
    missing = rows[firsts[firsts >= n_own]]
    n_more = len(missing)
    return Section(
        np.concatenate([below.rows, missing]),
        np.append(below.log_probs, np.full(n_more, np.nan)),
        np.append(below.backoffs, np.zeros(n_more)),
        np.append(below.lines, np.zeros(n_more, np.int64)),
    )


def _level(trie: Trie, order: int, section: Section) -> Level:
    """Sort the n-grams of one order; what has no probability backs off."""
    rows, lines = section.rows, section.lines
    places = np.zeros(len(rows), np.int64)
    for length, column in enumerate(rows[:, :-1].T, 1):
        places = trie.find(length, places, column)
    if (places < 0).any():
        line = lines[np.argmax(places < 0)]
        raise Torn(
            f"the {order}-gram in line {line} begins with a {order - 1}-gram that the "
            "file lacks"
        )
    keys = places * trie.n_units + rows[:, -1]
    sorting = np.argsort(keys, kind="stable")
    repeats = np.flatnonzero(np.diff(keys[sorting]) == 0)
    if len(repeats):
        first, second = sorted(lines[sorting[repeats[0] : repeats[0] + 2]])
        raise Torn(f"lines {first} and {second} have the same {order}-gram")
    units = rows[sorting, -1].astype(np.int32)
    level = Level(
        places[sorting].astype(np.int32),
        units,
        section.log_probs[sorting],
        section.backoffs[sorting],
    )
    lacking = np.isnan(level.log_probs)
    if lacking.any():
        suffixes = Trie(trie.n_units, (*trie.levels, level)).suffixes[-1]
        below = trie.levels[-1]
        backed = below.backoffs[level.parents] + below.log_probs[suffixes]
        level.log_probs[lacking] = np.clip(backed[lacking], -MOST, 0.0)
    return level
