"""Transformers that take a collection of sequences to another, for a Pipeline."""

from skseq.preprocessing._audio import MFCC, LogMel
from skseq.preprocessing._frames import (
    FrameDifference,
    FrameTransformer,
    SequenceNormalizer,
)
from skseq.preprocessing._windows import SlidingWindows

__all__ = [
    "MFCC",
    "FrameDifference",
    "FrameTransformer",
    "LogMel",
    "SequenceNormalizer",
    "SlidingWindows",
]
