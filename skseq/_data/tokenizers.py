"""Cuts a text into tokens, and puts tokens together to a text.

Knows nothing of collections of texts, of ids and of Keras.
"""

import re
import reprlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from skseq._parameters import CALLABLE, NONE, OneOf, check_value

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Tokenizer:
    """A way to cut texts into tokens, and the way back."""

    split: Callable[[str], list[str]]
    join: Callable[[list[str]], str]


TOKENIZERS = {
    "word": Tokenizer(str.split, " ".join),
    "char": Tokenizer(list, "".join),
}


# "auto" takes characters where fewer texts than this share hold white space between
# other characters, or these shares of the words hold a digit or occur only once: the
# texts to come will hold other such words.
RARE = 0.1
NUMBERS = 0.1
ONCE = 0.2
FEW_TEXTS = 5  # which say nothing about how often a word occurs


def is_auto(tokenizer: Any) -> bool:
    """Whether the choice is left to :func:`pick_tokenizer`."""
    return isinstance(tokenizer, str) and tokenizer == "auto"


def pick_tokenizer(texts: Sequence[str]) -> str:
    """The name of the tokenizer that "auto" stands for.

    "char" where words are rare, or are not from a set that training could know.
    """
    parted = [text.split() for text in texts]
    if sum(len(words) > 1 for words in parted) < RARE * len(texts):
        return "char"
    counts = Counter(chain.from_iterable(parted))
    n_words = counts.total()
    n_numbers = sum(n for word, n in counts.items() if _DIGIT.search(word))
    n_once = sum(n == 1 for n in counts.values()) if len(texts) >= FEW_TEXTS else 0
    is_open = n_numbers >= NUMBERS * n_words or n_once >= ONCE * n_words
    return "char" if is_open else "word"


def tokenizer_in_use(estimator: Any, side: str) -> Any:
    """What the texts of a fitted estimator are cut by, on the source or target side."""
    tokenizer = getattr(estimator, f"{side}_tokenizer")
    if is_auto(tokenizer):
        return getattr(estimator, f"{side}_tokenizer_")
    return tokenizer


def as_tokenizer(tokenizer: Any, parameter: str, owner: str) -> Tokenizer | None:
    """The tokenizer that a parameter of `owner` stands for; None for none."""
    if tokenizer is None:
        return None
    if isinstance(tokenizer, str) and tokenizer in TOKENIZERS:
        return TOKENIZERS[tokenizer]
    if not callable(tokenizer):
        allowed = (OneOf(TOKENIZERS), CALLABLE, NONE)
        check_value(owner, parameter, tokenizer, allowed)
    if not hasattr(tokenizer, "detokenize"):
        return Tokenizer(tokenizer, " ".join)
    return Tokenizer(tokenizer, partial(_detokenize, tokenizer))


def _detokenize(tokenizer: Any, tokens: list) -> str:
    text = tokenizer.detokenize(tokens)
    if not isinstance(text, str):
        raise TypeError(
            f"The method detokenize of {tokenizer!r} must return a str. Got "
            f"{described(text)} instead."
        )
    return text


def described(value: Any) -> str:
    """A value as messages show it: its class, and what it holds, shortened."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    shown = value.item() if isinstance(value, np.generic) else value
    return f"{module}{kind.__qualname__} ({reprlib.repr(shown)})"
