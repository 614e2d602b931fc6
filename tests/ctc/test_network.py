import random
from itertools import product

import keras
import numpy as np
import pytest

from skseq._ctc.network import ctc_network, output_lengths
from skseq._nn.front_ends import front_end_of
from skseq._nn.initial_weights import initial_weights
from skseq._nn.padding import sees_padding
from skseq._seeding import generator
from tests.nn.test_front_ends import stacked, unseeded

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
    "front_end": None,
    "front_end_parameters": (),
    "skip_frames": 0,
}

FRONT_ENDS = [
    {},
    {"conv_filters": (2, 3), "conv_strides": (1, 2), "dropout": 0.2},
    {"front_end": "image", "skip_frames": 1},
    {
        "front_end": "image",
        "front_end_parameters": (("features", 7), ("filters", (2, 3))),
    },
]


def settings_with(**changes):
    return {**SETTINGS, **changes}


def build(**changes):
    return ctc_network(**settings_with(**changes))


def lengths_after(model, settings, lengths):
    """Frames after the front end, and frames of the output."""
    lengths = front_end_of(settings).output_lengths(model, lengths)
    return lengths, output_lengths(settings, lengths)


def first_values(model, settings, seed):
    given = front_end_of(settings).initial_weights(model, seed)
    return initial_weights(model, seed, given)


def first_weights(seed, **changes):
    settings = settings_with(**changes)
    model = ctc_network(**settings)
    values = first_values(model, settings, seed)
    return {w.path: v for w, v in zip(model.weights, values, strict=True)}


def equal(weights, others):
    return [np.array_equal(weights[path], others[path]) for path in weights]


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_the_lengths_worked_out_are_those_that_the_network_returns(front_end):
    settings = settings_with(**front_end)
    lengths = np.array([9, 6, 5, 12])
    frames = np.zeros((4, 12, 5), dtype="float32")
    _, expected = ctc_network(**settings)([frames, lengths.astype("int32")])
    _, found = lengths_after(None, settings, lengths)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("front_end", [None, "image", unseeded])
def test_first_weights_are_a_function_of_the_seed_alone(front_end):
    weights = first_weights(5, front_end=front_end)
    assert all(equal(weights, first_weights(5, front_end=front_end)))
    others = first_weights(6, front_end=front_end)
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


@pytest.mark.parametrize("front_end", [None, "image", unseeded])
def test_building_draws_nothing_from_the_global_generators(front_end):
    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    settings = settings_with(front_end=front_end, dropout=0.3, n_features=6)
    model = ctc_network(**settings)
    first_values(model, settings, 0)
    if front_end is unseeded:
        sees_padding(model)
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


@pytest.mark.parametrize("front_end", [None, "image"])
def test_the_networks_output_does_not_depend_on_the_settings_of_keras(
    front_end, request
):
    changes = {"front_end": front_end, "conv_filters": (3,), "conv_strides": (2,)}
    inputs = [
        np.random.default_rng(0).normal(size=(2, 9, 5)).astype("float32"),
        np.array([9, 5], dtype="int32"),
    ]
    outputs = []
    for defaults in (None, "odd_defaults"):
        if defaults:
            request.getfixturevalue(defaults)
        model = build(**changes)
        model.set_weights(first_values(model, settings_with(**changes), 0))
        outputs.append(model(inputs)[0].numpy())
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize(
    ("front_end", "conv_strides"),
    list(product([stacked(lambda: layers.Dense(3)), "image", None], [(), (1,), (2,)])),
)
def test_logits_are_the_same_alone_and_beside_a_longer_sequence(
    front_end, conv_strides
):
    settings = settings_with(
        front_end=front_end,
        conv_filters=(3,) * len(conv_strides),
        conv_strides=conv_strides,
    )
    model, rng = ctc_network(**settings), np.random.default_rng(0)
    model.set_weights([rng.normal(scale=0.5, size=w.shape) for w in model.weights])
    frames = rng.normal(size=(2, 12, 5)).astype("float32")
    frames[1, 7:] = 0
    lengths = np.array([12, 7])
    outputs = []
    for rows, n_frames in (([0, 1], 12), ([1], 7)):
        n_made, n_out = lengths_after(model, settings, lengths[rows])
        inputs = [frames[rows, :n_frames], lengths[rows].astype("int32")]
        if callable(front_end):
            inputs.append(n_made.astype("int32"))
        outputs.append(model(inputs)[0].numpy()[-1, : n_out[-1]])
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-5)


def test_the_seed_of_a_weight_comes_from_its_path():
    weights = first_weights(3)
    path = "logits/kernel"
    limit = np.sqrt(6 / (8 + 4))
    expected = generator(3, "weights", path).uniform(-limit, limit, size=(8, 4))
    np.testing.assert_array_equal(weights[path], expected.astype("float32"))


def test_a_front_end_that_changes_nothing_changes_no_output_before_strided_layers():
    settings = settings_with(conv_filters=(3,), conv_strides=(2,), skip_frames=1)
    rng, lengths = np.random.default_rng(0), np.array([11, 6], dtype="int32")
    frames = rng.normal(size=(2, 11, 5)).astype("float32")
    plain = ctc_network(**settings)
    weights = [rng.normal(scale=0.5, size=w.shape) for w in plain.weights]
    plain.set_weights(weights)
    unchanged = {**settings, "front_end": stacked(lambda: layers.Rescaling(1.0))}
    own = ctc_network(**unchanged)
    own.set_weights(weights)
    for found, expected in zip(
        own([frames, lengths, lengths]), plain([frames, lengths]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
