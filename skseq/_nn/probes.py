"""A front end made ready to be tried out: its runs, random weights, frames and lengths.

A run in training leaves no trace in the weights, so that each starts from the same
ones. Decides nothing: see `padding`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from skseq._nn.front_ends import n_output_frames

# Frames of padding that are tried at least, whatever the lengths of the data.
FAR = 600

# Frames up to which three sequences are tried; of longer ones, the first.
_SHORT = 4096

# Values to try a front end on, made of those of a normal distribution.
_VALUES = (
    lambda normal: normal,
    lambda normal: np.abs(normal) + 0.01,  # above zero
    lambda normal: 1 / (1 + np.exp(-normal)),  # between zero and one
    lambda normal: np.abs(normal) + 10,
    lambda normal: np.abs(normal) * 1000 + 1000,
)


class Probe:
    """A front end, compiled for inference and for training, and lengths to try.

    `longest` is the number of frames of the longest sequence to be batched. Padding is
    tried that is longer by a quarter, as augmented sequences may be longer, too.
    """

    def __init__(self, front_end: keras.Model, rng, longest: int = 0):
        self.front_end, self.rng, self.longest = front_end, rng, longest
        self.width = front_end.input_shape[-1]
        self.n_frames = self._shortest()
        self.own = front_end.get_weights()
        self.values = next(filter(self._gives_finite, _VALUES), None)
        self.is_finite = self.values is not None
        self.values = self.values or _VALUES[0]

    # -- runs ------------------------------------------------------------------------

    def infer(self, frames) -> tf.Tensor:
        """What it makes of frames in inference."""
        return self._inference(tf.constant(frames))

    def train(self, frames) -> tf.Tensor:
        """What it makes of frames in training."""
        return self.trained(frames)[0]

    def trained(self, frames) -> tuple[tf.Tensor, list[np.ndarray]]:
        """What it makes of frames in training, and the weights that this leaves."""
        before = self.front_end.get_weights()
        outputs = self._training(tf.constant(frames))
        after = self.front_end.get_weights()
        self.front_end.set_weights(before)
        return outputs, after

    @cached_property
    def _inference(self) -> Callable:
        return self._compiled(training=False)

    @cached_property
    def _training(self) -> Callable:
        return self._compiled(training=True)

    def _compiled(self, training) -> Callable:
        signature = [tf.TensorSpec((None, None, self.width), "float32")]
        return tf.function(
            lambda frames: self.front_end(frames, training=training),
            input_signature=signature,
            autograph=False,
        ).get_concrete_function()

    def _gives_finite(self, values) -> bool:
        """Whether the front end makes finite frames of such values."""
        if self.n_frames is None:
            return True
        self.values = values
        return bool(np.isfinite(self.infer(self.frames(self.n_frames))).all())

    # -- lengths and frames ----------------------------------------------------------

    def n_outputs(self, n_frames) -> int:
        return n_output_frames(self.front_end, (3, n_frames, self.width))

    def _shortest(self) -> int | None:
        """A number of frames that gives several outputs; None if there is none."""
        sizes = (9 * 2**i for i in range(10))
        return next((n for n in sizes if self.n_outputs(n) > 2), None)

    def lengths(self) -> list[int]:
        return [self.n_frames + more for more in (0, 7, 14)]

    def paddings(self) -> list[int]:
        """Frames of padding: few, some output strides, and many."""
        n_frames, longer = self.n_frames, 8 * self.n_frames
        n_more = max(1, self.n_outputs(longer) - self.n_outputs(n_frames))
        stride = -(-(longer - n_frames) // n_more)
        return sorted({1, 2, 5, 3 * stride + 1, 2 * n_frames + FAR})

    def long_paddings(self) -> list[int]:
        """As many frames of padding as a batch may have, if that is more."""
        most = self.longest + self.longest // 4
        return [most] if most > 2 * self.n_frames + FAR else []

    def frames(self, n_frames) -> np.ndarray:
        """Three sequences: of both signs, above zero, and below, as a maximum needs."""
        frames = self.rng.normal(size=(3, n_frames, self.width))
        frames[1:] = [[[0.5]], [[-0.5]]] + frames[1:] * [[[0.1]], [[0.1]]]
        return self.values(frames).astype("float32")

    # -- weights ---------------------------------------------------------------------

    def restore(self) -> None:
        """Give the front end the weights that it had."""
        self.front_end.set_weights(self.own)

    def roughen(self, scale, is_signed=True) -> None:
        """Give the front end random weights; padding often does nothing on fresh ones.

        Variances that a layer keeps stay positive.
        """
        weights = []
        for weight in self.front_end.weights:
            value = self.rng.normal(scale=scale, size=weight.shape)
            keeps_sign = is_signed and "variance" not in weight.path
            weights.append(value if keeps_sign else np.abs(value) + 0.1 * scale)
        self.front_end.set_weights(weights)

    def roughen_kernels(self, scale) -> None:
        """Give it random kernels, but biases of zero, as they are at first.

        Weights that are all equal keep their value. Biases set padded frames apart from
        zero, and so hide what divides by them.
        """
        self.roughen(scale)
        rough = self.front_end.get_weights()
        for i, own in enumerate(self.own):
            if own.size and (own == own.flat[0]).all():
                rough[i] = own
            elif own.ndim < 2:
                rough[i] = np.zeros_like(own)
        self.front_end.set_weights(rough)


def padded(frames, n_padding) -> np.ndarray:
    """Sequences with frames of zeros after them, as in a batch."""
    return np.pad(frames, ((0, 0), (0, n_padding), (0, 0)))


def few_enough(frames, n_padding=0) -> np.ndarray:
    """The sequences, or the first of them where they become long, to bound the cost."""
    return frames if frames.shape[1] + n_padding <= _SHORT else frames[:1]


@contextmanager
def weights_kept(front_end) -> Iterator[None]:
    """Put the weights back that are there now, statistics among them."""
    weights = front_end.get_weights()
    try:
        yield
    finally:
        front_end.set_weights(weights)
