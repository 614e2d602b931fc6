import numpy as np
import pytest

from skseq._seq2seq.data import PairData

END = 9
SOURCES = [[3, 1, 2], [5], [4, 4]]
TARGETS = [[1], [2, 3, 4], []]
WEIGHTS = [1.0, 0.0, 2.5]


def ids(sequences):
    return [np.array(sequence, dtype="int32") for sequence in sequences]


def pairs(sources=SOURCES, targets=TARGETS, weights=WEIGHTS, end=END):
    targets = None if targets is None else ids(targets)
    return PairData(ids(sources), np.array(weights), end, targets)


def test_lengths_count_both_sides_and_the_end():
    data = pairs()
    assert data.source_lengths.tolist() == [3, 1, 2]
    assert data.target_lengths.tolist() == [2, 4, 1]
    assert data.lengths.tolist() == [5, 5, 3]


def test_without_targets_only_the_sources_count():
    data = pairs(targets=None)
    assert data.target_lengths.tolist() == [0, 0, 0]
    assert data.lengths.tolist() == [3, 1, 2]


def test_a_sequence_counts_by_its_weight_and_the_tokens_to_predict():
    np.testing.assert_array_equal(pairs().sample_weight, [2.0, 0.0, 2.5])
    np.testing.assert_array_equal(pairs(targets=None).sample_weight, WEIGHTS)


def test_a_batch_holds_targets_after_the_end_and_before_it():
    batch = pairs().assemble([1, 0, 2])
    expected = {
        "source": [[5, 0, 0], [3, 1, 2], [4, 4, 0]],
        "source_lengths": [1, 3, 2],
        "target": [[END, 2, 3, 4], [END, 1, 0, 0], [END, 0, 0, 0]],
        "target_labels": [[2, 3, 4, END], [1, END, 0, 0], [END, 0, 0, 0]],
        "target_lengths": [4, 2, 1],
    }
    assert {name: array.tolist() for name, array in batch.items()} == expected
    assert {array.dtype for array in batch.values()} == {np.dtype("int32")}


def test_a_batch_without_targets_holds_the_sources_only():
    batch = pairs(targets=None).assemble([2])
    assert {name: array.tolist() for name, array in batch.items()} == {
        "source": [[4, 4]],
        "source_lengths": [2],
    }


@pytest.mark.parametrize("end", [0, 4])
def test_the_end_is_the_one_that_was_given(end):
    batch = pairs(end=end).assemble([1])
    assert batch["target"].tolist() == [[end, 2, 3, 4]]
    assert batch["target_labels"].tolist() == [[2, 3, 4, end]]


def test_a_row_may_come_twice_in_a_batch():
    batch = pairs().assemble(np.array([1, 1]))
    for array in batch.values():
        np.testing.assert_array_equal(array[0], array[1])


def test_labels_are_the_inputs_shifted_by_one():
    rng = np.random.default_rng(0)
    targets = [rng.integers(8, size=n) for n in (4, 1, 0, 7)]
    data = pairs([[1]] * 4, targets, np.ones(4))
    batch = data.assemble(range(4))
    names = ("target", "target_labels", "target_lengths")
    for row, labels, n in zip(*(batch[name] for name in names), strict=True):
        np.testing.assert_array_equal(row[1:n], labels[: n - 1])
        assert row[0] == labels[n - 1] == END


@pytest.mark.parametrize("targets", [TARGETS, None])
def test_some_of_the_pairs_are_data_like_all_of_them(targets):
    rows = np.array([2, 0])
    some = pairs(targets=targets).take(rows)
    assert [source.tolist() for source in some.sources] == [[4, 4], [3, 1, 2]]
    assert some.weights.tolist() == [2.5, 1.0]
    assert some.end == END
    whole = pairs(targets=targets).assemble(rows)
    batch = some.assemble(range(2))
    assert batch.keys() == whole.keys()
    for name, array in batch.items():
        np.testing.assert_array_equal(array, whole[name])


def test_data_are_not_written_to():
    data = pairs()
    for array in (*data.sources, *data.targets, data.weights):
        array.flags.writeable = False
    data.assemble([0, 1, 2])["source"][:] = 7
    assert [source.tolist() for source in data.sources] == SOURCES


def test_equal_data_have_equal_fingerprints():
    assert pairs().fingerprint() == pairs().fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"sources": [[3, 1, 2], [5], [4, 5]]},
        {"sources": [[3, 1], [2, 5], [4, 4]]},
        {"sources": [[5], [3, 1, 2], [4, 4]]},
        {"targets": [[1], [2, 3, 5], []]},
        {"targets": [[1, 2], [3, 4], []]},
        {"targets": [[1], [2, 3], [4]]},
        {"weights": [1.0, 0.5, 2.5]},
        {"sources": TARGETS, "targets": SOURCES},
    ],
)
def test_any_change_of_the_data_changes_the_fingerprint(change):
    assert pairs(**change).fingerprint() != pairs().fingerprint()
