"""A model that an estimator knows, and what it stands for."""

from typing import NamedTuple

from skseq.language._ngram import NgramModel


class Known(NamedTuple):
    """A model that was learnt in a fit, or read from a file.

    Attributes
    ----------
    source : dict
        The parameters of the model that was learnt; or "path", the file.
    model : NgramModel
        The fitted model.
    """

    source: dict
    model: NgramModel
