"""Token sequences with a label for each token, to be cut into batches.

Knows nothing of Keras.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from skseq._data.batching import pad
from skseq._data.fingerprints import fingerprint_arrays
from skseq._data.token_vocabulary import TokenVocabulary
from skseq._framewise.data import joined, taken

# A longer token is read up to here, so that one cannot fill the memory.
MAX_CHARACTERS = 64


@dataclass(frozen=True, eq=False)
class TokenReader:
    """What turns tokens into the arrays that the network takes.

    Attributes
    ----------
    tokens : TokenVocabulary
    characters : TokenVocabulary or None
        The characters that tokens are spelled with; None where they are not read.
    """

    tokens: TokenVocabulary
    characters: TokenVocabulary | None = None

    def arrays(self, sequences: list[list]) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors.

        `spellings` numbers the distinct tokens of the batch, and `characters` holds
        the ids of the characters of each token; -1 is padding.
        """
        lengths = np.array([len(tokens) for tokens in sequences], dtype=np.int32)
        ids = pad(self.tokens.encode(sequences), dtype=np.int32)
        batch = {"tokens": ids, "lengths": lengths}
        if self.characters is None:
            return batch
        words = {}
        places = [[words.setdefault(t, len(words)) for t in own] for own in sequences]
        spelled = self.characters.encode([token[:MAX_CHARACTERS] for token in words])
        spelled = pad(spelled, dtype=np.int32, value=-1)
        nothing = np.full((1, spelled.shape[1]), -1, dtype=np.int32)
        spelled = np.concatenate([spelled, nothing])
        batch["spellings"] = pad(places, dtype=np.int32, value=len(words))
        batch["characters"] = spelled[batch["spellings"]]
        return batch


@dataclass(frozen=True)
class TargetTokens:
    """Checked tokens, with labels if there are any.

    Attributes
    ----------
    sequences : list of list of str or int
    sample_weight : ndarray of shape (n_samples,)
        What a sequence counts in all.
    reader : TokenReader
    targets : list of ndarray of shape (n_tokens,)
        The id of each label, -1 where there is none.
    frame_weights : list of ndarray of shape (n_tokens,)
        The share of a sequence's weight that each token has.
    redraw : callable or None
        `redraw(seed, epoch, i)` gives the tokens of sequence `i` in an epoch, where
        they are augmented.
    """

    sequences: list[list]
    sample_weight: np.ndarray
    reader: TokenReader
    targets: list[np.ndarray] | None = None
    frame_weights: list[np.ndarray] | None = None
    redraw: Callable[[int, int, int], list] | None = None
    draw: tuple[int, int] | None = None

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(tokens) for tokens in self.sequences])

    def in_epoch(self, seed, epoch, exact) -> "TargetTokens":
        """The data as they are to be trained on in one epoch."""
        return self if self.redraw is None else replace(self, draw=(seed, epoch))

    def take(self, rows) -> "TargetTokens":
        """Some of the sequences, not augmented."""
        return replace(
            self,
            sequences=[self.sequences[i] for i in rows],
            sample_weight=self.sample_weight[rows],
            targets=taken(self.targets, rows),
            frame_weights=taken(self.frame_weights, rows),
            redraw=None,
            draw=None,
        )

    def read(self, rows) -> None:
        """Nothing: all tokens are in memory."""

    def assemble(self, rows, read=None) -> dict[str, np.ndarray]:
        """The padded arrays of a batch, by the names of the network's tensors."""
        batch = self.reader.arrays(list(map(self._tokens, rows)))
        if self.targets is not None:
            batch["targets"] = joined(taken(self.targets, rows))
            batch["frame_weights"] = joined(taken(self.frame_weights, rows))
        return batch

    def _tokens(self, i) -> list:
        return self.sequences[i] if self.draw is None else self.redraw(*self.draw, i)

    def fingerprint(self) -> str:
        """A checksum of all that training sees."""
        texts = "\x1f".join(repr(tokens) for tokens in self.sequences).encode()
        arrays = [
            np.frombuffer(texts, dtype=np.uint8),
            self.sample_weight,
            np.concatenate(self.targets),
            np.concatenate(self.frame_weights),
        ]
        return str(fingerprint_arrays(arrays))
