import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skseq import CTCSequenceClassifier, LabelSpan
from skseq.inspection import AlignmentDisplay
from skseq.preprocessing import LogMel
from tests.inspection.test_displays import drawn_labels, touch

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")

RNG = np.random.default_rng(0)
POSTERIORS = RNG.dirichlet(np.ones(3), size=6)
SPANS = [LabelSpan("a", 1, 2, 0.5), LabelSpan("b", 4, 4, 0.5)]
WAVES = [RNG.normal(size=n) for n in (1600, 2000, 1800, 1700)]
X = [RNG.normal(size=(n, 8)) for n in (24, 30, 27, 28)]
Y = ["ab", "b", "ba", "a"]


def made(**options):
    return AlignmentDisplay(POSTERIORS, SPANS, classes=["a", "b"], **options).plot()


def reader(**options):
    settings = {"units": 2, "epochs": 1, "random_state": 0, **options}
    return CTCSequenceClassifier(**settings)


def places(display):
    """Where the boxes of labels begin and end."""
    return [box.get_bbox().intervalx.tolist() for box in display.boxes_]


# Twelve frames for six outputs: output i is centered on frame 2 i.
def test_labels_lie_where_their_frames_are_in_the_input():
    display = made(frames=RNG.normal(size=(12, 8)))
    assert places(display) == [[1, 5], [7, 9]]
    assert display.axes_[-1].get_xlabel() == "frame"
    assert display.input_im_.get_extent()[:2] == [-0.5, 11.5]


def test_seconds_are_frames_times_the_hop():
    display = made(frames=RNG.normal(size=(12, 8)), hop_seconds=0.5)
    assert places(display) == [[0.5, 2.5], [3.5, 4.5]]
    assert display.axes_[-1].get_xlabel() == "time (s)"
    assert display.input_im_.get_extent()[:2] == [-0.25, 5.75]


def test_skipped_output_frames_move_the_labels_to_the_right():
    frames = RNG.normal(size=(16, 8))
    display = made(frames=frames, stride=2, skip_frames=2)
    assert places(display) == [[5, 9], [11, 13]]


def test_an_image_has_columns_and_its_first_row_above():
    image = RNG.random((12, 8))
    display = made(frames=image, is_image=True)
    assert display.axes_[-1].get_xlabel() == "column"
    np.testing.assert_array_equal(display.input_im_.get_array(), image.T)
    top, panel = display.axes_
    assert top.get_ylim() == (7.5, -0.5)
    assert top.get_xlim() == panel.get_xlim()
    spectrogram = made(frames=image)
    assert spectrogram.axes_[0].get_ylim() == (-0.5, 7.5)


@pytest.mark.parametrize("ink", [0.0, 1.0])
def test_the_background_of_an_image_is_light(ink):
    image = np.full((12, 8), 1.0 - ink)
    image[3, 2:5] = ink
    picture = made(frames=image, is_image=True).input_im_
    shades = picture.cmap(picture.norm(np.array([1.0 - ink, ink])))[:, 0]
    assert shades.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("n_features", [1, 4])
def test_few_features_are_lines(n_features):
    frames = RNG.normal(size=(12, n_features))
    display = made(frames=frames[:, 0] if n_features == 1 else frames)
    assert display.input_im_ is None
    lines = display.axes_[0].get_lines()
    drawn = np.array([line.get_ydata() for line in lines]).T
    np.testing.assert_array_equal(drawn, frames)


def test_without_an_input_output_frames_are_counted_unless_time_is_known():
    display = made()
    assert display.axes_.tolist() == [display.ax_]
    assert places(display) == [[0.5, 2.5], [3.5, 4.5]]
    assert display.ax_.get_xlabel() == "output frame"
    timed = made(stride=4, hop_seconds=0.01)
    np.testing.assert_allclose(places(timed), [[0.02, 0.1], [0.14, 0.18]])


@pytest.mark.parametrize("before", [True, False], ids=["pipeline", "preprocess"])
def test_the_hop_is_that_of_the_step_that_makes_frames(before):
    step = LogMel(8000, hop_seconds=0.02, window_seconds=0.03)
    estimator = make_pipeline(step, reader()) if before else reader(preprocess=[step])
    estimator.fit(WAVES, Y)
    display = AlignmentDisplay.from_estimator(estimator, WAVES, Y, sample=1)
    assert display.hop_seconds == 0.02
    np.testing.assert_allclose(display.frames, step.transform(WAVES)[1], rtol=1e-5)
    assert display.title == "sample 1"
    counted = AlignmentDisplay.from_estimator(estimator, WAVES, Y, hop_seconds=None)
    assert counted.axes_[-1].get_xlabel() == "frame"


@pytest.mark.parametrize(
    ("options", "stride"),
    [
        ({"conv_filters": 4, "conv_strides": 3}, 3),
        ({"conv_filters": (4, 4), "conv_strides": 2}, 4),
        ({"conv_filters": 4, "conv_strides": 1}, 1),
    ],
)
def test_the_stride_is_that_of_the_convolutions(options, stride):
    fitted = reader(**options).fit(X, ["a", "b", "ba", "a"])
    display = AlignmentDisplay.from_estimator(fitted, X, sample=1)
    assert display.stride == stride
    assert display.input_im_ is not None
    alone = AlignmentDisplay.from_estimator(fitted, X, sample=1, show_input=False)
    assert alone.frames is None


def test_columns_are_named_if_the_front_end_reads_images():
    images = [RNG.random((n, 8)) for n in (40, 48, 44, 52)]
    fitted = reader(front_end="image").fit(images, ["a", "b", "a", "ab"])
    display = AlignmentDisplay.from_estimator(fitted, images)
    assert display.is_image
    assert display.stride == 4
    plain = AlignmentDisplay.from_estimator(fitted, images, is_image=False)
    assert plain.axes_[-1].get_xlabel() == "frame"


@pytest.mark.parametrize("size", [None, pytest.param((6, 6), marks=pytest.mark.slow)])
@pytest.mark.parametrize("is_image", [True, False])
def test_panels_and_their_texts_do_not_overlap(size, is_image):
    labels = [f"a rather long label {i}" for i in range(9)]
    spans = [LabelSpan(labels[i], 4 * i, 4 * i + 2, 0.5) for i in range(9)]
    display = AlignmentDisplay(
        RNG.dirichlet(np.ones(10), size=36),
        spans,
        classes=labels,
        frames=RNG.random((72, 20)),
        is_image=is_image,
        title="a title",
    )
    ax = None
    if size:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    display.plot(ax).figure_.canvas.draw()
    assert not touch([panel.get_window_extent() for panel in display.axes_])
    for axis in *(p.yaxis for p in display.axes_), display.spans_ax_.xaxis:
        assert not touch(drawn_labels(axis)[1])
    title = display.ax_.title.get_window_extent()
    label = display.spans_ax_.xaxis.label.get_window_extent()
    assert not title.overlaps(label)
    above = drawn_labels(display.spans_ax_.xaxis)[1]
    assert not any(title.overlaps(box) for box in above)
    assert not label.overlaps(display.axes_[0].get_window_extent())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": np.ones((2, 3, 4))}, r"of shape \(2, 3, 4\)"),
        ({"frames": [["a"]]}, "frames must be numbers of one sequence"),
        ({"frames": np.ones((0, 3))}, r"of shape \(0, 3\)"),
        ({"hop_seconds": 0}, "hop_seconds"),
        ({"stride": -1}, "stride"),
        ({"skip_frames": 0.5}, "skip_frames"),
        ({"is_image": "yes"}, "is_image"),
    ],
)
def test_an_input_that_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        made(**options)


@pytest.mark.parametrize("name", ["hop_seconds", "is_image"])
def test_what_is_neither_a_value_nor_auto_is_refused(name):
    fitted = reader().fit(X, Y)
    with pytest.raises(ValueError, match=rf"{name}.*'auto'"):
        AlignmentDisplay.from_estimator(fitted, X, **{name: "some"})
