"""Frames as the encoder reads them, batch by batch. Knows nothing of Keras."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from skseq._data.batching import pad
from skseq._data.scaling import Scaling
from skseq._data.sequences import Sequences
from skseq._preprocess.sequences import OfSequences, Preprocessed
from skseq._wording import counted


@dataclass
class EncodedFrames(OfSequences):
    """Checked frames under a scaling.

    `shortening` is known once the network is: its front end may shorten time, and so
    may its convolutions.
    """

    sequences: Sequences | Preprocessed
    sample_weight: np.ndarray
    scaling: Scaling
    shortening: "Shortening | None" = field(default=None, kw_only=True)

    @property
    def output_lengths(self) -> np.ndarray:
        return self.shortening(self.lengths)[1]

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors.

        `read` is what the method of that name gave; without it they are read here.
        """
        read = self.read(rows) if read is None else read
        frames = list(map(self.sequences.made, rows, read))
        frames = [self.scaling.levels(item) for item in frames]
        lengths = np.array([len(item) for item in frames])
        return {
            "frames": pad(frames),
            "lengths": lengths.astype("int32"),
            "front_end_lengths": self.shortening(lengths)[0].astype("int32"),
        }


class Shortening:
    """Counts the frames that a network makes of each length, each length once."""

    def __init__(self, count: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]):
        self._count = count
        self._counts = {}

    def __call__(self, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Frames that the front end gives, and frames of the output."""
        new = np.array(sorted(set(lengths.tolist()) - self._counts.keys()), np.int64)
        if new.size:
            counts = zip(*self._count(new), strict=True)
            self._counts.update(zip(new.tolist(), counts, strict=True))
        counts = [self._counts[n] for n in lengths.tolist()]
        return tuple(np.array(counts, dtype=np.int64).T)


def check_output_lengths(
    data: EncodedFrames, leave_none: str = "front end and skip_frames leave none"
) -> None:
    """Raise ValueError if the network leaves nothing of a sequence."""
    empty = np.flatnonzero(data.output_lengths < 1)
    if empty.size:
        i = int(empty[0])
        raise ValueError(
            f"X[{i}] has {counted(int(data.lengths[i]), 'frame')}, of which the "
            f"network's {leave_none}. Lengthen the sequence or leave it out."
        )
