"""Decoders that read posteriors piece by piece against those that read all at once."""

import pickle

import numpy as np
import pytest

from skseq._ctc import running
from skseq._ctc.decoders import beam_search, greedy
from skseq._ctc.lattice import OneLabelMasses, label_log_likelihoods, log_likelihood
from skseq._ctc.running import Beam, Greedy, OneLabel
from skseq._ctc.search import MIN_LABEL_LOG_PROB, Prefixes
from tests.ctc.test_decoders import peaked_posteriors, posteriors

DRAWS = {"flat": posteriors, "peaked": peaked_posteriors}


def samples(kind, n_samples, n_frames, n_classes, seed=0, heat=1.0):
    """Single samples; heat flattens them, so that a search has more to choose from."""
    log_probs, lengths = DRAWS[kind](n_samples, n_frames, n_classes, seed)
    lengths = np.maximum(lengths, n_frames // 2)
    log_probs = log_probs / heat
    log_probs -= np.logaddexp.reduce(log_probs, axis=2, keepdims=True)
    return [row[:n] for row, n in zip(log_probs, lengths, strict=True)]


def read(decoder, log_probs, rng, n_last=0):
    """The decoder after all frames but the last, the settled labels, and the others."""
    ends = np.sort(rng.integers(0, len(log_probs) - n_last + 1, size=8))
    *pieces, last = np.split(log_probs, [*ends, len(log_probs) - n_last])
    settled = []
    for piece in pieces:
        decoder, labels = decoder.after(piece)
        settled += labels.tolist()
    return decoder, settled, decoder.outcome(last).tolist()


def test_greedy_pieces_are_the_whole():
    rng = np.random.default_rng(0)
    for log_probs in samples("flat", 50, 30, 3):
        _, settled, others = read(Greedy(), log_probs, rng, n_last=1)
        [expected] = greedy(log_probs[None], np.array([len(log_probs)]))
        assert settled + others == expected.tolist()


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("floor", [None, MIN_LABEL_LOG_PROB, -2.0, -np.inf])
def test_a_beam_ends_where_the_search_of_all_frames_ends(kind, floor):
    rng = np.random.default_rng(1)
    for width in (1, 4, 16):
        for log_probs in samples(kind, 8, 40, 4, seed=width, heat=2.0):
            decoder = Beam.of(4, width, floor)
            _, settled, others = read(decoder, log_probs, rng, n_last=3)
            [[best]] = beam_search(
                log_probs[None],
                np.array([len(log_probs)]),
                beam_width=width,
                min_label_log_prob=floor,
            )
            assert settled + others == best.labels.tolist()


def test_what_is_settled_is_what_every_end_begins_with():
    rng, n_settled = np.random.default_rng(2), 0
    for log_probs in samples("peaked", 10, 60, 3, heat=2.0):
        decoder, settled = Beam.of(3, 4, None), []
        for frame in log_probs:
            decoder, labels = decoder.after(frame[None])
            settled += labels.tolist()
            if not labels.size:
                continue
            end = np.log(rng.dirichlet(np.ones(4), 5))
            whole = np.concatenate([log_probs[: decoder.n_frames], end])
            batch = whole[None], np.array([len(whole)])
            [[best]] = beam_search(*batch, beam_width=4)
            assert best.labels[: len(settled)].tolist() == settled
            n_settled += len(labels)
    assert n_settled > 20


def test_settled_labels_end_in_an_output_frame_that_was_read():
    [log_probs] = samples("peaked", 1, 60, 3)
    decoder, before = Beam.of(3, 8, None), 0
    for t, frame in enumerate(log_probs):
        decoder, labels = decoder.after(frame[None])
        assert before <= decoder.n_settled <= t + 1
        assert decoder.n_settled > before or not len(labels)
        before = decoder.n_settled


def test_a_sample_whose_weak_labels_add_up_leaves_the_search_with_a_floor():
    weak = np.log([[0.0024, 0.9976]])
    decoder, _ = Beam.of(1, 4, None).after(np.repeat(weak, 200, axis=0))
    assert len(decoder.branches) == 2
    decoder, _ = decoder.after(np.repeat(weak, 20, axis=0))
    assert [b.search.limits.floor for b in decoder.branches] == [-np.inf]


@pytest.mark.parametrize("n_kept", [16, 64])
def test_finalists_are_scored_though_first_frames_are_forgotten(n_kept, monkeypatch):
    monkeypatch.setattr(running, "N_KEPT", n_kept)
    rng = np.random.default_rng(3)
    for kind, heat in (("flat", 1.0), ("peaked", 2.0)):
        n_rivals = 0
        for log_probs in samples(kind, 10, 500, 4, heat=heat):
            decoder = Beam.of(4, 6, None)
            decoder, settled, others = read(decoder, log_probs, rng)
            assert sum(map(len, decoder.kept)) < decoder.n_frames
            n_frames = np.array([len(log_probs)])
            [[best]] = beam_search(log_probs[None], n_frames, beam_width=6)
            assert settled + others == best.labels.tolist()
            n_rivals += len(decoder.branches[0].search.finalists()) > 1
        assert n_rivals > 5  # so that scores decided


def test_scores_of_what_is_kept_differ_as_exact_ones_do(monkeypatch):
    monkeypatch.setattr(running, "N_KEPT", 256)
    rng = np.random.default_rng(4)
    for log_probs in samples("flat", 3, 1500, 3):
        decoder, settled, _ = read(Beam.of(3, 8, -np.inf), log_probs, rng)
        branch = decoder.branches[0]
        nodes = branch.search.finalists()
        labels = [np.append(settled, branch.labels(n)).astype(int) for n in nodes]
        masses = branch.masses_after(np.concatenate(decoder.kept))
        found = np.logaddexp(*masses)[nodes]
        batch = log_probs[None], np.array([len(log_probs)])
        exact = log_likelihood(*batch, labels, samples=np.zeros(len(nodes), int))
        np.testing.assert_allclose(found - found[0], exact - exact[0], atol=1e-9)


def test_a_beam_keeps_as_much_after_many_frames_as_after_some(monkeypatch):
    monkeypatch.setattr(running, "N_KEPT", 32)
    [log_probs] = samples("flat", 1, 3000, 4)
    decoder, sizes = Beam.of(4, 4, None), []
    for piece in np.array_split(log_probs, 100):
        decoder, _ = decoder.after(piece)
        sizes.append(len(pickle.dumps(decoder)))
    assert max(sizes[20:]) < 1.3 * max(sizes[:20])


def test_a_decoder_is_not_changed_by_what_follows():
    for log_probs in samples("peaked", 5, 40, 3, heat=2.0):
        first, second = np.array_split(log_probs, 2)
        for decoder in (Greedy(), Beam.of(3, 4, None), OneLabel(OneLabelMasses(3))):
            begun, _ = decoder.after(first)
            expected = begun.after(second)[0].outcome(first)
            begun.guess(first)
            begun.after(first)
            np.testing.assert_array_equal(
                begun.after(second)[0].outcome(first), expected
            )


@pytest.mark.parametrize("n_frames", [1, 40, 3000])
def test_masses_of_one_label_are_those_of_the_lattice_to_the_bit(n_frames):
    [log_probs] = samples("flat", 1, n_frames, 4)
    masses = OneLabelMasses(4)
    for piece in np.array_split(log_probs, 7):
        masses = masses.after(piece)
    [expected] = label_log_likelihoods(log_probs[None], np.array([n_frames]))
    assert masses.log_likelihoods().tolist() == expected.tolist()


def test_reduced_prefixes_are_those_that_some_extend():
    prefixes = Prefixes()
    a, b = prefixes.extend(0, 0), prefixes.extend(0, 1)
    ab, ac, abd = prefixes.extend(a, 1), prefixes.extend(a, 2), None
    abd = prefixes.extend(ab, 3)
    assert prefixes.shared([ac, abd]) == a
    assert prefixes.shared([b, abd]) == 0
    assert prefixes.shared([a, abd]) == a
    reduced, kept = prefixes.reduced([ac, abd], a)
    assert kept.tolist() == [a, ab, ac, abd]
    assert reduced.read(3).tolist() == [1, 3]
    assert reduced.extend(0, 2) == 2  # known
    assert reduced.extend(2, 0) == 4  # new
    assert prefixes.read(abd).tolist() == [0, 1, 3]
