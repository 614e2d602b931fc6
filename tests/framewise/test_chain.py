"""A linear chain against sums and searches over every single path."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from skseq._framewise import chain as chain_module
from skseq._framewise.chain import (
    ChainWeights,
    best_paths,
    log_likelihood,
    log_marginals,
    log_partition,
    marginals,
    n_best_paths,
    pair_marginals,
)
from tests.framewise.chains import (
    batch,
    chain,
    fits,
    forbidding,
    partial_labels,
    path_scores,
)

LENGTHS = np.array([6, 1, 4, 2, 6])
CHAINS = {
    "of one label": chain(1),
    "of two": chain(2),
    "of three": chain(3),
    "that forbids": forbidding(),
    "of large weights": chain(3, scale=400.0),
}


@pytest.fixture(params=CHAINS)
def weights(request):
    return CHAINS[request.param]


@pytest.fixture(params=["products", "logarithms"])
def way(request, monkeypatch):
    """Sums are computed by products of matrices, or all in logarithms."""
    if request.param == "logarithms":
        monkeypatch.setattr(chain_module, "_LEAST_TRUSTED", np.inf)


def scores_for(weights):
    return batch(LENGTHS, 6, len(weights.starts))


def all_paths(scores, weights):
    """For each sample, the scores of its paths."""
    return [
        path_scores(row[:length], weights)
        for row, length in zip(scores, LENGTHS, strict=True)
    ]


def test_the_partition_is_the_sum_over_all_paths(weights, way):
    scores = scores_for(weights)
    expected = [logsumexp(list(p.values())) for p in all_paths(scores, weights)]
    found = log_partition(scores, weights, LENGTHS)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


def test_the_likelihood_of_labels_sums_over_the_paths_that_fit(weights, way):
    scores = scores_for(weights)
    labels = partial_labels(LENGTHS, 6, len(weights.starts))
    expected = [
        logsumexp([s for p, s in paths.items() if fits(p, row[:length])] or [-np.inf])
        - logsumexp(list(paths.values()))
        for paths, row, length in zip(
            all_paths(scores, weights), labels, LENGTHS, strict=True
        )
    ]
    found = log_likelihood(scores, weights, LENGTHS, labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


def test_all_labels_of_two_frames_together_have_probability_one():
    weights = forbidding()
    labels = np.array(list(itertools.product(range(3), repeat=2)))
    scores = np.repeat(batch([2], 2, 3), len(labels), axis=0)
    found = log_likelihood(scores, weights, np.full(9, 2), labels)
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-12)
    assert (found == -np.inf).sum() == 6  # a b, c c, b * and * c


def test_a_sample_without_labels_is_certain():
    labels = np.full((5, 6), -1)
    found = log_likelihood(scores_for(chain(3)), chain(3), LENGTHS, labels)
    np.testing.assert_array_equal(found, 0.0)


def test_marginals_are_shares_of_the_paths(weights, way):
    scores = scores_for(weights)
    found = marginals(scores, weights, LENGTHS)
    for row, paths, length in zip(
        found, all_paths(scores, weights), LENGTHS, strict=True
    ):
        expected = np.zeros_like(row)
        total = logsumexp(list(paths.values()))
        for path, score in paths.items():
            expected[np.arange(length), path] += np.exp(score - total)
        np.testing.assert_allclose(row, expected, atol=1e-9)


def test_pair_marginals_are_shares_of_the_paths(weights, way):
    scores = scores_for(weights)
    found = pair_marginals(scores, weights, LENGTHS)
    for row, paths in zip(found, all_paths(scores, weights), strict=True):
        expected = np.zeros_like(row)
        total = logsumexp(list(paths.values()))
        for path, score in paths.items():
            for pair in itertools.pairwise(path):
                expected[pair] += np.exp(score - total)
        np.testing.assert_allclose(row, expected, atol=1e-9)


def test_log_marginals_are_exact_where_probabilities_underflow():
    scores = np.array([[[0.0, -900.0], [0.0, -1500.0]]])
    found = log_marginals(scores, chain(2, scale=0.0), np.array([2]))
    np.testing.assert_allclose(found, scores)


@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_the_best_paths_are_those_of_a_search_through_all(weights, n):
    scores = scores_for(weights)
    ranked = n_best_paths(scores, weights, LENGTHS, n)
    for found, paths in zip(ranked, all_paths(scores, weights), strict=True):
        possible = {path: s for path, s in paths.items() if s > -np.inf}
        order = sorted(possible, key=possible.get, reverse=True)[:n]
        assert [tuple(path) for path in found.paths.tolist()] == order
        total = logsumexp(list(paths.values()))
        expected = [paths[path] - total for path in order]
        np.testing.assert_allclose(found.log_probs, expected, rtol=1e-12, atol=1e-9)


def test_the_best_path_is_the_first_of_several_also_where_they_are_equal():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 2, (50, 5, 3)).astype(float)
    weights = ChainWeights(np.eye(3), np.zeros(3), np.zeros(3))
    lengths = rng.integers(1, 6, 50)
    paths = best_paths(scores, weights, lengths)
    ranked = n_best_paths(scores, weights, lengths, 4)
    for path, length, found in zip(paths, lengths, ranked, strict=True):
        np.testing.assert_array_equal(path[:length], found.paths[0])
        np.testing.assert_array_equal(path[length:], -1)
        assert len({tuple(p) for p in found.paths.tolist()}) == len(found.paths)


def test_a_batch_gives_what_each_sample_gives_alone(weights):
    scores = scores_for(weights)
    functions = log_partition, log_marginals, pair_marginals, best_paths
    for function in functions:
        together = function(scores, weights, LENGTHS)
        for i, length in enumerate(LENGTHS):
            alone = function(scores[i : i + 1, :length], weights, LENGTHS[i : i + 1])[0]
            is_by_frame = alone.ndim and function is not pair_marginals
            own = together[i, :length] if is_by_frame else together[i]
            np.testing.assert_allclose(own, alone, rtol=1e-12)


def test_nothing_is_found_in_padding(weights):
    scores = scores_for(weights)
    padded = marginals(scores, weights, LENGTHS)[1, 1:]
    np.testing.assert_array_equal(padded, 0.0)
    np.testing.assert_array_equal(best_paths(scores, weights, LENGTHS)[1, 1:], -1)


def test_a_sample_without_frames_has_the_empty_path():
    scores, lengths = np.full((2, 3, 2), np.nan), np.array([0, 0])
    for cut in (3, 0):
        found = n_best_paths(scores[:, :cut], chain(2), lengths, 3)
        assert [row.paths.shape for row in found] == [(1, 0), (1, 0)]
        assert [row.log_probs.tolist() for row in found] == [[0.0], [0.0]]
        assert not marginals(scores[:, :cut], chain(2), lengths).any()


def test_a_far_less_probable_label_counts_where_no_other_may_follow():
    # The label b leads to the last frame, and its mass is exp(-900) of that of a.
    forbidden = np.array([[0.0, -np.inf], [0.0, 0.0]])
    weights = ChainWeights(forbidden, np.zeros(2), np.zeros(2))
    scores = np.array([[[0.0, -900.0], [-np.inf, 0.0]]])
    lengths = np.array([2])
    assert log_partition(scores, weights, lengths) == [-900.0]
    np.testing.assert_array_equal(marginals(scores, weights, lengths)[0, :, 1], 1.0)


def test_where_no_path_is_possible_nothing_is_nan():
    scores, lengths = np.full((1, 2, 2), -np.inf), np.array([2])
    assert log_partition(scores, chain(2), lengths) == [-np.inf]
    labels = np.array([[0, 1]])
    assert log_likelihood(scores, chain(2), lengths, labels) == [-np.inf]
    np.testing.assert_array_equal(marginals(scores, chain(2), lengths), 0.0)
    np.testing.assert_array_equal(pair_marginals(scores, chain(2), lengths), 0.0)
    for find in (best_paths, lambda *args: n_best_paths(*args, 2)):
        with pytest.raises(ValueError, match=r"Sample 0 has 2 frames, for which no"):
            find(scores, chain(2), lengths)


@pytest.mark.parametrize("seed", range(20))
def test_any_number_of_best_paths_begins_like_all_of_them(seed):
    weights, lengths = chain(4, seed), np.array([5, 4])
    scores = batch(lengths, 5, 4, seed + 100)
    everything = n_best_paths(scores, weights, lengths, 4**5)
    for n in (2, 3, 10, 30):
        for some, rows in zip(
            n_best_paths(scores, weights, lengths, n), everything, strict=True
        ):
            np.testing.assert_array_equal(some.paths, rows.paths[:n])
