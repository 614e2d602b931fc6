"""Calls of the compiled CTC search and lattice, on arrays that have been checked.

Each function takes a padded batch of log-posteriors whose last column is the blank, and
checks types, shapes, lengths and label ids, for the library trusts what it gets. It
runs without Python's lock, with the samples shared out among threads: as many as there
are cores, or as `OMP_NUM_THREADS` says, if there is work for them. Results do not
depend on their number.
"""

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from weakref import WeakKeyDictionary

import numpy as np

from skseq._native import library

# Below so many frames, starting one more thread takes longer than it saves.
_FRAMES_PER_THREAD = 1000

# A beam may be no wider than int32 counts, and none is.
_WIDEST = 2**30

_NO_MEMORY, _TOO_LARGE, _BAD_FRAME = 1, 2, 3
_INT, _DOUBLE, _POINTER = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p


class _Batch(ctypes.Structure):
    _fields_ = (
        ("log_probs", _POINTER),
        ("lengths", _POINTER),
        ("n_samples", _INT),
        ("n_frames", _INT),
        ("n_columns", _INT),
        ("is_double", ctypes.c_int32),
        ("n_threads", ctypes.c_int32),
    )


class _Automaton(ctypes.Structure):
    _fields_ = (
        *((name, _POINTER) for name in ("firsts", "labels", "next_states")),
        *((name, _POINTER) for name in ("log_weights", "final")),
        *((name, _POINTER) for name in ("backoff_states", "backoff_weights")),
        *((name, _POINTER) for name in ("table_next", "table_weights", "most")),
        *((name, _POINTER) for name in ("needed_first", "needed_label")),
        ("needed_other", _POINTER),
        ("scale", _DOUBLE),
    )


class _Guide(ctypes.Structure):
    _fields_ = (
        ("automata", ctypes.POINTER(_Automaton)),
        ("n_automata", _INT),
        ("n_labels", _INT),
        ("bonus", _DOUBLE),
    )


_BATCH = ctypes.POINTER(_Batch)
_SIGNATURES = {
    "skseq_search": (
        *(_BATCH, ctypes.POINTER(_Guide)),
        *(_INT, _INT, _DOUBLE, _DOUBLE, _DOUBLE, ctypes.c_int32),
        *(ctypes.POINTER(_POINTER), ctypes.POINTER(_INT)),
    ),
    "skseq_count": (_POINTER, ctypes.POINTER(_INT), ctypes.POINTER(_INT)),
    "skseq_copy": (_POINTER,) * 6,
    "skseq_free": (_POINTER,),
    "skseq_score": (_BATCH, *(_POINTER,) * 4, ctypes.POINTER(_INT)),
    "skseq_align": (_BATCH, *(_POINTER,) * 4, ctypes.POINTER(_INT)),
}


def is_available() -> bool:
    """Is there a library to call?"""
    return library() is not None


def search(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    *,
    beam_width: int,
    n_best: int,
    floor: float | None,
    lost: float,
    rival: float,
    scored: bool = True,
    guide=None,
    n_threads: int | None = None,
) -> list[list[tuple[np.ndarray, float, float]]]:
    """Search each sample, the best hypothesis first.

    Parameters are those of :func:`skseq._ctc.search.search`, or with a guide those of
    :func:`skseq._ctc.guided_search.search`. Of each hypothesis there are its labels,
    its log-probability and its log-weight in the language. Without `scored`, the log-
    probability of a hypothesis without rivals is left out, and 0.0 is in its place.
    """
    batch = _Arrays(log_probs, lengths, n_threads)
    told = None if guide is None else _arrays_of(guide)
    if told is not None and guide.n_labels != batch.log_probs.shape[2] - 1:
        raise ValueError(
            f"A guide of {guide.n_labels} labels needs as many in log_probs, and the "
            f"blank. Got {batch.log_probs.shape[2]} columns."
        )
    found, refused = _POINTER(), _INT()
    limits = min(beam_width, _WIDEST), min(n_best, _WIDEST)
    floor = np.nan if floor is None else floor
    status = _function("skseq_search")(
        *(batch.struct, told and told.struct, *limits, floor, lost, rival, scored),
        *(ctypes.byref(found), ctypes.byref(refused)),
    )
    _check(status, refused)
    try:
        counts, *columns = _copy(found, len(batch.lengths))
    finally:
        _function("skseq_free")(found)
    hypotheses = iter(zip(*columns, strict=True))
    return [[next(hypotheses) for _ in range(count)] for count in counts.tolist()]


def log_likelihoods(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    labels: Sequence[np.ndarray],
    samples: np.ndarray,
    *,
    n_threads: int | None = None,
) -> np.ndarray:
    """Compute the exact log-probability of each labelling of the sample it names."""
    batch = _Arrays(log_probs, lengths, n_threads)
    samples = _indices("samples", samples, len(batch.lengths))
    order = np.argsort(samples, kind="stable")
    flat, starts = batch.flatten([labels[row] for row in order])
    first_rows = np.searchsorted(samples[order], np.arange(len(batch.lengths) + 1))
    first_rows = first_rows.astype(np.int64)
    scores, refused = np.empty(len(order)), _INT()
    status = _function("skseq_score")(
        *(batch.struct, first_rows.ctypes.data, flat.ctypes.data, starts.ctypes.data),
        *(scores.ctypes.data, ctypes.byref(refused)),
    )
    _check(status, refused)
    in_order = np.empty_like(scores)
    in_order[order] = scores
    return in_order


def best_paths(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    labels: Sequence[np.ndarray],
    *,
    n_threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the states of each sample's best path, (n_samples, n_frames), and its score.

    State 2 u is a blank after u labels, state 2 u - 1 the label number u. Where the
    score is minus infinity there is no path.
    """
    batch = _Arrays(log_probs, lengths, n_threads)
    flat, starts = batch.flatten(labels)
    if len(starts) != len(batch.lengths) + 1:
        raise ValueError("labels must hold one labelling per sample.")
    paths = np.zeros(batch.log_probs.shape[:2], dtype=np.int32)
    scores, refused = np.empty(len(paths)), _INT()
    status = _function("skseq_align")(
        *(batch.struct, flat.ctypes.data, starts.ctypes.data, paths.ctypes.data),
        *(scores.ctypes.data, ctypes.byref(refused)),
    )
    _check(status, refused)
    return paths, scores


class _Arrays:
    """A batch as the library takes it; keeps the arrays alive that it points to."""

    def __init__(self, log_probs, lengths, n_threads):
        dtype = np.float32 if log_probs.dtype == np.float32 else np.float64
        self.log_probs = np.ascontiguousarray(log_probs, dtype=dtype)
        if log_probs.ndim != 3 or log_probs.shape[2] < 1:
            raise ValueError(
                "log_probs must have shape (n_samples, n_frames, n_classes + 1). Got "
                f"{log_probs.shape} instead."
            )
        n_samples, n_frames, n_columns = log_probs.shape
        self.lengths = _indices("lengths", lengths, n_frames + 1)
        if len(self.lengths) != n_samples:
            raise ValueError(
                f"lengths must have one entry per sample, {n_samples}. Got "
                f"{len(self.lengths)} instead."
            )
        if n_threads is None:
            n_threads = min(
                _most_threads(), 1 + int(self.lengths.sum()) // _FRAMES_PER_THREAD
            )
        self.struct = _Batch(
            *(self.log_probs.ctypes.data, self.lengths.ctypes.data),
            *(n_samples, n_frames, n_columns, dtype is np.float64, n_threads),
        )

    def flatten(self, labels) -> tuple[np.ndarray, np.ndarray]:
        """Labellings one after the other, and where each starts."""
        starts = np.zeros(len(labels) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in labels], out=starts[1:])
        flat = np.concatenate([np.empty(0, dtype=np.int64), *labels])
        flat = _indices("labels", flat, self.log_probs.shape[2] - 1)
        return flat.astype(np.int32), starts


class _GuideArrays:
    """A guide as the library takes it; keeps the arrays alive that it points to."""

    def __init__(self, guide):
        self.arrays = [_checked(part, guide.n_labels) for part in guide.automata]
        structs = (_Automaton * len(self.arrays))()
        for struct, arrays, scale in zip(
            structs, self.arrays, guide.scales, strict=True
        ):
            struct.scale = scale
            for name, array in arrays.items():
                setattr(struct, name, array.ctypes.data)
        self.struct = _Guide(structs, len(structs), guide.n_labels, guide.bonus)


_ARRAYS: WeakKeyDictionary = WeakKeyDictionary()  # of guides


def _arrays_of(guide) -> _GuideArrays:
    """The arrays of a guide, which is checked when it comes first."""
    arrays = _ARRAYS.get(guide)
    if arrays is None:
        arrays = _ARRAYS[guide] = _GuideArrays(guide)
    return arrays


def _checked(automaton, n_labels: int) -> dict[str, np.ndarray]:
    """The arrays of an automaton, by name, that fit together."""
    n_states, n_arcs = len(automaton.final), len(automaton.labels)
    if not 0 < n_states < 2**31:
        raise ValueError(f"An automaton must have some states. Got {n_states}.")
    kinds = {
        "firsts": (np.int64, n_states + 1),
        "labels": (np.int32, n_arcs),
        "next_states": (np.int32, n_arcs),
        "log_weights": (np.float64, n_arcs),
        "final": (np.float64, n_states),
        "backoff_states": (np.int32, n_states),
        "backoff_weights": (np.float64, n_states),
    }
    arrays = {
        name: _array(name, getattr(automaton, name), *kind)
        for name, kind in kinds.items()
    }
    _check_arcs(arrays, n_states, n_labels)
    arrays["most"] = _array("most", automaton.most, np.float64, n_states)
    table = automaton.table()
    if table is not None:
        cells = n_states * n_labels
        arrays["table_next"] = _array("table", table[0].ravel(), np.int32, cells)
        arrays["table_weights"] = _array("table", table[1].ravel(), np.float64, cells)
    if automaton.is_hard:
        kinds = {"first": np.float64, "label": np.int32, "other": np.float64}
        for name, dtype in kinds.items():
            part = getattr(automaton.needed, name)
            arrays[f"needed_{name}"] = _array("needed", part, dtype, n_states)
    return arrays


def _array(name: str, values, dtype, size: int) -> np.ndarray:
    array = np.ascontiguousarray(values, dtype=dtype)
    if array.shape != (size,):
        raise ValueError(
            f"{name} of an automaton must have shape ({size},). Got {array.shape}."
        )
    if dtype == np.float64 and name != "needed" and not (array < np.inf).all():
        raise ValueError(
            f"{name} of an automaton must be finite or minus infinity. Got NaN or "
            "infinity among them."
        )
    return array


def _check_arcs(arrays: dict[str, np.ndarray], n_states: int, n_labels: int) -> None:
    """Refuse what a search could follow out of the arrays, or for ever."""
    firsts, labels = arrays["firsts"], arrays["labels"]
    starts_row = np.zeros(len(labels) + 1, dtype=bool)
    is_rows = firsts[0] == 0 and firsts[-1] == len(labels)
    is_rows = is_rows and (np.diff(firsts) >= 0).all()
    if is_rows:
        starts_row[firsts] = True
        ascends = (np.diff(labels) > 0) | starts_row[1:-1]
        is_rows = ascends.all()
    if not is_rows:
        raise ValueError("The arcs of an automaton must be sorted by state and label.")
    _indices("labels of an automaton", labels, n_labels)
    allowed = arrays["log_weights"] > -np.inf
    _indices("next_states of an automaton", arrays["next_states"][allowed], n_states)
    backs = np.flatnonzero(arrays["backoff_states"] != -1)
    ends = _indices("backoff_states", arrays["backoff_states"][backs], n_states)
    if not (ends > backs).all():
        raise ValueError("States of an automaton must back off to higher numbers.")


def _indices(name: str, values, end: int) -> np.ndarray:
    """A flat array of int64 from 0 to below `end`."""
    values = np.asarray(values)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
        raise ValueError(f"{name} must be a flat array of int. Got {values!r} instead.")
    if values.size and not (values.min() >= 0 and values.max() < end):
        raise ValueError(
            f"{name} must be from 0 to {end - 1}. They are from {values.min()} to "
            f"{values.max()}."
        )
    return np.ascontiguousarray(values, dtype=np.int64)


def _copy(found, n_samples: int) -> tuple[np.ndarray, list, list, list]:
    """The hypotheses per sample, their labels, scores and weights."""
    n_hypotheses, n_labels = _INT(), _INT()
    _function("skseq_count")(found, ctypes.byref(n_hypotheses), ctypes.byref(n_labels))
    counts = np.empty(n_samples, dtype=np.int64)
    sizes = np.empty(n_hypotheses.value, dtype=np.int64)
    scores, weights = np.empty(n_hypotheses.value), np.zeros(n_hypotheses.value)
    flat = np.empty(n_labels.value, dtype=np.int64)
    arrays = counts, sizes, scores, weights, flat
    _function("skseq_copy")(found, *(array.ctypes.data for array in arrays))
    ends = np.cumsum(sizes).tolist()
    starts = [0, *ends[:-1]]
    labels = [flat[start:end] for start, end in zip(starts, ends, strict=False)]
    return counts, labels, scores.tolist(), weights.tolist()


def _check(status: int, refused: ctypes.c_int64) -> None:
    if status == _NO_MEMORY:
        raise MemoryError(
            "The search of CTC posteriors found too little memory. Lower beam_width, "
            "or the n of predict_n_best."
        )
    if status == _TOO_LARGE:
        raise ValueError(
            "log_probs must have fewer than 2**31 elements. Pass fewer samples at once."
        )
    if status == _BAD_FRAME:
        raise ValueError(bad_frame(refused.value))


def bad_frame(sample: int) -> str:
    """The message about a sample with a frame that is no distribution."""
    return (
        f"log_probs[{sample}] must be log-probabilities: no NaN, nothing infinite but "
        "minus infinity, and in no frame only that."
    )


@cache
def _function(name: str):
    function = getattr(library(), name)
    function.argtypes = _SIGNATURES[name]
    function.restype = None if name in ("skseq_count", "skseq_copy") else ctypes.c_int32
    return function


def _most_threads() -> int:
    """The number of cores that this process may use, or the number asked for."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
