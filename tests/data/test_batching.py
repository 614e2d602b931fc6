"""Batches cover every sequence once; padding and working ahead lose nothing."""

import contextlib
import threading

import numpy as np
import pytest

from skseq._data.batching import (
    apply_ahead,
    inference_batches,
    pad,
    prediction_batches,
    training_batches,
    unpad,
    whole_tiles,
)

CASES = [(1, 1), (1, 32), (7, 4), (32, 32), (33, 32), (300, 1), (300, 400), (2500, 7)]


def random_lengths(n, seed=0):
    return np.random.default_rng(seed).integers(1, 60, n)


def padding_share(lengths, batches):
    """Which share of the frames in padded batches is padding."""
    groups = [np.asarray(lengths)[batch] for batch in batches]
    n_padded = sum(len(group) * int(group.max()) for group in groups)
    return 1 - sum(int(group.sum()) for group in groups) / n_padded


def assert_partition(batches, n):
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(n))


def as_lists(batches):
    return [batch.tolist() for batch in batches]


# Padding


@pytest.mark.parametrize("frame_shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_unpad_undoes_pad(frame_shape, dtype):
    rng = np.random.default_rng(0)
    lengths = [3, 1, 0, 5]
    items = [rng.integers(0, 2, (n, *frame_shape)).astype(dtype) for n in lengths]
    padded = pad(items, n_rows=6, length=8, dtype=dtype)
    assert padded.shape == (6, 8, *frame_shape)
    assert padded.dtype == dtype
    for item, back in zip(items, unpad(padded, lengths), strict=True):
        np.testing.assert_array_equal(item, back)
        assert back.dtype == item.dtype


def test_what_is_not_a_frame_is_the_padding_value():
    padded = pad([[1, 2], [3]], n_rows=3, length=4, value=-1, dtype=int)
    expected = [[1, 2, -1, -1], [3, -1, -1, -1], [-1, -1, -1, -1]]
    np.testing.assert_array_equal(padded, expected)


def test_padding_copies_both_ways():
    item = np.ones((2, 1), np.float32)
    item.flags.writeable = False
    padded = pad([item])
    padded[0, 0, 0] = 5
    (back,) = unpad(padded, [2])
    padded[0, 1, 0] = 7
    np.testing.assert_array_equal(item, 1)
    np.testing.assert_array_equal(back, [[5], [1]])


def test_equal_lengths_are_stacked():
    items = np.random.default_rng(0).random((4, 6, 2)).astype(np.float32)
    np.testing.assert_array_equal(pad(items), items)


@pytest.mark.parametrize(
    ("items", "options", "message"),
    [
        ([], {}, "nothing to pad"),
        ([[1], [2]], {"n_rows": 1}, "2 items do not fit into 1 rows"),
        ([[1], [1, 2]], {"length": 1}, r"items\[1\] has the shape \(2,\)"),
        ([np.ones((2, 3)), np.ones((2, 4))], {}, r"items\[1\] has the shape \(2, 4\)"),
        ([np.ones((2, 3)), np.ones((2, 1))], {}, r"items\[1\] has the shape \(2, 1\)"),
    ],
)
def test_what_cannot_be_padded_is_named(items, options, message):
    with pytest.raises(ValueError, match=message):
        pad(items, **options)


def test_unpadding_more_sequences_than_rows_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        unpad(np.zeros((2, 3)), [1, 1, 1])


# Batches for training


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(("n", "size"), CASES)
def test_training_uses_every_sequence_once(n, size, shuffled, exact):
    rng = np.random.default_rng(1) if shuffled else None
    lengths = random_lengths(n)
    batches = training_batches(lengths, size, rng, exact=exact)
    assert_partition(batches, n)
    assert all(0 < len(batch) <= size for batch in batches)
    if exact:
        assert all(len(set(lengths[batch])) == 1 for batch in batches)
        _, counts = np.unique(lengths, return_counts=True)
        assert len(batches) == sum(-(-counts // size))
    else:
        assert sum(len(batch) < size for batch in batches) == (n % size > 0)


def test_a_batch_size_beyond_64_bits_makes_one_batch():
    for rng in (None, np.random.default_rng(0)):
        [batch] = training_batches([3, 1, 2], 2**63, rng)
        assert sorted(batch.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("exact", [False, True])
def test_training_batches_are_a_function_of_lengths_and_seed(exact):
    lengths = random_lengths(200)

    def draw(seed, values=lengths):
        rng = np.random.default_rng(seed)
        return as_lists(training_batches(values, 16, rng, exact=exact))

    assert draw(3) == draw(3) == draw(3, lengths.tolist())
    assert draw(3) != draw(4)


def test_without_a_generator_batches_go_from_short_to_long():
    lengths = random_lengths(100)
    batches = training_batches(lengths, 8)
    order = np.concatenate(batches)
    np.testing.assert_array_equal(order, np.argsort(lengths, kind="stable"))
    assert as_lists(batches) == as_lists(training_batches(lengths, 8))


@pytest.mark.parametrize("exact", [False, True])
def test_equal_lengths_give_each_permutation_equally_often(exact):
    rng = np.random.default_rng(0)
    counts = {}
    for _ in range(2400):
        batches = training_batches([5] * 4, 1, rng, exact=exact)
        key = tuple(np.concatenate(batches))
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 24
    chi_squared = sum((count - 100) ** 2 / 100 for count in counts.values())
    assert chi_squared < 49.7  # the 0.1 % point for 23 degrees of freedom


def test_equal_lengths_meet_all_others_in_a_batch():
    rng = np.random.default_rng(0)
    together = np.zeros((12, 12))
    for _ in range(1000):
        for batch in training_batches([5] * 12, 3, rng):
            together[np.ix_(batch, batch)] += 1
    expected = 1000 * 2 / 11  # two companions out of eleven
    pairs = together[np.triu_indices(12, 1)]
    assert np.abs(pairs - expected).max() < 5 * np.sqrt(expected)


def test_batches_are_recomposed_even_if_all_lengths_differ():
    lengths, rng = np.arange(100, 164), np.random.default_rng(0)
    first = {frozenset(batch) for batch in training_batches(lengths, 8, rng)}
    second = {frozenset(batch) for batch in training_batches(lengths, 8, rng)}
    assert len(first & second) <= 2


def test_the_short_batch_may_be_any():
    rng = np.random.default_rng(0)
    lengths = np.arange(1000, 1010)
    short = {
        int(batch[0])
        for _ in range(200)
        for batch in training_batches(lengths, 3, rng)
        if len(batch) == 1
    }
    assert short == set(range(10))


def test_long_batches_do_not_all_come_at_the_end():
    rng, lengths = np.random.default_rng(0), np.arange(400)
    positions = [
        np.argmax([lengths[batch].max() for batch in training_batches(lengths, 8, rng)])
        for _ in range(200)
    ]
    assert np.mean(positions) == pytest.approx(24.5, abs=4)  # of 0 to 49
    assert np.ptp(positions) > 40


def uniform(rng, n):
    return rng.integers(26, 531, n)


def log_normal(rng, n):
    return np.ceil(rng.lognormal(4, 0.6, n)).astype(int)


def words(rng, n):
    return rng.integers(3, 15, n)


def one_giant(rng, n):
    return np.append(np.full(n - 1, 10), 10**5)


@pytest.mark.parametrize("draw", [uniform, log_normal, words, one_giant])
@pytest.mark.parametrize(("n", "size"), [(300, 32), (2048, 32), (50, 7), (64, 1)])
def test_padding_in_a_pool_is_bounded_as_promised(draw, n, size):
    rng = np.random.default_rng(0)
    lengths = draw(rng, n)
    batches = training_batches(lengths, size, rng)
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    spread = 1.1 * lengths.max() - lengths.min()
    assert padded <= 1.1 * lengths.sum() + size * spread


@pytest.mark.parametrize(
    ("draw", "n", "share", "share_at_random"),
    [
        (uniform, 300, 0.10, 0.46),
        (uniform, 3000, 0.05, 0.46),
        (log_normal, 10_000, 0.09, 0.67),
        (words, 1000, 0.02, 0.39),
    ],
)
def test_padding_is_as_little_as_the_documentation_says(
    draw, n, share, share_at_random
):
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(10):
        lengths = draw(rng, n)
        sorted_batches = training_batches(lengths, 32, rng)
        random_batches = np.array_split(rng.permutation(n), n // 32)
        batchings = (sorted_batches, random_batches)
        shares.append([padding_share(lengths, batches) for batches in batchings])
    assert np.mean(shares, axis=0) == pytest.approx([share, share_at_random], abs=0.012)


# Batches for inference


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("window", [1, 100, 4096])
@pytest.mark.parametrize(("n", "size"), CASES)
def test_inference_uses_every_sequence_once(n, size, window, exact):
    lengths = random_lengths(n)
    batches = list(inference_batches(lengths, size, window=window, exact=exact))
    assert_partition(batches, n)
    assert all(0 < len(batch) <= size for batch in batches)
    if exact:
        assert all(len(set(lengths[batch])) == 1 for batch in batches)
    else:
        assert all(len(batch) == size for batch in batches[:-1])


def test_inference_pads_little():
    lengths = uniform(np.random.default_rng(0), 3000)
    assert padding_share(lengths, inference_batches(lengths, 32)) < 0.02


def test_inference_reads_no_further_than_its_window():
    n_read = 0

    def stream():
        nonlocal n_read
        for length in random_lengths(100):
            n_read += 1
            yield length

    batches = inference_batches(stream(), 4, window=18)
    for expected in [16] * 4 + [32] * 4 + [48]:
        assert max(next(batches)) < expected
        assert n_read == expected


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("best", [1, 8, 64])
@pytest.mark.parametrize(("n", "size"), [*CASES, (5, 2**62)])
def test_prediction_uses_every_sequence_once_and_nothing_else(n, size, best, exact):
    lengths = random_lengths(n)
    found = list(prediction_batches(lengths, size, best, exact=exact))
    assert_partition(found, n)
    assert max(map(len, found)) <= max(size, min(best, 8 * size))


@pytest.mark.parametrize(
    ("length", "n_rows"),
    [(2**9, 64), (2**9 + 1, 32), (2**12, 8), (2**15, 8), (2**16, 4), (2**20, 1)],
)
def test_prediction_has_fewer_rows_of_longer_sequences(length, n_rows):
    found = prediction_batches([length] * 128, 8, 64)
    assert {len(batch) for batch in found} == {n_rows}


@pytest.mark.parametrize(
    ("batch_size", "n_rows"), [(1, 8), (8, 64), (32, 64), (48, 48), (128, 128)]
)
def test_prediction_has_more_rows_than_training_where_that_is_best(batch_size, n_rows):
    first, *_ = prediction_batches([5] * 1000, batch_size, 64)
    assert len(first) == n_rows


@pytest.mark.parametrize("n", [1, 3, 31])
def test_few_sequences_are_one_batch_of_just_as_many_rows(n):
    assert [len(batch) for batch in prediction_batches([5] * n, 32, 64)] == [n]


def test_no_sequences_make_no_batches():
    assert list(inference_batches([], 4)) == []
    assert list(prediction_batches([], 4, 64)) == []
    for exact in (False, True):
        assert training_batches([], 4, exact=exact) == []
        assert training_batches([], 4, np.random.default_rng(0), exact=exact) == []


@pytest.mark.parametrize("seed", range(20))
def test_sequences_survive_batching_and_padding_in_their_order(seed):
    rng = np.random.default_rng(seed)
    n, size = rng.integers(1, 200), rng.integers(1, 40)
    items = [rng.random((length, 2)) for length in random_lengths(n, seed)]
    found = [None] * n
    for batch in inference_batches(map(len, items), size, window=50):
        padded = pad([items[i] for i in batch], n_rows=size, dtype=float)
        assert len(padded) == size
        rows = unpad(padded, [len(items[i]) for i in batch])
        for i, row in zip(batch, rows, strict=True):
            found[i] = row
    for item, back in zip(items, found, strict=True):
        np.testing.assert_array_equal(item, back)


# Working ahead


@pytest.fixture
def no_thread_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def square(i):
    return i * i


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("n", [0, 1, 3, 50])
def test_results_come_for_every_item_in_order(n, depth, no_thread_left):
    assert list(apply_ahead(square, range(n), depth)) == [i * i for i in range(n)]


def test_none_is_an_item_and_a_result_like_any_other(no_thread_left):
    assert list(apply_ahead(lambda i: i, [None, 0, None])) == [None, 0, None]


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
@pytest.mark.parametrize("n", [0, 1, 4])
@pytest.mark.parametrize("fails", ["taking", "applying"])
def test_an_error_is_raised_after_the_results_before_it(
    fails, n, error, no_thread_left
):
    def source():
        yield from range(n)
        if fails == "taking":
            raise error("disk on fire")
        yield from range(n, 50)

    def apply(i):
        if i == n:
            raise error("disk on fire")
        return i

    ahead = apply_ahead(apply, source())
    assert [next(ahead) for _ in range(n)] == list(range(n))
    with pytest.raises(error, match="disk on fire"):
        next(ahead)


def test_items_are_taken_in_the_callers_thread_and_worked_on_in_another():
    here, threads = threading.get_ident(), []

    def source():
        for i in range(5):
            threads.append(threading.get_ident())
            yield i

    worked_in = set(apply_ahead(lambda i: threading.get_ident(), source()))
    assert set(threads) == {here}
    assert len(worked_in) == 1
    assert here not in worked_in


def test_items_are_worked_on_ahead_but_no_further_than_asked(no_thread_left):
    done, items = threading.Semaphore(0), []

    def apply(i):
        items.append(i)
        done.release()
        return i

    with contextlib.closing(apply_ahead(apply, range(10), depth=2)) as ahead:
        assert next(ahead) == 0
        for _ in range(3):  # one in use and two done ahead
            assert done.acquire(timeout=10)
        assert not done.acquire(timeout=0.05)
        assert items == [0, 1, 2]


def test_the_next_item_is_worked_on_while_the_consumer_works(no_thread_left):
    first_in_use = threading.Event()

    def apply(name):
        assert name == "first" or first_in_use.wait(10)
        return name

    ahead = apply_ahead(apply, ["first", "second"], depth=1)
    assert next(ahead) == "first"
    first_in_use.set()
    assert list(ahead) == ["second"]


def test_closing_early_stops_the_thread(no_thread_left):
    taken = []

    def source():
        for i in range(1000):
            taken.append(i)
            yield i

    ahead = apply_ahead(square, source())
    next(ahead)
    ahead.close()
    assert len(taken) <= 3


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_of_the_consumer_stops_the_thread(error, no_thread_left):
    def consume():
        with contextlib.closing(apply_ahead(square, range(1000))) as ahead:
            for _ in ahead:
                raise error

    with pytest.raises(error):
        consume()


def test_what_is_never_used_starts_no_thread(no_thread_left):
    apply_ahead(square, range(3))


# Too many frames for one batch


@pytest.mark.parametrize("rng", [None, 0])
def test_one_long_sequence_does_not_pad_the_short_ones_of_its_batch(rng):
    rng = None if rng is None else np.random.default_rng(rng)
    lengths = [1] * 31 + [20_000]
    batches = training_batches(lengths, 32, rng)
    assert sorted(np.concatenate(batches)) == list(range(32))
    assert padding_share(lengths, batches) == 0


def test_batches_of_long_sequences_are_parted_until_they_fit():
    batches = training_batches([20_000] * 32, 32, np.random.default_rng(0))
    assert sorted(np.concatenate(batches)) == list(range(32))
    assert max(len(batch) for batch in batches) * 20_000 <= 2**17


def test_batches_that_fit_are_left_as_they_are():
    lengths = [1] * 31 + [4000]
    assert [len(batch) for batch in training_batches(lengths, 32)] == [32]


@pytest.mark.parametrize("rng", [None, np.random.default_rng(0)])
def test_a_long_source_and_a_long_target_are_not_padded_to_each_other(rng):
    sides = np.full((32, 2), 3)
    sides[4, 0], sides[9, 1] = 3000, 3000
    batches = training_batches(sides, 32, rng)
    assert sorted(np.concatenate(batches).tolist()) == list(range(32))
    for batch in batches:
        n_sources, n_targets = sides[batch].max(axis=0)
        assert len(batch) == 1 or n_sources * n_targets < 3000 * 30
    parts = list(prediction_batches(sides, 32, 64))
    assert sorted(np.concatenate(parts).tolist()) == list(range(32))
    for part in parts:
        assert len(part) * sides[part].max(axis=0).prod() <= 16 * 2**18


def test_short_pairs_are_cut_like_sequences_of_their_total():
    sides = np.random.default_rng(0).integers(1, 40, size=(100, 2))
    by_total = training_batches(sides.sum(axis=1), 8, np.random.default_rng(1))
    of_pairs = training_batches(sides, 8, np.random.default_rng(1))
    assert [b.tolist() for b in of_pairs] == [b.tolist() for b in by_total]


@pytest.mark.parametrize(("n", "n_rows"), [(1, 8), (7, 8), (8, 8), (9, 16)])
def test_rows_are_filled_up_to_whole_tiles(n, n_rows):
    arrays = {"frames": np.ones((n, 5, 2)), "row": np.arange(n)}
    filled = whole_tiles(arrays, np.full(n, 5))
    assert filled["frames"].shape == (n_rows, 5, 2)
    assert filled["row"].tolist() == [*range(n), *[0] * (n_rows - n)]


@pytest.mark.parametrize(("length", "n_rows"), [(2**15, 8), (2**16, 4), (2**20, 1)])
def test_no_filler_takes_more_memory_than_a_batch_may(length, n_rows):
    filled = whole_tiles({"row": np.array([0])}, np.array([length]))
    assert len(filled["row"]) == n_rows
