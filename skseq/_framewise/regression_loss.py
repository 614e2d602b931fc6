"""The losses of a regressor, on real frames only, and what they are measured by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from skseq._nn.layers import zero_padding

# Where the Huber loss turns from a square to a line.
HUBER_DELTA = 1.0


def squared_error(y_true, y_pred, quantile):
    return tf.square(y_pred - y_true)


def absolute_error(y_true, y_pred, quantile):
    return tf.abs(y_pred - y_true)


def huber(y_true, y_pred, quantile):
    error = tf.abs(y_pred - y_true)
    inner = tf.minimum(error, HUBER_DELTA)
    return 0.5 * tf.square(inner) + HUBER_DELTA * (error - inner)


def poisson(y_true, log_rate, quantile):
    return tf.exp(log_rate) - y_true * log_rate


def pinball(y_true, y_pred, quantile):
    error = y_true - y_pred
    return tf.maximum(quantile * error, (quantile - 1) * error)


# Of each value, in the units of the network's outputs.
LOSSES = {
    "squared_error": squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "poisson": poisson,
    "quantile": pinball,
}


@dataclass(frozen=True)
class RegressionLosses:
    """Weighted mean loss of the real frames of each sequence, or that of its values.

    Attributes
    ----------
    loss : str or callable
        One of `LOSSES`, or a user's own, which sees values in the user's units.
    is_per_frame : bool
    quantile : float
    target_weight : tuple of float
        Of each output, which sum to one; not used by a user's own.
    """

    loss: str | Callable
    is_per_frame: bool
    quantile: float = 0.5
    target_weight: tuple[float, ...] = (1.0,)

    @property
    def targets(self) -> tuple:
        frames = (None,) * self.is_per_frame
        found = [("targets", (None, *frames, None), "float32")]
        if self.is_per_frame:
            found.append(("frame_weights", (None, None), "float32"))
        if callable(self.loss):
            found += [(n, (None, None), "float32") for n in ("y_mean", "y_scale")]
        return tuple(found)

    def __call__(self, outputs, targets):
        y_true, y_pred = targets["targets"], outputs[0]
        if not callable(self.loss):
            losses = LOSSES[self.loss](y_true, y_pred, self.quantile)
            losses = tf.tensordot(losses, tf.constant(self.target_weight), 1)
        else:
            losses = self._own(y_true, y_pred, outputs[-1], targets)
        if not self.is_per_frame:
            return losses
        weights = targets["frame_weights"]
        losses = zero_padding(losses, outputs[-1])
        return tf.reduce_sum(losses * weights, axis=1) / tf.reduce_sum(weights, axis=1)

    def _own(self, y_true, y_pred, lengths, targets):
        """The user's loss; at padding it sees what it sees at the first frame."""
        mean, scale = targets["y_mean"], targets["y_scale"]
        if self.is_per_frame:
            mean, scale = mean[:, tf.newaxis], scale[:, tf.newaxis]
            is_frame = tf.sequence_mask(lengths, tf.shape(y_pred)[1])[..., tf.newaxis]
            y_true = tf.where(is_frame, y_true, y_true[:, :1])
            y_pred = tf.where(is_frame, y_pred, y_pred[:, :1])
        return self.loss(y_true * scale + mean, y_pred * scale + mean)


def check_own_loss(loss: Callable, values: np.ndarray, is_per_frame: bool) -> None:
    """Try a user's loss on a small batch, and refuse one that cannot be used.

    Parameters
    ----------
    loss : callable
    values : ndarray of shape (n_outputs,) or (n_frames, n_outputs)
        Those of one sample, in the user's units.
    is_per_frame : bool
    """
    y_true = tf.constant(np.stack([values, values]), tf.float32)
    wanted = tuple(y_true.shape[:-1])
    shapes = "(n_samples, n_frames, n_outputs)", "(n_samples, n_frames)"
    if not is_per_frame:
        shapes = "(n_samples, n_outputs)", "(n_samples,)"
    form = f"arrays {shapes[0]} and return {shapes[1]}"
    try:
        found = tf.convert_to_tensor(loss(y_true, y_true + 0.1))
    except Exception as error:
        raise ValueError(
            f"loss failed on two samples: {error!r}. It must take two {form}, by "
            "operations of keras.ops."
        ) from error
    if tuple(found.shape) != wanted or not found.dtype.is_floating:
        raise ValueError(
            f"loss must take two {form}, not a mean over them. For shape "
            f"{tuple(y_true.shape)} it returned {found.dtype.name} of shape "
            f"{tuple(found.shape)}, but {wanted} was expected."
        )


def share_of_constant(loss, quantile, y_true, y_pred) -> float:
    """The error, as a share of that of the best constant; 0 where there is none.

    Parameters
    ----------
    loss : str or callable
    quantile : float
    y_true, y_pred : ndarray of shape (n_values, n_outputs)
    """
    kind = loss if loss in ("absolute_error", "quantile") else "squared_error"
    level = quantile if kind == "quantile" else 0.5
    constant = np.quantile(y_true, level, axis=0)
    if kind == "squared_error":
        constant = y_true.mean(axis=0)
    own, least = (
        np.asarray(LOSSES[kind](y_true, prediction, level)).mean(axis=0)
        for prediction in (y_pred, np.broadcast_to(constant, y_true.shape))
    )
    varies = least > 1e-12 * np.square(y_true).mean(axis=0)
    return float((own[varies] / least[varies]).mean()) if varies.any() else 0.0
