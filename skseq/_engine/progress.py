"""The progress bar of a training: epochs done, time left, and batches of long epochs.

Knows nothing of networks or data.
"""

import sys
from importlib.util import find_spec
from io import TextIOWrapper
from time import monotonic
from typing import Any

LONG = 2.0  # seconds after which an epoch is shown batch by batch

# Without {n_fmt}: within an epoch, the count is not whole.
FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"

# Seconds between two pictures of a bar; in a file, each of them stays.
IN_VIEW, IN_A_FILE = 0.1, 10.0


class ProgressBar:
    """One bar over all epochs, if it is asked for.

    Parameters
    ----------
    n_epochs : int
        The epoch to end at.
    epoch : int
        How many are done.
    is_shown : bool
        Whether there is a bar at all.
    """

    def __init__(self, n_epochs: int, epoch: int, is_shown: bool):
        self._bar: Any = None
        self._n_epochs, self._epoch = n_epochs, epoch
        self._logs: dict[str, float] = {}
        self._start = monotonic()
        if is_shown:
            self._bar = _open_bar(n_epochs, epoch)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._bar is not None:
            self._bar.close()

    def train(self, n_done: int, n_batches: int, loss: float) -> None:
        """Show how many batches of the epoch are done, and their mean loss."""
        if self._bar is None:
            return
        self._logs = {**self._logs, "loss": loss}
        self._say(f"batch {n_done}/{n_batches}")
        if n_done < n_batches:  # what ends an epoch is validation, or `end_epoch`
            self._move(self._epoch + n_done / n_batches)

    def validate(self, n_done: int, n_batches: int) -> None:
        """Show how many batches are validated."""
        if self._bar is not None:
            self._say(f"validation {n_done}/{n_batches}")
            self._move(self._bar.n)

    def end_epoch(self, epoch: int, logs: dict[str, float]) -> None:
        """Show what an epoch has come to."""
        self._epoch, self._logs, self._start = epoch, logs, monotonic()
        if self._bar is not None:
            done = _done(epoch, self._n_epochs)
            self._bar.set_description_str(done, refresh=False)
            self._bar.set_postfix(_written(logs), refresh=False)
            self._move(epoch)

    def _move(self, place: float) -> None:
        """Go to a place between two epochs; the bar is drawn if it is time to."""
        self._bar.update(place - self._bar.n)

    def _say(self, part: str) -> None:
        """Describe where in its epoch the training is, if the epoch is long."""
        if monotonic() - self._start < LONG:
            return
        epoch = _done(self._epoch + 1, self._n_epochs)
        self._bar.set_description_str(f"{epoch}, {part}", refresh=False)
        self._bar.set_postfix(_written(self._logs), refresh=False)


def _open_bar(n_epochs: int, epoch: int) -> Any:
    bar_class = _bar_class()
    return bar_class(
        total=n_epochs,
        initial=epoch,
        desc=_done(epoch, n_epochs),
        bar_format=FORMAT,
        mininterval=IN_A_FILE if _writes_to_a_file() else IN_VIEW,
        miniters=0,  # time alone decides when it is drawn
        smoothing=0,  # what is left takes as long as what is done, validation included
    )


def _bar_class() -> Any:
    """The bar of notebooks if they can show it, or else one of text.

    Without ipywidgets, tqdm.auto would warn, and take that of text too.
    """
    if find_spec("ipywidgets") is None:
        from tqdm import tqdm
    else:
        from tqdm.auto import tqdm
    return tqdm


def _writes_to_a_file() -> bool:
    """Whether lines stay that a terminal or a notebook would draw over."""
    return isinstance(sys.stderr, TextIOWrapper) and not sys.stderr.isatty()


def _done(epoch: int, n_epochs: int) -> str:
    return f"epoch {epoch}/{n_epochs}"


def _written(logs: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.4g}" for name, value in logs.items()}
