"""The estimator: what goes in and comes out, streaming, samples, state, bad input."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from skseq._files.plain import pack, unpack
from skseq.language import NgramModel
from tests.language.test_arpa import levels_of
from tests.language.texts import zipf_sentences

Y = ["the cat sat", "the dog sat", "a cat ran", "", "a dog"]


def tiny(**params):
    return NgramModel(**{"order": 2, "smoothing": "witten_bell", **params})


@pytest.mark.core
@pytest.mark.parametrize("unit", ["label", "word"])
@pytest.mark.parametrize(
    "form",
    [list, tuple, np.array, lambda text: np.array(list(text), dtype=object)],
    ids=["lists", "tuples", "arrays", "objects"],
)
def test_sequences_of_letters_are_learnt_in_any_form_as_text_is(form, unit):
    text = tiny(unit=unit).fit(Y)
    other = tiny(unit=unit).fit([form(list(sequence)) for sequence in Y])
    assert other.units_ == text.units_
    assert levels_of(other) == levels_of(text)
    for y in (Y, [list(sequence) for sequence in Y]):
        assert (other.score_samples(y) == text.score_samples(y)).all()


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (["ab", "ba"], str),
        ([["a", "bc"], ["bc"]], list),
        ([(1, 2), (2, 2, 1)], tuple),
        ([np.array([1, 2]), np.array([2])], np.ndarray),
        ([[True, False], [True]], list),
        ([np.array([1.0, 2.0]), np.array([2.0])], np.ndarray),
    ],
    ids=["text", "lists", "tuples", "arrays", "bools", "floats"],
)
def test_samples_have_the_form_of_what_was_learnt(y, kind):
    model = tiny().fit(y)
    drawn = model.sample(20, random_state=0)
    assert drawn.shape == (20,)
    assert {type(sequence) for sequence in drawn} == {kind}
    labels = {label for sequence in drawn for label in sequence}
    assert labels == {label for sequence in y for label in sequence}
    assert np.isfinite(model.score_samples(drawn)).all()


def test_samples_come_as_often_as_they_are_probable():
    model = tiny(order=3).fit(["ab", "ab", "ac", "b"])
    drawn = list(model.sample(4000, random_state=0))
    known = 1 - 10 ** model._learnt.trie.distribution([1])[0]
    for text in ("ab", "ac", "b", ""):
        expected = np.exp(model.score_samples([text])[0])
        # What is unknown is not drawn: at most so many times as probable.
        assert drawn.count(text) / 4000 >= expected - 0.025
        assert drawn.count(text) / 4000 <= expected / known**3 + 0.025


def test_samples_of_words_are_text_and_the_same_for_the_same_seed():
    model = tiny(unit="word").fit(Y)
    one, two = (model.sample(5, random_state=3) for _ in range(2))
    assert one.tolist() == two.tolist()
    assert set(" ".join(one).split()) <= set(model.units_)
    assert max(len(text.split()) for text in model.sample(50, 0, max_length=2)) == 2


@pytest.mark.core
@pytest.mark.parametrize("smoothing", ["witten_bell", "kneser_ney"])
def test_text_in_pieces_is_learnt_as_the_whole_is(smoothing):
    y = zipf_sentences(0, 3000)
    whole = NgramModel(unit="word", smoothing=smoothing).fit(y)
    parts = NgramModel(unit="word", smoothing=smoothing)
    for start in range(0, 3000, 250):
        parts.partial_fit(y[start : start + 250])
    assert parts.units_ == whole.units_
    assert parts.n_ngrams_ == whole.n_ngrams_
    assert levels_of(parts) == levels_of(whole)


def test_more_text_changes_what_was_known():
    model = tiny().fit(["aa"])
    before = model.score_samples(["bb"])[0]
    model.partial_fit(["bb"])
    assert model.score_samples(["bb"])[0] > before
    assert model.units_ == ["a", "b"]
    assert model.fit(["aa"]).score_samples(["bb"])[0] == before


def test_the_score_is_minus_the_perplexity_with_ends():
    model = tiny().fit(Y)
    total, n = model.score_samples(["cat", "a"]).sum(), (3 + 1) + (1 + 1)
    assert model.score(["cat", "a"]) == pytest.approx(-np.exp(-total / n))


@pytest.mark.filterwarnings("ignore:Kneser-Ney's discounts")
def test_a_grid_search_finds_the_better_order():
    y = ["abcabcabc", "bcabca"] * 10
    search = GridSearchCV(NgramModel(), {"order": [1, 3]}, cv=2).fit(y)
    assert search.best_params_ == {"order": 3}


def test_a_model_is_cloned_without_and_pickled_with_what_it_knows():
    model = tiny(unit="word", separator="|", min_count=2).fit(["a|b", "a|b|c"])
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        clone(model).score_samples(["a"])
    again = pickle.loads(pickle.dumps(model))
    assert again.score_samples(["a|c"]) == model.score_samples(["a|c"])
    assert again.partial_fit(["c|c"]).units_ == ["a", "b", "c"]


@pytest.mark.parametrize(
    "y",
    [Y, [[3, 1], [1]], [[True], [False]], [[2.0], [1.0, 2.0]], ["\ud800", "a"]],
    ids=["text", "numbers", "bools", "floats", "surrogates"],
)
@pytest.mark.parametrize("is_read", [False, True])
def test_plain_values_hold_all_of_a_model(y, is_read, tmp_path):
    model = tiny(order=3).fit(y)
    if is_read:
        model.write_arpa(tmp_path / "a.arpa")
        model = NgramModel.read_arpa(tmp_path / "a.arpa")
    state = unpack(*pack(model._get_state()))
    again = NgramModel._from_state(state)
    assert again.get_params() == model.get_params()
    assert again.units_ == model.units_
    assert levels_of(again) == levels_of(model)
    assert again.sample(3, 0).tolist() == model.sample(3, 0).tolist()
    if not is_read:
        one, two = (m.partial_fit(y[::-1]).score_samples(y) for m in (model, again))
        assert (one == two).all()


def changed(state, path, value):
    """A state with something else in one place."""
    state = unpack(*pack(state))
    place = state
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value(place[path[-1]]) if callable(value) else value
    return state


def at(index, value):
    def change(array):
        array = array.copy()
        array[index] = value
        return array

    return change


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["params"], {}),
        (["params", "order"], 0),
        (["params", "smoothing"], "none"),
        (["learnt"], None),
        (["learnt", "unit"], "letter"),
        (["learnt", "form"], "single"),
        (["learnt", "kind"], "int"),
        (["learnt", "separator"], ""),
        (["learnt", "units"], []),
        (["learnt", "units"], lambda units: [*units[:-1], units[0]]),
        (["learnt", "units"], lambda units: units[:-1]),
        (["learnt", "units"], lambda units: [[], *units[1:]]),
        (["learnt", "levels"], []),
        (["learnt", "levels", 0], None),
        (["learnt", "levels", 1, 0], at(0, -1)),
        (["learnt", "levels", 1, 0], at(-1, 10**6)),
        (["learnt", "levels", 1, 1], at(0, 10**6)),
        (["learnt", "levels", 1, 1], at(0, -1)),
        (["learnt", "levels", 1, 1], lambda units: units[:-1]),
        (["learnt", "levels", 1, 1], lambda units: units[::-1].copy()),
        (["learnt", "levels", 1, 1], lambda units: units.astype(np.int64)),
        (["learnt", "levels", 1, 2], at(0, np.nan)),
        (["learnt", "levels", 1, 2], at(0, 0.5)),
        (["learnt", "levels", 1, 2], at(0, -np.inf)),
        (["learnt", "levels", 0, 3], at(0, np.inf)),
        (["learnt", "levels"], lambda levels: [levels[0], levels[2], levels[1]]),
        (["learnt", "levels", 1], lambda level: [array[5:] for array in level]),
        (["learnt", "levels", 0], lambda level: [array[2:] for array in level]),
        (["learnt", "counts"], 3),
        (["learnt", "counts"], lambda counts: [counts[0][:, 1:].copy(), counts[1]]),
        (["learnt", "counts", 0], at((0, 0), -1)),
        (["learnt", "counts", 0], at((0, 2), 10**6)),
        (["learnt", "counts", 0], at((-1, 0), 1)),
        (["learnt", "counts", 0], at((0, 2), 1)),
        (["learnt", "counts", 0], lambda rows: rows[::-1].copy()),
        (["learnt", "counts", 0], lambda rows: rows.astype(float)),
        (["learnt", "counts", 1], at(0, 0)),
        (["learnt", "counts", 1], at(0, 2**60)),
        (["learnt", "counts", 1], lambda counts: counts[1:]),
    ],
)
def test_plain_values_that_are_no_models_are_refused(path, value):
    state = tiny(order=3).fit(Y)._get_state()
    NgramModel._from_state(changed(state, ["params", "order"], 3))
    with pytest.raises(ValueError, match="must"):
        NgramModel._from_state(changed(state, path, value))


@pytest.mark.parametrize(
    ("params", "what"),
    [
        ({"order": 0}, r"'order' .* an int in the range \[1, 20\]. Got 0"),
        ({"order": 21}, "'order' .*Got 21"),
        ({"order": np.nan}, "'order' .*Got nan"),
        ({"unit": "words"}, "'unit' .*Did you mean 'word'"),
        ({"smoothing": "kneser-ney"}, "'smoothing' .*Did you mean 'kneser_ney'"),
        ({"min_count": 0}, "'min_count' .*Got 0"),
        ({"separator": ""}, "'separator' .* a str of one character. Got ''"),
        ({"separator": None}, "'separator' .*Got None"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(params, what):
    for method in ("fit", "partial_fit"):
        with pytest.raises(ValueError, match=what):
            getattr(NgramModel(**params), method)(["ab"])


@pytest.mark.parametrize(
    ("y", "error", "what"),
    [
        (None, ValueError, "reads y, but the y that was passed is None"),
        ("text", TypeError, r"y must be a collection .* Did you mean \[y\]"),
        ([], ValueError, "y holds no labels"),
        (["", ""], ValueError, "y holds no labels: every sequence is empty"),
        ([3, 1], ValueError, r"y\[0\] is 3, a single label. Pass sequences"),
        (np.array([3.0, 1.0]), ValueError, r"y\[0\] is .*3.0.*, a single label"),
        ([np.nan, 1.0], ValueError, "contains NaN"),
        ([[1.0, np.nan]], ValueError, r"contains NaN \(y\[0\]\[1\]\)"),
        ([[1.5, 2.0]], ValueError, "continuous"),
        ([[1, "a"]], ValueError, "mixes label types"),
        ([["a"], [1]], ValueError, "mixes label types"),
        ([{"a"}], TypeError, "has no order"),
        ([b"ab"], TypeError, "decode it to str"),
        ([None], ValueError, "missing"),
        (np.array(3), TypeError, "must be a collection of label sequences"),
        (np.zeros((2, 3), int), ValueError, "Padding cannot be told from"),
        ({"a": "b"}, TypeError, "must be an ordered collection"),
        ((text for text in ["ab"]), TypeError, "must have a length"),
    ],
)
def test_a_y_that_cannot_be_used_is_refused_and_changes_nothing(y, error, what):
    model = tiny().fit(["ab"])
    before = model.score_samples(["ab"])
    for method in ("fit", "partial_fit"):
        if method == "fit" or "holds no labels" not in what:
            with pytest.raises(error, match=what):
                getattr(model, method)(y)
    assert model.score_samples(["ab"]) == before


@pytest.mark.parametrize("y", [[["the", "cat"]], [[1, 2]], [np.array([1, 2])]])
def test_words_are_not_taken_from_lists_of_tokens(y):
    with pytest.raises(ValueError, match=r"y\[0\]\[0\] is .* single characters"):
        tiny(unit="word").fit(y)


@pytest.mark.parametrize(("y", "other"), [(["ab"], [[1, 2]]), ([[1, 2]], ["12"])])
def test_labels_of_another_type_are_refused_rather_than_unknown(y, other):
    model = tiny().fit(y)
    for use in (model.score_samples, model.score, model.partial_fit):
        with pytest.raises(
            ValueError, match=r"labels of the type .* those in fit were"
        ):
            use(other)


def test_what_cannot_be_added_to_says_so(tmp_path):
    model = tiny().fit(["ab"])
    model.write_arpa(tmp_path / "a.arpa")
    with pytest.raises(ValueError, match="read from a file has no counts to add to"):
        NgramModel.read_arpa(tmp_path / "a.arpa").partial_fit(["ab"])
    for change in ({"order": 3}, {"unit": "word"}, {"separator": "|"}):
        with pytest.raises(ValueError, match="cannot change between calls of partial"):
            clone(model).fit(["ab"]).set_params(**change).partial_fit(["ab"])


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.score_samples(["ab"]),
        lambda model: model.score(["ab"]),
        lambda model: model.sample(),
        lambda model: model.write_arpa("a.arpa"),
        lambda model: model.units_,
        lambda model: model.n_ngrams_,
        lambda model: model._automaton(["a"]),
    ],
)
def test_an_unfitted_model_says_so(use):
    with pytest.raises(NotFittedError, match="NgramModel instance is not fitted yet"):
        use(NgramModel())


@pytest.mark.parametrize(
    ("options", "name"),
    [({"n": 0}, "n"), ({"random_state": -1}, "random_state"), ({"max_length": 0}, "m")],
)
def test_samples_that_cannot_be_drawn_are_refused(options, name):
    with pytest.raises(ValueError, match=f"'{re.escape(name)}.* parameter of sample"):
        tiny().fit(["ab"]).sample(**options)


def test_nothing_to_score_is_told_from_a_score():
    model = tiny().fit(["ab"])
    assert model.score_samples([]).shape == (0,)
    with pytest.raises(ValueError, match="y holds no sequences"):
        model.score([])
