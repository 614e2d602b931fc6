"""What frames are centred on and divided by before a network reads them."""

from dataclasses import dataclass

import numpy as np

from skseq._parameters import Kind


def _is_finite_vector(value) -> bool:
    is_vector = isinstance(value, np.ndarray) and value.ndim == 1
    return is_vector and value.dtype.kind == "f" and bool(np.isfinite(value).all())


VECTOR = Kind(_is_finite_vector, "a 1-D array of finite floats")
SCALE = Kind(
    lambda value: _is_finite_vector(value) and bool((value > 0).all()),
    "a 1-D array of positive, finite floats",
)


@dataclass(frozen=True)
class Scaling:
    """The mean and the scale of each feature, two arrays of shape (n_features,)."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    @np.errstate(under="ignore")
    def fit(cls, sequences, rows, *, standardize=True, pooled=False) -> "Scaling":
        """Learn from some sequences, reading each once and keeping none.

        With `pooled` all features have one mean and one scale, as the pixels of an
        image; without `standardize` frames stay as they are.
        """
        n_features = sequences.n_features
        if not standardize:
            return cls(np.zeros(n_features), np.ones(n_features))
        width = 1 if pooled else n_features
        read = (np.reshape(sequences[i], (-1, width)) for i in rows)
        return cls(*(np.resize(value, n_features) for value in moments(read)))

    @np.errstate(under="ignore")
    def levels(self, frames) -> np.ndarray:
        """Standardized frames, float64."""
        return (
            np.asarray(frames, dtype=np.float64, order="C") - self.mean
        ) / self.scale

    @np.errstate(under="ignore")
    def restored(self, levels) -> np.ndarray:
        """The inverse of `levels`."""
        return levels * self.scale + self.mean


def moments(sequences, magnitude=0.0) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of all frames, in one pass; 1 for what is constant.

    Chan et al. (1979): sums of squares about the running mean do not cancel. Constant
    is also what varies by no more than the rounding of numbers of this magnitude.
    """
    n, mean, squares = 0, 0.0, 0.0
    for frames in sequences:
        # In one order of memory, as sums over a table's columns are rounded otherwise.
        frames = np.asarray(frames, dtype=np.float64, order="C")
        # Equal frames have their own value as the mean, to the bit.
        own_mean = frames[0] + (frames - frames[0]).mean(axis=0)
        shift, total = own_mean - mean, n + len(frames)
        squares += np.square(frames - own_mean).sum(axis=0)
        squares += np.square(shift) * n * len(frames) / total
        mean = mean + shift * (len(frames) / total)
        n = total
    scale = np.sqrt(squares / n)
    rounding = 10 * np.finfo(np.float64).eps * (np.abs(mean) + magnitude)
    return mean, np.where(scale <= rounding, 1.0, scale)
