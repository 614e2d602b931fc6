"""Scores of pairs, their threshold, and the errors that go together."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.metrics import det_curve
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq.inspection import PairScoresDisplay
from skseq.metrics import equal_error_rate
from skseq.preprocessing import FrameTransformer
from tests.inspection.test_displays import drawn_labels, touch

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")


@pytest.fixture
def pairs():
    """Marks and scores of 40 pairs alike and 160 others."""
    y_true = np.repeat([1, 0], [40, 160])
    return y_true, y_true + np.random.default_rng(0).normal(size=200)


class Comparer(BaseEstimator):
    """Scores pairs by how near the first frames of both are."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.threshold_ = -0.5
        return self

    def pair_score(self, A, B):
        near = [abs(a[0, 0] - b[0, 0]) for a, b in zip(A, B, strict=True)]
        return -self.factor * np.array(near)

    def score(self, X, y=None):
        return self.factor


def test_each_kind_of_pair_has_a_histogram_of_all_its_scores(pairs):
    display = PairScoresDisplay.from_predictions(*pairs, bins=10, density=False)
    edges = np.histogram_bin_edges(pairs[1], 10)
    for name, kind in (("alike", 1), ("not alike", 0)):
        counts, _ = np.histogram(pairs[1][pairs[0] == kind], edges)
        heights = [bar.get_height() for bar in display.bars_[name]]
        np.testing.assert_array_equal(heights, counts)


def test_histograms_have_area_one_unless_counts_are_wanted(pairs):
    display = PairScoresDisplay.from_predictions(*pairs)
    for bars in display.bars_.values():
        area = sum(bar.get_height() * bar.get_width() for bar in bars)
        assert area == pytest.approx(1.0)


def test_the_line_passes_through_the_points_of_scikit_learns_curve(pairs):
    display = PairScoresDisplay.from_predictions(*pairs)
    shown = set(zip(*norm.cdf(display.line_.get_data()).round(6), strict=True))
    accepts, rejects, _ = det_curve(*pairs)
    points = set(zip(accepts.round(6), rejects.round(6), strict=True))
    assert len(points) > 50
    assert points <= shown


@pytest.mark.parametrize("threshold", [0.5, -10, 10])
def test_errors_are_those_at_the_threshold_that_is_given(pairs, threshold):
    y_true, y_score = pairs
    display = PairScoresDisplay.from_predictions(*pairs, threshold=threshold)
    accepted = y_score >= threshold
    assert display.threshold_line_.get_xdata() == [threshold, threshold]
    assert display.false_accept_rate_ == pytest.approx(accepted[y_true == 0].mean())
    assert display.false_reject_rate_ == pytest.approx(1 - accepted[y_true == 1].mean())
    assert np.isfinite(display.threshold_point_.get_data()).all()


def test_the_threshold_lies_on_the_line_of_errors(pairs):
    display = PairScoresDisplay.from_predictions(*pairs, threshold=0.5)
    place = np.ravel(display.threshold_point_.get_data())
    distances = np.linalg.norm(np.transpose(display.line_.get_data()) - place, axis=1)
    assert distances.min() == pytest.approx(0, abs=1e-6)


def test_without_a_threshold_both_errors_are_nearest_to_equal(pairs):
    display = PairScoresDisplay.from_predictions(*pairs)
    assert display.equal_error_rate_ == equal_error_rate(*pairs)
    y_true, scores = map(np.asarray, pairs)
    accepts = scores >= scores[:, np.newaxis]  # with each score as the threshold
    falsely_accepted = accepts[:, y_true == 0].mean(axis=1)
    falsely_rejected = 1 - accepts[:, y_true == 1].mean(axis=1)
    gap = abs(display.false_accept_rate_ - display.false_reject_rate_)
    assert gap == pytest.approx(abs(falsely_accepted - falsely_rejected).min())


def test_both_axes_of_errors_are_ticked_with_rates_where_they_lie(pairs):
    display = PairScoresDisplay.from_predictions(*pairs)
    display.figure_.canvas.draw()
    for axis in (display.axes_[1].xaxis, display.axes_[1].yaxis):
        texts = [label.get_text() for label in axis.get_ticklabels()]
        rates = [float(text.rstrip("%")) / 100 for text in texts]
        np.testing.assert_allclose(norm.cdf(axis.get_ticklocs()), rates)
        assert len(rates) >= 2


@pytest.mark.parametrize(
    ("scores", "rate"), [([2, 1], 0.0), ([1, 2], 1.0), ([1, 1], 0.5)]
)
def test_pairs_told_apart_well_or_not_at_all_are_drawn_too(scores, rate):
    display = PairScoresDisplay.from_predictions([1, 0], scores)
    display.figure_.canvas.draw()
    assert display.equal_error_rate_ == rate


@pytest.mark.parametrize("threshold", [None, 2.5])
@pytest.mark.parametrize("size", [None, (3, 3), (1, 3), (2, 2)])
def test_legend_panels_and_ticks_do_not_overlap(pairs, threshold, size):
    ax, others = None, []
    if size is not None:
        _, grid = plt.subplots(*size, figsize=(12, 4 * size[0]), layout="constrained")
        _, ax, *others = np.ravel(grid)
    display = PairScoresDisplay(*pairs, threshold=threshold).plot(ax)
    display.figure_.canvas.draw()
    boxes = [panel.get_window_extent() for panel in display.axes_]
    boxes += [display.ax_.get_legend().get_window_extent()]
    boxes += [other.get_tightbbox() for other in others]
    assert not touch(boxes)
    left, right = (panel.get_tightbbox() for panel in display.axes_)
    assert not left.overlaps(right)
    for panel in display.axes_:
        for axis in (panel.xaxis, panel.yaxis):
            texts, boxes = drawn_labels(axis)
            assert len(texts) >= 2
            assert not touch(boxes)


def test_in_narrow_axes_the_errors_are_below_the_scores(pairs):
    _, (_, narrow, _) = plt.subplots(1, 3)
    above, below = PairScoresDisplay(*pairs).plot(narrow).axes_
    assert below.get_window_extent().y1 < above.get_window_extent().y0
    left, right = PairScoresDisplay(*pairs).plot().axes_
    assert left.get_window_extent().x1 < right.get_window_extent().x0


def test_the_title_says_what_the_threshold_costs():
    words = "threshold: 50.0% accepted falsely, 0.0% rejected falsely"
    display = PairScoresDisplay([1, 1, 0, 0], [4, 2, 3, 1], threshold=2).plot()
    assert display.ax_.get_title() == words


def make_sequences():
    rng = np.random.default_rng(0)
    sides = [[rng.normal(size=(4, 2)) for _ in range(20)] for _ in range(2)]
    return *sides, np.arange(20) % 2


def test_an_estimator_is_asked_for_scores_and_its_threshold():
    A, B, y = make_sequences()
    comparer = Comparer().fit(A)
    display = PairScoresDisplay.from_estimator(comparer, A, B, y)
    np.testing.assert_array_equal(display.y_score, comparer.pair_score(A, B))
    assert display.threshold_ == -0.5
    comparer.threshold_ = None
    display = PairScoresDisplay.from_estimator(comparer, A, B, y)
    assert display.equal_error_rate_ == equal_error_rate(y, display.y_score)


def test_both_sides_pass_the_steps_of_a_pipeline_in_a_search():
    A, B, y = make_sequences()
    search = GridSearchCV(
        make_pipeline(FrameTransformer(StandardScaler()), Comparer()),
        {"comparer__factor": [1.0, 2.0]},
        cv=2,
    ).fit(A)
    display = PairScoresDisplay.from_estimator(search, A, B, y)
    scaler, comparer = search.best_estimator_
    assert comparer.factor == 2.0
    expected = comparer.pair_score(scaler.transform(A), scaler.transform(B))
    np.testing.assert_array_equal(display.y_score, expected)


@pytest.mark.parametrize(
    ("y_true", "y_score", "options", "message"),
    [
        ([1, 1], [0, 1], {}, "pairs of both kinds"),
        ([1, 2], [0, 1], {}, r"y_true\[1\] = 2"),
        ([1, 0], [0], {}, "one score per pair of y_true, 2 in all"),
        ([1, 0], [0, np.nan], {}, r"y_score\[1\] is NaN"),
        ([1, 0], [0, np.inf], {}, r"must be finite to be drawn. y_score\[1\] is inf"),
        ([1, 0], [0, 1], {"threshold": "0"}, "'threshold' parameter .* Got '0'"),
        ([1, 0], [0, 1], {"threshold": np.nan}, "'threshold' parameter .* Got nan"),
    ],
)
def test_pairs_that_cannot_be_drawn_are_refused(y_true, y_score, options, message):
    with pytest.raises(ValueError, match=message):
        PairScoresDisplay(y_true, y_score, **options).plot()
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    "bins",
    [0, -3, 2.5, "x", "auto", None, True, [2], [3, 2], [1, 1], [0, np.nan], ["a"]],
)
def test_what_makes_no_bins_is_refused_in_words(pairs, bins):
    with pytest.raises(ValueError, match="bins must be an int of at least 1, or two"):
        PairScoresDisplay.from_predictions(*pairs, bins=bins)


def test_bins_without_a_score_are_refused():
    with pytest.raises(
        ValueError, match=r"end at 2 and 3, and scores are from 0\.1 to"
    ):
        PairScoresDisplay.from_predictions([1, 0], [0.9, 0.1], bins=[2, 3])


def test_bins_may_be_edges(pairs):
    display = PairScoresDisplay.from_predictions(*pairs, bins=[-9, 0, 9], density=False)
    heights = [bar.get_height() for bar in display.bars_["alike"]]
    own = pairs[1][pairs[0] == 1]
    assert heights == [(own < 0).sum(), (own >= 0).sum()]


@pytest.mark.parametrize("largest", [1e308, -1e200])
def test_scores_too_large_for_axes_are_named(largest):
    with pytest.raises(ValueError, match=r"y_score\[2\] is .*divide all scores"):
        PairScoresDisplay.from_predictions([1, 0, 0], [0.9, 0.1, largest])
