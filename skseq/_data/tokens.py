"""Turns texts into token sequences and back.

Knows nothing of ids and nothing of Keras.
"""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from scipy import sparse as sp

from skseq._data.collections import (
    as_collection,
    check_n_samples,
    object_array,
    tensor_values,
)
from skseq._data.frames import check_unmasked
from skseq._data.tokenizers import (
    Tokenizer,
    as_tokenizer,
    described,
    is_auto,
    pick_tokenizer,
)

_INT64 = np.iinfo(np.int64)

_LEAVE_OUT = "Leave it out, and its label in y if it has one."

# What a sample may be to the user.
FORMS = ("text", "list", "tuple", "array")


@dataclass(frozen=True, eq=False)
class TokenSequences:
    """A checked collection of texts, or of token sequences.

    Parameters
    ----------
    sequences : list of list of str or int
        The tokens of each sample, all of one type, as plain Python scalars.
    form : {"text", "list", "tuple", "array"}
        What the user gave for each sample; "list" if it was not always the same.
    dtype : {"str", "object"} or name of an integer dtype, default=None
        What holds the tokens of an array; None for any other form.
    tokenizer : {"word", "char"}, callable or None, default=None
        What texts were cut by.
    """

    sequences: list
    form: str
    dtype: str | None = None
    tokenizer: Any = None

    def __len__(self):
        return len(self.sequences)


def check_tokens(
    texts,
    name,
    *,
    tokenizer,
    parameter,
    n_samples=None,
    may_be_empty=False,
    estimator_name,
):
    """Check a collection of texts and view it as token sequences.

    Parameters
    ----------
    texts : array-like or object with ``__len__`` and ``__getitem__``
        One str a sample, which is cut, or one list, tuple or 1-D array of tokens per
        sample, which is taken as it is.
    name : {"X", "y"}
        What `texts` are to the user.
    tokenizer : {"auto", "word", "char"}, callable or None
        "word" cuts at white space, "char" between characters, "auto" between characters
        if fewer than a tenth of the texts hold white space between other characters,
        and at white space otherwise. A callable takes a str and returns a list of
        non-empty str. None accepts token sequences only, whose tokens may be integers
        then.
    parameter : str or None
        The parameter of the estimator that sets `tokenizer`; None if it has none.
    n_samples : int, default=None
        Samples of X, if they must be matched.
    may_be_empty : bool, default=False
        Whether samples may have no tokens.
    estimator_name : str
        Who asks.

    Returns
    -------
    tokens : TokenSequences

    Raises
    ------
    TypeError
        If `texts`, a sample or a token is of a kind that is not supported.
    ValueError
        If a sample is missing or has no tokens, a token is empty or no valid text,
        `tokenizer` is unknown or fails, or samples are unlike one another.

    Examples
    --------
    >>> tokens = check_tokens(
    ...     ["how are you", "fine"],
    ...     "X",
    ...     tokenizer="word",
    ...     parameter="source_tokenizer",
    ...     estimator_name="Seq2SeqTranslator",
    ... )
    >>> tokens.sequences
    [['how', 'are', 'you'], ['fine']]
    >>> as_texts(tokens.sequences, tokens.form, "word")
    array(['how are you', 'fine'], dtype=object)
    """
    named = "word" if is_auto(tokenizer) else tokenizer
    cut = as_tokenizer(named, parameter, estimator_name)
    reader = _Reader(cut, parameter, may_be_empty)
    texts = _check_collection(texts, name, reader.content, n_samples, estimator_name)
    places = [f"{name}[{i}]" for i in range(len(texts))]
    forms, samples = zip(*map(reader.open, texts, places), strict=True)
    form = _common_form(forms, name)
    if is_auto(tokenizer) and form == "text":
        named = pick_tokenizer(samples)
        reader = replace(reader, tokenizer=as_tokenizer(named, parameter, name))
    sequences = list(map(reader.read, samples, places))
    _check_one_type(sequences, name)
    dtype = _common_dtype(samples, sequences) if form == "array" else None
    return TokenSequences(sequences, form, dtype, named)


def as_texts(sequences, form, tokenizer, dtype=None):
    """Give token sequences the form in which the user gave theirs.

    Parameters
    ----------
    sequences : iterable of list of str or int
        The tokens of each sample.
    form : {"text", "list", "tuple", "array"}
        What to make of each sample.
    tokenizer : {"word", "char"}, callable or None
        What `check_tokens` was given. Only for the form "text": words are joined by a
        space, characters by nothing. The tokens of a callable go to its method
        `detokenize` if it has one, and are joined by a space otherwise.
    dtype : str, default=None
        That of `TokenSequences`. Only for the form "array".

    Returns
    -------
    texts : ndarray of shape (n_samples,), dtype object

    Raises
    ------
    TypeError
        If `detokenize` returns no str.
    """
    if form == "text":
        join = as_tokenizer(tokenizer, "tokenizer", "as_texts").join
        return object_array(map(join, sequences))
    if form == "array":
        return object_array(np.array(tokens, dtype=dtype) for tokens in sequences)
    return object_array(map({"list": list, "tuple": tuple}[form], sequences))


def _check_collection(
    texts: Any, name: str, content: str, n_samples: int | None, estimator_name: str
) -> list:
    """Return the samples of what is an ordered collection of them, in one dimension."""
    if texts is None and name == "y":
        raise ValueError(
            f"This {estimator_name} estimator requires y to be passed, but the target "
            "y is None."
        )
    if texts is None:
        raise ValueError(f"{name} is None; expected a list of {content}.")
    if sp.issparse(texts):
        raise TypeError(
            f"Sparse {name} is not supported: pass {content}, not a document-term "
            "matrix."
        )
    texts = as_collection(texts, name, content)
    _check_one_dimension(texts, name, content)
    check_unmasked(texts, name)
    if n_samples is not None:
        check_n_samples(name, len(texts), n_samples)
    if len(texts) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) ({name} is empty) while a minimum of 1 is "
            f"required by {estimator_name}."
        )
    return [tensor_values(texts[i]) for i in range(len(texts))]


def _check_one_dimension(texts: Any, name: str, content: str) -> None:
    if not hasattr(texts, "shape") or len(texts.shape) == 1:
        return
    shape = tuple(texts.shape)
    if shape == ():
        raise TypeError(f"{name} must be a collection of {content}, got {texts!r}.")
    if hasattr(texts, "columns"):
        raise ValueError(
            f"{name} is a DataFrame of shape {shape}; pass one column of {content}, "
            f"e.g. {name}['text']."
        )
    raise ValueError(
        f"{name} is a {len(shape)}-D array; expected a 1-D collection of {content}. "
        f"Use {name}.ravel() for a column of texts, or list({name}) if each row is a "
        "token sequence without padding."
    )


@dataclass(frozen=True)
class _Reader:
    """Reads one sample at a time; a `place` is what messages call it, as X[3]."""

    tokenizer: Tokenizer | None
    parameter: str | None
    may_be_empty: bool

    @property
    def content(self) -> str:
        return "token sequences" if self.tokenizer is None else "texts or token lists"

    def open(self, item: Any, place: str) -> tuple[str, Any]:
        """Return the form of a sample, and the sample as a str or with its tokens."""
        _check_present(item, place)
        if isinstance(item, str):
            return "text", self._check_wanted(_as_str(item, place), place)
        if isinstance(item, Sequence):
            return "tuple" if isinstance(item, tuple) else "list", item
        if hasattr(item, "__array__") and getattr(item, "shape", None) != ():
            return "array", _as_vector(item, place)
        expected = "a string or a list of string tokens"
        if self.tokenizer is None:
            expected = "a list, tuple or 1-D array of tokens"
        raise TypeError(f"{place} must be {expected}, got {described(item)}.")

    def _check_wanted(self, text: str, place: str) -> str:
        if self.tokenizer is None:
            cure = f"Cut it into tokens, for example {place}.split()."
            if self.parameter is not None:
                cure = f'Set {self.parameter}="word" or "char" to have strings cut into'
                cure += " tokens."
            raise TypeError(
                f"{place} is a raw string ({reprlib.repr(text)}); a list, tuple or 1-D "
                f"array of tokens is required. {cure}"
            )
        return text

    def read(self, sample: Any, place: str) -> list:
        """Return the tokens of what `open` returned, as plain scalars."""
        if isinstance(sample, str):
            return self._plain(self._cut(sample, place), f"{self.parameter}({place})")
        if len(sample) == 0 and not self.may_be_empty:
            raise ValueError(f"{place} holds no tokens. Drop the sample.")
        return self._plain(list(sample), place)

    def _cut(self, text: str, place: str) -> list:
        source, shown = f"{self.parameter}({place})", reprlib.repr(text)
        try:
            tokens = self.tokenizer.split(text)
        except Exception as error:
            raise ValueError(f"{source} failed on {shown}: {error!r}.") from error
        if not isinstance(tokens, list | tuple):
            raise TypeError(f"{source} must be a list, got {described(tokens)}.")
        if not tokens and self.may_be_empty:
            return []
        if not tokens and not text.strip():
            raise ValueError(f"{place} is empty or only white space. Drop the sample.")
        if not tokens:
            raise ValueError(
                f"{place} holds no tokens: {self.parameter} finds none in {shown}. "
                "Drop the sample."
            )
        return list(tokens)

    def _plain(self, tokens: list, place: str) -> list:
        if _are_plain(tokens):
            return tokens
        return [self._token(token, f"{place}[{j}]") for j, token in enumerate(tokens)]

    def _token(self, token: Any, place: str) -> str | int:
        _check_not_bytes(token, place)
        if isinstance(token, str) and token == "":
            raise ValueError(f"{place} is an empty token. {_LEAVE_OUT}")
        if isinstance(token, str):
            return _as_str(token, place)
        if self.tokenizer is None and _is_integer(token):
            return _as_int(token, place)
        expected = "a string or integer" if self.tokenizer is None else "a string"
        cure = f" Set {self.parameter}=None to pass tokens that are not strings."
        raise TypeError(
            f"{place} must be {expected} token, got {described(token)}."
            f"{cure if _is_integer(token) else ''}"
        )


def _check_present(item: Any, place: str) -> None:
    is_nan = isinstance(item, float | np.floating) and np.isnan(item)
    if item is None or is_nan or type(item).__name__ in ("NAType", "NaTType"):
        raise ValueError(
            f"{place} is missing ({item}). Drop or fill missing texts first."
        )
    _check_not_bytes(item, place)


def _check_not_bytes(value: Any, place: str) -> None:
    if isinstance(value, bytes | bytearray):
        raise TypeError(f"{place} is bytes; decode it to str first.")


def _as_vector(item: Any, place: str) -> np.ndarray:
    check_unmasked(item, place)
    array = np.asarray(item)
    if array.ndim != 1:
        raise ValueError(
            f"{place} has {array.ndim} dimensions; a token list is 1-D. Pass "
            f"{place}.ravel() or a flat list."
        )
    return array


def _is_integer(value: Any) -> bool:
    # A bool, and a timedelta64 of NumPy, are integers too, by their classes.
    is_other = isinstance(value, bool | np.timedelta64)
    return isinstance(value, int | np.integer) and not is_other


def _as_int(token: Any, place: str) -> int:
    if not _INT64.min <= token <= _INT64.max:
        raise ValueError(
            f"{place} is {token}, which does not fit in 64 bits. Renumber the tokens, "
            "or pass them as strings."
        )
    return int(token)


def _as_str(text: str, place: str) -> str:
    """Return a plain str that can be encoded; NumPy's is a subclass."""
    position = _lone_surrogate(text)
    if position is not None:
        raise ValueError(
            f"{place} holds a lone surrogate and cannot be encoded as UTF-8 (position "
            f"{position}). Read the text again with errors='replace'."
        )
    return str.__str__(text)  # str() would give the name of a member of an Enum


def _are_plain(tokens: list) -> bool:
    """Tell, faster than token by token, that all is well."""
    are_str = set(map(type, tokens)) == {str} and "" not in tokens
    return are_str and _lone_surrogate("".join(tokens)) is None


def _lone_surrogate(text: str) -> int | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def _common_form(forms: Sequence[str], name: str) -> str:
    if len(set(forms)) == 1:
        return forms[0]
    if "text" in forms:
        other = next(i for i, form in enumerate(forms) if form != "text")
        raise ValueError(
            f"{name} mixes raw strings ({name}[{forms.index('text')}]) and token lists "
            f"({name}[{other}]). Cut the strings, or join the tokens."
        )
    return "list"


def _check_one_type(sequences: list[list], name: str) -> None:
    expected, first = None, ""
    for i, tokens in enumerate(sequences):
        for j, token in enumerate(tokens):
            if expected is None:
                expected, first = type(token), f"{name}[{i}][{j}]"
            if type(token) is not expected:
                raise ValueError(
                    f"{name} mixes token types: {expected.__name__} ({first}) and "
                    f"{type(token).__name__} ({name}[{i}][{j}]). Convert all tokens to "
                    "one type."
                )


def _common_dtype(arrays: Sequence[np.ndarray], sequences: list[list]) -> str:
    """Return the dtype that all arrays have, or else one that holds every token."""
    kinds = {array.dtype.kind for array in arrays}
    if isinstance(next(chain.from_iterable(sequences), ""), str):
        # Only an object array keeps a NUL character at the end of a token.
        return "str" if kinds == {"U"} else "object"
    names = {array.dtype.name for array in arrays}  # so in native byte order
    return names.pop() if len(names) == 1 and kinds <= {"i", "u"} else "int64"
