"""Settings of the documentation site.

The build fetches nothing over the network, and its pages load nothing from other sites.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import skseq

project = "skseq"
author = "The skseq developers"
project_copyright = author
version = release = skseq.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "code"

# -- Markdown pages -------------------------------------------------------------------

myst_heading_anchors = 3
myst_links_external_new_tab = False

# -- reference ------------------------------------------------------------------------

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def is_left_out(app, what, name, member, skip, options):
    """Whether a member comes from a built-in type or links to scikit-learn's guide."""
    where = getattr(member, "__module__", None) or "builtins"
    if where.startswith("skseq"):
        return None
    is_known = where.startswith("sklearn") and ":ref:" not in (member.__doc__ or "")
    return None if is_known else True


# -- gallery --------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"^(?!plot_)",
    "plot_gallery": os.environ.get("SKSEQ_RUN_GALLERY", "0") == "1",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "reference_url": {"skseq": None},
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # these pages would load remote scripts
}

# -- pages ----------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = f"skseq {release}"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"start": []}
html_theme_options = {
    "navigation_with_keys": False,
    "show_nav_level": 2,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}


def draw_pictures(app):
    """Draw the pictures of displays again, where the gallery is drawn too."""
    if sphinx_gallery_conf["plot_gallery"]:
        script = Path(__file__).with_name("draw_inspection.py")
        subprocess.run([sys.executable, script], check=True, env=with_skseq())


def with_skseq():
    """An environment in which this skseq is imported, not an installed one."""
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def setup(app):
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("builder-inited", draw_pictures)
