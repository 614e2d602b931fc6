"""Draws the pictures and tables of the documentation from `benchmarks/results`.

    python benchmarks/draw.py

`speed.py`, `batching.py` and `reliability.py` write the results and call this. Measures
nothing, and no drawing library is needed; equal results give equal files.
"""

import json
import math
import re
from pathlib import Path
from xml.sax.saxutils import escape

from defaults import TASKS, WORDS
from side_by_side import BOUNDS, RESULTS, Row

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SVG = "http://www.w3.org/2000/svg"
BLUE, ORANGE, GREEN = "#0072b2", "#e69f00", "#009e73"
GREY, PALE = "#777777", "#dddddd"
COLORS = {"Keras": BLUE, "PyTorch": ORANGE, "SciKeras": GREEN}


def speed_tables(rows) -> dict[str, str]:
    """Each generated table of the two pages, by the name of its place."""
    speed = [row for row in rows if row.kind == "speed"]
    latency = [row for row in rows if row.kind == "latency"]
    rest = [row for row in rows if row.kind not in ("speed", "latency")]
    return {
        "beside others": table(
            (
                "work",
                "beside",
                "skseq",
                "the other",
                "unit",
                "times as fast",
                "by processor time",
            ),
            [(*figures(row), ratio(row), by_processor(row)) for row in speed],
        ),
        "latency": table(
            ("one sequence", "beside", "skseq", "the other", "unit"),
            [figures(row) for row in latency],
        ),
        "in proportion": table(
            ("what", "beside", "measured", "the other", "unit", "ratio or difference"),
            [(*figures(row), ratio(row)) for row in rest],
        ),
        "aims": table(
            ("work", "beside", "measured", "aim", "met"),
            [
                (
                    row.work,
                    row.against,
                    ratio(row),
                    aim(row),
                    "" if aim(row) == "none" else "yes" if row.is_met else "no",
                )
                for row in rows
            ],
        ),
    }


def reliability_table(trials) -> str:
    """A line per count, with the command that makes it again."""
    heads = "tried", "times", "failed", "compared with, or held by", "more", "command"
    return table(
        heads,
        [
            (
                count["tried"],
                f"{count['times']:,}",
                f"{count['failed']:,}",
                count["means"],
                count["note"],
                f"`reliability.py {trial}`",
            )
            for trial, counts in trials.items()
            for count in counts
        ],
    )


def defaults_table(results) -> str:
    """A line per task: the defaults, the best of some configurations, a baseline."""
    heads = "task", "error", "defaults", "best of 12", "baseline", "", "warned"
    return table(
        heads,
        [
            (
                name,
                WORDS[TASKS[name].error],
                mean_and_each([fit["defaults"] for fit in fits.values()]),
                mean_of(fit["best"] for fit in results["best"].get(name, {}).values()),
                mean_of(fit["baseline"] for fit in fits.values()),
                WORDS[TASKS[name].baseline],
                str(sum(fit["warned"] for fit in fits.values())),
            )
            for name, fits in results["defaults"].items()
        ],
    )


def mean_and_each(values) -> str:
    return f"{mean_of(values)} ({', '.join(f'{value:.3f}' for value in values)})"


def mean_of(values) -> str:
    values = list(values)
    return f"{sum(values) / len(values):.3f}" if values else ""


def table(heads, lines) -> str:
    rows = [heads, ("---",) * len(heads), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def figures(row) -> tuple[str, ...]:
    return row.work, row.against, number(row.ours), number(row.theirs), row.unit


def number(value) -> str:
    """Four digits that count, and no exponent."""
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if rounded >= 1000 else f"{rounded:g}"


def ratio(row) -> str:
    return written(row.kind, row.ratio)


def by_processor(row) -> str:
    return "" if row.processor is None else written(row.kind, row.processor)


def aim(row) -> str:
    if row.aim == 0 and row.kind == "speed":
        return "none"
    return f"{BOUNDS[row.kind]} {written(row.kind, row.aim).lstrip('+')}"


def written(kind, value) -> str:
    """The ratio of a row of that kind, with three digits that count."""
    if kind == "growth":
        return f"{100 * value:+.2g} %"
    unit = {"time": " times", "latency": " ms"}.get(kind, "")
    return (f"{value:,.0f}" if value >= 100 else f"{value:.3g}") + unit


def fill(page, tables) -> None:
    """Put each table in its place, between two comments that name it."""
    text = page.read_text("utf-8")
    for name, new in tables.items():
        place = re.compile(f"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = place.sub(lambda match, new=new: f"{match[1]}{new}{match[2]}", text)
    page.write_text(text, "utf-8")


def draw_speed(rows) -> str:
    """A bar per row: how many times as fast, on a logarithmic axis."""
    rows = [row for row in rows if row.kind == "speed"]
    place = logarithmic((0.3, 20_000), (320, 740))
    bottom = 40 + 18 * len(rows)
    shapes = legend({**COLORS, "matrix products": GREY}, 290)
    for value in (1, 10, 100, 1000, 10_000):
        shapes += vertical(place(value), 34, bottom, f"{value:,}")
    shapes.append(element("path", d=f"M{place(1):.1f} 34V{bottom}", stroke=GREY))
    for i, row in enumerate(rows):
        y, end = 40 + 18 * i, place(row.ratio)
        left, width = min(place(1), end), abs(end - place(1))
        color = COLORS.get(row.against.split(",")[0], GREY)
        shapes += [
            text(312, y + 11, row.work, "end"),
            element("rect", x=left, y=y, width=width, height=14, fill=color),
            text(max(place(1), end) + 4, y + 11, ratio(row)),
        ]
    shapes.append(text(530, bottom + 36, "times as fast (logarithmic)", "middle"))
    return picture(800, bottom + 46, shapes)


def draw_batching(ways) -> str:
    """Validation loss by epochs and by seconds: the mean and the range of seeds."""
    height = logarithmic((0.15, 12), (270, 50))
    colors = {
        way["way"]: color for way, color in zip(ways, (BLUE, ORANGE), strict=True)
    }
    shapes = legend(colors, 60)
    for loss in (0.2, 0.5, 1, 2, 5, 10):
        y = height(loss)
        shapes.append(text(52, y + 4, f"{loss:g}", "end"))
        for left in (60, 440):
            shapes.append(element("path", d=f"M{left} {y:.1f}h340", stroke=PALE))
    shortest = min(way["seconds"] for way in ways)
    n_epochs = len(ways[0]["mean"])
    for left, unit, most in ((60, "epoch", n_epochs), (440, "second", shortest)):
        place = linear((0, most), (left, left + 340))
        for value in range(0, int(most) + 1, 5):
            shapes += vertical(place(value), 50, 270, f"{value}")
        shapes.append(text(left, 42, f"validation loss by {unit}"))
        for way in ways:
            step = 1 if unit == "epoch" else way["seconds"] / len(way["mean"])
            shapes += curve(way, step, most, place, height, colors[way["way"]])
    return picture(800, 294, shapes)


def curve(way, step, most, place, height, color) -> list[str]:
    """The mean of one way of batching, and its range, as far as the axis goes."""
    n_points = min(len(way["mean"]), int(most / step + 1e-9))

    def points(losses):
        values = enumerate(losses[:n_points], start=1)
        return [f"{place(i * step):.1f},{height(loss):.1f}" for i, loss in values]

    band = " ".join(points(way["lowest"]) + points(way["highest"])[::-1])
    line = " ".join(points(way["mean"]))
    return [
        element("polygon", points=band, fill=color, opacity=0.2),
        element("polyline", points=line, fill="none", stroke=color, stroke_width=2),
    ]


def linear(values, places):
    """A function from a range of values to a range of places."""
    (low, high), (first, last) = values, places
    return lambda value: first + (value - low) / (high - low) * (last - first)


def logarithmic(values, places):
    place = linear([math.log(value) for value in values], places)
    return lambda value: place(math.log(value))


def vertical(x, top, bottom, label) -> list[str]:
    """A line of the grid with its label."""
    line = element("path", d=f"M{x:.1f} {top}V{bottom}", stroke=PALE)
    return [line, text(x, bottom + 16, label, "middle")]


def legend(colors, left) -> list[str]:
    """A coloured square before each name, from left to right."""
    shapes = []
    for i, (name, color) in enumerate(colors.items()):
        x = left + 120 * i
        shapes.append(element("rect", x=x, y=8, width=12, height=12, fill=color))
        shapes.append(text(x + 18, 19, name))
    return shapes


def text(x, y, content, anchor="start") -> str:
    return element("text", escape(content), x=x, y=y, text_anchor=anchor)


def element(tag, content="", **attributes) -> str:
    """One element of SVG; an underscore in a name stands for a hyphen."""
    written = "".join(
        f' {name.replace("_", "-")}="{plain(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def plain(value) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"


def picture(width, height, shapes) -> str:
    """A whole file, on white in dark themes too."""
    size = {"width": width, "height": height, "viewBox": f"0 0 {width} {height}"}
    lines = [element("rect", width=width, height=height, fill="white"), *shapes]
    content = "".join(f"\n{line}" for line in lines) + "\n"
    font = {"font_family": "sans-serif", "font_size": 12}
    return element("svg", content, xmlns=SVG, **size, **font) + "\n"


def draw_all() -> None:
    speed = json.loads((RESULTS / "speed.json").read_text("utf-8"))
    rows = [Row(**row) for row in speed["rows"]]
    versions = ", ".join(f"{name} {v}" for name, v in speed["libraries"].items())
    tables = speed_tables(rows)
    tables["machine"] = f"Measured on {speed['machine']}, with {versions}.\n"
    for page in (DOCS / "speed.md", ROOT / "benchmarks" / "README.md"):
        fill(page, tables)
    trials = json.loads((RESULTS / "reliability.json").read_text("utf-8"))
    fill(DOCS / "reliability.md", {"reliability": reliability_table(trials)})
    defaults = json.loads((RESULTS / "defaults.json").read_text("utf-8"))
    fill(DOCS / "defaults.md", {"defaults": defaults_table(defaults)})
    ways = json.loads((RESULTS / "batching.json").read_text("utf-8"))
    (DOCS / "speed.svg").write_text(draw_speed(rows), "utf-8")
    (DOCS / "batching.svg").write_text(draw_batching(ways), "utf-8")


if __name__ == "__main__":
    draw_all()
