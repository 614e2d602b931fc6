"""The base of the embedder: how it is trained, judged, kept and exported.

Its subclass has the parameters, and what users ask of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skseq._base import BATCH_ROWS, INFERENCE_ROWS
from skseq._data.collections import check_n_samples
from skseq._data.label_vocabulary import LabelVocabulary
from skseq._data.labels import check_labels
from skseq._data.scaling import Scaling
from skseq._data.weights import check_sample_weight
from skseq._encoder.convolutions import MOST_OF_SEQUENCES
from skseq._encoder.data import check_output_lengths
from skseq._encoder.estimator import ENCODER_CONSTRAINTS, EncoderEstimator
from skseq._encoder.network import output_lengths
from skseq._engine.convergence import not_learnt
from skseq._engine.export import Export
from skseq._engine.programs import NotFiniteError
from skseq._engine.replicas import n_replicas_of
from skseq._engine.state import Subset
from skseq._frames import FITTED_FRAMES
from skseq._parameters import (
    ABSENT,
    BOOLEAN,
    NONE,
    POSITIVE_INT,
    POSITIVE_REAL,
    Interval,
    Kind,
    OneOf,
    TupleOf,
    instance_of,
)
from skseq._siamese.data import (
    CentredFrames,
    LabelledFrames,
    OwnMeans,
    PairedFrames,
    ReadFrames,
)
from skseq._siamese.distances import DISTANCES
from skseq._siamese.draws import Drawing
from skseq._siamese.export import EmbedderGraph
from skseq._siamese.joined import Joined
from skseq._siamese.judging import (
    distances_of,
    lack_of_distance,
    lack_of_fall,
    scores_of,
)
from skseq._siamese.loss import ClassLosses, PairLosses
from skseq._siamese.network import POOLINGS, embed, embedding_network
from skseq._siamese.pairs import (
    LOSSES,
    check_both_kinds,
    check_goes_together,
    check_takes_pairs,
    of_positive_weight,
    pair_flags,
)
from skseq._siamese.thresholds import (
    best_threshold,
    calibrated,
)
from skseq._warnings import warn
from skseq._wording import counted
from skseq.exceptions import TrainingDivergedError
from skseq.metrics import equal_error_rate


def _is_crop(value) -> bool:
    """Whether a value bounds the frames of parts."""
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    return is_pair and all(map(POSITIVE_INT.accepts, value)) and value[0] <= value[1]


CONSTRAINTS = {
    **ENCODER_CONSTRAINTS,
    "units": (POSITIVE_INT, TupleOf(POSITIVE_INT, min_length=0)),
    "center": BOOLEAN,
    "pooling": OneOf(POOLINGS),
    "embedding_dim": POSITIVE_INT,
    "loss": OneOf(LOSSES),
    "distance": OneOf(DISTANCES),
    "margin": (NONE, POSITIVE_REAL),
    "classes_per_batch": (OneOf(["auto"]), Interval(int, 2, None)),
    "samples_per_class": Interval(int, 2, None),
    "steps_per_epoch": (OneOf(["auto"]), POSITIVE_INT),
    "crop": (
        OneOf(["auto"]),
        Kind(_is_crop, "a pair of ints (low, high) of at least 1, low not above high"),
        NONE,
    ),
}

# What conv_filters="auto" stands for. Measured: of what frames hold, much is told by
# how it varies, which many features say better than states of a recurrence.
N_FILTERS = 256
N_LAYERS = 2

# What a user calls each of `network.HEADS`.
HEAD_WORDS = {
    "none": "loss='triplet', 'contrastive' or 'kl_hinge'",
    "scale": "loss='prototypical' by fit or partial_fit",
    "scale and bias": "loss='prototypical' by fit_pairs",
    "classes": "loss='classification'",
}

# Sequences, or pairs, of which a fit is judged: enough of both kinds among them.
N_JUDGED = 256

FINITE = Interval(float, None, None, closed="neither")

CALIBRATION = Kind(
    lambda value: (
        isinstance(value, tuple)
        and len(value) == 2
        and all(map(FINITE.accepts, value))
        and value[0] >= 0
    ),
    "a slope and an offset",
)


class EmbeddingEstimator(EncoderEstimator):
    """Base of the embedder, which has its parameters."""

    _constraints = CONSTRAINTS
    _epochs_are_drawn = True
    _fitted = {  # noqa: RUF012
        **FITTED_FRAMES,
        "classes_": (instance_of(np.ndarray), ABSENT),
        "threshold_": (NONE, FINITE),
        "_calibration": (NONE, CALIBRATION),
        "_compared_by": OneOf(DISTANCES),
        "_is_centred": BOOLEAN,
        "_of_pairs": BOOLEAN,
        "_unlike": Interval(int, -1, 0, closed="both"),
    }

    # -- what the base asks for ---------------------------------------------------

    def _check_parameters(self):
        super()._check_parameters()
        check_goes_together(self.loss, self.distance, self.margin)
        n_replicas = n_replicas_of(self.distribute)
        if n_replicas > 1:
            raise ValueError(
                f"distribute has {n_replicas} replicas, but the sequences of a batch "
                f"of {type(self).__name__} are compared with each other, which is not "
                "shared among devices. Leave distribute out."
            )

    def _check_data(
        self, X, y, sample_weight, *, reset, is_training=False, classes=None
    ):
        if isinstance(X, Both):
            return self._check_pairs(X, y, sample_weight, reset=reset)
        sequences = self._checked_frames(X, y, reset=reset)
        labels = self._labels(y, len(sequences))
        sample_weight = check_sample_weight(sample_weight, len(sequences))
        if reset:
            self._learn_scaling(sequences, sample_weight)
            self._unlike = -1
        is_first = reset or "classes_" not in vars(self)  # as after pairs
        if is_first:
            self.classes_ = LabelVocabulary.fit(labels).classes
        if is_training:
            self._take_center(reset)
            self._of_pairs = False
            self._take_classes(classes, is_first)
        if is_training and self.loss == "classification":
            ids = LabelVocabulary(self.classes_, "single").encode(labels)
        else:
            ids = LabelVocabulary.fit(labels).encode(labels)
        given = sequences, sample_weight, self._scaling, bool(self.center)
        return LabelledFrames(*given, np.concatenate(ids), self._drawing)

    def _check_pairs(self, both, y, sample_weight, *, reset) -> PairedFrames:
        check_takes_pairs(self.loss)
        first, second = self._sides(both.first, both.second, reset=reset, trained=True)
        is_alike, unlike = pair_flags(y, len(first))
        sample_weight = check_sample_weight(sample_weight, len(first))
        of = of_positive_weight("pairs", sample_weight)
        check_both_kinds(is_alike[sample_weight > 0], of=of)
        sequences, weights = Joined((first, second)), np.tile(sample_weight, 2)
        if reset:
            self._learn_scaling(sequences, weights)
        vars(self).pop("classes_", None)  # those of an earlier y
        self._take_center(reset)
        self._of_pairs, self._unlike = True, unlike
        source = CentredFrames(sequences, weights, self._scaling, bool(self.center))
        return PairedFrames(source, sample_weight, is_alike, self._drawing)

    def _take_center(self, reset) -> None:
        """Keep whether means are removed, which the scale goes with."""
        center = bool(self.center)
        if not reset and center != self._is_centred:
            raise ValueError(
                f"Training cannot continue with frames about another mean: center was "
                f"{self._is_centred} and is {center}. Set it back, or train again by "
                "fit with warm_start=False."
            )
        self._is_centred = center

    def _learn_scaling(self, sequences, sample_weight):
        super()._learn_scaling(sequences, sample_weight)
        if self.center and self.standardize:
            scaling = Scaling.fit(
                OwnMeans(sequences),
                np.flatnonzero(sample_weight > 0),
                pooled=self.front_end == "image",
            )
            self.scale_ = scaling.scale

    def _make_settings(self, data, validation, present):
        parts = [part for part in (data, validation) if part is not None]
        lengths = np.concatenate([part.sequences.lengths for part in parts])

        def room(strides):
            return output_lengths({"conv_strides": strides}, lengths).min()

        known = LOSSES[self.loss]
        settings = self._encoder_settings(present, room, MOST_OF_SEQUENCES)
        is_told = self.loss == "classification"
        return {
            **settings,
            "bidirectional": settings["bidirectional"] and bool(settings["units"]),
            "embedding_dim": int(self.embedding_dim),
            "pooled": self.pooling,
            "head": known.pair_head if isinstance(data, PairedFrames) else known.head,
            "n_classes": len(self.classes_) if is_told else 0,
        }

    def _take_settings(self, settings, continues):
        if continues and settings["head"] != self._settings["head"]:
            before, now = (HEAD_WORDS[s["head"]] for s in (self._settings, settings))
            raise ValueError(
                "Training cannot continue with another loss, which learns other "
                f"weights: the network was trained with {before}, and is to be with "
                f"{now}. Go on as before, or train again by fit or fit_pairs with "
                "warm_start=False."
            )
        super()._take_settings(settings, continues)

    def _wanted_filters(self):
        if self.conv_filters != "auto" or self.front_end is not None:
            return self.conv_filters
        strides = self.conv_strides
        n_layers = len(strides) if isinstance(strides, (list, tuple)) else N_LAYERS
        return (N_FILTERS,) * n_layers

    _network = staticmethod(embedding_network)

    def _make_losses(self):
        margin = self.margin
        if margin is None:
            margin = LOSSES[self.loss].margins.get(self.distance)
        kind = PairLosses if self._of_pairs else ClassLosses
        return kind(self.loss, self.distance, margin and float(margin))

    def _trainable_rows(self, data):
        _check_frames_left(data)
        return super()._trainable_rows(data)

    def _subsets(self, program, data, validation):
        self._prepare(program, data)
        rows, held = self._trainable_rows(data), None
        if validation is not None:
            self._prepare(program, validation)
            held = Subset(validation, self._trainable_rows(validation))
        elif self._holds_out:
            owner = type(self).__name__
            given = self.validation_fraction, self._seed, owner
            rows, held_rows = data.held_out(rows, *given)
            held = Subset(data, held_rows)
        data.check(rows, self.loss)
        if held is not None:
            is_alike = held.data.judged(held.rows)[1].pairs()[2]
            check_both_kinds(is_alike, "What is validated with")
        return Subset(data, rows), held

    @property
    def _validation_loss(self):
        return self._error_rate

    def _pick_batch_size(self, training):
        return BATCH_ROWS if self.batch_size == "auto" else int(self.batch_size)

    @np.errstate(under="ignore")
    def _conclude(self, training, validation):
        """Settle the threshold, and what probabilities are made of."""
        self._compared_by = self.distance
        subset = training if validation is None else validation
        parts, truth = subset.data.judged(subset.rows)
        try:
            rows = self._rows_of(parts)
        except NotFiniteError as error:  # of weights that are finite, but too large
            raise TrainingDivergedError(self.n_iter_, measure="output") from error
        distances, is_alike = self._judged(rows, truth)
        self.threshold_ = self._calibration = None
        if is_alike.any() and not is_alike.all():
            scores = scores_of(distances, self._compared_by)
            self.threshold_ = best_threshold(scores, is_alike)
            self._calibration = calibrated(scores, is_alike)

    def _judged_rows(self, training):
        return training.data.some(training.rows, N_JUDGED)

    def _failure(self, data):
        parts, truth = data.judged(np.arange(len(data.sample_weight)))
        rows = self._rows_of(parts)
        lack = lack_of_distance(rows, *self._judged(rows, truth))
        lack = lack or lack_of_fall(
            self.history_["loss"], data.chance(self.loss, self.margin)
        )
        advice = f"a lower or higher {self._rate_name}, or another loss or margin"
        who = data.described(parts)
        return lack and not_learnt(self, who, lack, advice)

    def _try_example(self):
        self._rows_of(self._unlabelled(self._example()))

    def _exported(self, model, format):
        name = "transform" if format == "saved_model" else "model"
        parts = self._graph_parts(model)
        graph = EmbedderGraph(*parts, bool(self._is_centred), self._compared_by)
        description = {
            "estimator": type(self).__name__,
            "distance": self._compared_by,
            "threshold": self.threshold_,
            **graph.inputs.described(),
        }
        return Export(graph.graphs(name), description)

    def _check_restored(self):
        super()._check_restored()
        settings = self._settings
        if settings["pooled"] not in POOLINGS:
            raise ValueError(f"it pools by {settings['pooled']!r}, not by {POOLINGS}")
        if (self.threshold_ is None) != (self._calibration is None):
            raise ValueError("its threshold and its calibration do not go together")

    # -- its own ------------------------------------------------------------------

    @property
    def _n_features_out(self):
        return self._settings["embedding_dim"]

    @property
    def _drawing(self) -> Drawing:
        crop = self.crop
        crop = crop if crop is None or crop == "auto" else tuple(map(int, crop))
        n_classes, n_steps = self.classes_per_batch, self.steps_per_epoch
        return Drawing(n_classes, int(self.samples_per_class), n_steps, crop)

    def _labels(self, y, n_samples):
        name = type(self).__name__
        return check_labels(y, n_samples, target="single", estimator_name=name)

    def _ids(self, y, n_samples) -> np.ndarray:
        labels = self._labels(y, n_samples)
        return np.concatenate(LabelVocabulary.fit(labels).encode(labels))

    def _sides(self, A, B, *, reset=False, trained=False) -> tuple:
        """The checked sequences of both sides of pairs, as the network reads them."""
        sides = []
        for name, side in (("A", A), ("B", B)):
            try:
                if trained:
                    is_first = reset and not sides
                    sides.append(self._checked_frames(side, None, reset=is_first))
                else:
                    sides.append(self._frames_of(side))
            except (TypeError, ValueError) as error:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(f"In {name}: {error}") from error
        check_n_samples("B", len(sides[1]), len(sides[0]))
        return tuple(sides)

    def _unlabelled(self, sequences) -> ReadFrames:
        weights = np.ones(len(sequences))
        return ReadFrames(sequences, weights, self._scaling, self._is_centred)

    def _embedded(self, data: ReadFrames, names=("X",)) -> np.ndarray:
        """The row of each sequence; warns of those of which nothing is left.

        They are those of all `names`, one collection after another.
        """
        rows = self._rows_of(data)
        if data.blank:
            i = min(data.blank)
            side, place = divmod(i, max(1, len(rows) // len(names)))
            who = f"{names[side]}[{place}]"
            n_others = len(data.blank) - 1
            others = f" and {counted(n_others, 'other')}" if n_others else ""
            warn(
                f"{who}{others} cannot be told apart: center=True removes the mean of "
                "each sequence, and of one frame, or of equal ones, nothing is left. "
                "Leave such sequences out, or train with center=False."
            )
        return rows

    def _rows_of(self, data) -> np.ndarray:
        """The row of each sequence or part, (n_samples, embedding_dim)."""
        vectors = self._map(data, _as_they_are, _run_network, check=_check_frames_left)
        return DISTANCES[self._compared_by].rows(np.stack(vectors))

    def _judged(self, rows, truth) -> tuple[np.ndarray, np.ndarray]:
        """The distances of judged pairs, and whether they are alike."""
        first, second, is_alike = truth.pairs()
        return distances_of(rows, first, second, self._compared_by), is_alike

    @np.errstate(under="ignore")
    def _error_rate(self, program, subset) -> float:
        """The equal error rate of a validation set."""
        self._compared_by = self.distance
        parts, truth = subset.data.judged(subset.rows)
        given = parts, _as_they_are, _run_network, INFERENCE_ROWS
        rows = np.stack(self._map_batches(program, *given))
        distances, is_alike = self._judged(DISTANCES[self.distance].rows(rows), truth)
        return float(equal_error_rate(is_alike.astype(int), -distances))

    def _check_threshold(self) -> None:
        """Refuse to judge pairs where no threshold is known."""
        if self.threshold_ is None:
            raise ValueError(
                "There is no threshold: the sequences that the last fit settles it by "
                "make no pairs of both kinds, alike and not. Call "
                "fit_threshold(A, B, y) with labelled pairs."
            )


@dataclass(frozen=True)
class Both:
    """The two sides of pairs, as a user passes them."""

    first: Any
    second: Any


def _as_they_are(rows, vectors):
    return vectors.copy()


def _run_network(program, batch):
    return program.run(embed, *program.inputs(batch))


def _check_frames_left(data) -> None:
    check_output_lengths(data, "front end leaves none")
