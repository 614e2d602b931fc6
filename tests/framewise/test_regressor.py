"""The regressor: what its own mathematics and methods promise.

What it shares with all estimators is asked in `tests/contract`.
"""

import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.base import is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict, cross_val_score

from skseq.augmentation import TimeStretch
from skseq.datasets import make_counting
from tests.estimators import REGRESSOR, REGRESSOR_FRAMES, REGRESSOR_VECTORS
from tests.exported import (
    padded,
    run_elsewhere,
    run_onnx,
    run_saved_model,
    unanswerable,
    with_nan_padding,
)

X, Y = REGRESSOR.X, REGRESSOR.y
LEVELS = REGRESSOR_FRAMES.y
CASES = [REGRESSOR, REGRESSOR_VECTORS, REGRESSOR_FRAMES]


@pytest.fixture(scope="module")
def by_frame():
    return REGRESSOR_FRAMES.rough(REGRESSOR_FRAMES.fit())


# -- values --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        (np.array(Y), ()),
        (np.array(Y)[:, np.newaxis], (1,)),
        (np.array(REGRESSOR_VECTORS.y), (2,)),
    ],
    ids=["numbers", "column", "vectors"],
)
def test_values_of_sequences_come_back_in_their_form(y, shape):
    found = REGRESSOR.tiny().fit(X, y).predict(X)
    assert found.shape == (len(X), *shape)
    assert found.dtype == np.float64


@pytest.mark.parametrize("width", [None, 1, 2])
def test_values_of_frames_come_back_in_their_form(width):
    y = [level[:, 0] if width is None else level[:, :width] for level in LEVELS]
    found = REGRESSOR_FRAMES.tiny().fit(X, y).predict(X)
    assert [item.shape for item in found] == [item.shape for item in y]


def test_the_score_is_that_of_all_frames_together(by_frame):
    weights = np.linspace(1, 2, len(X))
    wanted, found = np.vstack(LEVELS), np.vstack(list(by_frame.predict(X)))
    by_row = np.repeat(weights, [len(x) for x in X])
    expected = r2_score(wanted, found, sample_weight=by_row)
    assert by_frame.score(X, LEVELS, sample_weight=weights) == pytest.approx(expected)


def test_the_score_of_sequences_is_scikit_learns():
    reg = REGRESSOR.rough(REGRESSOR.fit())
    assert reg.score(X, Y) == pytest.approx(r2_score(Y, reg.predict(X)))
    assert is_regressor(reg)
    assert cross_val_predict(REGRESSOR.tiny(), X, Y, cv=2).shape == (len(X),)
    assert cross_val_score(REGRESSOR.tiny(), X, Y, cv=2, scoring="r2").shape == (2,)


def test_values_of_frames_are_no_regression_to_scikit_learn():
    assert not is_regressor(REGRESSOR.make(target="frame"))
    assert is_regressor(REGRESSOR.make(target="sequence"))


# -- the loss --------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_loss_of_training_is_that_of_its_predictions(case):
    weights = np.linspace(0.5, 2, len(X))
    reg = case.make(epochs=1, learning_rate=1e-12, dropout=0.0, loss="squared_error")
    reg.fit(case.X, case.y, sample_weight=weights)
    found = [np.atleast_2d(item) for item in reg.predict(case.X)]
    wanted = [np.atleast_2d(item) for item in case.y]
    scale = np.broadcast_to(reg.y_scale_, wanted[0].shape[-1:])
    of_output = np.ones(len(scale)) if reg.target_weight is None else reg.target_weight
    total = counts = 0.0
    for own, p, y in zip(weights, found, wanted, strict=True):
        rows = np.average(((p - y) / scale) ** 2, axis=1, weights=of_output)
        by_row = own * (np.sqrt(np.arange(len(y)) + 1) if case is CASES[2] else 1)
        total += (rows * by_row).sum()
        counts += np.broadcast_to(by_row, rows.shape).sum()
    assert reg.history_["loss"][0] == pytest.approx(total / counts, rel=1e-5)


def test_constant_data_reach_the_quantile_that_is_asked_for():
    rng = np.random.default_rng(0)
    y = rng.exponential(size=200)
    same = [np.ones((3, 1))] * 200
    for quantile in (0.2, 0.9):
        reg = REGRESSOR.make(loss="quantile", quantile=quantile, epochs=150)
        found = reg.set_params(learning_rate=0.05, batch_size=50).fit(same, y)
        share = np.mean(y < found.predict(same[:1])[0])
        assert share == pytest.approx(quantile, abs=0.05)


def test_counts_are_predicted_by_their_rate():
    rng = np.random.default_rng(0)
    y = rng.poisson(300, size=100)
    same = [np.ones((3, 1))] * 100
    reg = REGRESSOR.make(loss="poisson", epochs=100, learning_rate=0.02).fit(same, y)
    assert reg.predict(same[:1])[0] == pytest.approx(y.mean(), rel=0.03)
    with pytest.raises(ValueError, match=r"y\[1\]\), but loss=.poisson. needs counts"):
        reg.fit(X, [1, -1, *Y[2:]])


def direction_and_length(y_true, y_pred):
    """Ten times the error of the unit direction, the length's, thrice the energy's."""
    ops = keras.ops

    def parts(y):
        length = ops.sqrt(ops.sum(ops.square(y[..., :3]), axis=-1) + 1e-6)
        return y[..., :3] / length[..., None], length, y[..., 3]

    (unit, length, energy), (own_unit, own_length, own_energy) = map(
        parts, (y_true, y_pred)
    )
    return (
        10 * ops.sum(ops.square(unit - own_unit), axis=-1)
        + ops.square(length - own_length)
        + 3 * ops.square(energy - own_energy)
    )


def three_terms(y_true, y_pred):
    """Each term of that loss, in NumPy, over all frames."""
    y_true, y_pred = np.vstack(list(y_true)), np.vstack(list(y_pred))
    lengths = [np.linalg.norm(y[:, :3], axis=1) for y in (y_true, y_pred)]
    units = [
        y[:, :3] / n[:, np.newaxis]
        for y, n in zip((y_true, y_pred), lengths, strict=True)
    ]
    return np.array(
        [
            np.square(units[0] - units[1]).sum(axis=1).mean(),
            np.square(lengths[0] - lengths[1]).mean(),
            np.square(y_true[:, 3] - y_pred[:, 3]).mean(),
        ]
    )


def test_a_loss_of_several_terms_lowers_each_of_them():
    X, y = make_counting(200, max_frames=30, random_state=0)
    reg = REGRESSOR.make(loss=direction_and_length, units=32, learning_rate=1e-2)
    reg.set_params(bidirectional=False, batch_size=10, step_weight="sqrt")
    before = three_terms(y, reg.set_params(epochs=1).fit(X, y).predict(X))
    after = three_terms(y, reg.set_params(epochs=20).fit(X, y).predict(X))
    assert (after < 0.7 * before).all()


def test_target_weight_and_step_weight_are_refused_where_they_have_no_effect():
    with pytest.raises(ValueError, match="no effect on a loss of your own"):
        REGRESSOR.tiny(loss=direction_and_length, target_weight=[1.0]).fit(X, Y)
    with pytest.raises(ValueError, match="step_weight weighs frames"):
        REGRESSOR.tiny(step_weight="sqrt").fit(X, Y)
    with pytest.raises(
        ValueError, match="target_weight has 2 weights, but y has 1 out"
    ):
        REGRESSOR.tiny(target_weight=[1.0, 2.0]).fit(X, Y)


def test_weights_of_outputs_count_by_their_ratios():
    found = [
        REGRESSOR_VECTORS.fit(target_weight=weights, epochs=1).history_["loss"]
        for weights in ([3.0, 1.0], [3e307, 1e307], np.array([3e-320, 1e-320]))
    ]
    np.testing.assert_allclose(found, found[:1] * 3, rtol=1e-3)


def test_a_loss_of_double_precision_that_takes_outputs_apart_is_learnt_from():
    def loss(y_true, y_pred):
        (a, b), (c, d) = (keras.ops.unstack(y, axis=-1) for y in (y_true, y_pred))
        return keras.ops.cast(keras.ops.abs(a - c) + keras.ops.abs(b - d), "float64")

    reg = REGRESSOR_FRAMES.make(loss=loss, learning_rate=1e-2).fit(X, LEVELS)
    assert reg.history_["loss"][-1] < reg.history_["loss"][0]


@pytest.mark.parametrize(("loss", "meant"), [("mse", "squared_error"), ("l1", "absol")])
def test_what_other_libraries_call_a_loss_is_known(loss, meant):
    with pytest.raises(ValueError, match=f"Did you mean '{meant}"):
        REGRESSOR.tiny(loss=loss).fit(X, Y)


# -- learning --------------------------------------------------------------------------


def test_a_loss_of_ones_own_that_falls_is_not_judged_by_squared_errors():
    def above(y_true, y_pred):  # the quantile of 0.99, far from the mean
        error = y_true - y_pred
        return keras.ops.mean(keras.ops.maximum(0.99 * error, -0.01 * error), axis=-1)

    same, y = [np.ones((3, 1))] * 60, np.random.default_rng(0).exponential(size=60)
    reg = REGRESSOR.make(loss=above, epochs=80, learning_rate=0.05)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*next to nothing")
        reg.fit(same, y)
    with pytest.warns(ConvergenceWarning, match="times that of the mean for all"):
        reg.set_params(learning_rate=1e-9, epochs=3).fit(same, y)


def test_the_lengths_of_sequences_can_be_learnt():
    with pytest.warns(UserWarning, match="y holds the lengths of the sequences"):
        found = REGRESSOR.tiny().fit(X, [len(x) for x in X]).predict(X)
    assert np.isfinite(found).all()


def test_what_is_set_after_fit_changes_no_prediction():
    reg = REGRESSOR.make(loss="poisson", target="sequence").fit(X, np.abs(Y))
    expected = reg.predict(X)
    later = {"loss": "huber", "standardize_y": False, "target": "frame"}
    assert reg.set_params(**later).predict(X).tolist() == expected.tolist()
    with pytest.raises(ValueError, match="cannot continue with loss='huber': the net"):
        reg.partial_fit(X, np.abs(Y))
    with pytest.raises(ValueError, match="cannot continue with target='frame': the f"):
        reg.set_params(loss="poisson").partial_fit(X, np.abs(Y))
    with pytest.raises(ValueError, match="'target_weight' parameter of SequenceRegr"):
        reg.set_params(target_weight="even").predict(X)


def test_a_fit_that_finds_no_more_than_the_mean_says_so():
    noise = np.random.default_rng(0).normal(size=len(X))
    with pytest.warns(ConvergenceWarning, match="times that of one constant for all"):
        REGRESSOR.make(learning_rate=1e-9).fit(X, noise)


def test_outputs_of_all_magnitudes_are_learnt_alike():
    X, y = make_counting(150, max_frames=20, target="sequence", random_state=0)
    y = y * [1e-6, 1.0, 1e4, 1.0] + [0, 0, 1e5, 0]
    reg = REGRESSOR.make(units=16, epochs=30, learning_rate=1e-2).fit(X, y)
    share = np.var(y - reg.predict(X), axis=0) / np.var(y, axis=0)
    assert share.max() < 0.2


def test_without_standardization_y_is_learnt_as_it_is():
    reg = REGRESSOR.tiny(standardize_y=False).fit(X, Y)
    assert (reg.y_mean_.tolist(), reg.y_scale_.tolist()) == ([0.0], [1.0])


@pytest.mark.parametrize(
    ("params", "y", "words"),
    [
        ({"conv_filters": 3, "conv_strides": 2}, LEVELS, "would shorten time, but y"),
        ({"front_end": "image"}, LEVELS, r"front_end makes \d+ frames of the"),
        ({"preprocess": [TimeStretch()]}, LEVELS, "TimeStretch, may change the number"),
        ({}, [*LEVELS[:3], LEVELS[3][:-1], *LEVELS[4:]], r"y\[3\] has \d+ values for"),
    ],
)
def test_values_of_frames_need_each_frame(params, y, words):
    with pytest.raises(ValueError, match=words):
        REGRESSOR_FRAMES.tiny(**params).set_params(target="frame").fit(X, y)


def test_a_later_y_has_the_form_of_the_first(by_frame):
    with pytest.raises(ValueError, match="y has 1 output, but in fit it had 2"):
        by_frame.score(X, [level[:, :1] for level in LEVELS])
    with pytest.raises(ValueError, match="but fit saw values of frames"):
        by_frame.partial_fit(X, Y)


# -- streams and graphs ----------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_stream_gives_what_predict_gives(by_frame, size):
    for x in X[:4]:
        with by_frame.stream() as stream:
            parts = [stream.push(x[i : i + size]) for i in range(0, len(x), size)]
            rest = stream.finish()
        found = np.concatenate([*(part.stable for part in parts), rest])
        np.testing.assert_allclose(
            found, by_frame.predict([x])[0], rtol=1e-5, atol=1e-6
        )
        firsts = [part.span[0] for part in parts]
        assert firsts == np.cumsum([0, *(len(p.stable) for p in parts)])[:-1].tolist()


def test_what_a_stream_would_give_at_its_end_is_told_at_once(by_frame):
    with by_frame.stream() as stream:
        for n, frame in enumerate(X[0], 1):
            part = stream.push(frame[np.newaxis])
            alone = by_frame.predict([X[0][:n]])[0]
            np.testing.assert_allclose(
                part.unstable, alone[part.span[1] :], rtol=1e-5, atol=1e-6
            )


def test_only_values_of_frames_are_streamed():
    with pytest.raises(ValueError, match=r"stream\(\) gives values of frames"):
        REGRESSOR.tiny(bidirectional=False).fit(X, Y).stream()
    both_ways = REGRESSOR_FRAMES.tiny(bidirectional=True).fit(X, LEVELS)
    with pytest.raises(ValueError, match="needs bidirectional=False"):
        both_ways.stream()


def check_exported(found, case, reg):
    expected = reg.predict(case.X)
    if case is REGRESSOR_FRAMES:
        assert found["n_frames"].tolist() == [len(x) for x in case.X]
        for own, wanted in zip(found["prediction"], expected, strict=True):
            np.testing.assert_allclose(own[: len(wanted)], wanted, rtol=1e-4, atol=1e-4)
            assert not own[len(wanted) :].any()
    else:
        np.testing.assert_allclose(found["prediction"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_in_a_process_without_skseq_both_formats_give_the_same(case, tmp_path):
    reg = case.rough(case.fit())
    frames, lengths = padded(case.X)
    given = {"frames": with_nan_padding(frames, lengths), "lengths": lengths}
    jobs = []
    for format, name in (("saved_model", "predict"), ("onnx", "model")):
        reg.export(tmp_path / format, format=format)
        jobs.append((tmp_path / format, format, name, given))
    for found in run_elsewhere(jobs, tmp_path):
        check_exported(found, case, reg)


def test_a_rate_is_exported_as_a_count(tmp_path):
    counts = np.random.default_rng(0).poisson(5, size=len(X))
    reg = REGRESSOR.rough(REGRESSOR.make(loss="poisson").fit(X, counts))
    reg.export(tmp_path / "model")
    frames, lengths = padded(X)
    found = run_saved_model(tmp_path / "model", frames=frames, lengths=lengths)
    np.testing.assert_allclose(found["prediction"], reg.predict(X), rtol=1e-5)


def test_a_graph_answers_for_no_sequence_that_it_cannot_read(by_frame, tmp_path):
    frames, lengths = padded(X)
    by_frame.export(tmp_path / "saved")
    by_frame.export(tmp_path / "onnx", format="onnx")
    expected = run_onnx(tmp_path / "onnx", frames=frames, lengths=lengths)
    for given in unanswerable(frames, lengths).values():
        with pytest.raises(tf.errors.InvalidArgumentError):
            run_saved_model(tmp_path / "saved", **given)
        found = run_onnx(tmp_path / "onnx", **given)
        assert found["n_frames"][1] == 0
        assert np.isnan(found["prediction"][1]).all()
        others = np.arange(len(X)) != 1
        for name in found:
            np.testing.assert_allclose(
                found[name][others], expected[name][others], rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize(
    "step_weight",
    [lambda steps: [1.0] * len(steps), lambda steps: keras.ops.sqrt(steps + 1)],
    ids=["list", "tensor"],
)
def test_weights_of_steps_may_be_anything_like_an_array(step_weight):
    reg = REGRESSOR_FRAMES.tiny(step_weight=step_weight).fit(X, LEVELS)
    assert np.isfinite(reg.history_["loss"]).all()


def test_weights_of_outputs_may_be_a_series():
    weights = pd.Series([2.0, 1.0], index=["a", "b"])
    REGRESSOR_VECTORS.tiny(target_weight=weights).fit(X, REGRESSOR_VECTORS.y)


def test_values_of_another_kind_are_told_apart_from_those_of_fit(by_frame):
    with pytest.raises(ValueError, match="but fit saw values of frames"):
        by_frame.score(X, Y)
    with pytest.raises(ValueError, match="but fit saw values of sequences"):
        REGRESSOR.tiny().fit(X, Y).score(X, LEVELS)
