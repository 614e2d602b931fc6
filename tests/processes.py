"""Fresh Python processes that can import this package and its tests."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def start_python(code, *arguments, cwd=None, **environment):
    """Start a process that runs this code; `output_of` waits for its end."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **environment,
        },
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(process, timeout=900):
    """What a process printed, once it has ended as it should."""
    try:
        output, errors = process.communicate(timeout=timeout)
    finally:
        process.kill()  # nothing happens to one that has ended
    assert process.returncode == 0, errors[-4000:]
    return output


def run_python(code, *arguments, **options):
    """Run code in a fresh process; gives back what it printed."""
    return output_of(start_python(code, *arguments, **options))
