"""What is the translator's own: tokens, search, probabilities, attention, training."""

import copy
import itertools
import pickle
import warnings
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

import skseq
from skseq import RankedOutput, Seq2SeqTranslator
from skseq.datasets import make_symbol_sequences
from skseq.metrics import sequence_accuracy, token_error_rate_scorer
from tests.estimators import TINY, TRANSLATOR
from tests.toy import reversals, roughened

LETTERS, REVERSED = reversals(12)
X, Y = [" ".join(x) for x in LETTERS], [" ".join(y) for y in REVERSED]
N_TOKENS = sum(map(len, REVERSED)) + 12  # to predict, the ends among them
BATCHES = 3

make = partial(
    TRANSLATOR.make, **TINY, source_tokenizer="auto", target_tokenizer="auto"
)


def untrained(**params):
    """Fitted, with the weights that training starts from."""
    return make(learning_rate=1e-30, **params)


def acquainted(translator, X, y):
    """A translator that has looked at X and y, and not trained yet."""
    translator._check_data(X, y, None, reset=True)
    return translator


def inclined(translator, **biases):
    """A copy whose logits of some tokens, "unknown" and "end" are raised."""
    names = [*translator.target_vocabulary_, "unknown", "end"]
    copied = copy.deepcopy(translator)
    for name, bias in biases.items():
        copied._weights[-1][names.index(name)] += bias
    return copied


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X, Y)


@pytest.fixture(scope="module")
def rough(fitted):
    """With random weights, and so that outputs end after one to four tokens."""
    return inclined(roughened(fitted, scale=1), end=1)


NETWORKS = {
    "additive": {},
    "dot": {"attention": "dot", "cell": "gru", "units": (3, 2)},
    "none": {"attention": None, "bidirectional": False},
    "fed": {"input_feeding": True, "units": (3, 2)},
}


# The networks by themselves are tried in `test_network`.
SLOW = {name: () if name == "additive" else pytest.mark.slow for name in NETWORKS}


@pytest.fixture(
    scope="module", params=[pytest.param(n, marks=SLOW[n]) for n in NETWORKS]
)
def any_rough(request):
    fitted = make(**NETWORKS[request.param]).fit(X, Y)
    return inclined(roughened(fitted, scale=1), end=1)


def says(network, text, output):
    """Log-probabilities and attention along one pair, by the network in training.

    The known tokens are a, b and c, so an unknown one is number 3, and the end 4.
    """
    ids = dict(zip("abc", range(3), strict=True))
    source, target = (
        [ids.get(token, 3) for token in tokens.split()] for tokens in (text, output)
    )
    target = [4, *target]
    rows = [source, len(source), target, len(target)]
    logits, attention = network([np.array([row], dtype="int32") for row in rows])
    return log_softmax(logits.numpy(), axis=1), attention.numpy()[0]


def test_its_tags_tell_of_texts_and_of_a_target_that_is_not_a_class():
    tags = get_tags(make())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.target_tags.required
    assert not is_classifier(make())
    assert not is_regressor(make())


# -- tokens in, tokens out -----------------------------------------------------------

NUMBERS = {"a": -5, "b": 0, "c": 7}


def numbers(letters):
    return [NUMBERS[letter] for letter in letters]


FORMS = {
    "text": (" ".join, "word"),
    "characters": ("".join, "char"),
    "list": (list, "word"),
    "tuple": (tuple, None),
    "array of str": (np.array, None),
    "array of objects": (lambda x: np.array(x, dtype=object), "char"),
    "list of int": (numbers, None),
    "tuple of int": (lambda x: tuple(numbers(x)), None),
    "array of int16": (lambda x: np.array(numbers(x), dtype="int16"), None),
}


def assert_of_one_form(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype.kind == expected.dtype.kind
        assert found.dtype.kind == "U" or found.dtype == expected.dtype
    else:
        assert {type(token) for token in found} == {type(token) for token in expected}


@pytest.mark.parametrize("form", FORMS)
def test_outputs_have_the_form_of_the_targets(fitted, rough, form):
    as_form, tokenizer = FORMS[form]
    expected = [as_form(text.split()) for text in rough.predict(X)]
    ranked = [[h.output.split() for h in found] for found in rough.predict_n_best(X, 2)]
    tokenizers = {"source_tokenizer": tokenizer, "target_tokenizer": tokenizer}
    X_so, y_so = list(map(as_form, LETTERS)), list(map(as_form, REVERSED))
    translator = make(**tokenizers).fit(X_so, y_so)
    for weights, others in zip(translator._weights, fitted._weights, strict=True):
        np.testing.assert_array_equal(weights, others)
    translator._weights = rough._weights
    outputs = translator.predict(X_so)
    assert outputs.dtype == object
    assert outputs.shape == (12,)
    for found, own in zip(outputs, expected, strict=True):
        assert_of_one_form(found, own)
        np.testing.assert_array_equal(found, own)
    for hypotheses, own in zip(translator.predict_n_best(X_so, 2), ranked, strict=True):
        assert all(isinstance(hypothesis, RankedOutput) for hypothesis in hypotheses)
        for hypothesis, letters in zip(hypotheses, own, strict=True):
            assert_of_one_form(hypothesis.output, as_form(letters))
            np.testing.assert_array_equal(hypothesis.output, as_form(letters))


def test_sources_and_targets_may_differ_in_form(fitted, rough):
    translator = make(target_tokenizer=None).fit(X, [np.array(y) for y in REVERSED])
    translator._weights = rough._weights
    for found, text in zip(translator.predict(X), rough.predict(X), strict=True):
        assert found.tolist() == text.split()


def test_a_text_and_the_list_of_its_tokens_are_the_same_source(rough):
    assert rough.predict(LETTERS).tolist() == rough.predict(X).tolist()
    by_tokens = rough.score_samples(LETTERS, REVERSED)
    np.testing.assert_array_equal(by_tokens, rough.score_samples(X, Y))


def test_equally_long_results_stay_one_cell_a_sample(rough):
    same = [X[0]] * 3
    listing = make(target_tokenizer=None).fit(X, REVERSED)
    for results in (
        rough.predict(same),
        rough.predict_proba(same),
        rough.predict_n_best(same, 1),
        rough.predict_attention(same),
        listing.predict(same),
    ):
        assert results.dtype == object
        assert results.shape == (3,)


class Hyphens:
    """Cuts at hyphens and knows the way back."""

    def __call__(self, text):
        return text.split("-")

    def detokenize(self, tokens):
        return "-".join(tokens)


WORDS = ["night", "light", "right", "sight", "might", "fight", "tight", "eight"]
SOUNDS = ["NAIT", "LAIT", "RAIT", "SAIT", "MAIT", "FAIT", "TAIT", "EIT"]


def test_auto_takes_characters_where_white_space_is_rare():
    translator = make().fit(WORDS, SOUNDS)
    assert (translator.source_tokenizer_, translator.target_tokenizer_) == ("char",) * 2
    assert translator.target_vocabulary_.tolist() == sorted(set("".join(SOUNDS)))
    given = make(source_tokenizer="char", target_tokenizer="char").fit(WORDS, SOUNDS)
    assert translator.predict(WORDS).tolist() == given.predict(WORDS).tolist()
    np.testing.assert_array_equal(
        translator.score_samples(WORDS, SOUNDS), given.score_samples(WORDS, SOUNDS)
    )


def test_auto_takes_words_elsewhere_and_changes_nothing_there(fitted):
    given = make(source_tokenizer="word", target_tokenizer="word").fit(X, Y)
    for translator in (fitted, given):
        assert translator.source_tokenizer_ == translator.target_tokenizer_ == "word"
    for own, other in zip(fitted._weights, given._weights, strict=True):
        np.testing.assert_array_equal(own, other)
    assert make().fit(LETTERS, REVERSED).target_tokenizer_ == "word"  # token lists


def test_auto_looks_at_either_side_alone_and_only_in_the_first_fit():
    translator = make(warm_start=True).fit(X[:8], WORDS)
    assert (translator.source_tokenizer_, translator.target_tokenizer_) == (
        "word",
        "char",
    )
    translator.fit(WORDS, X[:8])
    assert translator.source_tokenizer_ == "word"
    assert translator.target_tokenizer_ == "char"
    translator.set_params(source_tokenizer="char")  # a later choice holds
    np.testing.assert_array_equal(
        translator.score_samples(["a b"], ["n"]),
        translator.set_params(source_tokenizer=list).score_samples(["a b"], ["n"]),
    )


def test_what_auto_picked_is_saved(tmp_path):
    translator = make().fit(WORDS, SOUNDS)
    translator.save(tmp_path / "translator")
    restored = skseq.load(tmp_path / "translator")
    assert restored.target_tokenizer == "auto"
    assert restored.target_tokenizer_ == "char"
    assert restored.predict(WORDS).tolist() == translator.predict(WORDS).tolist()


def test_targets_that_are_one_token_each_seen_once_are_warned_of():
    told = r"target_tokenizer='word' leaves 8 of 8 .*Set target_tokenizer=\"char\""
    with pytest.warns(ConvergenceWarning, match=told):
        make(target_tokenizer="word").fit(X[:8], SOUNDS)
    told = r"source_tokenizer='word' leaves 8 of 8 sources .*Set source_tokenizer"
    with pytest.warns(ConvergenceWarning, match=told):
        acquainted(make(source_tokenizer="word"), SOUNDS, X[:8])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        acquainted(make(target_tokenizer="word"), X[:8], ["yes", "no"] * 4)
        acquainted(make(target_tokenizer="word"), X[:3], SOUNDS[:3])
        acquainted(make(target_tokenizer="char"), X[:8], list("abcdefgh"))


def test_a_tokenizer_of_the_users_own_goes_both_ways(rough):
    tokenizers = {"source_tokenizer": Hyphens(), "target_tokenizer": Hyphens()}
    translator = make(**tokenizers).fit(
        ["-".join(x) for x in LETTERS], ["-".join(y) for y in REVERSED]
    )
    translator._weights = rough._weights
    found = translator.predict(["-".join(x) for x in LETTERS])
    assert found.tolist() == [text.replace(" ", "-") for text in rough.predict(X)]


def test_names_of_special_tokens_are_words_like_any_other(rough):
    names = {"a": "<eos>", "b": "<pad>", "c": "<unk>"}
    named = [[names[letter] for letter in letters] for letters in LETTERS]
    translator = make().fit(named, [tokens[::-1] for tokens in named])
    translator._weights = rough._weights
    expected = [[names[letter] for letter in text.split()] for text in rough.predict(X)]
    assert translator.predict(named).tolist() == expected


def test_a_sequence_of_spaces_is_translated_character_by_character():
    tokenizers = {"source_tokenizer": "char", "target_tokenizer": "char"}
    spaced = make(**tokenizers).fit(["a ", " b"], [" a", "b "])
    translator = inclined(spaced, end=-99)
    assert {len(text) for text in translator.predict(["  ", "a"])} == {2}


# -- tokens that are not known -------------------------------------------------------


def test_all_unknown_tokens_are_one(rough):
    found = rough.predict(["a fish c", "a bird c", "fish", "<unk>"])
    assert found[0] == found[1]
    assert found[2] == found[3]
    proba = rough.predict_proba(["a fish c", "a bird c"], ["a dog", "a cat"])
    np.testing.assert_array_equal(proba[0], proba[1])


def test_an_unknown_target_has_the_probability_of_the_unknown(rough):
    log_probs, _ = says(rough.model_, X[0], "fish a")
    expected = log_probs[[0, 1, 2], [3, 0, 4]].sum()
    assert rough.score_samples(X[:1], ["fish a"])[0] == pytest.approx(
        expected, abs=1e-5
    )
    proba = rough.predict_proba(X[:1], ["fish a"])[0]
    np.testing.assert_allclose(np.log(proba), log_probs[:2], atol=1e-5)


def test_outputs_never_hold_the_unknown(rough):
    outputs = inclined(rough, unknown=50).predict(X)
    assert set(" ".join(outputs).split()) <= {"a", "b", "c"}


def test_vocabularies_are_the_sorted_tokens(fitted):
    assert fitted.source_vocabulary_.tolist() == ["a", "b", "c"]
    other = make(target_tokenizer=None).fit(["b a", "c b"], [[3], [-1, 3, 0]])
    assert other.source_vocabulary_.tolist() == ["a", "b", "c"]
    assert other.target_vocabulary_.tolist() == [-1, 0, 3]


@pytest.mark.parametrize(
    ("limits", "known"),
    [
        ({"min_frequency": 2}, ["a", "b", "d"]),
        ({"min_frequency": 3}, ["d"]),
        ({"max_vocabulary": 2}, ["a", "d"]),
        ({"max_vocabulary": 3, "min_frequency": 2}, ["a", "b", "d"]),
        ({"max_vocabulary": 1}, ["d"]),
        ({"max_vocabulary": 99}, ["a", "b", "c", "d"]),
    ],
)
def test_rare_tokens_are_unknown_on_either_side(limits, known):
    texts = ["d d a b", "d c", "b a"]
    translator = acquainted(make(**limits), texts, texts)
    assert translator.source_vocabulary_.tolist() == known
    assert translator.target_vocabulary_.tolist() == known


def test_which_rare_token_it_was_makes_no_difference():
    first = make(min_frequency=2).fit(["a b q", *X], ["r", *Y])
    second = make(min_frequency=2).fit(["a b x", *X], ["y", *Y])
    for weights, others in zip(first._weights, second._weights, strict=True):
        np.testing.assert_array_equal(weights, others)


def test_the_unknown_says_nothing_until_training_holds_some(fitted):
    assert not fitted._weights[0][3].any()
    seen = make(min_frequency=2).fit(["a b q", *X], ["a", *Y])
    assert seen._weights[0].shape == fitted._weights[0].shape
    assert seen._weights[0][3].any()


def test_the_first_fit_settles_the_vocabularies(fitted):
    later = copy.deepcopy(fitted).partial_fit(["fish a"], ["a fish"])
    later.set_params(warm_start=True).fit(["bird a"], ["bird"])
    assert later.source_vocabulary_.tolist() == ["a", "b", "c"]
    assert later.target_vocabulary_.tolist() == ["a", "b", "c"]


# -- probabilities -------------------------------------------------------------------


def test_probabilities_are_those_of_the_network_in_training(any_rough):
    network = any_rough.model_
    proba = any_rough.predict_proba(X, Y)
    scores = any_rough.score_samples(X, Y)
    for i, (text, output) in enumerate(zip(X, Y, strict=True)):
        log_probs, _ = says(network, text, output)
        ids = ["abc".index(token) for token in output.split()]
        expected = log_probs[np.arange(len(ids) + 1), [*ids, 4]].sum()
        assert scores[i] == pytest.approx(expected, abs=1e-5)
        assert proba[i].shape == (len(ids), 5)
        np.testing.assert_allclose(proba[i], np.exp(log_probs[:-1]), atol=1e-5)
        np.testing.assert_allclose(proba[i].sum(axis=1), 1, atol=1e-6)


def test_without_targets_probabilities_go_along_what_is_predicted(any_rough):
    outputs = any_rough.predict(X)
    for use in (any_rough.predict_proba, any_rough.score_samples):
        for found, expected in zip(use(X), use(X, outputs), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6)
    proba = any_rough.predict_proba(X)
    assert [len(p) for p in proba] == [len(text.split()) for text in outputs]


def test_ranked_outputs_have_the_probability_of_the_network_in_training(any_rough):
    n_best = any_rough.predict_n_best(X, 3)
    for text, hypotheses in zip(X, n_best, strict=True):
        outputs = [hypothesis.output for hypothesis in hypotheses]
        found = [hypothesis.log_probability for hypothesis in hypotheses]
        expected = any_rough.score_samples([text] * len(outputs), outputs)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found == sorted(found, reverse=True)
        assert found == [hypothesis.score for hypothesis in hypotheses]
        assert len(set(outputs)) == len(outputs) == 3


def all_outputs(longest):
    tokens = [itertools.product("abc", repeat=n) for n in range(1, longest + 1)]
    return list(map(" ".join, itertools.chain.from_iterable(tokens)))


PENALTIES = {"none": (0, 0), "length": (1.5, 0), "coverage": (0, 2), "both": (0.7, 0.5)}


@pytest.mark.parametrize(
    "penalties",
    [
        pytest.param(n, marks=() if n in {"none", "both"} else pytest.mark.slow)
        for n in PENALTIES
    ],
)
def test_a_wide_beam_ranks_all_outputs_that_there_are(rough, penalties):
    length_penalty, coverage_penalty = PENALTIES[penalties]
    outputs = all_outputs(2)
    translator = copy.deepcopy(rough).set_params(
        max_output_length=2,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
    )
    network = rough.model_
    some = X[:2]
    for text, hypotheses in zip(some, translator.predict_n_best(some, 20), strict=True):
        log_probs = rough.score_samples([text] * len(outputs), outputs)
        scores = {}
        for output, log_prob in zip(outputs, log_probs, strict=True):
            received = says(network, text, output)[1].sum(axis=0)
            norm = ((5 + len(output.split()) + 1) / 6) ** length_penalty
            covered = np.log(np.minimum(received, 1)).sum()
            scores[output] = log_prob / norm + coverage_penalty * covered
        found = {hypothesis.output: hypothesis.score for hypothesis in hypotheses}
        assert found == pytest.approx(scores, abs=1e-4)
        assert list(found.values()) == sorted(found.values(), reverse=True)


# -- decoding ------------------------------------------------------------------------


def greedy(network, text, shortest, longest):
    """The likeliest token after what was said so far, one call of the network each."""
    tokens = []
    while len(tokens) < longest:
        log_probs = says(network, text, " ".join(tokens))[0][-1]
        log_probs[3] = -np.inf
        if len(tokens) < shortest:
            log_probs[4] = -np.inf
        best = int(np.argmax(log_probs))
        if best == 4:
            break
        tokens.append("abc"[best])
    return " ".join(tokens)


@pytest.mark.parametrize(("shortest", "longest"), [(1, None), (3, None), (0, 2)])
def test_greedy_decoding_takes_the_likeliest_token_at_each_step(
    any_rough, shortest, longest
):
    translator = copy.deepcopy(any_rough)
    translator.set_params(min_output_length=shortest, max_output_length=longest)
    network, some = any_rough.model_, X[:4]
    expected = [greedy(network, x, shortest, longest or 4) for x in some]
    assert translator.predict(some).tolist() == expected


def test_a_beam_of_one_is_greedy(rough):
    narrow = copy.deepcopy(rough).set_params(decoder="beam", beam_width=1)
    assert narrow.predict(X).tolist() == rough.predict(X).tolist()


def test_predict_by_beam_gives_the_best_of_the_ranked(rough):
    beam = copy.deepcopy(rough).set_params(decoder="beam", beam_width=4)
    expected = [hypotheses[0].output for hypotheses in beam.predict_n_best(X, 1)]
    assert beam.predict(X).tolist() == expected


@pytest.mark.parametrize("n", [1, 2, np.int64(7)])
def test_there_are_at_most_as_many_ranked_outputs_as_asked_for(rough, n):
    assert {len(hypotheses) for hypotheses in rough.predict_n_best(X, n)} == {n}


def lengths(outputs):
    return [len(output.split()) for output in outputs]


def test_outputs_end_at_the_longest_target_or_longer_for_longer_sources(rough):
    endless = inclined(rough, end=-99)
    sources = ["a", "a b c a", " ".join("abcab"), " ".join("ab" * 6)]
    assert lengths(endless.predict(sources)) == [4, 4, 5, 12]
    endless.set_params(decoder="beam")
    assert lengths(endless.predict(sources)) == [4, 4, 5, 12]


@pytest.mark.parametrize("decoder", ["greedy", "beam"])
def test_limits_of_length_are_kept(rough, decoder):
    endless = inclined(rough, end=-99).set_params(decoder=decoder)
    assert set(lengths(endless.set_params(max_output_length=7).predict(X))) == {7}
    brief = inclined(rough, end=99).set_params(decoder=decoder)
    for shortest in (0, 1, 3):
        brief.set_params(min_output_length=shortest)
        assert set(lengths(brief.predict(X))) == {shortest}


def test_an_output_may_be_empty(rough):
    mute = inclined(rough, end=99).set_params(min_output_length=0)
    assert mute.predict(X[:2]).tolist() == ["", ""]
    assert [p.shape for p in mute.predict_proba(X[:2])] == [(0, 5), (0, 5)]
    assert [a.shape for a in mute.predict_attention(X[:1])] == [(0, len(LETTERS[0]))]
    np.testing.assert_allclose(mute.score_samples(X[:2]), 0, atol=1e-5)
    assert mute.score(X, Y) == 0


@pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("decoder", ["greedy", "beam"])
def test_no_run_of_tokens_is_said_twice(rough, decoder, n):
    limits = {"min_output_length": 3, "max_output_length": 9 if n > 1 else 3}
    stutterer = inclined(rough, a=3, end=-9).set_params(decoder=decoder, **limits)
    for may_repeat in (True, False):
        stutterer.set_params(no_repeat_ngram=0 if may_repeat else n)
        repeats = False
        for output in stutterer.predict(X):
            tokens = output.split()
            runs = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
            repeats |= len(set(runs)) < len(runs)
        assert repeats == may_repeat


@pytest.mark.parametrize(
    "params",
    [{"beam_width": 10**9}, {"max_output_length": 2**31 - 1, "beam_width": 1000}],
)
def test_a_beam_that_no_machine_holds_is_refused_before_it_is_made(rough, params):
    translator = copy.deepcopy(rough).set_params(**params)
    with pytest.raises(ValueError, match=r"Beams of 1,000.* GiB, .* Lower beam_width"):
        translator.predict_n_best(X[:1], 1)
    with pytest.raises(ValueError, match="or the n of predict_n_best"):
        rough.predict_n_best(X[:1], 10**12)


def test_an_output_that_must_repeat_itself_is_refused(rough):
    limits = {"min_output_length": 4, "no_repeat_ngram": 1}
    translator = copy.deepcopy(rough).set_params(**limits)
    for use in (
        translator.predict,
        translator.predict_proba,
        translator.predict_attention,
    ):
        with pytest.raises(ValueError, match="No output has min_output_length tokens"):
            use(X)
    with pytest.raises(ValueError, match="or set no_repeat_ngram=0"):
        translator.predict_n_best(X)
    with pytest.raises(ValueError, match="Lower min_output_length"):
        make(scoring="score", **limits).fit(X, Y, X_val=X, y_val=Y)


DECODING = {
    "decoder": ("beam", "viterbi"),
    "beam_width": (2, 0),
    "length_penalty": (3.0, -1),
    "coverage_penalty": (5.0, np.nan),
    "no_repeat_ngram": (1, -1),
    "min_output_length": (3, 1.5),
    "max_output_length": (2, 0),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n == "no_repeat_ngram" else ())
        for n in DECODING
    ],
)
def test_decoding_parameters_are_read_and_checked_at_each_prediction(rough, name):
    good, bad = DECODING[name]
    changed = copy.deepcopy(rough).set_params(**{name: good})
    from_the_start = make(**{name: good}).fit(X, Y)
    from_the_start._weights = rough._weights
    assert changed.predict(X).tolist() == from_the_start.predict(X).tolist()
    n_best = changed.predict_n_best(X, 3)
    assert n_best.tolist() == from_the_start.predict_n_best(X, 3).tolist()
    changed.set_params(**{name: bad})
    uses = [changed.predict, changed.predict_proba, changed.score_samples]
    for use in (*uses, changed.predict_attention, changed.predict_n_best):
        with pytest.raises(ValueError, match=f"The '{name}' parameter"):
            use(X)
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        changed.score(X, Y)
    np.testing.assert_array_equal(
        changed.score_samples(X, Y), rough.score_samples(X, Y)
    )


def test_what_is_decoded_is_the_same_alone_under_every_penalty(rough):
    translator = inclined(rough, end=1).set_params(
        decoder="beam",
        length_penalty=1.0,
        coverage_penalty=0.5,
        no_repeat_ngram=3,
        batch_size=16,
    )
    together = translator.predict_n_best([*X, " ".join(X)], 3)
    for text, expected in zip(X, together[:-1], strict=True):
        for found, other in zip(
            translator.predict_n_best([text], 3)[0], expected, strict=True
        ):
            assert found.output == other.output
            assert found[1:] == pytest.approx(other[1:], abs=1e-5)


# -- attention -----------------------------------------------------------------------


def test_attention_is_that_of_the_network_in_training(any_rough):
    if any_rough.attention is None:
        with pytest.raises(ValueError, match=r'attention=None.*attention="additive"'):
            any_rough.predict_attention(X)
        return
    network = any_rough.model_
    attention = any_rough.predict_attention(X, Y)
    for i, (text, output) in enumerate(zip(X, Y, strict=True)):
        _, expected = says(network, text, output)
        assert attention[i].shape == (len(output.split()), len(text.split()))
        np.testing.assert_allclose(attention[i], expected[:-1], atol=1e-5)
        np.testing.assert_allclose(attention[i].sum(axis=1), 1, atol=1e-6)


def test_without_targets_attention_goes_along_what_is_predicted(rough):
    outputs = rough.predict(X)
    for found, expected in zip(
        rough.predict_attention(X), rough.predict_attention(X, outputs), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_the_estimator_was_fitted_with_decides_about_attention(rough):
    renamed = copy.deepcopy(rough).set_params(attention=None, coverage_penalty=0.5)
    assert len(renamed.predict_attention(X)) == len(renamed.predict(X)) == 12


# -- score ---------------------------------------------------------------------------


def edits(true, found):
    """Levenshtein distance of two lists, by its recursion."""
    if not true or not found:
        return len(true) + len(found)
    changed = edits(true[1:], found[1:]) + (true[0] != found[0])
    return min(changed, edits(true[1:], found) + 1, edits(true, found[1:]) + 1)


def test_the_score_is_one_minus_the_edits_for_each_token(rough):
    pairs = list(zip(REVERSED, rough.predict(X), strict=True))
    n_edits = sum(edits(true, found.split()) for true, found in pairs)
    n_tokens = sum(len(true) for true in REVERSED)
    assert n_edits > 0
    assert rough.score(X, Y) == pytest.approx(1 - n_edits / n_tokens)
    assert rough.score(LETTERS, REVERSED) == rough.score(X, Y)


def test_an_unknown_token_of_a_target_is_an_error(rough):
    found = rough.predict(X[:1])
    assert rough.score(X[:1], found) == 1
    assert rough.score(X[:1], [f"{found[0]} fish"]) < 1


def test_the_score_is_that_of_the_scorer_of_tokens(fitted):
    assert fitted.score(X, Y) == 1 + token_error_rate_scorer(fitted, X, Y)
    tokens = make(target_tokenizer=None).fit(X, REVERSED)
    expected = 1 + token_error_rate_scorer(tokens, X, REVERSED)
    assert tokens.score(X, REVERSED) == expected


# -- training ------------------------------------------------------------------------


def test_the_loss_is_that_of_a_token():
    translator = untrained().fit(X, Y, X_val=X[:5], y_val=Y[:5])
    losses = -translator.score_samples(X, Y)
    assert translator.history_["loss"] == pytest.approx([losses.sum() / N_TOKENS])
    n_tokens = sum(map(len, REVERSED[:5])) + 5
    assert translator.history_["val_loss"] == pytest.approx(
        [losses[:5].sum() / n_tokens]
    )


def test_smoothing_spreads_a_share_of_the_probability_over_all_tokens():
    translator = untrained(label_smoothing=0.1).fit(X, Y)
    network, total = translator.model_, 0.0
    for text, output in zip(X, Y, strict=True):
        log_probs, _ = says(network, text, output)
        wanted = np.full(log_probs.shape, 0.1 / 5)
        ids = ["abc".index(token) for token in output.split()]
        wanted[np.arange(len(ids) + 1), [*ids, 4]] += 0.9
        total -= (wanted * log_probs).sum()
    assert translator.history_["loss"] == pytest.approx([total / N_TOKENS])


def test_smoothing_changes_training_only(fitted):
    smooth = make(label_smoothing=0.1).fit(X, Y)
    assert not np.array_equal(smooth._weights[-1], fitted._weights[-1])
    other = copy.deepcopy(fitted).set_params(label_smoothing=0.1)
    np.testing.assert_array_equal(other.score_samples(X, Y), fitted.score_samples(X, Y))


def test_a_weight_counts_a_pair_often_in_the_loss():
    weight = np.array([3, 1, 0, 2] * 3)
    rows = np.repeat(np.arange(12), weight)
    weighted = untrained().fit(X, Y, sample_weight=weight).history_["loss"]
    repeated = untrained().fit([X[i] for i in rows], [Y[i] for i in rows])
    assert weighted == pytest.approx(repeated.history_["loss"])
    assert weighted != pytest.approx(untrained().fit(X, Y).history_["loss"])


WATCHED = {"X_val": X[:6], "y_val": [*Y[1:6], Y[0]]}
RESTLESS = {"optimizer": "adam", "learning_rate": 0.05, "scoring": "score"}


@pytest.fixture(scope="module")
def epochs():
    """One fit of each number of epochs, as far as early stopping below can go."""
    return [make(epochs=n, **RESTLESS).fit(X, Y) for n in range(1, 13)]


def test_early_stopping_can_look_at_the_score(epochs):
    translator = make(epochs=12, early_stopping=True, n_iter_no_change=3, **RESTLESS)
    translator.fit(X, Y, **WATCHED)
    expected = [e.score(WATCHED["X_val"], WATCHED["y_val"]) for e in epochs]
    n_epochs = translator.n_iter_
    best = int(np.argmax(expected[:n_epochs]))
    assert translator.history_["val_score"] == pytest.approx(expected[:n_epochs])
    assert n_epochs == min(best + 1 + 3, 12)
    assert best < 8
    for weights, others in zip(translator._weights, epochs[best]._weights, strict=True):
        np.testing.assert_array_equal(weights, others)


def test_the_score_is_only_recorded_without_early_stopping(epochs):
    translator = make(epochs=2, **RESTLESS).fit(X, Y, **WATCHED)
    expected = [e.score(WATCHED["X_val"], WATCHED["y_val"]) for e in epochs[:2]]
    assert translator.history_["val_score"] == pytest.approx(expected)
    for weights, others in zip(translator._weights, epochs[1]._weights, strict=True):
        np.testing.assert_array_equal(weights, others)
    assert "val_score" not in make(scoring="loss").fit(X, Y, **WATCHED).history_


def test_a_checkpoint_minds_decoding_only_where_it_decides(tmp_path):
    by_loss, by_score = tmp_path / "loss", tmp_path / "score"
    make(checkpoint=by_loss).fit(X, Y)
    make(checkpoint=by_loss, max_output_length=2).fit(X, Y)
    make(checkpoint=by_score, scoring="score").fit(X, Y)
    make(checkpoint=by_score, scoring="score", max_output_length=2).fit(X, Y)
    n_files = [len(list(folder.iterdir())) for folder in (by_loss, by_score)]
    assert n_files == [1, 2]


class Recorder(keras.callbacks.Callback):
    """Keeps the weights after each step."""

    steps: list = []  # noqa: RUF012

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(self.model.get_weights())


def test_averaged_weights_are_the_moving_average_of_those_after_each_step():
    Recorder.steps.clear()
    make(epochs=2, learning_rate=0.5, callbacks=Recorder).fit(X, Y)
    steps = list(Recorder.steps)
    assert len(steps) == 2 * BATCHES
    expected = steps[0]
    for step in steps[1:]:
        pairs = zip(expected, step, strict=True)
        expected = [0.8 * mean + 0.2 * weights for mean, weights in pairs]
    averaged = make(epochs=2, learning_rate=0.5, ema_decay=0.8).fit(X, Y)
    for found, mean in zip(averaged._weights, expected, strict=True):
        np.testing.assert_allclose(found, mean, atol=1e-6)
    assert not np.allclose(averaged._weights[-1], steps[-1][-1], atol=1e-4)


# -- keeping -------------------------------------------------------------------------


def through_a_file(translator, path):
    translator.save(path)
    return skseq.load(path)


@pytest.mark.parametrize("way", ["pickle", "file"])
def test_a_copy_has_one_set_of_weights(rough, way, tmp_path):
    if way == "pickle":
        copied = pickle.loads(pickle.dumps(rough))
    else:
        copied = through_a_file(rough, tmp_path / "translator")
    model = copied.model_
    parts = [*model.get_layer("encoder").weights, *model.get_layer("decoder").weights]
    assert set(map(id, parts)) == set(map(id, model.weights))
    assert len(parts) == len(model.weights) == len(rough._weights)
    model.set_weights([np.zeros(w.shape) for w in model.weights])
    assert not any(weight.numpy().any() for weight in parts)


# -- learning ------------------------------------------------------------------------

TASKS = {
    "copy": {},
    "reverse": {"attention": "dot"},
    "sort": {"decoder": "beam", "ema_decay": 0.9},
}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_it_learns_what_to_do_with_sequences_that_it_has_not_seen(task):
    symbols = {"n_symbols": 4, "max_length": 5, "random_state": 0}
    sources, targets = make_symbol_sequences(1200, task=task, **symbols)
    seen = set(map(tuple, sources[:600]))
    unseen = [i for i in range(600, 1200) if tuple(sources[i]) not in seen]
    translator = Seq2SeqTranslator(
        units=32,
        embedding_dim=16,
        learning_rate=0.005,
        epochs=15,
        batch_size=16,
        random_state=0,
        **TASKS[task],
    )
    translator.fit(sources[:600], targets[:600])
    found = translator.predict([sources[i] for i in unseen])
    assert len(unseen) > 150
    assert sequence_accuracy([targets[i] for i in unseen], found) >= 0.9


@pytest.mark.parametrize("form", [" ".join, list, np.array])
def test_empty_outputs_can_be_scored_and_gone_along(form):
    translator = make(target_tokenizer="word").fit(X, [form(y) for y in REVERSED])
    translator = inclined(translator, end=50).set_params(min_output_length=0)
    outputs = translator.predict(X)
    assert [len(output) for output in outputs] == [0] * len(X)
    assert translator.score(X, outputs) == 1
    np.testing.assert_array_equal(
        translator.score_samples(X, outputs), translator.score_samples(X)
    )
    for rows in (
        translator.predict_proba(X, outputs),
        translator.predict_attention(X, outputs),
    ):
        assert [len(row) for row in rows] == [0] * len(X)
    some = [form(["a"]), *outputs[1:]]
    assert translator.score(X, some) == 0  # one label is missing of one
    translator.set_params(min_output_length=1)
    for use in (translator.score, translator.score_samples):
        with pytest.raises(ValueError, match=r"y\[1\] .*Drop the sample"):
            use(X, some)
    with pytest.raises(ValueError, match=r"y\[1\] .*Drop the sample"):
        translator.set_params(min_output_length=0).fit(X, some)


def test_tensors_of_text_are_as_good_as_texts():
    expected = make().fit(X, Y).predict(X)
    for form in (tf.constant, lambda texts: list(map(tf.constant, texts))):
        found = make().fit(form(X), form(Y)).predict(form(X))
        assert found.tolist() == expected.tolist()


def test_what_was_attended_to_is_fed_back_only_with_attention():
    translator = TRANSLATOR.tiny(input_feeding=True, attention=None)
    with pytest.raises(ValueError, match="input_feeding=True needs attention, but"):
        translator.fit(TRANSLATOR.X, TRANSLATOR.y)
