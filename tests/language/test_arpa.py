"""ARPA files: those of other tools, the round trip, and files that are torn."""

import gzip
import re

import numpy as np
import pytest

from skseq.language import NgramModel, _arpa
from tests.language.oracle import Backoff

# Like files of SRILM: text ahead, weights left out, a trigram without its suffix, a
# weight above 1, and the start as -99.
SRILM = r"""made by hand

\data\
ngram 1=6
ngram 2=5
ngram 3=2

\1-grams:
-0.9	<unk>
-99	<s>	-0.4
-0.8	</s>
-0.5	a	-0.2
-0.7	b	0.25
-1.1	c	-0.3

\2-grams:
-0.3	<s> a	-0.1
-0.6	a b	-0.15
-0.2	b </s>
-0.45	b a
-0.35	c c	-0.6

\3-grams:
-0.1	<s> a c
-0.05	a b b

\end\
"""
SEQUENCES = [
    "",
    "a",
    "ab",
    "abb",
    "acc",
    "abba",
    "cab",
    "zab",
    "azb",
    "accc",
    "bb",
    "abbb",
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.arpa"


def read(path, text, **options):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return NgramModel.read_arpa(path, **options)


def expected(sequences=SEQUENCES, text=SRILM):
    backoff = Backoff(text)
    return pytest.approx([backoff.log_prob(s) for s in sequences], abs=1e-12)


def test_probabilities_are_those_of_the_file(path):
    model = read(path, SRILM)
    assert model.score_samples(SEQUENCES) == expected()
    assert (model.order, model.units_) == (3, ["a", "b", "c"])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\t", " "),
        lambda text: text.replace("\n", "\n \n"),
        lambda text: text.replace("<unk>", "<UNK>"),
        lambda text: text + "what follows is not read",
        lambda text: "\ufeff" + text[text.index("\\data") :],
        lambda text: gzip.compress(text.encode()),
        lambda text: text.replace("b a\n", "b a\t0\n").replace("b b\n", "b b\t0\n"),
    ],
    ids=[
        "CRLF",
        "spaces",
        "blank lines",
        "UNK",
        "tail",
        "byte order mark",
        "gzip",
        "all weights",
    ],
)
def test_files_of_other_tools_are_read_alike(path, change):
    assert read(path, change(SRILM)).score_samples(SEQUENCES) == expected()


def test_what_is_unknown_is_impossible_where_the_file_has_no_probability_for_it(path):
    text = SRILM.replace("-0.9	<unk>\n", "").replace("ngram 1=6", "ngram 1=5")
    model = read(path, text)
    assert model.score_samples(["ab"]) == expected(["ab"])
    assert model.score_samples(["az"]) == [-np.inf]
    assert model.score(["az"]) == -np.inf


def levels_of(model):
    names = ("parents", "units", "log_probs", "backoffs")
    return [
        [getattr(lv, n).tolist() for n in names] for lv in model._learnt.trie.levels
    ]


@pytest.mark.parametrize("name", ["model.arpa", "model.arpa.gz"])
def test_what_is_written_is_read_again_to_the_last_bit(tmp_path, name):
    y = ["ab a", " \tb\u00a0", "<s>", "<U+0041>", "▁<space>", "ü\ud800\x85", "\\end\\"]
    labels = [[*y, "", "<empty>", "<UNK>", "\\1-grams:", "a b"], y]
    model = NgramModel(3, smoothing="witten_bell").fit(labels)
    model.write_arpa(tmp_path / name)
    again = NgramModel.read_arpa(tmp_path / name)
    assert again.units_ == model.units_
    assert levels_of(again) == levels_of(model)
    assert (again.score_samples(labels) == model.score_samples(labels)).all()
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_text_with_spaces_is_written_and_read_as_text(path):
    model = NgramModel(2, smoothing="witten_bell").fit(["a b", "b a"])
    model.write_arpa(path)
    assert "\t<space> b" in path.read_text()
    again = NgramModel.read_arpa(path)
    assert again.score_samples(["a b"]) == model.score_samples(["a b"])
    assert isinstance(again.sample(random_state=0)[0], str)


def test_numbers_are_written_as_text_and_looked_up_by_it(path):
    y = [np.array([3, 1, 2]), np.array([1, 2])]
    model = NgramModel(2, smoothing="witten_bell").fit(y)
    model.write_arpa(path)
    again = NgramModel.read_arpa(path)
    assert again.units_ == ["3", "1", "2"]
    assert (again.score_samples(y) == model.score_samples(y)).all()


def test_a_file_is_packed_the_same_way_whenever_it_is_written(tmp_path):
    model = NgramModel(2, smoothing="witten_bell").fit(["ab"])
    for name in ("one.gz", "two.gz"):
        model.write_arpa(tmp_path / name)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("\\data\\", "\\dta\\", r"no line says \\data\\"),
        ("ngram 2=5", "ngram 2=6", r"line 23, the 2-grams end after 5, but .* 6"),
        ("ngram 2=5", "ngram 4=5", r"line 5, 'ngram 2=' should stand"),
        ("ngram 1=6\nngram 2=5\nngram 3=2\n", "", "an order from 1 to 20 must be"),
        ("\\2-grams:", "\\3-grams:", r"\\2-grams: should stand, not"),
        ("\\2-grams:", "", r"'-0\.3\\t<s> a\\t-0\.1' has 4 fields, not .*1 token "),
        ("\\end\\", "", r"ends before \\end\\"),
        ("\\end\\", "\\4-grams:", r"\\end\\ should stand, not"),
        (
            "-0.3	<s> a",
            "0.3	<s> a",
            r"line 17, '0\.3' is not a number in \[-1000, 0",
        ),
        ("-0.3	<s> a", "nan	<s> a", r"'nan' is not a number"),
        ("-0.3	<s> a", "-inf	<s> a", r"'-inf' is not a number"),
        ("-0.3	<s> a", "-0_3	<s> a", r"'-0_3' is not a number"),
        ("-0.3	<s> a", "x	<s> a", r"'x' is not a number"),
        (
            "-0.3	<s> a	-0.1",
            "-0.3	<s> a	1e9",
            r"'1e9' is not a number in \[-1000, 1",
        ),
        (
            "-0.6	a b",
            "-0.6	a z",
            r"line 18, 'z' stands in a 2-gram but is not among",
        ),
        (
            "-0.6	a b",
            "-0.6	c b",
            r"3-gram in line 25 begins with a 2-gram that the",
        ),
        ("b a\n", "b </s>\n", "lines 19 and 20 have the same 2-gram"),
        ("</s>", "end", "</s> is not among its 1-grams"),
        ("	<s>", "	start", "<s> is not among its 1-grams"),
        ("-0.45	b a", "-0.45	b", r"line 20, .* has 2 fields, not .*2 tokens"),
        ("a c\n", f"a {'c' * 70000}\n", "longer than 65536 bytes"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_its_line(path, old, new, what):
    assert old in SRILM
    text = SRILM.replace(old, new)
    with pytest.raises(ValueError, match=what) as caught:
        read(path, text)
    assert str(caught.value).startswith(f"{path} is not a whole ARPA file: ")
    assert "\n" not in str(caught.value)


def test_a_token_that_is_not_utf_8_is_refused(path):
    with pytest.raises(ValueError, match=r"line 14, .* is not UTF-8"):
        read(path, SRILM.encode().replace(b"\tc\t", b"\t\xff\t"))


def test_a_label_that_is_written_in_two_ways_is_refused(path):
    text = SRILM.replace("\tb", "\t<space>").replace(" b", " <space>")
    text = text.replace("\tc", "\t<U+0020>").replace(" c", " <U+0020>")
    with pytest.raises(ValueError, match="writes one label in two ways"):
        read(path, text)


def test_a_packed_file_that_is_torn_or_a_bomb_is_refused(path, monkeypatch):
    packed = gzip.compress(SRILM.encode())
    for data in (packed[:-20], packed[:50] + b"\0\0\0" + packed[53:]):
        with pytest.raises(ValueError, match=re.escape(f"{path} is torn: its gzip")):
            read(path, data)
    monkeypatch.setattr(_arpa, "FREE_BYTES", 1000)
    bomb = gzip.compress((b" " * 1000 + b"\n") * 1000)
    with pytest.raises(ValueError, match="more than 100 times as long as the file"):
        read(path, bomb)


def test_a_file_cut_anywhere_is_refused_in_one_sentence(path):
    whole = SRILM.rstrip().encode()
    for n in range(len(whole)):
        with pytest.raises(ValueError, match="is not a whole ARPA file"):
            read(path, whole[:n])


@pytest.mark.slow
def test_a_file_that_is_damaged_anywhere_is_read_or_refused_in_words(path):
    rng = np.random.default_rng(0)
    n_refused = 0
    for _ in range(3000):
        data = bytearray(SRILM.encode())
        for place in rng.integers(len(data), size=rng.integers(1, 4)):
            data[place] = rng.choice(list(b"\x00\t\n -.0129<>\\abs\xff"))
        try:
            model = read(path, bytes(data))
        except ValueError as error:
            n_refused += 1
            assert str(path) in str(error)  # noqa: PT017 - some are read
        else:
            found = model.score_samples([list("ab"), list("acc")])
            assert not np.isnan(found).any()
    assert 1000 < n_refused < 3000


def test_a_path_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'path' parameter of read_arpa must be a pat"):
        NgramModel.read_arpa(None)
    model = NgramModel(smoothing="witten_bell").fit(["ab"])
    with pytest.raises(ValueError, match="'path' parameter of write_arpa must be a pa"):
        model.write_arpa(3)
    with pytest.raises(FileNotFoundError):
        NgramModel.read_arpa("/nowhere/at/all.arpa")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    path.write_text("old")
    model = NgramModel(smoothing="witten_bell").fit(["ab"])

    def fails(tokens, trie):
        yield b"half"
        raise OSError("full")

    monkeypatch.setattr(_arpa, "_text", fails)
    with pytest.raises(OSError, match="full"):
        model.write_arpa(path)
    assert [(p.name, p.read_text()) for p in path.parent.iterdir()] == [
        ("model.arpa", "old")
    ]
