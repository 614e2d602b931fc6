"""Decoders: the most probable label sequences in a batch of CTC posteriors.

Works on padded batches of log-posteriors whose last column is the blank. Knows nothing
of alphabets and networks, and of a language only what a guide tells.

A path names a label or the blank in every frame; collapsing it (merge repeats, drop
blanks) gives a label sequence. `greedy` collapses the most probable path. The beam
search adds up all paths of a prefix instead, and keeps two masses for each: of the
paths that end in a blank, and of those that end in the prefix's last label, since only
the former can be extended by the same label. An example of two frames, label "a" and
blank "-", with p(a) = 0.4 and p(-) = 0.6 in both:

    frame 1   ""   blank 0.60            "a"  label 0.40
    frame 2   ""   blank 0.60 * 0.60     "a"  blank 0.40 * 0.60,
                                              label (0.40 + 0.60) * 0.40

So "" has 0.36 and "a" 0.64, although the most probable path is all blank. "aa" has
nothing: it needs a blank between, and so a third frame.

What the search finds is scored again by the exact probability, and ranked by it. It
runs compiled where skseq was compiled (`_native`), and plain (`search`) otherwise. With
a guide the log-weight that a prefix has in the language is added to the log of its mass
(`guided_search`), and to the exact log-probability.
"""

from collections.abc import Callable

import numpy as np

from skseq._ctc import guided_search
from skseq._ctc.lattice import check_frames, log_likelihood
from skseq._ctc.search import Limits, search
from skseq._data.memory import check_fits
from skseq._native import ctc as native
from skseq._results import RankedLabels
from skseq.language._guide import Guide

# Where one best hypothesis is wanted, a prefix this much less probable than the best of
# its frame has lost, and one that ends so far behind is not scored again. Measured on
# trained, flattened and random posteriors: 3 of 3,072 searches end elsewhere.
LOST = -12.0
RIVAL = -2.0

# What a word weighs in a language may come with its last label, so that a prefix has
# lost later where there is one. In dates by unknown speakers -50 finds the same and
# takes a fifth longer at a width of 64; -12 loses the best under large weights. A model
# that is weighted by more than 1 puts prefixes so many times further apart: at a weight
# of 8, -16 loses the best of up to 92 of 200 strips of digits, and -128 of none. Rivals
# at the end are as much further apart, and by the bonus of a label more.
GUIDED_LOST = -16.0

# The floor beside a guide, less what that may add to a label. Measured on 300 dates by
# an unknown speaker, with a 5-gram of weight 1: -6 ends elsewhere than a search without
# a floor in 70, -8 in 25 and -9 in 14, and they take 1.0, 1.3 and 1.5 times as long; in
# 94, 0 and 0 with a bonus of 4 for each label. Hotwords find the same with all three.
GUIDED_FLOOR = -8.0

_PREFIX_BYTES = 64  # of a prefix in a beam, and of what may follow it, at the least
_GUIDED_BYTES = 96  # more of a prefix that a language is followed for


def greedy(log_probs: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Collapse the most probable path.

    Parameters
    ----------
    log_probs, lengths : ndarray
        The batch, as for :func:`beam_search`.

    Returns
    -------
    labels : list of n_samples int arrays
        Label ids. Of equally probable labels in a frame the lowest id is taken, and
        the blank last.

    Examples
    --------
    >>> import numpy as np
    >>> posteriors = np.array([[0.8, 0.1, 0.1], [0.7, 0.1, 0.2], [0.1, 0.7, 0.2]])
    >>> greedy(np.log(posteriors)[None], np.array([3]))
    [array([0, 1])]
    """
    _, n_frames, n_columns = log_probs.shape
    path = log_probs.argmax(axis=2)
    kept = (path != n_columns - 1) & (np.arange(n_frames) < lengths[:, None])
    kept[:, 1:] &= path[:, 1:] != path[:, :-1]
    return [labels[keep] for labels, keep in zip(path, kept, strict=True)]


def beam_search(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    *,
    beam_width: int,
    n_best: int = 1,
    min_label_log_prob: float | None = None,
    guide: Guide | None = None,
) -> list[list[RankedLabels]]:
    """Search for the most probable label sequences over all their alignments.

    A prefix beam search [1]_ [2]_: all alignments of a prefix count together. What it
    finds is scored again by the exact probability, and ranked by it. If prefixes tie
    for the last places of the beam, those that took no label stay, then those that
    grew from a more probable prefix, and of these those that took a lower label.

    Parameters
    ----------
    log_probs : ndarray of shape (n_samples, n_frames, n_classes + 1)
        Log-posteriors, blank last. Frames past a sample's length never matter.
    lengths : ndarray of int of shape (n_samples,)
        Number of frames of each sample.
    beam_width : int
        Prefixes kept per frame. More prefixes find better sequences but take longer.
    n_best : int, default=1
        Hypotheses returned per sample.
    min_label_log_prob : float, default=None
        Labels less probable in a frame are not appended there, unless one leads it.
        Larger values are faster and may miss labels; minus infinity appends all. None
        takes -6 where one hypothesis is wanted, save in samples whose weak labels add
        up over the frames, and minus infinity there, where several are wanted, and
        where the guide forbids something. Beside any other guide it takes -8, less what
        that can add to a label.
    guide : Guide, default=None
        What is known of the language. Hypotheses are ranked by the sum of log-
        probability and log-weight. Where the guide forbids something, prefixes that can
        come to no allowed end in the frames that are left are dropped, and labels below
        the floor are appended where no other prefix can.

    Returns
    -------
    hypotheses : list of n_samples lists of RankedLabels
        Best first, equals by length and then in lexicographic order; fewer than
        `n_best` where the search held fewer. None where nothing that the guide allows
        fits into the frames, or all that the search held met frames in which all that
        was allowed had minus infinity.

    References
    ----------
    .. [1] A. Graves, "Sequence Transduction with Recurrent Neural Networks", 2012,
           arXiv:1211.3711.
    .. [2] A. Y. Hannun, A. L. Maas, D. Jurafsky and A. Y. Ng, "First-Pass Large
           LabelVocabulary Continuous Speech Recognition using Bi-Directional Recurrent
           DNNs", 2014, arXiv:1408.2873.

    Examples
    --------
    >>> import numpy as np
    >>> log_probs = np.log([[[0.4, 0.6], [0.4, 0.6]]])  # the best path is all blank
    >>> [[best]] = beam_search(log_probs, np.array([2]), beam_width=2)
    >>> best.labels, round(np.exp(best.log_probability), 2)
    (array([0]), np.float64(0.64))
    """
    limits = beam_width, n_best, min_label_log_prob
    found = _search(log_probs, lengths, *limits, guide=guide)
    return [[RankedLabels(*hypothesis) for hypothesis in row] for row in found]


def _search(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    beam_width: int,
    n_best: int,
    floor: float | None,
    scored: bool = True,
    guide: Guide | None = None,
) -> list[list[tuple[np.ndarray, float, float]]]:
    """Search each sample: labels, log-probabilities, log-weights in the language.

    Without `scored`, a lone finalist's log-probability may be missing. A pruned label
    is missing from several hypotheses whatever it comes to, and from the best one only
    if it comes to much: then the sample is searched without a floor.
    """
    floor = automatic_floor(floor, n_best, guide)
    check_width(max(beam_width, n_best), lengths, log_probs.shape[2], guide)
    limits = best_limits(beam_width, floor, guide)
    if n_best > 1:
        nothing = 0.0 if guide is None else -np.inf
        limits = limits._replace(lost=nothing, rival=nothing)
    if native.is_available():
        options = limits._asdict() | {"n_best": n_best, "scored": scored}
        return native.search(log_probs, lengths, **options, guide=guide)
    check_frames(log_probs, lengths)
    batch = zip(log_probs, lengths, strict=True)
    found = [_searched(sample[:length], limits, guide) for sample, length in batch]
    samples = np.repeat(np.arange(len(found)), [len(finalists) for finalists in found])
    labels = [labels for finalists in found for labels, _ in finalists]
    scores = iter(log_likelihood(log_probs, lengths, labels, samples=samples).tolist())
    ranked = [
        sorted(((ids, next(scores), weight) for ids, weight in finalists), key=rank)
        for finalists in found
    ]
    return [hypotheses[:n_best] for hypotheses in ranked]


def automatic_floor(
    floor: float | None, n_best: int, guide: Guide | None, boost: float = 0.0
) -> float | None:
    """The floor that None stands for, or None where each sample chooses.

    Where a guide forbids something, a label that is weak in all frames may have to be
    appended, and is best appended where it is least weak. Where a label gains `boost`
    over the blank, or something by the guide, one that is so much weaker may be best.
    """
    if floor is not None:
        return floor
    if n_best > 1 or (guide is not None and guide.is_hard):
        return -np.inf
    if guide is None:
        return GUIDED_FLOOR - boost if boost else None
    return GUIDED_FLOOR - boost - guide.boost


def _searched(sample: np.ndarray, limits: Limits, guide: Guide | None) -> list[tuple]:
    """The finalists of a sample, and their log-weights."""
    if guide is not None:
        return guided_search.search(sample, limits, guide)
    return [(labels, 0.0) for labels in search(sample, limits)]


def best_limits(
    beam_width: int, floor: float | None, guide: Guide | None = None
) -> Limits:
    """The limits of a search for one best hypothesis; with a guide, in logs."""
    if guide is not None:
        scale = max(1.0, guide.largest_scale)
        rival = RIVAL * scale - max(0.0, guide.bonus)
        return Limits(beam_width, floor, GUIDED_LOST * scale, rival)
    return Limits(beam_width, floor, *np.exp([LOST, RIVAL]).tolist())


def check_width(
    beam_width: int, lengths: np.ndarray, n_columns: int, guide: Guide | None = None
) -> None:
    """Refuse a beam whose prefixes fill the memory; it holds no more than there are."""
    longest = int(lengths.max(initial=0))
    n_possible = n_columns ** min(longest, 64)
    n_prefixes = min(int(beam_width), n_possible)
    n_bytes = _PREFIX_BYTES + (0 if guide is None else _GUIDED_BYTES)
    what = f"Beams of {n_prefixes:,} prefixes"
    check_fits(n_prefixes * n_bytes, what, "Lower beam_width.")


def rank(hypothesis: tuple[np.ndarray, float, float]) -> tuple:
    """What labels, their log-probability and weight are ordered by, the best first."""
    labels, score, weight = hypothesis
    return -(score + weight), len(labels), labels.tolist()


def _decode_greedily(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    beam_width: int,
    min_label_log_prob: float | None = None,
    guide: Guide | None = None,
) -> list[np.ndarray]:
    if guide is not None:
        raise ValueError(
            'decoder="greedy" follows the frames alone, and cannot be told of a '
            'language. Set decoder="beam".'
        )
    return greedy(log_probs, lengths)


def _decode_by_beam(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    beam_width: int,
    min_label_log_prob: float | None = None,
    guide: Guide | None = None,
) -> list[np.ndarray | None]:
    limits = beam_width, 1, min_label_log_prob
    found = _search(log_probs, lengths, *limits, scored=False, guide=guide)
    return [hypotheses[0][0] if hypotheses else None for hypotheses in found]


# With a guide the labels are None where a sample has none that is allowed.
DECODERS: dict[str, Callable] = {"greedy": _decode_greedily, "beam": _decode_by_beam}
