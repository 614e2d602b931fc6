"""What shows that a fit has learnt too little, in words.

Outputs for a part of the training data are compared with the best that one and the same
output could do; losses with themselves. Knows nothing of Keras and of any task.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from skseq._engine.state import Subset
from skseq._seeding import generator

# Sequences that are looked at: far fewer than training reads, and enough to tell.
N_JUDGED = 64

# Of the error of the best constant output: with more, hardly anything was learnt.
CONSTANT_SHARE = 0.9

# A loss that falls by more over the last tenth of the epochs is still falling; one that
# is below this share of the first is small enough.
FALL = 0.05
SMALL = 0.1

# Deviations of what is drawn that no fall exceeds by chance, or hardly ever.
CLEAR = 2

# A loss whose mean after the first of several epochs is lower by no more stands still.
STILL = 0.005
FEW_EPOCHS = 5
MANY_STEPS = 200

# A loss that ends above the first by more has been driven away.
RISE = 0.1

MAX_CONSTANTS = 16


def judged_rows(subset: Subset) -> np.ndarray:
    """Some rows, drawn in the same way each time: users keep them in many orders."""
    n_rows = len(subset.rows)
    if n_rows <= N_JUDGED:
        return subset.rows
    places = generator(0, "judged").choice(n_rows, N_JUDGED, replace=False)
    return subset.rows[np.sort(places)]


def lack_of_learning(
    targets: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    weights: np.ndarray | None = None,
) -> str | None:
    """Say how outputs show that nothing was learnt; None where they do not.

    Both are sequences of ids. What all targets have in common needs no learning, so of
    targets that are all the same nothing is said but that nothing is written. Errors
    count by the weights that the sequences were learnt with.
    """
    wanted, found = (
        [tuple(map(int, ids)) for ids in side] for side in (targets, outputs)
    )
    counts, n_samples = Counter(found), len(found)
    if counts[()] == n_samples and any(wanted):
        return "it writes nothing at all"
    if len(set(wanted)) < 2:
        return None
    if len(counts) == 1:
        return "it gives the same output for every sequence"
    weights = np.ones(n_samples) if weights is None else weights
    error = _error(wanted, found, weights)
    least = _least_constant_error(wanted, weights)
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


def _least_constant_error(wanted: list[tuple], weights: np.ndarray) -> float:
    counts = Counter()
    for output, weight in zip(wanted, weights.tolist(), strict=True):
        counts[output] += weight
    candidates = [output for output, _ in counts.most_common(MAX_CONSTANTS)]
    return min(_error(wanted, [c] * len(wanted), weights) for c in [(), *candidates])


def _error(wanted: list[tuple], found: list[tuple], weights: np.ndarray) -> float:
    """Edits per wanted id."""
    edits = np.array(list(map(Levenshtein.distance, wanted, found)))
    total = weights @ np.array(list(map(len, wanted)))
    return float(weights @ edits / total) if total > 0 else float(edits.sum())


def trouble_of(estimator, n_samples: int, rate: str, are_drawn: bool) -> str | None:
    """What to warn of: what the losses of a fit show; None where all is well.

    `rate` is what a user changes the learning rate by. Where it goes on from a fit, or
    the first epoch is long enough to learn all there is, a loss may stand still.
    """
    name, losses = type(estimator).__name__, estimator.history_["loss"]
    is_long = n_samples > MANY_STEPS * estimator.batch_size_
    may_stand = estimator.warm_start or is_long
    if rise := rise_of(losses):
        return (
            f"{name} was driven away from what it had learnt: {rise}. Lower the {rate}."
        )
    if not may_stand and (still := standstill_of(losses)):
        return (
            f"{name} has not learnt anything: {still}. Raise the {rate}; if it is high "
            "already, lower it."
        )
    if fall := fall_of(losses, are_drawn):
        return (
            f"{name} was still learning when fit ended: {fall}. Raise "
            f"epochs={estimator.epochs}, or the {rate}."
        )
    return None


def rise_of(losses: Sequence[float]) -> str | None:
    """Say how a loss has risen over a fit; None where it did not."""
    if len(losses) < 2 or not 0 < losses[0] * (1 + RISE) < losses[-1]:
        return None
    return (
        f"the loss was {losses[0]:.3g} in the first epoch and {losses[-1]:.3g} at last"
    )


def standstill_of(losses: Sequence[float]) -> str | None:
    """Say that a loss did not fall over a fit; None where it did.

    An untrained network can happen to be better than one and the same output. Dropout
    makes losses differ from one epoch to the next.
    """
    if len(losses) < FEW_EPOCHS or losses[0] <= 0:
        return None
    first, *others = losses
    chance = CLEAR * float(np.std(np.diff(others)))
    if first - np.mean(others) > max(STILL * first, chance):
        return None
    return (
        f"the loss was {losses[0]:.4g} in the first of {len(losses)} epochs and "
        f"{losses[-1]:.4g} at last"
    )


def fall_of(losses: Sequence[float], are_drawn: bool = False) -> str | None:
    """Say by how much a loss was still falling at the end; None where it was not.

    Where each epoch has draws of its own, a fall must stand out among what its losses
    differ by from one epoch to the next.
    """
    n_last = max(1, len(losses) // 10)
    if len(losses) < 2 or losses[-1] <= SMALL * losses[0]:
        return None
    if losses[-1] > losses[0]:  # it has risen before
        return None
    fall = 1 - losses[-1] / losses[-1 - n_last] if losses[-1 - n_last] > 0 else 0.0
    if fall <= FALL:
        return None
    chance = np.std(np.diff(losses[-2 * n_last - 1 :])) if are_drawn else 0.0
    if losses[-1 - n_last] - losses[-1] <= CLEAR * chance:
        return None
    last = "epoch" if n_last == 1 else f"{n_last} epochs"
    return f"over the last {last} of {len(losses)} the loss fell by another {fall:.0%}"
