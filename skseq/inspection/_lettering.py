"""The text that is drawn for a token, and the fonts for it. Needs matplotlib.

A token may be in any script: where matplotlib's font lacks a glyph, an installed font
that has it is added; if no font has it, a warning says so. Knows nothing of axes.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

from skseq._warnings import warn
from skseq.inspection._axes import without_formulas

# Characters of a text, and how many of its end are kept where it is longer: names of
# sensors and classes often differ at the end.
LONGEST, END = 24, 9
SHORTEST = 6  # characters of a text that is shortened for want of room

# Of floats, the digits that are written at least, and those that tell any two apart.
DIGITS, MOST_DIGITS = 4, 17

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
SPACE = "\N{OPEN BOX}"

# A font of boxes with numbers, which has a glyph for everything.
LAST_RESORT = "Last Resort"

REGULAR = 400  # the weight of letters that are neither light nor bold


@dataclass(frozen=True)
class Lettering:
    """Texts to draw, and the font families that together have their glyphs."""

    texts: list[str]
    families: list[str]


def lettering(tokens: Iterable[Any]) -> Lettering:
    """Choose how tokens are written; warn about characters that no font has."""
    texts = [_visible(text) for text in written(tokens)]
    families, missing = _find_families(set("".join(texts)))
    lacking = {c for c in missing if not _is_optional(c)}
    if lacking:
        _warn(lacking)
        families, _ = _find_families(set("".join(texts)) - missing | {REPLACEMENT})
    drawn = {c: REPLACEMENT if c in lacking else "" for c in missing}
    # matplotlib would read the text between two dollar signs as a formula.
    table = str.maketrans({"$": r"\$", **drawn})
    return Lettering([text.translate(table) for text in texts], families)


def written(tokens: Iterable[Any]) -> list[str]:
    """The texts of tokens, without the middle of long ones, and with few digits."""
    tokens = list(tokens)
    n_digits = _digits(set(filter(_is_float, tokens)))
    return [
        _number(token, n_digits) if _is_float(token) else shortened(str(token))
        for token in tokens
    ]


def narrowed(text: str, share: float) -> str:
    """A drawn text without its middle, so that a share of its width is left."""
    plain = text.replace(r"\$", "$")
    n_characters = max(SHORTEST, int(share * len(plain)))
    return without_formulas(shortened(plain, n_characters))


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text without its middle, if it is long."""
    if len(text) <= longest:
        return text
    n_last = longest * END // LONGEST
    return f"{text[: longest - n_last - 1]}…{text[len(text) - n_last :]}"


def _digits(floats: set[Any]) -> int:
    """As few digits as tell numbers apart."""
    for n_digits in range(DIGITS, MOST_DIGITS):
        if len({_number(number, n_digits) for number in floats}) == len(floats):
            return n_digits
    return MOST_DIGITS


def _is_float(token: Any) -> bool:
    return isinstance(token, float | np.floating)


def _number(number: Any, n_digits: int) -> str:
    """A number as it is if that is short, or else rounded."""
    text, rounded = str(number), f"{number:.{n_digits}g}"
    return rounded if len(text) > len(rounded) + 2 else text


def _visible(text: str) -> str:
    n_leading = len(text) - len(text.lstrip(" "))
    inner = text.strip(" ")
    n_trailing = len(text) - n_leading - len(inner)
    return SPACE * n_leading + "".join(map(_printed, inner)) + SPACE * n_trailing


def _printed(character: str) -> str:
    is_control = unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs")
    return character.encode("unicode_escape").decode() if is_control else character


def _find_families(needed: set[str]) -> tuple[list[str], set[str]]:
    """matplotlib's font families and those that complete them; characters without."""
    families = list(matplotlib.rcParams["font.family"])
    missing = set(needed)
    for family in families:
        missing -= _glyphs(family, missing)
    others = _others(missing) if missing else {}
    while missing and others:
        best = min(others, key=lambda name: _rank(name, others[name] & missing))
        if not others[best] & missing:
            break
        families.append(best)
        missing -= others.pop(best)
    return families, missing


def _others(needed: set[str]) -> dict[str, set[str]]:
    """The characters, out of those needed, that each installed family has."""
    names = {
        entry.name
        for entry in fontManager.ttflist
        if entry.style == "normal" and entry.weight == REGULAR
    }
    found = {name: _glyphs(name, needed) for name in names}
    return {name: glyphs for name, glyphs in found.items() if glyphs}


def _rank(name: str, glyphs: set[str]) -> tuple:
    """Order families by their number of glyphs, then prefer those without serifs."""
    return -len(glyphs), "Sans" not in name and "Gothic" not in name, name


def _glyphs(family: str, characters: set[str]) -> set[str]:
    """The characters that a family has a glyph for."""
    if family.startswith(LAST_RESORT):
        return set()
    try:
        path = findfont(FontProperties(family=[family]), fallback_to_default=False)
        font = get_font(path)
    except (ValueError, OSError, RuntimeError):  # not installed, or not readable
        return set()
    if not font.scalable:
        return set()
    return {c for c in characters if font.get_char_index(ord(c))}


def _is_optional(character: str) -> bool:
    """Whether a character only joins others or chooses among their forms."""
    is_selector = "\ufe00" <= character <= "\ufe0f"
    return is_selector or unicodedata.category(character) == "Cf"


def _warn(missing: set[str]) -> None:
    some = sorted(missing)
    shown = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in some[:5])
    more = f" and {len(some) - 5} more" if len(some) > 5 else ""
    warn(
        f"No installed font has a glyph for {shown}{more}; {REPLACEMENT} is drawn "
        "instead. Install a font that has it (Noto has one for every script) and pass "
        "its file to matplotlib.font_manager.fontManager.addfont."
    )
