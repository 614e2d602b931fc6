"""An automaton over the labels that words are spelled in.

A state is a history of words and how the next word begins. Where no word that came
after a history continues so, the state backs off to the next shorter history with the
same beginning, and from the empty one to a state for unknown words. A word's weight is
that of the separator after it; separators that end no word weigh nothing. Knows nothing
of files and of how a model is learnt.
"""

from dataclasses import dataclass

import numpy as np

from skseq.language._automaton import MOST_STATES, Automaton
from skseq.language._histories import Histories
from skseq.language._trie import LN_10, N_SPECIAL, UNKNOWN, Trie


@dataclass(frozen=True, eq=False)
class Spelling:
    """Words as label ids, one after another."""

    labels: np.ndarray  # (n_labels_of_all,) int64, -1 for a character that is none
    firsts: np.ndarray  # (n_words + 1,)
    ranks: np.ndarray  # (n_words,): words that begin alike are neighbors
    separator: int  # a label id, or -1

    @classmethod
    def of(cls, words: list[str], alphabet: list[str], separator: str) -> "Spelling":
        ids = {character: i for i, character in enumerate(alphabet)}
        text = "".join(words).encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(text, "<u4")
        distinct, places = np.unique(codes, return_inverse=True)
        known = [ids.get(chr(code), -1) for code in distinct.tolist()]
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        ranks = np.empty(len(words), np.int64)
        ranks[sorted(range(len(words)), key=words.__getitem__)] = np.arange(len(words))
        return cls(
            np.array(known, np.int64)[places] if len(codes) else np.empty(0, np.int64),
            np.append(0, np.cumsum(lengths)),
            ranks,
            ids.get(separator, -1),
        )

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.firsts)

    def can_be_spelled(self) -> np.ndarray:
        """Whether each word consists of labels, none of them the separator."""
        is_bad = (self.labels < 0) | (self.labels == self.separator)
        n_bad = np.append(0, np.cumsum(is_bad))[self.firsts]
        return (np.diff(n_bad) == 0) & (self.lengths > 0)


class Branches:
    """The words after each history of one length, merged where they begin alike.

    Parameters
    ----------
    trie : Trie
    length : int
        Of the histories.
    spelling : Spelling
    """

    def __init__(self, trie: Trie, length: int, spelling: Spelling):
        level = trie.levels[length]
        places = np.flatnonzero(level.units >= N_SPECIAL)
        words = level.units[places] - N_SPECIAL
        is_word = spelling.can_be_spelled()[words]
        places, words = places[is_word], words[is_word]
        keys = level.parents[places] * np.int64(len(spelling.ranks))
        order = np.argsort(keys + spelling.ranks[words])
        self.ngrams = places[order]  # (n_items,), places in the trie
        self.words = words[order]
        self.histories = level.parents[self.ngrams]
        self.lengths = spelling.lengths[self.words]
        self.shared = self._shared(spelling)
        fresh = self.lengths - self.shared
        self.bases = np.cumsum(fresh) - fresh
        self.n_states = int(fresh.sum())
        self.items = np.full(len(level), -1)  # by place in the trie
        self.items[self.ngrams] = np.arange(len(self.ngrams))

    def _shared(self, spelling: Spelling) -> np.ndarray:
        """How many labels each word has in common with the one before it."""
        shared = np.zeros(len(self.words), np.int64)
        alike = np.flatnonzero(self.histories[1:] == self.histories[:-1]) + 1
        shortest = np.minimum(self.lengths[1:], self.lengths[:-1])
        firsts, depth = spelling.firsts[self.words], 0
        while len(alike):
            alike = alike[shortest[alike - 1] > depth]
            one, two = firsts[alike - 1] + depth, firsts[alike] + depth
            alike = alike[spelling.labels[one] == spelling.labels[two]]
            depth += 1
            shared[alike] = depth
        return shared


def word_automaton(
    trie: Trie, words: list[str], alphabet: list[str], separator: str
) -> Automaton:
    """The automaton over the labels of `alphabet`, each a character.

    `words` are the user's units in the order of their numbers.
    """
    spelling = Spelling.of(words, alphabet, separator)
    if not spelling.can_be_spelled().any():
        raise ValueError(
            "The language model has not a single word that the labels can spell. Take "
            "a model of the same alphabet, in the same case."
        )
    return _Builder(trie, spelling, len(alphabet)).automaton()


class _Builder:
    """The states in the making: histories, then beginnings, then unknown words."""

    def __init__(self, trie: Trie, spelling: Spelling, n_labels: int):
        self.trie, self.spelling, self.n_labels = trie, spelling, n_labels
        self.histories = Histories(trie)
        self.branches = [Branches(trie, n, spelling) for n in range(trie.order)]
        sizes = [branches.n_states for branches in self.branches]
        # Longer histories first, as states back off to higher numbers.
        self.offsets = [
            self.histories.count + sum(sizes[length + 1 :])
            for length in range(trie.order)
        ]
        (self.unknown_ngram,) = trie.find(1, 0, [UNKNOWN])
        self.unknown = self.histories.count + sum(sizes)
        n_states = self.unknown + int(self.unknown_ngram >= 0)
        if n_states > MOST_STATES:
            raise ValueError(
                f"The language model takes {n_states} states over letters, more than "
                f"{MOST_STATES}. Fit it with a larger min_count or a lower order."
            )
        self.backoff_states = np.full(n_states, -1, np.int32)
        self.backoff_weights = np.zeros(n_states)
        self.final = np.full(n_states, -np.inf)
        self.arcs: list[tuple] = []

    def automaton(self) -> Automaton:
        self._add_histories()
        self._add_unknown()
        paths = self._add_beginnings()
        for length, path in enumerate(paths):
            self._add_words(length, path)
        columns = [np.concatenate(column) for column in zip(*self.arcs, strict=True)]
        self.arcs.clear()
        return Automaton.of_arcs(
            self.n_labels,
            *columns,
            self.final,
            self.backoff_states,
            self.backoff_weights,
        )

    def _add(self, origins, labels, ends, weights) -> None:
        kinds = (np.int32, np.int32, np.int32, np.float64)
        arcs = zip((origins, labels, ends, weights), kinds, strict=True)
        self.arcs.append(
            tuple(
                np.broadcast_to(column, np.shape(origins)).astype(kind)
                for column, kind in arcs
            )
        )

    def _add_histories(self) -> None:
        count = self.histories.count
        self.backoff_states[:count], self.backoff_weights[:count] = (
            self.histories.backoffs()
        )
        if self.unknown_ngram >= 0:
            self.backoff_states[count - 1] = self.unknown
        self.final[:count] = self.histories.final
        if self.spelling.separator >= 0:
            states = np.arange(count)
            self._add(states, self.spelling.separator, states, 0.0)

    def _add_unknown(self) -> None:
        """All letters lead back to where they come from, and the separator out."""
        if self.unknown_ngram < 0:
            return
        labels = np.delete(np.arange(self.n_labels), self._separators())
        self._add(np.full(len(labels), self.unknown), labels, self.unknown, 0.0)
        weight = LN_10 * self.trie.levels[0].log_probs[self.unknown_ngram]
        end = self.histories.reached[1][self.unknown_ngram]
        self.final[self.unknown] = weight + self.histories.final[end]
        for separator in self._separators():
            self._add(np.array([self.unknown]), separator, end, weight)

    def _separators(self) -> list[int]:
        return [self.spelling.separator] if self.spelling.separator >= 0 else []

    def _add_beginnings(self) -> list[np.ndarray]:
        """Letter by letter, the states of all beginnings; return those of the words."""
        paths = []
        for length, branches in enumerate(self.branches):
            numbers = np.full(branches.histories.max(initial=0) + 1, -1)
            kept = self.histories.kept[length]
            is_there = kept < len(numbers)
            numbers[kept[is_there]] = self.histories.numbers[length][is_there]
            paths.append(numbers[branches.histories])
        longest = max(branches.lengths.max(initial=0) for branches in self.branches)
        active = [np.arange(len(path)) for path in paths]
        for depth in range(1, longest + 1):
            for length, branches in enumerate(self.branches):
                items = active[length]
                active[length] = items = items[branches.lengths[items] >= depth]
                self._extend(length, depth, items, paths)
        return paths

    def _extend(self, length: int, depth: int, items, paths) -> None:
        """The states of the first `depth` letters of some words, and arcs to them."""
        branches, path = self.branches[length], paths[length]
        shared = branches.shared[items]
        is_new = shared < depth
        states = self.offsets[length] + branches.bases[items] + depth - shared - 1
        # What shares its beginning with the word before it shares its state.
        states = states[
            np.maximum.accumulate(np.where(is_new, np.arange(len(items)), 0))
        ]
        new, fresh = items[is_new], states[is_new]
        letters = self.spelling.firsts[branches.words[new]] + depth - 1
        self._add(path[new], self.spelling.labels[letters], fresh, 0.0)
        path[items] = states
        if length:
            suffixes = self.trie.suffixes[length][branches.ngrams[new]]
            shorter = self.branches[length - 1].items[suffixes]
            self.backoff_states[fresh] = paths[length - 1][shorter]
            weights = self.trie.levels[length - 1].backoffs
            self.backoff_weights[fresh] = LN_10 * weights[branches.histories[new]]
        elif self.unknown_ngram >= 0:
            self.backoff_states[fresh] = self.unknown

    def _add_words(self, length: int, states: np.ndarray) -> None:
        """Arcs from the last letters of words, and the ends of sequences there."""
        branches = self.branches[length]
        ends = self.histories.reached[length + 1][branches.ngrams]
        weights = LN_10 * self.trie.levels[length].log_probs[branches.ngrams]
        for separator in self._separators():
            self._add(states, separator, ends, weights)
        own = slice(self.offsets[length], self.offsets[length] + branches.n_states)
        backs = self.backoff_states[own]
        self.final[own] = np.where(
            backs >= 0, self.backoff_weights[own] + self.final[backs], -np.inf
        )
        self.final[states] = weights + self.histories.final[ends]
