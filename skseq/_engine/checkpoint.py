"""A folder of checkpoints: each fit keeps its last full epoch in a file of its own.

The file is named by a hash of what the fit was made from, so that the fits of a search
never meet, and is written atomically after every epoch: a kill at any moment leaves the
old epoch or the new one. Knows nothing of Keras.
"""

import glob
import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from skseq._engine.state import TrainingState
from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import FREE_BYTES, MALFORMED, pack, unpack
from skseq._warnings import warn

KIND = "checkpoint"
NOT_GIVEN = "not given"


class Checkpoint:
    """The checkpoint file of one fit.

    Parameters
    ----------
    folder : path-like
        Where the file is kept; it is made if there is none.
    origin : dict of str to str or int
        What the fit is: its parameters, and fingerprints of its data.
    conditions : dict of str to str or int
        What else decides the outcome to the bit, and may change between two runs of a
        script unintentionally. A file under other conditions is not resumed, but
        warned of.
    epochs : int or float
        To how many epochs the fit goes. A file that is beyond them is left alone.
    """

    def __init__(self, folder, origin: dict, conditions=None, epochs=math.inf):
        conditions = conditions or {}
        self.folder = os.path.expanduser(os.fsdecode(folder))
        self.origin = {**origin, **conditions}
        fit = _digest(origin)
        name = f"{fit}-{_digest(conditions)}"
        self._make_folder()
        self._open(f"{name}.skseq")
        with self.blamed():
            is_beyond = self.state is not None and self.state.epoch > epochs
        if is_beyond:
            self._open(f"{name}-{epochs}.skseq")
        elif self.state is None:
            with suppress(OSError, *MALFORMED):  # it may be damaged, or gone
                self._warn_of_relative(fit)

    def _make_folder(self):
        if os.path.exists(self.folder) and not os.path.isdir(self.folder):
            raise ValueError(
                f"checkpoint={self.folder!r} is a file, and must be a folder, in which "
                "each fit keeps its own file. Name a folder; it is made if missing."
            )
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"checkpoint={self.folder!r} cannot be made a folder: "
                f"{error.strerror}. Name another one."
            ) from error

    def _open(self, name: str):
        self.path = os.path.join(self.folder, name)
        self.seed = self.callback_state = self.state = None
        if os.path.lexists(self.path):  # a link to nothing is read, and refused
            self._read()
        elif not os.access(self.folder, os.W_OK):
            raise PermissionError(f"checkpoint={self.folder!r} may not be written to.")

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
        try:
            values, arrays = _parts(self.path)
        except (OSError, ValueError) as error:
            kind = OSError if isinstance(error, OSError) else ValueError
            text = str(error).rstrip(".")
            raise kind(f"{text}. Delete the file to start again.") from error
        with self.blamed():
            n_bytes = sum(array.nbytes for array in arrays.values())
            content = unpack(values, arrays, FREE_BYTES + 5 * n_bytes)
            saved, self.seed = dict(content["origin"]), content["seed"]
            if type(self.seed) is not int or not 0 <= self.seed < 2**32:
                raise ValueError("its seed is not an int from 0 to 2**32 - 1")
            self.callback_state = content["callbacks"]
            self.state = TrainingState(**content["state"])
        changes = self._changes_since(saved)
        if changes:
            raise ValueError(
                f"The checkpoint {self.path} is of another fit: {changes}. Delete the "
                "file to start again."
            )

    def _warn_of_relative(self, fit: str):
        """Warn if this fit has left a file under other conditions."""
        pattern = os.path.join(glob.escape(self.folder), f"{fit}-*.skseq")
        newest = max(glob.glob(pattern), key=os.path.getmtime)
        changes = self._changes_since(unpack(_parts(newest)[0]["origin"], {}))
        if changes:
            warn(
                f"The checkpoint {newest} holds this fit under other conditions: "
                f"{changes}. The fit does not resume from it, as the result would not "
                "be the same to the bit, but starts again in a file of its own. To "
                "resume it, set the conditions back."
            )

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Say that the file is damaged where its values cannot be used."""
        try:
            yield
        except MALFORMED as error:
            raise ValueError(
                f"The checkpoint {self.path} is damaged: {error}. Delete the file to "
                "start again."
            ) from error

    def _changes_since(self, saved: dict) -> str:
        pairs = {
            name: (saved.get(name, NOT_GIVEN), self.origin.get(name, NOT_GIVEN))
            for name in {**saved, **self.origin}
        }
        return "; ".join(
            f"{name} was {before!r} and is {now!r}"
            for name, (before, now) in pairs.items()
            if not isinstance(before, (str, int)) or before != now
        )


def _parts(path) -> tuple[dict, dict]:
    """The packed values and the arrays of a checkpoint file."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"The checkpoint {path} is a folder.")
    archive = read_archive(path)
    values = dict(archive.header)
    if values.pop("kind", None) != KIND:
        raise ValueError(f"{path} is a skseq file, but not a checkpoint.")
    return values, archive.arrays


def _digest(values: dict) -> str:
    """A short name for some values, the same in every process."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
