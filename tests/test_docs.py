"""Every block of Python in the documentation runs."""

import re
from importlib import import_module
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
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks_of(page):
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks_of(p)], ids=lambda page: page.name
)
def test_the_python_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    for name in NEEDS.get(page.name, ()):
        reason = f'needs {name}: pip install "skseq[{page.stem}]"'
        pytest.importorskip(name, reason=reason)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks_of(page):
        exec(compile(block, str(page), "exec"), namespace)


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
