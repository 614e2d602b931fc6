"""Draws batches: so many classes, so many sequences of each, or parts of them.

All is a function of a generator. Knows nothing of frames, only of how many there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from skseq._data.batching import fits_training
from skseq._warnings import warn

# What "auto" stands for.
CLASSES_PER_BATCH = 64
FEWEST_STEPS = 24

# The longest part is this share of a sequence, or so many frames if that is more; the
# shortest is half as long.
SHARE = 1 / 15
FRAMES = 100


@dataclass(frozen=True)
class Rows:
    """Sequences, or parts of them.

    Attributes
    ----------
    rows : ndarray of int of shape (n_rows,)
        Which sequence each belongs to.
    parts, n_parts : ndarray of int of shape (n_rows,)
        Which of how many parts of it, in the order of time. They share no frame.
    shifts : ndarray of float of shape (n_rows,)
        Where a part begins in what the parts leave free, from 0 to 1; it rises over the
        parts of a sequence.
    wanted : ndarray of int of shape (n_rows,)
        Frames of a part; 0 stands for as many as there can be.
    """

    rows: np.ndarray
    parts: np.ndarray
    n_parts: np.ndarray
    shifts: np.ndarray
    wanted: np.ndarray

    @classmethod
    def joined(cls, batches: "list[Rows]") -> "Rows":
        """All batches, one after another."""
        return cls(
            *(
                np.concatenate([getattr(b, f.name) for b in batches])
                for f in fields(cls)
            )
        )

    def sizes(self, lengths: np.ndarray) -> np.ndarray:
        """Frames of each part of sequences of these lengths."""
        most = lengths // self.n_parts
        return np.where(self.wanted > 0, np.minimum(self.wanted, most), most)

    def bounds(self, i: int, length: int) -> tuple[int, int]:
        """Where a part of a sequence of this length begins and ends."""
        n_parts, wanted = int(self.n_parts[i]), int(self.wanted[i])
        size = min(wanted or length, length // n_parts)
        free = length - n_parts * size
        start = min(int(self.shifts[i] * (free + 1)), free) + int(self.parts[i]) * size
        return start, start + size


def whole(rows: np.ndarray) -> Rows:
    """Sequences as they are."""
    n_rows = len(rows)
    none, one = np.zeros(n_rows, np.int64), np.ones(n_rows, np.int64)
    return Rows(np.asarray(rows), none, one, np.zeros(n_rows), none)


@dataclass(frozen=True)
class Drawing:
    """How batches are drawn.

    Attributes
    ----------
    n_classes : int or "auto"
        Classes per batch.
    n_samples : int
        Sequences, or parts, per class.
    n_steps : int or "auto"
        Batches per epoch.
    crop : "auto", None or (low, high)
        How long parts are, in frames.
    """

    n_classes: int | str
    n_samples: int
    n_steps: int | str
    crop: str | tuple[int, int] | None

    def classes_per_batch(self, n_there: int) -> int:
        """Classes of a batch, of so many."""
        wanted = CLASSES_PER_BATCH if self.n_classes == "auto" else int(self.n_classes)
        return min(wanted, n_there)

    def warn_of_few(self, n_there: int) -> None:
        """Warn where the user asked for more classes than there are."""
        if self.n_classes != "auto" and n_there < int(self.n_classes):
            warn(
                f"classes_per_batch={self.n_classes} is more than the {n_there} "
                "classes to train on: each batch has all of them. Lower it, or set it "
                "to 'auto'."
            )

    def check_crop(self, least: int) -> None:
        """Refuse parts of which nothing is left once their mean is removed."""
        if self.crop not in ("auto", None) and self.crop[1] < least:
            raise ValueError(
                f"crop={self.crop} makes parts of one frame, of which center=True "
                "leaves zeros: nothing can be learnt of them. Set crop to longer "
                "parts, such as (50, 100), or center=False."
            )

    def pairs_per_batch(self, n_there: int) -> int:
        """Pairs of a batch, of so many: as many sequences as classes would give."""
        wanted = CLASSES_PER_BATCH if self.n_classes == "auto" else int(self.n_classes)
        return max(1, min(wanted * int(self.n_samples) // 2, n_there))

    def steps(self, n_rows: int, per_batch: int) -> int:
        """Batches of an epoch: so many that they hold as many rows as there are."""
        if self.n_steps != "auto":
            return int(self.n_steps)
        return max(FEWEST_STEPS, -(-n_rows // per_batch))

    def of_classes(self, ids, lengths, least, rng) -> list[Rows]:
        """The batches of an epoch.

        Parameters
        ----------
        ids, lengths : ndarray of int of shape (n_samples,)
            The class of each sequence, and its frames.
        least : int
            Frames of the shortest part.
        rng : numpy.random.Generator
        """
        labels, places = np.unique(ids, return_inverse=True)
        members = np.split(
            np.argsort(places, kind="stable"), np.cumsum(np.bincount(places))[:-1]
        )
        per_batch = self.classes_per_batch(len(labels))
        n_steps = self.steps(len(ids), per_batch * int(self.n_samples))
        sizes = self._sizes(lengths[np.concatenate(self._cut(members))], least)
        batches = []
        for classes in _in_turn(len(labels), per_batch, n_steps, rng):
            size = int(rng.integers(sizes[0], sizes[1] + 1))
            drawn = [self._of_class(members[c], lengths, least, rng) for c in classes]
            batches += self._within_budget(drawn, size, lengths)
        return batches

    def of_pairs(self, lengths, least, rng) -> list[Rows]:
        """The batches of an epoch; each pair has two rows, one after the other."""
        per_batch = self.pairs_per_batch(len(lengths))
        n_steps = self.steps(len(lengths), per_batch)
        sizes = self._sizes(lengths[:0], least)
        batches = []
        for pairs in _in_turn(len(lengths), per_batch, n_steps, rng):
            size = int(rng.integers(sizes[0], sizes[1] + 1))
            drawn = [_parts_of([int(pair)], rng) for pair in pairs for _ in range(2)]
            drawn = [Rows.joined(drawn[i : i + 2]) for i in range(0, len(drawn), 2)]
            batches += self._within_budget(drawn, size, lengths)
        return batches

    def _cut(self, members: list) -> list:
        """Members of the classes whose sequences "auto" cuts into parts."""
        few = [own for own in members if len(own) < self.n_samples]
        return [np.empty(0, np.int64), *few]

    def _sizes(self, lengths: np.ndarray, least: int) -> tuple[int, int]:
        """The bounds of the frames of a part; those of "auto" are of these lengths."""
        if self.crop is None or (self.crop == "auto" and not len(lengths)):
            return 0, 0
        if self.crop != "auto":
            return tuple(max(least, int(bound)) for bound in self.crop)
        median = int(np.median(lengths))
        high = min(median // 2, max(int(SHARE * median), FRAMES))
        return max(least, high // 2), max(least, high)

    def _of_class(self, members, lengths, least, rng) -> Rows:
        """So many rows of a class, of different sequences while there are any."""
        chosen = rng.permutation(members)[: self.n_samples].tolist()
        if self.crop is None:
            return _parts_of(chosen, rng)
        room = {row: max(1, int(lengths[row]) // least) - 1 for row in chosen}
        while len(chosen) < self.n_samples and any(room.values()):
            for row in [row for row in room if room[row]]:
                if len(chosen) < self.n_samples:
                    chosen.append(row)
                    room[row] -= 1
        return _parts_of(chosen, rng)

    def _within_budget(self, drawn: list[Rows], size, lengths) -> Iterator[Rows]:
        """One batch, or several of fewer classes where one would be too large."""
        batch = self._sized(Rows.joined(drawn), size)
        longest = int(batch.sizes(lengths[batch.rows]).max())
        if len(drawn) < 4 or fits_training(len(batch.rows), longest):
            yield batch
            return
        half = len(drawn) // 2
        for part in (drawn[:half], drawn[half:]):
            yield from self._within_budget(part, size, lengths)

    def _sized(self, rows: Rows, size: int) -> Rows:
        """Rows under a number of frames; "auto" leaves whole sequences whole."""
        is_cut = rows.n_parts > (1 if self.crop == "auto" else 0)
        wanted = np.where(is_cut, size, 0)
        return Rows(rows.rows, rows.parts, rows.n_parts, rows.shifts, wanted)


def _in_turn(n_things: int, per_batch: int, n_steps: int, rng) -> Iterator[np.ndarray]:
    """Distinct things for each batch; all come equally often, as far as they can."""
    waiting = np.empty(0, np.int64)
    for _ in range(n_steps):
        if len(waiting) < per_batch:
            fresh = rng.permutation(n_things)
            late = np.isin(fresh, waiting)
            waiting = np.concatenate([waiting, fresh[~late], fresh[late]])
        yield waiting[:per_batch]
        waiting = waiting[per_batch:]


def _parts_of(chosen: list[int], rng) -> Rows:
    """One row for each entry; a sequence that comes more than once gives parts."""
    rows = np.array(chosen, dtype=np.int64)
    shifts, parts = rng.random(len(rows)), np.zeros(len(rows), np.int64)
    n_parts = np.ones(len(rows), np.int64)
    for row in set(chosen):
        own = np.flatnonzero(rows == row)
        parts[own], n_parts[own] = np.arange(len(own)), len(own)
        shifts[own] = np.sort(shifts[own])
    return Rows(rows, parts, n_parts, shifts, np.zeros(len(rows), np.int64))
