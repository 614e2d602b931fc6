"""All speed benchmarks in one table, written to `docs/speed.md` with a picture.

    pip install torch "skseq[plot,scikeras]"
    python benchmarks/speed.py [--data-home DIR] [--only NAME ...]

Each benchmark runs in a process of its own, one after the other; within one, the
libraries take turns. Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from side_by_side import Row, as_line

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
BENCHMARKS = {
    "ctc_speed": ("--data-home",),
    "search_speed": (),
    "translation_speed": ("--data-home",),
    "autoencoder_speed": (),
    "scaling": (),
}
LIBRARIES = "skseq", "tensorflow", "keras", "scikit-learn", "numpy", "torch", "scikeras"
HEADER = """# Speed

Written by `python benchmarks/speed.py`, medians of rounds in which the libraries take
turns, on {n_cores} cores ({machine}): {libraries}.
PyTorch's is the better of one thread and of one a core. The peers' code is in
`benchmarks/peers`.

![Ratios beside their aims](speed.svg)

| work | against | skseq | other | unit | ratio | aim | met |
|---|---|---|---|---|---|---|---|
"""


def rows_from(name, options) -> list:
    """Run one benchmark in a fresh process; what it prints is seen."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = [sys.executable, HERE / f"{name}.py", "--json", path, *options]
        subprocess.run(command, check=True)
        return [Row(**row) for row in json.loads(path.read_text())]


def libraries() -> str:
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def table(rows) -> str:
    lines = [
        HEADER.format(
            n_cores=os.cpu_count(), machine=platform.machine(), libraries=libraries()
        )
    ]
    for row in rows:
        aim = "" if row.aim is None else f"{'≤' if row.at_most else '≥'} {row.aim:g}"
        figures = f"{row.ours:.4g} | {row.theirs:.4g} | {row.unit} | {row.ratio:.3g}"
        is_met = "yes" if row.is_met else "no"
        lines.append(f"| {row.work} | {row.against} | {figures} | {aim} | {is_met} |\n")
    return "".join(lines)


def draw(rows, path):
    """How many times as fast, on a logarithmic axis, with each aim as a mark."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [row for row in rows if not row.at_most][::-1]
    figure, ax = plt.subplots(figsize=(9, 0.35 * len(rows) + 1), layout="constrained")
    colors = ["#0072b2" if row.is_met else "#e69f00" for row in rows]
    ax.barh(range(len(rows)), [row.ratio for row in rows], color=colors)
    aims = [row.aim for row in rows]
    ax.plot(aims, range(len(rows)), "k|", markersize=12, label="aim")
    for i, row in enumerate(rows):
        ratio = f" {row.ratio:,.0f}" if row.ratio >= 100 else f" {row.ratio:.3g}"
        ax.annotate(ratio, (max(row.ratio, row.aim), i), va="center")
    names = [f"{row.work} | {row.against.split(',')[0]}" for row in rows]
    ax.set_yticks(range(len(rows)), names)
    ax.set(xscale="log", xlabel="times as fast as the other")
    ax.axvline(1, color="0.5", linewidth=0.8)
    ax.margins(x=0.15, y=0.01)
    ax.legend(loc="lower right")
    figure.savefig(path)


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
    if not args.only:
        (DOCS / "speed.md").write_text(table(rows))
        draw(rows, DOCS / "speed.svg")


if __name__ == "__main__":
    main()
