"""Augmenters made of others: in a row, one of several, and only sometimes.

Knows nothing of what the others do.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from skseq._parameters import NONE, POSITIVE_REAL, UNIT_INTERVAL, Kind, TupleOf
from skseq.augmentation._base import Augmenter, is_augmenter

_STEP = Kind(
    is_augmenter,
    "an augmenter, or a function that skseq.augmentation.augmenter has marked",
)


class _Steps(Kind):
    """A list of augmenters; says which entry is not one."""

    def hint(self, name, value):
        if not isinstance(value, (list, tuple)):
            return ""
        bad = [i for i, step in enumerate(value) if not is_augmenter(step)]
        return f"{name}[{bad[0]}] is not an augmenter." if bad else f"{name} is empty."


_STEPS = _Steps(
    lambda value: (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(map(is_augmenter, value))
    ),
    "a non-empty list of augmenters, or of functions that "
    "skseq.augmentation.augmenter has marked",
)


class _Combined(Augmenter):
    """Checks the augmenters that it is made of along with its own parameters."""

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for step in self._parts:
            if isinstance(step, Augmenter):
                step._check_parameters()

    @property
    def _parts(self) -> Sequence:
        """The augmenters that it is made of."""
        steps = self.step if hasattr(self, "step") else self.steps
        return steps if isinstance(steps, (list, tuple)) else [steps]


def leaves(step: Any) -> list:
    """What an augmenter is made of in the end; itself, if it is made of no others."""
    if not isinstance(step, _Combined):
        return [step]
    return [leaf for part in step._parts for leaf in leaves(part)]


class Compose(_Combined):
    """Apply several augmenters, one after another.

    Parameters
    ----------
    steps : list of augmenters
        What is applied, first to last.

    Attributes
    ----------
    changes_frames : bool
        Whether any step does.

    See Also
    --------
    OneOf : Applies one of several.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Compose, Gain, SpeedPerturb
    >>> augment = Compose([SpeedPerturb(0.8, 0.8), Gain(-6, 0)])
    >>> augment(np.ones(100), np.random.default_rng(0)).shape
    (125,)
    """

    _constraints: ClassVar = {"steps": _STEPS}

    def __init__(self, steps: Sequence[Callable[[Any, np.random.Generator], Any]]):
        self.steps = steps

    @property
    def changes_frames(self) -> bool:
        return _any_changes_frames(self.steps)

    def _augment(self, sequence, rng):
        for step in self.steps:
            sequence = step(sequence, rng)
        return sequence


class OneOf(_Combined):
    """Apply one of several augmenters, drawn for each sequence.

    Parameters
    ----------
    steps : list of augmenters
        What is drawn from.
    weights : list of float, default=None
        For each step, how often it is drawn in proportion to the others. None draws all
        equally often.

    Attributes
    ----------
    changes_frames : bool
        Whether any step does.

    See Also
    --------
    Sometimes : Applies one augmenter, or none.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import OneOf, Swap, TokenDropout
    >>> augment = OneOf([Swap(0.5), TokenDropout(0.5)], weights=[3, 1])
    >>> rng = np.random.default_rng(0)
    >>> [augment("sequence", rng) for _ in range(3)]
    ['esuqence', 'sqece', 'esuqenec']
    """

    _constraints: ClassVar = {
        "steps": _STEPS,
        "weights": (TupleOf(POSITIVE_REAL), NONE),
    }

    def __init__(
        self,
        steps: Sequence[Callable[[Any, np.random.Generator], Any]],
        *,
        weights: Sequence[float] | None = None,
    ):
        self.steps = steps
        self.weights = weights

    @property
    def changes_frames(self) -> bool:
        return _any_changes_frames(self.steps)

    def _check_parameters(self):
        super()._check_parameters()
        if self.weights is not None and len(self.weights) != len(self.steps):
            raise ValueError(
                "The 'weights' parameter of OneOf must have one entry per step, "
                f"{len(self.steps)}. Got {len(self.weights)} instead."
            )

    def _augment(self, sequence, rng):
        weights = np.ones(len(self.steps)) if self.weights is None else self.weights
        ends = np.cumsum(np.asarray(weights, dtype=float) / max(weights))
        drawn = np.searchsorted(ends, ends[-1] * rng.random(), side="right")
        return self.steps[drawn](sequence, rng)


class Sometimes(_Combined):
    """Apply an augmenter to some sequences only, and leave the others alone.

    Parameters
    ----------
    step : augmenter
        What is applied.
    probability : float, default=0.5
        Probability that it is.

    Attributes
    ----------
    changes_frames : bool
        Whether `step` does.

    See Also
    --------
    OneOf : Always applies one of several.

    Examples
    --------
    >>> import numpy as np
    >>> from skseq.augmentation import Crop, Sometimes
    >>> augment = Sometimes(Crop(0.2), 0.5)
    >>> rng = np.random.default_rng(0)
    >>> [len(augment(np.arange(10), rng)) for _ in range(4)]
    [10, 4, 3, 10]
    """

    _constraints: ClassVar = {"step": _STEP, "probability": UNIT_INTERVAL}

    def __init__(
        self,
        step: Callable[[Any, np.random.Generator], Any],
        probability: float = 0.5,
    ):
        self.step = step
        self.probability = probability

    @property
    def changes_frames(self) -> bool:
        return _any_changes_frames([self.step])

    def _augment(self, sequence, rng):
        return self.step(sequence, rng) if rng.random() < self.probability else sequence


def _any_changes_frames(steps: Any) -> bool:
    """Whether any step does, or is not known not to."""
    if not isinstance(steps, (list, tuple)):  # refused when called
        return True
    return any(getattr(step, "changes_frames", True) for step in steps)
