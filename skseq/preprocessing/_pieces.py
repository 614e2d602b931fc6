"""A sequence that passes a transformer piece by piece.

A stage is a frozen record of what a transformer still needs of the frames that came:
`push(frames)` gives the next stage and the frames that are complete, and `end()` those
that are left if no more come. Neither changes the stage, so that a piece that is
refused leaves no trace. However a sequence is cut, the results are those of all of it,
to the bit. A stage with `check_end()` may refuse, or warn, that a sequence ends.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from skseq._wording import counted
from skseq.preprocessing._transformer import float_type


@dataclass(frozen=True)
class Stages:
    """Stages in a row."""

    stages: tuple

    @property
    def hop(self) -> int:
        """Frames that come, from one that is given to the next."""
        return math.prod(getattr(stage, "hop", 1) for stage in self.stages)

    def push(self, frames: np.ndarray) -> tuple["Stages", np.ndarray]:
        stages = []
        for stage in self.stages:
            stage, frames = stage.push(frames)
            stages.append(stage)
        return replace(self, stages=tuple(stages)), frames

    def end(self) -> np.ndarray:
        frames = np.empty((0, 0))
        for stage in self.stages:
            frames = last_of(stage, frames)
        return frames

    def check_end(self) -> None:
        """Refuse that the sequence ends, or warn, where a stage does."""
        for stage in self.stages:
            if hasattr(stage, "check_end"):
                stage.check_end()


def last_of(stage, frames: np.ndarray) -> np.ndarray:
    """What a stage would give if these frames, maybe none, were the last that come."""
    given = []
    if len(frames):
        stage, begun = stage.push(frames)
        given.append(begun)
    given.append(stage.end())
    return np.concatenate([part for part in given if len(part)] or given[:1])


@dataclass(frozen=True)
class Changes:
    """Differences of frames, of one order or more."""

    order: int
    keep_first: bool
    n_frames: int = 0
    last: np.ndarray | None = None  # (order, n_features), zeros before the first frame

    def push(self, frames: np.ndarray) -> tuple["Changes", np.ndarray]:
        frames = frames.astype(float_type(frames))  # unsigned integers would wrap
        if not len(frames):
            return self, frames
        last = self.last
        if last is None:
            last = np.zeros((self.order, frames.shape[1]), frames.dtype)
        together = np.concatenate([last, frames])
        changes = np.diff(together, self.order, axis=0)
        if not self.keep_first:
            changes = changes[max(0, self.order - self.n_frames) :]
        n_frames = self.n_frames + len(frames)
        last = together[len(frames) :].copy()
        return replace(self, n_frames=n_frames, last=last), changes

    def end(self) -> np.ndarray:
        return np.empty((0, 0))

    def check_end(self) -> None:
        """Refuse a sequence that has no change between frames."""
        if not self.keep_first and self.n_frames <= self.order:
            raise ValueError(
                f"{counted(self.n_frames, 'frame')} are too few for a difference of "
                f"order={self.order}, which needs at least {self.order + 1}. Push "
                "more, or fit with keep_first=True."
            )
