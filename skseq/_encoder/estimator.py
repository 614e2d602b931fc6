"""The base of the estimators whose frames pass the encoder."""

import inspect
import math
from collections.abc import Callable

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skseq._data.labels import sorted_classes
from skseq._data.lengths import refuse_own_lengths
from skseq._data.scaling import Scaling
from skseq._data.sequences import check_sequences
from skseq._data.suspicions import check_learnt, warn_of_waveforms
from skseq._data.terms import FRAMES, IMAGES, Terms
from skseq._encoder.convolutions import MOST_STRIDES, pick_convolutions
from skseq._encoder.data import Shortening
from skseq._encoder.network import encoder, output_lengths
from skseq._frames import FrameEstimator
from skseq._nn.front_ends import FRONT_END, check_front_end, front_end_of
from skseq._nn.padding import check_padded_batches, reads_ids
from skseq._parameters import (
    BOOLEAN,
    NON_NEGATIVE_REAL,
    NONE,
    POSITIVE_INT,
    Kind,
    OneOf,
    TupleOf,
    as_tuple,
)
from skseq._wording import counted

CONVOLUTIONS = OneOf(["auto"]), POSITIVE_INT, TupleOf(POSITIVE_INT, min_length=0)

CLASS_WEIGHT = (
    OneOf(["balanced"]),
    Kind(
        lambda value: (
            isinstance(value, dict)
            and all(map(NON_NEGATIVE_REAL.accepts, value.values()))
        ),
        "a dict of labels to weights of at least 0",
    ),
    NONE,
)

ENCODER_CONSTRAINTS = {
    "conv_filters": CONVOLUTIONS,
    "conv_kernel_size": POSITIVE_INT,
    "conv_strides": CONVOLUTIONS,
    "front_end": FRONT_END,
    "standardize": BOOLEAN,
}


class EncoderEstimator(FrameEstimator):
    """Base of the estimators whose frames pass the encoder.

    A task says how far time may be shortened, and by `_output_lengths` what becomes of
    the frames that the front end gives.
    """

    _constraints = ENCODER_CONSTRAINTS
    _routes = (*FrameEstimator._routes, "front_end")
    _output_lengths: Callable = staticmethod(output_lengths)
    _suspect_lengths: Callable = staticmethod(refuse_own_lengths)  # as y

    # -- what to learn from -------------------------------------------------------

    def _checked_frames(self, X, y, *, reset, is_trained_on=True):
        """Checked frames that come with a y, after the steps of `preprocess`."""
        sequences = check_learnt(self, X, y, reset=reset, terms=self._terms)
        self._suspect_lengths(sequences.lengths, y)
        if is_trained_on:
            return self._preprocessed(sequences, reset)
        return self._transformed(sequences)

    def _frames_of(self, X):
        """Checked frames, as the trained network reads them."""
        sequences = check_sequences(self, X, reset=False, terms=self._terms)
        return self._transformed(sequences)

    def _take_classes(self, classes, reset) -> None:
        """Take the labels that `partial_fit` is told of, if it is, and keep them."""
        if classes is None:
            return
        classes = sorted_classes(classes)
        if not reset and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"classes={classes.tolist()} must be those of the first call, "
                f"{self.classes_.tolist()}."
            )
        self.classes_ = classes

    def _learn_scaling(self, sequences, sample_weight) -> None:
        """Learn what frames are centred on and divided by; warn of waveforms."""
        warn_of_waveforms(sequences, self._shortened_by())
        scaling = Scaling.fit(
            sequences,
            np.flatnonzero(sample_weight > 0),
            standardize=self.standardize,
            pooled=self.front_end == "image",
        )
        self.mean_, self.scale_ = scaling.mean, scaling.scale

    def _shortened_by(self) -> float:
        """How many frames become one; infinity where that is known in training only."""
        if self.front_end:
            return math.inf
        if "auto" in (self.conv_filters, self.conv_strides):
            return 1
        strides = as_tuple(self.conv_strides, len(as_tuple(self.conv_filters)))
        return math.prod(strides)

    @property
    def _terms(self) -> Terms:
        return IMAGES if self.front_end == "image" else FRAMES

    @property
    def _scaling(self) -> Scaling:
        return Scaling(self.mean_, self.scale_)

    # -- the network --------------------------------------------------------------

    def _encoder_settings(self, present: dict, room: Callable, most: int) -> dict:
        """The settings of the encoder; `room` and `most` as of `pick_convolutions`."""
        conv_filters, conv_strides = pick_convolutions(
            self._wanted_filters(),
            self.conv_strides,
            room,
            present,
            has_front_end=self.front_end is not None,
            most=most,
        )
        if len(conv_strides) != len(conv_filters):
            raise ValueError(
                f"conv_strides has {counted(len(conv_strides), 'entry', 'entries')}, "
                f"but conv_filters has {len(conv_filters)}. Give one stride per "
                "convolution, or one int for all."
            )
        return {
            "n_features": self._n_inputs,
            "units": as_tuple(self.units),
            "cell": self.cell,
            "bidirectional": bool(self.bidirectional),
            "dropout": float(self.dropout),
            "conv_filters": conv_filters,
            "conv_kernel_size": int(self.conv_kernel_size),
            "conv_strides": conv_strides,
            "front_end": self.front_end,
            "front_end_parameters": check_front_end(
                self.front_end, self._routed("front_end"), type(self).__name__
            ),
        }

    def _wanted_filters(self):
        """The parameter `conv_filters`, or what a task makes of "auto"."""
        return self.conv_filters

    def _prepare(self, program, data):
        front_end, model = front_end_of(self._settings), program.model
        if self.standardize and reads_ids(model):
            raise ValueError(
                "front_end looks its frames up in a keras.layers.Embedding, but "
                "standardize=True changes them. Set standardize=False."
            )

        def count(lengths):
            lengths = front_end.output_lengths(model, lengths)
            return lengths, self._output_lengths(self._settings, lengths)

        data.shortening = Shortening(count)

    @property
    def conv_strides_(self) -> tuple[int, ...]:
        """The stride of each convolution, as `conv_strides` gave it or "auto" chose."""
        check_is_fitted(self)
        return self._settings["conv_strides"]

    # -- keeping ------------------------------------------------------------------

    def _graph_parts(self, model) -> tuple:
        """What an `EncodedGraph` of the fitted network is made of."""
        check_padded_batches(model)
        front_end = front_end_of(self._settings)
        return model, self._graph_inputs(), self._scaling, front_end

    def _check_restored(self):
        super()._check_restored()
        own = inspect.signature(self._network).parameters
        rest = {n: v for n, v in self._settings.items() if n not in own}
        inspect.signature(encoder).bind(**rest)
        strides = math.prod(self._settings["conv_strides"])
        if strides > MOST_STRIDES:  # each batch would be padded to as many frames
            raise ValueError(f"its conv_strides make one frame of {strides}")
        self._check_restored_width()
