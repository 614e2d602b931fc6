"""Changes sequences of tokens: leaves some out, and swaps neighbours.

Knows nothing of tokenizers: the characters of a str are its tokens.
"""

from abc import abstractmethod
from collections.abc import Hashable
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from skseq._parameters import PROBABILITY, UNIT_INTERVAL, Kind
from skseq.augmentation._base import ONE_BY_ONE, Augmenter

_TOKEN = Kind(lambda value: isinstance(value, Hashable), "None or a hashable token")


class TokenAugmenter(Augmenter):
    """An augmenter of tokens, which `_change` takes and returns as a list."""

    changes_frames = True

    def _augment(self, sequence: Any, rng: np.random.Generator) -> Any:
        is_array = isinstance(sequence, np.ndarray) and sequence.ndim == 1
        if not is_array and not isinstance(sequence, (str, list, tuple)):
            raise ValueError(
                f"{type(self).__name__} needs a str, or a list, tuple or 1-D array of "
                f"tokens. Got {type(sequence).__name__} instead."
            )
        if not len(sequence):
            return sequence
        tokens = sequence.tolist() if is_array else list(sequence)
        if not all(isinstance(token, Hashable) for token in tokens):
            raise ValueError(
                f"{type(self).__name__} needs one sequence of tokens, and these are "
                f"sequences themselves. {ONE_BY_ONE}"
            )
        changed = self._change(tokens, rng)
        if isinstance(sequence, str):
            return "".join(changed)
        if is_array:
            return _array_of(changed, sequence.dtype)
        return type(sequence)(changed)

    @abstractmethod
    def _change(self, tokens: list, rng: np.random.Generator) -> list:
        """Return the changed tokens, at least one."""


def _array_of(tokens: list, dtype: np.dtype) -> np.ndarray:
    """An array of the same kind; a longer str than any before is not cut off."""
    if dtype.kind in "US":
        return np.array(tokens)
    array = np.empty(len(tokens), dtype)
    array[:] = tokens
    return array


class TokenDropout(TokenAugmenter):
    """Leave out tokens of a sequence, or put one token in place of them.

    Each token is dropped with the same probability, on its own [1]_. If all would be,
    one of them is kept.

    Parameters
    ----------
    probability : float, default=0.1
        Probability that a token is dropped. Larger values change more.
    replacement : object, default=None
        The token to put in place of dropped ones, such as "_". None leaves them out.

    Attributes
    ----------
    changes_frames : bool
        Whether `replacement` is None: otherwise tokens keep their number and places.

    See Also
    --------
    Swap : Changes the order instead.

    Notes
    -----
    A str is a sequence of characters. To drop words, split it first.

    References
    ----------
    .. [1] M. Iyyer, V. Manjunatha, J. Boyd-Graber and H. Daumé III, "Deep unordered
           composition rivals syntactic methods for text classification", ACL,
           pp. 1681-1691, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import TokenDropout
    >>> words = "the cat sat on the mat".split()
    >>> TokenDropout(0.3)(words, np.random.default_rng(1))
    ['the', 'cat', 'on', 'the', 'mat']
    >>> TokenDropout(0.3, replacement="_")("the cat sat", np.random.default_rng(1))
    'th_ cat s_t'
    """

    _constraints: ClassVar = {"probability": PROBABILITY, "replacement": _TOKEN}

    def __init__(self, probability: float = 0.1, *, replacement: Hashable = None):
        self.probability = probability
        self.replacement = replacement

    @property
    def changes_frames(self) -> bool:
        return self.replacement is None

    def _augment(self, sequence, rng):
        self._check_replacement(sequence)
        return super()._augment(sequence, rng)

    def _check_replacement(self, sequence: Any) -> None:
        """Refuse a replacement that a text or an array of numbers cannot hold."""
        kind = sequence.dtype.kind if isinstance(sequence, np.ndarray) else ""
        is_text = isinstance(sequence, str) or kind in tuple("US")
        needed = str if is_text else Real if kind in tuple("fiu") else object
        value = self.replacement
        fits = value is None or isinstance(value, needed)
        if fits and value is not None and isinstance(sequence, str):
            fits = len(value) == 1  # more would be several tokens
        if fits and value is not None and kind in ("i", "u"):
            bounds = np.iinfo(sequence.dtype)
            fits = bounds.min <= value <= bounds.max and value == int(value)
        if not fits:
            raise ValueError(
                "The 'replacement' parameter of TokenDropout must be a token like "
                f"those of the sequence. Got {self.replacement!r} for {sequence!r:.60}."
            )

    def _change(self, tokens, rng):
        is_kept = rng.random(len(tokens)) >= self.probability
        if not is_kept.any():
            is_kept[rng.integers(len(tokens))] = True
        pairs = zip(tokens, is_kept, strict=True)
        if self.replacement is None:
            return [token for token, kept in pairs if kept]
        return [token if kept else self.replacement for token, kept in pairs]


class Swap(TokenAugmenter):
    """Swap neighbouring tokens of a sequence, as fast typists do.

    From the first token to the last, each is swapped with the next one with the same
    probability; a token that was swapped stays where it is, so that none moves by more
    than one place [1]_.

    Parameters
    ----------
    probability : float, default=0.1
        Probability that a token that has not moved is swapped with the next.

    Attributes
    ----------
    changes_frames : bool
        True.

    See Also
    --------
    TokenDropout : Leaves tokens out instead.

    Notes
    -----
    A str is a sequence of characters. To swap words, split it first.

    References
    ----------
    .. [1] Y. Belinkov and Y. Bisk, "Synthetic and natural noise both break neural
           machine translation", ICLR, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Swap
    >>> Swap(0.3)("neighbours", np.random.default_rng(0))
    'niehgbours'
    """

    _constraints: ClassVar = {"probability": UNIT_INTERVAL}

    def __init__(self, probability: float = 0.1):
        self.probability = probability

    def _change(self, tokens, rng):
        is_drawn = rng.random(len(tokens)) < self.probability
        place = 0
        while place < len(tokens) - 1:
            if is_drawn[place]:
                tokens[place : place + 2] = tokens[place + 1], tokens[place]
                place += 1
            place += 1
        return tokens
