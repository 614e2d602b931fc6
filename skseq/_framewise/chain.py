"""A linear chain of labels: how probable paths are, and which are the best.

Works in float64 on padded batches of scores. Knows nothing of networks or alphabets.
A path's score adds up what the chain gives to its first label, to each pair of labels
that follow each other and to its last label, and what the frames give to its labels.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skseq._data.frame_labels import UNLABELLED
from skseq._framewise.transitions import Transitions
from skseq._wording import counted

# What is lost of a sum by underflow is less than 1e-300, nothing beside one as large as
# this. A smaller sum is computed again in logarithms.
_LEAST_TRUSTED = 1e-250


@dataclass(frozen=True, eq=False)
class ChainWeights:
    """What a chain gives to labels by their places; -inf forbids.

    Parameters
    ----------
    pairs : ndarray of shape (n_classes, n_classes)
        The score of the label of a column after that of a row.
    starts, ends : ndarray of shape (n_classes,)
        The scores of the first label and of the last.
    """

    pairs: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def restricted(self, transitions: Transitions) -> "ChainWeights":
        """The same weights, and -inf where something is not allowed."""
        return ChainWeights(
            np.where(transitions.pairs, self.pairs, -np.inf),
            np.where(transitions.starts, self.starts, -np.inf),
            np.where(transitions.ends, self.ends, -np.inf),
        )

    def reversed(self) -> "ChainWeights":
        """The weights of the same paths, read from their ends."""
        return ChainWeights(self.pairs.T, self.ends, self.starts)


class RankedPaths(NamedTuple):
    """The best paths of one sample, the most probable first."""

    paths: np.ndarray  # (n_paths, n_frames) of int
    log_probs: np.ndarray  # (n_paths,)


def log_partition(
    scores: np.ndarray, weights: ChainWeights, lengths: np.ndarray
) -> np.ndarray:
    """Compute the logarithm of the sum of exp(score) over all paths [1]_.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_frames, n_classes)
        What each frame gives to each label; -inf forbids. Frames past a sample's length
        never matter, whatever they hold.
    weights : ChainWeights
        What the chain gives.
    lengths : ndarray of int of shape (n_samples,)
        Number of frames of each sample.

    Returns
    -------
    log_partition : ndarray of shape (n_samples,)
        It is 0 for a sample without frames, and -inf where no path is possible.

    References
    ----------
    .. [1] J. Lafferty, A. McCallum and F. Pereira, "Conditional Random Fields:
           Probabilistic Models for Segmenting and Labeling Sequence Data", ICML 2001.

    Examples
    --------
    >>> free = ChainWeights(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    >>> log_partition(np.zeros((1, 3, 2)), free, np.array([3])).round(6)  # of 8 paths
    array([2.079442])
    """
    frames = _by_frame(scores, lengths)
    return _totals(frames, _arrivals(frames, weights), weights, lengths)


def log_likelihood(
    scores: np.ndarray,
    weights: ChainWeights,
    lengths: np.ndarray,
    labels: np.ndarray,
) -> np.ndarray:
    """Compute the log-probability of the labels of each sample.

    Parameters
    ----------
    scores, weights, lengths
        As for :func:`log_partition`.
    labels : ndarray of int of shape (n_samples, n_frames)
        The label of each frame; -1 where it may be any, over which is summed. Labels
        past a sample's length never matter.

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
        -inf for labels that are not possible.
    """
    possible = log_partition(kept_labels(scores, labels), weights, lengths)
    total = log_partition(scores, weights, lengths)
    return np.where(possible == -np.inf, -np.inf, possible - _finite(total))


def kept_labels(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The scores, and -inf for all labels but those of labelled frames."""
    labels = labels[..., np.newaxis]
    is_kept = (labels == UNLABELLED) | (labels == np.arange(scores.shape[-1]))
    return np.where(is_kept, scores, -np.inf)


def log_marginals(
    scores: np.ndarray, weights: ChainWeights, lengths: np.ndarray
) -> np.ndarray:
    """Compute the log-probability of each label at each frame.

    Parameters
    ----------
    scores, weights, lengths
        As for :func:`log_partition`.

    Returns
    -------
    log_marginals : ndarray of shape (n_samples, n_frames, n_classes)
        Past a sample's length, and where no path is possible, it is -inf.
    """
    frames = _by_frame(scores, lengths)
    arrivals, departures = _both_ways(frames, weights, lengths)
    met = frames + arrivals + departures
    met[~_is_frame(lengths, len(frames))] = -np.inf
    return np.swapaxes(met - _finite(_log_sum(met))[..., np.newaxis], 0, 1)


def marginals(
    scores: np.ndarray, weights: ChainWeights, lengths: np.ndarray
) -> np.ndarray:
    """Compute the probability of each label at each frame.

    It is the exponential of :func:`log_marginals`, and zero past a sample's length.
    """
    return np.exp(log_marginals(scores, weights, lengths))


def pair_marginals(
    scores: np.ndarray, weights: ChainWeights, lengths: np.ndarray
) -> np.ndarray:
    """Compute how often each pair of labels is expected to follow each other.

    Parameters
    ----------
    scores, weights, lengths
        As for :func:`log_partition`.

    Returns
    -------
    pair_marginals : ndarray of shape (n_samples, n_classes, n_classes)
        The sum over the frames of the probability of a label, by row, that another, by
        column, comes after. It is the slope of the log-partition by `weights.pairs`.
    """
    frames = _by_frame(scores, lengths)
    arrivals, departures = _both_ways(frames, weights, lengths)
    before, after = frames + arrivals, frames + departures
    totals = _totals(frames, arrivals, weights, lengths)
    expected = np.zeros((len(lengths), *weights.pairs.shape))
    for t in range(1, len(frames)):
        paths = before[t - 1, :, :, np.newaxis] + weights.pairs
        paths += after[t, :, np.newaxis] - _finite(totals)[:, np.newaxis, np.newaxis]
        paths[t >= lengths] = -np.inf
        expected += np.exp(paths)
    return expected


def best_paths(
    scores: np.ndarray, weights: ChainWeights, lengths: np.ndarray
) -> np.ndarray:
    """Find the most probable path of each sample [1]_.

    Parameters
    ----------
    scores, weights, lengths
        As for :func:`log_partition`.

    Returns
    -------
    paths : ndarray of int of shape (n_samples, n_frames)
        Of equally probable paths one is chosen, always the same. Past a sample's
        length it is -1.

    Raises
    ------
    ValueError
        If a sample has no possible path.

    References
    ----------
    .. [1] A. Viterbi, "Error bounds for convolutional codes and an asymptotically
           optimum decoding algorithm", IEEE Transactions on Information Theory 13(2),
           1967.
    """
    frames = _by_frame(scores, lengths)
    best, paths = _ranked(frames, weights, lengths, 1)
    _check_possible(best[:, 0], lengths)
    return paths[:, 0]


def n_best_paths(
    scores: np.ndarray, weights: ChainWeights, lengths: np.ndarray, n: int
) -> list[RankedPaths]:
    """Find the most probable paths of each sample, and how probable they are.

    Parameters
    ----------
    scores, weights, lengths
        As for :func:`log_partition`.
    n : int
        How many paths to find.

    Returns
    -------
    ranked : list of RankedPaths of length n_samples
        Fewer than n where fewer paths are possible. The first is that of
        :func:`best_paths`.

    Raises
    ------
    ValueError
        If a sample has no possible path.
    """
    frames = _by_frame(scores, lengths)
    best, paths = _ranked(frames, weights, lengths, n)
    _check_possible(best[:, 0], lengths)
    log_probs = best - log_partition(scores, weights, lengths)[:, np.newaxis]
    n_possible = (best > -np.inf).sum(axis=1)
    return [
        RankedPaths(found[:m, :length], log_probs[i, :m])
        for i, (found, m, length) in enumerate(
            zip(paths, n_possible, lengths, strict=True)
        )
    ]


def _check_possible(best: np.ndarray, lengths: np.ndarray) -> None:
    impossible = np.flatnonzero(best == -np.inf)
    if len(impossible):
        i = impossible[0]
        raise ValueError(
            f"Sample {i} has {counted(int(lengths[i]), 'frame')}, for which no "
            "sequence of labels is possible. Allow more transitions."
        )


def _is_frame(lengths: np.ndarray, n_frames: int) -> np.ndarray:
    """(n_frames, n_samples): is it a frame, or padding?"""
    return np.arange(n_frames)[:, np.newaxis] < lengths


def _by_frame(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The scores (n_frames, n_samples, n_classes), and zero in padding."""
    frames = np.swapaxes(scores, 0, 1).astype(np.float64)  # a copy
    frames[~_is_frame(lengths, len(frames))] = 0.0
    return frames


def _arrivals(frames: np.ndarray, weights: ChainWeights) -> np.ndarray:
    """The log-mass of the paths that lead to each label, before its own frame."""
    arrivals = np.empty_like(frames)
    arrivals[:1] = weights.starts
    advance = _Advance(weights.pairs)
    for t in range(1, len(frames)):
        arrivals[t] = advance(arrivals[t - 1] + frames[t - 1])
    return arrivals


def _both_ways(
    frames: np.ndarray, weights: ChainWeights, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The log-masses of the paths that lead to each label and on from it."""
    t, samples = np.arange(len(frames))[:, np.newaxis], np.arange(len(lengths))
    turned = np.where(t < lengths, lengths - 1 - t, t), samples  # its own inverse
    departures = _arrivals(frames[turned], weights.reversed())[turned]
    return _arrivals(frames, weights), departures


class _Advance:
    """One step of the log-masses of paths over all pairs of labels.

    It is a product of matrices where this is exact, and else a sum in logarithms.
    """

    def __init__(self, pairs: np.ndarray):
        self._pairs = pairs
        self._is_possible = (pairs > -np.inf).astype(np.float64)
        self._top = _finite(pairs.max(initial=-np.inf))
        self._odds = np.exp(pairs - self._top)

    def __call__(self, masses: np.ndarray) -> np.ndarray:
        """From (n_samples, n_classes) before the step to the same after it."""
        tops = _finite(masses.max(axis=1, keepdims=True))
        sums = np.exp(masses - tops) @ self._odds
        with np.errstate(divide="ignore"):
            result = np.log(sums) + (tops + self._top)
        is_lost = sums < _LEAST_TRUSTED
        if is_lost.any():
            is_lost &= (masses > -np.inf) @ self._is_possible > 0
            samples, labels = np.nonzero(is_lost)
            paths = masses[samples] + self._pairs.T[labels]
            result[samples, labels] = _log_sum(paths)
        return result


def _totals(frames, arrivals, weights, lengths) -> np.ndarray:
    """The log-mass of all paths, (n_samples,)."""
    if not len(frames):
        return np.zeros(len(lengths))
    last = np.maximum(lengths - 1, 0), np.arange(len(lengths))
    totals = _log_sum(arrivals[last] + frames[last] + weights.ends)
    return np.where(lengths > 0, totals, 0.0)


def _log_sum(values: np.ndarray) -> np.ndarray:
    """The logarithm of the sum of exponentials along the last axis."""
    tops = _finite(values.max(axis=-1, keepdims=True))
    with np.errstate(divide="ignore"):
        return np.log(np.exp(values - tops).sum(axis=-1)) + tops[..., 0]


def _finite(values: np.ndarray) -> np.ndarray:
    """The values, and 0 for -inf: what may be taken from -inf."""
    return np.where(values == -np.inf, 0.0, values)


def _ranked(frames, weights, lengths, n) -> tuple[np.ndarray, np.ndarray]:
    """The scores (n_samples, n) and paths (n_samples, n, n_frames) of the best paths.

    The score of a path that is not possible, or not there, is -inf.
    """
    n_frames, n_samples, n_classes = frames.shape
    best = np.full((n_samples, n_classes, n), -np.inf)  # to each label, by rank
    best[..., 0] = weights.starts
    came_from = np.zeros((n_frames, *best.shape), dtype=np.int32)
    ends = np.full((n_samples, n), -np.inf)
    ends[:, 0] = 0.0  # the empty path of a sample without frames
    last = np.zeros((n_samples, n), dtype=np.int32)  # label * n + rank
    for t in range(n_frames):
        if t > 0:
            best, came_from[t] = _best_to_each(best, weights.pairs)
        best = best + frames[t, :, :, np.newaxis]
        is_last = lengths == t + 1
        if is_last.any():
            ending = best[is_last] + weights.ends[:, np.newaxis]
            ending = ending.reshape(len(ending), n_classes * n)
            last[is_last] = places = _largest(ending, n)
            ends[is_last] = np.take_along_axis(ending, places, axis=-1)
    return ends, _traced(came_from, last, lengths, n)


def _best_to_each(best, pairs) -> tuple[np.ndarray, np.ndarray]:
    """One step on from the best paths (n_samples, n_classes, n) to each label.

    Returns the scores of the best paths to each label, and where they come from, as
    label * n + rank. Path number r of the label that is number l by its best path has
    at least l + r others before it, and so need not be looked at if this is n or more.
    """
    n = best.shape[-1]
    labels = _largest(best[:, np.newaxis, :, 0] + pairs.T, n)  # by sample and label
    by_label, ranks = np.indices((labels.shape[-1], n))
    is_eligible = by_label + ranks < n
    labels, ranks = labels[..., by_label[is_eligible]], ranks[is_eligible]
    samples, to = np.ogrid[: len(best), : len(pairs), :1][:2]
    scores = best[samples, labels, ranks] + pairs[labels, to]
    places = _largest(scores, n)
    states = np.take_along_axis(labels * n + ranks, places, axis=-1)
    return np.take_along_axis(scores, places, axis=-1), states


def _largest(values: np.ndarray, n: int) -> np.ndarray:
    """Where the n largest values of the last axis are; of equals the first."""
    if n == 1:
        return values.argmax(axis=-1)[..., np.newaxis]
    return np.argsort(-values, axis=-1, kind="stable")[..., :n]


def _traced(came_from, states, lengths, n) -> np.ndarray:
    """The paths to states, each label * n + rank: labels (n_samples, n, n_frames)."""
    n_frames, n_samples = len(came_from), len(lengths)
    paths = np.full((n_samples, n, n_frames), UNLABELLED, dtype=np.int32)
    samples = np.arange(n_samples)[:, np.newaxis]
    for t in reversed(range(n_frames)):
        is_frame = (t < lengths)[:, np.newaxis]
        labels, ranks = np.divmod(states, n)
        paths[..., t] = np.where(is_frame, labels, UNLABELLED)
        states = np.where(is_frame, came_from[t, samples, labels, ranks], states)
    return paths
