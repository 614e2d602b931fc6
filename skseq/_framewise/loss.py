"""The losses of each sequence, computed on real frames only."""

from dataclasses import dataclass
from typing import ClassVar

from skseq._nn.rows import cross_entropy


@dataclass(frozen=True)
class ClassLosses:
    """Negative log-probability of the class of each sequence."""

    targets: ClassVar = (("targets", (None,), "int32"),)

    def __call__(self, outputs, targets):
        return cross_entropy(outputs[0], targets["targets"])
