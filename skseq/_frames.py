"""What the tasks share that read frames: their width, before and after `preprocess`.

A translator reads tokens and has none of it.
"""

import numpy as np

from skseq._base import SequenceEstimator
from skseq._data.scaling import SCALE, VECTOR
from skseq._data.sequences import FITTED_X, Sequences, n_frame_features
from skseq._nn.steps import GraphInputs
from skseq._parameters import POSITIVE_INT
from skseq._preprocess import preprocessed
from skseq._preprocess.steps import transformers_of
from skseq._shared_parameters import FITTED
from skseq._warnings import warn
from skseq._wording import counted

# Enough for an output frame after any usual convolutions.
EXAMPLE_FRAMES = 64

# What every estimator of frames learns, beside its own.
FITTED_FRAMES = {
    **FITTED,
    **FITTED_X,
    "_n_inputs": POSITIVE_INT,
    "mean_": VECTOR,
    "scale_": SCALE,
}


# Deviations from zero at which single precision rounds by a thousandth of one.
FAR = 1e4


class FrameEstimator(SequenceEstimator):
    """Base of the estimators whose X are frames, which they standardize."""

    def _preprocessed(self, sequences, reset):
        """Checked frames as the network is to be trained on them.

        With reset their width is learnt, otherwise it must be the one that was.
        """
        made = preprocessed(sequences, self.preprocess, is_fit=reset)
        self._steps = transformers_of(self.preprocess)
        if reset:
            self._n_inputs = made.n_features
        elif made.n_features != self._n_inputs:
            raise ValueError(
                f"preprocess gives frames of {counted(made.n_features, 'feature')}, "
                f"but in fit it gave {self._n_inputs}. Set preprocess back, or fit "
                "again."
            )
        return made

    def _example(self) -> Sequences:
        """A made-up sequence, as the trained network reads it."""
        frames = np.zeros((EXAMPLE_FRAMES, self._n_inputs), dtype=np.float32)
        lengths = np.array([EXAMPLE_FRAMES])
        return Sequences([frames], lengths, self._n_inputs, "sequences")

    def _transformed(self, sequences):
        """Checked frames as the trained network reads them."""
        return preprocessed(sequences, self._steps)

    def _graph_inputs(self) -> GraphInputs:
        """What exported graphs take, and what is made of it before the network."""
        if not self._steps and np.max(np.abs(self.mean_) / self.scale_) > FAR:
            warn(
                "Exported graphs take frames in single precision, and some features "
                f"of X lie more than {FAR:,.0f} deviations from zero: results will "
                "differ from those of predict. Subtract a constant from them, and fit "
                "again."
            )
        return GraphInputs.of(n_frame_features(self), self._steps)

    def _check_restored_width(self) -> None:
        """Check the width of the frames that was read from a file."""
        known = self._n_inputs if self._steps else n_frame_features(self)
        if not self._settings["n_features"] == self._n_inputs == known:
            raise ValueError(
                f"it has {counted(known, 'feature')} for a network that takes another "
                "number"
            )
        for name in ("mean_", "scale_"):
            if len(getattr(self, name)) != self._n_inputs:
                raise ValueError(
                    f"its {name} must hold {counted(self._n_inputs, 'value')}"
                )
