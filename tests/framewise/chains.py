"""Small chains, and every single path through them."""

import itertools

import numpy as np

from skseq._framewise.chain import ChainWeights
from skseq._framewise.transitions import compile_transitions


def chain(n_classes, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    shapes = (n_classes, n_classes), n_classes, n_classes
    return ChainWeights(*(rng.normal(scale=scale, size=shape) for shape in shapes))


def forbidding(seed=0):
    """A chain of three labels, in which four transitions are not possible."""
    table = {("a", "b"), ("c", "c"), (None, "b"), ("c", None)}
    allowed = compile_transitions(lambda *pair: pair not in table, ["a", "b", "c"])
    return chain(3, seed).restricted(allowed)


def batch(lengths, n_frames, n_classes, seed=7, scale=1.0):
    """Scores, with NaN in the padding."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(scale=scale, size=(len(lengths), n_frames, n_classes))
    for row, length in zip(scores, lengths, strict=True):
        row[length:] = np.nan
    return scores


def partial_labels(lengths, n_frames, n_classes, seed=0):
    """Labels of which a third are -1, of the classes 0 and 2 if there are three."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, (n_classes + 1) // 2, (len(lengths), n_frames)) * 2
    labels[rng.random(labels.shape) < 1 / 3] = -1
    for row, length in zip(labels, lengths, strict=True):
        row[length:] = 99
    return labels


def path_scores(scores, weights):
    """The score of each path of one sample, without padding, by path."""
    found = {}
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        score = sum(frame[label] for frame, label in zip(scores, path, strict=True))
        score += sum(weights.pairs[pair] for pair in itertools.pairwise(path))
        if path:
            score += weights.starts[path[0]] + weights.ends[path[-1]]
        found[path] = score
    return found


def fits(path, labels):
    return all(label in (-1, own) for own, label in zip(path, labels, strict=True))
