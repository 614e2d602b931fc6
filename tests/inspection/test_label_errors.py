"""Transcripts that a reader which never saw them finds unlikely."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import CTCSequenceClassifier, LSTMAutoencoder, Seq2SeqTranslator
from skseq.inspection import suspicious_labels
from skseq.preprocessing import FrameTransformer
from tests.estimators import CTC, CTC_SINGLE, TRANSLATOR
from tests.toy import as_text, symbol_runs

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}"
)
FOLDS = KFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def mislabelled():
    """Sequences that are easy to read, three of them under another text."""
    X, symbols, _ = symbol_runs(90)
    y = as_text(symbols)
    wrong = [7, 30, 61]
    for i in wrong:
        y[i] = y[i].translate(str.maketrans("abc", "bca"))
    return X, y, wrong


def test_wrong_transcripts_come_first_with_what_was_heard(mislabelled):
    X, y, wrong = mislabelled
    reader = CTCSequenceClassifier(
        units=8, conv_filters=(), epochs=25, learning_rate=2e-2, random_state=0
    )
    found = suspicious_labels(reader, X, y, cv=FOLDS)
    assert sorted(item.index for item in found[:3]) == wrong
    truth = as_text(symbol_runs(90)[1])
    assert [item.heard for item in found[:3]] == [truth[i.index] for i in found[:3]]
    assert [item.label for item in found[:3]] == [y[item.index] for item in found[:3]]
    assert not hasattr(reader, "classes_")  # copies were fitted
    assert sorted(item.index for item in found) == list(range(90))
    scores = [item.score for item in found]
    assert scores == sorted(scores)


@pytest.mark.parametrize("case", [CTC, TRANSLATOR, CTC_SINGLE], ids=str)
def test_the_score_is_the_margin_to_what_the_reader_of_the_other_folds_heard(case):
    X, y = case.X, case.y
    folds = KFold(4)
    found = suspicious_labels(case.tiny(), X, y, cv=folds)
    by_index = {item.index: item for item in found}
    for train, test in folds.split(X):
        part = [X[i] for i in test]
        reader = case.tiny().fit([X[i] for i in train], [y[i] for i in train])
        heard = reader.predict(part)
        expected = reader.score_samples(part, [y[i] for i in test])
        expected -= reader.score_samples(part, heard)
        for i, text, margin in zip(test, heard, expected, strict=True):
            assert by_index[i].heard == text
            assert by_index[i].score == pytest.approx(margin, abs=1e-4)


@pytest.mark.parametrize(
    ("case", "bad"), [(CTC, "aZ"), (CTC_SINGLE, 9)], ids=["sequences", "single"]
)
def test_a_label_that_no_other_sample_has_is_most_suspicious(case, bad):
    y = [*case.y[:5], bad, *case.y[6:]]
    first, second, *_ = suspicious_labels(case.tiny(), case.X, y, cv=KFold(3))
    assert first[:2] == (5, bad)
    assert first.score == -np.inf
    assert second.score > -np.inf


def test_a_pipeline_and_a_search_are_fitted_whole():
    pipeline = make_pipeline(FrameTransformer(StandardScaler()), CTC.tiny())
    grid = {"ctcsequenceclassifier__beam_width": [2]}
    search = GridSearchCV(pipeline, grid, cv=2)
    expected = suspicious_labels(
        clone(pipeline).set_params(ctcsequenceclassifier__beam_width=2), CTC.X, CTC.y, 3
    )
    assert suspicious_labels(search, CTC.X, CTC.y, 3) == expected


@pytest.mark.parametrize(
    "form", [tuple, pd.Series, lambda y: np.array(y, dtype=object)]
)
def test_any_form_of_transcripts_gives_the_same(form):
    expected = suspicious_labels(CTC.tiny(), CTC.X, CTC.y, 2)
    assert suspicious_labels(CTC.tiny(), CTC.X, form(CTC.y), 2) == expected


def test_masks_are_folds_too():
    mask = np.arange(len(CTC.X)) < 6
    expected = suspicious_labels(
        CTC.tiny(), CTC.X, CTC.y, [(mask, ~mask), (~mask, mask)]
    )
    assert suspicious_labels(CTC.tiny(), CTC.X, CTC.y, 2)[0].label == expected[0].label


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (RepeatedKFold(n_splits=2, n_repeats=2), "Sample 0 is in 2 test sets"),
        (ShuffleSplit(2, test_size=1, random_state=0), "is in 0 test sets"),
        (13, "13"),
        (1, "1"),
        ("five", "five"),
    ],
)
def test_folds_that_do_not_divide_the_samples_are_refused(cv, message):
    with pytest.raises(ValueError, match=message):
        suspicious_labels(CTC.tiny(), CTC.X, CTC.y, cv)


@pytest.mark.parametrize(
    "reader",
    [
        LSTMAutoencoder(),
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(LSTMAutoencoder(), {"units": [3]}),
        None,
    ],
)
def test_what_does_not_read_is_refused_before_anything_is_fitted(reader):
    with pytest.raises(TypeError, match="needs an estimator that reads sequences"):
        suspicious_labels(reader, CTC.X, CTC.y)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (CTC.X, CTC.y[:3], "y"),
        (CTC.X, "ab", "y must be a collection"),
        (3, CTC.y, "X must be a collection"),
        (CTC.X, None, "y"),
    ],
)
def test_data_that_cannot_be_used_are_refused(X, y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        suspicious_labels(CTC.tiny(), X, y)


def test_too_few_training_samples_are_the_readers_own_error():
    translator = Seq2SeqTranslator(units=2, epochs=1)
    with pytest.raises(ValueError, match="n_splits=5"):
        suspicious_labels(translator, ["a b"], ["b"])
