"""The stream of `CTCSequenceClassifier`: frames come, labels go as they are settled.

The frames pass, in this order, the steps of `preprocess`, the network and a decoder.
All three are told apart from what they have read: a push makes a new state of each, and
takes it over only if nothing failed.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skseq._ctc.language import warn_of_gap
from skseq._ctc.lattice import OneLabelMasses
from skseq._ctc.network import advance
from skseq._ctc.running import NOTHING, Beam, Greedy, OneLabel
from skseq._data.label_vocabulary import LabelVocabulary
from skseq._encoder.stream import StreamedNetwork, in_pieces
from skseq._preprocess.pieces import Pieces
from skseq._results import Partial
from skseq._streams import Stream
from skseq._wording import counted


class CTCStream(Stream):
    """Reads one sequence piece by piece, made by :meth:`CTCSequenceClassifier.stream`.

    However the frames are cut, the end is what `predict` gives for all of them. The
    stream keeps the weights and parameters that the estimator had when it was opened.
    As a context manager it ends with its block.

    Parameters
    ----------
    reader : CTCSequenceClassifier
        A fitted estimator that nobody changes.
    """

    def __init__(self, reader: Any):
        super().__init__(reader)
        pieces = Pieces.of(reader._steps)
        self._network = _Network.of(reader, pieces.hop)
        self._told = reader._constraints_told()
        self._vocabulary: LabelVocabulary = reader._vocabulary
        self._state = _State(
            pieces,
            self._network.first_states(),
            _decoder(reader),
            reader._settings["skip_frames"],
            np.empty((0, len(reader.classes_) + 1), np.float32),
        )
        self._stable = None
        if self._vocabulary.form != "single":
            self._stable = self._decode([])

    def push(self, frames) -> Partial:
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
        partial : Partial
            The labels that are settled, those that would follow, and what they were
            read from.

        Raises
        ------
        ValueError, TypeError
            If the frames cannot be used, or the stream has ended.
        """
        with self._opened():
            frames = self._checked(frames)
            state = self._state
            labels = []
            for piece in in_pieces(frames, state.pieces.hop):
                state, settled = state.after(piece, self._network)
                labels.append(settled)
            unstable = self._unstable(state)
            stable = self._joined(np.concatenate(labels))
            self._accept(frames)
            self._state, self._stable = state, stable
            span = self._network.n_read(state), state.n_pushed
            return Partial(copy.copy(stable), unstable, span)

    def finish(self):
        """End the sequence.

        Returns
        -------
        labels : str, list, tuple, ndarray or scalar
            What `predict` gives for all frames that were pushed: the settled labels and
            the last ones.

        Raises
        ------
        ValueError
            If too few frames were pushed for one output frame, so that the stream stays
            open; or if it has ended.
        """
        with self._opened():
            state = self._state
            state.pieces.check_end()
            if state.decoder.n_frames + len(state.last) < 1:
                raise ValueError(
                    f"Of {counted(state.n_pushed, 'frame')} pushed, the network's "
                    "convolutions and skip_frames leave none. Push more before "
                    "finish()."
                )
            labels = state.decoder.outcome(state.last)
            if labels is None:
                warn_of_gap(self._told, "these frames")
                labels = NOTHING
            self.close()
            if self._stable is None:
                return self._decode(labels)
            return self._joined(labels)

    def _unstable(self, state: "_State") -> Any:
        labels = state.decoder.guess(state.last)
        if self._stable is None and not len(labels):
            return None
        return self._decode(labels)

    def _joined(self, labels: np.ndarray) -> Any:
        """The settled labels and more."""
        if self._stable is None or not len(labels):
            return self._stable
        new = self._decode(labels)
        is_array = self._vocabulary.form == "array"
        return np.concatenate([self._stable, new]) if is_array else self._stable + new

    def _decode(self, labels) -> Any:
        is_single = self._vocabulary.form == "single"
        return self._vocabulary.decode(labels if is_single else [labels])[0]


@dataclass(frozen=True)
class _Network(StreamedNetwork):
    """A network that gives log-posteriors, as a decoder is to read them."""

    n_skipped: int
    heard: Callable  # what the decoder reads of log-posteriors

    @classmethod
    def of(cls, reader: Any, hop: int) -> "_Network":
        plain = StreamedNetwork.of(reader, advance, hop)
        return cls(
            **vars(plain),
            n_skipped=reader._settings["skip_frames"],
            heard=reader._heard,
        )

    def run(self, frames, last_frames, states) -> tuple:
        """Log-posteriors of frames and of last ones, and what is to be handed on."""
        found, last, states = super().run(frames, last_frames, states)
        return self.heard(found), self.heard(last), states

    def n_read(self, state: "_State") -> int:
        """Pushed frames that the settled labels were read from."""
        n_settled = state.decoder.n_settled
        n_frames = (n_settled + self.n_skipped) * self.stride if n_settled else 0
        return min(n_frames, state.n_pushed)


@dataclass(frozen=True)
class _State:
    """What is kept of a sequence between two pushes."""

    pieces: Pieces
    states: tuple[np.ndarray, ...]
    decoder: Greedy | OneLabel | Beam
    n_to_skip: int  # first output frames that are still to come
    last: np.ndarray  # log-posteriors that would follow if the sequence ended here
    n_pushed: int = 0

    def after(
        self, frames: np.ndarray, network: _Network
    ) -> tuple["_State", np.ndarray]:
        """The state after more frames, and the labels that are settled by them."""
        pieces, made = self.pieces.push(frames)
        found, last, states = network.run(made, pieces.end(), self.states)
        n_to_skip = max(0, self.n_to_skip - len(found))
        decoder, labels = self.decoder.after(found[self.n_to_skip :])
        after = replace(
            self,
            pieces=pieces,
            states=states,
            decoder=decoder,
            n_to_skip=n_to_skip,
            last=last[n_to_skip:],
            n_pushed=self.n_pushed + len(frames),
        )
        return after, labels


def _decoder(reader: Any) -> Greedy | OneLabel | Beam:
    """What decodes as `predict` does."""
    n_classes = len(reader.classes_)
    if reader._vocabulary.form == "single":
        return OneLabel(OneLabelMasses(n_classes))
    if reader.decoder == "greedy":
        return Greedy()
    guide = reader._present_guide()
    return Beam.of(n_classes, int(reader.beam_width), reader._floor(guide), guide)
