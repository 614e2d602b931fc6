"""Settings of the documentation site.

The build fetches nothing over the network, and its pages load nothing from other sites.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # own_links, mathml
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from docutils import nodes
from sphinx import addnodes

import skseq

project = "skseq"
author = "The skseq developers"
project_copyright = author
version = release = skseq.__version__

extensions = [
    "mathml",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "own_links",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "code"

# -- Markdown pages -------------------------------------------------------------------

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# -- search ---------------------------------------------------------------------------

# Words that people search for, and the page that the search has to show first.
search_words = {
    "audio_files": [
        "audio",
        "stereo",
        "sample rate",
        "resampling",
        "WAV",
        "MP3",
        "FLAC",
    ],
    "errors": [
        "errors",
        "FAQ",
        "troubleshooting",
        "warnings",
        "ConvergenceWarning",
        "empty predictions",
    ],
    "export": ["export", "ONNX", "SavedModel", "TensorFlow Serving"],
    "from_aeon": [
        "aeon",
        "sktime",
        "tslearn",
        "time series classification",
        "DTW",
        "panel data",
    ],
    "from_crfsuite": [
        "sklearn-crfsuite",
        "python-crfsuite",
        "CRF",
        "conditional random field",
        "named entity recognition",
        "POS tagging",
    ],
    "from_hmmlearn": ["hmmlearn", "hidden Markov model", "HMM", "Viterbi"],
    "from_keras": ["Keras tutorials", "padding and masking"],
    "from_pyctcdecode": ["pyctcdecode", "KenLM", "flashlight", "beam search decoder"],
    "gaps": [
        "missing values",
        "gaps",
        "NaN",
        "timestamps",
        "sensor log",
        "irregular series",
    ],
    "gpu": ["gpu", "CUDA", "graphics card", "device", "mixed precision"],
    "imbalance": [
        "class weight",
        "imbalance",
        "rare classes",
        "unbalanced classes",
        "balanced accuracy",
    ],
    "interrupt": [
        "interrupt",
        "resume",
        "checkpoint",
        "Ctrl-C",
        "KeyboardInterrupt",
        "kill",
        "preempted",
    ],
    "logs": [
        "logs",
        "progress",
        "verbose",
        "TensorBoard",
        "silence messages",
        "TF_CPP_MIN_LOG_LEVEL",
    ],
    "memory": [
        "memory",
        "larger than memory",
        "lazy loading",
        "generator",
        "out of core",
    ],
    "png_images": ["PNG", "JPEG", "images", "captcha", "handwriting", "OCR"],
    "scikeras": ["SciKeras", "KerasClassifier"],
    "serving": ["serve", "serving", "deployment", "FastAPI", "REST service"],
    "text_pairs": ["text pairs", "data frame", "translation", "CSV of texts"],
    "tune_decoding": [
        "tune decoding",
        "beam width",
        "beam search",
        "greedy",
        "language model weight",
    ],
    "which": ["which estimator", "which model"],
    "word_error_rate": [
        "word error rate",
        "WER",
        "CER",
        "character error rate",
        "edit distance",
        "Levenshtein",
    ],
}


def add_search_words(app, doctree):
    """Make a page the main entry of its search words, which the search ranks first."""
    words = app.config.search_words.get(app.env.docname, ())
    section = next(doctree.findall(nodes.section), None)
    if words and section is not None:
        target = section["ids"][0]
        entries = [("single", word, target, "main", None) for word in words]
        section.insert(0, addnodes.index(entries=entries, inline=False))


# -- blocks of code -------------------------------------------------------------------

# Prompts and output are not copied, and output has no button.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_selector = "div:not(.highlight-text) > div.highlight > pre"

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

html_context = {"default_mode": "auto"}
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_favicon = "_static/icon.svg"
html_static_path = ["_static"]
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
    app.add_config_value("search_words", {}, "env", dict)
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("builder-inited", draw_pictures)
    app.connect("doctree-read", add_search_words)
