"""What is CTC's own: labels, posteriors, decoding, alignment, front ends."""

import copy
import itertools
import random
from functools import partial

import keras
import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import get_tags
from sklearn.utils.class_weight import compute_sample_weight

import skseq
from skseq import LabelSpan, RankedLabels
from skseq.metrics import label_error_rate
from tests.estimators import CTC, TINY
from tests.toy import as_text, roughened, symbol_runs

X, SYMBOLS, SPANS = symbol_runs(12, noise=0)
TEXT = as_text(SYMBOLS)

make = partial(CTC.make, **{**TINY, "units": 3}, bidirectional=False, standardize=False)


def reader(y, **params):
    """A network whose weights are set by hand to read symbols with certainty.

    Its LSTM has open input and output gates and forgets at once, so that unit k tells
    whether the frame shows symbol k; label k wins where it does, the blank elsewhere.
    """
    clf = make(**params).fit(X, y)
    kernel, bias = np.zeros((3, 12)), np.zeros(12)
    kernel[:, 6:9] = 20 * np.eye(3)  # gates are input, forget, cell, output
    bias[:3], bias[3:6], bias[9:] = 20, -20, 20
    logits, logits_bias = np.zeros((3, 4)), np.array([-20, -20, -20, 0])
    logits[:, :3] = 60 * np.eye(3)
    weights = [kernel, np.zeros((3, 12)), bias, logits, logits_bias]
    clf._weights = [w.astype("float32") for w in weights]
    return clf


@pytest.fixture(scope="module")
def reading():
    return reader(TEXT)


@pytest.fixture(scope="module")
def fitted():
    return make(units=4).fit(X, TEXT)


@pytest.fixture(scope="module")
def rough(fitted):
    return roughened(fitted, scale=1)


@pytest.fixture(scope="module")
def single():
    first = np.array(["cab"[s[0]] for s in SYMBOLS])
    return make(target="single").fit(X, first)


def numbered(symbols):
    """Symbols as the labels -1, 0 and 5."""
    return np.array([-1, 0, 5])[symbols]


FORMS = {
    "str": lambda s: as_text([s])[0],
    "list of str": lambda s: [["up", "down", "left"][i] for i in s],
    "tuple of int": lambda s: tuple(numbered(s).tolist()),
    "array of int32": lambda s: numbered(s).astype("int32"),
    "array of str": lambda s: np.array(["x", "yy", "zzz"])[s],
    "list of bool": lambda s: (s > 0).tolist(),
}


# -- labels -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, marks=pytest.mark.slow if "bool" in form else ())
        for form in FORMS
    ],
)
def test_it_learns_to_read_and_answers_in_the_users_own_types(form):
    train_X, train_symbols, _ = symbol_runs(48, seed=1)
    test_X, test_symbols, _ = symbol_runs(30, seed=2)
    as_labels = FORMS[form]
    clf = make(units=8, bidirectional=True, optimizer="adam", learning_rate=0.05)
    clf.set_params(epochs=25, batch_size=8).fit(
        train_X, [as_labels(s) for s in train_symbols]
    )
    predicted, true = clf.predict(test_X), [as_labels(s) for s in test_symbols]
    assert label_error_rate(true, predicted) == 0
    assert clf.score(test_X, true) == 1
    assert predicted.dtype == object
    assert predicted.shape == (30,)
    for found, expected in zip(predicted, true, strict=True):
        assert type(found) is type(expected)
        if isinstance(expected, np.ndarray):
            assert found.dtype == expected.dtype
        else:
            assert [type(v) for v in found] == [type(v) for v in expected]


def test_classes_are_the_sorted_labels(fitted):
    assert fitted.classes_.tolist() == ["a", "b", "c"]
    labels = [numbered(s) for s in SYMBOLS]
    assert make().fit(X, labels).classes_.tolist() == [-1, 0, 5]


def test_equal_neighbours_stay_two_labels(reading):
    doubled = [i for i, text in enumerate(TEXT) if "aa" in text or "bb" in text]
    assert doubled
    assert [reading.predict(X)[i] for i in doubled] == [TEXT[i] for i in doubled]


def test_a_sequence_may_have_no_label():
    clf = reader([*TEXT[:-1], ""])
    silence = [np.zeros((5, 3))]
    assert clf.predict(silence).tolist() == [""]
    blank = clf.predict_log_proba(silence)[0][:, -1]
    assert clf.score_samples(silence)[0] == pytest.approx(blank.sum(), abs=1e-6)
    assert clf.align([X[0], *silence], [TEXT[0], ""])[1] == []


@pytest.mark.parametrize("value", [[0, 0, 0], (0,), np.array([], dtype=int)])
def test_results_stay_one_cell_a_sample(value):
    clf = make().fit(X[:2], [value, [0, 1, 2]])
    assert clf.predict(X[:2]).shape == clf.predict_proba(X[:2]).shape == (2,)
    assert clf.predict([X[0], X[0]]).shape == (2,)


def test_partial_fit_learns_all_classes_at_the_first_call():
    clf = make().partial_fit(X[:4], TEXT[:4], classes=["a", "b", "c", "z"])
    assert clf.classes_.tolist() == ["a", "b", "c", "z"]
    assert clf.predict_proba(X[:1])[0].shape[1] == 5
    clf.partial_fit(X, TEXT).partial_fit(X, TEXT, classes="zcba")
    assert clf.n_iter_ == 3
    assert clf.partial_fit(X[:1], ["z"]).n_iter_ == 4


# -- posteriors -------------------------------------------------------------------


def test_a_frame_has_a_probability_for_each_label_and_the_blank(rough):
    proba, log_proba = rough.predict_proba(X), rough.predict_log_proba(X)
    for x, sample, logs in zip(X, proba, log_proba, strict=True):
        assert sample.shape == (len(x), 4)
        np.testing.assert_allclose(sample.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(sample, np.exp(logs))


def test_columns_are_the_classes_then_the_blank(reading):
    (start, end), *_ = SPANS[0]
    proba = reading.predict_proba(X)[0]
    column = "abc".index(TEXT[0][0])
    assert set(proba[start : end + 1].argmax(axis=1)) == {column}
    assert set(proba[:start].argmax(axis=1)) == {3}


def collapse(path, blank):
    """What a path of column numbers reads, by the definition of CTC."""
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


@pytest.fixture(scope="module")
def enumerated(rough):
    """Probabilities of all labellings of short sequences, from each of their paths."""
    short = [x[: 3 + i % 3] for i, x in enumerate(X[:6])]
    tables = []
    for proba in rough.predict_proba(short):
        table = {}
        for path in itertools.product(range(4), repeat=len(proba)):
            probability = np.prod([proba[t, k] for t, k in enumerate(path)])
            text = "".join("abc"[k] for k in collapse(path, 3))
            table[text] = table.get(text, 0) + float(probability)
        tables.append(table)
    return short, tables


@pytest.mark.parametrize("text", ["", "a", "b", "ab", "aa", "cbc", "abcabc"])
def test_score_samples_sums_over_all_alignments(rough, enumerated, text):
    short, tables = enumerated
    y = [text, "c"] * 3  # one of them has labels, whatever the text is
    with np.errstate(divide="ignore"):
        expected = np.log([t.get(item, 0) for t, item in zip(tables, y, strict=True)])
    np.testing.assert_allclose(rough.score_samples(short, y), expected, rtol=1e-5)


def test_score_samples_without_labels_scores_the_predicted_ones(rough, single):
    for decoder in ("greedy", "beam"):
        clf = copy.deepcopy(rough).set_params(decoder=decoder)
        np.testing.assert_array_equal(
            clf.score_samples(X), clf.score_samples(X, clf.predict(X))
        )
    np.testing.assert_array_equal(
        single.score_samples(X), single.score_samples(X, single.predict(X))
    )


# -- decoding ---------------------------------------------------------------------


def test_the_best_hypothesis_is_the_most_probable_labelling(rough, enumerated):
    short, tables = enumerated
    rough = copy.deepcopy(rough).set_params(beam_width=200)
    for hypotheses, table in zip(rough.predict_n_best(short, 3), tables, strict=True):
        ranked = sorted(table.items(), key=lambda item: -item[1])[:3]
        assert [h.labels for h in hypotheses] == [text for text, _ in ranked]
        found = np.exp([h.log_probability for h in hypotheses])
        np.testing.assert_allclose(found, [p for _, p in ranked], rtol=1e-5)


def test_the_floor_of_the_search_may_change_after_the_fit(rough, enumerated):
    short, tables = enumerated
    clf = copy.deepcopy(rough).set_params(beam_width=200, decoder="beam")
    full = clf.predict_n_best(short, 100)
    assert [len(found) for found in full] == [min(100, len(t)) for t in tables]
    clf.set_params(min_label_log_prob=-np.inf)
    assert clf.predict_n_best(short, 100).tolist() == full.tolist()
    clf.set_params(min_label_log_prob=0.0)  # only the label that leads a frame
    pruned = clf.predict_n_best(short, 100)
    assert sum(map(len, pruned)) < sum(map(len, full))
    for found, use in zip(pruned, clf.predict(short), strict=True):
        assert found[0].labels == use
    clf.set_params(min_label_log_prob=1.0)
    with pytest.raises(ValueError, match="min_label_log_prob"):
        clf.predict(short)


def test_hypotheses_are_ranked_and_scored_exactly(rough):
    for x, hypotheses in zip(X, rough.predict_n_best(X, 4), strict=True):
        assert len(hypotheses) == 4
        assert all(isinstance(h, RankedLabels) for h in hypotheses)
        scores = [h.log_probability for h in hypotheses]
        assert scores == sorted(scores, reverse=True)
        exact = rough.score_samples([x] * 4, [h.labels for h in hypotheses])
        np.testing.assert_allclose(scores, exact, atol=1e-5)
        assert len({h.labels for h in hypotheses}) == 4


def test_the_beam_can_be_wider_than_asked_for(rough):
    clf = copy.deepcopy(rough).set_params(beam_width=1)
    assert all(len(hypotheses) == 5 for hypotheses in clf.predict_n_best(X))


def test_a_beam_search_finds_nothing_worse_than_the_greedy_path(rough):
    greedy = rough.score_samples(X)
    beam = copy.deepcopy(rough).set_params(decoder="beam").score_samples(X)
    assert (beam >= greedy - 1e-9).all()
    assert (beam > greedy + 1e-3).any()


def test_decoding_parameters_may_change_after_the_fit(rough):
    clf = copy.deepcopy(rough).set_params(decoder="beam", beam_width=2)
    best = [hypotheses[0].labels for hypotheses in clf.predict_n_best(X, 1)]
    assert clf.predict(X).tolist() == best != rough.predict(X).tolist()
    for use in (clf.predict, clf.predict_n_best, clf.score_samples):
        clf.set_params(decoder="viterbi")
        with pytest.raises(ValueError, match=r"decoder.*among .'greedy', 'beam'"):
            use(X)


def test_parameters_of_the_network_do_not_change_after_the_fit(rough):
    other = copy.deepcopy(rough).set_params(
        units=9, cell="gru", bidirectional=True, conv_filters=4, skip_frames=2
    )
    assert other.predict(X).tolist() == rough.predict(X).tolist()
    assert len(other.model_.weights) == len(rough._weights)


# -- alignment --------------------------------------------------------------------


def test_align_finds_the_frames_that_show_each_symbol(reading):
    for spans, text, true in zip(reading.align(X, TEXT), TEXT, SPANS, strict=True):
        assert [(s.start, s.end) for s in spans] == true
        assert [s.label for s in spans] == list(text)
        assert all(s.confidence > 0.999 for s in spans)


def test_spans_are_apart_in_order_and_read_as_the_labels(rough):
    for spans, text, x in zip(rough.align(X, TEXT), TEXT, X, strict=True):
        assert all(isinstance(span, LabelSpan) for span in spans)
        path = [None] * len(x)
        for span in spans:
            assert 0 <= span.start <= span.end < len(x)
            assert path[span.start : span.end + 1] == [None] * (
                span.end - span.start + 1
            )
            path[span.start : span.end + 1] = [span.label] * (span.end - span.start + 1)
            assert 0 <= span.confidence <= 1
        assert "".join(collapse(path, None)) == text


def test_confidence_is_the_mean_posterior(rough):
    proba = rough.predict_proba(X)
    for spans, sample in zip(rough.align(X, TEXT), proba, strict=True):
        for span in spans:
            column = sample[span.start : span.end + 1, "abc".index(span.label)]
            assert span.confidence == pytest.approx(column.mean(), rel=1e-5)


def test_align_says_which_labels_do_not_fit(rough):
    with pytest.raises(ValueError, match=r"y\[1\] has 3 labels but X\[1\] has only 2"):
        rough.align([X[0], X[1][:2]], [TEXT[0], "abc"])
    assert rough.score_samples([X[1][:2]], ["abc"]) == -np.inf


# -- front ends -------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "strides", "skipped"),
    [
        ({}, 1, 0),
        ({"conv_filters": 3, "conv_strides": 1}, 1, 0),
        ({"conv_filters": 3, "conv_kernel_size": 2, "conv_strides": 2}, 2, 0),
        ({"conv_filters": (3, 2), "conv_strides": (2, 3)}, 6, 0),
        ({"conv_filters": [3, 2], "conv_strides": 2, "skip_frames": 1}, 4, 1),
        ({"front_end": "image", "front_end__filters": (2, 3)}, 4, 0),
        ({"front_end": "image", "conv_filters": 2, "conv_strides": 2}, 8, 0),
    ],
)
def test_output_frames_are_as_many_as_documented(params, strides, skipped):
    long_X = [np.tile(x, (3, 1)) for x in X]
    clf = make(**params).fit(long_X, ["a", "b"] * 6)
    lengths = [len(sample) for sample in clf.predict_proba(long_X)]
    assert lengths == [-(-len(x) // strides) - skipped for x in long_X]


def test_skipped_frames_are_the_first_of_the_output(rough):
    skipping = make(skip_frames=3, units=4).fit(X, ["a", "bc"] * 6)
    skipping._weights = rough._weights
    for all_frames, rest in zip(
        rough.predict_proba(X), skipping.predict_proba(X), strict=True
    ):
        # A product of another number of rows may round differently.
        np.testing.assert_allclose(rest, all_frames[3:], rtol=1e-6)
    (span, *_), *_ = skipping.align(X, ["a"] * 12)
    assert 0 <= span.start <= span.end < len(X[0]) - 3


def test_frames_are_centred_as_documented():
    clf = make(conv_filters=8, conv_kernel_size=3, conv_strides=3)
    clf = roughened(clf.fit(X, ["a", "b", "c"] * 4))
    x = np.random.default_rng(0).normal(size=(8, 3))
    reference = clf.predict_proba([x])[0]
    for frame in range(8):
        changed = x.copy()
        changed[frame] += 2
        differs = (clf.predict_proba([changed])[0] != reference).any(axis=1)
        centre = (frame + 1) // 3  # frames 2, 3 and 4 are those of row 1
        assert np.flatnonzero(differs)[0] == centre  # it reads from left to right


def one_step(frames, width=3, pool=1):
    """A front end that sees one frame at a time, or a few."""
    frames = keras.layers.AveragePooling1D(pool, padding="same")(frames)
    return keras.layers.Dense(width, activation="tanh")(frames)


def two_way(frames, width=3):
    """A front end that sees what follows a sequence, padding too."""
    hidden = keras.layers.Conv1D(width, 3, padding="same", strides=2)(frames)
    recurrence = keras.layers.LSTM(width, return_sequences=True)
    hidden = keras.layers.Dropout(0.2)(hidden)
    return keras.layers.Bidirectional(recurrence)(hidden)


def unpadded(frames):
    """A front end whose output is shorter by what its kernel covers."""
    return keras.layers.Conv1D(4, 4, padding="valid")(frames)


FRONT_ENDS = {
    "one_step": ({"front_end": one_step, "front_end__width": 4}, lambda n: n),
    "pooled": ({"front_end": one_step, "front_end__pool": 2}, lambda n: -(-n // 2)),
    "two_way": ({"front_end": two_way}, lambda n: -(-n // 2)),
    "unpadded": ({"front_end": unpadded}, lambda n: n - 3),
    "image": ({"front_end": "image"}, lambda n: -(-n // 4)),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(n, marks=pytest.mark.slow if n in {"pooled", "unpadded"} else ())
        for n in FRONT_ENDS
    ],
)
def with_front_end(request):
    params, n_output_frames = FRONT_ENDS[request.param]
    state = random.getstate()
    clf = make(infeasible="drop", **params).fit(X, ["a", "b"] * 6)
    again = copy.deepcopy(clf).fit(X, ["a", "b"] * 6)
    assert random.getstate() == state
    return clf, again, n_output_frames


@pytest.mark.slow
def test_the_lengths_of_a_front_end_are_worked_out(with_front_end):
    clf, _, n_output_frames = with_front_end
    lengths = [len(sample) for sample in clf.predict_proba(X)]
    assert lengths == [n_output_frames(len(x)) for x in X]


def test_a_front_end_starts_from_the_seed(with_front_end):
    clf, again, _ = with_front_end
    for a, b in zip(clf._weights, again._weights, strict=True):
        np.testing.assert_array_equal(a, b)
    clf = copy.deepcopy(clf).set_params(random_state=1).fit(X, ["a", "b"] * 6)
    assert not np.array_equal(clf._weights[0], again._weights[0])


def test_a_front_end_never_sees_padding(with_front_end):
    clf = roughened(with_front_end[0])
    together, log_proba = clf.score_samples(X), clf.predict_log_proba(X)
    for i, x in enumerate(X):
        alone = clf.predict_log_proba([x])[0]
        np.testing.assert_allclose(alone, log_proba[i], rtol=1e-5, atol=1e-5)
        assert clf.score_samples([x])[0] == pytest.approx(together[i], abs=1e-5)


def test_a_front_end_is_trained_with_the_rest(with_front_end):
    clf = copy.deepcopy(with_front_end[0])
    before = copy.deepcopy(clf._weights)
    clf.set_params(warm_start=True, learning_rate=0.01).fit(X, ["a", "b"] * 6)
    assert all((a != b).any() for a, b in zip(before, clf._weights, strict=True))


def test_a_front_end_must_return_frames():
    for wrong in (lambda frames: frames[:, 0], lambda frames: None):
        with pytest.raises(ValueError, match="front_end must turn its input tensor"):
            make(front_end=wrong).fit(X, TEXT)


def batch_normalized(frames):
    return keras.layers.BatchNormalization(momentum=0.5, name="normed")(frames)


def test_statistics_over_the_batch_are_those_of_real_frames_and_are_warned_of():
    rng = np.random.default_rng(0)
    frames = [rng.normal(5, 1, size=(n, 3)) for n in (5, 5, 6, 6, 7, 7, 8, 200)]
    clf = make(front_end=batch_normalized, epochs=5)
    with pytest.warns(UserWarning, match=r"\(normed\).*LayerNormalization"):
        clf.fit(frames, ["a", "b"] * 4)
    layer = clf.model_.get_layer("front_end").get_layer("normed")
    np.testing.assert_allclose(layer.moving_mean, 5, atol=0.6)


def masked(frames):
    frames = keras.layers.Masking(name="unseen")(frames)
    return keras.layers.LSTM(3, return_sequences=True)(frames)


def test_a_mask_ends_with_the_front_end_and_its_user_is_told():
    clf = make(front_end=masked)
    # A warning of Keras would be an error here.
    with pytest.warns(UserWarning, match=r"\(unseen\).*no mask.*Remove the Masking"):
        clf.fit(X, TEXT)
    for alone, beside in zip(X, clf.predict_proba(X), strict=True):
        (expected,) = clf.predict_proba([alone])
        np.testing.assert_allclose(beside, expected, atol=1e-6)


# -- too few frames ---------------------------------------------------------------


def test_dropping_is_as_if_the_sequence_had_not_been_there():
    y = [*TEXT[:-1], "abababababababababababab"]
    with pytest.warns(UserWarning, match=r"Dropped 1 of 12 .* samples 11\."):
        dropped = make(infeasible="drop").fit(X, y)
    without = make().fit(X[:-1], y[:-1])
    for a, b in zip(dropped._weights, without._weights, strict=True):
        np.testing.assert_array_equal(a, b)


# -- one label per sample ---------------------------------------------------------


def test_single_labels_make_a_classifier(single):
    assert is_classifier(single)
    assert is_classifier(make(target="single"))
    assert single.classes_.tolist() == ["a", "b", "c"]
    assert single.predict(X).shape == (12,)
    assert set(single.predict(X)) <= {"a", "b", "c"}


@pytest.mark.parametrize("target", ["auto", "sequence"])
def test_label_sequences_are_not_classes(target):
    clf = make(target=target)
    assert not is_classifier(clf)
    assert get_tags(clf).estimator_type is None
    assert get_tags(clf).target_tags.required


@pytest.mark.parametrize(
    "y",
    [
        np.arange(12) % 3,
        [float(i % 3) for i in range(12)],
        [i % 3 == 0 for i in range(12)],
        np.array(["one", "two", "three"])[np.arange(12) % 3],
        ["one", "two", "three"] * 4,
    ],
    ids=["int", "float", "bool", "str_", "str"],
)
def test_single_labels_keep_their_type(y):
    clf = make(target="single").fit(X, y)
    assert clf.classes_.dtype == np.asarray(y).dtype
    assert clf.predict(X).dtype == np.asarray(y).dtype
    np.testing.assert_array_equal(clf.classes_, np.unique(y))


def test_numbers_are_taken_for_single_labels():
    clf = make().fit(X, np.arange(12) % 2)
    assert clf.predict_proba(X).shape == (12, 2)


def test_single_probabilities_are_those_of_the_one_label_sequences(single):
    proba = single.predict_proba(X)
    assert proba.shape == (12, 3)
    assert proba.dtype == np.float64
    scores = [single.score_samples(X, [label] * 12) for label in "abc"]
    joint = np.exp(np.transpose(scores))
    np.testing.assert_allclose(proba, joint / joint.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(np.log(proba), single.predict_log_proba(X))
    winners = single.classes_[proba.argmax(axis=1)]
    np.testing.assert_array_equal(single.predict(X), winners)


def test_single_hypotheses_are_single_labels(single):
    for x, proba, hypotheses in zip(
        X, single.predict_proba(X), single.predict_n_best(X, 2), strict=True
    ):
        order = np.argsort(-proba)[:2]
        assert [h.labels for h in hypotheses] == single.classes_[order].tolist()
        exact = single.score_samples([x] * 2, [h.labels for h in hypotheses])
        assert [h.log_probability for h in hypotheses] == pytest.approx(exact)
    assert all(len(hypotheses) == 3 for hypotheses in single.predict_n_best(X, 9))


def test_the_score_of_single_labels_is_the_accuracy(single):
    y = single.predict(X)
    y[:3] = ["a" if label != "a" else "b" for label in y[:3]]
    assert single.score(X, y) == pytest.approx(9 / 12)
    weighted = single.score(X, y, sample_weight=[0] * 3 + [1] * 9)
    assert weighted == 1


def test_a_column_of_single_labels_is_flattened_with_a_warning():
    column = (np.arange(12) % 2)[:, np.newaxis]
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert make(target="single").fit(X, column).predict(X).shape == (12,)


def test_the_score_is_one_minus_the_label_error_rate(rough):
    expected = 1 - label_error_rate(TEXT, rough.predict(X))
    assert rough.score(X, TEXT) == expected
    assert rough.score(X, TEXT) < 0.5


def test_an_empty_labelling_is_as_probable_as_all_blanks(fitted):
    blanks = fitted.predict_log_proba(X[:1])[0][:, -1]
    np.testing.assert_allclose(fitted.score_samples(X[:1], [""]), [blanks.sum()])
    assert fitted.align(X[:1], [""])[0] == []


def test_a_checkpoint_resumes_with_other_decoding_parameters(tmp_path):
    make(checkpoint=tmp_path).fit(X, TEXT)
    resumed = make(checkpoint=tmp_path, epochs=2, decoder="beam", beam_width=3)
    assert resumed.fit(X, TEXT).n_iter_ == 2
    assert len(list(tmp_path.iterdir())) == 1


# -- weights of classes ----------------------------------------------------------------

CLASSES = [int(text[0] == "a") for text in TEXT]


@pytest.mark.parametrize("weights", ["balanced", {0: 3.0, 1: 0.5}, {1: 2.0}])
def test_weights_of_classes_are_weights_of_their_samples(weights):
    options = {"target": "single", "epochs": 3}
    by_class = make(class_weight=weights, **options).fit(X, CLASSES)
    sample_weight = compute_sample_weight(weights, CLASSES)
    by_sample = make(**options).fit(X, CLASSES, sample_weight=sample_weight)
    for one, other in zip(by_class._weights, by_sample._weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert by_class.history_ != make(**options).fit(X, CLASSES).history_


def test_weights_of_classes_multiply_those_of_samples():
    own = np.arange(1.0, 1 + len(X))
    options = {"target": "single", "epochs": 1}
    both = make(class_weight={1: 2.0}, **options).fit(X, CLASSES, sample_weight=own)
    product = own * compute_sample_weight({1: 2.0}, CLASSES)
    once = make(**options).fit(X, CLASSES, sample_weight=product)
    for one, other in zip(both._weights, once._weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_label_sequences_have_no_weights_of_classes():
    with pytest.raises(ValueError, match=r"y holds label sequences\. Set class_weight"):
        make(class_weight="balanced").fit(X, TEXT)


def test_classes_are_not_balanced_by_parts_of_the_data():
    clf = make(class_weight="balanced", target="single")
    with pytest.raises(ValueError, match=r"sees only some of them\. Pass .*comp"):
        clf.partial_fit(X, CLASSES)
    clf.set_params(class_weight={0: 1.0, 1: 2.0}).partial_fit(X, CLASSES)


def test_a_weighted_class_that_is_not_there_is_named_and_changes_nothing():
    clf = make(class_weight={"zero": 2.0}, target="single", epochs=1)
    with pytest.warns(UserWarning, match="key 'zero', which is not a label of y: 0, 1"):
        clf.fit(X, CLASSES)
    plain = make(target="single", epochs=1).fit(X, CLASSES)
    for one, other in zip(clf._weights, plain._weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_of_the_data_may_lack_a_class_that_has_a_weight():
    weights = {"b": 3.0, "c": 5.0}
    clf = make(class_weight=weights, target="single")
    clf.partial_fit(X[:2], ["a", "b"], classes=["a", "b", "c"])
    clf.partial_fit(X[:2], ["c", "c"])
    assert clf.n_iter_ == 2


def test_weights_that_leave_no_sample_are_blamed():
    clf = make(class_weight={0: 0.0, 1: 0.0}, target="single")
    with pytest.raises(ValueError, match="Give some a sample_weight or class_weight"):
        clf.fit(X, CLASSES)


def test_weights_whose_sum_overflows_are_refused():
    clf = make(class_weight={0: 1e308, 1: 1.0}, target="single")
    with pytest.raises(ValueError, match="class_weight is too large: the sum over"):
        clf.fit(X, CLASSES)


def test_tiny_frames_raise_nothing_where_underflow_would():
    with np.errstate(all="raise"):
        make(epochs=1).fit([x * 1e-310 for x in X], TEXT)


def test_weights_of_numbered_classes_are_saved(tmp_path):
    weights = dict(zip(np.array([0, 1]), [3.0, 0.5], strict=True))
    make(class_weight=weights, target="single").fit(X, CLASSES).save(tmp_path / "clf")
    assert skseq.load(tmp_path / "clf").class_weight == {0: 3.0, 1: 0.5}
