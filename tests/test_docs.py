"""Every block of Python in the documentation runs, and prints what stands below it.

A block of text that follows a block of Python is what that prints. Numbers with a
decimal point may differ somewhat, as other processors round otherwise; a line of three
dots stands for any lines.
"""

import re
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest

from skseq import _names, augmentation, inspection

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "skseq").rglob("*.md")),
]

# What a page needs that is installed neither with skseq nor with its tests.
NEEDS = {
    "citizens.md": [
        "datasets",
        "h5py",
        "imblearn",
        "mlflow.pyfunc",
        "optuna_integration",
        "pyarrow",
        "tensorboard",
        "zarr",
    ]
}
BLOCK = re.compile(
    r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
DECIMAL = re.compile(r"-?\d+\.\d*(?:e[-+]?\d+)?")


def blocks_of(page):
    """The blocks of Python of a page, each with the output below it, or ""."""
    return BLOCK.findall(page.read_text(encoding="utf-8") + "\n")


def is_as_shown(printed, shown):
    """Whether what was printed differs from what is shown in decimals alone."""
    words = [re.escape(word) for word in DECIMAL.sub("<decimal>", shown).split()]
    pattern = r"\s*".join(words).replace(r"\.\.\.", ".*")
    found = DECIMAL.sub("<decimal>", printed).strip()
    if not re.fullmatch(pattern.replace(r"\<decimal\>", "<decimal>"), found, re.S):
        return False
    if "..." in shown.split():
        return True
    pairs = zip(DECIMAL.findall(printed), DECIMAL.findall(shown), strict=True)
    return all(float(a) == pytest.approx(float(b), rel=0.1, abs=0.05) for a, b in pairs)


@pytest.mark.parametrize(
    ("printed", "is_right"),
    [
        ("score 0.97 of [12  3]\n", True),
        ("score  0.94 of\n [12 3]", True),
        ("score 0.87 of [12 3]", False),
        ("score 0.97 of [13 3]", False),
        ("score 0.97", False),
        ("", False),
    ],
)
def test_output_is_as_shown_if_only_its_decimals_differ_a_little(printed, is_right):
    assert is_as_shown(printed, "score 0.97 of [12 3]\n") == is_right


def test_three_dots_stand_for_any_lines():
    assert is_as_shown("a\nb 1\nc\n", "a\n...\nc\n")
    assert not is_as_shown("a\nb 1\nd\n", "a\n...\nc\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks_of(p)], ids=lambda page: page.name
)
def test_the_blocks_of_a_page_print_what_it_shows(page, tmp_path, monkeypatch):
    for name in NEEDS.get(page.name, ()):
        reason = f'needs {name}: pip install "skseq[{page.stem}]"'
        pytest.importorskip(name, reason=reason)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block, shown in blocks_of(page):
        with redirect_stdout(StringIO()) as printed:
            exec(compile(block, str(page), "exec"), namespace)
        if shown:
            assert is_as_shown(printed.getvalue(), shown), printed.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_every_augmenter_has_its_picture_in_the_guide():
    text = (ROOT / "docs" / "augmentation.md").read_text("utf-8")
    pictures = re.findall(
        r"^### (\w+)\n\n[^#]*?!\[.+\]\(augmentation/\1\.png\)$", text, re.M
    )
    assert sorted(pictures) == [n for n in augmentation.__all__ if n[0].isupper()]


def test_every_display_has_its_picture_in_the_guide():
    text = (ROOT / "docs" / "inspection.md").read_text("utf-8")
    links = re.compile(r"^!\[.+\]\(inspection/(\w+Display)(?:_\w+)?\.png\)$", re.M)
    pictures = links.findall(text)
    assert set(pictures) == {n for n in inspection.__all__ if n.endswith("Display")}


PUBLIC = ["skseq", *(f"skseq.{n}" for n in _names.ROOMS if n != "exceptions")]


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_stands_in_the_reference(module):
    text = (ROOT / "docs" / "api.rst").read_text("utf-8")
    own = text.split(f".. currentmodule:: {module}\n")[1]
    names = re.findall(r"\w+", own.split(".. currentmodule::")[0])
    public = _names.MODULES if module == "skseq" else import_module(module).__all__
    assert not set(public) - set(names)
