"""What every augmenter is, and how a function becomes one.

Reads arrays as floats and restores their type; knows no single augmenter.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar, TypeVar, overload

import numpy as np
from sklearn.base import BaseEstimator

from skseq._parameters import (
    BOOLEAN,
    NON_NEGATIVE_INT,
    UNIT_INTERVAL,
    Interval,
    Kind,
    check_parameters,
    check_value,
)
from skseq._routing import AnswersForeignNames
from skseq._wording import counted

# A number of frames or features, or else the share of those that there are.
WIDTH = (NON_NEGATIVE_INT, UNIT_INTERVAL)
REAL = Interval(float, None, None, closed="neither")
DECIBELS = Interval(float, -200, 200, closed="both")

# What to write where a whole collection is passed for one sequence.
ONE_BY_ONE = "Call it for each sequence of a collection: [augment(x, rng) for x in X]."

_Function = TypeVar("_Function", bound=Callable[..., Any])

_GENERATOR = Kind(
    lambda value: isinstance(value, np.random.Generator),
    "a numpy.random.Generator, such as np.random.default_rng(0)",
)


def is_augmenter(step: object) -> bool:
    """Say whether a step is an augmenter.

    Parameters
    ----------
    step : object
        Any object.

    Returns
    -------
    answer : bool
        True for whatever can be called and has an attribute `changes_frames` that is a
        bool: the classes of this module, once constructed, and functions that
        :func:`augmenter` has marked.

    Examples
    --------
    >>> from skseq.augmentation import TimeMask, is_augmenter
    >>> is_augmenter(TimeMask()), is_augmenter(TimeMask), is_augmenter(len)
    (True, False, False)
    """
    if isinstance(step, type) or not callable(step):
        return False
    return BOOLEAN.accepts(getattr(step, "changes_frames", None))


@overload
def augmenter(function: _Function, *, changes_frames: bool = True) -> _Function: ...
@overload
def augmenter(
    function: None = None, *, changes_frames: bool = True
) -> Callable[[_Function], _Function]: ...
def augmenter(function=None, *, changes_frames=True):
    """Mark a function of a sequence and a generator as an augmenter.

    Parameters
    ----------
    function : callable, default=None
        Takes a sequence and a :class:`numpy.random.Generator`, and returns a sequence
        of the same type and number of features. It must not write to the sequence, nor
        draw from any other generator. With None, a decorator is returned.
    changes_frames : bool, default=True
        Whether the number, the order or the times of the frames may change. False
        promises that frame i of the result still is frame i of the sequence.

    Returns
    -------
    function : callable
        The same function, with the attribute `changes_frames`.

    Raises
    ------
    ValueError
        If `function` cannot be called or marked, as methods and functions of C cannot
        be, or `changes_frames` is not a bool.

    See Also
    --------
    is_augmenter : Says whether a step is marked.

    Notes
    -----
    An instance of a class of your own needs no mark if it has `__call__` and an
    attribute `changes_frames`.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import augmenter
    >>> @augmenter(changes_frames=False)
    ... def flip_sign(sequence, rng):
    ...     return sequence if rng.random() < 0.5 else -sequence
    >>> flip_sign(np.ones((2, 1)), np.random.default_rng(0))
    array([[-1.],
           [-1.]])
    """
    check_value("augmenter", "changes_frames", changes_frames, BOOLEAN)

    def mark(function):
        is_function = callable(function) and not isinstance(function, type)
        if not is_function:
            raise ValueError(
                "The 'function' parameter of augmenter must be a function of a "
                f"sequence and a generator. Got {function!r} instead."
            )
        try:
            function.changes_frames = bool(changes_frames)
        except AttributeError as error:
            raise ValueError(
                f"{function!r} cannot be marked. Wrap it in a function: "
                "lambda sequence, rng: ..."
            ) from error
        return function

    return mark if function is None else mark(function)


class Augmenter(AnswersForeignNames, BaseEstimator, ABC):
    """Changes one sequence at random; learns nothing.

    Subclasses list their parameters in `_constraints` and change a sequence in
    `_augment`.
    """

    changes_frames: bool = False
    _constraints: ClassVar = {}

    def __call__(self, sequence: Any, rng: np.random.Generator) -> Any:
        """Return a changed sequence, drawn from `rng`."""
        self._check_parameters()
        check_value(type(self).__name__, "rng", rng, _GENERATOR)
        return self._augment(sequence, rng)

    @abstractmethod
    def _augment(self, sequence: Any, rng: np.random.Generator) -> Any:
        """Return the changed sequence; the parameters are checked."""

    def _check_parameters(self) -> None:
        check_parameters(self, self._constraints)

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return _equal(self.get_params(deep=False), other.get_params(deep=False))

    def __hash__(self):
        # Of the class alone, since parameters can be set.
        return hash(type(self))


class RangeAugmenter(Augmenter):
    """An augmenter that draws a number between its parameters `low` and `high`."""

    low: float
    high: float

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_parameters(self, {"high": Interval(float, self.low, None)})

    def _draw_factor(self, rng: np.random.Generator) -> float:
        """Draw a factor, halving and doubling being equally likely."""
        return float(self.low * (self.high / self.low) ** rng.random())

    def _draw_decibels(self, rng: np.random.Generator) -> float:
        return float(rng.uniform(self.low, self.high))


class ArrayAugmenter(Augmenter):
    """An augmenter of frames, which `_change` takes and returns as floats."""

    def _augment(self, sequence: Any, rng: np.random.Generator) -> np.ndarray:
        given = self._read(sequence)
        # In one memory layout, since that decides in which order values are summed up.
        frames = given.astype(_float_type(given.dtype), order="C", copy=False)
        frames = frames.reshape(len(given), -1)  # (n_frames, n_features)
        with np.errstate(all="ignore"):
            floats = self._change(frames, rng)
            changed = _as_type(floats, given.dtype)
        made = [changed] if changed is floats else [floats, changed]
        if not all(np.isfinite(values).all() for values in made):
            raise ValueError(
                f"{type(self).__name__} makes values NaN or infinite. Those of the "
                "sequence must be small enough to compute with: they go from "
                f"{given.min()} to {given.max()}."
            )
        return changed.reshape(len(changed), *given.shape[1:])

    @abstractmethod
    def _change(self, frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the changed frames, without writing to those passed in."""

    def _read(self, sequence: Any) -> np.ndarray:
        owner = type(self).__name__
        try:
            given = np.asarray(sequence)
        except ValueError as error:  # sequences of several lengths
            raise ValueError(
                f"{owner} needs one sequence of numbers, an array ({error}). "
                f"{ONE_BY_ONE}"
            ) from error
        if given.dtype.kind in "US":
            raise ValueError(
                f"{owner} needs a sequence of numbers, but got text. Tokens are "
                "changed by TokenDropout and Swap. A SequenceTagger takes TokenDropout "
                "with a replacement, as other labels would no longer fit."
            )
        if given.ndim not in (1, 2) or given.size == 0:
            raise ValueError(
                f"{owner} needs a sequence of shape (n_frames,) or (n_frames, "
                f"n_features) with at least one frame. Got shape {given.shape} "
                f"instead.{f' {ONE_BY_ONE}' if given.ndim > 2 else ''}"
            )
        if given.dtype.kind == "c":
            raise ValueError(
                f"{owner} needs a sequence of real numbers. Got dtype {given.dtype} "
                "instead; pass absolute values, or real and imaginary parts as "
                "features."
            )
        if given.dtype.kind not in "fiu":
            raise ValueError(
                f"{owner} needs a sequence of numbers. Got dtype {given.dtype} "
                "instead; convert it, for example by x.astype(np.float32)."
                f"{f' {ONE_BY_ONE}' if given.dtype.kind == 'O' else ''}"
            )
        if not np.isfinite(given).all():
            raise ValueError(
                f"{owner} needs a finite sequence, but "
                f"{counted(np.sum(~np.isfinite(given)), 'value')} of this one are NaN "
                "or infinite. Fill or drop these frames."
            )
        return given


def whole_width(width: float, size: int) -> int:
    """A width in frames or features; one that is not an int is a share of `size`."""
    if isinstance(width, Integral):
        return int(width)
    return int(round(width * size, 9))  # 0.29 of 100 are 29


def _float_type(dtype: np.dtype) -> type:
    """The type to compute in: that of the floats, and of what holds the integers."""
    return np.float32 if np.can_cast(dtype, np.float32) else np.float64


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert floats to a type, rounded and clipped if it is one of integers."""
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    bounds, kind = np.iinfo(dtype), values.dtype.type
    # The largest int64 is not a float; the float below the next int fits into an int.
    highest = np.nextafter(kind(int(bounds.max) + 1), kind(0))
    return np.clip(np.rint(values), kind(bounds.min), highest).astype(dtype)


def _equal(first: Any, second: Any) -> bool:
    """Whether two parameters are equal, arrays and lists of them included."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            _equal(first[name], second[name]) for name in first
        )
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(_equal, first, second))
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second)
    return bool(first == second)
