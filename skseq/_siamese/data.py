"""What an embedder learns from: labelled sequences, or pairs; and parts of them.

Knows nothing of Keras.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skseq._data.batching import pad
from skseq._data.fingerprints import fingerprint_arrays
from skseq._data.sequences import Sequences
from skseq._encoder.data import EncodedFrames, Shortening
from skseq._engine.state import Subset, TrainingPlan, hold_out
from skseq._preprocess.sequences import Preprocessed
from skseq._seeding import derive, generator
from skseq._siamese.draws import Drawing, Rows, whole
from skseq._siamese.judging import some_rows
from skseq._siamese.pairs import check_both_kinds
from skseq._wording import counted


@dataclass
class CentredFrames(EncodedFrames):
    """Checked frames under a scaling, each sequence's own mean removed if asked for."""

    center: bool

    def levels(self, frames: np.ndarray) -> np.ndarray:
        """One sequence, or a part of one, as the network reads it."""
        levels = self.scaling.levels(frames)
        return centred(levels) if self.center else levels

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors."""
        read = self.read(rows) if read is None else read
        return self.padded(list(map(self.sequences.made, rows, read)))

    def padded(self, sequences: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Frames as they were made, as the arrays of a batch."""
        levels = [self.levels(frames) for frames in sequences]
        lengths = np.array([len(item) for item in levels])
        return {
            "frames": pad(levels),
            "lengths": lengths.astype("int32"),
            "front_end_lengths": self.shortening(lengths)[0].astype("int32"),
        }

    def least_frames(self) -> int:
        """The shortest part of a sequence of which the network leaves a frame."""
        low, high = 1, int(self.lengths.max())
        while low < high:
            middle = (low + high) // 2
            leaves_one = self.shortening(np.array([middle]))[1][0] > 0
            low, high = (low, middle) if leaves_one else (middle + 1, high)
        return low


@np.errstate(under="ignore")
def centred(levels: np.ndarray) -> np.ndarray:
    """A sequence without its mean; equal frames become zeros to the bit."""
    about = levels - levels[0]
    return about - about.mean(axis=0)


@dataclass(frozen=True)
class OwnMeans:
    """Sequences without their means, to learn a scale of."""

    sequences: Sequences | Preprocessed

    @property
    def n_features(self) -> int:
        return self.sequences.n_features

    def __getitem__(self, i) -> np.ndarray:
        return centred(np.asarray(self.sequences[i], dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Joined:
    """Two collections of sequences as one: those of the second follow the first's."""

    sides: tuple

    @property
    def lengths(self) -> np.ndarray:
        return np.concatenate([side.lengths for side in self.sides])

    @property
    def n_features(self) -> int:
        return self.sides[0].n_features

    def __len__(self):
        return sum(map(len, self.sides))

    def _place(self, i):
        n_first = len(self.sides[0])
        return (self.sides[0], i) if i < n_first else (self.sides[1], i - n_first)

    def __getitem__(self, i):
        side, i = self._place(range(len(self))[i])
        return side[i]

    def read(self, i):
        """What `made` needs of sequence `i`."""
        side, i = self._place(i)
        return side.read(i)

    def made(self, i, read):
        """Sequence `i`, of what `read` gave."""
        side, i = self._place(i)
        return side.made(i, read)

    def in_epoch(self, seed, epoch, *, fits=None, **conditions) -> "Joined":
        """The sequences as they are to be trained on, each side drawn on its own."""
        n_first = len(self.sides[0])
        drawn = []
        for k, side in enumerate(self.sides):
            own = {}
            if fits is not None:
                own["fits"] = lambda i, n, k=k: fits(i + k * n_first, n)
            drawn.append(side.in_epoch(derive(seed, k), epoch, **own, **conditions))
        return Joined(tuple(drawn))

    def take(self, rows) -> "Joined":
        """Some of the pairs."""
        return Joined(tuple(side.take(rows) for side in self.sides))

    def fingerprint(self) -> str:
        return "-".join(str(side.fingerprint()) for side in self.sides)


@dataclass
class LabelledFrames(CentredFrames):
    """Sequences with their classes, and how batches are drawn of them.

    Attributes
    ----------
    ids : ndarray of int of shape (n_samples,)
    drawing : Drawing
    """

    ids: np.ndarray
    drawing: Drawing

    def in_epoch(self, seed, epoch, exact) -> "LabelledFrames":
        """Itself: what is drawn in an epoch is drawn with the batches."""
        return self

    def take(self, rows) -> "LabelledFrames":
        """Some of the sequences."""
        return replace(
            self,
            sequences=self.sequences.take(rows),
            sample_weight=self.sample_weight[rows],
            ids=self.ids[rows],
        )

    def check(self, rows, loss: str) -> None:
        """Refuse rows of which no batch can be drawn; warn if they have few classes."""
        ids = self.ids[rows]
        labels, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
        if len(labels) < 2:
            raise ValueError(
                "y holds one class, but embeddings are learnt from the difference of "
                "two classes at least. Add sequences of another class."
            )
        self.drawing.warn_of_few(len(labels))
        if loss == "classification":
            return
        alone = rows[counts[places] == 1]
        if self.drawing.crop is None and len(alone):
            raise ValueError(
                f"X[{alone[0]}] is the only sequence of its class, and crop=None "
                "leaves it whole, so that it has nothing to be alike to. Set crop to "
                "'auto' or (low, high), add a sequence of its class, or leave it out."
            )
        least = self.least_frames()
        short = alone[self.lengths[alone] < 2 * least]
        if len(short):
            n_frames = counted(int(self.lengths[short[0]]), "frame")
            raise ValueError(
                f"X[{short[0]}] is the only sequence of its class, and has {n_frames}: "
                f"too few for two parts, each of {counted(least, 'frame')} at least. "
                "Add a sequence of its class, or leave it out."
            )

    def drawn(self, subset: Subset, plan: TrainingPlan, epoch: int):
        """The parts of sequences that an epoch is made of, and its batches."""
        epoch = epoch if plan.shuffle else 0
        rows = subset.rows
        rng = generator(plan.seed, "batches", epoch)
        sizes = self.lengths[rows], self.least_frames()
        batches = self.drawing.of_classes(self.ids[rows], *sizes, rng)
        drawn = Rows.joined(batches)
        targets = {"groups": self.ids[rows[drawn.rows]]}
        return _epoch(self, drawn, batches, subset, rows, targets, plan, epoch)

    def held_out(self, rows, fraction, seed, owner) -> tuple[np.ndarray, np.ndarray]:
        """Rows to learn from and to validate with, which share no class."""
        classes = np.unique(self.ids[rows])
        n_held = max(2, round(fraction * len(classes)))
        if len(classes) - n_held < 2:
            raise ValueError(
                f"{owner} sets whole classes aside to validate with, two at least, and "
                f"learns from two at least, but y has "
                f"{counted(len(classes), 'class', 'classes')} and validation_fraction="
                f"{fraction}. Lower validation_fraction, or pass X_val and y_val to "
                "fit."
            )
        order = generator(seed, "validation").permutation(classes)
        is_held = np.isin(self.ids[rows], order[:n_held])
        return rows[~is_held], rows[is_held]

    def judged(self, rows) -> "tuple[Parts, Any]":
        """Parts by which vectors are judged, and which pairs of them are alike.

        A class of one sequence gives its two halves.
        """
        rows = some_rows(rows, self.ids[rows])
        _, places, counts = np.unique(
            self.ids[rows], return_inverse=True, return_counts=True
        )
        is_single = counts[places] == 1
        is_single &= self.lengths[rows] >= 2 * self.least_frames()
        repeats = 1 + is_single
        chosen = np.repeat(np.arange(len(rows)), repeats)
        part = np.concatenate([np.arange(n) for n in repeats])
        drawn = whole(chosen)
        drawn = replace(drawn, parts=part, n_parts=repeats[chosen])
        parts = Parts(self, rows[drawn.rows], drawn)
        return parts, ByClass(self.ids[rows[drawn.rows]])

    def fingerprint(self) -> str:
        """A checksum of all that training sees."""
        arrays = [self.sample_weight, self.ids]
        return f"{self.sequences.fingerprint()}-{fingerprint_arrays(arrays)}"


@dataclass
class PairedFrames:
    """Pairs of sequences, alike or not; a row is a pair.

    Attributes
    ----------
    source : CentredFrames
        The first sequences of all pairs, and then the second ones.
    sample_weight : ndarray of shape (n_pairs,)
    is_alike : ndarray of bool of shape (n_pairs,)
    drawing : Drawing
    """

    source: CentredFrames
    sample_weight: np.ndarray
    is_alike: np.ndarray
    drawing: Drawing

    @property
    def shortening(self) -> Shortening | None:
        return self.source.shortening

    @shortening.setter
    def shortening(self, value) -> None:
        self.source.shortening = value

    @property
    def sequences(self) -> Joined:
        return self.source.sequences

    @property
    def lengths(self) -> np.ndarray:
        return self.source.lengths.reshape(2, -1).max(axis=0)

    @property
    def output_lengths(self) -> np.ndarray:
        return self.source.output_lengths.reshape(2, -1).min(axis=0)

    def in_epoch(self, seed, epoch, exact) -> "PairedFrames":
        """Itself: what is drawn in an epoch is drawn with the batches."""
        return self

    def take(self, rows) -> "PairedFrames":
        """Some of the pairs."""
        sequences, weights = self.sequences.take(rows), self.sample_weight[rows]
        source = replace(
            self.source, sequences=sequences, sample_weight=np.tile(weights, 2)
        )
        return replace(
            self, source=source, sample_weight=weights, is_alike=self.is_alike[rows]
        )

    def check(self, rows, loss: str) -> None:
        """Refuse rows of which no batch can be drawn."""
        check_both_kinds(self.is_alike[rows])

    def drawn(self, subset: Subset, plan: TrainingPlan, epoch: int):
        """The pairs that an epoch is made of, and its batches; both sides alternate."""
        epoch = epoch if plan.shuffle else 0
        rng = generator(plan.seed, "batches", epoch)
        rows, n_pairs = subset.rows, len(self.is_alike)
        sizes = self.lengths[rows], self.source.least_frames()
        batches = self.drawing.of_pairs(*sizes, rng)
        drawn = Rows.joined(batches)
        origins = rows[drawn.rows]
        targets = {"groups": self.is_alike[origins].astype(np.int64)}
        sides = origins + n_pairs * (np.arange(len(origins)) % 2)
        given = drawn, batches, subset, rows, targets, plan, epoch
        return _epoch(self.source, *given, sides=sides)

    def held_out(self, rows, fraction, seed, owner) -> tuple[np.ndarray, np.ndarray]:
        """Pairs to learn from and to validate with, of both kinds."""
        is_few = len(rows) < len(self.is_alike)
        return hold_out(rows, fraction, seed, owner, is_few, self.is_alike)

    def judged(self, rows) -> "tuple[Parts, Any]":
        """The sequences of some pairs, and which pairs of them are alike."""
        rows = some_rows(rows)
        sides = np.concatenate([rows, rows + len(self.is_alike)])
        return Parts(self.source, sides, whole(sides)), ByPair(self.is_alike[rows])

    def fingerprint(self) -> str:
        """A checksum of all that training sees."""
        arrays = [self.sample_weight, self.is_alike]
        return f"{self.sequences.fingerprint()}-{fingerprint_arrays(arrays)}"


@dataclass(frozen=True)
class ByClass:
    """All pairs of rows are given: they are alike where their ids are equal."""

    ids: np.ndarray

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows of both sides of each pair, and whether they are alike."""
        first, second = np.triu_indices(len(self.ids), 1)
        return first, second, self.ids[first] == self.ids[second]


@dataclass(frozen=True)
class ByPair:
    """Some pairs are given: row i, and row i + n_pairs."""

    is_alike: np.ndarray

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows of both sides of each pair, and whether they are alike."""
        first = np.arange(len(self.is_alike))
        return first, first + len(first), self.is_alike


@dataclass
class Parts:
    """Parts of sequences, in the place of whole ones.

    Attributes
    ----------
    source : CentredFrames
    places : ndarray of int of shape (n_parts,)
        The sequence that each is a part of.
    drawn : Rows
        Which part.
    targets : dict of str to ndarray
        What a batch holds beside the network's inputs.
    seed : int or None
        What augmenters draw from, together with the number of a part.
    are_equally_long : bool
        Whether all parts of a batch must have one length.
    """

    source: CentredFrames
    places: np.ndarray
    drawn: Rows
    targets: dict[str, np.ndarray] = field(default_factory=dict)
    seed: int | None = None
    are_equally_long: bool = False

    @property
    def shortening(self) -> Shortening | None:
        return self.source.shortening

    @shortening.setter
    def shortening(self, value) -> None:
        self.source.shortening = value

    @property
    def lengths(self) -> np.ndarray:
        return self.drawn.sizes(self.source.lengths[self.places])

    @property
    def sample_weight(self) -> np.ndarray:
        return self.source.sample_weight[self.places]

    @property
    def output_lengths(self) -> np.ndarray:
        return self.source.shortening(self.lengths)[1]

    def read(self, rows) -> list[np.ndarray]:
        """The sequences of a batch, from wherever the user keeps them."""
        return self.source.read(self.places[rows])

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors."""
        read = self.read(rows) if read is None else read
        made = list(map(self._part, rows, read))
        if self.are_equally_long:
            shortest = min(map(len, made))
            made = [frames[:shortest] for frames in made]
        batch = self.source.padded(made)
        return batch | {name: value[rows] for name, value in self.targets.items()}

    def _part(self, row, read) -> np.ndarray:
        place, sequences = self.places[row], self.source.sequences
        if self.seed is not None:
            seed = derive(self.seed, int(row))
            sequences = sequences.in_epoch(seed, 0, fits=self._fitting(row))
        frames = sequences.made(place, read)
        start, end = self.drawn.bounds(row, len(frames))
        return frames[start:end]

    def _fitting(self, row):
        """Tells whether the network leaves a frame of a part of so long a sequence."""
        n_parts = int(self.drawn.n_parts[row])
        return lambda i, n: self.source.shortening(np.array([n // n_parts]))[1][0] > 0


def _epoch(source, drawn, batches, subset, rows, targets, plan, epoch, sides=None):
    """The parts drawn for an epoch as a subset, and their places in batches."""
    origins = rows[drawn.rows]
    places = origins if sides is None else sides
    seed = derive(plan.seed, "parts", epoch)
    parts = Parts(source, places, drawn, targets, seed, plan.exact_lengths)
    ends = np.cumsum([len(batch.rows) for batch in batches])
    order = np.arange(len(places))
    made = DrawnSubset(parts, order, origins, subset.weights[drawn.rows])
    return made, np.split(order, ends[:-1])


@dataclass(frozen=True)
class DrawnSubset(Subset):
    """What an epoch is made of, under the weights of what it was drawn from."""

    own_weights: np.ndarray | None = None

    @property
    def weights(self) -> np.ndarray:
        return self.own_weights
