"""What users say of pairs, and which losses go with which distances.

Knows nothing of networks.
"""

import math
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from skseq._data.collections import array_of, check_n_samples
from skseq._wording import counted


@dataclass(frozen=True)
class Loss:
    """What a loss goes with.

    Attributes
    ----------
    margins : dict of str to (float or None)
        By distance, what `margin=None` stands for.
    head : str
        What it learns beside the network, by its name in `network.HEADS`.
    pair_head : str or None
        The same where pairs are given; None if it takes no pairs.
    takes_margin : bool
    """

    margins: dict[str, float | None]
    head: str = "none"
    pair_head: str | None = "none"
    takes_margin: bool = True


LOSSES = {
    "prototypical": Loss(
        dict.fromkeys(("cosine", "euclidean", "symmetric_kl")),
        head="scale",
        pair_head="scale and bias",
        takes_margin=False,
    ),
    "triplet": Loss(
        {"cosine": 0.2, "euclidean": 1.0, "symmetric_kl": 1.0}, pair_head=None
    ),
    "classification": Loss({"cosine": None}, head="classes", pair_head=None),
    "contrastive": Loss({"cosine": 1.0, "euclidean": 1.0}),
    "kl_hinge": Loss({"symmetric_kl": 5.0}),
}


def check_goes_together(loss: str, distance: str, margin: float | None) -> None:
    """Refuse a loss with a distance, or a margin, that it does not go with."""
    known = LOSSES[loss]
    if distance not in known.margins:
        fitting = " or ".join(f"distance={name!r}" for name in known.margins)
        others = [name for name, other in LOSSES.items() if distance in other.margins]
        raise ValueError(
            f"loss={loss!r} does not go with distance={distance!r}. Set {fitting}, or "
            f"take another loss: {distance!r} goes with {', '.join(map(repr, others))}."
        )
    if loss == "classification" and margin is not None and margin >= math.pi:
        raise ValueError(
            f"margin={margin} must be below pi with loss='classification': it is an "
            "angle in radians, and past half a turn nothing is learnt. Set it to 0.2, "
            "for example; 180 degrees are pi."
        )
    if margin is not None and not known.takes_margin:
        raise ValueError(
            f"margin={margin} has no effect with loss={loss!r}, which has none. Leave "
            "it out, or take another loss."
        )


def check_takes_pairs(loss: str) -> None:
    """Refuse to learn from pairs by a loss that needs classes."""
    if LOSSES[loss].pair_head is None:
        fitting = [repr(n) for n, other in LOSSES.items() if other.pair_head]
        raise ValueError(
            f"loss={loss!r} needs the class of each sequence, which pairs do not tell. "
            f"Set loss to {', '.join(fitting[:-1])} or {fitting[-1]}, or pass classes "
            "to fit."
        )


def pair_flags(y: Any, n_pairs: int) -> tuple[np.ndarray, int]:
    """Whether pairs are alike, and the label of those that are not, 0 or -1."""
    if y is None:
        raise ValueError("y is None. Say of each pair whether it is alike: 1, or -1.")
    labels = column_or_1d(array_of(y))
    check_n_samples("y", len(labels), n_pairs)
    values = labels.tolist()
    is_known = [isinstance(v, Number | np.bool_) and v in (1, -1, 0) for v in values]
    kinds = set(values) if all(is_known) else {"other"}
    if not kinds <= {1, -1} and not kinds <= {1, 0}:
        i = int(np.argmin(is_known))
        found = "both 0 and -1" if all(is_known) else f"y[{i}] = {values[i]!r:.60}"
        raise ValueError(
            "y must hold 1 for a pair that is alike and -1 for one that is not, or 1 "
            f"and 0, or booleans. Got {found} instead."
        )
    is_alike = np.array([value == 1 for value in values], dtype=bool)
    return is_alike, -1 if -1 in kinds else 0


def of_positive_weight(what: str, sample_weight: np.ndarray) -> str:
    """Words that say which are counted, if some have no weight; else none."""
    if (sample_weight > 0).all():
        return ""
    return f" among {what} whose sample_weight is above 0"


def check_both_kinds(is_alike: np.ndarray, what: str = "y", of: str = "") -> None:
    """Refuse pairs that are all alike, or all different."""
    if is_alike.all() or not is_alike.any():
        n_alike = int(np.count_nonzero(is_alike))
        raise ValueError(
            f"{what} must hold pairs of both kinds{of}. Got "
            f"{counted(n_alike, 'pair')} alike and {len(is_alike) - n_alike} not."
        )
