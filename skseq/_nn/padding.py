"""Tells whether padding, or another sequence, can reach what a front end makes.

Where padding can, or another sequence in training, sequences must be batched by exact
length, with no padding at all; where another sequence can reach a prediction, the front
end is refused. The layers are a user's own and may do anything, so they are tried out:

- Zeros after a sequence, as in a real batch, must change none of its outputs, under
  random weights of several scales and signs.
- A sequence must give the same alone and beside others, and NaN in another sequence
  must not pass to it: NaN passes through any weights, and random layers do not disturb
  it. Where that fails in inference no batching helps, and it is an error; where it
  fails in training alone, the layers take statistics over the batch.
- NaN in padding must not reach outputs in training alone.
- Outputs must be finite on padding too, and so must gradients.

Padding is tried shorter than an output's stride and longer than any output can see.
Frames are tried of which the layers make finite values: a square root or a logarithm
takes some only. Where none are found nothing can be told, and lengths must be exact.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from skseq._nn.front_ends import LAYER, n_output_frames
from skseq._seeding import generator
from skseq._warnings import warn

# Frames beyond which nothing is assumed to reach, unless its strides say so.
_FAR = 600

# Values to try a front end on, made of those of a normal distribution.
_VALUES = (
    lambda normal: normal,
    lambda normal: np.abs(normal) + 0.01,  # above zero
    lambda normal: 1 / (1 + np.exp(-normal)),  # between zero and one
    lambda normal: np.abs(normal) + 10,
    lambda normal: np.abs(normal) * 1000 + 1000,
)

# Standard deviations of random weights: large ones saturate gates, small ones do not.
_SCALES = (0.1, 0.5, 2.0)

# The attribute of a probed front end that says whether it mixes a batch in training.
_MIXES = "mixes_in_training"


def own_front_end(model) -> keras.Model | None:
    """The user's front end in a network, if there is one."""
    return next((layer for layer in model.layers if layer.name == LAYER), None)


def warn_of_layers(model) -> None:
    """Warn where a probed front end holds what is better left out."""
    front_end = own_front_end(model)
    layers = [] if front_end is None else list(_layers_of(front_end))
    if getattr(front_end, _MIXES, False):
        found = _names(layers, keras.layers.BatchNormalization)
        warn(
            "In training, what front_end makes of a sequence depends on the others of "
            f"its batch{found}. Batches hold sequences of one length only, which keeps "
            "padding out but makes them small. Use layers that look at one sequence at "
            "a time, such as keras.layers.LayerNormalization in place of "
            "BatchNormalization."
        )
    if found := _names(layers, keras.layers.Masking):
        warn(
            f"front_end masks frames{found}. Padding needs no mask, as skseq leaves it "
            "out itself, and the layers after front_end read masked frames like all "
            "others. Remove the Masking layer."
        )


def reads_ids(model) -> bool:
    """Whether a user's front end looks frames up in a table."""
    front_end = own_front_end(model)
    layers = [] if front_end is None else _layers_of(front_end)
    return any(isinstance(layer, keras.layers.Embedding) for layer in layers)


def _names(layers, kind) -> str:
    """The trainable layers of a kind, in brackets, if there are any."""
    names = [la.name for la in layers if isinstance(la, kind) and la.trainable]
    return f" ({', '.join(names)})" if names else ""


def sees_padding(model, seed=0) -> bool:
    """Whether batches of this network must hold sequences of one length only."""
    front_end = own_front_end(model)
    if front_end is None:
        return False
    probe = _Probe(front_end, generator(seed, "probe"))
    if probe.n_frames is None:  # it gives hardly any output: nothing can be tried
        return True
    _check_output_length(probe)
    try:
        return _sees_padding(probe)
    except tf.errors.InvalidArgumentError:  # it takes some values only, such as ids
        return True


def _sees_padding(probe) -> bool:
    front_end = probe.front_end
    with _weights_kept(front_end):
        if _mixes(probe, probe.infer):
            raise ValueError(
                "What front_end makes of a sequence depends on the other sequences of "
                "its batch, so predictions would depend on how X is cut into batches. "
                "Its axes are (n_samples, n_frames, n_features): compute over axis 1 "
                "or 2, not 0."
            )
        setattr(front_end, _MIXES, _mixes(probe, probe.train))
        if not probe.is_finite:
            return True
        tests = _is_not_finite, _padding_matters
        return getattr(front_end, _MIXES) or any(test(probe) for test in tests)


class _Probe:
    """A front end, compiled for inference and for training, and lengths to try."""

    def __init__(self, front_end, rng):
        self.front_end, self.rng = front_end, rng
        self.width = front_end.input_shape[-1]
        self.n_frames = self._shortest()
        signature = [tf.TensorSpec((None, None, self.width), "float32")]
        self.infer, self.train = (
            tf.function(
                call, input_signature=signature, autograph=False
            ).get_concrete_function()
            for call in (_called(front_end, training=False), _called(front_end, True))
        )
        self.values = next(filter(self._gives_finite, _VALUES), None)
        self.is_finite = self.values is not None
        self.values = self.values or _VALUES[0]

    def _gives_finite(self, values) -> bool:
        """Whether the front end makes finite frames of such values."""
        if self.n_frames is None:
            return True
        self.values = values
        outputs = self.infer(tf.constant(self.frames(self.n_frames)))
        return bool(np.isfinite(outputs).all())

    def n_outputs(self, n_frames) -> int:
        return n_output_frames(self.front_end, (3, n_frames, self.width))

    def _shortest(self) -> int | None:
        """A number of frames that gives several outputs; None if there is none."""
        sizes = (9 * 2**i for i in range(10))
        return next((n for n in sizes if self.n_outputs(n) > 2), None)

    def lengths(self) -> list[int]:
        return [self.n_frames + more for more in (0, 7, 14)]

    def paddings(self) -> list[int]:
        """Frames of padding: few, some output strides, and beyond any reach."""
        n_frames, longer = self.n_frames, 8 * self.n_frames
        n_more = max(1, self.n_outputs(longer) - self.n_outputs(n_frames))
        stride = -(-(longer - n_frames) // n_more)
        return sorted({1, 2, 5, 3 * stride + 1, 2 * n_frames + _FAR})

    def frames(self, n_frames) -> np.ndarray:
        """Three sequences: of both signs, above zero, and below, as a maximum needs."""
        frames = self.rng.normal(size=(3, n_frames, self.width))
        frames[1:] = [[[0.5]], [[-0.5]]] + frames[1:] * [[[0.1]], [[0.1]]]
        return self.values(frames).astype("float32")

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


def _called(front_end, training) -> Callable:
    return lambda frames: front_end(frames, training=training)


def _check_output_length(probe) -> None:
    """Refuse layers that give another number of frames than they say."""
    found = probe.infer(tf.constant(probe.frames(probe.n_frames))).shape[1]
    expected = probe.n_outputs(probe.n_frames)
    if found != expected:
        raise ValueError(
            f"front_end gives {found} frames for {probe.n_frames} in a compiled "
            f"network, but its layers say {expected}. keras.layers.TimeDistributed "
            "does so where the number of frames is open: leave it out, as a Dense "
            "layer acts on each frame anyway."
        )


def _mixes(probe, run) -> bool:
    """Whether a sequence gives something else beside others than alone."""
    frames = probe.frames(probe.n_frames)
    beside_nan = frames.copy()
    beside_nan[1:] = np.nan
    found, expected = (np.isnan(run(tf.constant(f))[0]) for f in (beside_nan, frames))
    if (found & ~expected).any():
        return True
    probe.roughen(_SCALES[0])  # small weights, which do not amplify rounding errors
    batches = frames[:1], frames[:1], frames
    alone, again, beside = (run(tf.constant(batch))[0].numpy() for batch in batches)
    return _are_near(alone, again) and not _are_near(alone, beside)


def _are_near(first, second) -> bool:
    """Whether outputs are equal but for rounding; those of random layers are not."""
    most = 1e-3 * np.abs(first[np.isfinite(first)]).max(initial=0) + 1e-6
    return np.allclose(first, second, rtol=0, atol=most, equal_nan=True)


def _is_not_finite(probe) -> bool:
    """Whether padding makes outputs, or gradients of real outputs, infinite or NaN."""
    probe.roughen(_SCALES[1])
    n_frames = probe.n_frames
    frames = np.pad(probe.frames(n_frames), ((0, 0), (0, n_frames), (0, 0)))
    weights = [w.value for w in probe.front_end.trainable_weights]
    with tf.GradientTape() as tape:
        outputs = probe.infer(tf.constant(frames))
        total = tf.reduce_sum(outputs[:, : probe.n_outputs(n_frames)])
    gradients = [g for g in tape.gradient(total, weights) if g is not None]
    return not all(np.isfinite(value).all() for value in (outputs, *gradients))


def _padding_matters(probe) -> bool:
    """Whether padding changes real outputs, in inference or in training."""
    paddings = probe.paddings()
    draws = [(scale, True) for scale in _SCALES] + [(_SCALES[1], False)]
    for draw in draws:
        probe.roughen(*draw)
        if any(_zeros_matter(probe, n, paddings) for n in probe.lengths()):
            return True
    # Random layers make two runs in training differ, but they let NaN pass.
    return any(
        _nan_reaches(probe, probe.train, n) and not _nan_reaches(probe, probe.infer, n)
        for n in paddings
    )


def _zeros_matter(probe, n_frames, paddings) -> bool:
    frames, n_outputs = probe.frames(n_frames), probe.n_outputs(n_frames)
    alone = probe.infer(tf.constant(frames))[:, :n_outputs]
    for n_padding in paddings:
        padded = np.pad(frames, ((0, 0), (0, n_padding), (0, 0)))
        beside = probe.infer(tf.constant(padded))[:, :n_outputs]
        if not np.allclose(alone, beside, rtol=1e-5, atol=1e-5):
            return True
    return False


def _nan_reaches(probe, run, n_padding) -> bool:
    """Whether NaN in padding reaches the outputs of real frames."""
    frames = probe.frames(probe.n_frames + n_padding)
    frames[:, probe.n_frames :] = np.nan
    outputs = run(tf.constant(frames))[:, : probe.n_outputs(probe.n_frames)]
    return bool(np.isnan(outputs).any())


def _layers_of(layer) -> Iterator:
    """All layers inside a layer, however deep."""
    inner = [*getattr(layer, "layers", []), getattr(layer, "layer", None)]
    for part in filter(None, inner):
        yield part
        yield from _layers_of(part)


@contextmanager
def _weights_kept(front_end) -> Iterator[None]:
    """Put the weights back that are there now, statistics among them."""
    weights = front_end.get_weights()
    try:
        yield
    finally:
        front_end.set_weights(weights)
