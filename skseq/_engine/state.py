"""What training is given and where it stands, as plain records.

Knows nothing of Keras.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from skseq._data.batching import lengths_of
from skseq._seeding import generator
from skseq._wording import counted

# Whether smaller is better (1) or larger (-1).
MONITORS = {"val_loss": 1.0, "val_score": -1.0}


@dataclass(frozen=True)
class FitRequest:
    """What a user asks of `fit` or `partial_fit`.

    Attributes
    ----------
    X, y, sample_weight, X_val, y_val : object
        As the user passed them.
    resumes : bool
        Whether to start from the present weights, if there are any.
    is_partial : bool
        Whether to train for one more epoch instead of a whole fit.
    options : dict
        Further arguments of `_check_data`.
    """

    X: Any
    y: Any = None
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None
    resumes: bool = False
    is_partial: bool = False
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingPlan:
    """How to train: everything but the network and the data."""

    epochs: int
    batch_size: int
    shuffle: bool
    seed: int
    schedule: str = "constant"  # of the learning rate, a name in SCHEDULES
    patience: int | None = None  # epochs without improvement; None: no early stopping
    verbose: int = 0
    exact_lengths: bool = False  # batch only sequences of one length
    monitor: str = "val_loss"  # what early stopping looks at, a name in MONITORS

    def loss(self, logs: dict[str, float]) -> float:
        """What early stopping wants small."""
        return MONITORS[self.monitor] * logs[self.monitor]


def hold_out(
    rows: np.ndarray,
    fraction: float,
    seed: int,
    owner: str,
    is_weighted: bool,
    classes: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows at random into those to learn from and those to validate with.

    `is_weighted` says whether they are those of positive weight only. Where each row of
    the data has a class, both parts have the classes in their shares.
    """
    rows = generator(seed, "validation").permutation(rows)
    if classes is not None:
        rows = rows[np.argsort(_places_in_class(classes[rows]), kind="stable")]
    n_held_out = round(fraction * len(rows))
    if not 0 < n_held_out < len(rows):
        above_zero = ", those of positive weight," if is_weighted else ""
        raise ValueError(
            f"{owner} sets sequences aside to validate with, but "
            f"validation_fraction={fraction} of n_samples={len(rows)}{above_zero} "
            f"leaves {len(rows) - n_held_out} to train on and {n_held_out} to validate "
            "with; both need at least one. Change validation_fraction, or pass a "
            "validation set to fit."
        )
    return rows[n_held_out:], rows[:n_held_out]


def _places_in_class(classes: np.ndarray) -> np.ndarray:
    """Where each row stands among those of its class, as a share of their number."""
    places = np.empty(len(classes))
    for label in np.unique(classes):
        own = np.flatnonzero(classes == label)
        places[own] = (np.arange(len(own)) + 0.5) / len(own)
    return places


# Batches of an epoch, and the sizes that they may have.
N_BATCHES = 20
BATCH_SIZES = (8, 16, 32, 64)


def pick_batch_size(n_samples: int) -> int:
    """The largest size that cuts so many samples into `N_BATCHES` batches or more."""
    return max(
        [n for n in BATCH_SIZES if n * N_BATCHES <= n_samples], default=min(BATCH_SIZES)
    )


@dataclass(frozen=True)
class Subset:
    """Some rows of a data set, to train on or to validate with.

    `data` has `lengths`, `sample_weight` and `assemble(rows)`, which gives the padded
    arrays of a batch. Weights are scaled to a mean of one, so that they change what
    counts and not how large a step is. `drawn_from` has the row of X that each is drawn
    from, where it is not the row itself.
    """

    data: Any
    rows: np.ndarray
    drawn_from: np.ndarray | None = None

    @property
    def origins(self) -> np.ndarray:
        """The rows of X, by which messages name sequences."""
        return self.rows if self.drawn_from is None else self.drawn_from

    def first(self, n_rows) -> "Subset":
        """Some of the rows."""
        return Subset(self.data, self.rows[:n_rows])

    @cached_property
    def lengths(self) -> np.ndarray:
        return lengths_of(self.data)[self.rows]

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

    def check(self) -> None:
        """Raise ValueError where values read from a file are not those of a state."""
        counts = self.epoch, self.epochs_without_improvement
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError("its epoch count is not a valid number")
        if type(self.is_stopped) is not bool:
            raise ValueError("it does not say whether training has stopped")
        loss = self.best_loss
        is_number = isinstance(loss, (float, int, np.number))
        if loss is not None and not (is_number and math.isfinite(loss)):
            raise ValueError("its best loss is not a finite number")
        if self.weights is None:
            raise ValueError("it holds no weights")
        lists = (self.weights, self.optimizer_state, self.best_weights)
        for values in (*lists, self.averaged_weights):
            if not isinstance(values, (list, type(None))):
                raise ValueError("its weights are not a list of arrays")
            if not all(isinstance(v, (np.ndarray, np.generic)) for v in values or ()):
                raise ValueError("its weights are not all arrays")
        check_history(self.history, self.epoch)
        if any(not values for values in self.history.values()):
            raise ValueError("its history holds an empty list")
        if self.epoch and not np.isfinite(self.history.get("loss", [np.nan])).all():
            raise ValueError("its history has no finite loss for each epoch")

    def result(self) -> list[np.ndarray]:
        """The weights to keep: the best on the validation set, if it decides."""
        if self.best_weights is not None:
            return self.best_weights
        return self.weights if self.averaged_weights is None else self.averaged_weights

    def resume_weights(self) -> list[np.ndarray]:
        """The weights that later training starts from: the best, if any are known."""
        return self.weights if self.best_weights is None else self.best_weights


def check_history(history, n_epochs) -> None:
    """Refuse what cannot have been recorded in so many epochs."""
    if not isinstance(history, dict):
        raise ValueError("its history is not a dict")
    for name, values in history.items():
        is_list = isinstance(values, list) and len(values) <= n_epochs
        if not is_list or not all(isinstance(value, float) for value in values):
            raise ValueError(f"its history of {name!r} is not a number for each epoch")
    if history and max(map(len, history.values())) < n_epochs:
        raise ValueError(f"its history is shorter than {counted(n_epochs, 'epoch')}")


def weights_of(model) -> dict[int, tuple]:
    """Shape and dtype of every weight of a network, by its place."""
    return {i: (tuple(w.shape), w.dtype) for i, w in enumerate(model.weights)}


def check_weights(arrays, expected: dict[Any, tuple], name="weights") -> list:
    """Return the arrays, in a network's order, if they are finite weights of it.

    They come from a file: a dict, or a list by place. What is expected of each is a
    shape and a dtype.
    """
    if isinstance(arrays, list):
        arrays = dict(enumerate(arrays))
    if set(arrays) != set(expected):
        wrong = sorted(set(arrays) ^ set(expected))
        raise ValueError(f"its {name} do not fit the network: {wrong[:5]}")
    for path, (shape, dtype) in expected.items():
        array = np.asarray(arrays[path])
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"{path!r} of its {name} must be {dtype} of shape {shape}, and is "
                f"{array.dtype} of shape {array.shape}"
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f"its {name} must be finite, and {path!r} holds NaN or infinity"
            )
    return [arrays[path] for path in expected]
