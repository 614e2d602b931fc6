"""What may be a step of `preprocess`, and what a task may ask of the steps.

A step is a transformer that learns nothing, or an augmenter, as it was given.
"""

import copy

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skseq._parameters import Kind
from skseq._preprocess.plain import CLASSES
from skseq.augmentation import (
    AddNoise,
    FeatureWarp,
    FrequencyMask,
    Gain,
    Reverberate,
    SpecAugment,
    SpeedPerturb,
    is_augmenter,
)
from skseq.augmentation._base import Augmenter
from skseq.augmentation._combined import leaves
from skseq.preprocessing import LogMel, SlidingWindows
from skseq.preprocessing._transformer import SequenceTransformer

# What has a meaning on one side only of what makes features of waveforms.
OF_WAVEFORMS = SpeedPerturb, AddNoise, Gain, Reverberate
OF_FEATURES = FrequencyMask, SpecAugment, FeatureWarp


def _is_step(value) -> bool:
    if isinstance(value, SlidingWindows):
        return False
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
    """A list of steps; says which entry is not one, and what to write."""

    def hint(self, name, value):
        if _is_step(value):
            return f"Did you mean {name}=[{value!r}]?"
        if not isinstance(value, (list, tuple)):
            return _cure(name, value)
        place, step = next((i, s) for i, s in enumerate(value) if not _is_step(s))
        return _cure(f"{name}[{place}]", step)


def _cure(where: str, step) -> str:
    """What to write instead of something that is not a step."""
    if isinstance(step, type):
        return f"{where} is a class. Did you mean {step.__name__}()?"
    if type(step).__name__ == "FrameTransformer":
        return (
            f"{where} is a FrameTransformer, which may learn from data. Put it before "
            "the estimator in a Pipeline, or pass what learns nothing by itself, as a "
            "FunctionTransformer."
        )
    if isinstance(step, SlidingWindows):
        return (
            f"{where}, SlidingWindows, makes several sequences of one. Put it before "
            "the estimator in a Pipeline."
        )
    if isinstance(step, Pipeline):
        return (
            f"{where} is a Pipeline. Write its steps into the list themselves; those "
            "that learn from data stand before the estimator."
        )
    if _transforms(step):
        return (
            f"{where}, {type(step).__name__}, learns from the data it is fitted on. "
            "Put it before the estimator in a Pipeline."
        )
    if callable(step):
        return f"{where} is not marked: pass skseq.augmentation.augmenter(function)."
    named = {name.lower(): name for name in CLASSES}
    name = named.get(str(step).lower().replace("_", ""))
    if name is not None:
        return f"{where} is {step!r}. Did you mean {name}()?"
    if isinstance(step, (list, tuple)):
        return f"{where} is a {type(step).__name__}. Write its entries into the list."
    if isinstance(step, str):
        return f"{where} is {step!r}. Pass the step itself, for example LogMel()."
    return f"{where}, {type(step).__name__}, is neither an augmenter nor a transformer."


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
            movers = [leaf for leaf in leaves(step) if leaf.changes_frames]
            raise ValueError(
                f"preprocess[{place}], {_name_in(step, movers[0])}, may change the "
                f"number or order of frames, but {estimator_name} compares each frame "
                "with the one at its place. Use augmenters with changes_frames=False, "
                "such as TimeMask or GaussianNoise for frames, or TokenDropout with a "
                "replacement for tokens."
            )


def check_steps(steps, *, is_read: bool = False) -> None:
    """Check the parameters of each step, before any sequence is read.

    Parameters
    ----------
    steps : list or None
        The parameter `preprocess`.
    is_read : bool, default=False
        Whether they were read from a file, which must not decide how much memory it
        takes to find out: then no table of filters is made.

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
                step._check_parameters() if is_read else step._mapping()
        except ValueError as error:
            raise ValueError(
                f"preprocess[{place}], {name_of(step)}: {error}"
            ) from error
    if not is_read:
        _check_order(list(steps or ()))


def _check_order(steps: list) -> None:
    """Refuse augmenters on the wrong side of what makes features of waveforms."""
    is_analysis = [isinstance(step, LogMel) for step in steps]
    for place, step in enumerate(steps):
        for leaf in leaves(step):
            if isinstance(leaf, OF_WAVEFORMS) and any(is_analysis[:place]):
                what, side, first = "waveforms", "before", is_analysis.index(True)
            elif isinstance(leaf, OF_FEATURES) and any(is_analysis[place:]):
                what, side = "features, which waveforms have not", "after"
                first = is_analysis.index(True, place)
            else:
                continue
            raise ValueError(
                f"preprocess[{place}], {_name_in(step, leaf)}, changes {what}. Put it "
                f"{side} preprocess[{first}], {name_of(steps[first])}."
            )


def transformers_of(steps) -> list | None:
    """Copy the steps that predictions depend on, all but the augmenters."""
    kept = [copy.deepcopy(step) for step in steps or () if not is_augmenter(step)]
    return kept or None


def _name_in(step, leaf) -> str:
    """What messages call an augmenter for the sake of one that it is made of."""
    return name_of(step) + ("" if leaf is step else f" with {name_of(leaf)}")


def name_of(step) -> str:
    """What messages call a step."""
    return getattr(step, "__name__", type(step).__name__)
