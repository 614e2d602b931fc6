"""Turns expressions over labels into the smallest deterministic automaton.

The positions of an expression are the labels that it names, after Glushkov; what may
have been read last, a set of positions, is a state. Sets are bits of an int.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from skseq.language._automaton import Automaton
from skseq.language._expressions import Choice, Labels, Repeat, Sequence

MOST_POSITIONS = 2_000
MOST_STATES = 10_000
_MOST_STEPS = 10_000_000  # of the construction; a second or two


class TooLarge(Exception):
    """An expression needs more than a search can be told."""


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def n_positions(node) -> int:
    """How many labels an expression has once its counts are written out.

    What has none counts as one, since it must be written out as well.
    """
    if isinstance(node, Labels):
        return 1
    if isinstance(node, Repeat):
        copies = node.low + 1 if node.high is None else node.high
        return max(1, copies) * n_positions(node.part)
    parts = node.parts if isinstance(node, Sequence) else node.options
    return max(1, sum(map(n_positions, parts)))


@dataclass(frozen=True)
class Piece:
    """What of an expression its neighbours meet."""

    is_optional: bool
    first: int  # positions that it may start with
    last: int  # positions that it may end with


EMPTY = Piece(True, 0, 0)


@dataclass
class Positions:
    """The positions of an expression, the start being position 0."""

    ids: list = field(default_factory=lambda: [frozenset()])  # of labels
    followers: list = field(default_factory=lambda: [0])

    def of(self, node) -> Piece:
        """Add the positions of an expression."""
        if isinstance(node, Labels):
            self.ids.append(node.ids)
            self.followers.append(0)
            place = 1 << (len(self.ids) - 1)
            return Piece(False, place, place)
        if isinstance(node, Choice):
            return self._choice(node)
        if isinstance(node, Repeat):
            return self._repeat(node)
        piece = EMPTY
        for part in node.parts:
            piece = self._then(piece, self.of(part))
        return piece

    def _choice(self, node: Choice) -> Piece:
        pieces = [self.of(option) for option in node.options]
        first = last = 0
        for piece in pieces:
            first, last = first | piece.first, last | piece.last
        return Piece(any(piece.is_optional for piece in pieces), first, last)

    def _repeat(self, node: Repeat) -> Piece:
        piece = EMPTY
        for _ in range(node.low):
            piece = self._then(piece, self.of(node.part))
        rest = EMPTY
        if node.high is None:
            again = self.of(node.part)
            self._then(again, again)
            rest = Piece(True, again.first, again.last)
        else:
            for _ in range(node.high - node.low):  # from the inside out
                more = self._then(self.of(node.part), rest)
                rest = Piece(True, more.first, more.last)
        return self._then(piece, rest)

    def _then(self, before: Piece, after: Piece) -> Piece:
        for place in _bits(before.last):
            self.followers[place] |= after.first
        return Piece(
            before.is_optional and after.is_optional,
            before.first | (after.first if before.is_optional else 0),
            after.last | (before.last if after.is_optional else 0),
        )


@dataclass(frozen=True, eq=False)
class Table:
    """A deterministic automaton over groups of labels that are never told apart."""

    groups: list  # the label ids of each
    steps: list  # of each state, a dict from group to next state; state 0 starts
    is_final: list


def deterministic(node, n_labels: int) -> Table:
    """The states that sets of positions make.

    Raises
    ------
    TooLarge
        If there are too many positions or states.
    """
    if n_positions(node) > MOST_POSITIONS:
        raise TooLarge
    positions = Positions()
    whole = positions.of(node)
    positions.followers[0] = whole.first
    ends = whole.last | whole.is_optional
    groups, masks = _groups(positions.ids, n_labels)
    numbers, steps, is_final, n_steps = {1: 0}, [], [], 0
    waiting = [1]
    for state in waiting:  # which grows
        following = 0
        for place in _bits(state):
            following |= positions.followers[place]
        arcs = {}
        for group, mask in enumerate(masks):
            target = following & mask
            if target:
                if target not in numbers:
                    numbers[target] = len(waiting)
                    waiting.append(target)
                arcs[group] = numbers[target]
        steps.append(arcs)
        is_final.append(bool(state & ends))
        n_steps += state.bit_count() + len(masks)
        if len(waiting) > MOST_STATES or n_steps > _MOST_STEPS:
            raise TooLarge
    return Table(groups, steps, is_final)


def _groups(ids: list, n_labels: int) -> tuple[list, list]:
    """Labels that all positions treat alike, and the positions that take each group."""
    of_label = [0] * n_labels
    distinct = {}
    for place, labels in enumerate(ids):
        distinct[labels] = distinct.get(labels, 0) | 1 << place
    for labels, mask in distinct.items():
        for label in labels:
            of_label[label] |= mask
    groups = {}
    for label, mask in enumerate(of_label):
        if mask:
            groups.setdefault(mask, []).append(label)
    return list(groups.values()), list(groups)


def minimal(table: Table) -> np.ndarray:
    """The block of each state; states of a block accept the same from there on.

    Blocks are split by what leads into another block, after Hopcroft.
    """
    n_states = len(table.steps)
    sink = n_states  # where what is missing leads
    sources = [{} for _ in table.groups]
    for group, into in enumerate(sources):
        for state, arcs in enumerate(table.steps):
            into.setdefault(arcs.get(group, sink), []).append(state)
        into.setdefault(sink, []).append(sink)
    final = {state for state in range(n_states) if table.is_final[state]}
    blocks = [final, set(range(n_states + 1)) - final]
    block_of = np.array([state not in final for state in range(n_states + 1)], int)
    waiting = {0, 1}
    while waiting:
        splitter = list(blocks[waiting.pop()])
        for into in sources:
            found = {}
            for target in splitter:
                for state in into.get(target, ()):
                    found.setdefault(int(block_of[state]), set()).add(state)
            for block, part in found.items():
                if len(part) == len(blocks[block]):
                    continue
                blocks[block] -= part
                small, number = part, len(blocks)
                if len(part) > len(blocks[block]) and block not in waiting:
                    small, blocks[block] = blocks[block], part
                blocks.append(small)
                block_of[list(small)] = number
                waiting.add(number)
    return block_of


def smallest(node, n_labels: int) -> Automaton | None:
    """The smallest automaton of an expression; None if it accepts nothing.

    Raises
    ------
    TooLarge
        If there are too many positions or states.
    """
    table = deterministic(node, n_labels)
    block_of = minimal(table)
    dead = block_of[-1]  # the block of the sink
    if block_of[0] == dead:
        return None
    numbers, arcs = {block_of[0]: 0}, []
    final = {}
    for state, steps in enumerate(table.steps):
        block = block_of[state]
        if block == dead or block in final:
            continue
        number = numbers.setdefault(block, len(numbers))
        final[block] = 0.0 if table.is_final[state] else -np.inf
        for group, target in steps.items():
            if block_of[target] != dead:
                end = numbers.setdefault(block_of[target], len(numbers))
                arcs += [(number, label, end) for label in table.groups[group]]
    ends = [final[block] for block in numbers]
    columns = np.array(arcs, np.int64).reshape(-1, 3).T
    return Automaton.of_arcs(n_labels, *columns, np.zeros(len(arcs)), ends)
