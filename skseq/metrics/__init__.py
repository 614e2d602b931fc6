"""Measures of how well predicted sequences agree with true ones, and their scorers."""

from skseq.metrics._alignment import (
    Alignment,
    EditOperation,
    align_sequences,
    label_error_rate,
    label_error_rate_scorer,
    sequence_accuracy,
    sequence_accuracy_scorer,
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
    "Alignment",
    "EditOperation",
    "align_sequences",
    "bleu",
    "bleu_scorer",
    "chrf",
    "chrf_scorer",
    "label_error_rate",
    "label_error_rate_scorer",
    "sequence_accuracy",
    "sequence_accuracy_scorer",
    "token_error_rate",
    "token_error_rate_scorer",
    "word_error_rate",
    "word_error_rate_scorer",
]
