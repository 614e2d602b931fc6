"""A file that holds a fit's last full epoch, so that a killed fit can go on.

Written atomically after every epoch: a kill at any moment leaves the old epoch or the
new one. It remembers what it was made from and refuses to continue anything else.
"""

import inspect
import os

import numpy as np

from skseq._archive import read_archive, write_archive
from skseq._training_state import TrainingState

KIND = "checkpoint"
ARRAY_LISTS = ("weights", "optimizer_state", "best_weights")


class Checkpoint:
    """One checkpoint file of one fit.

    Parameters
    ----------
    path : path-like
        The file; it need not exist yet.
    origin : dict of str to str or int
        What determines the outcome: parameters and the data's fingerprint.
    """

    def __init__(self, path, origin: dict):
        self.path, self.origin = os.fspath(path), origin
        self.seed = None
        self.callback_state = None
        self.state = None
        if os.path.exists(self.path):
            self._read()

    def start(self, seed: int) -> int:
        """The seed to go on with: that of the interrupted fit, if there is one."""
        if self.seed is None:
            self.seed = seed
        return self.seed

    def save(self, state: TrainingState, callback_state: list[dict]) -> None:
        plain = {n: v for n, v in vars(state).items() if n not in ARRAY_LISTS}
        arrays = {
            f"{name}/{i}": array
            for name in ARRAY_LISTS
            for i, array in enumerate(getattr(state, name) or [])
        }
        write_archive(
            self.path,
            {
                "kind": KIND,
                "origin": self.origin,
                "seed": self.seed,
                "state": plain,
                "callbacks": callback_state,
            },
            arrays,
        )

    def _read(self):
        archive = read_archive(self.path)
        header = archive.header
        if header.get("kind") != KIND:
            raise ValueError(f"{self.path} is a skseq file, but not a checkpoint.")
        self._check_origin(header["origin"])
        self.seed, self.callback_state = header["seed"], header["callbacks"]
        lists = {name: _array_list(archive.arrays, name) for name in ARRAY_LISTS}
        lists["best_weights"] = lists["best_weights"] or None
        self.state = TrainingState(**header["state"], **lists)

    def _check_origin(self, saved: dict):
        names = [n for n in self.origin if saved.get(n) != self.origin[n]]
        if names:
            changes = "; ".join(
                f"{n} was {saved.get(n)!r} and is {self.origin[n]!r}" for n in names
            )
            raise ValueError(
                f"The checkpoint {self.path} is of another fit: {changes}. Give back "
                "the same data and parameters to resume it, or delete the file to "
                "start anew."
            )


def _array_list(arrays, name) -> list[np.ndarray]:
    n_arrays = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{i}"] for i in range(n_arrays)]


def describe(value) -> str:
    """A parameter's value as text that is the same in every process."""
    if inspect.isroutine(value) or inspect.isclass(value):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(describe, value))}]"
    if hasattr(value, "get_config"):
        return f"{type(value).__name__}({value.get_config()})"
    if type(value).__repr__ is object.__repr__:
        return type(value).__qualname__
    return repr(value)
