"""Equals are near, thresholds fit data, and what cannot be learnt is refused."""

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

import skseq
from skseq import SiameseSequenceEmbedder
from skseq._siamese.pairs import LOSSES
from skseq.metrics import equal_error_rate
from tests.estimators import EMBEDDER, frames_and_who
from tests.toy import roughened

MORE = {
    "units": 16,
    "conv_filters": 16,
    "conv_strides": 1,
    "dropout": 0.0,
    "epochs": 10,
    "embedding_dim": 8,
    "steps_per_epoch": 8,
    "learning_rate": 0.02,
    "random_state": 0,
}
X, WHO = frames_and_who(60)
WHO = np.array(WHO)


def learnt(**params):
    return SiameseSequenceEmbedder(**{**MORE, **params}).fit(X[:36], WHO[:36])


@pytest.fixture(scope="module")
def fitted():
    return learnt()


@pytest.fixture(scope="module")
def rough(fitted):
    return roughened(fitted)


def pairs_of(n_pairs=120, seed=0):
    """Pairs of what was not trained on, half of them alike."""
    rng = np.random.default_rng(seed)
    first = rng.integers(36, 60, n_pairs)
    wanted = np.arange(n_pairs) % 2 == 0
    second = [
        rng.choice(np.flatnonzero((WHO[36:] == WHO[i]) == alike)) + 36
        for i, alike in zip(first, wanted, strict=True)
    ]
    A, B = [X[i] for i in first], [X[i] for i in second]
    return A, B, np.where(wanted, 1, -1)


# -- embeddings -------------------------------------------------------------------

GOING_TOGETHER = [(loss, d) for loss, known in LOSSES.items() for d in known.margins]


@pytest.mark.parametrize(("loss", "distance"), GOING_TOGETHER)
def test_classes_are_told_by_every_loss(loss, distance):
    embedder = learnt(loss=loss, distance=distance)
    assert embedder.score(X[36:], WHO[36:]) > 0.75


@pytest.mark.parametrize("pooling", ["statistics", "mean", "attention"])
def test_classes_are_told_by_every_pooling_but_the_last_state(pooling):
    embedder = learnt(pooling=pooling)
    assert embedder.score(X[36:], WHO[36:]) > 0.75


def test_rows_of_cosines_have_length_one(fitted):
    rows = fitted.transform(X)
    assert rows.shape == (60, 8)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1)


def test_rows_of_divergences_are_probabilities():
    embedder = EMBEDDER.tiny(loss="kl_hinge", distance="symmetric_kl")
    rows = embedder.fit(EMBEDDER.X, EMBEDDER.y).transform(EMBEDDER.X)
    assert (rows > 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1)


def test_features_are_named_by_the_class(fitted):
    names = fitted.get_feature_names_out().tolist()
    assert names == [f"siamesesequenceembedder{i}" for i in range(8)]
    frame = fitted.set_output(transform="pandas").transform(X[:3])
    fitted.set_output(transform="default")
    assert frame.columns.tolist() == names


def test_levels_count_only_where_they_are_not_removed(rough):
    moved = [x + np.array([3.0, -2.0, 5.0]) for x in X]
    np.testing.assert_allclose(rough.transform(moved), rough.transform(X), atol=1e-5)
    kept = roughened(learnt(center=False, epochs=1))
    assert np.abs(kept.transform(moved) - kept.transform(X)).max() > 0.01


def test_statistics_of_states_see_how_much_they_vary():
    still = [np.tile(x.mean(axis=0), (len(x), 1)) for x in X]
    by_mean, by_both = (
        roughened(learnt(pooling=pooling, epochs=1, units=(), conv_filters=4))
        for pooling in ("mean", "statistics")
    )
    assert by_both.model_.get_layer("embedding").kernel.shape == (8, 8)
    assert by_mean.model_.get_layer("embedding").kernel.shape == (4, 8)
    with pytest.warns(UserWarning, match=r"X\[0\] and 59 others cannot be told apart"):
        assert np.isfinite(by_both.transform(still)).all()


@pytest.mark.parametrize(
    "last", [KMeans(4, random_state=0, n_init=4), AgglomerativeClustering(4)], ids=repr
)
def test_clusters_of_embeddings_are_the_classes(last):
    pipeline = make_pipeline(SiameseSequenceEmbedder(**MORE), last)
    found = pipeline.fit_predict(X[:36], WHO[:36])
    assert adjusted_rand_score(WHO[:36], found) > 0.6


def test_neighbors_of_embeddings_are_of_the_same_class():
    pipeline = make_pipeline(SiameseSequenceEmbedder(**MORE), KNeighborsClassifier(3))
    assert pipeline.fit(X[:36], WHO[:36]).score(X[36:], WHO[36:]) > 0.85


# -- pairs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "distance", "expected"),
    [
        ("prototypical", "cosine", lambda a, b: 1 - a @ b),
        ("triplet", "euclidean", lambda a, b: np.linalg.norm(a - b)),
        ("kl_hinge", "symmetric_kl", lambda a, b: (a - b) @ np.log(a / b)),
    ],
)
def test_distances_of_pairs_are_those_of_their_embeddings(loss, distance, expected):
    embedder = EMBEDDER.rough(EMBEDDER.fit(loss=loss, distance=distance))
    A, B = EMBEDDER.X[:6], EMBEDDER.X[6:]
    rows = zip(embedder.transform(A), embedder.transform(B), strict=True)
    wanted = [expected(a, b) for a, b in rows]
    found = embedder.pair_distance(A, B)
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    at_zero = 1 if distance == "cosine" else 0
    np.testing.assert_allclose(embedder.pair_score(A, B), at_zero - found)
    np.testing.assert_allclose(embedder.pair_distance(A, A), 0, atol=1e-12)
    np.testing.assert_allclose(embedder.pair_distance(B, A), found)


def test_fit_settles_a_threshold_that_serves(fitted):
    A, B, y = pairs_of()
    assert (fitted.predict_pairs(A, B) == y).mean() > 0.85
    proba = fitted.predict_proba_pairs(A, B)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    order = np.argsort(fitted.pair_score(A, B))
    assert (np.diff(proba[order, 1]) >= 0).all()
    assert proba[y == 1, 1].mean() > 0.7 > 0.3 > proba[y == -1, 1].mean()


def test_a_threshold_is_as_good_as_asked_for(fitted):
    A, B, y = pairs_of()
    scores = fitted.pair_score(A, B)
    assert fitted.fit_threshold(A, B, y) is fitted
    found = fitted.predict_pairs(A, B)
    assert (found == np.where(scores >= fitted.threshold_, 1, -1)).all()
    accepts, rejects = (found[y == -1] == 1).mean(), (found[y == 1] == -1).mean()
    assert abs(accepts - rejects) < 0.05
    fitted.fit_threshold(A, B, y, criterion="max_fpr", value=0)
    assert not (fitted.predict_pairs(A, B)[y == -1] == 1).any()


@pytest.mark.parametrize("unlike", [0, -1])
def test_pairs_are_labelled_as_the_last_y_was(fitted, unlike):
    A, B, y = pairs_of(20)
    y = np.where(y == 1, 1, unlike)
    fitted.fit_threshold(A, B, y)
    assert set(fitted.predict_pairs(A, B).tolist()) == {1, unlike}
    fitted.fit_threshold(A, B, y == 1)
    assert set(fitted.predict_pairs(A, B).tolist()) == {1, 0}


def training_pairs(n_pairs=90):
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 36, (2, n_pairs))
    y = np.where(WHO[first] == WHO[second], 1, -1)
    return [X[i] for i in first], [X[i] for i in second], y


@pytest.mark.parametrize(
    ("loss", "distance"),
    [p for p in GOING_TOGETHER if LOSSES[p[0]].pair_head],
)
def test_pairs_are_learnt_from(loss, distance):
    embedder = SiameseSequenceEmbedder(loss=loss, distance=distance, **MORE)
    assert embedder.fit_pairs(*training_pairs()) is embedder
    assert embedder.score(X[36:], WHO[36:]) > 0.7
    assert not hasattr(embedder, "classes_")
    A, B, y = pairs_of()
    assert (embedder.predict_pairs(A, B) == y).mean() > 0.7


def test_a_pair_of_no_weight_might_as_well_be_missing():
    A, B, y = training_pairs(30)
    weight = np.ones(30)
    weight[[3, 8]] = 0
    kept = np.flatnonzero(weight)
    params = {**MORE, "epochs": 2, "loss": "contrastive"}
    weighted = SiameseSequenceEmbedder(**params).fit_pairs(A, B, y, weight)
    some = SiameseSequenceEmbedder(**params).fit_pairs(
        [A[i] for i in kept], [B[i] for i in kept], y[kept]
    )
    for own, other in zip(weighted._weights, some._weights, strict=True):
        np.testing.assert_array_equal(own, other)


def test_pairs_are_held_out_and_kept(tmp_path):
    params = {**MORE, "early_stopping": True, "validation_fraction": 0.3}
    embedder = SiameseSequenceEmbedder(**params).fit_pairs(*training_pairs())
    assert len(embedder.history_["val_loss"]) == embedder.n_iter_
    embedder.save(tmp_path / "embedder")
    A, B, _ = pairs_of(10)
    copied = skseq.load(tmp_path / "embedder")
    np.testing.assert_array_equal(copied.pair_score(A, B), embedder.pair_score(A, B))
    np.testing.assert_array_equal(
        copied.predict_proba_pairs(A, B), embedder.predict_proba_pairs(A, B)
    )


# -- classes ----------------------------------------------------------------------


def test_classes_are_held_out_whole():
    embedder = EMBEDDER.make(early_stopping=True, validation_fraction=0.25)
    held = []
    embedder._conclude = lambda *subsets: held.extend(subsets)
    embedder._failure = lambda data: None
    embedder.fit(EMBEDDER.X, EMBEDDER.y)
    training, validation = (set(s.data.ids[s.rows].tolist()) for s in held)
    assert len(validation) == 2
    assert not training & validation
    assert training | validation == {0, 1, 2, 3}


def test_classes_of_one_sequence_are_told_by_its_parts():
    long_X = [np.tile(x, (8, 1)) for x in X[:12]]
    embedder = SiameseSequenceEmbedder(**MORE).fit(long_X, np.arange(12))
    assert embedder.history_["loss"][-1] < embedder.history_["loss"][0]
    assert embedder.threshold_ is not None


def test_the_error_rate_of_a_validation_set_is_that_of_its_pairs(fitted):
    embedder = learnt(epochs=2)
    embedder.fit(X[:36], WHO[:36], X_val=X[36:], y_val=WHO[36:])
    expected = 1 - embedder.score(X[36:], WHO[36:])
    assert embedder.history_["val_loss"][-1] == pytest.approx(expected)


def test_later_parts_may_bring_new_classes_unless_they_are_told_apart_by_name():
    embedder = SiameseSequenceEmbedder(**MORE).partial_fit(X[:12], WHO[:12])
    embedder.partial_fit(X[:12], WHO[:12] + 10)
    told = SiameseSequenceEmbedder(loss="classification", **MORE)
    told.partial_fit(X[:12], WHO[:12], classes=range(5))
    with pytest.raises(ValueError, match=r"label 10, which was not seen in fit"):
        told.partial_fit(X[:12], WHO[:12] + 10)
    told.fit(X[:12], WHO[:12], X_val=X[:12], y_val=WHO[:12] + 10)
    assert len(told.history_["val_loss"]) == told.n_iter_


# -- refusals ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "distance", "cure"),
    [
        ("kl_hinge", "cosine", "Set distance='symmetric_kl'"),
        ("contrastive", "symmetric_kl", "goes with 'prototypical', 'triplet', 'kl_h"),
        ("classification", "euclidean", "Set distance='cosine'"),
    ],
)
def test_losses_and_distances_that_do_not_go_together_are_named(loss, distance, cure):
    with pytest.raises(ValueError, match=cure):
        learnt(loss=loss, distance=distance)


def test_a_margin_without_effect_is_refused():
    with pytest.raises(ValueError, match=r"margin=0\.3 has no effect"):
        learnt(margin=0.3)


def test_one_class_tells_nothing_apart():
    with pytest.raises(ValueError, match="y holds one class"):
        EMBEDDER.tiny().fit(X[:5], [1] * 5)
    weight = [1, 0, 1]
    with pytest.raises(ValueError, match="y holds one class"):
        EMBEDDER.tiny().fit(X[:3], WHO[:3], sample_weight=weight)


def test_a_class_of_one_sequence_needs_parts():
    with pytest.raises(ValueError, match=r"X\[2\] is the only sequence of its class"):
        EMBEDDER.tiny(crop=None).fit(X[:3], [0, 0, 1])
    short = [X[0], X[1], X[2][:1]]
    with pytest.raises(ValueError, match=r"X\[2\] .* and has 1 frame: too few"):
        EMBEDDER.tiny().fit(short, [0, 0, 1])
    EMBEDDER.tiny(loss="classification", crop=None).fit(X[:3], [0, 0, 1])


def test_too_few_classes_are_warned_of_where_their_number_was_set():
    with pytest.warns(UserWarning, match="classes_per_batch=9 is more than the 4"):
        EMBEDDER.tiny(classes_per_batch=9).fit(EMBEDDER.X, EMBEDDER.y)


def test_classes_cannot_be_held_out_where_there_are_two():
    with pytest.raises(ValueError, match=r"needs four, .* 3 classes .*Add classes"):
        EMBEDDER.tiny(early_stopping=True).fit(X[:4], [0, 0, 1, 2])


def test_a_validation_set_needs_pairs_of_both_kinds():
    with pytest.raises(ValueError, match="What is validated with must hold pairs"):
        EMBEDDER.tiny().fit(X[:12], WHO[:12], X_val=X[:2], y_val=[1, 1])


def test_sides_of_unequal_length_are_refused(fitted):
    for use in (fitted.pair_score, fitted.predict_pairs, fitted.predict_proba_pairs):
        with pytest.raises(ValueError, match=r"\[3, 2\]\. B must have one entry"):
            use(X[:3], X[:2])
    for use in (fitted.fit_threshold, EMBEDDER.tiny().fit_pairs):
        with pytest.raises(ValueError, match=r"\[3, 2\]\. B must have one entry"):
            use(X[:3], X[:2], [1, 0, 1])
        with pytest.raises(ValueError, match=r"\[3, 2\]\. y must have one entry"):
            use(X[:3], X[:3], [1, 0])


def test_a_side_with_a_value_that_is_not_finite_is_named(fitted):
    bad = [X[0], np.full((4, 3), np.nan)]
    with pytest.raises(ValueError, match=r"In B: .*X\[1\]"):
        fitted.pair_score(X[:2], bad)
    with pytest.raises(ValueError, match=r"In A: .*X\[1\]"):
        EMBEDDER.tiny().fit_pairs(bad, X[:2], [1, 0])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 1, 1], "3 pairs alike and 0 not"),
        ([-1, -1, -1], "0 pairs alike and 3 not"),
        ([1, 0, -1], "both 0 and -1"),
        ([1, 2, 0], r"y\[1\] = 2"),
        (["a", "b", "a"], r"y\[0\] = 'a'"),
        ([0.5, 1, 0], r"y\[0\] = 0\.5"),
        (None, "y is None"),
    ],
)
def test_labels_of_pairs_are_checked(fitted, y, message):
    for use in (fitted.fit_threshold, EMBEDDER.tiny().fit_pairs):
        with pytest.raises(ValueError, match=message):
            use(X[:3], X[3:6], y)


@pytest.mark.parametrize(
    ("criterion", "value", "message"),
    [
        ("max_fpr", None, r"'value' parameter .*\[0\.0, 1\.0\)"),
        ("max_fpr", 1.0, r"'value' parameter .*\[0\.0, 1\.0\)"),
        ("f_beta", -1, "'value' parameter"),
        ("eer", 0.5, "value=0.5 has no effect"),
        ("auc", None, "'criterion' parameter .*'eer'"),
    ],
)
def test_what_a_threshold_is_to_be_best_for_is_checked(
    fitted, criterion, value, message
):
    A, B, y = pairs_of(6)
    with pytest.raises(ValueError, match=message):
        fitted.fit_threshold(A, B, y, criterion, value)


@pytest.mark.parametrize("loss", ["triplet", "classification"])
def test_losses_of_classes_take_no_pairs(loss):
    with pytest.raises(ValueError, match=r"Set loss to 'prototypical', 'contrastive'"):
        EMBEDDER.tiny(loss=loss).fit_pairs(X[:2], X[2:4], [1, 0])


def test_a_score_needs_pairs_of_both_kinds(fitted):
    for y in ([0, 1, 2], [1, 1, 1]):
        with pytest.raises(ValueError, match="two sequences of one class"):
            fitted.score(X[:3], y)


def test_without_a_threshold_pairs_are_not_judged(rough):
    rough.threshold_ = None
    with pytest.raises(ValueError, match=r"Call fit_threshold\(A, B, y\)"):
        rough.predict_pairs(X[:2], X[2:4])


class Flatten(keras.callbacks.Callback):
    """Sets all weights to zero at the end, but for the biases of the embedding."""

    def on_train_end(self, logs=None):
        self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])
        self.model.get_layer("embedding").bias.assign(np.ones(8))


def test_embeddings_that_are_all_alike_are_warned_of():
    with pytest.warns(ConvergenceWarning, match="all embeddings are alike"):
        learnt(
            loss="contrastive",
            distance="euclidean",
            optimizer="sgd",
            learning_rate=1e-30,
            callbacks=[Flatten()],
        )


def test_embeddings_that_tell_nothing_are_warned_of():
    rng = np.random.default_rng(0)
    noise = [rng.normal(size=(9, 3)) for _ in range(40)]
    with pytest.warns(ConvergenceWarning, match="equal error rate is 0"):
        SiameseSequenceEmbedder(**{**MORE, "learning_rate": 1e-30}).fit(
            noise, np.arange(40) % 2
        )


# -- what stays as it was ---------------------------------------------------------


@pytest.mark.parametrize("by_pairs", [False, True])
def test_center_stays_as_long_as_its_scale_does(by_pairs):
    params = {**MORE, "epochs": 1, "loss": "contrastive", "warm_start": True}
    embedder = SiameseSequenceEmbedder(**params)
    data = training_pairs() if by_pairs else (X[:36], WHO[:36])
    fit = embedder.fit_pairs if by_pairs else embedder.fit
    fit(*data)
    embedder.center = False
    for again in (fit,) if by_pairs else (fit, embedder.partial_fit):
        with pytest.raises(ValueError, match=r"center was True and is False\. Set"):
            again(*data)
    embedder.set_params(warm_start=False)
    fit(*data)


@pytest.mark.parametrize("margin", [np.pi, 4, 60.0])
def test_a_margin_of_half_a_turn_is_refused(margin):
    with pytest.raises(ValueError, match=r"below pi .* radians"):
        learnt(loss="classification", margin=margin)


def test_a_score_is_the_same_whatever_transform_gives(fitted):
    expected = fitted.score(X[36:], WHO[36:])
    for container in ("pandas", "polars"):
        pytest.importorskip(container)
        fitted.set_output(transform=container)
        try:
            assert fitted.score(X[36:], WHO[36:]) == expected
            A, B, _ = pairs_of(4)
            assert fitted.pair_score(A, B).shape == (4,)
        finally:
            fitted.set_output(transform="default")


def test_labels_of_pairs_outlast_training_by_classes():
    embedder = SiameseSequenceEmbedder(**{**MORE, "epochs": 1})
    embedder.fit(X[:36], WHO[:36])
    A, B, y = pairs_of(20)
    embedder.fit_threshold(A, B, y == 1)
    embedder.partial_fit(X[:36], WHO[:36])
    assert set(embedder.predict_pairs(A, B).tolist()) == {1, 0}
    embedder.fit(X[:36], WHO[:36])
    assert set(embedder.predict_pairs(A, B).tolist()) == {1, -1}


def test_classes_are_those_of_the_last_training_by_classes():
    params = {**MORE, "epochs": 1, "loss": "contrastive", "warm_start": True}
    embedder = SiameseSequenceEmbedder(**params).fit(X[:36], WHO[:36])
    embedder.fit_pairs(*training_pairs())
    assert not hasattr(embedder, "classes_")
    embedder.partial_fit(X[:36], WHO[:36])
    assert embedder.classes_.tolist() == np.unique(WHO[:36]).tolist()


# -- what cannot be told ----------------------------------------------------------


def test_sequences_of_which_nothing_is_left_are_named_once(fitted):
    flat = np.full((5, 3), 2.5)
    with pytest.warns(UserWarning, match=r"^X\[1\] and 1 other cannot be") as caught:
        fitted.transform([X[0], flat, X[1][:1]])
    assert len(caught) == 1
    with pytest.warns(UserWarning, match=r"^B\[1\] cannot be told apart"):
        fitted.pair_score([X[0], X[1], X[2]], [X[0], flat, X[1]])


def test_parts_of_one_frame_are_refused_where_means_are_removed():
    with pytest.raises(ValueError, match=r"crop=.* parts of one frame"):
        learnt(crop=(1, 1))
    with pytest.raises(ValueError, match=r"crop=.* parts of one frame"):
        SiameseSequenceEmbedder(**MORE, crop=(1, 1)).fit_pairs(*training_pairs())
    learnt(crop=(1, 1), center=False, epochs=1)


def test_a_loss_that_never_falls_below_chance_is_warned_of():
    rng = np.random.default_rng(0)
    noise = [rng.normal(size=(9, 3)) for _ in range(8)]
    with pytest.warns(ConvergenceWarning, match=r"the loss is .* chance would reach"):
        SiameseSequenceEmbedder(**{**MORE, "learning_rate": 1e-30}).fit(
            noise, np.arange(8) // 2
        )


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (pd.array([True, None, False], dtype="boolean"), r"y\[1\] = <NA>"),
        (pd.Series([True, None, False], dtype="boolean"), r"y\[1\] = <NA>"),
        ([[1], [0, 1], [1]], r"y\[0\] = \[1\]"),
        ([1, None, 0], r"y\[1\] = None"),
        ([1, np.nan, 0], r"y\[1\] = nan"),
    ],
)
def test_labels_of_pairs_that_are_missing_or_lists_are_named(fitted, y, message):
    for use in (fitted.fit_threshold, EMBEDDER.tiny().fit_pairs):
        with pytest.raises(ValueError, match=message):
            use(X[:3], X[3:6], y)


def test_labels_of_pairs_may_be_booleans_of_pandas(fitted):
    A, B, y = pairs_of(20)
    fitted.fit_threshold(A, B, y == 1)
    threshold = fitted.threshold_
    fitted.fit_threshold(A, B, pd.Series(y == 1, dtype="boolean"))
    assert fitted.threshold_ == threshold


# -- messages fit what was asked for ----------------------------------------------


def test_training_by_another_loss_is_refused_by_name():
    params = {**MORE, "epochs": 1, "warm_start": True}
    embedder = SiameseSequenceEmbedder(**params).fit(X[:36], WHO[:36])
    with pytest.raises(ValueError, match=r"'prototypical' by fit or .* by fit_pairs\."):
        embedder.fit_pairs(*training_pairs())
    embedder.loss = "classification"
    with pytest.raises(ValueError, match=r"is to be with loss='classification'"):
        embedder.fit(X[:36], WHO[:36])
    embedder.loss = "triplet"
    with pytest.raises(ValueError, match=r"is to be with loss='triplet', 'contr"):
        embedder.partial_fit(X[:36], WHO[:36])


@pytest.mark.parametrize(("n_alike", "fraction"), [(1, 0.1), (3, 0.01), (1, 0.5)])
def test_pairs_too_few_to_hold_out_are_counted_and_no_validation_set_is_offered(
    n_alike, fraction
):
    params = {**MORE, "early_stopping": True, "validation_fraction": fraction}
    y = [1] * n_alike + [-1] * (12 - n_alike)
    with pytest.raises(ValueError, match=rf"{n_alike} pairs? alike and") as caught:
        SiameseSequenceEmbedder(**params).fit_pairs(X[:12], X[12:24], y)
    assert "early_stopping=False" in str(caught.value)
    assert "X_val" not in str(caught.value)
    assert "sequences aside" not in str(caught.value)


def test_four_classes_are_enough_to_hold_two_out():
    with pytest.raises(ValueError, match=r"4 classes .*Lower validation_fraction"):
        EMBEDDER.tiny(early_stopping=True, validation_fraction=0.9).fit(
            X[:12], np.arange(12) % 4
        )


def test_where_weights_of_zero_leave_too_little_the_message_says_so(fitted):
    words = "whose sample_weight is above 0"
    with pytest.raises(ValueError, match=f"one class among sequences {words}"):
        EMBEDDER.tiny().fit(X[:3], [0, 0, 1], sample_weight=[1, 1, 0])
    with pytest.raises(
        ValueError, match=f"only sequence of its class among .* {words}"
    ):
        EMBEDDER.tiny(crop=None).fit(X[:4], [0, 0, 1, 1], sample_weight=[1, 1, 1, 0])
    with pytest.raises(ValueError, match=f"of both kinds among pairs {words}"):
        EMBEDDER.tiny().fit_pairs(X[:3], X[3:6], [1, 1, -1], sample_weight=[1, 1, 0])
    with pytest.raises(ValueError, match=f"two classes among those {words}"):
        fitted.score(X[:3], [0, 0, 1], sample_weight=[1, 1, 0])


def test_halves_and_pairs_are_called_what_they_are():
    rng = np.random.default_rng(0)
    noise = [rng.normal(size=(20, 3)) for _ in range(40)]
    params = {**MORE, "learning_rate": 1e-30}
    with pytest.warns(
        ConvergenceWarning, match=r"40 training sequences, 40 .* halves,"
    ):
        SiameseSequenceEmbedder(**params).fit(noise, np.arange(40))
    with pytest.warns(ConvergenceWarning, match=r"on 20 training pairs "):
        SiameseSequenceEmbedder(**params).fit_pairs(
            noise[:20], noise[20:], np.arange(20) % 2
        )


def test_without_pairs_of_both_kinds_no_interruption_is_told_of():
    embedder = EMBEDDER.tiny(loss="classification", crop=None)
    embedder.fit([x[:1] for x in X[:3]], [0, 1, 2])
    assert embedder.threshold_ is None
    with pytest.raises(ValueError, match=r"no pairs of both kinds") as caught:
        embedder.predict_pairs(X[:2], X[2:4])
    assert "interrupted" not in str(caught.value)


def test_folds_of_sorted_classes_are_to_be_shuffled():
    order = np.argsort(WHO, kind="stable")
    with pytest.raises(ValueError, match=r"two classes\. Got 1 class .*shuffle=True"):
        learnt(epochs=1).score([X[i] for i in order[:5]], WHO[order[:5]])
    with pytest.raises(ValueError, match=r"y holds one class.*KFold\(shuffle=True\)"):
        EMBEDDER.tiny().fit([X[i] for i in order[:5]], WHO[order[:5]])


def test_scores_of_weighted_pairs_are_those_of_the_metric(rough):
    weights = np.random.default_rng(0).uniform(0, 2, 24)
    weights[3] = 0
    first, second = np.triu_indices(24, 1)
    A, B = [X[36 + i] for i in first], [X[36 + i] for i in second]
    is_alike = WHO[36:][first] == WHO[36:][second]
    for weight in (None, weights):
        own = None if weight is None else weight[first] * weight[second]
        scores = rough.pair_score(A, B)
        rate = equal_error_rate(is_alike, scores, sample_weight=own)
        found = rough.score(X[36:], WHO[36:], sample_weight=weight)
        assert found == pytest.approx(1 - rate)
