"""Displays in styles of dark and light axes, and names that legends are given."""

import numpy as np
import pytest

from skseq.inspection import (
    AlignmentDisplay,
    AnomalyScoreDisplay,
    EmbeddingDisplay,
    PairScoresDisplay,
    ReconstructionDisplay,
    RiskCoverageDisplay,
    SeriesDisplay,
    TimelineDisplay,
    TrainingHistoryDisplay,
)
from tests.inspection.test_displays import BY_HAND, drawn_labels

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")
to_rgb, to_rgba = plt.matplotlib.colors.to_rgb, plt.matplotlib.colors.to_rgba

STYLES = ["default", "dark_background", "grayscale", "ggplot", "Solarize_Light2"]


def lightness(color):
    """Relative luminance, as the Web Content Accessibility Guidelines define it."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(color, ground):
    light, dark = sorted([lightness(color), lightness(ground)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def over(color, ground):
    """A color that may be transparent, as it is seen on a ground."""
    *rgb, alpha = to_rgba(color)
    return tuple(alpha * np.array(rgb) + (1 - alpha) * np.array(ground))


# What displays draw in the color of text: the axes, and the colors on them.
MARKS = {
    "AnomalyScoreDisplay": lambda d: [(d.ax_, d.threshold_line_.get_color())],
    "PairScoresDisplay": lambda d: [
        (d.axes_[0], d.threshold_line_.get_color()),
        (d.axes_[1], d.threshold_point_.get_color()),
        *[(d.axes_[1], line.get_color()) for line in d.axes_[1].get_lines()],
        *[(d.ax_, line.get_color()) for line in d.ax_.get_legend().get_lines()],
    ],
    "ReconstructionDisplay": lambda d: [
        (d.axes_[-1], line.get_color()) for line in d.axes_[-1].get_lines()
    ],
    "RiskCoverageDisplay": lambda d: [(d.ax_, d.optimal_line_.get_color())],
    "SeriesDisplay": lambda d: [
        (d.axes_[-2], d.threshold_line_.get_color()),
        *[(d.axes_[-1], c.get_facecolor()[0]) for c in d.axes_[-1].collections],
    ],
    "TimelineDisplay": lambda d: [(d.axes_[0], d.errors_.get_facecolor()[0])],
    "TrainingHistoryDisplay": lambda d: [
        (panel, line.get_color()) for panel in d.axes_ for line in panel.get_lines()
    ],
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", MARKS)
def test_thresholds_alarms_and_marks_are_seen_in_every_style(name, style):
    with plt.style.context(style):
        display = BY_HAND[name]().plot()
        marks = MARKS[name](display)
    assert marks
    for panel, color in marks:
        ground = over(panel.get_facecolor(), to_rgb(panel.figure.get_facecolor()))
        assert contrast(to_rgb(color), ground) >= 2.5


@pytest.mark.parametrize("name", MARKS)
def test_marks_are_black_on_white_in_the_default_style(name):
    with plt.style.context("default"):
        marks = MARKS[name](BY_HAND[name]().plot())
    assert any(to_rgb(color) == (0, 0, 0) for _, color in marks)


def test_dark_axes_beside_dark_labels_are_drawn_on_in_white():
    _, ax = plt.subplots(facecolor="white", subplot_kw={"facecolor": "#101010"})
    display = BY_HAND["AnomalyScoreDisplay"]().plot(ax)
    assert to_rgb(display.threshold_line_.get_color()) == (1, 1, 1)


def test_axes_without_a_ground_have_that_of_their_figure():
    figure = plt.figure(facecolor="black")
    part = figure.subfigures()
    ax = part.subplots(subplot_kw={"facecolor": "none"})
    display = BY_HAND["AnomalyScoreDisplay"]().plot(ax)
    assert to_rgb(display.threshold_line_.get_color()) == (1, 1, 1)


@pytest.mark.parametrize("style", STYLES)
def test_right_and_wrong_frames_differ_and_edges_have_the_ground(style):
    with plt.style.context(style):
        display = TimelineDisplay(["a"] * 9, ["a"] * 4 + ["b"] * 5).plot()
    panel = display.axes_[0]
    (track,) = [c for c in panel.collections if c.get_alpha() is not None]
    ground = over(panel.get_facecolor(), to_rgb(panel.figure.get_facecolor()))
    right = over(track.get_facecolor()[0], ground)
    wrong = to_rgb(display.errors_.get_facecolor()[0])
    assert contrast(wrong, right) > 3
    assert 1 < contrast(right, ground) < 1.3
    edges = [c for c in panel.collections if hasattr(c, "get_segments")]
    np.testing.assert_allclose(edges[0].get_color()[0][:3], ground, atol=1e-6)
    if style == "default":
        np.testing.assert_allclose(right, 0.93)


def test_shades_of_events_are_seen_on_dark_axes():
    with plt.style.context("dark_background"):
        display = BY_HAND["SeriesDisplay"]().plot()
    (shade,) = display.axes_[0].collections
    assert contrast(over(shade.get_facecolor()[0], (0, 0, 0)), (0, 0, 0)) > 1.3


def test_points_of_a_scatter_are_parted_by_the_ground():
    with plt.style.context("dark_background"):
        display = BY_HAND["EmbeddingDisplay"]().plot()
    for points in display.scatters_.values():
        assert to_rgb(points.get_edgecolor()[0]) == (0, 0, 0)


# -- names -----------------------------------------------------------------------------


def names_in(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_names_that_start_with_an_underscore_stand_in_every_legend():
    points = np.eye(4)[:, :2]
    shown = EmbeddingDisplay(points, y=["_x", "_x", "b", "b"]).plot()
    assert names_in(shown.ax_.get_legend()) == ["_x", "b"]

    many = [f"_long name of {i:02}" for i in range(20)]
    shown = TimelineDisplay(None, many).plot()
    assert names_in(shown.legend_) == many

    fits = {"_one": {"loss": [2.0, 1.0]}, "two": {"loss": [2.0, 1.5]}}
    shown = TrainingHistoryDisplay(fits).plot()
    assert names_in(shown.ax_.get_legend()) == ["_one", "two"]
    shown = TrainingHistoryDisplay({"_loss": [2.0, 1.0]}).plot()
    assert names_in(shown.ax_.get_legend()) == ["_loss"]

    shown = RiskCoverageDisplay([0.5, 1.0], [0.2, 0.4], name="_reader").plot()
    assert names_in(shown.ax_.get_legend()) == ["_reader (area = 0.3)"]
    assert shown.ax_.get_legend().get_lines()[0].get_color() == shown.line_.get_color()


def test_dollar_signs_in_the_name_of_a_curve_set_no_formula():
    shown = RiskCoverageDisplay([0.5, 1.0], [0.2, 0.4], name="$a$").plot()
    assert names_in(shown.ax_.get_legend()) == [r"\$a\$ (area = 0.3)"]


# -- room ------------------------------------------------------------------------------

LONG = [f"a rather long label {i}" for i in range(4)]


@pytest.mark.parametrize("with_input", [True, False])
def test_long_labels_of_an_alignment_stay_within_half_of_narrow_axes(with_input):
    from skseq import LabelSpan

    spans = [LabelSpan(LONG[i], 10 * i, 10 * i + 2, 0.8) for i in range(4)]
    posteriors = np.full((40, 5), 0.2)
    frames = np.random.default_rng(0).normal(size=(40, 9)) if with_input else None
    display = AlignmentDisplay(posteriors, spans, classes=LONG, frames=frames)
    _, grid = plt.subplots(2, 2)
    display.plot(grid[1, 1], colorbar=False).figure_.canvas.draw()
    own = grid[1, 1].get_window_extent()
    rows, boxes = drawn_labels(display.axes_[-1].yaxis)
    assert max(box.width for box in boxes) <= 0.55 * own.width
    assert any("…" in text for text in rows)
    assert all(text[-1] == text.strip()[-1] for text in rows)
    texts, boxes = drawn_labels(display.spans_ax_.xaxis)
    assert {text[-1] for text in texts} == set("0123")
    assert max(box.height for box in boxes) <= 0.4 * own.height
    assert not any(box.x0 < own.x0 or box.x1 > own.x1 for box in boxes)
    name = display.spans_ax_.xaxis.label.get_window_extent()
    assert not any(name.overlaps(box) for box in boxes)
    if with_input:
        assert name.y1 <= own.y1 + 8  # six letters are left of each label


@pytest.mark.parametrize("make", [SeriesDisplay, ReconstructionDisplay])
def test_names_of_narrow_panels_are_broken_or_shortened(make):
    values = np.random.default_rng(0).normal(size=(30, 2))
    names = ["oil in tank nine", "an_unbreakable_name_of_a_sensor"]
    scores = np.linspace(1, 2, 30)
    given = {"feature_names": names}
    display = (
        make(values, scores, **given)
        if make is SeriesDisplay
        else make(values, values, frame_scores=scores, **given)
    )
    _, (_, ax, _) = plt.subplots(1, 3, figsize=(7, 7))
    display.plot(ax).figure_.canvas.draw()
    labels = [panel.yaxis.label for panel in display.axes_[:2]]
    assert labels[0].get_text().split() == names[0].split()
    assert "\n" in labels[0].get_text()
    assert "…" in labels[1].get_text()
    for label in labels:
        assert label.get_window_extent().width <= 0.55 * ax.get_window_extent().width


def test_a_long_legend_of_fits_stays_off_the_neighbors():
    fits = {f"fit {i}": {"loss": [2.0 + i, 1.0]} for i in range(8)}
    _, (_, ax, neighbor) = plt.subplots(1, 3, figsize=(9, 4))
    TrainingHistoryDisplay(fits).plot(ax).figure_.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert not legend.overlaps(neighbor.get_window_extent())


@pytest.mark.parametrize(
    ("scores", "scale"),
    [
        (np.linspace(0.001, 1.0, 99), "linear"),
        ([*np.linspace(0.01, 0.1, 96), 3.0, 9.0, 50.0], "log"),
        ([0.0, *np.linspace(0.01, 0.1, 96), 50.0], "linear"),
    ],
)
def test_histograms_are_logarithmic_where_a_few_scores_are_far_larger(scores, scale):
    display = AnomalyScoreDisplay(scores, threshold=0.5).plot()
    assert display.ax_.get_xscale() == scale


def test_the_threshold_is_named_once_in_the_legend_of_pairs():
    display = PairScoresDisplay([1, 1, 0, 0], [4.0, 2.0, 3.0, 1.0]).plot()
    names = names_in(display.ax_.get_legend())
    assert names == ["not alike (2)", "alike (2)", "threshold", names[3]]
    assert names[3].startswith("equal error rate ")
