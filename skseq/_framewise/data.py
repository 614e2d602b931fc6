"""Frames with what is to be given for them: by sequence or by frame.

Knows nothing of Keras.
"""

from dataclasses import dataclass, replace

import numpy as np

from skseq._data.batching import pad
from skseq._data.fingerprints import fingerprint_arrays
from skseq._encoder.data import EncodedFrames


@dataclass
class TargetFrames(EncodedFrames):
    """Checked frames, with targets if there are any.

    Attributes
    ----------
    targets : ndarray of shape (n_samples, ...) or list of ndarray of (n_frames, ...)
        One per sequence, or one per frame in a list.
    frame_weights : list of ndarray of shape (n_frames,)
        How much each frame counts, where targets are those of frames.
    """

    targets: np.ndarray | list[np.ndarray] | None = None
    frame_weights: list[np.ndarray] | None = None

    def in_epoch(self, seed, epoch, exact) -> "TargetFrames":
        """The data as they are to be trained on in one epoch."""
        sequences = self.sequences.in_epoch(seed, epoch, fits=self._fits, exact=exact)
        return replace(self, sequences=sequences)

    def _fits(self, i, n_frames) -> bool:
        """Whether the network leaves a frame of a sequence that has become so long."""
        return self.shortening(np.array([n_frames]))[1][0] > 0

    def take(self, rows) -> "TargetFrames":
        """Some of the sequences."""
        return replace(
            self,
            sequences=self.sequences.take(rows),
            sample_weight=self.sample_weight[rows],
            targets=taken(self.targets, rows),
            frame_weights=taken(self.frame_weights, rows),
        )

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors.

        `read` is what the method of that name gave; without it they are read here.
        """
        batch = super().assemble(rows, read)
        if self.targets is not None:
            batch["targets"] = joined(taken(self.targets, rows))
        if self.frame_weights is not None:
            batch["frame_weights"] = joined(taken(self.frame_weights, rows))
        return batch

    def fingerprint(self) -> str:
        """A checksum of all that training sees."""
        arrays = [self.sample_weight, np.concatenate(list(map(np.ravel, self.targets)))]
        if self.frame_weights is not None:
            arrays.append(np.concatenate(self.frame_weights))
        return f"{self.sequences.fingerprint()}-{fingerprint_arrays(arrays)}"


@dataclass
class ScaledTargets(TargetFrames):
    """The same, with what targets were centred on and divided by.

    Attributes
    ----------
    units : tuple of ndarray of shape (n_outputs,)
        The mean and the scale.
    """

    units: tuple[np.ndarray, np.ndarray] | None = None

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """As of its base; a loss of a user's own sees values in the user's units."""
        batch = super().assemble(rows, read)
        if self.units is not None:
            mean, scale = (np.tile(part, (len(rows), 1)) for part in self.units)
            batch["y_mean"], batch["y_scale"] = mean, scale
        return batch


def taken(values, rows):
    """Some of the values, which are those of sequences, of frames or none."""
    if values is None:
        return None
    return [values[i] for i in rows] if isinstance(values, list) else values[rows]


def joined(values) -> np.ndarray:
    """One array of a batch, padded where its rows are sequences."""
    return pad(values, dtype=values[0].dtype) if isinstance(values, list) else values
