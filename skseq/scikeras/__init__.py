"""Lets skseq and SciKeras use each other's functions that build Keras models.

:func:`as_front_end` turns such a function of SciKeras into a front end for
:class:`skseq.CTCSequenceClassifier`; :func:`recurrent_model` and
:func:`autoencoder_model` build networks of skseq for SciKeras's wrappers. This package
does not import SciKeras itself.
"""

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq.scikeras._front_ends import as_front_end
from skseq.scikeras._models import autoencoder_model, recurrent_model

__all__ = ["as_front_end", "autoencoder_model", "recurrent_model"]
