"""The plain search of one sample against the naive one, a dictionary of prefixes.

`test_decoders` tests what is made of it; `tests/native` that the compiled search does
the same to the bit.
"""

import numpy as np
import pytest

from skseq._ctc.search import MIN_LABEL_LOG_PROB, Limits, search


def posteriors(n_frames, n_classes, seed):
    """Log-posteriors of one sample, blank last."""
    rng = np.random.default_rng(seed)
    return np.log(rng.dirichlet(np.ones(n_classes + 1), n_frames))


def found(log_probs, *, beam_width, floor=-np.inf, lost=0.0, rival=0.0):
    """The labels that the search ends with, each once."""
    labels = search(log_probs, Limits(beam_width, floor, lost, rival))
    prefixes = [tuple(item.tolist()) for item in labels]
    assert len(set(prefixes)) == len(prefixes)
    return set(prefixes)


def naive_search(log_probs, beam_width, floor=-np.inf):
    """The prefixes that are held at the end, with their log-masses."""
    beam = {(): (0.0, -np.inf)}
    for frame in log_probs:
        *labels, blank = frame
        grown = {}

        def add(prefix, in_blank, in_label, grown=grown):
            before = grown.get(prefix, (-np.inf, -np.inf))
            grown[prefix] = tuple(np.logaddexp(before, (in_blank, in_label)))

        for prefix, (in_blank, in_label) in beam.items():
            total = np.logaddexp(in_blank, in_label)
            repeated = in_label + frame[prefix[-1]] if prefix else -np.inf
            add(prefix, total + blank, repeated)
            for label, score in enumerate(labels):
                if score >= min(floor, frame.max()):
                    start = in_blank if prefix[-1:] == (label,) else total
                    add((*prefix, label), -np.inf, start + score)
        ranked = sorted(grown.items(), key=lambda item: -np.logaddexp(*item[1]))
        beam = dict(ranked[:beam_width])
    return {
        p: m for p, masses in beam.items() if (m := np.logaddexp(*masses)) > -np.inf
    }


@pytest.mark.parametrize("beam_width", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("floor", [-np.inf, -2.5, -1.0])
@pytest.mark.parametrize("n_classes", [1, 2, 12, 40])
def test_the_search_is_the_naive_one_at_any_width(beam_width, floor, n_classes):
    for seed in range(4):
        sample = posteriors(16, n_classes, seed)
        expected = naive_search(sample, beam_width, floor)
        assert found(sample, beam_width=beam_width, floor=floor) == expected.keys()


@pytest.mark.parametrize("rival", [1e-6, 0.01, 0.5, 1.0])
def test_what_ends_further_behind_than_a_rival_is_left_out(rival):
    for seed in range(4):
        sample = posteriors(12, 3, seed)
        masses = naive_search(sample, 30)
        least = max(masses.values()) + np.log(rival)
        near = {prefix for prefix, mass in masses.items() if mass >= least - 1e-9}
        assert found(sample, beam_width=30, rival=rival) == near


def test_a_prefix_that_has_lost_in_a_frame_is_dropped_there():
    sample = np.log([[0.9, 0.0999, 0.0001], [0.0001, 0.0999, 0.9]])
    assert (1,) in found(sample, beam_width=20)
    assert (1,) not in found(sample, beam_width=20, lost=0.2)


def test_no_frame_leaves_the_empty_sequence():
    assert found(np.zeros((0, 4)), beam_width=3) == {()}


def test_quiet_frames_between_labels_keep_them_apart():
    loud, quiet = [0.9, 0.05, 0.05], [1e-9, 1e-9, 1 - 2e-9]
    sample = np.log([loud, *[quiet] * 50, loud])
    assert (0, 0) in found(sample, beam_width=4, floor=MIN_LABEL_LOG_PROB)
    assert (0, 0) not in found(np.log([loud, loud]), beam_width=4)


@pytest.mark.parametrize(("n_frames", "is_found"), [(100, False), (400, True)])
def test_without_a_floor_weak_labels_count_once_they_add_up(n_frames, is_found):
    weak = 0.002  # below the usual floor; 400 of them make 0.8
    assert np.log(weak) < MIN_LABEL_LOG_PROB
    sample = np.log(np.tile([weak, 1 - weak], (n_frames, 1)))
    assert ((0,) in found(sample, beam_width=4, floor=None)) == is_found
    assert found(sample, beam_width=4, floor=MIN_LABEL_LOG_PROB) == {()}


def test_thousands_of_frames_do_not_underflow():
    sample = np.log(np.full((3000, 3), [1e-8, 1e-8, 0.01]))
    assert () in found(sample, beam_width=4)
    assert found(sample, beam_width=4, rival=0.5) == {()}
