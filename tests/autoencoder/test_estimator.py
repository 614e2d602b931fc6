"""What is the autoencoder's own: codes, reconstructions, scores, thresholds."""

import copy
import pickle
import warnings
from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import erf
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import fbeta_score, roc_auc_score
from sklearn.model_selection import GridSearchCV

import skseq
from skseq import LSTMAutoencoder
from skseq._data.collections import object_array
from skseq._engine.saving import WEIGHTS
from skseq._files.archive import read_archive, write_archive
from skseq._files.plain import pack, unpack
from skseq.exceptions import TrainingDivergedError
from tests.estimators import AUTOENCODER
from tests.toy import roughened

# Networks as small as these learn next to nothing, and say so.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def waves(n_samples=12, *, noise=0.0, seed=0):
    """Two features of one wave: units and levels of their own, any phase and length."""
    rng = np.random.default_rng(seed)
    X = []
    for n_frames in rng.integers(3, 10, size=n_samples):
        phases = 0.7 * np.arange(n_frames) + rng.uniform(0, 6)
        frames = np.stack([np.sin(phases), 50 + 20 * np.cos(phases)], axis=1)
        X.append(frames + noise * rng.normal(size=frames.shape) * [1, 20])
    return X


X = waves()
LENGTHS = [len(x) for x in X]

make = partial(AUTOENCODER.make, epochs=1)


SETTINGS = {
    "default": {},
    "deep gru": {"cell": "gru", "units": (3, 2), "latent_dim": 5, "loss": "mae"},
    "repeat": {"decoder_input": "code", "reverse": False, "bidirectional": False},
    "changes": {"difference": True, "anomaly_score": "mae", "step_weight": "sqrt"},
    "raw": {"standardize": False, "difference": True, "decoder_input": "code"},
    "mahalanobis": {"anomaly_score": "mahalanobis", "validation_fraction": 0.3},
}


def kinds(names):
    """Settings by name; two of them are quick enough for every run."""
    slow = {*SETTINGS} - {"default", "mahalanobis"}
    return [pytest.param(n, marks=[pytest.mark.slow] * (n in slow)) for n in names]


@pytest.fixture(scope="module", params=kinds(SETTINGS))
def rough(request):
    """An estimator of each kind, whose weights are random, biases too."""
    return roughened(make(**SETTINGS[request.param]).fit(X))


@pytest.fixture(scope="module")
def fitted():
    return make(epochs=3).fit(X)


@pytest.fixture
def changeable(fitted):
    return copy.deepcopy(fitted)


def assert_same_sequences(found, expected, **tolerance):
    assert found.dtype == object
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, **tolerance)


# -- codes and reconstructions --------------------------------------------------------


def test_a_sequence_has_one_code(rough):
    codes = rough.transform(X)
    latent_dim = rough.latent_dim or rough.units
    assert codes.shape == (12, latent_dim)
    assert codes.dtype == np.float64
    assert (np.ptp(codes, axis=0) > 0).all()


def test_unfolding_the_codes_is_the_reconstruction(rough):
    reconstruction = rough.reconstruct(X)
    assert [x.shape for x in reconstruction] == [x.shape for x in X]
    unfolded = rough.inverse_transform(rough.transform(X), LENGTHS)
    assert_same_sequences(unfolded, reconstruction, rtol=1e-5, atol=1e-5)


def test_one_length_serves_for_all_codes(rough):
    codes = rough.transform(X)
    expected = rough.inverse_transform(codes, [5] * 12)
    assert_same_sequences(rough.inverse_transform(codes, 5), expected)
    assert {x.shape for x in expected} == {(5, 2)}


def test_step_errors_are_how_far_the_reconstruction_is_off(rough):
    expected = [abs(x - r) for x, r in zip(X, rough.reconstruct(X), strict=True)]
    assert_same_sequences(object_array(expected), rough.step_errors(X), rtol=1e-9)


def test_mean_and_scale_are_those_of_the_frames_unless_they_are_not_wanted(rough):
    frames = np.concatenate(X)
    mean, scale = frames.mean(axis=0), frames.std(axis=0)
    if not rough.standardize:
        mean, scale = np.zeros(2), np.ones(2)
    np.testing.assert_allclose(rough.mean_, mean)
    np.testing.assert_allclose(rough.scale_, scale)


# -- scores and thresholds ------------------------------------------------------------


def standardized_errors(estimator, X):
    return [
        (x - r) / estimator.scale_
        for x, r in zip(X, estimator.reconstruct(X), strict=True)
    ]


MEASURES = {"mse": np.square, "mae": np.abs}


@pytest.mark.parametrize(
    "rough", kinds(sorted({*SETTINGS} - {"mahalanobis"})), indirect=True
)
def test_a_score_is_minus_the_mean_error_of_the_standardized_frames(rough):
    measure = MEASURES[rough.anomaly_score]
    expected = [-measure(error).mean() for error in standardized_errors(rough, X)]
    np.testing.assert_allclose(rough.score_samples(X), expected, rtol=1e-6)


def test_a_mahalanobis_score_is_by_the_errors_of_held_out_sequences():
    held_out = waves(9, noise=0.3, seed=1)
    coder = make(anomaly_score="mahalanobis").fit(X, X_val=held_out)
    errors = np.concatenate(standardized_errors(coder, held_out))
    inverse = np.linalg.inv(np.cov(errors.T, bias=True))
    expected = []
    for error in standardized_errors(coder, X):
        centred = error - errors.mean(axis=0)
        expected.append(-np.mean([e @ inverse @ e for e in centred]))
    np.testing.assert_allclose(coder.score_samples(X), expected, rtol=1e-4)


def test_without_held_out_sequences_some_are_set_aside():
    coder = make(anomaly_score="mahalanobis", validation_fraction=0.3).fit(X)
    assert len(coder.history_["val_loss"]) == 1
    scores = coder.score_samples(X)
    assert coder.offset_ == pytest.approx(np.quantile(scores, 0.01), rel=1e-4)


def test_a_mahalanobis_score_must_be_fitted_for(changeable):
    changeable.set_params(anomaly_score="mahalanobis")
    with pytest.raises(ValueError, match=r"held-out sequences.*Fit again"):
        changeable.score_samples(X)
    assert len(changeable.transform(X)) == 12


def test_another_mean_error_may_be_asked_for_after_the_fit(changeable):
    errors = standardized_errors(changeable, X)
    scores = changeable.set_params(anomaly_score="mae").score_samples(X)
    np.testing.assert_allclose(scores, [-np.abs(e).mean() for e in errors], rtol=1e-6)


@pytest.mark.parametrize("method", ["decision_function", "predict", "predict_proba"])
def test_a_threshold_judges_no_scores_of_another_measure(changeable, method):
    judged = getattr(changeable, method)(X)
    changeable.set_params(anomaly_score="mae")
    message = "'mae' was set after fit, which settled the threshold for 'mse'"
    with pytest.raises(ValueError, match=message):
        getattr(changeable, method)(X)
    with pytest.raises(ValueError, match=message):
        changeable.fit_threshold(X, [-1, *[1] * (len(X) - 1)])
    changeable.set_params(anomaly_score="mse")
    np.testing.assert_array_equal(getattr(changeable, method)(X), judged)


def test_decisions_are_scores_about_the_offset(rough):
    scores, decisions = rough.score_samples(X), rough.decision_function(X)
    np.testing.assert_array_equal(decisions, scores - rough.offset_)
    np.testing.assert_array_equal(rough.predict(X), np.where(decisions < 0, -1, 1))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(("contamination", "n_outliers"), [(0.1, 3), (0.5, 15)])
def test_the_threshold_leaves_out_the_share_that_it_is_told_to(
    early_stopping, contamination, n_outliers
):
    many = waves(30)
    coder = make(contamination=contamination, early_stopping=early_stopping).fit(many)
    labels = coder.predict(many)
    assert np.sum(labels == -1) == n_outliers
    scores = coder.score_samples(many)
    assert scores[labels == -1].max() < coder.offset_ < scores[labels == 1].min()


def test_by_default_one_normal_sequence_in_a_hundred_is_flagged():
    many = waves(300)
    coder = make().fit(many)
    expected = np.quantile(coder.score_samples(many), 0.01)
    assert coder.offset_ == pytest.approx(expected, rel=1e-4)
    assert np.sum(coder.predict(many) == -1) == 3


@pytest.mark.parametrize(
    ("given", "quantile", "factor"),
    [
        ({}, 0.99, 1.0),
        ({"quantile": 0.9}, 0.9, 1.0),
        ({"factor": 1.5}, 0.99, 1.5),
        ({"quantile": 1.0, "factor": 0.5}, 1.0, 0.5),
    ],
)
def test_normal_sequences_set_the_threshold_by_a_quantile(
    changeable, given, quantile, factor
):
    some = waves(40, seed=9)
    assert changeable.fit_threshold(some, **given) is changeable
    anomaly_scores = -changeable.score_samples(some)
    expected = factor * np.quantile(anomaly_scores, quantile)
    assert -changeable.offset_ == pytest.approx(expected, rel=1e-4)
    if quantile == factor == 1:
        assert (changeable.predict(some) == 1).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quantile": 1.5}, "'quantile' parameter .* in the range"),
        ({"quantile": 0}, "'quantile' parameter .* in the range"),
        ({"factor": -1}, "'factor' parameter .* in the range"),
        ({"beta": 2}, "beta=2 needs y"),
        ({"y": [1, -1] * 6, "quantile": 0.9}, "Leave them out, or y"),
        ({"y": [1, -1] * 6, "factor": 1.5}, "Leave them out, or y"),
    ],
)
def test_a_threshold_is_set_in_one_way(changeable, given, message):
    offset = changeable.offset_
    with pytest.raises(ValueError, match=message):
        changeable.fit_threshold(X, **given)
    assert changeable.offset_ == offset


def test_the_threshold_is_that_of_the_training_data_alone():
    coder = make().fit(X, X_val=waves(5, noise=9.0))
    assert coder.offset_ == make().fit(X).offset_
    weights = np.arange(12) % 3
    some = make().fit([X[i] for i in np.flatnonzero(weights)])
    coder = make().fit(
        [x if w else 9 * x for x, w in zip(X, weights, strict=True)],
        sample_weight=weights > 0,
    )
    assert coder.offset_ == some.offset_
    np.testing.assert_array_equal(coder.mean_, some.mean_)


def test_probabilities_rise_as_the_scores_fall(rough):
    strange = [*X, *waves(5, noise=1.0), 3 * X[0]]
    proba = rough.predict_proba(strange)
    assert rough.classes_.tolist() == [-1, 1]
    assert proba.shape == (18, 2)
    assert ((proba >= 0) & (proba <= 1)).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    order = np.argsort(-rough.score_samples(strange))
    assert (np.diff(proba[order, 0]) >= 0).all()


def test_probabilities_are_the_gaussian_scaling_of_the_scores(fitted):
    usual = -fitted.score_samples(X)
    scores = -fitted.score_samples(waves(8, noise=0.5, seed=7))
    expected = erf((scores - usual.mean()) / (usual.std() * np.sqrt(2)))
    anomaly = fitted.predict_proba(waves(8, noise=0.5, seed=7))[:, 0]
    np.testing.assert_allclose(anomaly, np.maximum(0, expected), rtol=1e-9)
    assert np.median(anomaly) > 0


def test_fit_predict_is_fit_and_predict():
    coder = make(contamination=0.2)
    labels = coder.fit_predict(X)
    np.testing.assert_array_equal(labels, coder.predict(X))
    assert sorted(set(labels)) == [-1, 1]


@pytest.mark.parametrize("beta", [0.5, 1, 2.0])
def test_a_fitted_threshold_has_the_best_f_measure(changeable, beta):
    strange = waves(20, noise=0.4, seed=2)
    some, y = [*X, *strange], np.repeat([1, -1], [12, 20])
    scores = changeable.score_samples(some)
    assert changeable.fit_threshold(some, y, beta=beta) is changeable
    found = fbeta_score(y, changeable.predict(some), beta=beta, pos_label=-1)
    best = max(
        fbeta_score(y, np.where(scores < t, -1, 1), beta=beta, pos_label=-1)
        for t in [*scores, np.inf]
    )
    assert found == pytest.approx(best)
    np.testing.assert_array_equal(changeable.score_samples(some), scores)
    offset = changeable.offset_
    assert changeable.fit_threshold(some, y == -1, beta=beta).offset_ == offset


def test_noise_is_an_anomaly_to_who_has_learnt_waves():
    coder = make(units=16, epochs=60, learning_rate=0.02, batch_size=16)
    coder.fit(waves(60, seed=3))
    usual, strange = waves(30, seed=4), waves(30, noise=1.0, seed=5)
    scores = coder.score_samples([*usual, *strange])
    assert roc_auc_score(np.repeat([1, 0], 30), scores) > 0.95
    proba = coder.predict_proba([*usual, *strange])[:, 0]
    assert proba[30:].mean() > 0.8 > 0.4 > proba[:30].mean()


# -- learning -------------------------------------------------------------------------

FIVE_VARIABLES = np.array(
    [
        [0.5122, 0.0360, 0.7027, 0.0721, 0.1892],
        [0.5177, 0.0833, 0.6574, 0.1204, 0.1389],
        [0.4643, 0.0364, 0.6242, 0.1576, 0.1818],
        [0.4375, 0.0133, 0.5733, 0.1867, 0.2267],
        [0.4838, 0.0625, 0.6042, 0.1771, 0.1562],
        [0.4804, 0.0175, 0.6798, 0.1053, 0.1974],
        [0.5030, 0.0445, 0.6712, 0.1438, 0.1404],
        [0.4987, 0.0490, 0.6699, 0.1536, 0.1275],
        [0.4898, 0.0388, 0.6704, 0.1330, 0.1579],
        [0.4711, 0.0390, 0.5877, 0.1532, 0.2201],
        [0.4627, 0.0484, 0.5269, 0.1882, 0.2366],
        [0.5043, 0.0807, 0.6646, 0.1429, 0.1118],
        [0.4852, 0.0606, 0.6364, 0.1515, 0.1515],
        [0.5279, 0.0629, 0.6886, 0.1514, 0.0971],
    ]
)


@pytest.mark.slow
def test_it_learns_more_of_a_sequence_than_its_mean():
    coder = LSTMAutoencoder(units=100, epochs=300, learning_rate=5e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coder.fit([FIVE_VARIABLES])
    assert coder.score([FIVE_VARIABLES]) > -1e-4  # of a variance of 1
    (reconstruction,) = coder.reconstruct([FIVE_VARIABLES])
    assert np.square(reconstruction - FIVE_VARIABLES).mean() < 1e-6


WAYS_TO_FIT = {
    "fit": lambda coder: coder.fit([FIVE_VARIABLES]),
    "fit_predict": lambda coder: coder.fit_predict([FIVE_VARIABLES]),
    "fit_transform": lambda coder: coder.fit_transform([FIVE_VARIABLES]),
}


@pytest.mark.parametrize("way", WAYS_TO_FIT)
def test_who_learns_the_mean_is_told_where_and_what_to_try(way):
    coder = LSTMAutoencoder(units=5, random_state=0)
    advice = r"leaves \d+% of the variance.*more epochs, more units, difference=True"
    with pytest.warns(ConvergenceWarning, match=advice) as caught:
        WAYS_TO_FIT[way](coder)
    (warning,) = caught
    assert warning.filename == __file__
    assert warning.lineno == WAYS_TO_FIT[way].__code__.co_firstlineno


def test_an_epoch_of_partial_fit_is_not_judged():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LSTMAutoencoder(units=5, random_state=0).partial_fit([FIVE_VARIABLES])


def test_the_loss_is_the_weighted_mean_of_the_errors():
    weights = np.linspace(0.5, 3, 12)
    coder = make(learning_rate=1e-30, shuffle=False)
    coder.fit(X, sample_weight=weights, X_val=X[:5])
    assert coder.history_["loss"][0] == pytest.approx(
        -coder.score(X, sample_weight=weights), rel=1e-5
    )
    assert coder.history_["val_loss"][0] == pytest.approx(-coder.score(X[:5]), rel=1e-5)


@pytest.mark.parametrize(
    ("step_weight", "formula"),
    [("sqrt", lambda t: np.sqrt(t + 1)), (lambda t: t + 3, lambda t: t + 3)],
    ids=["sqrt", "callable"],
)
def test_the_steps_of_the_loss_are_weighted(step_weight, formula):
    coder = make(learning_rate=1e-30, step_weight=step_weight, loss="mae").fit(X)
    expected = [
        np.average(np.abs(error).mean(axis=1), weights=formula(np.arange(len(error))))
        for error in standardized_errors(coder, X)
    ]
    assert coder.history_["loss"][0] == pytest.approx(np.mean(expected), rel=1e-5)


def test_it_stops_early_at_its_best():
    coder = make(
        epochs=40, early_stopping=True, n_iter_no_change=2, learning_rate=0.3
    ).fit(X, X_val=waves(12, noise=1.0, seed=6))
    losses = coder.history_["val_loss"]
    best = int(np.argmin(losses)) + 1
    assert coder.n_iter_ == best + 2 < 40
    again = make(epochs=best, learning_rate=0.3).fit(X)
    np.testing.assert_array_equal(coder.transform(X), again.transform(X))
    assert coder.offset_ == again.offset_


def test_partial_fits_add_up_to_a_fit_and_settle_the_threshold(fitted):
    coder = make()
    for _ in range(3):
        coder.partial_fit(X)
    np.testing.assert_array_equal(coder.transform(X), fitted.transform(X))
    assert coder.offset_ == fitted.offset_
    assert coder.history_ == fitted.history_


def test_continued_training_keeps_the_scaling(changeable):
    mean = changeable.mean_
    larger = [3 * x for x in X]
    changeable.partial_fit(larger)
    np.testing.assert_array_equal(changeable.mean_, mean)
    changeable.set_params(warm_start=True).fit(larger)
    np.testing.assert_array_equal(changeable.mean_, mean)
    changeable.set_params(warm_start=False).fit(larger)
    np.testing.assert_allclose(changeable.mean_, 3 * mean)


class InterruptIn(keras.callbacks.Callback):
    """Presses Ctrl-C in an epoch, counted from 1."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch + 1 == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("anomaly_score", ["mse", "mahalanobis"])
def test_an_interrupted_fit_can_tell_anomalies(anomaly_score):
    score = {"anomaly_score": anomaly_score, "validation_fraction": 0.25}
    coder = make(epochs=9, callbacks=[InterruptIn(3)], **score)
    with pytest.raises(KeyboardInterrupt):
        coder.fit(X)
    assert coder.n_iter_ == 2
    shorter = make(epochs=2, **score).fit(X)
    np.testing.assert_array_equal(coder.predict_proba(X), shorter.predict_proba(X))
    assert coder.offset_ == shorter.offset_


def test_the_size_of_a_code_can_be_searched_for():
    search = GridSearchCV(make(), {"latent_dim": [4, 3]}, cv=2).fit(X)
    assert search.best_params_["latent_dim"] in (4, 3)
    assert (search.cv_results_["mean_test_score"] < 0).all()
    assert search.transform(X).shape == (12, search.best_params_["latent_dim"])


# -- sequences that hold next to nothing ----------------------------------------------

MONOTONOUS = {
    "identical": [X[0]] * 11,
    "constant": [np.full((5, 2), 0.1)] * 11,
    "single frames": [x[:1] for x in X],
    "one frame": [np.array([[3.0, -1.0]])],
    "one constant feature": [x * [1, 0] + [0, 1e6 / 3] for x in X],
}


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("some", MONOTONOUS)
def test_monotonous_sequences_do_not_fail(some, difference):
    some = MONOTONOUS[some]
    coder = make(difference=difference, epochs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        coder.fit(some)
        assert np.isfinite(coder.offset_)
        assert np.isfinite(coder.transform(some)).all()
        assert np.isfinite(np.concatenate(coder.reconstruct(some))).all()
        assert np.sum(coder.predict(some) == -1) <= 1
        assert np.isfinite(coder.predict_proba([100 * x for x in some])).all()


@pytest.mark.parametrize("anomaly_score", ["mse", "mae", "mahalanobis"])
@pytest.mark.parametrize("contamination", ["auto", 0.1, 0.5])
def test_of_equals_none_is_an_anomaly(anomaly_score, contamination):
    coder = make(
        anomaly_score=anomaly_score,
        contamination=contamination,
        validation_fraction=0.3,
    )
    coder.fit([X[0]] * 21)
    for n in (21, 1, 6):
        assert (coder.decision_function([X[0]] * n) >= 0).all()
    np.testing.assert_allclose(coder.predict_proba([X[0]] * 3)[:, 0], 0, atol=0.01)


# -- forms of data --------------------------------------------------------------------


def padded(X):
    array = np.full((len(X), max(map(len, X)), X[0].shape[1]), np.nan)
    for row, x in zip(array, X, strict=True):
        row[: len(x)] = x
    return array


FORMS = {
    "tuple": tuple,
    "object array": object_array,
    "NaN-padded array": padded,
    "nested lists": lambda X: [x.tolist() for x in X],
    "DataFrames": lambda X: [pd.DataFrame(x) for x in X],
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_the_sequences_does_not_matter(fitted, form):
    some = FORMS[form](X)
    coder = make(epochs=3).fit(some)
    np.testing.assert_array_equal(coder.transform(some), fitted.transform(X))
    assert_same_sequences(coder.reconstruct(some), fitted.reconstruct(X))
    assert coder.offset_ == fitted.offset_


def test_a_memmap_is_read_and_never_written(fitted, tmp_path):
    np.save(tmp_path / "X.npy", padded(X))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    coder = make(epochs=3).fit(mapped)
    assert coder.offset_ == fitted.offset_
    np.testing.assert_array_equal(coder.predict_proba(mapped), fitted.predict_proba(X))


def test_rows_of_a_matrix_are_sequences_of_one_feature():
    matrix = np.array([x[:3, 0] for x in X])
    coder = make().fit(matrix)
    as_list = make().fit([row[:, np.newaxis] for row in matrix])
    assert coder.n_features_in_ == 3
    codes = coder.transform(matrix)
    np.testing.assert_array_equal(codes, as_list.transform(matrix[..., np.newaxis]))
    reconstruction = coder.reconstruct(matrix)
    assert reconstruction.shape == matrix.shape
    np.testing.assert_allclose(coder.inverse_transform(codes), reconstruction)
    assert [x.shape for x in coder.step_errors(matrix)] == [(3, 1)] * 12
    other_lengths = coder.inverse_transform(codes, np.arange(1, 13))
    assert [x.shape for x in other_lengths] == [(n, 1) for n in range(1, 13)]
    assert coder.inverse_transform(codes, 7).shape == (12, 7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_codes_are_of_the_precision_of_the_data(fitted, dtype):
    array = np.array([x[:3] for x in X], dtype=dtype)
    codes = fitted.transform(array)
    assert codes.dtype == dtype
    assert make().fit(array[..., 0]).transform(array[..., 0]).dtype == dtype
    np.testing.assert_allclose(codes, fitted.transform(list(array)), rtol=1e-6)
    assert fitted.score_samples(array).dtype == np.float64


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_codes_come_as_the_data_frame_that_was_asked_for(fitted, library):
    module = pytest.importorskip(library)
    coder = copy.deepcopy(fitted).set_output(transform=library)
    codes = coder.transform(X)
    assert isinstance(codes, module.DataFrame)
    assert list(codes.columns) == list(coder.get_feature_names_out())
    np.testing.assert_array_equal(codes.to_numpy(), fitted.transform(X))
    unfolded = fitted.inverse_transform(codes, LENGTHS)
    assert_same_sequences(unfolded, fitted.reconstruct(X), rtol=1e-5)
    fresh = make().set_output(transform=library)
    assert isinstance(fresh.fit_transform(X), module.DataFrame)


def test_codes_have_names():
    names = [f"lstmautoencoder{i}" for i in range(3)]
    assert make(latent_dim=3).fit(X).get_feature_names_out().tolist() == names
    with pytest.raises(NotFittedError):
        make().get_feature_names_out()


# -- a sequence and its company -------------------------------------------------------


def answers(coder, X):
    return {
        "transform": coder.transform(X),
        "reconstruct": coder.reconstruct(X),
        "step_errors": coder.step_errors(X),
        "score_samples": coder.score_samples(X),
        "predict_proba": coder.predict_proba(X),
    }


def test_a_sequence_means_the_same_alone_and_in_any_order(rough):
    together = answers(rough, X)
    rows = np.random.default_rng(0).permutation(12)
    shuffled = answers(rough, [X[i] for i in rows])
    for name, expected in together.items():
        for place, row in enumerate(rows):
            np.testing.assert_allclose(
                shuffled[name][place], expected[row], rtol=1e-5, atol=1e-5
            )
    for row in (0, 7):
        for name, alone in answers(rough, [X[row]]).items():
            np.testing.assert_allclose(
                alone[0], together[name][row], rtol=1e-5, atol=1e-5
            )


def test_a_long_neighbour_changes_nothing(rough):
    expected = answers(rough, X[:3])
    beside = answers(rough, [*X[:3], np.tile(X[3], (40, 1))])
    for name, values in expected.items():
        for a, b in zip(beside[name], values, strict=False):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


# -- keeping --------------------------------------------------------------------------


def assert_same_answers(coder, other):
    found = answers(other, X)
    for name, expected in answers(coder, X).items():
        for a, b in zip(found[name], expected, strict=True):
            np.testing.assert_array_equal(a, b)
    assert other.offset_ == coder.offset_
    np.testing.assert_array_equal(
        other.inverse_transform(other.transform(X), 4)[0],
        coder.inverse_transform(coder.transform(X), 4)[0],
    )


def test_a_saved_estimator_comes_back_the_same(rough, tmp_path):
    rough.save(tmp_path / "coder")
    loaded = skseq.load(tmp_path / "coder")
    assert loaded.get_params() == rough.get_params()
    assert_same_answers(rough, loaded)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "coder").read_bytes()


def test_a_pickled_estimator_comes_back_the_same(rough):
    assert_same_answers(rough, pickle.loads(pickle.dumps(rough)))


def test_a_loaded_estimator_trains_on(fitted, tmp_path):
    fitted.save(tmp_path / "coder")
    loaded = skseq.load(tmp_path / "coder").partial_fit(X)
    assert loaded.n_iter_ == 4
    assert loaded.offset_ != fitted.offset_


def test_what_only_a_refit_can_serve_still_loads(changeable, tmp_path):
    changeable.set_params(anomaly_score="mahalanobis", latent_dim=9, difference=True)
    changeable.save(tmp_path / "coder")
    codes = skseq.load(tmp_path / "coder").transform(X)
    np.testing.assert_array_equal(codes, changeable.transform(X))


def floats(*values):
    return np.array(values, "float64")


def setting(name, value):
    return {"_settings": {name: value}}


DAMAGE = {
    "no mean": ({"mean_": None}, "mean_"),
    "one mean more": ({"mean_": floats(1.0, 2.0, 3.0)}, "mean_ must hold 2 value"),
    "mean of text": ({"mean_": np.array(["a", "b"])}, "mean_"),
    "mean of flags": ({"mean_": np.array([True, False])}, "mean_"),
    "scale of nothing": (
        {"scale_": floats(1.0, 0.0)},
        "scale_ must be a 1-D array of positive",
    ),
    "list for a scale": ({"scale_": [1.0, 2.0]}, "scale_ must be a 1-D array"),
    "no scale of changes": ({"_change_scale": None}, "scale of changes"),
    "negative scale": (
        {"_change_scale": floats(1.0, -1.0)},
        "must be a 1-D array of pos",
    ),
    "short scale": ({"_change_scale": floats(1.0)}, "_change_scale must hold 2"),
    "one error": ({"_error_mean": floats(1.0)}, "_error_mean must hold 2"),
    "no precision": ({"_error_precision": None}, "errors is incomplete"),
    "flat precision": ({"_error_precision": floats(1.0, 1.0)}, "_error_precision"),
    "no number": ({"_score_mean": "os.system"}, "_score_mean"),
    "no deviation": ({"_score_deviation": None}, "_score_deviation"),
    "no offset": ({"offset_": None}, "offset_"),
    "unknown layout": ({"_X_layout": "tree"}, "_X_layout"),
    "unknown decoder": (setting("decoder_input", "os.system"), "decoder_input"),
    "unknown cell": (setting("cell", "os.system"), "cell"),
    "no levels": (setting("difference", False), "scale of changes"),
    "mystery": (setting("mystery", 1), "mystery"),
    "huge code": (setting("latent_dim", 2**20), "must be float32 of"),
    "no code": (setting("latent_dim", None), "describe no network"),
    "units of no layer": (setting("units", ()), "units"),
    "other features": (setting("n_features", 3), "2 features"),
}
MISSING = ["mean_", "_change_scale", "_error_mean", "_score_mean", "offset_"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A file that holds everything an autoencoder can."""
    path = tmp_path_factory.mktemp("saved") / "coder"
    coder = make(difference=True, anomaly_score="mahalanobis", validation_fraction=0.3)
    coder.fit(X).save(path)
    return read_archive(path)


@pytest.fixture
def load_changed(archive, tmp_path):
    """Load that file with some of its values changed."""

    def load(change):
        names = ("parameters", "fitted")
        weights = {n: a for n, a in archive.arrays.items() if n.startswith(WEIGHTS)}
        others = {n: a for n, a in archive.arrays.items() if n not in weights}
        values = unpack({name: archive.header[name] for name in names}, others)
        change(values["fitted"])
        for name in names:
            values[name], arrays = pack(values[name])
            weights |= arrays
        write_archive(tmp_path / "coder", {**archive.header, **values}, weights)
        return skseq.load(tmp_path / "coder")

    assert isinstance(load(lambda state: None), LSTMAutoencoder)
    return load


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_hostile_file_is_refused(load_changed, damage):
    values, message = DAMAGE[damage]

    def change(state):
        for name, value in values.items():
            if name == "_settings":
                state[name].update(value)
            else:
                state[name] = value

    with pytest.raises(ValueError, match=message):
        load_changed(change)


@pytest.mark.parametrize("name", MISSING)
def test_a_file_that_lacks_something_is_refused(load_changed, name):
    with pytest.raises(ValueError, match=name):
        load_changed(lambda state: state.pop(name))


@pytest.mark.parametrize("name", ["mean_", "scale_"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_not_restored(changeable, name, value):
    setattr(changeable, name, np.array([1.0, value]))
    with pytest.raises(ValueError, match=f"{name} must be a 1-D array of .*finite"):
        changeable._check_restored()


# -- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (None, r"lengths must be given.*one int, or one for each row of Z"),
        (0, "lengths must be positive integers"),
        (10**30, r"lengths must be positive integers below 2\*\*31\. Got 10+ instead"),
        (2**31, r"lengths\[0\] is 2147483648; no more than 2\*\*31 - 1 frames"),
        ([1, 2**40], r"lengths\[1\] is 1099511627776; no more than"),
        (2**63, r"lengths\[0\] is 9223372036854775808; no more than"),
        ([3, -1], "lengths must be positive integers"),
        ([3.0, 2.0], "lengths must be positive integers"),
        (True, "lengths must be positive integers"),
        ("34", "lengths must be positive integers"),
        ([[3], [2]], "lengths must be positive integers"),
        ([3, 2, 4], r"inconsistent numbers of samples: \[2, 3\]"),
    ],
)
def test_bad_lengths_are_refused(fitted, lengths, message):
    with pytest.raises(ValueError, match=message):
        fitted.inverse_transform(np.zeros((2, 4)), lengths)


@pytest.mark.parametrize(
    ("Z", "message"),
    [
        (np.zeros((2, 3)), "Z has 3 features, but LSTMAutoencoder is expecting 4"),
        (np.eye(2, 4) * 1e300, r"Z\[0, 0\] is 1e\+300, which is too large"),
        (np.zeros(4), "Reshape your data"),
        (np.full((2, 4), np.nan), "Input Z contains NaN"),
        (np.zeros((0, 4)), "0 sample"),
        (np.rec.array([(1, 2.0)] * 2), r"structured_to_unstructured\(Z\)"),
        (list(np.rec.array([(1, 2.0)] * 2)), r"structured_to_unstructured\(Z\)"),
        (np.array([b"ab"] * 2, dtype="V2"), r"Z has dtype \|V2"),
    ],
)
def test_bad_codes_are_refused(fitted, Z, message):
    with pytest.raises(ValueError, match=message):
        fitted.inverse_transform(Z, 3)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ones(12), "must label both .* Got 0 anomalies among 12"),
        (-np.ones(12), "must label both .* Got 12 anomalies among 12"),
        (np.arange(12) % 2, r"Got y\[0\] = 0 instead"),
        (["good", "bad"] * 6, "1 for normal and -1 for an anomaly"),
        ([1, -1], r"inconsistent numbers of samples: \[12, 2\]"),
        (np.ones((12, 2)), "1d array"),
    ],
)
def test_bad_labels_are_refused(changeable, y, message):
    offset = changeable.offset_
    with pytest.raises(ValueError, match=message):
        changeable.fit_threshold(X, y)
    assert changeable.offset_ == offset


@pytest.mark.parametrize("beta", [0, -1, np.nan, np.inf, "1", None])
def test_a_bad_beta_is_refused(changeable, beta):
    with pytest.raises(ValueError, match=r"'beta' .* must be a float in the range \(0"):
        changeable.fit_threshold(X, [1, -1] * 6, beta=beta)


class Untouched(keras.callbacks.Callback):
    """Fails as soon as training begins."""

    def on_train_begin(self, logs=None):
        raise AssertionError


@pytest.mark.parametrize(
    "step_weight",
    [
        lambda t: 1.0,
        lambda t: t[1:],
        lambda t: t - 1,
        lambda t: 0 * t,
        lambda t: t / 0 if len(t) == max(LENGTHS) else t + 1,
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_a_step_weight_is_tried_before_training(step_weight):
    coder = make(step_weight=step_weight, callbacks=[Untouched])
    with pytest.raises(ValueError, match=r"step_weight must return .* frames?"):
        coder.fit(X)


def test_a_step_weight_must_suit_the_validation_set_too():
    coder = make(step_weight=lambda t: t, callbacks=[Untouched])
    with pytest.raises(ValueError, match=r"In X_val.*step_weight .* For 1 frame"):
        coder.fit(X, X_val=[x[:1] for x in X])


def test_no_step_weight_is_needed_after_training():
    coder = make(step_weight=lambda t: t).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(coder.score_samples([X[0][:1]])).all()


@pytest.mark.parametrize("n_samples", [1, 3])
def test_too_few_sequences_to_hold_any_out_are_explained(n_samples):
    coder = make(anomaly_score="mahalanobis")
    message = (
        f"validation_fraction=0.1 of n_samples={n_samples} leaves {n_samples} to train "
        "on and 0 to validate with.*Change validation_fraction, or pass a validation"
    )
    with pytest.raises(ValueError, match=message):
        coder.fit(X[:n_samples])
    assert coder.fit(X[:n_samples], X_val=X[:2]).n_iter_ == 1


def test_a_score_that_does_not_exist_is_named_after_the_fit_too(changeable):
    changeable.set_params(anomaly_score="msee")
    with pytest.raises(ValueError, match=r"'anomaly_score'.*Did you mean 'mse'"):
        changeable.predict(X)


def test_a_bad_validation_set_is_named():
    with pytest.raises(ValueError, match=r"In X_val.*1 feature"):
        make().fit(X, X_val=[x[:, :1] for x in X])


# -- interruptions ---------------------------------------------------------------------


class Interrupting:
    """Sequences whose next reading is interrupted, once, after training has ended."""

    def __init__(self, sequences):
        self.sequences, self.is_armed = sequences, False

    def __len__(self):
        return len(self.sequences)

    def __getitem__(self, i):
        if self.is_armed:
            self.is_armed = False
            raise KeyboardInterrupt
        return self.sequences[i]


@pytest.mark.parametrize("anomaly_score", ["mse", "mahalanobis"])
def test_an_interruption_while_the_threshold_is_set_leaves_the_estimator_fitted(
    anomaly_score,
):
    frames = Interrupting(X)
    arm = keras.callbacks.LambdaCallback(
        on_train_end=lambda logs: setattr(frames, "is_armed", True)
    )
    arm.__deepcopy__ = lambda memo: arm  # the copy that is used watches the same X
    coder = make(callbacks=[arm], anomaly_score=anomaly_score, validation_fraction=0.3)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        coder.fit(frames)
    assert "can be used" in interrupt.value.__notes__[0]
    assert coder.n_iter_ == coder.epochs
    assert set(coder.predict(X)) <= {-1, 1}
    assert np.isfinite(coder.decision_function(X)).all()


def test_weights_that_became_too_large_are_divergence():
    params = {"optimizer": "sgd", "optimizer__weight_decay": 1e19, "epochs": 1}
    params |= {"learning_rate": 2e-3, "decoder_input": "output"}
    with pytest.raises(TrainingDivergedError, match="output is not finite in epoch 1"):
        AUTOENCODER.tiny(**params).fit(AUTOENCODER.draw(5)[0])
