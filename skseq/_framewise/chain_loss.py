"""The loss of a linear chain's labels, and its slopes, on real frames only.

A loss gives one number per sequence, `(n_samples,)`. On a CPU it is one compiled
operation where there is compiled code. Elsewhere sums over paths are products of
matrices, in double precision, of masses that are scaled at each frame. Two problems are
one batch: all paths, and those that fit the labels; and their paths are followed from
both ends at once, in one loop. No gradient is taken through it.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from skseq._data.frame_labels import UNLABELLED
from skseq._framewise.chain import (
    ChainWeights,
    kept_labels,
    log_likelihood,
    marginals,
    pair_marginals,
)
from skseq._framewise.transitions import Transitions
from skseq._nn import compiled
from skseq._nn.threads import n_intra_op_threads

# Masses below 1e-308 are lost. Where paths from both ends meet with more than this,
# what was lost is nothing; otherwise all is computed again, in logarithms.
_LEAST_TRUSTED = 1e-200

# Frames per turn of the loop. Measured: a step takes a fifth less time than with 1.
_FRAMES_PER_TURN = 8


def chain_losses(scores, pairs, starts, ends, labels, lengths, *, allowed=None):
    """Compute the negative log-probability of each sample's labels [1]_.

    Parameters
    ----------
    scores : float32 tensor of shape (n_samples, n_frames, n_classes)
        What each frame gives to each label. Frames past a sample's length never matter,
        and their gradient is zero.
    pairs : float32 tensor of shape (n_classes, n_classes)
        The score of the label of a column after that of a row.
    starts, ends : float32 tensors of shape (n_classes,)
        The scores of the first label and of the last.
    labels : int32 tensor of shape (n_samples, n_frames)
        The label of each frame; -1 where it may be any, over which is summed.
    lengths : int32 tensor of shape (n_samples,)
        Number of frames of each sample.
    allowed : Transitions, default=None
        What has a probability above zero; None allows everything. What is not allowed
        has a gradient of zero.

    Returns
    -------
    losses : float32 tensor of shape (n_samples,)
        Infinity for labels that are not allowed.

    References
    ----------
    .. [1] J. Lafferty, A. McCallum and F. Pereira, "Conditional Random Fields:
           Probabilistic Models for Segmenting and Labeling Sequence Data", ICML 2001.
    """
    inputs = (tf.cast(value, tf.float32) for value in (scores, pairs, starts, ends))
    scores, *weights = inputs
    if allowed is not None and not allowed.forbid_nothing:
        weights = _restricted(weights, allowed)
    losses_of = _compiled_losses if compiled.is_in_use() else _losses
    return losses_of(
        scores, *weights, tf.cast(labels, tf.int32), tf.cast(lengths, tf.int32)
    )


def _restricted(weights: list, allowed: Transitions) -> list:
    """The weights, and -inf, which has no gradient, for what is not allowed."""
    tables = allowed.pairs, allowed.starts, allowed.ends
    return [
        tf.where(table, values, -np.inf)
        for table, values in zip(tables, weights, strict=True)
    ]


def _compiled_losses(*inputs):
    return compiled.operations().skseq_chain_loss(
        *inputs, n_threads=n_intra_op_threads()
    )[0]


@tf.RegisterGradient("SkseqChainLoss")
def _compiled_gradient(operation, upstream, *_):
    slopes, pair_slopes = (
        tf.raw_ops.PreventGradient(
            input=output, message="The loss of a chain has no second derivative."
        )
        for output in operation.outputs[1:]
    )
    ends = _at_last(tf.transpose(slopes, (1, 0, 2)), operation.inputs[-1])
    return _gradients(_Slopes(slopes, pair_slopes, slopes[:, 0], ends), upstream)


class _Slopes(NamedTuple):
    """How often labels occur among all paths, less how often among those that fit."""

    frames: Any  # (n_samples, n_frames, n_classes)
    pairs: Any  # (n_samples, n_classes, n_classes)
    starts: Any  # (n_samples, n_classes)
    ends: Any  # (n_samples, n_classes)


@tf.custom_gradient
def _losses(scores, pairs, starts, ends, labels, lengths):
    inputs = scores, pairs, starts, ends, labels, lengths
    losses, slopes, is_trusted = _scaled_losses(*inputs)
    types = [losses.dtype, *(part.dtype for part in slopes)]
    found = tf.cond(
        tf.reduce_all(is_trusted),
        lambda: [losses, *slopes],
        lambda: tf.numpy_function(_exact_losses, inputs, types),
    )
    for value, like in zip(found, (losses, *slopes), strict=True):
        value.set_shape(like.shape)
    losses, slopes = found[0], _Slopes(*found[1:])

    return losses, lambda upstream: _gradients(slopes, upstream)


def _gradients(slopes, upstream):
    """The gradients of all inputs of the loss, of which two are integers."""
    return (
        upstream[:, tf.newaxis, tf.newaxis] * slopes.frames,
        *(tf.tensordot(upstream, part, 1) for part in slopes[1:]),
        None,
        None,
    )


class _Problem(NamedTuple):
    """All sequences twice, with all paths and with those that fit; by frame.

    What is an exponential here has its largest value divided away, to 1.
    """

    emissions: Any  # (n_frames, 2 * n_samples, n_classes), zero for other labels
    steps: Any  # (2, n_classes, n_classes): of the pairs, and of these transposed
    starts: Any  # (n_classes,)
    ends: Any  # (n_classes,)
    log_scale: Any  # (2 * n_samples,), the logarithm of all that is divided away
    is_frame: Any  # (n_frames, 2 * n_samples), 1 or 0
    lengths: Any  # (2 * n_samples,)


def _scaled_losses(scores, pairs, starts, ends, labels, lengths):
    """The losses, their slopes, and whether they are exact, (n_samples,)."""
    problem = _problem(scores, ChainWeights(pairs, starts, ends), labels, lengths)
    arrivals, departures = _both_ways(problem)
    shown, onward = arrivals * problem.emissions, departures * problem.emissions
    masses = tf.reduce_sum(shown, axis=-1)
    met = shown * departures
    totals = tf.reduce_sum(met, axis=-1)  # (n_frames, 2 * n_samples)
    is_trusted = (totals > _LEAST_TRUSTED) | (problem.is_frame == 0.0)
    shares = tf.math.divide_no_nan(met, totals[..., tf.newaxis])
    shares *= problem.is_frame[..., tf.newaxis]
    log_partition = _log_partition(problem, shown, masses)
    before = tf.math.divide_no_nan(shown, masses[..., tf.newaxis])[:-1]
    after = tf.math.divide_no_nan(onward, totals[..., tf.newaxis])
    after = (after * problem.is_frame[..., tf.newaxis])[1:]
    expected = problem.steps[0] * tf.einsum("tni,tnj->nij", before, after)
    slopes = _Slopes(
        tf.transpose(_difference(shares, axis=1), (1, 0, 2)),
        _difference(expected, axis=0),
        _difference(shares[0], axis=0),
        _difference(_at_last(shares, problem.lengths), axis=0),
    )
    slopes = _Slopes(*(tf.cast(part, scores.dtype) for part in slopes))
    losses = tf.cast(_difference(log_partition, axis=0), scores.dtype)
    is_trusted = tf.reduce_all(is_trusted, axis=0)
    return losses, slopes, tf.reduce_all(tf.reshape(is_trusted, (2, -1)), axis=0)


def _problem(scores, weights, labels, lengths) -> _Problem:
    n_frames, n_classes = tf.shape(scores)[1], tf.shape(scores)[2]
    lengths = tf.tile(lengths, (2,))
    is_frame = tf.transpose(tf.sequence_mask(lengths, n_frames))
    frames = tf.cast(tf.transpose(scores, (1, 0, 2)), tf.float64)
    labels = tf.transpose(labels)[..., tf.newaxis]
    is_other = (labels != UNLABELLED) & (labels != tf.range(n_classes))
    fitting = tf.where(is_other, tf.constant(-np.inf, tf.float64), frames)
    frames = tf.concat([frames, fitting], axis=1)
    frames = tf.where(is_frame[..., tf.newaxis], frames, 0.0)
    emissions, tops = _odds(frames, axis=-1)
    pairs, pair_top = _odds(weights.pairs, axis=None)
    starts, start_top = _odds(weights.starts, axis=None)
    ends, end_top = _odds(weights.ends, axis=None)
    n_pairs = tf.cast(tf.maximum(lengths - 1, 0), tf.float64)
    log_scale = tf.reduce_sum(tops, axis=0) + n_pairs * pair_top + start_top + end_top
    steps = tf.stack([pairs, tf.transpose(pairs)])
    is_frame = tf.cast(is_frame, tf.float64)
    return _Problem(emissions, steps, starts, ends, log_scale, is_frame, lengths)


def _odds(values, axis):
    """Exponentials, the largest 1, and the logarithm of what they are divided by."""
    values = tf.cast(values, tf.float64)
    tops = tf.reduce_max(values, axis=axis, keepdims=axis is not None)
    tops = tf.where(tops == -np.inf, tf.zeros_like(tops), tops)
    return tf.exp(values - tops), tops if axis is None else tf.squeeze(tops, axis)


def _both_ways(problem):
    """The masses of paths to each label before its frame, and of those on from it.

    Each is (n_frames, 2 * n_samples, n_classes), and scaled by numbers of its own.
    """
    emissions, lengths = problem.emissions, problem.lengths
    turned = tf.reverse_sequence(emissions, lengths, seq_axis=0, batch_axis=1)
    first = tf.stack([problem.starts, problem.ends])[:, tf.newaxis]  # both ways' start
    first = tf.repeat(first, tf.shape(lengths)[0], axis=1)
    masses = _masses(tf.stack([emissions, turned], axis=1), problem.steps, first)
    turned = tf.reverse_sequence(masses[:, 1], lengths, seq_axis=0, batch_axis=1)
    return masses[:, 0], turned


def _masses(emissions, steps, first):
    """The masses of the paths to each label, before its own frame.

    Emissions are (n_frames, 2, n_rows, n_classes), and what is returned is like them.
    Masses go from one frame to the next as shares of their sum.
    """
    n_frames = tf.shape(emissions)[0]
    n_turns = (n_frames + _FRAMES_PER_TURN - 1) // _FRAMES_PER_TURN
    missing = n_turns * _FRAMES_PER_TURN - n_frames
    emissions = tf.pad(emissions, ((0, missing), (0, 0), (0, 0), (0, 0)))
    inner = tf.shape(first)
    by_turn = tf.concat([[n_turns, _FRAMES_PER_TURN], inner], axis=0)
    read = tf.TensorArray(tf.float64, n_turns).unstack(tf.reshape(emissions, by_turn))

    def turn(t, masses, written):
        own = []
        for emission in tf.unstack(read.read(t), _FRAMES_PER_TURN):
            own.append(masses)
            shown = masses * emission
            total = tf.reduce_sum(shown, axis=-1, keepdims=True)
            masses = tf.matmul(tf.math.divide_no_nan(shown, total), steps)
        return t + 1, masses, written.write(t, tf.stack(own))

    _, _, written = tf.while_loop(
        lambda t, *_: t < n_turns,
        turn,
        (0, first, tf.TensorArray(tf.float64, n_turns)),
        maximum_iterations=n_turns,
    )
    everything = tf.concat([[n_turns * _FRAMES_PER_TURN], inner], axis=0)
    return tf.reshape(written.stack(), everything)[:n_frames]


def _log_partition(problem, shown, masses):
    """The logarithm of the sum over all paths, (2 * n_samples,)."""
    shares = tf.math.divide_no_nan(shown, masses[..., tf.newaxis])
    last = tf.linalg.matvec(_at_last(shares, problem.lengths), problem.ends)
    logs = tf.where(problem.is_frame > 0.0, tf.math.log(masses), 0.0)
    return tf.reduce_sum(logs, axis=0) + tf.math.log(last) + problem.log_scale


def _at_last(values, lengths):
    """The values (n_rows, n_classes) at the last frame of each row."""
    rows, last = tf.range(tf.size(lengths)), tf.maximum(lengths - 1, 0)
    return tf.gather_nd(values, tf.stack([last, rows], axis=1))


def _difference(values, axis):
    """What is of all paths, less what is of those that fit."""
    everything, fitting = tf.split(values, 2, axis=axis)
    return everything - fitting


@np.errstate(invalid="ignore")  # what is not finite stays so
def _exact_losses(scores, pairs, starts, ends, labels, lengths):
    """The losses and the slopes, computed in logarithms."""
    weights = ChainWeights(*(w.astype(float) for w in (pairs, starts, ends)))
    losses = -log_likelihood(scores, weights, lengths, labels)
    both = [scores, kept_labels(scores, labels)]
    shown = np.subtract(*(marginals(s, weights, lengths) for s in both))
    follow = np.subtract(*(pair_marginals(s, weights, lengths) for s in both))
    last = shown[np.arange(len(lengths)), lengths - 1]
    found = losses, shown, follow, shown[:, 0], last
    return tuple(values.astype(scores.dtype) for values in found)
