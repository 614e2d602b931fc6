"""Frames with labels: what fits, what is dropped, and what a batch holds."""

import numpy as np
import pytest

from skseq._ctc.data import (
    N_NAMED,
    FrameData,
    check_alignable,
    check_feasible,
    trainable_rows,
)
from skseq._data.scaling import Scaling
from skseq._encoder.data import Shortening, check_output_lengths
from skseq._preprocess import preprocessed
from skseq.augmentation import augmenter
from tests.data.samples import fit

LENGTHS = (4, 6, 2, 5)
LABELS = [[0, 1], [1, 1, 0], [0], []]


def halved(lengths):
    """A front end that keeps the length, and convolutions that halve it."""
    return lengths, -(-lengths // 2)


def data_of(lengths=LENGTHS, labels=LABELS, weights=None, count=None, steps=None):
    X = [np.full((n, 2), float(i)) for i, n in enumerate(lengths)]
    weights = np.ones(len(X)) if weights is None else np.array(weights)
    return FrameData(
        preprocessed(fit(X), steps),
        weights,
        Scaling(np.ones(2), np.full(2, 2.0)),
        labels and [np.array(item, dtype=int) for item in labels],
        shortening=Shortening(count or (lambda lengths: (lengths, lengths))),
    )


# -- lengths ---------------------------------------------------------------------------


def test_each_length_is_counted_once():
    asked = []

    def count(lengths):
        asked.append(lengths.tolist())
        return halved(lengths)

    shorten = Shortening(count)
    before, after = shorten(np.array([5, 4, 5, 9]))
    assert (before.tolist(), after.tolist()) == ([5, 4, 5, 9], [3, 2, 3, 5])
    assert shorten(np.array([9, 6, 4]))[1].tolist() == [5, 3, 2]
    assert asked == [[4, 5, 9], [6]]


def test_labels_need_a_frame_each_and_one_between_equal_neighbours():
    assert data_of().frames_needed.tolist() == [2, 4, 1, 1]


def test_the_least_room_is_that_of_the_fullest_sequence_that_could_fit():
    data = data_of(lengths=(4, 6, 2, 5))
    assert data.least_room(np.array([4, 6, 2, 5]), np.array([4, 6, 2, 5])) == 1.5
    # The second had too few from the start: its room tells nothing of strides.
    assert data.least_room(np.array([4, 3, 2, 5]), np.array([4, 3, 2, 5])) == 2
    assert data.least_room(np.zeros(4), np.zeros(4)) == np.inf


# -- what can be trained on ------------------------------------------------------------


@pytest.mark.parametrize("infeasible", ["raise", "drop"])
def test_rows_of_no_weight_are_not_trained_on(infeasible):
    data = data_of(weights=[1, 0, 2, 1])
    assert trainable_rows(data, infeasible).tolist() == [0, 2, 3]


def test_sequences_with_too_few_frames_are_dropped_by_name():
    data = data_of(count=halved)
    with pytest.warns(UserWarning, match=r"Dropped 1 of 4 .* samples 1\."):
        assert trainable_rows(data, "drop").tolist() == [0, 2, 3]


def test_not_all_that_are_dropped_are_named():
    n = N_NAMED + 2
    data = data_of(lengths=[1] * n + [9], labels=[[0, 1]] * (n + 1))
    with pytest.warns(UserWarning, match=r"Dropped 12 of 13 .* 8, 9, \.\.\.\."):
        assert trainable_rows(data, "drop").tolist() == [n]


@pytest.mark.parametrize(
    ("strides_are_chosen", "cure"),
    [(False, r"lengthen X\[1\]"), (True, "The first call chose")],
)
def test_too_few_frames_are_an_error_that_counts_them(strides_are_chosen, cure):
    message = (
        r"y\[1\] has 3 labels but X\[1\] has only 3 output frames \(6 before .*"
        rf"equal neighbours, here 4\. Shorten y\[1\],.*{cure}"
    )
    with pytest.raises(ValueError, match=message):
        trainable_rows(data_of(count=halved), "raise", strides_are_chosen)


def test_strides_are_not_blamed_for_what_never_fitted():
    data = data_of(lengths=(1, 6, 2, 5))
    with pytest.raises(ValueError, match=r"Shorten y\[0\], lower conv_strides, or"):
        trainable_rows(data, "raise", True, "lower conv_strides")


def test_weights_that_leave_nothing_to_train_on_are_blamed():
    data = data_of(weights=[0, 1, 0, 0], count=halved)
    message = "all with enough frames for their labels have weight 0"
    with (
        pytest.warns(UserWarning, match="Dropped 1 of 4"),
        pytest.raises(ValueError, match=message),
    ):
        trainable_rows(data, "drop")


def test_only_sequences_too_short_leave_nothing_to_train_on():
    data = data_of(lengths=(1, 1), labels=[[0, 1], [0, 0]])
    with (
        pytest.warns(UserWarning, match="Dropped 2 of 2"),
        pytest.raises(ValueError, match="all have too few output frames"),
    ):
        trainable_rows(data, "drop")


def test_labels_that_fit_are_feasible_and_alignable():
    check_feasible(data_of(), "")
    check_alignable(data_of())


def test_labels_that_cannot_be_aligned_are_not_told_what_fit_could_do():
    with pytest.raises(ValueError, match=r"Shorten y\[1\], or leave the sample out\."):
        check_alignable(data_of(count=halved))


def test_a_sequence_of_which_nothing_is_left_is_named():
    check_output_lengths(data_of())
    data = data_of(count=lambda lengths: (lengths, lengths - 2))
    with pytest.raises(ValueError, match=r"X\[2\] has 2 frames, .* leave none"):
        check_output_lengths(data)


# -- batches ---------------------------------------------------------------------------


def test_a_batch_is_scaled_and_padded():
    batch = data_of(count=halved).assemble(np.array([2, 1]))
    assert batch["frames"].shape == (2, 6, 2)
    np.testing.assert_array_equal(batch["frames"][0, :2], 0.5)  # (2 - 1) / 2
    np.testing.assert_array_equal(batch["frames"][0, 2:], 0)
    np.testing.assert_array_equal(batch["frames"][1], 0)
    assert batch["lengths"].tolist() == [2, 6]
    assert batch["front_end_lengths"].tolist() == [2, 6]
    assert batch["labels"].tolist() == [[0, 0, 0], [1, 1, 0]]
    assert batch["label_lengths"].tolist() == [1, 3]
    assert {batch[name].dtype.name for name in batch if name != "frames"} == {"int32"}


def test_a_batch_without_any_label_has_a_column_for_them():
    batch = data_of().assemble(np.array([3]))
    assert (batch["labels"].shape, batch["label_lengths"].tolist()) == ((1, 1), [0])
    unlabelled = data_of(labels=None).assemble(np.array([3]))
    assert not {"labels", "label_lengths"} & unlabelled.keys()


def test_a_batch_of_what_was_read_before_is_the_same():
    data, rows = data_of(), np.array([0, 3])
    first, second = data.assemble(rows), data.assemble(rows, data.read(rows))
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_some_rows_are_those_of_all():
    data = data_of(weights=[1, 2, 3, 4]).take(np.array([2, 0]))
    assert data.lengths.tolist() == [2, 4]
    assert data.sample_weight.tolist() == [3, 1]
    assert [item.tolist() for item in data.labels] == [[0], [0, 1]]
    assert data_of(labels=None).take(np.array([1])).labels is None


def test_an_epoch_has_only_lengths_that_hold_the_labels():
    @augmenter
    def one_or_all(sequence, rng):
        return sequence[: 1 if rng.random() < 0.5 else len(sequence)]

    data = data_of(steps=[one_or_all])
    drawn = [data.in_epoch(7, epoch, exact=True).lengths for epoch in range(20)]
    assert {lengths[0] for lengths in drawn} == {4}  # two labels do not fit in one
    assert {lengths[1] for lengths in drawn} == {6}
    assert {lengths[2] for lengths in drawn} == {1, 2}


@pytest.mark.parametrize(
    "other",
    [
        {"lengths": (4, 6, 2, 4)},
        {"labels": [[0, 1], [1, 1, 0], [1], []]},
        {"labels": [[0], [1, 1, 1, 0], [0], []]},
        {"weights": [1, 1, 1, 2]},
    ],
    ids=["frames", "labels", "their counts", "weights"],
)
def test_the_fingerprint_tells_other_data(other):
    assert data_of().fingerprint() == data_of().fingerprint()
    assert data_of(**other).fingerprint() != data_of().fingerprint()
