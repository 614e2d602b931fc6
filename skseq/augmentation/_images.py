"""Changes images whose columns are the frames of a sequence, read from left to right.

A frame is one column of grey pixels. Knows nothing of what is written.
"""

from typing import ClassVar, Literal

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from skseq._parameters import NON_NEGATIVE_REAL, POSITIVE_REAL, Interval, OneOf
from skseq.augmentation._base import REAL, ArrayAugmenter

_FILL = (OneOf(["edge"]), REAL)


class Shear(ArrayAugmenter):
    """Slant an image, as handwriting is slanted.

    Each row of pixels is moved sideways in proportion to its distance from the middle
    row, which stays [1]_. The angle is drawn from ``-max_degrees`` to ``max_degrees``,
    all equally likely. Pixels are interpolated linearly along the row.

    Parameters
    ----------
    max_degrees : float, default=15.0
        Largest angle by which upright strokes are slanted, in degrees.
    fill : "edge" or float, default="edge"
        Value of pixels from outside the image: that at the end of their row, or this
        number.

    Attributes
    ----------
    changes_frames : bool
        True: what stands in a column moves to its neighbours.

    See Also
    --------
    Elastic : Moves each neighbourhood in a direction of its own.

    References
    ----------
    .. [1] P. Y. Simard, D. Steinkraus and J. C. Platt, "Best practices for
           convolutional neural networks applied to visual document analysis", ICDAR,
           pp. 958-963, 2003.

    Examples
    --------
    An upright stroke of three pixels, its columns being the rows of the array:

    >>> import numpy as np
    >>> from skseq.augmentation import Shear
    >>> image = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    >>> Shear(45)(image, np.random.default_rng(0)).round(2)
    array([[0.22, 0.  , 0.  ],
           [0.78, 1.  , 0.78],
           [0.  , 0.  , 0.22]])
    """

    changes_frames = True
    _constraints: ClassVar = {"max_degrees": Interval(float, 0, 90), "fill": _FILL}

    def __init__(
        self, max_degrees: float = 15.0, *, fill: Literal["edge"] | float = "edge"
    ):
        self.max_degrees = max_degrees
        self.fill = fill

    def _change(self, frames, rng):
        n_columns, n_rows = frames.shape
        slope = np.tan(np.radians(rng.uniform(-self.max_degrees, self.max_degrees)))
        shifts = slope * (np.arange(n_rows) - (n_rows - 1) / 2)
        sources = np.arange(n_columns)[:, None] - shifts  # (n_columns, n_rows)
        changed = _along_rows(frames, np.clip(sources, 0, n_columns - 1))
        if self.fill != "edge":
            changed[(sources < 0) | (sources > n_columns - 1)] = self.fill
        return changed


def _along_rows(frames: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Interpolate each row of pixels at columns of its own."""
    before = sources.astype(np.intp)
    after = np.minimum(before + 1, len(frames) - 1)
    weight = (sources - before).astype(frames.dtype)
    first, second = (np.take_along_axis(frames, i, axis=0) for i in (before, after))
    return first + weight * (second - first)


class Elastic(ArrayAugmenter):
    """Distort an image smoothly, as handwriting varies.

    Each pixel moves by a random displacement, and near pixels move alike: displacements
    are white Gaussian noise, smoothed by a Gaussian [1]_. Pixels are interpolated
    linearly, and those beyond the edges repeat the pixel at the edge.

    Parameters
    ----------
    scale : float, default=1.0
        Standard deviation of the displacement of a pixel along either axis, in pixels.
        Larger values distort more.
    smoothness : float, default=6.0
        Standard deviation of the Gaussian that smooths displacements, in pixels. Larger
        values move larger neighbourhoods alike. Keep it well above `scale`, or strokes
        are torn.

    Attributes
    ----------
    changes_frames : bool
        True: what stands in a column moves to its neighbours.

    See Also
    --------
    Shear : Slants the whole image.

    Notes
    -----
    The displacements are drawn at points that lie `smoothness` apart, between which the
    Gaussian interpolates, and have the same deviation everywhere.

    References
    ----------
    .. [1] P. Y. Simard, D. Steinkraus and J. C. Platt, "Best practices for
           convolutional neural networks applied to visual document analysis", ICDAR,
           pp. 958-963, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Elastic
    >>> from skseq.datasets import make_digit_strips
    >>> X, _ = make_digit_strips(1, n_digits=(3, 3), gap=(1, 1), random_state=0)
    >>> Elastic(0.5, 4)(X[0], np.random.default_rng(0)).shape
    (28, 8)
    """

    changes_frames = True
    _constraints: ClassVar = {"scale": NON_NEGATIVE_REAL, "smoothness": POSITIVE_REAL}

    def __init__(self, scale: float = 1.0, smoothness: float = 6.0):
        self.scale = scale
        self.smoothness = smoothness

    def _change(self, frames, rng):
        across, down = (_smoothing(size, self.smoothness) for size in frames.shape)
        noise = rng.standard_normal((2, across.shape[1], down.shape[1]))
        moves = self.scale * (across @ noise @ down.T)  # (2, n_columns, n_rows)
        sources = np.indices(frames.shape, dtype=float) + moves
        # The type of the output also rules in which the values are summed up.
        return map_coordinates(
            frames, sources, output=frames.dtype, order=1, mode="nearest"
        )


def _smoothing(size: int, smoothness: float) -> np.ndarray:
    """Weights of the points of a grid at each pixel, their squares adding up to one."""
    n_points = int((size - 1) / smoothness) + 1
    grid = smoothness * np.arange(-3, n_points + 4)
    distances = (np.arange(size)[:, None] - grid) / smoothness
    weights = np.exp(-0.5 * distances**2)
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


class Blur(ArrayAugmenter):
    """Blur an image with a Gaussian, as a lens out of focus does.

    Parameters
    ----------
    max_sigma : float, default=1.0
        Largest standard deviation of the Gaussian, in pixels, the same along rows and
        columns. Deviations from 0 on are equally likely.

    Attributes
    ----------
    changes_frames : bool
        False: columns keep their number and times.

    See Also
    --------
    GaussianNoise : Adds noise to pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Blur
    >>> dot = np.zeros((3, 3))
    >>> dot[1, 1] = 1.0
    >>> Blur(0.8)(dot, np.random.default_rng(0)).round(2)
    array([[0.01, 0.09, 0.01],
           [0.09, 0.6 , 0.09],
           [0.01, 0.09, 0.01]])
    """

    _constraints: ClassVar = {"max_sigma": NON_NEGATIVE_REAL}

    def __init__(self, max_sigma: float = 1.0):
        self.max_sigma = max_sigma

    def _change(self, frames, rng):
        return gaussian_filter(frames, rng.uniform(0, self.max_sigma), mode="nearest")
