"""What training is given and where it stands, as plain records.

Knows nothing of Keras.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

# Whether smaller is better (1) or larger (-1).
MONITORS = {"val_loss": 1.0, "val_score": -1.0}


@dataclass(frozen=True)
class TrainingPlan:
    """How to train: everything but the network and the data."""

    epochs: int
    batch_size: int
    shuffle: bool
    seed: int
    patience: int | None = None  # epochs without improvement; None: no early stopping
    verbose: int = 0
    exact_lengths: bool = False  # batch only sequences of one length
    monitor: str = "val_loss"  # what early stopping looks at, a name in MONITORS

    def loss(self, logs: dict[str, float]) -> float:
        """What early stopping wants small."""
        return MONITORS[self.monitor] * logs[self.monitor]


@dataclass(frozen=True)
class Subset:
    """Some rows of a data set, to train on or to validate with.

    `data` has `lengths`, `sample_weight` and `assemble(rows)`, which gives the padded
    arrays of a batch. Weights are scaled to a mean of one, so that they change what
    counts and not how large a step is.
    """

    data: Any
    rows: np.ndarray

    @cached_property
    def lengths(self) -> np.ndarray:
        return self.data.lengths[self.rows]

    @cached_property
    def weights(self) -> np.ndarray:
        weights = self.data.sample_weight[self.rows]
        return weights / weights.mean()


@dataclass(frozen=True)
class TrainingState:
    """Where training stands after an epoch, in plain values and arrays."""

    epoch: int
    weights: list[np.ndarray]
    optimizer_state: list[np.ndarray] | None  # None: as new
    averaged_weights: list[np.ndarray] | None = None  # None: none are kept
    history: dict[str, list[float]] = field(default_factory=dict)
    best_loss: float | None = None
    best_weights: list[np.ndarray] | None = None
    epochs_without_improvement: int = 0
    is_stopped: bool = False

    def result(self) -> list[np.ndarray]:
        """The weights to keep: the best on the validation set, if it decides."""
        if self.best_weights is not None:
            return self.best_weights
        return self.weights if self.averaged_weights is None else self.averaged_weights

    def resume_weights(self) -> list[np.ndarray]:
        """The weights that later training starts from: the best, if any are known."""
        return self.weights if self.best_weights is None else self.best_weights
