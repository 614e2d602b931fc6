"""Which shapes are warned of, and which are not."""

import re
import warnings

import numpy as np
import pytest

from skseq._data.suspicions import warn_of_turned, warn_of_waveforms
from skseq._data.terms import FRAMES, IMAGES
from tests.data.samples import RAGGED, fit

pytestmark = pytest.mark.core


def warn_of(sequences, *shortened_by):
    warn_of_turned(sequences)
    warn_of_waveforms(sequences, *shortened_by)


@pytest.mark.parametrize(
    ("X", "terms", "message"),
    [
        (
            np.ones((4, 3, 50)),
            FRAMES,
            "X is read as 4 sequences of 3 frames of 50 features each. If it has "
            "the channels before time, as in aeon, transpose: X = X.transpose(0, 2, 1)",
        ),
        (np.ones((4, 1, 9)), FRAMES, "X = X.transpose(0, 2, 1)."),
        ([np.ones((3, 50))] * 4, FRAMES, "X = [x.T for x in X]."),
        (
            [np.ones((20, 40))] * 4,
            IMAGES,
            "X is read as 4 images of 20 pixels in width and 40 pixels in height. If "
            "their rows come first, transpose: X = [x.T for x in X].",
        ),
        (
            [np.ones(9000), np.ones(2001), np.ones(40)],
            FRAMES,
            "one feature and 2001 frames (median). If they are sound, make features",
        ),
        (np.ones((2, 3000)), FRAMES, "skseq.preprocessing.LogMel(sample_rate=...)"),
    ],
)
def test_what_may_be_something_else_is_warned_of(X, terms, message):
    with pytest.warns(UserWarning, match=re.escape(message)):
        warn_of(fit(X, terms=terms))


@pytest.mark.parametrize(
    ("X", "terms", "shortened_by"),
    [
        (RAGGED, FRAMES, 1),
        ([np.ones((2, 40)), np.ones((3, 40))], FRAMES, 1),
        (np.ones((4, 10, 64)), FRAMES, 1),
        (np.ones((4, 50, 3)), FRAMES, 1),
        ([np.ones((20, 32))] * 4, IMAGES, 1),
        ([np.ones((9000, 2))], FRAMES, 1),
        ([np.ones(9000), np.ones(140), np.ones(140)], FRAMES, 1),
        ([np.ones(9000)], FRAMES, 160),
    ],
)
def test_what_is_probably_meant_is_not(X, terms, shortened_by):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of(fit(X, terms=terms), shortened_by)
