"""What shows that a fit has learnt too little, in words.

Outputs for a part of the training data are compared with the best that one and the same
output could do; losses with themselves. Knows nothing of Keras and of any task.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from skseq._engine.state import Subset

# Sequences that are looked at: far fewer than training reads, and enough to tell.
N_JUDGED = 64

# Of the error of the best constant output: with more, hardly anything was learnt.
CONSTANT_SHARE = 0.9

# A loss that falls by more over the last tenth of the epochs is still falling; one that
# is below this share of the first is small enough.
FALL = 0.05
SMALL = 0.1

MAX_CONSTANTS = 16


def judged_rows(subset: Subset) -> np.ndarray:
    """Some rows, evenly spread over all: users keep them sorted in many ways."""
    n_rows = len(subset.rows)
    places = np.linspace(0, n_rows - 1, min(N_JUDGED, n_rows)).astype(int)
    return subset.rows[places]


def lack_of_learning(
    targets: Sequence[np.ndarray], outputs: Sequence[np.ndarray]
) -> str | None:
    """Say how outputs show that nothing was learnt; None where they do not.

    Both are sequences of ids. What all targets have in common needs no learning, so
    nothing is said of targets that are all the same.
    """
    wanted, found = (
        [tuple(map(int, ids)) for ids in side] for side in (targets, outputs)
    )
    counts, n_samples = Counter(found), len(found)
    if len(set(wanted)) < 2:
        return None
    if counts[()] == n_samples:
        return "it writes nothing at all"
    if len(counts) == 1:
        return "it gives the same output for every sequence"
    error, least = _error(wanted, found), _least_constant_error(wanted)
    if error > CONSTANT_SHARE * least:
        return (
            f"its error rate is {error:.2f}; giving the same output for every "
            f"sequence would reach {least:.2f}"
        )
    return None


def not_learnt(
    estimator, judged: str, lack: str, advice: str, *, learns_from_y: bool = True
) -> str:
    """What to warn of: what those judged lack, as `lack_of_learning` says it."""
    start = "Check that y[i] belongs to X[i]; try" if learns_from_y else "Try"
    return (
        f"{type(estimator).__name__} has learnt next to nothing: on {judged} {lack}. "
        f"{start} more epochs, {advice}."
    )


def _least_constant_error(wanted: list[tuple]) -> float:
    candidates = [output for output, _ in Counter(wanted).most_common(MAX_CONSTANTS)]
    return min(_error(wanted, [c] * len(wanted)) for c in [(), *candidates])


def _error(wanted: list[tuple], found: list[tuple]) -> float:
    """Edits per wanted id."""
    edits = sum(map(Levenshtein.distance, wanted, found))
    return edits / max(1, sum(map(len, wanted)))


def fall_of(losses: Sequence[float]) -> str | None:
    """Say by how much a loss was still falling at the end; None where it was not."""
    n_last = max(1, len(losses) // 10)
    if len(losses) < 2 or losses[-1] <= SMALL * losses[0]:
        return None
    fall = 1 - losses[-1] / losses[-1 - n_last] if losses[-1 - n_last] > 0 else 0.0
    if fall <= FALL:
        return None
    last = "epoch" if n_last == 1 else f"{n_last} epochs"
    return f"over the last {last} of {len(losses)} the loss fell by another {fall:.0%}"
