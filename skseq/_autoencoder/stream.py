"""The stream of `LSTMAutoencoder`: frames come, scored windows go as they are full.

Each window is a sequence of its own to the network and to the steps of `preprocess`, so
that only the frames of windows that are not full are kept.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skseq._autoencoder.data import ReconstructionData
from skseq._data.sequences import Sequences, n_frame_features
from skseq._parameters import POSITIVE_INT, check_value
from skseq._results import ScoredWindow
from skseq._streams import Stream
from skseq._wording import counted


class WindowStream(Stream):
    """Scores the windows of one series, made by :meth:`LSTMAutoencoder.stream`.

    However the frames are cut, the windows are those of
    :class:`~skseq.preprocessing.SlidingWindows`, scored as all at once. The stream
    keeps the weights, parameters and threshold that the estimator had when it was
    opened. As a context manager it ends with its block.

    Parameters
    ----------
    detector : LSTMAutoencoder
        A fitted estimator that nobody changes.
    window_length : int
        Frames in a window.
    stride : int
        Frames from the start of a window to that of the next.
    """

    def __init__(self, detector: Any, window_length: int, stride: int):
        super().__init__(detector)
        frames = np.empty((0, n_frame_features(detector)))
        self._windows = _Windows(int(window_length), int(stride), frames)

    def push(self, frames) -> list[ScoredWindow]:
        """Read more frames, and score the windows that they fill.

        Parameters
        ----------
        frames : array-like of shape (n_frames, n_features) or (n_frames,)
            The next frames of the series; of any number, also none, and of one dtype in
            all pushes if there is a `preprocess`. They are copied. If they are refused,
            the stream stays as it was.

        Returns
        -------
        windows : list of ScoredWindow
            The windows that these frames complete, in order.

        Raises
        ------
        ValueError, TypeError
            If the frames cannot be used, or the stream has ended.
        """
        with self._opened():
            frames = self._checked(frames)
            windows, starts, cut = self._windows.after(frames)
            found = self._scored(starts, cut)
            self._accept(frames)
            self._windows = windows
            return found

    def finish(self) -> list[ScoredWindow]:
        """End the series.

        Returns
        -------
        windows : list of ScoredWindow
            The window that ends at the last frame, if the stride leaves it out, as with
            `remainder="cover"`; otherwise none.

        Raises
        ------
        ValueError
            If fewer frames were pushed than a window holds, so that the stream stays
            open; or if it has ended.
        """
        with self._opened():
            found = self._scored(*self._windows.end())
            self.close()
            return found

    @np.errstate(under="ignore")
    def _scored(self, starts: list[int], windows: np.ndarray) -> list[ScoredWindow]:
        """Windows, (n_windows, window_length, n_features), with what is found."""
        if not starts:
            return []
        detector, measure = self._owner, self._owner._measure()
        lengths = np.full(len(windows), windows.shape[1])
        sequences = Sequences(windows, lengths, windows.shape[2], "sequences")
        data = ReconstructionData(
            detector._transformed(sequences), np.ones(len(windows)), detector._scaling
        )

        def read(frames, error):
            return -measure(error).mean(), np.abs(error) * detector.scale_

        return [
            ScoredWindow(
                start,
                start + windows.shape[1],
                float(score),
                -1 if score - detector.offset_ < 0 else 1,
                errors,
            )
            for start, (score, errors) in zip(
                starts, detector._map_errors(data, read), strict=True
            )
        ]


@dataclass(frozen=True)
class _Windows:
    """The last frames of a series: those that windows still need."""

    length: int
    stride: int
    frames: np.ndarray
    n_frames: int = 0  # of the series so far
    next_start: int = 0  # of the first window that is not full

    def after(self, frames: np.ndarray) -> tuple["_Windows", list[int], np.ndarray]:
        """The windows that more frames fill: the frames kept then, starts, windows."""
        n_frames = self.n_frames + len(frames)
        if len(frames):
            kept = [self.frames, frames] if len(self.frames) else [frames]
            frames = np.concatenate(kept)
        else:
            frames = self.frames
        starts = list(range(self.next_start, n_frames - self.length + 1, self.stride))
        next_start = starts[-1] + self.stride if starts else self.next_start
        first = n_frames - len(frames)  # the number of the first frame here
        needed = max(first, min(next_start, n_frames - self.length))
        windows = replace(
            self,
            frames=frames[needed - first :].copy(),
            n_frames=n_frames,
            next_start=next_start,
        )
        return windows, starts, self._cut(frames, [start - first for start in starts])

    def end(self) -> tuple[list[int], np.ndarray]:
        """The window that ends at the last frame, if it is not among those given."""
        start = self.n_frames - self.length
        if start < 0:
            raise ValueError(
                f"The stream has {counted(self.n_frames, 'frame')}, fewer than a "
                f"window of window_length={self.length}. Push more before finish(), or "
                "lower window_length."
            )
        given = self.next_start - self.stride
        starts = [start] if start > given else []
        first = self.n_frames - len(self.frames)
        return starts, self._cut(self.frames, [start - first for start in starts])

    def _cut(self, frames: np.ndarray, places: list[int]) -> np.ndarray:
        if not places:
            return np.empty((0, self.length, frames.shape[1]))
        windows = np.lib.stride_tricks.sliding_window_view(frames, self.length, axis=0)
        return windows.swapaxes(1, 2)[places[0] :: self.stride][: len(places)]


def check_windows(detector: Any, window_length: object, stride: object) -> None:
    """Refuse windows that a fitted detector cannot be asked for."""
    for name, value in (("window_length", window_length), ("stride", stride)):
        check_value("stream", name, value, POSITIVE_INT)
    is_matrix = detector._X_layout == "matrix"
    if is_matrix and window_length != detector.n_features_in_:
        raise ValueError(
            f"window_length={window_length}, but the estimator was fitted on a 2-D "
            f"array, whose rows are sequences of {detector.n_features_in_} frames. "
            f"Set window_length={detector.n_features_in_}, or fit on a list of 1-D "
            "arrays."
        )
