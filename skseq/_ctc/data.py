"""Frames with their labels, to be cut into CTC batches. Knows nothing of Keras."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skseq._ctc.lattice import minimum_frames
from skseq._data.batching import pad
from skseq._data.fingerprints import fingerprint_arrays
from skseq._data.suspicions import reading
from skseq._encoder.data import EncodedFrames
from skseq._warnings import warn
from skseq._wording import counted

N_NAMED = 10

# What to do about too few frames.
LENGTHENING = "lengthen X[{i}]"
CONTINUING = (
    'Shorten y[{i}], or set infeasible="drop". The first call chose conv_strides_, for '
    "what it was given; to have lower ones, set conv_strides and train again."
)
ALIGNING = "Shorten y[{i}], or leave the sample out."


@dataclass
class FrameData(EncodedFrames):
    """Checked frames, with labels if there are any."""

    labels: list[np.ndarray] | None = None

    def in_epoch(self, seed, epoch, exact) -> "FrameData":
        """The data as they are to be trained on in one epoch."""
        sequences = self.sequences.in_epoch(seed, epoch, fits=self._fits, exact=exact)
        return replace(self, sequences=sequences)

    def _fits(self, i, n_frames) -> bool:
        """Whether a sequence may become so long, and still have its labels."""
        n_outputs = int(self.shortening(np.array([n_frames]))[1][0])
        return n_outputs >= _frames_needed(self.labels[i])

    def least_room(self, n_outputs, n_unshortened) -> float:
        """Output frames per one that the labels need, in the fullest sequence.

        Of those that would have enough, were time not shortened; infinity if none has.
        """
        fits = n_unshortened >= self.frames_needed
        room = n_outputs[fits] / self.frames_needed[fits]
        return float(room.min(initial=np.inf))

    @cached_property
    def frames_needed(self) -> np.ndarray:
        """The fewest output frames that can hold the labels of each sequence."""
        return np.array([_frames_needed(item) for item in self.labels])

    def take(self, rows) -> "FrameData":
        """Some of the sequences."""
        labels = None if self.labels is None else [self.labels[i] for i in rows]
        sequences, weights = self.sequences.take(rows), self.sample_weight[rows]
        return replace(self, sequences=sequences, sample_weight=weights, labels=labels)

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors.

        `read` is what the method of that name gave; without it they are read here.
        """
        batch = super().assemble(rows, read)
        if self.labels is not None:
            labels = [self.labels[i] for i in rows]
            counts = np.array([len(item) for item in labels], dtype="int32")
            width = max(1, int(counts.max()))
            batch["labels"] = pad(labels, length=width, dtype=np.int32)
            batch["label_lengths"] = counts
        return batch

    def fingerprint(self) -> str:
        """A checksum of all that training sees."""
        counts = [len(item) for item in self.labels]
        arrays = [self.sample_weight, counts, np.concatenate(self.labels)]
        checksum = fingerprint_arrays(arrays)
        return f"{self.sequences.fingerprint()}-{checksum}"


def trainable_rows(
    data: FrameData,
    infeasible: str,
    strides_are_chosen: bool = False,
    lengthening: str = LENGTHENING,
) -> np.ndarray:
    """The rows that CTC can learn from: some weight, and frames enough for the labels.

    Where `infeasible` is "raise" too few frames are an error, with "drop" a warning.
    `lengthening` says what leaves more frames.
    """
    is_short = _is_short(data)
    if infeasible == "raise":
        # A first call chooses no strides that leave too little of what was enough.
        was_enough = is_short & (data.frames_needed <= data.lengths)
        continues = strides_are_chosen and was_enough.any()
        fitting = f'Shorten y[{{i}}], {lengthening}, or set infeasible="drop".'
        check_feasible(data, CONTINUING if continues else fitting)
    if is_short.any():
        rows = np.flatnonzero(is_short)
        warn(
            f"Dropped {len(rows)} of {counted(len(is_short), 'sequence')} with too few "
            f"output frames for their labels: samples {_listed(rows)}."
        )
    rows = np.flatnonzero(~is_short & (data.sample_weight > 0))
    if not rows.size and not is_short.all():
        raise ValueError(
            "No sequence is left to train on: all with enough frames for their labels "
            "have weight 0. Give some a sample_weight or class_weight above 0."
        )
    if not rows.size:
        raise ValueError(
            "No sequence is left to train on: all have too few output frames for their "
            f"labels. Shorten y, or {lengthening.replace('[{i}]', '')}."
        )
    return rows


def check_feasible(data: FrameData, cure: str) -> None:
    """Raise ValueError if a sequence has too few frames for its labels."""
    is_short = _is_short(data)
    if is_short.any():
        raise ValueError(_infeasible_message(data, np.flatnonzero(is_short), cure))


def check_alignable(data: FrameData) -> None:
    """Raise ValueError if labels do not fit into the frames of a fitted network."""
    check_feasible(data, ALIGNING)


def _is_short(data) -> np.ndarray:
    return data.frames_needed > data.output_lengths


def _frames_needed(labels) -> int:
    return max(1, minimum_frames(labels))


def _infeasible_message(data, rows, cure) -> str:
    i = int(rows[0])
    n_frames = int(data.output_lengths[i])
    are = "1 other is" if len(rows) == 2 else f"{len(rows) - 1} others are"
    others = f" {are} as short: {_listed(rows[1:])}." if len(rows) > 1 else ""
    return (
        f"y[{i}] has {counted(len(data.labels[i]), 'label')} but X[{i}] has only "
        f"{counted(n_frames, 'output frame')} ({int(data.lengths[i])} before the "
        "network shortens or skips any); CTC needs one frame per label and one more "
        f"between equal neighbours, here {_frames_needed(data.labels[i])}."
        f"{others} {_per_frame(data) or cure.format(i=i)}{_turning(data)}"
    )


def _per_frame(data) -> str:
    """Say what to write if there is one label per frame."""
    counts = [len(item) for item in data.labels]
    if not np.array_equal(counts, data.lengths):
        return ""
    return (
        "If y holds one label per frame, leave out repetitions: "
        "y = [[k for k, _ in itertools.groupby(labels)] for labels in y]."
    )


def _turning(data) -> str:
    """Say how to transpose sequences that may have their channels first."""
    longest = data.lengths.max()
    may_be_turned = (data.lengths == longest).all()
    if not may_be_turned or data.sequences.n_features <= longest:
        return ""
    return f" {reading(data.sequences)}"


def _listed(rows) -> str:
    shown = ", ".join(map(str, rows[:N_NAMED]))
    return shown + (", ..." if len(rows) > N_NAMED else "")
