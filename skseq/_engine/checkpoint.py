"""A file that holds a fit's last full epoch, so that a killed fit can resume.

Written atomically after every epoch: a kill at any moment leaves the old epoch or the
new one. It remembers what it was made from and refuses to resume anything else. Knows
nothing of Keras.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from skseq._engine.state import TrainingState
from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import MALFORMED, pack, unpack

KIND = "checkpoint"
NOT_GIVEN = "not given"


class Checkpoint:
    """One checkpoint file of one fit.

    Parameters
    ----------
    path : path-like
        The file; it need not exist yet, but its folder must.
    origin : dict of str to str or int
        What determines the outcome of the fit: its parameters, and fingerprints of its
        data.
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
        """The seed to use: that of the interrupted fit, if there is one."""
        if self.seed is None:
            self.seed = seed
        return self.seed

    def save(self, state: TrainingState, callback_state: list[dict]) -> None:
        """Write the state after an epoch in place of the state before."""
        content = {
            "origin": self.origin,
            "seed": self.seed,
            "state": vars(state),
            "callbacks": callback_state,
        }
        values, arrays = pack(content)
        write_archive(self.path, {"kind": KIND, **values}, arrays)

    def _read(self):
        archive = read_archive(self.path)
        values = dict(archive.header)
        if values.pop("kind", None) != KIND:
            raise ValueError(f"{self.path} is a skseq file, but not a checkpoint.")
        with self.blamed():
            content = unpack(values, archive.arrays)
            saved, self.seed = dict(content["origin"]), int(content["seed"])
            self.callback_state = content["callbacks"]
            self.state = TrainingState(**content["state"])
        self._check_origin(saved)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Say that the file is damaged where its values cannot be used."""
        try:
            yield
        except MALFORMED as error:
            raise ValueError(
                f"The checkpoint {self.path} is damaged: {error}. Delete the file to "
                "start anew."
            ) from error

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
