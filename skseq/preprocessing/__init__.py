"""Transformers from one collection of sequences to another, readers and converters.

They accept collections in the forms that :meth:`skseq.CTCSequenceClassifier.fit` lists.
"""

from skseq.preprocessing._audio import MFCC, LogMel
from skseq.preprocessing._converters import (
    from_concatenated,
    from_data_frames,
    from_long_frame,
    from_nan_padded,
    from_ragged_tensor,
    to_concatenated,
    to_data_frames,
    to_long_frame,
    to_nan_padded,
    to_ragged_tensor,
)
from skseq.preprocessing._difference import FrameDifference
from skseq.preprocessing._frames import FrameTransformer
from skseq.preprocessing._normalizer import SequenceNormalizer
from skseq.preprocessing._recordings import read_audio
from skseq.preprocessing._windows import SlidingWindows

__all__ = [
    "MFCC",
    "FrameDifference",
    "FrameTransformer",
    "LogMel",
    "SequenceNormalizer",
    "SlidingWindows",
    "from_concatenated",
    "from_data_frames",
    "from_long_frame",
    "from_nan_padded",
    "from_ragged_tensor",
    "read_audio",
    "to_concatenated",
    "to_data_frames",
    "to_long_frame",
    "to_nan_padded",
    "to_ragged_tensor",
]
