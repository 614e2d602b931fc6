"""Embeddings in a plane."""

import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skseq.inspection import EmbeddingDisplay

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")
to_hex = plt.matplotlib.colors.to_hex

MIXED = np.array([1, "a"] * 6, dtype=object)
VECTORS = np.random.default_rng(0).normal(size=(12, 5))


def shown_points(display):
    return {k: np.asarray(s.get_offsets()) for k, s in display.scatters_.items()}


def names_of(display):
    """The classes that the legend names."""
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_vectors_lie_at_their_first_two_principal_components():
    display = EmbeddingDisplay.from_predictions(VECTORS)
    centered = VECTORS - VECTORS.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centered)
    np.testing.assert_allclose(abs(display.points), abs(centered @ axes[:2].T))
    share = sizes[0] ** 2 / np.sum(sizes**2)
    assert display.ax_.get_xlabel() == f"component 1 ({share:.0%} of the variance)"


def test_vectors_of_two_dimensions_lie_where_they_are():
    display = EmbeddingDisplay.from_predictions(VECTORS[:, :2])
    np.testing.assert_array_equal(shown_points(display)["all"], VECTORS[:, :2])


def test_each_class_has_its_points_a_color_and_a_name():
    y = np.array(["a", "b", "c"] * 4)
    display = EmbeddingDisplay.from_predictions(VECTORS, y)
    for label, points in shown_points(display).items():
        np.testing.assert_array_equal(points, display.points[y == label])
    colors = {to_hex(s.get_facecolor()[0]) for s in display.scatters_.values()}
    assert len(colors) == 3
    assert names_of(display) == ["a", "b", "c"]


@pytest.mark.parametrize("n_classes", [8, 14, 50])
def test_classes_that_share_a_color_differ_in_their_markers(n_classes):
    points = np.random.default_rng(0).normal(size=(2 * n_classes, 2))
    display = EmbeddingDisplay(points, y=np.arange(2 * n_classes) // 2).plot()
    looks = {
        (to_hex(s.get_facecolor()[0]), s.get_paths()[0].vertices.tobytes())
        for s in display.scatters_.values()
    }
    assert len(looks) == n_classes


@pytest.mark.parametrize("n_classes", [3, 15, 20, 60])
@pytest.mark.parametrize("shape", [None, (1, 3), (2, 2)])
@pytest.mark.parametrize("layout", ["constrained", None])
def test_the_legend_ends_where_the_axes_do_and_counts_what_is_left_out(
    n_classes, shape, layout
):
    y = np.repeat(np.arange(n_classes), np.arange(n_classes) + 2)
    points = np.random.default_rng(0).normal(size=(len(y), 2))
    ax = shape and np.ravel(plt.subplots(*shape, layout=layout)[1])[1]
    display = EmbeddingDisplay(points, y=y).plot(ax)
    display.figure_.canvas.draw()
    names = names_of(display)
    listed = [name for name in names if not name.startswith("...")]
    n_left_out = n_classes - len(listed)
    # Those with most points, in the order of the classes.
    assert listed == [str(label) for label in range(n_left_out, n_classes)]
    assert names[len(listed) :] == [f"... and {n_left_out} more"] * (n_left_out > 0)
    legend = display.ax_.get_legend().get_window_extent()
    own = display.ax_.get_window_extent()
    assert own.y0 - 1 <= legend.y0 <= legend.y1 <= own.y1 + 1
    if shape is None:
        assert n_left_out == 0 or n_classes == 60


def test_a_legend_beside_axes_stays_off_the_neighbors_where_nothing_makes_room():
    _, (_, ax, neighbor) = plt.subplots(1, 3, figsize=(9, 3))
    display = EmbeddingDisplay(VECTORS[:, :2], y=list("abcdef") * 2).plot(ax)
    display.figure_.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert not legend.overlaps(neighbor.get_window_extent())


def test_numbers_have_as_few_digits_as_tell_classes_apart():
    display = EmbeddingDisplay(VECTORS[:6, :2], y=[0.0, 1 / 7, 2 / 7] * 2).plot()
    assert names_of(display) == ["0.0", "0.1429", "0.2857"]
    assert list(display.scatters_) == [0.0, 1 / 7, 2 / 7]
    display = EmbeddingDisplay(VECTORS[:2, :2], y=[1 / 7, 1 / 7 + 1e-8]).plot()
    assert names_of(display) == ["0.1428571", "0.1428572"]


@pytest.mark.parametrize("transformer", [None, PCA(2), PCA(2, whiten=False)])
def test_equal_embeddings_lie_at_one_place_without_shares(transformer):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = EmbeddingDisplay.from_predictions(
            np.ones((4, 5)), list("aabb"), transformer=transformer
        )
        display.figure_.canvas.draw()
    np.testing.assert_array_equal(display.points, np.zeros((4, 2)))
    assert display.ax_.get_xlabel() == "component 1"


def test_a_transformer_of_the_user_is_copied_and_fitted():
    transformer = TSNE(perplexity=3, random_state=0)
    display = EmbeddingDisplay.from_predictions(VECTORS, transformer=transformer)
    assert not hasattr(transformer, "embedding_")
    expected = TSNE(perplexity=3, random_state=0).fit_transform(VECTORS)
    np.testing.assert_allclose(display.points, expected)
    assert display.ax_.get_xlabel() == "TSNE 1"


def test_what_has_fit_transform_alone_is_a_transformer():
    class FirstAndLast:
        def fit_transform(self, X):
            self.seen = X
            return X[:, [0, -1]]

    transformer = FirstAndLast()
    display = EmbeddingDisplay.from_predictions(VECTORS, transformer=transformer)
    np.testing.assert_array_equal(display.points, VECTORS[:, [0, -1]])
    assert not hasattr(transformer, "seen")


def test_an_estimator_embeds_what_the_steps_before_it_give():
    doubled = make_pipeline(FunctionTransformer(lambda X: 2 * X), StandardScaler())
    doubled.fit(VECTORS)
    display = EmbeddingDisplay.from_estimator(doubled, VECTORS, np.arange(12) % 2)
    expected = PCA(2).fit_transform(doubled.transform(VECTORS))
    np.testing.assert_allclose(abs(display.points), abs(expected))
    assert list(display.scatters_) == [0, 1]


@pytest.mark.parametrize(
    ("embeddings", "options", "error", "message"),
    [
        ([[1.0], [2.0]], {}, ValueError, "at least two features per sequence"),
        ([[1.0, 2.0, 3.0]], {}, ValueError, "at least two sequences. Got 1 sequence"),
        ([[1.0, np.nan]] * 3, {}, ValueError, "embeddings contains NaN"),
        ([["a", "b"]] * 3, {}, ValueError, "could not convert|dtype='numeric'"),
        (VECTORS, {"y": [1, 2]}, ValueError, r"\[12, 2\]. y must have one entry"),
        (VECTORS, {"y": VECTORS}, ValueError, r"y must be one-dim.* \(12, 5\)"),
        (VECTORS, {"y": MIXED}, ValueError, r"one type.* Got \[.*\.\.\.\]\. T"),
        (VECTORS, {"y": [1, None] * 6}, ValueError, r"y\[1\] is None\. Leave that se"),
        (VECTORS, {"y": [None] * 12}, ValueError, r"y\[0\] is None\. .*'unknown'\.$"),
        (VECTORS, {"y": [1.0, np.nan] * 6}, ValueError, r"y\[1\] is nan\. Leave"),
        (VECTORS, {"y": "a"}, TypeError, "y must be a collection of classes"),
        (VECTORS, {"transformer": PCA(3)}, ValueError, r"shape \(12, 3\). Set its n_c"),
        (
            VECTORS,
            {"transformer": "tsne"},
            TypeError,
            "object with fit_transform.*TSNE",
        ),
        (VECTORS, {"transformer": TSNE}, TypeError, r"TSNE\(\), or None. Got <class"),
    ],
)
def test_what_cannot_be_drawn_is_refused(embeddings, options, error, message):
    with pytest.raises(error, match=message):
        EmbeddingDisplay.from_predictions(embeddings, **options)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (VECTORS, {}, r"points must have two columns. Got shape \(12, 5\)"),
        (VECTORS[:, :2], {"axis_names": "xy"}, "axis_names must be two str"),
        (VECTORS[:, :2], {"axis_names": ("x", 1)}, "axis_names must be two str"),
    ],
)
def test_points_and_names_are_checked_when_they_are_drawn(points, options, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay(points, **options).plot()


def test_a_transformer_that_learns_from_classes_is_told_them():
    y = np.array(["a", "b", "c"] * 4)
    display = EmbeddingDisplay.from_predictions(
        VECTORS, y, transformer=LinearDiscriminantAnalysis(n_components=2)
    )
    expected = LinearDiscriminantAnalysis(n_components=2).fit_transform(VECTORS, y)
    np.testing.assert_allclose(display.points, expected)
    estimator = FunctionTransformer().fit(VECTORS)
    shown = EmbeddingDisplay.from_estimator(
        estimator, VECTORS, y, transformer=LinearDiscriminantAnalysis(n_components=2)
    )
    np.testing.assert_allclose(shown.points, expected)
    with pytest.raises(ValueError, match="learns from classes, but y is None"):
        EmbeddingDisplay.from_predictions(
            VECTORS, transformer=LinearDiscriminantAnalysis(n_components=2)
        )


def test_a_pipeline_of_transformers_is_told_the_classes_too():
    y = np.array([0, 1, 2] * 4)
    steps = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(n_components=2))
    display = EmbeddingDisplay.from_predictions(VECTORS, y, transformer=steps)
    np.testing.assert_allclose(display.points, steps.fit_transform(VECTORS, y))
