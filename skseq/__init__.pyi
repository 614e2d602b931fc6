"""The names that `__init__.py` loads when first used, for type checkers and completion.

Written by ``python -m tests.stub`` from the table in `_names.py`.
"""

from os import PathLike
from typing import Union

from sklearn.pipeline import Pipeline

from skseq import augmentation as augmentation
from skseq import datasets as datasets
from skseq import exceptions as exceptions
from skseq import inspection as inspection
from skseq import language as language
from skseq import metrics as metrics
from skseq import preprocessing as preprocessing
from skseq import scikeras as scikeras
from skseq._autoencoder.estimator import LSTMAutoencoder as LSTMAutoencoder
from skseq._ctc.estimator import CTCSequenceClassifier as CTCSequenceClassifier
from skseq._engine.checkpoint import clear_checkpoints as clear_checkpoints
from skseq._engine.lending import clear_programs as clear_programs
from skseq._engine.lending import set_program_memory as set_program_memory
from skseq._engine.pipelines import save as save
from skseq._framewise.classifier import SequenceClassifier as SequenceClassifier
from skseq._framewise.regressor import SequenceRegressor as SequenceRegressor
from skseq._framewise.tagger import SequenceTagger as SequenceTagger
from skseq._seq2seq.estimator import Seq2SeqTranslator as Seq2SeqTranslator
from skseq._show_versions import show_versions as show_versions
from skseq._siamese.estimator import SiameseSequenceEmbedder as SiameseSequenceEmbedder
from skseq._version import __version__ as __version__

_Estimator = Union[  # noqa: UP007 - one to a line, however many there are
    CTCSequenceClassifier,
    LSTMAutoencoder,
    Seq2SeqTranslator,
    SequenceClassifier,
    SequenceRegressor,
    SequenceTagger,
    SiameseSequenceEmbedder,
    Pipeline,
]

def load(path: str | PathLike[str], *, warm: bool = False) -> _Estimator:
    """Read what `save` wrote: an estimator, a transformer or a pipeline."""

# Completion by jedi leaves out what a constant excludes; type checkers do not.
_offered = False
if _offered:
    from skseq._autoencoder.stream import WindowStream as WindowStream
    from skseq._ctc.stream import CTCStream as CTCStream
    from skseq._framewise.stream import FrameStream as FrameStream
    from skseq._results import FramePartial as FramePartial
    from skseq._results import LabelSpan as LabelSpan
    from skseq._results import Partial as Partial
    from skseq._results import RankedLabels as RankedLabels
    from skseq._results import RankedOutput as RankedOutput
    from skseq._results import ScoredWindow as ScoredWindow
    from skseq.exceptions import TrainingDivergedError as TrainingDivergedError

__all__ = [
    "CTCSequenceClassifier",
    "LSTMAutoencoder",
    "Seq2SeqTranslator",
    "SequenceClassifier",
    "SequenceRegressor",
    "SequenceTagger",
    "SiameseSequenceEmbedder",
    "clear_checkpoints",
    "clear_programs",
    "load",
    "save",
    "set_program_memory",
    "show_versions",
]
