"""Generates sentences in which persons, places, organizations and dates are named.

Knows nothing of files. Names are composed of parts, and sentences of short templates:
a word of a template is written as it is, one of several between bars, or a slot.
"""

from collections.abc import Callable
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from skseq._parameters import OneOf, check_value
from skseq.datasets._texts import MONTHS, WEEKDAYS

# Beginnings of names, which say nothing of what is named.
_ONSETS = (
    *("B", "Br", "C", "Cr", "D", "Dr", "F", "Fl", "G", "Gr", "H", "K", "L", "M", "N"),
    *("P", "Pr", "R", "S", "Sh", "St", "T", "Th", "Tr", "V", "W"),
)
_VOWELS = ("a", "e", "i", "o", "u", "ea")
_CODAS = ("l", "n", "r", "m", "d", "ck", "ll", "rd", "st", "nd")

# Endings, which do. Those of both may end a surname or the name of a place.
_GIVEN_ENDINGS = ("a", "ina", "elle", "ric", "bert", "win")
_SURNAME_ENDINGS = ("son", "man", "sen", "ski", "wright", "smith")
_PLACE_ENDINGS = ("ton", "ville", "burg", "ham", "port", "mouth", "bury", "bridge")
_BRAND_ENDINGS = ("tech", "soft", "tron", "media", "gen", "plex")
_ENDINGS_OF_BOTH = ("ley", "field", "ford", "well")

# Names of persons, and others that are those of places, months or firms too.
_GIVEN = (
    *("Anna", "Ben", "Clara", "David", "Emma", "Frank", "Helen", "Ian", "Jane", "Kate"),
    *("Laura", "Martin", "Nora", "Oliver", "Peter", "Ruth", "Simon", "Tom", "Ursula"),
    "Walter",
)
_GIVEN_OR_PLACE = (
    *("Austin", "Brooklyn", "Carolina", "Charlotte", "Chelsea", "Chester", "Dakota"),
    *("Florence", "Georgia", "Jordan", "Lincoln", "Madison", "Paris", "Savannah"),
    *("Sydney", "Victoria"),
)
_GIVEN_OR_MONTH = ("April", "May", "June", "August")
_GIVEN_OR_WORD = ("Grant", "Hope", "Mark", "Rose")
_SURNAME_OR_FIRM = (
    *("Barclay", "Chase", "Ford", "Hilton", "Lloyd", "Morgan", "Porter", "Wells"),
)

_TEMPLATES = (
    # Persons first.
    "{PERSON} was born in {PLACE} .",
    "{PERSON} was born in {PLACE} on {DAY} .",
    "{PERSON} was the first to arrive|leave .",
    "{PERSON} thinks|believes that the bridge|school is too expensive .",
    "{PERSON} , who grew up in {PLACE} , now works for {FIRM} .",
    "{PERSON} married|met {PERSON} in {PLACE} .",
    "{PERSON} has known {PERSON} since {MONTH} .",
    "{PERSON} joined {FIRM} as a director|lawyer in {MONTH} .",
    "{PERSON} resigned from {FIRM} on {DAY} .",
    "{PERSON} 's brother|mother|lawyer called on {DAY} .",
    "{PERSON} flew to {PLACE} with {NUMBER} children|students .",
    "On {DAY} {PERSON} called|phoned from {PLACE} .",
    "In {MONTH} {PERSON} married {PERSON} .",
    "Mr.|Mrs.|Dr.|Judge {SURNAME} declined to comment .",
    "The prize went to {PERSON} , a nurse|painter|teacher from {PLACE} .",
    "Ask|Call|Tell {PERSON} before {DAY} .",
    "Nobody trusted {PERSON} , not even her sister|husband .",
    "My neighbor|cousin {PERSON} sings well .",
    # Places first.
    "{PLACE} lies on a river|lake north of {PLACE} .",
    "{PLACE} , which was flooded in {MONTH} , needs a new bridge|school .",
    "{PLACE} is the largest|oldest city in the north|south .",
    "The road|train from {PLACE} to {PLACE} is closed|late .",
    "The mayor|streets|weather of {PLACE} surprised {PERSON} .",
    "The population of {PLACE} has doubled since {MONTH} .",
    "It rained|snowed in {PLACE} on {DAY} .",
    "Thousands of people fled {PLACE} in {MONTH} .",
    "Flights to {PLACE} start|resume on {DAY} .",
    "She moved to {PLACE} after the war .",
    "They found a hotel near|outside {PLACE} .",
    # Organizations first.
    "{FIRM} hired|dismissed {NUMBER} workers on {DAY} .",
    "{FIRM} , which makes|sells phones|tires , will open a shop in {PLACE} .",
    "{FIRM} sued|bought {FIRM} in {MONTH} .",
    "{FIRM} reported a profit|loss of {NUMBER} million .",
    "Shares of|in {FIRM} fell|rose by {NUMBER} percent .",
    "The board|owners of {FIRM} met in {PLACE} .",
    "A spokesman for {FIRM} thanked {PERSON} .",
    "{TEAM} beat|defeated {TEAM} by {SCORE} goals to {SCORE} .",
    "Fans of {TEAM} waited for {NUMBER} minutes .",
    # Anything, so that the name alone tells what it is.
    "We have never heard of {NAME} .",
    "Everybody talks|writes about {NAME} .",
    "{NAME} was not mentioned|forgotten .",
    "{NAME} was in the news on {DAY} .",
    "The story|film is about {NAME} and {NAME} .",
    "The letter never mentions {NAME} or {NAME} .",
    "What do you know about {NAME} ?",
    "It all began with {NAME} .",
    "This is the end of {NAME} .",
    "Without {NAME} nothing would have happened .",
    # Dates, and words that are names elsewhere.
    "The committee will meet again on {DAY} .",
    "Nothing has changed since {MONTH} .",
    "About|Some {NUMBER} tickets were sold in {PLACE} .",
    "May we see the letter from {FIRM} ?",
    "Hope is all that is left in {PLACE} .",
    "Grant money|applications went to {FIRM} .",
    "Mark the day|date in your calendar : {DAY} .",
    "Rose gardens open in {MONTH} .",
)
_OPENINGS = ("However ,", "In fact ,", "In the end ,", "As expected ,")
_CLOSINGS = (", {PERSON} said|wrote .", ", {FIRM} announced .")

# What may stand between a subject and its verb, which tells what it is.
_INSERTIONS = (
    *(", as far as we know ,", ", it is said ,", ", to nobody 's surprise ,"),
    *(", so the papers write ,", ", as always ,"),
)

_KEEP_CASE = ("{", "Mr.")  # beginnings that an opening leaves as they are

_SCHEMES = {
    "BIO": lambda kind, n: [f"B-{kind}", *[f"I-{kind}"] * (n - 1)],
    "IOBES": lambda kind, n: (
        [f"B-{kind}", *[f"I-{kind}"] * (n - 2), f"E-{kind}"] if n > 1 else [f"S-{kind}"]
    ),
}


def make_named_entities(n_samples=1000, *, scheme="BIO", random_state=None):
    """Generate English sentences with the names of persons, places and others tagged.

    Most names are composed of parts and met once, but their endings are telling:
    "Brillton" is a place, "Brillson" a person and "Brilltech" a firm. Others need the
    words around them: "Jordan was born in Chester" and "Chester was born in Jordan",
    "in May" and "May called", "1979" as a year and as a number of tickets.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of sentences.
    scheme : {"BIO", "IOBES"}, default="BIO"
        How tags tell where an entity starts and ends. In both, "O" is outside of
        entities. "BIO" marks the first token by "B-" and others by "I-"; "IOBES" marks
        the last one by "E-" instead, and an entity of one token by "S-".
    random_state : int, RandomState instance or None, default=None
        Draws sentences and names, the same ones for both schemes. Pass an int for the
        same sentences in each call.

    Returns
    -------
    X : list of n_samples lists of str
        The tokens of each sentence.
    y : list of n_samples lists of str
        A tag for each token, "O" or one with the kind of the entity after the hyphen:

        - "PER", a person: given name, surname or both, without a title;
        - "LOC", a city or a region;
        - "ORG", a firm, a newspaper, a bank, a university, a museum, a ministry or a
          team. A team may have the name of a city alone, and others have one in theirs;
        - "DATE", a day, a month or a year.

    Raises
    ------
    TypeError, ValueError
        If `n_samples` is not a positive int, or `scheme` is unknown.

    Notes
    -----
    A sentence is one of 56 templates, in nearly half of the cases with an opening or an
    end such as "However ," or ", Kate said". Where it starts with a name, three in ten
    have some words between the name and the verb that tells its kind: "Jordan , as far
    as we know , was born in Chester". Ten templates, such as "It all began with
    Brillton", say nothing of the kind of a name; its ending does.

    If 1,000 sentences are tagged with the most frequent tag of each word in 1,000
    others ("O" if it is not among them), 81 % of the tokens are right, and 17 % of the
    entities. Of these, 60 % have a word that is new.

    Examples
    --------
    >>> from skseq.datasets import make_named_entities
    >>> X, y = make_named_entities(2, random_state=10)
    >>> " ".join(X[0])
    "Jordan 's mother called on Tuesday , Shadmedia announced ."
    >>> y[0]
    ['B-PER', 'O', 'O', 'O', 'O', 'B-DATE', 'O', 'B-ORG', 'O', 'O']
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_value("make_named_entities", "scheme", scheme, OneOf(_SCHEMES))
    rng = check_random_state(random_state)
    X, y = [], []
    for _ in range(n_samples):
        tokens, tags = [], []
        for words, kind in _fill(rng, _draw_template(rng)):
            tokens += words
            tags += _SCHEMES[scheme](kind, len(words)) if kind else ["O"] * len(words)
        X.append(tokens)
        y.append(tags)
    return X, y


def _draw_template(rng: np.random.RandomState) -> str:
    """Draw a template, some with an insertion, an opening or another end."""
    template = _pick(rng, _TEMPLATES)
    subject, verb = template.split(" ", 1)
    if subject.startswith("{") and verb[0].islower() and rng.uniform() < 0.3:
        template = f"{subject} {_pick(rng, _INSERTIONS)} {verb}"
    extension = rng.uniform()
    if extension < 0.25:
        first = template[0] if template.startswith(_KEEP_CASE) else template[0].lower()
        template = f"{_pick(rng, _OPENINGS)} {first}{template[1:]}"
    elif extension < 0.5 and template.endswith(" ."):
        template = f"{template.removesuffix(' .')} {_pick(rng, _CLOSINGS)}"
    return template


def _fill(rng: np.random.RandomState, template: str) -> list[tuple[list[str], str]]:
    """Draw the words of a template, each with the kind of entity it is, if any."""
    parts = []
    for word in template.split():
        if word.startswith("{"):
            slot = _pick(rng, _TELLING) if word == "{NAME}" else word
            kind, draw = _SLOTS[slot]
            parts.append((draw(rng), kind))
        else:
            parts.append(([_pick(rng, word.split("|"))], ""))
    return parts


def _pick(rng: np.random.RandomState, items):
    return items[rng.randint(len(items))]


def _draw(rng: np.random.RandomState, *choices: tuple[float, Callable]) -> list[str]:
    """Draw words in one of some ways, each with its share."""
    shares = np.cumsum([share for share, _ in choices])
    place = np.searchsorted(shares, rng.uniform(0, shares[-1]), "right")
    return choices[min(place, len(choices) - 1)][1]()


def _compose(rng: np.random.RandomState, endings: tuple[str, ...]) -> str:
    return "".join(_pick(rng, part) for part in (_ONSETS, _VOWELS, _CODAS, endings))


def _person(rng: np.random.RandomState) -> list[str]:
    return _draw(
        rng,
        (0.5, lambda: [*_given_name(rng), *_surname(rng)]),
        (0.25, lambda: _given_name(rng)),
        (0.25, lambda: _surname(rng)),
    )


def _given_name(rng: np.random.RandomState) -> list[str]:
    return _draw(
        rng,
        (0.3, lambda: [_pick(rng, _GIVEN)]),
        (0.3, lambda: [_compose(rng, _GIVEN_ENDINGS)]),
        (0.25, lambda: [_pick(rng, _GIVEN_OR_PLACE)]),
        (0.1, lambda: [_pick(rng, _GIVEN_OR_MONTH)]),
        (0.05, lambda: [_pick(rng, _GIVEN_OR_WORD)]),
    )


def _surname(rng: np.random.RandomState) -> list[str]:
    return _draw(
        rng,
        (0.8, lambda: [_compose(rng, _SURNAME_ENDINGS + _ENDINGS_OF_BOTH)]),
        (0.2, lambda: [_pick(rng, _SURNAME_OR_FIRM)]),
    )


def _place(rng: np.random.RandomState) -> list[str]:
    return _draw(
        rng,
        (0.6, lambda: [_city(rng)]),
        (0.15, lambda: [_pick(rng, ("New", "Port", "Lake", "East")), _city(rng)]),
        (0.25, lambda: [_pick(rng, _GIVEN_OR_PLACE)]),
    )


def _city(rng: np.random.RandomState) -> str:
    return _compose(rng, _PLACE_ENDINGS + _ENDINGS_OF_BOTH)


def _firm(rng: np.random.RandomState) -> list[str]:
    institutions, papers = ("University", "Bank", "Museum"), ("Herald", "Press", "Post")
    return _draw(
        rng,
        (0.2, lambda: [_compose(rng, _BRAND_ENDINGS)]),
        (0.2, lambda: [_compose(rng, _BRAND_ENDINGS), _pick(rng, ("Inc", "Group"))]),
        (0.2, lambda: [_pick(rng, _SURNAME_OR_FIRM)]),
        (0.1, lambda: [*_surname(rng), "&", _pick(rng, ("Sons", "Company"))]),
        (0.15, lambda: [_pick(rng, institutions), "of", *_place(rng)]),
        (0.1, lambda: [*_place(rng), _pick(rng, papers)]),
        (0.05, lambda: ["Ministry", "of", _pick(rng, ("Health", "Justice", "Trade"))]),
    )


def _team(rng: np.random.RandomState) -> list[str]:
    return _draw(
        rng,
        (0.7, lambda: _place(rng)),
        (0.3, lambda: [*_place(rng), _pick(rng, ("United", "Rovers"))]),
    )


def _telling_person(rng: np.random.RandomState) -> list[str]:
    given, surname = (
        _compose(rng, endings) for endings in (_GIVEN_ENDINGS, _SURNAME_ENDINGS)
    )
    return _pick(rng, ([given, surname], [given], [surname]))


def _day(rng: np.random.RandomState) -> list[str]:
    day, month, year = str(rng.randint(1, 29)), _pick(rng, MONTHS), _year(rng)
    forms = (
        [_pick(rng, WEEKDAYS)],
        [_pick(rng, ("last", "next")), _pick(rng, WEEKDAYS)],
        [day, month],
        [month, day],
        [day, month, year],
        [month, day, ",", year],
    )
    return _pick(rng, forms)


def _month(rng: np.random.RandomState) -> list[str]:
    month, year = _pick(rng, MONTHS), _year(rng)
    return _pick(rng, ([month], [month, year], [year]))


def _year(rng: np.random.RandomState) -> str:
    return str(rng.randint(1900, 2030))


def _number(rng: np.random.RandomState) -> list[str]:
    """Draw a number, which looks like a year in half of the cases."""
    return [_year(rng) if rng.uniform() < 0.5 else str(rng.randint(2, 500))]


# What stands for a slot: the kind of entity, and what draws its words.
_SLOTS: dict[str, tuple[str, Callable[[np.random.RandomState], list[str]]]] = {
    "{PERSON}": ("PER", _person),
    "{SURNAME}": ("PER", _surname),
    "{PLACE}": ("LOC", _place),
    "{FIRM}": ("ORG", _firm),
    "{TEAM}": ("ORG", _team),
    "{DAY}": ("DATE", _day),
    "{MONTH}": ("DATE", _month),
    "{NUMBER}": ("", _number),
    "{SCORE}": ("", lambda rng: [str(rng.randint(10))]),
    "{TELLING PERSON}": ("PER", _telling_person),
    "{TELLING PLACE}": ("LOC", lambda rng: [_compose(rng, _PLACE_ENDINGS)]),
    "{TELLING FIRM}": ("ORG", lambda rng: [_compose(rng, _BRAND_ENDINGS)]),
}

# The slots of a name that no context helps to tell, {NAME}: the kind is drawn too.
_TELLING = ("{TELLING PERSON}", "{TELLING PLACE}", "{TELLING FIRM}")
