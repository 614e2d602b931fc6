"""What scores say of label sequences, and what shows that nothing was learnt."""

import itertools
import re
import tracemalloc

import numpy as np
import pytest

from skseq._framewise import outputs
from skseq._framewise.outputs import Paths, check_fits_n_best, lack_of_labels
from tests.framewise.chains import batch, chain, path_scores

LENGTHS = np.array([4, 1, 3])


@pytest.mark.parametrize("is_crf", [True, False])
def test_log_probabilities_are_those_of_all_paths(is_crf):
    weights = chain(3, scale=1.0 if is_crf else 0.0)
    scores = np.nan_to_num(batch(LENGTHS, 4, 3))
    labels = [np.array([0, -1, 2, 1]), np.array([-1]), np.array([2, 2, -1])]
    paths = Paths.of(scores, LENGTHS, weights, is_crf, labels)
    found, sure = paths.log_likelihood(), paths.best_log_likelihood()
    marginals = paths.log_marginals()
    for i, n in enumerate(LENGTHS):
        odds = {p: np.exp(v) for p, v in path_scores(scores[i, :n], weights).items()}
        total = sum(odds.values())
        own = labels[i]
        fitting = sum(v for p, v in odds.items() if np.all((own < 0) | (own == p)))
        np.testing.assert_allclose(found[i], np.log(fitting / total), atol=1e-9)
        np.testing.assert_allclose(sure[i], np.log(max(odds.values()) / total))
        for t, k in itertools.product(range(n), range(3)):
            share = sum(v for p, v in odds.items() if p[t] == k) / total
            np.testing.assert_allclose(np.exp(marginals[i][t, k]), share)


def test_too_many_hypotheses_are_refused_before_they_fill_the_memory():
    check_fits_n_best([10], 5, 1000)
    with pytest.raises(ValueError, match="Lower the n of predict_n_best"):
        check_fits_n_best([10**6], 50, 10**9)


WANTED = np.array([0, 0, 0, 1, 1, -1])


@pytest.mark.parametrize(
    ("found", "weights", "message"),
    [
        ([0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 0], "it gives all frames the same label"),
        ([1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 0], r"its error rate is 0.60; .* 0.40"),
        ([0, 0, 0, 1, 0, 0], [1, 1, 1, 1, 1, 0], None),
        ([0, 0, 0, 1, 0, 0], [1, 1, 1, 1, 9, 0], r"its error rate is 0.69; .* 0.23"),
        ([0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0], None),
    ],
)
def test_what_is_no_better_than_one_label_has_learnt_nothing(found, weights, message):
    lack = lack_of_labels(WANTED, np.array(found), np.array(weights, dtype=float))
    if message is None:
        assert lack is None
    else:
        assert re.search(message, lack)


@pytest.mark.parametrize("n_frames", [0, 1, 2])
def test_no_more_hypotheses_are_looked_for_than_there_are(n_frames):
    scores, weights = np.zeros((1, n_frames, 3)), chain(3)
    paths = Paths(scores, np.array([n_frames]), weights, False)
    found = paths.n_best(10**8)[0]
    assert len(found.paths) == 3**n_frames
    expected = path_scores(scores[0], weights)
    assert set(map(tuple, found.paths.tolist())) == set(expected)
    np.testing.assert_allclose(np.exp(found.log_probs).sum(), 1)
    check_fits_n_best([n_frames], 3, 10**30)


@pytest.mark.parametrize(
    ("n_frames", "n_classes", "n"), [(2000, 5, 200), (10, 40, 2000), (6, 10, 3 * 10**4)]
)
def test_the_memory_of_hypotheses_is_what_they_are_given(
    n_frames, n_classes, n, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        outputs, "check_fits", lambda n_bytes, *_: asked.append(n_bytes)
    )
    check_fits_n_best([n_frames, 1], n_classes, n)
    scores = np.random.default_rng(0).normal(size=(1, n_frames, n_classes))
    paths = Paths(scores, np.array([n_frames]), chain(n_classes), False)
    tracemalloc.start()
    found = paths.n_best(n)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    as_lists = 8 * found[0].paths.size
    assert 0.7 * (peak + as_lists) < asked[0] < 1.3 * (peak + as_lists)
