"""What is accepted as X in all, and how its sequences are handed out."""

import gc
import re
import weakref
import zlib

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.utils.estimator_checks import _NotAnArray

from skseq._data.collections import object_array
from skseq._data.sequences import check_sequences
from skseq._data.terms import IMAGES
from skseq.preprocessing import from_long_frame
from tests.data.samples import (
    LONG,
    RAGGED,
    E,
    Lazy,
    assert_reads,
    fit,
    fitted_on,
    frame,
    memmap,
    padded,
    ragged,
    ragged_tensor,
    with_value,
)

pytestmark = pytest.mark.core


BAD_SEQUENCES = {
    "None": (None, ValueError, "X is None; expected a list of (n_frames, n_features)"),
    "empty list": (
        [],
        ValueError,
        "Found array with 0 sample(s) (X is empty) while a minimum of 1 is required by "
        "E.",
    ),
    "empty 3-D": (np.empty((0, 5, 3)), ValueError, "Found array with 0 sample(s)"),
    "4-D array": (
        np.ones((2, 2, 2, 2)),
        ValueError,
        "Found array with dim 4, while dim <= 3 is required by E.",
    ),
    "no frames": (
        ragged(x1=np.empty((0, 3))),
        ValueError,
        "X[1] has 0 frame(s) (shape=(0, 3)) while a minimum of 1 is required by E.",
    ),
    "no frames but padding": (
        np.where(np.arange(3)[:, None, None] == 1, np.nan, np.ones((3, 2, 2))),
        ValueError,
        "X[1] has 0 frame(s) (shape=(2, 2), all of it NaN padding)",
    ),
    "nested empty lists": (
        [[], []],
        ValueError,
        "X[0] has 0 frame(s) (shape=(0,)) while a minimum of 1 is required by E.",
    ),
    "no features": (
        ragged(x0=np.empty((5, 0))),
        ValueError,
        "X[0] has 0 feature(s) (shape=(5, 0)) while a minimum of 1 is required by E.",
    ),
    "widths differ": (
        ragged(x2=np.ones((4, 2))),
        ValueError,
        "X[2] has 2 features, but X[0] has 3.",
    ),
    "transposed": (
        ragged(x1=np.ones((3, 7))),
        ValueError,
        "X[1] has 7 features, but X[0] has 3. Is it transposed? Sequences are "
        "(n_frames, n_features).",
    ),
    "images with the rows first": (
        [np.ones((8, 20)), np.ones((8, 25))],
        ValueError,
        "X[1] has 25 features, but X[0] has 20. Sequences are (n_frames, n_features), "
        "and these have 8 frames each. If they are series with the channels first, "
        "or images with the rows first, transpose them: X = [x.T for x in X].",
    ),
    "images of any size": (
        [np.ones((8, 20)), np.ones((9, 25))],
        ValueError,
        "X[1] has 25 features, but X[0] has 20. Sequences are (n_frames, n_features), "
        "and may differ in n_frames alone. Select the features that all have; resize "
        "images to one size.",
    ),
    "colours": (
        [np.ones((8, 20, 3))],
        ValueError,
        "If the first axis is time, make the others one: x.reshape(len(x), -1).",
    ),
    "axes too many": (
        [np.ones((1, 8, 20))],
        ValueError,
        "Drop the axes of length 1: x.squeeze().",
    ),
    "1-D among 2-D": (
        [np.ones((2, 1)), np.ones(3)],
        ValueError,
        "X mixes 1-D (X[1]) and 2-D (X[0]) sequences.",
    ),
    "2-D among 1-D": (
        [np.ones(3), np.ones((2, 1))],
        ValueError,
        "X mixes 1-D (X[0]) and 2-D (X[1]) sequences.",
    ),
    "what a converter returns": (
        from_long_frame(LONG, id="id", time="t"),
        ValueError,
        "X is a pair whose first item is a collection of sequences. Unpack it: "
        "X, ids = X.",
    ),
    "a pair of lists, one of them jagged inside": (
        ([[[1], [1, 2]]], [[1.0]]),
        ValueError,
        "X[0] is not rectangular: its frames have different numbers of features.",
    ),
    "masked 3-D": (
        np.ma.masked_equal(np.arange(8.0).reshape(2, 2, 2), 2),
        ValueError,
        "X is a masked array with 1 masked value; masks are not supported",
    ),
    "columns reordered": (
        [frame(["a", "b", "c"]), frame(["a", "c", "b"])],
        ValueError,
        "X[1] has columns ['a', 'c', 'b'], but X[0] has columns ['a', 'b', 'c'].",
    ),
    "columns lost": (
        [frame(["a", "b"]), np.ones((2, 2))],
        ValueError,
        "X[1] has columns without names, but X[0] has columns ['a', 'b'].",
    ),
    "ragged tensor with an empty row": (
        tf.ragged.constant([[1.0], []]),
        ValueError,
        "X[1] has 0 frame(s) (shape=(0,)) while a minimum of 1 is required by E.",
    ),
    "ragged tensor without rows": (
        ragged_tensor()[:0],
        ValueError,
        "Found array with 0 sample(s) (X is empty) while a minimum of 1 is required by "
        "E.",
    ),
}


@pytest.mark.parametrize(
    ("X", "error", "message"), BAD_SEQUENCES.values(), ids=BAD_SEQUENCES
)
def test_a_bad_x_is_refused_with_a_sentence_that_names_it(X, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fit(X)


GOOD_SEQUENCES = {
    "padded 3-D": (padded(), RAGGED),
    "3-D": (np.arange(12).reshape(2, 3, 2), list(np.arange(12).reshape(2, 3, 2))),
    "__array__, 3-D": (_NotAnArray(np.ones((2, 3, 2))), [np.ones((3, 2))] * 2),
    "equal lengths": ([np.ones((2, 3))] * 3, [np.ones((2, 3))] * 3),
    "one frame": ([np.ones((1, 3))], [np.ones((1, 3))]),
    "one sample": (RAGGED[:1], RAGGED[:1]),
    "constant feature": ([np.zeros((4, 3))] * 2, [np.zeros((4, 3))] * 2),
}


@pytest.mark.parametrize(("X", "expected"), GOOD_SEQUENCES.values(), ids=GOOD_SEQUENCES)
def test_every_x_reads_the_same(X, expected):
    assert_reads(X, expected)


@pytest.mark.parametrize(
    ("fitted", "X", "message"),
    [
        (RAGGED, [np.ones((4, 2))], "X has 2 features, but E is expecting 3 features"),
        (
            RAGGED,
            np.ones((4, 3)),
            "E was fitted on sequences of 3 features but got a 2-D X. Wrap a single "
            "sequence in a list: [X].",
        ),
        (RAGGED, RAGGED[0].tolist(), "Wrap a single sequence in a list: [X]."),
        (RAGGED, np.ones(4), "Expected 2D array, got 1D array instead:"),
        (
            np.ones((4, 3)),
            RAGGED,
            "E was fitted on a 2-D array but got sequences of shape (n_frames, "
            "n_features).",
        ),
        (
            np.ones((4, 3)),
            np.ones((4, 2)),
            "X has 2 features, but E is expecting 3 features as input.",
        ),
        (RAGGED, [], "Found array with 0 sample(s)"),
        (
            [frame("ab")],
            [frame("ba")],
            "Feature names must be in the same order as they were in fit.",
        ),
        ([frame("ab")], [frame("ac")], "Feature names seen at fit time, yet now"),
        (RAGGED, with_value(np.nan), "Input X contains NaN (X[1][2, 0]"),
        (
            RAGGED,
            np.ones((2, 3, 7)),
            "X has 7 features, but E is expecting 3 features as input. Sequences are "
            "(n_frames, n_features), and these have 3 frames each.",
        ),
        (RAGGED, np.ones((3, 7)), "Its first axis has 3: transpose it, [X.T]."),
    ],
)
def test_x_unlike_the_x_of_fit_is_refused(fitted, X, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_sequences(fitted_on(fitted), X, reset=False)


@pytest.mark.parametrize("X", [RAGGED, np.ones((2, 3)), [frame("ab")], frame("ab")])
@pytest.mark.filterwarnings("error")
def test_an_estimator_without_state_has_nothing_to_compare(X):
    estimator = E()
    check_sequences(estimator, X, reset=False)
    assert vars(estimator) == {}


def test_fit_on_data_frames_records_their_columns_and_another_fit_forgets_them():
    estimator = fitted_on([frame("ab"), frame("ab", 4)])
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    check_sequences(estimator, [frame([0, 1])], reset=True)
    assert not hasattr(estimator, "feature_names_in_")


def test_arrays_after_data_frames_warn_as_in_scikit_learn():
    estimator = fitted_on([frame("ab")])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        check_sequences(estimator, [np.ones((2, 2))], reset=False)


def test_a_refused_x_leaves_the_estimator_as_it_was():
    estimator = fitted_on(RAGGED)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match="NaN"):
        check_sequences(estimator, [np.full((2, 5), np.nan)], reset=True)
    assert vars(estimator) == before


@pytest.mark.parametrize(
    "X",
    [RAGGED, object_array(RAGGED), padded(), np.ones((2, 3)), Lazy(RAGGED.__getitem__)],
    ids=["list", "object array", "3-D", "matrix", "lazy"],
)
def test_arrays_are_never_copied(X):
    sequences = fit(X)
    subset = sequences.take([1, 0])
    for i in (0, 1):
        assert np.shares_memory(sequences[i], X[i])
        assert np.shares_memory(subset[i], X[1 - i])


@pytest.mark.parametrize("X", [RAGGED, padded(), np.ones((2, 3))])
def test_what_is_handed_out_cannot_be_written_to(X):
    frames = fit(X)[0]
    with pytest.raises(ValueError, match="read-only"):
        frames[0, 0] = 1
    assert X[0].flags.writeable


def test_a_read_only_memmap_is_neither_copied_nor_loaded(tmp_path):
    x = memmap(tmp_path, RAGGED[0])
    assert np.shares_memory(fit([x])[0], x)
    X = memmap(tmp_path, padded())
    assert np.shares_memory(fit(X)[2], X)


def test_a_subset_shares_the_source_and_names_samples_as_the_user_does():
    X = Lazy(RAGGED.__getitem__)
    subset = fit(X).take([2, 0, 1]).take(np.array([False, True, True]))
    assert subset.source is X
    assert subset.lengths.tolist() == [4, 5]
    np.testing.assert_array_equal(subset[-1], RAGGED[1])
    X.fetch = lambda i: RAGGED[i][:1]
    with pytest.raises(ValueError, match=r"X\[1\] changed after it was checked"):
        subset[1]


@pytest.mark.parametrize("changed", [np.ones((9, 3)), np.ones((4, 2)), np.ones(4)])
def test_a_lazy_item_that_changes_between_passes_is_named(changed):
    X = Lazy(RAGGED.__getitem__)
    sequences = fit(X)
    X.fetch = lambda i: changed
    with pytest.raises(
        ValueError, match=r"X\[0\] changed .* it had 4 frames of 3 features"
    ):
        sequences[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, r"Input X contains NaN \(X\[1\]\[2, 0\]; 1 non-finite"),
        (-np.inf, r"Input X contains infinity \(X\[1\]\[2, 0\]"),
        (1e300, r"Input X\[1\] contains a value too large"),
    ],
)
def test_a_lazy_item_that_stops_being_finite_is_named(value, message):
    X = Lazy(RAGGED.__getitem__)
    subset = fit(X).take([2, 1])
    X.fetch = with_value(value).__getitem__
    assert subset[0].shape == (2, 3)
    with pytest.raises(ValueError, match=message):
        subset[1]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            [np.ones((20, 8)), np.ones((25, 9))],
            "X[1] has a height of 9 pixels, but X[0] has 8. Images are (width, height) "
            "arrays of one height. Resize them to one",
        ),
        (
            [np.ones((8, 20)), np.ones((8, 25))],
            "and these have 8 pixels along their first axis each. If their rows come "
            "first, transpose them: X = [x.T for x in X].",
        ),
        ([np.ones((8, 20, 3))], "If the last axis holds colours"),
        (np.ones((2, 8, 20, 3)), "holds rows, x.mean(axis=-1).T."),
        ([np.ones((0, 8))], "X[0] has 0 pixel column(s)"),
        ([np.full((9, 8), np.nan)], "in that image). Fill or drop these pixels."),
        (None, "expected a list of (width, height) arrays"),
    ],
)
def test_images_are_spoken_of_as_images(X, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        fit(X, terms=IMAGES)
    assert "feature" not in str(refusal.value)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([np.ones((9, 5))], "Resize the images to the height of those in fit."),
        ([np.ones((8, 30))], "If their rows come first, transpose them"),
        (np.ones((9, 8)), "Wrap a single image in a list: [X]."),
    ],
)
def test_images_of_another_height_are_told_what_to_do(X, message):
    estimator = E()
    check_sequences(estimator, [np.ones((20, 8))], reset=True, terms=IMAGES)
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        check_sequences(estimator, X, reset=False, terms=IMAGES)
    assert "feature" not in str(refusal.value)


@pytest.mark.parametrize("as_frame", [False, True])
def test_a_lazy_source_is_read_one_sequence_at_a_time_and_nothing_of_it_is_held(
    as_frame,
):
    fetched, alive = [], []

    def fetch(i):
        alive.append(sum(x() is not None for x in fetched))
        x = np.ones((i + 2, 3))
        fetched.append(weakref.ref(x))
        return pd.DataFrame(x, columns=list("abc"), copy=False) if as_frame else x

    X = Lazy(fetch, n_samples=5)
    sequences = fit(X)
    assert sequences.lengths.tolist() == [2, 3, 4, 5, 6]
    assert alive == [0] * 5
    assert all(x() is None for x in fetched)
    source = weakref.ref(X)
    del X, sequences
    gc.collect()
    assert source() is None


def test_a_lazy_source_is_asked_for_each_sequence_once_a_pass():
    asked = []
    sequences = fit(Lazy(lambda i: asked.append(i) or RAGGED[i]))
    assert asked == [0, 1, 2]
    sequences[1]
    assert asked == [0, 1, 2, 1]


def test_an_index_out_of_range_is_an_index_error():
    with pytest.raises(IndexError):
        fit(RAGGED)[3]


@pytest.mark.parametrize(
    "X",
    [
        RAGGED,
        tuple(x.astype(np.float32) for x in RAGGED),
        [x.astype(">f8") for x in RAGGED],
        [np.asfortranarray(x) for x in RAGGED],
        padded(),
        Lazy(RAGGED.__getitem__),
    ],
)
def test_the_fingerprint_is_of_the_contents_and_not_of_the_container(X):
    contents = b"".join(
        [np.array([4, 5, 2], "<i8").tobytes()]
        + [x.astype("<f4").tobytes() for x in RAGGED]
    )
    assert fit(X).fingerprint() == zlib.crc32(contents)


@pytest.mark.parametrize(
    "other",
    [
        RAGGED[::-1],
        ragged(x2=RAGGED[2] + 1e-3),
        [np.vstack(RAGGED)],
        ragged(x1=RAGGED[1][:-1]),
    ],
    ids=["order", "value", "boundaries", "length"],
)
def test_the_fingerprint_tells_other_data(other):
    assert fit(other).fingerprint() != fit(RAGGED).fingerprint()


def test_a_lazy_x_that_ends_a_loop_says_so():
    class Ending(Lazy):
        def __getitem__(self, i):
            raise StopIteration

    with pytest.raises(RuntimeError, match=r"X\[0\] raised StopIteration"):
        check_sequences(E(), Ending(RAGGED), reset=True)


def test_a_structured_array_is_told_how_to_become_a_plain_one():
    records = np.zeros(3, dtype=[("a", "f4"), ("b", "f4")])
    with pytest.raises(ValueError, match=r"structured_to_unstructured\(X\[0\]\)"):
        check_sequences(E(), [records], reset=True)
