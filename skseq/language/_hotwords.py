"""Phrases that are made more likely, found as Aho and Corasick find them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from skseq._parameters import BOOLEAN, WEIGHT, Kind, accepts, check_parameters
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

_PHRASES = Kind(
    lambda value: isinstance(value, Mapping) or is_collection(value),
    "a list of phrases, or a dict from phrases to weights",
)


class Hotwords(AnswersForeignNames, BaseEstimator):
    """Phrases that are more likely, or less, than a search would think.

    Each time that a phrase stands in an output, its weight is added to the score.
    Nothing is forbidden. While a phrase is being read, its weight is spread evenly over
    its labels, so that the search keeps what may become one; where it does not become
    one, all of that is taken back [1]_.

    Parameters
    ----------
    phrases : list or dict
        The phrases, each one word or several. In a str, each character is a label;
        where labels are written with several characters, a phrase is a list of
        labels, or a tuple as the key of a dict. A dict gives each phrase a weight of
        its own. An empty list or dict changes nothing.
    weight : float, default=4.0
        The log-weight of each phrase of a list: 4.0 makes an output with the phrase
        e\\ :sup:`4` = 55 times as likely. Larger values find more of the phrases, also
        where none was said. Weights below 0 make phrases less likely; they are
        charged where a phrase is complete.
    separator : str, int or None, default=" "
        The label between words. A phrase is found only where a word starts: at the
        start of the output or after a separator. With None, or where the separator is
        not a label of the reader, a phrase is found anywhere.
    whole_words : bool, default=True
        Whether a phrase must also end where a word ends. With False, "cat" is found in
        "cats" and "category", too, which serves languages that inflect. Without
        separators this changes nothing.

    See Also
    --------
    Lexicon : Forbids all other words.

    Notes
    -----
    Parameters are checked when a reader uses the phrases. A phrase with a label that
    the reader does not have, an empty phrase, and a weight that is not a finite number
    are errors then. Each phrase counts on its own: "New York" and "York" both count in
    "New York", and a phrase that occurs twice counts twice. A phrase that is listed
    twice is one phrase.

    References
    ----------
    .. [1] A. V. Aho and M. J. Corasick, "Efficient string matching: an aid to
           bibliographic search", Communications of the ACM 18(6), pp. 333-340, 1975.

    Examples
    --------
    >>> from skseq.language import Hotwords
    >>> Hotwords(["Aufklärer", "Sapere aude"])
    Hotwords(phrases=['Aufklärer', 'Sapere aude'])
    >>> Hotwords({"Aufklärer": 4.0, "Aufklärung": -2.0}, whole_words=False)
    Hotwords(phrases={'Aufklärer': 4.0, 'Aufklärung': -2.0}, whole_words=False)
    """

    _constraints: ClassVar = {
        "phrases": _PHRASES,
        "weight": WEIGHT,
        "separator": SEPARATOR,
        "whole_words": BOOLEAN,
    }

    def __init__(
        self,
        phrases: Iterable[str | Sequence[Any]] | Mapping[Any, float],
        *,
        weight: float = 4.0,
        separator: str | int | None = " ",
        whole_words: bool = True,
    ):
        self.phrases = phrases
        self.weight = weight
        self.separator = separator
        self.whole_words = whole_words

    def _plain(self) -> dict:
        """The parameters as plain values, the phrases and their weights in lists."""
        weights = None
        if isinstance(self.phrases, Mapping):
            weights = [float(weight) for weight in self.phrases.values()]
        phrases = [as_plain(phrase) for phrase in self.phrases]
        return {
            **self.get_params(deep=False),
            "phrases": phrases,
            "weights": weights,
        }

    @classmethod
    def _of_plain(cls, plain: dict) -> "Hotwords":
        """The inverse of `_plain`."""
        parameters = dict(plain)
        weights, phrases = parameters.pop("weights"), parameters["phrases"]
        if weights is not None:
            keys = (p if isinstance(p, str) else tuple(p) for p in phrases)
            parameters["phrases"] = dict(zip(keys, weights, strict=True))
        return cls(**parameters)

    def _automaton(self, classes: Iterable) -> Automaton:
        """What a reader with these labels is told."""
        check_parameters(self, self._constraints)
        alphabet = Alphabet(classes)
        separator = alphabet.id_of(self.separator)
        weights = self._weights(alphabet, separator)
        tree = PrefixTree.of(sorted(weights))
        own = np.zeros(tree.n_nodes)
        own[tree.ends] = [weights[text] for text in sorted(weights)]
        waits = bool(self.whole_words) and separator >= 0
        return _Finder.of(tree, own, separator, waits).automaton(alphabet.n_labels)

    def _weights(self, alphabet: Alphabet, separator: int) -> dict[str, float]:
        """The weight of each phrase, by its text of ids."""
        phrases = list(self.phrases)
        refuse_items("Hotwords", "phrases", phrases)
        is_dict = isinstance(self.phrases, Mapping)
        given = self.phrases.values() if is_dict else [self.weight] * len(phrases)
        for phrase, weight in zip(phrases, given, strict=True):
            if not accepts(weight, WEIGHT):
                raise ValueError(
                    f"The weight of the phrase {phrase!r} of Hotwords must be a finite "
                    f"number. Got {weight!r} instead."
                )
        unwritten = alphabet.unwritten(phrases)
        if unwritten:
            complaint = alphabet.complaint("phrase", "Hotwords", unwritten)
            raise ValueError(f"{complaint} Leave out what the reader cannot write.")
        texts = alphabet.texts(phrases)
        for phrase, text in zip(phrases, texts, strict=True):
            _check_ends(phrase, text, separator)
        return dict(zip(texts, map(float, given), strict=True))


def _check_ends(phrase: Any, text: str, separator: int) -> None:
    if not text:
        raise ValueError("A phrase of Hotwords is empty. Leave it out.")
    if separator >= 0 and chr(separator) in (text[0], text[-1]):
        raise ValueError(
            f"The phrase {phrase!r} of Hotwords starts or ends with the separator. "
            "Strip it: phrases are found where words start."
        )


@dataclass(frozen=True, eq=False)
class _Finder:
    """States that know the longest beginning of a phrase that was just read.

    A state is a node of the tree. The last state, beyond the tree, stands inside words
    that no phrase begins; without separators there is none, since a phrase may begin
    anywhere. A state backs off to the longest rest of its labels that begins a phrase,
    too. Its credit is what was added in advance on the way to it.
    """

    tree: PrefixTree
    separator: int
    waits: bool  # whether a phrase counts where its word ends, and not before
    children: dict  # of nodes by node and label
    rests: np.ndarray  # the state that each backs off to
    gains: np.ndarray  # of each state, the weights of the phrases that end there
    ends: np.ndarray  # the nodes that are phrases
    credits: np.ndarray

    @classmethod
    def of(
        cls, tree: PrefixTree, own: np.ndarray, separator: int, waits: bool
    ) -> "_Finder":
        """Of a tree, and the weight of the phrase that each node is, or 0."""
        arcs = zip(tree.parents[1:].tolist(), tree.labels[1:].tolist(), strict=True)
        children = {arc: node for node, arc in enumerate(arcs, start=1)}
        rests = _rests(tree, children, separator)
        gains = own.tolist() + [0.0] * (len(rests) - tree.n_nodes)
        for node in np.argsort(tree.depths, kind="stable")[1:].tolist():
            gains[node] += gains[rests[node]]
        gains, rests = np.array(gains), np.array(rests)
        credit = np.zeros(len(rests))
        credit[: tree.n_nodes] = _advances(tree, own)
        if waits:
            credit += np.maximum(gains, 0)
        return cls(tree, separator, waits, children, rests, gains, tree.ends, credit)

    @property
    def ground(self) -> int:
        """The state that backs off to none."""
        return len(self.rests) - 1 if self.separator >= 0 else 0

    def automaton(self, n_labels: int) -> Automaton:
        """The automaton, whose state 0 only backs off to the root of the tree."""
        columns = [self._in_tree(), self._on_ground(n_labels)]
        if self.waits:
            columns.append(self._at_word_ends())
        origins, labels, ends, gained = np.concatenate(columns, axis=1)
        origins, labels, ends = (x.astype(np.int64) for x in (origins, labels, ends))
        weights = self.credits[ends] - self.credits[origins] + gained
        # States back off to higher numbers, which those of fewer labels must have.
        n_states = len(self.rests)
        deepest = np.argsort(-self.tree.depths, kind="stable")
        order = np.append(deepest, np.arange(self.tree.n_nodes, n_states))
        numbers = np.empty(n_states, np.int64)
        numbers[order] = np.arange(1, n_states + 1)
        rests = self.rests[order]
        backs = rests >= 0
        paid = np.where(backs, self.credits[rests], 0) - self.credits[order]
        final = (self.gains * self.waits - self.credits)[order]
        return Automaton.of_arcs(
            n_labels,
            numbers[origins],
            labels,
            numbers[ends],
            weights,
            np.append(0.0, final),
            np.append(numbers[0], np.where(backs, numbers[rests], -1)),
            np.append(0.0, np.where(backs, paid, 0)),
        )

    def _in_tree(self) -> np.ndarray:
        """State, label, next state and what is gained, of each arc in the tree."""
        origins, labels = self.tree.parents[1:], self.tree.labels[1:]
        nodes = np.arange(1, self.tree.n_nodes)
        gained = self.gains[nodes]
        if self.waits:
            gained = np.where(labels == self.separator, self.gains[origins], 0)
        return np.stack([origins, labels, nodes, gained])

    def _on_ground(self, n_labels: int) -> np.ndarray:
        """The same of each label that leads from the ground into no phrase."""
        labels = np.arange(n_labels)
        if self.separator < 0:
            labels = np.setdiff1d(labels, self.tree.labels[self.tree.parents == 0])
        ends = np.where(labels == self.separator, 0, self.ground)
        ground = np.full(len(labels), self.ground)
        return np.stack([ground, labels, ends, np.zeros(len(labels))])

    def _at_word_ends(self) -> np.ndarray:
        """The same of the separator after each phrase that no longer one has there."""
        separator, arcs = self.separator, []
        for node in self.ends.tolist():
            if (node, separator) not in self.children:
                rest = int(self.rests[node])
                while rest != self.ground and (rest, separator) not in self.children:
                    rest = int(self.rests[rest])
                end = self.children.get((rest, separator), 0)
                arcs.append((node, separator, end, self.gains[node]))
        return np.array(arcs, np.float64).reshape(-1, 4).T


def _rests(tree: PrefixTree, children: dict, separator: int) -> list[int]:
    """The longest rest of each node that is a node, too, and starts where words do."""
    ground = tree.n_nodes if separator >= 0 else 0
    rests = [-1] * (ground or tree.n_nodes)
    if ground:
        rests[0] = ground
        rests.append(-1)
    parents, labels = tree.parents.tolist(), tree.labels.tolist()
    for node in np.argsort(tree.depths, kind="stable")[1:].tolist():
        label, rest = labels[node], rests[parents[node]]
        while rest not in (ground, -1) and (rest, label) not in children:
            rest = rests[rest]
        otherwise = 0 if label == separator else ground
        rests[node] = otherwise if rest < 0 else children.get((rest, label), otherwise)
    return rests


def _advances(tree: PrefixTree, own: np.ndarray) -> np.ndarray:
    """What each node is given in advance, by the best phrase that goes beyond it.

    A phrase gives the share of its weight that a beginning is of its labels.
    """
    best = np.maximum(own / np.maximum(tree.depths, 1), 0).tolist()  # per label
    beyond, parents = [0.0] * tree.n_nodes, tree.parents.tolist()
    for node in range(tree.n_nodes - 1, 0, -1):  # parents come after their children
        parent = parents[node]
        beyond[parent] = max(beyond[parent], beyond[node], best[node])
    return np.array(beyond) * tree.depths
