"""Searches for the most probable label sequences in CTC posteriors.

Works on padded batches of log-posteriors whose last column is the blank. Knows nothing
of alphabets, networks or language models.

References
----------
.. [1] A. Graves, "Sequence Transduction with Recurrent Neural Networks", 2012,
       arXiv:1211.3711.
.. [2] A. Y. Hannun, A. L. Maas, D. Jurafsky and A. Y. Ng, "First-Pass Large Vocabulary
       Continuous Speech Recognition using Bi-Directional Recurrent DNNs", 2014,
       arXiv:1408.2873.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._lattice import iter_frames, log_likelihood

MIN_LABEL_LOG_PROB = -6.0

# An odd factor whose bits look random; multiplication by it loses nothing mod 2**64.
_HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_FREE = np.uint64(0)


class Hypothesis(NamedTuple):
    """A label sequence that a search has found.

    Attributes
    ----------
    labels : ndarray of int of shape (n_labels,)
        Label ids.
    log_probability : float
        Exact log p(labels | sample), over all alignments.
    """

    labels: np.ndarray
    log_probability: float


class _Beam(NamedTuple):
    """The prefixes that are held: all arrays (n_samples, beam_width)."""

    blank: np.ndarray  # log mass of the paths that end in a blank
    label: np.ndarray  # log mass of the paths that end in the prefix's last label
    last: np.ndarray  # that label, or -1 where the prefix is empty
    prefix: np.ndarray  # hash of the prefix, _FREE in a free slot
    parent: np.ndarray  # hash of the prefix without its last label


class _Turns(NamedTuple):
    """The frames as turns: a run of quiet frames, then a busy one that may add labels.

    A quiet run is folded to a linear map on the masses: that in a blank keeps a share
    `blank`, that in a label the share `label` and sends `leaving` to the blank. All are
    logs. A run, perhaps an empty one, also ends the sample.
    """

    n_turns: np.ndarray  # (n_samples,)
    busy_frames: np.ndarray  # (n_samples, max_turns)
    first_runs: np.ndarray  # (n_samples,)
    blank: np.ndarray  # (n_runs,)
    label: np.ndarray  # (n_runs, n_classes)
    leaving: np.ndarray  # (n_runs, n_classes)


class _Step(NamedTuple):
    """Where the prefixes of a beam came from: (n_live_samples, beam_width)."""

    slots: np.ndarray  # slot of the prefix in the beam before
    added: np.ndarray  # label appended to it, or -1


def greedy(log_probs: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Collapse the most probable path.

    Parameters
    ----------
    log_probs : ndarray of shape (n_samples, n_frames, n_classes + 1)
        Log-posteriors, blank last. Frames past a sample's length never matter.
    lengths : ndarray of int of shape (n_samples,)
        Number of frames of each sample.

    Returns
    -------
    labels : list of n_samples int arrays
        Label ids. Of equally probable labels in a frame the lowest id is taken, and
        the blank last.

    Examples
    --------
    >>> import numpy as np
    >>> posteriors = np.array([[0.9, 0.0, 0.1], [0.8, 0.0, 0.2], [0.1, 0.7, 0.2]])
    >>> with np.errstate(divide="ignore"):
    ...     greedy(np.log(posteriors)[None], np.array([3]))
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
    min_label_log_prob: float | None = MIN_LABEL_LOG_PROB,
) -> list[list[Hypothesis]]:
    """Search for the most probable label sequences over all their alignments.

    A prefix beam search [1]_ [2]_: all alignments of a prefix count together. What it
    finds is scored again by the exact probability, and ranked by it.

    Parameters
    ----------
    log_probs : ndarray of shape (n_samples, n_frames, n_classes + 1)
        Log-posteriors, blank last. Frames past a sample's length never matter.
    lengths : ndarray of int of shape (n_samples,)
        Number of frames of each sample.
    beam_width : int
        Prefixes kept a frame. More find better sequences and take longer.
    n_best : int, default=1
        Hypotheses returned a sample.
    min_label_log_prob : float or None, default=MIN_LABEL_LOG_PROB
        A label less probable than this in a frame is not appended there. Higher is
        faster and may miss labels; None appends all.

    Returns
    -------
    hypotheses : list of n_samples lists of Hypothesis
        Best first, equals by length and then in lexicographic order; fewer than
        `n_best` where the search held fewer.

    Notes
    -----
    Where prefixes tie for the last places of the beam, the one in the lower slot
    stays, before one that was made of it, and that before one with a higher label.
    """
    floor = -np.inf if min_label_log_prob is None else min_label_log_prob
    labels, samples = _search(log_probs, lengths, beam_width, floor)
    scores = log_likelihood(log_probs, lengths, labels, samples=samples)
    ranked = [[] for _ in lengths]
    for sample, found, score in zip(samples, labels, scores.tolist(), strict=True):
        ranked[sample].append(Hypothesis(found, score))
    return [sorted(found, key=_rank)[:n_best] for found in ranked]


def _rank(hypothesis: Hypothesis) -> tuple:
    labels = hypothesis.labels.tolist()
    return -hypothesis.log_probability, len(labels), labels


def _search(
    log_probs: np.ndarray, lengths: np.ndarray, beam_width: int, floor: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the labels of the prefixes that the beams end with, and their samples."""
    turns = _split_turns(log_probs, lengths, floor)
    order = np.argsort(-turns.n_turns, kind="stable")  # live samples stand first
    beam, steps = _first_beam(len(order), beam_width), []
    for turn in range(turns.n_turns.max(initial=0)):
        live = slice(np.count_nonzero(turns.n_turns > turn))
        samples = order[live]
        frame = log_probs[samples, turns.busy_frames[samples, turn]].astype(float)
        waited = _wait(_Beam(*(field[live] for field in beam)), turns, samples, turn)
        extended, step = _extend(waited, frame, *_candidates(frame, beam_width, floor))
        for field, new in zip(beam, extended, strict=True):
            field[live] = new
        steps.append(step)
    beam = _wait(beam, turns, order, turns.n_turns[order])
    rows, slots = np.nonzero(np.logaddexp(beam.blank, beam.label) > -np.inf)
    return _trace_back(steps, rows, slots), order[rows]


def _split_turns(log_probs: np.ndarray, lengths: np.ndarray, floor: float) -> _Turns:
    n_samples, n_frames, n_columns = log_probs.shape
    inside = np.arange(n_frames) < lengths[:, None]
    busy = inside & (log_probs[:, :, :-1].max(axis=2).astype(np.float64) >= floor)
    quiet = inside & ~busy
    n_turns = busy.sum(axis=1)
    busy_frames = np.argsort(~busy, axis=1, kind="stable")[:, : n_turns.max(initial=0)]
    first_runs = np.cumsum(n_turns + 1) - n_turns - 1
    runs = first_runs[:, None] + np.cumsum(busy, axis=1)
    blank = np.zeros(n_turns.sum() + n_samples)
    label = np.zeros((len(blank), n_columns - 1))
    leaving = np.full_like(label, -np.inf)
    for index, frame in enumerate(iter_frames(log_probs, lengths)):
        run, frame = runs[quiet[:, index], index], frame[quiet[:, index]]
        leaving[run] = np.logaddexp(leaving[run], label[run]) + frame[:, -1:]
        label[run] += frame[:, :-1]
        blank[run] += frame[:, -1]
    return _Turns(n_turns, busy_frames, first_runs, blank, label, leaving)


def _first_beam(n_samples: int, beam_width: int) -> _Beam:
    """Hold the empty prefix in the first slot, by a hash of the sample's own."""
    shape = n_samples, beam_width
    blank, label = np.full(shape, -np.inf), np.full(shape, -np.inf)
    prefix, parent = np.full(shape, _FREE), np.full(shape, _FREE)
    blank[:, 0] = 0.0
    prefix[:, 0] = np.arange(1, n_samples + 1, dtype=np.uint64) * _HASH_FACTOR
    return _Beam(blank, label, np.full(shape, -1), prefix, parent)


def _wait(
    beam: _Beam, turns: _Turns, samples: np.ndarray, turn: int | np.ndarray
) -> _Beam:
    """Take the beams through the quiet frames of a turn."""
    runs = (turns.first_runs[samples] + turn)[:, None]
    leaving = beam.label + turns.leaving[runs, beam.last]
    return beam._replace(
        blank=np.logaddexp(beam.blank + turns.blank[runs], leaving),
        label=beam.label + turns.label[runs, beam.last],
    )


def _candidates(
    frame: np.ndarray, beam_width: int, floor: float
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the labels that a frame may add: ids, ascending, and log-probabilities.

    A prefix that takes the label ranked `beam_width + 2` or lower stands behind
    `beam_width` others made of the same prefix, so it would never be kept.
    """
    allowed = frame[:, :-1] >= floor
    n_labels = min(np.count_nonzero(allowed, axis=1).max(), beam_width + 1)
    scores = np.where(allowed, frame[:, :-1], -np.inf)
    labels = _best(scores, n_labels)
    return labels, np.take_along_axis(scores, labels, axis=1)


def _extend(
    beam: _Beam, frame: np.ndarray, labels: np.ndarray, scores: np.ndarray
) -> tuple[_Beam, _Step]:
    """Repeat or append a label in a frame, and keep the best prefixes that come out."""
    n_samples, beam_width = beam.last.shape
    rows = np.arange(n_samples)[:, None]
    total = np.logaddexp(beam.blank, beam.label)
    blank = total + frame[:, -1:]
    label = beam.label + frame[rows, beam.last]
    is_last = labels[:, None, :] == beam.last[:, :, None]
    grown = np.where(is_last, beam.blank[:, :, None], total[:, :, None])
    grown += scores[:, None, :]  # (n_samples, beam_width, n_candidates)
    _merge(beam, label, grown, is_last)

    # Each prefix has its moves side by side: to stay, or to append a candidate.
    masses = np.concatenate([label[:, :, None], grown], axis=2)
    ranks = masses.copy()
    ranks[:, :, 0] = np.logaddexp(blank, label)
    kept = _best(ranks.reshape(n_samples, -1), beam_width)
    slots, moves = np.divmod(kept, masses.shape[2])
    step = _Step(slots, np.where(moves > 0, labels[rows, moves - 1], -1))
    blank = np.where(moves > 0, -np.inf, blank[rows, slots])
    label = masses.reshape(n_samples, -1)[rows, kept]
    return _follow(step, beam, blank, label), step


def _follow(step: _Step, beam: _Beam, blank: np.ndarray, label: np.ndarray) -> _Beam:
    """Name the prefixes that a step has led to."""
    origin = np.arange(len(blank))[:, None], step.slots
    grown = step.added >= 0
    last = np.where(grown, step.added, beam.last[origin])
    prefix, parent = beam.prefix[origin], beam.parent[origin]
    parent = np.where(grown, prefix, parent)
    prefix = np.where(grown, _hash(prefix, last), prefix)
    free = np.isneginf(np.maximum(blank, label))
    prefix[free] = parent[free] = _FREE
    return _Beam(blank, label, last, prefix, parent)


def _hash(prefix: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Hash prefixes that a label is appended to, by the hashes of the prefixes."""
    mixed = (prefix + label.astype(np.uint64)) * _HASH_FACTOR
    return mixed ^ (mixed >> np.uint64(32))


def _merge(
    beam: _Beam, label: np.ndarray, grown: np.ndarray, is_last: np.ndarray
) -> None:
    """Move the mass that grows to a prefix of the beam's own over to that prefix."""
    samples, slots, columns = np.nonzero(is_last)
    wanted = beam.parent[samples, slots]
    order = np.argsort(beam.prefix, axis=None)
    place = np.searchsorted(beam.prefix.ravel(), wanted, sorter=order)
    parents = order.take(place, mode="clip")
    found = beam.prefix.take(parents) == wanted
    merged = samples[found], slots[found]
    routes = samples[found], parents[found] % beam.prefix.shape[1], columns[found]
    label[merged] = np.logaddexp(label[merged], grown[routes])
    grown[routes] = -np.inf


def _best(scores: np.ndarray, n_kept: int) -> np.ndarray:
    """Find the places of the best scores of each row, ascending; of equals the first."""
    n_rows, n_scores = scores.shape
    cut = np.partition(scores, n_scores - n_kept, axis=1)[:, n_scores - n_kept, None]
    tied = scores == cut
    above = scores > cut
    room = n_kept - np.count_nonzero(above, axis=1, keepdims=True)
    kept = above | (tied & (np.cumsum(tied, axis=1) <= room))
    return np.nonzero(kept)[1].reshape(n_rows, n_kept)


def _trace_back(
    steps: list[_Step], rows: np.ndarray, slots: np.ndarray
) -> list[np.ndarray]:
    """Read the labels of prefixes off the steps that led to them, last step first."""
    added = np.full((len(steps), len(rows)), -1)
    for turn, step in reversed(list(enumerate(steps))):
        live = np.searchsorted(rows, len(step.slots))  # the rows ascend
        at = rows[:live], slots[:live]
        added[turn, :live] = step.added[at]
        slots[:live] = step.slots[at]
    return [labels[labels >= 0] for labels in added.T]


def _decode_greedily(
    log_probs: np.ndarray, lengths: np.ndarray, beam_width: int
) -> list[np.ndarray]:
    return greedy(log_probs, lengths)


def _decode_by_beam(
    log_probs: np.ndarray, lengths: np.ndarray, beam_width: int
) -> list[np.ndarray]:
    found = beam_search(log_probs, lengths, beam_width=beam_width)
    return [hypotheses[0].labels for hypotheses in found]


DECODERS: dict[str, Callable] = {"greedy": _decode_greedily, "beam": _decode_by_beam}
