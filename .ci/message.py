"""Refuses a commit message that says what was done, but not why.

    python .ci/message.py FILE

Its first line is what was done; after a blank line comes the reason.
"""

import sys
from pathlib import Path

OF_GIT = "Merge ", "Revert ", "fixup! ", "squash! "


def fault_of(text: str) -> str | None:
    """What the message lacks, if anything."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    first, *body = lines or [""]
    if first.startswith(OF_GIT):
        return None
    if len(first) > 72:
        return f"its first line has {len(first)} characters; 72 can be read at a glance"
    if body and body[0]:
        return "a blank line must follow the first"
    if not any(line.strip() for line in body):
        return "it has no body: say why, after a blank line"
    return None


if __name__ == "__main__":
    fault = fault_of(Path(sys.argv[1]).read_text("utf-8"))
    if fault:
        sys.exit(f"The message of this commit: {fault}.")
