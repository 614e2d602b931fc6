"""The prefix beam search that is told of a language, plain: one sample, over its beam.

A prefix is ranked by the log of its mass and its log-weight in the language. Where the
language forbids something, mass is left out that cannot come to an allowed end in the
frames that are left, and so whatever is held at the end is allowed.
`_native/ctc_guided_search.h` is this search compiled, to the bit.
"""

from typing import NamedTuple

import numpy as np

from skseq._ctc.masses import Masses, join
from skseq._ctc.search import Limits, Search, choose_floor, weak_masses
from skseq.language._guide import Guide

# A share of its mass that a prefix may lose unnoticed, as a power of two.
_NEGLIGIBLE_POWER = 60


class _Beam(NamedTuple):
    """The prefixes that are held: arrays of first axis n_held."""

    blank: Masses  # of the paths that end in a blank
    label: Masses  # of the paths that end in the prefix's last label
    total: Masses
    log_total: np.ndarray
    weight: np.ndarray  # of the prefix, in the language
    states: np.ndarray  # (n_held, n_automata)
    last: np.ndarray  # its last label, or -1 where the prefix is empty
    node: np.ndarray  # the prefix's number

    @property
    def rank(self) -> np.ndarray:
        return self.log_total + self.weight

    def take(self, index) -> "_Beam":
        return _Beam(
            *(
                field.take(index) if isinstance(field, Masses) else field[index]
                for field in self
            )
        )


class GuidedSearch(Search):
    """A search under way, whose limits `lost` and `rival` are logs.

    `n_left` is the number of frames that are still to come, or infinity.
    """

    def __init__(self, limits: Limits, guide: Guide, n_left: float = np.inf):
        super().__init__(limits)
        self.guide = guide
        one, nothing = Masses.of(np.ones(1)), Masses.of(np.zeros(1))
        beam = _Beam(
            *(one, nothing, one, np.zeros(1), np.zeros(1), guide.start[np.newaxis]),
            *(np.array([-1]), np.array([0])),
        )
        self.beam = beam.take(self._fits_after_blank(beam.states, n_left))

    def read(self, frames: np.ndarray, n_left: float = np.inf) -> None:
        """Go on with more frames, float64, after which `n_left` others come."""
        for place, frame in enumerate(frames, 1):
            self.prefixes.n_frames += 1
            rest = n_left + len(frames) - place
            if not self.is_alive:
                continue
            if frame[:-1].max(initial=-np.inf) >= min(self.limits.floor, frame[-1]):
                self.beam = self._extended(frame, self.limits.floor, rest)
            elif self.beam.label.values.any() or not self._all_fit(rest):
                self.beam = self._waiting(frame, rest)

    def finalists(self) -> list[int]:
        """The prefixes that may be the best, were there no more frames."""
        ranks = self.beam.rank + self.guide.final(self.beam.states)
        best = ranks.max(initial=-np.inf)
        return self.beam.node[ranks >= best + self.limits.rival].tolist()

    def weights(self, nodes) -> np.ndarray:
        """The log-weights in the language of prefixes that are held, with their end."""
        weights = self.beam.weight + self.guide.final(self.beam.states)
        places = {node: place for place, node in enumerate(self.beam.node.tolist())}
        return weights[[places[node] for node in nodes]]

    def least_of_interest(self, log_masses: np.ndarray) -> float:
        """That of the prefix that is held with the least mass: it may be the best."""
        return float(log_masses[self.beam.node].min())

    def best(self) -> int | None:
        """The best prefix, as far as the search knows; None if none is held."""
        if not self.is_alive:
            return None
        ranks = self.beam.rank + self.guide.final(self.beam.states)
        return int(self.beam.node[np.argmax(ranks)])

    def _all_fit(self, n_left: float) -> bool:
        return bool(self._fits_after_blank(self.beam.states, n_left).all())

    def _fits_after_blank(self, states: np.ndarray, n_left: float) -> np.ndarray:
        needed = self.guide.needed
        if needed is None:
            return np.ones(states.shape[:-1], dtype=bool)
        frames = needed.after_blank(states[..., 0])
        return np.isfinite(frames) & (frames <= n_left)

    def _fits_after_label(self, states: np.ndarray, last, n_left: float) -> np.ndarray:
        needed = self.guide.needed
        if needed is None:
            return np.ones(states.shape[:-1], dtype=bool)
        frames = needed.after_label(states[..., 0], last)
        return np.isfinite(frames) & (frames <= n_left)

    def _concluded(self, beam: _Beam, n_left: float) -> _Beam:
        """Without masses of paths that cannot come to an allowed end, added up."""
        blank = beam.blank.where(self._fits_after_blank(beam.states, n_left))
        fits = self._fits_after_label(beam.states, beam.last, n_left)
        label = beam.label.where(fits)
        total = blank.plus(label)
        return beam._replace(
            blank=blank, label=label, total=total, log_total=total.logs()
        )

    def _waiting(self, frame: np.ndarray, n_left: float) -> _Beam:
        """Pass a quiet frame, whose blank is so probable that nothing is appended."""
        beam = self.beam
        odds = Masses.exponentials(frame[beam.last] - frame[-1])
        label = beam.label.times(odds)
        least = beam.total.exponents - _NEGLIGIBLE_POWER
        label = label.where(label.exponents >= least)
        passed = self._concluded(beam._replace(blank=beam.total, label=label), n_left)
        is_held = passed.total.values > 0
        if not is_held.any():
            return self._extended(frame, -np.inf, n_left)
        return passed.take(is_held)

    def _extended(self, frame: np.ndarray, floor: float, n_left: float) -> _Beam:
        """Repeat or append a label in a frame, and keep the best that come out.

        If none can come to an allowed end, labels below the floor are taken, too.
        """
        threshold = min(floor, frame.max())
        log_odds = frame - frame.max()
        allowed = np.flatnonzero((frame[:-1] >= threshold) & (frame[:-1] > -np.inf))
        labels = allowed[np.argsort(-log_odds[allowed], kind="stable")]
        beam = self.beam.take(np.argsort(-self.beam.rank, kind="stable"))
        parents, children = _held_twice(beam, self.prefixes, frame[:-1] >= threshold)
        stays = _staying(beam, Masses.exponentials(log_odds), parents, children)
        stays = self._concluded(stays, n_left)
        grown = self._grown(beam, log_odds, labels, n_left)
        rows, columns = np.nonzero(labels == beam.last[children][:, np.newaxis])
        grown.rank[parents[rows], columns] = -np.inf
        rank_of_stays = np.where(stays.total.values > 0, stays.rank, -np.inf)
        kept = self._best(np.append(rank_of_stays, grown.rank.ravel()))
        if not len(kept) and threshold > -np.inf:
            return self._extended(frame, -np.inf, n_left)
        staying = kept[kept < len(rank_of_stays)]
        moves = np.divmod(
            kept[len(staying) :] - len(rank_of_stays), max(len(labels), 1)
        )
        new = self._new(beam, log_odds, labels, grown, moves)
        return _joined(stays.take(staying), new)

    def _grown(self, beam: _Beam, log_odds, labels, n_left: float) -> "_Grown":
        """What every extension would have, all arrays (n_held, n_labels, ...)."""
        log_blank = beam.blank.logs()[:, np.newaxis]
        repeats = labels == beam.last[:, np.newaxis]
        log_start = np.where(repeats, log_blank, beam.log_total[:, np.newaxis])
        log_mass = log_start + log_odds[labels]
        states, weights = self.guide.step(beam.states[:, np.newaxis], labels)
        weight = beam.weight[:, np.newaxis] + weights
        fits = (weights > -np.inf) & self._fits_after_label(states, labels, n_left)
        return _Grown(
            np.where(fits, log_mass + weight, -np.inf), log_mass, weight, states
        )

    def _best(self, ranks: np.ndarray) -> np.ndarray:
        """The places of the ranks that are kept, in order."""
        least = ranks.max(initial=-np.inf) + self.limits.lost
        alive = np.flatnonzero((ranks > -np.inf) & (ranks >= least))
        order = np.argsort(-ranks[alive], kind="stable")
        return np.sort(alive[order[: self.limits.beam_width]])

    def _new(self, beam: _Beam, log_odds, labels, grown: "_Grown", moves) -> _Beam:
        """The prefixes that extend others."""
        slots, columns = moves
        last = labels[columns]
        repeats = last == beam.last[slots]
        starts = [part.take(slots) for part in (beam.blank, beam.total)]
        start = Masses(*(np.where(repeats, *p) for p in zip(*starts, strict=True)))
        mass = start.times(Masses.exponentials(log_odds[last]))
        pairs = zip(beam.node[slots].tolist(), last.tolist(), strict=True)
        nodes = [self.prefixes.extend(*pair) for pair in pairs]
        return _Beam(
            *(Masses.of(np.zeros(len(nodes))), mass, mass, grown.log_mass[moves]),
            *(grown.weight[moves], grown.states[moves], last),
            np.array(nodes, dtype=np.intp),
        )


class _Grown(NamedTuple):
    """What extensions would have: arrays (n_held, n_labels, ...)."""

    rank: np.ndarray  # minus infinity where it cannot come to an allowed end
    log_mass: np.ndarray
    weight: np.ndarray
    states: np.ndarray


def search(log_probs: np.ndarray, limits: Limits, guide: Guide) -> list[tuple]:
    """Find the prefixes that may be the best of a sample: labels and log-weights."""
    frames = log_probs.astype(np.float64)
    if limits.floor is None:
        limits = limits._replace(floor=choose_floor(weak_masses(frames)))
    under_way = GuidedSearch(limits, guide, len(frames))
    under_way.read(frames, 0)
    nodes = under_way.finalists()
    weights = under_way.weights(nodes).tolist()
    labels = map(under_way.prefixes.read, nodes)
    return list(zip(labels, weights, strict=True))


def _held_twice(beam: _Beam, prefixes, allowed) -> tuple[np.ndarray, np.ndarray]:
    """Slots of prefixes that grow to others that are held, and the slots of these."""
    places = {node: slot for slot, node in enumerate(beam.node.tolist())}
    parents = [places.get(prefixes.parents[node], -1) for node in beam.node.tolist()]
    parents = np.array(parents, dtype=np.intp)
    children = np.flatnonzero(parents >= 0)
    children = children[allowed[beam.last[children]]]
    return parents[children], children


def _staying(beam: _Beam, odds: Masses, parents, children) -> _Beam:
    """The prefixes that are held, with what others bring that grow to them."""
    label = beam.label.times(odds.take(beam.last))
    last = beam.last[children]
    repeats = last == beam.last[parents]
    starts = [part.take(parents) for part in (beam.blank, beam.total)]
    start = Masses(*(np.where(repeats, *pair) for pair in zip(*starts, strict=True)))
    more = label.take(children).plus(start.times(odds.take(last)))
    for part, values in zip(label, more, strict=True):
        part[children] = values
    return beam._replace(blank=beam.total.times(odds.take(-1)), label=label)


def _joined(first: _Beam, second: _Beam) -> _Beam:
    return _Beam(
        *(
            join(*pair) if isinstance(pair[0], Masses) else np.concatenate(pair)
            for pair in zip(first, second, strict=True)
        )
    )
