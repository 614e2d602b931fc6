"""Turns labels into integer ids and back into the user's own types.

Takes checked label sequences. Knows nothing of Keras.
"""

import reprlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from skseq._data.collections import is_sized, object_array, tensor_values, unwrapped
from skseq._parameters import OneOf, check_value
from skseq._wording import counted

_NUMBERS = {
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(f"float{bits}" for bits in (16, 32, 64)),
}

_DECODERS = {
    "str": lambda labels: "".join(labels.tolist()),
    "list": lambda labels: labels.tolist(),
    "tuple": lambda labels: tuple(labels.tolist()),
    "array": lambda labels: labels,
}
# What a sample's labels may be to the user.
FORMS = (*_DECODERS, "single")


@dataclass(frozen=True, eq=False)
class LabelVocabulary:
    """The distinct labels of a y, and the form that its sequences have.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels, sorted. The id of a label is its place among them.
    form : {"str", "list", "tuple", "array", "single"}
        What `decode` makes of each sample.

    Examples
    --------
    >>> from skseq._data.labels import check_labels
    >>> labels = check_labels(["ba", "c"], 2, target="auto", estimator_name="CTC")
    >>> vocabulary = LabelVocabulary.fit(labels)
    >>> vocabulary.classes
    array(['a', 'b', 'c'], dtype='<U1')
    >>> vocabulary.encode(labels)
    [array([1, 0], dtype=int32), array([2], dtype=int32)]
    >>> vocabulary.decode([[2, 0, 1]])
    array(['cab'], dtype=object)
    """

    classes: np.ndarray
    form: str

    @classmethod
    def fit(cls, labels):
        """Collect the distinct labels.

        Parameters
        ----------
        labels : LabelSequences

        Returns
        -------
        vocabulary : LabelVocabulary

        Raises
        ------
        ValueError
            If there are no labels, or if no NumPy array holds them as they are:
            integers that fit no common dtype, or strings that end in a NUL character.
        """
        distinct = sorted(set().union(*map(_plain, labels.sequences)))
        if not distinct:
            raise ValueError("y holds no labels: every label sequence is empty.")
        classes = np.array(distinct, dtype=_common_dtype(labels.sequences))
        exact = classes.dtype.kind in "biufU" and classes.tolist() == distinct
        # -1 and 2**63 meet in float64, and compare equal there.
        are_floats = isinstance(distinct[0], float | np.floating)
        if not exact or (classes.dtype.kind == "f") != are_floats:
            raise ValueError(_misfit(distinct))
        return cls(classes, labels.form)

    @classmethod
    def from_array(cls, classes, form):
        """Rebuild a vocabulary, trusting nothing.

        Parameters
        ----------
        classes : ndarray of shape (n_classes,)
            The `classes` of a vocabulary.
        form : {"str", "list", "tuple", "array", "single"}
            Its `form`.

        Returns
        -------
        vocabulary : LabelVocabulary

        Raises
        ------
        ValueError
            If these are not those of a vocabulary.
        """
        check_value("a vocabulary", "form", form, OneOf(FORMS))
        _check_classes(classes)
        if form == "str" and not all(map(_is_character, classes.tolist())):
            raise ValueError("The classes of a vocabulary of str must be characters.")
        return cls(classes, form)

    def encode(self, labels):
        """Replace each label by its id.

        Parameters
        ----------
        labels : LabelSequences

        Returns
        -------
        ids : list of ndarray of shape (n_labels,), dtype int32

        Raises
        ------
        ValueError
            If a label was not seen in `fit`.
        """
        ids = {label: i for i, label in enumerate(self.classes.tolist())}
        try:
            return [
                np.array([ids[label] for label in _plain(sequence)], dtype=np.int32)
                for sequence in labels.sequences
            ]
        except KeyError:
            raise self._unseen(labels.sequences, ids) from None

    def decode(self, ids):
        """Replace each id by its label, in the form that `fit` saw.

        Parameters
        ----------
        ids : list of array-like of shape (n_labels,), dtype int
            For the form "single" also an array of shape (n_samples,).

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of dtype object, one str, list, tuple or array per sample; for the form
            "single" of the dtype of `classes`, one label per sample.
        """
        if self.form == "single":
            return self.classes[np.asarray(ids, dtype=np.intp).reshape(len(ids))]
        decode = _DECODERS[self.form]
        return object_array(
            decode(self.classes[np.asarray(sample, dtype=np.intp)]) for sample in ids
        )

    def check_kind(self, y):
        """Refuse text where labels are numbers, and numbers where they are text.

        Parameters
        ----------
        y : collection of label sequences, or of labels for the form "single"
            As a user passed it.

        Raises
        ------
        ValueError
            If the first label is of the other kind, so that none can be right.
        """
        for i, item in enumerate(map(tensor_values, unwrapped(y, "y"))):
            is_word = isinstance(item, str) and self.form == "single"
            is_one = is_word or not is_sized(item)
            if not is_one and len(item) == 0:
                continue
            first = item if is_one else next(iter(item))
            if isinstance(first, str) == (self.classes.dtype.kind == "U"):
                return
            raise self._unseen_label(i, first, "")

    def _unseen(self, sequences: list, ids: dict) -> ValueError:
        """Name the first label that has no id."""
        i, position, label = next(
            (i, position, label)
            for i, sequence in enumerate(sequences)
            for position, label in enumerate(_plain(sequence))
            if label not in ids
        )
        where = "" if self.form == "single" else f" at position {position}"
        return self._unseen_label(i, label, where)

    def _unseen_label(self, i: int, label: Any, where: str) -> ValueError:
        known = ", ".join(map(repr, self.classes[:10].tolist()))
        n_more = len(self.classes) - 10
        more = f" and {counted(n_more, 'other')}" if n_more > 0 else ""
        return ValueError(
            f"y[{i}] has the label {label!r}{where}, which was not seen in fit. Known "
            f"labels: {known}{more}."
        )


def _misfit(distinct: list) -> str:
    """Say which labels no NumPy array holds as they are."""
    if isinstance(distinct[0], str):
        label = next(label for label in distinct if label.endswith("\0"))
        return (
            f"The label {label!r} of y ends in a NUL character, which NumPy drops from "
            "strings. Rename it."
        )
    return (
        f"The labels of y lie between {distinct[0]!r} and {distinct[-1]!r}, for which "
        "NumPy has no integer dtype. Renumber them, or pass them as strings."
    )


def _plain(sequence: Any) -> Any:
    """Return labels that hash as the classes do: Python scalars, for an array."""
    return sequence.tolist() if isinstance(sequence, np.ndarray) else sequence


def _common_dtype(sequences: list) -> np.dtype | None:
    """Return the dtype that all the arrays share, None where NumPy is to choose."""
    if not all(isinstance(sequence, np.ndarray) for sequence in sequences):
        return None
    # An empty array says nothing: NumPy's are float64.
    dtypes = {sequence.dtype for sequence in sequences if len(sequence)}
    dtype = np.result_type(*dtypes)
    if dtype.name not in _NUMBERS or dtype.kind not in {d.kind for d in dtypes}:
        return None  # strings, whose length follows the classes; int64 with uint64
    return np.dtype(dtype.name)  # by name, so in native byte order


def _check_classes(classes: Any) -> None:
    """Refuse anything but an array of sorted and distinct labels."""
    is_flat = isinstance(classes, np.ndarray) and classes.ndim == 1
    if not is_flat or len(classes) == 0:
        raise ValueError(
            "The classes of a vocabulary must be a 1-D array with entries. Got "
            f"{reprlib.repr(classes)} instead."
        )
    if classes.dtype.kind != "U" and classes.dtype.name not in _NUMBERS:
        raise ValueError(
            "The classes of a vocabulary must be strings, integers, booleans or "
            f"floats. Got an array of dtype {classes.dtype} instead."
        )
    labels = classes.tolist()
    if labels[0] != labels[0] or not all(a < b for a, b in pairwise(labels)):
        raise ValueError("The classes of a vocabulary must be sorted and distinct.")


def _is_character(label: Any) -> bool:
    return isinstance(label, str) and len(label) == 1
