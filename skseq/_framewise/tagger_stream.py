"""Settles the labels of a stream where they depend on each other (online Viterbi).

The best label sequences to each label of the last frame are followed; what all of them
have in common is settled, whatever comes later.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from skseq._framewise.chain import ChainWeights


@dataclass(frozen=True)
class ChainDecoder:
    """What was read of a sequence, as a `FrameDecoder`.

    Attributes
    ----------
    weights : ChainWeights
    is_crf : bool
        Whether scores are those of a chain; otherwise they are logits.
    best : ndarray of shape (n_classes,) or None
        The score of the best label sequence to each label of the last frame; None
        before the first frame.
    came_from : ndarray of shape (n_open, n_classes)
        By frame that is not settled, the label before each label on the best sequence
        to it.
    """

    weights: ChainWeights
    is_crf: bool
    best: np.ndarray | None = None
    came_from: np.ndarray | None = None

    def after(self, rows: np.ndarray) -> tuple["ChainDecoder", np.ndarray]:
        """The decoder after more rows, and the labels that are settled by then."""
        read = self._read(rows)
        if read.best is None:
            return read, np.empty(0, dtype=np.int64)
        alive = np.flatnonzero(read.best > -np.inf)
        common, n_open = alive, len(read.came_from)
        for t in reversed(range(n_open)):
            if len(common) == 1:
                settled = read._traced(int(common[0]), t)
                return replace(read, came_from=read.came_from[t + 1 :]), settled
            common = np.unique(read.came_from[t, common])
        return read, np.empty(0, dtype=np.int64)

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """All labels after the settled ones, if the sequence ends with these rows."""
        read = self._read(rows)
        if read.best is None:
            return np.empty(0, dtype=np.int64)
        last = int((read.best + self.weights.ends).argmax())
        return read._traced(last, len(read.came_from) - 1)

    def _read(self, rows: np.ndarray) -> "ChainDecoder":
        """The decoder after more rows, with nothing settled."""
        scores = rows.astype(np.float64)
        if not self.is_crf:
            scores = log_softmax(scores, axis=-1)
        best, found = self.best, []
        to_each = self.weights.pairs.T
        for frame in scores:
            if best is None:
                best, came_from = self.weights.starts, np.zeros(len(frame), np.int64)
            else:
                arrivals = best + to_each
                came_from = arrivals.argmax(axis=1)
                best = arrivals.max(axis=1)
            best = best + frame
            found.append(came_from)
        kept = [] if self.came_from is None else [self.came_from]
        if found:
            kept.append(np.stack(found))
        came_from = np.concatenate(kept) if kept else None
        return replace(self, best=best, came_from=came_from)

    def _traced(self, label: int, t: int) -> np.ndarray:
        """The labels of the open frames up to a frame, which has this label."""
        labels = []
        for came_from in self.came_from[: t + 1][::-1]:
            labels.append(label)
            label = int(came_from[label])
        return np.array(labels[::-1], dtype=np.int64)
