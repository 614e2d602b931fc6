"""The deterministic weighted automaton over label ids: all that a search knows.

A hypothesis of a search is in one state. A label leads to the next state and adds a
log-weight; to end in a state adds its final log-weight. What is forbidden has minus
infinity. Knows nothing of alphabets, posteriors and searches.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

# States and labels are kept in 32 bits.
MOST_STATES = 2**31 - 1

# An automaton of at most so many cells may be kept as a table, 12 bytes a cell.
MOST_CELLS = 4_000_000


class Needed(NamedTuple):
    """The frames that a state needs to come to an allowed end: arrays (n_states,).

    A label takes a frame, and one that repeats the label before it takes a blank, too.
    Infinity where no end can be reached.
    """

    first: np.ndarray  # by the nearest end
    label: np.ndarray  # the first label on the way there, or -1
    other: np.ndarray  # by the nearest end on a way that starts with another label

    def after_blank(self, states: np.ndarray) -> np.ndarray:
        """What is needed where the last frame is a blank."""
        return self.first[states]

    def after_label(self, states: np.ndarray, last: np.ndarray) -> np.ndarray:
        """What is needed where the last frame is the label `last`."""
        first, other = self.first[states], self.other[states]
        repeats = (self.label[states] == last) & (first > 0)
        return np.where(repeats, np.minimum(first + 1, other), first)


@dataclass(frozen=True, eq=False)
class Automaton:
    """Arcs by state, those of state `s` from `firsts[s]` on, sorted by label.

    A label that a state has no arc for is looked up in the state that it backs off to,
    which has a higher number, and the weight of backing off is added; where it backs
    off to none, -1, the label is forbidden. State 0 is the start.
    """

    n_labels: int
    firsts: np.ndarray  # (n_states + 1,) int64
    labels: np.ndarray  # (n_arcs,) int32
    next_states: np.ndarray  # (n_arcs,) int32
    log_weights: np.ndarray  # (n_arcs,) float64
    final: np.ndarray  # (n_states,) float64
    backoff_states: np.ndarray  # (n_states,) int32
    backoff_weights: np.ndarray  # (n_states,) float64

    @classmethod
    def of_arcs(
        cls,
        n_labels: int,
        origins,
        labels,
        next_states,
        log_weights,
        final,
        backoff_states=None,
        backoff_weights=None,
    ) -> "Automaton":
        """Arcs in any order: of each, its state, label, next state and log-weight."""
        origins, labels = np.asarray(origins, np.int64), np.asarray(labels, np.int64)
        final = np.asarray(final, np.float64)
        n_states = len(final)
        order = np.argsort(origins * n_labels + labels, kind="stable")
        if backoff_states is None:
            backoff_states, backoff_weights = np.full(n_states, -1), np.zeros(n_states)
        return cls(
            n_labels,
            np.searchsorted(origins[order], np.arange(n_states + 1)).astype(np.int64),
            labels[order].astype(np.int32),
            np.asarray(next_states, np.int32)[order],
            np.asarray(log_weights, np.float64)[order],
            final,
            np.asarray(backoff_states, np.int32),
            np.asarray(backoff_weights, np.float64),
        )

    @property
    def n_states(self) -> int:
        return len(self.final)

    @cached_property
    def origins(self) -> np.ndarray:
        """The state of each arc."""
        return np.repeat(np.arange(self.n_states), np.diff(self.firsts))

    @cached_property
    def _keys(self) -> np.ndarray:
        """State and label of each arc as one number, ascending."""
        return self.origins * self.n_labels + self.labels

    @property
    def backs_off(self) -> bool:
        return bool((self.backoff_states >= 0).any())

    @cached_property
    def is_hard(self) -> bool:
        """Whether some sequence of labels is forbidden."""
        if np.isneginf(self.final).any() or np.isneginf(self.log_weights).any():
            return True
        is_last = self.backoff_states < 0
        if np.isneginf(self.backoff_weights[~is_last]).any():
            return True
        return bool((np.diff(self.firsts)[is_last] < self.n_labels).any())

    def step(self, states, labels) -> tuple[np.ndarray, np.ndarray]:
        """The next states and the log-weights; -1 and minus infinity if forbidden."""
        states, labels = np.broadcast_arrays(states, labels)
        shape, states = states.shape, states.ravel().astype(np.int64)
        labels, keys = labels.ravel(), self._keys
        next_states, weights = np.full(len(states), -1), np.zeros(len(states))
        rest = np.arange(len(states))
        while len(rest):
            wanted = states[rest] * self.n_labels + labels[rest]
            places = np.searchsorted(keys, wanted)
            found = places < len(keys)
            found[found] = keys[places[found]] == wanted[found]
            next_states[rest[found]] = self.next_states[places[found]]
            weights[rest[found]] += self.log_weights[places[found]]
            rest = rest[~found]
            weights[rest] += self.backoff_weights[states[rest]]
            states[rest] = self.backoff_states[states[rest]]
            weights[rest[states[rest] < 0]] = -np.inf
            rest = rest[states[rest] >= 0]
        next_states[np.isneginf(weights)] = -1
        return next_states.reshape(shape), weights.reshape(shape)

    def table(self) -> tuple[np.ndarray, np.ndarray] | None:
        """All steps, (n_states, n_labels): next states and log-weights; None if large.

        Examples
        --------
        >>> only_a = Automaton.of_arcs(2, [0], [0], [0], [-1.0], [0.0])
        >>> only_a.table()
        (array([[ 0, -1]], dtype=int32), array([[ -1., -inf]]))
        """
        return self._table

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray] | None:
        if self.n_states * self.n_labels > MOST_CELLS:
            return None
        states, labels = np.indices((self.n_states, self.n_labels))
        next_states, weights = self.step(states, labels)
        return next_states.astype(np.int32), weights

    def looked_up(self, states, labels) -> tuple[np.ndarray, np.ndarray]:
        """What `step` gives, faster where there is a table."""
        table = self.table()
        if table is None:
            return self.step(states, labels)
        return tuple(part[states, labels] for part in table)

    @cached_property
    def most(self) -> np.ndarray:
        """A bound of the log-weights of each state's labels, (n_states,)."""
        found = np.full(self.n_states, -np.inf)
        np.maximum.at(found, self.origins, self.log_weights)
        backs = np.flatnonzero(self.backoff_states >= 0)
        ends, weights = self.backoff_states[backs], self.backoff_weights[backs]
        own = found[backs]
        while True:
            better = np.maximum(own, weights + found[ends])
            if np.array_equal(better, found[backs]):
                return found
            found[backs] = better

    def log_weight(self, labels) -> float:
        """What a sequence of label ids has in all, with its end."""
        state, total = 0, 0.0
        for label in labels:
            next_state, weight = self.step(state, label)
            if next_state < 0:
                return -np.inf
            state, total = int(next_state), total + float(weight)
        return total + float(self.final[state])

    @cached_property
    def needed(self) -> Needed:
        """The frames that each state needs to come to an allowed end.

        A state is taken to reach whatever the one that it backs off to reaches.
        """
        is_open = ~np.isneginf(self.log_weights)
        arcs = (self.origins[is_open], self.labels[is_open], self.next_states[is_open])
        n_states, is_final = self.n_states, ~np.isneginf(self.final)
        found = Needed(
            np.where(is_final, 0.0, np.inf),
            np.full(n_states, -1),
            np.full(n_states, np.inf),
        )
        while True:
            better = _backing_off(_nearer(found, arcs, is_final), self.backoff_states)
            better = Needed(
                np.where(is_final, 0.0, better.first), better.label, better.other
            )
            if all(map(np.array_equal, found, better)):
                return found
            found = better


def _nearer(needed: Needed, arcs, is_final) -> Needed:
    """What is needed by the arcs of each state, if their ends need what they do."""
    origins, labels, ends = arcs
    n_states = len(is_final)
    costs = 1 + np.where(is_final[ends], 0.0, needed.after_label(ends, labels))
    first = np.full(n_states, np.inf)
    np.minimum.at(first, origins, costs)
    label = np.full(n_states, n_states and labels.max(initial=0) + 1)
    is_best = (costs == first[origins]) & np.isfinite(costs)
    np.minimum.at(label, origins[is_best], labels[is_best])
    other = np.full(n_states, np.inf)
    differs = labels != label[origins]
    np.minimum.at(other, origins[differs], costs[differs])
    return Needed(first, np.where(np.isfinite(first), label, -1), other)


def _backing_off(own: Needed, backoff_states) -> Needed:
    """The same with what is needed by those that the states back off to."""
    backs = backoff_states >= 0
    if not backs.any():
        return own
    first, label, other = (
        np.where(backs, part[backoff_states], own_part)
        for part, own_part in zip(own, own, strict=True)
    )
    is_same = own.label == label
    own_is_first = own.first <= first
    return Needed(
        np.minimum(own.first, first),
        np.where(own_is_first, own.label, label),
        np.where(
            is_same,
            np.minimum(own.other, other),
            np.where(
                own_is_first,
                np.minimum(own.other, first),
                np.minimum(other, own.first),
            ),
        ),
    )


def product(first: Automaton, second: Automaton) -> Automaton:
    """Both at once: states are pairs, and log-weights add up.

    Only what can be reached from the start is kept.
    """
    pairs = np.zeros((1, 2), np.int64)  # of all states, in the order of their numbers
    keys = {(0, 0): 0}
    arcs = []
    start = 0
    while start < len(pairs):
        fresh = pairs[start:]
        rows, labels, ends, weights = _steps(first, second, fresh)
        origins, start = start + rows, len(pairs)
        numbers = []
        new = []
        for pair in map(tuple, ends.tolist()):
            number = keys.setdefault(pair, len(keys))
            if number == start + len(new):
                new.append(pair)
            numbers.append(number)
        arcs.append((origins, labels, np.array(numbers, np.int64), weights))
        if len(keys) > MOST_STATES:
            raise ValueError(
                "What the search is told of the language has too many states together. "
                "Shorten the lexicon or simplify the pattern."
            )
        pairs = np.concatenate([pairs, np.array(new, np.int64).reshape(-1, 2)])
    columns = (np.concatenate(column) for column in zip(*arcs, strict=True))
    final = first.final[pairs[:, 0]] + second.final[pairs[:, 1]]
    return Automaton.of_arcs(first.n_labels, *columns, final)


def _steps(first: Automaton, second: Automaton, pairs) -> tuple:
    """All steps that are allowed from pairs: rows, labels, pairs and log-weights."""
    n_pairs, n_labels = len(pairs), first.n_labels
    if first.backs_off:
        rows = np.repeat(np.arange(n_pairs), n_labels)
        labels = np.tile(np.arange(n_labels), n_pairs)
    else:
        starts = first.firsts[pairs[:, 0]]
        counts = first.firsts[pairs[:, 0] + 1] - starts
        rows = np.repeat(np.arange(n_pairs), counts)
        offsets = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        labels = first.labels[starts[rows] + offsets].astype(np.int64)
    one, weights = first.step(pairs[rows, 0], labels)
    two, more = second.step(pairs[rows, 1], labels)
    allowed = (one >= 0) & (two >= 0)
    ends = np.stack([one, two], axis=1)[allowed]
    return rows[allowed], labels[allowed], ends, (weights + more)[allowed]
