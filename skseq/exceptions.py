"""The errors of skseq's own that a user may want to catch."""

from typing import Literal


class TrainingDivergedError(ValueError):
    """Training was stopped because its loss or its outputs were not finite numbers.

    The estimator that was being fitted is left as it was before the fit.

    Parameters
    ----------
    epoch : int
        The epoch in which it broke down, counted from 1.
    batch : int, default=None
        The batch of that epoch, counted from 1; None if it is not known.
    sample : int, default=None
        The index in ``X`` of the first sequence whose loss is not finite; None if
        no single sequence can be named.
    measure : {"training loss", "validation loss", "output"}, default="training loss"
        What is not finite.

    Attributes
    ----------
    epoch : int
        As passed.
    batch, sample : int or None
        As passed.
    measure : str
        As passed.

    Examples
    --------
    >>> from skseq.exceptions import TrainingDivergedError
    >>> TrainingDivergedError(epoch=3, batch=2, sample=17).sample
    17
    """

    def __init__(
        self,
        epoch: int,
        batch: int | None = None,
        sample: int | None = None,
        measure: Literal["training loss", "validation loss", "output"] = (
            "training loss"
        ),
    ):
        super().__init__(_diverged_message(epoch, batch, sample, measure))
        self.epoch = epoch
        self.batch = batch
        self.sample = sample
        self.measure = measure

    def __reduce__(self):
        # An exception is otherwise rebuilt from its message alone, and joblib sends
        # exceptions from one process to another.
        arguments = self.epoch, self.batch, self.sample, self.measure
        return type(self), arguments, self.__dict__


def _diverged_message(
    epoch: int, batch: int | None, sample: int | None, measure: str
) -> str:
    where = f"epoch {epoch}" if batch is None else f"epoch {epoch}, batch {batch}"
    which = (
        "" if sample is None else f"; the first sequence it fails for is X[{sample}]"
    )
    first = (
        " In the first batch, see also what a front_end of your own makes of X: roots "
        "and logarithms of values below zero are not finite, for example."
        if (epoch, batch) == (1, 1)
        else ""
    )
    return (
        f"The {measure} is not finite in {where}{which}. Lower learning_rate, "
        "limit the gradients with optimizer__clipnorm=1.0, or scale the features, "
        f"e.g. with FrameTransformer(StandardScaler()) in a pipeline.{first}"
    )
