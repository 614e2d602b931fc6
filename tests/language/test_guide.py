"""What a search is told, beside the sums of what its automata say of sequences."""

import numpy as np
import pytest

from skseq.language._automaton import Automaton
from skseq.language._guide import Guide
from tests.language.test_automaton import (
    N_LABELS,
    SEQUENCES,
    log_weight,
    n_frames,
    random_automaton,
)

pytestmark = pytest.mark.core


def anything():
    columns = np.zeros(N_LABELS, int), np.arange(N_LABELS), np.zeros(N_LABELS, int)
    return Automaton.of_arcs(N_LABELS, *columns, [-1.0, -2.0, 0.5], [-0.25])


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0])
def test_a_guide_adds_up_what_its_automata_say(seed, scale):
    rng = np.random.default_rng(seed)
    parts = [
        (random_automaton(rng, backs_off=True), scale),
        (anything(), 2.0),
        (random_automaton(rng), 1.0),
    ]
    guide = Guide.of(N_LABELS, parts, bonus=0.25)
    for labels in SEQUENCES:
        weights = [log_weight(automaton, labels) for automaton, _ in parts]
        expected = -np.inf
        if min(weights) > -np.inf:
            scales = [scale for _, scale in parts]
            expected = np.dot(weights, scales) + 0.25 * len(labels)
        assert guide.log_weight(labels) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(10))
def test_the_frames_that_are_needed_are_exact_though_automata_back_off(seed):
    automaton = random_automaton(np.random.default_rng(seed), backs_off=True)
    needed = Guide.of(N_LABELS, [(automaton, 1.0)]).needed
    allowed = [s for s in SEQUENCES if log_weight(automaton, s) > -np.inf]
    expected = min((n_frames(s, None) for s in allowed), default=np.inf)
    if needed is None:  # what could not end cannot be reached
        assert expected == 0
    else:
        assert needed.after_blank(np.array([0]))[0] == expected


@pytest.mark.parametrize(
    ("parts", "bonus", "message"),
    [
        ([(anything(), np.nan)], 0.0, "finite and not negative. Got nan"),
        ([(anything(), -1.0)], 0.0, "finite and not negative. Got -1"),
        ([(anything(), 1.0)], np.inf, "bonus per label must be finite"),
        ([(Automaton.of_arcs(2, [], [], [], [], [0.0]), 1.0)], 0.0, "have 3 labels"),
        ([(Automaton.of_arcs(3, [], [], [], [], [np.nan]), 1.0)], 0.0, "Got NaN"),
    ],
)
def test_what_no_search_can_follow_is_refused(parts, bonus, message):
    with pytest.raises(ValueError, match=message):
        Guide.of(N_LABELS, parts, bonus)
