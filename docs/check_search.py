"""Checks that the site's search shows the right page first.

    python docs/check_search.py docs/_build/html

reads the index that Sphinx has built. An entry of the index scores 100 for its own
words, and in proportion for a part of them; titles, names and texts score at most 26
(`Scorer` in the site's `_static/searchtools.js`). So entries decide.
"""

import json
import sys
from pathlib import Path

FIRST = {
    "stereo": "audio_files",
    "sample rate": "audio_files",
    "wav": "audio_files",
    "png": "png_images",
    "class weight": "imbalance",
    "missing values": "gaps",
    "serve": "serving",
    "export": "export",
    "onnx": "export",
    "which estimator": "which",
    "gpu": "gpu",
    "interrupt": "interrupt",
    "checkpoint": "interrupt",
    "word error rate": "word_error_rate",
    "beam width": "tune_decoding",
    "larger than memory": "memory",
    "hmmlearn": "from_hmmlearn",
    "pyctcdecode": "from_pyctcdecode",
    "tslearn": "from_aeon",
    "sklearn-crfsuite": "from_crfsuite",
    "scikeras": "scikeras",
}
MOST_ELSEWHERE = 26


def first_page(index: dict, query: str) -> str | None:
    """The page that the entries of the index put first, None if they decide nothing."""
    scores = {}
    for entry, places in index["indexentries"].items():
        if query in entry and 2 * len(query) >= len(entry):
            score = round(100 * len(query) / len(entry))
            for file, _, is_main in places:
                page = index["docnames"][file]
                if is_main:
                    scores[page] = max(score, scores.get(page, MOST_ELSEWHERE))
    best = max(scores.values(), default=MOST_ELSEWHERE)
    pages = [page for page, score in scores.items() if score == best]
    return pages[0] if len(pages) == 1 and best > MOST_ELSEWHERE else None


def main(site: Path) -> int:
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    found = {query: first_page(index, query) for query in FIRST}
    wrong = [query for query, page in FIRST.items() if found[query] != page]
    for query in wrong:
        print(f"{query!r} finds {found[query]}, not {FIRST[query]}")
    print(
        f"{len(FIRST) - len(wrong)} of {len(FIRST)} searches find the right page first"
    )
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) > 0)
