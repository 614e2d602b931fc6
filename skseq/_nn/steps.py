"""The steps of `preprocess` as TensorFlow's operations, for graphs that leave skseq.

Each takes padded sequences (n_samples, n_frames, n_features), what is past a length
being anything, with their lengths, and returns others of that kind. They compute in
double precision, as the steps themselves do, and give what those give to rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from scipy.fft import dct

from skseq._nn import portable
from skseq._nn.answerable import Batch
from skseq._nn.layers import zero_padding
from skseq._preprocess.steps import name_of
from skseq.preprocessing import MFCC, FrameDifference, LogMel, SequenceNormalizer
from skseq.preprocessing._audio import ROUNDING_OF_SUMS
from skseq.preprocessing._mel import ROUNDING, SLOPE_WIDTH
from skseq.preprocessing._normalizer import rounding_of

# Frames, or seconds of sound, of the sequences that a written graph is tried on.
_N_FRAMES = 300, 170
_SECONDS = 1.0, 0.6


@dataclass(frozen=True)
class GraphInputs:
    """What a graph takes from its user, and what is made of it before a network.

    Attributes
    ----------
    n_features : int
        Features of a frame as it is passed.
    steps : list
        The transformers of `preprocess`.
    """

    n_features: int
    steps: list

    @classmethod
    def of(cls, n_features: int, steps: list | None) -> "GraphInputs":
        """Refuse steps that no graph can hold, by name."""
        for i, step in enumerate(steps or []):
            if type(step) not in _STEPS:
                raise ValueError(
                    f"preprocess[{i}], {name_of(step)}, cannot be exported: of steps "
                    f"only {', '.join(kind.__name__ for kind in _STEPS)} can be part "
                    "of a graph. Apply it outside, and fit without it."
                )
        return cls(n_features, list(steps or []))

    @property
    def name(self) -> str:
        """What is passed beside the lengths."""
        return "waveforms" if self._are_waveforms else "frames"

    def described(self) -> dict[str, float]:
        """What a reader must know beside shapes: the rate of audio samples."""
        if not self._are_waveforms:
            return {}
        return {"sample_rate": float(self.steps[0].sample_rate)}

    @property
    def specs(self) -> tuple:
        """The inputs, as TensorFlow describes them."""
        sequences = tf.TensorSpec((None, None, *self._width), tf.float32, self.name)
        return sequences, tf.TensorSpec((None,), tf.int32, "lengths")

    @property
    def example(self) -> dict[str, np.ndarray]:
        """A small batch."""
        longest, shortest = _N_FRAMES
        if self._are_waveforms:
            rate = self.steps[0].sample_rate
            longest, shortest = (round(seconds * rate) for seconds in _SECONDS)
        values = np.random.default_rng(0).normal(size=(2, longest, *self._width))
        lengths = np.array([longest, shortest], dtype="int32")
        return {self.name: values.astype("float32"), "lengths": lengths}

    def read(self, lengths, **sequences) -> Batch:
        """The frames that the steps make, float32, and which can be answered for."""
        frames = sequences[self.name]
        frames = frames[..., tf.newaxis] if self._are_waveforms else frames
        if portable.have_assertions():
            with tf.control_dependencies(self._checks(tf.shape(frames), lengths)):
                frames, lengths = tf.identity(frames), tf.identity(lengths)
        batch = Batch.of(frames, lengths, self.name).demand_finite(
            f"{self.name} must be finite up to each length: fill or drop what is not."
        )
        for i, step in enumerate(self.steps):
            made = _STEPS[type(step)](step, batch.frames, batch.lengths)
            batch = Batch(*made, batch.is_sound).demand_frames(
                f"preprocess[{i}], {name_of(step)}, leaves no frame of a sequence: "
                "lengthen it or leave it out."
            )
        return batch

    def _checks(self, shape, lengths) -> list:
        """What refuses batches of a wrong form."""
        width = 1 if self._are_waveforms else self.n_features
        return [
            tf.debugging.assert_equal(
                shape[2], width, f"{self.name} must have {width} features."
            ),
            tf.debugging.assert_equal(
                tf.size(lengths), shape[0], "There must be one length per sequence."
            ),
            tf.debugging.assert_positive(
                shape[0], "There must be at least one sequence."
            ),
        ]

    @property
    def _width(self) -> tuple[int, ...]:
        """The last axis of sequences, which waveforms have none of."""
        return () if self._are_waveforms else (self.n_features,)

    @property
    def _are_waveforms(self) -> bool:
        return bool(self.steps) and isinstance(self.steps[0], LogMel)


# What a network must read and give, as in prediction.
NOT_READABLE = (
    "The network reads values that are not finite in single precision: scale frames as "
    "they were scaled for fit."
)
NOT_GIVEN = (
    "The network gives values that are not finite: its inputs are too large, or its "
    "front_end cannot handle them."
)


def standardized(batch: Batch, scaling):
    """Frames centred and scaled in double precision, as in prediction."""
    frames = (tf.cast(batch.frames, tf.float64) - scaling.mean) / scaling.scale
    return zero_padding(frames, batch.lengths)


# -- waveforms to features ------------------------------------------------------------


def _features(step: LogMel, frames, lengths):
    step._check_parameters()
    analysis = step._analysis()
    window, hop = len(analysis.window), analysis.hop
    waveforms = _emphasized(tf.cast(frames[..., 0], tf.float64), step.pre_emphasis)
    waveforms = zero_padding(waveforms, lengths)
    waveforms = tf.pad(waveforms, ((0, 0), (0, window)))
    lengths = 1 + tf.maximum(lengths - window, 0) // hop
    starts = tf.range(tf.reduce_max(lengths)) * hop
    cut = tf.gather(waveforms, starts[:, tf.newaxis] + tf.range(window), axis=1)
    energies = _power(cut, analysis) @ analysis.filters
    log_mel = tf.math.log(tf.maximum(energies, analysis.floor))
    columns = [_cepstrum(step, log_mel) if isinstance(step, MFCC) else log_mel]
    for _ in range(step.deltas):
        columns.append(_slopes(columns[-1], lengths))
    return tf.cast(tf.concat(columns, axis=-1), tf.float32), lengths


def _emphasized(waveforms, coefficient):
    """Subtract from each sample a part of the one before; the first is its own."""
    before = tf.concat([waveforms[:, :1], waveforms[:, :-1]], axis=1)
    return waveforms - coefficient * before


def _power(frames, analysis):
    """The power spectrum, by a product: no runtime lacks it."""
    samples = np.arange(len(analysis.window))[:, np.newaxis]
    bins = np.arange(analysis.n_fft // 2 + 1)
    angles = 2 * np.pi / analysis.n_fft * (samples * bins % analysis.n_fft)
    weights = analysis.window[:, np.newaxis]
    real, imaginary = (frames @ (weights * f(angles)) for f in (np.cos, np.sin))
    return tf.square(real) + tf.square(imaginary)


def _cepstrum(step: MFCC, log_mel):
    """The coefficients, those that are rounding left out."""
    cosines = dct(np.eye(step.n_mels), type=2, norm="ortho", axis=1)[:, : step.n_mfcc]
    cepstrum = log_mel @ cosines
    magnitude = tf.reduce_sum(tf.abs(log_mel), axis=-1, keepdims=True)
    is_rounding = tf.abs(cepstrum) <= ROUNDING_OF_SUMS * magnitude
    return tf.where(is_rounding, tf.zeros_like(cepstrum), cepstrum) * step._lifting


def _slopes(features, lengths):
    """Fit a line to each frame and its neighbours; the edges are repeated."""
    places = tf.range(tf.shape(features)[1])
    last = lengths[:, tf.newaxis] - 1
    rise = magnitude = tf.zeros_like(features)
    offsets = range(-SLOPE_WIDTH, SLOPE_WIDTH + 1)
    for k in offsets:
        near = tf.minimum(tf.maximum(places + k, 0), last)
        near = k * tf.gather(features, near, batch_dims=1)
        rise, magnitude = rise + near, magnitude + tf.abs(near)
    is_rounding = tf.abs(rise) <= ROUNDING * magnitude
    rise = tf.where(is_rounding, tf.zeros_like(rise), rise)
    return rise / sum(k * k for k in offsets)


# -- frames to frames -----------------------------------------------------------------


def _normalized(step: SequenceNormalizer, frames, lengths):
    wide = zero_padding(tf.cast(frames, tf.float64), lengths)
    n_frames = tf.cast(lengths, tf.float64)[:, tf.newaxis, tf.newaxis]
    mean = tf.reduce_sum(wide, axis=1, keepdims=True) / n_frames
    centred = zero_padding(wide - mean, lengths)
    squares = tf.reduce_sum(tf.square(centred), axis=1, keepdims=True)
    deviation = tf.sqrt(squares / n_frames)
    single = rounding_of(np.dtype("float32"), 0)  # what comes is of this precision
    rounding = tf.maximum(n_frames * np.finfo(np.float64).eps, single)
    noise = rounding * tf.abs(mean)
    deviation = tf.where(deviation <= noise, tf.ones_like(deviation), deviation)
    frames = centred if step.with_mean else wide
    if step.with_std:
        frames = frames / deviation
    return tf.cast(frames, tf.float32), lengths


def _differences(step: FrameDifference, frames, lengths):
    for _ in range(step.order):
        before = tf.pad(frames, ((0, 0), (1, 0), (0, 0)))[:, :-1]
        frames = frames - before
    if step.keep_first:
        return frames, lengths
    return frames[:, step.order :], lengths - step.order


_STEPS: dict[type, Callable] = {
    LogMel: _features,
    MFCC: _features,
    SequenceNormalizer: _normalized,
    FrameDifference: _differences,
}
