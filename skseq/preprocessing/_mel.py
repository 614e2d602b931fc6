"""The analysis of a waveform: log mel energies, and their slopes.

Works on arrays of samples and of frames. Results of a frame are the same to the bit
whichever frames are computed beside it. Knows nothing of what a user passes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.fft import rfft

# Frames that go through the Fourier transform together: all the spectra of a long
# recording would take gigabytes.
_BLOCK = 2048

# Frames that products and transforms are always computed for together, so that those
# of a piece of a waveform are rounded as those of all of it.
_TILE = 16

# By which features that are equal may differ, relative to them.
ROUNDING = float(np.finfo(np.float32).eps)

# Neighbours on each side that a slope is fitted to.
SLOPE_WIDTH = 2


@dataclass(frozen=True)
class MelAnalysis:
    """Turns the waveforms of one call into log mel energies."""

    hop: int  # samples
    n_fft: int
    window: np.ndarray  # (n_samples,), the weight of each sample of a frame
    filters: np.ndarray  # (n_fft // 2 + 1, n_mels)
    pre_emphasis: float
    floor: float

    def log_mel(self, waveform: np.ndarray) -> np.ndarray:
        """Take (n_samples,) floats to (n_frames, n_mels) log energies."""
        emphasized = self.emphasize(waveform, waveform[0])
        return self.log_energies(_frame(emphasized, len(self.window), self.hop))

    def emphasize(self, waveform: np.ndarray, before: float) -> np.ndarray:
        """Subtract from each sample a part of the one before it.

        The first sample of all counts as its own predecessor, so that no click opens
        the signal.
        """
        emphasized = waveform.copy()
        emphasized[:1] -= self.pre_emphasis * before
        emphasized[1:] -= self.pre_emphasis * waveform[:-1]
        return emphasized

    def log_energies(self, frames: np.ndarray, first: int = 0) -> np.ndarray:
        """Take frames of samples, of which the first has a number, to log energies."""
        energies = []
        for start in range(0, len(frames), _BLOCK):
            block = frames[start : start + _BLOCK]
            given = block, first + start, self.window, self.n_fft
            energies.append(in_tiles(self._energies, *given))
        return np.log(np.maximum(np.concatenate(energies), self.floor))

    def _energies(self, frames: np.ndarray) -> np.ndarray:
        spectrum = rfft(frames)
        power = spectrum.real**2 + spectrum.imag**2  # (n_frames, n_bins)
        tiles = power.reshape(-1, _TILE, power.shape[1]) @ self.filters
        return tiles.reshape(len(frames), -1)


def in_tiles(
    function: Callable, frames: np.ndarray, first: int, window=1.0, width: int = 0
) -> np.ndarray:
    """Apply a function of each frame, with every frame at its place in a whole tile.

    `first` is the number of the first frame in its waveform. The last bits of a frame's
    result depend on how many frames there are and on its place, not on the others. The
    function is given the frames times a window, and zeros up to a width.
    """
    offset, (n_frames, n_given) = first % _TILE, frames.shape
    n_tiles = -(-(offset + n_frames) // _TILE)
    padded = np.zeros((n_tiles * _TILE, width or n_given))
    np.multiply(frames, window, padded[offset : offset + n_frames, :n_given])
    return function(padded)[offset : offset + n_frames]


def _frame(waveform: np.ndarray, window: int, hop: int) -> np.ndarray:
    """View (n_samples,) as (n_frames, window), short waveforms padded with zeros."""
    if len(waveform) < window:
        waveform = np.pad(waveform, (0, window - len(waveform)))
    return np.lib.stride_tricks.sliding_window_view(waveform, window)[::hop]


def _hertz_to_mel(frequency: np.ndarray | float) -> np.ndarray:
    return 2595.0 * np.log10(1.0 + np.asarray(frequency) / 700.0)


def mel_filters(
    sample_rate: float, n_fft: int, n_mels: int, f_min: float, f_max: float
) -> np.ndarray:
    """Build (n_bins, n_mels) triangles of height one, evenly spaced in mel."""
    bins = _hertz_to_mel(np.arange(n_fft // 2 + 1) * sample_rate / n_fft)
    edges = np.linspace(_hertz_to_mel(f_min), _hertz_to_mel(f_max), n_mels + 2)
    # One width serves both slopes: the edges are evenly spaced.
    distance = np.abs(bins[:, None] - edges[1:-1]) / (edges[1] - edges[0])
    return np.maximum(0.0, 1.0 - distance)


def full_scale(waveform: np.ndarray, index: int) -> np.ndarray:
    """Return a waveform as float64, integers divided by the range of their type."""
    kind, n_bytes = waveform.dtype.kind, waveform.dtype.itemsize
    if kind == "f":
        return waveform.astype(np.float64)
    if kind == "i" and n_bytes in (2, 4):
        return waveform.astype(np.float64) / 2 ** (8 * n_bytes - 1)
    raise ValueError(
        f"X[{index}] has dtype {waveform.dtype}; a waveform must be floating point, "
        "int16 or int32. Convert it, for example to floats between -1 and 1."
    )


def with_deltas(features: np.ndarray, deltas: int) -> np.ndarray:
    """Put `deltas` orders of slopes beside the features; edge frames repeat."""
    columns, sides = [features], ((SLOPE_WIDTH, SLOPE_WIDTH), (0, 0))
    for _ in range(deltas):
        columns.append(slopes(np.pad(columns[-1], sides, mode="edge")))
    return np.hstack(columns)


def slopes(features: np.ndarray) -> np.ndarray:
    """Fit a line to each frame that has neighbours enough, and to these neighbours."""
    n_frames = max(0, len(features) - 2 * SLOPE_WIDTH)
    places = range(2 * SLOPE_WIDTH + 1)
    near = [(k - SLOPE_WIDTH, features[k : k + n_frames]) for k in places]
    rise = sum(k * value for k, value in near)
    # Features have single precision: what it would not show is rounding.
    rise[
        np.abs(rise) <= ROUNDING * sum(abs(k) * np.abs(value) for k, value in near)
    ] = 0
    return rise / sum(k * k for k, _ in near)
