"""Runs a CTC network over checked frames, once for any number of decodings.

A mixin of the estimator, which knows the parameters of decoding and the labels.
"""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from skseq._confidence import log_odds
from skseq._ctc.data import FrameData, check_output_lengths
from skseq._ctc.decoders import beam_search
from skseq._ctc.lattice import log_likelihood
from skseq._ctc.network import log_posteriors
from skseq._data.memory import check_fits
from skseq._data.sequences import check_sequences
from skseq._decoding import DecodingSearch

# Hypotheses that a prediction is compared with, where the beam is not wider.
N_RIVALS = 5


class CTCDecoding(DecodingSearch):
    """What is read of the posteriors of frames."""

    def _read(self, X, read) -> list:
        """What `read(log_probs, lengths)` makes of each sample of a batch, in order."""
        batches = self._held_for(X)
        if batches is None:
            return self._read_frames(self._frames_of(X), read)
        results = [None] * sum(len(rows) for rows, _ in batches)
        for rows, batch in batches:
            for row, result in zip(rows, read(*batch), strict=True):
                results[row] = result
        return results

    def _read_frames(self, sequences, read) -> list:
        return self._map_frames(sequences, lambda rows, *batch: read(*batch))

    def _hold(self, X):
        """Posteriors and lengths of all sequences, in batches with their rows."""
        batches = []

        def keep(rows, *batch):
            batches.append((rows, batch))
            return rows

        self._map_frames(self._frames_of(X), keep, self._check_held)
        return batches

    def _check_held(self, data) -> None:
        check_output_lengths(data)
        n_values = int(data.output_lengths.sum()) * (len(self.classes_) + 1)
        cure = "Pass fewer sequences to fit_decoding."
        check_fits(4 * n_values, "The posteriors of X", cure)

    def _frames_of(self, X):
        sequences = check_sequences(self, X, reset=False, terms=self._terms)
        return self._transformed(sequences)

    def _map_frames(self, sequences, read, check=check_output_lengths) -> list:
        data = FrameData(sequences, np.ones(len(sequences)), self._scaling)
        return self._map(data, read, run_network, check=check)

    def _check_searchable(self, names) -> None:
        if self._is_single and names:
            raise ValueError(
                f"{type(self).__name__}.fit_decoding has nothing to search where y "
                "holds one label per sample: probabilities of single labels are exact, "
                "however sequences are decoded. To calibrate predict_confidence, pass "
                "param_grid={} and calibrate=True."
            )

    def _log_odds(self, X) -> np.ndarray:
        if self._is_single:
            log_proba = np.sort(self.predict_log_proba(X), axis=1)
            best, others = log_proba[:, -1], log_proba[:, :-1]
            return best - logsumexp(others, axis=1) if others.size else best + np.inf
        return np.array(self._read(X, self._odds_of_best), dtype=np.float64)

    def _odds_of_best(self, log_probs, lengths) -> list[float]:
        """The log-odds of the labels that are predicted for a batch of posteriors."""
        best = self._best_labels(log_probs, lengths)
        n_best = max(int(self.beam_width), N_RIVALS)
        search = partial(beam_search, beam_width=n_best, n_best=n_best)
        found = search(log_probs, lengths, min_label_log_prob=self.min_label_log_prob)
        scores = log_likelihood(log_probs, lengths, best)
        return [
            log_odds(
                tuple(labels.tolist()),
                score,
                [(tuple(h.labels.tolist()), h.log_probability) for h in hypotheses],
            )
            for labels, score, hypotheses in zip(best, scores, found, strict=True)
        ]


def run_network(program, batch):
    """Log-posteriors of a batch, and their lengths."""
    return program.run(log_posteriors, *program.inputs(batch))
