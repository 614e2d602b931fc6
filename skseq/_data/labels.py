"""Turns whatever a user holds as y into one canonical list of label sequences.

Knows nothing of Keras.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import column_or_1d

from skseq._data.collections import (
    array_of,
    as_collection,
    check_n_samples,
    object_array,
    tensor_values,
)
from skseq._parameters import OneOf, check_value
from skseq._warnings import warn
from skseq._wording import counted

# Words are taken for names of classes where each comes this often, on average.
_SAMPLES_PER_NAME = 10
_FEWEST_NAMED = 20

_TARGETS = ("auto", "sequence", "single")
_NUMBERS = (int, float, np.bool_, np.integer, np.floating)

# A subclass stands before its parent: a bool is an int, too.
_KINDS = {
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "float": (float, np.floating),
    "str": (str,),
}
_KIND_OF_DTYPE = {"b": "bool", "i": "int", "u": "int", "f": "float", "U": "str"}


@dataclass(frozen=True, eq=False)
class LabelSequences:
    """A checked y.

    Parameters
    ----------
    sequences : list of str, list, tuple or 1-D ndarray
        The labels of each sample; one label each if `form` is "single".
    form : {"str", "list", "tuple", "array", "single"}
        What the user gave for each sample; "list" if it was not always the same.
    """

    sequences: list
    form: str

    def __len__(self):
        return len(self.sequences)

    def take(self, indices):
        """Return the label sequences at `indices`, ints or bools, in that order."""
        chosen = np.arange(len(self))[indices]
        return LabelSequences([self.sequences[i] for i in chosen], self.form)


def check_labels(y, n_samples, *, target, estimator_name):
    """Check y and view it as one label sequence per sample.

    Parameters
    ----------
    y : array-like or object with ``__len__`` and ``__getitem__``
        One str, list, tuple or 1-D array of labels per sample, or one label per sample.
        Labels are integers, bools, strings or floats that are whole numbers.
    n_samples : int
        Samples of X.
    target : {"auto", "sequence", "single"}
        "single" takes each entry of y for a label, "sequence" for a sequence of
        labels; "auto" takes numbers for labels and anything else for sequences.
    estimator_name : str
        Who asks for y if it is None.

    Returns
    -------
    labels : LabelSequences

    Raises
    ------
    TypeError
        If y, a sequence or a label is of a kind that is not supported.
    ValueError
        If y does not match X, or is missing labels or mixes them.

    Warns
    -----
    UserWarning
        If `target` is "auto" and strings look like names of classes: at least 20
        samples, at most a tenth of them distinct, all of two letters or more.
    """
    check_value(estimator_name, "target", target, OneOf(_TARGETS))
    if y is None:
        raise ValueError(
            f"This {estimator_name} estimator requires y to be passed, but the target "
            "y is None."
        )
    y = tensor_values(as_collection(y, "y", "label sequences, one per sample"))
    if getattr(y, "shape", None) == ():
        raise TypeError(f"y must be a collection of label sequences, got {y!r}.")
    check_n_samples("y", len(y), n_samples)
    y = _flatten(y, target)
    items = [tensor_values(y[i]) for i in range(n_samples)]
    for i, item in enumerate(items):
        _check_present(item, f"y[{i}]")
    if target == "single" or (
        target == "auto" and all(isinstance(item, _NUMBERS) for item in items)
    ):
        return _single_labels(y, plain_labels(items))
    if target == "auto":
        _warn_of_class_names(items)
    return _label_sequences(items)


def _warn_of_class_names(items: list) -> None:
    """Warn if text that is read letter by letter looks like the names of classes."""
    if len(items) < _FEWEST_NAMED or not all(isinstance(item, str) for item in items):
        return
    names = set(items)
    if len(names) * _SAMPLES_PER_NAME > len(items) or min(map(len, names)) < 2:
        return
    shown = ", ".join(repr(str.__str__(name)) for name in sorted(names)[:3])
    warn(
        f"y holds {counted(len(names), 'different word')} for {len(items)} samples "
        f"({shown}), which are read letter by letter. If they name classes, set "
        f"target='single'; "
        "if they are sequences of letters, set target='sequence'."
    )


def plain_labels(labels: Any) -> Any:
    """Turn strings of other types, as members of an Enum, into mere strings."""
    is_array = isinstance(labels, np.ndarray)
    if isinstance(labels, str) or (is_array and labels.dtype.kind != "O"):
        return labels
    if not any(issubclass(t, str) and t is not str for t in set(map(type, labels))):
        return labels
    plain = [str.__str__(v) if isinstance(v, str) else v for v in labels]
    if is_array:
        return object_array(plain)
    return tuple(plain) if isinstance(labels, tuple) else plain


def kind_of(label: Any) -> str | None:
    """What two labels share if they can be equal: "bool", "number" or "str"."""
    for kind, types in _KINDS.items():
        if isinstance(label, types) and not isinstance(label, np.timedelta64):
            return "number" if kind in ("int", "float") else kind
    return None


def sorted_classes(classes) -> np.ndarray:
    """The labels that a user lists, sorted, as an array."""
    classes = list(plain_labels(list(classes)))
    labels = array_of(classes)
    is_flat = labels.ndim == 1 and labels.dtype.kind in "biuU" and labels.size
    if not is_flat or labels.tolist() != classes:
        raise ValueError(
            "classes must be a collection of labels, all integers or all strings. Got "
            f"{classes!r} instead."
        )
    distinct = np.unique(labels)
    if len(distinct) < len(labels):
        raise ValueError(f"classes must hold each label once. Got {classes!r} instead.")
    return distinct


def _flatten(y: Any, target: str) -> Any:
    """Refuse a y of two dimensions or more, unless it is a column of single labels."""
    n_dims = len(getattr(y, "shape", (len(y),)))
    if n_dims == 1:
        return y
    if _is_one_hot(np.asarray(y)):
        raise ValueError(
            f"y of shape {y.shape} looks one-hot; labels are required. Pass "
            f"np.argmax(y, axis={n_dims - 1})."
        )
    is_column = n_dims == 2 and y.shape[1] == 1
    if target == "single" and is_column:
        warn(
            "A column-vector y was passed when a 1d array was expected. Change the "
            f"shape of y to (n_samples,): pass {_as_one(y)}.",
            DataConversionWarning,
        )
        return column_or_1d(y)
    if hasattr(y, "columns"):
        cure = f": {_as_one(y)}" if is_column else ", a column of lists or strings"
        raise ValueError(
            f"y is a DataFrame of shape {y.shape}. Pass one label sequence per sample"
            f"{cure}."
        )
    if target == "single":
        raise ValueError(
            f"y has shape {y.shape}, but target='single' takes one label per sample, "
            "an array of shape (n_samples,)."
        )
    raise ValueError(
        f"y is a {n_dims}-D array of shape {y.shape}. Padding cannot be told from "
        "labels: pass a list of unpadded label sequences, or list(y) if there is no "
        "padding."
    )


def _as_one(y: Any) -> str:
    """What to write for the only column of y."""
    return f"y[{next(iter(y.columns))!r}]" if hasattr(y, "columns") else "y.ravel()"


def _is_one_hot(array: np.ndarray) -> bool:
    """Tell whether the last axis holds a single one among zeros."""
    if array.dtype.kind not in "biuf" or array.ndim < 2 or array.shape[-1] < 2:
        return False
    is_binary = np.all((array == 0) | (array == 1))
    return bool(is_binary and np.all(array.sum(axis=-1) == 1))


def _single_labels(y: Any, items: list) -> LabelSequences:
    _check_one_kind(_kinds(items, "y"))
    is_typed = isinstance(y, np.ndarray) and y.dtype.kind in _KIND_OF_DTYPE
    sequences = [y[i : i + 1] if is_typed else [item] for i, item in enumerate(items)]
    return LabelSequences(sequences, "single")


def _label_sequences(items: list) -> LabelSequences:
    sequences, forms, kinds = [], set(), {}
    for i, item in enumerate(items):
        sequence, form = _as_sequence(item, f"y[{i}]")
        sequence = plain_labels(sequence)
        for kind, place in _kinds(sequence, f"y[{i}]").items():
            kinds.setdefault(kind, place)
        sequences.append(sequence)
        forms.add(form)
    _check_one_kind(kinds)
    return LabelSequences(sequences, forms.pop() if len(forms) == 1 else "list")


def _as_sequence(item: Any, name: str) -> tuple[Any, str]:
    """Return one label sequence and its form."""
    if isinstance(item, str):
        return str.__str__(item), "str"  # str() would give the name of an Enum member
    if isinstance(item, tuple):
        return item, "tuple"
    if isinstance(item, bytes | bytearray):
        raise TypeError(f"{name} is bytes; decode it to str first.")
    if isinstance(item, Sequence):
        return item, "list"
    if isinstance(item, Set):
        raise TypeError(
            f"{name} is a {type(item).__name__}, which has no order; pass a list of "
            "labels."
        )
    if isinstance(item, _NUMBERS) or getattr(item, "shape", None) == ():
        raise ValueError(
            f"{name} is the scalar label {item}. Pass a sequence, e.g. [{item}], or "
            "set target='single'."
        )
    if isinstance(item, Mapping) or not hasattr(item, "__array__"):
        raise TypeError(
            f"{name} is a {type(item).__name__}, not a label sequence; pass a str, a "
            "list, a tuple or a 1-D array."
        )
    return _as_label_array(np.asarray(item), name), "array"


def _as_label_array(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim == 1:
        return array
    cure = (
        f" It looks one-hot: pass np.argmax({name}, axis=1)."
        if _is_one_hot(array)
        else f" Pass {name}.ravel() or a flat list."
    )
    raise ValueError(
        f"{name} has {array.ndim} dimensions; a label sequence is 1-D.{cure}"
    )


def _kinds(labels: Iterable, name: str) -> dict[str, str]:
    """Check the labels; return the kinds met and the place where each was first."""
    if len(labels) == 0:
        return {}
    kind = "str" if isinstance(labels, str) else None
    if isinstance(labels, np.ndarray):
        kind = _KIND_OF_DTYPE.get(labels.dtype.kind)
    if kind is not None and kind != "float":
        return {kind: f"{name}[0]"}
    kinds = {}
    for label_type in dict.fromkeys(map(type, labels)):
        places = (j for j, label in enumerate(labels) if type(label) is label_type)
        first = next(places)
        kind = _kind(label_type, labels[first], f"{name}[{first}]")
        kinds.setdefault(kind, f"{name}[{first}]")
        if kind == "float":
            for j in (first, *places):
                _check_integral(labels[j], f"{name}[{j}]")
    return kinds


def _kind(label_type: type, label: Any, name: str) -> str:
    is_time = issubclass(label_type, np.timedelta64)  # an integer, to NumPy
    for kind, types in _KINDS.items():
        if issubclass(label_type, types) and not is_time:
            return kind
    _check_present(label, name)
    if isinstance(label, bytes):
        raise TypeError(f"{name} is bytes; decode it to str first.")
    if isinstance(label, list | tuple | np.ndarray):
        raise ValueError(
            f"{name} is itself a sequence; label sequences must be flat, with one "
            "label per entry."
        )
    module = "" if label_type.__module__ == "builtins" else f"{label_type.__module__}."
    raise TypeError(
        f"{name} has unsupported label type {module}{label_type.__qualname__}. Labels "
        "must be integers or strings."
    )


def _check_present(value: Any, name: str) -> None:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        raise ValueError(f"{name} is missing ({value}). Drop it, in X too, or fill it.")
    if isinstance(value, float | np.floating) and not np.isfinite(value):
        kind = "NaN" if np.isnan(value) else "infinity"
        raise ValueError(f"Input y contains {kind} ({name}).")


def _check_integral(label: float, name: str) -> None:
    _check_present(label, name)
    if label != np.trunc(label):
        raise ValueError(
            f"Unknown label type: continuous ({name}={label}); labels must be integers "
            "or strings."
        )


def _check_one_kind(kinds: dict[str, str]) -> None:
    if len(kinds) > 1:
        found = ", ".join(f"{kind} ({place})" for kind, place in kinds.items())
        raise ValueError(
            f"y mixes label types: {found}. Convert all labels to one type."
        )
