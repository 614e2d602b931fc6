"""Words that an output may be made of, as a tree whose ends lead back to its root."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator

from skseq._parameters import MOST_WEIGHT, Interval, Kind, OneOf, check_parameters
from skseq._routing import AnswersForeignNames
from skseq.language._alphabet import (
    SEPARATOR,
    Alphabet,
    as_plain,
    is_collection,
    refuse_items,
)
from skseq.language._automaton import Automaton
from skseq.language._prefixes import PrefixTree

_WORDS = Kind(
    lambda value: is_collection(value) and len(value) > 0,
    "a non-empty list of words, each a str or a list of labels",
)


class Lexicon(AnswersForeignNames, BaseEstimator):
    """The words that an output is made of.

    An output is cut into words at each `separator`. Every word must be one of the
    lexicon, or costs something if it is not. Where the separator is not a label of the
    reader, as when digits are read without pauses, the whole output is one word. The
    words share their beginnings in a tree, so that a search walks through a large
    lexicon as fast as through a small one.

    Parameters
    ----------
    words : list of str or list of list
        The words. In a str, each character is a label; where labels are written with
        several characters, a word is a list of labels. The order does not matter, and
        a word that occurs twice counts once. An empty word, "", allows the empty
        output and nothing else.
    separator : str, int or None, default=" "
        The label between words. None, or what is not a label of the reader, makes the
        whole output one word, which may then have spaces.
    unknown : {"forbid", "penalize"}, default="forbid"
        What becomes of a word that is not in the lexicon, the empty word before,
        between and after separators included. "forbid" allows none; then each word
        must be written in the labels of the reader. "penalize" allows any, each at the
        price of `penalty`; words that the reader cannot write are left out.
    penalty : float, default=-10.0
        The log-weight of an unknown word, from -1e6 to 0, charged once as soon as no
        word of the lexicon is left that it could become. Lower values keep more
        strictly to the lexicon.

    See Also
    --------
    Hotwords : Makes some phrases more likely, and forbids nothing.
    LabelPattern : Allows what a regular expression matches.

    Notes
    -----
    Parameters are checked when a reader uses the lexicon. A word with a label that the
    reader does not have, an empty list and a str in place of a list are errors then.
    The empty output counts as one unknown word unless "" is in the lexicon.

    References
    ----------
    .. [1] M. Mohri, "Weighted automata algorithms", Handbook of Weighted Automata,
           Springer, pp. 213-254, 2009.

    Examples
    --------
    >>> from skseq.language import Lexicon
    >>> Lexicon(["stop", "go", "left"])
    Lexicon(words=['stop', 'go', 'left'])

    Each output is one of these dates, since the reader has no label " ":

    >>> Lexicon(["24121999", "01012000"]).words
    ['24121999', '01012000']

    Words of labels with several characters, one of which stands between words:

    >>> Lexicon([["HH", "AY"], ["B", "AY"]], separator="SIL", unknown="penalize")
    Lexicon(separator='SIL', unknown='penalize', words=[['HH', 'AY'], ['B', 'AY']])
    """

    _constraints: ClassVar = {
        "words": _WORDS,
        "separator": SEPARATOR,
        "unknown": OneOf(("forbid", "penalize")),
        "penalty": Interval(float, -MOST_WEIGHT, 0, closed="both"),
    }

    def __init__(
        self,
        words: Iterable[str | Sequence[Any]],
        *,
        separator: str | int | None = " ",
        unknown: Literal["forbid", "penalize"] = "forbid",
        penalty: float = -10.0,
    ):
        self.words = words
        self.separator = separator
        self.unknown = unknown
        self.penalty = penalty

    def _plain(self) -> dict:
        """The parameters as plain values, which the constructor takes."""
        words = [as_plain(word) for word in self.words]
        return {**self.get_params(deep=False), "words": words}

    def _automaton(self, classes: Iterable) -> Automaton:
        """What a reader with these labels is told."""
        check_parameters(self, self._constraints)
        alphabet = Alphabet(classes)
        separator = alphabet.id_of(self.separator)
        texts = set(self._texts(alphabet))
        self._check_separators(texts, separator, alphabet)
        allows_empty = "" in texts
        tree = PrefixTree.of(sorted(texts - {""}))
        if tree.n_nodes == 1:
            raise ValueError(
                "The 'words' parameter of Lexicon must have a word that is not empty "
                "and that the labels of the reader can write."
            )
        if self.unknown == "forbid":
            return _strict(tree, alphabet.n_labels, separator, allows_empty)
        costs = float(self.penalty)
        return _lenient(tree, alphabet.n_labels, separator, allows_empty, costs)

    def _texts(self, alphabet: Alphabet) -> list[str]:
        words = list(self.words)
        refuse_items("Lexicon", "words", words)
        unwritten = alphabet.unwritten(words)
        if unwritten and self.unknown == "forbid":
            raise ValueError(
                f"{alphabet.complaint('word', 'Lexicon', unwritten)} Leave out what "
                "the reader cannot write, or set unknown='penalize'."
            )
        if unwritten:
            places = {place for place, _, _ in unwritten}
            words = [word for i, word in enumerate(words) if i not in places]
        return alphabet.texts(words)

    def _check_separators(self, texts, separator: int, alphabet: Alphabet) -> None:
        if separator < 0 or chr(separator) not in "".join(texts):
            return
        text = min(text for text in texts if chr(separator) in text)
        raise ValueError(
            f"The word {alphabet.word(text)!r} of Lexicon has the separator "
            f"{self.separator!r}. Strip it and split phrases into their words, or set "
            "separator=None if each entry is a whole output."
        )


def _arcs(tree: PrefixTree, after: int, separator: int) -> np.ndarray:
    """State, label and next state of each arc that costs nothing, in columns.

    `after` is the state after a separator, from which all words lead on.
    """
    nodes = np.arange(1, tree.n_nodes)
    origins, labels = tree.parents[1:], tree.labels[1:]
    arcs = [np.stack([origins, labels, nodes])]
    if after:
        arcs.append(arcs[0][:, origins == 0])
        arcs[1][0] = after
    if separator >= 0:
        to_next = np.full_like(tree.ends, separator), np.full_like(tree.ends, after)
        arcs.append(np.stack([tree.ends, *to_next]))
    return np.concatenate(arcs, axis=1)


def _strict(tree, n_labels, separator, allows_empty) -> Automaton:
    """The automaton of words alone: a state for each node of the tree.

    After a separator a word must follow, which the start asks for unless it may end.
    """
    after = tree.n_nodes if allows_empty and separator >= 0 else 0
    arcs = _arcs(tree, after, separator)
    final = np.full(tree.n_nodes + bool(after), -np.inf)
    final[tree.ends] = 0.0
    if allows_empty:
        final[0] = 0.0
    return Automaton.of_arcs(n_labels, *arcs, np.zeros(arcs.shape[1]), final)


def _lenient(tree, n_labels, separator, allows_empty, costs) -> Automaton:
    """The same with a last state inside unknown words, which all others back off to.

    What enters it has cost the penalty; so has a word that ends inside the tree.
    """
    after = tree.n_nodes if allows_empty and separator >= 0 else 0
    inside = tree.n_nodes + bool(after)
    labels = np.arange(n_labels)
    ends = np.where(labels == separator, after, inside)
    final = np.full(inside + 1, costs)
    final[tree.ends] = final[inside] = 0.0
    breaks = np.flatnonzero(final) if separator >= 0 else np.zeros(0, np.int64)
    if allows_empty:
        final[0] = 0.0
    free = [
        _arcs(tree, after, separator),
        np.stack([np.full(n_labels, inside), labels, ends]),
    ]
    broken = [breaks, np.full_like(breaks, separator), np.full_like(breaks, after)]
    columns = np.concatenate([*free, np.stack(broken)], axis=1)
    weights = np.zeros(columns.shape[1])
    weights[len(weights) - len(breaks) :] = costs
    backoff_states = np.full(inside + 1, inside)
    backoff_weights = np.full(inside + 1, costs)
    backoff_states[inside], backoff_weights[inside] = -1, 0.0
    return Automaton.of_arcs(
        n_labels, *columns, weights, final, backoff_states, backoff_weights
    )
