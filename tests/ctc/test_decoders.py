"""Searches in CTC posteriors against sums over every single alignment."""

import itertools

import numpy as np
import pytest

from skseq._ctc.decoders import DECODERS, beam_search, greedy
from skseq._ctc.lattice import log_likelihood
from tests.ctc.test_search import naive_search

SHAPES = [(1, 1), (1, 3), (2, 1), (3, 2), (4, 3), (5, 2), (5, 3)]


def posteriors(n_samples, n_frames, n_classes, seed=0):
    """Draw log-posteriors, and lengths of which the first is `n_frames`."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, n_frames + 1, n_samples)
    lengths[0] = n_frames
    log_probs = rng.dirichlet(np.ones(n_classes + 1), (n_samples, n_frames))
    return np.log(log_probs), lengths


def peaked_posteriors(n_samples, n_frames, n_classes, seed=0):
    """Draw what trained networks put out: blank, with spikes, some of them confused."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n_samples, n_frames, n_classes + 1))
    logits[:, :, -1] += 10
    for sample in logits:
        for start in range(2, n_frames - 2, 6):
            spiked = rng.choice(n_classes, 2, replace=False)
            sample[start : start + rng.integers(1, 3), spiked] += rng.normal(12, 2, 2)
    lengths = rng.integers(n_frames // 2, n_frames + 1, n_samples)
    return logits - np.logaddexp.reduce(logits, axis=2, keepdims=True), lengths


def collapse(path, blank):
    return [label for label, _ in itertools.groupby(path) if label != blank]


def brute_force(log_probs):
    """Rank all labellings of one sample: by probability, length, label."""
    n_frames, n_columns = log_probs.shape
    totals = {}
    for path in itertools.product(range(n_columns), repeat=n_frames):
        labels = tuple(collapse(path, n_columns - 1))
        score = log_probs[np.arange(n_frames), path].sum()
        totals[labels] = totals.get(labels, 0.0) + np.exp(score)
    ranked = sorted(totals.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
    return [labels for labels, _ in ranked], np.log([total for _, total in ranked])


def ids(hypotheses):
    return [tuple(hypothesis.labels.tolist()) for hypothesis in hypotheses]


def scores(hypotheses):
    return [hypothesis.log_probability for hypothesis in hypotheses]


def test_greedy_is_the_naive_loop():
    log_probs, lengths = posteriors(20, 30, 3)
    expected = [
        collapse(sample[:length].argmax(axis=1).tolist(), 3)
        for sample, length in zip(log_probs, lengths, strict=True)
    ]
    found = greedy(log_probs, lengths)
    assert [labels.tolist() for labels in found] == expected


def test_an_unpruned_beam_that_holds_all_prefixes_is_exact():
    for n_frames, n_classes in SHAPES:
        log_probs, lengths = posteriors(3, n_frames, n_classes)
        found = beam_search(
            log_probs, lengths, beam_width=400, n_best=400, min_label_log_prob=-np.inf
        )
        for sample, length, hypotheses in zip(log_probs, lengths, found, strict=True):
            labels, expected = brute_force(sample[:length])
            assert ids(hypotheses) == labels
            np.testing.assert_allclose(scores(hypotheses), expected, atol=1e-9)


@pytest.mark.parametrize("floor", [-0.5, -1.0, -1.5, -2.0])
def test_a_pruned_search_finds_what_alignments_without_the_pruned_labels_spell(floor):
    # A label below the floor may continue in a frame, but begin only if it leads there.
    log_probs, lengths = posteriors(4, 5, 2, seed=7)
    lengths[:] = 5
    found = beam_search(
        log_probs, lengths, beam_width=400, n_best=400, min_label_log_prob=floor
    )
    for sample, hypotheses in zip(log_probs, found, strict=True):
        expected = set()
        for path in itertools.product(range(3), repeat=5):
            begun = [
                frame
                for frame in range(5)
                if path[frame] != 2 and (frame == 0 or path[frame] != path[frame - 1])
            ]
            floors = np.minimum(floor, sample.max(axis=1))
            if all(sample[frame, path[frame]] >= floors[frame] for frame in begun):
                expected.add(tuple(collapse(path, 2)))
        assert set(ids(hypotheses)) == expected


def test_the_beam_finds_a_labelling_that_the_best_path_misses():
    log_probs = np.log([[[0.4, 0.6], [0.4, 0.6]]])
    lengths = np.array([2])
    assert greedy(log_probs, lengths)[0].size == 0
    [[best]] = beam_search(log_probs, lengths, beam_width=2)
    assert best.labels.tolist() == [0]
    assert np.exp(best.log_probability) == pytest.approx(0.64)


def test_a_prefix_that_left_the_beam_and_came_back_is_one_prefix():
    # Narrow beams drop and remake prefixes all the time; none may be listed twice.
    log_probs, lengths = posteriors(50, 30, 2, seed=3)
    for beam_width in (1, 2, 3, 5, 8):
        found = beam_search(
            log_probs,
            lengths,
            beam_width=beam_width,
            n_best=8,
            min_label_log_prob=-np.inf,
        )
        assert all(len(set(ids(row))) == len(row) == beam_width for row in found[:1])
        assert all(len(set(ids(row))) == len(row) <= beam_width for row in found)


def test_hypotheses_are_ranked_by_their_exact_probability():
    log_probs, lengths = posteriors(5, 20, 4, seed=8)
    found = beam_search(log_probs, lengths, beam_width=6, n_best=6)
    for sample, (row, hypotheses) in enumerate(zip(log_probs, found, strict=True)):
        labels = [hypothesis.labels for hypothesis in hypotheses]
        exact = log_likelihood(
            row[None], lengths[[sample]], labels, samples=np.zeros(6, dtype=int)
        )
        np.testing.assert_allclose(scores(hypotheses), exact, atol=1e-12)
        assert scores(hypotheses) == sorted(scores(hypotheses), reverse=True)


def test_a_wider_beam_is_no_worse_on_the_whole():
    log_probs, lengths = posteriors(20, 25, 5, seed=9)
    means = [
        np.mean(
            [
                scores(row)[0]
                for row in beam_search(log_probs, lengths, beam_width=width)
            ]
        )
        for width in (1, 4, 16, 64)
    ]
    assert means == sorted(means)
    assert means[0] < means[-1]


def test_equals_are_ranked_by_length_and_then_by_label():
    log_probs = np.log(np.full((1, 1, 4), 0.25))
    [found] = beam_search(log_probs, np.array([1]), beam_width=9, n_best=9)
    assert ids(found) == [(), (0,), (1,), (2,)]


def test_ties_for_the_last_places_go_to_lower_labels():
    log_probs = np.log(np.full((1, 1, 6), 1 / 6))
    [found] = beam_search(log_probs, np.array([1]), beam_width=3, n_best=3)
    assert ids(found) == [(), (0,), (1,)]


def test_no_more_hypotheses_than_there_are():
    log_probs, lengths = posteriors(1, 1, 2)
    assert len(beam_search(log_probs, lengths, beam_width=10, n_best=10)[0]) == 3


def test_a_repeated_label_needs_a_blank_between():
    sure = np.log([0.98, 0.01, 0.01])
    blank = np.log([0.01, 0.01, 0.98])
    batch = np.array([[sure, sure, sure], [sure, blank, sure]])
    for decode in DECODERS.values():
        found = decode(batch, np.array([3, 3]), 4)
        assert [labels.tolist() for labels in found] == [[0], [0, 0]]


@pytest.mark.parametrize("decoder", DECODERS)
def test_blank_all_along_is_an_empty_sequence(decoder):
    log_probs = np.log(np.full((2, 4, 3), [0.001, 0.001, 0.998]))
    found = DECODERS[decoder](log_probs, np.array([4, 1]), 4)
    assert [labels.tolist() for labels in found] == [[], []]
    assert all(labels.dtype.kind == "i" for labels in found)


@pytest.mark.parametrize("decoder", DECODERS)
def test_one_frame_is_its_most_probable_column(decoder):
    log_probs, lengths = posteriors(30, 1, 3)
    found = DECODERS[decoder](log_probs, lengths, 4)
    columns = [labels[0] if len(labels) else 3 for labels in found]
    np.testing.assert_array_equal(columns, log_probs[:, 0].argmax(axis=1))


@pytest.mark.parametrize("decoder", DECODERS)
def test_decoders_take_one_signature(decoder):
    log_probs, lengths = peaked_posteriors(3, 40, 6)
    found = DECODERS[decoder](log_probs, lengths, 8)
    assert all(isinstance(labels, np.ndarray) for labels in found)
    assert [labels.max() < 6 for labels in found] == [True] * 3


@pytest.mark.parametrize("seed", range(5))
def test_pruning_keeps_the_best_hypotheses_of_peaked_posteriors(seed):
    log_probs, lengths = peaked_posteriors(8, 60, 12, seed=seed)
    pruned = beam_search(
        log_probs, lengths, beam_width=16, n_best=3, min_label_log_prob=-6.0
    )
    full = beam_search(
        log_probs, lengths, beam_width=16, n_best=3, min_label_log_prob=-np.inf
    )
    for row, expected in zip(pruned, full, strict=True):
        assert ids(row) == ids(expected)
        np.testing.assert_allclose(scores(row), scores(expected), atol=1e-9)


def unlikely_posteriors(n_samples, n_frames=6, seed=0):
    """Draw posteriors of two labels, all but one of them far below the usual floor."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-8, 1.5, size=(n_samples, n_frames, 3))
    logits[:, :, -1] = 0
    logits[:, 2, 0] = 1
    lengths = np.full(n_samples, n_frames)
    return logits - np.logaddexp.reduce(logits, axis=2, keepdims=True), lengths


@pytest.mark.parametrize("n_best", [2, 5, 10])
def test_several_hypotheses_are_the_most_probable_ones_however_unlikely(n_best):
    log_probs, lengths = unlikely_posteriors(10)
    found = beam_search(log_probs, lengths, beam_width=16, n_best=n_best)
    for sample, hypotheses in zip(log_probs, found, strict=True):
        labels, expected = brute_force(sample)
        assert ids(hypotheses) == labels[:n_best]
        np.testing.assert_allclose(scores(hypotheses), expected[:n_best], atol=1e-9)


@pytest.mark.parametrize("n_best", [1, 3])
def test_a_floor_that_is_asked_for_holds(n_best):
    log_probs, lengths = unlikely_posteriors(10)
    options = {"beam_width": 16, "n_best": n_best, "min_label_log_prob": -3.0}
    for hypotheses in beam_search(log_probs, lengths, **options):
        assert set(ids(hypotheses)) <= {(), (0,)}


@pytest.mark.parametrize(("n_frames", "n_loud"), [(2000, 0), (2000, 10), (600, 0)])
def test_a_weak_label_spread_over_many_frames_is_found(n_frames, n_loud):
    # Another label, near the floor in `n_loud` frames, must not hide the weak one.
    posterior = np.tile([0.0024, 1e-9, 0.9976], (1, n_frames, 1))
    posterior[:, :n_loud, 1] = 0.0026
    log_probs, lengths = np.log(posterior), np.array([n_frames])
    [[best]] = beam_search(log_probs, lengths, beam_width=16)
    options = {"beam_width": 16, "n_best": 3, "min_label_log_prob": -np.inf}
    [[expected, *_]] = beam_search(log_probs, lengths, **options)
    assert best.labels.tolist() == expected.labels.tolist()
    assert 0 in best.labels


@pytest.mark.parametrize("draw", [posteriors, peaked_posteriors])
def test_what_falls_far_behind_is_never_the_one_best(draw):
    log_probs, lengths = draw(20, 40, 12, seed=3)
    several = beam_search(log_probs, lengths, beam_width=16, n_best=2)
    for [best], [expected, _] in zip(
        beam_search(log_probs, lengths, beam_width=16), several, strict=True
    ):
        assert best.labels.tolist() == expected.labels.tolist()
        assert best.log_probability == pytest.approx(expected.log_probability)


@pytest.mark.parametrize("beam_width", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("floor", [-np.inf, -2.5, -1.0])
@pytest.mark.parametrize("n_classes", [1, 2, 12, 40])
def test_the_beam_is_the_naive_one_at_any_width(beam_width, floor, n_classes):
    log_probs, lengths = posteriors(4, 16, n_classes, seed=11)
    found = beam_search(
        log_probs, lengths, beam_width=beam_width, n_best=20, min_label_log_prob=floor
    )
    for sample, length, hypotheses in zip(log_probs, lengths, found, strict=True):
        expected = naive_search(sample[:length], beam_width, floor)
        assert set(ids(hypotheses)) == expected.keys()


def test_a_label_on_the_threshold_is_appended_whatever_the_precision():
    # 0.1 is not a float: the threshold lies between two roundings of the posterior.
    log_probs = np.log(np.array([[[0.1, 0.9]]]))
    for dtype in (np.float32, np.float64):
        for floor in (np.log(0.1), float(np.float32(np.log(0.1)))):
            [found] = beam_search(
                log_probs.astype(dtype),
                np.array([1]),
                beam_width=2,
                n_best=2,
                min_label_log_prob=floor,
            )
            appended = float(log_probs.astype(dtype)[0, 0, 0]) >= floor
            assert ids(found) == ([(), (0,)] if appended else [()])


def test_flat_posteriors_of_many_labels_are_not_pruned_to_nothing():
    rng = np.random.default_rng(0)
    log_probs = np.log(rng.dirichlet(np.full(2001, 1e4), (2, 6)))
    log_probs[:, :, -1] = -np.inf
    lengths = np.array([6, 4])
    found = beam_search(log_probs, lengths, beam_width=3)
    scores_of_greedy = log_likelihood(log_probs, lengths, greedy(log_probs, lengths))
    assert all(
        best.log_probability >= score
        for [best], score in zip(found, scores_of_greedy, strict=True)
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_frames_past_the_length_never_matter(garbage, dtype):
    log_probs, lengths = peaked_posteriors(6, 30, 5)
    clean = log_probs.astype(dtype)
    padded = np.concatenate([clean, clean[:, :4]], axis=1)
    padded[np.arange(34) >= lengths[:, None]] = garbage
    for expected, found in zip(
        beam_search(clean, lengths, beam_width=5, n_best=5),
        beam_search(padded, lengths, beam_width=5, n_best=5),
        strict=True,
    ):
        assert ids(found) == ids(expected)
        assert scores(found) == scores(expected)
    for expected, found in zip(
        greedy(clean, lengths), greedy(padded, lengths), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("beam_width", [16, 64, 256])
def test_no_prefix_is_held_twice_while_the_beam_fills(beam_width):
    log_probs, lengths = peaked_posteriors(8, 60, 12, seed=4)
    for found in beam_search(log_probs, lengths, beam_width=beam_width, n_best=256):
        assert len(set(ids(found))) == len(found)


@pytest.mark.parametrize("draw", [posteriors, peaked_posteriors])
def test_each_sample_is_searched_as_if_alone(draw):
    log_probs, lengths = draw(9, 25, 6, 2)
    order = np.random.default_rng(0).permutation(9)
    together = beam_search(log_probs[order], lengths[order], beam_width=4, n_best=4)
    for place, found in zip(order, together, strict=True):
        sample = log_probs[[place], : lengths[place]]
        [alone] = beam_search(sample, lengths[[place]], beam_width=4, n_best=4)
        assert ids(found) == ids(alone)
        assert scores(found) == scores(alone)


def test_2000_frames_do_not_underflow():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 100)
    log_probs = np.full((1, 2000, 4), np.log(0.001))
    log_probs[0, :, -1] = np.log(0.997)
    log_probs[0, 5::20] = np.log(0.15)
    log_probs[0, np.arange(5, 2000, 20), labels] = np.log(0.55)
    [[best]] = beam_search(log_probs, np.array([2000]), beam_width=4)
    assert best.labels.tolist() == labels.tolist()
    assert -np.inf < best.log_probability < 100 * np.log(0.6)


def test_a_beam_that_no_machine_holds_is_refused_but_not_where_it_cannot_fill():
    log_probs = np.log(np.full((1, 60, 9), 1 / 9))
    with pytest.raises(ValueError, match=r"Beams of 1,000,000,000,000 .* Lower beam_w"):
        beam_search(log_probs, np.array([60]), beam_width=10**12)
    [few] = beam_search(log_probs, np.array([2]), beam_width=10**12, n_best=10**12)
    assert len(few) == 1 + 8 + 8 * 7  # of no label, of one, of two that differ
