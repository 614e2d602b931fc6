"""What the scores of a tagger's network say of label sequences.

Knows neither vocabularies nor what users pass.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from skseq._data.batching import pad, unpad
from skseq._data.frame_labels import UNLABELLED
from skseq._data.memory import check_fits
from skseq._engine.convergence import CONSTANT_SHARE
from skseq._framewise import chain
from skseq._framewise.chain import ChainWeights, RankedPaths
from skseq._framewise.transitions import Transitions

# What the search for the best paths holds at once: of each way to go on from a frame,
# its score, its negative, their order and two ids, and of each step of a path, its id.
_BYTES_PER_WAY, _BYTES_PER_STEP = 40, 4


def chain_weights(learnt, allowed: Transitions) -> ChainWeights:
    """What a chain gives, minus infinity to what is not allowed.

    Parameters
    ----------
    learnt : tuple of ndarray or None
        The weights of pairs, of first and of last labels; None stands for zeros.
    allowed : Transitions
    """
    n_classes = len(allowed.classes)
    if learnt is None:
        learnt = np.zeros((n_classes, n_classes)), *np.zeros((2, n_classes))
    weights = ChainWeights(*(part.astype(np.float64) for part in learnt))
    return weights.restricted(allowed)


@dataclass(frozen=True)
class Paths:
    """The label sequences of a batch, and how probable they are.

    Attributes
    ----------
    scores : ndarray of shape (n_samples, n_frames, n_classes), dtype float64
    lengths : ndarray of int of shape (n_samples,)
    weights : ChainWeights
    is_free : bool
        Whether frames do not depend on each other; then scores are log-probabilities.
    labels : list of ndarray of shape (n_frames,) or None
        The ids of given labels, -1 where there is none.
    """

    scores: np.ndarray
    lengths: np.ndarray
    weights: ChainWeights
    is_free: bool
    labels: list[np.ndarray] | None = None

    @classmethod
    def of(cls, scores, lengths, weights, is_crf, labels=None) -> "Paths":
        """Those of what a network gives, whose scores without a chain are logits."""
        scores = scores.astype(np.float64)
        if not is_crf:
            scores = log_softmax(scores, axis=-1)
        parts = weights.pairs, weights.starts, weights.ends
        is_free = not is_crf and not any(map(np.any, parts))
        return cls(scores, lengths, weights, is_free, labels)

    @property
    def _given(self) -> tuple:
        return self.scores, self.weights, self.lengths

    def best(self) -> list[np.ndarray]:
        """The most probable label sequences."""
        if self.is_free:
            return unpad(self.scores.argmax(axis=-1), self.lengths)
        return unpad(chain.best_paths(*self._given), self.lengths)

    def n_best(self, n: int) -> list[RankedPaths]:
        """At most n label sequences of each sample, the most probable first."""
        return [
            ranked
            for own in self._one_by_one()
            for ranked in chain.n_best_paths(*own._given, own._at_most(n))
        ]

    def _at_most(self, n: int) -> int:
        """As many label sequences as there are of the only sample, but at most n."""
        return at_most(n, int(self.lengths[0]), len(self.weights.starts))

    def log_marginals(self) -> list[np.ndarray]:
        """The log-probability of each label at each frame."""
        if self.is_free:
            return unpad(self.scores, self.lengths)
        return [chain.log_marginals(*own._given)[0] for own in self._one_by_one()]

    def log_likelihood(self) -> list[float]:
        """The log-probability of the given labels, summed over what is not given."""
        return [own._log_likelihood() for own in self._one_by_one()]

    def best_log_likelihood(self) -> list[float]:
        """That of the most probable labels."""
        labelled = Paths(*self._parts, self.best())
        return labelled.log_likelihood()

    def _log_likelihood(self) -> float:
        labels = self.labels[0]
        if self.is_free:
            places = np.flatnonzero(labels != UNLABELLED)
            return float(self.scores[0, places, labels[places]].sum())
        padded = pad(self.labels, dtype=np.int64, value=UNLABELLED)
        return float(chain.log_likelihood(*self._given, padded)[0])

    @property
    def _parts(self) -> tuple:
        return self.scores, self.lengths, self.weights, self.is_free

    def _one_by_one(self):
        """Each sample alone: products of matrices round by how many rows there are."""
        for i, n in enumerate(self.lengths):
            labels = None if self.labels is None else self.labels[i : i + 1]
            scores, lengths = self.scores[i : i + 1, :n], self.lengths[i : i + 1]
            yield Paths(scores, lengths, self.weights, self.is_free, labels)


def check_fits_n_best(lengths, n_classes: int, n: int) -> None:
    """Refuse so many hypotheses that they fill the memory for a single sequence."""
    n_frames = int(max(lengths))
    n = at_most(n, n_frames, n_classes)
    ways = n_classes * n * min(n_classes, n)  # that are compared at each frame
    kept = n * n_frames * (n_classes + 1)
    n_bytes = _BYTES_PER_WAY * ways + _BYTES_PER_STEP * kept + 8 * n * n_frames
    what = f"{n:,} hypotheses of {n_frames:,} labels"
    check_fits(n_bytes, what, "Lower the n of predict_n_best.")


def at_most(n: int, n_frames: int, n_classes: int) -> int:
    """As many label sequences as there are, but at most n."""
    n_sequences = 1
    for _ in range(n_frames):
        n_sequences *= n_classes
        if n_sequences >= n or n_classes == 1:
            break
    return min(n, n_sequences)


def lack_of_labels(wanted, found, weights) -> str | None:
    """Say how labels show that nothing was learnt; None where they do not.

    Parameters
    ----------
    wanted, found : ndarray of int of shape (n_frames,)
        Ids, -1 where there is no label.
    weights : ndarray of shape (n_frames,)
        What each frame counts; 0 where there is no label.
    """
    is_counted = weights > 0
    wanted, found, weights = (part[is_counted] for part in (wanted, found, weights))
    if len(np.unique(wanted)) < 2:
        return None
    total = weights.sum()
    error = weights[wanted != found].sum() / total
    least = 1 - np.bincount(wanted, weights).max() / total
    if len(np.unique(found)) == 1:
        return "it gives all frames the same label"
    if error > CONSTANT_SHARE * least:
        return (
            f"its error rate is {error:.2f}; giving all frames the same label would "
            f"reach {least:.2f}"
        )
    return None
