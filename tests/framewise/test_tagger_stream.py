"""Online Viterbi: settled labels are final, and all together are the best path."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from skseq._framewise.chain import best_paths
from skseq._framewise.tagger_stream import ChainDecoder
from tests.framewise.chains import chain, forbidding, path_scores

WEIGHTS = {"one": chain(1), "four": chain(4), "forbidding": forbidding()}


def best(scores, weights):
    return best_paths(scores[np.newaxis], weights, np.array([len(scores)]))[0].tolist()


def pieces(rows, size):
    return [rows[i : i + size] for i in range(0, len(rows), size)]


@pytest.mark.parametrize("size", [1, 2, 7, 50])
@pytest.mark.parametrize("name", WEIGHTS)
def test_settled_labels_and_the_rest_are_the_best_path(name, size):
    weights = WEIGHTS[name]
    scores = np.random.default_rng(0).normal(size=(50, len(weights.starts)))
    decoder, settled = ChainDecoder(weights, True), []
    for i, piece in enumerate(pieces(scores, size)):
        decoder, found = decoder.after(piece)
        settled += found.tolist()
        rest = decoder.outcome(scores[:0]).tolist()
        assert settled + rest == best(scores[: (i + 1) * size], weights)
        ahead = scores[(i + 1) * size :][:3]
        longer = np.concatenate([scores[: (i + 1) * size], ahead])
        assert settled + decoder.outcome(ahead).tolist() == best(longer, weights)
    assert len(settled) > 40


@pytest.mark.parametrize("n_frames", [1, 2, 4, 6])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_all_best_paths_to_a_last_label_share_is_settled(n_frames, seed):
    weights = chain(3, seed)
    scores = np.random.default_rng(seed).normal(size=(n_frames, 3))
    _, settled = ChainDecoder(weights, True).after(scores)
    endless = replace(weights, ends=np.zeros(3))
    by_score = sorted(path_scores(scores, endless).items(), key=lambda item: item[1])
    survivors = {path[-1]: path for path, _ in by_score}.values()  # the best is last
    agreed = [len(set(labels)) == 1 for labels in zip(*survivors, strict=True)]
    n_agreed = [*agreed, False].index(False)
    assert settled.tolist() == list(next(iter(survivors))[:n_agreed])


def test_equally_good_paths_are_told_apart_as_in_prediction():
    weights = chain(3, scale=0.0)
    scores = np.zeros((6, 3))
    decoder, settled = ChainDecoder(weights, True).after(scores)
    rest = decoder.outcome(scores[:0])
    assert [*settled, *rest] == best(scores, weights)


def test_logits_become_log_probabilities_where_nothing_was_learnt_of_pairs():
    weights = forbidding(seed=2)
    logits = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    decoder, settled = ChainDecoder(weights, False).after(logits)
    expected = best(log_softmax(logits.astype(float), axis=1), weights)
    assert [*settled, *decoder.outcome(logits[:0])] == expected


def test_before_the_first_frame_there_is_nothing():
    decoder = ChainDecoder(chain(3), True)
    after, settled = decoder.after(np.empty((0, 3)))
    assert settled.tolist() == after.outcome(np.empty((0, 3))).tolist() == []
