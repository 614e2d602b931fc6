"""Two collections of sequences as one, and parts of sequences.

Knows nothing of classes, nor of pairs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skseq._seeding import derive


@dataclass(frozen=True, eq=False)
class Joined:
    """Two collections of sequences as one: those of the second follow the first's."""

    sides: tuple

    @property
    def lengths(self) -> np.ndarray:
        return np.concatenate([side.lengths for side in self.sides])

    @property
    def n_features(self) -> int:
        return self.sides[0].n_features

    def __len__(self):
        return sum(map(len, self.sides))

    def _place(self, i):
        n_first = len(self.sides[0])
        return (self.sides[0], i) if i < n_first else (self.sides[1], i - n_first)

    def __getitem__(self, i):
        side, i = self._place(range(len(self))[i])
        return side[i]

    def read(self, i):
        """What `made` needs of sequence `i`."""
        side, i = self._place(i)
        return side.read(i)

    def made(self, i, read):
        """Sequence `i`, of what `read` gave."""
        side, i = self._place(i)
        return side.made(i, read)

    def part(self, i, read, bounds) -> np.ndarray:
        """A part of sequence `i`, as `part_of` makes it."""
        side, i = self._place(i)
        return part_of(side, i, read, bounds)

    def in_epoch(self, seed, epoch, *, fits=None, **conditions) -> "Joined":
        """The sequences as they are to be trained on, each side drawn on its own."""
        n_first = len(self.sides[0])
        drawn = []
        for k, side in enumerate(self.sides):
            own = {}
            if fits is not None:
                own["fits"] = lambda i, n, k=k: fits(i + k * n_first, n)
            drawn.append(side.in_epoch(derive(seed, k), epoch, **own, **conditions))
        return Joined(tuple(drawn))

    def take(self, rows) -> "Joined":
        """Some of the pairs."""
        return Joined(tuple(side.take(rows) for side in self.sides))

    def fingerprint(self) -> str:
        return "-".join(str(side.fingerprint()) for side in self.sides)


def part_of(
    sequences, i: int, read, bounds: Callable[[int], tuple[int, int]]
) -> np.ndarray:
    """The frames of a part of sequence `i`, of what `read` gave.

    `bounds` tells of a number of frames where the part begins and ends. Sequences that
    augmenters lengthen or shorten are cut before, so that parts share no frame.
    """
    if hasattr(sequences, "part"):
        return sequences.part(i, read, bounds)
    frames = sequences.made(i, read)
    start, end = bounds(len(frames))
    return frames[start:end]
