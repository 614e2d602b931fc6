"""The base of the estimators that give one output per sequence, or one per frame."""

from abc import abstractmethod

import numpy as np

from skseq._encoder.convolutions import MOST_OF_ONE_LABEL
from skseq._encoder.data import check_output_lengths
from skseq._encoder.estimator import EncoderEstimator
from skseq._encoder.network import output_lengths
from skseq._engine.programs import Program
from skseq._framewise.data import TargetFrames
from skseq._framewise.network import POOLINGS, framewise_network
from skseq._wording import counted


class FramewiseEstimator(EncoderEstimator):
    """Base of the estimators with one network and a head of their own.

    A task says how many outputs there are, and by `_pooled` how the states of a
    sequence become one; None leaves one row of outputs per frame.
    """

    _network = staticmethod(framewise_network)

    # -- what a task gives --------------------------------------------------------

    @property
    @abstractmethod
    def _n_outputs(self) -> int:
        """How many values the network gives for a sequence or a frame."""

    @property
    @abstractmethod
    def _pooled(self) -> str | None:
        """The pooling, or None."""

    # -- the network --------------------------------------------------------------

    def _make_settings(self, data, validation, present):
        parts = [part for part in (data, validation) if part is not None]
        lengths = np.concatenate([part.lengths for part in parts])

        def room(strides):
            return output_lengths({"conv_strides": strides}, lengths).min()

        if self._pooled is None:
            self._check_strides()
        most = 1 if self._pooled is None else MOST_OF_ONE_LABEL
        return {
            **self._encoder_settings(present, room, most),
            "n_outputs": self._n_outputs,
            "pooled": self._pooled,
        }

    def _check_strides(self) -> None:
        """Refuse to shorten time where there is one output per frame."""
        strides = self.conv_strides
        given = [strides] if isinstance(strides, int) else strides
        if strides != "auto" and max(given, default=1) > 1:
            raise ValueError(
                f"conv_strides={strides!r} would shorten time, but y holds one value "
                'per frame. Leave it at "auto", or set it to 1.'
            )

    def _trainable_rows(self, data):
        if self._pooled is None:
            check_keeps_length(data)
        else:
            check_frames_left(data)
        return super()._trainable_rows(data)

    def _check_restored(self):
        super()._check_restored()
        pooled = self._settings.get("pooled")  # a tagger pools nothing
        if pooled is not None and pooled not in POOLINGS:
            raise ValueError(f"it pools by {pooled!r}, which is none of {POOLINGS}")

    # -- using --------------------------------------------------------------------

    def _map_frames(self, sequences, read, run=Program.infer) -> list:
        """What `read(rows, *outputs)` makes of each sequence, in order."""
        data = TargetFrames(sequences, np.ones(len(sequences)), self._scaling)
        return self._map(data, read, run, check=check_frames_left)


def check_frames_left(data) -> None:
    """Refuse sequences of which the front end leaves no frame."""
    check_output_lengths(data, "front end leaves none")


def check_keeps_length(data: TargetFrames) -> None:
    """Refuse a front end that makes another number of frames; each has a value."""
    wrong = np.flatnonzero(data.output_lengths != data.lengths)
    if wrong.size:
        i = int(wrong[0])
        raise ValueError(
            f"front_end makes {counted(int(data.output_lengths[i]), 'frame')} of the "
            f"{data.lengths[i]} of X[{i}], but y holds one value per frame. Pad its "
            'convolutions (padding="same"), and leave out strides and pooling.'
        )
