"""Plots of what a fitted estimator does, in scikit-learn's Display convention.

Drawing needs matplotlib: ``pip install "skseq[plot]"``.
"""

from skseq.inspection._alignment import AlignmentDisplay
from skseq.inspection._anomaly_scores import AnomalyScoreDisplay
from skseq.inspection._attention import AttentionDisplay
from skseq.inspection._confusion import LabelConfusionDisplay
from skseq.inspection._history import TrainingHistoryDisplay
from skseq.inspection._reconstruction import ReconstructionDisplay

__all__ = [
    "AlignmentDisplay",
    "AnomalyScoreDisplay",
    "AttentionDisplay",
    "LabelConfusionDisplay",
    "ReconstructionDisplay",
    "TrainingHistoryDisplay",
]
