import calendar
import gzip
import re
from collections import Counter
from datetime import date, datetime

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit

from skseq.datasets import (
    fetch_g2p,
    fetch_small_parallel_enja,
    fetch_spelling,
    make_dates,
    make_number_words,
    make_symbol_sequences,
)

# Without ordinal endings, commas, "the" and "of".
LAYOUTS = [
    *("%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%Y %B %d", "%Y/%m/%d"),
    *("%A %d %B %Y", "%A %B %d %Y", "%a %d %b %Y"),
]
AUGUST_3 = [
    *("3 August 1979", "3 Aug 1979", "03 Aug 1979", "August 3, 1979", "Aug 3, 1979"),
    *("3rd August 1979", "3rd of August 1979", "August 3rd, 1979"),
    *("the 3rd of August, 1979", "Friday, 3 August 1979", "Friday, August 3, 1979"),
    *("Fri, 03 Aug 1979", "Friday the 3rd of August 1979", "1979 August 3"),
    "1979/08/03",
]
ENDINGS = {"st": {1, 21, 31}, "nd": {2, 22}, "rd": {3, 23}}
ENDINGS["th"] = set(range(1, 32)) - set().union(*ENDINGS.values())


@pytest.fixture(scope="module")
def dates():
    """3000 pairs of a text and a date."""
    return list(zip(*make_dates(3000, random_state=0), strict=True))


def readings(text):
    """All dates that a text may mean."""
    plain = re.sub(r"(?<=\d)(st|nd|rd|th)|,|\bthe\b|\bof\b", " ", text.lower())
    plain, found = " ".join(plain.split()), set()
    for layout in LAYOUTS:
        try:
            found.add(datetime.strptime(plain, layout).date().isoformat())
        except ValueError:
            continue
    return found


def shape(text):
    """A date's text with its month, weekday and digits made anonymous."""
    kinds = {
        "month": calendar.month_name,
        "mon": calendar.month_abbr,
        "weekday": calendar.day_name,
        "day": calendar.day_abbr,
    }
    names = {n.lower(): kind for kind, all_names in kinds.items() for n in all_names}
    words = re.sub(r"[a-z]+", lambda word: names.get(word[0], word[0]), text.lower())
    return re.sub(r"[1-9]\d*(st|nd|rd|th)?", r"N", words)


def test_a_date_can_be_read_in_one_way_only_and_that_is_its_answer(dates):
    for text, day in dates:
        assert readings(text) == {day}, text


def test_dates_come_in_every_form_that_is_documented_and_no_other(dates):
    # May is its own abbreviation, and a number from 10 on has no zero before it.
    telling = [text for text, day in dates if re.match(r"\d{4}-0[^5]-0", day)]
    assert {shape(text) for text in telling} == {shape(text) for text in AUGUST_3}


def test_dates_name_the_right_weekday_and_the_right_ordinal(dates):
    n_weekdays = n_ordinals = 0
    for text, day in dates:
        weekday = re.match(r"(\w{3})\w*day\b|(\w{3}), \d\d ", text, re.IGNORECASE)
        if weekday:
            n_weekdays += 1
            expected = calendar.day_name[date.fromisoformat(day).weekday()]
            named = re.match(r"\w+", text)[0].capitalize()
            assert named in (expected, expected[:3])
        ordinal = re.search(r"(\d+)(st|nd|rd|th)", text.lower())
        if ordinal:
            n_ordinals += 1
            assert int(ordinal[1]) in ENDINGS[ordinal[2]]
    assert min(n_weekdays, n_ordinals) > 500


def test_dates_are_of_every_year_month_and_day_and_of_three_cases(dates):
    parts = np.array([day.split("-") for _, day in dates], dtype=int)
    assert set(parts[:, 0]) == set(range(1900, 2100))
    assert set(parts[:, 1]) == set(range(1, 13))
    assert set(parts[:, 2]) == set(range(1, 32))
    cases = Counter((text.islower(), text.isupper()) for text, _ in dates)
    assert min(cases[case] for case in [(1, 0), (0, 1), (0, 0)]) > 800


BELOW_20 = [
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
BELOW_100 = BELOW_20 + [f"{ten} {one}".strip() for ten in TENS for one in BELOW_20[:10]]
BELOW_1000 = BELOW_100 + [
    f"{one} hundred {rest}".strip() for one in BELOW_20[1:10] for rest in BELOW_100
]


def spell(number):
    """Groups of three digits, looked up in a list of all of them."""
    groups = f"{number:,}".split(",")
    scales = ["", "thousand", "million", "billion"][: len(groups)][::-1]
    words = [
        f"{BELOW_1000[int(group)]} {scale}"
        for group, scale in zip(groups, scales, strict=True)
        if int(group)
    ]
    return " ".join(" ".join(words).split()) or "zero"


def test_all_numbers_up_to_a_limit_are_spelt_right_and_come_once():
    X, y = make_number_words(21_000, max_value=20_999, random_state=0)
    assert sorted(map(int, X)) == list(range(21_000))
    assert sorted(X, key=int) != X
    assert y == [spell(int(number)) for number in X]


@pytest.mark.parametrize("max_value", [999_999, 999_999_999_999])
def test_large_numbers_are_distinct_and_spelt_right(max_value):
    X, y = make_number_words(2000, max_value=max_value, random_state=0)
    assert len(set(X)) == 2000
    assert max_value * 0.99 < max(map(int, X)) <= max_value
    assert y == [spell(int(number)) for number in X]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0", "zero"),
        ("11", "eleven"),
        ("20", "twenty"),
        ("99", "ninety nine"),
        ("100", "one hundred"),
        ("412", "four hundred twelve"),
    ],
)
def test_numbers_in_known_words(number, words):
    assert (number, words) in zip(*make_number_words(413, max_value=412), strict=True)


def test_numbers_repeat_only_when_all_have_come():
    X, _ = make_number_words(25, max_value=9, random_state=0)
    assert set(Counter(X).values()) == {2, 3}
    assert set(X) == set("0123456789")
    assert make_number_words(3, max_value=0) == (["0"] * 3, ["zero"] * 3)


@pytest.mark.parametrize(
    ("task", "solve"),
    [
        ("copy", lambda tokens: [*tokens]),
        ("reverse", lambda tokens: [*reversed(tokens)]),
        ("sort", lambda tokens: sorted(tokens, key=int)),
    ],
)
@pytest.mark.parametrize("n_symbols", [1, 10, 12])
def test_symbol_sequences_are_copied_reversed_or_sorted(task, solve, n_symbols):
    X, y = make_symbol_sequences(
        200, task=task, n_symbols=n_symbols, min_length=0, max_length=7, random_state=0
    )
    assert y == [solve(tokens) for tokens in X]
    assert {len(tokens) for tokens in X} == set(range(8))
    symbols = set().union(*X)
    assert {int(symbol) for symbol in symbols} == set(range(n_symbols))
    assert {type(symbol) for symbol in symbols} == {str}
    assert not any(true is tokens for tokens, true in zip(X, y, strict=True))


@pytest.mark.parametrize("make", [make_dates, make_number_words, make_symbol_sequences])
def test_same_random_state_gives_the_same_texts(make):
    assert make(20, random_state=3) == make(20, random_state=3)
    assert make(20, random_state=3) != make(20, random_state=4)
    assert [len(part) for part in make(7)] == [7, 7]


@pytest.mark.parametrize(
    ("make", "options", "error", "message"),
    [
        (make_dates, {"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
        (make_dates, {"n_samples": 2.5}, TypeError, "n_samples must be an instance"),
        (make_number_words, {"n_samples": -1}, ValueError, "n_samples == -1"),
        (make_number_words, {"max_value": -1}, ValueError, "max_value == -1"),
        (make_number_words, {"max_value": 10**12}, ValueError, "must be <= 99999999"),
        (make_number_words, {"max_value": 1e3}, TypeError, "max_value must be an inst"),
        (make_symbol_sequences, {"n_samples": "5"}, TypeError, "n_samples must be"),
        (make_symbol_sequences, {"n_symbols": 0}, ValueError, "n_symbols == 0"),
        (make_symbol_sequences, {"min_length": -1}, ValueError, "min_length == -1"),
        (
            make_symbol_sequences,
            {"min_length": 5, "max_length": 4},
            ValueError,
            "max_length == 4, must be >= 5",
        ),
        (
            make_symbol_sequences,
            {"task": "shuffle"},
            ValueError,
            "'task' parameter .* among .'copy', 'reverse', 'sort'.* Got 'shuffle'",
        ),
        (make_symbol_sequences, {"task": ["copy"]}, ValueError, r"Got \['copy'\]"),
    ],
)
def test_generators_of_texts_refuse_bad_parameters(make, options, error, message):
    with pytest.raises(error, match=message):
        make(**options)


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())


@pytest.fixture
def texts_home(tmp_path):
    """A data home with a few lines of each set."""
    write(tmp_path / "g2p" / "abc_train.tsv", "ob\to\u02d0 b\nab\u2028a\ta b a\n")
    write(tmp_path / "g2p" / "abc_dev.tsv", "ba\tb a\n")
    write(tmp_path / "g2p" / "xyz_train.tsv", "xa\tx a\r\n")
    write(tmp_path / "small_parallel_enja" / "dev.en", "hi .\nno .\n")
    write(tmp_path / "small_parallel_enja" / "dev.ja", "や 。\nいいえ 。\n")
    lines = [
        "raining: rainning, raning*12",
        "a_lot: alot*2, a_lott",
        "?: bav, wild",
        "o'clock: o,_clock, oclock",
        "job: job, jop",
        "raning: raining",
        "raining: rainning",
        "a_lot: alot*2, a_lott",
    ]
    (tmp_path / "spelling").mkdir()
    with gzip.open(tmp_path / "spelling" / "spell-errors.txt.gz", "wt") as file:
        file.write("\n".join(lines))
    return tmp_path


def test_g2p_pairs_words_with_phones(texts_home):
    data = fetch_g2p("abc", data_home=texts_home)
    assert data.words == ["ob", "ab\u2028a"]
    assert data.phones == ["o\u02d0 b", "a b a"]
    X, y = fetch_g2p("abc", subset="dev", data_home=texts_home, return_X_y=True)
    assert (X, y) == (["ba"], ["b a"])
    assert fetch_g2p("xyz", data_home=texts_home).phones == ["x a"]


@pytest.mark.parametrize(
    ("language", "subset", "message"),
    [
        ("fre", "train", r"'language' .* among \{'abc', 'xyz'\}.* Got 'fre'"),
        ("xyz", "dev", r"among \{'abc'\}, .* subset 'dev' .* https://github.com/sigm"),
        (None, "train", "Got None instead"),
        ("../g2p/abc", "train", "The 'language' parameter of fetch_g2p must be"),
        ("abc", "valid", r"'subset' .* among \{'train', 'dev', 'test'\}. Got 'v"),
    ],
)
def test_g2p_refuses_what_is_not_there(texts_home, language, subset, message):
    with pytest.raises(ValueError, match=message):
        fetch_g2p(language, subset=subset, data_home=texts_home)


@pytest.mark.parametrize("line", ["ob o b", "ob\t", "\to b", "ob\to\tb", ""])
def test_a_broken_line_is_named(texts_home, line):
    write(texts_home / "g2p" / "abc_train.tsv", f"ba\tb a\n{line}\n")
    with pytest.raises(
        ValueError, match=r"Line 2 of .*abc_train.tsv must be two texts"
    ):
        fetch_g2p("abc", data_home=texts_home)


def test_small_parallel_enja_pairs_the_lines_of_two_files(texts_home):
    data = fetch_small_parallel_enja(subset="dev", data_home=texts_home)
    assert data.english == ["hi .", "no ."]
    assert data.japanese == ["や 。", "いいえ 。"]
    pair = fetch_small_parallel_enja(
        subset="dev", data_home=texts_home, return_X_y=True
    )
    assert pair == (data.english, data.japanese)


def test_small_parallel_enja_refuses_other_subsets_and_uneven_files(texts_home):
    with pytest.raises(
        ValueError, match=r"'subset' parameter of fetch_small_.* Got 'all'"
    ):
        fetch_small_parallel_enja(subset="all", data_home=texts_home)
    write(texts_home / "small_parallel_enja" / "dev.ja", "や 。\n")
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[2, 1\]"):
        fetch_small_parallel_enja(subset="dev", data_home=texts_home)


def test_spelling_holds_each_pair_once_without_the_quirks_of_the_list(texts_home):
    data = fetch_spelling(data_home=texts_home)
    assert list(zip(data.misspellings, data.words, data.counts, strict=True)) == [
        ("rainning", "raining", 1),
        ("raning", "raining", 12),
        ("alot", "a lot", 2),
        ("a lott", "a lot", 1),
        ("o, clock", "o'clock", 1),
        ("oclock", "o'clock", 1),
        ("jop", "job", 1),
        ("raining", "raning", 1),
    ]
    assert len(set(zip(data.groups, data.words, strict=True))) == 5
    assert set(data.groups) == set(range(5))
    X, y = fetch_spelling(data_home=texts_home, return_X_y=True)
    assert (X, y) == (data.misspellings, data.words)


def test_spelling_refuses_a_line_without_misspellings(texts_home):
    with gzip.open(texts_home / "spelling" / "spell-errors.txt.gz", "wt") as file:
        file.write("cat: kat\ndog\n")
    with pytest.raises(ValueError, match=r"Line 2 of .* ': ' between them. Got 'dog'"):
        fetch_spelling(data_home=texts_home)


@pytest.mark.parametrize(
    ("fetch", "options", "name"),
    [
        (fetch_g2p, {"language": "fre"}, "g2p/fre_train.tsv"),
        (fetch_small_parallel_enja, {}, "small_parallel_enja/train.en"),
        (fetch_spelling, {}, "spelling/spell-errors.txt.gz"),
    ],
)
def test_a_missing_set_of_texts_says_what_to_put_where(fetch, options, name, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        fetch(**options, data_home=tmp_path)
    message = str(caught.value)
    for part in (name, str(tmp_path / name), "https://", "SKSEQ_DATA_HOME"):
        assert part in message


@pytest.mark.parametrize(("subset", "n_words"), [("train", 3600), ("dev", 450)])
def test_g2p_holds_distinct_words_and_phones_between_single_spaces(
    data_home, subset, n_words
):
    data = fetch_g2p("fre", subset=subset, data_home=data_home)
    assert len(set(data.words)) == len(data.words) == len(data.phones) == n_words
    assert all(phones == " ".join(phones.split()) for phones in data.phones)
    assert len({phone for phones in data.phones for phone in phones.split()}) < 50


@pytest.mark.parametrize(("subset", "n_pairs"), [("train", 50_000), ("dev", 500)])
def test_small_parallel_enja_holds_sentences_of_4_to_16_words(
    data_home, subset, n_pairs
):
    pair = fetch_small_parallel_enja(
        subset=subset, data_home=data_home, return_X_y=True
    )
    for sentences in pair:
        lengths = [len(sentence.split(" ")) for sentence in sentences]
        assert (len(lengths), min(lengths), max(lengths)) == (n_pairs, 4, 16)


def test_spelling_is_split_by_word_without_a_word_on_both_sides(data_home):
    data = fetch_spelling(data_home=data_home)
    pairs = set(zip(data.misspellings, data.words, strict=True))
    assert len(pairs) == len(data.words) == len(data.counts) > 39_000
    assert not any(wrong == word or "*" in wrong for wrong, word in pairs)
    assert ("rainning", "raining") in pairs
    splitter = GroupShuffleSplit(1, test_size=0.2, random_state=0)
    [(train, test)] = splitter.split(data.words, groups=data.groups)
    words = np.array(data.words)
    assert not set(words[train]) & set(words[test])
    assert len(set(words[test])) > 1000
