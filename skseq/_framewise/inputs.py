"""The base of estimators that read frames or tokens, whichever the first X holds."""

import reprlib
from itertools import chain
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skseq._base import SequenceEstimator
from skseq._data.collections import as_collection
from skseq._data.token_vocabulary import TokenVocabulary
from skseq._data.tokens import check_tokens
from skseq._engine.programs import Program
from skseq._frames import FITTED_FRAMES
from skseq._framewise.data import TargetFrames
from skseq._framewise.estimator import FramewiseEstimator, check_keeps_length
from skseq._framewise.network import frame_tagger_network
from skseq._framewise.token_network import token_network
from skseq._framewise.tokens import TargetTokens, TokenReader
from skseq._parameters import (
    ABSENT,
    MISSING,
    NONE,
    POSITIVE_INT,
    OneOf,
    accepts,
    as_tuple,
    instance_of,
)
from skseq._preprocess.sequences import PreprocessedTokens
from skseq._preprocess.steps import transformers_of
from skseq._shared_parameters import FITTED

# Measured: of so few features a convolution finds nothing that recurrences do not, and
# learns noise; of spectra it finds much.
FEW_FEATURES = 8

INPUTS = ("auto", "frames", "tokens")
READS = OneOf(["frames", "tokens"])

INPUT_CONSTRAINTS = {
    "input": OneOf(INPUTS),
    "embedding_dim": POSITIVE_INT,
    "char_embedding_dim": (NONE, POSITIVE_INT),
    "min_frequency": POSITIVE_INT,
    "max_vocabulary": (NONE, POSITIVE_INT),
}

_OF_FRAMES = {name: kind for name, kind in FITTED_FRAMES.items() if name not in FITTED}
_MAYBE_TOKENS = NONE, instance_of(np.ndarray)


def _maybe(kinds: dict) -> dict:
    """The same values, or none at all."""
    return {
        name: (*(kind if isinstance(kind, tuple) else (kind,)), ABSENT)
        for name, kind in kinds.items()
    }


FITTED_INPUT = {
    **FITTED,
    **_maybe(_OF_FRAMES),
    "token_vocabulary_": _MAYBE_TOKENS,
    "character_vocabulary_": _MAYBE_TOKENS,
    "_reads": READS,
}

# Parameters that only frames know, with the values that leave them out.
_LEFT_OUT = {
    "conv_filters": ("auto", (), []),
    "conv_strides": ("auto", 1, (), []),
    "front_end": (None,),
}


class InputEstimator(FramewiseEstimator):
    """Base of the estimators that read frames or tokens.

    What the first X holds is kept as `_reads`, and decides about the network.
    """

    _fitted = FITTED_INPUT

    # -- what to learn from -------------------------------------------------------

    def _checked_input(self, X, y, *, reset, is_trained_on):
        """What comes with a y, checked: `Sequences`, or tokens and what redraws them.

        With reset, what X holds is learnt, and vocabularies; not the scaling.
        """
        self._take_input(X, reset)
        if self._reads == "frames":
            given = {"reset": reset, "is_trained_on": is_trained_on}
            return self._checked_frames(X, y, **given)
        tokens = self._checked_tokens(X, reset)
        steps = self.preprocess if is_trained_on else self._steps
        made = PreprocessedTokens(tokens, steps)
        if is_trained_on:
            self._steps = transformers_of(self.preprocess)
        if reset:
            self._learn_tokens(made.sequences)
        return made

    def _take_input(self, X, reset) -> None:
        """Learn whether X holds frames or tokens, or check that it holds the same."""
        found = _first_token(X) if self.input == "auto" else None
        owner = type(self).__name__
        if reset:
            is_tokens = self.input == "tokens" or found is not None
            self._reads = "tokens" if is_tokens else "frames"
            for name in _OF_FRAMES:
                vars(self).pop(name, None)
            self.token_vocabulary_ = self.character_vocabulary_ = None
        elif found is not None and self._reads == "frames":
            raise ValueError(
                f"X holds tokens, as {reprlib.repr(found)}, but this {owner} was "
                "fitted on frames. Pass sequences of frames, or fit again."
            )
        if self._reads == "tokens":
            self._refuse_parameters_of_frames()

    def _refuse_parameters_of_frames(self) -> None:
        for name, values in _LEFT_OUT.items():
            given = getattr(self, name)
            if not any(given is v or given == v for v in values):
                raise ValueError(
                    f"{name}={given!r} is for frames, but X holds tokens. Leave it out."
                )

    def _checked_tokens(self, X, reset) -> list[list]:
        owner = type(self).__name__
        self._refuse_other_than_tokens(X, reset)
        tokens = check_tokens(
            X, "X", tokenizer=None, parameter=None, estimator_name=owner
        ).sequences
        if not reset:
            self._token_reader.tokens.check_type(tokens)
        return tokens

    def _refuse_other_than_tokens(self, X, reset) -> None:
        """Refuse frames where tokens were fitted, in words of their own."""
        if not reset and _is_of_frames(next(iter(_items(X)), None)):
            raise ValueError(
                f"X holds frames, but this {type(self).__name__} was fitted on tokens. "
                "Pass sequences of tokens, or fit again."
            )

    def _learn_tokens(self, sequences) -> None:
        limits = {
            "min_frequency": self.min_frequency,
            "max_vocabulary": self.max_vocabulary,
        }
        self.token_vocabulary_ = TokenVocabulary.fit(sequences, **limits).tokens
        is_spelled = bool(self.char_embedding_dim) and isinstance(sequences[0][0], str)
        self.character_vocabulary_ = None
        if is_spelled:
            letters = sorted(set(chain.from_iterable(chain.from_iterable(sequences))))
            self.character_vocabulary_ = TokenVocabulary.fit([letters]).tokens

    @property
    def _token_reader(self) -> TokenReader:
        letters = self.character_vocabulary_
        letters = None if letters is None else TokenVocabulary(letters)
        return TokenReader(TokenVocabulary(self.token_vocabulary_), letters)

    def _with_targets(self, made, totals, targets, shares):
        """Checked data, with the targets and the weights of frames or tokens."""
        if self._reads == "frames":
            return TargetFrames(made, totals, self._scaling, targets, shares)
        redraw = made.drawn if made.augments else None
        given = made.sequences, totals, self._token_reader, targets, shares
        return TargetTokens(*given, redraw)

    # -- the network --------------------------------------------------------------

    @property
    def _network(self):
        return token_network if self._reads == "tokens" else frame_tagger_network

    @property
    def _pooled(self):
        return None

    def _make_settings(self, data, validation, present):
        if self._reads == "frames":
            settings = super()._make_settings(data, validation, present)
            del settings["pooled"]
            return settings
        reader = self._token_reader
        letters = reader.characters
        return {
            "n_token_ids": reader.tokens.unknown + 1,
            "n_character_ids": 0 if letters is None else letters.unknown + 1,
            "embedding_dim": int(self.embedding_dim),
            "char_embedding_dim": int(self.char_embedding_dim or 0),
            "units": as_tuple(self.units),
            "cell": self.cell,
            "bidirectional": bool(self.bidirectional),
            "dropout": float(self.dropout),
            "n_outputs": self._n_outputs,
        }

    def _wanted_filters(self):
        is_auto = self.conv_filters == self.conv_strides == "auto"
        return () if is_auto and self._n_inputs < FEW_FEATURES else self.conv_filters

    def _prepare(self, program, data):
        if self._reads == "frames":
            super()._prepare(program, data)

    def _trainable_rows(self, data):
        if self._reads == "frames":
            return super()._trainable_rows(data)
        return SequenceEstimator._trainable_rows(self, data)

    def _initial_weights(self, program):
        weights = super()._initial_weights(program)
        if self._reads == "tokens":
            # An unknown token says nothing, until training says otherwise.
            layer = program.model.get_layer("token_embedding")
            places = {w.path: place for place, w in enumerate(program.model.weights)}
            vectors = weights[places[layer.embeddings.path]]
            vectors[self._token_reader.tokens.unknown] = 0.0
        return weights

    @property
    def conv_strides_(self) -> tuple[int, ...]:
        """The stride of each convolution; without frames there is none."""
        check_is_fitted(self)
        return self._settings.get("conv_strides", ())

    # -- using --------------------------------------------------------------------

    def _read_input(self, X):
        """Checked frames or tokens, as the trained network reads them."""
        self._take_input(X, reset=False)
        if self._reads == "frames":
            return self._unlabelled(self._frames_of(X))
        return self._unlabelled(
            PreprocessedTokens(self._checked_tokens(X, reset=False), self._steps)
        )

    def _unlabelled(self, made):
        n_samples = len(self._lengths_of(made))
        return self._with_targets(made, np.ones(n_samples), None, None)

    def _lengths_of(self, made) -> np.ndarray:
        """The number of frames or tokens of each sequence."""
        if self._reads == "frames":
            return made.lengths
        return np.array(list(map(len, made.sequences)))

    def _map_input(self, data, read, run=Program.infer) -> list:
        """What `read(rows, *outputs)` makes of each sequence, in order."""
        check = check_keeps_length if self._reads == "frames" else None
        return self._map(data, read, run, check=check)

    def _made_up(self):
        """A made-up sequence, as the trained network reads it."""
        if self._reads == "frames":
            return self._unlabelled(self._example())
        tokens = [self.token_vocabulary_.tolist()[:1]]
        return self._unlabelled(PreprocessedTokens(tokens, None))

    # -- keeping ------------------------------------------------------------------

    def _check_restored(self):
        if not accepts(getattr(self, "_reads", MISSING), READS):
            raise ValueError("it does not say whether it reads frames or tokens")
        for name, kind in _OF_FRAMES.items():
            expected = kind if self._reads == "frames" else ABSENT
            if not accepts(getattr(self, name, MISSING), expected):
                raise ValueError(f"its {name} does not go with {self._reads}")
        if self._reads == "frames":
            super()._check_restored()
        else:
            SequenceEstimator._check_restored(self)
            self._check_restored_vocabularies()

    def _check_restored_vocabularies(self) -> None:
        known = TokenVocabulary.from_array(self.token_vocabulary_)
        if self._settings["n_token_ids"] != known.unknown + 1:
            raise ValueError("its token vocabulary is not the network's")
        letters, n_ids = self.character_vocabulary_, 0
        if letters is not None:
            letters = TokenVocabulary.from_array(letters)
            if letters.tokens.dtype != object or known.tokens.dtype != object:
                raise ValueError("its characters are not texts")
            n_ids = letters.unknown + 1
        if self._settings["n_character_ids"] != n_ids:
            raise ValueError("its character vocabulary is not the network's")


def _items(X: Any):
    """The samples of an unchecked X, none if it is no collection."""
    try:
        X = as_collection(X, "X", "sequences")
        n_samples = len(X)
    except (TypeError, ValueError):
        return
    for i in range(n_samples):
        try:
            yield X[i]
        except (TypeError, ValueError, KeyError, IndexError):
            return


def _first_token(X: Any) -> str | bytes | None:
    """The first text of the first sample with entries, None if it holds no text.

    Whether all others are tokens is checked later, in words about tokens. Bytes and
    arrays of bytes are told so there, too.
    """
    for i, item in enumerate(_items(X)):
        if isinstance(item, str) and i == 0:
            raise ValueError(
                f"X[0] is text ({reprlib.repr(str(item))}); sequences of frames or of "
                "tokens are required, with one label for each. If it names a file, "
                "read it first. If it is a sentence, cut it into tokens: "
                "X = [text.split() for text in X]."
            )
        entries = _flat(item)
        if entries is None:
            return None
        text = next((own for own in entries if isinstance(own, str | bytes)), None)
        if text is not None or any(entry is not None for entry in entries):
            return str.__str__(text) if isinstance(text, str) else text
    return None


def _flat(item: Any) -> Any:
    """The entries of a list, a tuple or an array of one axis; None of others."""
    if hasattr(item, "to_pylist"):
        item = item.to_pylist()
    if isinstance(item, list | tuple):
        return item
    is_flat = hasattr(item, "__array__") and len(getattr(item, "shape", ())) == 1
    return np.asarray(item) if is_flat else None


def _is_of_frames(item: Any) -> bool:
    """Whether a sample is surely no sequence of tokens."""
    entries = _flat(item)
    if entries is None:
        return getattr(item, "ndim", 0) > 1
    is_nested = len(entries) > 0 and isinstance(entries[0], list | tuple | np.ndarray)
    return is_nested or (len(entries) > 0 and isinstance(entries[0], float))
