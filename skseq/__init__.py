"""scikit-learn-style estimators for sequences.

Importing this package does not import TensorFlow; using an estimator does.
"""

from skseq import _names
from skseq._version import __version__ as __version__

__all__ = [*_names.ESTIMATORS, *_names.FUNCTIONS]


def __getattr__(name):
    import importlib  # here, so that no completer offers it

    if name in _names.MODULES:
        return getattr(importlib.import_module(_names.MODULES[name]), name)
    if name in _names.ROOMS:
        return importlib.import_module(f"skseq.{name}")
    hint = ""
    if not name.startswith("_"):
        from skseq._parameters import did_you_mean

        hint = did_you_mean(name, __dir__())
    raise AttributeError(f"module 'skseq' has no attribute {name!r}.{hint}")


def __dir__():
    return sorted(["__version__", *__all__, *_names.ROOMS])
