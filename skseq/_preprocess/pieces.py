"""The steps of `preprocess`, for a sequence that comes piece by piece."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skseq._preprocess.chain import Chain, checked_frames
from skseq._preprocess.plain import CLASSES
from skseq._preprocess.steps import name_of
from skseq.preprocessing import SequenceNormalizer
from skseq.preprocessing._pieces import Stages
from skseq.preprocessing._transformer import SequenceTransformer


@dataclass(frozen=True)
class _Passed:
    """A step, and what it still needs of the frames that came."""

    step: Any
    stage: Any
    n_frames: int = 0  # that came

    @property
    def hop(self) -> int:
        return getattr(self.stage, "hop", 1)

    def push(self, frames: np.ndarray) -> tuple["_Passed", np.ndarray]:
        try:
            stage, made = self.stage.push(frames)
        except ValueError as error:
            raise ValueError(f"{self.step} failed on X[0]: {error}") from error
        after = replace(self, stage=stage, n_frames=self.n_frames + len(frames))
        return after, self._checked(frames, made)

    def end(self) -> np.ndarray:
        return self._checked(np.empty((0, 0)), self.stage.end())

    def _checked(self, frames, made) -> np.ndarray:
        return checked_frames(self.step, 0, frames, made) if len(made) else made

    def check_end(self) -> None:
        """Refuse a sequence that is too short for the step."""
        self.step.step._check_lengths(np.array([self.n_frames]), is_fit=False)
        if hasattr(self.stage, "check_end"):
            self.stage.check_end()


@dataclass(frozen=True)
class Pieces(Stages):
    """What the steps still need of the frames of a sequence that came."""

    @classmethod
    def of(cls, steps: list | None) -> "Pieces":
        """The beginning of a sequence.

        Raises
        ------
        ValueError
            If a step needs the whole sequence, or may need it.
        """
        passed = []
        for step in Chain.of(steps or [], checked_frames).steps:
            stage = _stage_of(step.step)
            if stage is None:
                raise ValueError(_refusal(step.step))
            passed.append(_Passed(step, stage))
        return cls(tuple(passed))


def _stage_of(step: Any) -> Any:
    """What transforms a sequence piece by piece; None for steps that are not ours."""
    is_ours = CLASSES.get(type(step).__name__) is type(step)
    is_ours &= isinstance(step, SequenceTransformer)
    return step._piecewise() if is_ours else None


def _refusal(step: Any) -> str:
    needs = "needs" if isinstance(step, SequenceNormalizer) else "may need"
    cure = "Fit without it"
    if isinstance(step, SequenceNormalizer):
        cure += "; standardize=True scales by all training frames instead"
    return (
        "stream() needs steps of preprocess that read a sequence from its start, as "
        f"LogMel, MFCC and FrameDifference do, but {name_of(step)} {needs} the whole "
        f"of it. {cure}."
    )
