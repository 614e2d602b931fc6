"""Which sequences share a batch, and how ragged lists become padded arrays and back.

Knows nothing of Keras, nor where the sequences come from.
"""

import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

# A pool is what is sorted by length at one time while training. A larger one has less
# padding, a smaller one more mixing between sequences of different lengths.
_BATCHES_PER_POOL = 64

# By how much, at most, a length is scaled up before sorting. Without it, a pool that
# holds the whole data set would give the same batches in every epoch.
_JITTER = 0.1

# A batch for prediction is made larger than one for training up to so many frames, and
# by this factor at most, so that a small one still means little memory.
_BATCH_FRAMES = 2**15
_MOST_LARGER = 8

# No batch for prediction has more frames, whatever its number of rows should be; nor
# has one for training, whose steps keep several times as much.
_MAX_BATCH_FRAMES = 2**18
_MAX_TRAINING_FRAMES = 2**17

# Comparisons of two frames that take as much as a frame.
_COMPARED = 16

# Rows of a matrix product that are computed together.
_TILE = 8

_END = object()


@np.errstate(under="ignore")
def pad(items, *, n_rows=None, length=None, dtype=np.float32, value=0):
    """Put sequences of different lengths into one array, padded on the right.

    Parameters
    ----------
    items : sequence of array-like of shape (n_frames, ...)
        At least one; all of the same shape but for their lengths.
    n_rows : int, default=None
        Number of rows of the result; those beyond the items hold only padding. None
        means one row an item.
    length : int, default=None
        Number of frames of the result; None means that of the longest item.
    dtype : dtype, default=numpy.float32
        Data type of the result.
    value : scalar, default=0
        What padding is made of.

    Returns
    -------
    padded : ndarray of shape (n_rows, length, ...)
        A new array.

    Raises
    ------
    ValueError
        If there are no items, more items than rows, an item longer than `length`, or
        items of different shapes.

    See Also
    --------
    unpad : The inverse.

    Examples
    --------
    >>> from skseq._data.batching import pad, unpad
    >>> padded = pad([[1, 2, 3], [4]], dtype=int)
    >>> padded
    array([[1, 2, 3],
           [4, 0, 0]])
    >>> unpad(padded, [3, 1])
    [array([1, 2, 3]), array([4])]
    """
    items = [np.asarray(item) for item in items]
    if not items:
        raise ValueError("There is nothing to pad: items is empty.")
    n_rows = len(items) if n_rows is None else n_rows
    length = max(map(len, items)) if length is None else length
    if len(items) > n_rows:
        raise ValueError(f"{len(items)} items do not fit into {n_rows} rows.")
    frame_shape = items[0].shape[1:]
    padded = np.full((n_rows, length, *frame_shape), value, dtype=dtype)
    for i, item in enumerate(items):
        if len(item) > length or item.shape[1:] != frame_shape:
            raise ValueError(
                f"items[{i}] has the shape {item.shape}; it should have at most "
                f"{length} frames of the shape {frame_shape}."
            )
        padded[i, : len(item)] = item
    return padded


def unpad(padded, lengths):
    """Take the sequences out of a padded array.

    Parameters
    ----------
    padded : array-like of shape (n_rows, length, ...)
        Sequences, padded on the right.
    lengths : sequence of int
        The number of frames of each; rows beyond them are left out.

    Returns
    -------
    items : list of ndarray of shape (n_frames, ...)
        Copies, so that keeping one of them does not keep the whole batch.

    Raises
    ------
    ValueError
        If there are fewer rows than lengths.

    See Also
    --------
    pad : The inverse.
    """
    rows = np.asarray(padded)[: len(lengths)]
    return [row[:n].copy() for row, n in zip(rows, lengths, strict=True)]


def training_batches(lengths, batch_size, rng=None, *, exact=False):
    """Split the sequences of one epoch into shuffled batches of similar lengths.

    All sequences are shuffled and dealt into pools of at most 64 batches. Within a
    pool they are sorted by length, each length having been scaled by a random factor
    between 1 and 1.1, and cut into batches. At last the batches are shuffled.

    Parameters
    ----------
    lengths : array-like of int of shape (n_sequences,) or (n_sequences, 2)
        The number of frames of each sequence, or of both of a pair, which are padded
        each on its own.
    batch_size : int
        The number of sequences in a batch. At most one batch is shorter, in a random
        place (with `exact`, one for each length), and those that would have more than
        131,072 padded frames, which are parted where lengths differ most.
    rng : numpy.random.Generator or None, default=None
        Where all randomness comes from. With None nothing is random: the batches go
        from the shortest sequence to the longest, the same in every epoch.
    exact : bool, default=False
        Whether only sequences of exactly one length may share a batch, so that
        nothing is ever padded.

    Returns
    -------
    batches : list of ndarray of int
        The indices of the sequences of each batch; each index is in one batch. They
        depend on the arguments alone.

    Notes
    -----
    In a pool, padding is at most 10 % of the real frames plus
    ``batch_size * (1.1 * longest - shortest)`` frames: sorted batches do not overlap,
    so that their spreads add up to no more than the spread of the pool. Measured with
    a batch size of 32, as the share of padding in all frames, beside that of batches
    taken at random: 10 % (46 %) for 300 sequences of uniformly 26 to 530 frames and
    5 % (46 %) for 3,000; 9 % (67 %) for 10,000 log-normal lengths (sigma 0.6); 2 %
    (39 %) for 1,000 words of 3 to 14 letters.
    """
    sides = np.asarray(lengths)
    lengths = _total(sides)
    if rng is None:
        order = np.argsort(lengths, kind="stable")
        return _within_budget(_cut(order, lengths, batch_size, exact), sides)
    order = rng.permutation(len(lengths))
    if exact:
        order = order[np.argsort(lengths[order], kind="stable")]
        batches = _cut_by_length(order, lengths, batch_size)
    else:
        batches = [
            batch
            for pool in _pools(order, batch_size)
            for batch in _jittered_batches(pool, lengths[pool], batch_size, rng)
        ]
    batches = _within_budget(batches, sides)
    return [batches[i] for i in rng.permutation(len(batches))]


def inference_batches(lengths, batch_size, *, window=4096, exact=False):
    """Group sequences of similar lengths, a window of them at a time.

    Parameters
    ----------
    lengths : iterable of int
        The number of frames of each sequence. No more than one window of them is
        taken before the batches of that window have been given out, so that it may
        be a generator that reads sequences as it goes.
    batch_size : int
        The number of sequences in a batch. At most the last batch of all is shorter
        (with `exact`, one for each length in each window).
    window : int, default=4096
        The number of consecutive sequences that are sorted by length together, which
        is also how many results are at most waiting for their turn. Rounded down to
        whole batches, and up to at least one.
    exact : bool, default=False
        Whether only sequences of exactly one length may share a batch.

    Yields
    ------
    batch : ndarray of int
        The indices of the sequences of a batch; each index is in one batch.

    See Also
    --------
    full_batches : For prediction.
    """
    window = min(max(1, window // batch_size) * batch_size, sys.maxsize)
    stream = iter(lengths)
    start = 0
    while chunk := list(islice(stream, window)):
        chunk = np.asarray(chunk)
        order = np.argsort(chunk, kind="stable")
        for batch in _cut(order, chunk, batch_size, exact):
            yield start + batch
        start += len(chunk)


def prediction_batches(lengths, batch_size, n_rows, *, exact=False):
    """Group sequences of similar lengths into batches larger than those for training.

    Parameters
    ----------
    lengths : array-like of int of shape (n_sequences,) or (n_sequences, 2)
        The number of frames of each sequence, or of both of a pair.
    batch_size : int
        Rows of a batch while training.
    n_rows : int
        Rows that are best for prediction. Where that many sequences are left, a batch
        has `batch_size` rows or, while that is at most `n_rows` rows and 32,768 frames,
        two, four or eight times as many. It has fewer where `batch_size` rows would be
        more than 262,144 frames.
    exact : bool, default=False
        Whether only sequences of exactly one length may share a batch.

    Yields
    ------
    batch : ndarray of int
        The indices of the sequences of a batch; each index is in one batch.

    Examples
    --------
    >>> from skseq._data.batching import prediction_batches
    >>> [len(batch) for batch in prediction_batches([5] * 150, 8, 64)]
    [64, 64, 22]
    """
    sides = np.asarray(lengths)
    lengths = _total(sides)
    largest = batch_size
    while 2 * largest <= min(n_rows, _MOST_LARGER * batch_size):
        largest *= 2
    for batch in inference_batches(lengths, largest, exact=exact):
        longest = _padded_row(sides[batch])
        size = largest
        while size > batch_size and size * longest > _BATCH_FRAMES:
            size //= 2
        size = min(size, max(1, _MAX_BATCH_FRAMES // longest))
        for start in range(0, len(batch), size):
            yield batch[start : start + size]


def whole_tiles(arrays, sides):
    """Repeat the first row of a batch until its rows are a multiple of eight.

    Products are computed for some rows at a time, and may be rounded differently for
    the rows that are left. Long sequences get no more rows than a batch may have.

    Parameters
    ----------
    arrays : dict of str to ndarray of shape (n_rows, ...)
        A batch, padded.
    sides : ndarray of int of shape (n_rows,) or (n_rows, 2)
        The number of frames of each of its sequences, or of both of a pair.

    Returns
    -------
    filled : dict of str to ndarray
        The same arrays where nothing is missing.
    """
    n_rows = len(sides)
    most = _MAX_BATCH_FRAMES // _padded_row(sides)
    n_more = min(-n_rows % _TILE, max(0, most - n_rows))
    if n_more == 0:
        return arrays
    return {
        name: np.concatenate([array, np.repeat(array[:1], n_more, axis=0)])
        for name, array in arrays.items()
    }


def apply_ahead(function, items, depth=2):
    """Apply a function to the next items in a thread while the last result is in use.

    Parameters
    ----------
    function : callable
        Applied to each item, in one thread other than the caller's.
    items : iterable
        Taken in the caller's thread, so that they may come from what must not change
        threads, such as a database.
    depth : int, default=2
        The number of items that are taken ahead, at least 1.

    Yields
    ------
    result : object
        The results in the order of the items. An exception, of the function or in
        taking an item, is raised after the results that come before it.

    Notes
    -----
    The thread starts with the first item. It has ended when the generator is
    exhausted, has raised or is closed; closing waits for the item being worked on. A
    loop that may be left early should close it::

        with contextlib.closing(apply_ahead(assemble, batches)) as ahead:
            for batch in ahead:
                ...
    """
    items = iter(items)
    worker = ThreadPoolExecutor(1, thread_name_prefix="skseq-ahead")

    def take():
        try:
            item = next(items, _END)
        except Exception as error:
            return worker.submit(_raise, error)
        return None if item is _END else worker.submit(function, item)

    try:
        ahead = deque(take() for _ in range(depth))
        while (result := ahead.popleft()) is not None:
            value = result.result()
            ahead.append(take())
            yield value
    finally:
        worker.shutdown(cancel_futures=True)


def _raise(error: Exception) -> None:
    raise error


def fits_training(n_rows: int, longest: int) -> bool:
    """Whether a training step may have so many rows of so many frames."""
    return n_rows * longest <= _MAX_TRAINING_FRAMES


def lengths_of(data) -> np.ndarray:
    """What batches of data are cut by: their lengths, or those of both sides."""
    return getattr(data, "side_lengths", data.lengths)


def _total(sides: np.ndarray) -> np.ndarray:
    """The frames of each sequence, of both sides where it is a pair."""
    return sides if sides.ndim == 1 else sides.sum(axis=1)


def _padded_row(sides: np.ndarray) -> int:
    """Frames of a row of a padded batch.

    Of a pair, each frame of one side is compared with each of the other, too, which
    takes a share of what a frame takes.
    """
    longest = sides.max(axis=0)
    if sides.ndim == 1:
        return int(longest)
    return int(longest.sum() + longest.prod() // _COMPARED)


def _within_budget(batches: list[np.ndarray], sides: np.ndarray) -> list[np.ndarray]:
    """Split the batches that would be mostly padding, or too large for one step."""
    return [part for batch in batches for part in _parted(batch, sides)]


def _parted(batch: np.ndarray, sides: np.ndarray) -> list[np.ndarray]:
    if (
        len(batch) == 1
        or len(batch) * _padded_row(sides[batch]) <= _MAX_TRAINING_FRAMES
    ):
        return [batch]
    # By the side whose lengths differ most.
    lengths = sides if sides.ndim == 1 else sides[:, np.ptp(sides[batch], 0).argmax()]
    batch = batch[np.argsort(lengths[batch], kind="stable")]
    ratios = lengths[batch[1:]] / np.maximum(1, lengths[batch[:-1]])
    half = len(batch) // 2
    at = 1 + int(np.argmax(ratios)) if ratios.max() > 2 else half
    return [*_parted(batch[:at], sides), *_parted(batch[at:], sides)]


def _pools(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Split an order into as few pools as allowed, of about equally many batches."""
    n_batches = -(-len(order) // batch_size)
    n_pools = -(-n_batches // _BATCHES_PER_POOL)
    if n_pools <= 1:
        return [order]
    bounds = np.arange(1, n_pools) * n_batches // n_pools * batch_size
    return np.split(order, bounds)


def _jittered_batches(
    pool: np.ndarray, lengths: np.ndarray, batch_size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    keys = lengths * (1 + _JITTER * rng.random(len(pool)))
    n_full = len(pool) // batch_size
    return _chunks(
        pool[np.argsort(keys, kind="stable")],
        batch_size,
        short=rng.integers(n_full + 1),
    )


def _cut(
    order: np.ndarray, lengths: np.ndarray, batch_size: int, exact: bool
) -> list[np.ndarray]:
    if exact:
        return _cut_by_length(order, lengths, batch_size)
    return _chunks(order, batch_size)


def _cut_by_length(
    order: np.ndarray, lengths: np.ndarray, batch_size: int
) -> list[np.ndarray]:
    """Cut an order that is sorted by length so that no batch has two lengths."""
    changes = np.flatnonzero(np.diff(lengths[order])) + 1
    groups = np.split(order, changes)
    return [batch for group in groups for batch in _chunks(group, batch_size)]


def _chunks(
    order: np.ndarray, batch_size: int, short: int | None = None
) -> list[np.ndarray]:
    """Cut an order into batches, of which number `short` (the last) takes the rest."""
    n_full, n_rest = divmod(len(order), batch_size)
    sizes = [batch_size] * n_full
    if n_rest:
        sizes.insert(n_full if short is None else short, n_rest)
    return np.split(order, np.cumsum(sizes)[:-1]) if sizes else []
