"""What a search may know of a language, beyond what the frames say.

Everything here compiles to one thing, a deterministic weighted automaton over label
ids, which the beam search of :class:`~skseq.CTCSequenceClassifier` carries along.
"""

from skseq.language._hotwords import Hotwords
from skseq.language._lexicon import Lexicon
from skseq.language._ngram import NgramModel
from skseq.language._pattern import LabelPattern

__all__ = [
    "Hotwords",
    "LabelPattern",
    "Lexicon",
    "NgramModel",
]
