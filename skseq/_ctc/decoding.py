"""Runs a CTC network over checked frames, once for any number of decodings.

A mixin of the estimator, which knows the parameters of decoding and the labels.
"""

from functools import partial

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.utils.validation import check_is_fitted

from skseq._confidence import log_odds
from skseq._ctc.data import FrameData
from skseq._ctc.decoders import DECODERS, automatic_floor, beam_search
from skseq._ctc.lattice import label_log_likelihoods, log_likelihood
from skseq._ctc.network import log_posteriors
from skseq._ctc.running import NOTHING
from skseq._data.collections import object_array
from skseq._data.memory import check_fits
from skseq._decoding import DecodingSearch
from skseq._encoder.data import check_output_lengths
from skseq._parameters import POSITIVE_INT, check_value
from skseq._results import RankedLabels, Records

# Hypotheses that a prediction is compared with, where the beam is not wider.
N_RIVALS = 5


class CTCDecoding(DecodingSearch):
    """What is read of the posteriors of frames."""

    def predict_n_best(self, X, n=5):
        """The most probable label sequences that a beam search finds.

        Parameters
        ----------
        X : collection of array-like of shape (n_frames, n_features)
            As in :meth:`fit`.
        n : int, default=5
            Largest number of hypotheses per sample. A narrower beam is widened to it.

        Returns
        -------
        hypotheses : ndarray of shape (n_samples,)
            Lists of at most `n` :class:`RankedLabels`, the best first: with the log-
            probability that the network gives the labels, and what is added to it for
            the language that the search was told of and by `blank_penalty`. A list is
            empty where nothing is allowed that fits. With one label per sample the
            hypotheses are single labels.

        Raises
        ------
        ValueError
            If `n` is not a positive int.
        """
        check_is_fitted(self)
        self._check_candidate()
        check_value("predict_n_best", "n", n, POSITIVE_INT)
        if self._is_single:
            found = self._read(X, label_log_likelihoods)
            return object_array([self._ranked_labels(scores, n) for scores in found])
        found = self._read(X, partial(self._n_best, n=n))
        return object_array([self._ranked(hypotheses) for hypotheses in found])

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

    def _best_labels(self, log_probs, lengths) -> list[np.ndarray]:
        """The label ids that are predicted; None where none are allowed."""
        if self._is_single:
            return single_labels(log_probs, lengths)
        decode, guide = DECODERS[self.decoder], self._present_guide()
        limits = self.beam_width, self._floor(guide)
        return decode(self._heard(log_probs), lengths, *limits, guide=guide)

    def _floor(self, guide, n_best=1) -> float | None:
        """Of what is heard: where a blank costs something, weaker labels are found."""
        boost = max(0.0, float(self.blank_penalty))
        return automatic_floor(self.min_label_log_prob, n_best, guide, boost)

    def _n_best(self, log_probs, lengths, n) -> list:
        """Hypotheses with the log-probabilities that the network gives them."""
        width = max(self.beam_width, n)
        found = self._hypotheses(log_probs, lengths, width, n)
        if not self.blank_penalty:
            return found
        return [
            [_as_the_network_says(h, frames[:n_frames]) for h in hypotheses]
            for hypotheses, frames, n_frames in zip(
                found, log_probs, lengths, strict=True
            )
        ]

    def _hypotheses(self, log_probs, lengths, width, n_best) -> list:
        guide = self._present_guide()
        return beam_search(
            self._heard(log_probs),
            lengths,
            beam_width=width,
            n_best=n_best,
            min_label_log_prob=self._floor(guide, n_best),
            guide=guide,
        )

    def _odds_of_best(self, log_probs, lengths) -> list[float]:
        """The log-odds of the labels that are predicted for a batch of posteriors."""
        best = self._best_labels(log_probs, lengths)
        n_best = max(int(self.beam_width), N_RIVALS)
        found = self._hypotheses(log_probs, lengths, n_best, n_best)
        heard = self._heard(log_probs)
        scores = self._scores(heard, lengths, best)
        return [
            log_odds(
                tuple(labels.tolist()),
                score,
                [(tuple(h.labels.tolist()), h.score) for h in hypotheses],
            )
            if labels is not None
            else -np.inf
            for labels, score, hypotheses in zip(best, scores, found, strict=True)
        ]

    def _labels_found(self, log_probs, lengths) -> list[np.ndarray]:
        """As `_best_labels`, no labels where none are allowed."""
        found = self._best_labels(log_probs, lengths)
        return [NOTHING if labels is None else labels for labels in found]

    def _scores(self, log_probs, lengths, labels) -> list[float]:
        """What a search ranks labels by: log-probability and language."""
        rows = [NOTHING if row is None else row for row in labels]
        scores = log_likelihood(log_probs, lengths, rows).tolist()
        guide = self._present_guide()
        if guide is None:
            return scores
        weights = [guide.log_weight(row.tolist()) for row in rows]
        return [score + weight for score, weight in zip(scores, weights, strict=True)]

    def _ranked(self, hypotheses) -> list[RankedLabels]:
        labels = self._vocabulary.decode([h.labels for h in hypotheses])
        return Records(
            found._replace(labels=item)
            for found, item in zip(hypotheses, labels, strict=True)
        )

    def _ranked_labels(self, scores, n) -> list[RankedLabels]:
        """The best n of the labelings of one label, by their log-likelihoods."""
        best = np.argsort(-scores, kind="stable")[:n]
        return Records(RankedLabels(self.classes_[i], float(scores[i])) for i in best)


def _as_the_network_says(hypothesis: RankedLabels, frames) -> RankedLabels:
    """The same score, with the log-probability of frames without a penalty."""
    (own,) = log_likelihood(frames[None], np.array([len(frames)]), [hypothesis.labels])
    return hypothesis._replace(
        log_probability=float(own), language_log_weight=hypothesis.score - float(own)
    )


def run_network(program, batch):
    """Log-posteriors of a batch, and their lengths."""
    return program.run(log_posteriors, *program.inputs(batch))


def single_log_proba(log_probs, lengths) -> np.ndarray:
    """Log-probability of each one-label sequence, if it must be one of them."""
    return log_softmax(label_log_likelihoods(log_probs, lengths), axis=1)


def single_labels(log_probs, lengths) -> np.ndarray:
    """The most probable label of each sample that has one, (n_samples, 1)."""
    return single_log_proba(log_probs, lengths).argmax(axis=1)[:, np.newaxis]
