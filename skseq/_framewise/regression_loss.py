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
        frames, n_outputs = (None,) * self.is_per_frame, len(self.target_weight)
        found = [("targets", (None, *frames, n_outputs), "float32")]
        if self.is_per_frame:
            found.append(("frame_weights", (None, None), "float32"))
        if callable(self.loss):
            names = "y_mean", "y_scale"
            found += [(name, (None, n_outputs), "float32") for name in names]
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
        losses = self.loss(y_true * scale + mean, y_pred * scale + mean)
        return tf.cast(losses, y_pred.dtype)


def check_own_loss(loss: Callable, values: np.ndarray, is_per_frame: bool) -> None:
    """Try a user's loss on a small batch, and refuse one that cannot be used.

    Parameters
    ----------
    loss : callable
    values : ndarray of shape (n_outputs,) or (n_frames, n_outputs)
        Those of one sample, in the user's units.
    is_per_frame : bool
    """
    y_true = np.stack([values, values[::-1]] if is_per_frame else [values, values])
    drawn = np.random.default_rng(0).uniform(0.5, 1.5, y_true.shape)
    y_true, y_pred = (part.astype("float32") for part in (y_true, y_true * drawn))
    shapes = "(n_samples, n_frames, n_outputs)", "(n_samples, n_frames)"
    if not is_per_frame:
        shapes = "(n_samples, n_outputs)", "(n_samples,)"
    form = f"arrays {shapes[0]} and return {shapes[1]}"
    try:
        tried = _traced(loss, y_true.ndim, y_true.shape[-1])
        found, slopes = tried(y_true, y_pred)
    except Exception as error:
        raise ValueError(
            f"loss failed on two samples: {error!r}. It must take two {form}, by "
            "operations of keras.ops alone: no NumPy, and keras.ops.where for if."
        ) from error
    wanted = y_true.shape[:-1]
    if tuple(found.shape) != wanted or not found.dtype.is_floating:
        raise ValueError(
            f"loss must take two {form}, not a mean over them. For shape "
            f"{y_true.shape} it returned {found.dtype.name} of shape "
            f"{tuple(found.shape)}, but {wanted} was expected."
        )
    if slopes is None:
        raise ValueError(
            "loss gives nothing to learn from: it does not depend on y_pred, or by "
            "operations without a gradient, such as rounding and comparing."
        )
    n_less = (len(values) + 1) // 2
    part = (slice(1), slice(n_less)) if is_per_frame else slice(1)
    alone, _ = tried(y_true[part], y_pred[part])
    if not np.allclose(found[part], alone, rtol=1e-3, atol=1e-6, equal_nan=True):
        raise ValueError(
            f"loss must give each {'frame' if is_per_frame else 'sample'} a value that "
            "depends on no other sample and on no later frame: those of a batch, and "
            "padding, would change it."
        )


def _traced(loss: Callable, n_axes: int, n_outputs: int) -> Callable:
    """A user's loss and its gradient, compiled as for training."""
    like = tf.TensorSpec((*(None,) * (n_axes - 1), n_outputs), tf.float32)

    @tf.function(input_signature=[like, like], autograph=False)
    def tried(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            found = tf.convert_to_tensor(loss(y_true, y_pred))
        return found, tape.gradient(found, y_pred)

    return tried


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


def share_of_mean(loss: Callable, y_true, y_pred, mean: np.ndarray) -> float:
    """A user's loss, as a share of that of the mean for all; 0 if it can be negative.

    Parameters
    ----------
    loss : callable
    y_true, y_pred : list of ndarray of shape (n_outputs,) or (n_frames, n_outputs)
        The values of each sample, in the user's units.
    mean : ndarray of shape (n_outputs,)
    """

    def losses(y, p):
        given = (tf.constant(part[np.newaxis], tf.float32) for part in (y, p))
        return np.ravel(loss(*given))

    pairs = list(zip(y_true, y_pred, strict=True))
    own = np.concatenate([losses(y, p) for y, p in pairs])
    least = np.concatenate(
        [losses(y, np.broadcast_to(mean, y.shape)) for y, _ in pairs]
    )
    if min(own.min(), least.min()) < 0 or not least.mean() > 0:
        return 0.0
    return float(own.mean() / least.mean())
