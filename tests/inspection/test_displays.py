import copy
import io
import pickle
import sys
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skseq import (
    CTCSequenceClassifier,
    LabelSpan,
    LSTMAutoencoder,
    Seq2SeqTranslator,
    inspection,
)
from skseq.inspection import (
    AlignmentDisplay,
    AnomalyScoreDisplay,
    AttentionDisplay,
    EmbeddingDisplay,
    LabelConfusionDisplay,
    PairScoresDisplay,
    ReconstructionDisplay,
    RiskCoverageDisplay,
    SeriesDisplay,
    TimelineDisplay,
    TrainingHistoryDisplay,
)
from skseq.metrics import align_sequences
from skseq.preprocessing import FrameTransformer, SlidingWindows

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: skseq[plot]")
plt.switch_backend("Agg")

RNG = np.random.default_rng(0)
X = [RNG.normal(size=(n, 3)) for n in (9, 12, 7, 10, 8, 11, 9, 12)]
LABELS = ["ab", "ba", "a", "aab", "b", "abc", "ca", "bb"]
SOURCES = ["le chat", "un chien noir", "chat noir", "le chien"]
TARGETS = ["the cat", "a black dog", "black cat", "the dog"]


@pytest.fixture(scope="module")
def reader():
    return CTCSequenceClassifier(units=4, epochs=2, random_state=0).fit(X, LABELS)


@pytest.fixture(scope="module")
def translator():
    return Seq2SeqTranslator(
        units=8, embedding_dim=4, epochs=30, learning_rate=2e-2, random_state=0
    ).fit(SOURCES, TARGETS)


@pytest.fixture(scope="module")
def coder():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LSTMAutoencoder(
            units=4,
            epochs=2,
            anomaly_score="mahalanobis",
            early_stopping=True,
            random_state=0,
        ).fit(X)


def sharp(n_rows, n_columns):
    """Attention that goes along the diagonal."""
    attention = np.zeros((n_rows, n_columns))
    columns = np.linspace(0, n_columns - 1, n_rows).round().astype(int)
    attention[np.arange(n_rows), columns] = 1
    return attention


def shown_labels(axis):
    """The labels of an axis that are drawn, and their boxes in pixels."""
    axis.get_figure().canvas.draw()
    return drawn_labels(axis)


def drawn_labels(axis):
    """The same of a figure that was drawn already."""
    labels = [label for label in axis.get_ticklabels() if label.get_text()]
    return [label.get_text() for label in labels], [
        label.get_window_extent() for label in labels
    ]


def touch(boxes):
    return any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


# -- what every display keeps to -------------------------------------------------------

BY_HAND = {
    "AlignmentDisplay": lambda: AlignmentDisplay(
        np.full((4, 3), 1 / 3), [LabelSpan("a", 1, 2, 0.3)], classes=["a", "b"]
    ),
    "AnomalyScoreDisplay": lambda: AnomalyScoreDisplay(
        np.array([0.1, 0.2, 0.9]), threshold=0.5, y=np.array([1, 1, -1])
    ),
    "AttentionDisplay": lambda: AttentionDisplay(sharp(2, 3), list("abc"), list("xy")),
    "EmbeddingDisplay": lambda: EmbeddingDisplay(
        [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], y=["a", "a", "b"]
    ),
    "LabelConfusionDisplay": lambda: LabelConfusionDisplay(
        {("a", "a"): 3, ("a", "b"): 2, (None, "b"): 1}
    ),
    "PairScoresDisplay": lambda: PairScoresDisplay(
        np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.6, 0.1]), threshold=0.5
    ),
    "ReconstructionDisplay": lambda: ReconstructionDisplay(
        X[0], 0.5 * X[0], frame_scores=np.ones(9), threshold=2.0
    ),
    "RiskCoverageDisplay": lambda: RiskCoverageDisplay(
        [0.5, 1.0], [0.2, 0.4], optimal_risk=[0.0, 0.4], name="reader"
    ),
    "SeriesDisplay": lambda: SeriesDisplay(
        X[0], np.arange(9.0), threshold=6.5, events=np.arange(9) == 7
    ),
    "TimelineDisplay": lambda: TimelineDisplay(
        list("aabb"), list("abbb"), probabilities=np.eye(4, 2), classes=["a", "b"]
    ),
    "TrainingHistoryDisplay": lambda: TrainingHistoryDisplay(
        {"loss": [2.0, 1.0], "val_score": [0.1, 0.3]}, best_epoch=2
    ),
}

every_display = pytest.mark.parametrize("make", BY_HAND.values(), ids=BY_HAND)


def test_every_display_is_tried_here():
    assert BY_HAND.keys() == {n for n in inspection.__all__ if n.endswith("Display")}


@every_display
def test_plot_returns_the_display_with_its_axes_and_figure(make):
    display = make()
    assert display.plot() is display
    assert display.ax_.figure is display.figure_


@every_display
def test_given_axes_are_drawn_on_and_no_figure_is_made(make):
    figure, (left, right) = plt.subplots(1, 2)
    display = make().plot(ax=left)
    assert display.ax_ is left
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert not right.has_data()


@every_display
def test_a_part_of_a_figure_is_drawn_on(make):
    upper, _ = plt.figure(figsize=(6, 8), layout="constrained").subfigures(2, 1)
    display = make().plot(ax=upper.subplots())
    upper.figure.canvas.draw()
    assert display.figure_ is upper


@every_display
def test_what_is_not_a_single_axes_is_refused(make):
    _, several = plt.subplots(1, 2)
    with pytest.raises(TypeError, match=r"one matplotlib Axes\. Got ndarray"):
        make().plot(ax=several)


@every_display
@pytest.mark.parametrize(
    "when",
    [
        pytest.param("before it is drawn", marks=pytest.mark.slow),
        "after it was drawn",
    ],
)
def test_a_display_survives_pickling(make, when):
    display = make() if when.startswith("before") else make().plot()
    restored = pickle.loads(pickle.dumps(display))
    expected = make().plot().figure_
    picture = restored.plot().figure_
    picture.canvas.draw()
    assert picture.get_size_inches().tolist() == expected.get_size_inches().tolist()


@every_display
def test_drawing_gives_no_warning(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make().plot().figure_.savefig(io.BytesIO())


@every_display
def test_drawing_twice_leaves_the_data_as_they_are(make):
    display = make()
    before = copy.deepcopy(vars(display))
    display.plot()
    display.plot()
    np.testing.assert_equal({name: getattr(display, name) for name in before}, before)


@every_display
def test_without_matplotlib_the_error_says_what_to_install(make, monkeypatch):
    display = make()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = r'needs matplotlib.*pip install "skseq\[plot\]"'
    with pytest.raises(ImportError, match=message):
        display.plot()
    method = type(display).from_estimator
    arguments = () if type(display) is TrainingHistoryDisplay else (X, LABELS)
    if type(display) is ReconstructionDisplay:
        arguments = (X,)
    if type(display) is PairScoresDisplay:
        arguments = (X, X, LABELS)
    with pytest.raises(ImportError, match=message):
        method(None, *arguments)


FROM_ESTIMATOR = {
    "alignment": lambda e: AlignmentDisplay.from_estimator(e, X, LABELS),
    "anomaly scores": lambda e: AnomalyScoreDisplay.from_estimator(e, X),
    "attention": lambda e: AttentionDisplay.from_estimator(e, SOURCES),
    "confusion": lambda e: LabelConfusionDisplay.from_estimator(e, X, LABELS),
    "embeddings": lambda e: EmbeddingDisplay.from_estimator(e, X, LABELS),
    "pairs": lambda e: PairScoresDisplay.from_estimator(e, X, X, LABELS),
    "reconstruction": lambda e: ReconstructionDisplay.from_estimator(e, X),
    "risk": lambda e: RiskCoverageDisplay.from_estimator(e, X, LABELS),
    "series": lambda e: SeriesDisplay.from_estimator(
        e, X[0], windows=SlidingWindows(4)
    ),
    "timeline": lambda e: TimelineDisplay.from_estimator(e, X),
    "history": lambda e: TrainingHistoryDisplay.from_estimator(e),
}


@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "pipeline"])
@pytest.mark.parametrize("show", FROM_ESTIMATOR.values(), ids=FROM_ESTIMATOR)
def test_an_unfitted_estimator_is_refused(show, wrapped):
    estimator = CTCSequenceClassifier()
    if wrapped:
        estimator = make_pipeline(FrameTransformer(StandardScaler()), estimator)
    with pytest.raises(NotFittedError):
        show(estimator)


@pytest.mark.parametrize(
    ("kind", "name", "needed"),
    [
        ("alignment", "coder", "'align', such as CTCSequenceClassifier"),
        ("anomaly scores", "reader", "'offset_', such as LSTMAutoencoder"),
        ("attention", "reader", "'predict_attention', such as Seq2SeqTranslator"),
        ("confusion", "coder", "predicts labels, such as CTCSequenceClassifier"),
        ("embeddings", "reader", "'transform', such as SiameseSequenceEmbedder"),
        ("pairs", "coder", "'pair_score', such as SiameseSequenceEmbedder"),
        ("reconstruction", "reader", "'reconstruct', such as LSTMAutoencoder"),
        ("risk", "coder", "'predict_confidence', such as CTCSequenceClassifier"),
        ("series", "reader", "'offset_', such as LSTMAutoencoder"),
        ("timeline", "scaler", "'predict', such as SequenceTagger"),
        ("timeline", "coder", "one label per frame, such as SequenceTagger"),
        ("history", "other", "'history_', such as CTCSequenceClassifier"),
        ("confusion", "scaler", "'predict', such as CTCSequenceClassifier"),
    ],
)
def test_the_wrong_kind_of_estimator_is_refused_with_what_is_needed(
    kind, name, needed, request
):
    others = {
        "other": lambda: LogisticRegression().fit([[0.0], [1.0]], [0, 1]),
        "scaler": lambda: StandardScaler().fit([[0.0]]),
    }
    is_fixture = name not in others
    estimator = request.getfixturevalue(name) if is_fixture else others[name]()
    with pytest.raises(TypeError, match=rf"{needed}.*{type(estimator).__name__}"):
        FROM_ESTIMATOR[kind](estimator)


@pytest.mark.parametrize("sample", [8, -9, 100])
def test_a_sample_that_is_not_there_is_refused_with_the_range(reader, sample):
    message = rf"between 0 and 7, as X has 8 sequences.* Got {sample} "
    with pytest.raises(IndexError, match=message):
        AlignmentDisplay.from_estimator(reader, X, sample=sample)


@pytest.mark.parametrize("sample", [1.0, "0", None, True])
def test_a_sample_that_is_not_an_int_is_refused(reader, sample):
    with pytest.raises(TypeError, match="sample must be an int"):
        AlignmentDisplay.from_estimator(reader, X, sample=sample)


# -- tokens on an axis -----------------------------------------------------------------

TOKENS = {
    "letters": lambda n: list("abcdefghijklmnopqrstuvwxyzWM" * n)[:n],
    "words": lambda n: [f"token number {i}" for i in range(n)],
    "uneven": lambda n: ["internationally" if i % 3 else "a" for i in range(n)],
}


@pytest.mark.parametrize("size", [(3, 2), (12, 9)])
@pytest.mark.parametrize(
    "n_tokens", [30, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 200))]
)
@pytest.mark.parametrize("kind", TOKENS)
def test_labels_of_tokens_never_overlap(kind, n_tokens, size):
    tokens = TOKENS[kind](n_tokens)
    _, ax = plt.subplots(figsize=size, layout="constrained")
    AttentionDisplay(sharp(n_tokens, n_tokens), tokens, tokens).plot(ax)
    ax.figure.canvas.draw()
    for axis in ax.xaxis, ax.yaxis:
        texts, boxes = drawn_labels(axis)
        assert texts
        assert not touch(boxes)


def test_all_labels_are_shown_where_there_is_room():
    tokens = list("monday")
    display = AttentionDisplay(sharp(6, 6), tokens, tokens).plot()
    assert shown_labels(display.ax_.xaxis)[0] == tokens
    assert shown_labels(display.ax_.yaxis)[0] == tokens


def test_labels_that_are_left_out_return_when_the_picture_grows():
    tokens = [f"word{i}" for i in range(60)]
    display = AttentionDisplay(sharp(60, 60), tokens, tokens).plot()
    display.figure_.set_size_inches(3, 3)
    few = shown_labels(display.ax_.yaxis)[0]
    display.figure_.set_size_inches(20, 20)
    assert shown_labels(display.ax_.yaxis)[0] == tokens
    assert 0 < len(few) < 60


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (" ", "␣"),
        ("a b", "a b"),
        (" a", "␣a"),
        ("\n", r"\n"),
        (7, "7"),
        ("x" * 100, "x" * 14 + "…" + "x" * 9),
        ("acceleration of motor 1", "acceleration of motor 1"),
        ("acceleration of the motor 1", "acceleration o…e motor 1"),
    ],
)
def test_tokens_are_written_so_that_they_can_be_read(token, text):
    display = AttentionDisplay(sharp(1, 1), [token], ["a"]).plot()
    assert shown_labels(display.ax_.xaxis)[0] == [text]


def test_dollar_signs_set_no_formula():
    display = AttentionDisplay(sharp(1, 1), [r"$\frac$"], ["$"]).plot()
    display.figure_.canvas.draw()  # a formula would be refused


def test_characters_that_no_font_has_are_named_in_one_warning():
    tokens = ["\u0378", "b\u0379"]  # assigned to nothing
    display = AttentionDisplay(sharp(2, 2), tokens, tokens)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        display.plot()
        texts = shown_labels(display.ax_.xaxis)[0]
    (warning,) = caught
    assert "U+0378" in str(warning.message)
    assert "U+0379" in str(warning.message)
    assert "Install a font" in str(warning.message)
    assert texts == ["\N{REPLACEMENT CHARACTER}", "b\N{REPLACEMENT CHARACTER}"]


def test_another_installed_font_completes_the_one_that_is_set():
    # matplotlib brings both; Computer Modern has no Cyrillic letters.
    settings = {"font.family": ["cmr10"], "axes.formatter.use_mathtext": True}
    with plt.rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("error")
        display = AttentionDisplay(sharp(1, 1), ["да"], ["a"]).plot(colorbar=False)
        texts, _ = shown_labels(display.ax_.xaxis)
        families = display.ax_.get_xticklabels()[0].get_fontfamily()
    assert texts == ["да"]
    assert families[0] == "cmr10"
    assert len(families) == 2


def test_signs_that_only_join_others_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = AttentionDisplay(sharp(1, 1), ["a\ufe0f\u2060"], ["b"]).plot()
        display.figure_.canvas.draw()


# -- alignment -------------------------------------------------------------------------


def test_an_alignment_shows_what_predict_proba_and_align_say(reader):
    display = AlignmentDisplay.from_estimator(reader, X, LABELS, sample=3)
    (posteriors,) = reader.predict_proba(X[3:4])
    (spans,) = reader.align(X[3:4], LABELS[3:4])
    assert display.spans == spans
    np.testing.assert_allclose(display.posteriors, posteriors, atol=1e-6)
    columns = [*map(list(reader.classes_).index, display.rows_), -1]
    np.testing.assert_allclose(display.im_.get_array(), posteriors[:, columns].T, 1e-5)


def test_boxes_lie_on_the_frames_and_the_row_of_their_labels(reader):
    display = AlignmentDisplay.from_estimator(reader, X, LABELS, sample=3)
    for box, span in zip(display.boxes_, display.spans, strict=True):
        row = display.rows_.index(span.label)
        assert box.get_bbox().extents.tolist() == [
            span.start - 0.5,
            row - 0.5,
            span.end + 0.5,
            row + 0.5,
        ]
    assert "".join(shown_labels(display.spans_ax_.xaxis)[0]) == "aab"


def test_without_y_the_prediction_is_aligned(reader):
    display = AlignmentDisplay.from_estimator(reader, X, sample=1)
    labels = "".join(span.label for span in display.spans)
    assert labels == reader.predict(X)[1]
    assert display.spans_name == "prediction"


def test_the_last_sample_may_be_counted_from_the_end(reader):
    first = AlignmentDisplay.from_estimator(reader, X, LABELS, sample=7)
    second = AlignmentDisplay.from_estimator(reader, X, LABELS, sample=-1)
    assert first.spans == second.spans


def test_a_pipeline_shows_what_its_last_step_sees():
    scaler = FrameTransformer(StandardScaler()).fit(X)
    pipeline = make_pipeline(
        FrameTransformer(StandardScaler()),
        CTCSequenceClassifier(units=4, epochs=1, random_state=0),
    ).fit(X, LABELS)
    display = AlignmentDisplay.from_estimator(pipeline, X, LABELS, sample=2)
    expected = pipeline[-1].predict_proba(scaler.transform(X))[2]
    np.testing.assert_allclose(display.posteriors, expected, atol=1e-6)


def test_a_search_shows_its_best_estimator():
    whole = np.arange(len(X))
    search = GridSearchCV(
        CTCSequenceClassifier(units=4, random_state=0),
        {"epochs": [1]},
        cv=[(whole, whole)],
    ).fit(X, LABELS)
    display = TrainingHistoryDisplay.from_estimator(search)
    assert display.history == search.best_estimator_.history_


def test_a_peak_of_one_frame_among_many_is_never_lost():
    posteriors = np.full((20_000, 3), 0.0)
    posteriors[:, 2] = 1.0
    posteriors[12_345] = [0.0, 0.9, 0.1]
    display = AlignmentDisplay(posteriors, [], classes=["a", "b"]).plot()
    assert display.rows_ == ["b"]
    assert display.im_.get_array()[0].max() == 0.9
    assert display.im_.get_array().shape[1] < 2000
    column = display.im_.get_array()[0].argmax()
    left, right, *_ = display.im_.get_extent()
    width = (right - left) / display.im_.get_array().shape[1]
    assert left + column * width <= 12_345 <= left + (column + 1) * width


def test_rare_labels_of_a_large_alphabet_are_left_out():
    posteriors = np.random.default_rng(0).dirichlet(np.full(501, 0.01), size=50)
    aligned = LabelSpan(17, 3, 4, 0.1)
    display = AlignmentDisplay(posteriors, [aligned], classes=range(500)).plot()
    assert 17 in display.rows_
    assert len(display.rows_) <= 40


@pytest.mark.parametrize("n_frames", [1, 2])
def test_the_shortest_sequences_are_drawn(n_frames):
    span = LabelSpan("b", 0, 0, 0.5)
    posteriors = np.full((n_frames, 3), 1 / 3)
    display = AlignmentDisplay(posteriors, [span], classes=["a", "b"]).plot()
    display.figure_.canvas.draw()
    assert shown_labels(display.spans_ax_.xaxis)[0] == ["b"]


def test_single_labels_have_no_alignment_to_show():
    single = CTCSequenceClassifier(units=4, epochs=1, random_state=0).fit(X, [0, 1] * 4)
    with pytest.raises(ValueError, match=r"single labels. Fit it on label sequences"):
        AlignmentDisplay.from_estimator(single, X)


def test_an_error_names_the_sample_that_was_to_be_shown(reader):
    unseen = [*LABELS[:5], "xyz", *LABELS[6:]]
    with pytest.raises(ValueError, match=r"y\[0\]") as caught:
        AlignmentDisplay.from_estimator(reader, X, unseen, sample=5)
    (note,) = caught.value.__notes__
    assert note == "X[0] and y[0] are those of the sample to show, 5."


def test_labels_that_match_no_class_or_sample_are_refused(reader):
    with pytest.raises(ValueError, match=r"samples: \[8, 7\]"):
        AlignmentDisplay.from_estimator(reader, X, LABELS[:-1])
    with pytest.raises(ValueError, match=r"among the classes\. Got 'z'"):
        AlignmentDisplay(
            np.ones((1, 2)), [LabelSpan("z", 0, 0, 1.0)], classes=["a"]
        ).plot()
    with pytest.raises(ValueError, match="one column per label, the blank last"):
        AlignmentDisplay(np.ones((1, 2)), [], classes=["a", "b"]).plot()


# -- attention -------------------------------------------------------------------------


@pytest.mark.parametrize("y", [None, TARGETS], ids=["predicted", "given"])
def test_attention_is_that_of_predict_attention_along_the_output(translator, y):
    display = AttentionDisplay.from_estimator(translator, SOURCES, y, sample=1)
    (expected,) = translator.predict_attention(
        SOURCES[1:2], None if y is None else y[1:2]
    )
    output = translator.predict(SOURCES)[1] if y is None else y[1]
    np.testing.assert_allclose(display.attention, expected, atol=1e-6)
    np.testing.assert_array_equal(display.im_.get_array(), display.attention)
    assert display.source_tokens == SOURCES[1].split()
    assert display.output_tokens == output.split()


def test_a_pipeline_that_rewrites_texts_shows_the_rewritten(translator):
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, translator)
    display = AttentionDisplay.from_estimator(pipeline, ["LE CHAT"])
    assert display.source_tokens == ["le", "chat"]


def test_a_translator_without_attention_is_refused(translator):
    blind = copy.deepcopy(translator)
    blind._settings["attention"] = None
    with pytest.raises(ValueError, match="predict_attention needs attention"):
        AttentionDisplay.from_estimator(blind, SOURCES, TARGETS)


def test_a_single_text_is_refused_with_the_cure(translator):
    with pytest.raises(TypeError, match=r"Did you mean \[X\]"):
        AttentionDisplay.from_estimator(translator, "le chat")


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (2,)])
def test_attention_of_another_shape_than_its_tokens_is_refused(shape):
    display = AttentionDisplay(np.ones(shape), ["a", "b"], ["c", "d"])
    with pytest.raises(ValueError, match="for 2 output tokens and 2 source tokens"):
        display.plot()


# -- reconstruction --------------------------------------------------------------------


@pytest.mark.parametrize("measure", ["mse", "mae", "mahalanobis"])
def test_frame_scores_average_to_the_score_of_the_sequence(coder, measure):
    coder = pickle.loads(pickle.dumps(coder)).set_params(anomaly_score=measure)
    display = ReconstructionDisplay.from_estimator(coder, X, sample=2)
    expected = -coder.score_samples(X)[2]
    assert display.frame_scores.mean() == pytest.approx(expected, rel=1e-4)
    is_as_fitted = measure == "mahalanobis"
    assert display.threshold == (-coder.offset_ if is_as_fitted else None)


def test_lines_are_the_sequence_and_its_reconstruction(coder):
    display = ReconstructionDisplay.from_estimator(coder, X, sample=4)
    expected = coder.reconstruct(X)[4]
    for i, (true, found) in zip(display.features_, display.lines_, strict=True):
        np.testing.assert_array_equal(true.get_ydata(), X[4][:, i])
        np.testing.assert_allclose(found.get_ydata(), expected[:, i], atol=1e-5)


def test_univariate_rows_of_a_matrix_are_shown_as_sequences():
    matrix = np.random.default_rng(1).normal(size=(6, 10))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coder = LSTMAutoencoder(units=4, epochs=1, random_state=0).fit(matrix)
    display = ReconstructionDisplay.from_estimator(coder, matrix, sample=5)
    np.testing.assert_array_equal(display.sequence[:, 0], matrix[5])
    np.testing.assert_allclose(
        display.reconstruction[:, 0], coder.reconstruct(matrix)[5], atol=1e-5
    )
    assert len(display.axes_) == 2


@pytest.mark.parametrize("n_features", [1, 3, 8])
def test_panels_and_their_texts_do_not_overlap(n_features):
    sequence = 1000 * np.random.default_rng(0).normal(size=(30, n_features))
    names = [f"a rather long name {i}" for i in range(n_features)]
    display = ReconstructionDisplay(
        sequence, sequence / 2, frame_scores=np.ones(30), feature_names=names
    ).plot()
    display.figure_.canvas.draw()
    texts = [panel.yaxis.label.get_window_extent() for panel in display.axes_]
    assert not touch(texts)
    assert not touch([panel.get_window_extent() for panel in display.axes_])
    ticks = [box for p in display.axes_ for box in drawn_labels(p.yaxis)[1]]
    assert not touch(ticks)
    legend = display.ax_.get_legend().get_window_extent()
    assert not any(legend.overlaps(p.get_window_extent()) for p in display.axes_)


@pytest.fixture(scope="module")
def windowed():
    """A pipeline that cuts a table into windows, and the table."""
    dates = pd.date_range("2026-03-01 08:00", periods=40, freq="min")
    table = pd.DataFrame(
        np.random.default_rng(0).normal(size=(40, 2)), dates, ["pressure", "flow"]
    )
    coder = LSTMAutoencoder(units=2, epochs=1, random_state=0)
    windows = SlidingWindows(5, stride=2)
    return make_pipeline(StandardScaler(), windows, coder).fit(table), table


def test_the_title_says_which_dates_a_window_holds(windowed):
    pipeline, table = windowed
    display = ReconstructionDisplay.from_estimator(pipeline, table, sample=3)
    dates = "2026-03-01 08:06:00 to 2026-03-01 08:10:00"
    assert display.name == f"window 3, {dates}"
    is_anomaly = pipeline.predict(table)[3] == -1
    verdict = "anomalous" if is_anomaly else "normal"
    assert display.ax_.get_title() == f"window 3, {dates}: {verdict}"


def test_without_dates_it_says_which_frames(windowed):
    pipeline, table = windowed
    frames = table.reset_index(drop=True)
    display = ReconstructionDisplay.from_estimator(pipeline, frames, sample=-1)
    assert display.name == "window 18, frames 35 to 39"  # covers the last frame


def test_of_several_series_it_says_which():
    series = [RNG.normal(size=(n, 2)) for n in (12, 9)]
    coder = LSTMAutoencoder(units=2, epochs=1, random_state=0)
    pipeline = make_pipeline(SlidingWindows(5), coder).fit(series)
    display = ReconstructionDisplay.from_estimator(pipeline, series, sample=9)
    assert display.name == "window 9, frames 1 to 5 of series 1"


def test_the_names_of_sensors_are_kept_through_the_steps_of_a_pipeline(windowed):
    pipeline, table = windowed
    display = ReconstructionDisplay.from_estimator(pipeline, table)
    assert display.feature_names == ["pressure", "flow"]
    tables = [table.iloc[:9], table.iloc[9:20]]
    frames = make_pipeline(
        FrameTransformer(StandardScaler()),
        LSTMAutoencoder(units=2, epochs=1, random_state=0),
    ).fit(tables)
    display = ReconstructionDisplay.from_estimator(frames, tables, sample=1)
    assert display.feature_names == ["pressure", "flow"]
    assert display.name == "sequence 1"


def test_of_many_features_the_worst_are_shown():
    sequence = np.random.default_rng(0).normal(size=(30, 20))
    reconstruction = sequence.copy()
    worst = [1, 4, 5, 9, 12, 13, 18, 19]
    reconstruction[:, worst] = 0
    display = ReconstructionDisplay(sequence, reconstruction).plot()
    assert display.features_ == worst
    assert "8 of 20 features" in display.axes_[-1].get_xlabel()


def test_features_are_chosen_by_name_or_index():
    display = ReconstructionDisplay(X[0], X[0], feature_names=["u", "v", "w"])
    assert display.plot(features=["w", 0]).features_ == [2, 0]
    for wrong in ["z"], [3], []:
        with pytest.raises(ValueError, match=r"some of \['u', 'v', 'w'\]"):
            display.plot(features=wrong)


@pytest.mark.parametrize(
    ("sequence", "scores", "message"),
    [
        (np.ones(4), None, "shape .n_frames, n_features"),
        (np.ones((5, 1)), None, r"Got \(5, 1\) and \(4, 1\)"),
        (np.ones((4, 1)), [1.0], "one score per frame, 4 scores"),
    ],
)
def test_shapes_that_do_not_match_are_refused(sequence, scores, message):
    display = ReconstructionDisplay(sequence, np.ones((4, 1)), frame_scores=scores)
    with pytest.raises(ValueError, match=message):
        display.plot()


# -- anomaly scores --------------------------------------------------------------------


def heights(bars):
    return [patch.get_height() for patch in bars]


def edges(bars):
    return [patch.get_x() for patch in bars]


def test_every_sequence_is_counted_in_the_histogram_of_its_label():
    scores = np.random.default_rng(0).lognormal(size=200)
    y = np.where(scores > 2, -1, 1)
    display = AnomalyScoreDisplay.from_predictions(scores, y, threshold=2.0)
    assert sum(heights(display.bars_["anomaly"])) == (scores > 2).sum()
    assert sum(heights(display.bars_["normal"])) == (scores <= 2).sum()
    assert edges(display.bars_["anomaly"]) == edges(display.bars_["normal"])


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_bars_are_counts_by_sorting_into_bins(scale):
    scores = np.random.default_rng(0).lognormal(size=100)
    bins = [0.01, 0.5, 1.0, 100.0]
    display = AnomalyScoreDisplay(scores).plot(bins=bins, scale=scale)
    expected = np.bincount(np.digitize(scores, bins), minlength=4)[1:]
    assert heights(display.bars_["all"]) == expected.tolist()
    assert display.ax_.get_xscale() == scale


def test_the_detectors_scores_and_threshold_are_shown(coder):
    display = AnomalyScoreDisplay.from_estimator(coder, X)
    # From the decision function, so that a score may be rounded once more.
    np.testing.assert_array_max_ulp(display.scores, -coder.score_samples(X), maxulp=2)
    assert display.threshold_line_.get_xdata()[0] == -coder.offset_
    is_beyond = display.scores > display.threshold
    np.testing.assert_array_equal(is_beyond, coder.predict(X) == -1)


def test_any_outlier_detector_of_scikit_learn_is_shown():
    frames = np.random.default_rng(0).normal(size=(60, 2))
    forest = IsolationForest(n_estimators=5, random_state=0)
    pipeline = make_pipeline(StandardScaler(), forest).fit(frames)
    display = AnomalyScoreDisplay.from_estimator(pipeline, frames)
    assert sum(heights(display.bars_["all"])) == 60


def test_a_single_anomaly_is_seen_beside_a_thousand_normal_sequences():
    scores = np.append(np.linspace(0.1, 0.9, 1000), 2.0)
    y = np.append(np.ones(1000), -1)
    display = AnomalyScoreDisplay.from_predictions(scores, y, threshold=1.0)
    assert display.ax_.get_yscale() == "log"
    assert max(heights(display.bars_["anomaly"])) == 1
    bottom, top = display.ax_.get_ylim()
    assert np.log(1 / bottom) > 0.08 * np.log(top / bottom)  # of the height
    title = display.ax_.get_title()
    assert title == "above the threshold: 0 of 1000 normal, 1 of 1 anomalous"


@pytest.mark.parametrize(
    ("n_anomalies", "options", "scale"),
    [
        (50, {}, "linear"),
        (5, {}, "log"),
        (5, {"yscale": "linear"}, "linear"),
        (50, {"yscale": "log"}, "log"),
        (5, {"density": True}, "linear"),
        (0, {}, "linear"),
    ],
)
def test_counts_are_on_a_logarithmic_scale_where_one_kind_is_rare(
    n_anomalies, options, scale
):
    is_anomaly = np.arange(100) < n_anomalies
    display = AnomalyScoreDisplay.from_predictions(
        RNG.random(100), is_anomaly, **options
    )
    assert display.ax_.get_yscale() == scale


@pytest.mark.parametrize("scores", [[0.3], [0.2, 0.2], [0.0, 5.0], [-1.0, 2000.0]])
def test_unusual_scores_are_drawn(scores):
    display = AnomalyScoreDisplay(scores, threshold=0.0).plot()
    assert sum(heights(display.bars_["all"])) == len(scores)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([],), {}, "at least one. Got none"),
        (([1.0, np.nan],), {}, r"scores\[1\] is nan"),
        (([1.0, 2.0], [0, 1]), {}, r"y\[0\] = 0 instead.* \.astype\(bool\)"),
        (([1.0, 2.0], [1]), {}, r"samples: \[2, 1\]"),
        (([-1.0, 2.0],), {"scale": "log"}, 'Set scale="linear"'),
        (([1.0, 2.0],), {"scale": "sqrt"}, r"among \{'auto', 'linear', 'log'\}"),
        (([1.0, 2.0],), {"yscale": "sqrt"}, r"yscale.*\{'auto', 'linear', 'log'\}"),
    ],
)
def test_scores_that_cannot_be_shown_are_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        AnomalyScoreDisplay.from_predictions(*arguments, **options)


# -- training history ------------------------------------------------------------------


def test_the_best_epoch_is_that_of_the_lowest_validation_loss(coder):
    display = TrainingHistoryDisplay.from_estimator(coder)
    losses = coder.history_["val_loss"]
    assert losses[display.best_epoch - 1] == min(losses)
    assert display.lines_["val_loss"].get_ydata().tolist() == losses
    assert list(display.lines_["loss"].get_xdata()) == [1, 2]


def test_the_best_epoch_is_that_of_the_highest_score_where_scores_decide(translator):
    scored = pickle.loads(pickle.dumps(translator))
    scored.history_ = {
        "loss": [3.0, 2.0, 1.0],
        "val_loss": [1.0, 2.0, 3.0],
        "val_score": [0.1, 0.5, 0.2],
    }
    display = TrainingHistoryDisplay.from_estimator(scored)
    assert display.best_epoch == 2
    assert [panel.get_ylabel() for panel in display.axes_] == ["loss", "score"]


def test_without_validation_no_epoch_is_the_best(reader):
    display = TrainingHistoryDisplay.from_estimator(reader)
    assert display.best_epoch is None
    assert list(display.axes_) == [display.ax_]


def test_a_fit_is_called_by_its_class_and_epochs(reader):
    display = TrainingHistoryDisplay.from_estimator(reader)
    assert display.ax_.get_title() == "CTCSequenceClassifier: 2 epochs"


def test_several_fits_share_panels_and_each_has_its_color(reader, coder):
    fits = {"read": reader, "coded": coder}
    display = TrainingHistoryDisplay.from_estimators(fits)
    for name, estimator in fits.items():
        for measure, values in estimator.history_.items():
            line = display.lines_[name][measure]
            assert line.get_ydata().tolist() == values
            is_validation = measure.startswith("val_")
            assert line.get_linestyle() == ("--" if is_validation else "-")
    fitted = display.lines_.values()
    colors = [{line.get_color() for line in own.values()} for own in fitted]
    assert len(colors[0] | colors[1]) == 2
    texts = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert texts == ["read", "coded", "validation"]
    assert display.best_epoch["read"] is None
    losses = coder.history_["val_loss"]
    assert losses[display.best_epoch["coded"] - 1] == min(losses)


def test_fits_of_a_list_are_called_by_class_and_place(reader):
    display = TrainingHistoryDisplay.from_estimators([reader, reader])
    names = ["CTCSequenceClassifier 0", "CTCSequenceClassifier 1"]
    assert list(display.lines_) == names


def test_all_fits_that_are_allowed_can_be_told_apart():
    histories = {f"fit {i}": {"loss": [2.0, 1.0 / (i + 1)]} for i in range(36)}
    display = TrainingHistoryDisplay(histories).plot()
    display.figure_.canvas.draw()
    lines = [own["loss"] for own in display.lines_.values()]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 36
    legend = display.axes_[0].get_legend().get_window_extent()
    assert not legend.overlaps(display.axes_[0].get_window_extent())
    with pytest.raises(ValueError, match=r"at most 36 fits.* Got 37"):
        TrainingHistoryDisplay({**histories, "one more": {"loss": [1.0]}}).plot()


@pytest.mark.parametrize(
    ("estimators", "message"),
    [
        ([], "at least one fitted estimator"),
        ({}, "at least one fitted estimator"),
        ("reader", "a dict or a list of fitted estimators. Got str"),
    ],
)
def test_what_is_not_several_estimators_is_refused(estimators, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TrainingHistoryDisplay.from_estimators(estimators)


def test_an_unfitted_one_among_several_is_refused(reader):
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimators([reader, CTCSequenceClassifier()])


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "at least one measure"),
        ({"loss": []}, "at least one measure"),
        ({"a": {}, "b": {}}, "at least one measure"),
        ({"a": {"loss": [1.0]}, "loss": [1.0]}, "lists or dicts of lists, not both"),
        ([1.0], "Got list instead"),
    ],
)
def test_an_empty_or_mixed_history_is_refused(history, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TrainingHistoryDisplay(history).plot()


# -- confusion -------------------------------------------------------------------------


def test_the_matrix_counts_what_became_of_each_label():
    display = LabelConfusionDisplay.from_predictions(["kitten"], ["sitting"])
    places = {label: i for i, label in enumerate([*display.labels_, None])}
    expected = np.zeros((8, 8), dtype=int)
    pairs = [("k", "s"), *["ii", "tt", "tt"], ("e", "i"), ("n", "n"), (None, "g")]
    for true, found in pairs:
        expected[places[true], places[found]] += 1
    np.testing.assert_array_equal(display.matrix_, expected)


def test_errors_in_a_full_matrix_are_all_edits():
    rng = np.random.default_rng(0)
    y_true, y_pred = ([rng.integers(5, size=9).tolist() for _ in "123"] for _ in "12")
    matrix = LabelConfusionDisplay.from_predictions(y_true, y_pred).matrix_
    edits = align_sequences(y_true, y_pred).sample_errors.sum()
    assert matrix.sum() - np.trace(matrix) == edits
    assert matrix.sum(axis=1)[:-1].sum() == 27  # every true label, once


def test_the_labels_with_most_errors_are_kept():
    y_true = ["aab", "cd", "efg", "hh"]
    y_pred = ["bba", "cd", "efg", "hx"]
    display = LabelConfusionDisplay.from_predictions(y_true, y_pred, n_labels=2)
    assert display.labels_ == ["a", "b"]
    assert "of 4 errors shown" in display.ax_.get_xlabel()


def test_the_labels_of_a_translator_are_its_tokens(translator):
    display = LabelConfusionDisplay.from_estimator(translator, SOURCES, TARGETS)
    predicted = [text.split() for text in translator.predict(SOURCES)]
    words = [text.split() for text in TARGETS]
    assert display.confusions == align_sequences(words, predicted).confusions()


def test_the_labels_of_a_reader_are_its_classes(reader):
    display = LabelConfusionDisplay.from_estimator(reader, X, LABELS)
    expected = align_sequences(LABELS, reader.predict(X)).confusions()
    assert display.confusions == expected


def test_counts_are_written_only_where_there_is_room():
    many = {(i, i + 1): 3 for i in range(100)}
    assert LabelConfusionDisplay({("a", "b"): 3}).plot().text_[0, 1].get_text() == "3"
    _, ax = plt.subplots(figsize=(3, 3))
    assert LabelConfusionDisplay(many).plot(ax, n_labels=100).text_ is None


@pytest.mark.parametrize("n_labels", [20, 2])
def test_shares_are_of_a_true_label_a_predicted_one_or_all(n_labels):
    rng = np.random.default_rng(0)
    y_true, y_pred = ([rng.integers(4, size=9).tolist() for _ in "123"] for _ in "12")
    pairs = Counter(align_sequences(y_true, y_pred).confusions())
    display = LabelConfusionDisplay(dict(pairs))
    display.plot(normalize="true", n_labels=n_labels)
    names = [*display.labels_, None]

    def counted(of, label):
        """How often a label stands on one side; any label, where None has no share."""
        return sum(
            n
            for pair, n in pairs.items()
            if (pair[of] == label if label is not None else pair[of] is not None)
        )

    wholes = {
        "true": lambda i, j: counted(0, names[i]),
        "pred": lambda i, j: counted(1, names[j]),
        "all": lambda i, j: pairs.total(),
    }
    for normalize, whole in wholes.items():
        display.plot(normalize=normalize, n_labels=n_labels)
        for i, true in enumerate(names):
            for j, found in enumerate(names):
                n = pairs[true, found]
                expected = n / whole(i, j) if n else 0
                assert display.shares_[i, j] == pytest.approx(expected)
                assert display.matrix_[i, j] == n


def test_shares_are_written_in_percent_and_named_on_the_axis():
    confusions = {("a", "a"): 3, ("a", "b"): 1, ("b", "b"): 2}
    display = LabelConfusionDisplay(confusions).plot(normalize="true")
    assert display.text_[0, 1].get_text() == "25%"
    assert "shares of a true label" in display.ax_.get_ylabel()
    assert display.colorbar_.ax.get_ylabel() == "share of errors"
    assert display.ax_.get_title() == "1 error in 6 labels"
    by_column = LabelConfusionDisplay(confusions).plot(normalize="pred")
    assert by_column.text_[0, 1].get_text() == "33%"
    assert "shares of a predicted label" in by_column.ax_.get_xlabel()


def test_normalize_is_one_of_three():
    with pytest.raises(ValueError, match=r"normalize.*'true'"):
        LabelConfusionDisplay({("a", "b"): 1}).plot(normalize="rows")


def test_labels_of_several_kinds_are_drawn():
    display = LabelConfusionDisplay({(1, "a"): 2, ("a", None): 1}).plot()
    assert display.labels_ == [1, "a"]


@pytest.mark.parametrize(
    ("confusions", "n_labels", "message"),
    [({}, 5, "at least one pair"), ({("a", "b"): 1}, 0, "n_labels must be at least 1")],
)
def test_confusions_that_cannot_be_shown_are_refused(confusions, n_labels, message):
    with pytest.raises(ValueError, match=message):
        LabelConfusionDisplay(confusions).plot(n_labels=n_labels)
