"""scikit-learn-style estimators for sequences.

Importing this package does not import TensorFlow; using an estimator does.
"""

from importlib import import_module

from skseq._version import __version__

_LAZY = {
    "CTCSequenceClassifier": "skseq._ctc.estimator",
    "LSTMAutoencoder": "skseq._autoencoder.estimator",
    "LabelSpan": "skseq._results",
    "RankedLabels": "skseq._results",
    "RankedOutput": "skseq._results",
    "Seq2SeqTranslator": "skseq._seq2seq.estimator",
    "TrainingDivergedError": "skseq.exceptions",
    "load": "skseq._engine.saving",
    "show_versions": "skseq._show_versions",
}

_SUBMODULES = (
    "datasets",
    "exceptions",
    "inspection",
    "metrics",
    "preprocessing",
    "scikeras",
)

__all__ = ["__version__", *_LAZY]


def __getattr__(name):
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name in _SUBMODULES:
        return import_module(f"skseq.{name}")
    raise AttributeError(f"module 'skseq' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_SUBMODULES])
