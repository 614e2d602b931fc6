"""Asks the service, once or often, and says how long it takes.

python ask.py spoken.wav [--url http://localhost:8000]
python ask.py spoken.wav --times 10000 --threads 16
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import Request, urlopen


def ask(url: str, wav: bytes) -> str:
    """What the service reads in a WAV file."""
    headers = {"Content-Type": "audio/wav"}
    with urlopen(Request(f"{url}/predict", wav, headers)) as answer:
        return json.load(answer)["text"]


def memory(url: str) -> float:
    """The most memory that the service has ever taken, in MiB."""
    with urlopen(f"{url}/health") as answer:
        return json.load(answer)["peak_memory_mib"]


def timed(url: str, wav: bytes) -> tuple[str, float]:
    """An answer, and the milliseconds that it took."""
    start = time.perf_counter()
    return ask(url, wav), 1000 * (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    wav, before = args.file.read_bytes(), memory(args.url)
    with ThreadPoolExecutor(args.threads) as threads:
        start = time.perf_counter()
        answers = threads.map(timed, [args.url] * args.times, [wav] * args.times)
        texts, took = zip(*answers, strict=True)
        seconds = time.perf_counter() - start
    took = sorted(took)
    print(f"text: {texts[0]!r}" + " (answers differ)" * (len(set(texts)) > 1))
    print(f"{args.times / seconds:.0f} requests per second")
    for share in (0.5, 0.99):
        print(f"{share:.0%} within {took[int(share * (len(took) - 1))]:.1f} ms")
    print(f"memory: {before:.0f} MiB before, {memory(args.url):.0f} MiB after")


if __name__ == "__main__":
    main()
