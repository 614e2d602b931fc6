"""The stream of estimators with one output per frame.

Frames pass, in this order, the steps of `preprocess`, the network and a decoder. A push
makes a new state of all three, and takes it over only if nothing failed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from skseq._encoder import network as encoding
from skseq._encoder.stream import StreamedNetwork, in_pieces
from skseq._preprocess.pieces import Pieces
from skseq._results import FramePartial
from skseq._streams import Stream
from skseq._wording import counted


class FrameDecoder(Protocol):
    """What makes the outputs of frames of what the network gives for them.

    A frozen record of what was read. Outputs are arrays with one entry per frame, which
    the estimator turns into what a user sees.
    """

    def after(self, rows: np.ndarray) -> tuple["FrameDecoder", np.ndarray]:
        """The decoder after more rows, and the outputs that are settled by then."""

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """All outputs after the settled ones, if the sequence ends with these rows."""


@dataclass(frozen=True)
class EachByItself:
    """Settles each frame as it comes, by a function of its row."""

    read: Callable[[np.ndarray], np.ndarray]

    def after(self, rows: np.ndarray) -> tuple["EachByItself", np.ndarray]:
        return self, self.read(rows)

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        return self.read(rows)


class FrameStream(Stream):
    """Reads one sequence piece by piece, and gives one output per frame.

    However the frames are cut, the outputs together are what `predict` gives for all of
    them. The stream keeps the weights and parameters that the estimator had when it was
    opened. As a context manager it ends with its block.

    Parameters
    ----------
    fitted : estimator
        A fitted estimator that nobody changes.
    decoder : FrameDecoder
        What makes outputs of what the network gives.
    shown : callable
        Turns an array of outputs into what a user sees.
    """

    def __init__(
        self,
        fitted: Any,
        decoder: FrameDecoder,
        shown: Callable[[np.ndarray], Any],
    ):
        super().__init__(fitted)
        pieces = Pieces.of(fitted._steps)
        self._network = StreamedNetwork.of(fitted, advance, pieces.hop)
        self._shown = shown
        nothing = np.empty((0, fitted._settings["n_outputs"]), np.float32)
        self._state = _State(pieces, self._network.first_states(), decoder, nothing)

    def push(self, frames) -> FramePartial:
        """Read more frames.

        Parameters
        ----------
        frames : array-like of shape (n_frames, n_features) or (n_frames,)
            The next frames, or audio samples where `preprocess` takes waveforms; of any
            number, also none, and of one dtype in all pushes if there is a
            `preprocess`. They are copied. If they are refused, the stream stays as it
            was.

        Returns
        -------
        partial : FramePartial
            The outputs that are settled by this push, and those that would follow.

        Raises
        ------
        ValueError, TypeError
            If the frames cannot be used, or the stream has ended.
        """
        with self._opened():
            frames = self._checked(frames)
            state = self._state
            first, found = state.n_settled, []
            for piece in in_pieces(frames, state.pieces.hop):
                state, settled = state.after(piece, self._network)
                found.append(settled)
            stable = self._shown(np.concatenate(found))
            unstable = self._shown(state.decoder.outcome(state.last))
            self._accept(frames)
            self._state = state
            return FramePartial(stable, unstable, (first, state.n_settled))

    def finish(self) -> Any:
        """End the sequence.

        Returns
        -------
        outputs : str, list, tuple or ndarray
            The outputs of the last frames, which no push has settled.

        Raises
        ------
        ValueError
            If too few frames were pushed for one output, so that the stream stays open;
            or if it has ended.
        """
        with self._opened():
            state = self._state
            state.pieces.check_end()
            if state.n_rows + len(state.last) < 1:
                raise ValueError(
                    f"Of {counted(state.n_pushed, 'frame')} pushed, none is left to "
                    "give an output for. Push more before finish()."
                )
            outputs = self._shown(state.decoder.outcome(state.last))
            self.close()
            return outputs


@dataclass(frozen=True)
class _State:
    """What is kept of a sequence between two pushes."""

    pieces: Pieces
    states: tuple[np.ndarray, ...]
    decoder: FrameDecoder
    last: np.ndarray  # rows that would follow if the sequence ended here
    n_rows: int = 0
    n_settled: int = 0
    n_pushed: int = 0

    def after(
        self, frames: np.ndarray, network: StreamedNetwork
    ) -> tuple["_State", np.ndarray]:
        """The state after more frames, and the outputs that are settled by them."""
        pieces, made = self.pieces.push(frames)
        found, last, states = network.run(made, pieces.end(), self.states)
        decoder, settled = self.decoder.after(found)
        after = replace(
            self,
            pieces=pieces,
            states=states,
            decoder=decoder,
            last=last,
            n_rows=self.n_rows + len(found),
            n_settled=self.n_settled + len(settled),
            n_pushed=self.n_pushed + len(frames),
        )
        return after, settled


def advance(model, frames, last_frames, *states):
    """The outputs of the next frames of one sequence; as `encoding.advance`."""
    found, last, handed_on = encoding.advance(model, frames, last_frames, *states)
    head = model.get_layer("outputs")
    return head(found), head(last), *handed_on
