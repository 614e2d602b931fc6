"""Cuts a text into tokens, and puts tokens together to a text.

Knows nothing of collections of texts, of ids and of Keras.
"""

import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tokenizer:
    """A way to cut texts into tokens, and the way back."""

    split: Callable[[str], list[str]]
    join: Callable[[list[str]], str]


TOKENIZERS = {
    "word": Tokenizer(str.split, " ".join),
    "char": Tokenizer(list, "".join),
}


# Where fewer texts than this share hold white space between other characters, "auto"
# takes it for a character.
RARE = 0.1


def is_auto(tokenizer: Any) -> bool:
    """Whether the choice is left to :func:`pick_tokenizer`."""
    return isinstance(tokenizer, str) and tokenizer == "auto"


def pick_tokenizer(texts: Sequence[str]) -> str:
    """The name of the tokenizer that "auto" stands for: "char" where words are rare."""
    n_parted = sum(len(text.split(maxsplit=1)) > 1 for text in texts)
    return "char" if n_parted < RARE * len(texts) else "word"


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
        raise ValueError(
            f"The {parameter!r} parameter of {owner} must be a str among "
            f"{list(TOKENIZERS)}, a callable or None. Got {tokenizer!r} instead."
        )
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
