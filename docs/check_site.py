"""Looks at the built site in a browser: Chromium, driven by selenium.

    python docs/check_site.py docs/_build/html [--pictures FOLDER]

A page of each type is opened at 1,400 and at 400 pixels. It must not be wider than its
window, hold no text or picture that is cut without a way to scroll, write no error to
the console, and ask no other machine for anything. Then the site's own search is asked
for each of the words of `check_search`, whose page must come first. With `--pictures`,
each page is kept there as it was shown.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from check_search import FIRST
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PAGES = (
    "index",
    "start",
    "which",
    "guides",
    "ctc",
    "regressor",
    "tagger",
    "inspection",
    "howto",
    "audio_files",
    "gallery/index",
    "gallery/plot_digit_strips",
    "api",
    "generated/skseq.CTCSequenceClassifier",
    "generated/skseq.metrics.word_error_rate",
    "measured",
    "speed",
    "glossary",
    "changelog",
    "genindex",
)
WIDTHS = (1400, 400)
TALLEST = 3000  # pixels of a picture
WAIT = 30  # seconds for the search to find something

# What reaches past the right edge, and stands in nothing that scrolls.
CUT = """
const scrolls = (e) => !e.matches("article") && (
  ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.clientWidth <
  e.scrollWidth || scrolls(e.parentElement));
return [...document.querySelectorAll("article :not(.headerlink)")].filter((e) =>
  e.checkVisibility() && !scrolls(e) && e.getBoundingClientRect().right
  > document.documentElement.clientWidth + 1
).map((e) => e.tagName.toLowerCase() + " " + e.textContent.trim().slice(0, 40));
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no line for each request."""

    def log_message(self, format, *args):
        pass


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve the site on this machine while it is looked at."""
    handler = partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def open_browser() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    # Whatever asks another machine is seen in the log and gets no answer.
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    # Without a path, selenium would look for a driver elsewhere.
    driver = shutil.which("chromedriver")
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


def set_size(browser: webdriver.Chrome, width: int, height: int) -> None:
    """Set the size of the page, which may be narrower than a window can be."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def faults_of_logs(browser: webdriver.Chrome, address: str) -> list[str]:
    """Errors of the console, and requests of other machines."""
    errors = [
        entry["message"]
        for entry in browser.get_log("browser")
        if entry["level"] == "SEVERE"
    ]
    events = [
        json.loads(e["message"])["message"] for e in browser.get_log("performance")
    ]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    own = (address, "data:", "blob:", "chrome:", "about:")
    return errors + [f"asks for {url}" for url in asked if not url.startswith(own)]


def faults_of_page(browser: webdriver.Chrome, address: str, page: str) -> list[str]:
    browser.get(f"{address}{page}.html")
    needed, given = browser.execute_script(
        "const page = document.documentElement;"
        "return [page.scrollWidth, page.clientWidth];"
    )
    faults = faults_of_logs(browser, address)
    faults += [f"cuts {part}" for part in browser.execute_script(CUT)[:3]]
    if needed > given:
        faults.append(f"is {needed} pixels wide in a window of {given}")
    return faults


def keep_picture(browser: webdriver.Chrome, folder: Path, page: str, width: int):
    height = browser.execute_script("return document.documentElement.scrollHeight;")
    set_size(browser, width, min(height, TALLEST))
    name = f"{page.replace('/', '-')}-{width}.png"
    browser.save_screenshot(str(folder / name))


def first_found(browser: webdriver.Chrome, address: str, query: str) -> str:
    """The page that the site's search shows first."""
    browser.get(f"{address}search.html?q={query}")
    results = WebDriverWait(browser, WAIT).until(
        lambda b: (
            b.find_element(By.CSS_SELECTOR, ".search-summary").text.startswith(
                "Search f"
            )
            and b.find_elements(By.CSS_SELECTOR, "ul.search li a")
        )
    )
    found = results[0].get_attribute("href").removeprefix(address)
    return found.split(".html")[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="the folder of the built pages")
    parser.add_argument("--pictures", type=Path, help="where to keep pictures of pages")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    faults = []
    browser = open_browser()
    try:
        with served(options.site) as address:
            for width in WIDTHS:
                for page in PAGES:
                    set_size(browser, width, 900)
                    found = faults_of_page(browser, address, page)
                    faults += [f"{page} at {width}: {fault}" for fault in found]
                    if options.pictures:
                        keep_picture(browser, options.pictures, page, width)
            for query, right in FIRST.items():
                page = first_found(browser, address, query)
                if page != right:
                    faults.append(f"search for {query!r}: {page} before {right}")
            found = faults_of_logs(browser, address)
            faults += [f"search: {fault}" for fault in found]
    finally:
        browser.quit()
    print(*faults, sep="\n")
    print(
        f"{len(PAGES)} pages at {len(WIDTHS)} widths, {len(FIRST)} searches:", end=" "
    )
    print(f"{len(faults)} faults")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main() > 0)
