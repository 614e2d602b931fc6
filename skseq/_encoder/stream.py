"""The network of a stream: the encoder, which takes a sequence piece by piece."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skseq._data.scaling import Scaling
from skseq._encoder.network import first_states
from skseq._engine.lending import borrow
from skseq._engine.programs import Recipe

# Frames that a network takes at once, so that memory does not grow with what is pushed.
_AT_ONCE = 4096


def in_pieces(frames: np.ndarray, hop: int) -> Iterator[np.ndarray]:
    """Cut what is pushed, of which `hop` become one frame; none are one piece."""
    n_at_once = _AT_ONCE * hop
    for start in range(0, max(1, len(frames)), n_at_once):
        yield frames[start : start + n_at_once]


@dataclass(frozen=True)
class StreamedNetwork:
    """A network as it was when a stream was opened.

    Attributes
    ----------
    recipe : Recipe
    weights : list of ndarray
    scaling : Scaling
    advance : callable
        What is compiled: as `network.advance`, of all outputs in one list.
    stride : int
        Pushed frames from one output frame to the next.
    """

    recipe: Recipe
    weights: list[np.ndarray]
    scaling: Scaling
    advance: Callable
    stride: int

    @classmethod
    def of(cls, fitted: Any, advance: Callable, hop: int) -> "StreamedNetwork":
        """That of a fitted estimator; `hop` is that of the steps of `preprocess`."""
        stride = prod(fitted._settings["conv_strides"]) * hop
        given = fitted._recipe(), fitted._weights, fitted._scaling
        return cls(*given, advance, stride)

    def first_states(self) -> tuple[np.ndarray, ...]:
        """What is handed on before the first frame; this compiles what runs later."""
        with borrow(self.recipe, self.weights) as program:
            states = tuple(state.numpy() for state in first_states(program.model))
        return self.run(np.empty((0, 0)), np.empty((0, 0)), states)[2]

    def run(self, frames, last_frames, states) -> tuple:
        """What is found for frames and for last ones, and what is to be handed on."""
        inputs = [self._levels(part) for part in (frames, last_frames)]
        with borrow(self.recipe, self.weights) as program:
            found, last, *states = program.run(self.advance, *inputs, *states)
        return found[0], last[0], tuple(states)

    @np.errstate(under="ignore")
    def _levels(self, frames) -> np.ndarray:
        if not len(frames):
            return np.empty((1, 0, len(self.scaling.mean)), np.float32)
        return self.scaling.levels(frames)[np.newaxis].astype(np.float32)


def check_streamable(fitted: Any) -> None:
    """Refuse a fitted network that reads more than what has come."""
    settings = fitted._settings
    if settings["bidirectional"]:
        raise ValueError(
            "stream() needs bidirectional=False: this network also reads sequences "
            "from their ends. Fit again with bidirectional=False."
        )
    if settings["front_end"] is not None:
        kind = '"image"' if settings["front_end"] == "image" else "of your own"
        raise ValueError(
            f"stream() cannot apply a front_end {kind}, which may need the whole "
            "sequence. Fit again with front_end=None, with conv_filters and "
            "conv_strides, which can be applied piece by piece."
        )
