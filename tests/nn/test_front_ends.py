import random

import keras
import numpy as np
import pytest

from skseq import CTCSequenceClassifier
from skseq._nn.front_ends import (
    LAYER,
    CustomFrontEnd,
    as_written,
    check_front_end,
    make_front_end,
)
from skseq._nn.padding import sees_padding, warn_of_layers
from skseq.exceptions import TrainingDivergedError

layers = keras.layers


def unseeded(frames, width=4):
    """A front end that draws from the global generators of Python and NumPy."""
    states = layers.Dropout(0.5)(layers.Dense(width, name="dense")(frames))
    noise = random.random() + np.random.rand()  # noqa: NPY002
    return layers.Rescaling(noise)(states)


def network(front_end, parameters=()):
    """A network of nothing but a front end."""
    frames = keras.Input((None, 5), name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    made = make_front_end(front_end, parameters).build(frames, lengths)
    return keras.Model([frames, lengths, *made[2]], list(made[:2]))


# -- a front end of the user's own -----------------------------------------------------


def stacked(*make):
    """A front end of these layers, made anew at each call."""

    def front_end(frames):
        for make_layer in make:
            frames = make_layer()(frames)
        return frames

    return front_end


def conv(kernel_size, **options):
    return lambda: layers.Conv1D(3, kernel_size, **options)


def attend(frames):
    return layers.Attention()([frames, frames])


def squeeze_and_excite(frames, width):
    """Hu et al. (2018): each channel is scaled by what its mean over time says."""
    mean = layers.GlobalAveragePooling1D()(frames)
    scale = layers.Dense(frames.shape[-1], "sigmoid")(layers.Dense(width)(mean))
    return layers.Multiply()([frames, layers.Reshape((1, -1))(scale)])


class UnitNorm(layers.Layer):
    """Divides each frame by its norm, which is zero on padding."""

    def call(self, frames):
        return frames / keras.ops.norm(frames, axis=-1, keepdims=True)


class Mixing(layers.Layer):
    """Applies an operation of Keras to a whole batch, or to it in training alone."""

    def __init__(self, operation, in_training=False):
        super().__init__()
        self.operation, self.in_training = operation, in_training

    def call(self, frames, training=False):
        if self.in_training and not training:
            return frames
        return self.operation(frames)


def frozen(frames):
    return layers.BatchNormalization(trainable=False)(layers.Dense(3)(frames))


def frozen_within(frames):
    """A whole model that was trained before, frozen."""
    given = keras.Input((None, frames.shape[-1]))
    model = keras.Model(given, layers.BatchNormalization()(given))
    model.trainable = False
    return model(frames)


BLIND_TO_PADDING = {
    "dense": stacked(lambda: layers.Dense(3), lambda: layers.Dense(2)),
    "pointwise": stacked(conv(1)),
    "causal": stacked(lambda: layers.Dense(3), conv(5, padding="causal")),
    "valid": stacked(conv(4), conv(3, strides=2)),
    "wide valid": stacked(conv(40), conv(3)),
    "same without a bias before": stacked(conv(3, padding="same")),
    "forward recurrence": stacked(lambda: layers.LSTM(3, return_sequences=True)),
    "pooling": stacked(conv(1), lambda: layers.MaxPooling1D(2)),
    "normalized frames": stacked(lambda: layers.LayerNormalization()),
    "dropout": stacked(lambda: layers.Dense(3), lambda: layers.Dropout(0.5)),
    "frozen statistics": frozen,
    "a frozen model": frozen_within,
}

SEES_PADDING = {
    "same after a bias": stacked(conv(1), conv(3, padding="same")),
    "wide same after a bias": stacked(conv(40), conv(31, padding="same")),
    "strided same": stacked(conv(3, padding="same", strides=2)),
    "bidirectional": stacked(
        lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    ),
    "normalized over time": stacked(
        lambda: layers.GroupNormalization(groups=1, axis=-1)
    ),
    "attention": lambda frames: layers.Attention()([frames, frames]),
    "a stride of many frames, then both directions": stacked(
        conv(400, strides=160),
        lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
    ),
    "a stride of many frames, then attention": lambda frames: attend(
        conv(64, strides=64)()(frames)
    ),
    "dilated by 32": stacked(
        lambda: layers.Dense(3), conv(3, padding="same", dilation_rate=32)
    ),
    "dilated by 256": stacked(
        lambda: layers.Dense(3), conv(3, padding="same", dilation_rate=256)
    ),
    "squeezed and excited by 1": lambda frames: squeeze_and_excite(frames, 1),
    "squeezed and excited by 16": lambda frames: squeeze_and_excite(frames, 16),
    "a maximum over time": lambda frames: layers.Add()(
        [frames, layers.Reshape((1, -1))(layers.GlobalMaxPooling1D()(frames))]
    ),
    "statistics over the batch": stacked(
        lambda: layers.Dense(3), lambda: layers.BatchNormalization()
    ),
    "a norm without an epsilon": stacked(lambda: UnitNorm()),
}


@pytest.mark.parametrize("name", BLIND_TO_PADDING)
def test_a_front_end_that_padding_cannot_reach_is_known(name):
    assert not sees_padding(network(BLIND_TO_PADDING[name]))


@pytest.mark.parametrize("name", SEES_PADDING)
def test_a_front_end_that_padding_can_reach_is_known(name):
    assert sees_padding(network(SEES_PADDING[name]))


# Operations that take some values only, each with those that it takes.
PARTIAL = {
    "square roots": (keras.ops.sqrt, np.abs),
    "logarithms": (keras.ops.log, lambda x: np.abs(x) + 0.1),
    "logarithms of one and more": (keras.ops.log1p, np.abs),
    "powers": (lambda x: x**0.3, lambda x: np.abs(x) + 0.1),
    "angles": (keras.ops.arcsin, np.tanh),
    "far logarithms": (lambda x: keras.ops.log(x - 5), lambda x: np.abs(x) + 6),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if i else ())
        for i, n in enumerate(PARTIAL)
    ],
)
def test_a_front_end_that_takes_some_values_only_gives_the_same_in_any_batch(name):
    operation, values = PARTIAL[name]
    rng = np.random.default_rng(0)
    X = [values(rng.normal(size=(n, 3))) for n in (9, 12, 17, 12)]
    model = CTCSequenceClassifier(
        units=2,
        epochs=1,
        conv_filters=(),
        standardize=False,
        front_end=lambda frames: layers.Dense(2)(operation(frames)),
    ).fit(X, ["a", "b", "a", "b"])
    together = model.predict_proba(X)
    for i, item in enumerate(X):
        np.testing.assert_allclose(model.predict_proba([item])[0], together[i], 1e-5)


def test_values_that_a_front_end_does_not_take_are_blamed_on_it():
    X = [np.random.default_rng(0).normal(size=(9, 3))] * 4
    model = CTCSequenceClassifier(units=2, epochs=1, front_end=keras.ops.log)
    with pytest.raises(TrainingDivergedError, match="see also what a front_end of"):
        model.fit(X, ["a"] * 4)


@pytest.mark.parametrize("operation", [keras.ops.sqrt, lambda x: keras.ops.log(x - 99)])
def test_a_front_end_that_mixes_sequences_is_refused_whatever_values_it_takes(
    operation,
):
    def front_end(frames):
        mean = keras.ops.mean(frames, axis=0, keepdims=True)
        return operation(keras.ops.abs(frames)) + mean

    with pytest.raises(ValueError, match=r"depends on the other .* axis 1 or"):
        sees_padding(network(front_end))


# What makes one sequence depend on another; NaN does not pass all of these.
MIXING = {
    "centred": lambda x: x - keras.ops.mean(x, axis=0),
    "below the largest": lambda x: x - keras.ops.max(x, axis=0),
    "less the deviation": lambda x: x - keras.ops.std(x, axis=0),
    "scaled": lambda x: x / (1 + keras.ops.max(keras.ops.abs(x))),
    "ranked": lambda x: keras.ops.cast(keras.ops.argsort(x, axis=0), "float32"),
    "counted": lambda x: x / keras.ops.cast(keras.ops.shape(x)[0], "float32"),
    "compared": lambda x: keras.ops.cast(x >= keras.ops.max(x, axis=0), "float32"),
    "shifted": lambda x: keras.ops.roll(x, 1, axis=0),
}


@pytest.mark.parametrize("operation", MIXING.values(), ids=MIXING)
def test_a_front_end_that_mixes_sequences_is_refused(operation):
    with pytest.raises(ValueError, match=r"depends on the other .* axis 1 or"):
        sees_padding(network(stacked(conv(2), lambda: Mixing(operation))))


def test_plain_operations_that_mix_sequences_are_refused():
    with pytest.raises(ValueError, match=r"depends on the other .* axis 1 or"):
        sees_padding(network(lambda x: x - keras.ops.mean(x, axis=0, keepdims=True)))


@pytest.mark.parametrize("operation", MIXING.values(), ids=MIXING)
def test_a_front_end_that_mixes_sequences_in_training_is_warned_of(operation):
    model = network(stacked(lambda: Mixing(operation, in_training=True)))
    assert sees_padding(model)
    with pytest.warns(UserWarning, match="In training, what front_end makes of a seq"):
        warn_of_layers(model)


@pytest.mark.parametrize("front_end", [frozen, frozen_within])
@pytest.mark.filterwarnings("error")
def test_frozen_statistics_are_not_warned_of(front_end):
    model = network(front_end)
    sees_padding(model)
    warn_of_layers(model)


@pytest.mark.parametrize("front_end", [None, "image"])
def test_padding_reaches_no_front_end_of_ours(front_end):
    assert not sees_padding(network(front_end))


def test_probing_a_front_end_leaves_its_weights_as_they_were():
    model = network(SEES_PADDING["bidirectional"])
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=w.shape).astype("float32") for w in model.weights]
    model.set_weights(weights)
    sees_padding(model)
    for value, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize(
    ("front_end", "expected"),
    [
        (stacked(conv(3)), lambda n: max(0, n - 2)),
        (stacked(conv(5, strides=3)), lambda n: len(range(0, n - 4, 3))),
        (stacked(conv(5, padding="same", strides=2)), lambda n: -(-n // 2)),
        (stacked(lambda: layers.MaxPooling1D(4)), lambda n: n // 4),
        (stacked(lambda: layers.UpSampling1D(2)), lambda n: 2 * n),
    ],
)
def test_output_lengths_of_a_front_end_are_worked_out_for_each_length(
    front_end, expected
):
    lengths = np.array([7, 1, 12, 7, 2, 4, 30])
    made = make_front_end(front_end)
    np.testing.assert_array_equal(
        made.output_lengths(network(front_end), lengths), [expected(n) for n in lengths]
    )


@pytest.mark.parametrize(
    ("front_end", "got"),
    [
        (lambda frames: layers.GlobalAveragePooling1D()(frames), "None, 5"),
        (lambda frames: layers.Reshape((-1, 5, 1))(frames), "None, None, 5, 1"),
        (lambda frames: None, "NoneType"),
        (lambda frames: [frames], "list"),
        (lambda frames: layers.Permute((2, 1))(frames), "None, 5, None"),
    ],
)
def test_a_front_end_must_return_a_sequence_of_frames(front_end, got):
    with pytest.raises(ValueError, match=rf"front_end must turn .*{got}"):
        CustomFrontEnd(front_end).model(5)


@pytest.mark.parametrize(
    ("operation", "dtype"),
    [
        (lambda x: x > 0, "bool"),
        (lambda x: keras.ops.cast(x, "int32"), "int32"),
        (lambda x: keras.ops.cast(x, "complex64"), "complex64"),
    ],
)
def test_a_front_end_must_return_floating_point_numbers(operation, dtype):
    with pytest.raises(ValueError, match=rf"returns {dtype}\. Add keras.ops"):
        CustomFrontEnd(operation).model(5)


@pytest.mark.parametrize(
    "front_end",
    [
        lambda frames: frames / keras.ops.shape(frames)[1],
        lambda frames: layers.LayerNormalization(axis=1)(frames),
        lambda frames: layers.Dense(0)(frames),
        lambda frames: {}["missing"],
    ],
)
def test_an_error_inside_a_front_end_says_what_it_was_called_with(front_end):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        CustomFrontEnd(front_end).model(5)
    assert "with a Keras tensor of shape (None, None, 5)" in caught.value.__notes__[0]


def test_a_front_end_that_takes_some_numbers_of_frames_only_is_refused():
    front_end = stacked(lambda: layers.Reshape((-1, 20)))  # of 5 features each
    made, model = make_front_end(front_end), network(front_end)
    np.testing.assert_array_equal(made.output_lengths(model, np.array([4, 8])), [1, 2])
    with pytest.raises(ValueError, match="front_end cannot take 7 frames: The total"):
        made.output_lengths(model, np.array([4, 7, 8]))


@pytest.mark.parametrize("kernel", [3, 40, 1000])
def test_a_sequence_shorter_than_a_kernel_gives_no_frames(kernel):
    front_end = stacked(conv(kernel))
    lengths = make_front_end(front_end).output_lengths(
        network(front_end), np.array([kernel - 1, kernel])
    )
    np.testing.assert_array_equal(lengths, [0, 1])


class Unforeseeable(layers.Layer):
    def call(self, frames):
        return frames

    def compute_output_shape(self, shape):
        return (shape[0], None, shape[2])


def test_a_front_end_of_unknown_output_length_is_refused():
    front_end = stacked(Unforeseeable)
    with pytest.raises(ValueError, match="front_end makes of 4 cannot be worked out"):
        make_front_end(front_end).output_lengths(network(front_end), np.array([4]))


def test_a_front_end_gets_its_parameters_by_name():
    model = network(unseeded, (("width", 9),))
    assert model.get_layer(LAYER).output_shape[-1] == 9


def test_a_front_end_may_not_use_one_layer_in_two_networks():
    layer = layers.Dense(3)
    own = make_front_end(lambda frames: layer(frames))
    model = network(own.function)
    with pytest.raises(ValueError, match="must make new layers whenever it is called"):
        own.initial_weights(model, 0)


def test_a_front_end_may_not_depend_on_what_changes_between_its_calls():
    widths = iter([3, 4])
    own = make_front_end(lambda frames: layers.Dense(next(widths))(frames))
    model = network(own.function)
    with pytest.raises(ValueError, match=r"shapes .*5, 3.* and now .*5, 4"):
        own.initial_weights(model, 0)


@pytest.mark.parametrize(
    ("front_end", "parameters", "message"),
    [
        (None, {"width": 1}, "front_end__width has no effect where front_end=None"),
        ("image", {"width": 1}, "front_end='image' cannot be .*front_end__width"),
        ("image", {"filters": 0}, "'front_end__filters' parameter of Owner must be"),
        ("image", {"filterz": 1}, r"'filterz'\. Did you mean 'front_end__filters'\?$"),
        (lambda frames, width=1: frames, {"widht": 1}, "mean 'front_end__width'"),
        (unseeded, {"depth": 1}, "unseeded.* cannot be .*front_end__depth"),
        (lambda: None, {}, "cannot be called with frames alone"),
        (keras.layers.Dense, {}, r"class of layers.* frames: keras\.layers\.Dense\("),
    ],
)
def test_parameters_that_a_front_end_does_not_take_are_refused(
    front_end, parameters, message
):
    with pytest.raises(ValueError, match=message):
        check_front_end(front_end, parameters, "Owner")


def test_settings_are_written_by_the_names_of_parameters():
    settings = {"units": (2,), "front_end_parameters": (("filters", (8,)),)}
    written = {"units": "(2,)", "front_end__filters": "(8,)"}
    assert as_written(settings) == written


def test_checked_parameters_are_sorted_pairs_that_make_the_front_end():
    pairs = check_front_end("image", {"filters": [8], "features": 4}, "Owner")
    assert pairs == (("features", 4), ("filters", (8,)))
    assert make_front_end("image", pairs).filters == (8,)


def test_integers_of_numpy_serve_an_image_front_end():
    given = {"filters": np.int64(8), "features": np.int64(4)}
    assert check_front_end("image", given, "Owner") == (
        ("features", 4),
        ("filters", (8,)),
    )


def test_layers_that_give_another_number_of_frames_than_they_say_are_refused():
    front_end = stacked(lambda: layers.TimeDistributed(layers.Dense(3)))
    with pytest.raises(ValueError, match=r"gives \d frames for 9 .* say 9.*leave"):
        sees_padding(network(front_end))
