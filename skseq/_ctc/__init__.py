"""From feature frames to a shorter sequence of labels."""

from skseq._ctc.estimator import CTCSequenceClassifier as CTCSequenceClassifier
