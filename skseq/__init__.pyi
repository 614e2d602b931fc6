"""What a type checker sees of the names that `__init__.py` loads when first used."""

from skseq import (
    datasets,
    exceptions,
    inspection,
    metrics,
    preprocessing,
    scikeras,
)
from skseq._autoencoder import LSTMAutoencoder
from skseq._ctc import CTCSequenceClassifier
from skseq._results import LabelSpan, RankedLabels, RankedOutput
from skseq._saving import load
from skseq._seq2seq import Seq2SeqTranslator
from skseq._show_versions import show_versions
from skseq._version import __version__
from skseq.exceptions import TrainingDivergedError

__all__ = [
    "CTCSequenceClassifier",
    "LSTMAutoencoder",
    "LabelSpan",
    "RankedLabels",
    "RankedOutput",
    "Seq2SeqTranslator",
    "TrainingDivergedError",
    "__version__",
    "datasets",
    "exceptions",
    "inspection",
    "load",
    "metrics",
    "preprocessing",
    "scikeras",
    "show_versions",
]
