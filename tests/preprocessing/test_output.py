"""Steps that return sequences pass through `set_output` and name their features."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skseq.preprocessing import (
    MFCC,
    FrameDifference,
    FrameTransformer,
    LogMel,
    SequenceNormalizer,
    SlidingWindows,
)

pytestmark = pytest.mark.core

STEPS = [
    FrameTransformer(StandardScaler()),
    FrameTransformer(PCA(2)),
    SequenceNormalizer(),
    FrameDifference(),
    SlidingWindows(3),
]


def arrays():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in (5, 9, 4)]


def tables():
    return [pd.DataFrame(x, columns=["flow", "heat"]) for x in arrays()]


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize("library", ["default", "pandas", "polars", None])
def test_a_container_may_be_asked_for_and_sequences_stay_arrays(step, library):
    step = clone(step)
    expected = clone(step).fit(arrays()).transform(arrays())
    assert step.set_output(transform=library) is step
    for found in step.fit(arrays()).transform(arrays()), step.fit_transform(arrays()):
        assert isinstance(found, np.ndarray)
        for x, y in zip(found, expected, strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_global_container_leaves_sequences_arrays(library):
    step = FrameTransformer(StandardScaler())
    with config_context(transform_output=library):
        assert isinstance(step.fit_transform(tables())[0], np.ndarray)


def test_a_subclass_leaves_sequences_arrays_too():
    class Halved(SequenceNormalizer):
        def transform(self, X):
            return super().transform(X)

    with config_context(transform_output="pandas"):
        assert Halved().fit_transform(arrays())[0].shape == (5, 2)


def test_a_container_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="'transform' parameter of set_output"):
        SequenceNormalizer().set_output(transform="arrow")


def test_a_table_at_the_end_of_a_pipeline_has_its_names():
    def last(sequences):
        return np.array([x[-1] for x in sequences])

    def names(_, names_in):
        return np.array(["a", "b"] if names_in is None else names_in)

    ends = FunctionTransformer(last, feature_names_out=names)
    pipeline = make_pipeline(SequenceNormalizer(), FrameDifference(), ends)
    table = pipeline.set_output(transform="pandas").fit_transform(tables())
    assert list(table.columns) == ["a", "b"]
    assert pipeline.get_feature_names_out().tolist() == ["flow", "heat"]


@pytest.mark.parametrize(
    "step",
    [s for s in STEPS if "PCA" not in str(s)],
    ids=str,
)
def test_features_that_stay_keep_their_names(step):
    fitted = clone(step).fit(tables())
    assert fitted.get_feature_names_out().tolist() == ["flow", "heat"]
    fitted = clone(step).fit(arrays())
    assert fitted.get_feature_names_out().tolist() == ["x0", "x1"]
    assert fitted.get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]


def test_one_series_in_a_table_keeps_its_names_in_windows():
    windows = SlidingWindows(3).fit(tables()[0])
    assert windows.get_feature_names_out().tolist() == ["flow", "heat"]


def test_new_features_are_named_by_the_transformer():
    fitted = FrameTransformer(PCA(2)).fit(tables())
    assert fitted.get_feature_names_out().tolist() == ["pca0", "pca1"]


def test_columns_of_a_matrix_keep_their_names():
    matrix = pd.DataFrame(np.eye(3), columns=["mon", "tue", "wed"])
    fitted = FrameTransformer(StandardScaler()).fit(matrix)
    assert fitted.get_feature_names_out().tolist() == ["mon", "tue", "wed"]


@pytest.mark.parametrize(
    "step", [LogMel(n_mels=8, deltas=1), MFCC(n_mels=9, n_mfcc=4)], ids=str
)
def test_audio_has_as_many_names_as_features(step):
    features = step.fit_transform([np.ones(2000)])[0]
    names = step.get_feature_names_out()
    assert len(set(names)) == features.shape[1]
    assert names[0] == f"{type(step).__name__.lower()}0"


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_there_are_no_names_before_fit(step):
    with pytest.raises(NotFittedError):
        clone(step).get_feature_names_out()


@pytest.mark.parametrize(
    ("X", "names", "message"),
    [
        (arrays(), ["a"], "should have length equal to number of features"),
        (tables(), ["a", "b"], "not equal to feature_names_in_"),
    ],
)
def test_names_of_other_features_are_refused(X, names, message):
    with pytest.raises(ValueError, match=message):
        SequenceNormalizer().fit(X).get_feature_names_out(names)


def test_a_transformer_without_names_has_none_to_give():
    assert not hasattr(FrameTransformer(FunctionTransformer()), "get_feature_names_out")


def fading(n, n_features=1):
    """Ends in numbers whose squares are less than any float is."""
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, n_features)) * 0.5 ** np.arange(0, 4 * n, 4)[:, None]


@pytest.mark.parametrize("step", [*STEPS, LogMel(), MFCC()], ids=str)
@pytest.mark.parametrize("factor", [1.0, 1e-200, 1e-300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_vanish_raise_nothing_where_numpy_is_set_to_raise(
    step, factor, dtype
):
    if "PCA" in str(step) and factor < 1:
        pytest.skip("scikit-learn divides by a variance of zero")
    n_features = 1 if isinstance(step, LogMel) else 2
    X = [(fading(n, n_features) * factor).astype(dtype) for n in (400, 300)]
    step = clone(step)
    expected = clone(step).fit(X).transform(X)
    with np.errstate(all="raise"):
        found = step.fit(X).transform(X)
        if hasattr(step, "inverse_transform"):
            step.inverse_transform(found)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, y)
