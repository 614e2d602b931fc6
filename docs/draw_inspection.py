"""Draws docs/inspection/*.png: what the code of docs/inspection.md draws.

python docs/draw_inspection.py

A block of code is followed by the pictures of the figures that it makes, in their
order. Where the documentation is built with its gallery, this is run before.
"""

import re
from io import BytesIO
from pathlib import Path
from unittest import mock

import matplotlib.pyplot as plt
from PIL import Image

PAGE = Path(__file__).with_name("inspection.md")
PART = re.compile(
    r"^```python\n(?P<code>.*?)^```|^!\[[^\]\n]+\]\((?P<picture>[^)\n]+)\)$",
    re.MULTILINE | re.DOTALL,
)


def parts_of(text: str) -> list[tuple[str, list[str]]]:
    """The blocks of code, each with the pictures between it and the next one."""
    parts = []
    for code, picture in PART.findall(text):
        if code:
            parts.append((code, []))
        else:
            parts[-1][1].append(picture)
    return parts


def run(code: str, namespace: dict) -> list:
    """Run a block; returns the figures that it leaves open, or would show or close."""
    with mock.patch.object(plt, "show"), mock.patch.object(plt, "close"):
        exec(compile(code, str(PAGE), "exec"), namespace)
    return [plt.figure(number) for number in plt.get_fignums()]


def save(figure, path: Path) -> None:
    """Save a figure in few colours."""
    path.parent.mkdir(exist_ok=True)
    written = BytesIO()
    figure.savefig(written, dpi=100)
    Image.open(written).convert("RGB").quantize(96).save(path, optimize=True)


def main() -> None:
    plt.switch_backend("Agg")
    namespace: dict = {}
    for code, pictures in parts_of(PAGE.read_text("utf-8")):
        figures = run(code, namespace)
        if pictures:
            for figure, picture in zip(figures, pictures, strict=True):
                save(figure, PAGE.parent / picture)
        plt.close("all")


if __name__ == "__main__":
    main()
