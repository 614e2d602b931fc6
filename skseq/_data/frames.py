"""Turns one sequence, as a user holds it, into an array of frames.

Knows nothing of the collection around the sequence, nor of Keras.
"""

import numbers
import reprlib
from collections.abc import Mapping, Set
from os import PathLike
from typing import Any

import numpy as np
from scipy import sparse as sp

from skseq._data.terms import FRAMES, Terms
from skseq._wording import counted

PAIR_OF_AUDIO = (
    " Is it a (sample_rate, waveform) pair, as scipy.io.wavfile.read returns? Pass the "
    "waveform alone."
)

PAIR_OF_GROUP = (
    " Is it a (key, group) pair of a grouped table? Pass the groups alone: "
    "[group for _, group in X]."
)

LARGEST = float(np.finfo(np.float32).max)  # networks compute in single precision


def as_frames(array: np.ndarray) -> np.ndarray:
    """View a univariate sequence as frames of one feature."""
    return array[:, np.newaxis] if array.ndim == 1 else array


def as_array(item: Any, name: str, terms: Terms = FRAMES) -> np.ndarray:
    """Return one sequence as a real array of one or two dimensions, uncopied."""
    array = item if type(item) is np.ndarray else _to_array(item, name)
    if array.dtype.kind == "O":
        array = to_floats(array, name, column_names(item))
    if array.ndim == 0:
        raise ValueError(
            f"{name} is a scalar ({item!r}); every sample must be an array of shape "
            f"{terms.shape}. Pass one {terms.item} as [x], and of a (sample_rate, "
            "waveform) pair the waveform alone."
        )
    if array.ndim > 2:
        cure = terms.deep(array.shape)
        raise ValueError(f"{name} has {array.ndim} dimensions; {cure}")
    check_dtype(array.dtype, name)
    return array


def check_dtype(dtype: np.dtype, name: str) -> None:
    """Refuse a dtype that does not hold real numbers."""
    if dtype.kind == "c":
        raise ValueError(f"Complex data not supported ({name} has dtype {dtype}).")
    if dtype.kind in "mM":
        raise TypeError(f"{name} has dtype {dtype}; convert dates to numbers first.")
    is_foreign = dtype.type.__module__ != "numpy"  # as float8 and bfloat16 are
    if dtype.names:
        raise ValueError(
            f"{name} is a structured array. Convert it with "
            f"numpy.lib.recfunctions.structured_to_unstructured({name})."
        )
    if dtype.kind not in "biuf" or is_foreign:
        raise ValueError(
            f"{name} has dtype {dtype}; numeric sequences are required. Convert it "
            "with .astype('float32')."
        )


def check_unmasked(values: Any, name: str) -> None:
    """Refuse a masked array, unless nothing is masked."""
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with "
            f"{counted(np.ma.count_masked(values), 'masked value')}; masks are not "
            "supported. Fill or trim it first."
        )


def _to_array(item: Any, name: str) -> np.ndarray:
    if sp.issparse(item):
        raise TypeError(f"{name} is sparse; dense data is required. Use '.toarray()'.")
    if item is None:
        raise ValueError(f"{name} is None. Drop it, or give it frames.")
    if isinstance(item, str | bytes | PathLike):
        raise ValueError(
            f"{name} is text ({reprlib.repr(item)}); numeric sequences are required. "
            "If it names a file, read it first."
        )
    if type(item).__module__.startswith("PIL."):
        raise TypeError(
            f"{name} is a PIL image, whose first axis is the rows. Frames are columns "
            f"of pixels: pass np.asarray({name}.convert('L')).T, and do so for every "
            "image."
        )
    if type(item).__name__ == "LazyFrame":
        raise TypeError(
            f"{name} is a LazyFrame, which holds no data yet. Pass {name}.collect()."
        )
    if isinstance(item, Mapping | Set):
        raise TypeError(
            f"{name} is a {type(item).__name__}, not a sequence; every sample must be "
            "an array of shape (n_frames, n_features)."
        )
    check_unmasked(item, name)
    check_columns(item, name)
    try:
        return np.asarray(item)
    except UnicodeDecodeError:  # text beside bytes, which is refused elsewhere
        return np.asarray(item, dtype=object)
    except ValueError as error:
        _check_frames_present(item, name)
        raise ValueError(
            f"{name} is not rectangular: its frames have different numbers of features."
            + PAIR_OF_AUDIO * _is_pair_of_audio(item)
            + PAIR_OF_GROUP * _is_pair_of_group(item)
        ) from error


def _check_frames_present(item: Any, name: str) -> None:
    """Refuse None among the frames, as a null in a column becomes."""
    is_list = isinstance(item, list | tuple)
    missing = [t for t, frame in enumerate(item) if frame is None] if is_list else []
    if missing:
        raise ValueError(
            f"{name}[{missing[0]}] is missing (None). Drop that frame, or fill it."
        )


def _is_pair_of_audio(item: Any) -> bool:
    is_pair = isinstance(item, list | tuple) and len(item) == 2
    is_audio = is_pair and isinstance(item[0], numbers.Number)
    return is_audio and column_names(item[1]) is None


def _is_pair_of_group(item: Any) -> bool:
    is_pair = isinstance(item, list | tuple) and len(item) == 2
    return is_pair and column_names(item[1]) is not None


def to_floats(array: np.ndarray, name: str, columns: list | None) -> np.ndarray:
    """Turn objects into floats, or say which one is not a number."""
    try:
        return np.array(array.tolist(), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        place, value = _first_without_number(array, name, columns)
        if type(value).__name__ in ("NAType", "NaTType"):
            raise ValueError(
                f"Input X contains missing values ({place} is {value}). Fill or drop "
                "these frames."
            ) from error
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{name} has dtype object and cannot be converted to float: {error}{place}"
        ) from error


def _first_without_number(
    array: np.ndarray, name: str, columns: list | None
) -> tuple[str, Any]:
    """Find the first value that is not a number; say where it is, in which column."""
    for index in np.ndindex(array.shape):
        try:
            float(array[index])
        except (TypeError, ValueError, OverflowError):
            return _place(name, index, columns, array[index]), array[index]
    return "", None


def _place(name: str, index: tuple, columns: list | None, value: Any) -> str:
    where = f"{name}[{', '.join(map(str, index))}]"
    is_missing = type(value).__name__ in ("NAType", "NaTType")
    column = "" if columns is None else f"column {columns[index[-1]]!r}"
    if is_missing:
        return f"{where}, {column}," if column else where
    if not column:
        return ""
    return f" ({where}, {column}). Drop that column, or turn it into numbers."


def check_columns(item: Any, name: str) -> None:
    """Refuse a data frame whose columns share a name, or hold times."""
    columns = column_names(item) or []
    repeated = next((c for c in columns if columns.count(c) > 1), None)
    if repeated is not None:
        raise ValueError(
            f"{name} has {columns.count(repeated)} columns named {repeated!r}. Give "
            "each column a name of its own."
        )
    kinds = {type(c).__name__ for c in columns}
    if "str" in kinds and len(kinds) > 1:
        raise TypeError(
            f"{name} has columns named by values of types {sorted(kinds)}. Name all of "
            "them by str: x.columns = x.columns.astype(str)."
        )
    for j, dtype in enumerate(item.dtypes if columns else ()):
        is_temporal = getattr(dtype, "is_temporal", lambda: False)  # of polars
        if getattr(dtype, "kind", "") in ("m", "M") or is_temporal():
            place = _place(name, (0, j), columns, 0)
            raise TypeError(f"{name} holds times, not numbers{place}")


def column_names(item: Any) -> list | None:
    """Return the column names of a data frame, None of anything else."""
    has_columns = hasattr(item, "columns") and hasattr(item, "dtypes")
    return list(item.columns) if has_columns and not isinstance(item, type) else None


def n_real_frames(frames: np.ndarray) -> int:
    """Count the frames before the trailing ones that are NaN throughout."""
    if len(frames) == 0 or not np.isnan(frames[-1]).all():
        return len(frames)
    is_real = ~np.isnan(frames).all(axis=1)
    return len(frames) - int(np.argmax(is_real[::-1])) if is_real.any() else 0


def fits_float32(values: np.ndarray) -> bool:
    """Tell whether all values are finite in single precision."""
    if values.dtype.kind != "f":
        return True
    # One pass, no copy: a modest sum of squares can hide neither NaN nor overflow.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if float(np.einsum("ij,ij->", values, values)) <= LARGEST**2:
            return True
    if values.itemsize <= np.dtype(np.float32).itemsize:  # what is larger is infinite
        return bool(np.isfinite(values).all())
    return bool(np.all(np.abs(values) <= LARGEST))


def refuse_value(
    frames: np.ndarray, name: str, terms: Terms = FRAMES, columns: list | None = None
) -> None:
    """Say which value of a sequence does not fit single precision, in which column."""
    finite = np.isfinite(frames)
    if finite.all():
        raise ValueError(
            f"Input {name} contains a value too large for dtype('float32'). Rescale X."
        )
    t, f = np.argwhere(~finite)[0]
    kind = "NaN" if np.isnan(frames[t, f]) else "infinity"
    column = "" if columns is None else f", column {columns[f]!r}"
    raise ValueError(
        f"Input X contains {kind} ({name}[{t}, {f}]{column}; "
        f"{counted(np.sum(~finite), 'non-finite value')} in that {terms.item}). Fill "
        f"or drop these {terms.frames}."
    )
