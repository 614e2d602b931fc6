"""Sequences as the steps leave them, read one at a time, and drawn again in each epoch.

They stand in the place of what they are made of: of `Sequences`, or of lists of tokens.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from skseq._data.sequences import Sequences
from skseq._preprocess.chain import Chain, checked_frames, checked_tokens
from skseq._seeding import derive, generator
from skseq._wording import counted

# A draw that the task cannot use is drawn again so often; then the sequence stays.
MAX_DRAWS = 10


def preprocessed(
    sequences: Sequences, steps, *, is_fit: bool = False
) -> "Sequences | Preprocessed":
    """Apply the steps to checked sequences, as they are read.

    Parameters
    ----------
    sequences : Sequences
        What `check_sequences` gives.
    steps : list or None
        The parameter `preprocess`.
    is_fit : bool
        Whether the sequences are those that `fit` sees, which no single short one is.

    Returns
    -------
    sequences : Sequences or Preprocessed
        The same if there are no steps.

    Raises
    ------
    ValueError
        If a step fails on a sequence, or makes frames that no network can read. The
        message names both.
    """
    if not steps:
        return sequences
    return Preprocessed.of(sequences, Chain.of(steps, checked_frames), is_fit)


def _always(i: int, n_frames: int) -> bool:
    return True


@dataclass(frozen=True)
class _Draw:
    """Where the random numbers of an epoch come from, and which results serve."""

    seed: int
    fits: Callable[[int, int], bool] = _always

    def generators(self, i: int) -> Iterator[np.random.Generator]:
        """One generator per try, whatever was drawn for other sequences."""
        return (generator(self.seed, i, attempt) for attempt in range(MAX_DRAWS))


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """Sequences as the steps leave them, read one at a time as `Sequences` are.

    What the steps before the first augmenter make is kept if X is in memory.

    Attributes
    ----------
    source : Sequences
        The sequences as they are passed.
    lengths : ndarray of shape (n_samples,), dtype int64
        Frames of each sequence after the steps, without augmenters; in an epoch whose
        sequences must have their exact lengths, with them.
    n_features : int
        Features of a frame after the steps.
    """

    source: Sequences
    chain: Chain = field(repr=False)
    lengths: np.ndarray = field(repr=False)
    n_features: int
    kept: list[np.ndarray] | None = field(default=None, repr=False)
    draw: _Draw | None = None
    layout = "sequences"

    @classmethod
    def of(cls, source: Sequences, chain: Chain, is_fit: bool) -> "Preprocessed":
        """Apply the steps to every sequence once, to learn how long it becomes."""
        start, rest = chain.parted()
        keeps = start.steps and isinstance(source.source, (list, np.ndarray))
        kept, lengths, width, given = [], [], None, defaultdict(list)
        for i in range(len(source)):
            frames = start.apply(i, source[i], lengths=given)
            kept.append(frames if keeps else None)
            frames = rest.apply(i, frames, lengths=given)
            lengths.append(len(frames))
            width = width or frames.shape[1]
            if frames.shape[1] != width:
                raise ValueError(
                    f"preprocess gives X[{i}] {counted(frames.shape[1], 'feature')} "
                    f"per frame, but X[0] {width}."
                )
        chain.check_lengths(given, is_fit)
        lengths = np.array(lengths, dtype=np.int64)
        if keeps:
            return cls(source, rest, lengths, width, kept)
        return cls(source, chain, lengths, width)

    @property
    def terms(self):
        return self.source.terms

    def __len__(self):
        return len(self.source)

    def __getitem__(self, i):
        """Return sequence `i`, an array of shape (n_frames, n_features)."""
        i = range(len(self))[i]
        return self.made(i, self.read(i))

    def read(self, i: int) -> np.ndarray:
        """Return what `made` needs of sequence `i`; this may use the user's objects."""
        return self.source[i] if self.kept is None else self.kept[i]

    def made(self, i: int, read: np.ndarray) -> np.ndarray:
        """Return sequence `i`, of what `read` gave."""
        if self.draw is not None:
            for rng in self.draw.generators(i):
                frames = self.chain.apply(i, read, rng)
                if self.draw.fits(i, len(frames)):
                    return frames
        return self.chain.apply(i, read)

    def part(self, i: int, read: np.ndarray, bounds) -> np.ndarray:
        """Return a part of sequence `i`, of what `read` gave.

        `bounds(n_frames)` tells where it begins and ends. Where augmenters move frames,
        it is cut out before they do, so that parts that share no frame never do. Where
        other steps follow, which need whole sequences, what they make is cut at the
        same shares of its length.
        """
        moves = self.draw is not None and not self.chain.keeps_frames
        n_frames = int(self.lengths[i])
        start, end = bounds(n_frames)
        if not moves or (start, end) == (0, n_frames):
            frames = self.made(i, read)
            start, end = bounds(len(frames)) if not moves else (0, len(frames))
            return frames[start:end]
        first, rest = self.chain.parted()
        before = first.apply(i, read)
        is_of_frames = all(step.augments for step in rest.steps)
        for rng in self.draw.generators(i):
            if is_of_frames:
                frames = rest.apply(i, before[start:end], rng)[: end - start]
            else:
                frames = _share(rest.apply(i, before, rng), start, end, n_frames)
            if len(frames) and self.draw.fits(i, len(frames)):
                return frames
        return self.chain.apply(i, read)[start:end]

    def in_epoch(self, seed, epoch, *, fits=_always, exact=False) -> "Preprocessed":
        """Return the sequences as they are to be trained on in one epoch.

        Parameters
        ----------
        seed, epoch : int
            What the augmenters draw from, together with the index of the sequence.
        fits : callable
            `fits(i, n_frames)` tells whether sequence `i` can be used if it has become
            so long.
        exact : bool, default=False
            Whether `lengths` must be those of the augmented sequences.
        """
        if not self.chain.augments:
            return self
        draw = _Draw(derive(seed, "preprocess", epoch), fits)
        drawn = replace(self, draw=draw)
        if not exact:
            return drawn
        lengths = [len(drawn[i]) for i in range(len(self))]
        return replace(drawn, lengths=np.array(lengths, dtype=np.int64))

    def take(self, indices) -> "Preprocessed":
        """Return a subset that shares the source."""
        chosen = np.arange(len(self))[indices]
        kept = None if self.kept is None else [self.kept[i] for i in chosen]
        source, lengths = self.source.take(chosen), self.lengths[chosen]
        return replace(self, source=source, lengths=lengths, kept=kept)

    def fingerprint(self) -> int:
        """Return the checksum of the sequences as they were passed."""
        return self.source.fingerprint()


def _share(frames: np.ndarray, start: int, end: int, n_frames: int) -> np.ndarray:
    """What has become of the frames from `start` to `end`, of so many, all alike."""
    ratio = (len(frames) - 1) / max(1, n_frames - 1)
    first, last = math.ceil(start * ratio), math.floor((end - 1) * ratio)
    return frames[first : last + 1][: end - start]


class OfSequences:
    """What has a task's `sequences`: their lengths, and the reading of a batch."""

    sequences: Sequences | Preprocessed

    @property
    def lengths(self) -> np.ndarray:
        return self.sequences.lengths

    def read(self, rows) -> list[np.ndarray]:
        """The sequences of a batch, from wherever the user keeps them."""
        return [self.sequences.read(i) for i in rows]


class PreprocessedTokens:
    """Token sequences as the steps leave them.

    Parameters
    ----------
    sequences : list of list of str or int
        The tokens of each sample.
    steps : list or None
        The parameter `preprocess`.

    Attributes
    ----------
    sequences : list of list of str or int
        The tokens after the steps, without augmenters.
    """

    def __init__(self, sequences: list, steps):
        start, self._rest = Chain.of(steps or [], checked_tokens).parted()
        self._kept = [start.apply(i, tokens) for i, tokens in enumerate(sequences)]
        self.sequences = [
            self._rest.apply(i, tokens) for i, tokens in enumerate(self._kept)
        ]

    @property
    def augments(self) -> bool:
        """Whether any step changes what is trained on."""
        return self._rest.augments

    def drawn(self, seed: int, epoch: int, i: int) -> list:
        """Return sequence `i` as it is to be trained on in one epoch."""
        draw = _Draw(derive(seed, "preprocess", epoch))
        return self._rest.apply(i, self._kept[i].copy(), next(draw.generators(i)))
