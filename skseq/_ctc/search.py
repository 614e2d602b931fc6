"""Searches for the most probable label sequences in CTC posteriors.

Works on padded batches of log-posteriors whose last column is the blank. Knows nothing
of alphabets, networks or language models.

A path names a label or the blank in every frame; collapsing it (merge repeats, drop
blanks) gives a label sequence. `greedy` collapses the most probable path. The beam
search adds up all paths of a prefix instead, and keeps for each prefix two masses: of
the paths that end in a blank, and of those that end in the prefix's last label, since
only the former can be extended by the same label. An example of two frames, label "a"
and blank "-", with p(a) = 0.4 and p(-) = 0.6 in both:

    frame 1   ""   blank 0.60            "a"  label 0.40
    frame 2   ""   blank 0.60 * 0.60     "a"  blank 0.40 * 0.60,
                                              label (0.40 + 0.60) * 0.40

So "" has 0.36 and "a" 0.64, although the most probable path is all blank. "aa" has
nothing: it needs a blank between, and so a third frame.

Most frames of a trained network are quiet: their blank is all but certain and no label
reaches the floor, so no prefix can grow. Runs of quiet frames are folded into one
linear map on the masses (`_Turns`), and the search steps from one busy frame to the
next, for all samples of a batch at once. In a step, prefixes are known by hashes
(`_Beam`), extensions that cannot reach the beam are left out before they are scored
(`_Moves`), and where each prefix came from is noted (`_Step`), so that labels are read
off once, at the end, backwards. What is found is scored again by the exact
probability, and ranked by it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skseq._ctc.lattice import frame_maxima, log_likelihood
from skseq._results import RankedLabels

# Measured on flattened posteriors, where a search has most to choose: from -6 (0.25 %)
# down, the best hypothesis is that of the search without pruning.
MIN_LABEL_LOG_PROB = -6.0

# Frames below the floor in which a label has less than this probability in all cannot
# make it more probable than its absence.
_WEAK_MASS = 0.5

# Where one best hypothesis is wanted, a prefix this much less probable than the best of
# its frame has lost, and one that ends so far behind is not scored again. Measured on
# trained, flattened and random posteriors: 3 of 3,072 searches end elsewhere.
LOST = -12.0
RIVAL = -2.0

# A share of its mass that a prefix may lose unnoticed, far below the rounding of sums.
_NEGLIGIBLE = 1e-18

# Odd, so that multiplication by it loses nothing modulo 2**64.
_HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_FREE = np.uint64(0)


class _Beam(NamedTuple):
    """The prefixes that are held: all arrays (n_samples, beam_width).

    Masses are probabilities beside that of the sample's best prefix, so that they
    neither underflow nor need logs.
    """

    blank: np.ndarray  # mass of the paths that end in a blank
    label: np.ndarray  # mass of the paths that end in the prefix's last label
    last: np.ndarray  # that label, or -1 where the prefix is empty
    prefix: np.ndarray  # hash of the prefix, _FREE in a free slot
    parent: np.ndarray  # hash of the prefix without its last label


class _Turns(NamedTuple):
    """The frames as turns: a run of quiet frames, then a busy one that may add labels.

    A run, and one ends the sample too, is folded to a linear map on the masses: for
    each that stays in the blank, one in a label keeps `label` and passes `leaving` to
    the blank.
    """

    n_turns: np.ndarray  # (n_samples,)
    busy_frames: np.ndarray  # (n_samples, max_turns)
    first_runs: np.ndarray  # (n_samples,)
    label: np.ndarray  # (n_runs, n_classes)
    leaving: np.ndarray  # (n_runs, n_classes)


class _Moves(NamedTuple):
    """The labels that prefixes are extended by, both best first."""

    slots: np.ndarray  # (n_moves,) the prefix
    columns: np.ndarray  # (n_moves,) the label among a frame's best
    places: np.ndarray  # (n_slots, n_labels) of the move, or -1


class _Limits(NamedTuple):
    """What the search leaves out."""

    beam_width: int  # prefixes beyond so many
    lost: float  # prefixes less probable beside the best of a frame
    rival: float  # hypotheses less probable beside the best


class _Step(NamedTuple):
    """Where the prefixes of a beam came from: (n_live_samples, beam_width)."""

    slots: np.ndarray  # slot of the prefix in the beam before
    added: np.ndarray  # label appended to it, or -1


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
    floors = _floors(log_probs, lengths, n_best, min_label_log_prob)
    lost, rival = np.exp([LOST, RIVAL]) if n_best == 1 else (0.0, 0.0)
    limits = _Limits(beam_width, lost, rival)
    labels, samples = _search(log_probs, lengths, floors, limits)
    scores = log_likelihood(log_probs, lengths, labels, samples=samples)
    ranked = [[] for _ in lengths]
    for sample, found, score in zip(samples, labels, scores.tolist(), strict=True):
        ranked[sample].append(RankedLabels(found, score))
    return [sorted(found, key=_rank)[:n_best] for found in ranked]


def _floors(
    log_probs: np.ndarray, lengths: np.ndarray, n_best: int, wanted: float | None
) -> np.ndarray:
    """The log-probability that a label needs to be appended: one for each sample.

    A pruned label is missing from several hypotheses whatever it comes to, and from the
    best one only if it comes to much: then the sample is searched without a floor.
    """
    if wanted is not None or n_best > 1:
        return np.full(len(lengths), -np.inf if wanted is None else wanted)
    inside = np.arange(log_probs.shape[1]) < lengths[:, None]
    best = frame_maxima(log_probs[:, :, :-1])
    bounds = np.exp(np.minimum(best, MIN_LABEL_LOG_PROB), where=inside, out=0.0 * best)
    floors = np.full(len(lengths), MIN_LABEL_LOG_PROB)
    for sample in np.flatnonzero(bounds.sum(axis=1) >= _WEAK_MASS):
        labels = log_probs[sample, : lengths[sample], :-1].astype(np.float64)
        weak = np.where(labels < MIN_LABEL_LOG_PROB, np.exp(labels), 0.0)
        if weak.sum(axis=0).max() >= _WEAK_MASS:
            floors[sample] = -np.inf
    return floors


def _rank(hypothesis: RankedLabels) -> tuple:
    labels = hypothesis.labels.tolist()
    return -hypothesis.log_probability, len(labels), labels


def _search(
    log_probs: np.ndarray, lengths: np.ndarray, floors: np.ndarray, limits: _Limits
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the labels of the prefixes that the beams end with, and their samples."""
    turns = _split_turns(log_probs, lengths, floors)
    order = np.argsort(-turns.n_turns, kind="stable")  # live samples stand first
    beam, steps = _first_beam(len(order), limits.beam_width), []
    n_held = 1  # slots in use
    for turn in range(turns.n_turns.max(initial=0)):
        live = slice(np.count_nonzero(turns.n_turns > turn))
        samples = order[live]
        busy = log_probs[samples, turns.busy_frames[samples, turn]].astype(np.float64)
        held = _Beam(*(field[live, :n_held] for field in beam))
        held = _wait(held, turns, samples, turn)
        extended, step = _extend(held, busy, floors[samples], limits)
        beam.prefix[live, :n_held] = _FREE
        n_held = extended.prefix.shape[1]
        for field, new in zip(beam, extended, strict=True):
            field[live, :n_held] = new
        steps.append(_Step(*(field.astype(np.int32) for field in step)))
    beam = _wait(beam, turns, order, turns.n_turns[order])
    rows, slots = _finalists(beam, limits.rival)
    return _trace_back(steps, rows, slots), order[rows]


def _finalists(beam: _Beam, rival: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows and slots of the prefixes that may be a sample's best."""
    mass = beam.blank + beam.label
    least = rival * mass.max(axis=1, keepdims=True)
    return np.nonzero((beam.prefix != _FREE) & (mass >= least))


def _split_turns(
    log_probs: np.ndarray, lengths: np.ndarray, floors: np.ndarray
) -> _Turns:
    n_samples, n_frames, _ = log_probs.shape
    inside = np.arange(n_frames) < lengths[:, None]
    best = frame_maxima(log_probs[:, :, :-1]).astype(np.float64)
    blank = log_probs[:, :, -1].astype(np.float64)
    busy = inside & (best >= np.minimum(floors[:, None], blank))
    n_turns = busy.sum(axis=1)
    busy_frames = np.argsort(~busy, axis=1, kind="stable")[:, : n_turns.max(initial=0)]
    first_runs = np.cumsum(n_turns + 1) - n_turns - 1
    starts, ends = np.zeros((2, n_turns.sum() + n_samples), dtype=np.intp)
    next_runs = (first_runs[:, None] + np.cumsum(busy, axis=1))[busy]
    _, ends[next_runs - 1] = np.nonzero(busy)
    starts[next_runs] = ends[next_runs - 1] + 1
    ends[first_runs + n_turns] = lengths
    first_frames = np.repeat(np.arange(n_samples) * n_frames, n_turns + 1)
    frames = log_probs.reshape(n_samples * n_frames, -1)
    folded = _fold(frames, first_frames + starts, first_frames + ends)
    return _Turns(n_turns, busy_frames, first_runs, *folded)


def _fold(
    frames: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the shares `label` and `leaving` of runs of quiet frames.

    All runs advance together, one frame at a time, until what stays in a label is
    negligible.
    """
    label = np.ones((len(starts), frames.shape[1] - 1))
    leaving = np.zeros_like(label)
    runs, at = np.arange(len(starts)), starts
    while (runs := runs[at[runs] < ends[runs]]).size:
        quiet = frames[at[runs]].astype(np.float64)
        leaving[runs] += label[runs]
        label[runs] *= np.exp(quiet[:, :-1] - quiet[:, -1:])
        at = at + 1
        runs = runs[label[runs].max(axis=1) > _NEGLIGIBLE]
    return label, leaving


def _first_beam(n_samples: int, beam_width: int) -> _Beam:
    """Hold the empty prefix in the first slot, by a hash of the sample's own."""
    shape = n_samples, beam_width
    blank, label = np.zeros((2, *shape))
    prefix, parent = np.full((2, *shape), _FREE)
    blank[:, 0] = 1.0
    prefix[:, 0] = np.arange(1, n_samples + 1, dtype=np.uint64) * _HASH_FACTOR
    return _Beam(blank, label, np.full(shape, -1), prefix, parent)


def _wait(
    beam: _Beam, turns: _Turns, samples: np.ndarray, turn: int | np.ndarray
) -> _Beam:
    """Take the beams through the quiet frames of a turn."""
    runs = (turns.first_runs[samples] + turn)[:, None]
    return beam._replace(
        blank=beam.blank + beam.label * turns.leaving[runs, beam.last],
        label=beam.label * turns.label[runs, beam.last],
    )


def _extend(
    beam: _Beam, frame: np.ndarray, floors: np.ndarray, limits: _Limits
) -> tuple[_Beam, _Step]:
    """Repeat or append a label in a frame, and keep the best prefixes that come out."""
    odds, scores, labels = _candidates(frame, limits.beam_width, floors)
    order = _descending(beam.blank + beam.label)
    beam = _Beam(*(np.take_along_axis(field, order, axis=1) for field in beam))
    moves = _moves(order.shape[1], labels.shape[1], limits.beam_width)
    blank, label, grown = _grow(beam, odds, scores, labels, moves)

    ranks = np.concatenate([blank + label, grown], axis=1)
    best = ranks.max(axis=1, keepdims=True)
    least = best * limits.lost
    n_alive = np.count_nonzero(ranks >= least, axis=1).max()
    kept = _best(ranks, min(limits.beam_width, n_alive))
    mass = np.take_along_axis(ranks, kept, axis=1)
    mass = np.where(mass < least, 0.0, mass / best)
    rows = np.arange(len(frame))[:, None]
    stays = np.arange(order.shape[1])
    slots = np.concatenate([stays, moves.slots])[kept]
    columns = np.concatenate([np.full_like(stays, -1), moves.columns])[kept]
    added = np.where(columns < 0, -1, labels[rows, columns])
    in_blank = np.where(columns < 0, np.minimum(blank[rows, slots] / best, mass), 0.0)
    beam = _follow(_Step(slots, added), beam, in_blank, mass - in_blank)
    return beam, _Step(order[rows, slots], added)


def _moves(n_slots: int, n_labels: int, beam_width: int) -> _Moves:
    """Leave out the moves that at least `beam_width` others are no worse than.

    Such are, of the n-th best prefix and the m-th best label, all moves of the better
    prefixes and labels but one a prefix: that which repeats its last label.
    """
    n, m = np.ogrid[1 : n_slots + 1, 1 : n_labels + 1]
    slots, columns = np.nonzero(n * (m - 1) <= beam_width)
    places = np.full((n_slots, n_labels), -1)
    places[slots, columns] = np.arange(len(slots))
    return _Moves(slots, columns, places)


def _follow(step: _Step, beam: _Beam, blank: np.ndarray, label: np.ndarray) -> _Beam:
    """Name the prefixes that a step has led to."""
    origin = np.arange(len(blank))[:, None], step.slots
    grown = step.added >= 0
    last = np.where(grown, step.added, beam.last[origin])
    prefix, parent = beam.prefix[origin], beam.parent[origin]
    parent = np.where(grown, prefix, parent)
    prefix = np.where(grown, _hash(prefix, last), prefix)
    free = blank + label == 0
    prefix[free] = parent[free] = _FREE
    return _Beam(blank, label, last, prefix, parent)


def _hash(prefix: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Hash prefixes that a label is appended to, by the hashes of the prefixes."""
    mixed = (prefix + label.astype(np.uint64)) * _HASH_FACTOR  # wraps around
    return mixed ^ (mixed >> np.uint64(32))


def _candidates(
    frame: np.ndarray, beam_width: int, floors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find what a frame may append.

    Returns how probable all columns are beside the best, the same of labels alone with
    zero for those that are not appended, and the best labels, best first. Behind
    `beam_width + 1` of them, none could come into the beam.
    """
    best = frame.max(axis=1, keepdims=True)
    allowed = frame[:, :-1] >= np.minimum(floors[:, None], best)
    n_labels = min(np.count_nonzero(allowed, axis=1).max(), beam_width + 1)
    odds = np.exp(frame - best)
    scores = np.where(allowed, odds[:, :-1], 0.0)
    labels = _best(scores, n_labels)
    order = _descending(np.take_along_axis(scores, labels, axis=1))
    return odds, scores, np.take_along_axis(labels, order, axis=1)


def _grow(
    beam: _Beam,
    odds: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    moves: _Moves,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the masses after a frame, of the prefixes held and of their extensions.

    An extension that is held itself counts there, and not twice.
    """
    total = beam.blank + beam.label
    rows = np.arange(len(odds))[:, None]
    label = beam.label * odds[rows, beam.last]
    appended = labels[:, moves.columns]  # (n_samples, n_moves)
    is_last = appended == beam.last[:, moves.slots]
    grown = np.where(is_last, beam.blank[:, moves.slots], total[:, moves.slots])
    grown *= scores[rows, labels][:, moves.columns]
    samples, slots, parents = _families(beam, scores[rows, beam.last] > 0)
    child, parent = (samples, slots), (samples, parents)
    last = beam.last[child]
    start = np.where(last == beam.last[parent], beam.blank[parent], total[parent])
    label[child] += start * scores[samples, last]
    merged, columns = np.nonzero(labels[samples] == last[:, None])
    places = moves.places[parents[merged], columns]
    grown[samples[merged][places >= 0], places[places >= 0]] = 0.0
    return total * odds[:, -1:], label, grown


def _families(beam: _Beam, asked: np.ndarray) -> tuple[np.ndarray, ...]:
    """Find the prefixes asked for whose parents are held: samples, slots, their slots.

    Samples hash their prefixes differently, so one table serves the whole batch.
    """
    samples, slots = np.nonzero(asked & (beam.parent != _FREE))
    wanted = beam.parent[samples, slots]
    order = np.argsort(beam.prefix, axis=None)
    place = np.searchsorted(beam.prefix.ravel(), wanted, sorter=order)
    parents = order.take(place, mode="clip")
    held = beam.prefix.take(parents) == wanted
    return samples[held], slots[held], parents[held] % beam.prefix.shape[1]


def _descending(scores: np.ndarray) -> np.ndarray:
    """Order each row best first; of equals the first."""
    return np.argsort(-scores, axis=1, kind="stable")


def _best(scores: np.ndarray, n_kept: int) -> np.ndarray:
    """Find the places of each row's best scores, ascending; of equals the first."""
    n_rows, n_scores = scores.shape
    cut = np.partition(scores, n_scores - n_kept, axis=1)[:, n_scores - n_kept, None]
    kept = scores >= cut
    crowded = np.flatnonzero(np.count_nonzero(kept, axis=1) > n_kept)
    above, tied = scores[crowded] > cut[crowded], scores[crowded] == cut[crowded]
    room = n_kept - np.count_nonzero(above, axis=1, keepdims=True)
    kept[crowded] = above | (tied & (np.cumsum(tied, axis=1) <= room))
    return np.nonzero(kept)[1].reshape(n_rows, n_kept)


def _trace_back(steps: list[_Step], rows: np.ndarray, slots: np.ndarray) -> list:
    """Read the labels of prefixes off the steps that led to them, last step first."""
    added = np.full((len(steps), len(rows)), -1)
    for turn, step in reversed(list(enumerate(steps))):
        live = np.searchsorted(rows, len(step.slots))  # the rows ascend
        at = rows[:live], slots[:live]
        added[turn, :live] = step.added[at]
        slots[:live] = step.slots[at]
    return [labels[labels >= 0] for labels in added.T]


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
    limits = {"beam_width": beam_width, "min_label_log_prob": min_label_log_prob}
    found = beam_search(log_probs, lengths, **limits)
    return [best.labels for [best] in found]


DECODERS: dict[str, Callable] = {"greedy": _decode_greedily, "beam": _decode_by_beam}
