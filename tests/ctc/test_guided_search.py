"""Searches that are told of a language against sums over every single path.

Automata are random: they forbid, they back off, there are several at once. What they
say of a sequence is computed by plain walks from arc to arc.
"""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from skseq._ctc import decoders, running
from skseq._ctc.decoders import DECODERS, beam_search
from skseq._ctc.lattice import minimum_frames
from skseq._ctc.running import Beam
from skseq._native import ctc, library
from skseq.language import _automaton
from skseq.language._automaton import Automaton
from skseq.language._guide import Guide
from tests.language.test_automaton import log_weight

COMPILED = [
    pytest.param(
        True, marks=pytest.mark.skipif(library() is None, reason="not compiled")
    ),
    False,
]


@pytest.fixture(params=COMPILED, ids=["compiled", "plain"])
def either(request, monkeypatch):
    monkeypatch.setattr(ctc, "is_available", lambda: request.param)


def random_automaton(rng, n_labels, *, is_hard, backs_off, spread=1.0):
    """All arcs and ends of a soft one; of a hard one, some are missing or forbidden."""
    n_states = rng.integers(1, 6)
    has_arc = rng.random((n_states, n_labels)) < rng.choice([0.4, 0.8])
    weights = rng.normal(0, spread, (n_states, n_labels))
    final = rng.normal(0, spread, n_states)
    backoff = np.full(n_states, -1), rng.normal(0, spread, n_states)
    if is_hard:
        final[rng.random(n_states) < rng.choice([0.3, 0.8])] = -np.inf
        weights[rng.random(weights.shape) < 0.1] = -np.inf
    else:
        has_arc[-1] = True
    if backs_off:
        for state in range(n_states - 1):
            if rng.random() < 0.7 or not is_hard:
                backoff[0][state] = rng.integers(state + 1, n_states)
    elif not is_hard:
        has_arc[:] = True
    origins, labels = np.nonzero(has_arc)
    ends = rng.integers(0, n_states, len(origins))
    return Automaton.of_arcs(
        n_labels, origins, labels, ends, weights[origins, labels], final, *backoff
    )


def random_parts(rng, n_labels, n_hard, n_soft, spread=1.0):
    kinds = [True] * n_hard + [False] * n_soft
    parts = [
        random_automaton(
            rng,
            n_labels,
            is_hard=is_hard,
            backs_off=rng.random() < 0.5,
            spread=spread,
        )
        for is_hard in kinds
    ]
    return [(part, rng.choice([1.0, 0.0, 0.5, 2.0])) for part in parts]


def weight_of(labels, parts, bonus):
    """The log-weight of labels by walks; what is forbidden stays so at scale zero."""
    total = bonus * len(labels)
    for automaton, scale in parts:
        weight = log_weight(automaton, labels)
        if weight == -np.inf:
            return weight
        total += scale * weight
    return total


def brute_force(frames, parts, bonus):
    """All labellings that are possible and allowed, the best first, with both parts."""
    n_columns = frames.shape[1]
    found = {}
    for path in itertools.product(range(n_columns), repeat=len(frames)):
        labels = tuple(k for k, _ in itertools.groupby(path) if k != n_columns - 1)
        mass = sum(frames[t, k] for t, k in enumerate(path))
        found[labels] = np.logaddexp(found.get(labels, -np.inf), mass)
    weights = {labels: weight_of(labels, parts, bonus) for labels in found}
    rows = [(s, mass, weights[s]) for s, mass in found.items() if mass > -np.inf]
    rows = [row for row in rows if row[2] > -np.inf]
    return sorted(rows, key=lambda row: -row[1] - row[2])


def normalized(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def smooth(rng, shape):
    return normalized(rng.normal(0, 2, shape))


def saturated(rng, shape):
    """One column of each frame has nearly everything."""
    frames = np.full(shape, -200.0) - 100 * rng.random(shape)
    frames[np.arange(shape[0]), rng.integers(0, shape[1], shape[0])] = 0.0
    return frames


def impossible(rng, shape):
    """Many columns have nothing."""
    frames = smooth(rng, shape)
    frames[rng.random(shape) < 0.3] = -np.inf
    frames[np.arange(shape[0]), rng.integers(0, shape[1], shape[0])] = -0.5
    return frames


def quiet(rng, shape):
    """Most frames are blank."""
    logits = rng.normal(size=shape)
    logits[:, -1] += np.where(rng.random(shape[0]) < 0.7, 12.0, 0.0)
    return normalized(logits)


DRAWS = smooth, saturated, impossible, quiet


def case(seed, n_frames=6):
    """Frames, and what is known of the language."""
    rng = np.random.default_rng(seed)
    draw = DRAWS[seed % len(DRAWS)]
    n_labels = int(rng.integers(1, 4))
    frames = draw(rng, (rng.integers(0, n_frames + 1), n_labels + 1))
    n_hard, n_soft = rng.integers(0, 3), rng.integers(0, 3)
    spread = rng.choice([1.0, 1.0, 30.0])
    parts = random_parts(rng, n_labels, n_hard, n_soft, spread)
    return frames, parts, float(rng.choice([0.0, 0.7, -1.5]))


def searched(frames, guide, **options):
    [found] = beam_search(
        frames[np.newaxis], np.array([len(frames)]), guide=guide, **options
    )
    return [
        (tuple(h.labels.tolist()), h.log_probability, h.language_log_weight)
        for h in found
    ]


def check_all_are_found(seed):
    frames, parts, bonus = case(seed)
    guide = Guide.of(frames.shape[1] - 1, parts, bonus)
    expected = brute_force(frames, parts, bonus)
    options = {"beam_width": 5000, "min_label_log_prob": -np.inf}
    found = searched(frames, guide, n_best=5000, **options)
    assert len(found) == len(expected)
    assert len({row[0] for row in found}) == len(found)
    by_labels = {row[0]: row[1:] for row in found}
    for labels, mass, weight in expected:
        np.testing.assert_allclose(
            by_labels[labels], (mass, weight), rtol=1e-9, atol=1e-9
        )
    sums = [mass + weight for _, mass, weight in found]
    np.testing.assert_allclose(
        sums, [mass + weight for _, mass, weight in expected], rtol=1e-9, atol=1e-9
    )
    best = searched(frames, guide, **options)
    assert len(best) == min(1, len(expected))
    for _, mass, weight in best:
        assert mass + weight == pytest.approx(sums[0], rel=1e-9, abs=1e-9)


@pytest.fixture
def nothing_is_lost(monkeypatch):
    monkeypatch.setattr(decoders, "GUIDED_LOST", -np.inf)


@pytest.mark.parametrize(
    "seeds", [range(120), pytest.param(range(120, 1500), marks=pytest.mark.slow)]
)
def test_all_hypotheses_are_those_of_all_paths(seeds, either, nothing_is_lost):
    for seed in seeds:
        check_all_are_found(seed)


def test_automata_without_tables_find_the_same(either, nothing_is_lost, monkeypatch):
    monkeypatch.setattr(_automaton, "MOST_CELLS", 0)
    for seed in range(60):
        check_all_are_found(seed)


@pytest.mark.parametrize(
    "seeds", [range(400), pytest.param(range(400, 8000), marks=pytest.mark.slow)]
)
def test_every_output_is_allowed_at_any_width(seeds, either):
    n_found = 0
    for seed in seeds:
        frames, parts, bonus = case(seed, n_frames=20)
        guide = Guide.of(frames.shape[1] - 1, parts, bonus)
        rng = np.random.default_rng(seed)
        options = {
            "beam_width": int(rng.choice([1, 2, 4])),
            "n_best": int(rng.choice([1, 1, 3])),
            "min_label_log_prob": rng.choice([None, -np.inf, -6.0, -1.0]),
        }
        found = searched(frames, guide, **options)
        most = logsumexp(frames, axis=1).sum()  # 0 where frames are distributions
        for labels, mass, weight in found:
            assert -np.inf < mass < most + 0.1
            assert weight == pytest.approx(weight_of(labels, parts, bonus))
            assert weight > -np.inf
        if np.isfinite(frames).all():
            assert bool(found) == can_end(guide, len(frames))
        n_found += bool(found)
    assert n_found > len(seeds) / 3


def can_end(guide, n_frames):
    """Whether something allowed fits, by all states that may be reached, with a last
    label and the frames it took.
    """
    if not n_frames:
        return guide.log_weight([]) > -np.inf
    reached = {(tuple(guide.start), None, 0)}
    waiting = list(reached)
    while waiting:
        states, last, n = waiting.pop()
        if guide.final(np.array(states)) > -np.inf:
            return True
        for label in range(guide.n_labels):
            after, weight = guide.step(np.array(states), label)
            m = n + 1 + (label == last)
            item = (tuple(after.tolist()), label, m)
            if weight > -np.inf and m <= n_frames and item not in reached:
                reached.add(item)
                waiting.append(item)
    return False


@pytest.mark.skipif(library() is None, reason="not compiled")
@pytest.mark.parametrize(
    "seeds", [range(100), pytest.param(range(100, 6000), marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("has_table", [True, False])
def test_compiled_and_plain_agree_to_the_bit(seeds, has_table, monkeypatch):
    if not has_table:
        monkeypatch.setattr(_automaton, "MOST_CELLS", 0)
    for seed in seeds:
        frames, parts, bonus = case(seed, n_frames=30)
        if seed % 3 == 0:
            frames = frames.astype(np.float32)
        guide = Guide.of(frames.shape[1] - 1, parts, bonus)
        rng = np.random.default_rng(seed)
        options = {
            "beam_width": int(rng.choice([1, 2, 8, 40, 600])),
            "n_best": int(rng.choice([1, 1, 3])),
            "min_label_log_prob": rng.choice([None, -np.inf, -6.0, -1.0]),
        }
        found = []
        for is_available in (True, False):
            monkeypatch.setattr(ctc, "is_available", lambda there=is_available: there)
            found.append(searched(frames, guide, **options))
        assert found[0] == found[1], seed


def only(n_labels, *words):
    """An automaton that allows some sequences of labels."""
    numbers, arcs = {(): 0}, []
    for word in words:
        for n in range(1, len(word) + 1):
            if word[:n] not in numbers:
                numbers[word[:n]] = len(numbers)
                arcs.append((numbers[word[: n - 1]], word[n - 1], numbers[word[:n]]))
    final = [0.0 if word in words else -np.inf for word in numbers]
    columns = zip(*arcs, strict=True) if arcs else ([], [], [])
    return Automaton.of_arcs(n_labels, *columns, np.zeros(len(arcs)), final)


def peaked(labels, n_columns, n_each=3):
    """Frames that say these labels, with blanks between."""
    columns = [column for label in labels for column in (label, n_columns - 1)]
    rows = np.full((len(columns) * n_each, n_columns), -30.0)
    rows[np.arange(len(rows)), np.repeat(columns, n_each)] = -1e-9
    return rows


@pytest.mark.parametrize("beam_width", [1, 2, 16])
@pytest.mark.parametrize("floor", [None, -6.0, -1.0])
@pytest.mark.parametrize("word", [(1, 1, 1, 1), (0,), (), (0, 2, 2, 0)])
def test_what_is_allowed_is_found_though_all_frames_speak_against_it(
    beam_width, floor, word, either
):
    frames = peaked([2, 1, 2], 4)
    guide = Guide.of(3, [(only(3, word), 1.0)])
    options = {"beam_width": beam_width, "min_label_log_prob": floor}
    [(labels, mass, weight)] = searched(frames, guide, **options)
    assert labels == word
    assert weight == 0.0
    assert mass > -1000


@pytest.mark.parametrize("level", [-200.0, -700.0, -5000.0])
def test_masses_that_no_double_holds_are_compared(level, either):
    frames = np.full((40, 3), [0.0, level, 1.25 * level])
    for first, second in [((1,), (1, 1)), ((1, 1), (1, 1, 1)), ((), (1,))]:
        guide = Guide.of(2, [(only(2, first, second), 1.0)])
        options = {"beam_width": 8, "min_label_log_prob": -np.inf}
        found = searched(frames, guide, n_best=2, **options)
        assert {labels for labels, *_ in found} == {first, second}
        assert all(mass < 30 * level for _, mass, _ in found)
        [best] = searched(frames, guide, **options)
        assert best == found[0]


@pytest.mark.parametrize(
    ("word", "n_frames", "fits"),
    [
        ((), 0, True),
        ((0,), 0, False),
        ((0,), 1, True),
        ((0, 0), 2, False),
        ((0, 0), 3, True),
        ((0, 1, 1), 3, False),
        ((0, 1, 1), 4, True),
    ],
)
def test_what_does_not_fit_into_the_frames_leaves_no_hypothesis(
    word, n_frames, fits, either
):
    assert fits == (minimum_frames(word) <= n_frames)
    guide = Guide.of(2, [(only(2, word), 1.0)])
    frames = np.log(np.full((1, 5, 3), 1 / 3))
    lengths = np.array([n_frames])
    for n_best in (1, 3):
        [found] = beam_search(frames, lengths, beam_width=4, n_best=n_best, guide=guide)
        assert [tuple(h.labels.tolist()) for h in found] == [word] * fits
    [best] = DECODERS["beam"](frames, lengths, 4, guide=guide)
    assert (best is not None) == fits


def test_nothing_is_found_where_nothing_is_allowed(either):
    guide = Guide.of(2, [(only(2, (0,)), 1.0), (only(2, (1,)), 1.0)])
    assert searched(smooth(np.random.default_rng(0), (6, 3)), guide, beam_width=4) == []


def test_samples_with_and_without_a_hypothesis_keep_their_places(either):
    guide = Guide.of(3, [(only(3, (0, 1), (2, 2, 2)), 1.0)])
    frames = np.stack([smooth(np.random.default_rng(i), (9, 4)) for i in range(5)])
    lengths = np.array([9, 1, 5, 0, 3])
    together = beam_search(frames, lengths, beam_width=3, n_best=2, guide=guide)
    assert [bool(row) for row in together] == [True, False, True, False, True]
    for frame, length, row in zip(frames, lengths, together, strict=True):
        alone = searched(frame[:length], guide, beam_width=3, n_best=2)
        assert [tuple(h.labels.tolist()) for h in row] == [h[0] for h in alone]


def test_a_guide_that_says_nothing_changes_no_hypothesis(either):
    # Only to rounding: a guided search ranks by logs.
    guide = Guide.of(6, [])
    for seed in range(20):
        frames = DRAWS[seed % 4](np.random.default_rng(seed), (30, 7))
        found = searched(frames, guide, beam_width=64, n_best=4)
        expected = searched(frames, None, beam_width=64, n_best=4)
        assert found == expected


def test_a_bonus_per_label_makes_outputs_longer(either):
    frames = smooth(np.random.default_rng(5), (30, 4))
    lengths = []
    for bonus in (-3.0, 0.0, 3.0):
        guide = Guide.of(3, [], bonus)
        [(labels, _, weight)] = searched(frames, guide, beam_width=32)
        assert weight == pytest.approx(bonus * len(labels))
        lengths.append(len(labels))
    assert lengths[0] < lengths[1] < lengths[2]


def test_the_greedy_decoder_cannot_be_told_of_a_language():
    frames, lengths = np.zeros((1, 3, 4)), np.array([3])
    with pytest.raises(ValueError, match='Set decoder="beam"'):
        DECODERS["greedy"](frames, lengths, 4, guide=Guide.of(3, []))


def test_a_beam_that_no_machine_holds_is_refused():
    frames, lengths = np.zeros((1, 60, 9)), np.array([60])
    with pytest.raises(ValueError, match=r"Beams of .* Lower beam_width"):
        beam_search(frames, lengths, beam_width=10**12, guide=Guide.of(8, []))


def read_in_pieces(decoder, frames, rng):
    """The settled labels of a stream that ends after these frames, and the others."""
    n_last = int(rng.integers(0, len(frames) + 1))
    ends = np.sort(rng.integers(0, len(frames) - n_last + 1, size=rng.integers(1, 9)))
    *pieces, last = np.split(frames, [*ends, len(frames) - n_last])
    settled = []
    for piece in pieces:
        decoder, labels = decoder.after(piece)
        settled += labels.tolist()
        decoder.guess(last)
    assert decoder.n_frames == len(frames) - n_last
    found = decoder.outcome(last)
    return settled, [] if found is None else found.tolist()


def check_stream(seed, n_frames=40):
    """A stream against the whole; return the number of settled labels."""
    frames, parts, bonus = case(seed - seed % 4 + seed % 2 * 3, n_frames)  # all finite
    guide = Guide.of(frames.shape[1] - 1, parts, bonus)
    rng = np.random.default_rng(seed)
    floor = rng.choice([None, -np.inf, -6.0, -1.0])
    width = int(rng.choice([1, 2, 8]))
    expected = searched(frames, guide, beam_width=width, min_label_log_prob=floor)
    decoder = Beam.of(guide.n_labels, width, floor, guide)
    settled, others = read_in_pieces(decoder, frames, rng)
    assert settled + others == (list(expected[0][0]) if expected else []), seed
    return len(settled)


@pytest.mark.parametrize(
    "seeds", [range(60), pytest.param(range(60, 3000), marks=pytest.mark.slow)]
)
def test_a_stream_ends_where_the_search_of_all_frames_ends(seeds):
    assert sum(check_stream(seed) for seed in seeds) > len(seeds) / 2


@pytest.mark.slow
def test_a_stream_that_forgets_ends_where_the_search_of_all_frames_ends(monkeypatch):
    monkeypatch.setattr(running, "N_KEPT", 4)
    monkeypatch.setattr(running, "_N_UNNEEDED", 4)
    for seed in range(200):
        check_stream(seed)


def test_a_stream_settles_labels_before_its_end_though_an_end_is_asked_for():
    cycle = Automaton.of_arcs(
        3, [0, 1, 2], [0, 1, 2], [1, 2, 0], [0, 0, 0], [0, *[-np.inf] * 2]
    )
    decoder = Beam.of(3, 4, None, Guide.of(3, [(cycle, 1.0)]))
    decoder, settled = decoder.after(peaked([0, 1, 2, 0, 1], 4))
    assert settled.tolist() == [0, 1, 2, 0, 1]
    assert decoder.outcome(np.empty((0, 4))).tolist() == [2]


def test_a_stream_that_had_to_hold_back_thousands_of_frames_is_refused():
    word = tuple([0, 1] * 600)
    with pytest.raises(ValueError, match=r"at most 1,000.* asks for 1,201. Shorten"):
        Beam.of(2, 4, None, Guide.of(2, [(only(2, word), 1.0)]))
