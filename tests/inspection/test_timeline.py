"""Timelines show where labels lie, which are wrong, and names only where they fit."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq.inspection import TimelineDisplay
from skseq.preprocessing import FrameTransformer

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")

LONG_NAMES = [
    "walking slowly and upright",
    "running down the stairs",
    "sitting",
    *(f"standing on one leg, number {i}" for i in range(58)),
]


class Tagger(BaseEstimator):
    """Labels each frame by the largest feature; the features are the probabilities."""

    def __init__(self, classes="abc", form="list", n_wrong=0):
        self.classes = classes
        self.form = form
        self.n_wrong = n_wrong

    def fit(self, X, y=None):
        self.classes_ = np.array(list(self.classes))
        return self

    def predict(self, X):
        labels = [self.classes_[x.argmax(axis=1)].tolist() for x in X]
        forms = {"list": list, "str": "".join, "array": np.array, "tuple": tuple}
        predicted = np.empty(len(X), dtype=object)
        predicted[:] = [forms[self.form](own) for own in labels]
        return list(predicted) if self.form == "list" else predicted

    def predict_proba(self, X):
        return [x / x.sum(axis=1, keepdims=True) for x in X]

    def score(self, X, y):
        return 0.0


class TaggerOfTokens(BaseEstimator):
    """Names are capitalized; it knows no probabilities."""

    def fit(self, X, y=None):
        self.classes_ = np.array(["B", "O"])
        return self

    def predict(self, X):
        return [["B" if token.istitle() else "O" for token in tokens] for tokens in X]


def sequences(n_classes, lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.random((n, n_classes)) + 0.01 for n in lengths]


X = sequences(3, [9, 12, 7])
Y = ["aabbccabc", "abcabcabcabc", "aaaaaaa"]


def drawn(n_classes, n_frames, *, names=None, ax=None, seed=0, **options):
    """A timeline of runs with mistakes."""
    rng = np.random.default_rng(seed)
    names = names or [f"c{i}" for i in range(n_classes)]
    lengths = rng.integers(1, max(2, n_frames // 6), size=n_frames)
    true = np.repeat(rng.integers(n_classes, size=n_frames), lengths)[:n_frames]
    proba = rng.random((n_frames, n_classes))
    proba[np.arange(n_frames), true] += 0.8
    proba /= proba.sum(axis=1, keepdims=True)
    display = TimelineDisplay(
        [names[i] for i in true],
        [names[i] for i in proba.argmax(axis=1)],
        probabilities=proba,
        classes=names[:n_classes],
        **options,
    ).plot(ax)
    display.figure_.canvas.draw()
    return display


def spans_of(collection):
    """Where the blocks of a collection lie: left and right of each."""
    paths = [path.vertices for path in collection.get_paths()]
    return [(float(v[:, 0].min()), float(v[:, 0].max())) for v in paths]


def frames_of(collection, n_frames):
    """The frames that lie within the blocks of a collection."""
    spans = spans_of(collection)
    return [i for i in range(n_frames) if any(a < i < b for a, b in spans)]


def shown_names(display):
    return [text for text in display.texts_ if text.fits()]


# -- what is shown ---------------------------------------------------------------------


def test_blocks_lie_on_the_frames_of_their_labels():
    y_true, y_pred = "aabbbabc", "abbbbacc"
    display = TimelineDisplay.from_predictions(y_true, y_pred)
    for name, labels in ("true", y_true), ("predicted", y_pred):
        blocks = display.blocks_[name]
        assert blocks.keys() == set(labels)
        for label, collection in blocks.items():
            expected = [i for i, own in enumerate(labels) if own == label]
            assert frames_of(collection, len(labels)) == expected


def test_true_labels_stand_above_the_predicted_ones():
    display = TimelineDisplay.from_predictions("ab", "ab")
    display.figure_.canvas.draw()
    to_pixels = display.axes_[0].transData.transform
    heights = {
        name: to_pixels(blocks["a"].get_paths()[0].vertices)[:, 1].min()
        for name, blocks in display.blocks_.items()
    }
    assert heights["true"] > heights["predicted"]
    ticks = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert ticks == ["true", "0 errors", "predicted"]


def test_wrong_frames_are_marked_and_counted():
    display = TimelineDisplay.from_predictions("aabbbabc", "abbbbacc")
    assert frames_of(display.errors_, 8) == [1, 6]
    ticks = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert ticks[1] == "2 errors"


def test_a_single_wrong_frame_among_many_is_seen():
    y_true = ["a"] * 5000
    y_pred = y_true.copy()
    y_pred[2500] = "b"
    display = TimelineDisplay.from_predictions(y_true, y_pred)
    display.figure_.canvas.draw()
    box = display.axes_[0].get_window_extent()
    picture = np.asarray(display.figure_.canvas.buffer_rgba())[::-1, :, :3]
    row = int(display.axes_[0].transData.transform((0, 1.25))[1])
    track = picture[row, int(box.x0) + 2 : int(box.x1) - 2].max(axis=1)
    dark = np.flatnonzero(track < 150)
    assert 1 <= len(dark) <= 4
    assert abs(dark.mean() - len(track) / 2) < 3


def test_probabilities_are_shaded_frame_by_frame():
    proba = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    display = TimelineDisplay.from_predictions(
        "abc", "abc", probabilities=proba, classes="abc"
    )
    np.testing.assert_array_equal(display.im_.get_array(), proba.T)
    assert display.rows_ == ["a", "b", "c"]
    assert display.im_.get_extent()[:2] == [-0.5, 2.5]
    assert display.im_.get_clim() == (0, 1)
    assert display.colorbar_ is not None


def test_a_likely_frame_among_many_is_never_lost():
    proba = np.tile([1.0, 0.0], (5000, 1))
    proba[2345] = [0.0, 1.0]
    labels = np.array(["a", "b"])[proba.argmax(axis=1)]
    display = TimelineDisplay.from_predictions(
        labels, labels, probabilities=proba, classes=["a", "b"]
    )
    shown = display.im_.get_array()
    assert shown.shape[1] < 2000
    assert shown[1].max() == 1.0
    left, right, *_ = display.im_.get_extent()
    place = left + (np.argmax(shown[1]) + 0.5) * (right - left) / shown.shape[1]
    assert place == pytest.approx(2345, abs=5)


def test_rare_classes_of_many_are_left_out():
    classes = [f"c{i:02}" for i in range(100)]
    proba = np.zeros((6, 100))
    proba[:, 5], proba[2, 70] = 0.8, 0.2
    proba[:, 6] = 0.01
    display = TimelineDisplay.from_predictions(
        ["c90"] * 6, ["c05"] * 6, probabilities=proba, classes=classes
    )
    assert display.rows_ == ["c05", "c70", "c90"]
    np.testing.assert_array_equal(display.im_.get_array(), proba[:, [5, 70, 90]].T)
    proba = np.full((6, 100), 0.5)
    display = TimelineDisplay.from_predictions(
        ["c90"] * 6, ["c05"] * 6, probabilities=proba, classes=classes
    )
    assert len(display.rows_) == 40
    assert {"c05", "c90"} <= set(display.rows_)


def test_seconds_begin_at_zero_and_end_behind_the_last_frame():
    display = drawn(3, 50, hop_seconds=0.02)
    assert display.axes_[-1].get_xlim() == pytest.approx((0, 1.0))
    assert display.im_.get_extent()[:2] == pytest.approx([0, 1.0])
    spans = [span for b in display.blocks_["true"].values() for span in spans_of(b)]
    assert sorted(spans)[0][0] == 0
    assert max(span[1] for span in spans) == pytest.approx(1.0)
    assert display.axes_[-1].get_xlabel() == "time (s)"
    assert drawn(3, 50).axes_[-1].get_xlabel() == "frame"


def test_panels_share_their_frames():
    display = drawn(3, 50)
    assert len(display.axes_) == 2
    assert display.axes_[0].get_xlim() == display.axes_[1].get_xlim() == (-0.5, 49.5)
    boxes = [panel.get_window_extent() for panel in display.axes_]
    assert boxes[0].x0 == pytest.approx(boxes[1].x0)
    assert boxes[0].x1 == pytest.approx(boxes[1].x1)


def test_without_true_labels_the_prediction_is_shown_alone():
    display = TimelineDisplay.from_predictions(None, "aab")
    assert display.blocks_.keys() == {"predicted"}
    assert display.errors_ is None
    ticks = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert ticks == ["predicted"]


def test_tokens_are_written_below_their_tags():
    tokens = ["Ada", "saw", "Turin"]
    display = TimelineDisplay.from_predictions("BOB", "BOO", tokens=tokens)
    display.figure_.canvas.draw()
    texts = [t.get_text() for t in display.axes_[-1].get_xticklabels()]
    assert texts == tokens
    assert display.axes_[-1].get_xlabel() == "token"


@pytest.mark.parametrize("n_frames", [1, 2])
def test_the_shortest_sequences_are_drawn(n_frames):
    display = drawn(2, n_frames)
    assert display.im_.get_array().shape == (2, n_frames)


def test_labels_of_several_kinds_are_drawn():
    display = TimelineDisplay.from_predictions([1, "a", (2, 3)], [1, "b", (2, 3)])
    assert display.blocks_["true"].keys() == {1, "a", (2, 3)}


@pytest.mark.parametrize(
    "form", [list, tuple, "".join, np.array, lambda y: pd.Series(y, index=[4, 5, 6])]
)
def test_labels_may_be_in_any_form(form):
    display = TimelineDisplay.from_predictions(form(["a", "b", "b"]), form(["a"] * 3))
    assert frames_of(display.errors_, 3) == [1, 2]


# -- colors ----------------------------------------------------------------------------


def looks(display):
    return {
        label: (tuple(collection.get_facecolor()[0]), collection.get_hatch())
        for blocks in display.blocks_.values()
        for label, collection in blocks.items()
    }


def test_a_class_looks_the_same_in_both_rows_and_in_all_displays():
    classes = list("abcdefghijkl")
    one = TimelineDisplay.from_predictions("abl", "lab", classes=classes)
    other = TimelineDisplay.from_predictions("lk", "kk", classes=classes)
    for row in one.blocks_["true"].keys() & one.blocks_["predicted"].keys():
        pair = [one.blocks_[name][row] for name in ("true", "predicted")]
        assert pair[0].get_facecolor().tolist() == pair[1].get_facecolor().tolist()
        assert pair[0].get_hatch() == pair[1].get_hatch()
    assert looks(one)["l"] == looks(other)["l"]


def test_up_to_42_classes_all_look_different():
    labels = [f"c{i:02}" for i in range(42)]
    found = looks(TimelineDisplay.from_predictions(labels, labels))
    assert len(set(found.values())) == len(found) == 42


def test_of_more_classes_those_that_are_there_look_different():
    classes = [f"c{i:03}" for i in range(200)]
    labels = [classes[i] for i in (0, 42, 84, 126)]
    found = looks(TimelineDisplay.from_predictions(labels, labels, classes=classes))
    assert len(set(found.values())) == 4


def luminance(color):
    rgb = np.array(plt.matplotlib.colors.to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_names_stand_out_from_their_blocks():
    labels = list("abcdefg")
    display = TimelineDisplay.from_predictions(labels, labels)
    for text in display.texts_:
        fill = display.blocks_["true"][text.get_text()].get_facecolor()[0]
        dark, light = sorted([luminance(fill), luminance(text.get_color())])
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # as WCAG 2.1 asks for


# -- room ------------------------------------------------------------------------------

SIZES = [None, (3, 2), (12, 9)]
CASES = [
    *itertools.product((3, 12), (20, 1000)),
    pytest.param(60, 300, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("names", [None, LONG_NAMES], ids=["short", "long"])
@pytest.mark.parametrize(("n_classes", "n_frames"), CASES)
def test_names_ticks_panels_and_the_legend_never_overlap(
    n_classes, n_frames, names, size
):
    ax = None
    if size is not None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    display = drawn(n_classes, n_frames, names=names, ax=ax)
    named = [text.get_window_extent() for text in shown_names(display)]
    assert not touch(named)
    panels = [panel.get_window_extent() for panel in display.axes_]
    assert not touch(panels)
    for panel in display.axes_:
        for axis in panel.xaxis, panel.yaxis:
            assert not touch(boxes_of_ticks(axis))
    if display.legend_ is not None:
        legend = display.legend_.get_window_extent()
        assert not any(legend.overlaps(panel) for panel in panels)
        if size != (3, 2):
            inside = display.figure_.bbox
            assert legend.x1 <= inside.x1
            assert legend.y1 <= inside.y1


@pytest.mark.parametrize("size", [None, (6, 6), (12, 9)], ids=str)
def test_the_color_bar_is_as_high_as_the_probabilities(size):
    ax = None
    if size is not None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    for names in None, LONG_NAMES:
        display = drawn(12, 100, names=names, ax=ax)
        bar, shade = (
            axes.get_window_extent()
            for axes in (display.colorbar_.ax, display.axes_[1])
        )
        assert (bar.y0, bar.y1) == pytest.approx((shade.y0, shade.y1), abs=2)
        assert bar.x0 > shade.x1
        ax = None


def boxes_of_ticks(axis):
    """The boxes of the labels of an axis that are in view."""
    low, high = sorted(axis.get_view_interval())
    which = 0 if axis.axis_name == "x" else 1
    return [
        label.get_window_extent()
        for label in axis.get_ticklabels()
        if label.get_text() and low <= label.get_position()[which] <= high
    ]


def touch(boxes):
    return any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_names_lie_within_their_blocks():
    display = drawn(12, 200)
    assert 5 < len(shown_names(display)) < len(display.texts_)
    blocks = [
        (label, span, name)
        for name, own in display.blocks_.items()
        for label, collection in own.items()
        for span in spans_of(collection)
    ]
    to_pixels = display.axes_[0].transData.transform
    for text in shown_names(display):
        box = text.get_window_extent()
        within = [
            (label, span)
            for label, span, _ in blocks
            if to_pixels((span[0], 0))[0] <= box.x0
            and box.x1 <= to_pixels((span[1], 0))[0]
        ]
        assert text.get_text() in [label for label, _ in within]


def test_names_that_are_left_out_return_when_the_picture_grows():
    display = drawn(12, 100, hop_seconds=0.1)
    before = len(shown_names(display))
    display.figure_.set_size_inches(40, 6)
    display.figure_.canvas.draw()
    assert before < len(shown_names(display))


def test_only_names_that_fit_are_drawn():
    y = ["a rather long name", *["b"] * 60]
    display = TimelineDisplay.from_predictions(y, y)
    display.figure_.canvas.draw()
    display.figure_.set_layout_engine("none")

    def picture():
        display.figure_.canvas.draw()
        return np.asarray(display.figure_.canvas.buffer_rgba()).copy()

    whole = picture()
    fitting = shown_names(display)
    assert [text.get_text() for text in fitting] == ["b", "b"]
    for text in set(display.texts_) - set(fitting):
        text.set_visible(False)
    np.testing.assert_array_equal(picture(), whole)
    fitting[0].set_visible(False)
    assert (picture() != whole).any()


def test_a_legend_is_there_only_if_a_name_fits_nowhere():
    y = ["short", "short", "short", "short", "b", "b"]
    assert TimelineDisplay.from_predictions(y, y).legend_ is None
    y = ["a name of twenty-two", *["b"] * 30]
    display = TimelineDisplay.from_predictions(y, y)
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["a name of twenty-two", "b"]


@pytest.mark.parametrize("n_classes", [3, 12])
@pytest.mark.parametrize("n_frames", [20, 100, 1000])
def test_each_label_is_named_in_a_block_or_in_the_legend(n_classes, n_frames):
    for names in None, LONG_NAMES:
        display = drawn(n_classes, n_frames, names=names)
        present = {text.get_text() for text in display.texts_}
        named = {text.get_text() for text in shown_names(display)}
        if display.legend_ is not None:
            named |= {text.get_text() for text in display.legend_.get_texts()}
        assert present == named


def test_a_legend_without_room_lists_the_commonest_and_counts_the_others():
    names = [f"label number {i:02}" for i in range(60)]
    y = [name for i, name in enumerate(names) for _ in range(1 + (i == 40))]
    _, ax = plt.subplots(figsize=(5, 4), layout="constrained")
    display = TimelineDisplay(y, y).plot(ax)
    *texts, last = (text.get_text() for text in display.legend_.get_texts())
    assert last == f"and {60 - len(texts)} more"
    assert "label number 40" in texts
    assert texts == sorted(texts)
    assert 2 <= len(texts) < 59


def test_of_very_many_blocks_the_longest_are_named():
    y = [*"ab" * 2000, *"c" * 2000, *"ab" * 2000]
    display = TimelineDisplay.from_predictions(y, y)
    display.figure_.canvas.draw()
    assert [text.get_text() for text in shown_names(display)] == ["c", "c"]
    assert len(display.texts_) < 1000
    assert {text.get_text() for text in display.legend_.get_texts()} == set("abc")


def test_formulas_in_names_are_not_set():
    display = TimelineDisplay.from_predictions(["$x$"] * 3, ["$x$"] * 3)
    assert display.texts_[0].get_text() == r"\$x\$"


# -- estimators ------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["list", "str", "array", "tuple"])
def test_an_estimator_is_asked_about_the_sample(form):
    tagger = Tagger(form=form).fit(X)
    display = TimelineDisplay.from_estimator(tagger, X, Y, sample=1)
    expected = [*tagger.predict(X)[1]]
    assert list(display.y_pred) == expected
    assert display.y_true == Y[1]
    assert display.classes == ["a", "b", "c"]
    np.testing.assert_array_equal(display.probabilities, tagger.predict_proba(X)[1])
    wrong = [i for i, (a, b) in enumerate(zip(Y[1], expected, strict=True)) if a != b]
    assert frames_of(display.errors_, 12) == wrong


def test_the_last_sample_may_be_counted_from_the_end():
    tagger = Tagger().fit(X)
    display = TimelineDisplay.from_estimator(tagger, X, sample=-1)
    assert display.y_pred == tagger.predict(X)[2]
    assert display.y_true is None


def test_a_pipeline_and_a_search_are_asked_as_their_last_step():
    pipeline = make_pipeline(FrameTransformer(StandardScaler()), Tagger())
    search = GridSearchCV(pipeline, {"tagger__n_wrong": [0]}, cv=2).fit(X, Y)
    display = TimelineDisplay.from_estimator(search, X, Y, show_probabilities=False)
    best = search.best_estimator_
    assert display.y_pred == best[-1].predict(best[0].transform(X))[0]
    assert display.im_ is None


def test_a_tagger_of_tokens_without_probabilities_is_shown_with_the_tokens():
    texts = [["Ada", "saw", "Turin"], ["she", "left"]]
    tagger = TaggerOfTokens().fit(texts)
    display = TimelineDisplay.from_estimator(tagger, texts, ["BOB", "OO"])
    assert display.tokens == texts[0]
    assert display.im_ is None
    display = TimelineDisplay.from_estimator(tagger, texts, hop_seconds=0.1)
    assert display.tokens is None


def test_a_label_that_no_training_sample_had_is_shown_as_an_error():
    tagger = Tagger().fit(X)
    display = TimelineDisplay.from_estimator(tagger, X, ["z" * 9, Y[1], Y[2]])
    assert display.blocks_["true"].keys() == {"z"}
    assert frames_of(display.errors_, 9) == list(range(9))
    assert display.rows_ == ["a", "b", "c"]


def test_an_estimator_of_one_label_per_sample_is_refused():
    found = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])
    with pytest.raises(
        TypeError, match="LogisticRegression predicts one label per seq"
    ):
        TimelineDisplay.from_estimator(found, [[0.0], [1.0]])


def test_an_error_names_the_sample_that_was_to_be_shown():
    with pytest.raises(ValueError, match="y_true has 3 labels, and y_pred has 12") as e:
        TimelineDisplay.from_estimator(Tagger().fit(X), X, ["a", "abc", "a"], sample=1)
    assert "those of the sample to show, 1" in e.value.__notes__[0]


@pytest.mark.parametrize("wrong", [[], Y[:2]])
def test_another_number_of_label_sequences_is_refused(wrong):
    with pytest.raises(ValueError, match="y must have one entry per sample"):
        TimelineDisplay.from_estimator(Tagger().fit(X), X, wrong)


# -- bad input -------------------------------------------------------------------------

PROBA = [[0.5, 0.5], [0.1, 0.9]]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("ab", "a"), {}, ValueError, "y_true has 2 labels, and y_pred has 1"),
        (("", ""), {}, ValueError, "y_pred must hold at least one label. Got 0"),
        (("ab", None), {}, TypeError, "y_pred must be a str, list, tuple or 1-D array"),
        ((3, "ab"), {}, TypeError, "y_true must be a str, list, tuple or 1-D array"),
        (({"a"}, "a"), {}, TypeError, "y_true must be a str, list, tuple or 1-D array"),
        (([["a"]], "a"), {}, TypeError, "y_true must hold the labels of one sequence"),
        (("ab", ["a", None]), {}, TypeError, "neither None nor NaN. Got None among"),
        ((["a", np.nan], "ab"), {}, TypeError, "neither None nor NaN. Got nan among"),
        ((["a", pd.NA], "ab"), {}, TypeError, "neither None nor NaN. Got <NA> among"),
        ((["a", ("b", [])], "ab"), {}, TypeError, "y_true must hold the labels of one"),
        (("ab", "ab"), {"probabilities": PROBA}, ValueError, "pass classes=estimator"),
        (
            ("ab", "ab"),
            {"probabilities": PROBA, "classes": "abc"},
            ValueError,
            r"so the shape \(2, 3\) .* Got the shape \(2, 2\)",
        ),
        (
            ("ab", "ab"),
            {"probabilities": np.log(PROBA), "classes": "ab"},
            ValueError,
            r"probabilities must be numbers in \[0, 1\]",
        ),
        (
            ("ab", "ab"),
            {"probabilities": [[np.nan, 1], [0, 1]], "classes": "ab"},
            ValueError,
            "neither NaN nor",
        ),
        (
            ("ab", "ab"),
            {"probabilities": [[1, 0], [1]], "classes": "ab"},
            ValueError,
            r"Got the shape \(2,\)",
        ),
        (("ab", "ab"), {"classes": "aba"}, ValueError, "'a' is there 2 times"),
        (("ab", "ab"), {"hop_seconds": 0}, ValueError, "'hop_seconds' parameter"),
        (("ab", "ab"), {"hop_seconds": "x"}, ValueError, "'hop_seconds' parameter"),
        (("ab", "ab"), {"tokens": ["x"]}, ValueError, "one entry per label, 2. Got 1"),
        (("ab", "ab"), {"tokens": 3}, TypeError, "tokens must be a str, list"),
        (
            ("ab", "ab"),
            {"tokens": ["x", "y"], "hop_seconds": 1.0},
            ValueError,
            "hop_seconds or tokens, not both",
        ),
    ],
)
def test_data_that_do_not_fit_together_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        TimelineDisplay(*arguments, **options).plot()
    assert not plt.get_fignums()


def test_a_drawn_display_survives_pickling_with_its_names():
    display = pickle.loads(pickle.dumps(drawn(3, 20)))
    display.figure_.canvas.draw()
    assert shown_names(display)


@pytest.mark.parametrize(
    ("y_true", "mark"),
    [("a?b?", "?"), ([1, -1, 2, -1], -1), (["x", "O", "y", "O"], "O")],
)
def test_frames_without_a_label_are_a_gap_and_no_errors(y_true, mark):
    y_pred = [y_true[0]] * 4
    display = TimelineDisplay.from_predictions(y_true, y_pred, unlabelled=mark)
    drawn_frames = {
        label: [path.get_extents().intervalx.tolist() for path in blocks.get_paths()]
        for label, blocks in display.blocks_["true"].items()
    }
    assert drawn_frames == {y_true[0]: [[-0.5, 0.5]], y_true[2]: [[1.5, 2.5]]}
    errors = [
        path.get_extents().intervalx.tolist() for path in display.errors_.get_paths()
    ]
    assert errors == [[1.5, 2.5]]
    assert display.ax_.get_title() == "1 of 2 right"


def test_a_timeline_knows_the_mark_of_its_estimator():
    tagger = Tagger().fit(None)
    tagger.unlabelled = "?"
    X = [np.eye(3)[[0, 1, 1, 2]]]
    display = TimelineDisplay.from_estimator(tagger, X, ["a?c?"])
    assert list(display.blocks_["true"]) == ["a", "c"]
    assert display.rows_ == ["a", "b", "c"]
    assert display.ax_.get_title() == "1 of 2 right"


def test_a_sequence_without_any_label_is_drawn():
    display = TimelineDisplay.from_predictions("???", "abb", unlabelled="?")
    assert display.blocks_["true"] == {}
    assert len(display.errors_.get_paths()) == 0


def test_a_mark_of_another_type_hides_no_label():
    display = TimelineDisplay.from_predictions([1, 0], [1, 1], unlabelled=True)
    assert list(display.blocks_["true"]) == [1, 0]


def test_names_on_hatches_stand_on_a_plain_ground():
    classes = "abcdefgh"  # the eighth is hatched
    display = TimelineDisplay.from_predictions("hhhha", "hhhha", classes=classes)
    display.figure_.canvas.draw()
    hatched = [text for text in display.texts_ if text.get_text() == "h"]
    assert hatched
    for text in hatched:
        ground = text.get_bbox_patch()
        assert ground.get_facecolor() == (1, 1, 1, 1)
        assert text.get_color() == "black"
        extent, own = ground.get_window_extent(), text.get_window_extent()
        assert extent.width > own.width
        assert extent.height > own.height
