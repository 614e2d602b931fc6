"""Numbered token sequences in pairs, to be cut into batches. Knows nothing of Keras."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skseq._data.batching import pad
from skseq._data.fingerprints import fingerprint_arrays
from skseq._data.tokenizers import FEW_TEXTS, is_auto
from skseq._warnings import warn


@dataclass(frozen=True)
class EncodedData:
    """What the encoder gave for each source: its states, and its summary."""

    states: list[np.ndarray]  # (n_tokens, width)
    summaries: list[np.ndarray]  # (width,)

    @property
    def source_lengths(self) -> np.ndarray:
        return np.array([len(states) for states in self.states])

    lengths = source_lengths

    @property
    def side_lengths(self) -> np.ndarray:
        """As those of the sources, without targets, so that batches are the same."""
        return np.column_stack([self.lengths, np.zeros_like(self.lengths)])

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, as `decode` takes them."""
        states = [self.states[i] for i in rows]
        return {
            "states": pad(states),
            "summary": np.stack([self.summaries[i] for i in rows]),
            "source_lengths": _lengths(states),
        }


@dataclass(frozen=True)
class PairData:
    """Sources, with targets if there are any, as ids.

    Every target is followed by its end, and begins after one: `end` is its id. Where
    sources are augmented, `redraw(seed, epoch, i)` gives source `i` of an epoch. What
    the encoder gave for them may be at hand.
    """

    sources: list[np.ndarray]
    weights: np.ndarray
    end: int
    targets: list[np.ndarray] | None = None
    redraw: Callable[[int, int, int], np.ndarray] | None = None
    draw: tuple[int, int] | None = None
    encoded: EncodedData | None = None

    @property
    def lengths(self) -> np.ndarray:
        """What a pair costs: the tokens of both sides."""
        return self.source_lengths + self.target_lengths

    @property
    def side_lengths(self) -> np.ndarray:
        """The tokens of each side, (n_pairs, 2)."""
        return np.column_stack([self.source_lengths, self.target_lengths])

    @property
    def source_lengths(self) -> np.ndarray:
        return np.array([len(source) for source in self.sources])

    @property
    def target_lengths(self) -> np.ndarray:
        """Tokens to predict, the end among them."""
        if self.targets is None:
            return np.zeros(len(self.sources), dtype=np.int64)
        return np.array([len(target) + 1 for target in self.targets])

    @property
    def sample_weight(self) -> np.ndarray:
        """A sequence counts by its tokens, so that each token counts alike."""
        return self.weights * np.maximum(self.target_lengths, 1)

    def take(self, rows) -> "PairData":
        """Some of the pairs."""
        targets = None if self.targets is None else [self.targets[i] for i in rows]
        sources = [self.sources[i] for i in rows]
        return PairData(sources, self.weights[rows], self.end, targets)

    def in_epoch(self, seed, epoch, exact) -> "PairData":
        """The data as they are to be trained on in one epoch."""
        return self if self.redraw is None else replace(self, draw=(seed, epoch))

    def _source(self, i) -> np.ndarray:
        return self.sources[i] if self.draw is None else self.redraw(*self.draw, i)

    def read(self, rows) -> None:
        """Nothing: all pairs are in memory."""

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors."""
        sources = list(map(self._source, rows))
        batch = {
            "source": pad(sources, dtype=np.int32),
            "source_lengths": _lengths(sources),
        }
        if self.targets is not None:
            targets = [self.targets[i] for i in rows]
            batch["target"] = pad([[self.end, *t] for t in targets], dtype=np.int32)
            batch["target_labels"] = pad(
                [[*t, self.end] for t in targets], dtype=np.int32
            )
            batch["target_lengths"] = _lengths(targets) + 1
        return batch

    def fingerprint(self) -> str:
        """A checksum of all that training sees."""
        sides = [self.sources, self.targets]
        arrays = [a for side in sides for a in (_lengths(side), np.concatenate(side))]
        return str(fingerprint_arrays([self.weights, *arrays]))


def _lengths(sequences) -> np.ndarray:
    return np.array([len(sequence) for sequence in sequences], dtype=np.int32)


def warn_of_whole_texts(texts, side, wanted) -> None:
    """Warn where most texts of a side are one token each that no other text has."""
    n_texts = len(texts)
    if texts.form != "text" or n_texts < FEW_TEXTS:
        return
    counts = Counter(chain.from_iterable(texts.sequences))
    n_whole = sum(
        len(tokens) == 1 and counts[tokens[0]] == 1 and len(tokens[0]) > 1
        for tokens in texts.sequences
    )
    if n_whole <= n_texts / 2:
        return
    picked = f"{side}_tokenizer={wanted!r}"
    if is_auto(wanted):
        picked += f" picked {texts.tokenizer!r}, and"
    lost = {
        "source": "nothing can be learnt about any other source",
        "target": "no other output can be learnt than these",
    }
    warn(
        f"{picked} leaves {n_whole} of {n_texts} {side}s as one token each that occurs "
        f'once, so that {lost[side]}. Set {side}_tokenizer="char" to learn them '
        "character by character.",
        ConvergenceWarning,
    )
