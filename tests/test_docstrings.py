"""Docstrings hold what signatures and fitted objects have, and say it in one way."""

import ast
import dataclasses
import inspect
import re
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

import skseq
from skseq import LabelSpan, _names, inspection, language, preprocessing, scikeras
from tests.estimators import ESTIMATORS

SUBMODULES = [name for name in _names.ROOMS if name != "exceptions"]
MODULES = [
    import_module(name) for name in ("skseq", *(f"skseq.{m}" for m in SUBMODULES))
]

HEADER = re.compile(r"^(\w[\w ]*)\n-+$", re.MULTILINE)
ENTRY = re.compile(r"^(\S.*?)(?: : (.+))?$\n((?:    .*\n|\n)+)", re.MULTILINE)
ELSEWHERE = re.compile(r"\s*As in :\w+:`(\w+)`")
DEFAULT = re.compile(r", default=(.+)")


@dataclasses.dataclass(frozen=True)
class Entry:
    """What a section of a docstring says of one name."""

    name: str
    type: str
    text: str

    @property
    def default(self):
        """The value after "default=", or nothing, as signatures have it."""
        if self.type == "None":  # scikit-learn's way to say that it is ignored
            return None
        found = DEFAULT.search(self.type)
        return ast.literal_eval(found[1]) if found else inspect.Parameter.empty


def entries(documented, section):
    """What a docstring says under a header, name by name."""
    _, *parts = HEADER.split(inspect.getdoc(documented) or "")
    text = dict(zip(parts[::2], parts[1::2], strict=True)).get(section, "")
    return [
        Entry(name, found[2] or "", found[3])
        for found in ENTRY.finditer(f"{text}\n")
        for name in found[1].split(", ")
    ]


def names(documented, section):
    return [entry.name for entry in entries(documented, section)]


def is_record(value):
    return dataclasses.is_dataclass(value) or hasattr(value, "_fields")


def own_methods(cls):
    """The public methods that skseq writes, whichever class they stand in."""
    bases = [base for base in cls.__mro__ if base.__module__.startswith("skseq")]
    found = {name: base for base in reversed(bases) for name in vars(base)}
    kinds = (classmethod, staticmethod)
    for name, base in found.items():
        value = vars(base)[name]
        if not name.startswith("_") and (
            inspect.isfunction(value) or isinstance(value, kinds)
        ):
            yield name


def public_objects():
    """Name, object and where to look other names up, of all that has a docstring."""
    for module in MODULES:
        for name in _names.MODULES if module is skseq else module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or inspect.isclass(value):
                yield f"{module.__name__}.{name}", value, module
            if inspect.isclass(value):
                for method in own_methods(value):
                    where = f"{module.__name__}.{name}.{method}"
                    yield where, getattr(value, method), value


PUBLIC = {name: (value, owner) for name, value, owner in public_objects()}
CALLABLE = {name: v for name, v in PUBLIC.items() if not is_record(v[0])}
RECORDS = {name: v for name, v in PUBLIC.items() if is_record(v[0])}


def signature(value):
    """The parameters of a function, method or constructor, as docstrings name them."""
    function = value.__init__ if inspect.isclass(value) else value
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return {
        stars.get(parameter.kind, "") + name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    }


def test_a_docstring_is_read_as_numpydoc_reads_it():
    def documented():
        """Do it.

        Parameters
        ----------
        a, b : int, default=3
            Two numbers.

            In two paragraphs.
        c
            As in :meth:`fit`.
        **more : dict
            The rest.

        Returns
        -------
        d : str
            A text.
        """

    found = entries(documented, "Parameters")
    assert [entry.name for entry in found] == ["a", "b", "c", "**more"]
    assert [entry.default for entry in found[:2]] == [3, 3]
    assert found[2].default is inspect.Parameter.empty
    assert names(documented, "Returns") == ["d"]


def offenders(objects, found, expected):
    """Where a docstring has other names than the object has."""
    both = {name: (found(*v), expected(*v)) for name, v in objects.items()}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def test_parameters_are_documented_in_the_order_of_the_signature():
    assert not offenders(
        CALLABLE,
        lambda value, _: names(value, "Parameters"),
        lambda value, _: list(signature(value)),
    )


def fields_of(record, _):
    own = getattr(record, "_fields", None)
    return list(own or [field.name for field in dataclasses.fields(record)])


def test_the_fields_of_a_record_are_documented_in_their_order():
    assert RECORDS
    assert not offenders(
        RECORDS, lambda record, _: names(record, "Attributes"), fields_of
    )


def defaults_in_text(value, owner):
    """The default that is told of each parameter, and its type: 1 is not True."""
    found = {}
    for entry in entries(value, "Parameters"):
        elsewhere = None if entry.type else ELSEWHERE.match(entry.text)
        if elsewhere:
            other = getattr(owner, elsewhere[1])
            (entry,) = (e for e in entries(other, "Parameters") if e.name == entry.name)
        found[entry.name] = type(entry.default), entry.default
    return found


def defaults_in_signature(value, _):
    parameters = signature(value)
    return {name: (type(p.default), p.default) for name, p in parameters.items()}


def test_defaults_in_the_text_are_those_of_the_signature():
    assert not offenders(CALLABLE, defaults_in_text, defaults_in_signature)


def test_a_docstring_begins_with_a_line_that_is_a_sentence():
    beginnings = {n: inspect.getdoc(v).split("\n")[:2] for n, (v, _) in PUBLIC.items()}
    assert not {
        name: lines
        for name, lines in beginnings.items()
        if not lines[0].endswith(".") or lines[1:] not in ([], [""])
    }


CLASSES = [case.Estimator for case in ESTIMATORS]
NETWORKS = [*CLASSES, scikeras.recurrent_model, scikeras.autoencoder_model]

# Parameters whose type or default differs over the estimators, and why.
OWN_TYPE = {
    "learning_rate": "measured: a code that long sequences hang on is lost by more",
    "dropout": "measured: frames profit from it at any size, tokens and codes do not",
    "epochs": "measured: an embedder's are of few batches, which are drawn anew",
    "loss": "an autoencoder's is of frames, which a callable could not score",
    "target": "CTC tells labels of sequences from single ones, a regressor frames",
    "units": "measured: an embedder of voices learns more without recurrences",
    "pooling": "measured: an embedder learns from how much states vary over frames",
    "embedding_dim": "measured: vectors of tokens are others than those of sequences",
    "beam_width": "hypotheses of a CTC beam, which merge, cost less than a decoder's",
}

# Shared parameters whose text differs over the estimators, and why.
OWN_TEXT = {
    "embedding_dim": "a token has an embedding, and a sequence has",
    "validation_fraction": "an embedder holds whole classes out",
    "shuffle": "an embedder draws its batches by class",
    "batch_size": "an embedder's batches hold sequences of each class",
    "units": "each says which parts of its network have these widths",
    "bidirectional": "a reader of one direction needs no future, a decoder reads none",
    "dropout": "the autoencoder's decoder has none",
    "standardize": "the autoencoder's errors are in units of the scale",
    "max_vocabulary": "a translator has two vocabularies",
    "preprocess": "steps may do other things to frames, to targets and to tokens",
    "class_weight": "CTC has classes where there is one label per sample only",
    "conv_filters": "measured: a tagger of few features learns more without",
    "conv_strides": "what CTC leaves of time must hold the labels, a tagger leaves all",
    "loss": "an autoencoder reconstructs, a regressor predicts",
    "pooling": "a regressor pools only where it gives values of sequences",
    "step_weight": "a regressor has frames to weigh only where y has values of frames",
    "target": "labels of sequences and values of frames are told by other signs",
    "**routed": "what reads frames has a front end",
}


def told_of(networks, what):
    """By parameter, what is told of it in the docstrings of these networks."""
    known = {}
    for network in networks:
        for entry in entries(network, "Parameters"):
            if what(entry) and entry.name not in ("meta", "compile_kwargs"):
                told = known.setdefault(entry.name, {})
                told.setdefault(what(entry), []).append(network.__name__)
    return known


def in_several_ways(known):
    return {name: told for name, told in known.items() if len(told) > 1}


def test_a_parameter_has_one_type_and_default_over_the_estimators():
    several = in_several_ways(told_of(NETWORKS, lambda entry: entry.type))
    assert several.keys() == OWN_TYPE.keys(), several


def test_a_shared_parameter_has_one_text_over_the_estimators():
    several = in_several_ways(told_of(CLASSES, lambda entry: entry.text))
    assert several.keys() == OWN_TEXT.keys(), several


RNG = np.random.default_rng(0)
FRAMES = [pd.DataFrame(RNG.normal(size=(n, 2)), columns=["a", "b"]) for n in (4, 5, 6)]
WAVEFORMS = [RNG.normal(size=800)]


def with_all_attributes(case):
    X = case.X
    if case.reads_frames:
        X = [pd.DataFrame(x, columns=list("abc")) for x in X]
    estimator = case.tiny()
    if "language_model" in estimator.get_params():
        model = language.NgramModel(smoothing="witten_bell")
        estimator.set_params(decoder="beam", language_model=model)
    fitted = estimator.fit(X, case.y)
    if hasattr(fitted, "fit_decoding"):
        fitted.fit_decoding(X, case.y, {})
    return fitted


ESTIMATOR_FITS = {
    case.Estimator.__name__: lambda case=case: with_all_attributes(case)
    for case in ESTIMATORS
}
TRANSFORMER_FITS = {
    "FrameDifference": lambda: preprocessing.FrameDifference().fit(FRAMES),
    "FrameTransformer": lambda: preprocessing.FrameTransformer(StandardScaler()).fit(
        FRAMES
    ),
    "LogMel": lambda: preprocessing.LogMel().fit(WAVEFORMS),
    "MFCC": lambda: preprocessing.MFCC().fit(WAVEFORMS),
    "SequenceNormalizer": lambda: preprocessing.SequenceNormalizer().fit(FRAMES),
    "SlidingWindows": lambda: preprocessing.SlidingWindows(3).fit(FRAMES),
}
LANGUAGE_FITS = {
    "NgramModel": lambda: language.NgramModel(smoothing="witten_bell").fit(["ab"]),
}


def drawn_displays():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    frames = np.eye(3)
    yield inspection.AlignmentDisplay(
        frames, [LabelSpan("a", 0, 0, 1.0)], classes=["a", "b"]
    ).plot()
    yield inspection.AnomalyScoreDisplay([0.1, 0.9], threshold=0.5).plot()
    yield inspection.AttentionDisplay(frames, "abc", "abc").plot()
    yield inspection.EmbeddingDisplay(frames[:, :2]).plot()
    yield inspection.LabelConfusionDisplay.from_predictions(["ab"], ["aa"])
    yield inspection.PairScoresDisplay([1, 0], [0.9, 0.1]).plot()
    yield inspection.ReconstructionDisplay(frames, frames).plot()
    yield inspection.RiskCoverageDisplay([0.5, 1.0], [0.0, 0.5]).plot()
    yield inspection.SeriesDisplay(frames, threshold=0.5).plot()
    yield inspection.TimelineDisplay(["a", "b"], ["a", "a"]).plot()
    yield inspection.TrainingHistoryDisplay({"loss": [2.0, 1.0]}).plot()
    plt.close("all")


def assert_attributes_are_documented(made):
    has = {n for n in dir(made) if n.endswith("_") and not n.startswith("_")}
    assert has == set(names(type(made), "Attributes"))


@pytest.mark.parametrize("fits", [ESTIMATOR_FITS, TRANSFORMER_FITS, LANGUAGE_FITS])
def test_fitted_attributes_are_those_documented(fits):
    for name, fit in fits.items():
        fitted = fit()
        assert type(fitted).__name__ == name
        assert_attributes_are_documented(fitted)


def test_attributes_of_drawn_displays_are_those_documented():
    drawn = list(drawn_displays())
    displays = {name for name in inspection.__all__ if name.endswith("Display")}
    assert {type(display).__name__ for display in drawn} == displays
    for display in drawn:
        assert_attributes_are_documented(display)


def test_no_estimator_or_transformer_goes_unfitted():
    fitting = {n.split(".")[-1] for n, (v, _) in PUBLIC.items() if hasattr(v, "fit")}
    known = ESTIMATOR_FITS.keys() | TRANSFORMER_FITS.keys() | LANGUAGE_FITS.keys()
    assert fitting == known
