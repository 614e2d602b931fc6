"""What the network and the search give, as results of one sample each.

Knows neither vocabularies nor what users pass.
"""

import numpy as np

from skseq._results import RankedOutput


def run_forced(program, batch) -> list:
    """The logits of each sample's own tokens, and its attention."""
    logits, attention = program.infer(batch)
    ends = np.cumsum(batch["target_lengths"])
    return [np.split(logits, ends[:-1]), attention]


def read_hypotheses(rows, *found) -> list[list[RankedOutput]]:
    """The hypotheses of each sample, the best first."""
    return [_hypotheses(*sample) for sample in zip(*found, strict=True)]


def _hypotheses(tokens, lengths, log_probs, scores) -> list[RankedOutput]:
    """One sample's hypotheses, without the places that none has."""
    places = np.flatnonzero(np.isfinite(scores))
    if not places.size:
        raise ValueError(
            "No output has min_output_length tokens and satisfies no_repeat_ngram and "
            "max_output_length. Lower min_output_length, or set no_repeat_ngram=0."
        )
    return [
        RankedOutput(tokens[i, : lengths[i]], float(log_probs[i]), float(scores[i]))
        for i in places
    ]


def log_likelihood(log_probs, labels) -> float:
    """Sum of the log-probabilities of one label per row."""
    return float(log_probs[np.arange(len(labels)), labels].sum(dtype=np.float64))
