"""Frames as an autoencoder sees them: standardized, differenced, weighted by step.

Knows nothing of Keras.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from sklearn.utils import check_array

from skseq._data.batching import pad
from skseq._data.collections import array_of
from skseq._data.fingerprints import fingerprint_arrays
from skseq._data.frames import check_dtype
from skseq._data.memory import check_fits
from skseq._data.scaling import Scaling, moments
from skseq._data.sequences import Sequences
from skseq._preprocess.sequences import OfSequences, Preprocessed
from skseq._wording import counted


@dataclass(frozen=True)
class ChangeScaling(Scaling):
    """What frames are centred on and divided by, and their changes too.

    `change_scale` is that of the changes between standardized frames; None where the
    frames themselves are modelled.
    """

    change_scale: np.ndarray | None = None

    @classmethod
    @np.errstate(under="ignore")
    def learn(cls, sequences, rows, *, standardize, difference) -> "ChangeScaling":
        """Learn from some sequences, reading each once or twice and keeping none."""
        known = Scaling.fit(sequences, rows, standardize=standardize)
        mean, scale = known.mean, known.scale
        if not difference:
            return cls(mean, scale)
        unscaled = cls(mean, scale, np.ones(sequences.n_features))
        changes = (unscaled.changes(sequences[i]) for i in rows)
        # Levels, and so their changes, are as fine as the numbers they were made from.
        _, change_scale = moments(changes, np.abs(mean) / scale)
        return cls(mean, scale, change_scale)

    @np.errstate(under="ignore")
    def changes(self, frames) -> np.ndarray:
        """Scaled changes between standardized frames; the first is from zero."""
        levels = self.levels(frames)
        return np.diff(levels, axis=0, prepend=0.0) / self.change_scale

    def inputs(self, frames) -> np.ndarray:
        """What the encoder reads."""
        modelled = self.levels if self.change_scale is None else self.changes
        return modelled(frames)

    @np.errstate(under="ignore")
    def tensors(self, n_samples) -> dict[str, np.ndarray]:
        """What the network must know of it, one row per sample."""
        if self.change_scale is None:
            return {}
        scale = self.change_scale.astype("float32")
        return {"change_scale": np.tile(scale, (n_samples, 1))}


def check_codes(Z) -> np.ndarray:
    """Codes as an array of numbers that single precision, the network's, holds."""
    dtype = array_of(Z).dtype
    if dtype.kind in "mMV":  # about which scikit-learn has NumPy's words only
        check_dtype(dtype, "Z")
    Z = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
    far = np.argwhere(np.abs(Z) > np.finfo(np.float32).max)
    if len(far):
        i, j = far[0]
        raise ValueError(
            f"Z[{i}, {j}] is {Z[i, j]}, which is too large for dtype('float32'). Codes "
            "are what transform returns, and of its magnitude."
        )
    return Z


def check_unfolded(lengths, n_features, n_units) -> None:
    """Refuse to unfold codes into more frames than TensorFlow counts or memory holds.

    What the network needs is at least its states and inputs of the longest sequence,
    and the frames themselves are float64.
    """
    longest = int(np.argmax(lengths))
    n_frames = int(lengths[longest])
    if n_frames >= 2**31:
        raise ValueError(
            f"lengths[{longest}] is {n_frames}; no more than 2**31 - 1 frames can be "
            "unfolded."
        )
    total = int(lengths.sum(dtype=np.float64))
    n_bytes = 8 * n_features * total + 4 * n_units * n_frames
    what = f"lengths ask for {counted(total, 'frame')}, which"
    check_fits(n_bytes, what, "Unfold fewer or shorter sequences.")


@dataclass(frozen=True)
class ReconstructionData(OfSequences):
    """Checked sequences, under a scaling."""

    sequences: Sequences | Preprocessed
    sample_weight: np.ndarray
    scaling: ChangeScaling
    step_weight: Callable = field(default=np.ones_like, repr=False)
    augmented: Preprocessed | None = None  # what the encoder reads instead

    def in_epoch(self, seed, epoch, exact) -> "ReconstructionData":
        """The data as they are to be trained on in one epoch."""
        drawn = self.sequences.in_epoch(seed, epoch)
        return self if drawn is self.sequences else replace(self, augmented=drawn)

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors.

        `read` is what the method of that name gave; without it they are read here.
        """
        read = self.read(rows) if read is None else read
        frames = list(map(self.sequences.made, rows, read))
        inputs = frames
        if self.augmented is not None:
            inputs = map(self.augmented.made, rows, read)
        lengths = self.lengths[rows]
        levels = [self.scaling.levels(item) for item in frames]
        batch = {
            "frames": pad([self.scaling.inputs(item) for item in inputs]),
            "lengths": lengths.astype("int32"),
            "levels": pad(levels),
            "step_weight": pad([self.step_weights(n) for n in lengths]),
        }
        return batch | self.scaling.tensors(len(rows))

    def take(self, rows) -> "ReconstructionData":
        """Some of the sequences."""
        weights = self.sample_weight[rows]
        return replace(self, sequences=self.sequences.take(rows), sample_weight=weights)

    def step_weights(self, n_frames) -> np.ndarray:
        """The weights of the frames of one sequence, which sum to one."""
        weights = np.asarray(self.step_weight(np.arange(float(n_frames))), np.float64)
        return weights / weights.sum()

    def fingerprint(self) -> str:
        """A checksum of all that training sees."""
        checksum = fingerprint_arrays([self.sample_weight])
        return f"{self.sequences.fingerprint()}-{checksum}"
