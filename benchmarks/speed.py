"""All speed benchmarks, kept in `results/speed.json` and drawn into the documentation.

    pip install torch skseq
    python benchmarks/speed.py [--data-home DIR] [--only NAME ...]

Each benchmark runs in a process of its own, one after the other; within one, the
libraries take turns. Run it on a machine that does nothing else. With `--only`, some
benchmarks are run, and their rows take the place of those that were kept, if the
machine and the libraries are still the same.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from draw import draw_all
from side_by_side import RESULTS, Row, as_line

HERE = Path(__file__).parent
BENCHMARKS = {
    "ctc_speed": ("--data-home",),
    "search_speed": (),
    "translation_speed": ("--data-home",),
    "autoencoder_speed": (),
    "framewise_speed": (),
    "latency": (),
    "scaling": (),
}
LIBRARIES = "tensorflow", "keras", "scikit-learn", "numpy", "torch", "scikeras"


def rows_from(name, options) -> list:
    """Run one benchmark in a fresh process, which prints as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = [sys.executable, HERE / f"{name}.py", "--json", path, *options]
        subprocess.run(command, check=True)
        return [Row(**row) for row in json.loads(path.read_text())]


def libraries() -> dict[str, str]:
    """The version of each library that is installed."""
    found = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def circumstances() -> dict:
    """What all rows were measured on and with."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    return {"machine": machine, "libraries": libraries()}


def among_kept(rows) -> list:
    """All rows that are kept, these in the place of earlier ones."""
    kept = json.loads((RESULTS / "speed.json").read_text("utf-8"))
    now = circumstances()
    then = {name: kept[name] for name in now}
    if then != now:
        raise SystemExit(f"Nothing is kept: the other rows were measured on {then}.")
    found = {row.compared: row for row in (Row(**row) for row in kept["rows"])}
    return list((found | {row.compared: row for row in rows}).values())


def save(rows) -> None:
    """Keep the results with the digits that count, one line per row."""
    head = circumstances()
    lines = [json.dumps(asdict(rounded(row))) for row in rows]
    rows_text = ",\n".join(f"  {line}" for line in lines)
    text = json.dumps(head, indent=1).removesuffix("\n}")
    text += f',\n "rows": [\n{rows_text}\n ]\n}}\n'
    (RESULTS / "speed.json").write_text(text, "utf-8")


def rounded(row) -> Row:
    digits = {"ours": 4, "theirs": 4, "ratio": 3}
    figures = {n: float(f"{getattr(row, n):.{d}g}") for n, d in digits.items()}
    if row.processor is not None:
        figures["processor"] = float(f"{row.processor:.3g}")
    return replace(row, **figures)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS)
    args = parser.parse_args()
    rows = []
    for name, takes in BENCHMARKS.items():
        if args.only and name not in args.only:
            continue
        given = ["--data-home", args.data_home] if args.data_home and takes else []
        rows += rows_from(name, given)
    print("\n".join(map(as_line, rows)))
    save(among_kept(rows) if args.only else rows)
    draw_all()


if __name__ == "__main__":
    main()
