"""How one text is cut into tokens, and how tokens become a text again."""

import numpy as np
import pytest

from skseq._data.tokenizers import TOKENIZERS, as_tokenizer, described


class Hyphens:
    """Cuts at hyphens and knows the way back."""

    def __call__(self, text):
        return text.split("-")

    def detokenize(self, tokens):
        return "-".join(tokens)


@pytest.mark.parametrize(
    ("tokenizer", "text", "tokens"),
    [
        ("word", "how are you", ["how", "are", "you"]),
        ("char", "a b", ["a", " ", "b"]),
        (Hyphens(), "a-b c", ["a", "b c"]),
        (str.split, "a b", ["a", "b"]),
    ],
)
def test_a_text_is_cut_and_put_together_again(tokenizer, text, tokens):
    found = as_tokenizer(tokenizer, "source_tokenizer", "E")
    assert found.split(text) == tokens
    assert found.join(tokens) == text


def test_without_detokenize_tokens_are_joined_by_a_space():
    assert as_tokenizer(list, "source_tokenizer", "E").join(["a", "b"]) == "a b"


def test_none_is_not_a_tokenizer():
    assert as_tokenizer(None, "source_tokenizer", "E") is None


@pytest.mark.parametrize("wrong", ["wordd", 3, ["word"]])
def test_what_is_not_a_tokenizer_is_refused_with_those_there_are(wrong):
    message = (
        r"'target_tokenizer' parameter of E must .* \{'word', 'char'\}, a callable"
    )
    with pytest.raises(ValueError, match=message):
        as_tokenizer(wrong, "target_tokenizer", "E")


def test_detokenize_must_return_a_text():
    tokenizer = Hyphens()
    tokenizer.detokenize = list
    join = as_tokenizer(tokenizer, "target_tokenizer", "E").join
    with pytest.raises(TypeError, match=r"detokenize of .*Hyphens.* a str\. Got list"):
        join(["a"])


def test_the_tokenizers_that_have_names_are_these():
    assert list(TOKENIZERS) == ["word", "char"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "int (1)"),
        (np.int64(1), "numpy.int64 (1)"),
        ("x" * 100, "str ('xxxxxxxxxxxx...xxxxxxxxxxxxx')"),
        (Hyphens, "type (<class"),
    ],
)
def test_a_value_is_described_by_its_class_and_its_content(value, text):
    assert described(value).startswith(text)
