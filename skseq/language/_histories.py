"""The histories that a search distinguishes, and an automaton over single labels.

A history is a state where n-grams continue it or where backing off from it has a
weight. Knows nothing of words.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skseq.language._automaton import Automaton
from skseq.language._trie import LN_10, Trie


@dataclass(frozen=True, eq=False)
class Histories:
    """Numbers for the histories of a model, longer ones first, but for the start.

    The start has the number 0 and the empty history, which is last, the highest; where
    the order is 1 both are one.
    """

    trie: Trie

    @cached_property
    def kept(self) -> list[np.ndarray]:
        """By length from 0 on, the places of the histories that are states."""
        places = [np.zeros(1, np.int64)]
        for length in range(1, self.trie.order):
            level, above = self.trie.levels[length - 1 : length + 1]
            is_kept = level.backoffs != 0
            is_kept[above.parents] = True
            if length == 1:
                is_kept[self.trie.start] = True
            places.append(np.flatnonzero(is_kept))
        return places

    @cached_property
    def numbers(self) -> list[np.ndarray]:
        """By length, the number of each kept history."""
        numbers, count = [], int(self.trie.order > 1)
        for length in range(self.trie.order - 1, -1, -1):
            places = self.kept[length]
            own = np.ones(len(places), bool)
            if length == 1:
                own = places != self.trie.start
            found = np.zeros(len(places), np.int64)
            found[own] = count + np.arange(own.sum())
            numbers.append(found)
            count += int(own.sum())
        return numbers[::-1]

    @property
    def count(self) -> int:
        return sum(map(len, self.kept))

    @cached_property
    def reached(self) -> list[np.ndarray]:
        """By length, the number of the longest state that each n-gram ends in."""
        found = [np.full(1, self.count - 1)]
        for length in range(1, self.trie.order):
            numbers = found[-1][self.trie.suffixes[length - 1]]
            numbers[self.kept[length]] = self.numbers[length]
            found.append(numbers)
        suffixes = self.trie.suffixes[self.trie.order - 1]
        return [*found, found[-1][suffixes]]

    def per_state(self, values: list[np.ndarray]) -> np.ndarray:
        """Values of all histories by length and place, as an array of the states'."""
        result = np.zeros(self.count)
        for numbers, places, of_length in zip(
            self.numbers, self.kept, values, strict=True
        ):
            result[numbers] = of_length[places]
        return result

    @cached_property
    def final(self) -> np.ndarray:
        """The logarithm of the probability of the end after each state."""
        return LN_10 * self.per_state(self.trie.ends())

    @cached_property
    def backoff_weights(self) -> np.ndarray:
        weights = [level.backoffs for level in self.trie.levels[:-1]]
        return LN_10 * self.per_state([np.zeros(1), *weights])

    @cached_property
    def backoff_states(self) -> np.ndarray:
        """The state of the next shorter history, -1 after the empty one."""
        states = np.full(self.count, -1)
        for length in range(1, self.trie.order):
            suffixes = self.trie.suffixes[length - 1][self.kept[length]]
            states[self.numbers[length]] = self.reached[length - 1][suffixes]
        return states

    def backoffs(self) -> tuple[np.ndarray, np.ndarray]:
        return self.backoff_states, self.backoff_weights


def label_automaton(trie: Trie, units: np.ndarray) -> Automaton:
    """The automaton over labels that are units.

    Parameters
    ----------
    trie : Trie
    units : ndarray of shape (n_labels,)
        The number of each label, UNKNOWN for those that the model has not seen.
    """
    histories = Histories(trie)
    labels = np.argsort(units, kind="stable")  # those of one unit stand together
    bounds = np.searchsorted(units[labels], np.arange(trie.n_units + 1))
    arcs = []
    for length, level in enumerate(trie.levels):
        origins = np.full(len(trie.levels[length - 1]) if length else 1, -1)
        origins[histories.kept[length]] = histories.numbers[length]
        ends = histories.reached[length + 1]
        n_labels = bounds[level.units + 1] - bounds[level.units]
        ngrams = np.repeat(np.arange(len(level)), n_labels)
        offsets = np.arange(len(ngrams)) - np.repeat(
            np.cumsum(n_labels) - n_labels, n_labels
        )
        arcs.append(
            (
                origins[level.parents[ngrams]],
                labels[bounds[level.units[ngrams]] + offsets],
                ends[ngrams],
                LN_10 * level.log_probs[ngrams],
            )
        )
    columns = (np.concatenate(column) for column in zip(*arcs, strict=True))
    return Automaton.of_arcs(
        len(units), *columns, histories.final, *histories.backoffs()
    )
