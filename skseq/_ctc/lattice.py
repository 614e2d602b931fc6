"""The CTC lattice: what is feasible, how probable a labelling is, where its labels lie.

Works on padded batches of log-posteriors whose last column is the blank. Knows nothing
of alphabets, of networks or of the search for labels. Where skseq is compiled, the same
is computed there (`_native`), to the bit.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from math import log
from typing import NamedTuple

import numpy as np

from skseq._ctc.exponential import exponentials
from skseq._native import ctc as native
from skseq._results import LabelSpan
from skseq._wording import counted

# From one state of the lattice a path stays, takes the next state, or skips a blank.
_LOG_MAX_SUCCESSORS = np.float64(1.0986122886681098)  # of 3

# Measured: from some hundred columns on a reduction of the last axis is as fast.
_FEW_COLUMNS = 64

# NumPy is fastest on arrays of some thousands of elements, which fit the caches.
_BLOCK = 2**14

# Masses of posteriors never exceed 1, so underflow loses less than 1e-300 of them in
# all: a sum above this bound has all its digits, and one below it is computed again in
# logs. So is one that overflows, where posteriors were shifted and add up to more.
_SMALLEST_EXACT_MASS = 1e-280


class _Algebra(NamedTuple):
    """How the masses of paths add up, and how a path's mass meets an emission."""

    plus: Callable
    times: Callable
    zero: float
    one: float


_SUM_OF_PROBABILITIES = _Algebra(np.add, np.multiply, 0.0, 1.0)
_SUM_OF_LOGS = _Algebra(np.logaddexp, np.add, -np.inf, 0.0)
_BEST_OF_LOGS = _Algebra(np.maximum, np.add, -np.inf, 0.0)


class _Lattice(NamedTuple):
    """A batch of labellings, those of the longest samples first."""

    rows: np.ndarray  # (n_rows,) place of the labelling in the caller's order
    samples: np.ndarray  # (n_rows,) sample that the labelling belongs to
    lengths: np.ndarray  # (n_rows,) frames of that sample
    n_labels: np.ndarray  # (n_rows,)
    places: np.ndarray  # (n_rows, max_labels) of the labels in a flattened frame
    repeats: np.ndarray  # (n_rows, max_labels) is it the label before it again?

    def take(self, index: np.ndarray | slice) -> "_Lattice":
        return _Lattice(*(field[index] for field in self))


def minimum_frames(labels: Sequence[int]) -> int:
    """Count the frames that a labelling needs: one per label, one more per repeat.

    Parameters
    ----------
    labels : array-like of int of shape (n_labels,)
        Label ids.

    Returns
    -------
    n_frames : int
        Number of labels plus number of adjacent equal pairs, which CTC can only tell
        apart with a blank between them.

    Examples
    --------
    >>> minimum_frames([7, 7, 3])
    4
    """
    labels = np.asarray(labels)
    return int(labels.size + np.count_nonzero(labels[1:] == labels[:-1]))


def log_likelihood(
    log_probs: np.ndarray,
    lengths: np.ndarray,
    labels: Sequence[np.ndarray],
    *,
    samples: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the exact log-probability of labellings, over all their alignments [1]_.

    Parameters
    ----------
    log_probs : ndarray of shape (n_samples, n_frames, n_classes + 1)
        Log-posteriors, blank last. Frames past a sample's length never matter.
    lengths : ndarray of int of shape (n_samples,)
        Number of frames of each sample.
    labels : sequence of int arrays
        Label ids of each labelling, possibly none.
    samples : ndarray of int of shape (len(labels),), default=None
        The sample that each labelling belongs to; None pairs them one to one.

    Returns
    -------
    log_likelihood : ndarray of shape (len(labels),)
        log p(labels | sample), -inf where the sample has too few frames.

    References
    ----------
    .. [1] A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, "Connectionist Temporal
           Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
           Networks", ICML 2006.

    Examples
    --------
    >>> import numpy as np
    >>> log_probs = np.log(np.full((1, 2, 2), 0.5))  # one label and the blank
    >>> np.exp(log_likelihood(log_probs, np.array([2]), [np.array([0])])).round(3)
    array([0.75])
    """
    samples = np.arange(len(labels)) if samples is None else samples
    if native.is_available():
        return native.log_likelihoods(log_probs, lengths, labels, samples)
    check_frames(log_probs, lengths)
    bounds = _step_bounds(log_probs, lengths)  # (n_samples, n_frames)
    log_probs, labels = _without_unused(log_probs, labels)
    lattice = _lattice(labels, samples, log_probs, lengths)
    frames = _iter_emissions(log_probs, lengths, bounds)
    with np.errstate(over="ignore", invalid="ignore"):  # sums that are not of logs
        mass = _forward(frames, lattice, _SUM_OF_PROBABILITIES)
    exact = _is_exact(mass)
    done, rest = lattice.take(exact), lattice.take(~exact)
    scores = np.empty(len(mass))
    scores[done.rows] = [log(m) for m in mass[exact]]
    scores[done.rows] += sum(bounds.T, np.zeros(len(lengths)))[done.samples]
    if len(rest.rows):
        frames = _iter_frames(log_probs, lengths)
        scores[rest.rows] = _forward(frames, rest, _SUM_OF_LOGS)
    return scores


def label_log_likelihoods(log_probs: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Compute the exact log-probability of every labelling of one label.

    Parameters
    ----------
    log_probs, lengths : ndarray
        The batch, as for :func:`log_likelihood`.

    Returns
    -------
    log_likelihoods : ndarray of shape (n_samples, n_classes)
        log p([k] | sample) for each label k. A row sums to less than 1, for other
        labellings take the rest.
    """
    n_samples, _, n_columns = log_probs.shape
    samples, labels = np.divmod(np.arange(n_samples * (n_columns - 1)), n_columns - 1)
    scores = log_likelihood(log_probs, lengths, labels[:, None], samples=samples)
    return scores.reshape(n_samples, n_columns - 1)


class OneLabelMasses:
    """The paths of every labelling of one label, of one sample that is under way.

    `log_likelihoods` are those of `label_log_likelihoods` for the frames that were
    read, to the bit.
    """

    def __init__(self, n_classes: int):
        labels, samples = np.arange(n_classes)[:, None], np.zeros(n_classes, np.intp)
        like = np.empty((1, 1, n_classes + 1))
        self._lattice = _lattice(labels, samples, like, np.ones(1, np.intp))
        algebras = _SUM_OF_PROBABILITIES, _SUM_OF_LOGS
        self._masses = [_first_masses(self._lattice, algebra) for algebra in algebras]
        self._bound_sum = 0.0

    def after(self, log_probs: np.ndarray) -> "OneLabelMasses":
        """The masses after more frames, (n_frames, n_classes + 1)."""
        moved = copy.copy(self)
        moved._masses = probabilities, logs = [m.copy() for m in self._masses]
        n_frames, sample = np.array([len(log_probs)]), log_probs[np.newaxis]
        bounds = _step_bounds(sample, n_frames)
        with np.errstate(over="ignore", invalid="ignore"):
            for frame in _iter_emissions(sample, n_frames, bounds):
                _advance(probabilities, self._lattice, frame, _SUM_OF_PROBABILITIES)
        for frame in _iter_frames(sample, n_frames):
            _advance(logs, self._lattice, frame, _SUM_OF_LOGS)
        moved._bound_sum = sum(bounds[0].tolist(), self._bound_sum)
        return moved

    def log_likelihoods(self) -> np.ndarray:
        """The log-probability of each label alone, (n_classes,)."""
        blank, label = (part[:, 1] for part in self._masses[0])
        mass = blank + label
        scores = np.logaddexp(*(part[:, 1] for part in self._masses[1]))
        exact = _is_exact(mass)
        scores[exact] = [log(m) for m in mass[exact]]
        scores[exact] += self._bound_sum
        return scores


def forced_alignment(
    log_probs: np.ndarray, lengths: np.ndarray, labels: Sequence[np.ndarray]
) -> list[list[LabelSpan]]:
    """Find the frames of each label on the most probable alignment.

    Where alignments are equally probable, the one that is further on in the labelling
    is taken, frame by frame from the last.

    Parameters
    ----------
    log_probs, lengths : ndarray
        The batch, as for :func:`log_likelihood`.
    labels : sequence of n_samples int arrays
        Label ids of each sample, possibly none.

    Returns
    -------
    alignments : list of n_samples lists of LabelSpan
        One record per label, in order.

    Raises
    ------
    ValueError
        If a sample has no alignment, because frames are missing or because each one has
        probability zero.
    """
    find = native.best_paths if native.is_available() else _best_paths
    paths, scores = find(log_probs, lengths, labels)
    _check_possible(scores, lengths, labels)
    return [
        _aligned_labels(sample[:length], row, path[:length])
        for sample, length, row, path in zip(
            log_probs, lengths, labels, paths, strict=True
        )
    ]


def check_frames(log_probs: np.ndarray, lengths: np.ndarray) -> None:
    """Refuse frames that no posterior can have, as the compiled lattice does."""
    inside = np.arange(log_probs.shape[1]) < lengths[:, None]
    for sample in np.flatnonzero(
        (inside & ~np.isfinite(_frame_maxima(log_probs))).any(axis=1)
    ):
        raise ValueError(native.bad_frame(sample))


def _iter_frames(log_probs: np.ndarray, lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the frames in turn, in float64, zeros where a sample has ended."""
    for index in range(lengths.max(initial=0)):
        frame = log_probs[:, index].astype(np.float64)
        frame[lengths <= index] = 0.0
        yield frame  # (n_samples, n_classes + 1)


def _iter_emissions(
    log_probs: np.ndarray, lengths: np.ndarray, bounds: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the frames in turn, as probabilities beside their bounds."""
    n_samples, n_frames, n_columns = log_probs.shape
    inside = np.arange(n_frames) < lengths[:, None]
    n_at_once = 1 + _BLOCK // (1 + n_samples * n_columns)
    for start in range(0, lengths.max(initial=0), n_at_once):
        block = slice(start, start + n_at_once)
        values = np.where(inside[:, block, None], log_probs[:, block], 0.0)
        values = exponentials(values - bounds[:, block, None])
        yield from np.ascontiguousarray(np.moveaxis(values, 1, 0))


def _without_unused(
    log_probs: np.ndarray, labels: Sequence[np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Leave out the columns of labels that no labelling has."""
    flat = np.concatenate([np.empty(0, dtype=np.intp), *labels])
    used, places = np.unique(flat, return_inverse=True)
    ends = np.cumsum([len(row) for row in labels], dtype=np.intp)
    return log_probs[:, :, [*used, -1]], np.split(places, ends)[:-1]


def _frame_maxima(log_probs: np.ndarray) -> np.ndarray:
    """Find the best column of each frame: (n_samples, n_frames).

    NumPy reduces a short last axis many times slower than it compares columns.
    """
    if log_probs.shape[2] > _FEW_COLUMNS:
        return log_probs.max(axis=2)
    return reduce(np.maximum, np.moveaxis(log_probs, 2, 0))


def _lattice(
    labels: Sequence[np.ndarray],
    samples: np.ndarray,
    log_probs: np.ndarray,
    lengths: np.ndarray,
) -> _Lattice:
    n_labels = np.array([len(row) for row in labels], dtype=np.intp)
    padded = np.zeros((len(labels), n_labels.max(initial=0)), dtype=np.intp)
    inside = np.arange(padded.shape[1]) < n_labels[:, None]
    padded[inside] = np.concatenate([np.empty(0, dtype=np.intp), *labels])
    repeats = np.zeros(padded.shape, dtype=bool)
    repeats[:, 1:] = padded[:, 1:] == padded[:, :-1]
    places = samples[:, None] * log_probs.shape[2] + padded
    rows, lengths = np.arange(len(labels)), lengths[samples]
    lattice = _Lattice(rows, samples, lengths, n_labels, places, repeats)
    return lattice.take(np.argsort(-lengths, kind="stable"))


def _step_bounds(log_probs: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Bound the log of the share of a mass that one step can keep.

    Divided by it, masses cannot exceed 1, and flat posteriors do not underflow.
    """
    best = _frame_maxima(log_probs)
    most = best + _LOG_MAX_SUCCESSORS
    bounds = np.where(best > 0, most, np.minimum(most, 0.0))
    inside = np.arange(log_probs.shape[1]) < lengths[:, None]
    return np.where(inside, bounds, 0.0).astype(np.float64)


def _is_exact(mass: np.ndarray) -> np.ndarray:
    """Whether sums of probabilities have all their digits."""
    return (mass > _SMALLEST_EXACT_MASS) & (mass < np.inf)


def _forward(
    frames: Iterable[np.ndarray], lattice: _Lattice, algebra: _Algebra
) -> np.ndarray:
    """Add up the paths of each labelling: (n_rows,)."""
    masses = _first_masses(lattice, algebra)
    for index, frame in enumerate(frames):
        live = _live(lattice, index)
        _advance(masses[:, live], lattice.take(live), frame, algebra)
    blank, label = masses[:, np.arange(masses.shape[1]), lattice.n_labels]
    return algebra.plus(blank, label)


def _first_masses(lattice: _Lattice, algebra: _Algebra) -> np.ndarray:
    """Stand on a blank before the first frame, with no label put out.

    The masses of the paths that stand on a blank, and of those on a label, by the
    number of labels they have put out: (2, n_rows, max_labels + 1).
    """
    n_rows, max_labels = lattice.places.shape
    masses = np.full((2, n_rows, max_labels + 1), algebra.zero)
    masses[0, :, 0] = algebra.one
    return masses


def _live(lattice: _Lattice, index: int) -> slice:
    """Find the rows that have a frame of this index: the longest stand first."""
    return slice(np.count_nonzero(lattice.lengths > index))


def _advance(
    masses: np.ndarray, lattice: _Lattice, frame: np.ndarray, algebra: _Algebra
) -> None:
    """Move every path on by one frame, in place."""
    blank, label = masses
    total = algebra.plus(blank, label)
    entering = total[:, :-1].copy()
    np.copyto(entering, blank[:, :-1], where=lattice.repeats)
    algebra.plus(entering, label[:, 1:], out=entering)
    algebra.times(entering, frame.take(lattice.places), out=label[:, 1:])
    algebra.times(total, frame[lattice.samples, -1:], out=blank)


def _best_paths(
    log_probs: np.ndarray, lengths: np.ndarray, labels: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Find each row's best states, (n_rows, n_frames), and its log-probability.

    State 2 u is a blank after u labels, state 2 u - 1 the label number u.
    """
    check_frames(log_probs, lengths)
    lattice = _lattice(labels, np.arange(len(labels)), log_probs, lengths)
    n_rows, max_labels = lattice.places.shape
    masses = _first_masses(lattice, _BEST_OF_LOGS)
    steps = np.zeros((log_probs.shape[1], n_rows, 2 * max_labels + 1), dtype=np.int8)
    for index, frame in enumerate(_iter_frames(log_probs, lengths)):
        live = _live(lattice, index)
        living = masses[:, live], lattice.take(live)
        _choose_steps(*living, out=steps[index, live])
        _advance(*living, frame, _BEST_OF_LOGS)
    blank, label = masses[:, np.arange(n_rows), lattice.n_labels]
    scores = np.empty(n_rows)
    scores[lattice.rows] = np.maximum(blank, label)
    states = 2 * lattice.n_labels - (label > blank)
    return _trace_back(states, steps, lattice), scores


def _choose_steps(masses: np.ndarray, lattice: _Lattice, out: np.ndarray) -> None:
    """Note how many states each state's best path comes up by: 0, 1 or 2."""
    blank, label = masses
    skips = (label > blank)[:, :-1] & ~lattice.repeats
    entering = np.where(skips, label[:, :-1], blank[:, :-1])
    out[:, 0::2] = label > blank
    out[:, 1::2] = np.where(entering > label[:, 1:], 1 + skips, 0)


def _check_possible(
    scores: np.ndarray, lengths: np.ndarray, labels: Sequence[np.ndarray]
) -> None:
    for row in np.flatnonzero(np.isneginf(scores)):
        raise ValueError(
            f"labels[{row}] must have an alignment of probability above zero. Its "
            f"{counted(len(labels[row]), 'label')} must have "
            f"{counted(minimum_frames(labels[row]), 'frame')}, and sample {row} has "
            f"{lengths[row]}. Shorten them or lengthen the sample."
        )


def _trace_back(state: np.ndarray, steps: np.ndarray, lattice: _Lattice) -> np.ndarray:
    """Follow the steps back from the last frame's states: (n_rows, n_frames)."""
    n_frames, n_rows, _ = steps.shape
    paths = np.empty((n_rows, n_frames), dtype=np.intp)
    rows = np.arange(n_rows)
    for index in reversed(range(n_frames)):
        paths[lattice.rows, index] = state
        # Past a row's length every step is 0, and the state stays.
        state = state - steps[index, rows, state]
    return paths


def _aligned_labels(
    log_probs: np.ndarray, labels: np.ndarray, path: np.ndarray
) -> list[LabelSpan]:
    """Read off one sample's labels: a path never steps back, so it is sorted."""
    states = 2 * np.arange(len(labels)) + 1
    starts = np.searchsorted(path, states)
    ends = np.searchsorted(path, states, side="right") - 1
    aligned = []
    for label, start, end in zip(labels, starts.tolist(), ends.tolist(), strict=True):
        posterior = np.exp(log_probs[start : end + 1, label], dtype=np.float64)
        confidence = min(float(posterior.mean()), 1.0)
        aligned.append(LabelSpan(int(label), start, end, confidence))
    return aligned
