"""Steps in a row: each is applied to one sequence, and its result checked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skseq._data.frames import fits_float32
from skseq._preprocess.steps import name_of
from skseq._wording import counted
from skseq.augmentation import is_augmenter
from skseq.augmentation._base import Augmenter
from skseq.preprocessing._transformer import SequenceTransformer


@dataclass(frozen=True)
class _Step:
    """One entry of `preprocess`."""

    place: int
    step: Any

    @property
    def augments(self) -> bool:
        return is_augmenter(self.step)

    @property
    def keeps_frames(self) -> bool:
        """Whether it is an augmenter that promises to move no frame."""
        return self.augments and not self.step.changes_frames

    @cached_property
    def _mapping(self) -> Callable:
        return self.step._mapping()

    def __str__(self):
        return f"preprocess[{self.place}], {name_of(self.step)},"

    def apply(self, i: int, sequence: Any, rng: np.random.Generator | None) -> Any:
        """Return what the step makes of sequence `i`, unchecked."""
        if isinstance(self.step, SequenceTransformer) and isinstance(sequence, list):
            raise ValueError(
                f"{self} makes features of frames, but X holds tokens. Leave it out."
            )
        try:
            if isinstance(self.step, Augmenter):  # `check_steps` saw its parameters
                return self.step._augment(sequence, rng)
            if self.augments:
                return self.step(sequence, rng)
            if isinstance(self.step, SequenceTransformer):
                return self._mapping(i, sequence)
            if isinstance(sequence, np.ndarray):
                return self.step.transform(sequence)
            return self.step.transform([sequence])[0]
        except Exception as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            words = str(error) or repr(error)
            raise kind(f"{self} failed on X[{i}]: {words}") from error


@dataclass(frozen=True)
class Chain:
    """Steps, each of whose results is checked."""

    steps: list[_Step]
    checked: Callable[[_Step, int, Any, Any], Any]

    @classmethod
    def of(cls, steps: list, checked: Callable) -> "Chain":
        return cls(list(map(_Step, range(len(steps)), steps)), checked)

    @property
    def augments(self) -> bool:
        return any(step.augments for step in self.steps)

    @property
    def keeps_frames(self) -> bool:
        """Whether no augmenter moves a frame."""
        return all(step.keeps_frames for step in self.steps if step.augments)

    def parted(self) -> tuple["Chain", "Chain"]:
        """The steps before the first augmenter, and the others."""
        places = (n for n, step in enumerate(self.steps) if step.augments)
        place = next(places, len(self.steps))
        parts = self.steps[:place], self.steps[place:]
        return tuple(replace(self, steps=part) for part in parts)

    def check_lengths(self, lengths: dict[int, list[int]], is_fit: bool) -> None:
        """Check the lengths of all that each step was given."""
        for step in self.steps:
            if isinstance(step.step, SequenceTransformer):
                found = np.array(lengths[step.place])
                try:
                    step.step._check_lengths(found, is_fit=is_fit)
                except ValueError as error:
                    raise ValueError(f"{step} {error}") from error

    def apply(
        self,
        i: int,
        sequence: Any,
        rng: np.random.Generator | None = None,
        lengths: dict[int, list[int]] | None = None,
    ):
        """Return what the steps make of sequence `i`; without `rng` none augments.

        Each step's `lengths` are added to, if they are given.
        """
        for step in self.steps:
            if lengths is not None:
                lengths[step.place].append(len(sequence))
            if rng is not None or not step.augments:
                made = step.apply(i, sequence, rng)
                sequence = self.checked(step, i, sequence, made)
        return sequence


def checked_tokens(step: _Step, i: int, before: list, made: Any) -> list:
    """Refuse what are not tokens of the kind that there were."""
    made = made.tolist() if isinstance(made, np.ndarray) else made
    kind = type(before[0])
    if not isinstance(made, (list, tuple)) or {type(t) for t in made} != {kind}:
        raise ValueError(
            f"{step} turned X[{i}], {before!r}, into {made!r}; it must be a list with "
            f"at least one token, all of type {kind.__name__}."
        )
    return list(made)


def checked_frames(step: _Step, i: int, before: np.ndarray, made: Any) -> np.ndarray:
    """Refuse what is not finite frames, or was augmented to another form.

    What is returned no step can write to.
    """
    try:
        made = np.asarray(made)
    except ValueError as error:
        raise ValueError(
            f"{step} turned X[{i}] into what is not an array of numbers: {error}."
        ) from error
    made = made[:, np.newaxis] if made.ndim == 1 else made
    if made.ndim != 2 or 0 in made.shape or made.dtype.kind not in "biuf":
        raise ValueError(
            f"{step} turned X[{i}] into an array of shape {made.shape} and dtype "
            f"{made.dtype}; it must be of numbers, (n_frames, n_features), and not "
            "empty."
        )
    if step.augments:
        made = _of_same_form(step, i, before, made)
    if not fits_float32(made):
        raise ValueError(
            f"{step} turned X[{i}] into values that are NaN, infinite or too large for "
            "single precision."
        )
    made = made.view()
    made.flags.writeable = False
    return made


def _of_same_form(step: _Step, i: int, before: np.ndarray, made: np.ndarray):
    """What an augmenter made, of the dtype that there was; refuse another form."""
    if made.shape[1] != before.shape[1]:
        raise ValueError(
            f"{step} changed the number of features of X[{i}] from {before.shape[1]} "
            f"to {made.shape[1]}; an augmenter must keep it."
        )
    if step.keeps_frames and len(made) != len(before):
        raise ValueError(
            f"{step} turned {counted(len(before), 'frame')} of X[{i}] into "
            f"{len(made)}, though its changes_frames is False."
        )
    are_floats = {made.dtype.kind, before.dtype.kind} == {"f"}
    if are_floats and made.itemsize > before.itemsize:
        with np.errstate(over="ignore"):
            made = made.astype(before.dtype, copy=False)
    are_integers = made.dtype.kind in "iu" and before.dtype.kind in "iu"
    if are_integers and made.dtype != before.dtype:  # as of int16 times a list of ints
        bounds = np.iinfo(before.dtype)
        if bounds.min <= made.min() and made.max() <= bounds.max:
            made = made.astype(before.dtype)
    if made.dtype != before.dtype:
        raise ValueError(
            f"{step} changed the dtype of X[{i}] from {before.dtype} to {made.dtype}; "
            "an augmenter must keep it, for example by .astype(sequence.dtype)."
        )
    return made
