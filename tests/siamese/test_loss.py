"""What rows of a batch lose, by brute force over rows, classes and pairs."""

import math

import numpy as np
import pytest
import tensorflow as tf

from skseq._siamese.distances import DISTANCES
from skseq._siamese.loss import ClassLosses, PairLosses

GROUPS = np.array([3, 1, 3, 0, 1, 0, 3, 7, 7])
SCALE = 2.5


def vectors_of(n_rows=9, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, 4)).astype("float32")


def losses_of(losses, vectors, groups=GROUPS, *learnt):
    outputs = [tf.constant(vectors), *map(tf.constant, learnt), None]
    return losses(outputs, {"groups": tf.constant(groups)}).numpy()


LOG_SCALE = np.float32(math.log(SCALE))


def rows_and_between(vectors, distance):
    known = DISTANCES[distance]
    return known.rows(vectors), known.between


def minus_log_softmax(scores, own):
    scores = np.array(scores)
    top = scores.max()
    return top + np.log(np.exp(scores - top).sum()) - scores[own]


def brute_prototypical(vectors, groups, distance):
    """Row number k of a class beside the means of classes without their number k."""
    rows, between = rows_and_between(vectors, distance)
    members = {g: np.flatnonzero(groups == g).tolist() for g in groups.tolist()}
    found = []
    for i, own in enumerate(groups.tolist()):
        number = members[own].index(i)
        scores = []
        for places in members.values():
            rest = [p for k, p in enumerate(places) if k != number]
            mean = rows[rest].mean(axis=0)
            if distance == "cosine":
                mean = mean / np.linalg.norm(mean)
            d = between(rows[i], mean)
            scores.append(-SCALE * (d**2 if distance == "euclidean" else d))
        found.append(minus_log_softmax(scores, list(members).index(own)))
    return found


@pytest.mark.parametrize("distance", DISTANCES)
def test_prototypical_losses_are_those_of_the_means_of_other_rows(distance):
    losses = ClassLosses("prototypical", distance, None)
    found = losses_of(losses, vectors_of(), GROUPS, LOG_SCALE)
    expected = brute_prototypical(vectors_of(), GROUPS, distance)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_with_two_rows_per_class_each_is_to_find_the_other_both_ways():
    first, second = vectors_of(3, 1), vectors_of(3, 2)
    losses = ClassLosses("prototypical", "cosine", None)
    groups = np.array([0, 1, 2, 0, 1, 2])
    found = losses_of(losses, np.concatenate([first, second]), groups, LOG_SCALE)
    rows, others = (DISTANCES["cosine"].rows(side) for side in (first, second))
    scores = SCALE * rows @ others.T
    expected = [minus_log_softmax(scores[i], i) for i in range(3)]
    expected += [minus_log_softmax(scores[:, i], i) for i in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def brute_triplet(vectors, groups, distance, margin):
    rows, between = rows_and_between(vectors, distance)
    found = []
    for i, own in enumerate(groups):
        d = [between(rows[i], row) for row in rows]
        places = range(len(groups))
        farthest = max(d[j] for j in places if groups[j] == own and j != i)
        others = [d[j] for j in places if groups[j] != own]
        beyond = [other for other in others if other > farthest]
        found.append(max(0, farthest - min(beyond or others) + margin))
    return found


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("seed", range(4))
def test_triplet_losses_are_those_of_the_hardest_rows(distance, seed):
    vectors = vectors_of(seed=seed)
    if seed == 3:  # classes that are far apart, and one row among another class
        vectors += 4 * np.eye(10, 4, dtype="float32")[GROUPS]
        vectors[0] = vectors[1]
    found = losses_of(ClassLosses("triplet", distance, 0.5), vectors)
    expected = brute_triplet(vectors, GROUPS, distance, 0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("margin", [None, 0.2, 2.0])
def test_a_margin_is_added_to_the_angle_of_the_own_class(margin):
    vectors, kernel = vectors_of(), vectors_of(8, seed=1).T.copy()
    losses = ClassLosses("classification", "cosine", margin)
    found = losses_of(losses, vectors, GROUPS, LOG_SCALE, kernel)
    rows, classes = (DISTANCES["cosine"].rows(side) for side in (vectors, kernel.T))
    for loss, row, own in zip(found, rows, GROUPS, strict=True):
        cosines = classes @ row
        if margin:
            angle = np.arccos(cosines[own])
            turned = np.cos(angle + margin)
            straight = cosines[own] - margin * np.sin(margin)
            cosines[own] = turned if angle + margin < np.pi else straight
        expected = minus_log_softmax(SCALE * cosines, own)
        np.testing.assert_allclose(loss, expected, rtol=1e-4)


def brute_pair(distance, is_alike, loss, margin):
    if loss == "kl_hinge":
        return distance if is_alike else np.log1p(np.exp(margin - distance))
    return distance**2 if is_alike else max(0, margin - distance) ** 2


PAIRWISE = [
    ("contrastive", "cosine"),
    ("contrastive", "euclidean"),
    ("kl_hinge", "symmetric_kl"),
]


@pytest.mark.parametrize(("loss", "distance"), PAIRWISE)
def test_losses_of_all_pairs_are_averaged_over_the_others(loss, distance):
    vectors = vectors_of()
    rows, between = rows_and_between(vectors, distance)
    found = losses_of(ClassLosses(loss, distance, 1.5), vectors)
    n_rows = len(GROUPS)
    expected = [
        np.mean(
            [
                brute_pair(between(rows[i], rows[j]), GROUPS[i] == GROUPS[j], loss, 1.5)
                for j in range(n_rows)
                if j != i
            ]
        )
        for i in range(n_rows)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_divergences_both_ways_are_those_of_probabilities():
    rows = DISTANCES["symmetric_kl"].rows(vectors_of(2))
    p, q = rows
    expected = np.sum(p * np.log(p / q)) + np.sum(q * np.log(q / p))
    assert DISTANCES["symmetric_kl"].between(p, q) == pytest.approx(expected)
    assert DISTANCES["symmetric_kl"].between(p, p) == 0


@pytest.mark.parametrize(("loss", "distance"), PAIRWISE)
def test_both_rows_of_a_pair_have_its_loss(loss, distance):
    vectors, is_alike = vectors_of(6), np.array([1, 0, 1])
    rows, between = rows_and_between(vectors, distance)
    found = losses_of(PairLosses(loss, distance, 1.5), vectors, np.repeat(is_alike, 2))
    for i, alike in enumerate(is_alike):
        d = between(rows[2 * i], rows[2 * i + 1])
        expected = brute_pair(d, alike, loss, 1.5)
        np.testing.assert_allclose(found[2 * i : 2 * i + 2], expected, rtol=1e-4)


def test_pairs_may_be_told_by_the_log_odds_of_being_alike():
    vectors, is_alike, bias = vectors_of(6), np.array([1, 0, 1]), np.float32(0.7)
    losses = PairLosses("prototypical", "cosine", None)
    given = np.repeat(is_alike, 2), LOG_SCALE, bias
    found = losses_of(losses, vectors, *given)[::2]
    rows, between = rows_and_between(vectors, "cosine")
    odds = [0.7 - SCALE * between(*rows[2 * i : 2 * i + 2]) for i in range(3)]
    probability = 1 / (1 + np.exp(-np.array(odds)))
    expected = -np.log(np.where(is_alike, probability, 1 - probability))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


LEARNT = {
    "prototypical": [LOG_SCALE],
    "classification": [LOG_SCALE, vectors_of(8, seed=1).T.copy()],
}
ALL = [
    *PAIRWISE,
    ("classification", "cosine"),
    *(("prototypical", d) for d in DISTANCES),
    *(("triplet", d) for d in DISTANCES),
]


@pytest.mark.parametrize(("loss", "distance"), ALL)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_gradients_are_finite_where_all_rows_are_equal(loss, distance, value):
    vectors = tf.fill((len(GROUPS), 4), value)
    outputs = [vectors, *map(tf.constant, LEARNT.get(loss, [])), None]
    with tf.GradientTape() as tape:
        tape.watch(outputs[:-1])
        losses = ClassLosses(loss, distance, 0.5)(outputs, {"groups": GROUPS})
        total = tf.reduce_sum(losses)
    assert np.isfinite(total)
    for gradient in tape.gradient(total, outputs[:-1]):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("size", [1e3, 1e12])
def test_far_rows_keep_a_slope_where_they_should_be_alike(size):
    vectors = tf.constant([[size, 0.0], [0.0, size]])
    losses = ClassLosses("kl_hinge", "symmetric_kl", 5.0)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        total = tf.reduce_sum(losses([vectors, None], {"groups": tf.zeros(2)}))
    assert np.isfinite(total)
    assert np.abs(tape.gradient(total, vectors)).max() > 0.1


def test_losses_of_the_same_kind_are_equal():
    assert ClassLosses("triplet", "cosine", 0.2) == ClassLosses(
        "triplet", "cosine", 0.2
    )
    assert ClassLosses("kl_hinge", "symmetric_kl", 1.0) != PairLosses(
        "kl_hinge", "symmetric_kl", 1.0
    )
