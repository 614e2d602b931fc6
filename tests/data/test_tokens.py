"""What is accepted as texts, the sentence that refuses the rest, and the way back."""

import enum
import io
import re
from collections import deque

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse as sp

from skseq._data.tokenizers import TOKENIZERS
from skseq._data.tokens import as_texts, check_tokens


def check(texts, tokenizer="word", name="X", n_samples=None):
    parameter = {"X": "source_tokenizer", "y": "target_tokenizer"}[name]
    return check_tokens(
        texts,
        name,
        tokenizer=tokenizer,
        parameter=parameter,
        n_samples=n_samples,
        estimator_name="E",
    )


def there_and_back(texts, tokenizer):
    tokens = check(texts, tokenizer)
    return as_texts(tokens.sequences, tokens.form, tokenizer, tokens.dtype)


def assert_refused(error, message, texts, *args, **kwargs):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        check(texts, *args, **kwargs)


TOO_FEW = "Found array with 0 sample(s) (X is empty) while a minimum of 1 is required"
BAD_X = {
    "None": (
        None,
        ValueError,
        "X is None; expected a list of texts or token lists.",
    ),
    "one string": (
        "how are you",
        TypeError,
        "X must be a collection of texts or token lists, got a single str 'how are "
        "you'. Did you mean [X]?",
    ),
    "bytes": (
        b"how",
        TypeError,
        "X must be a collection of texts or token lists, got a single bytes b'how'. "
        "Did you mean [X]?",
    ),
    "int": (
        3,
        TypeError,
        "X must be a collection of texts or token lists, got 3.",
    ),
    "0-D array": (
        np.array("how"),
        TypeError,
        "X must be a collection of texts or token lists, got array('how'",
    ),
    "dict": (
        {0: "a"},
        TypeError,
        "X must be an ordered collection of texts or token lists, got dict.",
    ),
    "set": (
        {"a"},
        TypeError,
        "X must be an ordered collection of texts or token lists, got set.",
    ),
    "generator": (
        (text for text in "ab"),
        TypeError,
        "X must have a length and be indexable, got generator. Convert it with "
        "list(X).",
    ),
    "map": (
        map(str, [1]),
        TypeError,
        "X must have a length and be indexable, got map. Convert it with list(X).",
    ),
    "file": (
        io.StringIO("a\nb"),
        TypeError,
        "X must have a length and be indexable, got StringIO. Convert it with list(X).",
    ),
    "empty list": ([], ValueError, f"{TOO_FEW} by E."),
    "empty array": (np.array([], str), ValueError, f"{TOO_FEW} by E."),
    "DataFrame": (
        pd.DataFrame({"text": ["a"]}),
        ValueError,
        "X is a DataFrame of shape (1, 1); pass one column of texts or token lists, "
        "e.g. X['text'].",
    ),
    "polars DataFrame": (
        pl.DataFrame({"text": ["a"]}),
        ValueError,
        "X is a DataFrame of shape (1, 1); pass one column",
    ),
    "column": (
        np.array([["a"], ["b"]]),
        ValueError,
        "X is a 2-D array; expected a 1-D collection of texts or token lists. Use "
        "X.ravel() for a column of texts",
    ),
    "two columns": (
        np.array([["a", "b"]]),
        ValueError,
        "X is a 2-D array; expected a 1-D collection of texts or token lists. Use "
        "X.ravel() for a column of texts, or list(X) if each row is a token sequence "
        "without padding.",
    ),
    "document-term matrix": (
        sp.csr_array(np.eye(2)),
        TypeError,
        "Sparse X is not supported: pass texts or token lists, not a document-term "
        "matrix.",
    ),
    "masked array": (
        np.ma.array(["a", "b"], mask=[False, True]),
        ValueError,
        "X is a masked array with 1 masked value",
    ),
    "ints": (
        [1, 2],
        TypeError,
        "X[0] must be a string or a list of string tokens, got int (1).",
    ),
    "float array": (
        np.zeros(2),
        TypeError,
        "X[0] must be a string or a list of string tokens, got numpy.float64 (0.0).",
    ),
    "a missing text": (
        ["a", None],
        ValueError,
        "X[1] is missing (None). Drop or fill missing texts first.",
    ),
    "a missing text of pandas": (
        pd.Series(["a", np.nan], dtype=object),
        ValueError,
        "X[1] is missing (nan). Drop or fill missing texts first.",
    ),
    "a missing text of pandas' str dtype": (
        pd.Series(["a", np.nan], dtype="str"),
        ValueError,
        "X[1] is missing (nan). Drop or fill missing texts first.",
    ),
    "pd.NA": (
        pd.Series(["a", pd.NA], dtype="string"),
        ValueError,
        "X[1] is missing (<NA>). Drop or fill missing texts first.",
    ),
    "polars null": (
        pl.Series(["a", None]),
        ValueError,
        "X[1] is missing (None). Drop or fill missing texts first.",
    ),
    "bytes in a list": (
        [b"a", "b"],
        TypeError,
        "X[0] is bytes; decode it to str first.",
    ),
    "bytes in an array": (
        np.array([b"a", b"b"]),
        TypeError,
        "X[0] is bytes; decode it to str first.",
    ),
    "empty text": (
        ["", "b"],
        ValueError,
        "X[0] is empty or only white space. Drop the sample.",
    ),
    "whitespace": (
        [" \t\n", "b"],
        ValueError,
        "X[0] is empty or only white space. Drop the sample.",
    ),
    "no-break space": (
        ["\xa0", "b"],
        ValueError,
        "X[0] is empty or only white space. Drop the sample.",
    ),
    "empty token list": (
        [[], ["b"]],
        ValueError,
        "X[0] holds no tokens. Drop the sample.",
    ),
    "empty token array": (
        [np.array([]), ["b"]],
        ValueError,
        "X[0] holds no tokens. Drop the sample.",
    ),
    "empty token": (
        [["a", ""]],
        ValueError,
        "X[0][1] is an empty token. Leave it out, and its label in y",
    ),
    "int token": (
        [[1, "a"]],
        TypeError,
        "X[0][0] must be a string token, got int (1). Set source_tokenizer=None to "
        "pass tokens that are not strings.",
    ),
    "NumPy int token": (
        [np.array([1, 2])],
        TypeError,
        "X[0][0] must be a string token, got numpy.int64 (1). Set source_tokenizer="
        "None to pass tokens that are not strings.",
    ),
    "None token": (
        [["a", None]],
        TypeError,
        "X[0][1] must be a string token, got NoneType (None).",
    ),
    "bytes token": (
        [["a", b"b"]],
        TypeError,
        "X[0][1] is bytes; decode it to str first.",
    ),
    "nested token": (
        [[["a"]]],
        TypeError,
        "X[0][0] must be a string token, got list (['a']).",
    ),
    "strings and lists": (
        ["a", ["b"]],
        ValueError,
        "X mixes raw strings (X[0]) and token lists (X[1]). Cut the strings, or join "
        "the tokens.",
    ),
    "arrays and strings": (
        [np.array(["a"]), ["b"], "c"],
        ValueError,
        "X mixes raw strings (X[2]) and token lists (X[0]).",
    ),
    "2-D token array": (
        [np.array([["a"]])],
        ValueError,
        "X[0] has 2 dimensions; a token list is 1-D. Pass X[0].ravel() or a flat list.",
    ),
    "masked token array": (
        [np.ma.array(["a", "b"], mask=[False, True])],
        ValueError,
        "X[0] is a masked array with 1 masked value",
    ),
    "0-D token array": (
        [np.array("a")],
        TypeError,
        "X[0] must be a string or a list of string tokens, got numpy.ndarray (array(",
    ),
    "dict in a list": (
        [{"a": 1}],
        TypeError,
        "X[0] must be a string or a list of string tokens, got dict ({'a': 1}).",
    ),
    "set in a list": (
        [{"a"}],
        TypeError,
        "X[0] must be a string or a list of string tokens, got set ({'a'}).",
    ),
    "lone surrogate": (
        ["a\ud800b"],
        ValueError,
        "X[0] holds a lone surrogate and cannot be encoded as UTF-8 (position 1).",
    ),
    "lone surrogate in a token": (
        [["a", "b\udc00"]],
        ValueError,
        "X[0][1] holds a lone surrogate and cannot be encoded as UTF-8 (position 1).",
    ),
    "two halves of a pair, in two tokens": (
        [["a\ud83d", "\ude00b"]],
        ValueError,
        "X[0][0] holds a lone surrogate",
    ),
}


@pytest.mark.parametrize(("X", "error", "message"), BAD_X.values(), ids=BAD_X)
def test_bad_texts_are_refused_by_name(X, error, message):
    assert_refused(error, message, X)


BAD_Y = {
    "None": (
        None,
        ValueError,
        "This E estimator requires y to be passed, but the target y is None.",
    ),
    "one string": (
        "ab",
        TypeError,
        "y must be a collection of texts or token lists, got a single str 'ab'. Did "
        "you mean [y]?",
    ),
    "one text too few": (
        ["a"],
        ValueError,
        "Found input variables with inconsistent numbers of samples: [2, 1]",
    ),
    "empty": (
        [],
        ValueError,
        "Found input variables with inconsistent numbers of samples: [2, 0]",
    ),
    "ints": (
        [1, 2],
        TypeError,
        "y[0] must be a string or a list of string tokens, got int (1).",
    ),
    "int tokens": (
        [[1], [2]],
        TypeError,
        "y[0][0] must be a string token, got int (1). Set target_tokenizer=None to "
        "pass tokens that are not strings.",
    ),
    "empty text": (["", "b"], ValueError, "y[0] is empty or only white space."),
    "a missing text": (["a", None], ValueError, "y[1] is missing (None)."),
    "bytes": ([b"a", "b"], TypeError, "y[0] is bytes; decode it to str first."),
    "DataFrame": (
        pd.DataFrame({"text": ["a", "b"]}),
        ValueError,
        "y is a DataFrame of shape (2, 1); pass one column of texts or token lists, "
        "e.g. y['text'].",
    ),
    "strings and lists": (
        ["a", ["b"]],
        ValueError,
        "y mixes raw strings (y[0]) and token lists (y[1]).",
    ),
    "generator": (
        (text for text in "ab"),
        TypeError,
        "y must have a length and be indexable, got generator. Convert it with "
        "list(y).",
    ),
}


@pytest.mark.parametrize(("y", "error", "message"), BAD_Y.values(), ids=BAD_Y)
def test_bad_target_texts_are_refused_by_name(y, error, message):
    assert_refused(error, message, y, name="y", n_samples=2)


BAD_SEQUENCES = {
    "None": (None, ValueError, "X is None; expected a list of token sequences."),
    "a string": (
        [["a"], "ab"],
        TypeError,
        "X[1] is a raw string ('ab'); a list, tuple or 1-D array of tokens is "
        'required. Set source_tokenizer="word" or "char" to have strings cut into '
        "tokens.",
    ),
    "an array of strings": (
        np.array(["a b", "c"]),
        TypeError,
        "X[0] is a raw string ('a b')",
    ),
    "a matrix": (
        np.zeros((3, 2), int),
        ValueError,
        "X is a 2-D array; expected a 1-D collection of token sequences. Use X.ravel() "
        "for a column of texts, or list(X) if each row is a token sequence",
    ),
    "an int": (
        [1],
        TypeError,
        "X[0] must be a list, tuple or 1-D array of tokens, got int (1).",
    ),
    "a set": (
        [{1, 2}],
        TypeError,
        "X[0] must be a list, tuple or 1-D array of tokens, got set ({1, 2}).",
    ),
    "bool token": (
        [[1, True]],
        TypeError,
        "X[0][1] must be a string or integer token, got bool (True).",
    ),
    "NumPy bool token": (
        [np.array([True])],
        TypeError,
        "X[0][0] must be a string or integer token, got numpy.bool (True).",
    ),
    "float token": (
        [[1, 2.0]],
        TypeError,
        "X[0][1] must be a string or integer token, got float (2.0).",
    ),
    "float array": (
        [np.array([1]), np.array([1.0])],
        TypeError,
        "X[1][0] must be a string or integer token, got numpy.float64 (1.0).",
    ),
    "dates": (
        [np.array(["2020-01-01"], "M8[ns]")],
        TypeError,
        "X[0][0] must be a string or integer token, got numpy.datetime64 (",
    ),
    "durations": (
        [np.array([1], "m8[ns]")],
        TypeError,
        "X[0][0] must be a string or integer token, got numpy.timedelta64 (",
    ),
    "None token": (
        [[1, None]],
        TypeError,
        "X[0][1] must be a string or integer token, got NoneType (None).",
    ),
    "empty token": ([["a", ""]], ValueError, "X[0][1] is an empty token."),
    "no token": ([[1], ()], ValueError, "X[1] holds no tokens. Drop the sample."),
    "ints and strings": (
        [[1], [2, "a"]],
        ValueError,
        "X mixes token types: int (X[0][0]) and str (X[1][1]). Convert all tokens to "
        "one type.",
    ),
    "too large an int": (
        [[1, 2**63]],
        ValueError,
        "X[0][1] is 9223372036854775808, which does not fit in 64 bits.",
    ),
    "too large an unsigned int": (
        [np.array([2**64 - 1], np.uint64)],
        ValueError,
        "X[0][0] is 18446744073709551615, which does not fit in 64 bits.",
    ),
    "too small an int": (
        [[-(2**63) - 1]],
        ValueError,
        "X[0][0] is -9223372036854775809, which does not fit in 64 bits.",
    ),
}


@pytest.mark.parametrize(
    ("X", "error", "message"), BAD_SEQUENCES.values(), ids=BAD_SEQUENCES
)
def test_bad_token_sequences_are_refused_by_name(X, error, message):
    assert_refused(error, message, X, tokenizer=None)


def failing(text):
    return {"known": ["known"]}[text]


BAD_TOKENIZERS = {
    "unknown name": (
        "wordd",
        "The 'source_tokenizer' parameter of E must be a str among {'word', 'char'}, a "
        "callable or None. Got 'wordd' instead.",
    ),
    "no tokenizer": (
        ["word"],
        "The 'source_tokenizer' parameter of E must be a str among {'word', 'char'}, a "
        "callable or None. Got ['word'] instead.",
    ),
    "raises": (
        failing,
        "source_tokenizer(X[1]) failed on 'new': KeyError('new')",
    ),
    "returns a str": (
        str.upper,
        "source_tokenizer(X[0]) must be a list, got str ('KNOWN').",
    ),
    "returns nothing": (
        lambda text: None,
        "source_tokenizer(X[0]) must be a list, got NoneType (None).",
    ),
    "returns an iterator": (
        iter,
        "source_tokenizer(X[0]) must be a list, got str_ascii_iterator (",
    ),
    "finds no token": (
        lambda text: [text] * (text == "known"),
        "X[1] holds no tokens: source_tokenizer finds none in 'new'. Drop the sample.",
    ),
    "returns ids": (
        lambda text: [text, 7],
        "source_tokenizer(X[0])[1] must be a string token, got int (7). Set "
        "source_tokenizer=None to pass tokens that are not strings.",
    ),
    "returns an empty token": (
        lambda text: ["a", ""],
        "source_tokenizer(X[0])[1] is an empty token.",
    ),
    "returns a lone surrogate": (
        lambda text: ("a", "\ud800"),
        "source_tokenizer(X[0])[1] holds a lone surrogate",
    ),
}


@pytest.mark.parametrize(
    ("tokenizer", "message"), BAD_TOKENIZERS.values(), ids=BAD_TOKENIZERS
)
def test_a_bad_tokenizer_is_refused_with_its_parameter(tokenizer, message):
    assert_refused((TypeError, ValueError), message, ["known", "new"], tokenizer)


def test_the_exception_of_a_tokenizer_is_kept_as_the_cause():
    with pytest.raises(ValueError, match="failed on") as caught:
        check(["known", "new"], failing)
    assert isinstance(caught.value.__cause__, KeyError)


TEXTS = {
    "list": ["a b", "c"],
    "tuple": ("a b", "c"),
    "deque": deque(["a b", "c"]),
    "np.str_": [np.str_("a b"), np.str_("c")],
    "string array": np.array(["a b", "c"]),
    "object array": np.array(["a b", "c"], dtype=object),
    "variable-width string array": np.array(["a b", "c"], np.dtypes.StringDType()),
    "pandas Series with odd index": pd.Series(["a b", "c"], index=[7, 0]),
    "pandas Categorical": pd.Categorical(["a b", "c"]),
    "pandas Index": pd.Index(["a b", "c"]),
    "polars Series": pl.Series(["a b", "c"]),
}


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_every_collection_of_texts_is_cut_alike(texts):
    tokens = check(texts)
    assert tokens.sequences == [["a", "b"], ["c"]]
    assert {type(token) for sequence in tokens.sequences for token in sequence} == {str}
    assert (tokens.form, tokens.dtype, len(tokens)) == ("text", None, 2)
    assert check(texts, "char").sequences == [["a", " ", "b"], ["c"]]


class Enumerated(str, enum.Enum):  # noqa: UP042, the kind whose str() is its name
    A = "a"


SEQUENCES = {
    "lists": ([["a", "b c"], ["a"]], "list", None),
    "tuples": ([("a", "b c"), ("a",)], "tuple", None),
    "lists and tuples": ([["a", "b c"], ("a",)], "list", None),
    "lists and arrays": ([["a", "b c"], np.array(["a"])], "list", None),
    "arrays": ([np.array(["a", "b c"]), np.array(["a"])], "array", "str"),
    "object arrays": (
        [np.array(["a", "b c"], object), np.array(["a"])],
        "array",
        "object",
    ),
    "np.str_": ([[np.str_("a"), np.str_("b c")], ["a"]], "list", None),
    "members of an Enum": ([[Enumerated.A, "b c"], ["a"]], "list", None),
    "Series of lists": (pd.Series([["a", "b c"], ["a"]], [3, 1]), "list", None),
    "Series of Series": (
        [pd.Series(["a", "b c"], [3, 1]), pd.Series(["a"], [9])],
        "array",
        "object",
    ),
    "polars Series of lists": (pl.Series([["a", "b c"], ["a"]]), "array", "str"),
    "deques": ([deque(["a", "b c"]), deque("a")], "list", None),
}


@pytest.mark.parametrize("tokenizer", ["word", "char", failing, None])
@pytest.mark.parametrize(("X", "form", "dtype"), SEQUENCES.values(), ids=SEQUENCES)
def test_tokens_are_taken_as_they_are(X, form, dtype, tokenizer):
    tokens = check(X, tokenizer)
    assert tokens.sequences == [["a", "b c"], ["a"]]
    assert {type(token) for sequence in tokens.sequences for token in sequence} == {str}
    assert (tokens.form, tokens.dtype) == (form, dtype)


INTEGERS = {
    "lists": ([[1, 2], [3]], "list", None),
    "ranges": ([range(1, 3), range(3, 4)], "list", None),
    "np.int16": ([(np.int16(1), 2), (3,)], "tuple", None),
    "int64": ([np.array([1, 2]), np.array([3])], "array", "int64"),
    "int8": ([np.array([1, 2], "i1"), np.array([3], "i1")], "array", "int8"),
    "big-endian": ([np.array([1, 2], ">u2"), np.array([3], "<u2")], "array", "uint16"),
    "int8, int16": ([np.array([1, 2], "i1"), np.array([3], "i2")], "array", "int64"),
    "objects": ([np.array([1, 2], object), np.array([3], object)], "array", "int64"),
}


@pytest.mark.parametrize(("X", "form", "dtype"), INTEGERS.values(), ids=INTEGERS)
def test_integers_are_tokens_without_a_tokenizer(X, form, dtype):
    tokens = check(X, None)
    assert tokens.sequences == [[1, 2], [3]]
    assert {type(token) for sequence in tokens.sequences for token in sequence} == {int}
    assert (tokens.form, tokens.dtype) == (form, dtype)


STRANGE = {
    "letter": "a",
    "NUL": "\0",
    "NUL at the end": "a\0",
    "NUL between": "a\0b c\0",
    "emoji": "👩‍👩‍👧 👍🏽",
    "right to left": "שלום עולם",
    "composed and not": "e\u0301 é",
    "very long": "ab " * 100_000 + "c",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("tokenizer", ["char", "word", lambda text: text.split(" ")])
def test_strange_texts_come_back_as_they_went_in(text, tokenizer):
    assert there_and_back([text, "b"], tokenizer).tolist() == [text, "b"]


def test_characters_keep_all_whitespace_and_words_only_that_it_is_there():
    text = " a \t b\xa0c\n"
    assert there_and_back([text], "char").tolist() == [text]
    assert there_and_back([text], "word").tolist() == ["a b c"]


def test_whitespace_is_a_text_of_characters():
    assert check([" "], "char").sequences == [[" "]]


class Hyphens:
    """Cuts at hyphens and knows the way back."""

    def __call__(self, text):
        return tuple(text.split("-"))

    def detokenize(self, tokens):
        return "-".join(tokens)


def test_a_callable_with_detokenize_is_exactly_undone():
    texts = ["a-b c-d", "e"]
    assert check(texts, Hyphens()).sequences == [["a", "b c", "d"], ["e"]]
    assert there_and_back(texts, Hyphens()).tolist() == texts


def test_the_tokens_of_another_callable_are_joined_by_a_space():
    assert there_and_back(["a-b", "c"], Hyphens().__call__).tolist() == ["a b", "c"]


def test_a_tokenizer_is_called_with_no_subclass_of_str():
    seen = []
    check(np.array(["a", "b"]), lambda text: seen.append(type(text)) or [text])
    assert seen == [str, str]


@pytest.mark.parametrize("tokenizer", [*TOKENIZERS, Hyphens(), list])
def test_a_sequence_that_ended_at_once_is_an_empty_text(tokenizer):
    assert as_texts([[], ["a"]], "text", tokenizer).tolist() == ["", "a"]


@pytest.mark.parametrize(
    "X",
    [
        [["a", "b\0"], ["c", "d"]],
        [("a", "b"), ("c", "d")],
        [[1, 2], [3, 4]],
        [np.array(["a", "bc"]), np.array(["d", "e"])],
        [np.array(["a", "b\0"], object), np.array(["c", "d"], object)],
        [np.array([1, 2], "u1"), np.array([3, 4], "u1")],
    ],
    ids=repr,
)
def test_token_sequences_come_back_as_they_went_in(X):
    back = there_and_back(X, None)
    assert back.shape == (2,)
    for sequence, original in zip(back, X, strict=True):
        assert type(sequence) is type(original)
        assert list(sequence) == list(original)
        assert getattr(sequence, "dtype", 0) == getattr(original, "dtype", 0)


@pytest.mark.parametrize("dtype", ["str", "object", "int8", "int64"])
def test_an_array_without_tokens_has_the_dtype_of_the_others(dtype):
    (array,) = as_texts([[]], "array", None, dtype)
    assert array.shape == (0,)
    assert array.dtype.kind == np.dtype(dtype).kind


def test_what_is_given_is_not_changed():
    X = [["a", np.str_("b")], ["c"]]
    tokens = check(X)
    tokens.sequences[1].append("d")
    assert X == [["a", "b"], ["c"]]
    assert type(X[0][1]) is np.str_


def test_samples_are_fetched_once():
    class Lazy:
        asked: list = []  # noqa: RUF012

        def __len__(self):
            return 2

        def __getitem__(self, i):
            self.asked.append(i)
            return ["a", "b"][i]

    assert check(Lazy()).sequences == [["a"], ["b"]]
    assert Lazy.asked == [0, 1]


@pytest.mark.parametrize(
    ("texts", "picked"),
    [
        (["ab", "cd"], "char"),
        ([" ab ", "cd\n"], "char"),
        (["ab cd", "ef"], "word"),
        (["ab"] * 10 + ["ab cd"], "char"),
        (["ab"] * 9 + ["ab cd"], "word"),
        (["\u4f60\u597d", "\u518d\u89c1\u3002"], "char"),
        ([["ab"], ["cd"]], "word"),
        (["3 may", "4 may"], "char"),
        (["on monday at 3 o'clock"] * 9, "char"),
        (["in the spring of 1979 she left the far east"] * 9, "char"),
        (["in the year of 79 she left them all alone again"] * 9, "word"),
        ([f"{a} {b}" for a in "abcde" for b in "vwxyz"], "word"),
        ([f"{a}n o{a}" for a in "abcdefg"], "char"),  # each word once
        ([f"{a}n o{a}" for a in "abcd"], "word"),  # too few to tell
    ],
)
def test_auto_picks_characters_where_words_are_rare_or_from_no_known_set(texts, picked):
    options = {"parameter": "source_tokenizer", "estimator_name": "Reader"}
    found = check_tokens(texts, "X", tokenizer="auto", **options)
    expected = check_tokens(texts, "X", tokenizer=picked, **options)
    assert found.tokenizer == picked
    assert found.sequences == expected.sequences
