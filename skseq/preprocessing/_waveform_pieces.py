"""Waveforms that become frames piece by piece: stages, see `_pieces`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from skseq.preprocessing._mel import (
    SLOPE_WIDTH,
    MelAnalysis,
    full_scale,
    in_tiles,
    slopes,
)
from skseq.preprocessing._waveforms import Loudness


@dataclass(frozen=True)
class Waveform:
    """Takes (n_samples, 1) to features of the frames, float64."""

    analysis: MelAnalysis
    static: Callable = field(repr=False)  # from log mel energies to features
    n_features: int
    n_frames: int = 0  # that were given
    last: float | None = None  # audio sample
    rest: np.ndarray = field(default_factory=lambda: np.empty(0))  # emphasized samples
    loudest: np.ndarray | None = None  # the audio sample farthest from zero, as it came

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return self.analysis.hop

    def push(self, samples: np.ndarray) -> tuple["Waveform", np.ndarray]:
        if not len(samples):
            return self, np.empty((0, self.n_features))
        waveform = full_scale(samples[:, 0], 0)
        before = waveform[0] if self.last is None else self.last
        rest = [self.rest, self.analysis.emphasize(waveform, before)]
        rest = np.concatenate(rest)
        window, hop = len(self.analysis.window), self.hop
        n_frames = max(0, (len(rest) - max(window, hop)) // hop + 1)
        features = self._features(rest, n_frames)
        loudest = samples[[np.abs(waveform).argmax()]]
        if self.loudest is not None:
            both = np.concatenate([self.loudest, loudest])
            loudest = both[[np.abs(both[:, 0].astype(np.float64)).argmax()]]
        after = replace(
            self,
            loudest=loudest,
            n_frames=self.n_frames + n_frames,
            last=float(waveform[-1]),
            rest=rest[n_frames * hop :].copy(),
        )
        return after, features

    def end(self) -> np.ndarray:
        rest, window = self.rest, len(self.analysis.window)
        if self.n_frames == 0 and 0 < len(rest) < window:
            rest = np.pad(rest, (0, window - len(rest)))
        return self._features(rest, max(0, (len(rest) - window) // self.hop + 1))

    def check_end(self) -> None:
        """Warn of a waveform that is nearly silent by its dtype."""
        if self.loudest is not None:
            Loudness().note(0, self.loudest)

    def _features(self, samples: np.ndarray, n_frames: int) -> np.ndarray:
        if n_frames == 0:
            return np.empty((0, self.n_features))
        window = len(self.analysis.window)
        frames = np.lib.stride_tricks.sliding_window_view(samples, window)
        frames = frames[:: self.hop][:n_frames]
        energies = self.analysis.log_energies(frames, self.n_frames)
        return in_tiles(self.static, energies, self.n_frames)


@dataclass(frozen=True)
class Slopes:
    """Puts the slopes of the last features of each frame beside all of them."""

    n_features: int  # whose slopes are taken
    rest: np.ndarray | None = None  # frames, from the neighbours of the next one on

    def push(self, frames: np.ndarray) -> tuple["Slopes", np.ndarray]:
        if not len(frames):
            return self, self._with_slopes(frames)
        rest = self.rest
        if rest is None:
            rest = np.repeat(frames[:1], SLOPE_WIDTH, axis=0)
        rest = np.concatenate([rest, frames])
        n_frames = max(0, len(rest) - 2 * SLOPE_WIDTH)
        return replace(self, rest=rest[n_frames:].copy()), self._with_slopes(rest)

    def end(self) -> np.ndarray:
        rest = self.rest
        if rest is None:
            return np.empty((0, 0))
        edge = np.repeat(rest[-1:], SLOPE_WIDTH, axis=0)
        return self._with_slopes(np.concatenate([rest, edge]))

    def _with_slopes(self, frames: np.ndarray) -> np.ndarray:
        inner = frames[SLOPE_WIDTH : max(SLOPE_WIDTH, len(frames) - SLOPE_WIDTH)]
        return np.hstack([inner, slopes(frames[:, -self.n_features :])])


@dataclass(frozen=True)
class SinglePrecision:
    """Rounds frames to single precision."""

    def push(self, frames: np.ndarray) -> tuple["SinglePrecision", np.ndarray]:
        return self, frames.astype(np.float32)

    def end(self) -> np.ndarray:
        return np.empty((0, 0), np.float32)
