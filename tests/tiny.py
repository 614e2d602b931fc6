"""A tiny CTC network and data for it, below the estimators."""

import numpy as np

from skseq._ctc.data import FrameData
from skseq._ctc.loss import CTCLosses
from skseq._ctc.network import ctc_network
from skseq._data.scaling import Scaling
from skseq._data.sequences import Sequences
from skseq._encoder.data import Shortening
from skseq._engine.programs import Recipe

SETTINGS = {
    "n_features": 2,
    "n_labels": 2,
    "units": (2,),
    "cell": "lstm",
    "bidirectional": True,
    "dropout": 0.3,
    "conv_filters": (),
    "conv_kernel_size": 1,
    "conv_strides": (),
    "front_end": None,
    "front_end_parameters": (),
    "skip_frames": 0,
}


def recipe_with(**changes):
    """The tiny network, with some settings changed."""
    settings = {**SETTINGS, **changes}
    return Recipe(ctc_network, tuple(settings.items()), CTCLosses())


RECIPE = recipe_with()

# The tiny network shortens nothing.
SAME_LENGTHS = Shortening(lambda lengths: (lengths, lengths))

UNSCALED = Scaling(np.zeros(2), np.ones(2))


def frame_data(n_samples, seed=0):
    """Random frames with one or two labels a sequence."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 8, size=n_samples)
    frames = [rng.normal(size=(n, 2)).astype("float32") for n in lengths]
    labels = [rng.integers(2, size=1 + i % 2) for i in range(n_samples)]
    sequences = Sequences(frames, lengths, 2, "sequences")
    return FrameData(
        sequences, np.ones(n_samples), UNSCALED, labels, shortening=SAME_LENGTHS
    )
