from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from skseq._autoencoder.loss import ReconstructionLosses
from skseq._autoencoder.network import (
    DECODER_INPUTS,
    autoencoder_network,
    decode,
    encode,
)
from skseq._engine.programs import Program, Recipe
from skseq._nn import lstm as _lstm
from skseq._nn.initial_weights import initial_weights
from skseq._nn.layers import CELLS, N_STATES

SETTINGS = {
    "n_features": 3,
    "units": (4,),
    "cell": "lstm",
    "bidirectional": True,
    "dropout": 0.0,
    "latent_dim": 2,
    "decoder_input": "output",
    "reverse": False,
    "difference": False,
}
LENGTHS = np.array([5, 1, 7, 2], dtype="int32")
N_FRAMES = 7

KINDS = list(product(DECODER_INPUTS, CELLS))

# Cell, units of the decoder, and up to how many an LSTM runs in one kernel.
RUNS = [("lstm", 4, 96), ("lstm", 4, 0), ("lstm", 3, 96), ("gru", 4, 96)]


def settings_with(**changes):
    return {**SETTINGS, **changes}


def build(seed=0, **changes):
    """A network with weights none of which is zero, biases least of all."""
    model = autoencoder_network(**settings_with(**changes))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(scale=0.6, size=w.shape) for w in model.weights])
    return model


def inputs_of(model, seed=1, past_end=0.0):
    """A padded batch for a network; what is past the ends is told."""
    rng = np.random.default_rng(seed)
    frames = rng.normal(size=(len(LENGTHS), N_FRAMES, 3)).astype("float32")
    frames[np.arange(N_FRAMES) >= LENGTHS[:, None]] = past_end
    scale = np.tile(np.float32([0.5, 2, 1]), (len(LENGTHS), 1))
    return [frames, LENGTHS, scale][: len(model.inputs)]


def alone(inputs, i):
    """One sequence of a batch, without padding."""
    frames, lengths, *rest = (array[i : i + 1] for array in inputs)
    return [frames[:, : LENGTHS[i]], lengths, *rest]


# -- what it is made of ---------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("units", "bidirectional", "latent_dim", "difference"),
    [((4,), True, 2, False), ((2, 5), False, 5, True), ((3, 1), True, 1, False)],
)
def test_every_weight_is_trained(kind, units, bidirectional, latent_dim, difference):
    decoder_input, cell = kind
    settings = settings_with(
        units=units,
        bidirectional=bidirectional,
        latent_dim=latent_dim,
        difference=difference,
        decoder_input=decoder_input,
        cell=cell,
        dropout=0.2,
    )
    model = autoencoder_network(**settings)
    assert len(model.trainable_weights) == len(model.weights)


def test_first_weights_are_a_function_of_the_seed_alone():
    model = autoencoder_network(**SETTINGS)
    first, again, other = (initial_weights(model, seed) for seed in (5, 5, 6))
    for weight, a, b, c in zip(model.weights, first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.shape == tuple(weight.shape)
        assert weight.path.endswith("bias") or not np.isclose(a, c).any()


def test_the_network_returns_frames_and_codes():
    model = build()
    assert [tensor.name for tensor in model.inputs] == ["frames", "lengths"]
    levels, codes = model(inputs_of(model))
    assert levels.shape == (4, N_FRAMES, 3)
    assert codes.shape == (4, 2)
    model = build(difference=True)
    assert [t.name for t in model.inputs] == ["frames", "lengths", "change_scale"]


# -- the decoder ----------------------------------------------------------------------


def lstm_step(x, states, kernel, recurrent_kernel, bias):
    """One step of an LSTM (Hochreiter & Schmidhuber 1997, with a forget gate)."""
    output, memory = states
    i, f, c, o = np.split(x @ kernel + output @ recurrent_kernel + bias, 4, axis=-1)
    memory = expit(f) * memory + expit(i) * np.tanh(c)
    return [expit(o) * np.tanh(memory), memory]


def gru_step(x, states, kernel, recurrent_kernel, bias):
    """One step of a GRU (Cho et al. 2014, the reset gate after the product)."""
    (output,) = states
    update, reset, new = np.split(x @ kernel + bias[0], 3, axis=-1)
    products = np.split(output @ recurrent_kernel + bias[1], 3, axis=-1)
    update, reset = expit(update + products[0]), expit(reset + products[1])
    return [update * output + (1 - update) * np.tanh(new + reset * products[2])]


STEPS = {"lstm": lstm_step, "gru": gru_step}
CELL_WEIGHTS = ("kernel", "recurrent_kernel", "bias")


def unfolded(model, code, n_frames, cell, decoder):
    """The outputs of one sequence's decoder, step after step."""
    weights = {w.path: w.numpy().astype("float64") for w in model.weights}
    path = f"decoder/recurrence/{cell}/{cell}_cell"
    recurrence = [weights[f"{path}/{name}"] for name in CELL_WEIGHTS]

    def dense(name, x):
        return x @ weights[f"decoder/{name}/kernel"] + weights[f"decoder/{name}/bias"]

    states = np.split(np.tanh(dense("bridge", code)), N_STATES[cell])
    output, outputs = dense("readout", states[0]), []
    for _ in range(n_frames):
        seen = output if decoder == "output" else code
        states = STEPS[cell](seen, states, *recurrence)
        output = dense("readout", states[0])
        outputs.append(output)
    return np.array(outputs)


@pytest.mark.parametrize(("cell", "units", "max_width"), RUNS)
@pytest.mark.parametrize("decoder_input", DECODER_INPUTS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("difference", [False, True])
def test_the_decoder_is_a_plain_loop_over_steps(
    cell, units, max_width, decoder_input, reverse, difference, monkeypatch
):
    monkeypatch.setattr(_lstm, "BLOCK_KERNEL_MAX_WIDTH", max_width)
    model = build(
        units=(2, units),
        cell=cell,
        decoder_input=decoder_input,
        reverse=reverse,
        difference=difference,
    )
    inputs = inputs_of(model)
    levels, codes = (output.numpy() for output in model(inputs))
    for i, n in enumerate(LENGTHS):
        expected = unfolded(model, codes[i].astype("float64"), n, cell, decoder_input)
        if reverse:
            expected = expected[::-1]
        if difference:
            expected = np.cumsum(expected * inputs[2][i], axis=0)
        np.testing.assert_allclose(levels[i, :n], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(levels[i, n:], 0)


@pytest.mark.parametrize("difference", [False, True])
def test_one_kernel_has_the_gradients_of_a_loop(difference, monkeypatch):
    model = build(units=(4,), difference=difference)
    inputs = inputs_of(model)
    upstream = np.random.default_rng(2).normal(size=inputs[0].shape).astype("float32")
    found = []
    for max_width in (96, 0):
        monkeypatch.setattr(_lstm, "BLOCK_KERNEL_MAX_WIDTH", max_width)
        found.append(gradients_of(model, inputs, upstream))
    for gradient, expected in zip(*found, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4)


def gradients_of(model, inputs, upstream):
    """Gradients of a sum of the reconstruction: the frames', then the weights'."""
    frames, *rest = map(tf.constant, inputs)
    with tf.GradientTape() as tape:
        tape.watch(frames)
        levels, _ = model([frames, *rest])
        total = tf.reduce_sum(levels * upstream)
    weights = [w.value for w in model.trainable_weights]
    return [tf.convert_to_tensor(g) for g in tape.gradient(total, [frames, *weights])]


# -- the code -------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_code_is_made_of_what_each_direction_ends_with(cell, bidirectional):
    model = build(cell=cell, bidirectional=bidirectional)
    inputs = inputs_of(model)
    weights = {w.path: w.numpy().astype("float64") for w in model.weights}
    codes = model(inputs)[1]
    for i, n in enumerate(LENGTHS):
        ends = []
        for direction in ("forward", "backward")[: 1 + bidirectional]:
            path = f"{direction}_0/{cell}/{cell}_cell"
            recurrence = [weights[f"{path}/{name}"] for name in CELL_WEIGHTS]
            states = [np.zeros(4)] * N_STATES[cell]
            frames = inputs[0][i, :n]
            for frame in frames if direction == "forward" else frames[::-1]:
                states = STEPS[cell](frame, states, *recurrence)
            ends.append(states[0])
        expected = np.concatenate(ends) @ weights["code/kernel"] + weights["code/bias"]
        np.testing.assert_allclose(codes[i], expected, rtol=1e-4, atol=1e-5)


# -- padding --------------------------------------------------------------------------

NETWORKS = [
    {"cell": "lstm", "decoder_input": "output", "reverse": True},
    {"cell": "lstm", "decoder_input": "code", "difference": True},
    {"cell": "gru", "decoder_input": "output", "difference": True, "units": (2, 3)},
    {"cell": "gru", "decoder_input": "code", "reverse": True, "bidirectional": False},
]


@pytest.mark.parametrize("changes", NETWORKS, ids=str)
def test_nothing_depends_on_padding(changes):
    model = build(**changes)
    reference = [output.numpy() for output in model(inputs_of(model))]
    for past_end in (30.0, np.inf):
        outputs = model(inputs_of(model, past_end=past_end))
        for output, expected in zip(outputs, reference, strict=True):
            np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize("changes", NETWORKS, ids=str)
def test_a_sequence_has_the_same_outputs_and_gradients_alone(changes):
    model = build(**changes)
    inputs = inputs_of(model, past_end=30.0)
    levels, codes = model(inputs)
    upstream = np.random.default_rng(2).normal(size=inputs[0].shape).astype("float32")
    frame_gradient, *weight_gradients = gradients_of(model, inputs, upstream)
    sums = [np.zeros(g.shape) for g in weight_gradients]
    for i, n in enumerate(LENGTHS):
        single = alone(inputs, i)
        own_levels, own_code = model(single)
        np.testing.assert_allclose(own_levels[0], levels[i, :n], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(own_code[0], codes[i], rtol=1e-5, atol=1e-6)
        own = gradients_of(model, single, upstream[i : i + 1, :n])
        np.testing.assert_allclose(own[0][0], frame_gradient[i, :n], atol=1e-4)
        np.testing.assert_array_equal(frame_gradient[i, n:], 0)
        for total, gradient in zip(sums, own[1:], strict=True):
            total += gradient.numpy()
    for gradient, total in zip(weight_gradients, sums, strict=True):
        assert np.abs(total).max() > 0
        np.testing.assert_allclose(gradient, total, rtol=1e-4, atol=1e-4)


# -- its two halves -------------------------------------------------------------------


@pytest.mark.parametrize("difference", [False, True])
def test_encoder_and_decoder_are_the_two_halves_of_the_network(difference):
    settings = tuple(settings_with(difference=difference).items())
    program = Program(Recipe(autoencoder_network, settings, ReconstructionLosses()))
    rng = np.random.default_rng(0)
    program.load([rng.normal(size=w.shape) for w in program.model.weights])
    inputs = inputs_of(program.model)
    levels, codes = program.model(inputs)
    (found,) = program.run(encode, *inputs[:2])
    np.testing.assert_allclose(found, codes, rtol=1e-5, atol=1e-6)
    (unfolded_codes,) = program.run(decode, found, *inputs[1:])
    np.testing.assert_allclose(unfolded_codes, levels, rtol=1e-5, atol=1e-6)
