"""The prefix beam search in CTC posteriors, plain: one sample, NumPy over its beam.

What it computes is told in `decoders`. `_native/ctc_search.h` is this search compiled,
to the bit; this one runs where there is no compiler, and tests hold the two together.
"""

from typing import NamedTuple

import numpy as np

from skseq._ctc.exponential import exponentials

# Measured on flattened posteriors, where a search has most to choose: from -6 (0.25 %)
# down, the best hypothesis is that of the search without pruning.
MIN_LABEL_LOG_PROB = -6.0

# Frames below the floor in which a label has less than this probability in all cannot
# make it more probable than its absence.
_WEAK_MASS = 0.5

# A share of its mass that a prefix may lose unnoticed, far below the rounding of sums.
_NEGLIGIBLE = 1e-18


class Limits(NamedTuple):
    """What a search leaves out."""

    beam_width: int  # prefixes beyond so many
    floor: float | None  # labels less probable in a frame; None lets each sample choose
    lost: float  # prefixes less probable beside the best of a frame
    rival: float  # hypotheses less probable beside the best


class _Beam(NamedTuple):
    """The prefixes that are held: all arrays (n_held,).

    Masses are scaled by powers of two: they neither underflow nor need logs.
    """

    blank: np.ndarray  # mass of the paths that end in a blank
    label: np.ndarray  # mass of the paths that end in the prefix's last label
    last: np.ndarray  # that label, or -1 where the prefix is empty
    node: np.ndarray  # the prefix's number


class _Prefixes:
    """All prefixes of a search, by number: 0 is empty, the others extend another."""

    def __init__(self):
        self.parents, self.labels, self._numbers = [-1], [-1], {}

    def extend(self, node: int, label: int) -> int:
        """The number of a prefix that a label is appended to."""
        number = self._numbers.setdefault((node, label), len(self.parents))
        if number == len(self.parents):
            self.parents.append(node)
            self.labels.append(label)
        return number

    def read(self, node: int) -> np.ndarray:
        """The labels of a prefix."""
        labels = []
        while node > 0:
            labels.append(self.labels[node])
            node = self.parents[node]
        return np.array(labels[::-1], dtype=np.intp)


def search(log_probs: np.ndarray, limits: Limits) -> list[np.ndarray]:
    """Find the labels of the prefixes that may be the most probable of a sample."""
    frames = log_probs.astype(np.float64)
    if limits.floor is None:
        limits = limits._replace(floor=_choose_floor(frames))
    prefixes = _Prefixes()
    beam = _Beam(np.ones(1), np.zeros(1), np.array([-1]), np.array([0]))
    for frame in frames:
        if frame[:-1].max(initial=-np.inf) >= min(limits.floor, frame[-1]):
            beam = _extend(beam, frame, limits, prefixes)
        elif beam.label.any():
            beam = _wait(beam, frame)
    mass = beam.blank + beam.label
    return [prefixes.read(n) for n in beam.node[mass >= limits.rival * mass.max()]]


def _choose_floor(frames: np.ndarray) -> float:
    """A sample whose weak labels add up over its frames is searched without a floor."""
    labels = frames[:, :-1]
    weak = np.where(labels < MIN_LABEL_LOG_PROB, exponentials(labels), 0.0).sum(axis=0)
    return -np.inf if weak.max(initial=0.0) >= _WEAK_MASS else MIN_LABEL_LOG_PROB


def _wait(beam: _Beam, frame: np.ndarray) -> _Beam:
    """Pass a quiet frame, whose blank is so probable that nothing is appended."""
    blank = beam.blank + beam.label
    label = beam.label * exponentials(frame[beam.last] - frame[-1])
    return beam._replace(
        blank=blank, label=np.where(label < blank * _NEGLIGIBLE, 0.0, label)
    )


def _extend(beam: _Beam, frame, limits: Limits, prefixes: _Prefixes) -> _Beam:
    """Repeat or append a label in a frame, and keep the best prefixes that come out."""
    order = np.argsort(-(beam.blank + beam.label), kind="stable")
    beam = _Beam(*(field[order] for field in beam))
    odds = exponentials(frame - frame.max())
    allowed = frame[:-1] >= min(limits.floor, frame.max())
    scores = np.where(allowed, odds[:-1], 0.0)
    labels = np.argsort(-scores, kind="stable")[: limits.beam_width + 1]
    blank, label, grown = _grow(beam, odds, scores, labels, prefixes)

    ranks = np.concatenate([blank + label, grown.ravel()])
    best = ranks.max()
    alive = np.flatnonzero((ranks > 0) & (ranks >= best * limits.lost))
    order = np.argsort(-ranks[alive], kind="stable")
    kept = np.sort(alive[order[: limits.beam_width]])
    stays = kept[kept < len(blank)]
    slots, columns = np.divmod(kept[len(stays) :] - len(blank), max(len(labels), 1))
    new = [
        prefixes.extend(*pair)
        for pair in zip(
            beam.node[slots].tolist(), labels[columns].tolist(), strict=True
        )
    ]
    scale = np.ldexp(1.0, -np.frexp(best)[1])  # rounds nothing
    return _Beam(
        np.append(blank[stays], np.zeros(len(new))) * scale,
        np.append(label[stays], grown[slots, columns]) * scale,
        np.append(beam.last[stays], labels[columns]),
        np.append(beam.node[stays], np.array(new, dtype=np.intp)),
    )


def _grow(beam: _Beam, odds, scores, labels, prefixes: _Prefixes) -> tuple:
    """Compute the masses after a frame, of the prefixes held and of their extensions.

    An extension that is held itself counts there, and not twice.
    """
    total = beam.blank + beam.label
    label = beam.label * odds[beam.last]
    repeats = labels == beam.last[:, None]  # (n_held, n_labels)
    grown = np.where(repeats, beam.blank[:, None], total[:, None]) * scores[labels]
    places = {node: slot for slot, node in enumerate(beam.node.tolist())}
    parents = [places.get(prefixes.parents[node], -1) for node in beam.node.tolist()]
    children = np.flatnonzero(np.array(parents) >= 0)
    parents, last = np.array(parents)[children], beam.last[children]
    start = np.where(last == beam.last[parents], beam.blank[parents], total[parents])
    label[children] += start * scores[last]
    rows, columns = np.nonzero(labels == last[:, None])
    grown[parents[rows], columns] = 0.0
    return total * odds[-1], label, grown
