import gc
import weakref

import numpy as np
import pytest

from skseq._autoencoder.data import (
    ChangeScaling,
    ReconstructionData,
    check_unfolded,
)
from skseq._data import memory
from skseq._data.sequences import Sequences
from skseq._data.step_weights import STEP_WEIGHTS, check_step_weight


def ragged(n_samples=6, n_features=3, seed=0):
    """Frames of different means and scales a feature."""
    rng = np.random.default_rng(seed)
    scales, means = 10.0 ** np.arange(n_features), 3.0 * np.arange(n_features) - 1
    lengths = rng.integers(1, 9, size=n_samples)
    return [rng.normal(means, scales, size=(n, n_features)) for n in lengths]


def sequences_of(X):
    lengths = np.array([len(x) for x in X])
    return Sequences(X, lengths, X[0].shape[1], "sequences")


def fitted(X, rows=None, *, standardize=True, difference=False):
    rows = range(len(X)) if rows is None else rows
    sequences = sequences_of(X)
    return ChangeScaling.learn(
        sequences, rows, standardize=standardize, difference=difference
    )


def data_of(X, weights=None, **options):
    weights = np.ones(len(X)) if weights is None else weights
    scaling = options.pop("scaling", None) or fitted(X)
    return ReconstructionData(sequences_of(X), weights, scaling, **options)


# -- scaling --------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [None, [0, 2, 5], [3]])
def test_mean_and_scale_are_those_of_all_frames_of_the_rows(rows):
    X = ragged()
    frames = np.concatenate([X[i] for i in rows or range(6)])
    scaling = fitted(X, rows)
    np.testing.assert_allclose(scaling.mean, frames.mean(axis=0))
    np.testing.assert_allclose(scaling.scale, frames.std(axis=0))
    assert scaling.change_scale is None


def test_what_was_learnt_from_has_mean_0_and_variance_1():
    X = ragged()
    levels = np.concatenate([fitted(X).levels(x) for x in X])
    np.testing.assert_allclose(levels.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(levels.std(axis=0), 1)


def test_frames_are_taken_as_they_are_where_that_is_wanted():
    X = ragged()
    scaling = fitted(X, standardize=False)
    np.testing.assert_array_equal(scaling.levels(X[0]), X[0])
    np.testing.assert_array_equal(scaling.inputs(X[0]), X[0])
    assert (scaling.mean.tolist(), scaling.scale.tolist()) == ([0] * 3, [1] * 3)


def test_levels_are_computed_in_double_precision_and_restored():
    X = ragged()
    single = [x.astype("float32") for x in X]
    scaling = fitted(single)
    for x in single:
        assert scaling.levels(x).dtype == np.float64
        np.testing.assert_allclose(scaling.restored(scaling.levels(x)), x, rtol=1e-12)


@pytest.mark.parametrize("standardize", [True, False])
def test_changes_are_scaled_by_their_own_deviation_and_add_up_to_levels(standardize):
    X = ragged()
    scaling = fitted(X, standardize=standardize, difference=True)
    changes = [np.diff(scaling.levels(x), axis=0, prepend=0) for x in X]
    expected = np.concatenate(changes).std(axis=0)
    np.testing.assert_allclose(scaling.change_scale, expected)
    for x in X:
        sums = np.cumsum(scaling.inputs(x) * scaling.change_scale, axis=0)
        np.testing.assert_allclose(sums, scaling.levels(x), atol=1e-12)


def test_noise_about_a_large_offset_is_not_lost():
    noise = np.random.default_rng(0).normal(scale=1e-4, size=(300, 2))
    X = np.split(1e6 + noise, [7, 150])
    scaling = fitted(X, difference=True)
    exact = np.concatenate(X) - 1e6  # no digit is lost in this difference
    np.testing.assert_allclose(scaling.scale, exact.std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scaling.mean - 1e6, exact.mean(axis=0), atol=1e-9)
    assert (scaling.change_scale > 0.5).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6 / 3, 1e-9 / 7, 1e15 / 9])
@pytest.mark.parametrize("difference", [False, True])
def test_a_constant_feature_is_not_blown_up(value, difference):
    X = ragged(5, 1)
    X = [np.repeat(np.hstack([x, np.full_like(x, value)]), 50, axis=0) for x in X]
    scaling = fitted(X, difference=difference)
    assert scaling.mean[1] == pytest.approx(value, rel=1e-15)
    assert scaling.scale[1] == 1
    if difference:
        assert scaling.change_scale[1] == 1
    for x in X:
        assert np.abs(scaling.inputs(x)[:, 1]).max() <= 4e-16 * abs(value)


@pytest.mark.parametrize("difference", [False, True])
def test_features_that_never_change_in_long_sequences_are_constant(difference):
    X = [np.full((100_000, 1), 0.1), np.full((77, 1), 0.1)]
    scaling = fitted(X, difference=difference)
    assert (scaling.mean.item(), scaling.scale.item()) == (0.1, 1)
    assert scaling.change_scale == (1 if difference else None)


@pytest.mark.parametrize("difference", [False, True])
def test_rounding_is_not_a_change(difference):
    column = np.tile([0.3, 0.1 + 0.2, 0.3], 20)
    assert np.ptp(column) > 0
    X = [np.column_stack([column, np.arange(60)])[i:] for i in range(3)]
    scaling = fitted(X, difference=difference)
    assert np.abs(scaling.inputs(X[0])[:, 0]).max() < 1e-15


def test_a_single_frame_is_a_constant():
    scaling = fitted([np.array([[3.0, -1.0]])], difference=True)
    np.testing.assert_array_equal(scaling.inputs([[3.0, -1.0]]), [[0, 0]])
    np.testing.assert_array_equal(scaling.inputs([[5.0, -1.0]]), [[2, 0]])


class Stream:
    """Makes a sequence at each access, and counts those that are still alive."""

    def __init__(self, lengths):
        self.lengths, self.n_alive, self.most_alive, self.n_read = lengths, 0, 0, 0

    def __getitem__(self, i):
        frames = np.random.default_rng(i).normal(size=(self.lengths[i], 2))
        self.n_alive, self.n_read = self.n_alive + 1, self.n_read + 1
        self.most_alive = max(self.most_alive, self.n_alive)
        weakref.finalize(frames, self._let_go)
        return frames

    def _let_go(self):
        self.n_alive -= 1


@pytest.mark.parametrize(
    ("standardize", "difference", "n_readings"),
    [(True, False, 1), (False, True, 1), (True, True, 2), (False, False, 0)],
)
def test_a_stream_is_read_one_by_one_and_not_kept(standardize, difference, n_readings):
    lengths = np.arange(1, 21)
    stream = Stream(lengths)
    scaling = ChangeScaling.learn(
        Sequences(stream, lengths, 2, "sequences"),
        np.arange(20),
        standardize=standardize,
        difference=difference,
    )
    gc.collect()
    assert stream.n_read == 20 * n_readings
    assert stream.n_alive == 0
    assert stream.most_alive <= 2  # one, and the next
    in_memory = [stream[i] for i in range(20)]
    expected = fitted(in_memory, standardize=standardize, difference=difference)
    np.testing.assert_array_equal(scaling.mean, expected.mean)
    np.testing.assert_array_equal(scaling.change_scale, expected.change_scale)


# -- batches --------------------------------------------------------------------------


@pytest.mark.parametrize("difference", [False, True])
def test_a_batch_holds_inputs_levels_and_weights_padded_with_zeros(difference):
    X = [x[: 2 + i] for i, x in enumerate(ragged(3, 2, seed=4))]
    scaling = fitted(X, difference=difference)
    batch = data_of(X, scaling=scaling).assemble(np.array([2, 0]))
    lengths = [len(X[2]), len(X[0])]
    assert batch["lengths"].tolist() == lengths
    for row, x in enumerate([X[2], X[0]]):
        n = len(x)
        for name, values in (
            ("frames", scaling.inputs(x)),
            ("levels", scaling.levels(x)),
            ("step_weight", np.full(n, 1 / n)),
        ):
            np.testing.assert_allclose(batch[name][row, :n], values, rtol=1e-6)
            np.testing.assert_array_equal(batch[name][row, n:], 0)
    assert ("change_scale" in batch) == difference
    if difference:
        assert batch["change_scale"].shape == (2, 2)
        np.testing.assert_allclose(batch["change_scale"][1], scaling.change_scale)
    dtypes = {name: array.dtype.name for name, array in batch.items()}
    assert dtypes.pop("lengths") == "int32"
    assert set(dtypes.values()) == {"float32"}


STEP_WEIGHT_FORMULAS = {
    None: lambda t: 1,
    "sqrt": lambda t: (t + 1) ** 0.5,
}


@pytest.mark.parametrize("name", STEP_WEIGHTS)
@pytest.mark.parametrize("n_frames", [1, 2, 50])
def test_the_weights_of_a_sequences_frames_are_as_named_and_sum_to_one(name, n_frames):
    raw = np.array([STEP_WEIGHT_FORMULAS[name](t) for t in range(n_frames)])
    data = data_of(ragged(), step_weight=STEP_WEIGHTS[name])
    np.testing.assert_allclose(data.step_weights(n_frames), raw / raw.sum())


def test_a_callable_gets_the_frame_indices_and_need_not_sum_to_one():
    data = data_of(ragged(), step_weight=lambda steps: (steps == 2) + 3 * (steps == 0))
    np.testing.assert_allclose(data.step_weights(4), [0.75, 0, 0.25, 0])
    assert data_of(ragged(), step_weight=list).step_weights(3).tolist() == [
        pytest.approx(t / 3) for t in range(3)
    ]


def test_some_of_the_data_are_data_like_all_of_them():
    X = ragged()
    weights = np.arange(6.0)
    data = data_of(X, weights, step_weight=STEP_WEIGHTS["sqrt"])
    rows = np.array([4, 1])
    some = data.take(rows)
    assert some.sample_weight.tolist() == [4, 1]
    assert some.lengths.tolist() == [len(X[4]), len(X[1])]
    whole, part = data.assemble(rows), some.assemble(np.arange(2))
    for name, array in whole.items():
        np.testing.assert_array_equal(part[name], array)


def test_any_change_of_frames_or_weights_changes_the_fingerprint():
    X = ragged()
    fingerprint = data_of(X).fingerprint()
    assert data_of([x.copy() for x in X]).fingerprint() == fingerprint
    assert data_of(X[::-1]).fingerprint() != fingerprint
    assert data_of([*X[:-1], X[-1] + 1]).fingerprint() != fingerprint
    assert data_of(X, np.array([1, 1, 1, 1, 1, 2.0])).fingerprint() != fingerprint


# -- weights of steps that are none ---------------------------------------------------


@pytest.mark.parametrize(
    "step_weight",
    [
        lambda steps: 1.0,
        lambda steps: None,
        lambda steps: np.ones(len(steps) + 1),
        lambda steps: np.ones((len(steps), 1)),
        lambda steps: -np.ones_like(steps),
        lambda steps: np.zeros_like(steps),
        lambda steps: steps - 1,
        lambda steps: np.where(steps == 1, np.nan, 1),
        lambda steps: np.where(steps == 1, np.inf, 1),
        lambda steps: ["heavy"] * len(steps),
        lambda steps: np.ones(len(steps), dtype=complex),
    ],
)
def test_what_does_not_weigh_every_frame_is_refused(step_weight):
    with pytest.raises(ValueError, match=r"step_weight must return .* For 3 frame"):
        check_step_weight(step_weight, [3, 3])


def test_a_length_for_which_all_weights_are_zero_is_named():
    check_step_weight(lambda steps: steps, [2, 9, 4])
    with pytest.raises(ValueError, match=r"For 1 frame it returned array\(\[0"):
        check_step_weight(lambda steps: steps, [9, 2, 1])


def test_each_length_is_tried_once():
    tried = []
    check_step_weight(lambda steps: tried.append(len(steps)) or steps + 1, [5, 2, 5, 2])
    assert tried == [2, 5]


# -- codes to unfold -----------------------------------------------------------------


def test_more_frames_than_memory_holds_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(memory, "memory_bytes", lambda: 2.0**30)
    check_unfolded(np.array([2**20, 2**20]), n_features=3, n_units=64)
    message = r"2097152 frames, which take at least 1.58 GiB, .* \(1 GiB\)"
    with pytest.raises(ValueError, match=message):
        check_unfolded(np.array([2**20, 2**20]), n_features=100, n_units=4)
    with pytest.raises(ValueError, match="Unfold fewer or shorter sequences"):
        check_unfolded(np.array([2**25]), n_features=1, n_units=64)
