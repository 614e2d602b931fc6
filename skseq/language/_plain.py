"""What a search is told, as plain values for files, and back."""

import os
import reprlib
from collections.abc import Mapping
from typing import Any

from sklearn.frozen import FrozenEstimator

from skseq._data import fingerprints
from skseq._files.plain import MALFORMED
from skseq.language._alphabet import as_plain, is_collection
from skseq.language._hotwords import Hotwords
from skseq.language._known import Known
from skseq.language._lexicon import Lexicon
from skseq.language._ngram import NgramModel
from skseq.language._pattern import LabelPattern


def _described(known: Known) -> dict:
    return {"source": known.source, "model": known.model._get_state()}


def _known(plain: dict) -> Known:
    source, model = plain["source"], NgramModel._from_state(plain["model"])
    if not isinstance(source, dict):
        raise ValueError("what a language model stands for must be a table")
    is_file = set(source) == {"path"} and isinstance(source["path"], str)
    return Known(source if is_file else NgramModel(**source).get_params(), model)


def _weights(plain: dict) -> dict:
    """Phrases and their weights; those that are lists of labels became lists."""
    return {p if isinstance(p, str) else tuple(p): w for p, w in plain["pairs"]}


def _frozen(value: Any) -> FrozenEstimator:
    model = build(value)
    if not isinstance(model, NgramModel):
        raise ValueError("only a language model can be frozen")
    return FrozenEstimator(model)


# How each kind of object becomes plain values, and what makes it of them.
_KINDS = {
    "Hotwords": (Hotwords, Hotwords._plain, Hotwords._of_plain),
    "Known": (Known, _described, _known),
    "LabelPattern": (
        LabelPattern,
        LabelPattern._plain,
        lambda plain: LabelPattern(**plain),
    ),
    "Lexicon": (Lexicon, Lexicon._plain, lambda plain: Lexicon(**plain)),
    "NgramModel": (
        NgramModel,
        lambda model: model.get_params(),
        lambda plain: NgramModel(**plain),
    ),
    "learnt": (NgramModel, NgramModel._get_state, NgramModel._from_state),
}


# Lists whose order tells nothing.
_UNORDERED = {"value", "words", "pairs"}


def describe(value: Any) -> Any:
    """Describe a parameter of the language, or a model that was learnt.

    Parameters
    ----------
    value : object
        A str, a path, a list, a dict or None; an object of this room; or a fitted
        model, frozen or not.

    Returns
    -------
    description : dict or None
        Its kind and its plain value.
    """
    if value is None:
        return None
    if isinstance(value, FrozenEstimator):
        return {"language": "frozen", "value": describe(value.estimator)}
    name = type(value).__name__
    if name in _KINDS and _KINDS[name][0] is type(value):
        is_learnt = name == "NgramModel" and value.__sklearn_is_fitted__()
        kind = "learnt" if is_learnt else name
        return {"language": kind, "value": _KINDS[kind][1](value)}
    if isinstance(value, Mapping):
        pairs = [(as_plain(phrase), float(w)) for phrase, w in value.items()]
        return {"language": "weights", "value": {"pairs": pairs}}
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    elif is_collection(value):
        value = list(map(as_plain, value))
    return {"language": "plain", "value": value}


def contents_of(value: Any) -> str:
    """Describe what a parameter tells, the same in any process and after a file.

    Words in another order, or in another kind of collection, tell the same.
    """
    plain = describe(value)
    if isinstance(value, Hotwords):
        plain = {**plain["value"]}
        phrases, weights = plain.pop("phrases"), plain.pop("weights")
        if weights is None:
            weights = [float(value.weight)] * len(phrases)
        plain["pairs"] = list(zip(phrases, weights, strict=True))
    return fingerprints.describe(_in_order(plain))


def _in_order(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {
            name: sorted(map(_in_order, value), key=repr)
            if name in _UNORDERED and isinstance(value, (list, tuple))
            else _in_order(value)
            for name, value in plain.items()
        }
    if isinstance(plain, (list, tuple)):
        return list(map(_in_order, plain))
    return plain


def build(description: Any) -> Any:
    """Make what `describe` described: its inverse.

    Raises
    ------
    ValueError
        If `describe` cannot have made it.
    """
    if description is None:
        return None
    if not isinstance(description, dict) or set(description) != {"language", "value"}:
        raise ValueError("what it says of a language has no kind and value")
    kind, value = description["language"], description["value"]
    if kind == "plain":
        return value
    if kind == "frozen":
        return _frozen(value)
    if not isinstance(kind, str) or kind not in {"weights", *_KINDS}:
        raise ValueError(f"it has an unknown kind of language {reprlib.repr(kind)}")
    if not isinstance(value, dict):
        raise ValueError(f"its {kind} must be a table of names and values")
    try:
        return _weights(value) if kind == "weights" else _KINDS[kind][2](value)
    except MALFORMED as error:
        raise ValueError(f"its {kind} is malformed: {error}") from error
