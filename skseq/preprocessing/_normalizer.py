"""Scales each sequence by its own frames. Knows nothing of other sequences."""

from collections.abc import Callable

import numpy as np

from skseq._parameters import BOOLEAN, check_parameters
from skseq.preprocessing._transformer import SequenceTransformer, float_type


class SequenceNormalizer(SequenceTransformer):
    """Standardize each feature over the frames of each sequence on its own.

    Known in speech as cepstral mean and variance normalization [1]_: it removes what is
    constant throughout a recording, such as its loudness and its microphone. Nothing is
    learnt from other sequences. To scale all sequences alike, use
    ``FrameTransformer(StandardScaler())``.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean over the frames. A sequence of one frame then
        becomes zero.
    with_std : bool, default=True
        Whether to divide by the standard deviation over the frames. A feature that is
        constant within a sequence is not divided there.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a frame; for a 2-D `X`, its number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,), dtype=object
        Names of the features; exists only if `X` has column names that are all str.

    See Also
    --------
    FrameTransformer : Applies a transformer that is fitted on all sequences.

    References
    ----------
    .. [1] O. Viikki and K. Laurila, "Cepstral domain segmental feature vector
           normalization for noise robust speech recognition", Speech Communication,
           25(1-3), pp. 133-147, 1998.

    Examples
    --------
    >>> from skseq.preprocessing import SequenceNormalizer
    >>> X = [[[1.0], [3.0]], [[10.0], [20.0], [30.0]]]
    >>> X_out = SequenceNormalizer().fit_transform(X)
    >>> X_out[0].ravel()
    array([-1.,  1.])
    """

    def __init__(self, *, with_mean: bool = True, with_std: bool = True):
        self.with_mean = with_mean
        self.with_std = with_std

    def _mapping(self) -> Callable[[int, np.ndarray], np.ndarray]:
        check_parameters(self, {"with_mean": BOOLEAN, "with_std": BOOLEAN})
        return self._normalize

    def _normalize(self, _: int, frames: np.ndarray) -> np.ndarray:
        wide = frames.astype(np.float64)  # (n_frames, n_features), a copy
        mean = wide.mean(axis=0)
        deviation = wide.std(axis=0)
        # The rounding error of a constant does not count as a deviation.
        noise = rounding_of(frames.dtype, len(wide)) * np.abs(mean)
        deviation[deviation <= noise] = 1.0
        if self.with_mean:
            wide -= mean
        if self.with_std:
            wide /= deviation
        return wide.astype(float_type(frames))


def rounding_of(dtype: np.dtype, n_frames: int) -> float:
    """The most that frames of one value may deviate, relative to it.

    Their mean is rounded, and so is each of them: a constant that was computed in
    double precision may lie between two numbers of single precision.
    """
    of_mean = n_frames * np.finfo(np.float64).eps
    of_frames = np.finfo(dtype).eps / 2 if dtype.kind == "f" else 0.0
    return max(of_mean, of_frames)
