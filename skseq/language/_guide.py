"""What a search is told of a language: a few automata, and a bonus per label.

Automata that forbid something are one here, so that the frames that are needed to come
to an allowed end are those of all of them together. Knows nothing of posteriors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skseq.language._automaton import Automaton, Needed, product

# The most arcs that are made of an automaton that backs off.
MOST_ARCS = 50_000_000


@dataclass(frozen=True, eq=False)
class Guide:
    """Automata that a search follows side by side, each with a scale of its weights.

    The states of a prefix, one per automaton, and its log-weight depend on its labels
    alone: the sum over automata of scaled weights, and the bonus for each label.
    """

    n_labels: int
    automata: tuple[Automaton, ...]  # if one forbids something, it is the first
    scales: tuple[float, ...]
    bonus: float  # added for each label
    largest_scale: float = 1.0  # of all parts, those that forbid something included

    @classmethod
    def of(
        cls,
        n_labels: int,
        parts: Sequence[tuple[Automaton, float]],
        bonus: float = 0.0,
    ) -> "Guide":
        """A guide of automata and their scales.

        Examples
        --------
        >>> arcs = [0, 1], [0, 0], [1, 2], [0.0, 0.0]
        >>> twice_a = Automaton.of_arcs(2, *arcs, [-np.inf, -np.inf, 0.0])
        >>> guide = Guide.of(2, [(twice_a, 1.0)], bonus=0.5)
        >>> guide.log_weight([0, 0]), guide.log_weight([0])
        (1.0, -inf)
        """
        _check(n_labels, parts, bonus)
        hard = [_scaled(part, scale) for part, scale in parts if part.is_hard]
        soft = [(part, float(scale)) for part, scale in parts if not part.is_hard]
        if hard:
            soft = [(_merged(hard), 1.0), *soft]
        automata, scales = zip(*soft, strict=True) if soft else ((), ())
        largest = float(max((scale for _, scale in parts), default=1.0))
        return cls(int(n_labels), automata, scales, float(bonus), largest)

    @property
    def is_hard(self) -> bool:
        """Whether something is forbidden."""
        return bool(self.automata) and self.automata[0].is_hard

    @cached_property
    def boost(self) -> float:
        """What a label can gain at most, beside what it keeps from being taken back."""
        total = max(0.0, self.bonus)
        for automaton, scale in zip(self.automata, self.scales, strict=True):
            gain = automaton.log_weights.max(initial=0.0)
            back = np.concatenate([automaton.backoff_weights, automaton.final])
            lost = -back[np.isfinite(back)].min(initial=0.0)
            total += scale * (gain + lost) if gain > 0 else 0.0
        return float(total)

    @property
    def needed(self) -> Needed | None:
        """The frames that states of the first automaton need; None if all may end."""
        return self.automata[0].needed if self.is_hard else None

    @cached_property
    def most_needed(self) -> float:
        """The most frames that a state needs of which an end can be reached."""
        if self.needed is None:
            return 0
        first = self.needed.first
        return int(first[np.isfinite(first)].max(initial=0)) + 1

    @property
    def start(self) -> np.ndarray:
        """The states of the empty prefix, (n_automata,)."""
        return np.zeros(len(self.automata), dtype=np.int64)

    def step(self, states: np.ndarray, labels) -> tuple[np.ndarray, np.ndarray]:
        """The states (..., n_automata) and log-weights (...) that labels lead to.

        Where a label is forbidden the weight is minus infinity.
        """
        shape = np.broadcast_shapes(states.shape[:-1], np.shape(labels))
        ends = np.zeros((*shape, len(self.automata)), dtype=np.int64)
        weights = np.full(shape, self.bonus)
        parts = zip(self.automata, self.scales, strict=True)
        for i, (automaton, scale) in enumerate(parts):
            ends[..., i], added = automaton.looked_up(states[..., i], labels)
            weights += scale * added
        return ends, weights

    def final(self, states: np.ndarray) -> np.ndarray:
        """The log-weights (...) of ending in states (..., n_automata)."""
        total = np.zeros(states.shape[:-1])
        parts = zip(self.automata, self.scales, strict=True)
        for i, (automaton, scale) in enumerate(parts):
            total += scale * automaton.final[states[..., i]]
        return total

    def log_weight(self, labels) -> float:
        """What a sequence of label ids has in all, with its end."""
        states, total = self.start, 0.0
        for label in labels:
            states, weight = self.step(states, label)
            total += float(weight)
            if total == -np.inf:
                return total
        return total + float(self.final(states))


def _check(n_labels: int, parts, bonus: float) -> None:
    for automaton, scale in parts:
        if automaton.n_labels != n_labels:
            raise ValueError(
                f"Automata must have {n_labels} labels, as the reader has. Got one of "
                f"{automaton.n_labels}."
            )
        if not 0 <= scale < np.inf:
            raise ValueError(
                "Weights of language models must be finite and not negative. Got "
                f"{scale}."
            )
        for name in ("log_weights", "final", "backoff_weights"):
            if not (getattr(automaton, name) < np.inf).all():
                raise ValueError(
                    f"The {name} of an automaton must be finite or minus infinity. "
                    "Got NaN or infinity among them."
                )
    if not np.isfinite(bonus):
        raise ValueError(f"The bonus per label must be finite. Got {bonus}.")


def _scaled(automaton: Automaton, scale: float) -> Automaton:
    """The automaton with its weights scaled; what is forbidden stays so."""
    if scale == 1.0:
        return automaton
    return replace(
        automaton,
        log_weights=_times(scale, automaton.log_weights),
        final=_times(scale, automaton.final),
        backoff_weights=_times(scale, automaton.backoff_weights),
    )


@np.errstate(invalid="ignore")
def _times(scale: float, weights: np.ndarray) -> np.ndarray:
    return np.where(np.isneginf(weights), -np.inf, scale * weights)


def _merged(hard: list[Automaton]) -> Automaton:
    """One automaton for all that forbid something, whose needed frames are exact."""
    merged, *others = hard
    for other in others:
        merged = product(merged, other)
    if merged.backs_off and np.isneginf(merged.final).any():
        # Where a state backs off, needed frames are a bound: an arc of its own may hide
        # one that it backs off to.
        if merged.n_states * merged.n_labels > MOST_ARCS:
            raise ValueError(
                f"A language model that forbids ends or labels must have at most "
                f"{MOST_ARCS:,} states times labels. This one has {merged.n_states:,} "
                f"states and {merged.n_labels:,} labels. Fit one of a lower order, or "
                "allow it all labels and ends."
            )
        merged = product(merged, _anything(merged.n_labels))
    return merged


def _anything(n_labels: int) -> Automaton:
    labels = np.arange(n_labels)
    nothing = np.zeros(n_labels, np.int64)
    return Automaton.of_arcs(n_labels, nothing, labels, nothing, nothing, [0.0])
