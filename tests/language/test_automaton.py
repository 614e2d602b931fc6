"""The automaton beside walks over plain dicts, and over all sequences of labels."""

from itertools import product as all_tuples

import numpy as np
import pytest

from skseq.language._automaton import MOST_CELLS, Automaton, product

pytestmark = pytest.mark.core

N_LABELS = 3


def random_automaton(rng, n_states=4, backs_off=False):
    """Some arcs and some ends; the last state backs off to none."""
    arcs = [
        (state, label, rng.integers(n_states), rng.normal())
        for state in range(n_states)
        for label in range(N_LABELS)
        if rng.random() < 0.6
    ]
    final = np.where(rng.random(n_states) < 0.4, rng.normal(size=n_states), -np.inf)
    states, weights = np.full(n_states, -1), np.zeros(n_states)
    if backs_off:
        for state in range(n_states - 1):
            if rng.random() < 0.7:
                states[state] = rng.integers(state + 1, n_states)
                weights[state] = rng.normal()
    rows = rng.permutation(np.array(arcs, dtype=object).reshape(-1, 4))
    origins, labels, ends, log_weights = rows.T
    return Automaton.of_arcs(
        N_LABELS, origins, labels, ends, log_weights, final, states, weights
    )


def walk(automaton, state, label):
    """One step, by plain loops."""
    total = 0.0
    while state >= 0:
        for arc in range(automaton.firsts[state], automaton.firsts[state + 1]):
            if automaton.labels[arc] == label:
                return automaton.next_states[arc], total + automaton.log_weights[arc]
        total += automaton.backoff_weights[state]
        state = automaton.backoff_states[state]
    return -1, -np.inf


def log_weight(automaton, labels):
    state, total = 0, 0.0
    for label in labels:
        state, weight = walk(automaton, state, label)
        total += weight
        if state < 0:
            return -np.inf
    return total + automaton.final[state]


SEQUENCES = [s for n in range(6) for s in all_tuples(range(N_LABELS), repeat=n)]


@pytest.mark.parametrize("seed", range(20))
def test_steps_are_those_of_a_walk_from_arc_to_arc(seed):
    automaton = random_automaton(np.random.default_rng(seed), backs_off=seed % 2)
    next_states, weights = automaton.table()
    for state in range(automaton.n_states):
        for label in range(N_LABELS):
            end, weight = walk(automaton, state, label)
            assert next_states[state, label] == end
            assert weights[state, label] == pytest.approx(weight)


@pytest.mark.parametrize("seed", range(20))
def test_two_at_once_add_up_for_every_sequence(seed):
    rng = np.random.default_rng(seed)
    first = random_automaton(rng, backs_off=seed % 2)
    second = random_automaton(rng, n_states=3)
    both = product(first, second)
    for labels in SEQUENCES:
        expected = log_weight(first, labels) + log_weight(second, labels)
        assert both.log_weight(labels) == pytest.approx(expected)


def n_frames(labels, last):
    """Frames of a sequence after a last label: a repeated label needs a blank, too."""
    return sum(1 + (a == b) for a, b in zip((last, *labels), labels, strict=False))


@pytest.mark.parametrize("seed", range(30))
def test_the_frames_that_a_state_needs_are_those_of_its_shortest_way_to_an_end(seed):
    automaton = random_automaton(np.random.default_rng(seed))
    states = np.arange(automaton.n_states)
    by_blank = automaton.needed.after_blank(states)
    for last in range(N_LABELS):
        by_label = automaton.needed.after_label(states, np.full(len(states), last))
        for state in states:
            ways = []
            for labels in SEQUENCES:
                at = state
                for label in labels:
                    at = walk(automaton, at, label)[0] if at >= 0 else -1
                if at >= 0 and np.isfinite(automaton.final[at]):
                    ways.append(labels)
            blank = min((n_frames(labels, None) for labels in ways), default=np.inf)
            label = min((n_frames(labels, last) for labels in ways), default=np.inf)
            assert by_blank[state] == blank
            assert by_label[state] == label


def test_hard_is_what_forbids_a_sequence():
    arcs = [0, 0], [0, 1], [0, 0], [-1.0, -2.0]
    assert not Automaton.of_arcs(2, *arcs, [0.0]).is_hard
    assert Automaton.of_arcs(2, *arcs, [-np.inf]).is_hard
    assert Automaton.of_arcs(3, *arcs, [0.0]).is_hard
    last = [1, -1], [-0.5, 0.0]
    backed = Automaton.of_arcs(2, [1, 1], [0, 1], [0, 0], [-1.0, 0], [0.0, 0.0], *last)
    assert not backed.is_hard


def test_a_large_automaton_has_no_table():
    n_states = MOST_CELLS // N_LABELS + 1
    empty = Automaton.of_arcs(N_LABELS, [], [], [], [], np.zeros(n_states))
    assert empty.table() is None
