"""Turns tokens into integer ids and back.

The unknown token and the end have ids beyond those of all tokens, so no token of a user
can collide with them. Takes checked token sequences. Knows nothing of texts and nothing
of Keras.
"""

import reprlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np

from skseq._wording import counted

# NumPy's own strings would lose a NUL character at the end of a token.
_DTYPES = {str: np.dtype(object), int: np.dtype(np.int64)}


@dataclass(frozen=True, eq=False)
class TokenVocabulary:
    """The tokens that a model knows.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), dtype object (of str) or int64
        The tokens, sorted. The id of a token is its place among them.

    Attributes
    ----------
    unknown : int
        The id of every token that is not among `tokens`.
    end : int
        The id of the end of a sequence.
    n_ids : int
        The tokens, and these two.

    Examples
    --------
    >>> vocabulary = TokenVocabulary.fit([["b", "a"], ["b", "c"]], max_vocabulary=2)
    >>> vocabulary.tokens
    array(['a', 'b'], dtype=object)
    >>> vocabulary.unknown, vocabulary.end, vocabulary.n_ids
    (2, 3, 4)
    >>> vocabulary.encode([["b", "a"], ["c"]])
    [array([1, 0], dtype=int32), array([2], dtype=int32)]
    >>> vocabulary.decode([[1, 0]])
    [['b', 'a']]
    """

    tokens: np.ndarray

    @property
    def unknown(self):
        return len(self.tokens)

    @property
    def end(self):
        return len(self.tokens) + 1

    @property
    def n_ids(self):
        return len(self.tokens) + 2

    @classmethod
    def fit(cls, sequences, *, min_frequency=1, max_vocabulary=None, name="X"):
        """Collect the tokens that occur often.

        Parameters
        ----------
        sequences : list of list of str or int
            The tokens of each sample, all of one type.
        min_frequency : int, default=1
            How often a token must occur. Larger values leave more tokens unknown.
        max_vocabulary : int, default=None
            The most tokens to keep: the most frequent and, of equally frequent ones,
            the smallest. None keeps all.
        name : {"X", "y"}, default="X"
            What `sequences` are to the user.

        Returns
        -------
        vocabulary : TokenVocabulary

        Raises
        ------
        ValueError
            If no token occurs often enough.
        """
        counts = Counter(chain.from_iterable(sequences))
        frequent = [token for token, n in counts.items() if n >= min_frequency]
        if not frequent:
            most = max(counts.values(), default=0)
            raise ValueError(
                f"No token of {name} occurs min_frequency={min_frequency} times; the "
                f"most frequent one occurs {counted(most, 'time')}. Lower "
                f"min_frequency."
            )
        frequent.sort(key=lambda token: (-counts[token], token))
        tokens = sorted(frequent[:max_vocabulary])
        return cls(np.array(tokens, dtype=_DTYPES[type(tokens[0])]))

    @classmethod
    def from_array(cls, tokens):
        """Rebuild a vocabulary, trusting nothing.

        Parameters
        ----------
        tokens : ndarray of shape (n_tokens,)
            The `tokens` of a vocabulary.

        Returns
        -------
        vocabulary : TokenVocabulary

        Raises
        ------
        ValueError
            If `tokens` is not that of a vocabulary.
        """
        if not isinstance(tokens, np.ndarray) or tokens.ndim != 1 or len(tokens) == 0:
            raise ValueError(
                "The tokens of a vocabulary must be a 1-D array with entries. Got "
                f"{reprlib.repr(tokens)} instead."
            )
        plain = tokens.tolist()
        kinds = {(type(token), tokens.dtype) for token in plain}
        if not kinds <= _DTYPES.items():
            raise ValueError(
                "The tokens of a vocabulary must be an object array of str or an int64 "
                f"array. Got {reprlib.repr(tokens)} instead."
            )
        if plain[0] == "" or not all(a < b for a, b in pairwise(plain)):
            raise ValueError(
                "The tokens of a vocabulary must be sorted, distinct and not empty."
            )
        return cls(tokens)

    def check_type(self, sequences, name="X"):
        """Refuse tokens of another type than those of the vocabulary.

        Parameters
        ----------
        sequences : list of list of str or int
            The tokens of each sample, all of one type.
        name : {"X", "y"}, default="X"
            What `sequences` are to the user.

        Raises
        ------
        TypeError
            If the tokens are integers and those of the vocabulary strings, or the
            reverse.
        """
        own, other = type(self.tokens.tolist()[0]), type(sequences[0][0])
        if own is not other:
            raise TypeError(
                f"{name} must hold tokens of the type that training saw, which is "
                f"{own.__name__}. Got {name}[0][0]={reprlib.repr(sequences[0][0])}, of "
                f"type {other.__name__}, instead. Convert the tokens, or fit again."
            )

    def encode(self, sequences):
        """Replace each token by its id, and tokens without one by `unknown`.

        Parameters
        ----------
        sequences : list of list of str or int
            The tokens of each sample.

        Returns
        -------
        ids : list of ndarray of shape (n_tokens,), dtype int32
        """
        ids, unknown = self._ids, self.unknown
        return [
            np.array([ids.get(token, unknown) for token in tokens], dtype=np.int32)
            for tokens in sequences
        ]

    @cached_property
    def _ids(self) -> dict:
        """The id of each token."""
        return {token: i for i, token in enumerate(self.tokens.tolist())}

    def decode(self, ids):
        """Replace each id by its token.

        Parameters
        ----------
        ids : list of array-like of shape (n_tokens,), dtype int
            Ids of tokens, without `unknown` and `end`.

        Returns
        -------
        sequences : list of list of str or int

        Raises
        ------
        ValueError
            If an id is not the id of a token.
        """
        ids = [np.asarray(sample, dtype=np.intp) for sample in ids]
        for i, sample in enumerate(ids):
            strange = sample[(sample < 0) | (sample >= len(self.tokens))]
            if len(strange):
                raise ValueError(
                    f"ids[{i}] holds {strange[0]}, which is not the id of a token; the "
                    f"ids are 0 to {len(self.tokens) - 1}."
                )
        return [self.tokens[sample].tolist() for sample in ids]
