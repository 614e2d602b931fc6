"""Whether something fits in the memory of this machine, before it is tried.

What asks for too much would otherwise be killed, or take the machine with it.
"""

import math
import os
from contextlib import suppress
from pathlib import Path


def memory_bytes() -> float:
    """Memory of this machine or container; infinity where it does not say."""
    found = [math.inf]
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found)


def check_fits(n_bytes: float, what: str, cure: str) -> None:
    """Raise ValueError if the least that something takes is more than there is.

    `what` is the subject of the message, in the plural; `cure` says what to do.
    """
    available = memory_bytes()
    if n_bytes > available:
        raise ValueError(
            f"{what} take at least {n_bytes / 2**30:.3g} GiB, more than the memory of "
            f"this machine ({available / 2**30:.3g} GiB). {cure}"
        )
