"""The points of one series: values, times, and runs of flagged ones, checked.

Knows nothing of plots, nor of any estimator.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from reprlib import repr as short_repr
from typing import Any, NamedTuple

import numpy as np

from skseq._data.collections import array_of
from skseq._data.outliers import anomaly_flags
from skseq._wording import counted

# A step that is this many times the usual one is a gap, over which no line runs.
GAP = 5.0

# Of more points, a line is drawn through the lowest and the highest of several.
MOST_POINTS = 20_000


class Times(NamedTuple):
    """Where points lie on the x axis, and what that is called."""

    values: np.ndarray  # (n_points,), float64 or datetime64[ns]; in UTC where a zone is
    name: str
    zone: tzinfo | None = None


def values_of(series: Any) -> np.ndarray:
    """A series as floats, (n_points, n_features); NaN where a value is missing."""
    values = array_of(series)
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(
            "series must be one series of shape (n_frames, n_features) or (n_frames,), "
            f"with at least one frame. Got the shape {array_of(series).shape}."
        )
    return _as_floats(values, "series")


def names_of(series: Any) -> list[str] | None:
    """The names of the columns of a table, or of a Series."""
    if hasattr(series, "columns"):
        return [str(name) for name in series.columns]
    name = getattr(series, "name", None)
    return None if name is None else [str(name)]


def scores_of(scores: Any, n_points: int) -> np.ndarray:
    """Scores as floats, one per point; NaN where a point has none."""
    values = array_of(scores)
    _check_shape("scores", "score", values, n_points)
    return _as_floats(values, "scores")


def flags_of(labels: Any, name: str, n_points: int) -> np.ndarray:
    """Whether each point is flagged, from 1 and -1 or booleans."""
    flags = anomaly_flags(labels, name)
    _check_shape(name, "label", flags, n_points)
    return flags


def times_of(times: Any, n_points: int) -> Times:
    """Times of points, ascending; their number in the series if there are none."""
    if times is None:
        return Times(np.arange(n_points, dtype=np.float64), "frame")
    values, zone = _as_utc(getattr(times, "array", times))  # of pandas
    _check_shape("times", "time", values, n_points)
    name = "time" if zone is None else f"time ({_name_of(zone, values)})"
    if values.dtype.kind == "m":
        values, name = values / np.timedelta64(1, "s"), "time (s)"
    elif values.dtype.kind == "M":
        values = values.astype("datetime64[ns]")
    elif values.dtype.kind in "iuf":
        values = values.astype(np.float64)
    else:
        raise TypeError(
            "times must be numbers or dates, as numpy.datetime64 or a DatetimeIndex. "
            f"Got {short_repr(values.tolist())}. Turn text into dates by "
            "pandas.to_datetime."
        )
    _check_ascending(values, zone)
    return Times(values, name, zone)


def check_indices(series: Any, **given: Any) -> None:
    """Refuse what has another index than a series that has one too."""
    own = _index_of(series)
    for name, values in given.items():
        index = _index_of(values)
        if own is None or index is None or _are_equal(index, own):
            continue
        rows = range(len(own))
        i = next((i for i in rows if not _are_equal(index[[i]], own[[i]])), 0)
        raise ValueError(
            f"{name} must have the index of the series, or none. In row {i} it has "
            f"{index[i]}, and the series has {own[i]}. Bring {name} into the order of "
            f"the series, {name}.reindex(series.index), or drop its index, "
            f"{name}.to_numpy(), if it already has that order."
        )


def runs_of_flags(flags: np.ndarray) -> list[tuple[int, int]]:
    """First points of the runs of True, and the points after their last."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def breaks_of(times: np.ndarray) -> np.ndarray:
    """The points after a gap, for times as numbers."""
    steps = np.diff(times)
    return np.flatnonzero(steps > GAP * np.median(steps)) + 1 if len(steps) else steps


def spans_of(runs: Sequence[tuple[int, int]], times: np.ndarray) -> np.ndarray:
    """Where runs begin and end: half a usual step around their points.

    Returns an array (n_runs, 2), for times as numbers.
    """
    half = np.median(np.diff(times)) / 2 if len(times) > 1 else 0.5
    ends = np.array([(times[i], times[stop - 1]) for i, stop in runs]).reshape(-1, 2)
    return ends + np.array([-half, half])


def line_of(values: np.ndarray, breaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points that a line runs through, and their values; NaN where it breaks.

    Of very many points those with the lowest and the highest value of their neighbors
    are kept, so that no peak is lost.
    """
    kept = _extremes(values) if len(values) > MOST_POINTS else np.arange(len(values))
    after = np.searchsorted(kept, breaks)
    points = np.insert(kept, after, np.minimum(breaks, len(values) - 1))
    drawn = np.insert(values[kept], after, np.nan)
    return points, drawn


def _extremes(values: np.ndarray) -> np.ndarray:
    starts = np.linspace(0, len(values), MOST_POINTS // 2, endpoint=False).astype(int)
    found = []
    for own in np.split(np.arange(len(values)), starts[1:]):
        finite = own[np.isfinite(values[own])]
        # Where nothing is known, any point breaks the line.
        chosen = finite if len(finite) else own[:1]
        found += [chosen[values[chosen].argmin()], chosen[values[chosen].argmax()]]
    return np.unique(found)


def _as_utc(times: Any) -> tuple[np.ndarray, tzinfo | None]:
    """Times without a zone, and their zone; those that have one are turned into UTC."""
    if hasattr(times, "to_timestamp"):  # periods
        times = times.to_timestamp()
    zone = getattr(times, "tz", None)
    if zone is not None:
        return np.asarray(times.tz_convert("UTC").tz_localize(None)), zone
    values = array_of(times)
    if values.dtype.kind != "O" or not all(isinstance(t, datetime) for t in values):
        return values, None
    zones = {t.tzinfo for t in values}
    if None in zones and len(zones) > 1:
        raise ValueError(
            "times must all have a time zone, or none of them. Give one to those that "
            "have none, by tz_localize of pandas or replace(tzinfo=...)."
        )
    if None not in zones:
        zone = zones.pop() if len(zones) == 1 else UTC
        values = [t.astimezone(UTC).replace(tzinfo=None) for t in values]
    return np.array([np.datetime64(t) for t in values], dtype="datetime64[ns]"), zone


def _name_of(zone: tzinfo, values: np.ndarray) -> str:
    """What a zone is called: by its place, or else by what clocks there show."""
    by_place = getattr(zone, "key", None) or getattr(zone, "zone", None)
    known = values[~np.isnat(values)]
    return by_place or str(
        zone.tzname(_in_zone(known[0], zone) if len(known) else None)
    )


def _in_zone(time: Any, zone: tzinfo | None) -> Any:
    """A time as clocks show it in its zone."""
    if zone is None or np.isnat(time):
        return time
    return time.astype("datetime64[us]").item().replace(tzinfo=UTC).astimezone(zone)


def _index_of(values: Any) -> Any:
    """The index of a table or a Series of pandas; None of anything else."""
    index = getattr(values, "index", None)
    return index if hasattr(index, "equals") else None


def _are_equal(index: Any, other: Any) -> bool:
    """Whether two indices of one length say the same, if in different zones."""
    return index.equals(other) or bool(np.all(index == other))


def _as_floats(values: np.ndarray, name: str) -> np.ndarray:
    try:
        floats = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must hold numbers, NaN where one is missing. Got "
            f"{short_repr(values.tolist())}."
        ) from error
    if np.isinf(floats).any():
        place = tuple(map(int, np.argwhere(np.isinf(floats))[0]))
        raise ValueError(
            f"{name} must be finite, or NaN where a number is missing. "
            f"{name}{list(place)} is {floats[place]}."
        )
    return floats


def _check_shape(name, noun, values, n_points) -> None:
    if values.shape != (n_points,):
        raise ValueError(
            f"{name} must hold one {noun} per frame of the series, "
            f"{counted(n_points, noun)} in all. Got the shape {values.shape}."
        )


def _check_ascending(values, zone) -> None:
    is_missing = np.isnat(values) if values.dtype.kind == "M" else ~np.isfinite(values)
    if is_missing.any():
        i = int(np.argmax(is_missing))
        raise ValueError(f"times must all be known. times[{i}] is {values[i]}.")
    wrong = np.flatnonzero(np.diff(values) <= np.zeros(1, np.diff(values).dtype))
    if len(wrong):
        i = int(wrong[0]) + 1
        raise ValueError(
            f"times must ascend, each later than the one before. times[{i}] is "
            f"{_in_zone(values[i], zone)}, after {_in_zone(values[i - 1], zone)}. Sort "
            "the series by time, and drop what is there twice."
        )
