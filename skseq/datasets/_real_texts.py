"""Reads real pairs of texts from files into strings.

Knows only the module that finds the files.
"""

import gzip
import os
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_consistent_length

from skseq._parameters import OneOf, check_value
from skseq.datasets._home import find_file, get_data_home

_SUBSETS = ("train", "dev", "test")


def fetch_g2p(language, *, subset="train", data_home=None, return_X_y=False) -> Any:
    """Load words of a language and their pronunciations.

    The data of the SIGMORPHON 2020 shared task on grapheme-to-phoneme conversion:
    3600 words for training, 450 for development and 450 for testing, for each of 15
    languages.

    Parameters
    ----------
    language : str
        The code of a language whose files exist, for example "fre" or "hin".
    subset : {"train", "dev", "test"}, default="train"
        Which part to return.
    data_home : str or path-like, default=None
        The folder that holds files such as `g2p/fre_train.tsv`; see
        :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(words, phones)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        words : list of n_words str
            The words.
        phones : list of n_words str
            The phones of each word, separated by spaces. One phone may be several
            characters.

    (words, phones) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If there is no file of this subset for any language.
    ValueError
        If `subset` is unknown, there are files for other languages only, or a line is
        broken.

    Notes
    -----
    The words are from Wiktionary [1]_, under the licence CC BY-SA 3.0.

    References
    ----------
    .. [1] K. Gorman et al., "The SIGMORPHON 2020 Shared Task on Multilingual
       Grapheme-to-Phoneme Conversion", SIGMORPHON 2020.
       https://github.com/sigmorphon/2020
    """
    source = "https://github.com/sigmorphon/2020"
    check_value("fetch_g2p", "subset", subset, OneOf(_SUBSETS))
    _check_language(language, subset, data_home, source)
    path = find_file(data_home, f"g2p/{language}_{subset}.tsv", source)
    pairs = _read_pairs(path, _read_lines(path), "\t")
    words, phones = [word for word, _ in pairs], [phones for _, phones in pairs]
    if return_X_y:
        return words, phones
    return Bunch(words=words, phones=phones)


def fetch_small_parallel_enja(
    *, subset="train", data_home=None, return_X_y=False
) -> Any:
    """Load short English sentences and their translations into Japanese.

    50,000 pairs of sentences of 4 to 16 words for training, 500 for development and 500
    for testing, already cut into words.

    Parameters
    ----------
    subset : {"train", "dev", "test"}, default="train"
        Which part to return.
    data_home : str or path-like, default=None
        The folder that holds files such as `small_parallel_enja/train.en` and
        `train.ja`; see :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(english, japanese)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        english : list of n_sentences str
            The sentences in lower case, words and punctuation separated by spaces.
        japanese : list of n_sentences str
            Their translations, words and endings separated by spaces.

    (english, japanese) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If one of the two files is missing.
    ValueError
        If `subset` is unknown, or the two files have different numbers of lines.

    Notes
    -----
    A part of the Tanaka Corpus, cut into words by the Stanford Tokenizer and KyTea
    [1]_; it comes without a licence of its own. Of the 500 English sentences for
    development, 77 are also among those for training.

    References
    ----------
    .. [1] Y. Oda, "small_parallel_enja: 50k En/Ja Parallel Corpus for Testing SMT
       Methods". https://github.com/odashi/small_parallel_enja
    """
    source = "https://github.com/odashi/small_parallel_enja"
    check_value("fetch_small_parallel_enja", "subset", subset, OneOf(_SUBSETS))
    english, japanese = (
        _read_lines(find_file(data_home, f"small_parallel_enja/{subset}.{end}", source))
        for end in ("en", "ja")
    )
    check_consistent_length(english, japanese)
    if return_X_y:
        return english, japanese
    return Bunch(english=english, japanese=japanese)


def fetch_spelling(*, data_home=None, return_X_y=False) -> Any:
    """Load misspelt English words and their correct spellings.

    A word has one misspelling or up to hundreds, and a misspelling may be another word.
    To see how well a model does on words that it has not met, split by `groups`, for
    example with :class:`~sklearn.model_selection.GroupShuffleSplit`.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that holds `spelling/spell-errors.txt.gz`; see
        :func:`get_data_home`.
    return_X_y : bool, default=False
        Whether to return `(misspellings, words)` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the entries

        misspellings : list of n_misspellings str
            What was written. Some are misspellings of several words and occur once
            for each.
        words : list of n_misspellings str
            What was meant.
        counts : ndarray of shape (n_misspellings,), dtype=int
            How often each misspelling was seen, where the list says so, else 1;
            useful as `sample_weight`.
        groups : ndarray of shape (n_misspellings,), dtype=int
            The number of the word, from 0, the same for all its misspellings.

    (misspellings, words) : tuple if `return_X_y` is True
        These two entries alone.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If a line is broken.

    Notes
    -----
    The list is by P. Norvig [1]_, from Wikipedia and from corpora by R. Mitton. A pair
    that the file repeats is returned once. Misspellings that equal their word or whose
    word is unknown ("?") are left out. Underscores become the spaces that they stand
    for; upper case is kept.

    References
    ----------
    .. [1] P. Norvig, "Natural Language Corpus Data", in Beautiful Data, O'Reilly, 2009.
       https://norvig.com/ngrams/
    """
    source = "https://norvig.com/ngrams/"
    path = find_file(data_home, "spelling/spell-errors.txt.gz", source)
    counts: dict[tuple[str, str], int] = {}
    for word, entries in _read_pairs(path, _read_lines(path, gzip.open), ": "):
        for misspelling, count in map(_parse_entry, entries.split(", ")):
            pair = misspelling, word.replace("_", " ")
            counts[pair] = max(count, counts.get(pair, 0))
    pairs = [(wrong, word) for wrong, word in counts if word not in (wrong, "?")]
    misspellings, words = [wrong for wrong, _ in pairs], [word for _, word in pairs]
    if return_X_y:
        return misspellings, words
    return Bunch(
        misspellings=misspellings,
        words=words,
        counts=np.array([counts[pair] for pair in pairs], dtype=np.int64),
        groups=np.unique(words, return_inverse=True)[1],
    )


def _parse_entry(entry: str) -> tuple[str, int]:
    """Split "wrong*2", which was seen twice, into its parts."""
    misspelling, count = re.fullmatch(r"(.*?)(?:\*(\d+))?", entry).groups()
    return misspelling.replace("_", " "), int(count or 1)


def _read_lines(path: os.PathLike, open_file=open) -> list[str]:
    # Not str.splitlines, which also splits at separators within a line.
    with open_file(path, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def _read_pairs(
    path: os.PathLike, lines: Iterable[str], separator: str
) -> list[list[str]]:
    pairs = [line.split(separator) for line in lines]
    for number, pair in enumerate(pairs, start=1):
        if len(pair) != 2 or not all(pair):
            raise ValueError(
                f"Line {number} of {path} must be two texts with {separator!r} between "
                f"them. Got {separator.join(pair)!r} instead."
            )
    return pairs


def _check_language(
    language: str, subset: str, data_home: str | os.PathLike | None, source: str
) -> None:
    """Refuse a language without a file, if another language has one."""
    folder = get_data_home(data_home) / "g2p"
    ending = f"_{subset}.tsv"
    names = (path.name for path in folder.glob(f"*{ending}"))
    available = sorted(name.removesuffix(ending) for name in names)
    if available and language not in available:
        raise ValueError(
            f"The 'language' parameter of fetch_g2p must be {OneOf(available)}, the "
            f"languages with a file for the subset {subset!r} in {folder}. Got "
            f"{language!r} instead. Get the data of others from {source}."
        )
