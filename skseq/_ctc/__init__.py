"""From feature frames to a shorter sequence of labels."""

import skseq._nn.backend  # noqa: F401 - before Keras is imported
from skseq._ctc.estimator import CTCSequenceClassifier as CTCSequenceClassifier
