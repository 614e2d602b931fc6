"""The prefix beam search in CTC posteriors, plain: one sample, NumPy over its beam.

What it computes is told in `decoders`. `_native/ctc_search.h` is this search compiled,
to the bit; this one runs where there is no compiler, and where frames come piece by
piece (`running`), and tests hold the two together.
"""

import copy
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
NEGLIGIBLE = 1e-18


class Limits(NamedTuple):
    """What a search leaves out; one with a guide has the last two in logs."""

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


class Prefixes:
    """All prefixes of a search, by number: 0 is where all begin, others extend one.

    A prefix has a higher number than the one it extends.
    """

    def __init__(self):
        self.parents, self.labels, self.births, self._numbers = [-1], [-1], [0], {}
        self.n_frames = 0  # that were read
        self.n_needed = 1  # when they were reduced last

    def extend(self, node: int, label: int) -> int:
        """The number of a prefix that a label is appended to."""
        number = self._numbers.setdefault((node, label), len(self.parents))
        if number == len(self.parents):
            self.parents.append(node)
            self.labels.append(label)
            self.births.append(self.n_frames)
        return number

    def read(self, node: int, start: int = 0) -> np.ndarray:
        """The labels of a prefix, after those of one that it extends."""
        labels = []
        while node != start:
            labels.append(self.labels[node])
            node = self.parents[node]
        return np.array(labels[::-1], dtype=np.intp)

    def shared(self, nodes) -> int:
        """The longest prefix of all of these."""
        left = set(nodes)
        while len(left) > 1:
            last = max(left)
            left.remove(last)
            left.add(self.parents[last])
        return left.pop()

    def copy(self) -> "Prefixes":
        """Prefixes that can be extended by themselves."""
        copied = copy.copy(self)
        for name in ("parents", "labels", "births", "_numbers"):
            setattr(copied, name, getattr(self, name).copy())
        return copied

    def reduced(self, nodes, root: int) -> tuple["Prefixes", np.ndarray]:
        """Only what these extend, from one on that becomes 0, with the old numbers."""
        needed = {root}
        for node in nodes:
            while node not in needed:
                needed.add(node)
                node = self.parents[node]
        kept = sorted(needed)
        places = {node: place for place, node in enumerate(kept)}
        reduced = Prefixes()
        reduced.n_frames, reduced.n_needed = self.n_frames, len(kept)
        reduced.labels = [self.labels[node] for node in kept]
        reduced.births = [self.births[node] for node in kept]
        reduced.parents[1:] = [places[self.parents[node]] for node in kept[1:]]
        pairs = zip(reduced.parents, reduced.labels, strict=True)
        reduced._numbers = {pair: place for place, pair in enumerate(pairs) if place}
        return reduced, np.array(kept)


class Search:
    """A search under way: the prefixes that are held after some frames."""

    def __init__(self, limits: Limits):
        self.limits, self.prefixes = limits, Prefixes()
        self.beam = _Beam(np.ones(1), np.zeros(1), np.array([-1]), np.array([0]))

    def read(self, frames: np.ndarray, n_left: float = np.inf) -> None:
        """Go on with more frames, float64, however many are left."""
        limits = self.limits
        for frame in frames:
            self.prefixes.n_frames += 1
            if frame[:-1].max(initial=-np.inf) >= min(limits.floor, frame[-1]):
                self.beam = _extend(self.beam, frame, limits, self.prefixes)
            elif self.beam.label.any():
                self.beam = _wait(self.beam, frame)

    @property
    def is_alive(self) -> bool:
        """Whether a prefix is held."""
        return len(self.beam.node) > 0

    def finalists(self) -> list[int]:
        """The prefixes that may be the most probable, were there no more frames."""
        mass = self.beam.blank + self.beam.label
        return self.beam.node[mass >= self.limits.rival * mass.max()].tolist()

    def weights(self, nodes) -> np.ndarray:
        """The log-weights of prefixes in a language: none is known."""
        return np.zeros(len(nodes))

    def least_of_interest(self, log_masses: np.ndarray) -> float:
        """Of the log-masses of all prefixes, one beside which others are negligible."""
        return float(log_masses.max())

    def best(self) -> int:
        """The most probable prefix, as far as the search knows."""
        return int(self.beam.node[np.argmax(self.beam.blank + self.beam.label)])

    def shared(self) -> int:
        """The longest prefix of all that are held, and so of all that will be."""
        return self.prefixes.shared(self.beam.node.tolist())

    def copy(self) -> "Search":
        """A search that can go on by itself."""
        copied = copy.copy(self)
        copied.prefixes = self.prefixes.copy()
        return copied

    def reduced(self, root: int) -> tuple["Search", np.ndarray]:
        """The search with what it needs of its prefixes, and their old numbers."""
        copied = copy.copy(self)
        copied.prefixes, kept = self.prefixes.reduced(self.beam.node.tolist(), root)
        nodes = np.searchsorted(kept, self.beam.node)
        copied.beam = self.beam._replace(node=nodes)
        return copied, kept


def search(log_probs: np.ndarray, limits: Limits) -> list[np.ndarray]:
    """Find the labels of the prefixes that may be the most probable of a sample."""
    frames = log_probs.astype(np.float64)
    if limits.floor is None:
        limits = limits._replace(floor=choose_floor(weak_masses(frames)))
    under_way = Search(limits)
    under_way.read(frames)
    return [under_way.prefixes.read(node) for node in under_way.finalists()]


def weak_masses(frames: np.ndarray, before: float | np.ndarray = 0.0) -> np.ndarray:
    """What each label has in all in the frames where it is below the floor."""
    labels = frames[:, :-1]
    weak = np.where(labels < MIN_LABEL_LOG_PROB, exponentials(labels), 0.0)
    return sum(weak, np.broadcast_to(before, labels.shape[1]))


def choose_floor(weak: np.ndarray) -> float:
    """A sample whose weak labels add up over its frames is searched without a floor."""
    return -np.inf if weak.max(initial=0.0) >= _WEAK_MASS else MIN_LABEL_LOG_PROB


def _wait(beam: _Beam, frame: np.ndarray) -> _Beam:
    """Pass a quiet frame, whose blank is so probable that nothing is appended."""
    blank = beam.blank + beam.label
    label = beam.label * exponentials(frame[beam.last] - frame[-1])
    return beam._replace(
        blank=blank, label=np.where(label < blank * NEGLIGIBLE, 0.0, label)
    )


def _extend(beam: _Beam, frame, limits: Limits, prefixes: Prefixes) -> _Beam:
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


def _grow(beam: _Beam, odds, scores, labels, prefixes: Prefixes) -> tuple:
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
