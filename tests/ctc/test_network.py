import random
from itertools import product

import keras
import numpy as np
import pytest

from skseq._ctc.network import (
    ctc_initial_weights,
    ctc_network,
    ctc_output_lengths,
    ctc_weight_shapes,
)
from skseq._nn.front_ends import custom_encoder, encoder_sees_padding
from skseq._seeding import generator

layers = keras.layers

SETTINGS = {
    "n_features": 5,
    "n_labels": 3,
    "units": (4,),
    "cell": "lstm",
    "bidirectional": True,
    "dropout": 0.0,
    "conv_filters": (),
    "conv_kernel_size": 3,
    "conv_strides": (),
    "encoder": None,
    "encoder_parameters": (),
    "skip_frames": 0,
}

FRONT_ENDS = [
    {},
    {"conv_filters": (2, 3), "conv_strides": (1, 2), "dropout": 0.2},
    {"encoder": "image", "skip_frames": 1},
    {"encoder": "image", "encoder_parameters": (("features", 7), ("filters", (2, 3)))},
]


def settings_with(**changes):
    return {**SETTINGS, **changes}


def build(**changes):
    return ctc_network(**settings_with(**changes))


def first_weights(seed, **changes):
    settings = settings_with(**changes)
    model = ctc_network(**settings)
    values = ctc_initial_weights(model, settings, seed)
    return {w.path: v for w, v in zip(model.weights, values, strict=True)}


def equal(weights, others):
    return [np.array_equal(weights[path], others[path]) for path in weights]


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize(
    ("cell", "bidirectional", "units"),
    [("lstm", True, (4,)), ("gru", False, (2, 3)), ("gru", True, (3, 1))],
)
def test_the_shapes_worked_out_are_those_of_the_network_in_its_order(
    cell, bidirectional, units, front_end
):
    settings = settings_with(
        cell=cell, bidirectional=bidirectional, units=units, **front_end
    )
    weights = ctc_network(**settings).weights
    expected = [(w.path, tuple(w.shape)) for w in weights]
    assert list(ctc_weight_shapes(settings).items()) == expected


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_the_lengths_worked_out_are_those_that_the_network_returns(front_end):
    settings = settings_with(**front_end)
    lengths = np.array([9, 6, 5, 12])
    frames = np.zeros((4, 12, 5), dtype="float32")
    _, expected = ctc_network(**settings)([frames, lengths.astype("int32")])
    np.testing.assert_array_equal(ctc_output_lengths(None, settings, lengths), expected)


def unseeded_encoder(frames, width=4):
    states = layers.Dropout(0.5)(layers.Dense(width, name="dense")(frames))
    noise = random.random() + np.random.rand()  # noqa: NPY002
    return layers.Rescaling(noise)(states)


@pytest.mark.parametrize("encoder", [None, "image", unseeded_encoder])
def test_first_weights_are_a_function_of_the_seed_alone(encoder):
    weights = first_weights(5, encoder=encoder)
    assert all(equal(weights, first_weights(5, encoder=encoder)))
    others = first_weights(6, encoder=encoder)
    same = [path for path in weights if np.array_equal(weights[path], others[path])]
    assert not [path for path in same if path.endswith("kernel")]


def test_a_layers_first_weights_do_not_depend_on_the_other_layers():
    weights = first_weights(5)
    deeper = first_weights(5, units=(4, 4))
    np.testing.assert_array_equal(
        weights["forward_0/lstm/lstm_cell/kernel"],
        deeper["forward_0/lstm/lstm_cell/kernel"],
    )


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("name", ["kernel", "recurrent_kernel"])
def test_the_two_directions_start_differently(cell, name):
    weights = first_weights(0, cell=cell)
    forward, backward = (
        weights[f"{direction}_0/{cell}/{cell}_cell/{name}"]
        for direction in ("forward", "backward")
    )
    assert not np.isclose(forward, backward).any()


@pytest.mark.parametrize(
    ("path", "fan_sum"),
    [
        ("conv_0/convolution/kernel", 3 * 5 + 3 * 16),
        ("forward_0/lstm/lstm_cell/kernel", 16 + 4 * 8),
        ("logits/kernel", 16 + 4),
    ],
)
def test_kernels_start_within_the_bounds_of_glorot_and_fill_them(path, fan_sum):
    weights = first_weights(1, conv_filters=(16,), conv_strides=(1,), units=(8,))
    bound = np.sqrt(6 / fan_sum)
    assert np.abs(weights[path]).max() <= bound
    assert np.abs(weights[path]).max() > 0.9 * bound
    np.testing.assert_allclose(weights[path].std(), bound / np.sqrt(3), rtol=0.2)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_recurrent_kernels_start_with_orthonormal_rows(cell):
    kernel = first_weights(2, cell=cell)[
        f"forward_0/{cell}/{cell}_cell/recurrent_kernel"
    ]
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(4), atol=1e-6)


def test_biases_start_at_zero_but_for_the_forget_gate_of_an_lstm():
    lstm = first_weights(0)["forward_0/lstm/lstm_cell/bias"]
    gru = first_weights(0, cell="gru")["forward_0/gru/gru_cell/bias"]
    np.testing.assert_array_equal(lstm, np.repeat([0, 1, 0, 0], 4))
    np.testing.assert_array_equal(gru, np.zeros((2, 12)))


@pytest.mark.parametrize("encoder", [None, "image", unseeded_encoder])
def test_building_draws_nothing_from_the_global_generators(encoder):
    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    settings = settings_with(encoder=encoder, dropout=0.3, n_features=6)
    model = ctc_network(**settings)
    ctc_initial_weights(model, settings, 0)
    if encoder is unseeded_encoder:
        encoder_sees_padding(model)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


@pytest.fixture
def odd_defaults():
    """Keras's global settings as another library may have left them."""
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("encoder", [None, "image"])
def test_the_networks_output_does_not_depend_on_the_settings_of_keras(encoder, request):
    changes = {"encoder": encoder, "conv_filters": (3,), "conv_strides": (2,)}
    inputs = [
        np.random.default_rng(0).normal(size=(2, 9, 5)).astype("float32"),
        np.array([9, 5], dtype="int32"),
    ]
    outputs = []
    for defaults in (None, "odd_defaults"):
        if defaults:
            request.getfixturevalue(defaults)
        model = build(**changes)
        model.set_weights(ctc_initial_weights(model, settings_with(**changes), 0))
        outputs.append(model(inputs)[0].numpy())
    np.testing.assert_array_equal(*outputs)


# -- a front end of the user's own -----------------------------------------------------


def stacked(*make):
    """An encoder of these layers, made anew at each call."""

    def encoder(frames):
        for make_layer in make:
            frames = make_layer()(frames)
        return frames

    return encoder


def conv(kernel_size, **options):
    return lambda: layers.Conv1D(3, kernel_size, **options)


BLIND_TO_PADDING = {
    "dense": stacked(lambda: layers.Dense(3), lambda: layers.Dense(2)),
    "pointwise": stacked(conv(1)),
    "causal": stacked(lambda: layers.Dense(3), conv(5, padding="causal")),
    "valid": stacked(conv(4), conv(3, strides=2)),
    "wide valid": stacked(conv(40), conv(3)),
    "same without a bias before": stacked(conv(3, padding="same")),
    "forward recurrence": stacked(lambda: layers.LSTM(3, return_sequences=True)),
    "pooling": stacked(conv(1), lambda: layers.MaxPooling1D(2)),
    "normalised frames": stacked(lambda: layers.LayerNormalization()),
    "fresh batch normalisation": stacked(lambda: layers.BatchNormalization()),
    "dropout": stacked(lambda: layers.Dense(3), lambda: layers.Dropout(0.5)),
}

SEES_PADDING = {
    "same after a bias": stacked(conv(1), conv(3, padding="same")),
    "wide same after a bias": stacked(conv(40), conv(31, padding="same")),
    "strided same": stacked(conv(3, padding="same", strides=2)),
    "bidirectional": stacked(
        lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    ),
    "normalised over time": stacked(
        lambda: layers.GroupNormalization(groups=1, axis=-1)
    ),
    "attention": lambda frames: layers.Attention()([frames, frames]),
}


@pytest.mark.parametrize("name", BLIND_TO_PADDING)
def test_an_encoder_that_padding_cannot_reach_is_known(name):
    model = build(encoder=BLIND_TO_PADDING[name])
    assert not encoder_sees_padding(model)


@pytest.mark.parametrize("name", SEES_PADDING)
def test_an_encoder_that_padding_can_reach_is_known(name):
    assert encoder_sees_padding(build(encoder=SEES_PADDING[name]))


def test_probing_an_encoder_leaves_its_weights_as_they_were():
    model = build(encoder=SEES_PADDING["bidirectional"])
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=w.shape).astype("float32") for w in model.weights]
    model.set_weights(weights)
    encoder_sees_padding(model)
    for value, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        (stacked(conv(3)), lambda n: max(0, n - 2)),
        (stacked(conv(5, strides=3)), lambda n: len(range(0, n - 4, 3))),
        (stacked(conv(5, padding="same", strides=2)), lambda n: -(-n // 2)),
        (stacked(lambda: layers.MaxPooling1D(4)), lambda n: n // 4),
        (stacked(lambda: layers.UpSampling1D(2)), lambda n: 2 * n),
    ],
)
def test_output_lengths_of_an_encoder_are_worked_out_for_each_length(encoder, expected):
    settings = settings_with(encoder=encoder)
    lengths = np.array([7, 1, 12, 7, 2, 4, 30])
    np.testing.assert_array_equal(
        ctc_output_lengths(ctc_network(**settings), settings, lengths),
        [expected(n) for n in lengths],
    )


def test_strides_and_skipped_frames_come_off_an_encoders_output_lengths():
    settings = settings_with(
        encoder=stacked(conv(3)), conv_filters=(2,), conv_strides=(2,), skip_frames=1
    )
    model = ctc_network(**settings)
    lengths = ctc_output_lengths(model, settings, np.array([2, 4, 9]))
    np.testing.assert_array_equal(lengths, [0, 0, 3])


@pytest.mark.parametrize(
    ("encoder", "got"),
    [
        (lambda frames: layers.GlobalAveragePooling1D()(frames), "None, 5"),
        (lambda frames: layers.Reshape((-1, 5, 1))(frames), "None, None, 5, 1"),
        (lambda frames: None, "NoneType"),
        (lambda frames: [frames], "list"),
        (lambda frames: layers.Permute((2, 1))(frames), "None, 5, None"),
    ],
)
def test_an_encoder_must_return_a_sequence_of_frames(encoder, got):
    with pytest.raises(ValueError, match=rf"encoder must turn .*{got}"):
        custom_encoder(5, encoder, ())


class Unforeseeable(layers.Layer):
    def call(self, frames):
        return frames

    def compute_output_shape(self, shape):
        return (shape[0], None, shape[2])


def test_an_encoder_of_unknown_output_length_is_refused():
    settings = settings_with(encoder=stacked(Unforeseeable))
    with pytest.raises(ValueError, match="frames encoder makes of 4 cannot be worked"):
        ctc_output_lengths(ctc_network(**settings), settings, np.array([4]))


def test_an_encoder_gets_its_parameters_by_name():
    settings = settings_with(
        encoder=unseeded_encoder, encoder_parameters=(("width", 9),)
    )
    assert ctc_network(**settings).get_layer("encoder").output_shape[-1] == 9


def test_an_encoder_may_not_use_one_layer_in_two_networks():
    layer = layers.Dense(3)
    settings = settings_with(encoder=lambda frames: layer(frames))
    model = ctc_network(**settings)
    with pytest.raises(ValueError, match="must make new layers whenever it is called"):
        ctc_initial_weights(model, settings, 0)


def test_an_encoder_may_not_depend_on_what_changes_behind_its_back():
    widths = iter([3, 4])
    settings = settings_with(encoder=lambda frames: layers.Dense(next(widths))(frames))
    model = ctc_network(**settings)
    with pytest.raises(ValueError, match=r"shapes .*5, 3.* and now .*5, 4"):
        ctc_initial_weights(model, settings, 0)


@pytest.mark.parametrize(
    ("encoder", "conv_filters"),
    list(product([stacked(lambda: layers.Dense(3)), "image", None], [(), (3,)])),
)
def test_logits_are_the_same_alone_and_beside_a_longer_sequence(encoder, conv_filters):
    settings = settings_with(
        encoder=encoder,
        conv_filters=conv_filters,
        conv_strides=(1,) * len(conv_filters),
    )
    model, rng = ctc_network(**settings), np.random.default_rng(0)
    model.set_weights([rng.normal(scale=0.5, size=w.shape) for w in model.weights])
    frames = rng.normal(size=(2, 12, 5)).astype("float32")
    frames[1, 7:] = 0
    lengths = np.array([12, 7])
    outputs = []
    for rows, n_frames in (([0, 1], 12), ([1], 7)):
        n_out = ctc_output_lengths(model, settings, lengths[rows])
        inputs = [frames[rows, :n_frames], lengths[rows].astype("int32")]
        if callable(encoder):
            inputs.append(n_out.astype("int32"))
        outputs.append(model(inputs)[0].numpy()[-1, : n_out[-1]])
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-5)


def test_the_seed_of_a_weight_comes_from_its_path():
    weights = first_weights(3)
    path = "logits/kernel"
    limit = np.sqrt(6 / (8 + 4))
    expected = generator(3, "weights", path).uniform(-limit, limit, size=(8, 4))
    np.testing.assert_array_equal(weights[path], expected.astype("float32"))
