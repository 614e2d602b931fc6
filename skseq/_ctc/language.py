"""What a reader is told of the language: from its parameters to what a search follows.

A mixin of the estimator. Each automaton is compiled once for as long as its parameter
stays as it is.
"""

import os
import weakref
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skseq._ctc.running import NOTHING
from skseq._data.collections import as_collection
from skseq._engine.state import FitRequest
from skseq._parameters import (
    ABSENT,
    MOST_WEIGHT,
    NONE,
    PATH,
    WEIGHT,
    Interval,
    Kind,
    OneOf,
    instance_of,
)
from skseq._warnings import warn
from skseq._wording import counted
from skseq.language._alphabet import Alphabet, is_collection
from skseq.language._automaton import Automaton, product
from skseq.language._guide import Guide
from skseq.language._hotwords import Hotwords
from skseq.language._known import Known
from skseq.language._lexicon import Lexicon
from skseq.language._ngram import NgramModel
from skseq.language._pattern import LabelPattern
from skseq.language._plain import contents_of
from skseq.language._units import check_units, kind_of

LanguageModel: TypeAlias = (
    Literal["fit"] | NgramModel | FrozenEstimator | str | os.PathLike[str] | None
)

WORDS = Kind(is_collection, "a list of words")
PHRASES = Kind(
    lambda value: is_collection(value) or isinstance(value, Mapping),
    "a list of phrases, a dict of phrases to weights",
)
PATTERN = Kind(lambda value: isinstance(value, str), "a str")

FROZEN = Kind(
    lambda value: (
        isinstance(value, FrozenEstimator) and isinstance(value.estimator, NgramModel)
    ),
    "a FrozenEstimator of one",
)


def _one(kind: type) -> Kind:
    article = "an" if kind is NgramModel else "a"
    return Kind(lambda value: isinstance(value, kind), f"{article} {kind.__name__}")


LANGUAGE_CONSTRAINTS = {
    "language_model": (OneOf(["fit"]), PATH, _one(NgramModel), FROZEN, NONE),
    "lm_weight": Interval(float, 0, MOST_WEIGHT, closed="both"),
    "insertion_bonus": WEIGHT,
    "lexicon": (WORDS, _one(Lexicon), NONE),
    "hotwords": (PHRASES, _one(Hotwords), NONE),
    "hotword_weight": WEIGHT,
    "pattern": (PATTERN, _one(LabelPattern), NONE),
    "blank_penalty": WEIGHT,
}

# What a search follows: each has no effect where it has this value.
_FOLLOWED = {
    "language_model": None,
    "lexicon": None,
    "hotwords": None,
    "pattern": None,
    "insertion_bonus": 0.0,
}


# What a fit leaves; a file may hold it.
FITTED_LANGUAGE = {
    "_language": (instance_of(Known), ABSENT),  # learnt
    "_language_file": (instance_of(Known), ABSENT),  # read
}


class Compiled:
    """What parameters were compiled to last, by name."""

    def __init__(self):
        self._kept: dict[str, tuple] = {}

    def get(self, name: str, key: Any, compile: Callable) -> Any:
        """What `compile()` gave for an equal key, or what it gives now."""
        kept = self._kept.get(name)
        if kept is None or not _are_equal(kept[0], key):
            kept = self._kept[name] = key, compile()
        return kept[1]


# What was compiled for the labels of a fit, by the identity of their array, for as long
# as it lives: copies of an estimator share it, and no file, pickle or clone holds it.
_COMPILED: dict[int, Compiled] = {}


def _compiled_for(classes: np.ndarray) -> Compiled:
    if id(classes) not in _COMPILED:
        weakref.finalize(classes, _COMPILED.pop, id(classes), None)
    return _COMPILED.setdefault(id(classes), Compiled())


class _Same:
    """Equal to another of the very same object."""

    def __init__(self, value):
        self._value = value

    def __eq__(self, other):
        return isinstance(other, _Same) and self._value is other._value

    __hash__ = None


def _are_equal(key, other) -> bool:
    try:
        return bool(key == other)
    except ValueError:  # arrays in it
        return False


class CTCLanguage:
    """What the search of a reader follows beside the posteriors."""

    @property
    def language_model_(self) -> NgramModel:
        """The model that the search follows, as `language_model` says."""
        check_is_fitted(self)
        model = self._present_model()
        if model is None:
            raise AttributeError(
                f"This {type(self).__name__} has no language_model_, as its "
                "language_model is None."
            )
        return model

    # -- what the base asks for ---------------------------------------------------

    def _check_request_data(self, request: FitRequest, *, reset) -> tuple:
        options = dict(request.options)
        extra_texts = options.pop("extra_texts", None)
        request = replace(request, options=options)
        checked = super()._check_request_data(request, reset=reset)
        self._check_language()
        weights = checked[0].sample_weight
        self._learn_language(request.y, weights, extra_texts, request.is_partial)
        return checked

    def _check_candidate(self) -> None:
        super()._check_candidate()
        self._check_language()
        self._present_guide()

    def _complete(self) -> None:
        """See that a file will need no other, and that what it tells can be used."""
        self._check_candidate()

    def _check_restored(self) -> None:
        super()._check_restored()
        value, known = self.language_model, vars(self).get("_language_file")
        is_path = isinstance(value, str | os.PathLike) and value != "fit"
        if is_path and (known is None or known.source != _source(value)):
            raise ValueError("its language_model is a path of which it has no model")

    # -- checks -------------------------------------------------------------------

    def _check_language(self) -> None:
        """Refuse what would be without effect in silence."""
        told = [name for name, no in _FOLLOWED.items() if not _is(self, name, no)]
        if told and self._is_single:
            raise ValueError(
                f"{_listed(told, 'has', 'have')} no effect where y holds one label per "
                f"sample. Set {_without(told)}."
            )
        if self.blank_penalty and self._is_single:
            raise ValueError(
                "blank_penalty has no effect where y holds one label per sample. Set "
                "blank_penalty=0.0."
            )
        if told and self.decoder == "greedy":
            raise ValueError(
                f"Only a beam search follows {_listed(told)}, but decoder is "
                "'greedy'. Set decoder='beam'."
            )
        model = self.language_model
        is_frozen = isinstance(model, FrozenEstimator)
        if is_frozen and not model.estimator.__sklearn_is_fitted__():
            raise ValueError(
                "language_model is frozen before it was fitted, so that it knows "
                "nothing. Fit the NgramModel and then freeze it, or pass it unfrozen "
                "to learn it from y."
            )
        if isinstance(model, NgramModel) and model.__sklearn_is_fitted__():
            raise ValueError(
                "language_model is fitted already, and fit would learn it anew. Pass "
                "sklearn.frozen.FrozenEstimator(model) to use it as it is, or "
                "sklearn.base.clone(model) to learn it from y."
            )

    def _refuse_language_in_graphs(self, decoder) -> None:
        """Refuse to export what no graph follows, unless it is to be left out."""
        told = [name for name, no in _FOLLOWED.items() if not _is(self, name, no)]
        if self.blank_penalty:
            told.append("blank_penalty")
        if told and decoder != "greedy":
            raise ValueError(
                f"{_listed(told)} cannot be exported: graphs take the best label of "
                'each frame. Pass decoder="greedy" to export, if outputs may differ '
                "from those of predict."
            )

    # -- learning -----------------------------------------------------------------

    def _learn_language(self, y, weights, extra_texts, is_partial: bool) -> None:
        """Learn a model from label sequences, if `language_model` says of one."""
        before = vars(self).pop("_language", None)
        vars(self).pop("_language_file", None)
        if self._learns_model():
            y = as_collection(y, "y", "label sequences")
            texts = [y[i] for i in np.flatnonzero(weights > 0)]
            source = _source(self.language_model)
            if extra_texts is not None:
                texts += self._checked_texts(extra_texts, NgramModel(**source))
            if is_partial and before is not None and before.source == source:
                model = copy(before.model).partial_fit(texts)
            else:
                model = NgramModel(**source).fit(texts)
            self._language = Known(source, model)
        elif extra_texts is not None:
            raise ValueError(
                "extra_texts are what a language model learns from beside y, but "
                "language_model names none to learn. Set language_model='fit'."
            )
        self._present_guide()

    def _checked_texts(self, texts, model: NgramModel) -> list:
        texts = list(as_collection(texts, "extra_texts", "label sequences"))
        if not texts:
            return texts
        try:
            found = check_units(texts, model.unit, model.separator, "NgramModel")
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            words = str(error).replace("y[", "extra_texts[").replace(", in X too", "")
            is_named = "extra_texts" in words
            raise kind(words if is_named else f"In extra_texts: {words}") from error
        own = kind_of(self.classes_.tolist()[0])
        if found.kind not in (None, own):
            raise ValueError(
                f"extra_texts hold labels of the type {found.kind}, but those of y are "
                f"{own}. Pass labels of that type."
            )
        return texts

    def _learns_model(self) -> bool:
        model = self.language_model
        return isinstance(model, NgramModel) or model == "fit"

    def _present_model(self) -> NgramModel | None:
        value = self.language_model
        if value is None:
            return None
        if isinstance(value, FrozenEstimator):
            return value.estimator
        learns, source = self._learns_model(), _source(value)
        name = "_language" if learns else "_language_file"
        known = vars(self).get(name)
        if known is not None and known.source == source:
            return known.model
        if learns:
            raise ValueError(
                f"language_model={value!r} has to learn from y, but was set after fit. "
                "Fit again, or pass a fitted model as "
                "sklearn.frozen.FrozenEstimator(model)."
            )
        read = self._kept.get("file", source, lambda: self._read_file(source["path"]))
        self._language_file = Known(source, read)
        return read

    def _read_file(self, path: str) -> NgramModel:
        """The model of a file: of labels or, if those can spell it, of words."""
        model, alphabet = _read(path), Alphabet(self.classes_)
        n_labels = sum(alphabet.id_of(unit) >= 0 for unit in model.units_)
        n_spelled = sum(
            len(unit) > 1 and not set(unit) - alphabet.characters.keys()
            for unit in model.units_
            if alphabet.id_of(unit) < 0
        )
        if n_spelled >= max(n_labels, 1) and " " in alphabet.ids:
            return _read(path, unit="word")
        return model

    def _decoding_contents(self) -> dict[str, str]:
        """What the language is, whatever holds it: words in order, models as learnt."""
        model = self._present_model()
        told = {"lexicon": self.lexicon, "hotwords": self.hotwords}
        contents = {name: contents_of(value) for name, value in told.items()}
        contents["pattern"] = contents_of(self.pattern)
        contents["language_model"] = "None"
        if model is not None:
            key = _Same(model._model())
            contents["language_model"] = self._kept.get(
                "contents", key, lambda: contents_of(model)
            )
        return contents

    # -- following ----------------------------------------------------------------

    def _present_guide(self) -> Guide | None:
        """What the search follows, by the present parameters."""
        parts = [*self._model_part(), *self._constraint_part(), *self._hotword_part()]
        bonus = float(self.insertion_bonus)
        if not parts and not bonus:
            return None
        n_labels = len(self.classes_)
        key = [(automaton, scale) for automaton, scale in parts], bonus
        return self._kept.get("guide", key, lambda: Guide.of(n_labels, parts, bonus))

    @property
    def _kept(self) -> Compiled:
        return _compiled_for(self.classes_)

    def _compile(self, name: str, key: Any, told: Any) -> Automaton:
        classes = self.classes_.tolist()
        return self._kept.get(name, key, lambda: told._automaton(classes))

    def _model_part(self) -> list:
        model = self._present_model()
        if model is None or not self.lm_weight:
            return []
        key, classes = _Same(model._model()), self.classes_.tolist()

        def compile() -> Automaton:
            automaton = model._automaton(classes)
            _warn_of_missing(automaton, classes)
            return automaton

        automaton = self._kept.get("language_model", key, compile)
        return [(automaton, float(self.lm_weight))]

    def _constraint_part(self) -> list:
        """The lexicon and the pattern, as one automaton."""
        found = []
        if self.lexicon is not None:
            told = self.lexicon
            if not isinstance(told, Lexicon):
                told = Lexicon(list(told))
            found.append(self._compile("lexicon", _key(told), told))
        if self.pattern is not None:
            told = self.pattern
            if not isinstance(told, LabelPattern):
                told = LabelPattern(told)
            found.append(self._compile("pattern", _key(told), told))
        if len(found) == 2:
            both = self._kept.get("both", found, lambda: product(*found))
            found = [both]
        return [(automaton, 1.0) for automaton in found]

    def _hotword_part(self) -> list:
        told = self.hotwords
        if told is None or _has_no_entry(told):
            return []
        if not isinstance(told, Hotwords):
            phrases = dict(told) if isinstance(told, Mapping) else list(told)
            told = Hotwords(phrases, weight=self.hotword_weight)
        return [(self._compile("hotwords", _key(told), told), 1.0)]

    def _heard(self, log_probs: np.ndarray) -> np.ndarray:
        """Log-posteriors as the search reads them: blanks are less probable."""
        if not self.blank_penalty:
            return log_probs
        shifted = log_probs.copy()
        shifted[..., -1] -= self.blank_penalty
        return shifted

    def _constraints_told(self) -> list[str]:
        """The parameters that may forbid something."""
        names = "lexicon", "pattern", "language_model"
        return [name for name in names if getattr(self, name) is not None]

    def _filled(self, found: list) -> list:
        """The empty output where no output is allowed, with a warning."""
        gaps = [i for i, labels in enumerate(found) if labels is None]
        if gaps:
            shown = ", ".join(map(str, gaps[:5])) + (", ..." if len(gaps) > 5 else "")
            what = f"the frames of {counted(len(gaps), 'sample')}, {shown}"
            warn_of_gap(self._constraints_told(), what)
        return [NOTHING if labels is None else labels for labels in found]


def warn_of_gap(names: list[str], what: str) -> None:
    """Warn that an output is empty since nothing is allowed."""
    allow = "allows" if len(names) == 1 else "allow"
    warn(
        f"Nothing that {_listed(names)} {allow} fits {what}, so the output there is "
        "empty."
    )


def _warn_of_missing(automaton: Automaton, classes: list) -> None:
    """Name labels that a language model gives no probability, so that none is found."""
    is_given = np.zeros(len(classes), dtype=bool)
    is_given[automaton.labels[~np.isneginf(automaton.log_weights)]] = True
    missing = [classes[i] for i in np.flatnonzero(~is_given)]
    if missing:
        shown = ", ".join(map(repr, missing[:5])) + (", ..." if missing[5:] else "")
        warn(
            f"The language model gives {counted(len(missing), 'label')} no "
            f"probability, so that no output holds {shown}. Learn it from text with "
            "them, or give <unk> a probability in its file."
        )


def _is(estimator, name: str, value: Any) -> bool:
    present = getattr(estimator, name)
    if name == "hotwords" and present is not None and _has_no_entry(present):
        return True
    return present is None if value is None else present == value


def _has_no_entry(value: Any) -> bool:
    is_held = is_collection(value) or isinstance(value, Mapping)
    return is_held and len(value) == 0


def _listed(names: list[str], one: str = "", several: str = "") -> str:
    """Names in a sentence, and the verb that goes with so many."""
    text = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    return f"{text} {several if names[1:] else one}".rstrip()


def _without(names: list[str]) -> str:
    return ", ".join(f"{name}={_FOLLOWED[name]}" for name in names)


def _read(path: str, **options: Any) -> NgramModel:
    try:
        return NgramModel.read_arpa(path, **options)
    except OSError as error:
        what = f"language_model={path!r} cannot be read: {error.strerror or error}."
        cure = "Pass the path of an ARPA file, or 'fit' to learn a model from y."
        raise type(error)(f"{what} {cure}") from error


def _source(value) -> dict:
    """What a model stands for, comparable: its parameters, or its path."""
    if isinstance(value, NgramModel):
        return value.get_params()
    if value == "fit":
        return NgramModel().get_params()
    return {"path": os.fspath(value)}


def _key(told) -> list:
    """The parameters of what was told, as they are now."""
    return [_as_is(value) for value in told.get_params(deep=False).values()]


def _as_is(value) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if is_collection(value):
        return [list(word) if is_collection(word) else word for word in value]
    return value
