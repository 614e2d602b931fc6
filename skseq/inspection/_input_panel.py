"""The frames that an estimator read, as a panel: a spectrogram, an image or lines.

Knows nothing of estimators.
"""

from typing import Any, NamedTuple

import numpy as np

from skseq._data.collections import array_of
from skseq.inspection._colors import BLUE, GREEN, ORANGE, PURPLE

# So many features are drawn as lines, more as a picture.
MAX_LINES = 4
COLORS = (BLUE, ORANGE, GREEN, PURPLE)

# Heights of a panel in inches: of lines or a spectrogram, and of images.
HEIGHT = 1.2
LOWEST, HIGHEST = 0.5, 2.4


class TimeAxis(NamedTuple):
    """Where output frames lie on the x axis, and what that counts.

    Output frame `i` is centered on `start + i * step`, and a frame of the input on
    `j * unit`.
    """

    start: float
    step: float
    unit: float
    name: str

    def edges(self, first: int, last: int) -> tuple[float, float]:
        """Where output frames, from a first to a last one, begin and end."""
        middle, half = self.start + self.step * np.array([first, last]), self.step / 2
        return float(middle[0] - half), float(middle[1] + half)


def time_axis(
    n_outputs: int,
    frames: np.ndarray | None,
    *,
    stride: float | None,
    skip_frames: int,
    hop_seconds: float | None,
    is_image: bool,
) -> TimeAxis:
    """The x axis of output frames: in seconds, or in frames of the input if known."""
    if stride is None:
        stride = 1.0 if frames is None else stride_of(len(frames), n_outputs)
    unit = 1.0 if hop_seconds is None else float(hop_seconds)
    if hop_seconds is not None:
        name = "time (s)"
    elif frames is None:
        return TimeAxis(0.0, 1.0, 1.0, "output frame")
    else:
        name = "column" if is_image else "frame"
    return TimeAxis(skip_frames * stride * unit, stride * unit, unit, name)


def stride_of(n_frames: int, n_outputs: int) -> float:
    """Frames of the input per output frame, a whole number if one explains them."""
    ratio = n_frames / max(1, n_outputs)
    whole = max(1, round(ratio))
    return float(whole) if abs(n_frames / whole - n_outputs) < 1 else ratio


def frames_of(frames: Any) -> np.ndarray | None:
    """The frames of one sequence as (n_frames, n_features), checked."""
    if frames is None:
        return None
    values = array_of(frames)
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "biuf":
        raise ValueError(
            "frames must be numbers of one sequence, of shape (n_frames, n_features). "
            f"Got an array of {values.dtype} of shape {array_of(frames).shape}."
        )
    return values


def height_of(frames: np.ndarray, width: float, is_image: bool) -> float:
    """Height of the panel in inches, beside its width; that of an image's shape."""
    if not is_image:
        return HEIGHT
    n_columns, n_rows = frames.shape
    return float(np.clip(width * n_rows / n_columns, LOWEST, HIGHEST))


def draw_input(panel: Any, frames: np.ndarray, axis: TimeAxis, is_image: bool) -> Any:
    """Draw frames; returns the picture, or None where lines are drawn."""
    n_frames, n_features = frames.shape
    if n_features <= MAX_LINES and not is_image:
        places = axis.unit * np.arange(n_frames)
        marker = "." if n_frames == 1 else None
        for values, color in zip(frames.T, COLORS, strict=False):
            panel.plot(places, values, color=color, linewidth=1, marker=marker)
        panel.set_ylabel("input")
        return None
    picture = panel.imshow(
        frames.T,
        aspect="auto",
        interpolation="nearest",
        origin="upper" if is_image else "lower",
        extent=(*_extent(axis, n_frames), *_rows(n_features, is_image)),
        cmap=_cmap(frames) if is_image else "Greys",
    )
    panel.set_ylabel("row" if is_image else "feature")
    return picture


def _extent(axis: TimeAxis, n_frames: int) -> tuple[float, float]:
    return -axis.unit / 2, axis.unit * (n_frames - 0.5)


def _rows(n_features: int, is_image: bool) -> tuple[float, float]:
    bounds = -0.5, n_features - 0.5
    return bounds[::-1] if is_image else bounds


def _cmap(image: np.ndarray) -> str:
    """The grays that make the background of an image light, as it is most of it."""
    low, high = float(image.min()), float(image.max())
    return "gray" if np.median(image) > (low + high) / 2 else "gray_r"
