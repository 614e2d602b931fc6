"""What the speed benchmarks share: rates measured by turns, and rows of one table."""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

RESULTS = Path(__file__).parent / "results"

# What the ratio of a row says, and whether its aim is the least or the most it may be:
# "speed", how many times as fast ours is; "time", how many times as long it takes;
# "latency", how many milliseconds ours takes; "growth", by what share it grows;
# "difference", ours less the other.
BOUNDS = {"speed": "≥", "time": "≤", "latency": "≤", "growth": "≤", "difference": "≤"}


@dataclass(frozen=True)
class Row:
    """One comparison of ours with another, or with ours on other data.

    `processor` is the ratio by processor time, of all threads, where that was measured:
    what the work costs on a machine that has other work to do.
    """

    work: str
    against: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    aim: float
    kind: str = "speed"
    processor: float | None = None

    @property
    def compared(self) -> tuple[str, str]:
        """The work and the library, which may be run in several ways."""
        return self.work, self.against.split(",")[0]

    @property
    def is_met(self) -> bool:
        is_least = BOUNDS[self.kind] == "≥"
        return self.ratio >= self.aim if is_least else self.ratio <= self.aim


class Rate(NamedTuple):
    """Units per second that passed, and per second of processor time."""

    wall: float
    processor: float


def measure(tasks, n_rounds) -> dict[str, Rate]:
    """Median rates of each task, by name.

    `tasks` are (function, n_units) by name. They take turns, so that other load on the
    machine affects all alike. The first turn traces the functions and is not counted.
    """
    rates = {name: [] for name in tasks}
    for _ in range(1 + n_rounds):
        for name, (function, n_units) in tasks.items():
            start = np.array([time.perf_counter(), time.process_time()])
            function()
            seconds = np.array([time.perf_counter(), time.process_time()]) - start
            rates[name].append(n_units / seconds)
    return {
        name: Rate(*np.median(found[1:], axis=0).tolist())
        for name, found in rates.items()
    }


def rows_of(work, rates, aims, unit):
    """One row per library that has an aim, beside the fastest way it was run."""
    ours = rates["skseq"]
    for library, aim in aims.items():
        found = {n: rate for n, rate in rates.items() if n.startswith(library)}
        if found:
            best = max(found, key=found.get)
            theirs = found[best]
            yield Row(
                work,
                best,
                ours.wall,
                theirs.wall,
                unit,
                ours.wall / theirs.wall,
                aim,
                processor=ours.processor / theirs.processor,
            )


def torch_ways(make) -> dict:
    """PyTorch with one thread and with one per core; nothing where it is missing."""
    try:
        import torch  # noqa: F401
    except ImportError:
        print("PyTorch is not installed, so its rows are left out: pip install torch")
        return {}
    n_threads = sorted({1, os.cpu_count()})
    return {f"PyTorch, {n} thread{'s' * (n > 1)}": make(n) for n in n_threads}


def run(description, rows, **options):
    """The command line of a benchmark: `rows(**options)` yields its rows.

    Every option is an integer, except `data_home`, which is a path.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--json", help="where to write the rows")
    for name, default in options.items():
        kind = str if name == "data_home" else int
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default)
    settings = vars(parser.parse_args())
    path = settings.pop("json")
    print(f"{os.cpu_count()} cores; load at the start {os.getloadavg()}", flush=True)
    found = []
    for row in rows(**settings):
        found.append(row)
        print(as_line(row), flush=True)
    print(f"load at the end {os.getloadavg()}")
    if path:
        Path(path).write_text(json.dumps([asdict(row) for row in found], indent=1))


def as_line(row) -> str:
    figures = f"{row.ours:.4g} and {row.theirs:.4g} {row.unit}: {row.ratio:.3g}"
    aim = f"(aim {BOUNDS[row.kind]} {row.aim:g})"
    by = "" if row.processor is None else f", {row.processor:.3g} by processor time"
    return f"{row.work}; {row.against}; {figures}{by} {aim}"


def sequences_of(n_samples, shortest, longest, n_features, seed=0) -> list:
    """Random frames, of lengths drawn evenly between two limits."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, longest, endpoint=True, size=n_samples)
    return [rng.normal(size=(n, n_features)).astype("float32") for n in lengths]


if __name__ == "__main__":
    sys.exit(__doc__)
