"""What the probe of a front end must find, beside `test_front_ends.py`.

The oracles: a sequence gives the same alone and in a batch; statistics are those of
the real frames; a fit of finite frames does not diverge.
"""

import warnings

import keras
import numpy as np
import pytest

from skseq import CTCSequenceClassifier, clear_programs
from skseq._nn.front_ends import make_front_end
from skseq._nn.padding import check_padded_batches, sees_padding, warn_of_layers

layers, ops = keras.layers, keras.ops


def network(front_end, n_features=5):
    """A network of nothing but a front end."""
    frames = keras.Input((None, n_features), name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    made = make_front_end(front_end).build(frames, lengths)
    return keras.Model([frames, lengths, *made[2]], list(made[:2]))


def fitted(front_end, X, **params):
    params = {"units": 2, "epochs": 1, "random_state": 0, "conv_filters": ()} | params
    model = CTCSequenceClassifier(standardize=False, front_end=front_end, **params)
    return model.fit(X, ["a", "b"] * (len(X) // 2))


def drawn(lengths, n_features=2, mean=0):
    rng = np.random.default_rng(0)
    return [rng.normal(mean, 1, (n, n_features)) for n in lengths]


# -- statistics that a layer keeps -----------------------------------------------------


class Running(layers.Layer):
    """Keeps a running value of what it is given in training, like `statistic(frames)`.

    It gives the frames less this value, or as they are.
    """

    def __init__(self, statistic, rate=0.5, subtracts=True, trainable_weight=False):
        super().__init__(name="running")
        self.statistic, self.rate, self.subtracts = statistic, rate, subtracts
        self.trainable_weight = trainable_weight

    def build(self, shape):
        self.value = self.add_weight(
            shape=(shape[-1],),
            trainable=self.trainable_weight,
            initializer="zeros",
            name="value",
        )

    def call(self, frames, training=None):
        if training:
            now = self.statistic(frames)
            self.value.assign(self.value + self.rate * (now - self.value))
        return frames - self.value if self.subtracts else frames


class Counting(layers.Layer):
    """Counts the steps, or the frames."""

    def __init__(self, amount):
        super().__init__(name="counting")
        self.amount = amount

    def build(self, shape):
        self.count = self.add_weight(shape=(), trainable=False, initializer="zeros")

    def call(self, frames, training=None):
        if training:
            self.count.assign(self.count + self.amount(frames))
        return frames


def mean(frames):
    return ops.mean(frames, axis=(0, 1))


def n_frames(frames):
    return ops.cast(ops.shape(frames)[1], "float32")


def within(layer):
    """A model inside the front end."""
    return lambda x: keras.Sequential([layers.Dense(3), layer()])(x)


LEARNS_PADDING = {
    "a mean": lambda x: Running(mean)(x),
    "a mean, kept only": lambda x: Running(mean, subtracts=False)(x),
    "a slow mean": lambda x: Running(mean, 1e-4, subtracts=False)(x),
    "a mean in a model": within(lambda: Running(mean, subtracts=False)),
    "a trainable weight": lambda x: Running(mean, 0.5, False, True)(x),
    "a largest value": lambda x: Running(
        lambda f: ops.max(f, axis=(0, 1)), subtracts=False
    )(layers.Dense(3)(x)),
    "a smallest value": lambda x: Running(
        lambda f: ops.min(f, axis=(0, 1)), subtracts=False
    )(x),
    "a variance": lambda x: Running(lambda f: ops.var(f, axis=(0, 1)), subtracts=False)(
        x
    ),
    "the last frame": lambda x: Running(
        lambda f: ops.mean(f[:, -1], axis=0), subtracts=False
    )(x),
    "a number of frames": lambda x: Counting(n_frames)(x),
}

LEARNS_NO_PADDING = {
    "the first frame": lambda x: Running(
        lambda f: ops.mean(f[:, 0], axis=0), subtracts=False
    )(x),
    "a number of steps": lambda x: Counting(lambda frames: 1.0)(x),
    "frames other than zero": lambda x: Running(
        lambda f: ops.sum(f, (0, 1)) / ops.sum(ops.cast(f != 0, "float32"), (0, 1)),
        subtracts=False,
    )(x),
    "what a kernel is like": lambda x: layers.SpectralNormalization(layers.Dense(3))(x),
    "random numbers": lambda x: layers.Dropout(0.5)(layers.GaussianNoise(0.1)(x)),
}


@pytest.mark.parametrize("name", LEARNS_PADDING)
def test_a_layer_that_learns_from_padding_is_found_and_named(name):
    model = network(LEARNS_PADDING[name])
    assert sees_padding(model)
    with pytest.warns(UserWarning, match=r"In training, .*\((running|counting)\)\. B"):
        warn_of_layers(model)


@pytest.mark.parametrize("name", LEARNS_NO_PADDING)
@pytest.mark.filterwarnings("error")
def test_a_layer_that_learns_from_no_padding_keeps_its_batches(name):
    model = network(LEARNS_NO_PADDING[name])
    assert not sees_padding(model)
    warn_of_layers(model)


@pytest.mark.parametrize("subtracts", [True, False])
def test_statistics_of_a_layer_are_those_of_real_frames(subtracts):
    X = drawn((10, 10, 11, 12, 13, 14, 15, 300), mean=5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fitted(lambda x: Running(mean, 0.5, subtracts)(x), X, epochs=8)
    found = next(w for w in model._weights if w.shape == (2,))
    np.testing.assert_allclose(found, 5, atol=0.6)  # a mean of ten frames varies by 0.3
    assert sum("In training" in str(w.message) for w in caught) == 1


def test_probing_leaves_statistics_as_they_were():
    model = network(LEARNS_PADDING["a mean"])
    weights = [np.full(w.shape, 3, "float32") for w in model.weights]
    model.set_weights(weights)
    sees_padding(model)
    np.testing.assert_array_equal(model.get_weights(), weights)


# -- padding that reaches far ----------------------------------------------------------


class Later(layers.Layer):
    """Adds the frame that comes a number of frames later."""

    def __init__(self, n_later):
        super().__init__()
        self.n_later = n_later

    def call(self, frames):
        later = ops.pad(frames, [[0, 0], [0, self.n_later], [0, 0]])
        return frames + later[:, self.n_later :]

    def compute_output_shape(self, shape):
        return shape


def dilated(frames, rate):
    return layers.Conv1D(3, 3, dilation_rate=rate, padding="same")(frames)


FAR = {
    "dilated behind strides": (
        lambda x: dilated(layers.Conv1D(4, 400, strides=160)(x), 32),
        (6000, 7500, 6000, 7000, 9000, 27000),
    ),
    "dilated twice": (
        lambda x: dilated(dilated(x, 700), 700),
        (70, 200, 120, 90, 150, 1500),
    ),
    "a later frame": (
        lambda x: Later(700)(layers.Dense(4)(x)),
        (70, 200, 120, 90, 150, 1500),
    ),
    "pooled, then a later frame": (
        lambda x: Later(40)(layers.AveragePooling1D(64)(layers.Dense(3)(x))),
        (300, 700, 320, 900, 400, 6000),
    ),
    "a wide window": (
        lambda x: layers.AveragePooling1D(2001, 1, "same")(layers.Dense(3)(x)),
        (70, 200, 120, 90, 150, 3000),
    ),
}


def assert_same_alone_and_together(model, X):
    together = model.predict_proba(X)
    for i, sequence in enumerate(X):
        alone = model.predict_proba([sequence])[0]
        np.testing.assert_allclose(alone, together[i], atol=1e-6)


@pytest.mark.parametrize("name", FAR)
def test_padding_matters_however_far_it_reaches(name):
    front_end, lengths = FAR[name]
    X = drawn(lengths)
    model = fitted(front_end, X)
    assert model._exact_lengths
    assert_same_alone_and_together(model, X)


@pytest.mark.parametrize("name", ["dilated twice", "a later frame"])
def test_padding_matters_in_predictions_longer_than_any_training_sequence(name):
    front_end, lengths = FAR[name]
    X = drawn(lengths)
    model = fitted(front_end, X[:4])
    clear_programs()
    assert_same_alone_and_together(model, X)


def waveform_layers(frames):
    """Three convolutions, as often in front of frames of sound."""
    for width, stride in ((10, 5), (3, 2), (3, 2)):
        frames = layers.Conv1D(64, width, strides=stride)(frames)
    return frames


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "front_end",
    [
        lambda x: layers.Conv1D(64, 400, strides=160)(x),
        lambda x: layers.Conv1D(3, 3, padding="causal", dilation_rate=900)(x),
        waveform_layers,
    ],
)
def test_long_sequences_share_batches_where_no_padding_reaches(front_end, seed):
    assert not sees_padding(network(front_end, 1), longest=9000, seed=seed)


# -- padding that is not a number ------------------------------------------------------


class Divided(layers.Layer):
    """Divides each frame by something of its own, without an epsilon."""

    def __init__(self, divided, in_training=False):
        super().__init__()
        self.divided, self.in_training = divided, in_training

    def call(self, frames, training=None):
        return frames if self.in_training and not training else self.divided(frames)


def by_norm(x):
    return x / ops.sqrt(ops.sum(x * x, axis=-1, keepdims=True))


def by_sum(x):
    return x / ops.sum(ops.abs(x), axis=-1, keepdims=True)


def standardized(x):
    return (x - ops.mean(x, axis=-1, keepdims=True)) / ops.std(
        x, axis=-1, keepdims=True
    )


def behind(layer, divided, **options):
    return lambda x: Divided(divided, **options)(layer()(x))


def dense():
    return layers.Dense(8)


def causal(width=3):
    return layers.Conv1D(8, width, padding="causal")


NOT_FINITE = {
    "a norm": behind(dense, by_norm),
    "a norm in training": behind(dense, by_norm, in_training=True),
    "a sum": behind(dense, by_sum),
    "a deviation": behind(dense, standardized),
    "a norm behind a convolution": behind(causal, by_norm),
    "a norm behind a wide convolution": behind(lambda: causal(300), by_norm),
    "a norm behind rectifiers": behind(lambda: layers.Dense(8, "relu6"), by_norm),
    "a logarithm": behind(dense, lambda x: ops.log(x * x)),
    "a reciprocal": behind(dense, lambda x: 1 / x),
    "a normalized layer": lambda x: layers.LayerNormalization(epsilon=0.0)(dense()(x)),
    "a normalized convolution": lambda x: layers.LayerNormalization(epsilon=0.0)(
        causal()(x)
    ),
}


@pytest.mark.parametrize("name", NOT_FINITE)
def test_padding_that_becomes_infinite_or_nan_under_first_weights_is_found(name):
    assert sees_padding(network(NOT_FINITE[name]))


def test_a_norm_behind_a_kernel_wider_than_short_padding_is_found():
    front_end = behind(lambda: causal(1500), by_norm)
    assert sees_padding(network(front_end), longest=3000)


@pytest.mark.parametrize("name", ["a norm", "a normalized convolution"])
def test_a_fit_continues_where_padding_would_be_nan(name):
    X = drawn((10, 12, 15, 20, 10, 12), n_features=3)
    model = fitted(NOT_FINITE[name], X, epochs=3)
    assert np.isfinite(model.history_["loss"]).all()
    assert_same_alone_and_together(model, X)


@pytest.mark.parametrize(
    "layer", [layers.LayerNormalization, layers.UnitNormalization, layers.Softmax]
)
def test_a_division_with_an_epsilon_keeps_its_batches(layer):
    assert not sees_padding(network(lambda x: layer()(dense()(x))))


# -- front ends of an export ----------------------------------------------------------


def then_convolved(*first, **options):
    def front_end(frames):
        for make in first:
            frames = make()(frames)
        return layers.Conv1D(4, 3, **options)(frames)

    return front_end


def without_bias():
    return layers.Dense(8, use_bias=False)


EXPORTED = {
    "valid": then_convolved(dense, padding="valid"),
    "valid with strides": then_convolved(dense, padding="valid", strides=2),
    "causal": then_convolved(dense, causal, padding="causal", strides=2),
    "no bias": then_convolved(without_bias, padding="same"),
}
REFUSED = {
    "a bias": then_convolved(dense, padding="same"),
    "a bias of a convolution": then_convolved(causal, padding="same"),
    "two of them": then_convolved(
        lambda: layers.Conv1D(8, 3, padding="same", use_bias=False), padding="same"
    ),
    "strides": then_convolved(without_bias, padding="same", strides=2),
    "both directions": then_convolved(
        lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
        padding="valid",
    ),
}


@pytest.mark.parametrize("name", EXPORTED)
def test_the_advice_of_a_refused_export_works(name):
    check_padded_batches(network(EXPORTED[name]))


@pytest.mark.parametrize("name", REFUSED)
def test_an_export_whose_padding_is_seen_is_refused_with_what_works(name):
    words = r'padding="valid" or "causal"\..* such as Dense with use_bias=False'
    with pytest.raises(ValueError, match=words):
        check_padded_batches(network(REFUSED[name]))
