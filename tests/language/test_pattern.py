"""Patterns beside `re.fullmatch`, over all texts of a few labels."""

import doctest
import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone

from skseq.language import LabelPattern, _pattern
from tests.language.sequences import weights_by_text

CLASSES = ["1", "_", "a", "b"]
ATOMS = [
    *("a", "b", "1", "_", ".", "z", r"\.", r"\x61", r"\u0062", r"\-"),
    *(r"\d", r"\D", r"\w", r"\W", r"[^\W1]", r"[\da]"),
    *("[ab]", "[^a]", "[a-c]", "[1-]", "[]a]", "[^]a]", "[-b]", "[0-9_]"),
]
WRITABLE = [atom for atom in ATOMS if any(re.fullmatch(atom, c) for c in CLASSES)]
COUNTS = ["?", "*", "+", "{2}", "{0}", "{1,3}", "{2,}", "{,2}", "{0,1}"]


def some_pattern(rng, depth=3, atoms=ATOMS):
    """A pattern in the language that both know."""
    kind = rng.random()
    if depth == 0 or kind < 0.35:
        return str(rng.choice(atoms))
    part = some_pattern(rng, depth - 1, atoms)
    if kind < 0.5:
        return part + some_pattern(rng, depth - 1, atoms)
    if kind < 0.6:
        return f"({part}|{some_pattern(rng, depth - 1, atoms)})"
    if kind < 0.7:
        return f"(?:{part}|)"
    count = rng.choice(COUNTS)
    return f"({part}){count}" if len(part) > 1 else f"{part}{count}"


@pytest.mark.parametrize("seed", range(150))
def test_a_pattern_allows_what_python_matches_in_full(seed):
    rng = np.random.default_rng(seed)
    pattern = "".join(some_pattern(rng) for _ in range(rng.integers(1, 4)))
    pattern = f"^{pattern}" if seed % 10 == 0 else pattern
    # With an alternative that is never met below, something can always match.
    pattern = f"{pattern}|{'a' * 9}$"
    found = LabelPattern(pattern)._automaton(CLASSES)
    for text, weight in weights_by_text(found, CLASSES, 5).items():
        assert weight == (0 if re.fullmatch(pattern, text) else -np.inf), pattern


@pytest.mark.parametrize("seed", range(60))
def test_no_two_states_accept_the_same_and_all_lead_to_an_end(seed):
    pattern = some_pattern(np.random.default_rng(seed), depth=2, atoms=WRITABLE)
    found = LabelPattern(pattern)._automaton(CLASSES)
    next_states, _ = found.table()
    # Split by where labels lead, until nothing splits.
    sink = found.n_states
    next_states = np.where(next_states < 0, sink, next_states)
    next_states = np.vstack([next_states, np.full(len(CLASSES), sink)])
    blocks = np.append(found.final == 0, False).astype(int)
    for _ in range(found.n_states):
        rows = np.column_stack([blocks, blocks[next_states]])
        blocks = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    assert len(set(blocks.tolist())) == found.n_states + 1
    assert np.isfinite(found.needed.first).all()


@pytest.mark.parametrize(
    ("pattern", "n_states"),
    [
        (r"\d{2}[01]\d{5}", 9),
        ("(0|1)*", 1),
        ("(0|1)*0(0|1){3}", 16),
        ("00|01|10|11", 3),
        ("0{0,40}", 41),
        ("(0{0,300}1)*", 301),
        ("(0?){300}", 301),
        (".{0,2000}", 2001),
    ],
)
def test_a_pattern_has_as_many_states_as_it_needs(pattern, n_states):
    found = LabelPattern(pattern)._automaton([str(digit) for digit in range(10)])
    assert found.n_states == n_states


@pytest.mark.parametrize(
    "classes", ["0123456789", range(10), np.arange(10), list("0123456789")]
)
def test_digits_may_be_numbers(classes):
    found = LabelPattern(r"\d{2}[01]\d{5}")._automaton(classes)
    assert found.log_weight([2, 4, 1, 2, 1, 9, 9, 9]) == 0
    assert found.log_weight([2, 4, 2, 2, 1, 9, 9, 9]) == -np.inf
    assert found.log_weight([2, 4, 1]) == -np.inf


def test_classes_of_characters_are_those_of_unicode():
    classes = ["\t", " ", "٣", "é", "日", "\n"]
    for pattern in (r"\d", r"\w", r"\s", r"\S", "[^ -~]", "."):
        found = LabelPattern(pattern)._automaton(classes)
        for i, label in enumerate(classes):
            expected = bool(re.fullmatch(pattern, label))
            assert (found.log_weight([i]) == 0) == expected
    assert LabelPattern(r"\n")._automaton(classes).log_weight([5]) == 0


@pytest.mark.parametrize(
    ("pattern", "what", "place"),
    [
        ("a(?=b)", "a look-ahead", 1),
        ("a(?!b)", "a look-ahead", 1),
        ("(?<=a)b", "a look-behind", 0),
        ("(?<!a)b", "a look-behind", 0),
        ("(?P<n>a)", "a named group", 0),
        ("a(?P=n)", "a backreference", 1),
        (r"(a)\1", "a backreference", 3),
        ("(?i)a", "flags", 0),
        ("(?i:a)", "flags", 0),
        ("(?#a)", "a comment", 0),
        ("(?>a)", "an atomic group", 0),
        ("a*?", "a lazy count", 1),
        ("a{2}?", "a lazy count", 1),
        ("a++", "a possessive count", 1),
        ("a**", "a count of a count", 1),
        ("a{1000}{1000}", "a count of a count", 1),
        ("*a", "a count of nothing", 0),
        ("(|*)", "a count of nothing", 2),
        ("^*", "a count of nothing", 1),
        ("a^b", "an anchor inside", 1),
        ("a$b", "an anchor inside", 1),
        ("($)", "an anchor inside", 1),
        (r"a\b", "a word boundary", 1),
        (r"\Aa", "an anchor", 0),
        (r"\q", "an unknown escape", 0),
        ("a\\", "an unknown escape", 1),
        (r"\xg1", "an incomplete escape", 0),
        (r"\u00", "an incomplete escape", 0),
        ("(a", "an unclosed group", 0),
        ("(a|b", "an unclosed group", 0),
        ("a)", "an unopened group", 1),
        ("[ab", "an unclosed set", 0),
        ("[]", "an unclosed set", 0),
        ("[[:alpha:]]", "a class of POSIX", 1),
        ("[b-a]", "a range that ends before it starts", 1),
        (r"[\d-a]", "a range between no two labels", 1),
        (r"[a-\d]", "a range between no two labels", 1),
        ("a{3,2}", "a count that ends before it starts", 1),
        ("a{9999999}", "a count that is too large", 1),
        ("a{", "a brace that counts nothing", 1),
        ("a{,}", "a brace that counts nothing", 1),
        ("(" * 60 + "a" + ")" * 60, "more than 50 nested groups", 50),
    ],
)
def test_what_is_not_in_the_language_is_named_with_its_position(pattern, what, place):
    expected = rf" has {re.escape(what)}, .*, at position {place}\. A pattern may have"
    with pytest.raises(ValueError, match=expected):
        LabelPattern(pattern)._automaton("ab1")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a{1000}){1000}",
        "((((a{99}){99}){99}){99}){99}",
        "((){100000}){100000}",
        "(a|b)*a(a|b){40}",
        "(.*a.{9}){20}b(.*a.{9}){20}",
    ],
)
def test_a_pattern_that_is_too_large_is_refused_before_it_is_built(pattern):
    with pytest.raises(ValueError, match=r"is too large: .*2000 labels.*10000 states"):
        LabelPattern(pattern)._automaton("ab")


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("abc", "'c'"),
        ("a-b-", "'-'"),
        ("[xyz]a[A-Z]", r"'\[xyz\]', '\[A-Z\]'"),
        (r"a\d", r"'\\\\d'"),
        ("[^ab]", r"'\[\^ab\]'"),
        ("[A-Z]*", r"'\[A-Z\]'"),
    ],
)
def test_a_pattern_that_nothing_can_match_names_what_the_reader_lacks(pattern, parts):
    answer = f"has no label for {parts}. Its labels are 'a', 'b'"
    with pytest.raises(ValueError, match=answer):
        LabelPattern(pattern)._automaton("ab")


def test_an_alternative_without_labels_is_left_aside():
    found = LabelPattern("a(-|/)?b|c")._automaton("ab")
    weights = weights_by_text(found, "ab", 4)
    assert [text for text, weight in weights.items() if weight == 0] == ["ab"]


@pytest.mark.parametrize("pattern", ["", None, 5, re.compile("a"), ["a"]])
def test_what_is_not_a_text_is_refused(pattern):
    with pytest.raises(ValueError, match=r"'pattern' parameter .* a non-empty str"):
        LabelPattern(pattern)._automaton("ab")


def test_labels_of_several_characters_are_refused():
    with pytest.raises(ValueError, match="The reader has the label 'sh'"):
        LabelPattern("a")._automaton(["a", "sh"])
    with pytest.raises(ValueError, match="The reader has the label 10"):
        LabelPattern("1")._automaton(range(12))


def test_a_pattern_is_kept_as_passed_and_copied_by_every_usual_way():
    pattern = LabelPattern("a|b{2}")
    copies = clone(pattern), pickle.loads(pickle.dumps(pattern))
    for copy in (*copies, LabelPattern(**pattern._plain())):
        assert copy.pattern == "a|b{2}"


def test_the_examples_of_the_docstring_give_what_they_show():
    found = doctest.testmod(_pattern)
    assert found.attempted
    assert not found.failed
