"""Lengths of sequences are told from labels, and labels from lengths."""

import itertools
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from skseq import CTCSequenceClassifier, LSTMAutoencoder
from skseq._data.lengths import (
    refuse_lengths,
    refuse_own_lengths,
    warn_of_ids,
    warn_of_own_lengths,
)
from skseq.preprocessing import (
    FrameTransformer,
    SequenceNormalizer,
    SlidingWindows,
    from_concatenated,
)
from tests.data.samples import RAGGED

pytestmark = pytest.mark.core

FRAMES = np.concatenate(RAGGED)
LENGTHS = [len(x) for x in RAGGED]
FORMS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "small ints": lambda lengths: np.array(lengths, dtype=np.uint8),
    "Series": lambda lengths: pd.Series(lengths, index=[7, 8, 9]),
    "floats": lambda lengths: [float(n) for n in lengths],
    "rows": lambda lengths: [[n] for n in lengths],
    "column": lambda lengths: np.array(lengths)[:, np.newaxis],
    "DataFrame": lambda lengths: pd.DataFrame({"n": lengths}),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_lengths_of_concatenated_frames_are_refused_in_any_form(form):
    with pytest.raises(ValueError, match=r"from_concatenated\(X, lengths\)"):
        refuse_lengths(FRAMES, form(LENGTHS))


def test_lengths_that_are_written_as_texts_are_refused_too():
    with pytest.raises(ValueError, match=r"3 integers that add up to the 11 rows"):
        refuse_lengths(FRAMES, list(map(str, LENGTHS)))


@pytest.mark.parametrize(
    ("ends", "cure"),
    [([4, 9, 11], "np.diff(ends, prepend=0)"), ([0, 4, 9, 11], "np.diff(ends)")],
)
def test_ends_of_concatenated_sequences_are_refused_with_what_gives_their_lengths(
    ends, cure
):
    assert eval(cure, {"np": np, "ends": ends}).tolist() == LENGTHS
    with pytest.raises(ValueError, match=rf"ascend to .*\(X, {re.escape(cure)}\)"):
        refuse_lengths(FRAMES, ends)


@pytest.mark.parametrize(
    "use",
    [
        lambda coder: coder.fit(FRAMES, LENGTHS),
        lambda coder: coder.partial_fit(FRAMES, LENGTHS),
        lambda coder: coder.fit_predict(FRAMES, LENGTHS),
        lambda coder: coder.fit_transform(FRAMES, LENGTHS),
        lambda coder: coder.fit(FRAMES).score(FRAMES, LENGTHS),
    ],
    ids=["fit", "partial_fit", "fit_predict", "fit_transform", "score"],
)
def test_the_autoencoder_refuses_lengths_wherever_it_takes_a_y(use):
    with pytest.raises(ValueError, match=r"from_concatenated\(X, lengths\)"):
        use(LSTMAutoencoder(units=2, epochs=1))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_starts_of_concatenated_sequences_are_refused_with_what_gives_their_lengths(
    form,
):
    starts, cure = [0, 4, 9], "np.diff(starts, append=len(X))"
    names = {"np": np, "starts": starts, "X": FRAMES, "len": len}
    assert eval(cure, names).tolist() == LENGTHS
    with pytest.raises(ValueError, match=rf"from 0 within .*\(X, {re.escape(cure)}\)"):
        refuse_lengths(FRAMES, form(starts))


@pytest.mark.parametrize(
    "y",
    [[(0, 4), (4, 9), (9, 11)], [slice(0, 4), slice(4, 9)], list("abc"), [1, 2]],
    ids=repr,
)
def test_a_y_with_another_number_of_entries_is_refused_though_it_is_ignored(y):
    with pytest.raises(ValueError, match=r"\[11, \d\]. y must have one entry per"):
        LSTMAutoencoder(units=2, epochs=1).fit(FRAMES, y)


@pytest.mark.parametrize("name", ["ends", "starts"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_places_beside_the_sequences_that_they_cut_are_refused_in_any_form(form, name):
    places = {"ends": [4, 9, 11], "starts": [0, 4, 9]}[name]
    with pytest.raises(ValueError, match=f"y holds the {name} of the sequences"):
        refuse_own_lengths(np.array(LENGTHS), form(places))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_lengths_beside_their_own_sequences_are_refused_in_any_form(form):
    with pytest.raises(ValueError, match=r"each y\[i\] is len\(X\[i\]\)"):
        refuse_own_lengths(np.array(LENGTHS), form(LENGTHS))


@pytest.mark.parametrize("name", ["lengths", "ends"])
def test_where_numbers_are_learnt_lengths_may_be_meant(name):
    y = {"lengths": LENGTHS, "ends": np.cumsum(LENGTHS)}[name]
    with pytest.warns(UserWarning, match=f"y holds the {name} .* values to learn"):
        warn_of_own_lengths(np.array(LENGTHS), y)


@pytest.mark.parametrize(
    "y",
    [
        None,
        [4, 5],
        [4, 5, 3],
        [5, 4, 3, -1],
        [0, 4],
        [0, 4, 4],
        [1, 4, 9],
        [11, 0],
        [4.5, 4.5, 2.0],
        ["4", "5", "2a"],
        [4, 9, 10],
        [4, 3, 11],
        [1e300, 5, 2],
        [np.nan, 5, 2],
        [np.float16(0.5), np.float32(1e30), np.longdouble(2)],
        [np.complex64(4), 5, 2],
        [True] * 11,
        [1] * 11,
        [[4, 5, 2]],
        np.array([[4, 5, 2]]),
        "452",
        7,
    ],
    ids=repr,
)
def test_what_does_not_add_up_to_the_rows_is_not_taken_for_lengths(y):
    refuse_lengths(FRAMES, y)


@pytest.mark.parametrize(
    ("frame_counts", "y"),
    [
        ([4, 5, 2], [4, 5, 3]),
        ([4, 5, 2], ["4", "5", "2"]),
        ([4, 5], [4, 5]),
        ([4, 4, 4], [4, 4, 4]),
        ([1, 1, 2], [True, True, 2]),
    ],
)
def test_labels_that_are_lengths_by_chance_or_as_text_are_labels(frame_counts, y):
    refuse_own_lengths(np.array(frame_counts), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_own_lengths(np.array(frame_counts), y)


IDS = [0] * 4 + [1] * 5 + [2] * 2
IDS_IN_ANY_FORM = {
    "list": IDS,
    "array": np.array(IDS),
    "column": np.array(IDS)[:, np.newaxis],
    "Series": pd.Series(IDS, index=range(7, 18)),
    "floats": np.array(IDS) / 1.0,
}
NAMES = {
    "in order": [f"run {i}" for i in IDS],
    "in order of their numbers": [f"run {i + 9}" for i in IDS],
    "in any order": [("c", "a", "b")[i] for i in IDS],
}


@pytest.mark.parametrize("ids", IDS_IN_ANY_FORM.values(), ids=IDS_IN_ANY_FORM)
def test_ids_of_the_rows_are_warned_of_with_what_cuts_them(ids):
    cure = "from_concatenated(X, np.unique(y, return_counts=True)[1])"
    with pytest.warns(UserWarning, match=re.escape(cure)):
        warn_of_ids(3, ids)
    names = {"np": np, "X": FRAMES, "y": ids, "from_concatenated": from_concatenated}
    assert [len(x) for x in eval(cure, names)] == LENGTHS


@pytest.mark.parametrize("ids", NAMES.values(), ids=NAMES)
def test_names_of_the_sequences_of_rows_are_warned_of_with_what_cuts_them(ids):
    cure = "from_concatenated(X, [len(list(run)) for _, run in itertools.groupby(y)])"
    with pytest.warns(UserWarning, match=re.escape(cure)):
        warn_of_ids(3, ids)
    names = {"itertools": itertools, "len": len, "list": list}
    names |= {"X": FRAMES, "y": ids, "from_concatenated": from_concatenated}
    assert [len(x) for x in eval(cure, names)] == LENGTHS


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("n_columns", "y"),
    [
        (3, None),
        (3, [0, 0, 0, 0, 1, 1]),
        (3, [0, 0, 1, 1, 2, 2]),
        (3, [0, 1, 1, 2, 2, 2]),
        (3, [0, 0, 2, 2, 2, 1, 1]),
        (3, [0, 0, 1, 1, 1, 2, 2, 0, 0]),
        (3, list("aabbbccaa")),
        (3, [False, False, 1, 1, 1, 2, 2]),
        (3, [["a"], ["a"], ["b", "c"], ["b"]]),
        (1, IDS),
        (50, IDS),
    ],
)
def test_classes_in_order_are_not_ids(n_columns, y):
    warn_of_ids(n_columns, y)


@pytest.mark.filterwarnings("ignore:The reconstruction leaves")
def test_what_reads_rows_as_sequences_warns_of_ids_and_windows_of_one_series_do_not():
    for reader in (
        CTCSequenceClassifier(target="single", units=2, epochs=1),
        LSTMAutoencoder(units=2, epochs=1),
        FrameTransformer(StandardScaler()),
        SequenceNormalizer(),
    ):
        with pytest.warns(UserWarning, match="3 values, one after another, for the 11"):
            reader.fit(FRAMES, IDS)
    SlidingWindows(2).fit(FRAMES, IDS)


@pytest.mark.parametrize(
    "estimator",
    [
        CTCSequenceClassifier(),
        LSTMAutoencoder(),
        FrameTransformer(StandardScaler()),
        SequenceNormalizer(),
        SlidingWindows(2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_no_estimator_takes_concatenated_frames_and_lengths(estimator):
    with pytest.raises(ValueError, match="from_concatenated"):
        estimator.fit(FRAMES, LENGTHS)


@pytest.mark.parametrize("target", ["auto", "single"])
def test_a_classifier_does_not_learn_the_lengths_as_classes(target):
    with pytest.raises(ValueError, match="y holds the lengths of the sequences"):
        CTCSequenceClassifier(target=target).fit(RAGGED, LENGTHS)
