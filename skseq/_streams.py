"""What the streams of all estimators share: a context, and the checks of frames.

Knows no task.
"""

import threading
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skseq._data.frames import as_array, as_frames
from skseq._data.sequences import check_sequences, n_frame_features
from skseq._wording import counted


class Stream:
    """A sequence that comes piece by piece, to an estimator as it was at the start.

    Several threads may push to one stream, one after another; several streams do not
    know of each other.
    """

    def __init__(self, owner: Any):
        self._owner = owner
        self._lock = threading.Lock()
        self._is_open = True
        self._dtype = None  # of the frames

    def __enter__(self):
        if not self._is_open:
            raise _ended()
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self) -> None:
        """End the stream without a result; the end of a `with` block does so too."""
        self._is_open = False

    def __reduce__(self):
        raise TypeError(
            "A stream can be neither copied nor pickled: what it has read stays in "
            "this process. Keep the frames, and push them to another stream."
        )

    @contextmanager
    def _opened(self) -> Iterator[None]:
        """Alone with the stream, which must not have ended."""
        with self._lock:
            if not self._is_open:
                raise _ended()
            try:
                yield
            except (TypeError, ValueError) as error:
                if "X[0]" not in str(error):
                    raise
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(str(error).replace("X[0]", "frames")) from error

    def _checked(self, frames: Any) -> np.ndarray:
        """Frames as the estimator would check them, (n_frames, n_features)."""
        width = n_frame_features(self._owner)
        empty = _empty(frames, width)
        if empty is not None:
            return empty
        found = self._check(frames, width)
        if self._dtype is not None and self._dtype != found.dtype:
            raise ValueError(
                f"frames has dtype {found.dtype}, but those before had {self._dtype}. "
                "Push frames of one dtype and scale to a stream; audio samples of 16 "
                "bits are 32,768 times those between -1 and 1."
            )
        return found

    def _accept(self, frames: np.ndarray) -> None:
        """Remember what frames are like that were taken."""
        if self._owner._steps and len(frames):
            self._dtype = frames.dtype

    def _check(self, frames: Any, width: int) -> np.ndarray:
        found = as_frames(as_array(frames, "X[0]"))
        if self._owner._X_layout != "matrix":
            return check_sequences(self._owner, [frames], reset=False)[0]
        # The rows of a 2-D X are sequences of one feature, here of any length.
        if found.shape[1] != width:
            raise _other_width(found.shape[1], width)
        return check_sequences(_Univariate(), [found], reset=True)[0]


class _Univariate(BaseEstimator):
    """Stands for an estimator that has not been fitted."""


def _empty(frames: Any, width: int) -> np.ndarray | None:
    """No frames, where there are none: nothing else can be wrong with them."""
    if isinstance(frames, str | bytes | Mapping | Set):
        return None
    if not hasattr(frames, "__len__"):
        return None
    shape = tuple(getattr(frames, "shape", (len(frames),)))
    if not shape or shape[0] or len(shape) > 2:
        return None
    if len(shape) == 2 and shape[1] != width:
        raise _other_width(shape[1], width)
    return np.empty((0, width))


def _other_width(found: int, width: int) -> ValueError:
    return ValueError(
        f"frames has {counted(found, 'feature')}, but those of fit had {width}."
    )


def _ended() -> ValueError:
    return ValueError(
        "This stream has ended: finish() was called, or its with block was left. Open "
        "another by stream()."
    )
