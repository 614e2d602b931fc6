"""What an embedder learns from: labelled sequences, or pairs; and parts of them.

Knows nothing of Keras.
"""

import math
from dataclasses import dataclass, field, replace
from functools import partial
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
from skseq._siamese.joined import Joined, part_of
from skseq._siamese.judging import some_rows
from skseq._siamese.pairs import check_both_kinds, of_positive_weight
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

    @property
    def least_input(self) -> int:
        """Frames of which something is left: one without its mean is zero."""
        return 2 if self.center else 1

    def least_frames(self) -> int:
        """The shortest part of a sequence of which the network leaves a frame."""
        low = self.least_input
        high = max(low, int(self.lengths.max()))
        while low < high:
            middle = (low + high) // 2
            leaves_one = self.shortening(np.array([middle]))[1][0] > 0
            low, high = (low, middle) if leaves_one else (middle + 1, high)
        return low


@dataclass
class ReadFrames(CentredFrames):
    """What is to be embedded; notes of which sequences only zeros are left.

    Attributes
    ----------
    blank : set of int
        Those without anything but their mean, among the ones assembled so far.
    """

    blank: set[int] = field(default_factory=set, kw_only=True)

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors."""
        batch = super().assemble(rows, read)
        if self.center:
            is_blank = ~batch["frames"].any(axis=(1, 2))
            self.blank.update(np.asarray(rows)[is_blank].tolist())
        return batch


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
            of = of_positive_weight("sequences", self.sample_weight)
            raise ValueError(
                f"y holds one class{of}, but embeddings are learnt from the difference "
                "of two classes at least. Add sequences of another class, or shuffle "
                "the folds of a search: KFold(shuffle=True)."
            )
        self.drawing.check_crop(self.least_input)
        self.drawing.warn_of_few(len(labels))
        if loss == "classification":
            return
        alone = rows[counts[places] == 1]
        of = of_positive_weight("those", self.sample_weight)
        if self.drawing.crop is None and len(alone):
            raise ValueError(
                f"X[{alone[0]}] is the only sequence of its class{of}, and crop=None "
                "leaves it whole, so that it has nothing to be alike to. Set crop to "
                "'auto' or (low, high), add a sequence of its class, or leave it out."
            )
        least = self.least_frames()
        short = alone[self.lengths[alone] < 2 * least]
        if len(short):
            n_frames = counted(int(self.lengths[short[0]]), "frame")
            raise ValueError(
                f"X[{short[0]}] is the only sequence of its class{of}, and has "
                f"{n_frames}: too few for two parts, each of "
                f"{counted(least, 'frame')} at least. Add a sequence of its class, or "
                "leave it out."
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
            of = of_positive_weight("sequences", self.sample_weight)
            is_enough = len(classes) >= 4
            cure = "Lower validation_fraction" if is_enough else "Add classes"
            raise ValueError(
                f"{owner} sets whole classes aside to validate with, two at least, and "
                f"learns from two at least, so that y needs four, but y has "
                f"{counted(len(classes), 'class', 'classes')}{of} and "
                f"validation_fraction={fraction}. {cure}, or pass X_val and y_val to "
                "fit."
            )
        order = generator(seed, "validation").permutation(classes)
        is_held = np.isin(self.ids[rows], order[:n_held])
        return rows[~is_held], rows[is_held]

    def some(self, rows, most: int) -> np.ndarray:
        """Some rows, by which a fit is judged."""
        return some_rows(rows, self.ids[rows], most)

    def chance(self, loss: str, margin: float | None) -> float | None:
        """The loss without any learning; None if it is not known."""
        n_classes = len(np.unique(self.ids))
        wanted = self.drawing.n_classes
        if loss == "classification" and not margin:
            return math.log(n_classes)
        if loss != "prototypical" or (wanted != "auto" and wanted > n_classes):
            return None
        return math.log(self.drawing.classes_per_batch(n_classes))

    def described(self, parts: "Parts") -> str:
        """What was judged, in words."""
        n_sequences = len(np.unique(parts.places))
        who = counted(n_sequences, "training sequence")
        n_cut = len(parts.places) - n_sequences
        return f"{who}, {n_cut} of them in halves," if n_cut else who

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


class OfSource:
    """What is made of a `source`: it shortens time as that does."""

    source: CentredFrames

    @property
    def shortening(self) -> Shortening | None:
        return self.source.shortening

    @shortening.setter
    def shortening(self, value) -> None:
        self.source.shortening = value


@dataclass
class PairedFrames(OfSource):
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
        of = of_positive_weight("pairs", self.sample_weight)
        check_both_kinds(self.is_alike[rows], of=of)
        self.drawing.check_crop(self.source.least_input)

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
        n_held = round(fraction * len(rows))
        if 0 < n_held < len(rows):
            parts = hold_out(rows, fraction, seed, owner, False, self.is_alike)
            if all(len(set(self.is_alike[part].tolist())) == 2 for part in parts):
                return parts
        n_alike = int(np.count_nonzero(self.is_alike[rows]))
        of = of_positive_weight("pairs", self.sample_weight)
        raise ValueError(
            f"{owner}.fit_pairs sets pairs aside to validate with, and needs both "
            "kinds there and among those that it learns from, but y has "
            f"{counted(n_alike, 'pair')} alike and {len(rows) - n_alike} not{of}, and "
            f"validation_fraction={fraction} of {counted(len(rows), 'pair')} is "
            f"{n_held}. Change validation_fraction, add pairs, or set "
            "early_stopping=False."
        )

    def some(self, rows, most: int) -> np.ndarray:
        """Some pairs, by which a fit is judged."""
        return some_rows(rows, self.is_alike[rows], most)

    def chance(self, loss: str, margin: float | None) -> None:
        """Nothing: the loss of pairs tells no learning, as kinds are rare or not."""
        return None

    def described(self, parts: "Parts") -> str:
        """What was judged, in words."""
        return counted(len(parts.places) // 2, "training pair")

    def judged(self, rows) -> "tuple[Parts, Any]":
        """The sequences of some pairs, and which pairs of them are alike."""
        rows = some_rows(rows, self.is_alike[rows])
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
class Parts(OfSource):
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
            sequences = sequences.in_epoch(seed, 0, fits=self._fits)
        bounds = partial(self.drawn.bounds, row)
        return part_of(sequences, place, read, bounds)

    def _fits(self, i, n_frames) -> bool:
        """Whether enough is left of a part that has become so long."""
        if n_frames < self.source.least_input:
            return False
        return self.source.shortening(np.array([n_frames]))[1][0] > 0


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
