"""Frame transformers do to ragged sequences what their definition says."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
    scale,
)
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import has_fit_parameter

from skseq.preprocessing import (
    FrameDifference,
    FrameTransformer,
    SequenceNormalizer,
    _frames,
)

TRANSFORMERS = [
    FrameTransformer(StandardScaler()),
    SequenceNormalizer(),
    FrameDifference(),
]


def ragged(lengths=(5, 1, 9, 4), n_features=3, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(3, 2, (n, n_features)).astype(dtype) for n in lengths]


def assert_sequences_equal(found, expected, **tolerance):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


class Recorder(TransformerMixin, BaseEstimator):
    """Notes how many frames each call brings."""

    def fit(self, X, y=None):
        self.sizes_ = [len(X)]
        return self

    def partial_fit(self, X, y=None):
        self.sizes_ = [*getattr(self, "sizes_", []), len(X)]
        return self

    def transform(self, X):
        return X


class Stored:
    """A collection that opens a sequence only when asked for it."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i]


@parametrize_with_checks(TRANSFORMERS)
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
class TestEveryTransformer:
    def test_ragged_result_is_a_1d_object_array_in_order(self, transformer):
        X = ragged()
        result = transformer.fit_transform(X)
        assert result.dtype == object
        assert [x.shape for x in result] == [x.shape for x in X]

    def test_equal_lengths_in_a_list_stay_a_collection(self, transformer):
        result = transformer.fit_transform(ragged((4, 4)))
        assert (result.shape, result.dtype) == ((2,), object)

    def test_3d_array_gives_the_frames_of_the_list_as_3d_array(self, transformer):
        X = np.stack(ragged((4, 4, 4)))
        result = transformer.fit_transform(X)
        assert result.shape == X.shape
        assert_sequences_equal(result, transformer.fit_transform(list(X)))

    def test_matrix_rows_are_univariate_sequences(self, transformer):
        X = np.stack(ragged((4, 4, 4), n_features=1))
        result = transformer.fit_transform(X[:, :, 0])
        np.testing.assert_allclose(result, transformer.fit_transform(X)[:, :, 0])

    def test_float32_stays_float32(self, transformer):
        assert transformer.fit_transform(ragged(dtype=np.float32))[0].dtype == "float32"

    def test_integers_give_the_result_of_their_floats(self, transformer):
        X = [np.array([[3], [1], [7]], dtype=np.uint8), np.array([[2]], dtype=np.uint8)]
        expected = transformer.fit_transform([x.astype(float) for x in X])
        assert_sequences_equal(transformer.fit_transform(X), expected)

    def test_read_only_input_is_left_as_it_was(self, transformer):
        X = ragged()
        before = [x.copy() for x in X]
        for x in X:
            x.flags.writeable = False
        transformer.fit(X).transform(X)
        assert_sequences_equal(X, before, rtol=0)

    def test_sequence_alone_gives_what_it_gives_among_others(self, transformer):
        X = ragged()
        transformer.fit(X)
        for x, expected in zip(X, transformer.transform(X), strict=True):
            np.testing.assert_allclose(transformer.transform([x])[0], expected)

    def test_stored_sequences_give_what_a_list_gives(self, transformer):
        X = ragged()
        expected = transformer.fit_transform(X)
        assert_sequences_equal(transformer.fit_transform(Stored(X)), expected)

    def test_pickle_transforms_alike(self, transformer):
        X = ragged()
        transformer.fit(X)
        copy = pickle.loads(pickle.dumps(transformer))
        assert_sequences_equal(copy.transform(X), transformer.transform(X), rtol=0)

    def test_pandas_output_configuration_leaves_sequences(self, transformer):
        X = ragged()
        expected = transformer.fit_transform(X)
        with config_context(transform_output="pandas"):
            result = transformer.fit_transform(X)
        assert isinstance(result[0], np.ndarray)
        assert_sequences_equal(result, expected)

    def test_other_number_of_features_is_refused(self, transformer):
        transformer.fit(ragged())
        with pytest.raises(ValueError, match="X has 2 features, but"):
            transformer.transform(ragged(n_features=2))

    def test_clone_transforms_alike(self, transformer):
        X = ragged()
        assert_sequences_equal(
            clone(transformer).fit_transform(X), transformer.fit_transform(X)
        )


# FrameTransformer


@pytest.mark.parametrize(
    "inner",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        PCA(2),
        QuantileTransformer(n_quantiles=7),
        MinMaxScaler(),
        make_pipeline(StandardScaler(), PCA(2)),
    ],
    ids=str,
)
def test_frames_are_transformed_as_if_concatenated(inner):
    X = ragged()
    expected = clone(inner).fit_transform(np.concatenate(X))
    result = FrameTransformer(inner).fit_transform(X)
    np.testing.assert_allclose(np.concatenate(list(result)), expected, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 12, 30, 1000])
def test_chunks_give_what_one_piece_gives(monkeypatch, chunk):
    X = ragged()
    expected = StandardScaler().fit_transform(np.concatenate(X))
    monkeypatch.setattr(_frames, "_CHUNK", chunk)
    result = FrameTransformer(StandardScaler()).fit_transform(X)
    np.testing.assert_allclose(np.concatenate(list(result)), expected, atol=1e-12)


def test_large_collection_is_never_brought_together(monkeypatch):
    X = ragged([4] * 50, n_features=2)
    monkeypatch.setattr(_frames, "_CHUNK", 40)
    sizes = FrameTransformer(Recorder()).fit(X).transformer_.sizes_
    assert (sum(sizes), len(sizes), max(sizes)) == (200, 10, 20)


def test_transformer_without_partial_fit_sees_all_frames_at_once(monkeypatch):
    X = ragged()
    monkeypatch.setattr(_frames, "_CHUNK", 1)
    pca = FrameTransformer(PCA(2)).fit(X).transformer_
    np.testing.assert_allclose(pca.mean_, np.concatenate(X).mean(axis=0))


def test_short_last_sequence_does_not_make_a_small_chunk(monkeypatch):
    X = ragged((10, 10, 10, 1))
    monkeypatch.setattr(_frames, "_CHUNK", 30)
    assert FrameTransformer(IncrementalPCA(3)).fit(X).transformer_.n_samples_seen_ == 31


def test_weight_of_a_sequence_counts_each_of_its_frames():
    X = ragged((5, 2, 7))
    weighted = FrameTransformer(StandardScaler()).fit(X, sample_weight=[2, 1, 0])
    repeated = StandardScaler().fit(np.concatenate([X[0], X[0], X[1]]))
    np.testing.assert_allclose(weighted.transformer_.mean_, repeated.mean_)
    np.testing.assert_allclose(weighted.transformer_.scale_, repeated.scale_)


def test_chunk_without_weight_changes_nothing(monkeypatch):
    X = ragged()
    monkeypatch.setattr(_frames, "_CHUNK", 1)
    scaler = FrameTransformer(StandardScaler()).fit(X, sample_weight=[0, 1, 1, 0])
    np.testing.assert_allclose(
        scaler.transformer_.mean_, np.concatenate(X[1:3]).mean(axis=0)
    )


def test_weights_are_routed_through_a_pipeline():
    X, weight = ragged(), [1, 0, 2, 1]
    expected = FrameTransformer(StandardScaler()).fit(X, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        request = FrameTransformer(StandardScaler()).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(request).fit(X, sample_weight=weight)
    np.testing.assert_allclose(
        pipeline[0].transformer_.mean_, expected.transformer_.mean_
    )


def test_weight_that_the_transformer_cannot_take_is_refused():
    with pytest.raises(ValueError, match="PCA does not take sample weights"):
        FrameTransformer(PCA()).fit(ragged(), sample_weight=[1, 1, 1, 1])


@pytest.mark.parametrize(
    ("inner", "takes"),
    [(StandardScaler(), True), (PCA(2), False), (FunctionTransformer(), False)],
    ids=str,
)
def test_weights_are_advertised_only_where_the_transformer_takes_them(inner, takes):
    transformer = FrameTransformer(inner)
    assert has_fit_parameter(transformer, "sample_weight") == takes
    assert has_fit_parameter(clone(transformer), "sample_weight") == takes
    pickled = pickle.loads(pickle.dumps(transformer))
    assert has_fit_parameter(pickled, "sample_weight") == takes
    assert len(transformer.fit(ragged(), None).transform(ragged())) == 4


def test_what_is_advertised_follows_the_transformer():
    transformer = FrameTransformer(PCA(2)).set_params(transformer=StandardScaler())
    assert has_fit_parameter(transformer, "sample_weight")


@pytest.mark.parametrize("weight", [[1, 1], [[1], [1], [1], [1]]])
def test_weights_of_another_shape_are_refused(weight):
    with pytest.raises(ValueError, match=r"1D array|inconsistent"):
        FrameTransformer(StandardScaler()).fit(ragged(), sample_weight=weight)


@pytest.mark.parametrize("inner", [StandardScaler(), PCA(3, whiten=True)], ids=str)
def test_inverse_gives_the_frames_back(inner):
    X = ragged()
    transformer = FrameTransformer(inner).fit(X)
    assert_sequences_equal(transformer.inverse_transform(transformer.transform(X)), X)


def test_inverse_takes_fewer_features_back_to_those_of_the_input():
    X = ragged()
    transformer = FrameTransformer(PCA(1)).fit(X)
    result = transformer.inverse_transform(transformer.transform(X))
    assert [x.shape for x in result] == [x.shape for x in X]
    assert transformer.n_features_in_ == 3


def test_inverse_exists_only_if_the_transformer_has_one():
    assert hasattr(FrameTransformer(StandardScaler()), "inverse_transform")
    assert not hasattr(FrameTransformer(Normalizer()), "inverse_transform")


def test_more_features_than_one_turn_a_matrix_into_sequences():
    X = np.arange(6.0).reshape(2, 3)
    result = FrameTransformer(PolynomialFeatures(2)).fit_transform(X)
    np.testing.assert_array_equal(result[1], [[1, 3, 9], [1, 4, 16], [1, 5, 25]])


def test_sparse_frames_come_out_dense():
    X = [np.array([[0], [1]]), np.array([[2]])]
    result = FrameTransformer(OneHotEncoder()).fit_transform(X)
    np.testing.assert_array_equal(result[0], [[1, 0, 0], [0, 1, 0]])


def test_transformer_that_loses_frames_is_refused():
    mean = FunctionTransformer(lambda frames: frames.mean(axis=0, keepdims=True))
    with pytest.raises(ValueError, match=r"one row .* shape \(19, 3\) into \(1, 3\)"):
        FrameTransformer(mean).fit_transform(ragged())


def test_inner_parameters_are_reached_and_searched():
    X = ragged([3] * 6 + [6] * 6)
    y = [0, 1] * 6
    pipeline = make_pipeline(
        FrameTransformer(StandardScaler()),
        FunctionTransformer(lambda X: np.stack([x.mean(axis=0) for x in X])),
        LogisticRegression(),
    )
    grid = {"frametransformer__transformer__with_std": [True, False]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    chosen = search.best_estimator_[0]
    assert chosen.transformer_.with_std is chosen.transformer.with_std


@pytest.mark.parametrize("library", [pd, pl])
def test_columns_are_chosen_by_name(library):
    arrays = ragged()
    columns = [dict(zip("abc", x.T, strict=True)) for x in arrays]
    tables = list(map(library.DataFrame, columns))
    chosen = ColumnTransformer([("scaled", StandardScaler(), ["c", "a"])])
    model = FrameTransformer(chosen).fit(tables)
    assert model.get_feature_names_out().tolist() == ["scaled__c", "scaled__a"]
    frames = np.concatenate(arrays)[:, [2, 0]]
    expected = StandardScaler().fit_transform(frames)
    np.testing.assert_allclose(np.concatenate(model.transform(tables)), expected)


@pytest.mark.parametrize(
    "inner",
    [
        SelectKBest(k=1),
        LinearDiscriminantAnalysis(),
        make_pipeline(StandardScaler(), TargetEncoder()),
    ],
)
def test_a_transformer_that_needs_targets_is_refused(inner):
    X = ragged()
    with pytest.raises(ValueError, match=r"learns from one target per frame.*Frozen"):
        FrameTransformer(inner).fit(X, np.arange(len(X)) % 2)


def test_a_transformer_that_was_fitted_on_targets_serves():
    X = ragged()
    frames = np.concatenate(X)
    lda = LinearDiscriminantAnalysis().fit(frames, frames[:, 1] > 0)
    model = FrameTransformer(FrozenEstimator(lda)).fit(X)
    np.testing.assert_allclose(
        np.concatenate(model.transform(X)), lda.transform(frames)
    )


def test_given_transformer_is_left_unfitted():
    inner = StandardScaler()
    FrameTransformer(inner).fit(ragged())
    assert not hasattr(inner, "mean_")


def test_not_fitted_comes_before_any_other_complaint():
    with pytest.raises(NotFittedError):
        FrameTransformer(StandardScaler()).transform("nonsense")


@pytest.mark.parametrize("inner", [None, 3, StandardScaler, LogisticRegression()])
def test_what_cannot_transform_is_named(inner):
    with pytest.raises(ValueError, match="'transformer' parameter of FrameTransformer"):
        FrameTransformer(inner).fit(ragged())


# SequenceNormalizer


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_each_sequence_is_scaled_as_scikit_learn_scales_it(with_mean, with_std):
    X = ragged()
    normalizer = SequenceNormalizer(with_mean=with_mean, with_std=with_std)
    expected = [scale(x, with_mean=with_mean, with_std=with_std) for x in X]
    assert_sequences_equal(normalizer.transform(X), expected, atol=1e-12)


def test_gain_and_offset_of_a_recording_vanish():
    X = ragged((6, 8))
    louder = [x * [2.0, 3.0, 0.1] + [5.0, -1.0, 0.0] for x in X]
    transform = SequenceNormalizer().transform
    assert_sequences_equal(transform(louder), transform(X), atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 1e-30])
@pytest.mark.parametrize("n_frames", [1, 3, 1000])
def test_constant_feature_becomes_zero(value, n_frames):
    X = [np.full((n_frames, 1), value)]
    result = SequenceNormalizer().transform(X)[0]
    np.testing.assert_allclose(result, 0, atol=1e-12 * max(1, abs(value)))


@pytest.mark.parametrize("name", ["with_mean", "with_std"])
def test_a_switch_that_is_not_a_bool_is_named(name):
    message = f"The '{name}' parameter of SequenceNormalizer must be a bool. Got 'no' "
    with pytest.raises(ValueError, match=message):
        SequenceNormalizer(**{name: "no"}).fit(ragged())


# FrameDifference


@pytest.mark.parametrize("order", [1, 2, 3])
def test_differences_are_those_of_numpy(order):
    X = ragged((5, 9))
    expected = [np.diff(x, n=order, axis=0) for x in X]
    short = FrameDifference(order=order, keep_first=False).transform(X)
    full = FrameDifference(order=order).transform(X)
    assert_sequences_equal(short, expected)
    assert_sequences_equal([x[order:] for x in full], expected)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_whole_numbers_come_back_bit_for_bit(order, dtype):
    X = [np.rint(100 * x) for x in ragged(dtype=dtype)]
    difference = FrameDifference(order=order)
    result = difference.inverse_transform(difference.transform(X))
    assert_sequences_equal(result, X, rtol=0)


@pytest.mark.parametrize("order", [1, 2])
def test_first_frames_bring_the_rest_back(order):
    X = ragged((5, 9))
    difference = FrameDifference(order=order, keep_first=False)
    first = [x[:order] for x in X]
    assert_sequences_equal(
        difference.inverse_transform(difference.transform(X), first), X
    )


def test_matrix_comes_back_as_a_matrix():
    X = np.arange(12.0).reshape(3, 4) ** 2
    difference = FrameDifference()
    np.testing.assert_array_equal(
        difference.inverse_transform(difference.transform(X)), X
    )


def test_sequence_too_short_for_a_difference_is_named():
    with pytest.raises(ValueError, match=r"X\[1\] has 1 frame, too few"):
        FrameDifference(keep_first=False).transform(ragged())


@pytest.mark.parametrize(
    ("keep_first", "first", "message"),
    [
        (True, ragged((1, 1)), "first must not be given when keep_first=True"),
        (False, None, "first must hold the first frames when keep_first=False"),
        (False, ragged((1,)), "inconsistent numbers of samples"),
        (False, ragged((1, 2)), r"first\[1\] must .* \(1, 3\), .* Got \(2, 3\)"),
        (
            False,
            ragged((1, 1), n_features=2),
            r"first\[0\] must .* Got \(1, 2\) instead",
        ),
    ],
)
def test_first_frames_that_do_not_fit_are_named(keep_first, first, message):
    with pytest.raises(ValueError, match=message):
        FrameDifference(keep_first=keep_first).inverse_transform(ragged((5, 9)), first)


@pytest.mark.parametrize("order", [0, -1, 1.5, True, "1", None, np.nan])
def test_an_order_that_is_not_a_count_is_named(order):
    message = (
        r"The 'order' parameter of FrameDifference must be an int in the range \[1"
    )
    with pytest.raises(ValueError, match=message):
        FrameDifference(order=order).fit(ragged())
