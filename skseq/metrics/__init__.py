"""Measures of how well predictions agree with the truth, and their scorers."""

from skseq.metrics._alignment import (
    Alignment,
    EditOperation,
    align_sequences,
    label_error_rate,
    label_error_rate_scorer,
    sequence_accuracy,
    sequence_accuracy_scorer,
    sequence_error_rate,
    sequence_error_rate_scorer,
)
from skseq.metrics._anomalies import (
    AlarmCounts,
    anomaly_f1,
    anomaly_f1_scorer,
    count_alarms,
    event_f1,
    false_alarm_rate,
    missed_alarm_rate,
)
from skseq.metrics._translation import (
    bleu,
    bleu_scorer,
    chrf,
    chrf_scorer,
    token_error_rate,
    token_error_rate_scorer,
    word_error_rate,
    word_error_rate_scorer,
)

__all__ = [
    "AlarmCounts",
    "Alignment",
    "EditOperation",
    "align_sequences",
    "anomaly_f1",
    "anomaly_f1_scorer",
    "bleu",
    "bleu_scorer",
    "chrf",
    "chrf_scorer",
    "count_alarms",
    "event_f1",
    "false_alarm_rate",
    "label_error_rate",
    "label_error_rate_scorer",
    "missed_alarm_rate",
    "sequence_accuracy",
    "sequence_accuracy_scorer",
    "sequence_error_rate",
    "sequence_error_rate_scorer",
    "token_error_rate",
    "token_error_rate_scorer",
    "word_error_rate",
    "word_error_rate_scorer",
]
