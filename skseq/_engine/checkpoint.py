"""A folder of checkpoints: each fit keeps its last full epoch in a file of its own.

The file is named by a hash of what the fit was made from, so that the fits of a search
never meet, and is written atomically after every epoch: a kill at any moment leaves the
old epoch or the new one. Where two processes make one and the same fit, none takes the
file back to an earlier epoch. Knows nothing of Keras.
"""

import glob
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from skseq._engine.state import TrainingState
from skseq._files.archive import read_archive, read_header, write_archive
from skseq._files.plain import FREE_BYTES, MALFORMED, pack, unpack
from skseq._parameters import NON_NEGATIVE_REAL, NONE, PATH, Kind, check_value
from skseq._warnings import warn

KIND = "checkpoint"
SUFFIX = ".skseq"
NOT_GIVEN = "not given"
AGE = (
    NONE,
    NON_NEGATIVE_REAL,
    Kind(lambda a: isinstance(a, timedelta) and a >= timedelta(), "a timedelta"),
)


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
        self._open(f"{name}{SUFFIX}")
        with self.blamed():
            is_beyond = self.state is not None and self.state.epoch > epochs
        if is_beyond:
            self._open(f"{name}-{epochs}{SUFFIX}")
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
        self._seen = _identity(self.path)
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
        """Write the state after an epoch in place of the state before.

        A state that is further along, which another process has left, stays.
        """
        if self._is_overtaken(state.epoch):
            return
        content = {
            "origin": self.origin,
            "seed": self.seed,
            "state": vars(state),
            "callbacks": callback_state,
        }
        values, arrays = pack(content)
        write_archive(self.path, {"kind": KIND, **values}, arrays)
        self._seen = _identity(self.path)

    def _is_overtaken(self, epoch: int) -> bool:
        """Whether another process, in the same fit of the same seed, got further."""
        if _identity(self.path) == self._seen:
            return False
        try:
            header = read_header(self.path)
            theirs = header["state"]["epoch"]
            return header["seed"] == self.seed and theirs >= epoch
        except (OSError, *MALFORMED):  # it may be damaged, or gone
            return False

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
        pattern = os.path.join(glob.escape(self.folder), f"{fit}-*{SUFFIX}")
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


def clear_checkpoints(folder, *, older_than=None):
    """Delete the checkpoints in a folder, and nothing else that lies there.

    A fit that is deleted is trained from its start the next time.

    Parameters
    ----------
    folder : str or path-like
        The folder that `checkpoint=` named. Folders inside it are left alone.
    older_than : datetime.timedelta, float or None, default=None
        Only what no fit has written to for so long is deleted; a number counts
        seconds. None deletes all checkpoints.

    Returns
    -------
    n_deleted : int
        How many files were deleted. Files that are damaged, or are not checkpoints, are
        not touched.

    Raises
    ------
    ValueError
        If `folder` is not a folder, or `older_than` is not a duration of at least 0.
    OSError
        If a file cannot be deleted.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import timedelta
    >>> import skseq
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skseq.clear_checkpoints(folder, older_than=timedelta(days=30))
    0
    """
    check_value("clear_checkpoints", "folder", folder, PATH)
    check_value("clear_checkpoints", "older_than", older_than, AGE)
    path = os.path.expanduser(os.fsdecode(folder))
    if not os.path.isdir(path):
        raise ValueError(
            f"folder={path!r} is not a folder. Name the one that checkpoint= named."
        )
    if isinstance(older_than, timedelta):
        older_than = older_than.total_seconds()
    latest = math.inf if older_than is None else time.time() - older_than
    with os.scandir(path) as entries:
        return sum(_deleted(entry, latest) for entry in list(entries))


def _deleted(entry: os.DirEntry, latest: float) -> bool:
    """Delete a file if it is a checkpoint that was written until then."""
    if not entry.name.endswith(SUFFIX) or not entry.is_file(follow_symlinks=False):
        return False
    try:
        if entry.stat().st_mtime > latest or read_header(entry.path)["kind"] != KIND:
            return False
        os.unlink(entry.path)
    except (FileNotFoundError, *MALFORMED):  # gone, damaged or somebody else's
        return False
    return True


def _identity(path: str) -> tuple | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns, info.st_size


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
