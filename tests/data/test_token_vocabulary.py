"""Which tokens get an id, and that no text of a user can be taken for another."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest

from skseq._data.token_vocabulary import TokenVocabulary
from skseq._files.plain import pack, unpack

WORDS = [s.split() for s in ("the cat sat", "the dog sat", "a bird sat on the dog")]
VOCABULARIES = {
    "words": WORDS,
    "one token": [["a"]],
    "integers": [[3, -1, 2**63 - 1], [-(2**63)]],
    "NUL characters": [["a", "a\0", "\0", "\0\0", "a\0b"]],
    "names of special tokens": [["<eos>", "<unk>", "<pad>", "<s>"]],
    "outside the basic plane": [["👩‍👩‍👧", "שלום", "é", "e\u0301"]],
    "a very long token": [["x" * 100_000, "y"]],
}


def ids_of(vocabulary, sequences):
    return [ids.tolist() for ids in vocabulary.encode(sequences)]


@pytest.mark.parametrize("sequences", VOCABULARIES.values(), ids=VOCABULARIES)
def test_encode_and_decode_are_inverse(sequences):
    vocabulary = TokenVocabulary.fit(sequences)
    decoded = vocabulary.decode(vocabulary.encode(sequences))
    assert decoded == sequences
    assert {type(token) for tokens in decoded for token in tokens} <= {str, int}


@pytest.mark.parametrize("sequences", VOCABULARIES.values(), ids=VOCABULARIES)
def test_the_id_of_a_token_is_its_place_among_the_sorted_tokens(sequences):
    expected = sorted({token for tokens in sequences for token in tokens})
    vocabulary = TokenVocabulary.fit(sequences)
    assert vocabulary.tokens.tolist() == expected
    assert ids_of(vocabulary, [expected]) == [list(range(len(expected)))]


@pytest.mark.parametrize("sequences", VOCABULARIES.values(), ids=VOCABULARIES)
def test_tokens_the_unknown_one_and_the_end_share_no_id(sequences):
    vocabulary = TokenVocabulary.fit(sequences)
    ids = {i for tokens in ids_of(vocabulary, sequences) for i in tokens}
    special = {vocabulary.unknown, vocabulary.end}
    assert ids | special == set(range(vocabulary.n_ids))
    assert not ids & special
    assert len(special) == 2


@pytest.mark.parametrize("sequences", VOCABULARIES.values(), ids=VOCABULARIES)
def test_a_vocabulary_survives_a_file(sequences):
    tokens = TokenVocabulary.fit(sequences).tokens
    restored = TokenVocabulary.from_array(unpack(*pack(tokens)))
    assert restored.tokens.tolist() == tokens.tolist()
    assert restored.tokens.dtype == tokens.dtype


@pytest.mark.parametrize("token", ["fish", "", "<unk>", "THE", "the\0", 0, 4])
def test_what_fit_did_not_see_is_unknown_and_no_error(token):
    vocabulary = TokenVocabulary.fit(WORDS)
    assert ids_of(vocabulary, [["the", token], []]) == [[6, vocabulary.unknown], []]


@pytest.mark.parametrize("name", ["X", "y"])
@pytest.mark.parametrize(
    ("own", "other"), [(WORDS, [[3, 1], [2]]), ([[3, 1], [2]], WORDS)]
)
def test_tokens_of_which_none_can_be_known_are_refused(own, other, name):
    vocabulary = TokenVocabulary.fit(own)
    vocabulary.check_type(own, name)
    vocabulary.check_type([[type(own[0][0])(7)]], name)
    saw, got = type(own[0][0]).__name__, type(other[0][0]).__name__
    message = (
        rf"^{name} must hold tokens of the type that training saw, which is {saw}\. "
        rf"Got {name}\[0\]\[0\]={other[0][0]!r}, of type {got}, instead\."
    )
    with pytest.raises(TypeError, match=message):
        vocabulary.check_type(other, name)


def test_ids_are_of_the_dtype_of_embeddings():
    dtypes = {ids.dtype for ids in TokenVocabulary.fit(WORDS).encode([["a"], []])}
    assert dtypes == {np.dtype(np.int32)}


@pytest.fixture
def many_tokens():
    rng = np.random.default_rng(0)
    return [rng.zipf(1.5, size=20).clip(max=60).tolist() for _ in range(30)]


@pytest.mark.parametrize("as_type", [int, str])
@pytest.mark.parametrize("max_vocabulary", [None, 1, 7, 10_000])
@pytest.mark.parametrize("min_frequency", [1, 2, 5])
def test_the_most_frequent_tokens_are_kept(
    many_tokens, as_type, min_frequency, max_vocabulary
):
    sequences = [list(map(as_type, tokens)) for tokens in many_tokens]
    # In the order of the tokens, so that ties go to the smaller one.
    counts = Counter(sorted(chain.from_iterable(sequences)))
    expected = [t for t, n in counts.most_common(max_vocabulary) if n >= min_frequency]
    vocabulary = TokenVocabulary.fit(
        sequences, min_frequency=min_frequency, max_vocabulary=max_vocabulary
    )
    assert vocabulary.tokens.tolist() == sorted(expected)


def test_of_equally_frequent_tokens_the_smaller_is_kept():
    sequences = [["c", "b", "a", "d", "d"]]
    vocabulary = TokenVocabulary.fit(sequences, max_vocabulary=3)
    assert vocabulary.tokens.tolist() == ["a", "b", "d"]


def test_an_empty_vocabulary_is_refused_with_the_frequency_that_would_do():
    match = (
        r"^No token of y occurs min_frequency=4 times; the most frequent one occurs "
        r"3 times\. Lower min_frequency\.$"
    )
    with pytest.raises(ValueError, match=match):
        TokenVocabulary.fit(WORDS, min_frequency=4, name="y")


@pytest.mark.parametrize("strange", [-1, 7, 8, 9])
def test_only_the_ids_of_tokens_are_decoded(strange):
    vocabulary = TokenVocabulary.fit(WORDS)
    assert (vocabulary.unknown, vocabulary.end, vocabulary.n_ids) == (7, 8, 9)
    with pytest.raises(ValueError, match=rf"^ids\[1\] holds {strange}, .* 0 to 6"):
        vocabulary.decode([[0, 6], [0, strange]])


def test_nothing_is_decoded_to_nothing():
    assert TokenVocabulary.fit(WORDS).decode([[], np.array([])]) == [[], []]


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        ["a", "b"],
        "ab",
        np.array("a", object),
        np.array([], object),
        np.array([], np.int64),
        np.array([["a"], ["b"]], object),
        np.array(["a", "b"]),
        np.array([1, 2], np.int32),
        np.array([1, 2], np.uint64),
        np.array([1, 2], object),
        np.array([1.0]),
        np.array([False, True]),
        np.array([1, 2], "M8[ns]"),
        np.array(["a", 1], object),
        np.array(["a", None], object),
        np.array(["a", np.str_("b")], object),
        np.array([["a"], None], object),
        np.array(["b", "a"], object),
        np.array(["a", "a"], object),
        np.array([2, 1]),
        np.array([1, 1]),
        np.array(["", "a"], object),
    ],
    ids=repr,
)
def test_a_foreign_array_is_not_a_vocabulary(tokens):
    with pytest.raises(ValueError, match=r"^The tokens of a vocabulary must be"):
        TokenVocabulary.from_array(tokens)
