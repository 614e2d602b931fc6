"""Copies, clones and pickles of an estimator: what they share and leave out."""

import copy
import pickle

from sklearn.base import BaseEstimator

from skseq._version import __version__

# Stands for devices of this process: copies share it, files leave it out.
NOT_PORTABLE = {"distribute"}

# What a fit's callbacks have gathered: copies share it, as some cannot be copied.
GATHERED = {"callbacks_"}

# Grows when a pickle of the former state would be misread.
STATE_FORMAT = 1


class Copyable:
    """Mixin for estimators, some of whose parameters stand for devices."""

    def _portable_params(self) -> dict:
        """The parameters that mean the same in another process."""
        params = self.get_params()
        return {**params, **dict.fromkeys(NOT_PORTABLE & params.keys())}

    def __getstate__(self):
        """What pickles hold; a strategy stands for devices, and does not travel."""
        state = {**super().__getstate__(), "_pickled_by": (STATE_FORMAT, __version__)}
        gathered = {n: list(map(_picklable, state[n])) for n in GATHERED & state.keys()}
        return state | dict.fromkeys(NOT_PORTABLE & state.keys()) | gathered

    def __setstate__(self, state):
        state = dict(state)
        state_format, version = state.pop("_pickled_by")
        if state_format > STATE_FORMAT:
            raise ValueError(
                f"This {type(self).__name__} was pickled by skseq {version}, which "
                f"skseq {__version__} cannot read. Upgrade skseq to load it."
            )
        super().__setstate__(state)

    def __copy__(self):
        copied = type(self).__new__(type(self))
        copied.__dict__.update(vars(self))
        return copied

    def __deepcopy__(self, memo):
        copied = memo[id(self)] = copy.copy(self)
        names = (NOT_PORTABLE | GATHERED) & vars(self).keys()
        shared = [vars(self)[name] for name in names]
        memo |= {id(value): value for value in shared}
        copied.__dict__ = copy.deepcopy(vars(self), memo)
        return copied

    def __sklearn_clone__(self):
        shared = NOT_PORTABLE & self.get_params().keys()  # a subclass may take none
        bare = copy.copy(self)
        for name in shared:
            setattr(bare, name, None)
        cloned = BaseEstimator.__sklearn_clone__(bare)
        return cloned.set_params(**{name: getattr(self, name) for name in shared})


def _picklable(callback):
    """A callback without the attributes that cannot be pickled, such as open files."""
    kept = copy.copy(callback)
    for name, value in vars(kept).items():
        try:
            pickle.dumps(value)
        except Exception:  # whatever its type raises
            vars(kept)[name] = None
    return kept
