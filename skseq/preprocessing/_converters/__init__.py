"""Converts collections of sequences between the forms in which they are kept.

A module per form, with a function from it and one to it: concatenated frames, a long
table, a table per sequence, an array padded with NaN, a ragged tensor. All read
sequences by `sequences`; the two forms of tables share `tables`.
"""

from skseq.preprocessing._converters.concatenated import (
    from_concatenated,
    to_concatenated,
)
from skseq.preprocessing._converters.data_frames import from_data_frames, to_data_frames
from skseq.preprocessing._converters.long_frame import from_long_frame, to_long_frame
from skseq.preprocessing._converters.nan_padded import from_nan_padded, to_nan_padded
from skseq.preprocessing._converters.ragged_tensor import (
    from_ragged_tensor,
    to_ragged_tensor,
)

__all__ = [
    "from_concatenated",
    "from_data_frames",
    "from_long_frame",
    "from_nan_padded",
    "from_ragged_tensor",
    "to_concatenated",
    "to_data_frames",
    "to_long_frame",
    "to_nan_padded",
    "to_ragged_tensor",
]
