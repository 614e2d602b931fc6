"""Named entities are tagged by schemes, told by endings, and settled by context."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest

from skseq.datasets import make_named_entities


@pytest.fixture(scope="module")
def corpus():
    """8,000 sentences and their tags in BIO."""
    return make_named_entities(8000, random_state=0)


def spans(tags):
    """First token, the token after the last, and the kind of each entity in BIO."""
    found = []
    for i, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append([i, i + 1, tag[2:]])
        elif tag != "O":
            assert found, tags
            assert found[-1][1:] == [i, tag[2:]], tags
            found[-1][1] += 1
    return [tuple(span) for span in found]


def named(X, y):
    """The words and the kind of each entity."""
    for tokens, tags in zip(X, y, strict=True):
        for start, stop, kind in spans(tags):
            yield tokens[start:stop], kind


def test_each_token_has_a_tag_of_the_scheme(corpus):
    X, y = corpus
    kinds = ("PER", "LOC", "ORG", "DATE")
    known = {"O", *(f"{place}-{kind}" for place in "BI" for kind in kinds)}
    assert {tag for tags in y for tag in tags} == known
    for tokens, tags in zip(X, y, strict=True):
        assert len(tokens) == len(tags)
        assert all(type(item) is str and item for item in [*tokens, *tags])
        assert not any(" " in token or set(token) & set("{}|") for token in tokens)
        assert tokens[-1] in (".", "?")


def test_both_schemes_tag_the_same_entities_of_the_same_sentences():
    X, bio = make_named_entities(500, random_state=1)
    same, iobes = make_named_entities(500, scheme="IOBES", random_state=1)
    assert same == X
    for one, other in zip(bio, iobes, strict=True):
        found = []
        for start, stop, kind in spans(one):
            middle = [f"I-{kind}"] * (stop - start - 2)
            several = [f"B-{kind}", *middle, f"E-{kind}"]
            found += several if stop - start > 1 else [f"S-{kind}"]
        assert [tag for tag in other if tag != "O"] == found
        assert [tag == "O" for tag in one] == [tag == "O" for tag in other]


def places_of_entities(X, y):
    """The sentence with a mark for each entity, and which mark, words and kind."""
    for tokens, tags in zip(X, y, strict=True):
        found, masked = spans(tags), list(tokens)
        for start, stop, _ in reversed(found):
            masked[start:stop] = ["_"]
        for place, (start, stop, kind) in enumerate(found):
            yield (" ".join(masked), place), tuple(tokens[start:stop]), kind


def test_the_sentence_settles_what_persons_share_with_others(corpus):
    kinds_of, settled = defaultdict(set), defaultdict(set)
    entities = list(places_of_entities(*corpus))
    for _, words, kind in entities:
        kinds_of[words].add(kind)
    shared = {w for w, kinds in kinds_of.items() if {"PER"} < kinds}
    for place, words, kind in entities:
        if words in shared:
            settled[place].add(kind)
    assert len(settled) > 500
    assert {place for place, kinds in settled.items() if len(kinds) > 1} == set()
    assert kinds_of["Jordan",] == {"PER", "LOC", "ORG"}  # the last as a team
    assert kinds_of["May",] == {"PER", "DATE"}
    assert kinds_of["Ford",] == {"PER", "ORG"}
    assert len([words for words in shared if words[0].endswith("field")]) > 5


def test_the_sentence_and_the_ending_settle_what_every_entity_is(corpus):
    kinds = defaultdict(set)
    for place, words, kind in places_of_entities(*corpus):
        kinds[place, words[-1][-4:]].add(kind)
    assert max(map(len, kinds.values())) == 1


def test_where_the_sentence_settles_nothing_the_ending_does(corpus):
    kinds_by_place, by_ending = defaultdict(set), defaultdict(Counter)
    entities = list(places_of_entities(*corpus))
    for place, _, kind in entities:
        kinds_by_place[place].add(kind)
    for place, words, kind in entities:
        if len(kinds_by_place[place]) > 1:
            by_ending[words[-1][-3:]][kind] += 1
    assert sum(sum(kinds.values()) for kinds in by_ending.values()) > 1000
    assert {*by_ending} >= {"ton", "lle", "ech", "son"}
    elle_or_ville = by_ending.pop("lle")
    assert {*elle_or_ville} == {"PER", "LOC"}
    assert all(len(kinds) == 1 for kinds in by_ending.values())


def test_the_verb_of_a_subject_may_be_some_words_away(corpus):
    X, _ = corpus
    shares = np.mean([" , as far as we know , " in " ".join(tokens) for tokens in X])
    assert 0.01 < shares < 0.1


def test_names_are_words(corpus):
    for words, kind in named(*corpus):
        if kind != "DATE":
            assert all(len(word) > 1 or word == "&" for word in words)
            assert words[0][0].isupper()
            assert words[-1][0].isupper()


def test_words_of_entities_occur_outside_of_them_too(corpus):
    tags_of = defaultdict(set)
    for tokens, tags in zip(*corpus, strict=True):
        for token, tag in zip(tokens, tags, strict=True):
            tags_of[token].add(tag)
    for word in ("May", "Hope", "Grant", "Mark", "Rose"):
        assert {"O", "B-PER"} <= tags_of[word]
    years = {token for token in tags_of if token.isdigit() and len(token) == 4}
    assert len([year for year in years if {"O", "B-DATE"} <= tags_of[year]]) > 50


def test_places_of_two_words_lie_in_organizations_too(corpus):
    known = defaultdict(Counter)
    for words, kind in named(*corpus):
        known[kind].update(pairwise(words))
    assert set(known["LOC"]) & set(known["ORG"])
    assert known["ORG"]["University", "of"] > 20


def most_frequent_tags(X, y):
    counts = defaultdict(Counter)
    for tokens, tags in zip(X, y, strict=True):
        for token, tag in zip(tokens, tags, strict=True):
            counts[token][tag] += 1
    return {token: tags.most_common(1)[0][0] for token, tags in counts.items()}


def test_a_list_of_words_finds_few_entities(corpus):
    X, y = corpus
    known = most_frequent_tags(X[:1000], y[:1000])
    n_right = n_tokens = n_found = n_entities = 0
    for tokens, tags in zip(X[1000:], y[1000:], strict=True):
        guess = [known.get(token, "O") for token in tokens]
        n_right += sum(g == tag for g, tag in zip(guess, tags, strict=True))
        n_tokens += len(tags)
        for start, stop, _ in spans(tags):
            ends = stop == len(tags) or guess[stop][:2] != "I-"
            n_found += guess[start:stop] == tags[start:stop] and ends
            n_entities += 1
    assert n_right / n_tokens == pytest.approx(0.81, abs=0.015)
    assert n_found / n_entities == pytest.approx(0.17, abs=0.02)


def test_new_names_are_told_by_how_they_end(corpus):
    X, y = corpus
    seen, new = list(named(X[:4000], y[:4000])), list(named(X[4000:], y[4000:]))
    known = {word for words, _ in seen for word in words}
    counts = defaultdict(Counter)
    for (word, *more), kind in seen:
        if not more:
            counts[word[-3:]][kind] += 1
    pairs = [
        (counts[words[0][-3:]].most_common(1), kind)
        for words, kind in new
        if len(words) == 1 and words[0] not in known and words[0].isalpha()
    ]
    guesses = [(guess[0][0] if guess else None, kind) for guess, kind in pairs]
    kinds = Counter(kind for _, kind in guesses)
    assert len(guesses) > 500
    assert np.mean([guess == kind for guess, kind in guesses]) > 0.75
    assert max(kinds.values()) / len(guesses) < 0.6


def test_dates_are_days_months_or_years_there_are(corpus):
    for words, kind in named(*corpus):
        if kind == "DATE":
            numbers = [int(word) for word in words if word.isdigit()]
            assert all(1 <= n <= 28 or 1900 <= n < 2030 for n in numbers)
            assert any(word[0].isupper() for word in words) or len(numbers) == 1


def test_the_same_random_state_gives_the_same_sentences():
    first, again, other = (make_named_entities(30, random_state=s) for s in (3, 3, 4))
    assert first == again != other
    assert len(first[0]) == len(first[1]) == 30


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        ({"n_samples": "3"}, TypeError, "n_samples must be an instance of int"),
        ({"scheme": "bio"}, ValueError, "'scheme' .* Did you mean 'BIO'"),
        ({"scheme": "BILOU"}, ValueError, "among {'BIO', 'IOBES'}. Got 'BILOU'"),
        ({"scheme": None}, ValueError, "'scheme' parameter of make_named_entities"),
    ],
)
def test_named_entities_refuse_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_named_entities(**options)
