"""Encodes sources once, for any number of searches for their outputs.

A mixin of the estimator, which knows the parameters of decoding and the tokens.
"""

from dataclasses import replace

import numpy as np

from skseq._confidence import log_odds
from skseq._data.memory import check_fits
from skseq._decoding import DecodingSearch
from skseq._seq2seq.data import EncodedData
from skseq._seq2seq.network import encode

# Hypotheses that an output is compared with, where the beam is not wider.
N_RIVALS = 5


class TranslatorDecoding(DecodingSearch):
    """What is decoded of sources that are encoded."""

    def _hold(self, X):
        """Checked sources, with what the encoder gave for them."""
        data = self._check_sources(X)
        width = self._settings["units"][-1] * (1 + self._settings["bidirectional"])
        n_values = width * int(data.source_lengths.sum())
        cure = "Pass fewer sources to fit_decoding."
        check_fits(4 * n_values, "The encoder's states of X", cure)
        lengths = data.source_lengths

        def read(rows, states, summaries):
            for row, own, summary in zip(rows, states, summaries, strict=True):
                yield own[: lengths[row]].copy(), summary.copy()

        encoded = zip(*self._map(data, read, _run_encoder), strict=True)
        return replace(data, encoded=EncodedData(*map(list, encoded)))

    def _check_candidate(self) -> None:
        self._check_decoding(self._settings["attention"])
        self._check_way_back()

    def _comparable(self, y) -> list:
        return self._outputs(y, None)

    def _log_odds(self, X) -> np.ndarray:
        data = self._check_sources(X)
        n_best = max(int(self.beam_width), N_RIVALS)
        own = self._search(data, self.decoder, 1)
        found = self._search(data, "beam", n_best)
        odds = [
            log_odds(_as_pair(best)[0], best.score, map(_as_pair, hypotheses))
            for [best], hypotheses in zip(own, found, strict=True)
        ]
        return np.array(odds, dtype=np.float64)


def _as_pair(hypothesis) -> tuple[tuple, float]:
    return tuple(hypothesis.output.tolist()), hypothesis.score


def _run_encoder(program, batch):
    return program.run(encode, batch["source"], batch["source_lengths"])
