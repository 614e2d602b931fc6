"""How the learning rate changes in the course of a fit.

A schedule is a function of progress, the share of the fit that is done, to a share of
the learning rate. It knows no number of steps, so that batches may be of any number,
and another one in every epoch. Knows nothing of Keras.
"""

import math
from collections.abc import Callable

import numpy as np

WARMUP = 0.05
LAST = 0.01


def warmup_cosine(progress: float) -> float:
    """Rise in a straight line, then fall along half a cosine (Loshchilov 2017)."""
    if progress < WARMUP:
        return progress / WARMUP
    angle = math.pi * (progress - WARMUP) / (1 - WARMUP)
    return LAST + (1 - LAST) * (1 + math.cos(angle)) / 2


SCHEDULES: dict[str, Callable[[float], float] | None] = {
    "warmup_cosine": warmup_cosine,
    "constant": None,
}


class ScheduledRate:
    """Tells each step its learning rate, unless a callback sets it.

    Between epochs the rate stands where progress says. Where it does not, a callback
    has set it, and is left to it from then on, after a resume too. Within an epoch it
    is looked at only where there are callbacks, as reading it takes longer than to pass
    it on.

    Parameters
    ----------
    trainer : Trainer
        Its `learning_rate` is read and set; None where it follows a schedule of its
        own, and is left alone.
    schedule : str
        A name in `SCHEDULES`.
    n_epochs : int
        Epochs of the whole fit.
    is_watched : bool
        Whether there are callbacks.
    """

    def __init__(self, trainer, schedule: str, n_epochs: int, is_watched: bool):
        self._trainer, self._n_epochs = trainer, n_epochs
        self._is_watched = is_watched
        self._schedule = SCHEDULES[schedule]
        self._peak = self._last = None

    def start(self, epoch: int) -> None:
        """Note what the rate should be where training starts or resumes."""
        self._peak = self._trainer.given_learning_rate
        if self._peak is None:
            self._schedule = None
        if self._schedule is None:
            return
        self._last = self._between(epoch)
        if epoch == 0:
            # One bit from what was given, so that a callback that sets that is noticed.
            self._last = float(np.nextafter(np.float32(self._peak), np.float32(0)))
            self._trainer.learning_rate = self._last

    def step(self, epoch: int, step: int, n_steps: int) -> float | None:
        """The rate of a step, at the middle of its share of the fit; None leaves it."""
        if self._is_watched:
            self._leave_if_set()
        if self._schedule is None:
            return None
        self._last = self._rate((epoch + (step + 0.5) / n_steps) / self._n_epochs)
        return self._last

    def end_epoch(self, epoch: int) -> None:
        """Set the rate that callbacks find after an epoch."""
        self._leave_if_set()
        if self._schedule is not None:
            self._trainer.learning_rate = self._last = self._between(epoch + 1)

    def _leave_if_set(self) -> None:
        """Leave the rate to a callback that has set it."""
        if self._schedule is None:
            return
        if np.float32(self._trainer.learning_rate) != np.float32(self._last):
            self._schedule = None

    def _between(self, epoch: int) -> float:
        # Not zero at the start, which a callback could not scale.
        return self._peak if epoch == 0 else self._rate(epoch / self._n_epochs)

    def _rate(self, progress: float) -> float:
        return self._peak * self._schedule(progress)
