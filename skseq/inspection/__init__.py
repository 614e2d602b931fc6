"""Plots of what a fitted estimator does, in scikit-learn's Display convention.

Beside them, a list of the transcripts that may be wrong. Drawing needs matplotlib:
``pip install "skseq[plot]"``.
"""

from skseq.inspection._alignment import AlignmentDisplay
from skseq.inspection._anomaly_scores import AnomalyScoreDisplay
from skseq.inspection._attention import AttentionDisplay
from skseq.inspection._confusion import LabelConfusionDisplay
from skseq.inspection._embeddings import EmbeddingDisplay
from skseq.inspection._history import TrainingHistoryDisplay
from skseq.inspection._label_errors import SuspiciousLabel, suspicious_labels
from skseq.inspection._pair_scores import PairScoresDisplay
from skseq.inspection._reconstruction import ReconstructionDisplay
from skseq.inspection._risk_coverage import RiskCoverageDisplay
from skseq.inspection._series import SeriesDisplay
from skseq.inspection._timeline import TimelineDisplay

__all__ = [
    "AlignmentDisplay",
    "AnomalyScoreDisplay",
    "AttentionDisplay",
    "EmbeddingDisplay",
    "LabelConfusionDisplay",
    "PairScoresDisplay",
    "ReconstructionDisplay",
    "RiskCoverageDisplay",
    "SeriesDisplay",
    "SuspiciousLabel",
    "TimelineDisplay",
    "TrainingHistoryDisplay",
    "suspicious_labels",
]
