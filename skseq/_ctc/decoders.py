"""Decoders: the most probable label sequences in a batch of CTC posteriors.

Works on padded batches of log-posteriors whose last column is the blank. Knows nothing
of alphabets, networks or language models.

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
runs compiled where skseq was compiled (`_native`), and plain (`search`) otherwise.
"""

from collections.abc import Callable

import numpy as np

from skseq._ctc.lattice import check_frames, log_likelihood
from skseq._ctc.search import Limits, search
from skseq._data.memory import check_fits
from skseq._native import ctc as native
from skseq._results import RankedLabels

# Where one best hypothesis is wanted, a prefix this much less probable than the best of
# its frame has lost, and one that ends so far behind is not scored again. Measured on
# trained, flattened and random posteriors: 3 of 3,072 searches end elsewhere.
LOST = -12.0
RIVAL = -2.0

_PREFIX_BYTES = 64  # of a prefix in a beam, and of what may follow it, at the least


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
        up over the frames, and minus infinity there and where several are wanted.

    Returns
    -------
    hypotheses : list of n_samples lists of RankedLabels
        Best first, equals by length and then in lexicographic order; fewer than
        `n_best` where the search held fewer.

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
    found = _search(log_probs, lengths, beam_width, n_best, min_label_log_prob)
    return [[RankedLabels(*hypothesis) for hypothesis in row] for row in found]


def _search(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    beam_width: int,
    n_best: int,
    floor: float | None,
    scored: bool = True,
) -> list[list[tuple[np.ndarray, float]]]:
    """Search each sample; without `scored`, a lone finalist's score may be missing.

    A pruned label is missing from several hypotheses whatever it comes to, and from the
    best one only if it comes to much: then the sample is searched without a floor.
    """
    if floor is None and n_best > 1:
        floor = -np.inf
    check_width(max(beam_width, n_best), lengths, log_probs.shape[2])
    limits = best_limits(beam_width, floor)
    if n_best > 1:
        limits = limits._replace(lost=0.0, rival=0.0)
    if native.is_available():
        options = limits._asdict() | {"n_best": n_best, "scored": scored}
        return native.search(log_probs, lengths, **options)
    check_frames(log_probs, lengths)
    batch = zip(log_probs, lengths, strict=True)
    found = [search(sample[:length], limits) for sample, length in batch]
    counts = [len(finalists) for finalists in found]
    samples = np.repeat(np.arange(len(found)), counts)
    labels = [labels for finalists in found for labels in finalists]
    scores = log_likelihood(log_probs, lengths, labels, samples=samples).tolist()
    ranked = iter(zip(labels, scores, strict=True))
    return [sorted((next(ranked) for _ in range(n)), key=rank)[:n_best] for n in counts]


def best_limits(beam_width: int, floor: float | None) -> Limits:
    """The limits of a search for one best hypothesis."""
    return Limits(beam_width, floor, *np.exp([LOST, RIVAL]).tolist())


def check_width(beam_width: int, lengths: np.ndarray, n_columns: int) -> None:
    """Refuse a beam whose prefixes fill the memory; it holds no more than there are."""
    longest = int(lengths.max(initial=0))
    n_possible = n_columns ** min(longest, 64)
    n_prefixes = min(int(beam_width), n_possible)
    what = f"Beams of {n_prefixes:,} prefixes"
    check_fits(n_prefixes * _PREFIX_BYTES, what, "Lower beam_width.")


def rank(hypothesis: tuple[np.ndarray, float]) -> tuple:
    """What a labelling and its log-probability are ordered by, the best first."""
    labels, score = hypothesis
    return -score, len(labels), labels.tolist()


def _decode_greedily(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    beam_width: int,
    min_label_log_prob: float | None = None,
) -> list[np.ndarray]:
    return greedy(log_probs, lengths)


def _decode_by_beam(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    beam_width: int,
    min_label_log_prob: float | None = None,
) -> list[np.ndarray]:
    limits = beam_width, 1, min_label_log_prob
    found = _search(log_probs, lengths, *limits, scored=False)
    return [labels for [(labels, _)] in found]


DECODERS: dict[str, Callable] = {"greedy": _decode_greedily, "beam": _decode_by_beam}
