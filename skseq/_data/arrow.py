"""Takes columns of Arrow apart, as pyarrow and datasets hand them out.

Frames stay where they are: each sequence is a view of the column's memory, which may be
a file's. Knows nothing of what the sequences are for; pyarrow is not imported.
"""

from typing import Any

import numpy as np

_FLOATS = {"halffloat", "float", "double"}
_NUMBERS = _FLOATS | {f"{kind}{n}" for kind in ("int", "uint") for n in (8, 16, 32, 64)}


def arrow_items(column: Any, name: str) -> list:
    """Return the items of a column: series and frames as arrays, all else as Python's.

    Lists of integers stay lists, as they may be labels. So does what no array can hold,
    such as frames of several widths, for whoever checks it to name.
    """
    if is_table(column):
        refuse_table(column, name)
    if _holds_tensors(column.type):
        return [item.to_numpy() if item.is_valid else None for item in column]
    depth, kind = _lists(column.type)
    if depth == 1 and kind in _FLOATS:
        return [_series(item) for item in column]
    if depth == 2 and kind in _NUMBERS:
        return [_frames(item) for item in column]
    return column.to_pylist()


def is_table(value: Any) -> bool:
    """Tell a table of pyarrow or datasets from a column of it."""
    return isinstance(getattr(value, "column_names", None), list)


def refuse_table(table: Any, name: str) -> None:
    """Say which part of a table to pass."""
    library, kind = type(table).__module__.split(".")[0], type(table).__name__
    columns = table.column_names or ["..."]
    raise TypeError(
        f"{name} is a {library} {kind}. Pass {name}.to_pandas() if its columns are "
        f"numbers, or else one column of sequences: {name}[{columns[0]!r}]."
    )


def _holds_tensors(kind: Any) -> bool:
    """Tell whether items are arrays of one shape, which Arrow keeps as flat lists."""
    return getattr(kind, "extension_name", "") == "arrow.fixed_shape_tensor"


def _lists(kind: Any) -> tuple[int, str]:
    """Return how deep the lists of a type are nested, and what the innermost hold."""
    depth = 0
    while getattr(kind, "num_fields", 0) == 1 and hasattr(kind, "value_type"):
        depth, kind = depth + 1, kind.value_type
    return depth, str(kind)


def _series(item: Any) -> Any:
    """View a list of numbers as an array, if none is missing."""
    values = item.values
    if values is None or values.null_count:
        return item.as_py()
    return values.to_numpy()


def _frames(item: Any) -> Any:
    """View a list of frames as an array, if they are complete and of one width."""
    frames = item.values
    if frames is None or len(frames) == 0 or frames.null_count:
        return item.as_py()
    values, widths = frames.flatten(), np.asarray(frames.value_lengths())
    if values.null_count or (widths != widths[0]).any():
        return item.as_py()
    return values.to_numpy().reshape(len(frames), widths[0])
