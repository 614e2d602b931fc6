"""How the learning rate changes over a fit, and who may change it otherwise."""

import keras
import numpy as np
import pytest

from skseq._engine.schedules import SCHEDULES
from tests.estimators import CTC, ESTIMATORS


class Rates(keras.callbacks.Callback):
    """Keeps the learning rate of each step."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


class RateFrom(keras.callbacks.Callback):
    """Sets the learning rate once, when an epoch begins."""

    def __init__(self, epoch=1, rate=1e-4):
        super().__init__()
        self.epoch, self.rate = epoch, rate

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.model.optimizer.learning_rate = self.rate


def rates_of(**params):
    scheduled = {"learning_rate_schedule": "warmup_cosine", "learning_rate": 0.01}
    callbacks = [*params.pop("before", ()), Rates()]
    fitted = CTC.tiny(**{**scheduled, "callbacks": callbacks, **params})
    return np.array(fitted.fit(CTC.X, CTC.y).callbacks_[-1].rates)


def test_the_rate_rises_for_a_twentieth_and_falls_along_a_cosine():
    rates = rates_of(epochs=20)
    progress = (np.arange(60) + 0.5) / 60  # 12 samples in batches of 4
    angle = np.pi * (progress - 0.05) / 0.95
    falling = 0.01 * (0.01 + 0.99 * (1 + np.cos(angle)) / 2)
    expected = np.where(progress < 0.05, 0.01 * progress / 0.05, falling)
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_a_schedule_is_a_share_of_the_rate_from_first_to_last():
    shares = [SCHEDULES["warmup_cosine"](p) for p in np.linspace(0, 1, 1001)]
    assert min(shares) == 0
    assert max(shares) == 1
    assert shares[-1] == pytest.approx(0.01)


@pytest.mark.parametrize(
    "params",
    [
        {"learning_rate_schedule": "constant"},
        {
            "optimizer": keras.optimizers.SGD(0.01),
            "learning_rate": CTC.make().learning_rate,
        },
        {
            "optimizer": keras.optimizers.serialize(keras.optimizers.SGD(0.01)),
            "learning_rate": CTC.make().learning_rate,
        },
    ],
    ids=["constant", "instance", "config"],
)
def test_a_rate_of_the_users_own_stays(params):
    np.testing.assert_allclose(rates_of(epochs=4, **params), 0.01, rtol=1e-6)


def test_a_schedule_of_the_users_own_is_followed():
    decay = keras.optimizers.schedules.ExponentialDecay(0.01, 1, 0.5)
    rates = rates_of(epochs=1, learning_rate=decay)
    # Keras tells the rate of the step to come.
    np.testing.assert_allclose(rates, [0.005, 0.0025, 0.00125], rtol=1e-5)


def test_a_rate_that_a_callback_sets_is_left_to_it():
    free, rates = rates_of(epochs=4), rates_of(epochs=4, before=[RateFrom(epoch=2)])
    np.testing.assert_array_equal(rates[:6], free[:6])
    np.testing.assert_allclose(rates[6:], 1e-4, rtol=1e-6)


def test_partial_fit_keeps_the_rate():
    reader = CTC.tiny(learning_rate_schedule="warmup_cosine", learning_rate=0.01)
    reader.set_params(callbacks=[Rates()])
    for _ in range(2):
        reader.partial_fit(CTC.X, CTC.y)
        np.testing.assert_allclose(reader.callbacks_[-1].rates, 0.01, rtol=1e-6)


class InterruptOnce(keras.callbacks.Callback):
    """Presses Ctrl-C when the third epoch begins for the first time."""

    is_armed = True

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2 and InterruptOnce.is_armed:
            InterruptOnce.is_armed = False
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=() if case is CTC else pytest.mark.slow)
        for case in ESTIMATORS
    ],
    ids=str,
)
@pytest.mark.parametrize("before", [[], [RateFrom]], ids=["free", "set by a callback"])
def test_an_interrupted_fit_resumes_where_its_rate_was(case, before, tmp_path):
    params = {"epochs": 5, "optimizer": "adam", "learning_rate": 0.01}
    params["learning_rate_schedule"] = "warmup_cosine"
    whole = case.tiny(**params, callbacks=before).fit(case.X, case.y)
    params |= {"checkpoint": tmp_path, "callbacks": [*before, InterruptOnce]}
    InterruptOnce.is_armed = True
    with pytest.raises(KeyboardInterrupt):
        case.tiny(**params).fit(case.X, case.y)
    (path,) = tmp_path.iterdir()
    resumed = case.tiny(**params).fit(case.X, case.y)
    assert list(tmp_path.iterdir()) == [path]
    assert resumed.history_ == whole.history_
    for weight, other in zip(resumed._weights, whole._weights, strict=True):
        np.testing.assert_array_equal(weight, other)


def test_a_fit_of_more_epochs_is_another_one_unless_its_rate_is_constant(tmp_path):
    scheduled, constant = tmp_path / "scheduled", tmp_path / "constant"
    for epochs in (1, 2):
        CTC.tiny(
            epochs=epochs,
            checkpoint=scheduled,
            learning_rate_schedule="warmup_cosine",
        ).fit(CTC.X, CTC.y)
        CTC.tiny(epochs=epochs, checkpoint=constant).fit(CTC.X, CTC.y)
    assert [len(list(f.iterdir())) for f in (scheduled, constant)] == [2, 1]
