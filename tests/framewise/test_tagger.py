"""The tagger: what its own mathematics and methods promise.

What it shares with all estimators is asked in `tests/contract`; the chain of labels in
the tests of its modules.
"""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

import skseq
from skseq import SequenceTagger
from skseq._framewise.chain import ChainWeights
from skseq.augmentation import GaussianNoise, TimeStretch, TokenDropout, augmenter
from skseq.datasets import make_hidden_markov
from skseq.preprocessing import LogMel
from tests.data.samples import RAGGED
from tests.estimators import TAGGER, TAGGER_CRF, TAGGER_TOKENS, labels_of_frames
from tests.framewise.chains import path_scores

X, Y = TAGGER.X, TAGGER.y
SHORT = [x[:5] for x in X[:4]]
RAGGED_Y = labels_of_frames(RAGGED)
TOKENS, SPANS = TAGGER_TOKENS.X, TAGGER_TOKENS.y


def not_b_after_a(before, after):
    return (before, after) != ("a", "b")


@pytest.fixture(scope="module")
def fitted():
    return TAGGER.rough(TAGGER.fit())


@pytest.fixture(scope="module")
def linked():
    return TAGGER.rough(TAGGER.make(crf=True).fit(X, Y))


@pytest.fixture(scope="module")
def reader():
    return TAGGER_TOKENS.rough(TAGGER_TOKENS.fit())


def outputs(tagger, x):
    """What the network gives for frames, in double precision."""
    frames = (x - tagger.mean_) / tagger.scale_
    given = [frames[np.newaxis].astype("float32"), np.array([len(x)], "int32")]
    return [np.array(part, dtype=np.float64) for part in tagger.model_(given)]


def paths(tagger, x):
    """The probability of every label sequence, by its labels, with all of them tried.

    Labels are ids; what `allowed_transitions` does not allow is left out.
    """
    scores, *weights, _ = outputs(tagger, x)
    n_classes = scores.shape[-1]
    if not weights:
        weights = np.zeros((n_classes, n_classes)), *np.zeros((2, n_classes))
    found = path_scores(scores[0], ChainWeights(*weights))
    allowed = tagger.allowed_transitions or (lambda *_: True)
    names = dict(enumerate(tagger.classes_.tolist()))
    odds = {
        path: np.exp(score)
        for path, score in found.items()
        if all(allowed(names[a], names[b]) for a, b in itertools.pairwise(path))
    }
    total = sum(odds.values())
    return {path: value / total for path, value in odds.items()}


VARIANTS = {
    "free": {},
    "constrained": {"allowed_transitions": not_b_after_a},
}


@pytest.fixture(params=["fitted", "linked"])
def tagger(request):
    return request.getfixturevalue(request.param)


# -- probabilities ---------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_probabilities_are_those_of_all_label_sequences(tagger, name):
    tagger = TAGGER.rough(tagger).set_params(**VARIANTS[name])
    tagger._weights = [2 * w for w in tagger._weights]
    proba, ranked = tagger.predict_proba(SHORT), tagger.predict_n_best(SHORT, 4)
    labels, sure = tagger.predict(SHORT), tagger.score_samples(SHORT)
    given = [labels_of_frames([x])[0] for x in SHORT]
    given = ["".join(own).replace("b", "c") for own in given]
    scores = tagger.score_samples(SHORT, given)
    for i, x in enumerate(SHORT):
        odds = paths(tagger, x)
        expected = np.zeros((len(x), 3))
        for path, value in odds.items():
            expected[np.arange(len(x)), path] += value
        np.testing.assert_allclose(proba[i], expected, atol=1e-5)
        best = sorted(odds, key=odds.get, reverse=True)[:4]
        texts = ["".join("abc"[k] for k in path) for path in best]
        assert labels[i] == texts[0]
        assert [hypothesis.labels for hypothesis in ranked[i]] == texts
        logs = np.log([odds[path] for path in best])
        found = [hypothesis.log_probability for hypothesis in ranked[i]]
        np.testing.assert_allclose(found, logs, atol=1e-5)
        np.testing.assert_allclose(sure[i], logs[0], atol=1e-5)
        own = tuple("abc".index(letter) for letter in given[i])
        np.testing.assert_allclose(scores[i], np.log(odds[own]), atol=1e-5)


def test_frames_without_a_label_are_summed_over(tagger):
    tagger = TAGGER.rough(tagger).set_params(unlabelled="?")
    odds = paths(tagger, SHORT[0])
    expected = sum(v for path, v in odds.items() if path[:2] == (0, 2))
    found = tagger.score_samples(SHORT[:1], ["ac???"])
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-5)


def test_what_is_not_allowed_has_no_probability(tagger):
    tagger = TAGGER.rough(tagger).set_params(allowed_transitions=not_b_after_a)
    assert tagger.score_samples(SHORT[:1], ["aabba"])[0] == -np.inf
    assert not any("ab" in labels for labels in tagger.predict(X))


def test_the_weights_of_a_chain_are_those_of_the_network(linked, fitted):
    pairs = outputs(linked, X[0])[1]
    np.testing.assert_array_equal(linked.transitions_, pairs)
    assert np.abs(pairs).min() > 0
    assert fitted.transitions_ is None


# -- learning --------------------------------------------------------------------------


def losses_by_hand(tagger, weights, y=Y):
    """The mean over frames of their negative log-probabilities, by their weights."""
    log_proba = tagger.predict_log_proba(X)
    losses = [
        -own[np.arange(len(own)), ["abc".index(k) for k in labels]]
        for own, labels in zip(log_proba, y, strict=True)
    ]
    return np.average(np.concatenate(losses), weights=np.concatenate(weights))


STILL = {"epochs": 1, "learning_rate": 1e-12, "batch_size": len(X)}


def frame_weights(of_label):
    return [np.array([of_label[letter] for letter in labels]) for labels in Y]


def all_counts():
    text = "".join(Y)
    return {k: len(text) / (3 * text.count(k)) for k in "abc"}


@pytest.mark.parametrize(
    ("class_weight", "of_label"),
    [
        (None, {"a": 1, "b": 1, "c": 1}),
        ({"a": 5.0, "c": 0.0}, {"a": 5.0, "b": 1.0, "c": 0.0}),
        ("balanced", all_counts()),
    ],
)
def test_each_frame_counts_alike_but_for_the_weight_of_its_class(
    class_weight, of_label
):
    tagger = TAGGER.make(class_weight=class_weight, **STILL).fit(X, Y)
    expected = losses_by_hand(tagger, frame_weights(of_label))
    np.testing.assert_allclose(tagger.history_["loss"], expected, rtol=1e-5)


def test_weights_of_samples_and_of_frames_multiply_what_frames_count():
    own = np.linspace(0.5, 2, len(X))
    each = [np.linspace(0, w, len(x)) for w, x in zip(own, X, strict=True)]
    for given, weights in (
        (own, [np.full(len(x), w) for w, x in zip(own, X, strict=True)]),
        (each, each),
    ):
        tagger = TAGGER.make(**STILL).fit(X, Y, sample_weight=given)
        expected = losses_by_hand(tagger, weights)
        np.testing.assert_allclose(tagger.history_["loss"], expected, rtol=1e-5)


def test_of_partial_labels_only_those_that_are_there_count():
    marks = [np.arange(len(x)) % 2 == 1 for x in X]
    y = [
        "".join("?" if m else k for k, m in zip(labels, own, strict=True))
        for labels, own in zip(Y, marks, strict=True)
    ]
    tagger = TAGGER.make(unlabelled="?", **STILL).fit(X, y)
    assert tagger.classes_.tolist() == ["a", "b", "c"]
    expected = losses_by_hand(tagger, [~own for own in marks])
    np.testing.assert_allclose(tagger.history_["loss"], expected, rtol=1e-5)
    assert tagger.score(X, y) == tagger.score(X, y, sample_weight=np.full(len(X), 2.0))


def test_a_chain_loses_its_log_probability_per_labelled_frame():
    y = [own.copy() for own in TAGGER_CRF.y]
    y[0][:] = -1
    tagger = TAGGER_CRF.make(**STILL, dropout=0.0).fit(X, y)
    counts = [np.sum(own >= 0) for own in y]
    expected = -tagger.score_samples(X[1:], y[1:]).sum() / sum(counts)
    np.testing.assert_allclose(tagger.history_["loss"], expected, rtol=1e-5)


def test_a_sequence_without_a_label_is_left_out():
    y = list(Y)
    y[3] = "?" * len(X[3])
    rest = [i for i in range(len(X)) if i != 3]
    some = [X[i] for i in rest], [Y[i] for i in rest]
    whole = TAGGER.make(unlabelled="?", **STILL, standardize=False).fit(X, y)
    part = TAGGER.make(**STILL, standardize=False).fit(*some)
    for one, other in zip(whole._weights, part._weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(whole.history_["loss"], part.history_["loss"], 1e-6)


@pytest.mark.parametrize(("n_features", "expected"), [(7, ()), (8, (64,))])
def test_few_features_are_not_convolved_unless_asked(n_features, expected):
    frames = [np.ones((n, n_features)) for n in (3, 4)]
    y = labels_of_frames(frames)
    for params, filters in (
        ({}, expected),
        ({"conv_filters": 5}, (5,)),
        ({"conv_strides": 1}, (64,)),
    ):
        tagger = SequenceTagger(units=2, epochs=1, **params).fit(frames, y)
        assert tagger._settings["conv_filters"] == filters


@pytest.mark.slow
@pytest.mark.parametrize("crf", [False, True])
def test_states_of_a_hidden_markov_model_are_told_from_their_neighbours(crf):
    X, y = make_hidden_markov(300, random_state=0)
    X_test, y_test, model = make_hidden_markov(200, random_state=1, return_model=True)
    tagger = SequenceTagger(crf=crf, units=32, epochs=20, random_state=0).fit(X, y)
    best = [own.argmax(axis=1) for own in model.posteriors(X_test)]
    optimum = np.mean(np.concatenate(best) == np.concatenate(y_test))
    alone = [row.argmax() for x in X_test for row in alone_posteriors(model, x)]
    by_frame = np.mean(alone == np.concatenate(y_test))
    assert by_frame + 0.1 < optimum - 0.045 < tagger.score(X_test, y_test)


def alone_posteriors(model, x):
    return [own[0] for own in model.posteriors([row[np.newaxis] for row in x])]


def test_a_chain_learns_what_follows_what_where_frames_say_nothing():
    y = ["abcabcabcabc"[: len(x)] for x in RAGGED] * 4
    frames = [np.zeros((len(x), 1)) for x in RAGGED] * 4
    params = {"crf": True, "learning_rate": 0.1, "epochs": 40, "bidirectional": False}
    tagger = TAGGER.make(**params, units=2).fit(frames, y)
    follow = tagger.transitions_.argmax(axis=1)
    assert follow.tolist() == [1, 2, 0]


def test_what_has_learnt_nothing_says_so():
    y = [own[::-1] for own in Y]
    with pytest.warns(
        ConvergenceWarning, match="giving all frames the same label|all f"
    ):
        TAGGER.make(epochs=1, learning_rate=1e-9).fit(X, y)


# -- forms of labels -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("".join, str),
        (list, list),
        (tuple, tuple),
        (lambda own: np.array(own), np.ndarray),
        (lambda own: np.array([ord(k) for k in own], dtype=np.uint8), np.ndarray),
        (lambda own: [k == "a" for k in own], list),
    ],
)
def test_labels_come_back_in_the_form_they_were_given(form, kind):
    y = [form(list(own)) for own in Y]
    tagger = TAGGER.tiny().fit(X, y)
    found = tagger.predict(X)
    assert {type(own) for own in found} == {kind}
    assert [len(own) for own in found] == [len(x) for x in X]
    if kind is np.ndarray:
        assert found[0].dtype == y[0].dtype
    assert tagger.score(X, found) == 1.0


def test_labels_that_fit_has_not_seen_are_errors(fitted):
    y = ["z" * len(x) for x in X]
    assert fitted.score(X, y) == 0.0
    with pytest.raises(ValueError, match="label 'z' at position 0"):
        fitted.score_samples(X, y)


def test_the_score_is_the_share_of_right_frames(fitted):
    pairs = zip("".join(fitted.predict(X)), "".join(Y), strict=True)
    assert fitted.score(X, Y) == np.mean([a == b for a, b in pairs])


def test_a_tagger_is_no_classifier_of_samples():
    assert not is_classifier(SequenceTagger())


# -- tokens ----------------------------------------------------------------------------


def test_tokens_in_any_container_are_read_alike(reader):
    expected = reader.predict_proba(TOKENS)
    for form in (tuple, np.array, pd.Series):
        found = reader.predict_proba([form(own) for own in TOKENS])
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_unknown_tokens_are_told_apart_by_their_characters(reader):
    known, alike, other = reader.predict_proba([["Bob"], ["Bobo"], ["ccc"]])
    assert not np.array_equal(alike, other)
    plain = TAGGER_TOKENS.rough(
        TAGGER_TOKENS.make(char_embedding_dim=None).fit(TOKENS, SPANS)
    )
    known, alike, other = plain.predict_proba([["Bob"], ["Bobo"], ["ccc"]])
    assert np.array_equal(alike, other)
    assert not np.array_equal(known, other)
    assert plain.character_vocabulary_ is None


def test_vocabularies_hold_what_is_frequent():
    X = [["the", "cat", "the"], ["a", "cat", "é"]]
    params = {"crf": False, "allowed_transitions": None, "min_frequency": 2}
    tagger = TAGGER_TOKENS.tiny(**params).fit(X, labels_of_frames(X))
    assert tagger.token_vocabulary_.tolist() == ["cat", "the"]
    assert tagger.character_vocabulary_.tolist() == sorted("thecaé")
    tagger.set_params(max_vocabulary=1, min_frequency=1).fit(X, labels_of_frames(X))
    assert tagger.token_vocabulary_.tolist() == ["cat"]


def test_integers_are_tokens_where_they_are_said_to_be():
    X = [[4, 7, 4], [7, 9]]
    params = {"crf": False, "allowed_transitions": None, "input": "tokens"}
    tagger = TAGGER_TOKENS.tiny(**params).fit(X, labels_of_frames(X))
    assert tagger.token_vocabulary_.tolist() == [4, 7, 9]
    assert not hasattr(tagger, "mean_")
    frames = TAGGER.tiny(input="auto").fit(X, labels_of_frames(X))
    assert frames.token_vocabulary_ is None
    assert frames.n_features_in_ == 1


def test_predictions_obey_the_scheme(reader):
    for labels in reader.predict(TOKENS):
        before = "O"
        for label in labels:
            assert label != "I-x" or before in ("B-x", "I-x")
            before = label


def test_a_tagger_can_learn_frames_after_tokens():
    tagger = TAGGER_TOKENS.tiny(allowed_transitions=None).fit(TOKENS, SPANS)
    tagger.fit(X, Y)
    assert tagger.predict(X[:1])[0] in tagger.predict(X).tolist()
    assert tagger.token_vocabulary_ is None
    tagger.fit(TOKENS, SPANS)
    assert not hasattr(tagger, "n_features_in_")
    assert len(tagger.predict(TOKENS)) == len(TOKENS)


def test_a_very_long_token_is_read(reader):
    found = reader.predict_proba([["x" * 10**6, "Bob"], ["x" * 64, "Bob"]])
    np.testing.assert_array_equal(*found)


# -- bad input -------------------------------------------------------------------------


def test_numbers_of_labels_and_frames_must_agree(fitted):
    bad = [*Y[:3], Y[3][:-2], *Y[4:]]
    n = len(X[3])
    message = rf"y\[3\] has {n - 2} labels for {n} frames"
    for use in (TAGGER.tiny().fit, fitted.score_samples, fitted.score):
        with pytest.raises(ValueError, match=message):
            use(X, bad)
    with pytest.raises(ValueError, match=r"y\[0\] has 1 label for 2 tokens"):
        TAGGER_TOKENS.tiny().fit([["a", "b"]], [["O"]])


def test_one_label_per_sequence_is_for_a_classifier():
    with pytest.raises(ValueError, match="use SequenceClassifier"):
        TAGGER.tiny().fit(RAGGED, [0, 1, 0])


OUTSIDE = dict.fromkeys(["an", "Bob", "c"], "O")
TAGS = {**OUTSIDE, "Bob": "B-x"}


@pytest.mark.parametrize(
    ("params", "tags", "message"),
    [
        (
            {"allowed_transitions": "BIO"},
            {**TAGS, "an": "I-x"},
            r"y\[\d+\] has 'I-x' .*frame \d+, which the scheme BIO does not allow",
        ),
        (
            {"allowed_transitions": "BIO"},
            {**TAGS, "an": "x"},
            "labels must be 'O', 'B-",
        ),
        (
            {"crf": True, "class_weight": {"B-x": 2.0}},
            TAGS,
            "class_weight weighs frames one by one, but with crf=True",
        ),
        ({"front_end": "image"}, TAGS, "front_end='image' is for frames"),
        ({"conv_filters": 3}, TAGS, "conv_filters=3 is for frames"),
        ({"unlabelled": "O"}, OUTSIDE, "nothing but unlabelled='O'"),
        ({"min_frequency": 99}, TAGS, "No token of X occurs min_frequency=99 times"),
        (
            {"preprocess": [TokenDropout(0.5)]},
            TAGS,
            r"preprocess\[0\], TokenDropout, may change the number or order",
        ),
    ],
)
def test_what_cannot_be_learnt_from_tokens_is_named(params, tags, message):
    tagger = TAGGER_TOKENS.tiny(**{"crf": False, "allowed_transitions": None, **params})
    with pytest.raises(ValueError, match=message):
        tagger.fit(TOKENS, [[tags[token] for token in own] for own in TOKENS])


@pytest.mark.parametrize(
    ("params", "given", "message"),
    [
        ({"conv_strides": 2, "conv_filters": 3}, None, "would shorten time"),
        (
            {"preprocess": [TimeStretch()]},
            None,
            r"preprocess\[0\], TimeStretch, may change the number",
        ),
        (
            {"crf": True},
            [np.ones(len(x)) for x in RAGGED],
            "one weight per frame, but with crf=True",
        ),
        (
            {},
            [np.ones(len(x) - (i == 1)) for i, x in enumerate(RAGGED)],
            r"sample_weight\[1\] has 4 weights for 5 frames",
        ),
        ({}, [np.ones(4), np.ones(5)], "sample_weight has 2 entries for 3 samples"),
        (
            {},
            [np.ones(4), [1, 1, -1, 1, 1], np.ones(2)],
            r"sample_weight\[1\]\[2\] is -1",
        ),
        ({}, [np.zeros(4), np.zeros(5), np.zeros(2)], "at least one non-zero"),
        ({}, [np.ones(4), [1e308] * 5, np.ones(2)], "sum of sample_weight is too l"),
        ({}, [np.ones(4), ["x"] * 5, np.ones(2)], r"sample_weight\[1\] must hold"),
        ({"class_weight": {"a": 0, "b": 0}}, None, "gives all samples the weight 0"),
        (
            {"allowed_transitions": lambda before, after: before != "a"},
            None,
            r"y\[0\]|stand nowhere|no sequence",
        ),
    ],
)
def test_what_cannot_be_learnt_from_frames_is_named(params, given, message):
    with pytest.raises(ValueError, match=message):
        TAGGER.tiny(**params).fit(RAGGED, RAGGED_Y, sample_weight=given)


def test_an_unknown_class_of_class_weight_is_warned_of():
    with pytest.warns(UserWarning, match="class_weight has the key 'z'"):
        TAGGER.tiny(class_weight={"z": 2.0}).fit(RAGGED, RAGGED_Y)


def test_tokens_and_frames_are_not_taken_for_each_other(reader):
    fitted = TAGGER.make(input="auto").fit(X, Y)
    with pytest.raises(ValueError, match=r"'Bob'.*was fitted on frames"):
        fitted.predict([["Bob", "c"]])
    for frames in ([np.ones((3, 2))], [[[1.0, 2.0]]], [[0.5, 1.5]]):
        with pytest.raises(ValueError, match=r"X holds frames, but .* fitted on"):
            reader.predict(frames)
    with pytest.raises(TypeError, match="of the type that training saw"):
        reader.predict([[1, 2]])
    with pytest.raises(ValueError, match=r"X\[0\] is text \('Bob c'\)"):
        reader.predict(["Bob c"])
    with pytest.raises(TypeError, match=r"X\[1\] is a raw string .*X\[1\]\.split\(\)"):
        reader.predict([["Bob"], "Bob c"])


def test_later_labels_must_be_among_those_of_the_first_call():
    tagger = TAGGER.tiny().partial_fit(RAGGED, RAGGED_Y, classes=["a", "b", "c"])
    assert tagger.predict_proba(RAGGED)[0].shape == (4, 3)
    with pytest.raises(ValueError, match="label 'd' at position 0"):
        tagger.partial_fit(RAGGED, [["d"] * len(x) for x in RAGGED])


def test_preprocessing_may_change_the_number_of_frames():
    X = [np.random.default_rng(i).normal(size=1600 + 400 * i) for i in range(3)]
    steps = [LogMel(8000)]
    lengths = [len(LogMel(8000).fit_transform([x])[0]) for x in X]
    y = [(["a", "b"] * n)[:n] for n in lengths]
    tagger = TAGGER.tiny(preprocess=steps).fit(X, y)
    assert [len(own) for own in tagger.predict(X)] == lengths
    noisy = TAGGER.tiny(preprocess=[GaussianNoise(0.1)]).fit(RAGGED, RAGGED_Y)
    assert len(noisy.predict(RAGGED)[0]) == 4


# -- streams ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [{}, {"crf": True}, {"allowed_transitions": not_b_after_a}],
    ids=["free", "crf", "constrained"],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_stream_ends_as_the_prediction_however_it_is_cut(params, size):
    is_crf = "crf" in params
    tagger = TAGGER.make(bidirectional=False, conv_filters=3, crf=is_crf).fit(X, Y)
    tagger = TAGGER.rough(tagger).set_params(**params)
    for x, expected in zip(X, tagger.predict(X), strict=True):
        with tagger.stream() as stream:
            parts, n_settled = "", 0
            for start in range(0, len(x), size):
                partial = stream.push(x[start : start + size])
                parts += partial.stable
                n_settled += len(partial.stable)
                assert partial.span[1] == n_settled
                end = tagger.predict([x[: start + size]])[0]
                assert parts + partial.unstable == end
            assert parts + stream.finish() == expected


def test_labels_of_a_chain_are_settled_before_the_end():
    rng = np.random.default_rng(0)
    tagger = TAGGER.make(bidirectional=False, crf=True).fit(X, Y)
    with tagger.stream() as stream:
        settled = stream.push(rng.normal(size=(200, 3))).stable
    assert 150 < len(settled) <= 200


def test_what_cannot_be_streamed_is_told(fitted, reader):
    with pytest.raises(ValueError, match="bidirectional=False"):
        fitted.stream()
    with pytest.raises(ValueError, match="was fitted on tokens"):
        reader.stream()


# -- keeping ---------------------------------------------------------------------------


def test_a_function_of_transitions_cannot_be_saved(tmp_path):
    tagger = TAGGER.tiny(allowed_transitions=not_b_after_a)
    y = [["c", "b", "a", "c", "a"][: len(x)] for x in RAGGED]
    with pytest.raises(TypeError, match="allowed_transitions"):
        tagger.fit(RAGGED, y).save(tmp_path / "tagger.skseq")


def test_a_file_of_tokens_gives_the_same_predictions(reader, tmp_path):
    reader.save(tmp_path / "tagger.skseq")
    loaded = skseq.load(tmp_path / "tagger.skseq")
    X = [*TOKENS, ["unknown", "Böb"]]
    for one, other in zip(
        loaded.predict_proba(X), reader.predict_proba(X), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_reads", "pictures"),
        ("_reads", "frames"),
        ("token_vocabulary_", None),
        ("token_vocabulary_", np.array(["a"], dtype=object)),
        ("character_vocabulary_", None),
        ("character_vocabulary_", np.array([1, 2])),
        ("mean_", np.zeros(3)),
        ("classes_", np.array(["a"])),
        ("_label_form", "str"),
    ],
)
def test_a_state_that_no_fit_leaves_is_refused(reader, name, value):
    broken = TAGGER_TOKENS.rough(reader)
    broken._check_restored()
    setattr(broken, name, value)
    with pytest.raises(ValueError, match=r"\bits?\b|of a vocabulary"):
        broken._check_restored()


def test_transitions_that_are_not_allowed_have_minus_infinity():
    tagger = TAGGER.tiny(
        crf=True, allowed_transitions=lambda a, b: (a, b) != ("a", "a")
    )
    y = [["ab"[i % 2] for i in range(len(x))] for x in X]
    found = TAGGER.rough(tagger.fit(X, y)).transitions_
    np.testing.assert_array_equal(np.isneginf(found), [[True, False], [False, False]])
    tagger = TAGGER_TOKENS.tiny().fit(TOKENS, SPANS)
    classes = tagger.classes_.tolist()
    for i, j in itertools.product(range(len(classes)), repeat=2):
        is_end = classes[j].startswith("I")
        continues = classes[i][0] in "BI" and classes[i][1:] == classes[j][1:]
        is_allowed = not is_end or continues
        assert np.isfinite(tagger.transitions_[i, j]) == is_allowed


def test_the_mark_among_classes_is_left_out():
    X, y = RAGGED, [np.arange(len(x)) % 2 - 1 for x in RAGGED]  # -1 and 0
    tagger = TAGGER.tiny(unlabelled=-1)
    for _ in range(2):
        tagger.partial_fit(X, y, classes=[-1, 0, 1])
    assert tagger.classes_.tolist() == [0, 1]


def test_a_mark_of_another_type_than_the_labels_is_refused_by_all_who_read_labels():
    y = [np.arange(len(x)) % 2 for x in RAGGED]
    tagger = TAGGER.tiny().fit(RAGGED, y)
    tagger.set_params(unlabelled="-1")
    for use in (tagger.fit, tagger.partial_fit, tagger.score, tagger.score_samples):
        with pytest.raises(ValueError, match=r"'-1' is of type str, .* of type int"):
            use(RAGGED, y)


def answered(asked, label):
    def allowed(before, after):
        asked.append((before, after))
        return (before, after) != (label, label)

    return allowed


@pytest.mark.parametrize("crf", [False, True])
def test_each_use_asks_once_what_is_allowed(crf):
    asked = []
    y = [np.arange(len(x)) % 2 for x in X]
    params = {"crf": crf, "allowed_transitions": answered(asked, 0)}
    tagger = TAGGER.tiny(**params, bidirectional=False)
    uses = {
        "fit": lambda: tagger.fit(X, y),
        "partial_fit": lambda: tagger.partial_fit(X, y),
        "predict": lambda: tagger.predict(X),
        "predict_proba": lambda: tagger.predict_proba(X),
        "predict_n_best": lambda: tagger.predict_n_best(X),
        "score": lambda: tagger.score(X, y),
        "score_samples": lambda: tagger.score_samples(X),
        "score_samples of labels": lambda: tagger.score_samples(X, y),
        "stream": lambda: tagger.stream().push(X[0]),
    }
    if crf:
        uses["transitions_"] = lambda: tagger.transitions_
    for name, use in uses.items():
        asked.clear()
        use()
        assert len(asked) == len(set(asked)), name
    assert len(asked) == 8


def test_another_callable_is_asked_at_the_next_use():
    y = [np.arange(len(x)) % 2 for x in X]
    tagger = TAGGER.rough(TAGGER.tiny().fit(X, y))
    for label in (0, 1):
        tagger.set_params(allowed_transitions=answered([], label))
        for own in tagger.predict(X):
            pairs = set(itertools.pairwise(own.tolist()))
            assert (label, label) not in pairs


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (["a", None], r"X\[0\]\[1\] must be a string or integer token, got NoneType"),
        ([None, "a"], r"X\[0\]\[0\] must be a string or integer token, got NoneType"),
        ([None, None], r"X\[0\]\[0\] must be .* token, got NoneType"),
        (["a", float("nan")], r"X\[0\]\[1\] must be .* token, got float"),
        (["a", 7], r"X mixes token types: str \(X\[0\]\[0\]\) and int"),
        ([7, "a"], "X mixes token types"),
        ([b"a", b"b"], r"X\[0\]\[0\] is bytes; decode it to str first"),
        (np.array([b"a", b"b"]), r"X\[0\]\[0\] is bytes; decode it to str first"),
        (np.array(["a", None], dtype=object), r"X\[0\]\[1\] must be .* token"),
        (["a", ["b"]], r"X\[0\]\[1\] must be .* token, got list"),
        (["a", ""], r"X\[0\]\[1\] is an empty token.*and its label in y"),
    ],
)
def test_what_is_no_token_is_named_in_the_first_sequence_too(first, message):
    tagger = SequenceTagger(units=2, epochs=1)
    with pytest.raises((TypeError, ValueError), match=message):
        tagger.fit([first, ["b", "c"]], [["x", "y"], ["y", "x"]])


def test_arrays_of_strings_of_other_libraries_are_tokens():
    reason = 'needs pyarrow: pip install "skseq[citizens]"'
    pa = pytest.importorskip("pyarrow", reason=reason)
    rows, y = [["a", "b"], ["b", "c"]], [[0, 1], [1, 0]]
    tagger = SequenceTagger(units=2, epochs=1, random_state=0).fit(rows, y)
    for make in (pa.array, lambda own: pa.chunked_array([own])):
        X = list(map(make, rows))
        other = SequenceTagger(units=2, epochs=1, random_state=0).fit(X, y)
        assert other.token_vocabulary_.tolist() == ["a", "b", "c"]
        assert list(tagger.predict(X)) == list(tagger.predict(rows))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            GaussianNoise(0.1),
            "SequenceTagger takes TokenDropout with a replacement",
        ),
        (TokenDropout(0.5), "or TokenDropout with a replacement for tokens"),
    ],
)
def test_augmenters_of_no_use_to_a_tagger_of_tokens_name_what_is(step, message):
    with pytest.raises(ValueError, match=message):
        TAGGER_TOKENS.tiny(preprocess=[step]).fit(TOKENS, SPANS)


def test_dropped_tokens_that_leave_their_places_are_taken():
    steps = [TokenDropout(0.5, replacement="_")]
    tagger = TAGGER_TOKENS.tiny(preprocess=steps).fit(TOKENS, SPANS)
    assert list(map(len, tagger.predict(TOKENS))) == list(map(len, TOKENS))


def test_an_augmenter_that_replaces_tokens_is_taken():
    @augmenter(changes_frames=False)
    def hide(tokens, rng):
        return ["?" if rng.random() < 0.5 else token for token in tokens]

    tagger = TAGGER_TOKENS.tiny(preprocess=[hide]).fit(TOKENS, SPANS)
    assert "?" not in tagger.token_vocabulary_


MISSING_LABELS = {
    "None": [["x", None], ["x"]],
    "NaN": [[0, float("nan")], [1]],
    "NaN in an array": [np.array([0, np.nan]), np.array([1.0])],
    "NA": [["x", pd.NA], ["x"]],
    "a Series of Series": pd.Series([pd.Series([1, None], dtype="Int64"), [1]]),
}


@pytest.mark.parametrize("y", MISSING_LABELS.values(), ids=MISSING_LABELS)
def test_labels_that_are_missing_are_told_of_marks(y):
    message = r"y\[0\]\[1\] is missing .*unlabelled=-1, or unlabelled='\?'"
    with pytest.raises(ValueError, match=message):
        TAGGER.tiny().fit([np.ones((2, 3)), np.ones((1, 3))], y)
