"""The losses of the sequences of a batch, each compared with the others, or in pairs.

A loss of a batch is the mean of its rows' losses. Gradients are finite where rows are
equal. Distances are those of `distances`, as operations of TensorFlow.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from skseq._nn.rows import cross_entropy

# Of a squared length: below, a row has no direction, and a distance no slope.
LEAST = 1e-12

# A score smaller than any, and finite, so that no gradient is NaN.
NEVER = -1e9


# -- distances ------------------------------------------------------------------------


def unit_rows(vectors):
    """Rows of length one, but for those of hardly any length."""
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=LEAST)


def _cosine(a, b):
    return 1 - tf.reduce_sum(unit_rows(a) * unit_rows(b), axis=-1)


def _squared(a, b):
    return tf.reduce_sum(tf.square(a - b), axis=-1)


def _euclidean(a, b):
    squares = _squared(a, b)
    is_apart = squares > LEAST
    roots = tf.sqrt(tf.where(is_apart, squares, 1.0))
    return tf.where(is_apart, roots, 0.0)


def _symmetric_kl(a, b):
    log_p, log_q = tf.nn.log_softmax(a), tf.nn.log_softmax(b)
    return tf.reduce_sum((tf.exp(log_p) - tf.exp(log_q)) * (log_p - log_q), axis=-1)


DISTANCES = {
    "cosine": _cosine,
    "euclidean": _euclidean,
    "symmetric_kl": _symmetric_kl,
}

# What a score of classes falls with: a prototype is the mean of its rows.
_SCORED = {**DISTANCES, "euclidean": _squared}

# What rows are before they are averaged into a prototype, and after.
_AVERAGED = {
    "cosine": (unit_rows, lambda mean: mean),
    "euclidean": (tf.identity, tf.identity),
    "symmetric_kl": (tf.nn.softmax, lambda mean: tf.math.log(mean + LEAST)),
}

# -- losses by class ------------------------------------------------------------------


def prototypical(vectors, groups, log_scale, distance):
    """Cross-entropy of each row's class among those of the batch.

    Rows are numbered within their class; row number k is compared with the means of
    the classes without their rows number k. With two rows per class each of them is to
    find the other, both ways.
    """
    before, after = _AVERAGED[distance]
    labels, places = tf.unique(groups)
    members = tf.one_hot(places, tf.size(labels))  # (n_rows, n_classes)
    numbers = tf.reduce_sum(tf.cumsum(members, exclusive=True) * members, axis=1)
    numbers = tf.cast(numbers, tf.int32)
    is_other = 1 - tf.one_hot(numbers, tf.reduce_max(numbers) + 1)  # (n_rows, n_kept)
    shares = members[:, tf.newaxis] * is_other[:, :, tf.newaxis]
    counts = tf.maximum(tf.reduce_sum(shares, axis=0), 1.0)[..., tf.newaxis]
    sums = tf.einsum("rkc,rd->kcd", shares, before(vectors))
    prototypes = after(sums / counts)  # (n_kept, n_classes, n_features)
    own = tf.gather(prototypes, numbers)
    distances = _SCORED[distance](vectors[:, tf.newaxis], own)
    return cross_entropy(-tf.exp(log_scale) * distances, places)


def triplet(vectors, groups, distance, margin):
    """Hinge on the farthest row of the own class and the nearest of any other.

    Of the others it is the nearest beyond that farthest one, if there is any.
    """
    distances = _between_all(vectors, distance)
    is_same = groups[:, tf.newaxis] == groups
    is_own = is_same & ~tf.eye(tf.size(groups), dtype=tf.bool)
    farthest = tf.reduce_max(tf.where(is_own, distances, NEVER), axis=1)
    farthest = tf.maximum(farthest, 0.0)[:, tf.newaxis]
    others = tf.where(is_same, -NEVER, distances)
    beyond = tf.where(others > farthest, others, -NEVER)
    has_beyond = tf.reduce_any((others > farthest) & ~is_same, axis=1)
    nearest = tf.where(
        has_beyond, tf.reduce_min(beyond, axis=1), tf.reduce_min(others, axis=1)
    )
    return tf.nn.relu(farthest[:, 0] - nearest + margin)


def classification(vectors, groups, log_scale, kernel, margin):
    """Cross-entropy of each row's class by its cosines with a vector per class.

    A margin is added to the angle between the row and its own class (Deng et al. 2019).
    """
    cosines = tf.matmul(
        unit_rows(vectors), unit_rows(tf.transpose(kernel)), False, True
    )
    if margin:
        is_own = tf.one_hot(groups, kernel.shape[-1], True, False, dtype=tf.bool)
        cosines = tf.where(is_own, with_angle(cosines, margin), cosines)
    return cross_entropy(tf.exp(log_scale) * cosines, groups)


def with_angle(cosines, margin):
    """Cosines of angles that a margin is added to; past half a turn a line goes on."""
    cosines = tf.clip_by_value(cosines, -1.0, 1.0)
    sines = tf.sqrt(tf.maximum(1 - tf.square(cosines), 1e-6))
    turned = cosines * math.cos(margin) - sines * math.sin(margin)
    straight = cosines - margin * math.sin(margin)
    return tf.where(cosines > -math.cos(margin), turned, straight)


def of_pair(distances, is_alike, loss, margin):
    """What pairs at some distances lose, that are alike or should not be."""
    if loss == "kl_hinge":
        return tf.where(is_alike, distances, tf.nn.softplus(margin - distances))
    beyond = tf.square(tf.nn.relu(margin - distances))
    return tf.where(is_alike, tf.square(distances), beyond)


def all_pairs(vectors, groups, distance, loss, margin):
    """The mean of what each row's pairs with all others lose."""
    is_alike = groups[:, tf.newaxis] == groups
    losses = of_pair(_between_all(vectors, distance), is_alike, loss, margin)
    losses *= 1 - tf.eye(tf.size(groups))
    return tf.reduce_sum(losses, axis=1) / tf.cast(tf.size(groups) - 1, tf.float32)


def _between_all(vectors, distance):
    """The distance of each row from each, (n_rows, n_rows)."""
    return DISTANCES[distance](vectors[:, tf.newaxis], vectors[tf.newaxis])


# -- losses of pairs ------------------------------------------------------------------


def logistic(distances, is_alike, log_scale, bias):
    """Cross-entropy of being alike, whose log-odds fall with the distance."""
    scores = bias - tf.exp(log_scale) * distances
    return tf.nn.softplus(tf.where(is_alike, -scores, scores))


@dataclass(frozen=True)
class ClassLosses:
    """The losses of labelled sequences.

    Attributes
    ----------
    loss, distance : str
    margin : float or None
    """

    loss: str
    distance: str
    margin: float | None
    targets: ClassVar = (("groups", (None,), "int32"),)

    def __call__(self, outputs, targets):
        vectors, *learnt = outputs[:-1]
        groups = targets["groups"]
        if self.loss == "prototypical":
            return prototypical(vectors, groups, *learnt, self.distance)
        if self.loss == "triplet":
            return triplet(vectors, groups, self.distance, self.margin)
        if self.loss == "classification":
            return classification(vectors, groups, *learnt, self.margin)
        return all_pairs(vectors, groups, self.distance, self.loss, self.margin)


@dataclass(frozen=True)
class PairLosses(ClassLosses):
    """The losses of pairs, whose sides alternate; both rows of a pair have its loss."""

    def __call__(self, outputs, targets):
        vectors, *learnt = outputs[:-1]
        scored = _SCORED if self.loss == "prototypical" else DISTANCES
        distances = scored[self.distance](vectors[::2], vectors[1::2])
        is_alike = targets["groups"][::2] > 0
        if self.loss == "prototypical":
            losses = logistic(distances, is_alike, *learnt)
        else:
            losses = of_pair(distances, is_alike, self.loss, self.margin)
        return tf.repeat(losses, 2)
