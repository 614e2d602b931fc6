"""Decoders of one sequence whose log-posteriors come piece by piece.

Each is a frozen record of what was read. `after(log_probs)` gives the next one and the
label ids that are settled by then: those that every outcome will begin with. For the
posteriors that would follow if the sequence ended here, `guess(log_probs)` and
`outcome(log_probs)` give the label ids after the settled ones: as soon as possible, and
as the decoder of a whole batch gives them. `n_settled` is the number of output frames
that the settled labels were read from. Knows nothing of alphabets and networks, and of
a language only what a guide tells.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import log_softmax

from skseq._ctc.decoders import automatic_floor, best_limits, check_width, rank
from skseq._ctc.guided_search import GuidedSearch
from skseq._ctc.lattice import OneLabelMasses, log_likelihood
from skseq._ctc.search import (
    MIN_LABEL_LOG_PROB,
    NEGLIGIBLE,
    Search,
    choose_floor,
    weak_masses,
)
from skseq.language._guide import Guide

# Output frames whose posteriors a beam search keeps, to score its finalists again; of
# those before, it keeps the masses of prefixes. Twice as many are kept at times.
N_KEPT = 1024

# The most output frames that are held back for an end that a language asks for.
MOST_HELD_BACK = 1000

# More prefixes than a search needs are dropped when they are so many.
_N_UNNEEDED = 512

NOTHING = np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class Greedy:
    """Collapses the most probable path; all that was read is settled."""

    last: int = -1  # what leads the last frame
    n_settled: int = 0

    @property
    def n_frames(self) -> int:
        return self.n_settled

    def after(self, log_probs: np.ndarray) -> tuple["Greedy", np.ndarray]:
        if not len(log_probs):
            return self, NOTHING
        path = log_probs.argmax(axis=1)
        is_new = path != np.append(self.last, path[:-1])
        labels = path[is_new & (path != log_probs.shape[1] - 1)]
        return Greedy(int(path[-1]), self.n_settled + len(path)), labels

    def outcome(self, log_probs: np.ndarray) -> np.ndarray:
        return self.after(log_probs)[1]

    guess = outcome


@dataclass(frozen=True)
class OneLabel:
    """Adds up the paths of each label alone; nothing is settled before the end."""

    masses: OneLabelMasses
    n_frames: int = 0
    n_settled = 0

    def after(self, log_probs: np.ndarray) -> tuple["OneLabel", np.ndarray]:
        n_frames = self.n_frames + len(log_probs)
        return OneLabel(self.masses.after(log_probs), n_frames), NOTHING

    def outcome(self, log_probs: np.ndarray) -> np.ndarray:
        ended, _ = self.after(log_probs)
        if not ended.n_frames:
            return NOTHING
        return log_softmax(ended.masses.log_likelihoods()[np.newaxis], axis=1).argmax(1)

    guess = outcome


@dataclass(frozen=True)
class _Branch:
    """A search for one floor, with what scores its finalists again.

    Masses are logs of all paths of each prefix, by number, before the kept frames: of
    the paths that end in a blank, and of those that end in a label. Prefixes that came
    later have none.
    """

    search: Search
    masses: np.ndarray = field(default_factory=lambda: np.array([[0.0], [-np.inf]]))
    settled: int = 0  # the prefix that all share
    ahead: np.ndarray = field(
        default_factory=lambda: NOTHING
    )  # its last labels, which are not reported yet

    def after(self, frames: np.ndarray, n_left: float) -> "_Branch":
        search = self.search.copy()
        search.read(frames, n_left)
        settled = search.shared() if search.is_alive else self.settled
        new = search.prefixes.read(settled, self.settled)
        ahead = np.concatenate([self.ahead, new])
        return replace(self, search=search, settled=settled, ahead=ahead)

    def reporting(self, n_labels: int) -> "_Branch":
        """The branch after its first labels ahead are reported."""
        return replace(self, ahead=self.ahead[n_labels:])

    def labels(self, node: int) -> np.ndarray:
        """The labels of a prefix that are not reported yet."""
        new = self.search.prefixes.read(node, self.settled)
        return np.concatenate([self.ahead, new])

    def n_settled(self) -> int:
        """Output frames up to the one in which the reported labels were all held."""
        node, prefixes = self.settled, self.search.prefixes
        for _ in self.ahead:
            if node == 0:  # the prefix is known no more
                return 0
            node = prefixes.parents[node]
        return prefixes.births[node]

    def has_unneeded(self) -> bool:
        """Whether most of the prefixes may be unneeded."""
        prefixes = self.search.prefixes
        if not self.search.is_alive:
            return False
        return len(prefixes.parents) > 2 * prefixes.n_needed + _N_UNNEEDED

    def reduced(self, root: int = 0) -> "_Branch":
        """The branch without prefixes that it does not need."""
        search, kept = self.search.reduced(root)
        masses = _filled(self.masses, kept.max() + 1)[:, kept]
        settled = int(np.searchsorted(kept, self.settled))
        return replace(self, search=search, masses=masses, settled=settled)

    def forgetting(self, frames: np.ndarray) -> "_Branch":
        """The branch whose masses have moved on by the first of the kept frames."""
        if not self.search.is_alive:
            return self
        branch = self.reduced()
        prefixes = branch.search.prefixes
        branch = replace(branch, masses=branch.masses_after(frames))
        totals = np.logaddexp(*branch.masses)
        held = set(branch.search.beam.node.tolist())
        most = branch.search.least_of_interest(totals)
        root, least = 0, most + np.log(NEGLIGIBLE)
        while totals[root] < least and root not in held:
            children = [n for n, p in enumerate(prefixes.parents) if p == root]
            if len(children) > 1:
                break
            root = children[0]
        return branch.reduced(root)

    def masses_after(self, frames: np.ndarray) -> np.ndarray:
        """The masses of all prefixes after the kept frames."""
        prefixes = self.search.prefixes
        labels, parents = np.array(prefixes.labels), np.array(prefixes.parents)
        repeats = labels == labels[parents]
        blank, label = _filled(self.masses, len(labels))
        for frame in frames:
            total = np.logaddexp(blank, label)
            entering = np.where(repeats, blank[parents], total[parents])
            entering[0] = -np.inf
            label = np.logaddexp(entering, label) + frame[labels]
            blank = total + frame[-1]
        return np.stack([blank, label])


def _filled(masses: np.ndarray, n_prefixes: int) -> np.ndarray:
    n_more = max(0, n_prefixes - masses.shape[1])
    return np.pad(masses, ((0, 0), (0, n_more)), constant_values=-np.inf)


@dataclass(frozen=True)
class Beam:
    """Continues a beam search; where it may still choose a floor, one search for each.

    Finalists are scored again by the posteriors of the frames that are kept and, of
    those before, by the masses of their prefixes. Where a language forbids something, a
    search has to know how many frames are left once these are few: so many of the last
    are held back, and read when the end is asked for.
    """

    branches: tuple[_Branch, ...]
    weak: np.ndarray | None  # of each label, where there are two branches
    kept: tuple[np.ndarray, ...] = ()
    n_read: int = 0
    n_settled: int = 0
    n_held_back: int = 0  # at the most
    held_back: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        n_classes: int,
        beam_width: int,
        floor: float | None,
        guide: Guide | None = None,
    ) -> "Beam":
        """A search before its first frame."""
        check_width(beam_width, np.array([N_KEPT]), n_classes + 1, guide)
        floor = automatic_floor(floor, 1, guide)
        limits = best_limits(beam_width, floor, guide)
        if guide is not None:
            _check_held_back(guide)
        floors = (MIN_LABEL_LOG_PROB, -np.inf) if floor is None else (floor,)
        limits_of_branches = [limits._replace(floor=floor) for floor in floors]
        searches = [
            Search(limits) if guide is None else GuidedSearch(limits, guide)
            for limits in limits_of_branches
        ]
        return cls(
            tuple(map(_Branch, searches)),
            np.zeros(n_classes) if floor is None else None,
            n_held_back=0 if guide is None else guide.most_needed,
        )

    @property
    def n_frames(self) -> int:
        """Output frames that came."""
        return self.n_read + (0 if self.held_back is None else len(self.held_back))

    @np.errstate(under="ignore")
    def after(self, log_probs: np.ndarray) -> tuple["Beam", np.ndarray]:
        ready, held_back = self._divided(log_probs)
        if not len(ready):
            return replace(self, held_back=held_back), NOTHING
        read = replace(self, held_back=held_back)._read(ready)
        n_shared = _n_shared([branch.ahead for branch in read.branches])
        labels = read.branches[0].ahead[:n_shared]
        branches = tuple(branch.reporting(n_shared) for branch in read.branches)
        n_settled = min(branch.n_settled() for branch in branches)
        read = replace(
            read, branches=branches, n_settled=max(self.n_settled, n_settled)
        )
        return read._tidied(), labels

    def _divided(self, log_probs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Frames to read now, and those to hold back."""
        if not self.n_held_back:
            return log_probs, None
        if self.held_back is not None:
            log_probs = np.concatenate([self.held_back, log_probs])
        n_ready = max(0, len(log_probs) - self.n_held_back)
        return log_probs[:n_ready], log_probs[n_ready:].copy()

    def _read(self, log_probs: np.ndarray, n_left: float = np.inf) -> "Beam":
        """The search after more frames, with only those branches that may be taken."""
        frames, weak, branches = log_probs.astype(np.float64), self.weak, self.branches
        if weak is not None:
            weak = weak_masses(frames, weak)
            if choose_floor(weak) == -np.inf:
                weak, branches = None, branches[1:]
        return replace(
            self,
            branches=tuple(branch.after(frames, n_left) for branch in branches),
            weak=weak,
            kept=(*self.kept, log_probs),
            n_read=self.n_read + len(log_probs),
        )

    def _tidied(self) -> "Beam":
        """The search without frames and prefixes that it can do without."""
        branches, kept = self.branches, self.kept
        n_kept = sum(map(len, kept))
        if n_kept > 2 * N_KEPT:
            frames = np.concatenate(kept)
            first = frames[: n_kept - N_KEPT].astype(np.float64)
            branches = tuple(branch.forgetting(first) for branch in branches)
            kept = (frames[n_kept - N_KEPT :].copy(),)
        branches = tuple(
            branch.reduced() if branch.has_unneeded() else branch for branch in branches
        )
        return replace(self, branches=branches, kept=kept)

    @np.errstate(under="ignore")
    def guess(self, log_probs: np.ndarray) -> np.ndarray:
        found = self._ended(log_probs, lambda ended, branch: branch.search.best())
        return NOTHING if found is None else found

    @np.errstate(under="ignore")
    def outcome(self, log_probs: np.ndarray) -> np.ndarray | None:
        """Also None, where nothing that a guide allows fits into the frames."""
        return self._ended(log_probs, Beam._winner)

    def _ended(self, log_probs: np.ndarray, choose: Callable) -> np.ndarray | None:
        """The labels of the prefix that is chosen, if these frames are the last."""
        if self.held_back is not None:
            log_probs = np.concatenate([self.held_back, log_probs])
        chosen = self.branches[0]
        if self.weak is not None:
            weak = weak_masses(log_probs.astype(np.float64), self.weak)
            chosen = self.branches[choose_floor(weak) == -np.inf]
        ended = replace(self, branches=(chosen,), weak=None, held_back=None)
        if len(log_probs) or not self.n_read:
            ended = ended._read(log_probs, n_left=0)
        branch = ended.branches[0]
        node = choose(ended, branch)
        return None if node is None else branch.labels(node)

    def _winner(self, branch: _Branch) -> int | None:
        """The finalist of the highest exact score; None where nothing is allowed."""
        nodes, prefixes = branch.search.finalists(), branch.search.prefixes
        if len(nodes) <= 1:
            return nodes[0] if nodes else None
        frames = np.concatenate(self.kept)
        labels = [prefixes.read(node) for node in nodes]
        if len(frames) == self.n_read:  # of all that was read
            lengths, samples = np.array([len(frames)]), np.zeros(len(nodes), np.intp)
            scores = log_likelihood(frames[None], lengths, labels, samples=samples)
        else:
            scores = np.logaddexp(*branch.masses_after(frames.astype(np.float64)))[
                nodes
            ]
        weights = branch.search.weights(nodes).tolist()
        ranks = list(map(rank, zip(labels, scores.tolist(), weights, strict=True)))
        return nodes[ranks.index(min(ranks))]


def _check_held_back(guide: Guide) -> None:
    if guide.most_needed > MOST_HELD_BACK:
        raise ValueError(
            "A stream holds back as many frames as the longest way to an allowed end "
            f"takes, at most {MOST_HELD_BACK:,}. The lexicon or pattern asks for "
            f"{guide.most_needed:,}. Shorten what it asks for, or use predict."
        )


def _n_shared(rows: list[np.ndarray]) -> int:
    """How many labels all rows begin with."""
    first, last = rows[0], rows[-1]
    n = min(len(first), len(last))
    differs = np.flatnonzero(first[:n] != last[:n])
    return int(differs[0]) if len(differs) else n
