"""What a search is told comes back from plain values, and damage is refused."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.frozen import FrozenEstimator

from skseq._files.plain import pack, unpack
from skseq.language import Hotwords, LabelPattern, Lexicon, NgramModel
from skseq.language._known import Known
from skseq.language._plain import build, describe
from tests.exploring import EFFORTS, explore

CLASSES = ["a", "b", "c", " "]
TEXTS = ["ab c", "abab", "c b", "ba"]


def learnt(**params):
    return NgramModel(order=2, smoothing="witten_bell", **params).fit(TEXTS)


def round_trip(value):
    """What a file gives back: only plain values and arrays pass."""
    packed, arrays = pack(describe(value))
    json.dumps(packed)
    return build(unpack(json.loads(json.dumps(packed)), arrays))


PLAIN = {
    "nothing": None,
    "fit": "fit",
    "a path": "letters.arpa",
    "words": ["ab", "c"],
    "words of labels": [["a", "b"], ["c"]],
    "words of numbers": [[0, 1], [2]],
    "weights": {"ab": 2.0, "c": -1.0},
    "weights of labels": {("a", "b"): 2.0, "c": 1.5},
    "a pattern": r"\d{2}[ab]",
}


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN)
def test_plain_values_come_back(value):
    found = round_trip(value)
    assert found == value
    assert type(found) is type(value)


COLLECTIONS = {
    "a tuple": (("ab", "c"), ["ab", "c"]),
    "an array": (np.array(["ab", "c"]), ["ab", "c"]),
    "arrays of numbers": ([np.array([0, 1])], [[0, 1]]),
    "a path": (Path("a") / "b.arpa", os.path.join("a", "b.arpa")),
    "weights of NumPy": ({"ab": np.float32(2)}, {"ab": 2.0}),
}


@pytest.mark.parametrize(("value", "expected"), COLLECTIONS.values(), ids=COLLECTIONS)
def test_collections_come_back_as_lists(value, expected):
    found = round_trip(value)
    assert found == expected
    assert json.dumps(found) == json.dumps(expected)  # no NumPy in it


OBJECTS = {
    "Lexicon": Lexicon(["ab", "c"], unknown="penalize", penalty=-3.0),
    "Lexicon of labels": Lexicon([["a", "b"]], separator=None),
    "Hotwords": Hotwords(["ab", "c"], weight=2.0, whole_words=False),
    "Hotwords with weights": Hotwords({"ab": 2.0, ("c",): -1.0}, separator=None),
    "LabelPattern": LabelPattern("[ab]{2}"),
    "NgramModel": NgramModel(order=4, unit="word", min_count=2),
}


@pytest.mark.parametrize("value", OBJECTS.values(), ids=OBJECTS)
def test_objects_come_back_with_their_parameters(value):
    found = round_trip(value)
    assert type(found) is type(value)
    assert found.get_params() == value.get_params()


def test_a_set_comes_back_as_a_list_of_its_words():
    found = round_trip({"ab", "c"})
    assert type(found) is list
    assert sorted(found) == ["ab", "c"]


@pytest.mark.parametrize("unit", ["label", "word"])
def test_learnt_models_come_back_with_counts_and_probabilities(unit):
    model = learnt(unit=unit)
    known = Known(model.get_params(), model)
    frozen = FrozenEstimator(model)
    found = round_trip(known), round_trip(frozen), round_trip(model)
    assert found[0].source == known.source
    for again in (found[0].model, found[1].estimator, found[2]):
        scores = [m.score_samples([*TEXTS, "cc"]) for m in (again, model)]
        np.testing.assert_array_equal(*scores)
        more = again.partial_fit(["cc"]), learnt(unit=unit).partial_fit(["cc"])
        np.testing.assert_array_equal(*(m.score_samples(["cc"]) for m in more))


def test_a_model_that_was_read_comes_back(tmp_path):
    learnt().write_arpa(tmp_path / "a.arpa")
    model = NgramModel.read_arpa(tmp_path / "a.arpa")
    found = round_trip(Known({"path": "a.arpa"}, model))
    assert found.source == {"path": "a.arpa"}
    scores = [m.score_samples(TEXTS) for m in (found.model, model)]
    np.testing.assert_array_equal(*scores)


def test_an_unfitted_model_comes_back_unfitted():
    assert not round_trip(NgramModel(order=2)).__sklearn_is_fitted__()
    found = round_trip(FrozenEstimator(NgramModel(order=2)))
    assert isinstance(found, FrozenEstimator)
    assert not found.estimator.__sklearn_is_fitted__()


# -- damage ----------------------------------------------------------------------------

KINDS = {
    **{name: describe(value) for name, value in PLAIN.items() if value is not None},
    **{name: describe(value) for name, value in OBJECTS.items()},
    "learnt": describe(learnt()),
    "learnt of words": describe(learnt(unit="word")),
    "frozen": describe(FrozenEstimator(learnt())),
    "known": describe(Known(learnt().get_params(), learnt())),
    "read": describe(Known({"path": "a.arpa"}, learnt())),
}

HOSTILE = st.sampled_from(
    [
        *(None, True, -1, 0, 2**62, 1e308, float("nan"), "", "x", "os.system", "fit"),
        *([], {}, [[]], [None], {"a": {}}, "\ud800", b"a"),
        *(np.zeros(3), np.zeros((2, 2)), np.array([2**62]), np.array(["a"], object)),
        *({"language": "frozen", "value": None}, {"language": "plain", "value": 1}),
        {"language": "Known", "value": {"source": {"path": 1}, "model": {}}},
    ]
)


def damaged(draw, value, depth=0):
    """The value with something else in one place."""
    if depth and (not isinstance(value, dict | list) or not draw(st.integers(0, 3))):
        if isinstance(value, np.ndarray) and draw(st.booleans()):
            return draw(
                st.sampled_from(
                    [value[:-1], value.astype("f4"), value[None], -value, value * 0]
                )
            )
        return draw(HOSTILE)
    if isinstance(value, dict):
        name = draw(st.sampled_from([*value, "more"]))
        if not draw(st.integers(0, 4)):
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: damaged(draw, value.get(name), depth + 1)}
    place = draw(st.integers(0, len(value)))
    item = value[place] if place < len(value) else None
    return [*value[:place], damaged(draw, item, depth + 1), *value[place + 1 :]]


def use(found):
    """Compile what was built, as a reader does after it has checked parameters."""
    if isinstance(found, Known):
        found = found.model
    if isinstance(found, FrozenEstimator):
        found = found.estimator
    is_learnt = isinstance(found, NgramModel) and found.__sklearn_is_fitted__()
    if is_learnt or isinstance(found, Hotwords | LabelPattern | Lexicon):
        found._automaton(CLASSES)


FORBIDDEN = "exec", "import", "os.system", "pickle.find_class", "subprocess.Popen"


class Watch:
    """Notes what Python is told to do while the watch is on."""

    def __init__(self):
        self.is_on, self.seen = False, []
        sys.addaudithook(self._hear)

    def _hear(self, event, args):
        if self.is_on and (event in FORBIDDEN or event == "open"):
            self.seen.append((event, args))


@pytest.fixture(scope="module")
def watch():
    return Watch()  # one for the module, as an audit hook cannot be removed


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers that overflow
@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_refused_or_built_and_runs_nothing(kind, effort, watch):
    use(build(KINDS[kind]))  # imports what is needed

    def check(data):
        description = damaged(data.draw, KINDS[kind])
        watch.seen.clear()
        watch.is_on = True
        try:
            found = build(description)
        except ValueError:
            found = None
        finally:
            watch.is_on = False
        assert watch.seen == []
        if isinstance(found, Lexicon | Hotwords | LabelPattern | NgramModel | Known):
            with suppress(ValueError):
                use(found)

    explore(check, 100, effort)


DAMAGE = {
    "no table": ["a"],
    "no kind": {"value": 1},
    "more": {"language": "plain", "value": 1, "more": 1},
    "an unknown kind": {"language": "os.system", "value": {}},
    "a kind that is no text": {"language": ["plain"], "value": {}},
    "no values": {"language": "Lexicon", "value": ["ab"]},
    "other parameters": {"language": "Lexicon", "value": {"word": ["a"]}},
    "parameters missing": {"language": "Lexicon", "value": {}},
    "no phrases": {"language": "Hotwords", "value": {"weights": None}},
    "weights missing": {
        "language": "Hotwords",
        "value": {"phrases": ["a", "b"], "weights": [1.0]},
    },
    "no pairs": {"language": "weights", "value": {"pairs": [["a"]]}},
    "labels that are lists": {
        "language": "weights",
        "value": {"pairs": [[[["a"]], 1.0]]},
    },
    "no pattern": {"language": "LabelPattern", "value": {"text": "a"}},
    "another parameter": {"language": "NgramModel", "value": {"orders": 3}},
    "nothing learnt": {"language": "learnt", "value": {}},
    "a frozen word": {
        "language": "frozen",
        "value": {"language": "plain", "value": "/etc/passwd"},
    },
    "frozen nothing": {"language": "frozen", "value": None},
    "no source": {"language": "Known", "value": {"model": {}}},
    "a source that is no text": {
        "language": "Known",
        "value": {"source": {"path": 3}, "model": describe(learnt())["value"]},
    },
    "a source of other parameters": {
        "language": "Known",
        "value": {"source": {"orders": 3}, "model": describe(learnt())["value"]},
    },
}


@pytest.mark.parametrize("description", DAMAGE.values(), ids=DAMAGE)
def test_what_nothing_was_described_as_is_refused(description):
    with pytest.raises(ValueError, match=r"\w"):
        build(description)
