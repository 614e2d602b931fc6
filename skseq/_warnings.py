"""Warnings that point at the user's own line, however deep inside they arise."""

import sys
import warnings

# A pipeline, a search, a pool of workers or a decorator may stand in between.
_BETWEEN = {"skseq", "sklearn", "joblib", "contextlib", "numpy"}


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn as if from the line that called into skseq, scikit-learn or joblib.

    Parameters
    ----------
    message : str
        What happened, and what to do about it.
    category : type of Warning, default=UserWarning
        Its class.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _package(frame) in _BETWEEN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _package(frame) -> str:
    return frame.f_globals.get("__name__", "").partition(".")[0]
