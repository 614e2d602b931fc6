"""A file that holds a fit's last full epoch, so that a killed fit can resume.

Written atomically after every epoch: a kill at any moment leaves the old epoch or the
new one. It remembers what it was made from and refuses to continue anything else. Knows
nothing of Keras.
"""

import math
import os
from collections.abc import Mapping

import numpy as np

from skseq._engine.state import TrainingState
from skseq._files.archive import read_archive, write_archive

KIND = "checkpoint"


# Keys that stand for what JSON cannot hold.
ARRAY, FLOAT = "__array__", "__float__"


NOT_GIVEN = "not given"


SCALARS = (bool, int, float, str, type(None))


class Checkpoint:
    """One checkpoint file of one fit.

    Parameters
    ----------
    path : path-like
        The file; it need not exist yet, but its folder must.
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
        elif not os.path.isdir(os.path.dirname(os.path.abspath(self.path))):
            raise FileNotFoundError(f"There is no folder for checkpoint={self.path!r}.")

    def start(self, seed: int) -> int:
        """The seed to continue with: that of the interrupted fit, if there is one."""
        if self.seed is None:
            self.seed = seed
        return self.seed

    def save(self, state: TrainingState, callback_state: list[dict]) -> None:
        """Write the state after an epoch in place of the one before."""
        arrays = {}
        header = {
            "kind": KIND,
            "origin": self.origin,
            "seed": self.seed,
            "state": _take_arrays(vars(state), "state", arrays),
            "callbacks": _take_arrays(callback_state, "callbacks", arrays),
        }
        write_archive(self.path, header, arrays)

    def _read(self):
        archive = read_archive(self.path)
        header, arrays = archive.header, archive.arrays
        if header.get("kind") != KIND:
            raise ValueError(f"{self.path} is a skseq file, but not a checkpoint.")
        try:
            saved, self.seed = dict(header["origin"]), int(header["seed"])
            self.callback_state = _put_arrays(header["callbacks"], arrays)
            self.state = TrainingState(**_put_arrays(header["state"], arrays))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"The checkpoint {self.path} is damaged: {error!r}. Delete the file to "
                "start anew."
            ) from error
        self._check_origin(saved)

    def _check_origin(self, saved: dict):
        changes = "; ".join(
            f"{name} was {saved.get(name, NOT_GIVEN)!r} and is "
            f"{self.origin.get(name, NOT_GIVEN)!r}"
            for name in {**saved, **self.origin}
            if saved.get(name, NOT_GIVEN) != self.origin.get(name, NOT_GIVEN)
        )
        if changes:
            raise ValueError(
                f"The checkpoint {self.path} is of another fit: {changes}. Give back "
                "the same data and parameters to resume it, or delete the file to "
                "start anew."
            )


def _take_arrays(value, name: str, arrays: dict):
    """Copy nested plain values for JSON, leaving the names of arrays that go beside."""
    if isinstance(value, Mapping):
        return {k: _take_arrays(v, f"{name}/{k}", arrays) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_take_arrays(v, f"{name}/{i}", arrays) for i, v in enumerate(value)]
        return type(value)(items)
    if isinstance(value, (np.ndarray, np.generic)):
        arrays[name] = np.asarray(value)
        return {ARRAY: name}
    if isinstance(value, float) and not math.isfinite(value):
        return {FLOAT: repr(value)}
    return value


def _put_arrays(value, arrays: dict):
    """The inverse of `_take_arrays`."""
    if isinstance(value, (list, tuple)):
        return type(value)(_put_arrays(item, arrays) for item in value)
    if not isinstance(value, dict):
        return value
    if set(value) == {ARRAY}:
        return arrays[value[ARRAY]]
    if set(value) == {FLOAT}:
        return float(value[FLOAT])
    return {key: _put_arrays(item, arrays) for key, item in value.items()}
