"""What is done to each sequence before a network reads it: the parameter `preprocess`.

Its steps are transformers that learn nothing, which every sequence passes, and
augmenters, which change only what is trained on, in each epoch anew. Knows no network.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import get_tags

import skseq.augmentation
import skseq.preprocessing
from skseq._data.frames import fits_float32
from skseq._data.sequences import Sequences
from skseq._parameters import Kind
from skseq._seeding import derive, generator
from skseq._wording import counted
from skseq.augmentation import is_augmenter
from skseq.augmentation._base import Augmenter
from skseq.preprocessing._transformer import SequenceTransformer

# A draw that the task cannot use is drawn again so often; then the sequence stays.
MAX_DRAWS = 10


def _is_step(value) -> bool:
    return is_augmenter(value) or (_transforms(value) and not _learns(value))


def _transforms(value) -> bool:
    is_object = not isinstance(value, type)
    return is_object and callable(getattr(value, "transform", None))


def _learns(transformer) -> bool:
    """Whether a transformer must be fitted, as far as it says."""
    try:
        return get_tags(transformer).requires_fit
    except (AttributeError, TypeError):
        return False


class _StepsKind(Kind):
    """A list of steps; says which entry is none, and what to write."""

    def hint(self, name, value):
        if _is_step(value):
            return f"Did you mean {name}=[{value!r}]?"
        if not isinstance(value, (list, tuple)):
            return ""
        place, step = next((i, s) for i, s in enumerate(value) if not _is_step(s))
        if isinstance(step, type):
            return f"{name}[{place}] is a class. Did you mean {step.__name__}()?"
        if _transforms(step):
            return (
                f"{name}[{place}], {type(step).__name__}, learns from the data it is "
                "fitted on. Put it before the estimator in a Pipeline."
            )
        if callable(step):
            return (
                f"{name}[{place}] is not marked: pass "
                "skseq.augmentation.augmenter(function)."
            )
        return f"{name}[{place}] is {step!r}."


STEPS = _StepsKind(
    lambda value: isinstance(value, (list, tuple)) and all(map(_is_step, value)),
    "a list of augmenters and of transformers that learn nothing",
)


def check_keeps_frames(steps, estimator_name: str) -> None:
    """Refuse augmenters after which frame i may be another one than before.

    Parameters
    ----------
    steps : list or None
        The parameter `preprocess`.
    estimator_name : str
        Whose parameter it is.

    Raises
    ------
    ValueError
        If one of the augmenters has `changes_frames` set.
    """
    for place, step in enumerate(steps or ()):
        if is_augmenter(step) and step.changes_frames:
            raise ValueError(
                f"preprocess[{place}], {_name(step)}, may change the number or order "
                f"of frames, but {estimator_name} compares each frame with the one at "
                "its place. Use augmenters with changes_frames=False, for example "
                "TimeMask or GaussianNoise."
            )


def check_steps(steps) -> None:
    """Check the parameters of each step, before any sequence is read.

    Raises
    ------
    ValueError
        If a step cannot work. The message names it.
    """
    for place, step in enumerate(steps or ()):
        try:
            if isinstance(step, Augmenter):
                step._check_parameters()
            elif isinstance(step, SequenceTransformer):
                step._mapping()
        except ValueError as error:
            raise ValueError(f"preprocess[{place}], {_name(step)}: {error}") from error


def transformers_of(steps) -> list | None:
    """Copy the steps that predictions depend on, all but the augmenters."""
    kept = [copy.deepcopy(step) for step in steps or () if not is_augmenter(step)]
    return kept or None


def preprocessed(
    sequences: Sequences, steps, *, is_fit: bool = False
) -> "Sequences | Preprocessed":
    """Apply the steps to checked sequences, as they are read.

    Parameters
    ----------
    sequences : Sequences
        What `check_sequences` gives.
    steps : list or None
        The parameter `preprocess`.
    is_fit : bool
        Whether the sequences are those that `fit` sees, which no single short one is.

    Returns
    -------
    sequences : Sequences or Preprocessed
        The same if there are no steps.

    Raises
    ------
    ValueError
        If a step fails on a sequence, or makes frames that no network can read. The
        message names both.
    """
    if not steps:
        return sequences
    return Preprocessed.of(sequences, _Chain.of(steps, _checked_frames), is_fit)


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
        return f"preprocess[{self.place}], {_name(self.step)},"

    def apply(self, i: int, sequence: Any, rng: np.random.Generator | None) -> Any:
        """Return what the step makes of sequence `i`, unchecked."""
        try:
            if self.augments:
                return self.step(sequence, rng)
            if isinstance(self.step, SequenceTransformer):
                return self._mapping(i, sequence)
            if isinstance(sequence, np.ndarray):
                return self.step.transform(sequence)
            return self.step.transform([sequence])[0]
        except Exception as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{self} failed on X[{i}]: {error}") from error


def _name(step) -> str:
    return getattr(step, "__name__", type(step).__name__)


@dataclass(frozen=True)
class _Chain:
    """Steps, each of whose results is checked."""

    steps: list[_Step]
    checked: Callable[[_Step, int, Any, Any], Any]

    @classmethod
    def of(cls, steps: list, checked: Callable) -> "_Chain":
        return cls(list(map(_Step, range(len(steps)), steps)), checked)

    @property
    def augments(self) -> bool:
        return any(step.augments for step in self.steps)

    def parted(self) -> tuple["_Chain", "_Chain"]:
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
                step.step._check_lengths(found, is_fit=is_fit)

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


def _checked_tokens(step: _Step, i: int, before: list, made: Any) -> list:
    """Refuse what are no tokens of the kind that there were."""
    made = made.tolist() if isinstance(made, np.ndarray) else made
    kind = type(before[0])
    if not isinstance(made, (list, tuple)) or {type(t) for t in made} != {kind}:
        raise ValueError(
            f"{step} turned X[{i}], {before!r}, into {made!r}; it must be a list with "
            f"at least one token, all of type {kind.__name__}."
        )
    return list(made)


def _checked_frames(step: _Step, i: int, before: np.ndarray, made: Any) -> np.ndarray:
    """Refuse what is no sequence of finite numbers, or augmented to another form.

    What is returned no step can write to.
    """
    made = np.asarray(made)
    made = made[:, np.newaxis] if made.ndim == 1 else made
    if made.ndim != 2 or 0 in made.shape or made.dtype.kind not in "biuf":
        raise ValueError(
            f"{step} turned X[{i}] into an array of shape {made.shape} and dtype "
            f"{made.dtype}; it must be of numbers, (n_frames, n_features), and not "
            "empty."
        )
    if step.augments and made.shape[1] != before.shape[1]:
        raise ValueError(
            f"{step} changed the number of features of X[{i}] from {before.shape[1]} "
            f"to {made.shape[1]}; an augmenter must keep it."
        )
    if step.keeps_frames and len(made) != len(before):
        raise ValueError(
            f"{step} turned {counted(len(before), 'frame')} of X[{i}] into "
            f"{len(made)}, though its changes_frames is False."
        )
    if step.augments and made.dtype != before.dtype:
        raise ValueError(
            f"{step} changed the dtype of X[{i}] from {before.dtype} to {made.dtype}; "
            "an augmenter must keep it."
        )
    if not fits_float32(made):
        raise ValueError(
            f"{step} turned X[{i}] into values that are NaN, infinite or too large for "
            "single precision."
        )
    made = made.view()
    made.flags.writeable = False
    return made


def _always(i: int, n_frames: int) -> bool:
    return True


@dataclass(frozen=True)
class _Draw:
    """Where the random numbers of an epoch come from, and which results serve."""

    seed: int
    fits: Callable[[int, int], bool] = _always

    def generators(self, i: int) -> Iterator[np.random.Generator]:
        """One generator per try, whatever was drawn for other sequences."""
        return (generator(self.seed, i, attempt) for attempt in range(MAX_DRAWS))


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """Sequences as the steps leave them, read one at a time as `Sequences` are.

    What the steps before the first augmenter make is kept if X is in memory.

    Attributes
    ----------
    source : Sequences
        The sequences as they are passed.
    lengths : ndarray of shape (n_samples,), dtype int64
        Frames of each sequence after the steps, without augmenters; in an epoch whose
        sequences must have their exact lengths, with them.
    n_features : int
        Features of a frame after the steps.
    """

    source: Sequences
    chain: _Chain = field(repr=False)
    lengths: np.ndarray = field(repr=False)
    n_features: int
    kept: list[np.ndarray] | None = field(default=None, repr=False)
    draw: _Draw | None = None
    layout = "sequences"

    @classmethod
    def of(cls, source: Sequences, chain: _Chain, is_fit: bool) -> "Preprocessed":
        """Apply the steps to every sequence once, to learn how long it becomes."""
        start, rest = chain.parted()
        keeps = start.steps and isinstance(source.source, (list, np.ndarray))
        kept, lengths, width, given = [], [], None, defaultdict(list)
        for i in range(len(source)):
            frames = start.apply(i, source[i], lengths=given)
            kept.append(frames if keeps else None)
            frames = rest.apply(i, frames, lengths=given)
            lengths.append(len(frames))
            width = width or frames.shape[1]
            if frames.shape[1] != width:
                raise ValueError(
                    f"preprocess gives X[{i}] {counted(frames.shape[1], 'feature')} "
                    f"per frame, but X[0] {width}."
                )
        chain.check_lengths(given, is_fit)
        lengths = np.array(lengths, dtype=np.int64)
        if keeps:
            return cls(source, rest, lengths, width, kept)
        return cls(source, chain, lengths, width)

    @property
    def terms(self):
        return self.source.terms

    def __len__(self):
        return len(self.source)

    def __getitem__(self, i):
        """Return sequence `i`, an array of shape (n_frames, n_features)."""
        i = range(len(self))[i]
        return self.made(i, self.read(i))

    def read(self, i: int) -> np.ndarray:
        """Return what `made` needs of sequence `i`; this may use the user's objects."""
        return self.source[i] if self.kept is None else self.kept[i]

    def made(self, i: int, read: np.ndarray) -> np.ndarray:
        """Return sequence `i`, of what `read` gave."""
        if self.draw is not None:
            for rng in self.draw.generators(i):
                frames = self.chain.apply(i, read, rng)
                if self.draw.fits(i, len(frames)):
                    return frames
        return self.chain.apply(i, read)

    def in_epoch(self, seed, epoch, *, fits=_always, exact=False) -> "Preprocessed":
        """Return the sequences as they are to be trained on in one epoch.

        Parameters
        ----------
        seed, epoch : int
            What the augmenters draw from, together with the index of the sequence.
        fits : callable
            `fits(i, n_frames)` tells whether sequence `i` can be used if it has become
            so long.
        exact : bool, default=False
            Whether `lengths` must be those of the augmented sequences.
        """
        if not self.chain.augments:
            return self
        draw = _Draw(derive(seed, "preprocess", epoch), fits)
        drawn = replace(self, draw=draw)
        if not exact:
            return drawn
        lengths = [len(drawn[i]) for i in range(len(self))]
        return replace(drawn, lengths=np.array(lengths, dtype=np.int64))

    def take(self, indices) -> "Preprocessed":
        """Return a subset that shares the source."""
        chosen = np.arange(len(self))[indices]
        kept = None if self.kept is None else [self.kept[i] for i in chosen]
        source, lengths = self.source.take(chosen), self.lengths[chosen]
        return replace(self, source=source, lengths=lengths, kept=kept)

    def fingerprint(self) -> int:
        """Return the checksum of the sequences as they were passed."""
        return self.source.fingerprint()


class OfSequences:
    """What has a task's `sequences`: their lengths, and the reading of a batch."""

    sequences: Sequences | Preprocessed

    @property
    def lengths(self) -> np.ndarray:
        return self.sequences.lengths

    def read(self, rows) -> list[np.ndarray]:
        """The sequences of a batch, from wherever the user keeps them."""
        return [self.sequences.read(i) for i in rows]


class PreprocessedTokens:
    """Token sequences as the steps leave them.

    Parameters
    ----------
    sequences : list of list of str or int
        The tokens of each sample.
    steps : list or None
        The parameter `preprocess`.

    Attributes
    ----------
    sequences : list of list of str or int
        The tokens after the steps, without augmenters.
    """

    def __init__(self, sequences: list, steps):
        start, self._rest = _Chain.of(steps or [], _checked_tokens).parted()
        self._kept = [start.apply(i, tokens) for i, tokens in enumerate(sequences)]
        self.sequences = [
            self._rest.apply(i, tokens) for i, tokens in enumerate(self._kept)
        ]

    @property
    def augments(self) -> bool:
        """Whether any step changes what is trained on."""
        return self._rest.augments

    def drawn(self, seed: int, epoch: int, i: int) -> list:
        """Return sequence `i` as it is to be trained on in one epoch."""
        draw = _Draw(derive(seed, "preprocess", epoch))
        return self._rest.apply(i, self._kept[i], next(draw.generators(i)))


# -- in files --------------------------------------------------------------------------

_ROOMS = skseq.augmentation, skseq.preprocessing
_CLASSES = {
    name: getattr(room, name)
    for room in _ROOMS
    for name in room.__all__
    if isinstance(getattr(room, name), type)
}


def describe_steps(value: Any) -> Any:
    """Describe the steps of this package as plain values, also inside one another.

    Parameters
    ----------
    value : list or None
        The parameter `preprocess`.

    Returns
    -------
    description : list or None
        Each step as a dict of its class's name and its parameters. What is no step of
        this package stays as it is.
    """
    if isinstance(value, (list, tuple)):
        return type(value)(map(describe_steps, value))
    name = type(value).__name__
    if _CLASSES.get(name) is not type(value):
        return value
    parameters = value.get_params(deep=False)
    parameters = {key: describe_steps(item) for key, item in parameters.items()}
    return {"step": name, "parameters": parameters}


def build_steps(description: Any) -> Any:
    """Build steps from their description: the inverse of `describe_steps`.

    Parameters
    ----------
    description : list or None
        Plain values, from any source.

    Returns
    -------
    steps : list or None

    Raises
    ------
    ValueError
        If a step is of no class of this package, or without its parameters.
    """
    if isinstance(description, (list, tuple)):
        return type(description)(map(build_steps, description))
    if not isinstance(description, dict):
        return description
    if description.keys() != {"step", "parameters"}:
        raise ValueError(f"a step of preprocess has the keys {list(description)}")
    if description["step"] not in _CLASSES:
        raise ValueError(f"preprocess has an unknown step {description['step']!r}")
    parameters = description["parameters"].items()
    parameters = {key: build_steps(item) for key, item in parameters}
    return _CLASSES[description["step"]](**parameters)
